//! The prefix cache of a replica: blocks of prompts by their hash, the least recently used put out first, from the GPUs'
//! memory to the host's, to disk, and away.

use super::fleet::{Caching, KV_BLOCK_TOKENS, Tier};
use super::request::{Request, Requests};
use serde::Serialize;

/// No block.
const NONE: u32 = u32::MAX;

/// What a cache of endless size, shared by all, would have found of a list of requests in its order.
///
/// A request finds the blocks that lead its prompt and that an earlier one had.
pub fn unbounded(requests: &Requests) -> Found {
    let mut index = Index::default();
    let mut found = Found::default();
    for request in &requests.list {
        let blocks = requests.blocks_of(request);
        let seen = blocks.iter().take_while(|hash| index.get(**hash) != NONE).count();
        for hash in &blocks[seen..] {
            index.insert(*hash, 0);
        }
        found.blocks += blocks.len() as u64;
        found.blocks_in_hbm += seen as u64;
        found.prompt_tokens += u64::from(request.prompt());
        found.cached_tokens += (seen as u64 * u64::from(requests.block_tokens)).min(u64::from(request.prompt()));
    }
    found
}

/// What was found of what was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Found {
    /// Blocks of prompts.
    pub blocks: u64,
    /// Of these, found in the GPUs' memory.
    pub blocks_in_hbm: u64,
    /// Found in the host's.
    pub blocks_in_host: u64,
    /// Found on disk.
    pub blocks_on_disk: u64,
    /// Tokens of prompts.
    pub prompt_tokens: u64,
    /// Of these, not computed again.
    pub cached_tokens: u64,
}

/// What a prompt would find.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Match {
    /// Blocks that lead it.
    pub(super) count: u32,
    /// Their tokens, in whole KV blocks, less than the prompt's.
    pub(super) tokens: u32,
    /// KV blocks that it would share.
    pub(super) shared: u64,
    /// Of these, KV blocks that must be brought in.
    pub(super) absent: u64,
    /// Of these, KV blocks that could now be put out.
    pub(super) idle: u64,
    /// Blocks in the host's memory and on disk.
    pub(super) outside: [u32; 2],
    /// Seconds for each byte of a token's past, times tokens: what it takes to bring them in.
    pub(super) load_s_per_token_byte: f64,
}

/// The cache of one replica.
pub(super) struct Cache {
    index: Index,
    entries: Vec<Entry>,
    spare: Vec<u32>,
    /// Blocks that no request uses, by tier: GPU, host, disk.
    idle: [List; 3],
    /// KV blocks that host and disk have room for.
    room: [u64; 2],
    seconds_per_byte: [f64; 2],
}

#[derive(Clone, Copy)]
struct Entry {
    hash: u64,
    older: u32,
    newer: u32,
    pins: u32,
    blocks: u32,
    tier: u8,
}

/// Blocks by last use.
#[derive(Clone, Copy)]
struct List {
    oldest: u32,
    newest: u32,
    blocks: u64,
}

impl Cache {
    /// An empty one, if the replica has any.
    pub(super) fn new(caching: &Caching) -> Option<Self> {
        let Caching::Prefix { host, disk } = caching else { return None };
        let room = |tier: &Tier| tier.tokens / u64::from(KV_BLOCK_TOKENS);
        Some(Self {
            index: Index::default(),
            entries: Vec::new(),
            spare: Vec::new(),
            idle: [List { oldest: NONE, newest: NONE, blocks: 0 }; 3],
            room: [room(host), room(disk)],
            seconds_per_byte: [1.0 / host.bytes_per_s, 1.0 / disk.bytes_per_s],
        })
    }

    /// KV blocks of the GPUs' memory that could be put out.
    pub(super) fn idle_blocks(&self) -> u64 {
        self.idle[0].blocks
    }

    /// How many blocks lead a prompt, for the router.
    pub(super) fn leading(&self, blocks: &[u64]) -> u32 {
        blocks.iter().take_while(|hash| self.index.get(**hash) != NONE).count() as u32
    }

