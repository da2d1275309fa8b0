//! A design's own power tree under a policy and steering: its groups as they are drawn, a host for each rack with GPUs, and what
//! draws beside them at its most.
//!
//! A rack's GPUs are steered as one, as they share a job: its cap is the sum of theirs. Cooling and the house are counted at
//! what they draw on the hottest hour with everything busy, so that caps never rest on a cool day.

use super::compare::{Job, compare};
use super::controller::{Controller, Settings, Start};
use super::plant::{Plant, Trouble};
use super::policy::{Bundle, Policies, Provisioned, Refusal, Target, activate};
use super::tree::{Host, Level, Limit, Node, Tree};
use super::work::Work;
use crate::defaults::fork;
use crate::fleet::{self, Lengths, Served};
use crate::replay::made_up::uniform;
use model::part::LossCurve;
use model::quantity::Power;
use model::report::LoopReport;
use model::site::{RackClass, Site};
use model::steered::{SteerAsk, SteerDay, SteerPolicy, Steered, SteeredFrame, SteeredKind, SteeredNode, SteeredWay};
use rand_chacha::ChaCha8Rng;

/// Seconds of an interval: what a fleet's readings and caps take to go there and back, judged.
pub const INTERVAL_S: f64 = 5.0;
/// Intervals: a quarter of an hour.
pub const INTERVALS: u32 = 180;
/// Most racks that are steered one by one.
const RACKS_MAX: u32 = 8_000;
/// Chance that a rack's work changes in an interval: a job of some minutes.
const CHANGES: f64 = 0.02;
/// How far a rack's work moves from one interval to the next while its job goes on.
const MOVES: f64 = 0.04;
/// A bad day, as the pilot has it.
const BAD_DAY: Trouble = Trouble { lost: 0.02, late: 0.05, late_max: 3, fails: 0.000_5, returns: 0.1 };

/// A design's tree, and what its racks work on.
struct Ground {
    tree: Tree,
    /// What is shown, and into which of it each host counts; nodes of the tree before the hosts are shown as they are.
    nodes: Vec<SteeredNode>,
    shown_of_host: Vec<usize>,
    /// Of each class with GPUs: its work for one GPU, its GPUs of a rack, and the class.
    jobs: Vec<(Work, f64, usize)>,
    /// Which of these each host's is; none for what is not steered.
    job_of: Vec<Option<usize>>,
}

/// Why a design can't be steered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSteering {
    /// It has no GPUs that can serve.
    #[error("the design has no racks whose GPUs can serve its model within its targets")]
    NoWork,
    /// It has too many racks.
    #[error("the design has {racks} racks with GPUs; up to {RACKS_MAX} are steered one by one")]
    TooMany {
        /// Its racks.
        racks: u32,
    },
    /// Its tree makes no sense.
    #[error("the design's power tree can't be steered: {0}")]
    Tree(String),
}

/// A quarter of an hour of a design under a policy.
///
/// # Errors
/// Where there is nothing to steer.
pub fn steered(site: &Site, ask: &SteerAsk) -> Result<Steered, NoSteering> {
    let limit_w = ask.limit_mw.map_or(site.contract_power.as_watts(), |mw| mw * 1e6);
    let mut ground = ground(site, limit_w)?;
    let mut refused = Vec::new();
    let mut found = None;
    for bundle in ladder(ask.policy) {
        match ground.activate(&Policies::all(bundle.clone())) {
            Ok(provisioned) => {
                found = Some((bundle.name().to_owned(), provisioned));
                break;
            }
            Err(why) => refused.push(format!("{}: {why}", bundle.name())),
        }
    }
    if found.is_none() {
        match ground.cut_to_fit() {
            Ok((share, provisioned)) => {
                found = Some((format!("sustained target cut to {:.0}% of it", 100.0 * share), provisioned));
            }
            Err(why) => refused.push(format!("lowest limits: {why}")),
        }
    }
    let lowest = ground.tree.carried(&ground.tree.each_gpu(|_, host| host.cap_min_w)).input_w[0];
    if found.is_some() && lowest > limit_w * ask.event {
        let left = limit_w * ask.event / 1e6;
        refused.push(format!(
            "grid event: it leaves {left:.3} MW, and every rack at its lowest limit needs {:.3} MW",
            lowest / 1e6
        ));
        found = None;
    }
    let full = ground.tree.carried(&ground.tree.each_gpu(|_, host| host.cap_max_w));
    ground.tell(&full.input_w, |node| &mut node.full_w);
    let mut told = Steered {
        ask: *ask,
        limit_w,
        policy: None,
        refused,
        nodes: Vec::new(),
        interval_s: INTERVAL_S,
        frames: Vec::new(),
        breaches: 0,
        meeting: 0,
        ways: ways(site, &ground),
    };
    if let Some((policy, provisioned)) = found {
        ground.tell(&provisioned.flow.input_w, |node| &mut node.provisioned_w);
        told.policy = Some(policy);
        run(&ground, provisioned, ask, &mut told);
    }
    told.nodes = ground.nodes;
    Ok(told)
}

