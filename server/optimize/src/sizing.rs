//! What to build beside the grid, and how to run it, hour by hour: the least that a year's electricity can cost with solar
//! panels, gas engines and a battery behind the meter, and a load of which some can wait.
//!
//! A linear programme in hours t, solved by Clarabel's interior point: minimise
//!
//! Σ (price + carbon) · grid + Σ (fuel + carbon) · gas + Σ over months demand charge · peak + Σ capacities · their yearly cost
//!
//! with
//!
//! - grid = load + later + charge − discharge − solar − gas, 0 ≤ grid ≤ the month's peak ≤ contract;
//! - 0 ≤ solar ≤ yield · panels, what is left being curtailed; 0 ≤ gas ≤ engines;
//! - stored(t) = stored(t − 1) + √η · charge − discharge / √η, 0 ≤ stored ≤ energy, charge + discharge ≤ power, and the year
//!   begins with as much stored as it ends with;
//! - −share · load ≤ later ≤ highest load − load, and over each day the sum of what is put off is 0.
//!
//! Prices, sun and load are known ahead, so that this is the least that any way of running it could cost. Capacities are any
//! number, not whole units. Where energy costs less than nothing, a battery may burn it by its losses.
//!
//! `sizing::sun` makes the yield of panels where nobody has measured it, `sizing::year` asks it of a design's own year.

mod sun;
mod year;

pub use sun::clear_sky_yield;
pub use year::{Offer, Panels, Sun, annual_usd_per_mw};

use crate::lp::{Programme, Unsolved};
use serde::{Deserialize, Serialize};

/// Share by which the least cost and the limits may be missed.
const TOLERANCE: f64 = 1e-8;
/// Hours over which what is put off must be made up for.
const DAY_H: usize = 24;

/// How much of something there is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capacity {
    /// So much, MW or MWh, paid for already.
    Given(f64),
    /// As much as is worth it.
    Chosen {
        /// For each MW or MWh a year: capital over its life, and upkeep, $.
        usd_per_mw_year: f64,
        /// At most, MW or MWh.
        most: f64,
    },
}

/// The grid, hour by hour.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Grid {
    /// Price of energy, $/MWh.
    pub price_usd_per_mwh: Vec<f64>,
    /// Most that may be drawn, MW.
    pub contract_mw: f64,
    /// For the highest draw of each month, $/kW.
    pub demand_usd_per_kw_month: f64,
    /// Carbon intensity, g/kWh; empty where it does not matter.
    pub carbon_g_per_kwh: Vec<f64>,
    /// First hour of each month.
    pub months: Vec<u32>,
}

/// Panels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Solar {
    /// Rated power, MW.
    pub capacity: Capacity,
    /// What each MW gives in each hour, MW.
    pub yield_mw_per_mw: Vec<f64>,
}

/// Engines or turbines.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gas {
    /// Power, MW.
    pub capacity: Capacity,
    /// Fuel and wear for each MWh of electricity, $.
    pub fuel_usd_per_mwh: f64,
    /// Carbon for each MWh of electricity, kg.
    pub carbon_kg_per_mwh: f64,
}

/// A battery whose energy and power may be chosen each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Storage {
    /// Energy, MWh.
    pub energy: Capacity,
    /// Power in and out, MW.
    pub power: Capacity,
    /// Energy out over energy in, 0 to 1.
    pub round_trip: f64,
}

/// A year, and what may be built for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sizing {
    /// Load in each hour, MW.
    pub load_mw: Vec<f64>,
    /// The grid.
    pub grid: Grid,
    /// Panels.
    pub solar: Option<Solar>,
    /// Gas.
    pub gas: Option<Gas>,
    /// A battery.
    pub battery: Option<Storage>,
    /// Share of each hour's load that can wait, within its day.
    pub shift: f64,
    /// Price of carbon, $/t.
    pub carbon_usd_per_t: f64,
}

