//! What did this sweep find: the best combinations, what each value is worth, and what none beats? While it runs: how far is it?

use crate::api::{self, ApiError};
use crate::components::failure::{Extent, Loaded};
use crate::optimum::{choice_words, goal_axis, goal_figure};
use crate::pages::sweeps::state;
use crate::{browser, format, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map};
use model::id::SweepId;
use model::optimum::{Goal, Point};
use model::sweep::{SweepDetail, SweepRow, SweepSummary};

/// Rows of a list.
const SHOWN: usize = 25;

/// One sweep.
#[component]
pub fn SweepPage() -> impl IntoView {
    let params = use_params_map();
    let sweep = Resource::new(
        move || params.read().get("id").unwrap_or_default(),
        |id| async move {
            let id: SweepId = id.parse().map_err(|_| ApiError::NotFound { what: format!("sweep \"{id}\"") })?;
            api::sweep(id).await
        },
    );
    let again = Callback::new(move |()| sweep.refetch());
    view! { <Loaded resource=sweep noun="this sweep" extent=Extent::Page show=move |detail| page(&detail, again)/> }
}

fn page(detail: &SweepDetail, again: Callback<()>) -> AnyView {
    let summary = &detail.summary;
    let goal = summary.ask.goal.unwrap_or(Goal::Tokens);
    let open = !summary.state.is_final();
    let some = (!detail.best.is_empty()).then(|| found(detail, goal));
    let rest = match summary.ask.goal {
        Some(goal) => format!(
            "racks, power limit and water wherever they are not varied are the best by {}",
            goal_axis(goal).to_lowercase()
        ),
        None => "what is not varied is as drawn".to_owned(),
    };
    let limits = summary.ask.limits;
    let within = [
        limits.power_mw.map(|mw| format::megawatts(mw).to_string()),
        limits.capex_usd.map(|usd| format!("{} to build", format::money(usd))),
        limits.ttft_ms.map(|ms| format!("first token within {}", format::milliseconds(ms))),
        limits.tpot_ms.map(|ms| format!("{} between tokens", format::milliseconds(ms))),
    ];
    let within: Vec<String> = within.into_iter().flatten().collect();
    view! {
        <Title text=summary.name.clone()/>
        <p class="crumbs"><a href=paths::SWEEPS>"Sweeps"</a></p>
        <h1>{summary.name.clone()}</h1>
        <p class="soft">
            {format::things(summary.rows, "combination", "combinations")} " of " <a href=paths::design(&summary.design)>{summary.design_name.clone()} ", version " {summary.version}</a>
            "; " {rest} {(!within.is_empty()).then(|| format!("; within {}", within.join(", ")))} ". Asked for on " {format::moment(summary.created_ms)} "."
        </p>
        <Doings summary=summary.clone() open again/>
        {some}
    }
    .into_any()
}

/// How far it is, what stops it, its rows as a file, and what forgets it.
#[component]
fn Doings(summary: SweepSummary, open: bool, again: Callback<()>) -> impl IntoView {
    if open {
        Effect::new(move |_| browser::every(2, move || again.run(())));
    }
    let (id, other) = (summary.id.clone(), summary.id.clone());
    let cancel = Action::new(move |(): &()| api::sweep_cancel(id.clone()));
    let delete = Action::new(move |(): &()| api::sweep_delete(other.clone()));
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(Ok(())) = delete.value().get() {
            navigate(paths::SWEEPS, NavigateOptions::default());
        }
        if let Some(Ok(())) = cancel.value().get() {
            again.run(());
        }
    });
    let failed = move || {
        let both = [cancel.value().get(), delete.value().get()];
        both.into_iter().flatten().find_map(Result::err).map(|error| error.to_string())
    };
    let share = f64::from(summary.done) / f64::from(summary.rows.max(1));
    let rows =
        (summary.done > 0).then(|| view! { <a href=paths::sweep_rows(&summary.id) download>"Every row (CSV)"</a> });
    view! {
        <section class="progress" aria-label="Progress">
            <progress max="1" value=share.to_string() aria-label="Done"></progress>
            <p class="soft" role="status">{state(&summary)}</p>
            <p class="actions">
                {rows}
                {open.then(|| view! { <button disabled=move || cancel.pending().get() on:click=move |_| { cancel.dispatch(()); }>"Cancel the sweep"</button> })}
                {(!open).then(|| view! { <button class="quiet" disabled=move || delete.pending().get() on:click=move |_| { delete.dispatch(()); }>"Delete"</button> })}
                <span class="why" role="alert">{failed}</span>
            </p>
        </section>
    }
}

