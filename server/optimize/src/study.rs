//! Everything that is asked of a search at once: the best, the frontier, the reasons, and whether it stands.

use crate::base::Base;
use crate::placement::{self, Effort, Fill, Proof, Wiring};
use crate::reasons::reasons;
use crate::relax::conflicts;
use crate::robust::{power_errors, robust};
use crate::search::optimize;
use crate::sizing::{Capacity, Gas, annual_usd_per_mw};
use model::catalog::Catalog;
use model::design::Design;
use model::optimum::{Limits, Onsite, OnsiteYear, Optimum, OptimumAsk, Point, Replaced, StorageYear, StrandedBeside};
use sim::stranded::Waterfall;

/// The study of a design and its ground, which is made of it with the limits of the question.
pub fn study(base: &Base, (design, catalog): (&Design, &Catalog), ask: &OptimumAsk) -> Optimum {
    let mut choices = base.choices();
    choices.redundancies.extend(ask.redundancies.iter().copied().map(Some));
    let mut answer = optimize(base, &choices, ask.goal, &ask.frontier);
    // As drawn it is what it is without the limits that are asked for; what it exceeds is told with them.
    if let Ok(own) = Base::new(design, catalog, Limits::default()) {
        let short = std::mem::take(&mut answer.drawn.short);
        answer.drawn = Point { short, ..own.point(&own.drawn_choice()) };
    }
    let best = answer.best.as_ref();
    Optimum {
        ask: ask.clone(),
        reasons: best.map(|best| reasons(base, &choices, ask.goal, best)),
        robust: best.map(|best| robust(base, &choices, best)),
        power_error: best.map(|best| power_errors(base, &choices, ask.goal, best)).unwrap_or_default(),
        envelope: base.envelope(&choices),
        dial: base.dial(&choices),
        stranded: best.map(|best| stranded(base, best)).unwrap_or_default(),
        storage: best.and_then(|best| saved(base, best)),
        onsite: best.zip(ask.onsite.as_ref()).and_then(|(best, onsite)| beside_the_grid(base, best, onsite)),
        replaced: replaced(design, catalog).map(|(told, _)| told),
        conflicts: if best.is_none() { conflicts(base, &choices) } else { Vec::new() },
        answer,
    }
}

/// What the batteries that are drawn could save; none where none are, or where their year has no schedule.
fn saved(base: &Base, best: &Point) -> Option<StorageYear> {
    let battery = base.battery()?;
    let year = base.storage_year(&best.choice)?.ok()?;
    Some(StorageYear {
        energy_mwh: battery.energy_mwh,
        power_mw: battery.power_mw,
        with_usd_per_year: year.cost_usd,
        without_usd_per_year: year.without_usd,
    })
}

/// What is best built beside the grid; none where no such year can be carried.
fn beside_the_grid(base: &Base, best: &Point, onsite: &Onsite) -> Option<OnsiteYear> {
    let finance = &base.drawn().finance;
    let mut offer = base.usual_offer(onsite.solar_capacity_factor.unwrap_or(0.0));
    if onsite.solar_capacity_factor.is_none() {
        offer.solar = None;
    }
    offer.shift = onsite.shift;
    offer.gas = onsite.gas.map(|gas| Gas {
        capacity: Capacity::Chosen {
            usd_per_mw_year: annual_usd_per_mw(
                gas.usd_per_kw,
                gas.usd_per_kw * finance.upkeep_share.as_fraction(),
                finance.wacc,
                finance.plant_life_years,
            ),
            most: base.drawn().contract_power.as_megawatts() * 2.0,
        },
        fuel_usd_per_mwh: gas.fuel_usd_per_mwh,
        carbon_kg_per_mwh: gas.carbon_kg_per_mwh,
    });
    let year = base.sizing_year(&best.choice, &offer).ok()?;
    let (built, energies) = (year.built, year.energies);
    Some(OnsiteYear {
        solar_mw: built.solar_mw,
        gas_mw: built.gas_mw,
        battery_mwh: built.battery_mwh,
        battery_mw: built.battery_mw,
        cost_usd: year.costs.total_usd(),
        without_usd: year.without_usd,
        carbon_t: year.carbon_t,
        without_carbon_t: year.without_carbon_t,
        grid_mwh: energies.grid_mwh,
        solar_mwh: energies.solar_mwh,
        curtailed_mwh: energies.curtailed_mwh,
        gas_mwh: energies.gas_mwh,
        shifted_mwh: energies.shifted_mwh,
    })
}

/// A design's racks placed anew, with more of them where room is, and the design that this makes; none where it can't be.
pub fn replaced(design: &Design, catalog: &Catalog) -> Option<(Replaced, Design)> {
    let plan = placement::plan(design, catalog, Wiring::SameKind, Fill::More, &Effort::default()).ok()?;
    // What still exceeds a limit is no plan to keep.
    if !plan.short.is_empty() {
        return None;
    }
    let placement = &plan.placement;
    let count = |placed: &[placement::Placed]| placed.iter().map(|racks| racks.count).sum();
    let causes = placement.before.causes().into_iter().zip(placement.after.causes());
    let told = Replaced {
        racks_drawn: count(&plan.problem.drawn),
        racks: count(&placement.placed),
        moved: placement.moved,
        placed_mw: placement.placed_kw / 1e3,
        bound_mw: placement.bound_kw / 1e3,
        is_proven: placement.proof == Proof::WithinGap,
        causes: causes.map(|((cause, before), (_, after))| (cause.to_owned(), before / 1e3, after / 1e3)).collect(),
    };
    Some((told, plan.design))
}

/// What becomes of the power that is installed where halls are fed.
fn stranded(base: &Base, best: &Point) -> Vec<StrandedBeside> {
    let (drawn, chosen) = (sim::stranded(base.drawn()), sim::stranded(&base.site(&best.choice).0));
    let line = |cause: &str, of: fn(&Waterfall) -> f64, is_stranded: bool| StrandedBeside {
        cause: cause.to_owned(),
        is_stranded,
        drawn_mw: of(&drawn),
        best_mw: of(&chosen),
    };
    vec![
        line("kept for redundancy", |fall| fall.stranded.redundancy, true),
        line("levels above are smaller, or less than a rack is left", |fall| fall.stranded.rating_mismatch, true),
        line("no position for another rack", |fall| fall.stranded.space, true),
        line("heat that can’t be rejected on the hottest hour", |fall| fall.stranded.cooling, true),
        line("provisioned for racks that draw less", |fall| fall.stranded.part_load, true),
        line("free for more racks", |fall| fall.free_mw, false),
        line("drawn by racks", |fall| fall.drawn_mw, false),
    ]
}

/// Points of a frontier, thinned to no more than `most` of them, both ends kept.
pub fn thinned(frontier: Vec<Point>, most: usize) -> Vec<Point> {
    let count = frontier.len();
    if count <= most || most < 2 {
        return frontier;
    }
    (0..most).map(|at| frontier[at * (count - 1) / (most - 1)].clone()).collect()
}
