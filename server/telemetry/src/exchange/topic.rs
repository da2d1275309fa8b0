//! Topics of the exchange: which of them we know, and what each says.
//!
//! Never: takes a tag path apart. It belongs to whoever runs the building, and only tells two points apart.

use super::kind::{ObjectType, PointType};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest topic that is read, bytes. MQTT allows 65,535; a real one has under 200.
pub const LONGEST: usize = 1_024;

/// A topic that we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topic {
    /// A point of the building, as the published schema writes it.
    Point(PointTopic),
    /// A point of the building as some write it in the field: `BMS/v1/{pointPath}/Value`.
    Field {
        /// Value or metadata.
        content: Content,
        /// The point's path.
        tag: String,
    },
    /// The life cycle of a host: `NICO/v1/machine/{id}/state`.
    HostState {
        /// The machine.
        machine: String,
    },
    /// DSX Flex: the grid asks, or is answered.
    Grid(GridTopic),
}

/// `BMS/v1/{publisher}/{Value|Metadata}/{objectType}/{pointType}/{tagPath}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointTopic {
    /// Who writes.
    pub publisher: Publisher,
    /// Value or metadata.
    pub content: Content,
    /// What the point belongs to.
    pub object: ObjectType,
    /// What the point is.
    pub point: PointType,
    /// The building's own path of the point.
    pub tag: String,
}

/// Who writes a point.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Publisher {
    /// The building management system: `PUB`.
    Bms,
    /// Another system, by its name. It writes values only, and only of points whose metadata name it.
    Integration(String),
}

/// What a topic carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A reading.
    Value,
    /// What a point is; retained.
    Metadata,
}

/// Which of the two ways of writing a topic was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// `BMS/v1/PUB/Value/Rack/RackPower/{tagPath}`, the schema's.
    Published,
    /// `BMS/v1/{pointPath}/Value`, as some write it in the field.
    Field,
}

/// Topics of DSX Flex. They are named here; what they carry is read elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GridTopic {
    /// `grid/v1/isv/{id}/loadtarget/set`.
    LoadTarget {
        /// Who asks.
        isv: String,
    },
    /// `grid/v1/dsx-flex-agent/{id}/powerstate/status`.
    PowerState {
        /// Which agent.
        agent: String,
    },
    /// `grid/v1/dsx-flex-agent/{id}/powerbreach`.
    PowerBreach {
        /// Which agent.
        agent: String,
    },
    /// `grid/v1/infra/{id}/powerbreach/enforcement`.
    Enforcement {
        /// Which agent of the infrastructure.
        infra: String,
    },
}

/// Why a topic is not one of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// Too long.
    #[error("topic of {0} bytes is longer than {LONGEST}")]
    TooLong(usize),
    /// `+`, `#` or a control character.
    #[error("topic holds a wildcard or a control character")]
    BadCharacter,
    /// Neither BMS, NICO nor grid, or too short.
    #[error("topic is none of the exchange's")]
    NotOurs,
    /// A kind of object that the schema does not have.
    #[error("object type {0:?} is none of the schema's 23")]
    ObjectType(String),
    /// A kind of point that the schema does not have.
    #[error("point type {0:?} is none of the schema's")]
    PointType(String),
    /// A kind of point that this object may not have.
    #[error("a {object} has no point of type {point}")]
    NotOfObject {
        /// The object.
        object: ObjectType,
        /// The point.
        point: PointType,
    },
    /// Metadata from someone other than the BMS.
    #[error("metadata come from the BMS alone, and these come from {0:?}")]
    ForeignMetadata(String),
    /// A value from someone who may not write it.
    #[error("{point} of a {object} is not for {publisher} to write")]
    NotTheirs {
        /// The object.
        object: ObjectType,
        /// The point.
        point: PointType,
        /// Who wrote.
        publisher: Publisher,
    },
    /// No path.
    #[error("topic ends before its tag path")]
    NoTag,
}

