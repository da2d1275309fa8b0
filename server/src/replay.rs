//! From what is asked of a replay to a fleet: parts from the catalog, step times from the serving model, limits as engines
//! have them unasked; and from what comes of it to what is kept.

use model::catalog::Catalog;
use model::part::{Gpu, LanguageModel};
use model::replay::{
    Measured, REPLAY_BINS_MAX, REPLAY_EVENTS_MAX, REPLAY_ROWS_MAX, REPLAY_TENANTS_MAX, ReplayChange, ReplayEnds,
    ReplayEnergy, ReplayEvent, ReplayFound, ReplayOutcome, ReplaySeries, ReplaySetup, ReplaySpread, ReplaySureness,
    ReplayTenant, ReplayTier, ReplayTimeline, Routing,
};
use sim::replay::fleet::{
    Caching, Change, Engine as Limits, Event, Fleet, Planner, Pool, Role, Router, Scaling, Tier, Transfer,
};
use sim::replay::outcome::{Outcome, Spread, Strip, TIMELINE_MAX, Tenant};
use sim::replay::request::Requests;
use sim::replay::{Options, Records, Slo, Watch};
use sim::serving::ask;
use sim::serving::band::{self, Kind, Known};
use sim::serving::coefficients::Engine;
use sim::serving::cost::StepCost;
use sim::serving::fitted::FITTED;
use sim::serving::shape::{Format, Formats};
use sim::serving::step::{self, Layout, Setup};

/// GPUs with at least this much memory are given long steps by vLLM: 70 GiB.
const LARGE_MEMORY_BYTES: f64 = 70.0 * 1024.0 * 1024.0 * 1024.0;
/// Most bytes of a tier of a replica's cache: a petabyte.
const TIER_MAX_BYTES: f64 = 1e15;
/// And how fast it may be.
const TIER_MAX_BYTES_PER_S: f64 = 1e13;
/// Most replicas of one replay.
pub const REPLICAS_MAX: u32 = 4096;

/// What the parts of a replay are.
pub struct Parts<'a> {
    /// The GPU.
    pub gpu: &'a Gpu,
    /// The model.
    pub model: &'a LanguageModel,
    /// One replica.
    pub setup: Setup,
}

/// Finds the parts.
///
/// # Errors
/// With what is not in the catalog, or makes no sense.
pub fn parts<'a>(catalog: &'a Catalog, asked: &ReplaySetup) -> Result<Parts<'a>, String> {
    let gpu = ask::gpu(catalog, &asked.gpu)?;
    let model = ask::language_model(catalog, &asked.model)?;
    let engine = Engine::named(&asked.engine).ok_or_else(|| {
        format!("{:?} is no engine; there are {}", asked.engine, Engine::ALL.map(Engine::name).join(", "))
    })?;
    if asked.replicas == 0 || asked.replicas > REPLICAS_MAX {
        return Err(format!("{} replicas: there can be 1 to {REPLICAS_MAX}", asked.replicas));
    }
    if asked.prefill_replicas >= asked.replicas {
        return Err("with prefill apart, at least one replica must be left to answer".to_owned());
    }
    let layout = Layout { tensor: asked.tensor, pipeline: 1, data: asked.data, expert: asked.expert };
    if layout.gpus() > 1024 || layout.gpus() == 0 {
        return Err(format!("a replica of {} GPUs: there can be 1 to 1024", layout.gpus()));
    }
    let formats = Formats::of(model, Format::from(asked.precision)).on(engine, gpu);
    let setup = Setup::new(gpu, model, formats, layout, engine);
    Ok(Parts { gpu, model, setup })
}

/// The fleet of a replay, with what happens to it.
///
/// # Errors
/// As [`parts`], and where the model does not fit, or an event can't happen.
pub fn fleet(catalog: &Catalog, asked: &ReplaySetup) -> Result<Fleet, String> {
    let mut fleet = quiet(catalog, asked)?;
    if asked.events.len() > REPLAY_EVENTS_MAX {
        return Err(format!("{} events: there can be {REPLAY_EVENTS_MAX}", asked.events.len()));
    }
    for event in &asked.events {
        happen(catalog, asked, event, &mut fleet).map_err(|why| format!("event {event}: {why}"))?;
    }
    Ok(fleet)
}