/// What is built.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Built {
    /// Panels, MW.
    pub solar_mw: f64,
    /// Gas, MW.
    pub gas_mw: f64,
    /// Battery, MWh.
    pub battery_mwh: f64,
    /// Battery, MW.
    pub battery_mw: f64,
}

/// How it runs, in each hour.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Flows {
    /// From the grid, MW.
    pub grid_mw: Vec<f64>,
    /// From panels, MW.
    pub solar_mw: Vec<f64>,
    /// What panels could have given besides, MW.
    pub curtailed_mw: Vec<f64>,
    /// From gas, MW.
    pub gas_mw: Vec<f64>,
    /// Into the battery, MW.
    pub charge_mw: Vec<f64>,
    /// Out of it, MW.
    pub discharge_mw: Vec<f64>,
    /// Stored after each hour, MWh.
    pub stored_mwh: Vec<f64>,
    /// Load with what was put off taken off and what was made up for added, MW.
    pub load_mw: Vec<f64>,
}

/// Energy of a year by where it is from, MWh.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Energies {
    /// From the grid.
    pub grid_mwh: f64,
    /// From panels.
    pub solar_mwh: f64,
    /// What panels could have given besides.
    pub curtailed_mwh: f64,
    /// From gas.
    pub gas_mwh: f64,
    /// Into the battery.
    pub charged_mwh: f64,
    /// Out of it.
    pub discharged_mwh: f64,
    /// Load put off to another hour of its day.
    pub shifted_mwh: f64,
}

impl Flows {
    /// Energy by source; of `load_mw` as it was before any was put off.
    pub fn energies(&self, load_mw: &[f64]) -> Energies {
        let sum = |flow: &[f64]| flow.iter().sum::<f64>();
        let off = |(own, load): (&f64, &f64)| (load - own).max(0.0);
        Energies {
            grid_mwh: sum(&self.grid_mw),
            solar_mwh: sum(&self.solar_mw),
            curtailed_mwh: sum(&self.curtailed_mw),
            gas_mwh: sum(&self.gas_mw),
            charged_mwh: sum(&self.charge_mw),
            discharged_mwh: sum(&self.discharge_mw),
            shifted_mwh: self.load_mw.iter().zip(load_mw).map(off).sum(),
        }
    }
}

/// What a year costs, part by part, $.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Costs {
    /// Energy from the grid.
    pub energy_usd: f64,
    /// Demand charge.
    pub demand_usd: f64,
    /// Fuel and wear of gas.
    pub fuel_usd: f64,
    /// Carbon, of grid and gas.
    pub carbon_usd: f64,
    /// Panels, if chosen here.
    pub solar_usd: f64,
    /// Gas engines, if chosen here.
    pub gas_usd: f64,
    /// The battery, if chosen here.
    pub battery_usd: f64,
}

impl Costs {
    /// All of it, $.
    pub fn total_usd(&self) -> f64 {
        self.energy_usd
            + self.demand_usd
            + self.fuel_usd
            + self.carbon_usd
            + self.solar_usd
            + self.gas_usd
            + self.battery_usd
    }
}

/// The least cost, and how it comes about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sized {
    /// What is built.
    pub built: Built,
    /// Where its energy is from.
    pub energies: Energies,
    /// How it runs.
    pub flows: Flows,
    /// What it costs.
    pub costs: Costs,
    /// Carbon of grid and gas, t.
    pub carbon_t: f64,
    /// The load from the grid alone, $; none where the contract does not carry it.
    pub without_usd: Option<f64>,
    /// Carbon of that, t.
    pub without_carbon_t: f64,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsized {
    /// The load can't be carried by all that may be built.
    Infeasible,
    /// The year does not fit together, or a figure is out of range.
    BadInput(&'static str),
    /// The solver did not come to an end; with its own word.
    Failed(String),
}

impl From<Unsolved> for Unsized {
    fn from(unsolved: Unsolved) -> Self {
        match unsolved {
            Unsolved::Infeasible => Self::Infeasible,
            Unsolved::Failed(word) => Self::Failed(word),
        }
    }
}

impl std::fmt::Display for Unsized {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Infeasible => f.write_str("contract and all that may be built can't carry the load"),
            Self::BadInput(what) => f.write_str(what),
            Self::Failed(word) => write!(f, "the solver ended with {word}"),
        }
    }
}

