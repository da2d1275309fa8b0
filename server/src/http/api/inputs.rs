//! Input files over the API: weather, prices, carbon and requests for runs to be made with.

use super::answer::{Answer, created, json, with_next};
use super::asked::{Asked, PageQuery, cursor_of, file_as_it_is, id_of, of_page, page_of};
use crate::error::{Refusal, of_store};
use crate::http::Reach;
use app::api::Backend;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use model::id::{InputId, LocationId};
use model::input::{InputKind, StoredInput};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A page of input files.
#[derive(Debug, Serialize, ToSchema)]
pub struct InputPage {
    /// The files, newest first.
    items: Vec<StoredInput>,
    /// The cursor of the next page; null at the end.
    next: Option<String>,
}

/// Lists input files, newest first.
#[utoipa::path(get, path = "/api/v1/inputs", tag = "inputs", operation_id = "inputs_list", params(PageQuery),
    responses((status = 200, description = "A page of files.", body = InputPage)))]
pub async fn list(State(reach): State<Reach>, Asked(query): Asked<PageQuery>, headers: HeaderMap) -> Answer {
    let limit = query.limit()?;
    let before = cursor_of::<InputId>(query.cursor.as_deref())?;
    let found = reach.house.input_page(before.as_ref(), limit + 1).await.map_err(of_page)?;
    let (items, next) = page_of(found, limit, |input| input.id.clone());
    let link = next.as_ref().map(|next| format!("/api/v1/inputs?cursor={next}&limit={limit}"));
    Ok(with_next(json(&headers, &InputPage { items, next })?, link))
}

/// What a file is.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FileQuery {
    /// What it is about.
    #[param(inline)]
    kind: InputKind,
    /// Its name.
    #[param(min_length = 1, max_length = 200)]
    name: String,
    /// The place to read it for, which sets zone and height; absent means the catalog's first. A run reads it for its own.
    location: Option<LocationId>,
}

/// Keeps a file for runs to be made with. Send it as it is: EPW or Open-Meteo CSV up to 4 MiB; CSV of prices, carbon or
/// generation by fuel, and Azure, Mooncake or ServeGen traces up to 32 MiB. No archives. The answer says what was read
/// and what was mended; a file that can't be read is refused with its line and column. The same file is kept once.
#[utoipa::path(post, path = "/api/v1/inputs", tag = "inputs", operation_id = "inputs_create", params(FileQuery),
    request_body(content = String, content_type = "application/octet-stream", description = "The file."),
    responses((status = 201, description = "It is kept; `Location` says where.", body = StoredInput)))]
pub async fn create(
    State(reach): State<Reach>,
    Asked(query): Asked<FileQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    file_as_it_is(&headers)?;
    if body.len() > query.kind.bytes_max() {
        return Err(Refusal::TooLarge { limit: query.kind.bytes_max() }.into());
    }
    let kept = reach.house.keep_input(query.kind, &query.name, body.to_vec(), query.location.as_ref()).await?;
    let location = format!("/api/v1/inputs/{}", kept.id);
    Ok(created(json(&HeaderMap::new(), &kept)?, StatusCode::CREATED, &location))
}

/// An input file: what was read in it.
#[utoipa::path(get, path = "/api/v1/inputs/{id}", tag = "inputs", operation_id = "inputs_get",
    params(("id" = InputId, Path, description = "Which file.")),
    responses((status = 200, description = "The file.", body = StoredInput)))]
pub async fn get(State(reach): State<Reach>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let id = id_of::<InputId>("input file", &id)?;
    json(&headers, &store::input::get(&reach.house.db, &id).await.map_err(of_store)?)
}

/// Forgets an input file. Refused where a run was made with it, which could not be made again without it.
#[utoipa::path(delete, path = "/api/v1/inputs/{id}", tag = "inputs", operation_id = "inputs_delete",
    params(("id" = InputId, Path, description = "Which file.")),
    responses((status = 204, description = "It is gone.")))]
pub async fn delete(State(reach): State<Reach>, Path(id): Path<String>) -> Answer {
    reach.house.input_delete(id_of("input file", &id)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
