//! What the grid sees of a load that jumps: power smoothing of the boards, and energy stored in the rack.
//!
//! Boards that smooth power (NVIDIA's power smoothing of Blackwell: ramp rates, a floor, and a time for which the floor is
//! kept) rise no faster than one rate, so work waits; fall no faster than another, so power is burnt; and keep a floor for a
//! while after work ends. Storage between the rack and the grid (as the supplies of GB300 racks have) gives and takes what is
//! left of a step, within its power and its capacity.

use serde::{Deserialize, Serialize};

/// How boards smooth power.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Smoothing {
    /// Fastest rise, watts a second.
    pub ramp_up_w_per_s: f64,
    /// Fastest fall.
    pub ramp_down_w_per_s: f64,
    /// Power kept after work ends, watts.
    pub floor_w: f64,
    /// For how long, seconds.
    pub hysteresis_s: f64,
}

impl Smoothing {
    /// None: what is asked is drawn.
    pub const NONE: Self =
        Self { ramp_up_w_per_s: f64::INFINITY, ramp_down_w_per_s: f64::INFINITY, floor_w: 0.0, hysteresis_s: 0.0 };
}

/// Energy storage of a rack.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Storage {
    /// Energy that it has room for, joules.
    pub capacity_j: f64,
    /// What it holds at the beginning, joules.
    pub first_j: f64,
    /// Fastest charge, watts from the grid.
    pub charge_w: f64,
    /// Fastest discharge, watts to the rack.
    pub discharge_w: f64,
    /// Energy out over energy in of a round trip, 0 to 1; half of its loss in each direction by its square root.
    pub efficiency: f64,
    /// Fastest change of grid power that it aims at, watts a second.
    pub grid_ramp_w_per_s: f64,
}

impl Storage {
    /// None.
    pub const NONE: Self = Self {
        capacity_j: 0.0,
        first_j: 0.0,
        charge_w: 0.0,
        discharge_w: 0.0,
        efficiency: 1.0,
        grid_ramp_w_per_s: f64::INFINITY,
    };
}

/// Power over time, watts in equal steps.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Smoothed {
    /// What boards draw.
    pub drawn_w: Vec<f64>,
    /// What the grid gives.
    pub grid_w: Vec<f64>,
    /// What the storage holds after each step, joules.
    pub stored_j: Vec<f64>,
    /// The books.
    pub energy: Energy,
}

/// Where energy went, joules.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Energy {
    /// That work asked for.
    pub asked_j: f64,
    /// Of it, withheld while power rose: work that waits.
    pub withheld_j: f64,
    /// Drawn beyond what was asked: burnt while power fell, and by the floor.
    pub burnt_j: f64,
    /// Drawn by boards.
    pub drawn_j: f64,
    /// Given by the grid.
    pub grid_j: f64,
    /// Lost in the storage.
    pub lost_j: f64,
    /// In the storage at the end, less what was at the beginning.
    pub stored_j: f64,
}

/// Smooths a load of equal steps of `step_s` seconds.
///
/// Books are held at every step: asked − withheld + burnt = drawn, and grid = drawn + lost + stored.
///
/// # Panics
/// Where they do not balance.
pub fn smooth(load_w: &[f64], step_s: f64, smoothing: &Smoothing, storage: &Storage) -> Smoothed {
    let mut out = Smoothed::default();
    let mut boards = Boards { drawn_w: load_w.first().copied().unwrap_or(0.0), floor_until_s: 0.0 };
    let mut stored_j = storage.first_j.clamp(0.0, storage.capacity_j);
    let mut grid_w = boards.drawn_w;
    for (at, asked_w) in load_w.iter().enumerate() {
        let drawn_w = boards.step(*asked_w, at as f64 * step_s, step_s, smoothing);
        let step = grid_step(drawn_w, grid_w, stored_j, step_s, storage);
        (grid_w, stored_j) = (step.grid_w, step.stored_j);
        let energy = &mut out.energy;
        energy.asked_j += asked_w * step_s;
        energy.withheld_j += f64::max(asked_w - drawn_w, 0.0) * step_s;
        energy.burnt_j += f64::max(drawn_w - asked_w, 0.0) * step_s;
        energy.drawn_j += drawn_w * step_s;
        energy.grid_j += grid_w * step_s;
        energy.lost_j += step.lost_j;
        out.drawn_w.push(drawn_w);
        out.grid_w.push(grid_w);
        out.stored_j.push(stored_j);
    }
    let energy = &mut out.energy;
    energy.stored_j = stored_j - storage.first_j.clamp(0.0, storage.capacity_j);
    let boards_off = energy.asked_j - energy.withheld_j + energy.burnt_j - energy.drawn_j;
    let grid_off = energy.grid_j - energy.drawn_j - energy.lost_j - energy.stored_j;
    let most = 1e-9 * (energy.asked_j + energy.grid_j.abs() + storage.capacity_j).max(1.0);
    assert!(boards_off.abs() <= most && grid_off.abs() <= most, "energy does not balance: {energy:?}");
    out
}

/// The boards' state.
struct Boards {
    drawn_w: f64,
    floor_until_s: f64,
}

impl Boards {
    fn step(&mut self, asked_w: f64, at_s: f64, step_s: f64, smoothing: &Smoothing) -> f64 {
        if asked_w >= smoothing.floor_w {
            self.floor_until_s = at_s + step_s + smoothing.hysteresis_s;
        }
        let wanted = if at_s < self.floor_until_s { asked_w.max(smoothing.floor_w) } else { asked_w };
        let most = self.drawn_w + smoothing.ramp_up_w_per_s * step_s;
        let least = self.drawn_w - smoothing.ramp_down_w_per_s * step_s;
        self.drawn_w = wanted.min(most).max(least).max(0.0);
        self.drawn_w
    }
}

struct GridStep {
    grid_w: f64,
    stored_j: f64,
    lost_j: f64,
}

/// One step of the storage: grid power changes no faster than it aims at, as far as the storage can give or take the rest.
fn grid_step(drawn_w: f64, before_w: f64, stored_j: f64, step_s: f64, storage: &Storage) -> GridStep {
    let one_way = libm::sqrt(storage.efficiency);
    let ramp = storage.grid_ramp_w_per_s * step_s;
    let aimed = drawn_w.min(before_w + ramp).max(before_w - ramp);
    if aimed > drawn_w {
        // Charged: what comes from the grid beyond the boards; a part of it is kept.
        let room_w = (storage.capacity_j - stored_j) / one_way.max(1e-9) / step_s;
        let charge = (aimed - drawn_w).min(storage.charge_w).min(room_w).max(0.0);
        let kept_j = charge * step_s * one_way;
        let stored_j = f64::min(stored_j + kept_j, storage.capacity_j.max(stored_j));
        return GridStep { grid_w: drawn_w + charge, stored_j, lost_j: charge * step_s - kept_j };
    }
    // Discharged: what the boards get is less than what leaves the store.
    let give = (drawn_w - aimed).min(storage.discharge_w).min(stored_j * one_way / step_s).max(0.0);
    let taken_j = give * step_s / one_way.max(1e-9);
    GridStep { grid_w: drawn_w - give, stored_j: f64::max(stored_j - taken_j, 0.0), lost_j: taken_j - give * step_s }
}
