//! Errors of a GPU's driver that belong together, and events in the order of time: what, where, when, and what to do.

use crate::components::chart::Chart;
use crate::happened::{self, Kind};
use crate::{format, paths};
use leptos::prelude::*;
use model::event::{Burst, BurstCode, FleetEvent, XidAction, XidMeaning};
use model::fleet::FleetPlace;
use model::note::Severity;

/// Bursts, the newest first as they come.
#[component]
pub fn Bursts(
    /// The bursts.
    bursts: Vec<Burst>,
) -> impl IntoView {
    if bursts.is_empty() {
        return view! { <p class="empty">"No GPU reported an error in this time."</p> }.into_any();
    }
    view! { <ul class="bursts">{bursts.into_iter().map(|burst| view! { <OneBurst burst/> }).collect_view()}</ul> }
        .into_any()
}

#[component]
fn OneBurst(burst: Burst) -> impl IntoView {
    let severity = happened::burst_severity(&burst);
    let state = if burst.closed { "over" } else { "still within three minutes of the last error" };
    let jobs = if burst.disrupts_jobs {
        "Jobs on this node were most likely cut off."
    } else {
        "Jobs on this node most likely went on."
    };
    let sticky = (burst.sticky_suppressed > 0).then(|| {
        let many = format::things(burst.sticky_suppressed, "error was", "errors were");
        format!("{many} left out: such errors stick, and the same had come within the three hours before.")
    });
    let gpus = burst.gpus.iter().map(|gpu| view! { <li>{gpu_link(Some(&burst.host), gpu)}</li> }).collect_view();
    let no_gpu = burst.gpus.is_empty().then_some("The driver named no GPU.");
    view! {
        <li class=format!("burst {}", word(severity))>
            <h3>
                <SeverityMark severity/>
                <a href=paths::fleet_place(&FleetPlace::Node(burst.host.clone()))>{burst.host.clone()}</a> " "
                <span class=if burst.closed { "soft" } else { "open" }>{if burst.closed { "" } else { "open: " }} {state}</span>
            </h3>
            <p class="soft">
                <time datetime=format::timestamp(burst.start_ms)>{format::moment_to_second(burst.start_ms)}</time> " to "
                {format::clock_time(burst.end_ms, format::Told::Seconds)} " · " {happened::burst_length(&burst)}
            </p>
            <p><span class="name">"To do: "</span> {happened::action(burst.action)} ". " <span class="soft">{happened::decided_by(&burst)} "."</span></p>
            <p>{jobs}</p>
            <Codes codes=burst.codes.clone()/>
            <div class="gpus"><span class="soft">"GPUs: "</span> {no_gpu} <ul class="inline">{gpus}</ul></div>
            {sticky.map(|words| view! { <p class="soft">{words}</p> })}
        </li>
    }
}

/// Each number of a burst with its meaning.
#[component]
fn Codes(codes: Vec<BurstCode>) -> impl IntoView {
    let row = |BurstCode { meaning, count }: BurstCode| {
        let XidMeaning { code, mnemonic, words, immediate, investigate } = meaning;
        let then = investigate.filter(|then| *then != XidAction::Ignore && *then != immediate);
        // Where nothing is to be done at once, what follows is for an error that comes back.
        let when = if immediate == XidAction::Ignore { "if it comes again" } else { "after that" };
        view! {
            <li>
                <span class="name">"XID " {code}</span> " × " {format::count(count).to_string()} " "
                {words} " " {(!mnemonic.is_empty()).then(|| view! { <code>{mnemonic}</code> })}
                <span class="soft description">{happened::action(immediate)} {then.map(|then| format!("; {when}: {}", lowered(happened::action(then))))} "."</span>
            </li>
        }
    };
    view! { <ul class="codes">{codes.into_iter().map(row).collect_view()}</ul> }
}

