//! Where readings come from: how each source is, what to do about one that does not answer, and how one is set up.

use crate::components::figure::Number;
use crate::{browser, format, paths};
use leptos::prelude::*;
use model::source::{SourceKind, SourceState, SourceStatus};

/// What is said of a kind of source.
pub struct KindWords {
    /// Which.
    pub kind: SourceKind,
    /// What it is called.
    pub name: &'static str,
    /// What it brings, in a sentence or two.
    pub about: &'static str,
    /// How it is set up; empty where there is nothing to set up.
    pub example: &'static str,
    /// What to look at where it is silent.
    pub silent: &'static str,
}

/// Every kind, those that most fleets have first.
pub const KINDS: [KindWords; 8] = [
    KindWords {
        kind: SourceKind::Scrape,
        name: "Page of metrics",
        about: "A page that is read over HTTP at a steady pace: DCGM exporter or nvidia-smi exporter for GPUs, node exporter for hosts, or a serving engine (vLLM, SGLang, TensorRT-LLM, Dynamo, NIM) for tokens. Labels say where it stands; they win over what the page says.",
        example: "[[scrape]]\nname = \"dcgm-gpu-001\"\nurl = \"http://gpu-001:9400/metrics\"\nevery_s = 10\nlabels = { host = \"gpu-001\", rack = \"A01\", hall = \"Hall A\" }",
        silent: "Open its address in a browser on this server's host. If that fails, start the exporter again or open the port.",
    },
    KindWords {
        kind: SourceKind::RemoteWrite,
        name: "Remote write",
        about: "Others write here: Prometheus, vmagent, Grafana Alloy, or a second Millwright. Nothing is read from them, so they need no way in, only a way out. The lines go into the writer's configuration.",
        example: "remote_write:\n  - url: {origin}{write}",
        silent: "Look at the writer's log: it may be stopped, or its network may not reach this server.",
    },
    KindWords {
        kind: SourceKind::Query,
        name: "Query of a store",
        about: "A Prometheus or VictoriaMetrics that already collects the fleet is asked for its newest values, and for the past where a chart needs it.",
        example: "[[query]]\nname = \"prometheus\"\nurl = \"http://prometheus:9090\"\nevery_s = 15",
        silent: "Open the store's own page and see whether its targets are up.",
    },
    KindWords {
        kind: SourceKind::Nvml,
        name: "This host's GPUs (NVML)",
        about: "The GPUs of the host that this server runs on, read through the driver's library. Where there is no driver this says so, and nothing else is affected.",
        example: "[nvml]\nevery_ms = 1000\nrack = \"A01\"\nhall = \"Hall A\"",
        silent: "Run nvidia-smi on the host: where it hangs too, the driver hangs and the host must be started again.",
    },
    KindWords {
        kind: SourceKind::KernelLog,
        name: "Kernel log",
        about: "Where GPU errors (XID) are told. This host's own is read where no file is named; a file may gather the logs of many hosts.",
        example: "[[kernel_log]]\nname = \"kernel\"\n\n[[kernel_log]]\nname = \"gathered\"\nfile = \"/var/log/gathered/kernel.log\"",
        silent: "A quiet log is usual. If hosts write to a file, see whether it still grows.",
    },
    KindWords {
        kind: SourceKind::Exchange,
        name: "Facility bus (DSX Exchange)",
        about: "What the building says over MQTT: meters, coolant distribution units, pumps, leaks, and what the grid asks for.",
        example: "[[exchange]]\nname = \"building\"\nbroker = \"mqtt://broker:1883\"\nutility_meters = [\"MV-1\", \"MV-2\"]",
        silent: "See whether the broker is reachable and whether the building's integration still sends its heartbeat; the facility's page shows it.",
    },
    KindWords {
        kind: SourceKind::Replay,
        name: "Recording",
        about: "A recording that is played again, for a demonstration or to look at what happened. What it brings is of the past and says so.",
        example: "[[replay]]\nname = \"incident\"\nfile = \"incident.csv\"\nspeed = 10\nagain = \"once\"",
        silent: "A recording has gaps where the fleet had them.",
    },
    KindWords {
        kind: SourceKind::Demo,
        name: "Made-up fleet",
        about: "A fleet that does not exist, to try the pages with. Every page says that its readings are made up. It is no line of the file: the server is started with --demo.",
        example: "",
        silent: "Start the server again.",
    },
];

/// Where a history may be sent on to.
pub const FORWARD: &str = "[forward]\nurl = \"http://victoriametrics:8428/api/v1/write\"";

