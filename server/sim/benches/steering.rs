//! How long one interval of steering takes on one core: 10,000 GPUs, every host heard, loads that change.
#![expect(clippy::unwrap_used, reason = "a bench that can't go on stops")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use model::part::LossCurve;
use sim::steering::controller::{Controller, Heard, Settings, Start};
use sim::steering::plant::{Plant, Trouble};
use sim::steering::policy::Allowance;
use sim::steering::tree::{Host, Level, Limit, Node, Tree};
use std::hint::black_box;

/// 2,500 hosts of four GPUs in racks of 18, ten racks on a floor PDU, three priorities; limits allow two thirds of all caps.
fn tree() -> Tree {
    let node = |name: String, level, watts: f64, fed_by| {
        let loss = LossCurve { a: 0.002, b: 0.005, c: 0.01 };
        Node { rated_w: watts, loss, ..Node::lossless(name, level, Limit::of_watts(watts), fed_by) }
    };
    let mut nodes = vec![node("utility".to_owned(), Level::Utility, 11e6, None)];
    let mut hosts = Vec::new();
    let (mut pdu, mut rack) = (0, 0);
    for host in 0..2_500_u32 {
        if host % 180 == 0 {
            pdu = nodes.len() as u32;
            nodes.push(node(format!("pdu {pdu}"), Level::FloorPdu, 850e3, Some(0)));
        }
        if host % 18 == 0 {
            rack = nodes.len() as u32;
            nodes.push(node(format!("rack {rack}"), Level::Rack, 90e3, Some(pdu)));
        }
        hosts.push(Host {
            node: nodes.len() as u32,
            group: "all".to_owned(),
            priority: host % 3,
            fixed_w: 1_300.0,
            gpus: 4,
            cap_min_w: 400.0,
            cap_max_w: 1_200.0,
        });
        nodes.push(Node::lossless(format!("host {host}"), Level::Host, Limit::of_watts(6_300.0), Some(rack)));
    }
    Tree::new(nodes, hosts).unwrap()
}

fn steering(criterion: &mut Criterion) {
    let tree = tree();
    let allowed = Allowance { policy_w: 800.0, ceiling_w: 1_200.0, failsafe_w: 400.0 };
    let allowances = vec![allowed; tree.hosts().len()];
    let failsafe = vec![400.0; tree.hosts().len()];
    let settings = Settings::default();
    let mut controller = Controller::new(tree.clone(), allowances, settings, Start::Joined);
    let mut plant = Plant::new(tree.clone(), failsafe, settings.lease, Start::Joined, (Trouble::NONE, 1));
    // A third of the hosts rest, so that there is something to lend and more who would have it.
    let load =
        |now: u64| tree.each_gpu(|host, _| if (host as u64 + now / 10).is_multiple_of(3) { 250.0 } else { 1_150.0 });
    for now in 1..=20 {
        controller.step(&plant.heard(now));
        plant.take(now, controller.caps_w());
        plant.draw(now, &load(now));
    }
    let heard = plant.heard(21);
    let mut group = criterion.benchmark_group("steering");
    group.throughput(Throughput::Elements(tree.gpus() as u64));
    group.sample_size(50);
    group.bench_function("one interval, 10,000 GPUs", |bench| {
        bench.iter_batched_ref(
            || controller.clone(),
            |controller| {
                let heard = Heard { readings: black_box(heard.readings), acks: heard.acks };
                controller.step(&heard)
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, steering);
criterion_main!(benches);
