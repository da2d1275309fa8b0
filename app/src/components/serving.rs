//! The four pages of serving, a click from each other.

use crate::paths;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// Links to them, the open one marked.
#[component]
pub fn ServingTabs() -> impl IntoView {
    let path = use_location().pathname;
    let tab = move |(to, words): (&'static str, &'static str)| {
        let current = move || if path.with(|path| path == to) { "page" } else { "false" };
        view! { <a href=to aria-current=current>{words}</a> }
    };
    let pages = [
        (paths::SERVING, "Best way"),
        (paths::REPLAYS, "Replay requests"),
        (paths::WORKLOADS, "Workloads"),
        (paths::MODELS, "Predicted and measured"),
    ];
    view! { <nav class="tabs" aria-label="Serving">{pages.map(tab).into_iter().collect_view()}</nav> }
}
