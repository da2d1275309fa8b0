//! What would this stream of requests meet on that fleet? A form that asks, and what was asked before.

use crate::api::{self, ApiError};
use crate::asked::Misread;
use crate::browser;
use crate::components::failure::{Extent, Loaded};
use crate::components::figure::Number;
use crate::components::question::Misreadings;
use crate::components::serving::ServingTabs;
use crate::replayed::{self, ENGINES, first_asked, router_words};
use crate::{format, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use model::design::Precision;
use model::id::ReplayId;
use model::input::FILE_BYTES_MAX;
use model::replay::{
    Foretelling, MadeUpKind, ReplayCreate, ReplayDesk, ReplayEvent, ReplaySetup, ReplaySummary, ReplayTier,
    RequestSource, Routing,
};
use serde::{Deserialize, Serialize};
use sim::serving::ask;
use std::str::FromStr;

/// What a source that is a file is called in the form.
const FILE: &str = "file";

/// Replays: start one, and the earlier ones.
#[component]
pub fn ReplaysPage() -> impl IntoView {
    let query = use_query_map();
    let desk = Resource::new(
        move || query.read().get("again").unwrap_or_default(),
        |again| async move {
            if again.is_empty() {
                return Ok(Asked { desk: api::replay_desk(None).await?, misread: Vec::new() });
            }
            let found = match again.parse::<ReplayId>() {
                Ok(id) => api::replay_desk(Some(id)).await,
                Err(_) => Err(ApiError::NotFound { what: format!("replay \"{again}\"") }),
            };
            match found {
                Err(ApiError::NotFound { .. }) => {
                    Ok(Asked { desk: api::replay_desk(None).await?, misread: vec![no_such(again)] })
                }
                found => found.map(|desk| Asked { desk, misread: Vec::new() }),
            }
        },
    );
    view! { <Title text="Replay"/><ServingTabs/><Loaded resource=desk noun="replays" extent=Extent::Page show=page/> }
}

/// What the page shows, and what of its address could not be understood.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Asked {
    desk: ReplayDesk,
    misread: Vec<Misread>,
}

fn no_such(again: String) -> Misread {
    Misread {
        key: "again".into(),
        name: "The replay to run again".into(),
        given: again,
        allowed: "one of those below".into(),
        used: "A fleet that fits".into(),
    }
}

fn page(Asked { desk, misread }: Asked) -> AnyView {
    let earlier = desk.earlier.clone();
    view! {
        <h1>"Replay requests"</h1>
        <p class="lead">"A replay sends a stream of requests, one by one, through a fleet of GPUs step by step, and says how long each waits, how many finish in time, and what that draws."</p>
        <Misreadings of=misread/>
        <Form desk/>
        <section aria-labelledby="earlier">
            <h2 id="earlier">"Earlier replays"</h2>
            {list(earlier)}
        </section>
    }
    .into_any()
}

