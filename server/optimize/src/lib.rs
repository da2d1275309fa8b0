//! The operating point: how many racks, under which power limit, on water how warm, make the most of a facility as it is drawn.
//!
//! Never: reads a file, a clock or an unseeded random number; but for `placement`, whose solver of whole numbers stops when
//! its time is up. Everything that it says of a choice comes from `sim::evaluate`
//! of the site with that choice made, so that an optimum is what the workshop shows for the same design.
//!
//! Read `base` first (a design becomes sites with a choice made), then `point` (what a choice comes to, and what it asks too
//! much of), `search` (the best of all choices, and the frontier), `reasons` (what binds, and what more of it would be worth)
//! and `relax` (which limits conflict where nothing does, and by how much they would have to give). `dispatch` runs a battery
//! through a year of prices; `storage` asks it of those that a design has drawn. `sizing` says what to build beside the grid,
//! and how to run it, over a year; `placement` where racks are to stand so that the least power is stranded. Both linear
//! programmes stand on `lp`.

mod base;
pub mod dispatch;
mod goal;
mod lp;
pub mod placement;
mod point;
mod reasons;
mod relax;
mod search;
pub mod sizing;
mod storage;

pub use base::{Base, Choice, Choices, Unfit};
pub use goal::{Goal, Limits};
pub use point::{Limit, Point, Short};
pub use reasons::{Reasons, Worth};
pub use relax::{Conflict, conflicts};
pub use search::{Answer, every, frontier, optimize};
