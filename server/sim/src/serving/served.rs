//! A replica in closed loop: so many requests at once, each followed by the next; what its users wait, and what it makes.
//!
//! A request holds its place while `output` steps are taken and while each other request's prompt is computed once, as each
//! of them is followed by a new one in that time: residence = running · prefill + output · step. What a first token waits
//! for others' prompts, the times between its tokens do not show; engines differ in that share, their sum does not. Where an
//! engine holds prompts back (`held`), a first token waits that much longer, and its place stays empty meanwhile.

use crate::serving::coefficients::Coefficients;
use crate::serving::held::Held;
use crate::serving::step::{self, Setup, StepTime};
use serde::{Deserialize, Serialize};

/// What stands between a client and the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Front {
    /// The engine's own server.
    #[default]
    Engine,
    /// A serving framework with routers and workers (Dynamo).
    Framework,
}

/// How the lengths of requests in closed loop differ: it decides how many prompts come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lengths {
    /// They differ: all come at once at first, then each when one before it has ended. Benchmarks run ten such rounds.
    #[default]
    Drawn,
    /// All alike: requests that began together end together, and those after them come at once again.
    Alike,
}

/// A stream of requests in closed loop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Requests at once, waiting ones included.
    pub concurrency: f64,
    /// Mean prompt, tokens.
    pub input: f64,
    /// Of which so many are found in a prefix cache.
    pub cached: f64,
    /// Mean answer, tokens.
    pub output: f64,
    /// What they pass on their way.
    pub front: Front,
    /// How their lengths differ.
    pub lengths: Lengths,
    /// How long the engine lets their prompts wait.
    pub held: Held,
}

impl Load {
    /// So many requests at once of so many tokens, of which none are cached, on an engine that takes prompts at once.
    pub fn of(concurrency: f64, input: f64, output: f64) -> Self {
        let (front, lengths, held) = (Front::default(), Lengths::default(), Held::default());
        Self { concurrency, input, cached: 0.0, output, front, lengths, held }
    }
}

/// What a replica does under a load.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
pub struct Served {
    /// Requests being answered at once; the others wait for room.
    pub running: f64,
    /// Mean time to the first token, from sending to seeing it, queueing included.
    pub ttft_s: f64,
    /// Mean time between tokens after the first: (last − first) / (output − 1).
    pub tpot_s: f64,
    /// Output tokens a second of one GPU.
    pub output_tokens_per_s_per_gpu: f64,
    /// One token's step of all running requests, by what it is spent on.
    pub step: StepTime,
    /// One prompt's share of the replica's time.
    pub prefill_s: f64,
    /// Share of time in prompts.
    pub prefill_share: f64,
}

/// In closed loop; none where not even one request has room.
pub fn closed_loop(fitted: &Coefficients, setup: &Setup, load: &Load) -> Option<Served> {
    let room = step::room(setup, load.input, load.output);
    if room < 1.0 {
        return None;
    }
    let output = load.output.max(1.0);
    let concurrency = load.concurrency.max(1.0);
    let running = f64::min(concurrency, room);
    let step = step::decode(fitted, setup, running, load.input + output / 2.0);
    let step_s = step.total();
    let prefill_s = step::prefill(fitted, setup, load.input - load.cached, load.cached);
    let residence = running * prefill_s + output * step_s;
    let (front_s, wait) = waiting(fitted, setup, load);
    let own_step_s = step_s * setup.accepted;
    let held_s = load.held.steps(running * own_step_s / residence) * own_step_s;
    let to_first = fitted.first_own * prefill_s * f64::from(setup.layout.pipeline.max(1))
        + own_step_s
        + step::first_launches(fitted, setup)
        + wait * (running - 1.0) * prefill_s;
    let inside = f64::min(to_first, 0.9 * residence);
    // Of a single token there is no time between tokens: the step is told, and the first token is the whole answer.
    let single = output < 1.5;
    let tpot_s = if single { step_s } else { (residence - inside) / (output - 1.0) };
    let to_first = if single { residence / 0.9 } else { to_first };
    let queued_s = (concurrency - running) * residence / running;
    let ttft_s = f64::min(to_first, 0.9 * residence) + front_s + held_s + queued_s;
    // What each of them takes as its client sees it; by Little's law so many at once over that is the rate.
    let seen_s = residence + front_s + held_s + queued_s;
    Some(Served {
        running,
        ttft_s,
        tpot_s,
        output_tokens_per_s_per_gpu: concurrency * output / seen_s / f64::from(setup.layout.gpus()),
        step,
        prefill_s,
        prefill_share: running * prefill_s / residence,
    })
}

/// The front end's time, seconds, and the share of others' prompts that a first token waits for.
fn waiting(fitted: &Coefficients, setup: &Setup, load: &Load) -> (f64, f64) {
    let engine = fitted.of(setup.engine);
    let front_ms = match load.front {
        Front::Engine => fitted.front_engine_ms,
        Front::Framework => fitted.front_framework_ms,
    };
    let wait = match load.lengths {
        Lengths::Drawn => fitted.wait_drawn,
        Lengths::Alike => engine.wait,
    };
    (engine.front * front_ms * 1e-3, wait)
}
