//! Request rates of several models, as made from Alibaba's ServeGen.
//!
//! Format: `model,t_s,rate_rps`, a row for each model and window; from github.com/alibaba/ServeGen, whose clients' rates
//! are added up in windows. `t_s` is the window's start in seconds, from Monday 00:00 for all we know.

use crate::clock::{Clock, Row, interval, settle};
use crate::error::{Error, Problem, listed, shown};
use crate::repeat::{Bins, shows_the_day, tile};
use crate::report::CUT;
use crate::request::{check_length, short};
use crate::table::{Range, Table, Wanted, key};
use crate::text::Text;
use crate::time::{DAY, HOUR, SECOND};
use crate::{COVERAGE_MIN, RATE_SERIES_MAX, REQUESTS_MAX, TRACE_YEARS_MAX};
use model::scenario::{InputReport, Requests, Series};
use std::collections::BTreeMap;

const MODEL: Wanted = Wanted { what: "model", names: &["model"] };
const TIME: Wanted = Wanted { what: "time in seconds", names: &["t_s"] };
const RATE: Wanted = Wanted { what: "rate", names: &["rate_rps"] };
/// Rates; the busiest public service has fewer than a million requests a second.
const RATES: Range = Range { low: 0.0, high: 1e9, unit: "requests/s" };

/// Whether a line is the header of such a file.
pub(crate) fn is_header(line: &str) -> bool {
    line.split([',', ';', '\t']).any(|name| key(name) == "rate_rps")
}

/// Reads rates onto the year.
pub(crate) fn read(
    text: &Text<'_>,
    wanted: Option<&str>,
    shape: &[f64; 168],
    report: &mut InputReport,
) -> Result<Requests, Error> {
    let mut models = rows(text, report)?;
    if let Some(name) = wanted {
        let chosen = models.keys().find(|model| model.eq_ignore_ascii_case(name.trim())).cloned();
        let Some(chosen) = chosen else {
            let found = listed(models.keys().map(String::as_str));
            return Err(Error::file(text.file, Problem::NoSeries { wanted: shown(name), found }));
        };
        models.retain(|model, _| *model == chosen);
    }
    report.rows = models.values().map(|rows| rows.len() as u32).sum();
    let times = || models.values().flatten().map(|row| row.at / SECOND);
    if let (Some(first), Some(last)) = (times().min(), times().max()) {
        report.first = format!("{first} s");
        report.last = format!("{last} s");
    }
    if models.len() > 1 {
        report.remarks.push(format!("the sum of {}", listed(models.keys().map(String::as_str))));
    }
    let mut sum: Option<Series> = None;
    for (model, rows) in models {
        let before = report.remarks.len();
        let series = year(text.file, rows, shape, report)?;
        for remark in report.remarks.iter_mut().skip(before) {
            *remark = format!("{}: {remark}", shown(&model));
        }
        sum = Some(sum.map_or_else(|| series.clone(), |sum| added(&sum, &series)));
    }
    report.remarks.push("no token lengths in the file: those of the design are used".to_owned());
    let rate_per_s = sum.ok_or_else(|| Error::file(text.file, Problem::NoRows))?;
    Ok(Requests { rate_per_s, input_tokens: 0.0, output_tokens: 0.0, prefix_reuse: None })
}

/// Rows by model.
fn rows(text: &Text<'_>, report: &mut InputReport) -> Result<BTreeMap<String, Vec<Row<1>>>, Error> {
    const SECONDS_PER_YEAR: f64 = 31_622_400.0;
    let times = Range { low: 0.0, high: f64::from(TRACE_YEARS_MAX) * SECONDS_PER_YEAR, unit: "s" };
    let table = Table::open(text, 0)?;
    let (model, time, rate) = (table.require(&MODEL)?, table.require(&TIME)?, table.require(&RATE)?);
    let mut models: BTreeMap<String, Vec<Row<1>>> = BTreeMap::new();
    let mut count = 0;
    let cut = table.each(|row| {
        let at = (row.required(&time, times)? * SECOND as f64).round() as i64;
        let values = row.number(&rate, RATES)?.map(|rate| [rate]);
        let name = row.text(&model)?;
        if let Some(rows) = models.get_mut(name) {
            rows.push(Row { at, values });
        } else if models.len() < RATE_SERIES_MAX {
            models.insert(name.to_owned(), vec![Row { at, values }]);
        } else {
            return Err(Error::file(text.file, Problem::TooMany { limit: RATE_SERIES_MAX, what: "series" }));
        }
        count += 1;
        if count > REQUESTS_MAX {
            return Err(Error::file(text.file, Problem::TooMany { limit: REQUESTS_MAX as usize, what: "rows" }));
        }
        Ok(())
    })?;
    if cut {
        report.remarks.push(CUT.to_owned());
    }
    Ok(models)
}

/// One model's rates through the year.
fn year(file: &str, mut rows: Vec<Row<1>>, shape: &[f64; 168], report: &mut InputReport) -> Result<Series, Error> {
    settle(file, &mut rows, Clock::Utc, 0, &mut report.remarks)?;
    let step = interval(file, &rows)?;
    let (Some(first), Some(last)) = (rows.first().map(|row| row.at), rows.last().map(|row| row.at)) else {
        return Err(Error::file(file, Problem::NoRows));
    };
    check_length(file, last - first)?;
    let base = first.div_euclid(step);
    let mut rates = vec![None; (last.div_euclid(step) - base + 1) as usize];
    for row in &rows {
        if let (Some(rate), Some([value])) = (rates.get_mut((row.at.div_euclid(step) - base) as usize), row.values) {
            rate.get_or_insert(value);
        }
    }
    let here: Vec<f64> = rates.iter().copied().flatten().collect();
    if (here.len() as f64) < COVERAGE_MIN * rates.len() as f64 {
        return Err(Error::file(file, Problem::Sparse { have: here.len() as u32, of: rates.len() as u32 }));
    }
    let hours = rates.len() as f64 * step as f64 / HOUR as f64;
    if !shows_the_day(hours) {
        return Ok(short(here.iter().sum::<f64>() / here.len() as f64, hours, shape, report));
    }
    let phase = (first.rem_euclid(7 * DAY) / step) as usize;
    Ok(tile(&Bins { per_hour: (HOUR / step) as usize, phase, rates }, report))
}

/// The sum of two series, in the finer of their steps.
fn added(a: &Series, b: &Series) -> Series {
    let (fine, coarse) = if a.values.len() >= b.values.len() { (a, b) } else { (b, a) };
    let hold = fine.values.len() as f64 / coarse.values.len().max(1) as f64;
    let coarse_at = |i: usize| coarse.values.get((i as f64 / hold) as usize).copied().unwrap_or_default();
    let values = fine.values.iter().enumerate().map(|(i, value)| value + coarse_at(i)).collect();
    Series { interval: fine.interval, values }
}
