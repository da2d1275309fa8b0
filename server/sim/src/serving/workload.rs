//! Token governance: what a kind of work costs in GPU time, energy and money, and what each careless choice adds.
//!
//! A task is a number of turns. Each turn's prompt holds the instructions, what is kept of the turns before, and what is new;
//! a prefix cache spares what was seen before. GPU time is that of the best replica for such turns within the time targets
//! ([`best_point`]): seconds = answer tokens / (tokens a second of each GPU).

use crate::serving::search::Around;
use crate::serving::{Refusal, Work, best_point, capped};
use model::design::Precision;
use model::part::{Gpu, LanguageModel};
use model::quantity::Span;
use serde::{Deserialize, Serialize};

/// One kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// Turns of a task: 1 for a question, more for a chat or an agent's loop.
    pub turns: u32,
    /// Instructions and tools that stand before every prompt, tokens.
    pub instructions: f64,
    /// What is new in a turn's prompt: the user's words, documents, a tool's answer.
    pub added: f64,
    /// Answer of a turn, tokens.
    pub answer: f64,
    /// Share of the turns before that the prompt keeps; less where they are summed up.
    pub kept: f64,
    /// Share of what was seen before that the prefix cache finds.
    pub cached: f64,
    /// Share of turns that a smaller model answers.
    pub routed: f64,
    /// Share of turns that are made again: failed tools, answers thrown away.
    pub retried: f64,
    /// Tasks a second.
    pub tasks_per_s: f64,
    /// Number format of the weights.
    pub precision: Precision,
    /// Longest mean time to the first token, s.
    pub ttft_s: f64,
    /// Longest mean time between tokens, s.
    pub tpot_s: f64,
}

/// Tokens of a task.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct TaskTokens {
    /// In all prompts.
    pub prompts: f64,
    /// Of which the cache spares.
    pub cached: f64,
    /// Answers.
    pub answers: f64,
    /// The longest prompt.
    pub longest: f64,
}

impl Workload {
    /// Tokens of one task, turns made again included: Σ over turns of instructions + kept · (turns before) + added.
    pub fn tokens(&self) -> TaskTokens {
        let mut sum = TaskTokens::default();
        let mut before = 0.0;
        for _ in 0..self.turns.max(1) {
            // Instructions are the same for every task.
            let seen = self.instructions + self.kept * before;
            let prompt = self.instructions + self.kept * before + self.added;
            sum.prompts += prompt;
            sum.cached += self.cached * seen;
            sum.answers += self.answer;
            sum.longest = f64::max(sum.longest, prompt);
            before += self.added + self.answer;
        }
        let again = 1.0 + self.retried.max(0.0);
        // A turn made again finds its whole prompt in the cache, as far as there is one.
        let spared = sum.cached + self.cached * sum.prompts * (again - 1.0);
        TaskTokens { prompts: sum.prompts * again, cached: spared, answers: sum.answers * again, ..sum }
    }
}

/// What a workload takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Takes {
    /// Tokens of a task.
    pub tokens: TaskTokens,
    /// GPU-seconds of a task.
    pub gpu_s: f64,
    /// Joules of a task, at the facility's meter.
    pub facility_j: f64,
    /// Of which GPU boards.
    pub board_j: f64,
    /// Dollars of a task: nodes and energy.
    pub usd: f64,
    /// GPUs that the stream of tasks keeps busy.
    pub gpus: f64,
    /// Megawatts of the facility for it.
    pub facility_mw: f64,
}

/// What serves a workload.
#[derive(Debug, Clone, Copy)]
pub struct Served<'a> {
    /// The GPU.
    pub gpu: &'a Gpu,
    /// GPUs of a scale-up domain.
    pub domain: u32,
    /// The model.
    pub large: &'a LanguageModel,
    /// The smaller one that some turns go to.
    pub small: &'a LanguageModel,
    /// What stands around the boards.
    pub around: Around,
}

/// GPU-seconds and board watts of one turn on a model.
fn turn(
    served: &Served<'_>,
    model: &LanguageModel,
    load: &Workload,
    tokens: &TaskTokens,
) -> Result<(f64, f64), Refusal> {
    let turns = f64::from(load.turns.max(1)) * (1.0 + load.retried.max(0.0));
    let work = Work {
        model,
        precision: load.precision,
        prefill_tokens: f64::max((tokens.prompts - tokens.cached) / turns, 1.0),
        context_tokens: f64::max(tokens.prompts / turns, 1.0),
        output_tokens: load.answer.max(1.0),
        ttft: Span::from_seconds(load.ttft_s),
        tpot: Span::from_seconds(load.tpot_s),
    };
    let point = best_point(served.gpu, served.domain, &work)?;
    let board_w = capped(served.gpu, &point, served.gpu.board_power.as_watts()).power_w;
    Ok((work.output_tokens / point.tokens_per_s_per_gpu, board_w))
}

