//! The instant year: the browser runs the engine itself and says how long it took.

use crate::components::figure::{Kpi, Number};
use crate::{api, format, year};
use leptos::prelude::*;
use leptos::task::spawn_local;
use model::id::DesignId;
use model::report::{Banded, Report};
use std::time::Duration;

/// Step and seed of the instant year: those of the button's first choice, so that both give one answer.
const STEP_MINUTES: u32 = 60;
const SEED: u64 = 1;

/// A year of the newest version of a design, simulated on the reader's own machine as soon as the page is awake.
#[component]
pub fn InstantYear(
    /// Which design.
    design: DesignId,
) -> impl IntoView {
    let answer = RwSignal::new(None::<Result<(Report, f64), String>>);
    Effect::new(move |_| {
        let design = design.clone();
        spawn_local(async move {
            match api::site(design).await {
                // A short wait lets the page show before the engine takes the processor.
                Ok(site) => set_timeout(
                    move || {
                        let year = year::simulate(&site, STEP_MINUTES, SEED);
                        answer.set(Some(year.map(|year| (year.report, year.milliseconds))));
                    },
                    Duration::from_millis(20),
                ),
                Err(error) => answer.set(Some(Err(error.to_string()))),
            }
        });
    });
    let report = move |pick: fn(&Report) -> format::Figure| {
        answer.with(|answer| match answer {
            Some(Ok((report, _))) => pick(report),
            None | Some(Err(_)) => format::missing(),
        })
    };
    let reach = move |pick: fn(&Report) -> Banded| {
        let words =
            move || answer.with(|answer| answer.as_ref()?.as_ref().ok().map(|(report, _)| format::band(&pick(report))));
        view! { " " <span class="band">{words}</span> }
    };
    let status = move || {
        answer.with(|answer| match answer {
            None => "waiting for the engine to load in this browser…".to_owned(),
            Some(Ok((_, milliseconds))) => format!("computed here in {}", format::milliseconds(*milliseconds)),
            Some(Err(reason)) => format!("not computed: {reason}"),
        })
    };
    view! {
        <section class="instant" aria-labelledby="instant">
            <h2 id="instant">"The year, in this browser"</h2>
            <p class="soft">
                "8760 hours of default weather, prices and requests, seed 1; " <span role="status">{status}</span>
            </p>
            <dl class="kpis">
                <Kpi label="Tokens per megawatt" detail="output, for each MW at the utility meter, mean over the year">
                    {move || view! { <Number figure=report(|r| format::tokens_per_megawatt(r.tokens_per_second_per_mw_facility))/> }}
                    {reach(|r| r.tokens_per_second_per_mw_facility_band)}
                </Kpi>
                <Kpi label="PUE" detail="facility energy over IT energy">
                    {move || view! { <Number figure=report(|r| format::quotient(r.pue))/> }}
                </Kpi>
                <Kpi label="Water" detail="make-up water in the year">
                    {move || view! { <Number figure=report(|r| format::water(r.water_m3))/> }}
                </Kpi>
                <Kpi label="Cost" detail="all costs over output tokens">
                    {move || view! { <Number figure=report(|r| format::price_per_million(r.cost_per_million_tokens_usd))/> }}
                    {reach(|r| r.cost_per_million_tokens_usd_band)}
                </Kpi>
            </dl>
        </section>
    }
}
