use super::*;
use crate::alert::{Alerts, Seen, Signal, default_rules};
use model::alert::{AlertMemory, Place};
use model::metric::Metric;
use std::net::IpAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

fn notification(gpus: u32) -> Notification {
    let mut all = Alerts::restore(default_rules(), AlertMemory::default());
    let hot: Vec<Signal> = (0..gpus)
        .map(|gpu| Signal {
            place: Place {
                hall: Some("h1".into()),
                rack: Some("r1".into()),
                node: Some("n1".into()),
                gpu: Some(gpu.to_string()),
            },
            object: None,
            seen: Seen::Metric(Metric::GpuRemapFailure, 1.0),
        })
        .collect();
    all.observe(1_700_000_000_000, &hot);
    all.notifications(1_700_000_010_000).remove(0)
}

#[test]
fn golden_payload_is_alertmanagers_version_4() {
    let payload = payload(&notification(1), &default_rules(), "ops", "https://mill.example/");
    let expected = serde_json::json!({
        "version": "4",
        "groupKey": "{}:{alertname=\"row-remap-failed\",hall=\"h1\",rack=\"r1\"}",
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "ops",
        "groupLabels": { "alertname": "row-remap-failed", "hall": "h1", "rack": "r1" },
        "commonLabels": { "alertname": "row-remap-failed", "severity": "critical", "hall": "h1", "rack": "r1", "node": "n1", "gpu": "0" },
        "commonAnnotations": payload.alerts[0].annotations,
        "externalURL": "https://mill.example/",
        "alerts": [{
            "status": "firing",
            "labels": { "alertname": "row-remap-failed", "severity": "critical", "hall": "h1", "rack": "r1", "node": "n1", "gpu": "0" },
            "annotations": {
                "summary": "A worn row of a GPU's memory could not be replaced by a spare one",
                "description": "The next error in that row ends whatever runs on the GPU",
                "action": "Take the GPU out of work and have it replaced",
                "value": "1",
            },
            "startsAt": "2023-11-14T22:13:20.000Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "https://mill.example/alerts",
            "fingerprint": payload.alerts[0].fingerprint,
        }],
    });
    assert_eq!(serde_json::to_value(&payload).unwrap(), expected);
    assert_eq!(payload.alerts[0].fingerprint.len(), 16);
}

#[test]
fn many_alerts_are_counted_rather_than_sent() {
    let mut notification = notification(1);
    notification.alerts = vec![notification.alerts[0].clone(); 1_200];
    notification.alerts[0].state = AlertState::Resolved;
    let payload = payload(&notification, &[], "ops", "http://x");
    assert_eq!((payload.alerts.len(), payload.truncated_alerts, payload.status.as_str()), (500, 700, "firing"));
    assert_eq!(
        (payload.alerts[0].status.as_str(), payload.alerts[0].ends_at.as_str()),
        ("resolved", "2023-11-14T22:13:20.000Z")
    );
}

#[test]
fn times_are_written_as_the_calendar_has_them() {
    for (ms, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_827_696_789, "2000-02-29T12:34:56.789Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (i64::MAX, "9999-12-31T23:59:59.999Z"),
        (i64::MIN, "1970-01-01T00:00:00.000Z"),
    ] {
        assert_eq!(rfc3339(ms), text);
    }
}

