//! The power tree that policies are checked against and that steering stays within: from the utility down to hosts with GPUs.
//!
//! A node's power is what goes into it: what it feeds, and its own loss. Its limit is held against that, which is never less
//! than what comes out, so a rating of outputs is kept as well.

use crate::power::group_loss_w;
use model::part::LossCurve;
use serde::{Deserialize, Serialize};

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The utility's connection.
    Utility,
    /// A switchboard.
    Switchboard,
    /// A group of a design's power tree.
    Group,
    /// A power distribution unit of a floor.
    FloorPdu,
    /// A rack.
    Rack,
    /// A host with GPUs.
    Host,
}

impl Level {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utility => "utility",
            Self::Switchboard => "switchboard",
            Self::Group => "power group",
            Self::FloorPdu => "floor PDU",
            Self::Rack => "rack",
            Self::Host => "host",
        }
    }
}

/// The unit that a limit is given in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Watts of real power: the power factor takes nothing off.
    Watts,
    /// Volt-amperes: times the power factor, watts.
    VoltAmperes,
}

/// The most that may go into a node.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: Unit,
    /// Real over apparent power of what the node carries, 0 to 1.
    pub power_factor: f64,
}

impl Limit {
    /// In watts, of a load whose power factor is one.
    pub fn of_watts(watts: f64) -> Self {
        Self { value: watts, unit: Unit::Watts, power_factor: 1.0 }
    }

    /// Watts of real power that it allows.
    pub fn watts(&self) -> f64 {
        match self.unit {
            Unit::Watts => self.value,
            Unit::VoltAmperes => self.value * self.power_factor,
        }
    }
}

/// One node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its name, of which there is one in a tree.
    pub name: String,
    /// What it is.
    pub level: Level,
    /// The most that may go into it.
    pub limit: Limit,
    /// What its losses are shares of, watts; 0 where it has none.
    pub rated_w: f64,
    /// Its losses; all 0 for none.
    pub loss: LossCurve,
    /// Index of the node that feeds it, which stands before it; none for what is fed from outside.
    pub fed_by: Option<u32>,
}

impl Node {
    /// Without losses.
    pub fn lossless(name: String, level: Level, limit: Limit, fed_by: Option<u32>) -> Self {
        Self { name, level, limit, rated_w: 0.0, loss: LossCurve::default(), fed_by }
    }

    /// Watts that go in when `output_w` come out.
    pub fn input_w(&self, output_w: f64) -> f64 {
        output_w + group_loss_w(&self.loss, self.rated_w, output_w)
    }

    /// Watts that may come out so that no more than `limit_w` go in: the root of [`input_w`](Self::input_w) = limit. Less
    /// than 0 where losses without load are more than the limit.
    pub fn output_at(&self, limit_w: f64) -> f64 {
        if self.rated_w <= 0.0 {
            return limit_w;
        }
        // c·x² + (1 + b)·x = q, in shares of rating; this form of the root is sound for c = 0.
        let q = limit_w / self.rated_w - self.loss.a;
        let line = 1.0 + self.loss.b;
        let root = libm::sqrt(f64::max(line * line + 4.0 * self.loss.c * q, 0.0));
        self.rated_w * 2.0 * q / (line + root)
    }
}

/// GPUs of one host, all alike, and what stands beside them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// Index of its node, which is of [`Level::Host`] and feeds nothing else.
    pub node: u32,
    /// The group that it belongs to: a job.
    pub group: String,
    /// Lower is more important.
    pub priority: u32,
    /// Watts of everything but GPUs at its most.
    pub fixed_w: f64,
    /// GPUs.
    pub gpus: u32,
    /// Lowest cap that each accepts, watts.
    pub cap_min_w: f64,
    /// Highest.
    pub cap_max_w: f64,
}

/// A tree whose every index points somewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    nodes: Vec<Node>,
    hosts: Vec<Host>,
    /// Where each host's GPUs begin among all, and where the last one's end.
    first_gpu: Vec<usize>,
}

/// Why a tree makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A node is fed by one that does not stand before it.
    #[error("node {name} is fed by none that stands before it")]
    Order {
        /// Its name.
        name: String,
    },
    /// A number that is none, or less than it can be.
    #[error("node {name} has a limit, rating, loss or cap that makes no sense")]
    Number {
        /// Its name.
        name: String,
    },
    /// A host without a node of its own.
    #[error("host {index} has no node of its own that feeds nothing else")]
    Host {
        /// Its index.
        index: u32,
    },
}