/// The fleet of a replay in which nothing happens to it.
fn quiet(catalog: &Catalog, asked: &ReplaySetup) -> Result<Fleet, String> {
    let Parts { gpu, setup, .. } = parts(catalog, asked)?;
    let limits = limits(gpu, asked)?;
    let board_w = gpu.board_power.as_watts();
    let cap_w = asked.power_cap_w.map_or(board_w, |cap| cap.min(board_w));
    if cap_w < gpu.min_power_cap.as_watts() {
        return Err(format!("{} accepts no power limit under {} W", gpu.name, gpu.min_power_cap.as_watts()));
    }
    let cost = StepCost::of(&FITTED, &setup, limits.step_tokens_max, board_w, cap_w).ok_or_else(|| {
        let (weights, memory) = step::weights_and_memory(&setup);
        format!("the model does not fit: {:.0} GB of weights on a GPU of {:.0} GB", weights / 1e9, memory / 1e9)
    })?;
    let caching = caching(asked, cost.past_bytes)?;
    let targets = (asked.ttft_ms / 1e3, asked.tpot_ms / 1e3);
    let pool = |replicas: u32, role: Role| Pool {
        replicas,
        role,
        engine: limits,
        caching,
        scaling: if asked.autoscale {
            Scaling::Planner(Planner { ttft_s: targets.0, tpot_s: targets.1, ..Planner::default() })
        } else {
            Scaling::Fixed
        },
        ..Pool::default()
    };
    let pools = if asked.prefill_replicas == 0 {
        vec![pool(asked.replicas, Role::Both)]
    } else {
        vec![pool(asked.prefill_replicas, Role::Prefill), pool(asked.replicas - asked.prefill_replicas, Role::Decode)]
    };
    // KV leaves and comes over the network card of each GPU: 400 Gb/s, as in HGX nodes.
    let bytes_per_s = 50e9 * f64::from(setup.layout.gpus());
    Ok(Fleet {
        router: router(asked.routing),
        transfer: Transfer { bytes_per_s, latency_s: 1e-3 },
        ..Fleet::alike(cost, pools)
    })
}

/// What replicas keep of prompts: in their GPUs, and in tiers beside them of so many bytes, each token of `past_bytes`.
fn caching(asked: &ReplaySetup, past_bytes: f64) -> Result<Caching, String> {
    if !asked.prefix_cache {
        let beside = asked.host_cache.or(asked.disk_cache);
        let none = "a cache in host memory or on disk needs the prefix cache: turn it on";
        return if beside.is_some() { Err(none.to_owned()) } else { Ok(Caching::Off) };
    }
    let tier = |name: &str, tier: Option<ReplayTier>| {
        let Some(ReplayTier { size_bytes, bytes_per_s }) = tier else { return Ok(Tier::NONE) };
        let is_good = |value: f64, most: f64| value > 0.0 && value <= most;
        if is_good(size_bytes, TIER_MAX_BYTES) && is_good(bytes_per_s, TIER_MAX_BYTES_PER_S) {
            return Ok(Tier { tokens: (size_bytes / past_bytes.max(1.0)) as u64, bytes_per_s });
        }
        Err(format!(
            "{name}: {} GB at {} GB/s: there can be more than 0 to {} GB at more than 0 to {} GB/s",
            size_bytes / 1e9,
            bytes_per_s / 1e9,
            TIER_MAX_BYTES / 1e9,
            TIER_MAX_BYTES_PER_S / 1e9
        ))
    };
    Ok(Caching::Prefix {
        host: tier("cache in host memory", asked.host_cache)?,
        disk: tier("cache on disk", asked.disk_cache)?,
    })
}

fn router(routing: Routing) -> Router {
    match routing {
        Routing::Random => Router::Random,
        Routing::RoundRobin => Router::RoundRobin,
        Routing::LeastLoaded => Router::LeastLoaded,
        Routing::PowerOfTwo => Router::PowerOfTwo,
        Routing::Kv => Router::DYNAMO,
    }
}

/// Most tokens and requests of a step: as asked, or as vLLM's server sets them by the GPU's memory.
fn limits(gpu: &Gpu, asked: &ReplaySetup) -> Result<Limits, String> {
    let large = gpu.memory.as_bytes() >= LARGE_MEMORY_BYTES;
    let (tokens, requests) = if large { (8_192, 1_024) } else { (2_048, 256) };
    let limits = Limits {
        step_tokens_max: asked.step_tokens_max.unwrap_or(tokens),
        requests_max: asked.requests_max.unwrap_or(requests),
        ..Limits::default()
    };
    if !(16..=65_536).contains(&limits.step_tokens_max) {
        return Err(format!("steps of {} tokens: there can be 16 to 65,536", limits.step_tokens_max));
    }
    if !(1..=65_536).contains(&limits.requests_max) {
        return Err(format!("{} requests at once: there can be 1 to 65,536", limits.requests_max));
    }
    Ok(limits)
}

