//! The HTTP API, `/api/v1`: what programs ask of the house. Routes and their documentation are one table, here.
//!
//! Every answer has a strong ETag, every error is a problem in JSON (RFC 9457), lists go on by cursor, and a request that
//! makes something may carry an `Idempotency-Key`. Read `answer` first (how answers look), then `asked` (how requests are
//! read), then one file a noun.

#![expect(unused_qualifications, reason = "in what utoipa makes of a query's parameters")]

pub mod answer;
pub mod asked;
pub mod catalog;
pub mod designs;
pub mod docs;
pub mod evaluate;
pub mod fleet;
pub mod inputs;
pub mod once;
pub mod openapi;
pub mod optimize;
pub mod problems;
pub mod replays;
pub mod runs;
pub mod snapshots;

use super::Reach;
use crate::error::{Refused, words_of};
use app::api::ApiError;
use axum::Router;
use axum::body::Body;
use axum::http::Response;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::Value;
use std::any::Any;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Where the API begins.
pub const ROOT: &str = "/api/v1";

/// Every operation, and what documents them.
fn operations() -> OpenApiRouter<Reach> {
    OpenApiRouter::with_openapi(openapi::head())
        .routes(routes!(designs::list, designs::create))
        .routes(routes!(designs::get, designs::put))
        .routes(routes!(designs::versions))
        .routes(routes!(designs::version))
        .routes(routes!(designs::branch))
        .routes(routes!(designs::archive))
        .routes(routes!(designs::restore))
        .routes(routes!(evaluate::stored))
        .routes(routes!(evaluate::text))
        .routes(routes!(evaluate::site))
        .routes(routes!(evaluate::year))
        .routes(routes!(runs::list, runs::create))
        .routes(routes!(runs::get))
        .routes(routes!(runs::cancel))
        .routes(routes!(runs::report))
        .routes(routes!(runs::csv))
        .routes(routes!(runs::xlsx))
        .routes(routes!(super::events::run))
        .routes(routes!(inputs::list, inputs::create))
        .routes(routes!(inputs::get, inputs::delete))
        .routes(routes!(catalog::list))
        .routes(routes!(catalog::parts))
        .routes(routes!(catalog::row))
        .routes(routes!(fleet::get))
        .routes(routes!(fleet::place))
        .routes(routes!(fleet::chart))
        .routes(routes!(fleet::events))
        .routes(routes!(fleet::waste))
        .routes(routes!(fleet::sources))
        .routes(routes!(fleet::report))
        .routes(routes!(fleet::write))
        .routes(routes!(fleet::happened))
        .routes(routes!(super::live::fleet))
        .routes(routes!(snapshots::create))
        .routes(routes!(snapshots::get))
        .routes(routes!(replays::list, replays::create))
        .routes(routes!(replays::get, replays::delete))
        .routes(routes!(replays::requests))
        .routes(routes!(optimize::study))
        .routes(routes!(optimize::apply))
        .routes(routes!(optimize::steer))
        .routes(routes!(optimize::list, optimize::create))
        .routes(routes!(optimize::get, optimize::delete))
        .routes(routes!(optimize::cancel))
        .routes(routes!(optimize::rows))
}

/// What documents the API, as OpenAPI 3.1.
pub fn document() -> Value {
    openapi::complete(operations().into_openapi())
}

/// The API with its documentation.
pub fn router(reach: &Reach) -> Router<Reach> {
    let (router, document) = operations().split_for_parts();
    let document = openapi::complete(document);
    let page = Arc::<str>::from(docs::page(&document));
    let json = Arc::<str>::from(serde_json::to_string_pretty(&document).unwrap_or_default());
    router
        .layer(axum::middleware::from_fn_with_state(reach.clone(), once::only_once))
        .route("/api/v1/openapi.json", get(async move |asked| answer::text(&asked, "application/json", &json)))
        .route("/api/v1/docs", get(async move |asked| answer::text(&asked, "text/html; charset=utf-8", &page)))
}

/// The house is up.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// The answer where a handler panicked: a defect of ours, said once in the log.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over so")]
pub(super) fn panicked(said: Box<dyn Any + Send + 'static>) -> Response<Body> {
    tracing::error!(error = words_of(&*said), "An answer was broken off.");
    Refused(ApiError::Internal { reason: "Millwright made a mistake; its log says more.".into() }).into_response()
}
