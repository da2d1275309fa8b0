//! The pilot: three unmanaged racks against four managed ones in the same power, with the same requests.
//!
//! Unmanaged racks are provisioned as they come: every GPU at its own limit. That of three is the envelope of both fleets.
//! In it a fourth rack stands, every GPU under the cap that makes most of its job; caps are targets of a sustained policy, and
//! the controller ([`super::controller`]) holds them in a run with lost and late messages and failing hosts. Both envelopes are
//! counted by the same parts (trays, switches, shelf losses), and none by a name plate.
//!
//! Two jobs, one that draws much and one that draws less, have half of the trays each. Tokens, waits and watts are of the replay of
//! single requests, whose steps are the serving model's under the cap. Each stream is the same for both fleets: one beyond what
//! either answers, for tokens a second, and one that both answer, for what users wait. A replica runs as many requests at
//! once as its targets allow under its cap.
//!
//! No figure is fitted to what a vendor claims for such a pilot. How sure the verdict is, [`band`](Band) says.

mod jobs;
mod racks;

use super::compare::{Job, Spent, compare};
use super::controller::{Controller, Settings, Start};
use super::plant::{Plant, Trouble};
use super::policy::{self, Bundle, Policies, Refusal, Target};
use super::tree::Tree;
use crate::replay::Slo;
use crate::replay::fleet::Problem;
use crate::replay::outcome::Spread;
use crate::serving::band::{Bands, Known};
use crate::serving::draw;
use jobs::{Operating, operating};
use model::catalog::Catalog;
use model::design::Precision;
use serde::Serialize;

/// What is piloted.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The rack, by its catalog name.
    pub rack: String,
    /// Racks that are not managed.
    pub unmanaged: u32,
    /// Racks that are.
    pub managed: u32,
    /// The job that draws less: model and format.
    pub low: (String, Precision),
    /// The job that draws more.
    pub high: (String, Precision),
    /// Seconds for which requests come.
    pub seconds: f64,
    /// Targets for one request.
    pub slo: Slo,
    /// Of requests and of what goes wrong.
    pub seed: u64,
}

impl Default for Ask {
    /// GB200 NVL72, three against four. `DeepSeek` R1 in 4 bits on whole trays draws least of the large models that were
    /// measured on another GPU (its links and small experts leave boards waiting); Llama 3.1 70B in 8 bits draws most. Both are known as models, so
    /// their bands are the narrowest there are for a GPU that was not measured.
    fn default() -> Self {
        Self {
            rack: "gb200-nvl72".to_owned(),
            unmanaged: 3,
            managed: 4,
            low: ("deepseek-r1".to_owned(), Precision::Fp4),
            high: ("llama-3.1-70b".to_owned(), Precision::Fp8),
            seconds: 120.0,
            slo: Slo { ttft_s: 2.0, tpot_s: 0.05 },
            seed: 1,
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pilot {
    /// The racks' name.
    pub rack: String,
    /// The power that both fleets have, watts into their racks.
    pub envelope_w: f64,
    /// Why the managed racks can't be at full power; none where they can.
    pub full_power: Option<String>,
    /// The racks that are not managed.
    pub unmanaged: Fleet,
    /// Those that are.
    pub managed: Fleet,
    /// Output tokens a second, managed over unmanaged.
    pub ratio: f64,
    /// Between what this may be.
    pub band: Band,
    /// What steering did.
    pub steering: Steering,
    /// The same envelope spent in other ways on the managed racks, by the closed form.
    pub ways: Vec<Spent>,
    /// Whether more tokens are made in the same envelope, and within it.
    pub is_passed: bool,
    /// Whether that holds over the whole band.
    pub holds_over_band: bool,
}

/// One fleet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fleet {
    /// Racks.
    pub racks: u32,
    /// GPUs.
    pub gpus: u32,
    /// Worst case into its racks, watts: every GPU at its cap, all else at its most, with losses.
    pub provisioned_w: f64,
    /// The most that went into them in any bin of the replays, watts; all but boards at its most.
    pub drawn_most_w: f64,
    /// The mean of the same under the stream beyond what they answer.
    pub drawn_mean_w: f64,
    /// Whether neither was more than the envelope.
    pub is_compliant: bool,
    /// Output tokens a second of both jobs.
    pub tokens_per_s: f64,
    /// The job that draws less, then the one that draws more.
    pub jobs: Vec<JobDone>,
}

/// One job on one fleet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobDone {
    /// The model.
    pub model: String,
    /// Its number format.
    pub precision: Precision,
    /// GPUs.
    pub gpus: u32,
    /// GPUs of a replica.
    pub gpus_per_replica: u32,
    /// Requests at once in a replica.
    pub batch: u32,
    /// Cap of a GPU, watts.
    pub cap_w: f64,
    /// The most that a board would draw in any phase under its own limit, watts.
    pub most_w: f64,
    /// Its mean at full work under the board's own limit, watts.
    pub sustained_w: f64,
    /// What decides its speed: the serving model's word, or the cap.
    pub binds: String,
    /// Output tokens a second with more requests than it answers, from the replay.
    pub tokens_per_s: f64,
    /// The same of the closed form, for comparison.
    pub predicted_tokens_per_s: f64,
    /// Mean board power of a GPU there, watts.
    pub gpu_w: f64,
    /// Requests a second of the stream that both fleets answer.
    pub requests_per_s: f64,
    /// Times to the first token under it, seconds.
    pub ttft_s: Spread,
    /// Times between tokens under it, seconds.
    pub tpot_s: Spread,
    /// Share of its requests within the targets.
    pub attainment: f64,
    /// Energy of boards for each output token under it, joules.
    pub joules_per_token: f64,
    /// What was measured of its parts.
    pub known: Known,
    /// Between which factors of them 90% of measured points would lie.
    pub bands: Bands,
}

/// Between what the ratio of tokens may be, caps left as they were chosen.
///
/// Errors are taken as independent: the ends are the roots of the sums of what each does alone, squared, as the bands of a
/// design's year have it. `worst` has all of them at their ends at once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Band {
    /// The least.
    pub low: f64,
    /// The most.
    pub high: f64,
    /// With every error at its worse end.
    pub worst: f64,
    /// What each error does alone.
    pub causes: Vec<Cause>,
    /// The ratio by the closed form; the replay's has the errors that this one has.
    pub closed_form: f64,
    /// Board power over what the model says at which managed racks make no more than unmanaged ones; none where they always
    /// do, up to twice as much.
    pub turns_at_power: Option<f64>,
}

