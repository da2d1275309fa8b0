//! `Idempotency-Key`: a client that got no answer may send the same request again; it is carried out once.
//!
//! The key is taken before the request is carried out and its answer kept after, so a crash in between leaves a key of
//! which only this much is known; whoever sends it again is told so, and nothing is done twice.

use crate::clock;
use crate::error::{Refused, of_store};
use crate::http::Reach;
use app::api::ApiError;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use store::design::sha256;
use store::idempotency::{self, Key};

/// What the client calls its request.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Marks an answer that was given before.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Longest key, characters.
pub const KEY_CHARS_MAX: usize = 255;
/// Headers of an answer that are kept with it.
const KEPT: [HeaderName; 4] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG, header::CACHE_CONTROL];

/// An answer as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Carries out a request that has a key once, and answers it as before from then on.
pub async fn only_once(State(reach): State<Reach>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(IDEMPOTENCY_KEY) {
        return next.run(request).await;
    }
    match once(&reach, request, next).await {
        Ok(response) => response,
        Err(error) => Refused(error).into_response(),
    }
}

async fn once(reach: &Reach, request: Request, next: Next) -> Result<Response, ApiError> {
    let key = key_of(request.headers())?;
    let (head, body) = request.into_parts();
    let bytes = to_bytes(body, usize::MAX)
        .await
        .map_err(|_| ApiError::Invalid { reason: "The request could not be read.".into() })?;
    let mut asked =
        format!("{} {}\n{:?}\n", head.method, head.uri, head.headers.get(header::CONTENT_TYPE)).into_bytes();
    asked.extend_from_slice(&bytes);
    let db = reach.house.db.clone();
    match idempotency::take(&db, &key, &sha256(&asked), clock::now_ms()).await.map_err(of_store)? {
        Key::Answered { json } => return replayed(&json),
        Key::OfAnother => {
            let reason = "This Idempotency-Key was sent with another request: use a new one.".into();
            return Err(ApiError::Invalid { reason });
        }
        Key::Unanswered { since_ms } if since_ms >= reach.opened_ms => {
            return Err(ApiError::Conflict {
                reason: "The first request with this Idempotency-Key is under way.".into(),
            });
        }
        Key::Unanswered { .. } => {
            let reason = "Millwright stopped while the first request with this Idempotency-Key was under way, and it is \
                          not known whether it was carried out: look, and ask again with another key.";
            return Err(ApiError::Conflict { reason: reason.into() });
        }
        Key::Taken => {}
    }
    // A client that goes away does not stop it half way: it may come back and ask what became of it.
    let work = tokio::spawn(async move {
        let response = next.run(Request::from_parts(head, Body::from(bytes))).await;
        keep(&db, &key, response).await
    });
    work.await.map_err(|error| crate::error::of_task("answer the request", error))?
}

fn key_of(headers: &HeaderMap) -> Result<String, ApiError> {
    let text = headers.get(IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok()).unwrap_or_default();
    if (1..=KEY_CHARS_MAX).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    Err(ApiError::Invalid { reason: format!("An Idempotency-Key has 1 to {KEY_CHARS_MAX} characters of ASCII.") })
}

/// Keeps what was done; lets go of the key where nothing was.
async fn keep(db: &store::db::Db, key: &str, response: Response) -> Result<Response, ApiError> {
    if !response.status().is_success() {
        idempotency::dropped(db, key).await.map_err(of_store)?;
        return Ok(response);
    }
    let (head, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX)
        .await
        .map_err(|_| ApiError::Internal { reason: "The answer could not be read.".into() })?;
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = KEPT.iter().filter_map(|name| Some((name.to_string(), text(head.headers.get(name)?)))).collect();
    let kept = Kept { status: head.status.as_u16(), headers, body: String::from_utf8_lossy(&bytes).into_owned() };
    let json = serde_json::to_string(&kept).unwrap_or_default();
    idempotency::answered(db, key, &json).await.map_err(of_store)?;
    Ok(Response::from_parts(head, Body::from(bytes)))
}

fn replayed(json: &str) -> Result<Response, ApiError> {
    let broken = || ApiError::Internal { reason: "The answer that was kept can't be read.".into() };
    let kept: Kept = serde_json::from_str(json).map_err(|_| broken())?;
    let mut response = (StatusCode::from_u16(kept.status).map_err(|_| broken())?, kept.body).into_response();
    for (name, value) in kept.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}
