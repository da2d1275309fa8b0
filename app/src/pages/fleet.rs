//! What does the fleet do now, what does it make of its megawatts, and what needs a person?

use leptos::prelude::*;
use leptos_meta::Title;

/// The live fleet.
#[component]
pub fn FleetPage() -> impl IntoView {
    view! {
        <Title text="The live fleet"/>
        <h1>"The live fleet"</h1>
    }
}
