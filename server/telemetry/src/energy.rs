//! How much went through a window [from, to): energy of a counter or of power readings, tokens of a counter, rates.
//!
//! Samples come in the order in which they were read, and may reach beyond the window on both sides: give one interval
//! more of each, so that its borders can be interpolated. A sample whose time does not lie after the last one that was
//! used (a clock set back, a duplicate) is left out: no moment counts twice, and nothing is ever negative.
//!
//! Never: invents energy in a gap of power readings, reads a clock, or panics.

use model::reading::Sample;
use std::fmt;

/// Intervals without a reading that are still bridged: one lost and one late reading.
pub const GAP_INTERVALS: i64 = 3;
/// No reading is of a time beyond this, before or after 1970: 35 000 years. Within it, times can be taken from each other.
const TIME_MAX_MS: i64 = 1 << 50;

/// Which window, and how far apart readings may be to belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its begin, milliseconds since 1970 UTC.
    pub from_ms: i64,
    /// Its end, which is no more part of it.
    pub to_ms: i64,
    /// How far apart readings are by rights.
    pub interval_ms: i64,
    /// The largest gap that is bridged.
    pub gap_ms: i64,
}

impl Window {
    /// A window over readings of that interval, bridging gaps of [`GAP_INTERVALS`].
    pub fn of(from_ms: i64, to_ms: i64, interval_ms: i64) -> Self {
        Self { from_ms, to_ms, interval_ms, gap_ms: interval_ms.saturating_mul(GAP_INTERVALS) }
    }
    /// Its length, milliseconds.
    pub fn length_ms(&self) -> i64 {
        (clamped(self.to_ms) - clamped(self.from_ms)).max(0)
    }
}

/// How the energy was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The device's own counter.
    Counter,
    /// Power readings, integrated by trapezoids.
    Trapezoid,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "energy counter",
            Self::Trapezoid => "power readings, integrated",
        })
    }
}

/// Whether the amount stands for the whole window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Validity {
    /// It does, but for less than an interval at each end.
    Valid,
    /// It stands for a part of it.
    Partial {
        /// How much is missing or not certain, milliseconds.
        missing_ms: i64,
        /// Why, in words.
        why: String,
    },
    /// There is nothing to say of it; the amount is 0 and means nothing.
    None {
        /// Why, in words.
        why: String,
    },
}

/// Energy that went through a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Energy {
    /// How much.
    pub joules: f64,
    /// The part of the window that it was found for, milliseconds.
    pub covered_ms: i64,
    /// Whether that is enough.
    pub validity: Validity,
    /// How it was found.
    pub method: Method,
}

/// How far a counter rose within a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Increase {
    /// How far, in the counter's unit.
    pub amount: f64,
    /// The part of the window that it was found for, milliseconds.
    pub covered_ms: i64,
    /// How often the counter began anew within the window.
    pub resets: u32,
    /// Whether that is enough.
    pub validity: Validity,
}

impl Increase {
    /// The mean rise each second; absent where nothing is known.
    pub fn per_second(&self) -> Option<f64> {
        (self.covered_ms > 0).then(|| self.amount / (self.covered_ms as f64 / 1e3))
    }
}

/// Energy of a counter of joules.
pub fn of_counter(samples: &[Sample], window: &Window) -> Energy {
    let Increase { amount, covered_ms, validity, .. } = increase(samples, window);
    Energy { joules: amount, covered_ms, validity, method: Method::Counter }
}

/// Energy of power readings, watts: trapezoids between neighbours, nothing across a gap.
///
/// E = sum of (P1 + P2) / 2 * (t2 - t1), borders interpolated on the line between their neighbours.
pub fn of_power(samples: &[Sample], window: &Window) -> Energy {
    let (mut joules, mut cover) = (0.0, Cover::of(window));
    for (before, after) in pairs(samples, |_| true) {
        let Some((start, end)) = cover.within(before.at_ms, after.at_ms) else { continue };
        if after.at_ms - before.at_ms > window.gap_ms {
            cover.gaps += 1;
            continue;
        }
        joules += f64::midpoint(at(before, after, start), at(before, after, end)) * (end - start) as f64 / 1e3;
        cover.add(start, end);
    }
    let validity = cover.validity(window, "power reading");
    Energy { joules, covered_ms: cover.covered_ms, validity, method: Method::Trapezoid }
}

