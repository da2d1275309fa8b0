//! Replays over the API: started, read, listed, deleted, and refused with the line of a bad trace.

use crate::api::{header, problem};
use crate::common::House;
use model::replay::{ReplayDesk, ReplayDetail, RequestSource};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

fn asked(requests: &Value) -> Value {
    json!({
        "name": "Evening chat",
        "setup": {
            "gpu": "h100-sxm", "model": "llama-3.1-70b", "precision": "fp8", "engine": "vllm",
            "tensor": 4, "data": 1, "expert": 1, "replicas": 2, "prefix_cache": true,
            "routing": "power-of-two", "ttft_ms": 2000, "tpot_ms": 50, "seed": 7,
        },
        "requests": requests,
    })
}

fn made_up(count: u32) -> Value {
    asked(&json!({ "from": "made-up", "kind": "agent-loop", "requests_per_s": 5, "count": count, "seed": 3 }))
}

fn trace(text: &str) -> Value {
    asked(&json!({ "from": "text", "name": "list.csv", "text": text }))
}

const TABLE: &str = "at_s,input_tokens,output_tokens\n0,1000,20\n0.5,400,3\n";

async fn start(house: &House, body: &Value) -> Response {
    house.client.post(house.url("/api/v1/replays")).json(body).send().await.unwrap()
}

async fn made(house: &House, body: &Value) -> (String, ReplayDetail) {
    let answer = start(house, body).await;
    assert_eq!(answer.status(), StatusCode::CREATED, "{}", answer.text().await.unwrap());
    let location = header(&answer, "location");
    let detail = house.get(&location).await.error_for_status().unwrap().json().await.unwrap();
    (location, detail)
}

#[tokio::test]
async fn a_replay_is_started_read_listed_and_deleted() {
    let house = House::open().await;
    let (location, first) = made(&house, &made_up(400)).await;
    let outcome = &first.outcome;
    assert_eq!((outcome.ends.asked, outcome.ends.finished, first.requests.count), (400, 400, 400));
    assert!(outcome.ttft_s.is_some_and(|spread| spread.p50 > 0.0 && spread.p50 <= spread.p99));
    assert!(outcome.cached_tokens.is_some_and(|tokens| tokens > 0), "turns of a task begin with the turn before");
    let energy = &outcome.energy;
    let together = energy.prompts_j + energy.answers_j + energy.idle_j;
    assert!((together / energy.total_j - 1.0).abs() < 1e-9 && energy.mean_w > 0.0, "{energy:?}");
    let bins = outcome.series.running.len();
    assert!(
        (2..=480).contains(&bins) && outcome.series.power_w.len() == bins && !outcome.timeline.answering.is_empty()
    );

    let rows = house.get(&format!("{location}/requests.csv")).await.error_for_status().unwrap();
    assert!(header(&rows, "content-disposition").contains("millwright-replay-"));
    assert_eq!(rows.text().await.unwrap().lines().count(), 401);

    let (_, second) = made(&house, &made_up(400)).await;
    assert_ne!(second.summary.id, first.summary.id);
    assert_eq!(second.outcome, first.outcome, "the same setup and seed come to the same");
    let page: Value = house.get("/api/v1/replays?limit=1").await.json().await.unwrap();
    assert_eq!(page["items"][0]["id"], json!(second.summary.id));
    let next = page["next"].as_str().unwrap();
    let rest: Value = house.get(&format!("/api/v1/replays?cursor={next}")).await.json().await.unwrap();
    assert_eq!(rest["items"][0]["name"], "Evening chat");

    let gone = house.client.delete(house.url(&location)).send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    problem(house.get(&location).await, StatusCode::NOT_FOUND, "not-found").await;
}

