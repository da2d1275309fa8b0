//! The controller: one interval after another it hears what hosts say and orders their GPUs' caps.

use super::fill::Fill;
use super::policy::Allowance;
use super::tree::{Flow, ROUNDING, Tree};
use std::collections::VecDeque;

/// How the controller behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Intervals that an order holds: a host that has heard none for so long falls to its fail-safe cap by itself.
    pub lease: u32,
    /// Intervals that a reading may be old to count as fresh; 0 is of the interval before.
    pub fresh: u32,
    /// What an under-user keeps above its draw, as a share of it.
    pub margin: f64,
    /// Share of its cap from which a GPU is taken to be held back by it.
    pub held_back: f64,
}

impl Default for Settings {
    /// Judged: five intervals, so that a lease outlasts a few lost messages; readings of one interval earlier still count;
    /// a tenth above its draw for an under-user, and a cap that is reached within 5%, what NVML's power readings are
    /// specified to (± 5%).
    fn default() -> Self {
        Self { lease: 5, fresh: 1, margin: 0.10, held_back: 0.95 }
    }
}

/// What the hosts' caps are when the controller starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Hosts have joined, and joining sets their lowest cap.
    Joined,
    /// Nobody knows: up to the highest cap.
    Unknown,
}

/// What a host says of one interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Which host.
    pub host: u32,
    /// The interval that it is of.
    pub interval: u64,
    /// The order in force then, by its interval; 0 for the host's lowest caps, which it has until it is told otherwise.
    pub order: u64,
    /// The most that each GPU drew, watts, by the board's own averaging.
    pub gpu_w: Vec<f64>,
}

/// A host has taken an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// Which host.
    pub host: u32,
    /// The order, by its interval.
    pub order: u64,
}

/// What was heard since the last interval.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Heard<'a> {
    /// Readings, of any interval, in any order.
    pub readings: &'a [Reading],
    /// Orders taken, alike.
    pub acks: &'a [Ack],
}

/// A node that can't be kept within its limit by caps alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Short {
    /// Its index.
    pub node: u32,
    /// Watts over its limit with every GPU below it as low as it can be held: hosts must be put out.
    pub by_w: f64,
}

/// What an interval did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Interval {
    /// Its number, from 1.
    pub number: u64,
    /// What may go into each node at worst, watts: every GPU at the highest cap that it may have.
    pub worst_w: Vec<f64>,
    /// What goes into it by the readings; a GPU without a fresh one is counted at the highest cap that it may have.
    pub drawn_w: Vec<f64>,
    /// Watts taken from GPUs that had more, over all.
    pub lowered_w: f64,
    /// Watts given.
    pub raised_w: f64,
    /// GPUs that get less than they are promised and would use.
    pub held_back: u32,
    /// Hosts at their fail-safe caps, as nothing was heard of them.
    pub silent: u32,
    /// Nodes that caps alone can't keep within their limits.
    pub short: Vec<Short>,
}

/// What is known of a host.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// The newest order that it has said to have taken.
    acked: u64,
    /// The newest interval that a reading is of; 0 for none.
    read: u64,
    /// The order that was in force then.
    read_order: u64,
}

/// The controller of one tree.
#[derive(Debug, Clone)]
pub struct Controller {
    tree: Tree,
    allowances: Vec<Allowance>,
    settings: Settings,
    limits_w: Vec<f64>,
    /// The interval that was last.
    now: u64,
    known: Vec<Known>,
    /// Draw of each GPU by its newest reading.
    gpu_w: Vec<f64>,
    /// Orders whose lease is not over, newest last, with the interval that each was sent in.
    sent: VecDeque<(u64, Vec<f64>)>,
    /// Of how many priorities there are hosts.
    tiers: u32,
    /// Where each GPU's priority stands among them, the most important first.
    tier_of: Vec<u32>,
    /// The highest cap that each GPU may have.
    counted_w: Vec<f64>,
    fill: Fill,
    flow: Flow,
}

