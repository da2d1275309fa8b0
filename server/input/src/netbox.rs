//! NetBox device-type and rack-type YAML, as its community library and its own export have it, becomes parts.
//!
//! The format (netbox-community/devicetype-library, `schema/*.json`) knows shape, weight and inlets, but no GPU, no price, no
//! losses and no liquid. What a part needs and the file has not is estimated, and every estimate is told in a remark, so
//! that a reader can put the true figure in its place; a device whose power nothing bounds is left out.

use crate::error::{Error, Problem};
use crate::{PARTS_BYTES_MAX, text};
use model::catalog::{Catalog, PartsRead};
use model::id::PartId;
use model::part::{
    Availability, LossCurve, PowerKind, PowerPart, Rack, RackKind, RackUnit, Tray, TrayDepth, TrayWidth,
};
use model::quantity::{Length, Mass, Power, Ratio, Temperature};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// Most that inlets carry, W, by NetBox's names of them: amperes that their standards rate (IEC 60320, IEC 60309, NEMA WD 6)
/// at the voltage of their region (IEC: 230 V, three phases 400 V; NEMA: 120 V, 208 V). IEC 60309 plugs come in several
/// ratings under one name; 32 A is the one of racks.
const INLETS_W: &[(&str, f64)] = &[
    ("iec-60320-c6", 2.5 * 230.0),
    ("iec-60320-c8", 2.5 * 230.0),
    ("iec-60320-c14", 10.0 * 230.0),
    ("iec-60320-c16", 10.0 * 230.0),
    ("iec-60320-c18", 10.0 * 230.0),
    ("iec-60320-c20", 16.0 * 230.0),
    ("iec-60320-c22", 16.0 * 230.0),
    ("iec-60309-p-n-e-6h", 32.0 * 230.0),
    ("iec-60309-2p-e-6h", 32.0 * 230.0),
    ("iec-60309-3p-e-6h", 32.0 * 400.0 * SQRT_3),
    ("iec-60309-3p-n-e-6h", 32.0 * 400.0 * SQRT_3),
    ("nema-5-15p", 15.0 * 120.0),
    ("nema-5-20p", 20.0 * 120.0),
    ("nema-l5-20p", 20.0 * 120.0),
    ("nema-l5-30p", 30.0 * 120.0),
    ("nema-l6-20p", 20.0 * 208.0),
    ("nema-l6-30p", 30.0 * 208.0),
    ("nema-l15-30p", 30.0 * 208.0 * SQRT_3),
    ("nema-l21-20p", 20.0 * 208.0 * SQRT_3),
    ("nema-l21-30p", 30.0 * 208.0 * SQRT_3),
    ("cs8365c", 50.0 * 208.0 * SQRT_3),
];
/// Power of three phases over that of one, at one voltage between phases.
const SQRT_3: f64 = 1.732_050_807_568_877_2;
/// Draw when idle over draw when busy: an estimate of ours, between servers, which idle lower, and switches, which idle
/// higher. Every part that it is used for says so.
const IDLE_SHARE: f64 = 0.5;
/// Mass of a unit's height of equipment, kg: an estimate of ours; the DGX H200 of our catalog has 16 kg a unit.
const MASS_PER_UNIT_KG: f64 = 12.0;
/// Least mass that is taken, kg: of a strip that has no height in units.
const UPRIGHT_KG: f64 = 5.0;
/// A rack's feed where the file names none, W: three phases of 32 A at 400 V, as common rack PDUs have.
const RACK_FEED_W: f64 = 22_000.0;
/// Losses of a transformerless distribution unit, as our catalog's own row has them.
const PDU_LOSS: LossCurve = LossCurve { a: 0.001, b: 0.0, c: 0.004 };
/// Losses of a double-conversion supply of 250 kW, as our catalog's own row has them.
const UPS_LOSS: LossCurve = LossCurve { a: 0.007, b: 0.02, c: 0.012 };

