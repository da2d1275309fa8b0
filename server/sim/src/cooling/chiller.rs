//! Chillers: electricity for heat moved, from a share of Carnot's limit.

use super::Outside;
use model::part::{Condenser, CoolingKind, CoolingPart};

/// Evaporating below the supply, K; condensing above the outside air or the condenser water, K. Usual design
/// approaches (ASHRAE Systems and Equipment, ch. 43).
const EVAPORATOR_APPROACH_K: f64 = 3.0;
const AIR_CONDENSER_APPROACH_K: f64 = 15.0;
const WATER_CONDENSER_APPROACH_K: f64 = 7.0;
/// Condenser water above the wet bulb, K: a tower's usual approach with its fans at full speed.
const TOWER_APPROACH_K: f64 = 4.0;
/// Least lift that a compressor can work at, K.
const LIFT_FLOOR_K: f64 = 12.0;

/// A group of chillers alike.
#[derive(Debug, Clone)]
pub(super) struct Chillers {
    pub(super) capacity_w: f64,
    /// COP over Carnot's at the rating.
    carnot_share: f64,
    condenser: Condenser,
}

/// Carnot's COP between an evaporating and a condensing temperature, the lift floored.
fn carnot(evaporating_c: f64, condensing_c: f64) -> f64 {
    (evaporating_c + 273.15) / f64::max(condensing_c - evaporating_c, LIFT_FLOOR_K)
}

impl Chillers {
    /// None where the part is no chiller.
    pub(super) fn new(part: &CoolingPart, units: f64) -> Option<Self> {
        let CoolingKind::Chiller { rated_cop, rated_supply, rated_condenser, condenser } = part.kind else {
            return None;
        };
        let approach = match condenser {
            Condenser::Air => AIR_CONDENSER_APPROACH_K,
            Condenser::Water => WATER_CONDENSER_APPROACH_K,
        };
        let limit = carnot(rated_supply.as_celsius() - EVAPORATOR_APPROACH_K, rated_condenser.as_celsius() + approach);
        Some(Self { capacity_w: part.heat_capacity.as_watts() * units, carnot_share: rated_cop / limit, condenser })
    }

    /// Heat moved over electricity: the rating's share of Carnot's COP at these temperatures.
    pub(super) fn cop(&self, supply_c: f64, outside: Outside) -> f64 {
        let condensing = match self.condenser {
            Condenser::Air => outside.dry_bulb_c + AIR_CONDENSER_APPROACH_K,
            Condenser::Water => outside.wet_bulb_c + TOWER_APPROACH_K + WATER_CONDENSER_APPROACH_K,
        };
        self.carnot_share * carnot(supply_c - EVAPORATOR_APPROACH_K, condensing)
    }
}

/// Share of full fan speed, 0..=1, at which free cooling and chillers together draw least.
///
/// Least of P·s³ + (Q − F·s)/COP: s = √(F / (3·COP·P)), at most what the heat needs, Q/F.
pub(super) fn best_free_share(heat_w: f64, free_w: f64, cop: f64, fan_w: f64) -> f64 {
    if free_w <= 0.0 {
        return 0.0;
    }
    let needed = f64::min(heat_w / free_w, 1.0);
    if fan_w <= 0.0 { needed } else { f64::min(needed, libm::sqrt(free_w / (3.0 * cop * fan_w))) }
}
