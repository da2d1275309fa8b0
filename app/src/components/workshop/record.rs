//! Versions with their names, what differs from the one that was opened, saving, branching, sharing, and files in and out.

use super::Bench;
use crate::api::{self, ApiError};
use crate::components::figure::Number;
use crate::workshop::answer::answer;
use crate::workshop::difference::{changes, figures};
use crate::workshop::merge::{Prefer, together};
use crate::{browser, format, paths};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use model::design::Design;
use model::run::Origin;
use model::version::{
    BranchPoint, DesignCheck, DesignCreate, DesignSave, DesignSaved, DesignVersion, SaveConflict, TEXT_BYTES_MAX,
};

/// A design as TOML.
pub fn toml_of(design: &Design) -> String {
    // A design is plain data, so that writing it can't fail.
    toml::to_string(design).unwrap_or_default()
}

/// Reads a design from JSON here, or asks the house to read TOML, which needs no parser in every browser; then hands it on.
fn read(text: String, then: impl FnOnce(Result<Design, String>) + 'static) {
    if text.trim_start().starts_with('{') {
        then(serde_json::from_str(&text).map_err(|error| format!("line {}: {error}", error.line())));
        return;
    }
    spawn_local(async move {
        then(match api::design_check(text).await {
            Ok(DesignCheck::Read { design, .. }) => Ok(*design),
            Ok(DesignCheck::Unreadable { problem }) => Err(problem.to_string()),
            Err(error) => Err(error.to_string()),
        });
    });
}

/// The buttons over the drawing: undo, redo, save.
#[component]
pub fn Save(
    /// Whose.
    bench: Bench,
) -> impl IntoView {
    let can_undo = move || bench.history.with(|history| history.undo_words().map(str::to_owned));
    let can_redo = move || bench.history.with(|history| history.redo_words().map(str::to_owned));
    let label = RwSignal::new(String::new());
    let conflict = RwSignal::new(None::<SaveConflict>);
    let reference = move || bench.base.with(|base| base.origin == Origin::Reference);
    let navigate = use_navigate();
    let branch = Action::new(move |name: &String| {
        let (name, toml) = (name.clone(), bench.design.with_untracked(toml_of));
        let from =
            BranchPoint { design: bench.id.get_value(), version: bench.base.with_untracked(|base| base.version) };
        async move { api::design_create(DesignCreate { name, toml, branched_from: Some(from) }).await }
    });
    Effect::new(move |_| match branch.value().get() {
        Some(Ok(summary)) => {
            bench.saved(bench.base.with_untracked(|base| base.version));
            navigate(&paths::design(&summary.id), NavigateOptions::default());
        }
        Some(Err(error)) => bench.told.set(error.to_string()),
        None => {}
    });
    let save = Action::new(move |label: &String| {
        let save = DesignSave {
            id: bench.id.get_value(),
            toml: bench.design.with_untracked(toml_of),
            based_on_version: bench.base.with_untracked(|base| base.version),
            label: label.clone(),
            message: String::new(),
        };
        async move { api::design_save(save).await }
    });
    Effect::new(move |_| match save.value().get() {
        Some(Ok(DesignSaved::Saved { version })) => {
            bench.saved(version.version);
            label.set(String::new());
            bench.told.set(format!("Saved as version {}.", version.version));
        }
        Some(Ok(DesignSaved::Conflict { conflict: found })) => conflict.set(Some(*found)),
        Some(Err(error)) => bench.told.set(error.to_string()),
        None => {}
    });
    let name = move || bench.design.with(|design| design.name.clone());
    view! {
        {move || conflict.get().map(|found| view! { <Together bench found conflict/> })}
        <div class="doing" role="group" aria-label="Changes">
            <button disabled=move || can_undo().is_none() title=can_undo on:click=move |_| bench.undo()>"Undo"<span class="hidden">{move || can_undo().unwrap_or_default()}</span></button>
            <button disabled=move || can_redo().is_none() title=can_redo on:click=move |_| bench.redo()>"Redo"</button>
            {move || if reference() {
                view! {
                    <button class="primary" disabled=move || branch.pending().get() on:click=move |_| { branch.dispatch(format!("{} (mine)", name())); }>
                        "Save as my own"
                    </button>
                    <span class="soft">"A reference design stays as it is; your copy is yours to change."</span>
                }.into_any()
            } else {
                view! {
                    <label><span class="hidden">"Name of the version"</span>
                        <input type="text" placeholder="name this version" maxlength="120" prop:value=move || label.get() on:input:target=move |event| label.set(event.target().value())/>
                    </label>
                    <button class="primary" disabled=move || save.pending().get() || !bench.unsaved() on:click=move |_| { save.dispatch(label.get_untracked()); }>"Save a version"</button>
                    <button on:click=move |_| { branch.dispatch(format!("{} (branch)", name())); }>"Branch"</button>
                }.into_any()
            }}
            <span class="soft">{move || if bench.unsaved() { "unsaved changes, kept in this browser" } else { "" }}</span>
        </div>
    }
}