impl Controller {
    /// Of a tree whose policies were activated.
    pub fn new(tree: Tree, allowances: Vec<Allowance>, settings: Settings, start: Start) -> Self {
        let first = tree.each_gpu(|_, host| match start {
            Start::Joined => host.cap_min_w,
            Start::Unknown => host.cap_max_w,
        });
        let mut priorities: Vec<u32> = tree.hosts().iter().map(|host| host.priority).collect();
        priorities.sort_unstable();
        priorities.dedup();
        let tier = |priority: u32| priorities.partition_point(|other| *other < priority);
        let mut tier_of = vec![0; tree.gpus()];
        for (index, host) in tree.hosts().iter().enumerate() {
            tier_of[tree.gpus_of(index)].fill(tier(host.priority) as u32);
        }
        Self {
            limits_w: tree.limits(),
            now: 0,
            known: vec![Known { acked: 0, read: 0, read_order: 0 }; tree.hosts().len()],
            gpu_w: vec![0.0; tree.gpus()],
            counted_w: first.clone(),
            sent: VecDeque::from([(0, first)]),
            fill: Fill::default(),
            flow: Flow::default(),
            tiers: priorities.len() as u32,
            tier_of,
            tree,
            allowances,
            settings,
        }
    }

    /// The tree.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Limits of its nodes that hold now, watts.
    pub fn limits_w(&self) -> &[f64] {
        &self.limits_w
    }

    /// Sets a node's limit from the next interval on: a grid event, or its end.
    pub fn set_limit(&mut self, node: u32, watts: f64) {
        self.limits_w[node as usize] = watts;
    }

    /// Caps of the newest order, watts, of each GPU.
    pub fn caps_w(&self) -> &[f64] {
        self.sent.back().map_or(&[], |(_, caps)| caps)
    }

    /// The highest cap that each GPU may have, watts.
    pub fn counted_w(&self) -> &[f64] {
        &self.counted_w
    }

    /// One interval: hears, decides, and leaves its order in [`caps_w`](Self::caps_w). Every host is sent its part in every
    /// interval, which holds for [`Settings::lease`] of them.
    pub fn step(&mut self, heard: &Heard<'_>) -> Interval {
        self.now += 1;
        self.hear(heard);
        self.forget();
        self.count();
        let want = self.wanted();
        let base = self.floor();
        let target = self.target(&base, &want);
        let order = self.order(&target);
        let mut told = self.moved(&want, &order);
        self.tree.carry(&base, &mut self.flow);
        let short = self.flow.input_w.iter().zip(&self.limits_w).enumerate();
        let short = short.filter(|(_, (input, limit))| **input > **limit * (1.0 + ROUNDING));
        told.short = short.map(|(at, (input, limit))| Short { node: at as u32, by_w: input - limit }).collect();
        self.send(order);
        told.worst_w.clone_from(&self.flow.input_w);
        told.drawn_w = self.drawn();
        told
    }

    fn hear(&mut self, heard: &Heard<'_>) {
        let hosts = self.known.len();
        for ack in heard.acks.iter().filter(|ack| (ack.host as usize) < hosts) {
            self.take_ack(ack.host as usize, ack.order);
        }
        for reading in heard.readings.iter().filter(|reading| (reading.host as usize) < hosts) {
            let host = reading.host as usize;
            let gpus = self.tree.gpus_of(host);
            let good = reading.gpu_w.len() == gpus.len() && reading.gpu_w.iter().all(|w| w.is_finite() && *w >= 0.0);
            // What is from the future, or of an order that was not sent by then, is no reading.
            if !good || reading.interval >= self.now || reading.order > reading.interval {
                continue;
            }
            self.take_ack(host, reading.order);
            let known = &mut self.known[host];
            if reading.interval > known.read {
                (known.read, known.read_order) = (reading.interval, reading.order);
                self.gpu_w[gpus].copy_from_slice(&reading.gpu_w);
            }
        }
    }

    /// A host that has taken an order has none older than it any more.
    fn take_ack(&mut self, host: usize, order: u64) {
        if order < self.now {
            self.known[host].acked = self.known[host].acked.max(order);
        }
    }

    /// Takes out orders whose lease is over. Who still has one is at its fail-safe cap at most, and has been ordered no less
    /// since ([`floor`](Self::floor)): what is counted covers it.
    fn forget(&mut self) {
        let lease = u64::from(self.settings.lease.max(1));
        // The newest is kept: what is decided now is a change to it.
        while self.sent.len() > 1 && self.sent.front().is_some_and(|(number, _)| number + lease <= self.now) {
            self.sent.pop_front();
        }
    }

    /// The highest cap that each GPU may have: of all orders that hold, since the one that its host has said to have taken. A
    /// host that starts anew begins at its lowest.
    fn count(&mut self) {
        for (index, (host, known)) in self.tree.hosts().iter().zip(&self.known).enumerate() {
            let gpus = self.tree.gpus_of(index);
            self.counted_w[gpus.clone()].fill(host.cap_min_w);
            for (_, caps) in self.sent.iter().filter(|(number, _)| *number >= known.acked) {
                for gpu in gpus.clone() {
                    self.counted_w[gpu] = self.counted_w[gpu].max(caps[gpu]);
                }
            }
        }
    }

