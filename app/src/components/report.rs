//! A year's report, part by part: the answer first, then where the energy went, then the year, the money and the grounds.

use crate::components::chart::{Chart, Readings};
use crate::components::figure::{Band, Kpi, Meter, Number};
use crate::components::workshop::units;
use crate::findings;
use crate::format;
use leptos::prelude::*;
use model::report::{Month, Report};

/// The answer, and the three figures that go with it.
#[component]
pub fn Headline(
    /// The year.
    report: Report,
) -> impl IntoView {
    let band = report.tokens_per_second_per_mw_facility_band;
    let cost = report.cost_per_million_tokens_usd_band;
    let (units, water_m3, wue) = (units(), report.water_m3, report.wue_l_per_kwh);
    view! {
        <section class="headline" aria-labelledby="answer">
            <h2 id="answer" class="hidden">"The answer"</h2>
            <p class="answer">
                <Band banded=band figure=format::tokens_per_megawatt(report.tokens_per_second_per_mw_facility) ends=format::tokens_per_megawatt/>
            </p>
            <p class="soft">
                "Serving " {report.model.clone()} ". Output tokens per second for each megawatt at the utility meter, mean over the year: "
                {format::tokens(report.tokens_output).to_string()} " from "
                {format::megawatt_hours(report.facility_energy_mwh).to_string()} ", at "
                {format::percent(report.utilisation).to_string()} " of full work. For each IT megawatt it is "
                {format::tokens_per_megawatt(report.tokens_per_second_per_mw_it).to_string()} ", for each megawatt of GPU boards "
                {format::tokens_per_megawatt(report.tokens_per_second_per_mw_gpu).to_string()} " ("
                {format::tokens_per_joule(report.tokens_per_joule_gpu).to_string()} ")."
            </p>
            <dl class="kpis">
                <Kpi label="PUE" detail="facility energy over IT energy, over the year">
                    <Number figure=format::quotient(report.pue)/>
                </Kpi>
                <Kpi label="Cost" detail="all costs of the year over output tokens">
                    <Band banded=cost figure=format::price_per_million(report.cost_per_million_tokens_usd) ends=format::price_per_million/>
                </Kpi>
                <div class="kpi">
                    <dt>"Water"</dt>
                    <dd>{move || view! { <Number figure=format::water_in(units.get(), water_m3)/> }}</dd>
                    <dd class="detail">{move || format::water_per_energy_in(units.get(), wue).to_string()} " of IT energy"</dd>
                </div>
                <Kpi label="Carbon" detail=format!("{}, of the electricity used", format::carbon_per_million(report.carbon_g_per_million_tokens))>
                    <Number figure=format::carbon(report.carbon_t)/>
                </Kpi>
            </dl>
        </section>
    }
}

fn share_words(share: f64) -> String {
    format::percent(share).to_string()
}

fn energy_words(mwh: f64) -> String {
    format::megawatt_hours(mwh).to_string()
}

/// Where the energy went, as a picture and as a table.
#[component]
pub fn EnergyFlow(
    /// The year.
    report: Report,
) -> impl IntoView {
    let title = findings::flow(&report);
    let svg = chart::energy_flow(&report.flows, &title, energy_words, share_words);
    let rows = findings::energy_rows(&report).into_iter().map(|row| {
        view! {
            <tr class=row.step.class()>
                <th scope="row">{row.name}</th>
                <td class="num">{row.step.sign()} <Number figure=format::megawatt_hours(row.mwh)/></td>
                <td class="num"><Number figure=format::or_missing(row.share, format::percent)/></td>
                <td class="bar"><Meter share=row.share.unwrap_or_default()/></td>
            </tr>
        }
    });
    let flows = report.flows.clone().into_iter().map(|flow| {
        view! {
            <tr>
                <th scope="row">{flow.from}</th>
                <td>{flow.to}</td>
                <td class="num"><Number figure=format::megawatt_hours(flow.mwh)/></td>
            </tr>
        }
    });
    view! {
        <section aria-labelledby="energy">
            <h2 id="energy">"Where the energy went"</h2>
            <Chart title svg>
                <table>
                    <caption>"Each band of the picture"</caption>
                    <thead><tr><th scope="col">"From"</th><th scope="col">"To"</th><th scope="col" class="num">"Energy"</th></tr></thead>
                    <tbody>{flows.collect_view()}</tbody>
                </table>
            </Chart>
            <div class="scroll" tabindex="0" role="region" aria-label="From the utility to the tokens">
                <table>
                    <caption>"From the utility to the boards that make tokens"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Where"</th><th scope="col" class="num">"Energy"</th>
                            <th scope="col" class="num">"Of the meter"</th>
                            <th scope="col"><span class="hidden">"Of the meter as a bar"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
            <p class="soft">"The energy books balance to " {format::relative_error(report.balance_error)} " of what was supplied."</p>
        </section>
    }
}

