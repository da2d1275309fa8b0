//! A cooling loop through one step: heat from the halls, through CDUs or fan walls, to the outside.
//!
//! Each loop moves its heat at constant rise where it can: flow follows heat. What the outside can't take at the
//! set-point is left to chillers; without them the supply warms, up to what the racks accept, and then the engine
//! holds the fleet back.
//!
//! Read `cooling::reject` for dry and adiabatic coolers, `cooling::tower` for towers, `cooling::chiller` for chillers.

mod chiller;
mod reject;
mod tower;

use crate::search::turning_point;
use chiller::Chillers;
use model::part::CoolingKind;
use model::site::{CoolingUnits, Loop};
use model::trace::CoolingMode;
use reject::DryCoolers;
use tower::{Towers, Water};

/// Heat carried by a cubic metre of water per kelvin, J/(m³·K), at 35 °C (IAPWS-95: 994.0 kg/m³ · 4178 J/(kg·K)).
pub const WATER_J_PER_M3_K: f64 = 994.0 * 4178.0;
/// Shaft efficiency of a pump (impeller), as EnergyPlus assumes in autosizing: 1/1.282.
const PUMP_EFFICIENCY: f64 = 0.78;
/// Efficiency of its motor, as in the comparison plant.
const MOTOR_EFFICIENCY: f64 = 0.9;
/// Least share of design flow that pumps run at.
const FLOW_FLOOR: f64 = 0.3;

/// Outside air in one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outside {
    /// Dry bulb, °C.
    pub dry_bulb_c: f64,
    /// Wet bulb, °C.
    pub wet_bulb_c: f64,
    /// Pressure, Pa.
    pub pressure_pa: f64,
}

/// What a loop did in one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoopStep {
    /// Facility water supply, °C.
    pub supply_c: f64,
    /// Fans outside and in the hall, W.
    pub fan_w: f64,
    /// Pumps of facility and CDUs, W.
    pub pump_w: f64,
    /// Chillers, W.
    pub chiller_w: f64,
    /// Make-up water, L/s.
    pub water_l_per_s: f64,
    /// Heat that came in: from racks, and from the pumps and fans inside the loop, W.
    pub heat_w: f64,
    /// Heat that left, W.
    pub rejected_w: f64,
    /// How it left.
    pub mode: CoolingMode,
}

impl LoopStep {
    /// All its electricity, W.
    pub fn power_w(&self) -> f64 {
        self.fan_w + self.pump_w + self.chiller_w
    }
}

/// What rejects a loop's heat.
#[derive(Debug, Clone)]
enum Rejection {
    Nothing,
    Dry(DryCoolers),
    Tower(Towers),
}

/// A loop in plain numbers, ready for the step loop.
#[derive(Debug, Clone)]
pub struct Plant {
    supply_c: f64,
    supply_max_c: f64,
    rise_k: f64,
    design_heat_w: f64,
    pump_rated_w: f64,
    terminal_pump_rated_w: f64,
    terminal_fan_rated_w: f64,
    terminal_heat_w: f64,
    rejection: Rejection,
    chillers: Option<Chillers>,
}

/// Power of pumps at design flow, W: flow · head / (shaft · motor efficiency), flow = heat / (ρc · rise).
fn pump_power_w(heat_w: f64, rise_k: f64, head_pa: f64) -> f64 {
    heat_w / (WATER_J_PER_M3_K * rise_k) * head_pa / (PUMP_EFFICIENCY * MOTOR_EFFICIENCY)
}

impl Plant {
    /// Prepares a loop; `units` says how many of a group's units to count (all installed, or the firm ones).
    pub fn new(site_loop: &Loop, units: impl Fn(&CoolingUnits) -> f64, pressure_pa: f64) -> Self {
        let terminal = &site_loop.terminal;
        let terminal_units = units(terminal);
        let terminal_heat_w = terminal.part.heat_capacity.as_watts() * terminal_units;
        let design_heat_w = site_loop.design_heat.as_watts();
        let rise_k = site_loop.rise.as_kelvins();
        let (terminal_pump_rated_w, terminal_fan_rated_w) = match terminal.part.kind {
            CoolingKind::Cdu { pump_head, .. } => (pump_power_w(design_heat_w, rise_k, pump_head.as_pascals()), 0.0),
            CoolingKind::FanWall { fan_power, .. } => (0.0, fan_power.as_watts() * terminal_units),
            CoolingKind::DryCooler { .. }
            | CoolingKind::AdiabaticCooler { .. }
            | CoolingKind::CoolingTower { .. }
            | CoolingKind::Chiller { .. } => (0.0, 0.0),
        };
        let rejection = site_loop.rejection.as_ref().map_or(Rejection::Nothing, |group| {
            DryCoolers::new(&group.part, units(group), pressure_pa)
                .map(Rejection::Dry)
                .or_else(|| Towers::new(&group.part, units(group), pressure_pa).map(Rejection::Tower))
                .unwrap_or(Rejection::Nothing)
        });
        Self {
            supply_c: site_loop.supply.as_celsius(),
            supply_max_c: site_loop.supply_max.as_celsius().max(site_loop.supply.as_celsius()),
            rise_k,
            design_heat_w,
            pump_rated_w: pump_power_w(design_heat_w, rise_k, site_loop.pump_head.as_pascals()),
            terminal_pump_rated_w,
            terminal_fan_rated_w,
            terminal_heat_w,
            rejection,
            chillers: site_loop.chiller.as_ref().and_then(|group| Chillers::new(&group.part, units(group))),
        }
    }