#[test]
fn agrees_with_rfc_4231() {
    let of = digits(&keyed(b"Jefe", &[b"what do ya want ", b"for nothing?"]));
    assert_eq!(of, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    let secret = Secret::of("Jefe");
    assert_eq!(signature(&secret, 12, b"3{}"), signature(&secret, 12, b"3{}"));
    assert_ne!(signature(&secret, 12, b"{}"), signature(&secret, 13, b"{}"));
    assert_eq!(format!("{secret:?}"), "Secret(…)");
}

#[test]
fn waits_grow_and_end() {
    let whole: Vec<u64> = (1..ATTEMPTS).map(|attempt| wait_after(attempt, 1.0).unwrap().as_secs()).collect();
    assert_eq!(whole, [1, 3, 9, 27, 81, 243, 600]);
    assert_eq!(wait_after(1, 0.0), Some(Duration::from_millis(500)));
    assert_eq!((wait_after(ATTEMPTS, 0.0), wait_after(u32::MAX, 0.0)), (None, None));
}

#[test]
fn what_a_try_came_to_decides_the_next() {
    let failed = |later, after| Err(Failure { because: "x".into(), later, after });
    assert_eq!(came_of(Ok(204), 1, 0.0), (Outcome::Taken { status: 204 }, None));
    assert!(matches!(came_of(failed(false, None), 1, 0.0), (Outcome::GivenUp { .. }, None)));
    assert!(matches!(came_of(failed(true, None), ATTEMPTS, 0.0), (Outcome::GivenUp { .. }, None)));
    let asked = came_of(failed(true, Some(Duration::from_mins(1))), 1, 0.0);
    assert_eq!(asked.1, Some(Duration::from_mins(1)), "the receiver asks for a longer wait");
    assert_eq!(came_of(failed(true, Some(Duration::MAX)), 1, 0.0).1, Some(WAIT_MAX), "but not for ever");
}

#[test]
fn metadata_and_link_local_are_never_reached() {
    let all = Guard { allow: vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()] };
    for address in [
        "169.254.169.254",
        "169.254.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "64:ff9b::a9fe:a9fe",
        "::ffff:0:169.254.169.254",
        "2001:0:1::1",
    ] {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(all.address(address), Err(Refused::Never(address)), "{address}");
    }
}

#[test]
fn this_hosts_own_addresses_must_be_allowed() {
    let (none, some) =
        (Guard::default(), Guard { allow: vec!["127.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()] });
    for address in ["127.0.0.1", "::ffff:127.0.0.1", "fd12::1", "64:ff9b::7f00:1"] {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(none.address(address), Err(Refused::NotAllowed(address)));
        assert_eq!(some.address(address), Ok(()), "{address}");
    }
    assert!(none.address("::1".parse().unwrap()).is_err() && some.address("::1".parse().unwrap()).is_err());
    for address in ["10.1.2.3", "192.168.1.1", "8.8.8.8", "2606:4700::1"] {
        assert_eq!(none.address(address.parse().unwrap()), Ok(()), "{address}");
    }
}

#[test]
fn addresses_are_refused_with_a_reason() {
    let guard = Guard::default();
    for (url, why) in [
        ("nonsense", "not a URL"),
        ("file:///etc/passwd", "only http and https"),
        ("gopher://x/", "only http and https"),
        ("http://ann:pw@example.com/", "a name or password"),
        ("http://example.com:22/", "port 22"),
        ("http://metadata.google.internal/computeMetadata", "a cloud's metadata"),
        ("http://Metadata.Google.Internal./", "a cloud's metadata"),
        ("http://169.254.169.254/latest", "never reached"),
        ("http://0xa9fea9fe/", "never reached"),
        ("http://2852039166/", "never reached"),
        ("http://[::ffff:a9fe:a9fe]/", "never reached"),
        ("http://0251.0376.0251.0376/", "never reached"),
        ("http://127.1/", "an address of this host"),
        ("http://[::1]:9093/", "an address of this host"),
    ] {
        let refused = guard.url(url).unwrap_err().to_string();
        assert!(refused.contains(why), "{url}: {refused}");
    }
    for url in ["https://hooks.example.com/x?y=z", "http://10.0.0.5:9093/", "http://am.local:8080/"] {
        assert!(guard.url(url).is_ok(), "{url}");
    }
}

#[test]
fn networks_are_read() {
    let network = |text: &str| text.parse::<Network>();
    assert!(network("10.0.0.0/8").unwrap().holds("10.255.0.1".parse().unwrap()));
    assert!(!network("10.0.0.0/8").unwrap().holds("11.0.0.1".parse().unwrap()));
    assert!(
        network("::1").unwrap().holds("::1".parse().unwrap()) && !network("::1").unwrap().holds("::2".parse().unwrap())
    );
    for text in ["", "10.0.0.0/33", "x/8", "10.0.0.0/", "10.0.0/8", "::/129"] {
        assert_eq!(network(text), Err(guard::NoNetwork), "{text}");
    }
}

/// A receiver that answers one status after the other; what it was sent.
async fn receiver(answers: &'static [&'static str]) -> (u16, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let (mut request, mut chunk) = (Vec::new(), [0; 4_096]);
            loop {
                let got = socket.read(&mut chunk).await.unwrap();
                request.extend_from_slice(&chunk[..got]);
                let text = String::from_utf8_lossy(&request);
                let length = text
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .and_then(|text| text.parse::<usize>().ok());
                if let (Some(end), Some(length)) = (text.find("\r\n\r\n"), length)
                    && request.len() >= end + 4 + length
                {
                    break;
                }
            }
            let end = "content-length: 0\r\nconnection: close\r\n\r\n";
            socket.write_all(format!("HTTP/1.1 {answer}\r\n{end}").as_bytes()).await.unwrap();
            requests.push(String::from_utf8(request).unwrap());
        }
        requests
    });
    (port, task)
}

