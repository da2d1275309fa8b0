//! The cooling loops as a picture: where heat enters, how warm and how much water goes round, and where the heat leaves.

use super::{Bench, Besides, units};
use crate::format;
use crate::workshop::place::Place;
use leptos::prelude::*;
use model::report::LoopReport;
use model::site::Loop;

/// Every loop, on the hottest hour with everything busy.
#[component]
pub fn Cooling(
    /// Whose.
    bench: Bench,
) -> impl IntoView {
    let units = units();
    let loops = move || {
        let answer = bench.answer.get();
        let site = answer.site?;
        let found: Vec<(Loop, LoopReport)> =
            site.loops.iter().cloned().zip(answer.evaluation.loops.iter().cloned()).collect();
        Some((found, answer.evaluation.hottest_c))
    };
    view! {
        <section class="drawing" aria-labelledby="cooling">
            <h2 id="cooling" class="hidden">"Cooling loops"</h2>
            {move || match loops() {
                None => view! { <p class="empty">"The cooling does not add up yet: the notes say what to mend. If the page is still loading, the loops appear with the catalog."</p> }.into_any(),
                Some((loops, hottest_c)) => view! {
                    <p class="soft">"Everything busy on the hottest hour, " {move || format::celsius_in(units.get(), hottest_c).to_string()} " outside."</p>
                    {loops.into_iter().enumerate().map(|(at, (each, seen))| picture(bench, at, &each, &seen)).collect_view()}
                }.into_any(),
            }}
        </section>
    }
}

/// What the way of cooling is called.
fn mode_words(mode: &str) -> &'static str {
    match mode {
        "dry" => "outside air alone",
        "adiabatic" => "outside air, wetted",
        "tower" => "evaporation",
        "trim" => "outside, chillers for the rest",
        "chiller" => "chillers",
        _ => "another way",
    }
}

fn picture(bench: Bench, at: usize, each: &Loop, seen: &LoopReport) -> AnyView {
    let units = units();
    let chosen = move || bench.selected().contains(&Place::Loop(at));
    let plant =
        |group: Option<&model::site::CoolingUnits>| group.map(|group| format!("{} × {}", group.units, group.part.name));
    let terminal = plant(Some(&each.terminal)).unwrap_or_default();
    let outside =
        [plant(each.rejection.as_ref()), plant(each.chiller.as_ref())].into_iter().flatten().collect::<Vec<_>>();
    let (supply, back, flow) = (seen.supply_c, seen.return_c, seen.flow_m3_per_h);
    let set_point = each.supply.as_celsius();
    let float = supply > set_point + 0.05;
    let short = seen.heat_mw > seen.outside_firm_mw * 1.000_001 || seen.heat_mw > seen.terminal_firm_mw * 1.000_001;
    let class = move || format!("loop{}{}", if short { " over" } else { "" }, if chosen() { " chosen" } else { "" });
    let summary = format!(
        "Loop {}: {} of heat; water leaves the plant at {} and comes back at {}",
        each.name,
        format::megawatts(seen.heat_mw),
        format::celsius_in(units.get_untracked(), supply),
        format::celsius_in(units.get_untracked(), back)
    );
    let box_of = |x: f64, title: String, lines: Vec<String>| {
        let lines = lines
            .into_iter()
            .enumerate()
            .map(|(n, line)| view! { <text class="part" x="12" y=44.0 + 17.0 * n as f64>{line}</text> })
            .collect_view();
        view! { <g transform=format!("translate({x} 22)")><rect class="box" width="276" height="112" rx="6"/><text class="name" x="12" y="24">{title}</text>{lines}</g> }
    };
    let hall = box_of(
        8.0,
        format!("Heat in: {}", format::megawatts(seen.heat_mw)),
        vec![terminal, format!("can promise {}", format::megawatts(seen.terminal_firm_mw))],
    );
    let mut out = outside;
    out.push(format!("can promise {}", format::megawatts(seen.outside_firm_mw)));
    out.push(format!("now: {}", mode_words(&seen.mode)));
    let plant = box_of(516.0, "Heat out".into(), out);
    let drawn = format!(
        "fans {} · pumps {} · chillers {}",
        format::megawatts(seen.fan_kw / 1e3),
        format::megawatts(seen.pump_kw / 1e3),
        format::megawatts(seen.chiller_kw / 1e3)
    );
    let water = (seen.water_m3_per_h > 0.0)
        .then(|| format!("make-up water {}", format::flow_in(units.get_untracked(), seen.water_m3_per_h)));
    view! {
        <figure class="picture">
            <figcaption>{summary.clone()} "."</figcaption>
            <div class="scroll">
                <svg class=class viewBox="0 0 800 176" width="800" role="button" tabindex="0"
                    on:click=move |_| bench.select(Place::Loop(at), Besides::Nothing)
                    on:keydown=move |event| if super::presses(&event) { bench.select(Place::Loop(at), Besides::Nothing) }>
                    {hall}{plant}
                    <path class="hot" d="M284 52H516"/>
                    <path class="cold" d="M516 112H284"/>
                    <text class="water" x="400" y="44" text-anchor="middle">{move || format!("return {}", format::celsius_in(units.get(), back))}</text>
                    <text class="water" x="400" y="86" text-anchor="middle">{move || format::flow_in(units.get(), flow).to_string()}</text>
                    <text class="water" x="400" y="130" text-anchor="middle">{move || format!("supply {}{}", format::celsius_in(units.get(), supply), if float { format!(", set-point {}", format::celsius_in(units.get(), set_point)) } else { String::new() })}</text>
                    <text class="part" x="8" y="160">{drawn}</text>
                    <text class="part" x="792" y="160" text-anchor="end">{water}</text>
                </svg>
            </div>
        </figure>
    }
    .into_any()
}
