//! The order of events: what comes next, whom it concerns, and what follows from it.

use super::cache::{Found, Match};
use super::disaggregated::transfer_s;
use super::due::Due;
use super::fleet::{Change, Fleet, Planner, Role, Scaling};
use super::meter::Meter;
use super::outcome::{Outcome, Refusal, Strip, outcome};
use super::planner::Seen;
use super::replica::{Kit, Replica, State};
use super::request::{Arrival, Request, Requests};
use super::router::{Group, Routing, Takes};
use super::stride::Clock;
use super::{Options, Skipping, Watch};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// No request, no replica.
const NONE: u32 = u32::MAX;

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    /// Not come yet, or on its way, or with nobody to take it.
    #[default]
    Away,
    /// In a replica's line.
    Waiting,
    /// Admitted; blocks of its prompt are brought in.
    Loading,
    /// Admitted; its prompt is being computed.
    Prefilling,
    /// Its answer is.
    Answering,
    /// Its KV is on its way to a decode pool.
    Moving,
    /// Done.
    Finished,
    /// Never admitted.
    Refused(Refusal),
}

/// What is known of a request while the replay runs.
#[derive(Debug, Clone)]
pub(super) struct Live {
    /// When it came; not a number before it did.
    pub(super) at_s: f64,
    pub(super) first_s: f64,
    pub(super) end_s: f64,
    /// Of its tokens, up to when it last joined those that are answered.
    pub(super) energy_j: f64,
    /// The replica's joules for each answer, and its tick, when it joined.
    pub(super) joules_joined: f64,
    pub(super) joined: u64,
    /// Tokens in memory, when it joined or of its prompt so far.
    pub(super) context: u32,
    /// Tokens delivered, when it joined.
    pub(super) produced: u32,
    /// KV blocks of its prompt that the cache holds.
    pub(super) shared: u32,
    /// Blocks of its prompt that it keeps in the cache.
    pub(super) pins: u32,
    /// Tokens that the cache had.
    pub(super) cached: u32,
    /// Tokens that the router believes to be computed yet.
    pub(super) promised: u32,
    pub(super) replica: u32,
    pub(super) preempted: u16,
    /// How often its replica failed.
    pub(super) stopped: u16,
    pub(super) phase: Phase,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            at_s: f64::NAN,
            first_s: f64::NAN,
            end_s: f64::NAN,
            energy_j: 0.0,
            joules_joined: 0.0,
            joined: 0,
            context: 0,
            produced: 0,
            shared: 0,
            pins: 0,
            cached: 0,
            promised: 0,
            replica: NONE,
            preempted: 0,
            stopped: 0,
            phase: Phase::Away,
        }
    }
}

impl Live {
    /// Tokens that must be computed before its next one: the prompt, and what it had of the answer before it lost its KV.
    pub(super) fn target(&self, request: &Request) -> u32 {
        request.prompt() + self.produced
    }

    /// Seconds for each token after the first; none of one token alone.
    pub(super) fn tpot_s(&self, request: &Request) -> Option<f64> {
        let tokens = request.answer() - 1;
        (tokens > 0).then(|| (self.end_s - self.first_s) / f64::from(tokens))
    }
}

/// What a replica's turn led to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Note {
    /// A prompt has been computed.
    Prefilled(u32),
    /// And its KV goes elsewhere.
    Handed(u32),
    /// Blocks are brought in until then.
    Loading(u32, f64),
    /// A request is done.
    Finished(u32),
}

/// What all replicas write to.
pub(super) struct Desk<'a> {
    pub(super) requests: &'a Requests,
    pub(super) lives: Vec<Live>,
    pub(super) meter: Meter,
    pub(super) notes: Vec<Note>,
    /// Steps alike are taken at once.
    pub(super) closed: bool,
    /// Rank of each priority among those that are there.
    pub(super) level_of: Vec<u32>,
    /// Whose turn it is, and whose strides are kept.
    pub(super) turn: u32,
    pub(super) watched: u32,
    pub(super) timeline: Vec<Strip>,
    pub(super) found: Found,
    pub(super) preemptions: u64,
    /// Energy of tokens of prompts, joules.
    pub(super) prompt_joules: f64,
    pub(super) steps: u64,
    pub(super) strides: u64,
}

