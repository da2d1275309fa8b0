//! Gaps in values that come round again: a year, a week or a day whose end meets its beginning.

use crate::INTERPOLATED_HOURS_MAX;
use crate::report::counted;
use crate::time::words;

/// What was filled in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Filled {
    /// Values.
    pub(crate) values: u32,
    /// Gaps that they were in.
    pub(crate) gaps: u32,
    /// Where the first gap begins.
    pub(crate) first: usize,
    /// Values in the longest gap.
    pub(crate) longest: usize,
}

impl Filled {
    /// For the report; none if nothing was.
    pub(crate) fn remark(self, per_hour: usize) -> Option<String> {
        let Self { values, gaps, first, longest } = self;
        (values > 0).then(|| {
            format!(
                "{} missing, in {}, the first at {}, the longest of {} h: up to \
                 {INTERPOLATED_HOURS_MAX} h interpolated, longer ones from the same hour of the nearest days",
                counted(values, "value"),
                counted(gaps, "gap"),
                words(first, per_hour),
                longest as f64 / per_hour as f64,
            )
        })
    }
}

/// Fills every series where `present` is false. At least one value must be present, or nothing is done.
pub(crate) fn fill<const N: usize>(present: &[bool], series: &mut [Vec<f64>; N], per_hour: usize) -> Filled {
    let len = present.len();
    let Some(origin) = present.iter().position(|here| *here) else { return Filled::default() };
    let mut filled = Filled { first: usize::MAX, ..Filled::default() };
    let mut at = 0; // from the origin, which is present: no gap goes round it
    while at < len {
        if present[(origin + at) % len] {
            at += 1;
            continue;
        }
        let gap = (at..len).take_while(|i| !present[(origin + i) % len]).count();
        let start = (origin + at) % len;
        for values in series.iter_mut() {
            fill_gap(present, values, start, gap, per_hour);
        }
        filled.values += gap as u32;
        filled.gaps += 1;
        filled.first = filled.first.min(start);
        filled.longest = filled.longest.max(gap);
        at += gap;
    }
    filled
}

/// One gap of `gap` values from `start` on.
fn fill_gap(present: &[bool], values: &mut [f64], start: usize, gap: usize, per_hour: usize) {
    let len = values.len();
    let before = values[(start + len - 1) % len];
    let after = values[(start + gap) % len];
    for i in 0..gap {
        let here = (start + i) % len;
        let line = before + (after - before) * (i + 1) as f64 / (gap + 1) as f64;
        let near = if gap <= INTERPOLATED_HOURS_MAX as usize * per_hour {
            None
        } else {
            nearest_days(present, values, here, 24 * per_hour)
        };
        values[here] = near.unwrap_or(line);
    }
}

/// Mean of the value at the same time of the nearest day before or after that has one, or of both if as near.
fn nearest_days(present: &[bool], values: &[f64], here: usize, per_day: usize) -> Option<f64> {
    let len = values.len();
    (1..=len / per_day / 2).find_map(|days| {
        let away = days * per_day;
        let sides = [(here + len - away) % len, (here + away) % len];
        let found: Vec<f64> = sides.into_iter().filter(|side| present[*side]).map(|side| values[side]).collect();
        (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten days of hours whose value is the hour of the day, with a gap.
    fn check(start: usize, gap: usize) -> Vec<f64> {
        let len = 240;
        let hidden = |i: usize| (i + len - start) % len < gap;
        let present: Vec<bool> = (0..len).map(|i| !hidden(i)).collect();
        let mut series = [(0..len).map(|i| if hidden(i) { f64::NAN } else { (i % 24) as f64 }).collect::<Vec<f64>>()];
        let filled = fill(&present, &mut series, 1);
        assert_eq!((filled.values as usize, filled.gaps, filled.longest), (gap, 1, gap));
        let [values] = series;
        assert!(values.iter().all(|v| v.is_finite()));
        values
    }

    #[test]
    fn short_gaps_are_straight_lines() {
        assert_eq!(check(50, 6)[50..56], [2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert_eq!(check(238, 2)[238..], [21.0 - 7.0, 21.0 - 14.0]);
    }

    #[test]
    fn long_gaps_look_like_the_days_about_them_even_round_the_end() {
        for (start, gap) in [(50, 7), (50, 60), (235, 30)] {
            let values = check(start, gap);
            for (i, value) in values.iter().enumerate() {
                assert!((value - (i % 24) as f64).abs() < 1e-12, "hour {i} of gap {gap} at {start}: {value}");
            }
        }
    }
}
