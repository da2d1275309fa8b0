//! The requests that a replica is answering, all of which get as many tokens in a step: what they read, what they hold
//! and when the next is done, without touching any of them.

use super::fleet::KV_BLOCK_TOKENS;
use super::world::Live;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Tokens of a KV block.
const BLOCK: u64 = KV_BLOCK_TOKENS as u64;

/// Requests being answered. Time here is counted in ticks: tokens that each of them has been given.
#[derive(Default)]
pub(super) struct Answering {
    /// Ticks since the replica's start.
    pub(super) tick: u64,
    /// At which tick each is done, the next first.
    ends: BinaryHeap<Reverse<(u64, u32)>>,
    /// At which tick each reaches the window.
    crossings: BinaryHeap<Reverse<(u64, u32)>>,
    /// How many take a new block at ticks that leave each remainder.
    phases: [u32; BLOCK as usize],
    /// Tokens of past, together.
    pub(super) past: u64,
    /// The same, of each at most the window.
    pub(super) past_in_window: u64,
    /// Requests with less past than the window.
    pub(super) growing: u32,
    /// Joules that each has been given since the replica's start.
    pub(super) joules_each: f64,
    /// The window of layers that have one, tokens.
    window: u32,
}

impl Answering {
    /// None yet.
    pub(super) fn new(window: u32) -> Self {
        Self { window, ..Self::default() }
    }

    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        self.ends.len() as u32
    }

    /// Their indices, in no order that means anything.
    pub(super) fn ids(&self) -> impl Iterator<Item = u32> {
        self.ends.iter().map(|Reverse((_, id))| *id)
    }

    /// One joins, whose `context` is in memory and who wants `tokens` more.
    pub(super) fn join(&mut self, id: u32, live: &mut Live, tokens: u32) {
        live.joined = self.tick;
        live.joules_joined = self.joules_each;
        self.ends.push(Reverse((self.tick + u64::from(tokens), id)));
        self.phases[Self::phase_of(live)] += 1;
        self.past += u64::from(live.context);
        self.past_in_window += u64::from(live.context.min(self.window));
        if live.context < self.window {
            self.growing += 1;
            self.crossings.push(Reverse((self.tick + u64::from(self.window - live.context), id)));
        }
    }

    /// Whoever is done by now, and the tick at which it was.
    pub(super) fn next_done(&mut self) -> Option<(u64, u32)> {
        let Reverse((tick, id)) = *self.ends.peek()?;
        if tick > self.tick {
            return None;
        }
        self.ends.pop();
        Some((tick, id))
    }

    /// One leaves before it is done.
    pub(super) fn take(&mut self, id: u32, live: &mut Live) {
        self.ends.retain(|Reverse((_, other))| *other != id);
        self.leave(id, live);
    }

    /// One that is no longer among `ends` leaves: its context and energy are brought up to now.
    pub(super) fn leave(&mut self, id: u32, live: &mut Live) {
        self.phases[Self::phase_of(live)] -= 1;
        live.context += (self.tick - live.joined) as u32;
        live.energy_j += self.joules_each - live.joules_joined;
        self.past -= u64::from(live.context);
        self.past_in_window -= u64::from(live.context.min(self.window));
        if live.context < self.window {
            self.growing -= 1;
            self.crossings.retain(|Reverse((_, other))| *other != id);
        }
    }

    /// All get `ticks` tokens more, no request crossing the window within.
    pub(super) fn advance(&mut self, ticks: u64) {
        self.past += ticks * u64::from(self.count());
        self.past_in_window += ticks * u64::from(self.growing);
        self.tick += ticks;
        while self.crossings.peek().is_some_and(|Reverse((tick, _))| *tick <= self.tick) {
            self.crossings.pop();
            self.growing -= 1;
        }
    }

    /// Ticks until one is done or crosses the window.
    pub(super) fn ticks_alike(&self) -> u64 {
        let next = |heap: &BinaryHeap<Reverse<(u64, u32)>>| heap.peek().map_or(u64::MAX, |Reverse((tick, _))| *tick);
        next(&self.ends).min(next(&self.crossings)) - self.tick
    }

    /// KV blocks that are taken in the next `ticks` ticks: in 16 of them, one by each request.
    pub(super) fn blocks_needed(&self, ticks: u64) -> u64 {
        let whole = ticks / BLOCK * u64::from(self.count());
        (0..ticks % BLOCK).fold(whole, |blocks, tick| blocks + self.blocks_at(tick))
    }

    /// The most ticks that need no more than `free` blocks.
    pub(super) fn ticks_within(&self, free: u64) -> u64 {
        let count = u64::from(self.count());
        if count == 0 {
            return u64::MAX;
        }
        let mut ticks = free / count * BLOCK;
        let mut left = free % count;
        while left >= self.blocks_at(ticks) {
            left -= self.blocks_at(ticks);
            ticks += 1;
        }
        ticks
    }

    /// Blocks taken at a tick from now.
    fn blocks_at(&self, ticks: u64) -> u64 {
        u64::from(self.phases[((self.tick + ticks) % BLOCK) as usize])
    }

    /// The remainder of ticks at which a request has filled its blocks.
    fn phase_of(live: &Live) -> usize {
        let filled = u64::from(live.context) % BLOCK;
        ((live.joined + BLOCK - filled) % BLOCK) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_counted_as_one_by_one() {
        let mut answering = Answering::new(40);
        let mut lives: Vec<Live> = [5, 16, 31, 32, 47].map(|context| Live { context, ..Live::default() }).to_vec();
        answering.advance(3);
        for (id, live) in (0..).zip(&mut lives) {
            answering.join(id, live, 100);
        }
        let held = |context: u64| context.div_ceil(BLOCK);
        for ticks in 0..70_u64 {
            let contexts = lives.iter().map(|live| u64::from(live.context));
            let needed: u64 = contexts.map(|context| held(context + ticks) - held(context)).sum();
            assert_eq!(answering.blocks_needed(ticks), needed, "{ticks}");
            assert!(
                answering.ticks_within(needed) >= ticks
                    && answering.blocks_needed(answering.ticks_within(needed)) <= needed
            );
        }
        let by_hand = |ticks: u64| -> u64 { lives.iter().map(|live| (u64::from(live.context) + ticks).min(40)).sum() };
        for ticks in 0..60 {
            assert_eq!(answering.past_in_window, by_hand(ticks));
            answering.advance(1);
        }
        for (id, live) in (0..).zip(&mut lives) {
            answering.take(id, live);
        }
        assert_eq!((answering.past, answering.past_in_window, answering.growing, answering.count()), (0, 0, 0, 0));
        assert_eq!(answering.phases, [0; 16]);
    }
}
