//! A scenario: the year that a site meets. Weather, prices, carbon and requests, hour by hour.
//!
//! The simulated year always has 365 days and runs in the site's standard time, so that every input, whatever its own
//! year, zone and daylight saving, lands on the same clock and runs can be compared.

use crate::quantity::{Pressure, Ratio, Span};
use serde::{Deserialize, Serialize};

/// Days of the simulated year.
pub const DAYS: u32 = 365;
/// Hours of the simulated year.
pub const HOURS: u32 = DAYS * 24;
/// Days before each month, and the year's length at the end.
pub const MONTH_STARTS: [u32; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/// Values that hold for `interval` each, one after another through the simulated year, from 1 January 00:00.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Series {
    /// How long one value holds: an hour, or a whole fraction of one.
    #[serde(rename = "interval_s")]
    pub interval: Span,
    /// The values; `HOURS` of them where the interval is an hour.
    pub values: Vec<f64>,
}

impl Series {
    /// One value for each hour.
    pub fn hourly(values: Vec<f64>) -> Self {
        Self { interval: Span::from_hours(1.0), values }
    }
    /// The same value all year.
    pub fn constant(value: f64) -> Self {
        Self::hourly(vec![value; HOURS as usize])
    }
    /// Mean over the year; 0 for an empty series.
    pub fn mean(&self) -> f64 {
        if self.values.is_empty() { 0.0 } else { self.values.iter().sum::<f64>() / self.values.len() as f64 }
    }
    /// The series in `steps` equal steps: each gets the mean of what it covers, so that the year's mean stays.
    #[must_use]
    pub fn resampled(&self, steps: usize) -> Vec<f64> {
        let have = self.values.len();
        if have == steps {
            return self.values.clone();
        }
        // In units of 1/steps of one value: a step covers `have` of them, a value `steps`.
        (0..steps)
            .map(|step| {
                let (from, to) = (step * have, (step + 1) * have);
                let covered = (from / steps..to.div_ceil(steps)).map(|at| {
                    let share = to.min((at + 1) * steps) - from.max(at * steps);
                    self.values.get(at).copied().unwrap_or_default() * share as f64
                });
                covered.sum::<f64>() / have.max(1) as f64
            })
            .collect()
    }
}

/// Outside air through the simulated year, hourly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Weather {
    /// Dry-bulb temperature, degrees Celsius.
    pub dry_bulb_c: Series,
    /// Wet-bulb temperature, degrees Celsius; never above the dry bulb.
    pub wet_bulb_c: Series,
    /// Mean station pressure.
    #[serde(rename = "pressure_pa")]
    pub pressure: Pressure,
}

/// Requests through the simulated year.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Requests {
    /// Requests per second.
    pub rate_per_s: Series,
    /// Mean prompt length, tokens.
    pub input_tokens: f64,
    /// Mean answer length, tokens.
    pub output_tokens: f64,
    /// Share of prompt tokens that an unbounded prefix cache would have found, where the trace tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_reuse: Option<Ratio>,
}

/// Everything outside the fence, for one year.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Scenario {
    /// Length of a step: an hour or a whole fraction of one.
    #[serde(rename = "step_s")]
    pub step: Span,
    /// Outside air.
    pub weather: Weather,
    /// Price of energy, $/MWh.
    pub price_usd_per_mwh: Series,
    /// Carbon intensity of the grid, g/kWh.
    pub carbon_g_per_kwh: Series,
    /// Requests.
    pub requests: Requests,
    /// Seed of everything drawn by chance.
    pub seed: u64,
    /// What was read and what was made up, for the report.
    pub inputs: Vec<InputReport>,
}

impl Scenario {
    /// Steps in the year.
    pub fn steps(&self) -> usize {
        (Span::from_hours(f64::from(HOURS)) / self.step).round() as usize
    }
}

/// Where one input of a run came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct InputReport {
    /// Which input: `weather`, `prices`, `carbon`, `requests`.
    pub input: String,
    /// The file read, or `default`.
    pub file: String,
    /// Its format, or how the default was made.
    pub format: String,
    /// Data rows used.
    pub rows: u32,
    /// First moment in the file, as written there.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub first: String,
    /// Last moment in the file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last: String,
    /// Values filled in because the file had none.
    pub filled: u32,
    /// What was done to it, in words: gaps, leap days, zones, daylight saving, repetition.
    pub remarks: Vec<String>,
}

/// Month (0..12) of a day of the simulated year (0..365).
pub fn month_of_day(day: u32) -> usize {
    MONTH_STARTS.iter().skip(1).position(|&start| day < start).unwrap_or(11)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_keeps_its_mean_when_resampled() {
        let series = Series::hourly((0..HOURS).map(f64::from).collect());
        for steps in [HOURS as usize, HOURS as usize * 4, HOURS as usize / 24, HOURS as usize / 3 * 2] {
            let again = series.resampled(steps);
            assert_eq!(again.len(), steps);
            let mean = again.iter().sum::<f64>() / steps as f64;
            assert!((mean - series.mean()).abs() < 1e-9, "{steps}");
        }
    }

    #[test]
    fn days_fall_in_their_months() {
        assert_eq!([month_of_day(0), month_of_day(30), month_of_day(31), month_of_day(364)], [0, 0, 1, 11]);
    }
}
