//! Prompts in one pool, answers in another: how long KV takes from one to the other.

use super::fleet::Transfer;

/// Seconds until the KV of so many tokens has arrived: latency + bytes / bandwidth.
pub(super) fn transfer_s(transfer: &Transfer, bytes_per_token: f64, tokens: u32) -> f64 {
    transfer.latency_s + bytes_per_token * f64::from(tokens) / transfer.bytes_per_s
}
