//! Open cooling towers: Merkel's theory in effectiveness form, for cross flow, and their water.
//!
//! Units of transfer are NTU = c·(L/G)^(1+n); n of measured towers runs from −0.35 to −1.1 (ASHRAE Systems and Equipment,
//! ch. 40). n = −1, so that NTU does not change with flow, with cross flow, is what follows EnergyPlus's empirical
//! CoolTools tower best at Dulles; `tests/engine/agrees.rs` says how well there and at two places that had no part in it.

use super::Outside;
use super::reject::density_share;
use crate::psychrometrics as air;
use crate::search::turning_point;
use model::part::{CoolingKind, CoolingPart};
use model::quantity::{Pressure, Ratio, Temperature};

/// Water over air mass flow at the rating: EnergyPlus 25.2 sizes 31.9 m³/s of air for 24.0 kg/s of water. It hardly moves
/// fan power, as units of transfer do not depend on it, but dilutes the leaving air, and so makes water.
const WATER_OVER_AIR: f64 = 0.63;
/// Specific heat of water, J/(kg·K).
const WATER_J_PER_KG_K: f64 = 4180.0;

/// A group of towers alike.
#[derive(Debug, Clone)]
pub(super) struct Towers {
    air_kg_per_s: f64,
    /// 1 − e^−NTU: the share of their way to each other that air and water go, were there endless water.
    reach: f64,
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
        // The reach that the rating needs: see `capacity_w`, solved for it.
        let m = air_kg_per_s * water.slope(rated) / water.w_per_k;
        let effectiveness = heat_w / (air_kg_per_s * water.drive(rated)).max(1e-9);
        let reach = -libm::log(f64::max(1.0 - effectiveness * m, 1e-9)) / m;
        let density = density_share(pressure_pa);
        Some(Self {
            air_kg_per_s: air_kg_per_s * density,
            reach: reach.clamp(0.01, 1.0),
            fan_w: units * fan_power.as_watts() * density,
            drift: drift_fraction.as_fraction(),
            cycles: cycles_of_concentration.max(1.01),
        })
    }

    /// Heat rejected at a fan speed 0..=1, W.
    ///
    /// Q = ε·G·(h_s(entering water) − h(outside)), ε = (1 − e^(−m·(1 − e^−NTU))) / m for cross flow, m = G·c_s / (L·c_w),
    /// c_s the slope of saturated enthalpy over the water's range (Braun 1989). As NTU does not change with G, it is
    /// Q = (L·c_w/c_s)·(1 − e^(−m·reach))·(h_s − h).
    pub(super) fn capacity_w(&self, speed: f64, water: Water, outside: Outside) -> f64 {
        let (most_w, air) = self.most_and_air(water, outside);
        if most_w <= 0.0 { 0.0 } else { most_w * -libm::expm1(-air * speed) }
    }

    /// Fan speed that rejects just `heat_w`, which must be within capacity: [`capacity_w`](Self::capacity_w) turned round.
    pub(super) fn speed_for(&self, heat_w: f64, water: Water, outside: Outside) -> f64 {
        let (most_w, air) = self.most_and_air(water, outside);
        if most_w <= heat_w { 1.0 } else { f64::min(-libm::log1p(-heat_w / most_w) / air, 1.0) }
    }

    /// Heat that endless air would take, W, and m·reach at full speed.
    fn most_and_air(&self, water: Water, outside: Outside) -> (f64, f64) {
        let slope = water.slope(outside);
        (water.w_per_k / slope * water.drive(outside), self.air_kg_per_s * slope / water.w_per_k * self.reach)
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
