//! A replay of requests through a fleet: what is asked for, and what comes of it.

use crate::design::Precision;
use crate::id::ReplayId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

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

impl FromStr for Routing {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|routing| routing.name() == text);
        known.ok_or_else(|| format!("{text:?} is no router; there are {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// How an autoscaler foretells the requests of its next interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Foretelling {
    /// As many as in the last.
    #[default]
    Constant,
    /// Holt's linear trend.
    Trend,
    /// ARIMA(1, 1, 0) of the last intervals.
    Arima,
}

impl Foretelling {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Constant, Self::Trend, Self::Arima];

    /// Its name in commands and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Trend => "trend",
            Self::Arima => "arima",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Constant => "as in the last interval",
            Self::Trend => "by level and trend (Holt)",
            Self::Arima => "by ARIMA (1, 1, 0)",
        }
    }
}

impl FromStr for Foretelling {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|way| way.name() == text);
        known.ok_or_else(|| format!("{text:?} foretells nothing; there are {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// Most events of one replay.
pub const REPLAY_EVENTS_MAX: usize = 64;
/// The latest that an event may be, seconds: some 30 years.
const EVENT_MAX_S: f64 = 1e9;

/// Something that happens to a replica, or to all of them, while requests are replayed. In commands, forms and files it is
/// a line `AT:REPLICA:WHAT`: `60:0:fails`, `120:0:returns`, `300:all:limit=400`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReplayEvent {
    /// When, seconds.
    pub at_s: f64,
    /// To which, counted from 0; to all where it is none.
    pub replica: Option<u32>,
    /// What.
    pub change: ReplayChange,
}

/// What happens to a replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ReplayChange {
    /// It stops; its requests begin anew elsewhere.
    Fails,
    /// It is back.
    Returns,
    /// Each of its GPUs may draw so many watts from then on: a power limit, or what a hot loop can cool.
    Limit {
        /// So many watts.
        watts: f64,
    },
}

impl fmt::Display for ReplayEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.at_s)?;
        match self.replica {
            Some(replica) => write!(f, "{replica}:")?,
            None => f.write_str("all:")?,
        }
        match self.change {
            ReplayChange::Fails => f.write_str("fails"),
            ReplayChange::Returns => f.write_str("returns"),
            ReplayChange::Limit { watts } => write!(f, "limit={watts}"),
        }
    }
}

impl FromStr for ReplayEvent {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.trim().splitn(3, ':').map(str::trim).collect();
        let &[at, replica, what] = parts.as_slice() else {
            return Err("must be a time, a replica and what happens, as 60:0:fails".to_owned());
        };
        let at_s = at.parse::<f64>().ok().filter(|at| (0.0..=EVENT_MAX_S).contains(at));
        let at_s = at_s.ok_or_else(|| format!("{at:?} is no number of seconds from 0 to {EVENT_MAX_S}"))?;
        let replica = match replica {
            "all" => None,
            number => {
                let read = number.parse::<u32>();
                Some(read.map_err(|_| format!("{number:?} is neither a replica's number, from 0, nor all"))?)
            }
        };
        let limit = |text: &str| text.parse::<f64>().ok().filter(|watts| watts.is_finite() && *watts > 0.0);
        let change = match (what, what.strip_prefix("limit=")) {
            ("fails", _) => ReplayChange::Fails,
            ("returns", _) => ReplayChange::Returns,
            (_, Some(watts)) => {
                let none = || format!("{watts:?} is no number of watts above 0");
                ReplayChange::Limit { watts: limit(watts).ok_or_else(none)? }
            }
            _ => return Err(format!("{what:?} can't happen; fails, returns and limit=WATTS can")),
        };
        Ok(Self { at_s, replica, change })
    }
}

impl TryFrom<String> for ReplayEvent {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map_err(|why| format!("event {text:?}: {why}"))
    }
}

impl From<ReplayEvent> for String {
    fn from(event: ReplayEvent) -> Self {
        event.to_string()
    }
}

