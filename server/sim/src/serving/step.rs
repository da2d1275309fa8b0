//! How long a step takes: reading weights and past, arithmetic, exchange between GPUs and what the host adds.
//!
//! Every formula's coefficients are in [`Coefficients`]; times are seconds of one replica.

use crate::serving::coefficients::{Coefficients, Engine, OfEngine};
use crate::serving::shape::{Format, Formats, Shape};
use model::part::{Gpu, LanguageModel};
use serde::{Deserialize, Serialize};

/// How a replica's GPUs divide the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// GPUs that split each matrix of attention.
    pub tensor: u32,
    /// Stages that split the layers.
    pub pipeline: u32,
    /// Groups that each attend to their own requests.
    pub data: u32,
    /// GPUs over which whole experts are spread; 1 where each expert is split over all.
    pub expert: u32,
}

impl Layout {
    /// One group of tensor parallelism.
    pub fn tensor(gpus: u32) -> Self {
        Self { tensor: gpus.max(1), pipeline: 1, data: 1, expert: 1 }
    }

    /// GPUs of the replica.
    pub fn gpus(&self) -> u32 {
        self.tensor.max(1) * self.pipeline.max(1) * self.data.max(1)
    }
}

/// Drafts of speculative decoding in each step, and what they yield.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drafts {
    /// None: one token a step.
    #[default]
    None,
    /// As the measured deployments of the model's own heads have it: three drafts, or one where attention is data-parallel.
    Own,
    /// As told.
    Told {
        /// Drafts a step.
        count: u32,
        /// Tokens that a step yields, 1 to count + 1.
        accepted: f64,
    },
}

/// A model on a machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setup {
    /// The model.
    pub shape: Shape,
    /// Its formats.
    pub formats: Formats,
    /// How its GPUs divide it.
    pub layout: Layout,
    /// What serves it.
    pub engine: Engine,
    /// Months that the engine's version is older than [`NEWEST`].
    pub age_months: f64,
    /// Drafts a step.
    pub drafts: f64,
    /// Tokens that a step yields.
    pub accepted: f64,
    /// Figures of one GPU.
    pub gpu: Machine,
}

/// Until when versions were measured: year and month of the newest.
pub const NEWEST: (u32, u32) = (2026, 3);

/// What a step needs to know of a GPU, SI units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Machine {
    /// Memory bandwidth, bytes a second; of boards with GDDR what HBM of the same share in use would have.
    pub bandwidth: f64,
    /// Link to the other GPUs, one direction, bytes a second.
    pub link: f64,
    /// Memory, bytes.
    pub memory: f64,
    /// Arithmetic in the formats of attention, dense feed-forwards, experts; and in 16 bits.
    pub rates: [f64; 4],
}

impl Machine {
    fn of(gpu: &Gpu, formats: Formats) -> Self {
        Self {
            bandwidth: gpu.memory_bandwidth.as_bytes_per_second()
                * if gpu.link_bandwidth.as_bytes_per_second() < BUS_BELOW { GDDR_OVER_HBM } else { 1.0 },
            link: gpu.link_bandwidth.as_bytes_per_second().max(1.0),
            memory: gpu.memory.as_bytes(),
            rates: [
                formats.attention.rate(gpu),
                formats.dense.rate(gpu),
                formats.experts.rate(gpu),
                Format::Bf16.rate(gpu),
            ],
        }
    }
}

impl Setup {
    /// A model in formats on a GPU.
    pub fn new(gpu: &Gpu, model: &LanguageModel, formats: Formats, layout: Layout, engine: Engine) -> Self {
        Self {
            shape: Shape::of(model),
            formats,
            layout,
            engine,
            age_months: 0.0,
            drafts: 0.0,
            accepted: 1.0,
            gpu: Machine::of(gpu, formats),
        }
    }

