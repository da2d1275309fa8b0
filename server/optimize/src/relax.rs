//! Where no choice can be run: which limits stand in the way, and by how much the least of them would have to give.

use crate::base::{Base, Choices};
use model::optimum::{Choice, Conflict, Limit};

/// The ways out where nothing can be run, the smallest first: for each set of limits that some choice exceeds and no smaller
/// set would do, the choice that exceeds them least. Empty where something can be run.
pub fn conflicts(base: &Base, choices: &Choices) -> Vec<Conflict> {
    let mut bench = base.bench();
    let mut found: Vec<(Vec<Limit>, Conflict)> = Vec::new();
    let mut racks = choices.racks.clone();
    // Fewer racks ask less of everything but of targets and memory, which do not depend on how many there are.
    racks.truncate(1);
    for &redundancy in &choices.redundancies {
        for &supply_c in &choices.supplies_c {
            for &cap_w in &choices.caps_w {
                for &racks in &racks {
                    let point = bench.point(&Choice { racks, cap_w, supply_c, redundancy });
                    if point.is_feasible() {
                        return Vec::new();
                    }
                    let mut limits: Vec<Limit> = point.short.iter().map(|short| short.limit).collect();
                    limits.sort_unstable();
                    limits.dedup();
                    let conflict = Conflict { short: point.short.clone(), point };
                    match found.iter_mut().find(|(own, _)| *own == limits) {
                        Some((_, least)) if conflict.by() < least.by() => *least = conflict,
                        Some(_) => {}
                        None => found.push((limits, conflict)),
                    }
                }
            }
        }
    }
    let sets: Vec<Vec<Limit>> = found.iter().map(|(limits, _)| limits.clone()).collect();
    let is_least = |limits: &[Limit]| {
        !sets.iter().any(|other| other.len() < limits.len() && other.iter().all(|limit| limits.contains(limit)))
    };
    let mut ways: Vec<Conflict> =
        found.into_iter().filter(|(limits, _)| is_least(limits)).map(|(_, conflict)| conflict).collect();
    ways.sort_by(|a, b| a.by().total_cmp(&b.by()));
    ways
}