fn list(earlier: Vec<ReplaySummary>) -> AnyView {
    if earlier.is_empty() {
        return view! {
            <p class="empty">"Nothing was replayed yet. The form above holds a fleet that fits: "<a href="#replay-start">"press “Replay”"</a>" to see what comes of it."</p>
        }
        .into_any();
    }
    let rows = earlier.into_iter().map(|replay| {
        view! {
            <tr>
                <th scope="row">
                    <a href=paths::replay(&replay.id)>{replay.name.clone()}</a>
                    <span class="soft description">{replayed::source_words(&replay.source, replay.requests)}</span>
                </th>
                <td>{replay.model_name.clone()} <span class="soft description">{replay.precision.words()}</span></td>
                <td>{replayed::fleet_words(&replay)} <span class="soft description">{router_words(replay.routing)}</span></td>
                <td class="num"><Number figure=format::percent(replay.attainment)/></td>
                <td class="num"><Number figure=format::token_rate(replay.output_tokens_per_s)/></td>
                <td class="num"><Number figure=format::or_missing(replay.joules_per_output_token, format::joules_per_token)/></td>
                <td>{format::moment(replay.created_ms)}</td>
            </tr>
        }
    });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Earlier replays">
            <table>
                <caption>"Newest first. In time: finished within both targets. Tokens are output tokens; the energy is of GPU boards alone."</caption>
                <thead><tr>
                    <th scope="col">"Replay and requests"</th><th scope="col">"Model"</th><th scope="col">"Replicas, and how requests go"</th>
                    <th scope="col" class="num">"In time"</th><th scope="col" class="num">"Output"</th>
                    <th scope="col" class="num">"Energy"</th><th scope="col">"Made"</th>
                </tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// What stands in the form, as it was typed.
#[derive(Clone, Copy)]
struct Fields {
    name: RwSignal<String>,
    source: RwSignal<String>,
    rate: RwSignal<String>,
    count: RwSignal<String>,
    seed: RwSignal<String>,
    trace: RwSignal<Option<RequestSource>>,
    gpu: RwSignal<String>,
    model: RwSignal<String>,
    precision: RwSignal<String>,
    engine: RwSignal<String>,
    tensor: RwSignal<String>,
    data: RwSignal<String>,
    expert: RwSignal<String>,
    replicas: RwSignal<String>,
    also: RwSignal<String>,
    prefill: RwSignal<String>,
    routing: RwSignal<String>,
    prefix_cache: RwSignal<bool>,
    autoscale: RwSignal<bool>,
    predictor: RwSignal<String>,
    cap: RwSignal<String>,
    ttft: RwSignal<String>,
    tpot: RwSignal<String>,
    chance: RwSignal<String>,
    requests_max: RwSignal<String>,
    step_tokens_max: RwSignal<String>,
    host: TierFields,
    disk: TierFields,
    events: RwSignal<String>,
}

/// Room beside the GPUs, as it was typed: GB and GB/s.
#[derive(Clone, Copy)]
struct TierFields {
    size: RwSignal<String>,
    speed: RwSignal<String>,
}

impl TierFields {
    /// What was asked, or nothing with a speed to begin with.
    fn of(tier: Option<ReplayTier>, speed: f64) -> Self {
        let giga = |bytes: f64| RwSignal::new((bytes / GIGA).to_string());
        match tier {
            Some(ReplayTier { size_bytes, bytes_per_s }) => Self { size: giga(size_bytes), speed: giga(bytes_per_s) },
            None => Self { size: RwSignal::new(String::new()), speed: RwSignal::new(speed.to_string()) },
        }
    }

    fn read(self, size: &str, speed: &str) -> Result<Option<ReplayTier>, ApiError> {
        let Some(bytes) = optional::<f64>(size, self.size)? else { return Ok(None) };
        let per_s: f64 = number(speed, self.speed)?;
        Ok(Some(ReplayTier { size_bytes: bytes * GIGA, bytes_per_s: per_s * GIGA }))
    }
}

/// Bytes of a gigabyte.
const GIGA: f64 = 1e9;
/// Speeds that tiers begin with, GB/s: a link and a drive of PCIe 5.0, less than either carries.
const SPEEDS: [f64; 2] = [50.0, 6.0];

impl Fields {
    fn of(asked: ReplayCreate) -> Self {
        let ReplayCreate { name, setup, requests } = asked;
        let text = |value: String| RwSignal::new(value);
        let (kind, rate, count, seed, trace) = match requests {
            RequestSource::MadeUp { kind, requests_per_s, count, seed } => {
                (kind.name(), requests_per_s, count, seed, None)
            }
            file @ (RequestSource::Text { .. } | RequestSource::Kept { .. }) => (FILE, 20.0, 6_000, 1, Some(file)),
        };
        Self {
            name: text(name),
            source: text(kind.to_owned()),
            rate: text(rate.to_string()),
            count: text(count.to_string()),
            seed: text(seed.to_string()),
            trace: RwSignal::new(trace),
            gpu: text(setup.gpu),
            model: text(setup.model),
            precision: text(setup.precision.name().to_owned()),
            engine: text(setup.engine),
            tensor: text(setup.tensor.to_string()),
            data: text(setup.data.to_string()),
            expert: text(setup.expert.to_string()),
            replicas: text(setup.replicas.to_string()),
            also: text(replayed::also_typed(&setup.also)),
            prefill: text(setup.prefill_replicas.to_string()),
            routing: text(setup.routing.name().to_owned()),
            prefix_cache: RwSignal::new(setup.prefix_cache),
            autoscale: RwSignal::new(setup.autoscale),
            predictor: text(setup.predictor.name().to_owned()),
            cap: text(setup.power_cap_w.map(|cap| cap.to_string()).unwrap_or_default()),
            ttft: text(setup.ttft_ms.to_string()),
            tpot: text(setup.tpot_ms.to_string()),
            chance: text(setup.seed.to_string()),
            requests_max: text(setup.requests_max.map(|most| most.to_string()).unwrap_or_default()),
            step_tokens_max: text(setup.step_tokens_max.map(|most| most.to_string()).unwrap_or_default()),
            host: TierFields::of(setup.host_cache, SPEEDS[0]),
            disk: TierFields::of(setup.disk_cache, SPEEDS[1]),
            events: text(setup.events.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
        }
    }

    /// What is asked, or what can't be read in which field.
    fn read(self) -> Result<ReplayCreate, ApiError> {
        let setup = ReplaySetup {
            gpu: self.gpu.get_untracked(),
            model: self.model.get_untracked(),
            precision: one_of("Precision", ask::precision(&self.precision.get_untracked()))?,
            engine: self.engine.get_untracked(),
            tensor: number("GPUs per replica", self.tensor)?,
            data: number("Data-parallel groups", self.data)?,
            expert: number("GPUs per expert group", self.expert)?,
            replicas: number("Replicas", self.replicas)?,
            also: one_of("Also serves", replayed::also_read(&self.also.get_untracked()))?,
            prefill_replicas: number("Of which for prompts", self.prefill)?,
            routing: one_of("Requests go", self.routing.get_untracked().parse())?,
            prefix_cache: self.prefix_cache.get_untracked(),
            autoscale: self.autoscale.get_untracked(),
            predictor: one_of("Predictor", self.predictor.get_untracked().parse())?,
            host_cache: self.host.read("Host memory", "Speed of host memory")?,
            disk_cache: self.disk.read("Disk", "Speed of the disk")?,
            power_cap_w: optional("Power limit", self.cap)?,
            requests_max: optional("Requests at once", self.requests_max)?,
            step_tokens_max: optional("Tokens of a step", self.step_tokens_max)?,
            ttft_ms: number("First token within", self.ttft)?,
            tpot_ms: number("Each next within", self.tpot)?,
            seed: number("Seed of the router", self.chance)?,
            events: events(&self.events.get_untracked())?,
        };
        Ok(ReplayCreate { name: self.name.get_untracked(), setup, requests: self.requests()? })
    }

    fn requests(self) -> Result<RequestSource, ApiError> {
        let source = self.source.get_untracked();
        if let Some(kind) = MadeUpKind::ALL.into_iter().find(|kind| kind.name() == source) {
            return Ok(RequestSource::MadeUp {
                kind,
                requests_per_s: number("Rate", self.rate)?,
                count: number("Requests", self.count)?,
                seed: number("Seed", self.seed)?,
            });
        }
        let none = || ApiError::Invalid { reason: "Choose the file of a trace, or made-up requests.".into() };
        self.trace.get_untracked().ok_or_else(none)
    }
}

/// What happens meanwhile, a line each.
fn events(typed: &str) -> Result<Vec<ReplayEvent>, ApiError> {
    let lines = typed.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |(at, line): (usize, &str)| {
        let wrong = |why: String| ApiError::Invalid {
            reason: format!("What happens, line {}, “{}”: {why}.", at + 1, line.trim()),
        };
        line.parse().map_err(wrong)
    };
    lines.map(read).collect()
}

/// A number that was typed, or none where the field is empty.
fn optional<T: FromStr>(label: &str, typed: RwSignal<String>) -> Result<Option<T>, ApiError> {
    if typed.with_untracked(|typed| typed.trim().is_empty()) { Ok(None) } else { number(label, typed).map(Some) }
}

/// What was chosen or typed, or why it can't be read.
fn one_of<T>(label: &str, chosen: Result<T, String>) -> Result<T, ApiError> {
    chosen.map_err(|why| ApiError::Invalid { reason: format!("{label}: {why}.") })
}

/// A number that was typed.
fn number<T: FromStr>(label: &str, typed: RwSignal<String>) -> Result<T, ApiError> {
    let typed = typed.get_untracked();
    let wrong =
        |_| ApiError::Invalid { reason: format!("{label}: “{}” is no number that can stand here.", typed.trim()) };
    typed.trim().parse().map_err(wrong)
}

/// What is replayed through what.
#[component]
fn Form(desk: ReplayDesk) -> impl IntoView {
    let awake = RwSignal::new(false);
    Effect::new(move |_| awake.set(true));
    let fields = Fields::of(desk.again.clone().unwrap_or_else(first_asked));
    let start = Action::new(move |(): &()| {
        let asked = fields.read();
        async move { api::replay_start(asked?).await }
    });
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(Ok(id)) = start.value().get() {
            navigate(&paths::replay(&id), NavigateOptions::default());
        }
    });
    let refused = move || start.value().get().and_then(Result::err).map(|error| error.to_string());
    let idle = move || awake.get() && !start.pending().get();
    view! {
        <form class="asks" on:submit=move |event| { event.prevent_default(); start.dispatch(()); }>
            <div class="ask-parts">
                <RequestFields fields/>
                <FleetFields fields gpus=desk.gpus models=desk.models/>
                <RunFields fields/>
            </div>
            <MoreFields fields/>
            <p class="actions">
                <button id="replay-start" class="primary" type="submit" disabled=move || !idle()>{move || if start.pending().get() { "Replaying…" } else { "Replay" }}</button>
                <span class="why" role="alert">{refused}</span>
            </p>
        </form>
    }
}

