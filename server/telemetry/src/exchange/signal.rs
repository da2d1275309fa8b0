//! What comes over the bus beside points: the life cycle of hosts, and what the grid asks for.
//!
//! Never: acts on either, or believes a signature that it has not checked. A signed message is named and left alone.

use super::point::{Fault, LARGEST};
use serde_json::Value as Json;

/// The longest text that is kept of a message, characters.
const LONGEST_WORDS: usize = 512;
/// The longest name.
const LONGEST_NAME: usize = 256;
/// The most targets of one message.
const MOST_TARGETS: usize = 64;

/// A step in a host's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostState {
    /// The state's name, as the lifecycle manager writes it.
    pub state: String,
    /// When, milliseconds since 1970 UTC; absent where no time was said.
    pub at_ms: Option<i64>,
    /// The rest of what it says, as it was written.
    pub words: String,
}

/// Reads a step in a host's life.
pub fn host_state(topic: &str, machine: &str, payload: &[u8], faults: &mut Vec<Fault>) -> Result<HostState, Fault> {
    let fault = |field, why: &str| Fault { topic: topic.to_owned(), field, why: why.to_owned() };
    let json = object(topic, payload)?;
    let host = json.get("managed_host_state").ok_or_else(|| fault("managed_host_state", "is missing"))?;
    let state = host.get("state").and_then(Json::as_str);
    let state = state.filter(|state| (1..=LONGEST_NAME).contains(&state.len()));
    let state = state.ok_or_else(|| fault("managed_host_state", "has no `state` that is a short text"))?.to_owned();
    if json.get("machine_id").and_then(Json::as_str) != Some(machine) {
        faults.push(fault("machine_id", "is not the machine that the topic names; the topic's is taken"));
    }
    let at_ms = json.get("timestamp").and_then(Json::as_str).and_then(rfc3339_ms);
    if at_ms.is_none() {
        faults.push(fault("timestamp", "is no time of RFC 3339; that of arrival is taken"));
    }
    let words = host.to_string().chars().take(LONGEST_WORDS).collect();
    Ok(HostState { state, at_ms, words })
}

/// What the grid asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// Targets in the clear.
    Targets {
        /// The message's id, by which a second one is known.
        id: String,
        /// Each target.
        targets: Vec<Target>,
    },
    /// It is signed, and nothing here checks signatures.
    Signed,
}

/// How much load is asked for, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Watts; absent for the usual.
    pub power_w: Option<f64>,
    /// From when, milliseconds since 1970 UTC; absent for at once.
    pub from_ms: Option<i64>,
    /// The feeds it is for; empty for all.
    pub feeds: Vec<String>,
}

/// Reads what the grid asks for.
pub fn load_targets(topic: &str, payload: &[u8]) -> Result<Asked, Fault> {
    let fault = |field, why: &str| Fault { topic: topic.to_owned(), field, why: why.to_owned() };
    let json = object(topic, payload)?;
    let id = json.get("id").and_then(Json::as_str).filter(|id| (1..=LONGEST_NAME).contains(&id.len()));
    let id = id.ok_or_else(|| fault("id", "is missing, or no short text"))?.to_owned();
    let data = match json.get("data") {
        Some(Json::String(_)) => return Ok(Asked::Signed),
        Some(data) => data,
        None => return Err(fault("data", "is missing")),
    };
    let targets =
        data.get("targets").and_then(Json::as_array).ok_or_else(|| fault("data", "has no list of `targets`"))?;
    if targets.is_empty() || targets.len() > MOST_TARGETS {
        return Err(fault("data", &format!("has {} targets, and not 1 to {MOST_TARGETS}", targets.len())));
    }
    let targets = targets.iter().map(|json| target(json).map_err(|why| fault("data", why)));
    Ok(Asked::Targets { id, targets: targets.collect::<Result<_, _>>()? })
}

fn target(json: &Json) -> Result<Target, &'static str> {
    let constraint = json.get("load_constraint").ok_or("has a target without `load_constraint`")?;
    let power_w = if constraint.is_null() { None } else { Some(watts(constraint)?) };
    let from_ms = match json.get("interval").and_then(|interval| interval.get("start_time")) {
        None => None,
        Some(start) => {
            Some(start.as_str().and_then(rfc3339_ms).ok_or("has a `start_time` that is no time of RFC 3339")?)
        }
    };
    let feeds = json.get("feed_tags").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let feeds = feeds.iter().filter_map(Json::as_str).filter(|feed| feed.len() <= LONGEST_NAME).take(MOST_TARGETS);
    Ok(Target { power_w, from_ms, feeds: feeds.map(str::to_owned).collect() })
}

fn watts(constraint: &Json) -> Result<f64, &'static str> {
    let value = constraint.get("value").and_then(Json::as_f64).filter(|value| *value >= 0.0);
    let value = value.ok_or("has a `load_constraint` whose `value` is no number of 0 or more")?;
    let watts = match constraint.get("unit").and_then(Json::as_str) {
        Some("watt") => value,
        Some("kilowatt") => value * 1e3,
        Some("megawatt") => value * 1e6,
        Some(_) | None => return Err("has a `load_constraint` whose `unit` is not watt, kilowatt or megawatt"),
    };
    if watts.is_finite() { Ok(watts) } else { Err("has a `load_constraint` of more watts than can be told") }
}

fn object(topic: &str, payload: &[u8]) -> Result<Json, Fault> {
    let fault = |why: String| Fault { topic: topic.to_owned(), field: "", why };
    if payload.len() > LARGEST {
        return Err(fault(format!("message of {} bytes is larger than {LARGEST}", payload.len())));
    }
    match serde_json::from_slice(payload) {
        Ok(json @ Json::Object(_)) => Ok(json),
        Ok(_) => Err(fault("message is not a JSON object".to_owned())),
        Err(error) => Err(fault(format!("message is not JSON: {error}"))),
    }
}

