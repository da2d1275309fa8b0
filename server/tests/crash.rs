//! The program killed under load, again and again: what it had said was kept is there, whole, and it is soon up again.
//!
//! `MILLWRIGHT_CRASH_CYCLES` says how often (10 where nothing is said), `MILLWRIGHT_BIN` which program (the one of this
//! build). `make crash` kills the release 200 times.
#![expect(clippy::unwrap_used, reason = "a helper of a test is a test; clippy exempts only what bears #[test]")]
#![expect(clippy::print_stdout, reason = "it tells what it measured")]

use model::id::{DesignId, RunId};
use model::run::RunState;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use store::db::Db;
use store::design::text_sha256;

const TEXT: &str = include_str!("../catalog/designs/one-rack-gb200.toml");
/// Clients that save versions of a design of their own.
const SAVERS: usize = 3;
/// Longest start of the release, from nothing to the first answer; of a debug build beside other tests, five times that.
const START_MAX: Duration = Duration::from_secs(2);

/// What clients were told is kept.
#[derive(Debug, Default)]
struct Told {
    /// Hash of the text of each version of each design.
    versions: BTreeMap<(String, u32), String>,
    /// Of which these were told since the last look.
    fresh: Vec<(String, u32)>,
    /// Runs.
    runs: Vec<RunId>,
    /// Of which these are cancelled.
    cancelled: Vec<RunId>,
    /// Keys of designs that were asked for and not answered.
    open_keys: Vec<String>,
    answers: u32,
}

impl Told {
    fn version(&mut self, design: &str, version: u32, text: &str) {
        self.versions.insert((design.to_owned(), version), text_sha256(text));
        self.fresh.push((design.to_owned(), version));
        self.answers += 1;
    }
}

struct Running {
    child: Child,
    url: String,
}

/// The program over a data directory, once it answers, and how long that took.
async fn start(program: &Path, data: &Path, client: &Client) -> (Running, Duration) {
    let began = Instant::now();
    let mut child = Command::new(program)
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .env("MILLWRIGHT_LOG", "error")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let url = said.split(' ').find(|word| word.starts_with("http://")).unwrap_or_else(|| panic!("{said}")).to_owned();
    assert_eq!(client.get(format!("{url}/healthz")).send().await.unwrap().status(), StatusCode::OK);
    (Running { child, url }, began.elapsed())
}

/// Versions of one design, each on the one before, until the program is gone.
async fn save_versions(client: Client, url: String, design: String, cycle: u32, told: Arc<Mutex<Told>>) {
    let path = format!("{url}/api/v1/designs/{design}");
    for n in 0_u32.. {
        let text = format!("{TEXT}\n# {design}, cycle {cycle}, change {n}\n");
        let request = client.put(&path).header("if-match", "*").header("content-type", "application/toml");
        let Ok(response) = request.body(text.clone()).send().await else { return };
        assert_eq!(response.status(), StatusCode::OK);
        let Ok(version) = response.json::<Value>().await else { return };
        let number = version["version"].as_u64().unwrap() as u32;
        told.lock().unwrap().version(&design, number, &text);
    }
}

/// New designs, each under a key, until the program is gone; the last key stays open.
async fn create_designs(client: Client, url: String, cycle: u32, told: Arc<Mutex<Told>>) {
    for n in 0_u32.. {
        let key = format!("new-{cycle}-{n}");
        told.lock().unwrap().open_keys.push(key.clone());
        let Some((status, made)) = create(&client, &url, &key).await else { return };
        assert_eq!(status, StatusCode::CREATED);
        let mut told = told.lock().unwrap();
        told.open_keys.retain(|open| *open != key);
        told.version(made["id"].as_str().unwrap(), 1, &server::design_text::named(TEXT, &key));
    }
}

/// Asks for a design that bears the name of its key.
async fn create(client: &Client, url: &str, key: &str) -> Option<(StatusCode, Value)> {
    let request = client.request(Method::POST, format!("{url}/api/v1/designs")).header("idempotency-key", key);
    let response = request.json(&json!({ "name": key, "toml": TEXT })).send().await.ok()?;
    Some((response.status(), response.json().await.ok()?))
}

/// Runs asked for, and every second one cancelled, until the program is gone.
async fn start_runs(client: Client, url: String, told: Arc<Mutex<Told>>) {
    for n in 0_u32.. {
        let asked = client.post(format!("{url}/api/v1/runs")).json(&json!({ "design": "one-rack-gb200", "seed": n }));
        let Ok(response) = asked.send().await else { return };
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        }
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        let Ok(run) = response.json::<Value>().await else { return };
        let id: RunId = run["id"].as_str().unwrap().parse().unwrap();
        told.lock().unwrap().runs.push(id.clone());
        told.lock().unwrap().answers += 1;
        if n % 2 == 1 {
            let Ok(response) = client.post(format!("{url}/api/v1/runs/{id}/cancel")).send().await else { return };
            if response.status() == StatusCode::OK {
                told.lock().unwrap().cancelled.push(id);
            }
        }
    }
}

