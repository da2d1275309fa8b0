//! How long a replay of single requests takes on one core, in requests a second.
#![expect(clippy::unwrap_used, reason = "a bench that can't go on stops")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use sim::replay::fleet::{Fleet, Pool};
use sim::replay::request::{Arrival, Request, Requests};
use sim::replay::{Options, Skipping};
use sim::serving::cost::StepCost;
use std::hint::black_box;
use std::path::PathBuf;

/// Some 70B model on four large GPUs: 8 ms for a step, 20 µs a token, and 25 ns for each past token.
fn cost() -> StepCost {
    let line = |base: f64, each: f64| (0..=8_192).map(|n| base + each * f64::from(n)).collect();
    StepCost {
        base_s: line(8e-3, 2e-5),
        past_s: 2.5e-8,
        window_s: 0.0,
        window_tokens: 0,
        pair_s: 1e-9,
        request_s: 1e-5,
        prompt_s: 2e-4,
        floor_w: 600.0,
        base_j: line(10.0, 0.1),
        past_j: 2e-5,
        window_j: 0.0,
        pair_j: 1e-6,
        past_bytes: 327_680.0,
        room_tokens: 500_000,
    }
}

/// Log-normal lengths (input mu 6.6, output mu 4.9, sigma 0.95 both), Poisson arrivals.
fn made(count: u32, per_s: f64) -> Requests {
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let mut uniform = move || ((chance.next_u64() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0; // 2^53
    let mut at_s = 0.0;
    let list = (0..count).map(|_| {
        at_s -= libm::log(uniform()) / per_s;
        let mut length = |mu: f64| {
            let normal = libm::sqrt(-2.0 * libm::log(uniform())) * libm::cos(std::f64::consts::TAU * uniform());
            libm::exp(mu + 0.95 * normal).clamp(1.0, 30_000.0) as u32
        };
        Request { arrival: Arrival::At { at_s }, input: length(6.6), output: length(4.9), ..Request::default() }
    });
    Requests { list: list.collect(), ..Requests::default() }
}

/// The Azure conversation hour, if its file is there.
fn azure() -> Option<Requests> {
    let root = std::env::var("MILLWRIGHT_DATA")
        .map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let bytes = std::fs::read(root.join("traces/azure_llm_2023_conv.csv")).ok()?;
    Some(input::request_list("azure_llm_2023_conv.csv", &bytes).unwrap().0.requests)
}

fn replay(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("replay");
    group.sample_size(10);
    let few = azure().map(|requests| ("Azure conversation hour, 4 replicas", 4, requests));
    let many = [("100,000 requests, 32 replicas", 32, made(100_000, 176.0))];
    for (name, replicas, requests) in few.into_iter().chain(many) {
        let fleet = Fleet::alike(cost(), vec![Pool { replicas, ..Pool::default() }]);
        group.throughput(Throughput::Elements(requests.list.len() as u64));
        for skipping in [Skipping::Closed, Skipping::EveryStep] {
            let options = Options { skipping, ..Options::default() };
            group.bench_function(BenchmarkId::new(name, format!("{skipping:?}")), |bench| {
                bench.iter(|| sim::replay::run(black_box(&fleet), &requests, &options).unwrap());
            });
        }
    }
    group.finish();
}

criterion_group!(benches, replay);
criterion_main!(benches);
