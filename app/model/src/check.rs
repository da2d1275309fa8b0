//! Whether rows can be believed: each has its origin, its figures are possible, and what it names exists.

use crate::catalog::Catalog;
use crate::id::{LocationId, ModelId, PartId};
use crate::location::Location;
use crate::part::{CoolingKind, CoolingPart, Gpu, LanguageModel, PowerKind, PowerPart, Rack, Several, Tray};
use std::collections::BTreeSet;
use std::fmt;

/// Something wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The list it stands in, as in TOML: `gpu`, `tray`, …
    pub list: &'static str,
    /// Its id.
    pub row: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.list, self.row, self.what)
    }
}

/// Largest figures that a part may have, several times those of any there is: beyond them a unit was mistaken.
const POWER_MAX_W: f64 = 1e10;
const PRICE_MAX_USD: f64 = 1e11;
const MASS_MAX_KG: f64 = 1e6;
const UNITS_MAX: f64 = 128.0;
/// Most GPUs of a tray, and most that share links: NVL576 is the largest announced.
pub const GPUS_MAX: f64 = 4096.0;
const SIZE_MAX_M: f64 = 100.0;
const RATE_MAX: f64 = 1e18;

/// Shortest text that can name a publication.
const SOURCE_CHARS_MIN: usize = 8;
/// A shape's mean may miss 1 by this much, for rounding.
const SHAPE_TOLERANCE: f64 = 0.02;

/// Everything wrong with a catalog; empty if it is good. Names may refer to rows of this catalog only, so check a
/// user's own rows after [`Catalog::with`].
pub fn check(catalog: &Catalog) -> Vec<Problem> {
    let mut found = Vec::new();
    origins(catalog, &mut found);
    names(catalog, &mut found);
    for gpu in &catalog.gpus {
        gpu_figures(gpu, &mut Row { list: "gpu", id: gpu.id.as_str(), found: &mut found });
    }
    for tray in &catalog.trays {
        tray_figures(tray, catalog, &mut Row { list: "tray", id: tray.id.as_str(), found: &mut found });
    }
    for rack in &catalog.racks {
        rack_figures(rack, catalog, &mut Row { list: "rack", id: rack.id.as_str(), found: &mut found });
    }
    for part in &catalog.power {
        power_figures(part, &mut Row { list: "power", id: part.id.as_str(), found: &mut found });
    }
    for part in &catalog.cooling {
        cooling_figures(part, &mut Row { list: "cooling", id: part.id.as_str(), found: &mut found });
    }
    for model in &catalog.models {
        model_figures(model, &mut Row { list: "model", id: model.id.as_str(), found: &mut found });
    }
    for place in &catalog.locations {
        location_figures(place, &mut Row { list: "location", id: place.id.as_str(), found: &mut found });
    }
    found
}

/// Where problems of one row are gathered.
struct Row<'a> {
    list: &'static str,
    id: &'a str,
    found: &'a mut Vec<Problem>,
}

impl Row<'_> {
    fn wrong(&mut self, what: String) {
        self.found.push(Problem { list: self.list, row: self.id.to_owned(), what });
    }
    fn at_most(&mut self, field: &str, value: f64, limit: f64) {
        if value.is_nan() || value > limit {
            self.wrong(format!("{field} is {value}, more than the {limit} that make sense"));
        }
    }
    fn positive(&mut self, field: &str, value: f64) {
        if !(value.is_finite() && value > 0.0) {
            self.wrong(format!("{field} is {value}, but must be above 0"));
        }
    }
    fn not_negative(&mut self, field: &str, value: f64) {
        if !(value.is_finite() && value >= 0.0) {
            self.wrong(format!("{field} is {value}, but must not be below 0"));
        }
    }
    fn share(&mut self, field: &str, value: f64) {
        if !(0.0..=1.0).contains(&value) {
            self.wrong(format!("{field} is {value}, but is a share from 0 to 1"));
        }
    }
    fn within(&mut self, field: &str, value: f64, low: f64, high: f64) {
        if !(low..=high).contains(&value) {
            self.wrong(format!("{field} is {value}, outside {low} to {high}"));
        }
    }
    fn no_more(&mut self, field: &str, value: f64, of: &str, limit: f64) {
        if value.is_nan() || value > limit * (1.0 + 1e-9) {
            self.wrong(format!("{field} is {value}, above {of} of {limit}"));
        }
    }
}

