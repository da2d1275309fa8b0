//! Traces are shorter than a year: they are repeated through it, or their mean is spread over it.

use crate::WHOLE_DAY_HOURS_MIN;
use crate::gap::fill;
use crate::report::counted;
use model::quantity::Span;
use model::scenario::{HOURS, InputReport, Series};

/// Hours of a week.
const WEEK_HOURS: usize = 168;
/// Hours of a day.
const DAY_HOURS: usize = 24;

/// Rates in equal bins.
pub(crate) struct Bins {
    /// Bins in an hour.
    pub(crate) per_hour: usize,
    /// Bins from Monday 00:00 to the first one.
    pub(crate) phase: usize,
    /// Requests per second; none where the trace says nothing.
    pub(crate) rates: Vec<Option<f64>>,
}

/// `mean` through a year of weeks of the given shape, hourly.
pub(crate) fn spread(mean: f64, shape: &[f64; WEEK_HOURS]) -> Series {
    Series::hourly(shape.iter().cycle().take(HOURS as usize).map(|share| mean * share).collect())
}

/// Whether a trace of so many hours shows the shape of a day.
pub(crate) fn shows_the_day(hours: f64) -> bool {
    hours >= WHOLE_DAY_HOURS_MIN
}

/// The bins through the year, one after another, weekday on weekday where there is a whole week, and hour on hour.
///
/// Whole weeks are used where there is one, else whole days; what is over is left out. A day that is nearly whole is made
/// whole.
pub(crate) fn tile(bins: &Bins, report: &mut InputReport) -> Series {
    let per_day = DAY_HOURS * bins.per_hour;
    let have = bins.rates.len();
    let days = (have / per_day).max(1);
    let days = if days >= 7 { days / 7 * 7 } else { days };
    let len = days * per_day;
    let rate = |i: usize| bins.rates.get(i).copied().flatten();
    let present: Vec<bool> = (0..len).map(|i| rate(i).is_some()).collect();
    let mut series = [(0..len).map(|i| rate(i).unwrap_or_default()).collect::<Vec<f64>>()];
    let filled = fill(&present, &mut series, bins.per_hour).values;
    report.filled += filled;
    let [cycle] = series;
    let unit = if days >= 7 { counted((days / 7) as u32, "whole week") } else { counted(days as u32, "whole day") };
    let times = f64::from(HOURS) / (days * DAY_HOURS) as f64;
    let used =
        if times > 1.0 { format!("repeated {times:.1} times through the year") } else { "cut to a year".to_owned() };
    report.remarks.push(format!("{unit} of the trace, {used}"));
    if filled > 0 {
        report
            .remarks
            .push(format!("{filled} of the {len} rates of the repeated part missing: filled from their neighbours"));
    }
    if have > len {
        let hours = (have - len) as f64 / bins.per_hour as f64;
        report.remarks.push(format!("the last {hours:.1} h of the trace make no whole day or week: left out"));
    }
    let places = HOURS as usize * bins.per_hour;
    let start = len - bins.phase % len; // of 1 January, a Monday, in the cycle
    let values = (0..places).filter_map(|place| cycle.get((place + start) % len).copied()).collect();
    Series { interval: Span::from_hours(1.0 / bins.per_hour as f64), values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Text;

    fn check(phase: usize, rates: usize, expect: &[(usize, f64)]) -> InputReport {
        let text = Text { file: "f", body: "".into(), whole: true, remarks: Vec::new() };
        let mut report = crate::report::begin("requests", "", &text);
        let rates = (0..rates).map(|i| Some((phase + i) as f64)).collect();
        let series = tile(&Bins { per_hour: 1, phase, rates }, &mut report);
        assert_eq!(series.values.len(), HOURS as usize);
        for (place, value) in expect {
            assert!((series.values[*place] - value).abs() < 1e-12, "{place}: {}", series.values[*place]);
        }
        report
    }

    #[test]
    fn weeks_fall_on_weekdays_and_days_on_hours() {
        // from Wednesday 06:00 for eight days: one week is used, and the year's first Wednesday 06:00 is its first
        let report = check(54, 192, &[(54, 54.0), (55, 55.0), (0, 168.0), (53, 221.0), (168, 168.0)]);
        assert!(report.remarks.iter().any(|r| r.contains("24.0 h of the trace make no whole")), "{:?}", report.remarks);
        check(6, 48, &[(6, 6.0), (0, 48.0), (48, 48.0), (30, 30.0)]);
    }

    #[test]
    fn a_day_nearly_whole_is_made_whole() {
        let report = check(0, 21, &[(20, 20.0), (21, 15.0), (23, 5.0), (24, 0.0)]);
        assert_eq!(report.filled, 3);
    }

    #[test]
    fn a_short_trace_takes_the_weeks_shape() {
        let mut shape = [1.0; 168];
        shape[5] = 2.0;
        let series = spread(3.0, &shape);
        assert_eq!((series.values[5], series.values[173], series.values[0]), (6.0, 6.0, 3.0));
    }
}
