//! The HTTP API as a program uses it: its own description, tags, cursors, changes against a version, keys, problems.

use crate::common::House;
use model::report::Evaluation;
use model::run::{DesignDetail, DesignSummary, RunSummary};
use model::version::{DesignVersion, Merge};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

const TEXT: &str = include_str!("../../catalog/designs/one-rack-gb200.toml");

impl House {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(&format!("/api/v1{path}")))
    }
    async fn api(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }
    async fn post_toml(&self, path: &str, toml: &str) -> Response {
        let request = self.request(Method::POST, path).header("content-type", "application/toml");
        request.body(toml.to_owned()).send().await.unwrap()
    }
    async fn post(&self, path: &str, body: Value) -> Response {
        self.request(Method::POST, path).json(&body).send().await.unwrap()
    }
    async fn put_toml(&self, path: &str, tag: &str, toml: &str) -> Response {
        let request =
            self.request(Method::PUT, path).header("content-type", "application/toml").header("if-match", tag);
        request.body(toml.to_owned()).send().await.unwrap()
    }
}

pub(crate) fn header(response: &Response, name: &str) -> String {
    let value = response.headers().get(name).unwrap_or_else(|| panic!("no {name} in {:?}", response.headers()));
    value.to_str().unwrap().to_owned()
}

/// A problem, which must be of this status and kind.
pub(crate) async fn problem(response: Response, status: StatusCode, kind: &str) -> Value {
    assert_eq!(response.status(), status);
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["status"], status.as_u16());
    assert_eq!(problem["type"], format!("/api/v1/docs#problem-{kind}"));
    assert!(problem["title"].is_string() && problem["detail"].as_str().is_some_and(|words| !words.is_empty()));
    assert!(problem["instance"].as_str().unwrap().starts_with("/api/v1/"), "{problem}");
    problem
}

/// Run with `MILLWRIGHT_UPDATE=1` to write the document anew; its difference is then there to be read.
#[tokio::test]
async fn golden_the_description_is_the_one_that_is_kept() {
    let house = House::open().await;
    let told: Value = house.api("/openapi.json").await.json().await.unwrap();
    assert_eq!(told, server::http::api::document());
    let text = serde_json::to_string_pretty(&told).unwrap() + "\n";
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/house/openapi.json");
    if std::env::var_os("MILLWRIGHT_UPDATE").is_some() {
        std::fs::write(&kept, &text).unwrap();
    }
    let same = std::fs::read_to_string(&kept).unwrap() == text;
    assert!(same, "the API is not as tests/house/openapi.json says; MILLWRIGHT_UPDATE=1 writes it anew");
}

#[tokio::test]
async fn every_reference_of_the_description_leads_somewhere() {
    fn references<'v>(value: &'v Value, into: &mut BTreeSet<&'v str>) {
        match value {
            Value::Object(members) => {
                into.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, into));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, into)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document = server::http::api::document();
    assert_eq!(document["openapi"].as_str().unwrap().get(..3), Some("3.1"));
    let mut all = BTreeSet::new();
    references(&document, &mut all);
    for reference in all {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    let operations: Vec<&Value> =
        document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values()).collect();
    let ids: BTreeSet<&str> = operations.iter().map(|one| one["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), operations.len(), "ids are unique");
    for one in operations {
        assert!(one["summary"].is_string() && one["responses"]["default"].is_object(), "{one}");
    }
}

#[tokio::test]
async fn the_documentation_lists_every_operation_and_needs_no_script() {
    let house = House::open().await;
    let page = house.api("/docs").await;
    assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
    let html = page.text().await.unwrap();
    assert!(!html.contains("<script") && !html.contains(" style=") && !html.contains("http://www"));
    for (path, item) in server::http::api::document()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(html.contains(&format!("<h2 id=\"{id}\"><code>{} {path}</code>", method.to_uppercase())), "{id}");
        }
    }
    for anchor in html.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(html.contains(&format!("id=\"{anchor}\"")), "#{anchor} leads nowhere");
    }
}

