//! The parts of a place's page: what stands in it, what was read last, what is planned, what is known.

use super::health::HealthMark;
use crate::components::figure::Number;
use crate::components::workshop::units;
use crate::fleet::words;
use crate::{format, paths};
use leptos::prelude::*;
use model::fleet::{Fact, FleetPlace, Health, LastValue, Part, PlaceView, PlannedValue};
use model::metric::{Metric, Unit};

/// Rows at first, and rows more each time.
const ROWS: usize = 40;

/// What parts stand by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Health,
    Power,
    Heat,
    Work,
}

impl By {
    fn words(self) -> &'static str {
        match self {
            Self::Health => "How it is",
            Self::Power => "Board power",
            Self::Heat => "Hottest GPU",
            Self::Work => "Mean utilisation",
        }
    }
    /// The worst, or the most, first; what was not read last.
    fn sort(self, parts: &mut [Part]) {
        let value = |part: &Part| match self {
            Self::Health => None,
            Self::Power => part.board_w,
            Self::Heat => part.hottest_c,
            Self::Work => part.utilization,
        };
        parts.sort_by(|left, right| {
            let value = |part: &Part| value(part).unwrap_or(f64::NEG_INFINITY);
            let most = value(right).total_cmp(&value(left));
            let health = right.health.cmp(&left.health);
            let hot = |part: &Part| part.hottest_c.unwrap_or(f64::NEG_INFINITY);
            most.then(health).then_with(|| hot(right).total_cmp(&hot(left)))
        });
    }
}

/// What stands in a place, the worst first.
#[component]
pub fn Parts(
    /// The place.
    live: RwSignal<PlaceView>,
) -> impl IntoView {
    let by = RwSignal::new(By::Health);
    let shown = RwSignal::new(ROWS);
    let sorted = Memo::new(move |_| {
        let mut parts = live.with(|live| live.parts.clone());
        by.get().sort(&mut parts);
        parts
    });
    let head = move |each: By| {
        let sorted = move || if by.get() == each { "descending" } else { "none" };
        let class = if each == By::Health { "" } else { "num" };
        view! { <th scope="col" class=class aria-sort=sorted><button class="link" on:click=move |_| by.set(each)>{each.words()}</button></th> }
    };
    let finding = move || {
        sorted.with(|parts| {
            let unwell = parts.iter().filter(|part| part.health >= Health::HeatHeld).count() as u32;
            let all = format::things(parts.len() as u32, "part", "parts");
            if unwell == 0 {
                format!("{all}, none of them unwell")
            } else {
                format!("{all}, {} of them unwell", format::count(unwell))
            }
        })
    };
    let left = move || sorted.with(Vec::len).saturating_sub(shown.get()) as u32;
    view! {
        <section aria-labelledby="parts">
            <h2 id="parts">{finding}</h2>
            <div class="scroll" tabindex="0" role="region" aria-label="What stands in it">
                <table class="fleet-groups">
                    <caption>"The worst first; the heads of columns sort by what they name, the most first."</caption>
                    <thead><tr><th scope="col">"Part"</th>{head(By::Health)}<th scope="col" class="num">"GPUs"</th>{[By::Power, By::Heat, By::Work].map(head).into_iter().collect_view()}</tr></thead>
                    <tbody>
                        <For each=move || sorted.get().into_iter().take(shown.get()) key=|part| part.place.clone() let:part>
                            <PartRow place=part.place all=sorted/>
                        </For>
                    </tbody>
                </table>
            </div>
            {move || (left() > 0).then(|| view! { <p class="actions"><button on:click=move |_| shown.update(|shown| *shown += ROWS)>"Show more"</button> <span class="soft">{format::count(left()).to_string()} " are left."</span></p> })}
        </section>
    }
}

#[component]
fn PartRow(place: FleetPlace, all: Memo<Vec<Part>>) -> impl IntoView {
    let units = units();
    let of = place.clone();
    let part = Memo::new(move |_| all.with(|all| all.iter().find(|part| part.place == of).cloned()));
    let health = Signal::derive(move || part.with(|part| part.as_ref().map_or(Health::Stale, |part| part.health)));
    let gpus = move || format::or_missing(part.with(|part| part.as_ref().map(|part| part.gpus)), format::count);
    let figure = move |pick: fn(&Part) -> Option<f64>, unit: Unit| {
        let value = part.with(|part| part.as_ref().and_then(pick));
        view! { <Number figure=format::or_missing(value, |value| format::measured(units.get(), unit, value))/> }
    };
    view! {
        <tr>
            <th scope="row"><a href=paths::fleet_place(&place)>{words::place(&place)}</a></th>
            <td><HealthMark health/></td>
            <td class="num">{move || gpus().to_string()}</td>
            <td class="num">{move || figure(|part| part.board_w, Unit::Watt)}</td>
            <td class="num">{move || figure(|part| part.hottest_c, Unit::Celsius)}</td>
            <td class="num">{move || figure(|part| part.utilization, Unit::Ratio)}</td>
        </tr>
    }
}

