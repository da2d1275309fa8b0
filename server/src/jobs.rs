//! Years that run for a while: a bounded queue, one worker, progress with time left, cancel, and a kept result.
//!
//! The store knows each run's state as it would be found after a crash; this room knows how far a run is right now.
//! Whoever asks looks here first and in the store after: a run leaves this room only once the store has its end.

use crate::brought::{self, Brought, Files};
use crate::clock;
use crate::designs::Designs;
use crate::error::{chain, of_house, of_store, of_task, panic_words};
use app::api::ApiError;
use model::id::RunId;
use model::input::InputKind;
use model::quantity::Span;
use model::report::Report;
use model::run::{RunRequest, RunState};
use model::scenario::Scenario;
use model::site::Site;
use model::trace::Trace;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use store::db::Db;
use store::run::NewRun;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Runs that may wait: at the slowest, a year in steps of a minute, the last of them starts within a few minutes.
pub const QUEUE_SIZE: usize = 32;
/// Years worked out for a page at the same time: one core for them, one for the worker.
const PAGE_YEARS: usize = 1;
/// Pages that may wait for their year: at hourly steps, the last of them waits for about a second.
const PAGE_YEARS_WAITING: usize = 8;

/// The runs that are queued or under way.
#[derive(Debug)]
pub struct Jobs {
    db: Db,
    designs: Arc<Designs>,
    desk: Mutex<Desk>,
    came: Notify,
    places: Arc<Semaphore>,
    page_years: Semaphore,
    page_places: Semaphore,
    /// Whether the worker has not ended.
    working: AtomicBool,
    stop: CancellationToken,
}

#[derive(Debug, Default)]
struct Desk {
    waiting: VecDeque<Waiting>,
    live: BTreeMap<RunId, Arc<Live>>,
}

/// A run that waits, and its place in the queue; runs from before the last stop have none.
#[derive(Debug)]
struct Waiting {
    id: RunId,
    _place: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
struct Live {
    state: watch::Sender<RunState>,
    cancelled: AtomicBool,
}

/// How the work on a run ended.
enum End {
    Report(Box<Report>),
    BrokenOff,
    Failed(String),
}

impl Jobs {
    /// Opens the queue with what the last stop left in it, and starts the worker among `tasks`.
    pub async fn spawn(
        db: Db,
        designs: Arc<Designs>,
        queue_size: usize,
        stop: CancellationToken,
        tasks: &mut JoinSet<()>,
    ) -> Result<Arc<Self>, store::Error> {
        let left = store::run::requeue_unsettled(&db).await?;
        let jobs = Arc::new(Self {
            db,
            designs,
            desk: Mutex::default(),
            came: Notify::new(),
            places: Arc::new(Semaphore::new(queue_size)),
            page_years: Semaphore::new(PAGE_YEARS),
            page_places: Semaphore::new(PAGE_YEARS + PAGE_YEARS_WAITING),
            working: AtomicBool::new(true),
            stop,
        });
        for id in left {
            tracing::warn!(run = %id, "Queued again: it had not ended when Millwright stopped.");
            jobs.queue(id, None);
        }
        tasks.spawn(Arc::clone(&jobs).work());
        Ok(jobs)
    }

    /// Queues a run; refused where the design is infeasible, a file is not there or the queue is full.
    pub async fn submit(&self, request: &RunRequest) -> Result<RunId, ApiError> {
        check_step(request.step_minutes)?;
        let opened = match request.version {
            Some(version) => self.designs.version(&request.design, version).await?,
            None => self.designs.newest(&request.design).await?,
        };
        self.designs.site_for(&opened, request).await?;
        self.check_inputs(request).await?;
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Err(ApiError::Busy { reason: "The queue is full: wait for a run to end, or cancel one.".into() });
        };
        let created_ms = clock::now_ms();
        let id = clock::new_run_id(created_ms).map_err(of_house)?;
        let new = NewRun { id, version: opened.stored.version.version, request: request.clone(), created_ms };
        store::run::create(&self.db, &new).await.map_err(of_store)?;
        tracing::info!(run = %new.id, design = %request.design, version = new.version, "Queued a run.");
        self.queue(new.id.clone(), Some(place));
        Ok(new.id)
    }

    /// Files that a run names are there, and are what it takes them for.
    async fn check_inputs(&self, request: &RunRequest) -> Result<(), ApiError> {
        for (kind, id) in request.inputs() {
            let found = store::input::get(&self.db, id).await.map_err(|error| {
                if matches!(error, store::Error::NoInput { .. }) {
                    ApiError::Invalid { reason: format!("`{kind}`: there is no input file \"{id}\".") }
                } else {
                    of_store(error)
                }
            })?;
            if found.kind != kind {
                let reason = format!("`{kind}`: the file \"{}\" was brought as {}.", found.name, found.kind);
                return Err(ApiError::Invalid { reason });
            }
        }
        Ok(())
    }

