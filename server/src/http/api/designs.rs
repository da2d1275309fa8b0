//! Designs over the API: listed, made, read, changed against a version, branched, put away.

use super::answer::{Answer, Failed, Format, TOML, created, format, json, json_as, tagged, tags, with_next};
use super::asked::{self, Asked, cursor_of, id_of, kind_of, limit_of, page_of};
use crate::backend::House;
use crate::design_text;
use crate::designs::Opened;
use crate::error::{Problem, Refusal, of_store};
use crate::http::Reach;
use app::api::{ApiError, Backend};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use model::design::Design;
use model::id::DesignId;
use model::run::{DesignDetail, DesignSummary};
use model::version::{BranchPoint, DesignCreate, DesignSave, DesignSaved, DesignVersion, NAME_CHARS_MAX};
use serde::{Deserialize, Serialize};
use store::design::Shelf;
use utoipa::{IntoParams, ToSchema};

/// A page of designs.
#[derive(Debug, Serialize, ToSchema)]
pub struct DesignPage {
    /// The designs, each in its newest version.
    items: Vec<DesignSummary>,
    /// The cursor of the next page; null at the end.
    next: Option<String>,
}

/// Which designs.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ShelfName)]
pub enum ShelfName {
    /// Those in use.
    #[default]
    InUse,
    /// Those that were put away.
    Archived,
}

/// Which page of which designs.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct ListQuery {
    /// The `next` of the page before; absent for the first page.
    #[param(required = false)]
    cursor: Option<String>,
    /// Most designs in the page.
    #[param(minimum = 1, maximum = 200, default = 50, required = false)]
    limit: Option<u32>,
    /// Which designs: those in use, or those that were put away.
    #[param(inline, required = false)]
    shelf: ShelfName,
}

/// Lists designs: those that came with Millwright first, then the others by name.
#[utoipa::path(get, path = "/api/v1/designs", tag = "designs", operation_id = "designs_list", params(ListQuery),
    responses((status = 200, description = "A page of designs.", body = DesignPage)))]
pub async fn list(State(reach): State<Reach>, Asked(query): Asked<ListQuery>, headers: HeaderMap) -> Answer {
    let limit = limit_of(query.limit)?;
    let after = cursor_of::<DesignId>(query.cursor.as_deref())?;
    let shelf = match query.shelf {
        ShelfName::InUse => Shelf::InUse,
        ShelfName::Archived => Shelf::Archived,
    };
    let found = reach.house.designs.page(shelf, after.as_ref(), limit + 1).await?;
    let (items, next) = page_of(found, limit, |opened| opened.stored.id.clone());
    let items = items.iter().map(Opened::summary).collect();
    let archived = if matches!(query.shelf, ShelfName::Archived) { "&shelf=archived" } else { "" };
    let link = next.as_ref().map(|next| format!("/api/v1/designs?cursor={next}&limit={limit}{archived}"));
    Ok(with_next(json(&headers, &DesignPage { items, next })?, link))
}

/// A new design: its text, or the same as JSON.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDesign {
    /// What it is to be called; absent means as the text says.
    #[schema(min_length = 1, max_length = 120)]
    name: Option<String>,
    /// Its text in TOML.
    toml: Option<String>,
    /// The design itself, in the place of its text.
    design: Option<Box<Design>>,
    /// What it began as, if it is a branch.
    branched_from: Option<BranchPoint>,
}

/// Keeps a new design, as version 1. Send its TOML as it is, or JSON with its text or the design itself. Its id is made
/// from its name.
#[utoipa::path(post, path = "/api/v1/designs", tag = "designs", operation_id = "designs_create",
    request_body(content((NewDesign = "application/json"), (String = "application/toml"))),
    responses((status = 201, description = "It is kept; `Location` says where.", body = DesignSummary)))]
pub async fn create(State(reach): State<Reach>, headers: HeaderMap, body: Bytes) -> Answer {
    let new = if kind_of(&headers) == super::answer::JSON {
        asked::json(&headers, &body)?
    } else {
        NewDesign { name: None, toml: Some(asked::design_text(&headers, &body)?), design: None, branched_from: None }
    };
    let mut toml = text_of(new.toml, new.design)?;
    if let Some(name) = &new.name {
        design_text::check_name(name)?;
        toml = design_text::named(&toml, name);
    }
    let name = asked::design_of(&toml)?.name;
    keep(&reach.house, &headers, DesignCreate { name, toml, branched_from: new.branched_from }).await
}

