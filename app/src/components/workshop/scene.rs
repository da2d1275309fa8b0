//! Where in the hall is the power, the heat, the mass? The hall in 3D with its racks coloured by a figure, and the same as a
//! table for those who can't see it or whose browser can't draw it.

use super::{Bench, Besides, units};
use crate::browser::scene::{Drawn, colours, read_camera, start, words_of};
use crate::paths::{self, View, Workbench};
use crate::workshop::mount::rack_of;
use crate::workshop::place::Place;
use crate::workshop::scene::{Hall, KINDS, Measure, hall, kind_name};
use crate::{browser, format};
use leptos::html::Canvas;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::web_sys::CustomEvent;
use model::scene::Scale;

/// Bookmarks: the name that the picture knows, the words on its button.
const BOOKMARKS: [(&str, &str); 5] = [
    ("overview", "Overview"),
    ("above", "Above"),
    ("cold-aisle", "Cold aisle"),
    ("hot-aisle", "Hot aisle"),
    ("selected", "Selected rack"),
];

/// How far the picture is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Progress {
    Loading,
    Shown,
    /// Why there is none.
    Failed(String),
}

/// What the parts of the view share.
#[derive(Clone, Copy)]
struct Stage {
    bench: Bench,
    hall: Memo<Option<Hall>>,
    progress: RwSignal<Progress>,
    /// The id of the rack under the pointer; empty where there is none.
    over: RwSignal<String>,
    drawn: StoredValue<Option<Drawn>>,
}

/// The hall that is selected, or the first, in 3D.
#[component]
pub fn Hall3d(
    /// Whose.
    bench: Bench,
) -> impl IntoView {
    let at = Memo::new(move |_| match bench.first() {
        Place::Hall(at) | Place::Row(at, _) | Place::Rack(at, ..) | Place::Tray(at, ..) => at,
        Place::Site | Place::Service | Place::Finance | Place::Power(_) | Place::Loop(_) | Place::Own(..) => 0,
    });
    let measure = Memo::new(move |_| bench.at.with(|at| at.colour));
    let hall = Memo::new(move |_| {
        let catalog = bench.parts.get();
        let none = model::catalog::Catalog::default();
        let catalog = catalog.as_deref().unwrap_or(&none);
        bench.answer.with(|answer| bench.design.with(|design| hall(design, catalog, answer, at.get(), measure.get())))
    });
    let stage = Stage {
        bench,
        hall,
        progress: RwSignal::new(Progress::Loading),
        over: RwSignal::new(String::new()),
        drawn: StoredValue::new(None),
    };
    let is_empty = Memo::new(move |_| hall.with(|hall| hall.as_ref().is_none_or(|hall| hall.plan.rows.is_empty())));
    view! {
        <section class="drawing" aria-labelledby="hall3d">
            <h2 id="hall3d" class="hidden">"The hall in 3D"</h2>
            <Halls bench at/>
            {move || if is_empty.get() {
                view! { <p class="empty">"There are no racks to show yet. "<a href=floor_path(bench)>"Draw rows on the floor plan"</a>", and they stand here."</p> }.into_any()
            } else {
                view! { <Shown stage/> }.into_any()
            }}
        </section>
    }
}

fn floor_path(bench: Bench) -> String {
    let at = Workbench { view: View::Floor, ..bench.at.get() };
    bench.id.with_value(|id| paths::workshop(id, &at))
}

/// Which hall, where there are several.
#[component]
fn Halls(bench: Bench, at: Memo<usize>) -> impl IntoView {
    move || {
        let names = bench.design.with(|design| design.halls.iter().map(|hall| hall.name.clone()).collect::<Vec<_>>());
        (names.len() > 1).then(|| {
            let tab = move |(index, name): (usize, String)| {
                let pressed = move || (at.get() == index).to_string();
                view! { <button aria-pressed=pressed on:click=move |_| bench.select(Place::Hall(index), Besides::Nothing)>{name}</button> }
            };
            view! { <p class="choice" role="group" aria-label="Hall">{names.into_iter().enumerate().map(tab).collect_view()}</p> }
        })
    }
}

