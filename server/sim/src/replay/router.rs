//! Who is given a request, by what the router itself knows: the requests it gave out, and whose prompts are computed.

use super::fleet::{KV_BLOCK_TOKENS, Router};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// What the router knows of each replica.
pub(super) struct Routing {
    policy: Router,
    chance: ChaCha8Rng,
    /// Requests there.
    requests: Vec<u32>,
    /// Tokens of prompts that are still to be computed.
    prompts: Vec<u64>,
    /// KV blocks of the prompts of all its requests.
    blocks: Vec<u64>,
    costs: Vec<f64>,
}

/// What a group takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Requests that come, or begin anew.
    Prompts,
    /// Requests whose prompts were computed elsewhere.
    Answers,
}

/// Replicas that can stand for each other.
pub(super) struct Group {
    pub(super) model: u16,
    pub(super) takes: Takes,
    /// Pools of it.
    pub(super) pools: Vec<u32>,
    /// Those that take requests now.
    pub(super) members: Vec<u32>,
    /// Requests for which there was nobody.
    pub(super) parked: std::collections::VecDeque<u32>,
    /// KV blocks of its smallest replica.
    pub(super) blocks: u64,
    turn: usize,
}

impl Group {
    pub(super) fn new(model: u16, takes: Takes) -> Self {
        Self {
            model,
            takes,
            pools: Vec::new(),
            members: Vec::new(),
            parked: std::collections::VecDeque::new(),
            blocks: u64::MAX,
            turn: 0,
        }
    }
}

/// Whole KV blocks for so many tokens.
pub(super) fn blocks_of(tokens: u32) -> u64 {
    u64::from(tokens).div_ceil(u64::from(KV_BLOCK_TOKENS))
}

impl Routing {
    pub(super) fn new(policy: Router, seed: u64, replicas: usize) -> Self {
        let chance = ChaCha8Rng::seed_from_u64(seed);
        let (requests, prompts, blocks) = (vec![0; replicas], vec![0; replicas], vec![0; replicas]);
        Self { policy, chance, requests, prompts, blocks, costs: Vec::new() }
    }

    /// Whether it asks what replicas have in their caches.
    pub(super) fn knows_prefixes(&self) -> bool {
        match self.policy {
            Router::KvAware { .. } => true,
            Router::Random | Router::RoundRobin | Router::LeastLoaded | Router::PowerOfTwo => false,
        }
    }

    /// A member for a prompt of so many tokens, of which each member has `found` KV blocks.
    pub(super) fn choose(&mut self, group: &mut Group, tokens: u32, found: impl Fn(u32) -> u64) -> u32 {
        let members = &group.members;
        match self.policy {
            Router::Random => members[self.draw(members.len())],
            Router::RoundRobin => {
                group.turn = (group.turn + 1) % members.len();
                members[(group.turn + members.len() - 1) % members.len()]
            }
            Router::LeastLoaded => {
                let mut best = members[0];
                for member in members {
                    if self.requests[*member as usize] < self.requests[best as usize] {
                        best = *member;
                    }
                }
                best
            }
            Router::PowerOfTwo => {
                let a = self.draw(members.len());
                let b = if members.len() > 1 { (a + 1 + self.draw(members.len() - 1)) % members.len() } else { a };
                let (a, b) = (members[a], members[b]);
                if self.requests[b as usize] < self.requests[a as usize] { b } else { a }
            }
            Router::KvAware { prefill_scale, overlap_scale, temperature } => {
                let own = blocks_of(tokens) as f64;
                self.costs.clear();
                for member in members {
                    let at = *member as usize;
                    let computing = self.prompts[at] as f64 / f64::from(KV_BLOCK_TOKENS);
                    let prefill = (computing + own - overlap_scale * found(*member) as f64).max(0.0);
                    self.costs.push(prefill_scale * prefill + self.blocks[at] as f64 + own);
                }
                members[self.cheapest(temperature)]
            }
        }
    }

    /// Of the costs, the least, or one by chance.
    fn cheapest(&mut self, temperature: f64) -> usize {
        let least = self.costs.iter().copied().fold(f64::INFINITY, f64::min);
        let range = self.costs.iter().copied().fold(f64::NEG_INFINITY, f64::max) - least;
        if temperature <= 0.0 || range <= 0.0 {
            return self.costs.iter().position(|cost| *cost <= least).unwrap_or_default();
        }
        let weight = |cost: &f64| libm::exp(-(cost - least) / (range * temperature));
        let all: f64 = self.costs.iter().map(weight).sum();
        let mut left = (self.chance.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0 * all; // 2^53
        for (at, cost) in self.costs.iter().enumerate() {
            left -= weight(cost);
            if left < 0.0 {
                return at;
            }
        }
        self.costs.len() - 1
    }

    /// A whole number below `count`.
    fn draw(&mut self, count: usize) -> usize {
        ((u128::from(self.chance.next_u64()) * count as u128) >> 64) as usize
    }

    /// A replica is given a request, with `compute` tokens of its prompt to compute.
    pub(super) fn give(&mut self, replica: u32, tokens: u32, compute: u32) {
        self.requests[replica as usize] += 1;
        self.prompts[replica as usize] += u64::from(compute);
        self.blocks[replica as usize] += blocks_of(tokens);
    }

    /// A prompt has been computed.
    pub(super) fn computed(&mut self, replica: u32, compute: u32) {
        self.prompts[replica as usize] -= u64::from(compute);
    }

    /// A request is no longer there.
    pub(super) fn gone(&mut self, replica: u32, tokens: u32, compute: u32) {
        self.requests[replica as usize] -= 1;
        self.blocks[replica as usize] -= blocks_of(tokens);
        self.computed(replica, compute);
    }
}
