//! The theme: as the system has it, light or dark. The choice is kept in the browser.

use crate::browser;
use leptos::prelude::*;

/// Applies the kept choice before anything is painted, so that no page flashes in the other theme.
#[component]
pub fn ThemeScript() -> impl IntoView {
    let nonce = use_nonce();
    view! {
        <script nonce=nonce>
            "try{const t=localStorage.getItem('theme');if(t==='light'||t==='dark')document.documentElement.dataset.theme=t}catch{}"
        </script>
    }
}

/// Lets a person choose.
#[component]
pub fn ThemeChoice() -> impl IntoView {
    let chosen = RwSignal::new(String::from("system"));
    Effect::new(move |_| {
        if let Some(kept) = browser::theme() {
            chosen.set(kept);
        }
    });
    let choose = move |theme: String| {
        browser::set_theme(&theme);
        chosen.set(theme);
    };
    view! {
        <label class="theme">
            <span class="hidden">"Theme"</span>
            <select prop:value=move || chosen.get() on:change:target=move |event| choose(event.target().value())>
                <option value="system">"System theme"</option>
                <option value="light">"Light theme"</option>
                <option value="dark">"Dark theme"</option>
            </select>
        </label>
    }
}
