//! One replica once more, in the plainest way: every step, every request, every block, one by one.

use crate::common::{any_requests, assert_close, cost, each, list, run};
use proptest::prelude::*;
use sim::replay::fleet::{Engine, Fleet, Pool};
use sim::replay::outcome::Record;
use sim::replay::request::{Arrival, Request};
use sim::serving::cost::{Batch, StepCost};
use std::collections::{BTreeMap, VecDeque};

/// A request as it is served.
#[derive(Clone, Copy)]
struct One {
    at_s: f64,
    request: Request,
    context: u32,
    produced: u32,
    first_s: f64,
    last_s: f64,
    energy_j: f64,
}

impl One {
    /// Tokens whose KV is needed for its next token.
    fn target(&self) -> u32 {
        self.request.input + self.produced
    }

    /// It has all of its prompt in memory, so that its next step is one token.
    fn answers(&self) -> bool {
        self.produced > 0 && self.context + 1 == self.target()
    }
}

/// An engine with a list of those that run and lines of those that wait.
struct Oracle<'a> {
    cost: &'a StepCost,
    engine: Engine,
    ones: Vec<One>,
    /// Admitted, in their order; true where the prompt is done.
    running: Vec<(usize, bool)>,
    waiting: BTreeMap<u8, VecDeque<usize>>,
    now: f64,
    preemptions: u64,
}

impl Oracle<'_> {
    fn blocks(&self) -> u64 {
        self.cost.room_tokens / 16
    }

    /// Blocks of those that run, `ahead` tokens from now.
    fn used(&self, ahead: u32) -> u64 {
        let of = |(id, answers): &(usize, bool)| {
            let one = &self.ones[*id];
            u64::from(if *answers { one.context + ahead } else { one.target() }.div_ceil(16))
        };
        self.running.iter().map(of).sum()
    }

    fn preempt(&mut self) {
        let key = |id: usize| (self.ones[id].request.priority, self.ones[id].at_s, id);
        let last = (0..self.running.len())
            .max_by(|a, b| key(self.running[*a].0).partial_cmp(&key(self.running[*b].0)).unwrap());
        let (id, _) = self.running.remove(last.unwrap());
        self.ones[id].context = 0;
        self.waiting.entry(self.ones[id].request.priority).or_default().push_front(id);
        self.preemptions += 1;
    }

    /// Tokens of each that is in the next step.
    fn schedule(&mut self) -> Vec<(usize, u32)> {
        let before = self.preemptions;
        while self.used(1) > self.blocks() {
            self.preempt();
        }
        let mut budget = self.engine.step_tokens_max;
        let mut step = Vec::new();
        for answering in [true, false] {
            for (id, answers) in &self.running {
                let left = if *answers { 1 } else { self.ones[*id].target() - self.ones[*id].context };
                let tokens = left.min(budget);
                if *answers == answering && tokens > 0 {
                    step.push((*id, tokens));
                    budget -= tokens;
                }
            }
        }
        while self.preemptions == before && budget > 0 {
            let Some(id) = self.waiting.values().find_map(|line| line.front().copied()) else { break };
            let own = u64::from(self.ones[id].target().div_ceil(16));
            let beside =
                if self.running.is_empty() { 0 } else { (self.engine.watermark * self.blocks() as f64) as u64 };
            let most = self.engine.requests_max.min(self.engine.step_tokens_max) as usize;
            if self.used(1) + own + beside > self.blocks() || self.running.len() >= most {
                break;
            }
            self.waiting.get_mut(&self.ones[id].request.priority).unwrap().pop_front();
            self.running.push((id, false));
            let tokens = self.ones[id].target().min(budget);
            step.push((id, tokens));
            budget -= tokens;
        }
        step
    }

    fn step(&mut self, step: &[(usize, u32)]) {
        let mut batch = Batch { requests: step.len() as u32, ..Batch::default() };
        for (id, tokens) in step {
            let one = &self.ones[*id];
            let (n, past) = (u64::from(*tokens), u64::from(one.context));
            batch.tokens += tokens;
            if one.answers() && self.running.contains(&(*id, true)) {
                batch.past += past;
                batch.past_in_window += past.min(u64::from(self.cost.window_tokens));
            } else {
                batch.prompts += 1;
                batch.pairs += (0..n).map(|token| past + token).sum::<u64>();
            }
        }
        let spent = self.cost.step(&batch);
        self.now += spent.time_s;
        for (id, tokens) in step {
            let now = self.now;
            let one = &mut self.ones[*id];
            one.energy_j += spent.energy_j * f64::from(*tokens) / f64::from(batch.tokens);
            one.context += tokens;
            if one.context < one.target() {
                continue;
            }
            one.produced += 1;
            if one.first_s.is_nan() {
                one.first_s = now;
            }
            let at = self.running.iter().position(|(other, _)| other == id).unwrap();
            if one.produced == one.request.output {
                one.last_s = now;
                self.running.remove(at);
            } else {
                self.running[at].1 = true;
            }
        }
    }

    /// Serves all, in the order in which they come.
    fn run(&mut self) {
        let mut come = 0;
        loop {
            while come < self.ones.len() && self.ones[come].at_s <= self.now {
                self.waiting.entry(self.ones[come].request.priority).or_default().push_back(come);
                come += 1;
            }
            let step = self.schedule();
            if !step.is_empty() {
                self.step(&step);
            } else if come < self.ones.len() {
                self.now = self.ones[come].at_s;
            } else {
                return;
            }
        }
    }
}

fn check(one: &One, record: &Record) {
    assert_close("first token", record.first_token_s.unwrap(), one.first_s, 1e-9);
    assert_close("last token", record.last_token_s.unwrap(), one.last_s, 1e-9);
    assert_close("energy", record.energy_j, one.energy_j, 1e-9);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn agrees_with_the_plainest_engine(
        requests in any_requests(),
        (step_tokens_max, requests_max, watermark) in (16_u32..2_048, 1_u32..60, 0.0..0.1_f64),
        room in 3_000_u64..12_000,
        tight in 0.01..1.0_f64,
    ) {
        let engine = Engine { step_tokens_max, requests_max, watermark };
        let mut requests: Vec<Request> = requests.list;
        for request in &mut requests {
            request.model = 0;
            (request.blocks_from, request.blocks_count) = (0, 0);
            if let Arrival::At { at_s } = &mut request.arrival {
                *at_s *= tight;
            }
        }
        requests.retain(|request| matches!(request.arrival, Arrival::At { .. }));
        let cost = cost(room);
        let ones = requests.iter().map(|request| {
            let Arrival::At { at_s } = request.arrival else { unreachable!("only those are kept") };
            let none = f64::NAN;
            One { at_s, request: *request, context: 0, produced: 0, first_s: none, last_s: none, energy_j: 0.0 }
        });
        let (running, waiting) = (Vec::new(), BTreeMap::new());
        let mut oracle = Oracle { cost: &cost, engine, ones: ones.collect(), running, waiting, now: 0.0, preemptions: 0 };
        oracle.run();
        let outcome = run(&Fleet::alike(cost.clone(), vec![Pool { engine, ..Pool::default() }]), &list(requests), &each());
        prop_assert_eq!(outcome.preemptions, oracle.preemptions);
        for (one, record) in oracle.ones.iter().zip(&outcome.records) {
            check(one, record);
        }
    }
}