    /// Whether a host's newest reading is fresh.
    fn is_fresh(&self, host: usize) -> bool {
        let read = self.known[host].read;
        read > 0 && read + 1 + u64::from(self.settings.fresh) >= self.now
    }

    /// Whether nothing was heard of a host for so long that it is held at its fail-safe cap.
    fn is_silent(&self, host: usize) -> bool {
        self.known[host].read + u64::from(self.settings.lease.max(1)) < self.now
    }

    /// What each GPU would use, watts: an under-user what it drew and a margin, one that is held back by its cap up to its
    /// ceiling; without a fresh reading what it has, after long silence its fail-safe cap.
    fn wanted(&self) -> Vec<f64> {
        let mut want = self.caps_w().to_vec();
        for (index, (host, known)) in self.tree.hosts().iter().zip(&self.known).enumerate() {
            let gpus = self.tree.gpus_of(index);
            let allowed = &self.allowances[index];
            if self.is_silent(index) {
                want[gpus].iter_mut().for_each(|want| *want = want.min(allowed.failsafe_w));
                continue;
            }
            if !self.is_fresh(index) {
                continue;
            }
            let order = self.sent.iter().find(|(number, _)| *number == known.read_order && *number > 0);
            for gpu in gpus {
                let cap = order.map_or(host.cap_min_w, |(_, caps)| caps[gpu]);
                let drawn = self.gpu_w[gpu];
                want[gpu] = if drawn >= self.settings.held_back * cap {
                    allowed.ceiling_w
                } else {
                    (drawn * (1.0 + self.settings.margin)).clamp(host.cap_min_w, allowed.ceiling_w)
                };
            }
        }
        want
    }

    /// Below which no cap is planned: the device's lowest, and the fail-safe cap of a host that may have more than that, as
    /// there it would stay if it heard nothing more.
    fn floor(&self) -> Vec<f64> {
        let mut base = self.tree.each_gpu(|_, host| host.cap_min_w);
        for (host, allowed) in self.allowances.iter().enumerate() {
            for gpu in self.tree.gpus_of(host) {
                base[gpu] = base[gpu].max(self.counted_w[gpu].min(allowed.failsafe_w));
            }
        }
        base
    }

    /// Caps that the limits allow once every host has taken its own, from the floor up: what is promised and would be used;
    /// then what is lent above it; then what is promised and not used, for whose load may rise. Each whole where it fits,
    /// else by priority.
    fn target(&mut self, base: &[f64], want: &[f64]) -> Vec<f64> {
        let mut caps = base.to_vec();
        let top = self.tops(base);
        let policy = self.tree.each_gpu(|host, _| self.allowances[host].policy_w);
        let least = |lists: [&[f64]; 3]| -> Vec<f64> {
            let [a, b, c] = lists;
            a.iter().zip(b).zip(c).map(|((a, b), c)| a.min(*b).min(*c)).collect()
        };
        for to in [least([want, &policy, &top]), least([want, &top, &top]), least([&policy, &top, &top])] {
            self.raise_by_priority(&mut caps, &to);
        }
        caps
    }

    /// The most that each GPU may be ordered: a host without a fresh reading is not raised.
    fn tops(&self, base: &[f64]) -> Vec<f64> {
        let mut top = self.caps_w().to_vec();
        for (host, allowed) in self.allowances.iter().enumerate() {
            let gpus = self.tree.gpus_of(host);
            if self.is_silent(host) {
                top[gpus].iter_mut().for_each(|top| *top = top.min(allowed.failsafe_w));
            } else if self.is_fresh(host) {
                top[gpus].fill(allowed.ceiling_w);
            }
        }
        top.iter_mut().zip(base).for_each(|(top, base)| *top = top.max(*base));
        top
    }

    /// Raises caps towards `to`: all at once where that fits, else the most important first, equals in proportion.
    fn raise_by_priority(&mut self, caps: &mut Vec<f64>, to: &[f64]) {
        if self.tiers <= 1 {
            self.fill.raise(&self.tree, &self.limits_w, caps, to);
            return;
        }
        let mut whole = caps.clone();
        if self.fill.raise(&self.tree, &self.limits_w, &mut whole, to) {
            *caps = whole;
            return;
        }
        let mut of_tier = vec![0.0; to.len()];
        for tier in 0..self.tiers {
            for (gpu, of) in of_tier.iter_mut().enumerate() {
                *of = if self.tier_of[gpu] == tier { to[gpu] } else { 0.0 };
            }
            self.fill.raise(&self.tree, &self.limits_w, caps, &of_tier);
        }
    }

