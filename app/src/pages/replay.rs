//! How did the fleet take these requests: who waited how long, what finished in time, and what did it draw?

use crate::api::{self, ApiError};
use crate::components::chart::Chart;
use crate::components::failure::{Extent, Loaded};
use crate::components::figure::{Kpi, Meter, Number};
use crate::replayed::{self, ReplayChart, target};
use crate::{format, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map};
use model::id::ReplayId;
use model::quantity::{Power, Span};
use model::replay::{
    ReplayDetail, ReplayEnds, ReplayOutcome, ReplayServed, ReplaySetup, ReplaySpread, ReplayTenant, RequestSource,
};

/// One replay.
#[component]
pub fn ReplayPage() -> impl IntoView {
    let params = use_params_map();
    let replay = Resource::new(
        move || params.read().get("id").unwrap_or_default(),
        |id| async move {
            let id: ReplayId = id.parse().map_err(|_| ApiError::NotFound { what: format!("replay \"{id}\"") })?;
            api::replay(id).await
        },
    );
    view! { <Loaded resource=replay noun="this replay" extent=Extent::Page others=(paths::REPLAYS, "See all replays") show=|detail| page(&detail)/> }
}

fn page(detail: &ReplayDetail) -> AnyView {
    let ReplayDetail { summary, setup, outcome, .. } = detail;
    let id = summary.id.clone();
    let rows = if detail.has_rows {
        view! { <a href=paths::replay_rows(&id) download>"Every request (CSV)"</a> }.into_any()
    } else {
        view! { <span class="soft">"No row of each request is kept: there were more than 50 000."</span> }.into_any()
    };
    let made_up = matches!(detail.requests.source, RequestSource::MadeUp { .. });
    view! {
        <Title text=summary.name.clone()/>
        <p class="crumbs"><a href=paths::REPLAYS>"Replays"</a></p>
        <h1>{summary.name.clone()}</h1>
        <p class="soft">
            {replayed::source_words(&detail.requests.source, detail.requests.count)} ", over "
            {format::duration(Span::from_seconds(outcome.span_s))} ", through " {format::count(summary.gpus).to_string()} " × " {summary.gpu_name.clone()}
            ". Made on " {format::moment(summary.created_ms)} "."
        </p>
        {made_up.then(|| view! { <p class="soft">"The requests are made up: nobody asked them. What is shown holds for a stream like it."</p> })}
        <p class="actions">
            <a class="button primary" href=paths::replay_again(&id)>"Run it again, changed"</a>
            {rows}
            <a href=paths::replay_file(&id) download=format!("millwright-replay-{id}.json")>"Outcome (JSON)"</a>
            <Delete id=id.clone()/>
        </p>
        {answer(outcome, setup, summary.gpus)}
        {times(outcome, setup)}
        <section aria-labelledby="over-time">
            <h2 id="over-time">"The fleet over time"</h2>
            {happened(setup)}
            {charts(replayed::fleet_charts(outcome, setup))}
        </section>
        {one_replica(outcome, setup)}
        {energy(outcome)}
        {by_model(outcome)}
        {by_tenant(outcome)}
        {sure(outcome)}
        {asked(detail)}
    }
    .into_any()
}

