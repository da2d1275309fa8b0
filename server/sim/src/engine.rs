//! The year: each step's work, power, heat, water and price, with the books balanced in every step.

use crate::cooling::{LoopStep, Outside, Plant};
use crate::fleet::{self, Class, Lengths, Served};
use crate::power::{self, Node};
use crate::search::turning_point;
use crate::serving::Refusal;
use model::design::Demand;
use model::quantity::{Energy, Power};
use model::scenario::Scenario;
use model::site::{CoolingUnits, Site};
use model::trace::{Columns, CoolingMode, NodeTotals, StepValues, Trace};
use std::ops::ControlFlow;

/// Relative error of a step's books beyond which the program is wrong and stops.
const BOOKS_TOLERANCE: f64 = 1e-9;
/// Steps between two calls of `progress`: well under 250 ms of work.
const STEPS_PER_REPORT: usize = 512;

/// A year of a site. Never fails: a site adds up by its making. Same inputs, same bytes.
pub fn simulate(site: &Site, scenario: &Scenario) -> Trace {
    let mut go_on = |_| ControlFlow::Continue(());
    simulate_with(site, scenario, &mut go_on).unwrap_or_else(|| unreachable!("nothing breaks off"))
}

/// The same, telling how far it is (0..=1) every few hundred steps; `None` once it is told to break off.
///
/// # Panics
/// Where a step's energy books do not balance to 1e-9, which is a defect of this program and of no input.
pub fn simulate_with(
    site: &Site,
    scenario: &Scenario,
    progress: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Option<Trace> {
    let steps = scenario.steps();
    let mut machine = Machine::new(site, scenario.weather.pressure.as_pascals(), lengths(site, scenario));
    let inputs = Inputs::new(site, scenario, machine.capacity(), steps);
    let mut columns = Columns::with_capacity(steps);
    let mut totals = vec![NodeTotals::default(); site.power.len()];
    let mut balance_error = 0.0_f64;
    for at in 0..steps {
        if at % STEPS_PER_REPORT == 0 && progress(at as f64 / steps as f64).is_break() {
            return None;
        }
        let outside = inputs.outside(at, machine.pressure_pa);
        let mut values = machine.step(inputs.demand[at], outside);
        values.price_usd_per_mwh = inputs.price[at];
        values.carbon_g_per_kwh = inputs.carbon[at];
        values.input_tokens_per_s = values.output_tokens_per_s * inputs.input_per_output;
        let error = machine.books(&values);
        assert!(error <= BOOKS_TOLERANCE, "the energy books of step {at} are off by {error:e}: {values:?}");
        balance_error = balance_error.max(error);
        columns.push(&values);
        for (total, (&output, &loss)) in totals.iter_mut().zip(machine.output_w.iter().zip(&machine.loss_w)) {
            total.peak = total.peak.max(Power::from_watts(output));
            total.output += Power::from_watts(output) * scenario.step;
            total.loss += Power::from_watts(loss) * scenario.step;
        }
    }
    progress(1.0).is_continue().then_some(())?;
    Some(Trace { step: scenario.step, columns, nodes: totals, balance_error })
}

/// Lengths of the scenario's requests; those of the site's service where the trace has none.
pub(crate) fn lengths(site: &Site, scenario: &Scenario) -> Lengths {
    let own = Lengths::of(site);
    let pick = |recorded: f64, own: f64| if recorded > 0.0 { recorded } else { own };
    Lengths {
        input: pick(scenario.requests.input_tokens, own.input),
        output: pick(scenario.requests.output_tokens, own.output),
    }
}

/// The scenario on the run's steps.
struct Inputs {
    dry_bulb: Vec<f64>,
    wet_bulb: Vec<f64>,
    price: Vec<f64>,
    carbon: Vec<f64>,
    /// Output tokens asked for, per second.
    demand: Vec<f64>,
    input_per_output: f64,
}

impl Inputs {
    fn new(site: &Site, scenario: &Scenario, capacity: f64, steps: usize) -> Self {
        let lengths = lengths(site, scenario);
        let mut demand = scenario.requests.rate_per_s.resampled(steps);
        // The busiest hour, so that a finer step does not change how much work the year brings.
        let per_hour = (1.0 / scenario.step.as_hours()).round().max(1.0) as usize;
        let mean = |hour: &[f64]| hour.iter().sum::<f64>() / hour.len() as f64;
        let busiest = demand.chunks(per_hour).map(mean).fold(0.0, f64::max);
        let scale = match site.service.demand {
            Demand::PeakShare(share) if busiest > 0.0 => share.as_fraction() * capacity / busiest,
            Demand::PeakShare(_) => 0.0,
            Demand::Scale(scale) => scale * lengths.output,
        };
        for value in &mut demand {
            *value *= scale;
        }
        Self {
            dry_bulb: scenario.weather.dry_bulb_c.resampled(steps),
            wet_bulb: scenario.weather.wet_bulb_c.resampled(steps),
            price: scenario.price_usd_per_mwh.resampled(steps),
            carbon: scenario.carbon_g_per_kwh.resampled(steps),
            demand,
            input_per_output: lengths.input / lengths.output.max(1e-9),
        }
    }

    fn outside(&self, at: usize, pressure_pa: f64) -> Outside {
        Outside { dry_bulb_c: self.dry_bulb[at], wet_bulb_c: self.wet_bulb[at], pressure_pa }
    }
}

/// A site in plain numbers with room for one step's working, so that no step allocates.
pub(crate) struct Machine {
    pub(crate) classes: Vec<Class>,
    pub(crate) refusals: Vec<(usize, Refusal)>,
    pub(crate) plants: Vec<Plant>,
    plant_fed_by: Vec<usize>,
    /// Index of the loop with most design heat, whose mode and supply stand for the site.
    largest: usize,
    nodes: Vec<Node>,
    contract_w: f64,
    house_w: f64,
    pub(crate) pressure_pa: f64,
    heat_w: Vec<f64>,
    loop_steps: Vec<Option<LoopStep>>,
    pub(crate) output_w: Vec<f64>,
    pub(crate) loss_w: Vec<f64>,
}

impl Machine {
    pub(crate) fn new(site: &Site, pressure_pa: f64, lengths: Lengths) -> Self {
        Self::with(site, pressure_pa, lengths, &mut Served::default())
    }

    /// The same, with what is known of how its GPUs serve.
    pub(crate) fn with(site: &Site, pressure_pa: f64, lengths: Lengths, served: &mut Served) -> Self {
        let (classes, refusals) = fleet::classes(site, lengths, served);
        // In normal running every installed unit works; what is promised with some failed is for `evaluate` to say.
        let units = |group: &CoolingUnits| f64::from(group.units);
        let largest = (0..site.loops.len())
            .max_by(|&a, &b| site.loops[a].design_heat.as_watts().total_cmp(&site.loops[b].design_heat.as_watts()))
            .unwrap_or(0);
        Self {
            classes,
            refusals,
            plants: site.loops.iter().map(|l| Plant::new(l, units, pressure_pa)).collect(),
            plant_fed_by: site.loops.iter().map(|l| l.fed_by as usize).collect(),
            largest,
            nodes: power::nodes(site),
            contract_w: site.contract_power.as_watts(),
            house_w: site.house_power.as_watts(),
            pressure_pa,
            heat_w: vec![0.0; site.loops.len()],
            loop_steps: vec![None; site.loops.len()],
            output_w: vec![0.0; site.power.len()],
            loss_w: vec![0.0; site.power.len()],
        }
    }

    /// Output tokens per second of the whole fleet at full work.
    pub(crate) fn capacity(&self) -> f64 {
        self.classes
            .iter()
            .filter_map(|class| class.compute.as_ref())
            .fold(0.0, |sum, compute| sum + compute.capacity())
    }

    /// One step at a demand, output tokens per second. Where heat or contract do not allow it, the fleet gets as much
    /// power as they do, and makes the most of it.
    pub(crate) fn step(&mut self, demand: f64, outside: Outside) -> StepValues {
        let capacity = self.capacity();
        let share = if capacity > 0.0 { f64::min(demand / capacity, 1.0) } else { 0.0 };
        let mut allowed = 1.0;
        let mut values = self.attempt(share, allowed, outside);
        if self.too_hot(outside) {
            allowed = largest_allowed(|a| {
                self.attempt(share, a, outside);
                !self.too_hot(outside)
            });
            values = self.attempt(share, allowed, outside);
        }
        if values.facility_power_w > self.contract_w * (1.0 + 1e-12) {
            let top = allowed;
            let within = largest_allowed(|a| self.attempt(share, a * top, outside).facility_power_w <= self.contract_w);
            allowed = within * top;
            values = self.attempt(share, allowed, outside);
        }
        values.demand_tokens_per_s = demand;
        values.allowed_share = allowed;
        values.output_tokens_per_s = self.made(share, allowed);
        values.utilisation = if capacity > 0.0 { values.output_tokens_per_s / capacity } else { 0.0 };
        values
    }

    /// Everything at a share of full work, whatever heat and contract allow.
    pub(crate) fn unlimited(&mut self, share: f64, outside: Outside) -> StepValues {
        self.attempt(share, 1.0, outside)
    }

    /// Output tokens per second: each class makes its share of the demand, or the best that its power allows.
    fn made(&self, share: f64, allowed: f64) -> f64 {
        let computes = self.classes.iter().filter_map(|class| class.compute.as_ref());
        let made = |c: &fleet::Compute| c.capacity() * f64::min(share, c.best_share(c.power_w(share * allowed)));
        computes.fold(0.0, |sum, compute| sum + made(compute))
    }

    /// Whether a loop of the last attempt has more heat than it can reject with its supply as warm as racks accept.
    fn too_hot(&self, outside: Outside) -> bool {
        self.plants.iter().zip(&self.heat_w).zip(&self.loop_steps).any(|((plant, &heat), step)| {
            // The full search is dear, so it is asked only where the step did not hold its set-point.
            let held = step.is_some_and(|step| {
                step.rejected_w >= step.heat_w * (1.0 - 1e-12) && step.supply_c <= plant.set_point_c() + 1e-9
            });
            !held && heat > plant.most_heat_w(outside) * (1.0 + 1e-9)
        })
    }

    /// Everything at a share of full work and of allowed dynamic power; leaves each node's output and loss behind.
    fn attempt(&mut self, share: f64, allowed: f64, outside: Outside) -> StepValues {
        let mut values = StepValues {
            dry_bulb_c: outside.dry_bulb_c,
            wet_bulb_c: outside.wet_bulb_c,
            house_power_w: self.house_w,
            ..StepValues::default()
        };
        self.output_w.fill(0.0);
        self.output_w[0] += self.house_w;
        self.heat_w.fill(0.0);
        for class in &self.classes {
            let drawn = class.draw(share, allowed);
            values.it_power_w += drawn.it_w;
            values.gpu_power_w += drawn.gpu_w;
            values.shelf_loss_w += drawn.shelf_loss_w;
            self.output_w[class.fed_by] += drawn.it_w;
            let liquid_w = class.liquid.map_or(0.0, |_| drawn.it_w * class.liquid_fraction);
            if let Some(at) = class.liquid {
                self.heat_w[at] += liquid_w;
            }
            self.heat_w[class.air] += drawn.it_w - liquid_w;
        }
        for (at, plant) in self.plants.iter().enumerate() {
            let step = plant.step(self.heat_w[at], outside);
            values.fan_power_w += step.fan_w;
            values.pump_power_w += step.pump_w;
            values.chiller_power_w += step.chiller_w;
            values.water_l_per_s += step.water_l_per_s;
            values.heat_rejected_w += step.rejected_w;
            values.heat_stored_w += step.heat_w - step.rejected_w;
            self.output_w[self.plant_fed_by[at]] += step.power_w();
            self.loop_steps[at] = Some(step);
        }
        let main = self.loop_steps.get(self.largest).copied().flatten();
        values.supply_temperature_c = main.map_or(0.0, |step| step.supply_c);
        values.cooling_mode = main.map_or(CoolingMode::Dry, |step| step.mode).code();
        values.facility_power_w = power::carry(&self.nodes, &mut self.output_w, &mut self.loss_w);
        values.distribution_loss_w = self.loss_w.iter().sum();
        values
    }

    /// How far the step's books are off, relative to what is supplied: electricity supplied against used and lost, and
    /// heat collected against heat rejected and stored.
    fn books(&self, v: &StepValues) -> f64 {
        let used =
            v.it_power_w + v.fan_power_w + v.pump_power_w + v.chiller_power_w + v.house_power_w + v.distribution_loss_w;
        let heat: f64 = self.loop_steps.iter().flatten().map(|step| step.heat_w).sum();
        let inside = v.it_power_w + v.pump_power_w;
        let electric = (v.facility_power_w - used).abs();
        let thermal = (heat - v.heat_rejected_w - v.heat_stored_w).abs();
        // Racks' heat all goes to loops: what is collected is never less than IT power and pumps.
        let lost = if self.plants.is_empty() { 0.0 } else { f64::max(inside - heat, 0.0) };
        (electric + thermal + lost) / v.facility_power_w.max(1.0)
    }

    /// Heat brought to each loop in the last step, W.
    pub(crate) fn heat_w(&self) -> &[f64] {
        &self.heat_w
    }
}

/// Largest share 0..=1 that fits, to 1e-9; 0 where nothing does.
fn largest_allowed(fits: impl FnMut(f64) -> bool) -> f64 {
    turning_point(0.0, 1.0, 30, fits).0
}

/// Energy of a column of powers, each held for a step.
pub(crate) fn energy(column: &[f64], trace: &Trace) -> Energy {
    Power::from_watts(column.iter().sum()) * trace.step
}
