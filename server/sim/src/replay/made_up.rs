//! Requests that nobody asked: made up by a seed, for want of a trace of one's own.
//!
//! Chat and code come as a Poisson process, each request alone. Their lengths are log-normal, with the medians of the
//! Azure LLM inference traces of 2023 (Microsoft, CC-BY 4.0), which a test compares: 1,020 tokens of prompt and 129 of answer
//! in conversation, 1,469 and 13 in coding; spreads lie between those of all and of the middle half of requests. Agent loops are judged, not measured: tasks come as a Poisson process; a task
//! begins with a prompt whose first 2,048 tokens all tasks share, takes 12 turns on average, and each turn's prompt is the
//! one before with its answer and what a tool said in some seconds.

use super::request::{Arrival, Request, Requests};
use crate::defaults::{fork, normal};
use model::replay::MadeUpKind;
use rand_chacha::ChaCha8Rng;
use rand_core::Rng;
use std::ops::RangeInclusive;

/// Rates that make sense: one request in a quarter of an hour, and what a thousand racks are asked.
pub const RATES_PER_S: RangeInclusive<f64> = 0.001..=100_000.0;

/// Tokens of a block of a prompt.
const BLOCK_TOKENS: u32 = 512;
/// Tokens that all tasks of agents begin with: instructions and tools.
const SHARED_TOKENS: u32 = 2_048;
/// Turns of a task, mean.
const TURNS: f64 = 12.0;
/// Longest prompt that an agent lets grow, tokens.
const PROMPT_MAX: u32 = 60_000;
/// Seconds that a tool takes, mean.
const TOOL_S: f64 = 4.0;

/// A log-normal number of tokens: its median, and how far it spreads.
struct Length {
    median: f64,
    sigma: f64,
    max: f64,
}

const CHAT: [Length; 2] =
    [Length { median: 1_020.0, sigma: 0.9, max: 16_000.0 }, Length { median: 129.0, sigma: 1.0, max: 2_000.0 }];
const CODE: [Length; 2] =
    [Length { median: 1_469.0, sigma: 1.2, max: 16_000.0 }, Length { median: 13.0, sigma: 0.8, max: 500.0 }];
const TASK: Length = Length { median: 1_000.0, sigma: 0.6, max: 8_000.0 };
const TURN: Length = Length { median: 150.0, sigma: 0.8, max: 4_000.0 };
const TOOL: Length = Length { median: 600.0, sigma: 1.0, max: 12_000.0 };

/// `count` requests, `rate_per_s` of them in a second on average. The same arguments give the same requests.
pub fn requests(kind: MadeUpKind, rate_per_s: f64, count: u32, seed: u64) -> Requests {
    match kind {
        MadeUpKind::Chat => alone(&CHAT, rate_per_s, count, seed),
        MadeUpKind::Code => alone(&CODE, rate_per_s, count, seed),
        MadeUpKind::AgentLoop => agents(rate_per_s, count, seed),
    }
}

fn alone([prompt, answer]: &[Length; 2], rate_per_s: f64, count: u32, seed: u64) -> Requests {
    let (mut arrivals, mut lengths) = (fork(seed, "arrivals"), fork(seed, "lengths"));
    let mut at_s = 0.0;
    let mut list = Vec::with_capacity(count as usize);
    for index in 0..count {
        if index > 0 {
            at_s += waited(&mut arrivals, 1.0 / rate_per_s);
        }
        let (input, output) = (prompt.draw(&mut lengths), answer.draw(&mut lengths));
        list.push(Request { arrival: Arrival::At { at_s }, input, output, ..Request::default() });
    }
    Requests { list, ..Requests::default() }
}