/// A field for a number, with its unit and what it is about.
#[component]
fn NumberField(
    id: &'static str,
    label: &'static str,
    unit: &'static str,
    about: &'static str,
    #[prop(default = "any")] step: &'static str,
    #[prop(optional)] placeholder: &'static str,
    value: RwSignal<String>,
) -> impl IntoView {
    view! {
        <div class="field"><label for=id>{label}</label><span class="control">
            <input id=id type="number" min="0" step=step placeholder=placeholder prop:value=move || value.get() on:input:target=move |event| value.set(event.target().value())/>
            <span class="unit">{unit}</span>
        </span><p class="about">{about}</p></div>
    }
}

/// A field for one of several, by value and words.
#[component]
fn ChoiceField(
    id: &'static str,
    label: &'static str,
    about: &'static str,
    choices: Vec<(String, String)>,
    value: RwSignal<String>,
) -> impl IntoView {
    let options = choices.into_iter().map(|(own, words)| {
        let is = own.clone();
        view! { <option value=own selected=move || value.with(|value| *value == is)>{words}</option> }
    });
    view! {
        <div class="field"><label for=id>{label}</label><span class="control">
            <select id=id on:change:target=move |event| value.set(event.target().value())>{options.collect_view()}</select>
        </span><p class="about">{about}</p></div>
    }
}

