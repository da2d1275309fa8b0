//! The live fleet as pages show it: units and what they do now, the figures of the whole beside the plan, charts.
//!
//! A figure that was not read is absent, with a reason where a person would ask for one; it is never zero.

use crate::event::FleetEvent;
use crate::id::DesignId;
use crate::metric::Metric;
use crate::reading::Bucket;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The whole fleet, one metric of every GPU.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FleetView {
    /// Changes when nodes or GPUs come, go or move; positions in [`FleetView::values`] hold for one layout.
    pub layout: u64,
    /// When this was so, milliseconds since 1970 UTC.
    pub as_of_ms: i64,
    /// Where the live stream goes on: its last event that is part of this view.
    pub event: String,
    /// Set where readings are made up, saying so in a sentence.
    pub made_up: Option<String>,
    /// The metric that is shown.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub metric: Metric,
    /// Nodes in the order of hall, rack and name.
    pub nodes: Vec<FleetNode>,
    /// The metric of each GPU, node by node; absent where it was not read, or is stale.
    pub values: Vec<Option<f64>>,
    /// How each GPU is, likewise.
    pub health: Vec<Health>,
    /// The whole, beside the plan.
    pub kpis: FleetKpis,
    /// What needs a person: the gravest first, then what nobody has taken on, then what began last.
    pub attention: Vec<Attention>,
    /// What the fleet is bound to.
    pub plan: Option<PlanBinding>,
}

/// The whole fleet in three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FleetBrief {
    /// GPUs ever seen.
    pub seen: u32,
    /// Those of them that can be used: they are read, and have not failed.
    pub usable: u32,
    /// How many things need a person and have none.
    pub attention: u32,
}

impl FleetBrief {
    /// That of a view.
    pub fn of(view: &FleetView) -> Self {
        let FleetCounts { seen, stale, failed, .. } = view.kpis.counts;
        let attention = view.attention.iter().filter(|one| one.owner.is_none()).count() as u32;
        Self { seen, usable: seen.saturating_sub(stale + failed), attention }
    }
}

/// A host in the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FleetNode {
    /// Its name.
    pub host: String,
    /// Its rack; empty where nobody said.
    pub rack: String,
    /// Its hall; empty where nobody said.
    pub hall: String,
    /// Whose work it does; empty where nobody said.
    pub tenant: String,
    /// The GPUs' model, as the driver says it; empty where it did not.
    pub model: String,
    /// How many GPUs it has.
    pub gpus: u32,
    /// Their names on the host, in order, where these are not 0, 1, 2 and so on: a board that is missing leaves a gap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

impl FleetNode {
    /// The place of one of its GPUs, by its position among them.
    pub fn gpu(&self, position: u32) -> FleetPlace {
        let name = self.names.get(position as usize).cloned().unwrap_or_else(|| position.to_string());
        FleetPlace::Gpu(self.host.clone(), name)
    }
}

/// How a GPU or a node is, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// It works.
    Busy,
    /// It answers and has nothing to do.
    Idle,
    /// It works slower than it could, held down by power.
    PowerHeld,
    /// It works slower than it could, held down by heat.
    HeatHeld,
    /// It works, and something is wrong with it.
    Degraded,
    /// Nothing was read of it for too long.
    Stale,
    /// It does not answer, or must not be used.
    Failed,
}

/// A figure now, over the day, and as planned.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Kpi {
    /// Now, mean of the last minute.
    pub now: Option<f64>,
    /// Mean since midnight UTC.
    pub today: Option<f64>,
    /// What the plan says for this load of the fleet, at full work.
    pub planned: Option<f64>,
    /// Relative error of the plan, either way.
    pub planned_error: Option<f64>,
    /// Why a figure is absent.
    pub missing: Option<String>,
}

/// The figures of the whole fleet.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FleetKpis {
    /// Output tokens each second, as the serving engines count them.
    pub tokens_per_s: Kpi,
    /// Power of the GPU boards, W.
    pub board_w: Kpi,
    /// Power into the racks, W.
    pub it_w: Kpi,
    /// Power at the utility meter, W.
    pub facility_w: Kpi,
    /// Output tokens each second for each megawatt, of the widest boundary that is metered.
    pub tokens_per_s_per_mw: Kpi,
    /// Which megawatt that is.
    pub megawatt: Megawatt,
    /// Energy of the boards since midnight UTC, J, and what it rests on.
    pub board_energy_today_j: Option<f64>,
    /// Whether that is counted or worked out, and what of the day is missing, in words.
    pub board_energy_basis: String,
    /// GPUs by how they are.
    pub counts: FleetCounts,
    /// Where the planned tokens went that are not made; adds up to planned less now.
    pub losses: Vec<Loss>,
}

