//! Replays over the API: requests through a fleet, one by one, and what came of it.

use super::answer::{Answer, created, json, with_next};
use super::asked::{self, Asked, PageQuery, cursor_of, id_of, of_page, page_of};
use super::runs::file;
use crate::error::{of_export, of_store};
use crate::http::Reach;
use app::api::{ApiError, Backend};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use flate2::read::GzDecoder;
use model::id::ReplayId;
use model::replay::{ReplayCreate, ReplayDetail, ReplaySummary};
use serde::Serialize;
use std::io::Read;
use utoipa::ToSchema;

/// A page of replays.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplayPage {
    /// The replays, newest first.
    items: Vec<ReplaySummary>,
    /// The cursor of the next page; null at the end.
    next: Option<String>,
}

/// Lists replays, newest first.
#[utoipa::path(get, path = "/api/v1/replays", tag = "replays", operation_id = "replays_list", params(PageQuery),
    responses((status = 200, description = "A page of replays.", body = ReplayPage)))]
pub async fn list(State(reach): State<Reach>, Asked(query): Asked<PageQuery>, headers: HeaderMap) -> Answer {
    let limit = query.limit()?;
    let before = cursor_of::<ReplayId>(query.cursor.as_deref())?;
    let found = reach.house.replay_page(before.as_ref(), limit + 1).await.map_err(of_page)?;
    let (items, next) = page_of(found, limit, |replay| replay.id.clone());
    let link = next.as_ref().map(|next| format!("/api/v1/replays?cursor={next}&limit={limit}"));
    Ok(with_next(json(&headers, &ReplayPage { items, next })?, link))
}

/// Replays requests through a fleet, step by step, and keeps what comes of it; the answer comes once it is done, within
/// seconds. Requests are made up, or a trace of up to 32 MiB that stands in the body as text. Refused where the model does
/// not fit, and where the trace can't be read, with its line and column; 503 where too many replays wait. The same setup
/// and requests come to the same outcome.
#[utoipa::path(post, path = "/api/v1/replays", tag = "replays", operation_id = "replays_create", request_body = ReplayCreate,
    responses((status = 201, description = "It is kept; `Location` says where.", body = ReplaySummary)))]
pub async fn create(State(reach): State<Reach>, headers: HeaderMap, body: Bytes) -> Answer {
    let create: ReplayCreate = asked::json(&headers, &body)?;
    drop(body);
    let made = reach.house.make_replay(create).await?;
    let location = format!("/api/v1/replays/{}", made.summary.id);
    Ok(created(json(&HeaderMap::new(), &made.summary)?, StatusCode::CREATED, &location))
}

/// A replay: what was asked, and what came of it.
#[utoipa::path(get, path = "/api/v1/replays/{id}", tag = "replays", operation_id = "replays_get",
    params(("id" = ReplayId, Path, description = "Which replay.")),
    responses((status = 200, description = "The replay.", body = ReplayDetail)))]
pub async fn get(State(reach): State<Reach>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    json(&headers, &reach.house.replay(id_of("replay", &id)?).await?)
}

/// A row of each request of a replay, as `millwright replay --csv` has them. Not found where there were more than 50,000.
#[utoipa::path(get, path = "/api/v1/replays/{id}/requests.csv", tag = "replays", operation_id = "replays_requests",
    params(("id" = ReplayId, Path, description = "Which replay.")),
    responses((status = 200, description = "The rows.", body = String, content_type = "text/csv")))]
pub async fn requests(State(reach): State<Reach>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let id = id_of::<ReplayId>("replay", &id)?;
    let rows = store::replay::rows_csv_gz(&reach.house.db, &id).await.map_err(of_store)?;
    let many =
        || ApiError::NotFound { what: format!("row of each request of replay \"{id}\": there were too many to keep") };
    let rows = rows.ok_or_else(many)?;
    let mut bytes = Vec::new();
    GzDecoder::new(rows.as_slice()).read_to_end(&mut bytes).map_err(|error| of_export(&error))?;
    Ok(file(&headers, "text/csv; charset=utf-8", bytes, &format!("replay-{id}.csv")))
}

/// Forgets a replay, and its trace where no other was made with it.
#[utoipa::path(delete, path = "/api/v1/replays/{id}", tag = "replays", operation_id = "replays_delete",
    params(("id" = ReplayId, Path, description = "Which replay.")),
    responses((status = 204, description = "It is gone.")))]
pub async fn delete(State(reach): State<Reach>, Path(id): Path<String>) -> Answer {
    reach.house.replay_delete(id_of("replay", &id)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
