//! The site simulator: power, heat, water, tokens and money of an AI factory through one year, step by step.
//!
//! Never: reads a clock, a file, a socket or an unseeded random number; knows nothing of `app` or `server`. The same
//! `(Site, Scenario)` gives the same `Trace`, byte for byte, and in the browser the same to 1e-9.
//!
//! Read `resolve` first (a design becomes a site), then `engine` (the year), then the physics it calls: `power`,
//! `board`, `serving`, `cooling`; `check` says what is wrong with a design, `report` sums a trace up, `defaults` makes
//! a year where the user brings none.

pub mod psychrometrics;
