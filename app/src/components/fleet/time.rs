//! The time picker: one for all charts of a page, its choice in the address.

use crate::browser::fleet::clock;
use crate::fleet::time::{Beside, Clock, Last, Range, When, Zone, unshifted};
use crate::{format, period};
use leptos::prelude::*;

/// A clock of the reader's choice; until the page is awake that of everybody, as it was rendered.
pub fn reading_clock(when: Memo<When>) -> Signal<Zone> {
    let awake = RwSignal::new(false);
    Effect::new(move |_| awake.set(true));
    Signal::derive(move || if awake.get() { when.with(|when| when.zone) } else { Zone::Utc })
}

/// Which time is shown, by which clock, beside what.
#[component]
pub fn TimePicker(
    /// What the address says.
    when: Memo<When>,
    /// The time, milliseconds since 1970 UTC.
    now_ms: Memo<i64>,
    /// Takes another choice.
    choose: Callback<When>,
) -> impl IntoView {
    let zone = reading_clock(when);
    // Where one came from by coming nearer, for the way back.
    let trail = RwSignal::new(Vec::<Range>::new());
    let range = Memo::new(move |_| when.with(|when| when.range));
    Effect::new(move |before: Option<Range>| {
        let now = range.get();
        if let Some(before) = before.filter(|before| *before != now) {
            trail.update(|trail| {
                if trail.last() == Some(&now) {
                    trail.pop();
                } else {
                    trail.push(before);
                }
            });
        }
        now
    });
    let set = move |range: Range| choose.run(When { range, ..when.get_untracked() });
    let back = move |_| {
        if let Some(range) = trail.with_untracked(|trail| trail.last().copied()) {
            set(range);
        }
    };
    let last = move |last: Last| {
        let pressed = move || (range.get() == Range::Last(last)).to_string();
        view! { <button aria-pressed=pressed on:click=move |_| set(Range::Last(last))>{last.words()}</button> }
    };
    let moved = move |stretches: i64| set(range.get_untracked().moved(now_ms.get_untracked(), stretches));
    let is_live = move || range.get().is_live();
    let words = move || range.get().words(clock(zone.get()));
    view! {
        <section class="time" aria-label="Time of the charts">
            <p class="choice" role="group" aria-label="Until now">{Last::ALL.map(last).collect_view()}</p>
            <p class="choice" role="group" aria-label="Move">
                <button aria-label="The time before" on:click=move |_| moved(-1)>"◀"</button>
                <button aria-label="The time after" disabled=is_live title=move || if is_live() { "This is the newest there is" } else { "" } on:click=move |_| moved(1)>"▶"</button>
                <button disabled=move || trail.with(Vec::is_empty) title=move || if trail.with(Vec::is_empty) { "You have not changed the time yet" } else { "" } on:click=back>"Back"</button>
            </p>
            <Between when now_ms zone choose/>
            <Others when choose/>
            <p class="soft shown" role="status">"Shown: " {words} {move || if is_live() { ", follows the clock" } else { "" }}</p>
        </section>
    }
}

/// From when until when.
#[component]
fn Between(when: Memo<When>, now_ms: Memo<i64>, zone: Signal<Zone>, choose: Callback<When>) -> impl IntoView {
    let (from, to) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let refused = RwSignal::new(String::new());
    let fields = move |clock: Clock| {
        let (start, end) = when.with(|when| when.range.at(now_ms.get_untracked()));
        [start, end].map(|at| format::timestamp((clock.shift)(at)))
    };
    Effect::new(move |_| {
        let [start, end] = fields(clock(zone.get()));
        from.set(start);
        to.set(end);
        refused.set(String::new());
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let clock = clock(zone.get_untracked());
        let moment = |text: String| period::moment(&text).map(|shown| unshifted(clock, shown));
        match (moment(from.get_untracked()), moment(to.get_untracked())) {
            (Some(start), Some(end)) if start < end => {
                choose.run(When { range: Range::between(start, end), ..when.get_untracked() });
            }
            (Some(_), Some(_)) => refused.set("The first moment must lie before the second.".into()),
            _ => refused.set("Fill in both moments.".into()),
        }
    };
    view! {
        <form class="between" on:submit=submit>
            <label>"From " <input type="datetime-local" step="1" prop:value=move || from.get() on:input:target=move |event| from.set(event.target().value())/></label>
            <label>"to " <input type="datetime-local" step="1" prop:value=move || to.get() on:input:target=move |event| to.set(event.target().value())/></label>
            <button type="submit">"Show"</button>
            <span class="why" role="status">{move || refused.get()}</span>
        </form>
    }
}

/// By which clock, and beside what.
#[component]
fn Others(when: Memo<When>, choose: Callback<When>) -> impl IntoView {
    let zone = move |name: String| {
        let zone = if name == "local" { Zone::Local } else { Zone::Utc };
        choose.run(When { zone, ..when.get_untracked() });
    };
    let beside = move |is_on: bool| {
        let beside = if is_on { Beside::Before } else { Beside::Nothing };
        choose.run(When { beside, ..when.get_untracked() });
    };
    let now = when.get_untracked();
    view! {
        <p class="others">
            <label>"Clock " <select prop:value=move || if when.with(|when| when.zone) == Zone::Local { "local" } else { "utc" } on:change:target=move |event| zone(event.target().value())>
                <option value="utc" selected=now.zone == Zone::Utc>"UTC"</option>
                <option value="local" selected=now.zone == Zone::Local>"local time"</option>
            </select></label>
            <label><input type="checkbox" prop:checked=move || when.with(|when| when.beside) == Beside::Before checked=now.beside == Beside::Before on:change:target=move |event| beside(event.target().checked())/> " lay the time before over it"</label>
        </p>
    }
}
