//! Policies: what each host may draw at most, by who set it nearest; and whether a tree can carry them.

use super::tree::{Flow, Host, Tree};
use super::work::Work;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a policy allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bundle {
    /// Every GPU up to its highest cap.
    FullPower,
    /// Every GPU at the cap with which its job makes most tokens for a joule of its host.
    Efficient,
    /// Every GPU is promised so many watts, or what its job sustains; steering lends it what others leave.
    Sustained {
        /// Of each GPU, watts.
        target: Target,
    },
    /// A host at most so many watts, its fixed draw included, shared by its GPUs.
    HostLimit {
        /// The policy's name.
        name: String,
        /// Of the host, watts.
        watts: f64,
    },
}

/// What a sustained policy promises each GPU.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// Its job's mean power at full work.
    OfJob,
    /// So many watts.
    Watts(f64),
}

impl Bundle {
    /// Its name in reports.
    pub fn name(&self) -> &str {
        match self {
            Self::FullPower => "full power",
            Self::Efficient => "efficiency target",
            Self::Sustained { .. } => "sustained target",
            Self::HostLimit { name, .. } => name,
        }
    }
}

/// Policies of a tree: the nearest to a host wins, from its own node up through those that feed it, then its group's, then
/// the topology's.
#[derive(Debug, Clone, PartialEq)]
pub struct Policies {
    /// Of every host that nothing nearer is set for.
    pub topology: Bundle,
    /// By group.
    pub groups: BTreeMap<String, Bundle>,
    /// By index of a node.
    pub entities: BTreeMap<u32, Bundle>,
}

impl Policies {
    /// One for all.
    pub fn all(topology: Bundle) -> Self {
        Self { topology, groups: BTreeMap::new(), entities: BTreeMap::new() }
    }

    /// The policy of a host.
    pub fn of(&self, tree: &Tree, host: &Host) -> &Bundle {
        let mut at = Some(host.node);
        while let Some(node) = at {
            if let Some(found) = self.entities.get(&node) {
                return found;
            }
            at = tree.nodes()[node as usize].fed_by;
        }
        self.groups.get(&host.group).unwrap_or(&self.topology)
    }
}

/// What each GPU of a host is allowed, watts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Allowance {
    /// What it is promised while limits allow: what activation counts.
    pub policy_w: f64,
    /// The most that steering may lend it.
    pub ceiling_w: f64,
    /// What it falls back to when nothing is heard of its host.
    pub failsafe_w: f64,
}

/// What the policies allow, host by host, and what every node would carry then.
#[derive(Debug, Clone, PartialEq)]
pub struct Provisioned {
    /// Of each host.
    pub allowances: Vec<Allowance>,
    /// At every node, each GPU at what it is promised.
    pub flow: Flow,
}

/// Why policies can't be activated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// A host's policy is below what its GPUs accept.
    #[error("{host}: {policy:?} allows each GPU {} W, and none accepts a cap under {} W", whole(*allowed_w), whole(*least_w))]
    BelowDevice {
        /// The host.
        host: String,
        /// The policy.
        policy: String,
        /// What it leaves a GPU.
        allowed_w: f64,
        /// What a GPU accepts.
        least_w: f64,
    },
    /// A node would carry more than its limit.
    #[error(
        "{node} ({level}) would be provisioned {} W of {} W: {} W too many{mixes}", whole(*provisioned_w), whole(*limit_w), whole(*over_w)
    )]
    Over {
        /// The node that is over by most.
        node: String,
        /// What it is.
        level: &'static str,
        /// What the policies would let into it, losses included.
        provisioned_w: f64,
        /// Its limit, with its power factor.
        limit_w: f64,
        /// The difference.
        over_w: f64,
        /// What would fit, the largest first.
        mixes: Box<Mixes>,
    },
}

