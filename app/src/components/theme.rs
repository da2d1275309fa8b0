//! The theme, as the system has it, light or dark; and the units, SI or US. Choices are kept in the browser.

use crate::browser;
use crate::components::workshop::units;
use crate::format::Units;
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

/// Lets a person choose the units of temperatures, lengths, masses and flows.
#[component]
pub fn UnitsChoice() -> impl IntoView {
    let units = units();
    Effect::new(move |_| {
        if browser::kept("units").as_deref() == Some("us") {
            units.set(Units::Us);
        }
    });
    let choose = move |name: String| {
        // A browser that refuses to keep the choice still shows it.
        let _ = browser::keep("units", &name);
        units.set(if name == "us" { Units::Us } else { Units::Si });
    };
    view! {
        <label class="theme">
            <span class="hidden">"Units"</span>
            <select prop:value=move || if units.get() == Units::Us { "us" } else { "si" } on:change:target=move |event| choose(event.target().value())>
                <option value="si">"SI units"</option>
                <option value="us">"US units"</option>
            </select>
        </label>
    }
}
