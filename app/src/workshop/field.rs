//! What can be set at a place: each field with its unit, range, default and where its figures come from. Fields are read
//! and written by their address in the design's JSON, so that one table serves the inspector, its checks and its words.

mod table;

use super::mount::{self, rack_of};
use super::place::Place;
use crate::format::Units;
use model::catalog::Catalog;
use model::design::Design;
use model::part::CoolingKind;
use serde_json::Value;
use table::{Kind, Row, WHERE_THERE, table};

/// One field of the inspector.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its address below the place: `/supply_temperature_c`.
    pub at: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// Unit that it is shown and typed in; empty for none.
    pub unit: &'static str,
    /// What stands there, in that unit; empty where it is left to its default.
    pub value: String,
    /// How it is set.
    pub input: Input,
    /// Its range, default and grounds, in words.
    pub about: String,
}

/// How a field is set.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A number between two others.
    Number {
        /// Least.
        low: f64,
        /// Most.
        high: f64,
        /// Step of the arrows.
        step: f64,
    },
    /// Words.
    Text,
    /// One of several.
    Choice(Vec<Choice>),
}

/// Something that can be chosen, or why it can't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// As the design has it; empty for "none".
    pub value: String,
    /// As a person reads it.
    pub label: String,
    /// Why it can't be chosen here.
    pub impossible: Option<String>,
}

/// A design as its JSON, defaults written out.
fn json(design: &Design) -> Value {
    let mut value = serde_json::to_value(design).unwrap_or_default();
    // A default layout is not written, but can be set.
    let halls = value.get_mut("hall").and_then(Value::as_array_mut);
    for (hall, drawn) in halls.into_iter().flatten().zip(&design.halls) {
        if let Some(hall) = hall.as_object_mut() {
            let layout = || serde_json::to_value(drawn.layout).unwrap_or_default();
            hall.entry("layout").or_insert_with(layout);
        }
    }
    value
}

/// A unit as a reader of these units has it: its name, and what a figure is multiplied by and then raised by.
fn local(unit: &'static str, units: Units) -> (&'static str, f64, f64) {
    match (units, unit) {
        (Units::Us, "°C") => ("°F", 1.8, 32.0),
        (Units::Us, "K") => ("°F", 1.8, 0.0),
        (Units::Us, "m") => ("ft", 1.0 / 0.3048, 0.0),
        (Units::Us, "m²") => ("ft²", 10.763_91, 0.0),
        (Units::Us, "kg") => ("lb", 2.204_623, 0.0),
        (Units::Us, "kPa") => ("psi", 0.145_038, 0.0),
        _ => (unit, 1.0, 0.0),
    }
}

/// The fields of a place, in a reader's units.
pub fn fields(design: &Design, catalog: Option<&Catalog>, place: Place, units: Units) -> Vec<Field> {
    let value = json(design);
    let (rows, base) = table(place);
    let shown = |Row(at, label, unit, kind, about): &Row| {
        let found = value.pointer(&format!("{base}{at}"));
        let hidden = found.is_none() && WHERE_THERE.contains(at);
        let local = local(unit, units);
        (!hidden).then(|| Field {
            at,
            label,
            unit: local.0,
            value: words_of(found, kind, local),
            input: input(kind, local, design, catalog, place),
            about: about_of(kind, about, local, found, catalog),
        })
    };
    rows.iter().filter_map(shown).collect()
}

