//! Who may ask, and what a browser may do with the answer.
//!
//! There is no sign-in yet, so what stands between a web page elsewhere and this house is here: a request that changes
//! something must come from our own pages, and a house on loopback answers only to loopback's names, so that no foreign
//! name can be pointed at it (DNS rebinding).

use crate::error::Refused;
use app::api::ApiError;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::SocketAddr;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Names that the house answers to.
#[derive(Debug, Clone)]
pub enum Names {
    /// On loopback: loopback's own.
    Loopback {
        /// The address bound, which is one of them.
        address: String,
    },
    /// Reachable from elsewhere: whatever name leads here.
    Any,
}

impl Names {
    /// Those that go with a bound address.
    pub fn of(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(v4) if v4.ip().is_loopback() => Self::Loopback { address: v4.ip().to_string() },
            SocketAddr::V6(v6) if v6.ip().is_loopback() => Self::Loopback { address: format!("[{}]", v6.ip()) },
            SocketAddr::V4(_) | SocketAddr::V6(_) => Self::Any,
        }
    }
    fn include(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Loopback { address } => {
                let name = without_port(host);
                name == address
                    || ["localhost", "127.0.0.1", "[::1]"].iter().any(|ours| name.eq_ignore_ascii_case(ours))
            }
        }
    }
}

/// The policy of a page: everything from here, scripts by nonce, no frames around it.
pub fn content_security_policy(nonce: Option<&str>) -> HeaderValue {
    let nonce = nonce.map(|nonce| format!(" 'nonce-{nonce}'")).unwrap_or_default();
    let policy = format!(
        "default-src 'self'; script-src 'self'{nonce} 'wasm-unsafe-eval'; style-src 'self'; object-src 'none'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
}

/// Gives every answer the headers that it lacks.
pub async fn add_headers(request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut lacking = |name: HeaderName, value: HeaderValue| {
        headers.entry(name).or_insert(value);
    };
    lacking(header::CONTENT_SECURITY_POLICY, content_security_policy(None));
    lacking(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    lacking(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    lacking(CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin"));
    lacking(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    // What is asked of the house is true for the moment; a page may be kept, if it is asked for again before it is shown.
    lacking(header::CACHE_CONTROL, HeaderValue::from_static(if is_api { "no-store" } else { "no-cache" }));
    response
}

/// Refuses requests that were led here by a name that is not ours.
pub async fn refuse_other_hosts(State(names): State<Names>, request: Request, next: Next) -> Response {
    let uri = request.uri().authority().map(axum::http::uri::Authority::as_str);
    let host = text(request.headers(), &header::HOST);
    if uri.or(host).is_some_and(|host| names.include(host)) && host.is_none_or(|host| names.include(host)) {
        return next.run(request).await;
    }
    tracing::warn!(host = host.unwrap_or_default(), "Refused a request by a name that is not ours.");
    let reason = "This Millwright answers only to localhost, 127.0.0.1 and [::1].".into();
    (StatusCode::MISDIRECTED_REQUEST, Json(ApiError::Invalid { reason })).into_response()
}

/// Refuses requests that may change something and do not come from our own pages, where a browser says where from.
///
/// Programs that are not browsers say nothing of it, and have no one's rights to borrow.
pub async fn refuse_other_origins(request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) || is_ours(request.headers()) {
        return next.run(request).await;
    }
    let origin = text(request.headers(), &header::ORIGIN).unwrap_or_default();
    tracing::warn!(origin, path = request.uri().path(), "Refused a change asked for by another site.");
    let reason = "Only Millwright's own pages can ask for this.".into();
    (StatusCode::FORBIDDEN, Json(ApiError::Invalid { reason })).into_response()
}

fn is_ours(headers: &HeaderMap) -> bool {
    let site_is_ours = match text(headers, &SEC_FETCH_SITE) {
        None => !headers.contains_key(SEC_FETCH_SITE),
        Some(site) => matches!(site, "same-origin" | "none"),
    };
    let origin_is_ours = match text(headers, &header::ORIGIN) {
        None => !headers.contains_key(header::ORIGIN),
        Some(origin) => origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"))
            .is_some_and(|from| text(headers, &header::HOST).is_some_and(|host| from.eq_ignore_ascii_case(host))),
    };
    site_is_ours && origin_is_ours
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `localhost:8080` → `localhost`, `[::1]:8080` → `[::1]`.
fn without_port(host: &str) -> &str {
    let end = host.rfind(']').map_or(0, |bracket| bracket + 1);
    host[end..].find(':').map_or(host, |colon| &host[..end + colon])
}

/// A refusal in words for whoever asked for an address that is not there.
pub fn nothing_at(path: &str) -> Refused {
    Refused(ApiError::NotFound { what: format!("address \"{path}\" here") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_answers_to_its_own_names_alone() {
        let names = Names::of("127.0.0.1:8080".parse().unwrap());
        for ours in ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "127.0.0.1", "[::1]", "[::1]:8080"] {
            assert!(names.include(ours), "{ours}");
        }
        for other in ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8080", "[::2]", "::1", "a]"]
        {
            assert!(!names.include(other), "{other}");
        }
        assert!(Names::of("[::1]:80".parse().unwrap()).include("[::1]:80"));
        assert!(Names::of("0.0.0.0:80".parse().unwrap()).include("mill.example"));
    }

    #[test]
    fn a_change_must_come_from_our_own_pages() {
        let check = |expected: bool, given: &[(&HeaderName, &str)]| {
            let headers = given.iter().map(|(name, value)| ((*name).clone(), value.parse().unwrap())).collect();
            assert_eq!(is_ours(&headers), expected, "{given:?}");
        };
        let (host, origin, site) = (&header::HOST, &header::ORIGIN, &SEC_FETCH_SITE);
        check(true, &[(host, "localhost:8080")]);
        check(true, &[(host, "localhost:8080"), (origin, "http://localhost:8080"), (site, "same-origin")]);
        check(true, &[(host, "mill.example"), (origin, "https://mill.example")]);
        check(false, &[(host, "localhost:8080"), (origin, "http://localhost:9090")]);
        check(false, &[(host, "localhost:8080"), (origin, "null")]);
        check(false, &[(host, "localhost:8080"), (origin, "http://evil.example"), (site, "same-origin")]);
        check(false, &[(host, "localhost:8080"), (site, "cross-site")]);
        check(false, &[(host, "localhost:8080"), (site, "same-site")]);
    }
}
