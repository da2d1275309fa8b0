//! The search against the plainest one there is: every choice of small designs, one by one.

mod common;

use common::{catalog, drawn};
use model::design::{Design, Redundancy};
use model::optimum::{Choice, Goal, Limits, Point};
use model::quantity::Power;
use optimize::{Base, Choices, conflicts, frontier, optimize};

/// Small designs that differ: reference designs with their contract, targets and halls changed by a counter.
fn small() -> Vec<(Design, Limits)> {
    let mut list = Vec::new();
    for at in 0..210_u32 {
        let mut design = drawn(["h200-air-row", "one-rack-gb200", "superpod-gb200-su"][at as usize % 3]);
        let share = 0.35 + 0.01 * f64::from(at % 70);
        design.contract_power = Power::from_watts(design.contract_power.as_watts() * share);
        for hall in &mut design.halls {
            hall.positions += at % 4;
        }
        let limits = Limits {
            tpot_ms: (at % 5 == 0).then_some(30.0),
            capex_usd: (at % 7 == 0).then_some(60e6),
            ..Limits::default()
        };
        list.push((design, limits));
    }
    list
}

fn grid(base: &Base) -> Choices {
    let all = base.choices();
    Choices {
        caps_w: all.caps_w.iter().copied().step_by(6).collect(),
        supplies_c: all.supplies_c.iter().copied().step_by(14).collect(),
        redundancies: vec![None, Some(Redundancy::NPlus1)],
        ..all
    }
}

fn every(base: &Base, choices: &Choices) -> Vec<Point> {
    let mut points = Vec::new();
    for &racks in &choices.racks {
        for &cap_w in &choices.caps_w {
            for &supply_c in &choices.supplies_c {
                for &redundancy in &choices.redundancies {
                    points.push(base.point(&Choice { racks, cap_w, supply_c, redundancy }));
                }
            }
        }
    }
    points
}

/// Never behind the best of all choices on the grid, by any goal; and what it says is feasible is. Where nothing is, the way out
/// is named.
#[test]
fn the_best_of_two_hundred_small_designs_is_never_missed() {
    let catalog = catalog();
    let mut solved = 0;
    for (at, (design, limits)) in small().into_iter().enumerate() {
        let base = Base::new(&design, &catalog, limits).unwrap();
        let choices = grid(&base);
        let goal = Goal::ALL[at % Goal::ALL.len()];
        let answer = optimize(&base, &choices, goal, &[Goal::Tokens, Goal::TokensPerJoule]);
        let feasible: Vec<Point> = every(&base, &choices).into_iter().filter(Point::is_feasible).collect();
        let plain = feasible.iter().map(|point| goal.worth(point)).fold(f64::NEG_INFINITY, f64::max);
        if let Some(best) = answer.best {
            assert!(base.point(&best.choice).is_feasible() && base.point(&best.choice) == best);
            assert!(goal.worth(&best) >= plain, "{at}: {} found, {plain} by trying all", goal.worth(&best));
            assert!(answer.frontier.contains(&best) || ![Goal::Tokens, Goal::TokensPerJoule].contains(&goal), "{at}");
            solved += 1;
        } else {
            assert!(feasible.is_empty(), "{at}: nothing found, though something can be run");
            assert!(!conflicts(&base, &choices).is_empty(), "{at}");
        }
        assert_eq!(optimize::every(&base, &choices, 3).len(), choices.count());
        let whole = frontier(feasible, &[Goal::Tokens, Goal::TokensPerJoule]);
        let in_parts = optimize::frontier_of(&base, &choices, &[Goal::Tokens, Goal::TokensPerJoule], 2);
        let values =
            |points: &[Point]| points.iter().map(|p| (p.output_tokens_per_s, p.tokens_per_joule)).collect::<Vec<_>>();
        assert_eq!(values(&in_parts), values(&whole), "{at}: in parts it is another frontier");
        for point in &whole {
            let beaten = |by: &Point| {
                Goal::Tokens.worth(by) >= Goal::Tokens.worth(point)
                    && Goal::TokensPerJoule.worth(by) >= Goal::TokensPerJoule.worth(point)
            };
            assert!(answer.frontier.iter().any(beaten), "{at}: the frontier lacks {:?}", point.choice);
        }
    }
    assert!(solved > 150, "{solved} of 210 have an answer");
}

