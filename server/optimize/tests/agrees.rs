//! Our solvers against HiGHS on problems drawn from seeds: `oracle/problems.py` makes them and says how.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use optimize::placement::{Effort, Problem, Proof, place};
use serde_json::Value;

/// Share by which HiGHS may have missed the best, and by which we may.
const GAP: f64 = 1e-6;

fn cases(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("oracle/problems.json")).unwrap();
    all[kind].as_array().unwrap().clone()
}

#[test]
fn agrees_with_highs_on_where_racks_stand() {
    let cases = cases("placement");
    assert!(cases.len() >= 30);
    for (at, case) in cases.into_iter().enumerate() {
        let problem: Problem = serde_json::from_value(case["problem"].clone()).unwrap();
        let (kw, moved) = (case["kw"].as_f64().unwrap(), case["moved"].as_u64().unwrap());
        let found = place(&problem, &Effort { gap: GAP, seconds: 60.0 }).unwrap();
        assert_eq!((found.proof, found.moves_proof), (Proof::WithinGap, Proof::WithinGap), "{at}");
        assert!((found.placed_kw - kw).abs() <= 2.0 * GAP * kw + 1e-6, "{at}: {} of {kw} kW", found.placed_kw);
        // Within the gap another power may ask for other moves, so that only of the very same power they are the same.
        if (found.placed_kw - kw).abs() < 1e-5 {
            assert_eq!(u64::from(found.moved), moved, "{at}");
        }
    }
}
