//! `millwright replay`: the requests of a trace, one by one, through a fleet.

use crate::cli::design::{Failure, catalog};
use crate::cli::output;
use crate::replay::{self, Happens, What};
use clap::Args;
use input::{TRACE_BYTES_MAX, read_file, request_list};
use model::design::Precision;
use model::replay::{ReplaySetup, Routing};
use sim::replay::outcome::{Outcome, Spread};
use sim::serving::ask;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Replay a trace of requests through a fleet, step by step: who waits how long, and what it draws
#[derive(Debug, Args)]
pub struct Replay {
    /// Requests: Azure trace CSV, Mooncake JSONL, or a table at_s,input_tokens,output_tokens and, if wanted,
    /// tenant, model, session, priority, pause_s
    #[arg(long, value_name = "FILE")]
    requests: PathBuf,
    /// GPU, by its catalog name
    #[arg(long, value_name = "GPU")]
    gpu: String,
    /// Language model, by its catalog name or its name on Hugging Face
    #[arg(long, value_name = "MODEL")]
    model: String,
    /// Number format: bf16, fp8, fp4 or int4
    #[arg(long, value_name = "FORMAT", default_value = "fp8", value_parser = ask::precision)]
    precision: Precision,
    /// Serving engine: vllm, sglang or trtllm
    #[arg(long, value_name = "ENGINE", default_value = "vllm")]
    engine: String,
    /// GPUs of tensor parallelism in a replica
    #[arg(long, value_name = "N", default_value_t = 1)]
    tp: u32,
    /// Groups of data-parallel attention in a replica
    #[arg(long, value_name = "N", default_value_t = 1)]
    dp: u32,
    /// GPUs over which whole experts are spread
    #[arg(long, value_name = "N", default_value_t = 1)]
    ep: u32,
    /// Replicas that compute prompts and answers
    #[arg(long, value_name = "N", default_value_t = 1)]
    replicas: u32,
    /// Replicas for prompts and for answers apart, as `2:6`; in place of --replicas
    #[arg(long, value_name = "P:D", value_parser = apart, conflicts_with = "replicas")]
    disaggregated: Option<(u32, u32)>,
    /// Who is given a request: random, round-robin, least-loaded, power-of-two or kv
    #[arg(long, value_name = "ROUTER", default_value = "least-loaded")]
    router: Routing,
    /// Keep the blocks of prompts that other requests begin with
    #[arg(long)]
    prefix_cache: bool,
    /// Turn replicas on and off to meet the targets
    #[arg(long)]
    autoscale: bool,
    /// Power limit of each GPU, watts
    #[arg(long, value_name = "W")]
    cap: Option<f64>,
    /// Most requests at once in a replica (vLLM's max_num_seqs); by the GPU's memory unless it is given
    #[arg(long, value_name = "N")]
    max_requests: Option<u32>,
    /// Most tokens of a step (vLLM's max_num_batched_tokens); by the GPU's memory unless it is given
    #[arg(long, value_name = "N")]
    max_step_tokens: Option<u32>,
    /// Longest time to the first token that counts as good, ms
    #[arg(long, value_name = "MS", default_value_t = 2000.0)]
    ttft: f64,
    /// Longest time between tokens that does, ms
    #[arg(long, value_name = "MS", default_value_t = 50.0)]
    tpot: f64,
    /// What happens to a replica, as often as wanted: `60:0:fails`, `120:0:returns`, `300:all:limit=400` (seconds, replica or
    /// all, watts of each GPU)
    #[arg(long, value_name = "AT:REPLICA:WHAT", value_parser = event)]
    event: Vec<Happens>,
    /// Seed of routers that choose by chance
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Your own parts, which win over the catalog's of the same name
    #[arg(long, value_name = "FILE")]
    parts: Option<PathBuf>,
    /// Write the outcome as JSON; `-` is standard output
    #[arg(long, value_name = "OUT")]
    json: Option<PathBuf>,
    /// Write a row for each request as CSV; `-` is standard output
    #[arg(long, value_name = "OUT")]
    csv: Option<PathBuf>,
}

fn event(text: &str) -> Result<Happens, String> {
    let parts: Vec<&str> = text.splitn(3, ':').collect();
    let &[at, replica, what] = parts.as_slice() else {
        return Err("must be a time, a replica and what happens, as 60:0:fails".to_owned());
    };
    let at_s = at.parse::<f64>().ok().filter(|at| at.is_finite() && *at >= 0.0);
    let replica = match replica {
        "all" => None,
        number => Some(number.parse::<u32>().map_err(|_| format!("{number:?} is neither a replica's number nor all"))?),
    };
    let limit = |text: &str| text.parse::<f64>().ok().filter(|watts| watts.is_finite() && *watts > 0.0);
    let what = match (what, what.strip_prefix("limit=")) {
        ("fails", _) => What::Fails,
        ("returns", _) => What::Returns,
        (_, Some(watts)) => What::Limit(limit(watts).ok_or_else(|| format!("{watts:?} is no number of watts"))?),
        _ => return Err(format!("{what:?} can't happen; fails, returns and limit=WATTS can")),
    };
    Ok(Happens { at_s: at_s.ok_or_else(|| format!("{at:?} is no number of seconds"))?, replica, what })
}

fn apart(text: &str) -> Result<(u32, u32), String> {
    let counts = text.split_once(':').and_then(|(p, d)| Some((p.parse().ok()?, d.parse().ok()?)));
    match counts {
        Some((p, d)) if p > 0 && d > 0 => Ok((p, d)),
        _ => Err("must be two numbers of replicas, as 2:6".to_owned()),
    }
}

