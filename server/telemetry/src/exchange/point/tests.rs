use super::*;
use crate::exchange::topic::Topic;
use proptest::prelude::*;

fn read(topic: &str, payload: &str) -> (Result<Metadata, String>, Vec<String>) {
    let mut faults = Vec::new();
    let metadata = match topic.parse().unwrap() {
        Topic::Point(topic) => metadata(&topic, payload.as_bytes(), &mut faults),
        Topic::Field { .. } => field_metadata(topic, payload.as_bytes(), &mut faults),
        Topic::HostState { .. } | Topic::Grid(_) => panic!("not a point"),
    };
    let faults = faults.iter().map(ToString::to_string).collect();
    (metadata.map_err(|fault| fault.to_string()), faults)
}

fn refused(topic: &str, payload: &str) -> String {
    read(topic, payload).0.unwrap_err().strip_prefix(topic).unwrap().to_owned()
}

const RACK: &str = "BMS/v1/PUB/Metadata/Rack/RackPower/t";
const CDU: &str = "BMS/v1/PUB/Metadata/CDU/LiquidFlow/t";

#[test]
fn metadata_of_a_rack_are_read_whole() {
    let (metadata, faults) = read(
        "BMS/v1/PUB/Metadata/Rack/RackLeakDetect/t",
        r#"{"objectType":"Rack","pointType":"RackLeakDetect","rackLocationId":"A1","rackLocationName":"Row A 1",
            "stateText":[{"value":0,"text":"NoLeak"},{"value":1,"text":"Leak"}]}"#,
    );
    let metadata = metadata.unwrap();
    assert_eq!(metadata.owner, Owner::Rack { id: "A1".into(), name: "Row A 1".into() });
    assert_eq!((metadata.state(1.0), metadata.state(2.0)), (Some("Leak"), None));
    assert!(faults.is_empty(), "{faults:?}");
}

