//! What a point's messages must hold, and what is wrong with one that does not.
//!
//! Never: turns what is missing into zero, keeps more than its bounds, or guesses a field that is not there.

use super::kind::{Need, ObjectType, PointType, Scale};
use super::topic::{PointTopic, Shape};
use super::unit;
use model::facility::PointRole;
use serde_json::{Map, Value as Json};
use std::fmt;

/// The largest message that is read, bytes. The largest of the published example has 480.
pub const LARGEST: usize = 64 * 1_024;
/// The longest text of a field, bytes.
pub const LONGEST_TEXT: usize = 256;
/// The most objects that one serves.
pub const MOST_SERVED: usize = 1_024;
/// The most states of a point.
pub const MOST_STATES: usize = 64;
/// The most parts of a process that a point names.
const MOST_AREAS: usize = 16;
/// Below this a time can't be milliseconds of our days (it would be before 1973), and is seconds.
const SECONDS_BELOW: f64 = 1e11;
/// Above this a time is of the year 2100 or later.
const LATEST_MS: f64 = 4_102_444_800_000.0;

/// A reading as it was sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Value {
    /// What was read; absent where the building could not.
    pub value: Option<f64>,
    /// When, milliseconds since 1970 UTC; absent where what was said is no time.
    pub at_ms: Option<i64>,
    /// 1 is good; nothing else is to be trusted.
    pub quality: i64,
}

impl Value {
    /// What was read, where it can be trusted.
    pub fn good(&self) -> Option<f64> {
        self.value.filter(|_| self.quality == 1)
    }
}

/// What a point is.
#[derive(Debug, Clone, PartialEq)]
pub struct Metadata {
    /// What it belongs to.
    pub object: ObjectType,
    /// What it is.
    pub point: PointType,
    /// What its values are in.
    pub measure: Measure,
    /// What it belongs to, by name.
    pub owner: Owner,
    /// Parts of the process.
    pub areas: Vec<String>,
    /// Whether it was measured or is aimed at.
    pub role: PointRole,
    /// Electric phase.
    pub phase: Option<String>,
    /// For a heartbeat, which part of the exchange it stands for.
    pub scope: Option<String>,
    /// The integration that writes its values, or belongs to it.
    pub integration: Option<String>,
}

/// What values are in.
#[derive(Debug, Clone, PartialEq)]
pub enum Measure {
    /// A unit, as the building writes it.
    Unit(String),
    /// Words for each value.
    States(Vec<(i64, String)>),
    /// Neither: a plain number.
    Plain,
}

/// What a point belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// A rack.
    Rack {
        /// The id by which facility and IT side know it.
        id: String,
        /// What people call it.
        name: String,
    },
    /// An object of its own.
    Named {
        /// Its id.
        id: String,
        /// What people call it.
        name: String,
        /// The ids of what it serves.
        serves: Vec<String>,
    },
    /// Another object that it is a part of: it is no place in a path of power or coolant.
    Part {
        /// That object's id.
        of: String,
    },
}

impl Owner {
    /// The id of the object that the point belongs to.
    pub fn id(&self) -> &str {
        match self {
            Self::Rack { id, .. } | Self::Named { id, .. } | Self::Part { of: id } => id,
        }
    }
}

impl Metadata {
    /// The words for a state, where it has one.
    pub fn state(&self, value: f64) -> Option<&str> {
        let Measure::States(states) = &self.measure else { return None };
        states.iter().find(|(of, _)| (*of as f64 - value).abs() < 1e-9).map(|(_, text)| text.as_str())
    }
}

/// What is wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// Where it came.
    pub topic: String,
    /// Which field; empty for the whole.
    pub field: &'static str,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field {
            "" => write!(f, "{}: {}", self.topic, self.why),
            field => write!(f, "{}: `{field}` {}", self.topic, self.why),
        }
    }
}

