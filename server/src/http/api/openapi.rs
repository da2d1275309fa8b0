//! The API's own description, OpenAPI 3.1: what handlers say of themselves, and what holds for all of them.

use super::runs::XLSX;
use crate::error::{PROBLEM_JSON, Problem};
use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

/// What stands above the operations.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Millwright",
        description = "What programs ask of a Millwright: designs with every version, what they come to, years that run \
            as jobs, files that they are made with, the catalog, share links.\n\nNames of figures end in their unit. Every answer has a strong ETag; ask \
            with If-None-Match and be told 304 where nothing changed. A list goes on with the `next` of its page as \
            `cursor`. A POST with an Idempotency-Key is carried out once: sent again within 24 hours, it gets the same \
            answer, with `Idempotency-Replayed: true`. Errors are problems in JSON (RFC 9457). Where too much is asked at \
            once the answer is 503 with Retry-After.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        version = env!("CARGO_PKG_VERSION")
    ),
    components(schemas(Problem, super::catalog::ListName)),
    tags(
        (name = "designs", description = "Designs and their versions."),
        (name = "evaluation", description = "What a design comes to, at once."),
        (name = "runs", description = "Years that run as jobs, and their reports."),
        (name = "inputs", description = "Files that runs are made with: weather, prices, carbon, requests."),
        (name = "catalog", description = "What designs may name, each figure with its source."),
        (name = "snapshots", description = "Texts that share links lead to."),
        (name = "replays", description = "Requests through a fleet, one by one."),
        (name = "optimizer", description = "Operating points, power under steering, and sweeps over choices."),
    )
)]
struct Head;

/// What stands above the operations.
pub fn head() -> Document {
    Head::openapi()
}

/// Adds what holds for every operation: tags of answers, keys of requests, problems.
pub fn complete(document: Document) -> Value {
    let mut value = serde_json::to_value(document).unwrap_or_default();
    value["components"]["responses"] = json!({ "Problem": problem() });
    if let Some(paths) = value["paths"].as_object_mut() {
        for item in paths.values_mut().filter_map(Value::as_object_mut) {
            for (method, operation) in item.iter_mut() {
                if let Some(operation) = operation.as_object_mut() {
                    complete_operation(method, operation);
                }
            }
        }
    }
    value
}

fn problem() -> Value {
    json!({
        "description": "Why not, in words. `type` leads to what is known of this kind of problem.",
        "content": { PROBLEM_JSON: { "schema": { "$ref": "#/components/schemas/Problem" } } }
    })
}

/// What stands in the place of a design's text in examples.
const EXAMPLE: &str = "one-rack-gb200";

/// A file that can be brought: two requests are a trace.
const EXAMPLE_FILE: &str = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,374,44\n\
    2023-11-16 18:15:50.95,396,109\n";

/// A NetBox type that parts are made of.
const EXAMPLE_TYPE: &str = "manufacturer: Acme\nmodel: G8\nslug: acme-g8\nu_height: 8\nis_full_depth: true\nweight: 130\n\
    weight_unit: kg\npower-ports:\n  - name: PSU1\n    type: iec-60320-c20\n    maximum_draw: 3300\n";

/// What can be asked of a thing that was made: its maker, and those who take its id.
const LINKS: [(&str, &[&str]); 3] = [
    ("runs_create", &["runs_get", "runs_cancel", "runs_report", "runs_report_csv", "runs_report_xlsx"]),
    ("inputs_create", &["inputs_get", "inputs_delete"]),
    ("replays_create", &["replays_get", "replays_requests", "replays_delete"]),
];

fn add_links(operation: &mut Map<String, Value>) {
    let maker = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
    let Some((_, takers)) = LINKS.iter().find(|(known, _)| *known == maker) else { return };
    let links: Map<String, Value> = takers
        .iter()
        .map(|taker| {
            let link = json!({ "operationId": taker, "parameters": { "id": "$response.body#/id" } });
            ((*taker).to_owned(), link)
        })
        .collect();
    for status in ["201", "202"] {
        if let Some(response) = operation.get_mut("responses").and_then(|all| all.get_mut(status)) {
            response["links"] = links.clone().into();
        }
    }
}

