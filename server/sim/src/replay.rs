//! The replay of single requests through a fleet: who waits, who is answered when, and what it draws.
//!
//! In goes a list of requests, a fleet and options; out comes an [`Outcome`]. The same input gives the same bytes.
//!
//! # What is counted
//! - TTFT: from a request's arrival to its first token, queueing included.
//! - TPOT: (last token − first token) / (output tokens − 1), of requests with two output tokens or more.
//! - E2E: from arrival to the last token. All three are of finished requests alone; percentiles are by nearest rank.
//! - Goodput: requests a second, or their share, that finished with TTFT and TPOT within the targets.
//! - Energy: of the boards. A step's energy is shared by the tokens that it computes, so a request is given its own
//!   tokens' part; what is drawn between steps, and by steps that a failure cut off, is idle energy and stands apart.
//!   Requests and idle together are the meter.
//!
//! # How time passes
//! Each replica runs steps as vLLM's V1 scheduler makes them: one token (or one draft) for each request that is being
//! answered, then chunks of prompts by priority and arrival within the step's budget of tokens. Steps are exact. Where
//! nothing joins or leaves, many steps alike are taken at once: their time is A·k + B·k(k−1)/2, as each step reads one
//! more token of the past of each request, so the step in which something happens is the root of a quadratic.
//! [`Skipping::EveryStep`] takes them one by one, with the same answer.
//!
//! What is simpler than an engine: a prompt's KV blocks are taken at once when it is admitted, rather than chunk by
//! chunk; a block of the prefix cache that two requests compute at the same time is kept once; a prompt's first token is
//! delivered by the replica that computed it, before its KV is moved to another pool.
//!
//! # How it is called
//! ```
//! # let cost = sim::serving::cost::StepCost {
//! #     base_s: vec![0.01; 513], past_s: 1e-8, window_s: 0.0, window_tokens: 0, pair_s: 0.0, request_s: 0.0, prompt_s: 0.0, floor_w: 500.0,
//! #     base_j: vec![10.0; 513], past_j: 0.0, window_j: 0.0, pair_j: 0.0, past_bytes: 0.0, room_tokens: 100_000,
//! # };
//! use sim::replay::fleet::{Fleet, Pool};
//! use sim::replay::request::{Arrival, Request, Requests};
//!
//! let fleet = Fleet::alike(cost, vec![Pool { replicas: 2, ..Pool::default() }]);
//! let come = |at_s| Request { arrival: Arrival::At { at_s }, input: 900, output: 200, ..Request::default() };
//! let requests = Requests { list: (0..100).map(|n| come(0.3 * f64::from(n))).collect(), ..Requests::default() };
//! let outcome = sim::replay::run(&fleet, &requests, &Default::default())?;
//! assert_eq!(outcome.requests.finished, 100);
//! # Ok::<(), sim::replay::fleet::Problem>(())
//! ```
//!
//! Read `request` and `fleet` first (what goes in), `outcome` (what comes out), then `world` (the order of events),
//! `replica` (one engine's steps) with `answering` and `stride`, `cache`, `router`, `disaggregated`, `planner`, and
//! `meter`.

mod answering;
pub mod cache;
mod disaggregated;
mod due;
pub mod fleet;
pub mod made_up;
mod meter;
pub mod outcome;
mod planner;
mod replica;
pub mod request;
mod router;
mod stride;
mod world;

use fleet::{Fleet, Problem};
use outcome::Outcome;
use request::Requests;

/// How a replay is run and what is kept of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Of routers that choose by chance.
    pub seed: u64,
    /// Whether steps alike are taken at once.
    pub skipping: Skipping,
    /// Targets that goodput counts.
    pub slo: Slo,
    /// Width of the time series' bins, seconds; doubled until a replay has at most [`outcome::BINS_MAX`] of them.
    pub bin_s: f64,
    /// When to stop, seconds; requests that are not finished by then are told as unfinished.
    pub until_s: f64,
    /// What is kept of each request.
    pub records: Records,
    /// Whose steps are kept.
    pub watch: Watch,
}

/// Targets for one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slo {
    /// Most seconds to the first token.
    pub ttft_s: f64,
    /// Most seconds for each token after it.
    pub tpot_s: f64,
}

/// Whether steps alike are taken at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipping {
    /// By closed form.
    Closed,
    /// One by one: slower, for comparison.
    EveryStep,
}

/// What is kept of each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// Nothing but the sums.
    Sums,
    /// A record each.
    Each,
}

/// Whose steps are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// Nobody's.
    Nothing,
    /// This replica's, at most [`outcome::TIMELINE_MAX`] strides of them.
    Replica(u32),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            skipping: Skipping::Closed,
            slo: Slo { ttft_s: 2.0, tpot_s: 0.05 },
            bin_s: 10.0,
            until_s: f64::INFINITY,
            records: Records::Sums,
            watch: Watch::Nothing,
        }
    }
}

/// Replays the requests. Refuses only what makes no sense: an index that points nowhere, a time that is no number.
pub fn run(fleet: &Fleet, requests: &Requests, options: &Options) -> Result<Outcome, Problem> {
    fleet.check()?;
    requests.check()?;
    options.check()?;
    Ok(world::World::new(fleet, requests, options).run())
}

impl Options {
    fn check(&self) -> Result<(), Problem> {
        let good = self.bin_s.is_finite() && self.bin_s > 0.0 && !self.until_s.is_nan();
        if good { Ok(()) } else { Err(Problem::Number { what: "bin_s or until_s" }) }
    }
}