/// A value as it is shown.
fn words_of(value: Option<&Value>, kind: &Kind, (_, factor, raised): (&str, f64, f64)) -> String {
    match (value, kind) {
        (Some(Value::Number(number)), Kind::Number { scale, .. } | Kind::Optional { scale, .. }) => {
            let shown = number.as_f64().unwrap_or_default() / scale * factor + raised;
            // Six decimals: what a scale of a thousandth adds in binary is not the user's. Of converted figures four.
            let rounded =
                if factor.to_bits() == 1.0_f64.to_bits() { format!("{shown:.6}") } else { format!("{shown:.4}") };
            rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        (Some(Value::String(text)), _) => text.clone(),
        (None, Kind::One(all)) => all.first().map(|(name, _)| (*name).to_owned()).unwrap_or_default(),
        _ => String::new(),
    }
}

/// What a field is about: its range, its words, and the source of the part that it names.
fn about_of(
    kind: &Kind,
    about: &str,
    (unit, factor, raised): (&str, f64, f64),
    value: Option<&Value>,
    catalog: Option<&Catalog>,
) -> String {
    match kind {
        Kind::Number { low, high, .. } | Kind::Optional { low, high, .. } => {
            let end = |value: f64| format!("{}", ((value * factor + raised) * 1e3).round() / 1e3);
            format!("{about} {} to {} {unit}", end(*low), end(*high)).trim_end().to_owned() + "."
        }
        Kind::PowerPart
        | Kind::Rack
        | Kind::Tray
        | Kind::Gpu
        | Kind::Terminal
        | Kind::Rejection
        | Kind::Chiller
        | Kind::Model
        | Kind::Location => {
            let named = value.and_then(Value::as_str).unwrap_or_default();
            let row = catalog.and_then(|catalog| catalog.rows().find(|(_, row)| row.row() == named));
            row.map_or_else(
                || about.to_owned(),
                |(_, row)| format!("{about} Source: {} ({}).", row.source(), row.as_of()),
            )
        }
        Kind::Text | Kind::One(_) | Kind::Group(_) | Kind::Loop(_) => about.to_owned(),
    }
}

fn choice(value: &str, label: &str) -> Choice {
    Choice { value: value.to_owned(), label: label.to_owned(), impossible: None }
}

fn input(
    kind: &Kind,
    (_, factor, raised): (&str, f64, f64),
    design: &Design,
    catalog: Option<&Catalog>,
    place: Place,
) -> Input {
    let none = |label: &str, may: bool| may.then(|| choice("", label)).into_iter();
    let cooling = |needed: &'static str, fits: fn(&CoolingKind) -> bool, optional: bool| {
        let parts = catalog.into_iter().flat_map(|catalog| &catalog.cooling).map(|part| Choice {
            value: part.id.to_string(),
            label: part.name.clone(),
            impossible: (!fits(&part.kind)).then(|| format!("not {needed}")),
        });
        Input::Choice(none("none", optional).chain(parts).collect())
    };
    match kind {
        Kind::Number { low, high, step, .. } | Kind::Optional { low, high, step, .. } => {
            Input::Number { low: low * factor + raised, high: high * factor + raised, step: *step }
        }
        Kind::Text => Input::Text,
        Kind::One(all) => Input::Choice(all.iter().map(|(name, words)| choice(name, words)).collect()),
        Kind::Location => {
            let places = catalog.into_iter().flat_map(|catalog| &catalog.locations);
            Input::Choice(places.map(|row| choice(row.id.as_str(), &row.name)).collect())
        }
        Kind::Model => {
            let models = catalog.into_iter().flat_map(|catalog| &catalog.models);
            Input::Choice(models.map(|row| choice(row.id.as_str(), &row.name)).collect())
        }
        Kind::PowerPart => {
            let parts = catalog.into_iter().flat_map(|catalog| &catalog.power);
            Input::Choice(parts.map(|row| choice(row.id.as_str(), &row.name)).collect())
        }
        Kind::Rack => Input::Choice(racks(design, catalog, place)),
        Kind::Tray => {
            let own = place.name(design);
            let instead = if let Place::Tray(.., at) = place { Some(at) } else { None };
            let all = catalog.zip(rack_of(place)).map(|(catalog, at)| mount::choices(design, catalog, at, instead));
            // What stands there may stay.
            let all = all.unwrap_or_default().into_iter();
            let kept = all.map(|one| if one.value == own { Choice { impossible: None, ..one } } else { one });
            Input::Choice(kept.collect())
        }
        Kind::Gpu => {
            let gpus = catalog.into_iter().flat_map(|catalog| &catalog.gpus);
            Input::Choice(none("none", true).chain(gpus.map(|row| choice(row.id.as_str(), &row.name))).collect())
        }
        Kind::Terminal => {
            let fits = |kind: &CoolingKind| matches!(kind, CoolingKind::Cdu { .. } | CoolingKind::FanWall { .. });
            cooling("a CDU or a fan wall", fits, false)
        }
        Kind::Rejection => {
            let fits = |kind: &CoolingKind| {
                matches!(
                    kind,
                    CoolingKind::DryCooler { .. }
                        | CoolingKind::AdiabaticCooler { .. }
                        | CoolingKind::CoolingTower { .. }
                )
            };
            cooling("a cooler or a tower", fits, true)
        }
        Kind::Chiller => cooling("a chiller", |kind| matches!(kind, CoolingKind::Chiller { .. }), true),
        Kind::Group(optional) => {
            let own = if let Place::Power(at) = place { Some(at) } else { None };
            let groups = design.power.iter().enumerate().map(|(at, group)| Choice {
                impossible: (own == Some(at)).then(|| "a group can't feed itself".into()),
                ..choice(&group.name, &group.name)
            });
            Input::Choice(none("nothing", *optional).chain(groups).collect())
        }
        Kind::Loop(optional) => {
            let loops = design.cooling.iter().map(|each| choice(&each.name, &each.name));
            Input::Choice(none("none", *optional).chain(loops).collect())
        }
    }
}

