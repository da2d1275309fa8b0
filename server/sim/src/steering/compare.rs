//! Ways to spend one envelope of power on the hosts of several jobs, and the tokens that each makes.
//!
//! Watts are provisioned: a host that is on counts with its fixed draw and every GPU at its cap. Jobs are at full work.
//! Tokens of jobs are not alike, so each has a worth; with a worth of 1 each token counts the same.

use super::work::Work;
use serde::Serialize;

/// A job and the hosts that stand ready for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// What a cap leaves of one of its GPUs.
    pub work: Work,
    /// Hosts that stand ready.
    pub hosts: u32,
    /// GPUs in each.
    pub gpus_per_host: u32,
    /// Fixed draw of a host that is on, watts; one that is off draws nothing.
    pub fixed_w: f64,
    /// Lowest cap of a GPU, watts.
    pub cap_min_w: f64,
    /// Highest.
    pub cap_max_w: f64,
    /// Lower is more important.
    pub priority: u32,
    /// Worth of one output token.
    pub worth: f64,
}

/// A way to spend an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Highest caps, and only as many hosts on, in proportion, as are provisioned with them.
    FullPower,
    /// One cap for all, the best there is, and as many hosts as it leaves.
    Uniform,
    /// All hosts on, each job at the same share of what it would draw.
    Proportional,
    /// All hosts on, the most important jobs in full first, the others what is left.
    Priority,
    /// Hosts and caps of each job that make the most: what steering is given as targets.
    Steered,
}

impl Way {
    /// All, ours last.
    pub const ALL: [Self; 5] = [Self::FullPower, Self::Uniform, Self::Proportional, Self::Priority, Self::Steered];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::FullPower => "full-power caps, fewer hosts",
            Self::Uniform => "best uniform cap",
            Self::Proportional => "proportional capping",
            Self::Priority => "priority shedding",
            Self::Steered => "caps by job (steered)",
        }
    }
}

/// What a way spends and makes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spent {
    /// Which way.
    pub way: Way,
    /// Of each job, hosts that are on.
    pub hosts: Vec<u32>,
    /// And the cap of their GPUs, watts.
    pub caps_w: Vec<f64>,
    /// Worst case of all, watts.
    pub provisioned_w: f64,
    /// Output tokens a second of all jobs.
    pub tokens_per_s: f64,
    /// The same by their worth.
    pub worth_per_s: f64,
}

/// Hosts that are on and caps, job by job.
#[derive(Debug, Clone, PartialEq)]
struct Plan {
    hosts: Vec<u32>,
    caps_w: Vec<f64>,
}

/// Steps between a job's lowest and highest cap: between two of GB200's, 2 W.
const STEPS: u32 = 400;

/// Tokens and watts of each way under an envelope, ours last. Ours starts from each of the others' hosts and finds what
/// caps make most of them, then puts hosts out or on where that makes more; so it is never worse than the best of them.
pub fn compare(jobs: &[Job], envelope_w: f64) -> Vec<Spent> {
    let mut plans = vec![
        full_power(jobs, envelope_w),
        uniform(jobs, envelope_w),
        proportional(jobs, envelope_w),
        by_priority(jobs, envelope_w),
    ];
    let best = steered(jobs, envelope_w, &plans);
    plans.push(best);
    Way::ALL.into_iter().zip(plans).map(|(way, plan)| spent(jobs, way, &plan)).collect()
}

fn spent(jobs: &[Job], way: Way, plan: &Plan) -> Spent {
    let rate = |job: &Job, at: usize| gpus(job, plan.hosts[at]) * job.work.tokens_at(plan.caps_w[at]);
    Spent {
        way,
        hosts: plan.hosts.clone(),
        caps_w: plan.caps_w.clone(),
        provisioned_w: provisioned(jobs, plan),
        tokens_per_s: jobs.iter().enumerate().map(|(at, job)| rate(job, at)).sum(),
        worth_per_s: worth(jobs, plan),
    }
}

fn gpus(job: &Job, hosts: u32) -> f64 {
    f64::from(hosts) * f64::from(job.gpus_per_host)
}

fn host_w(job: &Job, cap_w: f64) -> f64 {
    job.fixed_w + f64::from(job.gpus_per_host) * cap_w
}

