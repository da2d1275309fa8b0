//! Figures that are known otherwise: by hand, from queueing theory, from published traces.

use crate::common::{assert_close, at, cost, data, each, every, list, run, slower};
use model::replay::MadeUpKind;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use sim::replay::fleet::{
    Caching, Change, Engine, Event, Fleet, Planner, Pool, Role, Router, Scaling, Speculation, Tier, Transfer,
};
use sim::replay::made_up;
use sim::replay::request::{Arrival, Request, Requests};
use sim::replay::{Options, Watch, cache};
use sim::serving::cost::{Batch, StepCost};

/// Mooncake's conversation trace: 36.6% of blocks lead a prompt and were seen before (Qin et al., "Mooncake", FAST 2025,
/// and its public trace).
#[test]
fn agrees_with_mooncakes_hit_rate_of_an_endless_cache() {
    let Some(bytes) = data("traces/mooncake_conversation_trace.jsonl") else { return };
    let (list, _) = input::request_list("mooncake", &bytes).unwrap();
    let found = cache::unbounded(&list.requests);
    let share = 100.0 * found.blocks_in_hbm as f64 / found.blocks as f64;
    assert!((share - 36.6).abs() <= 0.1, "{share}%");
    // One replica with memory without end comes close: what is asked before it is computed is not found.
    let pool = Pool { caching: Caching::Prefix { host: Tier::NONE, disk: Tier::NONE }, ..Pool::default() };
    let quick = StepCost { room_tokens: 1 << 40, ..slower(&cost(0), 0.02) };
    let outcome = run(&Fleet::alike(quick, vec![pool]), &list.requests, &each());
    let share = 100.0 * outcome.cache.blocks_in_hbm as f64 / outcome.cache.blocks as f64;
    assert!((35.0..=36.7).contains(&share), "{share}%");
}

/// The Azure conversation hour goes through, and all of it.
#[test]
fn agrees_with_the_azure_traces_own_sums() {
    let Some(bytes) = data("traces/azure_llm_2023_conv.csv") else { return };
    let (list, _) = input::request_list("azure", &bytes).unwrap();
    let fleet = Fleet::alike(cost(500_000), vec![Pool { replicas: 4, ..Pool::default() }]);
    let outcome = run(&fleet, &list.requests, &each());
    assert_eq!((outcome.requests.finished, outcome.requests.asked), (19_366, 19_366));
    let (input, output) = (outcome.input_tokens as f64 / 19_366.0, outcome.output_tokens as f64 / 19_366.0);
    assert_close("prompt", input, 1_154.7, 1e-3);
    assert_close("answer", output, 211.1, 1e-3);
}

/// Made-up chat and code have the middle lengths of the traces that they are made after.
#[test]
fn agrees_with_the_azure_traces_middle_lengths() {
    for (file, kind) in [("conv", MadeUpKind::Chat), ("code", MadeUpKind::Code)] {
        let Some(bytes) = data(&format!("traces/azure_llm_2023_{file}.csv")) else { return };
        let (measured, _) = input::request_list(file, &bytes).unwrap();
        let made = made_up::requests(kind, 5.0, 20_000, 1);
        let middles = [&measured.requests, &made].map(|requests| {
            let median = |of: &dyn Fn(&Request) -> u32| {
                let mut tokens: Vec<u32> = requests.list.iter().map(of).collect();
                tokens.sort_unstable();
                f64::from(tokens[tokens.len() / 2])
            };
            [median(&|request| request.input), median(&|request| request.output)]
        });
        for (made, measured) in middles[1].into_iter().zip(middles[0]) {
            assert_close(file, made, measured, 0.05);
        }
    }
}

/// Two requests, their steps added up by hand.
#[test]
fn agrees_with_a_schedule_made_by_hand() {
    let engine = Engine { step_tokens_max: 64, ..Engine::default() };
    let cost = cost(10_000);
    let step = |batch: Batch| cost.step(&batch);
    let steps = [
        // 64 of the first prompt's 100 tokens; its other 36, with 28 of the second's 30, which has come meanwhile.
        step(Batch { tokens: 64, requests: 1, prompts: 1, pairs: 64 * 63 / 2, ..Batch::default() }),
        step(Batch {
            tokens: 64,
            requests: 2,
            prompts: 2,
            pairs: 36 * 64 + 36 * 35 / 2 + 28 * 27 / 2,
            ..Batch::default()
        }),
        // The first has its first token. Its second, with the second's last two tokens.
        step(Batch { tokens: 3, requests: 2, prompts: 1, past: 100, past_in_window: 100, pairs: 2 * 28 + 1 }),
        step(Batch { tokens: 2, requests: 2, past: 131, past_in_window: 131, ..Batch::default() }),
        step(Batch { tokens: 1, requests: 1, past: 31, past_in_window: 31, ..Batch::default() }),
    ];
    let ends: Vec<f64> = steps
        .iter()
        .scan(1.0, |end, step| {
            Some({
                *end += step.time_s;
                *end
            })
        })
        .collect();
    let fleet = Fleet::alike(cost.clone(), vec![Pool { engine, ..Pool::default() }]);
    let outcome = run(&fleet, &list(vec![at(1.0, 100, 3), at(1.005, 30, 3)]), &each());
    let [first, second] = &outcome.records[..] else { panic!("two records") };
    for (what, found, known) in [
        ("first's first", first.first_token_s, ends[1]),
        ("first's last", first.last_token_s, ends[3]),
        ("second's first", second.first_token_s, ends[2]),
        ("second's last", second.last_token_s, ends[4]),
    ] {
        assert_close(what, found.unwrap(), known, 1e-12);
    }
    assert_close("TPOT", outcome.tpot_s.max, (ends[3] - ends[1]) / 2.0, 1e-12);
    let joules: f64 = steps.iter().map(|step| step.energy_j).sum();
    assert_close("energy", outcome.energy.requests_j, joules, 1e-12);
    assert_close("idle energy", outcome.energy.idle_j, 600.0, 1e-12);
    let shares = [steps[0].energy_j, steps[1].energy_j * 36.0 / 64.0, steps[2].energy_j / 3.0, steps[3].energy_j / 2.0];
    assert_close("first's energy", first.energy_j, shares.iter().sum(), 1e-12);
}

