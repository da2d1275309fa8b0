//! The API's documentation as one page of plain HTML: made once from the OpenAPI document, no script, our own style.

use crate::error::PROBLEMS;
use serde_json::Value;
use std::fmt::Write;

/// Host of the examples.
const HOST: &str = "http://127.0.0.1:8080";

/// The page.
pub fn page(document: &Value) -> String {
    let mut html = String::with_capacity(256 << 10);
    html.push_str(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\
         <meta name=\"color-scheme\" content=\"light dark\"/><title>API – Millwright</title>\
         <link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\"/>\
         <link rel=\"stylesheet\" href=\"/style/tokens.css\"/><link rel=\"stylesheet\" href=\"/style/main.css\"/>\
         </head><body><a class=\"skip\" href=\"#content\">Skip to the content</a>\
         <header class=\"top\"><a class=\"brand\" href=\"/\">Millwright</a><nav aria-label=\"Main\">\
         <a href=\"/designs\">Designs</a><a href=\"/runs\">Runs</a></nav></header>\
         <main id=\"content\" tabindex=\"-1\"><h1>The API</h1>",
    );
    for paragraph in words(&document["info"]["description"]).split("\n\n") {
        let _ = write!(html, "<p>{}</p>", prose(paragraph));
    }
    let version = escaped(words(&document["info"]["version"]));
    let _ = write!(
        html,
        "<p>Version {version}. The same for programs: <a href=\"/api/v1/openapi.json\">openapi.json</a> (OpenAPI 3.1).</p>"
    );
    contents(&mut html, document);
    for (path, method, operation) in operations(document) {
        section(&mut html, document, path, method, operation);
    }
    problems(&mut html);
    schemas(&mut html, document);
    html.push_str("</main></body></html>\n");
    html
}

/// Every operation with its path and method.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let items = document["paths"].as_object().into_iter().flatten();
    items.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

fn contents(html: &mut String, document: &Value) {
    html.push_str("<h2>Operations</h2><div class=\"scroll\"><table><thead><tr><th scope=\"col\">Operation</th>");
    html.push_str("<th scope=\"col\">What it does</th></tr></thead><tbody>");
    for (path, method, operation) in operations(document) {
        let id = escaped(words(&operation["operationId"]));
        let _ = write!(
            html,
            "<tr><th scope=\"row\"><a href=\"#{id}\"><code>{} {}</code></a></th><td>{}</td></tr>",
            method.to_uppercase(),
            escaped(path),
            prose(words(&operation["summary"]))
        );
    }
    html.push_str("</tbody></table></div>");
}

fn section(html: &mut String, document: &Value, path: &str, method: &str, operation: &Value) {
    let id = escaped(words(&operation["operationId"]));
    let _ = write!(
        html,
        "<section aria-labelledby=\"{id}\"><h2 id=\"{id}\"><code>{} {}</code></h2><p>{}</p>",
        method.to_uppercase(),
        escaped(path),
        prose(words(&operation["summary"]))
    );
    let more = words(&operation["description"]);
    if !more.is_empty() {
        let _ = write!(html, "<p>{}</p>", prose(more));
    }
    parameters(html, operation);
    if let Some(content) = operation["requestBody"]["content"].as_object() {
        let kinds: Vec<String> =
            content.iter().map(|(kind, body)| format!("{}: {}", code(kind), type_of(&body["schema"]))).collect();
        let _ = write!(html, "<h3>Body</h3><p>{}</p>", kinds.join("; "));
    }
    responses(html, document, operation);
    let _ = write!(
        html,
        "<h3>Example</h3><pre><code>{}</code></pre></section>",
        escaped(&example(path, method, operation))
    );
}

fn parameters(html: &mut String, operation: &Value) {
    let Some(all) = operation["parameters"].as_array().filter(|all| !all.is_empty()) else { return };
    html.push_str(
        "<h3>Parameters</h3><div class=\"scroll\"><table><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">In</th>\
         <th scope=\"col\">Type</th><th scope=\"col\">Meaning</th></tr></thead><tbody>",
    );
    for one in all {
        let needed = if one["required"] == true { ", required" } else { "" };
        let _ = write!(
            html,
            "<tr><th scope=\"row\">{}</th><td>{}{needed}</td><td>{}</td><td>{}</td></tr>",
            code(words(&one["name"])),
            escaped(words(&one["in"])),
            type_of(&one["schema"]),
            prose(words(&one["description"]))
        );
    }
    html.push_str("</tbody></table></div>");
}

fn responses(html: &mut String, document: &Value, operation: &Value) {
    html.push_str(
        "<h3>Answers</h3><div class=\"scroll\"><table><thead><tr><th scope=\"col\">Status</th>\
         <th scope=\"col\">Body</th><th scope=\"col\">Meaning</th></tr></thead><tbody>",
    );
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let response = referred(document, response);
        let content = response["content"].as_object().into_iter().flatten();
        let kinds: Vec<String> =
            content.map(|(kind, body)| format!("{}: {}", code(kind), type_of(&body["schema"]))).collect();
        let _ = write!(
            html,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>",
            if status == "default" { "any other" } else { status },
            kinds.join("<br/>"),
            prose(words(&response["description"]))
        );
    }
    html.push_str("</tbody></table></div>");
}

