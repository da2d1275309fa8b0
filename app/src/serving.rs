//! What the serving page asks and shows: the address as a question, the answer as rows and sentences.

use crate::asked::{self, Misread, Reading};
use crate::format;
use model::design::Precision;
use model::validation::ValidationPoint;
use serde::{Deserialize, Serialize};
use sim::serving::coefficients::Engine;
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
    /// Number format of its weights.
    pub precision: Precision,
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
    /// What of the address could not be understood, and what stands above in its place.
    pub misread: Vec<Misread>,
}

/// The engine of a question that names none.
const UNASKED_ENGINE: Engine = Engine::Vllm;

impl Default for ServingAsk {
    fn default() -> Self {
        Self {
            gpu: "h200-sxm".to_owned(),
            count: 64,
            model: "llama-3.1-70b".to_owned(),
            precision: Precision::Fp8,
            engine: UNASKED_ENGINE.name().to_owned(),
            input: 1024,
            output: 1024,
            ttft_ms: 2000.0,
            tpot_ms: 50.0,
            goal: Goal::TokensPerGpu,
            pue: 1.2,
            usd_per_kwh: 0.08,
            misread: Vec::new(),
        }
    }
}

impl ServingAsk {
    /// The question of an address, by its keys. What is missing is as unasked; what can't be understood too, and is told.
    pub fn of(get: impl Fn(&str) -> Option<String>) -> Self {
        let unasked = Self::default();
        let mut read = Reading::new(get);
        let engines = Engine::ALL.map(|engine| (engine.name(), engine.name()));
        let named = |text: &str| Engine::named(text).map(Engine::name);
        let goals = Goal::ALL.map(|goal| (goal.name(), goal));
        let goal = |text: &str| Goal::ALL.into_iter().find(|goal| goal.name() == text);
        let engine = read.one_of(("engine", "Engine"), &engines, named, UNASKED_ENGINE.name());
        Self {
            gpu: read.words("gpu", &unasked.gpu),
            count: read.count(("count", "GPUs in all"), 100_000, unasked.count),
            model: read.words("model", &unasked.model),
            precision: asked::precision(&mut read, unasked.precision),
            engine: engine.to_owned(),
            input: read.count(("input", "Prompt, tokens"), 10_000_000, unasked.input),
            output: read.count(("output", "Answer, tokens"), 10_000_000, unasked.output),
            ttft_ms: read.number(("ttft", "First token within, ms"), 0.001..=1e7, unasked.ttft_ms),
            tpot_ms: read.number(("tpot", "Between tokens, ms"), 0.001..=1e6, unasked.tpot_ms),
            goal: read.one_of(("goal", "Best is"), &goals, goal, unasked.goal),
            pue: read.number(("pue", "PUE"), 1.0..=5.0, unasked.pue),
            usd_per_kwh: read.number(("energy", "Energy, $/kWh"), 0.0..=10.0, unasked.usd_per_kwh),
            misread: read.misread(),
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
        Known::Both => {
            "Points of this GPU with this model were measured, though not of every division and load; the band holds 90% of those that were. Prompts on workers of their own were measured without saying how many there are: there the figures may be off by twice as much."
        }
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

/// What had to be assumed, in sentences; empty where nothing was.
pub fn assumed(at: &Prediction) -> String {
    at.assumed.iter().map(|words| format!("Assumed: {words}.")).collect::<Vec<_>>().join(" ")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(given: &[(&str, &str)]) -> ServingAsk {
        ServingAsk::of(|key| given.iter().find(|(own, _)| *own == key).map(|(_, text)| (*text).to_owned()))
    }

    #[test]
    fn an_address_is_a_question_and_what_it_can_not_be_is_told() {
        let good = ask(&[("precision", "nvfp4"), ("engine", "TRTLLM"), ("count", "8"), ("goal", "cost")]);
        assert_eq!((good.precision, good.engine.as_str(), good.count), (Precision::Fp4, "trtllm", 8));
        assert!(good.misread.is_empty() && good.goal == Goal::Cost);
        let wrong = [
            ("precision", "fp12"),
            ("engine", "llamacpp"),
            ("count", "many"),
            ("goal", "fame"),
            ("tpot", "-1"),
            ("pue", "0"),
        ];
        let read = ask(&wrong);
        let keys: Vec<&str> = read.misread.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(keys, ["engine", "count", "precision", "tpot", "goal", "pue"]);
        assert_eq!(ServingAsk { misread: Vec::new(), ..read.clone() }, ServingAsk::default());
        assert_eq!(
            read.misread[2].to_string(),
            "“precision=fp12”: Number format must be one of bf16, fp8, fp4, int4. fp8 is used instead."
        );
    }
}
