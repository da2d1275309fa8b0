//! Request bodies are taken whole, each within the limit of its address and a time, before anything reads them.

use crate::error::Refusal;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use model::input::FILE_BYTES_MAX;
use model::version::TEXT_BYTES_MAX;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Longest body where nothing else is said: the longest such question, a run, is under a kilobyte.
const BYTES_MAX: usize = 64 << 10;
/// Longest body that carries a design's text in JSON: the text, twice for its escapes, and what stands around it.
const DESIGN_BYTES_MAX: usize = 2 * TEXT_BYTES_MAX + BYTES_MAX;
/// Longest body that is a file; in JSON, twice that for its escapes.
const FILES: [(&str, usize); 7] = [
    ("/api/v1/replays", 2 * FILE_BYTES_MAX + BYTES_MAX),
    ("/api/ask/replay-start", 2 * FILE_BYTES_MAX + BYTES_MAX),
    ("/api/v1/inputs", FILE_BYTES_MAX),
    ("/api/ask/input-save", 2 * FILE_BYTES_MAX + BYTES_MAX),
    ("/api/v1/write", 8 << 20), // as senders of readings pack them: some 100,000 each at most
    ("/api/v1/fleet/happened", 1 << 20), // a thousand events, each with words of its own
    ("/api/ask/fleet-binding-save", DESIGN_BYTES_MAX),
];
/// Time that a body may take to come: 32 MiB over 5 Mbit/s.
const TIME_MAX: Duration = Duration::from_mins(1);

/// Addresses whose bodies carry a design or parts, and what stands under them.
const WITH_DESIGN: [&str; 9] = [
    "/api/ask/parts-read",
    "/api/v1/catalog/parts",
    "/api/ask/design-create",
    "/api/ask/design-save",
    "/api/ask/design-check",
    "/api/ask/snapshot-save",
    "/api/v1/designs",
    "/api/v1/evaluate",
    "/api/v1/snapshots",
];

/// Bodies of more than a design that are held at the same time.
const LARGE_MAX: usize = 2;

/// Places for large bodies.
#[derive(Debug, Clone)]
pub struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LARGE_MAX)))
    }
}

/// Most bytes that a request to `path` may carry.
fn limit_of(path: &str) -> usize {
    if let Some((_, limit)) = FILES.iter().find(|(file, _)| *file == path) {
        return *limit;
    }
    let stands_under =
        |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if WITH_DESIGN.iter().any(|root| stands_under(root)) { DESIGN_BYTES_MAX } else { BYTES_MAX }
}

/// Takes the body in, or refuses it.
pub async fn take_whole(State(places): State<Places>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let limit = limit_of(&path);
    let said = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if said.is_some_and(|length: usize| length > limit) {
        return Refusal::TooLarge { limit }.into_response();
    }
    let place = if limit > DESIGN_BYTES_MAX { Some(places.0.try_acquire_owned()) } else { None };
    if matches!(place, Some(Err(_))) {
        let reason = "Too many files come in at once: try again.".into();
        return Refusal::Busy { reason }.into_response();
    }
    let (head, body) = request.into_parts();
    match tokio::time::timeout(TIME_MAX, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(head, Body::from(bytes))).await,
        Ok(Err(error)) if is_too_long(&error) => Refusal::TooLarge { limit }.into_response(),
        Ok(Err(_)) => Refusal::BrokenOff.into_response(),
        Err(_) => Refusal::TooSlow.into_response(),
    }
}

/// Whether a body was refused for its length, and not because it ended too early.
fn is_too_long(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<LengthLimitError>)
}