fn provisioned(jobs: &[Job], plan: &Plan) -> f64 {
    let of = |(at, job): (usize, &Job)| f64::from(plan.hosts[at]) * host_w(job, plan.caps_w[at]);
    jobs.iter().enumerate().map(of).sum()
}

fn worth(jobs: &[Job], plan: &Plan) -> f64 {
    let of = |(at, job): (usize, &Job)| gpus(job, plan.hosts[at]) * job.work.tokens_at(plan.caps_w[at]) * job.worth;
    jobs.iter().enumerate().map(of).sum()
}

/// As many hosts of each job, in proportion, as the envelope carries at these caps; what is left over goes to one host after
/// another in the order of jobs.
fn in_proportion(jobs: &[Job], caps_w: Vec<f64>, envelope_w: f64) -> Plan {
    let all: f64 = jobs.iter().zip(&caps_w).map(|(job, cap)| f64::from(job.hosts) * host_w(job, *cap)).sum();
    let part = if all > envelope_w { envelope_w / all } else { 1.0 };
    let hosts = jobs.iter().map(|job| (f64::from(job.hosts) * part) as u32).collect();
    let mut plan = Plan { hosts, caps_w };
    loop {
        let left = envelope_w - provisioned(jobs, &plan);
        let next = jobs
            .iter()
            .enumerate()
            .find(|(at, job)| plan.hosts[*at] < job.hosts && host_w(job, plan.caps_w[*at]) <= left);
        let Some((at, _)) = next else { return plan };
        plan.hosts[at] += 1;
    }
}

fn full_power(jobs: &[Job], envelope_w: f64) -> Plan {
    in_proportion(jobs, jobs.iter().map(|job| job.cap_max_w).collect(), envelope_w)
}

fn uniform(jobs: &[Job], envelope_w: f64) -> Plan {
    let least = jobs.iter().map(|job| job.cap_min_w).fold(f64::INFINITY, f64::min);
    let most = jobs.iter().map(|job| job.cap_max_w).fold(0.0, f64::max);
    let at = |step: u32| {
        let cap = least + (most - least) * f64::from(step) / f64::from(STEPS);
        in_proportion(jobs, jobs.iter().map(|job| cap.clamp(job.cap_min_w, job.cap_max_w)).collect(), envelope_w)
    };
    best(jobs, (0..=STEPS).map(at)).unwrap_or_else(|| full_power(jobs, envelope_w))
}

/// The largest share of what each job would draw that the envelope carries with as many hosts on as it can.
fn proportional(jobs: &[Job], envelope_w: f64) -> Plan {
    let lowest = in_proportion(jobs, jobs.iter().map(|job| job.cap_min_w).collect(), envelope_w);
    let at = |share: f64| {
        let caps = jobs.iter().map(|job| (share * job.work.most_w()).clamp(job.cap_min_w, job.cap_max_w));
        Plan { hosts: lowest.hosts.clone(), caps_w: caps.collect() }
    };
    let (mut low, mut high) = (0.0, 1.0);
    if provisioned(jobs, &at(high)) <= envelope_w {
        return at(high);
    }
    // Halved so often that what is left is less than a microwatt in a gigawatt.
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if provisioned(jobs, &at(middle)) <= envelope_w { low = middle } else { high = middle }
    }
    at(low)
}

/// Hosts on by priority at the lowest caps, then caps raised in full by priority.
fn by_priority(jobs: &[Job], envelope_w: f64) -> Plan {
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|at| jobs[*at].priority);
    let mut plan = Plan { hosts: vec![0; jobs.len()], caps_w: jobs.iter().map(|job| job.cap_min_w).collect() };
    for at in &order {
        let left = envelope_w - provisioned(jobs, &plan);
        let each = host_w(&jobs[*at], plan.caps_w[*at]).max(1e-9);
        plan.hosts[*at] = f64::min(f64::from(jobs[*at].hosts), (left.max(0.0) / each).floor()) as u32;
    }
    for at in order {
        let left = envelope_w - provisioned(jobs, &plan);
        let more = left / gpus(&jobs[at], plan.hosts[at]).max(1.0);
        plan.caps_w[at] = f64::min(plan.caps_w[at] + more.max(0.0), jobs[at].cap_max_w);
    }
    plan
}

