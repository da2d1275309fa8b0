//! `millwright configure`: the best way to serve a model on so many GPUs, within targets.

use crate::cli::design::{Failure, catalog};
use crate::cli::output;
use clap::Args;
use model::design::Precision;
use sim::serving::ask;
use sim::serving::coefficients::Engine;
use sim::serving::fitted::FITTED;
use sim::serving::search::{Answer, Configuration, Goal, Prompts, Wanted, configure};
use sim::serving::shape::{Format, Formats};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Find the best way to serve a model on GPUs: how to divide it, batches, prompts together or apart, power limit
#[derive(Debug, Args)]
pub struct Configure {
    /// GPU, by its catalog name
    #[arg(long, value_name = "GPU")]
    gpu: String,
    /// How many GPUs there are
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    count: u32,
    /// Language model, by its catalog name or its name on Hugging Face
    #[arg(long, value_name = "MODEL")]
    model: String,
    /// Number format: bf16, fp8, fp4 or int4
    #[arg(long, value_name = "FORMAT", default_value = "fp8", value_parser = ask::precision)]
    precision: Precision,
    /// Serving engine: vllm, sglang or trtllm
    #[arg(long, value_name = "ENGINE", default_value = "vllm", value_parser = engine)]
    engine: Engine,
    /// Mean tokens of a prompt
    #[arg(long, value_name = "TOKENS", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    input: u32,
    /// Mean tokens of an answer
    #[arg(long, value_name = "TOKENS", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    output: u32,
    /// Longest mean time to the first token, ms
    #[arg(long, value_name = "MS", default_value_t = 2000.0)]
    ttft: f64,
    /// Longest mean time between tokens, ms
    #[arg(long, value_name = "MS", default_value_t = 50.0)]
    tpot: f64,
    /// What is to be most, or least: tokens-per-gpu, tokens-per-joule, tokens-per-megawatt or cost
    #[arg(long, value_name = "GOAL", default_value = "tokens-per-gpu", value_parser = goal)]
    goal: Goal,
    /// Facility power over IT power
    #[arg(long, value_name = "PUE", default_value_t = 1.2)]
    pue: f64,
    /// Dollars of a kilowatt-hour
    #[arg(long, value_name = "USD", default_value_t = 0.08, allow_negative_numbers = true)]
    energy_price: f64,
    /// Your own parts, which win over the catalog's of the same name
    #[arg(long, value_name = "FILE")]
    parts: Option<PathBuf>,
    /// Write the answer as JSON; `-` is standard output
    #[arg(long, value_name = "OUT")]
    json: Option<PathBuf>,
}

/// An engine by its name.
pub(crate) fn engine(text: &str) -> Result<Engine, String> {
    Engine::named(text).ok_or_else(|| format!("there are {}", Engine::ALL.map(Engine::name).join(", ")))
}

fn goal(text: &str) -> Result<Goal, String> {
    let known = Goal::ALL.into_iter().find(|goal| goal.name() == text);
    known.ok_or_else(|| format!("there are {}", Goal::ALL.map(Goal::name).join(", ")))
}

impl Configure {
    /// Searches.
    pub fn run(&self) -> Result<(), Failure> {
        for (flag, value, least) in [
            ("--ttft", self.ttft, 1e-6),
            ("--tpot", self.tpot, 1e-6),
            ("--pue", self.pue, 1.0),
            ("--energy-price", self.energy_price, 0.0),
        ] {
            if !(value.is_finite() && value >= least) {
                return Err(Failure::BadInput(format!("{flag} must be at least {least}")));
            }
        }
        let catalog = catalog(self.parts.as_deref())?;
        let gpu = ask::gpu(&catalog, &self.gpu).map_err(Failure::BadInput)?;
        let model = ask::language_model(&catalog, &self.model).map_err(Failure::BadInput)?;
        let node = ask::node(&catalog, gpu);
        let wanted = Wanted {
            gpu,
            count: self.count,
            domain: node.domain,
            model,
            formats: Formats::of(model, Format::from(self.precision)),
            engine: self.engine,
            input: f64::from(self.input),
            output: f64::from(self.output),
            ttft_s: self.ttft / 1e3,
            tpot_s: self.tpot / 1e3,
            goal: self.goal,
            around: node.around(self.pue, self.energy_price),
        };
        let answer = configure(&FITTED, &wanted).map_err(|why| Failure::Absent(why.to_string()))?;
        if let Some(path) = &self.json {
            output::write(&[(path, output::json(path, &answer)?)])?;
        }
        if self.json.as_deref() != Some(Path::new("-")) {
            output::print(&self.words(&wanted, &answer))?;
        }
        Ok(())
    }