fn origins(catalog: &Catalog, found: &mut Vec<Problem>) {
    for (list, row) in catalog.rows() {
        let id = row.row();
        let mut row_found = Row { list, id: &id, found };
        if row.source().trim().chars().count() < SOURCE_CHARS_MIN {
            row_found.wrong("source does not say where the figures come from".to_owned());
        }
        if !is_date(row.as_of()) {
            row_found.wrong(format!("as_of is {:?}, but must be a year or a month, as 2026-11", row.as_of()));
        }
    }
}

/// `YYYY` or `YYYY-MM`.
fn is_date(text: &str) -> bool {
    let digits = |part: &str, n: usize| part.len() == n && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('-') {
        None => digits(text, 4),
        Some((year, month)) => {
            digits(year, 4) && digits(month, 2) && month.parse::<u32>().is_ok_and(|m| (1..=12).contains(&m))
        }
    }
}

fn names(catalog: &Catalog, found: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    for (list, row) in catalog.rows() {
        let id = row.row();
        let bad = match list {
            "model" => id.parse::<ModelId>().err(),
            "location" => id.parse::<LocationId>().err(),
            _ => id.parse::<PartId>().err(),
        };
        let mut row_found = Row { list, id: &id, found };
        if let Some(bad) = bad {
            row_found.wrong(format!("id is {bad}"));
        }
        if !seen.insert((list, id.clone())) {
            row_found.wrong("stands twice in its list".to_owned());
        }
    }
}

fn gpu_figures(gpu: &Gpu, row: &mut Row<'_>) {
    let board = gpu.board_power.as_watts();
    row.positive("board_power_w", board);
    row.at_most("board_power_w", board, POWER_MAX_W);
    row.at_most("memory_bytes", gpu.memory.as_bytes(), RATE_MAX);
    row.at_most("memory_bandwidth_bytes_per_s", gpu.memory_bandwidth.as_bytes_per_second(), RATE_MAX);
    row.at_most("bf16_flops", gpu.flops.bf16.as_flops(), 1e3 * RATE_MAX);
    row.positive("idle_power_w", gpu.idle_power.as_watts());
    row.positive("min_power_cap_w", gpu.min_power_cap.as_watts());
    row.no_more("idle_power_w", gpu.idle_power.as_watts(), "min_power_cap_w", gpu.min_power_cap.as_watts());
    row.no_more("min_power_cap_w", gpu.min_power_cap.as_watts(), "board_power_w", board);
    row.positive("memory_bytes", gpu.memory.as_bytes());
    row.positive("memory_bandwidth_bytes_per_s", gpu.memory_bandwidth.as_bytes_per_second());
    row.positive("link_bandwidth_bytes_per_s", gpu.link_bandwidth.as_bytes_per_second());
    row.positive("bf16_flops", gpu.flops.bf16.as_flops());
    let formats = [("fp8_flops", gpu.flops.fp8), ("fp4_flops", gpu.flops.fp4)];
    for (field, rate) in formats.into_iter().filter_map(|(field, rate)| Some((field, rate?))) {
        row.positive(field, rate.as_flops());
    }
}

fn tray_figures(tray: &Tray, catalog: &Catalog, row: &mut Row<'_>) {
    let (rated, busy) = (tray.rated_power.as_watts(), tray.overhead_busy.as_watts());
    row.not_negative("rated_power_w", rated); // a patch panel draws nothing
    row.at_most("rated_power_w", rated, POWER_MAX_W);
    row.at_most("height_units", tray.height_units, UNITS_MAX);
    row.at_most("mass_kg", tray.mass.as_kilograms(), MASS_MAX_KG);
    row.at_most("price_usd", tray.price_dollars, PRICE_MAX_USD);
    row.at_most("gpu_count", f64::from(tray.gpu_count), GPUS_MAX);
    row.at_most("domain_gpus", f64::from(tray.domain_gpus), GPUS_MAX);
    row.not_negative("overhead_idle_w", tray.overhead_idle.as_watts());
    row.no_more("overhead_idle_w", tray.overhead_idle.as_watts(), "overhead_busy_w", busy);
    row.share("liquid_fraction", tray.liquid_fraction.as_fraction());
    row.not_negative("height_units", tray.height_units);
    row.positive("mass_kg", tray.mass.as_kilograms());
    row.not_negative("price_usd", tray.price_dollars);
    let mut boards = 0.0;
    match &tray.gpu {
        None if tray.gpu_count > 0 => row.wrong(format!("gpu_count is {}, but gpu is absent", tray.gpu_count)),
        None => {}
        Some(gpu) => match catalog.gpu(gpu) {
            None => row.wrong(format!("gpu {gpu} is not in the catalog")),
            Some(gpu) => {
                boards = gpu.board_power.as_watts() * f64::from(tray.gpu_count);
                row.positive("gpu_count", f64::from(tray.gpu_count));
            }
        },
    }
    row.no_more("draw of GPU boards and overhead_busy_w", boards + busy, "rated_power_w", rated);
}

