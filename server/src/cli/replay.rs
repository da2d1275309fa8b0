//! `millwright replay`: the requests of a trace, one by one, through a fleet.

use crate::cli::design::{Failure, catalog};
use crate::cli::output;
use crate::cli::predict::known_words;
use crate::facility_limits;
use crate::replay::{self, Parts};
use clap::Args;
use input::{TRACE_BYTES_MAX, read_file, request_list};
use model::catalog::Catalog;
use model::design::Precision;
use model::part::LanguageModel;
use model::replay::{
    Foretelling, ReplayAlso, ReplayChange, ReplayEvent, ReplayServed, ReplaySetup, ReplaySpread, ReplayTier, Routing,
};
use sim::replay::outcome::{Outcome, Spread};
use sim::replay::request::{Arrival, Requests};
use sim::serving::{ask, band};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

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
    /// A further model with replicas of its own, on the same GPU and in the same precision, as often as wanted:
    /// `llama-3.1-8b:1:2` is two replicas of one GPU. Requests go to the model that their column `model` names
    #[arg(long, value_name = "MODEL:TP:REPLICAS", value_parser = ReplayAlso::from_str)]
    also: Vec<ReplayAlso>,
    /// Who is given a request: random, round-robin, least-loaded, power-of-two or kv
    #[arg(long, value_name = "ROUTER", default_value = "least-loaded")]
    router: Routing,
    /// Keep the blocks of prompts that other requests begin with
    #[arg(long)]
    prefix_cache: bool,
    /// Host memory of each replica that keeps blocks which its GPUs have no room for: GB, and GB/s at which they come back
    #[arg(long, value_name = "GB:GB/S", value_parser = tier, requires = "prefix_cache")]
    host_cache: Option<ReplayTier>,
    /// Disk of each replica that keeps those which the host has no room for, alike
    #[arg(long, value_name = "GB:GB/S", value_parser = tier, requires = "prefix_cache")]
    disk_cache: Option<ReplayTier>,
    /// Turn replicas on and off to meet the targets
    #[arg(long)]
    autoscale: bool,
    /// How the autoscaler foretells requests: constant, trend or arima
    #[arg(long, value_name = "WAY", default_value = "constant", requires = "autoscale")]
    predictor: Foretelling,
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
    #[arg(long, value_name = "AT:REPLICA:WHAT", value_parser = ReplayEvent::from_str, allow_hyphen_values = true)]
    event: Vec<ReplayEvent>,
    /// A facility's year as `simulate --csv` writes it: where its cooling or contract held the fleet back, boards are limited
    #[arg(long, value_name = "FILE")]
    facility: Option<PathBuf>,
    /// Hour of that year at which the requests begin, such as a hot afternoon's
    #[arg(long, value_name = "HOUR", default_value_t = 0.0, requires = "facility")]
    facility_from: f64,
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

/// Largest year that is read: steps of a minute, two dozen columns.
const YEAR_BYTES_MAX: u64 = 512 << 20;

