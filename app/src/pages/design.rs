//! What does this design draw, need, cost and make, what is wrong with it, and what happens if I change it?

use crate::api::{self, ApiError};
use crate::components::failure::{Extent, Loaded};
use crate::components::notes::NotesWithMends;
use crate::components::palette::{Act, Command, feed};
use crate::components::scenario::RunWith;
use crate::components::workshop::Bench;
use crate::components::workshop::bar::{Bar, Tabs};
use crate::components::workshop::cooling::Cooling;
use crate::components::workshop::elevation::Elevation;
use crate::components::workshop::floor::{Control, Floor, on_key};
use crate::components::workshop::inspector::Inspector;
use crate::components::workshop::one_line::OneLine;
use crate::components::workshop::record::{Record, Save};
use crate::components::workshop::scene::Hall3d;
use crate::components::workshop::tree::Tree;
use crate::components::workshop::year::{Drivers, YearView};
use crate::paths::View;
use crate::{browser, paths};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::design::Design;
use model::id::{DesignId, SnapshotId};
use model::note::Severity;
use model::report::Evaluation;
use model::run::DesignDetail;
use model::version::DesignCheck;

/// One design.
#[component]
pub fn DesignPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let design = Resource::new(
        move || (params.read().get("id").unwrap_or_default(), query.read().get("snapshot")),
        |(id, snapshot)| async move {
            let id: DesignId = id.parse().map_err(|_| ApiError::NotFound { what: format!("design \"{id}\"") })?;
            let mut detail = api::design(id).await?;
            let design = match snapshot {
                Some(snapshot) => shared(&mut detail, &snapshot).await?,
                None => None,
            };
            Ok((detail, design))
        },
    );
    view! { <Loaded resource=design noun="this design" extent=Extent::Page show=page/> }
}

/// The state that a link leads to, with its evaluation in the place of the newest version's.
async fn shared(detail: &mut DesignDetail, snapshot: &str) -> Result<Option<Design>, ApiError> {
    let id: SnapshotId =
        snapshot.parse().map_err(|_| ApiError::NotFound { what: format!("shared state \"{snapshot}\"") })?;
    match api::design_check(api::snapshot(id).await?).await? {
        DesignCheck::Read { design, evaluation, .. } => {
            detail.evaluation = *evaluation;
            Ok(Some(*design))
        }
        DesignCheck::Unreadable { problem } => {
            Err(ApiError::Invalid { reason: format!("The shared text is no design: {problem}.") })
        }
    }
}

fn page((detail, shared): (DesignDetail, Option<Design>)) -> AnyView {
    match detail.design.clone() {
        Some(stored) => {
            let design = shared.unwrap_or_else(|| stored.clone());
            view! { <Workshop detail stored design/> }.into_any()
        }
        None => unreadable(detail),
    }
}

/// A stored text that is no design: why, and the text.
fn unreadable(detail: DesignDetail) -> AnyView {
    let why = detail.problem.map_or_else(|| "The text can't be read.".to_owned(), |problem| problem.to_string());
    view! {
        <Title text=detail.summary.name.clone()/>
        <p class="crumbs"><a href=paths::DESIGNS>"Designs"</a></p>
        <h1>{detail.summary.name}</h1>
        <section class="failure"><p>"This text is no design: " {why} "."</p><p class="soft">"Mend the text and store it again, or go back to a version before it."</p></section>
        <details class="source" open><summary>"The text"</summary><pre tabindex="0"><code>{detail.toml}</code></pre></details>
    }
    .into_any()
}

/// Why it can't be run as drawn.
fn blocked(evaluation: &Evaluation) -> Option<String> {
    let errors = evaluation.notes.iter().filter(|note| note.severity == Severity::Error).count();
    match errors {
        0 => None,
        1 => Some("It can't be run as drawn: the notes hold 1 error.".into()),
        many => Some(format!("It can't be run as drawn: the notes hold {many} errors.")),
    }
}

