//! A source that reads from a Prometheus, VictoriaMetrics or Mimir what others have brought there.
//!
//! Each interval every selector is asked for the samples since the last time, with their own times: a value that the
//! store only repeats is no reading, one that came late is not lost, and a series that has ended brings none.
//!
//! Never: makes a reading of a value that did not come anew, or keeps more series than the bound.

use super::{Client, Error, Many};
use async_trait::async_trait;
use model::metric::{Metric, Subject};
use model::reading::SeriesKey;
use model::source::{SourceKind, SourceState};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::remote_write::NAME;
use crate::source::{Batch, Brought, Sink, Source};

/// What a name and labels are to us: a series, and what its values are multiplied with.
pub type Mapper = Arc<dyn Fn(&str, &[(String, String)]) -> Option<(SeriesKey, f64)> + Send + Sync>;

/// How late a sample may reach the store and still be read.
const LATE: Duration = Duration::from_mins(1);
/// How far back is read after a time without answer.
const CATCH_UP: Duration = Duration::from_mins(10);
/// Most series; 200 000 of them take some 100 MB.
const SERIES_MAX: usize = 200_000;
/// Series that brought nothing for so many rounds are forgotten, if that is longer than what is read again.
const FORGOTTEN_MS: i64 = 3_600_000;

/// A store that is read.
pub struct QuerySource {
    /// The source's name.
    pub name: String,
    /// Whom it asks.
    pub client: Client,
    /// Selectors of PromQL, each a family; see [`default_selectors`].
    pub selectors: Vec<String>,
    /// How often it asks.
    pub interval: Duration,
    /// What the series are to us.
    pub map: Mapper,
}

/// The families that can be mapped: exporters of GPUs and hosts, serving engines, and our own names.
pub fn default_selectors() -> Vec<String> {
    let own = Metric::ALL.iter().filter(|metric| metric.subject() != Subject::Source).map(|metric| metric.name());
    let own = own.collect::<Vec<_>>().join("|");
    let host = "node_cpu_seconds_total|node_load1|node_memory_MemAvailable_bytes|node_memory_MemTotal_bytes|node_boot_time_seconds";
    ["DCGM_.+", "nvidia_smi_.+", host, "(vllm|sglang|trtllm|nv_llm|dynamo)[:_].+", &own]
        .map(|names| format!("{{{NAME}=~\"{names}\"}}"))
        .into()
}

#[async_trait]
impl Source for QuerySource {
    fn name(&self) -> &str {
        &self.name
    }
    fn kind(&self) -> SourceKind {
        SourceKind::Query
    }
    fn target(&self) -> String {
        self.client.target()
    }
    async fn run(self: Box<Self>, out: Sink, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.read_on(&out) => {}
        }
    }
}

impl QuerySource {
    /// Reads until nobody listens.
    async fn read_on(&self, out: &Sink) {
        let mut ticks = tokio::time::interval(self.interval.max(Duration::from_millis(100)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut memory = Memory::default();
        let mut state = SourceState::Connecting;
        let mut open = out.put(Brought::State(state.clone())).await;
        while open {
            ticks.tick().await;
            let (batch, faults) = self.round(&mut memory).await;
            let next = match faults.first() {
                Some(error) if faults.len() == self.selectors.len() => failing(&state, error),
                Some(_) | None => SourceState::Connected,
            };
            if next != state {
                state = next;
                open = out.put(Brought::State(state.clone())).await;
                if let (true, Some(version)) = (state.is_up(), self.client.version().await) {
                    open &= out.put(Brought::Peer(version)).await;
                }
            }
            let full = memory.left_out > 0;
            let full = full.then(|| format!("more than {SERIES_MAX} series: {} are left out", memory.left_out));
            for fault in faults.iter().map(Error::to_string).chain(full) {
                open &= out.put(Brought::Fault(fault)).await;
            }
            if !batch.readings.is_empty() || batch.unknown > 0 {
                open &= out.put(Brought::Readings(batch)).await;
            }
        }
    }
    /// Asks each selector once.
    async fn round(&self, memory: &mut Memory) -> (Batch, Vec<Error>) {
        let mut batch = Batch { at_ms: now_ms(), ..Batch::default() };
        memory.left_out = 0;
        let mut faults = Vec::new();
        for selector in &self.selectors {
            let asked = Instant::now();
            let since = memory.asked.get(selector).map_or(self.interval, Instant::elapsed);
            let window = (since + LATE).min(CATCH_UP).as_millis();
            match self.client.query(&format!("{selector}[{window}ms]"), None).await.and_then(super::Answer::matrix) {
                Ok(all) => {
                    memory.asked.insert(selector.clone(), asked);
                    for series in all {
                        memory.take(series, &self.map, &mut batch);
                    }
                }
                Err(error) => faults.push(error),
            }
        }
        memory.forget(batch.at_ms);
        (batch, faults)
    }
}

fn failing(before: &SourceState, error: &Error) -> SourceState {
    let since_ms = match before {
        SourceState::Failing { since_ms, .. } => *since_ms,
        SourceState::Connecting
        | SourceState::Connected
        | SourceState::Stale { .. }
        | SourceState::Absent { .. }
        | SourceState::Ended => now_ms(),
    };
    SourceState::Failing { since_ms, why: error.to_string(), mend: error.mend().into() }
}

/// What has been read.
#[derive(Default)]
struct Memory {
    known: HashMap<BTreeMap<String, String>, Known>,
    asked: HashMap<String, Instant>,
    left_out: u32,
}

struct Known {
    /// What it is to us; absent where nothing.
    series: Option<(Arc<SeriesKey>, f64)>,
    /// The time of its last sample.
    last_ms: i64,
    /// When it last brought one.
    seen_ms: i64,
}

impl Memory {
    fn take(&mut self, Many { metric, values }: Many, map: &Mapper, batch: &mut Batch) {
        if !self.known.contains_key(&metric) {
            if self.known.len() >= SERIES_MAX {
                self.left_out += 1;
                return;
            }
            let name = metric.get(NAME).cloned().unwrap_or_default();
            let labels: Vec<(String, String)> = metric
                .iter()
                .filter(|(name, _)| *name != NAME)
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            let series = map(&name, &labels).map(|(key, factor)| (Arc::new(key), factor));
            self.known.insert(metric.clone(), Known { series, last_ms: i64::MIN, seen_ms: batch.at_ms });
        }
        let Some(known) = self.known.get_mut(&metric) else { return };
        for sample in values {
            if sample.at_ms <= known.last_ms || sample.value.is_nan() {
                continue;
            }
            (known.last_ms, known.seen_ms) = (sample.at_ms, batch.at_ms);
            match &known.series {
                Some((key, factor)) => {
                    batch.readings.push((Arc::clone(key), Some(sample.at_ms), sample.value * factor));
                }
                None => batch.unknown = batch.unknown.saturating_add(1),
            }
        }
    }
    fn forget(&mut self, now_ms: i64) {
        self.known.retain(|_, known| now_ms.saturating_sub(known.seen_ms) < FORGOTTEN_MS);
    }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
