//! Steps alike, one after another: their time, their energy, and which of them is under way at a moment.

/// A moment, with what its double can't hold: a replica's clock adds up millions of steps.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Clock {
    high: f64,
    low: f64,
}

impl Clock {
    pub(super) fn at(moment: f64) -> Self {
        Self { high: moment, low: 0.0 }
    }

    /// The moment as a double.
    pub(super) fn now(self) -> f64 {
        self.high
    }

    /// So many seconds later (Knuth's two-sum).
    pub(super) fn plus(self, seconds: f64) -> Self {
        let add = seconds + self.low;
        let high = self.high + add;
        let back = high - self.high;
        Self { high, low: (self.high - (high - back)) + (add - back) }
    }

    /// Seconds from here to a moment.
    pub(super) fn until(self, moment: f64) -> f64 {
        (moment - self.high) - self.low
    }
}

/// Steps of one batch, the i-th of which (from 0) takes `first_s + i · growth_s` and `first_j + i · growth_j`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Stride {
    /// When the first begins.
    pub(super) start: Clock,
    /// How many there are; 0 where there is no stride.
    pub(super) steps: u64,
    /// Seconds of the first.
    pub(super) first_s: f64,
    /// Seconds that each takes longer than the one before.
    pub(super) growth_s: f64,
    /// Joules of the first.
    pub(super) first_j: f64,
    /// Joules that each takes more than the one before.
    pub(super) growth_j: f64,
    /// Tokens that each computes.
    pub(super) tokens: u32,
    /// Of these, tokens of prompts.
    pub(super) prompt_tokens: u32,
}

impl Stride {
    /// Seconds of the first k steps: first · k + growth · k(k − 1)/2.
    pub(super) fn span_s(&self, steps: u64) -> f64 {
        sum(self.first_s, self.growth_s, steps)
    }

    /// Joules of the first k steps.
    pub(super) fn joules(&self, steps: u64) -> f64 {
        sum(self.first_j, self.growth_j, steps)
    }

    /// When the last ends.
    pub(super) fn end(&self) -> Clock {
        self.start.plus(self.span_s(self.steps))
    }

    /// The fewest steps, at least one, that end at a moment or after it.
    ///
    /// The root of growth/2 · k² + (first − growth/2) · k = t, in the form that loses no digits; then put right by
    /// whole steps for what rounding did.
    pub(super) fn steps_until(&self, moment: f64) -> u64 {
        let seconds = self.start.until(moment);
        if seconds <= self.first_s {
            return 1;
        }
        let linear = self.first_s - self.growth_s / 2.0;
        let root = 2.0 * seconds / (linear + libm::sqrt(linear * linear + 2.0 * self.growth_s * seconds));
        let mut steps = (root.ceil() as u64).max(1);
        while self.span_s(steps) < seconds {
            steps += 1;
        }
        while steps > 1 && self.span_s(steps - 1) >= seconds {
            steps -= 1;
        }
        steps
    }
}

fn sum(first: f64, growth: f64, steps: u64) -> f64 {
    let k = steps as f64;
    first * k + growth * (k * (k - 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn law_the_step_under_way_is_found(first in 1e-3..0.1, growth in 0.0..1e-4, at in 0.0..500.0) {
            let stride = Stride { start: Clock::at(3.0), first_s: first, growth_s: growth, ..Stride::default() };
            let steps = stride.steps_until(3.0 + at);
            prop_assert!(stride.start.plus(stride.span_s(steps)).now() >= 3.0 + at - 1e-9);
            prop_assert!(steps == 1 || stride.span_s(steps - 1) < at + 1e-9);
        }
    }

    #[test]
    fn a_clock_keeps_what_a_double_loses() {
        let mut clock = Clock::at(1e6);
        for _ in 0..1_000_000 {
            clock = clock.plus(1e-7);
        }
        assert!((clock.until(1e6) + 0.1).abs() < 1e-12);
    }
}