    /// The files of a run, as they were brought.
    async fn files(&self, request: &RunRequest) -> Result<Files, ApiError> {
        let mut files = Files { requests_series: request.requests_series.clone(), ..Files::default() };
        for (kind, id) in request.inputs() {
            let content = store::input::content(&self.db, id).await.map_err(of_store)?;
            let brought = Some(Brought { name: content.name, bytes: content.bytes });
            match kind {
                InputKind::Weather => files.weather = brought,
                InputKind::Price => files.prices = brought,
                InputKind::Carbon => files.carbon = brought,
                InputKind::Requests => files.requests = brought,
            }
        }
        Ok(files)
    }

    /// Stops a run. Whoever watches it is told at once; the worker lets go of it within a few hundred steps.
    pub async fn cancel(&self, id: &RunId) -> Result<(), ApiError> {
        store::run::set_cancelled(&self.db, id, clock::now_ms()).await.map_err(of_store)?;
        tracing::info!(run = %id, "Cancelled a run.");
        self.settle(id, RunState::Cancelled);
        Ok(())
    }

    /// How far a run is and becomes, if it is queued or under way.
    pub fn watch(&self, id: &RunId) -> Option<watch::Receiver<RunState>> {
        self.desk().live.get(id).map(|live| live.state.subscribe())
    }

    /// Works a year out for a page that waits for it. Stops where the page stops waiting.
    pub async fn year(&self, site: Arc<Site>, step_minutes: u32, seed: u64) -> Result<Trace, ApiError> {
        let busy = || ApiError::Busy { reason: "Too many pages ask for a year at once: try again.".into() };
        let _place = self.page_places.try_acquire().map_err(|_| busy())?;
        let _turn = self.page_years.acquire().await.map_err(|_| busy())?;
        let gone = CancellationToken::new();
        let _guard = gone.clone().drop_guard();
        let stop = self.stop.clone();
        let work = move || {
            let scenario = sim::defaults::scenario(&site, Span::from_minutes(f64::from(step_minutes)), seed);
            let mut told = |_| {
                if gone.is_cancelled() || stop.is_cancelled() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            sim::simulate_with(&site, &scenario, &mut told)
        };
        let trace = tokio::task::spawn_blocking(work).await.map_err(|error| of_task("simulate the year", error))?;
        trace.ok_or_else(|| ApiError::Busy { reason: "Millwright is stopping.".into() })
    }

    /// How many runs wait, and how many are under way.
    pub fn counts(&self) -> (u32, u32) {
        let desk = self.desk();
        (desk.waiting.len() as u32, (desk.live.len() - desk.waiting.len().min(desk.live.len())) as u32)
    }
    /// Whether what waits will be taken up.
    pub fn is_up(&self) -> bool {
        self.working.load(Ordering::Relaxed) && !self.stop.is_cancelled()
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self, id: RunId, place: Option<OwnedSemaphorePermit>) {
        let live = Live { state: watch::Sender::new(RunState::Queued), cancelled: AtomicBool::new(false) };
        let mut desk = self.desk();
        desk.live.insert(id.clone(), Arc::new(live));
        desk.waiting.push_back(Waiting { id, _place: place });
        self.came.notify_one();
    }

    /// Takes a run off the desk and tells whoever watches it how it ended. The store knows already.
    fn settle(&self, id: &RunId, end: RunState) {
        let mut desk = self.desk();
        desk.waiting.retain(|waiting| waiting.id != *id);
        if let Some(live) = desk.live.remove(id) {
            live.cancelled.store(matches!(end, RunState::Cancelled), Ordering::Relaxed);
            live.state.send_replace(end);
        }
    }

    /// The worker: one run after another, until the house is told to stop.
    async fn work(self: Arc<Self>) {
        let _ended = Ended(Arc::clone(&self));
        while !self.stop.is_cancelled() {
            let next = {
                let mut desk = self.desk();
                desk.waiting
                    .pop_front()
                    .and_then(|waiting| Some((waiting.id.clone(), desk.live.get(&waiting.id).cloned()?)))
            };
            if let Some((id, live)) = next {
                self.run(&id, live).await;
            } else {
                tokio::select! {
                    () = self.came.notified() => {}
                    () = self.stop.cancelled() => {}
                }
            }
        }
    }

    async fn run(&self, id: &RunId, live: Arc<Live>) {
        let end = match self.run_to_end(id, live).await {
            Ok(end) => end,
            Err(error) => End::Failed(error.to_string()),
        };
        let kept = match end {
            End::BrokenOff => return, // cancelled: settled already; stopping: queued again at the next start
            End::Report(report) => self.keep(id, &report).await,
            End::Failed(reason) => self.fail(id, reason).await,
        };
        match kept {
            Ok(state) => self.settle(id, state),
            Err(store::Error::RunSettled { state, .. }) => tracing::debug!(run = %id, state, "Ended twice."),
            Err(error) => {
                tracing::error!(run = %id, error = %chain(&error), "Could not keep how a run ended.");
                self.settle(id, RunState::Failed { reason: format!("The result could not be kept: {error}.") });
            }
        }
    }

    async fn run_to_end(&self, id: &RunId, live: Arc<Live>) -> Result<End, ApiError> {
        let run = store::run::get(&self.db, id).await.map_err(of_store)?;
        let opened = self.designs.version(&run.design, run.version).await?;
        let site = self.designs.site_for(&opened, &run.request).await?;
        let files = self.files(&run.request).await?;
        match store::run::set_running(&self.db, id).await {
            Ok(()) => {}
            Err(store::Error::RunSettled { .. }) => return Ok(End::BrokenOff),
            Err(error) => return Err(of_store(error)),
        }
        let stop = self.stop.clone();
        let work = move || report_of_year(&site, &run.request, &files, &live, &stop);
        Ok(match tokio::task::spawn_blocking(work).await {
            Ok(Ok(Some(report))) => End::Report(Box::new(report)),
            Ok(Ok(None)) => End::BrokenOff,
            Ok(Err(error)) => End::Failed(format!("A file can't be used: {}.", chain(&error))),
            Err(error) => End::Failed(format!("The simulation stopped: {}.", panic_words(error))),
        })
    }

    async fn keep(&self, id: &RunId, report: &Report) -> Result<RunState, store::Error> {
        match store::run::set_done(&self.db, id, report, clock::now_ms()).await {
            Ok(()) => Ok(RunState::Done),
            Err(error @ store::Error::Report { .. }) => self.fail(id, chain(&error)).await,
            Err(error) => Err(error),
        }
    }

    async fn fail(&self, id: &RunId, reason: String) -> Result<RunState, store::Error> {
        tracing::warn!(run = %id, reason, "A run failed.");
        store::run::set_failed(&self.db, id, &reason, clock::now_ms()).await?;
        Ok(RunState::Failed { reason })
    }
}

/// Says that the worker has ended, however it came to that.
struct Ended(Arc<Jobs>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.working.store(false, Ordering::Relaxed);
    }
}