/// Runs a replay, keeping a record of each request and the steps of the first replica.
///
/// # Errors
/// As [`fleet`], and where the requests make no sense.
pub fn run(catalog: &Catalog, asked: &ReplaySetup, requests: &Requests) -> Result<Outcome, String> {
    let fleet = fleet(catalog, asked)?;
    run_with(&fleet, asked, requests, &Options { records: Records::Each, ..Options::default() })
}

/// Puts what happens into a fleet; each limit is a cost of steps of its own.
fn happen(catalog: &Catalog, asked: &ReplaySetup, event: &ReplayEvent, fleet: &mut Fleet) -> Result<(), String> {
    let all: u32 = fleet.pools.iter().map(|pool| pool.replicas).sum();
    if let Some(replica) = event.replica.filter(|replica| *replica >= all) {
        return Err(format!("there is no replica {replica}: they are numbered 0 to {}", all - 1));
    }
    let change = match event.change {
        ReplayChange::Fails => Change::Fails,
        ReplayChange::Returns => Change::Returns,
        ReplayChange::Limit { watts } => {
            let limited = ReplaySetup { power_cap_w: Some(watts), ..asked.clone() };
            fleet.costs.push(quiet(catalog, &limited)?.costs.swap_remove(0));
            Change::Costs { cost: fleet.costs.len() as u32 - 1 }
        }
    };
    let replicas = event.replica.map_or(0..all, |replica| replica..replica + 1);
    fleet.events.extend(replicas.map(|replica| Event { at_s: event.at_s, replica, change }));
    Ok(())
}

/// Runs a replay to be kept: rows of up to [`REPLAY_ROWS_MAX`] requests, and its time in narrow bins.
///
/// # Errors
/// As [`run`].
pub fn run_to_keep(catalog: &Catalog, asked: &ReplaySetup, requests: &Requests) -> Result<Outcome, String> {
    let few = requests.list.len() <= REPLAY_ROWS_MAX as usize;
    let records = if few { Records::Each } else { Records::Sums };
    // Widened by the replay itself until they are few enough.
    run_with(&fleet(catalog, asked)?, asked, requests, &Options { records, bin_s: 0.05, ..Options::default() })
}

fn run_with(fleet: &Fleet, asked: &ReplaySetup, requests: &Requests, options: &Options) -> Result<Outcome, String> {
    let slo = Slo { ttft_s: asked.ttft_ms / 1e3, tpot_s: asked.tpot_ms / 1e3 };
    let options = Options { seed: asked.seed, slo, watch: Watch::Replica(0), ..options.clone() };
    sim::replay::run(fleet, requests, &options).map_err(|problem| problem.to_string())
}

