//! Where readings come from: what a person sets up, and what became of it.

use serde::{Deserialize, Serialize};

/// What kind of source it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// This host's own GPUs, read through NVML.
    Nvml,
    /// A page of metrics that is read over HTTP: DCGM exporter, nvidia-smi exporter, node exporter, a serving engine.
    Scrape,
    /// A Prometheus or VictoriaMetrics, asked over its query API.
    Query,
    /// Whoever writes to us: Prometheus, vmagent, `millwright agent`.
    RemoteWrite,
    /// The facility's bus, DSX Exchange over MQTT.
    Exchange,
    /// The kernel's log.
    KernelLog,
    /// A recording that is played again.
    Replay,
    /// A made-up fleet.
    Demo,
}

/// How a source is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum SourceState {
    /// It has not answered yet.
    Connecting,
    /// It answers.
    Connected,
    /// It answered, and has been silent too long.
    Stale {
        /// Since when, milliseconds since 1970 UTC.
        since_ms: i64,
    },
    /// It can't be read.
    Failing {
        /// Since when, milliseconds since 1970 UTC.
        since_ms: i64,
        /// Why, in words.
        why: String,
        /// What to do about it.
        mend: String,
    },
    /// What it would read is not there, and nothing is wrong with that: no GPU driver on this host.
    Absent {
        /// What is not there.
        why: String,
    },
    /// It came to its end: a recording was played.
    Ended,
}

impl SourceState {
    /// Whether readings come.
    pub fn is_up(&self) -> bool {
        matches!(self, Self::Connected)
    }
}

/// A source as the page of sources shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SourceStatus {
    /// Its name, unique.
    pub name: String,
    /// Its kind.
    pub kind: SourceKind,
    /// Where it is read, secrets left out.
    pub target: String,
    /// How it is.
    #[serde(flatten)]
    pub state: SourceState,
    /// When it last brought something, milliseconds since 1970 UTC.
    pub last_ms: Option<i64>,
    /// Readings it brings each second, over the last minute.
    pub readings_per_s: f64,
    /// Series that it brings now.
    pub series: u32,
    /// Readings it brought since the start.
    pub readings: u64,
    /// Readings that were not kept because their names are not known.
    pub unknown: u64,
    /// The last thing that was wrong with what it brought, in words.
    pub last_error: Option<String>,
    /// Things wrong with what it brought since the start.
    pub errors: u64,
    /// The host or software at the other end, as it names itself.
    pub peer: Option<String>,
}
