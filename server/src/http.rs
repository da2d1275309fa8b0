//! What crosses the wire: the pages, what they ask, the JSON API, live events and the files beside them.
//!
//! Every answer, refusals included, passes `security`; requests are bounded in size before anything reads them.

pub mod api;
pub mod body;
pub mod events;
pub mod live;
pub mod metrics;
pub mod pages;
pub mod security;

use crate::assets;
use crate::backend::House;
use crate::clock;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::middleware;
use axum::routing::get;
use leptos::config::LeptosOptions;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::trace::{DefaultMakeSpan, DefaultOnResponse, TraceLayer};
use tracing::Level;

/// What every handler may reach.
#[derive(Debug, Clone)]
pub struct Reach {
    house: Arc<House>,
    options: LeptosOptions,
    streams: events::Streams,
    told: live::Told,
    metrics: metrics::Access,
    requests: metrics::Requests,
    stop: CancellationToken,
    /// When the house opened, milliseconds since 1970 UTC.
    opened_ms: i64,
}

impl FromRef<Reach> for LeptosOptions {
    fn from_ref(reach: &Reach) -> Self {
        reach.options.clone()
    }
}

/// Everything that the house answers at `address`; streams end when `stop` is told.
pub fn router(house: Arc<House>, address: SocketAddr, metrics: metrics::Access, stop: CancellationToken) -> Router {
    let (options, streams) = (pages::options(address), events::Streams::default());
    let (told, requests) = (live::Told::default(), metrics::Requests::default());
    let counted = requests.clone();
    let reach = Reach { house, options, streams, told, metrics, requests, stop, opened_ms: clock::now_ms() };
    let beside = Router::new()
        .route("/healthz", get(api::healthz))
        .route("/readyz", get(metrics::readyz))
        .route("/metrics", get(metrics::own))
        .route("/metrics/fleet", get(metrics::fleet))
        .merge(api::router(&reach));
    // A page of 10,000 GPUs is a tenth of its size. Streams of events are left alone, and what is packed already.
    let packs = DefaultPredicate::new()
        .and(NotForContentType::const_new("font/"))
        .and(NotForContentType::const_new("application/vnd.openxmlformats"));
    pages::add_to(beside, &reach)
        .fallback(pages::not_found)
        .with_state(reach)
        .merge(assets::router())
        .layer(middleware::from_fn(pages::status_of_answers))
        .layer(DefaultBodyLimit::disable()) // each address has its own limit, below
        .layer(middleware::from_fn_with_state(body::Places::default(), body::take_whole))
        .layer(CatchPanicLayer::custom(api::panicked))
        .layer(middleware::from_fn(security::refuse_other_origins))
        .layer(middleware::from_fn_with_state(security::Names::of(address), security::refuse_other_hosts))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(DefaultMakeSpan::new().level(Level::DEBUG))
                .on_response(DefaultOnResponse::new().level(Level::DEBUG))
                .on_failure(()), // whoever failed has said why
        )
        .layer(middleware::from_fn(api::problems::in_json))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(packs))
        .layer(middleware::from_fn(security::add_headers))
        .layer(middleware::from_fn_with_state(counted, metrics::count))
}
