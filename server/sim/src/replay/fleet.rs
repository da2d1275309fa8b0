//! What answers: replicas in pools, how requests are spread over them, and what happens to them at set times.

use super::request::{MOMENT_MAX_S, REQUESTS_MAX};
use crate::serving::cost::StepCost;

/// Tokens of a block of the paged KV memory.
pub const KV_BLOCK_TOKENS: u32 = 16;

/// A fleet.
#[derive(Debug, Clone, PartialEq)]
pub struct Fleet {
    /// Costs of a step that replicas have, now or after an event.
    pub costs: Vec<StepCost>,
    /// Replicas, numbered through all pools in this order.
    pub pools: Vec<Pool>,
    /// Who is given a request.
    pub router: Router,
    /// How KV gets from prefill to decode pools.
    pub transfer: Transfer,
    /// Most requests that wait at one replica; a request that comes to more is refused.
    pub waiting_max: u32,
    /// What happens at set times, in any order.
    pub events: Vec<Event>,
}

/// Replicas alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// How many there are, at least one; with [`Scaling::Planner`], how many there can be.
    pub replicas: u32,
    /// What they do.
    pub role: Role,
    /// The model that they serve.
    pub model: u16,
    /// Index of their step's cost in [`Fleet::costs`], whose room for tokens they have from then on.
    pub cost: u32,
    /// How their engine makes steps.
    pub engine: Engine,
    /// Whether an answer's tokens are guessed ahead.
    pub speculation: Speculation,
    /// What they keep of prompts.
    pub caching: Caching,
    /// How many of them are on.
    pub scaling: Scaling,
}

/// What a replica does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Prompts and answers.
    Both,
    /// Prompts and the first token.
    Prefill,
    /// Answers from the second token on.
    Decode,
}

/// How an engine makes steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Engine {
    /// Most tokens of a step (vLLM's `max_num_batched_tokens`).
    pub step_tokens_max: u32,
    /// Most requests at once (vLLM's `max_num_seqs`).
    pub requests_max: u32,
    /// Share of KV blocks that stays free when a request is admitted beside others, so that these can go on.
    pub watermark: f64,
}

impl Default for Engine {
    /// vLLM's server on a large GPU, and the watermark of its block manager.
    fn default() -> Self {
        Self { step_tokens_max: 8_192, requests_max: 1_024, watermark: 0.01 }
    }
}

/// Whether an answer's tokens are guessed ahead.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speculation {
    /// One token a step.
    Off,
    /// A draft is checked in each step.
    Draft {
        /// Tokens of the draft.
        tokens: u32,
        /// Tokens that a step yields on average, the model's own included: 1 to `tokens` + 1. What is not whole is carried
        /// from step to step.
        yielded: f64,
    },
}

/// What a replica keeps of prompts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Caching {
    /// Nothing.
    Off,
    /// Blocks, in KV memory that no request needs; those put out go to the host's memory and from there to disk.
    Prefix {
        /// The host's memory.
        host: Tier,
        /// Disk.
        disk: Tier,
    },
}

/// Room for blocks outside the GPUs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tier {
    /// Tokens that it has room for; 0 for none.
    pub tokens: u64,
    /// Bytes a second at which they come back.
    pub bytes_per_s: f64,
}

impl Tier {
    /// No room.
    pub const NONE: Self = Self { tokens: 0, bytes_per_s: f64::INFINITY };
}

/// Who is given a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Router {
    /// Anyone.
    Random,
    /// Everyone in turn.
    RoundRobin,
    /// Whoever has fewest requests.
    LeastLoaded,
    /// Of any two, whoever has fewer requests.
    PowerOfTwo,
    /// Whoever has most of the prompt and least else to do, by Dynamo's cost in KV blocks:
    /// `prefill_scale` · max(prompt blocks to compute + its own − `overlap_scale` · found, 0) + blocks held + its own.
    KvAware {
        /// Weight of prompts to compute.
        prefill_scale: f64,
        /// Weight of blocks found.
        overlap_scale: f64,
        /// 0: the least cost wins. Above: by chance, with weights exp(−(cost − least) / (range · temperature)).
        temperature: f64,
    },
}

impl Router {
    /// Dynamo's router with its defaults.
    pub const DYNAMO: Self = Self::KvAware { prefill_scale: 1.0, overlap_scale: 1.0, temperature: 0.0 };
}

/// How KV gets from one pool to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transfer {
    /// Bytes a second for one request.
    pub bytes_per_s: f64,
    /// Seconds before the first byte.
    pub latency_s: f64,
}