/// Racks of the catalog, with why a hall can't take some.
pub fn racks(design: &Design, catalog: Option<&Catalog>, place: Place) -> Vec<Choice> {
    let (Place::Hall(at) | Place::Row(at, _) | Place::Rack(at, ..) | Place::Tray(at, ..)) = place else {
        return Vec::new();
    };
    let hall = design.halls.get(at);
    let loop_of = |name: &String| design.cooling.iter().find(|each| each.name == *name);
    let liquid = hall.and_then(|hall| hall.liquid.as_ref()).and_then(loop_of);
    let Some(catalog) = catalog else { return Vec::new() };
    let why_not = |rack: &model::part::Rack| {
        let wet = rack
            .trays
            .iter()
            .filter_map(|item| catalog.tray(&item.part))
            .any(|t| t.liquid_fraction.as_fraction() > 0.05);
        match liquid {
            None if wet => Some("gives heat to liquid, and the hall has no liquid loop".to_owned()),
            Some(each) if wet && each.supply_temperature > rack.supply_temperature_max => Some(format!(
                "takes water of at most {:.0} °C, and the loop supplies {:.0} °C",
                rack.supply_temperature_max.as_celsius(),
                each.supply_temperature.as_celsius()
            )),
            None | Some(_) => None,
        }
    };
    catalog
        .racks
        .iter()
        .map(|rack| Choice { impossible: why_not(rack), ..choice(rack.id.as_str(), &rack.name) })
        .collect()
}

/// The design with one field set from what a person typed in their units, or why it can't be.
pub fn set(design: &Design, place: Place, at: &str, typed: &str, units: Units) -> Result<Design, String> {
    let (rows, base) = table(place);
    let Row(_, label, unit, kind, _) = rows.iter().find(|row| row.0 == at).ok_or("There is no such field.")?;
    let typed = typed.trim();
    let local = local(unit, units);
    let written = match kind {
        Kind::Number { scale, low, high, .. } => Some(parsed(typed, label, local, (*low, *high), *scale)?),
        Kind::Optional { scale, low, high, .. } if !typed.is_empty() => {
            Some(parsed(typed, label, local, (*low, *high), *scale)?)
        }
        Kind::Group(true) | Kind::Loop(true) | Kind::Gpu | Kind::Rejection | Kind::Chiller | Kind::Optional { .. }
            if typed.is_empty() =>
        {
            None
        }
        Kind::Text if typed.is_empty() => return Err(format!("{label} can't be empty.")),
        Kind::Text
        | Kind::One(_)
        | Kind::Tray
        | Kind::Gpu
        | Kind::Location
        | Kind::Model
        | Kind::PowerPart
        | Kind::Rack
        | Kind::Terminal
        | Kind::Rejection
        | Kind::Chiller
        | Kind::Group(_)
        | Kind::Loop(_)
        | Kind::Optional { .. } => Some(Value::from(typed)),
    };
    let mut value = json(design);
    put(&mut value, &base, at, written)?;
    let after: Design = serde_json::from_value(value).map_err(|error| format!("{label}: {error}."))?;
    Ok(renamed(design, after, place))
}

