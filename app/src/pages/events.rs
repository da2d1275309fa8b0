//! What happened in the fleet, what belongs together, and what does it call for?

use crate::api::{self, ApiError};
use crate::components::burst::{Bursts, EventList, EventPicture};
use crate::components::question::Question;
use crate::components::refresh::{AsOf, Watched};
use crate::happened::{self, KINDS};
use crate::paths::{self, EventFilter};
use crate::{browser, format, period};
use leptos::html::{Input, Select};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::event::{EventQuery, EventsView, XidMeaning};
use serde::{Deserialize, Serialize};

/// Events on a page of it.
const AT_MOST: u32 = 200;
/// How often the newest are asked for again.
const SECONDS: u64 = 15;
/// How far clocks of hosts may be ahead of ours, so that what is newest is not left out.
const AHEAD_MS: i64 = 3_600_000;
/// Stretches until now that can be chosen.
const RANGES: [(&str, &str); 5] = [
    ("1h", "Last hour"),
    ("6h", "Last 6 hours"),
    ("24h", "Last 24 hours"),
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
];
const USUAL: &str = "24h";
const OWN: &str = "own";

/// What happened, for a filter that the address holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Found {
    from_ms: i64,
    to_ms: i64,
    view: EventsView,
}

/// Events.
#[component]
pub fn EventsPage() -> impl IntoView {
    let query = use_query_map();
    let filter = Memo::new(move |_| {
        let query = query.read();
        read(|name| query.get(name).unwrap_or_default())
    });
    let found = Resource::new(move || filter.get(), ask);
    view! {
        <Title text="Events"/>
        <h1>"Events"</h1>
        <p class="lead">
            "What the fleet's drivers, hosts, sources and building said. Errors of a GPU's driver are called "
            <a href=paths::glossary("XID")>"XID"</a> ", those of an NVSwitch " <a href=paths::glossary("SXID")>"SXID"</a>
            "; the switch joins GPUs over " <a href=paths::glossary("NVLink")>"NVLink"</a>
            ". One fault often makes many errors, so those of one node are taken together as a "
            <a href=paths::glossary("burst")>"burst"</a> " until three minutes pass without another."
        </p>
        {move || view! { <Filter filter=filter.get()/> }}
        <Watched resource=found noun="the events" seconds=SECONDS show=move |found| page(found, filter)/>
    }
}

/// The filter that an address holds. Times of one's own count where the range was left as it usually is.
fn read(of: impl Fn(&str) -> String) -> EventFilter {
    let (range, from, to) = (of("range"), of("from"), of("to"));
    let is_usual = range.is_empty() || range == USUAL;
    let range = match (is_usual, from.is_empty() && to.is_empty()) {
        (true, true) => USUAL.to_owned(),
        (true, false) => OWN.to_owned(),
        (false, _) => range,
    };
    EventFilter { range, from, to, host: of("host"), what: of("what"), before: of("before") }
}

/// Asks for what a filter means now.
async fn ask(filter: EventFilter) -> Result<AsOf<Found>, ApiError> {
    let now_ms = browser::wall_ms();
    let (from_ms, to_ms) = stretch(&filter, now_ms)?;
    let some = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let until_now = to_ms == now_ms;
    let query = EventQuery {
        from_ms,
        to_ms: if until_now { to_ms + AHEAD_MS } else { to_ms },
        host: None,
        host_part: some(filter.host),
        what: some(filter.what),
        limit: AT_MOST,
    };
    let view = api::fleet_events(query).await?;
    Ok(AsOf::now(Found { from_ms, to_ms, view }))
}

/// From when until when a filter is, or why that can't be read.
fn stretch(filter: &EventFilter, now_ms: i64) -> Result<(i64, i64), ApiError> {
    let invalid = |reason: String| ApiError::Invalid { reason };
    let unread = |text: &str| {
        invalid(format!("“{text}” is no time: write it as 2026-11-27T14:05, in UTC, or choose one of the ranges."))
    };
    let (from_ms, to_ms) = if filter.range == OWN {
        let moment = |text: &str, other: i64| {
            if text.is_empty() { Ok(other) } else { period::moment(text).ok_or_else(|| unread(text)) }
        };
        let to_ms = moment(&filter.to, now_ms)?;
        (moment(&filter.from, to_ms - 86_400_000)?, to_ms)
    } else {
        let length = period::length(&filter.range)
            .ok_or_else(|| invalid(format!("“{}” is no range: write 1h, 24h or 7d.", filter.range)))?;
        (now_ms - length, now_ms)
    };
    let to_ms = period::moment(&filter.before).map_or(to_ms, |before| before.min(to_ms));
    if from_ms >= to_ms {
        return Err(invalid("The range ends before it begins: choose a “from” that is earlier than “to”.".into()));
    }
    Ok((from_ms, to_ms))
}

