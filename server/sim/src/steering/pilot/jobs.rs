//! The jobs of a pilot: at which batch they run under a cap, and how their requests fare.

use super::racks::{GROUPS, Racks};
use super::{Ask, Fleet, JobDone, NoPilot};
use crate::replay::fleet::{Engine as Limits, Fleet as Replicas, Pool};
use crate::replay::made_up;
use crate::replay::outcome::Outcome;
use crate::replay::request::{Arrival, Requests};
use crate::replay::{self, Options};
use crate::serving::ask::language_model;
use crate::serving::band::{Bands, Kind, Known, bands, known};
use crate::serving::coefficients::Engine;
use crate::serving::cost::StepCost;
use crate::serving::fitted::FITTED;
use crate::serving::served::Load;
use crate::serving::shape::{Format, Formats};
use crate::serving::step::Setup;
use crate::serving::{Point, Refusal, Work as Asked, best_point, layout};
use crate::steering::tree::Tree;
use crate::steering::work::Work;
use model::catalog::Catalog;
use model::design::Precision;
use model::part::LanguageModel;
use model::quantity::Span;
use model::replay::MadeUpKind;

/// A job's model and the lengths of its requests.
pub(super) struct Wanted<'a> {
    model: &'a LanguageModel,
    precision: Precision,
    group: &'static str,
    /// Mean tokens of prompts and answers.
    lengths: (f64, f64),
}

/// A job under a cap.
#[derive(Debug, Clone)]
pub(super) struct Operating {
    /// Its group in the tree.
    pub(super) name: String,
    pub(super) priority: u32,
    pub(super) cap_w: f64,
    pub(super) work: Work,
    pub(super) bands: Bands,
    known: Known,
    point: Point,
    model: String,
    precision: Precision,
    setup: Setup,
    lengths: (f64, f64),
}

impl Operating {
    /// Requests a second that so many of its GPUs answer at most, by the closed form.
    pub(super) fn capacity(&self, gpus: u32) -> f64 {
        f64::from(gpus) * self.work.tokens_at(self.cap_w) / self.lengths.1
    }
}

/// Requests that mean lengths are taken of.
const SAMPLE: u32 = 20_000;

/// Finds a job's model.
pub(super) fn find<'a>(
    catalog: &'a Catalog,
    (name, precision): &(String, Precision),
    (seed, at): (u64, usize),
) -> Result<Wanted<'a>, NoPilot> {
    let model = language_model(catalog, name).map_err(NoPilot::Part)?;
    let sample = made_up::requests(MadeUpKind::Chat, 1.0, SAMPLE, seed);
    let mean = |of: fn(&replay::request::Request) -> u32| {
        sample.list.iter().map(|request| f64::from(of(request))).sum::<f64>() / f64::from(SAMPLE)
    };
    let lengths = (mean(|request| request.input), mean(|request| request.output));
    Ok(Wanted { model, precision: *precision, group: GROUPS[at], lengths })
}

/// The largest batch that meets the targets under a cap, on replicas that fit into a tray, so that a tray's cap is a whole
/// replica's.
pub(super) fn operating(racks: &Racks<'_>, job: &Wanted<'_>, cap_w: f64, ask: &Ask) -> Result<Operating, NoPilot> {
    let (gpu, board_w) = (racks.gpu, racks.gpu.board_power.as_watts());
    let mut speed = 1.0;
    let mut found = None;
    // A slower clock asks for a smaller batch, which draws and slows a little differently: three rounds settle it.
    for _ in 0..3 {
        let asked = Asked {
            model: job.model,
            precision: job.precision,
            prefill_tokens: job.lengths.0,
            context_tokens: job.lengths.0,
            output_tokens: job.lengths.1,
            ttft: Span::from_seconds(ask.slo.ttft_s * speed),
            tpot: Span::from_seconds(ask.slo.tpot_s * speed),
        };
        let point = best_point(gpu, racks.gpus_per_tray, &asked)
            .map_err(|why| NoPilot::Job { model: job.model.name.clone(), why: words(&why) })?;
        let work = Work {
            prefill_w: point.prefill_power * board_w,
            decode_w: point.decode_power * board_w,
            prefill_share: point.prefill_share,
            idle_w: gpu.idle_power.as_watts(),
            board_w,
            tokens_per_s: point.tokens_per_s_per_gpu,
        };
        speed = work.capped(cap_w).speed;
        found = Some((point, work));
    }
    let Some((point, work)) = found else { return Err(NoPilot::Part("no round".to_owned())) };
    let formats = Formats::of(job.model, Format::from(job.precision));
    let known = known(gpu.id.as_str(), job.model.id.as_str());
    Ok(Operating {
        name: job.group.to_owned(),
        priority: 0,
        cap_w,
        work,
        bands: bands(known, Kind::of(job.model)),
        known,
        setup: Setup::new(gpu, job.model, formats, layout(job.model, point.gpus), Engine::Vllm),
        point,
        model: job.model.name.clone(),
        precision: job.precision,
        lengths: job.lengths,
    })
}

fn words(why: &Refusal) -> String {
    match why {
        Refusal::TooLarge { weights, memory } => {
            format!("{:.0} GB of weights in {:.0} GB of a tray", weights / 1e9, memory / 1e9)
        }
        Refusal::TargetsMissed { ttft_s, tpot_s } => {
            format!(
                "one request alone has its first token after {ttft_s:.2} s, the others {:.0} ms apart",
                tpot_s * 1e3
            )
        }
    }
}

