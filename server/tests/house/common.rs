//! What every test of the house needs.

use model::id::RunId;
use model::run::{DesignSummary, RunDetail, RunRequest, RunState};
use reqwest::{Client, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use server::serve::{self, Config, Served};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An open house, and a client that asks it.
pub(crate) struct House {
    pub(crate) served: Served,
    pub(crate) client: Client,
    pub(crate) dir: tempfile::TempDir,
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::open_in(tempfile::tempdir().unwrap(), 8).await
    }
    pub(crate) async fn open_in(dir: tempfile::TempDir, queue_size: usize) -> Self {
        let config = config(dir.path(), queue_size);
        Self::open_with(config, dir).await
    }
    pub(crate) async fn open_with(config: Config, dir: tempfile::TempDir) -> Self {
        let served = serve::spawn(config).await.unwrap();
        Self { served, client: telemetry::scrape::guard::client().build().unwrap(), dir }
    }
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.served.address())
    }
    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }
    pub(crate) async fn ask(&self, question: &str, input: Value) -> Response {
        self.client.post(self.url(&format!("/api/ask/{question}"))).json(&input).send().await.unwrap()
    }
    /// The answer to a question, which must have been given.
    pub(crate) async fn answer<T: DeserializeOwned>(&self, question: &str, input: Value) -> T {
        let response = self.ask(question, input).await;
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{question}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }
    pub(crate) async fn designs(&self) -> Vec<DesignSummary> {
        self.ask("designs", json!({})).await.json().await.unwrap()
    }
    pub(crate) async fn start(&self, step_minutes: u32) -> Response {
        let design = self.designs().await.last().unwrap().id.clone(); // the largest takes longest
        let request = RunRequest { step_minutes, seed: 3, ..RunRequest::of(design) };
        self.ask("run-start", json!({ "request": request })).await
    }
    pub(crate) async fn started(&self, step_minutes: u32) -> RunId {
        self.start(step_minutes).await.error_for_status().unwrap().json().await.unwrap()
    }
    pub(crate) async fn run(&self, id: &RunId) -> RunDetail {
        self.ask("run", json!({ "id": id })).await.error_for_status().unwrap().json().await.unwrap()
    }
    /// Every state that the stream tells, until it ends.
    pub(crate) async fn events(&self, id: &RunId) -> Vec<RunState> {
        let response = self.get(&format!("/api/v1/runs/{id}/events")).await.error_for_status().unwrap();
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
        let text = tokio::time::timeout(Duration::from_mins(2), response.text()).await.unwrap().unwrap();
        text.lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .map(|json| serde_json::from_str(json).unwrap())
            .collect()
    }
}

pub(crate) fn config(data_dir: &Path, queue_size: usize) -> Config {
    Config { listen: ([127, 0, 0, 1], 0).into(), data_dir: data_dir.to_owned(), queue_size, ..Config::default() }
}

/// A program that tests run against; none where it is not installed, which is told, and fails under `CI=true`.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths).map(|path| path.join(name)).find(|path| path.is_file());
    if found.is_none() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{name} is not installed");
        eprintln!("skipped: {name} is not installed");
    }
    found
}
