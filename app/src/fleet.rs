//! The live fleet as pages draw it: what an address asks for, how GPUs are grouped and laid out, where a value stands on
//! the scale, what charts say. Plain functions, the same on the server, in the browser and in a test.
//!
//! Read `look` first (what the address says), then `groups`, `arrange`, `eye` and `paint` (the heat-map), `time` and `panel`
//! (the charts), `words` (what things are called).

pub mod arrange;
pub mod eye;
pub mod groups;
pub mod live;
pub mod look;
pub mod losses;
pub mod paint;
pub mod panel;
pub mod scale;
pub mod time;
pub mod words;
