//! Nothing is lost and nothing is made twice: requests, tokens, blocks, joules.

use crate::common::{any_fleet, any_requests, assert_close, cost, each, every, run, slower};
use proptest::prelude::*;
use sim::replay::Options;
use sim::replay::fleet::{Change, Engine, Event, Fleet, Pool, Speculation};
use sim::replay::outcome::{Counts, End, Outcome, Served};
use sim::replay::request::{Arrival, Requests};

/// Every request ends once, with the tokens that it asked for; what it held is given back.
fn check_books(requests: &Requests, outcome: &Outcome) {
    let Counts { asked, finished, refused_queue_full, refused_too_long, refused_no_model, unfinished } =
        outcome.requests;
    assert_eq!(asked as usize, requests.list.len());
    assert_eq!(asked, finished + refused_queue_full + refused_too_long + refused_no_model + unfinished);
    let mut delivered = 0;
    for (request, record) in requests.list.iter().zip(&outcome.records) {
        delivered += u64::from(record.output_tokens);
        match record.end {
            End::Finished => {
                let (at, first, last) = (record.at_s, record.first_token_s, record.last_token_s);
                assert_eq!(record.output_tokens, request.output);
                assert!(at.unwrap() < first.unwrap() && first.unwrap() <= last.unwrap(), "{record:?}");
                assert!(record.energy_j > 0.0 && record.cached_tokens < request.input);
            }
            End::Refused(_) => assert_eq!((record.output_tokens, record.first_token_s), (0, None)),
            End::Unfinished => assert!(record.output_tokens < request.output && record.last_token_s.is_none()),
        }
    }
    assert_eq!(delivered, outcome.output_tokens);
    assert_eq!(outcome.kv_blocks_left, 0);
    let counted: u64 = outcome.replicas.iter().map(|replica| replica.output_tokens).sum();
    assert_eq!(counted, delivered);
    check_models(requests, outcome);
    check_energy(outcome);
}

/// What is told of models is of all requests, and each one's are its own.
fn check_models(requests: &Requests, outcome: &Outcome) {
    for served in &outcome.models {
        let own = requests.list.iter().zip(&outcome.records).filter(|(request, _)| request.model == served.model);
        let tokens: u64 = own.clone().map(|(_, record)| u64::from(record.output_tokens)).sum();
        let finished = own.clone().filter(|(_, record)| record.end == End::Finished);
        assert_eq!((served.requests as usize, served.output_tokens), (own.count(), tokens), "{served:?}");
        assert_eq!(served.finished as usize, finished.count(), "{served:?}");
        assert_eq!(served.ttft_s.count, served.finished, "{served:?}");
    }
    let sum = |of: fn(&Served) -> u64| outcome.models.iter().map(of).sum::<u64>();
    assert_eq!(sum(|served| served.output_tokens), outcome.output_tokens);
    assert_eq!(sum(|served| served.input_tokens), outcome.input_tokens);
    assert_eq!(sum(|served| u64::from(served.requests)), u64::from(outcome.requests.asked));
}

/// Requests and idle are the meter, and so are tenants, replicas and bins.
fn check_energy(outcome: &Outcome) {
    let energy = &outcome.energy;
    let records: f64 = outcome.records.iter().map(|record| record.energy_j).sum();
    let tenants: f64 = outcome.tenants.iter().map(|tenant| tenant.energy_j).sum();
    let shares: f64 = outcome.tenants.iter().map(|tenant| tenant.idle_share_j).sum();
    let replicas: f64 = outcome.replicas.iter().map(|replica| replica.energy_j).sum();
    let series = &outcome.series;
    let width = |at: usize| (outcome.span_s - at as f64 * series.bin_s).min(series.bin_s);
    let sum = |values: &[f64]| -> f64 { values.iter().enumerate().map(|(at, value)| value * width(at)).sum() };
    let on_s: f64 = outcome.replicas.iter().map(|replica| replica.on_s).sum();
    assert_close("time on", sum(&series.replicas_on).max(1e-9), on_s.max(1e-9), 1e-9);
    for (what, found) in [
        ("records", records + energy.idle_j),
        ("tenants", tenants + energy.idle_j),
        ("models", outcome.models.iter().map(|served| served.energy_j).sum()),
        ("replicas", replicas),
        ("bins", sum(&series.power_w)),
    ] {
        assert_close(what, found.max(1e-9), energy.total_j.max(1e-9), 1e-9);
    }
    if energy.requests_j > 0.0 {
        assert_close("idle shares", shares.max(1e-9), energy.idle_j.max(1e-9), 1e-9);
    }
    assert_close("tokens", sum(&series.output_tokens_per_s).max(1.0), (outcome.output_tokens as f64).max(1.0), 1e-9);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn law_nothing_is_lost_or_made_twice(fleet in any_fleet(), requests in any_requests()) {
        check_books(&requests, &run(&fleet, &requests, &each()));
    }

    #[test]
    fn law_a_replay_that_is_stopped_tells_what_is_unfinished(
        fleet in any_fleet(), requests in any_requests(), until_s in 0.0..30.0_f64,
    ) {
        let outcome = run(&fleet, &requests, &Options { until_s, ..each() });
        prop_assert!(outcome.span_s <= until_s);
        let ends = outcome.records.iter().filter(|record| record.end == End::Unfinished).count();
        prop_assert_eq!(ends, outcome.requests.unfinished as usize);
        check_energy(&outcome);
    }
}

