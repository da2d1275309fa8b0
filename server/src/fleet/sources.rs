//! How each source is: what it brought, how fast, and what was wrong.

use crate::history::Appended;
use model::source::{SourceKind, SourceState, SourceStatus};
use std::collections::VecDeque;

/// Over how long rates are taken, milliseconds.
const RATE_MS: i64 = 60_000;
/// A source that brought nothing for this many of its own intervals is stale, and no sooner than the least.
const SILENT_INTERVALS: i64 = 4;
/// The least, milliseconds.
const SILENT_MS_MIN: i64 = 20_000;
/// Nothing is stale that was silent for less than this, where no interval is known; the bus sends everything again in 100 s.
const SILENT_MS_UNKNOWN: i64 = 210_000;

/// What can become of a reading.
const OUTCOMES: [&str; 5] = ["kept", "repeated", "late", "unfit", "refused"];

/// Every source, in the order in which they were set up.
#[derive(Debug, Default)]
pub struct Sources {
    all: Vec<One>,
    /// What became of all that they brought, since the start, in the order of [`OUTCOMES`].
    done: [u64; 5],
}

#[derive(Debug)]
struct One {
    status: SourceStatus,
    /// When something came, and how much.
    recent: VecDeque<(i64, u32)>,
}

impl Sources {
    /// A source that has not answered yet, and the number that it goes by.
    pub fn add(&mut self, name: &str, kind: SourceKind, target: String) -> u32 {
        let status = SourceStatus {
            name: name.to_owned(),
            kind,
            target,
            state: SourceState::Connecting,
            last_ms: None,
            readings_per_s: 0.0,
            series: 0,
            readings: 0,
            unknown: 0,
            last_error: None,
            errors: 0,
            peer: None,
        };
        self.all.push(One { status, recent: VecDeque::new() });
        self.all.len() as u32 - 1
    }

    /// The number of a source of that name, set up now where there is none.
    pub fn named(&mut self, name: &str, kind: SourceKind, target: &str) -> u32 {
        match self.all.iter().position(|one| one.status.name == name) {
            Some(at) => at as u32,
            None => self.add(name, kind, target.to_owned()),
        }
    }

    /// Readings came.
    pub fn brought(&mut self, source: u32, now_ms: i64, readings: u32, unknown: u32, done: &Appended) {
        let counts = [done.kept, done.repeated, done.late, done.unfit, done.refused];
        self.done.iter_mut().zip(counts).for_each(|(total, more)| *total += u64::from(more));
        let Some(one) = self.all.get_mut(source as usize) else { return };
        let status = &mut one.status;
        status.last_ms = Some(now_ms);
        status.readings += u64::from(readings);
        status.unknown += u64::from(unknown);
        if status.kind == SourceKind::RemoteWrite || matches!(status.state, SourceState::Stale { .. }) {
            status.state = SourceState::Connected;
        }
        one.recent.push_back((now_ms, readings));
        let left_out = [
            (done.late, "came after later readings of the same series were put away"),
            (done.unfit, "are no numbers, or lie in the future: look at the clock over there"),
            (done.refused, "found no room: the disk takes nothing, or there are too many series"),
        ];
        for (count, why) in left_out {
            if count > 0 {
                status.errors += u64::from(count);
                status.last_error = Some(format!("{count} readings were left out: they {why}."));
            }
        }
    }

    /// How a source is changed. Whether it is up now, whether that is news, and its name.
    pub fn turned(&mut self, source: u32, state: SourceState) -> (bool, bool, String) {
        let Some(one) = self.all.get_mut(source as usize) else { return (false, false, String::new()) };
        let status = &mut one.status;
        if let SourceState::Failing { why, .. } = &state {
            status.last_error = Some(why.clone());
            status.errors += 1;
        }
        let (before, up) = (status.state.is_up(), state.is_up());
        let first = matches!(status.state, SourceState::Connecting);
        status.state = state;
        let down = matches!(status.state, SourceState::Failing { .. } | SourceState::Stale { .. });
        (up, (up && !before && !first) || (down && (before || first)), status.name.clone())
    }

    /// Something was wrong with what came.
    pub fn fault(&mut self, source: u32, words: String) {
        if let Some(one) = self.all.get_mut(source as usize) {
            one.status.errors += 1;
            one.status.last_error = Some(words);
        }
    }

    /// Who is at the other end.
    pub fn peer(&mut self, source: u32, words: String) {
        if let Some(one) = self.all.get_mut(source as usize) {
            one.status.peer = Some(words);
        }
    }

    /// Rates of the last minute, and who has been silent for too long.
    pub fn settle(&mut self, now_ms: i64) {
        for one in &mut self.all {
            while one.recent.front().is_some_and(|(at_ms, _)| *at_ms < now_ms - RATE_MS) {
                one.recent.pop_front();
            }
            let status = &mut one.status;
            let total: u64 = one.recent.iter().map(|(_, readings)| u64::from(*readings)).sum();
            let span_ms = one.recent.front().map_or(RATE_MS, |(first, _)| (now_ms - first).clamp(1_000, RATE_MS));
            status.readings_per_s = total as f64 * 1_000.0 / span_ms as f64;
            status.series = one.recent.iter().map(|(_, readings)| *readings).max().unwrap_or(status.series);
            let every_ms = one.recent.len().checked_sub(1).filter(|gaps| *gaps > 0).map(|gaps| {
                let (first, last) = (one.recent[0].0, one.recent[gaps].0);
                (last - first) / i64::from(gaps as u32)
            });
            let patience_ms = every_ms.map_or(SILENT_MS_UNKNOWN, |every| (every * SILENT_INTERVALS).max(SILENT_MS_MIN));
            if let (SourceState::Connected, Some(last_ms)) = (&status.state, status.last_ms)
                && now_ms - last_ms > patience_ms
            {
                status.state = SourceState::Stale { since_ms: last_ms };
            }
        }
    }

    /// What became of all that they brought, since the start.
    pub fn done(&self) -> impl Iterator<Item = (&'static str, u64)> {
        OUTCOMES.into_iter().zip(self.done)
    }
    /// Every source as pages show it.
    pub fn statuses(&self) -> Vec<SourceStatus> {
        self.all.iter().map(|one| one.status.clone()).collect()
    }
    /// The name of a source.
    pub fn name(&self, source: u32) -> &str {
        self.all.get(source as usize).map_or("", |one| one.status.name.as_str())
    }
}
