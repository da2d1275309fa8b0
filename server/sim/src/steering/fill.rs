//! Watts shared out over a tree: each GPU gets its part in proportion to what it needs, and no node more than its limit.
//!
//! From the ends up, each node tells how much more could come out of it: what those below it need, or what its limit
//! leaves. From the top down, what a node gets is shared in proportion to what those below it told. A node's input is convex
//! in its output, so a part t of the output that it told raises its input by at most a part t of the input that goes with
//! it: shares are never more than what was granted, losses included, without solving for them.

use super::tree::{Flow, ROUNDING, Tree};

/// Room for sharing, kept between intervals.
#[derive(Debug, Clone, Default)]
pub(super) struct Fill {
    flow: Flow,
    /// More output that each node could give, watts.
    more_w: Vec<f64>,
    /// What that would raise its input by.
    rise_w: Vec<f64>,
    /// What those below it would take.
    asked_w: Vec<f64>,
    /// Of its output, granted.
    given_w: Vec<f64>,
}

/// Passes over one need. A pass leaves what the chord of a loss curve lies above it: about 1% of the rise for losses of some
/// percent, so three leave less than a watt in a megawatt.
const PASSES: u32 = 3;

impl Fill {
    /// Raises `caps` towards `to`, all needs alike, as far as the limits allow; returns whether all of it was given.
    pub(super) fn raise(&mut self, tree: &Tree, limits_w: &[f64], caps: &mut [f64], to: &[f64]) -> bool {
        for _ in 0..PASSES {
            let open = self.pass(tree, limits_w, caps, to);
            if open <= 1e-6 {
                return true;
            }
        }
        false
    }

    /// One pass; returns the watts that are still needed after it.
    fn pass(&mut self, tree: &Tree, limits_w: &[f64], caps: &mut [f64], to: &[f64]) -> f64 {
        tree.carry(caps, &mut self.flow);
        let nodes = tree.nodes();
        for list in [&mut self.more_w, &mut self.rise_w, &mut self.asked_w, &mut self.given_w] {
            list.clear();
            list.resize(nodes.len(), 0.0);
        }
        for (index, host) in tree.hosts().iter().enumerate() {
            let gpus = tree.gpus_of(index);
            let need: f64 = caps[gpus.clone()].iter().zip(&to[gpus]).map(|(cap, to)| f64::max(to - cap, 0.0)).sum();
            self.asked_w[host.node as usize] = need;
        }
        let asked: f64 = self.asked_w.iter().sum();
        if asked <= 0.0 {
            return 0.0;
        }
        for (at, node) in nodes.iter().enumerate().rev() {
            let output = self.flow.output_w[at];
            let room = node.output_at(limits_w[at] * (1.0 - ROUNDING)) - output;
            let more = self.asked_w[at].min(room).max(0.0);
            self.more_w[at] = more;
            self.rise_w[at] = node.input_w(output + more) - self.flow.input_w[at];
            if let Some(parent) = node.fed_by {
                self.asked_w[parent as usize] += self.rise_w[at];
            }
        }
        for (at, node) in nodes.iter().enumerate() {
            let part =
                node.fed_by.map_or(1.0, |parent| share(self.given_w[parent as usize], self.asked_w[parent as usize]));
            self.given_w[at] = self.more_w[at] * part;
        }
        let mut given = 0.0;
        for (index, host) in tree.hosts().iter().enumerate() {
            let at = host.node as usize;
            let part = share(self.given_w[at], self.asked_w[at]);
            given += self.given_w[at];
            let gpus = tree.gpus_of(index);
            for (cap, to) in caps[gpus.clone()].iter_mut().zip(&to[gpus]) {
                if *to > *cap {
                    // All of it is set and not added, so that a cap given back whole is the same number again.
                    *cap = if part >= 1.0 { *to } else { *cap + (to - *cap) * part };
                }
            }
        }
        asked - given
    }
}

fn share(part: f64, all: f64) -> f64 {
    if part >= all { 1.0 } else { part / all }
}
