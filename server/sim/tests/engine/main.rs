//! The engine proved from outside: laws that hold for every site, and published figures that it agrees with.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![expect(clippy::print_stdout, reason = "a comparison prints what it found beside what was published")]

mod agrees;
mod board;
#[path = "../../examples/calibrate/measured.rs"]
#[expect(dead_code, reason = "the calibration uses all of it")]
mod calibrated;
mod common;
mod fit;
mod kernels;
mod laws;
mod measured;
mod serving;
mod workshop;