/// One error alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cause {
    /// Of what.
    pub of: &'static str,
    /// The least ratio.
    pub low: f64,
    /// The most.
    pub high: f64,
}

/// Largest relative error of throughput under a cap at any point of the measured sweep: `tests/engine/board.rs` holds it to
/// this.
pub const CURVE_ERROR: f64 = 0.06;

/// What the controller did in its run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Steering {
    /// Intervals.
    pub intervals: u32,
    /// What went wrong: chance of a message to be lost.
    pub lost: f64,
    /// And of a host to fail in an interval.
    pub fails: f64,
    /// Caps of the two jobs that it settles at while both are at full work and nothing goes wrong, the lowest of each, watts:
    /// what the replay has as their targets.
    pub settled_w: [f64; 2],
    /// The highest worst case that the racks' caps ever allowed, watts.
    pub worst_w: f64,
    /// Intervals in which it was above the envelope.
    pub breaches: u32,
}

/// Why there is no pilot.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NoPilot {
    /// A part is not in the catalog, or is no rack of GPUs.
    #[error("{0}")]
    Part(String),
    /// A job can't be served so.
    #[error("{model} can't be served within the targets: {why}")]
    Job {
        /// Its model.
        model: String,
        /// Why.
        why: String,
    },
    /// The managed racks don't fit in the envelope at all.
    #[error("the managed racks can't be kept within the envelope")]
    Policy(#[source] Refusal),
    /// The replay.
    #[error("the requests can't be replayed")]
    Replay(#[source] Problem),
}

/// Rounds in which caps and batches are made to agree; the third moves caps by less than a watt.
const ROUNDS: u32 = 3;

/// Runs the pilot.
///
/// # Errors
/// Where a part is missing, or a job has no place on such a rack.
pub fn pilot(catalog: &Catalog, ask: &Ask) -> Result<Pilot, NoPilot> {
    let racks = racks::find(catalog, &ask.rack)?;
    let both = [jobs::find(catalog, &ask.low, (ask.seed, 0))?, jobs::find(catalog, &ask.high, (ask.seed, 1))?];
    let board_w = racks.gpu.board_power.as_watts();
    let (few, many) = (racks.tree(ask.unmanaged, f64::INFINITY), racks.tree(ask.managed, f64::INFINITY));
    let envelope_w = few.carried(&few.each_gpu(|_, host| host.cap_max_w)).input_w[0];
    let many = racks::limited(&many, envelope_w);

    let full = [operating(&racks, &both[0], board_w, ask)?, operating(&racks, &both[1], board_w, ask)?];
    let mut capped = full.clone();
    for _ in 0..ROUNDS {
        let caps = racks.caps(&many, &capped, envelope_w);
        capped = [operating(&racks, &both[0], caps[0], ask)?, operating(&racks, &both[1], caps[1], ask)?];
    }
    let full_power = full_power(&many, &racks, &capped);
    let steering = steer(&many, &capped, ask.seed)?;
    let streams = full.each_ref().map(|job| job.capacity(racks.job_gpus(ask.unmanaged)));
    let unmanaged = jobs::fleet(&racks, (&few, ask.unmanaged), &full, (envelope_w, &streams), ask)?;
    let managed = jobs::fleet(&racks, (&many, ask.managed), &capped, (envelope_w, &streams), ask)?;
    let ratio = managed.tokens_per_s / unmanaged.tokens_per_s;
    let band = band(&full, &capped, [racks.job_gpus(ask.unmanaged), racks.job_gpus(ask.managed)], ratio);
    let is_passed = ratio > 1.0 && managed.is_compliant && steering.breaches == 0;
    Ok(Pilot {
        rack: racks.name.clone(),
        envelope_w,
        full_power,
        ratio,
        ways: compare(&racks.ready(&many, &full), racks.left_to_trays(&many, envelope_w)),
        holds_over_band: is_passed && band.low > 1.0,
        unmanaged,
        managed,
        band,
        steering,
        is_passed,
    })
}

/// What activation says to all racks at full power, and which mix with the steered caps and the lowest would fit.
fn full_power(tree: &Tree, racks: &racks::Racks<'_>, capped: &[Operating; 2]) -> Option<String> {
    let mean_w = f64::midpoint(capped[0].cap_w, capped[1].cap_w);
    let host = |name: &str, cap_w: f64| Bundle::HostLimit { name: name.to_owned(), watts: racks.tray_w(cap_w) };
    let lowest_w = racks.gpu.min_power_cap.as_watts();
    let ladder = [Bundle::FullPower, host("steered caps", mean_w), host("lowest caps", lowest_w)];
    policy::activate(tree, &Policies::all(Bundle::FullPower), &ladder, |_| None).err().map(|why| why.to_string())
}

/// Chances of a bad day, judged: one message in fifty lost, one in twenty up to three intervals late, and a host failing every
/// thousand intervals.
const BAD_DAY: Trouble = Trouble { lost: 0.02, late: 0.05, late_max: 3, fails: 0.001, returns: 0.2 };
/// Intervals of the run.
const INTERVALS: u32 = 600;
/// Intervals after which caps don't move any more while loads stay: three would do.
const SETTLED: u32 = 20;

/// Steers the managed racks at full work through a bad day.
fn steer(tree: &Tree, jobs: &[Operating; 2], seed: u64) -> Result<Steering, NoPilot> {
    let mut policies = Policies::all(Bundle::FullPower);
    policies
        .groups
        .extend(jobs.iter().map(|job| (job.name.clone(), Bundle::Sustained { target: Target::Watts(job.cap_w) })));
    let provisioned = policy::activate(tree, &policies, &[], |_| None).map_err(NoPilot::Policy)?;
    let settings = Settings::default();
    let failsafe: Vec<f64> = provisioned.allowances.iter().map(|allowed| allowed.failsafe_w).collect();
    let load =
        tree.each_gpu(|_, host| jobs.iter().find(|job| job.name == host.group).map_or(0.0, |job| job.work.most_w()));
    let limit_w = tree.limits()[0];
    let run = |trouble: Trouble, intervals: u32| {
        let mut plant = Plant::new(tree.clone(), failsafe.clone(), settings.lease, Start::Joined, (trouble, seed));
        let mut controller = Controller::new(tree.clone(), provisioned.allowances.clone(), settings, Start::Joined);
        let (mut worst_w, mut breaches) = (0.0_f64, 0);
        for now in 1..=u64::from(intervals) {
            controller.step(&plant.heard(now));
            plant.take(now, controller.caps_w());
            plant.draw(now, &load);
            let worst = tree.carried(&plant.caps_w()).input_w[0];
            worst_w = worst_w.max(worst);
            breaches += u32::from(worst > limit_w);
        }
        (worst_w, breaches, plant.caps_w())
    };
    let (_, _, caps_w) = run(Trouble::NONE, SETTLED);
    let least = |job: &Operating| {
        let own = (0..tree.hosts().len()).filter(|host| tree.hosts()[*host].group == job.name);
        own.flat_map(|host| caps_w[tree.gpus_of(host)].iter().copied()).fold(f64::INFINITY, f64::min)
    };
    let (worst_w, breaches, _) = run(BAD_DAY, INTERVALS);
    let settled_w = jobs.each_ref().map(least);
    Ok(Steering { intervals: INTERVALS, lost: BAD_DAY.lost, fails: BAD_DAY.fails, settled_w, worst_w, breaches })
}

/// What is taken to be off: board power by a factor, each job's tokens, and what is left of work under caps.
#[derive(Clone, Copy)]
struct Off {
    power: f64,
    rates: [f64; 2],
    curve: f64,
}

/// The ratio with each error at its ends: tokens of each job by their band, the same on both fleets, as it is the same engine's;
/// board power by its band, for all boards alike; work against cap by [`CURVE_ERROR`].
fn band(full: &[Operating; 2], capped: &[Operating; 2], gpus: [u32; 2], replayed: f64) -> Band {
    let closed = |off: Off| {
        let total = |jobs: &[Operating; 2], gpus: u32, curve: f64| -> f64 {
            let of = |(job, rate): (&Operating, f64)| {
                f64::from(gpus) * rate * job.work.drawing(off.power).tokens_at(job.cap_w) * curve
            };
            jobs.iter().zip(off.rates).map(of).sum()
        };
        total(capped, gpus[1], off.curve) / total(full, gpus[0], 1.0)
    };
    let none = Off { power: 1.0, rates: [1.0; 2], curve: 1.0 };
    let closed_form = closed(none);
    let value = replayed;
    let ratio = |off: Off| closed(off) / closed_form * replayed;
    let [first, second] = full.each_ref().map(|job| [job.bands.rate.low, job.bands.rate.high]);
    let rates: Vec<Off> = first.into_iter().flat_map(|a| second.map(|b| Off { rates: [a, b], ..none })).collect();
    let power = [1.0 - draw::ERROR, 1.0 + draw::ERROR].map(|power| Off { power, ..none });
    let curve = [1.0 - CURVE_ERROR, 1.0 + CURVE_ERROR].map(|curve| Off { curve, ..none });
    let causes = [("tokens of each job", &rates[..]), ("board power", &power), ("work against cap", &curve)];
    let causes = causes.map(|(of, ends)| {
        let found = ends.iter().map(|off| ratio(*off));
        let (low, high) = found.fold((value, value), |(low, high), r| (f64::min(low, r), f64::max(high, r)));
        Cause { of, low, high }
    });
    let together = |side: fn(&Cause) -> f64| {
        libm::sqrt(causes.iter().map(|cause| (side(cause) - value) * (side(cause) - value)).sum())
    };
    let all = rates
        .iter()
        .flat_map(|rate| power.iter().map(|end| ratio(Off { power: end.power, curve: curve[0].curve, ..*rate })));
    Band {
        closed_form,
        turns_at_power: turns(|power| ratio(Off { power, ..none })),
        low: value - together(|cause| cause.low),
        high: value + together(|cause| cause.high),
        worst: all.fold(value, f64::min),
        causes: causes.to_vec(),
    }
}

/// The factor of power from which a ratio that falls with it is no more than one.
fn turns(ratio: impl Fn(f64) -> f64) -> Option<f64> {
    let (mut low, mut high) = (1.0, 2.0);
    if ratio(high) > 1.0 || ratio(low) <= 1.0 {
        return (ratio(low) <= 1.0).then_some(low);
    }
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if ratio(middle) > 1.0 { low = middle } else { high = middle }
    }
    Some(high)
}

/// A job as [`compare`] has it, each of its tokens worth what makes both jobs count alike.
fn ready(job: &Operating, hosts: u32, (gpus_per_host, fixed_w): (u32, f64), bounds: (f64, f64)) -> Job {
    Job {
        name: job.name.clone(),
        work: job.work,
        hosts,
        gpus_per_host,
        fixed_w,
        cap_min_w: bounds.0,
        cap_max_w: bounds.1,
        priority: job.priority,
        worth: 1.0 / job.work.tokens_per_s,
    }
}
