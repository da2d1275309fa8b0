//! The bar that is always in view: what the design draws, holds, makes and costs, and what the last change did to it.

use super::{Bench, units};
use crate::components::figure::{Meter, Number};
use crate::format::{self, Figure};
use crate::{findings, paths::View};
use leptos::prelude::*;
use model::note::Severity;
use model::report::Evaluation;

/// Figures of the design as drawn.
#[component]
pub fn Bar(
    /// Whose.
    bench: Bench,
) -> impl IntoView {
    let units = units();
    let now = move || bench.answer.with(|answer| answer.evaluation.clone());
    let figure = move |of: fn(&Evaluation) -> f64, words: fn(f64) -> Figure| {
        // Of a design that does not add up nothing is known: that is missing, not nothing.
        let shown = move |value: f64| if value > 0.0 { words(value) } else { format::missing() };
        let value = move || bench.answer.with(|answer| of(&answer.evaluation));
        let change = move || {
            bench.before.with(|before| {
                before
                    .as_ref()
                    .filter(|b| of(b) > 0.0 && value() > 0.0)
                    .map_or_else(String::new, |b| format::change(of(b), value(), words))
            })
        };
        view! {
            {move || view! { <Number figure=shown(value())/> }}
            <span class="change">{change}</span>
        }
    };
    let band = move || bench.answer.with(|answer| format::band(&answer.evaluation.tokens_per_second_per_mw_facility));
    let contract = move || format!("of {}", format::megawatts(now().contract_power_mw));
    let weight = move || {
        let tonnes = now().rack_mass_t;
        if tonnes > 0.0 { format::mass_in(units.get(), tonnes) } else { format::missing() }
    };
    let per_rack = |e: &Evaluation| if e.racks > 0 { e.it_rated_power_mw / f64::from(e.racks) } else { 0.0 };
    let cost = move || {
        bench.year.with(|year| {
            year.as_ref().map_or_else(
                |_| format::missing(),
                |year| format::price_per_million(year.report.cost_per_million_tokens_usd),
            )
        })
    };
    view! {
        <section class="workbar" aria-label="The design in figures, everything busy">
            <dl>
                <div class="power">
                    <dt>"Power, hottest hour"</dt>
                    <dd>{figure(|e| e.peak_power_mw, format::megawatts)} " " <span class="soft">{contract}</span>
                        {move || view! { <Meter share=findings::contract_used(&now())/> }}
                    </dd>
                </div>
                <div><dt>"Racks"</dt><dd>{figure(|e| f64::from(e.racks), whole)}</dd></div>
                <div><dt>"GPUs"</dt><dd>{figure(|e| f64::from(e.gpus), whole)}</dd></div>
                <div><dt>"Mean rack"</dt><dd>{figure(per_rack, format::megawatts)}</dd></div>
                <div class="heat"><dt>"Cooling"</dt><dd>{move || heat(&now())}</dd></div>
                <div><dt>"Weight"</dt><dd>
                    {move || view! { <Number figure=weight()/> }}
                </dd></div>
                <div class="tokens"><dt>"Output"</dt><dd>{figure(|e| e.output_tokens_per_s, format::token_rate)}</dd></div>
                <div class="tokens">
                    <dt>"Tokens per facility MW, mean weather"</dt>
                    <dd>{figure(|e| e.tokens_per_second_per_mw_facility.value, format::tokens_per_megawatt)} " " <span class="band">{band}</span></dd>
                </div>
                <div><dt>"PUE"</dt><dd>{figure(|e| e.pue, format::quotient)}</dd></div>
                <div class="money"><dt>"Cost, the year"</dt><dd>{move || view! { <Number figure=cost()/> }}</dd></div>
                <div class="money"><dt>"To build"</dt><dd>{figure(|e| e.capex_usd, format::money)}</dd></div>
                <div><dt>"Notes"</dt><dd><NoteCounts bench/></dd></div>
            </dl>
        </section>
    }
}

/// Heat of the loops of what they can promise. Of a design that does not add up nothing is known: that is missing, not nothing.
fn heat(evaluation: &Evaluation) -> String {
    let (heat, firm) = evaluation
        .loops
        .iter()
        .fold((0.0, 0.0), |(h, f), each| (h + each.heat_mw, f + each.outside_firm_mw.min(each.terminal_firm_mw)));
    if evaluation.loops.is_empty() {
        format::MISSING.to_owned()
    } else {
        format!("{} of {}", format::megawatts(heat), format::megawatts(firm))
    }
}

fn whole(value: f64) -> Figure {
    format::count(value.round() as u32)
}

/// How many notes of each severity there are.
#[component]
fn NoteCounts(bench: Bench) -> impl IntoView {
    let count = move |severity: Severity| {
        bench.answer.with(|answer| answer.evaluation.notes.iter().filter(|note| note.severity == severity).count())
    };
    let words = move || {
        let parts: Vec<String> = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
            .into_iter()
            .map(|(severity, word)| (count(severity) as u32, word))
            .filter(|(number, _)| *number > 0)
            .map(|(number, word)| format::things(number, word, &format!("{word}s")))
            .collect();
        if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
    };
    let class = move || {
        if count(Severity::Error) > 0 {
            "counts error"
        } else if count(Severity::Warning) > 0 {
            "counts warning"
        } else {
            "counts"
        }
    };
    view! { <a class=class href="#notes">{words}</a> }
}

/// The tabs of the views.
#[component]
pub fn Tabs(
    /// Whose.
    bench: Bench,
) -> impl IntoView {
    let tab = move |view: View| {
        let current = move || if bench.at.with(|at| at.view == view) { "page" } else { "false" };
        let href = move || {
            let at = crate::paths::Workbench { view, ..bench.at.get() };
            bench.id.with_value(|id| crate::paths::workshop(id, &at))
        };
        view! { <a href=href aria-current=current data-noscroll>{view.words()}</a> }
    };
    view! { <nav class="tabs" aria-label="Views of the design">{View::ALL.map(tab).collect_view()}</nav> }
}
