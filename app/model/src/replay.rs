//! A replay of requests through a fleet: what is asked for.

use crate::design::Precision;
use serde::{Deserialize, Serialize};

/// Who is given a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    /// Anyone.
    Random,
    /// Everyone in turn.
    RoundRobin,
    /// Whoever has fewest requests.
    #[default]
    LeastLoaded,
    /// Of any two, whoever has fewer.
    PowerOfTwo,
    /// Whoever has most of the prompt and least else to do.
    Kv,
}

impl Routing {
    /// Every way.
    pub const ALL: [Self; 5] = [Self::Random, Self::RoundRobin, Self::LeastLoaded, Self::PowerOfTwo, Self::Kv];

    /// Its name in commands and addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::RoundRobin => "round-robin",
            Self::LeastLoaded => "least-loaded",
            Self::PowerOfTwo => "power-of-two",
            Self::Kv => "kv",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Random => "by chance",
            Self::RoundRobin => "each replica in turn",
            Self::LeastLoaded => "to the replica with fewest requests",
            Self::PowerOfTwo => "to the less loaded of two drawn by chance",
            Self::Kv => "to the replica that has most of the prompt in its cache and least else to do",
        }
    }
}

impl std::str::FromStr for Routing {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|routing| routing.name() == text);
        known.ok_or_else(|| format!("{text:?} is no router; there are {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// A fleet and how it is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReplaySetup {
    /// GPU, by its catalog name.
    pub gpu: String,
    /// Language model, by its catalog name or its name on a hub.
    pub model: String,
    /// Number format of its weights.
    pub precision: Precision,
    /// Serving engine: vllm, sglang or trtllm.
    pub engine: String,
    /// GPUs that split each matrix.
    pub tensor: u32,
    /// Groups of data-parallel attention.
    pub data: u32,
    /// GPUs over which whole experts are spread.
    pub expert: u32,
    /// Replicas; of prefill and decode together where they are apart.
    pub replicas: u32,
    /// Of which so many compute prompts alone; 0 where replicas do both.
    #[serde(default)]
    pub prefill_replicas: u32,
    /// Who is given a request.
    #[serde(default)]
    pub routing: Routing,
    /// Whether replicas keep blocks of prompts.
    #[serde(default)]
    pub prefix_cache: bool,
    /// Whether an autoscaler turns replicas on and off.
    #[serde(default)]
    pub autoscale: bool,
    /// Power limit of each GPU, watts; the board's own where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_cap_w: Option<f64>,
    /// Most requests at once in a replica (vLLM's `max_num_seqs`); as the engine sets it by the GPU's memory where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_max: Option<u32>,
    /// Most tokens of a step (vLLM's `max_num_batched_tokens`), alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_tokens_max: Option<u32>,
    /// Longest time to the first token that counts as good, ms.
    pub ttft_ms: f64,
    /// Longest time between tokens that does.
    pub tpot_ms: f64,
    /// Of routers that choose by chance.
    #[serde(default)]
    pub seed: u64,
}
