//! The pages of replays: start one, and what came of it.

use super::{FakeBackend, check, id, text};
use app::replayed::first_asked;
use model::design::Precision;
use model::replay::{
    Measured, ReplayCreate, ReplayDesk, ReplayDetail, ReplayEnds, ReplayEnergy, ReplayOutcome, ReplayRequests,
    ReplaySeries, ReplayServed, ReplaySpread, ReplaySummary, ReplaySureness, ReplayTenant, ReplayTier, ReplayTimeline,
    RequestSource, Routing,
};

fn summary() -> ReplaySummary {
    ReplaySummary {
        id: id("rp-1"),
        name: "Evening chat".into(),
        created_ms: 1_795_442_700_000,
        model_name: "Llama 3.1 70B".into(),
        models: 1,
        gpu_name: "H100 SXM".into(),
        gpus: 16,
        precision: Precision::Fp8,
        replicas: 4,
        routing: Routing::LeastLoaded,
        source: first_asked().requests,
        requests: 6_000,
        attainment: 0.9725,
        output_tokens_per_s: 3_840.0,
        joules_per_output_token: Some(2.125),
    }
}

fn outcome() -> ReplayOutcome {
    let spread = |mean: f64| ReplaySpread { count: 5_990, mean, p50: mean, p90: 2.0 * mean, p99: 4.0 * mean, max: 9.0 };
    ReplayOutcome {
        span_s: 300.0,
        ends: ReplayEnds { asked: 6_000, finished: 5_990, refused_too_long: 10, ..ReplayEnds::default() },
        ttft_s: Some(spread(0.6)),
        tpot_s: Some(spread(0.0215)),
        e2e_s: Some(spread(4.0)),
        output_tokens: 1_152_000,
        prompt_tokens: 8_000_000,
        cached_tokens: Some(2_000_000),
        output_tokens_per_s: 3_840.0,
        requests_per_s: 19.97,
        goodput_per_s: 19.45,
        attainment: 0.9725,
        energy: ReplayEnergy {
            total_j: 2_448_000.0,
            prompts_j: 1_000_000.0,
            answers_j: 1_200_000.0,
            idle_j: 248_000.0,
            per_output_token_j: Some(2.125),
            per_request_j: Some(408.0),
            mean_w: 8_160.0,
        },
        series: ReplaySeries {
            bin_s: 100.0,
            running: vec![10.0, 80.0, 20.0],
            waiting: vec![0.0, 35.0, 0.0],
            kv_use: vec![0.1, 0.43, 0.2],
            prompt_tokens_per_s: vec![20_000.0; 3],
            output_tokens_per_s: vec![3_000.0, 5_000.0, 3_500.0],
            power_w: vec![8_000.0, 9_400.0, 7_000.0],
            replicas_on: vec![4.0; 3],
        },
        timeline: ReplayTimeline {
            bin_s: 150.0,
            watched_s: 300.0,
            answering: vec![12.0, 20.0],
            prompt_tokens_per_s: vec![5_000.0; 2],
            output_tokens_per_s: vec![900.0; 2],
            kv_blocks: vec![1_000.0, 2_500.0],
        },
        sureness: ReplaySureness {
            measured: Measured::Both,
            tpot_low: 0.9,
            tpot_high: 1.12,
            rate_low: 0.88,
            rate_high: 1.1,
        },
        ..ReplayOutcome::default()
    }
}

fn detail(outcome: ReplayOutcome) -> ReplayDetail {
    let ReplayCreate { setup, requests, .. } = first_asked();
    let requests = ReplayRequests { source: requests, format: "made up".into(), count: 6_000, remarks: vec![] };
    ReplayDetail { summary: summary(), program_version: "0.1.0".into(), setup, requests, outcome, has_rows: true }
}

fn desk(earlier: Vec<ReplaySummary>) -> ReplayDesk {
    ReplayDesk {
        gpus: vec![("h100-sxm".into(), "H100 SXM".into()), ("b200-sxm".into(), "B200 SXM".into())],
        models: vec![("llama-3.1-70b".into(), "Llama 3.1 70B".into())],
        earlier,
        again: None,
    }
}

