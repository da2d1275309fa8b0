//! Tables whose rows carry a time: open, find the time column, read, and lay on the year.

use crate::clock::{Clock, Row, interval, settle};
use crate::error::{Error, Problem};
use crate::report::CUT;
use crate::table::{self, Column, Table, Wanted};
use crate::time::{self, HOUR, MINUTE};
use crate::year::Year;
use model::location::Location;
use model::scenario::{InputReport, Series};

/// Names of time columns. Those in UTC are wanted most, as they leave no doubt.
pub(crate) const TIME: Wanted = Wanted {
    what: "time",
    names: &[
        "datetime_utc",
        "timestamp_utc",
        "time_utc",
        "date_utc",
        "utc_timestamp",
        "utc",
        "interval_start_utc",
        "timestamp",
        "time",
        "datetime",
        "date_time",
        "date",
        "time_local",
        "datetime_local",
        "timestamp_local",
        "local_time",
        "interval_start",
        "interval_start_local",
        "hour",
    ],
};

/// How long one value of the result holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Steps {
    /// As the file has it.
    Own,
    /// An hour, averaged where the file has more.
    Hours,
}

/// Reads a table of `N` values a row onto the year.
///
/// Naive times are in UTC if the column's name says so, or `zone` milliseconds ahead of it if the file says so, or else
/// on the wall clock of the site.
pub(crate) fn read<const N: usize>(
    table: Table<'_>,
    file: &str,
    zone: Option<i64>,
    site: &Location,
    steps: Steps,
    report: &mut InputReport,
    mut values: impl FnMut(&table::Row<'_>) -> Result<Option<[f64; N]>, Error>,
) -> Result<[Series; N], Error> {
    let column = table.require(&TIME)?;
    let zone = if column.key.split('_').any(|word| word == "utc" || word == "gmt") { Some(0) } else { zone };
    let mut rows: Vec<Row<N>> = Vec::new();
    let mut offsets: Option<bool> = None;
    let cut = table.each(|row| {
        let stamp = stamp(row, &column, &mut offsets)?;
        let at = stamp.civil - stamp.offset.or(zone).unwrap_or(0);
        rows.push(Row { at, values: values(row)? });
        note_ends(row.text(&column)?, report);
        Ok(())
    })?;
    report.rows = rows.len() as u32;
    if cut {
        report.remarks.push(CUT.to_owned());
    }
    if let [first, .., last] = rows[..]
        && first.at > last.at
    {
        std::mem::swap(&mut report.first, &mut report.last);
    }
    let clock = if zone.is_some() || offsets == Some(true) { Clock::Utc } else { Clock::Wall };
    let offset = (site.utc_offset_h * HOUR as f64).round() as i64;
    settle(file, &mut rows, clock, offset, &mut report.remarks)?;
    let own = interval(file, &rows)?;
    let width = match steps {
        Steps::Own => own,
        Steps::Hours => HOUR,
    };
    remark_steps(own, width, &rows, report);
    let mut year = Year::new(width);
    year.lay(&rows);
    year.finish(file, report)
}

/// The time of a row; all rows must have an offset or none.
fn stamp(row: &table::Row<'_>, column: &Column, offsets: &mut Option<bool>) -> Result<time::Stamp, Error> {
    let stamp = time::parse(row.text(column)?).ok_or_else(|| row.refuse(column, Problem::NotATime))?;
    let has = stamp.offset.is_some();
    if *offsets.get_or_insert(has) == has { Ok(stamp) } else { Err(row.refuse(column, Problem::MixedTimes)) }
}

/// Keeps the first and the latest text as the report's ends.
pub(crate) fn note_ends(text: &str, report: &mut InputReport) {
    if report.first.is_empty() {
        text.clone_into(&mut report.first);
    }
    text.clone_into(&mut report.last);
}

fn remark_steps<const N: usize>(own: i64, width: i64, rows: &[Row<N>], report: &mut InputReport) {
    if own != width {
        report.remarks.push(format!("rows {} min apart: averaged to hours", own / MINUTE));
    }
    let between = rows.first().map_or(0, |row| row.at.rem_euclid(own));
    if between != 0 {
        let minutes = between / MINUTE;
        report
            .remarks
            .push(format!("rows stand {minutes} min into an interval of the site's clock: taken as all of it"));
    }
}
