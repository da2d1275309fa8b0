//! What a GPU board draws while it serves: by how hard its memory and its arithmetic work, and under a cap.
//!
//! A kernel of matrix products draws P = f + (1 − f)·(1 − exp(−(a·b^p + c·u^q + d))) of board power; b and u are the shares of
//! peak bandwidth and arithmetic in use, d what a busy kernel draws whatever it reaches. Fitted to the measured tables of
//! B200 (aiconfigurator-core 0.12.0, vLLM 0.22.0, Apache-2.0) for each number format, and taken over to other boards as
//! shares of their power. Kernels of a millisecond and longer alone: the power of shorter ones was sampled while they had
//! not yet begun or were over. `tests/engine/fit.rs` makes these constants anew from the tables and holds them to that;
//! shapes that a fit left out are told within 10% in the mean, half of them within 4%.

use crate::board::{CapCurve, Phase};
use crate::serving::coefficients::Coefficients;
use crate::serving::served::{Load, Served};
use crate::serving::shape::Format;
use crate::serving::step::{self, Setup, StepTime};
use serde::{Deserialize, Serialize};

/// Share of board power that is drawn as soon as clocks are up.
pub const FLOOR_SHARE: f64 = 0.245;
/// How the power of one kind of kernel rises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kernel {
    /// How steeply with bandwidth in use, and the exponent: a and p.
    pub bandwidth: (f64, f64),
    /// The same with arithmetic: c and q.
    pub arithmetic: (f64, f64),
    /// What it draws as soon as it runs: d.
    pub busy: f64,
}

impl Kernel {
    /// Matrix products in 16 bits.
    pub const WIDE: Self = Self { bandwidth: (4.503, 0.729), arithmetic: (5.468, 0.838), busy: 0.253 };
    /// Matrix products in 8 bits; 4 bits were not measured and are taken alike, at their own peak.
    pub const NARROW: Self = Self { bandwidth: (4.505, 1.099), arithmetic: (11.791, 1.147), busy: 0.497 };

    fn of(format: Format) -> Self {
        match format {
            Format::Bf16 | Format::Int4 => Self::WIDE,
            Format::Fp8 | Format::Fp4 => Self::NARROW,
        }
    }

    /// Share of board power at shares of peak bandwidth and arithmetic in use.
    pub fn share(&self, bandwidth: f64, arithmetic: f64) -> f64 {
        let rise = self.bandwidth.0 * libm::pow(bandwidth.clamp(0.0, 1.0), self.bandwidth.1)
            + self.arithmetic.0 * libm::pow(arithmetic.clamp(0.0, 1.0), self.arithmetic.1)
            + self.busy;
        FLOOR_SHARE + (1.0 - FLOOR_SHARE) * (1.0 - libm::exp(-rise))
    }
}

/// Of the power of products, what is missing where one token alone passes, and over how many more it comes back: kernels of
/// one and two tokens draw 0.81 and 0.82 of board power at the bandwidth at which those of four and more draw 0.98.
const FEW_TOKENS: (f64, f64) = (0.18, 2.0);

/// Share of board power while the past is read: the median of decode-attention kernels of 0.2 ms and longer at three
/// quarters of bandwidth and more.
pub const PAST_SHARE: f64 = 0.718;
/// The same while prompts attend to themselves in 16 bits: the share that kernels of a millisecond and longer are nearest to,
/// of pieces of at most the 8,192 tokens that engines compute at once; 5% off in the mean.
pub const PROMPT_ATTENTION_SHARE: f64 = 0.963;
/// The same while activations pass through memory: the median of decode-attention kernels of 0.2 ms and longer at a tenth to
/// half of bandwidth.
pub const ACTIVATIONS_SHARE: f64 = 0.456;
/// The same in launches, links and gaps: between waiting, which draws the floor, and the median of kernels under 20 µs.
pub const GAP_SHARE: f64 = 0.34;
/// Board power of a serving replica over that of its kernels measured one by one: fitted to the node power of MLPerf v4.1
/// Inference Closed, NVIDIA H200-SXM-141GBx8 MaxQ, Offline; its Server run is left out and checks it. Derived figures not
/// verified by MLCommons Association.
pub const SERVING_OVER_KERNELS: f64 = 1.1475;
/// Relative error that bands of power are made with: nine in ten kernels of left-out shapes lie within.
pub const ERROR: f64 = 0.25;

/// Watts and energy of one board under a load.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
pub struct Draw {
    /// Mean board power.
    pub gpu_power_w: f64,
    /// While prompts are computed.
    pub prefill_power_w: f64,
    /// While answers are.
    pub decode_power_w: f64,
    /// Joules of a GPU board for each output token.
    pub joules_per_output_token: f64,
    /// Of which for prompts.
    pub prefill_joules_per_output_token: f64,
    /// Throughput over that at the board's own limit.
    pub speed: f64,
    /// The same of prompts alone.
    pub prefill_speed: f64,
    /// The same of answers alone.
    pub decode_speed: f64,
}

