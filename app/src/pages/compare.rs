//! How do these years differ, and from which of them is the difference counted?

use crate::api::{self, ApiError};
use crate::components::failure::Loaded;
use crate::components::figure::Number;
use crate::findings;
use crate::format::{self, Figure};
use crate::paths;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::id::RunId;
use model::report::Report;
use model::run::{RunState, RunSummary};

/// Most years beside each other: more columns than these are read by no one.
const RUNS_MAX: usize = 6;

/// Years beside each other; the first is the baseline.
#[component]
pub fn ComparePage() -> impl IntoView {
    let query = use_query_map();
    let ids = Memo::new(move |_| {
        let text = query.read().get("runs").unwrap_or_default();
        text.split(',').filter_map(|id| id.parse::<RunId>().ok()).take(RUNS_MAX).collect::<Vec<_>>()
    });
    let compared = Resource::new(
        move || ids.get(),
        |ids| async move {
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                let detail = api::run(id.clone()).await?;
                let report = detail.report.ok_or_else(|| ApiError::Invalid {
                    reason: format!("Run {id} has no report to compare: it is not done."),
                })?;
                found.push((detail.summary, report));
            }
            Ok::<_, ApiError>(found)
        },
    );
    let runs = Resource::new(|| (), |()| api::runs());
    view! {
        <Title text="Compare"/>
        <p class="crumbs"><a href=paths::RUNS>"Runs"</a></p>
        <h1>"Compare"</h1>
        <p class="lead">"Up to six years beside each other. The first is the baseline that the others are counted from."</p>
        <Loaded resource=compared noun="the comparison" show=table/>
        <section aria-labelledby="choose">
            <h2 id="choose">"Choose years"</h2>
            <Loaded resource=runs noun="the runs" show=move |list| choose(list, ids)/>
        </section>
    }
}