/// What is said of a kind.
pub fn words(kind: SourceKind) -> &'static KindWords {
    KINDS.iter().find(|words| words.kind == kind).unwrap_or(&KINDS[0])
}

/// How many of them answer, in a sentence.
pub fn finding(sources: &[SourceStatus]) -> String {
    let up = sources.iter().filter(|source| source.state.is_up()).count() as u32;
    let count = |of: fn(&SourceState) -> bool| sources.iter().filter(|source| of(&source.state)).count() as u32;
    let rest = [
        (count(|state| matches!(state, SourceState::Failing { .. })), "can't be read"),
        (count(|state| matches!(state, SourceState::Stale { .. })), "silent"),
        (count(|state| matches!(state, SourceState::Connecting)), "not answered yet"),
        (count(|state| matches!(state, SourceState::Absent { .. })), "not there, which is no fault"),
        (count(|state| matches!(state, SourceState::Ended)), "at its end"),
    ];
    let rest: Vec<String> = rest
        .iter()
        .filter(|(many, _)| *many > 0)
        .map(|(many, what)| format!("{} {what}", format::count(*many)))
        .collect();
    let answer = if up == 1 { "answers" } else { "answer" };
    let all = format::things(sources.len() as u32, "source", "sources");
    let detail = if rest.is_empty() { String::new() } else { format!(": {}", rest.join(", ")) };
    format!("{} of {all} {answer}{detail}.", format::count(up))
}

/// How sources are that are set up and brought no GPU yet, in a sentence.
pub fn waited_for(sources: &[SourceStatus]) -> String {
    let failing = sources.iter().filter(|source| matches!(source.state, SourceState::Failing { .. })).count() as u32;
    let all = format::things(sources.len() as u32, "source is", "sources are");
    match (sources.len(), failing) {
        (1, 0) => format!("{all} set up, and it has brought no GPU."),
        (1, _) => format!("{all} set up, and it fails."),
        (_, 0) => format!("{all} set up. None of them fails, and none has brought a GPU."),
        (_, 1) => format!("{all} set up and 1 of them fails."),
        (_, many) => format!("{all} set up and {} of them fail.", format::count(many)),
    }
}

/// Sources, those that need a person first.
#[component]
pub fn SourceList(
    /// The sources.
    sources: Vec<SourceStatus>,
    /// When they were so, milliseconds since 1970 UTC.
    at_ms: i64,
) -> impl IntoView {
    let mut sources = sources;
    sources.sort_by_key(|source| rank(&source.state));
    view! { <h2 class="hidden">"Each source"</h2> <ul class="feeds">{sources.into_iter().map(|source| view! { <OneSource source at_ms/> }).collect_view()}</ul> }
}

fn rank(state: &SourceState) -> u8 {
    match state {
        SourceState::Failing { .. } => 0,
        SourceState::Stale { .. } => 1,
        SourceState::Connecting => 2,
        SourceState::Connected => 3,
        SourceState::Ended => 4,
        SourceState::Absent { .. } => 5,
    }
}

#[component]
fn OneSource(source: SourceStatus, at_ms: i64) -> impl IntoView {
    let kind = words(source.kind);
    let last = source.last_ms.map(|last_ms| {
        view! { {format::ago(at_ms - last_ms)} ", at " {format::moment_to_second(last_ms)} }
    });
    let last = last.map_or_else(|| view! { "— (nothing came yet)" }.into_any(), IntoAny::into_any);
    let peer = source.peer.clone().map(|peer| view! { <div><dt>"At the other end"</dt><dd>{peer}</dd></div> });
    let unknown = (source.unknown > 0).then_some(" (their names mean nothing here; they are not kept)");
    let error = source.last_error.clone().map(|error| {
        let many = format::many(source.errors).to_string();
        view! { <p class="soft"><span class="name">"Last thing that was wrong with what it brought: "</span>{error} " (" {many} " since the start)"</p> }
    });
    view! {
        <li class="feed">
            <h3><StateMark state=source.state.clone()/> {source.name.clone()} " " <span class="soft">{kind.name}</span></h3>
            <p class="soft target"><code>{source.target.clone()}</code></p>
            {state_words(&source.state, kind, at_ms)}
            <dl class="figures">
                <div><dt>"Readings"</dt><dd><Number figure=format::per_second(source.readings_per_s)/></dd></div>
                <div><dt>"Series"</dt><dd><Number figure=format::count(source.series)/></dd></div>
                <div><dt>"Last reading"</dt><dd>{last}</dd></div>
                <div><dt>"Readings since the start"</dt><dd><Number figure=format::many(source.readings)/></dd></div>
                <div><dt>"Not known"</dt><dd><Number figure=format::many(source.unknown)/> {unknown}</dd></div>
                {peer}
            </dl>
            {error}
        </li>
    }
}

