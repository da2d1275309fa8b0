//! Requests: which format a trace has, and what the formats share.

use crate::error::{Error, Problem};
use crate::repeat::{Bins, shows_the_day, spread, tile};
use crate::report::{begin, counted};
use crate::table::Range;
use crate::time::{DAY, HOUR, SECOND, weekday};
use crate::{REQUESTS_MAX, TRACE_BYTES_MAX, TRACE_YEARS_MAX, azure, mooncake, servegen, text};
use model::location::Location;
use model::quantity::Ratio;
use model::scenario::{InputReport, Requests, Series};

/// Tokens of one prompt or answer.
pub(crate) const TOKENS: Range = Range { low: 0.0, high: 1e7, unit: "tokens" };

/// Fewer requests than this are remarked upon: the mean length of a trace as spread as Azure's (sd about its mean) is off by
/// 3% one time in three at 1,000.
const FEW_REQUESTS: usize = 1_000;

/// The year's requests from a trace. At most [`TRACE_BYTES_MAX`] and [`REQUESTS_MAX`].
///
/// - Azure LLM inference traces: `TIMESTAMP,ContextTokens,GeneratedTokens`.
/// - Mooncake traces: a JSON object a line with `timestamp` (ms), `input_length`, `output_length` and `hash_ids`, one for
///   each block of 512 tokens. `prefix_reuse` is the share of prompt tokens in blocks that lead a prompt and that an
///   earlier request had: what an unbounded cache would find.
/// - ServeGen rates: `model,t_s,rate_rps`. `series` picks a model; by default all are added up. Token lengths are not in
///   such a file: `input_tokens` and `output_tokens` are then 0, and the caller must put its own in their place.
///
/// A trace of 20 hours or more is repeated through the year, in whole weeks or, if shorter, whole days; naive moments
/// are taken as the site's standard time, and relative ones begin on Monday at 00:00. The mean rate of a shorter trace
/// is spread over the year by `shape`: a factor of mean 1 for each hour of the week from Monday 00:00.
/// The rates are hourly, or as the file has them. 1 January is a Monday.
pub fn requests(
    file: &str,
    bytes: &[u8],
    place: &Location,
    series: Option<&str>,
    shape: &[f64; 168],
) -> Result<(Requests, InputReport), Error> {
    let text = text::decode(file, bytes, TRACE_BYTES_MAX)?;
    let head = text.lines().map(|(_, line)| line.trim()).find(|line| !line.is_empty()).unwrap_or_default();
    let mut report = begin("requests", "", &text);
    let requests = if head.starts_with('{') {
        "Mooncake trace".clone_into(&mut report.format);
        mooncake::read(&text, shape, &mut report)?
    } else if azure::is_header(head) {
        "Azure LLM inference trace".clone_into(&mut report.format);
        azure::read(&text, place, shape, &mut report)?
    } else if servegen::is_header(head) {
        "ServeGen rates".clone_into(&mut report.format);
        servegen::read(&text, series, shape, &mut report)?
    } else {
        let expected = "an Azure LLM trace (TIMESTAMP,ContextTokens,GeneratedTokens), a Mooncake trace (a JSON object a \
                        line) or ServeGen rates (model,t_s,rate_rps)";
        return Err(text.not_recognised(expected));
    };
    if series.is_some() && !servegen::is_header(head) {
        report.remarks.push("the trace has one series only: the choice of a series is ignored".to_owned());
    }
    Ok((requests, report))
}

/// When a trace's clock begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// Arrivals have dates.
    Dated,
    /// Arrivals are counted from some moment, taken as Monday 00:00.
    Relative,
}

/// Requests as they are read.
#[derive(Default)]
pub(crate) struct Arrivals {
    /// Milliseconds.
    times: Vec<i64>,
    input_tokens: f64,
    output_tokens: f64,
    early: u32,
}

