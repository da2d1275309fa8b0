//! How many tokens did the fleet make of a megawatt in this day or month, beside the plan and the time before? One column, to
//! be read and printed.

use crate::api::{self, ApiError};
use crate::components::chart::Chart;
use crate::components::failure::{Extent, Loaded};
use crate::components::figure::Number;
use crate::format::{self, Figure};
use crate::made;
use crate::period::Period;
use crate::{browser, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::fleet::{FleetReport, FleetReportRow};

/// A report, and until when there can be one.
type Found = (FleetReport, i64);

/// A day or a month of the fleet.
#[component]
pub fn FleetReportPage() -> impl IntoView {
    let params = use_params_map();
    let found = Resource::new(
        move || params.read().get("period").unwrap_or_default(),
        |text| async move {
            let now_ms = browser::wall_ms();
            let period = Period::read(&text, now_ms).ok_or_else(|| ApiError::Invalid {
                reason: format!("“{text}” is neither a day such as 2026-11-27 nor a month such as 2026-11."),
            })?;
            Ok::<Found, ApiError>((api::fleet_report(period.to_string()).await?, now_ms))
        },
    );
    view! { <Loaded resource=found noun="this report of the fleet" extent=Extent::Page show=page/> }
}

fn page((report, now_ms): Found) -> AnyView {
    let Some(period) = Period::read(&report.period, now_ms) else { return ().into_any() };
    let csv = paths::fleet_report_csv(&report.period);
    let plan = report.plan.clone().map(|plan| {
        view! {
            "Compared with " <a href=paths::design(&plan.design)>{plan.name.clone()} ", version " {plan.version}</a> "."
        }
    });
    let no_plan = report
        .plan
        .is_none()
        .then(|| view! { "Compared with no design: " <a href=paths::BINDING>"bind the fleet to one"</a> "." });
    view! {
        <Title text=format!("The fleet in {}", period.words())/>
        <article class="paper">
            <p class="crumbs"><a href=paths::FLEET>"Fleet"</a></p>
            <p class="soft">"Tokens per megawatt · " {period.words()} ", UTC"</p>
            <h1>{made::headline(&report, period, now_ms)}</h1>
            <p class="lead">{made::lead(&report)}</p>
            <Around period now_ms csv/>
            <Three report=report.clone() period/>
            <Picture report=report.clone() period/>
            <Rows report=report.clone() period/>
            <section aria-labelledby="grounds"><h2 id="grounds">"What this rests on"</h2>
                <ul class="plain">
                    {report.remarks.into_iter().map(|words| view! { <li>{words}</li> }).collect_view()}
                    <li>{made::covered(&report.total)}</li>
                    <li>{plan}{no_plan}</li>
                </ul>
            </section>
        </article>
    }
    .into_any()
}

/// Other periods, the file, the printer.
#[component]
fn Around(period: Period, now_ms: i64, csv: String) -> impl IntoView {
    let (previous, next) = (period.previous(), period.next());
    let there = next.start_ms() <= now_ms;
    view! {
        <nav class="actions" aria-label="Other periods">
            <a rel="prev" href=paths::fleet_report(&previous.to_string())>"← " {previous.words()}</a>
            {there.then(|| view! { <a rel="next" href=paths::fleet_report(&next.to_string())>{next.words()} " →"</a> })}
            {(!there).then(|| view! { <span class="soft">{next.words()} " has not begun yet"</span> })}
            {period.month().map(|month| view! { <a href=paths::fleet_report(&month.to_string())>"All of " {month.words()}</a> })}
        </nav>
        <p class="actions">
            <button on:click=move |_| browser::print()>"Print"</button>
            <a href=csv download rel="external">"Figures (CSV)"</a>
        </p>
    }
}

/// The three numbers.
#[component]
fn Three(report: FleetReport, period: Period) -> impl IntoView {
    let (total, boundary) = (&report.total, made::boundary(&report.total));
    let before = |of: fn(&FleetReportRow) -> Option<f64>| {
        let share = made::change(of(total), report.previous.as_ref().and_then(of));
        match share.map(format::relative_change) {
            Some(same) if same.is_empty() => format!("as {}", period.before()),
            Some(change) => format!("{change} on {}", period.before()),
            None => format!("nothing to compare with in {}", period.before()),
        }
    };
    let why = |value: Option<f64>, missing: &str| if value.is_some() { String::new() } else { format!("{missing} ") };
    view! {
        <dl class="three">
            <div><dt>"Output tokens per second for each megawatt " {made::at(boundary)}</dt>
                <dd class="tokens"><Number figure=format::or_missing(total.tokens_per_s_per_mw, format::tokens_per_megawatt)/></dd>
                <dd class="soft">{why(total.tokens_per_s_per_mw, "tokens or power were not read;")} {before(|row| row.tokens_per_s_per_mw)}</dd></div>
            <div><dt>"Output tokens made"</dt>
                <dd class="tokens"><Number figure=format::or_missing(total.output_tokens, format::tokens)/></dd>
                <dd class="soft">{why(total.output_tokens, "no serving engine was read;")} {before(|row| row.output_tokens)}</dd></div>
            <div><dt>"Energy " {made::at(boundary)}</dt>
                <dd class="power"><Number figure=format::or_missing(made::kwh(boundary, total), format::kilowatt_hours)/></dd>
                <dd class="soft">{format::or_missing(total.joules_per_token, format::joules_per_token).to_string()} " on average"</dd></div>
        </dl>
    }
}

/// Each hour or day beside the plan.
#[component]
fn Picture(report: FleetReport, period: Period) -> impl IntoView {
    let title = made::rows_finding(&report, period);
    let made_words = format!("tokens per second for each megawatt {}", made::at(made::boundary(&report.total)));
    let across = if period.part() == "hour" { "hour, UTC" } else { "day" };
    let words = |value: f64| format::axis::short(&format::tokens_per_megawatt(value));
    let svg = chart::bars_beside_plan(&made::bars(&report, period), &title, &made_words, across, words);
    let rows = report.rows.iter().map(|row| view! {
        <tr><th scope="row">{period.part_words(row.start_ms)}</th>
            <td class="num"><Number figure=format::or_missing(row.tokens_per_s_per_mw, format::tokens_per_megawatt)/></td>
            <td class="num"><Number figure=format::or_missing(row.planned_tokens_per_s_per_mw, format::tokens_per_megawatt)/></td></tr>
    }).collect_view();
    view! {
        <Chart title svg>
            <table>
                <caption>"Each " {period.part()} " beside the plan"</caption>
                <thead><tr><th scope="col">"From"</th><th scope="col" class="num">"Made"</th><th scope="col" class="num">"Planned"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </Chart>
    }
}

/// Every row in full.
#[component]
fn Rows(report: FleetReport, period: Period) -> impl IntoView {
    let rows = report.rows.iter().map(|row| line(period.part_words(row.start_ms), row)).collect_view();
    let previous = report.previous.as_ref().map(|row| line(period.before_words().into(), row));
    view! {
        <section class="spread" aria-labelledby="rows"><h2 id="rows">"Each " {period.part()}</h2>
            <div class="scroll" tabindex="0" role="region" aria-label=format!("Figures of each {}", period.part())><table>
                <caption>"Energy at each boundary that was metered; “—” is what was not read. Tokens per megawatt and joules per token are of the widest boundary."</caption>
                <thead><tr>
                    <th scope="col">"From"</th><th scope="col" class="num">"Output tokens"</th><th scope="col" class="num">"Boards"</th>
                    <th scope="col" class="num">"Racks (IT)"</th><th scope="col" class="num">"Utility meter"</th>
                    <th scope="col" class="num">"Tokens per megawatt"</th><th scope="col" class="num">"Planned"</th>
                    <th scope="col" class="num">"Energy of a token"</th><th scope="col" class="num">"Read"</th><th scope="col" class="num">"GPUs usable"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
                <tfoot>{line("All of it".into(), &report.total)} {previous}</tfoot>
            </table></div>
        </section>
    }
}

fn line(name: String, row: &FleetReportRow) -> impl IntoView + use<> {
    let cells = [
        format::or_missing(row.output_tokens, format::tokens),
        format::or_missing(row.board_kwh, format::kilowatt_hours),
        format::or_missing(row.it_kwh, format::kilowatt_hours),
        format::or_missing(row.facility_kwh, format::kilowatt_hours),
        format::or_missing(row.tokens_per_s_per_mw, format::tokens_per_megawatt),
        format::or_missing(row.planned_tokens_per_s_per_mw, format::tokens_per_megawatt),
        format::or_missing(row.joules_per_token, format::joules_per_token),
        format::percent(row.covered),
        format::or_missing(row.available, format::percent),
    ];
    let cell = |figure: Figure| view! { <td class="num"><Number figure/></td> };
    view! { <tr><th scope="row">{name}</th>{cells.map(cell).into_iter().collect_view()}</tr> }
}
