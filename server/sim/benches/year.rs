//! How long the engine takes: the instant evaluation and the year of 8,760 steps, on one core.
#![expect(clippy::unwrap_used, reason = "a bench that can't go on stops")]

use criterion::{Criterion, criterion_group, criterion_main};
use model::quantity::Span;
use std::hint::black_box;

fn year(criterion: &mut Criterion) {
    let catalog = catalog::catalog().unwrap();
    for id in ["facility-100mw", "tower-50mw"] {
        let design = catalog::parse_design(id, catalog::design(id).unwrap().text).unwrap();
        let site = sim::resolve(&design, &catalog).unwrap();
        let scenario = sim::defaults::scenario(&site, Span::from_hours(1.0), 1);
        let trace = sim::simulate(&site, &scenario);
        criterion.bench_function(&format!("{id}: evaluate"), |b| b.iter(|| sim::evaluate(black_box(&site))));
        criterion.bench_function(&format!("{id}: resolve"), |b| b.iter(|| sim::resolve(black_box(&design), &catalog)));
        criterion.bench_function(&format!("{id}: year of 8760 steps"), |b| {
            b.iter(|| sim::simulate(black_box(&site), black_box(&scenario)));
        });
        criterion.bench_function(&format!("{id}: report of a year"), |b| {
            b.iter(|| sim::report::report(black_box(&site), &scenario, &trace, "bench", ""));
        });
    }
}

criterion_group!(benches, year);
criterion_main!(benches);
