//! The first serving model: a roofline. How many tokens one GPU makes at full work, within memory and time targets.
//!
//! # Where the numbers come from
//! The constants of [`Roofline::FITTED`] are fitted by least absolute error of the logarithm of the time between tokens
//! of measured points with one attention group (aiconfigurator's public silicon sample, Apache-2.0): all of H100, and the
//! dense model on B200; and of one point at a full batch, where that sample has none (MLPerf v4.1 Inference Closed,
//! NVIDIA DGX H100, Llama-2-70B Offline; derived figures not verified by MLCommons Association). Absolute rather than
//! squared, as a few rows are off by factors. `tests/engine/fit.rs` makes the fit anew; its bandwidth share is bounded, as
//! a free fit runs to 1.
//!
//! Outside the fit: mixtures of experts on B200 (15% and 33% mean error), MLPerf's H200 node (−7 and −13% of its tokens),
//! and the frontier of measured GB200 racks; `tests/engine/serving.rs` and `board.rs` print them. B200 was in view when
//! the form of the model was chosen. Rows with several attention groups, and how disaggregated deployments are split,
//! are outside this model.

pub mod cost;

use crate::board::{self, CapCurve, Phase};
use model::design::Precision;
use model::part::{Attention, Gpu, LanguageModel};
use model::quantity::{ComputeRate, Span};

/// The fitted constants of the roofline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Roofline {
    /// Share of peak memory bandwidth reached while reading weights and past.
    pub bandwidth_efficiency: f64,
    /// Share of peak arithmetic reached in matrix products.
    pub arithmetic_efficiency: f64,
    /// Launch and scheduling time of each layer in a step, seconds.
    pub layer_overhead_s: f64,
    /// Latency of one collective between GPUs, seconds; two in a layer.
    pub collective_latency_s: f64,
    /// Host time for each running request in a step, seconds.
    pub request_overhead_s: f64,
}

impl Roofline {
    /// Fitted as this file's head says.
    pub const FITTED: Self = Self {
        bandwidth_efficiency: 0.90,
        arithmetic_efficiency: 0.583,
        layer_overhead_s: 6.77e-5,
        collective_latency_s: 2.35e-6,
        request_overhead_s: 2.25e-5,
    };
}

/// Share of the shorter of memory and arithmetic time that does not hide behind the longer.
const OVERLAP_LOSS: f64 = 0.3;
/// Share of link bandwidth that collectives reach.
const LINK_EFFICIENCY: f64 = 0.7;
/// Share of GPU memory that weights and past may take; the rest is activations and runtime
/// (the default of vLLM's `gpu_memory_utilization`).
const MEMORY_SHARE: f64 = 0.90;
/// Runtime reserve on each GPU, bytes: aiconfigurator's `other_mem` for current systems.
const RUNTIME_RESERVE: f64 = 3.76e9;
/// Most requests a replica runs at once, as engines limit it.
const BATCH_MAX: f64 = 1024.0;

/// What is asked of a replica.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// The model.
    pub model: &'a LanguageModel,
    /// Its number format.
    pub precision: Precision,
    /// Prompt tokens that need prefill.
    pub prefill_tokens: f64,
    /// Prompt tokens kept in memory.
    pub context_tokens: f64,
    /// Answer tokens.
    pub output_tokens: f64,
    /// Longest mean time to the first token.
    pub ttft: Span,
    /// Longest mean time between tokens.
    pub tpot: Span,
}

/// What decides a replica's speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Reading weights and past.
    MemoryBandwidth,
    /// Arithmetic on prompts and batches.
    Arithmetic,
    /// Exchange between GPUs.
    Links,
    /// No room for more requests.
    MemorySize,
    /// The time targets allow no larger batch.
    TimeTargets,
}

impl Bound {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::MemoryBandwidth => "memory bandwidth",
            Self::Arithmetic => "arithmetic",
            Self::Links => "links",
            Self::MemorySize => "memory size",
            Self::TimeTargets => "time targets",
        }
    }
}

/// A replica at full work.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// GPUs that hold one copy.
    pub gpus: u32,
    /// Requests at once.
    pub batch: f64,
    /// Mean time to the first token, seconds, without waiting for a place.
    pub ttft_s: f64,
    /// Mean time between tokens, seconds, interruptions by prefill included.
    pub tpot_s: f64,
    /// Output tokens per second of one GPU.
    pub tokens_per_s_per_gpu: f64,
    /// Share of time in prefill.
    pub prefill_share: f64,
    /// Share of decode time bound by arithmetic rather than memory, 0..=1.
    pub decode_intensity: f64,
    /// What decides the speed.
    pub bound: Bound,
}

