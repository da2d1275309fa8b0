//! The one trait of every source, and what it hands on.

use async_trait::async_trait;
use model::event::FleetEvent;
use model::reading::SeriesKey;
use model::source::{SourceKind, SourceState};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Something that is read for as long as the house is open.
#[async_trait]
pub trait Source: Send + 'static {
    /// Its name, unique.
    fn name(&self) -> &str;
    /// What kind it is.
    fn kind(&self) -> SourceKind;
    /// Where it is read, secrets left out.
    fn target(&self) -> String;
    /// Reads until told to stop, or until it has come to its end. What goes wrong is said to `out` and tried again, never returned.
    async fn run(self: Box<Self>, out: Sink, stop: CancellationToken);
}

/// What sources hand on, in the order in which they read it.
#[derive(Debug)]
pub enum Brought {
    /// Readings of one moment.
    Readings(Batch),
    /// Something happened.
    Event(FleetEvent),
    /// How the source is, when that changes.
    State(SourceState),
    /// Something was wrong with what came, and the rest was used.
    Fault(String),
    /// Who is at the other end.
    Peer(String),
}

/// Readings that came together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// When they were read, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Series, a time of its own where the source gave one, and the value. Keys are made once and shared, so that a
    /// steady source allocates nothing for each reading.
    pub readings: Vec<(Arc<SeriesKey>, Option<i64>, f64)>,
    /// Readings left out because their names are not known.
    pub unknown: u32,
}

/// Where a source puts what it read. The queue is bounded: a source that is faster than the house waits.
#[derive(Debug, Clone)]
pub struct Sink {
    source: u32,
    queue: mpsc::Sender<(u32, Brought)>,
}

impl Sink {
    /// A sink of the source with that number.
    pub fn new(source: u32, queue: mpsc::Sender<(u32, Brought)>) -> Self {
        Self { source, queue }
    }
    /// Hands on; waits where the house is behind. `false` where the house has closed.
    pub async fn put(&self, brought: Brought) -> bool {
        self.queue.send((self.source, brought)).await.is_ok()
    }
}