/// What was read last, each with its age and who brought it.
#[component]
pub fn LastValues(
    /// The place.
    live: RwSignal<PlaceView>,
) -> impl IntoView {
    let units = units();
    let rows = move || {
        live.with(|live| live.values.iter().map(|value| (value.metric, value.source.clone())).collect::<Vec<_>>())
    };
    let row = move |(metric, source): (Metric, String)| {
        let of = source.clone();
        let value = Memo::new(move |_| {
            live.with(|live| live.values.iter().find(|value| value.metric == metric && value.source == of).cloned())
        });
        let age = move || {
            let (value, as_of) = (value.get(), live.with(|live| live.as_of_ms));
            value.map_or_else(
                || format::MISSING.to_owned(),
                |LastValue { at_ms, stale, .. }| {
                    let age = format::ago(as_of - at_ms);
                    if stale { format!("stale, {age}") } else { age }
                },
            )
        };
        let figure = move || {
            let value = value.with(|value| value.as_ref().map(|value| value.value));
            if let (Metric::GpuClockEvents, Some(bits)) = (metric, value) {
                return words::clock_events(bits).into_any();
            }
            view! { <Number figure=format::or_missing(value, |value| format::measured(units.get(), metric.unit(), value))/> }.into_any()
        };
        view! {
            <tr class:stale=move || value.with(|value| value.as_ref().is_none_or(|value| value.stale))>
                <th scope="row">{metric.words()} <span class="hidden">" as " {metric.name()}</span></th>
                <td class="num">{figure}</td><td>{age}</td><td class="soft">{source}</td>
            </tr>
        }
    };
    view! {
        <section aria-labelledby="values">
            <h2 id="values">"Last values"</h2>
            {move || live.with(|live| live.values.is_empty()).then(|| view! { <p class="empty">"Nothing was read of it yet. " <a href=paths::SOURCES>"See how the sources are"</a> "."</p> })}
            <div class="scroll" tabindex="0" role="region" aria-label="Table of last values" hidden=move || live.with(|live| live.values.is_empty())>
                <table>
                    <caption class="hidden">"What was read last, how long ago, and who brought it"</caption>
                    <thead><tr><th scope="col">"What"</th><th scope="col" class="num">"Value"</th><th scope="col">"Read"</th><th scope="col">"By"</th></tr></thead>
                    <tbody><For each=rows key=Clone::clone children=row/></tbody>
                </table>
            </div>
        </section>
    }
}

/// The plan's figures beside the live ones.
#[component]
pub fn Planned(
    /// The place.
    live: RwSignal<PlaceView>,
) -> impl IntoView {
    let units = units();
    let planned = Memo::new(move |_| live.with(|live| live.planned.clone()));
    let row = move |PlannedValue { name, unit, now, planned }: PlannedValue| {
        let figure = move |value: f64| format::measured(units.get(), unit, value);
        let change = now.map_or_else(String::new, |now| format::change(planned, now, figure));
        view! {
            <tr><th scope="row">{name}</th><td class="num"><Number figure=format::or_missing(now, figure)/></td><td class="num"><Number figure=figure(planned)/></td><td class="num">{change}</td></tr>
        }
    };
    move || {
        let all = planned.get();
        (!all.is_empty()).then(|| view! {
            <section aria-labelledby="planned">
                <h2 id="planned">"Beside the plan"</h2>
                <div class="scroll" tabindex="0" role="region" aria-label="Table beside the plan">
                    <table>
                        <caption class="hidden">"Figures now, as planned, and the difference"</caption>
                        <thead><tr><th scope="col">"What"</th><th scope="col" class="num">"Now"</th><th scope="col" class="num">"Planned"</th><th scope="col" class="num">"Difference"</th></tr></thead>
                        <tbody>{all.into_iter().map(row).collect_view()}</tbody>
                    </table>
                </div>
            </section>
        })
    }
}

/// What is known and does not change.
#[component]
pub fn Facts(
    /// The place.
    live: RwSignal<PlaceView>,
) -> impl IntoView {
    let facts = Memo::new(move |_| live.with(|live| live.facts.clone()));
    let one = |Fact { name, value }: Fact| {
        let value = if value.is_empty() { format::MISSING.to_owned() } else { value };
        view! { <div><dt>{name}</dt><dd>{value}</dd></div> }
    };
    move || {
        let facts = facts.get();
        (!facts.is_empty()).then(|| view! {
            <section aria-labelledby="facts"><h2 id="facts">"What it is"</h2><dl class="facts">{facts.into_iter().map(one).collect_view()}</dl></section>
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_comes_first_and_what_was_not_read_last() {
        let part = |name: &str, health, board_w| Part {
            place: FleetPlace::Node(name.into()),
            health,
            gpus: 8,
            board_w,
            hottest_c: None,
            utilization: None,
        };
        let mut parts =
            [part("a", Health::Busy, None), part("b", Health::Failed, Some(10.0)), part("c", Health::Busy, Some(50.0))];
        let names = |parts: &[Part]| parts.iter().map(|part| part.place.to_string()).collect::<Vec<_>>().join(" ");
        By::Health.sort(&mut parts);
        assert_eq!(names(&parts), "node:b node:a node:c");
        By::Power.sort(&mut parts);
        assert_eq!(names(&parts), "node:c node:b node:a");
    }
}