/// A cache beside the GPUs: `200:50` is 200 GB at 50 GB/s.
fn tier(text: &str) -> Result<ReplayTier, String> {
    let good = |text: &str| text.parse::<f64>().ok().filter(|value| value.is_finite() && *value > 0.0);
    let both = text.split_once(':').and_then(|(size, speed)| Some((good(size)?, good(speed)?)));
    let (size, speed) = both.ok_or("must be GB and GB/s, both above 0, as 200:50")?;
    Ok(ReplayTier { size_bytes: size * 1e9, bytes_per_s: speed * 1e9 })
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
        let inputs: Vec<&Path> =
            [Some(&self.requests), self.facility.as_ref()].into_iter().flatten().map(PathBuf::as_path).collect();
        output::keep_apart(&outputs, &inputs)?;
        for (flag, value) in [("--ttft", Some(self.ttft)), ("--tpot", Some(self.tpot)), ("--cap", self.cap)] {
            if value.is_some_and(|value| !(value.is_finite() && value > 0.0)) {
                return Err(Failure::BadInput(format!("{flag} must be more than 0")));
            }
        }
        let catalog = catalog(self.parts.as_deref())?;
        let bytes = read_file(&self.requests, TRACE_BYTES_MAX).map_err(|error| Failure::bad(&error))?;
        let name = self.requests.display().to_string();
        let (mut list, report) = request_list(&name, &bytes).map_err(|error| Failure::bad(&error))?;
        let mut setup = self.setup();
        let parts = replay::parts(&catalog, &setup).map_err(Failure::BadInput)?;
        replay::ask_served(&catalog, &parts, &name, &mut list).map_err(|error| Failure::bad(&error))?;
        if let Some(path) = &self.facility {
            setup.events.extend(self.held(path, &catalog, &list.requests)?);
        }
        let outcome = replay::run(&catalog, &setup, &list.requests).map_err(Failure::BadInput)?;
        let mut files: Vec<(&Path, Vec<u8>)> = Vec::new();
        if let Some(path) = &self.json {
            let models = replay::served(&outcome, &parts);
            files.push((path, output::json(path, &Asked { setup: &setup, outcome: &outcome, models })?));
        }
        if let Some(path) = &self.csv {
            files.push((path, replay::rows(&list.requests, &outcome, &parts).map_err(Failure::Failed)?));
        }
        output::write(&files)?;
        if !outputs.contains(&Path::new("-")) {
            let remarks = report.remarks.iter().map(|remark| format!("{name}: {remark}\n"));
            let facility = self.facility.as_ref().map(|path| {
                let held = setup.events.len() - self.event.len();
                let words = match held {
                    0 => "allowed every board its limit in these hours".to_owned(),
                    1 => "changed the boards' limit once, as cooling or contract held it back".to_owned(),
                    more => format!("changed the boards' limit {more} times, as cooling or contract held it back"),
                };
                format!("{}: the facility {words}\n", path.display())
            });
            let told = facility.unwrap_or_default() + &words(&setup, &parts, &outcome, &list.tenants);
            output::print(&format!("{}{told}", remarks.collect::<String>()))?;
        }
        Ok(())
    }

    /// Limits that a facility's year sets while the requests come, and an hour after.
    fn held(&self, path: &Path, catalog: &Catalog, requests: &Requests) -> Result<Vec<ReplayEvent>, Failure> {
        let bytes = read_file(path, YEAR_BYTES_MAX).map_err(|error| Failure::bad(&error))?;
        let gpu = ask::gpu(catalog, &self.gpu).map_err(Failure::BadInput)?;
        let cap_w = self.cap.map_or(gpu.board_power.as_watts(), |cap| cap.min(gpu.board_power.as_watts()));
        let come = requests.list.iter().filter_map(|request| match request.arrival {
            Arrival::At { at_s } => Some(at_s),
            Arrival::After { .. } => None,
        });
        let span_s = come.fold(0.0, f64::max) + 3600.0;
        let year = (path.display().to_string(), bytes);
        facility_limits::limits((&year.0, &year.1), self.facility_from, span_s, gpu, cap_w).map_err(Failure::BadInput)
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
            also: self.also.clone(),
            prefill_replicas: prefill,
            routing: self.router,
            prefix_cache: self.prefix_cache,
            host_cache: self.host_cache,
            disk_cache: self.disk_cache,
            autoscale: self.autoscale,
            predictor: self.predictor,
            power_cap_w: self.cap,
            requests_max: self.max_requests,
            step_tokens_max: self.max_step_tokens,
            ttft_ms: self.ttft,
            tpot_ms: self.tpot,
            seed: self.seed,
            events: self.event.clone(),
        }
    }
}

/// An outcome beside what was asked.
#[derive(serde::Serialize)]
struct Asked<'a> {
    setup: &'a ReplaySetup,
    outcome: &'a Outcome,
    /// Each model's part where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    models: Vec<ReplayServed>,
}

/// Lines of a name and a value.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, name: &str, value: &str) {
        let _ = writeln!(self.0, "{name:<30}{value}");
    }
}

