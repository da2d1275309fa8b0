//! When to charge and when to discharge over a year: the least that electricity can cost with a battery behind the meter.
//!
//! A linear programme, solved by Clarabel's interior point: minimise Σ price · grid · h + Σ over months demand charge · peak
//! with grid = load + charge − discharge ≥ 0, grid ≤ the month's peak ≤ contract, stored(t+1) = stored(t) + √η · charge · h −
//! discharge · h / √η, 0 ≤ stored ≤ energy, and as much stored at the end as at the start. Prices are known ahead, so that
//! this is the most that any way of running the battery could save.

use crate::lp::{Programme, Unsolved};
use serde::{Deserialize, Serialize};

/// Share by which the solver may miss the least cost and the limits.
const TOLERANCE: f64 = 1e-9;

/// A battery behind the meter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Battery {
    /// Energy that it stores, MWh.
    pub energy_mwh: f64,
    /// Most power in and out, MW, at the meter's side.
    pub power_mw: f64,
    /// Energy out over energy in, 0 to 1.
    pub round_trip: f64,
    /// Share of its energy that is stored at the start, and at the end again.
    pub start: f64,
}

/// What electricity costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tariff<'a> {
    /// Price in each step, $/MWh.
    pub price_usd_per_mwh: &'a [f64],
    /// For the highest draw of each month, $/kW.
    pub demand_usd_per_kw_month: f64,
    /// Most that may be drawn, MW.
    pub contract_mw: f64,
    /// First step of each month; a year without months has one.
    pub months: &'a [usize],
}

/// How a battery is run, and what that saves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Into the battery in each step, MW.
    pub charge_mw: Vec<f64>,
    /// Out of it, MW.
    pub discharge_mw: Vec<f64>,
    /// Stored after each step, MWh.
    pub stored_mwh: Vec<f64>,
    /// From the grid, MW.
    pub grid_mw: Vec<f64>,
    /// Energy and demand charge with it, $.
    pub cost_usd: f64,
    /// And without, $.
    pub without_usd: f64,
}

/// Why there is no schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unscheduled {
    /// The load is more than contract and battery can carry.
    Infeasible,
    /// Prices, load and months do not fit together, or a figure is out of range.
    BadInput(&'static str),
    /// The solver did not come to an end; with its own word.
    Failed(String),
}

impl From<Unsolved> for Unscheduled {
    fn from(unsolved: Unsolved) -> Self {
        match unsolved {
            Unsolved::Infeasible => Self::Infeasible,
            Unsolved::Failed(word) => Self::Failed(word),
        }
    }
}

impl std::fmt::Display for Unscheduled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Infeasible => f.write_str("contract and battery can't carry the load"),
            Self::BadInput(what) => f.write_str(what),
            Self::Failed(word) => write!(f, "the solver ended with {word}"),
        }
    }
}

/// The least cost of a load of `load_mw` in steps of `step_h` hours.
///
/// # Errors
/// Where the input does not fit together, or the load can't be carried.
pub fn dispatch(load_mw: &[f64], step_h: f64, tariff: &Tariff<'_>, battery: &Battery) -> Result<Schedule, Unscheduled> {
    checked(load_mw, step_h, tariff, battery)?;
    let shape = Shape { steps: load_mw.len(), months: tariff.months.len() };
    let problem = programme(load_mw, step_h, tariff, battery, &shape);
    let found = problem.solve(TOLERANCE)?;
    Ok(schedule(load_mw, step_h, tariff, &found, &shape))
}

fn checked(load_mw: &[f64], step_h: f64, tariff: &Tariff<'_>, battery: &Battery) -> Result<(), Unscheduled> {
    let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
    let in_order = tariff.months.first() == Some(&0) && tariff.months.windows(2).all(|pair| pair[0] < pair[1]);
    let wrong = if load_mw.is_empty() || load_mw.len() != tariff.price_usd_per_mwh.len() {
        Some("load and prices must have as many steps, and at least one")
    } else if !finite(load_mw) || !finite(tariff.price_usd_per_mwh) || load_mw.iter().any(|load| *load < 0.0) {
        Some("load must be 0 or more, and prices numbers")
    } else if !in_order || tariff.months.last().is_some_and(|last| *last >= load_mw.len()) {
        Some("months must begin at step 0, each after the one before, within the load")
    } else if !(step_h > 0.0 && battery.energy_mwh >= 0.0 && battery.power_mw >= 0.0 && tariff.contract_mw > 0.0) {
        Some("step and contract must be above 0, energy and power of the battery 0 or more")
    } else if !(battery.round_trip > 0.0 && battery.round_trip <= 1.0 && (0.0..=1.0).contains(&battery.start)) {
        Some("the round trip must be above 0 and at most 1, the start 0 to 1")
    } else {
        None
    };
    wrong.map_or(Ok(()), |what| Err(Unscheduled::BadInput(what)))
}