impl Arrivals {
    /// One request.
    pub(crate) fn push(&mut self, file: &str, at: i64, input: f64, output: f64) -> Result<(), Error> {
        if self.times.len() >= REQUESTS_MAX as usize {
            return Err(Error::file(file, Problem::TooMany { limit: REQUESTS_MAX as usize, what: "requests" }));
        }
        self.early += u32::from(self.times.last().is_some_and(|last| at < *last));
        self.times.push(at);
        self.input_tokens += input;
        self.output_tokens += output;
        Ok(())
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The year's requests.
    pub(crate) fn year(
        self,
        file: &str,
        start: Start,
        prefix_reuse: Option<Ratio>,
        shape: &[f64; 168],
        report: &mut InputReport,
    ) -> Result<Requests, Error> {
        let count = self.times.len();
        let ends = self.times.iter().min().copied().zip(self.times.iter().max().copied());
        let (first, last) = ends.ok_or_else(|| Error::file(file, Problem::NoRows))?;
        report.rows = count as u32;
        check_length(file, last - first)?;
        if first == last {
            return Err(Error::file(file, Problem::NoRate));
        }
        if self.early > 0 {
            report.remarks.push(format!("{} earlier than the one before", counted(self.early, "request")));
        }
        if count < FEW_REQUESTS {
            report.remarks.push(format!("only {count} requests: means of so few are largely chance"));
        }
        let hours = (last - first) as f64 / HOUR as f64;
        let rate_per_s = if shows_the_day(hours) {
            let phase = match start {
                Start::Dated => weekday(first) * DAY + first.rem_euclid(DAY),
                Start::Relative => first.rem_euclid(7 * DAY),
            };
            tile(&Bins { per_hour: 1, phase: (phase / HOUR) as usize, rates: self.hourly(first, last) }, report)
        } else {
            let mean = (count - 1) as f64 / ((last - first) as f64 / SECOND as f64);
            short(mean, hours, shape, report)
        };
        let mean = |tokens: f64| tokens / count as f64;
        for (what, tokens) in [("prompts", self.input_tokens), ("answers", self.output_tokens)] {
            if tokens <= 0.0 {
                report.remarks.push(format!("all {what} have 0 tokens: their length is the design's"));
            }
        }
        let (input_tokens, output_tokens) = (mean(self.input_tokens), mean(self.output_tokens));
        Ok(Requests { rate_per_s, input_tokens, output_tokens, prefix_reuse })
    }

    /// Requests per second in each hour of the clock; the first and last by the part that the trace covers.
    fn hourly(&self, first: i64, last: i64) -> Vec<Option<f64>> {
        const SHARE_MIN: i64 = 10; // less than a tenth of an hour says nothing about it
        let base = first.div_euclid(HOUR);
        let bins = (last.div_euclid(HOUR) - base + 1) as usize;
        let mut counts = vec![0_u32; bins];
        for at in &self.times {
            if let Some(count) = counts.get_mut((at.div_euclid(HOUR) - base) as usize) {
                *count += 1;
            }
        }
        let rate = |(hour, count): (i64, u32)| {
            let (from, until) = ((base + hour) * HOUR, (base + hour + 1) * HOUR);
            let covered = until.min(last.max(from + 1)) - from.max(first);
            let covered = if until - last < HOUR / SHARE_MIN { until - from.max(first) } else { covered };
            (covered > HOUR / SHARE_MIN).then(|| f64::from(count) * SECOND as f64 / covered as f64)
        };
        (0..).zip(counts).map(rate).collect()
    }
}

/// The year of a trace too short to show a day.
pub(crate) fn short(mean: f64, hours: f64, shape: &[f64; 168], report: &mut InputReport) -> Series {
    let remark = format!(
        "a trace of {hours:.2} h: its mean of {mean:.4} requests/s is spread over the year by the weekly shape"
    );
    report.remarks.push(remark);
    spread(mean, shape)
}

/// Refuses traces that last implausibly long.
pub(crate) fn check_length(file: &str, length: i64) -> Result<(), Error> {
    if length > i64::from(TRACE_YEARS_MAX) * 366 * DAY {
        return Err(Error::file(file, Problem::TooLong { limit: TRACE_YEARS_MAX }));
    }
    Ok(())
}
