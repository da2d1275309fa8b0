//! A design: what a person drew. It may be nonsense; `sim::resolve` turns it into a `Site`, or says why not.
//!
//! As TOML, from the outside in: the service it is for, the power tree, the cooling loops, and halls of rows of racks
//! of trays.

use crate::id::{LocationId, ModelId, PartId};
use crate::part::{Rack, Several};
use crate::quantity::{Area, Length, Power, Pressure, Ratio, Span, Temperature, TemperatureRise};
use serde::{Deserialize, Serialize};

/// What a person drew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Design {
    /// What it is called.
    pub name: String,
    /// One or two sentences about it.
    #[serde(default)]
    pub description: String,
    /// Where it stands.
    pub location: LocationId,
    /// Power that the utility contract allows.
    #[serde(rename = "contract_power_w")]
    pub contract_power: Power,
    /// Lighting, offices, security and the like, at all hours.
    #[serde(rename = "house_power_w", default)]
    pub house_power: Power,
    /// What it serves.
    #[serde(default)]
    pub service: Service,
    /// What money costs and earns.
    #[serde(default)]
    pub finance: Finance,
    /// The power tree, each group fed by another; exactly one is fed by nothing.
    #[serde(default)]
    pub power: Vec<PowerGroup>,
    /// Power equipment that carries no load in normal running: generators, batteries.
    #[serde(default)]
    pub standby: Vec<Several>,
    /// The cooling loops.
    #[serde(default)]
    pub cooling: Vec<CoolingLoop>,
    /// The halls.
    #[serde(default, rename = "hall")]
    pub halls: Vec<Hall>,
    /// A user's own parts, which win over the catalog's of the same name.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub parts: crate::catalog::Catalog,
}

fn is_empty(catalog: &crate::catalog::Catalog) -> bool {
    catalog.rows().next().is_none()
}

/// Number format of the weights and arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 16-bit.
    Bf16,
    /// 8-bit.
    #[default]
    Fp8,
    /// 4-bit weights; arithmetic in 4-bit where the chip has it.
    Fp4,
    /// 4-bit whole numbers for the weights; arithmetic in 16-bit.
    Int4,
}

impl Precision {
    /// Each of them, the widest first: the one list of what commands, forms and files take.
    pub const ALL: [Self; 4] = [Self::Bf16, Self::Fp8, Self::Fp4, Self::Int4];

    /// Its name in commands, addresses and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bf16 => "bf16",
            Self::Fp8 => "fp8",
            Self::Fp4 => "fp4",
            Self::Int4 => "int4",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Bf16 => "16-bit (BF16)",
            Self::Fp8 => "8-bit (FP8)",
            Self::Fp4 => "4-bit (FP4)",
            Self::Int4 => "4-bit weights (INT4)",
        }
    }
}

/// How much work arrives.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Demand {
    /// Scaled so that the busiest hour of the year asks for this share of what the fleet can serve.
    PeakShare(Ratio),
    /// As many requests as the trace has, each this many times.
    Scale(f64),
}

/// What the facility serves, and how well it must.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Service {
    /// The language model.
    pub model: ModelId,
    /// Its number format.
    pub precision: Precision,
    /// Mean tokens of a request's prompt, where no trace says otherwise.
    pub input_tokens: f64,
    /// Mean tokens of an answer, where no trace says otherwise.
    pub output_tokens: f64,
    /// Share of prompt tokens found in the prefix cache, which need no prefill.
    pub prefix_cache_hit: Ratio,
    /// Longest mean time to the first token.
    #[serde(rename = "ttft_s")]
    pub ttft: Span,
    /// Longest mean time from one output token to the next.
    #[serde(rename = "tpot_s")]
    pub tpot: Span,
    /// How much work arrives.
    pub demand: Demand,
    /// Power limit of each GPU; absent means the board's own.
    #[serde(rename = "power_cap_w", skip_serializing_if = "Option::is_none")]
    pub power_cap: Option<Power>,
}

impl Default for Service {
    /// A chat service of a common open model. Lengths are the means of the public Azure conversation trace of 2023
    /// (1,155 in, 211 out); targets are the mocker and planner defaults of `reference/serving.md` (2 s, 50 ms).
    fn default() -> Self {
        Self {
            model: "llama-3.1-70b".parse().unwrap_or_else(|_| unreachable!("a literal id")),
            precision: Precision::Fp8,
            input_tokens: 1155.0,
            output_tokens: 211.0,
            prefix_cache_hit: Ratio::ZERO,
            ttft: Span::from_seconds(2.0),
            tpot: Span::from_seconds(0.05),
            demand: Demand::PeakShare(Ratio::from_fraction(0.85)),
            power_cap: None,
        }
    }
}