/// What to build for a year, and how to run it, at the least cost.
///
/// # Errors
/// Where the input does not fit together, or the load can't be carried.
pub fn size(year: &Sizing) -> Result<Sized, Unsized> {
    checked(year)?;
    let shape = Shape::of(year);
    let found = programme(year, &shape).solve(TOLERANCE)?;
    Ok(sized(year, &shape, &found))
}

fn checked(year: &Sizing) -> Result<(), Unsized> {
    let steps = year.load_mw.len();
    let grid = &year.grid;
    let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
    let positive = |values: &[f64]| values.iter().all(|value| value.is_finite() && *value >= 0.0);
    let capacity = |of: Capacity| match of {
        Capacity::Given(mw) => positive(&[mw]),
        Capacity::Chosen { usd_per_mw_year, most } => positive(&[usd_per_mw_year, most]),
    };
    let months = &grid.months;
    let in_order = months.first() == Some(&0) && months.windows(2).all(|pair| pair[0] < pair[1]);
    let solar =
        |own: &Solar| own.yield_mw_per_mw.len() == steps && positive(&own.yield_mw_per_mw) && capacity(own.capacity);
    let gas =
        |own: &Gas| capacity(own.capacity) && finite(&[own.fuel_usd_per_mwh]) && positive(&[own.carbon_kg_per_mwh]);
    let battery =
        |own: &Storage| capacity(own.energy) && capacity(own.power) && own.round_trip > 0.0 && own.round_trip <= 1.0;
    let wrong = if steps == 0 || grid.price_usd_per_mwh.len() != steps {
        Some("load and prices must have as many hours, and at least one")
    } else if !(grid.carbon_g_per_kwh.is_empty() || grid.carbon_g_per_kwh.len() == steps) {
        Some("carbon must have as many hours as the load, or none")
    } else if !positive(&year.load_mw) || !finite(&grid.price_usd_per_mwh) || !positive(&grid.carbon_g_per_kwh) {
        Some("load and carbon must be 0 or more, and prices numbers")
    } else if !in_order || months.last().is_some_and(|last| *last as usize >= steps) {
        Some("months must begin at hour 0, each after the one before, within the year")
    } else if !positive(&[grid.contract_mw, grid.demand_usd_per_kw_month, year.carbon_usd_per_t]) {
        Some("contract, demand charge and price of carbon must be 0 or more")
    } else if !(0.0..=1.0).contains(&year.shift) {
        Some("the share of the load that can wait must be 0 to 1")
    } else if !(year.solar.as_ref().is_none_or(solar)
        && year.gas.as_ref().is_none_or(gas)
        && year.battery.as_ref().is_none_or(battery))
    {
        Some(
            "capacities, costs and yields must be 0 or more, with a yield for each hour, and the round trip above 0 and at most 1",
        )
    } else {
        None
    };
    wrong.map_or(Ok(()), |what| Err(Unsized::BadInput(what)))
}

/// Where the numbers of the programme stand: those of each hour beside each other, so that what belongs together is near.
struct Shape {
    steps: usize,
    /// Numbers of one hour.
    each: usize,
    /// Highest load of all hours, MW.
    highest_mw: f64,
    solar: Option<usize>,
    gas: Option<usize>,
    /// Charge; discharge and stored follow.
    battery: Option<usize>,
    later: Option<usize>,
    /// Month of each hour; none where there is no demand charge.
    month: Vec<usize>,
    /// First month's peak.
    peaks: usize,
    panels: Bound,
    engines: Bound,
    energy: Bound,
    power: Bound,
    columns: usize,
}