/// A sentence that goes on after another.
fn lowered(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// A GPU with a link to its page, where it is named by its index.
fn gpu_link(host: Option<&String>, gpu: &str) -> AnyView {
    let indexed = !gpu.is_empty() && gpu.bytes().all(|byte| byte.is_ascii_digit());
    match host.filter(|_| indexed) {
        Some(host) => {
            let place = FleetPlace::Gpu(host.clone(), gpu.to_owned());
            view! { <a href=paths::fleet_place(&place)>"GPU " {gpu.to_owned()}</a> }.into_any()
        }
        None if indexed => view! { <span>"GPU " {gpu.to_owned()}</span> }.into_any(),
        None => view! { <code>{gpu.to_owned()}</code> }.into_any(),
    }
}

/// Events under the headings of their hours or days.
#[component]
pub fn EventList(
    /// The events, the newest first.
    events: Vec<FleetEvent>,
    /// How long a time they are of, milliseconds.
    span_ms: i64,
    /// Errors whose meaning is known.
    known: Vec<XidMeaning>,
) -> impl IntoView {
    let group = |(heading, events): (String, Vec<FleetEvent>)| {
        let many = format::things(events.len() as u32, "event", "events");
        let items = events.into_iter().map(|event| one_event(event, &known)).collect_view();
        view! { <h3>{heading} " " <span class="soft">{many}</span></h3> <ol class="happenings" reversed>{items}</ol> }
    };
    happened::grouped(events, span_ms).into_iter().map(group).collect_view()
}

fn one_event(event: FleetEvent, known: &[XidMeaning]) -> impl IntoView + use<> {
    let kind = happened::kind(&event.what);
    let says = happened::sentence(&event.what, known);
    let host = event.host.as_ref().map(|host| {
        view! { <a href=paths::fleet_place(&FleetPlace::Node(host.clone()))>{host.clone()}</a> " " }
    });
    let gpu = event.gpu.as_ref().map(|gpu| view! { {gpu_link(event.host.as_ref(), gpu)} " " });
    let message = (!event.message.is_empty())
        .then(|| view! { <span class="soft description said">{event.message.clone()}</span> });
    view! {
        <li>
            <time class="figure" datetime=format::timestamp(event.at_ms)>{format::clock_time(event.at_ms, format::Told::Seconds)}</time>
            <span class="what"><KindMark kind/></span>
            <span class="says">{host} {gpu} {says} " " <a class="soft from" href=paths::SOURCES>"told by " {event.source.clone()}</a> {message}</span>
        </li>
    }
}

/// Events counted by time and kind, as a picture and as a table.
#[component]
pub fn EventPicture(
    /// The events.
    events: Vec<FleetEvent>,
    /// From when the picture is, milliseconds since 1970 UTC.
    from_ms: i64,
    /// Until when.
    to_ms: i64,
) -> impl IntoView {
    let line = happened::timeline(&events, from_ms, to_ms);
    let title = line.finding();
    let svg = chart::event_lanes(&line.lanes, &line.marks(), &title);
    let heads =
        line.lanes.iter().map(|lane| view! { <th scope="col" class="num">{lane.name.clone()}</th> }).collect_view();
    let rows = (0..line.starts_ms.len())
        .filter(|at| line.count(*at) > 0)
        .map(|at| {
            let cells = line.lanes.iter().map(|lane| {
                let count = lane.counts.get(at).copied().unwrap_or_default();
                view! { <td class="num">{format::count(count).to_string()}</td> }
            });
            view! { <tr><th scope="row">{line.start_words(at)}</th>{cells.collect_view()}</tr> }
        })
        .collect_view();
    view! {
        <Chart title svg>
            <table>
                <caption>"Events in each " {line.step()} "; those in which nothing happened are left out."</caption>
                <thead><tr><th scope="col">"From"</th>{heads}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </Chart>
    }
}

/// The shape and word of a kind of event.
#[component]
pub fn KindMark(
    /// Which.
    kind: Kind,
) -> impl IntoView {
    view! {
        <span class=format!("mark {}", word(kind.severity))>
            <svg viewBox="0 0 16 16" aria-hidden="true"><path d=kind.shape/></svg>
            {kind.words}
        </span>
    }
}

/// The shape and word of how much something matters.
#[component]
pub fn SeverityMark(
    /// How much.
    severity: Severity,
) -> impl IntoView {
    let shape = match severity {
        Severity::Note => "M8 2a6 6 0 1 0 .01 0M8 7.5v4M8 4.7v.6",
        Severity::Warning => "M8 2 15 14H1ZM8 6.5v4M8 12v.5",
        Severity::Error => "M5 1.5h6L14.5 5v6L11 14.5H5L1.5 11V5ZM5.5 5.5l5 5M10.5 5.5l-5 5",
    };
    view! {
        <span class=format!("mark {}", word(severity))>
            <svg viewBox="0 0 16 16" aria-hidden="true"><path d=shape/></svg>
            {word(severity)}
        </span>
    }
}

/// How much something matters, in a word.
pub fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}
