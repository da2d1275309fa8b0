//! Plays a recorded building: a scenario of the exchange's own tools (`offset,topic,payload`), onto a bus.
//!
//! Never: plays a scenario that does not hold to the schema. Each row is looked at first, and what is wrong is told by
//! line and field.

use super::point;
use super::topic::{Content, Shape, Topic};
use crate::bus::{Bus, BusError, Link, Message, Retain};
use std::io::Read;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What stands in a payload for the time at which it is sent.
pub const TIMESTAMP: &str = "{{timestamp_ms}}";
/// The most rows.
const MOST_ROWS: usize = 1_000_000;
/// The most bytes.
const MOST_BYTES: u64 = 256 * 1_024 * 1_024;
/// The most faults that are told.
const MOST_FAULTS: usize = 100;
/// The longest offset: a week.
const LONGEST: Duration = Duration::from_hours(168);
/// A time of our days, for looking at a payload.
const SOME_TIME: &str = "1743620423000";

/// A recorded building.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scenario {
    /// Each message, in the order of time.
    pub rows: Vec<Row>,
}

/// A message of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line it stands in, from 1.
    pub line: u64,
    /// When, from the start.
    pub offset: Duration,
    /// Where.
    pub topic: String,
    /// What, with [`TIMESTAMP`] for the time.
    pub payload: String,
    /// Metadata are retained, values pass.
    pub retain: Retain,
}

/// What is wrong with a recording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {field} {why}")]
pub struct RowFault {
    /// The line, from 1; the header is line 1.
    pub line: u64,
    /// Which of its fields.
    pub field: &'static str,
    /// What is wrong with it.
    pub why: String,
}

impl Scenario {
    /// Reads a recording whole, or says what is wrong with it: the first hundred faults.
    pub fn read(from: impl Read) -> Result<Self, Vec<RowFault>> {
        let mut table = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(from.take(MOST_BYTES));
        let (mut rows, mut faults) = (Vec::new(), Vec::new());
        let mut before = Duration::ZERO;
        for (n, record) in table.records().enumerate() {
            if faults.len() >= MOST_FAULTS {
                break;
            }
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    faults.push(RowFault { line, field: "row", why: "is not CSV in UTF-8".to_owned() });
                    break;
                }
            };
            let line = record.position().map_or(n as u64 + 1, csv::Position::line);
            let fields: Vec<&str> = record.iter().collect();
            let [offset, topic, payload] = fields[..] else {
                let why = format!("has {} fields, and not offset, topic and payload", fields.len());
                faults.push(RowFault { line, field: "row", why });
                continue;
            };
            if n == 0 {
                if (offset, topic, payload) != ("offset", "topic", "payload") {
                    faults.push(RowFault {
                        line,
                        field: "header",
                        why: "is not exactly offset,topic,payload".to_owned(),
                    });
                }
                continue;
            }
            if rows.len() >= MOST_ROWS {
                faults.push(RowFault { line, field: "row", why: format!("is beyond the first {MOST_ROWS}") });
                break;
            }
            let offset = go_duration(offset).and_then(|offset| match offset {
                _ if offset < before => Err(format!("{offset:?} is before that of the row above, {before:?}")),
                _ if offset > LONGEST => Err(format!("{offset:?} is beyond a week")),
                offset => Ok(offset),
            });
            match (offset, retained(topic, payload, line, &mut faults)) {
                (Ok(offset), Some(retain)) => {
                    before = offset;
                    rows.push(Row { line, offset, topic: topic.to_owned(), payload: payload.to_owned(), retain });
                }
                (Ok(offset), None) => before = offset,
                (Err(why), _) => faults.push(RowFault { line, field: "offset", why }),
            }
        }
        if rows.is_empty() && faults.is_empty() {
            faults.push(RowFault { line: 1, field: "row", why: "is missing: there are no messages".to_owned() });
        }
        if faults.is_empty() { Ok(Self { rows }) } else { Err(faults) }
    }

    /// How long it is.
    pub fn length(&self) -> Duration {
        self.rows.last().map_or(Duration::ZERO, |row| row.offset)
    }
}

