//! The year on the page's own machine: the engine that the server runs, without a round trip.

use crate::browser::now_ms;
use model::quantity::Span;
use model::report::Report;
use model::site::Site;
use model::trace::Trace;
use serde::Serialize;
use std::collections::BTreeMap;

/// A simulated year and how long it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Year {
    /// What it came to.
    pub report: Report,
    /// What happened.
    pub trace: Trace,
    /// Time for the scenario, the year and its report.
    pub milliseconds: f64,
}

/// A default year of a site at that step and seed, or why the step does not do.
pub fn simulate(site: &Site, step_minutes: u32, seed: u64) -> Result<Year, String> {
    if step_minutes == 0 || !60_u32.is_multiple_of(step_minutes) {
        return Err(format!("A step of {step_minutes} minutes does not divide an hour; 5, 15 and 60 do."));
    }
    let start = now_ms();
    let scenario = sim::defaults::scenario(site, Span::from_minutes(f64::from(step_minutes)), seed);
    let trace = sim::simulate(site, &scenario);
    let report = sim::report::report(site, &scenario, &trace, env!("CARGO_PKG_VERSION"), "not kept");
    Ok(Year { report, trace, milliseconds: now_ms() - start })
}

#[derive(Serialize)]
struct Answer<'a> {
    report: &'a Report,
    columns: BTreeMap<&'static str, &'a [f64]>,
    milliseconds: f64,
}

#[derive(Serialize)]
struct Refusal {
    error: String,
}

/// The same for scripts: a site as JSON in, `{report, columns, milliseconds}` or `{error}` as JSON out. The time is the
/// best of `repeats`.
pub fn simulate_json(site: &str, step_minutes: u32, seed: u64, repeats: u32) -> String {
    let year =
        serde_json::from_str::<Site>(site).map_err(|err| format!("The site can't be read: {err}")).and_then(|site| {
            let mut best = simulate(&site, step_minutes, seed)?;
            for _ in 1..repeats {
                let again = simulate(&site, step_minutes, seed)?;
                best.milliseconds = best.milliseconds.min(again.milliseconds);
            }
            Ok(best)
        });
    let text = match &year {
        Ok(year) => serde_json::to_string(&Answer {
            report: &year.report,
            columns: year.trace.columns.named().into_iter().collect(),
            milliseconds: year.milliseconds,
        }),
        Err(error) => serde_json::to_string(&Refusal { error: error.clone() }),
    };
    text.unwrap_or_else(|err| format!("{{\"error\":\"the answer can't be written: {err}\"}}"))
}