/// How many replicas of a pool are on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scaling {
    /// All.
    Fixed,
    /// As many as are needed.
    Planner(Planner),
}

/// An autoscaler with targets.
///
/// Every `interval_s` it predicts the next interval's requests, and keeps as many replicas as these need with TPOT within
/// the target by the step's cost; one more than now while the interval's mean TTFT or TPOT is over its target; and never
/// fewer than now until both are under `sensitivity` of it. That is Dynamo's planner, throughput and load modes together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Planner {
    /// Seconds between decisions.
    pub interval_s: f64,
    /// Fewest replicas; 0 lets the pool go off while nothing is asked of it.
    pub replicas_min: u32,
    /// Replicas that are on at the start.
    pub replicas_first: u32,
    /// Most that are added or put out in one decision.
    pub change_max: u32,
    /// Seconds from a replica's start until it answers; it draws its floor meanwhile.
    pub start_s: f64,
    /// Target for TTFT, seconds.
    pub ttft_s: f64,
    /// Target for TPOT, seconds.
    pub tpot_s: f64,
    /// Share of the targets under which a replica may go.
    pub sensitivity: f64,
    /// How the next interval is foretold.
    pub predictor: Predictor,
}

impl Default for Planner {
    /// Dynamo's defaults: a decision every 180 s, TTFT 500 ms, ITL 50 ms, sensitivity 80%, at most 8 replicas a step.
    fn default() -> Self {
        Self {
            interval_s: 180.0,
            replicas_min: 1,
            replicas_first: 1,
            change_max: 8,
            start_s: 120.0,
            ttft_s: 0.5,
            tpot_s: 0.05,
            sensitivity: 0.8,
            predictor: Predictor::Constant,
        }
    }
}

/// How the next interval's requests are foretold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Predictor {
    /// As in the last.
    Constant,
    /// Holt's linear trend: level and slope, each the mean of old and new by these weights of the new.
    Trend {
        /// Of the level, 0 to 1.
        level: f64,
        /// Of the slope, 0 to 1.
        slope: f64,
    },
    /// ARIMA(1, 1, 0), fitted anew after each interval to the last [`SEEN_MAX`](Self::SEEN_MAX): the change of the rate follows
    /// the change before it, Δ' = c + φ · Δ.
    Arima,
}

impl Predictor {
    /// Intervals that ARIMA is fitted to.
    pub const SEEN_MAX: usize = 48;
}

/// Something that happens to a replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// When, seconds.
    pub at_s: f64,
    /// To which, counted through all pools.
    pub replica: u32,
    /// What.
    pub change: Change,
}

/// What happens to a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It stops. What it was answering begins anew elsewhere, with the tokens that were delivered as part of its prompt.
    Fails,
    /// It is back, with nothing in its memory; in a pool with a planner, off until it is needed.
    Returns,
    /// Its steps cost something else from the next on: a power cap, a hot loop.
    Costs {
        /// Index in [`Fleet::costs`].
        cost: u32,
    },
}

/// Why a replay can't be run.
#[derive(Debug, Clone, PartialEq)]
pub enum Problem {
    /// A pool without replicas, or whose cost, engine, speculation or planner makes no sense.
    Pool {
        /// Its index.
        index: u32,
    },
    /// An event of a replica or a cost that is not there, or at no time.
    Event {
        /// Its index.
        index: u32,
    },
    /// A request at no time, after one that is not there, or with blocks that are not there.
    Request {
        /// Its index.
        index: u32,
    },
    /// More than [`REQUESTS_MAX`] requests.
    TooMany,
    /// A number that makes no sense.
    Number {
        /// Which.
        what: &'static str,
    },
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pool { index } => {
                write!(f, "pool {index} has no replicas, or a cost, an engine or a planner that makes no sense")
            }
            Self::Event { index } => {
                write!(f, "event {index} is at no time, or of a replica or cost that is not there")
            }
            Self::Request { index } => write!(f, "request {index} is at no time, or refers to what is not there"),
            Self::TooMany => write!(f, "more than {REQUESTS_MAX} requests"),
            Self::Number { what } => write!(f, "{what} makes no sense"),
        }
    }
}

impl std::error::Error for Problem {}

impl Default for Pool {
    fn default() -> Self {
        Self {
            replicas: 1,
            role: Role::Both,
            model: 0,
            cost: 0,
            engine: Engine::default(),
            speculation: Speculation::Off,
            caching: Caching::Off,
            scaling: Scaling::Fixed,
        }
    }
}