    /// With speculative decoding.
    pub fn with_drafts(self, drafts: Drafts, fitted: &Coefficients) -> Self {
        let (drafts, accepted) = match drafts {
            Drafts::None => (0.0, 1.0),
            Drafts::Own if self.layout.data > 1 => (1.0, fitted.accepted_one),
            Drafts::Own => (3.0, fitted.accepted_three),
            Drafts::Told { count, accepted } => (f64::from(count), accepted.clamp(1.0, f64::from(count) + 1.0)),
        };
        Self { drafts, accepted, ..self }
    }

    fn group(&self) -> f64 {
        f64::from(self.layout.tensor.max(1) * self.layout.data.max(1))
    }

    /// Ways in which the past of a request is split over GPUs.
    fn past_ways(&self) -> f64 {
        if self.shape.latent { 1.0 } else { f64::min(f64::from(self.layout.tensor.max(1)), self.shape.kv_heads) }
    }
}

/// The parts of a step, seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize, Serialize)]
pub struct StepTime {
    /// Reading weights outside experts.
    #[serde(rename = "weights_s")]
    pub weights: f64,
    /// Arithmetic outside experts, as far as reading does not hide it.
    #[serde(rename = "arithmetic_s")]
    pub arithmetic: f64,
    /// Experts: reading and arithmetic.
    #[serde(rename = "experts_s")]
    pub experts: f64,
    /// Reading the past.
    #[serde(rename = "past_s")]
    pub past: f64,
    /// Activations through memory.
    #[serde(rename = "activations_s")]
    pub activations: f64,
    /// Exchange between GPUs.
    #[serde(rename = "links_s")]
    pub links: f64,
    /// Launches, gaps and the host.
    #[serde(rename = "host_s")]
    pub host: f64,
}

impl StepTime {
    /// All of it.
    pub fn total(&self) -> f64 {
        self.weights + self.arithmetic + self.experts + self.past + self.activations + self.links + self.host
    }

    fn map(self, each: impl Fn(f64) -> f64) -> Self {
        Self {
            weights: each(self.weights),
            arithmetic: each(self.arithmetic),
            experts: each(self.experts),
            past: each(self.past),
            activations: each(self.activations),
            links: each(self.links),
            host: each(self.host),
        }
    }
}

/// Of reading m and computing c at once: (m^p + c^p)^(1/p), and of it the part over m.
fn overlapped(m: f64, c: f64, p: f64) -> (f64, f64) {
    let longer = m.max(c);
    if longer <= 0.0 {
        return (0.0, 0.0);
    }
    let ratio = m.min(c) / longer;
    let total = longer * libm::pow(1.0 + libm::pow(ratio, p), 1.0 / p);
    (total, total - m)
}

/// Mean share of experts that `tokens` touch: 1 − (1 − k/E)^tokens, of a router without preference.
fn touched(shape: &Shape, tokens: f64) -> f64 {
    if shape.experts <= 0.0 { 0.0 } else { 1.0 - libm::pow(1.0 - shape.experts_per_token / shape.experts, tokens) }
}

