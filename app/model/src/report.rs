//! What a run came to: the figures that the command prints, the JSON holds and the pages show, from one struct.
//!
//! Names are stable and end in their unit; programs read them.

use crate::note::Note;
use crate::scenario::InputReport;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A prediction with the range that it is expected to fall in.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Banded {
    /// Best estimate.
    pub value: f64,
    /// Lower end of the band.
    pub low: f64,
    /// Upper end of the band.
    pub high: f64,
}

impl Banded {
    /// A value with a relative error either way.
    pub fn around(value: f64, relative_error: f64) -> Self {
        Self::leaning(value, relative_error, relative_error)
    }

    /// A value with one relative error downwards and another upwards.
    pub fn leaning(value: f64, below: f64, above: f64) -> Self {
        Self { value, low: value * (1.0 - below), high: value * (1.0 + above) }
    }
}

/// How a fleet serves at full work.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ServingPoint {
    /// The GPU.
    pub gpu: String,
    /// GPUs of this kind.
    pub gpus: u32,
    /// GPUs that hold one copy of the model (tensor- or expert-parallel).
    pub gpus_per_replica: u32,
    /// Requests served at once by a copy.
    pub batch: f64,
    /// Mean time to the first token, milliseconds.
    pub ttft_ms: f64,
    /// Mean time between tokens, milliseconds.
    pub tpot_ms: f64,
    /// Output tokens per second of one GPU.
    pub output_tokens_per_s_per_gpu: f64,
    /// Share of the time spent on prompts.
    pub prefill_share: f64,
    /// Board power at full work, W.
    pub gpu_power_w: f64,
    /// Power limit of a board, W.
    pub power_cap_w: f64,
    /// What decides its speed: `memory bandwidth`, `arithmetic`, `links`, `memory size`, `time targets`.
    pub bound_by: String,
}

/// Power that is installed where racks are fed and can't be used, by cause, MW; `sim::stranded` says how they add up.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Stranded {
    /// Held back so that units may fail.
    pub redundancy: f64,
    /// A level downstream is smaller than the one above, or what is left is less than a rack.
    pub rating_mismatch: f64,
    /// Racks whose heat can't be rejected.
    pub cooling: f64,
    /// No position for another rack.
    pub space: f64,
    /// Provisioned to racks that never draw it.
    pub part_load: f64,
}

/// A cooling loop at one moment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LoopReport {
    /// Its name in the design.
    pub name: String,
    /// Heat from racks, MW.
    pub heat_mw: f64,
    /// What its CDUs or fan walls can promise to move, MW.
    pub terminal_firm_mw: f64,
    /// What its outside plant can promise to take with the supply as warm as racks accept, MW.
    pub outside_firm_mw: f64,
    /// Facility water to the halls, °C.
    pub supply_c: f64,
    /// Facility water back, °C.
    pub return_c: f64,
    /// Facility water, m³/h.
    pub flow_m3_per_h: f64,
    /// Fans, outside and in the halls, kW.
    pub fan_kw: f64,
    /// Pumps, kW.
    pub pump_kw: f64,
    /// Chillers, kW.
    pub chiller_kw: f64,
    /// Make-up water, m³/h.
    pub water_m3_per_h: f64,
    /// How the heat leaves: `dry`, `adiabatic`, `tower`, `trim`, `chiller`.
    pub mode: String,
}

