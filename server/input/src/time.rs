//! Moments as files write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Milliseconds of a second.
pub(crate) const SECOND: i64 = 1_000;
/// Milliseconds of a minute.
pub(crate) const MINUTE: i64 = 60 * SECOND;
/// Milliseconds of an hour.
pub(crate) const HOUR: i64 = 60 * MINUTE;
/// Milliseconds of a day.
pub(crate) const DAY: i64 = 24 * HOUR;

/// A moment: what a clock on the wall shows, and how far that clock is ahead of UTC where the file says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Milliseconds of the clock's own time since 1970-01-01T00:00 on it.
    pub(crate) civil: i64,
    /// Milliseconds ahead of UTC.
    pub(crate) offset: Option<i64>,
}

/// A month, day and time of day, the year left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// From 1.
    pub(crate) month: u32,
    /// From 1.
    pub(crate) day: u32,
    /// Milliseconds since midnight.
    pub(crate) time: i64,
}

/// `2024-01-31T13:00`, with a space for the T, with seconds and fractions, with `Z` or an offset, between 1900 and 2200.
pub(crate) fn parse(text: &str) -> Option<Stamp> {
    let (civil, offset) = split_offset(text.trim())?;
    let civil: DateTime = civil.parse().ok()?;
    if !(1900..=2200).contains(&civil.year()) {
        return None;
    }
    let civil = Offset::UTC.to_timestamp(civil).ok()?.as_millisecond();
    Some(Stamp { civil, offset })
}

/// The civil part, and the offset behind it in milliseconds.
fn split_offset(text: &str) -> Option<(&str, Option<i64>)> {
    const DATE_CHARS: usize = 10; // the hyphens in here are not signs
    if let Some(civil) = text.strip_suffix(['Z', 'z']) {
        return Some((civil, Some(0)));
    }
    if let Some(civil) = text.strip_suffix("UTC").or_else(|| text.strip_suffix("GMT")) {
        return Some((civil.trim_end(), Some(0)));
    }
    let Some(sign) = text.bytes().skip(DATE_CHARS).position(|b| b == b'+' || b == b'-').map(|i| i + DATE_CHARS) else {
        return Some((text, None));
    };
    let digits: Vec<i64> =
        text[sign + 1..].chars().filter(|c| *c != ':').map(|c| c.to_digit(10).map(i64::from)).collect::<Option<_>>()?;
    let (hours, minutes) = match digits[..] {
        [h1, h2] => (10 * h1 + h2, 0),
        [h1, h2, m1, m2] | [h1, h2, m1, m2, 0, 0] => (10 * h1 + h2, 10 * m1 + m2),
        _ => return None,
    };
    if hours > 18 || minutes > 59 {
        return None;
    }
    let offset = hours * HOUR + minutes * MINUTE;
    let negative = text.as_bytes().get(sign) == Some(&b'-');
    Some((text[..sign].trim_end(), Some(if negative { -offset } else { offset })))
}

/// Month, day and time of a moment on a clock.
pub(crate) fn moment(civil: i64) -> Option<Moment> {
    let date = Offset::UTC.to_datetime(Timestamp::from_millisecond(civil).ok()?).date();
    let month = u32::try_from(date.month()).ok()?;
    Some(Moment { month, day: u32::try_from(date.day()).ok()?, time: civil.rem_euclid(DAY) })
}

/// Day of the week of a moment on a clock, Monday being 0.
pub(crate) fn weekday(civil: i64) -> i64 {
    const FIRST: i64 = 3; // 1 January 1970 was a Thursday
    (civil.div_euclid(DAY) + FIRST).rem_euclid(7)
}

/// A day and an hour of the simulated year in words: `3 March 02:00`.
pub(crate) fn words(slot: usize, per_hour: usize) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let day = (slot / (24 * per_hour)) as u32;
    let month = model::scenario::month_of_day(day);
    let minutes = slot % (24 * per_hour) * 60 / per_hour;
    let of_month = day - model::scenario::MONTH_STARTS[month] + 1;
    format!("{of_month} {} {:02}:{:02}", MONTHS[month], minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, civil: &str, offset: Option<i64>) {
        let stamp = parse(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!((Some(stamp.civil), stamp.offset), (parse(civil).map(|s| s.civil), offset), "{text}");
    }

    #[test]
    fn moments_are_read_as_files_write_them() {
        check("2024-01-31T13:00", "2024-01-31T13:00:00", None);
        check("2024-01-31 13:00:00+00:00", "2024-01-31T13:00:00", Some(0));
        check("2024-01-31T13:00:00Z", "2024-01-31T13:00:00", Some(0));
        check("2024-01-31 13:00 UTC", "2024-01-31T13:00:00", Some(0));
        check("2023-12-31 16:00:00-08:00", "2023-12-31T16:00", Some(-8 * HOUR));
        check("2023-12-31T16:00+0530", "2023-12-31T16:00", Some(5 * HOUR + 30 * MINUTE));
        check("2023-11-16 18:17:03.9799600", "2023-11-16T18:17:03.979", None);
        for bad in ["", "x", "2024-13-01T00:00", "2023-02-29T00:00", "0001-01-01T00:00", "2024-01-01T00:00+99:00", "é"]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn weekdays_begin_with_monday() {
        let day = |text: &str| weekday(parse(text).unwrap().civil);
        assert_eq!([day("2024-01-01T00:00"), day("2024-01-07T23:59"), day("1969-12-29T00:00")], [0, 6, 0]);
    }

    #[test]
    fn places_in_the_year_have_words() {
        assert_eq!(words(0, 1), "1 January 00:00");
        assert_eq!(words((59 * 24 + 2) * 4 + 1, 4), "1 March 02:15");
    }
}
