//! The best configuration of GPUs for a service: division, batch, replicas, prompts together or apart, and power limit,
//! within the targets; and the frontier between what one user sees and what a GPU makes.
//!
//! Every division of each replica size, batches in steps of a twelfth of an octave up to what the targets and memory allow,
//! and limits from the board's lowest to its highest are tried; a prediction takes a microsecond, so nothing is sampled.

use crate::serving::coefficients::{Coefficients, Engine};
use crate::serving::draw;
use crate::serving::predict::{Binds, Prediction, Refusal, of_replica};
use crate::serving::served::Load;
use crate::serving::shape::Formats;
use crate::serving::step::{self, Layout, Setup};
use model::part::{Gpu, LanguageModel};
use serde::{Deserialize, Serialize};

/// What is to be most, or least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// Output tokens a second of each GPU.
    #[default]
    TokensPerGpu,
    /// Output tokens of a joule of the facility.
    TokensPerJoule,
    /// Output tokens a second of a megawatt of the facility, the same as the last in other units.
    TokensPerMegawatt,
    /// Dollars of a million output tokens.
    Cost,
}

impl Goal {
    /// Every goal.
    pub const ALL: [Self; 4] = [Self::TokensPerGpu, Self::TokensPerJoule, Self::TokensPerMegawatt, Self::Cost];

    /// Its name in commands and addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::TokensPerGpu => "tokens-per-gpu",
            Self::TokensPerJoule => "tokens-per-joule",
            Self::TokensPerMegawatt => "tokens-per-megawatt",
            Self::Cost => "cost",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::TokensPerGpu => "output tokens a second of all GPUs, idle ones counted",
            Self::TokensPerJoule => "output tokens for a joule",
            Self::TokensPerMegawatt => "output tokens a second for a megawatt of the facility",
            Self::Cost => "cost of a million output tokens",
        }
    }
}

/// From a GPU board to the meter and the bill.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
pub struct Around {
    /// Watts of everything else in the node, for each GPU at work.
    pub node_w_per_gpu: f64,
    /// Facility power over IT power.
    pub pue: f64,
    /// Dollars that a GPU and its part of the node cost in an hour, whether or not it works.
    pub usd_per_gpu_hour: f64,
    /// Dollars of a kilowatt-hour.
    pub usd_per_kwh: f64,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The GPU.
    pub gpu: &'a Gpu,
    /// How many of them at most.
    pub count: u32,
    /// GPUs of a scale-up domain: a replica stays in one.
    pub domain: u32,
    /// The model.
    pub model: &'a LanguageModel,
    /// Its formats.
    pub formats: Formats,
    /// What serves it.
    pub engine: Engine,
    /// Mean prompt, tokens.
    pub input: f64,
    /// Mean answer, tokens.
    pub output: f64,
    /// Longest mean time to the first token, s.
    pub ttft_s: f64,
    /// Longest mean time between tokens, s.
    pub tpot_s: f64,
    /// What is to be most, or least.
    pub goal: Goal,
    /// What stands around the boards.
    pub around: Around,
}

/// How prompts are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Prompts {
    /// By the replicas that answer.
    Together,
    /// By workers of their own.
    Apart {
        /// How many.
        workers: u32,
        /// How one divides the model.
        layout: Layout,
    },
}

/// One configuration and what it does.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Configuration {
    /// How a replica, or a decode worker, divides the model.
    pub layout: Layout,
    /// How many of them.
    pub replicas: u32,
    /// How prompts are computed.
    pub prompts: Prompts,
    /// Requests at once in each.
    pub batch: u32,
    /// Power limit of each GPU, W.
    pub power_cap_w: f64,
    /// GPUs in all.
    pub gpus: u32,
    /// Mean time to the first token, ms.
    pub ttft_ms: f64,
    /// Mean time between tokens, ms.
    pub tpot_ms: f64,
    /// Output tokens a second that one user sees.
    pub output_tokens_per_s_per_user: f64,
    /// Output tokens a second of each GPU.
    pub output_tokens_per_s_per_gpu: f64,
    /// Of which 90% of measured points would lie from here
    pub output_tokens_per_s_per_gpu_low: f64,
    /// to here.
    pub output_tokens_per_s_per_gpu_high: f64,
    /// Output tokens a second of all of them.
    pub output_tokens_per_s: f64,
    /// Mean board power, W.
    pub gpu_power_w: f64,
    /// Output tokens a second of a megawatt of GPU boards.
    pub output_tokens_per_s_per_board_mw: f64,
    /// Of a megawatt of the facility.
    pub output_tokens_per_s_per_facility_mw: f64,
    /// Output tokens of a joule of the facility.
    pub output_tokens_per_facility_joule: f64,
    /// Dollars of a million output tokens.
    pub usd_per_million_output_tokens: f64,
    /// What decides its speed.
    pub binds: Binds,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Answer {
    /// The best.
    pub best: Configuration,
    /// The best of each way to divide the work, the best first.
    pub others: Vec<Configuration>,
    /// No other gives a user more tokens a second and a GPU more too; fewest tokens a user first.
    pub frontier: Vec<Configuration>,
    /// Configurations that were tried.
    pub tried: u32,
}

