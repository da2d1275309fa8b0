//! What a Prometheus reads of us: `/metrics` tells of this process, `/metrics/fleet` of the fleet, under the names that
//! the history has; and `/readyz`, whether the house can do its work.
//!
//! Metrics are not public: they are told to this machine alone, or to whoever brings the token. Never: more bytes than a
//! bound (whole families are left out, and how many is told), a value that is stale, or two exports at once.
//!
//! Scrape `/metrics/fleet` with `honor_labels: true`: the labels are those of what was read.

pub mod fleet;
pub mod page;

use super::Reach;
use crate::error::{Error, Gate, Refused, chain};
use app::api::ApiError;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use model::source::SourceState;
use page::Page;
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long a database may take to answer before the house is not ready.
const PATIENCE: Duration = Duration::from_secs(2);
/// Shortest token: 80 bits in hexadecimal.
const TOKEN_CHARS_MIN: usize = 20;
/// Sources that are told one by one.
const SOURCES_MAX: usize = 1_000;
/// Ticks of the kernel's clock in a second, as it counts for programs on every machine that we run on.
const TICKS_PER_S: f64 = 100.0;
/// What proxies add: a request that has one of these is of someone else, though it comes from this machine.
const OF_PROXIES: [HeaderName; 4] =
    [header::FORWARDED, header::VIA, HeaderName::from_static("x-forwarded-for"), HeaderName::from_static("x-real-ip")];

/// Requests that were answered, by the hundreds of their status.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<[AtomicU64; 5]>);

/// Counts an answer.
pub async fn count(State(requests): State<Requests>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if let Some(class) = requests.0.get(usize::from(response.status().as_u16() / 100).wrapping_sub(1)) {
        class.fetch_add(1, Ordering::Relaxed);
    }
    response
}

/// Who may read metrics, and the place of the one export that is made at a time.
#[derive(Debug, Clone)]
pub struct Access {
    /// The token's hash.
    token: Option<[u8; 32]>,
    one: Arc<Semaphore>,
}

impl Access {
    /// Access for this machine, and for those who have the token in that file.
    pub fn of(token_file: Option<&Path>) -> Result<Self, Error> {
        let token = token_file.map(|path| {
            let wrong = |reason: String| Error::MetricsToken { path: path.to_owned(), reason };
            let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
            let text = text.trim();
            if text.len() < TOKEN_CHARS_MIN || text.contains(|c: char| !c.is_ascii_graphic()) {
                return Err(wrong(format!("it must be one line of at least {TOKEN_CHARS_MIN} letters and signs")));
            }
            Ok(hash(text.as_bytes()))
        });
        Ok(Self { token: token.transpose()?, one: Arc::new(Semaphore::new(1)) })
    }

    /// Why whoever asks is not told.
    fn refusal(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> Option<Response> {
        let is_near = peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback());
        let came_directly = OF_PROXIES.iter().all(|name| !headers.contains_key(name));
        if is_near && came_directly || self.token.is_some_and(|token| brings(headers, &token)) {
            return None;
        }
        let gate = if self.token.is_some() { Gate::NoToken } else { Gate::NotNear };
        Some(gate.into_response())
    }
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Whether the request brings the token. Hashes are compared to their ends, so that the time taken tells nothing.
fn brings(headers: &HeaderMap, token: &[u8; 32]) -> bool {
    let said = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let differs = |said: &[u8]| hash(said).iter().zip(token).fold(0, |all, (left, right)| all | (left ^ right));
    said.is_some_and(|said| differs(said) == 0)
}

/// This process, as Prometheus reads it.
pub async fn own(State(reach): State<Reach>, request: Request) -> Response {
    match reach.metrics.refusal(peer_of(&request), request.headers()) {
        Some(refusal) => refusal,
        None => of_process(&reach).await.into_response(),
    }
}

/// The fleet, as Prometheus reads it.
pub async fn fleet(State(reach): State<Reach>, request: Request) -> Response {
    if let Some(refusal) = reach.metrics.refusal(peer_of(&request), request.headers()) {
        return refusal;
    }
    let Ok(_place) = reach.metrics.one.try_acquire() else {
        let reason = "Someone else reads the fleet's metrics just now: try again.".into();
        return Refused(ApiError::Busy { reason }).into_response();
    };
    let now = fleet::Now::of(&reach.house.fleet);
    // Many thousands of lines: not on a thread that answers others.
    match tokio::task::spawn_blocking(move || now.page()).await {
        Ok(page) => page.into_response(),
        Err(error) => Refused(crate::error::of_task("write the fleet's metrics", error)).into_response(),
    }
}

fn peer_of(request: &Request) -> Option<SocketAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer)
}

