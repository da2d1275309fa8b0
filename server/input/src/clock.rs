//! Rows are put on the site's clock and in order.

use crate::error::{Error, Problem};
use crate::report::counted;
use crate::time::{HOUR, MINUTE, moment};
use crate::{DISORDER_MAX, DUPLICATES_MAX};

/// Values that hold from a moment on; none where the file has a row without them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row<const N: usize> {
    /// Milliseconds since 1970 on the clock in question.
    pub(crate) at: i64,
    pub(crate) values: Option<[f64; N]>,
}

/// The clock that rows are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// UTC.
    Utc,
    /// Whatever hung on the wall.
    Wall,
}

/// Puts rows on the site's standard time, `offset` milliseconds ahead of UTC, in order and without doubles.
pub(crate) fn settle<const N: usize>(
    file: &str,
    rows: &mut Vec<Row<N>>,
    clock: Clock,
    offset: i64,
    remarks: &mut Vec<String>,
) -> Result<(), Error> {
    if let [first, .., last] = rows[..]
        && first.at > last.at
    {
        rows.reverse();
        remarks.push("rows run from late to early: turned round".to_owned());
    }
    match clock {
        Clock::Utc => rows.iter_mut().for_each(|row| row.at += offset),
        Clock::Wall => remarks.push(undo_daylight_saving(rows)),
    }
    sort(file, rows, remarks)?;
    drop_doubles(file, rows, remarks)
}

/// Usual distance of rows in time, milliseconds; an hour where there is but one row.
///
/// An error unless most rows are a whole fraction of an hour apart, in minutes.
pub(crate) fn interval<const N: usize>(file: &str, rows: &[Row<N>]) -> Result<i64, Error> {
    let mut counts = [0_u32; 61]; // rows by minutes to the next
    let (mut others, mut other) = (0_u32, 0);
    for pair in rows.windows(2) {
        let apart = pair[1].at - pair[0].at;
        let minutes = apart / MINUTE;
        if apart % MINUTE == 0 && (1..=60).contains(&minutes) && 60 % minutes == 0 {
            counts[minutes as usize] += 1;
        } else {
            others += 1;
            other = apart;
        }
    }
    let (minutes, count) = (0..).zip(counts).max_by_key(|(_, count)| *count).unwrap_or((60, 0));
    if others > count {
        return Err(Error::file(file, Problem::Interval { seconds: other / crate::time::SECOND }));
    }
    Ok(if count == 0 { HOUR } else { minutes * MINUTE })
}

/// A change of the wall clock, just before a row.
struct Change {
    row: usize,
    /// Daylight saving begins; else it ends.
    begins: bool,
}

/// Turns wall-clock time into standard time where the rows show daylight saving: an hour is missing where it begins and
/// comes twice where it ends. Says what was found.
fn undo_daylight_saving<const N: usize>(rows: &mut [Row<N>]) -> String {
    let changes = changes(rows);
    let alternate = changes.windows(2).all(|pair| pair[0].begins != pair[1].begins);
    let Some(first) = changes.first().filter(|_| changes.len() >= 2 && alternate) else {
        return match changes.first() {
            Some(_) => {
                "times have no offset: taken as the site's standard time; an hour is missing or doubled as where \
                        daylight saving begins or ends, but its other end does not show"
                    .to_owned()
            }
            None => "times have no offset and show no daylight saving: taken as the site's standard time".to_owned(),
        };
    };
    let words = |change: &Change| {
        let moment = rows.get(change.row).and_then(|row| moment(row.at));
        moment.map_or(String::new(), |m| format!("{:02}-{:02}", m.month, m.day))
    };
    let days: Vec<String> = changes.iter().take(2).map(words).collect();
    let remark = format!("times have no offset and show daylight saving, changing on {}: undone", days.join(" and "));
    let mut saving = !first.begins;
    let mut next = changes.iter().peekable();
    for (index, row) in rows.iter_mut().enumerate() {
        if let Some(change) = next.next_if(|change| change.row == index) {
            saving = change.begins;
        }
        if saving {
            row.at -= HOUR;
        }
    }
    remark
}

/// Where the wall clock seems to have been changed: at night, by one hour, at least 90 days apart.
fn changes<const N: usize>(rows: &[Row<N>]) -> Vec<Change> {
    const APART: i64 = 90 * 24 * HOUR;
    const NIGHT: i64 = 6 * HOUR; // from 23:00 on; no country changes its clocks by day
    let Ok(step) = interval("", rows) else { return Vec::new() };
    let mut found: Vec<Change> = Vec::new();
    for (index, pair) in rows.windows(2).enumerate() {
        let apart = pair[1].at - pair[0].at;
        let begins = apart == step + HOUR;
        if !begins && apart != step - HOUR || (pair[1].at + HOUR).rem_euclid(24 * HOUR) > NIGHT {
            continue;
        }
        let far = found.last().is_none_or(|last| pair[1].at - rows[last.row].at > APART);
        if far {
            found.push(Change { row: index + 1, begins });
        }
    }
    found
}

