//! The optimizer over the API: the operating point of a design, its power tree under steering, and sweeps as jobs.

use super::answer::{Answer, created, json, with_next};
use super::asked::{self, Asked, PageQuery, cursor_of, id_of, of_page, page_of};
use super::runs::file;
use crate::error::of_export;
use crate::export::sweep::sheet;
use crate::http::Reach;
use app::api::Backend;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use model::id::{DesignId, SweepId};
use model::optimum::{Applied, OptimumApply, OptimumAsk, OptimumView};
use model::steered::{SteerAsk, SteeredView};
use model::sweep::{SweepCreate, SweepDetail, SweepSummary};
use serde::Serialize;
use utoipa::ToSchema;

/// A page of sweeps.
#[derive(Debug, Serialize, ToSchema)]
pub struct SweepPage {
    /// The sweeps, newest first.
    items: Vec<SweepSummary>,
    /// The cursor of the next page; null at the end.
    next: Option<String>,
}

/// The operating point of a design's newest version: racks, power limit and water that are best by a goal, the frontier, what
/// binds, what more of each limit is worth, and whether it stands. Answers within seconds; 503 where too many wait.
#[utoipa::path(post, path = "/api/v1/designs/{id}/optimize", tag = "optimizer", operation_id = "designs_optimize",
    params(("id" = DesignId, Path, description = "Which design.")), request_body = OptimumAsk,
    responses((status = 200, description = "What was found, or why nothing could be sought.", body = OptimumView)))]
pub async fn study(State(reach): State<Reach>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Answer {
    let (id, ask) = (id_of::<DesignId>("design", &id)?, asked::json(&headers, &body)?);
    json(&HeaderMap::new(), &reach.house.study_of(&id, ask).await?)
}

/// Keeps a choice of racks, power limit and water as a new version of its design; of a reference design, which does not
/// change, as a branch.
#[utoipa::path(post, path = "/api/v1/optimize/apply", tag = "optimizer", operation_id = "optimize_apply",
    request_body = OptimumApply, responses((status = 200, description = "The design that holds it.", body = Applied)))]
pub async fn apply(State(reach): State<Reach>, headers: HeaderMap, body: Bytes) -> Answer {
    json(&HeaderMap::new(), &reach.house.apply_choice(asked::json(&headers, &body)?).await?)
}

/// A quarter of an hour of a design's power tree under a policy and steering: provisioned, capped and drawn at every node.
#[utoipa::path(post, path = "/api/v1/designs/{id}/steer", tag = "optimizer", operation_id = "designs_steer",
    params(("id" = DesignId, Path, description = "Which design.")), request_body = SteerAsk,
    responses((status = 200, description = "What came of it, or why there is nothing to steer.", body = SteeredView)))]
pub async fn steer(State(reach): State<Reach>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Answer {
    let (id, ask) = (id_of::<DesignId>("design", &id)?, asked::json(&headers, &body)?);
    json(&HeaderMap::new(), &reach.house.steering_of(&id, ask).await?)
}

/// Lists sweeps, newest first.
#[utoipa::path(get, path = "/api/v1/sweeps", tag = "optimizer", operation_id = "sweeps_list", params(PageQuery),
    responses((status = 200, description = "A page of sweeps.", body = SweepPage)))]
pub async fn list(State(reach): State<Reach>, Asked(query): Asked<PageQuery>, headers: HeaderMap) -> Answer {
    let limit = query.limit()?;
    let before = cursor_of::<SweepId>(query.cursor.as_deref())?;
    let found = reach.house.sweeps.list(before.as_ref(), limit + 1).await.map_err(of_page)?;
    let (items, next) = page_of(found, limit, |sweep| sweep.id.clone());
    let link = next.as_ref().map(|next| format!("/api/v1/sweeps?cursor={next}&limit={limit}"));
    Ok(with_next(json(&headers, &SweepPage { items, next })?, link))
}

/// Queues a sweep: the design's newest version at every combination of what is varied, up to 100,000 of them. It goes on after
/// a restart where it stood.
#[utoipa::path(post, path = "/api/v1/sweeps", tag = "optimizer", operation_id = "sweeps_create", request_body = SweepCreate,
    responses((status = 202, description = "It is queued; `Location` says where.", body = SweepDetail)))]
pub async fn create(State(reach): State<Reach>, headers: HeaderMap, body: Bytes) -> Answer {
    let create: SweepCreate = asked::json(&headers, &body)?;
    let id = reach.house.sweeps.submit(&create).await?;
    let location = format!("/api/v1/sweeps/{id}");
    Ok(created(json(&HeaderMap::new(), &reach.house.sweeps.detail(&id).await?)?, StatusCode::ACCEPTED, &location))
}

/// A sweep: how far it is, and the best of what is done.
#[utoipa::path(get, path = "/api/v1/sweeps/{id}", tag = "optimizer", operation_id = "sweeps_get",
    params(("id" = SweepId, Path, description = "Which sweep.")),
    responses((status = 200, description = "The sweep.", body = SweepDetail)))]
pub async fn get(State(reach): State<Reach>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    json(&headers, &reach.house.sweep(id_of("sweep", &id)?).await?)
}

/// Stops a sweep that is queued or under way; what is done of it stays.
#[utoipa::path(post, path = "/api/v1/sweeps/{id}/cancel", tag = "optimizer", operation_id = "sweeps_cancel",
    params(("id" = SweepId, Path, description = "Which sweep.")),
    responses((status = 200, description = "It is cancelled.", body = SweepDetail)))]
pub async fn cancel(State(reach): State<Reach>, Path(id): Path<String>) -> Answer {
    let id = id_of::<SweepId>("sweep", &id)?;
    reach.house.sweeps.cancel(&id).await?;
    json(&HeaderMap::new(), &reach.house.sweeps.detail(&id).await?)
}

/// Every row of a sweep that is done, as `millwright sweep --csv` has them.
#[utoipa::path(get, path = "/api/v1/sweeps/{id}/rows.csv", tag = "optimizer", operation_id = "sweeps_rows",
    params(("id" = SweepId, Path, description = "Which sweep.")),
    responses((status = 200, description = "The rows.", body = String, content_type = "text/csv")))]
pub async fn rows(State(reach): State<Reach>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let id = id_of::<SweepId>("sweep", &id)?;
    let vary = reach.house.sweeps.summary(&id).await?.ask.vary;
    let rows = reach.house.sweeps.rows(&id).await?;
    let bytes = sheet(&vary, &rows).map_err(|error| of_export(&error))?;
    Ok(file(&headers, "text/csv; charset=utf-8", bytes, &format!("sweep-{id}.csv")))
}

/// Forgets a sweep with its rows.
#[utoipa::path(delete, path = "/api/v1/sweeps/{id}", tag = "optimizer", operation_id = "sweeps_delete",
    params(("id" = SweepId, Path, description = "Which sweep.")),
    responses((status = 204, description = "It is gone.")))]
pub async fn delete(State(reach): State<Reach>, Path(id): Path<String>) -> Answer {
    reach.house.sweep_delete(id_of("sweep", &id)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
