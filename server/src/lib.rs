//! The house: what a browser may not run. HTTP, pages rendered on the server, jobs, the `millwright` command.
//!
//! Never: works a figure out (that is `sim`), writes SQL (that is `store`), or draws a page (that is `app`). It joins
//! the rooms, and decides who may ask what, and how much at once.
//!
//! Read `cli` first (what a person types), then `serve` (how the house is put together and comes down), `backend` (what
//! pages ask), `jobs` (years that run for a while), and `http` with its folder (what crosses the wire).

pub mod assets;
pub mod backend;
pub mod brought;
pub mod changes;
pub mod cli;
pub mod clock;
pub mod demo;
pub mod design_text;
pub mod designs;
pub mod error;
pub mod export;
pub mod facility_limits;
pub mod fleet;
pub mod history;
pub mod http;
pub mod jobs;
pub mod merge;
pub mod optima;
pub mod parts;
pub mod replay;
pub mod replays;
pub mod serve;
pub mod serving;
pub mod sweeps;
