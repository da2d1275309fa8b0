//! What is this, what has it found lately, and what can I run now?

use crate::components::failure::Loaded;
use crate::components::figure::Number;
use crate::components::made_up::MadeUpNote;
use crate::components::run_year::RunYear;
use crate::{api, findings, format, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use model::fleet::FleetBrief;
use model::run::{DesignSummary, RunSummary};

/// Runs whose answer the overview shows.
const ANSWERS_SHOWN: usize = 3;

/// The overview.
#[component]
pub fn HomePage() -> impl IntoView {
    let runs = Resource::new(|| (), |()| api::runs());
    let designs = Resource::new(|| (), |()| api::designs());
    let fleet = Resource::new(|| (), |()| api::fleet_brief());
    view! {
        <Title text="Overview"/>
        <h1>"Overview"</h1>
        <p class="lead">
            "Millwright is an open workshop for AI factories: it takes a design through a year of weather, load and prices, \
             and says how many tokens come out for each megawatt that goes in, and where the rest goes."
        </p>
        // Beside the point of the page: where it can't be had, nothing is said of it.
        <Transition>{move || Suspend::new(async move { fleet.await.ok().and_then(live) })}</Transition>
        <section aria-labelledby="latest">
            <h2 id="latest">"Latest answers"</h2>
            <Loaded resource=runs noun="the latest runs" show=latest/>
        </section>
        <section aria-labelledby="designs">
            <h2 id="designs">"Designs"</h2>
            <p class="actions"><a class="button primary" href=paths::NEW>"New design"</a></p>
            <Loaded resource=designs noun="the designs" show=runnable/>
        </section>
    }
}

/// The live fleet in a line, where there is one.
fn live(FleetBrief { seen, usable, attention }: FleetBrief) -> Option<AnyView> {
    let need = match attention {
        0 => "Nothing needs a person".to_owned(),
        many => format!("{} a person", format::things(many, "thing needs", "things need")),
    };
    let shown = || {
        view! {
            <section aria-labelledby="live">
                <h2 id="live">"The live fleet"</h2>
                <MadeUpNote/>
                <ul class="brief">
                    <li>{format::count(usable).to_string()} " of " {format::things(seen, "GPU", "GPUs")} " can be used"</li>
                    <li><a href=paths::ALERTS>{need}</a></li>
                    <li><a href=paths::FLEET>"See the live fleet"</a></li>
                </ul>
            </section>
        }
        .into_any()
    };
    (seen > 0).then(shown)
}

fn latest(runs: Vec<RunSummary>) -> AnyView {
    let answers = findings::answered(runs, ANSWERS_SHOWN);
    if answers.is_empty() {
        return view! {
            <p class="empty">"No year has been run yet. Choose a design below and press “Run the year”: it takes a few seconds."</p>
        }
        .into_any();
    }
    let cards = answers.into_iter().map(|(run, figure)| {
        view! {
            <li>
                <a class="card" href=paths::run(&run.id)>
                    <span class="name">{run.design_name.clone()} " " <span class="soft">" version " {run.version}</span></span>
                    <span class="big"><Number figure=format::tokens_per_megawatt(figure)/></span>
                    <span class="soft">"output tokens, for each MW at the utility meter"</span>
                    <span class="soft">{format::moment(run.created_ms)}</span>
                </a>
            </li>
        }
    });
    view! { <ul class="cards">{cards.collect_view()}</ul> }.into_any()
}

fn runnable(designs: Vec<DesignSummary>) -> AnyView {
    if designs.is_empty() {
        return view! {
            <p class="empty">"There is no design yet. Start the server with its reference designs, or store one with the command line."</p>
        }
        .into_any();
    }
    let rows = designs.into_iter().map(|design| {
        view! {
            <li class="line">
                <div>
                    <a class="name" href=paths::design(&design.id)>{design.name.clone()}</a>
                    <p class="soft">
                        {format::megawatts(design.contract_power_mw).to_string()} " in " {design.location.clone()} " · "
                        {format::things(design.racks, "rack", "racks")} " · " {format::things(design.gpus, "GPU", "GPUs")}
                    </p>
                </div>
                <RunYear design=design.id.clone() name=design.name.clone() blocked=blocked(&design)/>
            </li>
        }
    });
    view! { <ul class="lines">{rows.collect_view()}</ul> }.into_any()
}

/// Why a design in a list can't be run.
fn blocked(design: &DesignSummary) -> Option<String> {
    (design.racks == 0).then(|| "It can't be run as drawn: see its notes.".to_owned())
}
