//! How the API answers: JSON or text with a strong ETag, nothing where the client has it already, one of several formats.

use crate::error::{Problem, Refusal, Refused};
use app::api::ApiError;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use store::design::sha256;

/// Digits of a hash in a tag: 80 bits.
const TAG_DIGITS: usize = 20;
/// A design's text.
pub const TOML: &str = "application/toml";
/// Everything else.
pub const JSON: &str = "application/json";

/// An answer, or a refusal in whichever form it has.
pub type Answer = Result<Response, Failed>;

/// A refusal, ready to be sent.
#[derive(Debug)]
pub struct Failed(Box<Response>);

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        *self.0
    }
}

macro_rules! failed_of {
    ($($kind:ty: $to:expr),+) => { $(impl From<$kind> for Failed {
        fn from(refusal: $kind) -> Self {
            Self(Box::new($to(refusal).into_response()))
        }
    })+ };
}
failed_of!(ApiError: Refused, Refused: std::convert::identity, Refusal: std::convert::identity, Problem: std::convert::identity);

/// A value as JSON, with the tag of its bytes.
pub fn json<T: Serialize>(asked: &HeaderMap, value: &T) -> Answer {
    json_as(asked, value, str::to_owned)
}

/// A value as JSON, with a tag made of the hash of its bytes.
pub fn json_as<T: Serialize>(asked: &HeaderMap, value: &T, tag: impl FnOnce(&str) -> String) -> Answer {
    let bytes = serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "An answer has no JSON.");
        ApiError::Internal { reason: "The answer could not be written.".into() }
    })?;
    let name = tag(&tag_of(&bytes));
    Ok(tagged(asked, JSON, bytes, &name))
}

/// A text, with the tag of its bytes.
pub fn text(asked: &HeaderMap, kind: &'static str, text: &str) -> Response {
    tagged(asked, kind, text.as_bytes().to_vec(), &tag_of(text.as_bytes()))
}

/// Bytes with a tag; the tag alone where the client has them already.
pub fn tagged(asked: &HeaderMap, kind: &'static str, bytes: Vec<u8>, tag: &str) -> Response {
    let quoted = format!("\"{tag}\"");
    let mut response = if has_already(asked, &quoted) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], Body::from(bytes)).into_response()
    };
    let headers = response.headers_mut();
    // May be kept, if it is asked for again before it is used.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(value) = HeaderValue::from_str(&quoted) {
        headers.insert(header::ETAG, value);
    }
    response
}

/// A new thing, with where it is.
pub fn created(mut response: Response, status: StatusCode, location: &str) -> Response {
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// A page of a list, with where the next one is.
pub fn with_next(mut response: Response, next: Option<String>) -> Response {
    if let Some(link) = next.and_then(|url| HeaderValue::from_str(&format!("<{url}>; rel=\"next\"")).ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// The formats that a design can be had in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// With everything that is known of it.
    Json,
    /// Its text alone.
    Toml,
}

/// The format that a client likes best; JSON where it does not say.
pub fn format(asked: &HeaderMap) -> Result<Format, Refusal> {
    let accept: Vec<&str> = asked.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    if accept.is_empty() {
        return Ok(Format::Json);
    }
    let mut best: Option<(f64, Format)> = None;
    for range in accept.iter().flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let format = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "" | "*/*" | "application/*" | JSON => Format::Json,
            TOML | "text/*" | "text/toml" | "text/plain" => Format::Toml,
            _ => continue,
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
        if quality > 0.0 && best.is_none_or(|(so_far, _)| quality > so_far) {
            best = Some((quality, format));
        }
    }
    best.map(|(_, format)| format).ok_or(Refusal::NotAcceptable { gives: "application/json or application/toml" })
}

/// The tag of some bytes.
pub fn tag_of(bytes: &[u8]) -> String {
    let mut hash = sha256(bytes);
    hash.truncate(TAG_DIGITS);
    hash
}

/// Whether `If-None-Match` has the tag; there, weak and strong are one.
fn has_already(asked: &HeaderMap, quoted: &str) -> bool {
    tags(asked, &header::IF_NONE_MATCH).any(|tag| tag == "*" || tag.trim_start_matches("W/") == quoted)
}

/// The tags of a header, with their quotes.
pub fn tags<'h>(asked: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    asked.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',').map(str::trim))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(given: &[(HeaderName, &str)]) -> HeaderMap {
        given.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_format_is_what_the_client_likes_best() {
        let check = |accept: &str, expected: Option<Format>| {
            assert_eq!(format(&headers(&[(header::ACCEPT, accept)])).ok(), expected, "{accept}");
        };
        check("*/*", Some(Format::Json));
        check("application/toml", Some(Format::Toml));
        check("application/json;q=0.5, application/toml", Some(Format::Toml));
        check("text/html, */*;q=0.1", Some(Format::Json));
        check("image/png", None);
        check("application/toml;q=0", None);
        assert_eq!(format(&HeaderMap::new()).ok(), Some(Format::Json));
    }

    #[test]
    fn what_the_client_has_already_is_not_sent_again() {
        let first = text(&HeaderMap::new(), JSON, "{}");
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        for (seen, status) in [
            (tag.clone(), StatusCode::NOT_MODIFIED),
            (format!("\"x\", W/{tag}"), StatusCode::NOT_MODIFIED),
            ("*".to_owned(), StatusCode::NOT_MODIFIED),
            ("\"x\"".to_owned(), StatusCode::OK),
        ] {
            let again = text(&headers(&[(header::IF_NONE_MATCH, &seen)]), JSON, "{}");
            assert_eq!((again.status(), &again.headers()[header::ETAG]), (status, &first.headers()[header::ETAG]));
        }
    }
}
