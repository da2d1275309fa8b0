//! The building as its bus tells it: which points there are, what they read, and whether that is still so.
//!
//! Never: takes a reading that is not good for one that is zero, keeps a value from before, knows what time it is (times
//! are handed in), or grows beyond its bounds.
//!
//! Read this first, then `view` (what is shown of it).

pub mod view;

use super::kind::{ObjectType, PointType};
use super::point::{self, Fault, Measure, Metadata, Owner, Value};
use super::signal::{self, Asked};
use super::topic::{Content, GridTopic, PointTopic, Publisher, Shape, Topic, TopicError};
use super::unit::{self, Conversion};
use crate::bus::{Message, Retain};
use model::event::{FleetEvent, Happening};
use model::facility::{ExchangeCounts, PointRole, Pulse, Telling};
use model::metric::Metric;
use model::reading::{Labels, SeriesKey, label};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// A point is stale after this: values come at least every 100 seconds, and one may be missed.
pub const STALE_MS: i64 = 210_000;
/// The BMS is offline after this: its heart beats every 10 seconds.
pub const OFFLINE_MS: i64 = 30_000;
/// The most points: twice the largest site that we know of.
const MOST_POINTS: usize = 100_000;
/// The most bytes of metadata.
const MOST_BYTES: usize = 128 * 1_024 * 1_024;
/// The most values that wait for their metadata, one a point.
const MOST_HELD: usize = 10_000;
/// The most hosts, heartbeats and messages of the grid that are remembered.
const MOST_HOSTS: usize = 100_000;
const MOST_HEARTBEATS: usize = 1_000;
const MOST_ASKED: usize = 1_024;
/// A time that is further ahead of ours is not believed.
const AHEAD_MS: i64 = 600_000;
/// Times that went back are believed once they have kept on from there for this long.
const SET_BACK_MS: i64 = 60_000;
/// How often all points are looked over.
const SWEEP_MS: i64 = 5_000;

/// What a person sets up.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The source's name.
    pub source: String,
    /// Object ids of the meters that together are what the site takes from its utility.
    pub utility_meters: BTreeSet<String>,
    /// Labels of every series.
    pub labels: Labels,
}

/// What came of a message, or of time passing.
#[derive(Debug, Default, PartialEq)]
pub struct Applied {
    /// Readings: series, the building's own time, value.
    pub readings: Vec<(Arc<SeriesKey>, Option<i64>, f64)>,
    /// What happened.
    pub events: Vec<FleetEvent>,
    /// What was wrong, or is worth a word.
    pub remarks: Vec<String>,
    /// Messages whose topics or points are not known.
    pub unknown: u32,
}

/// The state of a building.
#[derive(Debug, Default)]
pub struct Facility {
    settings: Settings,
    points: BTreeMap<String, Point>,
    bytes: usize,
    series: BTreeMap<Arc<SeriesKey>, String>,
    held: BTreeMap<String, Held>,
    hosts: BTreeMap<String, (String, Option<i64>)>,
    asked: VecDeque<String>,
    heartbeats: BTreeMap<String, i64>,
    listening_since: i64,
    last_value: Option<i64>,
    swept_ms: i64,
    counts: ExchangeCounts,
    told: BTreeSet<&'static str>,
    utility: Utility,
    /// Grows whenever metadata change.
    revision: u64,
}

#[derive(Debug)]
struct Point {
    metadata: Arc<Metadata>,
    bytes: usize,
    series: Arc<SeriesKey>,
    conversion: Option<Conversion>,
    last: Option<Value>,
    seen_ms: Option<i64>,
    /// Where times went back: the first arrival since, and the latest of the times.
    back: Option<(i64, i64)>,
    age: Age,
    leak: Leak,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    Fresh,
    Stale,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leak {
    Unknown,
    Dry,
    Wet,
}

#[derive(Debug)]
struct Held {
    from: Publisher,
    value: Value,
    at_ms: i64,
}

/// The meters at the utility, by their ids, each with the path of its point.
#[derive(Debug, Default)]
struct Utility {
    meters: BTreeMap<String, String>,
    changed: Option<()>,
    series: Option<Arc<SeriesKey>>,
}

impl Facility {
    /// A building of which nothing is known yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// From now on we listen: silence before was ours.
    pub fn connected(&mut self, now_ms: i64) {
        self.listening_since = now_ms;
    }