/// What a site does at one moment: everything busy, at its mean weather and at its hottest hour.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Evaluation {
    /// The design.
    pub design: String,
    /// The language model.
    pub model: String,
    /// Racks.
    pub racks: u32,
    /// GPUs.
    pub gpus: u32,
    /// Utility contract.
    pub contract_power_mw: f64,
    /// Facility draw, everything busy, mean weather.
    pub facility_power_mw: f64,
    /// The same on the hottest hour.
    pub peak_power_mw: f64,
    /// Into the racks.
    pub it_power_mw: f64,
    /// Provisioned to the racks.
    pub it_rated_power_mw: f64,
    /// Into GPU boards.
    pub gpu_power_mw: f64,
    /// Facility over IT power, everything busy, mean weather.
    pub pue: f64,
    /// Output tokens per second, everything busy.
    pub output_tokens_per_s: f64,
    /// Output tokens per second for each facility megawatt, with band.
    pub tokens_per_second_per_mw_facility: Banded,
    /// How each kind of GPU serves.
    pub serving: Vec<ServingPoint>,
    /// To build it.
    pub capex_usd: f64,
    /// By cause.
    pub stranded_power_mw: Stranded,
    /// Racks with their trays, t.
    pub rack_mass_t: f64,
    /// At each node of the power tree, everything busy, hottest hour.
    pub power_tree: Vec<NodeReport>,
    /// Each cooling loop, everything busy, hottest hour.
    pub loops: Vec<LoopReport>,
    /// Dry bulb of that hour, °C.
    pub hottest_c: f64,
    /// What was found.
    pub notes: Vec<Note>,
}

/// One node of the power tree in a report.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NodeReport {
    /// Its name in the design.
    pub name: String,
    /// The part's name.
    pub part: String,
    /// Levels below the service entrance.
    pub depth: u32,
    /// Units installed.
    pub units: u32,
    /// All units together.
    pub installed_mw: f64,
    /// With its redundancy kept.
    pub firm_mw: f64,
    /// Provisioned to what hangs on it.
    pub provisioned_mw: f64,
    /// Highest draw.
    pub peak_mw: f64,
    /// Mean draw.
    pub mean_mw: f64,
    /// Energy lost in it.
    pub loss_mwh: f64,
}

/// Energy from one place to another, for the flow diagram.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = EnergyFlow))]
pub struct Flow {
    /// Where it comes from.
    pub from: String,
    /// Where it goes.
    pub to: String,
    /// How much.
    pub mwh: f64,
}

/// One month.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Month {
    /// 1 to 12.
    pub month: u32,
    /// At the meter.
    pub facility_energy_mwh: f64,
    /// Into racks.
    pub it_energy_mwh: f64,
    /// Into GPU boards.
    pub gpu_energy_mwh: f64,
    /// Fans, pumps, chillers.
    pub cooling_energy_mwh: f64,
    /// Transformers, UPS, busways.
    pub distribution_loss_mwh: f64,
    /// Highest step.
    pub peak_power_mw: f64,
    /// Output tokens.
    pub tokens_output: f64,
    /// Energy and demand charge.
    pub electricity_usd: f64,
    /// Emitted.
    pub carbon_t: f64,
    /// Made up.
    pub water_m3: f64,
}

/// What a year costs and earns, in dollars.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Money {
    /// To build it.
    pub capex_usd: f64,
    /// Of which computers.
    pub capex_it_usd: f64,
    /// Capital and its return, each year.
    pub capital_usd: f64,
    /// Energy.
    pub energy_usd: f64,
    /// Demand charges.
    pub demand_charge_usd: f64,
    /// Water.
    pub water_usd: f64,
    /// Upkeep and spares.
    pub upkeep_usd: f64,
    /// Staff, insurance, tax.
    pub staff_usd: f64,
    /// All of the above but the first two.
    pub total_usd: f64,
    /// Tokens sold at the model's typical price.
    pub revenue_usd: f64,
    /// Revenue for each megawatt of contract.
    pub revenue_per_mw_usd: f64,
}

/// One thing to do, and what a year gains by it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Improvement {
    /// What to do.
    pub name: String,
    /// What it costs or risks, in words.
    pub caveat: String,
    /// More output tokens in the year.
    pub tokens: f64,
    /// Share by which tokens per facility megawatt rise.
    pub tokens_per_mw_share: f64,
    /// Less drawn at the peak, MW.
    pub power_mw: f64,
    /// More earned less more spent in the year.
    pub gain_usd: f64,
}