/// Why no point can be had.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Refusal {
    /// The weights do not fit in the largest group: needed and had, bytes.
    TooLarge {
        /// Bytes of weights.
        weights: f64,
        /// Bytes of the largest group that weights may take.
        memory: f64,
    },
    /// One request alone misses the targets: its times, seconds.
    TargetsMissed {
        /// Best time to the first token.
        ttft_s: f64,
        /// Best time between tokens.
        tpot_s: f64,
    },
}

/// Bytes of one parameter: fp4 carries a scale for each block of 16.
fn bytes_per_parameter(precision: Precision) -> f64 {
    match precision {
        Precision::Bf16 => 2.0,
        Precision::Fp8 => 1.0,
        Precision::Fp4 => 0.5625,
    }
}

/// Arithmetic rate in a number format; a chip without it computes in the next wider one.
fn flops(gpu: &Gpu, precision: Precision) -> f64 {
    let rates = gpu.flops;
    let wide = rates.bf16.as_flops();
    let eight = rates.fp8.map_or(wide, ComputeRate::as_flops);
    match precision {
        Precision::Bf16 => wide,
        Precision::Fp8 => eight,
        Precision::Fp4 => rates.fp4.map_or(wide, ComputeRate::as_flops),
    }
}

/// Bytes of past kept for one token, all layers: keys and values of each head, or one latent vector; 8-bit where the
/// weights are. Windowed layers keep at most their window.
fn past_bytes(model: &LanguageModel, precision: Precision, context: f64) -> f64 {
    let width = if precision == Precision::Bf16 { 2.0 } else { 1.0 };
    match model.attention {
        Attention::GroupedQuery { kv_heads, head_dim, windowed_layers, window_tokens } => {
            let per_layer = 2.0 * f64::from(kv_heads) * f64::from(head_dim) * width;
            let seen = f64::min(1.0, f64::from(window_tokens) / f64::max(context, 1.0));
            per_layer
                * (f64::from(model.layers - windowed_layers.min(model.layers)) + f64::from(windowed_layers) * seen)
        }
        Attention::Latent { latent_dim } => f64::from(latent_dim) * f64::from(model.layers) * width,
    }
}

/// Parameters outside routed experts, and in all routed experts together.
///
/// From total P, active A and the share k/E of experts that a token uses: P = shared + routed, A = shared + routed·k/E.
fn split_parameters(model: &LanguageModel) -> (f64, f64) {
    if model.experts == 0 {
        return (model.parameters, 0.0);
    }
    let used = f64::from(model.experts_per_token) / f64::from(model.experts);
    let routed = (model.parameters - model.active_parameters) / (1.0 - used);
    (model.parameters - routed, routed)
}

/// Times of one decode step of `batch` requests on `gpus` GPUs: memory, arithmetic, links and overhead, seconds.
struct StepTime {
    memory: f64,
    arithmetic: f64,
    links: f64,
    overhead: f64,
}

impl StepTime {
    fn total(&self) -> f64 {
        self.memory.max(self.arithmetic) + OVERLAP_LOSS * self.memory.min(self.arithmetic) + self.links + self.overhead
    }
}

/// One decode step.
///
/// memory = (weights touched + batch · context · past bytes) / (g · bandwidth · η); a batch of B touches
/// 1 − (1 − k/E)^B of the routed experts. arithmetic = 2 · active parameters · B / (g · flops · η). links = two
/// all-reduces a layer: 2·(latency + B·hidden·2 bytes·(g−1)/g / bandwidth).
fn decode_step(roofline: &Roofline, gpu: &Gpu, work: &Work<'_>, gpus: f64, batch: f64) -> StepTime {
    let model = work.model;
    let width = bytes_per_parameter(work.precision);
    let (shared, routed) = split_parameters(model);
    let used = if model.experts == 0 { 0.0 } else { f64::from(model.experts_per_token) / f64::from(model.experts) };
    let touched = 1.0 - libm::pow(1.0 - used, batch);
    let context = work.context_tokens + work.output_tokens / 2.0;
    let read = (shared + routed * touched) * width + batch * context * past_bytes(model, work.precision, context);
    let layers = f64::from(model.layers);
    let exchanged = batch * f64::from(model.hidden_size) * 2.0 * (gpus - 1.0) / gpus;
    let link = gpu.link_bandwidth.as_bytes_per_second() * LINK_EFFICIENCY;
    StepTime {
        memory: read / (gpus * gpu.memory_bandwidth.as_bytes_per_second() * roofline.bandwidth_efficiency),
        arithmetic: 2.0 * model.active_parameters * batch
            / (gpus * flops(gpu, work.precision) * roofline.arithmetic_efficiency),
        links: if gpus > 1.0 { layers * 2.0 * (roofline.collective_latency_s + exchanged / link) } else { 0.0 },
        overhead: layers * roofline.layer_overhead_s + roofline.request_overhead_s * batch,
    }
}

