//! The tree of the site: everything that can be selected, by name, with how many there are.

use super::{Bench, Besides};
use crate::format;
use crate::paths::{self, Workbench};
use crate::workshop::edit;
use crate::workshop::place::Place;
use leptos::prelude::*;
use std::collections::BTreeMap;

/// Every place with its depth, its name and how many there are.
type Entries = BTreeMap<Place, (usize, String, u32)>;

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
                .map(|(place, depth)| (place, (depth, place.name(design), place.copies(design))))
                .collect::<Entries>()
        })
    });
    let order = Memo::new(move |_| {
        entries.track();
        bench.design.with_untracked(|design| Place::all(design).into_iter().map(|(place, _)| place).collect::<Vec<_>>())
    });
    let headings = Memo::new(move |_| {
        order.with(|order| {
            let mut headings: Vec<&'static str> = order.iter().map(|place| place.heading()).collect();
            headings.dedup();
            headings
        })
    });
    // Only entries that come are made: there may be thousands. What changes in one changes in its place, and keeps the focus.
    let under = move |heading: &'static str| {
        let of_heading = move || {
            order.with(|all| all.iter().copied().filter(|place| place.heading() == heading).collect::<Vec<_>>())
        };
        view! {
            {(!heading.is_empty()).then(|| view! { <h3 class="branch">{heading}</h3> })}
            <ul><For each=of_heading key=|place| *place children=move |place| entry_view(bench, place, entries)/></ul>
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

fn entry_view(bench: Bench, place: Place, entries: Memo<Entries>) -> AnyView {
    let own = Memo::new(move |_| entries.with(|entries| entries.get(&place).cloned()).unwrap_or_default());
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
    let many = move || {
        let (.., copies) = own.get();
        (copies > 1).then(|| view! { <span class="soft">"× " {format::count(copies).to_string()}</span> })
    };
    view! {
        <li class=move || format!("entry depth-{}", own.with(|(depth, ..)| *depth))>
            <a href=href aria-current=move || if selected() { "true" } else { "false" } on:click=click>
                <span class="hidden">{place.kind()} " "</span>{move || own.with(|(_, name, _)| name.clone())} " " {many}
            </a>
        </li>
    }
    .into_any()
}
