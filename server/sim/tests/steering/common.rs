//! What the tests of steering share: random trees, a seeded source of numbers, and a loop of intervals.

use model::part::LossCurve;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use sim::steering::controller::{Controller, Interval, Settings, Start};
use sim::steering::plant::{Plant, Trouble};
use sim::steering::policy::Allowance;
use sim::steering::tree::{Host, Level, Limit, Node, Tree, Unit};

/// Numbers from a seed.
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    pub(crate) fn of(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }
    /// In 0..1.
    pub(crate) fn part(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0 // 2^53
    }
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.part()
    }
    /// In 0..below.
    pub(crate) fn below(&mut self, below: u32) -> u32 {
        (self.part() * f64::from(below)) as u32
    }
    pub(crate) fn one_in(&mut self, many: u32) -> bool {
        self.below(many) == 0
    }
}

/// A tree of one to three levels above hosts, some with losses, some limited in volt-amperes; and what its policies allow. No
/// limit is below what fail-safe caps need; most are below what policies would.
pub(crate) fn any_tree(chance: &mut Chance) -> (Tree, Vec<Allowance>) {
    let loose = |name: String, level, fed_by, chance: &mut Chance| {
        let node = Node::lossless(name, level, Limit::of_watts(1e12), fed_by);
        let share = |chance: &mut Chance, most: f64| chance.between(0.0, most);
        if chance.one_in(2) {
            return node;
        }
        let loss = LossCurve { a: share(chance, 0.01), b: share(chance, 0.02), c: share(chance, 0.03) };
        Node { loss, rated_w: chance.between(2e3, 2e4), ..node }
    };
    let mut nodes = vec![loose("utility".to_owned(), Level::Utility, None, chance)];
    for pdu in 0..=chance.below(2) {
        nodes.push(loose(format!("pdu {pdu}"), Level::FloorPdu, Some(0), chance));
    }
    let pdus = nodes.len() as u32 - 1;
    for rack in 0..=chance.below(3) {
        let fed_by = 1 + chance.below(pdus);
        nodes.push(loose(format!("rack {rack}"), Level::Rack, Some(fed_by), chance));
    }
    let (first_rack, racks) = (1 + pdus, nodes.len() as u32 - 1 - pdus);
    let mut hosts = Vec::new();
    let mut allowances = Vec::new();
    for index in 0..=chance.below(8) {
        let fed_by = first_rack + chance.below(racks);
        let (least, most) = (chance.between(50.0, 400.0), chance.between(400.0, 1_200.0));
        let priority = chance.below(3);
        hosts.push(Host {
            node: nodes.len() as u32,
            group: format!("group {priority}"),
            priority,
            fixed_w: chance.between(0.0, 500.0),
            gpus: chance.below(5),
            cap_min_w: least,
            cap_max_w: most,
        });
        nodes.push(loose(format!("host {index}"), Level::Host, Some(fed_by), chance));
        let policy_w = chance.between(least, most);
        let failsafe_w = if chance.one_in(2) { least } else { chance.between(least, policy_w) };
        let ceiling_w = chance.between(policy_w, most);
        allowances.push(Allowance { policy_w, ceiling_w, failsafe_w });
    }
    let tree = Tree::new(nodes.clone(), hosts.clone()).unwrap();
    let (firm, promised) = (at_failsafe(&tree, &allowances), at_policy(&tree, &allowances));
    for (at, node) in nodes.iter_mut().enumerate() {
        let watts = firm[at] + (promised[at] * 1.2 - firm[at]).max(0.0) * chance.part() + 1.0;
        node.limit = if chance.one_in(2) {
            Limit::of_watts(watts)
        } else {
            Limit { value: watts / 0.9, unit: Unit::VoltAmperes, power_factor: 0.9 }
        };
    }
    (Tree::new(nodes, hosts).unwrap(), allowances)
}

/// What every node carries with all GPUs at their fail-safe caps.
pub(crate) fn at_failsafe(tree: &Tree, allowances: &[Allowance]) -> Vec<f64> {
    tree.carried(&tree.each_gpu(|host, _| allowances[host].failsafe_w)).input_w
}

fn at_policy(tree: &Tree, allowances: &[Allowance]) -> Vec<f64> {
    tree.carried(&tree.each_gpu(|host, _| allowances[host].policy_w)).input_w
}

/// A controller and its hosts.
pub(crate) struct Steered {
    pub(crate) controller: Controller,
    pub(crate) plant: Plant,
    pub(crate) now: u64,
}

impl Steered {
    pub(crate) fn new(
        tree: &Tree,
        allowances: &[Allowance],
        settings: Settings,
        start: Start,
        trouble: (Trouble, u64),
    ) -> Self {
        let failsafe = allowances.iter().map(|allowed| allowed.failsafe_w).collect();
        Self {
            controller: Controller::new(tree.clone(), allowances.to_vec(), settings, start),
            plant: Plant::new(tree.clone(), failsafe, settings.lease, start, trouble),
            now: 0,
        }
    }

    /// One interval under a load; returns what the controller tells.
    pub(crate) fn step(&mut self, load_w: &[f64]) -> Interval {
        self.now += 1;
        let heard = self.plant.heard(self.now);
        let told = self.controller.step(&heard);
        self.plant.take(self.now, self.controller.caps_w());
        self.plant.draw(self.now, load_w);
        told
    }

    /// What may go into each node with the caps that are in force.
    pub(crate) fn worst_w(&self) -> Vec<f64> {
        self.controller.tree().carried(&self.plant.caps_w()).input_w
    }
}