impl Replay {
    /// Runs it.
    pub fn run(&self) -> Result<(), Failure> {
        let outputs: Vec<&Path> = self.json.as_deref().into_iter().chain(self.csv.as_deref()).collect();
        output::keep_apart(&outputs, &[&self.requests])?;
        for (flag, value) in [("--ttft", Some(self.ttft)), ("--tpot", Some(self.tpot)), ("--cap", self.cap)] {
            if value.is_some_and(|value| !(value.is_finite() && value > 0.0)) {
                return Err(Failure::BadInput(format!("{flag} must be more than 0")));
            }
        }
        let catalog = catalog(self.parts.as_deref())?;
        let bytes = read_file(&self.requests, TRACE_BYTES_MAX).map_err(|error| Failure::bad(&error))?;
        let name = self.requests.display().to_string();
        let (list, report) = request_list(&name, &bytes).map_err(|error| Failure::bad(&error))?;
        let setup = self.setup();
        let outcome = replay::run(&catalog, &setup, &self.event, &list.requests).map_err(Failure::BadInput)?;
        let mut files: Vec<(&Path, Vec<u8>)> = Vec::new();
        if let Some(path) = &self.json {
            files.push((path, output::json(path, &Asked { setup: &setup, outcome: &outcome })?));
        }
        if let Some(path) = &self.csv {
            files.push((path, replay::rows(&list.requests, &outcome).map_err(Failure::Failed)?));
        }
        output::write(&files)?;
        if !outputs.contains(&Path::new("-")) {
            let remarks = report.remarks.iter().map(|remark| format!("{name}: {remark}\n"));
            output::print(&format!("{}{}", remarks.collect::<String>(), words(&setup, &outcome)))?;
        }
        Ok(())
    }

    fn setup(&self) -> ReplaySetup {
        let (prefill, all) = self.disaggregated.map_or((0, self.replicas), |(p, d)| (p, p.saturating_add(d)));
        ReplaySetup {
            gpu: self.gpu.clone(),
            model: self.model.clone(),
            precision: self.precision,
            engine: self.engine.clone(),
            tensor: self.tp,
            data: self.dp,
            expert: self.ep,
            replicas: all,
            prefill_replicas: prefill,
            routing: self.router,
            prefix_cache: self.prefix_cache,
            autoscale: self.autoscale,
            power_cap_w: self.cap,
            requests_max: self.max_requests,
            step_tokens_max: self.max_step_tokens,
            ttft_ms: self.ttft,
            tpot_ms: self.tpot,
            seed: self.seed,
        }
    }
}

/// An outcome beside what was asked.
#[derive(serde::Serialize)]
struct Asked<'a> {
    setup: &'a ReplaySetup,
    outcome: &'a Outcome,
}

fn words(setup: &ReplaySetup, outcome: &Outcome) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<30}{value}");
    };
    let spread = |s: &Spread, unit: f64| {
        format!(
            "mean {:.1}, half under {:.1}, 90% under {:.1}, 99% under {:.1} ms",
            s.mean * unit,
            s.p50 * unit,
            s.p90 * unit,
            s.p99 * unit
        )
    };
    let pools = if setup.prefill_replicas == 0 {
        format!("{} replica{}", setup.replicas, if setup.replicas == 1 { "" } else { "s" })
    } else {
        format!(
            "{} replicas for prompts, {} for answers",
            setup.prefill_replicas,
            setup.replicas - setup.prefill_replicas
        )
    };
    let gpus = setup.tensor * setup.data;
    line("Serves", format!("{} on {pools} of {gpus} × {}", setup.model, setup.gpu));
    line("Requests are sent", setup.routing.words().to_owned());
    let counts = &outcome.requests;
    line("Requests", format!("{} asked, {} finished in {:.1} s", counts.asked, counts.finished, outcome.span_s));
    let refused = counts.refused_queue_full + counts.refused_too_long + counts.refused_no_model;
    if refused + counts.unfinished > 0 {
        let long = counts.refused_too_long;
        line(
            "Not finished",
            format!("{refused} refused, {long} of them too long for memory; {} cut off", counts.unfinished),
        );
    }
    line("Time to first token", spread(&outcome.ttft_s, 1e3));
    line("Time between tokens", spread(&outcome.tpot_s, 1e3));
    line("Whole answer", spread(&outcome.e2e_s, 1e3));
    line(
        "Within the targets",
        format!(
            "{:.1}% of requests (first token {} ms, between tokens {} ms)",
            outcome.attainment * 100.0,
            setup.ttft_ms,
            setup.tpot_ms
        ),
    );
    let all_gpus = f64::from(gpus * setup.replicas);
    line(
        "Output tokens",
        format!("{:.0} tokens/s, {:.1} a GPU", outcome.output_tokens_per_s, outcome.output_tokens_per_s / all_gpus),
    );
    if setup.prefix_cache {
        let found = &outcome.cache;
        line("Prompts from the cache", format!("{} of {} tokens", found.cached_tokens, found.prompt_tokens));
    }
    let energy = &outcome.energy;
    line(
        "GPU boards",
        format!(
            "{:.1} kW on average, {:.0} W each; {:.2} kWh, {:.0}% of it between steps",
            energy.mean_w / 1e3,
            energy.mean_w / all_gpus,
            energy.total_j / 3.6e6,
            100.0 * energy.idle_j / energy.total_j.max(1e-9)
        ),
    );
    line("Energy of a token", format!("{:.3} J of GPU boards for each output token", energy.per_output_token_j));
    line("Preempted", format!("{} times for want of KV memory", outcome.preemptions));
    text
}
