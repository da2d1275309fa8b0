//! The fits made anew from the files, with the engine's own code: what the constants in `board` and `serving::draw` are
//! held to; those of `serving` are fitted by `make calibrate`. A change of the model that moves an optimum fails here and prints the constants to take.

use crate::board::busy_node;
use crate::common::assert_close;
use crate::measured::{cap_errors, cap_sweep, node_power_w};
use argmin::core::{CostFunction, Error, Executor, State};
use argmin::solver::neldermead::NelderMead;
use sim::board::{CapCurve, Phase};
use sim::serving::draw::SERVING_OVER_KERNELS;

/// A sum of squares of a vector of parameters.
struct Cost<F>(F);

impl<F: Fn(&[f64]) -> f64> CostFunction for Cost<F> {
    type Param = Vec<f64>;
    type Output = f64;
    fn cost(&self, at: &Self::Param) -> Result<f64, Error> {
        Ok((self.0)(at))
    }
}

/// Where `cost` is least, downhill by simplex from `start`, twice, as a simplex may flatten on its way.
fn least(cost: impl Fn(&[f64]) -> f64 + Copy, start: &[f64]) -> Vec<f64> {
    let mut best = start.to_vec();
    for _ in 0..2 {
        let mut corners = vec![best.clone()];
        for i in 0..best.len() {
            let mut corner = best.clone();
            corner[i] *= 1.2;
            corners.push(corner);
        }
        let solver = NelderMead::new(corners).with_sd_tolerance(1e-12).unwrap();
        let run = Executor::new(Cost(cost), solver).configure(|state| state.max_iters(4_000)).run().unwrap();
        best.clone_from(run.state().get_best_param().unwrap());
    }
    best
}

/// Least squares of normalised throughput over the three fitted jobs of the cap sweep.
#[test]
fn the_cap_curve_is_the_fit_to_the_sweep() {
    let Some(jobs) = cap_sweep() else { return };
    let curve = |at: &[f64]| CapCurve {
        static_share: at[0],
        voltage_floor: at[1],
        voltage_origin: at[2],
        decode_clock_free: at[3],
        prefill_clock_free: at[4],
    };
    let fitted =
        [("infer_llama_8b", Phase::Decode), ("ft_llama_8b_dolly", Phase::Prefill), ("pt_mpt_13b_lg", Phase::Prefill)];
    let cost = |at: &[f64]| {
        if at.iter().any(|share| !(0.0..0.99).contains(share)) || at[1] <= at[2] {
            return f64::MAX;
        }
        fitted.iter().flat_map(|(job, phase)| cap_errors(&curve(at), *phase, &jobs[*job])).map(|e| e * e).sum()
    };
    let own = CapCurve::FITTED;
    let shipped =
        [own.static_share, own.voltage_floor, own.voltage_origin, own.decode_clock_free, own.prefill_clock_free];
    let starts = [[0.2, 0.7, 0.2, 0.2, 0.05], [0.15, 0.8, 0.1, 0.3, 0.02], [0.1, 0.6, 0.05, 0.4, 0.1]];
    let fits = starts.map(|start| least(cost, &start));
    let found = fits.into_iter().min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap();
    println!("fit: {:?}, squares {:.3e}; shipped: {:.3e}", curve(&found), cost(&found), cost(&shipped));
    assert!(cost(&shipped) <= cost(&found) * 1.01, "the sweep is fitted better by {:?}", curve(&found));
}

/// The board power of serving over that of its kernels, from the busy node of MLPerf's Offline run.
#[test]
fn serving_power_is_the_fit_to_the_busy_node() {
    let Some((_, measured_w)) = node_power_w("Offline") else { return };
    let node = busy_node(25_262.1 / 31_302.7);
    // Board power is nearly in proportion to the factor, so that one division is a step to the fit, and none at it.
    let found = SERVING_OVER_KERNELS * (measured_w - node.overhead_w) / node.boards_w;
    println!("fit: SERVING_OVER_KERNELS = {found:.4}");
    assert_close("serving over kernels", SERVING_OVER_KERNELS, found, 0.005);
}