/// Reads a value. What is wrong and can be lived with is added to `faults`.
pub fn value(topic: &str, shape: Shape, payload: &[u8], faults: &mut Vec<Fault>) -> Result<Value, Fault> {
    let fields = Fields::read(topic, payload)?;
    fields.known(&["value", "timestamp", "quality"], faults);
    let value = match fields.json.get("value") {
        None => return Err(fields.fault("value", "is missing")),
        Some(Json::Null) => None,
        Some(Json::Number(number)) => number.as_f64().filter(|value| value.is_finite()),
        Some(other) => return Err(fields.fault("value", format!("is {}, and not a number or null", kind(other)))),
    };
    let quality = match (fields.json.get("quality"), shape) {
        (None, Shape::Field) => 1,
        (None, Shape::Published) => return Err(fields.fault("quality", "is missing")),
        (Some(quality), _) => whole(quality).ok_or_else(|| fields.fault("quality", "is not a whole number"))? as i64,
    };
    let at = fields.json.get("timestamp").ok_or_else(|| fields.fault("timestamp", "is missing"))?;
    let at = whole(at).ok_or_else(|| fields.fault("timestamp", "is not a whole number"))?;
    let (ms, seconds) = if at < SECONDS_BELOW { (at * 1e3, true) } else { (at, false) };
    if ms <= 0.0 || ms > LATEST_MS {
        let why = format!("is {at}, which is no time of our days; that of arrival is taken");
        faults.push(fields.fault("timestamp", why));
        return Ok(Value { value, at_ms: None, quality });
    }
    if seconds && shape == Shape::Published {
        faults.push(fields.fault("timestamp", format!("is {at}: seconds, where milliseconds are asked for")));
    }
    Ok(Value { value, at_ms: Some(ms as i64), quality })
}

/// Reads what a point is, where the topic names its kind.
pub fn metadata(topic: &PointTopic, payload: &[u8], faults: &mut Vec<Fault>) -> Result<Metadata, Fault> {
    let name = topic.to_string();
    let fields = Fields::read(&name, payload)?;
    for (field, said) in [("objectType", topic.object.name()), ("pointType", topic.point.name())] {
        let written = fields.must(field)?;
        if written != said {
            return Err(fields.fault(field, format!("is {written:?}, and the topic says {said}")));
        }
    }
    fields.describe(topic.object, topic.point, faults)
}

/// Reads what a point is, where only the message names its kind. The field's own names of racks' points are taken too.
pub fn field_metadata(topic: &str, payload: &[u8], faults: &mut Vec<Fault>) -> Result<Metadata, Fault> {
    let mut fields = Fields::read(topic, payload)?;
    for (theirs, ours) in [("rackName", "rackLocationName"), ("rackID", "rackLocationId"), ("rackId", "rackLocationId")]
    {
        if let Some(value) = fields.json.remove(theirs) {
            fields.json.entry(ours).or_insert(value);
        }
    }
    let object = fields.must("objectType")?;
    let object: ObjectType =
        object.parse().map_err(|()| fields.fault("objectType", format!("{object:?} is none of the schema's 23")))?;
    let point = fields.must("pointType")?;
    let point = field_point(&point)
        .ok_or_else(|| fields.fault("pointType", format!("{point:?} is none of the schema's, nor of the field's")))?;
    if !object.points().contains(&point) {
        return Err(fields.fault("pointType", format!("is {point}, and a {object} has none such")));
    }
    fields.describe(object, point, faults)
}

/// The point that the field's name stands for: the schema's own, or as the consumer of leaks in NVIDIA's Infra
/// Controller and Mission Control write it.
fn field_point(name: &str) -> Option<PointType> {
    Some(match name {
        "LeakDetectRack" => PointType::RackLeakDetect,
        "LeakSensorFaultRack" => PointType::RackLeakSensorFault,
        "LeakDetectRackTray" => PointType::RackLeakDetectTray,
        "LeakResponseRackLiquidIsolationStatus" => PointType::RackLiquidIsolationStatus,
        "LeakResponseRackElectricalIsolationStatus" => PointType::RackElectricalIsolationStatus,
        name => return name.parse().ok(),
    })
}

/// A message that is being read.
struct Fields<'a> {
    topic: &'a str,
    json: Map<String, Json>,
}

impl<'a> Fields<'a> {
    fn read(topic: &'a str, payload: &[u8]) -> Result<Self, Fault> {
        let fault = |why: String| Fault { topic: topic.to_owned(), field: "", why };
        if payload.len() > LARGEST {
            return Err(fault(format!("message of {} bytes is larger than {LARGEST}", payload.len())));
        }
        match serde_json::from_slice(payload) {
            Ok(Json::Object(json)) => Ok(Self { topic, json }),
            Ok(other) => Err(fault(format!("message is {}, and not an object", kind(&other)))),
            Err(error) => Err(fault(format!("message is not JSON: {error}"))),
        }
    }

    fn fault(&self, field: &'static str, why: impl Into<String>) -> Fault {
        Fault { topic: self.topic.to_owned(), field, why: why.into() }
    }