/// Parts of a file of one or several YAML documents. `as_of` is the month of the reading, `2026-11`.
pub fn netbox(file: &str, bytes: &[u8], as_of: &str) -> Result<PartsRead, Error> {
    let text = text::decode(file, bytes, PARTS_BYTES_MAX)?;
    let wrong = |error: &serde_saphyr::Error| -> Error {
        let error = error.without_snippet();
        let line = error.location().map_or(1, |at| u32::try_from(at.line()).unwrap_or(u32::MAX));
        let said = error.to_string();
        let what = said.lines().next().unwrap_or_default();
        let what = what.rsplit_once(" at line ").map_or(what, |(what, _)| what); // the line is told before it
        // The parser knows the place, not the key that stands there.
        let there =
            text.lines().find(|(number, _)| *number == line).map(|(_, words)| words.trim_start_matches(['-', ' ']));
        let what =
            what.replace("invalid floating point", "not a number").replace("invalid boolean", "neither true nor false");
        let key = there
            .and_then(|words| words.split_once(':'))
            .map(|(key, _)| format!(" (in `{}`)", crate::error::shown(key)));
        let what = format!("{}{}", crate::error::shown_long(&what), key.unwrap_or_default());
        Error::line(file, line, Problem::NotYaml { what })
    };
    let kinds: Vec<serde_saphyr::Spanned<Kind>> =
        serde_saphyr::from_multiple(&text.body).map_err(|error| wrong(&error))?;
    let keys: Vec<Keys> = serde_saphyr::from_multiple(&text.body).map_err(|error| wrong(&error))?;
    if kinds.is_empty() {
        return Err(Error::file(file, Problem::NoRows));
    }
    let mut read = PartsRead { parts: Catalog::default(), remarks: text.remarks };
    for (kind, keys) in kinds.into_iter().zip(keys) {
        let line = u32::try_from(kind.referenced.line()).unwrap_or(u32::MAX);
        let mut doc = Document { file, line, as_of, remarks: Vec::new(), kind: kind.value };
        doc.foreign(&keys);
        doc.put(&mut read.parts)?;
        read.remarks.append(&mut doc.remarks);
    }
    Ok(read)
}

/// The keys of a document; what stands there does not matter.
type Keys = BTreeMap<String, Option<IgnoredAny>>;