impl Desk<'_> {
    /// Counts what the cache had of a prompt that is admitted for the first time.
    pub(super) fn count_found(&mut self, request: &Request, found: &Match) {
        let [host, disk] = found.outside;
        self.found.blocks += u64::from(request.blocks_count);
        self.found.blocks_in_hbm += u64::from(found.count - host - disk);
        self.found.blocks_in_host += u64::from(host);
        self.found.blocks_on_disk += u64::from(disk);
        self.found.prompt_tokens += u64::from(request.prompt());
        self.found.cached_tokens += u64::from(found.tokens);
    }
}

/// What happens at a set moment.
#[derive(Debug, Clone, Copy, PartialEq)]
enum What {
    /// A turn of an agent's loop comes.
    Comes(u32),
    /// A request's KV has been moved or brought in, if it was not stopped once more since.
    Arrived(u32, u16),
    /// A replica has started, if it did not fail since.
    Started(u32, u32),
    /// An event of the fleet's.
    Event(u32),
    /// A pool's planner decides.
    Plan(u32),
}

/// A moment, and what happens then; at the same moment, what was set first.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Timer {
    at: f64,
    number: u64,
    what: What,
}

impl Eq for Timer {}

impl Ord for Timer {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.total_cmp(&other.at).then(self.number.cmp(&other.number))
    }
}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What comes next.
enum Next {
    Timer,
    Arrival,
    Turn(usize),
}

/// Turns that follow a request: the first by request, and the next by turn.
struct Followers {
    first: Vec<u32>,
    next: Vec<u32>,
}

impl Followers {
    /// Those of a request, the last of the list first.
    fn of(&self, id: u32) -> impl Iterator<Item = u32> {
        let some = |id: u32| (id != NONE).then_some(id);
        let first = self.first.get(id as usize).copied().and_then(some);
        std::iter::successors(first, move |id| some(self.next[*id as usize]))
    }
}

/// A replay under way.
pub(super) struct World<'a> {
    fleet: &'a Fleet,
    options: &'a Options,
    desk: Desk<'a>,
    replicas: Vec<Replica>,
    due: Due,
    timers: BinaryHeap<Reverse<Timer>>,
    /// Timers that were ever set, and those that are set and no planner's.
    numbered: u64,
    pending: u32,
    /// Requests that come at a moment, by moment, and the next of them.
    order: Vec<u32>,
    next: usize,
    followers: Followers,
    groups: Vec<Group>,
    routing: Routing,
    seen: Vec<Seen>,
    /// By pool, most tokens of a step.
    tokens_max: Vec<u32>,
    /// Requests that are done, refused, or never will come.
    resolved: usize,
    now: f64,
}

impl<'a> World<'a> {
    pub(super) fn new(fleet: &'a Fleet, requests: &'a Requests, options: &'a Options) -> Self {
        let (levels, level_of) = levels(requests);
        let table = fleet.costs.iter().map(|cost| cost.base_s.len() as u32 - 1).min().unwrap_or(1);
        let tokens_max = fleet.pools.iter().map(|pool| pool.engine.step_tokens_max.min(table).max(1)).collect();
        let desk = Desk {
            requests,
            lives: vec![Live::default(); requests.list.len()],
            meter: Meter::new(options.bin_s),
            notes: Vec::new(),
            closed: options.skipping == Skipping::Closed,
            level_of,
            turn: NONE,
            watched: match options.watch {
                Watch::Nothing => NONE - 1,
                Watch::Replica(replica) => replica,
            },
            timeline: Vec::new(),
            found: Found::default(),
            preemptions: 0,
            prompt_joules: 0.0,
            steps: 0,
            strides: 0,
        };
        let (order, followers) = order(requests);
        let count = fleet.pools.iter().map(|pool| pool.replicas as usize).sum();
        let mut world = Self {
            fleet,
            options,
            desk,
            replicas: Vec::with_capacity(count),
            due: Due::new(count),
            timers: BinaryHeap::new(),
            numbered: 0,
            pending: 0,
            order,
            next: 0,
            followers,
            groups: groups(fleet),
            routing: Routing::new(fleet.router, options.seed, count),
            seen: vec![Seen::default(); fleet.pools.len()],
            tokens_max,
            resolved: 0,
            now: 0.0,
        };
        world.set_up(levels);
        world
    }