/// A larger search, which does not try each choice, against one that does.
#[test]
fn counts_that_are_left_out_are_never_the_best() {
    let design = drawn("hgx-b200-5mw");
    let base = Base::new(&design, &catalog(), Limits::default()).unwrap();
    let all = base.choices();
    let choices = Choices { supplies_c: vec![None], ..all.clone() };
    let plain: Vec<Point> = every(&base, &choices).into_iter().filter(Point::is_feasible).collect();
    // Water is repeated, so that there are too many choices to try each, and all of them known.
    let many = Choices { supplies_c: vec![None; 20_000 / choices.count() + 1], ..choices };
    for goal in Goal::ALL {
        let best = optimize(&base, &many, goal, &[]).best.unwrap();
        let known = plain.iter().map(|point| goal.worth(point)).fold(f64::NEG_INFINITY, f64::max);
        assert!(goal.worth(&best) >= known - 1e-6 * known.abs(), "{}: {} of {known}", goal.name(), goal.worth(&best));
    }
}

/// The design as drawn is one of the choices, and costs what its parts cost; a rack more costs what it does in the design.
#[test]
fn a_choice_as_drawn_is_the_design() {
    let catalog = catalog();
    for name in ["superpod-gb200-su", "hgx-b200-5mw", "facility-100mw"] {
        let design = drawn(name);
        let base = Base::new(&design, &catalog, Limits::default()).unwrap();
        let point = base.point(&base.drawn_choice());
        let whole = sim::evaluate(&sim::resolve(&design, &catalog).unwrap());
        assert_eq!(point.gpus, whole.gpus, "{name}");
        assert!((point.output_tokens_per_s / whole.output_tokens_per_s - 1.0).abs() < 1e-12, "{name}");
        assert!((point.capex_usd / whole.capex_usd - 1.0).abs() < 1e-12, "{name}");
        let more = Choice { racks: base.drawn_choice().racks + 1, ..base.drawn_choice() };
        assert!(base.point(&more).capex_usd > point.capex_usd, "{name}");
    }
}

/// Asked for what can't be: the limit that stands in the way is named, and giving it that much is enough.
#[test]
fn a_conflict_names_what_would_have_to_give() {
    let catalog = catalog();
    let design = drawn("superpod-gb200-su");
    let tight = Limits { power_mw: Some(0.2), ..Limits::default() };
    let base = Base::new(&design, &catalog, tight).unwrap();
    let choices = base.choices();
    let first = conflicts(&base, &choices).into_iter().next().unwrap();
    assert!(first.short.iter().all(|short| short.limit == model::optimum::Limit::Contract), "{:?}", first.short);
    let wider = Limits { power_mw: Some(0.2 * (1.0 + first.by()) * 1.001), ..Limits::default() };
    assert!(conflicts(&Base::new(&design, &catalog, wider).unwrap(), &choices).is_empty());
    let less = Limits { power_mw: Some(0.2 * (1.0 + first.by()) * 0.99), ..Limits::default() };
    assert!(!conflicts(&Base::new(&design, &catalog, less).unwrap(), &choices).is_empty());
}

/// More room never makes the best worse: by power, money and both times.
#[test]
fn law_a_looser_limit_never_lowers_the_best() {
    let catalog = catalog();
    let tight = Limits { power_mw: Some(0.9), capex_usd: Some(40e6), ttft_ms: Some(1500.0), tpot_ms: Some(40.0) };
    let looser = [
        Limits { power_mw: Some(1.2), ..tight },
        Limits { capex_usd: Some(60e6), ..tight },
        Limits { ttft_ms: Some(2000.0), ..tight },
        Limits { tpot_ms: Some(50.0), ..tight },
    ];
    let best = |limits: Limits| {
        let base = Base::new(&drawn("superpod-gb200-su"), &catalog, limits).unwrap();
        optimize(&base, &grid(&base), Goal::Tokens, &[]).best.unwrap()
    };
    let least = best(tight);
    assert!(least.tpot_ms <= 40.0 * (1.0 + 1e-9) && least.ttft_ms <= 1500.0 * (1.0 + 1e-9), "{least:?}");
    for limits in looser {
        let found = best(limits);
        assert!(found.output_tokens_per_s >= least.output_tokens_per_s * (1.0 - 1e-3), "{limits:?}: {found:?}");
    }
}
