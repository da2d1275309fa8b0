//! What did the fleet make of its energy in a day or a month, beside the plan?

use leptos::prelude::*;
use leptos_meta::Title;

/// What the fleet made.
#[component]
pub fn FleetReportPage() -> impl IntoView {
    view! {
        <Title text="What the fleet made"/>
        <h1>"What the fleet made"</h1>
    }
}