    /// Replicas, those that are on from the start, and all timers that are known.
    fn set_up(&mut self, levels: usize) {
        for (at, pool) in (0..).zip(&self.fleet.pools) {
            let first = match &pool.scaling {
                Scaling::Fixed => pool.replicas,
                Scaling::Planner(plan) => {
                    self.set_timer(plan.interval_s, What::Plan(at));
                    plan.replicas_first.max(plan.replicas_min).min(pool.replicas)
                }
            };
            let kit =
                Kit { pool, cost: &self.fleet.costs[pool.cost as usize], tokens_max: self.tokens_max[at as usize] };
            for number in 0..pool.replicas {
                let mut replica = Replica::new(at, &kit, levels);
                if number < first {
                    replica.state = State::Ready;
                }
                self.replicas.push(replica);
            }
        }
        for (at, event) in (0..).zip(&self.fleet.events) {
            self.set_timer(event.at_s, What::Event(at));
        }
        self.gather();
    }

    /// Runs to the end.
    pub(super) fn run(mut self) -> Outcome {
        while self.resolved < self.desk.lives.len() {
            let (at, next) = self.what_next();
            if at > self.options.until_s || at.is_infinite() {
                break;
            }
            self.now = at;
            self.desk.meter.pass(at);
            match next {
                Next::Timer => self.ring(),
                Next::Arrival => {
                    let id = self.order[self.next];
                    self.next += 1;
                    self.come(id);
                }
                Next::Turn(replica) => self.turn(replica),
            }
        }
        self.close()
    }

    /// Sums up.
    fn close(mut self) -> Outcome {
        let stopped = self.resolved < self.desk.lives.len() && self.options.until_s.is_finite();
        let end = if stopped { self.options.until_s.max(self.now) } else { self.now };
        self.desk.meter.pass(end);
        for at in 0..self.replicas.len() {
            self.desk.turn = at as u32;
            let kit = self.kit(at);
            self.replicas[at].halt(end, &kit, &mut self.desk);
        }
        outcome(self.desk, (self.fleet, &self.replicas), self.options, end)
    }

    /// What comes next. At the same moment timers are first, as they change what replicas do, then requests, so that
    /// a replica's turn finds all that have come.
    fn what_next(&self) -> (f64, Next) {
        let timer = self.timers.peek().map_or(f64::INFINITY, |Reverse(timer)| timer.at);
        let arrival =
            self.order.get(self.next).map_or(f64::INFINITY, |id| at_s(&self.desk.requests.list[*id as usize]));
        let (due, replica) = self.due.first();
        if timer <= arrival && timer <= due {
            (timer, Next::Timer)
        } else if arrival <= due {
            (arrival, Next::Arrival)
        } else {
            (due, Next::Turn(replica))
        }
    }