#[component]
fn RequestFields(fields: Fields) -> impl IntoView {
    let kinds = MadeUpKind::ALL.map(|kind| (kind.name().to_owned(), format!("Made up: {}", short(kind))));
    let choices = kinds.into_iter().chain([(FILE.to_owned(), "A trace of your own".to_owned())]).collect();
    let said = RwSignal::new(None::<String>);
    let take = move |name: String, text: Result<String, String>| match text {
        Ok(text) => {
            said.set(None);
            fields.trace.set(Some(RequestSource::Text { name, text }));
        }
        Err(why) => said.set(Some(why)),
    };
    let chosen = move || {
        fields.trace.with(|trace| match trace {
            Some(RequestSource::Text { name, text }) => {
                format!("{name}, {}, is sent with the replay.", format::bytes(text.len() as f64))
            }
            Some(RequestSource::Kept { name, .. }) => format!("{name}, kept from the earlier replay."),
            Some(RequestSource::MadeUp { .. }) | None => "No file is chosen yet.".to_owned(),
        })
    };
    let file = move || {
        view! {
            <label class="file about-always" for="replay-trace">"Azure LLM trace CSV, Mooncake JSONL, or a table at_s,input_tokens,output_tokens (with tenant, model, session, priority if you like). Up to " {format::bytes(FILE_BYTES_MAX as f64).to_string()} "."</label>
            <input id="replay-trace" type="file" accept=".csv,.jsonl,.json,.txt,text/csv" on:change:target=move |event| browser::read_chosen(&event.target(), FILE_BYTES_MAX as f64, take)/>
            <p class="soft" role="status">{chosen}</p>
            <p class="why" role="alert">{move || said.get()}</p>
        }
    };
    let made = move || {
        let kind = MadeUpKind::ALL
            .into_iter()
            .find(|kind| fields.source.with(|source| source == kind.name()))
            .unwrap_or_default();
        view! {
            <p class="soft">{kind.words()} ". Nobody asked these requests: they are drawn by chance from published figures."</p>
            <NumberField id="replay-rate" label="Rate" unit="a second" about="Requests that come in a second, on average." value=fields.rate/>
            <NumberField id="replay-count" label="Requests" unit="in all" step="1" about="Up to a million; a row of each is kept up to 50 000." value=fields.count/>
            <NumberField id="replay-seed" label="Seed" unit="" step="1" about="The same seed makes the same requests." value=fields.seed/>
        }
    };
    let is_file = Memo::new(move |_| fields.source.with(|source| source == FILE));
    view! {
        <fieldset>
            <legend>"Requests"</legend>
            <ChoiceField id="replay-source" label="From" about="Made up by a seed, or read from a file." choices value=fields.source/>
            {move || if is_file.get() { file().into_any() } else { made().into_any() }}
        </fieldset>
    }
}

