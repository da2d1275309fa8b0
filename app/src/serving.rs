//! What the serving page asks and shows: the address as a question, the answer as rows and sentences.

use crate::format;
use model::validation::ValidationPoint;
use serde::{Deserialize, Serialize};
use sim::serving::predict::Prediction;
use sim::serving::search::{Answer, Configuration, Goal, Prompts};
use sim::serving::step::Layout;

/// A question to the search, as the address holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServingAsk {
    /// GPU, by its catalog name.
    pub gpu: String,
    /// How many GPUs there are.
    pub count: u32,
    /// Model, by its catalog name.
    pub model: String,
    /// Number format: `bf16`, `fp8`, `fp4`, `int4`.
    pub precision: String,
    /// Engine: `vllm`, `sglang`, `trtllm`.
    pub engine: String,
    /// Mean prompt, tokens.
    pub input: u32,
    /// Mean answer, tokens.
    pub output: u32,
    /// Longest mean time to the first token, ms.
    pub ttft_ms: f64,
    /// Longest mean time between tokens, ms.
    pub tpot_ms: f64,
    /// What is to be most, or least.
    pub goal: Goal,
    /// Facility power over IT power.
    pub pue: f64,
    /// Dollars of a kilowatt-hour.
    pub usd_per_kwh: f64,
}

impl Default for ServingAsk {
    fn default() -> Self {
        Self {
            gpu: "h200-sxm".to_owned(),
            count: 64,
            model: "llama-3.1-70b".to_owned(),
            precision: "fp8".to_owned(),
            engine: "vllm".to_owned(),
            input: 1024,
            output: 1024,
            ttft_ms: 2000.0,
            tpot_ms: 50.0,
            goal: Goal::TokensPerGpu,
            pue: 1.2,
            usd_per_kwh: 0.08,
        }
    }
}

impl ServingAsk {
    /// The question of an address, by its keys; what is missing or no number is as unasked.
    pub fn of(get: impl Fn(&str) -> Option<String>) -> Self {
        let unasked = Self::default();
        let words = |key: &str, or: String| get(key).filter(|text| !text.is_empty()).unwrap_or(or);
        let number = |key: &str, or: f64, low: f64, high: f64| {
            get(key).and_then(|text| text.parse::<f64>().ok()).filter(|n| (low..=high).contains(n)).unwrap_or(or)
        };
        let count = |key: &str, or: u32, high: f64| number(key, f64::from(or), 1.0, high) as u32;
        Self {
            gpu: words("gpu", unasked.gpu),
            count: count("count", unasked.count, 100_000.0),
            model: words("model", unasked.model),
            precision: words("precision", unasked.precision),
            engine: words("engine", unasked.engine),
            input: count("input", unasked.input, 1e7),
            output: count("output", unasked.output, 1e7),
            ttft_ms: number("ttft", unasked.ttft_ms, 0.001, 1e7),
            tpot_ms: number("tpot", unasked.tpot_ms, 0.001, 1e6),
            goal: get("goal")
                .and_then(|text| Goal::ALL.into_iter().find(|goal| goal.name() == text))
                .unwrap_or(unasked.goal),
            pue: number("pue", unasked.pue, 1.0, 5.0),
            usd_per_kwh: number("energy", unasked.usd_per_kwh, 0.0, 10.0),
        }
    }
}

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServingShown {
    /// What was asked.
    pub ask: ServingAsk,
    /// Name of the GPU.
    pub gpu: String,
    /// Name of the model.
    pub model: String,
    /// What was found.
    pub answer: Option<Answer>,
    /// Why nothing was.
    pub refused: Option<String>,
    /// The best replica, or its decode worker, at its load.
    pub at: Option<Prediction>,
    /// Measured points of this GPU and model in this format.
    pub measured: Vec<ValidationPoint>,
    /// GPUs to choose from: catalog name and name.
    pub gpus: Vec<(String, String)>,
    /// Models to choose from.
    pub models: Vec<(String, String)>,
}

