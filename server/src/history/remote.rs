//! History that is sent on by remote write: beside the one on this machine, or in place of it, and then read back from
//! there. For a fleet that outgrew one machine: VictoriaMetrics, Mimir or Prometheus keep it, and pages notice nothing.
//!
//! What is sent waits in a queue on disk, so a store that is away for a while loses nothing.

use super::{Appended, SeriesStore};
use crate::clock;
use crate::error::Error;
use async_trait::async_trait;
use model::reading::{Bucket, Sample, SeriesKey};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use telemetry::forward::Forwarder;
use telemetry::query::history::RemoteHistory;
use telemetry::query::{Match, Selector};

/// How far back a series must have been read to be found.
const FOUND_WITHIN_MS: i64 = 30 * 86_400_000;
/// Readings from further ahead than this come from a wrong clock.
const FUTURE_MS_MAX: i64 = 600_000;

/// A history kept elsewhere.
#[derive(Debug)]
pub struct RemoteSeries {
    forwarder: Arc<Forwarder>,
    history: RemoteHistory,
    /// Names that were sent in this run, so that a series is found before the store has indexed it.
    sent: Mutex<BTreeSet<Arc<SeriesKey>>>,
}

impl RemoteSeries {
    /// What the forwarder sends, read back over the query API of the same store.
    pub fn new(forwarder: Arc<Forwarder>, history: RemoteHistory) -> Self {
        Self { forwarder, history, sent: Mutex::new(BTreeSet::new()) }
    }
}

fn send(forwarder: &Forwarder, readings: &[(Arc<SeriesKey>, Sample)]) -> Appended {
    let latest_ms = clock::now_ms() + FUTURE_MS_MAX;
    let fit = |sample: &Sample| sample.value.is_finite() && (0..=latest_ms).contains(&sample.at_ms);
    let out: Vec<_> = readings
        .iter()
        .filter(|(_, sample)| fit(sample))
        .map(|(key, sample)| (Arc::clone(key), sample.at_ms, sample.value))
        .collect();
    forwarder.append(&out);
    Appended { kept: out.len() as u32, unfit: (readings.len() - out.len()) as u32, ..Appended::default() }
}

#[async_trait]
impl SeriesStore for RemoteSeries {
    fn append(&self, readings: &[(Arc<SeriesKey>, Sample)]) -> Appended {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, _) in readings {
            if !sent.contains(key) {
                sent.insert(Arc::clone(key));
            }
        }
        drop(sent);
        send(&self.forwarder, readings)
    }

    /// The queue had them when `append` returned, and the disk within a second.
    async fn settle(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn find(&self, name: &str, labels: &[(&str, &str)]) -> Result<Vec<Arc<SeriesKey>>, Error> {
        let matchers = labels.iter().map(|(name, value)| ((*name).into(), Match::Equal, (*value).into())).collect();
        let selector = Selector { name: name.to_owned(), matchers };
        let now_ms = clock::now_ms();
        let there = self.history.series(&selector, now_ms - FOUND_WITHIN_MS, now_ms + 1).await?;
        let mut found: BTreeSet<Arc<SeriesKey>> = there.into_iter().map(Arc::new).collect();
        let fits = |key: &&Arc<SeriesKey>| {
            key.name == name && labels.iter().all(|(name, value)| key.labels.get(name) == Some(*value))
        };
        found.extend(self.sent.lock().unwrap_or_else(PoisonError::into_inner).iter().filter(fits).cloned());
        Ok(found.into_iter().collect())
    }

    async fn samples(&self, series: &SeriesKey, from_ms: i64, to_ms: i64) -> Result<Vec<Sample>, Error> {
        let all = self.history.samples(&Selector::of(series), from_ms, to_ms).await?;
        Ok(all.into_iter().find(|(key, _)| key == series).map(|(_, samples)| samples).unwrap_or_default())
    }

    async fn buckets(&self, series: &SeriesKey, times: (i64, i64), step_ms: i64) -> Result<Vec<Bucket>, Error> {
        Ok(self.history.range(series, times.0, times.1, step_ms).await?)
    }
}

/// A history whose readings are also sent on.
pub struct Forwarding {
    inner: Arc<dyn SeriesStore>,
    forwarder: Arc<Forwarder>,
}

impl Forwarding {
    /// Keeps readings in `inner` and sends them on too.
    pub fn new(inner: Arc<dyn SeriesStore>, forwarder: Arc<Forwarder>) -> Self {
        Self { inner, forwarder }
    }
}

#[async_trait]
impl SeriesStore for Forwarding {
    fn append(&self, readings: &[(Arc<SeriesKey>, Sample)]) -> Appended {
        send(&self.forwarder, readings);
        self.inner.append(readings)
    }
    async fn settle(&self) -> Result<(), Error> {
        self.inner.settle().await
    }
    async fn find(&self, name: &str, labels: &[(&str, &str)]) -> Result<Vec<Arc<SeriesKey>>, Error> {
        self.inner.find(name, labels).await
    }
    async fn samples(&self, series: &SeriesKey, from_ms: i64, to_ms: i64) -> Result<Vec<Sample>, Error> {
        self.inner.samples(series, from_ms, to_ms).await
    }
    async fn buckets(&self, series: &SeriesKey, times: (i64, i64), step_ms: i64) -> Result<Vec<Bucket>, Error> {
        self.inner.buckets(series, times, step_ms).await
    }
}