    /// Takes a message.
    pub fn apply(&mut self, message: &Message, now_ms: i64) -> Applied {
        let mut out = Applied::default();
        let done = match message.topic.parse::<Topic>() {
            Ok(Topic::Point(topic)) => self.point(&topic, message, now_ms, &mut out),
            Ok(Topic::Field { content, tag }) => self.field_point(content, &tag, message, now_ms, &mut out),
            Ok(Topic::HostState { machine }) => self.host(&machine, message, now_ms, &mut out),
            Ok(Topic::Grid(GridTopic::LoadTarget { isv })) => self.load_target(&isv, message, now_ms, &mut out),
            Ok(Topic::Grid(_)) => Ok(()),
            Err(error) => {
                out.unknown += 1;
                let topic: String = message.topic.chars().filter(|c| !c.is_control()).take(160).collect();
                let fault = Fault { topic, field: "", why: error.to_string() };
                if error == TopicError::NotOurs { Ok(()) } else { Err(fault) }
            }
        };
        if let Err(fault) = done {
            self.counts.refused += 1;
            out.remarks.push(fault.to_string());
        }
        out
    }

    /// Lets time pass: looks for what has stopped, and adds up what the utility's meters say.
    pub fn tick(&mut self, now_ms: i64) -> Applied {
        let mut out = Applied::default();
        self.sum_utility(now_ms, &mut out);
        if self.heartbeats.is_empty()
            && self.last_value.is_some()
            && now_ms - self.listening_since > OFFLINE_MS
            && self.told.insert("heartbeat")
        {
            let words = "no heartbeat: values come, but the BMS sends no HeartbeatTimestampBms, so that its silence can't be told from a quiet building";
            out.remarks.push(words.to_owned());
        }
        if now_ms - self.swept_ms < SWEEP_MS {
            return out;
        }
        self.swept_ms = now_ms;
        let mut newly = 0_u32;
        let mut first = None;
        for (tag, point) in &mut self.points {
            let old = point.seen_ms.is_some_and(|seen| now_ms - seen > STALE_MS);
            if old && point.age == Age::Fresh {
                point.age = Age::Stale;
                newly += 1;
                first.get_or_insert(tag);
            }
        }
        if let Some(first) = first {
            let beside = if newly > 1 { format!(" and {} more", newly - 1) } else { String::new() };
            out.remarks.push(format!("{first}{beside}: no value for {} seconds", STALE_MS / 1_000));
        }
        self.held.retain(|_, held| now_ms - held.at_ms <= STALE_MS);
        out
    }

    /// How the building's telling is.
    pub fn telling(&self, now_ms: i64) -> Telling {
        let heard = |at: i64| at.max(self.listening_since);
        let stopped = self.heartbeats.iter().find(|(_, at)| self.pulse(**at, now_ms) == Pulse::Stopped);
        if let Some((tag, at)) = stopped {
            return Telling::Offline { since_ms: *at, whose: self.whose(tag) };
        }
        match self.last_value {
            Some(at) if now_ms - heard(at) > STALE_MS => Telling::Silent { since_ms: at },
            None if now_ms - self.listening_since > STALE_MS => Telling::Silent { since_ms: self.listening_since },
            None if self.heartbeats.is_empty() => Telling::Waiting,
            Some(_) | None => Telling::Fine,
        }
    }