/// Most further models of one replay.
pub const REPLAY_ALSO_MAX: usize = 15;

/// A further model that a fleet serves, on replicas of its own that compute prompts and answers: on the same kind of GPU, in
/// the same number format and by the same engine as the first. In commands, forms and files it is `MODEL:TP:REPLICAS`:
/// `llama-3.1-8b:1:2`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReplayAlso {
    /// Language model, by its catalog name or its name on a hub.
    pub model: String,
    /// GPUs that split each matrix; at least one.
    pub tensor: u32,
    /// Its replicas; at least one.
    pub replicas: u32,
}

impl fmt::Display for ReplayAlso {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.model, self.tensor, self.replicas)
    }
}

impl FromStr for ReplayAlso {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // From the right, as a name may have colons.
        let parts: Vec<&str> = text.trim().rsplitn(3, ':').map(str::trim).collect();
        let &[replicas, tensor, model] = parts.as_slice() else {
            return Err("must be a model, the GPUs of a replica and its replicas, as llama-3.1-8b:1:2".to_owned());
        };
        if model.is_empty() {
            return Err("names no model; it must be as llama-3.1-8b:1:2".to_owned());
        }
        let count = |text: &str, what: &str| {
            let read = text.parse::<u32>().ok().filter(|count| *count > 0);
            read.ok_or_else(|| format!("{text:?} is no number of {what}, from 1"))
        };
        let (tensor, replicas) = (count(tensor, "GPUs of a replica")?, count(replicas, "replicas")?);
        Ok(Self { model: model.to_owned(), tensor, replicas })
    }
}

impl TryFrom<String> for ReplayAlso {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map_err(|why| format!("also {text:?}: {why}"))
    }
}

impl From<ReplayAlso> for String {
    fn from(also: ReplayAlso) -> Self {
        also.to_string()
    }
}

/// Room for blocks of prompts beside the GPUs of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReplayTier {
    /// How much one replica has, bytes; more than 0.
    pub size_bytes: f64,
    /// How fast blocks come back to its GPUs, bytes a second; more than 0.
    pub bytes_per_s: f64,
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
    /// Further models, each as `MODEL:TP:REPLICAS` with replicas of its own, numbered after those before: `llama-3.1-8b:1:2`;
    /// at most 15. A request goes to the model that it names, and to the first where it names none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<String>, max_items = 15))]
    pub also: Vec<ReplayAlso>,
    /// Of which so many compute prompts alone; 0 where replicas do both.
    #[serde(default)]
    pub prefill_replicas: u32,
    /// Who is given a request.
    #[serde(default)]
    pub routing: Routing,
    /// Whether replicas keep blocks of prompts.
    #[serde(default)]
    pub prefix_cache: bool,
    /// Memory of the host that keeps blocks which a replica's GPUs have no room for; needs the prefix cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_cache: Option<ReplayTier>,
    /// Disk that keeps those which the host has no room for, alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_cache: Option<ReplayTier>,
    /// Whether an autoscaler turns replicas on and off.
    #[serde(default)]
    pub autoscale: bool,
    /// How it foretells requests.
    #[serde(default)]
    pub predictor: Foretelling,
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
    /// What happens meanwhile, each as `AT:REPLICA:WHAT`: `60:0:fails`, `120:0:returns`, `300:all:limit=400` (seconds,
    /// replica or all, watts of each GPU); at most 64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<String>, max_items = 64))]
    pub events: Vec<ReplayEvent>,
}

impl ReplaySetup {
    /// Replicas of all models.
    pub fn all_replicas(&self) -> u32 {
        self.also.iter().fold(self.replicas, |all, also| all.saturating_add(also.replicas))
    }

    /// GPUs of all replicas.
    pub fn all_gpus(&self) -> u32 {
        let first = self.tensor.saturating_mul(self.data).saturating_mul(self.replicas);
        self.also.iter().fold(first, |all, also| all.saturating_add(also.tensor.saturating_mul(also.replicas)))
    }