/// Power of products that so many tokens pass, over that of many: 1 − a·exp(−((n − 1)/w)²).
pub fn few_tokens(tokens: f64) -> f64 {
    let more = (tokens - 1.0).max(0.0) / FEW_TOKENS.1;
    1.0 - FEW_TOKENS.0 * libm::exp(-more * more)
}

/// Mean share of board power in a step of `tokens` tokens, without a cap.
///
/// The mean over its parts by their time: reading weights and experts at the bandwidth that they reach, with the arithmetic
/// that goes on meanwhile; reading the past and activations; links, launches and gaps.
pub fn step_share(fitted: &Coefficients, setup: &Setup, step: &StepTime, tokens: f64) -> f64 {
    let s = &setup.shape;
    let gpus = f64::from(setup.layout.gpus().max(1));
    let [_, dense, experts, _] = setup.gpu.rates;
    let computed = |parameters: f64, rate: f64, time: f64| 2.0 * parameters * tokens / (gpus * rate * time.max(1e-9));
    let plain = step.weights + step.arithmetic;
    let read = step.weights * fitted.weight_bandwidth / plain.max(1e-9);
    let few = few_tokens(tokens);
    let drawn = few
        * Kernel::of(setup.formats.dense).share(read, computed(s.attention + s.dense + s.output, dense, plain))
        * plain
        + few
            * Kernel::of(setup.formats.experts).share(
                fitted.expert_bandwidth,
                computed(s.expert * s.experts_per_token + s.shared, experts, step.experts),
            )
            * step.experts
        + PAST_SHARE * step.past
        + ACTIVATIONS_SHARE * step.activations
        + GAP_SHARE * (step.links + step.host);
    SERVING_OVER_KERNELS * drawn / step.total().max(1e-9)
}

/// Shares of board power in decode steps and in prompts, without a cap.
///
/// Prompts reach the fitted share of peak arithmetic in their products, and attend to themselves in kernels of their own.
pub fn phase_shares(fitted: &Coefficients, setup: &Setup, load: &Load, served: &Served) -> (f64, f64) {
    let s = &setup.shape;
    // Of a pipeline each stage has its share of the requests; a step yields more tokens than one where drafts are accepted.
    let tokens = served.running * (1.0 + setup.drafts) / setup.accepted / f64::from(setup.layout.pipeline.max(1));
    let decode = step_share(fitted, setup, &served.step, tokens);
    let active = s.attention + s.dense + s.shared + s.expert * s.experts_per_token + s.output;
    let gpus = f64::from(setup.layout.gpus().max(1));
    let own = load.input - load.cached;
    let attending = f64::min(step::prompt_attention(fitted, setup, own, load.cached), served.prefill_s);
    let products = served.prefill_s - attending;
    let computed = 2.0 * active * own / (gpus * setup.gpu.rates[1] * products.max(1e-9));
    // Arithmetic that waits on memory, links and small tiles still keeps the board busy: at least a tenth of the peak.
    let drawn =
        Kernel::of(setup.formats.dense).share(0.1, computed.max(0.1)) * products + PROMPT_ATTENTION_SHARE * attending;
    (decode, SERVING_OVER_KERNELS * drawn / served.prefill_s.max(1e-9))
}

/// Board power and speed of a phase that would draw `watts` without any limit, under a cap. Speed is over that at the
/// board's own limit: step times were measured there.
pub(crate) fn under(phase: Phase, watts: f64, board_w: f64, cap_w: f64) -> (f64, f64) {
    let at = |limit_w: f64| {
        let power = f64::min(limit_w / watts, 1.0);
        (power * watts, CapCurve::FITTED.throughput_at_power(phase, power))
    };
    let ((power_w, speed), (_, own)) = (at(f64::min(cap_w, board_w)), at(board_w));
    (power_w, speed / own)
}

/// What each board draws under a load, with a cap on its power if there is one.
pub fn draw(fitted: &Coefficients, setup: &Setup, load: &Load, served: &Served, board_w: f64, cap_w: f64) -> Draw {
    let (decode, prefill) = phase_shares(fitted, setup, load, served);
    let (decode_w, prefill_w) = (decode * board_w, prefill * board_w);
    let ((decode_w, decode_speed), (prefill_w, prefill_speed)) =
        (under(Phase::Decode, decode_w, board_w, cap_w), under(Phase::Prefill, prefill_w, board_w, cap_w));
    let time = |share: f64, speed: f64| if speed > 0.0 { share / speed } else { f64::INFINITY };
    let prefill_time = time(served.prefill_share, prefill_speed);
    let decode_time = time(1.0 - served.prefill_share, decode_speed);
    let speed = 1.0 / (prefill_time + decode_time);
    let energy = prefill_w * prefill_time + decode_w * decode_time;
    let rate = served.output_tokens_per_s_per_gpu;
    Draw {
        gpu_power_w: energy * speed,
        prefill_power_w: prefill_w,
        decode_power_w: decode_w,
        joules_per_output_token: energy / rate,
        prefill_joules_per_output_token: prefill_w * prefill_time / rate,
        speed,
        prefill_speed,
        decode_speed,
    }
}
