//! What came of it: counts, percentiles, energy, and how it went over time.

use super::cache::Found;
use super::fleet::Fleet;
use super::replica::Replica;
use super::request::Request;
use super::world::{Desk, Live, Phase};
use super::{Options, Records, Slo};
use serde::Serialize;

/// Most bins of the time series; their width is doubled where more would be needed.
pub const BINS_MAX: usize = 4_096;

/// Most strides that are kept of a replica that is watched.
pub const TIMELINE_MAX: usize = 100_000;

/// The outcome of a replay. What is counted how is said at the head of [`super`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// From time 0 to the last token, or to where the replay was stopped, seconds.
    pub span_s: f64,
    /// Requests by their end.
    pub requests: Counts,
    /// Times to the first token, seconds.
    pub ttft_s: Spread,
    /// Times between tokens, seconds.
    pub tpot_s: Spread,
    /// Times to the last token, seconds.
    pub e2e_s: Spread,
    /// Tokens of the prompts of requests that finished.
    pub input_tokens: u64,
    /// Tokens that were delivered, by requests that did not finish too.
    pub output_tokens: u64,
    /// Requests finished in a second.
    pub requests_per_s: f64,
    /// Tokens delivered in a second.
    pub output_tokens_per_s: f64,
    /// Requests a second that finished within the targets.
    pub goodput_per_s: f64,
    /// Share of all requests that did.
    pub attainment: f64,
    /// Energy of the boards.
    pub energy: Energy,
    /// The same by whom it was for, and their tokens.
    pub tenants: Vec<Tenant>,
    /// The same by the model that was asked; those of the fleet and of the requests, by number.
    pub models: Vec<Served>,
    /// What the prefix caches found.
    pub cache: Found,
    /// How often a request had to make way for others.
    pub preemptions: u64,
    /// How often a request had to begin anew elsewhere.
    pub moved_by_failure: u64,
    /// Steps of all replicas.
    pub steps: u64,
    /// Strides in which they were taken: what the replay had to compute.
    pub strides: u64,
    /// KV blocks that no request gave back: 0, but for requests that did not finish.
    pub kv_blocks_left: u64,
    /// How it went over time.
    pub series: Series,
    /// By replica.
    pub replicas: Vec<ReplicaFigures>,
    /// Strides of the replica that was watched.
    pub timeline: Vec<Strip>,
    /// Each request, if asked for.
    pub records: Vec<Record>,
}

/// Requests by their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// All.
    pub asked: u32,
    /// Answered to the last token.
    pub finished: u32,
    /// Refused, as too many waited.
    pub refused_queue_full: u32,
    /// Refused, as prompt and answer are larger than a replica's memory.
    pub refused_too_long: u32,
    /// Refused, as no pool serves the model.
    pub refused_no_model: u32,
    /// Not finished when the replay was stopped, or waiting for what never came.
    pub unfinished: u32,
}

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Too many waited.
    QueueFull,
    /// Its prompt and answer are larger than a replica's memory.
    TooLong,
    /// No pool serves its model.
    NoModel,
}

/// How values are spread. All 0 where there are none.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Spread {
    /// How many there are.
    pub count: u32,
    /// Their mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// Nine in ten are no more.
    pub p90: f64,
    /// 95 in a hundred are no more.
    pub p95: f64,
    /// 99 in a hundred are no more.
    pub p99: f64,
    /// The most.
    pub max: f64,
}

/// Energy of the boards.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Energy {
    /// All of it, joules.
    pub total_j: f64,
    /// Of it, of requests' tokens, joules.
    pub requests_j: f64,
    /// Of that, of tokens of prompts; in a step with both, by the number of tokens.
    pub prompts_j: f64,
    /// Of that, of tokens of answers.
    pub answers_j: f64,
    /// Of it, drawn between steps and by steps that were cut off, joules.
    pub idle_j: f64,
    /// All of it for each token delivered, joules.
    pub per_output_token_j: f64,
    /// All of it for each request finished, joules.
    pub per_request_j: f64,
    /// Mean power, watts.
    pub mean_w: f64,
}

