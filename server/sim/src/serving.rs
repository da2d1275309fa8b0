//! Serving: how many tokens a machine makes of a model, what its users wait, at how many watts, and how sure that is.
//!
//! # Where the numbers come from
//! `step` has the physics, with the coefficients of `coefficients`; `make calibrate` fits them to measured points and writes
//! `fitted`, the error bands of `band` and the validation report (`server/catalog/validation/`), with each GPU and each model
//! left out in turn. Board power is in `draw`.
//!
//! Read `shape` (a model as the machine sees it), `step`, `served` (closed loop), `predict`; `ask` finds what a benchmark's
//! words mean, `cost` gives a step's time to the replay of requests. Below is the face that designs use: the best replica of
//! a GPU for a service.

pub mod ask;
pub mod band;
pub mod coefficients;
pub mod cost;
pub mod draw;
pub mod fitted;
pub mod held;
pub mod predict;
pub mod search;
pub mod served;
pub mod shape;
pub mod step;
pub mod workload;

use crate::board::{CapCurve, Phase};
use crate::serving::coefficients::Engine;
use crate::serving::fitted::FITTED;
use crate::serving::predict::Binds;
use crate::serving::served::{Load, closed_loop};
use crate::serving::shape::{Format, Formats};
use crate::serving::step::{Layout, Setup};
use model::design::Precision;
use model::part::{Gpu, LanguageModel};
use model::quantity::Span;

/// Most requests a replica runs at once, as engines limit it.
const BATCH_MAX: f64 = 1024.0;
/// Most GPUs that split a matrix: beyond, attention is data-parallel and experts are spread.
const TENSOR_MAX: u32 = 8;

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
    /// Exchange between GPUs, launches and the host.
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
    /// Share of board power drawn in prefill, without a cap.
    pub prefill_power: f64,
    /// Share of board power drawn in decode.
    pub decode_power: f64,
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
        /// Bytes of the largest group.
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

