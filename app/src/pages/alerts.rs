//! What needs a person, who has taken it on, what is kept back and why, and which rules say so?

use crate::alarms::{self, LISTS};
use crate::components::alert::{AlertList, Deeds, DoingForm, History, Rules, Silences};
use crate::components::refresh::{AsOf, Watched};
use crate::{api, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::alert::AlertsView;

/// How often alerts are asked for.
const SECONDS: u64 = 5;

/// Alerts. The address holds which list is shown.
#[component]
pub fn AlertsPage() -> impl IntoView {
    let query = use_query_map();
    let list = Memo::new(move |_| {
        let asked = query.read().get("show").unwrap_or_default();
        LISTS.iter().map(|(name, _)| *name).find(|name| *name == asked).unwrap_or(LISTS[0].0)
    });
    // Another list is asked for anew: it is shown as it is now.
    let alerts = Resource::new(
        move || list.get(),
        |_| async { api::alerts().await.map(|view| AsOf { at_ms: view.as_of_ms, value: view }) },
    );
    let deeds = Deeds::of(Callback::new(move |()| alerts.refetch()));
    view! {
        <Title text="Alerts"/>
        <p class="crumbs"><a href=paths::FLEET>"Fleet"</a></p>
        <h1>"Alerts"</h1>
        <p class="lead">
            "What the rules found wrong for long enough to tell someone. Take one on and it is yours; "
            <a href=paths::glossary("silence")>"silence"</a> " what is known, until a set time."
        </p>
        <DoingForm deeds/>
        <Watched resource=alerts noun="the alerts" seconds=SECONDS show=move |found| page(found, list, deeds)/>
    }
}

fn page(AsOf { at_ms, value: view }: AsOf<AlertsView>, list: Memo<&'static str>, deeds: Deeds) -> AnyView {
    let tabs = LISTS.map(|(name, words)| {
        let count = match name {
            "silences" => Some(view.silences.len()),
            "history" => None,
            "rules" => Some(view.rules.len()),
            _ => Some(view.alerts.iter().filter(|alert| alarms::is_in(name, alert.state)).count()),
        };
        let current = move || if list.get() == name { "page" } else { "false" };
        view! { <a href=paths::alerts(name) aria-current=current>{words} {count.map(|count| format!(" ({count})"))}</a> }
    });
    let finding = alarms::finding(&view.alerts);
    view! {
        <p class="lead">{finding}</p>
        <nav class="tabs" aria-label="Lists of alerts">{tabs.into_iter().collect_view()}</nav>
        <h2 class="hidden">{LISTS.iter().find(|(name, _)| *name == list.get_untracked()).map(|(_, words)| *words)}</h2>
        {shown(list.get_untracked(), &view, at_ms, deeds)}
    }
    .into_any()
}

fn shown(list: &str, view: &AlertsView, at_ms: i64, deeds: Deeds) -> AnyView {
    match list {
        "silences" => view! { <Silences silences=view.silences.clone() at_ms deeds/> }.into_any(),
        "history" => view! { <History history=view.history.clone() deliveries=view.deliveries.clone()/> }.into_any(),
        "rules" => view! { <Rules rules=view.rules.clone()/> }.into_any(),
        _ => {
            let alerts = alarms::listed(&view.alerts, &view.about, list);
            if alerts.is_empty() {
                return view! { <p class="empty">{nothing(list)} " " <a href=paths::alerts("rules")>"See what is watched"</a></p> }.into_any();
            }
            view! { <AlertList alerts about=view.about.clone() rules=view.rules.clone() at_ms deeds/> }.into_any()
        }
    }
}

fn nothing(list: &str) -> &'static str {
    match list {
        "taken" => "Nobody has taken an alert on.",
        "kept-back" => "No alert is silenced or explained by another.",
        "resolved" => "No alert got right again in the last hour.",
        _ => "No alert fires: nothing that the rules watch is wrong.",
    }
}