/// The year: month by month, and how it uses the contract.
#[component]
pub fn YearCharts(
    /// The year.
    report: Report,
) -> impl IntoView {
    let months_title = findings::months(&report.months);
    let months_svg = chart::monthly_bars(&report.months, &months_title, format::axis::megawatt_hours);
    let duration_title = findings::duration(&report.load_duration_mw, report.contract_power_mw);
    let duration_svg = chart::load_duration(
        &report.load_duration_mw,
        report.contract_power_mw,
        &duration_title,
        format::axis::megawatts,
    );
    let deciles = report.load_duration_mw.clone().into_iter().enumerate().step_by(10).map(|(percent, mw)| {
        view! {
            <tr>
                <th scope="row">{format::percent(percent as f64 / 100.0).to_string()}</th>
                <td class="num"><Number figure=format::megawatts(mw)/></td>
            </tr>
        }
    });
    let (by_day, by_month, by_share) = (day_readings(&report), month_readings(&report), duration_readings(&report));
    let (of_days, months) = (report.clone(), report.months);
    let hours_title = findings::hours(&of_days.facility_power_by_hour_mw);
    let hours_svg = chart::year_of_hours(&of_days.facility_power_by_hour_mw, &hours_title, format::axis::megawatts);
    view! {
        <section aria-labelledby="year">
            <h2 id="year">"The year"</h2>
            <Chart title=hours_title svg=hours_svg readings=by_day><DayTable report=of_days/></Chart>
            <div class="pair">
                <Chart title=months_title svg=months_svg readings=by_month><MonthTable months/></Chart>
                <Chart title=duration_title svg=duration_svg readings=by_share>
                    <table>
                        <caption>"Facility power at or above, for a share of the year"</caption>
                        <thead><tr><th scope="col">"Share of the year"</th><th scope="col" class="num">"Power"</th></tr></thead>
                        <tbody>{deciles.collect_view()}</tbody>
                    </table>
                </Chart>
            </div>
        </section>
    }
}

/// Shares of their pictures' widths between which the charts draw: as `chart` has them.
const MONTHS_DRAWN: (f64, f64) = ((76.0 + 20.0) / 560.0, (552.0 - 20.0) / 560.0);
const DURATION_DRAWN: (f64, f64) = (76.0 / 560.0, 544.0 / 560.0);
const DAYS_DRAWN: (f64, f64) = (0.045, 0.9987);

fn month_readings(report: &Report) -> Readings {
    let words = report.months.iter().map(|m| {
        format!(
            "{}: {} at the meter, {} into racks, {} for cooling, {} of carbon, {} of electricity",
            format::month(m.month),
            format::megawatt_hours(m.facility_energy_mwh),
            format::megawatt_hours(m.it_energy_mwh),
            format::megawatt_hours(m.cooling_energy_mwh),
            format::carbon(m.carbon_t),
            format::money(m.electricity_usd)
        )
    });
    Readings { from: MONTHS_DRAWN.0, to: MONTHS_DRAWN.1, words: words.collect() }
}

fn duration_readings(report: &Report) -> Readings {
    let words = report.load_duration_mw.iter().enumerate().map(|(percent, mw)| {
        format!("{} or more for {} of the year", format::megawatts(*mw), format::percent(percent as f64 / 100.0))
    });
    Readings { from: DURATION_DRAWN.0, to: DURATION_DRAWN.1, words: words.collect() }
}

