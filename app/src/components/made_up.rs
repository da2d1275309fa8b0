//! Readings that are made up are said to be so, before anything else on a page, on the screen and on paper.

use leptos::prelude::*;

/// Why the live fleet's readings are made up, in a sentence; none where they are read. `App` provides it to every page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MadeUp(pub Option<String>);

impl MadeUp {
    /// What the house says of itself, carried over to the browser with the page.
    pub fn told() -> Self {
        Self(SharedValue::new(house_says).into_inner())
    }
}

#[cfg(feature = "ssr")]
fn house_says() -> Option<String> {
    // Routes are listed without any house.
    use_context::<std::sync::Arc<dyn crate::api::Backend>>()?.made_up()
}

#[cfg(not(feature = "ssr"))]
fn house_says() -> Option<String> {
    None
}

/// The note above what is made up; nothing where it is not.
#[component]
pub fn MadeUpNote() -> impl IntoView {
    let MadeUp(why) = use_context().unwrap_or_default();
    why.map(|why| view! { <p class="made-up" role="note"><strong>"DEMO: "</strong>{why}</p> })
}
