//! The GPU board: power against work, and work against a power cap.
//!
//! # Where the numbers come from
//! *Work against cap*: [`CapCurve::FITTED`] is the least-squares fit to the power-cap sweep of the Emerald field test
//! (Phoenix, May 2025, Apache-2.0): `infer_llama_8b` for decode, `ft_llama_8b_dolly` and `pt_mpt_13b_lg` for prefill.
//! Three more jobs of that sweep are left out of it and check it.
//!
//! *Power against load*: straight from idle to full work. A working replica draws nearly the same whatever its batch
//! (the Server run makes 0.91 of the Offline run's tokens at 1.02 of its power), so a fleet at part load keeps as few
//! replicas at work as the load needs and rests the others: its mean power is in proportion to load.
//!
//! `tests/engine/fit.rs` makes both fits anew from the files, prints their errors and holds these constants to them.

/// Relative error of board power that bands are made with: that of its fit to kernels ([`serving::draw`](crate::serving::draw)).
pub const POWER_ERROR: f64 = 0.13;

/// What a phase is bound by: the share of its time that does not depend on the GPU clock (memory, links).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading weights and past, token by token.
    Decode,
    /// Arithmetic on whole prompts.
    Prefill,
}

/// Work under a power cap as it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeasuredCap {
    /// The phase that the job is like.
    pub phase: Phase,
    /// Mean board power over that at the highest cap.
    pub power: f64,
    /// Throughput over that at the highest cap.
    pub throughput: f64,
}

const fn measured(phase: Phase, power: f64, throughput: f64) -> MeasuredCap {
    MeasuredCap { phase, power, throughput }
}

/// Five jobs of the Emerald field test's sweep (Phoenix, May 2025, Apache-2.0), at caps of 100 to 350 W of 400 W boards; the
/// point at the highest cap is one by definition. Three of them are what [`CapCurve::FITTED`] was fitted to; the last two were
/// left out.
pub const MEASURED: [MeasuredCap; 25] = [
    // Answers: infer_llama_8b.
    measured(Phase::Decode, 0.265_9, 0.225_2),
    measured(Phase::Decode, 0.528_5, 0.780_8),
    measured(Phase::Decode, 0.656_4, 0.870_9),
    measured(Phase::Decode, 0.784_4, 0.930_9),
    measured(Phase::Decode, 0.903_7, 0.976_0),
    // Arithmetic: ft_llama_8b_dolly, pt_mpt_13b_lg.
    measured(Phase::Prefill, 0.288_9, 0.240_8),
    measured(Phase::Prefill, 0.567_4, 0.807_0),
    measured(Phase::Prefill, 0.706_3, 0.904_2),
    measured(Phase::Prefill, 0.834_1, 0.950_7),
    measured(Phase::Prefill, 0.927_6, 0.980_3),
    measured(Phase::Prefill, 0.266_5, 0.191_0),
    measured(Phase::Prefill, 0.513_9, 0.623_6),
    measured(Phase::Prefill, 0.641_1, 0.780_9),
    measured(Phase::Prefill, 0.762_7, 0.859_6),
    measured(Phase::Prefill, 0.883_0, 0.921_3),
    // Left out: ft_llama_8b_p3, pt_mpt_7b_fast.
    measured(Phase::Prefill, 0.291_6, 0.228_0),
    measured(Phase::Prefill, 0.569_0, 0.784_1),
    measured(Phase::Prefill, 0.698_5, 0.877_8),
    measured(Phase::Prefill, 0.831_6, 0.937_5),
    measured(Phase::Prefill, 0.923_4, 0.967_3),
    measured(Phase::Prefill, 0.257_8, 0.174_9),
    measured(Phase::Prefill, 0.511_6, 0.625_6),
    measured(Phase::Prefill, 0.638_1, 0.787_0),
    measured(Phase::Prefill, 0.762_4, 0.874_4),
    measured(Phase::Prefill, 0.885_1, 0.935_0),
];

/// How a board's power and speed follow its clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CapCurve {
    /// Share of uncapped power that does not follow the clock.
    pub static_share: f64,
    /// Lowest voltage, as a share of the highest.
    pub voltage_floor: f64,
    /// Voltage at no clock, were it to follow the line.
    pub voltage_origin: f64,
    /// Share of a decode step's time that does not follow the clock.
    pub decode_clock_free: f64,
    /// The same of prefill.
    pub prefill_clock_free: f64,
}

impl CapCurve {
    /// Fitted as this file's head says.
    pub const FITTED: Self = Self {
        static_share: 0.173_962,
        voltage_floor: 0.785_666,
        voltage_origin: 0.061_570,
        decode_clock_free: 0.302_729,
        prefill_clock_free: 0.0,
    };

