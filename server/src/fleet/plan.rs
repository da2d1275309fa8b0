//! What the fleet is compared with: a design, and which live rack stands at which of its positions.

use super::figures::Planned;
use super::live::{Live, natural};
use crate::designs::Opened;
use model::fleet::{BindingPosition, BindingReview, Matched, PlanBinding};
use model::id::DesignId;
use model::report::Evaluation;
use model::site::Site;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Positions of a design that can be bound: a facility of some hundred megawatts.
pub const POSITIONS_MAX: usize = 20_000;

/// A binding as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Binding {
    /// The design.
    pub design: DesignId,
    /// Its version.
    pub version: u32,
    /// When it was bound.
    pub bound_ms: i64,
    /// Position and rack of each that is matched.
    pub racks: Vec<(String, String)>,
}

/// A binding, worked out.
#[derive(Debug, Clone)]
pub struct Plan {
    /// As pages show it.
    pub binding: PlanBinding,
    /// What the design says of the racks that are matched.
    pub figures: Planned,
    /// The position of each rack that is matched, and the hall that it is in.
    pub racks: BTreeMap<String, String>,
    /// Provisioned power of the rack at each of them, W.
    pub provisioned_w: BTreeMap<String, f64>,
    /// Power of a GPU board at full work, W.
    pub gpu_w: Option<f64>,
    /// What the utility's contract allows, W.
    pub contract_w: f64,
}

/// A position of a design.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// Hall, row and number.
    pub name: String,
    /// GPUs in the rack there.
    pub gpus: u32,
    /// Provisioned power of the rack there, W.
    pub provisioned_w: f64,
}

/// Every position of a design that has a rack with GPUs.
pub fn positions(site: &Site) -> Vec<Position> {
    let classes = site.racks.iter().filter(|class| class.gpus > 0);
    let one = |class: &model::site::RackClass, number: u32| Position {
        name: format!("{} / {number}", names_in(&class.place).join(" / ")),
        gpus: class.gpus,
        provisioned_w: class.provisioned().as_watts(),
    };
    classes.flat_map(|class| (1..=class.count).map(move |number| one(class, number))).take(POSITIONS_MAX).collect()
}

/// The names in the words for a place: those of its hall and its row.
fn names_in(place: &str) -> Vec<&str> {
    let quoted: Vec<&str> = place.split('"').skip(1).step_by(2).collect();
    if quoted.is_empty() { vec![place] } else { quoted }
}

impl Plan {
    /// What a binding comes to.
    pub fn of(binding: &Binding, opened: &Opened, site: &Site, live_racks: usize) -> Self {
        let evaluation = &opened.known.evaluation;
        let all = positions(site);
        let by_name: BTreeMap<&str, &Position> =
            all.iter().map(|position| (position.name.as_str(), position)).collect();
        let matched: Vec<(&Position, &String)> = binding
            .racks
            .iter()
            .filter_map(|(position, rack)| Some((*by_name.get(position.as_str())?, rack)))
            .collect();
        let gpus = matched.iter().map(|(position, _)| position.gpus).sum();
        Self {
            binding: PlanBinding {
                design: binding.design.clone(),
                version: binding.version,
                name: opened.stored.name.clone(),
                matched_racks: matched.len() as u32,
                planned_racks: all.len() as u32,
                unmatched_racks: live_racks.saturating_sub(matched.len()) as u32,
                bound_ms: binding.bound_ms,
            },
            figures: share(evaluation, gpus),
            racks: matched.iter().map(|(position, rack)| ((*rack).clone(), position.name.clone())).collect(),
            provisioned_w: matched.iter().map(|(position, rack)| ((*rack).clone(), position.provisioned_w)).collect(),
            gpu_w: evaluation.serving.first().map(|point| point.gpu_power_w),
            contract_w: site.contract_power.as_watts(),
        }
    }
}