    /// Whether a heart still beats: while we did not listen it could not be heard.
    fn pulse(&self, last_ms: i64, now_ms: i64) -> Pulse {
        if now_ms - last_ms.max(self.listening_since) > OFFLINE_MS { Pulse::Stopped } else { Pulse::Beats }
    }

    /// Which part of the exchange a heart stands for, or its path.
    fn whose(&self, tag: &str) -> String {
        let scope = self.points.get(tag).and_then(|point| point.metadata.scope.clone());
        scope.unwrap_or_else(|| tag.to_owned())
    }

    /// How much came of what.
    pub fn counts(&self) -> ExchangeCounts {
        let stale = self.points.values().filter(|point| point.age == Age::Stale).count();
        let (points, waiting) = (self.points.len() as u32, self.held.len() as u32);
        ExchangeCounts { points, waiting, stale: stale as u32, ..self.counts }
    }

    fn point(&mut self, topic: &PointTopic, message: &Message, now_ms: i64, out: &mut Applied) -> Result<(), Fault> {
        self.counts.published += 1;
        let mut faults = Vec::new();
        let done = match topic.content {
            Content::Metadata if message.payload.is_empty() => {
                self.forget(&topic.tag);
                Ok(())
            }
            Content::Metadata => point::metadata(topic, &message.payload, &mut faults)
                .and_then(|metadata| self.describe(&topic.tag, metadata, message, now_ms, out)),
            Content::Value if message.payload.is_empty() => Ok(()),
            Content::Value => {
                point::value(&message.topic, Shape::Published, &message.payload, &mut faults).and_then(|value| {
                    if topic.point.is_heartbeat() {
                        self.beat(topic.point, &topic.tag, value, message.retain, now_ms);
                        return Ok(());
                    }
                    self.value(&topic.tag, Some((topic.object, topic.point)), &topic.publisher, value, now_ms, out)
                        .map_err(|(field, why)| Fault { topic: message.topic.clone(), field, why })
                })
            }
        };
        out.remarks.extend(faults.iter().map(ToString::to_string));
        done
    }

    fn field_point(
        &mut self,
        content: Content,
        tag: &str,
        message: &Message,
        now_ms: i64,
        out: &mut Applied,
    ) -> Result<(), Fault> {
        self.counts.field += 1;
        if self.told.insert("field") {
            out.remarks.push(format!(
                "{}: topics come in the field's shape, not in the schema's; both are read",
                message.topic
            ));
        }
        let mut faults = Vec::new();
        let done = match content {
            Content::Metadata if message.payload.is_empty() => {
                self.forget(tag);
                Ok(())
            }
            Content::Metadata => point::field_metadata(&message.topic, &message.payload, &mut faults)
                .and_then(|metadata| self.describe(tag, metadata, message, now_ms, out)),
            Content::Value if message.payload.is_empty() => Ok(()),
            // Whoever writes in this shape does not say who it is.
            Content::Value => {
                point::value(&message.topic, Shape::Field, &message.payload, &mut faults).and_then(|value| {
                    match self.points.get(tag).map(|point| point.metadata.point) {
                        Some(kind) if kind.is_heartbeat() => {
                            self.beat(kind, tag, value, message.retain, now_ms);
                            Ok(())
                        }
                        Some(_) | None => self
                            .value(tag, None, &Publisher::Bms, value, now_ms, out)
                            .map_err(|(field, why)| Fault { topic: message.topic.clone(), field, why }),
                    }
                })
            }
        };
        out.remarks.extend(faults.iter().map(ToString::to_string));
        done
    }

    /// A heart beats. A beat that the broker kept from before says nothing of now.
    fn beat(&mut self, kind: PointType, tag: &str, value: Value, retain: Retain, now_ms: i64) {
        if retain == Retain::Kept {
            return;
        }
        if let Some(point) = self.points.get_mut(tag) {
            (point.last, point.seen_ms, point.age) = (Some(value), Some(now_ms), Age::Fresh);
        }
        let room = self.heartbeats.len() < MOST_HEARTBEATS || self.heartbeats.contains_key(tag);
        if kind == PointType::HeartbeatTimestampBms && room {
            self.heartbeats.insert(tag.to_owned(), now_ms);
        }
    }

