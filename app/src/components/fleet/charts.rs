//! The charts of a place over a time: read under the pointer and by keys, zoomed by dragging, each with its table.

use super::time::{TimePicker, reading_clock};
use crate::api::{self, ApiError};
use crate::browser;
use crate::browser::fleet::{clock, hold};
use crate::components::chart::{file_name, standing_alone};
use crate::components::failure::Loaded;
use crate::components::workshop::units;
use crate::fleet::panel::{Drawn, drawn, panels, requests, together};
use crate::fleet::time::{Beside, When, Zone};
use crate::format::{self, Told};
use chart::PLOT;
use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html::Div;
use leptos::prelude::*;
use leptos::task::spawn_local;
use model::fleet::{ChartData, ChartRequest, FleetPlace};

/// The least share of the time that dragging chooses; less is a click.
const DRAGGED: f64 = 0.015;

/// What the charts share.
#[derive(Clone, Copy)]
struct Shared {
    data: RwSignal<ChartData>,
    when: Memo<When>,
    zone: Signal<Zone>,
    choose: Callback<When>,
}

/// All charts of a place, with their time picker.
#[component]
pub fn Charts(
    /// Of which place.
    place: FleetPlace,
    /// The first of them, as [`first_charts`] asks for it: a resource of the page's own, since one that is made within
    /// another's view has another number where the page wakes, and is not found there.
    first: Resource<Result<ChartData, ApiError>>,
    /// Which time.
    when: Memo<When>,
    /// The time now, in steps, milliseconds since 1970 UTC.
    now_ms: Memo<i64>,
    /// Takes another choice.
    choose: Callback<When>,
) -> impl IntoView {
    if panels(&place).is_empty() {
        return ().into_any();
    }
    let of = place.clone();
    let asked = Memo::new(move |_| requests(&of, when.get(), now_ms.get()));
    let place = StoredValue::new(place);
    view! {
        <TimePicker when now_ms choose/>
        <Loaded resource=first noun="the charts" show=move |data| {
            view! { <Panels place=place.get_value() first=data asked when choose/> }.into_any()
        }/>
    }
    .into_any()
}

/// What the charts of a place show first.
pub async fn first_charts(place: &FleetPlace, when: When, now_ms: i64) -> Result<ChartData, ApiError> {
    ask(requests(place, when, now_ms)).await
}

/// Everything that is asked for, as one answer.
async fn ask(requests: Vec<ChartRequest>) -> Result<ChartData, ApiError> {
    let mut answers = Vec::new();
    for request in requests {
        answers.push(api::fleet_chart(request).await?);
    }
    together(answers).ok_or_else(|| ApiError::NotFound { what: "chart of this place".into() })
}

/// The charts, asked for again as the time goes on or another is chosen. What was there stays until the next is.
#[component]
fn Panels(
    place: FleetPlace,
    first: ChartData,
    asked: Memo<Vec<ChartRequest>>,
    when: Memo<When>,
    choose: Callback<When>,
) -> impl IntoView {
    let data = RwSignal::new(first);
    let failed = RwSignal::new(None::<ApiError>);
    let waits = RwSignal::new(false);
    Effect::new(move |before: Option<Vec<ChartRequest>>| {
        let question = asked.get();
        if before.as_ref().is_none_or(|before| *before == question) {
            return question;
        }
        let again = question.clone();
        waits.set(true);
        spawn_local(async move {
            let answer = ask(question.clone()).await;
            // The page may have been left, or another time chosen.
            if asked.try_get_untracked().as_ref() != Some(&question) {
                return;
            }
            waits.set(false);
            match answer {
                Ok(found) => {
                    data.set(found);
                    failed.set(None);
                }
                Err(error) => failed.set(Some(error)),
            }
        });
        again
    });
    let shared = Shared { data, when, zone: reading_clock(when), choose };
    let all = Memo::new(move |_| data.with(|data| drawn(&place, data)));
    let charts = move |drawn: &Drawn| {
        let noun = drawn.panel.noun;
        let one = Memo::new(move |_| all.with(|all| all.iter().find(|each| each.panel.noun == noun).cloned()));
        view! { <LiveChart one shared/> }
    };
    let lost = move || {
        failed.get().map(|error| {
            view! { <p class="outcome error" role="alert">"The charts could not be asked for again: " {error.to_string()} " What is shown is from before; it is tried again by itself where the time goes on."</p> }
        })
    };
    let nouns = move || all.with(|all| all.iter().map(|each| each.panel.noun).collect::<Vec<_>>());
    view! {
        {lost}
        <div class="live-charts" aria-busy=move || waits.get().to_string()>
            <For each=nouns key=|noun| *noun let:noun>
                {all.with_untracked(|all| all.iter().find(|each| each.panel.noun == noun).map(charts))}
            </For>
        </div>
        {move || all.with(Vec::is_empty).then(|| view! { <p class="empty">"Nothing was read here in this time. Choose another time above, or see how the sources are on their page: " <a href=crate::paths::SOURCES>"Sources"</a> "."</p> })}
        {move || (when.with(|when| when.beside) == Beside::Before).then(|| view! { <p class="soft">"Thin lines are of the time before."</p> })}
        <Happened shared/>
    }
}

