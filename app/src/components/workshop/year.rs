//! The year of the design as drawn, worked out in this browser; and what drives it.

use super::Bench;
use crate::components::figure::Number;
use crate::components::report::{CoolingHours, EnergyFlow, Headline, MoneyTable, YearCharts};
use crate::format;
use crate::year::Year;
use leptos::prelude::*;
use model::quantity::Span;
use model::report::Improvement;
use sim::drivers::{Driver, drivers, improvements};
use std::sync::Arc;

/// The year as a report.
#[component]
pub fn YearView(
    /// Whose.
    bench: Bench,
) -> impl IntoView {
    let shown = move || match bench.year.get() {
        Err(why) => view! { <p class="empty">"No year yet: " {why} "."</p> }.into_any(),
        Ok(year) => {
            let report = year.report.clone();
            view! {
                <p class="soft">"8760 hours of weather, prices and requests made for the place, seed 1, worked out here in " {format::milliseconds(year.milliseconds).to_string()} ". Files and settings of your own are used by “Run the year”, which keeps what it finds."</p>
                <Headline report=report.clone()/>
                <EnergyFlow report=report.clone()/>
                <YearCharts report=report.clone()/>
                <CoolingHours report=report.clone()/>
                <MoneyTable report/>
            }
            .into_any()
        }
    };
    view! { <section class="drawing year" aria-label="The year">{shown}</section> }
}

/// What drives the year, and what would improve it; worked out when asked, as it takes some thirty years of simulation.
#[component]
pub fn Drivers(
    /// Whose.
    bench: Bench,
) -> impl IntoView {
    let found = RwSignal::new(None::<(Vec<Driver>, Vec<Improvement>, Arc<Year>)>);
    let work_out = move |_| {
        let (Some(site), Ok(year)) = (bench.answer.get_untracked().site, bench.year.get_untracked()) else { return };
        let scenario = sim::defaults::scenario(&site, Span::from_hours(1.0), year.report.seed);
        found.set(Some((drivers(&site, &scenario), improvements(&site, &scenario, &year.report), year)));
    };
    // An answer for another design is no answer.
    Effect::new(move |before: Option<()>| {
        bench.design.track();
        if before.is_some() {
            found.set(None);
        }
    });
    let ready = move || bench.year.with(Result::is_ok);
    view! {
        <section class="drawing" aria-labelledby="drivers">
            <h2 id="drivers">"What drives this?"</h2>
            <p class="soft">"The same year again with one input changed at a time. The ranges are judgements, said beside each; joint effects are not in it."</p>
            <p class="actions">
                <button class="primary" disabled=move || !ready() on:click=work_out>"Work it out"</button>
                <span class="why">{move || (!ready()).then_some("There is no year yet to vary.")}</span>
            </p>
            {move || found.get().map(|(drivers, improvements, year)| {
                let base = year.report.tokens_per_second_per_mw_facility;
                view! {
                    <Tornado drivers=drivers base/>
                    <Improvements improvements/>
                }
            })}
        </section>
    }
}

/// A tornado: how far each input moves tokens per megawatt, widest first.
#[component]
fn Tornado(drivers: Vec<Driver>, base: f64) -> impl IntoView {
    let widest = drivers
        .iter()
        .flat_map(|d| [d.tokens_per_mw.0, d.tokens_per_mw.1])
        .map(|end| (end - base).abs())
        .fold(1e-9, f64::max);
    let title = drivers.first().filter(|_| base > 0.0).map_or_else(String::new, |first| {
        format!("{} moves tokens per megawatt most, by {}", first.name, format::percent(first.swing() / base))
    });
    let rows = drivers.into_iter().map(|driver| {
        let bar = |end: f64| (end - base) / widest * 100.0;
        let (a, b) = (bar(driver.tokens_per_mw.0), bar(driver.tokens_per_mw.1));
        let (left, right) = (a.min(b).min(0.0), a.max(b).max(0.0));
        let share = |end: f64| if base > 0.0 { format::relative_change(end / base - 1.0) } else { String::new() };
        let none = |words: String| if words.is_empty() { "none".to_owned() } else { words };
        let cost = |usd: f64| format::price_per_million(usd);
        view! {
            <tr>
                <th scope="row">{driver.name} <span class="soft">" " {driver.low_words} " · " {driver.high_words}</span></th>
                <td class="num">{none(share(driver.tokens_per_mw.0))}</td>
                <td class="bar">
                    <svg class="tornado" viewBox="-100 0 200 10" preserveAspectRatio="none" aria-hidden="true">
                        <rect class="less" x=left y="1" width=-left height="8"/><rect class="more" x="0" y="1" width=right height="8"/>
                        <line x1="0" x2="0" y1="0" y2="10"/>
                    </svg>
                </td>
                <td class="num">{none(share(driver.tokens_per_mw.1))}</td>
                <td class="num"><Number figure=cost(driver.cost_per_million_usd.0)/></td>
                <td class="num"><Number figure=cost(driver.cost_per_million_usd.1)/></td>
            </tr>
        }
    }).collect_view();
    view! {
        <figure class="picture">
            <figcaption>{title} "."</figcaption>
            <div class="scroll" tabindex="0" role="region" aria-label="What drives the year">
                <table class="tornado">
                    <thead><tr>
                        <th scope="col">"Input"</th><th scope="col" class="num">"Tokens per MW with less"</th>
                        <th scope="col"><span class="hidden">"As a bar"</span></th><th scope="col" class="num">"with more"</th>
                        <th scope="col" class="num">"Cost with less"</th><th scope="col" class="num">"with more"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </figure>
    }
}

/// What would improve it, with what each is worth.
#[component]
pub fn Improvements(
    /// Each alone, most dollars first.
    improvements: Vec<Improvement>,
) -> impl IntoView {
    if improvements.is_empty() {
        return view! { <p class="empty">"None of the changes tried would gain tokens, power or money."</p> }
            .into_any();
    }
    let rows = improvements
        .into_iter()
        .map(|each| {
            view! {
                <tr>
                    <th scope="row">{each.name} <span class="soft">" " {each.caveat}</span></th>
                    <td class="num">{format::change(0.0, each.tokens, format::tokens)}</td>
                    <td class="num">{format::relative_change(each.tokens_per_mw_share)}</td>
                    <td class="num">{format::change(0.0, -each.power_mw, format::megawatts)}</td>
                    <td class="num">{format::change(0.0, each.gain_usd, format::money)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <h3>"What would improve it"</h3>
        <div class="scroll" tabindex="0" role="region" aria-label="What would improve it">
            <table>
                <caption>"Each change alone, for the same year. Dollars are revenue at the model's list price less all costs; revenue of every token sold is the best case."</caption>
                <thead><tr>
                    <th scope="col">"Change"</th><th scope="col" class="num">"Tokens a year"</th><th scope="col" class="num">"Tokens per MW"</th>
                    <th scope="col" class="num">"Highest draw"</th><th scope="col" class="num">"Dollars a year"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