/// Why nothing was found.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Infeasible {
    /// On no number of these GPUs.
    #[error("{0}; no division within a domain of {1} GPUs leaves room")]
    DoesNotFit(Refusal, u32),
    /// The fastest configuration for one request misses a target.
    #[error(
        "the targets can't be met: the fastest found takes {ttft_ms:.0} ms to the first token (target {wanted_ttft_ms:.0}) and \
         {tpot_ms:.1} ms between tokens (target {wanted_tpot_ms:.1})"
    )]
    TargetsMissed {
        /// Its time to the first token.
        ttft_ms: f64,
        /// Its time between tokens.
        tpot_ms: f64,
        /// Asked.
        wanted_ttft_ms: f64,
        /// Asked.
        wanted_tpot_ms: f64,
    },
}

/// Batches tried: twelve an octave.
fn batches(most: f64) -> impl Iterator<Item = f64> {
    let mut last = 0.0;
    (0..=12 * 16).filter_map(move |step| {
        let batch = libm::floor(libm::exp2(f64::from(step) / 12.0));
        let is_new = batch > last && batch <= most;
        last = f64::max(last, batch);
        is_new.then_some(batch)
    })
}

/// Ways in which a replica of `gpus` can divide a model.
fn layouts(model: &LanguageModel, gpus: u32) -> Vec<Layout> {
    let mut found = Vec::new();
    let whole = |layout: &Layout| model.heads.is_multiple_of(layout.tensor);
    for pipeline in [1, 2, 4].into_iter().filter(|pipeline| gpus.is_multiple_of(*pipeline)) {
        let group = gpus / pipeline;
        if group <= 8 {
            found.push(Layout { tensor: group, pipeline, data: 1, expert: 1 });
            if model.experts > 0 && group > 1 {
                found.push(Layout { tensor: group, pipeline, data: 1, expert: group });
            }
        }
        if model.experts > 0 && group > 1 && pipeline == 1 {
            found.push(Layout { tensor: 1, pipeline, data: group, expert: group });
        }
    }
    found.retain(whole);
    found
}

/// Sizes of a replica: 1, 2, 4, … up to a domain, or the whole of it, and to what there is.
fn sizes(wanted: &Wanted<'_>) -> Vec<u32> {
    let most = wanted.domain.max(1).min(wanted.count);
    let mut sizes: Vec<u32> = (0..12).map(|power| 1 << power).filter(|size| *size <= most).collect();
    if !most.is_power_of_two() {
        sizes.push(most);
    }
    sizes
}

/// Shares of board power tried as limits.
const CAPS: [f64; 5] = [1.0, 0.85, 0.7, 0.55, 0.4];

/// Searches.
///
/// # Errors
/// Where nothing fits, or the targets can't be met: with how near it comes.
pub fn configure(fitted: &Coefficients, wanted: &Wanted<'_>) -> Result<Answer, Infeasible> {
    let mut search = Search { fitted, wanted, tried: 0, found: Vec::new(), nearest: None, refusal: None };
    for size in sizes(wanted) {
        for layout in layouts(wanted.model, size) {
            search.together(layout);
            search.apart(layout);
        }
    }
    search.answer()
}

struct Search<'a> {
    fitted: &'a Coefficients,
    wanted: &'a Wanted<'a>,
    tried: u32,
    /// The best configuration for each division, limit and batch, within the targets.
    found: Vec<Configuration>,
    /// The least time between tokens that was seen, and its time to the first, ms.
    nearest: Option<(f64, f64)>,
    refusal: Option<Refusal>,
}