/// The answer: what finished in time, and the figures beside it.
fn answer(outcome: &ReplayOutcome, setup: &ReplaySetup, gpus: u32) -> AnyView {
    let all = f64::from(gpus.max(1));
    let (energy, finished, preemptions) = (outcome.energy, outcome.ends.finished, outcome.preemptions);
    let output_tokens_per_s = outcome.output_tokens_per_s;
    let (ttft, tpot) = (target(setup.ttft_ms), target(setup.tpot_ms));
    let moved = (outcome.moved_by_failure > 0).then(|| {
        let count = outcome.moved_by_failure;
        view! { <Kpi label="Begun anew" detail="requests whose replica failed under them"><Number figure=format::many(count)/></Kpi> }
    });
    let cache = setup.prefix_cache.then(|| {
        let share = outcome.cached_tokens.map(|found| found as f64 / outcome.prompt_tokens as f64);
        let detail = if share.is_some() {
            let all = format::tokens(outcome.prompt_tokens as f64);
            let tiers = replayed::found_words(setup, outcome).map(|words| format!("; {words}")).unwrap_or_default();
            format!("of {all} of prompts, found and not read again{tiers}")
        } else {
            "the trace does not say what prompts have in common".to_owned()
        };
        view! { <Kpi label="Prompt from the cache" detail><Number figure=format::or_missing(share, format::percent)/></Kpi> }
    });
    view! {
        <section class="headline" aria-labelledby="answer">
            <h2 id="answer" class="hidden">"The answer"</h2>
            <p class="answer"><Number figure=format::percent(outcome.attainment)/> <span class="band">" of requests in time"</span></p>
            <p class="soft">"In time: answered to the end, with the first token within " {ttft} " of asking and the others " {tpot} " apart on average. That is "
                {format::per_second(outcome.goodput_per_s).to_string()} " of the " {format::per_second(outcome.requests_per_s).to_string()} " that finished (goodput)."</p>
            <dl class="kpis">
                <Kpi label="Requests finished" detail=ends(&outcome.ends)><Number figure=format::count(finished)/></Kpi>
                <Kpi label="Output tokens" detail=format!("{} a GPU", format::token_rate(outcome.output_tokens_per_s / all))>
                    <Number figure=format::token_rate(output_tokens_per_s)/>
                </Kpi>
                <Kpi label="GPU boards, mean" detail=format!("{} a GPU; boards alone, without hosts, network and cooling", watts(outcome.energy.mean_w / all))>
                    <Number figure=watts(energy.mean_w)/>
                </Kpi>
                <Kpi label="Energy of an output token" detail="all that the GPU boards drew over all tokens delivered">
                    <Number figure=format::or_missing(energy.per_output_token_j, format::joules_per_token)/>
                </Kpi>
                {cache}
                <Kpi label="Preemptions" detail="requests that made way for want of KV memory"><Number figure=format::many(preemptions)/></Kpi>
                {moved}
            </dl>
        </section>
    }
    .into_any()
}

fn watts(watts: f64) -> format::Figure {
    format::power(Power::from_watts(watts))
}

/// Who did not finish, and why.
fn ends(ends: &ReplayEnds) -> String {
    let mut parts = vec![format!("of {} asked", format::count(ends.asked))];
    let mut say = |count: u32, words: &str| {
        if count > 0 {
            parts.push(format!("{} {words}", format::count(count)));
        }
    };
    say(ends.refused_queue_full, "refused, as too many waited");
    say(ends.refused_too_long, "refused, as they are larger than a replica’s KV memory");
    say(ends.refused_no_model, "refused, as no replica has their model");
    say(ends.unfinished, "never finished");
    if ends.refused() + ends.unfinished == 0 {
        parts.push("none refused".to_owned());
    }
    parts.join("; ")
}

/// Times to wait, with what is meant by them.
fn times(outcome: &ReplayOutcome, setup: &ReplaySetup) -> AnyView {
    let row = |name: &'static str, about: &'static str, spread: Option<ReplaySpread>, target_ms: Option<f64>| {
        let cell = |value: Option<f64>| {
            let over = value.zip(target_ms).is_some_and(|(value, target)| value * 1e3 > target);
            let said =
                value.map_or_else(|| format::MISSING.to_owned(), |value| format::duration(Span::from_seconds(value)));
            view! { <td class="num" class:late=over>{said} {over.then(|| view! { <span class="hidden">", over the target"</span> })}</td> }
        };
        view! {
            <tr>
                <th scope="row">{name} <span class="soft description">{about}</span></th>
                {cell(spread.map(|s| s.mean))}{cell(spread.map(|s| s.p50))}{cell(spread.map(|s| s.p90))}{cell(spread.map(|s| s.p99))}
                <td class="num">{target_ms.map_or_else(|| "none".to_owned(), target)}</td>
            </tr>
        }
    };
    view! {
        <section aria-labelledby="times">
            <h2 id="times">"How long requests take"</h2>
            <div class="scroll" tabindex="0" role="region" aria-label="How long requests take">
                <table>
                    <caption>"Of requests that finished. A column says: so many of them took no longer. Over the target is set in red."</caption>
                    <thead><tr><th scope="col">"Time"</th><th scope="col" class="num">"Mean"</th><th scope="col" class="num">"Half (p50)"</th><th scope="col" class="num">"9 in 10 (p90)"</th><th scope="col" class="num">"99 in 100 (p99)"</th><th scope="col" class="num">"Target"</th></tr></thead>
                    <tbody>
                        {row("To the first token (TTFT)", "from asking to the first token, waiting for a place included", outcome.ttft_s, Some(setup.ttft_ms))}
                        {row("Between tokens (TPOT)", "from the first token to the last, over the tokens after the first", outcome.tpot_s, Some(setup.tpot_ms))}
                        {row("Whole answer", "from asking to the last token", outcome.e2e_s, None)}
                    </tbody>
                </table>
            </div>
            <p class="soft"><a href=paths::glossary("TTFT")>"What these words mean"</a></p>
        </section>
    }
    .into_any()
}

