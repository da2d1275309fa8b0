//! The best of all choices, and the frontier between goals.

use crate::base::{Base, Choices};
use model::optimum::{Answer, Choice, Goal, Point};

/// Up to so many choices each one is tried; beyond, of each power limit, water and redundancy only counts of racks that can be
/// the best.
const EACH_TRIED: usize = 20_000;
/// Counts of racks that are tried below the most that fit, where not each one is.
const COUNTS_TRIED: u32 = 12;
/// Halvings of the step about the best, down to a watt and a tenth of a degree.
const REFINED: u32 = 8;

/// The best of the choices by a goal, refined between their steps, with the frontier over `goals`.
pub fn optimize(base: &Base, choices: &Choices, goal: Goal, goals: &[Goal]) -> Answer {
    let points = points(base, choices);
    let mut tried = points.len();
    let feasible: Vec<&Point> = points.iter().filter(|point| point.is_feasible()).collect();
    let best = feasible.iter().copied().reduce(|a, b| better(goal, a, b)).cloned();
    let best = best.map(|best| {
        let (refined, more) = refine(base, choices, goal, best);
        tried += more;
        refined
    });
    // The best first, so that of points alike it is the one that stays.
    let list: Vec<Point> = best.iter().chain(feasible).cloned().collect();
    Answer { goal, best, drawn: base.point(&base.drawn_choice()), tried, frontier: frontier(list, goals) }
}

/// Of two the better by a goal; of two alike the better by the other goals in turn, so that the best is on every frontier, then
/// that with fewer racks, then the lower limit, so that the answer does not depend on the order in which they are tried.
fn better<'a>(goal: Goal, a: &'a Point, b: &'a Point) -> &'a Point {
    let by = |goal: Goal| goal.worth(a).total_cmp(&goal.worth(b));
    let by_worth = Goal::ALL.into_iter().fold(by(goal), |order, other| order.then_with(|| by(other)));
    let by_size = || b.choice.racks.cmp(&a.choice.racks).then(b.choice.cap_w.total_cmp(&a.choice.cap_w));
    if by_worth.then_with(by_size).is_lt() { b } else { a }
}

/// Points of the choices: of each one where they are few, else of those counts of racks that can be the best.
fn points(base: &Base, choices: &Choices) -> Vec<Point> {
    if choices.count() <= EACH_TRIED {
        return every(base, choices, 1);
    }
    let mut bench = base.bench();
    let mut found = Vec::new();
    for &redundancy in &choices.redundancies {
        for &supply_c in &choices.supplies_c {
            for &cap_w in &choices.caps_w {
                let mut at = |racks: u32| bench.point(&Choice { racks, cap_w, supply_c, redundancy });
                found.extend(counts(&choices.racks, &mut at));
            }
        }
    }
    found
}