/// A year, summed up.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Report {
    /// The design.
    pub design: String,
    /// Where it stands.
    pub location: String,
    /// The language model.
    pub model: String,
    /// Version of the program.
    pub program_version: String,
    /// Seed of the run.
    pub seed: u64,
    /// SHA-256 of the site and scenario, in hexadecimal.
    pub input_hash: String,
    /// Length of a step, minutes.
    pub step_minutes: f64,
    /// Racks.
    pub racks: u32,
    /// GPUs.
    pub gpus: u32,
    /// Utility contract.
    pub contract_power_mw: f64,

    /// At the utility meter.
    pub facility_energy_mwh: f64,
    /// Into racks.
    pub it_energy_mwh: f64,
    /// Into GPU boards.
    pub gpu_energy_mwh: f64,
    /// Fans, pumps, chillers.
    pub cooling_energy_mwh: f64,
    /// Fans alone.
    pub fan_energy_mwh: f64,
    /// Pumps alone.
    pub pump_energy_mwh: f64,
    /// Chillers alone.
    pub chiller_energy_mwh: f64,
    /// Transformers, UPS, busways.
    pub distribution_loss_mwh: f64,
    /// Rectifiers in the racks; part of IT.
    pub shelf_loss_mwh: f64,
    /// Lighting, offices.
    pub house_energy_mwh: f64,
    /// Facility energy over IT energy.
    pub pue: f64,
    /// Make-up water over IT energy.
    pub wue_l_per_kwh: f64,
    /// Highest step.
    pub peak_power_mw: f64,
    /// Mean over the year.
    pub mean_power_mw: f64,

    /// Output tokens.
    pub tokens_output: f64,
    /// Prompt tokens.
    pub tokens_input: f64,
    /// Output tokens asked for and not served.
    pub tokens_unserved: f64,
    /// Output tokens that the fleet could have made at full work.
    pub tokens_possible: f64,
    /// Mean share of full work.
    pub utilisation: f64,
    /// Output tokens per second for each facility megawatt.
    pub tokens_per_second_per_mw_facility: f64,
    /// Its band.
    pub tokens_per_second_per_mw_facility_band: Banded,
    /// Output tokens per second for each IT megawatt.
    pub tokens_per_second_per_mw_it: f64,
    /// Output tokens per second for each megawatt of GPU boards.
    pub tokens_per_second_per_mw_gpu: f64,
    /// Output tokens for each joule of GPU boards.
    pub tokens_per_joule_gpu: f64,

    /// All costs over output tokens.
    pub cost_per_million_tokens_usd: f64,
    /// Its band.
    pub cost_per_million_tokens_usd_band: Banded,
    /// What the year costs and earns.
    pub money: Money,
    /// Emitted by the electricity used.
    pub carbon_t: f64,
    /// Over output tokens.
    pub carbon_g_per_million_tokens: f64,
    /// Made up.
    pub water_m3: f64,

    /// Hours in each way of cooling, of the largest loop.
    pub hours_by_cooling_mode: BTreeMap<String, f64>,
    /// Hours in which a chiller of any loop runs.
    pub hours_chillers_run: f64,
    /// Hours in which cooling or contract held the fleet back.
    pub hours_derated: f64,
    /// Hours with supply water more than 0.5 K above its set-point.
    pub hours_above_set_point: f64,
    /// By cause.
    pub stranded_power_mw: Stranded,
    /// How each kind of GPU serves at full work.
    pub serving: Vec<ServingPoint>,
    /// The power tree.
    pub power_tree: Vec<NodeReport>,
    /// Energy from the utility to the tokens.
    pub flows: Vec<Flow>,
    /// The twelve months.
    pub months: Vec<Month>,
    /// Mean facility power of each hour of the year, MW, to four digits.
    pub facility_power_by_hour_mw: Vec<f64>,
    /// Facility power, MW, exceeded for 0, 1, … 100% of the year.
    pub load_duration_mw: Vec<f64>,
    /// How far the energy books are off, relative.
    pub balance_error: f64,
    /// What was read and what was made up.
    pub input: Vec<InputReport>,
    /// What could be done, each alone, most dollars first; empty where it was not asked for.
    #[serde(default)]
    pub improvements: Vec<Improvement>,
    /// What was found.
    pub notes: Vec<Note>,
    /// What the figures rest on, in words.
    pub assumptions: Vec<String>,
}
