//! Runs and stored designs: what a person asks for and what the server says of it. Never one struct for both.

use crate::design::{Demand, Design};
use crate::id::{DesignId, InputId, ModelId, RunId};
use crate::input::InputKind;
use crate::quantity::{Power, Temperature};
use crate::report::{Evaluation, Report};
use crate::version::{BranchPoint, TextProblem};
use serde::{Deserialize, Serialize};

/// A stored design in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DesignSummary {
    /// Its name in paths.
    pub id: DesignId,
    /// Its name on a page.
    pub name: String,
    /// One or two sentences.
    pub description: String,
    /// Which version this is, from 1; in a list, the newest.
    pub version: u32,
    /// What a person called that version; empty where they did not.
    pub label: String,
    /// When that version was saved, milliseconds since 1970 UTC.
    pub saved_ms: i64,
    /// What it began as, if it is a branch.
    pub branched_from: Option<BranchPoint>,
    /// When it was put away, milliseconds since 1970 UTC; absent while it is in use.
    pub archived_ms: Option<i64>,
    /// Whether it came with the program.
    pub origin: Origin,
    /// Where it stands.
    pub location: String,
    /// Racks; 0 where it can't be resolved.
    pub racks: u32,
    /// GPUs.
    pub gpus: u32,
    /// Utility contract.
    pub contract_power_mw: f64,
}

/// Who made a stored design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// It came with the program.
    Reference,
    /// A user.
    Own,
}

/// A stored design on its page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DesignDetail {
    /// What the list shows.
    pub summary: DesignSummary,
    /// The design as TOML.
    pub toml: String,
    /// SHA-256 of that, in hexadecimal.
    pub text_sha256: String,
    /// The same, read; absent where the text is no design.
    pub design: Option<Design>,
    /// Why the text is no design; absent where it is one.
    pub problem: Option<TextProblem>,
    /// What it does at full work.
    pub evaluation: Evaluation,
}

/// What a person asks for: a year of a design, on files of their own or on made ones, with one thing or another changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// Which design.
    pub design: DesignId,
    /// Which version of it; absent means the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Length of a step, minutes: a whole fraction of an hour.
    #[serde(default = "hourly")]
    pub step_minutes: u32,
    /// Seed of everything drawn by chance.
    #[serde(default = "first")]
    pub seed: u64,
    /// A weather file; absent means a year made from the place's statistics, here and below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weather: Option<InputId>,
    /// A price file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<InputId>,
    /// A carbon file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carbon: Option<InputId>,
    /// A file of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<InputId>,
    /// Which series of a rate file to take; absent means all together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_series: Option<String>,
    /// The language model to serve; absent means the design's, here and below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelId>,
    /// Power limit of each GPU.
    #[serde(rename = "power_cap_w", default, skip_serializing_if = "Option::is_none")]
    pub power_cap: Option<Power>,
    /// Facility water supply set-point of liquid loops; of all loops where none is liquid.
    #[serde(rename = "supply_temperature_c", default, skip_serializing_if = "Option::is_none")]
    pub supply_temperature: Option<Temperature>,
    /// How much work arrives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demand: Option<Demand>,
}

fn hourly() -> u32 {
    60
}

fn first() -> u64 {
    1
}

impl RunRequest {
    /// A year of a design's newest version as it is: hourly steps, the first seed, nothing brought and nothing changed.
    pub fn of(design: DesignId) -> Self {
        Self {
            design,
            version: None,
            step_minutes: hourly(),
            seed: first(),
            weather: None,
            price: None,
            carbon: None,
            requests: None,
            requests_series: None,
            model: None,
            power_cap: None,
            supply_temperature: None,
            demand: None,
        }
    }
    /// The files that it is to be made with.
    pub fn inputs(&self) -> impl Iterator<Item = (InputKind, &InputId)> {
        let all = [
            (InputKind::Weather, &self.weather),
            (InputKind::Price, &self.price),
            (InputKind::Carbon, &self.carbon),
            (InputKind::Requests, &self.requests),
        ];
        all.into_iter().filter_map(|(kind, id)| Some((kind, id.as_ref()?)))
    }
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum RunState {
    /// Waiting for its turn.
    Queued,
    /// Under way.
    Running {
        /// Share of the steps done, 0 to 1.
        progress: f64,
        /// Time left, as it looks now.
        seconds_left: f64,
    },
    /// Its report is kept.
    Done,
    /// Stopped by a person.
    Cancelled,
    /// It could not be run, and why.
    Failed {
        /// Why.
        reason: String,
    },
}

impl RunState {
    /// Whether it will not change any more.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Queued | Self::Running { .. } => false,
            Self::Done | Self::Cancelled | Self::Failed { .. } => true,
        }
    }
}

/// A run in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RunSummary {
    /// Its name in paths.
    pub id: RunId,
    /// Which design.
    pub design: DesignId,
    /// The design's name.
    pub design_name: String,
    /// Which version of it.
    pub version: u32,
    /// What was asked for, with the version that was taken.
    pub request: RunRequest,
    /// When it was asked for, milliseconds since 1970 UTC.
    pub created_ms: i64,
    /// How far it is.
    pub state: RunState,
    /// Output tokens per second for each facility megawatt, once it is done.
    pub tokens_per_second_per_mw_facility: Option<f64>,
}

/// A run on its page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RunDetail {
    /// What the list shows.
    pub summary: RunSummary,
    /// What it came to, once it is done.
    pub report: Option<Report>,
}