fn words(setup: &ReplaySetup, parts: &Parts<'_>, outcome: &Outcome, names: &[String]) -> String {
    let mut lines = Lines::default();
    asked(&mut lines, setup, parts);
    came(&mut lines, setup, outcome);
    drew(&mut lines, setup, outcome);
    let kept = replay::kept(outcome, parts, names);
    for model in &kept.models {
        by_model(&mut lines, model);
    }
    for tenant in &kept.tenants {
        let ms = |seconds: Option<f64>| seconds.map_or("none".to_owned(), |s| format!("{:.1} ms", s * 1e3));
        lines.line(
            &format!("Tenant {}", tenant.name),
            &format!(
                "{} requests, {:.1}% within the targets; 95% of first tokens under {}, of times between under {}; \
                 {} tokens for {:.0} J, {:.0}% of the energy",
                tenant.requests,
                tenant.attainment * 100.0,
                ms(tenant.ttft_p95_s),
                ms(tenant.tpot_p95_s),
                tenant.output_tokens,
                tenant.energy_j,
                100.0 * tenant.energy_j / kept.energy.total_j.max(1e-9)
            ),
        );
    }
    let sure = kept.sureness;
    let known = |model: &LanguageModel| known_words(band::known(parts.gpu.id.as_str(), model.id.as_str()));
    lines.line("Rests on", known(parts.model));
    for also in &parts.also {
        lines.line(&format!("Rests on, {}", also.model.id), known(also.model));
    }
    let _ = write!(
        lines.0,
        "\n90% of measured points would lie within {:.2} to {:.2} of the predicted time between tokens, and {:.2} to {:.2}\n\
         of the predicted tokens a second. That is of steps alone: where the fleet is nearly full, queues make more of any\n\
         error. Watts are of GPU boards alone: neither node nor facility.\n",
        sure.tpot_low, sure.tpot_high, sure.rate_low, sure.rate_high
    );
    lines.0
}

/// One model's part.
fn by_model(lines: &mut Lines, model: &ReplayServed) {
    let ms = |spread: Option<ReplaySpread>| {
        spread.map_or("none".to_owned(), |s| format!("{:.1} and {:.1} ms", s.p50 * 1e3, s.p99 * 1e3))
    };
    let within = model.attainment.map_or("none".to_owned(), |share| format!("{:.1}%", share * 100.0));
    lines.line(
        &format!("Model {}", model.model),
        &format!(
            "{} requests, {} finished, {within} within the targets; half and 99% of first tokens under {}, of times between \
             under {}; {} tokens for {:.0} J of its replicas",
            model.requests,
            model.finished,
            ms(model.ttft_s),
            ms(model.tpot_s),
            model.output_tokens,
            model.energy_j
        ),
    );
}

/// What was asked.
fn asked(lines: &mut Lines, setup: &ReplaySetup, parts: &Parts<'_>) {
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
    let format = setup.precision.name();
    lines.line("Serves", &format!("{} in {format} on {pools} of {gpus} × {}", setup.model, setup.gpu));
    let mut next = setup.replicas;
    for also in &setup.also {
        let replicas = if also.replicas == 1 {
            format!("1 replica, number {next},")
        } else {
            format!("{} replicas, numbered {next} to {},", also.replicas, next + also.replicas - 1)
        };
        lines.line("Also serves", &format!("{} on {replicas} of {} × {}", also.model, also.tensor, setup.gpu));
        next += also.replicas;
    }
    lines.line("Requests are sent", setup.routing.words());
    let board_w = parts.gpu.board_power.as_watts();
    let cap = setup.power_cap_w.map_or_else(
        || format!("the board's own, {board_w:.0} W each"),
        |cap| format!("{:.0} W each", cap.min(board_w)),
    );
    lines.line("Power limit", &cap);
    if setup.autoscale {
        lines.line("Autoscaler", &format!("each three minutes, foretelling {}", setup.predictor.words()));
    }
    for (name, tier) in [("Cache in host memory", setup.host_cache), ("Cache on disk", setup.disk_cache)] {
        if let Some(ReplayTier { size_bytes, bytes_per_s }) = tier {
            let words = format!("{} GB of each replica, {} GB/s back", size_bytes / 1e9, bytes_per_s / 1e9);
            lines.line(name, &words);
        }
    }
    for event in &setup.events {
        let whom = event.replica.map_or("every replica".to_owned(), |replica| format!("replica {replica}"));
        let what = match event.change {
            ReplayChange::Fails => "fails".to_owned(),
            ReplayChange::Returns => "returns".to_owned(),
            ReplayChange::Limit { watts } => format!("is limited to {:.0} W a GPU", watts.min(board_w)),
        };
        lines.line("Event", &format!("after {} s {whom} {what}", event.at_s));
    }
    let assumed: BTreeSet<String> = parts.served().filter_map(|(_, one, _)| one.formats.widened(parts.gpu)).collect();
    for words in assumed {
        lines.line("Assumed", &words);
    }
}

