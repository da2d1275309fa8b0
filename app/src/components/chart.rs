//! A picture with its finding above it and its figures one key away.

use leptos::prelude::*;

/// A picture, entitled with what it shows, and the same as a table.
#[component]
pub fn Chart(
    /// The finding, as a sentence.
    title: String,
    /// The picture as SVG text.
    svg: String,
    /// The figures as a table.
    children: Children,
) -> impl IntoView {
    view! {
        <figure class="picture">
            <figcaption>{title.clone()} "."</figcaption>
            <div class="scroll" tabindex="0" role="region" aria-label=title inner_html=svg></div>
            <details>
                <summary>"Figures as a table"</summary>
                <div class="scroll">{children()}</div>
            </details>
        </figure>
    }
}
