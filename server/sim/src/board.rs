//! The GPU board: power against work, and work against a power cap.
//!
//! # Where the numbers come from
//! *Shares of board power at full work*: medians of kernels of at least 0.5 ms in the measured kernel tables of B200
//! (aiconfigurator-core 0.12.0, vLLM 0.22.0): decode attention 698 W and prefill attention 886 W of 1000 W.
//!
//! *Work against cap*: fitted to the power-cap sweep of the Emerald field test (Phoenix, May 2025, Apache-2.0):
//! `infer_llama_8b` for decode and `ft_llama_8b_dolly` with `pt_mpt_13b_lg` for prefill. Mean absolute error of
//! normalised throughput on the fit: 0.007 and 0.024; on the three jobs left out (`ft_llama_8b_p3`, `pt_mpt_13b_sm`,
//! `pt_mpt_7b_fast`): 0.016, largest 0.036. `tests/engine/board.rs` recomputes these figures from the file.

/// Share of board power that memory-bound decode draws at full work.
pub const DECODE_POWER_SHARE: f64 = 0.70;
/// Share of board power that arithmetic-bound prefill draws at full work.
pub const PREFILL_POWER_SHARE: f64 = 0.89;
/// Relative error of board power that bands are made with: the kernel tables' half-spread between quartiles.
pub const POWER_ERROR: f64 = 0.12;

/// Share of uncapped power that does not follow the clock.
const STATIC_SHARE: f64 = 0.175_225_21;
/// Lowest voltage, as a share of the highest.
const VOLTAGE_FLOOR: f64 = 0.788_623_47;
/// Voltage at no clock, were it to follow the line.
const VOLTAGE_ORIGIN: f64 = 0.102_713_83;

/// What a phase is bound by: the share of its time that does not depend on the GPU clock (memory, links).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading weights and past, token by token.
    Decode,
    /// Arithmetic on whole prompts.
    Prefill,
}

impl Phase {
    fn clock_free_share(self) -> f64 {
        match self {
            Self::Decode => 0.310_028_11,
            Self::Prefill => 0.017_147_46,
        }
    }
}

/// Uncapped power, as a share of itself, at a relative clock `f` in 0..=1.
///
/// P(f) = s + (1 − s)·f·v(f)², v(f) = max(v_min, v_0 + (1 − v_0)·f): switching power of CMOS with voltage following
/// the clock down to a floor, over a static part s.
pub fn power_at_clock(f: f64) -> f64 {
    let v = f64::max(VOLTAGE_FLOOR, VOLTAGE_ORIGIN + (1.0 - VOLTAGE_ORIGIN) * f);
    STATIC_SHARE + (1.0 - STATIC_SHARE) * f * v * v
}

/// Relative clock at which the board draws `power`, a share of its uncapped draw. Inverse of [`power_at_clock`].
pub fn clock_at_power(power: f64) -> f64 {
    if power >= 1.0 {
        return 1.0;
    }
    let knee = (VOLTAGE_FLOOR - VOLTAGE_ORIGIN) / (1.0 - VOLTAGE_ORIGIN);
    if power <= power_at_clock(knee) {
        let slope = (1.0 - STATIC_SHARE) * VOLTAGE_FLOOR * VOLTAGE_FLOOR;
        return f64::max((power - STATIC_SHARE) / slope, 0.0);
    }
    // Above the knee P is a convex cubic, so Newton from the right converges without overshoot.
    let (mut f, a, b) = (1.0, VOLTAGE_ORIGIN, 1.0 - VOLTAGE_ORIGIN);
    for _ in 0..8 {
        let v = a + b * f;
        let slope = (1.0 - STATIC_SHARE) * (v * v + 2.0 * f * v * b);
        f -= (power_at_clock(f) - power) / slope;
    }
    f.clamp(knee, 1.0)
}

/// Throughput at a power cap, relative to uncapped; `power` is the cap over the phase's uncapped draw.
///
/// t(f) = 1 / (m + (1 − m)/f), m the share of time that does not follow the clock. 0 where the cap leaves no clock.
pub fn throughput_at_power(phase: Phase, power: f64) -> f64 {
    let f = clock_at_power(power);
    let m = phase.clock_free_share();
    if f <= 0.0 { 0.0 } else { f / (m * f + 1.0 - m) }
}

/// Most throughput that mean `power` (over uncapped draw; `idle` likewise) can give, when the board may both lower its
/// cap and rest. Never falls with power: above the most efficient cap it is the cap's own throughput, below it the
/// board works at that cap part of the time. `knee` is [`most_efficient_power`] of the same phase and idle power.
pub fn best_throughput(phase: Phase, power: f64, idle: f64, knee: f64) -> f64 {
    if power >= knee {
        throughput_at_power(phase, power)
    } else {
        throughput_at_power(phase, knee) * f64::max((power - idle) / (knee - idle), 0.0)
    }
}

/// The cap, over uncapped draw, with most throughput for each watt above idle.
///
/// P(f) is linear up to the voltage floor and convex above, t(f) is concave: the best point is at the floor's clock or
/// above it; a golden-section search over 0.3..1 of power finds it.
pub fn most_efficient_power(phase: Phase, idle: f64) -> f64 {
    let worth = |p: f64| throughput_at_power(phase, p) / f64::max(p - idle, 1e-9);
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn law_clock_and_power_invert(f in 0.01f64..1.0) {
            prop_assert!((clock_at_power(power_at_clock(f)) - f).abs() < 1e-9);
        }
        #[test]
        fn law_a_higher_cap_never_slows(a in 0.0f64..1.2, b in 0.0f64..1.2, idle in 0.05f64..0.25) {
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            for phase in [Phase::Decode, Phase::Prefill] {
                prop_assert!(throughput_at_power(phase, low) <= throughput_at_power(phase, high) + 1e-12);
                let knee = most_efficient_power(phase, idle);
                let best = |power| best_throughput(phase, power, idle, knee);
                prop_assert!(best(low) <= best(high) + 1e-9);
            }
        }
    }
}
