//! The invariants of the map of rooms, each as a test: which room may know which, and what stands in one place only.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every crate that a room builds with, itself left out.
fn tree(room: &str, more: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["tree", "--offline", "-p", room, "--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
        .args(more)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    names.lines().skip(1).filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn forbid(room: &str, more: &[&str], forbidden: &[&str]) {
    let tree = tree(room, more);
    let found: Vec<&&str> = forbidden.iter().filter(|name| tree.contains(**name)).collect();
    assert!(found.is_empty(), "{room} knows {found:?}");
}

/// Source files of a folder, tests and build output left out.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, into: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["target", "node_modules", "tests", "benches"].contains(&name.as_str()) {
                    walk(&path, into);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests.rs" {
                into.push((path.clone(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut files = Vec::new();
    walk(&root().join(folder), &mut files);
    assert!(!files.is_empty(), "{folder} has no sources");
    files
}

/// Files whose code, comments left out, has one of these words.
fn files_with(folder: &str, words: &[&str]) -> Vec<String> {
    sources(folder)
        .into_iter()
        .filter(|(_, text)| {
            text.lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .any(|line| words.iter().any(|word| line.contains(word)))
        })
        .map(|(path, _)| path.strip_prefix(root()).unwrap().to_string_lossy().into_owned())
        .collect()
}

const WEB: [&str; 6] = ["tokio", "axum", "sqlx", "leptos", "nvml-wrapper", "reqwest"];

#[test]
fn the_vocabulary_knows_serde_alone() {
    let known: BTreeSet<String> = tree("model", &["--depth", "1"]);
    assert_eq!(known.into_iter().collect::<Vec<_>>(), ["serde"]);
}

#[test]
fn the_schemas_of_the_vocabulary_are_the_servers_alone() {
    let manifests =
        ["app", "app/chart", "server/catalog", "server/input", "server/sim", "server/store", "server/telemetry"];
    for manifest in manifests {
        let text = fs::read_to_string(root().join(manifest).join("Cargo.toml")).unwrap();
        assert!(!text.contains("\"schema\"") && !text.contains("utoipa"), "{manifest}");
    }
    let vocabulary = fs::read_to_string(root().join("app/model/Cargo.toml")).unwrap();
    assert!(vocabulary.contains("schema = [\"dep:utoipa\"]") && !vocabulary.contains("default ="));
    let wasm = ["--target", "wasm32-unknown-unknown", "--no-default-features", "--features", "hydrate"];
    forbid("app", &wasm, &["utoipa"]);
    forbid("app", &["--features", "ssr"], &["utoipa"]);
}

#[test]
fn the_simulator_knows_no_web() {
    forbid("sim", &[], &WEB);
    forbid("sim", &[], &["app", "server", "catalog", "store", "input"]);
}

#[test]
fn telemetry_alone_knows_the_driver_and_the_bus_and_nothing_above_it() {
    let known = tree("telemetry", &[]);
    assert!(known.contains("nvml-wrapper") && known.contains("mqtt5"));
    forbid("telemetry", &[], &["axum", "sqlx", "leptos", "app", "server", "store", "catalog", "sim", "input"]);
    for room in ["store", "catalog", "input", "sim"] {
        forbid(room, &[], &["nvml-wrapper", "mqtt5", "telemetry"]);
    }
    let words = ["nvml_wrapper", "mqtt5::"];
    let named: Vec<String> = ["app", "server"].iter().flat_map(|folder| files_with(folder, &words)).collect();
    assert!(named.iter().all(|file| file.starts_with("server/telemetry/src/")), "{named:?}");
}

#[test]
fn the_readers_and_the_catalog_know_no_web() {
    forbid("input", &[], &WEB);
    forbid("catalog", &[], &WEB);
    forbid("chart", &[], &WEB);
}

#[test]
fn the_browser_carries_no_server() {
    let wasm = ["--target", "wasm32-unknown-unknown", "--no-default-features", "--features", "hydrate"];
    forbid(
        "app",
        &wasm,
        &["tokio", "axum", "sqlx", "nvml-wrapper", "store", "catalog", "input", "server", "telemetry", "mqtt5"],
    );
}

#[test]
fn the_face_names_no_server_crate_even_optional() {
    let manifest = fs::read_to_string(root().join("app/Cargo.toml")).unwrap();
    for name in
        ["tokio", "axum", "leptos_axum", "sqlx", "nvml-wrapper", "catalog", "store", "server", "input", "telemetry"]
    {
        assert!(
            !manifest
                .lines()
                .any(|line| line.starts_with(&format!("{name}.")) || line.starts_with(&format!("{name} "))),
            "{name}"
        );
    }
}

#[test]
fn the_hall_in_3d_alone_knows_wgpu_and_is_no_part_of_the_pages() {
    let wasm = ["--target", "wasm32-unknown-unknown"];
    assert!(tree("scene", &wasm).contains("wgpu"));
    forbid("scene", &[], &["wgpu"]);
    forbid("scene", &wasm, &WEB);
    forbid("scene", &wasm, &["app", "server", "catalog", "store", "input", "sim", "chart"]);
    forbid("app", &[&wasm[..], &["--no-default-features", "--features", "hydrate"]].concat(), &["wgpu", "scene"]);
    forbid("server", &[], &["wgpu", "scene"]);
    let named: Vec<String> = ["app", "server"].iter().flat_map(|folder| files_with(folder, &["wgpu"])).collect();
    assert_eq!(named, ["app/scene/src/draw.rs"]);
}

#[test]
fn the_engine_has_no_clock_and_no_unseeded_chance() {
    let words = [
        "Instant::",
        "SystemTime",
        "thread_rng",
        "from_os_rng",
        "getrandom",
        "HashMap",
        "HashSet",
        "std::fs",
        "std::net",
        "async ",
    ];
    assert_eq!(files_with("server/sim/src", &words), Vec::<String>::new());
    assert_eq!(files_with("app/model/src", &["async ", "std::fs", "std::net", "Instant::"]), Vec::<String>::new());
}

#[test]
fn the_store_holds_the_only_sql() {
    let words = ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "sqlx::"];
    let outside: Vec<String> = ["app", "server"]
        .iter()
        .flat_map(|folder| files_with(folder, &words))
        .filter(|file| !file.starts_with("server/store/") && !file.starts_with("app/server/"))
        .filter(|file| file != "server/src/error.rs" || !files_with("server/src", &["SELECT "]).is_empty())
        .collect();
    assert_eq!(outside, Vec::<String>::new());
}

#[test]
fn one_file_formats_numbers_one_builds_paths() {
    // Two decimals or more are a matter of units and significance, which `format` alone decides.
    let formats = files_with("app/src", &[":.1}", ":.2}", ":.3}"]);
    assert!(formats.iter().all(|file| file == "app/src/format.rs"), "{formats:?}");
    let paths = files_with("app/src", &["\"/designs", "\"/runs", "\"/api/v1", "\"/fleet", "\"/events", "\"/alerts"]);
    assert!(paths.iter().all(|file| file == "app/src/paths.rs"), "{paths:?}");
}

#[test]
fn one_file_names_colours() {
    let style = fs::read_to_string(root().join("style/main.css")).unwrap();
    let hex = |text: &str| {
        text.match_indices('#').any(|(at, _)| text[at + 1..].chars().take_while(char::is_ascii_hexdigit).count() >= 3)
    };
    assert!(
        !hex(&style) && !style.contains("rgb(") && !style.contains("hsl(") && !style.contains("oklch("),
        "main.css names a colour"
    );
    assert!(fs::read_to_string(root().join("style/tokens.css")).unwrap().contains("--"));
}

#[test]
fn one_file_turns_errors_into_http() {
    // What each kind of error is in HTTP; a gate that refuses before anything is asked has statuses of its own.
    let words = ["CONFLICT", "UNPROCESSABLE_ENTITY", "BAD_REQUEST", "SERVICE_UNAVAILABLE", "TOO_MANY_REQUESTS"];
    let words = words.map(|name| format!("StatusCode::{name}"));
    let files = files_with("server/src", &words.each_ref().map(String::as_str));
    assert!(files.contains(&"server/src/error.rs".to_owned()));
    assert!(files.iter().all(|file| file == "server/src/error.rs"), "{files:?}");
}
