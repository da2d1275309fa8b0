//! Runs over the API: asked for, followed, cancelled, and what they came to.

use super::answer::{Answer, Failed, created, json, tag_of, tagged, with_next};
use super::asked::{self, Asked, PageQuery, cursor_of, id_of, of_page, page_of};
use crate::error::of_export;
use crate::export::{self, Table};
use crate::http::Reach;
use app::api::{ApiError, Backend};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use model::id::RunId;
use model::report::Report;
use model::run::{RunDetail, RunRequest, RunSummary};
use serde::Serialize;
use utoipa::ToSchema;

/// A page of runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunPage {
    /// The runs, newest first.
    items: Vec<RunSummary>,
    /// The cursor of the next page; null at the end.
    next: Option<String>,
}

/// Lists runs, newest first.
#[utoipa::path(get, path = "/api/v1/runs", tag = "runs", operation_id = "runs_list", params(PageQuery),
    responses((status = 200, description = "A page of runs.", body = RunPage)))]
pub async fn list(State(reach): State<Reach>, Asked(query): Asked<PageQuery>, headers: HeaderMap) -> Answer {
    let limit = query.limit()?;
    let before = cursor_of::<RunId>(query.cursor.as_deref())?;
    let found = reach.house.run_page(before.as_ref(), limit + 1).await.map_err(of_page)?;
    let (items, next) = page_of(found, limit, |run| run.id.clone());
    let link = next.as_ref().map(|next| format!("/api/v1/runs?cursor={next}&limit={limit}"));
    Ok(with_next(json(&headers, &RunPage { items, next })?, link))
}

/// Starts a year of a design's newest version. Refused where the design can't be built as drawn; 503 where the queue is
/// full.
#[utoipa::path(post, path = "/api/v1/runs", tag = "runs", operation_id = "runs_create", request_body = RunRequest,
    responses((status = 202, description = "It is queued; `Location` says where to follow it.", body = RunSummary)))]
pub async fn create(State(reach): State<Reach>, headers: HeaderMap, body: Bytes) -> Answer {
    let request: RunRequest = asked::json(&headers, &body)?;
    let id = reach.house.run_start(request).await?;
    let summary = reach.house.run_summary(&id).await?;
    Ok(created(json(&HeaderMap::new(), &summary)?, StatusCode::ACCEPTED, &format!("/api/v1/runs/{id}")))
}

/// A run: how far it is and, once it is done, what it came to.
#[utoipa::path(get, path = "/api/v1/runs/{id}", tag = "runs", operation_id = "runs_get",
    params(("id" = RunId, Path, description = "Which run.")),
    responses((status = 200, description = "The run.", body = RunDetail)))]
pub async fn get(State(reach): State<Reach>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    json(&headers, &reach.house.run(id_of("run", &id)?).await?)
}

/// Stops a run that is queued or under way.
#[utoipa::path(post, path = "/api/v1/runs/{id}/cancel", tag = "runs", operation_id = "runs_cancel",
    params(("id" = RunId, Path, description = "Which run.")),
    responses((status = 200, description = "It is cancelled.", body = RunSummary)))]
pub async fn cancel(State(reach): State<Reach>, Path(id): Path<String>) -> Answer {
    let id = id_of::<RunId>("run", &id)?;
    reach.house.run_cancel(id.clone()).await?;
    json(&HeaderMap::new(), &reach.house.run_summary(&id).await?)
}

/// What a run came to, as `millwright simulate --json` says it. Not found until the run is done.
#[utoipa::path(get, path = "/api/v1/runs/{id}/report.json", tag = "runs", operation_id = "runs_report",
    params(("id" = RunId, Path, description = "Which run.")),
    responses((status = 200, description = "The report.", body = Report)))]
pub async fn report(State(reach): State<Reach>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    json(&headers, &reach.report(&id).await?)
}

/// What a run came to as CSV: a line `section,item,figure,value` for each figure.
#[utoipa::path(get, path = "/api/v1/runs/{id}/report.csv", tag = "runs", operation_id = "runs_report_csv",
    params(("id" = RunId, Path, description = "Which run.")),
    responses((status = 200, description = "The report.", body = String, content_type = "text/csv")))]
pub async fn csv(State(reach): State<Reach>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let tables = tables(&reach, &id).await?.1;
    let bytes = export::csv::write(&tables).map_err(|error| of_export(&error))?;
    Ok(file(&headers, "text/csv; charset=utf-8", bytes, &format!("{id}.csv")))
}

/// What a run came to as a workbook: sums and ratios are formulas that can be followed.
#[utoipa::path(get, path = "/api/v1/runs/{id}/report.xlsx", tag = "runs", operation_id = "runs_report_xlsx",
    params(("id" = RunId, Path, description = "Which run.")),
    responses((status = 200, description = "The workbook.", body = Vec<u8>, content_type = XLSX)))]
pub async fn xlsx(State(reach): State<Reach>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let (made_ms, tables) = tables(&reach, &id).await?;
    let bytes = export::xlsx::write(&tables, made_ms).map_err(|error| of_export(&error))?;
    Ok(file(&headers, XLSX, bytes, &format!("{id}.xlsx")))
}

/// A workbook.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// When a run was asked for, and its report as tables.
async fn tables(reach: &Reach, id: &str) -> Result<(i64, Vec<Table>), Failed> {
    let report = reach.report(id).await?;
    let run = reach.house.run_summary(&id_of::<RunId>("run", id)?).await?;
    Ok((run.created_ms, export::tables(&run, &report)))
}

/// Bytes to be kept as a file. Ids have nothing in them that a name of a file can't have.
pub(super) fn file(headers: &HeaderMap, kind: &'static str, bytes: Vec<u8>, name: &str) -> Response {
    let tag = tag_of(&bytes);
    let mut response = tagged(headers, kind, bytes, &tag);
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"millwright-{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

impl Reach {
    /// The report of a run that is done.
    pub(super) async fn report(&self, id: &str) -> Result<Report, Failed> {
        let detail = self.house.run(id_of::<RunId>("run", id)?).await?;
        Ok(detail.report.ok_or_else(|| ApiError::NotFound { what: format!("report of run \"{id}\" yet") })?)
    }
}
