//! How something is, by shape, hue and word.

use crate::fleet::words;
use leptos::prelude::*;
use model::fleet::Health;

/// The shape and word of a state of health.
#[component]
pub fn HealthMark(
    /// Which.
    #[prop(into)]
    health: Signal<Health>,
) -> impl IntoView {
    view! {
        <span class=move || format!("mark health {}", class(health.get())) title=move || words::health_about(health.get())>
            <svg viewBox="0 0 16 16" aria-hidden="true"><path d=move || shape(health.get())/></svg>
            {move || words::health(health.get())}
        </span>
    }
}

/// How much it matters, as styles have it.
fn class(health: Health) -> &'static str {
    match health {
        Health::Busy => "ok",
        Health::Idle => "idle",
        Health::PowerHeld | Health::HeatHeld | Health::Degraded => "warning",
        Health::Stale => "stale",
        Health::Failed => "error",
    }
}

/// Its shape on a sheet of 16 by 16, as the map draws it.
fn shape(health: Health) -> &'static str {
    match health {
        Health::Busy => "M3 8.5 6.5 12 13 4.5",
        Health::Idle => "M3 3h10v10H3Z",
        Health::PowerHeld => "M2 8h12",
        Health::HeatHeld => "M8 2.5 14 13H2Z",
        Health::Degraded => "M8 2.5a5.5 5.5 0 1 0 .01 0",
        Health::Stale => "M2 8 8 2M2 14 14 2M8 14l6-6",
        Health::Failed => "M3 3l10 10M13 3 3 13",
    }
}