    /// Takes metadata in; the same again changes nothing.
    fn describe(
        &mut self,
        tag: &str,
        metadata: Metadata,
        message: &Message,
        now_ms: i64,
        out: &mut Applied,
    ) -> Result<(), Fault> {
        let fault = |why: String| Fault { topic: message.topic.clone(), field: "", why };
        let before = self.points.get(tag);
        if before.is_some_and(|point| *point.metadata == metadata) {
            return Ok(());
        }
        let bytes = message.topic.len() + message.payload.len();
        let old = before.map_or(0, |point| point.bytes);
        if before.is_none() && self.points.len() >= MOST_POINTS {
            return Err(fault(format!("there are {MOST_POINTS} points already; this one is left out")));
        }
        if self.bytes - old + bytes > MOST_BYTES {
            return Err(fault(format!("metadata fill {MOST_BYTES} bytes already; these are left out")));
        }
        if let Some(before) = before.filter(|point| point.metadata.point != metadata.point) {
            let (was, is) = (before.metadata.point, metadata.point);
            out.remarks.push(fault(format!("the path was a {was} before, and is a {is} now")).to_string());
        }
        let metadata = Arc::new(metadata);
        let kept = self.points.remove(tag);
        if let Some(kept) = &kept {
            self.series.remove(&kept.series);
        }
        self.bytes = self.bytes - old + bytes;
        self.revision += 1;
        let (series, conversion) = self.series_of(tag, &metadata, out);
        self.series.insert(Arc::clone(&series), tag.to_owned());
        self.note_meter(tag, &metadata, out);
        // The readings start anew where what they mean has changed.
        let same = kept.filter(|point| point.series == series && point.metadata.measure == metadata.measure);
        let fresh = Point {
            metadata: Arc::clone(&metadata),
            bytes,
            series,
            conversion,
            last: None,
            seen_ms: None,
            back: None,
            age: Age::Fresh,
            leak: Leak::Unknown,
        };
        let point = same.map_or(fresh, |point| Point { metadata, bytes, ..point });
        self.points.insert(tag.to_owned(), point);
        if let Some(held) = self.held.remove(tag).filter(|held| now_ms - held.at_ms <= STALE_MS) {
            let done = self.accept(tag, &held.from, held.value, held.at_ms, out);
            return done.map_err(|(field, why)| Fault { topic: message.topic.clone(), field, why });
        }
        Ok(())
    }

    fn forget(&mut self, tag: &str) {
        if let Some(point) = self.points.remove(tag) {
            self.bytes -= point.bytes;
            self.series.remove(&point.series);
            self.utility.meters.retain(|_, of| of != tag);
            self.revision += 1;
        }
    }

    /// The series of a point. A rack's own metric belongs to the first point that says it.
    fn series_of(&self, tag: &str, metadata: &Metadata, out: &mut Applied) -> (Arc<SeriesKey>, Option<Conversion>) {
        let written = match &metadata.measure {
            Measure::Unit(unit) => Some(unit.as_str()),
            Measure::States(_) | Measure::Plain => None,
        };
        let conversion = written.and_then(unit::conversion);
        let labels = self.settings.labels.with(label::SOURCE, &self.settings.source);
        if let (Some(metric), Owner::Rack { id, .. }) = (rack_metric(metadata), &metadata.owner) {
            let fits = metric == Metric::RackLeak || conversion.is_some_and(|to| to.unit == metric.unit());
            let key = SeriesKey { name: metric.name().to_owned(), labels: labels.with(label::RACK, id) };
            match self.series.get(&key) {
                None if fits => return (Arc::new(key), conversion),
                Some(first) => {
                    out.remarks.push(format!("{tag}: {first} says the {} of rack {id} already", metadata.point));
                }
                None => {}
            }
        }
        let mut labels = labels
            .with(label::TAG, tag)
            .with(label::OBJECT_TYPE, metadata.object.name())
            .with(label::POINT_TYPE, metadata.point.name())
            .with(label::OBJECT, metadata.owner.id())
            .with("unit", conversion.map_or(written.unwrap_or_default(), |to| to.symbol));
        if let Owner::Rack { id, .. } = &metadata.owner {
            labels = labels.with(label::RACK, id);
        }
        (Arc::new(SeriesKey { name: Metric::FacilityValue.name().to_owned(), labels }), conversion)
    }