/// What is kept of an outcome: all of its sums, its time in at most [`REPLAY_BINS_MAX`] parts, no request by itself.
/// `tenants` are their names by number; one without a name is told by its number.
pub fn kept(outcome: &Outcome, parts: &Parts<'_>, tenants: &[String]) -> ReplayOutcome {
    let (counts, energy, series) = (&outcome.requests, &outcome.energy, &outcome.series);
    let together = series.running.len().div_ceil(REPLAY_BINS_MAX).max(1);
    let means = |values: &[f64]| values.chunks(together).map(mean).collect();
    let is_known = outcome.cache.blocks > 0;
    let is_some = |count: bool, value: f64| count.then_some(value);
    ReplayOutcome {
        span_s: outcome.span_s,
        ends: ReplayEnds {
            asked: counts.asked,
            finished: counts.finished,
            refused_queue_full: counts.refused_queue_full,
            refused_too_long: counts.refused_too_long,
            refused_no_model: counts.refused_no_model,
            unfinished: counts.unfinished,
        },
        ttft_s: spread(&outcome.ttft_s),
        tpot_s: spread(&outcome.tpot_s),
        e2e_s: spread(&outcome.e2e_s),
        input_tokens: outcome.input_tokens,
        output_tokens: outcome.output_tokens,
        requests_per_s: outcome.requests_per_s,
        output_tokens_per_s: outcome.output_tokens_per_s,
        goodput_per_s: outcome.goodput_per_s,
        attainment: outcome.attainment,
        energy: ReplayEnergy {
            total_j: energy.total_j,
            prompts_j: energy.prompts_j,
            answers_j: energy.answers_j,
            idle_j: energy.idle_j,
            per_output_token_j: is_some(outcome.output_tokens > 0, energy.per_output_token_j),
            per_request_j: is_some(counts.finished > 0, energy.per_request_j),
            mean_w: energy.mean_w,
        },
        prompt_tokens: outcome.cache.prompt_tokens,
        cached_tokens: is_known.then_some(outcome.cache.cached_tokens),
        found: is_known.then_some(ReplayFound {
            blocks: outcome.cache.blocks,
            in_gpus: outcome.cache.blocks_in_hbm,
            in_host: outcome.cache.blocks_in_host,
            on_disk: outcome.cache.blocks_on_disk,
        }),
        preemptions: outcome.preemptions,
        moved_by_failure: outcome.moved_by_failure,
        tenants: self::tenants(outcome, tenants),
        tenants_count: outcome.tenants.len() as u32,
        steps: outcome.steps,
        series: ReplaySeries {
            bin_s: series.bin_s * together as f64,
            running: means(&series.running),
            waiting: means(&series.waiting),
            kv_use: means(&series.kv_use),
            prompt_tokens_per_s: means(&series.prompt_tokens_per_s),
            output_tokens_per_s: means(&series.output_tokens_per_s),
            power_w: means(&series.power_w),
            replicas_on: means(&series.replicas_on),
        },
        timeline: timeline(&outcome.timeline, outcome.span_s),
        sureness: sureness(parts),
        assumed: parts.setup.formats.widened(parts.gpu),
    }
}

/// Tenants where there are several, those with most energy first.
fn tenants(outcome: &Outcome, names: &[String]) -> Vec<ReplayTenant> {
    if outcome.tenants.len() < 2 {
        return Vec::new();
    }
    let kept = |tenant: &Tenant| {
        let number = usize::from(tenant.tenant);
        let p95 = |spread: &Spread| (spread.count > 0).then_some(spread.p95);
        ReplayTenant {
            name: names.get(number).cloned().unwrap_or_else(|| number.to_string()),
            requests: tenant.requests,
            finished: tenant.finished,
            attainment: f64::from(tenant.good) / f64::from(tenant.requests.max(1)),
            input_tokens: tenant.input_tokens,
            output_tokens: tenant.output_tokens,
            ttft_p95_s: p95(&tenant.ttft_s),
            tpot_p95_s: p95(&tenant.tpot_s),
            energy_j: tenant.energy_j + tenant.idle_share_j,
        }
    };
    let mut all: Vec<ReplayTenant> = outcome.tenants.iter().map(kept).collect();
    all.sort_by(|a, b| b.energy_j.total_cmp(&a.energy_j).then_with(|| a.name.cmp(&b.name)));
    all.truncate(REPLAY_TENANTS_MAX);
    all
}

/// To six figures: more than the model knows, and a third of the room.
fn mean(values: &[f64]) -> f64 {
    six_figures(values.iter().sum::<f64>() / values.len().max(1) as f64)
}

fn six_figures(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10_f64.powi(5 - value.abs().log10().floor() as i32);
    (value * scale).round() / scale
}

fn spread(of: &Spread) -> Option<ReplaySpread> {
    let Spread { count, mean, p50, p90, p99, max, .. } = *of;
    (count > 0).then_some(ReplaySpread { count, mean, p50, p90, p99, max })
}

