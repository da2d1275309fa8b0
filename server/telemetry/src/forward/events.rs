//! Tells another house what happened here: events as JSON over HTTP, through a bounded file.
//!
//! At least once: what was not answered for is told again, after a restart too; the house keeps an event that is told
//! twice, word for word, once. What a house refuses is found among its neighbours, dropped and counted.
//!
//! Never: makes whoever appends wait for the network, holds more events than the bound, or drops without counting.

use super::{ANSWER_MAX, BACKOFF, Problem, RETRY_AFTER_MAX, chance, now_ms, retry_after};
use crate::query::{Auth, Error, authorized, bare, body, http, start_of, words};
use model::event::FleetEvent;
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Events of one request: well under the size that a house takes.
const BATCH_MAX: usize = 200;

/// How events are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSettings {
    /// Where to: `http://house:8080/api/v1/fleet/happened`.
    pub url: Url,
    /// Who we are.
    pub auth: Auth,
    /// The file in which they wait, which belongs to it alone.
    pub file: PathBuf,
    /// Most events that wait; beyond them the oldest are dropped.
    pub events_max: usize,
    /// Longest time of a request.
    pub timeout: Duration,
}

impl EventSettings {
    /// The usual: 10 000 events, some 3 MB, and 30 seconds a request.
    pub fn of(url: Url, file: PathBuf) -> Self {
        Self { url, auth: Auth::None, file, events_max: 10_000, timeout: Duration::from_secs(30) }
    }
}

/// How telling goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventStatus {
    /// Where to, secrets left out.
    pub target: String,
    /// Events that wait.
    pub waiting: u64,
    /// Events that were taken.
    pub sent: u64,
    /// Events that the house refused.
    pub refused: u64,
    /// Events that were dropped, the oldest first, because too many waited.
    pub overflowed: u64,
    /// Lines of the file that could not be read back.
    pub damaged: u64,
    /// Whether the last request was taken.
    pub up: bool,
    /// When the house last took something, milliseconds since 1970 UTC.
    pub last_sent_ms: Option<i64>,
    /// The last thing that went wrong, in words.
    pub last_error: Option<String>,
}

/// Takes events, and tells them.
#[derive(Debug)]
pub struct EventForwarder {
    settings: EventSettings,
    http: reqwest::Client,
    shared: Mutex<Shared>,
    filled: Notify,
}

#[derive(Debug)]
struct Shared {
    waiting: VecDeque<FleetEvent>,
    /// The number of the first that waits, counted from the start.
    first: u64,
    file: File,
    /// Lines in the file, those of events that no longer wait too.
    lines: usize,
    status: EventStatus,
}

/// Whose fault it is that a request was not taken.
enum Fault {
    /// Its events': some of them will never be taken.
    Events(Error),
    /// The way's or the house's, for now; it may say when to come again.
    Way(Error, Option<Duration>),
}

impl EventForwarder {
    /// Opens the file where it was left.
    pub fn open(settings: EventSettings) -> Result<Self, Problem> {
        let http = http(&settings.url, settings.timeout).map_err(Problem::Address)?;
        let failed = |what| {
            let path = settings.file.clone();
            move |source| Problem::File { path, what, source }
        };
        if let Some(folder) = settings.file.parent() {
            fs::create_dir_all(folder).map_err(failed("made"))?;
        }
        let kept = match fs::read(&settings.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read.map_err(failed("read"))?,
        };
        let lines = || kept.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let mut waiting: VecDeque<FleetEvent> = lines().filter_map(|line| serde_json::from_slice(line).ok()).collect();
        let damaged = (lines().count() - waiting.len()) as u64;
        let overflowed = waiting.len().saturating_sub(settings.events_max);
        waiting.drain(..overflowed);
        let file = written(&settings.file, &waiting).map_err(failed("written"))?;
        let target = bare(&settings.url);
        let status = EventStatus { target, damaged, overflowed: overflowed as u64, ..EventStatus::default() };
        let shared = Shared { lines: waiting.len(), waiting, first: 0, file, status };
        Ok(Self { settings, http, shared: Mutex::new(shared), filled: Notify::new() })
    }

    /// Takes an event. It has been handed to the system when this returns.
    pub fn append(&self, event: FleetEvent) {
        let mut shared = self.shared();
        if let Err(error) = shared.put(event, &self.settings) {
            let words = format!("{} can't be written: {error}", self.settings.file.display());
            shared.status.last_error = Some(words);
        }
        drop(shared);
        self.filled.notify_one();
    }

    /// How it goes.
    pub fn status(&self) -> EventStatus {
        let shared = self.shared();
        EventStatus { waiting: shared.waiting.len() as u64, ..shared.status.clone() }
    }

