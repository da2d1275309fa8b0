//! What a study says of the best choice, held to the plainest way to find the same; choices put back into a design; sweeps.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod common;

use common::{catalog, drawn};
use model::optimum::{Choice, Goal, Limits, OptimumAsk, Point};
use model::quantity::Power;
use model::sweep::{SweepAsk, SweepRow};
use optimize::sweep::{Sweep, ranked, undominated};
use optimize::{Base, optimize, power_errors, robust, study};

fn base(name: &str) -> Base {
    Base::new(&drawn(name), &catalog(), Limits::default()).unwrap()
}

fn near(what: &str, a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0), "{what}: {a} and {b}");
}

/// A choice put into its design is, when that is read as any other design, what the search said it comes to.
#[test]
fn a_choice_put_back_is_the_point_that_was_found() {
    let catalog = catalog();
    for name in ["facility-100mw", "superpod-gb200-su", "h200-air-row", "hgx-b200-5mw", "mi355x-10mw", "tower-50mw"] {
        let design = drawn(name);
        let base = Base::new(&design, &catalog, Limits::default()).unwrap();
        for goal in [Goal::Tokens, Goal::TokensPerJoule] {
            let best = optimize(&base, &base.choices(), goal, &[]).best.unwrap();
            let made = base.design(&design, &best.choice);
            let found = sim::evaluate(&sim::resolve(&made, &catalog).unwrap());
            let racks = Base::new(&made, &catalog, Limits::default()).unwrap().drawn_choice().racks;
            // Halls alike stay alike: at most one rack less in each of them.
            let halls: u32 = design.halls.iter().map(|hall| hall.count).sum();
            let left_out = best.choice.racks - racks;
            let shares =
                design.halls.iter().flat_map(|hall| &hall.rows).any(|row| row.racks.len() > 1 && row.count > 1);
            assert!(left_out < halls || shares, "{name}: {racks} racks of {}", best.choice.racks);
            let again = base.point(&Choice { racks, ..best.choice });
            near(name, found.output_tokens_per_s, again.output_tokens_per_s);
            near(name, found.peak_power_mw, again.peak_mw);
            near(name, found.capex_usd, again.capex_usd);
            assert!(again.is_feasible() && again.output_tokens_per_s > best.output_tokens_per_s * 0.98, "{name}");
        }
    }
}

/// The dial's figures are those of single choices, and a limit carries no more racks than all that are tried.
#[test]
fn the_dial_is_the_search_at_each_limit() {
    let base = base("superpod-gb200-su");
    let choices = base.choices();
    for turn in base.dial(&choices) {
        let at = |racks: u32| base.point(&Choice { racks, cap_w: turn.cap_w, ..base.drawn_choice() });
        let most = choices.racks.iter().copied().filter(|racks| at(*racks).is_feasible()).max();
        assert_eq!(turn.racks, most.unwrap_or(0), "{} W", turn.cap_w);
        near("tokens", turn.output_tokens_per_s, most.map_or(0.0, |racks| at(racks).output_tokens_per_s));
        near("of a megawatt", turn.tokens_per_s_per_mw, at(base.drawn_choice().racks).tokens_per_joule * 1e6);
        assert!(turn.low <= turn.tokens_per_s_per_mw && turn.tokens_per_s_per_mw <= turn.high);
    }
}