fn best(jobs: &[Job], plans: impl Iterator<Item = Plan>) -> Option<Plan> {
    plans.max_by(|a, b| worth(jobs, a).total_cmp(&worth(jobs, b)))
}

/// Hosts and caps of most worth, from each of some plans on.
fn steered(jobs: &[Job], envelope_w: f64, from: &[Plan]) -> Plan {
    let mut found: Option<Plan> = None;
    for plan in from {
        let capped = Plan { caps_w: best_caps(jobs, &plan.hosts, envelope_w), ..plan.clone() };
        let start = best(jobs, [plan.clone(), capped].into_iter());
        let searched = start.map(|start| searched(jobs, envelope_w, start));
        found = best(jobs, found.into_iter().chain(searched));
    }
    found.unwrap_or_else(|| full_power(jobs, envelope_w))
}

/// Puts hosts out or on, many at once at first, while that makes more.
fn searched(jobs: &[Job], envelope_w: f64, start: Plan) -> Plan {
    let mut plan = start;
    let mut stride = jobs.iter().map(|job| job.hosts).max().unwrap_or(0).div_ceil(2);
    while stride > 0 {
        let mut is_better = false;
        for at in 0..jobs.len() {
            let now = plan.hosts[at];
            for hosts in [now.saturating_sub(stride), (now + stride).min(jobs[at].hosts)] {
                let mut changed = plan.hosts.clone();
                changed[at] = hosts;
                let lowest: f64 =
                    jobs.iter().zip(&changed).map(|(job, n)| f64::from(*n) * host_w(job, job.cap_min_w)).sum();
                if hosts == now || lowest > envelope_w {
                    continue;
                }
                let other = Plan { caps_w: best_caps(jobs, &changed, envelope_w), hosts: changed };
                if worth(jobs, &other) > worth(jobs, &plan) * (1.0 + 1e-9) {
                    (plan, is_better) = (other, true);
                }
            }
        }
        if !is_better {
            stride /= 2;
        }
    }
    plan
}

/// Caps of most worth, job by job, for the hosts that are on: what a sustained policy is given as targets. From the lowest, a
/// step at a time goes to the job to which it is worth most for its watts. Throughput is concave in the cap, so what was taken first is never to be taken back.
pub fn best_caps(jobs: &[Job], hosts: &[u32], envelope_w: f64) -> Vec<f64> {
    let cap = |job: &Job, step: u32| {
        f64::min(job.cap_min_w + (job.cap_max_w - job.cap_min_w) * f64::from(step) / f64::from(STEPS), job.cap_max_w)
    };
    let mut steps = vec![0_u32; jobs.len()];
    let mut caps: Vec<f64> = jobs.iter().map(|job| job.cap_min_w).collect();
    let mut left =
        envelope_w - jobs.iter().zip(hosts).map(|(job, n)| f64::from(*n) * host_w(job, job.cap_min_w)).sum::<f64>();
    let gain = |at: usize, step: u32| {
        let (job, from, to) = (&jobs[at], cap(&jobs[at], step), cap(&jobs[at], step + 1));
        (job.work.tokens_at(to) - job.work.tokens_at(from)) * job.worth / (to - from).max(1e-9)
    };
    let can_rise = |at: usize, step: u32| step < STEPS && hosts[at] > 0 && jobs[at].cap_max_w > jobs[at].cap_min_w;
    let mut gains: Vec<f64> = (0..jobs.len()).map(|at| if can_rise(at, 0) { gain(at, 0) } else { 0.0 }).collect();
    while let Some((at, most)) = gains.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)) {
        if most <= 0.0 || left <= 0.0 {
            break;
        }
        let next = cap(&jobs[at], steps[at] + 1);
        let watts = gpus(&jobs[at], hosts[at]) * (next - caps[at]);
        if watts > left {
            caps[at] += left / gpus(&jobs[at], hosts[at]);
            break;
        }
        (left, caps[at], steps[at]) = (left - watts, next, steps[at] + 1);
        gains[at] = if can_rise(at, steps[at]) { gain(at, steps[at]) } else { 0.0 };
    }
    caps
}