impl Topic {
    /// Which way of writing it is; nothing for topics that are not a point's.
    pub fn shape(&self) -> Option<Shape> {
        match self {
            Self::Point(_) => Some(Shape::Published),
            Self::Field { .. } => Some(Shape::Field),
            Self::HostState { .. } | Self::Grid(_) => None,
        }
    }
}

impl PointTopic {
    /// Where the value of the point that these metadata describe is written: by `integration` where they name one that
    /// the point's kind is for, or else by the BMS.
    #[must_use]
    pub fn value_topic(&self, integration: Option<&str>) -> Self {
        let publisher = match integration {
            Some(name) if self.point.writers(self.object).integration() => Publisher::Integration(name.to_owned()),
            Some(_) | None => Publisher::Bms,
        };
        Self { publisher, content: Content::Value, ..self.clone() }
    }
}

impl FromStr for Topic {
    type Err = TopicError;
    fn from_str(topic: &str) -> Result<Self, TopicError> {
        if topic.len() > LONGEST {
            return Err(TopicError::TooLong(topic.len()));
        }
        if topic.chars().any(|c| matches!(c, '+' | '#') || c.is_control()) {
            return Err(TopicError::BadCharacter);
        }
        if let Some(rest) = topic.strip_prefix("BMS/v1/") {
            return point(rest);
        }
        let levels: Vec<&str> = topic.split('/').collect();
        if levels.iter().any(|level| level.is_empty()) {
            return Err(TopicError::NotOurs);
        }
        Ok(match levels[..] {
            ["NICO", "v1", "machine", machine, "state"] => Self::HostState { machine: machine.into() },
            ["grid", "v1", "isv", isv, "loadtarget", "set"] => Self::Grid(GridTopic::LoadTarget { isv: isv.into() }),
            ["grid", "v1", "dsx-flex-agent", agent, "powerstate", "status"] => {
                Self::Grid(GridTopic::PowerState { agent: agent.into() })
            }
            ["grid", "v1", "dsx-flex-agent", agent, "powerbreach"] => {
                Self::Grid(GridTopic::PowerBreach { agent: agent.into() })
            }
            ["grid", "v1", "infra", infra, "powerbreach", "enforcement"] => {
                Self::Grid(GridTopic::Enforcement { infra: infra.into() })
            }
            _ => return Err(TopicError::NotOurs),
        })
    }
}

/// What follows `BMS/v1/`. A path may hold any words, `Value` too: a topic that reads as published is published, and
/// everything `PUB` writes is; only what does not is looked at as the field's way.
fn point(rest: &str) -> Result<Topic, TopicError> {
    let field = || {
        let (tag, last) = rest.rsplit_once('/')?;
        (!tag.is_empty()).then_some(Topic::Field { content: content(last)?, tag: tag.to_owned() })
    };
    let mut levels = rest.splitn(5, '/');
    let (Some(publisher), Some(Some(content))) = (levels.next(), levels.next().map(content)) else {
        return field().ok_or(TopicError::NotOurs);
    };
    match (published(publisher, content, levels), publisher) {
        (Ok(topic), _) => Ok(Topic::Point(topic)),
        (Err(why), "PUB") => Err(why),
        (Err(why @ (TopicError::ObjectType(_) | TopicError::NoTag)), _) => field().ok_or(why),
        (Err(why), _) => Err(why),
    }
}

