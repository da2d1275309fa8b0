//! What does the building say of itself, is that still so, and are its racks those that the IT side means?

use crate::building;
use crate::components::facility::{Points, Racks, Serving, Telling};
use crate::components::question::Question;
use crate::components::refresh::{AsOf, Watched};
use crate::{api, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::facility::{FacilityQuery, FacilityView};

/// Points at once.
const AT_MOST: u32 = 200;
/// How often the building is asked for.
const SECONDS: u64 = 10;

/// The facility. The address holds the object and the text that points are looked for by.
#[component]
pub fn FacilityPage() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let query = query.read();
        let some = |name: &str| query.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        FacilityQuery { object: some("object"), text: some("text"), limit: AT_MOST }
    });
    let found = Resource::new(
        move || asked.get(),
        |asked| async { api::facility(asked).await.map(|view| AsOf { at_ms: view.as_of_ms, value: view }) },
    );
    view! {
        <Title text="Facility"/>
        <p class="crumbs"><a href=paths::FLEET>"Fleet"</a></p>
        <h1>"Facility"</h1>
        <p class="lead">
            "What the building says over its bus (" <a href=paths::glossary("DSX Exchange")>"DSX Exchange"</a>
            "): its power and cooling as its " <a href=paths::glossary("BMS")>"BMS"</a> " tells them, what serves what, and how old each value is."
        </p>
        {move || {
            let asked = asked.get();
            view! {
                <Question action=paths::FACILITY label="Which points">
                    {asked.object.map(|object| view! { <input type="hidden" name="object" value=object/> })}
                    <label>"Find a point by its path, kind or object" <input type="text" name="text" value=asked.text.unwrap_or_default() autocomplete="off" spellcheck="false"/></label>
                    <button type="submit">"Find"</button>
                </Question>
            }
        }}
        <Watched resource=found noun="the building" seconds=SECONDS show=move |found| page(found, asked)/>
    }
}

fn page(AsOf { at_ms, value: view }: AsOf<FacilityView>, asked: Memo<FacilityQuery>) -> AnyView {
    if building::is_empty(&view) {
        return view! {
            <p class="empty">"No bus of a building is read, so power at the meter, coolant and leaks are not known. "<a href=paths::SOURCES>"See how one is set up"</a>"."</p>
        }
        .into_any();
    }
    let asked = asked.get_untracked();
    let of = asked.object.map(
        |object| view! { "Those of " <code>{object}</code> " alone. " <a href=paths::FACILITY>"Show all points"</a> },
    );
    let text = asked.text.map(|text| view! { " With “" {text} "” in their names." });
    let tells =
        view.buildings.iter().map(|building| view! { <Telling building=building.clone() at_ms/> }).collect_view();
    let serving = view.buildings.into_iter().map(|building| view! { <Serving building/> }).collect_view();
    view! {
        {tells}
        <section aria-labelledby="points">
            <h2 id="points">"Points"</h2>
            <p class="soft">{of} {text}</p>
            <Points points=view.points more=view.more at_ms/>
        </section>
        <section aria-labelledby="racks"><h2 id="racks">"Do both sides mean the same racks?"</h2><Racks racks=view.racks/></section>
        {serving}
    }
    .into_any()
}
