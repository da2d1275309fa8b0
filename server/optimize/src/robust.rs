//! Whether the best stands: on the hottest hour, in the busiest hours, with a unit out, and with boards that draw otherwise
//! than the model says.

use crate::base::{Base, Choices};
use crate::search::optimize;
use model::design::Redundancy;
use model::optimum::{Choice, FailedUnit, Goal, Limit, Point, PowerError, Robust};
use model::quantity::Span;
use model::site::{Loop, Site};
use sim::serving::draw::ERROR as POWER_ERROR;

/// Busiest hours of the year that are looked at, one in so many.
const BUSIEST: usize = 100;
/// Seed of the default year that is run.
const SEED: u64 = 1;

/// A choice when something goes wrong. Runs a year in hours.
pub fn robust(base: &Base, choices: &Choices, best: &Point) -> Robust {
    let (site, _) = base.site(&best.choice);
    let scenario = sim::defaults::scenario(&site, Span::from_hours(1.0), SEED);
    let year = sim::simulate(&site, &scenario).columns;
    let mut hours: Vec<usize> = (0..year.demand_tokens_per_s.len()).collect();
    hours.sort_by(|a, b| year.demand_tokens_per_s[*b].total_cmp(&year.demand_tokens_per_s[*a]));
    hours.truncate((hours.len() / BUSIEST).max(1));
    let sum = |column: &[f64]| hours.iter().map(|hour| column[*hour]).sum::<f64>();
    let (asked, made) = (sum(&year.demand_tokens_per_s), sum(&year.output_tokens_per_s));
    let all = best.output_tokens_per_s * hours.len() as f64;
    Robust {
        hottest_c: sim::evaluate(&site).hottest_c,
        hottest_mw: best.peak_mw,
        contract_mw: site.contract_power.as_megawatts(),
        held_back_h: year.allowed_share.iter().filter(|share| **share < 1.0 - 1e-9).count() as f64,
        busiest_asked: if all > 0.0 { asked / all } else { 0.0 },
        busiest_served: if asked > 0.0 { made / asked } else { 1.0 },
        failures: base.failures(choices, best),
    }
}

/// The search with boards that draw less and more than the model says, by the error that bands of power are made with.
pub fn power_errors(base: &Base, choices: &Choices, goal: Goal, best: &Point) -> Vec<PowerError> {
    let with = |draw: f64| {
        let other = base.clone().drawing(draw);
        let ours = other.point(&best.choice);
        let known = optimize(&other, choices, goal, &[]).best;
        // Racks that are there stay; their power limit and water can be set anew once it is seen what boards draw.
        let own = Choices { racks: vec![best.choice.racks], ..choices.clone() };
        let mended = optimize(&other, &own, goal, &[]).best;
        let regret = match (&mended, &known) {
            (Some(mended), Some(known)) => loss(goal, mended, known),
            (None, Some(_)) => 1.0,
            (_, None) => 0.0,
        };
        PowerError { draw, ours, best: known, regret }
    };
    [1.0 - POWER_ERROR, 1.0 + POWER_ERROR].map(with).to_vec()
}

/// How much worse one point is than another by a goal, as a share of the other.
fn loss(goal: Goal, ours: &Point, known: &Point) -> f64 {
    let (ours, known) = (goal.worth(ours), goal.worth(known));
    if known == 0.0 { 0.0 } else { ((known - ours) / known.abs()).max(0.0) }
}

impl Base {
    /// Each group that a choice needs every unit of, and the power limit, or the racks, that the rest carries.
    fn failures(&self, choices: &Choices, best: &Point) -> Vec<FailedUnit> {
        let (site, capital) = self.site(&best.choice);
        let mut found = Vec::new();
        for (place, less) in each_with_one_out(&site) {
            let mut served = self.served();
            let mut at = |choice: &Choice| {
                let mut site = less.clone();
                self.make(choice, &mut site);
                // What is out stays out: making a choice sets redundancy as drawn.
                for (node, own) in site.power.iter_mut().zip(&less.power) {
                    node.redundancy = own.redundancy;
                }
                let point = self.of_site(choice, &site, capital, &mut served);
                let carried = point.short.iter().all(|short| matches!(short.limit, Limit::Contract | Limit::Capex));
                carried.then_some(point)
            };
            if at(&best.choice).is_some() {
                continue;
            }
            let left = lowered(choices, best, &mut at);
            let (cap_w, racks) = left.as_ref().map_or((choices.caps_w[0], 0), |p| (p.choice.cap_w, p.choice.racks));
            let tokens = left.map_or(0.0, |point| point.output_tokens_per_s);
            let tokens_share = if best.output_tokens_per_s > 0.0 { tokens / best.output_tokens_per_s } else { 0.0 };
            found.push(FailedUnit { place, cap_w, racks, tokens_share });
        }
        found.sort_by(|a, b| a.tokens_share.total_cmp(&b.tokens_share));
        found
    }
}

/// All racks under the highest power limit that is carried; where none is, as many racks as the lowest one leaves.
fn lowered(choices: &Choices, best: &Point, at: &mut impl FnMut(&Choice) -> Option<Point>) -> Option<Point> {
    let caps = choices.caps_w.iter().rev().filter(|cap| **cap < best.choice.cap_w);
    for cap_w in caps {
        if let Some(point) = at(&Choice { cap_w: *cap_w, ..best.choice }) {
            return Some(point);
        }
    }
    let (mut fits, mut over, mut found) = (0, best.choice.racks, None);
    while fits + 1 < over {
        let racks = u32::midpoint(fits, over);
        match at(&Choice { racks, cap_w: choices.caps_w[0], ..best.choice }) {
            Some(point) => (fits, found) = (racks, Some(point)),
            None => over = racks,
        }
    }
    found
}

/// A site with one unit out of each group of power and cooling in turn. With it out nothing is kept in hand: what is left must
/// carry the load.
fn each_with_one_out(site: &Site) -> Vec<(String, Site)> {
    let mut all = Vec::new();
    for at in 0..site.power.len() {
        let mut less = site.clone();
        let node = &mut less.power[at];
        node.units = node.units.saturating_sub(1);
        node.redundancy = Redundancy::N;
        all.push((format!("power \"{}\"", site.power[at].name), less));
    }
    for (at, own) in site.loops.iter().enumerate() {
        for (kind, words) in ["CDUs or fan walls", "coolers", "chillers"].into_iter().enumerate() {
            let mut less = site.clone();
            if take_one(&mut less.loops[at], kind) {
                all.push((format!("{words} of cooling \"{}\"", own.name), less));
            }
        }
    }
    all
}

/// Takes one unit out of a loop's terminals, coolers or chillers; whether it has any.
fn take_one(each: &mut Loop, kind: usize) -> bool {
    let groups = [Some(&mut each.terminal), each.rejection.as_mut(), each.chiller.as_mut()];
    let Some(group) = groups.into_iter().nth(kind).flatten() else { return false };
    group.units = group.units.saturating_sub(1);
    group.redundancy = Redundancy::N;
    true
}
