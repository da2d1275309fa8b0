//! How many tokens does this facility make of a megawatt, where does the rest go, what limits it, and what should be done
//! next? One column, to be read and printed.

use crate::api::{self, ApiError};
use crate::browser;
use crate::components::chart::Chart;
use crate::components::failure::{Extent, Failure, Loaded};
use crate::components::figure::Number;
use crate::findings::{self, Usual};
use crate::{format, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::id::RunId;
use model::report::{Improvement, Report};
use model::run::{RunDetail, RunSummary};

/// Improvements that a report names: more is a list, not advice.
const IMPROVEMENTS_SHOWN: usize = 3;

/// The executive's page of one run.
#[component]
pub fn ReportPage() -> impl IntoView {
    let params = use_params_map();
    let run = Resource::new(
        move || params.read().get("id").unwrap_or_default(),
        |id| async move {
            let id: RunId = id.parse().map_err(|_| ApiError::NotFound { what: format!("report \"{id}\"") })?;
            api::run(id).await
        },
    );
    view! { <Loaded resource=run noun="this report" extent=Extent::Page show=page/> }
}

fn page(run: RunDetail) -> AnyView {
    if let Some(report) = run.report {
        return view! { <Paper summary=run.summary report/> }.into_any();
    }
    let error = ApiError::Invalid { reason: "The run is not done, so there is no report yet.".into() };
    view! { <Failure error noun="this report" extent=Extent::Page/> }.into_any()
}

#[component]
fn Paper(summary: RunSummary, report: Report) -> impl IntoView {
    let title = findings::flow(&report);
    let svg = chart::energy_flow(
        &report.flows,
        &title,
        |mwh| format::megawatt_hours(mwh).to_string(),
        |share| format::percent(share).to_string(),
    );
    let flow_rows = report.flows.clone().into_iter().map(|flow| view! {
        <tr><th scope="row">{flow.from}</th><td>{flow.to}</td><td class="num"><Number figure=format::megawatt_hours(flow.mwh)/></td></tr>
    }).collect_view();
    let (units, facts) = (crate::components::workshop::units(), report.clone());
    let csv = paths::report_file(&summary.id, "csv");
    let xlsx = paths::report_file(&summary.id, "xlsx");
    view! {
        <Title text=format!("Report of {}", summary.design_name)/>
        <article class="paper">
            <p class="crumbs"><a href=paths::run(&summary.id)>"The run in full"</a></p>
            <p class="soft">"Tokens per megawatt · " {format::moment(summary.created_ms)}</p>
            <h1>{findings::headline(&report)}</h1>
            <p class="lead">{move || findings::facts(&facts, units.get())}</p>
            <p class="actions">
                <button on:click=move |_| browser::print()>"Print"</button>
                <a href=xlsx download>"Workbook (XLSX)"</a> <a href=csv download>"Figures (CSV)"</a>
            </p>
            <Three report=report.clone()/>
            <Chart title svg>
                <table><caption>"Each band of the picture"</caption>
                    <thead><tr><th scope="col">"From"</th><th scope="col">"To"</th><th scope="col" class="num">"Energy"</th></tr></thead>
                    <tbody>{flow_rows}</tbody></table>
            </Chart>
            <Losses report=report.clone()/>
            <section aria-labelledby="limits"><h2 id="limits">"What limits it"</h2>
                <ul class="plain">{findings::limits(&report).into_iter().map(|words| view! { <li>{words}</li> }).collect_view()}</ul></section>
            <Next improvements=report.improvements.clone()/>
            <BusinessAsUsual report=report.clone()/>
            <crate::components::report::Grounds report/>
        </article>
    }
}

/// The three numbers.
#[component]
fn Three(report: Report) -> impl IntoView {
    let band = format::band(&report.tokens_per_second_per_mw_facility_band);
    let cost_band = format::band(&report.cost_per_million_tokens_usd_band);
    view! {
        <dl class="three">
            <div><dt>"Output tokens per second for each megawatt at the meter"</dt><dd class="tokens"><Number figure=format::tokens_per_megawatt(report.tokens_per_second_per_mw_facility)/></dd><dd class="soft">{band} ", mean over the year"</dd></div>
            <div><dt>"Cost of a million output tokens, all costs"</dt><dd class="money"><Number figure=format::price_per_million(report.cost_per_million_tokens_usd)/></dd><dd class="soft">{cost_band}</dd></div>
            <div><dt>"Of each megawatt-hour at the meter, into GPU boards"</dt><dd class="power"><Number figure=format::or_missing(findings::share(report.gpu_energy_mwh, report.facility_energy_mwh), format::percent)/></dd><dd class="soft">"PUE " {format::quotient(report.pue).to_string()}</dd></div>
        </dl>
    }
}

/// From the utility to tokens, line by line, in megawatts of the mean.
#[component]
fn Losses(report: Report) -> impl IntoView {
    let hours = findings::HOURS_OF_THE_YEAR;
    let rows = findings::energy_rows(&report)
        .into_iter()
        .map(|row| {
            view! {
                <tr class=row.step.class()>
                    <th scope="row">{row.name}</th>
                    <td class="num">{row.step.sign()} <Number figure=format::megawatts(row.mwh / hours)/></td>
                    <td class="num"><Number figure=format::or_missing(row.share, format::percent)/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="losses"><h2 id="losses">"Where each megawatt goes"</h2>
            <div class="scroll"><table>
                <thead><tr><th scope="col">"From the utility to the tokens"</th><th scope="col" class="num">"Mean over the year"</th><th scope="col" class="num">"Of the meter"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table></div></section>
    }
}

/// What to do next, and what it is worth.
#[component]
fn Next(improvements: Vec<Improvement>) -> impl IntoView {
    if improvements.is_empty() {
        return view! { <section aria-labelledby="next"><h2 id="next">"What to do next"</h2><p class="soft">"None of the changes tried would gain tokens, power or money."</p></section> }.into_any();
    }
    let items = improvements
        .into_iter()
        .take(IMPROVEMENTS_SHOWN)
        .map(|each| {
            view! {
                <li>
                    <p class="name">{each.name.clone()}</p>
                    <p>{findings::worth(&each)}</p>
                    <p class="soft">"Mind: " {each.caveat} "."</p>
                </li>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="next"><h2 id="next">"What to do next"</h2>
            <ol class="next">{items}</ol>
            <p class="soft">"Each alone, for the same year. Dollars are revenue less all costs with every token sold at the model's list price (its row in the "<a href=paths::catalog_list("model")>"catalog"</a>" names price and source): the best case."</p>
        </section>
    }
    .into_any()
}

/// The same racks in a facility as they are usually built.
#[component]
fn BusinessAsUsual(report: Report) -> impl IntoView {
    let usual = Usual::of(&report);
    let row = |name: &'static str, here: format::Figure, there: format::Figure, share: Option<f64>| {
        view! {
            <tr><th scope="row">{name}</th><td class="num"><Number figure=here/></td><td class="num"><Number figure=there/></td><td class="num">{share.map(format::relative_change)}</td></tr>
        }
    };
    view! {
        <section aria-labelledby="usual"><h2 id="usual">"Beside business as usual"</h2>
            <div class="scroll"><table>
                <caption>"The same racks at the same work in a facility of the industry's average PUE, 1.50 (published averages run from 1.45 to 1.55)."</caption>
                <thead><tr><th scope="col">"Figure"</th><th scope="col" class="num">"This design"</th><th scope="col" class="num">"Usual"</th><th scope="col" class="num">"Difference"</th></tr></thead>
                <tbody>
                    {row("Tokens per facility megawatt", format::tokens_per_megawatt(report.tokens_per_second_per_mw_facility), format::tokens_per_megawatt(usual.tokens_per_mw), findings::share(report.tokens_per_second_per_mw_facility - usual.tokens_per_mw, usual.tokens_per_mw))}
                    {row("Energy at the meter", format::megawatt_hours(report.facility_energy_mwh), format::megawatt_hours(usual.energy_mwh), findings::share(report.facility_energy_mwh - usual.energy_mwh, usual.energy_mwh))}
                    {row("Energy and demand charges", format::money(report.money.energy_usd + report.money.demand_charge_usd), format::money(usual.electricity_usd), findings::share(report.money.energy_usd + report.money.demand_charge_usd - usual.electricity_usd, usual.electricity_usd))}
                    {row("Carbon", format::carbon(report.carbon_t), format::carbon(usual.carbon_t), findings::share(report.carbon_t - usual.carbon_t, usual.carbon_t))}
                </tbody>
            </table></div></section>
    }
}