    /// What a prompt would find; at least one token is left to compute.
    pub(super) fn find(&self, requests: &Requests, request: &Request) -> Match {
        let mut found = Match::default();
        let mut tokens = 0;
        for (at, hash) in (0..).zip(requests.blocks_of(request)) {
            let slot = self.index.get(*hash);
            if slot == NONE {
                break;
            }
            let entry = self.entries[slot as usize];
            if entry.blocks != kv_blocks(requests, request, at) {
                break; // blocks of different sizes are not the same, whatever their hash
            }
            let blocks = u64::from(entry.blocks);
            found.count += 1;
            found.shared += blocks;
            tokens += blocks * u64::from(KV_BLOCK_TOKENS);
            match entry.tier {
                0 if entry.pins == 0 => found.idle += u64::from(entry.blocks),
                0 => {}
                tier => {
                    let outside = usize::from(tier) - 1;
                    found.outside[outside] += 1;
                    found.absent += u64::from(entry.blocks);
                    let bytes = f64::from(entry.blocks * KV_BLOCK_TOKENS);
                    found.load_s_per_token_byte += bytes * self.seconds_per_byte[outside];
                }
            }
            if blocks * u64::from(KV_BLOCK_TOKENS)
                < u64::from(requests.block_tokens / KV_BLOCK_TOKENS * KV_BLOCK_TOKENS)
            {
                break; // what follows a block that is not whole is not a prefix
            }
        }
        let most = (request.prompt() - 1) / KV_BLOCK_TOKENS * KV_BLOCK_TOKENS;
        found.tokens = tokens.min(u64::from(most)) as u32;
        found
    }

    /// A request uses these blocks, all of which are here: KV blocks that are brought in from outside.
    pub(super) fn pin(&mut self, blocks: &[u64]) -> u64 {
        let mut brought = 0;
        for hash in blocks {
            let slot = self.index.get(*hash);
            let entry = self.entries[slot as usize];
            brought += if entry.tier == 0 { 0 } else { u64::from(entry.blocks) };
            self.pin_slot(slot);
        }
        brought
    }

    /// A request has computed a block: it is here now, and used. What the request needs no longer hold of its own, and
    /// what more of the GPUs' memory the cache holds. None where another block has its hash.
    pub(super) fn insert(&mut self, hash: u64, blocks: u32) -> Option<(u64, u64)> {
        let slot = self.index.get(hash);
        if slot == NONE {
            let entry = Entry { hash, older: NONE, newer: NONE, pins: 1, blocks, tier: 0 };
            let slot = self.spare.pop().unwrap_or_else(|| {
                self.entries.push(entry);
                self.entries.len() as u32 - 1
            });
            self.entries[slot as usize] = entry;
            self.index.insert(hash, slot);
            return Some((u64::from(blocks), u64::from(blocks)));
        }
        let entry = self.entries[slot as usize];
        if entry.blocks != blocks {
            return None;
        }
        self.pin_slot(slot);
        Some((u64::from(blocks), if entry.tier == 0 { 0 } else { u64::from(blocks) }))
    }

    /// A request is done with the blocks that lead its prompt: the last are the first to go.
    pub(super) fn unpin(&mut self, blocks: &[u64]) {
        for hash in blocks.iter().rev() {
            let slot = self.index.get(*hash);
            let entry = &mut self.entries[slot as usize];
            entry.pins -= 1;
            if entry.pins == 0 {
                self.push(slot, 0);
            }
        }
    }

    /// Puts out the block that was used least recently: KV blocks of the GPUs' memory that this frees.
    pub(super) fn evict(&mut self) -> Option<u64> {
        let slot = self.idle[0].oldest;
        if slot == NONE {
            return None;
        }
        self.remove(slot);
        self.demote(slot, 1);
        Some(u64::from(self.entries[slot as usize].blocks))
    }

    /// Puts a block that is in no list into a tier, or the next that has room for any.
    fn demote(&mut self, slot: u32, tier: usize) {
        for tier in tier..3 {
            if self.room[tier - 1] < u64::from(self.entries[slot as usize].blocks) {
                continue;
            }
            self.push(slot, tier);
            while self.idle[tier].blocks > self.room[tier - 1] {
                let oldest = self.idle[tier].oldest;
                self.remove(oldest);
                self.demote(oldest, tier + 1);
            }
            return;
        }
        self.index.remove(self.entries[slot as usize].hash);
        self.spare.push(slot);
    }

    fn pin_slot(&mut self, slot: u32) {
        if self.entries[slot as usize].pins == 0 {
            self.remove(slot);
        }
        let entry = &mut self.entries[slot as usize];
        entry.tier = 0;
        entry.pins += 1;
    }

    /// Puts a block at a list's end.
    fn push(&mut self, slot: u32, tier: usize) {
        let newest = self.idle[tier].newest;
        let entry = &mut self.entries[slot as usize];
        entry.tier = tier as u8;
        entry.older = newest;
        entry.newer = NONE;
        self.idle[tier].blocks += u64::from(entry.blocks);
        self.idle[tier].newest = slot;
        match newest {
            NONE => self.idle[tier].oldest = slot,
            newest => self.entries[newest as usize].newer = slot,
        }
    }