/// Whether the house can do its work: 503 with the reason where it can't.
pub async fn readyz(State(reach): State<Reach>) -> Response {
    match not_ready(&reach).await {
        None => "ready\n".into_response(),
        Some(reason) => Gate::NotReady { reason }.into_response(),
    }
}

/// What keeps the house from its work.
async fn not_ready(reach: &Reach) -> Option<String> {
    if reach.stop.is_cancelled() {
        return Some("Millwright is stopping.".into());
    }
    if !reach.house.jobs.is_up() {
        return Some("Runs are not taken up: their worker has ended. Restart Millwright; its log says why.".into());
    }
    let local = &reach.house.fleet.local;
    for (what, db) in [("database", &reach.house.db), ("history", local.db())] {
        match tokio::time::timeout(PATIENCE, db.answers()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Some(format!("The {what} can't be read: {}.", chain(&error))),
            Err(_) => return Some(format!("The {what} does not answer within {} s.", PATIENCE.as_secs())),
        }
    }
    local.trouble().map(|why| format!("The history can't be written; readings wait in memory: {why}."))
}

async fn of_process(reach: &Reach) -> Page {
    let mut page = Page::default();
    page.gauge("millwright_build_info", "This program, by its version");
    page.value("millwright_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    of_system(&mut page, reach);
    of_readings(&mut page, reach);
    of_history(&mut page, reach).await;
    of_forwarding(&mut page, reach);
    page.gauge("millwright_live_streams", "Live streams that are open");
    page.value("millwright_live_streams", &[], reach.streams.open() as f64);
    let (queued, running) = reach.house.jobs.counts();
    page.gauge("millwright_runs", "Runs that wait and that are under way");
    page.value("millwright_runs", &[("state", "queued")], f64::from(queued));
    page.value("millwright_runs", &[("state", "running")], f64::from(running));
    page.counter("millwright_http_requests_total", "Requests answered, by the class of their status");
    for (class, count) in ["1xx", "2xx", "3xx", "4xx", "5xx"].iter().zip(reach.requests.0.iter()) {
        page.value("millwright_http_requests_total", &[("class", class)], count.load(Ordering::Relaxed) as f64);
    }
    page
}

/// What the kernel says of this process; nothing where it says nothing.
fn of_system(page: &mut Page, reach: &Reach) {
    let read = |name: &str| std::fs::read_to_string(Path::new("/proc/self").join(name)).unwrap_or_default();
    page.one_gauge("process_start_time_seconds", "When the house opened, since 1970 UTC", reach.opened_ms as f64 / 1e3);
    if let Some(cpu_s) = cpu_s(&read("stat")) {
        page.counter("process_cpu_seconds_total", "CPU time, of the program and of the kernel for it");
        page.value("process_cpu_seconds_total", &[], cpu_s);
    }
    if let Some(bytes) = field(&read("status"), "VmRSS:") {
        page.one_gauge("process_resident_memory_bytes", "Memory in use", bytes * 1_024.0);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        page.one_gauge("process_open_fds", "Files and sockets that are open", open.count() as f64);
    }
    if let Some(most) = field(&read("limits"), "Max open files") {
        page.one_gauge("process_max_fds", "Files and sockets that may be open", most);
    }
}

/// The first number behind a name.
fn field(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// Time of the program and of the kernel for it. The program's name, in brackets, may hold anything.
fn cpu_s(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS_PER_S)
}

fn of_readings(page: &mut Page, reach: &Reach) {
    let (done, statuses) = {
        let sources = reach.house.fleet.sources_now();
        (sources.done().collect::<Vec<_>>(), sources.statuses())
    };
    page.counter("millwright_readings_total", "Readings that came, by what became of them");
    for (outcome, count) in done {
        page.value("millwright_readings_total", &[("outcome", outcome)], count as f64);
    }
    let unknown = statuses.iter().map(|status| status.unknown).sum::<u64>();
    page.value("millwright_readings_total", &[("outcome", "unknown")], unknown as f64);
    page.gauge("millwright_sources", "Sources, by how they are");
    for state in ["connecting", "connected", "stale", "failing", "absent", "ended"] {
        let count = statuses.iter().filter(|status| name_of(&status.state) == state).count();
        page.value("millwright_sources", &[("state", state)], count as f64);
    }
    let told = &statuses[..statuses.len().min(SOURCES_MAX)];
    page.gauge("millwright_source_up", "Whether a source answers");
    for one in told {
        page.value("millwright_source_up", &[("source", &one.name)], f64::from(u8::from(one.state.is_up())));
    }
    page.counter("millwright_source_readings_total", "Readings that a source brought");
    for one in told {
        page.value("millwright_source_readings_total", &[("source", &one.name)], one.readings as f64);
    }
    page.counter("millwright_source_errors_total", "Things wrong with what a source brought");
    for one in told {
        page.value("millwright_source_errors_total", &[("source", &one.name)], one.errors as f64);
    }
}

fn name_of(state: &SourceState) -> &'static str {
    match state {
        SourceState::Connecting => "connecting",
        SourceState::Connected => "connected",
        SourceState::Stale { .. } => "stale",
        SourceState::Failing { .. } => "failing",
        SourceState::Absent { .. } => "absent",
        SourceState::Ended => "ended",
    }
}

