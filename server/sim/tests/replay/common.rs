//! What the replay's tests share: a simple cost, fleets and requests of any kind.

use proptest::prelude::*;
use sim::replay::fleet::{
    Caching, Change, Engine, Event, Fleet, Planner, Pool, Predictor, Role, Router, Scaling, Speculation, Tier, Transfer,
};
use sim::replay::outcome::Outcome;
use sim::replay::request::{Arrival, Request, Requests};
use sim::replay::{Options, Records};
use sim::serving::cost::StepCost;
use std::path::PathBuf;

/// A step of 8 ms and 20 µs a token, with room for so many tokens.
pub(crate) fn cost(room_tokens: u64) -> StepCost {
    let line = |base: f64, each: f64| (0..=8_192).map(|n| base + each * f64::from(n)).collect();
    StepCost {
        base_s: line(8e-3, 2e-5),
        past_s: 1e-8,
        window_s: 2e-9,
        window_tokens: 700,
        pair_s: 1e-10,
        request_s: 1e-5,
        prompt_s: 2e-4,
        floor_w: 600.0,
        base_j: line(10.0, 0.1),
        past_j: 2e-6,
        window_j: 1e-6,
        pair_j: 1e-8,
        past_bytes: 100_000.0,
        room_tokens,
    }
}

/// The same, all times and energies by a factor.
pub(crate) fn slower(cost: &StepCost, factor: f64) -> StepCost {
    let all = |values: &[f64]| values.iter().map(|value| value * factor).collect();
    StepCost {
        base_s: all(&cost.base_s),
        past_s: cost.past_s * factor,
        window_s: cost.window_s * factor,
        pair_s: cost.pair_s * factor,
        request_s: cost.request_s * factor,
        prompt_s: cost.prompt_s * factor,
        base_j: all(&cost.base_j),
        ..cost.clone()
    }
}

/// A request at a moment.
pub(crate) fn at(at_s: f64, input: u32, output: u32) -> Request {
    Request { arrival: Arrival::At { at_s }, input, output, ..Request::default() }
}

/// Requests without blocks.
pub(crate) fn list(list: Vec<Request>) -> Requests {
    Requests { list, ..Requests::default() }
}

/// So many alike, a set time apart.
pub(crate) fn every(apart_s: f64, count: u32, input: u32, output: u32) -> Requests {
    list((0..count).map(|n| at(f64::from(n) * apart_s, input, output)).collect())
}

/// A record of each request.
pub(crate) fn each() -> Options {
    Options { records: Records::Each, bin_s: 1.0, ..Options::default() }
}

/// Replays.
pub(crate) fn run(fleet: &Fleet, requests: &Requests, options: &Options) -> Outcome {
    sim::replay::run(fleet, requests, options).unwrap()
}

/// Fails where the two are not within a relative tolerance.
pub(crate) fn assert_close(what: &str, found: f64, known: f64, tolerance: f64) {
    let off = (found - known).abs() / known.abs().max(1e-300);
    assert!(off <= tolerance, "{what}: found {found}, known {known}, off by {off}");
}

