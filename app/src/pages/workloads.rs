//! What does a kind of work take in energy and money, what does each careless choice add, and who may use how much?

use crate::components::failure::Loaded;
use crate::components::figure::{Kpi, Number};
use crate::components::question::{Misreadings, Question};
use crate::components::serving::ServingTabs;
use crate::governance::{self, PRESETS, WorkloadAsk, WorkloadShown};
use crate::{api, browser, format, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::design::Precision;
use sim::serving::workload::Takes;

/// The page. The address holds the workload.
#[component]
pub fn WorkloadsPage() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| WorkloadAsk::of(|key| query.read().get(key)));
    let shown = Resource::new(move || asked.get(), api::workload);
    let tab = move |(name, words): (&'static str, &'static str)| {
        let current = move || if asked.with(|ask| ask.kind == name) { "page" } else { "false" };
        view! { <a href=paths::workload(name) aria-current=current>{words}</a> }
    };
    view! {
        <Title text="Workloads"/>
        <ServingTabs/>
        <h1>"Workloads"</h1>
        <p class="lead">"What one task of a kind of work takes in GPU time, energy and money, and how many megawatts each careless choice adds. Every kind below is a starting point: put in what your own logs say."</p>
        <nav class="tabs" aria-label="Kinds of work">{PRESETS.iter().map(|preset| tab((preset.name, preset.words))).collect_view()}</nav>
        <Loaded resource=shown noun="the answer" show=page/>
    }
}

fn page(shown: WorkloadShown) -> AnyView {
    let answer = match (shown.takes, &shown.refused) {
        (Some(takes), _) => found(&shown, takes),
        (None, why) => view! {
            <section class="failure">
                <h2>"It can't be served so"</h2>
                <p>{why.clone().unwrap_or_default()} "."</p>
                <p class="soft">"Take another GPU, a smaller number format, shorter prompts, or more time."</p>
            </section>
        }
        .into_any(),
    };
    view! { <Misreadings of=shown.ask.misread.clone()/> <Asked shown/> {answer} }.into_any()
}

/// The form that the address is made of.
#[component]
fn Asked(shown: WorkloadShown) -> impl IntoView {
    let WorkloadAsk { kind, workload: w, gpu, large, small, pue, usd_per_kwh, tenants, misread: _ } = shown.ask.clone();
    let refused = shown.ask.shares().err();
    let options = |list: &[(String, String)], chosen: &str| {
        list.iter()
            .map(|(id, name)| {
                let selected = id == chosen;
                view! { <option value=id.clone() selected=selected>{name.clone()}</option> }
            })
            .collect_view()
    };
    let formats = Precision::ALL.map(|precision| {
        view! { <option value=precision.name() selected=precision == w.precision>{precision.words()}</option> }
    });
    let whole = |share: f64| (share * 1e4).round() / 100.0;
    view! {
        <Question action=paths::WORKLOADS label="The work">
            <input type="hidden" name="kind" value=kind/>
            <label>"Turns of a task" <input type="number" name="turns" min="1" max="1000" value=w.turns/></label>
            <label>"Instructions and tools, tokens" <input type="number" name="instructions" min="0" max="1000000" step="any" value=w.instructions/></label>
            <label>"New in a turn, tokens" <input type="number" name="added" min="0" max="1000000" step="any" value=w.added/></label>
            <label>"Answer of a turn, tokens" <input type="number" name="answer" min="1" max="1000000" step="any" value=w.answer/></label>
            <label>"Kept of the turns before, %" <input type="number" name="kept" min="0" max="100" step="any" value=whole(w.kept)/></label>
            <label>"Found in the prefix cache, %" <input type="number" name="cached" min="0" max="100" step="any" value=whole(w.cached)/></label>
            <label>"Turns for the smaller model, %" <input type="number" name="routed" min="0" max="100" step="any" value=whole(w.routed)/></label>
            <label>"Turns made again, %" <input type="number" name="retried" min="0" max="1000" step="any" value=whole(w.retried)/></label>
            <label>"Tasks a second" <input type="number" name="tasks" min="0" step="any" value=w.tasks_per_s/></label>
            <label>"Model" <select name="large">{options(&shown.models, &large)}</select></label>
            <label>"Smaller model" <select name="small">{options(&shown.models, &small)}</select></label>
            <label>"GPU" <select name="gpu">{options(&shown.gpus, &gpu)}</select></label>
            <label>"Number format" <select name="precision">{formats.into_iter().collect_view()}</select></label>
            <label>"First token within, ms" <input type="number" name="ttft" min="0.001" step="any" value=w.ttft_s * 1e3/></label>
            <label>"Between tokens, ms" <input type="number" name="tpot" min="0.001" step="any" value=w.tpot_s * 1e3/></label>
            <label>"PUE" <input type="number" name="pue" min="1" max="5" step="any" value=pue/></label>
            <label>"Energy, $/kWh" <input type="number" name="energy" min="0" max="10" step="any" value=usd_per_kwh/></label>
            <label>"Tenants and their shares" <input type="text" name="tenants" value=tenants placeholder="search 40, code 60" autocomplete="off" aria-invalid=refused.is_some().then_some("true") aria-describedby=refused.is_some().then_some("tenants-refused")/></label>
            <button type="submit">"Work it out"</button>
            {refused.map(|why| view! { <p class="why hint" id="tenants-refused" role="alert">{why} " No budgets are made until then."</p> })}
        </Question>
    }
}

