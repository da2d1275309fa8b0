//! One replica's engine: what is in its next step, and what has happened when steps are over.

use super::answering::Answering;
use super::cache::{Cache, kv_blocks};
use super::fleet::{KV_BLOCK_TOKENS, Pool, Role, Speculation};
use super::outcome::{ReplicaFigures, Strip, TIMELINE_MAX};
use super::request::Request;
use super::stride::{Clock, Stride};
use super::world::{Desk, Live, Note, Phase};
use crate::serving::cost::{Batch, StepCost};
use std::collections::VecDeque;

/// Whether a replica is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Off: draws nothing.
    Off,
    /// Loading its weights.
    Starting,
    /// Takes requests.
    Ready,
    /// Takes none, and goes off when it has no more.
    Draining,
    /// Failed: draws nothing.
    Failed,
}

impl State {
    /// Whether it answers, or soon will.
    pub(super) fn is_on(self) -> bool {
        match self {
            Self::Starting | Self::Ready => true,
            Self::Off | Self::Draining | Self::Failed => false,
        }
    }
}

/// What a replica's steps depend on besides its requests.
#[derive(Clone, Copy)]
pub(super) struct Kit<'a> {
    pub(super) pool: &'a Pool,
    pub(super) cost: &'a StepCost,
    /// Most tokens of a step, by the engine and by its cost.
    pub(super) tokens_max: u32,
}

/// One replica.
pub(super) struct Replica {
    pub(super) pool: u32,
    pub(super) state: State,
    /// How often it stopped: timers of an earlier life are void.
    pub(super) life: u32,
    /// Its cost, and the one from the next step on.
    pub(super) cost: u32,
    pub(super) next_cost: u32,
    pub(super) stride: Stride,
    answering: Answering,
    /// Admitted, with prompts to compute; the first may be partly done.
    prefilling: VecDeque<u32>,
    /// The stride's chunks of prompts: request and tokens.
    chunks: Vec<(u32, u32)>,
    /// Admitted nowhere yet, by priority.
    waiting: Vec<VecDeque<u32>>,
    pub(super) waiting_count: u32,
    /// The priority of the first that waits and can't be admitted, and all below it.
    blocked: usize,
    /// Whose KV is on the way in or out.
    held: Vec<u32>,
    loading: u32,
    /// KV blocks that there are, and that requests and the cache have.
    pub(super) blocks: u64,
    used: u64,
    pub(super) cache: Option<Cache>,
    /// Drafts checked.
    drafts: u64,
    idle_since: f64,
    pub(super) figures: ReplicaFigures,
}

impl Replica {
    /// A replica of a pool, without requests.
    pub(super) fn new(pool: u32, kit: &Kit<'_>, levels: usize) -> Self {
        Self {
            pool,
            state: State::Off,
            life: 0,
            cost: kit.pool.cost,
            next_cost: kit.pool.cost,
            stride: Stride::default(),
            answering: Answering::new(kit.cost.window_tokens),
            prefilling: VecDeque::new(),
            chunks: Vec::new(),
            waiting: vec![VecDeque::new(); levels],
            waiting_count: 0,
            blocked: usize::MAX,
            held: Vec::new(),
            loading: 0,
            blocks: kit.cost.room_tokens / u64::from(KV_BLOCK_TOKENS),
            used: 0,
            cache: Cache::new(&kit.pool.caching),
            drafts: 0,
            idle_since: 0.0,
            figures: ReplicaFigures { pool, ..ReplicaFigures::default() },
        }
    }

    /// It draws from now on.
    pub(super) fn power_on(&mut self, now: f64) {
        self.idle_since = now;
    }

    /// Whether it draws.
    fn draws(&self) -> bool {
        match self.state {
            State::Off | State::Failed => false,
            State::Starting | State::Ready | State::Draining => true,
        }
    }

    /// Counts what it drew since its last step.
    pub(super) fn rest(&mut self, now: f64, cost: &StepCost, desk: &mut Desk<'_>) {
        if self.draws() && self.stride.steps == 0 && now > self.idle_since {
            let joules = cost.floor_w * (now - self.idle_since);
            desk.meter.idle(self.idle_since, now, joules);
            self.figures.energy_j += joules;
            self.figures.on_s += now - self.idle_since;
            self.idle_since = now;
        }
    }