#[test]
fn a_first_replay_can_be_started_as_it_stands() {
    let house = FakeBackend { replay_desk: Some(desk(vec![])), ..FakeBackend::default() };
    let said =
        ["Replay requests", "one by one, through a fleet", "Nothing was replayed yet", "Nobody asked these requests"];
    let html = check("/replay", house, &said);
    for label in ["GPUs per replica", "First token within", "Prefix cache", "Autoscaler", "Power limit"] {
        assert!(text(&html).contains(label), "{label}");
    }
    assert!(html.contains("<option value=\"h100-sxm\" selected"), "the first GPU is one that fits");
}

#[test]
fn earlier_replays_are_listed_with_their_figures() {
    let house = FakeBackend { replay_desk: Some(desk(vec![summary()])), ..FakeBackend::default() };
    let said = [
        "Evening chat",
        "97.3 %",
        "3.84 k tok/s",
        "2.13 J/token",
        "4 replicas of 4 × H100 SXM",
        "to the least loaded",
        "8-bit (FP8)",
        "6000 requests, made up: chat at 20.0 /s",
        "23 Nov 2026, 14:05 UTC",
    ];
    let html = check("/replay", house, &said);
    assert!(html.contains("href=\"/replay/rp-1\""));
}

#[test]
fn a_replay_says_what_came_of_it_and_how_sure_that_is() {
    let house = FakeBackend { replay: Some(detail(outcome())), ..FakeBackend::default() };
    let said = [
        "97.3 %",
        "of requests in time",
        "10 refused, as they are larger than a replica’s KV memory",
        "8.16 kW",
        "510 W a GPU; boards alone",
        "2.13 J/token",
        "25.0 %", // of prompts from the cache
        "To the first token (TTFT)",
        "0.60 s",
        "2000 ms",
        "2.40 s, over the target",
        "Up to 80 requests run at once; up to 35 wait, after 2 min 30 s",
        "KV memory is 43.0 % full at most",
        "GPU boards draw 8.16 kW on average, 9.40 kW at most",
        "The first replica fills 2500 KV blocks at most",
        "1.04 J/token",
        "This GPU and this model were measured",
        "10.0 % below to 12.0 % above",
        "made up: chat at 20.0 /s by seed 1",
        "Figures as a table",
    ];
    let html = check("/replay/rp-1", house, &said);
    assert!(html.contains("href=\"/replay?again=rp-1\""), "it can be run again, changed");
    assert!(html.contains("href=\"/api/v1/replays/rp-1/requests.csv\""));
    assert!(!text(&html).contains("autoscaler keeps"), "what was not autoscaled has no chart of it");
}

#[test]
fn what_a_replay_does_not_have_is_missing_and_not_zero() {
    let nothing = ReplayOutcome {
        ends: ReplayEnds { asked: 3, refused_too_long: 3, ..ReplayEnds::default() },
        ..ReplayOutcome::default()
    };
    let source = RequestSource::Kept { name: "long.csv".into(), sha256: "0".repeat(64) };
    let mut replay = detail(nothing);
    replay.requests.source = source;
    replay.has_rows = false;
    let house = FakeBackend { replay: Some(replay), ..FakeBackend::default() };
    let said = [
        "3 refused, as they are larger",
        "The first replica was given nothing to do",
        "No row of each request is kept",
        "Neither this GPU nor this model was measured",
        "6000 requests of long.csv",
    ];
    let html = check("/replay/rp-1", house, &said);
    assert!(text(&html).contains('—') && !html.contains("requests.csv") && !text(&html).contains("NaN"));
    let html = check("/replay/rp-2", FakeBackend::default(), &["There is no replay \"rp-2\".", "See all replays"]);
    assert!(html.contains("href=\"/replay\""), "the list is one step away");
}

