//! Smoothing: rates are kept, energy balances, storage takes what it can.

use proptest::prelude::*;
use sim::steering::smoothing::{Smoothing, Storage, smooth};

/// A load of 100 kW that stops and starts: 10 s of each.
fn steps() -> Vec<f64> {
    (0..600).map(|at| if at / 100 % 2 == 0 { 100e3 } else { 10e3 }).collect()
}

const STEP_S: f64 = 0.1;

fn steepest(watts: &[f64]) -> f64 {
    watts.windows(2).map(|pair| (pair[1] - pair[0]).abs() / STEP_S).fold(0.0, f64::max)
}

#[test]
fn ramps_the_floor_and_its_time_are_kept() {
    let smoothing = Smoothing { ramp_up_w_per_s: 20e3, ramp_down_w_per_s: 40e3, floor_w: 60e3, hysteresis_s: 3.0 };
    let out = smooth(&steps(), STEP_S, &smoothing, &Storage::NONE);
    let change = |from: usize| (out.drawn_w[from + 1] - out.drawn_w[from]) / STEP_S;
    assert!((0..599).all(|at| (-40e3 - 1e-3..=20e3 + 1e-3).contains(&change(at))));
    // Work stops at 10 s: 40 kW a second down to the floor, which is kept for 3 s from then, then on down.
    assert!((out.drawn_w[109] - 60e3).abs() < 1e-3 && (out.drawn_w[129] - 60e3).abs() < 1e-3, "{}", out.drawn_w[129]);
    assert!(out.drawn_w[145] < 11e3, "{}", out.drawn_w[145]);
    assert!(out.energy.burnt_j > 0.0 && out.energy.withheld_j > 0.0);
    assert_eq!(out.grid_w, out.drawn_w);
    let none = smooth(&steps(), STEP_S, &Smoothing::NONE, &Storage::NONE);
    assert_eq!(none.grid_w, steps());
}

#[test]
fn storage_takes_the_steps_from_the_grid_while_it_lasts() {
    let storage = Storage {
        capacity_j: 2e6,
        first_j: 1e6,
        charge_w: 90e3,
        discharge_w: 90e3,
        efficiency: 0.9,
        grid_ramp_w_per_s: 10e3,
    };
    let out = smooth(&steps(), STEP_S, &Smoothing::NONE, &storage);
    assert!(steepest(&out.grid_w) <= 10e3 + 1e-3, "{}", steepest(&out.grid_w));
    assert!(out.energy.lost_j > 0.0);
    let peak = |watts: &[f64]| watts.iter().copied().fold(0.0, f64::max);
    assert!(peak(&out.grid_w) <= peak(&out.drawn_w));
    // A tenth of the capacity runs out, and the step passes on.
    let small = Storage { capacity_j: 2e5, first_j: 1e5, ..storage };
    assert!(steepest(&smooth(&steps(), STEP_S, &Smoothing::NONE, &small).grid_w) > 100e3);
}

proptest! {
    /// Energy balances (asserted inside as well), and what is stored and given stays within its bounds.
    #[test]
    fn law_energy_is_kept(
        load in proptest::collection::vec(0.0..150e3_f64, 1..200),
        ramps in (1e3..1e6_f64, 1e3..1e6_f64, 0.0..80e3_f64, 0.0..5.0_f64),
        store in (0.0..3e6_f64, 0.0..1.0_f64, 0.0..100e3_f64, 0.0..100e3_f64, 0.5..1.0_f64, 1e3..1e6_f64),
        step_s in 0.01..2.0_f64,
    ) {
        let (ramp_up_w_per_s, ramp_down_w_per_s, floor_w, hysteresis_s) = ramps;
        let smoothing = Smoothing { ramp_up_w_per_s, ramp_down_w_per_s, floor_w, hysteresis_s };
        let (capacity_j, full, charge_w, discharge_w, efficiency, grid_ramp_w_per_s) = store;
        let first_j = capacity_j * full;
        let storage = Storage { capacity_j, first_j, charge_w, discharge_w, efficiency, grid_ramp_w_per_s };
        let out = smooth(&load, step_s, &smoothing, &storage);
        let e = out.energy;
        let total = |watts: &[f64]| watts.iter().sum::<f64>() * step_s;
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * (a.abs() + b.abs() + capacity_j).max(1.0);
        prop_assert!(close(total(&out.grid_w), total(&out.drawn_w) + e.lost_j + e.stored_j), "{e:?}");
        prop_assert!(close(total(&load) - e.withheld_j + e.burnt_j, total(&out.drawn_w)), "{e:?}");
        prop_assert!(e.lost_j >= -1e-9);
        prop_assert!(out.stored_j.iter().all(|j| (-1e-9..=capacity_j * (1.0 + 1e-12)).contains(j)));
        for (grid, drawn) in out.grid_w.iter().zip(&out.drawn_w) {
            prop_assert!(grid - drawn <= charge_w + 1e-6 && drawn - grid <= discharge_w + 1e-6);
        }
    }
}