    /// Whether it has no request.
    pub(super) fn is_empty(&self) -> bool {
        self.answering.count() == 0 && self.prefilling.is_empty() && self.waiting_count == 0 && self.held.is_empty()
    }

    /// KV blocks that requests use.
    fn blocks_in_use(&self) -> u64 {
        self.used - self.cache.as_ref().map_or(0, Cache::idle_blocks)
    }

    /// A request joins the line. When the replica must look at it: now, at the end of a step under way, or at its next
    /// turn anyway.
    pub(super) fn enqueue(&mut self, id: u32, level: usize, now: f64, desk: &mut Desk<'_>) -> Option<f64> {
        self.waiting[level].push_back(id);
        self.waiting_count += 1;
        desk.lives[id as usize].phase = Phase::Waiting;
        if level < self.blocked { self.poke(now) } else { None }
    }

    /// Something has changed: steps alike end with the one under way. When that is, if earlier than thought.
    pub(super) fn poke(&mut self, now: f64) -> Option<f64> {
        if self.stride.steps == 0 {
            return Some(now);
        }
        if self.stride.steps > 1 {
            let steps = self.stride.steps_until(now);
            if steps < self.stride.steps {
                self.stride.steps = steps;
                return Some(self.stride.end().now());
            }
        }
        None
    }

    /// KV that was on its way in or out of this replica has arrived.
    pub(super) fn release(&mut self, id: u32, desk: &mut Desk<'_>) {
        self.held.retain(|other| *other != id);
        match desk.lives[id as usize].phase {
            Phase::Loading => {
                self.loading -= 1;
                self.prefilling.push_back(id);
                desk.lives[id as usize].phase = Phase::Prefilling;
                desk.meter.count(1, -1);
            }
            Phase::Moving => self.give_back(id, desk),
            Phase::Away
            | Phase::Waiting
            | Phase::Prefilling
            | Phase::Answering
            | Phase::Finished
            | Phase::Refused(_) => {}
        }
    }

    /// The steps of its stride are over.
    pub(super) fn settle(&mut self, kit: &Kit<'_>, desk: &mut Desk<'_>) -> Clock {
        let stride = std::mem::take(&mut self.stride);
        let (start, end) = (stride.start.now(), stride.end());
        let now = end.now();
        let joules = stride.joules(stride.steps);
        let share = joules / f64::from(stride.tokens);
        let ticks = self.ticks_of(kit, stride.steps);
        let answered = u64::from(self.answering.count());
        if answered > 0 {
            if let Speculation::Draft { .. } = kit.pool.speculation {
                self.drafts += stride.steps;
            }
            self.used += self.answering.blocks_needed(ticks);
            self.answering.joules_each += share * f64::from(kit.pool.speculation.width());
            self.pass(ticks, kit);
        }
        let kv = self.blocks_in_use();
        let mut output = answered * ticks;
        while let Some((tick, id)) = self.answering.next_done() {
            output -= self.answering.tick - tick;
            self.answering.leave(id, &mut desk.lives[id as usize]);
            self.finish(id, now, desk);
        }
        for at in 0..self.chunks.len() {
            let (id, tokens) = self.chunks[at];
            output += u64::from(self.computed(id, tokens, share, now, kit, desk));
        }
        self.chunks.clear();
        let prompt = u64::from(stride.prompt_tokens) * stride.steps;
        desk.prompt_joules += share * prompt as f64;
        desk.meter.work(start, now, [prompt as f64, output as f64, joules], kv as f64);
        desk.steps += stride.steps;
        desk.strides += 1;
        self.figures.add(stride.steps, now - start, joules, prompt, output);
        self.watch(&stride, answered as u32, output, desk);
        self.idle_since = now;
        end
    }

    /// Time passes for those that are being answered.
    fn pass(&mut self, ticks: u64, kit: &Kit<'_>) {
        match kit.pool.speculation {
            Speculation::Off => self.answering.advance(ticks),
            // A draft may cross the window in its midst.
            Speculation::Draft { .. } => (0..ticks).for_each(|_| self.answering.advance(1)),
        }
    }

