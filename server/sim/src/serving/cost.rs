//! What a step of a replica takes, linear in what is in it: so that many steps alike are one sum, and a replica can be
//! replayed step by step or in strides with the same answer.
//!
//! A step runs a batch of n tokens: one for each request that is being answered (more with speculative decoding), and
//! chunks of prompts. Attention is counted apart, as it grows with the past of each token.

/// Time and energy of one replica's steps, of all its GPUs together.
///
/// t = base(n) + past · past tokens read + window · tokens read within the window + pair · (prompt token, token before
/// it) pairs + request · requests in the batch, seconds. Energy alike, over `floor` watts that are drawn at all times.
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
            + self.request_s * f64::from(batch.requests);
        let dynamic = self.base_j[n] + self.past_j * past + self.window_j * window + self.pair_j * pairs;
        Spent { time_s, energy_j: self.floor_w * time_s + dynamic }
    }
}