/// A goal in words.
pub fn goal(goal: Goal) -> &'static str {
    match goal {
        Goal::TokensPerGpu => "most tokens a second of all the GPUs",
        Goal::TokensPerJoule => "most tokens of a joule of the facility",
        Goal::TokensPerMegawatt => "most tokens a second of a facility megawatt",
        Goal::Cost => "least dollars of a million tokens",
    }
}

/// How a replica divides the model: `8 GPUs, tensor 8`.
pub fn layout(layout: &Layout) -> String {
    let mut words = vec![format::things(layout.gpus(), "GPU", "GPUs")];
    for (name, size) in
        [("tensor", layout.tensor), ("pipeline", layout.pipeline), ("data", layout.data), ("expert", layout.expert)]
    {
        if size > 1 {
            words.push(format!("{name} {}", format::count(size)));
        }
    }
    words.join(", ")
}

/// A configuration in words.
pub fn configuration(c: &Configuration) -> String {
    match &c.prompts {
        Prompts::Together => format!("{} of {}", format::things(c.replicas, "replica", "replicas"), layout(&c.layout)),
        Prompts::Apart { workers, layout: first } => format!(
            "{} of {}; {} of {}",
            format::things(*workers, "prompt worker", "prompt workers"),
            layout(first),
            format::things(c.replicas, "answer worker", "answer workers"),
            layout(&c.layout)
        ),
    }
}

/// The answer in a sentence.
pub fn headline(shown: &ServingShown, best: &Configuration) -> String {
    format!(
        "{} on {} make {} within the targets, {} of each GPU.",
        shown.model,
        format::things(best.gpus, &format!("{} GPU", shown.gpu), &format!("{} GPUs", shown.gpu)),
        format::token_rate(best.output_tokens_per_s),
        format::token_rate(best.output_tokens_per_s_per_gpu)
    )
}

/// What an output token takes of the GPU boards, and of it its prompt where replicas compute both.
pub fn energy(best: &Configuration, at: &Prediction) -> String {
    let all = format::joules_per_token(best.gpu_power_w / best.output_tokens_per_s_per_gpu);
    match best.prompts {
        Prompts::Together => {
            let prompt = format::joules_per_token(at.draw.prefill_joules_per_output_token);
            format!("An output token takes {all} of the boards, of which {prompt} for its prompt.")
        }
        Prompts::Apart { .. } => format!("An output token takes {all} of the boards, prompt workers included."),
    }
}

/// GPUs that the best way leaves over, in a sentence.
pub fn left_over(count: u32, best: &Configuration) -> Option<String> {
    let left = count.saturating_sub(best.gpus);
    (left > 0).then(|| {
        format!("{} left over; neither cost nor power counts them.", format::things(left, "GPU is", "GPUs are"))
    })
}

/// How sure the figures are, in a sentence.
pub fn sureness(at: &Prediction) -> &'static str {
    use sim::serving::band::Known;
    match at.known {
        Known::Both => "Points of this GPU with this model were measured; the band holds 90% of such points.",
        Known::GpuAlone => {
            "This GPU was measured with other models, this model was not; the band is that of models left out of the fit."
        }
        Known::ModelAlone => {
            "This model was measured, this GPU was not: figures come from its specification; the band is that of GPUs left out of the fit."
        }
        Known::Neither => {
            "Neither this GPU nor this model was measured: figures come from specifications; the band is that of models on GPUs where both were left out of the fit."
        }
    }
}

/// What a step is spent on, seconds, the largest first.
pub fn spent(at: &Prediction) -> Vec<(&'static str, f64)> {
    let step = &at.served.step;
    let mut parts = vec![
        ("Reading weights", step.weights),
        ("Experts", step.experts),
        ("Arithmetic not hidden behind reading", step.arithmetic),
        ("Reading the past (KV)", step.past),
        ("Activations through memory", step.activations),
        ("Links between GPUs", step.links),
        ("Launches and host", step.host),
    ];
    parts.retain(|(_, seconds)| *seconds > 0.0);
    parts.sort_by(|a, b| b.1.total_cmp(&a.1));
    parts
}