impl Fleet {
    /// Pools of replicas with one cost; least loaded first, no limit on waiting, KV moved at 50 GB/s, no events.
    pub fn alike(cost: StepCost, pools: Vec<Pool>) -> Self {
        Self {
            costs: vec![cost],
            pools,
            router: Router::LeastLoaded,
            transfer: Transfer { bytes_per_s: 50e9, latency_s: 0.0 },
            waiting_max: u32::MAX,
            events: Vec::new(),
        }
    }

    /// Whether all indices point somewhere and all numbers make sense.
    pub(super) fn check(&self) -> Result<(), Problem> {
        for (index, pool) in self.pools.iter().enumerate() {
            if !self.is_good(pool) {
                return Err(Problem::Pool { index: index as u32 });
            }
        }
        let replicas: u64 = self.pools.iter().map(|pool| u64::from(pool.replicas)).sum();
        if replicas > REPLICAS_MAX {
            return Err(Problem::Number { what: "the number of replicas" });
        }
        for (index, event) in self.events.iter().enumerate() {
            let cost = match event.change {
                Change::Costs { cost } => (cost as usize) < self.costs.len(),
                Change::Fails | Change::Returns => true,
            };
            let time = (0.0..=MOMENT_MAX_S).contains(&event.at_s);
            if !cost || !time || u64::from(event.replica) >= replicas {
                return Err(Problem::Event { index: index as u32 });
            }
        }
        if self.costs.iter().any(|cost| !is_good_cost(cost)) {
            return Err(Problem::Number { what: "the cost of a step" });
        }
        if let Router::KvAware { prefill_scale, overlap_scale, temperature } = self.router
            && ![prefill_scale, overlap_scale, temperature].iter().all(|x| x.is_finite() && *x >= 0.0)
        {
            return Err(Problem::Number { what: "the router's weights" });
        }
        let Transfer { bytes_per_s, latency_s } = self.transfer;
        let transfer = bytes_per_s > 0.0 && latency_s >= 0.0 && latency_s.is_finite();
        if transfer { Ok(()) } else { Err(Problem::Number { what: "the transfer of KV" }) }
    }

    fn is_good(&self, pool: &Pool) -> bool {
        let scaling = match &pool.scaling {
            Scaling::Fixed => true,
            Scaling::Planner(p) => {
                let times = [p.ttft_s, p.tpot_s, p.sensitivity, p.start_s];
                p.interval_s > 0.0 && p.interval_s.is_finite() && times.iter().all(|t| t.is_finite() && *t >= 0.0)
            }
        };
        let speculation = match pool.speculation {
            Speculation::Off => true,
            Speculation::Draft { tokens, yielded } => {
                tokens < 1_024 && (1.0..=f64::from(tokens) + 1.0).contains(&yielded)
            }
        };
        let caching = match pool.caching {
            Caching::Off => true,
            Caching::Prefix { host, disk } => host.bytes_per_s > 0.0 && disk.bytes_per_s > 0.0,
        };
        let engine = pool.engine.requests_max > 0
            && pool.engine.step_tokens_max >= pool.speculation.width()
            && (0.0..1.0).contains(&pool.engine.watermark);
        let there = pool.replicas > 0;
        there && scaling && speculation && caching && engine && (pool.cost as usize) < self.costs.len()
    }
}

/// Most replicas of a fleet: each takes a few kilobytes.
const REPLICAS_MAX: u64 = 1 << 16;

/// Whether a step takes time that a clock can count, whatever is in it.
fn is_good_cost(cost: &StepCost) -> bool {
    let each = [cost.past_s, cost.window_s, cost.pair_s, cost.request_s, cost.prompt_s, cost.floor_w];
    let joules = [cost.past_j, cost.window_j, cost.pair_j, cost.past_bytes];
    let numbers = each.iter().chain(&joules).chain(&cost.base_j).all(|x| x.is_finite() && *x >= 0.0);
    let times = cost.base_s.iter().skip(1).all(|t| t.is_finite() && *t > 0.0);
    numbers && times && cost.base_s.len() > 1 && cost.base_j.len() == cost.base_s.len()
}

impl Speculation {
    /// Tokens that a step computes for each request.
    pub(super) fn width(&self) -> u32 {
        match self {
            Self::Off => 1,
            Self::Draft { tokens, .. } => tokens + 1,
        }
    }
}
