//! Errors of one node that belong together, and what they tell together.
//!
//! Never: reads a clock, keeps more than it needs to answer, or depends on the order in which events of one moment came.
//!
//! A burst ends with three minutes of silence on its node. Errors that are known to stick (74, 79, 95, 109, 119) are
//! left out within three hours of the same on the same GPU: they neither open a burst nor keep one open, and are counted
//! in the node's burst that began last. What a burst calls for is the greatest of its errors; where XID 154 is among
//! them, the driver's own word stands instead: the last of each GPU, the greatest of the node. What it calls for is done
//! for each GPU that answered again after its last error, and for all of a node that started again.

use crate::xid;
use model::event::{Burst, BurstCode, FleetEvent, Happening, HealthRemark, HealthRule, XidAction};
use std::collections::{BTreeMap, BTreeSet};

/// Silence that ends a burst, milliseconds: more than this.
pub const GAP_MS: i64 = 180_000;
/// How long the same error counts as the one before where it is known to stick, milliseconds.
pub const STICKY_MS: i64 = 3 * 3_600_000;
/// How far back remarks look, milliseconds.
pub const LOOK_BACK_MS: i64 = 24 * 3_600_000;

const STICKY: [u32; 5] = [74, 79, 95, 109, 119];
/// Bursts of the same error on the same GPU in a day that make it one for support.
const REPEATED: u32 = 5;
/// Errors of a node from which on those between others are folded into them.
const FOLD_FROM: usize = 1_024;

/// Every burst of some events, in any order; the earliest first. It is the same as pushing each to `Bursts`.
pub fn bursts(events: &[FleetEvent], now_ms: i64) -> Vec<Burst> {
    let mut all: Vec<Burst> =
        by_node(events).into_iter().flat_map(|(host, log)| told(&host, &log.grouped(), now_ms)).collect();
    sort(&mut all);
    all
}

/// What the bursts of the last day tell beyond each of them.
pub fn remarks(events: &[FleetEvent], now_ms: i64) -> Vec<HealthRemark> {
    by_node(events).into_iter().flat_map(|(host, log)| remarks_of(&host, &log.grouped(), now_ms)).collect()
}

/// Bursts as events come. It holds what may still change, and hands the rest on once.
#[derive(Debug, Clone, Default)]
pub struct Bursts {
    nodes: BTreeMap<String, Log>,
    answers: BTreeMap<String, Answers>,
}

/// What of a node answered anew, and when.
#[derive(Debug, Clone, Default)]
struct Answers {
    /// When the whole node started again.
    restarted_ms: Option<i64>,
    /// When each GPU was back, by the name that its source has for it.
    back_ms: BTreeMap<String, i64>,
}

/// What the errors of a node still call for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The node.
    pub host: String,
    /// Whether anything of it answered anew of late.
    pub answered: bool,
    /// Its bursts that are not done with, the earliest first.
    pub open: Vec<Open>,
}

/// A burst that is not done with: some of its GPUs have not answered anew since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// The burst's first error, milliseconds since 1970 UTC.
    pub start_ms: i64,
    /// What its errors on those GPUs call for.
    pub action: XidAction,
    /// The last of them, counted with the burst or not.
    pub last_ms: i64,
}

/// The burst of a node that an alert is about: the last one that calls for as much, one that is not done with first.
pub fn cause<'a>(bursts: &'a [Burst], left: &[Left], host: &str, at_least: XidAction) -> Option<&'a Burst> {
    let is_open = |burst: &Burst| {
        let open = left.iter().filter(|left| left.host == host).flat_map(|left| &left.open);
        open.into_iter().any(|open| open.start_ms == burst.start_ms && open.action >= at_least)
    };
    let of_node = bursts.iter().filter(|burst| burst.host == host && burst.action >= at_least);
    of_node.max_by_key(|burst| (is_open(burst), burst.end_ms))
}

impl Bursts {
    /// Takes an event in; what is neither an XID nor an answer after one is left alone.
    pub fn push(&mut self, event: &FleetEvent) {
        self.answer(event);
        if let Some((host, error)) = Error::of(event) {
            self.nodes.entry(host).or_default().insert(error);
        }
    }

    /// Every burst that is held, the earliest first.
    pub fn all(&self, now_ms: i64) -> Vec<Burst> {
        let mut all: Vec<Burst> =
            self.nodes.iter().flat_map(|(host, log)| told(host, &log.grouped(), now_ms)).collect();
        sort(&mut all);
        all
    }

