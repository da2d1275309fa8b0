//! The operations side from outside: an agent that reports, what a Prometheus reads of us, whether the house is ready.

use crate::api::problem;
use crate::common::{House, config, program};
use model::event::{EventsView, FleetEvent, Happening};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use server::clock;
use server::serve;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// The made-up driver's library, where cargo put it: beside the tests, or one folder up.
fn library() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let folders: Vec<&Path> = here.ancestors().skip(1).take(2).collect();
    let ours = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with("libfake_nvml") && path.extension().is_some_and(|end| end == "so")
    };
    let age = |path: &PathBuf| path.metadata().and_then(|about| about.modified()).ok();
    let found = folders.iter().filter_map(|folder| folder.read_dir().ok()).flatten().flatten();
    found.map(|entry| entry.path()).filter(ours).max_by_key(age).unwrap()
}

/// A copy of the library with a profile beside it.
fn driver(folder: &Path) -> PathBuf {
    let path = folder.join("libnvidia-ml.so.1.fake");
    std::fs::copy(library(), &path).unwrap();
    let profiles = Path::new(env!("CARGO_MANIFEST_DIR")).join("telemetry/fake-nvml/profiles");
    std::fs::copy(profiles.join("8xh100.toml"), path.with_extension("toml")).unwrap();
    path
}

fn millwright(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_millwright")).args(arguments).output().unwrap()
}

/// A process that is told to stop when the test ends.
struct Running(Child);

