//! The site simulator: power, heat, water, tokens and money of an AI factory through one year, step by step.
//!
//! Never: reads a clock, a file, a socket or an unseeded random number; knows nothing of `app` or `server`. The same
//! `(Site, Scenario)` gives the same `Trace`, byte for byte, and in the browser the same to 1e-9.
//!
//! Read `resolve` first (a design becomes a site), then `engine` (the year), then the physics it calls: `fleet`,
//! `serving`, `board`, `cooling`, `power`; `evaluate` gives the instant answer and says what is wrong with a site,
//! `report` sums a trace up, `defaults` makes a year where the user brings none. `floor`, `failure` and `drivers` answer the
//! workshop's questions: where things stand, what if this fails, what drives the year and what would improve it. `replay`
//! stands by itself: single requests through a fleet, with the step's cost of `serving`. `steering` spends a power budget:
//! policies and caps on a power tree, and the pilot that holds it against a fleet without.

pub mod board;
pub mod cooling;
pub mod defaults;
pub mod drivers;
pub mod elevation;
mod engine;
mod evaluate;
pub mod failure;
mod fleet;
pub mod floor;
pub mod mend;
pub mod nearest;
pub mod power;
pub mod psychrometrics;
pub mod replay;
pub mod report;
mod resolve;
mod search;
pub mod serving;
pub mod steering;
pub mod stranded;

pub use engine::{simulate, simulate_with};
pub use evaluate::{check, evaluate, evaluate_with, stranded};
pub use fleet::{Lengths, RackFigures, Served, rack_figures};
pub use resolve::{resolve, size_loops};
