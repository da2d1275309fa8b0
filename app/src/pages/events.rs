//! What happened in the fleet, what belongs together, and what does it call for?

use leptos::prelude::*;
use leptos_meta::Title;

/// Events.
#[component]
pub fn EventsPage() -> impl IntoView {
    view! {
        <Title text="Events"/>
        <h1>"Events"</h1>
    }
}