    /// How many models are served.
    pub fn models(&self) -> u32 {
        1 + self.also.len() as u32
    }
}

/// What made-up requests are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MadeUpKind {
    /// People ask and read: middling prompts and answers.
    #[default]
    Chat,
    /// An editor completes code: long prompts, short answers.
    Code,
    /// Agents work in turns: each prompt is the one before with what a tool said.
    AgentLoop,
}

impl MadeUpKind {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Chat, Self::Code, Self::AgentLoop];

    /// Its name in addresses and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Code => "code",
            Self::AgentLoop => "agent-loop",
        }
    }

    /// In words, with what it was made after.
    pub fn words(self) -> &'static str {
        match self {
            Self::Chat => "Chat: prompts of about 1020 tokens, answers of 130",
            Self::Code => "Code completion: prompts of about 1500 tokens, answers of 13",
            Self::AgentLoop => {
                "Agent loop: 12 turns to a task, of prompts that grow from about 3000 tokens; answers of 150"
            }
        }
    }
}

/// Most requests of one replay.
pub const REPLAY_REQUESTS_MAX: u32 = 1_000_000;
/// Requests up to which a row is kept of each.
pub const REPLAY_ROWS_MAX: u32 = 50_000;
/// Longest name of a replay, characters.
pub const REPLAY_NAME_CHARS_MAX: usize = 120;
/// Most tenants that are told of, each by itself.
pub const REPLAY_TENANTS_MAX: usize = 50;
/// Most parts that the time of a replay is shown in.
pub const REPLAY_BINS_MAX: usize = 480;

/// Where the requests of a replay come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "from", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RequestSource {
    /// They are made up: nobody asked them.
    MadeUp {
        /// What they are like.
        kind: MadeUpKind,
        /// How many come in a second, on average; more than 0.
        requests_per_s: f64,
        /// How many there are.
        #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 1_000_000))]
        count: u32,
        /// Of everything drawn by chance.
        #[serde(default)]
        seed: u64,
    },
    /// A trace that is sent along: Azure CSV, Mooncake JSONL or a table `at_s,input_tokens,output_tokens`.
    Text {
        /// Name of its file.
        name: String,
        /// What stands in it.
        text: String,
    },
    /// A trace that an earlier replay was sent.
    Kept {
        /// Name of its file.
        name: String,
        /// SHA-256 of what stands in it, in hexadecimal.
        sha256: String,
    },
}

/// A replay that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReplayCreate {
    /// What it is called in lists; by model and GPU where it is empty.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(max_length = 120))]
    pub name: String,
    /// The fleet.
    pub setup: ReplaySetup,
    /// The requests.
    pub requests: RequestSource,
}

/// The requests that a replay was made with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplayRequests {
    /// Where they come from: made up, or a trace that is kept.
    pub source: RequestSource,
    /// What the trace was read as.
    pub format: String,
    /// How many there are.
    pub count: u32,
    /// What was odd in the trace.
    pub remarks: Vec<String>,
}

/// A replay as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplaySummary {
    /// Its name in addresses.
    pub id: ReplayId,
    /// Its name for people.
    pub name: String,
    /// When it was made, milliseconds since 1970 UTC.
    pub created_ms: i64,
    /// The model's name; of several, all of them.
    pub model_name: String,
    /// How many models are served.
    pub models: u32,
    /// The GPU's name.
    pub gpu_name: String,
    /// GPUs of all replicas.
    pub gpus: u32,
    /// Number format of the weights.
    pub precision: Precision,
    /// Replicas of all models, those for prompts alone included.
    pub replicas: u32,
    /// Who was given a request.
    pub routing: Routing,
    /// Where the requests come from.
    pub source: RequestSource,
    /// Requests asked.
    pub requests: u32,
    /// Share of them that finished within the targets.
    pub attainment: f64,
    /// Tokens delivered in a second.
    pub output_tokens_per_s: f64,
    /// Energy of the GPU boards for each; null where none was delivered.
    pub joules_per_output_token: Option<f64>,
}

