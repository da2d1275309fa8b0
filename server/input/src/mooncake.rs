//! Mooncake's public traces, with the blocks of each prompt.
//!
//! Format: github.com/kvcache-ai/Mooncake, `FAST25-release/traces`; Qin et al., "Mooncake", FAST 2025, section 4.

use crate::error::{Error, Problem, shown};
use crate::report::CUT;
use crate::request::{Arrivals, Start, TOKENS};
use crate::stamped::note_ends;
use crate::text::Text;
use crate::{BLOCKS_MAX, TRACE_YEARS_MAX};
use model::quantity::Ratio;
use model::scenario::{InputReport, Requests};
use serde::Deserialize;
use std::collections::HashSet;

/// Tokens of one block of a prompt; the last may have fewer.
pub const BLOCK_TOKENS: u32 = 512;

/// One line.
#[derive(Deserialize)]
pub(crate) struct Line {
    /// Milliseconds from the trace's start.
    pub(crate) timestamp: f64,
    pub(crate) input_length: f64,
    pub(crate) output_length: f64,
    #[serde(default)]
    pub(crate) hash_ids: Vec<u64>,
    /// The model that is asked: no public trace tells it, and one's own may.
    #[serde(default)]
    pub(crate) model: Option<String>,
}

/// What an unbounded cache of prefixes would have found.
#[derive(Default)]
struct Cache {
    seen: HashSet<u64>,
    blocks: u64,
    blocks_found: u64,
    tokens: f64,
    tokens_found: f64,
}

impl Cache {
    /// One request: the blocks that lead it and were seen before are found, and all are remembered.
    fn serve(&mut self, file: &str, line: &Line) -> Result<(), Error> {
        let found = line.hash_ids.iter().take_while(|id| self.seen.contains(id)).count();
        self.seen.extend(&line.hash_ids[found..]);
        self.blocks += line.hash_ids.len() as u64;
        self.blocks_found += found as u64;
        self.tokens += line.input_length;
        self.tokens_found += (found as f64 * f64::from(BLOCK_TOKENS)).min(line.input_length);
        if self.seen.len() > BLOCKS_MAX {
            return Err(Error::file(file, Problem::TooMany { limit: BLOCKS_MAX, what: "different blocks" }));
        }
        Ok(())
    }

    /// The share of tokens found, and a remark with the share of blocks; none if the trace has no blocks.
    fn reuse(&self, report: &mut InputReport) -> Option<Ratio> {
        if self.blocks == 0 || self.tokens <= 0.0 {
            let lacking = if self.blocks == 0 { "no hash_ids" } else { "no tokens in prompts" };
            report.remarks.push(format!("{lacking} in the trace: nothing is known of prefix reuse"));
            return None;
        }
        let tokens = self.tokens_found / self.tokens;
        let blocks = self.blocks_found as f64 / self.blocks as f64;
        report.remarks.push(format!(
            "an unbounded prefix cache would find {:.1} % of blocks, which are {:.1} % of prompt tokens",
            100.0 * blocks,
            100.0 * tokens
        ));
        Some(Ratio::from_fraction(tokens))
    }
}

/// Reads a trace onto the year.
pub(crate) fn read(text: &Text<'_>, shape: &[f64; 168], report: &mut InputReport) -> Result<Requests, Error> {
    let mut arrivals = Arrivals::default();
    let mut cache = Cache::default();
    let mut lines = text.lines().filter(|(_, line)| !line.trim_matches(['\u{1a}', ' ', '\t']).is_empty()).peekable();
    while let Some((number, line)) = lines.next() {
        match parse(text.file, number, line) {
            Ok(request) => {
                cache.serve(text.file, &request)?;
                let at = request.timestamp as i64;
                arrivals.push(text.file, at, request.input_length, request.output_length)?;
                note_ends(&format!("{at} ms"), report);
            }
            // A line cut off is no JSON; one that is, and wrong, was not cut off.
            Err(Error::Line { .. }) if !text.whole && lines.peek().is_none() && !arrivals.is_empty() => {
                report.remarks.push(CUT.to_owned());
            }
            Err(error) => return Err(error),
        }
    }
    let reuse = cache.reuse(report);
    arrivals.year(text.file, Start::Relative, reuse, shape, report)
}

/// One line, its numbers within bounds.
pub(crate) fn parse(file: &str, number: u32, line: &str) -> Result<Line, Error> {
    const MILLISECONDS_PER_YEAR: f64 = 3.156e10;
    let request: Line = serde_json::from_str(line).map_err(|err| {
        let reason = shown_long(&err.to_string());
        Error::line(file, number, Problem::NotJson { reason })
    })?;
    let check = |column: &str, value: f64, high: f64, unit: &'static str| {
        if (0.0..=high).contains(&value) {
            return Ok(());
        }
        Err(Error::field(file, number, column, &value.to_string(), Problem::OutOfRange { low: 0.0, high, unit }))
    };
    check("timestamp", request.timestamp, f64::from(TRACE_YEARS_MAX) * MILLISECONDS_PER_YEAR, "ms")?;
    check("input_length", request.input_length, TOKENS.high, TOKENS.unit)?;
    check("output_length", request.output_length, TOKENS.high, TOKENS.unit)?;
    Ok(request)
}

/// The parser's words end with a line of its own counting, which misleads; its head is what matters.
fn shown_long(reason: &str) -> String {
    let head = reason.split(" at line ").next().unwrap_or_default();
    if head.chars().count() > 80 { shown(head) } else { head.to_owned() }
}