#[component]
fn Shown(stage: Stage) -> impl IntoView {
    // A canvas that lost its graphics can't have others, so another attempt has another one: this goes, and comes anew.
    let is_there = RwSignal::new(true);
    let again = Callback::new(move |()| {
        stage.drawn.set_value(None);
        stage.progress.set(Progress::Loading);
        is_there.set(false);
        request_animation_frame(move || is_there.set(true));
    });
    view! {
        <Controls stage/>
        {move || is_there.get().then(|| view! { <Picture stage/> })}
        <Failure stage again/>
        <Legend stage/>
        <p class="soft" id="scene-keys">
            "Click a rack to select it. Drag to turn, with Shift to shift; the wheel comes nearer once the picture was clicked. Keys on the picture: arrows turn, with Shift they shift; + and − zoom; 1 to 5 are the bookmarks."
        </p>
        <Table stage/>
    }
}

#[component]
fn Controls(stage: Stage) -> impl IntoView {
    let Stage { bench, hall, progress, drawn, .. } = stage;
    let choose = move |name: String| {
        if let Some(measure) = Measure::ALL.into_iter().find(|measure| measure.name() == name) {
            bench.colour(measure);
        }
    };
    let chosen = move || bench.at.with(|at| at.colour.name());
    let options = Measure::ALL.map(|measure| {
        let selected = bench.at.with_untracked(|at| at.colour == measure);
        view! { <option value=measure.name() selected=selected>{measure.words()}</option> }
    });
    let is_shown = Memo::new(move |_| progress.with(|progress| *progress == Progress::Shown));
    let cold =
        move |cold: bool| hall.with(|hall| hall.iter().flat_map(|hall| &hall.plan.aisles).any(|a| a.cold == cold));
    let has_rack = move || bench.selected().iter().any(|place| rack_of(*place).is_some());
    let why_not = move |name: &str| match name {
        _ if !is_shown.get() => Some("There is no picture yet"),
        "cold-aisle" if !cold(true) => Some("This hall has no cold aisle between rows"),
        "hot-aisle" if !cold(false) => Some("This hall has no hot aisle between rows"),
        "selected" if !has_rack() => Some("Select racks first, in the picture or in the tree"),
        _ => None,
    };
    let bookmark = move |(name, words): (&'static str, &'static str)| {
        let look = move |_| drawn.with_value(|drawn| drawn.iter().for_each(|drawn| drawn.look(name)));
        let title = move || why_not(name).unwrap_or_default();
        view! { <button disabled=move || why_not(name).is_some() title=title on:click=look>{words}</button> }
    };
    let save = move |_| {
        let Some(picture) = drawn.with_value(|drawn| drawn.as_ref().map(Drawn::picture)) else { return };
        match picture {
            Ok(address) => {
                let name = hall.with_untracked(|hall| hall.as_ref().map(|hall| hall.name.clone()).unwrap_or_default());
                let id = bench.id.with_value(ToString::to_string);
                browser::download_from(&format!("{id} {name} {}.png", chosen()), &address);
            }
            Err(why) => bench.told.set(format!("The picture could not be saved: {why}.")),
        }
    };
    view! {
        <div class="scene-controls">
            <label>"Colour by " <select prop:value=chosen on:change:target=move |event| choose(event.target().value())>{options.collect_view()}</select></label>
            <p class="choice" role="group" aria-label="Look from">{BOOKMARKS.map(bookmark).collect_view()}</p>
            <p class="choice"><button disabled=move || !is_shown.get() on:click=save>"Save this picture"</button></p>
        </div>
    }
}