/// Requests over what the unmanaged racks answer: beyond what four could, were they not capped, and well within.
const BEYOND: f64 = 1.5;
const WITHIN: f64 = 0.7;

/// Both jobs on one fleet, whose racks stand in a tree. `streams` are the requests a second that the unmanaged racks answer.
pub(super) fn fleet(
    racks: &Racks<'_>,
    (tree, count): (&Tree, u32),
    jobs: &[Operating; 2],
    (envelope_w, streams): (f64, &[f64; 2]),
    ask: &Ask,
) -> Result<Fleet, NoPilot> {
    let gpus = racks.job_gpus(count);
    let mut done = Vec::new();
    let (mut most_w, mut mean_w) = ([0.0; 2], [0.0; 2]);
    for (at, (job, stream)) in jobs.iter().zip(streams).enumerate() {
        let beyond = replayed(job, gpus, (stream * BEYOND, End::WithTheStream), ask)?;
        let within = replayed(job, gpus, (stream * WITHIN, End::WhenAnswered), ask)?;
        let each = |watts: &[f64]| watts.iter().copied().fold(0.0, f64::max) / f64::from(gpus);
        most_w[at] = f64::max(each(&beyond.series.power_w), each(&within.series.power_w));
        mean_w[at] = settled(&beyond.series.power_w) / f64::from(gpus);
        done.push(told(job, gpus, (&beyond, &within), stream * WITHIN));
    }
    let into = |of: [f64; 2]| {
        let at = |group: &str| GROUPS.iter().position(|name| *name == group).map_or(0.0, |at| of[at]);
        tree.carried(&tree.each_gpu(|_, host| at(&host.group))).input_w[0]
    };
    let (provisioned_w, drawn_most_w) = (into([jobs[0].cap_w, jobs[1].cap_w]), into(most_w));
    let within = |watts: f64| watts <= envelope_w * (1.0 + 1e-9);
    Ok(Fleet {
        racks: count,
        gpus: 2 * gpus,
        provisioned_w,
        drawn_most_w,
        drawn_mean_w: into(mean_w),
        is_compliant: within(provisioned_w) && within(drawn_most_w),
        tokens_per_s: done.iter().map(|job| job.tokens_per_s).sum(),
        jobs: done,
    })
}

fn told(job: &Operating, gpus: u32, (beyond, within): (&Outcome, &Outcome), requests_per_s: f64) -> JobDone {
    let most_w = job.work.most_w();
    let binds = if job.cap_w < most_w * (1.0 - 1e-9) {
        format!(
            "power cap ({:.0}% of full speed), then {}",
            job.work.capped(job.cap_w).speed * 100.0,
            job.point.bound.name()
        )
    } else {
        job.point.bound.name().to_owned()
    };
    JobDone {
        model: job.model.clone(),
        precision: job.precision,
        gpus,
        gpus_per_replica: job.point.gpus,
        batch: job.point.batch as u32,
        cap_w: job.cap_w,
        most_w,
        sustained_w: job.work.sustained_w(),
        binds,
        tokens_per_s: settled(&beyond.series.output_tokens_per_s),
        predicted_tokens_per_s: f64::from(gpus) * job.work.tokens_at(job.cap_w),
        gpu_w: settled(&beyond.series.power_w) / f64::from(gpus),
        requests_per_s,
        ttft_s: within.ttft_s,
        tpot_s: within.tpot_s,
        attainment: within.attainment,
        joules_per_token: within.energy.per_output_token_j,
        known: job.known,
        bands: job.bands,
    }
}

/// Width of the bins, seconds.
const BIN_S: f64 = 5.0;

/// Mean of the second half of a stream's bins, when replicas are full; the last bin, cut off, is left out.
fn settled(bins: &[f64]) -> f64 {
    let whole = &bins[..bins.len().saturating_sub(1)];
    let half = &whole[whole.len() / 2..];
    half.iter().sum::<f64>() / half.len().max(1) as f64
}

/// When a stream's replay ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// When the last request has come: the others wait in vain.
    WithTheStream,
    /// When all are answered.
    WhenAnswered,
}

/// A stream of requests through a job's replicas under its cap.
fn replayed(job: &Operating, gpus: u32, (rate_per_s, end): (f64, End), ask: &Ask) -> Result<Outcome, NoPilot> {
    let requests: Requests =
        made_up::requests(MadeUpKind::Chat, rate_per_s, (rate_per_s * ask.seconds) as u32 + 1, ask.seed);
    let limits = Limits { requests_max: (job.point.batch as u32).max(1), ..Limits::default() };
    let load = Load::of(job.point.batch, job.lengths.0, job.lengths.1);
    let watts = (job.work.board_w, job.cap_w);
    let cost = StepCost::under(&FITTED, &job.setup, limits.step_tokens_max, watts, &load)
        .ok_or_else(|| NoPilot::Job { model: job.model.clone(), why: "it does not fit".to_owned() })?;
    let pool = Pool { replicas: gpus / job.point.gpus, engine: limits, ..Pool::default() };
    let last = requests.list.iter().filter_map(|request| match request.arrival {
        Arrival::At { at_s } => Some(at_s),
        Arrival::After { .. } => None,
    });
    let until_s = match end {
        End::WithTheStream => last.fold(0.0, f64::max),
        End::WhenAnswered => f64::INFINITY,
    };
    let options = Options { seed: ask.seed, slo: ask.slo, bin_s: BIN_S, until_s, ..Options::default() };
    replay::run(&Replicas::alike(cost, vec![pool]), &requests, &options).map_err(NoPilot::Replay)
}