/// Whether a row is kept by the broker; nothing where it does not hold to the schema, which is told.
fn retained(topic: &str, payload: &str, line: u64, faults: &mut Vec<RowFault>) -> Option<Retain> {
    let before = faults.len();
    let mut told = Vec::new();
    let payload = payload.replace(TIMESTAMP, SOME_TIME);
    let payload = payload.as_bytes();
    let (content, read) = match topic.parse::<Topic>() {
        Ok(Topic::Point(at)) => (
            at.content,
            match at.content {
                Content::Value => point::value(topic, Shape::Published, payload, &mut told).map(|_| ()),
                Content::Metadata => point::metadata(&at, payload, &mut told).map(|_| ()),
            },
        ),
        Ok(Topic::Field { content, .. }) => (
            content,
            match content {
                Content::Value => point::value(topic, Shape::Field, payload, &mut told).map(|_| ()),
                Content::Metadata => point::field_metadata(topic, payload, &mut told).map(|_| ()),
            },
        ),
        Ok(Topic::HostState { .. } | Topic::Grid(_)) => (Content::Value, Ok(())),
        Err(error) => {
            faults.push(RowFault { line, field: "topic", why: error.to_string() });
            return None;
        }
    };
    told.extend(read.err());
    faults.extend(told.into_iter().map(|fault| RowFault {
        line,
        field: "payload",
        why: if fault.field.is_empty() { fault.why } else { format!("`{}` {}", fault.field, fault.why) },
    }));
    let retain = if content == Content::Metadata { Retain::Kept } else { Retain::Passing };
    (faults.len() == before).then_some(retain)
}

/// Reads a duration as Go writes it: `1m2.5s`, `3.4731ms`, `0`.
pub fn go_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{:?} is no duration such as 1m2.5s", text.chars().take(40).collect::<String>());
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest.starts_with('-') {
        return Err(format!("{text:?} is before the start"));
    }
    if rest.is_empty() || text.len() > 64 {
        return Err(wrong());
    }
    // Whole nanoseconds, so that nothing is lost on the way.
    let mut nanos: u128 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let unit: u128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return Err(wrong()),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || whole.len() > 12 || fraction.contains('.') {
            return Err(wrong());
        }
        let fraction = &fraction[..fraction.len().min(18)];
        let count = |digits: &str| if digits.is_empty() { Ok(0) } else { digits.parse::<u128>().map_err(|_| wrong()) };
        nanos += count(whole)? * unit + count(fraction)? * unit / 10_u128.pow(fraction.len() as u32);
        rest = after;
    }
    u64::try_from(nanos).map(Duration::from_nanos).map_err(|_| wrong())
}

/// How to play.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Play {
    /// How many seconds of the recording pass in one; above 0.
    pub speed: f64,
    /// Whether to begin again at the end.
    pub repeat: Repeat,
}

/// Whether to begin again at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// No.
    Once,
    /// Until told to stop.
    Forever,
}

/// What was played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Played {
    /// Messages that the bus took.
    pub sent: u64,
    /// Messages that it can't take.
    pub refused: u64,
    /// Times the metadata were sent again because the bus had been away.
    pub renewed: u64,
    /// Whole rounds.
    pub rounds: u64,
}

/// Plays a recording onto a bus. Where the bus goes away, it waits for it, sends again all metadata that were sent
/// before (a broker may have forgotten them), and goes on from where it was. `clock` says the time, milliseconds since
/// 1970 UTC.
pub async fn play(
    scenario: &Scenario,
    bus: &dyn Bus,
    how: Play,
    clock: &(dyn Fn() -> i64 + Send + Sync),
    stop: &CancellationToken,
) -> Played {
    let mut player = Player { scenario, bus, clock, times: None, played: Played::default() };
    let speed = if how.speed.is_finite() && how.speed > 0.0 { how.speed } else { 1.0 };
    let all = async {
        loop {
            player.round(speed).await;
            player.played.rounds += 1;
            if how.repeat == Repeat::Once {
                return;
            }
            // A recording of one moment must not become a flood.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = all => {}
        () = stop.cancelled() => {}
    }
    player.played
}

struct Player<'a> {
    scenario: &'a Scenario,
    bus: &'a dyn Bus,
    clock: &'a (dyn Fn() -> i64 + Send + Sync),
    /// How often the bus had been reached when we last sent.
    times: Option<u64>,
    played: Played,
}

