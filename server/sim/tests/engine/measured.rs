//! Measurements of the data folder as values: serving points, the cap sweep, the power of a node.

use crate::common::data;
use model::design::Precision;
use model::quantity::Span;
use model::served::Point;
use sim::board::{CapCurve, Phase};
use sim::serving::{self, Work, best_point};
use std::collections::BTreeMap;

/// The measured serving points of aiconfigurator's public silicon sample (Apache-2.0), by the lines that have them.
pub(crate) fn served() -> Option<Vec<(u64, Point)>> {
    let (path, bytes) = data("benchmarks/serving_measured.csv")?;
    let table = input::points(&path, &bytes).unwrap();
    Some(table.rows.into_iter().map(|row| (row.line, row.point.unwrap())).collect())
}

/// Board watts and normalised throughput of each job of Emerald AI's cap sweep (Phoenix, May 2025, Apache-2.0).
pub(crate) fn cap_sweep() -> Option<BTreeMap<String, Vec<(f64, f64)>>> {
    let (_, bytes) = data("grid/emerald_phoenix_2025/dvfs_sweep.csv")?;
    let mut jobs: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for line in String::from_utf8(bytes).unwrap().lines().skip(1) {
        let row: Vec<&str> = line.split(',').collect();
        jobs.entry(row[0].into()).or_default().push((row[5].parse().unwrap(), row[4].parse().unwrap()));
    }
    Some(jobs)
}

/// Errors of normalised throughput, predicted less measured, at each cap of a job.
pub(crate) fn cap_errors(curve: &CapCurve, phase: Phase, job: &[(f64, f64)]) -> Vec<f64> {
    let uncapped = job.iter().map(|p| p.0).fold(0.0, f64::max);
    job.iter().map(|&(watts, measured)| curve.throughput_at_power(phase, watts / uncapped) - measured).collect()
}

/// Mean wall power of the 8×H200 node of MLPerf v4.1 Inference Closed, NVIDIA H200-SXM-141GBx8 MaxQ, at rest and at
/// work, W; `run` is `Offline` or `Server`. Derived figures not verified by MLCommons Association.
pub(crate) fn node_power_w(run: &str) -> Option<(f64, f64)> {
    let (_, bytes) = data(&format!("benchmarks/mlperf_v4.1_h200x8_maxq/llama2-70b-99_{run}_node_power_1hz.csv"))?;
    let text = String::from_utf8(bytes).unwrap();
    let watts: Vec<f64> = text.lines().skip(1).filter_map(|line| line.split(',').nth(1)?.parse().ok()).collect();
    let mean = |keep: &dyn Fn(f64) -> bool| {
        let kept: Vec<f64> = watts.iter().copied().filter(|&w| keep(w)).collect();
        kept.iter().sum::<f64>() / kept.len() as f64
    };
    // The node is at rest before and after its run, and the run has no other levels than these two.
    Some((mean(&|w| w < 2_600.0), mean(&|w| w > 6_000.0)))
}

/// An 8-GPU node on the work of MLPerf v4.1's Llama-2-70B: prompts of 295 and answers of 291 tokens, 200 ms a token.
pub(crate) fn mlperf_point(gpu: &str) -> serving::Point {
    let catalog = catalog::catalog().unwrap();
    let work = Work {
        model: catalog.model(&"llama-3.1-70b".parse().unwrap()).unwrap(),
        precision: Precision::Fp8,
        prefill_tokens: 295.0,
        context_tokens: 295.0,
        output_tokens: 291.0,
        ttft: Span::from_seconds(60.0),
        tpot: Span::from_seconds(0.2),
    };
    best_point(catalog.gpu(&gpu.parse().unwrap()).unwrap(), 8, &work).unwrap()
}
