//! The replay of single requests: books that balance, order that is kept, and figures that are known or measured otherwise.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]
#![expect(clippy::print_stdout, reason = "a comparison prints what it found beside what was measured")]

mod agrees;
mod books;
mod common;
mod oracle;
mod order;
mod same;
mod vllm;