/// A number as it is written: whole where the design has a whole number there.
fn parsed(
    typed: &str,
    label: &str,
    (unit, factor, raised): (&str, f64, f64),
    (low, high): (f64, f64),
    scale: f64,
) -> Result<Value, String> {
    let number: f64 = typed.replace(',', ".").parse().map_err(|_| format!("{label}: \"{typed}\" is not a number."))?;
    // A converted figure has no more than six decimals of its own.
    let converted = factor.to_bits() != 1.0_f64.to_bits();
    let number = if converted { ((number - raised) / factor * 1e6).round() / 1e6 } else { number };
    if !(low..=high).contains(&number) {
        let end = |value: f64| ((value * factor + raised) * 1e3).round() / 1e3;
        return Err(format!("{label} must be {} to {} {unit}.", end(low), end(high)).replace(" .", "."));
    }
    let written = number * scale;
    let whole = written.fract().abs() < 1e-9 && written.abs() < 4e9;
    Ok(if whole { Value::from(written.round() as i64) } else { Value::from(written) })
}

/// Writes a value below a place, or takes it away. A part of a group that is not there yet makes the group.
fn put(value: &mut Value, base: &str, at: &str, written: Option<Value>) -> Result<(), String> {
    let gone = || "It is not there any more.".to_owned();
    let (parent, key) = at.rsplit_once('/').ok_or_else(gone)?;
    let group = ["/rejection", "/chiller"].contains(&parent);
    if group && key == "part" {
        let name = parent.trim_start_matches('/');
        let object = value.pointer_mut(base).and_then(Value::as_object_mut).ok_or_else(gone)?;
        match written {
            None => object.remove(name),
            Some(part) => match object.get_mut(name) {
                Some(Value::Object(group)) => group.insert("part".into(), part),
                _ => object.insert(name.into(), serde_json::json!({ "part": part, "units": 1 })),
            },
        };
        return Ok(());
    }
    let object = value.pointer_mut(&format!("{base}{parent}")).and_then(Value::as_object_mut).ok_or_else(gone)?;
    match written {
        Some(written) => object.insert(key.into(), written),
        None => object.remove(key),
    };
    Ok(())
}

