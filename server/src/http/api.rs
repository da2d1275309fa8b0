//! The JSON API beside the pages: a design's site and year, a run's report.

use super::Reach;
use crate::error::{Refused, words_of};
use crate::jobs::check_step;
use app::api::{ApiError, Backend};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::Response;
use axum::response::IntoResponse;
use model::id::{DesignId, RunId};
use model::report::Report;
use model::site::Site;
use model::trace::Columns;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::str::FromStr;

/// Shortest step of a year sent as JSON: 35,040 steps are some 15 MB; finer years are for runs, which send their report.
const YEAR_STEP_MINUTES_MIN: u32 = 15;

/// The house is up.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// A design's newest version, resolved.
pub async fn site(State(reach): State<Reach>, Path(id): Path<String>) -> Result<Json<Site>, Refused> {
    Ok(Json(reach.house.site(id_of::<DesignId>("design", &id)?).await?))
}

/// Which year of a design.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct YearQuery {
    step_minutes: u32,
    seed: u64,
}

impl Default for YearQuery {
    fn default() -> Self {
        Self { step_minutes: 60, seed: 1 }
    }
}

/// A year, column by column.
#[derive(Debug, Serialize)]
pub struct Year {
    columns: Columns,
}

/// A year of a design's newest version, worked out on the server: what the browser works out itself must agree with it.
pub async fn year(
    State(reach): State<Reach>,
    Path(id): Path<String>,
    query: Result<Query<YearQuery>, QueryRejection>,
) -> Result<Json<Year>, Refused> {
    let Query(query) = query.map_err(|rejection| ApiError::Invalid { reason: rejection.body_text() })?;
    check_step(query.step_minutes)?;
    if query.step_minutes < YEAR_STEP_MINUTES_MIN {
        let reason =
            format!("A year is sent in steps of {YEAR_STEP_MINUTES_MIN} minutes or more; start a run for finer ones.");
        return Err(Refused(ApiError::Invalid { reason }));
    }
    let opened = reach.house.designs.newest(&id_of::<DesignId>("design", &id)?).await?;
    let trace = reach.house.jobs.year(opened.known.site()?, query.step_minutes, query.seed).await?;
    Ok(Json(Year { columns: trace.columns }))
}

/// What a run came to.
pub async fn report(State(reach): State<Reach>, Path(id): Path<String>) -> Result<Json<Report>, Refused> {
    let detail = reach.house.run(id_of::<RunId>("run", &id)?).await?;
    detail.report.map(Json).ok_or_else(|| Refused(ApiError::NotFound { what: format!("report of run \"{id}\" yet") }))
}

/// What is not an id names nothing.
pub(super) fn id_of<Id: FromStr>(kind: &str, text: &str) -> Result<Id, Refused> {
    text.parse().map_err(|_| Refused(ApiError::NotFound { what: format!("{kind} \"{text}\"") }))
}

/// The answer where a handler panicked: a defect of ours, said once in the log.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over so")]
pub(super) fn panicked(said: Box<dyn Any + Send + 'static>) -> Response<Body> {
    tracing::error!(error = words_of(&*said), "An answer was broken off.");
    Refused(ApiError::Internal { reason: "Millwright made a mistake; its log says more.".into() }).into_response()
}