    fn kit(&self, replica: usize) -> Kit<'a> {
        let Replica { pool, cost, .. } = self.replicas[replica];
        let tokens_max = self.tokens_max[pool as usize];
        Kit { pool: &self.fleet.pools[pool as usize], cost: &self.fleet.costs[cost as usize], tokens_max }
    }

    fn set_timer(&mut self, at: f64, what: What) {
        self.numbered += 1;
        self.pending += u32::from(!matches!(what, What::Plan(_)));
        self.timers.push(Reverse(Timer { at, number: self.numbered, what }));
    }

    /// A timer rings.
    fn ring(&mut self) {
        let Some(Reverse(timer)) = self.timers.pop() else { return };
        self.pending -= u32::from(!matches!(timer.what, What::Plan(_)));
        match timer.what {
            What::Comes(id) => self.come(id),
            What::Arrived(id, stopped) => self.arrived(id, stopped),
            What::Started(replica, life) => self.started(replica, life),
            What::Event(at) => self.event(at as usize),
            What::Plan(pool) => self.plan(pool as usize),
        }
    }

    /// A request comes.
    fn come(&mut self, id: u32) {
        let request = &self.desk.requests.list[id as usize];
        self.desk.lives[id as usize].at_s = self.now;
        self.desk.meter.count(0, 1);
        let Some(group) = self.group_of(request.model, Takes::Prompts) else {
            return self.refuse(id, Refusal::NoModel);
        };
        let mut room = self.groups[group].blocks;
        if self.serves(group, Role::Prefill) {
            let Some(other) = self.group_of(request.model, Takes::Answers) else {
                return self.refuse(id, Refusal::NoModel);
            };
            room = room.min(self.groups[other].blocks);
        }
        // The last token is not kept; a draft may go beyond it.
        let widest = self.fleet.pools.iter().filter(|pool| pool.model == request.model);
        let width = widest.map(|pool| pool.speculation.width()).max().unwrap_or(1);
        let tokens = u64::from(request.prompt()) + u64::from(request.answer()) + u64::from(width) - 2;
        if tokens.div_ceil(u64::from(super::fleet::KV_BLOCK_TOKENS)) > room || tokens > u64::from(u32::MAX) {
            return self.refuse(id, Refusal::TooLong);
        }
        self.route(id, group);
    }

    fn group_of(&self, model: u16, takes: Takes) -> Option<usize> {
        self.groups.iter().position(|group| group.model == model && group.takes == takes)
    }

    /// Whether any pool of a group has that role.
    fn serves(&self, group: usize, role: Role) -> bool {
        self.groups[group].pools.iter().any(|pool| self.fleet.pools[*pool as usize].role == role)
    }

    /// A request is given to a replica of a group, or waits for one to be there.
    fn route(&mut self, id: u32, group: usize) {
        let requests = self.desk.requests;
        let request = &requests.list[id as usize];
        let target = self.desk.lives[id as usize].target(request);
        let members = &mut self.groups[group];
        if members.members.is_empty() {
            members.parked.push_back(id);
            return self.wake(group);
        }
        let replicas = &self.replicas;
        let blocks = requests.blocks_of(request);
        let per_block = u64::from(requests.block_tokens / super::fleet::KV_BLOCK_TOKENS);
        let leading = |replica: u32| {
            let cache = replicas[replica as usize].cache.as_ref();
            cache.map_or(0, |cache| u64::from(cache.leading(blocks)) * per_block)
        };
        let chosen = self.routing.choose(members, target, leading);
        let to_compute = if members.takes == Takes::Answers { 0 } else { target };
        let found = if self.routing.knows_prefixes() { leading(chosen) } else { 0 };
        let found = (found * u64::from(super::fleet::KV_BLOCK_TOKENS)).min(u64::from(to_compute)) as u32;
        let live = &mut self.desk.lives[id as usize];
        let replica = &mut self.replicas[chosen as usize];
        if replica.waiting_count >= self.fleet.waiting_max && live.produced == 0 && live.stopped == 0 {
            return self.refuse(id, Refusal::QueueFull);
        }
        live.replica = chosen;
        live.promised = to_compute - found;
        self.routing.give(chosen, request.prompt(), live.promised);
        self.seen[replica.pool as usize].request(request.prompt(), request.answer());
        let level = self.desk.level_of[usize::from(request.priority)] as usize;
        if let Some(due) = replica.enqueue(id, level, self.now, &mut self.desk) {
            self.due.set(chosen as usize, due);
        }
    }

    /// A request is refused, and what would follow it never comes.
    fn refuse(&mut self, id: u32, why: Refusal) {
        self.desk.meter.count(0, -1);
        self.desk.lives[id as usize].phase = Phase::Refused(why);
        let mut lost = vec![id];
        while let Some(id) = lost.pop() {
            self.resolved += 1;
            lost.extend(self.followers.of(id));
        }
    }

    /// A replica's steps are over, or it has something to do.
    fn turn(&mut self, at: usize) {
        let kit = self.kit(at);
        self.desk.turn = at as u32;
        let replica = &mut self.replicas[at];
        let from = if replica.stride.steps > 0 {
            replica.settle(&kit, &mut self.desk)
        } else {
            replica.rest(self.now, kit.cost, &mut self.desk);
            Clock::at(self.now)
        };
        self.read_notes(at);
        let replica = &mut self.replicas[at];
        replica.cost = replica.next_cost;
        if replica.state == State::Draining && replica.is_empty() {
            replica.state = State::Off;
            return self.due.set(at, f64::INFINITY);
        }
        let kit = self.kit(at);
        let due = self.replicas[at].plan(from, &kit, &mut self.desk);
        self.due.set(at, due);
        self.read_notes(at);
    }

    /// What a replica's turn led to.
    fn read_notes(&mut self, at: usize) {
        let mut notes = std::mem::take(&mut self.desk.notes);
        for note in notes.drain(..) {
            match note {
                Note::Prefilled(id) => self.prefilled(at, id),
                Note::Finished(id) => self.finished(at, id),
                Note::Loading(id, until) => {
                    let stopped = self.desk.lives[id as usize].stopped;
                    self.set_timer(until, What::Arrived(id, stopped));
                }
                Note::Handed(id) => {
                    let live = &self.desk.lives[id as usize];
                    let (tokens, stopped) = (live.context, live.stopped);
                    let seconds = transfer_s(&self.fleet.transfer, self.kit(at).cost.past_bytes, tokens);
                    self.set_timer(self.now + seconds, What::Arrived(id, stopped));
                }
            }
        }
        self.desk.notes = notes;
    }

    fn prefilled(&mut self, at: usize, id: u32) {
        let live = &mut self.desk.lives[id as usize];
        self.routing.computed(at as u32, live.promised);
        live.promised = 0;
        if live.produced == 1 {
            self.seen[self.replicas[at].pool as usize].first_token(live.first_s - live.at_s);
        }
    }

    fn finished(&mut self, at: usize, id: u32) {
        let request = &self.desk.requests.list[id as usize];
        let live = &mut self.desk.lives[id as usize];
        self.routing.gone(at as u32, request.prompt(), live.promised);
        live.promised = 0;
        if let Some(tpot_s) = live.tpot_s(request) {
            self.seen[self.replicas[at].pool as usize].done(tpot_s);
        }
        self.resolved += 1;
        if self.followers.first.is_empty() {
            return;
        }
        let turns: Vec<u32> = self.followers.of(id).collect();
        for turn in turns {
            if let Arrival::After { pause_s, .. } = self.desk.requests.list[turn as usize].arrival {
                self.set_timer(self.now + f64::from(pause_s), What::Comes(turn));
            }
        }
    }

    /// KV has been brought in or moved.
    fn arrived(&mut self, id: u32, stopped: u16) {
        let live = &self.desk.lives[id as usize];
        let (phase, from) = (live.phase, live.replica as usize);
        let due = matches!(phase, Phase::Loading | Phase::Moving) && live.stopped == stopped;
        if !due {
            return;
        }
        self.replicas[from].release(id, &mut self.desk);
        self.look(from);
        if phase == Phase::Moving {
            let request = &self.desk.requests.list[id as usize];
            self.desk.lives[id as usize].phase = Phase::Away;
            self.routing.gone(from as u32, request.prompt(), 0);
            if let Some(group) = self.group_of(request.model, Takes::Answers) {
                self.route(id, group);
            }
        }
    }

    /// A replica must look at what has changed, at the end of its step.
    fn look(&mut self, at: usize) {
        if let Some(due) = self.replicas[at].poke(self.now) {
            self.due.set(at, due);
        }
    }

    /// Something happens to a replica.
    fn event(&mut self, at: usize) {
        let event = self.fleet.events[at];
        let replica = event.replica as usize;
        match event.change {
            Change::Fails => self.fail(replica),
            Change::Returns => self.come_back(replica),
            Change::Costs { cost } => {
                let kit = self.kit(replica);
                self.replicas[replica].rest(self.now, kit.cost, &mut self.desk);
                self.replicas[replica].next_cost = cost;
                self.look(replica);
            }
        }
    }

    /// A replica stops; its requests go elsewhere.
    fn fail(&mut self, at: usize) {
        let kit = self.kit(at);
        self.desk.turn = at as u32;
        let homeless = self.replicas[at].stop(self.now, &kit, &mut self.desk);
        self.replicas[at].state = State::Failed;
        self.due.set(at, f64::INFINITY);
        self.gather();
        self.read_notes(at);
        for id in homeless {
            let request = &self.desk.requests.list[id as usize];
            let live = &mut self.desk.lives[id as usize];
            self.routing.gone(at as u32, request.prompt(), live.promised);
            live.promised = 0;
            if let Some(group) = self.group_of(request.model, Takes::Prompts) {
                self.route(id, group);
            }
        }
    }

    /// A replica that failed is back.
    fn come_back(&mut self, at: usize) {
        let Replica { state, pool, .. } = self.replicas[at];
        match (state, &self.fleet.pools[pool as usize].scaling) {
            (State::Failed, Scaling::Fixed) => self.make_ready(at),
            (State::Failed, Scaling::Planner(_)) => {
                self.replicas[at].state = State::Off;
                let waited_on = |group: &Group| group.pools.contains(&pool) && !group.parked.is_empty();
                for group in 0..self.groups.len() {
                    if waited_on(&self.groups[group]) {
                        self.wake(group);
                    }
                }
            }
            (State::Off | State::Starting | State::Ready | State::Draining, _) => {}
        }
    }

    /// A replica has loaded its weights.
    fn started(&mut self, replica: u32, life: u32) {
        let at = replica as usize;
        if self.replicas[at].state == State::Starting && self.replicas[at].life == life {
            let kit = self.kit(at);
            self.replicas[at].rest(self.now, kit.cost, &mut self.desk);
            self.make_ready(at);
        }
    }

    /// A replica takes requests from now on; those that had nobody are given out.
    fn make_ready(&mut self, at: usize) {
        if self.replicas[at].state == State::Failed {
            self.replicas[at].power_on(self.now);
        }
        self.replicas[at].state = State::Ready;
        self.gather();
        for group in 0..self.groups.len() {
            if !self.groups[group].members.is_empty() {
                for id in std::mem::take(&mut self.groups[group].parked) {
                    self.route(id, group);
                }
            }
        }
    }

    /// Who takes requests now.
    fn gather(&mut self) {
        for group in &mut self.groups {
            let ready = |(at, replica): (u32, &Replica)| {
                (replica.state == State::Ready && group.pools.contains(&replica.pool)).then_some(at)
            };
            group.members = (0..).zip(&self.replicas).filter_map(ready).collect();
            let blocks = self.replicas.iter().filter(|replica| group.pools.contains(&replica.pool));
            group.blocks = blocks.map(|replica| replica.blocks).min().unwrap_or_default();
        }
    }

    /// A pool's planner decides.
    fn plan(&mut self, pool: usize) {
        let Scaling::Planner(plan) = &self.fleet.pools[pool].scaling else { return };
        let of_pool: Vec<usize> =
            (0..self.replicas.len()).filter(|at| self.replicas[*at].pool == pool as u32).collect();
        let Some(first) = of_pool.first() else { return };
        let parked = self.groups.iter().any(|group| group.pools.contains(&(pool as u32)) && !group.parked.is_empty());
        let kit = self.kit(*first);
        let before = of_pool.iter().filter(|at| self.replicas[**at].state.is_on()).count() as u32;
        let wanted = self.seen[pool].decide(plan, &kit, before, u32::from(parked));
        let mut on = before;
        // Those that were to go can stay at once, and those that do not answer yet are the first to go.
        for state in [State::Draining, State::Off] {
            for at in &of_pool {
                if on < wanted && self.replicas[*at].state == state {
                    self.start(*at, plan);
                    on += 1;
                }
            }
        }
        for state in [State::Starting, State::Ready] {
            for at in of_pool.iter().rev() {
                if on > wanted && self.replicas[*at].state == state {
                    self.put_out(*at);
                    on -= 1;
                }
            }
        }
        let changed = on != before;
        let more = self.pending > 0 || self.next < self.order.len() || self.due.first().0.is_finite();
        if changed || more {
            self.set_timer(self.now + plan.interval_s, What::Plan(pool as u32));
        }
    }

    /// A replica that is off starts, and one that was to go stays.
    fn start(&mut self, at: usize, plan: &Planner) {
        match self.replicas[at].state {
            State::Off => {
                self.replicas[at].power_on(self.now);
                self.replicas[at].state = State::Starting;
                let life = self.replicas[at].life;
                self.set_timer(self.now + plan.start_s, What::Started(at as u32, life));
            }
            State::Draining => self.make_ready(at),
            State::Starting | State::Ready | State::Failed => {}
        }
    }

    /// A replica goes, when it has no more requests.
    fn put_out(&mut self, at: usize) {
        match self.replicas[at].state {
            State::Starting | State::Ready => {
                self.replicas[at].state = State::Draining;
                if self.replicas[at].is_empty() {
                    let kit = self.kit(at);
                    self.replicas[at].rest(self.now, kit.cost, &mut self.desk);
                    self.replicas[at].state = State::Off;
                    self.replicas[at].life += 1;
                    self.due.set(at, f64::INFINITY);
                }
                self.gather();
            }
            State::Off | State::Draining | State::Failed => {}
        }
    }

    /// Somebody waits for a group that has nobody: the first that can starts at once.
    fn wake(&mut self, group: usize) {
        let (replicas, pools) = (&self.replicas, &self.groups[group].pools);
        let of_group = |at: &usize| pools.contains(&replicas[*at].pool);
        if (0..replicas.len()).filter(of_group).any(|at| replicas[at].state == State::Starting) {
            return;
        }
        let startable = |at: &usize| match self.fleet.pools[replicas[*at].pool as usize].scaling {
            Scaling::Planner(plan) if matches!(replicas[*at].state, State::Off | State::Draining) => Some((*at, plan)),
            Scaling::Planner(_) | Scaling::Fixed => None,
        };
        if let Some((at, plan)) = (0..replicas.len()).filter(of_group).find_map(|at| startable(&at)) {
            self.start(at, &plan);
        }
    }
}