    /// A value has come: it goes to its point, or waits for one.
    fn value(
        &mut self,
        tag: &str,
        said: Option<(ObjectType, PointType)>,
        from: &Publisher,
        value: Value,
        now_ms: i64,
        out: &mut Applied,
    ) -> Result<(), (&'static str, String)> {
        self.counts.values += 1;
        self.last_value = Some(now_ms);
        let Some(point) = self.points.get(tag) else {
            self.counts.held += 1;
            if self.held.len() >= MOST_HELD && !self.held.contains_key(tag) {
                self.counts.let_go += 1;
                return Ok(());
            }
            self.held.insert(tag.to_owned(), Held { from: from.clone(), value, at_ms: now_ms });
            return Ok(());
        };
        let is = (point.metadata.object, point.metadata.point);
        if let Some((object, kind)) = said.filter(|said| *said != is) {
            return Err(("", format!("comes as {kind} of a {object}, and its metadata say {} of a {}", is.1, is.0)));
        }
        self.accept(tag, from, value, now_ms, out)
    }

    /// A point takes a value. The same one again is one reading; an older one is none.
    fn accept(
        &mut self,
        tag: &str,
        from: &Publisher,
        value: Value,
        now_ms: i64,
        out: &mut Applied,
    ) -> Result<(), (&'static str, String)> {
        let Some(point) = self.points.get_mut(tag) else { return Ok(()) };
        if let Publisher::Integration(name) = from
            && point.metadata.integration.as_ref() != Some(name)
        {
            let owner = point.metadata.integration.as_deref().unwrap_or("the BMS");
            return Err(("", format!("{name} writes what is {owner}'s to write")));
        }
        // A number that its unit makes infinite is none, though it was one as it was written.
        if let (Some(to), Some(written)) = (point.conversion, value.value)
            && !to.si(written).is_finite()
        {
            return Err(("value", format!("is {written:e}, which is more than can be told in {}", to.symbol)));
        }
        point.seen_ms = Some(now_ms);
        point.age = Age::Fresh;
        let mut value = value;
        if let Some(at) = value.at_ms.filter(|at| at - now_ms > AHEAD_MS) {
            out.remarks.push(format!(
                "{tag}: time {at} is {} s ahead of ours; that of arrival is taken",
                (at - now_ms) / 1_000
            ));
            value.at_ms = None;
        }
        if point.last == Some(value) {
            self.counts.repeated += 1;
            return Ok(());
        }
        if point.is_late(&value, now_ms) {
            self.counts.late += 1;
            return Ok(());
        }
        if point.back.take().is_some() {
            out.remarks.push(format!("{tag}: the building's clock went back; its times are taken as they are now"));
        }
        point.last = Some(value);
        if self.utility.meters.values().any(|meter| meter == tag) {
            self.utility.changed = Some(());
        }
        let Some(good) = value.good() else { return Ok(()) };
        if let (Measure::States(states), None) = (&point.metadata.measure, point.metadata.state(good))
            && !states.is_empty()
        {
            out.remarks.push(format!("{tag}: value {good} is none of the states that its metadata name"));
        }
        let mut si = point.conversion.map_or(good, |to| to.si(good));
        if is_leak(point.metadata.point) {
            let leak = point.leak_of(good);
            if rack_metric(&point.metadata) == Some(Metric::RackLeak) {
                si = f64::from(u8::from(leak == Leak::Wet));
            }
            let event = point.leaked(leak, tag, &self.settings.source, value.at_ms.unwrap_or(now_ms));
            out.events.extend(event);
        }
        out.readings.push((Arc::clone(&point.series), value.at_ms, si));
        Ok(())
    }