/// Each choice's point, in the order of redundancies, water, limits and racks; worked out by so many threads, with the same
/// answer whatever their number.
pub fn every(base: &Base, choices: &Choices, threads: usize) -> Vec<Point> {
    let (racks, caps, supplies) = (choices.racks.len(), choices.caps_w.len(), choices.supplies_c.len());
    let choice = |at: usize| Choice {
        racks: choices.racks[at % racks],
        cap_w: choices.caps_w[at / racks % caps],
        supply_c: choices.supplies_c[at / racks / caps % supplies],
        redundancy: choices.redundancies[at / racks / caps / supplies],
    };
    let count = choices.count();
    let each = count.div_ceil(threads.max(1)).max(1);
    let part = |from: usize| {
        let mut bench = base.bench();
        (from..(from + each).min(count)).map(|at| bench.point(&choice(at))).collect::<Vec<_>>()
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..count).step_by(each).map(|from| scope.spawn(move || part(from))).collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// The frontier of every choice that can be run, worked out by so many threads, a part of the choices after the other, so that
/// no more than a part is held at once.
pub fn frontier_of(base: &Base, choices: &Choices, goals: &[Goal], threads: usize) -> Vec<Point> {
    let mut kept = Vec::new();
    for &redundancy in &choices.redundancies {
        for &supply_c in &choices.supplies_c {
            let part = Choices { supplies_c: vec![supply_c], redundancies: vec![redundancy], ..choices.clone() };
            let found = every(base, &part, threads).into_iter().filter(Point::is_feasible);
            kept = frontier(kept.into_iter().chain(found).collect(), goals);
        }
    }
    kept
}

/// The most racks that fit, by halving, as more racks never ask less of anything; and some below, for goals that are not
/// all for more.
fn counts(racks: &[u32], at: &mut impl FnMut(u32) -> Point) -> Vec<Point> {
    let mut found = Vec::new();
    let (mut fits, mut over) = (0, racks.len());
    while fits < over {
        let middle = usize::midpoint(fits, over);
        let point = at(racks[middle]);
        if point.is_feasible() {
            fits = middle + 1;
        } else {
            over = middle;
        }
        found.push(point);
    }
    for part in 1..COUNTS_TRIED {
        let place = fits * part as usize / COUNTS_TRIED as usize;
        if fits > COUNTS_TRIED as usize {
            found.push(at(racks[place]));
        }
    }
    found
}

/// Better points between the steps of the choices: power limits by a watt, water by a tenth of a degree, each with the racks
/// that then fit. The point, and how many were tried.
fn refine(base: &Base, choices: &Choices, goal: Goal, best: Point) -> (Point, usize) {
    let (mut best, mut tried) = (best, 0);
    let mut bench = base.bench();
    let gap = |values: &[f64]| values.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
    let (low, high) = ends(&choices.caps_w);
    let warm: Vec<f64> = choices.supplies_c.iter().copied().flatten().collect();
    let (cold, hot) = ends(&warm);
    let (mut cap_step, mut supply_step) = (gap(&choices.caps_w) / 2.0, if warm.len() > 1 { 0.5 } else { 0.0 });
    for _ in 0..REFINED {
        for (cap, supply) in [(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)] {
            let cap_w = (best.choice.cap_w + cap * cap_step).round().clamp(low, high);
            let supply_c = best.choice.supply_c.map(|c| (c + supply * supply_step).clamp(cold, hot));
            let mut at = |racks: u32| bench.point(&Choice { racks, cap_w, supply_c, ..best.choice });
            let found = counts(&choices.racks, &mut at);
            tried += found.len();
            let near = found.into_iter().filter(Point::is_feasible).reduce(|a, b| better(goal, &a, &b).clone());
            if let Some(near) = near {
                best = better(goal, &best, &near).clone();
            }
        }
        cap_step = f64::max(cap_step / 2.0, 1.0);
        supply_step /= 2.0;
    }
    (best, tried)
}

fn ends(values: &[f64]) -> (f64, f64) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    (low.min(f64::MAX), values.iter().copied().fold(low.min(f64::MAX), f64::max))
}

/// Points that no other beats in every goal at once, by the first goal from the best; of points alike one.
///
/// Sorted by the first goal, a point stays unless one before it is at least as good in all others: n · frontier
/// comparisons.
pub fn frontier(mut points: Vec<Point>, goals: &[Goal]) -> Vec<Point> {
    let Some((first, others)) = goals.split_first() else { return Vec::new() };
    points.sort_by(|a, b| {
        let by = |goal: &Goal| goal.worth(b).total_cmp(&goal.worth(a));
        others.iter().fold(by(first), |order, goal| order.then(by(goal)))
    });
    let mut kept: Vec<Point> = Vec::new();
    for point in points {
        let beats = |other: &Point| others.iter().all(|goal| goal.worth(other) >= goal.worth(&point));
        if !kept.iter().any(beats) {
            kept.push(point);
        }
    }
    kept
}