/// Gives parameters and bodies examples that can be sent as they are.
fn add_examples(operation: &mut Map<String, Value>) {
    let brings = operation.get("operationId").is_some_and(|id| id == "inputs_create");
    let parts = operation.get("operationId").is_some_and(|id| id == "catalog_parts");
    for one in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = one["name"].as_str().unwrap_or_default();
        let example = match (one["schema"]["$ref"].as_str().unwrap_or_default(), name) {
            ("#/components/schemas/DesignId", _) => EXAMPLE,
            ("#/components/schemas/CatalogKind", _) => "rack",
            ("#/components/schemas/PartId", _) => "gb200-nvl72",
            (_, "kind") if brings => "requests",
            (_, "name") if brings => "trace.csv",
            (_, "name") if parts => "types.yaml",
            _ => continue,
        };
        one["example"] = example.into();
    }
    let json = match operation.get("operationId").and_then(Value::as_str).unwrap_or_default() {
        "runs_create" => json!({ "design": EXAMPLE, "step_minutes": 60, "seed": 1 }),
        "designs_branch" => json!({ "name": "Our rack" }),
        "replays_create" => json!({
            "name": "Chat on 16 H100",
            "setup": {
                "gpu": "h100-sxm", "model": "llama-3.1-70b", "precision": "fp8", "engine": "vllm",
                "tensor": 4, "data": 1, "expert": 1, "replicas": 4, "ttft_ms": 2000, "tpot_ms": 50
            },
            "requests": { "from": "made-up", "kind": "chat", "requests_per_s": 8, "count": 500, "seed": 1 }
        }),
        _ => Value::Null,
    };
    let Some(content) = operation.get_mut("requestBody").and_then(|body| body.get_mut("content")) else { return };
    if content["application/toml"].is_object()
        && let Some(design) = catalog::design(EXAMPLE)
    {
        content["application/toml"]["example"] = design.text.into();
    }
    if content["application/octet-stream"].is_object() {
        content["application/octet-stream"]["example"] = if parts { EXAMPLE_TYPE } else { EXAMPLE_FILE }.into();
    }
    if content["application/json"].is_object() && !json.is_null() {
        content["application/json"]["example"] = json;
    }
}

fn complete_operation(method: &str, operation: &mut Map<String, Value>) {
    add_examples(operation);
    add_links(operation);
    let has = |place: &str| {
        operation
            .get("parameters")
            .and_then(Value::as_array)
            .is_some_and(|all| all.iter().any(|one| one["in"] == place))
    };
    let (by_path, by_query, has_body) = (has("path"), has("query"), operation.contains_key("requestBody"));
    let mut statuses = vec!["default"];
    if by_path {
        statuses.push("404");
    }
    if by_query || has_body || method != "get" {
        statuses.push("422");
    }
    if has_body {
        statuses.extend(["400", "413", "415"]);
    }
    match method {
        "get" if is_stream(operation) => return complete_stream(operation, &statuses),
        "get" => {
            let words = "ETags that you have; 304 where one of them is still right.";
            add_header(operation, "If-None-Match", words, &json!({ "type": "string" }));
        }
        "post" => {
            let words = "What you call this request: sent again with the same key, it is carried out once.";
            let key = json!({ "type": "string", "minLength": 1, "maxLength": super::once::KEY_CHARS_MAX });
            add_header(operation, "Idempotency-Key", words, &key);
            statuses.extend(["409", "503"]);
        }
        "put" => statuses.extend(["409", "412", "428"]),
        "delete" => statuses.push("409"),
        _ => {}
    }
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    if method == "get" {
        responses.insert("304".into(), json!({ "description": "You have it already.", "headers": etag() }));
    }
    for status in ["200", "201", "202"] {
        if let Some(response) = responses.get_mut(status) {
            response["headers"] = headers_of(status);
            if let Some(content) = response.get_mut("content").and_then(|content| content.get_mut(XLSX)) {
                content["schema"] = json!({ "type": "string", "format": "binary" });
            }
        }
    }
    add_problems(responses, &statuses);
}

fn add_problems(responses: &mut Map<String, Value>, statuses: &[&str]) {
    for status in statuses {
        responses.entry(*status).or_insert_with(|| json!({ "$ref": "#/components/responses/Problem" }));
    }
}

/// Live events have no tag: they are never the same twice.
fn is_stream(operation: &Map<String, Value>) -> bool {
    operation.get("responses").is_some_and(|responses| responses["200"]["content"]["text/event-stream"].is_object())
}

fn complete_stream(operation: &mut Map<String, Value>, statuses: &[&str]) {
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    responses["200"]["content"]["text/event-stream"]["schema"] = json!({
        "type": "object", "required": ["data"],
        "properties": { "data": { "type": "string", "description": "A `RunState` in JSON." } }
    });
    add_problems(responses, statuses);
}

fn etag() -> Value {
    json!({ "ETag": { "description": "Names these bytes.", "schema": { "type": "string" } } })
}

fn headers_of(status: &str) -> Value {
    let mut headers = etag();
    if status != "200" {
        headers["Location"] = json!({ "description": "Where it is.", "schema": { "type": "string" } });
    }
    headers
}

fn add_header(operation: &mut Map<String, Value>, name: &str, words: &str, schema: &Value) {
    let header = json!({ "name": name, "in": "header", "required": false, "description": words, "schema": schema });
    if let Some(all) = operation.entry("parameters").or_insert_with(|| json!([])).as_array_mut() {
        all.push(header);
    }
}
