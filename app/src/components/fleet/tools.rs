//! Finding a place by its name, and ways to look at the fleet that were named.

use super::board::Board;
use crate::api::{self, ApiError};
use crate::fleet::words;
use crate::paths;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use model::fleet::{FleetPlace, SavedView};
use std::time::Duration;

/// After how long without a key a name is looked for.
const TYPED: Duration = Duration::from_millis(180);
/// Places that are listed.
const SHOWN: usize = 10;

/// A field that finds places by their names.
#[component]
pub fn Search(
    /// Of which fleet.
    board: Board,
) -> impl IntoView {
    let finder = Finder {
        text: RwSignal::new(String::new()),
        found: RwSignal::new(None),
        picked: RwSignal::new(0),
        asked: StoredValue::new(0),
    };
    let Finder { text, found, picked, .. } = finder;
    let places = move || match found.get() {
        Some(Ok(places)) => places.into_iter().take(SHOWN).collect::<Vec<_>>(),
        Some(Err(_)) | None => Vec::new(),
    };
    let key = move |event: KeyboardEvent| {
        let places = places();
        match event.key().as_str() {
            "ArrowDown" => picked.update(|at| *at = (*at + 1).min(places.len().saturating_sub(1))),
            "ArrowUp" => picked.update(|at| *at = at.saturating_sub(1)),
            "Enter" => {
                if let Some(place) = places.get(picked.get_untracked()) {
                    board.go(paths::fleet_place(place));
                }
            }
            "Escape" => finder.ask(String::new()),
            _ => return,
        }
        event.prevent_default();
    };
    let is_open = move || found.with(Option::is_some);
    let lines = move || {
        let line = |(at, place): (usize, FleetPlace)| {
            let path = paths::fleet_place(&place);
            let chosen = move || (picked.get() == at).to_string();
            view! { <li role="option" id=format!("found-{at}") aria-selected=chosen><a href=path tabindex="-1">{words::place(&place)}</a></li> }
        };
        places().into_iter().enumerate().map(line).collect_view()
    };
    let told = move || match found.get() {
        Some(Ok(places)) if places.is_empty() => "No place of the fleet is called so.".to_owned(),
        Some(Err(error)) => error.to_string(),
        Some(Ok(_)) | None => String::new(),
    };
    view! {
        <div class="fleet-search">
            <label for="fleet-find">"Go to"</label>
            <input type="search" id="fleet-find" role="combobox" autocomplete="off" placeholder="host, rack, GPU id, address" aria-controls="fleet-found" aria-expanded=move || is_open().to_string()
                aria-activedescendant=move || if is_open() { format!("found-{}", picked.get()) } else { String::new() }
                prop:value=move || text.get() on:input:target=move |event| finder.ask(event.target().value()) on:keydown=key/>
            <div class="found" class:open=is_open>
                <ul role="listbox" id="fleet-found" aria-label="Places found">{lines}</ul>
                <p class="soft" role="status">{told}</p>
            </div>
        </div>
    }
}

/// What is looked for, and what was found.
#[derive(Clone, Copy)]
struct Finder {
    text: RwSignal<String>,
    found: RwSignal<Option<Result<Vec<FleetPlace>, ApiError>>>,
    /// Which of them Enter goes to.
    picked: RwSignal<usize>,
    /// Counts questions, so that an answer to an older one is dropped.
    asked: StoredValue<u32>,
}

impl Finder {
    /// Looks for a name once nothing more is typed.
    fn ask(self, typed: String) {
        self.text.set(typed.clone());
        self.picked.set(0);
        let now = self.asked.with_value(|asked| asked.wrapping_add(1));
        self.asked.set_value(now);
        if typed.trim().is_empty() {
            self.found.set(None);
            return;
        }
        set_timeout(
            move || {
                if self.asked.try_get_value() != Some(now) {
                    return;
                }
                spawn_local(async move {
                    let answer = api::fleet_search(typed.trim().to_owned()).await;
                    if self.asked.try_get_value() == Some(now) {
                        self.found.set(Some(answer));
                    }
                });
            },
            TYPED,
        );
    }
}

/// Views that were named: each a link, and a field that names this one.
#[component]
pub fn SavedViews(
    /// Of which fleet.
    board: Board,
    /// Those that were named when the page was asked for.
    views: Resource<Result<Vec<SavedView>, ApiError>>,
) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let save = Action::new(move |name: &String| {
        let (name, query) = (name.clone(), board.look.with_untracked(ToString::to_string));
        async move {
            let done = api::fleet_view_save(name.clone(), query).await;
            views.refetch();
            done.map(|()| format!("“{name}” is saved."))
        }
    });
    let delete = Action::new(move |name: &String| {
        let name = name.clone();
        async move {
            let done = api::fleet_view_delete(name.clone()).await;
            views.refetch();
            done.map(|()| format!("“{name}” is deleted."))
        }
    });
    let told = move || {
        let done = save.value().get().or_else(|| delete.value().get());
        done.map(|done| done.unwrap_or_else(|error| error.to_string()))
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let wanted = name.get_untracked().trim().to_owned();
        if !wanted.is_empty() {
            delete.value().set(None);
            save.dispatch(wanted);
            name.set(String::new());
        }
    };
    let one = move |view: SavedView| {
        let of = view.name.clone();
        let here = view.query.clone();
        let is_shown = move || board.look.with(|look| look.to_string() == here);
        view! {
            <li>
                <a href=paths::fleet(&view.query) aria-current=move || if is_shown() { "true" } else { "false" }>{view.name.clone()}</a>
                <button class="quiet" aria-label=format!("Delete the view {}", view.name) on:click=move |_| { save.value().set(None); delete.dispatch(of.clone()); }>"×"</button>
            </li>
        }
    };
    let list = move |views: Vec<SavedView>| {
        if views.is_empty() {
            view! { <p class="soft">"No view is saved yet: choose colour, group and filter, then name it."</p> }
                .into_any()
        } else {
            view! { <ul class="saved" aria-label="Saved views">{views.into_iter().map(one).collect_view()}</ul> }
                .into_any()
        }
    };
    view! {
        <div class="fleet-views">
            <Transition fallback=|| view! { <p class="soft">"Loading saved views…"</p> }>
                {move || Suspend::new(async move {
                    match views.await {
                        Ok(views) => list(views),
                        Err(error) => view! { <p class="why">"Saved views could not be had. " {error.to_string()} " " <button on:click=move |_| views.refetch()>"Try again"</button></p> }.into_any(),
                    }
                })}
            </Transition>
            <form on:submit=submit>
                <label>"Save this view as " <input type="text" maxlength="80" prop:value=move || name.get() on:input:target=move |event| name.set(event.target().value())/></label>
                <button type="submit" disabled=move || name.with(|name| name.trim().is_empty()) title=move || if name.with(|name| name.trim().is_empty()) { "Name it first" } else { "" }>"Save"</button>
                <span class="soft" role="status">{told}</span>
            </form>
        </div>
    }
}