/// One chart.
#[component]
fn LiveChart(one: Memo<Option<Drawn>>, shared: Shared) -> impl IntoView {
    let units = units();
    let frame = NodeRef::<Div>::new();
    let seen = RwSignal::new(None::<i64>);
    let said = RwSignal::new(String::new());
    let pressed = RwSignal::new(None::<f64>);
    let is_open = RwSignal::new(false);
    let title = Memo::new(move |_| {
        let clock = clock(shared.zone.get());
        one.with(|one| one.as_ref().map(|one| one.finding(units.get(), clock)).unwrap_or_default())
    });
    let svg = Memo::new(move |_| {
        let (clock, title) = (clock(shared.zone.get()), title.get());
        shared.data.with(|data| {
            one.with(|one| one.as_ref().map(|one| one.svg(data, units.get(), clock, &title)).unwrap_or_default())
        })
    });
    let words = move |at_ms: i64| {
        let clock = clock(shared.zone.get());
        one.with(|one| one.as_ref().map(|one| one.reading(units.get(), clock, at_ms)).unwrap_or_default())
    };
    let hand = Hand { one, shared, frame, seen, pressed, is_open };
    let key = move |event: KeyboardEvent| {
        if hand.key(&event) {
            event.prevent_default();
            said.set(seen.get_untracked().map(|at| untrack(|| words(at))).unwrap_or_default());
        }
    };
    let reading = move || seen.get().map_or_else(|| "\u{a0}".to_owned(), words);
    let hair = move || seen.get().map(|at| hand.across(at)).map(|x| view! { <line x1=x x2=x y1="0" y2="100"/> });
    // In thousandths of the width, so that no number need be formatted.
    let chosen = move || {
        let (from, to) = (pressed.get()?, hand.across(seen.get()?));
        Some(view! { <rect class="chosen" x=from.min(to) width=(to - from).abs() y="0" height="100"/> })
    };
    let save = move |_| {
        let name = title.with_untracked(|title| file_name(title));
        browser::download(&format!("{name}.svg"), &svg.with_untracked(|svg| standing_alone(svg)), "image/svg+xml");
    };
    view! {
        <figure class="picture live-chart">
            <figcaption>{move || title.get()} "."</figcaption>
            <div class="chart-hand" tabindex="0" role="group" aria-roledescription="chart" aria-label=move || title.get() on:keydown=key
                on:pointerdown=move |event: PointerEvent| hand.press(&event)
                on:pointermove=move |event: PointerEvent| hand.move_to(&event)
                on:pointerup=move |event: PointerEvent| hand.release(&event)
                on:pointercancel=move |_| pressed.set(None)
                on:pointerleave=move |_| seen.set(None)>
                <div class="sheet" node_ref=frame>
                    <div inner_html=move || svg.get()></div>
                    <svg class="hair" viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">{chosen}{hair}</svg>
                </div>
            </div>
            <p class="reading" aria-hidden="true">{reading}</p>
            <p class="hidden" role="status">{move || said.get()}</p>
            <details prop:open=move || is_open.get()>
                <summary on:click=move |event| { event.prevent_default(); is_open.update(|open| *open = !*open); }>"Figures as a table"</summary>
                {move || is_open.get().then(|| view! {
                    <Figures one shared/>
                    <p class="actions"><button on:click=save>"Download the picture (SVG)"</button></p>
                })}
            </details>
        </figure>
    }
}

/// What a pointer and keys do on a chart.
#[derive(Clone, Copy)]
struct Hand {
    one: Memo<Option<Drawn>>,
    shared: Shared,
    frame: NodeRef<Div>,
    /// The moment that is read.
    seen: RwSignal<Option<i64>>,
    /// Where the pointer was pressed, thousandths of the width.
    pressed: RwSignal<Option<f64>>,
    is_open: RwSignal<bool>,
}

