//! The fits made anew from the files, with the engine's own code: what the constants in `board` and `serving::draw` are
//! held to; those of `serving` are fitted by `make calibrate`. A change of the model that moves an optimum fails here and prints the constants to take.

use crate::board::busy_node;
use crate::common::assert_close;
use crate::kernels::{self, Kind, Measured, Products};
use crate::measured::{cap_errors, cap_sweep, node_power_w};
use argmin::core::{CostFunction, Error, Executor, State};
use argmin::solver::neldermead::NelderMead;
use sim::board::{CapCurve, Phase};
use sim::serving::draw::{
    ACTIVATIONS_SHARE, ERROR, FLOOR_SHARE, GAP_SHARE, Kernel, PAST_SHARE, PROMPT_ATTENTION_SHARE, SERVING_OVER_KERNELS,
    few_tokens,
};

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

/// Relative errors of a kernel's power, predicted over measured less one.
fn errors<'a>(kernel: &'a Kernel, rows: impl Iterator<Item = &'a Measured> + 'a) -> impl Iterator<Item = f64> + 'a {
    rows.map(|row| kernel.share(row.bandwidth, row.arithmetic) / row.share - 1.0)
}

/// Nearly the sum of absolute errors, smooth at nothing.
fn near_absolute(errors: impl Iterator<Item = f64>) -> f64 {
    errors.map(|e| (1.0 + (e / 0.02) * (e / 0.02)).sqrt() - 1.0).sum()
}

fn kernel(at: &[f64]) -> Kernel {
    Kernel { bandwidth: (at[0], at[1]), arithmetic: (at[2], at[3]), busy: at[4] }
}

fn fitted(rows: &[&Measured], start: &Kernel) -> Kernel {
    let cost = |at: &[f64]| {
        if at.iter().any(|value| *value < 0.0) {
            f64::MAX
        } else {
            near_absolute(errors(&kernel(at), rows.iter().copied()))
        }
    };
    kernel(&least(cost, &[start.bandwidth.0, start.bandwidth.1, start.arithmetic.0, start.arithmetic.1, start.busy]))
}

/// Matrix products of a millisecond and longer: the constants are the fit's, and shapes that a fit left out are told within
/// 10% in the mean.
#[test]
fn the_power_of_products_is_the_fit_to_the_kernels() {
    let Some(rows) = kernels::products() else { return };
    for (bits, own) in [(Products::Wide, Kernel::WIDE), (Products::Narrow, Kernel::NARROW)] {
        // Every third, as the simplex asks for thousands of sums.
        let all: Vec<&Measured> = rows.iter().filter(|row| row.kind == Kind::Products(bits)).collect();
        let some: Vec<&Measured> = all.iter().copied().step_by(3).collect();
        let found = fitted(&some, &own);
        let costs = [&own, &found].map(|kernel| near_absolute(errors(kernel, some.iter().copied())));
        println!("{bits:?}: fit {found:?}, cost {:.1}; shipped {:.1}", costs[1], costs[0]);
        assert!(costs[0] <= costs[1] * 1.01, "kernels are fitted better by {found:?}");
        let mut off: Vec<f64> = Vec::new();
        for part in 0..4 {
            let (out, kept): (Vec<&Measured>, Vec<&Measured>) = some.iter().partition(|row| row.shape % 4 == part);
            off.extend(errors(&fitted(&kept, &own), out.into_iter()).map(f64::abs));
        }
        off.sort_by(f64::total_cmp);
        let mean = off.iter().sum::<f64>() / off.len() as f64;
        let most = off[off.len() * 9 / 10];
        println!(
            "{bits:?}: shapes left out {mean:.4} mean, {:.4} median, {most:.4} for nine in ten",
            off[off.len() / 2]
        );
        assert!(most <= ERROR, "{bits:?}: {most}");
        assert!(mean <= 0.10, "{bits:?}: {mean}");
    }
}

/// The constant shares: medians of the tables, and for prompts what is nearest in relative terms.
#[test]
fn constant_shares_are_those_of_the_kernels() {
    let (Some(products), Some(decode), Some(prompts)) = (kernels::products(), kernels::decode(), kernels::prompts())
    else {
        return;
    };
    let median = |shares: &mut Vec<f64>| {
        shares.sort_by(f64::total_cmp);
        shares[shares.len() / 2]
    };
    let reading = |low: f64, high: f64| -> Vec<f64> {
        let within = |row: &&Measured| row.seconds >= 0.2e-3 && (low..high).contains(&row.bandwidth);
        decode.iter().filter(within).map(|row| row.share).collect()
    };
    let short: &mut Vec<f64> = &mut decode.iter().filter(|row| row.seconds < 20e-6).map(|row| row.share).collect();
    let least_drawn = products.iter().chain(&decode).map(|row| row.share).fold(1.0, f64::min);
    let wide: Vec<f64> = prompts.iter().map(|row| row.share).collect();
    let off = |share: f64| wide.iter().map(|measured| (share / measured - 1.0).abs()).sum::<f64>() / wide.len() as f64;
    let nearest = (500..1000).map(|mille| f64::from(mille) / 1e3).min_by(|a, b| off(*a).total_cmp(&off(*b))).unwrap();
    println!("prompts' attention: {:.3} off in the mean", off(nearest));
    assert!(off(nearest) <= 0.10, "prompts' attention: {:.3} off in the mean", off(nearest));
    for (what, own, found) in [
        ("floor", FLOOR_SHARE, least_drawn),
        ("past", PAST_SHARE, median(&mut reading(0.75, 2.0))),
        ("activations", ACTIVATIONS_SHARE, median(&mut reading(0.1, 0.5))),
        ("gaps", GAP_SHARE, f64::midpoint(least_drawn, median(short))),
        ("prompts' attention", PROMPT_ATTENTION_SHARE, nearest),
    ] {
        println!("{what}: {own} shipped, {found:.4} in the tables");
        assert_close(what, own, found, 0.01);
    }
}

/// One and two tokens draw less than many at the same bandwidth, by what the tables say; four draw as much.
#[test]
fn few_tokens_draw_what_the_kernels_say() {
    let Some(rows) = kernels::products_from(0.4e-3) else { return };
    let share = |low: f64, high: f64| {
        let within = |row: &&Measured| row.bandwidth > 0.7 && (low..=high).contains(&row.tokens);
        let mut shares: Vec<f64> = rows.iter().filter(within).map(|row| row.share).collect();
        shares.sort_by(f64::total_cmp);
        shares[shares.len() / 2]
    };
    let many = share(4.0, 64.0);
    for tokens in [1.0, 2.0, 4.0] {
        let found = share(tokens, tokens) / many;
        println!("{tokens} tokens: {found:.3} of many; {:.3} shipped", few_tokens(tokens));
        assert_close("few tokens", few_tokens(tokens), found, 0.03);
    }
}