/// A replay: what was asked, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplayDetail {
    /// In brief.
    pub summary: ReplaySummary,
    /// The program that made it.
    pub program_version: String,
    /// The fleet.
    pub setup: ReplaySetup,
    /// The requests.
    pub requests: ReplayRequests,
    /// What came of it.
    pub outcome: ReplayOutcome,
    /// Whether a row of each request is kept: up to 50,000 of them.
    pub has_rows: bool,
}

/// What the page on which replays are started shows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ReplayDesk {
    /// GPUs by id and name.
    pub gpus: Vec<(String, String)>,
    /// Language models by id and name.
    pub models: Vec<(String, String)>,
    /// Earlier replays, the newest first.
    pub earlier: Vec<ReplaySummary>,
    /// What an earlier one was asked, to be changed.
    pub again: Option<ReplayCreate>,
}

/// What came of a replay. What is counted how: TTFT is from a request's arrival to its first token, waiting included;
/// TPOT is (last token − first token) / (output tokens − 1). Both are of finished requests alone.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplayOutcome {
    /// From time 0 to the last token, seconds.
    pub span_s: f64,
    /// Requests by their end.
    pub ends: ReplayEnds,
    /// Times to the first token, seconds; null where no request finished.
    pub ttft_s: Option<ReplaySpread>,
    /// Times between tokens, seconds; null where no answer had two tokens.
    pub tpot_s: Option<ReplaySpread>,
    /// Times to the last token, seconds.
    pub e2e_s: Option<ReplaySpread>,
    /// Tokens of the prompts of requests that finished.
    pub input_tokens: u64,
    /// Tokens delivered.
    pub output_tokens: u64,
    /// Requests finished in a second.
    pub requests_per_s: f64,
    /// Tokens delivered in a second.
    pub output_tokens_per_s: f64,
    /// Requests a second that finished within the targets.
    pub goodput_per_s: f64,
    /// Share of all requests that did.
    pub attainment: f64,
    /// Energy of the GPU boards, and nothing else's.
    pub energy: ReplayEnergy,
    /// Tokens of prompts that prefix caches were asked for.
    pub prompt_tokens: u64,
    /// Of these, found and not computed again; null where nothing is known of what prompts have in common.
    pub cached_tokens: Option<u64>,
    /// Blocks of prompts by where they were found; null where nothing is known of what prompts have in common.
    #[serde(default)]
    pub found: Option<ReplayFound>,
    /// How often a request had to make way for want of KV memory.
    pub preemptions: u64,
    /// How often a request had to begin anew, as its replica failed.
    #[serde(default)]
    pub moved_by_failure: u64,
    /// The same by whom it was for, those with most energy first: at most 50. Empty where there are not several.
    #[serde(default)]
    pub tenants: Vec<ReplayTenant>,
    /// How many tenants there are in all.
    #[serde(default)]
    pub tenants_count: u32,
    /// The same by model, in the order in which they were asked for. Empty where one alone is served.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<ReplayServed>,
    /// Steps of all replicas.
    pub steps: u64,
    /// The fleet over time.
    pub series: ReplaySeries,
    /// The first replica over time.
    pub timeline: ReplayTimeline,
    /// How sure the step times are that all this is made of.
    pub sureness: ReplaySureness,
    /// What had to be assumed of them, in words; null where nothing was.
    #[serde(default)]
    pub assumed: Option<String>,
}

/// Requests by their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplayEnds {
    /// All.
    pub asked: u32,
    /// Answered to the last token.
    pub finished: u32,
    /// Refused, as too many waited.
    pub refused_queue_full: u32,
    /// Refused, as prompt and answer are larger than a replica's KV memory.
    pub refused_too_long: u32,
    /// Refused, as no replica serves the model that they ask.
    pub refused_no_model: u32,
    /// Waiting for what never came.
    pub unfinished: u32,
}

