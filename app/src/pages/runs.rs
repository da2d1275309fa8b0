//! Which years have been run, how did they end, and which are under way?

use crate::components::failure::Loaded;
use crate::components::figure::Number;
use crate::components::progress::status;
use crate::{api, findings, format, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use model::run::{RunState, RunSummary};

/// All runs.
#[component]
pub fn RunsPage() -> impl IntoView {
    let runs = Resource::new(|| (), |()| api::runs());
    view! {
        <Title text="Runs"/>
        <h1>"Runs"</h1>
        <Loaded resource=runs noun="the runs" show=table/>
    }
}

fn table(runs: Vec<RunSummary>) -> AnyView {
    if runs.is_empty() {
        return view! {
            <p class="empty">
                "No year has been run yet. " <a href=paths::DESIGNS>"Choose a design"</a> " and press “Run the year”."
            </p>
        }
        .into_any();
    }
    let rows = runs.into_iter().map(|run| {
        view! {
            <tr>
                <th scope="row">
                    <a href=paths::run(&run.id)>{run.design_name.clone()}</a> " " <span class="soft">"version " {run.version}</span>
                    <span class="soft description">{findings::conditions(&run.request)}</span>
                </th>
                <td class="num">
                    <Number figure=format::or_missing(run.tokens_per_second_per_mw_facility, format::tokens_per_megawatt)/>
                </td>
                <td><State run=run.clone()/></td>
                <td>{format::moment(run.created_ms)}</td>
                <td class="buttons">{(run.state == RunState::Done).then(|| view! { <a href=paths::report(&run.id)>"Report"</a> " "<a href=paths::compare(std::slice::from_ref(&run.id))>"Compare"</a> })}</td>
            </tr>
        }
    });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Runs">
            <table>
                <caption>"Newest first. Tokens are output tokens; the megawatt is that of the utility meter, mean over the year."</caption>
                <thead>
                    <tr>
                        <th scope="col">"Design"</th><th scope="col" class="num">"Tokens per megawatt"</th>
                        <th scope="col">"State"</th><th scope="col">"Asked for"</th><th scope="col"><span class="hidden">"Go on"</span></th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// How far a run is, and what stops one that is not done.
#[component]
fn State(run: RunSummary) -> impl IntoView {
    let (id, open) = (run.id.clone(), !run.state.is_final());
    let cancel = Action::new(move |(): &()| api::run_cancel(id.clone()));
    let said = move || match cancel.value().get() {
        Some(Ok(())) => "Cancelled".to_owned(),
        Some(Err(error)) => error.to_string(),
        None => state(&run.state),
    };
    let stoppable = move || open && cancel.value().with(Option::is_none);
    view! {
        {said} " " {move || stoppable().then(|| view! { <button on:click=move |_| { cancel.dispatch(()); }>"Cancel"</button> })}
    }
}

/// How far a run is, in a word or two.
fn state(state: &RunState) -> String {
    match state {
        RunState::Queued => "Waiting".into(),
        RunState::Running { .. } => status(state),
        RunState::Done => "Done".into(),
        RunState::Cancelled => "Cancelled".into(),
        RunState::Failed { reason } => format!("Failed: {reason}"),
    }
}