/// What a design says of some of its GPUs, at full work: its figures in proportion.
fn share(evaluation: &Evaluation, gpus: u32) -> Planned {
    if evaluation.gpus == 0 {
        return Planned::default();
    }
    let share = f64::from(gpus) / f64::from(evaluation.gpus);
    let per_mw = evaluation.tokens_per_second_per_mw_facility;
    Planned {
        gpus,
        tokens_per_s: evaluation.output_tokens_per_s * share,
        board_w: evaluation.gpu_power_mw * 1e6 * share,
        it_w: evaluation.it_power_mw * 1e6 * share,
        facility_w: evaluation.facility_power_mw * 1e6 * share,
        error: if per_mw.value > 0.0 { (per_mw.high - per_mw.low) / 2.0 / per_mw.value } else { 0.0 },
    }
}

/// Live racks with the GPUs seen in them, in the order of their names. A node whose rack nobody said is a rack of its own.
pub fn live_racks(live: &Live) -> Vec<(String, u32)> {
    let mut racks: BTreeMap<&str, u32> = BTreeMap::new();
    for node in live.nodes.iter().filter(|node| !node.gpus.is_empty()) {
        *racks.entry(rack_of(&node.rack, &node.host)).or_default() += node.gpus.len() as u32;
    }
    let mut racks: Vec<(String, u32)> = racks.into_iter().map(|(name, gpus)| (name.to_owned(), gpus)).collect();
    racks.sort_by_cached_key(|(name, _)| natural(name));
    racks
}

/// The rack of a node: its own name where nobody said.
pub fn rack_of<'a>(rack: &'a str, host: &'a str) -> &'a str {
    if rack.is_empty() { host } else { rack }
}

/// Which live rack each position is, or most likely is: as a person said, by name, by names that are alike, and what is
/// left in the order of both where there are as many GPUs at the one as in the other.
pub fn review(
    design: DesignId,
    version: u32,
    site: &Site,
    racks: &[(String, u32)],
    kept: Option<&Binding>,
) -> BindingReview {
    let said: BTreeMap<&str, &str> = kept
        .filter(|kept| kept.design == design)
        .into_iter()
        .flat_map(|kept| kept.racks.iter().map(|(position, rack)| (position.as_str(), rack.as_str())))
        .collect();
    let seen: BTreeMap<&str, u32> = racks.iter().map(|(name, gpus)| (name.as_str(), *gpus)).collect();
    let mut free: BTreeSet<&str> =
        seen.keys().copied().filter(|rack| !said.values().any(|taken| taken == rack)).collect();
    let mut positions: Vec<BindingPosition> = positions(site)
        .into_iter()
        .map(|position| {
            let rack = said.get(position.name.as_str()).map(|rack| (*rack).to_owned());
            let matched = if rack.is_some() { Matched::ByHand } else { Matched::Not };
            BindingPosition { planned_gpus: position.gpus, position: position.name, rack, seen_gpus: 0, matched }
        })
        .collect();
    for (how, key) in [(Matched::ByName, exact as fn(&str) -> String), (Matched::Alike, plain)] {
        let by_key: BTreeMap<String, &str> = free.iter().map(|rack| (key(rack), *rack)).collect();
        for position in positions.iter_mut().filter(|position| position.rack.is_none()) {
            if let Some(rack) = by_key.get(&key(&position.position)).filter(|rack| free.contains(**rack)) {
                (position.rack, position.matched) = (Some((*rack).to_owned()), how);
                free.remove(*rack);
            }
        }
    }
    let mut rest: Vec<&(String, u32)> = racks.iter().filter(|(name, _)| free.contains(name.as_str())).collect();
    for position in positions.iter_mut().filter(|position| position.rack.is_none()) {
        if let Some(at) = rest.iter().position(|(_, gpus)| *gpus == position.planned_gpus) {
            (position.rack, position.matched) = (Some(rest.remove(at).0.clone()), Matched::ByOrder);
        }
    }
    for position in &mut positions {
        position.seen_gpus = position.rack.as_deref().and_then(|rack| seen.get(rack)).copied().unwrap_or_default();
    }
    let left = rest.into_iter().map(|(name, _)| name.clone()).collect();
    BindingReview { design, version, positions, left }
}

fn exact(name: &str) -> String {
    name.to_lowercase()
}

/// A name without what people write differently: case, signs between, leading zeros, the words for hall, row and rack.
fn plain(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !["hall", "row", "rack", ""].contains(word));
    words.map(|word| word.trim_start_matches('0')).collect::<Vec<_>>().join(" ")
}