impl ReplayEnds {
    /// Refused for any reason.
    pub fn refused(&self) -> u32 {
        self.refused_queue_full + self.refused_too_long + self.refused_no_model
    }
}

/// Blocks of prompts by where they were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplayFound {
    /// All that were looked for.
    pub blocks: u64,
    /// Found in the GPUs' memory.
    pub in_gpus: u64,
    /// Found in the host's.
    pub in_host: u64,
    /// Found on disk.
    pub on_disk: u64,
}

/// One tenant's part of a replay.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplayTenant {
    /// Its name in the trace.
    pub name: String,
    /// Requests asked.
    pub requests: u32,
    /// Requests finished.
    pub finished: u32,
    /// Share of all of them that finished within the targets.
    pub attainment: f64,
    /// Tokens of the prompts of those that finished.
    pub input_tokens: u64,
    /// Tokens delivered.
    pub output_tokens: u64,
    /// 95 in a hundred first tokens took no longer, seconds; null where no request finished.
    pub ttft_p95_s: Option<f64>,
    /// The same of times between tokens; null where no answer had two tokens.
    pub tpot_p95_s: Option<f64>,
    /// Energy of the GPU boards for its tokens, with its part of what was drawn between steps, joules.
    pub energy_j: f64,
}

/// One model's part of a replay.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplayServed {
    /// The model's name.
    pub name: String,
    /// Its catalog name.
    pub model: String,
    /// Replicas that serve it, and nothing else.
    pub replicas: u32,
    /// GPUs of these.
    pub gpus: u32,
    /// Requests asked of it.
    pub requests: u32,
    /// Requests finished.
    pub finished: u32,
    /// Share of all of them that finished within the targets; null where nothing was asked of it.
    pub attainment: Option<f64>,
    /// Tokens of the prompts of those that finished.
    pub input_tokens: u64,
    /// Tokens delivered.
    pub output_tokens: u64,
    /// Times to the first token, seconds; null where no request finished.
    pub ttft_s: Option<ReplaySpread>,
    /// Times between tokens, seconds; null where no answer had two tokens.
    pub tpot_s: Option<ReplaySpread>,
    /// Energy of its replicas' GPU boards, between steps too, joules.
    pub energy_j: f64,
    /// How sure its step times are.
    pub sureness: ReplaySureness,
    /// What had to be assumed of them, in words; null where nothing was.
    pub assumed: Option<String>,
}

/// How values are spread; percentiles are by nearest rank.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplaySpread {
    /// How many there are.
    pub count: u32,
    /// Their mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// Nine in ten are no more.
    pub p90: f64,
    /// 99 in a hundred are no more.
    pub p99: f64,
    /// The most.
    pub max: f64,
}

/// Energy of the GPU boards.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplayEnergy {
    /// All of it, joules.
    pub total_j: f64,
    /// Of it, of tokens of prompts.
    pub prompts_j: f64,
    /// Of it, of tokens of answers.
    pub answers_j: f64,
    /// Of it, drawn between steps.
    pub idle_j: f64,
    /// All of it for each token delivered; null where none was.
    pub per_output_token_j: Option<f64>,
    /// All of it for each request finished; null where none did.
    pub per_request_j: Option<f64>,
    /// Mean power, watts.
    pub mean_w: f64,
}

/// The fleet over time, in equal parts from 0: at most 480.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplaySeries {
    /// Width of a part, seconds.
    pub bin_s: f64,
    /// Requests being answered, mean.
    pub running: Vec<f64>,
    /// Requests that wait, mean.
    pub waiting: Vec<f64>,
    /// Share of all replicas' KV memory that requests use.
    pub kv_use: Vec<f64>,
    /// Tokens of prompts computed.
    pub prompt_tokens_per_s: Vec<f64>,
    /// Tokens delivered.
    pub output_tokens_per_s: Vec<f64>,
    /// Watts of the boards.
    pub power_w: Vec<f64>,
    /// Replicas that are on, mean.
    pub replicas_on: Vec<f64>,
}