    /// What the bursts of the last day tell beyond each of them.
    pub fn remarks(&self, now_ms: i64) -> Vec<HealthRemark> {
        self.nodes.iter().flat_map(|(host, log)| remarks_of(host, &log.grouped(), now_ms)).collect()
    }

    fn answer(&mut self, event: &FleetEvent) {
        let is_back = event.what == Happening::GpuBack;
        if !is_back && event.what != Happening::HostRestarted {
            return;
        }
        let host = event.host.clone().unwrap_or_else(|| event.source.clone());
        let answers = self.answers.entry(host).or_default();
        match &event.gpu {
            Some(gpu) if is_back => {
                let at = answers.back_ms.entry(gpu.clone()).or_insert(event.at_ms);
                *at = (*at).max(event.at_ms);
            }
            None if is_back => {}
            Some(_) | None => answers.restarted_ms = answers.restarted_ms.max(Some(event.at_ms)),
        }
    }

    /// What is left to do of each node's bursts. `named` gives all names of a GPU the same one: a driver, an exporter and
    /// a log call it differently.
    pub fn left(&self, named: impl Fn(&str, &str) -> String) -> Vec<Left> {
        let of_node = |(host, log): (&String, &Log)| {
            let mut back = BTreeMap::<String, i64>::new();
            let answers = self.answers.get(host);
            for (gpu, at_ms) in answers.iter().flat_map(|answers| &answers.back_ms) {
                let at = back.entry(named(host, gpu)).or_insert(*at_ms);
                *at = (*at).max(*at_ms);
            }
            let restarted_ms = answers.and_then(|answers| answers.restarted_ms);
            let done = |gpu: Option<&str>, at_ms: i64| {
                let is_back = |gpu: &str| back.get(&named(host, gpu)).is_some_and(|back| *back > at_ms);
                restarted_ms.is_some_and(|restarted| restarted > at_ms) || !back.is_empty() && gpu.is_some_and(is_back)
            };
            Left { host: host.clone(), answered: answers.is_some(), open: log.open(done) }
        };
        self.nodes.iter().map(of_node).collect()
    }

    /// What changed since the last time. Bursts that ended more than a day ago are let go of, but for a node's last one
    /// while errors that stick may still belong to it.
    pub fn tick(&mut self, now_ms: i64) -> Changed {
        let mut changed = Changed::default();
        self.nodes.retain(|host, log| {
            if std::mem::take(&mut log.changed) || now_ms > log.look_ms {
                log.tell(host, now_ms, &mut changed);
            }
            !log.errors.is_empty()
        });
        self.answers.retain(|_, answers| {
            let is_late = |at_ms: &i64| now_ms.saturating_sub(*at_ms) <= LOOK_BACK_MS;
            answers.back_ms.retain(|_, at_ms| is_late(at_ms));
            answers.restarted_ms = answers.restarted_ms.filter(is_late);
            answers.restarted_ms.is_some() || !answers.back_ms.is_empty()
        });
        sort(&mut changed.bursts);
        changed
    }
}

/// What `Bursts::tick` found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changed {
    /// Bursts that began, changed or closed, the earliest first.
    pub bursts: Vec<Burst>,
    /// Host and start of bursts that are none any more: an event that came late joined them to another.
    pub joined: Vec<(String, i64)>,
}

fn sort(all: &mut [Burst]) {
    all.sort_by(|one, other| (one.start_ms, &one.host).cmp(&(other.start_ms, &other.host)));
}

/// An error, as far as bursts need it. The order is time first, then whatever tells two of one moment apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Error {
    at_ms: i64,
    gpu: Option<String>,
    code: u32,
    action: XidAction,
    /// What the line says beyond its number: processors of XID 13, registers of 74.
    why: Option<String>,
}

impl Error {
    fn of(event: &FleetEvent) -> Option<(String, Self)> {
        let Happening::Xid { code, detail } = &event.what else { return None };
        let verdict = xid::verdict(*code, &event.message);
        // A source that hands on no words may still name the recovery.
        let asked = detail.as_deref().filter(|_| *code == 154).and_then(xid::recovery);
        let why = if *code == 13 { processors(&event.message) } else { verdict.why };
        let action = asked.unwrap_or(verdict.action);
        let host = event.host.clone().unwrap_or_else(|| event.source.clone());
        Some((host, Self { at_ms: event.at_ms, gpu: event.gpu.clone(), code: *code, action, why }))
    }
    fn sticks(&self) -> bool {
        STICKY.contains(&self.code)
    }
}

