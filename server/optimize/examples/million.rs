//! A million choices of the 100 MW design evaluated on two threads, with their frontier of three goals: how long, and how much
//! memory. `make bench` runs it.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that can't go on fails, and says what it found"
)]

use model::optimum::{Goal, Limits};
use optimize::{Base, Choices, frontier_of};
use std::time::Instant;

/// Choices.
const MANY: usize = 1_000_000;

fn main() {
    let text = catalog::designs().iter().find(|design| design.id == "facility-100mw").unwrap().text;
    let design = catalog::parse_design("facility-100mw", text).unwrap();
    let base = Base::new(&design, &catalog::catalog().unwrap(), Limits::default()).unwrap();
    let all = base.choices();
    // Water in steps as fine as it takes to have as many choices, each another.
    let (racks, caps) = (all.racks.len(), all.caps_w.len());
    let supplies = MANY.div_ceil(racks * caps);
    let supplies_c = (0..supplies).map(|at| Some(20.0 + 25.0 * at as f64 / supplies as f64)).collect();
    let choices = Choices { supplies_c, ..all };
    let began = Instant::now();
    let kept = frontier_of(&base, &choices, &[Goal::Tokens, Goal::TokensPerJoule, Goal::CostPerMillion], 2);
    let seconds = began.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).map_or("unknown", str::trim);
    let (count, kept) = (choices.count(), kept.len());
    println!("{count} choices on two threads, {kept} of them on the frontier: {seconds:.2} s, peak memory {peak}");
}
