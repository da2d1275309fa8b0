//! Sweeps as jobs: queued in the store, worked on part by part by one worker, cancelled between parts, and gone on with where
//! they stood after a restart.
//!
//! The store is the queue: what is done of a sweep is in it, so that nothing else needs to be remembered.

use crate::clock;
use crate::designs::Designs;
use crate::error::{chain, of_house, of_store, of_task};
use app::api::ApiError;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use model::catalog::Catalog;
use model::design::Design;
use model::id::SweepId;
use model::optimum::{Goal, Point};
use model::run::RunState;
use model::sweep::{SWEEP_NAME_CHARS_MAX, SWEEP_ROWS_MAX, SweepAsk, SweepCreate, SweepDetail, SweepRow, SweepSummary};
use optimize::sweep::{Sweep, ranked, undominated};
use std::io::{Read, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use store::db::Db;
use store::sweep::NewSweep;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Sweeps that may wait, each for the others before it.
const WAITING_MAX: u32 = 16;
/// Rows of a part without a goal: a hundredth of a second of work, so that a cancel is felt at once.
const PART_ROWS: u32 = 1_000;
/// With one, when each row is a search of its own.
const PART_SEARCHES: u32 = 4;
/// Rows that a page is shown of the best, of a frontier, and of one field.
const SHOWN: usize = 200;

/// The worker, and how fast it goes.
#[derive(Debug)]
pub struct Sweeps {
    db: Db,
    designs: Arc<Designs>,
    came: Notify,
    pace: Mutex<Option<Pace>>,
}

/// Since when a sweep is worked on, and how much of it was done then.
#[derive(Debug)]
struct Pace {
    id: SweepId,
    began: Instant,
    done: u32,
}

impl Sweeps {
    /// Starts the worker among `tasks`: it goes on with what the last stop left.
    pub fn spawn(db: Db, designs: Arc<Designs>, stop: CancellationToken, tasks: &mut JoinSet<()>) -> Arc<Self> {
        let sweeps = Arc::new(Self { db, designs, came: Notify::new(), pace: Mutex::default() });
        tasks.spawn(Arc::clone(&sweeps).work(stop));
        sweeps
    }

    /// Queues a sweep; refused where something in it can't be varied, there are too many combinations, or too many wait.
    pub async fn submit(&self, create: &SweepCreate) -> Result<SweepId, ApiError> {
        let name = create.name.trim();
        crate::backend::check_length("name of the sweep", name, SWEEP_NAME_CHARS_MAX)?;
        if name.is_empty() {
            return Err(ApiError::Invalid { reason: "A sweep needs a name.".into() });
        }
        if store::sweep::unsettled(&self.db).await.map_err(of_store)? >= WAITING_MAX {
            return Err(ApiError::Busy { reason: "Too many sweeps wait: let one end, or cancel one.".into() });
        }
        let opened = self.designs.newest(&create.design).await?;
        let design = opened.known.drawn()?;
        let invalid = |reason: String| ApiError::Invalid { reason: crate::error::sentence(&reason) };
        let sweep = Sweep::new(design, self.designs.catalog(), &create.ask).map_err(invalid)?;
        let rows = sweep.count().filter(|rows| *rows <= SWEEP_ROWS_MAX).ok_or_else(|| {
            invalid(format!("more than {SWEEP_ROWS_MAX} combinations: vary less, or in larger steps"))
        })?;
        let created_ms = clock::now_ms();
        let new = NewSweep {
            id: clock::new_id(created_ms).map_err(of_house)?,
            name: name.to_owned(),
            design: create.design.clone(),
            version: opened.stored.version.version,
            ask: sweep.ask().clone(),
            rows: rows as u32,
            created_ms,
        };
        store::sweep::create(&self.db, &new).await.map_err(of_store)?;
        tracing::info!(sweep = %new.id, design = %new.design, rows, "Queued a sweep.");
        self.came.notify_one();
        Ok(new.id)
    }

    /// The newest sweeps, each with how far it is.
    pub async fn list(&self, before: Option<&SweepId>, limit: u32) -> Result<Vec<SweepSummary>, ApiError> {
        let stored = store::sweep::list(&self.db, before, limit).await.map_err(of_store)?;
        Ok(stored.into_iter().map(|summary| self.with_time_left(summary)).collect())
    }

    /// A sweep with how far it is.
    pub async fn summary(&self, id: &SweepId) -> Result<SweepSummary, ApiError> {
        Ok(self.with_time_left(store::sweep::get(&self.db, id).await.map_err(of_store)?))
    }

    /// A sweep, and what it found so far.
    pub async fn detail(&self, id: &SweepId) -> Result<SweepDetail, ApiError> {
        let summary = self.summary(id).await?;
        let rows = self.rows(id).await?;
        let told = tokio::task::spawn_blocking(move || detail(summary, &rows)).await;
        told.map_err(|error| of_task("sort the rows", error))
    }

    /// Every row that is done.
    pub async fn rows(&self, id: &SweepId) -> Result<Vec<SweepRow>, ApiError> {
        let parts = store::sweep::rows(&self.db, id).await.map_err(of_store)?;
        let read = tokio::task::spawn_blocking(move || {
            parts.iter().map(|part| unpacked(part)).collect::<Result<Vec<_>, _>>().map(|parts| parts.concat())
        });
        let read = read.await.map_err(|error| of_task("read the rows", error))?;
        read.map_err(|error| ApiError::Internal { reason: format!("The rows of sweep {id} can't be read: {error}.") })
    }

    /// Stops a sweep; what is done of it stays.
    pub async fn cancel(&self, id: &SweepId) -> Result<(), ApiError> {
        store::sweep::set_cancelled(&self.db, id, clock::now_ms()).await.map_err(of_store)?;
        tracing::info!(sweep = %id, "Cancelled a sweep.");
        Ok(())
    }

    /// Forgets a sweep with its rows.
    pub async fn delete(&self, id: &SweepId) -> Result<(), ApiError> {
        store::sweep::delete(&self.db, id).await.map_err(of_store)
    }

    /// The time left of a sweep that is worked on, if it goes on at its mean pace so far.
    fn with_time_left(&self, mut summary: SweepSummary) -> SweepSummary {
        let pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let own = pace.as_ref().filter(|pace| pace.id == summary.id && summary.done > pace.done);
        if let (RunState::Running { seconds_left, .. }, Some(pace)) = (&mut summary.state, own) {
            let each = pace.began.elapsed().as_secs_f64() / f64::from(summary.done - pace.done);
            *seconds_left = each * f64::from(summary.rows - summary.done);
        }
        summary
    }

    async fn work(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match store::sweep::next(&self.db).await {
                Ok(Some(sweep)) => self.go_on(&sweep, &stop).await,
                Ok(None) => tokio::select! {
                    () = self.came.notified() => {}
                    () = stop.cancelled() => {}
                },
                Err(error) => {
                    tracing::error!(error = %chain(&error), "Could not look for the next sweep.");
                    tokio::select! {
                        () = tokio::time::sleep(std::time::Duration::from_secs(10)) => {}
                        () = stop.cancelled() => {}
                    }
                }
            }
        }
    }

    /// Works on a sweep to its end, or until it is cancelled or the house stops.
    async fn go_on(&self, sweep: &SweepSummary, stop: &CancellationToken) {
        let pace = Pace { id: sweep.id.clone(), began: Instant::now(), done: sweep.done };
        *self.pace.lock().unwrap_or_else(PoisonError::into_inner) = Some(pace);
        match self.parts(sweep, stop).await {
            Ok(()) => {}
            Err(ApiError::Conflict { .. } | ApiError::NotFound { .. }) => {
                tracing::info!(sweep = %sweep.id, "A sweep was cancelled or forgotten under way.");
            }
            Err(error) => {
                tracing::warn!(sweep = %sweep.id, %error, "A sweep failed.");
                let at_ms = clock::now_ms();
                if let Err(error) = store::sweep::set_failed(&self.db, &sweep.id, &error.to_string(), at_ms).await {
                    tracing::error!(error = %chain(&error), "Could not keep how a sweep ended.");
                }
            }
        }
    }

    async fn parts(&self, sweep: &SweepSummary, stop: &CancellationToken) -> Result<(), ApiError> {
        let opened = self.designs.version(&sweep.design, sweep.version).await?;
        let design = Arc::new(opened.known.drawn()?.clone());
        let part = if sweep.ask.goal.is_some() { PART_SEARCHES } else { PART_ROWS };
        let mut done = sweep.done;
        while done < sweep.rows && !stop.is_cancelled() {
            let range = done as usize..(done.saturating_add(part)).min(sweep.rows) as usize;
            let (design, designs, ask, count) =
                (Arc::clone(&design), Arc::clone(&self.designs), sweep.ask.clone(), range.len() as u32);
            let work = move || packed_part(&design, designs.catalog(), &ask, range);
            let packed = tokio::task::spawn_blocking(work).await.map_err(|error| of_task("evaluate a part", error))?;
            let packed = packed.map_err(|reason| ApiError::Internal { reason })?;
            let at_ms = clock::now_ms();
            store::sweep::add_rows(&self.db, &sweep.id, done, (count, &packed), at_ms).await.map_err(of_store)?;
            done += count;
        }
        Ok(())
    }
}

