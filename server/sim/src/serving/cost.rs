//! What a step of a replica takes, linear in what is in it: so that many steps alike are one sum, and a replica can be
//! replayed step by step or in strides with the same answer.
//!
//! The times are the closed loop's ([`step`]): a pass of few tokens as its decode steps, prompt tokens beyond at
//! its prompts' time for each, so that a replay and a prediction of the same load agree.
//!
//! A step runs a batch of n tokens: one for each request that is being answered (more with speculative decoding), and
//! chunks of prompts. Attention is counted apart, as it grows with the past of each token.

use crate::board::Phase;
use crate::serving::coefficients::Coefficients;
use crate::serving::draw;
use crate::serving::served::{Load, closed_loop};
use crate::serving::step::{self, Setup};

/// Tokens up to which a pass is timed as a decode step: as many as were measured at once. Beyond, tokens are of prompts.
const DECODE_TOKENS: usize = 512;

/// Time and energy of one replica's steps, of all its GPUs together.
///
/// t = base(n) + past · past tokens read + window · tokens read within the window + pair · (prompt token, token before
/// it) pairs + request · requests in the batch + prompt · prompts in it, seconds. Energy alike, over `floor` watts that are drawn at all times.
#[derive(Debug, Clone, PartialEq)]
pub struct StepCost {
    /// Seconds of a step of n tokens before attention; from 0 to the most tokens that a step may have.
    pub base_s: Vec<f64>,
    /// Seconds for each past token that answering requests read, in layers that see all of it.
    pub past_s: f64,
    /// The same in layers that see a window alone: for each token of Σ min(past, `window_tokens`).
    pub window_s: f64,
    /// That window; 0 where no layer has one.
    pub window_tokens: u32,
    /// Seconds for each pair of a prompt token and a token that it looks back on.
    pub pair_s: f64,
    /// Seconds for each request in the batch: the host's own work.
    pub request_s: f64,
    /// Seconds for each prompt of which the step computes a part: the host's work on it.
    pub prompt_s: f64,
    /// Watts that all boards of the replica draw at all times.
    pub floor_w: f64,
    /// Joules above the floor, as the seconds above.
    pub base_j: Vec<f64>,
    /// Joules for each past token read.
    pub past_j: f64,
    /// Joules for each past token read within the window.
    pub window_j: f64,
    /// Joules for each pair.
    pub pair_j: f64,
    /// Bytes of past kept for each token, in layers that see all of it; all GPUs of the replica together.
    pub past_bytes: f64,
    /// Tokens of past that the replica has room for.
    pub room_tokens: u64,
}

/// What is in one step.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Batch {
    /// Tokens that are computed: of prompts and of answers.
    pub tokens: u32,
    /// Requests in it.
    pub requests: u32,
    /// Of which so many are prompts, or parts of them.
    pub prompts: u32,
    /// Past tokens that its answering requests read, together.
    pub past: u64,
    /// The same, of each request at most the window.
    pub past_in_window: u64,
    /// Pairs of a prompt token and a token that it looks back on.
    pub pairs: u64,
}

/// Seconds and joules.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spent {
    /// Time, seconds.
    pub time_s: f64,
    /// Energy, joules, with the floor's.
    pub energy_j: f64,
}

impl StepCost {
    /// Time and energy of one step.
    pub fn step(&self, batch: &Batch) -> Spent {
        let n = (batch.tokens as usize).min(self.base_s.len().saturating_sub(1));
        let (past, window, pairs) = (batch.past as f64, batch.past_in_window as f64, batch.pairs as f64);
        let time_s = self.base_s[n]
            + self.past_s * past
            + self.window_s * window
            + self.pair_s * pairs
            + self.request_s * f64::from(batch.requests)
            + self.prompt_s * f64::from(batch.prompts);
        let dynamic = self.base_j[n] + self.past_j * past + self.window_j * window + self.pair_j * pairs;
        Spent { time_s, energy_j: self.floor_w * time_s + dynamic }
    }

    /// Of a model on a machine, steps of at most `tokens_max` tokens, boards of `board_w` watts under a cap.
    ///
    /// Each part of a step draws its own share of board power ([`draw`]). Under a cap, answers and prompts each take longer
    /// by their own curve, as far as they would draw more than it at a typical load; a part that draws more than that load is
    /// held to the cap by itself, so that none draws more than it. None where the weights leave no room.
    pub fn of(fitted: &Coefficients, setup: &Setup, tokens_max: u32, board_w: f64, cap_w: f64) -> Option<Self> {
        let load = Load::of(64.0, 1024.0, 1024.0);
        Self::under(fitted, setup, tokens_max, (board_w, cap_w), &load)
    }