fn short(kind: MadeUpKind) -> &'static str {
    match kind {
        MadeUpKind::Chat => "chat",
        MadeUpKind::Code => "code completion",
        MadeUpKind::AgentLoop => "agent loops with turns",
    }
}

#[component]
fn FleetFields(fields: Fields, gpus: Vec<(String, String)>, models: Vec<(String, String)>) -> impl IntoView {
    let precisions = Precision::ALL.map(|p| (p.name().to_owned(), p.words().to_owned())).into();
    let engines = ENGINES.map(|(name, words)| (name.to_owned(), words.to_owned())).into();
    view! {
        <fieldset>
            <legend>"Fleet"</legend>
            <ChoiceField id="replay-model" label="Model" about="The language model that is served." choices=models value=fields.model/>
            <ChoiceField id="replay-precision" label="Precision" about="Number format of its weights: fewer bits are faster and need less memory." choices=precisions value=fields.precision/>
            <ChoiceField id="replay-gpu" label="GPU" about="The GPU of every replica." choices=gpus value=fields.gpu/>
            <NumberField id="replay-tensor" label="GPUs per replica" unit="GPUs" step="1" about="A replica is one copy of the model, split over so many GPUs (tensor parallelism)." value=fields.tensor/>
            <NumberField id="replay-replicas" label="Replicas" unit="in all" step="1" about="Copies of the model that answer side by side." value=fields.replicas/>
            <NumberField id="replay-prefill" label="Of which for prompts" unit="replicas" step="1" about="0: every replica does both. Else so many read prompts alone and hand their KV memory over the network to those that answer." value=fields.prefill/>
            <div class="field"><label for="replay-also">"Also serves"</label><span class="control">
                <input id="replay-also" type="text" spellcheck="false" autocomplete="off" placeholder="nothing else" prop:value=move || fields.also.get() on:input:target=move |event| fields.also.set(event.target().value())/>
            </span><p class="about">"Further models with replicas of their own, on the same GPU and in the same precision: model:GPUs per replica:replicas, with commas between, as llama-3.1-8b:1:2. Requests of a trace go to the model that they name; those that name none, and made-up ones, go to the first."</p></div>
            <ChoiceField id="replay-engine" label="Engine" about="The serving program whose overheads are taken." choices=engines value=fields.engine/>
            <details>
                <summary>"More ways to split"</summary>
                <NumberField id="replay-data" label="Data-parallel groups" unit="groups" step="1" about="Groups within a replica that each keep their own attention; multiplies the GPUs of a replica." value=fields.data/>
                <NumberField id="replay-expert" label="GPUs per expert group" unit="GPUs" step="1" about="For mixtures of experts: over so many GPUs whole experts are spread." value=fields.expert/>
            </details>
        </fieldset>
    }
}