pub(crate) fn charts(all: Vec<ReplayChart>) -> AnyView {
    let one = |chart: ReplayChart| {
        let (head, rows, noun) = (chart.head, chart.rows, chart.noun);
        view! {
            <Chart title=chart.title svg=chart.svg readings=chart.readings>
                <table>
                    <caption>{noun} ", means of each part of the time"</caption>
                    <thead><tr><th scope="col">"Time"</th>{head.into_iter().map(|name| view! { <th scope="col" class="num">{name}</th> }).collect_view()}</tr></thead>
                    <tbody>{rows.into_iter().map(|(when, figures)| view! {
                        <tr><th scope="row">{when}</th>{figures.into_iter().map(|figure| view! { <td class="num">{figure}</td> }).collect_view()}</tr>
                    }).collect_view()}</tbody>
                </table>
            </Chart>
        }
    };
    view! { <div class="live-charts replay-charts">{all.into_iter().map(one).collect_view()}</div> }.into_any()
}

/// What happened meanwhile, as the charts mark it.
fn happened(setup: &ReplaySetup) -> Option<AnyView> {
    let lines = setup.events.iter().map(|event| view! { <li>{replayed::event_words(event)}</li> }).collect_view();
    (!lines.is_empty()).then(|| {
        view! {
            <p class="soft">"Marked in the charts: a failure from its moment until the replica is back, a power limit at its moment. Replicas are numbered from 0."</p>
            <ul class="happened">{lines}</ul>
        }
        .into_any()
    })
}

fn one_replica(outcome: &ReplayOutcome, setup: &ReplaySetup) -> AnyView {
    let all = replayed::replica_charts(outcome, setup);
    let body = if all.is_empty() {
        view! { <p class="empty">"The first replica was given nothing to do, so there is nothing to show of it."</p> }
            .into_any()
    } else {
        charts(all)
    };
    let cut = outcome.timeline.watched_s < outcome.span_s * 0.999 && outcome.timeline.watched_s > 0.0;
    let until = format::duration(Span::from_seconds(outcome.timeline.watched_s));
    view! {
        <section aria-labelledby="replica">
            <h2 id="replica">"One replica’s steps"</h2>
            <p class="soft">"The first replica, on the same time axis. In each step it writes one token for every request being answered and reads a piece of the prompts that wait. A KV block is the memory of 16 tokens."
                {cut.then(|| format!(" It was watched for {until}: after that there were too many steps to keep."))}</p>
            {body}
        </section>
    }
    .into_any()
}

