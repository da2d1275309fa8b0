//! Rows find their place in the simulated year: month, day and hour count, the year of the row does not.

use crate::clock::Row;
use crate::error::{Error, Problem};
use crate::gap::{Filled, fill};
use crate::report::counted;
use crate::time::{DAY, HOUR, moment};
use crate::{COVERAGE_MIN, DUPLICATES_MAX};
use model::quantity::Span;
use model::scenario::{HOURS, InputReport, MONTH_STARTS, Series};

/// The year while it is filled.
pub(crate) struct Year<const N: usize> {
    interval: i64,
    places: Vec<Place<N>>,
    leap: u32,
    beyond: u32,
    /// Most rows that one place is made of; those beyond it are doubles.
    rows_max: u32,
    doubles: u32,
}

/// One value's place in it.
#[derive(Debug, Clone, Copy)]
struct Place<const N: usize> {
    /// Which occurrence of this place, counted through the years, was used.
    occurrence: i64,
    rows: u32,
    sums: [f64; N],
}

impl<const N: usize> Year<N> {
    /// An empty year with one place for every `interval` milliseconds, which divide an hour.
    pub(crate) fn new(interval: i64) -> Self {
        let per_hour = (HOUR / interval) as usize;
        let empty = Place { occurrence: 0, rows: 0, sums: [0.0; N] };
        Self {
            interval,
            places: vec![empty; HOURS as usize * per_hour],
            leap: 0,
            beyond: 0,
            rows_max: u32::MAX,
            doubles: 0,
        }
    }

    /// The same, where each place is due `rows_max` rows: more of them are doubles and left out.
    pub(crate) fn of_rows(interval: i64, rows_max: u32) -> Self {
        Self { rows_max, ..Self::new(interval) }
    }

    /// Rows on the site's standard clock, in order.
    pub(crate) fn lay(&mut self, rows: &[Row<N>]) {
        for Row { at, values } in rows {
            if let (Some(moment), Some(values)) = (moment(*at), values) {
                self.add(moment.month, moment.day, moment.time, at.div_euclid(self.interval), *values);
            }
        }
    }

    /// Values for a month and day, from 1, and a time of day in milliseconds. Values of one `occurrence` of a place
    /// are averaged; the first occurrence is used. 29 February has no place.
    pub(crate) fn add(&mut self, month: u32, day: u32, time: i64, occurrence: i64, values: [f64; N]) {
        if (month, day) == (2, 29) {
            self.leap += 1;
            return;
        }
        let day_of_year = i64::from(MONTH_STARTS[month as usize - 1] + day - 1);
        let Some(place) = self.places.get_mut(((day_of_year * DAY + time) / self.interval) as usize) else { return };
        if place.rows > 0 && place.occurrence != occurrence {
            self.beyond += 1;
            return;
        }
        if place.rows >= self.rows_max {
            self.doubles += 1;
            return;
        }
        place.occurrence = occurrence;
        place.rows += 1;
        for (sum, value) in place.sums.iter_mut().zip(values) {
            *sum += value;
        }
    }

    /// Moves everything to a clock that is `hours` ahead.
    pub(crate) fn shift_hours(&mut self, hours: i64) {
        let hours = hours.rem_euclid(i64::from(HOURS));
        self.places.rotate_right((hours * (HOUR / self.interval)) as usize);
    }

    /// The whole year, its gaps filled, if enough of it was there. Remarks go to the report.
    pub(crate) fn finish(self, file: &str, report: &mut InputReport) -> Result<[Series; N], Error> {
        let per_hour = (HOUR / self.interval) as usize;
        let present: Vec<bool> = self.places.iter().map(|place| place.rows > 0).collect();
        if self.doubles > 2 && f64::from(self.doubles) > DUPLICATES_MAX * f64::from(report.rows) {
            return Err(Error::file(file, Problem::Duplicates { rows: self.doubles, of: report.rows }));
        }
        let covered = present.iter().filter(|here| **here).count() / per_hour;
        let needed = (COVERAGE_MIN * f64::from(HOURS)).round() as u32;
        if covered < needed as usize {
            return Err(Error::file(file, Problem::TooShort { hours: covered as u32, needed }));
        }
        let mut series: [Vec<f64>; N] = std::array::from_fn(|n| {
            self.places.iter().map(|place| place.sums[n] / f64::from(place.rows.max(1))).collect()
        });
        let filled: Filled = fill(&present, &mut series, per_hour);
        report.filled = filled.values;
        report.remarks.extend(filled.remark(per_hour));
        if self.leap > 0 {
            report.remarks.push(format!("29 February left out ({})", counted(self.leap, "row")));
        }
        if self.doubles > 0 {
            let doubles = counted(self.doubles, "row");
            report.remarks.push(format!("{doubles} for a moment that another row has: the first is used"));
        }
        if self.beyond > 0 {
            let beyond = counted(self.beyond, "row");
            report
                .remarks
                .push(format!("{beyond} beyond the first year left out: the first value of each hour is used"));
        }
        let interval = Span::from_hours(1.0 / per_hour as f64);
        Ok(series.map(|values| Series { interval, values }))
    }
}
