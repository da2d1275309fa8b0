//! Replays as pages and programs ask for them: requests made up or read, run on a thread of their own, kept.

use crate::backend::{House, check_length};
use crate::clock;
use crate::error::{of_house, of_input, of_store, of_task, sentence};
use crate::replay::{self, Parts};
use app::api::ApiError;
use flate2::Compression;
use flate2::write::GzEncoder;
use input::RequestList;
use model::catalog::Catalog;
use model::id::ReplayId;
use model::input::{FILE_BYTES_MAX, FILE_NAME_CHARS_MAX};
use model::replay::{
    MadeUpKind, REPLAY_NAME_CHARS_MAX, REPLAY_REQUESTS_MAX, ReplayCreate, ReplayDesk, ReplayDetail, ReplayRequests,
    ReplaySetup, ReplaySummary, RequestSource,
};
use sim::replay::made_up::{self, RATES_PER_S};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use store::replay::NewReplay;
use tokio::sync::Semaphore;

/// Replays that run at the same time: a million requests take some 200 MB and a second of one core.
const AT_ONCE: usize = 1;
/// Replays that wait for their turn, each with its trace in memory; more are refused.
const WAITING: usize = 4;
/// Longest that one is waited for. It is a defect where one takes as long, and not a large replay.
const TIME_MAX: Duration = Duration::from_mins(2);
/// Replays in the list of the page; older ones are reached by their link.
const LISTED: u32 = 100;
/// Most GPUs by each way of splitting a model.
const SPLIT_MAX: u32 = 1_024;
/// Longest time that a target may be, ms: an hour.
const TARGET_MAX_MS: f64 = 3_600_000.0;

/// Room for replays under way.
#[derive(Debug)]
pub struct Replays {
    /// Those that run.
    turns: Arc<Semaphore>,
    /// Those that run or wait.
    places: Arc<Semaphore>,
}

impl Default for Replays {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)), places: Arc::new(Semaphore::new(AT_ONCE + WAITING)) }
    }
}

/// What is asked, with the trace where there is one.
struct Asked {
    setup: ReplaySetup,
    source: RequestSource,
    trace: Option<Vec<u8>>,
}

/// What came of it, to be kept.
struct Made {
    detail: ReplayDetail,
    trace: Option<Vec<u8>>,
    rows_csv_gz: Option<Vec<u8>>,
}

impl House {
    /// Replays and keeps what comes of it.
    pub async fn make_replay(&self, create: ReplayCreate) -> Result<ReplayDetail, ApiError> {
        let name = create.name.trim().to_owned();
        check_length("name of the replay", &name, REPLAY_NAME_CHARS_MAX)?;
        check_setup(&create.setup)?;
        let full = |_| ApiError::Busy { reason: "Too many replays wait already: try again in a moment.".into() };
        let place = Arc::clone(&self.replays.places).try_acquire_owned().map_err(full)?;
        let asked = self.trace_of(create.setup, create.requests).await?;
        let closed = |_| ApiError::Busy { reason: "Millwright is closing.".into() };
        let turn = Arc::clone(&self.replays.turns).acquire_owned().await.map_err(closed)?;
        let at_ms = clock::now_ms();
        let id = clock::new_id::<ReplayId>(at_ms).map_err(of_house)?;
        let designs = Arc::clone(&self.designs);
        // Both permits go with the work, which runs to its end even where nobody waits for it any more.
        let work = move || {
            let (_place, _turn) = (place, turn);
            made(designs.catalog(), asked, id, name, at_ms)
        };
        let long = |_| ApiError::Busy { reason: "The replay takes too long: ask for fewer requests.".into() };
        let done = tokio::time::timeout(TIME_MAX, tokio::task::spawn_blocking(work)).await.map_err(long)?;
        let Made { detail, trace, rows_csv_gz } = done.map_err(|error| of_task("replay the requests", error))??;
        let new = NewReplay { detail: &detail, trace: trace.as_deref(), rows_csv_gz: rows_csv_gz.as_deref() };
        store::replay::create(&self.db, new).await.map_err(of_store)?;
        tracing::info!(replay = %detail.summary.id, requests = detail.summary.requests, "Kept a replay.");
        Ok(detail)
    }

    /// The newest replays, no more than `limit` of them, and those alone that came before the replay `before`.
    pub async fn replay_page(&self, before: Option<&ReplayId>, limit: u32) -> Result<Vec<ReplaySummary>, ApiError> {
        store::replay::list(&self.db, before, limit).await.map_err(of_store)
    }

