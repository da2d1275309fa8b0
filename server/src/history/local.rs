//! History on this machine: memory for the last minutes, SQLite for the rest.

use super::head::Heads;
use super::{Appended, SeriesStore};
use crate::clock;
use crate::error::{Error, chain};
use async_trait::async_trait;
use model::reading::{Bucket, Sample, SeriesKey};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::db::Db;
use store::history::{LEVELS_S, Sealed, Write, regroup};
use tokio_util::sync::CancellationToken;

/// How long a reading may be in memory alone.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// Steps finer than this are made of readings, wider ones of kept buckets.
const READINGS_STEP_MS_MAX: i64 = 60_000;
/// Series whose old history is forgotten in one go, so that nothing waits long for it.
const FORGET_SERIES: u32 = 2_000;
/// How often old history is looked for.
const FORGET_EVERY: Duration = Duration::from_hours(1);

/// How long history is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Every reading, days.
    pub readings_days: u32,
    /// Buckets of 10 s, days.
    pub s10_days: u32,
    /// Buckets of 1 min, days.
    pub min1_days: u32,
    /// Buckets of 15 min, days.
    pub min15_days: u32,
    /// Buckets of 1 h, days.
    pub h1_days: u32,
}

impl Default for Retention {
    /// A fortnight in full, a quarter by the minute, years by the hour: some 1 GB for 1,000 GPUs read every 10 s.
    fn default() -> Self {
        Self { readings_days: 14, s10_days: 14, min1_days: 90, min15_days: 400, h1_days: 1_830 }
    }
}

impl Retention {
    /// Days by level, the readings first.
    fn levels(self) -> [(u32, u32); 5] {
        let [s10, min1, min15, h1] = LEVELS_S;
        [
            (0, self.readings_days),
            (s10, self.s10_days),
            (min1, self.min1_days),
            (min15, self.min15_days),
            (h1, self.h1_days),
        ]
    }
}

/// History on this machine.
#[derive(Debug)]
pub struct LocalHistory {
    db: Db,
    retention: Retention,
    heads: Mutex<Heads>,
    /// What the disk would not take yet; held while anything is written.
    stuck: tokio::sync::Mutex<Option<Write>>,
    /// Why the disk takes nothing, where that is so.
    trouble: Mutex<Option<String>>,
}

impl LocalHistory {
    /// Opens it with what the disk has.
    pub async fn open(db: Db, retention: Retention) -> Result<Self, Error> {
        let mut tail = Vec::new();
        for (seq, bytes) in store::history::tail(&db).await? {
            tail.push((seq, store::tail::decode(&bytes).map_err(|source| store::Error::Damaged { source })?));
        }
        let heads = Heads::restored(store::history::series(&db).await?, tail);
        let (heads, stuck, trouble) = (Mutex::new(heads), tokio::sync::Mutex::new(None), Mutex::new(None));
        Ok(Self { db, retention, heads, stuck, trouble })
    }

    /// Writes every second until told to stop, and then once more; forgets what is too old every hour.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let forgetting = self.clone().forget_for_ever(stop.clone());
        let writing = async {
            while tokio::time::timeout(FLUSH_EVERY, stop.cancelled()).await.is_err() {
                self.write_and_tell().await;
            }
            self.write_and_tell().await;
        };
        tokio::join!(writing, forgetting);
    }

    /// A failure is told when it begins and when it ends, not every second.
    async fn write_and_tell(&self) {
        let outcome = self.settle().await;
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match (outcome, &*trouble) {
            (Ok(()), Some(_)) => {
                tracing::info!("The history is written again.");
                *trouble = None;
            }
            (Err(error), None) => {
                tracing::error!(error = %chain(&error), "The history can't be written; readings wait in memory.");
                *trouble = Some(chain(&error));
            }
            (Ok(()), None) | (Err(_), Some(_)) => {}
        }
    }

    /// Why readings wait in memory, where they do.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// How many series there are, and how many readings wait for the disk.
    pub fn counts(&self) -> (u32, u32) {
        self.heads().counts()
    }
    /// Where it is kept.
    pub fn db(&self) -> &Db {
        &self.db
    }

    fn heads(&self) -> MutexGuard<'_, Heads> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be written now.
    fn due(&self) -> Write {
        let mut heads = self.heads();
        let forget = heads.tail_needed_from();
        let due = heads.due(clock::now_ms());
        drop(heads);
        let tail = due.tail.map(|(seq, readings)| (seq, store::tail::encode(&readings)));
        Write { series: due.series, tail, seals: due.seals, forget_tail_before: Some(forget) }
    }

    async fn forget_for_ever(self: Arc<Self>, stop: CancellationToken) {
        while tokio::time::timeout(FORGET_EVERY, stop.cancelled()).await.is_err() {
            if let Err(error) = self.forget_old(clock::now_ms()).await {
                tracing::warn!(error = %chain(&error), "Old history could not be forgotten.");
            }
        }
    }

    /// Forgets what is older than its width is kept.
    pub async fn forget_old(&self, now_ms: i64) -> Result<u64, Error> {
        let (series, _) = self.counts();
        let mut gone = 0;
        for first in (0..series).step_by(FORGET_SERIES as usize) {
            for (level_s, days) in self.retention.levels() {
                let before_ms = now_ms - i64::from(days) * 86_400_000;
                let numbers = (first, first + FORGET_SERIES - 1);
                gone += store::history::forget(&self.db, level_s, numbers, before_ms).await?;
            }
        }
        Ok(gone)
    }

    /// A series' number and its unsealed readings. Taken before the disk is asked: what is sealed in between is in both,
    /// and told apart by how far the disk says the series is sealed.
    fn open_samples(&self, series: &SeriesKey, (from_ms, to_ms): (i64, i64)) -> Option<(u32, Vec<Sample>)> {
        let heads = self.heads();
        let id = heads.known(series)?;
        let within = |sample: &&Sample| (from_ms..to_ms).contains(&sample.at_ms);
        Some((id, heads.open(id).iter().filter(within).copied().collect()))
    }
}

