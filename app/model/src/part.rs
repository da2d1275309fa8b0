//! Parts: what a facility is made of, as rows of the catalog. Every row says where its figures come from.
//!
//! On the wire each field ends in its unit. Prices are estimates unless their source says otherwise.

use crate::design::Precision;
use crate::id::{ModelId, PartId};
use crate::quantity::{
    Bandwidth, Bytes, ComputeRate, Length, Mass, Power, Pressure, Ratio, Temperature, TemperatureRise,
};
use serde::{Deserialize, Serialize};

/// Whether a part can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Availability {
    /// Sold and delivered.
    #[default]
    Available,
    /// Announced by its maker; figures are the maker's and may change.
    Announced,
    /// No particular product: a typical one, from published ranges.
    Generic,
}

/// Dense arithmetic rates by number format; a format the chip lacks is absent.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Flops {
    /// bfloat16 matrix rate, without sparsity.
    #[serde(rename = "bf16_flops")]
    pub bf16: ComputeRate,
    /// 8-bit floating point.
    #[serde(rename = "fp8_flops", default, skip_serializing_if = "Option::is_none")]
    pub fp8: Option<ComputeRate>,
    /// 4-bit floating point.
    #[serde(rename = "fp4_flops", default, skip_serializing_if = "Option::is_none")]
    pub fp4: Option<ComputeRate>,
}

/// One GPU (or other accelerator) board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Gpu {
    /// Its name in designs.
    pub id: PartId,
    /// Its name on a page.
    pub name: String,
    /// Who makes it.
    pub maker: String,
    /// Whether it can be had.
    #[serde(default)]
    pub availability: Availability,
    /// Board power at the maker's highest limit (TDP, TGP, TBP).
    #[serde(rename = "board_power_w")]
    pub board_power: Power,
    /// Board power with a model loaded and no work.
    #[serde(rename = "idle_power_w")]
    pub idle_power: Power,
    /// Lowest power limit that the board accepts.
    #[serde(rename = "min_power_cap_w")]
    pub min_power_cap: Power,
    /// Memory on the package.
    #[serde(rename = "memory_bytes")]
    pub memory: Bytes,
    /// Peak memory bandwidth.
    #[serde(rename = "memory_bandwidth_bytes_per_s")]
    pub memory_bandwidth: Bandwidth,
    /// Peak dense arithmetic.
    pub flops: Flops,
    /// Scale-up link of one GPU, one direction.
    #[serde(rename = "link_bandwidth_bytes_per_s")]
    pub link_bandwidth: Bandwidth,
    /// Where the figures come from.
    pub source: String,
    /// When they were read: `2026-11`.
    pub as_of: String,
}

/// How much of a rack's width a tray takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TrayWidth {
    /// All of it.
    #[default]
    Full,
    /// Half: two stand side by side.
    Half,
}

/// How much of a rack's depth a tray takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TrayDepth {
    /// All of it.
    #[default]
    Full,
    /// Half: another may be mounted behind it.
    Half,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A box that slides into a rack: a server or compute tray, a switch tray, a storage node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Tray {
    /// Its name in designs.
    pub id: PartId,
    /// Its name on a page.
    pub name: String,
    /// Who makes it.
    pub maker: String,
    /// Whether it can be had.
    #[serde(default)]
    pub availability: Availability,
    /// The GPU it carries, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<PartId>,
    /// How many of them.
    #[serde(default)]
    pub gpu_count: u32,
    /// Provisioned power at its input, everything in it at its limit.
    #[serde(rename = "rated_power_w")]
    pub rated_power: Power,
    /// Draw of everything but the GPU boards with no work (processors, memory, network, fans, conversion).
    #[serde(rename = "overhead_idle_w")]
    pub overhead_idle: Power,
    /// The same at full work.
    #[serde(rename = "overhead_busy_w")]
    pub overhead_busy: Power,
    /// Share of its heat that leaves in liquid; the rest in air.
    #[serde(rename = "liquid_fraction")]
    pub liquid_fraction: Ratio,
    /// Height in rack units: U of 44.45 mm, or OU of 48 mm, as the rack has them. 0 for what stands upright beside them.
    pub height_units: f64,
    /// How much of the rack's width it takes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub width: TrayWidth,
    /// How much of the rack's depth it takes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub depth: TrayDepth,
    /// Mass.
    #[serde(rename = "mass_kg")]
    pub mass: Mass,
    /// How many GPUs share a scale-up domain when this tray stands alone.
    #[serde(default)]
    pub domain_gpus: u32,
    /// Price of the whole tray.
    #[serde(rename = "price_usd")]
    pub price_dollars: f64,
    /// Where the figures come from.
    pub source: String,
    /// When they were read.
    pub as_of: String,
}