impl Live {
    /// How far it is, and the time left if it goes on at its mean pace so far.
    fn tell(&self, progress: f64, began: Instant) {
        let seconds_left = if progress > 0.0 { began.elapsed().as_secs_f64() * (1.0 / progress - 1.0) } else { 0.0 };
        self.state.send_if_modified(|state| {
            let ended = state.is_final();
            if !ended {
                *state = RunState::Running { progress, seconds_left };
            }
            !ended
        });
    }
}

/// The whole work of a run, on a thread of its own; `None` where it was broken off.
fn report_of_year(
    site: &Site,
    request: &RunRequest,
    files: &Files,
    live: &Live,
    stop: &CancellationToken,
) -> Result<Option<Report>, input::Error> {
    let began = Instant::now();
    let scenario = brought::scenario(site, request.step_minutes, request.seed, files)?;
    let hash = input_hash(site, &scenario);
    let mut told = |progress| {
        live.tell(progress, began);
        if live.cancelled.load(Ordering::Relaxed) || stop.is_cancelled() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let trace = sim::simulate_with(site, &scenario, &mut told);
    Ok(trace
        .map(|trace| sim::drivers::report_with_improvements(site, &scenario, &trace, env!("CARGO_PKG_VERSION"), &hash)))
}

/// Steps fill an hour exactly, so that every input lands on the same clock.
pub fn check_step(step_minutes: u32) -> Result<(), ApiError> {
    if (1..=60).contains(&step_minutes) && 60 % step_minutes == 0 {
        return Ok(());
    }
    Err(ApiError::Invalid {
        reason: format!(
            "A step can't be {step_minutes} minutes: it must divide an hour (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30 or 60)."
        ),
    })
}

/// SHA-256, in hexadecimal, of the JSON of a site and its scenario: what a run's result depends on, besides the
/// program. Fields stand in the order of their structs and numbers in their shortest form, so equal inputs hash equal.
pub fn input_hash(site: &Site, scenario: &Scenario) -> String {
    let mut hashing = Hashing(Sha256::new());
    let mut json = serde_json::Serializer::new(&mut hashing);
    if let Err(error) = (site, scenario).serialize(&mut json) {
        unreachable!("hashing can't fail, and every value of the vocabulary has a JSON: {error}");
    }
    hashing.0.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}"); // writing to a string can't fail
        hex
    })
}

struct Hashing(Sha256);

impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