    /// Tells until told to stop; what waits then is told after the next start.
    pub async fn run(&self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.tell_on() => {}
        }
        // An error showed at the write before.
        let _ = self.shared().file.sync_data();
    }

    async fn tell_on(&self) {
        let (mut most, mut wait) = (BATCH_MAX, BACKOFF.0);
        loop {
            let (first, batch) = {
                let shared = self.shared();
                (shared.first, shared.waiting.iter().take(most).cloned().collect::<Vec<_>>())
            };
            if batch.is_empty() {
                self.filled.notified().await;
                continue;
            }
            let count = batch.len();
            match self.request(&batch).await {
                Ok(()) => {
                    self.taken(first, count);
                    (most, wait) = ((most * 2).min(BATCH_MAX), BACKOFF.0);
                }
                // One that will never be taken makes the house refuse all that came with it: it is found.
                Err(Fault::Events(_)) if count > 1 => most = count / 2,
                Err(Fault::Events(error)) => {
                    self.refused(first, &error);
                    most = (most * 2).min(BATCH_MAX);
                }
                Err(Fault::Way(error, after)) => {
                    self.failed(&error);
                    // Half of it by chance, so that not all agents come back at once.
                    let jittered = wait.mul_f64(0.5 + 0.5 * chance());
                    tokio::time::sleep(after.unwrap_or_default().min(RETRY_AFTER_MAX).max(jittered)).await;
                    wait = (wait * 2).min(BACKOFF.1);
                }
            }
        }
    }

    async fn request(&self, batch: &[FleetEvent]) -> Result<(), Fault> {
        let json = serde_json::to_vec(batch).map_err(|error| Fault::Events(Error::Asked(error.to_string())))?;
        let request = self.http.post(self.settings.url.clone()).header("Content-Type", "application/json").body(json);
        let request = authorized(request, &self.settings.auth).await.map_err(|error| Fault::Way(error, None))?;
        let response = request.send().await.map_err(|error| Fault::Way(Error::Unreachable(words(error)), None))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let after = response.headers().get("Retry-After").and_then(|after| retry_after(after.to_str().ok()?));
        let said = body(response, ANSWER_MAX).await.unwrap_or_default();
        let error = Error::Refused { status: status.as_u16(), kind: String::new(), why: start_of(&said) };
        // Another address, a name or a right that is missing is no fault of the events: they wait until it is mended.
        Err(match status.as_u16() {
            400 | 413 | 422 => Fault::Events(error),
            _ => Fault::Way(error, after),
        })
    }

    fn taken(&self, first: u64, count: usize) {
        let mut shared = self.shared();
        shared.forget(first + count as u64);
        shared.status.sent += count as u64;
        (shared.status.up, shared.status.last_sent_ms) = (true, Some(now_ms()));
        self.write(&mut shared);
    }

    fn failed(&self, error: &Error) {
        let mut shared = self.shared();
        (shared.status.up, shared.status.last_error) = (false, Some(error.to_string()));
    }

    fn refused(&self, first: u64, error: &Error) {
        let mut shared = self.shared();
        shared.forget(first + 1);
        shared.status.refused += 1;
        shared.status.last_error = Some(format!("an event was dropped: {error}"));
        tracing::error!(target = %shared.status.target, error = %error, "An event was refused.");
        self.write(&mut shared);
    }

    fn write(&self, shared: &mut Shared) {
        match written(&self.settings.file, &shared.waiting) {
            Ok(file) => (shared.file, shared.lines) = (file, shared.waiting.len()),
            // The file still has them: after a restart they are told again, and kept once.
            Err(error) => shared.status.last_error = Some(error.to_string()),
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn put(&mut self, event: FleetEvent, settings: &EventSettings) -> io::Result<()> {
        let mut line = serde_json::to_vec(&event)?;
        line.push(b'\n');
        self.waiting.push_back(event);
        if self.waiting.len() > settings.events_max {
            self.waiting.pop_front();
            (self.first, self.status.overflowed) = (self.first + 1, self.status.overflowed + 1);
        }
        if self.lines > settings.events_max.saturating_mul(2) {
            (self.file, self.lines) = (written(&settings.file, &self.waiting)?, self.waiting.len());
            return Ok(());
        }
        self.lines += 1;
        self.file.write_all(&line)
    }

    /// Lets go of what comes before that number; an overflow may have done so already.
    fn forget(&mut self, before: u64) {
        let count = before.saturating_sub(self.first).min(self.waiting.len() as u64);
        self.waiting.drain(..count as usize);
        self.first += count;
    }
}

/// The events as a new file in the place of the old, open for more. Written beside and moved, so that it is whole at any time.
fn written(path: &Path, events: &VecDeque<FleetEvent>) -> io::Result<File> {
    let beside = path.with_extension("new");
    let mut text = Vec::new();
    for event in events {
        serde_json::to_writer(&mut text, event)?;
        text.push(b'\n');
    }
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).open(&beside)?;
    file.write_all(&text)?;
    file.sync_data()?;
    fs::rename(&beside, path)?;
    OpenOptions::new().append(true).open(path)
}

#[cfg(test)]
mod tests;