/// What a document may say. Everything else that the format knows is of no use here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Kind {
    manufacturer: String,
    model: String,
    slug: String,
    #[serde(rename = "u_height")]
    u_height: Option<f64>,
    #[serde(rename = "is_full_depth")]
    is_full_depth: Option<bool>,
    #[serde(rename = "is_powered")]
    is_powered: Option<bool>,
    #[serde(rename = "subdevice_role")]
    subdevice_role: Option<String>,
    weight: Option<f64>,
    #[serde(rename = "weight_unit")]
    weight_unit: Option<WeightUnit>,
    description: String,
    power_ports: Vec<Inlet>,
    power_outlets: Vec<IgnoredAny>,
    device_bays: Vec<IgnoredAny>,
    module_bays: Vec<Named>,
    inventory_items: Vec<Named>,
    // of racks
    #[serde(rename = "form_factor")]
    form_factor: Option<String>,
    width: Option<f64>,
    #[serde(rename = "outer_width")]
    outer_width: Option<f64>,
    #[serde(rename = "outer_height")]
    outer_height: Option<f64>,
    #[serde(rename = "outer_depth")]
    outer_depth: Option<f64>,
    #[serde(rename = "outer_unit")]
    outer_unit: Option<LengthUnit>,
    #[serde(rename = "max_weight")]
    max_weight: Option<f64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WeightUnit {
    Kg,
    G,
    Lb,
    Oz,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LengthUnit {
    Mm,
    In,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Inlet {
    #[serde(rename = "type")]
    kind: String,
    maximum_draw: Option<f64>,
    allocated_draw: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
}

/// Keys of the format's three kinds, so that what is none of them can be told.
const KEYS: &[&str] = &[
    "manufacturer",
    "model",
    "slug",
    "part_number",
    "u_height",
    "is_full_depth",
    "airflow",
    "weight",
    "weight_unit",
    "front_image",
    "rear_image",
    "subdevice_role",
    "is_powered",
    "console-ports",
    "console-server-ports",
    "power-ports",
    "power-outlets",
    "interfaces",
    "front-ports",
    "rear-ports",
    "module-bays",
    "device-bays",
    "inventory-items",
    "description",
    "comments",
    "default_platform",
    "exclude_from_utilization",
    "tags",
    "profile",
    "attributes",
    "form_factor",
    "width",
    "outer_width",
    "outer_height",
    "outer_depth",
    "outer_unit",
    "max_weight",
    "mounting_depth",
    "starting_unit",
    "desc_units",
];

/// One document while it becomes a part.
struct Document<'a> {
    file: &'a str,
    line: u32,
    as_of: &'a str,
    remarks: Vec<String>,
    kind: Kind,
}

impl Document<'_> {
    fn refuse(&self, what: impl Into<String>) -> Error {
        Error::line(self.file, self.line, Problem::NotAPart { what: what.into() })
    }

    fn remark(&mut self, words: &str) {
        self.remarks.push(format!("{}: {words}", self.name()));
    }

    fn name(&self) -> String {
        let Kind { manufacturer, model, .. } = &self.kind;
        let name = if model.to_lowercase().starts_with(&manufacturer.to_lowercase()) {
            model.clone()
        } else {
            format!("{manufacturer} {model}")
        };
        crate::error::shown_long(name.trim())
    }

    fn foreign(&mut self, keys: &Keys) {
        let foreign: Vec<String> = keys
            .keys()
            .filter(|key| !KEYS.contains(&key.as_str()))
            .take(5)
            .map(|key| crate::error::shown(key))
            .collect();
        if !foreign.is_empty() {
            self.remark(&format!("not read: {}", foreign.join(", ")));
        }
    }

    /// The part's name in designs: the file's slug, or one made of maker and model.
    fn id(&self) -> Result<PartId, Error> {
        let Kind { manufacturer, model, slug, .. } = &self.kind;
        let stem = if slug.is_empty() { format!("{manufacturer} {model}") } else { slug.clone() };
        let mut id = String::new();
        for letter in stem.to_lowercase().chars() {
            if letter.is_ascii_alphanumeric() || letter == '_' {
                id.push(letter);
            } else if !id.is_empty() && !id.ends_with('-') {
                id.push('-');
            }
        }
        id.truncate(64); // all of it is ASCII
        id.trim_end_matches('-').parse().map_err(|_| self.refuse("has no `slug` that could be a name"))
    }

    fn put(&mut self, parts: &mut Catalog) -> Result<(), Error> {
        if self.kind.model.trim().is_empty() || self.kind.manufacturer.trim().is_empty() {
            return Err(self.refuse("has no `manufacturer` and `model`: it is no device or rack type of NetBox"));
        }
        self.figures()?;
        let id = self.id()?;
        if parts.rows().any(|(_, row)| row.row() == id.as_str()) {
            self.remark("another of this name stands before it in the file, and is left for this one");
        }
        if self.kind.form_factor.is_some() {
            let rack = self.rack(id)?;
            parts.racks.retain(|other| other.id != rack.id);
            parts.racks.push(rack);
        } else if self.kind.u_height.is_none() {
            // Module types have neither a slug nor a depth.
            if !self.kind.slug.is_empty() || self.kind.is_full_depth.is_some() {
                return Err(self.refuse("is a device without its `u_height`"));
            }
            self.remark("left out: it has no `u_height`, so it is a module, which stands in a device");
        } else if self.kind.subdevice_role.as_deref() == Some("child") {
            self.remark("left out: it is a child, which stands in its parent's bay");
        } else if !self.kind.power_outlets.is_empty() {
            self.distribution(id, parts);
        } else if let Some(tray) = self.tray(id) {
            parts.trays.retain(|other| other.id != tray.id);
            parts.trays.push(tray);
        }
        Ok(())
    }

    /// Refuses figures that can't be.
    fn figures(&self) -> Result<(), Error> {
        let kind = &self.kind;
        let given = |name: &'static str, value: Option<f64>, high: f64| (name, value, high);
        let draws = kind.power_ports.iter().flat_map(|port| {
            [given("maximum_draw", port.maximum_draw, 1e7), given("allocated_draw", port.allocated_draw, 1e7)]
        });
        let figures = [
            given("u_height", kind.u_height, 128.0),
            given("weight", kind.weight, 1e7),
            given("width", kind.width, 100.0),
            given("outer_width", kind.outer_width, 1e4),
            given("outer_height", kind.outer_height, 1e4),
            given("outer_depth", kind.outer_depth, 1e4),
        ];
        for (name, value, high) in figures.into_iter().chain(draws) {
            if let Some(value) = value.filter(|value| !(0.0..=high).contains(value)) {
                return Err(self.refuse(format!("`{name}` is {value}, but must be 0 to {high}")));
            }
        }
        if kind.weight.is_some() && kind.weight_unit.is_none() {
            return Err(self.refuse("`weight` needs a `weight_unit`: kg, g, lb or oz"));
        }
        if (kind.outer_width.is_some() || kind.outer_height.is_some() || kind.outer_depth.is_some())
            && kind.outer_unit.is_none()
        {
            return Err(self.refuse("outer dimensions need an `outer_unit`: mm or in"));
        }
        Ok(())
    }

    fn mass(&mut self, estimate_kg: f64) -> Mass {
        let per_unit = match self.kind.weight_unit {
            Some(WeightUnit::G) => 1e-3,
            Some(WeightUnit::Lb) => 0.453_592_37,
            Some(WeightUnit::Oz) => 0.028_349_523_125,
            Some(WeightUnit::Kg) | None => 1.0,
        };
        if let Some(weight) = self.kind.weight.filter(|weight| *weight > 0.0) {
            return Mass::from_kilograms(weight * per_unit);
        }
        self.remark(&format!("no weight: taken as {estimate_kg:.0} kg"));
        Mass::from_kilograms(estimate_kg)
    }

    /// Provisioned power of what it draws, W; none where the file has nothing that bounds it.
    fn power(&mut self) -> Option<f64> {
        let ports = &self.kind.power_ports;
        let count = ports.len();
        if self.kind.is_powered == Some(false) {
            return Some(0.0);
        }
        if count == 0 {
            let bays = self.kind.device_bays.len();
            let inside =
                if bays > 0 { format!(", nor does it say what stands in its {bays} bays") } else { String::new() };
            self.remark(&format!(
                "the file has no inlets{inside}: taken as drawing nothing; set its power if it draws some"
            ));
            return Some(0.0);
        }
        let some = |draw: Option<f64>| draw.filter(|draw| *draw > 0.0);
        // What was allocated to an inlet is what is provisioned for it; its maximum is often its supply's own rating.
        let drawn = |port: &Inlet| some(port.allocated_draw).or(some(port.maximum_draw));
        let draws: Vec<f64> = ports.iter().filter_map(drawn).collect();
        let allocated = ports.iter().any(|port| some(port.allocated_draw).is_some());
        if !draws.is_empty() {
            let sum: f64 = draws.iter().sum();
            if allocated {
                self.remark("rated by what its inlets are allocated, where they are; their maximum may be more");
            }
            if draws.len() > 1 {
                self.remark(&format!(
                    "rated at {:.2} kW, the sum of its {} inlets; where they back each other up, it is less",
                    sum / 1e3,
                    draws.len()
                ));
            }
            return Some(sum);
        }
        let carries = |port: &Inlet| INLETS_W.iter().find(|(name, _)| *name == port.kind).map(|(_, most)| *most);
        let most: Vec<f64> = ports.iter().filter_map(carries).collect();
        if most.len() < count {
            return None;
        }
        // One feed carries the load when the other fails.
        let watts = most.iter().sum::<f64>() / if count > 1 { 2.0 } else { 1.0 };
        let half = if count > 1 { ", half of them carrying the load" } else { "" };
        self.remark(&format!("no draw: rated at {:.2} kW, the most that its {count} inlets carry{half}", watts / 1e3));
        Some(watts)
    }

    fn source(&self) -> String {
        let file = crate::error::shown_long(self.file);
        format!("NetBox type file {file}; what it has not is estimated")
    }

    fn tray(&mut self, id: PartId) -> Option<Tray> {
        let Some(watts) = self.power() else {
            self.remark(
                "left out: the file has no draw, and its inlets do not bound it; add `maximum_draw` or `allocated_draw` to its `power-ports`",
            );
            return None;
        };
        let bays = self.kind.module_bays.iter().chain(&self.kind.inventory_items);
        let gpus = bays.filter(|bay| bay.name.to_lowercase().contains("gpu")).count();
        if gpus > 0 {
            self.remark(&format!("it has {gpus} bays for GPUs: say which GPU and how many, and it makes tokens"));
        }
        if watts > 0.0 {
            self.remark("idle draw is taken as half, and no price is known: set both where they matter");
        }
        if !self.kind.device_bays.is_empty() && watts > 0.0 {
            let bays = self.kind.device_bays.len();
            self.remark(&format!(
                "what stands in its {bays} bays is not in the file: its power must be in the inlets' figures"
            ));
        }
        Some(self.tray_drawing(id, watts))
    }

    /// A tray of the file's shape and weight that draws so much.
    fn tray_drawing(&mut self, id: PartId, watts: f64) -> Tray {
        let height = self.kind.u_height.unwrap_or_default();
        let mass = self.mass((MASS_PER_UNIT_KG * height).max(UPRIGHT_KG));
        Tray {
            id,
            name: self.name(),
            maker: self.kind.manufacturer.trim().to_owned(),
            availability: Availability::Available,
            gpu: None,
            gpu_count: 0,
            rated_power: Power::from_watts(watts),
            overhead_idle: Power::from_watts(watts * IDLE_SHARE),
            overhead_busy: Power::from_watts(watts),
            liquid_fraction: Ratio::ZERO,
            height_units: height,
            width: TrayWidth::Full,
            depth: if self.kind.is_full_depth == Some(false) { TrayDepth::Half } else { TrayDepth::Full },
            mass,
            domain_gpus: 0,
            price_dollars: 0.0,
            source: self.source(),
            as_of: self.as_of.to_owned(),
        }
    }

    /// What hands power on: a UPS by its name, else a PDU. One for the power tree.
    fn distribution(&mut self, id: PartId, parts: &mut Catalog) {
        let Some(watts) = self.power().filter(|watts| *watts > 0.0) else {
            self.remark("left out: it has outlets, but neither a draw nor an inlet that bounds what it carries");
            return;
        };
        let words = format!("{} {} {}", self.kind.model, self.kind.slug, self.kind.description).to_lowercase();
        let is_ups = words.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "ups");
        let (kind, loss) = if is_ups { (PowerKind::Ups, UPS_LOSS) } else { (PowerKind::Pdu, PDU_LOSS) };
        self.remark("it hands power on: its losses are estimated, and no price is known");
        let part = PowerPart {
            id: id.clone(),
            name: self.name(),
            maker: self.kind.manufacturer.trim().to_owned(),
            availability: Availability::Available,
            kind,
            rated_power: Power::from_watts(watts),
            loss,
            energy_watt_hours: 0.0,
            price_dollars: 0.0,
            source: self.source(),
            as_of: self.as_of.to_owned(),
        };
        parts.power.retain(|other| other.id != part.id);
        parts.power.push(part);
        if self.kind.u_height == Some(0.0) {
            // It stands beside the units of a rack too; what it hands on is the draw of the trays.
            let strip = self.tray_drawing(id, 0.0);
            parts.trays.retain(|other| other.id != strip.id);
            parts.trays.push(strip);
        }
    }

    fn rack(&mut self, id: PartId) -> Result<Rack, Error> {
        let units = self.kind.u_height.filter(|units| *units > 0.0);
        let units = units.ok_or_else(|| self.refuse("a rack needs its `u_height`"))?;
        let metre = match self.kind.outer_unit {
            Some(LengthUnit::In) => 0.0254,
            Some(LengthUnit::Mm) | None => 1e-3,
        };
        // A frame's foot and head take some 15 cm; a 19-inch cabinet is 600 mm wide and, for servers, 1.2 m deep.
        let wide = if self.kind.width.is_some_and(|inches| inches < 15.0) { 0.3 } else { 0.6 };
        let mut side = |given: Option<f64>, name: &str, estimate: f64| {
            given.filter(|length| *length > 0.0).map_or_else(
                || {
                    self.remarks.push(format!("{}: no outer {name}: taken as {estimate:.2} m", self.kind.model));
                    Length::from_metres(estimate)
                },
                |length| Length::from_metres(length * metre),
            )
        };
        let (outer_height, outer_width, outer_depth) =
            (self.kind.outer_height, self.kind.outer_width, self.kind.outer_depth);
        let height = side(outer_height, "height", units * 0.04445 + 0.15);
        let width = side(outer_width, "width", wide);
        let depth = side(outer_depth, "depth", 1.2);
        let mass = self.mass(120.0);
        if let Some(limit) = self.kind.max_weight {
            self.remark(&format!("what it may carry ({limit}) is not checked: weigh its trays against it yourself"));
        }
        self.remark("a rack type has no feed and no price: rated at 22 kW (three phases of 32 A); set both");
        Ok(Rack {
            id,
            name: self.name(),
            maker: self.kind.manufacturer.trim().to_owned(),
            availability: Availability::Available,
            kind: RackKind::Cabinet,
            trays: Vec::new(),
            power_shelf: None,
            rated_power: Power::from_watts(RACK_FEED_W),
            domain_gpus: 0,
            supply_temperature_max: Temperature::from_celsius(30.0),
            height_units: units,
            unit: RackUnit::U,
            height,
            width,
            depth,
            mass,
            price_dollars: 0.0,
            source: self.source(),
            as_of: self.as_of.to_owned(),
        })
    }
}
