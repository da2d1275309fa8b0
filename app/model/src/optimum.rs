//! The operating point: what a search over racks, power limits and water is asked, and what it finds. `optimize` finds it.

use crate::design::Redundancy;
use crate::id::DesignId;
use crate::run::DesignSummary;
use serde::{Deserialize, Serialize};

/// One way to run what is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Choice {
    /// Racks with GPUs, of all halls together.
    pub racks: u32,
    /// Power limit of each GPU, W.
    pub cap_w: f64,
    /// Water to the racks with liquid cooling, °C; none leaves every loop as drawn.
    pub supply_c: Option<f64>,
    /// What every power group that is drawn with units to spare keeps; none leaves each as drawn.
    pub redundancy: Option<Redundancy>,
}

/// What is sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// Most output tokens a second inside the power that there is.
    Tokens,
    /// Most output tokens for each joule at the utility meter.
    TokensPerJoule,
    /// Least dollars for a million output tokens.
    CostPerMillion,
    /// Most revenue for each megawatt of the contract.
    RevenuePerMegawatt,
    /// Least carbon for a million output tokens.
    CarbonPerMillion,
}

impl Goal {
    /// Every goal.
    pub const ALL: [Self; 5] =
        [Self::Tokens, Self::TokensPerJoule, Self::CostPerMillion, Self::RevenuePerMegawatt, Self::CarbonPerMillion];

    /// Its name in commands and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::TokensPerJoule => "tokens-per-joule",
            Self::CostPerMillion => "cost-per-million",
            Self::RevenuePerMegawatt => "revenue-per-megawatt",
            Self::CarbonPerMillion => "carbon-per-million",
        }
    }

    /// Its unit, in words.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Tokens => "tokens/s",
            Self::TokensPerJoule => "tokens/J",
            Self::CostPerMillion => "$ for a million tokens",
            Self::RevenuePerMegawatt => "$ a year for each MW",
            Self::CarbonPerMillion => "g CO2e for a million tokens",
        }
    }

    /// Its value at a point, in its own unit.
    pub fn value(self, point: &Point) -> f64 {
        match self {
            Self::Tokens => point.output_tokens_per_s,
            Self::TokensPerJoule => point.tokens_per_joule,
            Self::CostPerMillion => point.usd_per_million,
            Self::RevenuePerMegawatt => point.revenue_usd_per_mw_year,
            Self::CarbonPerMillion => point.carbon_g_per_million,
        }
    }

    /// Between which values it lies at a point, over the band of its tokens; the lower first.
    pub fn band(self, point: &Point) -> [f64; 2] {
        let value = self.value(point);
        let [low, high] = point.band;
        match self {
            Self::Tokens | Self::TokensPerJoule | Self::RevenuePerMegawatt => [value * low, value * high],
            Self::CostPerMillion | Self::CarbonPerMillion => [value / high.max(1e-9), value / low.max(1e-9)],
        }
    }

    /// Its value with more always better.
    pub fn worth(self, point: &Point) -> f64 {
        match self {
            Self::Tokens | Self::TokensPerJoule | Self::RevenuePerMegawatt => self.value(point),
            Self::CostPerMillion | Self::CarbonPerMillion => -self.value(point),
        }
    }
}

impl std::str::FromStr for Goal {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let names = Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|goal| goal.name() == text).ok_or_else(|| format!("must be one of {names}"))
    }
}

/// What may not be exceeded, over and above what the design's own parts can do; none where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Facility draw with everything busy on the hottest hour, MW; the contract where it is less.
    pub power_mw: Option<f64>,
    /// To build it, $.
    pub capex_usd: Option<f64>,
    /// Longest mean time to the first token, ms.
    pub ttft_ms: Option<f64>,
    /// Longest mean time between tokens, ms.
    pub tpot_ms: Option<f64>,
}

/// A limit of the facility or of who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Power of the utility contract, or the budget that was asked for.
    Contract,
    /// What a group of the power tree can promise with its redundancy kept.
    Feed,
    /// What CDUs or fan walls can move.
    Terminal,
    /// What the outside plant can reject on the hottest hour.
    Cooling,
    /// Water that racks accept.
    Supply,
    /// Positions for racks.
    Space,
    /// Times to the first token and between tokens.
    Targets,
    /// Memory of the GPUs.
    Memory,
    /// Money to build.
    Capex,
}

