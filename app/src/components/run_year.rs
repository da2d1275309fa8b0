//! The button that starts a year of a design, with the length of its steps.

use crate::{api, paths};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use model::id::DesignId;
use model::run::RunRequest;

/// Lengths of a step that can be chosen, minutes.
const STEPS: [u32; 3] = [60, 15, 5];

/// Starts a year and goes to it. A button that can't be pressed says why.
#[component]
pub fn RunYear(
    /// Which design.
    design: DesignId,
    /// Its name, for those who hear the button out of its place.
    name: String,
    /// Why it can't be run.
    #[prop(optional_no_strip)]
    blocked: Option<String>,
) -> impl IntoView {
    let awake = RwSignal::new(false);
    Effect::new(move |_| awake.set(true));
    let minutes = RwSignal::new(STEPS[0]);
    let start = Action::new(move |step_minutes: &u32| {
        api::run_start(RunRequest { step_minutes: *step_minutes, ..RunRequest::of(design.clone()) })
    });
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(Ok(run)) = start.value().get() {
            navigate(&paths::run(&run), leptos_router::NavigateOptions::default());
        }
    });
    let refused = move || start.value().get().and_then(Result::err).map(|error| error.to_string());
    let is_blocked = blocked.is_some();
    let idle = move || awake.get() && !is_blocked && !start.pending().get();
    view! {
        <div class="run-year">
            <button class="primary" disabled=move || !idle() on:click=move |_| { start.dispatch(minutes.get()); }>
                {move || if start.pending().get() { "Starting…" } else { "Run the year" }}
                <span class="hidden">" of " {name}</span>
            </button>
            <label>
                <span class="hidden">"Length of a step"</span>
                <select
                    disabled=is_blocked
                    on:change:target=move |event| minutes.set(event.target().value().parse().unwrap_or(STEPS[0]))
                >
                    {STEPS.map(|step| view! { <option value=step.to_string()>{step} "-minute steps"</option> })}
                </select>
            </label>
            <p class="why" role="status">{move || blocked.clone().or_else(refused)}</p>
        </div>
    }
}