    fn note_meter(&mut self, tag: &str, metadata: &Metadata, out: &mut Applied) {
        let is_power = metadata.object == ObjectType::PowerMeter && metadata.point == PointType::ActivePower;
        let id = metadata.owner.id();
        if !is_power || !self.settings.utility_meters.contains(id) {
            self.utility.meters.retain(|_, of| of != tag);
            return;
        }
        match self.utility.meters.get(id) {
            Some(first) if first != tag => {
                out.remarks.push(format!("{tag}: {first} says the ActivePower of utility meter {id} already"));
            }
            Some(_) | None => {
                self.utility.meters.insert(id.to_owned(), tag.to_owned());
            }
        }
    }

    /// The sum of the utility's meters, once each has a good and fresh reading: a part of it would be less than the whole.
    fn sum_utility(&mut self, now_ms: i64, out: &mut Applied) {
        if self.utility.changed.take().is_none() || self.utility.meters.len() < self.settings.utility_meters.len() {
            return;
        }
        let power = self.utility.meters.values().map(|tag| {
            let point = self.points.get(tag)?;
            let fresh = point.seen_ms.is_some_and(|seen| now_ms - seen <= STALE_MS);
            let watts = point.conversion.filter(|to| to.unit == Metric::FacilityPower.unit())?;
            point.last.filter(|_| fresh)?.good().map(|value| watts.si(value))
        });
        if let Some(sum) = power.sum::<Option<f64>>().filter(|sum| sum.is_finite()) {
            let labels = self.settings.labels.with(label::SOURCE, &self.settings.source);
            let key = || Arc::new(SeriesKey { name: Metric::FacilityPower.name().to_owned(), labels });
            out.readings.push((Arc::clone(self.utility.series.get_or_insert_with(key)), None, sum));
        }
    }

    fn host(&mut self, machine: &str, message: &Message, now_ms: i64, out: &mut Applied) -> Result<(), Fault> {
        if message.payload.is_empty() {
            return Ok(());
        }
        let mut faults = Vec::new();
        let step = signal::host_state(&message.topic, machine, &message.payload, &mut faults);
        out.remarks.extend(faults.iter().map(ToString::to_string));
        let step = step?;
        let known = (step.words.clone(), step.at_ms);
        if self.hosts.get(machine) == Some(&known) {
            return Ok(());
        }
        if self.hosts.len() < MOST_HOSTS || self.hosts.contains_key(machine) {
            self.hosts.insert(machine.to_owned(), known);
        }
        out.events.push(FleetEvent {
            at_ms: step.at_ms.unwrap_or(now_ms),
            source: self.settings.source.clone(),
            host: Some(machine.to_owned()),
            gpu: None,
            what: Happening::HostState { state: step.state },
            message: step.words,
        });
        Ok(())
    }