/// What someone else saved and what both began from, once they are read.
#[derive(Clone)]
struct Other {
    base: Design,
    theirs: Design,
}

/// Someone saved a version meanwhile: both changes, and what can be made of them. Nothing is saved before it is chosen.
#[component]
fn Together(bench: Bench, found: SaveConflict, conflict: RwSignal<Option<SaveConflict>>) -> impl IntoView {
    let newest = found.newest.version;
    let other = RwSignal::new(None::<Result<Other, String>>);
    let (base, theirs) = (found.base.clone(), found.theirs.clone());
    read(base, move |base| match base {
        Ok(base) => read(theirs, move |theirs| match theirs {
            Ok(theirs) => other.set(Some(Ok(Other { base, theirs }))),
            Err(why) => other.set(Some(Err(why))),
        }),
        Err(why) => other.set(Some(Err(why))),
    });
    let failed = move |why: String| {
        view! {
            <p>"The two can't be brought together here: " {why} ". Save yours as a branch: nothing of it is lost."</p>
            <p class="actions"><button on:click=move |_| conflict.set(None)>"Decide later"</button></p>
        }
        .into_any()
    };
    // What is kept becomes what the changes count from; then what was chosen is drawn. Mine is what is drawn by then: one may
    // have gone on while this was open.
    let take = move |prefer: Prefer, words: &'static str| {
        let Some(Ok(Other { base, theirs })) = other.get_untracked() else { return };
        match bench.design.with_untracked(|mine| together(&base, &theirs, mine, prefer)) {
            Ok((chosen, _)) => {
                bench.merged(newest, theirs, chosen, words);
                conflict.set(None);
            }
            Err(why) => bench.told.set(format!("The two changes together are no design: {why}.")),
        }
    };
    let said = move || {
        let Other { base, theirs } = match other.get() {
            None => return view! { <p class="soft">"Bringing the two together…"</p> }.into_any(),
            Some(Err(why)) => return failed(why),
            Some(Ok(other)) => other,
        };
        let disputed = match bench.design.with(|mine| together(&base, &theirs, mine, Prefer::Mine)) {
            Ok((_, disputed)) => disputed,
            Err(why) => return failed(why),
        };
        if disputed.is_empty() {
            return view! {
                <p>"Your changes and theirs touch different fields and go together."</p>
                <p class="actions"><button class="primary" on:click=move |_| take(Prefer::Mine, "Take both changes together")>"Take both"</button>
                    <button on:click=move |_| conflict.set(None)>"Decide later"</button></p>
            }.into_any();
        }
        let count = format::things(disputed.len() as u32, "field", "fields");
        let rows = disputed.into_iter().map(|one| view! {
            <tr><th scope="row">{one.place}</th><td>{or_dash(one.base)}</td><td>{or_dash(one.theirs)}</td><td>{or_dash(one.mine)}</td></tr>
        }).collect_view();
        view! {
            <p>"Both changed " {count} " in different ways. Everything else of both goes together, whichever you choose:"</p>
            <div class="scroll"><table>
                <thead><tr><th scope="col">"Field"</th><th scope="col">"Was"</th><th scope="col">"Theirs"</th><th scope="col">"Yours"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table></div>
            <p class="actions">
                <button on:click=move |_| take(Prefer::Mine, "Take both changes, mine where they differ")>"Keep mine there"</button>
                <button on:click=move |_| take(Prefer::Theirs, "Take both changes, theirs where they differ")>"Take theirs there"</button>
                <button on:click=move |_| conflict.set(None)>"Decide later"</button>
            </p>
        }.into_any()
    };
    view! {
        <div class="outcome error together" role="alert">
            <p><b>{format!("Someone saved version {newest} meanwhile.")}</b> " Nothing is lost, and nothing of yours is saved yet."</p>
            {said}
            <p class="soft">"Then save a version. Theirs stays among the versions whatever you choose; a branch keeps yours apart."</p>
        </div>
    }
}