#[test]
fn a_unit_and_states_together_are_refused() {
    let why = refused(
        CDU,
        r#"{"objectType":"CDU","pointType":"LiquidFlow","engUnit":"LPM","stateText":[],"objectId":"a","objectName":"a"}"#,
    );
    assert_eq!(why, ": `engUnit` stands beside `stateText`: a value has a unit or states, not both");
    let why = refused(CDU, r#"{"objectType":"CDU","pointType":"LiquidFlow","objectId":"a","objectName":"a"}"#);
    assert_eq!(why, ": `engUnit` is missing, and so is `stateText`");
}

#[test]
fn an_object_is_named_or_a_part_and_not_both() {
    let both = r#"{"objectType":"CDU","pointType":"LiquidFlow","engUnit":"LPM","objectId":"a","objectName":"a","associateId":"b"}"#;
    assert!(refused(CDU, both).contains("`objectName` stands beside `associateId`"));
    let serves = r#"{"objectType":"CDU","pointType":"LiquidFlow","engUnit":"LPM","servesId":["a"],"associateId":"b"}"#;
    assert!(refused(CDU, serves).contains("`servesId` stands beside `associateId`"));
    let neither = r#"{"objectType":"CDU","pointType":"LiquidFlow","engUnit":"LPM"}"#;
    assert_eq!(refused(CDU, neither), ": `objectId` is missing, and so is `associateId`");
    let part = r#"{"objectType":"CDU","pointType":"LiquidFlow","engUnit":"LPM","associateId":"b"}"#;
    assert_eq!(read(CDU, part).0.unwrap().owner, Owner::Part { of: "b".into() });
}

#[test]
fn what_is_wrong_is_said_by_topic_and_field() {
    for (topic, payload, why) in [
        (RACK, "", ": message is not JSON: EOF while parsing a value at line 1 column 0"),
        (RACK, "[]", ": message is a list, and not an object"),
        (RACK, r#"{"objectType":"Rack"}"#, ": `pointType` is missing"),
        (RACK, r#"{"objectType":"CDU","pointType":"RackPower"}"#, ": `objectType` is \"CDU\", and the topic says Rack"),
        (
            RACK,
            r#"{"objectType":"Rack","pointType":"RackPower","engUnit":"kW","rackLocationName":"a"}"#,
            ": `rackLocationId` is missing",
        ),
        (
            RACK,
            r#"{"objectType":"Rack","pointType":"RackPower","engUnit":7,"rackLocationName":"a","rackLocationId":"a"}"#,
            ": `engUnit` is a number, and not text",
        ),
        (
            "BMS/v1/PUB/Metadata/PowerMeter/Voltage/t",
            r#"{"objectType":"PowerMeter","pointType":"Voltage","engUnit":"V","objectId":"a","objectName":"a"}"#,
            ": `servesId` is missing",
        ),
        (
            "BMS/v1/PUB/Metadata/PowerMeter/Voltage/t",
            r#"{"objectType":"PowerMeter","pointType":"Voltage","engUnit":"V","associateId":"a"}"#,
            ": `associateId` is not for a Voltage of a PowerMeter",
        ),
    ] {
        assert_eq!(refused(topic, payload), why, "{payload}");
    }
}

#[test]
fn what_can_be_lived_with_is_used_and_told() {
    let (metadata, faults) = read(
        RACK,
        r#"{"objectType":"Rack","pointType":"RackPower","engUnit":"W","rackLocationName":"a","rackLocationId":"a","colour":1}"#,
    );
    assert_eq!(metadata.unwrap().measure, Measure::Unit("W".into()));
    assert_eq!(
        faults,
        [
            format!("{RACK}: `engUnit` is \"W\" where the schema asks for \"kW\"; it is converted"),
            format!("{RACK}: has a field \"colour\" that the schema does not know"),
        ]
    );
    let (metadata, faults) = read(
        "BMS/v1/PUB/Metadata/PowerMeter/PhaseCurrent/t",
        r#"{"objectType":"PowerMeter","pointType":"PhaseCurrent","engUnit":"A","objectId":"a","objectName":"a","servesId":[],"phase":"L1"}"#,
    );
    assert!(metadata.is_ok() && faults[0].contains("`phase` is \"L1\""), "{faults:?}");
}

#[test]
fn the_fields_own_names_are_understood() {
    let (metadata, faults) = read(
        "BMS/v1/site/rack/point/Metadata",
        r#"{"pointType":"LeakDetectRack","objectType":"Rack","rackName":"Rack 1","rackID":"r1"}"#,
    );
    let metadata = metadata.unwrap();
    assert_eq!((metadata.point, metadata.owner.id()), (PointType::RackLeakDetect, "r1"));
    assert_eq!(faults, ["BMS/v1/site/rack/point/Metadata: `stateText` is missing for a RackLeakDetect"]);
}

#[test]
fn a_value_is_a_number_or_nothing_and_only_good_ones_are_trusted() {
    let read = |payload: &str| value("t", Shape::Published, payload.as_bytes(), &mut Vec::new());
    let good = read(r#"{"value":22.5,"timestamp":1743620423000,"quality":1}"#).unwrap();
    assert_eq!((good.good(), good.at_ms), (Some(22.5), Some(1_743_620_423_000)));
    assert_eq!(read(r#"{"value":22.5,"timestamp":1743620423000,"quality":0}"#).unwrap().good(), None);
    assert_eq!(read(r#"{"value":null,"timestamp":1743620423000,"quality":1}"#).unwrap().good(), None);
    for (payload, why) in [
        (r#"{"timestamp":1743620423000,"quality":1}"#, "t: `value` is missing"),
        (r#"{"value":"22","timestamp":1743620423000,"quality":1}"#, "t: `value` is text, and not a number or null"),
        (r#"{"value":1,"timestamp":1743620423000}"#, "t: `quality` is missing"),
        (r#"{"value":1,"timestamp":"now","quality":1}"#, "t: `timestamp` is not a whole number"),
        (r#"{"value":1,"timestamp":1743620423000.5,"quality":1}"#, "t: `timestamp` is not a whole number"),
    ] {
        assert_eq!(read(payload).unwrap_err().to_string(), why);
    }
}

#[test]
fn a_time_in_seconds_is_told_and_a_time_that_is_none_is_left_out() {
    let mut faults = Vec::new();
    let seconds = br#"{"value":1,"timestamp":1706284800,"quality":1}"#;
    assert_eq!(value("t", Shape::Published, seconds, &mut faults).unwrap().at_ms, Some(1_706_284_800_000));
    assert_eq!(faults.len(), 1);
    let field = br#"{"value":1,"timestamp":1706284800}"#;
    assert_eq!(value("t", Shape::Field, field, &mut faults).unwrap().at_ms, Some(1_706_284_800_000));
    assert_eq!(faults.len(), 1);
    let never = br#"{"value":1,"timestamp":-5,"quality":1}"#;
    assert_eq!(value("t", Shape::Published, never, &mut faults).unwrap().at_ms, None);
    assert_eq!(faults.len(), 2);
    // Seconds of the year 2128 are no more of our days than the same in milliseconds.
    for late in [
        &br#"{"value":1,"timestamp":5000000000,"quality":1}"#[..],
        br#"{"value":1,"timestamp":5000000000000,"quality":1}"#,
    ] {
        assert_eq!(value("t", Shape::Published, late, &mut faults).unwrap().at_ms, None);
    }
    assert_eq!(faults.len(), 4);
}

#[test]
fn sizes_are_bounded() {
    let huge = vec![b' '; LARGEST + 1];
    let why = value("t", Shape::Published, &huge, &mut Vec::new()).unwrap_err().to_string();
    assert!(why.contains("larger than"), "{why}");
    let deep = "[".repeat(20_000);
    assert!(value("t", Shape::Published, deep.as_bytes(), &mut Vec::new()).is_err());
    let long = "x".repeat(LONGEST_TEXT + 1);
    let name = format!(
        r#"{{"objectType":"Rack","pointType":"RackPower","rackLocationId":"{long}","rackLocationName":"a","engUnit":"kW"}}"#
    );
    assert!(refused(RACK, &name).contains("`rackLocationId` of 257 bytes is longer than 256"));
    let serves = vec!["\"a\""; MOST_SERVED + 1].join(",");
    let many = format!(
        r#"{{"objectType":"CDU","pointType":"LiquidFlow","engUnit":"LPM","objectId":"a","objectName":"a","servesId":[{serves}]}}"#
    );
    assert!(refused(CDU, &many).contains("`servesId` has 1025 entries, more than 1024"));
}

proptest! {
    #[test]
    fn law_no_message_panics(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut faults = Vec::new();
        let _ = value("t", Shape::Published, &payload, &mut faults);
        let _ = value("t", Shape::Field, &payload, &mut faults);
        let _ = field_metadata("t", &payload, &mut faults);
    }

    #[test]
    fn law_a_unit_excludes_states_and_a_name_excludes_a_part(
        unit in any::<bool>(), states in any::<bool>(), named in any::<bool>(), part in any::<bool>(),
    ) {
        let mut fields = vec![r#""objectType":"CDU","pointType":"LiquidFlow""#];
        for (there, field) in [
            (unit, r#""engUnit":"LPM""#),
            (states, r#""stateText":[{"value":0,"text":"Off"}]"#),
            (named, r#""objectId":"a","objectName":"a""#),
            (part, r#""associateId":"b""#),
        ] {
            if there {
                fields.push(field);
            }
        }
        let (read, _) = read(CDU, &format!("{{{}}}", fields.join(",")));
        prop_assert_eq!(read.is_ok(), (unit != states) && (named != part));
    }
}