impl Limit {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Contract => "power contract",
            Self::Feed => "power feed",
            Self::Terminal => "CDUs or fan walls",
            Self::Cooling => "outside cooling plant on the hottest hour",
            Self::Supply => "water temperature that racks accept",
            Self::Space => "rack positions",
            Self::Targets => "times to first token and between tokens",
            Self::Memory => "GPU memory",
            Self::Capex => "money to build",
        }
    }
}

/// A limit that a choice exceeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Short {
    /// Which.
    pub limit: Limit,
    /// Where: a power group, a loop, a hall.
    pub place: String,
    /// By how much, as a share of the limit.
    #[serde(deserialize_with = "endless::deserialize")]
    pub by: f64,
    /// In its own unit, with figures.
    pub words: String,
}

/// What a choice comes to: everything busy, at the mean weather, money and carbon as if it were so all year.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Point {
    /// The choice.
    pub choice: Choice,
    /// GPUs.
    pub gpus: u32,
    /// Output tokens a second.
    pub output_tokens_per_s: f64,
    /// Between which 90% of measured points would lie, as shares of it.
    pub band: [f64; 2],
    /// At the utility meter at the mean weather, MW.
    pub facility_mw: f64,
    /// The same on the hottest hour, MW.
    pub peak_mw: f64,
    /// Output tokens for each joule at the meter.
    pub tokens_per_joule: f64,
    /// Dollars for a million output tokens: capital, energy, demand charge, upkeep and staff; water is left out.
    #[serde(deserialize_with = "endless::deserialize")]
    pub usd_per_million: f64,
    /// Revenue a year for each megawatt of the contract, $.
    pub revenue_usd_per_mw_year: f64,
    /// Carbon for a million output tokens, g CO2e.
    #[serde(deserialize_with = "endless::deserialize")]
    pub carbon_g_per_million: f64,
    /// To build it, $.
    pub capex_usd: f64,
    /// Slowest mean time to the first token of a kind of GPU, ms.
    pub ttft_ms: f64,
    /// Slowest mean time between tokens, ms.
    pub tpot_ms: f64,
    /// Limits that it exceeds; empty where it can be run all year without holding anything back.
    pub short: Vec<Short>,
}

impl Point {
    /// Whether nothing is exceeded.
    pub fn is_feasible(&self) -> bool {
        self.short.is_empty()
    }
}

/// What more of something would be worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Worth {
    /// So much more of what: "1 MW more in the power contract".
    pub what: String,
    /// What the goal gains, in its own unit; below nothing for goals of which less is better.
    pub gain: f64,
}

/// What the best rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Reasons {
    /// What one more rack would exceed, and what a watt more for each GPU would.
    pub binds: Vec<Short>,
    /// What more of each limit would be worth, each with the search made anew; the most first.
    pub worth: Vec<Worth>,
    /// The goal at both ends of the model's error band, in its own unit, the lower first. The band is one share of all choices' tokens, so the
    /// best choice is the same at both.
    pub band: [f64; 2],
}

/// Limits that would have to give together, and the choice that asks least of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Conflict {
    /// Each with the least that it would have to give.
    pub short: Vec<Short>,
    /// The choice that could then be run.
    pub point: Point,
}

impl Conflict {
    /// The most that one of its limits would have to give, as a share.
    pub fn by(&self) -> f64 {
        self.short.iter().map(|short| short.by).fold(0.0, f64::max)
    }
}

/// The best choice, and how it was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Answer {
    /// What was sought.
    pub goal: Goal,
    /// The best that can be run all year; none where nothing can.
    pub best: Option<Point>,
    /// What the design drew.
    pub drawn: Point,
    /// Choices that were tried.
    pub tried: usize,
    /// Those that can be run and that no other beats in all goals at once, by tokens a second.
    pub frontier: Vec<Point>,
}

/// What a search is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct OptimumAsk {
    /// What is sought.
    pub goal: Goal,
    /// What may not be exceeded.
    pub limits: Limits,
    /// Goals of the frontier: two or three.
    pub frontier: Vec<Goal>,
    /// What groups of the power tree that are drawn with units to spare may keep besides what is drawn.
    pub redundancies: Vec<Redundancy>,
    /// What may be built beside the grid; none where nothing is.
    pub onsite: Option<Onsite>,
}

/// What may be built beside the grid. A battery always may.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Onsite {
    /// Mean output of solar panels over their rated power; none where there are to be none.
    pub solar_capacity_factor: Option<f64>,
    /// Gas engines.
    pub gas: Option<OnsiteGas>,
    /// Share of each hour's load that can wait, within its day.
    pub shift: f64,
}