/// A capacity: a number of the programme, or what is given.
#[derive(Debug, Clone, Copy, Default)]
struct Bound {
    column: Option<usize>,
    /// What is given, or the most that may be chosen.
    most: f64,
    /// What one costs a year, if chosen.
    usd: f64,
}

impl Shape {
    fn of(year: &Sizing) -> Self {
        let steps = year.load_mw.len();
        let mut each = 0;
        let mut hourly = |is: Option<usize>| {
            is.map(|many| {
                each += many;
                each - many
            })
        };
        let solar = hourly(year.solar.as_ref().map(|_| 1));
        let gas = hourly(year.gas.map(|_| 1));
        let battery = hourly(year.battery.map(|_| 3));
        let later = hourly((year.shift > 0.0).then_some(1));
        let peaks = each * steps;
        let charged = year.grid.demand_usd_per_kw_month > 0.0;
        let month = if charged { months(&year.grid.months, steps) } else { Vec::new() };
        let mut columns = peaks + if charged { year.grid.months.len() } else { 0 };
        let mut one = |of: Option<Capacity>| match of {
            Some(Capacity::Chosen { usd_per_mw_year, most }) => {
                columns += 1;
                Bound { column: Some(columns - 1), most, usd: usd_per_mw_year }
            }
            Some(Capacity::Given(most)) => Bound { column: None, most, usd: 0.0 },
            None => Bound::default(),
        };
        let panels = one(year.solar.as_ref().map(|own| own.capacity));
        let engines = one(year.gas.map(|own| own.capacity));
        let energy = one(year.battery.map(|own| own.energy));
        let power = one(year.battery.map(|own| own.power));
        let highest_mw = year.load_mw.iter().copied().fold(0.0, f64::max);
        Self {
            steps,
            each,
            highest_mw,
            solar,
            gas,
            battery,
            later,
            month,
            peaks,
            panels,
            engines,
            energy,
            power,
            columns,
        }
    }

    fn at(&self, step: usize, of: usize) -> usize {
        step * self.each + of
    }
}

/// The month of each hour.
fn months(starts: &[u32], steps: usize) -> Vec<usize> {
    (0..steps).map(|step| starts.iter().filter(|start| **start as usize <= step).count() - 1).collect()
}

/// Carbon of a MWh, t, at its price: $.
fn carbon_usd(year: &Sizing, step: usize) -> f64 {
    year.grid.carbon_g_per_kwh.get(step).map_or(0.0, |grams| grams / 1e3 * year.carbon_usd_per_t)
}

fn programme(year: &Sizing, shape: &Shape) -> Programme {
    let mut problem = Programme::new(shape.columns);
    for step in 0..shape.steps {
        hour(&mut problem, year, shape, step);
    }
    if let Some(later) = shape.later {
        let days = (0..shape.steps).collect::<Vec<usize>>();
        for day in days.chunks(DAY_H) {
            let terms: Vec<(usize, f64)> = day.iter().map(|step| (shape.at(*step, later), 1.0)).collect();
            problem.equal(&terms, 0.0);
        }
    }
    for month in 0..shape.month.last().map_or(0, |last| last + 1) {
        problem.cost(shape.peaks + month, year.grid.demand_usd_per_kw_month * 1e3);
        problem.at_most(&[(shape.peaks + month, 1.0)], year.grid.contract_mw);
    }
    for bound in [shape.panels, shape.engines, shape.energy, shape.power] {
        if let Some(column) = bound.column {
            problem.cost(column, bound.usd);
            problem.within(column, bound.most);
        }
    }
    problem
}

/// Σ terms ≤ share · capacity.
fn within(problem: &mut Programme, mut terms: Vec<(usize, f64)>, share: f64, bound: Bound) {
    match bound.column {
        Some(column) => {
            terms.push((column, -share));
            problem.at_most(&terms, 0.0);
        }
        None => problem.at_most(&terms, share * bound.most),
    }
}