impl Player<'_> {
    async fn round(&mut self, speed: f64) {
        let scenario = self.scenario;
        let mut start = Instant::now();
        for (n, row) in scenario.rows.iter().enumerate() {
            let due = start + row.offset.div_f64(speed);
            tokio::time::sleep_until(due).await;
            loop {
                self.ready(&scenario.rows[..n]).await;
                if self.send(row).await {
                    break;
                }
            }
            // What was waited for the bus is not caught up with.
            let late = Instant::now().saturating_duration_since(due);
            if late > Duration::from_secs(1) {
                start += late;
            }
        }
    }

    /// Waits until the bus is up; if it had been away, sends again what it should keep.
    async fn ready(&mut self, before: &[Row]) {
        loop {
            let times = up(self.bus).await;
            if self.times.replace(times).is_none_or(|last| last == times) {
                return;
            }
            self.played.renewed += 1;
            for row in before.iter().filter(|row| row.retain == Retain::Kept) {
                if !self.send(row).await {
                    break;
                }
            }
        }
    }

    /// Whether the bus took it, or never will.
    async fn send(&mut self, row: &Row) -> bool {
        let payload = row.payload.replace(TIMESTAMP, &(self.clock)().to_string()).into_bytes();
        let message = Message { topic: row.topic.clone(), payload, retain: row.retain };
        match self.bus.publish(message).await {
            Ok(()) => {
                self.played.sent += 1;
                true
            }
            Err(BusError::Unsendable(_)) => {
                self.played.refused += 1;
                true
            }
            Err(BusError::Down(_)) => {
                // The link says so a moment later.
                tokio::time::sleep(Duration::from_millis(50)).await;
                false
            }
        }
    }
}