fn rack_figures(rack: &Rack, catalog: &Catalog, row: &mut Row<'_>) {
    row.positive("rated_power_w", rack.rated_power.as_watts());
    row.at_most("rated_power_w", rack.rated_power.as_watts(), POWER_MAX_W);
    row.at_most("height_units", rack.height_units, UNITS_MAX);
    row.at_most("mass_kg", rack.mass.as_kilograms(), MASS_MAX_KG);
    row.at_most("price_usd", rack.price_dollars, PRICE_MAX_USD);
    for (field, side) in [("height_m", rack.height), ("width_m", rack.width), ("depth_m", rack.depth)] {
        row.at_most(field, side.as_metres(), SIZE_MAX_M);
    }
    row.within("supply_temperature_max_c", rack.supply_temperature_max.as_celsius(), 5.0, 60.0);
    row.positive("height_units", rack.height_units);
    row.positive("height_m", rack.height.as_metres());
    row.positive("width_m", rack.width.as_metres());
    row.positive("depth_m", rack.depth.as_metres());
    row.positive("mass_kg", rack.mass.as_kilograms());
    row.not_negative("price_usd", rack.price_dollars);
    let (mut watts, mut units, mut gpus) = (0.0, 0.0, 0);
    for Several { part, count } in &rack.trays {
        row.within("count of a tray", f64::from(*count), 1.0, 1e4);
        match catalog.tray(part) {
            None => row.wrong(format!("tray {part} is not in the catalog")),
            Some(tray) => {
                watts += tray.rated_power.as_watts() * f64::from(*count);
                units += tray.units_taken() * f64::from(*count);
                gpus += tray.gpu_count.saturating_mul(*count);
            }
        }
    }
    row.no_more("rated power of its trays", watts, "rated_power_w", rack.rated_power.as_watts());
    row.no_more("height of its trays", units, "height_units", rack.height_units);
    row.no_more("domain_gpus", f64::from(rack.domain_gpus), "its number of GPUs", f64::from(gpus));
    if let Some(Several { part, count }) = &rack.power_shelf {
        match catalog.power(part) {
            None => row.wrong(format!("power_shelf {part} is not in the catalog")),
            Some(shelf) if shelf.kind != PowerKind::PowerShelf => row.wrong(format!("{part} is no power-shelf")),
            Some(shelf) => {
                let out = shelf.rated_power.as_watts() * f64::from(*count);
                row.no_more("rated power of its trays", watts, "output of its power shelves", out);
            }
        }
    }
}

fn power_figures(part: &PowerPart, row: &mut Row<'_>) {
    row.positive("rated_power_w", part.rated_power.as_watts());
    row.at_most("rated_power_w", part.rated_power.as_watts(), POWER_MAX_W);
    row.at_most("price_usd", part.price_dollars, PRICE_MAX_USD);
    row.not_negative("energy_wh", part.energy_watt_hours);
    row.not_negative("price_usd", part.price_dollars);
    for (field, value) in [("loss.a", part.loss.a), ("loss.b", part.loss.b), ("loss.c", part.loss.c)] {
        row.share(field, value);
    }
    row.share("loss at full load", part.loss.a + part.loss.b + part.loss.c);
    if part.kind == PowerKind::Battery {
        row.positive("energy_wh", part.energy_watt_hours);
    }
}