/// Gas engines that may be built.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OnsiteGas {
    /// To build, $/kW.
    pub usd_per_kw: f64,
    /// Fuel and wear for each MWh of electricity, $.
    pub fuel_usd_per_mwh: f64,
    /// Carbon for each MWh of electricity, kg.
    pub carbon_kg_per_mwh: f64,
}

/// What is best built beside the grid for the best choice's year, and what that saves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct OnsiteYear {
    /// Solar panels, MW.
    pub solar_mw: f64,
    /// Gas engines, MW.
    pub gas_mw: f64,
    /// Battery, MWh.
    pub battery_mwh: f64,
    /// Battery, MW.
    pub battery_mw: f64,
    /// Electricity of the year, with what is built paid off over its life, $.
    pub cost_usd: f64,
    /// The same from the grid alone; none where the contract can't carry it.
    pub without_usd: Option<f64>,
    /// Carbon of the year, t.
    pub carbon_t: f64,
    /// The same from the grid alone.
    pub without_carbon_t: f64,
    /// Energy from the grid, MWh.
    pub grid_mwh: f64,
    /// From panels.
    pub solar_mwh: f64,
    /// What panels could have given besides.
    pub curtailed_mwh: f64,
    /// From gas.
    pub gas_mwh: f64,
    /// Load put off within its day.
    pub shifted_mwh: f64,
}

/// Racks moved among rows, feeds and cooling loops, and more of them put where room is, to strand the least power.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Replaced {
    /// Racks as drawn.
    pub racks_drawn: u32,
    /// Racks as placed.
    pub racks: u32,
    /// Drawn racks that move.
    pub moved: u32,
    /// Power provisioned for racks as placed, MW.
    pub placed_mw: f64,
    /// The most that any placement could have, MW.
    pub bound_mw: f64,
    /// Whether it is sure that none has more, but for a hundred-thousandth.
    pub is_proven: bool,
    /// Power that feeds can promise and no rack has: its cause, as drawn and as placed, MW.
    pub causes: Vec<(String, f64, f64)>,
}

impl Default for OptimumAsk {
    /// Most tokens in the power that there is, against tokens for a joule.
    fn default() -> Self {
        Self {
            goal: Goal::Tokens,
            limits: Limits::default(),
            frontier: vec![Goal::Tokens, Goal::TokensPerJoule],
            redundancies: Vec::new(),
            onsite: None,
        }
    }
}

/// Everything that a search says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Optimum {
    /// What was asked.
    pub ask: OptimumAsk,
    /// The best choice.
    pub answer: Answer,
    /// Why it is; none where nothing can be run.
    pub reasons: Option<Reasons>,
    /// Whether it stands when something goes wrong.
    pub robust: Option<Robust>,
    /// Whether it would be another if boards drew more or less than the model says.
    pub power_error: Vec<PowerError>,
    /// The same megawatts with boards at their own limit, and under the limit that makes most of them.
    pub envelope: Option<Envelope>,
    /// Tokens of a megawatt against the power limit.
    pub dial: Vec<DialPoint>,
    /// Stranded power, as drawn and at the best choice.
    pub stranded: Vec<StrandedBeside>,
    /// What the batteries that are drawn could save.
    pub storage: Option<StorageYear>,
    /// What is best built beside the grid, where that was asked.
    pub onsite: Option<OnsiteYear>,
    /// Racks placed to strand the least power; none where the design can't be placed anew.
    pub replaced: Option<Replaced>,
    /// Ways out, where nothing can be run.
    pub conflicts: Vec<Conflict>,
}

/// What a choice comes to when something goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Robust {
    /// Outside air on the hottest hour, °C.
    pub hottest_c: f64,
    /// Facility draw then with everything busy, MW.
    pub hottest_mw: f64,
    /// What it may draw, MW.
    pub contract_mw: f64,
    /// Hours of the year in which heat or contract held it back.
    pub held_back_h: f64,
    /// Of the busiest hundredth of hours: tokens asked for over what it makes with everything busy.
    pub busiest_asked: f64,
    /// And tokens made of those asked for then.
    pub busiest_served: f64,
    /// Each group of power or cooling that it needs every unit of, with what is left when one is out.
    pub failures: Vec<FailedUnit>,
}