/// Time to prefill one prompt on `gpus` GPUs, seconds.
///
/// flops = 2 · active parameters · n + 2 · layers · hidden · n² (causal attention); links as in a decode step with n
/// tokens. 4-bit formats reach 0.7 of their rate on prompts, as activations are quantised on the way.
fn prefill_time(roofline: &Roofline, gpu: &Gpu, work: &Work<'_>, gpus: f64) -> f64 {
    let (model, n) = (work.model, work.prefill_tokens);
    let layers = f64::from(model.layers);
    let hidden = f64::from(model.hidden_size);
    let operations = 2.0 * model.active_parameters * n + 2.0 * layers * hidden * n * n;
    let format = if work.precision == Precision::Fp4 { 0.7 } else { 1.0 };
    let compute = operations / (gpus * flops(gpu, work.precision) * format * roofline.arithmetic_efficiency);
    let link = gpu.link_bandwidth.as_bytes_per_second() * LINK_EFFICIENCY;
    let links = if gpus > 1.0 { layers * 2.0 * (n * hidden * 2.0) / link } else { 0.0 };
    compute + links
}

/// Mean time between tokens of `batch` requests on `gpus` GPUs with prompts prefilled in between, seconds, and its parts:
/// the decode step and one prompt's prefill.
///
/// A request holds its place for `output` steps, in which every place admits one prompt: tpot = step + batch · prefill / output.
pub fn time_per_token(roofline: &Roofline, gpu: &Gpu, work: &Work<'_>, gpus: u32, batch: f64) -> (f64, f64, f64) {
    let step = decode_step(roofline, gpu, work, f64::from(gpus), batch).total();
    let prefill = prefill_time(roofline, gpu, work, f64::from(gpus));
    (step + batch * prefill / work.output_tokens.max(1.0), step, prefill)
}

/// The best replica of `gpu` for `work`: the group of 1, 2, 4, … GPUs of a domain and the batch with most output tokens
/// per second and GPU that fits in memory and meets both targets.
pub fn best_point(roofline: &Roofline, gpu: &Gpu, domain_gpus: u32, work: &Work<'_>) -> Result<Point, Refusal> {
    let mut refusal = None;
    let mut best: Option<Point> = None;
    let mut gpus = 1;
    loop {
        match point(roofline, gpu, gpus, work) {
            Ok(found) if best.is_none_or(|b| found.tokens_per_s_per_gpu > b.tokens_per_s_per_gpu) => best = Some(found),
            Ok(_) => {}
            Err(why) => refusal = Some(why),
        }
        if gpus >= domain_gpus.max(1) {
            break;
        }
        // A domain that is no power of two (72) ends with all of it.
        gpus = (gpus * 2).min(domain_gpus);
    }
    best.ok_or(refusal.unwrap_or(Refusal::TooLarge { weights: 0.0, memory: 0.0 }))
}

/// The largest batch that fits and meets the targets on a group of `gpus`.
fn point(roofline: &Roofline, gpu: &Gpu, gpus: u32, work: &Work<'_>) -> Result<Point, Refusal> {
    let g = f64::from(gpus);
    let weights = work.model.parameters * bytes_per_parameter(work.precision);
    let memory = g * f64::max(gpu.memory.as_bytes() * MEMORY_SHARE - RUNTIME_RESERVE, 0.0);
    let context = work.context_tokens + work.output_tokens;
    let per_request = f64::max(context * past_bytes(work.model, work.precision, context), 1.0);
    let room = (memory - weights) / per_request;
    if room < 1.0 {
        return Err(Refusal::TooLarge { weights, memory });
    }
    let times = |batch: f64| {
        let (tpot, step, prefill) = time_per_token(roofline, gpu, work, gpus, batch);
        (tpot, step + prefill)
    };
    let meets = |batch: f64| {
        let (tpot, ttft) = times(batch);
        tpot <= work.tpot.as_seconds() && ttft <= work.ttft.as_seconds()
    };
    if !meets(1.0) {
        let (tpot_s, ttft_s) = times(1.0);
        return Err(Refusal::TargetsMissed { ttft_s, tpot_s });
    }
    let most = room.floor().min(BATCH_MAX);
    let batch = if meets(most) { most } else { largest_true(most, meets) };
    let mut point = at_batch(roofline, gpu, gpus, work, batch);
    if batch < most {
        point.bound = Bound::TimeTargets;
    }
    Ok(point)
}

