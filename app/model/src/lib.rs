//! The vocabulary of Millwright: what a planner, an executive and an operator talk about.
//!
//! Never: reads a file, opens a socket, waits, or knows how anything is computed. Native and wasm.
//!
//! Read `quantity` first, then `design` (what a person drew), `site` (the same, resolved), `scenario`
//! (the year it meets), `trace` (what happened) and `report` (what it came to). `served` is a model on some GPUs under a load; `scene` a hall to be drawn in 3D.

pub mod alert;
pub mod catalog;
pub mod check;
pub mod design;
pub mod event;
pub mod facility;
pub mod fleet;
pub mod id;
pub mod input;
pub mod live;
pub mod location;
pub mod metric;
pub mod money;
pub mod note;
pub mod optimum;
pub mod part;
pub mod quantity;
pub mod reading;
pub mod replay;
pub mod report;
pub mod run;
pub mod scenario;
pub mod scene;
pub mod served;
pub mod site;
pub mod source;
pub mod steered;
pub mod sweep;
pub mod trace;
pub mod validation;
pub mod version;