/// What money costs and earns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Finance {
    /// Weighted average cost of capital, a year.
    pub wacc: Ratio,
    /// Life of computers.
    #[serde(rename = "it_life_years")]
    pub it_life_years: f64,
    /// Life of buildings, power and cooling plant.
    pub plant_life_years: f64,
    /// Buildings, land and engineering for each watt of the utility contract.
    pub building_usd_per_w: f64,
    /// Upkeep and spares a year, as a share of the price of what is kept.
    pub upkeep_share: Ratio,
    /// Staff, insurance, tax a year for each watt of the utility contract.
    pub staff_usd_per_w_year: f64,
    /// Price of a million output tokens; absent means the model's own row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_price_usd_per_million: Option<f64>,
    /// Price of a million input tokens; absent means the model's own row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_price_usd_per_million: Option<f64>,
}

impl Default for Finance {
    /// WACC 8% and building shell $2.5/W, staff $0.15/W·y, upkeep 2%: mid-range of published colocation cost
    /// guides (Cushman & Wakefield 2025 US development cost $11.7/W in all, of which our catalog prices power and
    /// cooling plant part by part). IT life 5 years: the straight-line life most hyperscalers report (10-K filings
    /// 2024–2025: 5 to 6 years); plant 20 years.
    fn default() -> Self {
        Self {
            wacc: Ratio::from_percent(8.0),
            it_life_years: 5.0,
            plant_life_years: 20.0,
            building_usd_per_w: 2.5,
            upkeep_share: Ratio::from_percent(2.0),
            staff_usd_per_w_year: 0.15,
            output_price_usd_per_million: None,
            input_price_usd_per_million: None,
        }
    }
}

/// How many units may fail before the load is not carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Redundancy {
    /// None: every unit is needed.
    #[default]
    #[serde(rename = "n")]
    N,
    /// One unit to spare.
    #[serde(rename = "n+1")]
    NPlus1,
    /// Twice what is needed, on two sides.
    #[serde(rename = "2n")]
    TwoN,
    /// Three for the work of two.
    #[serde(rename = "3n/2")]
    ThreeNOverTwo,
}

impl Redundancy {
    /// Each of them, with its name in files, addresses and commands.
    pub const ALL: [(&'static str, Self); 4] =
        [("n", Self::N), ("n+1", Self::NPlus1), ("2n", Self::TwoN), ("3n/2", Self::ThreeNOverTwo)];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, own)| *own == self).map_or("", |(name, _)| name)
    }

    /// Whole units whose capacity may be promised, of `installed` ones.
    pub fn firm_units(self, installed: u32) -> f64 {
        let n = f64::from(installed);
        match self {
            Self::N => n,
            Self::NPlus1 => (n - 1.0).max(0.0),
            Self::TwoN => (n / 2.0).floor(),
            Self::ThreeNOverTwo => (n * 2.0 / 3.0).floor(),
        }
    }
}

/// One level of the power tree: units of one part side by side, sharing what they feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PowerGroup {
    /// Its name in this design.
    pub name: String,
    /// The catalog part.
    pub part: PartId,
    /// Units installed.
    pub units: u32,
    /// How many may fail.
    #[serde(default)]
    pub redundancy: Redundancy,
    /// The group that feeds it; absent for the service entrance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fed_by: Option<String>,
}

/// Units of one cooling part, sharing the work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CoolingGroup {
    /// The catalog part.
    pub part: PartId,
    /// Units installed.
    pub units: u32,
    /// How many may fail.
    #[serde(default)]
    pub redundancy: Redundancy,
}

/// A loop that takes heat from halls to the outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CoolingLoop {
    /// Its name in this design.
    pub name: String,
    /// Facility water supply set-point.
    #[serde(rename = "supply_temperature_c")]
    pub supply_temperature: Temperature,
    /// How much the water warms, at design heat.
    #[serde(rename = "rise_k", default = "default_rise")]
    pub rise: TemperatureRise,
    /// Pressure that the facility pumps make, at design flow.
    #[serde(rename = "pump_head_pa", default = "default_head")]
    pub pump_head: Pressure,
    /// CDUs or fan walls, where the heat enters the loop.
    pub terminal: CoolingGroup,
    /// Dry coolers, adiabatic coolers or towers, where it leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<CoolingGroup>,
    /// Chillers, for what the outside cannot take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chiller: Option<CoolingGroup>,
    /// The power group that feeds its fans, pumps and chillers; absent means the service entrance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fed_by: Option<String>,
}

fn default_rise() -> TemperatureRise {
    TemperatureRise::from_kelvins(10.0)
}

fn default_head() -> Pressure {
    Pressure::from_kilopascals(180.0)
}