/// Where variables stand: charge, discharge and stored of each step, then each month's peak.
struct Shape {
    steps: usize,
    months: usize,
}

impl Shape {
    fn columns(&self) -> usize {
        3 * self.steps + self.months
    }
    fn discharge(&self, step: usize) -> usize {
        self.steps + step
    }
    fn stored(&self, step: usize) -> usize {
        2 * self.steps + step
    }
    fn peak(&self, month: usize) -> usize {
        3 * self.steps + month
    }
}

fn programme(load_mw: &[f64], step_h: f64, tariff: &Tariff<'_>, battery: &Battery, shape: &Shape) -> Programme {
    let mut problem = Programme::new(shape.columns());
    let one_way = battery.round_trip.sqrt();
    let start = battery.start * battery.energy_mwh;
    for (step, price) in tariff.price_usd_per_mwh.iter().enumerate() {
        problem.cost(step, price * step_h);
        problem.cost(shape.discharge(step), -price * step_h);
        let mut terms =
            vec![(shape.stored(step), 1.0), (step, -one_way * step_h), (shape.discharge(step), step_h / one_way)];
        if step > 0 {
            terms.push((shape.stored(step - 1), -1.0));
        }
        problem.equal(&terms, if step == 0 { start } else { 0.0 });
    }
    for month in 0..shape.months {
        problem.cost(shape.peak(month), tariff.demand_usd_per_kw_month * 1e3);
        problem.within(shape.peak(month), tariff.contract_mw);
    }
    let mut month = 0;
    for (step, load) in load_mw.iter().enumerate() {
        if tariff.months.get(month + 1) == Some(&step) {
            month += 1;
        }
        let (charge, discharge, stored) = (step, shape.discharge(step), shape.stored(step));
        problem.at_most(&[(charge, 1.0), (discharge, -1.0), (shape.peak(month), -1.0)], -load);
        problem.at_most(&[(charge, -1.0), (discharge, 1.0)], *load);
        problem.within(charge, battery.power_mw);
        problem.within(discharge, battery.power_mw);
        problem.within(stored, battery.energy_mwh);
    }
    problem.at_most(&[(shape.stored(shape.steps - 1), -1.0)], -start);
    problem
}

fn schedule(load_mw: &[f64], step_h: f64, tariff: &Tariff<'_>, found: &[f64], shape: &Shape) -> Schedule {
    let of = |at: &dyn Fn(usize) -> usize| (0..shape.steps).map(|step| found[at(step)].max(0.0)).collect::<Vec<f64>>();
    let charge_mw = of(&|step| step);
    let discharge_mw = of(&|step| shape.discharge(step));
    let grid_mw: Vec<f64> =
        load_mw.iter().zip(&charge_mw).zip(&discharge_mw).map(|((load, into), out)| load + into - out).collect();
    Schedule {
        cost_usd: cost(&grid_mw, step_h, tariff),
        without_usd: cost(load_mw, step_h, tariff),
        stored_mwh: of(&|step| shape.stored(step)),
        charge_mw,
        discharge_mw,
        grid_mw,
    }
}

/// Energy and demand charge of a draw, $.
pub fn cost(grid_mw: &[f64], step_h: f64, tariff: &Tariff<'_>) -> f64 {
    let energy: f64 = grid_mw.iter().zip(tariff.price_usd_per_mwh).map(|(mw, price)| mw * price * step_h).sum();
    let ends = tariff.months.iter().skip(1).copied().chain([grid_mw.len()]);
    let peaks = tariff.months.iter().zip(ends).map(|(from, to)| grid_mw[*from..to].iter().copied().fold(0.0, f64::max));
    energy + tariff.demand_usd_per_kw_month * 1e3 * peaks.sum::<f64>()
}
