//! The operating point: policies that fit or are refused, steering that never breaks a limit whatever goes wrong, power that is
//! smoothed with its energy kept, and ways to spend one envelope.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]

mod common;
mod pilots;
mod policies;
mod runs;
mod sites;
mod smooths;
mod spends;
mod steers;
