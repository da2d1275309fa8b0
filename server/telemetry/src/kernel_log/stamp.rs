//! The times at the head of a line, in the many spellings of dmesg, syslog and the journal.

/// A line's time as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp {
    /// Milliseconds since the host started.
    SinceBoot(i64),
    /// Milliseconds since the line before.
    SinceLast(i64),
    /// Milliseconds since 1970, UTC.
    Utc(i64),
    /// The same, in the host's local time.
    Local(i64),
    /// A day of an unnamed year, in the host's local time.
    Yearless { month: u32, day: u32, ms_of_day: i64 },
}

/// The time in a line's head. A time of the world goes before one since boot: the file may hold more than one boot.
pub(super) fn stamp(head: &str) -> Option<Stamp> {
    let head = head.trim();
    let record = head.strip_suffix(';').and_then(kmsg);
    record.or_else(|| world(head)).or_else(|| brackets(head).find_map(since))
}

/// `6,1234,5678901,-` of /dev/kmsg: priority, sequence, microseconds since boot, flags.
fn kmsg(head: &str) -> Option<Stamp> {
    let mut fields = head.split(',');
    let (_, _) = (fields.next()?.parse::<u32>().ok()?, fields.next()?.parse::<u64>().ok()?);
    Some(Stamp::SinceBoot(fields.next()?.parse::<i64>().ok().filter(|at| *at >= 0)? / 1_000))
}

/// The sequence number of a record of /dev/kmsg.
pub(super) fn sequence(line: &[u8]) -> Option<u64> {
    let head = line.split(|byte| *byte == b';').next()?;
    let head = std::str::from_utf8(head.get(..64).unwrap_or(head)).ok()?;
    kmsg(head)?;
    head.split(',').nth(1)?.parse().ok()
}

fn brackets(head: &str) -> impl Iterator<Item = &str> {
    head.split('[').skip(1).filter_map(|part| Some(part.split_once(']')?.0.trim()))
}

/// `12345.678901` since boot, or `+0.000005` since the line before.
fn since(text: &str) -> Option<Stamp> {
    let (plus, digits) = text.strip_prefix('+').map_or((false, text), |rest| (true, rest));
    let (seconds, fraction) = digits.split_once('.')?;
    let ms = number(seconds)?.checked_mul(1_000)?.checked_add(thousandths(fraction)?)?;
    Some(if plus { Stamp::SinceLast(ms) } else { Stamp::SinceBoot(ms) })
}

/// A time of the world anywhere among the first words.
fn world(head: &str) -> Option<Stamp> {
    let words: Vec<&str> = head
        .split(|c: char| c.is_whitespace() || "[]<>".contains(c))
        .filter(|word| !word.is_empty())
        .take(16)
        .collect();
    (0..words.len()).find_map(|at| {
        let rest = &words[at..];
        iso(rest).or_else(|| spelled(rest))
    })
}

/// `2025-02-23T16:24:18.123456+00:00`, `…+0000`, `…Z`, `…,123456+00:00`, or `2025-02-23 16:24:18` in two words.
fn iso(words: &[&str]) -> Option<Stamp> {
    let first = *words.first()?;
    let (date, mut time) = first.split_once('T').or_else(|| Some((first, *words.get(1)?)))?;
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?);
    let day_ms = civil(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)?;
    let mut offset = None;
    if let Some(utc) = time.strip_suffix('Z') {
        (time, offset) = (utc, Some(0));
    } else if let Some(at) = time.rfind(['+', '-']) {
        let zone: String = time[at + 1..].chars().filter(|c| *c != ':').collect();
        let (hours, minutes) = (number(zone.get(..2)?)?, if zone.len() == 4 { number(&zone[2..])? } else { 0 });
        let ahead = (hours * 60 + minutes) * 60_000;
        offset = Some(if time[at..].starts_with('-') { -ahead } else { ahead });
        time = &time[..at];
    }
    let at = day_ms.checked_add(of_day(time)?)?;
    Some(offset.map_or(Stamp::Local(at), |ahead| Stamp::Utc(at - ahead)))
}

/// `Sun Feb 23 16:24:18 2025`, `Feb 27 2025 15:10:02`, `Feb 23 16:24:18`, `Feb23 16:24`.
fn spelled(words: &[&str]) -> Option<Stamp> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let first = words.first()?;
    let (name, stuck) = first.split_at_checked(3)?;
    let month = u32::try_from(MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?).ok()? + 1;
    let (day, rest) = if stuck.is_empty() { (*words.get(1)?, words.get(2..)?) } else { (stuck, words.get(1..)?) };
    let day = u32::try_from(number(day)?).ok()?;
    let second = *rest.first()?;
    if let Some(ms_of_day) = of_day(second) {
        let year = rest.get(1).filter(|word| word.len() == 4).and_then(|word| number(word));
        return match year {
            Some(year) => Some(Stamp::Local(civil(year, month, day)?.checked_add(ms_of_day)?)),
            None => civil(2_024, month, day).map(|_| Stamp::Yearless { month, day, ms_of_day }),
        };
    }
    Some(Stamp::Local(civil(number(second)?, month, day)?.checked_add(of_day(rest.get(1)?)?)?))
}