/// One tenant's part.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Tenant {
    /// Which.
    pub tenant: u16,
    /// Requests asked.
    pub requests: u32,
    /// Requests finished.
    pub finished: u32,
    /// Tokens of their prompts.
    pub input_tokens: u64,
    /// Tokens delivered.
    pub output_tokens: u64,
    /// Energy of its tokens, joules.
    pub energy_j: f64,
    /// Its part of the idle energy, as its tokens' energy is of all, joules.
    pub idle_share_j: f64,
    /// Requests finished within the targets.
    pub good: u32,
    /// Times to the first token, seconds.
    pub ttft_s: Spread,
    /// Times between tokens, seconds.
    pub tpot_s: Spread,
}

/// One model's part.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Served {
    /// Which.
    pub model: u16,
    /// Requests asked.
    pub requests: u32,
    /// Requests finished.
    pub finished: u32,
    /// Tokens of the prompts of those.
    pub input_tokens: u64,
    /// Tokens delivered.
    pub output_tokens: u64,
    /// Energy of its replicas, in steps and between them, joules.
    pub energy_j: f64,
    /// Requests finished within the targets.
    pub good: u32,
    /// Times to the first token, seconds.
    pub ttft_s: Spread,
    /// Times between tokens, seconds.
    pub tpot_s: Spread,
}

/// The fleet over time, in equal bins from 0.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Series {
    /// Width of a bin, seconds.
    pub bin_s: f64,
    /// Requests admitted, mean.
    pub running: Vec<f64>,
    /// Requests not admitted, or whose KV is on its way, mean.
    pub waiting: Vec<f64>,
    /// Share of all replicas' KV blocks that requests use in the step at the bin's end; 0 in the last.
    pub kv_use: Vec<f64>,
    /// Tokens of prompts computed.
    pub prompt_tokens_per_s: Vec<f64>,
    /// Tokens delivered.
    pub output_tokens_per_s: Vec<f64>,
    /// Watts of the boards.
    pub power_w: Vec<f64>,
    /// Replicas that draw, mean.
    pub replicas_on: Vec<f64>,
}

/// What one replica did.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct ReplicaFigures {
    /// Its pool.
    pub pool: u32,
    /// Steps.
    pub steps: u64,
    /// Seconds in steps.
    pub busy_s: f64,
    /// Seconds on.
    pub on_s: f64,
    /// Tokens of prompts computed.
    pub prompt_tokens: u64,
    /// Tokens delivered.
    pub output_tokens: u64,
    /// Joules drawn.
    pub energy_j: f64,
}

/// Steps of one batch of a replica that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Strip {
    /// When the first began, seconds.
    pub at_s: f64,
    /// How long they took, seconds.
    pub span_s: f64,
    /// How many there were.
    pub steps: u64,
    /// Requests being answered in them.
    pub answering: u32,
    /// Requests that waited at the end.
    pub waiting: u32,
    /// Tokens of prompts.
    pub prompt_tokens: u64,
    /// Tokens delivered.
    pub output_tokens: u64,
    /// KV blocks in use at the end.
    pub kv_blocks: u64,
    /// Joules.
    pub energy_j: f64,
}

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Record {
    /// How it ended.
    pub end: End,
    /// When it came, seconds; of a turn that never came, none.
    pub at_s: Option<f64>,
    /// When its first token came, seconds.
    pub first_token_s: Option<f64>,
    /// When its last token came, seconds.
    pub last_token_s: Option<f64>,
    /// Tokens delivered.
    pub output_tokens: u32,
    /// Tokens of its prompt that the cache had.
    pub cached_tokens: u32,
    /// The replica that it was on last.
    pub replica: Option<u32>,
    /// How often it made way for others.
    pub preempted: u16,
    /// How often it began anew elsewhere.
    pub moved_by_failure: u16,
    /// Energy of its tokens, joules.
    pub energy_j: f64,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// With its last token.
    Finished,
    /// It was refused.
    Refused(Refusal),
    /// It did not.
    Unfinished,
}