async fn keep(house: &House, headers: &HeaderMap, new: DesignCreate) -> Answer {
    let summary = house.design_create(new).await?;
    Ok(created(json(headers, &summary)?, StatusCode::CREATED, &format!("/api/v1/designs/{}", summary.id)))
}

/// The text of a design that was sent as its text or as itself.
fn text_of(toml: Option<String>, design: Option<Box<Design>>) -> Result<String, Failed> {
    match (toml, design) {
        (Some(toml), None) => Ok(toml),
        (None, Some(design)) => asked::design_as_toml(&design),
        (Some(_), Some(_)) | (None, None) => {
            Err(ApiError::Invalid { reason: "Send either `toml` or `design`.".into() }.into())
        }
    }
}

/// The newest version of a design: as JSON with everything that is known of it, or its text as TOML.
#[utoipa::path(get, path = "/api/v1/designs/{id}", tag = "designs", operation_id = "designs_get",
    params(("id" = DesignId, Path, description = "Which design.")),
    responses((status = 200, description = "The design; its ETag names the version.",
        content((DesignDetail = "application/json"), (String = "application/toml")))))]
pub async fn get(State(reach): State<Reach>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    shown(&reach.house.designs.newest(&id_of::<DesignId>("design", &id)?).await?, &headers)
}

/// One version of a design, as JSON or TOML.
#[utoipa::path(get, path = "/api/v1/designs/{id}/versions/{version}", tag = "designs", operation_id = "designs_version",
    params(("id" = DesignId, Path, description = "Which design."),
           ("version" = u32, Path, description = "Which version of it, from 1.", minimum = 1)),
    responses((status = 200, description = "The design as it was.",
        content((DesignDetail = "application/json"), (String = "application/toml")))))]
pub async fn version(
    State(reach): State<Reach>,
    Path((id, version)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let number = id_of::<u32>("version", &version)?;
    shown(&reach.house.designs.version(&id_of::<DesignId>("design", &id)?, number).await?, &headers)
}

fn shown(opened: &Opened, headers: &HeaderMap) -> Answer {
    let version = &opened.stored.version;
    let tag = |hash: &str| format!("v{}.{}", version.version, &hash[..hash.len().min(20)]);
    let mut response = match format(headers)? {
        Format::Json => json_as(headers, &opened.detail(), tag)?,
        Format::Toml => tagged(headers, TOML, opened.stored.toml.clone().into_bytes(), &tag(&version.text_sha256)),
    };
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept"));
    Ok(response)
}

/// A change to a design.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedDesign {
    /// Its whole text in TOML.
    toml: Option<String>,
    /// The design itself, in the place of its text.
    design: Option<Box<Design>>,
    /// What the new version is to be called.
    #[serde(default)]
    #[schema(max_length = 120)]
    label: String,
    /// What the change is about.
    #[serde(default)]
    #[schema(max_length = 2000)]
    message: String,
}

/// Keeps another version of a design. `If-Match` says which version was changed; where someone else saved one in
/// between, the answer is 412 with both texts, the one that both began with, and both changes brought together.
#[utoipa::path(put, path = "/api/v1/designs/{id}", tag = "designs", operation_id = "designs_put",
    params(("id" = DesignId, Path, description = "Which design."),
           ("If-Match" = String, Header, description = "The ETag of the version that was changed, or `*`.")),
    request_body(content((ChangedDesign = "application/json"), (String = "application/toml"))),
    responses((status = 200, description = "It is kept, as this version.", body = DesignVersion)))]