impl Tray {
    /// Units of a rack that one of it takes: those of half width or depth share theirs with another.
    pub fn units_taken(&self) -> f64 {
        let width = if self.width == TrayWidth::Half { 0.5 } else { 1.0 };
        let depth = if self.depth == TrayDepth::Half { 0.5 } else { 1.0 };
        self.height_units * width * depth
    }
}

/// What a rack is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RackKind {
    /// Makes tokens.
    Compute,
    /// Carries the network.
    Network,
    /// Holds data.
    Storage,
    /// An empty cabinet, to be filled with trays by the design.
    Cabinet,
}

/// The unit that a rack's height is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum RackUnit {
    /// 44.45 mm, of 19-inch racks (EIA-310).
    #[default]
    U,
    /// 48 mm, of 21-inch Open Racks.
    Ou,
}

/// Some number of one part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Several {
    /// Which part.
    pub part: PartId,
    /// How many.
    pub count: u32,
}

/// A rack, empty or as delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Rack {
    /// Its name in designs.
    pub id: PartId,
    /// Its name on a page.
    pub name: String,
    /// Who makes it.
    pub maker: String,
    /// Whether it can be had.
    #[serde(default)]
    pub availability: Availability,
    /// What it is for.
    pub kind: RackKind,
    /// The trays it comes with.
    #[serde(default)]
    pub trays: Vec<Several>,
    /// The power shelves it comes with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_shelf: Option<Several>,
    /// Provisioned power at the rack's input.
    #[serde(rename = "rated_power_w")]
    pub rated_power: Power,
    /// How many GPUs share a scale-up domain across the rack; 0 where each tray is its own.
    #[serde(default)]
    pub domain_gpus: u32,
    /// Highest facility water supply temperature at which its full power is cooled.
    #[serde(rename = "supply_temperature_max_c")]
    pub supply_temperature_max: Temperature,
    /// Space for trays, in its own units.
    pub height_units: f64,
    /// Those units.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unit: RackUnit,
    /// Outer height.
    #[serde(rename = "height_m")]
    pub height: Length,
    /// Outer width.
    #[serde(rename = "width_m")]
    pub width: Length,
    /// Outer depth.
    #[serde(rename = "depth_m")]
    pub depth: Length,
    /// Mass without trays.
    #[serde(rename = "mass_kg")]
    pub mass: Mass,
    /// Price without trays and shelves.
    #[serde(rename = "price_usd")]
    pub price_dollars: f64,
    /// Where the figures come from.
    pub source: String,
    /// When they were read.
    pub as_of: String,
}

/// Share of rating lost at a load: `a + b·load + c·load²`, load in 0..=1 of rating. Each coefficient is a share.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LossCurve {
    /// Lost with no load.
    pub a: f64,
    /// Lost in proportion to load.
    pub b: f64,
    /// Lost with the square of load (resistance).
    pub c: f64,
}

/// What a piece of power equipment does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PowerKind {
    /// Changes voltage.
    Transformer,
    /// Distributes, and breaks faults.
    Switchboard,
    /// Carries the load through an outage.
    Ups,
    /// Overhead bars along the rows.
    Busway,
    /// Floor or rack distribution.
    Pdu,
    /// Rectifiers in the rack.
    PowerShelf,
    /// Makes power when the grid does not; no loss while it stands by.
    Generator,
    /// Stores energy.
    Battery,
}

/// A piece of power equipment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PowerPart {
    /// Its name in designs.
    pub id: PartId,
    /// Its name on a page.
    pub name: String,
    /// Who makes it.
    pub maker: String,
    /// Whether it can be had.
    #[serde(default)]
    pub availability: Availability,
    /// What it does.
    pub kind: PowerKind,
    /// Output it can carry without end.
    #[serde(rename = "rated_power_w")]
    pub rated_power: Power,
    /// Its losses.
    pub loss: LossCurve,
    /// Energy it stores, for batteries.
    #[serde(rename = "energy_wh", default)]
    pub energy_watt_hours: f64,
    /// Installed price of one.
    #[serde(rename = "price_usd")]
    pub price_dollars: f64,
    /// Where the figures come from.
    pub source: String,
    /// When they were read.
    pub as_of: String,
}