/// `GPC 7, TPC 3` of `Graphics SM Warp Exception on (GPC 7, TPC 3, SM 0): …`.
fn processors(message: &str) -> Option<String> {
    let place = message.split_once("(GPC ")?.1.split(')').next()?;
    let mut parts = place.split(',').map(str::trim);
    let (cluster, unit) = (parts.next()?, parts.next()?.strip_prefix("TPC ")?);
    let good = |text: &str| (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    (good(cluster) && good(unit)).then(|| format!("GPC {cluster}, TPC {unit}"))
}

/// The errors of a node in their order, each with how often it came.
#[derive(Debug, Clone, Default)]
struct Log {
    errors: BTreeMap<Error, u32>,
    /// When an error that sticks was last seen before the errors that are held.
    stuck: BTreeMap<(Option<String>, u32), i64>,
    changed: bool,
    /// When there is something to look at again, were nothing more to come.
    look_ms: i64,
    /// What `tick` told last, of what is held.
    told: Vec<Burst>,
    /// How many are held before errors are folded again.
    fold_at: usize,
}

impl Log {
    fn insert(&mut self, error: Error) {
        let count = self.errors.entry(error).or_default();
        *count = count.saturating_add(1);
        self.changed = true;
        if self.errors.len() > self.fold_at.max(FOLD_FROM) {
            self.fold();
            self.fold_at = self.errors.len() * 2;
        }
    }

    /// Counts an error with its like where that changes no answer: between two of its kind that are no more than a
    /// burst's silence apart. A storm of errors then takes the room of its length, not of its number.
    fn fold(&mut self) {
        let starts: Vec<i64> = self.grouped().iter().map(|group| group.start_ms).collect();
        let mut of_kind: BTreeMap<_, Vec<(Error, u32)>> = BTreeMap::new();
        for (error, count) in std::mem::take(&mut self.errors) {
            let kind = (error.gpu.clone(), error.code, error.action, error.why.clone());
            let held = of_kind.entry(kind).or_default();
            // One that sticks is told with the burst that began last, so none may begin between the two.
            let with = |middle: i64| {
                let begun = starts.partition_point(|start| *start < middle);
                !error.sticks() || starts.get(begun).is_none_or(|start| *start > error.at_ms)
            };
            if let [.., (first, _), (middle, between)] = held.as_mut_slice()
                && error.at_ms.saturating_sub(first.at_ms) <= GAP_MS
                && with(middle.at_ms)
            {
                let more = count.saturating_add(*between);
                (*middle, *between) = (error, more);
            } else {
                held.push((error, count));
            }
        }
        self.errors = of_kind.into_values().flatten().collect();
    }

    fn grouped(&self) -> Vec<Group> {
        let (mut groups, mut stuck) = (Vec::<Group>::new(), self.stuck.clone());
        for (error, count) in &self.errors {
            let (mut counted, mut left_out) = (*count, 0);
            if error.sticks() {
                let last = stuck.insert((error.gpu.clone(), error.code), error.at_ms);
                let again = last.is_some_and(|last| error.at_ms.saturating_sub(last) <= STICKY_MS);
                counted = u32::from(!again);
                left_out = count - counted;
            }
            if counted > 0 {
                match groups.last_mut().filter(|group| error.at_ms.saturating_sub(group.end_ms) <= GAP_MS) {
                    Some(group) => group.add(error, counted),
                    None => groups.push(Group::of(error, counted)),
                }
            }
            if let Some(group) = groups.last_mut() {
                group.left_out = group.left_out.saturating_add(left_out);
                group.last_ms = error.at_ms;
            }
        }
        groups
    }

    /// Bursts that have errors that are not done with.
    fn open(&self, done: impl Fn(Option<&str>, i64) -> bool) -> Vec<Open> {
        // One that sticks is left out of the bursts even where its GPU was back in between: here it is seen.
        let sticky = self.errors.keys().filter(|error| error.sticks());
        let lasts: BTreeMap<_, i64> = sticky.map(|error| ((&error.gpu, error.code), error.at_ms)).collect();
        let last = |error: &Error| lasts.get(&(&error.gpu, error.code)).map_or(error.at_ms, |last| *last);
        let open = |mut group: Group| {
            group.errors.retain(|(error, _)| !done(error.gpu.as_deref(), last(error)));
            let last_ms = group.errors.iter().map(|(error, _)| last(error)).max()?;
            Some(Open { start_ms: group.start_ms, action: group.decided().0, last_ms })
        };
        self.grouped().into_iter().filter_map(open).collect()
    }

    /// Tells what changed, and lets go of what nothing can change any more.
    fn tell(&mut self, host: &str, now_ms: i64, changed: &mut Changed) {
        let groups = self.grouped();
        let all = told(host, &groups, now_ms);
        let joined = |burst: &&Burst| all.iter().all(|now| now.start_ms != burst.start_ms);
        changed.joined.extend(self.told.iter().filter(joined).map(|burst| (host.to_owned(), burst.start_ms)));
        changed.bursts.extend(all.iter().filter(|burst| !self.told.contains(burst)).cloned());
        let old = |group: &&Group| group.last_ms < now_ms.saturating_sub(LOOK_BACK_MS);
        let gone = groups.iter().take_while(old).count();
        let (Some(last), Some(burst)) = (groups.last(), all.last()) else { return };
        let open = burst.end_ms.saturating_add(GAP_MS);
        self.look_ms = if burst.closed { last.last_ms.saturating_add(LOOK_BACK_MS) } else { open };
        self.forget(groups.get(gone).and_then(|group| group.errors.first()).map(|(error, _)| error));
        self.told = all.into_iter().skip(gone).collect();
    }

    /// Lets go of everything before an error, or of everything.
    fn forget(&mut self, before: Option<&Error>) {
        let Some(first) = before else {
            self.errors.clear();
            return;
        };
        let kept = self.errors.split_off(first);
        for error in std::mem::replace(&mut self.errors, kept).into_keys().filter(Error::sticks) {
            self.stuck.insert((error.gpu.clone(), error.code), error.at_ms);
        }
        self.stuck.retain(|_, at| first.at_ms.saturating_sub(*at) <= STICKY_MS);
    }
}

/// The errors of one burst.
#[derive(Debug, Clone)]
struct Group {
    start_ms: i64,
    end_ms: i64,
    /// The last error that is told with it, counted or not.
    last_ms: i64,
    errors: Vec<(Error, u32)>,
    left_out: u32,
}

impl Group {
    fn of(error: &Error, count: u32) -> Self {
        let at = error.at_ms;
        Self { start_ms: at, end_ms: at, last_ms: at, errors: vec![(error.clone(), count)], left_out: 0 }
    }
    fn add(&mut self, error: &Error, count: u32) {
        self.end_ms = error.at_ms;
        self.errors.push((error.clone(), count));
    }
    fn has(&self, code: u32) -> bool {
        self.errors.iter().any(|(error, _)| error.code == code)
    }
    /// Whether nothing but this error is in it.
    fn only(&self, code: u32) -> bool {
        self.errors.iter().all(|(error, _)| error.code == code)
    }
    fn total(&self) -> u32 {
        self.errors.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// What an error calls for among the others of its burst.
    fn action(&self, error: &Error) -> XidAction {
        let with = |code: u32| self.errors.iter().any(|(other, _)| other.code == code && other.gpu == error.gpu);
        match error.code {
            45 if !self.only(45) => XidAction::Ignore,
            48 if with(63) || with(64) => XidAction::DrainAndReset,
            48 => XidAction::ResetGpu,
            // Tells more of XID 48, which decides where it is there too.
            171 | 172 if with(48) => XidAction::Ignore,
            _ => error.action,
        }
    }

    /// The greatest action and the number that calls for it; XID 154 where there is one.
    fn decided(&self) -> (XidAction, u32) {
        let mut asked: BTreeMap<&Option<String>, (i64, XidAction)> = BTreeMap::new();
        // XID 154 without words decides nothing.
        for (error, _) in
            self.errors.iter().filter(|(error, _)| error.code == 154 && error.action != XidAction::Workflow)
        {
            let last = asked.entry(&error.gpu).or_insert((error.at_ms, error.action));
            *last = (*last).max((error.at_ms, error.action));
        }
        if let Some(action) = asked.values().map(|(_, action)| *action).max() {
            return (action, 154);
        }
        let all = self.errors.iter().map(|(error, _)| (self.action(error), std::cmp::Reverse(error.code)));
        all.max().map_or((XidAction::Ignore, 0), |(action, code)| (action, code.0))
    }

    fn told(&self, host: &str, now_ms: i64) -> Burst {
        let (action, decided_by) = self.decided();
        let mut codes: BTreeMap<u32, (XidAction, u32)> = BTreeMap::new();
        for (error, count) in &self.errors {
            let held = codes.entry(error.code).or_insert((XidAction::Ignore, 0));
            *held = (held.0.max(self.action(error)), held.1.saturating_add(*count));
        }
        let mut codes: Vec<(u32, (XidAction, u32))> = codes.into_iter().collect();
        codes.sort_by_key(|(code, (action, _))| (std::cmp::Reverse(*action), *code));
        let gpus: BTreeSet<&String> = self.errors.iter().filter_map(|(error, _)| error.gpu.as_ref()).collect();
        Burst {
            host: host.to_owned(),
            start_ms: self.start_ms,
            end_ms: self.end_ms,
            closed: now_ms.saturating_sub(self.end_ms) > GAP_MS,
            count: self.total(),
            codes: codes
                .into_iter()
                .map(|(code, (_, count))| BurstCode { meaning: xid::meaning(code), count })
                .collect(),
            gpus: gpus.into_iter().cloned().collect(),
            action,
            decided_by,
            disrupts_jobs: self.errors.iter().any(|(error, _)| stops(error.code, self.action(error))),
            sticky_suppressed: self.left_out,
        }
    }
}

/// Whether work on the GPU was most likely cut off by an error.
fn stops(code: u32, action: XidAction) -> bool {
    use XidAction as Do;
    match action {
        Do::RestartApp
        | Do::Workflow
        | Do::RunDiagnostics
        | Do::ResetGpu
        | Do::DrainAndReset
        | Do::RestartVm
        | Do::RestartHost
        | Do::ContactSupport => true,
        Do::Ignore | Do::CheckSoftware | Do::UpdateSoftware | Do::CheckUvm | Do::CheckLink | Do::CheckMechanicals => {
            xid::row(code).is_some_and(|row| row.stops)
        }
    }
}

fn by_node(events: &[FleetEvent]) -> BTreeMap<String, Log> {
    let mut nodes = BTreeMap::<String, Log>::new();
    for (host, error) in events.iter().filter_map(Error::of) {
        nodes.entry(host).or_default().insert(error);
    }
    nodes
}

fn told(host: &str, groups: &[Group], now_ms: i64) -> Vec<Burst> {
    groups.iter().map(|group| group.told(host, now_ms)).collect()
}

fn remarks_of(host: &str, groups: &[Group], now_ms: i64) -> Vec<HealthRemark> {
    let recent: Vec<&Group> =
        groups.iter().filter(|group| now_ms.saturating_sub(group.end_ms) <= LOOK_BACK_MS).collect();
    let mut found = Vec::new();
    repeated(&recent, &mut found);
    page_faults(&recent, &mut found);
    exceptions(&recent, &mut found);
    alone(&recent, &mut found);
    memory_and_links(&recent, &mut found);
    for remark in &mut found {
        host.clone_into(&mut remark.host);
    }
    found.sort_by(|one, other| {
        (one.rule, &one.gpu, one.code, one.at_ms).cmp(&(other.rule, &other.gpu, other.code, other.at_ms))
    });
    found
}

/// A remark on a number, of the bursts it was in; the caller says of which host.
fn remark(
    rule: HealthRule,
    gpu: Option<&str>,
    code: u32,
    of: &[&Group],
    action: XidAction,
    words: String,
) -> HealthRemark {
    let at_ms = of.iter().map(|group| group.end_ms).max().unwrap_or_default();
    let bursts = u32::try_from(of.len()).unwrap_or(u32::MAX);
    HealthRemark { rule, host: String::new(), gpu: gpu.map(str::to_owned), code, at_ms, bursts, action, words }
}

/// The bursts in which each GPU had a number.
fn of_gpus<'a>(groups: &[&'a Group], code: u32) -> BTreeMap<&'a str, Vec<&'a Group>> {
    let mut found = BTreeMap::<&str, Vec<&Group>>::new();
    for group in groups {
        let gpus: BTreeSet<&str> = group
            .errors
            .iter()
            .filter(|(error, _)| error.code == code)
            .filter_map(|(error, _)| error.gpu.as_deref())
            .collect();
        for gpu in gpus {
            found.entry(gpu).or_default().push(group);
        }
    }
    found
}