/// A unit that is out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FailedUnit {
    /// Its group: `power "ups"`.
    pub place: String,
    /// Power limit of each GPU under which the rest carries everything busy on the hottest hour, W; where even the least that
    /// boards take is too much, that.
    pub cap_w: f64,
    /// Racks that then run.
    pub racks: u32,
    /// Tokens then, of those before.
    pub tokens_share: f64,
}

/// The search with boards that draw otherwise than the model says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PowerError {
    /// Their draw at work over the model's.
    pub draw: f64,
    /// The choice of the search, run by such boards.
    pub ours: Point,
    /// What would have been chosen, had it been known.
    pub best: Option<Point>,
    /// What is lost by having built so many racks, their limit and water set anew, as a share of what could be had; one where no
    /// limit lets so many run all year.
    pub regret: f64,
}

/// One contract, filled twice: with boards at their own limit, and under the limit that makes most tokens of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Envelope {
    /// The power there is, MW.
    pub power_mw: f64,
    /// Provisioned as racks come: every GPU at the board's own limit.
    pub label: Filled,
    /// Every GPU at the board's own limit, counted by what racks draw with everything busy instead of what they could.
    pub drawn: Filled,
    /// Under the power limit that makes most tokens, counted by worst case: no board can exceed its limit.
    pub capped: Filled,
    /// GPUs, capped over label.
    pub gpus_ratio: f64,
    /// Tokens a second, alike.
    pub tokens_ratio: f64,
    /// Between which that is over the error bands of board power and of work against a limit.
    pub tokens_band: [f64; 2],
}

/// What fills a contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Filled {
    /// Power limit of each GPU, W.
    pub cap_w: f64,
    /// Racks with GPUs.
    pub racks: u32,
    /// GPUs.
    pub gpus: u32,
    /// Facility power for each GPU as counted, kW.
    pub kw_per_gpu: f64,
    /// Output tokens a second.
    pub output_tokens_per_s: f64,
    /// Facility draw with everything busy on the hottest hour, MW.
    pub drawn_mw: f64,
}

/// A power limit on the dial.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DialPoint {
    /// Of each GPU, W.
    pub cap_w: f64,
    /// Output tokens a second of a facility megawatt, racks as drawn.
    pub tokens_per_s_per_mw: f64,
    /// The low end of its band.
    pub low: f64,
    /// The high end.
    pub high: f64,
    /// Racks with GPUs that the plant then carries.
    pub racks: u32,
    /// Output tokens a second of so many.
    pub output_tokens_per_s: f64,
}

/// Power installed where halls are fed, as drawn and at the best choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StrandedBeside {
    /// What becomes of it.
    pub cause: String,
    /// Whether it is stranded; what is drawn and what is free is not.
    pub is_stranded: bool,
    /// As drawn, MW.
    pub drawn_mw: f64,
    /// At the best choice, MW.
    pub best_mw: f64,
}

/// What the batteries that are drawn could save of the best choice's electricity in a year, prices known ahead.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StorageYear {
    /// Energy that they store, MWh.
    pub energy_mwh: f64,
    /// Most power in and out, MW.
    pub power_mw: f64,
    /// Electricity with them, $.
    pub with_usd_per_year: f64,
    /// And without, $.
    pub without_usd_per_year: f64,
}

/// A study as a page shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct OptimumView {
    /// The design, in the version that was searched.
    pub design: DesignSummary,
    /// What was found.
    pub optimum: Option<Optimum>,
    /// Why nothing could be sought.
    pub refused: Option<String>,
}

/// A change to be kept as a version of its design.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OptimumApply {
    /// The design.
    pub design: DesignId,
    /// The version that was searched.
    pub version: u32,
    /// What is kept.
    pub change: Change,
}

/// What is changed in a design.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Racks, power limit, water and redundancy.
    Choice(Choice),
    /// Racks, feeds and loops of least stranded power.
    Placement,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Applied {
    /// The design that holds the choice.
    pub design: DesignSummary,
    /// Whether it is a branch, as reference designs do not change.
    pub is_branch: bool,
}

/// Figures that JSON has no number for, written as `null`: without end.
mod endless {
    use serde::{Deserialize, Deserializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(from)?.unwrap_or(f64::INFINITY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_comes_back_from_json_as_it_went() {
        let short =
            Short { limit: Limit::Feed, place: "ups".into(), by: f64::INFINITY, words: "1 MW asked of 0 MW".into() };
        let text = serde_json::to_string(&short).unwrap();
        assert_eq!(serde_json::from_str::<Short>(&text).unwrap(), short);
    }
}