/// What names a power group or a loop follows it when it is renamed.
fn renamed(before: &Design, mut after: Design, place: Place) -> Design {
    let (old, new) = (place.name(before), place.name(&after));
    if old == new {
        return after;
    }
    let follow = |name: &mut String| {
        if *name == old {
            name.clone_from(&new);
        }
    };
    match place {
        Place::Power(_) => {
            after.power.iter_mut().filter_map(|group| group.fed_by.as_mut()).for_each(follow);
            after.cooling.iter_mut().filter_map(|each| each.fed_by.as_mut()).for_each(follow);
            after.halls.iter_mut().map(|hall| &mut hall.fed_by).for_each(follow);
        }
        Place::Loop(_) => {
            after.halls.iter_mut().filter_map(|hall| hall.liquid.as_mut()).for_each(follow);
            after.halls.iter_mut().map(|hall| &mut hall.air).for_each(follow);
        }
        Place::Site
        | Place::Service
        | Place::Finance
        | Place::Hall(_)
        | Place::Row(..)
        | Place::Rack(..)
        | Place::Tray(..)
        | Place::Own(..) => {}
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    fn design() -> Design {
        serde_json::from_str(
            r#"{"name":"D","location":"phoenix-az","contract_power_w":1e6,
                "power":[{"name":"a","part":"t","units":1},{"name":"b","part":"t","units":1,"fed_by":"a"}],
                "cooling":[{"name":"warm","supply_temperature_c":40,"terminal":{"part":"cdu","units":2}}],
                "hall":[{"name":"A","positions":9,"fed_by":"b","air":"warm","row":[{"name":"1","rack":[{"part":"x","trays":[{"part":"t","at_unit":3,"face":"rear"}]}]}]}],
                "parts":{
                    "gpu":[{"id":"g","name":"G","maker":"m","board_power_w":700,"idle_power_w":90,"min_power_cap_w":200,
                        "memory_bytes":8e10,"memory_bandwidth_bytes_per_s":3.35e12,"flops":{"bf16_flops":9.9e14},
                        "link_bandwidth_bytes_per_s":4.5e11,"source":"s","as_of":"2026"}],
                    "tray":[{"id":"t","name":"T","maker":"m","gpu":"g","gpu_count":8,"rated_power_w":10200,
                        "overhead_idle_w":900,"overhead_busy_w":1700,"liquid_fraction":0.25,"height_units":2.5,"width":"half",
                        "mass_kg":1.5,"price_usd":1,"source":"s","as_of":"2026"}],
                    "power":[{"id":"ups","name":"U","maker":"m","kind":"ups","rated_power_w":5e6,
                        "loss":{"a":0.005,"b":0.01,"c":0.015},"price_usd":1,"source":"s","as_of":"2026"}],
                    "cooling":[{"id":"dry","name":"D","maker":"m","kind":"dry-cooler","heat_capacity_w":1e6,
                        "design_dry_bulb_c":35,"design_entering_water_c":50,"design_range_k":10,"fan_power_w":2e4,
                        "fan_control":"variable","price_usd":1,"source":"s","as_of":"2026"}]}}"#,
        )
        .unwrap()
    }

    #[test]
    fn every_field_of_every_place_can_be_set_to_what_it_is() {
        let design = design();
        for (place, _) in Place::all(&design) {
            for field in fields(&design, None, place, Units::Si) {
                let set = set(&design, place, field.at, &field.value);
                assert_eq!(set.as_ref(), Ok(&design), "{place} {} = {:?}", field.at, field.value);
            }
        }
    }

    fn set(design: &Design, place: Place, at: &str, typed: &str) -> Result<Design, String> {
        super::set(design, place, at, typed, Units::Si)
    }

    #[test]
    fn us_readers_type_and_read_their_own_units() {
        let us = |design: &Design| {
            let all = fields(design, None, Place::Loop(0), Units::Us);
            all.into_iter().find(|field| field.at == "/supply_temperature_c").unwrap()
        };
        assert_eq!((us(&design()).value.as_str(), us(&design()).unit), ("104", "°F"));
        assert!(us(&design()).about.contains("41 to 140 °F"), "{}", us(&design()).about);
        let after = super::set(&design(), Place::Loop(0), "/supply_temperature_c", "113", Units::Us).unwrap();
        assert!((after.cooling[0].supply_temperature.as_celsius() - 45.0).abs() < 1e-12);
        let wrong = super::set(&design(), Place::Loop(0), "/supply_temperature_c", "200", Units::Us);
        assert!(wrong.unwrap_err().contains("41 to 140 °F"));
    }

    #[test]
    fn numbers_are_typed_in_their_unit_and_bounded() {
        let after = set(&design(), Place::Site, "/contract_power_w", "2,5").unwrap();
        assert!((after.contract_power.as_megawatts() - 2.5).abs() < 1e-12);
        assert!(
            set(&design(), Place::Site, "/contract_power_w", "much").unwrap_err().contains("\"much\" is not a number")
        );
        assert!(set(&design(), Place::Loop(0), "/supply_temperature_c", "90").unwrap_err().contains("5 to 60 °C"));
        assert!(set(&design(), Place::Power(0), "/units", "1.5").is_err());
    }

    #[test]
    fn what_hangs_on_a_name_follows_it() {
        let after = set(&design(), Place::Power(1), "/name", "busway").unwrap();
        assert_eq!(after.halls[0].fed_by, "busway");
        let after = set(&design(), Place::Loop(0), "/name", "hot").unwrap();
        assert_eq!(after.halls[0].air, "hot");
    }

    #[test]
    fn a_group_comes_and_goes_with_its_part() {
        let with = set(&design(), Place::Loop(0), "/chiller/part", "chiller-air-1500kw").unwrap();
        assert_eq!(with.cooling[0].chiller.as_ref().unwrap().units, 1);
        let without = set(&with, Place::Loop(0), "/chiller/part", "").unwrap();
        assert_eq!(without.cooling[0].chiller, None);
        let capped = set(&design(), Place::Rack(0, 0, 0), "/power_cap_w", "700").unwrap();
        assert_eq!(set(&capped, Place::Rack(0, 0, 0), "/power_cap_w", "").unwrap(), design());
    }
}