impl End {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Refused(Refusal::QueueFull) => "refused: queue full",
            Self::Refused(Refusal::TooLong) => "refused: too long for memory",
            Self::Refused(Refusal::NoModel) => "refused: no replica of its model",
            Self::Unfinished => "unfinished",
        }
    }
}

impl ReplicaFigures {
    pub(super) fn add(&mut self, steps: u64, seconds: f64, joules: f64, prompt: u64, output: u64) {
        self.steps += steps;
        self.busy_s += seconds;
        self.on_s += seconds;
        self.energy_j += joules;
        self.prompt_tokens += prompt;
        self.output_tokens += output;
    }
}

/// Sums a replay up.
pub(super) fn outcome(
    desk: Desk<'_>,
    (fleet, replicas): (&Fleet, &[Replica]),
    options: &Options,
    span_s: f64,
) -> Outcome {
    let mut sums = Sums::new(&desk, fleet);
    for (request, live) in desk.requests.list.iter().zip(&desk.lives) {
        sums.add(request, live, &options.slo);
    }
    let per_s = |count: f64| if span_s > 0.0 { count / span_s } else { 0.0 };
    let output_tokens: u64 = sums.tenants.all.iter().map(|tenant| tenant.output_tokens).sum();
    let energy = sums.energy(&desk, output_tokens, per_s);
    let (ttft_s, tpot_s) = (Spread::of(&mut sums.ttft), Spread::of(&mut sums.tpot));
    let tenants = sums.tenants.spread((ttft_s, tpot_s)).map(|share| share.of_tenant(&energy)).collect();
    let models = sums.models.spread((ttft_s, tpot_s)).map(|share| share.of_model(fleet, replicas)).collect();
    let blocks = replicas.iter().map(|replica| replica.blocks).sum();
    let counts = sums.counts;
    Outcome {
        span_s,
        requests: counts,
        ttft_s,
        tpot_s,
        e2e_s: Spread::of(&mut sums.e2e),
        input_tokens: sums.input_tokens,
        output_tokens,
        requests_per_s: per_s(f64::from(counts.finished)),
        output_tokens_per_s: per_s(output_tokens as f64),
        goodput_per_s: per_s(f64::from(sums.good)),
        attainment: ratio(f64::from(sums.good), f64::from(counts.asked)),
        energy,
        tenants,
        models,
        cache: desk.found,
        preemptions: desk.preemptions,
        moved_by_failure: sums.moved,
        steps: desk.steps,
        strides: desk.strides,
        kv_blocks_left: replicas.iter().map(Replica::blocks_left).sum(),
        series: desk.meter.series(span_s, blocks),
        replicas: replicas.iter().map(|replica| replica.figures).collect(),
        records: match options.records {
            Records::Sums => Vec::new(),
            Records::Each => desk.lives.into_iter().map(|live| Record::of(&live)).collect(),
        },
        timeline: desk.timeline,
    }
}

fn ratio(part: f64, all: f64) -> f64 {
    if all > 0.0 { part / all } else { 0.0 }
}

/// Sums over requests.
struct Sums {
    counts: Counts,
    ttft: Vec<f64>,
    tpot: Vec<f64>,
    e2e: Vec<f64>,
    good: u32,
    moved: u64,
    input_tokens: u64,
    tenants: Shares,
    models: Shares,
    joules: f64,
}

impl Sums {
    fn new(desk: &Desk<'_>, fleet: &Fleet) -> Self {
        let list = &desk.requests.list;
        let served = fleet.pools.iter().map(|pool| pool.model);
        let room = || Vec::with_capacity(list.len());
        Self {
            counts: Counts::default(),
            ttft: room(),
            tpot: room(),
            e2e: room(),
            good: 0,
            moved: 0,
            input_tokens: 0,
            tenants: Shares::new(list.iter().map(|request| request.tenant)),
            models: Shares::new(list.iter().map(|request| request.model).chain(served)),
            joules: 0.0,
        }
    }

