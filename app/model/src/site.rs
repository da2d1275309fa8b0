//! A site: a design whose every part exists and adds up. Only a site can be simulated. Made by `sim::resolve`.
//!
//! Names have become indices into this file's own lists; racks alike have become classes with a count.

use crate::design::{Demand, Finance, Precision, Redundancy};
use crate::location::Location;
use crate::money::Usd;
use crate::part::{CoolingPart, Gpu, LanguageModel, LossCurve, PowerKind};
use crate::quantity::{Area, Mass, Power, Pressure, Ratio, Span, Temperature, TemperatureRise};
use serde::{Deserialize, Serialize};

/// A facility, resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Site {
    /// Its design's name.
    pub name: String,
    /// Where it stands.
    pub location: Location,
    /// Power that the utility contract allows.
    #[serde(rename = "contract_power_w")]
    pub contract_power: Power,
    /// Lighting, offices and the like.
    #[serde(rename = "house_power_w")]
    pub house_power: Power,
    /// What it serves.
    pub service: SiteService,
    /// What money costs and earns.
    pub finance: Finance,
    /// The power tree: parents stand before their children, the service entrance first.
    pub power: Vec<PowerNode>,
    /// The cooling loops.
    pub loops: Vec<Loop>,
    /// Racks by class.
    pub racks: Vec<RackClass>,
    /// Halls, for what space allows.
    pub halls: Vec<HallSpace>,
    /// What it costs to build, part by part.
    pub capex: Vec<CapexLine>,
}

/// What a site serves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SiteService {
    /// The language model.
    pub model: LanguageModel,
    /// Its number format.
    pub precision: Precision,
    /// Mean prompt, tokens.
    pub input_tokens: f64,
    /// Mean answer, tokens.
    pub output_tokens: f64,
    /// Share of prompt tokens that need no prefill.
    pub prefix_cache_hit: Ratio,
    /// Longest mean time to the first token.
    #[serde(rename = "ttft_s")]
    pub ttft: Span,
    /// Longest mean time between tokens.
    #[serde(rename = "tpot_s")]
    pub tpot: Span,
    /// How much work arrives.
    pub demand: Demand,
}

/// One level of the power tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PowerNode {
    /// Its name in the design.
    pub name: String,
    /// The part's name.
    pub part: String,
    /// What it does.
    pub kind: PowerKind,
    /// What one unit can carry.
    #[serde(rename = "rated_power_w")]
    pub rated_power: Power,
    /// Units installed.
    pub units: u32,
    /// How many may fail.
    pub redundancy: Redundancy,
    /// Losses of a unit.
    pub loss: LossCurve,
    /// Index of the node that feeds it; none for the service entrance.
    pub fed_by: Option<u32>,
}

impl PowerNode {
    /// What all its units could carry together.
    pub fn installed(&self) -> Power {
        self.rated_power * self.units
    }
    /// What it can promise with its redundancy kept.
    pub fn firm(&self) -> Power {
        self.rated_power * self.redundancy.firm_units(self.units)
    }
}

/// Units of one cooling part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CoolingUnits {
    /// The part.
    pub part: CoolingPart,
    /// Units installed.
    pub units: u32,
    /// How many may fail.
    pub redundancy: Redundancy,
}

impl CoolingUnits {
    /// Units whose work may be promised.
    pub fn firm_units(&self) -> f64 {
        self.redundancy.firm_units(self.units)
    }
    /// Heat it can promise to move at its design conditions.
    pub fn firm(&self) -> Power {
        self.part.heat_capacity * self.firm_units()
    }
}

/// A loop from the halls to the outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Loop {
    /// Its name in the design.
    pub name: String,
    /// Facility water supply set-point.
    #[serde(rename = "supply_temperature_c")]
    pub supply: Temperature,
    /// How much the water warms at design heat.
    #[serde(rename = "rise_k")]
    pub rise: TemperatureRise,
    /// Pressure that the facility pumps make at design flow.
    #[serde(rename = "pump_head_pa")]
    pub pump_head: Pressure,
    /// Warmest supply that every rack on it accepts.
    #[serde(rename = "supply_max_c")]
    pub supply_max: Temperature,
    /// Heat it takes with everything busy; the pumps are sized for it.
    #[serde(rename = "design_heat_w")]
    pub design_heat: Power,
    /// CDUs or fan walls.
    pub terminal: CoolingUnits,
    /// Dry coolers, adiabatic coolers or towers.
    pub rejection: Option<CoolingUnits>,
    /// Chillers.
    pub chiller: Option<CoolingUnits>,
    /// Index of the power node that feeds it.
    pub fed_by: u32,
}