/// The policy that is asked for, and what jobs sustain below full power. Below these, promises are cut to what fits.
fn ladder(asked: SteerPolicy) -> Vec<Bundle> {
    let sustained = Bundle::Sustained { target: Target::OfJob };
    match asked {
        SteerPolicy::FullPower => vec![Bundle::FullPower, sustained],
        SteerPolicy::Sustained => vec![sustained],
        SteerPolicy::Efficient => vec![Bundle::Efficient],
    }
}

fn ground(site: &Site, limit_w: f64) -> Result<Ground, NoSteering> {
    let mut own = site.clone();
    for class in &mut own.racks {
        class.power_cap = class.gpu.as_ref().map_or(Power::ZERO, |gpu| gpu.board_power);
    }
    let found = crate::evaluate(&own);
    let (classes, _) = fleet::classes(&own, Lengths::of(&own), &mut Served::default());
    let steered = |at: usize| own.racks[at].count > 0 && classes[at].compute.is_some();
    let racks: u32 = (0..classes.len()).filter(|at| steered(*at)).map(|at| own.racks[at].count).sum();
    if racks == 0 {
        return Err(NoSteering::NoWork);
    }
    if racks > RACKS_MAX {
        return Err(NoSteering::TooMany { racks });
    }
    let mut building = Building::of(&own, limit_w);
    building.fixed("house", own.house_power.as_watts(), 0);
    for (each, report) in own.loops.iter().zip(&found.loops) {
        building.fixed(&format!("cooling of {}", each.name), plant_w(report), each.fed_by as usize + 1);
    }
    for (at, class) in own.racks.iter().enumerate() {
        match classes[at].compute.as_ref().filter(|_| steered(at)) {
            Some(compute) => {
                let board_w = compute.board_w();
                let work = Work {
                    prefill_w: compute.point.prefill_power * board_w,
                    decode_w: compute.point.decode_power * board_w,
                    prefill_share: compute.point.prefill_share,
                    idle_w: compute.idle_w,
                    board_w,
                    tokens_per_s: compute.point.tokens_per_s_per_gpu,
                };
                building.racks(class, work, at);
            }
            None if class.count > 0 => {
                let all = (class.overhead_busy * class.count).as_watts();
                building.fixed(&format!("{}, {}", class.part, class.place), all, class.fed_by as usize + 1);
            }
            None => {}
        }
    }
    building.done()
}

/// Fans, pumps and chillers of a loop, W.
fn plant_w(report: &LoopReport) -> f64 {
    (report.fan_kw + report.pump_kw + report.chiller_kw) * 1e3
}

/// A tree on its way.
struct Building {
    nodes: Vec<Node>,
    hosts: Vec<Host>,
    shown: Vec<SteeredNode>,
    shown_of_host: Vec<usize>,
    jobs: Vec<(Work, f64, usize)>,
    job_of: Vec<Option<usize>>,
}

impl Building {
    /// The contract and the groups of the power tree, each limited to what it can promise.
    fn of(site: &Site, limit_w: f64) -> Self {
        let contract = Node::lossless("utility".to_owned(), Level::Utility, Limit::of_watts(limit_w), None);
        let mut own = Self {
            nodes: vec![contract],
            hosts: Vec::new(),
            shown: vec![shown("utility", SteeredKind::Contract, None, limit_w)],
            shown_of_host: Vec::new(),
            jobs: Vec::new(),
            job_of: Vec::new(),
        };
        for group in &site.power {
            let fed_by = group.fed_by.map_or(0, |at| at + 1);
            let mut node = Node {
                name: group.name.clone(),
                level: Level::Group,
                limit: Limit::of_watts(0.0),
                rated_w: group.installed().as_watts(),
                loss: group.loss,
                fed_by: Some(fed_by),
            };
            // Ratings are of what comes out; a node's limit is of what goes in.
            node.limit = Limit::of_watts(node.input_w(group.firm().as_watts()));
            own.shown.push(shown(&group.name, SteeredKind::Group, Some(fed_by), node.limit.value));
            own.nodes.push(node);
        }
        own
    }

