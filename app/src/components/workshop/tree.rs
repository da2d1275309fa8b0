//! The tree of the site: everything that can be selected, by name, with how many there are.

use super::{Bench, Besides};
use crate::format;
use crate::paths::{self, Workbench};
use crate::workshop::edit;
use crate::workshop::place::Place;
use leptos::prelude::*;

/// The tree. Entries are links, so that a place can be opened elsewhere; with Ctrl they are selected besides.
#[component]
pub fn Tree(
    /// Whose.
    bench: Bench,
) -> impl IntoView {
    let entries = move || {
        bench.design.with(|design| {
            Place::all(design)
                .into_iter()
                .map(|(place, depth)| (place, depth, place.name(design), place.copies(design)))
                .collect::<Vec<_>>()
        })
    };
    let entry = move |(place, depth, name, copies): (Place, usize, String, u32)| {
        let selected = move || bench.selected().contains(&place);
        let href = move || {
            let at = Workbench { selected: vec![place], ..bench.at.get() };
            bench.id.with_value(|id| paths::workshop(id, &at))
        };
        let click = move |event: leptos::ev::MouseEvent| {
            event.prevent_default();
            let more = event.ctrl_key() || event.meta_key() || event.shift_key();
            bench.select(place, if more { Besides::Selected } else { Besides::Nothing });
        };
        let many = (copies > 1).then(|| view! { <span class="soft">"× " {format::count(copies).to_string()}</span> });
        view! {
            <li class=format!("entry depth-{depth}")>
                <a href=href aria-current=move || if selected() { "true" } else { "false" } on:click=click>
                    <span class="hidden">{place.kind()} " "</span>{name} " " {many}
                </a>
            </li>
        }
    };
    view! {
        <nav class="tree" aria-label="Parts of the design">
            <ul>{move || entries().into_iter().map(entry).collect_view()}</ul>
            <p class="actions">
                <button on:click=move |_| bench.edit(bench.design.with_untracked(edit::add_hall))>"Add a hall"</button>
            </p>
        </nav>
    }
}
