//! The building's bus: topics and payloads of the DSX Exchange, one message after the other into one building.
//!
//! Each line of an input is a message, its topic up to a tab; `!` before it says that the broker kept it. A line
//! without a tab is time that passes, milliseconds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::event::Happening;
use model::reading::{Labels, label};
use std::collections::BTreeSet;
use telemetry::bus::{Message, Retain};
use telemetry::exchange::ExchangeView;
use telemetry::exchange::facility::{Applied, Facility, Settings};
use telemetry::exchange::kind::{ObjectType, PointType};
use telemetry::exchange::point::{self, LONGEST_TEXT, MOST_SERVED};
use telemetry::exchange::replay::{Row, Scenario, TIMESTAMP};
use telemetry::exchange::signal::{self, Asked};
use telemetry::exchange::topic::{LONGEST, Shape, Topic};
use telemetry::exchange::topology::MOST_PATHS;
use telemetry_fuzz::{NOW, data, start, within};

/// The last millisecond before the year 2100.
const LATEST_MS: i64 = 4_102_444_800_000;

fuzz_target!(init: begin(), |data: &[u8]| {
    let utility_meters = ["U1".to_owned(), "U2".to_owned()].into();
    let settings = Settings { source: "bms".into(), utility_meters, labels: Labels::of([("site", "x")]) };
    let (mut facility, mut now) = (Facility::new(settings), NOW);
    facility.connected(now);
    for line in data.split(|byte| *byte == b'\n').take(64) {
        let Some(tab) = line.iter().position(|byte| *byte == b'\t') else {
            now += std::str::from_utf8(line).ok().and_then(|ms| ms.parse().ok()).unwrap_or(0).clamp(0, 1 << 32);
            came(&facility.tick(now), now);
            continue;
        };
        let (topic, retain) = match line[..tab].strip_prefix(b"!") {
            Some(topic) => (topic, Retain::Kept),
            None => (&line[..tab], Retain::Passing),
        };
        let topic = String::from_utf8_lossy(topic).into_owned();
        let message = Message { topic, payload: line[tab + 1..].to_vec(), retain };
        one(&message);
        came(&within(line.len(), 1_024, || facility.apply(&message, now)), now);
    }
    came(&facility.tick(now + 10_000), now + 10_000);
    shown(&facility, now);
});

/// A message by itself: a topic reads as it is written, a value is of our days, what the grid asks for is a number.
fn one(message: &Message) {
    let mut faults = Vec::new();
    if let Ok(topic) = message.topic.parse::<Topic>() {
        assert!(message.topic.len() <= LONGEST);
        assert_eq!(topic.to_string(), message.topic);
        if let Topic::Point(topic) = &topic {
            _ = point::metadata(topic, &message.payload, &mut faults);
        }
    }
    for shape in [Shape::Published, Shape::Field] {
        let Ok(value) = point::value(&message.topic, shape, &message.payload, &mut faults) else { continue };
        assert!(value.value.is_none_or(f64::is_finite) && value.at_ms.is_none_or(|at| (1..=LATEST_MS).contains(&at)));
    }
    if let Ok(metadata) = point::field_metadata(&message.topic, &message.payload, &mut faults) {
        assert!((1..=LONGEST_TEXT).contains(&metadata.owner.id().len()));
    }
    _ = signal::host_state(&message.topic, "m", &message.payload, &mut faults);
    if let Ok(Asked::Targets { targets, .. }) = signal::load_targets(&message.topic, &message.payload) {
        assert!(targets.iter().all(|target| target.power_w.is_none_or(|watts| watts >= 0.0 && watts.is_finite())));
    }
}

/// What came of it is finite and bounded.
fn came(applied: &Applied, now: i64) {
    for (key, at_ms, value) in &applied.readings {
        assert!(value.is_finite() && at_ms.is_none_or(|at| at <= now + 600_000), "{key} {value}");
        assert_eq!(key.labels.get(label::SOURCE), Some("bms"));
    }
    for event in &applied.events {
        assert!(!matches!(event.what, Happening::LoadTarget { target_w: Some(watts) } if !watts.is_finite()));
    }
    assert!(applied.remarks.len() <= 64 && applied.remarks.iter().all(|remark| remark.len() <= 16 << 10));
}

/// What a page shows holds together.
fn shown(facility: &Facility, now: i64) {
    let view = facility.view(now, &ExchangeView::default());
    assert_eq!((view.points.len(), view.points.len()), (view.reads.len(), facility.counts().points as usize));
    assert_eq!(facility.view(now, &view), view, "nothing came, and it is drawn anew");
    let racks: BTreeSet<&str> = view.racks.iter().map(|rack| &*rack.id).collect();
    assert_eq!(racks.len(), view.racks.len(), "each rack once");
    assert!(view.topology.serves.len() <= view.points.len() * MOST_SERVED);
    for object in view.topology.objects.iter().take(4) {
        assert!(view.topology.paths_to(&object.id).len() <= MOST_PATHS);
    }
    _ = view.building("bms");
}

fn begin() {
    let recorded =
        data("exchange/dsx_exemplar.csv").and_then(|table| Scenario::read(&table[..]).ok()).unwrap_or_default();
    // The first point of each kind, with its first value.
    let mut kinds = BTreeSet::new();
    let first = recorded.rows.iter().filter_map(|row| {
        let Ok(Topic::Point(described)) = row.topic.parse::<Topic>() else { return None };
        let new = row.retain == Retain::Kept && kinds.insert((described.object, described.point));
        let value = recorded.rows.iter().find(|value| match value.topic.parse::<Topic>() {
            Ok(Topic::Point(of)) => value.retain == Retain::Passing && of.tag == described.tag,
            _ => false,
        });
        new.then(|| [Some(row), value].into_iter().flatten().map(line).collect::<String>().into_bytes())
    });
    let first: Vec<Vec<u8>> = first.collect();
    let words = concat!(
        "BMS/v1/PUB/Value/|BMS/v1/PUB/Metadata/|BMS/v1/|/Value\t|/Metadata\t|{\"|\":\"|\",\"|value|timestamp|quality|",
        "engUnit|stateText|servesId|associateId|integration|phase|kW|MWh|degF|°C|gpm|psi|1e308|-1e308|1760000000001",
    );
    let kinds = ObjectType::ALL.iter().map(|kind| kind.name()).chain(PointType::ALL.iter().map(|kind| kind.name()));
    start(first, words.split('|').chain(kinds));
}

fn line(row: &Row) -> String {
    format!("{}\t{}\n", row.topic, row.payload.replace(TIMESTAMP, "1760000000001"))
}