#[async_trait]
impl SeriesStore for LocalHistory {
    fn append(&self, readings: &[(Arc<SeriesKey>, Sample)]) -> Appended {
        self.heads().append(readings, clock::now_ms())
    }

    async fn settle(&self) -> Result<(), Error> {
        let mut stuck = self.stuck.lock().await;
        loop {
            let again = stuck.is_some();
            let write = stuck.take().unwrap_or_else(|| self.due());
            if let Err(error) = store::history::write(&self.db, &write).await {
                *stuck = Some(write);
                return Err(error.into());
            }
            self.heads().written(&write.seals);
            if !again {
                return Ok(());
            }
        }
    }

    async fn find(&self, name: &str, labels: &[(&str, &str)]) -> Result<Vec<Arc<SeriesKey>>, Error> {
        let fits = |key: &&Arc<SeriesKey>| labels.iter().all(|(name, value)| key.labels.get(name) == Some(*value));
        Ok(self.heads().named(name).filter(fits).cloned().collect())
    }

    async fn samples(&self, series: &SeriesKey, from_ms: i64, to_ms: i64) -> Result<Vec<Sample>, Error> {
        let Some((id, open)) = self.open_samples(series, (from_ms, to_ms)) else { return Ok(Vec::new()) };
        let Sealed { mut found, sealed_ms } = store::history::samples(&self.db, id, from_ms, to_ms).await?;
        found.extend(open.into_iter().filter(|sample| sealed_ms.is_none_or(|sealed_ms| sample.at_ms > sealed_ms)));
        Ok(found)
    }

    async fn buckets(&self, series: &SeriesKey, times: (i64, i64), step_ms: i64) -> Result<Vec<Bucket>, Error> {
        let step_ms = step_ms.max(1);
        let times = (times.0.div_euclid(step_ms) * step_ms, times.1);
        let of_samples = |samples: &[Sample]| -> Vec<Bucket> {
            samples.iter().map(|sample| Bucket::of(sample.at_ms, sample.value)).collect()
        };
        let kept_days = i64::from(self.retention.readings_days) * 86_400_000;
        if step_ms < READINGS_STEP_MS_MAX && (step_ms < 10_000 || times.0 > clock::now_ms() - kept_days) {
            return Ok(regroup(&of_samples(&self.samples(series, times.0, times.1).await?), step_ms));
        }
        let Some((id, open)) = self.open_samples(series, times) else { return Ok(Vec::new()) };
        let fits = |level_s: &&u32| step_ms % (i64::from(**level_s) * 1_000) == 0;
        let level_s = LEVELS_S.iter().rev().find(fits).copied().unwrap_or(LEVELS_S[0]);
        let Sealed { mut found, sealed_ms } = store::history::buckets(&self.db, id, level_s, times).await?;
        let open: Vec<Sample> =
            open.into_iter().filter(|sample| sealed_ms.is_none_or(|sealed_ms| sample.at_ms > sealed_ms)).collect();
        found.extend(of_samples(&open));
        Ok(regroup(&found, step_ms))
    }
}
