//! Where racks stand: against every placement of small problems, laws that hold for any, and designs there and back.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod common;

use common::{catalog, drawn};
use model::design::{Design, Hall};
use optimize::placement::{
    Class, Effort, Feed, Fill, LIQUID_NEEDED, Limit, Placed, Plan, Problem, Row, Unplaced, Wiring, place, plan,
    stranded,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn class(name: &str, most: u32, kw: f64, liquid: f64) -> Class {
    let liquid_kw = kw * liquid;
    Class { name: name.into(), least: 0, most, kw, liquid_kw, air_kw: kw - liquid_kw, positions: 1 }
}

fn row(positions: u32, feeds: &[u32]) -> Row {
    Row { name: "row".into(), count: 1, positions, feeds: feeds.into(), liquids: vec![0], airs: vec![1] }
}

fn limit(name: &str, kw: f64) -> Limit {
    Limit { name: name.into(), kw }
}

fn feed(kw: f64) -> Feed {
    Feed { name: "feed".into(), kw, above: vec![0] }
}

/// Ten racks of 100 kW, and room for them but for what a test takes away.
fn ten() -> Problem {
    Problem {
        classes: vec![class("gpu", 10, 100.0, 0.8)],
        rows: vec![row(10, &[0])],
        feeds: vec![feed(1_000.0)],
        above: vec![limit("ups", 1e4)],
        loops: vec![limit("liquid", 1e4), limit("air", 1e4)],
        drawn: Vec::new(),
    }
}

#[test]
fn what_is_stranded_has_the_cause_that_strands_it() {
    let after = |change: &dyn Fn(&mut Problem)| {
        let mut problem = ten();
        change(&mut problem);
        place(&problem, &Effort::default()).unwrap().after
    };
    assert!(after(&|_| ()).total_kw() < 1e-6);
    assert!((after(&|own| own.classes[0].most = 7).no_racks_kw - 300.0).abs() < 1e-6);
    assert!((after(&|own| own.rows[0].positions = 6).positions_kw - 400.0).abs() < 1e-6);
    assert!((after(&|own| own.loops[0].kw = 410.0).liquid_kw - 500.0).abs() < 1e-6);
    assert!((after(&|own| own.loops[1].kw = 90.0).air_kw - 600.0).abs() < 1e-6);
    assert!((after(&|own| own.above[0].kw = 850.0).above_kw - 200.0).abs() < 1e-6);
    let uneven = after(&|own| own.feeds[0].kw = 980.0);
    assert!((uneven.feed_kw - 80.0).abs() < 1e-6 && (uneven.total_kw() - 80.0).abs() < 1e-6);
}

#[test]
fn of_placements_with_the_same_power_the_one_that_moves_least_is_taken() {
    let mut problem = ten();
    problem.classes = vec![class("a", 4, 100.0, 0.5), class("b", 4, 60.0, 0.5)];
    problem.rows = vec![row(4, &[0, 1]), row(4, &[1, 0])];
    problem.feeds = vec![feed(330.0), feed(310.0)];
    // One feed carries more than it can, so that something must move; two racks of 60 kW each way are the least.
    let own = |class, row, feed, count| Placed { class, row, feed, liquid: Some(0), air: Some(1), count };
    problem.drawn = vec![own(0, 0, 0, 4), own(1, 1, 1, 4)];
    let found = place(&problem, &Effort { gap: 0.0, ..Effort::default() }).unwrap();
    assert!((found.placed_kw - 640.0).abs() > 1e-9 && found.placed_kw <= 640.0);
    assert!(found.moved >= 1 && found.moved < 4, "{found:?}");
    // Where nothing has to move, nothing does.
    problem.feeds = vec![feed(400.0), feed(400.0)];
    assert_eq!(place(&problem, &Effort::default()).unwrap().moved, 0);
}

#[test]
fn what_can_not_be_is_said() {
    let mut problem = ten();
    problem.classes[0].least = 11;
    assert!(matches!(place(&problem, &Effort::default()), Err(Unplaced::BadInput(_))));
    problem.classes[0].most = 11;
    assert_eq!(place(&problem, &Effort::default()).unwrap_err(), Unplaced::Infeasible);
    problem = ten();
    problem.rows[0].feeds = vec![3];
    assert!(matches!(place(&problem, &Effort::default()), Err(Unplaced::BadInput(_))));
}

/// Heat of one rack in liquid and air, where a row can take it.
fn heat(class: &Class, row: &Row) -> Option<(f64, f64)> {
    let all = class.liquid_kw + class.air_kw;
    if row.liquids.is_empty() {
        (class.liquid_kw <= LIQUID_NEEDED * all).then_some((0.0, all))
    } else {
        Some((class.liquid_kw, class.air_kw))
    }
}

/// Whether a placement keeps every limit, and no more racks are placed than there are.
fn keeps(problem: &Problem, placed: &[Placed]) -> bool {
    let sum = |of: &dyn Fn(&Placed, &Class) -> f64| -> f64 {
        placed.iter().map(|own| of(own, &problem.classes[own.class as usize]) * f64::from(own.count)).sum()
    };
    let under = |kw: f64, most: f64| kw <= most + 1e-6;
    let on = |is: bool, kw: f64| if is { kw } else { 0.0 };
    let feeds = (0_u32..).zip(&problem.feeds);
    let above = (0_u32..).zip(&problem.above);
    let loops = (0_u32..).zip(&problem.loops);
    let rows = (0_u32..).zip(&problem.rows);
    let classes = (0_u32..).zip(&problem.classes);
    let taken = |own: &Placed, class: &Class, at: u32| {
        let (liquid, air) = heat(class, &problem.rows[own.row as usize]).unwrap();
        on(own.liquid == Some(at), liquid) + on(own.air == Some(at), air)
    };
    feeds.into_iter().all(|(at, feed)| under(sum(&|own, class| on(own.feed == at, class.kw)), feed.kw))
        && above.into_iter().all(|(at, limit)| {
            under(sum(&|own, class| on(problem.feeds[own.feed as usize].above.contains(&at), class.kw)), limit.kw)
        })
        && loops.into_iter().all(|(at, limit)| under(sum(&|own, class| taken(own, class, at)), limit.kw))
        && rows.into_iter().all(|(at, row)| {
            let most = f64::from(row.positions * row.count);
            under(sum(&|own, class| on(own.row == at, f64::from(class.positions))), most)
        })
        && classes.into_iter().all(|(at, class)| {
            let count = sum(&|own, _| on(own.class == at, 1.0));
            (f64::from(class.least)..=f64::from(class.most)).contains(&count)
        })
}

/// Tries every count of the spots from `at` on.
fn deeper(problem: &Problem, spots: &mut [Placed], at: usize, best: &mut f64) {
    if !keeps(problem, spots) {
        return;
    }
    if at == spots.len() {
        let kw: f64 = spots.iter().map(|own| problem.classes[own.class as usize].kw * f64::from(own.count)).sum();
        *best = best.max(kw);
        return;
    }
    for count in 0..=problem.classes[spots[at].class as usize].most {
        spots[at].count = count;
        deeper(problem, spots, at + 1, best);
    }
    spots[at].count = 0;
}

/// The most power of every placement there is, one by one.
fn by_trying_all(problem: &Problem) -> f64 {
    let mut spots = Vec::new();
    for (class, _) in (0_u32..).zip(&problem.classes) {
        for (at, row) in (0_u32..).zip(&problem.rows) {
            for &feed in &row.feeds {
                for &liquid in &row.liquids {
                    for &air in &row.airs {
                        spots.push(Placed { class, row: at, feed, liquid: Some(liquid), air: Some(air), count: 0 });
                    }
                }
            }
        }
    }
    let mut best = 0.0;
    deeper(problem, &mut spots, 0, &mut best);
    best
}

fn any_problem(racks: u32) -> impl Strategy<Value = Problem> {
    let classes = prop::collection::vec((0..=racks, 20.0..150.0_f64, 0.0..1.0_f64), 1..3);
    let rows = prop::collection::vec((1..3_u32, 1..4_u32, any::<bool>()), 1..3);
    let kws = prop::collection::vec(50.0..600.0_f64, 6);
    (classes, rows, kws).prop_map(|(classes, rows, kws)| Problem {
        classes: classes.iter().map(|(most, kw, liquid)| class("any", *most, kw.round(), *liquid)).collect(),
        rows: rows
            .iter()
            .map(|(count, positions, both)| Row {
                count: *count,
                ..row(*positions, if *both { &[0, 1] } else { &[1] })
            })
            .collect(),
        feeds: vec![Feed { above: vec![], ..feed(kws[0]) }, feed(kws[1])],
        above: vec![limit("above", kws[2])],
        loops: vec![limit("liquid", kws[3]), limit("air", kws[4])],
        drawn: Vec::new(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn law_small_problems_are_placed_as_the_best_of_all_placements(problem in any_problem(3)) {
        let found = place(&problem, &Effort { gap: 1e-9, seconds: 20.0 }).unwrap();
        prop_assert!(keeps(&problem, &found.placed));
        let best = by_trying_all(&problem);
        prop_assert!((found.placed_kw - best).abs() < 1e-6, "{} of {best} kW", found.placed_kw);
    }

    /// No limit is exceeded, no rack lost or doubled, and what feeds promise is placed or stranded.
    #[test]
    fn law_no_limit_is_exceeded_and_no_rack_lost(mut problem in any_problem(40)) {
        for row in &mut problem.rows {
            row.positions *= 6;
        }
        let found = place(&problem, &Effort { gap: 1e-3, seconds: 2.0 }).unwrap();
        prop_assert!(keeps(&problem, &found.placed));
        for (at, class) in (0_u32..).zip(&problem.classes) {
            let placed: u32 = found.placed.iter().filter(|own| own.class == at).map(|own| own.count).sum();
            prop_assert_eq!(placed + found.unplaced[at as usize], class.most);
        }
        let all: f64 = problem.feeds.iter().map(|feed| feed.kw).sum();
        prop_assert!((found.placed_kw + found.after.total_kw() - all).abs() < 1e-6);
        prop_assert!(found.placed_kw <= found.bound_kw + 1e-6);
        let again = stranded(&problem, &found.placed).unwrap();
        prop_assert!((again.total_kw() - found.after.total_kw()).abs() < 1e-6);
    }

    /// More of anything never places less.
    #[test]
    fn law_more_room_never_places_less(problem in any_problem(6), more in 0.0..200.0_f64, which in 0..5_usize) {
        let mut wider = problem.clone();
        match which {
            0 | 1 => wider.feeds[which].kw += more,
            2 => wider.above[0].kw += more,
            _ => wider.loops[which - 3].kw += more,
        }
        let effort = Effort { gap: 1e-7, seconds: 20.0 };
        let (less, more) = (place(&problem, &effort).unwrap(), place(&wider, &effort).unwrap());
        prop_assert!(more.placed_kw >= less.placed_kw * (1.0 - 1e-6));
    }
}

/// Racks by part.
fn racks(design: &Design) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for hall in &design.halls {
        for row in &hall.rows {
            for group in &row.racks {
                *counts.entry(group.part.to_string()).or_insert(0) += hall.count * row.count * group.count;
            }
        }
    }
    counts
}

/// A plan says of its design what the design itself says once resolved.
fn checked(design: &Design, found: &Plan) {
    let site = sim::resolve(&found.design, &catalog()).unwrap();
    assert!(found.short.is_empty(), "{:?}", found.short);
    let fall = sim::stranded::waterfall(&site, model::quantity::Power::ZERO, model::quantity::Power::ZERO);
    let kw: f64 = site.racks.iter().map(|class| (class.provisioned() * class.count).as_kilowatts()).sum();
    assert!((kw - found.placement.placed_kw).abs() < 1e-6 * kw, "{kw} of {}", found.placement.placed_kw);
    let left = fall.installed_mw - fall.stranded.redundancy - kw / 1e3;
    // Groups that feed nothing any more are no halls' groups any more, but still strand what they have.
    assert!(left * 1e3 <= found.placement.after.total_kw() + 1e-3, "{left} of {:?}", found.placement.after);
    let (before, after) = (racks(design), racks(&found.design));
    for (at, class) in found.problem.classes.iter().enumerate() {
        let placed: u32 =
            found.placement.placed.iter().filter(|own| own.class as usize == at).map(|own| own.count).sum();
        assert!(placed >= class.least && placed + found.placement.unplaced[at] == class.most);
    }
    let placed: u32 = found.placement.placed.iter().map(|own| own.count).sum();
    assert_eq!(after.values().sum::<u32>(), placed);
    let others = |counts: &BTreeMap<String, u32>| -> Vec<(String, u32)> {
        counts.iter().filter(|(part, _)| part.ends_with("-rack")).map(|(part, count)| (part.clone(), *count)).collect()
    };
    assert_eq!(others(&before), others(&after));
}

#[test]
fn every_reference_design_takes_more_racks_and_still_holds() {
    let catalog = catalog();
    for name in catalog::designs().iter().map(|design| design.id) {
        let design = drawn(name);
        let found = plan(&design, &catalog, Wiring::SameKind, Fill::More, &Effort::default()).unwrap();
        checked(&design, &found);
        assert!(found.placement.after.total_kw() <= found.placement.before.total_kw() + 1e-6, "{name}");
        assert_eq!(found.placement.moved, 0, "{name}");
    }
}

/// As drawn, nothing is better than it is, and the design stays as it is.
#[test]
fn racks_that_all_stand_are_left_where_they_are() {
    let design = drawn("facility-100mw");
    let found = plan(&design, &catalog(), Wiring::SameKind, Fill::Drawn, &Effort::default()).unwrap();
    assert_eq!(found.design, design);
    assert_eq!(found.placement.moved, 0);
}

/// The 100 MW design with its busways in two groups, of which one is asked for too much.
fn lopsided() -> Design {
    let mut design = drawn("facility-100mw");
    let at = design.power.iter().position(|group| group.name == "busway").unwrap();
    let mut other = design.power[at].clone();
    (design.power[at].units, other.units, other.name) = (8, 104, "busway b".into());
    design.power.push(other);
    let mut second: Hall = design.halls[0].clone();
    (second.name, second.count, second.fed_by) = ("annex".into(), 2, "busway b".into());
    design.halls[0].count = 2;
    design.halls.push(second);
    design
}

#[test]
fn racks_move_to_the_feed_that_has_power() {
    let (design, catalog) = (lopsided(), catalog());
    let drawn_only = plan(&design, &catalog, Wiring::AsDrawn, Fill::Drawn, &Effort::default()).unwrap();
    checked(&design, &drawn_only);
    let found = plan(&design, &catalog, Wiring::SameKind, Fill::Drawn, &Effort::default()).unwrap();
    checked(&design, &found);
    // Fed as drawn, one group leaves racks out; fed from either, all stand.
    assert!(drawn_only.placement.unplaced.iter().sum::<u32>() > 0);
    assert_eq!(racks(&found.design), racks(&design));
    assert!(found.placement.moved > 0 && found.placement.unplaced.iter().all(|left| *left == 0));
    let rounded = plan(&found.design, &catalog, Wiring::SameKind, Fill::Drawn, &Effort::default()).unwrap();
    assert_eq!(rounded.placement.moved, 0);
    assert!((rounded.placement.before.total_kw() - found.placement.after.total_kw()).abs() < 1e-3);
}
