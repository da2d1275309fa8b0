//! The power tree as a one-line diagram: load, rating and headroom of every node, sides of a double feed, and what happens
//! if units of one fail.

use super::{Bench, Besides};
use crate::components::figure::Number;
use crate::format;
use crate::workshop::diagram::{self, BOX_HEIGHT, BOX_WIDTH, Boxed};
use crate::workshop::place::Place;
use leptos::prelude::*;
use model::design::Redundancy;
use model::report::NodeReport;
use model::site::{PowerNode, Site};
use sim::failure::{Fate, after_loss, dark_racks};

/// The diagram and the table of what fails.
#[component]
pub fn OneLine(
    /// Whose.
    bench: Bench,
) -> impl IntoView {
    let shown = move || {
        let answer = bench.answer.get();
        let site = answer.site?;
        let failed = bench.at.with(|at| at.failed).filter(|(node, _)| *node < site.power.len());
        let fates = failed.map(|(node, units)| after_loss(&site, &answer.evaluation.power_tree, node, units));
        Some((site, answer.evaluation.power_tree, failed, fates))
    };
    view! {
        <section class="drawing" aria-labelledby="one-line">
            <h2 id="one-line" class="hidden">"One-line diagram"</h2>
            {move || match shown() {
                None => view! { <p class="empty">"The power tree does not add up yet: the notes say what to mend. If the page is still loading, the diagram appears with the catalog."</p> }.into_any(),
                Some((site, tree, failed, fates)) => view! {
                    <Outcome bench site=(*site).clone() failed fates=fates.clone()/>
                    <Diagram bench site=(*site).clone() tree fates/>
                }.into_any(),
            }}
            {move || {
                let answer = bench.answer.get();
                answer.site.map(|site| view! { <Table bench site=(*site).clone() tree=answer.evaluation.power_tree/> })
            }}
        </section>
    }
}

/// What the failure comes to, in a sentence.
#[component]
fn Outcome(bench: Bench, site: Site, failed: Option<(usize, u32)>, fates: Option<Vec<Fate>>) -> impl IntoView {
    let (Some((node, units)), Some(fates)) = (failed, fates) else {
        return view! { <p class="outcome calm">"Everything works. Each box: what racks may take or, where that is more, what is drawn, of what is firm with redundancy kept. Press “Fail one” or “Fail a side” below to see what would go dark or be overloaded on the hottest hour with everything busy."</p> }.into_any();
    };
    let dark = dark_racks(&site, &fates);
    let names = |wanted: fn(&Fate) -> bool| {
        fates
            .iter()
            .zip(&site.power)
            .filter(|(fate, _)| wanted(fate))
            .map(|(_, node)| node.name.clone())
            .collect::<Vec<_>>()
    };
    let overloaded = names(|fate| matches!(fate, Fate::Overloaded { .. }));
    let unlit = names(|fate| matches!(fate, Fate::Dark));
    let of = &site.power[node];
    let gone = units.min(of.units);
    let words = match (unlit.is_empty(), overloaded.is_empty()) {
        (true, true) => "everything carries on.".to_owned(),
        (true, false) => format!("{} would be overloaded and trip, or must shed load.", overloaded.join(", ")),
        (false, _) => format!(
            "{} go dark, and with them {} of {}.",
            unlit.join(", "),
            format::things(dark, "rack", "racks"),
            format::count(site.rack_count())
        ),
    };
    let class = if unlit.is_empty() && overloaded.is_empty() { "outcome ok stays" } else { "outcome error stays" };
    view! {
        <p class=class role="status">
            {format!("With {} of {} of “{}” failed, ", format::count(gone), format::things(of.units, "unit", "units"), of.name)} {words} " "
            <span class="soft">"Boxes now show what is drawn on all that is left. "</span>
            <button on:click=move |_| bench.fail(None)>"Repair it"</button>
        </p>
    }
    .into_any()
}

#[component]
fn Diagram(bench: Bench, site: Site, tree: Vec<NodeReport>, fates: Option<Vec<Fate>>) -> impl IntoView {
    let parents: Vec<Option<usize>> = site.power.iter().map(|node| node.fed_by.map(|up| up as usize)).collect();
    let (boxes, width, height) = diagram::one_line(&parents);
    let lines = boxes.iter().zip(&site.power).map(|(place, node)| feeder(place, node)).collect_view();
    let nodes = boxes
        .iter()
        .enumerate()
        .map(|(at, place)| {
            let fate = fates.as_ref().and_then(|fates| fates.get(at).copied());
            node_box(bench, *place, &site.power[at], tree.get(at), fate)
        })
        .collect_view();
    view! {
        <div class="scroll">
            <svg class="one-line" viewBox=format!("0 0 {width} {height}") width=width height=height role="group" aria-label="Power tree, from the service entrance down">
                {lines}{nodes}
            </svg>
        </div>
    }
}

/// The line that feeds a box; two lines for a double feed.
fn feeder(place: &Boxed, node: &PowerNode) -> Option<AnyView> {
    let (x, y) = place.fed_from?;
    let to = place.x + BOX_WIDTH / 2.0;
    let middle = f64::midpoint(y, place.y);
    let line = |shift: f64, class: &'static str| {
        let path = format!("M{} {y}V{middle}H{}V{}", x + shift, to + shift, place.y);
        view! { <path class=class d=path/> }
    };
    Some(if node.redundancy == Redundancy::TwoN {
        view! { {line(-4.0, "feed a")}{line(4.0, "feed b")} }.into_any()
    } else {
        line(0.0, "feed").into_any()
    })
}