/// A row: what it is, how it is said, and which way is better.
struct Line(&'static str, fn(&Report) -> f64, fn(f64) -> Figure);

const LINES: [Line; 15] = [
    Line("Tokens per facility MW", |r| r.tokens_per_second_per_mw_facility, format::tokens_per_megawatt),
    Line("Tokens per IT MW", |r| r.tokens_per_second_per_mw_it, format::tokens_per_megawatt),
    Line("Tokens made", |r| r.tokens_output, format::tokens),
    Line("Use of the fleet", |r| r.utilisation, format::percent),
    Line("Cost of a million tokens", |r| r.cost_per_million_tokens_usd, format::price_per_million),
    Line("Energy at the meter", |r| r.facility_energy_mwh, format::megawatt_hours),
    Line("Highest draw", |r| r.peak_power_mw, format::megawatts),
    Line("PUE", |r| r.pue, format::quotient),
    Line("Water", |r| r.water_m3, |water| format::water_in(format::Units::Si, water)),
    Line("Carbon", |r| r.carbon_t, format::carbon),
    Line("Hours any chiller runs", |r| r.hours_chillers_run, format::hours),
    Line("Hours held back", |r| r.hours_derated, format::hours),
    Line("To build", |r| r.money.capex_usd, format::money),
    Line("All costs of the year", |r| r.money.total_usd, format::money),
    Line("Energy and demand charge", |r| r.money.energy_usd + r.money.demand_charge_usd, format::money),
];

#[expect(clippy::needless_pass_by_value, reason = "a page is shown what was loaded for it")]
fn table(found: Vec<(RunSummary, Report)>) -> AnyView {
    let Some((_, base)) = found.first().cloned() else {
        return view! { <p class="empty">"No years are chosen yet. Tick two or more below, or "<a href=paths::DESIGNS>"choose a design"</a>" and run its year."</p> }.into_any();
    };
    let heads = found.iter().enumerate().map(|(at, (run, report))| view! {
        <th scope="col" class="num">
            <a href=paths::run(&run.id)>{report.design.clone()}</a>
            <span class="soft description">{report.location.clone()} ", " {report.model.clone()}</span>
            <span class="soft description">{if at == 0 { "baseline, " } else { "" }} "version " {run.version} ", " {findings::conditions(&run.request)}</span>
        </th>
    }).collect_view();
    let rows = LINES.map(|Line(name, of, words)| {
        let before = of(&base);
        let cells = found
            .iter()
            .enumerate()
            .map(|(at, (_, report))| {
                let value = of(report);
                let share = (at > 0 && before.abs() > 0.0).then(|| format::relative_change(value / before - 1.0));
                view! { <td class="num"><Number figure=words(value)/> <span class="change">{share}</span></td> }
            })
            .collect_view();
        view! { <tr><th scope="row">{name}</th>{cells}</tr> }
    });
    let bands = found.iter().map(|(_, report)| view! { <td class="num soft">{format::band(&report.tokens_per_second_per_mw_facility_band)}</td> }).collect_view();
    let unlike = unlike(&found);
    view! {
        {unlike.map(|words| view! { <p class="outcome warning" role="note">{words}</p> })}
        <div class="scroll" tabindex="0" role="region" aria-label="Years beside each other">
            <table class="compared">
                <caption>{headline(&found)}</caption>
                <thead><tr><th scope="col">"Figure"</th>{heads}</tr></thead>
                <tbody>{rows.into_iter().collect_view()}<tr><th scope="row">"How sure tokens per MW are"</th>{bands}</tr></tbody>
            </table>
        </div>
    }
    .into_any()
}

/// Why the years are not like for like, where they are not.
fn unlike(found: &[(RunSummary, Report)]) -> Option<String> {
    let differs = |of: fn(&Report) -> &str| found.windows(2).any(|pair| of(&pair[0].1) != of(&pair[1].1));
    let mut what = Vec::new();
    if differs(|report| &report.model) {
        what.push("different language models, whose tokens are not the same work");
    }
    if differs(|report| &report.location) {
        what.push("different places");
    }
    (!what.is_empty()).then(|| format!("Not like for like: the years have {}.", what.join(", and ")))
}

/// What the comparison says, in a sentence. Two years of one model share most of its error, so that they can be told apart
/// within the band; those of different models can't.
fn headline(found: &[(RunSummary, Report)]) -> String {
    let best = found
        .iter()
        .max_by(|a, b| a.1.tokens_per_second_per_mw_facility.total_cmp(&b.1.tokens_per_second_per_mw_facility));
    let one_model = found.windows(2).all(|pair| pair[0].1.model == pair[1].1.model);
    match (best, found.first()) {
        (Some(_), Some(_)) if found.len() > 1 && !one_model => {
            "The years serve different models: which makes most of a megawatt can't be said from tokens alone."
                .to_owned()
        }
        (Some((_, best)), Some((_, base))) if found.len() > 1 => format!(
            "{} makes most of a megawatt, {}{}.",
            best.design,
            format::tokens_per_megawatt(best.tokens_per_second_per_mw_facility),
            match format::relative_change(
                best.tokens_per_second_per_mw_facility / base.tokens_per_second_per_mw_facility.max(1e-9) - 1.0
            ) {
                same if same.is_empty() => String::new(),
                change => format!(", {change} on the baseline"),
            }
        ),
        _ => "One year: tick another to compare it with.".into(),
    }
}

/// The runs that are done, each with a box to tick.
fn choose(list: Vec<RunSummary>, ids: Memo<Vec<RunId>>) -> AnyView {
    let done: Vec<RunSummary> = list.into_iter().filter(|run| run.state == RunState::Done).collect();
    if done.is_empty() {
        return view! { <p class="empty">"No year has been run yet. "<a href=paths::DESIGNS>"Choose a design"</a>" and press “Run the year”."</p> }.into_any();
    }
    let rows = done.into_iter().map(|run| {
        let id = run.id.clone();
        let ticked = move || ids.with(|ids| ids.contains(&id));
        let href = {
            let id = run.id.clone();
            move || {
                let mut chosen = ids.get();
                match chosen.iter().position(|other| *other == id) {
                    Some(at) => { chosen.remove(at); }
                    None => chosen.push(id.clone()),
                }
                paths::compare(&chosen)
            }
        };
        let figure = format::or_missing(run.tokens_per_second_per_mw_facility, format::tokens_per_megawatt);
        view! {
            <li class="line">
                <a class="tick" href=href aria-current=move || if ticked() { "true" } else { "false" }>{run.design_name.clone()} " " <span class="soft">"version " {run.version} " · " {findings::conditions(&run.request)} " · " {format::moment(run.created_ms)}</span></a>
                <Number figure/>
            </li>
        }
    }).collect_view();
    view! { <ul class="lines">{rows}</ul> }.into_any()
}
