//! How is this hall, rack, node or GPU, and how did it come to that?

use crate::api::{self, ApiError};
use crate::components::burst::EventList;
use crate::components::failure::{Extent, Loaded};
use crate::components::fleet::attention::AttentionList;
use crate::components::fleet::charts::{Charts, first_charts};
use crate::components::fleet::health::HealthMark;
use crate::components::fleet::place::{Facts, LastValues, Parts, Planned};
use crate::fleet::time::When;
use crate::fleet::words;
use crate::{browser, format, paths};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map, use_query_map};
use model::fleet::{ChartData, FleetPlace, PlaceView};

/// How often the place is asked for again, seconds.
const EVERY_S: u64 = 10;
/// The time that events under a page's heading are gathered by, milliseconds.
const EVENTS_MS: i64 = 86_400_000;

/// A place of the fleet.
#[component]
pub fn FleetPlacePage() -> impl IntoView {
    let params = use_params_map();
    let place = Resource::new(
        move || params.read().get("place").unwrap_or_default(),
        |text| async move {
            let none = || ApiError::NotFound { what: format!("place \"{text}\" in a fleet") };
            let place: FleetPlace = text.parse().map_err(|_| none())?;
            api::fleet_place(place).await
        },
    );
    let query = use_query_map();
    let charts = Resource::new(
        move || params.read().get("place").unwrap_or_default(),
        move |_| async move {
            let view = place.await?;
            let when = When::read(|name| query.read_untracked().get(name));
            first_charts(&view.place, when, view.as_of_ms).await
        },
    );
    let show = move |view| view! { <Body view charts/> }.into_any();
    view! { <Loaded resource=place noun="this place of the fleet" extent=Extent::Page show/> }
}

#[component]
fn Body(view: PlaceView, charts: Resource<Result<ChartData, ApiError>>) -> impl IntoView {
    let place = view.place.clone();
    let name = words::place(&place);
    let within = view.within.clone();
    let (live, lost) = (RwSignal::new(view), RwSignal::new(None::<String>));
    follow(place.clone(), live, lost);
    let (when, choose) = times(&place);
    let now_ms = Memo::new(move |_| live.with(|live| live.as_of_ms));
    let attention = Memo::new(move |_| live.with(|live| live.attention.clone()));
    let has_parts = Memo::new(move |_| live.with(|live| !live.parts.is_empty()));
    view! {
        <Title text=name.clone()/>
        <div class="fleet-place">
            <Crumbs within/>
            <h1>{name}</h1>
            <Health live lost/>
            {move || (!attention.with(Vec::is_empty)).then(|| view! {
                <section class="attention" aria-labelledby="attention">
                    <h2 id="attention">"Needs a person"</h2>
                    <AttentionList list=attention now_ms/>
                    <p class="actions"><a href=paths::ALERTS>"All alerts and their rules"</a></p>
                </section>
            })}
            {move || has_parts.get().then(|| view! { <Parts live/> })}
            <section aria-labelledby="charts">
                <h2 id="charts">"How it came to that"</h2>
                <Charts place first=charts when now_ms choose/>
            </section>
            <div class="pair place-more">
                <LastValues live/>
                <div><Planned live/><Facts live/></div>
            </div>
            <Events live/>
        </div>
    }
}

/// Where it stands, the widest first.
#[component]
fn Crumbs(within: Vec<FleetPlace>) -> impl IntoView {
    let one = |place: FleetPlace| view! { <span aria-hidden="true">" / "</span> <a href=paths::fleet_place(&place)>{words::place(&place)}</a> };
    let within: Vec<FleetPlace> = within.into_iter().filter(|place| *place != FleetPlace::Fleet).collect();
    view! { <nav class="crumbs" aria-label="Where it stands"><a href=paths::FLEET>"Fleet"</a>{within.into_iter().map(one).collect_view()}</nav> }
}

/// How it is, in a word and a sentence, and as of when.
#[component]
fn Health(live: RwSignal<PlaceView>, lost: RwSignal<Option<String>>) -> impl IntoView {
    let health = Memo::new(move |_| live.with(|live| live.health));
    let is_gpu = live.with_untracked(|live| matches!(live.place, FleetPlace::Gpu(..)));
    let about = if is_gpu { words::health_about } else { words::health_about_all };
    let as_of = move || format::clock_time(live.with(|live| live.as_of_ms), format::Told::All);
    view! {
        <p class="place-health"><HealthMark health/> <span>{move || about(health.get())}</span></p>
        <p class="fresh"><span class="soft">"As of " {as_of} " UTC, asked for again every 10 s. "</span><span class="silence" role="status">{move || lost.get()}</span></p>
    }
}

/// Asks for the place again and again; what was so stays where it can't be had.
fn follow(place: FleetPlace, live: RwSignal<PlaceView>, lost: RwSignal<Option<String>>) {
    Effect::new(move |_| {
        let place = place.clone();
        browser::every(EVERY_S, move || {
            let place = place.clone();
            spawn_local(async move {
                match api::fleet_place(place).await {
                    Ok(view) => {
                        // The page may have been left meanwhile.
                        if live.try_set(view).is_none() {
                            lost.set(None);
                        }
                    }
                    Err(error) => {
                        let _left = lost.try_set(Some(format!("Could not be asked for again: {error} Trying again.")));
                    }
                }
            });
        });
    });
}

/// The time of the charts as the address has it, and what changes it.
fn times(place: &FleetPlace) -> (Memo<When>, Callback<When>) {
    let query = use_query_map();
    let when = Memo::new(move |_| When::read(|name| query.read().get(name)));
    let go = RwSignal::new(None::<When>);
    let navigate = use_navigate();
    let place = place.clone();
    Effect::new(move |_| {
        if let Some(when) = go.get() {
            let path = paths::fleet_place_at(&place, &when.to_string());
            navigate(&path, NavigateOptions { scroll: false, ..NavigateOptions::default() });
        }
    });
    let choose = Callback::new(move |chosen: When| {
        if when.get_untracked() != chosen {
            go.set(Some(chosen));
        }
    });
    (when, choose)
}

/// What happened there of late.
#[component]
fn Events(live: RwSignal<PlaceView>) -> impl IntoView {
    let events = Memo::new(move |_| live.with(|live| live.events.clone()));
    let list = move || {
        let events = events.get();
        if events.is_empty() {
            view! { <p class="soft">"Nothing was told of it of late."</p> }.into_any()
        } else {
            view! { <EventList events span_ms=EVENTS_MS known=Vec::new()/> }.into_any()
        }
    };
    view! {
        <section aria-labelledby="events">
            <h2 id="events">"What happened there"</h2>
            {list}
            <p class="actions"><a href=paths::EVENTS>"All events"</a></p>
        </section>
    }
}