    /// Tokens that so many steps give to each request that is being answered.
    fn ticks_of(&self, kit: &Kit<'_>, steps: u64) -> u64 {
        match kit.pool.speculation {
            Speculation::Off => steps,
            Speculation::Draft { yielded, .. } => {
                let given = |drafts: u64| (drafts as f64 * yielded).floor() as u64;
                given(self.drafts + steps) - given(self.drafts)
            }
        }
    }

    /// A chunk of a prompt has been computed: how many tokens that gave.
    fn computed(&mut self, id: u32, tokens: u32, share: f64, now: f64, kit: &Kit<'_>, desk: &mut Desk<'_>) -> u32 {
        let request = &desk.requests.list[id as usize];
        let live = &mut desk.lives[id as usize];
        live.context += tokens;
        live.energy_j += share * f64::from(tokens);
        if live.context < live.target(request) {
            return 0;
        }
        self.prefilling.pop_front();
        live.produced += 1;
        live.phase = Phase::Answering;
        if live.first_s.is_nan() {
            live.first_s = now;
        }
        self.keep_prefix(id, desk);
        let live = &mut desk.lives[id as usize];
        desk.notes.push(Note::Prefilled(id));
        if live.produced >= request.answer() {
            self.finish(id, now, desk);
        } else if kit.pool.role == Role::Prefill {
            live.phase = Phase::Moving;
            self.held.push(id);
            desk.meter.count(-1, 1);
            desk.notes.push(Note::Handed(id));
        } else {
            self.answering.join(id, live, request.answer() - live.produced);
        }
        1
    }

    /// The blocks of a prompt go to the cache, still used.
    fn keep_prefix(&mut self, id: u32, desk: &mut Desk<'_>) {
        let Some(cache) = &mut self.cache else { return };
        let request = &desk.requests.list[id as usize];
        let live = &mut desk.lives[id as usize];
        for (at, hash) in (0..).zip(desk.requests.blocks_of(request)).skip(live.pins as usize) {
            let Some((shared, more)) = cache.insert(*hash, kv_blocks(desk.requests, request, at)) else { break };
            live.shared += shared as u32;
            self.used = self.used + more - shared;
            live.pins += 1;
        }
    }

    /// A request has its last token.
    fn finish(&mut self, id: u32, now: f64, desk: &mut Desk<'_>) {
        self.give_back(id, desk);
        let live = &mut desk.lives[id as usize];
        live.end_s = now;
        live.produced = desk.requests.list[id as usize].answer();
        live.phase = Phase::Finished;
        desk.meter.count(-1, 0);
        desk.notes.push(Note::Finished(id));
    }

    /// Blocks of a request that is in no list any more.
    fn give_back(&mut self, id: u32, desk: &mut Desk<'_>) {
        let request = &desk.requests.list[id as usize];
        let live = &mut desk.lives[id as usize];
        self.used -= own_blocks(live, request);
        if let Some(cache) = &mut self.cache {
            cache.unpin(&desk.requests.blocks_of(request)[..live.pins as usize]);
        }
        (live.pins, live.shared) = (0, 0);
    }

    /// What comes next, after what has happened: when that is over, or never.
    pub(super) fn plan(&mut self, from: Clock, kit: &Kit<'_>, desk: &mut Desk<'_>) -> f64 {
        self.blocked = usize::MAX;
        let preempted = self.make_room(kit, desk);
        let width = kit.pool.speculation.width();
        let mut budget = kit.tokens_max - width * self.answering.count();
        let mut pairs = 0;
        for at in 0..self.prefilling.len() {
            let id = self.prefilling[at];
            self.chunk(id, &mut budget, &mut pairs, desk);
        }
        if self.waiting_count > 0 {
            if preempted {
                self.blocked = 0;
            } else {
                self.admit(&mut budget, &mut pairs, from.now(), kit, desk);
            }
        }
        let answering = self.answering.count();
        let tokens = kit.tokens_max - budget;
        if tokens == 0 {
            return f64::INFINITY;
        }
        let requests = answering + self.chunks.len() as u32;
        let (past, past_in_window) = (self.answering.past, self.answering.past_in_window);
        let prompts = self.chunks.len() as u32;
        let first = kit.cost.step(&Batch { tokens, requests, prompts, past, past_in_window, pairs });
        let (all, window) = (f64::from(answering), f64::from(self.answering.growing));
        let growth_s = kit.cost.past_s * all + kit.cost.window_s * window;
        self.stride = Stride {
            start: from,
            steps: 1,
            first_s: first.time_s,
            growth_s,
            first_j: first.energy_j,
            growth_j: kit.cost.floor_w * growth_s + kit.cost.past_j * all + kit.cost.window_j * window,
            tokens,
            prompt_tokens: tokens - width * answering,
        };
        let alone = self.chunks.is_empty() && !preempted && width == 1;
        if alone && desk.closed {
            self.extend(desk);
        }
        self.stride.end().now()
    }

