//! What the fleet did over time, in equal bins, and what it drew.

use super::outcome::{BINS_MAX, Series};

/// One bin's sums.
#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    running_s: f64,
    waiting_s: f64,
    prompt_tokens: f64,
    output_tokens: f64,
    joules: f64,
    /// Seconds that replicas were on, together.
    on_s: f64,
    /// KV blocks in use at its end.
    kv_blocks: f64,
}

/// Bins and counters.
pub(super) struct Meter {
    width_s: f64,
    bins: Vec<Bin>,
    running: u32,
    waiting: u32,
    /// Until when the counters are in the bins.
    counted_s: f64,
    /// All energy, joules.
    pub(super) joules: f64,
    /// Of it, drawn by no step that ended.
    pub(super) idle_joules: f64,
}

impl Meter {
    pub(super) fn new(width_s: f64) -> Self {
        Self {
            width_s,
            bins: vec![Bin::default()],
            running: 0,
            waiting: 0,
            counted_s: 0.0,
            joules: 0.0,
            idle_joules: 0.0,
        }
    }

    /// Requests that begin or cease to run and to wait, from the moment of the last `pass` on.
    pub(super) fn count(&mut self, running: i32, waiting: i32) {
        self.running = self.running.wrapping_add_signed(running);
        self.waiting = self.waiting.wrapping_add_signed(waiting);
    }

    /// Time passes with the counters as they are.
    pub(super) fn pass(&mut self, now: f64) {
        if now <= self.counted_s {
            return;
        }
        let (running, waiting) = (f64::from(self.running), f64::from(self.waiting));
        self.spread(self.counted_s, now, |bin, seconds| {
            bin.running_s += running * seconds;
            bin.waiting_s += waiting * seconds;
        });
        self.counted_s = now;
    }

    /// Steps of one replica, within a bin or one alone: prompt tokens, output tokens and joules, and its KV blocks.
    pub(super) fn work(&mut self, from: f64, to: f64, [prompt, output, joules]: [f64; 3], kv_blocks: f64) {
        self.joules += joules;
        let all = to - from;
        self.spread(from, to, |bin, seconds| {
            let share = if all > 0.0 { seconds / all } else { 1.0 };
            bin.prompt_tokens += prompt * share;
            bin.output_tokens += output * share;
            bin.joules += joules * share;
            bin.on_s += seconds;
        });
        for bin in self.bin_of(from)..self.bin_of(to) {
            self.bins[bin].kv_blocks += kv_blocks;
        }
    }

    /// What a replica draws without a step to its name.
    pub(super) fn idle(&mut self, from: f64, to: f64, joules: f64) {
        self.joules += joules;
        self.idle_joules += joules;
        let watts = if to > from { joules / (to - from) } else { 0.0 };
        self.spread(from, to, |bin, seconds| {
            bin.joules += watts * seconds;
            bin.on_s += seconds;
        });
    }

    /// The end of the bin that a moment is in.
    pub(super) fn edge_after(&self, moment: f64) -> f64 {
        (self.bin_of(moment) + 1) as f64 * self.width_s
    }

    fn bin_of(&self, moment: f64) -> usize {
        (moment / self.width_s) as usize
    }

    /// Hands out an interval's seconds to its bins.
    fn spread(&mut self, from: f64, to: f64, mut add: impl FnMut(&mut Bin, f64)) {
        while self.bin_of(to) >= BINS_MAX {
            self.fold();
        }
        let (first, last) = (self.bin_of(from), self.bin_of(to));
        if self.bins.len() <= last {
            self.bins.resize(last + 1, Bin::default());
        }
        if first == last {
            add(&mut self.bins[first], to - from);
            return;
        }
        for bin in first..=last {
            let (begin, end) = (bin as f64 * self.width_s, (bin + 1) as f64 * self.width_s);
            add(&mut self.bins[bin], to.min(end) - from.max(begin));
        }
    }

    /// Makes one bin of two.
    fn fold(&mut self) {
        self.width_s *= 2.0;
        let folded = self.bins.chunks(2).map(|pair| Bin {
            running_s: pair.iter().map(|bin| bin.running_s).sum(),
            waiting_s: pair.iter().map(|bin| bin.waiting_s).sum(),
            prompt_tokens: pair.iter().map(|bin| bin.prompt_tokens).sum(),
            output_tokens: pair.iter().map(|bin| bin.output_tokens).sum(),
            joules: pair.iter().map(|bin| bin.joules).sum(),
            on_s: pair.iter().map(|bin| bin.on_s).sum(),
            kv_blocks: pair.iter().map(|bin| bin.kv_blocks).sum::<f64>() / pair.len() as f64,
        });
        self.bins = folded.collect();
    }

    /// The time series of a fleet with so many KV blocks, up to its end.
    pub(super) fn series(&self, end_s: f64, kv_blocks: u64) -> Series {
        let bins = &self.bins[..self.bins.len().min((end_s / self.width_s).ceil() as usize)];
        let width = |at: usize| (end_s - at as f64 * self.width_s).min(self.width_s);
        let per_second = |sum: fn(&Bin) -> f64| bins.iter().enumerate().map(|(at, bin)| sum(bin) / width(at)).collect();
        Series {
            bin_s: self.width_s,
            running: per_second(|bin| bin.running_s),
            waiting: per_second(|bin| bin.waiting_s),
            prompt_tokens_per_s: per_second(|bin| bin.prompt_tokens),
            output_tokens_per_s: per_second(|bin| bin.output_tokens),
            power_w: per_second(|bin| bin.joules),
            replicas_on: per_second(|bin| bin.on_s),
            kv_use: bins.iter().map(|bin| bin.kv_blocks / (kv_blocks.max(1)) as f64).collect(),
        }
    }
}