    fn known(&self, names: &[&str], faults: &mut Vec<Fault>) {
        for name in self.json.keys().filter(|name| !names.contains(&name.as_str())).take(8) {
            let name: String = name.chars().take(LONGEST_TEXT / 4).collect();
            faults.push(self.fault("", format!("has a field {name:?} that the schema does not know")));
        }
    }

    fn text(&self, field: &'static str) -> Result<Option<String>, Fault> {
        match self.json.get(field) {
            None => Ok(None),
            Some(json) => Ok(Some(self.short(field, json)?)),
        }
    }

    fn short(&self, field: &'static str, json: &Json) -> Result<String, Fault> {
        match json {
            Json::String(text) if text.len() > LONGEST_TEXT => {
                Err(self.fault(field, format!("of {} bytes is longer than {LONGEST_TEXT}", text.len())))
            }
            Json::String(text) if text.trim().is_empty() => Err(self.fault(field, "is empty")),
            Json::String(text) => Ok(text.clone()),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                Err(self.fault(field, format!("is {}, and not text", kind(json))))
            }
        }
    }

    fn must(&self, field: &'static str) -> Result<String, Fault> {
        self.text(field)?.ok_or_else(|| self.fault(field, "is missing"))
    }

    fn texts(&self, field: &'static str, most: usize) -> Result<Option<Vec<String>>, Fault> {
        let list = match self.json.get(field) {
            None => return Ok(None),
            Some(Json::Array(list)) if list.len() <= most => list,
            Some(Json::Array(list)) => {
                return Err(self.fault(field, format!("has {} entries, more than {most}", list.len())));
            }
            Some(other) => return Err(self.fault(field, format!("is {}, and not a list", kind(other)))),
        };
        list.iter().map(|json| self.short(field, json)).collect::<Result<_, _>>().map(Some)
    }

    /// Everything but the kind. Without an owner or a clear measure a point can't be used; the rest is only told.
    fn describe(&self, object: ObjectType, point: PointType, faults: &mut Vec<Fault>) -> Result<Metadata, Fault> {
        let mut known = vec!["objectType", "pointType", "engUnit", "stateText"];
        let owner = self.owner(object, point, &mut known)?;
        let measure = self.measure(point, faults)?;
        let areas = self.texts("processArea", MOST_AREAS)?;
        let integration = self.text("integration")?;
        let phase = self.text("phase")?;
        let scope = self.text("scope")?;
        let role = match self.json.get("isSetpoint") {
            None | Some(Json::Bool(false)) => PointRole::Measured,
            Some(Json::Bool(true)) => PointRole::Setpoint,
            Some(other) => return Err(self.fault("isSetpoint", format!("is {}, and not true or false", kind(other)))),
        };
        for (field, need) in [
            ("processArea", point.process_area(object)),
            ("integration", point.integration(object)),
            ("phase", point.phase()),
            ("isSetpoint", point.setpoint()),
            ("scope", point.scope()),
        ] {
            known.push(field);
            match (need, self.json.contains_key(field)) {
                (Need::Must, false) => faults.push(self.fault(field, format!("is missing for a {point}"))),
                (Need::Not, true) => faults.push(self.fault(field, format!("is not for a {point} of a {object}"))),
                (Need::Must | Need::May, true) | (Need::May | Need::Not, false) => {}
            }
        }
        if let Some(phase) = phase.as_deref().filter(|phase| !["A", "B", "C", "1", "2", "3"].contains(phase)) {
            faults.push(self.fault("phase", format!("is {phase:?}, and not A, B, C, 1, 2 or 3")));
        }
        self.known(&known, faults);
        let areas = areas.unwrap_or_default();
        Ok(Metadata { object, point, measure, owner, areas, role, phase, scope, integration })
    }

    fn owner(&self, object: ObjectType, point: PointType, known: &mut Vec<&str>) -> Result<Owner, Fault> {
        if object == ObjectType::Rack {
            known.extend(["rackLocationName", "rackLocationId"]);
            return Ok(Owner::Rack { id: self.must("rackLocationId")?, name: self.must("rackLocationName")? });
        }
        known.extend(["objectName", "objectId"]);
        if !point.is_heartbeat() {
            known.push("servesId");
        }
        let parts = object != ObjectType::PowerMeter && !point.is_heartbeat();
        if parts {
            known.push("associateId");
        }
        let serves = self.texts("servesId", MOST_SERVED)?;
        match (self.text("associateId")?, parts) {
            (Some(_), false) => Err(self.fault("associateId", format!("is not for a {point} of a {object}"))),
            (Some(of), true) => {
                let mixed = ["objectName", "objectId", "servesId"].into_iter().find(|f| self.json.contains_key(*f));
                match mixed {
                    Some(field) => {
                        Err(self.fault(field, "stands beside `associateId`: an object is named or is a part, not both"))
                    }
                    None => Ok(Owner::Part { of }),
                }
            }
            (None, _) if object == ObjectType::PowerMeter && serves.is_none() => {
                Err(self.fault("servesId", "is missing"))
            }
            (None, true) if !self.json.contains_key("objectId") && !self.json.contains_key("objectName") => {
                Err(self.fault("objectId", "is missing, and so is `associateId`"))
            }
            (None, _) => {
                let (id, name) = (self.must("objectId")?, self.must("objectName")?);
                Ok(Owner::Named { id, name, serves: serves.unwrap_or_default() })
            }
        }
    }

    fn measure(&self, point: PointType, faults: &mut Vec<Fault>) -> Result<Measure, Fault> {
        let (written, states) = (self.text("engUnit")?, self.states()?);
        let scale = point.scale();
        let measure = match (written, states) {
            (Some(_), Some(_)) => {
                return Err(self.fault("engUnit", "stands beside `stateText`: a value has a unit or states, not both"));
            }
            (Some(written), None) => Measure::Unit(written),
            (None, Some(states)) => Measure::States(states),
            (None, None) => Measure::Plain,
        };
        match (scale, &measure) {
            (Scale::Unit(asked), Measure::Unit(written)) if asked != written => {
                let usable = unit::conversion(asked).map(|c| c.unit) == unit::conversion(written).map(|c| c.unit);
                let end = if usable { "it is converted" } else { "it can't be converted" };
                faults
                    .push(self.fault("engUnit", format!("is {written:?} where the schema asks for {asked:?}; {end}")));
            }
            (Scale::Unit(asked), Measure::States(_) | Measure::Plain) => {
                return Err(self.fault("engUnit", format!("is missing; a {point} is in {asked:?}")));
            }
            (Scale::AnyUnit, Measure::States(_) | Measure::Plain) => {
                return Err(self.fault("engUnit", format!("is missing for a {point}")));
            }
            (Scale::States, Measure::Unit(_) | Measure::Plain) => {
                faults.push(self.fault("stateText", format!("is missing for a {point}")));
            }
            (Scale::Either, Measure::Plain) => {
                return Err(self.fault("engUnit", "is missing, and so is `stateText`"));
            }
            (Scale::Nothing, Measure::Unit(_) | Measure::States(_)) => {
                faults.push(self.fault("engUnit", format!("or `stateText` is not for a {point}")));
            }
            (Scale::Unit(_) | Scale::AnyUnit | Scale::Either, Measure::Unit(_))
            | (Scale::States | Scale::Either, Measure::States(_))
            | (Scale::Optional, _)
            | (Scale::Nothing, Measure::Plain) => {}
        }
        Ok(measure)
    }

    fn states(&self) -> Result<Option<Vec<(i64, String)>>, Fault> {
        const FIELD: &str = "stateText";
        let list = match self.json.get(FIELD) {
            None => return Ok(None),
            Some(Json::Array(list)) if list.len() <= MOST_STATES => list,
            Some(Json::Array(list)) => {
                return Err(self.fault(FIELD, format!("has {} entries, more than {MOST_STATES}", list.len())));
            }
            Some(other) => return Err(self.fault(FIELD, format!("is {}, and not a list", kind(other)))),
        };
        let state = |json: &Json| {
            let value = json
                .get("value")
                .and_then(whole)
                .ok_or_else(|| self.fault(FIELD, "has an entry whose `value` is not a whole number"))?;
            let text = json.get("text").ok_or_else(|| self.fault(FIELD, "has an entry without `text`"))?;
            match json.as_object().and_then(|entry| entry.keys().find(|key| !["value", "text"].contains(&key.as_str())))
            {
                Some(_) => Err(self.fault(FIELD, "has an entry with more than `value` and `text`")),
                None => Ok((value as i64, self.short(FIELD, text)?)),
            }
        };
        list.iter().map(state).collect::<Result<_, _>>().map(Some)
    }
}

/// A number without a fraction: JSON schema takes `1.0` for an integer.
fn whole(json: &Json) -> Option<f64> {
    json.as_f64().filter(|value| value.fract() == 0.0 && value.abs() < 9.0e15)
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
