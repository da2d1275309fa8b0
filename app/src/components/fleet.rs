//! The parts of the live fleet's pages: what keeps them up to date, the heat-map and the same as a table, the figures of the
//! whole, what needs a person, and charts with their time picker.
//!
//! Read `board` first.

pub mod attention;
pub mod board;
pub mod charts;
pub mod health;
pub mod map;
pub mod place;
pub mod strip;
pub mod table;
pub mod time;
pub mod tools;
pub mod waste;
