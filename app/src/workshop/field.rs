//! What can be set at a place: each field with its unit, range, default and where its figures come from. Fields are read
//! and written by their address in the design's JSON, so that one table serves the inspector, its checks and its words.

use super::place::Place;
use model::catalog::Catalog;
use model::design::Design;
use model::part::CoolingKind;
use serde_json::Value;

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

/// What stands behind a field.
enum Kind {
    /// A number: written = shown · scale.
    Number {
        scale: f64,
        low: f64,
        high: f64,
        step: f64,
    },
    /// A number without which the default holds.
    Optional {
        scale: f64,
        low: f64,
        high: f64,
        step: f64,
    },
    Text,
    Redundancy,
    Precision,
    Location,
    Model,
    PowerPart,
    Rack,
    Terminal,
    Rejection,
    Chiller,
    /// Name of a power group; whether there may be none.
    Group(bool),
    /// Name of a cooling loop; whether there may be none.
    Loop(bool),
}

struct Row(&'static str, &'static str, &'static str, Kind, &'static str);

const fn number(scale: f64, low: f64, high: f64, step: f64) -> Kind {
    Kind::Number { scale, low, high, step }
}

const UNITS: &str = "Installed units, spares included.";
const SITE: &[Row] = &[
    Row("/name", "Name", "", Kind::Text, "What the design is called."),
    Row("/location", "Place", "", Kind::Location, "Climate, grid, tariff and carbon."),
    Row(
        "/contract_power_w",
        "Utility contract",
        "MW",
        number(1e6, 0.001, 1e5, 0.5),
        "Most power that the meter may see.",
    ),
    Row("/house_power_w", "Lighting, offices", "kW", number(1e3, 0.0, 1e6, 10.0), "Drawn at all hours. Default 0."),
];
const SERVICE: &[Row] = &[
    Row("/model", "Language model", "", Kind::Model, "What the facility serves."),
    Row("/precision", "Number format", "", Kind::Precision, "Of weights and arithmetic. Default fp8."),
    Row(
        "/input_tokens",
        "Prompt",
        "tokens",
        number(1.0, 1.0, 1e7, 50.0),
        "Mean; a request trace's own lengths go before it. Default 1155: Azure LLM inference trace 2023, conversation.",
    ),
    Row(
        "/output_tokens",
        "Answer",
        "tokens",
        number(1.0, 1.0, 1e7, 10.0),
        "Mean; a request trace's own lengths go before it. Default 211: the same trace.",
    ),
    Row(
        "/prefix_cache_hit",
        "Prompt found in cache",
        "%",
        number(0.01, 0.0, 99.9, 5.0),
        "Share of prompt tokens that need no prefill. Default 0.",
    ),
    Row(
        "/ttft_s",
        "Time to first token",
        "s",
        number(1.0, 0.001, 3600.0, 0.1),
        "Longest mean, without waiting for a place. Default 2 s: a planner's usual target.",
    ),
    Row(
        "/tpot_s",
        "Time between tokens",
        "ms",
        number(0.001, 0.1, 60_000.0, 5.0),
        "Longest mean, interruptions by prefill included. Default 50 ms: a planner's usual target.",
    ),
    Row(
        "/demand/peak-share",
        "Busiest hour asks for",
        "% of full work",
        number(0.01, 0.0, 1000.0, 5.0),
        "Requests are scaled so that the year's busiest step asks for this. Default 85.",
    ),
    Row(
        "/demand/scale",
        "Requests of the trace, times",
        "",
        number(1.0, 0.0, 1e9, 0.1),
        "As many requests as the trace has, each this many times.",
    ),
    Row(
        "/power_cap_w",
        "Power limit of each GPU",
        "W",
        Kind::Optional { scale: 1.0, low: 50.0, high: 5000.0, step: 50.0 },
        "Empty means the board's own limit.",
    ),
];
const FINANCE: &[Row] = &[
    Row(
        "/wacc",
        "Cost of capital",
        "% a year",
        number(0.01, 0.0, 100.0, 0.5),
        "Default 8: mid-range of published colocation cost guides, 2025.",
    ),
    Row(
        "/it_life_years",
        "Life of computers",
        "years",
        number(1.0, 0.5, 50.0, 0.5),
        "Default 5: most large operators' filings of 2024 and 2025 say 5 to 6.",
    ),
    Row("/plant_life_years", "Life of plant and shell", "years", number(1.0, 0.5, 100.0, 1.0), "Default 20."),
    Row(
        "/building_usd_per_w",
        "Shell, land, engineering",
        "$/W",
        number(1.0, 0.0, 1000.0, 0.1),
        "Of the contract. Default 2.5: published cost guides, less power and cooling plant, which are priced part by part.",
    ),
    Row(
        "/upkeep_share",
        "Upkeep and spares",
        "% a year",
        number(0.01, 0.0, 100.0, 0.5),
        "Of the price of what is kept. Default 2.",
    ),
    Row(
        "/staff_usd_per_w_year",
        "Staff, insurance, tax",
        "$/W a year",
        number(1.0, 0.0, 1000.0, 0.01),
        "Of the contract. Default 0.15.",
    ),
    Row(
        "/output_price_usd_per_million",
        "Price of output",
        "$/Mtok",
        Kind::Optional { scale: 1.0, low: 0.0, high: 1e6, step: 0.1 },
        "Empty means the model's own row.",
    ),
    Row(
        "/input_price_usd_per_million",
        "Price of prompts",
        "$/Mtok",
        Kind::Optional { scale: 1.0, low: 0.0, high: 1e6, step: 0.1 },
        "Empty means the model's own row.",
    ),
];
const POWER: &[Row] = &[
    Row("/name", "Name", "", Kind::Text, "Others name it to hang on it."),
    Row("/part", "Part", "", Kind::PowerPart, ""),
    Row("/units", "Units", "", number(1.0, 1.0, 1e6, 1.0), UNITS),
    Row("/redundancy", "Redundancy", "", Kind::Redundancy, "How many may fail with the load carried."),
    Row("/fed_by", "Fed by", "", Kind::Group(true), "Just one group is fed by nothing: the service entrance."),
];
const LOOP: &[Row] = &[
    Row("/name", "Name", "", Kind::Text, "Halls name it."),
    Row(
        "/supply_temperature_c",
        "Supply set-point",
        "°C",
        number(1.0, 5.0, 60.0, 1.0),
        "Facility water to the halls. Warmer needs fewer chillers; racks say how warm they accept it.",
    ),
    Row("/rise_k", "Rise", "K", number(1.0, 1.0, 40.0, 1.0), "How much the water warms at design heat. Default 10 K."),
    Row(
        "/pump_head_pa",
        "Pump head",
        "kPa",
        number(1e3, 0.0, 2000.0, 10.0),
        "At design flow. Default 180 kPa: EnergyPlus's comparison plant.",
    ),
    Row("/terminal/part", "CDUs or fan walls", "", Kind::Terminal, "Where heat enters the loop."),
    Row("/terminal/units", "of them", "", number(1.0, 1.0, 1e6, 1.0), UNITS),
    Row("/terminal/redundancy", "their redundancy", "", Kind::Redundancy, ""),
    Row("/rejection/part", "Coolers or towers", "", Kind::Rejection, "Where heat leaves to the outside."),
    Row("/rejection/units", "of them", "", number(1.0, 1.0, 1e6, 1.0), UNITS),
    Row("/rejection/redundancy", "their redundancy", "", Kind::Redundancy, ""),
    Row("/chiller/part", "Chillers", "", Kind::Chiller, "For what the outside can't take."),
    Row("/chiller/units", "of them", "", number(1.0, 1.0, 1e6, 1.0), UNITS),
    Row("/chiller/redundancy", "their redundancy", "", Kind::Redundancy, ""),
    Row(
        "/fed_by",
        "Fed by",
        "",
        Kind::Group(true),
        "Feeds its fans, pumps and chillers. None means the service entrance.",
    ),
];
const HALL: &[Row] = &[
    Row("/name", "Name", "", Kind::Text, ""),
    Row("/count", "Halls like it", "", number(1.0, 1.0, 1e5, 1.0), ""),
    Row("/floor_area_m2", "Floor", "m²", number(1.0, 0.0, 1e7, 50.0), "Of one hall."),
    Row("/positions", "Rack positions", "", number(1.0, 0.0, 1e6, 1.0), "In one hall."),
    Row("/fed_by", "Fed by", "", Kind::Group(false), "The power group that feeds its racks."),
    Row("/liquid", "Liquid loop", "", Kind::Loop(true), "Takes the heat that racks give to liquid."),
    Row("/air", "Air loop", "", Kind::Loop(false), "Takes the heat that racks give to air."),
    Row(
        "/layout/cold_aisle_m",
        "Cold aisle",
        "m",
        number(1.0, 0.0, 20.0, 0.1),
        "Between fronts. Default 1.2 m: two tiles of 600 mm.",
    ),
    Row("/layout/hot_aisle_m", "Hot aisle", "m", number(1.0, 0.0, 20.0, 0.1), "Between backs. Default 1.2 m."),
    Row(
        "/layout/clearance_m",
        "To the walls",
        "m",
        number(1.0, 0.0, 50.0, 0.1),
        "Round the rows. Default 1.8 m, to turn a rack 1.2 m deep.",
    ),
    Row(
        "/layout/column_pitch_m",
        "Column grid",
        "m",
        number(1.0, 0.0, 100.0, 0.5),
        "Both ways; 0 for a hall without columns.",
    ),
];
const ROW: &[Row] = &[
    Row("/name", "Name", "", Kind::Text, ""),
    Row("/count", "Rows like it", "", number(1.0, 1.0, 1e5, 1.0), "In one hall."),
];
const RACK: &[Row] = &[
    Row("/part", "Rack", "", Kind::Rack, ""),
    Row("/count", "In each row", "", number(1.0, 1.0, 1e5, 1.0), ""),
    Row(
        "/power_cap_w",
        "Power limit of each GPU",
        "W",
        Kind::Optional { scale: 1.0, low: 50.0, high: 5000.0, step: 50.0 },
        "Empty means the service's, or the board's own.",
    ),
];