    /// The same, where it is known under what load the cap will hold.
    pub fn under(
        fitted: &Coefficients,
        setup: &Setup,
        tokens_max: u32,
        (board_w, cap_w): (f64, f64),
        load: &Load,
    ) -> Option<Self> {
        let served = closed_loop(fitted, setup, load)?;
        let (decode, prompt) = draw::phase_shares(fitted, setup, load, &served);
        let gpus = f64::from(setup.layout.gpus());
        let (answers, prompts) = (
            Slowed::under(Phase::Decode, decode * board_w, board_w, cap_w),
            Slowed::under(Phase::Prefill, prompt * board_w, board_w, cap_w),
        );
        let floor_w = gpus * f64::min(draw::FLOOR_SHARE * board_w, answers.watts.min(prompts.watts));
        let joules = |share: f64, time_s: f64| f64::max(share * board_w * gpus - floor_w, 0.0) * time_s;
        let capped_prompt = prompts.watts / board_w;
        // One token more of a prompt, attention to its past apart.
        let (short, long) = (step::prefill(fitted, setup, 0.0, 0.0), step::prefill(fitted, setup, 1.0, 0.0));
        let pair_s = pair_time(fitted, setup);
        let token_s = f64::max(long - short - pair_s, 0.0) * prompts.slower;
        let pass = |tokens: usize| {
            let step = step::aged(fitted, setup, step::pass(fitted, setup, tokens as f64, 0.0));
            let share = draw::step_share(fitted, setup, &step, tokens as f64);
            let held = answers.or_by_itself(share * board_w);
            let time_s = step.total() * held.slower;
            (time_s, joules(share * held.kept, time_s))
        };
        let (knee_s, knee_j) = pass(DECODE_TOKENS);
        let times: Vec<(f64, f64)> = (0..=tokens_max.max(1) as usize)
            .map(|n| {
                let (decoded_s, decoded_j) = pass(n.min(DECODE_TOKENS));
                let beyond = n.saturating_sub(DECODE_TOKENS) as f64 * token_s;
                (decoded_s.min(knee_s) + beyond, decoded_j.min(knee_j) + joules(capped_prompt, beyond))
            })
            .collect();
        let past_share = draw::SERVING_OVER_KERNELS * draw::PAST_SHARE;
        let past = answers.or_by_itself(past_share * board_w);
        let past_s = step::past_time(fitted, setup) * past.slower;
        let shape = &setup.shape;
        // Selections are counted as if all were read; windows by their layers.
        let (past_s, window_s) = (past_s * shape.full_layers, past_s * shape.windowed_layers);
        let past_share = past_share * past.kept;
        let attention_share = draw::SERVING_OVER_KERNELS * draw::PROMPT_ATTENTION_SHARE;
        let attention = prompts.or_by_itself(attention_share * board_w);
        let (attention_share, pair_s) = (attention_share * attention.kept, pair_s * attention.slower);
        let room = step::room(setup, 1024.0, 1024.0) * (1024.0 + 0.75 * 1024.0);
        Some(Self {
            base_s: times.iter().map(|(time, _)| *time).collect(),
            base_j: times.iter().map(|(_, joules)| *joules).collect(),
            past_s,
            window_s,
            window_tokens: shape.window as u32,
            pair_s,
            request_s: fitted.of(setup.engine).request * fitted.request_us * 1e-6,
            prompt_s: short,
            floor_w,
            past_j: joules(past_share, past_s),
            window_j: joules(past_share, window_s),
            pair_j: joules(attention_share, pair_s),
            past_bytes: shape.past_values * setup.formats.past.bytes() * (shape.full_layers + shape.windowed_layers),
            room_tokens: room as u64,
        })
    }
}

/// A phase under a cap.
#[derive(Clone, Copy)]
struct Slowed {
    /// Which.
    phase: Phase,
    /// The board's own limit and the cap, watts.
    limits_w: (f64, f64),
    /// Board power.
    watts: f64,
    /// Of what it would draw without.
    kept: f64,
    /// How many times as long it takes.
    slower: f64,
}

impl Slowed {
    /// A part that would draw `watts`: as the phase, or held to the cap by itself where that leaves it more than the cap.
    fn or_by_itself(self, watts: f64) -> Self {
        let (board_w, cap_w) = self.limits_w;
        let is_over = watts * self.kept > cap_w.min(board_w);
        if is_over { Self::under(self.phase, watts, board_w, cap_w) } else { self }
    }

    fn under(phase: Phase, watts: f64, board_w: f64, cap_w: f64) -> Self {
        let (drawn, speed) = draw::under(phase, watts, board_w, cap_w);
        let limits_w = (board_w, cap_w);
        Self { phase, limits_w, watts: drawn, kept: drawn / watts, slower: 1.0 / speed.max(1e-3) }
    }
}

/// Seconds for each pair of a prompt token and one before it: what a prompt's time grows with beside its length.
fn pair_time(fitted: &Coefficients, setup: &Setup) -> f64 {
    // A prompt of n tokens has n²/2 pairs; windows and selections are counted where they are read.
    let stages = f64::from(setup.layout.pipeline.max(1));
    let (s, n) = (&setup.shape, f64::from(setup.layout.tensor.max(1) * setup.layout.data.max(1)));
    4.0 * s.full_layers * s.pair_width / n / (setup.gpu.rates[3] * fitted.prompt_attention) / stages
}
