//! Work against a power cap: the fit's error and that on jobs that the fit never saw.

use crate::common::data;
use sim::board::{Phase, throughput_at_power};
use std::collections::BTreeMap;

/// Emerald AI's field test, Phoenix, May 2025 (Apache-2.0): normalised throughput at caps of 100 to 400 W.
#[test]
fn agrees_with_the_measured_cap_sweep() {
    let Some((_, bytes)) = data("grid/emerald_phoenix_2025/dvfs_sweep.csv") else { return };
    let mut jobs: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for line in String::from_utf8(bytes).unwrap().lines().skip(1) {
        let row: Vec<&str> = line.split(',').collect();
        jobs.entry(row[0].into()).or_default().push((row[5].parse().unwrap(), row[4].parse().unwrap()));
    }
    let error = |job: &str, phase: Phase| {
        let points = &jobs[job];
        let uncapped = points.iter().map(|p| p.0).fold(0.0, f64::max);
        let errors: Vec<f64> = points
            .iter()
            .map(|&(watts, measured)| (throughput_at_power(phase, watts / uncapped) - measured).abs())
            .collect();
        (errors.iter().sum::<f64>() / errors.len() as f64, errors.iter().copied().fold(0.0, f64::max))
    };
    for (job, phase, seen, bound) in [
        ("infer_llama_8b", Phase::Decode, "fitted", 0.01),
        ("ft_llama_8b_dolly", Phase::Prefill, "fitted", 0.03),
        ("pt_mpt_13b_lg", Phase::Prefill, "fitted", 0.035),
        ("ft_llama_8b_p3", Phase::Prefill, "left out", 0.03),
        ("pt_mpt_13b_sm", Phase::Prefill, "left out", 0.03),
        ("pt_mpt_7b_fast", Phase::Prefill, "left out", 0.03),
    ] {
        let (mean, worst) = error(job, phase);
        println!("{job} ({seen}): mean error {mean:.4}, largest {worst:.4}");
        assert!(mean <= bound && worst <= 0.06, "{job}: mean {mean}, largest {worst}");
    }
}
