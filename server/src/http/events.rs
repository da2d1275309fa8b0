//! Live events: a run's state now, each change of it, and its end.
//!
//! Every message is the whole state as JSON, so a stream that was cut can simply be opened again.

use super::Reach;
use super::api::asked::id_of;
use crate::backend::Following;
use crate::error::Refused;
use app::api::ApiError;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use model::id::RunId;
use model::run::RunState;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Streams open at once: each costs some 10 kB, and a person has one for each tab.
const STREAMS_MAX: usize = 256;
/// Time between two messages: more than ten a second no eye can follow.
const PACE: Duration = Duration::from_millis(100);
/// Time after which silence is broken, so that whatever stands between does not close the stream.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Asks proxies to hand each message on at once.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Places for open streams.
#[derive(Debug, Clone)]
pub struct Streams(Arc<Semaphore>);

impl Streams {
    /// How many are open.
    pub(super) fn open(&self) -> usize {
        STREAMS_MAX - self.0.available_permits()
    }
    /// A place for one more stream, or a refusal.
    pub(super) fn place(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let reason = "Too many pages watch at once: close some.".into();
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| ApiError::Busy { reason })
    }
}

impl Default for Streams {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(STREAMS_MAX)))
    }
}

/// A run's state as live events: now, whenever it changes, and how it ended, which ends the stream.
#[utoipa::path(get, path = "/api/v1/runs/{id}/events", tag = "runs", operation_id = "runs_events",
    params(("id" = RunId, Path, description = "Which run.")),
    responses((status = 200, description = "Each message is a `RunState` in JSON.", body = String,
        content_type = "text/event-stream")))]
pub async fn run(State(reach): State<Reach>, Path(id): Path<String>) -> Result<Response, Refused> {
    let following = reach.house.follow(&id_of::<RunId>("run", &id)?).await?;
    let place = reach.streams.place()?;
    let next = match following {
        Following::Settled(state) => Next::Last(state),
        Following::Live(live) => Next::Now(live),
    };
    let telling = Telling { next, stop: reach.stop.clone(), _place: place };
    Ok(unbuffered(Sse::new(events(telling)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("still here"))))
}

/// A stream that nothing on its way holds back.
pub(super) fn unbuffered(stream: impl IntoResponse) -> Response {
    let mut response = stream.into_response();
    response.headers_mut().insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

struct Telling {
    next: Next,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
}

/// What the stream does when it is asked for its next message.
enum Next {
    /// Tells the state at once.
    Now(watch::Receiver<RunState>),
    /// Waits for the state to change, and no less than the pace.
    Change(watch::Receiver<RunState>),
    /// Tells the end.
    Last(RunState),
    /// Is over.
    Over,
}

fn events(telling: Telling) -> impl Stream<Item = Result<Event, axum::Error>> {
    stream::unfold(telling, |mut telling| async move {
        let (state, next) = match std::mem::replace(&mut telling.next, Next::Over) {
            Next::Over => return None,
            Next::Last(state) => (state, Next::Over),
            Next::Now(live) => now(live),
            Next::Change(live) => telling.stop.run_until_cancelled(change(live)).await??,
        };
        telling.next = next;
        Some((Event::default().json_data(state), telling))
    })
}

fn now(mut live: watch::Receiver<RunState>) -> (RunState, Next) {
    let state = live.borrow_and_update().clone();
    let next = if state.is_final() { Next::Over } else { Next::Change(live) };
    (state, next)
}

async fn change(mut live: watch::Receiver<RunState>) -> Option<(RunState, Next)> {
    tokio::time::sleep(PACE).await;
    live.changed().await.ok()?;
    Some(now(live))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;

    fn telling(next: Next, stop: CancellationToken) -> Telling {
        let place = Streams::default().0.try_acquire_owned().unwrap();
        Telling { next, stop, _place: place }
    }

    fn running(progress: f64) -> RunState {
        RunState::Running { progress, seconds_left: 1.0 }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_tells_the_state_at_once_then_no_faster_than_its_pace_and_ends_with_the_end() {
        let sender = watch::Sender::new(RunState::Queued);
        let receiver = sender.subscribe();
        let all = tokio::spawn(events(telling(Next::Now(receiver), CancellationToken::new())).count());
        for step in 0..1_000 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            sender.send_replace(running(f64::from(step) / 1e3));
        }
        sender.send_replace(RunState::Done);
        drop(sender);
        let told = all.await.unwrap();
        assert!((10..=12).contains(&told), "{told} messages in a second");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_when_the_house_closes() {
        let sender = watch::Sender::new(RunState::Queued);
        let stop = CancellationToken::new();
        let all = tokio::spawn(events(telling(Next::Now(sender.subscribe()), stop.clone())).count());
        tokio::time::sleep(Duration::from_mins(1)).await;
        stop.cancel();
        assert_eq!(all.await.unwrap(), 1);
    }
}