#[component]
fn RunFields(fields: Fields) -> impl IntoView {
    let routers = Routing::ALL.map(|routing| (routing.name().to_owned(), router_words(routing).to_owned())).into();
    let ways = Foretelling::ALL.map(|way| (way.name().to_owned(), way.words().to_owned())).into();
    let tick = |label: &'static str, about: &'static str, value: RwSignal<bool>| {
        view! {
            <div><label class="check"><input type="checkbox" prop:checked=move || value.get() on:change:target=move |event| value.set(event.target().checked())/> {label}</label>
            <p class="soft small">{about}</p></div>
        }
    };
    view! {
        <fieldset>
            <legend>"Targets and how it is run"</legend>
            <NumberField id="replay-ttft" label="First token within" unit="ms" about="Longest time to the first token (TTFT) that counts as in time, waiting included." value=fields.ttft/>
            <NumberField id="replay-tpot" label="Each next within" unit="ms" about="Longest mean time between tokens (TPOT) that counts as in time." value=fields.tpot/>
            <ChoiceField id="replay-router" label="Requests go" about="How the router picks a replica for a request; the last looks at whose cache has most of the prompt, and who has least to do." choices=routers value=fields.routing/>
            {tick("Prefix cache", "Replicas keep the beginnings of prompts, so that a next turn need not be read again.", fields.prefix_cache)}
            {tick("Autoscaler", "Turns replicas off where the targets are met without them, and on again.", fields.autoscale)}
            <ChoiceField id="replay-predictor" label="Predictor" about="How the autoscaler expects the requests of its next three minutes." choices=ways value=fields.predictor/>
            <NumberField id="replay-cap" label="Power limit" unit="W a GPU" placeholder="none" about="A lower limit draws less and slows the steps. Empty: the board’s own limit." value=fields.cap/>
            <NumberField id="replay-chance" label="Seed of the router" unit="" step="1" about="Of routers that choose by chance." value=fields.chance/>
            <div class="field"><label for="replay-name">"Name"</label><span class="control">
                <input id="replay-name" type="text" maxlength="120" placeholder="by model and GPU" prop:value=move || fields.name.get() on:input:target=move |event| fields.name.set(event.target().value())/>
            </span><p class="about">"What it is called in the list below."</p></div>
        </fieldset>
    }
}

/// What most replays leave as it is.
#[component]
fn MoreFields(fields: Fields) -> impl IntoView {
    let beside = |tier: TierFields| !tier.size.get_untracked().is_empty();
    let given = |field: RwSignal<String>| !field.get_untracked().is_empty();
    let is_asked = beside(fields.host)
        || beside(fields.disk)
        || given(fields.events)
        || given(fields.requests_max)
        || given(fields.step_tokens_max);
    view! {
        <details class="more" open=is_asked>
            <summary>"More: failures and power limits meanwhile, caches beside the GPUs, limits of a step"</summary>
            <div class="ask-parts">
                <fieldset>
                    <legend>"What happens meanwhile"</legend>
                    <div class="field"><label for="replay-events">"Events"</label><span class="control">
                        <textarea id="replay-events" rows="4" spellcheck="false" autocomplete="off" placeholder="60:0:fails\n120:0:returns\n300:all:limit=400" prop:value=move || fields.events.get() on:input:target=move |event| fields.events.set(event.target().value())></textarea>
                    </span><p class="about">"A line each: seconds:replica:what. Replicas are numbered from 0, the first model’s first, or all of them: all. What: fails, returns, or limit=W, the watts of each GPU from then on. At most 64; the same lines as "<code>"--event"</code>" of the command takes."</p></div>
                </fieldset>
                <fieldset>
                    <legend>"Caches beside the GPUs"</legend>
                    <NumberField id="replay-host" label="Host memory" unit="GB" placeholder="none" about="Of each replica: keeps blocks of prompts that its GPUs have no room for. Needs the prefix cache." value=fields.host.size/>
                    <NumberField id="replay-host-speed" label="Speed of host memory" unit="GB/s" about="At which its blocks come back to the GPUs of a replica." value=fields.host.speed/>
                    <NumberField id="replay-disk" label="Disk" unit="GB" placeholder="none" about="Of each replica: keeps those that the host has no room for." value=fields.disk.size/>
                    <NumberField id="replay-disk-speed" label="Speed of the disk" unit="GB/s" about="At which its blocks come back." value=fields.disk.speed/>
                </fieldset>
                <fieldset>
                    <legend>"Limits of a replica"</legend>
                    <NumberField id="replay-step-tokens" label="Tokens of a step" unit="at most" step="1" placeholder="by memory" about="Of prompts and answers together (vLLM’s max_num_batched_tokens), 16 to 65 536. Empty: as the engine sets it by the GPU’s memory." value=fields.step_tokens_max/>
                    <NumberField id="replay-requests-max" label="Requests at once" unit="at most" step="1" placeholder="by memory" about="In one replica (vLLM’s max_num_seqs), 1 to 65 536." value=fields.requests_max/>
                </fieldset>
            </div>
        </details>
    }
}
