//! The whole house over a socket on loopback: pages, questions, runs, live events, and who is refused.

use crate::common::{House, config};
use model::report::Report;
use model::run::RunState;
use reqwest::StatusCode;
use serde_json::{Value, json};
use server::serve::{self, Config};
use std::io::Read;
use std::time::{Duration, Instant};

#[tokio::test]
async fn pages_are_rendered_with_what_is_stored() {
    let house = House::open().await;
    let designs = house.designs().await;
    assert_eq!(designs.len(), catalog::designs().len());
    let list = house.get("/designs").await;
    assert_eq!(list.status(), StatusCode::OK);
    let list = list.text().await.unwrap();
    for design in &designs {
        assert!(list.contains(&design.name), "{} is not in the list", design.name);
    }
    for path in ["/".to_owned(), "/runs".to_owned(), format!("/designs/{}", designs[0].id)] {
        let page = house.get(&path).await;
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        let text = page.text().await.unwrap();
        assert!(text.contains("/pkg/millwright.js") && text.contains("/pkg/millwright_bg.wasm"), "{path}");
        // Asked for before the style sheet, so that the first paint has them and nothing moves.
        for font in ["/fonts/inter-latin-wght-normal.woff2", "/fonts/jetbrains-mono-latin-wght-normal.woff2"] {
            let (asked, style) = (text.find(font).unwrap(), text.find("/style/main.css").unwrap());
            assert!(asked < style && house.get(font).await.status() == StatusCode::OK, "{path} {font}");
        }
    }
    for path in ["/no/such/page", "/designs/nowhere", "/designs/not%20an%20id", "/runs/nowhere"] {
        assert_eq!(house.get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(house.get("/healthz").await.text().await.unwrap(), "ok\n");
}

#[tokio::test]
async fn an_unknown_replay_leads_to_the_others_and_measured_parts_have_names() {
    let house = House::open().await;
    let unknown = house.get("/replay/nowhere").await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    let text = unknown.text().await.unwrap();
    assert!(text.contains("See all replays") && text.contains("href=\"/replay\""), "{text}");
    let measured = house.get("/models").await.text().await.unwrap();
    for name in ["DeepSeek R1", "B200 SXM", "TensorRT-LLM", "Model Qwen3 32B left out"] {
        assert!(measured.contains(name), "{name}");
    }
    assert!(!measured.contains(">deepseek-r1<") && !measured.contains(">b200-sxm<"), "an id where there is a name");
}

#[tokio::test]
async fn every_answer_has_the_headers_that_keep_it_safe() {
    let house = House::open().await;
    for path in
        ["/", "/nowhere", "/healthz", "/api/nowhere", "/style/nowhere.css", "/pkg/nowhere.js", "/api/v1/runs/x/events"]
    {
        let answer = house.get(path).await;
        let header =
            |name: &str| answer.headers().get(name).unwrap_or_else(|| panic!("{path}: {name}")).to_str().unwrap();
        let policy = header("content-security-policy");
        for part in
            ["default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "style-src 'self'"]
        {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
    }
}

#[tokio::test]
async fn answers_are_packed_for_who_takes_that_and_streams_are_not() {
    let house = House::open().await;
    let asked = |path: &str| house.client.get(house.url(path)).header("accept-encoding", "gzip").send();
    let packed = asked("/catalog").await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let packed = packed.bytes().await.unwrap();
    let mut page = String::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut page).unwrap();
    assert!(page.contains("</html>") && packed.len() * 4 < page.len(), "{} of {}", packed.len(), page.len());
    let stream = asked("/api/v1/fleet/live?metric=gpu_power_watts").await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert_eq!(stream.headers().get("content-encoding"), None);
    assert_eq!(house.get("/catalog").await.headers().get("content-encoding"), None);
}

#[tokio::test]
async fn the_scripts_of_a_page_carry_the_nonce_of_its_policy() {
    let house = House::open().await;
    let mut nonces = Vec::new();
    for path in ["/", "/nowhere"] {
        let page = house.get(path).await;
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap().to_owned();
        let text = page.text().await.unwrap();
        assert!(text.contains("<script"), "{path}");
        for script in text.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap();
            assert!(tag.contains(&format!("nonce=\"{nonce}\"")) || tag.contains("src=\"/"), "{path}: <script{tag}>");
        }
        assert!(!text.contains(" style=\""), "{path}: an inline style would be refused by the policy");
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
}

#[tokio::test]
async fn a_run_goes_to_its_end_in_sight_of_who_watches() {
    let house = House::open().await;
    let id = house.started(5).await;
    let told = house.events(&id).await;
    assert_eq!(told.last(), Some(&RunState::Done), "{told:?}");
    assert!(told.iter().rev().skip(1).all(|state| !state.is_final()), "{told:?}");
    assert_eq!(house.events(&id).await, [RunState::Done], "an ended run tells its end at once");
    let detail = house.run(&id).await;
    let report: Report = house.get(&format!("/api/v1/runs/{id}/report.json")).await.json().await.unwrap();
    assert_eq!(detail.report.as_ref(), Some(&report));
    assert_eq!(detail.summary.tokens_per_second_per_mw_facility, Some(report.tokens_per_second_per_mw_facility));
    assert_eq!(house.get(&format!("/runs/{id}")).await.status(), StatusCode::OK);
    assert!(house.get("/runs").await.text().await.unwrap().contains(id.as_str()));
}

#[tokio::test]
async fn a_run_can_be_cancelled_and_its_watchers_are_told() {
    let house = House::open().await;
    let id = house.started(1).await;
    let began = Instant::now();
    let (told, cancelled) = tokio::join!(house.events(&id), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        house.ask("run-cancel", json!({ "id": id })).await
    });
    assert_eq!(cancelled.status(), StatusCode::OK);
    assert_eq!(told.last(), Some(&RunState::Cancelled), "{told:?}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(house.ask("run-cancel", json!({ "id": id })).await.status(), StatusCode::CONFLICT);
    assert_eq!(house.get(&format!("/api/v1/runs/{id}/report.json")).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_full_queue_is_said_with_when_to_try_again() {
    let house = House::open_in(tempfile::tempdir().unwrap(), 1).await;
    let under_way = house.started(1).await;
    while house.run(&under_way).await.summary.state == RunState::Queued {}
    house.started(60).await;
    let refused = house.start(60).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("retry-after"));
    let error: app::api::ApiError = refused.json().await.unwrap();
    assert!(matches!(error, app::api::ApiError::Busy { .. }), "{error:?}");
    house.served.stop().await.unwrap();
}

#[tokio::test]
async fn a_restart_queues_again_what_had_not_ended() {
    let house = House::open().await;
    let id = house.started(1).await;
    let House { served, dir, .. } = house;
    served.stop().await.unwrap();
    let house = House::open_in(dir, 8).await;
    assert!(!house.run(&id).await.summary.state.is_final());
    assert_eq!(house.events(&id).await.last(), Some(&RunState::Done));
    assert!(house.dir.path().join("millwright.db").exists());
}

#[tokio::test]
async fn a_change_asked_for_by_another_site_is_refused() {
    let house = House::open().await;
    let asking = || house.client.post(house.url("/api/ask/designs")).json(&json!({}));
    let own = format!("http://{}", house.served.address());
    for (expected, request) in [
        (StatusCode::OK, asking()),
        (StatusCode::OK, asking().header("sec-fetch-site", "same-origin").header("origin", &own)),
        (StatusCode::FORBIDDEN, asking().header("sec-fetch-site", "cross-site")),
        (StatusCode::FORBIDDEN, asking().header("origin", "http://evil.example")),
        (StatusCode::FORBIDDEN, asking().header("origin", "null")),
        (StatusCode::MISDIRECTED_REQUEST, asking().header("host", "evil.example")),
        (StatusCode::OK, asking().header("host", "localhost:1234")),
    ] {
        assert_eq!(request.send().await.unwrap().status(), expected);
    }
    let page = house.client.get(house.url("/")).header("host", "evil.example").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn a_long_body_is_refused() {
    let house = House::open().await;
    let long = house.ask("run", json!({ "id": "x".repeat(1 << 20) })).await;
    assert_eq!(long.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn what_is_not_there_is_not_found_everywhere() {
    let house = House::open().await;
    for path in [
        "/api/v1/designs/nowhere/site",
        "/api/v1/designs/nowhere/year",
        "/api/v1/designs/NO%20ID/site",
        "/api/v1/runs/nowhere/events",
        "/api/v1/runs/nowhere/report.json",
        "/api/nowhere",
        "/pkg/../Cargo.toml",
        "/style/%2e%2e/Cargo.toml",
    ] {
        assert_eq!(house.get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    for (question, input) in [("design", json!({ "id": "nowhere" })), ("run", json!({ "id": "nowhere" }))] {
        assert_eq!(house.ask(question, input).await.status(), StatusCode::NOT_FOUND, "{question}");
    }
}

#[tokio::test]
async fn a_year_comes_column_by_column() {
    let house = House::open().await;
    let id = house.designs().await[0].id.clone();
    let year: Value =
        house.get(&format!("/api/v1/designs/{id}/year?step_minutes=60&seed=1")).await.json().await.unwrap();
    let columns = year["columns"].as_object().unwrap();
    assert!(columns.contains_key("facility_power_w") && columns.contains_key("output_tokens_per_s"));
    assert!(columns.values().all(|column| column.as_array().unwrap().len() == 8_760));
    let site: model::site::Site = house.get(&format!("/api/v1/designs/{id}/site")).await.json().await.unwrap();
    assert!(site.gpu_count() > 0);
    for query in ["step_minutes=7", "step_minutes=1", "step_minutes=x", "seed=-1", "speed=1"] {
        let refused = house.get(&format!("/api/v1/designs/{id}/year?{query}")).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{query}");
    }
}

#[tokio::test]
async fn a_taken_port_and_a_taken_data_directory_are_said_in_words() {
    let house = House::open().await;
    let other = tempfile::tempdir().unwrap();
    let same_port = Config { listen: house.served.address(), ..config(other.path(), 1) };
    let words = serve::spawn(same_port).await.unwrap_err().to_string();
    assert!(words.contains("another program listens on"), "{words}");
    let words = serve::spawn(config(house.dir.path(), 1)).await.unwrap_err().to_string();
    assert!(words.contains("another Millwright is running"), "{words}");
}
