//! What the house remembers: designs with every version of their text, runs and what they came to. The only SQL.
//!
//! Never: simulates, parses a design, reads a clock (times are handed in), or knows HTTP. One connection writes, a few
//! read; a write that has returned survives the loss of power.
//!
//! Read `db` first (one file on disk, opened and brought up to date), then `design`, `snapshot`, `input`, `run`,
//! `replay`, `sweep` and `idempotency`: one file a noun, plain functions over a [`db::Db`].

mod error;

pub mod chunk;
pub mod db;
pub mod design;
pub mod event;
pub mod fleet;
pub mod history;
pub mod idempotency;
pub mod input;
pub mod replay;
pub mod run;
pub mod snapshot;
pub mod sweep;
pub mod tail;

pub use error::Error;