impl Running {
    fn of(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millwright"));
        Self(command.args(arguments).stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks until the answer is as it should be.
async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..300 {
        if let Some(found) = ask().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it did not come to that within 30 s");
}

impl House {
    async fn happened(&self, body: &Value) -> Response {
        self.client.post(self.url("/api/v1/fleet/happened")).json(body).send().await.unwrap()
    }
    async fn events_of_all(&self) -> Vec<FleetEvent> {
        let query = json!({ "from_ms": 0, "to_ms": clock::now_ms() + 3_600_000, "limit": 100 });
        let asked = self.client.post(self.url("/api/v1/fleet/events")).json(&query);
        asked.send().await.unwrap().json::<EventsView>().await.unwrap().events
    }
    async fn metrics(&self, path: &str) -> String {
        let response = self.get(path).await.error_for_status().unwrap();
        assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        response.text().await.unwrap()
    }
}

fn xid(code: u32, at_ms: i64) -> Value {
    json!({ "at_ms": at_ms, "source": "kernel-log", "host": "node-9", "gpu": null, "what": "xid", "code": code,
        "message": format!("NVRM: Xid (PCI:0000:06:00): {code}") })
}

/// The value of a sample, by the beginning of its line.
fn sample(page: &str, start: &str) -> Option<f64> {
    page.lines().find_map(|line| line.strip_prefix(start))?.rsplit(' ').next()?.parse().ok()
}

/// A page that Prometheus's own tool can read, where that is installed. Its advice on names is not asked for.
fn check_page(page: &str) {
    let Some(promtool) = program("promtool") else { return };
    let mut command = Command::new(promtool);
    let command = command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_ne!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_reports_gpus_and_errors_and_what_waited_while_the_house_was_away() {
    let dir = tempfile::tempdir().unwrap();
    let (library, log) = (driver(dir.path()), dir.path().join("kern.log"));
    let line = |code: u32| {
        let at = jiff::Timestamp::from_millisecond(clock::now_ms()).unwrap().strftime("%Y-%m-%dT%H:%M:%S+0000");
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        writeln!(file, "{at} node-9 kernel: NVRM: Xid (PCI:0000:4a:00): {code}, pid=1, words").unwrap();
    };
    std::fs::write(&log, "").unwrap();
    let house = House::open().await;
    let address = house.served.address();
    let buffer = dir.path().join("buffer");
    let to = format!("http://{address}");
    let arguments: Vec<String> = [
        ["--to", &to],
        ["--every", "100"],
        ["--host", "node-9"],
        ["--rack", "r07"],
        ["--hall", "hall-a"],
        ["--library", library.to_str().unwrap()],
        ["--kernel-log", log.to_str().unwrap()],
        ["--buffer", buffer.to_str().unwrap()],
    ]
    .concat()
    .into_iter()
    .map(str::to_owned)
    .collect();
    let arguments: Vec<&str> = std::iter::once("agent").chain(arguments.iter().map(String::as_str)).collect();
    let agent = Running::of(&arguments);

    let view: Value = until(async || {
        let view: Value = house.get("/api/v1/fleet").await.json().await.unwrap();
        (view["nodes"][0]["gpus"] == 8 && view["values"][0].is_number()).then_some(view)
    })
    .await;
    let node = &view["nodes"][0];
    assert_eq!((&node["host"], &node["rack"], &node["hall"]), (&json!("node-9"), &json!("r07"), &json!("hall-a")));
    line(79);
    until(async || {
        let events = house.events_of_all().await;
        events.iter().any(|event| matches!(event.what, Happening::Xid { code: 79, .. })).then_some(())
    })
    .await;
    // The kernel names the GPU by its address, the agent by its id: it is the same one, and lost to the house.
    let page = until(async || {
        let page = house.metrics("/metrics/fleet").await;
        (sample(&page, "fleet_gpus_usable{") == Some(7.0)).then_some(page)
    })
    .await;
    let power = page.lines().find(|line| line.starts_with("gpu_power_watts{")).unwrap();
    assert!(power.contains("host=\"node-9\"") && power.contains("rack=\"r07\""), "{power}");
    check_page(&page);
    let second = millwright(&arguments);
    assert_eq!(second.status.code(), Some(1), "two agents must not share a buffer");
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use"), "{second:?}");

    // The house goes away; something happens meanwhile; the agent is killed and begun again; the house comes back.
    let House { served, dir: data, .. } = house;
    served.stop().await.unwrap();
    line(48);
    let waiting = buffer.join("events.jsonl");
    until(async || std::fs::read_to_string(&waiting).unwrap().contains("\"code\":48").then_some(())).await;
    drop(agent);
    let _agent = Running::of(&arguments);
    let house = opened_again(address, data).await;
    until(async || {
        let events = house.events_of_all().await;
        let count = |wanted| {
            events.iter().filter(|event| matches!(event.what, Happening::Xid { code, .. } if code == wanted)).count()
        };
        assert!(count(79) <= 1 && count(48) <= 1, "told twice, kept once: {events:#?}");
        (count(79) == 1 && count(48) == 1).then_some(())
    })
    .await;
}

async fn opened_again(address: std::net::SocketAddr, dir: tempfile::TempDir) -> House {
    let again = serve::Config { listen: address, ..config(dir.path(), 8) };
    let served = until(async || serve::spawn(again.clone()).await.ok()).await;
    House { served, client: reqwest_client(), dir }
}

fn reqwest_client() -> reqwest::Client {
    telemetry::scrape::guard::client().build().unwrap()
}

#[test]
fn an_agent_shows_what_it_sees_or_says_that_there_is_no_driver() {
    let dir = tempfile::tempdir().unwrap();
    let library = driver(dir.path());
    let seen = ["agent", "--once", "--host", "node-9", "--library", library.to_str().unwrap()];
    let table = millwright(&seen);
    let text = String::from_utf8(table.stdout).unwrap();
    assert_eq!((table.status.code(), text.lines().count()), (Some(0), 11), "{text}");
    assert!(text.starts_with("node-9: 8 × NVIDIA H100") && text.contains("power W"), "{text}");
    let json = millwright(&[&seen[..], &["--json"]].concat());
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["inventory"]["gpus"].as_array().unwrap().len(), 8);
    assert!(json["readings"].as_array().unwrap().iter().any(|reading| reading["name"] == "gpu_power_watts"));

    let none = millwright(&["agent", "--once", "--library", "/nowhere/libnvidia-ml.so.1"]);
    assert_eq!(none.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&none.stderr).contains("no NVIDIA driver on this host"), "{none:?}");
    for wrong in [&["agent"][..], &["agent", "--to", "ftp://house"], &["agent", "--to", "http://me:xyzzy@house"]] {
        let output = millwright(wrong);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && !said.contains("xyzzy"), "{said}");
    }
}

#[tokio::test]
async fn events_are_taken_all_or_none_and_held_against_what_may_be() {
    let house = House::open().await;
    let now_ms = clock::now_ms();
    let good = json!([xid(79, now_ms), xid(48, now_ms - 1_000)]);
    for _ in 0..2 {
        assert_eq!(house.happened(&good).await.status(), StatusCode::NO_CONTENT);
    }
    assert_eq!(house.events_of_all().await.len(), 2, "told twice, kept once");
    let other = |field: &str, value: Value| {
        let mut event = xid(13, now_ms);
        event[field] = value;
        json!([xid(31, now_ms), event])
    };
    for wrong in [
        other("at_ms", json!(now_ms + 3_600_000)),
        other("at_ms", json!(1_000)),
        other("host", json!("")),
        other("source", json!("a\nb")),
        other("message", json!("x".repeat(2_001))),
        other("what", json!("nothing-that-is-known")),
        json!([{ "at_ms": now_ms, "source": "a", "what": "load-target", "target_w": 0.0, "message": "" }]),
        json!(vec![xid(13, now_ms); 1_001]),
        json!({ "at_ms": now_ms }),
    ] {
        problem(house.happened(&wrong).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    }
    let bare = house.client.post(house.url("/api/v1/fleet/happened")).body("[]").send().await.unwrap();
    problem(bare, StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-type").await;
    let long = house.client.post(house.url("/api/v1/fleet/happened")).json(&json!("x".repeat(2 << 20))).send().await;
    problem(long.unwrap(), StatusCode::PAYLOAD_TOO_LARGE, "too-large").await;
    assert_eq!(house.events_of_all().await.len(), 2, "none of those was kept");
}

#[tokio::test]
async fn prometheus_reads_of_this_process_what_it_does() {
    let house = House::open().await;
    house.get("/nowhere-at-all").await;
    let page = house.metrics("/metrics").await;
    check_page(&page);
    for name in [
        "process_start_time_seconds",
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_open_fds",
        "millwright_readings_total{outcome=\"kept\"}",
        "millwright_readings_total{outcome=\"late\"}",
        "millwright_history_waiting_readings",
        "millwright_history_series",
        "millwright_history_tail_bytes",
        "millwright_sources{state=\"failing\"}",
        "millwright_live_streams",
        "millwright_runs{state=\"queued\"}",
        "millwright_http_requests_total{class=\"5xx\"}",
    ] {
        assert!(sample(&page, name).is_some(), "{name}: {page}");
    }
    assert_eq!(sample(&page, "millwright_history_writable"), Some(1.0));
    assert_eq!(sample(&page, "millwright_http_requests_total{class=\"4xx\"}"), Some(1.0));
    assert!(sample(&page, "millwright_database_bytes{database=\"millwright\"}").unwrap() > 10_000.0);
    check_page(&house.metrics("/metrics/fleet").await);
}

#[tokio::test]
async fn metrics_are_not_told_through_a_proxy_without_the_token() {
    const TOKEN: &str = "b51c96c4f0b54a1f9a0d4f2d4d1c7e33";
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, TOKEN).unwrap();
    let with_token = serve::Config { metrics_token_file: Some(file), ..config(&dir.path().join("data"), 8) };
    let guarded = serve::spawn(with_token).await.unwrap();
    let open = House::open().await;
    let asked = |address: std::net::SocketAddr, path: &str| {
        reqwest_client().get(format!("http://{address}{path}")).header("x-forwarded-for", "192.0.2.7")
    };
    for path in ["/metrics", "/metrics/fleet"] {
        let refused = asked(open.served.address(), path).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert_eq!(refused.headers()["content-type"], "application/problem+json");
        assert_eq!(asked(guarded.address(), path).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
        let right = asked(guarded.address(), path).bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(right.status(), StatusCode::OK);
        assert_eq!(asked(guarded.address(), path).bearer_auth("b51c96c4").send().await.unwrap().status(), 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_house_is_ready_until_its_history_can_not_be_written() {
    let house = House::open().await;
    let ready = house.get("/readyz").await;
    assert_eq!((ready.status(), ready.text().await.unwrap().as_str()), (StatusCode::OK, "ready\n"));
    let Some(python) = program("python3") else { return };
    // Another program that keeps the file to itself: a backup that hangs, say.
    let holds = format!(
        "import sqlite3, sys\nc = sqlite3.connect({:?})\nc.execute('BEGIN EXCLUSIVE')\nprint('held', flush=True)\nsys.stdin.read()",
        house.dir.path().join("telemetry.db")
    );
    let mut command = Command::new(python);
    let mut holder = command.args(["-c", &holds]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut held = [0; 4];
    std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut held).unwrap();
    let problem: Value = until(async || {
        let response = house.get("/readyz").await;
        let gone = response.status() == StatusCode::SERVICE_UNAVAILABLE;
        if gone { response.json().await.ok() } else { None }
    })
    .await;
    assert!(problem["detail"].as_str().unwrap().starts_with("The history can't be written"), "{problem}");
    assert_eq!(house.get("/healthz").await.status(), StatusCode::OK, "it is up all the same");
    drop(holder.stdin.take());
    holder.wait().unwrap();
    until(async || (house.get("/readyz").await.status() == StatusCode::OK).then_some(())).await;
}

#[test]
fn what_sources_bring_is_recorded_and_plays_again() {
    let dir = tempfile::tempdir().unwrap();
    let library = driver(dir.path());
    let (fleet, tape) = (dir.path().join("fleet.toml"), dir.path().join("tape.jsonl.gz"));
    std::fs::write(&fleet, format!("[nvml]\nevery_ms = 50\nhost = \"node-9\"\nlibrary = {library:?}\n")).unwrap();
    let (fleet, tape) = (fleet.to_str().unwrap(), tape.to_str().unwrap());
    let record = ["record", "--fleet", fleet, "--out", tape, "--for", "1.5"];
    let recorded = millwright(&record);
    assert_eq!(recorded.status.code(), Some(0), "{recorded:?}");
    let held = millwright(&["replay-check", tape]);
    let words = String::from_utf8(held.stdout).unwrap();
    assert!(held.status.success() && words.contains("(nvml)") && !words.contains(" 0 readings"), "{words}");
    assert_eq!(millwright(&record).status.code(), Some(2), "a recording is not written over");
    assert_eq!(millwright(&["replay-check", fleet]).status.code(), Some(2));
    std::fs::write(dir.path().join("none.toml"), "").unwrap();
    let none = dir.path().join("none.toml");
    let nothing = millwright(&["record", "--fleet", none.to_str().unwrap(), "--out", "/nowhere/x", "--for", "1"]);
    assert_eq!(nothing.status.code(), Some(2));

    // What was recorded plays through a fleet file, and the doctor hears it.
    let replay = dir.path().join("replay.toml");
    std::fs::write(&replay, format!("[[replay]]\nname = \"tape\"\nfile = {tape:?}\n")).unwrap();
    let data = dir.path().join("data");
    let doctor = millwright(&[
        "doctor",
        "--data",
        data.to_str().unwrap(),
        "--fleet",
        replay.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
    ]);
    let said = String::from_utf8(doctor.stdout).unwrap();
    assert!(said.lines().any(|line| line.starts_with("ok       source tape: ")), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_ends_with_how_bad_it_is() {
    let house = House::open().await;
    let data = house.dir.path().to_str().unwrap().to_owned();
    let listen = house.served.address().to_string();
    let doctor = |more: &[&str]| {
        let output = millwright(&[&["doctor", "--data", &data, "--json"], more].concat());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let worst = report["worst"].as_str().unwrap();
        let code = ["ok", "warning", "error"].iter().position(|level| *level == worst).unwrap();
        assert_eq!(output.status.code(), Some(i32::try_from(code).unwrap()), "{report:#}");
        report
    };
    let level = |report: &Value, check: &str| {
        let found = report["findings"].as_array().unwrap().iter().find(|one| one["check"] == check).cloned();
        found.unwrap_or_else(|| panic!("{check}: {report:#}"))["level"].as_str().unwrap().to_owned()
    };
    let beside = doctor(&["--listen", &listen]);
    for check in ["data directory", "lock", "millwright.db", "telemetry.db", "clock", "port", "GPUs of this host"] {
        assert_eq!(level(&beside, check), "ok", "{check}: {beside:#}");
    }
    let fleet = house.dir.path().join("fleet.toml");
    std::fs::write(&fleet, "[[scrape]]\nname = \"gone\"\nurl = \"http://127.0.0.1:9/metrics\"\n").unwrap();
    let broken = doctor(&["--listen", &listen, "--fleet", fleet.to_str().unwrap()]);
    assert_eq!((level(&broken, "source gone").as_str(), level(&broken, "fleet file").as_str()), ("error", "ok"));
    assert_eq!(broken["worst"], "error");
}

/// Everything in a fleet file that could tell someone whose it is.
const NAMES: [&str; 24] = [
    "gpu-042",
    "corp.example",
    "prom.internal",
    "10.20.30.40",
    "fd12::9",
    "north-wing",
    "vault-7",
    "zeta-rack",
    "acme-lab",
    "hunter2",
    "s3cr3t",
    "token-of-bob",
    "/etc/millwright/ca-acme.pem",
    "bob-the-builder",
    "bms-broker",
    "meter-main-1",
    "mill-client-7",
    "victoria.corp",
    "/srv/tapes/incident-77.jsonl",
    "my_custom_label",
    "special-value",
    "kern-acme",
    "selector-secret",
    "T0KEN/B0T/xyzzy",
];

#[test]
fn no_name_and_no_secret_of_the_configuration_is_in_a_bundle() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = dir.path().join("fleet-of-acme-lab.toml");
    let text = "# written by bob-the-builder, password hunter2\n\
        [[scrape]]\nname = \"north-wing\"\nurl = \"http://gpu-042.corp.example:9400/metrics?key=s3cr3t\"\ntimeout_s = 0.5\n\
        labels = { rack = \"zeta-rack\", hall = \"vault-7\", tenant = \"acme-lab\" }\nbearer_token_file = \"/run/token-of-bob\"\n\
        [[scrape]]\nname = \"by-address\"\nurl = \"https://10.20.30.40:9400/T0KEN/B0T/xyzzy\"\ntimeout_s = 0.5\n\
        ca_file = \"/etc/millwright/ca-acme.pem\"\n\
        [[scrape]]\nname = \"six\"\nurl = \"http://[fd12::9]:9400/metrics\"\ntimeout_s = 0.5\n\
        [[query]]\nname = \"prometheus\"\nurl = \"http://prom.internal:9090\"\nselectors = ['{job=\"selector-secret\"}']\n\
        [[exchange]]\nname = \"bms\"\nbroker = \"mqtt://bms-broker.corp.example:1883\"\nclient_id = \"mill-client-7\"\n\
        utility_meters = [\"meter-main-1\"]\nlabels = { my_custom_label = \"special-value\" }\n\
        [[kernel_log]]\nname = \"log\"\nfile = \"/var/log/kern-acme.log\"\nhost = \"gpu-042\"\n\
        [[replay]]\nname = \"tape\"\nfile = \"/srv/tapes/incident-77.jsonl\"\n\
        [forward]\nurl = \"http://victoria.corp.example:8428/api/v1/write\"\n";
    std::fs::write(&fleet, text).unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("bundle"));
    let arguments = [
        ["--data", data.to_str().unwrap()],
        ["--fleet", fleet.to_str().unwrap()],
        ["--listen", "127.0.0.1:0"],
        ["--bundle", out.to_str().unwrap()],
    ];
    let output = millwright(&[&["doctor"], arguments.concat().as_slice()].concat());
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let here = dir.path().to_str().unwrap();
    let files: Vec<(String, String)> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), std::fs::read_to_string(entry.path()).unwrap()))
        .collect();
    assert_eq!(files.len(), 8);
    for (name, text) in &files {
        let small = text.to_lowercase();
        for secret in NAMES.iter().copied().chain([here, own.trim()]).filter(|secret| secret.len() > 2) {
            assert!(!small.contains(&secret.to_lowercase()), "{secret} is in {name}: {text}");
        }
    }
    let (_, config) = files.iter().find(|(name, _)| name == "fleet.toml").unwrap();
    assert!(config.contains("[[scrape]]") && config.contains("timeout_s = 0.5"), "{config}");
    let (_, doctor) = files.iter().find(|(name, _)| name == "doctor.json").unwrap();
    let report: Value = serde_json::from_str(doctor).unwrap();
    assert!(report["findings"].as_array().unwrap().len() > 10, "{report:#}");
}