/// A whole number with its thousands apart.
fn whole(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::with_capacity(digits.len() + 4);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What would fit in place of policies that do not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mixes {
    /// Most hosts at the highest policy, the others at the next as far as that goes, and so on.
    pub most_high: Mix,
    /// Most hosts at the highest policy while every other one has the next lower one; none where even that is too much.
    pub next_lower: Option<Mix>,
}

/// How many hosts are at each policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mix {
    /// Policies and hosts, the highest first.
    pub hosts: Vec<(String, u32)>,
    /// What the most loaded root would carry, watts.
    pub provisioned_w: f64,
}

impl std::fmt::Display for Mix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let some = self.hosts.iter().filter(|(_, hosts)| *hosts > 0).map(|(name, hosts)| format!("{hosts} at {name}"));
        write!(f, "{} ({} W)", some.collect::<Vec<_>>().join(", "), whole(self.provisioned_w))
    }
}

impl std::fmt::Display for Mixes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.most_high.hosts.iter().all(|(_, hosts)| *hosts == 0) {
            return Ok(());
        }
        write!(f, "; at most {} fit", self.most_high)?;
        self.next_lower.as_ref().map_or(Ok(()), |mix| write!(f, ", or {mix}"))
    }
}

/// What each host's GPUs are allowed.
///
/// `work` tells the work of a group; where it has none, an efficiency target and what a job sustains are the highest cap,
/// as nothing is known that would justify less.
///
/// # Errors
/// Where a policy is below what a GPU accepts.
pub fn allowances<'w>(
    tree: &Tree,
    policies: &Policies,
    work: impl Fn(&str) -> Option<&'w Work>,
) -> Result<Vec<Allowance>, Refusal> {
    let of_host = |(index, host): (usize, &Host)| {
        let policy = policies.of(tree, host);
        let (least, most) = (host.cap_min_w, host.cap_max_w);
        let work = work(&host.group);
        let beside = host.fixed_w / f64::from(host.gpus.max(1));
        let (promised, ceiling) = match policy {
            Bundle::FullPower => (most, most),
            Bundle::Efficient => {
                let cap = work.map_or(most, |work| work.efficient_cap_w((least, most), beside));
                (cap, cap)
            }
            Bundle::Sustained { target } => {
                let target = match target {
                    Target::OfJob => work.map_or(most, Work::sustained_w),
                    Target::Watts(watts) => *watts,
                };
                (target.max(least), most)
            }
            Bundle::HostLimit { watts, .. } => {
                let each = (watts - host.fixed_w) / f64::from(host.gpus.max(1));
                (each, each)
            }
        };
        // A host without GPUs has nothing to be held to.
        if host.gpus > 0 && promised < least * (1.0 - 1e-12) {
            let (host, policy) = (tree.host_name(index).to_owned(), policy.name().to_owned());
            return Err(Refusal::BelowDevice { host, policy, allowed_w: promised, least_w: least });
        }
        let within = |cap: f64| cap.clamp(least, most);
        Ok(Allowance { policy_w: within(promised), ceiling_w: within(ceiling), failsafe_w: least })
    };
    tree.hosts().iter().enumerate().map(of_host).collect()
}

/// Activates policies: every node's provisioned power, losses included, must be within its limit.
///
/// # Errors
/// With the node that is over by most, by how much, and what would fit of `ladder`, whose policies go from the highest to
/// the lowest.
pub fn activate<'w>(
    tree: &Tree,
    policies: &Policies,
    ladder: &[Bundle],
    work: impl Fn(&str) -> Option<&'w Work> + Copy,
) -> Result<Provisioned, Refusal> {
    let allowances = allowances(tree, policies, work)?;
    let flow = tree.carried(&tree.each_gpu(|host, _| allowances[host].policy_w));
    let limits = tree.limits();
    let Some((at, over_w)) = tree.most_over(&flow, &limits) else {
        return Ok(Provisioned { allowances, flow });
    };
    let node = &tree.nodes()[at];
    Err(Refusal::Over {
        node: node.name.clone(),
        level: node.level.name(),
        provisioned_w: flow.input_w[at],
        limit_w: limits[at],
        over_w,
        mixes: Box::new(mixes(tree, ladder, work)),
    })
}

