//! How requests of the API are read: ids, queries, pages of lists, JSON bodies and designs.

use super::answer::{Failed, JSON, TOML};
use crate::design_text;
use crate::error::{Problem, Refusal, Refused, not_a_cursor};
use app::api::ApiError;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use model::design::Design;
use model::version::TEXT_BYTES_MAX;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::str::FromStr;
use utoipa::IntoParams;

/// Things in a page of a list where nothing is said.
const PAGE: u32 = 50;
/// Most things in a page of a list.
pub const PAGE_MAX: u32 = 200;

/// What is not an id names nothing.
pub fn id_of<Id: FromStr>(kind: &str, text: &str) -> Result<Id, Refused> {
    text.parse().map_err(|_| Refused(ApiError::NotFound { what: format!("{kind} \"{text}\"") }))
}

/// A query that was read; one that can't be is refused in words.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let query: Result<Query<T>, QueryRejection> = Query::from_request_parts(parts, state).await;
        query
            .map(|Query(query)| Self(query))
            .map_err(|rejection| Refused(ApiError::Invalid { reason: format!("{}.", rejection.body_text()) }))
    }
}

/// Which page of a list, newest first.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// The `next` of the page before; absent for the first page.
    pub cursor: Option<String>,
    /// Most things in the page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u32>,
}

impl PageQuery {
    /// How many things.
    pub fn limit(&self) -> Result<u32, ApiError> {
        limit_of(self.limit)
    }
}

/// How many things a page is to have.
pub fn limit_of(asked: Option<u32>) -> Result<u32, ApiError> {
    let limit = asked.unwrap_or(PAGE);
    if (1..=PAGE_MAX).contains(&limit) {
        return Ok(limit);
    }
    Err(ApiError::Invalid { reason: format!("A page has 1 to {PAGE_MAX} things, not {limit}.") })
}

/// Where a page begins: behind the thing that the cursor names.
pub fn cursor_of<Id: FromStr>(asked: Option<&str>) -> Result<Option<Id>, ApiError> {
    asked.map(|text| text.parse().map_err(|_| not_a_cursor())).transpose()
}

/// A cursor names a thing of the list: where nothing is so called, no page gave it.
pub fn of_page(error: ApiError) -> ApiError {
    if matches!(error, ApiError::NotFound { .. }) { not_a_cursor() } else { error }
}

/// A page's things and where the next page begins, of one thing more than the page has.
pub fn page_of<T, Id: ToString>(mut found: Vec<T>, limit: u32, id: impl Fn(&T) -> Id) -> (Vec<T>, Option<String>) {
    let limit = limit as usize;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| id(last).to_string());
    (found, next)
}

/// A body in JSON.
pub fn json<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Failed> {
    if kind_of(headers) != JSON {
        return Err(Refusal::WrongType { takes: JSON }.into());
    }
    parse_json(body)
}

/// A body that is a list in JSON, of things that have names.
pub fn json_list<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<Vec<T>, Failed> {
    if kind_of(headers) != JSON {
        return Err(Refusal::WrongType { takes: JSON }.into());
    }
    understood(body)
}

fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failed> {
    // Without names there is no telling what a list's items are meant to be.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(ApiError::Invalid { reason: "Send an object, not a list.".into() }.into());
    }
    understood(body)
}

fn understood<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failed> {
    serde_json::from_slice(body).map_err(|error| {
        let reason = format!("The JSON can't be read: {error}.");
        if error.is_data() { ApiError::Invalid { reason }.into() } else { Refusal::Malformed { reason }.into() }
    })
}

/// The text of a body that is a design: TOML as it is, JSON written as TOML.
pub fn design_text(headers: &HeaderMap, body: &[u8]) -> Result<String, Failed> {
    match kind_of(headers).as_str() {
        TOML | "text/toml" | "text/x-toml" => toml_text(body),
        JSON => design_as_toml(&parse_json(body)?),
        _ => Err(Refusal::WrongType { takes: "application/toml or application/json" }.into()),
    }
}

/// The text of a body that is TOML.
pub fn toml_text(body: &[u8]) -> Result<String, Failed> {
    if body.len() > TEXT_BYTES_MAX {
        return Err(Refusal::TooLarge { limit: TEXT_BYTES_MAX }.into());
    }
    let text = std::str::from_utf8(body).map_err(|error| {
        let line = body[..error.valid_up_to()].split(|&byte| byte == b'\n').count();
        Refusal::Malformed { reason: format!("Line {line} is not UTF-8 text.") }
    })?;
    Ok(text.to_owned())
}

/// A design as the text that is kept of it.
pub fn design_as_toml(design: &Design) -> Result<String, Failed> {
    toml::to_string(design)
        .map_err(|error| ApiError::Invalid { reason: format!("The design can't be written as TOML: {error}.") }.into())
}

/// The design that a text is; a text that is none is refused with its line and field.
pub fn design_of(toml: &str) -> Result<Design, Failed> {
    let design = design_text::read(toml).map_err(|problem| Problem::of_text(&problem))?;
    design_text::check_name(&design.name)?;
    Ok(design)
}

/// Refuses bodies that wrap a file in a form or an archive.
pub fn file_as_it_is(headers: &HeaderMap) -> Result<(), Failed> {
    let kind = kind_of(headers);
    if kind.starts_with("multipart/") || kind.ends_with("zip") {
        return Err(Refusal::WrongType { takes: "the file as it is, application/octet-stream" }.into());
    }
    Ok(())
}

/// What a body is, without its parameters.
pub fn kind_of(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