/// How far a counter rose. A value below the one before is a counter that began anew: it counts from 0.
///
/// A gap does not hide what a counter counted: a rise across it counts whole. Where the window ends within a gap, the rise
/// is spread evenly over the gap, and that part of the window is said to be missing; so is a gap in which the counter
/// began anew, for what it had counted until then is lost.
pub fn increase(samples: &[Sample], window: &Window) -> Increase {
    let (mut amount, mut resets, mut cover) = (0.0, 0, Cover::of(window));
    for (before, after) in pairs(samples, |value| value >= 0.0) {
        let Some((start, end)) = cover.within(before.at_ms, after.at_ms) else { continue };
        let reset = after.value < before.value;
        let rise = if reset { after.value } else { after.value - before.value };
        let length = after.at_ms - before.at_ms;
        amount += if end - start == length { rise } else { rise * ((end - start) as f64 / length as f64) };
        resets += u32::from(reset);
        if length > window.gap_ms && (reset || end - start < length) {
            cover.gaps += 1;
            cover.skip(start, end);
        } else {
            cover.add(start, end);
        }
    }
    let validity = cover.validity(window, "counter reading");
    Increase { amount, covered_ms: cover.covered_ms, resets, validity }
}

/// Mean rise of a counter each second within a window.
pub fn rate(samples: &[Sample], window: &Window) -> Option<f64> {
    increase(samples, window).per_second()
}

/// Each good sample with the next one: times only go forward, and values are finite and pass.
fn pairs(samples: &[Sample], good: impl Fn(f64) -> bool) -> impl Iterator<Item = (Sample, Sample)> {
    let mut last: Option<Sample> = None;
    let sane =
        move |sample: &&Sample| sample.value.is_finite() && good(sample.value) && clamped(sample.at_ms) == sample.at_ms;
    samples.iter().filter(sane).filter_map(move |sample| {
        if last.is_some_and(|before| sample.at_ms <= before.at_ms) {
            return None;
        }
        last.replace(*sample).map(|before| (before, *sample))
    })
}

/// The value at a time on the line between two samples.
fn at(before: Sample, after: Sample, at_ms: i64) -> f64 {
    let share = (at_ms - before.at_ms) as f64 / (after.at_ms - before.at_ms) as f64;
    before.value * (1.0 - share) + after.value * share
}

/// What of a window was found.
struct Cover {
    from_ms: i64,
    to_ms: i64,
    covered_ms: i64,
    first_ms: Option<i64>,
    last_ms: i64,
    gaps: u32,
}

impl Cover {
    fn of(window: &Window) -> Self {
        let (from_ms, to_ms) = (clamped(window.from_ms), clamped(window.to_ms));
        Self { from_ms, to_ms, covered_ms: 0, first_ms: None, last_ms: from_ms, gaps: 0 }
    }
    /// The part of a stretch that lies in the window.
    fn within(&self, start: i64, end: i64) -> Option<(i64, i64)> {
        let (start, end) = (start.max(self.from_ms), end.min(self.to_ms));
        (start < end).then_some((start, end))
    }
    fn add(&mut self, start: i64, end: i64) {
        self.covered_ms += end - start;
        self.skip(start, end);
    }
    /// Known of, but not found.
    fn skip(&mut self, start: i64, end: i64) {
        self.first_ms.get_or_insert(start);
        self.last_ms = end;
    }
    fn validity(&self, window: &Window, what: &str) -> Validity {
        let missing_ms = window.length_ms() - self.covered_ms;
        let Some(first_ms) = self.first_ms.filter(|_| window.length_ms() > 0) else {
            return Validity::None { why: self.nothing(window, what) };
        };
        let (head, tail) = (first_ms - self.from_ms, self.to_ms - self.last_ms);
        if head < window.interval_ms.max(1) && tail < window.interval_ms.max(1) && missing_ms == head + tail {
            return Validity::Valid;
        }
        let mut why = Vec::new();
        if head >= window.interval_ms.max(1) {
            why.push(format!("the first {what} comes {} after the window's begin", seconds(head)));
        }
        if self.gaps > 0 {
            let s = if self.gaps == 1 { "" } else { "s" };
            why.push(format!("{} gap{s} of more than {}", self.gaps, seconds(window.gap_ms)));
        }
        if tail >= window.interval_ms.max(1) {
            why.push(format!("the last {what} comes {} before the window's end", seconds(tail)));
        }
        Validity::Partial { missing_ms, why: why.join("; ") }
    }
    fn nothing(&self, window: &Window, what: &str) -> String {
        if window.length_ms() == 0 {
            "the window is empty".into()
        } else if self.gaps > 0 {
            format!("no two {what}s within {} of each other", seconds(window.gap_ms))
        } else {
            format!("fewer than two {what}s in the window")
        }
    }
}

fn clamped(at_ms: i64) -> i64 {
    at_ms.clamp(-TIME_MAX_MS, TIME_MAX_MS)
}

fn seconds(ms: i64) -> String {
    format!("{} s", ms as f64 / 1e3)
}

#[cfg(test)]
mod tests;