    fn add(&mut self, request: &Request, live: &Live, slo: &Slo) {
        self.tenants.ask(request.tenant, live);
        self.models.ask(request.model, live);
        self.joules += live.energy_j;
        self.moved += u64::from(live.stopped);
        self.counts.asked += 1;
        match live.phase {
            Phase::Finished => {}
            Phase::Refused(Refusal::QueueFull) => return self.counts.refused_queue_full += 1,
            Phase::Refused(Refusal::TooLong) => return self.counts.refused_too_long += 1,
            Phase::Refused(Refusal::NoModel) => return self.counts.refused_no_model += 1,
            Phase::Away | Phase::Waiting | Phase::Loading | Phase::Prefilling | Phase::Answering | Phase::Moving => {
                return self.counts.unfinished += 1;
            }
        }
        let (ttft_s, tpot_s) = (live.first_s - live.at_s, live.tpot_s(request));
        let good = u32::from(ttft_s <= slo.ttft_s && tpot_s.unwrap_or_default() <= slo.tpot_s);
        let finish = Finish { prompt: u64::from(request.prompt()), ttft_s, tpot_s, good };
        self.counts.finished += 1;
        self.input_tokens += finish.prompt;
        self.ttft.push(ttft_s);
        self.e2e.push(live.end_s - live.at_s);
        self.tpot.extend(tpot_s);
        self.good += good;
        self.tenants.finish(request.tenant, &finish);
        self.models.finish(request.model, &finish);
    }

    fn energy(&self, desk: &Desk<'_>, output_tokens: u64, per_s: impl Fn(f64) -> f64) -> Energy {
        let (total_j, idle_j) = (desk.meter.joules, desk.meter.idle_joules);
        let error = (total_j - idle_j - self.joules).abs();
        assert!(
            error <= 1e-9 * total_j.max(1.0),
            "energy does not balance: {total_j} J, {idle_j} idle, {}",
            self.joules
        );
        Energy {
            total_j,
            requests_j: self.joules,
            prompts_j: desk.prompt_joules,
            answers_j: self.joules - desk.prompt_joules,
            idle_j,
            per_output_token_j: ratio(total_j, output_tokens as f64),
            per_request_j: ratio(total_j, f64::from(self.counts.finished)),
            mean_w: per_s(total_j),
        }
    }
}

/// How a request finished.
struct Finish {
    /// Tokens of its prompt.
    prompt: u64,
    ttft_s: f64,
    tpot_s: Option<f64>,
    /// 1 within the targets, or 0.
    good: u32,
}

/// What requests of one number have together: a tenant's, a model's.
#[derive(Clone, Copy, Default)]
struct Share {
    number: u16,
    requests: u32,
    finished: u32,
    input_tokens: u64,
    output_tokens: u64,
    energy_j: f64,
    good: u32,
    ttft_s: Spread,
    tpot_s: Spread,
}

impl Share {
    fn of_tenant(self, energy: &Energy) -> Tenant {
        let Self { number, requests, finished, input_tokens, output_tokens, energy_j, good, ttft_s, tpot_s } = self;
        let idle_share_j = energy.idle_j * ratio(energy_j, energy.requests_j);
        Tenant {
            tenant: number,
            requests,
            finished,
            input_tokens,
            output_tokens,
            energy_j,
            idle_share_j,
            good,
            ttft_s,
            tpot_s,
        }
    }

    /// Replicas serve one model each, so what they drew is its.
    fn of_model(self, fleet: &Fleet, replicas: &[Replica]) -> Served {
        let Self { number, requests, finished, input_tokens, output_tokens, good, ttft_s, tpot_s, .. } = self;
        let own = replicas.iter().filter(|replica| fleet.pools[replica.pool as usize].model == number);
        let energy_j = own.map(|replica| replica.figures.energy_j).sum();
        Served { model: number, requests, finished, input_tokens, output_tokens, energy_j, good, ttft_s, tpot_s }
    }
}

/// Each number's part of all requests.
struct Shares {
    all: Vec<Share>,
    /// Times to the first token and between tokens of each, where there are several: one alone has those of all.
    waits: Vec<[Vec<f64>; 2]>,
    /// Index of each number in `all`.
    places: Vec<u32>,
}

