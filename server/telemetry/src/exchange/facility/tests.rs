use super::*;
use crate::exchange::ExchangeView;
use model::facility::{FacilityPoint, FacilityRack, Heartbeat, PointHealth};
use model::metric::Unit;
use proptest::prelude::*;

const T0: i64 = 1_743_620_423_000;
const RACK: &str = "Rack/RackPower/site/r1/power";

fn facility() -> Facility {
    let settings = Settings {
        source: "bms".into(),
        utility_meters: ["U1".to_owned(), "U2".to_owned()].into(),
        labels: Labels::of([("site", "x")]),
    };
    let mut facility = Facility::new(settings);
    facility.connected(T0);
    facility
}

fn message(topic: &str, payload: &str) -> Message {
    Message { topic: topic.into(), payload: payload.into(), retain: Retain::Passing }
}

fn described(kind: &str, rest: &str) -> Message {
    let mut levels = kind.split('/');
    let (object, point) = (levels.next().unwrap(), levels.next().unwrap());
    message(
        &format!("BMS/v1/PUB/Metadata/{kind}"),
        &format!(r#"{{"objectType":"{object}","pointType":"{point}",{rest}}}"#),
    )
}

fn valued(kind: &str, value: &str, at_ms: i64) -> Message {
    message(&format!("BMS/v1/PUB/Value/{kind}"), &format!(r#"{{"value":{value},"timestamp":{at_ms},"quality":1}}"#))
}

fn rack(kind: &str, unit: &str) -> Message {
    described(kind, &format!(r#""engUnit":"{unit}","rackLocationId":"R1","rackLocationName":"rack one""#))
}

fn leak(kind: &str) -> Message {
    described(
        kind,
        r#""stateText":[{"value":0,"text":"NoLeak"},{"value":1,"text":"Leak"}],"rackLocationId":"R1","rackLocationName":"rack one""#,
    )
}

fn meter(id: &str) -> Message {
    described(
        &format!("PowerMeter/ActivePower/{id}/kw"),
        &format!(r#""engUnit":"kW","objectId":"{id}","objectName":"{id}","servesId":[]"#),
    )
}

/// Name, rack and value of each reading.
fn read(applied: &Applied) -> Vec<(String, Option<String>, f64)> {
    let one = |(key, _, value): &(Arc<SeriesKey>, Option<i64>, f64)| {
        (key.name.clone(), key.labels.get(label::RACK).map(str::to_owned), *value)
    };
    applied.readings.iter().map(one).collect()
}

fn reading(facility: &mut Facility, message: &Message, now: i64) -> Vec<f64> {
    facility.apply(message, now).readings.iter().map(|(.., value)| *value).collect()
}

#[test]
fn a_racks_power_comes_out_in_watts_under_the_racks_label() {
    let mut facility = facility();
    assert_eq!(facility.apply(&rack(RACK, "kW"), T0), Applied::default());
    let applied = facility.apply(&valued(RACK, "12.5", T0), T0 + 5);
    assert_eq!(read(&applied), [("rack_power_watts".into(), Some("R1".into()), 12_500.0)]);
    let (key, at, _) = &applied.readings[0];
    assert_eq!(*at, Some(T0));
    assert_eq!(key.to_string(), r#"rack_power_watts{rack="R1",site="x",source="bms"}"#);
    assert_eq!(facility.racks(), [FacilityRack { id: "R1".into(), name: "rack one".into() }]);
}

#[test]
fn fahrenheit_and_gallons_become_ours_and_a_unit_that_does_not_fit_is_no_racks_metric() {
    let mut facility = facility();
    for (kind, unit, value, metric, si) in [
        ("Rack/RackLiquidSupplyTemperature/a", "°F", "113", "rack_liquid_supply_celsius", 45.0),
        ("Rack/RackLiquidFlow/b", "gpm", "10", "rack_liquid_flow_cubic_metres_per_second", 6.309_019_64e-4),
        (
            "Rack/RackLiquidDifferentialPressure/c",
            "psi",
            "1",
            "rack_liquid_differential_pressure_pascals",
            6_894.757_293_168_361,
        ),
        ("Rack/RackLiquidReturnTemperature/d", "furlong", "7", "facility_point", 7.0),
    ] {
        let told = facility.apply(&rack(kind, unit), T0).remarks;
        assert!(told[0].contains("where the schema asks for"), "{told:?}");
        let read = read(&facility.apply(&valued(kind, value, T0), T0));
        assert_eq!(read[0].0, metric);
        assert!((read[0].2 - si).abs() < 1e-9 * si, "{read:?}");
    }
}

#[test]
fn any_other_point_is_a_point_of_the_building() {
    let mut facility = facility();
    let cdu = r#""engUnit":"LPM","objectId":"CDU-5","objectName":"five","processArea":["Primary"]"#;
    facility.apply(&described("CDU/LiquidFlow/site/cdu 5", cdu), T0);
    let applied = facility.apply(&valued("CDU/LiquidFlow/site/cdu 5", "60", T0), T0);
    assert_eq!(
        applied.readings[0].0.to_string(),
        concat!(
            r#"facility_point{object="CDU-5",object_type="CDU",point_type="LiquidFlow",site="x",source="bms","#,
            r#"tag_path="site/cdu 5",unit="m3/s"}"#
        )
    );
    assert!((applied.readings[0].2 - 1e-3).abs() < 1e-15);
}

#[test]
fn a_value_before_its_metadata_waits_for_them() {
    let mut facility = facility();
    assert_eq!(facility.apply(&valued(RACK, "1", T0), T0), Applied::default());
    assert_eq!(facility.apply(&valued(RACK, "2", T0 + 1), T0), Applied::default());
    assert_eq!((facility.counts().held, facility.counts().waiting), (2, 1));
    let applied = facility.apply(&rack(RACK, "kW"), T0 + 10);
    assert_eq!(read(&applied), [("rack_power_watts".into(), Some("R1".into()), 2_000.0)]);
    assert_eq!(facility.counts().waiting, 0);
}

#[test]
fn a_value_that_waited_too_long_is_gone() {
    let mut facility = facility();
    facility.apply(&valued(RACK, "1", T0), T0);
    assert_eq!(read(&facility.apply(&rack(RACK, "kW"), T0 + STALE_MS + 1)), []);
}

#[test]
fn values_that_wait_are_bounded_and_counted() {
    let mut facility = facility();
    for n in 0..=MOST_HELD {
        facility.apply(&valued(&format!("Rack/RackPower/{n}"), "1", T0), T0);
    }
    assert_eq!((facility.counts().waiting, facility.counts().let_go), (MOST_HELD as u32, 1));
}

#[test]
fn what_is_bad_or_null_is_absent_and_never_zero() {
    let mut facility = facility();
    facility.apply(&rack(RACK, "kW"), T0);
    let topic = format!("BMS/v1/PUB/Value/{RACK}");
    let bad = message(&topic, &format!(r#"{{"value":5,"timestamp":{T0},"quality":0}}"#));
    let null = message(&topic, &format!(r#"{{"value":null,"timestamp":{T0},"quality":1}}"#));
    assert_eq!(facility.apply(&bad, T0), Applied::default());
    assert_eq!(facility.apply(&null, T0), Applied::default());
    assert_eq!(reading(&mut facility, &valued(RACK, "5", T0), T0), [5_000.0]);
}

#[test]
fn the_same_reading_twice_is_one_and_an_older_one_is_none() {
    let mut facility = facility();
    facility.apply(&rack(RACK, "kW"), T0);
    assert_eq!(reading(&mut facility, &valued(RACK, "5", T0), T0).len(), 1);
    assert_eq!(reading(&mut facility, &valued(RACK, "5", T0), T0 + 100_000).len(), 0);
    assert_eq!(reading(&mut facility, &valued(RACK, "5", T0 + 1), T0 + 100_000).len(), 1);
    assert_eq!(reading(&mut facility, &valued(RACK, "4", T0), T0 + 100_000).len(), 0);
    assert_eq!((facility.counts().repeated, facility.counts().late), (1, 1));
}

#[test]
fn a_clock_that_was_set_back_is_believed_after_a_minute() {
    let mut facility = facility();
    facility.apply(&rack(RACK, "kW"), T0);
    facility.apply(&valued(RACK, "1", T0), T0);
    let back = T0 - 3_600_000;
    for s in 1..60 {
        assert_eq!(reading(&mut facility, &valued(RACK, "2", back + s * 1_000), T0 + s * 1_000).len(), 0, "{s}");
    }
    let applied = facility.apply(&valued(RACK, "2", back + 61_000), T0 + 61_000);
    assert_eq!(applied.readings.len(), 1);
    assert!(applied.remarks[0].contains("clock went back"), "{:?}", applied.remarks);
    assert_eq!(reading(&mut facility, &valued(RACK, "3", back + 62_000), T0 + 62_000).len(), 1);
}

#[test]
fn a_time_far_ahead_is_not_believed() {
    let mut facility = facility();
    facility.apply(&rack(RACK, "kW"), T0);
    let applied = facility.apply(&valued(RACK, "1", T0 + 86_400_000), T0);
    assert_eq!((applied.readings[0].1, applied.remarks.len()), (None, 1));
    assert_eq!(reading(&mut facility, &valued(RACK, "2", T0 + 1), T0 + 1).len(), 1);
}

#[test]
fn a_point_is_stale_after_210_seconds_and_told_once() {
    let mut facility = facility();
    facility.apply(&rack(RACK, "kW"), T0);
    facility.apply(&valued(RACK, "1", T0), T0);
    assert_eq!(facility.tick(T0 + 30_000).remarks.len(), 0);
    facility.tick(T0 + STALE_MS);
    assert_eq!((facility.counts().stale, facility.telling(T0 + STALE_MS)), (0, Telling::Fine));
    let later = T0 + STALE_MS + 5_000;
    assert_eq!(facility.tick(later).remarks.last().unwrap(), "site/r1/power: no value for 210 seconds",);
    assert_eq!((facility.counts().stale, facility.telling(later)), (1, Telling::Silent { since_ms: T0 }));
    assert!(facility.tick(later + 5_000).remarks.is_empty());
    // The same value again is no new reading, and shows that the point is alive.
    facility.apply(&valued(RACK, "1", T0), later + 6_000);
    assert_eq!((facility.counts().stale, facility.telling(later + 6_000)), (0, Telling::Fine));
}

#[test]
fn the_bms_is_offline_after_thirty_seconds_without_its_heart() {
    let mut facility = facility();
    let beat = |at: i64| valued("System/HeartbeatTimestampBms/heart", &at.to_string(), at);
    assert_eq!(facility.telling(T0 + 100_000), Telling::Waiting);
    facility.apply(&beat(T0), T0);
    assert_eq!(facility.telling(T0 + OFFLINE_MS), Telling::Fine);
    let offline = Telling::Offline { since_ms: T0, whose: "heart".into() };
    assert_eq!(facility.telling(T0 + OFFLINE_MS + 1), offline);
    facility.apply(&beat(T0 + 40_000), T0 + 40_000);
    assert_eq!(facility.telling(T0 + 40_000), Telling::Fine);
    // While we were away the heart could not be heard: it has its time from when we are back.
    facility.connected(T0 + 500_000);
    facility.apply(&rack(RACK, "kW"), T0 + 500_000);
    assert_eq!(facility.telling(T0 + 520_000), Telling::Fine);
    assert!(matches!(facility.telling(T0 + 530_001), Telling::Offline { .. }));
}

#[test]
fn a_beat_that_the_broker_kept_says_nothing_of_now() {
    let mut facility = facility();
    let mut beat = valued("System/HeartbeatTimestampBms/heart", "1", T0);
    beat.retain = Retain::Kept;
    facility.apply(&beat, T0);
    assert_eq!(facility.telling(T0), Telling::Waiting);
}

#[test]
fn a_heart_that_was_never_heard_is_told_once_where_values_come() {
    let mut facility = facility();
    assert!(facility.tick(T0 + 60_000).remarks.is_empty());
    facility.apply(&valued(RACK, "1", T0 + 60_000), T0 + 60_000);
    assert!(facility.tick(T0 + 60_500).remarks[0].starts_with("no heartbeat"));
    assert!(facility.tick(T0 + 61_000).remarks.is_empty());
    assert_eq!(facility.telling(T0 + 61_000), Telling::Fine);
}

#[test]
fn a_leak_is_told_when_it_begins_and_when_it_ends() {
    let mut facility = facility();
    let kind = "Rack/RackLeakDetect/site/r1/leak";
    facility.apply(&leak(kind), T0);
    let mut at = |value: &str, n: i64| facility.apply(&valued(kind, value, T0 + n), T0 + n);
    assert_eq!((at("0", 0).events.len(), at("1", 1).events.len(), at("1", 2).events.len()), (0, 1, 0));
    let wet = facility.apply(&valued(kind, "null", T0 + 3), T0 + 3);
    assert_eq!(wet, Applied::default());
    let dry = facility.apply(&valued(kind, "0", T0 + 4), T0 + 4);
    assert_eq!(dry.events[0].what, Happening::Remark { until_ms: None });
    let again = facility.apply(&valued(kind, "1", T0 + 5), T0 + 5);
    assert_eq!(again.events[0].what, Happening::Leak { object: "R1".into() });
    assert_eq!(again.events[0].at_ms, T0 + 5);
    assert_eq!(read(&again), [("rack_leak".into(), Some("R1".into()), 1.0)]);
}

#[test]
fn the_words_of_a_state_say_which_value_is_a_leak() {
    let mut facility = facility();
    let kind = "Sensor/LeakDetect/rope";
    let states =
        r#""stateText":[{"value":0,"text":"Leak"},{"value":1,"text":"Normal"}],"objectId":"rope","objectName":"rope""#;
    facility.apply(&described(kind, states), T0);
    assert_eq!(facility.apply(&valued(kind, "1", T0), T0).events, []);
    assert_eq!(facility.apply(&valued(kind, "0", T0 + 1), T0).events.len(), 1);
    let odd = facility.apply(&valued(kind, "7", T0 + 2), T0);
    assert!(odd.remarks[0].contains("none of the states"), "{odd:?}");
}

#[test]
fn the_utilitys_meters_are_added_up_once_all_are_good() {
    let mut facility = facility();
    facility.apply(&meter("U1"), T0);
    facility.apply(&meter("U2"), T0);
    facility.apply(&meter("other"), T0);
    facility.apply(&valued("PowerMeter/ActivePower/U1/kw", "1000", T0), T0);
    facility.apply(&valued("PowerMeter/ActivePower/other/kw", "7", T0), T0);
    assert_eq!(facility.tick(T0).readings, []);
    facility.apply(&valued("PowerMeter/ActivePower/U2/kw", "500", T0), T0);
    let sum = facility.tick(T0 + 500);
    assert_eq!(read(&sum), [("facility_power_watts".into(), None, 1.5e6)]);
    assert_eq!(facility.tick(T0 + 1_000).readings, []);
    // One that is bad makes the sum unknown, not smaller.
    let bad = message(
        "BMS/v1/PUB/Value/PowerMeter/ActivePower/U2/kw",
        &format!(r#"{{"value":1,"timestamp":{},"quality":0}}"#, T0 + 1_000),
    );
    facility.apply(&bad, T0 + 1_000);
    assert_eq!(facility.tick(T0 + 1_500).readings, []);
}

#[test]
fn what_no_unit_can_hold_is_no_reading() {
    let mut facility = facility();
    facility.apply(&meter("U1"), T0);
    facility.apply(&meter("U2"), T0);
    let refused = facility.apply(&valued("PowerMeter/ActivePower/U1/kw", "1e307", T0), T0);
    assert_eq!(refused.readings, []);
    assert!(refused.remarks[0].ends_with("`value` is 1e307, which is more than can be told in W"), "{refused:?}");
    for id in ["U1", "U2"] {
        let kind = format!("PowerMeter/ActivePower/{id}/kw");
        assert_eq!(reading(&mut facility, &valued(&kind, "1e305", T0), T0), [1e308]);
    }
    assert_eq!(facility.tick(T0).readings, [], "their sum is no number");
}

#[test]
fn only_the_integration_that_owns_a_point_may_write_it() {
    let mut facility = facility();
    let kind = "CDU/LiquidTemperatureSpRequest/cdu";
    let owned = r#""engUnit":"C","objectId":"c","objectName":"c","integration":"MEPAI""#;
    facility.apply(&described(kind, owned), T0);
    let from = |who: &str| {
        message(&format!("BMS/v1/{who}/Value/{kind}"), &format!(r#"{{"value":30,"timestamp":{T0},"quality":1}}"#))
    };
    let refused = facility.apply(&from("OTHER"), T0);
    assert_eq!(refused.remarks, [format!("BMS/v1/OTHER/Value/{kind}: OTHER writes what is MEPAI's to write")]);
    assert_eq!(reading(&mut facility, &from("MEPAI"), T0), [30.0]);
}

#[test]
fn a_second_point_does_not_take_a_racks_metric_away() {
    let mut facility = facility();
    facility.apply(&rack("Rack/RackPower/a", "kW"), T0);
    let second = facility.apply(&rack("Rack/RackPower/b", "kW"), T0);
    assert_eq!(second.remarks, ["b: a says the RackPower of rack R1 already"]);
    assert_eq!(read(&facility.apply(&valued("Rack/RackPower/b", "1", T0), T0))[0].0, "facility_point");
    assert_eq!(read(&facility.apply(&valued("Rack/RackPower/a", "1", T0), T0))[0].0, "rack_power_watts");
}

#[test]
fn metadata_that_are_taken_back_take_the_point_with_them() {
    let mut facility = facility();
    facility.apply(&rack(RACK, "kW"), T0);
    facility.apply(&message(&format!("BMS/v1/PUB/Metadata/{RACK}"), ""), T0);
    assert_eq!((facility.counts().points, facility.bytes), (0, 0));
    assert!(facility.series.is_empty());
}

#[test]
fn the_fields_shape_is_read_and_told_once() {
    let mut facility = facility();
    let metadata =
        r#"{"pointType":"LeakDetectRack","objectType":"Rack","rackName":"one","rackID":"R1","stateText":[]}"#;
    let first = facility.apply(&message("BMS/v1/site/r1/leak/Metadata", metadata), T0);
    assert!(first.remarks[0].contains("field's shape"), "{first:?}");
    let value = format!(r#"{{"value":1,"timestamp":{}}}"#, T0 / 1_000);
    let applied = facility.apply(&message("BMS/v1/site/r1/leak/Value", &value), T0);
    assert_eq!(read(&applied), [("rack_leak".into(), Some("R1".into()), 1.0)]);
    assert_eq!(applied.events.len(), 1);
    assert_eq!((facility.counts().field, facility.counts().published), (2, 0));
}

#[test]
fn a_hosts_state_is_told_once() {
    let mut facility = facility();
    let payload = r#"{"machine_id":"fm1","timestamp":"2025-04-02T19:00:23Z","managed_host_state":{"state":"ready"}}"#;
    let state = message("NICO/v1/machine/fm1/state", payload);
    let applied = facility.apply(&state, T0);
    assert_eq!(applied.events[0].what, Happening::HostState { state: "ready".into() });
    assert_eq!((applied.events[0].host.as_deref(), applied.events[0].at_ms), (Some("fm1"), T0));
    assert_eq!(facility.apply(&state, T0 + 1), Applied::default());
}

#[test]
fn a_load_target_is_told_once_and_a_signed_one_left_alone() {
    let mut facility = facility();
    let topic = "grid/v1/isv/emerald/loadtarget/set";
    let clear = message(
        topic,
        r#"{"id":"1","data":{"targets":[{"interval":{},"load_constraint":{"value":2,"unit":"megawatt"}}]}}"#,
    );
    let applied = facility.apply(&clear, T0);
    assert_eq!(applied.events[0].what, Happening::LoadTarget { target_w: Some(2e6) });
    assert_eq!(facility.apply(&clear, T0), Applied::default());
    let signed = facility.apply(&message(topic, r#"{"id":"2","data":"a.b.c"}"#), T0);
    assert!(signed.events.is_empty() && signed.remarks[0].contains("left alone"));
}

/// The points of a building, as a page shows them.
fn shown(view: &ExchangeView) -> Vec<FacilityPoint> {
    view.each().map(|(point, read)| point.shown("bms", read)).collect()
}

#[test]
fn a_point_is_shown_in_our_unit_beside_the_buildings_own() {
    let mut facility = facility();
    facility.apply(&rack(RACK, "kW"), T0);
    facility.apply(&leak("Rack/RackLeakDetect/site/r1/leak"), T0);
    let plain = r#""objectId":"U1","objectName":"one","servesId":[]"#;
    facility.apply(&described("PowerMeter/PowerFactor/u1/pf", plain), T0);
    facility.apply(&described("PowerMeter/GenericPoint/u1/odd", &format!(r#""engUnit":"furlong",{plain}"#)), T0);
    facility.apply(&valued(RACK, "12.5", T0), T0 + 5);
    facility.apply(&valued("Rack/RackLeakDetect/site/r1/leak", "1", T0), T0);
    let view = facility.view(T0 + 10, &ExchangeView::default());
    let points = shown(&view);
    let what: Vec<_> = points
        .iter()
        .map(|point| (point.tag.as_str(), point.unit, point.written.as_str(), point.value, point.state.as_deref()))
        .collect();
    assert_eq!(
        what,
        [
            ("site/r1/leak", Unit::Code, "", Some(1.0), Some("Leak")),
            ("site/r1/power", Unit::Watt, "kW", Some(12_500.0), None),
            ("u1/odd", Unit::Other, "furlong", None, None),
            ("u1/pf", Unit::Ratio, "", None, None),
        ]
    );
    let power = &points[1];
    assert_eq!((power.object.as_str(), power.at_ms, power.health), ("R1", Some(T0), PointHealth::Fresh));
    assert_eq!((points[2].at_ms, points[2].health), (None, PointHealth::Silent));
}

#[test]
fn what_the_metadata_say_is_shared_until_they_change() {
    let mut facility = facility();
    facility.apply(&rack(RACK, "kW"), T0);
    let first = facility.view(T0, &ExchangeView::default());
    facility.apply(&valued(RACK, "1", T0), T0);
    let second = facility.view(T0 + 1, &first);
    assert!(Arc::ptr_eq(&first.points, &second.points) && Arc::ptr_eq(&first.topology, &second.topology));
    assert_eq!((first.reads[0].value, second.reads[0].value), (None, Some(1_000.0)));
    facility.apply(&meter("U1"), T0 + 2);
    let third = facility.view(T0 + 2, &second);
    assert_eq!((second.points.len(), third.points.len(), third.topology.objects.len()), (1, 2, 2));
    assert_eq!(third, facility.view(T0 + 2, &ExchangeView::default()));
}

#[test]
fn an_object_counts_its_points_that_are_not_well() {
    let mut facility = facility();
    facility.apply(&rack(RACK, "kW"), T0);
    facility.apply(&described("Valve/ValvePosition/v", r#""engUnit":"%","associateId":"R1""#), T0);
    let mut view = facility.view(T0, &ExchangeView::default());
    let mut at = |facility: &mut Facility, now_ms: i64| {
        facility.tick(now_ms);
        view = facility.view(now_ms, &view);
        (shown(&view)[0].health, view.building("bms").objects[0].unwell)
    };
    assert_eq!(at(&mut facility, T0), (PointHealth::Silent, 0));
    facility.apply(&valued(RACK, "1", T0), T0);
    assert_eq!(at(&mut facility, T0), (PointHealth::Fresh, 0));
    assert_eq!(at(&mut facility, T0 + STALE_MS + 1), (PointHealth::Stale, 1));
    // The value from before is not kept where the building says that it is not to be trusted.
    let bad = format!(r#"{{"value":5,"timestamp":{},"quality":0}}"#, T0 + 1);
    facility.apply(&message(&format!("BMS/v1/PUB/Value/{RACK}"), &bad), T0 + STALE_MS + 2);
    assert_eq!(at(&mut facility, T0 + STALE_MS + 2), (PointHealth::Bad, 1));
    facility.apply(&valued(RACK, "2", T0 + 2), T0 + STALE_MS + 3);
    assert_eq!(at(&mut facility, T0 + STALE_MS + 3), (PointHealth::Fresh, 0));
    // That of a part is not the object's own.
    let part = format!(r#"{{"value":5,"timestamp":{},"quality":0}}"#, T0 + 3);
    facility.apply(&message("BMS/v1/PUB/Value/Valve/ValvePosition/v", &part), T0 + STALE_MS + 4);
    assert_eq!(at(&mut facility, T0 + STALE_MS + 4), (PointHealth::Fresh, 0));
}

#[test]
fn each_heart_is_shown_with_its_last_beat() {
    let mut facility = facility();
    let beat = |heart: &str, at: i64| valued(&format!("System/HeartbeatTimestampBms/{heart}"), &at.to_string(), at);
    let scoped = r#""objectId":"bms","objectName":"bms","scope":"hall 1""#;
    facility.apply(&described("System/HeartbeatTimestampBms/a", scoped), T0);
    facility.apply(&beat("a", T0), T0);
    facility.apply(&beat("b", T0 + 20_000), T0 + 20_000);
    let view = facility.view(T0 + 40_000, &ExchangeView::default());
    let heart = |whose: &str, last_ms, pulse| Heartbeat { whose: whose.into(), last_ms, pulse };
    assert_eq!(view.heartbeats, [heart("hall 1", T0, Pulse::Stopped), heart("b", T0 + 20_000, Pulse::Beats)]);
    assert_eq!(view.telling, Telling::Offline { since_ms: T0, whose: "hall 1".into() });
    // Its point is a point as any other.
    let point = &shown(&view)[0];
    assert_eq!((point.at_ms, point.health), (Some(T0), PointHealth::Fresh));
}

fn any_message() -> impl Strategy<Value = Message> {
    let topic = prop_oneof![
        Just("BMS/v1/PUB/Metadata/Rack/RackPower/t".to_owned()),
        Just("BMS/v1/PUB/Value/Rack/RackPower/t".to_owned()),
        Just("BMS/v1/t/Value".to_owned()),
        Just("BMS/v1/t/Metadata".to_owned()),
        Just("NICO/v1/machine/m/state".to_owned()),
        Just("grid/v1/isv/i/loadtarget/set".to_owned()),
        any::<Vec<u8>>().prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    ];
    let payload = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        (any::<f64>(), any::<i64>(), any::<i64>())
            .prop_map(|(v, t, q)| format!(r#"{{"value":{v},"timestamp":{t},"quality":{q}}}"#).into_bytes()),
        Just(rack("Rack/RackPower/t", "kW").payload),
    ];
    (topic, payload).prop_map(|(topic, payload)| Message { topic, payload, retain: Retain::Passing })
}

proptest! {
    #[test]
    fn law_no_message_panics(messages in prop::collection::vec(any_message(), 0..20), now in any::<i32>()) {
        let mut facility = facility();
        for message in &messages {
            facility.apply(message, T0 + i64::from(now));
        }
        facility.tick(T0 + i64::from(now));
        let view = facility.view(T0, &ExchangeView::default());
        prop_assert_eq!(view.points.len(), view.reads.len());
    }

    /// Whatever is sent again, at once or as a whole, brings nothing new.
    #[test]
    fn law_what_comes_again_changes_nothing(values in prop::collection::vec((0_u8..4, 0_u8..3), 1..30)) {
        let values: Vec<Message> = values
            .iter()
            .zip(0_i64..)
            .map(|((value, tag), n)| valued(&format!("Rack/RackPower/{tag}"), &value.to_string(), T0 + n))
            .collect();
        let mut facility = facility();
        for tag in 0..3 {
            facility.apply(&rack(&format!("Rack/RackPower/{tag}"), "kW"), T0);
        }
        for message in &values {
            prop_assert_eq!(facility.apply(message, T0).readings.len(), 1);
            prop_assert_eq!(facility.apply(message, T0).readings.len(), 0);
        }
        for message in &values {
            prop_assert_eq!(facility.apply(message, T0 + 1_000).readings.len(), 0);
        }
    }
}
