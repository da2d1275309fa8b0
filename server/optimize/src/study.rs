//! Everything that is asked of a search at once: the best, the frontier, the reasons, and whether it stands.

use crate::base::Base;
use crate::reasons::reasons;
use crate::relax::conflicts;
use crate::robust::{power_errors, robust};
use crate::search::optimize;
use model::optimum::{Optimum, OptimumAsk, Point, StorageYear, StrandedBeside};
use sim::stranded::Waterfall;

/// The study of a design: of its ground, made with the limits of the question.
pub fn study(base: &Base, ask: &OptimumAsk) -> Optimum {
    let choices = base.choices();
    let answer = optimize(base, &choices, ask.goal, &ask.frontier);
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