/// A replica's strides in equal parts of its time. A stride that reaches over several gives each its share.
fn timeline(strips: &[Strip], span_s: f64) -> ReplayTimeline {
    let Some(last) = strips.last() else { return ReplayTimeline::default() };
    let end_s = last.at_s + last.span_s;
    let watched_s = if strips.len() < TIMELINE_MAX { span_s.max(end_s) } else { end_s };
    let count = REPLAY_BINS_MAX / 2;
    let bin_s = watched_s / count as f64;
    let [mut answering, mut prompt, mut output, mut blocks] = [(); 4].map(|()| vec![0.0_f64; count]);
    for strip in strips {
        let (from_s, to_s) = (strip.at_s, strip.at_s + strip.span_s);
        let first = ((from_s / bin_s) as usize).min(count - 1);
        let until = ((to_s / bin_s) as usize).min(count - 1);
        for at in first..=until {
            let (start_s, stop_s) = (at as f64 * bin_s, (at + 1) as f64 * bin_s);
            let inside_s = (to_s.min(stop_s) - from_s.max(start_s)).max(0.0);
            let share = if strip.span_s > 0.0 { inside_s / strip.span_s } else { 0.0 };
            answering[at] += f64::from(strip.answering) * inside_s / bin_s;
            prompt[at] += strip.prompt_tokens as f64 * share / bin_s;
            output[at] += strip.output_tokens as f64 * share / bin_s;
            blocks[at] = blocks[at].max(strip.kv_blocks as f64);
        }
    }
    let rounded = |values: Vec<f64>| values.into_iter().map(six_figures).collect();
    ReplayTimeline {
        bin_s,
        watched_s,
        answering: rounded(answering),
        prompt_tokens_per_s: rounded(prompt),
        output_tokens_per_s: rounded(output),
        kv_blocks: rounded(blocks),
    }
}

fn sureness(parts: &Parts<'_>) -> ReplaySureness {
    let known = band::known(parts.gpu.id.as_str(), parts.model.id.as_str());
    let bands = band::bands(known, Kind::of(parts.model));
    ReplaySureness {
        measured: match known {
            Known::Both => Measured::Both,
            Known::GpuAlone => Measured::GpuAlone,
            Known::ModelAlone => Measured::ModelAlone,
            Known::Neither => Measured::Nothing,
        },
        tpot_low: bands.tpot.low,
        tpot_high: bands.tpot.high,
        rate_low: bands.rate.low,
        rate_high: bands.rate.high,
    }
}

/// A row for each request, in their order, as CSV. The outcome must have records.
///
/// # Errors
/// Where the table can't be written.
pub fn rows(requests: &Requests, outcome: &Outcome) -> Result<Vec<u8>, String> {
    const HEADER: [&str; 13] = [
        "request",
        "at_s",
        "input_tokens",
        "output_tokens",
        "end",
        "replica",
        "ttft_s",
        "tpot_s",
        "e2e_s",
        "cached_tokens",
        "preempted",
        "moved_by_failure",
        "energy_j",
    ];
    let failed = |error: csv::Error| format!("could not write the table: {error}");
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADER).map_err(failed)?;
    for (index, (request, record)) in requests.list.iter().zip(&outcome.records).enumerate() {
        let shown = |value: Option<f64>| value.map(|value| format!("{value:.6}")).unwrap_or_default();
        let since = |moment: Option<f64>| moment.zip(record.at_s).map(|(moment, at)| moment - at);
        let answers = f64::from(record.output_tokens) - 1.0;
        let tpot =
            record.first_token_s.zip(record.last_token_s).filter(|_| answers > 0.0).map(|(a, b)| (b - a) / answers);
        let row = [
            index.to_string(),
            shown(record.at_s),
            request.input.to_string(),
            record.output_tokens.to_string(),
            record.end.name().to_owned(),
            record.replica.map(|replica| replica.to_string()).unwrap_or_default(),
            shown(since(record.first_token_s)),
            shown(tpot),
            shown(since(record.last_token_s)),
            record.cached_tokens.to_string(),
            record.preempted.to_string(),
            record.moved_by_failure.to_string(),
            format!("{:.3}", record.energy_j),
        ];
        writer.write_record(row).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| format!("could not write the table: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stride_over_several_parts_gives_each_its_share() {
        let strip = |at_s: f64, span_s: f64, answering: u32| Strip {
            at_s,
            span_s,
            steps: 1,
            answering,
            waiting: 0,
            prompt_tokens: 240,
            output_tokens: 480,
            kv_blocks: 7,
            energy_j: 1.0,
        };
        // 240 parts of 1 s; the stride reaches from 0.5 s to 2.5 s.
        let made = timeline(&[strip(0.5, 2.0, 4)], 240.0);
        assert_eq!((made.bin_s, made.answering.len()), (1.0, 240));
        assert_eq!(made.answering[..4], [2.0, 4.0, 2.0, 0.0]);
        assert_eq!(made.prompt_tokens_per_s[..4], [60.0, 120.0, 60.0, 0.0]);
        assert_eq!(made.kv_blocks[..4], [7.0, 7.0, 7.0, 0.0]);
        assert_eq!(timeline(&[], 240.0), ReplayTimeline::default());
        assert!((six_figures(1_234_567.0) - 1_234_570.0).abs() < 1e-6);
    }
}
