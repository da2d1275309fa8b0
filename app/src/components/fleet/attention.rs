//! What needs a person: what, where, since when, what happens if nobody acts, what to do, who has it.

use super::board::Board;
use crate::fleet::words;
use crate::{format, paths};
use leptos::prelude::*;
use model::fleet::Attention;

/// As many as stand beside the map; the page of alerts has the rest.
const SHOWN: usize = 8;

/// The rail beside the map.
#[component]
pub fn AttentionRail(
    /// Of which fleet.
    board: Board,
) -> impl IntoView {
    let list = Memo::new(move |_| board.summary.with(|summary| summary.attention.clone()));
    let minute = Memo::new(move |_| board.summary.with(|summary| summary.as_of_ms.div_euclid(10_000) * 10_000));
    let heading = move || list.with(|list| words::attention(list));
    view! {
        <aside class="attention" aria-labelledby="attention">
            <h2 id="attention">{heading}</h2>
            <p class="hidden" role="status">{move || if list.with(Vec::is_empty) { String::new() } else { heading() }}</p>
            <AttentionList list now_ms=minute/>
            <p class="actions"><a href=paths::ALERTS>"All alerts and their rules"</a></p>
        </aside>
    }
}

/// Each with what to do about it.
#[component]
pub fn AttentionList(
    /// What needs a person, the gravest first.
    #[prop(into)]
    list: Signal<Vec<Attention>>,
    /// The time, milliseconds since 1970 UTC.
    #[prop(into)]
    now_ms: Signal<i64>,
) -> impl IntoView {
    let more = move || {
        let more = list.with(Vec::len).saturating_sub(SHOWN) as u32;
        (more > 0).then(
            || view! { <p class="soft">"And " {format::count(more).to_string()} " more on the page of alerts."</p> },
        )
    };
    view! {
        <ul class="attentions">
            <For each=move || list.get().into_iter().take(SHOWN) key=|one| (one.alert.clone(), one.owner.clone(), one.what.clone()) let:one>
                <One one now_ms/>
            </For>
        </ul>
        {more}
    }
}

#[component]
fn One(one: Attention, now_ms: Signal<i64>) -> impl IntoView {
    let Attention { critical, what, place, since_ms, otherwise, action, owner, .. } = one;
    let (class, word, shape) = if critical {
        ("mark error", "critical", "M5 1.5h6L14.5 5v6L11 14.5H5L1.5 11V5ZM5.5 5.5l5 5M10.5 5.5l-5 5")
    } else {
        ("mark warning", "warning", "M8 2 15 14H1ZM8 6.5v4M8 12v.5")
    };
    let since = move || format!("since {} ({})", format::moment(since_ms), format::ago(now_ms.get() - since_ms));
    let owner = owner.map_or_else(
        || view! { <p class="unowned">"Nobody has taken it on."</p> }.into_any(),
        |owner| view! { <p class="soft">{owner} " has taken it on."</p> }.into_any(),
    );
    view! {
        <li class:critical=critical>
            <p class="what">
                <span class=class><svg viewBox="0 0 16 16" aria-hidden="true"><path d=shape/></svg>{word}</span>
                {what}
            </p>
            <p class="where"><a href=paths::fleet_place(&place)>{words::place(&place)}</a> " " <span class="soft">{since}</span></p>
            <p><span class="soft">"If nobody acts: "</span>{otherwise}</p>
            <p><span class="soft">"What to do: "</span>{action}</p>
            {owner}
        </li>
    }
}
