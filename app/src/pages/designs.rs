//! Which designs are there, how large are they, and who made them?

use crate::components::failure::Loaded;
use crate::components::figure::Number;
use crate::{api, format, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use model::id::DesignId;
use model::run::{DesignSummary, Origin};

/// All designs.
#[component]
pub fn DesignsPage() -> impl IntoView {
    let designs = Resource::new(|| (), |()| api::designs());
    view! {
        <Title text="Designs"/>
        <h1>"Designs"</h1>
        <p class="actions"><a class="button primary" href=paths::NEW>"New design"</a> <a href=paths::SWEEPS>"Sweeps over designs"</a></p>
        <Loaded resource=designs noun="the designs" show=table/>
        <Archived/>
    }
}

/// Puts a design away, and takes it out again.
#[component]
fn PutAway(id: DesignId) -> impl IntoView {
    let away = RwSignal::new(false);
    let act = Action::new(move |put: &bool| {
        let (id, put) = (id.clone(), *put);
        async move { if put { api::design_archive(id).await } else { api::design_restore(id).await }.map(|()| put) }
    });
    Effect::new(move |_| {
        if let Some(Ok(put)) = act.value().get() {
            away.set(put);
        }
    });
    let why = move || act.value().get().and_then(Result::err).map(|error| error.to_string());
    view! {
        {move || if away.get() {
            view! { <span class="soft">"Put away. "</span> <button on:click=move |_| { act.dispatch(false); }>"Take it out again"</button> }.into_any()
        } else {
            view! { <button title="It is listed no more; links and runs stay good" on:click=move |_| { act.dispatch(true); }>"Put away"</button> }.into_any()
        }}
        <span class="why" role="status">{why}</span>
    }
}

/// What was put away, once it is asked for.
#[component]
fn Archived() -> impl IntoView {
    let open = RwSignal::new(false);
    let list = crate::browser::once_awake(move || {
        let wanted = open.get();
        async move { if wanted { Some(api::designs_archived().await) } else { None } }
    });
    let rows = move || {
        let list = match list.get().flatten() {
            None => return view! { <p class="soft">"Loading what was put away…"</p> }.into_any(),
            Some(Err(error)) => return view! { <p class="why">{error.to_string()}</p> }.into_any(),
            Some(Ok(list)) if list.is_empty() => {
                return view! { <p class="empty">"Nothing was put away."</p> }.into_any();
            }
            Some(Ok(list)) => list,
        };
        list.into_iter().map(|design| view! { <ArchivedLine design/> }).collect_view().into_any()
    };
    view! {
        <details on:toggle=move |_| open.update(|open| *open = !*open)><summary>"Designs that were put away"</summary><ul class="lines">{rows}</ul></details>
    }
}

/// A design that was put away, and the way back.
#[component]
fn ArchivedLine(design: DesignSummary) -> impl IntoView {
    let id = design.id.clone();
    let out = Action::new(move |(): &()| api::design_restore(id.clone()));
    let said = move || match out.value().get() {
        Some(Ok(())) => "In use again.".to_owned(),
        Some(Err(error)) => error.to_string(),
        None => String::new(),
    };
    view! {
        <li class="line"><a class="name" href=paths::design(&design.id)>{design.name}</a>
            <span><button on:click=move |_| { out.dispatch(()); }>"Take it out again"</button> <span class="soft" role="status">{said}</span></span></li>
    }
}

fn table(designs: Vec<DesignSummary>) -> AnyView {
    if designs.is_empty() {
        return view! {
            <p class="empty">"There is no design yet. Start the server with its reference designs, or store one with the command line."</p>
        }
        .into_any();
    }
    let rows = designs.into_iter().map(|design| {
        view! {
            <tr>
                <th scope="row" class="wide">
                    <a href=paths::design(&design.id)>{design.name}</a>
                    <span class="soft description">{design.description}</span>
                </th>
                <td>{design.location}</td>
                <td class="num"><Number figure=format::megawatts(design.contract_power_mw)/></td>
                <td class="num">{size(design.racks)}</td>
                <td class="num">{size(design.gpus)}</td>
                <td>{origin(design.origin)} " " <span class="soft">"version " {design.version}</span></td>
                <td class="buttons">{(design.origin == Origin::Own).then(|| view! { <PutAway id=design.id.clone()/> })}</td>
            </tr>
        }
    });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Designs">
            <table>
                <caption>"Power is what the utility contract allows. Racks and GPUs are missing where a design can't be built as drawn."</caption>
                <thead>
                    <tr>
                        <th scope="col">"Design"</th><th scope="col">"Place"</th><th scope="col" class="num">"Contract"</th>
                        <th scope="col" class="num">"Racks"</th><th scope="col" class="num">"GPUs"</th><th scope="col">"Origin"</th><th scope="col"><span class="hidden">"Put away"</span></th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn size(count: u32) -> String {
    if count == 0 { format::MISSING.to_owned() } else { format::count(count).to_string() }
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Reference => "Reference",
        Origin::Own => "Own",
    }
}