/// Limits and costs of one hour.
fn hour(problem: &mut Programme, year: &Sizing, shape: &Shape, step: usize) {
    let usd = year.grid.price_usd_per_mwh[step] + carbon_usd(year, step);
    // grid − load: what each number adds to what is drawn.
    let mut drawn: Vec<(usize, f64)> = Vec::new();
    if let (Some(at), Some(solar)) = (shape.solar, &year.solar) {
        let used = shape.at(step, at);
        let share = solar.yield_mw_per_mw[step];
        problem.positive(used);
        within(problem, vec![(used, 1.0)], share, shape.panels);
        drawn.push((used, -1.0));
    }
    if let (Some(at), Some(gas)) = (shape.gas, &year.gas) {
        let burnt = shape.at(step, at);
        problem.positive(burnt);
        problem.cost(burnt, gas.fuel_usd_per_mwh + gas.carbon_kg_per_mwh / 1e3 * year.carbon_usd_per_t);
        within(problem, vec![(burnt, 1.0)], 1.0, shape.engines);
        drawn.push((burnt, -1.0));
    }
    if let (Some(at), Some(battery)) = (shape.battery, &year.battery) {
        let (charge, discharge, stored) = (shape.at(step, at), shape.at(step, at + 1), shape.at(step, at + 2));
        let before = shape.at(if step == 0 { shape.steps - 1 } else { step - 1 }, at + 2);
        let one_way = battery.round_trip.sqrt();
        let mut kept = vec![(charge, -one_way), (discharge, 1.0 / one_way)];
        if before != stored {
            kept.extend([(stored, 1.0), (before, -1.0)]);
        }
        problem.equal(&kept, 0.0);
        for column in [charge, discharge, stored] {
            problem.positive(column);
        }
        within(problem, vec![(charge, 1.0), (discharge, 1.0)], 1.0, shape.power);
        within(problem, vec![(stored, 1.0)], 1.0, shape.energy);
        drawn.extend([(charge, 1.0), (discharge, -1.0)]);
    }
    let load = year.load_mw[step];
    if let Some(at) = shape.later {
        let later = shape.at(step, at);
        problem.at_most(&[(later, -1.0)], year.shift * load);
        problem.at_most(&[(later, 1.0)], shape.highest_mw - load);
        drawn.push((later, 1.0));
    }
    for (column, value) in &drawn {
        problem.cost(*column, value * usd);
    }
    let undrawn: Vec<(usize, f64)> = drawn.iter().map(|(column, value)| (*column, -value)).collect();
    problem.at_most(&undrawn, load);
    match shape.month.get(step) {
        Some(month) => {
            drawn.push((shape.peaks + month, -1.0));
            problem.at_most(&drawn, -load);
        }
        None => problem.at_most(&drawn, year.grid.contract_mw - load),
    }
}

fn sized(year: &Sizing, shape: &Shape, found: &[f64]) -> Sized {
    // What a solver leaves of nothing is nothing.
    let least = 10.0 * TOLERANCE * shape.highest_mw;
    let capacity = |bound: Bound| match bound.column {
        Some(column) => Some(found[column]).filter(|mw| *mw > least).unwrap_or(0.0),
        None => bound.most,
    };
    let built = Built {
        solar_mw: capacity(shape.panels),
        gas_mw: capacity(shape.engines),
        battery_mwh: capacity(shape.energy),
        battery_mw: capacity(shape.power),
    };
    let flows = flows(year, shape, found, &built);
    let (costs, carbon_t) = costs(year, &flows, &built);
    let energies = flows.energies(&year.load_mw);
    let alone = Flows { grid_mw: year.load_mw.clone(), gas_mw: vec![0.0; shape.steps], ..Flows::default() };
    let (without, without_carbon_t) = self::costs(year, &alone, &Built::default());
    let carried = year.load_mw.iter().all(|load| *load <= year.grid.contract_mw * (1.0 + 1e-9));
    let without_usd = carried.then(|| without.total_usd());
    Sized { built, energies, flows, costs, carbon_t, without_usd, without_carbon_t }
}

