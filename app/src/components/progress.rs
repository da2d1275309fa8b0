//! A run that is not finished: how far it is, how long it will take, and how to stop it.

use crate::browser;
use crate::{api, format, paths};
use leptos::prelude::*;
use model::quantity::Span;
use model::run::{RunState, RunSummary};

/// Follows a run by its live events, and asks for the page again when it is finished.
#[component]
pub fn Progress(
    /// The run.
    run: RunSummary,
    /// Loads the page again.
    reload: Callback<()>,
) -> impl IntoView {
    let live = RwSignal::new(run.state.clone());
    let lost = RwSignal::new(false);
    let path = paths::run_events(&run.id);
    Effect::new(move |_| {
        let events = browser::listen(&path, move |state| {
            lost.set(state.is_none());
            let Some(state) = state else { return };
            let finished = state.is_final();
            live.set(state);
            if finished {
                reload.run(());
            }
        });
        StoredValue::new_local(events); // dropped, and so closed, with this part of the page
    });
    let id = run.id.clone();
    let cancel = Action::new(move |(): &()| api::run_cancel(id.clone()));
    let refused = move || cancel.value().get().and_then(Result::err).map(|error| error.to_string());
    view! {
        <section class="progress" aria-labelledby="progress">
            <h2 id="progress">{move || live.with(heading)}</h2>
            <progress max="1" value=move || live.with(done).to_string() aria-labelledby="progress"></progress>
            <p class="soft" role="status">
                {move || if lost.get() { "The live connection was lost; connecting again.".to_owned() } else { live.with(status) }}
            </p>
            <p class="actions">
                <button disabled=move || cancel.pending().get() on:click=move |_| { cancel.dispatch(()); }>"Cancel the run"</button>
                <span class="why">{refused}</span>
            </p>
        </section>
    }
}

fn heading(state: &RunState) -> &'static str {
    match state {
        RunState::Queued => "Waiting for its turn",
        RunState::Running { .. } => "Running the year",
        RunState::Done => "The year is done",
        RunState::Cancelled => "The run was cancelled",
        RunState::Failed { .. } => "The run failed",
    }
}

fn done(state: &RunState) -> f64 {
    match state {
        RunState::Running { progress, .. } => *progress,
        RunState::Done => 1.0,
        RunState::Queued | RunState::Cancelled | RunState::Failed { .. } => 0.0,
    }
}

/// How far a run is, in words.
pub fn status(state: &RunState) -> String {
    match state {
        RunState::Queued => "It starts as soon as the runs before it are done.".into(),
        RunState::Running { progress, seconds_left } => format!(
            "{} of the year done, {} left",
            format::percent(*progress),
            if *seconds_left < 1.0 {
                "under a second".to_owned()
            } else {
                format!("about {}", format::duration(Span::from_seconds(*seconds_left)))
            }
        ),
        RunState::Done => "Loading its report…".into(),
        RunState::Cancelled => "Stopped by a person.".into(),
        RunState::Failed { reason } => reason.clone(),
    }
}