/// Who finished when.
fn came(lines: &mut Lines, setup: &ReplaySetup, outcome: &Outcome) {
    let spread = |s: &Spread, unit: f64| {
        if s.count == 0 {
            return "none to tell".to_owned();
        }
        format!(
            "mean {:.1}, half under {:.1}, 90% under {:.1}, 99% under {:.1} ms",
            s.mean * unit,
            s.p50 * unit,
            s.p90 * unit,
            s.p99 * unit
        )
    };
    let counts = &outcome.requests;
    lines.line("Requests", &format!("{} asked, {} finished in {:.1} s", counts.asked, counts.finished, outcome.span_s));
    let refused = counts.refused_queue_full + counts.refused_too_long + counts.refused_no_model;
    if refused + counts.unfinished > 0 {
        let long = counts.refused_too_long;
        let words = format!("{refused} refused, {long} of them too long for memory; {} cut off", counts.unfinished);
        lines.line("Not finished", &words);
    }
    if outcome.moved_by_failure > 0 {
        lines.line("Begun anew elsewhere", &format!("{} times, as a replica failed", outcome.moved_by_failure));
    }
    lines.line("Time to first token", &spread(&outcome.ttft_s, 1e3));
    lines.line("Time between tokens", &spread(&outcome.tpot_s, 1e3));
    lines.line("Whole answer", &spread(&outcome.e2e_s, 1e3));
    lines.line(
        "Within the targets",
        &format!(
            "{:.1}% of requests (first token {} ms, between tokens {} ms)",
            outcome.attainment * 100.0,
            setup.ttft_ms,
            setup.tpot_ms
        ),
    );
}

/// What it made, and what that drew.
fn drew(lines: &mut Lines, setup: &ReplaySetup, outcome: &Outcome) {
    let all_gpus = f64::from(setup.all_gpus());
    let rate = outcome.output_tokens_per_s;
    lines.line("Output tokens", &format!("{rate:.0} tokens/s, {:.1} a GPU", rate / all_gpus));
    if setup.prefix_cache {
        let found = &outcome.cache;
        let outside = if setup.host_cache.is_some() || setup.disk_cache.is_some() {
            let (host, disk) = (found.blocks_in_host, found.blocks_on_disk);
            format!("; {host} of {} blocks from host memory, {disk} from disk", found.blocks)
        } else {
            String::new()
        };
        let words = format!("{} of {} tokens{outside}", found.cached_tokens, found.prompt_tokens);
        lines.line("Prompts from the cache", &words);
    }
    let energy = &outcome.energy;
    lines.line(
        "GPU boards",
        &format!(
            "{:.1} kW on average, {:.0} W each; {:.2} kWh, {:.0}% of it between steps",
            energy.mean_w / 1e3,
            energy.mean_w / all_gpus,
            energy.total_j / 3.6e6,
            100.0 * energy.idle_j / energy.total_j.max(1e-9)
        ),
    );
    let each = energy.per_output_token_j;
    let words = if outcome.output_tokens_per_s > 0.0 {
        format!("{each:.3} J of GPU boards for each output token")
    } else {
        "none, as none was made".to_owned()
    };
    lines.line("Energy of a token", &words);
    lines.line("Preempted", &format!("{} times for want of KV memory", outcome.preemptions));
}
