//! The live fleet over the API: what pages see of it, what programs write to it.

use super::answer::{Answer, json};
use super::asked::{self, Asked};
use crate::error::Refused;
use crate::http::Reach;
use app::api::{ApiError, Backend};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::event::{EventQuery, EventsView, FleetEvent};
use model::fleet::{ChartData, ChartRequest, FleetPlace, FleetReport, FleetView, PlaceView, WasteReport};
use model::metric::Metric;
use model::source::SourceStatus;
use serde::Deserialize;
use std::fmt::Write;
use utoipa::IntoParams;

/// Which metric of every GPU.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MetricQuery {
    /// Its name, such as `gpu_power_watts`.
    #[serde(default = "power")]
    #[param(value_type = Option<String>)]
    metric: Metric,
}

fn power() -> Metric {
    Metric::GpuPower
}

/// The whole fleet, one metric of every GPU.
#[utoipa::path(get, path = "/api/v1/fleet", tag = "fleet", operation_id = "fleet_get", params(MetricQuery),
    responses((status = 200, description = "The fleet now.", body = FleetView)))]
pub async fn get(State(reach): State<Reach>, Asked(query): Asked<MetricQuery>, headers: HeaderMap) -> Answer {
    json(&headers, &reach.house.fleet(query.metric).await?)
}

/// One place of the fleet, such as `rack:A01`, `node:gpu-001` or `gpu:gpu-001/3`.
#[utoipa::path(get, path = "/api/v1/fleet/at/{place}", tag = "fleet", operation_id = "fleet_place",
    params(("place" = String, Path, description = "The place.")),
    responses((status = 200, description = "The place now.", body = PlaceView)))]
pub async fn place(State(reach): State<Reach>, Path(place): Path<String>, headers: HeaderMap) -> Answer {
    let place: FleetPlace =
        place.parse().map_err(|error| ApiError::Invalid { reason: format!("{place:?} is {error}.") })?;
    json(&headers, &reach.house.fleet_place(place).await?)
}

/// Metrics of a place over a time.
#[utoipa::path(post, path = "/api/v1/fleet/chart", tag = "fleet", operation_id = "fleet_chart", request_body = ChartRequest,
    responses((status = 200, description = "Buckets of each metric.", body = ChartData)))]
pub async fn chart(State(reach): State<Reach>, headers: HeaderMap, body: Bytes) -> Answer {
    let request: ChartRequest = asked::json(&headers, &body)?;
    json(&HeaderMap::new(), &reach.house.fleet_chart(request).await?)
}

/// What happened in the fleet.
#[utoipa::path(post, path = "/api/v1/fleet/events", tag = "fleet", operation_id = "fleet_events", request_body = EventQuery,
    responses((status = 200, description = "Events and bursts, the newest first.", body = EventsView)))]
pub async fn events(State(reach): State<Reach>, headers: HeaderMap, body: Bytes) -> Answer {
    let query: EventQuery = asked::json(&headers, &body)?;
    json(&HeaderMap::new(), &reach.house.fleet_events(query).await?)
}

/// GPUs with nothing to do, and power that nobody draws.
#[utoipa::path(get, path = "/api/v1/fleet/waste", tag = "fleet", operation_id = "fleet_waste",
    responses((status = 200, description = "What is wasted.", body = WasteReport)))]
pub async fn waste(State(reach): State<Reach>, headers: HeaderMap) -> Answer {
    json(&headers, &reach.house.fleet_waste().await?)
}

/// Where readings come from, and how each source is.
#[utoipa::path(get, path = "/api/v1/fleet/sources", tag = "fleet", operation_id = "fleet_sources",
    responses((status = 200, description = "Every source.", body = Vec<SourceStatus>)))]
pub async fn sources(State(reach): State<Reach>, headers: HeaderMap) -> Answer {
    json(&headers, &reach.house.fleet_sources().await?)
}

/// What the fleet made of its energy in a day (`2026-11-27`) or a month (`2026-11`), as JSON or, with `.csv` behind it,
/// as CSV. Where the readings are made up, the file's name ends in `made-up` and its last column, `made_up`, says so.
#[utoipa::path(get, path = "/api/v1/fleet/report/{period}", tag = "fleet", operation_id = "fleet_report",
    params(("period" = String, Path, description = "The day or the month.")),
    responses((status = 200, description = "The report.", body = FleetReport)))]
pub async fn report(State(reach): State<Reach>, Path(period): Path<String>, headers: HeaderMap) -> Answer {
    match period.strip_suffix(".csv") {
        Some(period) => Ok(csv(&reach.house.fleet_report(period.to_owned()).await?, reach.house.made_up().as_deref())),
        None => json(&headers, &reach.house.fleet_report(period).await?),
    }
}

fn csv(report: &FleetReport, made_up: Option<&str>) -> Response {
    let (column, said, ending) = made_up.map_or_else(Default::default, |_| (",made_up", ",true", "-made-up"));
    let mut text = String::from(
        "start_utc,output_tokens,board_kwh,it_kwh,facility_kwh,tokens_per_s_per_mw,planned_tokens_per_s_per_mw,\
         joules_per_token,covered_share,available_share",
    );
    text.push_str(column);
    text.push('\n');
    for row in &report.rows {
        let start = jiff::Timestamp::from_millisecond(row.start_ms).map(|at| at.to_string()).unwrap_or_default();
        let figures = [
            row.output_tokens,
            row.board_kwh,
            row.it_kwh,
            row.facility_kwh,
            row.tokens_per_s_per_mw,
            row.planned_tokens_per_s_per_mw,
            row.joules_per_token,
            Some(row.covered),
            row.available,
        ];
        let cells: Vec<String> =
            figures.iter().map(|figure| figure.map_or_else(String::new, |figure| figure.to_string())).collect();
        // Writing to a text can't fail.
        let _ = writeln!(text, "{start},{}{said}", cells.join(","));
    }
    let mut response =
        ([(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"))], text).into_response();
    let name = format!("attachment; filename=\"fleet-{}{ending}.csv\"", report.period);
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

/// Takes readings as Prometheus sends them on (remote write 1.0: snappy, protobuf). They are kept when this has answered.
#[utoipa::path(post, path = "/api/v1/write", tag = "fleet", operation_id = "fleet_write",
    request_body(content = Vec<u8>, content_type = "application/x-protobuf"),
    responses((status = 204, description = "They are kept.")))]
pub async fn write(State(reach): State<Reach>, body: Bytes) -> Result<Response, Refused> {
    reach.house.take_remote_write(&body).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Takes what happened on a host, as its agent tells it: at most 1000 events, all or none. They are kept when this has
/// answered; one that is told twice, word for word, is kept once.
#[utoipa::path(post, path = "/api/v1/fleet/happened", tag = "fleet", operation_id = "fleet_happened",
    request_body = Vec<FleetEvent>,
    responses((status = 204, description = "They are kept.")))]
pub async fn happened(State(reach): State<Reach>, headers: HeaderMap, body: Bytes) -> Answer {
    let events: Vec<FleetEvent> = asked::json_list(&headers, &body)?;
    reach.house.fleet.take_happened(events).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