/// When a request comes that does so at a moment.
fn at_s(request: &Request) -> f64 {
    match request.arrival {
        Arrival::At { at_s } => at_s,
        Arrival::After { .. } => f64::INFINITY,
    }
}

/// Priorities that are there, and the rank of each.
fn levels(requests: &Requests) -> (usize, Vec<u32>) {
    let mut there = [false; 256];
    for request in &requests.list {
        there[usize::from(request.priority)] = true;
    }
    let mut levels = 0;
    let level_of = there.iter().map(|there| {
        levels += u32::from(*there);
        levels.saturating_sub(1)
    });
    let level_of = level_of.collect();
    (levels.max(1) as usize, level_of)
}

/// Requests that come at a moment in its order, and those that follow others.
fn order(requests: &Requests) -> (Vec<u32>, Followers) {
    let list = &requests.list;
    let timed = |id: &u32| at_s(&list[*id as usize]).is_finite();
    let mut order: Vec<u32> = (0..list.len() as u32).filter(timed).collect();
    order.sort_by(|a, b| at_s(&list[*a as usize]).total_cmp(&at_s(&list[*b as usize])));
    let mut followers = Followers { first: Vec::new(), next: Vec::new() };
    if order.len() < list.len() {
        followers = Followers { first: vec![NONE; list.len()], next: vec![NONE; list.len()] };
        for (id, request) in (0..).zip(list) {
            if let Arrival::After { request, .. } = request.arrival {
                followers.next[id as usize] = std::mem::replace(&mut followers.first[request as usize], id);
            }
        }
    }
    (order, followers)
}

/// Groups of pools that can stand for each other: those that take prompts of a model, and those that take its answers.
fn groups(fleet: &Fleet) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (at, pool) in (0..).zip(&fleet.pools) {
        let takes = if pool.role == Role::Decode { Takes::Answers } else { Takes::Prompts };
        let same = |group: &Group| group.model == pool.model && group.takes == takes;
        if !groups.iter().any(same) {
            groups.push(Group::new(pool.model, takes));
        }
        if let Some(group) = groups.iter_mut().find(|group| same(group)) {
            group.pools.push(at);
        }
    }
    groups
}
