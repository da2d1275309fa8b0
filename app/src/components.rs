//! The parts that pages are put together from. They pick and show; what they show is worked out in `findings` and said in
//! `format`.

#![expect(clippy::needless_pass_by_value, reason = "a component owns what it is given")]

pub mod alert;
pub mod announcer;
pub mod binding;
pub mod burst;
pub mod chart;
pub mod facility;
pub mod failure;
pub mod figure;
pub mod fleet;
pub mod made_up;
pub mod notes;
pub mod operating;
pub mod palette;
pub mod parallel;
pub mod plant;
pub mod progress;
pub mod question;
pub mod refresh;
pub mod report;
pub mod run_year;
pub mod scenario;
pub mod serving;
pub mod source;
pub mod theme;
pub mod workshop;