/// The canvas, and what keeps it and the page together.
#[component]
fn Picture(stage: Stage) -> impl IntoView {
    let Stage { bench, hall, progress, over, drawn } = stage;
    let units = units();
    let canvas = NodeRef::<Canvas>::new();
    let theme = RwSignal::new(0_u32);
    let begun = StoredValue::new(false);
    let last_hall = StoredValue::new(None::<usize>);
    let fail = move |why: String| {
        drawn.set_value(None);
        progress.set(Progress::Failed(why));
    };
    Effect::new(move |_| {
        theme.track();
        // Before the catalog is here no rack has its size.
        let (Some(canvas), true) = (canvas.get(), bench.catalog.with(Option::is_some)) else { return };
        let Some(hall) = hall.get() else { return };
        // Trays are not drawn: the racks that they are in are.
        let racks = |place| rack_of(place).map_or(place, |(h, r, k)| Place::Rack(h, r, k));
        let selected: Vec<Place> = bench.selected().into_iter().map(racks).collect();
        let json = serde_json::to_string(&hall.scene(colours(&canvas), &selected)).unwrap_or_default();
        let is_other = last_hall.get_value().is_some_and(|last| last != hall.at);
        last_hall.set_value(Some(hall.at));
        if !begun.get_value() {
            begun.set_value(true);
            spawn_local(async move {
                let found = start(&canvas, &json).await;
                // The page may have been left meanwhile.
                if begun.try_get_value().is_none() {
                    return;
                }
                match found {
                    Ok(found) => {
                        bench.at.with_untracked(|at| at.camera.iter().for_each(|camera| found.look_from(camera)));
                        drawn.set_value(Some(found));
                        progress.set(Progress::Shown);
                        // What changed while it was loaded.
                        theme.update(|theme| *theme += 1);
                    }
                    Err(why) => fail(why),
                }
            });
        } else if let Some(Err(why)) = drawn.with_value(|drawn| drawn.as_ref().map(|drawn| drawn.update(&json))) {
            fail(why);
        } else if is_other {
            drawn.with_value(|drawn| drawn.iter().for_each(|drawn| drawn.look("overview")));
        }
    });
    // Another address, as by the browser's way back, is another place to look from.
    let camera = Memo::new(move |_| bench.at.with(|at| at.camera));
    Effect::new(move |_| {
        let Some(camera) = camera.get() else { return };
        drawn.with_value(|drawn| drawn.iter().for_each(|drawn| drawn.look_from(&camera)));
    });
    on_cleanup(move || {
        // Where the whole view goes, it went with it.
        let _ = drawn.try_set_value(None);
    });
    let picked = move |event: CustomEvent| {
        if let Ok(place) = words_of(&event).parse::<Place>() {
            bench.select(place, Besides::Nothing);
        }
    };
    let label = move || hall.with(|hall| hall.as_ref().map(|hall| hall.about(units.get())).unwrap_or_default());
    let reading = move || {
        let words = hall.with(|hall| hall.as_ref().and_then(|hall| over.with(|over| hall.words(units.get(), over))));
        words.unwrap_or_else(|| "\u{a0}".into())
    };
    let state = move || match progress.get() {
        Progress::Loading => "loading",
        Progress::Shown => "shown",
        Progress::Failed(_) => "failed",
    };
    view! {
        <div class="scene" data-state=state>
            <canvas node_ref=canvas role="img" tabindex="0" aria-label=label aria-describedby="scene-keys"
                on:scene-picked=picked
                on:scene-over=move |event: CustomEvent| over.set(words_of(&event))
                on:scene-looked=move |event: CustomEvent| bench.look(read_camera(&words_of(&event)))
                on:scene-theme=move |_: CustomEvent| theme.update(|theme| *theme += 1)
                on:scene-lost=move |event: CustomEvent| fail(words_of(&event))>
            </canvas>
            <p class="scene-wait" role="status">{move || (progress.get() == Progress::Loading).then_some("Loading the 3D hall…")}</p>
        </div>
        <p class="scene-over" aria-hidden="true">{reading}</p>
    }
}

/// Why there is no picture, and where the same can be seen.
#[component]
fn Failure(stage: Stage, again: Callback<()>) -> impl IntoView {
    let why = move || match stage.progress.get() {
        Progress::Failed(why) => Some(why),
        Progress::Loading | Progress::Shown => None,
    };
    move || {
        why().map(|why| {
            view! {
                <section class="failure" role="alert">
                    <p>"The hall can't be shown in 3D: " {why} "."</p>
                    <p class="soft">"The floor plan and the table below show the same racks and figures."</p>
                    <p class="actions"><a href=move || floor_path(stage.bench)>"Open the floor plan"</a> <button on:click=move |_| again.run(())>"Try again"</button></p>
                </section>
            }
        })
    }
}