    fn fixed(&mut self, name: &str, watts: f64, fed_by: usize) {
        let node = Node::lossless(name.to_owned(), Level::Host, Limit::of_watts(watts), Some(fed_by as u32));
        self.shown.push(shown(name, SteeredKind::Fixed, Some(fed_by as u32), watts));
        self.host(node, Host { fixed_w: watts, gpus: 0, cap_min_w: 0.0, cap_max_w: 0.0, ..host() }, None);
    }

    /// Each rack of a class as a host of its own, with its GPUs as one.
    fn racks(&mut self, class: &RackClass, work: Work, at: usize) {
        let (Some(gpu), gpus) = (&class.gpu, f64::from(class.gpus)) else { return };
        let fixed_w = class.overhead_busy.as_watts();
        let cap_max_w = gpu.board_power.as_watts() * gpus;
        let (rated_w, loss) = class.shelf.map_or((0.0, LossCurve::default()), |s| (s.rated_power.as_watts(), s.loss));
        let job = self.jobs.len();
        let group = format!("{job}");
        let mut limit_w = 0.0;
        let name = format!("{}, {}", class.part, class.place);
        self.shown
            .push(SteeredNode { racks: class.count, ..shown(&name, SteeredKind::Racks, Some(class.fed_by + 1), 0.0) });
        for rack in 0..class.count {
            let level = Level::Host;
            let fed_by = Some(class.fed_by + 1);
            let mut node = Node {
                name: format!("{name} {}", rack + 1),
                level,
                limit: Limit::of_watts(0.0),
                rated_w,
                loss,
                fed_by,
            };
            // Its label; a rack whose parts add up to more than that is held by its boards' own limits.
            let label = f64::max(class.rated_power.as_watts(), node.input_w(fixed_w + cap_max_w));
            node.limit = Limit::of_watts(label);
            limit_w += label;
            let cap_min_w = gpu.min_power_cap.as_watts() * gpus;
            self.host(node, Host { group: group.clone(), fixed_w, gpus: 1, cap_min_w, cap_max_w, ..host() }, Some(job));
        }
        if let Some(last) = self.shown.last_mut() {
            last.limit_w = limit_w;
        }
        self.jobs.push((work, gpus, at));
    }

    fn host(&mut self, node: Node, host: Host, job: Option<usize>) {
        self.hosts.push(Host { node: self.nodes.len() as u32, ..host });
        self.nodes.push(node);
        self.shown_of_host.push(self.shown.len() - 1);
        self.job_of.push(job);
    }

    fn done(self) -> Result<Ground, NoSteering> {
        let Self { nodes, hosts, shown, shown_of_host, jobs, job_of } = self;
        let tree = Tree::new(nodes, hosts).map_err(|why| NoSteering::Tree(why.to_string()))?;
        Ok(Ground { tree, nodes: shown, shown_of_host, jobs, job_of })
    }
}

fn shown(name: &str, what: SteeredKind, fed_by: Option<u32>, limit_w: f64) -> SteeredNode {
    SteeredNode { name: name.to_owned(), what, fed_by, racks: 0, limit_w, full_w: 0.0, provisioned_w: 0.0 }
}

fn host() -> Host {
    Host { node: 0, group: String::new(), priority: 0, fixed_w: 0.0, gpus: 0, cap_min_w: 0.0, cap_max_w: 0.0 }
}

impl Ground {
    /// Policies are of one GPU; a host here is all GPUs of a rack.
    fn activate(&self, policies: &Policies) -> Result<Provisioned, Refusal> {
        let racks: Vec<Work> = self.jobs.iter().map(|(work, gpus, _)| of_rack(work, *gpus)).collect();
        let work = |group: &str| group.parse::<usize>().ok().and_then(|at| racks.get(at));
        activate(&self.tree, policies, &[], work)
    }

