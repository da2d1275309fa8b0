//! The parts that pages are put together from. They pick and show; what they show is worked out in `findings` and said in
//! `format`.

pub mod figure;
pub mod failure;
pub mod notes;
pub mod chart;
pub mod theme;
pub mod announcer;
pub mod run_year;
pub mod instant;
pub mod progress;
pub mod plant;
pub mod report;