fn local(url: &str) -> Webhook {
    let guard = Guard { allow: vec!["127.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()] };
    Webhook::of("ops", url, Some(Secret::of("shared")), guard).unwrap()
}

async fn delivered(webhook: &Webhook) -> (bool, Vec<Outcome>) {
    let (payload, mut outcomes) = (payload(&notification(2), &default_rules(), "ops", "http://x"), Vec::new());
    let taken = webhook.deliver(&payload, &CancellationToken::new(), |delivery| outcomes.push(delivery.outcome)).await;
    (taken, outcomes)
}

#[tokio::test]
async fn a_notification_is_signed_and_tried_again() {
    let (port, requests) = receiver(&["503 Busy", "200 OK"]).await;
    let (taken, outcomes) = delivered(&local(&format!("http://127.0.0.1:{port}/hook"))).await;
    assert!(taken);
    assert!(
        matches!(&outcomes[..], [Outcome::Retry { because, .. }, Outcome::Taken { status: 200 }] if because.contains("503")),
        "{outcomes:?}"
    );
    let requests = requests.await.unwrap();
    let (head, body) = requests[1].split_once("\r\n\r\n").unwrap();
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    assert!(head.starts_with("POST /hook HTTP/1.1"));
    let timestamp: i64 = header("x-millwright-timestamp:").parse().unwrap();
    assert_eq!(header("x-millwright-signature:"), signature(&Secret::of("shared"), timestamp, body.as_bytes()));
    assert_eq!(header("content-type:"), "application/json");
    assert_eq!(serde_json::from_str::<Payload>(body).unwrap().alerts.len(), 2);
}

#[tokio::test]
async fn redirects_and_refusals_are_not_tried_again() {
    for answer in [&["302 Found\r\nlocation: http://169.254.169.254/"], &["404 Not Found"], &["400 Bad"]] {
        let (port, _requests) = receiver(answer).await;
        let (taken, outcomes) = delivered(&local(&format!("http://127.0.0.1:{port}/"))).await;
        assert!(!taken && matches!(&outcomes[..], [Outcome::GivenUp { .. }]), "{answer:?}: {outcomes:?}");
    }
}

#[tokio::test]
async fn a_name_that_leads_home_is_refused_when_it_is_looked_up() {
    let webhook = Webhook::of("ops", "http://localhost:9093/", None, Guard::default()).unwrap();
    let failed = webhook.attempt(b"{}", 0).await.err().unwrap();
    assert!(failed.because.contains("address of this host"), "{}", failed.because);
    assert!(Webhook::of("ops", "http://127.0.0.1:9093/", None, Guard::default()).is_err());
}

#[tokio::test]
async fn a_delivery_stops_when_it_is_told_to() {
    let (port, _requests) = receiver(&["503 Busy", "503 Busy"]).await;
    let (webhook, stop, mut tries) = (local(&format!("http://127.0.0.1:{port}/")), CancellationToken::new(), 0);
    let payload = payload(&notification(1), &[], "ops", "http://x");
    let taken = webhook
        .deliver(&payload, &stop, |_| {
            tries += 1;
            stop.cancel();
        })
        .await;
    assert_eq!((taken, tries), (false, 1));
}
