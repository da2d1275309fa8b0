//! The building: whether it still tells, what serves what, what its points read, and which racks both sides know.

use crate::building::{self, Flow, Line, Shown};
use crate::components::burst::word;
use crate::components::workshop::units;
use crate::{format, paths};
use leptos::prelude::*;
use model::facility::{Building, FacilityPoint, Heartbeat, PointRole, Pulse, Reconciliation};
use model::fleet::FleetPlace;
use model::note::Severity;

/// Whether a building still tells: how, by which hearts, and how its points are.
#[component]
pub fn Telling(
    /// Which.
    building: Building,
    /// When this was so, milliseconds since 1970 UTC.
    at_ms: i64,
) -> impl IntoView {
    let (severity, state, says) = building::telling(&building, at_ms);
    let hearts = building.heartbeats.iter().map(|heart| heartbeat(heart, at_ms)).collect_view();
    let no_heart = building.heartbeats.is_empty().then(|| view! {
        <p class="soft">"No " <a href=paths::glossary("heartbeat")>"heartbeat"</a> " comes, so a building that is silent can't be told from one in which nothing changes."</p>
    });
    let class = if severity == Some(Severity::Error) { "outcome error" } else { "outcome calm" };
    view! {
        <div class=class>
            <p><WellMark severity state/> <a href=paths::SOURCES>{building.source.clone()}</a> ": " {says}</p>
            <p>{building::points_finding(&building)}</p>
            <ul class="codes">{hearts}</ul> {no_heart}
        </div>
    }
}

/// What serves what in a building, and what of it does not add up.
#[component]
pub fn Serving(
    /// Which.
    building: Building,
) -> impl IntoView {
    let remarks = building.remarks.iter().map(|words| view! { <li>{words.clone()}</li> }).collect_view();
    let some = !building.remarks.is_empty();
    view! {
        <section aria-label=format!("What serves what, {}", building.source)>
            <h2>"What serves what: " {building.source.clone()}</h2>
            <Tree building=building.clone() flow=Flow::Power/>
            <Tree building=building.clone() flow=Flow::Fluid/>
            {some.then(|| view! { <h3>"What does not add up"</h3> <ul class="plain">{remarks}</ul> })}
        </section>
    }
}

fn heartbeat(heart: &Heartbeat, at_ms: i64) -> impl IntoView + use<> {
    let (severity, state) = match heart.pulse {
        Pulse::Beats => (None, "beats"),
        Pulse::Stopped => (Some(Severity::Error), "stopped"),
    };
    view! {
        <li><WellMark severity state/> "Heart of " <code>{heart.whose.clone()}</code> ": last beat " {format::ago(at_ms - heart.last_ms)} ", at " {format::clock_time(heart.last_ms, format::Told::Seconds)} " UTC"</li>
    }
}

/// What serves what of one flow, as a table whose first column is indented.
#[component]
fn Tree(building: Building, flow: Flow) -> impl IntoView {
    let (lines, left) = building::tree(&building, flow);
    let finding = building::tree_finding(&lines, flow);
    let name = match flow {
        Flow::Power => "Power: what feeds what",
        Flow::Fluid => "Water and air: what serves what",
    };
    if lines.is_empty() {
        return view! { <h3>{name}</h3> <p class="soft">"No point says what it serves by this, so there is nothing to draw."</p> }.into_any();
    }
    let rest = (left > 0)
        .then(|| format!("{} more lines are left out; find an object by its name below.", format::count(left)));
    view! {
        <h3>{name}</h3>
        <div class="scroll" tabindex="0" role="region" aria-label=name><table>
            <caption>{finding}</caption>
            <thead><tr><th scope="col">"Object"</th><th scope="col">"Kind"</th><th scope="col" class="num">"Points"</th><th scope="col">"Not well"</th></tr></thead>
            <tbody>{lines.into_iter().map(line).collect_view()}</tbody>
        </table></div>
        {rest.map(|words| view! { <p class="soft">{words}</p> })}
    }
    .into_any()
}

/// Deeper lines are indented no more.
const DEEPEST: u32 = 6;

fn line(line: Line) -> impl IntoView {
    let unwell = if line.unwell > 0 { Some(line.unwell) } else { None };
    view! {
        <tr>
            <th scope="row" class=format!("depth-{}", line.depth.min(DEEPEST))>
                <span class="hidden">{(line.depth > 0).then(|| format!("level {}: ", line.depth + 1))}</span>
                <a href=paths::facility_object(&line.id)>{line.name.clone()}</a>
                {(line.above == Shown::Above).then(|| view! { <span class="soft">" (what it serves stands above: it is fed from several sides)"</span> })}
            </th>
            <td>{if line.kind.is_empty() { "— (named by what serves it alone)".to_owned() } else { line.kind.clone() }}</td>
            <td class="num">{format::count(line.points).to_string()}</td>
            <td>{unwell.map(|many| view! { <WellMark severity=Some(Severity::Warning) state="not well"/> {format::count(many).to_string()} })}</td>
        </tr>
    }
}