/// One contract filled three ways: what is counted fits, one rack more does not, and no limit makes more of it.
#[test]
fn an_envelope_holds_what_fills_it() {
    for name in ["facility-100mw", "superpod-gb200-su", "hgx-b200-5mw"] {
        let base = base(name);
        let choices = base.choices();
        let found = base.envelope(&choices).unwrap();
        let per_rack = |filled: &model::optimum::Filled| f64::from(filled.gpus) / f64::from(filled.racks);
        for filled in [&found.label, &found.drawn, &found.capped] {
            let counted = |racks: u32| f64::from(racks) * per_rack(filled) * filled.kw_per_gpu / 1e3;
            assert!(counted(filled.racks) <= found.power_mw * (1.0 + 1e-9), "{name}");
            assert!(counted(filled.racks + 1) > found.power_mw, "{name}");
            assert!(filled.drawn_mw <= found.power_mw * (1.0 + 1e-9), "{name}: draws more than there is");
        }
        assert!(found.capped.kw_per_gpu <= found.label.kw_per_gpu);
        assert!(found.tokens_band[0] <= found.tokens_ratio && found.tokens_ratio <= found.tokens_band[1]);
        let of = |filled: &model::optimum::Filled| filled.output_tokens_per_s;
        near("ratio", found.tokens_ratio, of(&found.capped) / of(&found.label));
        near("GPUs", found.gpus_ratio, f64::from(found.capped.gpus) / f64::from(found.label.gpus));
        for cap_w in choices.caps_w.iter().copied() {
            let only = optimize::Choices { caps_w: vec![cap_w, *choices.caps_w.last().unwrap()], ..choices.clone() };
            let other = base.envelope(&only).unwrap();
            // Whole racks may make a limit that is worse for each watt better by less than one rack.
            let rack = other.capped.output_tokens_per_s / f64::from(other.capped.racks);
            assert!(of(&other.capped) <= of(&found.capped) + rack, "{name}: {cap_w} W makes more");
        }
    }
}

/// A unit out of each group: the power limit told is carried, the next one up is not.
#[test]
fn a_failed_unit_leaves_what_is_told() {
    let mut design = drawn("superpod-gb200-su");
    // No unit more than the racks need.
    for group in &mut design.power {
        let firm = group.redundancy.firm_units(group.units) as u32;
        (group.units, group.redundancy) = (firm.max(1), model::design::Redundancy::N);
    }
    let base = Base::new(&design, &catalog(), Limits::default()).unwrap();
    let choices = base.choices();
    let best = optimize(&base, &choices, Goal::Tokens, &[]).best.unwrap();
    let told = robust(&base, &choices, &best);
    assert!(!told.failures.is_empty(), "a full facility without redundancy needs something");
    for failed in &told.failures {
        assert!(failed.tokens_share < 1.0 && failed.tokens_share >= 0.0, "{failed:?}");
        assert!(failed.cap_w < best.choice.cap_w || failed.racks < best.choice.racks, "{failed:?}");
    }
    assert!(told.hottest_mw <= told.contract_mw * (1.0 + 1e-6));
    assert!((0.0..=1.0 + 1e-9).contains(&told.busiest_served));
    // The demand of the design is a share of what it can serve in its busiest hour.
    assert!(told.busiest_asked > 0.5 && told.busiest_asked <= 1.01, "{}", told.busiest_asked);
}

/// Boards that draw more leave less: the search made anew is never worse than the choice that did not know.
#[test]
fn what_is_lost_by_not_knowing_the_draw_is_no_gain() {
    let base = base("hgx-b200-5mw");
    let choices = base.choices();
    let best = optimize(&base, &choices, Goal::Tokens, &[]).best.unwrap();
    let [less, more] = <[_; 2]>::try_from(power_errors(&base, &choices, Goal::Tokens, &best)).unwrap();
    assert!(less.draw < 1.0 && more.draw > 1.0);
    for error in [&less, &more] {
        assert!((0.0..=1.0).contains(&error.regret), "{error:?}");
        let known = error.best.as_ref().unwrap();
        if error.ours.is_feasible() {
            assert!(known.output_tokens_per_s >= error.ours.output_tokens_per_s * (1.0 - 1e-9));
        }
    }
    let of = |error: &model::optimum::PowerError| error.best.as_ref().unwrap().output_tokens_per_s;
    assert!(of(&less) >= of(&more), "boards that draw more make more");
}

/// What becomes of the power adds up to what is installed, before and after.
#[test]
fn stranded_power_adds_up() {
    let (design, catalog) = (drawn("facility-100mw"), catalog());
    let base = base("facility-100mw");
    let found = study(&base, (&design, &catalog), &OptimumAsk::default());
    let sum = |of: fn(&model::optimum::StrandedBeside) -> f64| found.stranded.iter().map(of).sum::<f64>();
    near("installed", sum(|line| line.drawn_mw), sum(|line| line.best_mw));
    let part = |of: fn(&model::optimum::StrandedBeside) -> f64| {
        found.stranded.iter().filter(|line| line.is_stranded).map(of).sum::<f64>()
    };
    assert!(part(|line| line.best_mw) < part(|line| line.drawn_mw), "the best strands no less");
}