#[component]
fn Workshop(detail: DesignDetail, stored: Design, design: Design) -> impl IntoView {
    let bench = Bench::new(&detail, &stored, &design);
    Effect::new(move |_| {
        spawn_local(async move {
            match api::catalog().await {
                Ok(catalog) => bench.begin(catalog),
                Err(error) => bench
                    .told
                    .set(format!("The catalog could not be loaded, so nothing can be worked out here. {error}")),
            }
        });
    });
    browser::on_keys(move |event| {
        if browser::is_typing(&event) {
            return;
        }
        let held = event.ctrl_key() || event.meta_key();
        let control = match (held, event.shift_key()) {
            (true, true) => Control::HeldWithShift,
            (true, false) => Control::Held,
            (false, _) => Control::Free,
        };
        // With Caps Lock letters come as capitals.
        let key = if held { event.key().to_lowercase() } else { event.key() };
        if on_key(bench, &key, control) {
            event.prevent_default();
        }
    });
    let summary = detail.summary.clone();
    // A selection is no other view: only another view is made anew.
    let view = Memo::new(move |_| bench.at.with(|at| at.view));
    let name = move || bench.design.with(|design| design.name.clone());
    // The head outlives the body. The server writes it last, maybe on a thread that knows no signals of the body, and the
    // browser asks for it once more when the page is left and they are gone: both then have the stored name.
    let kept = summary.name.clone();
    let title = move || {
        let drawn = if cfg!(feature = "hydrate") { bench.design.try_with(|design| design.name.clone()) } else { None };
        drawn.unwrap_or_else(|| kept.clone())
    };
    let place = move || bench.answer.with(|answer| answer.site.as_ref().map(|site| site.location.name.clone()));
    let location = summary.location.clone();
    let why_not = Signal::derive(move || {
        let changed = bench.unsaved().then(|| "Save your changes first: a run is of a saved version.".to_owned());
        changed.or_else(|| bench.answer.with(|answer| blocked(&answer.evaluation)))
    });
    let location_id = Signal::derive(move || bench.design.with(|design| design.location.clone()));
    let models = Signal::derive(move || {
        let catalog = bench.parts.get();
        catalog
            .map(|catalog| catalog.models.iter().map(|row| (row.id.clone(), row.name.clone())).collect())
            .unwrap_or_default()
    });
    feed(commands(bench));
    view! {
        <Title text=title/>
        <div class="workshop">
            <header class="workhead">
                <div>
                    <p class="crumbs"><a href=paths::DESIGNS>"Designs"</a> " › version " {move || bench.base.with(|base| base.version)}</p>
                    <h1>{name}</h1>
                    <p class="soft">{move || place().unwrap_or_else(|| location.clone())} " · " {summary.description.clone()}</p>
                </div>
                <div class="workdo"><Save bench/> <span class="workmore"><a href=paths::optimize(&summary.id)>"Operating point"</a> " · " <a href=paths::power(&summary.id)>"Power"</a> " · " <a href=paths::sweeps_of(&summary.id)>"Sweeps"</a></span> <RunWith design=summary.id.clone() name=Signal::derive(name) location=location_id models blocked=why_not/></div>
            </header>
            {move || bench.at.with(|at| at.snapshot.is_some()).then(|| view! {
                <p class="outcome calm" role="note">"This is a shared state of the design, as it stood when the link was made. Changes here touch nothing that is stored: save it as your own, or "
                    <a href=bench.id.with_value(paths::design)>"open the design as it is stored"</a>"."</p>
            })}
            <p class="told" role="status" aria-live="polite">{move || bench.told.get()}</p>
            <div class="bench">
                <Tree bench/>
                <div class="stage">
                    <Tabs bench/>
                    {move || match view.get() {
                        View::Floor => view! { <Floor bench/> }.into_any(),
                        View::Hall3d => view! { <Hall3d bench/> }.into_any(),
                        View::Rack => view! { <Elevation bench/> }.into_any(),
                        View::OneLine => view! { <OneLine bench/> }.into_any(),
                        View::Cooling => view! { <Cooling bench/> }.into_any(),
                        View::Year => view! { <YearView bench/> }.into_any(),
                        View::Drivers => view! { <Drivers bench/> }.into_any(),
                        View::Record => view! { <Record bench/> }.into_any(),
                    }}
                    <section class="worknotes" aria-labelledby="notes">
                        <h2 id="notes">"Notes"</h2>
                        <NotesWithMends bench/>
                    </section>
                </div>
                <Inspector bench/>
            </div>
            <Bar bench/>
        </div>
    }
}

/// What the workshop adds to the palette.
fn commands(bench: Bench) -> Vec<Command> {
    let view = |view: View| Command {
        words: format!("Show {}", view.words().to_lowercase()),
        keys: "",
        act: Act::Do(Callback::new(move |()| bench.open(view))),
    };
    let act = |words: &str, keys: &'static str, act: fn(Bench)| Command {
        words: words.to_owned(),
        keys,
        act: Act::Do(Callback::new(move |()| act(bench))),
    };
    let mut list = vec![
        act("Undo", "Ctrl+Z", |bench| bench.undo()),
        act("Redo", "Ctrl+Y", |bench| bench.redo()),
        act("Add a hall", "", |bench| bench.edit(bench.design.with_untracked(crate::workshop::edit::add_hall))),
    ];
    list.extend(View::ALL.map(view));
    list
}