/// Milliseconds since 1970 UTC of a time of RFC 3339, which names its offset; leap seconds count as the second before.
fn rfc3339_ms(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let mark = |at: usize, marks: &[u8]| text.as_bytes().get(at).filter(|byte| marks.contains(byte)).map(|_| ());
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?.min(59));
    mark(4, b"-").and(mark(7, b"-")).and(mark(10, b"Tt ")).and(mark(13, b":")).and(mark(16, b":"))?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *days.get(usize::try_from(month - 1).ok()?)?;
    if !(1..=length).contains(&day) || hour > 23 || minute > 59 {
        return None;
    }
    let rest = text.get(19..)?;
    let digits = rest.strip_prefix('.').map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
    let fraction = rest.get(1..=digits.min(3)).filter(|_| digits > 0).unwrap_or_default();
    let millis: i64 = format!("{fraction:0<3}").parse().ok()?;
    let offset = match rest.get(if digits > 0 { digits + 1 } else { 0 }..)? {
        "Z" | "z" => 0,
        zone if zone.len() == 6 && zone.is_ascii() && zone.as_bytes()[3] == b':' => {
            let (hours, minutes): (i64, i64) = (zone[1..3].parse().ok()?, zone[4..].parse().ok()?);
            let sign = match zone.as_bytes()[0] {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            if hours > 23 || minutes > 59 {
                return None;
            }
            sign * (hours * 60 + minutes)
        }
        _ => return None,
    };
    // Days since 1970, by whole cycles of 400 years from March on (Howard Hinnant, "chrono-compatible low-level date
    // algorithms").
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let since = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some((((since * 24 + hour) * 60 + minute - offset) * 60 + second) * 1_000 + millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_read_with_their_offsets() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2024-01-26T16:00:00Z", 1_706_284_800_000),
            ("2024-02-29T12:34:56.789+02:00", 1_709_202_896_789),
            ("2000-03-01T00:00:00.5-05:30", 951_888_600_500),
            ("2016-12-31T23:59:60Z", 1_483_228_799_000),
        ] {
            assert_eq!(rfc3339_ms(text), Some(ms), "{text}");
        }
        for text in [
            "",
            "2024-01-26",
            "2024-02-30T00:00:00Z",
            "2024-01-26T16:00:00",
            "2024-01-26T24:00:00Z",
            "2024-13-01T00:00:00Z",
        ] {
            assert_eq!(rfc3339_ms(text), None, "{text}");
        }
    }

    #[test]
    fn a_hosts_state_is_read_with_what_else_is_said() {
        let payload = br#"{"machine_id":"fm1","timestamp":"2024-01-26T16:00:00Z",
            "managed_host_state":{"state":"assigned","instance_state":{"state":"ready"}}}"#;
        let mut faults = Vec::new();
        let state = host_state("t", "fm1", payload, &mut faults).unwrap();
        assert_eq!((state.state.as_str(), state.at_ms), ("assigned", Some(1_706_284_800_000)));
        assert!(state.words.contains("instance_state") && faults.is_empty());
        host_state("t", "fm2", payload, &mut faults).unwrap();
        assert!(faults[0].to_string().contains("`machine_id`"));
        assert!(host_state("t", "fm1", b"{}", &mut faults).unwrap_err().to_string().contains("is missing"));
    }

    #[test]
    fn targets_in_the_clear_are_read_and_signed_ones_left_alone() {
        let clear = br#"{"id":"a","data":{"targets":[
            {"interval":{"start_time":"1970-01-01T00:00:01Z"},"feed_tags":["main-a"],"load_constraint":{"value":1.5,"unit":"megawatt"}},
            {"interval":{},"load_constraint":null}]}}"#;
        let Asked::Targets { id, targets } = load_targets("t", clear).unwrap() else { panic!("signed") };
        assert_eq!(id, "a");
        assert_eq!(targets[0], Target { power_w: Some(1.5e6), from_ms: Some(1_000), feeds: vec!["main-a".into()] });
        assert_eq!(targets[1], Target { power_w: None, from_ms: None, feeds: vec![] });
        assert_eq!(load_targets("t", br#"{"id":"a","data":"eyJ.eyJ.sig"}"#), Ok(Asked::Signed));
        for (payload, why) in [
            (&br#"{"data":{}}"#[..], "t: `id` is missing, or no short text"),
            (br#"{"id":"a"}"#, "t: `data` is missing"),
            (br#"{"id":"a","data":{"targets":[]}}"#, "t: `data` has 0 targets, and not 1 to 64"),
            (
                br#"{"id":"a","data":{"targets":[{"load_constraint":{"value":-1,"unit":"watt"}}]}}"#,
                "t: `data` has a `load_constraint` whose `value` is no number of 0 or more",
            ),
            (
                br#"{"id":"a","data":{"targets":[{"load_constraint":{"value":1,"unit":"horse"}}]}}"#,
                "t: `data` has a `load_constraint` whose `unit` is not watt, kilowatt or megawatt",
            ),
            (
                br#"{"id":"a","data":{"targets":[{"load_constraint":{"value":1e308,"unit":"megawatt"}}]}}"#,
                "t: `data` has a `load_constraint` of more watts than can be told",
            ),
        ] {
            assert_eq!(load_targets("t", payload).unwrap_err().to_string(), why);
        }
    }

    proptest! {
        #[test]
        fn law_no_text_of_a_time_panics(text in "[0-9TZ:.+é-]{0,32}") {
            let _ = rfc3339_ms(&text);
        }
    }
}
