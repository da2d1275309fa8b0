//! Events told to a house that is away, refuses, or takes.

use super::*;
use model::event::Happening;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn event(code: u32) -> FleetEvent {
    FleetEvent {
        at_ms: 1_764_000_000_000 + i64::from(code),
        source: "kernel-log".into(),
        host: Some("node-1".into()),
        gpu: None,
        what: Happening::Xid { code, detail: None },
        message: format!("Xid {code}"),
    }
}

fn codes(events: &[FleetEvent]) -> Vec<u32> {
    events
        .iter()
        .map(|event| {
            let Happening::Xid { code, .. } = event.what else { panic!("{event:?}") };
            code
        })
        .collect()
}

/// A house that answers each request with what `answer` makes of its events, and hands on those that it took.
async fn house(answer: impl Fn(&[FleetEvent]) -> u16 + Send + 'static) -> (Url, Arc<Mutex<Vec<FleetEvent>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v1/fleet/happened", listener.local_addr().unwrap());
    let taken = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&taken);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = Vec::new();
            let events: Vec<FleetEvent> = loop {
                let mut part = [0; 4_096];
                let read = stream.read(&mut part).await.unwrap();
                text.extend_from_slice(&part[..read]);
                let head = text.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
                if let Some(Ok(events)) = head.map(|head| serde_json::from_slice(&text[head..])) {
                    break events;
                }
                assert!(read > 0, "the request broke off");
            };
            let status = answer(&events);
            if status == 204 {
                into.lock().unwrap().extend(events);
            }
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
        }
    });
    (url.parse().unwrap(), taken)
}

async fn until(forwarder: &EventForwarder, reached: impl Fn(&EventStatus) -> bool) {
    let stop = CancellationToken::new();
    let wait = async {
        while !reached(&forwarder.status()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.cancel();
    };
    let both = async { tokio::join!(forwarder.run(stop.clone()), wait) };
    let waited = tokio::time::timeout(Duration::from_secs(20), both).await;
    assert!(waited.is_ok(), "{:?}", forwarder.status());
}

#[tokio::test]
async fn what_waits_outlasts_a_restart_and_is_told_once_taken_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    let nowhere: Url = "http://127.0.0.1:9/api/v1/fleet/happened".parse().unwrap();
    let away = EventForwarder::open(EventSettings::of(nowhere, file.clone())).unwrap();
    (1..=3).for_each(|code| away.append(event(code)));
    until(&away, |status| status.last_error.is_some()).await;
    assert_eq!((away.status().waiting, away.status().up), (3, false));
    drop(away);
    // A line that was torn by a loss of power is left out, and counted.
    OpenOptions::new().append(true).open(&file).unwrap().write_all(b"{\"at_ms\":17").unwrap();

    let (url, taken) = house(|_| 204).await;
    let back = EventForwarder::open(EventSettings::of(url.clone(), file.clone())).unwrap();
    assert_eq!((back.status().waiting, back.status().damaged), (3, 1));
    back.append(event(4));
    until(&back, |status| status.waiting == 0).await;
    assert_eq!(codes(&taken.lock().unwrap()), [1, 2, 3, 4]);
    assert!(back.status().up && back.status().sent == 4);
    drop(back);
    assert_eq!(EventForwarder::open(EventSettings::of(url, file)).unwrap().status().waiting, 0);
}

#[tokio::test]
async fn the_oldest_go_where_too_many_wait_and_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    let nowhere: Url = "http://127.0.0.1:9/".parse().unwrap();
    let settings = EventSettings { events_max: 5, ..EventSettings::of(nowhere, file.clone()) };
    let forwarder = EventForwarder::open(settings.clone()).unwrap();
    (1..=40).for_each(|code| forwarder.append(event(code)));
    assert_eq!((forwarder.status().waiting, forwarder.status().overflowed), (5, 35));
    assert!(fs::read_to_string(&file).unwrap().lines().count() <= 11, "the file is bounded too");
    drop(forwarder);
    let again = EventForwarder::open(settings).unwrap();
    let waiting: Vec<FleetEvent> = again.shared().waiting.iter().cloned().collect();
    assert_eq!(codes(&waiting), [36, 37, 38, 39, 40]);
}

#[tokio::test]
async fn one_that_is_refused_does_not_hold_up_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let (url, taken) = house(|events| if codes(events).contains(&13) { 422 } else { 204 }).await;
    let forwarder = EventForwarder::open(EventSettings::of(url, folder.path().join("events.jsonl"))).unwrap();
    (1..=30).for_each(|code| forwarder.append(event(code)));
    until(&forwarder, |status| status.waiting == 0).await;
    let expected: Vec<u32> = (1..=30).filter(|code| *code != 13).collect();
    assert_eq!(codes(&taken.lock().unwrap()), expected);
    assert_eq!((forwarder.status().sent, forwarder.status().refused), (29, 1));
}

#[tokio::test]
async fn a_wrong_address_drops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (url, _) = house(|_| 404).await;
    let forwarder = EventForwarder::open(EventSettings::of(url, folder.path().join("events.jsonl"))).unwrap();
    forwarder.append(event(79));
    until(&forwarder, |status| status.last_error.as_ref().is_some_and(|words| words.contains("404"))).await;
    assert_eq!((forwarder.status().waiting, forwarder.status().refused), (1, 0));
    let secret = EventSettings::of("http://user:word@house/".parse().unwrap(), folder.path().join("other.jsonl"));
    assert!(matches!(EventForwarder::open(secret), Err(Problem::Address(_))));
}