/// Which megawatt a figure is per.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Megawatt {
    /// Of the GPU boards alone.
    #[default]
    Board,
    /// Into the racks.
    It,
    /// At the utility meter.
    Facility,
}

/// GPUs by how they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FleetCounts {
    /// In the plan; 0 without one.
    pub planned: u32,
    /// Ever seen.
    pub seen: u32,
    /// Working.
    pub busy: u32,
    /// With nothing to do.
    pub idle: u32,
    /// Held down by power.
    pub power_held: u32,
    /// Held down by heat.
    pub heat_held: u32,
    /// With something wrong.
    pub degraded: u32,
    /// Not read for too long.
    pub stale: u32,
    /// Not usable.
    pub failed: u32,
}

/// A part of the planned tokens that is not made, by cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Loss {
    /// Why.
    pub cause: LossCause,
    /// How many tokens each second; below zero where more is made than planned.
    pub tokens_per_s: f64,
    /// What it was worked out from, in a sentence.
    pub because: String,
}

/// Why tokens are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LossCause {
    /// GPUs that are planned and not there, or failed.
    Failures,
    /// Boards held down by a power limit.
    Power,
    /// Boards held down by heat.
    Cooling,
    /// GPUs with nothing to do.
    Utilisation,
    /// The rest: engines that make fewer tokens of the same work than planned.
    ServingEfficiency,
}

/// Something that needs a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Attention {
    /// The alert's id.
    pub alert: String,
    /// Whether it is critical.
    pub critical: bool,
    /// What, in a sentence.
    pub what: String,
    /// Where.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub place: FleetPlace,
    /// Since when, milliseconds since 1970 UTC.
    pub since_ms: i64,
    /// What happens if nobody acts.
    pub otherwise: String,
    /// What to do.
    pub action: String,
    /// Who took it on; absent where nobody did.
    pub owner: Option<String>,
}

/// A place in the fleet, as addresses and charts name it: `fleet`, `hall:A`, `rack:A01`, `node:gpu-001`, `gpu:gpu-001/3`,
/// `engine:10.0.0.5:8000`, `source:dcgm`, `point:pod1C/…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FleetPlace {
    /// All of it.
    Fleet,
    /// A hall.
    Hall(String),
    /// A rack.
    Rack(String),
    /// A host.
    Node(String),
    /// A GPU: its host, and its index there.
    Gpu(String, String),
    /// A serving engine, by its instance.
    Engine(String),
    /// A source.
    Source(String),
    /// A point of the building, by its tag path.
    Point(String),
}

impl fmt::Display for FleetPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fleet => f.write_str("fleet"),
            Self::Hall(name) => write!(f, "hall:{name}"),
            Self::Rack(name) => write!(f, "rack:{name}"),
            Self::Node(name) => write!(f, "node:{name}"),
            Self::Gpu(host, index) => write!(f, "gpu:{host}/{index}"),
            Self::Engine(name) => write!(f, "engine:{name}"),
            Self::Source(name) => write!(f, "source:{name}"),
            Self::Point(name) => write!(f, "point:{name}"),
        }
    }
}

/// The text names no place of a fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPlace;
impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a place of a fleet, such as `rack:A01` or `gpu:node-1/3`")
    }
}
impl std::error::Error for NoPlace {}

impl FromStr for FleetPlace {
    type Err = NoPlace;
    fn from_str(text: &str) -> Result<Self, NoPlace> {
        if text == "fleet" {
            return Ok(Self::Fleet);
        }
        let (kind, name) = text.split_once(':').ok_or(NoPlace)?;
        if name.is_empty() || name.len() > 400 {
            return Err(NoPlace);
        }
        let name = name.to_owned();
        match kind {
            "hall" => Ok(Self::Hall(name)),
            "rack" => Ok(Self::Rack(name)),
            "node" => Ok(Self::Node(name)),
            "gpu" => {
                let (host, index) = name.rsplit_once('/').ok_or(NoPlace)?;
                Ok(Self::Gpu(host.to_owned(), index.to_owned()))
            }
            "engine" => Ok(Self::Engine(name)),
            "source" => Ok(Self::Source(name)),
            "point" => Ok(Self::Point(name)),
            _ => Err(NoPlace),
        }
    }
}

