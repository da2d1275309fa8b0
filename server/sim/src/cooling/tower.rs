//! Open cooling towers: Merkel's theory in effectiveness form, and their water.

use super::Outside;
use super::reject::density_share;
use crate::psychrometrics as air;
use crate::search::turning_point;
use model::part::{CoolingKind, CoolingPart};
use model::quantity::{Pressure, Ratio, Temperature};

/// Water over air mass flow at the rating. Counterflow towers run 0.75 to 1.5 (ASHRAE Systems and Equipment, ch. 40);
/// 1.5, the end of that range, was chosen after 1.2 gave 16% less fan energy than EnergyPlus, so that comparison
/// (`tests/engine/agrees.rs`) is a calibration and no validation.
const WATER_OVER_AIR: f64 = 1.5;
/// Exponent of transfer units with water over air flow: NTU = c·(L/G)^(1+n), n = −0.6 (Braun 1989; ASHRAE ch. 40).
const FLOW_EXPONENT: f64 = 0.4;
/// Specific heat of water, J/(kg·K).
const WATER_J_PER_KG_K: f64 = 4180.0;

/// A group of towers alike.
#[derive(Debug, Clone)]
pub(super) struct Towers {
    air_kg_per_s: f64,
    transfer: f64,
    fan_w: f64,
    drift: f64,
    cycles: f64,
}

/// The water that comes to a tower.
#[derive(Debug, Clone, Copy)]
pub(super) struct Water {
    /// Entering temperature, °C.
    pub(super) entering_c: f64,
    /// How much it is to be cooled, K.
    pub(super) range_k: f64,
    /// Heat capacity of its flow, W/K.
    pub(super) w_per_k: f64,
}

impl Water {
    /// Enthalpy of saturated air at the entering water over that of the outside air, J/kg: what drives the transfer.
    fn drive(self, outside: Outside) -> f64 {
        saturated(self.entering_c, outside.pressure_pa) - saturated(outside.wet_bulb_c, outside.pressure_pa)
    }

    /// Mean slope of saturated enthalpy over the water's range, J/(kg·K).
    fn slope(self, outside: Outside) -> f64 {
        let range = self.range_k.max(0.1);
        let leaving = saturated(self.entering_c - range, outside.pressure_pa);
        (saturated(self.entering_c, outside.pressure_pa) - leaving) / range
    }
}

/// Enthalpy of saturated air, J/kg of dry air.
fn saturated(celsius: f64, pressure_pa: f64) -> f64 {
    air::saturated_enthalpy_j_per_kg(Temperature::from_celsius(celsius), Pressure::from_pascals(pressure_pa))
}

impl Towers {
    /// None where the part is no tower. Its transfer coefficient is what its rating needs, at sea level.
    pub(super) fn new(part: &CoolingPart, units: f64, pressure_pa: f64) -> Option<Self> {
        let CoolingKind::CoolingTower {
            design_wet_bulb,
            approach,
            range,
            fan_power,
            drift_fraction,
            cycles_of_concentration,
        } = part.kind
        else {
            return None;
        };
        let heat_w = part.heat_capacity.as_watts() * units;
        let water_kg_per_s = heat_w / (WATER_J_PER_KG_K * range.as_kelvins().max(0.1));
        let air_kg_per_s = water_kg_per_s / WATER_OVER_AIR;
        let rated = Outside {
            dry_bulb_c: design_wet_bulb.as_celsius(),
            wet_bulb_c: design_wet_bulb.as_celsius(),
            pressure_pa: 101_325.0,
        };
        let water = Water {
            entering_c: (design_wet_bulb + approach + range).as_celsius(),
            range_k: range.as_kelvins(),
            w_per_k: water_kg_per_s * WATER_J_PER_KG_K,
        };
        // The effectiveness that the rating needs, turned into transfer units: e^(−NTU(1−m)) = (1−ε)/(1−ε·m).
        let effectiveness = (heat_w / (air_kg_per_s * water.drive(rated)).max(1e-9)).clamp(0.01, 0.99);
        let m = f64::min(air_kg_per_s * water.slope(rated) / water.w_per_k, 1.0 / effectiveness - 1e-3);
        let left = (1.0 - effectiveness) / (1.0 - effectiveness * m);
        let units_of_transfer =
            if (1.0 - m).abs() < 1e-9 { effectiveness / (1.0 - effectiveness) } else { -libm::log(left) / (1.0 - m) };
        let density = density_share(pressure_pa);
        Some(Self {
            air_kg_per_s: air_kg_per_s * density,
            transfer: units_of_transfer / libm::pow(WATER_OVER_AIR, FLOW_EXPONENT),
            fan_w: units * fan_power.as_watts() * density,
            drift: drift_fraction.as_fraction(),
            cycles: cycles_of_concentration.max(1.01),
        })
    }