/// What the colours mean.
#[component]
fn Legend(stage: Stage) -> impl IntoView {
    let units = units();
    let scale = move |hall: &Hall| {
        let Scale { low, high } = hall.scale()?;
        let words = |value| hall.measure.figure(units.get(), value);
        let is_one = high <= low;
        let (low, high) = (words(low), words(high));
        Some(if is_one {
            view! { <p class="scale"><span class="shade-one"></span> {high} ", every rack that has a figure"</p> }
                .into_any()
        } else {
            view! { <p class="scale"><span>{low}</span> <span class="shades"></span> <span>{high}</span></p> }
                .into_any()
        })
    };
    let kinds = |hall: &Hall| {
        let there = |kind| hall.groups.iter().any(|group| group.kind == kind);
        let known = KINDS.into_iter().filter(|(kind, _)| there(Some(*kind)));
        let known = known.map(|(_, word)| view! { <li class=word>{word}</li> }).collect_view();
        let unknown = there(None).then(|| view! { <li class="missing">"not in the catalog"</li> });
        view! { {known}{unknown} }.into_any()
    };
    let shown = move |hall: Hall| {
        let missing = hall.missing().into_iter().map(|why| view! { <li class="missing">{why}</li> }).collect_view();
        let kinds = (hall.measure == Measure::Kind).then(|| kinds(&hall));
        view! {
            <div class="scene-legend">
                <p class="legend-title">{hall.measure.about()}</p>
                {scale(&hall)}
                <ul class="key">
                    {kinds}{missing}
                    <li class="cold">"cold aisle"</li><li class="hot">"hot aisle"</li>
                    <li class="busway">"busway over the racks"</li>
                    {hall.wet.then(|| view! { <li class="pipe">"water under the hot aisle"</li> })}
                </ul>
            </div>
        }
    };
    move || stage.hall.get().map(shown)
}

/// The same, to be read.
#[component]
fn Table(stage: Stage) -> impl IntoView {
    let Stage { bench, hall, progress, .. } = stage;
    let units = units();
    let is_failed = move || matches!(progress.get(), Progress::Failed(_));
    let rows = move || {
        let Some(hall) = hall.get() else { return ().into_any() };
        let measure = hall.measure;
        let row = move |group: &crate::workshop::scene::Group| {
            let place = group.place;
            let figure = match group.found {
                Ok(value) => measure.figure(units.get(), value),
                Err(why) => format!("{} {why}", format::MISSING),
            };
            let figure = (measure != Measure::Kind).then(|| view! { <td class="num">{figure}</td> });
            view! {
                <tr>
                    <th scope="row">{group.row.clone()}</th>
                    <td class="num">{format::count(group.rows).to_string()}</td>
                    <td><button class="place" aria-pressed=move || bench.selected().contains(&place).to_string()
                        on:click=move |_| bench.select(place, Besides::Nothing)>{group.part.clone()}</button></td>
                    <td>{kind_name(group.kind)}</td>
                    <td class="num">{format::count(group.count).to_string()}</td>
                    {figure}
                </tr>
            }
        };
        hall.groups.iter().map(row).collect_view().into_any()
    };
    let heading = move || {
        let measure = bench.at.with(|at| at.colour);
        (measure != Measure::Kind).then(|| view! { <th scope="col" class="num">{measure.words()}</th> })
    };
    view! {
        <details class="scene-table" open=is_failed>
            <summary>"The same as a table"</summary>
            <div class="scroll" tabindex="0" role="region" aria-label="Racks of the hall, row by row">
                <table>
                    <caption class="hidden">"Racks of the hall, row by row, as the floor plan has them"</caption>
                    <thead><tr>
                        <th scope="col">"Row"</th><th scope="col" class="num">"Rows alike"</th><th scope="col">"Racks"</th>
                        <th scope="col">"Kind"</th><th scope="col" class="num">"In each row"</th>{heading}
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </details>
    }
}
