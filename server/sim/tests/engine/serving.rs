//! The serving model against measured points: dense models and H100 are fitted (see `fit`); mixtures of experts on B200,
//! and all of GB200, the fit does not see.

use crate::measured::{Served, served};
use model::quantity::Span;
use sim::serving::{Margin, Roofline, Work, best_point, margin};
use std::collections::BTreeMap;

/// The bounds are the errors that the bands are made from.
#[test]
fn agrees_with_measured_time_between_tokens() {
    let Some(served) = served() else { return };
    let mut errors: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    for row in served.iter().filter(|row| row.gpu.id.as_str() != "gb200") {
        let key = (row.gpu.id.to_string(), row.model.id.to_string());
        errors.entry(key).or_default().push(row.ratio(&Roofline::FITTED) - 1.0);
    }
    for ((gpu, model), errors) in &mut errors {
        let mean = errors.iter().map(|e| e.abs()).sum::<f64>() / errors.len() as f64;
        let bias = errors.iter().sum::<f64>() / errors.len() as f64;
        errors.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
        let median = errors[errors.len() / 2].abs();
        println!(
            "{gpu} {model}: {} points, absolute error {:.1}% on average, median {:.1}%, bias {:+.1}%",
            errors.len(),
            mean * 100.0,
            median * 100.0,
            bias * 100.0
        );
        match (gpu.as_str(), model.as_str()) {
            // Four of its rows are at a nominal 512 requests, and off by 3 to 15 times: the median speaks for the rest.
            ("h100-sxm", "gpt-oss-120b") => assert!(median <= 0.15, "{gpu} {model}: median {median:.3}"),
            (_, "gpt-oss-120b" | "deepseek-r1") => assert!(mean <= 0.33, "{gpu} {model}: {mean:.3}"),
            _ => assert!(mean <= 0.15, "{gpu} {model}: {mean:.3}"),
        }
    }
}

/// What the pages show of a GPU is its best tokens per second within a time between tokens: the same of the measured
/// GB200 racks, whose rows give the GPUs of a whole deployment and not how it was split. Rows under 15 ms are latency
/// records at a few requests a rack, which no one fills a facility with.
#[test]
fn agrees_with_the_frontier_of_gb200_racks() {
    let Some(served) = served() else { return };
    let racks: Vec<&Served> =
        served.iter().filter(|row| row.gpu.id.as_str() == "gb200" && row.gpus > 8 && row.input < 2e3).collect();
    let rate = |row: &Served| row.batch / (row.tpot_ms / 1e3) / f64::from(row.gpus);
    let (mut below, mut above) = (Vec::new(), Vec::new());
    for row in racks.iter().filter(|row| row.tpot_ms >= 15.0) {
        let within = racks.iter().filter(|r| r.precision == row.precision && r.tpot_ms <= row.tpot_ms);
        let measured = within.map(|row| rate(row)).fold(0.0, f64::max);
        let limit = Span::from_seconds(row.tpot_ms / 1e3);
        let work = Work { tpot: limit, ttft: Span::from_seconds(20.0), ..row.work() };
        let found = best_point(&Roofline::FITTED, &row.gpu, 72, &work).unwrap().tokens_per_s_per_gpu;
        let off = measured / found - 1.0;
        println!(
            "{:?} within {:.1} ms: {found:.0} tokens/s and GPU, measured {measured:.0} ({:+.0}%)",
            row.precision,
            row.tpot_ms,
            off * 100.0
        );
        if off < 0.0 { below.push(-off) } else { above.push(off) }
    }
    let mean = |errors: &[f64]| errors.iter().sum::<f64>() / errors.len().max(1) as f64;
    let row = racks[0];
    let Margin { below: low, above: high } = margin(&row.gpu, 72, &row.model);
    println!("measured below prediction by {:.2} on average, above by {:.2}", mean(&below), mean(&above));
    assert!(mean(&below) <= low && mean(&above) <= high, "the band {low} to {high} is too narrow");
}