/// Largest whole number in 1..`most` for which a predicate that turns false once still holds.
fn largest_true(most: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (1.0, most);
    while high - low > 1.0 {
        let middle = f64::floor(f64::midpoint(low, high));
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

fn at_batch(roofline: &Roofline, gpu: &Gpu, gpus: u32, work: &Work<'_>, batch: f64) -> Point {
    let step = decode_step(roofline, gpu, work, f64::from(gpus), batch);
    let (tpot_s, step_s, prefill_s) = time_per_token(roofline, gpu, work, gpus, batch);
    let prefill_share = 1.0 - step_s / tpot_s;
    let bound = if step.links + step.overhead > step.memory.max(step.arithmetic) {
        Bound::Links
    } else if prefill_share > 0.5 || step.arithmetic > step.memory {
        Bound::Arithmetic
    } else if batch < BATCH_MAX {
        Bound::MemorySize
    } else {
        Bound::MemoryBandwidth
    };
    Point {
        gpus,
        batch,
        ttft_s: step_s + prefill_s,
        tpot_s,
        tokens_per_s_per_gpu: batch / tpot_s / f64::from(gpus),
        prefill_share,
        decode_intensity: f64::min(1.0, step.arithmetic / step.memory.max(1e-12)),
        bound,
    }
}

/// A replica's power and throughput under a cap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capped {
    /// Board power at full work, W.
    pub power_w: f64,
    /// Throughput over uncapped.
    pub throughput: f64,
    /// Uncapped board power, W.
    pub uncapped_w: f64,
}

/// Board power of a point without a cap, W: each phase's share of board power by its time, decode between the
/// memory-bound and the arithmetic-bound share by its intensity.
fn uncapped_power(gpu: &Gpu, point: &Point) -> f64 {
    let decode =
        board::DECODE_POWER_SHARE + (board::PREFILL_POWER_SHARE - board::DECODE_POWER_SHARE) * point.decode_intensity;
    let share = point.prefill_share * board::PREFILL_POWER_SHARE + (1.0 - point.prefill_share) * decode;
    f64::max(share * gpu.board_power.as_watts(), gpu.idle_power.as_watts())
}

/// Throughput of a point whose boards draw `power` times their uncapped draw; phases slow by their own curves and
/// their times add: 1/t = prefill share / t_prefill + decode share / t_decode.
fn phased(point: &Point, of_phase: impl Fn(Phase) -> f64) -> f64 {
    let (prefill, decode) = (of_phase(Phase::Prefill), of_phase(Phase::Decode));
    if prefill <= 0.0 || decode <= 0.0 {
        return 0.0;
    }
    1.0 / (point.prefill_share / prefill + (1.0 - point.prefill_share) / decode)
}

/// The point under a power cap, watts for each board.
pub fn capped(gpu: &Gpu, point: &Point, cap_w: f64) -> Capped {
    let uncapped_w = uncapped_power(gpu, point);
    let share = f64::min(cap_w / uncapped_w, 1.0);
    Capped {
        power_w: share * uncapped_w,
        throughput: phased(point, |phase| CapCurve::FITTED.throughput_at_power(phase, share)),
        uncapped_w,
    }
}

/// Most throughput, over uncapped, at a mean board power in watts, when the fleet may lower caps and rest boards.
pub fn best_at_power(gpu: &Gpu, point: &Point, uncapped_w: f64) -> impl Fn(f64) -> f64 {
    let (point, idle) = (*point, gpu.idle_power.as_watts() / uncapped_w);
    let prefill = CapCurve::FITTED.most_efficient_power(Phase::Prefill, idle);
    let decode = CapCurve::FITTED.most_efficient_power(Phase::Decode, idle);
    move |power_w| {
        phased(&point, |phase| {
            let knee = if phase == Phase::Prefill { prefill } else { decode };
            CapCurve::FITTED.best_throughput(phase, power_w / uncapped_w, idle, knee)
        })
    }
}

/// How far the tokens per second may truly be from what is predicted, as shares of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margin {
    /// Downwards.
    pub below: f64,
    /// Upwards.
    pub above: f64,
}

/// The margin that bands are made with: the mean errors that `tests/engine/serving.rs` prints.
///
/// 15% for dense models, fitted on H100 and B200 and 13% off on MLPerf's H200 outside the fit; 35% for mixtures of experts
/// on those chips. Mixtures of experts on racks of one NVLink domain lean upwards: measured GB200 racks in 4 bits made
/// twice what is predicted on average, as deployments there may predict several tokens at once, split prefill from
/// decode and spread experts wide, which this model does not. GPUs that it was not checked on carry 30% and 45%, a judgement.
pub fn margin(gpu: &Gpu, domain_gpus: u32, model: &LanguageModel) -> Margin {
    let measured = ["h100", "h200", "b200"].iter().any(|name| gpu.id.as_str().starts_with(name));
    let even = |error| Margin { below: error, above: error };
    match (measured, model.experts > 0) {
        (true, false) => even(0.15),
        (true, true) => even(0.35),
        (false, true) if domain_gpus > 8 => Margin { below: 0.45, above: 1.0 },
        (false, true) => even(0.45),
        (false, false) => even(0.30),
    }
}
