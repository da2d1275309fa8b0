//! Which time charts show: a stretch that ends now, or one between two moments; by which clock it is told; whether the
//! stretch before is laid over it. All of it stands in the address.

use crate::format::{self, Told};
use crate::period;
use std::fmt;

/// A second, in milliseconds.
const SECOND: i64 = 1000;
/// The shortest stretch that is shown, milliseconds.
pub const SHORTEST_MS: i64 = 10 * SECOND;

/// A stretch of time that ends now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Last {
    /// 15 minutes.
    Minutes15,
    /// An hour.
    #[default]
    Hour,
    /// Six hours.
    Hours6,
    /// 24 hours.
    Day,
    /// Seven days.
    Week,
    /// 30 days.
    Month,
}

impl Last {
    /// The shortest first.
    pub const ALL: [Self; 6] = [Self::Minutes15, Self::Hour, Self::Hours6, Self::Day, Self::Week, Self::Month];

    /// As the address has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minutes15 => "15m",
            Self::Hour => "1h",
            Self::Hours6 => "6h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }
    /// On its button.
    pub fn words(self) -> &'static str {
        match self {
            Self::Minutes15 => "15 min",
            Self::Hour => "1 h",
            Self::Hours6 => "6 h",
            Self::Day => "24 h",
            Self::Week => "7 days",
            Self::Month => "30 days",
        }
    }
    /// How long it is.
    pub fn milliseconds(self) -> i64 {
        let minutes = match self {
            Self::Minutes15 => 15,
            Self::Hour => 60,
            Self::Hours6 => 360,
            Self::Day => 1440,
            Self::Week => 7 * 1440,
            Self::Month => 30 * 1440,
        };
        minutes * 60 * SECOND
    }
}

/// Which time is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// One that ends now.
    Last(Last),
    /// One between two moments, whole seconds, the first before the second.
    Between {
        /// Milliseconds since 1970 UTC.
        from_ms: i64,
        /// Likewise.
        to_ms: i64,
    },
}

impl Default for Range {
    fn default() -> Self {
        Self::Last(Last::default())
    }
}

impl Range {
    /// A stretch between two moments in either order; what is shorter than the shortest is widened about its middle.
    pub fn between(one_ms: i64, other_ms: i64) -> Self {
        let (from, to) = (one_ms.min(other_ms), one_ms.max(other_ms));
        let missing = (SHORTEST_MS - (to - from)).max(0);
        let whole = |ms: i64| ms.div_euclid(SECOND) * SECOND;
        let from_ms = whole(from - missing / 2);
        Self::Between { from_ms, to_ms: whole(to + missing / 2).max(from_ms + SHORTEST_MS) }
    }
    /// Its first and last moment, where it is `now_ms`.
    pub fn at(self, now_ms: i64) -> (i64, i64) {
        match self {
            Self::Last(last) => (now_ms - last.milliseconds(), now_ms),
            Self::Between { from_ms, to_ms } => (from_ms, to_ms),
        }
    }
    /// Whether it goes on with the clock.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Last(_))
    }
    /// The stretch of the same length just before, or just after.
    pub fn moved(self, now_ms: i64, stretches: i64) -> Self {
        let (from, to) = self.at(now_ms);
        let by = (to - from) * stretches;
        Self::between(from + by, to + by)
    }
    /// The part between two shares of it.
    pub fn part(self, now_ms: i64, from: f64, to: f64) -> Self {
        let (start, end) = self.at(now_ms);
        let at = |share: f64| start + ((end - start) as f64 * share.clamp(0.0, 1.0)) as i64;
        Self::between(at(from), at(to))
    }
    /// In words, by a clock: `the last 6 h`, `23 Nov 2026, 14:05:00 to …`.
    pub fn words(self, clock: Clock) -> String {
        match self {
            Self::Last(last) => format!("the last {}", last.words()),
            Self::Between { from_ms, to_ms } => format!(
                "{} to {} {}",
                format::clock_time((clock.shift)(from_ms), Told::All),
                format::clock_time((clock.shift)(to_ms), Told::All),
                clock.name
            ),
        }
    }
}

/// Whose clock times are told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Zone {
    /// Coordinated universal time, the same for everybody.
    #[default]
    Utc,
    /// The reader's own.
    Local,
}

/// A clock: its name, and what it shows at a moment, both in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// What stands after a time.
    pub name: &'static str,
    /// From UTC to what it shows.
    pub shift: fn(i64) -> i64,
}

/// The clock that is the same for everybody.
pub const UTC: Clock = Clock { name: "UTC", shift: std::convert::identity };

/// What the time picker chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct When {
    /// Which time.
    pub range: Range,
    /// By which clock.
    pub zone: Zone,
    /// What it is compared with.
    pub beside: Beside,
}

/// What a stretch of time is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Beside {
    /// Nothing.
    #[default]
    Nothing,
    /// The same stretch just before.
    Before,
}

impl When {
    /// Reads its parts of an address; what can't be read is as it would be without.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let moment = |name: &str| get(name).and_then(|text| period::moment(&text));
        let named = get("range").and_then(|name| Last::ALL.into_iter().find(|last| last.name() == name));
        let range = match (moment("from"), moment("to")) {
            (Some(from), Some(to)) if from < to => Range::between(from, to),
            _ => Range::Last(named.unwrap_or_default()),
        };
        let is = |name: &str, value: &str| get(name).as_deref() == Some(value);
        Self {
            range,
            zone: if is("clock", "local") { Zone::Local } else { Zone::Utc },
            beside: if is("beside", "before") { Beside::Before } else { Beside::Nothing },
        }
    }
}

