//! Our solvers against HiGHS on problems drawn from seeds: `oracle/problems.py` makes them and says how.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use optimize::dispatch::{Battery, Tariff, dispatch};
use optimize::placement::{Effort, Problem, Proof, place};
use optimize::sizing::{Sizing, size};
use serde_json::Value;

/// Share by which HiGHS may have missed the best, and by which we may.
const GAP: f64 = 1e-6;

/// What the solver has for each, many times what those that it closes take; of those that HiGHS closes, it may leave so many
/// open, and says so.
const SECONDS: f64 = 12.0;
const UNPROVEN_MOST: u32 = 3;

/// Share by which a least cost may differ.
const TOLERANCE: f64 = 1e-6;

fn cases(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("oracle/problems.json")).unwrap();
    all[kind].as_array().unwrap().clone()
}

#[test]
fn agrees_with_highs_on_where_racks_stand() {
    let cases = cases("placement");
    assert!(cases.len() >= 30);
    let mut unproven = 0;
    for (at, case) in cases.into_iter().enumerate() {
        let problem: Problem = serde_json::from_value(case["problem"].clone()).unwrap();
        let (kw, moved) = (case["kw"].as_f64().unwrap(), case["moved"].as_u64().unwrap());
        let found = place(&problem, &Effort { gap: GAP, seconds: SECONDS }).unwrap();
        if found.proof == Proof::OutOfTime {
            unproven += 1;
            let bounds = found.placed_kw * (1.0 - 2.0 * GAP)..=found.bound_kw * (1.0 + 2.0 * GAP);
            assert!(bounds.contains(&kw), "{at}: {kw} kW outside {bounds:?}");
            assert!(found.placed_kw >= 0.99 * kw, "{at}: {} of {kw} kW", found.placed_kw);
            continue;
        }
        assert!((found.placed_kw - kw).abs() <= 2.0 * GAP * kw + 1e-6, "{at}: {} of {kw} kW", found.placed_kw);
        // Within the gap another power may ask for other moves, so that only of the very same power they are the same.
        if (found.placed_kw - kw).abs() < 1e-5 && found.moves_proof == Proof::WithinGap {
            assert_eq!(u64::from(found.moved), moved, "{at}");
        }
    }
    assert!(unproven <= UNPROVEN_MOST, "{unproven}");
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn close(at: usize, found: f64, known: f64) {
    assert!((found - known).abs() <= TOLERANCE * known.abs(), "{at}: {found} of {known} $");
}

#[test]
fn agrees_with_highs_on_how_a_battery_runs() {
    let cases = cases("dispatch");
    assert!(cases.len() >= 15);
    for (at, case) in cases.into_iter().enumerate() {
        let months: Vec<usize> = numbers(&case["months"]).into_iter().map(|month| month as usize).collect();
        let of = |name: &str| case[name].as_f64().unwrap();
        let battery: Battery = serde_json::from_value(case["battery"].clone()).unwrap();
        let tariff = Tariff {
            price_usd_per_mwh: &numbers(&case["price"]),
            demand_usd_per_kw_month: of("demand"),
            contract_mw: of("contract_mw"),
            months: &months,
        };
        let found = dispatch(&numbers(&case["load_mw"]), of("step_h"), &tariff, &battery).unwrap();
        close(at, found.cost_usd, of("usd"));
    }
}

#[test]
fn agrees_with_highs_on_what_to_build() {
    let cases = cases("sizing");
    assert!(cases.len() >= 15);
    for (at, case) in cases.into_iter().enumerate() {
        let usd = case["usd"].as_f64().unwrap();
        let year: Sizing = serde_json::from_value(case).unwrap();
        close(at, size(&year).unwrap().costs.total_usd(), usd);
    }
}