/// One pass of `tokens` tokens through all layers, attention to the past apart, of `requests` requests.
///
/// Reading is bytes / (GPUs · bandwidth · share), arithmetic 2 · parameters · tokens / (GPUs · rate · share), both at once
/// as `overlapped` has it; experts alike, of the share that is touched; two all-reduces a layer of 2·(g − 1)/g of the
/// activations, or two exchanges of tokens where attention is data-parallel.
pub fn pass(fitted: &Coefficients, setup: &Setup, tokens: f64, requests: f64) -> StepTime {
    let (s, c, e) = (&setup.shape, fitted, fitted.of(setup.engine));
    let n = setup.group();
    let data = f64::from(setup.layout.data.max(1));
    let tensor = f64::from(setup.layout.tensor.max(1));
    let each = tokens / data;
    let four = |format: Format, share: f64| if format == Format::Fp4 || format == Format::Int4 { share } else { 1.0 };
    let f = setup.formats;
    let read = s.attention * f.attention.bytes() / four(f.attention, c.fp4_dense) / tensor
        + s.output * 2.0 / n
        + s.dense * f.dense.bytes() / four(f.dense, c.fp4_dense) / n
        + s.shared * f.experts.bytes() / four(f.experts, c.fp4_expert) / n;
    let [attention, dense, experts, wide] = setup.gpu.rates;
    let computed = 2.0 * s.attention * each / tensor / attention
        + 2.0 * (s.dense + s.shared) * tokens / n / dense
        + 2.0 * s.output * tokens / n / wide;
    let weights = read / (setup.gpu.bandwidth * c.weight_bandwidth);
    let (_, arithmetic) = overlapped(weights, computed / c.arithmetic, c.overlap);
    StepTime {
        weights,
        arithmetic,
        experts: experts_time(c, setup, tokens, experts),
        past: 0.0,
        activations: (c.token_traffic * each * s.layers
            + c.expert_token_traffic * s.experts_per_token * s.expert_layers * tokens
                / if setup.layout.expert > 1 { n } else { 1.0 })
            * s.hidden
            * 2.0
            / setup.gpu.bandwidth,
        links: links_time(c, setup, tokens),
        host: host_time(c, &e, setup, requests),
    }
}

/// Experts of one pass: those touched are read, and computed on; the busiest GPU takes longer where they are spread.
fn experts_time(c: &Coefficients, setup: &Setup, tokens: f64, rate: f64) -> f64 {
    let s = &setup.shape;
    if s.experts <= 0.0 {
        return 0.0;
    }
    let n = setup.group();
    let four = if setup.formats.experts.bytes() < 1.0 { c.fp4_expert } else { 1.0 };
    let bytes = s.expert * s.experts * setup.formats.experts.bytes() / four * touched(s, tokens) / n;
    let computed = 2.0 * s.expert * s.experts_per_token * tokens / n / (rate * c.expert_arithmetic);
    let (total, _) = overlapped(bytes / (setup.gpu.bandwidth * c.expert_bandwidth), computed, c.expert_overlap);
    let for_each = f64::max(tokens * s.experts_per_token / s.experts, 1.0);
    total * if setup.layout.expert > 1 { 1.0 + c.imbalance / libm::sqrt(for_each) } else { 1.0 }
}

/// Links slower than this go over the host's bus, bytes a second one way; boards that have no other carry GDDR.
const BUS_BELOW: f64 = 100e9;
/// Share of its peak that GDDR reaches over that of HBM: 93% of 1,008 GB/s on an RTX 4090. Chosen with LLMServingSim's run of
/// vLLM on that board in view (MIT).
const GDDR_OVER_HBM: f64 = 1.12;
/// What an all-reduce takes longer over the host's bus, µs: fitted to the time between tokens of LLMServingSim's run of vLLM
/// on two RTX PRO 6000 (MIT).
const BUS_COLLECTIVE_US: f64 = 75.0;

/// Exchange between the GPUs of a replica in one pass.
fn links_time(c: &Coefficients, setup: &Setup, tokens: f64) -> f64 {
    let s = &setup.shape;
    let n = setup.group();
    if n <= 1.0 {
        return 0.0;
    }
    let (data, tensor) = (f64::from(setup.layout.data.max(1)), f64::from(setup.layout.tensor.max(1)));
    let link = setup.gpu.link * c.link_share;
    if data > 1.0 {
        let latency = (c.exchange_us + c.exchange_doubling_us * libm::log2(n)) * 1e-6;
        // To the experts in 8 bits, back in 16.
        let bytes = tokens / n * s.hidden * s.experts_per_token * 3.0 * (n - 1.0) / n;
        2.0 * s.expert_layers * latency + s.expert_layers * bytes / link
    } else {
        let bus = if setup.gpu.link < BUS_BELOW { BUS_COLLECTIVE_US } else { 0.0 };
        let latency = (bus + c.collective_us + c.collective_doubling_us * libm::log2(tensor)) * 1e-6;
        2.0 * s.layers * (latency + tokens / data * s.hidden * 4.0 * (tensor - 1.0) / tensor / link)
    }
}

