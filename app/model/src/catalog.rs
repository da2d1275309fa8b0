//! The catalog as a value: every part, model and place that a design may name. `server/catalog` fills it.

use crate::id::{LocationId, ModelId, PartId};
use crate::location::Location;
use crate::part::{CoolingPart, Gpu, LanguageModel, PowerPart, Rack, Sourced, Tray};
use serde::{Deserialize, Serialize};

/// Everything that a design may name. As TOML, each list is an array of tables: `[[gpu]]`, `[[rack]]`, …
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Catalog {
    /// Accelerators.
    #[serde(rename = "gpu", skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<Gpu>,
    /// Servers, compute trays, switch trays, storage nodes.
    #[serde(rename = "tray", skip_serializing_if = "Vec::is_empty")]
    pub trays: Vec<Tray>,
    /// Racks.
    #[serde(rename = "rack", skip_serializing_if = "Vec::is_empty")]
    pub racks: Vec<Rack>,
    /// Power equipment.
    #[serde(rename = "power", skip_serializing_if = "Vec::is_empty")]
    pub power: Vec<PowerPart>,
    /// Cooling equipment.
    #[serde(rename = "cooling", skip_serializing_if = "Vec::is_empty")]
    pub cooling: Vec<CoolingPart>,
    /// Language models.
    #[serde(rename = "model", skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<LanguageModel>,
    /// Places.
    #[serde(rename = "location", skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
}

/// A row of the catalog as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogEntry {
    /// Its name in designs.
    pub id: String,
    /// Its name on a page.
    pub name: String,
    /// Who makes it; empty for places.
    pub maker: String,
    /// Whether it can be had; empty for models and places.
    pub availability: String,
    /// Every other figure, with its name and its unit.
    pub figures: Vec<(String, String)>,
    /// Where the figures come from.
    pub source: String,
    /// When they were read.
    pub as_of: String,
}

/// A file of parts, as a page sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartsFile {
    /// Its name: `.yaml` and `.yml` are NetBox types, all else is TOML as our catalog's.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// What a file of parts held.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PartsRead {
    /// The parts.
    pub parts: Catalog,
    /// What was estimated, and what was left out.
    pub remarks: Vec<String>,
}

/// What a page is told of a file of parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum PartsCheck {
    /// It holds these.
    Read {
        /// The parts, and what was estimated.
        read: PartsRead,
    },
    /// It holds none, and why, naming file, line and field.
    Unreadable {
        /// In words.
        reason: String,
    },
}

impl Catalog {
    /// The accelerator of that name.
    pub fn gpu(&self, id: &PartId) -> Option<&Gpu> {
        self.gpus.iter().find(|row| row.id == *id)
    }
    /// The tray of that name.
    pub fn tray(&self, id: &PartId) -> Option<&Tray> {
        self.trays.iter().find(|row| row.id == *id)
    }
    /// The rack of that name.
    pub fn rack(&self, id: &PartId) -> Option<&Rack> {
        self.racks.iter().find(|row| row.id == *id)
    }
    /// The power equipment of that name.
    pub fn power(&self, id: &PartId) -> Option<&PowerPart> {
        self.power.iter().find(|row| row.id == *id)
    }
    /// The cooling equipment of that name.
    pub fn cooling(&self, id: &PartId) -> Option<&CoolingPart> {
        self.cooling.iter().find(|row| row.id == *id)
    }
    /// The language model of that name.
    pub fn model(&self, id: &ModelId) -> Option<&LanguageModel> {
        self.models.iter().find(|row| row.id == *id)
    }
    /// The place of that name.
    pub fn location(&self, id: &LocationId) -> Option<&Location> {
        self.locations.iter().find(|row| row.id == *id)
    }
    /// Every row with the list it stands in, for checks over all of them.
    pub fn rows(&self) -> impl Iterator<Item = (&'static str, &dyn Sourced)> {
        fn list<'a, T: Sourced>(
            name: &'static str,
            rows: &'a [T],
        ) -> impl Iterator<Item = (&'static str, &'a dyn Sourced)> {
            rows.iter().map(move |row| (name, row as &dyn Sourced))
        }
        list("gpu", &self.gpus)
            .chain(list("tray", &self.trays))
            .chain(list("rack", &self.racks))
            .chain(list("power", &self.power))
            .chain(list("cooling", &self.cooling))
            .chain(list("model", &self.models))
            .chain(list("location", &self.locations))
    }
    /// This catalog with a user's own rows before it; theirs take the place of those of the same name.
    #[must_use]
    pub fn with(mut self, own: Self) -> Self {
        fn put<T: Sourced>(rows: &mut Vec<T>, own: Vec<T>) {
            rows.retain(|row| !own.iter().any(|other| other.row() == row.row()));
            rows.splice(0..0, own);
        }
        put(&mut self.gpus, own.gpus);
        put(&mut self.trays, own.trays);
        put(&mut self.racks, own.racks);
        put(&mut self.power, own.power);
        put(&mut self.cooling, own.cooling);
        put(&mut self.models, own.models);
        put(&mut self.locations, own.locations);
        self
    }
}