    fn clock_free_share(&self, phase: Phase) -> f64 {
        match phase {
            Phase::Decode => self.decode_clock_free,
            Phase::Prefill => self.prefill_clock_free,
        }
    }

    /// Uncapped power, as a share of itself, at a relative clock `f` in 0..=1.
    ///
    /// P(f) = s + (1 − s)·f·v(f)², v(f) = max(v_min, v_0 + (1 − v_0)·f): switching power of CMOS with voltage following
    /// the clock down to a floor, over a static part s.
    pub fn power_at_clock(&self, f: f64) -> f64 {
        let v = f64::max(self.voltage_floor, self.voltage_origin + (1.0 - self.voltage_origin) * f);
        self.static_share + (1.0 - self.static_share) * f * v * v
    }

    /// Relative clock at which the board draws `power`, a share of its uncapped draw. Inverse of
    /// [`power_at_clock`](Self::power_at_clock).
    pub fn clock_at_power(&self, power: f64) -> f64 {
        if power >= 1.0 {
            return 1.0;
        }
        let (a, b) = (self.voltage_origin, 1.0 - self.voltage_origin);
        let knee = (self.voltage_floor - a) / b;
        if power <= self.power_at_clock(knee) {
            let slope = (1.0 - self.static_share) * self.voltage_floor * self.voltage_floor;
            return f64::max((power - self.static_share) / slope, 0.0);
        }
        // Above the knee P is a convex cubic, so Newton from the right converges without overshoot.
        let mut f = 1.0;
        for _ in 0..8 {
            let v = a + b * f;
            let slope = (1.0 - self.static_share) * (v * v + 2.0 * f * v * b);
            f -= (self.power_at_clock(f) - power) / slope;
        }
        f.clamp(knee, 1.0)
    }

    /// Throughput at a power cap, relative to uncapped; `power` is the cap over the phase's uncapped draw.
    ///
    /// t(f) = 1 / (m + (1 − m)/f), m the share of time that does not follow the clock. 0 where the cap leaves no clock.
    pub fn throughput_at_power(&self, phase: Phase, power: f64) -> f64 {
        let f = self.clock_at_power(power);
        let m = self.clock_free_share(phase);
        if f <= 0.0 { 0.0 } else { f / (m * f + 1.0 - m) }
    }

    /// Most throughput that mean `power` (over uncapped draw; `idle` likewise) can give, when the board may both lower
    /// its cap and rest. Never falls with power: above the most efficient cap it is the cap's own throughput, below it
    /// the board works at that cap part of the time. `knee` is [`most_efficient_power`](Self::most_efficient_power) of
    /// the same phase and idle power.
    pub fn best_throughput(&self, phase: Phase, power: f64, idle: f64, knee: f64) -> f64 {
        if power >= knee {
            self.throughput_at_power(phase, power)
        } else {
            self.throughput_at_power(phase, knee) * f64::max((power - idle) / (knee - idle), 0.0)
        }
    }

    /// The cap, over uncapped draw, with most throughput for each watt above idle.
    ///
    /// P(f) is linear up to the voltage floor and convex above, t(f) is concave: the best point is at the floor's clock
    /// or above it; a golden-section search over 0.3..1 of power finds it.
    pub fn most_efficient_power(&self, phase: Phase, idle: f64) -> f64 {
        let worth = |p: f64| self.throughput_at_power(phase, p) / f64::max(p - idle, 1e-9);
        let (mut low, mut high) = (f64::max(0.3, idle + 0.02), 1.0);
        let ratio = 0.618_033_988_749_895;
        for _ in 0..40 {
            let (a, b) = (high - ratio * (high - low), low + ratio * (high - low));
            if worth(a) > worth(b) {
                high = b;
            } else {
                low = a;
            }
        }
        f64::midpoint(low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CURVE: CapCurve = CapCurve::FITTED;

    proptest! {
        #[test]
        fn law_clock_and_power_invert(f in 0.01f64..1.0) {
            prop_assert!((CURVE.clock_at_power(CURVE.power_at_clock(f)) - f).abs() < 1e-9);
        }
        #[test]
        fn law_a_higher_cap_never_slows(a in 0.0f64..1.2, b in 0.0f64..1.2, idle in 0.05f64..0.25) {
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            for phase in [Phase::Decode, Phase::Prefill] {
                prop_assert!(CURVE.throughput_at_power(phase, low) <= CURVE.throughput_at_power(phase, high) + 1e-12);
                let knee = CURVE.most_efficient_power(phase, idle);
                let best = |power| CURVE.best_throughput(phase, power, idle, knee);
                prop_assert!(best(low) <= best(high) + 1e-9);
            }
        }
    }
}