#[tokio::test]
async fn a_design_is_made_read_in_two_formats_and_not_sent_twice() {
    let house = House::open().await;
    let made = house.post_toml("/designs", TEXT).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let location = header(&made, "location");
    let summary: DesignSummary = made.json().await.unwrap();
    assert_eq!(location, format!("/api/v1/designs/{}", summary.id));
    let path = format!("/designs/{}", summary.id);

    let json = house.api(&path).await;
    assert_eq!(header(&json, "vary"), "accept");
    let tag = header(&json, "etag");
    assert!(tag.starts_with("\"v1."), "{tag}");
    let detail: DesignDetail = json.json().await.unwrap();
    let toml = house.request(Method::GET, &path).header("accept", "application/toml").send().await.unwrap();
    assert_eq!(header(&toml, "content-type"), "application/toml");
    assert_ne!(header(&toml, "etag"), tag, "other bytes, another tag");
    assert_eq!(toml.text().await.unwrap(), detail.toml);

    let again = house.request(Method::GET, &path).header("if-none-match", &tag).send().await.unwrap();
    assert_eq!((again.status(), header(&again, "etag")), (StatusCode::NOT_MODIFIED, tag));
    assert!(again.text().await.unwrap().is_empty());
    let picture = house.request(Method::GET, &path).header("accept", "image/png").send().await.unwrap();
    problem(picture, StatusCode::NOT_ACCEPTABLE, "not-acceptable").await;

    let same = house.post("/designs", json!({ "name": "As JSON", "design": detail.design })).await;
    assert_eq!(same.status(), StatusCode::CREATED);
    let both = house.post("/designs", json!({ "toml": TEXT, "design": detail.design })).await;
    problem(both, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
}

#[tokio::test]
async fn a_change_names_its_version_and_hears_of_the_other() {
    let house = House::open().await;
    let made: DesignSummary = house.post_toml("/designs", TEXT).await.json().await.unwrap();
    let path = format!("/designs/{}", made.id);
    let first = house.api(&path).await;
    let tag = header(&first, "etag");
    let base = first.json::<DesignDetail>().await.unwrap().toml;

    let untold = house.request(Method::PUT, &path).header("content-type", "application/toml").body(base.clone());
    problem(untold.send().await.unwrap(), StatusCode::PRECONDITION_REQUIRED, "version-required").await;

    let theirs = base.replace("tpot_s = 0.03", "tpot_s = 0.05");
    let kept = house.put_toml(&path, &tag, &theirs).await;
    assert_eq!(kept.status(), StatusCode::OK);
    let newer = header(&kept, "etag");
    assert_eq!(kept.json::<DesignVersion>().await.unwrap().version, 2);

    let yours = base.replace("supply_temperature_c = 40", "supply_temperature_c = 38");
    let late = problem(house.put_toml(&path, &tag, &yours).await, StatusCode::PRECONDITION_FAILED, "changed").await;
    assert_eq!((&late["yours"], &late["theirs"], &late["base"]), (&json!(yours), &json!(theirs), &json!(base)));
    let Merge::Clean { text } = serde_json::from_value(late["merge"].clone()).unwrap() else { panic!("{late}") };
    assert_eq!(house.put_toml(&path, &newer, &text).await.status(), StatusCode::OK);

    let odd = problem(house.put_toml(&path, "\"what\"", &base).await, StatusCode::PRECONDITION_FAILED, "changed").await;
    assert!(odd["theirs"].is_string() && odd.get("base").is_none(), "{odd}");
    let named = json!({ "toml": base, "label": "back", "message": "to what it was" });
    let any = house.request(Method::PUT, &path).header("if-match", "*").json(&named).send().await.unwrap();
    let version: DesignVersion = any.json().await.unwrap();
    assert_eq!((version.version, version.label.as_str()), (4, "back"));
    let versions: Vec<DesignVersion> = house.api(&format!("{path}/versions")).await.json().await.unwrap();
    assert_eq!(versions.len(), 4);
    let old = house.request(Method::GET, &format!("{path}/versions/2")).header("accept", "application/toml");
    assert_eq!(old.send().await.unwrap().text().await.unwrap(), theirs);

    let reference = house.put_toml("/designs/one-rack-gb200", "*", &theirs).await;
    let words = problem(reference, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    assert!(words["detail"].as_str().unwrap().contains("branch it"), "{words}");
}

#[tokio::test]
async fn branches_and_the_archive() {
    let house = House::open().await;
    let branch = house.post("/designs/one-rack-gb200/branch", json!({ "name": "Ours" })).await;
    assert_eq!(
        (branch.status(), header(&branch, "location")),
        (StatusCode::CREATED, "/api/v1/designs/ours".to_owned())
    );
    let summary: DesignSummary = branch.json().await.unwrap();
    assert_eq!(summary.branched_from.unwrap().design.as_str(), "one-rack-gb200");
    let unnamed: DesignSummary = house.post("/designs/one-rack-gb200/branch", json!({})).await.json().await.unwrap();
    assert_eq!(unnamed.name, "One GB200 NVL72 rack (branch)");
    let put_away: DesignSummary = house.post("/designs/ours/archive", json!({})).await.json().await.unwrap();
    assert!(put_away.archived_ms.is_some());
    let archived: Value = house.api("/designs?shelf=archived").await.json().await.unwrap();
    assert_eq!((archived["items"].as_array().unwrap().len(), &archived["items"][0]["id"]), (1, &json!("ours")));
    problem(
        house.put_toml("/designs/ours", "*", &TEXT.replace("0.03", "0.04")).await,
        StatusCode::CONFLICT,
        "conflict",
    )
    .await;
    let back: DesignSummary = house.post("/designs/ours/restore", json!({})).await.json().await.unwrap();
    assert_eq!(back.archived_ms, None);
    problem(house.post("/designs/nowhere/archive", json!({})).await, StatusCode::NOT_FOUND, "not-found").await;
}

/// Every item of a list, by its longest pages.
async fn whole(house: &House, path: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page: Value = house.api(&format!("{path}{cursor}")).await.json().await.unwrap();
        items.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { return items };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn lists_go_on_by_cursor_to_their_end() {
    let house = House::open().await;
    for list in ["/designs", "/catalog", "/catalog?kind=rack"] {
        let join = if list.contains('?') { '&' } else { '?' };
        let whole = whole(&house, &format!("{list}{join}limit=200")).await;
        let (mut seen, mut path) = (Vec::new(), format!("{list}{join}limit=4"));
        loop {
            let response = house.api(&path).await;
            let link = response.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
            let page: Value = response.json().await.unwrap();
            seen.extend(page["items"].as_array().unwrap().clone());
            let Some(link) = link else {
                assert_eq!(page["next"], Value::Null);
                break;
            };
            let url = link.strip_prefix("</api/v1").and_then(|rest| rest.strip_suffix(">; rel=\"next\"")).unwrap();
            assert!(url.contains(page["next"].as_str().unwrap()));
            url.clone_into(&mut path);
        }
        assert_eq!(seen, whole, "{list}");
        for bad in ["cursor=nowhere", "cursor=%00", "limit=0", "limit=201", "limit=x", "speed=1"] {
            let refused = house.api(&format!("{list}{join}{bad}")).await;
            problem(refused, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
        }
    }
}

#[tokio::test]
async fn what_the_command_says_the_api_says() {
    let house = House::open().await;
    let command = std::process::Command::new(env!("CARGO_BIN_EXE_millwright"));
    let say = |args: &[&str]| -> Value {
        let mut command = std::process::Command::new(command.get_program());
        let output = command.args(args).args(["--json", "-"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    };
    for reference in catalog::designs() {
        let said = say(&["evaluate", reference.id]);
        let stored: Value = house.api(&format!("/designs/{}/evaluate", reference.id)).await.json().await.unwrap();
        assert_eq!(stored, said, "{}", reference.id);
        let text: Value = house.post_toml("/evaluate", reference.text).await.json().await.unwrap();
        assert_eq!(text, said, "{}", reference.id);
    }
    let asked = house.post("/runs", json!({ "design": "one-rack-gb200", "step_minutes": 30, "seed": 9 })).await;
    assert_eq!(asked.status(), StatusCode::ACCEPTED);
    let run: RunSummary = asked.json().await.unwrap();
    house.events(&run.id).await;
    let report: Value = house.api(&format!("/runs/{}/report.json", run.id)).await.json().await.unwrap();
    assert_eq!(report, say(&["simulate", "one-rack-gb200", "--step", "30", "--seed", "9"]));
}

#[tokio::test]
async fn a_report_can_be_had_as_csv_and_as_a_workbook() {
    let house = House::open().await;
    let run: RunSummary = house.post("/runs", json!({ "design": "one-rack-gb200" })).await.json().await.unwrap();
    problem(house.api("/runs/nowhere/report.xlsx").await, StatusCode::NOT_FOUND, "not-found").await;
    house.events(&run.id).await;
    let csv = house.api(&format!("/runs/{}/report.csv", run.id)).await;
    assert_eq!(header(&csv, "content-type"), "text/csv; charset=utf-8");
    assert_eq!(header(&csv, "content-disposition"), format!("attachment; filename=\"millwright-{}.csv\"", run.id));
    let text = csv.text().await.unwrap();
    assert!(text.contains("Summary,PUE,value,1.") && text.contains("Months,December,facility_energy_mwh,"), "{text}");
    let path = format!("/runs/{}/report.xlsx", run.id);
    let book = house.api(&path).await;
    let tag = header(&book, "etag");
    assert!(book.bytes().await.unwrap().starts_with(b"PK"));
    let again = house.request(Method::GET, &path).header("if-none-match", tag).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "the same bytes each time");
}

#[tokio::test]
async fn a_text_is_evaluated_or_refused_with_its_line() {
    let house = House::open().await;
    let design = house.api("/designs/one-rack-gb200").await.json::<DesignDetail>().await.unwrap().design.unwrap();
    let by_json: Evaluation = house.post("/evaluate", json!(design)).await.json().await.unwrap();
    let by_toml: Evaluation = house.post_toml("/evaluate", TEXT).await.json().await.unwrap();
    assert_eq!(by_json, by_toml);
    let unreadable = TEXT.replacen("contract_power_w = 220_000", "contract_power_w = \"much\"", 1);
    let refused =
        problem(house.post_toml("/evaluate", &unreadable).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    assert_eq!((&refused["line"], &refused["field"]), (&json!(5), &json!("contract_power_w")));
    let nowhere = TEXT.replace("part = \"ups-250kw\"", "part = \"ups-250kv\"");
    let refused =
        problem(house.post_toml("/evaluate", &nowhere).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    assert_eq!(refused["notes"][0]["note"]["kind"]["kind"], "unknown-part", "{refused}");
    assert!(refused["notes"][0]["line"].is_u64());
}

#[tokio::test]
async fn a_key_makes_a_request_once() {
    let house = House::open().await;
    let with_key = async |path: &str, key: &str, toml: &str| -> Response {
        let request = house.request(Method::POST, path).header("content-type", "application/toml");
        request.header("idempotency-key", key).body(toml.to_owned()).send().await.unwrap()
    };
    let first = with_key("/designs", "k-1", TEXT).await;
    assert!(!first.headers().contains_key("idempotency-replayed"));
    let (location, made) = (header(&first, "location"), first.text().await.unwrap());
    let again = with_key("/designs", "k-1", TEXT).await;
    assert_eq!((again.status(), header(&again, "idempotency-replayed")), (StatusCode::CREATED, "true".to_owned()));
    assert_eq!((header(&again, "location"), again.text().await.unwrap()), (location, made));
    assert_eq!(house.designs().await.len(), catalog::designs().len() + 1);
    let other = with_key("/designs", "k-1", &TEXT.replace("0.03", "0.04")).await;
    problem(other, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    let refused = with_key("/designs", "k-2", "no design").await;
    problem(refused, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    assert_eq!(with_key("/designs", "k-2", TEXT).await.status(), StatusCode::CREATED, "a refusal spends no key");
    problem(with_key("/designs", &"k".repeat(256), TEXT).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    let (one, two) = tokio::join!(with_key("/designs", "k-3", TEXT), with_key("/designs", "k-3", TEXT));
    let mut statuses = [one.status(), two.status()];
    statuses.sort();
    assert!(statuses == [StatusCode::CREATED; 2] || statuses == [StatusCode::CREATED, StatusCode::CONFLICT]);
    assert_eq!(house.designs().await.len(), catalog::designs().len() + 3);
}

#[tokio::test]
async fn a_share_link_and_a_catalog_row() {
    let house = House::open().await;
    let kept = house.post_toml("/snapshots", TEXT).await;
    assert_eq!(kept.status(), StatusCode::CREATED);
    let location = header(&kept, "location");
    let text = house.get(&location).await;
    assert_eq!(header(&text, "content-type"), "application/toml");
    assert_eq!(text.text().await.unwrap(), TEXT);
    let row: Value = house.api("/catalog/rack/gb200-nvl72").await.json().await.unwrap();
    assert_eq!(row["id"], "gb200-nvl72");
    assert!(row["source"].is_string());
    for nowhere in ["/catalog/rack/nowhere", "/catalog/racks/gb200-nvl72", "/catalog/rack/A%20B"] {
        problem(house.api(nowhere).await, StatusCode::NOT_FOUND, "not-found").await;
    }
}

#[tokio::test]
async fn every_refusal_is_a_problem() {
    let house = House::open().await;
    problem(house.api("/nowhere").await, StatusCode::NOT_FOUND, "not-found").await;
    problem(house.api("/designs/NO%20ID").await, StatusCode::NOT_FOUND, "not-found").await;
    let method = house.request(Method::DELETE, "/designs").send().await.unwrap();
    assert!(header(&method, "allow").contains("POST"));
    problem(method, StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed").await;
    let wrong =
        house.request(Method::POST, "/designs").header("content-type", "text/csv").body("a").send().await.unwrap();
    problem(wrong, StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-type").await;
    let broken = house.request(Method::POST, "/runs").header("content-type", "application/json").body("{").send().await;
    problem(broken.unwrap(), StatusCode::BAD_REQUEST, "malformed").await;
    problem(house.post("/runs", json!({ "design": 3 })).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    let long = house.post_toml("/evaluate", &"#".repeat((1 << 20) + 1)).await;
    problem(long, StatusCode::PAYLOAD_TOO_LARGE, "too-large").await;
    let longer = house.post("/runs", json!({ "design": "x".repeat(1 << 17) })).await;
    problem(longer, StatusCode::PAYLOAD_TOO_LARGE, "too-large").await;
    let foreign = house.request(Method::POST, "/runs").header("origin", "http://evil.example").send().await.unwrap();
    problem(foreign, StatusCode::FORBIDDEN, "forbidden").await;
    let host = house.request(Method::GET, "/runs").header("host", "evil.example").send().await.unwrap();
    problem(host, StatusCode::MISDIRECTED_REQUEST, "misdirected").await;
    let page = house.get("/api/v10").await;
    assert_eq!(page.headers()["content-type"], "application/json", "it is not under the API");
}

#[tokio::test]
async fn a_full_queue_says_when_to_try_again() {
    let house = House::open_in(tempfile::tempdir().unwrap(), 1).await;
    let start = async || house.post("/runs", json!({ "design": "facility-1gw", "step_minutes": 1, "seed": 1 })).await;
    let mut refused = None;
    for _ in 0..3 {
        let response = start().await;
        if response.status() != StatusCode::ACCEPTED {
            refused = Some(response);
        }
    }
    let refused = refused.unwrap();
    assert!(header(&refused, "retry-after").parse::<u32>().unwrap() > 0);
    problem(refused, StatusCode::SERVICE_UNAVAILABLE, "busy").await;
    let page: Value = house.api("/runs?limit=1").await.json().await.unwrap();
    let newest = page["items"][0]["id"].as_str().unwrap();
    let cancelled = house.post(&format!("/runs/{newest}/cancel"), json!({})).await;
    assert_eq!(cancelled.json::<Value>().await.unwrap()["state"]["state"], "cancelled");
    problem(house.post(&format!("/runs/{newest}/cancel"), json!({})).await, StatusCode::CONFLICT, "conflict").await;
    problem(house.api(&format!("/runs/{newest}/report.json")).await, StatusCode::NOT_FOUND, "not-found").await;
    let (older, none) = (page["next"].as_str().unwrap(), "/runs?cursor=nowhere");
    let rest: Value = house.api(&format!("/runs?cursor={older}")).await.json().await.unwrap();
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (1, &Value::Null));
    problem(house.api(none).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    house.served.stop().await.unwrap();
}