    /// As many steps as are alike: until one is done, the memory full, or a bin of the time series over.
    fn extend(&mut self, desk: &Desk<'_>) {
        let alike = self.answering.ticks_alike();
        let free = self.blocks - self.used;
        self.stride.steps = if free / u64::from(self.answering.count()) * u64::from(KV_BLOCK_TOKENS) >= alike {
            alike
        } else {
            alike.min(self.answering.ticks_within(free)).max(1)
        };
        let edge = desk.meter.edge_after(self.stride.start.now());
        if self.stride.end().now() > edge {
            self.stride.steps = (self.stride.steps_until(edge) - 1).max(1);
        }
    }

    /// Sees to it that all that are being answered have memory for the next step. Whether any had to make way.
    fn make_room(&mut self, kit: &Kit<'_>, desk: &mut Desk<'_>) -> bool {
        let mut preempted = false;
        while self.used + self.step_needs(kit) > self.blocks {
            if let Some(blocks) = self.cache.as_mut().and_then(Cache::evict) {
                self.used -= blocks;
                continue;
            }
            self.preempt(desk);
            preempted = true;
        }
        preempted
    }

    /// KV blocks that the next step takes.
    fn step_needs(&self, kit: &Kit<'_>) -> u64 {
        self.answering.blocks_needed(self.ticks_of(kit, 1))
    }

    /// The least urgent of those that are admitted, the last to come of these, goes back to the head of its line.
    fn preempt(&mut self, desk: &mut Desk<'_>) {
        let lives = &desk.lives;
        let list = &desk.requests.list;
        let later = |a: &u32, b: &u32| {
            let (a_at, b_at) = (lives[*a as usize].at_s, lives[*b as usize].at_s);
            let urgency = list[*a as usize].priority.cmp(&list[*b as usize].priority);
            urgency.then(a_at.total_cmp(&b_at)).then(a.cmp(b))
        };
        let Some(id) = self.answering.ids().chain(self.prefilling.iter().copied()).max_by(later) else { return };
        self.withdraw(id, desk);
        self.give_back(id, desk);
        let live = &mut desk.lives[id as usize];
        live.context = 0;
        live.preempted = live.preempted.saturating_add(1);
        live.phase = Phase::Waiting;
        self.waiting[desk.level_of[usize::from(list[id as usize].priority)] as usize].push_front(id);
        self.waiting_count += 1;
        desk.meter.count(-1, 1);
        desk.preemptions += 1;
    }

    /// Takes a request that is admitted out of its list.
    fn withdraw(&mut self, id: u32, desk: &mut Desk<'_>) {
        let live = &mut desk.lives[id as usize];
        let before = self.prefilling.len();
        self.prefilling.retain(|other| *other != id);
        if self.prefilling.len() == before {
            self.answering.take(id, live);
            live.produced = live.context + 1 - desk.requests.list[id as usize].prompt();
        }
    }

    /// A chunk of a prompt goes into the step.
    fn chunk(&mut self, id: u32, budget: &mut u32, pairs: &mut u64, desk: &Desk<'_>) {
        let live = &desk.lives[id as usize];
        let tokens = (live.target(&desk.requests.list[id as usize]) - live.context).min(*budget);
        if tokens > 0 {
            let (n, past) = (u64::from(tokens), u64::from(live.context));
            *pairs += n * past + n * (n - 1) / 2;
            *budget -= tokens;
            self.chunks.push((id, tokens));
        }
    }

