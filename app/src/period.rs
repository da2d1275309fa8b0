//! Times as addresses have them: a day, a month, a moment, a stretch until now. All in UTC.

use crate::format;
use std::fmt;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// A day or a month of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Counted from 1970-01-01.
    Day(i64),
    /// A year, and a month of it from 1.
    Month(i64, i64),
}

impl Period {
    /// Reads `2026-11-27`, `2026-11`, `today`, `yesterday`, `this-month`, `last-month`.
    pub fn read(text: &str, now_ms: i64) -> Option<Self> {
        let today = now_ms.div_euclid(DAY_MS);
        let (year, month, _) = format::civil(today);
        match text {
            "today" => Some(Self::Day(today)),
            "yesterday" => Some(Self::Day(today - 1)),
            "this-month" => Some(Self::Month(year, month)),
            "last-month" => Some(Self::Month(year, month).previous()),
            _ if text.len() == 7 => {
                let (year, month) = text.split_once('-')?;
                let (year, month) = (whole(year)?, whole(month)?);
                (year >= 1970 && (1..=12).contains(&month)).then_some(Self::Month(year, month))
            }
            _ => day(text).map(Self::Day),
        }
    }

    /// The one before.
    pub fn previous(self) -> Self {
        match self {
            Self::Day(day) => Self::Day(day - 1),
            Self::Month(year, 1) => Self::Month(year - 1, 12),
            Self::Month(year, month) => Self::Month(year, month - 1),
        }
    }

    /// The one after.
    pub fn next(self) -> Self {
        match self {
            Self::Day(day) => Self::Day(day + 1),
            Self::Month(year, 12) => Self::Month(year + 1, 1),
            Self::Month(year, month) => Self::Month(year, month + 1),
        }
    }

    /// When it begins, milliseconds since 1970 UTC.
    pub fn start_ms(self) -> i64 {
        match self {
            Self::Day(day) => day * DAY_MS,
            Self::Month(year, month) => days(year, month, 1) * DAY_MS,
        }
    }

    /// Before a person: `27 November 2026`, `November 2026`.
    pub fn words(self) -> String {
        match self {
            Self::Day(_) => format::day(self.start_ms()),
            Self::Month(year, month) => format!("{} {year}", format::month(month as u32)),
        }
    }

    /// What the one before is called: `the day before`.
    pub fn before(self) -> &'static str {
        match self {
            Self::Day(_) => "the day before",
            Self::Month(..) => "the month before",
        }
    }

    /// The same at the beginning of a line.
    pub fn before_words(self) -> &'static str {
        match self {
            Self::Day(_) => "The day before",
            Self::Month(..) => "The month before",
        }
    }

    /// The month that a day is of.
    pub fn month(self) -> Option<Self> {
        match self {
            Self::Day(day) => {
                let (year, month, _) = format::civil(day);
                Some(Self::Month(year, month))
            }
            Self::Month(..) => None,
        }
    }

    /// What a row of its report is: `hour`, `day`.
    pub fn part(self) -> &'static str {
        match self {
            Self::Day(_) => "hour",
            Self::Month(..) => "day",
        }
    }

    /// When a row of its report begins, as its table has it: `14:00`, `27 November 2026`.
    pub fn part_words(self, start_ms: i64) -> String {
        match self {
            Self::Day(_) => format::hour(start_ms),
            Self::Month(..) => format::day(start_ms),
        }
    }

    /// The same under a bar, where there is little room: `14`, `27`.
    pub fn part_short(self, start_ms: i64) -> String {
        match self {
            Self::Day(_) => start_ms.div_euclid(3_600_000).rem_euclid(24).to_string(),
            Self::Month(..) => format::civil(start_ms.div_euclid(DAY_MS)).2.to_string(),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Day(day) => {
                let (year, month, day) = format::civil(day);
                write!(f, "{year:04}-{month:02}-{day:02}")
            }
            Self::Month(year, month) => write!(f, "{year:04}-{month:02}"),
        }
    }
}