/// A room of racks, or several alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Hall {
    /// Its name in this design.
    pub name: String,
    /// How many halls like it.
    #[serde(default = "one")]
    pub count: u32,
    /// Floor area of one.
    #[serde(rename = "floor_area_m2", default)]
    pub floor_area: Area,
    /// Rack positions in one.
    pub positions: u32,
    /// The power group that feeds its racks.
    pub fed_by: String,
    /// The cooling loop that takes its liquid heat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub liquid: Option<String>,
    /// The cooling loop that takes its air heat.
    pub air: String,
    /// How its rows stand on the floor.
    #[serde(default, skip_serializing_if = "is_default_layout")]
    pub layout: HallLayout,
    /// Its rows.
    #[serde(default, rename = "row")]
    pub rows: Vec<Row>,
}

/// How the rows of a hall stand: parallel, fronts facing fronts over cold aisles, backs facing backs over hot ones.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct HallLayout {
    /// Width of an aisle between fronts.
    #[serde(rename = "cold_aisle_m")]
    pub cold_aisle: Length,
    /// Width of an aisle between backs.
    #[serde(rename = "hot_aisle_m")]
    pub hot_aisle: Length,
    /// Room round the rows, to the walls.
    #[serde(rename = "clearance_m")]
    pub clearance: Length,
    /// Distance of columns from each other, both ways; 0 for a hall without.
    #[serde(rename = "column_pitch_m")]
    pub column_pitch: Length,
}

impl Default for HallLayout {
    /// Aisles of 1.2 m, two tiles of 600 mm, as ASHRAE TC 9.9's layouts have them; 1.8 m to the walls, so that a rack
    /// 1.2 m deep can be turned; no columns.
    fn default() -> Self {
        Self {
            cold_aisle: Length::from_metres(1.2),
            hot_aisle: Length::from_metres(1.2),
            clearance: Length::from_metres(1.8),
            column_pitch: Length::from_metres(0.0),
        }
    }
}

fn is_default_layout(layout: &HallLayout) -> bool {
    *layout == HallLayout::default()
}

/// A row of racks, or several alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its name in this design.
    pub name: String,
    /// How many rows like it in one hall.
    #[serde(default = "one")]
    pub count: u32,
    /// Its racks.
    #[serde(default, rename = "rack")]
    pub racks: Vec<RackGroup>,
}

/// Racks alike in a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RackGroup {
    /// The catalog rack.
    pub part: PartId,
    /// How many in one row.
    #[serde(default = "one")]
    pub count: u32,
    /// Trays put in, beside those it comes with.
    #[serde(default)]
    pub trays: Vec<Mounted>,
    /// Power limit of each of its GPUs; absent means the service's.
    #[serde(rename = "power_cap_w", default, skip_serializing_if = "Option::is_none")]
    pub power_cap: Option<Power>,
}

impl RackGroup {
    /// Every tray of one rack and how many of it: those that the rack comes with, then those put in.
    pub fn all_trays<'a>(&'a self, rack: &'a Rack) -> impl Iterator<Item = (&'a PartId, u32)> {
        let delivered = rack.trays.iter().map(|item| (&item.part, item.count));
        delivered.chain(self.trays.iter().map(|item| (&item.part, item.count)))
    }
}

/// On which side of a rack a tray of half depth is mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Face {
    /// At the front.
    #[default]
    Front,
    /// At the rear.
    Rear,
}

/// Trays alike in a rack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Mounted {
    /// The catalog tray.
    pub part: PartId,
    /// How many, one above the other; half-width ones two by two.
    #[serde(default = "one")]
    pub count: u32,
    /// Lowest unit of the first, from 1 at the foot; absent where the lowest free one will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_unit: Option<f64>,
    /// Side on which those of half depth are mounted.
    #[serde(default, skip_serializing_if = "is_front")]
    pub face: Face,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_front(face: &Face) -> bool {
    *face == Face::Front
}

fn one() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn firm_units_follow_the_redundancy() {
        assert!((Redundancy::N.firm_units(6) - 6.0).abs() < 1e-12);
        assert!((Redundancy::NPlus1.firm_units(6) - 5.0).abs() < 1e-12);
        assert!((Redundancy::TwoN.firm_units(6) - 3.0).abs() < 1e-12);
        assert!((Redundancy::ThreeNOverTwo.firm_units(6) - 4.0).abs() < 1e-12);
        assert!(Redundancy::NPlus1.firm_units(0).abs() < 1e-12);
        // Half a unit carries nothing.
        assert!((Redundancy::TwoN.firm_units(5) - 2.0).abs() < 1e-12);
        assert!(Redundancy::TwoN.firm_units(1).abs() < 1e-12);
        assert!((Redundancy::ThreeNOverTwo.firm_units(4) - 2.0).abs() < 1e-12);
        assert!((Redundancy::ThreeNOverTwo.firm_units(5) - 3.0).abs() < 1e-12);
    }
}
