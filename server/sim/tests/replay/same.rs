//! The same answer: by closed form as step by step, and twice from the same seed.

use crate::common::{any_fleet, any_requests, cost, data, each, run};
use proptest::prelude::*;
use serde_json::Value;
use sim::replay::fleet::{Fleet, Pool};
use sim::replay::outcome::Outcome;
use sim::replay::{Options, Skipping};

/// Fails where two outcomes differ by more than 1e-9, but for how they were come by.
fn assert_same(a: &Outcome, b: &Outcome) {
    let value = |outcome: &Outcome| {
        let mut value = serde_json::to_value(outcome).unwrap();
        value.as_object_mut().unwrap().remove("strides");
        value
    };
    let scale = a.energy.total_j.max(1.0);
    same("", &value(a), &value(b), scale);
}

fn same(at: &str, a: &Value, b: &Value, scale: f64) {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, value) in a {
                same(&format!("{at}.{name}"), value, &b[name], scale);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{at}");
            for (number, (a, b)) in a.iter().zip(b).enumerate() {
                same(&format!("{at}[{number}]"), a, b, scale);
            }
        }
        (Value::Number(a), Value::Number(b)) if a.is_f64() => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            // Bins with next to nothing in them are as exact as the sums that they are parts of.
            let least = if at.contains("_w[") || at.contains("_j") { 1e-9 * scale } else { 1e-9 };
            assert!((a - b).abs() <= (1e-9 * a.abs().max(b.abs())).max(least), "{at}: {a} and {b}");
        }
        _ => assert_eq!(a, b, "{at}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn law_skipping_changes_nothing(fleet in any_fleet(), requests in any_requests(), bin_s in 0.05..3.0_f64) {
        let closed = run(&fleet, &requests, &Options { bin_s, ..each() });
        let stepped = run(&fleet, &requests, &Options { bin_s, skipping: Skipping::EveryStep, ..each() });
        prop_assert!(closed.strides <= stepped.strides);
        assert_same(&closed, &stepped);
    }

    #[test]
    fn law_a_seed_gives_the_same_bytes(fleet in any_fleet(), requests in any_requests(), seed in 0_u64..9) {
        let bytes = || serde_json::to_vec(&run(&fleet, &requests, &Options { seed, ..each() })).unwrap();
        prop_assert_eq!(bytes(), bytes());
    }
}

/// An hour of real requests, some hundred thousand steps: no rounding adds up.
#[test]
fn an_hour_step_by_step_is_the_same_hour() {
    let Some(bytes) = data("traces/azure_llm_2023_conv.csv") else { return };
    let (list, _) = input::request_list("azure", &bytes).unwrap();
    let fleet = Fleet::alike(cost(100_000), vec![Pool { replicas: 2, ..Pool::default() }]);
    let closed = run(&fleet, &list.requests, &each());
    let stepped = run(&fleet, &list.requests, &Options { skipping: Skipping::EveryStep, ..each() });
    assert!(10 * closed.strides < stepped.strides, "{} strides for {} steps", closed.strides, stepped.strides);
    assert_same(&closed, &stepped);
}