/// How a source is in words: since when, why, and what to do.
fn state_words(state: &SourceState, kind: &'static KindWords, at_ms: i64) -> AnyView {
    let since =
        |since_ms: i64| format!("since {} ({})", format::moment_to_second(since_ms), format::ago(at_ms - since_ms));
    match state {
        SourceState::Connected => ().into_any(),
        SourceState::Connecting => view! { <p class="outcome calm">"It has not answered yet; it is asked again by itself."</p> }.into_any(),
        SourceState::Stale { since_ms } => view! {
            <p class="outcome warning">"It answered before, and is silent " {since(*since_ms)} ". Its figures are greyed everywhere. "
                <span class="name">"To do: "</span> {kind.silent}</p>
        }
        .into_any(),
        SourceState::Failing { since_ms, why, mend } => view! {
            <p class="outcome error">"It can't be read " {since(*since_ms)} ": " {why.clone()} " " <span class="name">"To do: "</span> {mend.clone()}</p>
        }
        .into_any(),
        SourceState::Absent { why } => view! { <p class="outcome calm">{why.clone()} " Nothing is wrong with that."</p> }.into_any(),
        SourceState::Ended => view! { <p class="outcome calm">"It came to its end; nothing more will come."</p> }.into_any(),
    }
}

/// The shape and word of a source's state.
#[component]
fn StateMark(state: SourceState) -> impl IntoView {
    let (class, word, shape) = match state {
        SourceState::Connected => ("ok", "answers", "M3 8.5 6.5 12 13 4.5"),
        SourceState::Connecting => ("note", "waiting", "M8 2a6 6 0 1 0 .01 0M8 4.5V8l2.5 1.5"),
        SourceState::Stale { .. } => ("warning", "silent", "M8 2 15 14H1ZM8 6.5v4M8 12v.5"),
        SourceState::Failing { .. } => {
            ("error", "failing", "M5 1.5h6L14.5 5v6L11 14.5H5L1.5 11V5ZM5.5 5.5l5 5M10.5 5.5l-5 5")
        }
        SourceState::Absent { .. } => ("quiet", "not there", "M8 2a6 6 0 1 0 .01 0M4 12l8-8"),
        SourceState::Ended => ("quiet", "ended", "M3 3h10v10H3Z"),
    };
    view! {
        <span class=format!("mark {class}")>
            <svg viewBox="0 0 16 16" aria-hidden="true"><path d=shape/></svg>
            {word}
        </span>
    }
}

/// How each kind of source is set up, with lines to copy.
#[component]
pub fn SetUp() -> impl IntoView {
    let origin = RwSignal::new("http://this-server:8080".to_owned());
    Effect::new(move |_| {
        let here = browser::origin();
        if !here.is_empty() {
            origin.set(here);
        }
    });
    let kind = move |words: &'static KindWords| {
        let lines = move || words.example.replace("{origin}", &origin.get()).replace("{write}", paths::REMOTE_WRITE);
        view! {
            <li>
                <h3>{words.name}</h3>
                <p>{words.about}</p>
                {(!words.example.is_empty()).then(|| view! { <Copied label=words.name lines=Signal::derive(lines)/> })}
            </li>
        }
    };
    view! {
        <ul class="setups">
            {KINDS.iter().map(kind).collect_view()}
            <li>
                <h3>"Sent on"</h3>
                <p>"The history is kept here. A fleet that outgrows this machine has it sent on to a VictoriaMetrics or Prometheus, and charts of the past then ask there."</p>
                <Copied label="Sent on" lines=Signal::derive(|| FORWARD.to_owned())/>
            </li>
        </ul>
    }
}

/// Lines of a file with a button that copies them.
#[component]
fn Copied(label: &'static str, #[prop(into)] lines: Signal<String>) -> impl IntoView {
    let copied = RwSignal::new(false);
    let copy = move |_| {
        browser::copy_text(&lines.get_untracked());
        copied.set(true);
    };
    view! {
        <pre tabindex="0" role="region" aria-label=format!("Example: {label}")><code>{move || lines.get()}</code></pre>
        <p class="actions">
            <button on:click=copy>"Copy" <span class="hidden">" the example: " {label}</span></button>
            <span class="soft" role="status">{move || if copied.get() { "Copied." } else { "" }}</span>
        </p>
    }
}