/// Where the energy went.
fn energy(outcome: &ReplayOutcome) -> AnyView {
    let energy = outcome.energy;
    let row = |name: &'static str, about: &'static str, joules: f64| {
        let share = joules / energy.total_j;
        let each = (outcome.output_tokens > 0).then(|| joules / outcome.output_tokens as f64);
        view! {
            <tr>
                <th scope="row">{name} <span class="soft description">{about}</span></th>
                <td class="num"><Number figure=format::or_missing(each, format::joules_per_token)/></td>
                <td class="num"><Number figure=format::kilowatt_hours(joules / 3.6e6)/></td>
                <td class="num"><Number figure=format::percent(share)/></td>
                <td class="bar"><Meter share/></td>
            </tr>
        }
    };
    view! {
        <section aria-labelledby="energy">
            <h2 id="energy">"Where the energy goes"</h2>
            <div class="scroll" tabindex="0" role="region" aria-label="Where the energy goes">
                <table>
                    <caption>"GPU boards alone, for each output token. Hosts, network, power conversion and cooling come on top."</caption>
                    <thead><tr><th scope="col">"Energy"</th><th scope="col" class="num">"For each output token"</th><th scope="col" class="num">"In all"</th><th scope="col" class="num">"Share"</th><th scope="col"><span class="hidden">"Share as a bar"</span></th></tr></thead>
                    <tbody>
                        {row("Prompts", "reading them (prefill)", energy.prompts_j)}
                        {row("Answers", "writing them, token by token (decode)", energy.answers_j)}
                        {row("Idle", "drawn between steps, while nothing was asked", energy.idle_j)}
                        {row("Together", "", energy.total_j)}
                    </tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

/// Each model's part, where several are served.
fn by_model(outcome: &ReplayOutcome) -> Option<AnyView> {
    let seconds = |value: Option<f64>| {
        value.map_or_else(|| format::MISSING.to_owned(), |value| format::duration(Span::from_seconds(value)))
    };
    let row = move |served: ReplayServed| {
        let each = (served.output_tokens > 0).then(|| served.energy_j / served.output_tokens as f64);
        let fleet = format!(
            "{} on {}",
            format::things(served.replicas, "replica", "replicas"),
            format::things(served.gpus, "GPU", "GPUs")
        );
        view! {
            <tr>
                <th scope="row">{served.name} <span class="soft description">{fleet}</span></th>
                <td class="num">{format::count(served.requests).to_string()}</td>
                <td class="num"><Number figure=format::or_missing(served.attainment, format::percent)/></td>
                <td class="num">{seconds(served.ttft_s.map(|s| s.p50))}</td>
                <td class="num">{seconds(served.ttft_s.map(|s| s.p99))}</td>
                <td class="num">{seconds(served.tpot_s.map(|s| s.p50))}</td>
                <td class="num">{seconds(served.tpot_s.map(|s| s.p99))}</td>
                <td class="num"><Number figure=format::tokens(served.input_tokens as f64)/></td>
                <td class="num"><Number figure=format::tokens(served.output_tokens as f64)/></td>
                <td class="num"><Number figure=format::or_missing(each, format::joules_per_token)/></td>
            </tr>
        }
    };
    let rows = outcome.models.iter().cloned().map(row).collect_view();
    (!outcome.models.is_empty()).then(|| {
        view! {
            <section aria-labelledby="models">
                <h2 id="models">"By model"</h2>
                <div class="scroll" tabindex="0" role="region" aria-label="By model"><table>
                    <caption>"Each model has replicas of its own: its energy is all that their GPU boards drew. Times are of requests that finished: half took no longer (p50), and 99 in 100 (p99)."</caption>
                    <thead><tr>
                        <th scope="col">"Model"</th><th scope="col" class="num">"Requests"</th><th scope="col" class="num">"In time"</th>
                        <th scope="col" class="num">"TTFT p50"</th><th scope="col" class="num">"TTFT p99"</th>
                        <th scope="col" class="num">"TPOT p50"</th><th scope="col" class="num">"TPOT p99"</th>
                        <th scope="col" class="num">"Prompt tokens"</th><th scope="col" class="num">"Output tokens"</th>
                        <th scope="col" class="num">"For each output token"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table></div>
            </section>
        }
        .into_any()
    })
}

/// Each tenant's part, where there are several.
fn by_tenant(outcome: &ReplayOutcome) -> Option<AnyView> {
    let seconds = |value: Option<f64>| {
        value.map_or_else(|| format::MISSING.to_owned(), |value| format::duration(Span::from_seconds(value)))
    };
    let total_j = outcome.energy.total_j;
    let row = move |tenant: ReplayTenant| {
        let each = (tenant.output_tokens > 0).then(|| tenant.energy_j / tenant.output_tokens as f64);
        view! {
            <tr>
                <th scope="row">{tenant.name}</th>
                <td class="num">{format::count(tenant.requests).to_string()}</td>
                <td class="num"><Number figure=format::percent(tenant.attainment)/></td>
                <td class="num"><Number figure=format::tokens(tenant.input_tokens as f64)/></td>
                <td class="num"><Number figure=format::tokens(tenant.output_tokens as f64)/></td>
                <td class="num">{seconds(tenant.ttft_p95_s)}</td>
                <td class="num">{seconds(tenant.tpot_p95_s)}</td>
                <td class="num"><Number figure=format::joules(tenant.energy_j)/></td>
                <td class="num"><Number figure=format::or_missing(each, format::joules_per_token)/></td>
                <td class="num"><Number figure=format::percent(tenant.energy_j / total_j.max(f64::MIN_POSITIVE))/></td>
            </tr>
        }
    };
    let (shown, all) = (outcome.tenants.len() as u32, outcome.tenants_count);
    let rows = outcome.tenants.iter().cloned().map(row).collect_view();
    (!outcome.tenants.is_empty()).then(|| {
        view! {
            <section aria-labelledby="tenants">
                <h2 id="tenants">"By tenant"</h2>
                <div class="scroll" tabindex="0" role="region" aria-label="By tenant"><table>
                    <caption>"Most energy first. A tenant’s energy is that of its tokens, and its part of what the boards drew between steps. Times are those that 95 in 100 of its requests did not exceed."
                        {(shown < all).then(|| format!(" {} of {} tenants are shown.", format::count(shown), format::count(all)))}</caption>
                    <thead><tr>
                        <th scope="col">"Tenant"</th><th scope="col" class="num">"Requests"</th><th scope="col" class="num">"In time"</th>
                        <th scope="col" class="num">"Prompt tokens"</th><th scope="col" class="num">"Output tokens"</th>
                        <th scope="col" class="num">"TTFT p95"</th><th scope="col" class="num">"TPOT p95"</th>
                        <th scope="col" class="num">"Energy"</th><th scope="col" class="num">"For each output token"</th><th scope="col" class="num">"Share of energy"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table></div>
            </section>
        }
        .into_any()
    })
}

fn sure(outcome: &ReplayOutcome) -> AnyView {
    let told = replayed::sure_of_each(outcome).into_iter().map(|(models, words)| {
        let whose = (!models.is_empty()).then(|| view! { <b>{models.join(", ")} ": "</b> });
        view! { <p class="prose">{whose}{words}</p> }
    });
    view! {
        <section aria-labelledby="sure">
            <h2 id="sure">"How sure this is"</h2>
            {told.collect_view()}
        </section>
    }
    .into_any()
}

fn asked(detail: &ReplayDetail) -> AnyView {
    let lines = replayed::asked(detail);
    let remarks = detail.requests.remarks.clone();
    let format = detail.requests.format.clone();
    view! {
        <section aria-labelledby="asked">
            <h2 id="asked">"What was asked"</h2>
            <div class="scroll" tabindex="0" role="region" aria-label="What was asked"><table class="told-so"><tbody>
                {lines.into_iter().map(|(name, words)| view! { <tr><th scope="row">{name}</th><td>{words}</td></tr> }).collect_view()}
                <tr><th scope="row">"Read as"</th><td>{format} {(!remarks.is_empty()).then(|| format!(": {}", remarks.join("; ")))}</td></tr>
            </tbody></table></div>
            <p class="soft">"The same setup, requests and program come to the same outcome, to the last digit."</p>
        </section>
    }
    .into_any()
}

/// Forgets the replay, asked twice.
#[component]
fn Delete(id: ReplayId) -> impl IntoView {
    let awake = RwSignal::new(false);
    Effect::new(move |_| awake.set(true));
    let is_sure = RwSignal::new(false);
    let delete = Action::new(move |(): &()| api::replay_delete(id.clone()));
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(Ok(())) = delete.value().get() {
            navigate(paths::REPLAYS, NavigateOptions::default());
        }
    });
    let failed = move || delete.value().get().and_then(Result::err).map(|error| error.to_string());
    view! {
        {move || if is_sure.get() {
            view! {
                <span>"Delete this replay for good? "</span>
                <button class="danger" on:click=move |_| { delete.dispatch(()); }>"Delete it"</button>
                <button on:click=move |_| is_sure.set(false)>"Keep it"</button>
            }.into_any()
        } else {
            view! { <button class="quiet" disabled=move || !awake.get() on:click=move |_| is_sure.set(true)>"Delete"</button> }.into_any()
        }}
        <span class="why" role="alert">{failed}</span>
    }
}
