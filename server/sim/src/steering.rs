//! The operating point: the most tokens that a fixed power budget makes. Policies on a power tree, steering of caps, smoothing
//! of what the grid sees, and the pilot that holds managed racks against unmanaged ones.
//!
//! # What is provisioned, and what is drawn
//! A node is *provisioned* what goes into it with every GPU below it at its cap, every host's fixed draw at its most, and
//! losses; *drawn* is what goes into it by readings. Without steering, a budget is spent on what might be drawn; steering
//! lowers the caps of GPUs that use less than they are allowed and lends the difference to those that are held back.
//!
//! # The proof obligation
//! After the first interval, no node's worst case is above its limit, in any interval, whatever the load does. The worst case
//! is every GPU at the cap that its host has in force, with fixed draw and losses. It rests on what hosts keep to:
//!
//! 1. An order carries the interval that it was sent in. A host takes one only if it is newer than what it has, and no older
//!    than the lease.
//! 2. An order holds for as many intervals as the lease has; a host that takes none in that time falls to its fail-safe cap,
//!    unless it is lower already.
//! 3. A host that starts, or starts anew after a failure, has its lowest caps, and takes orders only that were sent later.
//!
//! So in any interval a host's caps are those of an order sent within the lease and not older than one that it has said to
//! have taken, or of one before it at no more than the fail-safe cap, or the lowest. The controller keeps for each GPU the
//! highest of the orders that hold, *counted*, whatever was lost, came late, or failed, and orders nothing below the
//! fail-safe cap of a GPU that may have more: so when a lease ends, what was ordered since covers what is left of it.
//! Node power grows with each cap (losses grow with load), so if the tree fits with every GPU as counted, it fits as it is.
//! An order that raises a cap above what was counted is sent only where the tree fits with the raise counted: what pays for
//! it are lowerings that were acknowledged. An order that lowers one can't raise what is counted. Every order is verified
//! against the tree before it is sent, and the engine stops rather than send one that breaks this.
//!
//! A limit that is cut (a grid event) is met at once by those who hear: caps fall in the interval of the cut, the least important
//! first. Who does not hear still has the older order until its lease is over: so where messages may be lost, a cut is sure to be
//! met one lease after it was told, and an event that is told a lease ahead is met when it comes into force. Nothing is raised
//! below a node that is counted over its limit, so meanwhile it only falls. Two things are no part of this: limits below
//! what fail-safe caps and fixed draw need (then [`controller::Interval::short`] says which hosts must be put out), and a start at
//! unknown caps ([`controller::Start::Unknown`]), where the first interval ends when hosts have answered, or a lease is over.
//!
//! `tests/steering` holds all of it to 10,000 seeded runs with random trees, loads, failures, lost and late messages and cuts.
//!
//! Read `tree` and `policy` first, then `controller` (with `fill`, how watts are shared out), `plant` (hosts that keep to the
//! three rules, and all that goes wrong), `work` (what a cap leaves of a job), `compare` (ways to spend one envelope),
//! `smoothing`, `pilot`, `site` (a design's own tree); `fixture` has a public topology.

pub mod compare;
pub mod controller;
mod fill;
pub mod fixture;
pub mod pilot;
pub mod plant;
pub mod policy;
pub mod site;
pub mod smoothing;
pub mod tree;
pub mod work;