fn ask(vary: &[&str], goal: Option<Goal>) -> SweepAsk {
    SweepAsk { vary: vary.iter().map(|text| text.parse().unwrap()).collect(), goal, limits: Limits::default() }
}

/// Rows are the same in whatever ranges they are made, and each is the design with those values put in by hand.
#[test]
fn a_sweep_is_each_design_by_itself() {
    let (design, catalog) = (drawn("hgx-b200-5mw"), catalog());
    let asked = ask(&["cap=600..1000:200", "model=llama-3.1-70b,deepseek-r1", "contract=3,5", "racks=2,4"], None);
    let sweep = Sweep::new(&design, &catalog, &asked).unwrap();
    let count = sweep.count().unwrap();
    assert_eq!(count, 3 * 2 * 2 * 2);
    let rows = sweep.rows(0..count);
    let parts: Vec<SweepRow> = (0..count).step_by(5).flat_map(|at| sweep.rows(at..(at + 5).min(count))).collect();
    assert_eq!(rows, parts);
    let fields: Vec<&str> = sweep.ask().vary.iter().map(|vary| vary.field.as_str()).collect();
    assert_eq!(fields, ["model", "contract", "cap", "racks"], "choices last");
    for row in &rows {
        let mut by_hand = design.clone();
        by_hand.service.model = row.values[0].parse().unwrap();
        by_hand.contract_power = Power::from_megawatts(row.values[1].parse().unwrap());
        let base = Base::new(&by_hand, &catalog, Limits::default()).unwrap();
        let choice = Choice {
            cap_w: row.values[2].parse().unwrap(),
            racks: row.values[3].parse().unwrap(),
            ..base.drawn_choice()
        };
        assert_eq!(row.point.as_ref(), Some(&base.point(&choice)), "{:?}", row.values);
    }
    assert_eq!(rows.iter().map(|row| &row.values).collect::<std::collections::BTreeSet<_>>().len(), count);
}

/// With a goal, what is not varied is chosen; racks stand in for racks; what can't be says why.
#[test]
fn a_sweep_with_a_goal_chooses_the_rest() {
    let (design, catalog) = (drawn("superpod-gb200-su"), catalog());
    let asked = ask(&["rack=gb200-nvl72,gb300-nvl72,storage-rack", "water=25,40"], Some(Goal::Tokens));
    let sweep = Sweep::new(&design, &catalog, &asked).unwrap();
    let rows = sweep.rows(0..6);
    for row in &rows[..4] {
        let point = row.point.as_ref().unwrap();
        assert!(point.is_feasible());
        near("water", point.choice.supply_c.unwrap(), row.values[1].parse().unwrap());
    }
    assert!(rows[4].point.is_none() && rows[4].why.as_ref().unwrap().contains("no GPUs"), "{:?}", rows[4]);
    let best = ranked(&rows, Goal::Tokens);
    let tokens = |row: &SweepRow| row.point.as_ref().map_or(0.0, |point| point.output_tokens_per_s);
    assert!(best.windows(2).all(|pair| tokens(pair[0]) >= tokens(pair[1])));
    let kept = undominated(&rows, &[Goal::Tokens, Goal::TokensPerJoule]);
    assert!(kept.iter().all(|row| row.point.as_ref().is_some_and(Point::is_feasible)) && !kept.is_empty());
}

#[test]
fn what_can_not_be_varied_says_why() {
    let (design, catalog) = (drawn("one-rack-gb200"), catalog());
    let told = |vary: &[&str]| Sweep::new(&design, &catalog, &ask(vary, None)).map(|_| ()).unwrap_err();
    assert!(told(&["kap=1"]).contains("did you mean cap"), "{}", told(&["kap=1"]));
    assert!(told(&["cap=much"]).contains("\"much\" is no number"), "{}", told(&["cap=much"]));
    assert!(told(&["cap=1", "cap=2"]).contains("varied twice"));
    assert!(told(&["cap=all"]).contains("no list"));
    assert!(told(&[]).contains("nothing is varied"));
    let all = Sweep::new(&design, &catalog, &ask(&["model=all"], None)).unwrap();
    assert_eq!(all.count(), Some(catalog.models.len()));
}