#[test]
fn requests_of_a_replica_that_fails_go_elsewhere() {
    let mut fleet = Fleet::alike(cost(100_000), vec![Pool { replicas: 2, ..Pool::default() }]);
    fleet.events = vec![Event { at_s: 1.0, replica: 0, change: Change::Fails }];
    let requests = every(0.1, 40, 500, 200);
    let outcome = run(&fleet, &requests, &each());
    check_books(&requests, &outcome);
    assert_eq!((outcome.requests.finished, outcome.moved_by_failure > 3), (40, true));
    assert!(outcome.records.iter().all(|record| record.replica == Some(1) || record.last_token_s.unwrap() < 1.0));
    // With nobody left, they wait, and are told as unfinished.
    fleet.events.push(Event { at_s: 2.0, replica: 1, change: Change::Fails });
    let outcome = run(&fleet, &requests, &each());
    check_books(&requests, &outcome);
    assert!(outcome.requests.unfinished > 30);
    fleet.events.push(Event { at_s: 50.0, replica: 0, change: Change::Returns });
    let outcome = run(&fleet, &requests, &each());
    check_books(&requests, &outcome);
    assert_eq!(outcome.requests.finished, 40);
    assert!(outcome.span_s > 50.0);
}

/// Two models side by side: each request is answered by a replica of its model, and as fast as if the other were not there.
#[test]
fn each_model_is_answered_by_its_own_replicas() {
    let pool = |model: u16, replicas: u32| Pool { replicas, model, cost: u32::from(model), ..Pool::default() };
    let mut fleet = Fleet::alike(cost(100_000), vec![pool(0, 2), pool(1, 3)]);
    fleet.costs.push(slower(&cost(100_000), 0.25));
    let mut requests = every(0.05, 90, 500, 120);
    for (at, request) in requests.list.iter_mut().enumerate() {
        request.model = u16::from(at % 3 == 0);
    }
    let outcome = run(&fleet, &requests, &each());
    check_books(&requests, &outcome);
    for (request, record) in requests.list.iter().zip(&outcome.records) {
        let own = if request.model == 0 { 0..2 } else { 2..5 };
        assert!(own.contains(&record.replica.unwrap()), "{record:?} of model {}", request.model);
    }
    let delivered = |replicas: std::ops::Range<usize>| -> u64 {
        outcome.replicas[replicas].iter().map(|replica| replica.output_tokens).sum()
    };
    let told: Vec<_> = outcome.models.iter().map(|served| (served.requests, served.output_tokens)).collect();
    assert_eq!(told, [(60, 60 * 120), (30, 30 * 120)]);
    assert_eq!([delivered(0..2), delivered(2..5)], [60 * 120, 30 * 120]);
    let mut alone = requests.clone();
    alone.list.retain(|request| request.model == 0);
    let alone = run(&Fleet::alike(cost(100_000), vec![pool(0, 2)]), &alone, &each());
    assert_eq!((outcome.models[0].ttft_s, outcome.models[0].tpot_s), (alone.ttft_s, alone.tpot_s));
    assert!(outcome.models[1].tpot_s.mean < outcome.models[0].tpot_s.mean, "its steps cost less");
}