/// What a workload takes of GPUs, energy and money.
///
/// # Errors
/// Where a model does not fit, or the targets can't be met.
pub fn takes(served: &Served<'_>, load: &Workload) -> Result<Takes, Refusal> {
    let tokens = load.tokens();
    let turns = f64::from(load.turns.max(1)) * (1.0 + load.retried.max(0.0));
    let routed = load.routed.clamp(0.0, 1.0);
    let around = &served.around;
    let mut takes = Takes { tokens, gpu_s: 0.0, facility_j: 0.0, board_j: 0.0, usd: 0.0, gpus: 0.0, facility_mw: 0.0 };
    for (model, share) in [(served.large, 1.0 - routed), (served.small, routed)] {
        if share <= 0.0 {
            continue;
        }
        let (gpu_s, board_w) = turn(served, model, load, &tokens)?;
        let gpu_s = gpu_s * turns * share;
        takes.gpu_s += gpu_s;
        takes.board_j += gpu_s * board_w;
        takes.facility_j += gpu_s * (board_w + around.node_w_per_gpu) * around.pue;
    }
    takes.usd = takes.gpu_s * around.usd_per_gpu_hour / 3600.0 + takes.facility_j / 3.6e6 * around.usd_per_kwh;
    takes.gpus = takes.gpu_s * load.tasks_per_s;
    takes.facility_mw = takes.facility_j * load.tasks_per_s / 1e6;
    Ok(takes)
}

/// A choice that costs megawatts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Careless {
    /// What is done, in words.
    pub what: String,
    /// What the workload takes then; none where it can't be served so.
    pub takes: Option<Takes>,
}

/// The workload with one careless choice each, those that cost most first.
pub fn careless(served: &Served<'_>, load: &Workload) -> Vec<Careless> {
    let mut choices: Vec<(&str, Workload)> = Vec::new();
    if load.cached > 0.0 {
        choices.push(("Prompts are computed anew each turn: no prefix cache", Workload { cached: 0.0, ..*load }));
    }
    if load.turns > 1 && load.kept < 1.0 {
        choices.push(("Every word of the turns before is kept in the prompt", Workload { kept: 1.0, ..*load }));
    }
    if load.routed > 0.0 {
        choices.push(("The large model answers every turn", Workload { routed: 0.0, ..*load }));
    }
    if load.precision != Precision::Bf16 {
        choices.push(("Weights in 16 bits", Workload { precision: Precision::Bf16, ..*load }));
    }
    choices.push(("Answers twice as long as needed", Workload { answer: load.answer * 2.0, ..*load }));
    choices.push((
        "Instructions and tools of 8,000 tokens more before every prompt",
        Workload { instructions: load.instructions + 8_000.0, ..*load },
    ));
    choices.push(("One turn in four made again", Workload { retried: load.retried + 0.25, ..*load }));
    if load.turns > 1 {
        choices.push((
            "Loops run half as long again before they stop",
            Workload { turns: load.turns + load.turns.div_ceil(2), ..*load },
        ));
    }
    let mut found: Vec<Careless> = choices
        .into_iter()
        .map(|(what, load)| Careless { what: what.to_owned(), takes: takes(served, &load).ok() })
        .collect();
    let cost = |one: &Careless| one.takes.map_or(f64::INFINITY, |takes| takes.facility_mw);
    found.sort_by(|a, b| cost(b).total_cmp(&cost(a)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load() -> Workload {
        Workload {
            turns: 3,
            instructions: 1_000.0,
            added: 200.0,
            answer: 100.0,
            kept: 1.0,
            cached: 1.0,
            routed: 0.0,
            retried: 0.0,
            tasks_per_s: 1.0,
            precision: Precision::Fp8,
            ttft_s: 2.0,
            tpot_s: 0.05,
        }
    }

    #[test]
    fn tokens_of_a_loop_are_counted_turn_by_turn() {
        // Prompts of 1,200, 1,500 and 1,800, of which 1,000, 1,300 and 1,600 were seen before.
        let tokens = load().tokens();
        assert_eq!((tokens.prompts, tokens.cached, tokens.answers, tokens.longest), (4_500.0, 3_900.0, 300.0, 1_800.0));
        let bare = Workload { cached: 0.0, kept: 0.0, ..load() }.tokens();
        assert_eq!((bare.prompts, bare.cached), (3_600.0, 0.0));
        let again = Workload { retried: 1.0, ..load() }.tokens();
        assert_eq!((again.prompts, again.answers), (9_000.0, 600.0));
    }
}
