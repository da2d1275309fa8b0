//! Which live rack is which position of the design that the fleet is compared with?

use leptos::prelude::*;
use leptos_meta::Title;

/// The plan of the fleet.
#[component]
pub fn BindingPage() -> impl IntoView {
    view! {
        <Title text="The plan of the fleet"/>
        <h1>"The plan of the fleet"</h1>
    }
}