/// The fields of a kind of place, and the address of one of them.
fn table(place: Place) -> (&'static [Row], String) {
    match place {
        Place::Site => (SITE, String::new()),
        Place::Service => (SERVICE, "/service".into()),
        Place::Finance => (FINANCE, "/finance".into()),
        Place::Power(at) => (POWER, format!("/power/{at}")),
        Place::Loop(at) => (LOOP, format!("/cooling/{at}")),
        Place::Hall(at) => (HALL, format!("/hall/{at}")),
        Place::Row(h, r) => (ROW, format!("/hall/{h}/row/{r}")),
        Place::Rack(h, r, k) => (RACK, format!("/hall/{h}/row/{r}/rack/{k}")),
    }
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

/// The fields of a place.
pub fn fields(design: &Design, catalog: Option<&Catalog>, place: Place) -> Vec<Field> {
    let value = json(design);
    let (rows, base) = table(place);
    let shown = |Row(at, label, unit, kind, about): &Row| {
        let found = value.pointer(&format!("{base}{at}"));
        let hidden = match *at {
            "/demand/peak-share"
            | "/demand/scale"
            | "/rejection/units"
            | "/rejection/redundancy"
            | "/chiller/units"
            | "/chiller/redundancy" => found.is_none(),
            _ => false,
        };
        (!hidden).then(|| Field {
            at,
            label,
            unit,
            value: words_of(found, kind),
            input: input(kind, design, catalog, place),
            about: about_of(kind, about, found, catalog),
        })
    };
    rows.iter().filter_map(shown).collect()
}

/// A value as it is shown.
fn words_of(value: Option<&Value>, kind: &Kind) -> String {
    match (value, kind) {
        (Some(Value::Number(number)), Kind::Number { scale, .. } | Kind::Optional { scale, .. }) => {
            let shown = number.as_f64().unwrap_or_default() / scale;
            // Six decimals: what a scale of a thousandth adds in binary is not the user's.
            let rounded = format!("{shown:.6}");
            rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        (Some(Value::String(text)), _) => text.clone(),
        _ => String::new(),
    }
}

/// What a field is about: its range, its words, and the source of the part that it names.
fn about_of(kind: &Kind, about: &str, value: Option<&Value>, catalog: Option<&Catalog>) -> String {
    match kind {
        Kind::Number { low, high, .. } | Kind::Optional { low, high, .. } => format!("{about} {low} to {high}."),
        Kind::PowerPart
        | Kind::Rack
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
        Kind::Text | Kind::Redundancy | Kind::Precision | Kind::Group(_) | Kind::Loop(_) => about.to_owned(),
    }
}

fn choice(value: &str, label: &str) -> Choice {
    Choice { value: value.to_owned(), label: label.to_owned(), impossible: None }
}

fn input(kind: &Kind, design: &Design, catalog: Option<&Catalog>, place: Place) -> Input {
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
            Input::Number { low: *low, high: *high, step: *step }
        }
        Kind::Text => Input::Text,
        Kind::Redundancy => Input::Choice(vec![
            choice("n", "N: every unit is needed"),
            choice("n+1", "N+1: one to spare"),
            choice("2n", "2N: two whole sides"),
            choice("3n/2", "3N/2: three for the work of two"),
        ]),
        Kind::Precision => {
            Input::Choice(vec![choice("bf16", "16-bit"), choice("fp8", "8-bit"), choice("fp4", "4-bit")])
        }
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
    let (Place::Hall(at) | Place::Row(at, _) | Place::Rack(at, ..)) = place else { return Vec::new() };
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

/// The design with one field set from what a person typed, or why it can't be.
pub fn set(design: &Design, place: Place, at: &str, typed: &str) -> Result<Design, String> {
    let (rows, base) = table(place);
    let Row(_, label, unit, kind, _) = rows.iter().find(|row| row.0 == at).ok_or("There is no such field.")?;
    let typed = typed.trim();
    let written = match kind {
        Kind::Number { scale, low, high, .. } => Some(parsed(typed, label, unit, (*low, *high), *scale)?),
        Kind::Optional { scale, low, high, .. } if !typed.is_empty() => {
            Some(parsed(typed, label, unit, (*low, *high), *scale)?)
        }
        Kind::Group(true) | Kind::Loop(true) | Kind::Rejection | Kind::Chiller | Kind::Optional { .. }
            if typed.is_empty() =>
        {
            None
        }
        Kind::Text if typed.is_empty() => return Err(format!("{label} can't be empty.")),
        Kind::Text
        | Kind::Redundancy
        | Kind::Precision
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
fn parsed(typed: &str, label: &str, unit: &str, (low, high): (f64, f64), scale: f64) -> Result<Value, String> {
    let number: f64 = typed.replace(',', ".").parse().map_err(|_| format!("{label}: \"{typed}\" is not a number."))?;
    if !(low..=high).contains(&number) {
        return Err(format!("{label} must be {low} to {high} {unit}.").replace(" .", "."));
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
        Place::Site | Place::Service | Place::Finance | Place::Hall(_) | Place::Row(..) | Place::Rack(..) => {}
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
                "hall":[{"name":"A","positions":9,"fed_by":"b","air":"warm","row":[{"name":"1","rack":[{"part":"x"}]}]}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn every_field_of_every_place_can_be_set_to_what_it_is() {
        let design = design();
        for (place, _) in Place::all(&design) {
            for field in fields(&design, None, place) {
                let set = set(&design, place, field.at, &field.value);
                assert_eq!(set.as_ref(), Ok(&design), "{place} {} = {:?}", field.at, field.value);
            }
        }
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
