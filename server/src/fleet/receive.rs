//! Readings that others send on by remote write: taken under the names that the house knows them by, and kept before the
//! sender is told so. What has no such name is kept under its own: whoever sends chose what to send.

use super::{Fleet, lock};
use crate::clock;
use crate::error::of_house;
use crate::history::SeriesStore;
use app::api::ApiError;
use model::reading::SeriesKey;
use model::source::SourceKind;
use std::sync::Arc;
use telemetry::names::{self, Mapped, Scale};
use telemetry::remote_write::{Cache, Error, Limits, decode};
use telemetry::source::Batch;

/// The source that all senders together are.
const NAME: &str = "remote-write";
/// Series of senders whose meaning is kept at hand.
const SERIES_KNOWN: usize = 500_000;

/// What is known of the series of senders; none for one that is of no use.
#[derive(Debug)]
pub struct Received(Cache<Option<(Arc<SeriesKey>, Scale)>>);

impl Default for Received {
    fn default() -> Self {
        Self(Cache::of(SERIES_KNOWN))
    }
}

impl Fleet {
    /// Takes a request of remote write; its readings are on disk when this returns.
    pub async fn take_remote_write(&self, body: &[u8]) -> Result<(), ApiError> {
        let source = lock(&self.sources).named(NAME, SourceKind::RemoteWrite, "POST /api/v1/write");
        let batch = match self.read(body) {
            Ok(batch) => batch,
            Err(error) => {
                lock(&self.sources).fault(source, error.to_string());
                return Err(ApiError::Invalid { reason: format!("The body is no remote write 1.0: {error}.") });
            }
        };
        let done = self.take_readings(source, &batch);
        lock(&self.sources).brought(source, clock::now_ms(), batch.readings.len() as u32, batch.unknown, &done);
        if done.refused > 0 {
            let reason = "The history takes no more for now: the disk is full, or there are too many series.".into();
            return Err(ApiError::Busy { reason });
        }
        self.history.settle().await.map_err(of_house)
    }

    fn read(&self, body: &[u8]) -> Result<Batch, Error> {
        let mut known = lock(&self.received);
        let mut batch = Batch { at_ms: clock::now_ms(), ..Batch::default() };
        decode(body, &Limits::default(), |labels, points| {
            if let Some((key, scale)) = known.0.get(labels, |key| Ok(meaning(key)))? {
                let values = points.iter().filter_map(|point| Some((point.at_ms, point.value?)));
                let readings = values.map(|(at_ms, value)| (Arc::clone(key), Some(at_ms), scale.apply(value)));
                batch.readings.extend(readings);
            } else {
                batch.unknown += points.len() as u32;
            }
            Ok(())
        })?;
        Ok(batch)
    }
}

/// The series that the house knows it as, and how its values become those.
fn meaning(key: SeriesKey) -> Option<(Arc<SeriesKey>, Scale)> {
    let labels: Vec<(String, String)> =
        key.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    match names::canonical(&key.name, &labels) {
        Mapped::Reading(meaning) => {
            let labels = names::Site { source: NAME.to_owned(), ..names::Site::default() }
                .complete(Some(meaning.metric), meaning.labels);
            Some((Arc::new(SeriesKey { name: meaning.metric.name().to_owned(), labels }), meaning.scale))
        }
        Mapped::Ignored => None,
        Mapped::Unknown => Some((Arc::new(key), Scale::ONE)),
    }
}
