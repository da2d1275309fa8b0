//! Sends our own readings on by remote write 1.0, through a queue on disk.
//!
//! At least once: what was taken is sent again after a crash, and after a receiver's outage from [`Settings::rewind`] before it,
//! since a receiver that is killed loses what it had not yet written. Receivers should drop samples that they have:
//! VictoriaMetrics with `-dedup.minScrapeInterval=1ms`, Prometheus does so by itself. The order within a series is kept.
//!
//! Never: makes whoever appends wait for the network, holds more on disk than the bound, or drops without counting.
//!
//! Read `queue` next: the files and what survives; then `events`, which tells what happened likewise.

pub mod events;
pub mod queue;

use model::reading::SeriesKey;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::query::{Auth, Error, authorized, bare, body, http, start_of, words};
use crate::remote_write::{Point, cut, pack, put_series};
use queue::{Position, Queue};

/// The first wait after a failure, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// No receiver makes us wait longer by `Retry-After`.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(5);
/// How often written samples are forced to the disk, and the position is written.
const SYNC: Duration = Duration::from_secs(1);
/// Longest answer that is read: it is only quoted.
const ANSWER_MAX: usize = 64 << 10;
/// A batch with a bad part is cut in two until the part is found, with so many requests at most.
const HALVINGS_MAX: u32 = 64;

/// How readings are sent on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where to: `http://victoria:8428/api/v1/write`.
    pub url: Url,
    /// Who we are.
    pub auth: Auth,
    /// Folder of the queue, which belongs to it alone.
    pub folder: PathBuf,
    /// Most bytes on disk; beyond them the oldest are dropped.
    pub bytes_max: u64,
    /// Most samples of a request.
    pub batch_max: u32,
    /// How long it is waited after a request that was not full, so that the next one is fuller.
    pub linger: Duration,
    /// Longest time of a request.
    pub timeout: Duration,
    /// How much that a receiver took is sent again once it answers after an outage.
    pub rewind: Duration,
}

impl Settings {
    /// The usual: 1 GiB on disk, 10 000 samples a request, a second of waiting, 30 seconds a request, 10 seconds sent again.
    pub fn of(url: Url, folder: PathBuf) -> Self {
        Self {
            url,
            auth: Auth::None,
            folder,
            bytes_max: 1 << 30,
            batch_max: 10_000,
            linger: Duration::from_secs(1),
            timeout: Duration::from_secs(30),
            rewind: Duration::from_secs(10),
        }
    }
}

/// How sending on goes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Status {
    /// Where to, secrets left out.
    pub target: String,
    /// Bytes that wait.
    pub queued_bytes: u64,
    /// Samples that wait.
    pub queued_samples: u64,
    /// Age of the oldest that waits, milliseconds.
    pub oldest_age_ms: Option<i64>,
    /// Samples that were taken by the receiver, those sent again counted again.
    pub sent: u64,
    /// Requests that were taken.
    pub requests: u64,
    /// Tries that are to be repeated.
    pub retries: u64,
    /// Samples that the receiver refused.
    pub refused: u64,
    /// Samples that were dropped, the oldest first, because the queue was full.
    pub overflowed: u64,
    /// Samples that could not be written to disk.
    pub unwritten: u64,
    /// Pieces of the queue's files that could not be read back.
    pub damaged: u64,
    /// When the receiver last took something, milliseconds since 1970 UTC.
    pub last_sent_ms: Option<i64>,
    /// Whether the last request was taken.
    pub up: bool,
    /// The last thing that went wrong, in words.
    pub last_error: Option<String>,
}

/// One reading on its way.
pub type Reading = (Arc<SeriesKey>, i64, f64);

/// Takes readings, and sends them on.
#[derive(Debug)]
pub struct Forwarder {
    settings: Settings,
    http: reqwest::Client,
    shared: Mutex<Shared>,
    filled: Notify,
}

#[derive(Debug)]
struct Shared {
    queue: Queue,
    status: Status,
}

