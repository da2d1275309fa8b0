//! Runs of vLLM on real GPUs (LLMServingSim's bench of vLLM 0.19, MIT), replayed: 300 ShareGPT requests, ten a second.
//! The GPUs were not measured otherwise, and neither run is unseen: the bus of two RTX PRO 6000 is fitted to its run, and
//! what GDDR reaches of its peak, the reserve of memory and the clock of the RTX 4090 were chosen with its run in view.

use crate::common::assert_close;
use sim::replay::fleet::{Engine as Limits, Fleet, Pool};
use sim::replay::outcome::Outcome;
use sim::replay::request::{Arrival, Request, Requests};
use sim::replay::{Options, run};
use sim::serving::ask;
use sim::serving::coefficients::Engine;
use sim::serving::cost::StepCost;
use sim::serving::fitted::FITTED;
use sim::serving::shape::{Format, Formats};
use sim::serving::step::{Layout, Setup};
use std::path::Path;

/// What a run measured.
struct Measured {
    requests: Requests,
    span_s: f64,
    tpot_s: f64,
}

fn measured(name: &str) -> Option<Measured> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = std::env::var("MILLWRIGHT_DATA").map_or_else(|_| root.join("../shared/data"), Into::into);
    let path = data.join(format!("benchmarks/vllm_runs/{name}_requests.jsonl"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is missing", path.display());
        eprintln!("skipped: {} is missing", path.display());
        return None;
    };
    let rows: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let number = |row: &serde_json::Value, key: &str| row[key].as_f64().unwrap();
    let least = |key: &str| rows.iter().map(|row| number(row, key)).fold(f64::INFINITY, f64::min);
    let (first, queued) = (least("arrival_time"), least("queued_ts"));
    let mut list: Vec<Request> = rows
        .iter()
        .map(|row| Request {
            arrival: Arrival::At { at_s: number(row, "arrival_time") - first },
            input: number(row, "input_toks") as u32,
            output: number(row, "output_toks") as u32,
            ..Request::default()
        })
        .collect();
    list.sort_by(|a, b| match (a.arrival, b.arrival) {
        (Arrival::At { at_s: a }, Arrival::At { at_s: b }) => a.total_cmp(&b),
        _ => std::cmp::Ordering::Equal,
    });
    let tpot = |row: &serde_json::Value| {
        (number(row, "last_token_ts") - number(row, "first_token_ts")) / f64::max(number(row, "output_toks") - 1.0, 1.0)
    };
    Some(Measured {
        requests: Requests { list, ..Requests::default() },
        span_s: rows.iter().map(|row| number(row, "last_token_ts")).fold(0.0, f64::max) - queued,
        tpot_s: rows.iter().map(tpot).sum::<f64>() / rows.len() as f64,
    })
}

fn replayed(gpu: &str, model: &str, tensor: u32, requests_max: u32, requests: &Requests) -> Outcome {
    let catalog = catalog::catalog().unwrap();
    let (gpu, model) = (ask::gpu(&catalog, gpu).unwrap(), ask::language_model(&catalog, model).unwrap());
    let formats = Formats::of(model, Format::Bf16);
    let setup = Setup::new(gpu, model, formats, Layout::tensor(tensor), Engine::Vllm);
    let board_w = gpu.board_power.as_watts();
    let cost = StepCost::of(&FITTED, &setup, 2_048, board_w, board_w).unwrap();
    let engine = Limits { step_tokens_max: 2_048, requests_max, ..Limits::default() };
    run(&Fleet::alike(cost, vec![Pool { engine, ..Pool::default() }]), requests, &Options::default()).unwrap()
}

#[test]
fn agrees_with_runs_of_vllm() {
    for (name, gpu, model, tensor, requests_max) in [
        ("RTX4090_Llama-3.1-8B", "rtx-4090", "meta-llama/Llama-3.1-8B", 1, 256),
        ("RTXPRO6000_Qwen3-32B", "rtx-pro-6000", "Qwen/Qwen3-32B", 2, 128),
    ] {
        let Some(measured) = measured(name) else { return };
        let found = replayed(gpu, model, tensor, requests_max, &measured.requests);
        println!(
            "{name}: {:.1} s, measured {:.1}; between tokens {:.2} ms, measured {:.2}",
            found.span_s,
            measured.span_s,
            found.tpot_s.mean * 1e3,
            measured.tpot_s * 1e3
        );
        assert_eq!(found.requests.finished, 300);
        assert_close(name, found.span_s, measured.span_s, 0.10);
        assert_close(name, found.tpot_s.mean, measured.tpot_s, 0.10);
    }
}