fn published<'a>(
    publisher: &str,
    content: Content,
    mut levels: impl Iterator<Item = &'a str>,
) -> Result<PointTopic, TopicError> {
    let object = levels.next().ok_or(TopicError::NoTag)?;
    let object: ObjectType = object.parse().map_err(|()| TopicError::ObjectType(object.to_owned()))?;
    let point = levels.next().ok_or(TopicError::NoTag)?;
    let point: PointType = point.parse().map_err(|()| TopicError::PointType(point.to_owned()))?;
    let tag = levels.next().filter(|tag| !tag.is_empty()).ok_or(TopicError::NoTag)?.to_owned();
    if !object.points().contains(&point) {
        return Err(TopicError::NotOfObject { object, point });
    }
    let publisher = match publisher {
        "" => return Err(TopicError::NotOurs),
        "PUB" => Publisher::Bms,
        name => Publisher::Integration(name.to_owned()),
    };
    let writers = point.writers(object);
    match (&publisher, content) {
        (Publisher::Integration(name), Content::Metadata) => return Err(TopicError::ForeignMetadata(name.clone())),
        (Publisher::Bms, Content::Metadata) => {}
        (Publisher::Bms, Content::Value) if writers.bms() => {}
        (Publisher::Integration(_), Content::Value) if writers.integration() => {}
        (Publisher::Bms | Publisher::Integration(_), Content::Value) => {
            return Err(TopicError::NotTheirs { object, point, publisher });
        }
    }
    Ok(PointTopic { publisher, content, object, point, tag })
}

fn content(level: &str) -> Option<Content> {
    match level {
        "Value" => Some(Content::Value),
        "Metadata" => Some(Content::Metadata),
        _ => None,
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point(point) => point.fmt(f),
            Self::Field { content, tag } => write!(f, "BMS/v1/{tag}/{content}"),
            Self::HostState { machine } => write!(f, "NICO/v1/machine/{machine}/state"),
            Self::Grid(GridTopic::LoadTarget { isv }) => write!(f, "grid/v1/isv/{isv}/loadtarget/set"),
            Self::Grid(GridTopic::PowerState { agent }) => {
                write!(f, "grid/v1/dsx-flex-agent/{agent}/powerstate/status")
            }
            Self::Grid(GridTopic::PowerBreach { agent }) => write!(f, "grid/v1/dsx-flex-agent/{agent}/powerbreach"),
            Self::Grid(GridTopic::Enforcement { infra }) => write!(f, "grid/v1/infra/{infra}/powerbreach/enforcement"),
        }
    }
}

impl fmt::Display for PointTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { publisher, content, object, point, tag } = self;
        write!(f, "BMS/v1/{publisher}/{content}/{object}/{point}/{tag}")
    }
}