impl Forwarder {
    /// Opens the queue where it was left.
    pub fn open(settings: Settings) -> Result<Self, Problem> {
        let http = http(&settings.url, settings.timeout).map_err(Problem::Address)?;
        let queue = Queue::open(&settings.folder, settings.bytes_max)?;
        let status = Status { target: bare(&settings.url), ..Status::default() };
        Ok(Self { settings, http, shared: Mutex::new(Shared { queue, status }), filled: Notify::new() })
    }
    /// Takes readings of any series; those of one series in the order of their times. They have been handed to the system
    /// when it returns, and to the disk within a second. A value that is NaN ends its series.
    pub fn append(&self, readings: &[Reading]) {
        for part in readings.chunks(self.settings.batch_max.max(1) as usize) {
            let mut message = Vec::with_capacity(part.len() * 128);
            for (key, at_ms, value) in part {
                put_series(&mut message, key, &[Point { at_ms: *at_ms, value: (!value.is_nan()).then_some(*value) }]);
            }
            let packed = pack(&message).map_err(|error| error.to_string());
            let mut shared = self.shared();
            let written = packed.and_then(|packed| {
                shared.queue.append(now_ms(), part.len() as u32, &packed).map_err(|error| error.to_string())
            });
            if let Err(error) = written {
                shared.status.unwritten += part.len() as u64;
                shared.status.last_error = Some(error);
            }
        }
        self.filled.notify_one();
    }
    /// How it goes.
    pub fn status(&self) -> Status {
        let shared = self.shared();
        let waiting = shared.queue.waiting();
        Status {
            queued_bytes: waiting.bytes,
            queued_samples: waiting.samples,
            oldest_age_ms: waiting.oldest_ms.map(|at_ms| (now_ms() - at_ms).max(0)),
            overflowed: shared.queue.overflowed(),
            damaged: shared.queue.damaged(),
            ..shared.status.clone()
        }
    }
    /// Sends until told to stop; what waits then is sent after the next start.
    pub async fn run(&self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.send_on() => {}
            () = self.sync_on() => {}
        }
        self.sync();
    }

    async fn send_on(&self) {
        // What the receiver took lately: when, and from which position on.
        let mut taken: VecDeque<(Instant, Position)> = VecDeque::new();
        loop {
            while taken.front().is_some_and(|(at, _)| at.elapsed() >= self.settings.rewind) {
                taken.pop_front();
            }
            let kept = taken.front().map(|(_, from)| *from);
            let next = {
                let mut shared = self.shared();
                shared.queue.keep_from(kept);
                shared.queue.read(self.settings.batch_max)
            };
            let Some(batch) = next else {
                self.filled.notified().await;
                continue;
            };
            let outage = self.deliver(&batch).await;
            let before = taken.front().map(|(_, from)| *from).filter(|_| outage);
            self.shared().queue.advance(batch.to);
            if let Some(from) = before {
                // It may have lost what it took just before it went away.
                taken.clear();
                self.shared().queue.rewind(from);
            } else {
                taken.push_back((Instant::now(), batch.from));
            }
            if batch.samples < u64::from(self.settings.batch_max) {
                tokio::time::sleep(self.settings.linger).await;
            }
        }
    }
    /// Sends a batch until it is taken or refused. Whether the receiver was away meanwhile.
    async fn deliver(&self, batch: &queue::Read) -> bool {
        let (mut parts, mut requests, mut outage) = (VecDeque::from([batch.message.clone()]), 0, false);
        while let Some(message) = parts.pop_front() {
            let series = cut(&message).unwrap_or_default();
            let samples = series.len() as u64;
            match self.until_answered(&message, &mut outage).await {
                Ok(()) => self.shared().status.sent += samples,
                // A bad sample makes the receiver refuse all that came with it: it is found, so that the others go on.
                Err(Error::Refused { status: 400 | 413, .. }) if samples > 1 && requests < HALVINGS_MAX => {
                    let (left, right) = series.split_at(series.len() / 2);
                    parts.push_front(right.concat());
                    parts.push_front(left.concat());
                }
                Err(error) => {
                    let mut shared = self.shared();
                    // What it has taken before, and is only sent again, is no loss.
                    if batch.from >= shared.queue.furthest() {
                        shared.status.refused += samples;
                        shared.status.last_error = Some(format!("{samples} samples were dropped: {error}"));
                        tracing::error!(target = %shared.status.target, samples, error = %error, "Samples were refused.");
                    }
                }
            }
            requests += 1;
        }
        outage
    }
    /// Sends a request again and again until the answer is no or yes.
    async fn until_answered(&self, message: &[u8], outage: &mut bool) -> Result<(), Error> {
        let packed = pack(message).map_err(|error| Error::Asked(error.to_string()))?;
        let mut wait = BACKOFF.0;
        loop {
            let (error, after) = match self.request(packed.clone()).await {
                Ok(()) => {
                    let mut shared = self.shared();
                    shared.status.requests += 1;
                    (shared.status.up, shared.status.last_sent_ms) = (true, Some(now_ms()));
                    return Ok(());
                }
                Err((error, after)) => (error, after),
            };
            match error {
                Error::Refused { status, .. } if status != 429 && status < 500 => return Err(error),
                Error::Address { .. } | Error::Asked(_) => return Err(error),
                Error::Unreachable(_) | Error::Refused { status: 502..=504, .. } => *outage = true,
                Error::Refused { .. } | Error::Secret { .. } | Error::TooLong { .. } | Error::Answer(_) => {}
            }
            {
                let mut shared = self.shared();
                shared.status.retries += 1;
                (shared.status.up, shared.status.last_error) = (false, Some(error.to_string()));
            }
            // Half of it by chance, so that not all senders come back at once.
            let jittered = wait.mul_f64(0.5 + 0.5 * chance());
            tokio::time::sleep(after.unwrap_or_default().min(RETRY_AFTER_MAX).max(jittered)).await;
            wait = (wait * 2).min(BACKOFF.1);
        }
    }
    async fn request(&self, packed: Vec<u8>) -> Result<(), (Error, Option<Duration>)> {
        let request = self
            .http
            .post(self.settings.url.clone())
            .header("Content-Type", "application/x-protobuf")
            .header("Content-Encoding", "snappy")
            .header("X-Prometheus-Remote-Write-Version", "0.1.0");
        let request = authorized(request, &self.settings.auth).await.map_err(|error| (error, None))?;
        let sent = request.body(packed).send().await.map_err(|error| (Error::Unreachable(words(error)), None));
        let response = sent?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let after = response.headers().get("Retry-After").and_then(|after| retry_after(after.to_str().ok()?));
        let said = body(response, ANSWER_MAX).await.unwrap_or_default();
        Err((Error::Refused { status: status.as_u16(), kind: String::new(), why: start_of(&said) }, after))
    }
    /// Forces to the disk what was written, each second.
    async fn sync_on(&self) {
        let mut ticks = tokio::time::interval(SYNC);
        loop {
            ticks.tick().await;
            let file = self.shared().queue.unsynced();
            if let Some(file) = file {
                // The lock is not held: nobody waits for the disk. An error shows at the next write.
                let _ = tokio::task::spawn_blocking(move || file.sync_data()).await;
            }
            self.note_position();
        }
    }
    fn sync(&self) {
        if let Some(file) = self.shared().queue.unsynced() {
            let _ = file.sync_data();
        }
        self.note_position();
    }
    fn note_position(&self) {
        let mut shared = self.shared();
        if let Err(error) = shared.queue.note_position() {
            shared.status.last_error = Some(error.to_string());
        }
    }
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why the queue can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The address.
    #[error(transparent)]
    Address(Error),
    /// A file.
    #[error("{} can't be {what}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What was to be done with it.
        what: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Another has the queue open.
    #[error("the queue in {} is in use by another process", folder.display())]
    InUse {
        /// Its folder.
        folder: PathBuf,
    },
}