impl Search<'_> {
    fn setup(&self, layout: Layout) -> Setup {
        let w = self.wanted;
        Setup::new(w.gpu, w.model, w.formats, layout, w.engine)
    }

    fn caps(&self) -> Vec<f64> {
        let (board_w, least_w) = (self.wanted.gpu.board_power.as_watts(), self.wanted.gpu.min_power_cap.as_watts());
        CAPS.into_iter().map(|share| share * board_w).filter(|cap| *cap >= least_w).collect()
    }

    /// Whether a pair of times is within the targets; remembers the nearest.
    fn meets(&mut self, ttft_ms: f64, tpot_ms: f64) -> bool {
        self.tried += 1;
        let good = ttft_ms <= self.wanted.ttft_s * 1e3 && tpot_ms <= self.wanted.tpot_s * 1e3;
        if self.nearest.is_none_or(|(_, least)| tpot_ms < least) {
            self.nearest = Some((ttft_ms, tpot_ms));
        }
        good
    }

    fn together(&mut self, layout: Layout) {
        let (w, setup) = (self.wanted, self.setup(layout));
        let most = step::room(&setup, w.input, w.output);
        for cap_w in self.caps() {
            for batch in batches(most.min(1024.0 * f64::from(layout.data))) {
                let load = Load::of(batch, w.input, w.output);
                let found = match of_replica(self.fitted, w.gpu, w.model, &setup, &load, Some(cap_w)) {
                    Ok(found) => found,
                    Err(refusal) => {
                        self.refusal = Some(refusal);
                        return;
                    }
                };
                if !self.meets(found.ttft_ms.value, found.tpot_ms.value) {
                    break;
                }
                let replicas = w.count / layout.gpus();
                let rate = found.output_tokens_per_s_per_gpu.value;
                let made =
                    Made { layout, replicas, prompts: Prompts::Together, batch, cap_w, gpus: replicas * layout.gpus() };
                self.keep(&made, &found, (found.ttft_ms.value, found.tpot_ms.value), rate, found.draw.gpu_power_w);
            }
        }
        if most < 1.0 {
            let (weights, memory) = step::weights_and_memory(&setup);
            self.refusal = Some(Refusal::DoesNotFit { weights, memory });
        }
    }

    /// Answers by workers of this division, prompts by workers of one replica's size with tensor parallelism.
    fn apart(&mut self, layout: Layout) {
        let w = self.wanted;
        let setup = self.setup(layout);
        let most = step::room(&setup, w.input, w.output);
        if most < 1.0 || layout.gpus() * 2 > w.count {
            return;
        }
        for first in sizes(w).into_iter().filter(|size| *size <= 8).map(Layout::tensor) {
            let prompter = self.setup(first);
            if step::room(&prompter, w.input, w.output) < 1.0 {
                continue;
            }
            let prompt_s = step::prefill(self.fitted, &prompter, w.input, 0.0);
            let own_s = self.fitted.first_own * prompt_s + step::first_launches(self.fitted, &prompter);
            for cap_w in self.caps() {
                for batch in batches(most.min(1024.0 * f64::from(layout.data))) {
                    if !self.divided(layout, first, batch, cap_w, (prompt_s, own_s)) {
                        break;
                    }
                }
            }
        }
    }

    /// One batch of answers with as many prompt workers as keep up with it at 80% of their time; whether larger batches
    /// are worth a try.
    fn divided(
        &mut self,
        layout: Layout,
        first: Layout,
        batch: f64,
        cap_w: f64,
        (prompt_s, own_s): (f64, f64),
    ) -> bool {
        const BUSY: f64 = 0.8;
        let w = self.wanted;
        let setup = self.setup(layout);
        let load = Load::of(batch, w.input, w.output);
        let Ok(found) = of_replica(self.fitted, w.gpu, w.model, &setup, &load, Some(cap_w)) else { return false };
        // Limits slow prompts by their own curve; steps without prompts by that of answers.
        let (decode_speed, prefill_speed) = (found.draw.decode_speed.max(1e-9), found.draw.prefill_speed.max(1e-9));
        let tpot_ms = found.served.step.total() * 1e3 / decode_speed;
        let prompt_s = prompt_s / prefill_speed;
        // Queueing before the prompt workers as one queue with even service.
        let ttft_ms = (own_s / prefill_speed + BUSY / (2.0 * (1.0 - BUSY)) * prompt_s) * 1e3 + tpot_ms;
        if !self.meets(ttft_ms, tpot_ms) {
            return false;
        }
        // Requests a second of one decode worker, and the share of GPUs that prompts need.
        let rate = batch / (w.output * tpot_ms / 1e3);
        let each = rate * prompt_s / BUSY;
        let (d, p) = (f64::from(layout.gpus()), f64::from(first.gpus()));
        let decoders = libm::floor(f64::from(w.count) / (d + each * p)).max(1.0);
        let workers = libm::ceil(decoders * each).max(1.0);
        let gpus = decoders * d + workers * p;
        if gpus > f64::from(w.count) {
            return true;
        }
        let per_gpu = decoders * rate * w.output / gpus;
        let power = (decoders * d * found.draw.decode_power_w
            + workers
                * p
                * (BUSY * found.draw.prefill_power_w
                    + (1.0 - BUSY) * draw::FLOOR_SHARE * w.gpu.board_power.as_watts()))
            / gpus;
        let prompts = Prompts::Apart { workers: workers as u32, layout: first };
        let made = Made { layout, replicas: decoders as u32, prompts, batch, cap_w, gpus: gpus as u32 };
        self.keep(&made, &found, (ttft_ms, tpot_ms), per_gpu, power);
        true
    }

    fn keep(&mut self, made: &Made, found: &Prediction, (ttft_ms, tpot_ms): (f64, f64), rate: f64, board_w: f64) {
        let around = &self.wanted.around;
        let band = found.output_tokens_per_s_per_gpu;
        let facility_w = (board_w + around.node_w_per_gpu) * around.pue;
        let usd_per_s = (around.usd_per_gpu_hour + facility_w / 1e3 * around.usd_per_kwh) / 3600.0;
        self.found.push(Configuration {
            layout: made.layout,
            replicas: made.replicas,
            prompts: made.prompts,
            batch: made.batch as u32,
            power_cap_w: made.cap_w,
            gpus: made.gpus,
            ttft_ms,
            tpot_ms,
            output_tokens_per_s_per_user: 1e3 / tpot_ms,
            output_tokens_per_s_per_gpu: rate,
            output_tokens_per_s_per_gpu_low: rate * band.low / band.value,
            output_tokens_per_s_per_gpu_high: rate * band.high / band.value,
            output_tokens_per_s: rate * f64::from(made.gpus),
            gpu_power_w: board_w,
            output_tokens_per_s_per_board_mw: rate / board_w * 1e6,
            output_tokens_per_s_per_facility_mw: rate / facility_w * 1e6,
            output_tokens_per_facility_joule: rate / facility_w,
            usd_per_million_output_tokens: usd_per_s / rate * 1e6,
            binds: found.binds,
        });
    }

    fn answer(self) -> Result<Answer, Infeasible> {
        let w = self.wanted;
        let worth = |c: &Configuration| match w.goal {
            Goal::TokensPerGpu => c.output_tokens_per_s_per_gpu * f64::from(c.gpus) / f64::from(w.count),
            Goal::TokensPerJoule | Goal::TokensPerMegawatt => c.output_tokens_per_facility_joule,
            Goal::Cost => -c.usd_per_million_output_tokens,
        };
        let mut found = self.found;
        found.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
        let Some(best) = found.first().cloned() else {
            return Err(match (self.nearest, self.refusal) {
                (Some((ttft_ms, tpot_ms)), _) => Infeasible::TargetsMissed {
                    ttft_ms,
                    tpot_ms,
                    wanted_ttft_ms: w.ttft_s * 1e3,
                    wanted_tpot_ms: w.tpot_s * 1e3,
                },
                (None, refusal) => Infeasible::DoesNotFit(
                    refusal.unwrap_or(Refusal::DoesNotFit { weights: 0.0, memory: w.gpu.memory.as_bytes() }),
                    w.domain.min(w.count),
                ),
            });
        };
        let mut others: Vec<Configuration> = Vec::new();
        for one in &found {
            let way = |c: &Configuration| (c.layout, std::mem::discriminant(&c.prompts));
            if !others.iter().any(|other| way(other) == way(one)) {
                others.push(one.clone());
            }
        }
        others.truncate(12);
        Ok(Answer { best, others, frontier: frontier(&found), tried: self.tried })
    }
}

/// What one configuration is made of.
struct Made {
    layout: Layout,
    replicas: u32,
    prompts: Prompts,
    batch: f64,
    cap_w: f64,
    gpus: u32,
}

/// Of configurations, those that no other beats in both tokens a user and tokens a GPU.
fn frontier(found: &[Configuration]) -> Vec<Configuration> {
    let mut by_user: Vec<&Configuration> = found.iter().collect();
    by_user.sort_by(|a, b| {
        let user = b.output_tokens_per_s_per_user.total_cmp(&a.output_tokens_per_s_per_user);
        user.then(b.output_tokens_per_s_per_gpu.total_cmp(&a.output_tokens_per_s_per_gpu))
    });
    let mut best = 0.0;
    let mut kept: Vec<Configuration> = Vec::new();
    for one in by_user {
        if one.output_tokens_per_s_per_gpu > best {
            best = one.output_tokens_per_s_per_gpu;
            kept.push(one.clone());
        }
    }
    kept.reverse();
    kept
}
