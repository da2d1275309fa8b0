//! Work against a power cap, and the power of a serving node: the errors of the fits (see `fit`) and those on what the
//! fits do not see.

use crate::common::assert_close;
use crate::measured::{cap_errors, cap_sweep, mlperf_point, node_power_w};
use sim::board::{CapCurve, MEASURED, MeasuredCap, Phase};

#[test]
fn agrees_with_the_measured_cap_sweep() {
    let Some(jobs) = cap_sweep() else { return };
    for (job, phase, seen, bound) in [
        ("infer_llama_8b", Phase::Decode, "fitted", 0.01),
        ("ft_llama_8b_dolly", Phase::Prefill, "fitted", 0.03),
        ("pt_mpt_13b_lg", Phase::Prefill, "fitted", 0.035),
        ("ft_llama_8b_p3", Phase::Prefill, "left out", 0.03),
        ("pt_mpt_13b_sm", Phase::Prefill, "left out", 0.03),
        ("pt_mpt_7b_fast", Phase::Prefill, "left out", 0.03),
    ] {
        let errors: Vec<f64> = cap_errors(&CapCurve::FITTED, phase, &jobs[job]).iter().map(|e| e.abs()).collect();
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        let worst = errors.iter().copied().fold(0.0, f64::max);
        println!("{job} ({seen}): mean error {mean:.4}, largest {worst:.4}");
        assert!(mean <= bound && worst <= 0.06, "{job}: mean {mean}, largest {worst}");
    }
}

/// The points that pages show are those of the sweep.
#[test]
fn the_points_shown_are_those_of_the_sweep() {
    let Some(jobs) = cap_sweep() else { return };
    let shown = |job: &str, phase: Phase| {
        let uncapped = jobs[job].iter().map(|point| point.0).fold(0.0, f64::max);
        let below = jobs[job].iter().filter(move |point| point.0 < uncapped);
        below.map(move |&(watts, throughput)| MeasuredCap { phase, power: watts / uncapped, throughput })
    };
    let all = shown("infer_llama_8b", Phase::Decode)
        .chain(shown("ft_llama_8b_dolly", Phase::Prefill))
        .chain(shown("pt_mpt_13b_lg", Phase::Prefill))
        .chain(shown("ft_llama_8b_p3", Phase::Prefill))
        .chain(shown("pt_mpt_7b_fast", Phase::Prefill));
    let all: Vec<MeasuredCap> = all.collect();
    assert_eq!(all.len(), MEASURED.len());
    for (own, file) in MEASURED.iter().zip(&all) {
        assert_eq!(own.phase, file.phase);
        assert!(
            (own.power - file.power).abs() < 6e-5 && (own.throughput - file.throughput).abs() < 6e-5,
            "{own:?} {file:?}"
        );
    }
}

/// A node's power at work, W.
pub(crate) struct BusyNode {
    pub(crate) overhead_w: f64,
    pub(crate) boards_w: f64,
    pub(crate) tokens_per_s_uncapped: f64,
}

/// 8×H200 on the work of MLPerf's Llama-2-70B, capped until it makes `throughput` of its full
/// speed.
pub(crate) fn busy_node(throughput: f64) -> BusyNode {
    let catalog = catalog::catalog().unwrap();
    let node = catalog.tray(&"dgx-h200".parse().unwrap()).unwrap();
    let gpu = catalog.gpu(&"h200-sxm".parse().unwrap()).unwrap();
    let point = mlperf_point("h200-sxm");
    let capped = (2_000..=7_000)
        .map(|cap| sim::serving::capped(gpu, &point, f64::from(cap) / 10.0))
        .find(|capped| capped.throughput >= throughput)
        .unwrap();
    println!(
        "board {:.0} W of {:.0} uncapped; prefill {:.2} of the time at {:.2} of board power, decode at {:.2}",
        capped.power_w, capped.uncapped_w, point.prefill_share, point.prefill_power, point.decode_power
    );
    BusyNode {
        overhead_w: node.overhead_busy.as_watts(),
        boards_w: 8.0 * capped.power_w,
        tokens_per_s_uncapped: point.tokens_per_s_per_gpu * 8.0,
    }
}

/// MLPerf v4.1's H200 node capped (MaxQ) and not (MaxPerf, the same round): Offline is fitted, Server is not. Tokens
/// are the serving model's, which saw neither.
#[test]
fn agrees_with_the_busy_node_of_mlperf() {
    for (run, capped, uncapped, bound) in
        [("Offline", 25_262.1, 31_302.7, 0.01), ("Server", 23_113.14, 29_228.22, 0.06)]
    {
        let Some((_, measured_w)) = node_power_w(run) else { return };
        let node = busy_node(capped / uncapped);
        let found_w = node.overhead_w + node.boards_w;
        println!(
            "{run}: {found_w:.0} W, measured {measured_w:.0} W; {:.0} tokens/s uncapped, measured {uncapped:.0}",
            node.tokens_per_s_uncapped
        );
        assert_close(run, found_w, measured_w, bound);
        assert_close("tokens/s uncapped", node.tokens_per_s_uncapped, uncapped, 0.15);
    }
}

/// The same node at rest, before and after its runs.
#[test]
fn agrees_with_the_idle_node_of_mlperf() {
    let catalog = catalog::catalog().unwrap();
    let node = catalog.tray(&"dgx-h200".parse().unwrap()).unwrap();
    let gpu = catalog.gpu(&"h200-sxm".parse().unwrap()).unwrap();
    let idle_w = (node.overhead_idle + gpu.idle_power * node.gpu_count).as_watts();
    for run in ["Offline", "Server"] {
        let Some((measured_w, _)) = node_power_w(run) else { return };
        println!("{run}: idle node {idle_w:.0} W, measured {measured_w:.0} W");
        assert_close(run, idle_w, measured_w, 0.06);
    }
}