    /// This interval's order. Lower caps are ordered at once; higher ones as far as the limits allow with every GPU counted
    /// at the highest cap that it may have, so what pays for a raise is what hosts have said to have given up. Below a node
    /// that is counted over its limit nothing is raised: within a lease, its orders can only fall to what fits.
    fn order(&mut self, target: &[f64]) -> Vec<f64> {
        let held = self.below_overrun();
        let mut paid = self.counted_w.clone();
        let mut rising = vec![0.0; target.len()];
        for (host, _) in held.iter().enumerate().filter(|(_, held)| !**held) {
            let gpus = self.tree.gpus_of(host);
            rising[gpus.clone()].copy_from_slice(&target[gpus]);
        }
        let promised = self.tree.each_gpu(|host, _| self.allowances[host].policy_w);
        // First to whom it was taken from: up to what is promised.
        let back: Vec<f64> = rising.iter().zip(&promised).map(|(to, promised)| to.min(*promised)).collect();
        self.raise_by_priority(&mut paid, &back);
        self.raise_by_priority(&mut paid, &rising);
        let mut order: Vec<f64> = target.iter().zip(&paid).map(|(target, paid)| target.min(*paid)).collect();
        for (host, _) in held.iter().enumerate().filter(|(_, held)| **held) {
            for gpu in self.tree.gpus_of(host) {
                order[gpu] = order[gpu].min(self.caps_w()[gpu]);
            }
        }
        order
    }

    /// Hosts below a node that would be over its limit were every GPU at the highest cap that it may have.
    fn below_overrun(&mut self) -> Vec<bool> {
        self.tree.carry(&self.counted_w, &mut self.flow);
        let mut over: Vec<bool> = Vec::with_capacity(self.limits_w.len());
        for (at, node) in self.tree.nodes().iter().enumerate() {
            let above = node.fed_by.is_some_and(|parent| over[parent as usize]);
            over.push(above || self.flow.input_w[at] > self.limits_w[at] * (1.0 + ROUNDING));
        }
        self.tree.hosts().iter().map(|host| over[host.node as usize]).collect()
    }

    /// Verifies an order against the tree and sends it. It must leave no node that was within its limit above it, and add
    /// nothing to one that was not.
    fn send(&mut self, order: Vec<f64>) {
        self.tree.carry(&self.counted_w, &mut self.flow);
        let before = self.flow.input_w.clone();
        for (counted, cap) in self.counted_w.iter_mut().zip(&order) {
            *counted = counted.max(*cap);
        }
        self.tree.carry(&self.counted_w, &mut self.flow);
        for (at, node) in self.tree.nodes().iter().enumerate() {
            let (after, most) = (self.flow.input_w[at], f64::max(self.limits_w[at], before[at] * (1.0 + ROUNDING)));
            assert!(after <= most, "{} may carry {after} W of {most} W in interval {}", node.name, self.now);
        }
        self.sent.push_back((self.now, order));
    }

    fn moved(&self, want: &[f64], order: &[f64]) -> Interval {
        let mut told = Interval { number: self.now, ..Interval::default() };
        let before = self.caps_w();
        for (host, allowed) in self.allowances.iter().enumerate() {
            told.silent += u32::from(self.is_silent(host));
            for gpu in self.tree.gpus_of(host) {
                told.raised_w += f64::max(order[gpu] - before[gpu], 0.0);
                told.lowered_w += f64::max(before[gpu] - order[gpu], 0.0);
                // Half a watt is less than any board sets.
                told.held_back += u32::from(order[gpu] < want[gpu].min(allowed.policy_w) - 0.5);
            }
        }
        told
    }

    fn drawn(&mut self) -> Vec<f64> {
        let mut watts = self.counted_w.clone();
        for host in (0..self.known.len()).filter(|host| self.is_fresh(*host)) {
            let gpus = self.tree.gpus_of(host);
            watts[gpus.clone()].copy_from_slice(&self.gpu_w[gpus]);
        }
        self.tree.carry(&watts, &mut self.flow);
        self.flow.input_w.clone()
    }
}
