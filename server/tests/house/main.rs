//! The house proved from outside, over a socket on loopback.
#![expect(clippy::unwrap_used, reason = "a helper of a test is a test; clippy exempts only what bears #[test]")]

mod api;
mod common;
mod fleet;
mod history;
mod inputs;
mod operations;
mod optimizer;
mod pages;
mod replays;
mod workshop;