fn found(shown: &WorkloadShown, takes: Takes) -> AnyView {
    let sheet = shown.sheet.clone();
    let name = format!("review-{}.csv", shown.ask.kind);
    view! {
        <p class="answer">{governance::headline(shown, &takes)}</p>
        <Figures takes band=shown.band/>
        <section aria-labelledby="careless"><h2 id="careless">"What careless choices cost"</h2>{careless(shown, &takes)}</section>
        <section aria-labelledby="tenants"><h2 id="tenants">"Budgets"</h2>{tenants(shown, &takes)}</section>
        <section class="spaced" aria-label="Review">
            <p class="actions"><button on:click=move |_| browser::download(&name, &sheet, "text/csv")>"Download the review (CSV)"</button></p>
            {shown.assumed.clone().map(|words| view! { <p class="soft">"Assumed: " {words} "."</p> })}
            <p class="soft">"GPU time is that of the best replica of these GPUs for such turns within the time targets, every replica busy; energy is of GPU boards, the rest of their nodes, and PUE; cost is the node's price over four years and energy. A turn's prompt holds the instructions, what is kept of the turns before, and what is new."</p>
        </section>
    }
    .into_any()
}

#[component]
fn Figures(takes: Takes, band: (f64, f64)) -> impl IntoView {
    let tokens = takes.tokens;
    let spared = format!("of which {} come from the cache", format::tokens(tokens.cached));
    let (low, high) = (format::joules(takes.facility_j * band.0), format::joules(takes.facility_j * band.1));
    view! {
        <dl class="kpis">
            <Kpi label="Energy of a task" detail=format!("at the facility's meter; between {low} and {high} by what was measured")><Number figure=format::joules(takes.facility_j)/></Kpi>
            <Kpi label="Cost of a task" detail="nodes over four years, and energy"><Number figure=format::price(takes.usd)/></Kpi>
            <Kpi label="Prompts of a task" detail=spared><Number figure=format::tokens(tokens.prompts)/></Kpi>
            <Kpi label="Answers of a task" detail=format!("the longest prompt is {}", format::tokens(tokens.longest))><Number figure=format::tokens(tokens.answers)/></Kpi>
            <Kpi label="GPUs" detail="that the stream of tasks keeps busy"><Number figure=format::mean_count(takes.gpus)/></Kpi>
            <Kpi label="Facility" detail="while it streams"><Number figure=format::megawatts(takes.facility_mw)/></Kpi>
        </dl>
    }
}

fn careless(shown: &WorkloadShown, takes: &Takes) -> AnyView {
    let own = *takes;
    let rows = shown.careless.clone().into_iter().map(move |one| {
        let cells = match one.takes {
            Some(other) => {
                let more = format::megawatts(other.facility_mw - own.facility_mw).to_string();
                let task = format::joules(other.facility_j).to_string();
                let times = format::quotient(other.facility_j / own.facility_j).to_string();
                view! { <td class="num">{more}</td><td class="num">{times} " ×"</td><td class="num">{task}</td><td class="num">{format::price(other.usd).to_string()}</td> }.into_any()
            }
            None => view! { <td colspan="4" class="soft">"can't be served so within the targets"</td> }.into_any(),
        };
        view! { <tr><th scope="row">{one.what}</th>{cells}</tr> }
    });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="What careless choices cost">
            <table>
                <caption>"One choice at a time, all else as above; those that cost most first."</caption>
                <thead><tr>
                    <th scope="col">"Choice"</th><th scope="col" class="num">"More power"</th><th scope="col" class="num">"Energy of a task"</th>
                    <th scope="col" class="num">"A task then takes"</th><th scope="col" class="num">"and costs"</th>
                </tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn tenants(shown: &WorkloadShown, takes: &Takes) -> AnyView {
    const DAY_S: f64 = 86_400.0;
    let shares = shown.ask.shares();
    let shares = match shares {
        Ok(shares) => shares,
        Err(why) => return view! { <p class="why">"No budgets are made. " {why}</p> }.into_any(),
    };
    if shares.is_empty() {
        return view! { <p class="empty">"Name tenants with their shares above, as “search 40, code 60”, and each one's budget of tasks, tokens, energy and money stands here."</p> }.into_any();
    }
    let (own, tasks) = (*takes, shown.ask.workload.tasks_per_s * DAY_S);
    let rows = shares.into_iter().map(move |(name, share)| {
        let tasks = tasks * share;
        let tokens = (own.tokens.prompts + own.tokens.answers) * tasks;
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td class="num">{format::percent(share).to_string()}</td>
                <td class="num">{format::mean_count(tasks).to_string()}</td>
                <td class="num">{format::tokens(tokens).to_string()}</td>
                <td class="num">{format::megawatts(own.facility_mw * share).to_string()}</td>
                <td class="num">{format::megawatt_hours(own.facility_mw * share * 24.0).to_string()}</td>
                <td class="num">{format::money(own.usd * tasks).to_string()}</td>
            </tr>
        }
    });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Budgets">
            <table>
                <caption>"What each tenant's share of the stream comes to in a day."</caption>
                <thead><tr>
                    <th scope="col">"Tenant"</th><th scope="col" class="num">"Share"</th><th scope="col" class="num">"Tasks a day"</th>
                    <th scope="col" class="num">"Tokens a day"</th><th scope="col" class="num">"Power"</th><th scope="col" class="num">"Energy a day"</th><th scope="col" class="num">"Cost a day"</th>
                </tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}