/// A file of the data folder; `None` where the folder is missing, which fails under `CI=true`.
pub(crate) fn data(path: &str) -> Option<Vec<u8>> {
    let root = std::env::var("MILLWRIGHT_DATA")
        .map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let file = root.join(path);
    if file.is_file() {
        return Some(std::fs::read(file).unwrap());
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is missing, and CI needs it", file.display());
    eprintln!("skipped: {} is missing", file.display());
    None
}

/// Requests of three tenants and two models, some of them turns of loops, with prompts that share blocks of 64 tokens.
pub(crate) fn any_requests() -> impl Strategy<Value = Requests> {
    let one = (0.0..0.5_f64, 1_u32..2_500, 1_u32..300, 0_u8..3, 0_u16..3, 0_u16..2, 0_u32..6, 0_u64..4);
    proptest::collection::vec(one, 1..80).prop_map(|rows| {
        let mut requests = Requests { block_tokens: 64, ..Requests::default() };
        let mut moment = 0.0;
        for (index, (gap, input, output, priority, tenant, model, follows, family)) in (0_u32..).zip(rows) {
            moment += gap;
            let arrival = if follows == 0 && index > 0 {
                Arrival::After { request: index / 2, pause_s: gap as f32 }
            } else {
                Arrival::At { at_s: moment }
            };
            let blocks_from = requests.blocks.len() as u32;
            let blocks_count = if family == 0 { 0 } else { input.div_ceil(64) };
            // Families share up to ten blocks; what follows is a request's own. In one family hashes mean nothing.
            let own = u64::from(index + 1) << 32;
            let hash = |block: u32| match family {
                3 => u64::from(block % 2),
                _ => u64::from(block) | if block < 10 { family << 20 } else { own },
            };
            requests.blocks.extend((0..blocks_count).map(hash));
            let blocks = Request { blocks_from, blocks_count, ..Request::default() };
            requests.list.push(Request { arrival, input, output, tenant, model, priority, ..blocks });
        }
        requests
    })
}

fn any_router() -> impl Strategy<Value = Router> {
    prop_oneof![
        Just(Router::Random),
        Just(Router::RoundRobin),
        Just(Router::LeastLoaded),
        Just(Router::PowerOfTwo),
        (0.0..1.0_f64).prop_map(|temperature| Router::KvAware { prefill_scale: 1.0, overlap_scale: 1.0, temperature }),
    ]
}

fn any_pool() -> impl Strategy<Value = Pool> {
    let engine = (64_u32..2_048, 1_u32..40, 0.0..0.1_f64)
        .prop_map(|(step_tokens_max, requests_max, watermark)| Engine { step_tokens_max, requests_max, watermark });
    let speculation = prop_oneof![
        3 => Just(Speculation::Off),
        1 => (1.0..4.0_f64).prop_map(|yielded| Speculation::Draft { tokens: 3, yielded }),
    ];
    let tier = |tokens: u64| Tier { tokens, bytes_per_s: 2e9 };
    let caching = prop_oneof![
        Just(Caching::Off),
        Just(Caching::Prefix { host: Tier::NONE, disk: Tier::NONE }),
        (0_u64..3_000, 0_u64..6_000)
            .prop_map(move |(host, disk)| Caching::Prefix { host: tier(host), disk: tier(disk) }),
    ];
    let planner = Planner { interval_s: 2.0, replicas_min: 0, start_s: 1.0, ..Planner::default() };
    let foretold = |predictor| Scaling::Planner(Planner { predictor, ..planner });
    let trend = foretold(Predictor::Trend { level: 0.5, slope: 0.5 });
    let scaling = prop_oneof![6 => Just(Scaling::Fixed), 1 => Just(trend), 1 => Just(foretold(Predictor::Arima))];
    (1_u32..4, engine, speculation, caching, scaling).prop_map(|(replicas, engine, speculation, caching, scaling)| {
        Pool { replicas, engine, speculation, caching, scaling, ..Pool::default() }
    })
}

/// Two models, one of them on replicas of its own kind, the other on prefill and decode pools; failures and caps.
pub(crate) fn any_fleet() -> impl Strategy<Value = Fleet> {
    let pools = (any_pool(), any_pool(), any_pool());
    let event = (0.0..20.0_f64, 0_u32..9, 0_u32..3);
    let events = proptest::collection::vec(event, 0..6);
    (pools, any_router(), events, 3_000_u64..20_000, 1_u32..100).prop_map(
        |(pools, router, events, room, waiting_max)| {
            let (both, prefill, decode) = pools;
            let prefill = Pool { role: Role::Prefill, model: 1, ..prefill };
            let decode = Pool { role: Role::Decode, model: 1, ..decode };
            let replicas = both.replicas + prefill.replicas + decode.replicas;
            let mut list = Vec::new();
            for (at_s, replica, what) in events {
                let replica = replica % replicas;
                if what == 0 {
                    list.push(Event { at_s, replica, change: Change::Fails });
                    list.push(Event { at_s: at_s + 3.0, replica, change: Change::Returns });
                } else {
                    list.push(Event { at_s, replica, change: Change::Costs { cost: what - 1 } });
                }
            }
            let fast = cost(room);
            Fleet {
                costs: vec![slower(&fast, 2.5), fast],
                pools: vec![both, prefill, decode],
                router,
                transfer: Transfer { bytes_per_s: 1e9, latency_s: 0.001 },
                waiting_max,
                events: list,
            }
        },
    )
}