/// Versions, differences, sharing and files.
#[component]
pub fn Record(
    /// Whose.
    bench: Bench,
) -> impl IntoView {
    view! {
        <section class="drawing" aria-labelledby="record">
            <h2 id="record" class="hidden">"Versions and files"</h2>
            <Versions bench/>
            <Differences bench/>
            <Share bench/>
            <super::parts::OwnParts bench/>
            <Files bench/>
        </section>
    }
}

/// Every version, and what may be compared with the design as drawn.
#[component]
fn Versions(bench: Bench) -> impl IntoView {
    let versions = browser::once_awake(move || {
        bench.base.track();
        let id = bench.id.get_value();
        async move { api::design_versions(id).await }
    });
    let open = move |version: u32| {
        spawn_local(async move {
            match api::design_at(bench.id.get_value(), version).await {
                Ok(detail) => match detail.design {
                    Some(design) => bench.apply(&format!("Go back to version {version}"), None, design),
                    None => bench.told.set(format!("Version {version} can't be read as a design.")),
                },
                Err(error) => bench.told.set(error.to_string()),
            }
        });
    };
    let row = move |version: DesignVersion| {
        let number = version.version;
        view! {
            <tr>
                <th scope="row">"Version " {number} " " <span class="soft">{version.label}</span></th>
                <td>{format::moment(version.created_ms)}</td>
                <td class="wide">{version.message}</td>
                <td><button on:click=move |_| open(number)>"Bring back"<span class="hidden">" version " {number}</span></button></td>
            </tr>
        }
    };
    view! {
        <h3>"Versions"</h3>
        {move || match versions.get() {
            None => view! { <p class="soft">"Loading the versions…"</p> }.into_any(),
            Some(Err(error)) => view! { <p class="why">{error.to_string()}</p> }.into_any(),
            Some(Ok(list)) => view! {
                <div class="scroll"><table>
                    <thead><tr><th scope="col">"Version"</th><th scope="col">"Saved"</th><th scope="col">"About"</th><th scope="col"><span class="hidden">"Bring back"</span></th></tr></thead>
                    <tbody>{list.into_iter().map(row).collect_view()}</tbody>
                </table></div>
            }.into_any(),
        }}
    }
}

/// What differs from the version that was opened: parts and figures.
#[component]
fn Differences(bench: Bench) -> impl IntoView {
    let found = move || {
        let (before, after) = (bench.base.with(|base| base.design.clone()), bench.design.get());
        changes(&before, &after)
    };
    let figures = move || {
        let catalog = bench.catalog.get()?;
        let before = bench.base.with(|base| answer(&base.design, &catalog)).evaluation;
        Some(bench.answer.with(|now| figures(&before, &now.evaluation)))
    };
    view! {
        <h3>{move || format!("What differs from version {}", bench.base.with(|base| base.version))}</h3>
        {move || {
            let found = found();
            if found.is_empty() {
                return view! { <p class="empty">"Nothing differs: the design stands as it was opened."</p> }.into_any();
            }
            let rows = found.into_iter().map(|change| view! {
                <tr><th scope="row">{change.place}</th><td class="wide">{or_dash(change.before)}</td><td class="wide">{or_dash(change.after)}</td></tr>
            }).collect_view();
            // Of a design that does not add up nothing is known: that is missing, not nothing.
            let shown = |value: f64, words: fn(f64) -> format::Figure| if value > 0.0 { words(value) } else { format::missing() };
            let figure_rows = figures().map(|figures| figures.into_iter().map(|figure| view! {
                <tr>
                    <th scope="row">{figure.name}</th>
                    <td class="num"><Number figure=shown(figure.before, figure.words)/></td>
                    <td class="num"><Number figure=shown(figure.after, figure.words)/></td>
                    <td class="num">{figure.share().map(format::relative_change)}</td>
                </tr>
            }).collect_view());
            view! {
                <div class="scroll"><table>
                    <caption>"Parts"</caption>
                    <thead><tr><th scope="col">"Where"</th><th scope="col">"Was"</th><th scope="col">"Is"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table></div>
                <div class="scroll"><table>
                    <caption>"Figures, everything busy"</caption>
                    <thead><tr><th scope="col">"Figure"</th><th scope="col" class="num">"Was"</th><th scope="col" class="num">"Is"</th><th scope="col" class="num">"Change"</th></tr></thead>
                    <tbody>{figure_rows}</tbody>
                </table></div>
            }.into_any()
        }}
    }
}

