//! Readings that others send on by remote write: taken under the names that the house knows them by, and kept before the
//! sender is told so. What has no such name is kept under its own: whoever sends chose what to send.

use super::{Fleet, lock};
use crate::clock;
use crate::error::{of_house, of_store};
use app::api::ApiError;
use model::event::{FleetEvent, Happening};
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
/// Events that a sender may tell at once.
pub const HAPPENED_MAX: usize = 1_000;
/// How long ago something may have happened: an agent's queue may have waited that long.
const HAPPENED_PAST_MS: i64 = 32 * 86_400_000;
/// How far in the future something may happen by another host's clock.
const HAPPENED_FUTURE_MS: i64 = 600_000;
/// Longest words of an event, characters.
const WORDS_MAX: usize = 2_000;
/// Longest name in an event, characters: that of a host in DNS.
const NAME_MAX: usize = 253;

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

    /// Takes events that an agent tells, all or none; they are on disk when this returns. One that was told before is kept once.
    pub async fn take_happened(&self, events: Vec<FleetEvent>) -> Result<(), ApiError> {
        if events.len() > HAPPENED_MAX {
            let reason = format!("There are {} events; {HAPPENED_MAX} can be told at once.", events.len());
            return Err(ApiError::Invalid { reason });
        }
        let now_ms = clock::now_ms();
        for (number, event) in events.iter().enumerate() {
            check(event, now_ms).map_err(|why| ApiError::Invalid { reason: format!("Event {number}: {why}.") })?;
        }
        store::event::insert(self.db(), &events).await.map_err(of_store)?;
        for event in events {
            self.happened(event);
        }
        Ok(())
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

/// What is wrong with an event that another host tells.
fn check(event: &FleetEvent, now_ms: i64) -> Result<(), String> {
    let name = |what: &str, text: &str| {
        let good = (1..=NAME_MAX).contains(&text.chars().count()) && !text.contains(char::is_control);
        if good { Ok(()) } else { Err(format!("its {what} must have 1 to {NAME_MAX} characters on one line")) }
    };
    if !(now_ms - HAPPENED_PAST_MS..=now_ms + HAPPENED_FUTURE_MS).contains(&event.at_ms) {
        return Err("it lies more than a month in the past, or in the future: look at the clock over there".into());
    }
    if event.message.chars().count() > WORDS_MAX {
        return Err(format!("its message must have at most {WORDS_MAX} characters"));
    }
    name("source", &event.source)?;
    event.host.as_deref().map_or(Ok(()), |host| name("host", host))?;
    event.gpu.as_deref().map_or(Ok(()), |gpu| name("gpu", gpu))?;
    match &event.what {
        Happening::Xid { detail: Some(detail), .. } => name("detail", detail),
        Happening::HostState { state } => name("state", state),
        Happening::Leak { object } => name("object", object),
        Happening::Remark { until_ms: Some(until_ms) } if *until_ms < event.at_ms => {
            Err("it ends before it begins".into())
        }
        // Power is steered by it: it is believed only where it comes over the grid's or the building's own bus.
        Happening::LoadTarget { .. } => Err("another load is asked for over the building's bus alone".into()),
        Happening::Xid { .. }
        | Happening::Sxid { .. }
        | Happening::GpuLost
        | Happening::GpuBack
        | Happening::HostRestarted
        | Happening::Source { .. }
        | Happening::Remark { .. } => Ok(()),
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