pub async fn put(State(reach): State<Reach>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Answer {
    let id = id_of::<DesignId>("design", &id)?;
    if !headers.contains_key(header::IF_MATCH) {
        return Err(Refusal::NoVersion.into());
    }
    let change = if kind_of(&headers) == super::answer::JSON {
        asked::json(&headers, &body)?
    } else {
        let toml = Some(asked::design_text(&headers, &body)?);
        ChangedDesign { toml, design: None, label: String::new(), message: String::new() }
    };
    let toml = text_of(change.toml, change.design)?;
    asked::design_of(&toml)?;
    let newest = store::design::newest(&reach.house.db, &id).await.map_err(of_store)?;
    let Some(based_on_version) = version_of(&headers, newest.version.version) else {
        return Err(Problem::of_unknown_version(newest.version, toml, newest.toml).into());
    };
    let save = DesignSave { id, toml, based_on_version, label: change.label, message: change.message };
    match reach.house.design_save(save).await? {
        DesignSaved::Conflict { conflict } => Err(Problem::of_conflict(*conflict).into()),
        DesignSaved::Saved { version } => {
            let none = HeaderMap::new(); // a change is never answered with "you have it already"
            let mut response = json(&none, &version)?;
            let tag = format!("\"v{}.{}\"", version.version, &version.text_sha256[..20]);
            if let Ok(tag) = header::HeaderValue::from_str(&tag) {
                response.headers_mut().insert(header::ETAG, tag);
            }
            Ok(response)
        }
    }
}

/// The version that `If-Match` names: its tag begins with it. None where it names none that ever was.
fn version_of(headers: &HeaderMap, newest: u32) -> Option<u32> {
    tags(headers, &header::IF_MATCH)
        .filter_map(|tag| {
            if tag == "*" {
                return Some(newest);
            }
            let version: u32 = tag.strip_prefix("\"v")?.split('.').next()?.parse().ok()?;
            (1..=newest).contains(&version).then_some(version)
        })
        .max()
}

/// Every version of a design, newest first, without their texts.
#[utoipa::path(get, path = "/api/v1/designs/{id}/versions", tag = "designs", operation_id = "designs_versions",
    params(("id" = DesignId, Path, description = "Which design.")),
    responses((status = 200, description = "Its versions.", body = Vec<DesignVersion>)))]
pub async fn versions(State(reach): State<Reach>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    json(&headers, &reach.house.design_versions(id_of("design", &id)?).await?)
}

/// What a branch is to be.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBranch {
    /// What it is to be called; absent means the design's name with "(branch)" behind it.
    #[schema(min_length = 1, max_length = 120)]
    name: Option<String>,
    /// Which version it begins as; absent means the newest.
    #[schema(minimum = 1)]
    version: Option<u32>,
}

/// Begins a design of your own as a version of another one.
#[utoipa::path(post, path = "/api/v1/designs/{id}/branch", tag = "designs", operation_id = "designs_branch",
    params(("id" = DesignId, Path, description = "Which design.")), request_body = NewBranch,
    responses((status = 201, description = "The branch is kept; `Location` says where.", body = DesignSummary)))]
pub async fn branch(State(reach): State<Reach>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Answer {
    const MARK: &str = " (branch)";
    let id = id_of::<DesignId>("design", &id)?;
    let new: NewBranch = asked::json(&headers, &body)?;
    let from = match new.version {
        Some(version) => store::design::version(&reach.house.db, &id, version).await,
        None => store::design::newest(&reach.house.db, &id).await,
    }
    .map_err(of_store)?;
    let marked = || from.name.chars().take(NAME_CHARS_MAX - MARK.len()).chain(MARK.chars()).collect();
    let name = new.name.unwrap_or_else(marked);
    design_text::check_name(&name)?;
    let branched_from = Some(BranchPoint { design: id, version: from.version.version });
    keep(&reach.house, &headers, DesignCreate { name, toml: from.toml, branched_from }).await
}

/// Puts a design away: lists show it no more and it can't be changed, but links and runs stay good.
#[utoipa::path(post, path = "/api/v1/designs/{id}/archive", tag = "designs", operation_id = "designs_archive",
    params(("id" = DesignId, Path, description = "Which design.")),
    responses((status = 200, description = "It is put away.", body = DesignSummary)))]
pub async fn archive(State(reach): State<Reach>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let id = id_of::<DesignId>("design", &id)?;
    reach.house.design_archive(id.clone()).await?;
    json(&headers, &reach.house.designs.newest(&id).await?.summary())
}

/// Takes a design out again that was put away.
#[utoipa::path(post, path = "/api/v1/designs/{id}/restore", tag = "designs", operation_id = "designs_restore",
    params(("id" = DesignId, Path, description = "Which design.")),
    responses((status = 200, description = "It is in use.", body = DesignSummary)))]
pub async fn restore(State(reach): State<Reach>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let id = id_of::<DesignId>("design", &id)?;
    reach.house.design_restore(id.clone()).await?;
    json(&headers, &reach.house.designs.newest(&id).await?.summary())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_its_version() {
        let check = |tags: &str, expected: Option<u32>| {
            let headers = HeaderMap::from_iter([(header::IF_MATCH, tags.parse().unwrap())]);
            assert_eq!(version_of(&headers, 7), expected, "{tags}");
        };
        check("\"v3.0123\"", Some(3));
        check("*", Some(7));
        check("\"v3.01\", \"v5.77\"", Some(5));
        for nothing in ["\"v8.01\"", "\"v0.01\"", "W/\"v3.01\"", "\"x\"", "v3.01", ""] {
            check(nothing, None);
        }
    }
}
