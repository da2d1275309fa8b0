//! What levels of the power tree and loops can carry of racks.

use super::{Limit, limit};
use model::report::Evaluation;
use model::site::Site;

/// Share of a limit that is left, so that what a design comes to is not beyond it by a rounding.
const KEPT: f64 = 1e-6;

/// What can be put under each limit, kW of racks' provisioned power or heat.
pub(super) struct Limits {
    /// Of each group of the power tree, and of the contract at the end.
    above: Vec<Gauge>,
    pub(super) loops_kw: Vec<f64>,
}

/// What a level carried with so many racks under it, kW.
#[derive(Debug, Clone, Copy)]
struct Gauge {
    /// Provisioned for racks.
    racks: f64,
    /// What it then carried.
    carried: f64,
    /// Racks that it can carry.
    most: f64,
}

impl Limits {
    /// As the design comes to: every level in proportion to its racks.
    pub(super) fn of(site: &Site) -> Self {
        let seen = sim::evaluate(site);
        let gauge = |(racks_kw, carried_kw, can_kw): (f64, f64, f64)| {
            let most_kw = if carried_kw > 0.0 && racks_kw > 0.0 { racks_kw * can_kw / carried_kw } else { can_kw };
            Gauge { racks: racks_kw, carried: carried_kw, most: most_kw.min(can_kw) }
        };
        Self { above: levels(site, &seen).into_iter().map(gauge).collect(), loops_kw: loops_kw(site) }
    }

    /// From what a placement came to: what one rack more brought each level, in a straight line between this and the one
    /// before. Whether anything is known anew.
    pub(super) fn learn(&mut self, site: &Site, seen: &Evaluation) -> bool {
        let mut learnt = false;
        for (gauge, (racks_kw, carried_kw, can_kw)) in self.above.iter_mut().zip(levels(site, seen)) {
            let more_kw = racks_kw - gauge.racks;
            let each = (carried_kw - gauge.carried) / more_kw;
            let each = if more_kw.abs() > 1.0 && each > 0.1 { each } else { 1.0 };
            let most_kw = (racks_kw + (can_kw - carried_kw) / each).clamp(0.0, can_kw);
            learnt |= (most_kw - gauge.most).abs() > KEPT * can_kw;
            *gauge = Gauge { racks: racks_kw, carried: carried_kw, most: most_kw };
        }
        for (own, report) in self.loops_kw.iter_mut().zip(&seen.loops) {
            let can_kw = 1e3 * report.terminal_firm_mw.min(report.outside_firm_mw);
            if report.heat_mw * 1e3 > can_kw * (1.0 + KEPT) {
                *own = (*own).min(can_kw) * (1.0 - 1e-3);
                learnt = true;
            }
        }
        learnt
    }

    /// Every level as a limit.
    pub(super) fn above(&self, site: &Site) -> Vec<Limit> {
        let names = site.power.iter().map(|node| node.name.as_str()).chain(["contract"]);
        names.zip(&self.above).map(|(name, gauge)| limit(name, gauge.most * (1.0 - KEPT))).collect()
    }

    /// Levels that a group has a part in: itself, those above, and the contract.
    pub(super) fn chain(&self, site: &Site, at: u32) -> Vec<u32> {
        let up = std::iter::successors(Some(at), |at| site.power.get(*at as usize).and_then(|node| node.fed_by));
        up.chain([self.above.len() as u32 - 1]).collect()
    }
}

/// Of each group, and of the contract: what is provisioned for racks, what is carried, and what can be, kW.
fn levels(site: &Site, seen: &Evaluation) -> Vec<(f64, f64, f64)> {
    let groups = seen.power_tree.iter().map(|node| {
        let carried = node.provisioned_mw.max(node.peak_mw);
        (node.provisioned_mw * 1e3, carried * 1e3, node.firm_mw * 1e3)
    });
    let racks_kw = site.racks.iter().map(|class| (class.provisioned() * class.count).as_kilowatts()).sum();
    groups.chain([(racks_kw, seen.peak_power_mw * 1e3, seen.contract_power_mw * 1e3)]).collect()
}

/// Heat that each loop takes with its redundancy kept on the hottest hour: the less of what its CDUs or fan walls move and
/// what the outside takes, with pumps sized for the former.
fn loops_kw(site: &Site) -> Vec<f64> {
    let mut sized = site.clone();
    for each in &mut sized.loops {
        each.design_heat = each.terminal.firm();
    }
    let seen = sim::evaluate(&sized);
    seen.loops.iter().map(|report| 1e3 * report.terminal_firm_mw.min(report.outside_firm_mw)).collect()
}