#[tokio::test]
async fn a_trace_is_kept_for_another_replay_with_it() {
    let house = House::open().await;
    let (location, first) = made(&house, &trace(TABLE)).await;
    let RequestSource::Kept { name, sha256 } = first.requests.source.clone() else { panic!("a trace is kept") };
    assert_eq!((name.as_str(), first.requests.count), ("list.csv", 2));
    let again = json!({ "from": "kept", "name": name, "sha256": sha256 });
    let (other, second) = made(&house, &asked(&again)).await;
    assert_eq!(second.outcome, first.outcome);
    let desk: ReplayDesk = house.answer("replay-desk", json!({ "again": second.summary.id })).await;
    assert_eq!(desk.again.map(|create| create.setup), Some(second.setup));
    assert_eq!(desk.earlier.len(), 2);
    for path in [location, other] {
        house.client.delete(house.url(&path)).send().await.unwrap().error_for_status().unwrap();
    }
    let told = problem(start(&house, &asked(&again)).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    assert!(told["detail"].as_str().unwrap().contains("list.csv is kept no more"), "{told}");
}

#[tokio::test]
async fn what_cannot_be_replayed_is_refused_by_name() {
    let house = House::open().await;
    let refused = async |body: Value, parts: &[&str]| {
        let told = problem(start(&house, &body).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
        let words = told["detail"].as_str().unwrap().to_owned();
        for part in parts {
            assert!(words.contains(part), "{words}");
        }
    };
    refused(trace(&format!("{TABLE}x,1,1\n")), &["list.csv, line 4", "at_s", "\"x\" is not a number"]).await;
    refused(trace("a,b\n1,2\n"), &["or a table of requests"]).await;
    let changed = |member: &str, value: Value| {
        let mut body = made_up(10);
        body["setup"][member] = value;
        body
    };
    refused(changed("gpu", json!("abacus")), &["abacus"]).await;
    refused(changed("model", json!("deepseek-r1")), &["does not fit"]).await;
    refused(changed("tensor", json!(0)), &["tensor"]).await;
    refused(changed("replicas", json!(0)), &["0 replicas"]).await;
    refused(changed("prefill_replicas", json!(2)), &["at least one replica"]).await;
    refused(changed("ttft_ms", json!(0)), &["ttft_ms"]).await;
    refused(changed("power_cap_w", json!(1)), &["no power limit under"]).await;
    refused(changed("engine", json!("steam")), &["steam"]).await;
    refused(changed("events", json!(["60:5:fails"])), &["60:5:fails", "no replica 5", "0 to 1"]).await;
    refused(changed("events", json!(["60:0:limit=1"])), &["no power limit under"]).await;
    refused(changed("events", json!(["60:0:limit=9000"])), &["60:0:limit=9000", "draws 700 W at most"]).await;
    refused(changed("also", json!(["llama-3.1-8c:1:1"])), &["Also llama-3.1-8c:1:1", "nearest to it are llama-3.1-8b"])
        .await;
    refused(changed("also", json!(["llama-3.1-70b:4:1"])), &["is served already"]).await;
    let mut stranger = trace("at_s,input_tokens,output_tokens,model\n0,9,9,llama-3.1-8b\n1,9,9,llama-3.1-8d\n");
    refused(stranger.clone(), &["list.csv, line 2, column \"model\"", "requests can ask llama-3.1-70b"]).await;
    stranger["setup"]["also"] = json!(["llama-3.1-8b:1:1"]);
    refused(stranger, &["list.csv, line 3, column \"model\"", "nearest to it are llama-3.1-8b"]).await;
    refused(changed("events", json!(vec!["1:0:fails"; 65])), &["65 events"]).await;
    refused(changed("host_cache", json!({ "size_bytes": 0, "bytes_per_s": 1e9 })), &["in host memory: 0 GB"]).await;
    let mut none = changed("disk_cache", json!({ "size_bytes": 1e12, "bytes_per_s": 6e9 }));
    none["setup"]["prefix_cache"] = json!(false);
    refused(none, &["needs the prefix cache"]).await;
    refused(made_up(0), &["0 requests"]).await;
    refused(made_up(2_000_000), &["2000000 requests"]).await;
    let none: Value = house.get("/api/v1/replays").await.json().await.unwrap();
    assert_eq!(none["items"], json!([]), "what is refused is not kept");
}

#[tokio::test]
async fn each_tenants_part_is_told_and_what_happened_is_kept() {
    let house = House::open().await;
    let row = |at: u32| {
        let whom = if at.is_multiple_of(3) { "code" } else { "search" };
        format!("{},{},{},{whom}\n", f64::from(at) * 0.1, 500 + at, 20 + at % 40)
    };
    let table: String = (0..300).map(row).collect();
    let mut body = trace(&format!("at_s,input_tokens,output_tokens,tenant\n{table}"));
    body["setup"]["events"] = json!(["5:0:fails", "12.5:0:returns", "20:all:limit=400"]);
    body["setup"]["host_cache"] = json!({ "size_bytes": 2e11, "bytes_per_s": 5e10 });
    let (_, detail) = made(&house, &body).await;
    let outcome = &detail.outcome;
    assert!(outcome.moved_by_failure > 0, "what the replica was answering began anew");
    let names: Vec<&str> = outcome.tenants.iter().map(|tenant| tenant.name.as_str()).collect();
    assert_eq!((names, outcome.tenants_count), (vec!["search", "code"], 2));
    assert_eq!(outcome.tenants.iter().map(|tenant| tenant.requests).collect::<Vec<_>>(), [200, 100]);
    let energy: f64 = outcome.tenants.iter().map(|tenant| tenant.energy_j).sum();
    assert!((energy / outcome.energy.total_j - 1.0).abs() < 1e-9, "tenants share all of the energy");
    let slowest = outcome.tenants.iter().filter_map(|tenant| tenant.ttft_p95_s).fold(0.0, f64::max);
    assert!(slowest > 0.0 && slowest <= outcome.ttft_s.unwrap().max);
    let desk: ReplayDesk = house.answer("replay-desk", json!({ "again": detail.summary.id })).await;
    let again = desk.again.unwrap().setup;
    assert_eq!((again.events.len(), again.host_cache), (3, detail.setup.host_cache));
    assert_eq!((desk.earlier[0].replicas, desk.earlier[0].routing.name()), (2, "power-of-two"));
}

#[tokio::test]
async fn each_models_part_is_told_and_kept() {
    let house = House::open().await;
    let row = |at: u32| {
        let model = if at.is_multiple_of(4) { "Llama 3.1 8B" } else { "" };
        format!("{},{},{},{model}\n", f64::from(at) * 0.1, 500 + at, 20 + at % 40)
    };
    let table: String = (0..200).map(row).collect();
    let mut body = trace(&format!("at_s,input_tokens,output_tokens,model\n{table}"));
    body["setup"]["also"] = json!(["llama-3.1-8b:1:3"]);
    body["name"] = json!("");
    let (location, detail) = made(&house, &body).await;
    let models = &detail.outcome.models;
    let told: Vec<_> =
        models.iter().map(|model| (model.name.as_str(), model.replicas, model.gpus, model.requests)).collect();
    assert_eq!(told, [("Llama 3.1 70B", 2, 8, 150), ("Llama 3.1 8B", 3, 3, 50)]);
    assert_eq!(models.iter().map(|model| model.output_tokens).sum::<u64>(), detail.outcome.output_tokens);
    assert!(models.iter().all(|model| model.ttft_s.is_some() && model.tpot_s.is_some() && model.attainment.is_some()));
    assert_eq!((detail.summary.gpus, detail.summary.replicas, detail.summary.models), (11, 5, 2));
    assert_eq!(detail.summary.model_name, "Llama 3.1 70B, Llama 3.1 8B");
    assert!(detail.summary.name.starts_with("Llama 3.1 70B and Llama 3.1 8B on H100"), "{}", detail.summary.name);
    let rows = house.get(&format!("{location}/requests.csv")).await.text().await.unwrap();
    assert!(rows.lines().next().unwrap().ends_with(",model") && rows.contains(",llama-3.1-8b\n"));
    let desk: ReplayDesk = house.answer("replay-desk", json!({ "again": detail.summary.id })).await;
    assert_eq!(desk.again.unwrap().setup.also, detail.setup.also);
}