/// Racks alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RackClass {
    /// Where they stand: hall and row.
    pub place: String,
    /// The part's name.
    pub part: String,
    /// How many in the facility.
    pub count: u32,
    /// Their GPU, if any.
    pub gpu: Option<Gpu>,
    /// GPUs in one.
    pub gpus: u32,
    /// GPUs that share a scale-up domain.
    pub domain_gpus: u32,
    /// Power limit of each GPU: the design's, or the board's own.
    #[serde(rename = "power_cap_w")]
    pub power_cap: Power,
    /// Mass of one with its trays.
    #[serde(rename = "mass_kg")]
    pub mass: Mass,
    /// Provisioned power of one, at its input.
    #[serde(rename = "rated_power_w")]
    pub rated_power: Power,
    /// Draw of everything but GPU boards in one, with no work.
    #[serde(rename = "overhead_idle_w")]
    pub overhead_idle: Power,
    /// The same at full work.
    #[serde(rename = "overhead_busy_w")]
    pub overhead_busy: Power,
    /// Its power shelves' loss curve, rating each and number; none where trays have their own supplies.
    pub shelf: Option<Shelf>,
    /// Share of its heat that leaves in liquid.
    pub liquid_fraction: Ratio,
    /// Index of the power node that feeds them.
    pub fed_by: u32,
    /// Index of the loop that takes their liquid heat.
    pub liquid: Option<u32>,
    /// Index of the loop that takes their air heat.
    pub air: u32,
}

/// The rectifiers of one rack.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Shelf {
    /// Output of all of them together.
    #[serde(rename = "rated_power_w")]
    pub rated_power: Power,
    /// Losses as shares of that.
    pub loss: LossCurve,
}

/// What a hall has room for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HallSpace {
    /// Its name in the design.
    pub name: String,
    /// Positions in all halls like it.
    pub positions: u32,
    /// Racks in all halls like it.
    pub racks: u32,
    /// Provisioned power of its largest rack, which is what another one would need.
    #[serde(rename = "rack_power_w")]
    pub rack_power: Power,
    /// Index of the power node that feeds it.
    pub fed_by: u32,
    /// Floor of one; 0 where the design gives none.
    #[serde(rename = "floor_m2")]
    pub floor: Area,
    /// Floor that the rows, aisles and clearance of one need.
    #[serde(rename = "floor_needed_m2")]
    pub floor_needed: Area,
    /// Racks of one that stand where a column does.
    pub blocked_racks: u32,
}

/// How fast a purchase is written off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum AssetClass {
    /// Computers, network, racks.
    It,
    /// Power and cooling plant.
    Plant,
    /// Shell, land, engineering.
    Building,
}

/// One line of what it costs to build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CapexLine {
    /// The part's name.
    pub part: String,
    /// How many.
    pub count: u32,
    /// All of them together.
    #[serde(rename = "cost_usd_cents")]
    #[cfg_attr(feature = "schema", schema(value_type = i64))]
    pub cost: Usd,
    /// How fast it is written off.
    pub class: AssetClass,
}

impl Site {
    /// GPUs in the facility.
    pub fn gpu_count(&self) -> u32 {
        self.racks.iter().fold(0, |sum: u32, class| sum.saturating_add(class.count.saturating_mul(class.gpus)))
    }
    /// Racks in the facility.
    pub fn rack_count(&self) -> u32 {
        self.racks.iter().fold(0, |sum: u32, class| sum.saturating_add(class.count))
    }
    /// Provisioned power of all racks, at their inputs.
    pub fn rated_it_power(&self) -> Power {
        self.racks.iter().map(|class| class.rated_power * class.count).sum()
    }
}

impl RackClass {
    /// Provisioned power of one rack with its GPUs' cap, which is enforced, taken off.
    pub fn provisioned(&self) -> Power {
        let saved = self.gpu.as_ref().map_or(Power::ZERO, |gpu| gpu.board_power - self.power_cap);
        (self.rated_power - saved * self.gpus).max(Power::ZERO)
    }
}