/// Any number but 31 in five bursts of a day on one GPU.
fn repeated(groups: &[&Group], found: &mut Vec<HealthRemark>) {
    let codes: BTreeSet<u32> = groups.iter().flat_map(|group| &group.errors).map(|(error, _)| error.code).collect();
    for code in codes.into_iter().filter(|code| *code != 31) {
        for (gpu, of) in of_gpus(groups, code).into_iter().filter(|(_, of)| of.len() >= REPEATED as usize) {
            let words = format!("XID {code} came back in {} bursts of the last day on the same GPU", of.len());
            found.push(remark(HealthRule::RepeatedOnSameGpu, Some(gpu), code, &of, XidAction::ContactSupport, words));
        }
    }
}

/// XID 31 again and again: on one GPU it may be the hardware, on several it is the program.
fn page_faults(groups: &[&Group], found: &mut Vec<HealthRemark>) {
    let gpus = of_gpus(groups, 31);
    if gpus.len() >= 2 {
        let of: Vec<&Group> = groups.iter().copied().filter(|group| group.has(31)).collect();
        let words = format!("page faults on {} GPUs within a day: the program is at fault, not one GPU", gpus.len());
        found.push(remark(HealthRule::Xid31OnSeveralGpus, None, 31, &of, XidAction::CheckSoftware, words));
    } else if let Some((gpu, of)) = gpus.first_key_value().filter(|(_, of)| of.len() >= 2) {
        let words = "page faults came back on this GPU alone: it may be the hardware".to_owned();
        found.push(remark(HealthRule::Xid31OnSameGpu, Some(gpu), 31, of, XidAction::RunDiagnostics, words));
    }
}