fn problems(html: &mut String) {
    html.push_str(
        "<h2>Kinds of problem</h2><div class=\"scroll\"><table><thead><tr><th scope=\"col\">Type</th>\
         <th scope=\"col\">Status</th><th scope=\"col\">Meaning</th></tr></thead><tbody>",
    );
    for (status, name, title) in PROBLEMS {
        let _ = write!(
            html,
            "<tr id=\"problem-{name}\"><th scope=\"row\"><code>{name}</code></th><td>{}</td><td>{title}.</td></tr>",
            status.as_u16()
        );
    }
    html.push_str("</tbody></table></div>");
}

fn schemas(html: &mut String, document: &Value) {
    html.push_str("<h2>Types</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let _ = write!(
            html,
            "<section><h3 id=\"type-{0}\">{0}</h3><p>{1}</p>",
            escaped(name),
            prose(words(&schema["description"]))
        );
        let parts = ["allOf", "oneOf", "anyOf"].iter().find_map(|kind| schema[*kind].as_array());
        if let Some(parts) = parts {
            html.push_str("<ul>");
            for part in parts {
                let _ = write!(html, "<li>{} {}</li>", inline(part), prose(words(&part["description"])));
            }
            html.push_str("</ul>");
        } else if schema["properties"].is_object() {
            fields(html, schema);
        } else {
            let _ = write!(html, "<p>{}</p>", type_of(schema));
        }
        html.push_str("</section>");
    }
}

fn fields(html: &mut String, schema: &Value) {
    html.push_str(
        "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Field</th><th scope=\"col\">Type</th>\
         <th scope=\"col\">Meaning</th></tr></thead><tbody>",
    );
    let needed = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let may_lack = if needed(name) { "" } else { ", may be absent" };
        let _ = write!(
            html,
            "<tr><th scope=\"row\">{}</th><td>{}{may_lack}</td><td>{}</td></tr>",
            code(name),
            type_of(field),
            prose(words(&field["description"]))
        );
    }
    html.push_str("</tbody></table></div>");
}

/// A part of a choice: its fields in a line.
fn inline(part: &Value) -> String {
    let Some(fields) = part["properties"].as_object() else { return type_of(part) };
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, field)| match field["enum"].as_array().and_then(|all| all.first()).and_then(Value::as_str) {
            Some(value) => code(&format!("{name}: \"{value}\"")),
            None => format!("{}: {}", code(name), type_of(field)),
        })
        .collect();
    format!("{{ {} }}", fields.join(", "))
}

/// A type in words, with a link where it has a name.
fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#type-{0}\">{0}</a>", escaped(name));
    }
    if let Some(choice) = ["oneOf", "anyOf", "allOf"].iter().find_map(|kind| schema[*kind].as_array()) {
        return choice.iter().map(type_of).collect::<Vec<_>>().join(" or ");
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(|value| code(&value.to_string())).collect::<Vec<_>>().join(" or ");
    }
    if schema["type"] == "array" {
        return format!("list of {}", type_of(&schema["items"]));
    }
    match schema["type"].as_array() {
        Some(all) => all.iter().map(words).collect::<Vec<_>>().join(" or "),
        None => escaped(words(&schema["type"])),
    }
}

/// A command that asks for it.
fn example(path: &str, method: &str, operation: &Value) -> String {
    let path = path
        .replace("/designs/{id}", "/designs/one-rack-gb200")
        .replace("/runs/{id}", "/runs/RUN")
        .replace("/snapshots/{id}", "/snapshots/SNAPSHOT")
        .replace("{version}", "1")
        .replace("{kind}/{id}", "rack/gb200-nvl72")
        .replace("{id}", "ID");
    let query = if operation["operationId"] == "inputs_create" { "?kind=requests&name=trace.csv" } else { "" };
    let mut command = format!("curl '{HOST}{path}{query}'");
    if method != "get" {
        command = format!("curl -X {} '{HOST}{path}{query}'", method.to_uppercase());
    }
    if method == "put" {
        command.push_str(" \\\n  -H 'If-Match: \"v1.0123456789abcdef0123\"'");
    }
    let content = operation["requestBody"]["content"].as_object();
    let takes = |kind: &str| content.is_some_and(|content| content.contains_key(kind));
    if takes("application/toml") {
        command.push_str(" \\\n  -H 'Content-Type: application/toml' --data-binary @design.toml");
    } else if takes("application/json") {
        let example = &operation["requestBody"]["content"]["application/json"]["example"];
        let body = if example.is_null() { "{}".to_owned() } else { example.to_string() };
        let _ = write!(command, " \\\n  -H 'Content-Type: application/json' -d '{body}'");
    } else if takes("application/octet-stream") {
        command.push_str(" \\\n  -H 'Content-Type: application/octet-stream' --data-binary @file");
    }
    if method == "post" {
        command.push_str(" \\\n  -H \"Idempotency-Key: $(uuidgen)\"");
    }
    command
}

/// What a reference leads to.
fn referred<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    let path = value["$ref"].as_str().and_then(|path| path.strip_prefix('#'));
    path.and_then(|path| document.pointer(path)).unwrap_or(value)
}

fn words(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

/// Words with `code` in them.
fn prose(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 32);
    for (at, piece) in text.split('`').enumerate() {
        if at % 2 == 1 {
            html.push_str(&code(piece));
        } else {
            html.push_str(&escaped(piece));
        }
    }
    html
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