impl fmt::Display for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bms => "PUB",
            Self::Integration(name) => name,
        })
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "Value",
            Self::Metadata => "Metadata",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(topic: &str) -> Result<Topic, TopicError> {
        topic.parse()
    }

    #[test]
    fn a_published_topic_is_taken_apart_and_its_path_left_whole() {
        let topic = read("BMS/v1/PUB/Value/Rack/RackPower/site/pod 1/Value/x").unwrap();
        let Topic::Point(point) = &topic else { panic!("{topic:?}") };
        assert_eq!((point.object, point.point), (ObjectType::Rack, PointType::RackPower));
        assert_eq!((&point.publisher, point.content), (&Publisher::Bms, Content::Value));
        assert_eq!((point.tag.as_str(), topic.shape()), ("site/pod 1/Value/x", Some(Shape::Published)));
    }

    #[test]
    fn the_ways_of_the_field_are_seen_as_such() {
        for (topic, content, tag) in [
            ("BMS/v1/site/rack/point/Value", Content::Value, "site/rack/point"),
            ("BMS/v1/site/Metadata", Content::Metadata, "site"),
            ("BMS/v1/site/Value/Value", Content::Value, "site/Value"),
        ] {
            let read = read(topic).unwrap();
            assert_eq!(read, Topic::Field { content, tag: tag.into() });
            assert_eq!(read.shape(), Some(Shape::Field));
        }
    }

    #[test]
    fn what_is_not_of_the_exchange_is_refused_with_its_reason() {
        for (topic, why) in [
            ("BMS/v1/PUB/Value/Rock/RackPower/x", "object type \"Rock\" is none of the schema's 23"),
            ("BMS/v1/PUB/Value/Rack/RackPowr/x", "point type \"RackPowr\" is none of the schema's"),
            ("BMS/v1/PUB/Value/Rack/Voltage/x", "a Rack has no point of type Voltage"),
            ("BMS/v1/PUB/Value/Rack/RackPower", "topic ends before its tag path"),
            ("BMS/v1/PUB/Value/Rack/RackPower/", "topic ends before its tag path"),
            ("BMS/v1/ME/Metadata/Rack/RackPower/x", "metadata come from the BMS alone, and these come from \"ME\""),
            ("BMS/v1/ME/Value/Rack/RackPower/x", "RackPower of a Rack is not for ME to write"),
            (
                "BMS/v1/PUB/Value/CDU/LiquidTemperatureSpRequest/x",
                "LiquidTemperatureSpRequest of a CDU is not for PUB to write",
            ),
            ("BMS/v1/PUB/Value/Rack/RackPower/a+b", "topic holds a wildcard or a control character"),
            ("BMS/v2/PUB/Value/Rack/RackPower/x", "topic is none of the exchange's"),
            ("BMS/v1/Value", "topic is none of the exchange's"),
            ("NICO/v1/machine//state", "topic is none of the exchange's"),
            ("", "topic is none of the exchange's"),
        ] {
            assert_eq!(read(topic).unwrap_err().to_string(), why, "{topic}");
        }
    }

    #[test]
    fn agrees_with_the_schemas_rule_for_the_topic_of_a_value() {
        // The example of the published BMS schema: PUB becomes the integration, Metadata becomes Value.
        let Topic::Point(metadata) =
            read("BMS/v1/PUB/Metadata/CDU/LiquidTemperatureSpRequest/site1/row3/cdu5").unwrap()
        else {
            panic!("not a point");
        };
        assert_eq!(
            metadata.value_topic(Some("MEPAI")).to_string(),
            "BMS/v1/MEPAI/Value/CDU/LiquidTemperatureSpRequest/site1/row3/cdu5"
        );
    }

    #[test]
    fn the_grids_and_the_hosts_topics_lead_back() {
        for topic in [
            "grid/v1/isv/emerald/loadtarget/set",
            "grid/v1/dsx-flex-agent/a/powerstate/status",
            "grid/v1/dsx-flex-agent/a/powerbreach",
            "grid/v1/infra/a/powerbreach/enforcement",
            "NICO/v1/machine/fm100/state",
        ] {
            assert_eq!(read(topic).unwrap().to_string(), topic);
        }
    }

    fn any_point_topic() -> impl Strategy<Value = PointTopic> {
        let pairs: Vec<_> = ObjectType::ALL.iter().flat_map(|o| o.points().iter().map(move |p| (*o, *p))).collect();
        (prop::sample::select(pairs), "[A-Za-z0-9-]{1,9}", "[^+#\\p{Cc}]{1,40}", any::<bool>()).prop_map(
            |((object, point), name, tag, metadata)| {
                let content = if metadata { Content::Metadata } else { Content::Value };
                let writes = !metadata && !point.writers(object).bms();
                let publisher = if writes { Publisher::Integration(name) } else { Publisher::Bms };
                PointTopic { publisher, content, object, point, tag }
            },
        )
    }

    proptest! {
        #[test]
        fn law_a_point_topic_reads_back_as_it_was_written(topic in any_point_topic()) {
            prop_assume!(!matches!(&topic.publisher, Publisher::Integration(name) if name == "PUB"));
            prop_assert_eq!(topic.to_string().parse(), Ok(Topic::Point(topic)));
        }

        #[test]
        fn law_what_was_read_writes_the_same_topic(text in "(BMS/v1/)?[A-Za-z/]{0,12}(PUB/)?(Value|Metadata)?(/Rack/RackPower)?/?.{0,12}(/Value)?") {
            if let Ok(topic) = text.parse::<Topic>() {
                prop_assert_eq!(topic.to_string(), text);
            }
        }

        #[test]
        fn law_no_text_panics(text in any::<String>()) {
            let _ = text.parse::<Topic>();
        }
    }
}
