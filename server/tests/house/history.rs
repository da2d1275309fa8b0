//! One contract for both places that history is kept in: on this machine, and in a VictoriaMetrics that it is sent to.

use crate::common::program;
use model::reading::{Bucket, Labels, Sample, SeriesKey};
use server::history::SeriesStore;
use server::history::local::{LocalHistory, Retention};
use server::history::remote::RemoteSeries;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use telemetry::forward::{Forwarder, Settings};
use telemetry::query::history::RemoteHistory;
use telemetry::query::{Client, Endpoint};
use tokio_util::sync::CancellationToken;

fn now_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_millis() as i64
}

fn key(gpu: u32) -> Arc<SeriesKey> {
    let labels = Labels::of([("gpu", gpu.to_string().as_str()), ("host", "node-1")]);
    Arc::new(SeriesKey { name: "gpu_power_watts".into(), labels })
}

/// An hour of readings every ten seconds, with ten minutes missing, of a wave with three decimals.
fn readings(until_ms: i64) -> Vec<Sample> {
    let first_ms = (until_ms - 3_600_000) / 10_000 * 10_000 + 3;
    (0..360)
        .filter(|at| !(120..180).contains(at))
        .map(|at| Sample { at_ms: first_ms + at * 10_000, value: 412.0 + ((at * at) % 977) as f64 / 1_000.0 })
        .collect()
}

fn grouped(samples: &[Sample], step_ms: i64) -> Vec<Bucket> {
    let each: Vec<Bucket> = samples.iter().map(|sample| Bucket::of(sample.at_ms, sample.value)).collect();
    store::history::regroup(&each, step_ms)
}

fn assert_alike(found: &[Bucket], wanted: &[Bucket], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (found, wanted) in found.iter().zip(wanted) {
        let exact = |bucket: &Bucket| (bucket.start_ms, bucket.min.to_bits(), bucket.max.to_bits(), bucket.count);
        assert_eq!(exact(found), exact(wanted), "{what}");
        // Sums are added up in another order.
        assert!((found.sum - wanted.sum).abs() <= 1e-9 * wanted.sum.abs(), "{what}: {found:?} {wanted:?}");
    }
}

/// What both must do.
async fn keeps_the_contract(store: &dyn SeriesStore) {
    let samples = readings(now_ms() - 120_000);
    let (first, second) = (key(0), key(1));
    let batch: Vec<_> = samples.iter().map(|sample| (Arc::clone(&first), *sample)).collect();
    let done = store.append(&batch);
    assert_eq!((done.kept, done.unfit), (300, 0));
    let odd = [
        (Arc::clone(&second), Sample { at_ms: now_ms(), value: f64::NAN }),
        (Arc::clone(&second), Sample { at_ms: now_ms() + 3_600_000, value: 1.0 }),
    ];
    assert_eq!(store.append(&odd).unfit, 2, "no number, and no time to come");
    store.append(&[(Arc::clone(&second), samples[0])]);
    store.settle().await.unwrap();
    let (from_ms, to_ms) = (samples[0].at_ms, samples[299].at_ms + 1);
    for attempt in 0.. {
        if store.samples(&first, from_ms, to_ms).await.unwrap().len() == 300 || attempt == 100 {
            break; // a store elsewhere shows it a moment later
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(store.samples(&first, from_ms, to_ms).await.unwrap(), samples);
    assert_eq!(store.samples(&first, from_ms + 1, to_ms - 1).await.unwrap(), samples[1..299], "half open");
    assert_eq!(store.samples(&key(7), from_ms, to_ms).await.unwrap(), [], "never kept");
    for step_ms in [10_000, 60_000, 300_000, 900_000, 3_600_000] {
        let (from_ms, to_ms) = (from_ms.div_euclid(step_ms) * step_ms, (to_ms.div_euclid(step_ms) + 1) * step_ms);
        let found = store.buckets(&first, (from_ms, to_ms), step_ms).await.unwrap();
        assert_alike(&found, &grouped(&samples, step_ms), &format!("steps of {step_ms} ms"));
    }
    let found = store.find("gpu_power_watts", &[("host", "node-1")]).await.unwrap();
    assert_eq!(found.into_iter().collect::<std::collections::BTreeSet<_>>(), [first.clone(), second].into());
    assert_eq!(store.find("gpu_power_watts", &[("gpu", "0")]).await.unwrap(), [first]);
    assert_eq!(store.find("gpu_power_watts", &[("gpu", "9")]).await.unwrap(), []);
}

#[tokio::test]
async fn history_on_this_machine_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let db = store::db::open_history(&dir.path().join("telemetry.db")).await.unwrap();
    let history = LocalHistory::open(db, Retention::default()).await.unwrap();
    keeps_the_contract(&history).await;
}

#[tokio::test]
async fn history_on_this_machine_is_the_same_after_it_was_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let open = async || {
        let db = store::db::open_history(&dir.path().join("telemetry.db")).await.unwrap();
        LocalHistory::open(db, Retention::default()).await.unwrap()
    };
    let samples = readings(now_ms());
    let history = open().await;
    for part in samples.chunks(50) {
        history.append(&part.iter().map(|sample| (key(0), *sample)).collect::<Vec<_>>());
        history.settle().await.unwrap();
    }
    history.db().close().await;
    let again = open().await;
    assert_eq!(again.samples(&key(0), 0, i64::MAX).await.unwrap(), samples);
    let found = again.buckets(&key(0), (samples[0].at_ms, now_ms() + 1), 60_000).await.unwrap();
    assert_alike(&found, &grouped(&samples, 60_000), "after opening again");
    assert_eq!(again.append(&[(key(0), samples[3])]).kept, 0, "what is kept already is not kept twice");
}

struct Stopped(Child);
impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn history_in_victoria_metrics_keeps_the_contract() {
    let Some(victoria) = program("victoria-metrics") else { return };
    let dir = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _running = Stopped(
        Command::new(victoria)
            .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
            .arg(format!("-storageDataPath={}", dir.path().join("victoria").display()))
            .args(["-search.latencyOffset=0s", "-retentionPeriod=100y", "-dedup.minScrapeInterval=1ms"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let base: url::Url = format!("http://127.0.0.1:{port}").parse().unwrap();
    let settings = Settings::of(base.join("/api/v1/write").unwrap(), dir.path().join("queue"));
    let forwarder = Arc::new(Forwarder::open(settings).unwrap());
    let stop = CancellationToken::new();
    let sending = tokio::spawn({
        let (forwarder, stop) = (Arc::clone(&forwarder), stop.clone());
        async move { forwarder.run(stop).await }
    });
    let history = RemoteHistory::of(Client::of(Endpoint::of(base.clone())).unwrap());
    for _ in 0..100 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    keeps_the_contract(&RemoteSeries::new(forwarder, history)).await;
    stop.cancel();
    sending.await.unwrap();
}