/// Ranges, host and kind; the address holds what is chosen, so that it works before the page is awake too.
#[component]
fn Filter(filter: EventFilter) -> impl IntoView {
    let own = filter.range == OWN;
    let range = |(name, words): (&'static str, &'static str)| {
        let to = EventFilter {
            range: name.into(),
            before: String::new(),
            from: String::new(),
            to: String::new(),
            ..filter.clone()
        };
        let current = if filter.range == name { "page" } else { "false" };
        view! { <a href=paths::events(&to) aria-current=current>{words}</a> }
    };
    let time = |text: &str| period::moment(text).map(period::field).unwrap_or_default();
    let (from, to) = (time(&filter.from), time(&filter.to));
    let kinds =
        KINDS.map(|kind| view! { <option value=kind.name selected=kind.name == filter.what>{kind.many}</option> });
    let choices =
        RANGES.map(|(name, words)| view! { <option value=name selected=name == filter.range>{words}</option> });
    // Once the page is awake, the range and the two times never say different things.
    let range_field = NodeRef::<Select>::new();
    let (from_field, to_field) = (NodeRef::<Input>::new(), NodeRef::<Input>::new());
    let on_time = move |_| {
        if let Some(range) = range_field.get_untracked() {
            range.set_value(OWN);
        }
    };
    let on_range = move |event| {
        if event_target_value(&event) != OWN {
            for field in [from_field, to_field].into_iter().filter_map(|field| field.get_untracked()) {
                field.set_value("");
            }
        }
    };
    view! {
        <nav class="tabs" aria-label="How far back">{RANGES.map(range).collect_view()}</nav>
        <Question action=paths::EVENTS label="Which events">
            <label>"Host" <input type="text" name="host" value=filter.host.clone() placeholder="all, or a part of the name" autocomplete="off" spellcheck="false"/></label>
            <label>"Kind" <select name="what"><option value="">"all"</option>{kinds.into_iter().collect_view()}</select></label>
            <label>"Time"
                <select name="range" node_ref=range_field on:change=on_range>{choices.into_iter().collect_view()}<option value=OWN selected=own>"From … to …"</option></select>
            </label>
            <label>"From (UTC)" <input type="datetime-local" name="from" value=from node_ref=from_field on:input=on_time/></label>
            <label>"To (UTC)" <input type="datetime-local" name="to" value=to node_ref=to_field on:input=on_time/></label>
            <button type="submit">"Show"</button>
            <p class="soft hint">"A part of a host's name is enough. One of “from” and “to” is enough too: the other is a day away, or now."</p>
        </Question>
    }
}

fn page(AsOf { value: Found { from_ms, to_ms, view }, .. }: AsOf<Found>, filter: Memo<EventFilter>) -> AnyView {
    let filter = filter.get_untracked();
    let summary = happened::finding(&view, &filter.what);
    let EventsView { mut bursts, events, more } = view;
    if !happened::has_bursts(&filter.what) {
        bursts.clear();
    }
    if bursts.is_empty() && events.is_empty() {
        return nothing(&filter);
    }
    let known: Vec<XidMeaning> =
        bursts.iter().flat_map(|burst| &burst.codes).map(|code| code.meaning.clone()).collect();
    let oldest = events.last().map(|event| event.at_ms);
    let seen_from = oldest.filter(|_| more).map_or(from_ms, |oldest| oldest.max(from_ms));
    // What happened at just that moment comes again rather than being left out.
    let older = oldest.filter(|_| more).map(|oldest| EventFilter {
        before: (if oldest + 1 < to_ms { oldest + 1 } else { oldest }).to_string(),
        ..filter.clone()
    });
    let newest = EventFilter { before: String::new(), ..filter.clone() };
    view! {
        <p class="lead">{summary}</p>
        {happened::has_bursts(&filter.what).then(|| view! {
            <section aria-labelledby="bursts"><h2 id="bursts">"Bursts of GPU errors"</h2><Bursts bursts/></section>
        })}
        <section aria-labelledby="timeline">
            <h2 id="timeline">{if filter.what.is_empty() { "Everything that happened" } else { "What happened of this kind" }}</h2>
            <EventPicture events=events.clone() from_ms=seen_from to_ms/>
            <EventList events span_ms=to_ms - seen_from known/>
            <p class="actions">
                {older.map(|older| view! { <a class="button" href=paths::events(&older)>"Older events"</a> " " })}
                {(!filter.before.is_empty()).then(|| view! { <a class="button" href=paths::events(&newest)>"Back to the newest"</a> })}
            </p>
            {(!more).then(|| view! { <p class="soft">"These are all since " {format::moment(from_ms)} "."</p> })}
        </section>
    }
    .into_any()
}

/// Why nothing is shown, and what to do.
fn nothing(filter: &EventFilter) -> AnyView {
    let narrow = !filter.host.is_empty() || !filter.what.is_empty();
    let wider = EventFilter { range: "30d".into(), ..EventFilter::default() };
    let why = if narrow {
        "Nothing of this kind, on a host of this name, in this time. "
    } else {
        "Nothing happened in this time: no error, no restart, no leak was told. "
    };
    view! {
        <p class="empty">
            {why} <a href=paths::events(&wider)>"Look at all events of the last 30 days"</a>
            ", or see on " <a href=paths::SOURCES>"the page of sources"</a> " whether a kernel log is read at all: without one no GPU error is heard."
        </p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(query: &[(&str, &str)]) -> EventFilter {
        read(|name| {
            query.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()).unwrap_or_default()
        })
    }

    #[test]
    fn times_count_where_the_range_was_left_as_it_usually_is() {
        let from = ("from", "2026-11-23T14:00");
        assert_eq!(filter(&[]).range, USUAL);
        assert_eq!(filter(&[("range", USUAL), ("from", ""), ("to", "")]).range, USUAL);
        assert_eq!(filter(&[("range", USUAL), from, ("to", "")]).range, OWN);
        assert_eq!(filter(&[("to", "2026-11-23T14:00")]).range, OWN);
        assert_eq!(filter(&[("range", "7d"), from]).range, "7d", "whoever chose a range means it");
        let day_ms = 86_400_000;
        let (since, now_ms) = (period::moment("2026-11-23T14:00").unwrap(), 1_795_500_000_000);
        assert_eq!(stretch(&filter(&[("range", USUAL), from]), now_ms).unwrap(), (since, now_ms));
        assert_eq!(stretch(&filter(&[("to", "2026-11-23T14:00")]), now_ms).unwrap(), (since - day_ms, since));
        assert_eq!(stretch(&filter(&[]), now_ms).unwrap(), (now_ms - day_ms, now_ms));
    }
}