impl Shares {
    fn new(numbers: impl Iterator<Item = u16>) -> Self {
        let mut places = Vec::new();
        for number in numbers {
            if places.len() <= usize::from(number) {
                places.resize(usize::from(number) + 1, u32::MAX);
            }
            places[usize::from(number)] = 0;
        }
        let mut all = Vec::new();
        for (number, place) in (0..=u16::MAX).zip(&mut places) {
            if *place == 0 {
                *place = all.len() as u32;
                all.push(Share { number, ..Share::default() });
            }
        }
        let waits = if all.len() > 1 { vec![[Vec::new(), Vec::new()]; all.len()] } else { Vec::new() };
        Self { all, waits, places }
    }

    fn ask(&mut self, number: u16, live: &Live) {
        let share = &mut self.all[self.places[usize::from(number)] as usize];
        share.requests += 1;
        share.energy_j += live.energy_j;
        share.output_tokens += u64::from(live.produced);
    }

    fn finish(&mut self, number: u16, finish: &Finish) {
        let place = self.places[usize::from(number)] as usize;
        let share = &mut self.all[place];
        share.finished += 1;
        share.input_tokens += finish.prompt;
        share.good += finish.good;
        if let Some([first, between]) = self.waits.get_mut(place) {
            first.push(finish.ttft_s);
            between.extend(finish.tpot_s);
        }
    }

    /// Each with how its times are spread; one alone has those of all.
    fn spread(mut self, (ttft_s, tpot_s): (Spread, Spread)) -> impl Iterator<Item = Share> {
        if let [only] = self.all.as_mut_slice() {
            (only.ttft_s, only.tpot_s) = (ttft_s, tpot_s);
        }
        for (share, [first, between]) in self.all.iter_mut().zip(&mut self.waits) {
            (share.ttft_s, share.tpot_s) = (Spread::of(first), Spread::of(between));
        }
        self.all.into_iter()
    }
}

impl Spread {
    /// Of values, which are left in another order.
    fn of(values: &mut [f64]) -> Self {
        if values.is_empty() {
            return Self::default();
        }
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count as f64;
        // Nearest rank, from the highest down: what is below a percentile is all that the next must look at.
        let rank = |percent: usize| (percent * count).div_ceil(100).max(1) - 1;
        let mut below = count;
        let mut at = |rank: usize| {
            if rank >= below {
                return values[rank];
            }
            let (_, value, _) = values[..below].select_nth_unstable_by(rank, f64::total_cmp);
            below = rank;
            *value
        };
        let (max, p99, p95, p90, p50) = (at(count - 1), at(rank(99)), at(rank(95)), at(rank(90)), at(rank(50)));
        Self { count: count as u32, mean, p50, p90, p95, p99, max }
    }
}

impl Record {
    fn of(live: &Live) -> Self {
        let some = |seconds: f64| (!seconds.is_nan()).then_some(seconds);
        Self {
            end: match live.phase {
                Phase::Finished => End::Finished,
                Phase::Refused(why) => End::Refused(why),
                Phase::Away
                | Phase::Waiting
                | Phase::Loading
                | Phase::Prefilling
                | Phase::Answering
                | Phase::Moving => End::Unfinished,
            },
            at_s: some(live.at_s),
            first_token_s: some(live.first_s),
            last_token_s: some(live.end_s),
            output_tokens: live.produced,
            cached_tokens: live.cached,
            replica: (live.replica != u32::MAX).then_some(live.replica),
            preempted: live.preempted,
            moved_by_failure: live.stopped,
            energy_j: live.energy_j,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let mut values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        let spread = Spread::of(&mut values);
        assert_eq!((spread.p50, spread.p90, spread.p95, spread.p99, spread.max), (100.0, 180.0, 190.0, 198.0, 200.0));
        assert_eq!((spread.count, spread.mean), (200, 100.5));
        let one = Spread::of(&mut [3.0]);
        assert_eq!((one.p50, one.p99, one.max), (3.0, 3.0, 3.0));
        assert_eq!(Spread::of(&mut []), Spread::default());
    }
}