    fn load_target(&mut self, isv: &str, message: &Message, now_ms: i64, out: &mut Applied) -> Result<(), Fault> {
        if message.payload.is_empty() {
            return Ok(());
        }
        let (id, targets) = match signal::load_targets(&message.topic, &message.payload)? {
            Asked::Signed => {
                out.remarks.push(format!(
                    "{}: a signed load target is left alone: nothing checks its signature yet",
                    message.topic
                ));
                return Ok(());
            }
            Asked::Targets { id, targets } => (id, targets),
        };
        if self.asked.contains(&id) {
            return Ok(());
        }
        self.asked.push_back(id);
        if self.asked.len() > MOST_ASKED {
            self.asked.pop_front();
        }
        for target in targets {
            let feeds = if target.feeds.is_empty() { "all feeds".to_owned() } else { target.feeds.join(", ") };
            out.events.push(FleetEvent {
                at_ms: target.from_ms.unwrap_or(now_ms),
                source: self.settings.source.clone(),
                host: None,
                gpu: None,
                what: Happening::LoadTarget { target_w: target.power_w },
                message: format!("{isv} asks this of {feeds}, without a signature"),
            });
        }
        Ok(())
    }
}

impl Point {
    /// Whether a value is older than what we have. Where times went back and keep on from there, they do so because a
    /// clock was set, and are taken after a while.
    fn is_late(&mut self, value: &Value, now_ms: i64) -> bool {
        let last = self.last.and_then(|last| last.at_ms);
        let (Some(at), Some(last)) = (value.at_ms, last) else { return false };
        if at >= last {
            self.back = None;
            return false;
        }
        let since = match self.back {
            Some((since, before)) if at > before => since,
            Some(_) | None => now_ms,
        };
        self.back = Some((since, at));
        now_ms - since < SET_BACK_MS
    }

    /// What a value says of a leak: by the words of its states, or else 0 is dry.
    fn leak_of(&self, value: f64) -> Leak {
        let word: String = self.metadata.state(value).unwrap_or_default().to_lowercase();
        let word: String = word.chars().filter(|c| c.is_alphanumeric()).collect();
        let starts = |heads: &[&str]| heads.iter().any(|head| word.starts_with(head));
        if starts(&["no", "dry", "ok", "clear", "inactive", "false", "off"]) {
            Leak::Dry
        } else if starts(&["leak", "wet", "detected", "alarm", "active", "true", "on"]) || value.abs() > f64::EPSILON {
            Leak::Wet
        } else {
            Leak::Dry
        }
    }

    /// What to tell where that has changed.
    fn leaked(&mut self, now: Leak, tag: &str, source: &str, at_ms: i64) -> Option<FleetEvent> {
        let before = std::mem::replace(&mut self.leak, now);
        let object = self.metadata.owner.id().to_owned();
        let (what, message) = match (before, now) {
            (Leak::Unknown | Leak::Dry, Leak::Wet) => {
                let words = format!("{} of {object} found a leak ({tag})", self.metadata.point);
                (Happening::Leak { object }, words)
            }
            (Leak::Wet, Leak::Dry) => {
                let words = format!("{} of {object} finds no leak any more ({tag})", self.metadata.point);
                (Happening::Remark { until_ms: None }, words)
            }
            (Leak::Unknown | Leak::Dry, Leak::Dry) | (Leak::Wet, Leak::Wet) | (_, Leak::Unknown) => return None,
        };
        Some(FleetEvent { at_ms, source: source.to_owned(), host: None, gpu: None, what, message })
    }
}

fn is_leak(point: PointType) -> bool {
    matches!(point, PointType::RackLeakDetect | PointType::RackLeakDetectTray | PointType::LeakDetect)
}

/// The rack's own metric that a point measures.
fn rack_metric(metadata: &Metadata) -> Option<Metric> {
    let measured = metadata.role == PointRole::Measured;
    let pairs = [
        (PointType::RackPower, Metric::RackPower),
        (PointType::RackLiquidSupplyTemperature, Metric::RackSupplyTemperature),
        (PointType::RackLiquidReturnTemperature, Metric::RackReturnTemperature),
        (PointType::RackLiquidFlow, Metric::RackFlow),
        (PointType::RackLiquidDifferentialPressure, Metric::RackDifferentialPressure),
        (PointType::RackLeakDetect, Metric::RackLeak),
    ];
    pairs.into_iter().find(|(point, _)| measured && *point == metadata.point).map(|(_, metric)| metric)
}

#[cfg(test)]
mod tests;
