//! The vocabulary of Millwright: what a planner, an executive and an operator talk about.
//!
//! Never: reads a file, opens a socket, waits, or knows how anything is computed. Native and wasm.
//!
//! Read `quantity` first, then `design` (what a person drew), `site` (the same, resolved), `scenario`
//! (the year it meets), `trace` (what happened) and `report` (what it came to).

pub mod quantity;
pub mod money;
pub mod id;
pub mod note;
pub mod part;
pub mod location;
pub mod catalog;
pub mod design;
pub mod site;
pub mod scenario;
pub mod trace;
pub mod report;
pub mod run;