#[test]
fn requests_make_way_where_memory_is_short() {
    let engine = Engine { watermark: 0.0, ..Engine::default() };
    let fleet = Fleet::alike(cost(4_000), vec![Pool { engine, ..Pool::default() }]);
    let requests = every(0.05, 60, 300, 400);
    let outcome = run(&fleet, &requests, &each());
    check_books(&requests, &outcome);
    assert_eq!(outcome.requests.finished, 60);
    assert!(outcome.preemptions > 5, "{}", outcome.preemptions);
}

#[test]
fn what_can_never_be_served_is_refused_with_its_reason() {
    let fleet = Fleet { waiting_max: 3, ..Fleet::alike(cost(4_000), vec![Pool::default()]) };
    let mut requests = every(0.0, 10, 300, 400);
    requests.list[0].input = 3_700;
    requests.list[1].model = 1;
    let outcome = run(&fleet, &requests, &each());
    check_books(&requests, &outcome);
    let Counts { refused_queue_full, refused_too_long, refused_no_model, finished, .. } = outcome.requests;
    assert_eq!((refused_queue_full, refused_too_long, refused_no_model, finished), (5, 1, 1, 3));
    requests.list[0].input = 3_600; // with its answer exactly as much as there is room for
    requests.list[0].output = 401;
    assert_eq!(run(&fleet, &requests, &each()).requests.refused_too_long, 0);
}

/// What has to be computed grows as the requests do: strides for each, at the same rate.
#[test]
fn law_work_grows_as_the_requests_do() {
    let fleet = Fleet::alike(cost(200_000), vec![Pool { replicas: 4, ..Pool::default() }]);
    let strides = |count: u32| run(&fleet, &every(0.021, count, 700, 180), &each()).strides as f64 / f64::from(count);
    let (few, many) = (strides(2_000), strides(16_000));
    assert!(many < few * 1.1 && many < 6.0, "{few} strides a request, then {many}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let good = Fleet::alike(cost(4_000), vec![Pool::default()]);
    let requests = every(0.1, 3, 300, 40);
    let refused = |change: &dyn Fn(&mut Fleet, &mut Requests, &mut Options), words: &str| {
        let (mut fleet, mut requests, mut options) = (good.clone(), requests.clone(), each());
        change(&mut fleet, &mut requests, &mut options);
        let problem = sim::replay::run(&fleet, &requests, &options).unwrap_err().to_string();
        assert!(problem.contains(words), "{problem:?}, where {words:?} was due");
    };
    let at = |at_s| Arrival::At { at_s };
    refused(&|fleet, _, _| fleet.pools[0].replicas = 0, "pool 0 has no replicas");
    refused(&|fleet, _, _| fleet.pools[0].cost = 1, "pool 0");
    refused(&|fleet, _, _| fleet.pools[0].engine.requests_max = 0, "pool 0");
    let draft = Speculation::Draft { tokens: 2, yielded: 3.5 };
    refused(&|fleet, _, _| fleet.pools[0].speculation = draft, "pool 0");
    let event = Event { at_s: 1.0, replica: 1, change: Change::Fails };
    refused(&|fleet, _, _| fleet.events = vec![event], "event 0");
    refused(&|fleet, _, _| fleet.costs[0].past_s = f64::NAN, "the cost of a step makes no sense");
    refused(&|fleet, _, _| fleet.transfer.bytes_per_s = 0.0, "the transfer of KV");
    refused(&|_, requests, _| requests.list[2].arrival = at(f64::INFINITY), "request 2 is at no time");
    refused(&|_, requests, _| requests.list[1].arrival = Arrival::After { request: 3, pause_s: 0.0 }, "request 1");
    refused(&|_, requests, _| requests.list[1].blocks_count = 1, "request 1");
    refused(&|_, _, options| options.bin_s = 0.0, "bin_s");
}

/// Turns that wait for each other never come, and are told.
#[test]
fn turns_in_a_circle_are_unfinished() {
    let mut requests = every(0.1, 4, 300, 40);
    requests.list[2].arrival = Arrival::After { request: 3, pause_s: 0.0 };
    requests.list[3].arrival = Arrival::After { request: 2, pause_s: 0.0 };
    let outcome = run(&Fleet::alike(cost(4_000), vec![Pool::default()]), &requests, &each());
    check_books(&requests, &outcome);
    assert_eq!((outcome.requests.finished, outcome.requests.unfinished), (2, 2));
}
