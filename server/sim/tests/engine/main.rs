//! The engine proved from outside: laws that hold for every site, and published figures that it agrees with.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![expect(clippy::print_stdout, reason = "a comparison prints what it found beside what was published")]

mod agrees;
mod board;
mod common;
mod fit;
mod kernels;
mod laws;
mod measured;
mod serving;
mod workshop;
