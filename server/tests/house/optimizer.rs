//! The optimizer over the API and on its pages: a study, a choice put back and run, a tree steered, and sweeps that are queued,
//! cancelled, gone on with after a restart and forgotten.

use crate::api::{header, problem};
use crate::common::House;
use model::optimum::{Applied, OptimumView};
use model::run::RunState;
use model::steered::SteeredView;
use model::sweep::SweepDetail;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

async fn post(house: &House, path: &str, body: &Value) -> reqwest::Response {
    house.client.post(house.url(path)).json(body).send().await.unwrap()
}

async fn study(house: &House, design: &str, ask: &Value) -> OptimumView {
    let answer = post(house, &format!("/api/v1/designs/{design}/optimize"), ask).await;
    assert_eq!(answer.status(), StatusCode::OK, "{}", answer.text().await.unwrap());
    answer.json().await.unwrap()
}

#[tokio::test]
async fn the_best_choice_is_applied_and_its_design_is_what_was_said() {
    let house = House::open().await;
    let found = study(&house, "superpod-gb200-su", &json!({ "limits": { "power_mw": 1.1 } })).await;
    let optimum = found.optimum.unwrap();
    let best = optimum.answer.best.unwrap();
    assert!(best.is_feasible() && best.peak_mw <= 1.1 * (1.0 + 1e-6), "{best:?}");
    assert!(!optimum.dial.is_empty() && optimum.envelope.is_some() && optimum.reasons.is_some());
    assert_eq!(optimum.power_error.len(), 2);

    let apply =
        json!({ "design": "superpod-gb200-su", "version": found.design.version, "change": { "choice": best.choice } });
    let applied: Applied = post(&house, "/api/v1/optimize/apply", &apply).await.json().await.unwrap();
    assert!(applied.is_branch, "a reference design does not change");
    let evaluated: Value =
        house.get(&format!("/api/v1/designs/{}/evaluate", applied.design.id)).await.json().await.unwrap();
    let tokens = evaluated["output_tokens_per_s"].as_f64().unwrap();
    assert!((tokens / best.output_tokens_per_s - 1.0).abs() < 1e-9, "{tokens} and {}", best.output_tokens_per_s);

    // The branch is one's own: applied to it, a choice makes a version, and to a version that is not the newest a conflict.
    let own = json!({ "design": applied.design.id, "version": 1, "change": { "choice": best.choice } });
    let mut lower = own.clone();
    lower["change"]["choice"]["cap_w"] = json!(900.0);
    let again: Applied = post(&house, "/api/v1/optimize/apply", &lower).await.json().await.unwrap();
    assert!(!again.is_branch && again.design.version == 2 && again.design.label.contains("900 W"), "{again:?}");
    lower["change"]["choice"]["cap_w"] = json!(950.0);
    problem(post(&house, "/api/v1/optimize/apply", &lower).await, StatusCode::CONFLICT, "conflict").await;
    lower["change"]["choice"]["racks"] = json!(1_000_000);
    problem(post(&house, "/api/v1/optimize/apply", &lower).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
}

#[tokio::test]
async fn what_can_not_be_sought_or_run_says_why() {
    let house = House::open().await;
    let found = study(&house, "one-rack-gb200", &json!({ "limits": { "power_mw": 0.01 } })).await;
    let optimum = found.optimum.unwrap();
    assert!(optimum.answer.best.is_none() && !optimum.conflicts.is_empty());
    let wrong = json!({ "frontier": ["tokens"] });
    let path = "/api/v1/designs/one-rack-gb200/optimize";
    problem(post(&house, path, &wrong).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    let wrong = json!({ "limits": { "power_mw": -1 } });
    problem(post(&house, path, &wrong).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    problem(post(&house, "/api/v1/designs/none/optimize", &json!({})).await, StatusCode::NOT_FOUND, "not-found").await;
    problem(
        post(&house, "/api/v1/designs/one-rack-gb200/steer", &json!({ "load": 2 })).await,
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid",
    )
    .await;
}

#[tokio::test]
async fn a_tree_is_steered_within_its_limit() {
    let house = House::open().await;
    let ask = json!({ "limit_mw": 1.05, "policy": "full-power" });
    let answer = post(&house, "/api/v1/designs/superpod-gb200-su/steer", &ask).await;
    let told: SteeredView = answer.error_for_status().unwrap().json().await.unwrap();
    let steered = told.steered.unwrap();
    assert_eq!(steered.breaches, 0);
    assert!(!steered.refused.is_empty() && steered.policy.as_deref() != Some("full power"), "{:?}", steered.refused);
    assert!(steered.frames.iter().skip(1).all(|frame| frame.capped_w[0] <= 1.05e6 * (1.0 + 1e-9)));
}

fn sweep(vary: &[(&str, &[&str])]) -> Value {
    let vary: Vec<Value> = vary.iter().map(|(field, values)| json!({ "field": field, "values": values })).collect();
    json!({ "name": "Limits", "design": "superpod-gb200-su", "vary": vary })
}

async fn started(house: &House, body: &Value) -> String {
    let answer = post(house, "/api/v1/sweeps", body).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED, "{}", answer.text().await.unwrap());
    header(&answer, "location")
}

async fn detail(house: &House, location: &str) -> SweepDetail {
    house.get(location).await.error_for_status().unwrap().json().await.unwrap()
}

async fn ended(house: &House, location: &str) -> SweepDetail {
    for _ in 0..600 {
        let found = detail(house, location).await;
        if found.summary.state.is_final() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the sweep did not end");
}

#[tokio::test]
async fn a_sweep_is_made_read_and_forgotten() {
    let house = House::open().await;
    let asked = sweep(&[
        ("cap", &["700", "900", "1100"]),
        ("precision", &["fp8", "fp4"]),
        ("model", &["llama-3.1-70b", "no-such-model"]),
    ]);
    let location = started(&house, &asked).await;
    let found = ended(&house, &location).await;
    assert_eq!((found.summary.state.clone(), found.summary.done, found.refused), (RunState::Done, 12, 6));
    assert!(found.refused_why.as_ref().unwrap().contains("no-such-model"), "{:?}", found.refused_why);
    assert_eq!(found.by_value.len(), 3);
    let best = found.best[0].point.as_ref().unwrap();
    assert!(
        best.is_feasible()
            && found
                .best
                .iter()
                .filter_map(|row| row.point.as_ref())
                .filter(|p| p.is_feasible())
                .all(|p| p.output_tokens_per_s <= best.output_tokens_per_s)
    );
    let rows = house.get(&format!("{location}/rows.csv")).await.error_for_status().unwrap().text().await.unwrap();
    assert_eq!(rows.lines().count(), 13);
    assert!(rows.starts_with("vary_precision,vary_model,vary_cap,") || rows.starts_with("vary_"), "{rows}");
    let page = house.get(&location.replace("/api/v1", "")).await.error_for_status().unwrap().text().await.unwrap();
    assert!(page.contains("What none beats") && page.contains("no-such-model"));
    let gone = house.client.delete(house.url(&location)).send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    problem(house.get(&location).await, StatusCode::NOT_FOUND, "not-found").await;
}

#[tokio::test]
async fn a_sweep_that_can_not_be_made_says_why() {
    let house = House::open().await;
    for (body, says) in [
        (sweep(&[("kap", &["1"])]), "did you mean cap"),
        (sweep(&[("cap", &["much"])]), "no number"),
        (sweep(&[]), "Nothing is varied"),
        (
            {
                let mut body = sweep(&[("cap", &["900"])]);
                body["foo"] = json!(1);
                body
            },
            "foo",
        ),
    ] {
        let refused =
            problem(post(&house, "/api/v1/sweeps", &body).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
        assert!(refused["detail"].as_str().unwrap().contains(says), "{refused}");
    }
}

/// Long enough not to be done before it is stopped: each row is a search.
fn long() -> Value {
    let caps: Vec<String> = (0..400).map(|at| format!("{}", 1000 + at)).collect();
    let caps: Vec<&str> = caps.iter().map(String::as_str).collect();
    let mut body = sweep(&[("cap", &caps), ("model", &["llama-3.1-70b", "deepseek-r1"])]);
    body["goal"] = json!("tokens-per-joule");
    body["design"] = json!("facility-100mw");
    body
}

#[tokio::test]
async fn a_sweep_goes_on_after_a_restart_and_can_be_cancelled() {
    let house = House::open().await;
    let location = started(&house, &long()).await;
    let done = loop {
        let found = detail(&house, &location).await;
        if found.summary.done > 0 {
            break found.summary.done;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let House { served, dir, .. } = house;
    served.stop().await.unwrap();
    let house = House::open_in(dir, 8).await;
    let kept = detail(&house, &location).await.summary;
    assert!(kept.done >= done && kept.done < kept.rows, "{} of {}", kept.done, kept.rows);
    let further = loop {
        let found = detail(&house, &location).await.summary;
        if found.done > kept.done {
            break found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(matches!(further.state, RunState::Running { .. }));
    post(&house, &format!("{location}/cancel"), &json!({})).await.error_for_status().unwrap();
    let stopped = detail(&house, &location).await;
    assert_eq!(stopped.summary.state, RunState::Cancelled);
    assert!(!stopped.best.is_empty(), "what is done stays");
    let twice = post(&house, &format!("{location}/cancel"), &json!({})).await;
    problem(twice, StatusCode::CONFLICT, "conflict").await;
}

#[tokio::test]
async fn the_pages_show_what_the_api_says() {
    let house = House::open().await;
    let page = async |path: &str| house.get(path).await.error_for_status().unwrap().text().await.unwrap();
    let optimize = page("/optimize/superpod-gb200-su?power=1.1&goal=tokens&against=cost-per-million&third=fame").await;
    for words in [
        "Operating point",
        "What holds it where it is",
        "More GPUs in the same megawatts",
        "Stranded power",
        "is used instead",
        "<svg",
    ] {
        assert!(optimize.contains(words), "{words}");
    }
    let power = page("/power/superpod-gb200-su?limit=1.05").await;
    for words in ["Power tree and steering", "no node is ever above its limit", "best uniform cap", "icicle"] {
        assert!(power.contains(words), "{words}");
    }
    assert!(page("/sweeps").await.contains("No sweep has been made yet"));
    let none = house.get("/optimize/none").await;
    assert_eq!(none.status(), StatusCode::NOT_FOUND);
}