/// Launches, gaps between kernels and the host's own work in one pass.
fn host_time(c: &Coefficients, e: &OfEngine, setup: &Setup, requests: f64) -> f64 {
    let s = &setup.shape;
    let quantised = if setup.formats.dense == Format::Bf16 { 0.0 } else { c.quantised_layer_us };
    let latent = if s.latent { c.latent_layer_us } else { 0.0 };
    let layers = (c.layer_us + quantised + latent) * s.layers * 1e-6 + c.step_ms * 1e-3;
    e.layer * layers
        + e.expert_layer * c.expert_layer_us * s.expert_layers * 1e-6
        + e.request * c.request_us * 1e-6 * requests
}

/// Seconds for each token of past that decoding reads, all of it kept by layers that see everything.
pub fn past_time(fitted: &Coefficients, setup: &Setup) -> f64 {
    let s = &setup.shape;
    s.past_values * setup.formats.past.bytes()
        / setup.past_ways()
        / f64::from(setup.layout.data.max(1))
        / (setup.gpu.bandwidth * fitted.past_bandwidth)
}

/// A step of the engine's version: what is not reading of weights and past took longer in older ones, e^(age · months).
pub(crate) fn aged(fitted: &Coefficients, setup: &Setup, step: StepTime) -> StepTime {
    let age = libm::exp(fitted.of(setup.engine).age * setup.age_months);
    StepTime { weights: step.weights, past: step.past, ..step.map(|part| part * age) }
}

/// One decode step of `requests` requests whose contexts are `context` tokens on average, for each token that it yields.
///
/// With drafts a step computes (1 + drafts) tokens of each request and yields `accepted`. Stages of a pipeline each take
/// their share of the requests in turn.
pub fn decode(fitted: &Coefficients, setup: &Setup, requests: f64, context: f64) -> StepTime {
    let stages = f64::from(setup.layout.pipeline.max(1));
    let requests = requests / stages;
    let mut step = pass(fitted, setup, requests * (1.0 + setup.drafts), requests);
    step.past = past_time(fitted, setup) * requests * context * setup.shape.layers_read(context);
    let mut step = aged(fitted, setup, step).map(|part| part / setup.accepted);
    // From stage to stage, each an exchange.
    step.links += (stages - 1.0) * fitted.exchange_us * 1e-6;
    step
}

/// Seconds that one prompt takes of a replica's time, as far as steps take longer for it: n = `tokens` tokens that follow
/// `before` whose past is kept.
///
/// 2 · parameters · n / (GPUs · rate · share) + 2 · layers · pair width · ((n + before)² − before²) / (GPUs · 16-bit rate ·
/// share), all-reduces, and the host's time for a prompt.
pub fn prefill(fitted: &Coefficients, setup: &Setup, tokens: f64, before: f64) -> f64 {
    let (s, c, e) = (&setup.shape, fitted, fitted.of(setup.engine));
    let n = setup.group();
    let [attention, dense, experts, wide] = setup.gpu.rates;
    let four = |format: Format, rate: f64| if format == Format::Fp4 && rate > wide { c.prompt_fp4 } else { 1.0 };
    let f = setup.formats;
    let mut time = 2.0 * tokens / n
        * (s.attention / (attention * c.prompt_arithmetic)
            + s.dense / (dense * four(f.dense, dense) * c.prompt_arithmetic)
            + (s.expert * s.experts_per_token + s.shared)
                / (experts * four(f.experts, experts) * c.prompt_experts * e.prompt_experts));
    if n > 1.0 {
        let ways = if setup.layout.data > 1 { n } else { 1.0 };
        time += s.layers * 4.0 * tokens * s.hidden * (n - 1.0) / n / (setup.gpu.link * c.link_share) / ways;
    }
    let stages = f64::from(setup.layout.pipeline.max(1));
    (time + e.prompt * c.prompt_ms * 1e-3) / stages + prompt_attention(fitted, setup, tokens, before)
}

