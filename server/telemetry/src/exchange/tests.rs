use super::*;
use crate::bus::{Message, Retain};
use tokio::sync::mpsc;

const T0: i64 = 1_743_620_423_000;

fn config(text: &str) -> Result<ExchangeSource, String> {
    let config: ExchangeConfig = toml::from_str(text).map_err(|error| error.to_string())?;
    ExchangeSource::new(config).map_err(|error| error.to_string())
}

#[test]
fn it_is_set_up_from_a_file_and_its_target_shows_no_secret() {
    let source = config(
        r#"
        name = "hall 1"
        broker = "mqtts://bus.site:8883"
        authority = "/etc/ca.pem"
        utility_meters = ["U1"]
        auth = { mode = "token", file = "/run/token" }
        labels = { site = "x" }
        "#,
    )
    .unwrap();
    assert_eq!(
        (source.name(), source.kind(), source.target().as_str()),
        ("hall 1", SourceKind::Exchange, "mqtts://bus.site:8883")
    );
    assert_eq!(source.mqtt.client_id, "millwright-hall-1");
    assert_eq!(source.mqtt.auth, Auth::Token { username: "oauthtoken".into(), file: "/run/token".into() });
}

#[test]
fn what_can_not_be_is_refused_in_words() {
    for (text, why) in [
        ("name = \" \"\nbroker = \"mqtt://a\"", "the source needs a name"),
        ("name = \"a\"\nbroker = \"amqp://a\"", "broker is reached over mqtt:// or mqtts://, not amqp://"),
        (
            "name = \"a\"\nbroker = \"mqtt://a\"\nauth = { mode = \"certificate\", certificate = \"a\", key = \"b\" }",
            "a certificate needs mqtts://",
        ),
        ("name = \"a\"\nbroker = \"mqtt://a\"\nclient_id = \"\"", "client id has 0 characters, and not 1 to 64"),
    ] {
        assert_eq!(config(text).err().as_deref(), Some(why));
    }
    assert!(config("name = \"a\"\nbroker = \"mqtt://a\"\ncolour = 1").err().unwrap().contains("colour"));
}

fn reader() -> (Reader, Sink, mpsc::Receiver<(u32, Brought)>) {
    let (queue, house) = mpsc::channel(10_000);
    let facility = Facility::new(Settings { source: "bms".into(), ..Settings::default() });
    (Reader::new(facility, watch::Sender::default()), Sink::new(0, queue), house)
}

async fn flushed(reader: &mut Reader, out: &Sink, house: &mut mpsc::Receiver<(u32, Brought)>) -> Vec<Brought> {
    assert!(reader.flush(out).await);
    std::iter::from_fn(|| house.try_recv().ok().map(|(_, brought)| brought)).collect()
}

fn message(topic: &str, payload: &str) -> Arrived {
    Arrived::Message(Message { topic: topic.into(), payload: payload.into(), retain: Retain::Passing })
}

#[tokio::test]
async fn states_are_told_when_they_change() {
    let (mut reader, out, mut house) = reader();
    let states = |brought: Vec<Brought>| -> Vec<SourceState> {
        brought.into_iter().filter_map(|b| if let Brought::State(state) = b { Some(state) } else { None }).collect()
    };
    assert_eq!(states(flushed(&mut reader, &out, &mut house).await), [SourceState::Connecting]);
    reader.link(&Link::Down { why: "no".into(), mend: "do".into() }, T0);
    let failing = SourceState::Failing { since_ms: T0, why: "no".into(), mend: "do".into() };
    assert_eq!(states(flushed(&mut reader, &out, &mut house).await), [failing]);
    reader.link(&Link::Up { times: 1 }, T0 + 1_000);
    assert_eq!(states(flushed(&mut reader, &out, &mut house).await), [SourceState::Connected]);
    let beat = format!(r#"{{"value":1,"timestamp":{T0},"quality":1}}"#);
    reader.take(message("BMS/v1/PUB/Value/System/HeartbeatTimestampBms/h", &beat), T0 + 1_000);
    reader.tick(T0 + 2_000);
    assert_eq!(states(flushed(&mut reader, &out, &mut house).await), []);
    reader.tick(T0 + 40_000);
    let offline = states(flushed(&mut reader, &out, &mut house).await);
    let [SourceState::Failing { since_ms, why, .. }] = &offline[..] else { panic!("{offline:?}") };
    assert_eq!((*since_ms, why.as_str()), (T0 + 1_000, "the BMS is offline: its heartbeat stopped (h)"));
    reader.take(message("BMS/v1/PUB/Value/System/HeartbeatTimestampBms/h", &beat), T0 + 41_000);
    reader.tick(T0 + 41_000);
    assert_eq!(states(flushed(&mut reader, &out, &mut house).await), [SourceState::Connected]);
    reader.take(Arrived::Refused { filter: "BMS/v1/#".into(), why: "not authorised".into(), times: 1 }, T0 + 42_000);
    let refused = states(flushed(&mut reader, &out, &mut house).await);
    assert!(matches!(&refused[..], [SourceState::Failing { why, .. }] if why.contains("BMS/v1/#: not authorised")));
    // A later connection that was not refused anything is well.
    reader.link(&Link::Up { times: 2 }, T0 + 43_000);
    assert_eq!(states(flushed(&mut reader, &out, &mut house).await), [SourceState::Connected]);
}

#[tokio::test]
async fn a_flood_of_remarks_is_a_few_and_a_number() {
    let (mut reader, out, mut house) = reader();
    for n in 0..1_000 {
        reader.take(message(&format!("BMS/v1/PUB/Value/Rack/RackPower/{n}"), "no JSON"), T0);
    }
    let faults: Vec<_> = flushed(&mut reader, &out, &mut house)
        .await
        .into_iter()
        .filter_map(|b| if let Brought::Fault(fault) = b { Some(fault) } else { None })
        .collect();
    assert_eq!((faults.len(), faults.last().unwrap().as_str()), (MOST_REMARKS + 1, "and 980 remarks more"));
}

#[tokio::test]
async fn many_readings_are_handed_on_before_their_time() {
    let (mut reader, _out, _house) = reader();
    let metadata =
        r#"{"objectType":"Rack","pointType":"RackPower","engUnit":"kW","rackLocationId":"a","rackLocationName":"a"}"#;
    assert!(!reader.take(message("BMS/v1/PUB/Metadata/Rack/RackPower/t", metadata), T0));
    let full: Vec<bool> = (0..i64::try_from(MOST_READINGS).unwrap())
        .map(|n| {
            let value = format!(r#"{{"value":{n},"timestamp":{},"quality":1}}"#, T0 + n);
            reader.take(message("BMS/v1/PUB/Value/Rack/RackPower/t", &value), T0 + n)
        })
        .collect();
    assert_eq!(full.iter().filter(|full| **full).count(), 1);
    assert_eq!(full.last(), Some(&true));
}