/// Everything that was told is in the file, whole; the newest of it is read to the letter.
async fn check(db: &Db, told: &mut Told) {
    assert_eq!(db.damage().await.unwrap(), Vec::<String>::new());
    for (design, version) in std::mem::take(&mut told.fresh) {
        let stored = store::design::version(db, &design.parse().unwrap(), version).await.unwrap();
        assert_eq!(text_sha256(&stored.toml), told.versions[&(design, version)]);
    }
    let designs: BTreeSet<&String> = told.versions.keys().map(|(design, _)| design).collect();
    for design in designs {
        let all = store::design::versions(db, &design.parse::<DesignId>().unwrap()).await.unwrap();
        let kept: BTreeMap<u32, &str> = all.iter().map(|one| (one.version, one.text_sha256.as_str())).collect();
        assert!(kept.keys().copied().eq(1..=kept.len() as u32), "{design}: {kept:?}");
        for ((_, version), hash) in told.versions.range((design.clone(), 0)..=(design.clone(), u32::MAX)) {
            assert_eq!(kept.get(version).copied(), Some(hash.as_str()), "{design} {version}");
        }
    }
    for id in &told.runs {
        store::run::get(db, id).await.unwrap();
    }
    for id in &told.cancelled {
        assert_eq!(store::run::get(db, id).await.unwrap().state, RunState::Cancelled, "{id}");
    }
}

/// A design that was asked for and not answered was made once or not at all, however often it is asked for.
async fn ask_again(client: &Client, url: &str, db: &Db, told: &mut Told) {
    for key in std::mem::take(&mut told.open_keys) {
        let (status, made) = create(client, url, &key).await.unwrap();
        assert!(matches!(status, StatusCode::CREATED | StatusCode::CONFLICT), "{made}");
        let twice: DesignId = format!("{key}-2").parse().unwrap();
        assert!(store::design::newest(db, &twice).await.is_err(), "{key} was made twice");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_to_be_kept_survives_being_killed() {
    let cycles: u32 = std::env::var("MILLWRIGHT_CRASH_CYCLES").map_or(10, |text| text.parse().unwrap());
    let given = std::env::var_os("MILLWRIGHT_BIN").map(PathBuf::from);
    let start_max = if given.is_some() { START_MAX } else { 5 * START_MAX };
    let program = given.unwrap_or_else(|| env!("CARGO_BIN_EXE_millwright").into());
    let (dir, client, told) = (
        tempfile::tempdir().unwrap(),
        telemetry::scrape::guard::client().build().unwrap(),
        Arc::new(Mutex::new(Told::default())),
    );
    let (mut slowest, began) = (Duration::ZERO, Instant::now());
    let path = dir.path().join("millwright.db");
    let (mut running, _) = start(&program, dir.path(), &client).await;
    for saver in 0..SAVERS {
        assert_eq!(create(&client, &running.url, &format!("saver {saver}")).await.unwrap().0, StatusCode::CREATED);
    }
    for cycle in 0..cycles {
        let mut load = tokio::task::JoinSet::new();
        for saver in 0..SAVERS {
            let design = format!("saver-{saver}");
            load.spawn(save_versions(client.clone(), running.url.clone(), design, cycle, Arc::clone(&told)));
        }
        load.spawn(create_designs(client.clone(), running.url.clone(), cycle, Arc::clone(&told)));
        load.spawn(start_runs(client.clone(), running.url.clone(), Arc::clone(&told)));
        // From the first writes to well into them, and never twice at the same place.
        tokio::time::sleep(Duration::from_millis(20 + u64::from(cycle * 37 % 200))).await;
        running.child.kill().unwrap(); // SIGKILL
        running.child.wait().unwrap();
        load.join_all().await;

        let (again, took) = start(&program, dir.path(), &client).await;
        running = again;
        slowest = slowest.max(took);
        assert!(took < start_max, "cycle {cycle}: up again after {took:?}");
        let db = store::db::open(&path).await.unwrap();
        let mut now = std::mem::take(&mut *told.lock().unwrap());
        check(&db, &mut now).await;
        ask_again(&client, &running.url, &db, &mut now).await;
        *told.lock().unwrap() = now;
        db.close().await;
    }
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    let told = told.lock().unwrap();
    println!(
        "{cycles} kills in {:.0} s: {} answered writes, {} versions and {} runs kept, 0 lost; slowest start {} ms",
        began.elapsed().as_secs_f64(),
        told.answers,
        told.versions.len(),
        told.runs.len(),
        slowest.as_millis(),
    );
    assert!(told.answers > cycles, "the load was no load");
}