fn agents(rate_per_s: f64, count: u32, seed: u64) -> Requests {
    let (mut arrivals, mut lengths) = (fork(seed, "arrivals"), fork(seed, "lengths"));
    let mut made = Requests { block_tokens: BLOCK_TOKENS, ..Requests::default() };
    let mut at_s = 0.0;
    let mut task = 0_u64;
    while made.list.len() < count as usize {
        if task > 0 {
            at_s += waited(&mut arrivals, TURNS / rate_per_s);
        }
        let mut arrival = Arrival::At { at_s };
        let mut prompt = SHARED_TOKENS + TASK.draw(&mut lengths);
        loop {
            let output = TURN.draw(&mut lengths);
            let index = made.list.len() as u32;
            let from = made.blocks.len();
            made.blocks.extend(blocks(task, prompt));
            let blocks_count = (made.blocks.len() - from) as u32;
            let request = Request { arrival, input: prompt, output, ..Request::default() };
            made.list.push(Request { blocks_from: from as u32, blocks_count, ..request });
            prompt += output + TOOL.draw(&mut lengths);
            arrival = Arrival::After { request: index, pause_s: waited(&mut lengths, TOOL_S) as f32 };
            // A task ends after any turn alike, so that turns are geometric.
            let is_over = uniform(&mut lengths) < 1.0 / TURNS || prompt > PROMPT_MAX;
            if is_over || made.list.len() >= count as usize {
                break;
            }
        }
        task += 1;
    }
    made
}

/// Hashes of the whole blocks of a task's prompt: the first ones are everyone's.
fn blocks(task: u64, prompt: u32) -> impl Iterator<Item = u64> {
    let shared = u64::from(SHARED_TOKENS / BLOCK_TOKENS);
    (0..u64::from(prompt / BLOCK_TOKENS)).map(move |at| if at < shared { at } else { (task + 1) << 24 | at })
}

/// A number in (0, 1).
pub(crate) fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
}

/// Seconds until the next of what comes by chance.
fn waited(rng: &mut ChaCha8Rng, mean_s: f64) -> f64 {
    -mean_s * libm::log(uniform(rng))
}

impl Length {
    fn draw(&self, rng: &mut ChaCha8Rng) -> u32 {
        (self.median * libm::exp(self.sigma * normal(rng))).clamp(1.0, self.max).round() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn median(mut values: Vec<u32>) -> f64 {
        values.sort_unstable();
        f64::from(values[values.len() / 2])
    }

    #[test]
    fn the_same_seed_makes_the_same_requests_and_another_makes_others() {
        for kind in MadeUpKind::ALL {
            let made = requests(kind, 8.0, 1_000, 3);
            assert_eq!(made.list.len(), 1_000, "{kind:?}");
            assert!(made.check().is_ok(), "{kind:?}");
            assert_eq!(made, requests(kind, 8.0, 1_000, 3), "{kind:?}");
            assert_ne!(made, requests(kind, 8.0, 1_000, 4), "{kind:?}");
        }
    }

    #[test]
    fn agrees_with_the_medians_and_the_rate_that_it_is_made_after() {
        let made = requests(MadeUpKind::Chat, 5.0, 20_000, 1);
        let (prompt, answer) = (
            median(made.list.iter().map(|request| request.input).collect()),
            median(made.list.iter().map(|request| request.output).collect()),
        );
        assert!((prompt / 1_020.0 - 1.0).abs() < 0.05 && (answer / 129.0 - 1.0).abs() < 0.05, "{prompt} {answer}");
        let Arrival::At { at_s } = made.list[19_999].arrival else { panic!("chat comes at its time") };
        assert!((at_s / 4_000.0 - 1.0).abs() < 0.05, "{at_s}");
    }

    #[test]
    fn turns_of_a_task_begin_with_the_turn_before() {
        let made = requests(MadeUpKind::AgentLoop, 5.0, 2_000, 1);
        let mut turns = 0;
        for request in &made.list {
            if let Arrival::After { request: before, .. } = request.arrival {
                let before = &made.list[before as usize];
                assert!(request.input > before.input);
                assert!(made.blocks_of(request).starts_with(made.blocks_of(before)));
                turns += 1;
            }
        }
        assert!((1_700..1_900).contains(&turns), "{turns} of 2,000 follow another: about 11 in 12");
    }
}
