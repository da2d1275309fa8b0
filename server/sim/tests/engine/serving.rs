//! The serving model against measured points: fitted on H100, checked on B200, which the fit never saw.

use crate::common::data;
use model::design::Precision;
use model::quantity::Span;
use std::collections::BTreeMap;

/// Relative errors of the time between tokens, by GPU and model.
fn errors() -> Option<BTreeMap<(String, String), Vec<f64>>> {
    let (_, bytes) = data("benchmarks/serving_measured.csv")?;
    let text = String::from_utf8(bytes).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let at = |name: &str| names.iter().position(|n| *n == name).unwrap();
    let catalog = catalog::catalog().unwrap();
    let mut errors: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    for line in lines {
        let row: Vec<&str> = line.split(',').collect();
        let number = |name: &str| row[at(name)].parse::<f64>().ok();
        let gpu = match row[at("system")] {
            "h100_sxm" => "h100-sxm",
            "b200_sxm" => "b200-sxm",
            _ => continue,
        };
        let model = match row[at("model_path")] {
            "meta-llama/Llama-3.1-8B-Instruct" => "llama-3.1-8b",
            "meta-llama/Llama-3.1-70B" => "llama-3.1-70b",
            "Qwen/Qwen3-32B" => "qwen3-32b",
            "openai/gpt-oss-120b" => "gpt-oss-120b",
            "deepseek-ai/DeepSeek-R1" => "deepseek-r1",
            _ => continue,
        };
        if row[at("mode")] != "agg" || number("attention_dp_size").is_some_and(|dp| (dp - 1.0).abs() > 0.1) {
            continue;
        }
        let (Some(input), Some(output), Some(batch), Some(tp), Some(measured)) =
            (number("isl"), number("osl"), number("batch_size"), number("tp_size"), number("silicon_tpot_ms"))
        else {
            continue;
        };
        let work = sim::serving::Work {
            model: catalog.model(&model.parse().unwrap()).unwrap(),
            precision: match row[at("precision")] {
                "fp8" => Precision::Fp8,
                "fp4" => Precision::Fp4,
                _ => Precision::Bf16,
            },
            prefill_tokens: input,
            context_tokens: input,
            output_tokens: output,
            ttft: Span::from_seconds(1e3),
            tpot: Span::from_seconds(1e3),
        };
        let row = catalog.gpu(&gpu.parse().unwrap()).unwrap();
        let (tpot, ..) = sim::serving::time_per_token(row, &work, (tp as u32).max(1), batch);
        errors.entry((gpu.into(), model.into())).or_default().push(tpot * 1e3 / measured - 1.0);
    }
    Some(errors)
}

/// aiconfigurator's public silicon sample (Apache-2.0). The bounds are the errors that the bands are made from.
#[test]
fn agrees_with_measured_time_between_tokens() {
    let Some(errors) = errors() else { return };
    for ((gpu, model), errors) in &errors {
        let mean = errors.iter().map(|e| e.abs()).sum::<f64>() / errors.len() as f64;
        let bias = errors.iter().sum::<f64>() / errors.len() as f64;
        println!(
            "{gpu} {model}: {} points, mean absolute error {:.1}%, bias {:+.1}%",
            errors.len(),
            mean * 100.0,
            bias * 100.0
        );
        let bound = match (gpu.as_str(), model.as_str()) {
            // The weakest of the fit: 4-bit weights on a chip without 4-bit arithmetic.
            ("h100-sxm", "gpt-oss-120b") => 0.60,
            (_, "gpt-oss-120b" | "deepseek-r1") => 0.32,
            ("h100-sxm", _) => 0.20,
            _ => 0.15,
        };
        assert!(mean <= bound, "{gpu} {model}: mean absolute error {mean:.3}, bound {bound}");
    }
}
