//! Where do readings come from, does each source answer, and what is to be done where one does not?

use crate::components::refresh::{AsOf, Watched};
use crate::components::source::{SetUp, SourceList, finding};
use crate::{api, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use model::source::SourceStatus;

/// How often sources are asked for.
const SECONDS: u64 = 5;

/// Sources.
#[component]
pub fn SourcesPage() -> impl IntoView {
    let sources = Resource::new(|| (), |()| async { api::fleet_sources().await.map(AsOf::now) });
    view! {
        <Title text="Sources"/>
        <p class="crumbs"><a href=paths::FLEET>"Fleet"</a></p>
        <h1>"Sources"</h1>
        <p class="lead">
            "Where the live figures come from: each is a " <a href=paths::glossary("telemetry source")>"telemetry source"</a>
            ". A figure whose source is silent is greyed on every page and says how old it is; it never becomes zero."
        </p>
        <Watched resource=sources noun="the sources" seconds=SECONDS show=page/>
        <section aria-labelledby="set-up">
            <h2 id="set-up">"How a source is set up"</h2>
            <p class="soft">"These lines go into the server's file of sources, in TOML; it is read when the server starts. Several blocks of a kind may stand in it."</p>
            <SetUp/>
        </section>
    }
}

fn page(AsOf { at_ms, value: sources }: AsOf<Vec<SourceStatus>>) -> AnyView {
    if sources.is_empty() {
        return view! {
            <p class="empty">"No source is set up yet, so nothing is read and every live figure is “—”. Copy one of the blocks below into the server's file of sources and start the server again."</p>
        }
        .into_any();
    }
    view! {
        <p class="lead">{finding(&sources)}</p>
        <SourceList sources at_ms/>
    }
    .into_any()
}
