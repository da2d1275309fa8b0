//! From what is asked of a replay to a fleet: parts from the catalog, step times from the serving model, limits as engines
//! have them unasked; and from what comes of it to what is kept.

use input::RequestList;
use model::catalog::Catalog;
use model::part::{Gpu, LanguageModel};
use model::replay::{
    Foretelling, Measured, REPLAY_ALSO_MAX, REPLAY_BINS_MAX, REPLAY_EVENTS_MAX, REPLAY_ROWS_MAX, REPLAY_TENANTS_MAX,
    ReplayAlso, ReplayChange, ReplayEnds, ReplayEnergy, ReplayEvent, ReplayFound, ReplayOutcome, ReplaySeries,
    ReplayServed, ReplaySetup, ReplaySpread, ReplaySureness, ReplayTenant, ReplayTier, ReplayTimeline, Routing,
};
use sim::nearest::nearest;
use sim::replay::fleet::{
    Caching, Change, Engine as Limits, Event, Fleet, Planner, Pool, Predictor, Role, Router, Scaling, Tier, Transfer,
};
use sim::replay::outcome::{Outcome, Served, Spread, Strip, TIMELINE_MAX, Tenant};
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
/// A limit may be above what a board draws by so much, watts: drivers and facilities round.
const LIMIT_SLACK_W: f64 = 1.0;
/// Most replicas of one replay.
pub const REPLICAS_MAX: u32 = 4096;

/// What the parts of a replay are.
pub struct Parts<'a> {
    /// The GPU.
    pub gpu: &'a Gpu,
    /// The first model.
    pub model: &'a LanguageModel,
    /// One replica of it.
    pub setup: Setup,
    /// How many there are.
    pub replicas: u32,
    /// Further models.
    pub also: Vec<Also<'a>>,
}

/// A further model of a replay.
pub struct Also<'a> {
    /// The model.
    pub model: &'a LanguageModel,
    /// One replica of it.
    pub setup: Setup,
    /// How many there are.
    pub replicas: u32,
}

impl<'a> Parts<'a> {
    /// Every model with one replica and how many there are of it, by the number that requests have for it.
    pub fn served(&self) -> impl Iterator<Item = (&'a LanguageModel, &Setup, u32)> {
        let also = self.also.iter().map(|also| (also.model, &also.setup, also.replicas));
        std::iter::once((self.model, &self.setup, self.replicas)).chain(also)
    }
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
    if asked.replicas == 0 || asked.all_replicas() > REPLICAS_MAX {
        return Err(format!("{} replicas: there can be 1 to {REPLICAS_MAX}", asked.all_replicas()));
    }
    if asked.prefill_replicas >= asked.replicas {
        return Err("with prefill apart, at least one replica must be left to answer".to_owned());
    }
    let replica = |model: &LanguageModel, layout: Layout| {
        if layout.gpus() > 1024 || layout.gpus() == 0 {
            return Err(format!("a replica of {} GPUs: there can be 1 to 1024", layout.gpus()));
        }
        let formats = Formats::of(model, Format::from(asked.precision)).on(engine, gpu);
        Ok(Setup::new(gpu, model, formats, layout, engine))
    };
    let layout = Layout { tensor: asked.tensor, pipeline: 1, data: asked.data, expert: asked.expert };
    let setup = replica(model, layout)?;
    let mut parts = Parts { gpu, model, setup, replicas: asked.replicas, also: Vec::new() };
    if asked.also.len() > REPLAY_ALSO_MAX {
        return Err(format!("{} further models: there can be {REPLAY_ALSO_MAX}", asked.also.len()));
    }
    for also in &asked.also {
        let found = further(catalog, also, &parts, &replica).map_err(|why| format!("also {also}: {why}"))?;
        parts.also.push(found);
    }
    Ok(parts)
}

/// A further model, where it is none of those before.
fn further<'a>(
    catalog: &'a Catalog,
    also: &ReplayAlso,
    parts: &Parts<'_>,
    replica: &impl Fn(&LanguageModel, Layout) -> Result<Setup, String>,
) -> Result<Also<'a>, String> {
    let model = ask::language_model(catalog, &also.model)?;
    if parts.served().any(|(served, ..)| served.id == model.id) {
        return Err(format!("{} is served already: give it more replicas instead", model.name));
    }
    let setup = replica(model, Layout { tensor: also.tensor, pipeline: 1, data: 1, expert: 1 })?;
    Ok(Also { model, setup, replicas: also.replicas })
}

