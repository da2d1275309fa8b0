//! What a live stream of the fleet says, after the page has its first view.
//!
//! Each event has an id, `epoch-number`; numbers rise by time and none comes twice. Who reconnects within five minutes
//! names the last id that arrived, and is sent all that changed since; otherwise, and after a restart, a `reset`.

use crate::fleet::{Attention, FleetKpis, Health};
use serde::{Deserialize, Serialize};

/// The event `values`: what changed of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LiveValues {
    /// The layout that positions hold for.
    pub layout: u64,
    /// When this was so, milliseconds since 1970 UTC.
    pub as_of_ms: i64,
    /// Position and value of each GPU whose value changed; absent where it is stale now.
    pub changed: Vec<(u32, Option<f64>)>,
    /// Position and health of each GPU whose health changed.
    pub health: Vec<(u32, Health)>,
}

/// The event `summary`: the whole fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LiveSummary {
    /// When this was so, milliseconds since 1970 UTC.
    pub as_of_ms: i64,
    /// The figures of the whole.
    pub kpis: FleetKpis,
    /// What needs a person.
    pub attention: Vec<Attention>,
}

/// The event `reset`: what the page has can't be brought up to date; it asks for a new view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LiveReset {
    /// Why.
    pub reason: String,
}
