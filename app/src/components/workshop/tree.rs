//! The tree of the site: everything that can be selected, by name, with how many there are.

use super::{Bench, Besides};
use crate::format;
use crate::paths::{self, Workbench};
use crate::workshop::edit;
use crate::workshop::place::Place;
use leptos::prelude::*;

/// A place with its depth, its name and how many there are.
type Entry = (Place, usize, String, u32);

/// The tree, a list under each heading. Entries are links, so that a place can be opened elsewhere; with Ctrl they are
/// selected besides.
#[component]
pub fn Tree(
    /// Whose.
    bench: Bench,
) -> impl IntoView {
    let entries = Memo::new(move |_| {
        bench.design.with(|design| {
            Place::all(design)
                .into_iter()
                .map(|(place, depth)| (place, depth, place.name(design), place.copies(design)))
                .collect::<Vec<Entry>>()
        })
    });
    let headings = Memo::new(move |_| {
        entries.with(|entries| {
            let mut headings: Vec<&'static str> = entries.iter().map(|(place, ..)| place.heading()).collect();
            headings.dedup();
            headings
        })
    });
    // Only entries that changed are made anew: there may be thousands.
    let under = move |heading: &'static str| {
        let of_heading = move || {
            entries.with(|all| all.iter().filter(|(place, ..)| place.heading() == heading).cloned().collect::<Vec<_>>())
        };
        view! {
            {(!heading.is_empty()).then(|| view! { <h3 class="branch">{heading}</h3> })}
            <ul><For each=of_heading key=Entry::clone children=move |entry| entry_view(bench, entry)/></ul>
        }
    };
    view! {
        <nav class="tree" aria-label="Parts of the design">
            <For each=move || headings.get() key=|heading| *heading children=under/>
            <p class="actions">
                <button on:click=move |_| bench.edit(bench.design.with_untracked(edit::add_hall))>"Add a hall"</button>
            </p>
        </nav>
    }
}

fn entry_view(bench: Bench, (place, depth, name, copies): Entry) -> AnyView {
    let selected = move || bench.chosen.with(|chosen| chosen.contains(&place));
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
    .into_any()
}
