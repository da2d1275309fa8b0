//! How is this hall, rack, node or GPU, and how did it come to that?

use leptos::prelude::*;
use leptos_meta::Title;

/// A place of the fleet.
#[component]
pub fn FleetPlacePage() -> impl IntoView {
    view! {
        <Title text="A place of the fleet"/>
        <h1>"A place of the fleet"</h1>
    }
}