/// Gives each request of a list the model that it names, or the first where it names none.
///
/// # Errors
/// With the line and the column of a model that is not served, and which are.
pub fn ask_served(
    catalog: &Catalog,
    parts: &Parts<'_>,
    file: &str,
    list: &mut RequestList,
) -> Result<(), input::Error> {
    let ids: Vec<&str> = parts.served().map(|(model, ..)| model.id.as_str()).collect();
    list.ask_served(file, |name| {
        let Ok(model) = ask::language_model(catalog, name) else {
            let near = nearest(name.rsplit('/').next().unwrap_or(name), ids.iter().copied());
            return Err(if near.is_empty() {
                format!("is no model that is served; requests can ask {}", ids.join(", "))
            } else {
                format!("is no model that is served; nearest to it are {}", near.join(", "))
            });
        };
        let place = (0..).zip(&ids).find(|(_, id)| **id == model.id.as_str()).map(|(place, _)| place);
        place.ok_or_else(|| {
            format!(
                "is not served; requests can ask {}. With --also {}:TP:REPLICAS it is served too (in forms: Also serves)",
                ids.join(", "),
                model.id
            )
        })
    })
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

/// The fleet of a replay in which nothing happens to it: a cost for each model, by its number.
fn quiet(catalog: &Catalog, asked: &ReplaySetup) -> Result<Fleet, String> {
    let parts = parts(catalog, asked)?;
    let limits = limits(parts.gpu, asked)?;
    let costs = costs(&parts, asked, limits)?;
    let mut pools = Vec::new();
    let targets = (asked.ttft_ms / 1e3, asked.tpot_ms / 1e3);
    for ((model, cost), (.., replicas)) in (0_u16..).zip(&costs).zip(parts.served()) {
        let caching = caching(asked, cost.past_bytes)?;
        let pool = |replicas: u32, role: Role| Pool {
            replicas,
            role,
            model,
            cost: u32::from(model),
            engine: limits,
            caching,
            scaling: if asked.autoscale {
                Scaling::Planner(Planner {
                    // As it is deployed: it puts out what is not needed, and need not grow from one replica first.
                    replicas_first: replicas,
                    ttft_s: targets.0,
                    tpot_s: targets.1,
                    predictor: predictor(asked.predictor),
                    ..Planner::default()
                })
            } else {
                Scaling::Fixed
            },
            ..Pool::default()
        };
        let prefill = if model == 0 { asked.prefill_replicas } else { 0 };
        if prefill == 0 {
            pools.push(pool(replicas, Role::Both));
        } else {
            pools.extend([pool(prefill, Role::Prefill), pool(replicas - prefill, Role::Decode)]);
        }
    }
    // KV leaves and comes over the network card of each GPU: 400 Gb/s, as in HGX nodes.
    let bytes_per_s = 50e9 * f64::from(parts.setup.layout.gpus());
    let transfer = Transfer { bytes_per_s, latency_s: 1e-3 };
    Ok(Fleet { costs, pools, router: router(asked.routing), transfer, waiting_max: u32::MAX, events: Vec::new() })
}

/// What a step costs on a replica of each model, by the model's number.
fn costs(parts: &Parts<'_>, asked: &ReplaySetup, limits: Limits) -> Result<Vec<StepCost>, String> {
    let gpu = parts.gpu;
    let board_w = gpu.board_power.as_watts();
    let cap_w = asked.power_cap_w.map_or(board_w, |cap| cap.min(board_w));
    if cap_w < gpu.min_power_cap.as_watts() {
        return Err(format!("{} accepts no power limit under {} W", gpu.name, gpu.min_power_cap.as_watts()));
    }
    let cost = |(model, setup, _): (&LanguageModel, &Setup, u32)| {
        StepCost::of(&FITTED, setup, limits.step_tokens_max, board_w, cap_w).ok_or_else(|| {
            let (weights, memory) = step::weights_and_memory(setup);
            let whose = if parts.also.is_empty() { "the model" } else { model.name.as_str() };
            format!("{whose} does not fit: {:.0} GB of weights on a GPU of {:.0} GB", weights / 1e9, memory / 1e9)
        })
    };
    parts.served().map(cost).collect()
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

/// Weights of Holt's trend: half of each new interval.
const TREND: Predictor = Predictor::Trend { level: 0.5, slope: 0.5 };

fn predictor(way: Foretelling) -> Predictor {
    match way {
        Foretelling::Constant => Predictor::Constant,
        Foretelling::Trend => TREND,
        Foretelling::Arima => Predictor::Arima,
    }
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

/// Puts what happens into a fleet; each limit is a cost of steps of its own, for each model.
fn happen(catalog: &Catalog, asked: &ReplaySetup, event: &ReplayEvent, fleet: &mut Fleet) -> Result<(), String> {
    let replicas = fleet.pools.iter().flat_map(|pool| std::iter::repeat_n(pool.model, pool.replicas as usize));
    let models: Vec<u16> = replicas.collect();
    let all = models.len() as u32;
    if let Some(replica) = event.replica.filter(|replica| *replica >= all) {
        return Err(match all {
            1 => format!("there is no replica {replica}: the only one is number 0"),
            _ => format!("there is no replica {replica}: they are numbered 0 to {}", all - 1),
        });
    }
    let costs = fleet.costs.len() as u32;
    if let ReplayChange::Limit { watts } = event.change {
        let gpu = ask::gpu(catalog, &asked.gpu)?;
        let board_w = gpu.board_power.as_watts();
        if watts > board_w + LIMIT_SLACK_W {
            return Err(format!("{} draws {board_w} W at most: limit={board_w} lifts every limit", gpu.name));
        }
        let limited = ReplaySetup { power_cap_w: Some(watts), ..asked.clone() };
        fleet.costs.extend(quiet(catalog, &limited)?.costs);
    }
    for replica in event.replica.map_or(0..all, |replica| replica..replica + 1) {
        let change = match event.change {
            ReplayChange::Fails => Change::Fails,
            ReplayChange::Returns => Change::Returns,
            ReplayChange::Limit { .. } => Change::Costs { cost: costs + u32::from(models[replica as usize]) },
        };
        fleet.events.push(Event { at_s: event.at_s, replica, change });
    }
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
        models: served(outcome, parts),
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
        sureness: sureness(parts.gpu, parts.model),
        assumed: parts.setup.formats.widened(parts.gpu),
    }
}

/// Each model's part where there are several.
pub fn served(outcome: &Outcome, parts: &Parts<'_>) -> Vec<ReplayServed> {
    if parts.also.is_empty() {
        return Vec::new();
    }
    let kept = |((model, setup, replicas), of): ((&LanguageModel, &Setup, u32), &Served)| ReplayServed {
        name: model.name.clone(),
        model: model.id.to_string(),
        replicas,
        gpus: setup.layout.gpus() * replicas,
        requests: of.requests,
        finished: of.finished,
        attainment: (of.requests > 0).then(|| f64::from(of.good) / f64::from(of.requests)),
        input_tokens: of.input_tokens,
        output_tokens: of.output_tokens,
        ttft_s: spread(&of.ttft_s),
        tpot_s: spread(&of.tpot_s),
        energy_j: of.energy_j,
        sureness: sureness(parts.gpu, model),
        assumed: setup.formats.widened(parts.gpu),
    };
    parts.served().zip(&outcome.models).map(kept).collect()
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

fn sureness(gpu: &Gpu, model: &LanguageModel) -> ReplaySureness {
    let known = band::known(gpu.id.as_str(), model.id.as_str());
    let bands = band::bands(known, Kind::of(model));
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

/// A row for each request, in their order, as CSV; with its model where several are served. The outcome must have records.
///
/// # Errors
/// Where the table can't be written.
pub fn rows(requests: &Requests, outcome: &Outcome, parts: &Parts<'_>) -> Result<Vec<u8>, String> {
    const HEADER: [&str; 14] = [
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
        "model",
    ];
    let failed = |error: csv::Error| format!("could not write the table: {error}");
    let ids: Vec<&str> = parts.served().map(|(model, ..)| model.id.as_str()).collect();
    let columns = if ids.len() > 1 { HEADER.len() } else { HEADER.len() - 1 };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&HEADER[..columns]).map_err(failed)?;
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
            ids.get(usize::from(request.model)).copied().unwrap_or_default().to_owned(),
        ];
        writer.write_record(&row[..columns]).map_err(failed)?;
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
