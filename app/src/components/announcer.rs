//! Tells a screen reader that another page is shown, as a browser does where pages load whole.

use crate::browser;
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use std::time::Duration;

/// Time for a page to set its title.
const TITLE_SET: Duration = Duration::from_millis(150);

/// Says the title of each page that is gone to after the first.
#[component]
pub fn Announcer() -> impl IntoView {
    let said = RwSignal::new(String::new());
    let path = use_location().pathname;
    Effect::new(move |before: Option<String>| {
        let now = path.get();
        if before.is_some_and(|before| before != now) {
            set_timeout(move || said.set(browser::title()), TITLE_SET);
        }
        now
    });
    view! { <p class="hidden" role="status" aria-live="polite">{move || said.get()}</p> }
}
