//! Files that users bring: kept with what was read in them, refused with line and column, and runs made with them.

use crate::api::{header, problem};
use crate::common::House;
use model::input::StoredInput;
use model::run::{RunDetail, RunState, RunSummary};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use std::fmt::Write;
use std::process::Command;

/// A year of prices that rise through the day; February's first day is missing.
fn prices() -> String {
    let mut csv = "timestamp,price_usd_per_mwh\n".to_owned();
    let starts = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for (month, days) in (1..).zip(starts) {
        for day in (1..=days).filter(|day| (month, *day) != (2, 1)) {
            for hour in 0..24 {
                writeln!(csv, "2023-{month:02}-{day:02}T{hour:02}:00,{}", 20 + hour).unwrap();
            }
        }
    }
    csv
}

async fn bring(house: &House, query: &str, body: impl Into<reqwest::Body>) -> Response {
    let url = house.url(&format!("/api/v1/inputs?{query}"));
    house.client.post(url).header("content-type", "application/octet-stream").body(body).send().await.unwrap()
}

async fn start(house: &House, request: Value) -> Response {
    house.client.post(house.url("/api/v1/runs")).json(&request).send().await.unwrap()
}

/// What `millwright simulate` says, with the file beside it.
fn simulate(args: &[&str]) -> Value {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("lmp.csv"), prices()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_millwright"));
    let output = command.current_dir(dir.path()).arg("simulate").args(args).args(["--json", "-"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn a_file_is_kept_with_what_was_read_and_mended() {
    let house = House::open().await;
    let made = bring(&house, "kind=price&name=lmp.csv&location=dallas-tx", prices()).await;
    assert_eq!(made.status(), StatusCode::CREATED, "{}", made.text().await.unwrap());
    let location = header(&made, "location");
    let kept: StoredInput = made.json().await.unwrap();
    assert_eq!(location, format!("/api/v1/inputs/{}", kept.id));
    assert_eq!((kept.name.as_str(), kept.content_bytes as usize), ("lmp.csv", prices().len()));
    let summary = &kept.summary;
    assert_eq!((summary.report.rows, summary.report.filled), (364 * 24, 24));
    let series = &summary.series[0];
    assert_eq!((series.name.as_str(), series.min, series.max), ("price_usd_per_mwh", 20.0, 43.0));
    assert!((series.mean - 31.5).abs() < 1e-9 && series.preview.len() == 96, "{series:?}");

    let again: StoredInput = bring(&house, "kind=price&name=other.csv", prices()).await.json().await.unwrap();
    assert_eq!(again, kept, "the same file is kept once");
    let text = json!({ "save": { "kind": "price", "name": "lmp.csv", "text": prices() } });
    let by_page: StoredInput = house.answer("input-save", text).await;
    assert_eq!(by_page, kept);
    let list: Vec<StoredInput> = house.answer("input-list", json!({})).await;
    assert_eq!(list, std::slice::from_ref(&kept));
    let page: Value = house.get("/api/v1/inputs?limit=1").await.json().await.unwrap();
    assert_eq!((&page["items"][0]["id"], &page["next"]), (&json!(kept.id), &Value::Null));
    let gone = house.client.delete(house.url(&location)).send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    problem(house.get(&location).await, StatusCode::NOT_FOUND, "not-found").await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_refused_with_its_line_and_column() {
    let house = House::open().await;
    let odd = prices().replacen("2023-01-01T03:00,23", "2023-01-01T03:00,cheap", 1);
    let refused = bring(&house, "kind=price&name=lmp.csv", odd).await;
    let told = problem(refused, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    let words = told["detail"].as_str().unwrap();
    for part in ["mp.csv, line 5", "price_usd_per_mwh", "cheap", "is not a number"] {
        assert!(words.contains(part), "{words}");
    }
    for (query, body) in [
        ("kind=weather&name=site.epw", b"PK\x03\x04 a zip".to_vec()),
        ("kind=price&name=empty.csv", Vec::new()),
        ("kind=price&name=", prices().into_bytes()),
        ("kind=price&name=lmp.csv&location=atlantis", prices().into_bytes()),
        ("kind=carbon&name=lmp.csv", prices().into_bytes()),
        ("kind=wind&name=lmp.csv", prices().into_bytes()),
        ("name=lmp.csv", prices().into_bytes()),
    ] {
        problem(bring(&house, query, body).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    }
    let large = bring(&house, "kind=weather&name=site.epw", vec![b' '; (4 << 20) + 1]).await;
    problem(large, StatusCode::PAYLOAD_TOO_LARGE, "too-large").await;
    let form =
        house.client.post(house.url("/api/v1/inputs?kind=price&name=a")).header("content-type", "application/zip");
    problem(form.body("x").send().await.unwrap(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-type").await;
}

#[tokio::test]
async fn a_run_with_a_file_and_changes_says_what_the_command_says() {
    let house = House::open().await;
    let kept: StoredInput = bring(&house, "kind=price&name=lmp.csv", prices()).await.json().await.unwrap();
    let request = json!({
        "design": "one-rack-gb200", "price": kept.id, "power_cap_w": 900, "supply_temperature_c": 38,
        "model": "llama-3.1-70b", "seed": 4,
    });
    let asked = start(&house, request.clone()).await;
    assert_eq!(asked.status(), StatusCode::ACCEPTED, "{}", asked.text().await.unwrap());
    let run: RunSummary = asked.json().await.unwrap();
    assert_eq!(house.events(&run.id).await.last(), Some(&RunState::Done));
    let report: Value = house.get(&format!("/api/v1/runs/{}/report.json", run.id)).await.json().await.unwrap();
    let changed = ["--power-cap", "900", "--supply-temperature", "38", "--model", "llama-3.1-70b"];
    let mut args = vec!["one-rack-gb200", "--prices", "lmp.csv", "--seed", "4"];
    args.extend(changed);
    assert_eq!(report, simulate(&args));
    let detail: RunDetail = house.get(&format!("/api/v1/runs/{}", run.id)).await.json().await.unwrap();
    assert_eq!(detail.summary.request.price, Some(kept.id.clone()));
    assert_eq!((detail.summary.request.version, detail.summary.request.step_minutes), (Some(1), 60));

    let used = house.client.delete(house.url(&format!("/api/v1/inputs/{}", kept.id))).send().await.unwrap();
    problem(used, StatusCode::CONFLICT, "conflict").await;
    let plain: RunSummary = start(&house, json!({ "design": "one-rack-gb200", "seed": 4 })).await.json().await.unwrap();
    house.events(&plain.id).await;
    let other: Value = house.get(&format!("/api/v1/runs/{}/report.json", plain.id)).await.json().await.unwrap();
    assert_ne!(other["input_hash"], report["input_hash"]);
}

#[tokio::test]
async fn the_demand_of_a_run_is_its_own() {
    let house = House::open().await;
    let utilisation = async |demand: Value| -> f64 {
        let request = json!({ "design": "one-rack-gb200", "demand": demand });
        let run: RunSummary = start(&house, request).await.json().await.unwrap();
        house.events(&run.id).await;
        let report: Value = house.get(&format!("/api/v1/runs/{}/report.json", run.id)).await.json().await.unwrap();
        report["utilisation"].as_f64().unwrap()
    };
    let (half, most) =
        (utilisation(json!({ "peak-share": 0.4 })).await, utilisation(json!({ "peak-share": 0.8 })).await);
    assert!((most / half - 2.0).abs() < 1e-6, "{half} and {most}");
}

#[tokio::test]
async fn what_a_run_cannot_be_made_with_is_refused() {
    let house = House::open().await;
    let kept: StoredInput = bring(&house, "kind=price&name=lmp.csv", prices()).await.json().await.unwrap();
    for (member, value, words) in [
        ("model", json!("gpt-9"), "the catalog has no model"),
        ("power_cap_w", json!(-1), "not a power"),
        ("power_cap_w", json!(5), "does not accept a cap"),
        ("supply_temperature_c", json!(90), "outside 5 to 60"),
        ("demand", json!({ "peak-share": -1 }), "demand"),
        ("carbon", json!(kept.id), "brought as price"),
        ("weather", json!("0".repeat(20)), "no input file"),
        ("weather", json!("no id"), "not a InputId"),
        ("wheather", json!("x"), "unknown field"),
        ("step_minutes", json!(7), "divide an hour"),
    ] {
        let refused = start(&house, json!({ "design": "one-rack-gb200", member: value })).await;
        let told = problem(refused, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
        assert!(told["detail"].as_str().unwrap().contains(words), "{member}: {told}");
    }
    let version = start(&house, json!({ "design": "one-rack-gb200", "version": 9 })).await;
    problem(version, StatusCode::NOT_FOUND, "not-found").await;
}

#[tokio::test]
async fn a_queued_run_keeps_its_file_through_a_restart() {
    let house = House::open().await;
    let kept: StoredInput = bring(&house, "kind=price&name=lmp.csv", prices()).await.json().await.unwrap();
    let request = json!({ "design": "facility-1gw", "step_minutes": 1, "price": kept.id });
    let run: RunSummary = start(&house, request).await.json().await.unwrap();
    let House { served, dir, .. } = house;
    served.stop().await.unwrap();
    let house = House::open_in(dir, 8).await;
    assert_eq!(house.events(&run.id).await.last(), Some(&RunState::Done));
    let report: Value = house.get(&format!("/api/v1/runs/{}/report.json", run.id)).await.json().await.unwrap();
    assert_eq!(report["input"][1]["file"], "lmp.csv");
}

#[tokio::test]
async fn files_up_to_their_limit_are_taken_by_programs_and_pages_alike() {
    let house = House::open().await;
    let mut trace = "TIMESTAMP,ContextTokens,GeneratedTokens\n".to_owned();
    for second in 0..110_000_u32 {
        let (hour, minute, of) = (second / 3600, second / 60 % 60, second % 60);
        writeln!(trace, "2023-11-{:02} {:02}:{minute:02}:{of:02}.00,374,44", 16 + hour / 24, hour % 24).unwrap();
    }
    assert!(trace.len() > 3 << 20, "{} bytes", trace.len());
    let kept = bring(&house, "kind=requests&name=trace.csv", trace.clone()).await;
    assert_eq!(kept.status(), StatusCode::CREATED, "{}", kept.text().await.unwrap());
    let text = json!({ "save": { "kind": "requests", "name": "trace.csv", "text": trace } });
    let by_page: StoredInput = house.answer("input-save", text).await;
    assert_eq!(by_page.content_bytes, kept.json::<StoredInput>().await.unwrap().content_bytes);
}

const TYPE: &str = "manufacturer: Acme\nmodel: G8\nslug: acme-g8\nu_height: 8\nis_full_depth: true\nweight: 130\nweight_unit: kg\n\
    power-ports:\n  - name: PSU1\n    type: iec-60320-c20\n    maximum_draw: 3300\n";

#[tokio::test]
async fn netbox_types_are_read_by_programs_pages_and_the_command_alike() {
    let house = House::open().await;
    let read = async |name: &str, text: String| {
        let url = house.url(&format!("/api/v1/catalog/parts?name={name}"));
        house.client.post(url).header("content-type", "application/octet-stream").body(text).send().await.unwrap()
    };
    let by_program: Value = read("g8.yaml", TYPE.into()).await.json().await.unwrap();
    assert_eq!(by_program["parts"]["tray"][0]["rated_power_w"], 3300.0);
    let by_page: Value = house.answer("parts-read", json!({ "file": { "name": "g8.yaml", "text": TYPE } })).await;
    assert_eq!(by_page["read"], by_program);

    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("g8.yaml"), TYPE).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_millwright"));
    let output = command.current_dir(dir.path()).args(["catalog", "import", "g8.yaml"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let toml = String::from_utf8(output.stdout).unwrap();
    assert!(toml.starts_with("# g8.yaml: Acme G8: idle draw is taken as half"), "{toml}");
    // What the command prints can be read again, and says the same.
    let again: Value = read("g8.toml", toml).await.json().await.unwrap();
    assert_eq!(again["parts"], by_program["parts"]);

    let tall =
        problem(read("g8.yaml", TYPE.replace("8\n", "tall\n")).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid")
            .await;
    assert!(tall["detail"].as_str().unwrap().contains("g8.yaml, line 4"), "{tall}");
    let odd = read("rows.toml", "[[gpu]]\nid = \"x\"\n".into()).await;
    problem(odd, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    problem(read("", TYPE.into()).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
}