/// XID 13 again and again: on the same processors it may be the hardware.
fn exceptions(groups: &[&Group], found: &mut Vec<HealthRemark>) {
    for (gpu, of) in of_gpus(groups, 13) {
        let mut places = BTreeMap::<&str, u32>::new();
        for group in &of {
            let mine = group.errors.iter().filter(|(error, _)| error.code == 13 && error.gpu.as_deref() == Some(gpu));
            for place in mine.filter_map(|(error, _)| error.why.as_deref()).collect::<BTreeSet<_>>() {
                *places.entry(place).or_default() += 1;
            }
        }
        if let Some((place, times)) = places.iter().filter(|(_, times)| **times >= 2).max_by_key(|(_, times)| **times) {
            let words =
                format!("exceptions came back {times} times on the same processors ({place}): it may be the hardware");
            found.push(remark(HealthRule::Xid13OnSameProcessors, Some(gpu), 13, &of, XidAction::RunDiagnostics, words));
        } else if of.len() >= 2 && !places.is_empty() {
            let words = "exceptions came back, each time on other processors: the program is at fault".to_owned();
            found.push(remark(HealthRule::Xid13Elsewhere, Some(gpu), 13, &of, XidAction::CheckSoftware, words));
        }
    }
}

/// XID 13 or 31 once with nothing beside it, and XID 45 that nothing explains.
fn alone(groups: &[&Group], found: &mut Vec<HealthRemark>) {
    for code in [13, 31] {
        let of: Vec<&Group> = groups.iter().copied().filter(|group| group.has(code)).collect();
        if let [group] = of.as_slice()
            && let [(error, 1)] = group.errors.as_slice()
        {
            let words = format!("XID {code} once, with nothing beside it: the program is at fault");
            found.push(remark(
                HealthRule::SoloApplicationError,
                error.gpu.as_deref(),
                code,
                &of,
                XidAction::CheckSoftware,
                words,
            ));
        }
    }
    for group in groups.iter().filter(|group| group.has(45) && group.only(45)) {
        let words = "programs were cleared away and nothing says why: start the fabric manager again".to_owned();
        found.push(remark(HealthRule::SoloCleanup, None, 45, &[group], XidAction::Workflow, words));
    }
}

/// XID 48 with a row to be remapped, and what the registers of XID 74 say.
fn memory_and_links(groups: &[&Group], found: &mut Vec<HealthRemark>) {
    for group in groups {
        let mut seen = BTreeSet::new();
        for (error, _) in &group.errors {
            let gpu = error.gpu.as_deref();
            if group.action(error) == XidAction::DrainAndReset && error.code == 48 && seen.insert((48, gpu, "")) {
                let words = "memory is to be remapped: drain the node first, then reset the GPU".to_owned();
                found.push(remark(HealthRule::DoubleBitWithRemap, gpu, 48, &[group], XidAction::DrainAndReset, words));
            }
            if let (74, Some(why)) = (error.code, &error.why)
                && seen.insert((74, gpu, why))
            {
                found.push(remark(HealthRule::NvlinkRegisters, gpu, 74, &[group], error.action, why.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
