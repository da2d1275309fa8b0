//! The catalog over the API: what designs may name, row by row, each with its source.

use super::answer::{Answer, json, with_next};
use super::asked::{Asked, file_as_it_is, id_of, limit_of, page_of};
use crate::error::not_a_cursor;
use crate::http::Reach;
use app::api::ApiError;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use model::catalog::{Catalog, PartsRead};
use model::id::{LocationId, ModelId, PartId};
use model::location::Location;
use model::part::{CoolingPart, Gpu, LanguageModel, PowerPart, Rack, Tray};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The lists of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CatalogKind)]
pub enum ListName {
    /// Accelerators.
    Gpu,
    /// Servers, trays, storage nodes.
    Tray,
    /// Racks.
    Rack,
    /// Power equipment.
    Power,
    /// Cooling equipment.
    Cooling,
    /// Language models.
    Model,
    /// Places.
    Location,
}

impl ListName {
    /// As `Catalog::rows` has it.
    fn name(self) -> &'static str {
        match self {
            Self::Gpu => "gpu",
            Self::Tray => "tray",
            Self::Rack => "rack",
            Self::Power => "power",
            Self::Cooling => "cooling",
            Self::Model => "model",
            Self::Location => "location",
        }
    }
}

/// A row of the catalog in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowHead {
    /// The list that it stands in.
    kind: &'static str,
    /// Its name in designs.
    id: String,
    /// Where its figures come from.
    source: String,
    /// When they were read.
    as_of: String,
}

/// A page of catalog rows.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowPage {
    /// The rows.
    items: Vec<RowHead>,
    /// The cursor of the next page; null at the end.
    next: Option<String>,
}

/// Which page of which rows.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RowsQuery {
    /// The `next` of the page before; absent for the first page.
    cursor: Option<String>,
    /// Most rows in the page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// Which list; absent means all.
    #[param(inline)]
    kind: Option<ListName>,
}

/// Lists what designs may name, with where the figures come from.
#[utoipa::path(get, path = "/api/v1/catalog", tag = "catalog", operation_id = "catalog_list", params(RowsQuery),
    responses((status = 200, description = "A page of rows.", body = RowPage)))]
pub async fn list(State(reach): State<Reach>, Asked(query): Asked<RowsQuery>, headers: HeaderMap) -> Answer {
    let limit = limit_of(query.limit)?;
    let key = |row: &RowHead| format!("{}.{}", row.kind, row.id);
    let mut rows: Vec<RowHead> = reach
        .house
        .designs
        .catalog()
        .rows()
        .filter(|(list, _)| query.kind.is_none_or(|kind| kind.name() == *list))
        .map(|(kind, row)| RowHead {
            kind,
            id: row.row(),
            source: row.source().to_owned(),
            as_of: row.as_of().to_owned(),
        })
        .collect();
    if let Some(cursor) = &query.cursor {
        let at = rows.iter().position(|row| key(row) == *cursor).ok_or_else(not_a_cursor)?;
        rows.drain(..=at);
    }
    let (items, next) = page_of(rows, limit, key);
    let kind = query.kind.map(|kind| format!("&kind={}", kind.name())).unwrap_or_default();
    let link = next.as_ref().map(|next| format!("/api/v1/catalog?cursor={next}&limit={limit}{kind}"));
    Ok(with_next(json(&headers, &RowPage { items, next })?, link))
}

/// A row with every figure, in the shape of its list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum CatalogRow {
    /// An accelerator.
    Gpu(Gpu),
    /// A server, tray or storage node.
    Tray(Tray),
    /// A rack.
    Rack(Rack),
    /// Power equipment.
    Power(PowerPart),
    /// Cooling equipment.
    Cooling(CoolingPart),
    /// A language model.
    Model(LanguageModel),
    /// A place.
    Location(Box<Location>),
}

/// One row of the catalog, with every figure.
#[utoipa::path(get, path = "/api/v1/catalog/{kind}/{id}", tag = "catalog", operation_id = "catalog_row",
    params(("kind" = ListName, Path, description = "Which list."),
           ("id" = PartId, Path, description = "The row's name in designs.")),
    responses((status = 200, description = "The row.", body = CatalogRow)))]
pub async fn row(State(reach): State<Reach>, Path((kind, id)): Path<(String, String)>, headers: HeaderMap) -> Answer {
    let none = || ApiError::NotFound { what: format!("{kind} \"{id}\" in the catalog") };
    let list: ListName = serde_json::from_value(kind.as_str().into()).map_err(|_| none())?;
    json(&headers, &found(reach.house.designs.catalog(), list, &id)?.ok_or_else(none)?)
}

/// What a file of parts is called.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PartsQuery {
    /// Its name: `.yaml` and `.yml` are NetBox types, all else is TOML as `millwright catalog show` prints it.
    #[param(min_length = 1, max_length = 200)]
    name: String,
}

/// What a file of parts holds, for a design's `parts`: NetBox device and rack types in YAML (one document or several), or
/// TOML. The remarks say what NetBox's format has not and was estimated: idle draw, losses, prices. Nothing is kept.
#[utoipa::path(post, path = "/api/v1/catalog/parts", tag = "catalog", operation_id = "catalog_parts", params(PartsQuery),
    request_body(content = String, content_type = "application/octet-stream", description = "The file, up to 1 MiB."),
    responses((status = 200, description = "Its parts and what was estimated.", body = PartsRead)))]
pub async fn parts(
    State(reach): State<Reach>,
    Asked(query): Asked<PartsQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    file_as_it_is(&headers)?;
    let read = reach.house.read_parts(query.name, body.to_vec()).await?;
    json(&HeaderMap::new(), &read)
}

fn found(catalog: &Catalog, list: ListName, id: &str) -> Result<Option<CatalogRow>, crate::error::Refused> {
    let part = || id_of::<PartId>("part", id);
    Ok(match list {
        ListName::Gpu => catalog.gpu(&part()?).cloned().map(CatalogRow::Gpu),
        ListName::Tray => catalog.tray(&part()?).cloned().map(CatalogRow::Tray),
        ListName::Rack => catalog.rack(&part()?).cloned().map(CatalogRow::Rack),
        ListName::Power => catalog.power(&part()?).cloned().map(CatalogRow::Power),
        ListName::Cooling => catalog.cooling(&part()?).cloned().map(CatalogRow::Cooling),
        ListName::Model => catalog.model(&id_of::<ModelId>("model", id)?).cloned().map(CatalogRow::Model),
        ListName::Location => {
            catalog.location(&id_of::<LocationId>("place", id)?).cloned().map(Box::new).map(CatalogRow::Location)
        }
    })
}