/// How a fan's or pump's power follows its speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FanControl {
    /// Electronically commutated or with a drive: power with the cube of flow.
    Variable,
    /// Two speeds, the low one at half capacity and 16% of power; cycles between them.
    TwoSpeed,
}

/// What rejects heat to the outside, or moves it inside. Each kind has its own figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CoolingKind {
    /// Coolant distribution unit: facility water on one side, the racks' loop on the other.
    Cdu {
        /// How much warmer its racks' supply is than the facility water, at rated heat.
        #[serde(rename = "approach_k")]
        approach: TemperatureRise,
        /// Pressure its own pumps make, at rated heat.
        #[serde(rename = "pump_head_pa")]
        pump_head: Pressure,
    },
    /// Fan wall, or computer-room air handler: hall air over a water coil.
    FanWall {
        /// How much warmer the supply air is than the water.
        #[serde(rename = "approach_k")]
        approach: TemperatureRise,
        /// Fan power at rated heat.
        #[serde(rename = "fan_power_w")]
        fan_power: Power,
    },
    /// Dry cooler: water to outside air through a coil.
    DryCooler {
        /// Outside dry bulb at which it rejects its rated heat.
        #[serde(rename = "design_dry_bulb_c")]
        design_dry_bulb: Temperature,
        /// Water entering it then.
        #[serde(rename = "design_entering_water_c")]
        design_entering_water: Temperature,
        /// Cooling of the water then.
        #[serde(rename = "design_range_k")]
        design_range: TemperatureRise,
        /// Fan power at full speed.
        #[serde(rename = "fan_power_w")]
        fan_power: Power,
        /// Fan control.
        fan_control: FanControl,
    },
    /// Dry cooler whose air is first cooled by wetted pads when it is too warm.
    AdiabaticCooler {
        /// Air temperature at the coil at which it rejects its rated heat.
        #[serde(rename = "design_dry_bulb_c")]
        design_dry_bulb: Temperature,
        /// Water entering it then.
        #[serde(rename = "design_entering_water_c")]
        design_entering_water: Temperature,
        /// Cooling of the water then.
        #[serde(rename = "design_range_k")]
        design_range: TemperatureRise,
        /// Fan power at full speed.
        #[serde(rename = "fan_power_w")]
        fan_power: Power,
        /// Share of the wet-bulb depression that the pads take.
        saturation_effectiveness: Ratio,
        /// Concentration of the pad water over the make-up, which sets its bleed.
        cycles_of_concentration: f64,
    },
    /// Open evaporative tower.
    CoolingTower {
        /// Outside wet bulb at which it rejects its rated heat.
        #[serde(rename = "design_wet_bulb_c")]
        design_wet_bulb: Temperature,
        /// Leaving water above the wet bulb then.
        #[serde(rename = "approach_k")]
        approach: TemperatureRise,
        /// Cooling of the water then.
        #[serde(rename = "range_k")]
        range: TemperatureRise,
        /// Fan power at full speed.
        #[serde(rename = "fan_power_w")]
        fan_power: Power,
        /// Share of the water flow lost as droplets.
        drift_fraction: Ratio,
        /// Concentration over the make-up, which sets the blow-down.
        cycles_of_concentration: f64,
    },
    /// Vapour-compression chiller.
    Chiller {
        /// Heat moved over electricity, at its rating.
        rated_cop: f64,
        /// Leaving water at its rating.
        #[serde(rename = "rated_supply_c")]
        rated_supply: Temperature,
        /// Outside air (air-cooled) or entering condenser water (water-cooled) at its rating.
        #[serde(rename = "rated_condenser_c")]
        rated_condenser: Temperature,
        /// Where its condenser's heat goes.
        condenser: Condenser,
    },
}

/// Where a chiller's condenser gives its heat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Condenser {
    /// To outside air, by its own fans, which are in its COP.
    Air,
    /// To water, and so to the loop's tower.
    Water,
}

/// A piece of cooling equipment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CoolingPart {
    /// Its name in designs.
    pub id: PartId,
    /// Its name on a page.
    pub name: String,
    /// Who makes it.
    pub maker: String,
    /// Whether it can be had.
    #[serde(default)]
    pub availability: Availability,
    /// Heat it moves at its design conditions.
    #[serde(rename = "heat_capacity_w")]
    pub heat_capacity: Power,
    /// What it is, with the figures of its kind.
    #[serde(flatten)]
    pub kind: CoolingKind,
    /// Installed price of one.
    #[serde(rename = "price_usd")]
    pub price_dollars: f64,
    /// Where the figures come from.
    pub source: String,
    /// When they were read.
    pub as_of: String,
}

