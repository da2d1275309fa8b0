//! A hundred thousand choices of the 100 MW design and their frontier of three goals, on two threads; and the search.
#![expect(clippy::unwrap_used, reason = "a bench that can't go on fails")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use model::optimum::{Goal, Limits, Point};
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

criterion_group!(benches, searched);
criterion_main!(benches);
