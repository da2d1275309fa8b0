//! The replay of single requests: books that balance, order that is kept, and figures that are known otherwise.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]

mod agrees;
mod books;
mod common;
mod oracle;
mod order;
mod same;
mod vllm;