    /// Set-point of its supply, °C.
    pub fn set_point_c(&self) -> f64 {
        self.supply_c
    }

    /// Facility water at so much heat from racks, m³/s: in proportion to heat, down to the pumps' least.
    pub fn flow_m3_per_s(&self, rack_heat_w: f64) -> f64 {
        self.collected(rack_heat_w).water_w_per_k / WATER_J_PER_M3_K
    }

    /// Heat in the water for so much heat from the racks: pumps and hall fans end up in it too, W. With their powers.
    fn collected(&self, rack_heat_w: f64) -> Collected {
        let share = if self.design_heat_w > 0.0 { rack_heat_w / self.design_heat_w } else { 0.0 };
        let flow = f64::max(share, FLOW_FLOOR);
        // Affinity laws: pump power with the cube of flow, fan power with the cube of air, which follows heat.
        let cube = flow * flow * flow;
        let pump_w = (self.pump_rated_w + self.terminal_pump_rated_w) * cube;
        let load = if self.terminal_heat_w > 0.0 { rack_heat_w / self.terminal_heat_w } else { 0.0 };
        let fan_w = self.terminal_fan_rated_w * load * load * load;
        let heat_w = rack_heat_w + pump_w + fan_w;
        let water_w_per_k = f64::max(self.design_heat_w / self.rise_k * flow, 1.0);
        Collected { heat_w, pump_w, fan_w, rise_k: heat_w / water_w_per_k, water_w_per_k }
    }

    /// Most heat from racks that it can take with its supply at the warmest that racks accept, W.
    ///
    /// Heat enters with pumps and fans on top, so the answer is found by bisection; used only when a step is short.
    pub fn most_heat_w(&self, outside: Outside) -> f64 {
        let fits = |rack_heat_w: f64| {
            let collected = self.collected(rack_heat_w);
            let entering = self.supply_max_c + collected.rise_k;
            let outside_w = self.outside_capacity_w(collected.water(entering), outside);
            let chiller_w = self.chillers.as_ref().map_or(0.0, |c| c.capacity_w);
            collected.heat_w <= outside_w + chiller_w
        };
        let top = f64::min(self.terminal_heat_w, 2.0 * self.design_heat_w.max(1.0));
        if fits(top) { top } else { turning_point(0.0, top, 60, fits).0 }
    }

    fn outside_capacity_w(&self, water: Water, outside: Outside) -> f64 {
        match &self.rejection {
            Rejection::Nothing => 0.0,
            Rejection::Dry(coolers) => coolers.wetted_capacity_w(water.entering_c, outside),
            Rejection::Tower(towers) => towers.capacity_w(1.0, water, outside),
        }
    }

    /// One step: so much heat from racks into this outside.
    pub fn step(&self, rack_heat_w: f64, outside: Outside) -> LoopStep {
        let collected = self.collected(rack_heat_w);
        let entering_c = self.supply_c + collected.rise_k;
        let mut step = match &self.rejection {
            Rejection::Nothing => self.chilled(&collected, 0.0, 0.0, entering_c, outside, None),
            Rejection::Dry(coolers) => self.dry(coolers, &collected, entering_c, outside),
            Rejection::Tower(towers) => self.wet(towers, &collected, entering_c, outside),
        };
        step.fan_w += collected.fan_w;
        step.pump_w += collected.pump_w;
        step.heat_w = collected.heat_w;
        step
    }