    fn words(&self, wanted: &Wanted<'_>, answer: &Answer) -> String {
        let mut text = String::new();
        let best = &answer.best;
        let _ = writeln!(
            text,
            "{} on {} × {}, {} tokens in and {} out, first token within {} ms, between tokens {} ms: best by {}\n",
            wanted.model.name,
            self.count,
            wanted.gpu.name,
            self.input,
            self.output,
            self.ttft,
            self.tpot,
            self.goal.words()
        );
        let mut line = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<34}{value}");
        };
        line("Best", division(best));
        line("Requests at once in each", best.batch.to_string());
        line("Power limit of a GPU", format!("{:.0} W; draws {:.0} W on average", best.power_cap_w, best.gpu_power_w));
        line("Time to first token", format!("{:.0} ms", best.ttft_ms));
        line(
            "Time between tokens",
            format!("{:.1} ms, {:.0} tokens/s for a user", best.tpot_ms, best.output_tokens_per_s_per_user),
        );
        line(
            "Output tokens",
            format!(
                "{:.0} tokens/s and GPU ({:.0} to {:.0}), {:.0} in all on {} GPUs",
                best.output_tokens_per_s_per_gpu,
                best.output_tokens_per_s_per_gpu_low,
                best.output_tokens_per_s_per_gpu_high,
                best.output_tokens_per_s,
                best.gpus
            ),
        );
        line(
            "Tokens/s of a megawatt",
            format!(
                "{:.2} M of GPU boards, {:.2} M of the facility (PUE {})",
                best.output_tokens_per_s_per_board_mw / 1e6,
                best.output_tokens_per_s_per_facility_mw / 1e6,
                self.pue
            ),
        );
        line("Cost", format!("${:.3} a million output tokens", best.usd_per_million_output_tokens));
        line("Bound by", best.binds.name().to_owned());
        let long = ask::too_long(wanted.model, wanted.input + wanted.output);
        for assumed in wanted.formats.widened(wanted.gpu).into_iter().chain(long) {
            line("Assumed", assumed);
        }
        if best.gpus < self.count {
            line("Left over", format!("{}; neither cost nor power counts them", unused(self.count - best.gpus)));
        }
        text.push_str(&others(answer, self.count));
        let _ = writeln!(
            text,
            "\n{} configurations tried. In brackets: where 90% of measured points would lie. Cost: node price over four years\n\
             and energy; neither building nor staff.",
            answer.tried
        );
        text
    }
}

/// GPUs that no replica takes.
fn unused(gpus: u32) -> String {
    if gpus == 1 { "1 GPU stays unused".to_owned() } else { format!("{gpus} GPUs stay unused") }
}

/// The next best ways on so many GPUs, a line each.
fn others(answer: &Answer, count: u32) -> String {
    let mut text = String::from("\nOther ways, best first\n");
    for other in answer.others.iter().skip(1).take(6) {
        let _ = writeln!(
            text,
            "  {:<62}{:>8.0} tokens/s and GPU, {:>6.1} ms, {:>6.2} M tokens/s of a facility MW{}",
            division(other),
            other.output_tokens_per_s_per_gpu,
            other.tpot_ms,
            other.output_tokens_per_s_per_facility_mw / 1e6,
            if other.gpus < count { format!("; {}", unused(count - other.gpus)) } else { String::new() }
        );
    }
    text
}

/// A division in words.
fn division(c: &Configuration) -> String {
    let of = |layout: &sim::serving::step::Layout| {
        let mut words = vec![format!("{} GPUs", layout.gpus())];
        for (name, size) in [("TP", layout.tensor), ("PP", layout.pipeline), ("DP", layout.data), ("EP", layout.expert)]
        {
            if size > 1 {
                words.push(format!("{name}{size}"));
            }
        }
        words.join(" ")
    };
    match &c.prompts {
        Prompts::Together => {
            let noun = if c.replicas == 1 { "replica" } else { "replicas" };
            format!("{} {noun} of {}", c.replicas, of(&c.layout))
        }
        Prompts::Apart { workers, layout } => {
            format!("{workers} for prompts of {}, {} for answers of {}", of(layout), c.replicas, of(&c.layout))
        }
    }
}