impl Serialize for FleetPlace {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FleetPlace {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One place of the fleet on its page: a hall, a rack, a node or a GPU.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PlaceView {
    /// Which.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub place: FleetPlace,
    /// When this was so, milliseconds since 1970 UTC.
    pub as_of_ms: i64,
    /// How it is: the worst of what is in it that has not stopped all.
    pub health: Health,
    /// What it stands in, the widest first.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
    pub within: Vec<FleetPlace>,
    /// What is known of it that does not change: model, driver, serial, address.
    pub facts: Vec<Fact>,
    /// What was read of it last.
    pub values: Vec<LastValue>,
    /// What stands in it, with what was read of each.
    pub parts: Vec<Part>,
    /// What happened there of late, the newest first.
    pub events: Vec<FleetEvent>,
    /// What needs a person there.
    pub attention: Vec<Attention>,
    /// The plan's figure beside the live one.
    pub planned: Vec<PlannedValue>,
}

/// Something that is known and does not change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// A metric as it was last read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LastValue {
    /// Which metric.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub metric: Metric,
    /// What it was.
    pub value: f64,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Whether that is too long ago.
    pub stale: bool,
    /// Which source brought it.
    pub source: String,
}

/// A part of a place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Part {
    /// Which.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub place: FleetPlace,
    /// How it is.
    pub health: Health,
    /// GPUs in it.
    pub gpus: u32,
    /// Power of its GPU boards, W.
    pub board_w: Option<f64>,
    /// Highest temperature of its GPUs, °C.
    pub hottest_c: Option<f64>,
    /// Mean time in which a kernel ran, 0 to 1.
    pub utilization: Option<f64>,
}

/// A figure of the plan beside the live one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PlannedValue {
    /// What.
    pub name: String,
    /// Its unit.
    pub unit: crate::metric::Unit,
    /// Now.
    pub now: Option<f64>,
    /// As planned.
    pub planned: f64,
}

/// What to draw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChartRequest {
    /// Of what.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub place: FleetPlace,
    /// Which metrics: canonical names, and those that the house derives (`fleet_tokens_per_s`, …).
    pub metrics: Vec<String>,
    /// From when, milliseconds since 1970 UTC.
    pub from_ms: i64,
    /// Until when.
    pub to_ms: i64,
    /// Points at most.
    pub points: u32,
    /// Whether the same stretch just before is wanted too.
    #[serde(default)]
    pub previous: bool,
}

/// A chart's data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChartData {
    /// From when, milliseconds since 1970 UTC.
    pub from_ms: i64,
    /// Until when.
    pub to_ms: i64,
    /// Width of a bucket.
    pub step_ms: i64,
    /// One for each metric that was asked for and is there.
    pub series: Vec<ChartSeries>,
    /// What happened there in that time.
    pub annotations: Vec<Annotation>,
}

/// One line of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChartSeries {
    /// The metric's name.
    pub metric: String,
    /// What it is called before a person.
    pub words: String,
    /// Its unit; of a counter, that of its rate each second (joules become watts).
    pub unit: crate::metric::Unit,
    /// Buckets with readings; where there are none, nothing was read.
    pub buckets: Vec<Bucket>,
    /// The same stretch just before, moved here.
    pub previous: Vec<Bucket>,
    /// The longest silence that is not a gap, milliseconds.
    pub gap_ms: i64,
    /// Whether the last bucket is not over yet.
    pub last_is_partial: bool,
    /// The plan's figure, where there is one.
    pub planned: Option<f64>,
}

/// Something that happened, to be drawn over a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Annotation {
    /// When it began, milliseconds since 1970 UTC.
    pub start_ms: i64,
    /// When it ended; absent for a moment.
    pub end_ms: Option<i64>,
    /// What, in a few words.
    pub words: String,
    /// Whether it needs attention.
    pub severe: bool,
}

/// A design that a fleet is bound to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PlanBinding {
    /// The design.
    pub design: DesignId,
    /// Its version.
    pub version: u32,
    /// Its name.
    pub name: String,
    /// Racks of the design that have a live rack.
    pub matched_racks: u32,
    /// Racks of the design.
    pub planned_racks: u32,
    /// Live racks that no position of the design is matched with.
    pub unmatched_racks: u32,
    /// When it was bound, milliseconds since 1970 UTC.
    pub bound_ms: i64,
}