/// How a model's attention keeps its past.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Attention {
    /// Grouped-query attention: keys and values for each key-value head.
    GroupedQuery {
        /// Key-value heads.
        kv_heads: u32,
        /// Width of a head.
        head_dim: u32,
        /// Layers whose window is bounded, and by how many tokens; 0 where every layer sees everything.
        #[serde(default)]
        windowed_layers: u32,
        /// That window.
        #[serde(default)]
        window_tokens: u32,
        /// Most tokens of its past that a token reads, where a selection is read; 0 where all is.
        #[serde(default, skip_serializing_if = "is_default")]
        sparse_tokens: u32,
        /// Layers of linear attention or state space, whose past does not grow.
        #[serde(default, skip_serializing_if = "is_default")]
        linear_layers: u32,
    },
    /// Multi-head latent attention: one compressed vector a token and layer.
    Latent {
        /// Width of the compressed vector with its rotary part.
        latent_dim: u32,
        /// Most tokens of its past that a token reads, where a selection is read; 0 where all is.
        #[serde(default, skip_serializing_if = "is_default")]
        sparse_tokens: u32,
        /// Layers of linear attention or state space, whose past does not grow.
        #[serde(default, skip_serializing_if = "is_default")]
        linear_layers: u32,
    },
}

/// A language model's architecture, as far as speed and memory need it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LanguageModel {
    /// Its name in designs.
    pub id: ModelId,
    /// Its name on a page.
    pub name: String,
    /// Who made it.
    pub maker: String,
    /// Names under which its weights are published: `meta-llama/Llama-3.1-70B`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hub: Vec<String>,
    /// Parameters in all.
    pub parameters: f64,
    /// Parameters used for one token.
    pub active_parameters: f64,
    /// Layers.
    pub layers: u32,
    /// Width of the residual stream.
    pub hidden_size: u32,
    /// Query heads.
    pub heads: u32,
    /// Words of its vocabulary; 0 where it is not told, and then left out of account.
    #[serde(default)]
    pub vocabulary: u32,
    /// Longest prompt and answer together that its configuration allows, tokens; 0 where it is not told.
    #[serde(default)]
    pub context_tokens: u32,
    /// How it keeps its past.
    pub attention: Attention,
    /// Parameters of attention in one layer, on average; 0 where it is not told: then of grouped-query heads.
    #[serde(default)]
    pub attention_parameters: f64,
    /// Layers with a dense feed-forward; 0 where nothing is told of them: then all that experts do not account for.
    #[serde(default)]
    pub dense_layers: u32,
    /// Parameters of one such feed-forward.
    #[serde(default)]
    pub dense_parameters: f64,
    /// Routed experts in a layer; 0 for a dense model.
    #[serde(default)]
    pub experts: u32,
    /// Of which a token uses this many.
    #[serde(default)]
    pub experts_per_token: u32,
    /// Layers with experts; 0 where it is not told: then all.
    #[serde(default)]
    pub expert_layers: u32,
    /// Parameters of one routed expert in one layer; 0 where it is not told: then of the difference between all and active.
    #[serde(default)]
    pub expert_parameters: f64,
    /// Number format that the experts' weights are published in, where it is not a matter of choice; attention is then 16-bit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expert_precision: Option<Precision>,
    /// Parameters in one such layer of the experts that every token uses.
    #[serde(default)]
    pub shared_parameters: f64,
    /// Typical price of a million input tokens, as sold by hosts of open models.
    pub input_price_usd_per_million: f64,
    /// And of a million output tokens.
    pub output_price_usd_per_million: f64,
    /// Where the figures come from.
    pub source: String,
    /// When they were read.
    pub as_of: String,
}

/// A public figure's origin, as every row has it.
pub trait Sourced {
    /// The row's name in designs.
    fn row(&self) -> String;
    /// Where its figures come from.
    fn source(&self) -> &str;
    /// When they were read.
    fn as_of(&self) -> &str;
}

macro_rules! sourced {
    ($($name:ident),+) => { $(impl Sourced for $name {
        fn row(&self) -> String { self.id.to_string() }
        fn source(&self) -> &str { &self.source }
        fn as_of(&self) -> &str { &self.as_of }
    })+ };
}
sourced!(Gpu, Tray, Rack, PowerPart, CoolingPart, LanguageModel);