fn or_dash(words: String) -> String {
    if words.is_empty() { format::MISSING.to_owned() } else { words }
}

/// A link to just this state.
#[component]
fn Share(bench: Bench) -> impl IntoView {
    let link = RwSignal::new(None::<Result<String, ApiError>>);
    let make = move |_| {
        let toml = bench.design.with_untracked(toml_of);
        spawn_local(async move {
            let made = api::snapshot_save(toml).await;
            link.set(Some(made.map(|snapshot| {
                let path = bench.id.with_value(|id| paths::snapshot(id, &snapshot));
                let link = format!("{}{path}", browser::origin());
                browser::copy_text(&link);
                link
            })));
        });
    };
    view! {
        <h3>"Share"</h3>
        <p class="soft">"A link to the design just as it stands, unsaved changes and all. It never changes."</p>
        <p class="actions"><button on:click=make>"Make a link"</button></p>
        {move || link.get().map(|link| match link {
            Ok(link) => {
                let words = link.clone();
                view! { <p>"Copied: " <a href=link>{words}</a></p> }.into_any()
            }
            Err(error) => view! { <p class="why">{error.to_string()}</p> }.into_any(),
        })}
    }
}

/// TOML and JSON, out and in; the text itself.
#[component]
fn Files(bench: Bench) -> impl IntoView {
    let text = move || bench.design.with(toml_of);
    let name = move |ending: &str| format!("{}.{ending}", bench.id.with_value(ToString::to_string));
    let json = move || bench.design.with_untracked(|design| serde_json::to_string_pretty(design).unwrap_or_default());
    let take = move |file: String, text: Result<String, String>| match text {
        Ok(text) => read(text, move |found| match found {
            Ok(design) => bench.apply(&format!("Import {file}"), None, design),
            Err(why) => bench.told.set(format!("{file}: {why}")),
        }),
        Err(why) => bench.told.set(format!("{file}: {why}")),
    };
    let typed = RwSignal::new(None::<String>);
    let use_typed = move |_| {
        let Some(text) = typed.get_untracked() else { return };
        read(text, move |found| match found {
            Ok(design) => {
                typed.set(None);
                bench.apply("Change the text", None, design);
            }
            Err(why) => bench.told.set(format!("The text can't be read: {why}")),
        });
    };
    view! {
        <h3>"Files"</h3>
        <p class="actions">
            <button on:click=move |_| browser::download(&name("toml"), &bench.design.with_untracked(toml_of), "text/plain")>"Download TOML"</button>
            <button on:click=move |_| browser::download(&name("json"), &json(), "application/json")>"Download JSON"</button>
            <label class="file">"Import TOML or JSON "
                <input type="file" accept=".toml,.json,text/plain,application/json" on:change:target=move |event| browser::read_chosen(&event.target(), TEXT_BYTES_MAX as f64, take)/>
            </label>
        </p>
        <label class="text">"The design as TOML, to read or to change"
            <textarea rows="18" spellcheck="false" prop:value=move || typed.get().unwrap_or_else(text) on:input:target=move |event| typed.set(Some(event.target().value()))></textarea>
        </label>
        <p class="actions"><button disabled=move || typed.with(Option::is_none) on:click=use_typed>"Use this text"</button>
            <button disabled=move || typed.with(Option::is_none) on:click=move |_| typed.set(None)>"Leave it as it was"</button></p>
    }
}
