//! A design's power tree under a policy: what is provisioned, what is capped and what is drawn at every node, interval by
//! interval. `sim::steering` makes it.

use crate::run::DesignSummary;
use serde::{Deserialize, Serialize};

/// What every rack is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SteerPolicy {
    /// Every GPU up to its own limit.
    FullPower,
    /// Every GPU what its work draws on average; steering lends it what others leave.
    #[default]
    Sustained,
    /// Every GPU the limit with most tokens for a joule.
    Efficient,
}

impl SteerPolicy {
    /// Each of them, the most power first.
    pub const ALL: [Self; 3] = [Self::FullPower, Self::Sustained, Self::Efficient];

    /// Its name in addresses and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::FullPower => "full-power",
            Self::Sustained => "sustained",
            Self::Efficient => "efficient",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::FullPower => "full power",
            Self::Sustained => "sustained target, with steering",
            Self::Efficient => "efficiency target",
        }
    }
}

/// How well messages arrive and hosts stay up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SteerDay {
    /// Nothing goes wrong.
    Calm,
    /// One message in fifty is lost, one in twenty late, and hosts fail.
    #[default]
    Bad,
}

/// What is steered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SteerAsk {
    /// Power that the facility may draw, MW; none for its contract.
    pub limit_mw: Option<f64>,
    /// What every rack is promised; where the tree can't carry that, the next lower policy.
    pub policy: SteerPolicy,
    /// Mean share of full work that racks have.
    pub load: f64,
    /// The limit in the middle third of the time, as a share of what it is else: a grid event. One for none.
    pub event: f64,
    /// What goes wrong.
    pub day: SteerDay,
    /// Of loads and of what goes wrong.
    pub seed: u64,
}

impl Default for SteerAsk {
    fn default() -> Self {
        Self {
            limit_mw: None,
            policy: SteerPolicy::default(),
            load: 0.85,
            event: 1.0,
            day: SteerDay::default(),
            seed: 1,
        }
    }
}

/// A node of the tree as it is shown: a group of the power tree, the racks of a class together, or what draws beside them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SteeredNode {
    /// Its name in the design.
    pub name: String,
    /// What it is.
    pub what: SteeredKind,
    /// Index of the node that feeds it, which stands before it.
    pub fed_by: Option<u32>,
    /// Racks, where it is racks.
    pub racks: u32,
    /// The most that may go into it, W; of racks, all of them together.
    pub limit_w: f64,
    /// What would go into it with every GPU at its own limit, W, losses included.
    pub full_w: f64,
    /// The same with every GPU at what the policy promises it.
    pub provisioned_w: f64,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SteeredKind {
    /// The utility's contract.
    Contract,
    /// A group of the power tree.
    Group,
    /// Racks with GPUs, which are steered.
    Racks,
    /// What draws and is not steered: other racks, cooling, the house.
    Fixed,
}

/// One interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SteeredFrame {
    /// Since the beginning, seconds.
    pub at_s: f64,
    /// What the facility may draw then, W.
    pub limit_w: f64,
    /// Into each node at worst, W: every GPU at the limit that its host has in force.
    pub capped_w: Vec<f64>,
    /// Into each node, W.
    pub drawn_w: Vec<f64>,
    /// Lowest, mean and highest limit of a GPU, W.
    pub caps_w: [f64; 3],
    /// Output tokens a second.
    pub tokens_per_s: f64,
    /// Those that the load would have made with boards at their own limits.
    pub asked_tokens_per_s: f64,
    /// Racks whose GPUs get less than they are promised and would use.
    pub held_back: u32,
    /// Racks at their lowest limits, as nothing was heard of them.
    pub silent: u32,
    /// Racks that have failed.
    pub down: u32,
}

/// A way to spend the same power, by the closed form at full work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SteeredWay {
    /// In words.
    pub name: String,
    /// Racks that are on.
    pub racks: u32,
    /// Output tokens a second.
    pub tokens_per_s: f64,
    /// Worst case of its racks, W.
    pub provisioned_w: f64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Steered {
    /// What was asked.
    pub ask: SteerAsk,
    /// What the facility may draw, W.
    pub limit_w: f64,
    /// The policy in force; none where none can be, not even the lowest limits.
    pub policy: Option<String>,
    /// Why those above it are not.
    pub refused: Vec<String>,
    /// The tree, feeding nodes first.
    pub nodes: Vec<SteeredNode>,
    /// The time between intervals, seconds.
    pub interval_s: f64,
    /// Intervals.
    pub frames: Vec<SteeredFrame>,
    /// Intervals after a cut was met in which a node's worst case was above its limit: none, or the proof is broken.
    pub breaches: u32,
    /// Intervals in a row for which the worst case was above a limit that had just been cut: what messages on their way and
    /// leases that had not ended allowed.
    pub meeting: u32,
    /// Ways to spend the same power on these racks.
    pub ways: Vec<SteeredWay>,
}

/// A steered design as a page shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SteeredView {
    /// The design, in its newest version.
    pub design: DesignSummary,
    /// What came of it.
    pub steered: Option<Steered>,
    /// Why there is nothing to steer.
    pub refused: Option<String>,
}