impl fmt::Display for When {
    /// Its parts of an address; empty where it is as it would be without.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        match self.range {
            Range::Last(last) if last == Last::default() => {}
            Range::Last(last) => parts.push(format!("range={}", last.name())),
            Range::Between { from_ms, to_ms } => {
                parts.push(format!("from={}Z&to={}Z", format::timestamp(from_ms), format::timestamp(to_ms)));
            }
        }
        if self.zone == Zone::Local {
            parts.push("clock=local".into());
        }
        if self.beside == Beside::Before {
            parts.push("beside=before".into());
        }
        f.write_str(&parts.join("&"))
    }
}

/// The moment at which a clock shows so much. Where it shows that twice or never, as when it is put forward or back, one
/// near it.
pub fn unshifted(clock: Clock, shown_ms: i64) -> i64 {
    let guess = shown_ms - ((clock.shift)(shown_ms) - shown_ms);
    guess - ((clock.shift)(guess) - shown_ms)
}

/// Moments to mark an axis at, round by a clock, with their words; `room` of them at most.
pub fn marks(from_ms: i64, to_ms: i64, room: u32, clock: Clock) -> Vec<(i64, String)> {
    const STEPS_S: [i64; 17] =
        [5, 10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];
    let span = (to_ms - from_ms).max(SECOND);
    let fits = |step: &&i64| span / (**step * SECOND) <= i64::from(room.max(1));
    let step = STEPS_S.iter().find(fits).map_or(span, |step| step * SECOND);
    let told = match step / SECOND {
        ..60 => Told::Seconds,
        60..86_400 if span > 86_400 * SECOND => Told::DayAndMinutes,
        60..86_400 => Told::Minutes,
        _ => Told::Day,
    };
    // Round where the clock is read: a day begins at its midnight.
    let offset = (clock.shift)(from_ms) - from_ms;
    let first = (from_ms + offset).div_euclid(step) * step - offset;
    let all = (0..=i64::from(room.max(1)) + 2).map(|at| first + at * step);
    all.filter(|at| (from_ms..=to_ms).contains(at))
        .map(|at| (at, format::clock_time((clock.shift)(at), told)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(query: &str) -> When {
        When::read(|name| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        })
    }

    fn any_when() -> impl Strategy<Value = When> {
        let last = (0..Last::ALL.len()).prop_map(|at| Range::Last(Last::ALL[at]));
        let between = (1_i64..200_000_000_000, 0..100_000_000_000_i64)
            .prop_map(|(from, length)| Range::between(from * 10 + 10_000, from * 10 + 10_000 + length));
        let zone = prop_oneof![Just(Zone::Utc), Just(Zone::Local)];
        let beside = prop_oneof![Just(Beside::Nothing), Just(Beside::Before)];
        (prop_oneof![last, between], zone, beside).prop_map(|(range, zone, beside)| When { range, zone, beside })
    }

    proptest! {
        #[test]
        fn law_an_address_leads_back_to_the_time_that_it_was_made_of(when in any_when()) {
            prop_assert_eq!(read(&when.to_string()), when);
        }

        #[test]
        fn law_a_moment_is_read_as_it_was_written(seconds in 0_i64..250_000_000_000) {
            prop_assert_eq!(period::moment(&format::timestamp(seconds * 1000)), Some(seconds * 1000));
        }

        #[test]
        fn law_a_part_lies_within_its_whole(from in 0.0..1.0_f64, to in 0.0..1.0_f64) {
            let now = 1_795_442_700_000;
            let (start, end) = Range::Last(Last::Day).at(now);
            let (first, last) = Range::Last(Last::Day).part(now, from, to).at(now);
            prop_assert!(first >= start - SHORTEST_MS && last <= end + SHORTEST_MS && last - first >= SHORTEST_MS);
        }

        #[test]
        fn law_marks_are_few_and_within(from in 0_i64..2_000_000_000_000, span in 1_000_i64..4_000_000_000, room in 1_u32..12) {
            let found = marks(from, from + span, room, UTC);
            prop_assert!(found.len() <= room as usize + 2);
            prop_assert!(found.iter().all(|(at, _)| (from..=from + span).contains(at)));
        }
    }

    #[test]
    fn what_can_not_be_read_is_as_without() {
        assert_eq!(read("range=never&from=2026-13-01T00:00&to=x&clock=moon"), When::default());
        assert_eq!(read("from=2026-11-23T14:05&to=2026-11-23T14:00"), When::default());
    }

    #[test]
    fn a_stretch_moves_by_its_own_length() {
        let now = 1_795_442_700_000;
        let before = Range::Last(Last::Hour).moved(now, -1);
        assert_eq!(before.at(0), (now - 7_200_000, now - 3_600_000));
        assert_eq!(before.moved(0, 1).at(0), (now - 3_600_000, now));
    }

    #[test]
    fn a_clock_is_read_both_ways() {
        let east = Clock { name: "local time", shift: |ms| ms + 7_200_000 };
        assert_eq!(unshifted(east, (east.shift)(1_795_442_700_000)), 1_795_442_700_000);
        let found = marks(1_795_442_700_000, 1_795_442_700_000 + 86_400_000 * 5, 6, east);
        assert!(found.iter().all(|(at, _)| (at + 7_200_000) % 86_400_000 == 0), "{found:?}");
        assert_eq!(found.first().map(|(_, words)| words.as_str()), Some("24 Nov"));
    }
}