    /// The largest share of what each job sustains that all racks can be promised; steering lends them what others leave.
    fn cut_to_fit(&self) -> Result<(f64, Provisioned), Refusal> {
        let at = |share: f64| {
            let mut policies = Policies::all(Bundle::FullPower);
            for (job, (work, gpus, _)) in self.jobs.iter().enumerate() {
                let target = Target::Watts(share * of_rack(work, *gpus).sustained_w());
                policies.groups.insert(format!("{job}"), Bundle::Sustained { target });
            }
            self.activate(&policies)
        };
        let (mut low, mut high, mut found) = (0.0, 1.0, at(0.0)?);
        // To a thousandth of a watt of a board, and more.
        for _ in 0..30 {
            let middle = f64::midpoint(low, high);
            match at(middle) {
                Ok(provisioned) => (low, found) = (middle, provisioned),
                Err(_) => high = middle,
            }
        }
        Ok((low, found))
    }

    /// Sums what goes into the tree's nodes into what is shown.
    fn sums(&self, input_w: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.nodes.len()];
        let own = self.tree.nodes().len() - self.tree.hosts().len();
        sums[..own].copy_from_slice(&input_w[..own]);
        for (host, shown) in self.tree.hosts().iter().zip(&self.shown_of_host) {
            sums[*shown] += input_w[host.node as usize];
        }
        sums
    }

    fn tell(&mut self, input_w: &[f64], field: fn(&mut SteeredNode) -> &mut f64) {
        for (node, sum) in self.sums(input_w).into_iter().enumerate() {
            *field(&mut self.nodes[node]) = sum;
        }
    }
}

/// The work of all GPUs of a rack as one.
fn of_rack(work: &Work, gpus: f64) -> Work {
    Work {
        prefill_w: work.prefill_w * gpus,
        decode_w: work.decode_w * gpus,
        idle_w: work.idle_w * gpus,
        board_w: work.board_w * gpus,
        tokens_per_s: work.tokens_per_s * gpus,
        ..*work
    }
}

/// Work of each rack, a share of full work: jobs that come and go, and move while they run.
struct Loads {
    chance: ChaCha8Rng,
    mean: f64,
    shares: Vec<f64>,
}

impl Loads {
    fn new(hosts: usize, ask: &SteerAsk) -> Self {
        let mut loads = Self { chance: fork(ask.seed, "racks"), mean: ask.load.clamp(0.0, 1.0), shares: Vec::new() };
        loads.shares = (0..hosts).map(|_| loads.job()).collect();
        loads
    }

    /// A new job: as often above the mean as below it, between nothing and full work.
    fn job(&mut self) -> f64 {
        let reach = f64::min(self.mean, 1.0 - self.mean);
        self.mean + reach * (2.0 * uniform(&mut self.chance) - 1.0)
    }

    fn step(&mut self) {
        for at in 0..self.shares.len() {
            let moved = self.shares[at] + MOVES * (2.0 * uniform(&mut self.chance) - 1.0);
            self.shares[at] = if uniform(&mut self.chance) < CHANGES { self.job() } else { moved.clamp(0.0, 1.0) };
        }
    }
}