    /// What the page on which replays are started shows.
    pub async fn desk_of_replays(&self, again: Option<ReplayId>) -> Result<ReplayDesk, ApiError> {
        let catalog = self.designs.catalog();
        let again = match again {
            Some(id) => {
                let ReplayDetail { summary, setup, requests, .. } =
                    store::replay::get(&self.db, &id).await.map_err(of_store)?;
                Some(ReplayCreate { name: summary.name, setup, requests: requests.source })
            }
            None => None,
        };
        Ok(ReplayDesk {
            gpus: catalog.gpus.iter().map(|gpu| (gpu.id.to_string(), gpu.name.clone())).collect(),
            models: catalog.models.iter().map(|model| (model.id.to_string(), model.name.clone())).collect(),
            earlier: self.replay_page(None, LISTED).await?,
            again,
        })
    }

    /// The trace of what is asked: sent along, or kept from an earlier replay.
    async fn trace_of(&self, setup: ReplaySetup, requests: RequestSource) -> Result<Asked, ApiError> {
        match requests {
            RequestSource::MadeUp { requests_per_s, count, .. } => {
                if !RATES_PER_S.contains(&requests_per_s) {
                    let (low, high) = (RATES_PER_S.start(), RATES_PER_S.end());
                    let reason = format!("{requests_per_s} requests a second: there can be {low} to {high}.");
                    return Err(ApiError::Invalid { reason });
                }
                if !(1..=REPLAY_REQUESTS_MAX).contains(&count) {
                    let reason = format!("{count} requests: there can be 1 to {REPLAY_REQUESTS_MAX}.");
                    return Err(ApiError::Invalid { reason });
                }
                Ok(Asked { setup, source: requests, trace: None })
            }
            RequestSource::Text { name, text } => {
                let name = name.trim().to_owned();
                if name.is_empty() || name.chars().any(char::is_control) {
                    return Err(ApiError::Invalid { reason: "A trace needs a name, in one line.".into() });
                }
                check_length("name of the trace", &name, FILE_NAME_CHARS_MAX)?;
                if text.len() > FILE_BYTES_MAX {
                    let reason = format!("{name} has {} bytes; {FILE_BYTES_MAX} are taken of a trace.", text.len());
                    return Err(ApiError::Invalid { reason });
                }
                let sha256 = store::design::sha256(text.as_bytes());
                Ok(Asked { setup, source: RequestSource::Kept { name, sha256 }, trace: Some(text.into_bytes()) })
            }
            RequestSource::Kept { ref name, ref sha256 } => {
                let found = store::replay::trace(&self.db, sha256).await.map_err(of_store)?;
                let gone = || ApiError::Invalid {
                    reason: format!(
                        "The trace {name} is kept no more: every replay with it was deleted. Choose it again."
                    ),
                };
                let trace = Some(found.ok_or_else(gone)?);
                Ok(Asked { setup, source: requests, trace })
            }
        }
    }
}

/// What makes no sense in a fleet whatever its parts are; the rest is [`replay::parts`]'s.
fn check_setup(setup: &ReplaySetup) -> Result<(), ApiError> {
    let invalid = |reason: String| Err(ApiError::Invalid { reason });
    let split = [("tensor", setup.tensor), ("data", setup.data), ("expert", setup.expert)];
    if let Some((name, count)) = split.into_iter().find(|(_, count)| !(1..=SPLIT_MAX).contains(count)) {
        return invalid(format!("{name}: {count} GPUs: there can be 1 to {SPLIT_MAX}."));
    }
    for (name, ms) in [("ttft_ms", setup.ttft_ms), ("tpot_ms", setup.tpot_ms)] {
        if !(ms > 0.0 && ms <= TARGET_MAX_MS) {
            return invalid(format!("{name}: {ms} ms: a target is more than 0 and at most {TARGET_MAX_MS} ms."));
        }
    }
    match setup.power_cap_w {
        Some(cap) if !(cap > 0.0 && cap.is_finite()) => invalid(format!("power_cap_w: {cap} W: must be more than 0.")),
        _ => Ok(()),
    }
}