/// Points with what they read last.
#[component]
pub fn Points(
    /// The points.
    points: Vec<FacilityPoint>,
    /// How many more there are.
    more: u32,
    /// When this was so, milliseconds since 1970 UTC.
    at_ms: i64,
) -> impl IntoView {
    if points.is_empty() {
        return view! { <p class="empty">"No point fits. "<a href=paths::FACILITY>"Show the points of the whole building"</a></p> }.into_any();
    }
    let rest = (more > 0).then(|| {
        view! { <p class="soft">{format::things(more, "point more fits", "points more fit")} ": choose an object or write more of the name."</p> }
    });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Points of the building"><table>
            <caption>"What each point read last; those that are not well come first. A value that can't be trusted is “—”, not zero."</caption>
            <thead><tr><th scope="col">"Point"</th><th scope="col">"Object"</th><th scope="col">"Kind"</th><th scope="col" class="num">"Reads"</th><th scope="col">"How it is"</th></tr></thead>
            <tbody>{points.into_iter().map(|point| point_row(point, at_ms)).collect_view()}</tbody>
        </table></div>
        {rest}
    }
    .into_any()
}

fn point_row(point: FacilityPoint, at_ms: i64) -> impl IntoView {
    let units = units();
    let (severity, state, why) = building::health(&point, at_ms);
    let role = match point.role {
        PointRole::Measured => "",
        PointRole::Setpoint => ", aimed at",
    };
    let class = if severity.is_some() { "was" } else { "" };
    let object = point.object.clone();
    let (tag, kind) = (point.tag.clone(), format!("{} / {}{role}", point.object_type, point.point_type));
    view! {
        <tr class=class>
            <th scope="row"><code>{tag}</code></th>
            <td><a href=paths::facility_object(&object)>{object.clone()}</a></td>
            <td>{kind}</td>
            <td class="num">{move || building::reads(&point, units.get())}</td>
            <td><WellMark severity state/> {why}</td>
        </tr>
    }
}

/// Whether both sides mean the same racks.
#[component]
pub fn Racks(
    /// Which both know, and which not.
    racks: Reconciliation,
) -> impl IntoView {
    let near = racks.near.iter().map(|near| view! {
        <tr><th scope="row"><code>{near.facility.id.clone()}</code> " " <span class="soft">{near.facility.name.clone()}</span></th>
            <td><code>{near.it.label.clone()}</code></td><td>{building::difference(near.how)}</td><td class="wide">{near.suggestion.clone()} "."</td></tr>
    }).collect_view();
    let matched = racks.matched.iter().map(|both| {
        let place = FleetPlace::Rack(both.it.label.clone());
        view! {
            <tr><th scope="row"><code>{both.facility.id.clone()}</code> " " <span class="soft">{both.facility.name.clone()}</span></th>
                <td><a href=paths::fleet_place(&place)>{both.it.label.clone()}</a></td><td>{building::joined(both.by)}</td></tr>
        }
    }).collect_view();
    let facility = racks
        .only_facility
        .iter()
        .map(|rack| view! { <li><code>{rack.id.clone()}</code> " " <span class="soft">{rack.name.clone()}</span></li> })
        .collect_view();
    let it = racks.only_it.iter().map(|rack| view! { <li><a href=paths::fleet_place(&FleetPlace::Rack(rack.label.clone()))>{rack.label.clone()}</a></li> }).collect_view();
    let remarks = racks.remarks.iter().map(|words| view! { <li>{words.clone()} "."</li> }).collect_view();
    let (some_near, some_matched) = (!racks.near.is_empty(), !racks.matched.is_empty());
    let (some_facility, some_it) = (!racks.only_facility.is_empty(), !racks.only_it.is_empty());
    view! {
        <p class="lead">{building::racks_finding(&racks)}</p>
        <ul class="plain">{remarks}</ul>
        {some_near.then(|| view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Names that are alike"><table>
                <caption>"Alike, and not the same: nothing is joined until a person says so"</caption>
                <thead><tr><th scope="col">"The building"</th><th scope="col">"The IT side"</th><th scope="col">"They differ"</th><th scope="col">"To mend it"</th></tr></thead>
                <tbody>{near}</tbody></table></div>
        })}
        {some_facility.then(|| view! { <h3>"Known to the building alone"</h3> <p class="soft">"A leak there would isolate no rack on the IT side."</p> <ul class="inline">{facility}</ul> })}
        {some_it.then(|| view! { <h3>"Known to the IT side alone"</h3> <p class="soft">"The building's power and coolant of these racks are not known."</p> <ul class="inline">{it}</ul> })}
        {some_matched.then(|| view! {
            <details><summary>"Racks that both know"</summary>
                <div class="scroll"><table>
                    <caption>"Racks that both sides know, and by what they were joined"</caption>
                    <thead><tr><th scope="col">"The building"</th><th scope="col">"The IT side"</th><th scope="col">"Joined, as"</th></tr></thead>
                    <tbody>{matched}</tbody></table></div></details>
        })}
    }
}

/// The shape and word of how something is; nothing grave is well.
#[component]
fn WellMark(severity: Option<Severity>, state: &'static str) -> impl IntoView {
    let (class, shape) = match severity {
        None => ("ok", "M3 8.5 6.5 12 13 4.5"),
        Some(Severity::Note) => ("note", "M8 2a6 6 0 1 0 .01 0M8 4.5V8l2.5 1.5"),
        Some(Severity::Warning) => (word(Severity::Warning), "M8 2 15 14H1ZM8 6.5v4M8 12v.5"),
        Some(Severity::Error) => {
            (word(Severity::Error), "M5 1.5h6L14.5 5v6L11 14.5H5L1.5 11V5ZM5.5 5.5l5 5M10.5 5.5l-5 5")
        }
    };
    view! {
        <span class=format!("mark {class}")>
            <svg viewBox="0 0 16 16" aria-hidden="true"><path d=shape/></svg>
            {state}
        </span>
    }
}
