//! The live fleet as a stream: what changed since the page's view, each second, in order and once.
//!
//! Values are told as they are now, so a stream that was cut is taken up by asking for all that changed since its last
//! event; nothing need be kept for it. After five minutes, after a restart and where the layout changed, the page is told
//! to begin anew.

use super::Reach;
use super::events::{self, KEEP_ALIVE};
use crate::error::Refused;
use crate::fleet::Fleet;
use app::api::ApiError;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use model::live::{LiveReset, LiveSummary, LiveValues};
use model::metric::{Metric, Subject};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_util::sync::CancellationToken;

/// Ticks, of a second each, after which a page that was away begins anew.
const RESUME_TICKS: u64 = 300;
/// Every how many ticks the figures of the whole are told.
const SUMMARY_TICKS: u64 = 2;

/// What a stream is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LiveQuery {
    /// Which metric of every GPU, such as `gpu_power_watts`.
    #[param(value_type = String)]
    metric: Metric,
    /// The last event that the page has; that of the header `Last-Event-ID` goes before it.
    #[serde(default)]
    after: String,
}

/// Messages of this tick that more than one page is sent: by metric and the tick that they begin after.
#[derive(Debug, Clone, Default)]
pub struct Told(Arc<Mutex<Messages>>);

/// A tick, and its messages.
type Messages = (u64, HashMap<(Metric, u64), Arc<str>>);

/// The fleet as live events: `values` of one metric, `summary` of the whole, and `reset` where a page must begin anew.
#[utoipa::path(get, path = "/api/v1/fleet/live", tag = "fleet", operation_id = "fleet_live", params(LiveQuery),
    responses((status = 200, description = "`values` carries a `LiveValues`, `summary` a `LiveSummary`, `reset` a `LiveReset`.",
        body = String, content_type = "text/event-stream")))]
pub async fn fleet(
    State(reach): State<Reach>,
    query: Result<Query<LiveQuery>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let Query(query) = query.map_err(|error| ApiError::Invalid { reason: format!("{}.", error.body_text()) })?;
    if query.metric.subject() != Subject::Gpu {
        return Err(Refused(ApiError::Invalid { reason: format!("{} is no metric of a GPU.", query.metric) }));
    }
    let place = reach.streams.place()?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or(&query.after);
    let fleet = Arc::clone(&reach.house.fleet);
    let now = *fleet.ticks.borrow();
    let since = resumed(last, &fleet.epoch, now);
    let layout = fleet.now().layout;
    let telling = Telling {
        ticks: fleet.ticks.subscribe(),
        attention: Arc::clone(&reach.house),
        fleet,
        metric: query.metric,
        since: since.unwrap_or(now),
        begins_anew: since.is_none() && !last.is_empty(),
        layout,
        told: reach.told.clone(),
        waiting: Vec::new(),
        over: false,
        stop: reach.stop.clone(),
        _place: place,
    };
    let sse = Sse::new(all(telling)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("still here"));
    Ok(events::unbuffered(sse))
}

/// The tick after which a page that has the event `last` goes on; none where it must begin anew.
fn resumed(last: &str, epoch: &str, now: u64) -> Option<u64> {
    let (of, tick) = last.rsplit_once('-')?;
    let tick: u64 = tick.parse().ok()?;
    (of == epoch && tick <= now && now - tick <= RESUME_TICKS).then_some(tick)
}

struct Telling {
    ticks: watch::Receiver<u64>,
    fleet: Arc<Fleet>,
    attention: Arc<crate::backend::House>,
    metric: Metric,
    since: u64,
    begins_anew: bool,
    layout: u64,
    told: Told,
    waiting: Vec<Event>,
    over: bool,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
}

fn all(telling: Telling) -> impl Stream<Item = Result<Event, axum::Error>> {
    stream::unfold(telling, |mut telling| async move {
        loop {
            if let Some(event) = telling.waiting.pop() {
                return Some((Ok(event), telling));
            }
            if telling.over {
                return None;
            }
            if telling.begins_anew {
                telling.reset("The page was away for too long, or Millwright was started anew.");
                continue;
            }
            let stop = telling.stop.clone();
            stop.run_until_cancelled(telling.ticks.changed()).await?.ok()?;
            telling.tick();
        }
    })
}

impl Telling {
    fn reset(&mut self, reason: &str) {
        self.over = true;
        let event = Event::default().event("reset").json_data(LiveReset { reason: reason.to_owned() });
        self.waiting.extend(event);
    }

    /// What is told of a tick. The last of what waits is told first.
    fn tick(&mut self) {
        let tick = *self.ticks.borrow_and_update();
        let id = format!("{}-{tick}", self.fleet.epoch);
        let (layout, values) = self.told.values(&self.fleet, self.metric, self.since, tick);
        if layout != self.layout {
            return self.reset("GPUs came, went or moved.");
        }
        self.since = tick;
        if tick.is_multiple_of(SUMMARY_TICKS) {
            let as_of_ms = self.fleet.now().now_ms;
            let (kpis, attention) = (self.fleet.kpis(), self.attention.attention());
            let event = Event::default().event("summary").json_data(LiveSummary { as_of_ms, kpis, attention });
            self.waiting.extend(event.map(|event| event.id(&id)));
        }
        if let Some(values) = values {
            self.waiting.push(Event::default().event("values").data(&*values).id(id));
        }
    }
}

impl Told {
    /// The message with all that changed after `since`, none where nothing did, and the layout that it is for.
    fn values(&self, fleet: &Fleet, metric: Metric, since: u64, tick: u64) -> (u64, Option<Arc<str>>) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let live = fleet.now();
        if told.0 != tick {
            *told = (tick, HashMap::new());
        }
        if let Some(message) = told.1.get(&(metric, since)) {
            return (live.layout, (!message.is_empty()).then(|| Arc::clone(message)));
        }
        let all = || (0_u32..).zip(live.in_order());
        let values = LiveValues {
            layout: live.layout,
            as_of_ms: live.now_ms,
            changed: all()
                .filter(|(_, gpu)| gpu.changed_since(metric, since))
                .map(|(at, gpu)| (at, gpu.value(metric)))
                .collect(),
            health: all()
                .filter(|(_, gpu)| gpu.health_changed_since(since))
                .map(|(at, gpu)| (at, gpu.health))
                .collect(),
        };
        let empty = values.changed.is_empty() && values.health.is_empty();
        let text = if empty { String::new() } else { serde_json::to_string(&values).unwrap_or_default() };
        let message = Arc::<str>::from(text);
        told.1.insert((metric, since), Arc::clone(&message));
        (live.layout, (!message.is_empty()).then_some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_goes_on_within_five_minutes_of_the_same_run_alone() {
        assert_eq!(resumed("ab-100", "ab", 100), Some(100));
        assert_eq!(resumed("ab-100", "ab", 400), Some(100));
        assert_eq!(resumed("ab-100", "ab", 401), None);
        assert_eq!(resumed("cd-100", "ab", 100), None);
        assert_eq!(resumed("ab-101", "ab", 100), None, "an event that was never told");
        for bad in ["", "ab", "ab-", "ab-x"] {
            assert_eq!(resumed(bad, "ab", 100), None);
        }
    }
}
