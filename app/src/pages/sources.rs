//! Where do readings come from, how is each source, and what is to be done about it?

use leptos::prelude::*;
use leptos_meta::Title;

/// Sources.
#[component]
pub fn SourcesPage() -> impl IntoView {
    view! {
        <Title text="Sources"/>
        <h1>"Sources"</h1>
    }
}
