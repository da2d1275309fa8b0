//! I have a site, some megawatts and a model to serve: what would a first design look like?

use crate::components::figure::Number;
use crate::components::workshop::inspector::options;
use crate::components::workshop::record::toml_of;
use crate::workshop::answer::answer;
use crate::workshop::field::Choice;
use crate::{api, browser, format, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use model::catalog::Catalog;
use model::design::{Design, Precision};
use model::id::DesignId;
use model::quantity::Power;
use model::run::{DesignSummary, Origin};
use model::version::{BranchPoint, DesignCreate};
use sim::mend::{Brief, draft};
use std::sync::Arc;

/// Least and most megawatts of a guided design: a rack, and ten times the largest reference.
const MEGAWATTS: (f64, f64) = (0.1, 5_000.0);

/// What a template is: which reference design, and it.
type Template = (DesignId, u32, Arc<Design>);

/// The guided start: a form on the left, what it comes to on the right, both at once.
#[expect(clippy::too_many_lines, reason = "what is asked, what is drawn of it and the form stand together")]
#[component]
pub fn NewPage() -> impl IntoView {
    let catalog = browser::once_awake(api::catalog);
    let designs = browser::once_awake(api::designs);
    let (name, place, megawatts, model, kind) = (
        RwSignal::new("My facility".to_owned()),
        RwSignal::new("phoenix-az".to_owned()),
        RwSignal::new(20.0_f64),
        RwSignal::new("llama-3.1-70b".to_owned()),
        RwSignal::new(String::new()),
    );
    let references = move || {
        let list = designs.get().and_then(Result::ok).unwrap_or_default();
        list.into_iter().filter(|design| design.origin == Origin::Reference && design.gpus > 0).collect::<Vec<_>>()
    };
    let chosen = Memo::new(move |_| {
        let list = references();
        let asked = kind.get();
        list.iter()
            .find(|design| design.id.as_str() == asked)
            .or_else(|| nearest(&list, megawatts.get()))
            .map(|d| (d.id.clone(), d.version))
    });
    let template = browser::once_awake(move || {
        let chosen = chosen.get();
        async move {
            let (id, version) = chosen?;
            let design = api::design(id.clone()).await.ok()?.design?;
            Some((id, version, Arc::new(design)))
        }
    });
    let drawn = Memo::new(move |_| {
        let catalog: Catalog = catalog.get()?.ok()?;
        let (id, version, design): Template = template.get()??;
        let brief = Brief {
            name: name.get(),
            location: place.get().parse().ok()?,
            contract: Power::from_megawatts(megawatts.get()),
            model: model.get().parse().ok()?,
        };
        let drawn = draft(&design, &brief, &catalog);
        Some((id, version, drawn.clone(), answer(&drawn, &catalog).evaluation))
    });
    let navigate = use_navigate();
    let create = Action::new(move |(): &()| {
        let drawn = drawn.get_untracked();
        async move {
            let Some((design, version, drawn, _)) = drawn else {
                return Err(api::ApiError::Invalid { reason: "There is nothing drawn yet.".into() });
            };
            let branched_from = Some(BranchPoint { design, version });
            api::design_create(DesignCreate { name: drawn.name.clone(), toml: toml_of(&drawn), branched_from }).await
        }
    });
    Effect::new(move |_| {
        if let Some(Ok(summary)) = create.value().get() {
            navigate(&paths::design(&summary.id), NavigateOptions::default());
        }
    });
    let refused = move || create.value().get().and_then(Result::err).map(|error| error.to_string());
    let named = move |of: fn(&Catalog) -> Vec<(String, String)>| {
        let rows = catalog.get().and_then(Result::ok).map(|catalog| of(&catalog)).unwrap_or_default();
        rows.into_iter().map(|(value, label)| Choice { value, label, impossible: None }).collect::<Vec<_>>()
    };
    let kinds = move || {
        let list = references();
        let found = nearest(&list, megawatts.get()).map_or_else(String::new, |design| format!(": {}", design.name));
        let automatic = Choice { value: String::new(), label: format!("nearest in size{found}"), impossible: None };
        let list =
            references().into_iter().map(|d| Choice { value: d.id.to_string(), label: d.name, impossible: None });
        std::iter::once(automatic).chain(list).collect::<Vec<_>>()
    };
    // What can't be is said, and nothing is drawn of it; what was typed stays.
    let wrong = RwSignal::new(None::<String>);
    let set_power = move |typed: String| match typed.trim().parse::<f64>() {
        Ok(mw) if (MEGAWATTS.0..=MEGAWATTS.1).contains(&mw) => {
            wrong.set(None);
            megawatts.set(mw);
        }
        Ok(_) | Err(_) => wrong.set(Some(format!("The contract must be {} to {} MW.", MEGAWATTS.0, MEGAWATTS.1))),
    };
    view! {
        <Title text="New design"/>
        <p class="crumbs"><a href=paths::DESIGNS>"Designs"</a></p>
        <h1>"A first design"</h1>
        <p class="lead">"Say where, how much power, and what it serves. A proven design is moved there, scaled and mended until it holds; everything can be changed afterwards."</p>
        <div class="guided">
            <form on:submit=move |event| { event.prevent_default(); create.dispatch(()); }>
                <div class="field"><label for="new-name">"Name"</label><span class="control">
                    <input id="new-name" type="text" maxlength="80" required prop:value=move || name.get() on:input:target=move |event| name.set(event.target().value())/></span></div>
                <div class="field"><label for="new-place">"Site"</label><span class="control">
                    <select id="new-place" on:change:target=move |event| place.set(event.target().value())>
                        {move || options(named(|c| c.locations.iter().map(|row| (row.id.to_string(), row.name.clone())).collect()), &place.get())}
                    </select></span></div>
                <div class="field"><label for="new-power">"Utility contract"</label><span class="control">
                    <input id="new-power" type="number" min=MEGAWATTS.0 max=MEGAWATTS.1 step="any" required prop:value=move || megawatts.get()
                        aria-invalid=move || wrong.with(Option::is_some).to_string()
                        on:input:target=move |event| set_power(event.target().value())/>
                    <span class="unit">"MW"</span></span><p class="why" role="alert">{move || wrong.get()}</p></div>
                <div class="field"><label for="new-model">"Serving"</label><span class="control">
                    <select id="new-model" on:change:target=move |event| model.set(event.target().value())>
                        {move || options(named(|c| c.models.iter().map(|row| (row.id.to_string(), row.name.clone())).collect()), &model.get())}
                    </select></span></div>
                <div class="field"><label for="new-kind">"Drawn from"</label><span class="control">
                    <select id="new-kind" on:change:target=move |event| kind.set(event.target().value())>{move || options(kinds(), &kind.get())}</select></span></div>
                <p class="actions"><button class="primary" type="submit" disabled=move || drawn.with(Option::is_none) || wrong.with(Option::is_some) || create.pending().get()>"Create and open"</button>
                    <span class="why" role="status">{refused}</span></p>
            </form>
            <section aria-labelledby="comes-to">
                <h2 id="comes-to">"What it comes to"</h2>
                {move || if wrong.with(Option::is_some) {
                    view! { <p class="empty">"Nothing is drawn: the form says what can't be."</p> }.into_any()
                } else { match drawn.get() {
                    None => view! { <p class="empty">"Drawing it: the catalog and the proven design are being loaded…"</p> }.into_any(),
                    Some((_, _, design, found)) => preview(&design, &found, &catalog.get().and_then(Result::ok).unwrap_or_default()),
                }}}
            </section>
        </div>
    }
}

/// The reference whose contract is nearest, as a factor.
fn nearest(list: &[DesignSummary], megawatts: f64) -> Option<&DesignSummary> {
    let apart = |design: &DesignSummary| (design.contract_power_mw / megawatts).ln().abs();
    list.iter().min_by(|a, b| apart(a).total_cmp(&apart(b)))
}

/// Which racks and which service it is, in a sentence: templates differ in more than size.
fn made_of(design: &Design, catalog: &Catalog) -> String {
    let groups = design.halls.iter().flat_map(|hall| {
        hall.rows
            .iter()
            .flat_map(move |row| row.racks.iter().map(move |group| (hall.count * row.count * group.count, group)))
    });
    let compute = groups.filter(|(_, group)| {
        catalog.rack(&group.part).is_some_and(|rack| {
            group.all_trays(rack).any(|(part, _)| catalog.tray(part).is_some_and(|tray| tray.gpu_count > 0))
        })
    });
    let racks: Vec<String> = compute
        .map(|(count, group)| {
            let rack = catalog.rack(&group.part).map_or_else(|| group.part.to_string(), |rack| rack.name.clone());
            let trays = group.trays.iter().filter_map(|item| catalog.tray(&item.part)).map(|tray| tray.name.clone());
            let inside: Vec<String> = trays.collect();
            let inside = if inside.is_empty() { String::new() } else { format!(" with {}", inside.join(", ")) };
            format!("{} × {rack}{inside}", format::count(count))
        })
        .collect();
    let precision = match design.service.precision {
        Precision::Bf16 => "16-bit",
        Precision::Fp8 => "8-bit",
        Precision::Fp4 => "4-bit",
        Precision::Int4 => "4-bit weights",
    };
    format!(
        "{}; served in {precision}, at most {:.0} ms between tokens.",
        racks.join(", "),
        design.service.tpot.as_seconds() * 1e3
    )
}

fn preview(design: &Design, found: &model::report::Evaluation, catalog: &Catalog) -> AnyView {
    let banded = found.tokens_per_second_per_mw_facility;
    let halls: u32 = design.halls.iter().map(|hall| hall.count).sum();
    view! {
        <dl class="kpis">
            <div class="kpi"><dt>"Tokens per facility megawatt"</dt><dd><Number figure=format::tokens_per_megawatt(banded.value)/> " " <span class="band">{format::band(&banded)}</span></dd></div>
            <div class="kpi"><dt>"Output, everything busy"</dt><dd><Number figure=format::token_rate(found.output_tokens_per_s)/></dd></div>
            <div class="kpi"><dt>"Hottest hour"</dt><dd><Number figure=format::megawatts(found.peak_power_mw)/></dd></div>
            <div class="kpi"><dt>"Racks, GPUs"</dt><dd>{format::count(found.racks).to_string()} ", " {format::count(found.gpus).to_string()}</dd></div>
            <div class="kpi"><dt>"Halls"</dt><dd>{format::count(halls).to_string()}</dd></div>
            <div class="kpi"><dt>"PUE"</dt><dd><Number figure=format::quotient(found.pue)/></dd></div>
            <div class="kpi"><dt>"To build"</dt><dd><Number figure=format::money(found.capex_usd)/></dd></div>
        </dl>
        <p class="soft">{made_of(design, catalog)}</p>
        <crate::components::notes::Notes notes=found.notes.clone()/>
    }
    .into_any()
}
