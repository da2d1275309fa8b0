//! Every error under `/api/v1` is a problem in JSON, whoever refused: a handler, a layer, or the router itself.

use super::ROOT;
use crate::error::{PROBLEM_JSON, Problem};
use app::api::ApiError;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

/// Longest refusal that is not a problem yet.
const REFUSAL_BYTES_MAX: usize = 64 << 10;

/// Makes a problem of every error that is none yet.
pub async fn in_json(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if path.strip_prefix(ROOT).is_none_or(|rest| !rest.is_empty() && !rest.starts_with('/')) {
        return next.run(request).await;
    }
    let is_head = request.method() == Method::HEAD;
    let method = request.method().clone();
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let is_problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM_JSON);
    let (mut head, body) = response.into_parts();
    let said = to_bytes(body, if is_problem { usize::MAX } else { REFUSAL_BYTES_MAX }).await.unwrap_or_default();
    let bytes = if is_problem {
        with_instance(&said, &path)
    } else {
        let detail = match serde_json::from_slice::<ApiError>(&said) {
            Ok(error) => error.to_string(),
            Err(_) if said.is_empty() => format!("{path} does not take {method}."),
            Err(_) => String::from_utf8_lossy(&said).into_owned(),
        };
        let problem = Problem { instance: path, ..Problem::of(status, detail) };
        serde_json::to_vec(&problem).unwrap_or_default()
    };
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Response::from_parts(head, if is_head { Body::empty() } else { Body::from(bytes) })
}

/// A problem, with the address that was asked for.
fn with_instance(problem: &[u8], path: &str) -> Vec<u8> {
    let Ok(serde_json::Value::Object(mut members)) = serde_json::from_slice(problem) else { return problem.to_vec() };
    members.insert("instance".into(), path.into());
    serde_json::to_vec(&members).unwrap_or_else(|_| problem.to_vec())
}