/// Flows as they were found, with what the solver leaves below zero taken off, so that every hour balances.
fn flows(year: &Sizing, shape: &Shape, found: &[f64], built: &Built) -> Flows {
    let mut flows = Flows::default();
    for step in 0..shape.steps {
        let of = |at: Option<usize>, more: usize| at.map_or(0.0, |at| found[shape.at(step, at + more)]);
        let positive = |at: Option<usize>, more: usize| of(at, more).max(0.0);
        let load = year.load_mw[step] + of(shape.later, 0);
        let (charge, mut discharge) = (positive(shape.battery, 0), positive(shape.battery, 1));
        let (mut solar, mut gas) = (positive(shape.solar, 0), positive(shape.gas, 0));
        // The solver keeps its limits to a tolerance; what would run back into the grid is not made.
        let mut over = (solar + gas + discharge - charge - load).max(0.0);
        for source in [&mut solar, &mut gas, &mut discharge] {
            let less = over.min(*source);
            *source -= less;
            over -= less;
        }
        let could = year.solar.as_ref().map_or(0.0, |own| own.yield_mw_per_mw[step] * built.solar_mw);
        flows.grid_mw.push(load + charge - discharge - solar - gas);
        flows.solar_mw.push(solar);
        flows.curtailed_mw.push((could - solar).max(0.0));
        flows.gas_mw.push(gas);
        flows.charge_mw.push(charge);
        flows.discharge_mw.push(discharge);
        flows.stored_mwh.push(positive(shape.battery, 2));
        flows.load_mw.push(load);
    }
    flows
}

/// What flows and capacities cost; and their carbon, t.
fn costs(year: &Sizing, flows: &Flows, built: &Built) -> (Costs, f64) {
    let grid = &year.grid;
    let steps = flows.grid_mw.len();
    let month = months(&grid.months, steps);
    let mut peaks = vec![0.0_f64; grid.months.len()];
    for (mw, month) in flows.grid_mw.iter().zip(&month) {
        peaks[*month] = peaks[*month].max(*mw);
    }
    let sum = |flow: &[f64], each: &[f64]| flow.iter().zip(each).map(|(mw, each)| mw * each).sum::<f64>();
    let burnt: f64 = flows.gas_mw.iter().sum();
    let gas_kg = year.gas.map_or(0.0, |gas| gas.carbon_kg_per_mwh) * burnt;
    let carbon_t = (sum(&flows.grid_mw, &grid.carbon_g_per_kwh) + gas_kg) / 1e3;
    let yearly = |of: Option<Capacity>, mw: f64| match of {
        Some(Capacity::Chosen { usd_per_mw_year, .. }) => usd_per_mw_year * mw,
        Some(Capacity::Given(_)) | None => 0.0,
    };
    let costs = Costs {
        energy_usd: sum(&flows.grid_mw, &grid.price_usd_per_mwh),
        demand_usd: grid.demand_usd_per_kw_month * 1e3 * peaks.iter().sum::<f64>(),
        fuel_usd: year.gas.map_or(0.0, |gas| gas.fuel_usd_per_mwh) * burnt,
        carbon_usd: carbon_t * year.carbon_usd_per_t,
        solar_usd: yearly(year.solar.as_ref().map(|own| own.capacity), built.solar_mw),
        gas_usd: yearly(year.gas.map(|own| own.capacity), built.gas_mw),
        battery_usd: yearly(year.battery.map(|own| own.energy), built.battery_mwh)
            + yearly(year.battery.map(|own| own.power), built.battery_mw),
    };
    (costs, carbon_t)
}