fn found(detail: &SweepDetail, goal: Goal) -> AnyView {
    let fields: Vec<String> = detail.summary.ask.vary.iter().map(|vary| vary.field.clone()).collect();
    let refused = (detail.refused > 0).then(|| {
        let why = detail.refused_why.clone().unwrap_or_default();
        view! { <p class="soft">{format::things(detail.refused, "combination is", "combinations are")} " no facility; the first, as " {why} "."</p> }
    });
    let best = detail.best.first().and_then(|row| row.point.as_ref()).filter(|point| point.is_feasible());
    let answer = match best {
        Some(point) => format!(
            "{}: {} with {}.",
            if detail.summary.state.is_final() { "Best" } else { "Best so far" },
            goal_figure(goal, goal.value(point)),
            named(&fields, &detail.best[0].values)
        ),
        None => "No combination that was tried can be run all year.".to_owned(),
    };
    let by_field = fields.iter().zip(&detail.by_value).map(|(field, rows)| by_value(field, &fields, rows, goal));
    view! {
        <p class="answer">{answer}</p>
        <p class="soft">{format::count(detail.feasible).to_string()} " of " {format::things(detail.summary.done, "combination", "combinations")} " can be run all year without holding anything back."</p>
        {refused}
        {rows("The best", "Best first, each with the serving model’s error band; those that exceed a limit on the hottest hour come last, and say which.", &fields, &detail.best, goal)}
        {by_field.collect_view()}
        {rows("What none beats", "No combination beats these in tokens a second and in tokens a joule at once.", &fields, &detail.frontier, goal)}
    }
    .into_any()
}

fn named(fields: &[String], values: &[String]) -> String {
    fields.iter().zip(values).map(|(field, value)| format!("{field} {value}")).collect::<Vec<_>>().join(", ")
}

fn rows(title: &'static str, about: &'static str, fields: &[String], list: &[SweepRow], goal: Goal) -> AnyView {
    if list.is_empty() {
        return ().into_any();
    }
    let head = fields.iter().map(|field| view! { <th scope="col">{field.clone()}</th> }).collect_view();
    let body = list.iter().take(SHOWN).map(|row| {
        let values = row.values.iter().map(|value| view! { <td>{value.clone()}</td> }).collect_view();
        view! { <tr>{values} {figures(row, goal)}</tr> }
    });
    view! {
        <section class="spaced">
            <h2>{title}</h2>
            <div class="scroll" tabindex="0" role="region" aria-label=title><table>
                <caption>{about}</caption>
                <thead><tr>{head}{heads(goal)}</tr></thead>
                <tbody>{body.collect_view()}</tbody>
            </table></div>
        </section>
    }
    .into_any()
}

fn heads(goal: Goal) -> AnyView {
    view! {
        <th scope="col" class="num">{goal_axis(goal)}</th><th scope="col" class="num">"Tokens per megawatt"</th>
        <th scope="col" class="num">"A million tokens"</th><th scope="col" class="num">"Hottest hour"</th><th scope="col">"Run with"</th>
    }
    .into_any()
}

fn figures(row: &SweepRow, goal: Goal) -> AnyView {
    let Some(point) = &row.point else {
        let why = row.why.clone().unwrap_or_default();
        return view! { <td colspan="5" class="soft">{why}</td> }.into_any();
    };
    let [low, high] = goal.band(point);
    view! {
        <td class="num">{goal_figure(goal, goal.value(point)).to_string()} <span class="soft band">{goal_figure(goal, low).to_string()} " to " {goal_figure(goal, high).to_string()}</span></td>
        <td class="num">{format::tokens_per_megawatt(point.tokens_per_joule * 1e6).to_string()}</td>
        <td class="num">{format::price_per_million(point.usd_per_million).to_string()}</td>
        <td class="num">{format::megawatts(point.peak_mw).to_string()}</td>
        <td>{choice_words(&point.choice)} {exceeds(point)}</td>
    }
    .into_any()
}

fn exceeds(point: &Point) -> Option<AnyView> {
    let short = point.short.first()?;
    let words = format!("exceeds the {} of {}", short.limit.words(), short.place);
    Some(view! { <span class="why">" " {words}</span> }.into_any())
}

/// Each value of a field with the best row that has it.
fn by_value(field: &str, fields: &[String], list: &[SweepRow], goal: Goal) -> AnyView {
    let at = fields.iter().position(|own| own == field).unwrap_or(0);
    let body = list.iter().map(|row| {
        let others: Vec<String> = fields
            .iter()
            .zip(&row.values)
            .filter(|(own, _)| *own != field)
            .map(|(own, value)| format!("{own} {value}"))
            .collect();
        let value = row.values.get(at).cloned().unwrap_or_default();
        view! { <tr><th scope="row">{value}</th><td class="soft">{others.join(", ")}</td> {figures(row, goal)}</tr> }
    });
    let title = format!("By {field}");
    view! {
        <section class="spaced">
            <h2>{title.clone()}</h2>
            <div class="scroll" tabindex="0" role="region" aria-label=title><table>
                <caption>"Each value with the best combination that has it."</caption>
                <thead><tr><th scope="col">{field.to_owned()}</th><th scope="col">"With"</th>{heads(goal)}</tr></thead>
                <tbody>{body.collect_view()}</tbody>
            </table></div>
        </section>
    }
    .into_any()
}