impl Tree {
    /// Of nodes, feeding ones first, and the hosts at its ends.
    ///
    /// # Errors
    /// With what makes no sense.
    pub fn new(nodes: Vec<Node>, hosts: Vec<Host>) -> Result<Self, Problem> {
        for (index, node) in nodes.iter().enumerate() {
            if node.fed_by.is_some_and(|parent| parent as usize >= index) {
                return Err(Problem::Order { name: node.name.clone() });
            }
            // Losses that grow with load are what makes the worst case the one with every GPU at its cap.
            let LossCurve { a, b, c } = node.loss;
            let numbers = [node.limit.value, node.rated_w, a, b, c];
            let factor = node.limit.power_factor > 0.0 && node.limit.power_factor <= 1.0;
            if !factor || numbers.iter().any(|x| !(x.is_finite() && *x >= 0.0)) {
                return Err(Problem::Number { name: node.name.clone() });
            }
        }
        let mut feeds = vec![0_u32; nodes.len()];
        for parent in nodes.iter().filter_map(|node| node.fed_by) {
            feeds[parent as usize] += 1;
        }
        let mut first_gpu = vec![0];
        for (index, host) in hosts.iter().enumerate() {
            let at = host.node as usize;
            if nodes.get(at).is_none_or(|node| node.level != Level::Host) || feeds[at] > 0 {
                return Err(Problem::Host { index: index as u32 });
            }
            feeds[at] = 1;
            let caps = 0.0 <= host.cap_min_w && host.cap_min_w <= host.cap_max_w && host.cap_max_w.is_finite();
            let fixed = host.fixed_w.is_finite() && host.fixed_w >= 0.0;
            if !(caps && fixed) {
                return Err(Problem::Number { name: nodes[at].name.clone() });
            }
            first_gpu.push(first_gpu[index] + host.gpus as usize);
        }
        Ok(Self { nodes, hosts, first_gpu })
    }

    /// Its nodes, feeding ones first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Its hosts.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// GPUs of all hosts.
    pub fn gpus(&self) -> usize {
        self.first_gpu[self.hosts.len()]
    }

    /// Which of all GPUs are a host's.
    pub fn gpus_of(&self, host: usize) -> std::ops::Range<usize> {
        self.first_gpu[host]..self.first_gpu[host + 1]
    }

    /// A host's name: its node's.
    pub fn host_name(&self, host: usize) -> &str {
        &self.nodes[self.hosts[host].node as usize].name
    }

    /// The node's limits, watts.
    pub fn limits(&self) -> Vec<f64> {
        self.nodes.iter().map(|node| node.limit.watts()).collect()
    }

    /// A figure of each GPU from one of each host.
    pub fn each_gpu(&self, of_host: impl Fn(usize, &Host) -> f64) -> Vec<f64> {
        let mut values = vec![0.0; self.gpus()];
        for (index, host) in self.hosts.iter().enumerate() {
            values[self.gpus_of(index)].fill(of_host(index, host));
        }
        values
    }

    /// What comes out of and goes into every node when each GPU draws so many watts and each host its fixed draw.
    pub fn carry(&self, gpu_w: &[f64], flow: &mut Flow) {
        flow.output_w.clear();
        flow.output_w.resize(self.nodes.len(), 0.0);
        flow.input_w.resize(self.nodes.len(), 0.0);
        for (index, host) in self.hosts.iter().enumerate() {
            let gpus: f64 = gpu_w[self.gpus_of(index)].iter().sum();
            flow.output_w[host.node as usize] = host.fixed_w + gpus;
        }
        for (at, node) in self.nodes.iter().enumerate().rev() {
            let input = node.input_w(flow.output_w[at]);
            flow.input_w[at] = input;
            if let Some(parent) = node.fed_by {
                flow.output_w[parent as usize] += input;
            }
        }
    }

    /// The same, made anew.
    pub fn carried(&self, gpu_w: &[f64]) -> Flow {
        let mut flow = Flow::default();
        self.carry(gpu_w, &mut flow);
        flow
    }

    /// The node that is over its limit by most, and by how many watts.
    pub fn most_over(&self, flow: &Flow, limits_w: &[f64]) -> Option<(usize, f64)> {
        let over = flow.input_w.iter().zip(limits_w).map(|(input, limit)| input - limit).enumerate();
        // Of several alike, the one nearest to the hosts.
        over.filter(|(at, by)| *by > ROUNDING * limits_w[*at]).max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// Share of a limit by which sums of many watts may be off: far above what adding in double precision loses, far below
/// what any meter tells. Judged.
pub(super) const ROUNDING: f64 = 1e-9;

/// What every node carries, watts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Flow {
    /// What comes out of it.
    pub output_w: Vec<f64>,
    /// What goes into it.
    pub input_w: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn law_input_and_output_invert(
            rated in 0.0..1e6_f64, a in 0.0..0.02_f64, b in 0.0..0.03_f64, c in 0.0..0.03_f64, share in 0.0..1.2_f64,
        ) {
            let loss = LossCurve { a, b, c };
            let node = Node::lossless("pdu".to_owned(), Level::FloorPdu, Limit::of_watts(1.0), None);
            let node = Node { rated_w: rated, loss, ..node };
            let output = share * 1e6;
            prop_assert!((node.output_at(node.input_w(output)) - output).abs() < 1e-6);
        }
    }

    #[test]
    fn volt_amperes_count_by_the_power_factor() {
        let limit = Limit { value: 1_150_000.0, unit: Unit::VoltAmperes, power_factor: 0.9 };
        assert!((limit.watts() - 1_035_000.0).abs() < 1e-6);
        assert!((Limit { unit: Unit::Watts, ..limit }.watts() - 1_150_000.0).abs() < 1e-9);
    }
}