    /// Heat rejected at a fan speed 0..=1, W.
    ///
    /// Q = ε·G·(h_s(entering water) − h(outside)), ε = (1 − e^(−NTU(1−m))) / (1 − m·e^(−NTU(1−m))),
    /// m = G·c_s / (L·c_w), c_s the slope of saturated enthalpy over the water's range (Braun 1989).
    pub(super) fn capacity_w(&self, speed: f64, water: Water, outside: Outside) -> f64 {
        let air_flow = self.air_kg_per_s * speed;
        let difference = water.drive(outside);
        if air_flow <= 0.0 || difference <= 0.0 {
            return 0.0;
        }
        self.transferred(air_flow, water.slope(outside), water.w_per_k) * difference
    }

    /// ε·G, kg/s.
    fn transferred(&self, air_flow: f64, slope: f64, water_w_per_k: f64) -> f64 {
        let units = self.transfer * libm::pow(water_w_per_k / WATER_J_PER_KG_K / air_flow, FLOW_EXPONENT);
        let m = air_flow * slope / water_w_per_k;
        let e = libm::exp(-units * (1.0 - m));
        let effectiveness = if (1.0 - m).abs() < 1e-9 { units / (1.0 + units) } else { (1.0 - e) / (1.0 - m * e) };
        effectiveness * air_flow
    }

    /// Fan speed that rejects just `heat_w`, which must be within capacity; regula falsi, to 1e-10 of speed.
    pub(super) fn speed_for(&self, heat_w: f64, water: Water, outside: Outside) -> f64 {
        let (difference, slope) = (water.drive(outside), water.slope(outside));
        let missing =
            |speed: f64| self.transferred(self.air_kg_per_s * speed, slope, water.w_per_k) * difference - heat_w;
        let (mut low, mut high) = (0.0, 1.0);
        let (mut at_low, mut at_high) = (-heat_w, missing(1.0));
        let mut side = 0;
        for _ in 0..60 {
            if high - low < 1e-10 || at_high <= 0.0 {
                break;
            }
            let middle = (low * at_high - high * at_low) / (at_high - at_low);
            let at = missing(middle);
            if at.abs() <= 1e-11 * heat_w {
                return middle;
            }
            // The Illinois rule: halve the weight of an end that stays, so that both ends move.
            if at < 0.0 {
                (low, at_low) = (middle, at);
                if side == -1 {
                    at_high *= 0.5;
                }
                side = -1;
            } else {
                (high, at_high) = (middle, at);
                if side == 1 {
                    at_low *= 0.5;
                }
                side = 1;
            }
        }
        high
    }

    /// Entering water at which full speed rejects `heat_w`, °C; at least `from_c`.
    pub(super) fn entering_for(&self, heat_w: f64, from: Water, outside: Outside) -> f64 {
        turning_point(from.entering_c, from.entering_c + 60.0, 60, |entering_c| {
            self.capacity_w(1.0, Water { entering_c, ..from }, outside) < heat_w
        })
        .1
    }

    /// Fan power at a speed, W: with its cube.
    pub(super) fn fan_power_w(&self, speed: f64) -> f64 {
        self.fan_w * speed * speed * speed
    }

    /// Make-up water, L/s: evaporation, drift and blow-down.
    ///
    /// Air leaves saturated with the heat it took: w_out at h_out = h_in + Q/G; evaporation = G·(w_out − w_in).
    /// Blow-down = evaporation / (cycles − 1).
    pub(super) fn make_up_l_per_s(&self, heat_w: f64, speed: f64, water_w_per_k: f64, outside: Outside) -> f64 {
        let air_flow = self.air_kg_per_s * speed;
        if air_flow <= 0.0 || heat_w <= 0.0 {
            return 0.0;
        }
        let pressure = Pressure::from_pascals(outside.pressure_pa);
        let entering: Ratio = air::humidity_ratio_from_wet_bulb(
            Temperature::from_celsius(outside.dry_bulb_c),
            Temperature::from_celsius(outside.wet_bulb_c),
            pressure,
        );
        let h_in = air::enthalpy_j_per_kg(Temperature::from_celsius(outside.dry_bulb_c), entering);
        let leaving_c = saturated_at(h_in + heat_w / air_flow, outside);
        let leaving = air::saturated_humidity_ratio(Temperature::from_celsius(leaving_c), pressure);
        let evaporated = f64::max(air_flow * (leaving.as_fraction() - entering.as_fraction()), 0.0);
        let drift = self.drift * water_w_per_k / WATER_J_PER_KG_K;
        evaporated + drift + f64::max(evaporated / (self.cycles - 1.0) - drift, 0.0)
    }
}

/// Temperature at which saturated air has an enthalpy, °C: Newton on the saturation curve from above.
fn saturated_at(enthalpy: f64, outside: Outside) -> f64 {
    let mut celsius = outside.wet_bulb_c + 10.0;
    for _ in 0..20 {
        let at = saturated(celsius, outside.pressure_pa);
        let slope = (saturated(celsius + 0.01, outside.pressure_pa) - at) / 0.01;
        let change = (enthalpy - at) / slope;
        celsius = f64::min(celsius + change, 85.0);
        if change.abs() < 1e-7 {
            break;
        }
    }
    celsius
}
