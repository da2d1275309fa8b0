//! Azure's public LLM inference traces, of 2023 and 2024.
//!
//! Format: github.com/Azure/AzurePublicDataset, `TIMESTAMP,ContextTokens,GeneratedTokens`.

use crate::error::{Error, Problem};
use crate::report::CUT;
use crate::request::{Arrivals, Start, TOKENS};
use crate::stamped::note_ends;
use crate::table::{Table, Wanted, key};
use crate::text::Text;
use crate::time::{HOUR, parse};
use model::location::Location;
use model::scenario::{InputReport, Requests};

pub(crate) const TIME: Wanted = Wanted { what: "time", names: &["timestamp"] };
pub(crate) const INPUT: Wanted = Wanted { what: "prompt's tokens", names: &["contexttokens", "context_tokens"] };
pub(crate) const OUTPUT: Wanted = Wanted { what: "answer's tokens", names: &["generatedtokens", "generated_tokens"] };

/// Whether a line is the header of such a trace.
pub(crate) fn is_header(line: &str) -> bool {
    line.split([',', ';', '\t']).any(|name| INPUT.names.contains(&key(name).as_str()))
}

/// Reads a trace onto the year.
pub(crate) fn read(
    text: &Text<'_>,
    place: &Location,
    shape: &[f64; 168],
    report: &mut InputReport,
) -> Result<Requests, Error> {
    let table = Table::open(text, 0)?;
    let (time, input, output) = (table.require(&TIME)?, table.require(&INPUT)?, table.require(&OUTPUT)?);
    let ahead = (place.utc_offset_h * HOUR as f64).round() as i64;
    let mut arrivals = Arrivals::default();
    let mut offsets = None;
    let cut = table.each(|row| {
        let written = row.text(&time)?;
        let stamp = parse(written).ok_or_else(|| row.refuse(&time, Problem::NotATime))?;
        if *offsets.get_or_insert(stamp.offset.is_some()) != stamp.offset.is_some() {
            return Err(row.refuse(&time, Problem::MixedTimes));
        }
        let at = stamp.offset.map_or(stamp.civil, |offset| stamp.civil - offset + ahead);
        arrivals.push(text.file, at, row.required(&input, TOKENS)?, row.required(&output, TOKENS)?)?;
        note_ends(written, report);
        Ok(())
    })?;
    if cut {
        report.remarks.push(CUT.to_owned());
    }
    arrivals.year(text.file, Start::Dated, None, shape, report)
}