async fn of_history(page: &mut Page, reach: &Reach) {
    let local = &reach.house.fleet.local;
    let (series, waiting) = local.counts();
    page.one_gauge("millwright_history_series", "Series in the history", f64::from(series));
    page.one_gauge("millwright_history_waiting_readings", "Readings that wait for the disk", f64::from(waiting));
    let writable = f64::from(u8::from(local.trouble().is_none()));
    page.one_gauge("millwright_history_writable", "Whether the disk takes readings", writable);
    if let Ok(bytes) = store::history::tail_bytes(local.db()).await {
        page.one_gauge("millwright_history_tail_bytes", "Readings that are in no chunk yet", bytes as f64);
    }
    page.gauge("millwright_database_bytes", "Size of each database");
    for (database, db) in [("millwright", &reach.house.db), ("telemetry", local.db())] {
        if let Ok(bytes) = db.bytes().await {
            page.value("millwright_database_bytes", &[("database", database)], bytes as f64);
        }
    }
}

/// What is sent on to another store, where that is wanted.
fn of_forwarding(page: &mut Page, reach: &Reach) {
    let Some(forwarder) = &reach.house.fleet.forwarder else { return };
    let now = forwarder.status();
    page.one_gauge("millwright_forward_up", "Whether the last request was taken", f64::from(u8::from(now.up)));
    page.one_gauge("millwright_forward_queued_bytes", "Bytes that wait to be sent on", now.queued_bytes as f64);
    page.one_gauge("millwright_forward_queued_samples", "Readings that wait to be sent on", now.queued_samples as f64);
    if let Some(age_ms) = now.oldest_age_ms {
        page.one_gauge("millwright_forward_oldest_age_seconds", "Age of the oldest that waits", age_ms as f64 / 1e3);
    }
    page.counter("millwright_forward_samples_total", "Readings sent on, by what became of them");
    let outcomes =
        [("sent", now.sent), ("refused", now.refused), ("overflowed", now.overflowed), ("unwritten", now.unwritten)];
    for (outcome, count) in outcomes {
        page.value("millwright_forward_samples_total", &[("outcome", outcome)], count as f64);
    }
    page.counter("millwright_forward_retries_total", "Requests that had to be repeated");
    page.value("millwright_forward_retries_total", &[], now.retries as f64);
}

#[cfg(test)]
mod tests;