fn node_box(bench: Bench, place: Boxed, node: &PowerNode, seen: Option<&NodeReport>, fate: Option<Fate>) -> AnyView {
    let whole = seen.and_then(diagram::load).unwrap_or_default();
    // What is dark carries nothing; what is left carries what the failure leaves it.
    let load = match fate {
        Some(Fate::Dark) => 0.0,
        Some(Fate::Energised { asked_mw, left_mw } | Fate::Overloaded { asked_mw, left_mw }) => {
            asked_mw / left_mw.max(1e-9)
        }
        None => whole,
    };
    let (class, words) = match fate {
        Some(Fate::Dark) => ("node dark", "dark".to_owned()),
        Some(Fate::Overloaded { asked_mw, left_mw }) => {
            ("node over", format!("{} too many", format::megawatts(asked_mw - left_mw)))
        }
        Some(Fate::Energised { .. }) => ("node lit", format::percent(load).to_string()),
        None if load > 1.0 => ("node over", format::percent(load).to_string()),
        None => ("node", format::percent(load).to_string()),
    };
    let figures = match (fate, seen) {
        (Some(Fate::Dark), _) => "no power".to_owned(),
        (Some(Fate::Energised { asked_mw, left_mw } | Fate::Overloaded { asked_mw, left_mw }), _) => {
            // Boxes are narrow: a unit that both have is said once.
            let (asked, left) = (format::megawatts(asked_mw), format::megawatts(left_mw));
            if asked.unit == left.unit { format!("{} on {left}", asked.number) } else { format!("{asked} on {left}") }
        }
        (None, Some(s)) => {
            format!("{} of {}", format::megawatts(s.provisioned_mw.max(s.peak_mw)), format::megawatts(s.firm_mw))
        }
        (None, None) => format::MISSING.to_owned(),
    };
    // The design lists groups in the order drawn, the site parents first.
    let name = node.name.clone();
    let of_design =
        move || bench.design.with_untracked(|design| design.power.iter().position(|group| group.name == name));
    let own = of_design.clone();
    let chosen = move || own().is_some_and(|own| bench.selected().contains(&Place::Power(own)));
    let choose = move || {
        if let Some(own) = of_design() {
            bench.select(Place::Power(own), Besides::Nothing);
        }
    };
    let pick = choose.clone();
    let width = (BOX_WIDTH - 20.0) * load.clamp(0.0, 1.0);
    view! {
        <g class=move || if chosen() { format!("{class} chosen") } else { class.to_owned() } transform=format!("translate({} {})", place.x, place.y)
            tabindex="0" role="button"
            on:click=move |_| choose()
            on:keydown=move |event| if super::presses(&event) { pick() }>
            <rect width=BOX_WIDTH height=BOX_HEIGHT rx="6"/>
            <text class="name" x="10" y="19">{node.name.clone()}</text>
            <text class="sides" x=BOX_WIDTH - 10.0 y="19" text-anchor="end">{diagram::sides(node)}</text>
            <text class="part" x="10" y="36">{node.part.clone()}</text>
            <rect class="rail" x="10" y="46" width=BOX_WIDTH - 20.0 height="6"/>
            <rect class="fill" x="10" y="46" width=width height="6"/>
            <text class="load" x="10" y="70">{figures}</text>
            <text class="share" x=BOX_WIDTH - 10.0 y="70" text-anchor="end">{words}</text>
        </g>
    }
    .into_any()
}

/// The same as a table, with the buttons that fail units.
#[component]
fn Table(bench: Bench, site: Site, tree: Vec<NodeReport>) -> impl IntoView {
    let rows = site.power.iter().zip(&tree).enumerate().map(|(at, (node, seen))| {
        let units = node.units;
        let side = (node.redundancy == Redundancy::TwoN && units > 1).then(|| {
            view! { <button on:click=move |_| bench.fail(Some((at, units / 2)))>"Fail a side"<span class="hidden">" of " {node.name.clone()}</span></button> }
        });
        view! {
            <tr>
                <th scope="row" class=format!("depth-{}", seen.depth)>{node.name.clone()} <span class="soft description">{node.part.clone()}</span></th>
                <td class="num">{format::count(units).to_string()}</td>
                <td>{diagram::sides(node)}</td>
                <td class="num"><Number figure=format::megawatts(seen.provisioned_mw)/></td>
                <td class="num"><Number figure=format::megawatts(seen.peak_mw)/></td>
                <td class="num"><Number figure=format::megawatts(seen.firm_mw)/></td>
                <td class="num"><Number figure=format::megawatts(seen.firm_mw - seen.provisioned_mw.max(seen.peak_mw))/></td>
                <td class="buttons">
                    <button on:click=move |_| bench.fail(Some((at, 1)))>"Fail one"<span class="hidden">" of " {node.name.clone()}</span></button> " " {side}
                </td>
            </tr>
        }
    }).collect_view();
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="The power tree as a table">
            <table>
                <caption>"The power tree. “To racks” is what racks may take; “drawn” has cooling and losses in it, with everything busy on the hottest hour; “firm” is with redundancy kept."</caption>
                <thead><tr>
                    <th scope="col">"Node and part"</th><th scope="col" class="num">"Units"</th><th scope="col">"Redundancy"</th>
                    <th scope="col" class="num">"To racks"</th><th scope="col" class="num">"Drawn"</th>
                    <th scope="col" class="num">"Firm"</th><th scope="col" class="num">"Headroom"</th><th scope="col">"What if"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}