/// `16:24`, `16:24:18`, `16:24:18.123456`, as milliseconds of the day.
fn of_day(time: &str) -> Option<i64> {
    let mut parts = time.trim_end_matches(',').splitn(3, ':');
    let (hour, minute, second) = (number(parts.next()?)?, number(parts.next()?)?, parts.next().unwrap_or("0"));
    let (second, fraction) = second.split_once(['.', ',']).unwrap_or((second, "0"));
    let second = number(second)?;
    (hour < 24 && minute < 60 && second <= 60)
        .then_some(((hour * 60 + minute) * 60 + second) * 1_000)?
        .checked_add(thousandths(fraction)?)
}

fn number(text: &str) -> Option<i64> {
    ((1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// The first three digits of a fraction.
fn thousandths(fraction: &str) -> Option<i64> {
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit()).then_some(fraction)?;
    number(&format!("{digits:0<3}")[..3])
}

/// Milliseconds from 1970 to the beginning of a day, in the calendar of our time. `None` where there is no such day.
pub(super) fn civil(year: i64, month: u32, day: u32) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1970..=9999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    // Years begin in March, so that a leap day is a year's last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + i64::from((153 * month + 2) / 5 + day) - 719_469;
    Some(days * 86_400_000)
}

/// The year of a time.
pub(super) fn year_of(at_ms: i64) -> i64 {
    let guess = (1970 + at_ms.div_euclid(31_556_952_000)).clamp(1970, 9998);
    [guess + 1, guess, guess - 1]
        .into_iter()
        .find(|year| civil(*year, 1, 1).is_some_and(|start| start <= at_ms))
        .unwrap_or(1970)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        let day = |year, month, day| civil(year, month, day).map(|ms| ms / 86_400_000);
        assert_eq!((day(1970, 1, 1), day(2000, 2, 29), day(2025, 2, 23)), (Some(0), Some(11_016), Some(20_142)));
        assert_eq!((day(2023, 2, 29), day(2024, 13, 1), day(2024, 4, 31), day(1900, 1, 1)), (None, None, None, None));
        let mut expected = 0;
        for year in 1970..2200 {
            for month in 1..=12 {
                for at in 1..=31 {
                    if let Some(days) = day(year, month, at) {
                        assert_eq!(days, expected, "{year}-{month}-{at}");
                        assert_eq!(year_of(days * 86_400_000), year);
                        expected += 1;
                    }
                }
            }
        }
    }

    #[test]
    fn every_spelling_of_a_time_is_read() {
        let day = civil(2025, 2, 23).unwrap();
        let at = day + (16 * 3_600 + 24 * 60 + 18) * 1_000;
        for (head, expected) in [
            ("6,4010,57631398464,-;", Stamp::SinceBoot(57_631_398)),
            ("6,1,5,c,caller=T1;", Stamp::SinceBoot(0)),
            ("[16450076.435595]", Stamp::SinceBoot(16_450_076_435)),
            ("<6>[    0.500000][ T1234] ", Stamp::SinceBoot(500)),
            ("[  +0.000005]", Stamp::SinceLast(0)),
            ("kern  :info  : [  12.250000]", Stamp::SinceBoot(12_250)),
            ("[Sun Feb 23 16:24:18 2025]", Stamp::Local(at)),
            ("[Feb 23 2025 16:24:18] [ERROR] [tid 12727]", Stamp::Local(at)),
            ("2025-02-23T16:24:18,123456+00:00", Stamp::Utc(at + 123)),
            ("2025-02-23T17:24:18+0100 node7 kernel:", Stamp::Utc(at)),
            ("2025-02-23T11:54:18.5-04:30 node7 kernel: [680111.646286]", Stamp::Utc(at + 500)),
            ("<6>1 2025-02-23T16:24:18Z node7 kernel - - -", Stamp::Utc(at)),
            ("2025-02-23 16:24:18 node7 kernel:", Stamp::Local(at)),
            ("[2025-02-23T16:24:18.513286+00:00]", Stamp::Utc(at + 513)),
        ] {
            assert_eq!(stamp(head), Some(expected), "{head}");
        }
        let yearless = Stamp::Yearless { month: 2, day: 23, ms_of_day: at - day };
        for head in [
            "Feb 23 16:24:18 node7 kernel: [680111.646286]",
            "Error: Feb 23 16:24:18 node7 kernel:",
            "Feb 23 16:24:18.000 x",
        ] {
            assert_eq!(stamp(head), Some(yearless), "{head}");
        }
        assert_eq!(stamp("[Feb23 16:24]"), Some(Stamp::Yearless { month: 2, day: 23, ms_of_day: at - day - 18_000 }));
        for head in ["", "kernel:", "[T12]", "Feb 30 16:24:18", "99:99:99", "[999999999999999999999.1]", "6,1,-5,-;"] {
            assert_eq!(stamp(head), None, "{head}");
        }
    }
}