    /// Takes a block out of its list.
    fn remove(&mut self, slot: u32) {
        let Entry { older, newer, blocks, tier, .. } = self.entries[slot as usize];
        let list = &mut self.idle[usize::from(tier)];
        list.blocks -= u64::from(blocks);
        if older == NONE {
            list.oldest = newer;
        }
        if newer == NONE {
            list.newest = older;
        }
        if older != NONE {
            self.entries[older as usize].newer = newer;
        }
        if newer != NONE {
            self.entries[newer as usize].older = older;
        }
    }
}

/// Whole KV blocks in the `at`-th block of a prompt.
pub(super) fn kv_blocks(requests: &Requests, request: &Request, at: u32) -> u32 {
    let before = u64::from(at) * u64::from(requests.block_tokens);
    let tokens = u64::from(request.prompt()).saturating_sub(before).min(u64::from(requests.block_tokens));
    tokens as u32 / KV_BLOCK_TOKENS
}

/// Where a hash is: a table with open addressing, whose order never matters.
#[derive(Default)]
struct Index {
    slots: Vec<(u64, u32)>,
    used: usize,
}

impl Index {
    fn get(&self, hash: u64) -> u32 {
        if self.slots.is_empty() {
            return NONE;
        }
        let (_, slot) = self.slots[self.place(hash)];
        slot
    }

    fn insert(&mut self, hash: u64, slot: u32) {
        if 2 * (self.used + 1) > self.slots.len() {
            let wider = vec![(0, NONE); (4 * self.used).max(16).next_power_of_two()];
            for (hash, slot) in std::mem::replace(&mut self.slots, wider) {
                if slot != NONE {
                    let place = self.place(hash);
                    self.slots[place] = (hash, slot);
                }
            }
        }
        let place = self.place(hash);
        self.used += usize::from(self.slots[place].1 == NONE);
        self.slots[place] = (hash, slot);
    }

    /// Removes a hash, and moves up those behind it that had to make way.
    fn remove(&mut self, hash: u64) {
        let mask = self.slots.len() - 1;
        let mut hole = self.place(hash);
        if self.slots[hole].1 == NONE {
            return;
        }
        self.used -= 1;
        let mut next = hole;
        loop {
            next = (next + 1) & mask;
            let (other, slot) = self.slots[next];
            if slot == NONE {
                break;
            }
            let home = self.home(other);
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.slots[hole] = (other, slot);
                hole = next;
            }
        }
        self.slots[hole] = (0, NONE);
    }

    /// Where a hash is, or would be.
    fn place(&self, hash: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut place = self.home(hash);
        while self.slots[place].1 != NONE && self.slots[place].0 != hash {
            place = (place + 1) & mask;
        }
        place
    }

    fn home(&self, hash: u64) -> usize {
        let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15); // Fibonacci hashing
        (mixed >> 32) as usize & (self.slots.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn law_the_index_is_a_map(moves in proptest::collection::vec((0_u64..60, 0_u32..3), 1..400)) {
            let (mut index, mut map) = (Index::default(), BTreeMap::new());
            for (step, (hash, what)) in (0_u32..).zip(moves) {
                if what == 0 && !index.slots.is_empty() {
                    index.remove(hash << 33);
                    map.remove(&hash);
                } else {
                    index.insert(hash << 33, step);
                    map.insert(hash, step);
                }
                for hash in 0..60 {
                    prop_assert_eq!(index.get(hash << 33), map.get(&hash).copied().unwrap_or(NONE));
                }
            }
        }
    }

    #[test]
    fn blocks_go_down_the_tiers_and_come_back() {
        let tier = |tokens| Tier { tokens, bytes_per_s: 1e9 };
        let mut cache = Cache::new(&Caching::Prefix { host: tier(64), disk: tier(32) }).unwrap();
        for hash in 1..=4 {
            assert_eq!(cache.insert(hash, 2), Some((2, 2)));
        }
        cache.unpin(&[1, 2, 3, 4]);
        assert_eq!(cache.idle_blocks(), 8);
        // The last of a prompt is put out first; the host has room for two, the disk for one.
        let blocks: Vec<u64> = (0..4).filter_map(|_| cache.evict()).collect();
        assert_eq!((blocks, cache.evict(), cache.idle_blocks()), (vec![2; 4], None, 0));
        let tiers: Vec<u32> = (1..=4).map(|hash| cache.index.get(hash)).collect();
        assert_eq!(tiers[3], NONE);
        let requests = Requests { list: vec![], blocks: vec![1, 2, 3, 4], block_tokens: 32 };
        let request = Request { input: 128, blocks_count: 4, ..Request::default() };
        let found = cache.find(&requests, &request);
        assert_eq!((found.count, found.tokens, found.shared, found.absent, found.outside), (3, 96, 6, 6, [2, 1]));
        cache.pin(&[1, 2, 3]);
        assert_eq!(cache.find(&requests, &request).absent, 0);
    }
}