    /// Admits those that wait, by priority and then in their order, while the step has tokens and the memory room.
    fn admit(&mut self, budget: &mut u32, pairs: &mut u64, now: f64, kit: &Kit<'_>, desk: &mut Desk<'_>) {
        let width = kit.pool.speculation.width();
        let most = kit.pool.engine.requests_max.min(kit.tokens_max / width);
        for level in 0..self.waiting.len() {
            while let Some(id) = self.waiting[level].front().copied() {
                let running = self.answering.count() + self.prefilling.len() as u32 + self.loading;
                let moved = desk.lives[id as usize].context > 0;
                let tokens = if moved { width } else { 1 };
                let fits = running < most && *budget >= tokens;
                if !fits || !(if moved { self.admit_moved(id, kit, desk) } else { self.admit_new(id, now, kit, desk) })
                {
                    self.blocked = level;
                    return;
                }
                self.waiting[level].pop_front();
                self.waiting_count -= 1;
                if moved {
                    *budget -= width;
                } else if desk.lives[id as usize].phase == Phase::Prefilling {
                    self.chunk(id, budget, pairs, desk);
                }
            }
        }
    }

    /// KV blocks that must stay free beside a newcomer.
    fn spare_blocks(&self, kit: &Kit<'_>) -> u64 {
        if self.answering.count() == 0 && self.prefilling.is_empty() {
            return 0;
        }
        self.step_needs(kit) + (kit.pool.engine.watermark * self.blocks as f64) as u64
    }

    /// One whose KV another replica computed.
    fn admit_moved(&mut self, id: u32, kit: &Kit<'_>, desk: &mut Desk<'_>) -> bool {
        let request = &desk.requests.list[id as usize];
        let live = &desk.lives[id as usize];
        let own = u64::from(live.context).div_ceil(u64::from(KV_BLOCK_TOKENS));
        let after = u64::from(live.context + kit.pool.speculation.width());
        let first = after.div_ceil(u64::from(KV_BLOCK_TOKENS)) - own;
        if !self.free_up(own + first + self.spare_blocks(kit)) {
            return false;
        }
        let live = &mut desk.lives[id as usize];
        self.used += own;
        self.answering.join(id, live, request.answer() - live.produced);
        live.phase = Phase::Answering;
        desk.meter.count(1, -1);
        true
    }

    /// One whose prompt is to be computed, but for what the cache has.
    fn admit_new(&mut self, id: u32, now: f64, kit: &Kit<'_>, desk: &mut Desk<'_>) -> bool {
        let request = &desk.requests.list[id as usize];
        let target = desk.lives[id as usize].target(request);
        let all = u64::from(target).div_ceil(u64::from(KV_BLOCK_TOKENS));
        let found = self.cache.as_ref().map(|cache| cache.find(desk.requests, request)).unwrap_or_default();
        let own = all - found.shared;
        let spare = self.spare_blocks(kit);
        let idle = self.cache.as_ref().map_or(0, Cache::idle_blocks);
        if self.used + own + found.absent + found.idle + spare > self.blocks + idle {
            return false;
        }
        if let Some(cache) = &mut self.cache {
            self.used += cache.pin(&desk.requests.blocks_of(request)[..found.count as usize]);
        }
        self.free_up(own + spare);
        self.used += own;
        let live = &mut desk.lives[id as usize];
        (live.context, live.shared, live.pins) = (found.tokens, found.shared as u32, found.count);
        if live.produced == 0 && live.preempted == 0 && live.stopped == 0 {
            live.cached = found.tokens;
            desk.count_found(request, &found);
        }
        let live = &mut desk.lives[id as usize];
        let load_s = found.load_s_per_token_byte * kit.cost.past_bytes;
        if load_s > 0.0 {
            live.phase = Phase::Loading;
            self.held.push(id);
            self.loading += 1;
            desk.notes.push(Note::Loading(id, now + load_s));
        } else {
            live.phase = Phase::Prefilling;
            self.prefilling.push_back(id);
            desk.meter.count(1, -1);
        }
        true
    }

