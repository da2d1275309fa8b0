//! How many tokens does a megawatt make in this year, and where did every megawatt go? While it runs: how long still?

use crate::api::{self, ApiError};
use crate::components::failure::{Extent, Failure, Loaded};
use crate::components::notes::Notes;
use crate::components::plant::{PowerTree, ServingTable, StrandedTable};
use crate::components::progress::Progress;
use crate::components::report::{CoolingHours, EnergyFlow, Grounds, Headline, MoneyTable, YearCharts};
use crate::components::run_year::RunYear;
use crate::components::workshop::year::Improvements;
use crate::{format, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::id::RunId;
use model::report::Report;
use model::run::{RunDetail, RunState, RunSummary};

/// One run.
#[component]
pub fn RunPage() -> impl IntoView {
    let params = use_params_map();
    let run = Resource::new(
        move || params.read().get("id").unwrap_or_default(),
        |id| async move {
            let id: RunId = id.parse().map_err(|_| ApiError::NotFound { what: format!("run \"{id}\"") })?;
            api::run(id).await
        },
    );
    let reload = Callback::new(move |()| run.refetch());
    view! { <Loaded resource=run noun="this run" extent=Extent::Page show=move |detail| page(detail, reload)/> }
}

fn page(run: RunDetail, reload: Callback<()>) -> AnyView {
    let RunDetail { summary, report, .. } = run;
    let body = match (summary.state.clone(), report) {
        (RunState::Done, Some(report)) => year(&summary, report),
        (RunState::Done, None) => {
            let error = ApiError::Internal { reason: "The run is done, but its report is not kept.".into() };
            view! { <Failure error noun="the report" retry=reload/> }.into_any()
        }
        (RunState::Queued | RunState::Running { .. }, _) => view! { <Progress run=summary.clone() reload/> }.into_any(),
        (RunState::Cancelled, _) => stopped(&summary, "This run was cancelled, so it has no report.".into()),
        (RunState::Failed { reason }, _) => stopped(&summary, format!("The run failed: {reason}")),
    };
    view! {
        <Title text=format!("Run of {}", summary.design_name)/>
        <p class="crumbs"><a href=paths::RUNS>"Runs"</a></p>
        <h1>"A year of " {summary.design_name.clone()}</h1>
        <p class="soft">
            <a href=paths::design(&summary.design)>"Version " {summary.version} " of the design"</a>
            " · asked for on " {format::moment(summary.created_ms)}
        </p>
        {body}
    }
    .into_any()
}

/// A run without a report, and what to do next.
fn stopped(run: &RunSummary, why: String) -> AnyView {
    view! {
        <section class="failure">
            <h2>"No report"</h2>
            <p>{why}</p>
            <p class="soft">"Run it again, or look at the design's notes first."</p>
            <RunYear design=run.design.clone() name=run.design_name.clone() blocked=None/>
        </section>
    }
    .into_any()
}

/// The report: the answer, where the energy went, the year, then the rest.
fn year(run: &RunSummary, report: Report) -> AnyView {
    view! {
        <p class="actions">
            <a href=paths::report(&run.id)>"Report to print"</a> <a href=paths::compare(std::slice::from_ref(&run.id))>"Compare"</a>
            <a href=paths::report_file(&run.id, "xlsx") download>"Workbook (XLSX)"</a> <a href=paths::report_file(&run.id, "csv") download>"Figures (CSV)"</a>
        </p>
        <Headline report=report.clone()/>
        <EnergyFlow report=report.clone()/>
        <YearCharts report=report.clone()/>
        <section aria-labelledby="notes">
            <h2 id="notes">"Notes"</h2>
            <Notes notes=report.notes.clone()/>
        </section>
        <section aria-labelledby="stranded">
            <h2 id="stranded">"Stranded power"</h2>
            <StrandedTable stranded=report.stranded_power_mw/>
        </section>
        <CoolingHours report=report.clone()/>
        <MoneyTable report=report.clone()/>
        <section aria-label="Improvements"><Improvements improvements=report.improvements.clone()/></section>
        <section aria-labelledby="serving">
            <h2 id="serving">"How it serves"</h2>
            <ServingTable points=report.serving.clone()/>
        </section>
        <section aria-labelledby="tree">
            <h2 id="tree">"Power tree"</h2>
            <PowerTree nodes=report.power_tree.clone()/>
        </section>
        <Grounds report/>
    }
    .into_any()
}