/// One replica over time, in equal parts from 0: at most 480. Empty where it did nothing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplayTimeline {
    /// Width of a part, seconds.
    pub bin_s: f64,
    /// Until when its steps were watched, seconds; less than the whole where there were very many.
    pub watched_s: f64,
    /// Requests being answered in a step, mean over the time.
    pub answering: Vec<f64>,
    /// Tokens of prompts computed.
    pub prompt_tokens_per_s: Vec<f64>,
    /// Tokens delivered.
    pub output_tokens_per_s: Vec<f64>,
    /// KV blocks in use, the most at the end of any step.
    pub kv_blocks: Vec<f64>,
}

/// What was measured of the parts of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Measured {
    /// GPU and model.
    Both,
    /// The GPU, with other models.
    GpuAlone,
    /// The model, on other GPUs: the GPU is predicted from its specification.
    ModelAlone,
    /// Neither: predicted from specifications.
    #[default]
    Nothing,
}

/// How sure the step times are: between which factors of the prediction nine in ten measured points lie.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplaySureness {
    /// What was measured.
    pub measured: Measured,
    /// Of the time between tokens, the lower factor.
    pub tpot_low: f64,
    /// And the upper.
    pub tpot_high: f64,
    /// Of tokens a second, the lower factor.
    pub rate_low: f64,
    /// And the upper.
    pub rate_high: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_line_and_comes_back_from_it() {
        for line in ["60:0:fails", "120.5:0:returns", "300:all:limit=400"] {
            let event: ReplayEvent = line.parse().unwrap();
            assert_eq!(event.to_string(), line);
            assert_eq!(ReplayEvent::try_from(line.to_owned()), Ok(event));
        }
        let spaced: ReplayEvent = " 60 : all : fails ".parse().unwrap();
        assert_eq!(spaced, ReplayEvent { at_s: 60.0, replica: None, change: ReplayChange::Fails });
        for (line, why) in [
            ("60:0", "must be a time"),
            ("-1:0:fails", "no number of seconds"),
            ("nan:0:fails", "no number of seconds"),
            ("60:first:fails", "neither a replica"),
            ("60:0:explodes", "can't happen; fails, returns and limit=WATTS can"),
            ("60:-1:fails", "neither a replica"),
            ("60:0:limit=0", "no number of watts"),
            ("60:0:limit=-400", "no number of watts"),
            ("60:0:limit=inf", "no number of watts"),
            ("inf:0:fails", "no number of seconds"),
        ] {
            let said = line.parse::<ReplayEvent>().unwrap_err();
            assert!(said.contains(why), "{line}: {said}");
        }
    }

    #[test]
    fn a_further_model_is_a_line_and_comes_back_from_it() {
        let also: ReplayAlso = " meta-llama/Llama-3.1-8B : 1 : 2 ".parse().unwrap();
        assert_eq!((also.model.as_str(), also.tensor, also.replicas), ("meta-llama/Llama-3.1-8B", 1, 2));
        assert_eq!(ReplayAlso::try_from(also.to_string()), Ok(also));
        let tagged: ReplayAlso = "llama3.1:8b:1:2".parse().unwrap();
        assert_eq!(tagged.model, "llama3.1:8b", "a name may have colons");
        for (line, why) in [
            ("llama-3.1-8b", "must be a model"),
            ("llama-3.1-8b:2", "must be a model"),
            (":1:2", "names no model"),
            ("llama-3.1-8b:one:2", "\"one\" is no number of GPUs of a replica"),
            ("llama-3.1-8b:0:2", "\"0\" is no number of GPUs of a replica"),
            ("llama-3.1-8b:1:0", "\"0\" is no number of replicas"),
        ] {
            let said = line.parse::<ReplayAlso>().unwrap_err();
            assert!(said.contains(why), "{line}: {said}");
        }
    }
}
