//! One prediction, and the search for the best configuration of 64 GPUs for DeepSeek-R1.

#![expect(clippy::unwrap_used, reason = "a bench that can't go on fails")]

use criterion::{Criterion, criterion_group, criterion_main};
use model::served::{Division, Mode, Point};
use sim::serving::ask;
use sim::serving::coefficients::Engine;
use sim::serving::fitted::FITTED;
use sim::serving::predict::predict;
use sim::serving::search::{Around, Goal, Wanted, configure};
use sim::serving::shape::{Format, Formats};
use std::hint::black_box;

fn serving(c: &mut Criterion) {
    let catalog = catalog::catalog().unwrap();
    let point = Point {
        system: "h200_sxm".to_owned(),
        model: "meta-llama/Llama-3.1-70B".to_owned(),
        engine: "vllm".to_owned(),
        version: String::new(),
        measured: Some((2026, 3)),
        format: "fp8".to_owned(),
        expert_format: "fp8".to_owned(),
        mode: Mode::Together { division: Division { tensor: 4, pipeline: 1, data: 1, expert: 1 } },
        concurrency: 64.0,
        input: 1024.0,
        output: 1024.0,
        drawn: true,
        published: false,
        ttft_ms: None,
        tpot_ms: None,
    };
    c.bench_function("one prediction, names found in the catalog", |b| {
        b.iter(|| predict(&FITTED, &catalog, black_box(&point), None).unwrap());
    });
    let found = ask::find(&catalog, &point).unwrap();
    let setup = found.setup(&Division { tensor: 4, pipeline: 1, data: 1, expert: 1 }, &FITTED);
    c.bench_function("one prediction", |b| {
        b.iter(|| {
            let load = black_box(&found.load);
            sim::serving::predict::of_replica(&FITTED, found.gpu, found.model, &setup, load, None).unwrap()
        });
    });
    let gpu = ask::gpu(&catalog, "h200-sxm").unwrap();
    let model = ask::language_model(&catalog, "deepseek-r1").unwrap();
    let wanted = Wanted {
        gpu,
        count: 64,
        domain: 8,
        model,
        formats: Formats::of(model, Format::Fp8),
        engine: Engine::Vllm,
        input: 4000.0,
        output: 1000.0,
        ttft_s: 2.0,
        tpot_s: 0.05,
        goal: Goal::TokensPerGpu,
        around: Around { node_w_per_gpu: 400.0, pue: 1.2, usd_per_gpu_hour: 1.2, usd_per_kwh: 0.08 },
    };
    c.bench_function("configure DeepSeek-R1 on 64 GPUs", |b| {
        b.iter(|| configure(&FITTED, black_box(&wanted)).unwrap());
    });
}

criterion_group!(benches, serving);
criterion_main!(benches);
