//! Snapshots over the API: texts that share links lead to.

use super::answer::{Answer, TOML, created, json, text};
use super::asked::{self, id_of};
use crate::http::Reach;
use app::api::Backend;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use model::design::Design;
use model::id::SnapshotId;
use serde::Serialize;
use utoipa::ToSchema;

/// A snapshot that was kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct Snapshot {
    /// What leads to it: the first 20 hexadecimal digits of its text's SHA-256.
    id: SnapshotId,
}

/// Keeps a design's text for a share link. The same text has the same link, and a link never leads to another text.
#[utoipa::path(post, path = "/api/v1/snapshots", tag = "snapshots", operation_id = "snapshots_create",
    request_body(content((Design = "application/json"), (String = "application/toml"))),
    responses((status = 201, description = "It is kept; `Location` says where.", body = Snapshot)))]
pub async fn create(State(reach): State<Reach>, headers: HeaderMap, body: Bytes) -> Answer {
    let toml = asked::design_text(&headers, &body)?;
    asked::design_of(&toml)?;
    let id = reach.house.snapshot_save(toml).await?;
    let location = format!("/api/v1/snapshots/{id}");
    Ok(created(json(&HeaderMap::new(), &Snapshot { id })?, StatusCode::CREATED, &location))
}

/// The text that a share link leads to.
#[utoipa::path(get, path = "/api/v1/snapshots/{id}", tag = "snapshots", operation_id = "snapshots_get",
    params(("id" = SnapshotId, Path, description = "Which snapshot.")),
    responses((status = 200, description = "The text.", body = String, content_type = "application/toml")))]
pub async fn get(State(reach): State<Reach>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let toml = reach.house.snapshot(id_of("snapshot", &id)?).await?;
    Ok(text(&headers, TOML, &toml))
}
