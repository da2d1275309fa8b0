//! What if units of a power group fail: what goes dark, what is overloaded, and what carries on.

use model::report::NodeReport;
use model::site::Site;

/// A node of the power tree with some units of one node gone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fate {
    /// It carries its load.
    Energised {
        /// What it is asked for, MW.
        asked_mw: f64,
        /// What is left, all units counted, MW.
        left_mw: f64,
    },
    /// It is asked for more than what is left of it.
    Overloaded {
        /// What it is asked for, MW.
        asked_mw: f64,
        /// What is left, MW.
        left_mw: f64,
    },
    /// Nothing reaches it.
    Dark,
}

/// What becomes of every node when `units` units of node `at` fail with everything busy on the hottest hour; `tree` is the
/// evaluation's power tree of the same site. Units are taken as sharing their load; one left with none is dark, and so
/// is what hangs on it.
pub fn after_loss(site: &Site, tree: &[NodeReport], at: usize, units: u32) -> Vec<Fate> {
    let mut fates: Vec<Fate> = Vec::with_capacity(site.power.len());
    for (index, node) in site.power.iter().enumerate() {
        let left = if index == at { node.units.saturating_sub(units) } else { node.units };
        let left_mw = node.rated_power.as_megawatts() * f64::from(left);
        let asked_mw = tree.get(index).map_or(0.0, |seen| seen.peak_mw);
        // Parents stand before children.
        let parent_dark = node.fed_by.is_some_and(|up| fates.get(up as usize) == Some(&Fate::Dark));
        fates.push(if parent_dark || left_mw <= 0.0 {
            Fate::Dark
        } else if asked_mw > left_mw * (1.0 + 1e-9) {
            Fate::Overloaded { asked_mw, left_mw }
        } else {
            Fate::Energised { asked_mw, left_mw }
        });
    }
    fates
}

/// Racks that go dark with their node.
pub fn dark_racks(site: &Site, fates: &[Fate]) -> u32 {
    let dark = |node: u32| fates.get(node as usize) == Some(&Fate::Dark);
    site.racks.iter().filter(|class| dark(class.fed_by)).map(|class| class.count).sum()
}