/// Sorts rows by time, if not too many are out of order.
fn sort<const N: usize>(file: &str, rows: &mut [Row<N>], remarks: &mut Vec<String>) -> Result<(), Error> {
    let mut latest = i64::MIN;
    let mut early = 0_u32;
    for row in rows.iter() {
        early += u32::from(row.at < latest);
        latest = latest.max(row.at);
    }
    if early == 0 {
        return Ok(());
    }
    let of = rows.len() as u32;
    if f64::from(early) > DISORDER_MAX * f64::from(of) {
        return Err(Error::file(file, Problem::Disorder { rows: early, of }));
    }
    rows.sort_by_key(|row| row.at);
    remarks.push(format!("{} out of order in time: sorted", counted(early, "row")));
    Ok(())
}

/// Leaves out rows with the moment of the row before, if there are not too many.
fn drop_doubles<const N: usize>(file: &str, rows: &mut Vec<Row<N>>, remarks: &mut Vec<String>) -> Result<(), Error> {
    let of = rows.len() as u32;
    let mut differ = 0_u32;
    rows.dedup_by(|later, kept| {
        if later.at != kept.at {
            return false;
        }
        if kept.values.is_none() {
            kept.values = later.values;
        } else if later.values.is_some() && later.values != kept.values {
            differ += 1;
        }
        true
    });
    let doubles = of - rows.len() as u32;
    if doubles == 0 {
        return Ok(());
    }
    if doubles > 2 && f64::from(doubles) > DUPLICATES_MAX * f64::from(of) {
        return Err(Error::file(file, Problem::Duplicates { rows: doubles, of }));
    }
    let doubles = counted(doubles, "row");
    remarks.push(format!("{doubles} for a moment that another row has, {differ} of other value: the first is used"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{DAY, parse};

    fn at(text: &str) -> i64 {
        parse(text).unwrap().civil
    }

    /// Rows on a wall clock through 2023: daylight saving between the two given moments of standard time.
    fn wall(from: &str, until: &str, step: i64) -> Vec<Row<1>> {
        let (from, until, start) = (at(from), at(until), at("2023-01-01T00:00"));
        let saving = |t: i64| if from < until { (from..until).contains(&t) } else { !(until..from).contains(&t) };
        (0..365 * DAY / step)
            .map(|i| start + i * step)
            .map(|t| Row { at: t + if saving(t) { HOUR } else { 0 }, values: Some([t as f64]) })
            .collect()
    }

    /// After settling, every row stands where its value says.
    fn check(mut rows: Vec<Row<1>>, remark: &str) {
        let mut remarks = Vec::new();
        settle("f", &mut rows, Clock::Wall, 0, &mut remarks).unwrap();
        assert!(remarks.iter().any(|r| r.contains(remark)), "{remarks:?}");
        for row in &rows {
            assert_eq!(row.values, Some([row.at as f64]));
        }
    }

    #[test]
    fn daylight_saving_is_undone_in_the_north_and_the_south() {
        for step in [HOUR, HOUR / 4, HOUR / 12] {
            check(wall("2023-03-12T02:00", "2023-11-05T01:00", step), "03-12 and 11-05: undone");
            check(wall("2023-10-01T02:00", "2023-04-02T02:00", step), "04-02 and 10-01: undone");
        }
        let mut backwards = wall("2023-03-12T02:00", "2023-11-05T01:00", HOUR);
        backwards.reverse();
        check(backwards, "undone");
    }

    #[test]
    fn a_clock_without_changes_is_standard_time() {
        check(wall("2024-03-12T02:00", "2024-11-05T01:00", HOUR), "no daylight saving");
    }

    #[test]
    fn half_of_daylight_saving_changes_nothing() {
        let mut rows = wall("2024-03-12T02:00", "2024-11-05T01:00", HOUR);
        rows.remove(70 * 24 + 2); // a plain gap of one hour on 12 March
        check(rows, "its other end does not show");
    }

    #[test]
    fn intervals_are_those_of_most_rows() {
        let rows = |minutes: &[i64]| -> Vec<Row<1>> {
            let mut at = 0;
            minutes
                .iter()
                .map(|m| {
                    at += m * MINUTE;
                    Row { at, values: None }
                })
                .collect()
        };
        assert_eq!(interval("f", &rows(&[0, 5, 5, 5, 60])).unwrap(), 5 * MINUTE);
        assert_eq!(interval("f", &rows(&[0])).unwrap(), HOUR);
        let error = interval("f", &rows(&[0, 180, 180, 60])).unwrap_err().to_string();
        assert_eq!(error, "f has rows 10800 s apart; an hour or a whole fraction of one, in minutes, is needed");
    }
}
