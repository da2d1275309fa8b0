//! A hundred thousand choices of the 100 MW design and their frontier of three goals, on two threads; and the search.
#![expect(clippy::unwrap_used, reason = "a bench that can't go on fails")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use model::optimum::{Goal, Limits, Point};
use optimize::placement::{Effort, Fill, Wiring, plan};
use optimize::sizing::{Capacity, Gas, Offer, Sizing, Storage, size};
use optimize::{Base, Choices, every, frontier, optimize};
use std::hint::black_box;

fn base() -> Base {
    let text = catalog::designs().iter().find(|design| design.id == "facility-100mw").unwrap().text;
    let design = catalog::parse_design("facility-100mw", text).unwrap();
    Base::new(&design, &catalog::catalog().unwrap(), Limits::default()).unwrap()
}

fn searched(criterion: &mut Criterion) {
    let base = base();
    let all = base.choices();
    let choices = Choices { racks: all.racks.iter().copied().step_by(4).collect(), ..all.clone() };
    let goals = [Goal::Tokens, Goal::TokensPerJoule, Goal::CostPerMillion];
    let mut group = criterion.benchmark_group("optimize");
    group.sample_size(10);
    group.throughput(Throughput::Elements(choices.count() as u64));
    group.bench_function("a frontier of three goals of 100 MW", |bencher| {
        bencher.iter(|| {
            let feasible = every(&base, &choices, 2).into_iter().filter(Point::is_feasible).collect();
            frontier(feasible, black_box(&goals)).len()
        });
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("the best of all choices of 100 MW", |bencher| {
        bencher.iter(|| optimize(&base, &all, black_box(Goal::Tokens), &goals).tried);
    });
    group.bench_function("a battery's year of 8,760 hours", |bencher| {
        bencher.iter(|| base.storage_year(black_box(&base.drawn_choice())).map(|year| year.map(|year| year.cost_usd)));
    });
    group.finish();
}

fn placed(criterion: &mut Criterion) {
    let text = catalog::designs().iter().find(|design| design.id == "facility-100mw").unwrap().text;
    let design = catalog::parse_design("facility-100mw", text).unwrap();
    let catalog = catalog::catalog().unwrap();
    let mut group = criterion.benchmark_group("optimize");
    group.sample_size(10);
    group.bench_function("where the racks of 100 MW stand", |bencher| {
        bencher.iter(|| {
            let effort = Effort::default();
            plan(black_box(&design), &catalog, Wiring::SameKind, Fill::More, &effort).unwrap().placement.placed_kw
        });
    });
    group.finish();
}

/// A year with panels, gas, battery and demand charge, each chosen, and the battery as drawn with a load that can wait.
fn built(criterion: &mut Criterion) {
    let base = base();
    let chosen = Capacity::Chosen { usd_per_mw_year: 90_000.0, most: 200.0 };
    let gas = Gas { capacity: chosen, fuel_usd_per_mwh: 45.0, carbon_kg_per_mwh: 400.0 };
    let offer = Offer { gas: Some(gas), ..base.usual_offer(0.2) };
    let choice = base.drawn_choice();
    let all = base.sizing(&choice, &offer);
    let drawn = base.battery().unwrap();
    let given = Storage {
        energy: Capacity::Given(drawn.energy_mwh),
        power: Capacity::Given(drawn.power_mw),
        round_trip: drawn.round_trip,
    };
    let run = Sizing { solar: None, gas: None, battery: Some(given), shift: 0.1, ..all.clone() };
    let mut group = criterion.benchmark_group("optimize");
    group.sample_size(10);
    group.bench_function("what to build for a year of 8,760 hours", |bencher| {
        bencher.iter(|| size(black_box(&all)).unwrap().costs.total_usd());
    });
    group.bench_function("a battery's year with a load that can wait", |bencher| {
        bencher.iter(|| size(black_box(&run)).unwrap().costs.total_usd());
    });
    group.finish();
}

criterion_group!(benches, searched, placed, built);
criterion_main!(benches);