    /// Puts out of the cache what must go for so many free KV blocks; whether there are as many.
    fn free_up(&mut self, blocks: u64) -> bool {
        while self.used + blocks > self.blocks {
            match self.cache.as_mut().and_then(Cache::evict) {
                Some(freed) => self.used -= freed,
                None => return false,
            }
        }
        true
    }

    /// It stops now: steps that are over count, the one under way is lost. All its requests, those that came first before
    /// the others.
    pub(super) fn stop(&mut self, now: f64, kit: &Kit<'_>, desk: &mut Desk<'_>) -> Vec<u32> {
        let mut all = self.halt(now, kit, desk);
        all.append(&mut self.held);
        all.extend(self.waiting.iter_mut().flat_map(|line| line.drain(..)));
        for id in &all {
            let live = &mut desk.lives[*id as usize];
            (live.context, live.pins, live.shared) = (0, 0, 0);
            live.stopped = live.stopped.saturating_add(1);
            live.phase = Phase::Away;
        }
        let lives = &desk.lives;
        all.sort_by(|a, b| lives[*a as usize].at_s.total_cmp(&lives[*b as usize].at_s).then(a.cmp(b)));
        (self.used, self.waiting_count, self.loading) = (0, 0, 0);
        self.cache = Cache::new(&kit.pool.caching);
        self.life += 1;
        all
    }

    /// It takes no further step: what it was answering is brought up to now.
    pub(super) fn halt(&mut self, now: f64, kit: &Kit<'_>, desk: &mut Desk<'_>) -> Vec<u32> {
        self.cut(now, kit, desk);
        self.rest(now, kit.cost, desk);
        let running: Vec<u32> = self.answering.ids().chain(self.prefilling.iter().copied()).collect();
        for id in &running {
            self.withdraw(*id, desk);
            desk.meter.count(-1, 1);
        }
        running
    }

    /// Ends the stride at a moment within it: whole steps count, and what the rest drew is idle energy.
    fn cut(&mut self, now: f64, kit: &Kit<'_>, desk: &mut Desk<'_>) {
        let stride = self.stride;
        if stride.steps == 0 || stride.end().now() <= now {
            if stride.steps > 0 {
                self.settle(kit, desk);
            }
            return;
        }
        let under_way = stride.steps_until(now);
        let whole = if stride.start.plus(stride.span_s(under_way)).now() <= now { under_way } else { under_way - 1 };
        let mut begun = stride.start.now();
        if whole > 0 {
            self.stride.steps = whole;
            begun = self.settle(kit, desk).now();
        }
        self.stride = Stride::default();
        self.chunks.clear();
        let span = stride.span_s(whole + 1) - stride.span_s(whole);
        let joules = (stride.joules(whole + 1) - stride.joules(whole)) * ((now - begun) / span).clamp(0.0, 1.0);
        desk.meter.idle(begun, now, joules);
        self.figures.energy_j += joules;
        self.figures.on_s += now - begun;
        self.idle_since = now;
    }

    /// KV blocks in use when all is over, for the books.
    pub(super) fn blocks_left(&self) -> u64 {
        self.blocks_in_use()
    }

    /// Keeps a stride of a replica that is watched.
    fn watch(&self, stride: &Stride, answering: u32, output: u64, desk: &mut Desk<'_>) {
        if desk.turn != desk.watched || desk.timeline.len() >= TIMELINE_MAX {
            return;
        }
        desk.timeline.push(Strip {
            at_s: stride.start.now(),
            span_s: stride.span_s(stride.steps),
            steps: stride.steps,
            answering,
            waiting: self.waiting_count,
            prompt_tokens: u64::from(stride.prompt_tokens) * stride.steps,
            output_tokens: output,
            kv_blocks: self.blocks_in_use(),
            energy_j: stride.joules(stride.steps),
        });
    }
}

/// KV blocks that a request holds for itself: a prompt's are taken at once.
fn own_blocks(live: &Live, request: &Request) -> u64 {
    let tokens = match live.phase {
        Phase::Prefilling | Phase::Loading => live.target(request),
        Phase::Away | Phase::Waiting | Phase::Answering | Phase::Moving | Phase::Finished | Phase::Refused(_) => {
            live.context
        }
    };
    u64::from(tokens).div_ceil(u64::from(KV_BLOCK_TOKENS)) - u64::from(live.shared)
}
