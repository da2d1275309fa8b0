//! From what is asked of a replay to a fleet: parts from the catalog, step times from the serving model, limits as engines
//! have them unasked.

use model::catalog::Catalog;
use model::part::{Gpu, LanguageModel};
use model::replay::{ReplaySetup, Routing};
use sim::replay::fleet::{Caching, Engine as Limits, Fleet, Planner, Pool, Role, Router, Scaling, Tier, Transfer};
use sim::replay::outcome::Outcome;
use sim::replay::request::Requests;
use sim::replay::{Options, Records, Slo, Watch};
use sim::serving::ask;
use sim::serving::coefficients::Engine;
use sim::serving::cost::StepCost;
use sim::serving::fitted::FITTED;
use sim::serving::shape::{Format, Formats};
use sim::serving::step::{self, Layout, Setup};

/// GPUs with at least this much memory are given long steps by vLLM: 70 GiB.
const LARGE_MEMORY_BYTES: f64 = 70.0 * 1024.0 * 1024.0 * 1024.0;
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
    let formats = Formats::of(model, Format::from(asked.precision));
    let setup = Setup::new(gpu, model, formats, layout, engine);
    Ok(Parts { gpu, model, setup })
}

/// The fleet of a replay.
///
/// # Errors
/// As [`parts`], and where the model does not fit.
pub fn fleet(catalog: &Catalog, asked: &ReplaySetup) -> Result<Fleet, String> {
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
    let caching =
        if asked.prefix_cache { Caching::Prefix { host: Tier::NONE, disk: Tier::NONE } } else { Caching::Off };
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
    let options = Options {
        seed: asked.seed,
        slo: Slo { ttft_s: asked.ttft_ms / 1e3, tpot_s: asked.tpot_ms / 1e3 },
        records: Records::Each,
        watch: Watch::Replica(0),
        ..Options::default()
    };
    sim::replay::run(&fleet, requests, &options).map_err(|problem| problem.to_string())
}