/// Seconds, or a date as HTTP writes it.
fn retry_after(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    // `Wed, 21 Oct 2015 07:28:00 GMT`
    let parts: Vec<&str> = text.split_whitespace().collect();
    let [_, day, month, year, clock, "GMT"] = parts.as_slice() else { return None };
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = i64::try_from(months.iter().position(|name| name == month)?).ok()? + 1;
    let (day, year) = (day.parse::<u8>().ok()?, year.parse::<u16>().ok()?);
    let clock: Vec<u8> = clock.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [hour, minute, second] = clock.as_slice() else { return None };
    let (year, month) = if month > 2 { (i64::from(year), month - 3) } else { (i64::from(year) - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + i64::from(day) - 1 - 719_468;
    let at_s = ((days * 24 + i64::from(*hour)) * 60 + i64::from(*minute)) * 60 + i64::from(*second);
    Some(Duration::from_millis((at_s * 1_000 - now_ms()).max(0).cast_unsigned()))
}

/// From 0 to 1, by the hasher's own keys: good enough to part senders.
fn chance() -> f64 {
    use std::hash::{BuildHasher, Hasher};
    (std::hash::RandomState::new().build_hasher().finish() >> 11) as f64 / (1_u64 << 53) as f64
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

#[cfg(test)]
mod tests;
