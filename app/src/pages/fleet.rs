//! What does the fleet do now, what does it make of its megawatts, and what needs a person?

use crate::api;
use crate::browser;
use crate::components::failure::{Extent, Loaded};
use crate::components::fleet::attention::AttentionRail;
use crate::components::fleet::board::{Board, Place, charts_time, look};
use crate::components::fleet::charts::{Charts, first_charts};
use crate::components::fleet::map::HeatMap;
use crate::components::fleet::strip::{Counts, Difference, PlanLine, Strip};
use crate::components::fleet::table::{GroupTable, keys};
use crate::components::fleet::tools::{SavedViews, Search};
use crate::components::fleet::waste::Waste;
use crate::components::source::{waited_for, words as source_words};
use crate::fleet::look::Look;
use crate::{format, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use model::fleet::{ChartData, FleetPlace, FleetView, SavedView, WasteReport};
use model::source::{SourceKind, SourceStatus};

/// How often sources are asked for while no GPU was read.
const SECONDS: u64 = 5;

/// What the page asks for besides the fleet.
#[derive(Clone, Copy)]
struct Besides {
    views: Resource<Result<Vec<SavedView>, api::ApiError>>,
    waste: Resource<Result<WasteReport, api::ApiError>>,
    charts: Resource<Result<ChartData, api::ApiError>>,
    /// None are asked for where there are GPUs.
    sources: Resource<Result<Vec<SourceStatus>, api::ApiError>>,
}

/// The live fleet.
#[component]
pub fn FleetPage() -> impl IntoView {
    let look = look();
    // Only the first view is waited for; others take its place while it is shown.
    let fleet = Resource::new(|| (), move |()| api::fleet(look.with_untracked(|look| look.metric)));
    let besides = Besides {
        views: Resource::new(|| (), |()| api::fleet_views()),
        waste: Resource::new(|| (), |()| api::fleet_waste()),
        charts: Resource::new(
            || (),
            move |()| async move {
                let now_ms = charts_time(fleet.await?.as_of_ms);
                first_charts(&FleetPlace::Fleet, look.with_untracked(|look| look.when), now_ms).await
            },
        ),
        sources: Resource::new(
            || (),
            move |()| async move { if fleet.await?.nodes.is_empty() { api::fleet_sources().await } else { Ok(Vec::new()) } },
        ),
    };
    view! {
        <Title text="The live fleet"/>
        <Loaded resource=fleet noun="the live fleet" extent=Extent::Page show=move |view| page(&view, look, besides)/>
    }
}

fn page(view: &FleetView, look: Memo<Look>, besides: Besides) -> AnyView {
    let board = Board::new(view, look);
    keys(board);
    let is_empty = Memo::new(move |_| board.standing.with(|standing| standing.nodes.is_empty()));
    let body = move || if is_empty.get() { empty(besides.sources) } else { shown(board, besides) };
    view! {
        <div class="fleet">
            <div class="fleet-head">
                <h1>"The live fleet"</h1>
                <Fresh board/>
                <Search board/>
            </div>
            {body}
        </div>
    }
    .into_any()
}

/// As of when the page is, and that it is old where it is.
#[component]
fn Fresh(board: Board) -> impl IntoView {
    let as_of = move || {
        let at = board.now.with(|now| now.as_of_ms).max(board.summary.with(|summary| summary.as_of_ms));
        format!("{} UTC", format::clock_time(at, format::Told::All))
    };
    let is_silent = Memo::new(move |_| board.silence.with(|words| !words.is_empty()));
    // Said once; its age, which changes each second, is only shown.
    let said = move || if is_silent.get() { "The live connection is silent; what is shown is old." } else { "" };
    view! {
        <p class="fresh">
            <span class="soft">"As of " {as_of} " "</span>
            <span class="silence" aria-hidden="true">{move || board.silence.get()}</span>
            <span class="hidden" role="status">{said}</span>
        </p>
    }
}

fn shown(board: Board, besides: Besides) -> AnyView {
    let Besides { views, waste, charts, .. } = besides;
    let when = Memo::new(move |_| board.look.with(|look| look.when));
    let choose = Callback::new(move |when| {
        let look = Look { when, ..board.look.get_untracked() };
        board.look_so(&look, Place::After);
    });
    view! {
        <Strip board/>
        <PlanLine board/>
        <Counts board/>
        <div class="fleet-bench">
            <div>
                <HeatMap board/>
                <SavedViews board views/>
            </div>
            <AttentionRail board/>
        </div>
        <Difference board/>
        <GroupTable board/>
        <section aria-labelledby="over-time">
            <h2 id="over-time">"The fleet over time"</h2>
            <Charts place=FleetPlace::Fleet first=charts when now_ms=board.charts_now() choose/>
        </section>
        <Waste waste/>
    }
    .into_any()
}

/// No GPU was read yet: what to do, which is another thing where sources are set up.
fn empty(sources: Resource<Result<Vec<SourceStatus>, api::ApiError>>) -> AnyView {
    Effect::new(move |_| browser::every(SECONDS, move || sources.refetch()));
    let advice = move || {
        Suspend::new(async move {
            match sources.await {
                Ok(sources) if !sources.is_empty() => waiting(&sources),
                Ok(_) | Err(_) => ways(),
            }
        })
    };
    view! {
        <section class="empty fleet-empty">
            <h2>"No GPU has been read yet"</h2>
            <Transition>{advice}</Transition>
            <p class="actions"><a class="button primary" href=paths::SOURCES>"See how the sources are"</a></p>
        </section>
    }
    .into_any()
}

/// Sources are set up, and none of them brought a GPU.
fn waiting(sources: &[SourceStatus]) -> AnyView {
    view! { <p>{waited_for(sources)} " This page fills by itself as soon as one of them brings a GPU."</p> }.into_any()
}

/// No source is set up: how to begin.
fn ways() -> AnyView {
    let example = source_words(SourceKind::Scrape).example;
    let ways = [
        ("To look around, start with a fleet that is made up:", "millwright serve --demo".to_owned()),
        (
            "To read your own, name a page of metrics, such as that of the DCGM exporter, in a file “fleet.toml”:",
            format!("{example}\n\n# then: millwright serve --fleet fleet.toml"),
        ),
        (
            "To have a host send its own GPUs, start this on it:",
            "millwright agent --to http://THIS-MACHINE:8080".to_owned(),
        ),
    ];
    let way = |(words, lines): (&'static str, String)| {
        view! { <li><p>{words}</p><Copied lines/></li> }
    };
    view! {
        <p>"Millwright shows what sources bring. This page fills by itself as soon as one does."</p>
        <ol>{ways.into_iter().map(way).collect_view()}</ol>
    }
    .into_any()
}

/// Lines with a button that copies them.
#[component]
fn Copied(lines: String) -> impl IntoView {
    let copied = RwSignal::new(false);
    let text = lines.clone();
    let copy = move |_| {
        browser::copy_text(&text);
        copied.set(true);
    };
    view! {
        <pre tabindex="0" role="region" aria-label="To copy"><code>{lines}</code></pre>
        <button on:click=copy>"Copy"</button> <span class="soft" role="status">{move || if copied.get() { "Copied." } else { "" }}</span>
    }
}