/// Seconds of it that a prompt attends to itself and to what is kept.
pub(crate) fn prompt_attention(fitted: &Coefficients, setup: &Setup, tokens: f64, before: f64) -> f64 {
    let s = &setup.shape;
    let all = f64::max(tokens + before, 1.0);
    let layers =
        s.full_layers * f64::min(1.0, 2.0 * s.sparse / all) + s.windowed_layers * f64::min(1.0, 2.0 * s.window / all);
    let pairs = layers * s.pair_width * (all * all - before * before);
    2.0 * pairs
        / setup.group()
        / (setup.gpu.rates[3] * fitted.prompt_attention)
        / f64::from(setup.layout.pipeline.max(1))
}

/// Seconds to the first token beside queueing and the prompt's own arithmetic: launches without recorded graphs.
pub fn first_launches(fitted: &Coefficients, setup: &Setup) -> f64 {
    let s = &setup.shape;
    let drafts = if setup.drafts > 0.0 { fitted.first_drafts } else { 1.0 };
    let latent = if s.latent { fitted.first_latent_layer_us } else { 0.0 };
    ((fitted.first_layer_us + latent) * s.layers + fitted.first_expert_layer_us * s.expert_layers) * drafts * 1e-6
}

/// Share of memory that weights must leave, or nothing runs beside them: kernels, links and recorded graphs take it.
const LEAST_LEFT: f64 = 0.05;

/// Requests of `input` and `output` tokens that a replica has room for at once; fewer than 1 where the weights leave none.
///
/// Engines give weights and past 90% of memory, less 5% but at most 2 GB for activations and runtime, as vLLM and SGLang do
/// unasked (LLMServingSim's run of vLLM on 25 GB has 41,408 tokens of 131 kB; this says 41,300); where weights leave less
/// than that, half of what they leave, as operators then raise the share.
pub fn room(setup: &Setup, input: f64, output: f64) -> f64 {
    let s = &setup.shape;
    let (n, f) = (setup.group(), setup.formats);
    let stages = f64::from(setup.layout.pipeline.max(1));
    let weights = (s.attention * f.attention.bytes() / f64::from(setup.layout.tensor.max(1))
        + (s.dense * f.dense.bytes() + (s.shared + s.expert * s.experts) * f.experts.bytes() + 4.0 * s.output) / n)
        / stages;
    let left = setup.gpu.memory - weights;
    let reserve = f64::min(0.05 * setup.gpu.memory, 2e9);
    let free = if left < LEAST_LEFT * setup.gpu.memory {
        0.0
    } else {
        f64::max(0.9 * setup.gpu.memory - weights - reserve, 0.5 * left)
    };
    let context = input + 0.75 * output;
    let each = context * s.past_values * f.past.bytes() * s.layers_kept(context) / setup.past_ways() / stages;
    if free <= 0.0 { 0.0 } else { free / each.max(1.0) * f64::from(setup.layout.data.max(1)) }
}

/// Bytes of weights on each GPU, and its memory.
pub fn weights_and_memory(setup: &Setup) -> (f64, f64) {
    let s = &setup.shape;
    let (n, f) = (setup.group(), setup.formats);
    let weights = (s.attention * f.attention.bytes() / f64::from(setup.layout.tensor.max(1))
        + (s.dense * f.dense.bytes() + (s.shared + s.expert * s.experts) * f.experts.bytes() + 4.0 * s.output) / n)
        / f64::from(setup.layout.pipeline.max(1));
    (weights, setup.gpu.memory)
}
