//! Against the real thing: VictoriaMetrics and Prometheus as Debian has them, started here and stopped again.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use model::reading::{Bucket, Labels, Sample, SeriesKey};
use model::source::SourceKind;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use telemetry::forward::{Forwarder, Reading, Settings, Status};
use telemetry::query::history::RemoteHistory;
use telemetry::query::poll::{Mapper, QuerySource, default_selectors};
use telemetry::query::{Client, Endpoint, Selector};
use telemetry::remote_write::{Limits, decode};
use telemetry::source::{Brought, Sink, Source};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Victoria,
    Prometheus,
}

/// A store that runs until it is dropped.
struct Store {
    kind: Kind,
    port: u16,
    folder: TempDir,
    child: Child,
}

impl Store {
    /// Starts one; nothing where it is not installed, which is an error under `CI=true`.
    async fn start(kind: Kind, config: &str) -> Option<Self> {
        let program = match kind {
            Kind::Victoria => "victoria-metrics",
            Kind::Prometheus => "prometheus",
        };
        let paths = std::env::var_os("PATH").unwrap_or_default();
        if !std::env::split_paths(&paths).any(|path| path.join(program).is_file()) {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{program} is not installed");
            eprintln!("skipped: {program} is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("prometheus.yml"), config).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = spawn(kind, port, folder.path());
        let store = Self { kind, port, folder, child };
        store.answers().await;
        Some(store)
    }
    async fn answers(&self) {
        let client = self.client();
        for _ in 0..600 {
            if client.query("vector(1)", None).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{:?} does not answer", self.kind);
    }
    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://127.0.0.1:{}{path}", self.port)).unwrap()
    }
    fn client(&self) -> Client {
        Client::of(Endpoint::of(self.url("/"))).unwrap()
    }
    fn history(&self) -> RemoteHistory {
        RemoteHistory::of(self.client())
    }
    fn forwarder(&self, folder: &Path) -> Arc<Forwarder> {
        let settings = Settings {
            linger: Duration::from_millis(100),
            timeout: Duration::from_secs(5),
            ..Settings::of(self.url("/api/v1/write"), folder.into())
        };
        Arc::new(Forwarder::open(settings).unwrap())
    }
    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(kind: Kind, port: u16, folder: &Path) -> Child {
    let data = folder.join("data");
    let mut command = match kind {
        Kind::Victoria => {
            let mut command = Command::new("victoria-metrics");
            command
                .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
                .arg(format!("-storageDataPath={}", data.display()));
            command.args(["-search.latencyOffset=0s", "-retentionPeriod=100y", "-dedup.minScrapeInterval=1ms"]);
            command
        }
        Kind::Prometheus => {
            let mut command = Command::new("prometheus");
            command.arg(format!("--config.file={}", folder.join("prometheus.yml").display()));
            command.arg(format!("--storage.tsdb.path={}", data.display()));
            command.arg(format!("--web.listen-address=127.0.0.1:{port}")).arg("--web.enable-remote-write-receiver");
            command
        }
    };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

fn key(gpu: i64) -> Arc<SeriesKey> {
    let labels = Labels::of([("gpu", gpu.to_string()), ("host", "node \"é\"\\1".into())]);
    Arc::new(SeriesKey { name: "gpu_power_watts".into(), labels })
}

fn every_gpu() -> Selector {
    Selector { name: "gpu_power_watts".into(), matchers: Vec::new() }
}

/// Waits until all that was appended is gone, and a moment for the store to show it.
async fn drained(forwarder: &Forwarder) -> Status {
    for _ in 0..1_200 {
        if forwarder.status().queued_samples == 0 {
            tokio::time::sleep(Duration::from_secs(3)).await;
            return forwarder.status();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("still waiting: {:?}", forwarder.status());
}

/// Sends readings, waits for them to arrive.
async fn fill(store: &Store, readings: &[Reading]) -> Status {
    let folder = tempfile::tempdir().unwrap();
    let forwarder = store.forwarder(folder.path());
    readings.chunks(997).for_each(|part| forwarder.append(part));
    let stop = CancellationToken::new();
    let (runner, told) = (Arc::clone(&forwarder), stop.clone());
    let task = tokio::spawn(async move { runner.run(told).await });
    let status = drained(&forwarder).await;
    stop.cancel();
    task.await.unwrap();
    status
}

fn by_series(readings: &[Reading]) -> Vec<(SeriesKey, Vec<Sample>)> {
    let mut all: BTreeMap<SeriesKey, Vec<Sample>> = BTreeMap::new();
    for (key, at_ms, value) in readings {
        all.entry(SeriesKey::clone(key)).or_default().push(Sample { at_ms: *at_ms, value: *value });
    }
    all.into_iter().collect()
}

/// Buckets as a store of our own makes them.
fn buckets(samples: &[Sample], step_ms: i64) -> Vec<Bucket> {
    let mut all: BTreeMap<i64, Bucket> = BTreeMap::new();
    for sample in samples {
        let one = Bucket::of(sample.at_ms.div_euclid(step_ms) * step_ms, sample.value);
        all.entry(one.start_ms).and_modify(|bucket| *bucket = bucket.and(one)).or_insert(one);
    }
    all.into_values().collect()
}

/// Three hours until now, quarters of a watt, with samples right before, on and right after the borders of minutes.
fn three_hours() -> Vec<Reading> {
    let end = now_ms();
    let begin = (end - 3 * 3_600_000) / 60_000 * 60_000;
    let mut times: Vec<i64> = (begin..end).step_by(7_001).collect();
    times.extend((begin..end - 1).step_by(60_000).flat_map(|at| [at - 1, at, at + 1]));
    // A gap of ten minutes.
    times.retain(|at| !(begin + 3_000_000..begin + 3_600_000).contains(at));
    times.sort_unstable();
    times.dedup();
    let value = |gpu: i64, at: i64| ((at / 250 * (gpu + 3)) % 2_801) as f64 / 4.0;
    times.iter().flat_map(|&at| (0..3).map(move |gpu| (key(gpu), at, value(gpu, at)))).collect()
}

async fn gives_back_what_it_was_sent(kind: Kind) {
    let Some(store) = Store::start(kind, "").await else { return };
    let readings = three_hours();
    let status = fill(&store, &readings).await;
    assert_eq!((status.sent, status.refused, status.overflowed), (readings.len() as u64, 0, 0), "{status:?}");
    let (history, all) = (store.history(), by_series(&readings));
    let (from, to) = (readings[0].1, now_ms() + 1);
    assert_eq!(history.samples(&every_gpu(), from, to).await.unwrap(), all, "every sample");
    let (a, b) = (from + 100_000, from + 160_001);
    let part = |samples: &[Sample]| -> Vec<Sample> {
        samples.iter().copied().filter(|sample| (a..b).contains(&sample.at_ms)).collect()
    };
    let parts: Vec<_> = all.iter().map(|(key, samples)| (key.clone(), part(samples))).collect();
    assert_eq!(
        history.samples(&every_gpu(), a, b).await.unwrap(),
        parts,
        "a window's begin belongs to it, its end not"
    );
    for step_ms in [1_000, 5_000, 60_000, 90_000, 3_600_000] {
        let expected: Vec<_> = all.iter().map(|(key, samples)| (key.clone(), buckets(samples, step_ms))).collect();
        assert_eq!(history.ranges(&every_gpu(), from, to, step_ms).await.unwrap(), expected, "{kind:?} {step_ms}");
        assert_eq!(history.range(&key(1), from, to, step_ms).await.unwrap(), expected[1].1);
    }
    let last: Vec<_> = all.iter().map(|(key, samples)| (key.clone(), samples[samples.len() - 1])).collect();
    assert_eq!(history.latest(&every_gpu(), to, 60_000).await.unwrap(), last);
    assert_eq!(history.latest(&every_gpu(), from - 1, 60_000).await.unwrap(), []);
    assert_eq!(
        history.series(&every_gpu(), from, to).await.unwrap(),
        all.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>()
    );
    let mut labels = store.client().labels(&[]).await.unwrap();
    labels.retain(|label| ["gpu", "host"].contains(&label.as_str()));
    assert_eq!(labels, ["gpu", "host"]);
    let error = store.client().query("sum(", None).await.unwrap_err().to_string();
    assert!(error.starts_with("it refuses with 4") && error.contains("query"), "{error}");
}

#[tokio::test]
async fn victoria_metrics_gives_back_what_it_was_sent() {
    gives_back_what_it_was_sent(Kind::Victoria).await;
}

#[tokio::test]
async fn prometheus_gives_back_what_it_was_sent() {
    gives_back_what_it_was_sent(Kind::Prometheus).await;
}

async fn killed_and_started_again_has_lost_nothing(kind: Kind) {
    let Some(mut store) = Store::start(kind, "").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let forwarder = store.forwarder(folder.path());
    let stop = CancellationToken::new();
    let (runner, told) = (Arc::clone(&forwarder), stop.clone());
    let task = tokio::spawn(async move { runner.run(told).await });
    let mut sent: Vec<Reading> = Vec::new();
    for round in 0..200 {
        match round {
            // Killed without a word, so that it loses what it had only in memory.
            40 => store.kill(),
            140 => store.child = spawn(kind, store.port, store.folder.path()),
            _ => {}
        }
        let now: Vec<Reading> = (0..10).map(|gpu| (key(gpu), now_ms(), f64::from(round))).collect();
        forwarder.append(&now);
        sent.extend(now);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    store.answers().await;
    let status = drained(&forwarder).await;
    stop.cancel();
    task.await.unwrap();
    assert!(status.retries > 0 && status.up, "{status:?}");
    assert_eq!((status.refused, status.overflowed), (0, 0), "{status:?}");
    let found = store.history().samples(&every_gpu(), sent[0].1, now_ms() + 1).await.unwrap();
    assert_eq!(found, by_series(&sent), "{kind:?}");
}

#[tokio::test]
async fn victoria_metrics_killed_for_ten_seconds_has_lost_nothing() {
    killed_and_started_again_has_lost_nothing(Kind::Victoria).await;
}

#[tokio::test]
async fn prometheus_killed_for_ten_seconds_has_lost_nothing() {
    killed_and_started_again_has_lost_nothing(Kind::Prometheus).await;
}

async fn is_read_as_a_source(kind: Kind) {
    let Some(store) = Store::start(kind, "").await else { return };
    let begin = now_ms() - 20_000;
    let name = |name: &str| Arc::new(SeriesKey { name: name.into(), labels: Labels::of([("gpu", "0")]) });
    let (power, other) = (name("DCGM_FI_DEV_POWER_USAGE"), name("DCGM_FI_DEV_STRANGE"));
    let readings: Vec<Reading> = (0..20)
        .flat_map(|at| [(power.clone(), begin + at * 1_000, at as f64), (other.clone(), begin + at * 1_000, 1.0)])
        .collect();
    // The series ends: a marker of staleness, which is no reading.
    let end = [(power.clone(), begin + 20_000, f64::NAN)];
    fill(&store, &[readings.as_slice(), &end].concat()).await;
    let map: Mapper = Arc::new(|name, labels| {
        (name == "DCGM_FI_DEV_POWER_USAGE")
            .then(|| (SeriesKey { name: "gpu_power_watts".into(), labels: Labels::of(labels.iter().cloned()) }, 1.0))
    });
    let source = QuerySource {
        name: "store".into(),
        client: store.client(),
        selectors: default_selectors(),
        interval: Duration::from_millis(200),
        map,
    };
    assert_eq!(source.kind(), SourceKind::Query);
    let (queue, mut out) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let task = tokio::spawn(Box::new(source).run(Sink::new(0, queue), stop.clone()));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    stop.cancel();
    task.await.unwrap();
    let (mut read, mut unknown) = (Vec::new(), 0);
    while let Some((_, brought)) = out.recv().await {
        match brought {
            Brought::Readings(batch) => {
                unknown += batch.unknown;
                read.extend(batch.readings.into_iter().map(|(key, at, value)| (key.to_string(), at, value)));
            }
            Brought::Fault(words) => panic!("{words}"),
            Brought::State(_) | Brought::Event(_) | Brought::Peer(_) => {}
        }
    }
    let expected: Vec<_> =
        (0..20).map(|at| ("gpu_power_watts{gpu=\"0\"}".to_owned(), Some(begin + at * 1_000), at as f64)).collect();
    assert_eq!((read, unknown), (expected, 20), "{kind:?}: each sample once, though it was asked several times");
}

#[tokio::test]
async fn victoria_metrics_is_read_as_a_source() {
    is_read_as_a_source(Kind::Victoria).await;
}

#[tokio::test]
async fn prometheus_is_read_as_a_source() {
    is_read_as_a_source(Kind::Prometheus).await;
}

#[tokio::test]
async fn what_prometheus_itself_writes_is_understood() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap();
    // It scrapes itself, and us, who are no page of metrics: `up` is 1 of the one and 0 of the other.
    let own = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = format!(
        "global: {{scrape_interval: 1s}}\nremote_write: [{{url: \"http://{here}/\"}}]\nscrape_configs: [{{job_name: us, static_configs: [{{targets: [\"{own}\"]}}]}}]\n"
    );
    let Some(_store) = Store::start(Kind::Prometheus, &config).await else { return };
    let mut up = Vec::new();
    while up.len() < 3 {
        let (mut stream, _) = tokio::time::timeout(Duration::from_secs(30), listener.accept()).await.unwrap().unwrap();
        let body = body(&mut stream).await;
        let counted = decode(&body, &Limits::default(), |labels, points| {
            let key = labels.key()?;
            if key.name == "up" {
                assert_eq!(
                    (key.labels.get("job"), key.labels.get("instance")),
                    (Some("us"), Some(own.to_string().as_str()))
                );
                up.extend(points.iter().map(|point| (point.at_ms, point.value)));
            }
            Ok(())
        })
        .unwrap();
        assert!(counted.samples > 0 || counted.metadata > 0 || body.len() < 8, "{counted:?}");
        stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await.unwrap();
    }
    assert!(up.windows(2).all(|pair| pair[0].0 < pair[1].0), "{up:?}");
    assert!(up.iter().all(|(at_ms, value)| *value == Some(0.0) && (now_ms() - at_ms).abs() < 60_000), "{up:?}");
}

/// The body of a request.
async fn body(stream: &mut tokio::net::TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut part = vec![0; 65_536];
    loop {
        let got = stream.read(&mut part).await.unwrap();
        all.extend_from_slice(&part[..got]);
        let Some(end) = all.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&all[..end]).to_lowercase();
        let length: usize = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
        if all.len() >= end + 4 + length {
            return all.split_off(end + 4);
        }
    }
}
