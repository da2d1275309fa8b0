//! Files beside the pages: the browser's bundle, styles, fonts, the icon. A release carries them in itself; a debug
//! build reads them from the repository, so that a changed style shows when the page is loaded again.

use crate::http::security::nothing_at;
use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::read::GzDecoder;
use rust_embed::{Embed, EmbeddedFile};
use std::fmt::Write;
use std::io::Read;

/// The browser's bundle, of whose modules there are only the compressed. A build without one serves pages that do not wake up.
#[derive(Embed)]
#[folder = "../target/site/pkg"]
#[allow_missing = true]
struct Pkg;

#[derive(Embed)]
#[folder = "../style"]
#[allow_missing = true]
struct Style;

#[derive(Embed)]
#[folder = "../public"]
#[allow_missing = true]
struct Public;

/// Where each file is found.
pub fn router() -> Router {
    Router::new()
        .route(
            "/pkg/{*file}",
            get(async |headers: HeaderMap, Path(file): Path<String>| serve(Pkg::get, &file, &headers)),
        )
        .route(
            "/style/{*file}",
            get(async |headers: HeaderMap, Path(file): Path<String>| serve(Style::get, &file, &headers)),
        )
        .route(
            "/fonts/{*file}",
            get(async |headers: HeaderMap, Path(file): Path<String>| {
                serve(Public::get, &format!("fonts/{file}"), &headers)
            }),
        )
        .route("/favicon.svg", get(async |headers: HeaderMap| serve(Public::get, "favicon.svg", &headers)))
}

/// The best encoding that is there and that the browser takes; nothing but its tag where the browser has it already.
fn serve(find: fn(&str) -> Option<EmbeddedFile>, name: &str, headers: &HeaderMap) -> Response {
    let encoded = [("br", "br"), ("gzip", "gz")].into_iter().find_map(|(encoding, end)| {
        let file = accepts(headers, encoding).then(|| find(&format!("{name}.{end}"))).flatten()?;
        Some((encoding, file))
    });
    let found = encoded.or_else(|| Some(("", find(name).or_else(|| unpacked(find(&format!("{name}.gz"))?))?)));
    let Some((encoding, file)) = found else { return nothing_at(name).into_response() };
    let tag = tag(&file);
    let seen = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_seen = seen.split(',').any(|one| one.trim().trim_start_matches("W/") == tag);
    let mut response = Response::new(if is_seen { Body::empty() } else { body(file) });
    if is_seen {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, &content_type(name));
    set(header::ETAG, &tag);
    set(header::CACHE_CONTROL, "no-cache"); // asked for again each time, and answered with the tag alone
    set(header::VARY, "accept-encoding");
    if !encoding.is_empty() {
        set(header::CONTENT_ENCODING, encoding);
    }
    response
}

fn body(file: EmbeddedFile) -> Body {
    match file.data {
        std::borrow::Cow::Borrowed(bytes) => Body::from(bytes),
        std::borrow::Cow::Owned(bytes) => Body::from(bytes),
    }
}

/// A file that is carried compressed alone, for the rare caller that takes no encoding.
fn unpacked(file: EmbeddedFile) -> Option<EmbeddedFile> {
    let mut bytes = Vec::new();
    GzDecoder::new(file.data.as_ref()).read_to_end(&mut bytes).ok()?;
    Some(EmbeddedFile { data: bytes.into(), metadata: file.metadata })
}

fn content_type(name: &str) -> String {
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let is_text = kind.type_() == "text" || kind == "image/svg+xml";
    if is_text { format!("{kind}; charset=utf-8") } else { kind.to_string() }
}

/// Half of the SHA-256 tells versions apart.
fn tag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let mut tag = hash.iter().take(16).fold(String::from("\""), |mut tag, byte| {
        let _ = write!(tag, "{byte:02x}"); // writing to a string can't fail
        tag
    });
    tag.push('"');
    tag
}

/// Whether the browser takes an encoding: it is named, and not with a weight of nothing.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').any(|one| {
            let mut parts = one.split(';').map(str::trim);
            let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
            is_named && !parts.any(|weight| weight.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0)))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[expect(clippy::unnecessary_wraps, reason = "it stands for a folder, where a file may be missing")]
    fn file(text: &'static str) -> Option<EmbeddedFile> {
        let mut hash = [0; 32];
        hash[0] = u8::try_from(text.len()).unwrap();
        let metadata = rust_embed::Metadata::__rust_embed_new(hash, None, None);
        Some(EmbeddedFile { data: text.as_bytes().into(), metadata })
    }

    fn gzipped(text: &'static str) -> Option<EmbeddedFile> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text.as_bytes()).unwrap();
        Some(EmbeddedFile { data: packer.finish().unwrap().into(), ..file(text)? })
    }

    fn folder(name: &str) -> Option<EmbeddedFile> {
        match name {
            "a.css" => file("plain"),
            "a.css.br" => file("brotli"),
            "a.css.gz" => file("gzipped"),
            "b.wasm.gz" => gzipped("module"),
            _ => None,
        }
    }

    fn asking(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn the_best_encoding_that_the_browser_takes_is_served() {
        for (accepted, encoding) in [
            ("gzip, deflate, br", Some("br")),
            ("gzip;q=1.0", Some("gzip")),
            ("br;q=0, gzip", Some("gzip")),
            ("br;q=0.5", Some("br")),
            ("identity", None),
            ("brr", None),
        ] {
            let response = serve(folder, "a.css", &asking(header::ACCEPT_ENCODING, accepted));
            let got = response.headers().get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap());
            assert_eq!(got, encoding, "{accepted}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], "text/css; charset=utf-8");
        }
    }

    #[tokio::test]
    async fn what_is_carried_compressed_alone_is_unpacked_for_who_takes_no_encoding() {
        let response = serve(folder, "b.wasm", &HeaderMap::new());
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/wasm");
        assert_eq!(response.headers().get(header::CONTENT_ENCODING), None);
        assert_eq!(axum::body::to_bytes(response.into_body(), 100).await.unwrap(), "module");
        let packed = serve(folder, "b.wasm", &asking(header::ACCEPT_ENCODING, "gzip"));
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
    }

    #[test]
    fn what_the_browser_has_already_is_not_sent_again() {
        let first = serve(folder, "a.css", &HeaderMap::new());
        let tag = first.headers()[header::ETAG].to_str().unwrap();
        let again = serve(folder, "a.css", &asking(header::IF_NONE_MATCH, &format!("\"other\", W/{tag}")));
        assert_eq!((first.status(), again.status()), (StatusCode::OK, StatusCode::NOT_MODIFIED));
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        assert_eq!(serve(folder, "b.css", &HeaderMap::new()).status(), StatusCode::NOT_FOUND);
        assert_eq!(serve(Style::get, "../Cargo.toml", &HeaderMap::new()).status(), StatusCode::NOT_FOUND);
    }
}