/// Rows of a range, as compressed JSON.
fn packed_part(design: &Design, catalog: &Catalog, ask: &SweepAsk, range: Range<usize>) -> Result<Vec<u8>, String> {
    let rows = Sweep::new(design, catalog, ask)?.rows(range);
    let json = serde_json::to_vec(&rows).map_err(|error| error.to_string())?;
    let mut packing = GzEncoder::new(Vec::new(), Compression::fast());
    packing.write_all(&json).and_then(|()| packing.finish()).map_err(|error| error.to_string())
}

fn unpacked(part: &[u8]) -> Result<Vec<SweepRow>, String> {
    let mut json = Vec::new();
    GzDecoder::new(part).read_to_end(&mut json).map_err(|error| error.to_string())?;
    serde_json::from_slice(&json).map_err(|error| error.to_string())
}

/// What a sweep's rows come to.
fn detail(summary: SweepSummary, rows: &[SweepRow]) -> SweepDetail {
    let goal = summary.ask.goal.unwrap_or(Goal::Tokens);
    let sorted = ranked(rows, goal);
    let by_value = summary.ask.vary.iter().enumerate().map(|(field, vary)| {
        let best = |value: &String| sorted.iter().find(|row| row.values.get(field) == Some(value));
        vary.values.iter().take(SHOWN).filter_map(best).map(|row| (*row).clone()).collect()
    });
    let mut frontier = undominated(rows, &[Goal::Tokens, Goal::TokensPerJoule]);
    frontier.truncate(SHOWN);
    SweepDetail {
        by_value: by_value.collect(),
        frontier,
        feasible: rows.iter().filter(|row| row.point.as_ref().is_some_and(Point::is_feasible)).count() as u32,
        refused: rows.iter().filter(|row| row.point.is_none()).count() as u32,
        refused_why: rows.iter().find_map(|row| row.why.clone()),
        best: sorted.into_iter().take(SHOWN).cloned().collect(),
        summary,
    }
}