/// The whole work of a replay.
fn made(catalog: &Catalog, asked: Asked, id: ReplayId, name: String, at_ms: i64) -> Result<Made, ApiError> {
    let invalid = |reason: String| ApiError::Invalid { reason: sentence(&reason) };
    let Asked { setup, source, trace } = asked;
    // Whether the fleet can be, before a long trace is read.
    replay::fleet(catalog, &setup).map_err(invalid)?;
    let parts = replay::parts(catalog, &setup).map_err(invalid)?;
    let (mut list, read) = requests_of(source, trace.as_deref())?;
    if let RequestSource::Text { name, .. } | RequestSource::Kept { name, .. } = &read.source {
        replay::ask_served(catalog, &parts, name, &mut list).map_err(|error| of_input(&error))?;
    }
    let outcome = replay::run_to_keep(catalog, &setup, &list.requests).map_err(invalid)?;
    let rows_csv_gz = if outcome.records.is_empty() {
        None
    } else {
        Some(compressed(&replay::rows(&list.requests, &outcome, &parts))?)
    };
    let kept = replay::kept(&outcome, &parts, &list.tenants);
    let model_name = parts.served().map(|(model, ..)| model.name.as_str()).collect::<Vec<_>>().join(", ");
    let gpu_name = parts.gpu.name.clone();
    let summary = ReplaySummary {
        id,
        name: if name.is_empty() { name_of(&parts) } else { name },
        created_ms: at_ms,
        model_name,
        models: setup.models(),
        gpu_name,
        gpus: setup.all_gpus(),
        precision: setup.precision,
        replicas: setup.all_replicas(),
        routing: setup.routing,
        source: read.source.clone(),
        requests: read.count,
        attainment: kept.attainment,
        output_tokens_per_s: kept.output_tokens_per_s,
        joules_per_output_token: kept.energy.per_output_token_j,
    };
    let program_version = env!("CARGO_PKG_VERSION").to_owned();
    let has_rows = rows_csv_gz.is_some();
    let detail = ReplayDetail { summary, program_version, setup, requests: read, outcome: kept, has_rows };
    Ok(Made { detail, trace, rows_csv_gz })
}

/// What a replay is called that was given no name: no longer than [`REPLAY_NAME_CHARS_MAX`].
fn name_of(parts: &Parts<'_>) -> String {
    let (model, gpu) = (&parts.model.name, &parts.gpu.name);
    match parts.also.as_slice() {
        [] => format!("{model} on {gpu}"),
        [other] => format!("{model} and {} on {gpu}", other.model.name),
        more => format!("{model} and {} other models on {gpu}", more.len()),
    }
}

fn requests_of(source: RequestSource, trace: Option<&[u8]>) -> Result<(RequestList, ReplayRequests), ApiError> {
    match (&source, trace) {
        (RequestSource::MadeUp { kind, requests_per_s, count, seed }, _) => {
            let requests = made_up::requests(*kind, *requests_per_s, *count, *seed);
            let list = RequestList { requests, ..RequestList::default() };
            let remarks = made_up_remarks(*kind);
            let read = ReplayRequests { count: *count, format: "made up".into(), remarks, source };
            Ok((list, read))
        }
        (RequestSource::Text { name, .. } | RequestSource::Kept { name, .. }, trace) => {
            let (list, report) =
                input::request_list(name, trace.unwrap_or_default()).map_err(|error| of_input(&error))?;
            let read = ReplayRequests { count: report.rows, format: report.format, remarks: report.remarks, source };
            Ok((list, read))
        }
    }
}

fn made_up_remarks(kind: MadeUpKind) -> Vec<String> {
    let after = match kind {
        MadeUpKind::Chat | MadeUpKind::Code => {
            "arrivals by chance at the rate asked for; lengths after the medians of the Azure LLM inference traces"
        }
        MadeUpKind::AgentLoop => {
            "tasks begin by chance; turns, lengths and tool times are judged, not measured, and each prompt begins with \
             the one before"
        }
    };
    vec![after.to_owned()]
}

fn compressed(rows: &Result<Vec<u8>, String>) -> Result<Vec<u8>, ApiError> {
    let failed = |reason: String| {
        tracing::error!(reason, "The rows of a replay could not be written.");
        ApiError::Internal { reason: "The rows of the requests could not be written.".into() }
    };
    let rows = rows.as_ref().map_err(|reason| failed(reason.clone()))?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(rows).and_then(|()| encoder.finish());
    written.map_err(|error| failed(error.to_string()))
}
