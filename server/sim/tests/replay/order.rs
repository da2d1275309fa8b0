//! Who comes first is served first, and faster steps end sooner.

use crate::common::{any_requests, cost, each, list, run};
use proptest::prelude::*;
use sim::replay::fleet::{Engine, Fleet, Pool};
use sim::replay::request::{Arrival, Requests};
use sim::serving::cost::StepCost;

/// Each of its kinds of time by a factor of its own.
fn faster(cost: &StepCost, factors: &[f64; 5]) -> StepCost {
    let [base, past, window, pair, request] = factors;
    StepCost {
        base_s: cost.base_s.iter().map(|s| s * base).collect(),
        past_s: cost.past_s * past,
        window_s: cost.window_s * window,
        pair_s: cost.pair_s * pair,
        request_s: cost.request_s * request,
        prompt_s: cost.prompt_s * request,
        ..cost.clone()
    }
}

/// The same requests, all of one model and without blocks.
fn plain(requests: &Requests) -> Requests {
    let plain = requests.list.iter().map(|request| sim::replay::request::Request {
        model: 0,
        blocks_from: 0,
        blocks_count: 0,
        ..*request
    });
    list(plain.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// On one replica with memory enough, whoever comes no later and is no less urgent has its first token no later.
    #[test]
    fn law_first_come_first_served(
        requests in any_requests(), step_tokens_max in 16_u32..3_000, requests_max in 1_u32..30,
    ) {
        let engine = Engine { step_tokens_max, requests_max, ..Engine::default() };
        let fleet = Fleet::alike(cost(1_000_000), vec![Pool { engine, ..Pool::default() }]);
        let requests = plain(&requests);
        let outcome = run(&fleet, &requests, &each());
        prop_assert_eq!(outcome.preemptions, 0);
        let all: Vec<_> = requests.list.iter().zip(&outcome.records).collect();
        for (a, first) in &all {
            for (b, second) in &all {
                if first.at_s < second.at_s && a.priority <= b.priority {
                    prop_assert!(first.first_token_s <= second.first_token_s, "{first:?} {second:?}");
                }
            }
        }
    }

    /// With all requests there from the start one replica makes the same batches whatever they take, so that no part of
    /// a step can become shorter and the whole longer.
    #[test]
    fn law_more_bandwidth_and_flops_never_take_longer(
        requests in any_requests(), factors in proptest::array::uniform5(0.0_f64..1.0), room in 3_000_u64..50_000,
    ) {
        let mut requests = plain(&requests);
        for request in &mut requests.list {
            request.arrival = Arrival::At { at_s: 0.0 };
        }
        let factors = factors.map(|factor| factor.max(1e-3));
        let span = |cost: StepCost| run(&Fleet::alike(cost, vec![Pool::default()]), &requests, &each()).span_s;
        let (slow, fast) = (span(cost(room)), span(faster(&cost(room), &factors)));
        prop_assert!(fast <= slow * (1.0 + 1e-12), "{fast} s, and {slow} s before");
    }
}
