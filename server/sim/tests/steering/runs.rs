//! The proof obligation, held to runs in which everything goes wrong that can.

use crate::common::{Chance, Steered, any_tree, at_failsafe};
use sim::steering::controller::{Interval, Settings, Start};
use sim::steering::plant::Trouble;

/// Seeded runs.
const RUNS: u64 = 10_000;
/// Intervals of each.
const INTERVALS: u64 = 24;

/// A limit that will be cut, and when that comes into force.
struct Cut {
    node: usize,
    watts: f64,
    in_force: u64,
    over: u64,
    /// What the node might carry in the interval before.
    worst: f64,
}

struct Run {
    steered: Steered,
    /// Intervals from when a cut is told to when it holds.
    notice: u64,
    /// What the caps of each GPU may be.
    bounds: Vec<(f64, f64)>,
    /// Limits that hold.
    limits: Vec<f64>,
    firm: Vec<f64>,
    cut: Option<Cut>,
    load: Vec<f64>,
    chance: Chance,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut chance = Chance::of(seed);
        let (tree, allowances) = any_tree(&mut chance);
        let settings = Settings { lease: 1 + chance.below(6), fresh: chance.below(3), ..Settings::default() };
        // In one run of four every message arrives at once, so that a cut must be met at once as well.
        let is_heard = chance.one_in(4);
        let most = if is_heard { 0.0 } else { 0.5 };
        let trouble = Trouble {
            lost: chance.between(0.0, most),
            late: chance.between(0.0, most),
            late_max: chance.below(8),
            fails: chance.between(0.0, 0.1),
            returns: chance.between(0.1, 0.9),
        };
        let bounds = tree.each_gpu(|_, host| host.cap_min_w).into_iter().zip(tree.each_gpu(|_, host| host.cap_max_w));
        Self {
            steered: Steered::new(&tree, &allowances, settings, Start::Joined, (trouble, seed)),
            notice: if is_heard { 0 } else { u64::from(settings.lease) },
            bounds: bounds.collect(),
            limits: tree.limits(),
            firm: at_failsafe(&tree, &allowances),
            cut: None,
            load: vec![0.0; tree.gpus()],
            chance,
        }
    }

    /// Loads jump, and now and then a limit is cut, where messages are lost one lease ahead of when that holds, and restored again.
    fn happen(&mut self, now: u64) {
        for load in &mut self.load {
            if self.chance.one_in(4) {
                *load = self.chance.between(0.0, 1_500.0);
            }
        }
        let cut = self.cut.take();
        self.cut = match cut {
            None if self.chance.one_in(5) => {
                let node = self.chance.below(self.limits.len() as u32) as usize;
                let whole = self.limits[node];
                let watts = self.chance.between(self.firm[node] * (1.0 + 1e-9), whole);
                self.steered.controller.set_limit(node as u32, watts);
                let in_force = now + self.notice;
                Some(Cut { node, watts, in_force, over: in_force + 4, worst: f64::INFINITY })
            }
            Some(cut) if now >= cut.over => {
                self.steered.controller.set_limit(cut.node as u32, self.limits[cut.node]);
                None
            }
            other => other,
        };
    }

    /// From when a cut is told, what its node may carry at worst, as the controller counts it, falls or is within the cut.
    fn check_falls(&mut self, seed: u64, told: &Interval) {
        let Some(cut) = &mut self.cut else { return };
        let worst = told.worst_w[cut.node];
        assert!(worst <= cut.watts.max(cut.worst), "run {seed}, interval {}: {worst} W", told.number);
        cut.worst = worst;
    }

    /// Whether every node is within the limit that holds now, every cap within its bounds, and the controller knew no less.
    fn check(&self, seed: u64, now: u64) {
        for (at, worst) in self.steered.worst_w().into_iter().enumerate() {
            let cut = self.cut.as_ref().filter(|cut| cut.node == at && now >= cut.in_force);
            let limit = cut.map_or(self.limits[at], |cut| cut.watts);
            assert!(worst <= limit, "run {seed}, interval {now}: node {at} may carry {worst} W of {limit} W");
        }
        let in_force = self.steered.plant.caps_w();
        let counted = self.steered.controller.counted_w();
        for (gpu, (least, most)) in self.bounds.iter().enumerate() {
            for cap in [in_force[gpu], self.steered.controller.caps_w()[gpu]] {
                assert!((*least..=*most).contains(&cap), "run {seed}, interval {now}: cap {cap} of {least} to {most}");
            }
            assert!(in_force[gpu] <= counted[gpu], "run {seed}, interval {now}: {} W", in_force[gpu]);
        }
    }
}

#[test]
fn never_a_node_above_its_limit_in_ten_thousand_runs() {
    let mut intervals = 0;
    for seed in 0..RUNS {
        let mut run = Run::new(seed);
        for now in 1..=INTERVALS {
            run.happen(now);
            let load = std::mem::take(&mut run.load);
            let told = run.steered.step(&load);
            run.load = load;
            run.check_falls(seed, &told);
            run.check(seed, now);
            intervals += 1;
        }
    }
    assert_eq!(intervals, RUNS * INTERVALS);
}
