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

mod apply;
mod base;
mod dial;
pub mod dispatch;
mod lp;
pub mod placement;
mod point;
mod reasons;
mod relax;
mod robust;
mod search;
pub mod sizing;
mod storage;
mod study;
pub mod sweep;

pub use base::{Base, Choices, Unfit};
pub use reasons::reasons;
pub use relax::conflicts;
pub use robust::{power_errors, robust};
pub use search::{every, frontier, frontier_of, optimize};
pub use study::{replaced, study, thinned};