fn cooling_figures(part: &CoolingPart, row: &mut Row<'_>) {
    row.positive("heat_capacity_w", part.heat_capacity.as_watts());
    row.at_most("heat_capacity_w", part.heat_capacity.as_watts(), POWER_MAX_W);
    row.at_most("price_usd", part.price_dollars, PRICE_MAX_USD);
    row.not_negative("price_usd", part.price_dollars);
    let mut coil = |fan: f64, air: f64, entering: f64, range: f64| {
        row.positive("fan_power_w", fan);
        row.positive("design_range_k", range);
        row.positive("design_entering_water_c over design_dry_bulb_c", entering - air);
        row.positive("leaving water over design_dry_bulb_c", entering - range - air);
    };
    match part.kind {
        CoolingKind::Cdu { approach, pump_head } => {
            row.positive("approach_k", approach.as_kelvins());
            row.positive("pump_head_pa", pump_head.as_pascals());
        }
        CoolingKind::FanWall { approach, fan_power } => {
            row.positive("approach_k", approach.as_kelvins());
            row.positive("fan_power_w", fan_power.as_watts());
        }
        CoolingKind::DryCooler { design_dry_bulb, design_entering_water, design_range, fan_power, .. } => {
            let (air, water) = (design_dry_bulb.as_celsius(), design_entering_water.as_celsius());
            coil(fan_power.as_watts(), air, water, design_range.as_kelvins());
        }
        CoolingKind::AdiabaticCooler {
            design_dry_bulb,
            design_entering_water,
            design_range,
            fan_power,
            saturation_effectiveness,
            cycles_of_concentration,
        } => {
            let (air, water) = (design_dry_bulb.as_celsius(), design_entering_water.as_celsius());
            coil(fan_power.as_watts(), air, water, design_range.as_kelvins());
            row.share("saturation_effectiveness", saturation_effectiveness.as_fraction());
            row.positive("cycles_of_concentration over 1", cycles_of_concentration - 1.0);
        }
        CoolingKind::CoolingTower { approach, range, fan_power, drift_fraction, cycles_of_concentration, .. } => {
            row.positive("approach_k", approach.as_kelvins());
            row.positive("range_k", range.as_kelvins());
            row.positive("fan_power_w", fan_power.as_watts());
            row.share("drift_fraction", drift_fraction.as_fraction());
            row.positive("cycles_of_concentration over 1", cycles_of_concentration - 1.0);
        }
        CoolingKind::Chiller { rated_cop, rated_supply, rated_condenser, .. } => {
            row.positive("rated_cop", rated_cop);
            row.positive("rated_condenser_c over rated_supply_c", (rated_condenser - rated_supply).as_kelvins());
        }
    }
}

fn model_figures(model: &LanguageModel, row: &mut Row<'_>) {
    row.positive("parameters", model.parameters);
    row.positive("active_parameters", model.active_parameters);
    row.no_more("active_parameters", model.active_parameters, "parameters", model.parameters);
    row.at_most("parameters", model.parameters, RATE_MAX);
    row.within("layers", f64::from(model.layers), 1.0, 1e5);
    row.positive("hidden_size", f64::from(model.hidden_size));
    row.positive("heads", f64::from(model.heads));
    row.no_more("experts_per_token", f64::from(model.experts_per_token), "experts", f64::from(model.experts));
    row.not_negative("input_price_usd_per_million", model.input_price_usd_per_million);
    row.not_negative("output_price_usd_per_million", model.output_price_usd_per_million);
}

fn location_figures(place: &Location, row: &mut Row<'_>) {
    row.within("latitude", place.latitude, -90.0, 90.0);
    row.within("longitude", place.longitude, -180.0, 180.0);
    row.within("elevation_m", place.elevation.as_metres(), -430.0, 5000.0);
    row.within("utc_offset_h", place.utc_offset_h, -12.0, 14.0);
    if place.country.len() != 2 || !place.country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        row.wrong(format!("country is {:?}, but must be two capital letters", place.country));
    }
    let climate = &place.climate;
    for month in 0..12 {
        let (dry, dew) = (climate.dry_bulb_mean_c[month], climate.dew_point_mean_c[month]);
        row.within("dry_bulb_mean_c", dry, -40.0, 45.0);
        if dew.is_nan() || dew > dry {
            row.wrong(format!("dew_point_mean_c of month {} is {dew}, above the dry bulb of {dry}", month + 1));
        }
        row.within("daily_range_k", climate.daily_range_k[month], 0.0, 30.0);
        row.within("day_to_day_sd_k", climate.day_to_day_sd_k[month], 0.0, 15.0);
    }
    let grid = &place.grid;
    let mut shape = |field: &str, values: &[f64]| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        row.within(&format!("mean of {field}"), mean, 1.0 - SHAPE_TOLERANCE, 1.0 + SHAPE_TOLERANCE);
    };
    shape("price_hour_shape", &grid.price_hour_shape);
    shape("price_month_shape", &grid.price_month_shape);
    shape("carbon_hour_shape", &grid.carbon_hour_shape);
    row.not_negative("demand_charge_usd_per_kw_month", grid.demand_charge_usd_per_kw_month);
    row.not_negative("carbon_g_per_kwh", grid.carbon_mean.as_grams_per_kilowatt_hour());
}