/// A step of binding: which live rack is which position of the design.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BindingReview {
    /// The design.
    pub design: DesignId,
    /// Its version.
    pub version: u32,
    /// Each position of the design, with the live rack that it is or most likely is.
    pub positions: Vec<BindingPosition>,
    /// Live racks that are left.
    pub left: Vec<String>,
}

/// A position of a design, and what stands there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BindingPosition {
    /// The position in the design: hall, row, number.
    pub position: String,
    /// GPUs that the design has there.
    pub planned_gpus: u32,
    /// The live rack.
    pub rack: Option<String>,
    /// GPUs that were seen there.
    pub seen_gpus: u32,
    /// How it was matched.
    pub matched: Matched,
}

/// How a live rack was matched with a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Matched {
    /// A person said so.
    ByHand,
    /// Both have the same name.
    ByName,
    /// Their names are alike.
    Alike,
    /// By their order alone, as names say nothing.
    ByOrder,
    /// Not at all.
    Not,
}

/// A person's answer to a review: which live rack each position is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BindingSave {
    /// The design.
    pub design: DesignId,
    /// Position and rack of each that is matched.
    pub racks: Vec<(String, String)>,
}

/// A GPU with nothing to do, or a rack with power that nobody uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Wasted {
    /// Where.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub place: FleetPlace,
    /// Whose; empty where nobody said.
    pub tenant: String,
    /// Power that is wasted: drawn by what is idle, or provisioned and not drawn, W.
    pub wasted_w: f64,
    /// Since when, milliseconds since 1970 UTC.
    pub since_ms: i64,
    /// Why it counts as wasted, in a sentence.
    pub why: String,
}

/// What is wasted: idle GPUs, and power that is stranded.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WasteReport {
    /// GPUs with nothing to do, the longest first.
    pub idle: Vec<Wasted>,
    /// Racks with power that is provisioned and not drawn, the most first.
    pub stranded: Vec<Wasted>,
}

/// A way to look at the fleet that somebody named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SavedView {
    /// Its name.
    pub name: String,
    /// The address' query.
    pub query: String,
    /// When it was saved, milliseconds since 1970 UTC.
    pub saved_ms: i64,
}

/// A period of the fleet's report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FleetReport {
    /// `2026-11-27` or `2026-11`.
    pub period: String,
    /// From when, milliseconds since 1970 UTC.
    pub from_ms: i64,
    /// Until when.
    pub to_ms: i64,
    /// Each day, or each hour of a day.
    pub rows: Vec<FleetReportRow>,
    /// The whole period.
    pub total: FleetReportRow,
    /// The period before it.
    pub previous: Option<FleetReportRow>,
    /// What the figures rest on, and what is missing from them.
    pub remarks: Vec<String>,
    /// What the fleet was bound to.
    pub plan: Option<PlanBinding>,
    /// How far what is planned may be off either way, as a share of it.
    pub planned_error: Option<f64>,
}

/// A day or an hour of the fleet.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FleetReportRow {
    /// When it begins, milliseconds since 1970 UTC.
    pub start_ms: i64,
    /// Output tokens.
    pub output_tokens: Option<f64>,
    /// Energy of the boards, kWh.
    pub board_kwh: Option<f64>,
    /// Energy into the racks, kWh.
    pub it_kwh: Option<f64>,
    /// Energy at the utility meter, kWh.
    pub facility_kwh: Option<f64>,
    /// Output tokens each second for each megawatt, of the widest boundary that is metered.
    pub tokens_per_s_per_mw: Option<f64>,
    /// The plan's.
    pub planned_tokens_per_s_per_mw: Option<f64>,
    /// Joules for each output token, of the same boundary.
    pub joules_per_token: Option<f64>,
    /// Share of the time that was read, 0 to 1.
    pub covered: f64,
    /// Share of the GPUs that were usable, mean, 0 to 1.
    pub available: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_leads_back_to_itself() {
        let places = [
            FleetPlace::Fleet,
            FleetPlace::Hall("Hall A".into()),
            FleetPlace::Rack("a/b:c".into()),
            FleetPlace::Node("gpu-001.example".into()),
            FleetPlace::Gpu("node/1".into(), "3".into()),
            FleetPlace::Engine("10.0.0.5:8000".into()),
            FleetPlace::Source("dcgm".into()),
            FleetPlace::Point("pod1C/CDU/1".into()),
        ];
        for place in places {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for bad in ["", "rack", "rack:", "gpu:node", "moon:1"] {
            assert_eq!(bad.parse::<FleetPlace>(), Err(NoPlace), "{bad}");
        }
    }
}
