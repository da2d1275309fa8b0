//! What was found about a design or a run: how much it matters by shape and word, where, what, and what would mend it.

use crate::components::workshop::{Bench, Besides};
use crate::workshop::place::Place;
use leptos::prelude::*;
use model::note::{Note, Severity};
use sim::mend::Mend;

/// Notes, worst first as they come.
#[component]
pub fn Notes(
    /// What was found.
    notes: Vec<Note>,
) -> impl IntoView {
    if notes.is_empty() {
        return view! { <p class="fine"><Mark severity=None/> "Nothing was found wrong."</p> }.into_any();
    }
    let items = notes.into_iter().map(|note| {
        let mend = note.mend().map(|mend| view! { <p class="mend">"To mend it: " {ended(mend)}</p> });
        view! {
            <li class=word(Some(note.severity))>
                <p>
                    <Mark severity=Some(note.severity)/>
                    <span class="place">{note.place.clone()} ":"</span> " " {note.kind.to_string()} "."
                </p>
                {mend}
            </li>
        }
    });
    view! { <ul class="notes">{items.collect_view()}</ul> }.into_any()
}

/// The notes of the design in the workshop: each leads to its place, and is mended by a button where one change is known.
#[component]
pub fn NotesWithMends(
    /// Whose.
    bench: Bench,
) -> impl IntoView {
    let mends = move |note: &Note| {
        let catalog = bench.catalog.get().unwrap_or_default();
        bench.design.with_untracked(|design| sim::mend::mends(design, note, &catalog))
    };
    let item = move |note: Note| {
        let place = bench.design.with_untracked(|design| Place::of_note(&note.place, design));
        let words = note.mend().map(|words| view! { <span class="mend">"To mend it: " {ended(words)} " "</span> });
        let label = format!("Mend: {}", note.kind);
        let button = mends(&note)
            .into_iter()
            .map(|Mend { words, design }| {
                let label = label.clone();
                view! { <button on:click=move |_| bench.apply(&label, None, design.clone())>{words}</button> " " }
            })
            .collect_view();
        view! {
            <li class=word(Some(note.severity))>
                <p>
                    <Mark severity=Some(note.severity)/>
                    <button class="place" on:click=move |_| bench.select(place, Besides::Nothing)>{note.place.clone()}</button>
                    ": " {note.kind.to_string()} ". " {words} {button}
                </p>
            </li>
        }
    };
    move || {
        let notes = bench.answer.with(|answer| answer.evaluation.notes.clone());
        if notes.is_empty() {
            return view! { <p class="fine"><Mark severity=None/> "Nothing was found wrong."</p> }.into_any();
        }
        view! { <ul class="notes">{notes.into_iter().map(item).collect_view()}</ul> }.into_any()
    }
}

/// Words with their full stop; a question has its own end.
fn ended(words: String) -> String {
    if words.ends_with('?') { words } else { format!("{words}.") }
}

/// The shape and word of a severity; none is a pass.
#[component]
fn Mark(severity: Option<Severity>) -> impl IntoView {
    let shape = match severity {
        None => "M3 8.5 6.5 12 13 4.5",
        Some(Severity::Note) => "M8 2a6 6 0 1 0 .01 0M8 7.5v4M8 4.7v.6",
        Some(Severity::Warning) => "M8 2 15 14H1ZM8 6.5v4M8 12v.5",
        Some(Severity::Error) => "M5 1.5h6L14.5 5v6L11 14.5H5L1.5 11V5ZM5.5 5.5l5 5M10.5 5.5l-5 5",
    };
    let name = word(severity);
    view! {
        <span class=format!("mark {name}")>
            <svg viewBox="0 0 16 16" aria-hidden="true"><path d=shape/></svg>
            {name}
        </span>
    }
}

fn word(severity: Option<Severity>) -> &'static str {
    match severity {
        None => "ok",
        Some(Severity::Note) => "note",
        Some(Severity::Warning) => "warning",
        Some(Severity::Error) => "error",
    }
}
