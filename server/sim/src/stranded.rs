//! Stranded power: what is installed to feed racks and can't make tokens, by cause.
//!
//! Taken at the groups that feed halls, from what is installed there down to what is drawn. Each step of the way is
//! one cause, so that the causes, what is still free and what is drawn add up to what is installed:
//! installed − *redundancy* → firm − *rating mismatch* (levels above are smaller) → usable − left over (less than a
//! rack: *rating mismatch*; no position: *space*; else free for more racks) → provisioned − *cooling* (its heat can't
//! be rejected on the hottest hour) − *part load* → drawn.

use model::quantity::Power;
use model::report::Stranded;
use model::site::{PowerNode, Site};

/// By cause, with what is free and what is drawn, MW. The causes with these two add up to what is installed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Waterfall {
    /// Installed at the groups that feed halls.
    pub installed_mw: f64,
    /// By cause.
    pub stranded: Stranded,
    /// Free for more racks: power, position and a whole rack's worth.
    pub free_mw: f64,
    /// Highest draw of all racks.
    pub drawn_mw: f64,
}

/// `peak_it` is the highest draw of all racks together; `short_heat` the provisioned heat that can't be rejected on
/// the hottest hour.
pub fn waterfall(site: &Site, peak_it: Power, short_heat: Power) -> Waterfall {
    let mut fall = Waterfall::default();
    let mut provisioned_all = Power::ZERO;
    for (at, node) in site.power.iter().enumerate() {
        let at = at as u32;
        if !site.halls.iter().any(|hall| hall.fed_by == at) {
            continue;
        }
        let firm = node.firm();
        let usable = firm * upstream_share(site, at);
        let provisioned: Power = site.racks.iter().filter(|r| r.fed_by == at).map(|r| r.provisioned() * r.count).sum();
        provisioned_all += provisioned;
        fall.installed_mw += node.installed().as_megawatts();
        fall.stranded.redundancy += (node.installed() - firm).as_megawatts();
        fall.stranded.rating_mismatch += (firm - usable).as_megawatts();
        let left = usable - provisioned;
        let halls = site.halls.iter().filter(|hall| hall.fed_by == at);
        let smallest = halls.clone().map(|hall| hall.rack_power).fold(Power::from_watts(f64::MAX), Power::min);
        let positions: Power = halls.map(|hall| hall.rack_power * hall.positions.saturating_sub(hall.racks)).sum();
        if left < smallest {
            fall.stranded.rating_mismatch += left.as_megawatts();
        } else {
            let free = left.min(positions);
            fall.free_mw += free.as_megawatts();
            fall.stranded.space += (left - free).as_megawatts();
        }
    }
    let unused = provisioned_all - peak_it;
    let cooling = short_heat.min(unused).max(Power::ZERO);
    fall.stranded.cooling = cooling.as_megawatts();
    fall.stranded.part_load = (unused - cooling).as_megawatts();
    fall.drawn_mw = peak_it.as_megawatts();
    fall
}

/// Share of a node's firm power that every level above it can deliver: each level's firm power over all that its
/// children could ask of it, the least of these, at most 1.
fn upstream_share(site: &Site, at: u32) -> f64 {
    let mut share = 1.0_f64;
    let mut child = at;
    while let Some(parent) = site.power.get(child as usize).and_then(|node| node.fed_by) {
        let asked: Power = site.power.iter().filter(|node| node.fed_by == Some(parent)).map(PowerNode::firm).sum();
        if let Some(node) = site.power.get(parent as usize).filter(|_| asked > Power::ZERO) {
            share = share.min(node.firm() / asked);
        }
        child = parent;
    }
    share
}