/// Lowest, mean and highest power of each day.
fn days(report: &Report) -> Vec<(f64, f64, f64)> {
    let day = |hours: &[f64]| {
        let (low, high) = hours.iter().fold((f64::MAX, 0.0_f64), |(l, h), &mw| (l.min(mw), h.max(mw)));
        (low, hours.iter().sum::<f64>() / hours.len() as f64, high)
    };
    report.facility_power_by_hour_mw.chunks(24).map(day).collect()
}

fn day_readings(report: &Report) -> Readings {
    let words = days(report).into_iter().enumerate().map(|(at, (low, mean, high))| {
        format!(
            "{}: {} on average, {} to {}",
            format::day_of_year(at),
            format::megawatts(mean),
            format::megawatts(low),
            format::megawatts(high)
        )
    });
    Readings { from: DAYS_DRAWN.0, to: DAYS_DRAWN.1, words: words.collect() }
}

/// Every tenth day of the hour-by-hour picture.
#[component]
fn DayTable(report: Report) -> impl IntoView {
    let rows = days(&report).into_iter().enumerate().step_by(10).map(|(at, (low, mean, high))| view! {
        <tr><th scope="row">{format::day_of_year(at)}</th><td class="num"><Number figure=format::megawatts(low)/></td><td class="num"><Number figure=format::megawatts(mean)/></td><td class="num"><Number figure=format::megawatts(high)/></td></tr>
    }).collect_view();
    view! {
        <table>
            <caption>"Facility power of every tenth day"</caption>
            <thead><tr><th scope="col">"Day of the year"</th><th scope="col" class="num">"Lowest"</th><th scope="col" class="num">"Mean"</th><th scope="col" class="num">"Highest"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

#[component]
fn MonthTable(months: Vec<Month>) -> impl IntoView {
    let units = units();
    let rows = months.into_iter().map(|month| {
        view! {
            <tr>
                <th scope="row">{format::month(month.month)}</th>
                <td class="num"><Number figure=format::megawatt_hours(month.facility_energy_mwh)/></td>
                <td class="num"><Number figure=format::megawatt_hours(month.it_energy_mwh)/></td>
                <td class="num"><Number figure=format::megawatt_hours(month.cooling_energy_mwh)/></td>
                <td class="num"><Number figure=format::megawatts(month.peak_power_mw)/></td>
                <td class="num"><Number figure=format::tokens(month.tokens_output)/></td>
                <td class="num"><Number figure=format::money(month.electricity_usd)/></td>
                <td class="num"><Number figure=format::carbon(month.carbon_t)/></td>
                <td class="num">{move || view! { <Number figure=format::water_in(units.get(), month.water_m3)/> }}</td>
            </tr>
        }
    });
    view! {
        <table>
            <caption>"Month by month"</caption>
            <thead>
                <tr>
                    <th scope="col">"Month"</th>
                    <th scope="col" class="num">"Facility"</th>
                    <th scope="col" class="num">"IT"</th>
                    <th scope="col" class="num">"Cooling"</th>
                    <th scope="col" class="num">"Peak"</th>
                    <th scope="col" class="num">"Output"</th>
                    <th scope="col" class="num">"Electricity"</th>
                    <th scope="col" class="num">"Carbon"</th>
                    <th scope="col" class="num">"Water"</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
}

/// Hours in each way of cooling.
#[component]
pub fn CoolingHours(
    /// The year.
    report: Report,
) -> impl IntoView {
    let all: f64 = report.hours_by_cooling_mode.values().sum();
    let rows = findings::cooling_rows(&report).into_iter().map(|(name, hours)| {
        let share = findings::share(hours, all);
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td class="num"><Number figure=format::hours(hours)/></td>
                <td class="num"><Number figure=format::or_missing(share, format::percent)/></td>
                <td class="bar heat"><Meter share=share.unwrap_or_default()/></td>
            </tr>
        }
    });
    view! {
        <section aria-labelledby="cooling">
            <h2 id="cooling">"Cooling"</h2>
            <div class="scroll" tabindex="0" role="region" aria-label="Hours by way of cooling">
                <table>
                    <caption>{findings::cooling_finding(&report)} "."</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Way"</th><th scope="col" class="num">"Hours"</th><th scope="col" class="num">"Of the year"</th>
                            <th scope="col"><span class="hidden">"Of the year as a bar"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
            <p class="soft">
                "Heat or contract held the fleet back for " {format::hours(report.hours_derated).to_string()}
                "; supply water was more than 0.5 K above its set-point for " {format::hours(report.hours_above_set_point).to_string()} "."
            </p>
        </section>
    }
}

/// What the year costs and earns.
#[component]
pub fn MoneyTable(
    /// The year.
    report: Report,
) -> impl IntoView {
    let money = report.money.clone();
    let rows = findings::money_rows(&money, report.tokens_output).into_iter().map(|(name, usd, per_million)| {
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td class="num"><Number figure=format::money(usd)/></td>
                <td class="num"><Number figure=format::or_missing(per_million, format::price_per_million)/></td>
                <td class="bar money"><Meter share=findings::share(usd, money.total_usd).unwrap_or_default()/></td>
            </tr>
        }
    });
    view! {
        <section aria-labelledby="money">
            <h2 id="money">"Money"</h2>
            <div class="scroll" tabindex="0" role="region" aria-label="Costs of the year">
                <table>
                    <caption>
                        "What the year costs, and the part of it in a million output tokens. To build it: "
                        {format::money(money.capex_usd).to_string()} ", of which computers "
                        {format::money(money.capex_it_usd).to_string()} "."
                    </caption>
                    <thead>
                        <tr>
                            <th scope="col">"Cost"</th><th scope="col" class="num">"In the year"</th>
                            <th scope="col" class="num">"In a million tokens"</th>
                            <th scope="col"><span class="hidden">"Of all costs as a bar"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
            <p class="soft">
                "Sold at the model's typical price, the tokens earn " {format::money(money.revenue_usd).to_string()} " in the year: "
                {format::money(money.revenue_per_mw_usd).to_string()} " for each megawatt of the contract."
            </p>
        </section>
    }
}

/// What the figures rest on: inputs, assumptions, and what it takes to run the same year again.
#[component]
pub fn Grounds(
    /// The year.
    report: Report,
) -> impl IntoView {
    let inputs = report.input.into_iter().map(|input| {
        view! {
            <tr>
                <th scope="row">{input.input}</th>
                <td>{input.file}</td>
                <td>{input.format}</td>
                <td class="num">{format::count(input.rows).to_string()}</td>
                <td class="num">{format::count(input.filled).to_string()}</td>
            </tr>
            {(!input.remarks.is_empty()).then(|| view! { <tr class="remark"><td colspan="5" class="soft">{input.remarks.join("; ")}</td></tr> })}
        }
    });
    let assumptions = report.assumptions.into_iter().map(|words| view! { <li>{words}</li> });
    view! {
        <section aria-labelledby="grounds">
            <h2 id="grounds">"What this rests on"</h2>
            <div class="scroll" tabindex="0" role="region" aria-label="Inputs">
                <table>
                    <caption>"Inputs: what was read, and what was made up because nothing was given"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Input"</th><th scope="col">"File"</th><th scope="col">"Format"</th>
                            <th scope="col" class="num">"Rows"</th><th scope="col" class="num">"Filled in"</th>
                        </tr>
                    </thead>
                    <tbody>{inputs.collect_view()}</tbody>
                </table>
            </div>
            <h3>"Assumptions"</h3>
            <ul class="plain">{assumptions.collect_view()}</ul>
            <p class="soft identity">
                "Millwright " {report.program_version} ", " {format::count(report.step_minutes as u32).to_string()} "-minute steps, seed "
                {report.seed} ", inputs " <code>{report.input_hash}</code> ". The same inputs give the same report."
            </p>
        </section>
    }
}
