//! The hall in 3D: racks coloured by a figure, seen from wherever one likes, and clicked.
//!
//! Never: asks the house anything, decides what a colour means or works a figure out; the page hands all of it over as
//! `model::scene::Scene`. Draws only when something changed. Nothing here ends in a panic that a reader would see: what
//! can't be drawn comes back as words.
//!
//! Read `geometry` first (a hall becomes boxes), then `camera`, `pick` and `view` (what they are together). All of these are
//! pure and run anywhere; `draw` (wgpu, the only place that knows it) and `browser` (the canvas and its events) are built
//! for a browser alone.

pub mod camera;
pub mod geometry;
pub mod pick;
pub mod shade;
pub mod view;

#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(target_arch = "wasm32")]
mod draw;

#[cfg(target_arch = "wasm32")]
pub use browser::{Handle, start};