/// Waits until the bus is up; how often it has been by then.
async fn up(bus: &dyn Bus) -> u64 {
    let mut link = bus.link();
    loop {
        if let Link::Up { times } = *link.borrow_and_update() {
            return times;
        }
        if link.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{Arrived, Wanted};
    use async_trait::async_trait;
    use proptest::prelude::*;
    use std::sync::Mutex;
    use tokio::sync::watch;

    const METADATA: &str = r#"BMS/v1/PUB/Metadata/Rack/RackPower/t,"{""objectType"":""Rack"",""pointType"":""RackPower"",""engUnit"":""kW"",""rackLocationName"":""a"",""rackLocationId"":""a""}""#;
    const VALUE: &str =
        r#"BMS/v1/PUB/Value/Rack/RackPower/t,"{""value"":1,""timestamp"":{{timestamp_ms}},""quality"":1}""#;

    fn read(rows: &[&str]) -> Result<Scenario, Vec<String>> {
        let text = format!("offset,topic,payload\n{}\n", rows.join("\n"));
        Scenario::read(text.as_bytes()).map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, nanos) in [
            ("0s", 0),
            ("0", 0),
            ("3.4731ms", 3_473_100),
            ("1m39.3675441s", 99_367_544_100),
            ("1h2m3s", 3_723_000_000_000),
            ("250µs", 250_000),
            ("1.5h", 5_400_000_000_000),
            (".5s", 500_000_000),
        ] {
            assert_eq!(go_duration(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
        for text in ["", "5", "s", "1x", "-1s", "1.2.3s", "1s2", "99999999999999h", "."] {
            assert!(go_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_line_and_field() {
        let faults = read(&[
            &format!("1s,{METADATA}"),
            &format!("500ms,{VALUE}"),
            &format!("soon,{VALUE}"),
            "2s,BMS/v1/PUB/Value/Rack/Nothing/t,{}",
            "2s,BMS/v1/PUB/Value/Rack/RackPower/t,{}",
            "2s,only two",
        ])
        .unwrap_err();
        assert_eq!(
            faults,
            [
                "line 3: offset 500ms is before that of the row above, 1s",
                "line 4: offset \"soon\" is no duration such as 1m2.5s",
                "line 5: topic point type \"Nothing\" is none of the schema's",
                "line 6: payload `value` is missing",
                "line 7: row has 2 fields, and not offset, topic and payload",
            ]
        );
        assert_eq!(Scenario::read(&b"a,b,c\n"[..]).unwrap_err()[0].field, "header");
        assert_eq!(Scenario::read(&b"offset,topic,payload\n"[..]).unwrap_err().len(), 1);
        assert_eq!(Scenario::read(&b"offset,topic,payload\n\xff,a,b\n"[..]).unwrap_err()[0].field, "row");
    }

    /// A bus that takes what it is told to take, and goes away after some messages.
    struct FakeBus {
        sent: Mutex<Vec<Message>>,
        link: watch::Sender<Link>,
        until: usize,
    }

    #[async_trait]
    impl Bus for FakeBus {
        async fn subscribe(&self, _: Vec<Wanted>) {}
        async fn publish(&self, message: Message) -> Result<(), BusError> {
            let mut sent = self.sent.lock().unwrap();
            if sent.len() == self.until && *self.link.borrow() == (Link::Up { times: 1 }) {
                self.link.send_replace(Link::Up { times: 2 });
                return Err(BusError::Down("gone".into()));
            }
            sent.push(message);
            Ok(())
        }
        async fn next(&self) -> Arrived {
            std::future::pending().await
        }
        fn link(&self) -> watch::Receiver<Link> {
            self.link.subscribe()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_played_in_its_own_time_and_metadata_are_sent_again_after_a_gap() {
        let scenario = read(&[&format!("0s,{METADATA}"), &format!("10s,{VALUE}"), &format!("20s,{VALUE}")]).unwrap();
        let bus = FakeBus { sent: Mutex::default(), link: watch::channel(Link::Up { times: 1 }).0, until: 2 };
        let (start, how) = (Instant::now(), Play { speed: 2.0, repeat: Repeat::Once });
        let played = play(&scenario, &bus, how, &|| 77, &CancellationToken::new()).await;
        assert_eq!(played, Played { sent: 4, refused: 0, renewed: 1, rounds: 1 });
        assert!((start.elapsed().as_secs_f64() - 10.0).abs() < 0.2, "{:?}", start.elapsed());
        let sent = bus.sent.into_inner().unwrap();
        let kept: Vec<Retain> = sent.iter().map(|message| message.retain).collect();
        assert_eq!(kept, [Retain::Kept, Retain::Passing, Retain::Kept, Retain::Passing]);
        assert_eq!(sent[1].payload, br#"{"value":1,"timestamp":77,"quality":1}"#);
    }

    #[tokio::test(start_paused = true)]
    async fn it_repeats_until_it_is_told_to_stop() {
        let scenario = read(&[&format!("0s,{VALUE}"), &format!("1s,{VALUE}")]).unwrap();
        let bus = FakeBus { sent: Mutex::default(), link: watch::channel(Link::Up { times: 1 }).0, until: usize::MAX };
        let stop = CancellationToken::new();
        let stopper = async {
            tokio::time::sleep(Duration::from_millis(3_500)).await;
            stop.cancel();
        };
        let how = Play { speed: 1.0, repeat: Repeat::Forever };
        let (played, ()) = tokio::join!(play(&scenario, &bus, how, &|| 0, &stop), stopper);
        assert_eq!((played.rounds, played.sent), (3, 7));
    }

    proptest! {
        #[test]
        fn law_no_bytes_of_a_recording_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Scenario::read(bytes.as_slice());
            let _ = go_duration(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn law_a_duration_is_read_to_the_nanosecond(h in 0_u64..100, m in 0_u64..60, s in 0_u64..60, ns in 0_u32..1_000_000_000) {
            let text = format!("{h}h{m}m{s}.{ns:09}s");
            prop_assert_eq!(go_duration(&text), Ok(Duration::new(h * 3_600 + m * 60 + s, ns)));
        }
    }
}