/// One at a time, all alike, at random: the mean wait is ρs/2(1 − ρ) (Pollaczek and Khinchine).
#[test]
fn agrees_with_queueing_theory() {
    let engine = Engine { requests_max: 1, ..Engine::default() };
    let cost = cost(10_000);
    let service =
        cost.step(&Batch { tokens: 600, requests: 1, prompts: 1, pairs: 600 * 599 / 2, ..Batch::default() }).time_s;
    for load in [0.3, 0.7] {
        let mut chance = ChaCha8Rng::seed_from_u64(7);
        let mut moment = 0.0;
        let arrivals = (0..200_000).map(|_| {
            let uniform = ((chance.next_u64() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0; // 2^53
            moment -= libm::log(uniform) * service / load;
            at(moment, 600, 1)
        });
        let fleet = Fleet::alike(cost.clone(), vec![Pool { engine, ..Pool::default() }]);
        let outcome = run(&fleet, &list(arrivals.collect()), &Options::default());
        let known = service * (1.0 + load / (2.0 * (1.0 - load)));
        assert_close("time to the first token", outcome.ttft_s.mean, known, 0.01);
        assert_close(
            "requests waiting and running",
            outcome.series.running.iter().sum::<f64>(),
            outcome.series.running.len() as f64 * load,
            0.02,
        );
    }
}

/// A prompt in one pool, its answer in another: the KV takes latency + bytes / bandwidth between.
#[test]
fn agrees_with_a_transfer_worked_out_by_hand() {
    let cost = cost(10_000);
    let pool = |role| Pool { role, ..Pool::default() };
    let mut fleet = Fleet::alike(cost.clone(), vec![pool(Role::Prefill), pool(Role::Decode)]);
    fleet.transfer = Transfer { bytes_per_s: 1e9, latency_s: 0.01 };
    let outcome = run(&fleet, &list(vec![at(0.0, 500, 2)]), &each());
    let prompt =
        cost.step(&Batch { tokens: 500, requests: 1, prompts: 1, pairs: 500 * 499 / 2, ..Batch::default() }).time_s;
    let answer =
        cost.step(&Batch { tokens: 1, requests: 1, past: 500, past_in_window: 500, ..Batch::default() }).time_s;
    assert_close("first", outcome.ttft_s.max, prompt, 1e-12);
    assert_close("second", outcome.tpot_s.max, 0.01 + 500.0 * 100_000.0 / 1e9 + answer, 1e-12);
    assert_eq!(outcome.records[0].replica, Some(1));
}

/// With 2.5 tokens a step an answer takes 2.5 times fewer steps, of four tokens each.
#[test]
fn agrees_with_drafts_worked_out_by_hand() {
    let cost = StepCost { past_s: 0.0, window_s: 0.0, ..cost(10_000) };
    let speculation = Speculation::Draft { tokens: 3, yielded: 2.5 };
    let fleet = Fleet::alike(cost.clone(), vec![Pool { speculation, ..Pool::default() }]);
    let outcome = run(&fleet, &list(vec![at(0.0, 100, 1_001)]), &each());
    let step = cost.step(&Batch { tokens: 4, requests: 1, ..Batch::default() }).time_s;
    assert_close("time between tokens", outcome.tpot_s.max, step / 2.5, 1e-9);
    assert_eq!((outcome.steps, outcome.output_tokens), (401, 1_001));
}

/// A cap that makes steps take twice as long halves what comes out, from the step after it on.
#[test]
fn a_cap_slows_tokens_from_the_next_step_on() {
    let fast = StepCost { past_s: 0.0, window_s: 0.0, ..cost(10_000) };
    let mut fleet = Fleet::alike(fast.clone(), vec![Pool::default()]);
    fleet.costs.push(slower(&fast, 2.0));
    let request = list(vec![at(0.0, 100, 1_000)]);
    let before = run(&fleet, &request, &each()).span_s;
    fleet.events = vec![Event { at_s: before / 2.0, replica: 0, change: Change::Costs { cost: 1 } }];
    let outcome = run(&fleet, &request, &each());
    assert_close("the whole", outcome.span_s, before * 1.5, 2e-3);
    let (early, late) = (outcome.series.output_tokens_per_s[1], outcome.series.output_tokens_per_s[8]);
    assert_close("rate", late, early / 2.0, 0.02);
}

/// Turns of loops come after the tool's time, and find what the turns before left in the cache, if they are sent there.
#[test]
fn turns_of_a_loop_find_their_past_where_the_router_knows_it() {
    let mut requests = Requests { block_tokens: 64, ..Requests::default() };
    for session in 0..20_u32 {
        for turn in 0..5_u32 {
            let index = requests.list.len() as u32;
            let arrival = match turn {
                0 => Arrival::At { at_s: f64::from(session) * 0.7 },
                _ => Arrival::After { request: index - 1, pause_s: 2.0 },
            };
            let (input, blocks_from) = (640 * (turn + 1), requests.blocks.len() as u32);
            requests.blocks.extend((0..input / 64).map(|block| u64::from(session << 16 | block)));
            let blocks = Request { blocks_from, blocks_count: input / 64, ..Request::default() };
            requests.list.push(Request { arrival, input, output: 50, ..blocks });
        }
    }
    let caching = Caching::Prefix { host: Tier::NONE, disk: Tier::NONE };
    let found = |router| {
        let fleet = Fleet {
            router,
            ..Fleet::alike(
                StepCost { prompt_s: 0.0, ..cost(100_000) },
                vec![Pool { replicas: 4, caching, ..Pool::default() }],
            )
        };
        let outcome = run(&fleet, &requests, &each());
        assert_eq!(outcome.requests.finished, 100);
        for turn in requests.list.iter().zip(&outcome.records) {
            if let (Request { arrival: Arrival::After { request, .. }, .. }, record) = turn {
                let before = outcome.records[*request as usize].last_token_s.unwrap();
                assert_close("the tool's time", record.at_s.unwrap() - before, 2.0, 1e-9);
            }
        }
        (outcome.cache, outcome.ttft_s.mean)
    };
    let (aware, soon) = found(Router::DYNAMO);
    let (unaware, late) = found(Router::RoundRobin);
    // At most all but the ten that are new in each turn: 10 + 20 + 30 + 40 of 150. A busy replica is not waited for.
    assert_eq!(aware.blocks, 20 * 150);
    assert!((20 * 80..=20 * 100).contains(&aware.blocks_in_hbm), "{aware:?}");
    assert!(unaware.blocks_in_hbm < 20 * 60 && soon < late, "{unaware:?}");
}

/// A pool that goes off while nothing is asked of it, and starts for the first that comes.
#[test]
fn a_pool_follows_its_load_to_none_and_back() {
    let planner = Planner {
        interval_s: 10.0,
        replicas_min: 0,
        replicas_first: 0,
        start_s: 5.0,
        ttft_s: 20.0,
        ..Planner::default()
    };
    let pool = Pool { replicas: 6, scaling: Scaling::Planner(planner), ..Pool::default() };
    let engine = Engine { requests_max: 8, ..Engine::default() };
    let fleet = Fleet::alike(cost(100_000), vec![Pool { engine, ..pool }]);
    let mut requests = every(0.1, 1_000, 500, 300);
    requests.list.push(at(400.0, 500, 300));
    let outcome = run(&fleet, &requests, &each());
    assert_eq!(outcome.requests.finished, 1_001);
    let (first, last) = (&outcome.records[0], &outcome.records[1_000]);
    assert!((5.0..5.1).contains(&first.first_token_s.unwrap()), "{first:?}");
    assert!((405.0..405.1).contains(&last.first_token_s.unwrap()), "{last:?}");
    // 10 requests a second of 8 at a time and 2.7 s each need four.
    let used = outcome.replicas.iter().filter(|replica| replica.on_s > 30.0).count();
    assert!((4..=6).contains(&used), "{used}");
    let (watts, on) = (&outcome.series.power_w[200..399], &outcome.series.replicas_on);
    assert!(watts.iter().all(|watts| *watts < 1e-9), "{watts:?}");
    assert!(on[50] > 3.0 && on[200] < 1e-9 && on[402] > 0.99, "{on:?}");
}

#[test]
fn a_replica_that_is_watched_shows_its_strides() {
    let fleet = Fleet::alike(cost(100_000), vec![Pool { replicas: 2, ..Pool::default() }]);
    let options = Options { watch: Watch::Replica(1), ..each() };
    let outcome = run(&fleet, &every(0.05, 50, 500, 100), &options);
    let steps: u64 = outcome.timeline.iter().map(|strip| strip.steps).sum();
    let tokens: u64 = outcome.timeline.iter().map(|strip| strip.output_tokens).sum();
    assert_eq!((steps, tokens), (outcome.replicas[1].steps, outcome.replicas[1].output_tokens));
    assert!(outcome.timeline.is_sorted_by(|a, b| a.at_s + a.span_s <= b.at_s + 1e-9));
}