#[test]
fn what_happened_and_each_tenants_part_are_told() {
    let tenant = |name: &str, energy_j: f64| ReplayTenant {
        name: name.into(),
        requests: 3_000,
        finished: 2_990,
        attainment: 0.95,
        input_tokens: 3_000_000,
        output_tokens: 500_000,
        ttft_p95_s: Some(1.25),
        tpot_p95_s: None,
        energy_j,
    };
    let mut replay = detail(ReplayOutcome {
        tenants: vec![tenant("search", 1_836_000.0), tenant("code", 612_000.0)],
        tenants_count: 2,
        moved_by_failure: 12,
        assumed: Some("A100 has no FP8 arithmetic".into()),
        ..outcome()
    });
    replay.setup.events = vec!["60:0:fails".parse().unwrap(), "120:all:limit=400".parse().unwrap()];
    replay.setup.host_cache = Some(ReplayTier { size_bytes: 2e11, bytes_per_s: 5e10 });
    let said = [
        "after 1 min 0 s replica 0 fails",
        "every replica is limited to 400 W a GPU",
        "By tenant",
        "search",
        "1.25 s",
        "75.0 %",
        "25.0 %",
        "Begun anew",
        "Assumed: A100 has no FP8 arithmetic.",
        "200 GB of each replica, 50.0 GB/s back to its GPUs",
    ];
    let house = FakeBackend { replay: Some(replay), ..FakeBackend::default() };
    check("/replay/rp-1", house, &said);
    let alone = FakeBackend { replay: Some(detail(outcome())), ..FakeBackend::default() };
    assert!(!check("/replay/rp-1", alone, &["Power limit"]).contains("By tenant"), "one tenant is all");
}

#[test]
fn each_models_part_is_told_where_several_are_served() {
    let spread = |p50: f64| ReplaySpread { count: 900, mean: p50, p50, p90: p50, p99: 3.0 * p50, max: 9.0 };
    let served = |name: &str, replicas: u32, requests: u32| ReplayServed {
        name: name.into(),
        model: name.to_lowercase(),
        replicas,
        gpus: replicas,
        requests,
        finished: requests,
        attainment: (requests > 0).then_some(0.5),
        input_tokens: 1_000 * u64::from(requests),
        output_tokens: 100 * u64::from(requests),
        ttft_s: (requests > 0).then(|| spread(0.25)),
        tpot_s: (requests > 0).then(|| spread(0.01)),
        energy_j: 90_000.0,
        ..ReplayServed::default()
    };
    let models = vec![served("Llama 3.1 70B", 4, 4_500), served("Llama 3.1 8B", 2, 1_500), served("Qwen3 32B", 1, 0)];
    let mut replay = detail(ReplayOutcome { models, ..outcome() });
    replay.setup.also = vec!["llama-3.1-8b:1:2".parse().unwrap(), "qwen3-32b:1:1".parse().unwrap()];
    replay.summary.models = 3;
    let said = [
        "By model",
        "2 replicas on 2 GPUs",
        "0.75 s",
        "450 k",
        "0.200 J/token",
        "Llama 3.1 8B on 2 replicas of 1 × H100 SXM, numbers 4 to 5; Qwen3 32B on 1 replica of 1 × H100 SXM, number 6",
        "Llama 3.1 70B, Llama 3.1 8B, Qwen3 32B: Neither this GPU nor this model was measured",
    ];
    let listed = replay.summary.clone();
    check("/replay/rp-1", FakeBackend { replay: Some(replay), ..FakeBackend::default() }, &said);
    let alone = FakeBackend { replay: Some(detail(outcome())), ..FakeBackend::default() };
    assert!(!check("/replay/rp-1", alone, &["Also serves", "nothing else"]).contains("By model"), "one model is all");
    let house = FakeBackend { replay_desk: Some(desk(vec![listed])), ..FakeBackend::default() };
    check("/replay", house, &["4 replicas of 3 models, 16 × H100 SXM", "Also serves"]);
}