/// The largest mixes of a ladder's policies that fit. Hosts are raised one by one in their order wherever every node above
/// them still carries it: for hosts alike in a tree without losses no order raises more of them.
fn mixes<'w>(tree: &Tree, ladder: &[Bundle], work: impl Fn(&str) -> Option<&'w Work> + Copy) -> Mixes {
    let rungs: Vec<Vec<f64>> = ladder
        .iter()
        .filter_map(|bundle| allowances(tree, &Policies::all(bundle.clone()), work).ok())
        .map(|allowed| tree.hosts().iter().zip(allowed).map(|(host, a)| a.policy_w * f64::from(host.gpus)).collect())
        .collect();
    let names: Vec<&str> = ladder.iter().map(Bundle::name).collect();
    // Rungs below what devices accept are no rungs: they end the ladder.
    let names = &names[..rungs.len()];
    let most_high = mix(tree, names, &rungs, rungs.len().saturating_sub(1));
    let next_lower = (rungs.len() > 2).then(|| mix(tree, names, &rungs, 1)).flatten();
    let none = || Mix { hosts: names.iter().map(|name| ((*name).to_owned(), 0)).collect(), provisioned_w: 0.0 };
    Mixes { most_high: most_high.unwrap_or_else(none), next_lower }
}

/// With every host at rung `lowest`, as many as can be raised to the highest, then of the rest to the next; none where not
/// even that rung fits.
fn mix(tree: &Tree, names: &[&str], rungs: &[Vec<f64>], lowest: usize) -> Option<Mix> {
    let mut rung_of = vec![lowest; tree.hosts().len()];
    let mut gpus_w: Vec<f64> = rungs.get(lowest)?.clone();
    let limits = tree.limits();
    let mut flow = tree.carried(&per_gpu(tree, &gpus_w));
    if tree.most_over(&flow, &limits).is_some() {
        return None;
    }
    for (rung, watts) in rungs.iter().enumerate().take(lowest) {
        for host in 0..rung_of.len() {
            let has_gpus = tree.hosts()[host].gpus > 0;
            if has_gpus
                && rung_of[host] == lowest
                && raised(tree, &mut flow, &limits, (host, watts[host] - gpus_w[host]))
            {
                gpus_w[host] = watts[host];
                rung_of[host] = rung;
            }
        }
    }
    let with_gpus =
        |rung: usize| rung_of.iter().zip(tree.hosts()).filter(move |(of, host)| **of == rung && host.gpus > 0);
    let count = |rung: usize| with_gpus(rung).count() as u32;
    let hosts = names.iter().enumerate().map(|(rung, name)| ((*name).to_owned(), count(rung))).collect();
    let roots = tree.nodes().iter().zip(&flow.input_w).filter(|(node, _)| node.fed_by.is_none());
    Some(Mix { hosts, provisioned_w: roots.map(|(_, input)| *input).fold(0.0, f64::max) })
}

/// Each GPU's watts from those of all of a host's.
fn per_gpu(tree: &Tree, host_gpus_w: &[f64]) -> Vec<f64> {
    tree.each_gpu(|host, of| host_gpus_w[host] / f64::from(of.gpus.max(1)))
}

/// Adds watts to a host where all nodes above can carry them; whether it did.
fn raised(tree: &Tree, flow: &mut Flow, limits: &[f64], (host, watts): (usize, f64)) -> bool {
    let mut path = Vec::new();
    let (mut at, mut more) = (Some(tree.hosts()[host].node), watts);
    while let Some(node) = at {
        let index = node as usize;
        let output = flow.output_w[index] + more;
        let input = tree.nodes()[index].input_w(output);
        if input > limits[index] * (1.0 + super::tree::ROUNDING) {
            return false;
        }
        more = input - flow.input_w[index];
        path.push((index, output, input));
        at = tree.nodes()[index].fed_by;
    }
    for (index, output, input) in path {
        (flow.output_w[index], flow.input_w[index]) = (output, input);
    }
    true
}
