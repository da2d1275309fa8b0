//! The readers from outside: published files, calendars, hostile bytes, and laws.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]

mod calendar;
mod hostile;
mod law;
mod netbox;
mod published;
mod site;
