//! Files that users bring for their years: weather, prices, carbon and requests, kept with what was read in them.

use crate::id::{InputId, LocationId};
use crate::scenario::InputReport;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Longest name of a file, characters.
pub const FILE_NAME_CHARS_MAX: usize = 200;
/// Longest weather file that is kept, bytes: an hourly EPW year is 1.6 MB.
pub const WEATHER_BYTES_MAX: usize = 4 << 20;
/// Longest other file that is kept, bytes: a year of five-minute rows of 300 bytes.
pub const FILE_BYTES_MAX: usize = 32 << 20;
/// Points of a preview.
pub const PREVIEW_POINTS: usize = 96;

/// What a file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum InputKind {
    /// Outside air: EPW or Open-Meteo CSV.
    Weather,
    /// Energy prices: CSV.
    Price,
    /// Carbon intensity, or generation by fuel: CSV.
    Carbon,
    /// Requests: Azure trace CSV, Mooncake JSONL or ServeGen rates CSV.
    Requests,
}

impl InputKind {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Weather, Self::Price, Self::Carbon, Self::Requests];
    /// Its name in addresses and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Weather => "weather",
            Self::Price => "price",
            Self::Carbon => "carbon",
            Self::Requests => "requests",
        }
    }
    /// Longest file of this kind, bytes.
    pub fn bytes_max(self) -> usize {
        match self {
            Self::Weather => WEATHER_BYTES_MAX,
            Self::Price | Self::Carbon | Self::Requests => FILE_BYTES_MAX,
        }
    }
}
impl fmt::Display for InputKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A file that a person wants kept, as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputSave {
    /// What it is about.
    pub kind: InputKind,
    /// Its name.
    pub name: String,
    /// What stands in it.
    pub text: String,
    /// The place to read it for, which sets zone and height; absent means the catalog's first.
    #[serde(default)]
    pub location: Option<LocationId>,
}

/// A file that is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StoredInput {
    /// What runs call it.
    pub id: InputId,
    /// What it is about.
    pub kind: InputKind,
    /// Its name.
    pub name: String,
    /// Its length.
    pub content_bytes: u32,
    /// SHA-256 of what stands in it, in hexadecimal.
    pub content_sha256: String,
    /// When it was brought, milliseconds since 1970 UTC.
    pub created_ms: i64,
    /// What was read in it.
    pub summary: InputSummary,
}

/// What was read in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct InputSummary {
    /// The place that it was read for here; a run reads it for its own place.
    pub read_for: String,
    /// What was read, and what was mended.
    pub report: InputReport,
    /// Each series of the year.
    pub series: Vec<SeriesSummary>,
    /// Figures beside the series: mean lengths of requests in tokens, mean pressure in Pa.
    pub figures: BTreeMap<String, f64>,
}

/// A series of the year in brief.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SeriesSummary {
    /// What it is, ending in its unit.
    pub name: String,
    /// Lowest value.
    pub min: f64,
    /// Mean over the year.
    pub mean: f64,
    /// Highest value.
    pub max: f64,
    /// The year in 96 equal parts, the mean of each.
    pub preview: Vec<f64>,
}
