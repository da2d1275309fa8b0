//! What a GPU board draws while it serves: by how hard its memory and its arithmetic work, and under a cap.
//!
//! P = f + (1 − f)·(1 − exp(−(a·b^p + c·u^q))) of board power; b and u are the shares of peak bandwidth and arithmetic in
//! use. Fitted to kernels of at least 0.2 ms in the measured tables of B200 (aiconfigurator-core 0.12.0, vLLM 0.22.0:
//! fused experts), 13% mean error, and taken over to other boards as shares of their power. A board that draws 245 W of
//! 1000 W between kernels is where f comes from. This fit was made once and by hand: unlike the coefficients of a step's time
//! it is not made anew by `make calibrate`, and no test holds these constants to the tables.

use crate::board::{CapCurve, Phase};
use crate::serving::coefficients::Coefficients;
use crate::serving::served::{Load, Served};
use crate::serving::step::Setup;
use serde::{Deserialize, Serialize};

/// Share of board power that is drawn as soon as clocks are up.
pub const FLOOR_SHARE: f64 = 0.245;
/// How steeply power rises with bandwidth in use, and the exponent.
const BANDWIDTH: (f64, f64) = (3.67, 1.84);
/// The same for arithmetic.
const ARITHMETIC: (f64, f64) = (7.88, 0.72);
/// Share of board power while the past is read: the median of decode-attention kernels of B200 at 80% of bandwidth and more.
const PAST_SHARE: f64 = 0.65;
/// The same while activations pass through memory: kernels of a tenth to a third of bandwidth.
const ACTIVATIONS_SHARE: f64 = 0.6;
/// The same in launches, links and gaps: small kernels one after another draw 0.43, waiting draws the floor.
const GAP_SHARE: f64 = 0.35;
/// Board power of a serving replica over that of its kernels measured one by one: fitted to the node power of MLPerf v4.1
/// Inference Closed, NVIDIA H200-SXM-141GBx8 MaxQ, Offline; its Server run is left out and checks it. Derived figures not
/// verified by MLCommons Association.
pub const SERVING_OVER_KERNELS: f64 = 1.1742;
/// Relative error that bands of power are made with: between quartiles, kernels lie within ±10%; tails are twice that.
pub const ERROR: f64 = 0.22;

/// Share of board power at shares of peak bandwidth and arithmetic in use.
pub fn share(bandwidth: f64, arithmetic: f64) -> f64 {
    let rise = BANDWIDTH.0 * libm::pow(bandwidth.clamp(0.0, 1.0), BANDWIDTH.1)
        + ARITHMETIC.0 * libm::pow(arithmetic.clamp(0.0, 1.0), ARITHMETIC.1);
    FLOOR_SHARE + (1.0 - FLOOR_SHARE) * (1.0 - libm::exp(-rise))
}

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
    /// Throughput over what no cap would give.
    pub speed: f64,
    /// The same of prompts alone.
    pub prefill_speed: f64,
    /// The same of answers alone.
    pub decode_speed: f64,
}

/// Shares of board power in decode steps and in prompts, without a cap.
///
/// A step's power is the mean over its parts by their time: reading weights and experts at the bandwidth that they reach, with
/// the arithmetic that goes on meanwhile; reading the past and activations; links, launches and gaps. Prompts reach the
/// fitted share of peak arithmetic.
pub fn phase_shares(fitted: &Coefficients, setup: &Setup, load: &Load, served: &Served) -> (f64, f64) {
    let step = &served.step;
    let total = step.total().max(1e-9);
    let s = &setup.shape;
    let active = s.attention + s.dense + s.shared + s.expert * s.experts_per_token + s.output;
    let gpus = f64::from(setup.layout.gpus().max(1));
    let peak = setup.gpu.rates[1];
    let products = step.weights + step.arithmetic + step.experts;
    let computed = 2.0 * active * served.running * (1.0 + setup.drafts)
        / setup.accepted
        / f64::from(setup.layout.pipeline.max(1))
        / (gpus * peak * products.max(1e-9));
    let read =
        (step.weights * fitted.weight_bandwidth + step.experts * fitted.expert_bandwidth.min(1.0)) / products.max(1e-9);
    let drawn = share(read, computed) * products
        + PAST_SHARE * step.past
        + ACTIVATIONS_SHARE * step.activations
        + GAP_SHARE * (step.links + step.host);
    let prompt = 2.0 * active * (load.input - load.cached) / (gpus * peak * served.prefill_s.max(1e-9));
    // Arithmetic that waits on memory, links and small tiles still keeps the board busy: at least a tenth of the peak.
    (SERVING_OVER_KERNELS * drawn / total, SERVING_OVER_KERNELS * share(0.1, prompt.max(0.1)))
}

/// What each board draws under a load, with a cap on its power if there is one.
pub fn draw(fitted: &Coefficients, setup: &Setup, load: &Load, served: &Served, board_w: f64, cap_w: f64) -> Draw {
    let (decode, prefill) = phase_shares(fitted, setup, load, served);
    let (decode_w, prefill_w) = (decode * board_w, prefill * board_w);
    let under = |phase: Phase, watts: f64| {
        let power = f64::min(cap_w / watts, 1.0);
        (power * watts, CapCurve::FITTED.throughput_at_power(phase, power))
    };
    let (decode_w, decode_speed) = under(Phase::Decode, decode_w);
    let (prefill_w, prefill_speed) = under(Phase::Prefill, prefill_w);
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
