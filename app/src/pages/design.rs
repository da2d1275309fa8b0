//! What does this design draw, need, cost and produce, what is wrong with it, and what would a year of it bring?

use crate::api::{self, ApiError};
use crate::components::failure::{Extent, Loaded};
use crate::components::figure::{Band, Kpi, Meter, Number};
use crate::components::instant::InstantYear;
use crate::components::notes::Notes;
use crate::components::plant::{PowerTree, ServingTable, StrandedTable};
use crate::components::run_year::RunYear;
use crate::{findings, format, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::id::DesignId;
use model::note::Severity;
use model::report::Evaluation;
use model::run::DesignDetail;

/// One design.
#[component]
pub fn DesignPage() -> impl IntoView {
    let params = use_params_map();
    let design = Resource::new(
        move || params.read().get("id").unwrap_or_default(),
        |id| async move {
            let id: DesignId = id.parse().map_err(|_| ApiError::NotFound { what: format!("design \"{id}\"") })?;
            api::design(id).await
        },
    );
    view! { <Loaded resource=design noun="this design" extent=Extent::Page show=page/> }
}

fn page(design: DesignDetail) -> AnyView {
    let DesignDetail { summary, toml, evaluation, .. } = design;
    let blocked = blocked(&evaluation);
    let instant = blocked.is_none().then(|| view! { <InstantYear design=summary.id.clone()/> });
    view! {
        <Title text=summary.name.clone()/>
        <p class="crumbs"><a href=paths::DESIGNS>"Designs"</a></p>
        <h1>{summary.name.clone()}</h1>
        <p class="lead">{summary.description.clone()}</p>
        <p class="soft">{summary.location.clone()} " · version " {summary.version}</p>
        <RunYear design=summary.id.clone() name=summary.name.clone() blocked/>
        <Size evaluation=evaluation.clone()/>
        <section aria-labelledby="notes">
            <h2 id="notes">"Notes"</h2>
            <Notes notes=evaluation.notes/>
        </section>
        {instant}
        <section aria-labelledby="serving">
            <h2 id="serving">"How it serves"</h2>
            <ServingTable points=evaluation.serving/>
        </section>
        <section aria-labelledby="tree">
            <h2 id="tree">"Power tree, everything busy on the hottest hour"</h2>
            <PowerTree nodes=evaluation.power_tree/>
        </section>
        <section aria-labelledby="stranded">
            <h2 id="stranded">"Stranded power"</h2>
            <StrandedTable stranded=evaluation.stranded_power_mw/>
        </section>
        <details class="source">
            <summary>"The design as TOML"</summary>
            <pre tabindex="0"><code>{toml}</code></pre>
        </details>
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

/// The bar of figures: everything busy, mean weather.
#[component]
fn Size(evaluation: Evaluation) -> impl IntoView {
    let banded = evaluation.tokens_per_second_per_mw_facility;
    let contract = format::megawatts(evaluation.contract_power_mw);
    let used = findings::contract_used(&evaluation);
    view! {
        <section aria-labelledby="size">
            <h2 id="size">"Everything busy"</h2>
            <p class="soft">"Every GPU at full work, serving " {evaluation.model}"."</p>
            <dl class="kpis">
                <Kpi label="Power" detail=format!("of {contract} contract, on the hottest hour")>
                    <Number figure=format::megawatts(evaluation.peak_power_mw)/>
                    <Meter share=used/>
                </Kpi>
                <Kpi label="Racks" detail="of all kinds">
                    <Number figure=format::count(evaluation.racks)/>
                </Kpi>
                <Kpi label="GPUs" detail=format!("{} into their boards", format::megawatts(evaluation.gpu_power_mw))>
                    <Number figure=format::count(evaluation.gpus)/>
                </Kpi>
                <Kpi label="Output" detail="output tokens, everything busy">
                    <Number figure=format::token_rate(evaluation.output_tokens_per_s)/>
                </Kpi>
                <Kpi label="Tokens per megawatt" detail="output, for each MW at the utility meter, mean weather">
                    <Band banded figure=format::tokens_per_megawatt(banded.value) ends=format::tokens_per_megawatt/>
                </Kpi>
                <Kpi label="PUE" detail="facility over IT power, mean weather">
                    <Number figure=format::quotient(evaluation.pue)/>
                </Kpi>
                <Kpi label="To build" detail="parts, plant and shell">
                    <Number figure=format::money(evaluation.capex_usd)/>
                </Kpi>
            </dl>
        </section>
    }
}