    fn dry(&self, coolers: &DryCoolers, collected: &Collected, entering_c: f64, outside: Outside) -> LoopStep {
        if collected.heat_w <= 0.0 {
            return self.held(collected, 0.0, 0.0, CoolingMode::Dry);
        }
        let free_w = coolers.capacity_w(entering_c, outside.dry_bulb_c);
        if let Some(chillers) = &self.chillers {
            let cop = chillers.cop(self.supply_c, outside);
            let wanted = coolers.fan_power_w(1.0);
            let share = chiller::best_free_share(collected.heat_w, free_w, cop, wanted);
            if share * free_w < collected.heat_w * (1.0 - 1e-12) {
                return self.chilled(
                    collected,
                    free_w * share,
                    wanted * share * share * share,
                    entering_c,
                    outside,
                    None,
                );
            }
        }
        if collected.heat_w <= free_w {
            let fan_w = coolers.fan_power_w(collected.heat_w / free_w);
            return self.held(collected, fan_w, 0.0, CoolingMode::Dry);
        }
        let wetted = coolers.wetted(collected.heat_w, entering_c, outside);
        let float_k = f64::max(wetted.short_k, 0.0);
        let mode = if wetted.water_l_per_s > 0.0 { CoolingMode::Adiabatic } else { CoolingMode::Dry };
        let mut step = self.held(collected, coolers.fan_power_w(1.0), wetted.water_l_per_s, mode);
        step.supply_c += float_k;
        step
    }

    fn wet(&self, towers: &Towers, collected: &Collected, entering_c: f64, outside: Outside) -> LoopStep {
        if collected.heat_w <= 0.0 {
            return self.held(collected, 0.0, 0.0, CoolingMode::Tower);
        }
        let water = collected.water(entering_c);
        let free_w = towers.capacity_w(1.0, water, outside);
        if collected.heat_w <= free_w {
            let speed = towers.speed_for(collected.heat_w, water, outside);
            let make_up = towers.make_up_l_per_s(collected.heat_w, speed, water.w_per_k, outside);
            return self.held(collected, towers.fan_power_w(speed), make_up, CoolingMode::Tower);
        }
        if self.chillers.is_some() {
            let fan_w = towers.fan_power_w(1.0);
            return self.chilled(collected, f64::max(free_w, 0.0), fan_w, entering_c, outside, Some(towers));
        }
        // Nothing to trim with: the water warms until the tower takes its heat.
        let entering = towers.entering_for(collected.heat_w, water, outside);
        let make_up = towers.make_up_l_per_s(collected.heat_w, 1.0, water.w_per_k, outside);
        let mut step = self.held(collected, towers.fan_power_w(1.0), make_up, CoolingMode::Tower);
        step.supply_c += entering - entering_c;
        step
    }

    /// All heat leaves, at the set-point, without chillers.
    fn held(&self, collected: &Collected, fan_w: f64, water_l_per_s: f64, mode: CoolingMode) -> LoopStep {
        LoopStep {
            supply_c: self.supply_c,
            fan_w,
            pump_w: 0.0,
            chiller_w: 0.0,
            water_l_per_s,
            heat_w: 0.0,
            rejected_w: collected.heat_w,
            mode,
        }
    }

    /// Chillers take what `free_w` leaves, up to their capacity; beyond it the supply warms.
    fn chilled(
        &self,
        collected: &Collected,
        free_w: f64,
        fan_w: f64,
        entering_c: f64,
        outside: Outside,
        towers: Option<&Towers>,
    ) -> LoopStep {
        let Some(chillers) = &self.chillers else {
            let mut step = self.held(collected, fan_w, 0.0, CoolingMode::Dry);
            step.rejected_w = f64::min(free_w, collected.heat_w);
            return step;
        };
        let cop = chillers.cop(self.supply_c, outside);
        let left = collected.heat_w - free_w;
        let done = f64::min(left, chillers.capacity_w);
        let chiller_w = done / cop;
        let make_up = towers
            .map_or(0.0, |t| t.make_up_l_per_s(collected.heat_w + chiller_w, 1.0, collected.water_w_per_k, outside));
        let mode = if free_w > 0.0 { CoolingMode::Trim } else { CoolingMode::Chiller };
        let mut step = self.held(collected, fan_w, make_up, mode);
        step.chiller_w = chiller_w;
        if left > chillers.capacity_w {
            // A warmer supply helps the outside to take the rest.
            let missing = left - chillers.capacity_w;
            let need = collected.heat_w - chillers.capacity_w;
            let warmest = self.supply_max_c - self.supply_c;
            let (_, high) = turning_point(0.0, f64::max(warmest, 0.0), 50, |warmer| {
                self.outside_capacity_w(collected.water(entering_c + warmer), outside) < need
            });
            step.supply_c += high;
            let reached = self.outside_capacity_w(collected.water(entering_c + high), outside);
            let short = f64::max(need - reached, 0.0);
            step.rejected_w -= f64::min(short, missing);
        }
        step
    }
}

/// What a loop has collected before it meets the outside.
struct Collected {
    heat_w: f64,
    pump_w: f64,
    fan_w: f64,
    rise_k: f64,
    water_w_per_k: f64,
}

impl Collected {
    /// The water at an entering temperature.
    fn water(&self, entering_c: f64) -> Water {
        Water { entering_c, range_k: self.rise_k, w_per_k: self.water_w_per_k }
    }
}