/// Reads a moment: `2026-11-27`, `2026-11-27T14:05` or with seconds, or milliseconds since 1970 UTC.
pub fn moment(text: &str) -> Option<i64> {
    if text.len() > 10 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let mut parts = time.trim_end_matches('Z').split(':');
    let (hour, minute) = (whole(parts.next()?)?, whole(parts.next()?)?);
    let second = parts.next().map_or(Some(0), whole)?;
    let fits = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    (fits && parts.next().is_none()).then_some(day(date)? * DAY_MS + (hour * 60 + minute) * MINUTE_MS + second * 1000)
}

/// A moment as a field of a form has it: `2026-11-27T14:05`.
pub fn field(at_ms: i64) -> String {
    let minute = at_ms.div_euclid(MINUTE_MS).rem_euclid(1440);
    format!("{}T{:02}:{:02}", Period::Day(at_ms.div_euclid(DAY_MS)), minute / 60, minute % 60)
}

/// Reads a length of time: `15m`, `24h`, `7d`; milliseconds.
pub fn length(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "m" => MINUTE_MS,
        "h" => 60 * MINUTE_MS,
        "d" => DAY_MS,
        _ => return None,
    };
    whole(number).filter(|number| (1..=10_000).contains(number)).map(|number| number * unit)
}

fn whole(text: &str) -> Option<i64> {
    (!text.is_empty() && text.len() < 8 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// The day that `2026-11-27` names; none where there is no such day.
fn day(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let (year, month, number) = (whole(parts.next()?)?, whole(parts.next()?)?, whole(parts.next()?)?);
    let day = (parts.next().is_none() && (1970..10_000).contains(&year) && (1..=12).contains(&month))
        .then(|| days(year, month, number))?;
    (format::civil(day) == (year, month, number)).then_some(day)
}

/// Days from 1970-01-01 in the Gregorian calendar (days_from_civil, H. Hinnant, "chrono-compatible low-level date
/// algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_442_712_345; // 23 Nov 2026, 14:05:12

    #[test]
    fn a_period_is_read_and_written() {
        let read = |text: &str| Period::read(text, NOW).map(|period| period.to_string());
        let same = ["2026-11-27", "2026-02-28", "2024-02-29", "2026-11"];
        assert!(same.iter().all(|text| read(text).as_deref() == Some(text)));
        assert_eq!(read("today").as_deref(), Some("2026-11-23"));
        assert_eq!(read("yesterday").as_deref(), Some("2026-11-22"));
        assert_eq!(read("this-month").as_deref(), Some("2026-11"));
        assert_eq!(read("last-month").as_deref(), Some("2026-10"));
        for bad in ["", "2026", "2026-13", "2026-02-30", "2026-11-27-1", "26-11-27", "tomorrow", "-1", "2026-1-"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        let january = Period::read("2026-01", NOW).unwrap();
        assert_eq!((january.previous().to_string(), january.next().to_string()), ("2025-12".into(), "2026-02".into()));
        let last = Period::read("2026-12-31", NOW).unwrap();
        assert_eq!(last.next().to_string(), "2027-01-01");
        assert_eq!(last.words(), "31 December 2026");
        assert_eq!(january.words(), "January 2026");
    }

    #[test]
    fn a_moment_is_read_and_written() {
        assert_eq!(moment("2026-11-23T14:05:12"), Some(NOW - 345));
        assert_eq!(moment("2026-11-23T14:05"), Some(NOW - 12_345));
        assert_eq!(moment("1795442712345"), Some(NOW));
        assert_eq!(field(NOW), "2026-11-23T14:05");
        assert_eq!(moment("1970-01-01"), Some(0));
        for bad in ["", "now", "2026-11-23T25:00", "2026-11-23T14", "2026-11-23T14:05:12:1"] {
            assert_eq!(moment(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_length_is_read() {
        assert_eq!((length("15m"), length("24h"), length("7d")), (Some(900_000), Some(86_400_000), Some(604_800_000)));
        for bad in ["", "h", "0h", "-1h", "1y", "99999999d", "1é"] {
            assert_eq!(length(bad), None, "{bad}");
        }
    }
}
