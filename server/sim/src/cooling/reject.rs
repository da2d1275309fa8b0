//! Dry coolers, and dry coolers with wetted pads.

use super::Outside;
use model::part::{CoolingKind, CoolingPart, FanControl};

/// Share of the air's way to the entering water's temperature at full speed; sets the air flow of a unit from its
/// rating. Typical of coils with about 2 transfer units (1 − e^−1 to 1 − e^−2; ASHRAE Systems and Equipment, ch. 39).
const AIR_EFFECTIVENESS: f64 = 0.6;
/// Heat taken by evaporating a litre of water, J/L, near 25 °C (IAPWS: 2.44 MJ/kg · 0.997 kg/L).
const EVAPORATION_J_PER_L: f64 = 2.44e6 * 0.997;
/// Share of full power at the lower of two speeds, and of capacity there: the comparison plant of EnergyPlus.
const LOW_SPEED: (f64, f64) = (0.16, 0.5);

/// A group of coolers alike.
#[derive(Debug, Clone)]
pub(super) struct DryCoolers {
    /// Heat per kelvin between entering water and air at the coil, fans at full speed, W/K.
    ua_w_per_k: f64,
    fan_w: f64,
    control: FanControl,
    /// Effectiveness of the pads and the bleed's factor on evaporated water; none for plain dry coolers.
    pads: Option<(f64, f64)>,
    /// Heat capacity of the air at full speed, W/K.
    air_w_per_k: f64,
}

/// What wetting came to.
pub(super) struct Wetted {
    /// Water used, L/s.
    pub(super) water_l_per_s: f64,
    /// How much too warm the air still is at the coil, K; 0 or less where all heat leaves.
    pub(super) short_k: f64,
}

impl DryCoolers {
    /// None where the part is no dry or adiabatic cooler.
    ///
    /// Capacity is in proportion to the difference between entering water and air (an exchanger of constant
    /// effectiveness) and to the air density at the site's pressure.
    pub(super) fn new(part: &CoolingPart, units: f64, pressure_pa: f64) -> Option<Self> {
        let (air, water, fan, control, pads) = match part.kind {
            CoolingKind::DryCooler { design_dry_bulb, design_entering_water, fan_power, fan_control, .. } => {
                (design_dry_bulb, design_entering_water, fan_power, fan_control, None)
            }
            CoolingKind::AdiabaticCooler {
                design_dry_bulb,
                design_entering_water,
                fan_power,
                saturation_effectiveness,
                cycles_of_concentration,
                ..
            } => {
                let bleed = cycles_of_concentration / f64::max(cycles_of_concentration - 1.0, 0.1);
                let pads = Some((saturation_effectiveness.as_fraction(), bleed));
                (design_dry_bulb, design_entering_water, fan_power, FanControl::Variable, pads)
            }
            CoolingKind::Cdu { .. }
            | CoolingKind::FanWall { .. }
            | CoolingKind::CoolingTower { .. }
            | CoolingKind::Chiller { .. } => return None,
        };
        let difference_k = (water - air).as_kelvins().max(0.1);
        let density = density_share(pressure_pa);
        let ua_w_per_k = units * part.heat_capacity.as_watts() / difference_k * density;
        Some(Self {
            ua_w_per_k,
            fan_w: units * fan.as_watts() * density,
            control,
            pads,
            air_w_per_k: ua_w_per_k / AIR_EFFECTIVENESS,
        })
    }

    /// Heat rejected with fans at full speed and dry pads, W; 0 where the air is warmer than the water.
    pub(super) fn capacity_w(&self, entering_c: f64, air_c: f64) -> f64 {
        f64::max(self.ua_w_per_k * (entering_c - air_c), 0.0)
    }

    /// The same with pads as wet as they get.
    pub(super) fn wetted_capacity_w(&self, entering_c: f64, outside: Outside) -> f64 {
        self.capacity_w(entering_c, self.coldest_coil_c(outside))
    }

    fn coldest_coil_c(&self, outside: Outside) -> f64 {
        let depression = f64::max(outside.dry_bulb_c - outside.wet_bulb_c, 0.0);
        outside.dry_bulb_c - self.pads.map_or(0.0, |(effectiveness, _)| effectiveness * depression)
    }

    /// Fan power at a share of full capacity, W.
    ///
    /// Variable speed: capacity with air flow, power with its cube. Two speeds: cycling between off, low and full.
    pub(super) fn fan_power_w(&self, share: f64) -> f64 {
        let share = share.clamp(0.0, 1.0);
        let (low_power, low_capacity) = LOW_SPEED;
        self.fan_w
            * match self.control {
                FanControl::Variable => share * share * share,
                FanControl::TwoSpeed if share <= low_capacity => low_power * share / low_capacity,
                FanControl::TwoSpeed => low_power + (1.0 - low_power) * (share - low_capacity) / (1.0 - low_capacity),
            }
    }

    /// Wets the pads just enough for `heat_w`, fans at full speed: the air is cooled to what the coil needs, down to
    /// what the pads can do. Water = air flow · c · cooling / heat of evaporation, and the bleed.
    pub(super) fn wetted(&self, heat_w: f64, entering_c: f64, outside: Outside) -> Wetted {
        let needed_c = entering_c - heat_w / self.ua_w_per_k.max(1e-9);
        let coil_c = f64::max(needed_c, self.coldest_coil_c(outside));
        let cooled_k = f64::max(outside.dry_bulb_c - coil_c, 0.0);
        let bleed = self.pads.map_or(0.0, |(_, bleed)| bleed);
        Wetted { water_l_per_s: self.air_w_per_k * cooled_k / EVAPORATION_J_PER_L * bleed, short_k: coil_c - needed_c }
    }
}

/// Air density over that at sea level, for equipment rated there: with pressure.
pub(super) fn density_share(pressure_pa: f64) -> f64 {
    pressure_pa / 101_325.0
}
