//! One file for each page. Each opens with the question that it answers.

pub mod home;
pub mod designs;
pub mod design;
pub mod runs;
pub mod run;