/// The best replica of `gpu` for `work`: the group of 1, 2, 4, … GPUs of a domain and the batch with most output tokens
/// per second and GPU that fits in memory and meets both targets.
pub fn best_point(gpu: &Gpu, domain_gpus: u32, work: &Work<'_>) -> Result<Point, Refusal> {
    let mut refusal = None;
    let mut best: Option<Point> = None;
    let mut gpus = 1;
    loop {
        match point(gpu, gpus, work) {
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

/// How a group divides a model: matrices split as far as that goes, beyond it experts spread and attention data-parallel.
pub fn layout(model: &LanguageModel, gpus: u32) -> Layout {
    if model.experts > 0 && gpus > TENSOR_MAX {
        Layout { tensor: 1, pipeline: 1, data: gpus, expert: gpus }
    } else {
        Layout::tensor(gpus)
    }
}

/// The largest batch that fits and meets the targets on a group of `gpus`.
fn point(gpu: &Gpu, gpus: u32, work: &Work<'_>) -> Result<Point, Refusal> {
    let formats = Formats::of(work.model, Format::from(work.precision));
    let setup = Setup::new(gpu, work.model, formats, layout(work.model, gpus), Engine::Vllm);
    let room = step::room(&setup, work.context_tokens, work.output_tokens);
    if room < 1.0 {
        let (weights, memory) = step::weights_and_memory(&setup);
        let g = f64::from(gpus);
        return Err(Refusal::TooLarge { weights: weights * g, memory: memory * g });
    }
    let at = |batch: f64| at_batch(&setup, work, batch);
    let meets = |batch: f64| {
        at(batch).is_some_and(|p| p.tpot_s <= work.tpot.as_seconds() && p.ttft_s <= work.ttft.as_seconds())
    };
    if !meets(1.0) {
        let (ttft_s, tpot_s) = at(1.0).map_or((0.0, 0.0), |p| (p.ttft_s, p.tpot_s));
        return Err(Refusal::TargetsMissed { ttft_s, tpot_s });
    }
    let most = room.floor().min(BATCH_MAX * f64::from(setup.layout.data));
    let batch = if meets(most) { most } else { largest_true(most, meets) };
    let mut point = at(batch).ok_or(Refusal::TargetsMissed { ttft_s: 0.0, tpot_s: 0.0 })?;
    if batch < most {
        point.bound = Bound::TimeTargets;
    } else if most < BATCH_MAX * f64::from(setup.layout.data) && point.bound == Bound::MemoryBandwidth {
        point.bound = Bound::MemorySize;
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

/// A replica of a batch of requests; none where they have no room.
fn at_batch(setup: &Setup, work: &Work<'_>, batch: f64) -> Option<Point> {
    let cached = work.context_tokens - work.prefill_tokens;
    let load = Load { cached, ..Load::of(batch, work.context_tokens, work.output_tokens) };
    let served = closed_loop(&FITTED, setup, &load)?;
    let (decode_power, prefill_power) = draw::phase_shares(&FITTED, setup, &load, &served);
    let bound = match predict::binds(&load, &served) {
        Binds::Weights | Binds::Past => Bound::MemoryBandwidth,
        Binds::Prompts | Binds::Arithmetic => Bound::Arithmetic,
        Binds::Links | Binds::Host => Bound::Links,
        Binds::MemorySize => Bound::MemorySize,
    };
    Some(Point {
        gpus: setup.layout.gpus(),
        batch,
        ttft_s: served.ttft_s,
        tpot_s: served.tpot_s,
        tokens_per_s_per_gpu: served.output_tokens_per_s_per_gpu,
        prefill_share: served.prefill_share,
        prefill_power,
        decode_power,
        bound,
    })
}

/// A replica's power and throughput under a cap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capped {
    /// Board power at full work, W.
    pub power_w: f64,
    /// Throughput over that at the board's own limit, where it was measured.
    pub throughput: f64,
    /// Board power that the work would draw without any limit, W.
    pub uncapped_w: f64,
}

/// Board power of a point without a cap, W: each phase's share of board power by its time.
fn uncapped_power(gpu: &Gpu, point: &Point) -> f64 {
    let share = point.prefill_share * point.prefill_power + (1.0 - point.prefill_share) * point.decode_power;
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
    let throughput = phased(point, |phase| CapCurve::FITTED.throughput_at_power(phase, share));
    Capped { power_w: share * uncapped_w, throughput: throughput / at_own_limit(gpu, point, uncapped_w), uncapped_w }
}

/// Throughput at the board's own limit, over that without any: times were measured there.
fn at_own_limit(gpu: &Gpu, point: &Point, uncapped_w: f64) -> f64 {
    let share = f64::min(gpu.board_power.as_watts() / uncapped_w, 1.0);
    phased(point, |phase| CapCurve::FITTED.throughput_at_power(phase, share))
}

/// Most throughput, over that at the board's own limit, at a mean board power in watts, when the fleet may lower caps and rest boards.
pub fn best_at_power(gpu: &Gpu, point: &Point, uncapped_w: f64) -> impl Fn(f64) -> f64 {
    let (point, idle) = (*point, gpu.idle_power.as_watts() / uncapped_w);
    let prefill = CapCurve::FITTED.most_efficient_power(Phase::Prefill, idle);
    let decode = CapCurve::FITTED.most_efficient_power(Phase::Decode, idle);
    let limit = at_own_limit(gpu, &point, uncapped_w);
    move |power_w| {
        let throughput = phased(&point, |phase| {
            let knee = if phase == Phase::Prefill { prefill } else { decode };
            CapCurve::FITTED.best_throughput(phase, power_w / uncapped_w, idle, knee)
        });
        throughput / limit
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

/// The margin that bands are made with: where 90% of measured points lie about the prediction, by what was measured of GPU
/// and model ([`band`]).
///
/// Mixtures of experts on racks of one NVLink domain lean upwards: measured GB200 racks in 4 bits made up to twice what is
/// predicted by the roofline that stood here before (this model was not held against their frontier), as deployments there may predict several tokens at once and split prefill from decode, which a design's
/// service does not say.
pub fn margin(gpu: &Gpu, domain_gpus: u32, model: &LanguageModel) -> Margin {
    let experts = model.experts > 0;
    let rate = band::bands(band::known(gpu.id.as_str(), model.id.as_str()), band::Kind::of(model)).rate;
    let (below, above) = (f64::max(1.0 - rate.low, 0.05), f64::max(rate.high - 1.0, 0.05));
    if experts && domain_gpus > TENSOR_MAX {
        Margin { below: below.max(0.45), above: above.max(1.0) }
    } else {
        Margin { below, above }
    }
}
