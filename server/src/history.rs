//! What becomes of readings: kept here in SQLite, or in a store that a fleet outgrew this machine for; one trait for both.
//!
//! Pages ask the trait alone. Both sides of it pass the same contract (`server/tests/house/history.rs`).

pub mod head;
pub mod local;
pub mod remote;

use crate::error::Error;
use async_trait::async_trait;
use model::reading::{Bucket, Sample, SeriesKey};
use std::sync::Arc;

/// Somewhere that readings are kept and read again.
#[async_trait]
pub trait SeriesStore: Send + Sync + 'static {
    /// Takes readings. They are kept for good when [`SeriesStore::settle`] has returned.
    fn append(&self, readings: &[(Arc<SeriesKey>, Sample)]) -> Appended;
    /// Makes sure of everything that was taken so far.
    async fn settle(&self) -> Result<(), Error>;
    /// Series of that name whose labels include all of these.
    async fn find(&self, name: &str, labels: &[(&str, &str)]) -> Result<Vec<Arc<SeriesKey>>, Error>;
    /// Readings at `from_ms` or later and before `to_ms`, in the order of their times.
    async fn samples(&self, series: &SeriesKey, from_ms: i64, to_ms: i64) -> Result<Vec<Sample>, Error>;
    /// The same as buckets that begin at whole multiples of `step_ms`; none where nothing was read.
    async fn buckets(&self, series: &SeriesKey, times: (i64, i64), step_ms: i64) -> Result<Vec<Bucket>, Error>;
}

/// What became of readings that were handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Appended {
    /// Taken.
    pub kept: u32,
    /// Left out because the series has that time already.
    pub repeated: u32,
    /// Left out because they came after later ones were sealed.
    pub late: u32,
    /// Left out because they are no numbers, or lie in the future.
    pub unfit: u32,
    /// Left out because the disk takes nothing and memory is full.
    pub refused: u32,
}

impl Appended {
    /// Both together.
    pub fn add(&mut self, more: Self) {
        self.kept += more.kept;
        self.repeated += more.repeated;
        self.late += more.late;
        self.unfit += more.unfit;
        self.refused += more.refused;
    }
}
