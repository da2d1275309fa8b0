//! The building as its bus tells it: what serves what, what each point reads and whether that is still so, and whether its
//! racks are those of the IT side.

use crate::metric::Unit;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the page of the facility asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FacilityQuery {
    /// Points of this object alone, by its id; those of its parts among them.
    #[serde(default)]
    pub object: Option<String>,
    /// Points with this text in their path, kind or object, whatever its case.
    #[serde(default)]
    pub text: Option<String>,
    /// How many points at most: a building may have a hundred thousand.
    pub limit: u32,
}

/// The building.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FacilityView {
    /// When this was so, milliseconds since 1970 UTC.
    pub as_of_ms: i64,
    /// Each bus that is read, with its own building.
    pub buildings: Vec<Building>,
    /// Points that were asked for: those that are not well first, then by their paths.
    pub points: Vec<FacilityPoint>,
    /// Points that were asked for and are more than the limit.
    pub more: u32,
    /// Whether both sides mean the same racks.
    pub racks: Reconciliation,
}

/// A building, as one bus tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Building {
    /// The source that reads the bus.
    pub source: String,
    /// How its telling is.
    pub telling: Telling,
    /// Its heartbeats.
    pub heartbeats: Vec<Heartbeat>,
    /// How much came of what.
    pub counts: ExchangeCounts,
    /// Each object, in the order of ids.
    pub objects: Vec<FacilityObject>,
    /// What serves what, in the order of ids.
    pub serves: Vec<Serves>,
    /// Ids of what nothing serves and which serves something.
    pub roots: Vec<String>,
    /// What does not add up, in words.
    pub remarks: Vec<String>,
}

/// How a building's telling is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Telling {
    /// Nothing has come yet.
    Waiting,
    /// Values come.
    Fine,
    /// A heart stopped: what it stands for is old.
    Offline {
        /// Its last beat, or when we began to listen, milliseconds since 1970 UTC.
        since_ms: i64,
        /// Which part of the exchange it stands for, or its path.
        whose: String,
    },
    /// No values come, or no more.
    Silent {
        /// The last one, or when we began to listen, milliseconds since 1970 UTC.
        since_ms: i64,
    },
}

/// A heart that beats for as long as an integration lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Heartbeat {
    /// Which part of the exchange it stands for, or its path.
    pub whose: String,
    /// Its last beat, milliseconds since 1970 UTC.
    pub last_ms: i64,
    /// Whether it still beats.
    pub pulse: Pulse,
}

/// Whether a heart beats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Pulse {
    /// It does.
    Beats,
    /// It does not, for too long.
    Stopped,
}

/// How much came of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ExchangeCounts {
    /// Points that have metadata.
    pub points: u32,
    /// Of them, those whose values came and have stopped.
    pub stale: u32,
    /// Values that came.
    pub values: u64,
    /// Values that said the same as the one before.
    pub repeated: u64,
    /// Values older than the one before.
    pub late: u64,
    /// Values that came before their metadata.
    pub held: u64,
    /// Of them, those that still wait.
    pub waiting: u32,
    /// Of them, those that were let go.
    pub let_go: u64,
    /// Messages that were refused.
    pub refused: u64,
    /// Messages in the schema's shape.
    pub published: u64,
    /// Messages in the field's shape.
    pub field: u64,
}

/// An object of the building.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FacilityObject {
    /// Its id.
    pub id: String,
    /// What people call it; its id where no point says.
    pub name: String,
    /// Its kind, in the schema's words; absent where it is only named by what serves it.
    pub object_type: Option<String>,
    /// Points of its own.
    pub points: u32,
    /// Of them, those whose values came and have stopped, or can't be trusted.
    pub unwell: u32,
    /// Kinds of its parts, with how many points each.
    pub parts: BTreeMap<String, u32>,
}

/// One object serves another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Serves {
    /// What serves.
    pub from: String,
    /// What is served.
    pub to: String,
    /// What flows.
    pub medium: Medium,
}

/// What flows from one object to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Medium {
    /// Electric power.
    Power,
    /// Water or coolant.
    Liquid,
    /// Air.
    Air,
    /// The kind of object does not say.
    Other,
}

/// A point of the building, and what it read last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FacilityPoint {
    /// Its path, as the building has it.
    pub tag: String,
    /// The source that reads it.
    pub source: String,
    /// The id of the object that it belongs to.
    pub object: String,
    /// The kind of object that it is published under.
    pub object_type: String,
    /// The kind of point.
    pub point_type: String,
    /// Whether it was measured or is aimed at.
    pub role: PointRole,
    /// What its value is in, once it is in ours.
    pub unit: Unit,
    /// The unit as the building writes it; empty for a plain number or a state.
    pub written: String,
    /// What it read last, in `unit`; absent where nothing came, or what came can't be trusted.
    pub value: Option<f64>,
    /// The building's own word for that value, where it is a state.
    pub state: Option<String>,
    /// When, by the building's own clock, milliseconds since 1970 UTC; absent where nothing came.
    pub at_ms: Option<i64>,
    /// How it is.
    pub health: PointHealth,
}

/// Whether a point was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PointRole {
    /// It was.
    Measured,
    /// It is aimed at: a set-point, a request.
    Setpoint,
}

/// How a point is, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PointHealth {
    /// The building itself says that the value can't be trusted (its quality is not 1).
    Bad,
    /// Values came and have stopped.
    Stale,
    /// None came yet.
    Silent,
    /// It is well.
    Fresh,
}

/// Which racks the building and the IT side both know.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Reconciliation {
    /// Known to both.
    pub matched: Vec<RackMatch>,
    /// Alike, and not the same.
    pub near: Vec<RackNearMiss>,
    /// Known to the building alone; those of `near` are among them.
    pub only_facility: Vec<FacilityRack>,
    /// Known to the IT side alone; those of `near` are among them.
    pub only_it: Vec<ItRack>,
    /// Names that stand for more than one rack.
    pub remarks: Vec<String>,
}

/// A rack as the building names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FacilityRack {
    /// `rackLocationId`.
    pub id: String,
    /// `rackLocationName`.
    pub name: String,
}

/// A rack as the IT side names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ItRack {
    /// The label on its readings.
    pub label: String,
    /// Where the design puts it, where it is in one.
    pub position: Option<String>,
}

/// A rack that both sides know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RackMatch {
    /// As the building names it.
    pub facility: FacilityRack,
    /// As the IT side does.
    pub it: ItRack,
    /// By what they were joined.
    pub by: JoinedBy,
}

/// By what two racks were joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JoinedBy {
    /// The building's id is the IT side's label.
    Id,
    /// The building's name is.
    Name,
    /// The building's id or name is the position in the design.
    Position,
}

/// Two names that are alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RackNearMiss {
    /// As the building names it.
    pub facility: FacilityRack,
    /// As the IT side does.
    pub it: ItRack,
    /// How they differ.
    pub how: RackDifference,
    /// What would mend it, in words.
    pub suggestion: String,
}

/// How two names differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RackDifference {
    /// In case, dashes or leading zeros.
    Writing,
    /// One says more in front than the other.
    Prefix,
    /// In one or two letters; their numbers are the same.
    Spelling,
}