/// Steers through the intervals.
fn run(ground: &Ground, provisioned: Provisioned, ask: &SteerAsk, told: &mut Steered) {
    let Ground { tree, .. } = ground;
    let settings = Settings::default();
    let trouble = match ask.day {
        SteerDay::Calm => Trouble::NONE,
        SteerDay::Bad => BAD_DAY,
    };
    let failsafe: Vec<f64> = provisioned.allowances.iter().map(|allowed| allowed.failsafe_w).collect();
    let mut plant = Plant::new(tree.clone(), failsafe, settings.lease, Start::Joined, (trouble, ask.seed));
    let mut controller = Controller::new(tree.clone(), provisioned.allowances, settings, Start::Joined);
    let mut loads = Loads::new(tree.hosts().len(), ask);
    let racks: Vec<Work> = ground.jobs.iter().map(|(work, gpus, _)| of_rack(work, *gpus)).collect();
    let job = |host: usize| ground.job_of[host].map(|at| (&racks[at], ground.jobs[at].1));
    let event = u64::from(INTERVALS / 3)..u64::from(INTERVALS * 2 / 3);
    for now in 1..=u64::from(INTERVALS) {
        let limit_w = if event.contains(&now) { told.limit_w * ask.event } else { told.limit_w };
        controller.set_limit(0, limit_w);
        loads.step();
        let interval = controller.step(&plant.heard(now));
        plant.take(now, controller.caps_w());
        let load = tree.each_gpu(|host, _| {
            job(host).map_or(0.0, |(work, _)| {
                let full = work.capped(work.board_w).power_w;
                work.idle_w + loads.shares[host] * (full - work.idle_w)
            })
        });
        let drawn = tree.carried(&plant.draw(now, &load));
        let caps = plant.caps_w();
        let worst = tree.carried(&caps);
        let limits: Vec<f64> = std::iter::once(limit_w).chain(tree.limits().into_iter().skip(1)).collect();
        if now > 1 && tree.most_over(&worst, &limits).is_some() {
            let since_cut = now.saturating_sub(event.start);
            if ask.event < 1.0 && event.contains(&now) && since_cut <= u64::from(settings.lease) {
                told.meeting += 1;
            } else {
                told.breaches += 1;
            }
        }
        let up = plant.up();
        let made = |host: usize, at_cap: bool| {
            let Some((work, _)) = job(host).filter(|_| !at_cap || up[host]) else { return 0.0 };
            let speed = if at_cap { work.capped(caps[tree.gpus_of(host).start]).speed } else { 1.0 };
            work.tokens_per_s * f64::min(loads.shares[host], speed)
        };
        let all = |at_cap: bool| (0..tree.hosts().len()).map(|host| made(host, at_cap)).sum::<f64>();
        told.frames.push(SteeredFrame {
            at_s: now as f64 * INTERVAL_S,
            limit_w,
            capped_w: ground.sums(&worst.input_w),
            drawn_w: ground.sums(&drawn.input_w),
            caps_w: spread(tree, &caps, |host| job(host).map(|(_, gpus)| gpus)),
            tokens_per_s: all(true),
            asked_tokens_per_s: all(false),
            held_back: interval.held_back,
            silent: interval.silent,
            down: up.iter().filter(|up| !**up).count() as u32,
        });
    }
}

/// Lowest, mean and highest cap of a GPU.
fn spread(tree: &Tree, caps_w: &[f64], gpus: impl Fn(usize) -> Option<f64>) -> [f64; 3] {
    let (mut low, mut high, mut sum, mut count) = (f64::INFINITY, 0.0_f64, 0.0, 0.0);
    for host in 0..tree.hosts().len() {
        let Some(gpus) = gpus(host) else { continue };
        let each = caps_w[tree.gpus_of(host).start] / gpus;
        (low, high, sum, count) = (low.min(each), high.max(each), sum + each, count + 1.0);
    }
    // Of caps that are alike the sum's rounding would put the mean beside them.
    [low, (sum / f64::max(count, 1.0)).max(low).min(high), high]
}

/// Ways to spend what the limit leaves to racks with GPUs, by the closed form at full work.
fn ways(site: &Site, ground: &Ground) -> Vec<SteeredWay> {
    let hosts = ground.tree.hosts();
    // What racks may have: the largest share of their full power at which the whole tree stays within the limit.
    let at = |share: f64| {
        let gpu_w = ground.tree.each_gpu(|_, host| share * host.cap_max_w);
        ground.tree.carried(&gpu_w)
    };
    let limits = ground.tree.limits();
    let (mut low, mut high) = (0.0, 1.0);
    if ground.tree.most_over(&at(1.0), &limits).is_some() {
        for _ in 0..40 {
            let middle = f64::midpoint(low, high);
            if ground.tree.most_over(&at(middle), &limits).is_none() { low = middle } else { high = middle }
        }
    } else {
        low = 1.0;
    }
    let envelope_w: f64 =
        hosts.iter().filter(|host| host.gpus > 0).map(|host| host.fixed_w + low * host.cap_max_w).sum();
    let jobs: Vec<Job> = ground.jobs.iter().map(|(work, gpus, at)| job(&site.racks[*at], work, *gpus)).collect();
    compare(&jobs, envelope_w)
        .into_iter()
        .map(|spent| SteeredWay {
            name: spent.way.name().to_owned(),
            racks: spent.hosts.iter().sum(),
            tokens_per_s: spent.tokens_per_s,
            provisioned_w: spent.provisioned_w,
        })
        .collect()
}

fn job(class: &RackClass, work: &Work, gpus: f64) -> Job {
    Job {
        name: class.part.clone(),
        work: *work,
        hosts: class.count,
        gpus_per_host: gpus as u32,
        fixed_w: class.overhead_busy.as_watts(),
        cap_min_w: class.gpu.as_ref().map_or(0.0, |gpu| gpu.min_power_cap.as_watts()),
        cap_max_w: work.board_w,
        priority: 0,
        worth: 1.0,
    }
}
