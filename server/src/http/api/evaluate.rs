//! What designs come to, over the API: the instant answer, the site that a design is, and its year column by column.

use super::answer::{Answer, Failed, json};
use super::asked::{self, Asked, id_of};
use crate::design_text::line_of;
use crate::designs::{Known, Opened};
use crate::error::Problem;
use crate::http::Reach;
use crate::jobs::check_step;
use app::api::ApiError;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use model::design::Design;
use model::id::DesignId;
use model::report::Evaluation;
use model::site::Site;
use model::trace::Columns;
use model::version::LocatedNote;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Shortest step of a year sent as JSON: 35,040 steps are some 15 MB; finer years are for runs, which send their report.
const YEAR_STEP_MINUTES_MIN: u32 = 15;

/// Which version of a design.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct VersionQuery {
    /// Which version; absent means the newest.
    #[param(minimum = 1)]
    version: Option<u32>,
}

/// What a stored design does at full work, as `millwright evaluate --json` says it.
#[utoipa::path(get, path = "/api/v1/designs/{id}/evaluate", tag = "evaluation", operation_id = "designs_evaluate",
    params(("id" = DesignId, Path, description = "Which design."), VersionQuery),
    responses((status = 200, description = "What it draws, makes and costs, and what is wrong with it.", body = Evaluation)))]
pub async fn stored(
    State(reach): State<Reach>,
    Path(id): Path<String>,
    Asked(query): Asked<VersionQuery>,
    headers: HeaderMap,
) -> Answer {
    let opened = opened(&reach, &id, query.version).await?;
    evaluation(&headers, &opened.known, &opened.stored.toml)
}

/// What a design does that is kept nowhere. Send its TOML, or the design as JSON.
#[utoipa::path(post, path = "/api/v1/evaluate", tag = "evaluation", operation_id = "evaluate",
    request_body(content((Design = "application/json"), (String = "application/toml"))),
    responses((status = 200, description = "What it draws, makes and costs, and what is wrong with it.", body = Evaluation)))]
pub async fn text(State(reach): State<Reach>, headers: HeaderMap, body: Bytes) -> Answer {
    let toml = asked::design_text(&headers, &body)?;
    let known = reach.house.designs.work_out(&toml).await?;
    evaluation(&HeaderMap::new(), &known, &toml)
}

/// A design that is no site has no figures: it is refused with what is wrong, line by line.
fn evaluation(headers: &HeaderMap, known: &Known, toml: &str) -> Answer {
    match (&known.design, &known.site) {
        (Err(problem), _) => Err(Problem::of_text(problem).into()),
        (Ok(_), Err(reason)) => Err(no_site(known, reason, toml)),
        (Ok(_), Ok(_)) => json(headers, &known.evaluation),
    }
}

fn no_site(known: &Known, reason: &str, toml: &str) -> Failed {
    let located = |note: &model::note::Note| LocatedNote { line: line_of(toml, note), note: note.clone() };
    Problem::of_notes(reason.to_owned(), known.evaluation.notes.iter().map(located).collect()).into()
}

/// A stored design resolved: every part with its figures, so that a program can run the year itself.
#[utoipa::path(get, path = "/api/v1/designs/{id}/site", tag = "evaluation", operation_id = "designs_site",
    params(("id" = DesignId, Path, description = "Which design."), VersionQuery),
    responses((status = 200, description = "The site.", body = Site)))]
pub async fn site(
    State(reach): State<Reach>,
    Path(id): Path<String>,
    Asked(query): Asked<VersionQuery>,
    headers: HeaderMap,
) -> Answer {
    let opened = opened(&reach, &id, query.version).await?;
    json(&headers, &*opened.known.site()?)
}

/// Which year of a design.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct YearQuery {
    /// Length of a step, minutes: 15, 20, 30 or 60.
    #[param(minimum = 15, maximum = 60, default = 60, required = false)]
    step_minutes: u32,
    /// Seed of everything drawn by chance.
    #[param(default = 1, required = false)]
    seed: u64,
}

impl Default for YearQuery {
    fn default() -> Self {
        Self { step_minutes: 60, seed: 1 }
    }
}

/// A year, column by column.
#[derive(Debug, Serialize, ToSchema)]
pub struct Year {
    /// One value for each step.
    columns: Columns,
}

/// A year of a design's newest version, worked out while you wait: what the browser works out itself agrees with it.
#[utoipa::path(get, path = "/api/v1/designs/{id}/year", tag = "evaluation", operation_id = "designs_year",
    params(("id" = DesignId, Path, description = "Which design."), YearQuery),
    responses((status = 200, description = "The year, some 4 MB at hourly steps.", body = Year)))]
pub async fn year(
    State(reach): State<Reach>,
    Path(id): Path<String>,
    Asked(query): Asked<YearQuery>,
    headers: HeaderMap,
) -> Answer {
    check_step(query.step_minutes)?;
    if query.step_minutes < YEAR_STEP_MINUTES_MIN {
        let reason =
            format!("A year is sent in steps of {YEAR_STEP_MINUTES_MIN} minutes or more; start a run for finer ones.");
        return Err(ApiError::Invalid { reason }.into());
    }
    let opened = opened(&reach, &id, None).await?;
    let trace = reach.house.jobs.year(opened.known.site()?, query.step_minutes, query.seed).await?;
    json(&headers, &Year { columns: trace.columns })
}

async fn opened(reach: &Reach, id: &str, version: Option<u32>) -> Result<Opened, Failed> {
    let id = id_of::<DesignId>("design", id)?;
    Ok(match version {
        Some(version) => reach.house.designs.version(&id, version).await?,
        None => reach.house.designs.newest(&id).await?,
    })
}