impl Hand {
    /// The share of the time that a pointer is at.
    fn share(self, event: &PointerEvent) -> Option<f64> {
        let frame = self.frame.get_untracked()?;
        let (share, _) = browser::share_within(event, &frame);
        Some(((share - PLOT.0) / (PLOT.1 - PLOT.0)).clamp(0.0, 1.0))
    }
    /// Where a moment stands, thousandths of the width.
    fn across(self, at_ms: i64) -> f64 {
        let share = self.one.with(|one| {
            one.as_ref().map_or(0.0, |one| (at_ms - one.from_ms) as f64 / (one.to_ms - one.from_ms).max(1) as f64)
        });
        (PLOT.0 + (PLOT.1 - PLOT.0) * share.clamp(0.0, 1.0)) * 1000.0
    }
    fn moment(self, share: f64) -> Option<i64> {
        self.one.with_untracked(|one| one.as_ref().map(|one| one.moment(share)))
    }
    fn press(self, event: &PointerEvent) {
        let (0, Some(share)) = (event.button(), self.share(event)) else { return };
        if let Some(frame) = self.frame.get_untracked() {
            hold(event, &frame);
        }
        self.seen.set(self.moment(share));
        self.pressed.set(self.moment(share).map(|at| untrack(|| self.across(at))));
    }
    fn move_to(self, event: &PointerEvent) {
        if let Some(share) = self.share(event) {
            self.seen.set(self.moment(share));
        }
    }
    fn release(self, event: &PointerEvent) {
        let pressed = self.pressed.get_untracked();
        self.pressed.set(None);
        let (Some(pressed), Some(to)) = (pressed, self.share(event)) else { return };
        let from = (pressed / 1000.0 - PLOT.0) / (PLOT.1 - PLOT.0);
        if (to - from).abs() > DRAGGED {
            self.zoom(from.min(to), from.max(to));
        }
    }
    /// Shows the part between two shares of the time that the chart shows.
    fn zoom(self, from: f64, to: f64) {
        let range = self.one.with_untracked(|one| {
            let one = one.as_ref()?;
            let span = (one.to_ms - one.from_ms) as f64;
            let at = |share: f64| one.from_ms + (span * share) as i64;
            Some(crate::fleet::time::Range::between(at(from), at(to)))
        });
        if let Some(range) = range {
            self.shared.choose.run(When { range, ..self.shared.when.get_untracked() });
        }
    }
    /// Whether a key is one of the chart's.
    fn key(self, event: &KeyboardEvent) -> bool {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return false;
        }
        let Some((from, to, step)) =
            self.one.with_untracked(|one| one.as_ref().map(|one| (one.from_ms, one.to_ms, one.step_ms)))
        else {
            return false;
        };
        let at = self.seen.get_untracked().unwrap_or(to);
        let share = (at - from) as f64 / (to - from).max(1) as f64;
        let read = |at: i64| self.seen.set(Some(at.clamp(from, to)));
        match event.key().as_str() {
            "ArrowLeft" => read(at - step),
            "ArrowRight" => read(at + step),
            "Home" => read(from),
            "End" => read(to),
            "+" | "=" => self.zoom((share - 0.25).max(0.0), (share + 0.25).min(1.0)),
            "-" => self.zoom(-0.5, 1.5),
            "t" | "T" => self.is_open.update(|open| *open = !*open),
            "Escape" => self.seen.set(None),
            _ => return false,
        }
        true
    }
}

/// The figures of a chart.
#[component]
fn Figures(one: Memo<Option<Drawn>>, shared: Shared) -> impl IntoView {
    let units = units();
    let table = move || {
        one.get().map(|one| {
            let clock = clock(shared.zone.get());
            let heads = one.series.iter().map(|(series, _)| view! { <th scope="col" class="num">{series.words.clone()}</th> }).collect_view();
            let rows = one.table().into_iter().map(|(start, cells)| {
                let cells = cells.iter().enumerate().map(|(at, bucket)| {
                    let words = bucket.as_ref().map_or_else(|| format::MISSING.to_owned(), |bucket| one.bucket_words(units.get(), at, bucket));
                    view! { <td class="num">{words}</td> }
                });
                view! { <tr><th scope="row">{one.time(clock, start)}</th>{cells.collect_view()}</tr> }
            });
            view! {
                <table>
                    <caption>"From when (" {clock.name} "), the mean, and from the least to the greatest where they differ from it."</caption>
                    <thead><tr><th scope="col">"From"</th>{heads}</tr></thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            }
        })
    };
    view! { <div class="scroll" tabindex="0" role="region" aria-label="Figures of the chart">{table}</div> }
}

/// What happened in the time, as the marks and regions of the charts have it.
#[component]
fn Happened(shared: Shared) -> impl IntoView {
    let list = Memo::new(move |_| shared.data.with(|data| data.annotations.clone()));
    move || {
        let clock = clock(shared.zone.get());
        let time = move |at: i64| format::clock_time((clock.shift)(at), Told::All);
        let all = list.get();
        (!all.is_empty()).then(|| {
            let item = move |annotation: model::fleet::Annotation| {
                let until = annotation.end_ms.map(|end| format!(" to {}", time(end))).unwrap_or_default();
                let (class, word, shape) = if annotation.severe {
                    ("mark error", "needs attention", "M2 4h12L8 14Z")
                } else {
                    ("mark note", "note", "M2 4h12L8 14Z")
                };
                view! { <li><span class=class class:filled=annotation.severe><svg viewBox="0 0 16 16" aria-hidden="true"><path d=shape/></svg><span class="hidden">{word}</span></span> {time(annotation.start_ms)}{until} ": " {annotation.words}</li> }
            };
            view! {
                <h3>"What happened in this time (" {clock.name} ")"</h3>
                <ul class="annotations">{all.into_iter().map(item).collect_view()}</ul>
            }
        })
    }
}
