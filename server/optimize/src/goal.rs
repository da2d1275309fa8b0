//! What is to be the best, and what may not be exceeded.

use crate::point::Point;
use serde::{Deserialize, Serialize};

/// What is sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
