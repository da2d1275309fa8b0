//! Places: the climate, the grid and the tariff a facility meets where it stands.

use crate::id::LocationId;
use crate::money::WaterPrice;
use crate::part::Sourced;
use crate::quantity::{CarbonIntensity, Length};
use serde::{Deserialize, Serialize};

/// A place on earth, with what a year there is like. Monthly figures run from January.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// Its name in designs.
    pub id: LocationId,
    /// Its name on a page.
    pub name: String,
    /// Country, as ISO 3166 alpha-2.
    pub country: String,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Height above the sea.
    #[serde(rename = "elevation_m")]
    pub elevation: Length,
    /// Standard time's offset from UTC, in hours; the simulated year is in standard time.
    pub utc_offset_h: f64,
    /// Its weather.
    pub climate: Climate,
    /// Its electricity.
    pub grid: Grid,
    /// What water costs.
    #[serde(rename = "water_price_usd_per_m3")]
    pub water_price: WaterPrice,
    /// Where the figures come from: climate, tariff, carbon and water.
    pub source: String,
    /// When they were read.
    pub as_of: String,
}

/// Statistics of a place's weather, from which a typical year is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Climate {
    /// Mean dry bulb of each month, degrees Celsius.
    pub dry_bulb_mean_c: [f64; 12],
    /// Mean difference between the day's highest and lowest dry bulb, kelvins.
    pub daily_range_k: [f64; 12],
    /// Mean dew point of each month, degrees Celsius.
    pub dew_point_mean_c: [f64; 12],
    /// Standard deviation of daily means about the month's mean, kelvins.
    pub day_to_day_sd_k: [f64; 12],
}

/// A place's electricity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// The market or balancing area.
    pub region: String,
    /// Mean price of energy over the year, $/MWh; may be 0 or below.
    pub energy_price_usd_per_mwh: f64,
    /// Price in each hour of the day over the day's mean.
    pub price_hour_shape: [f64; 24],
    /// Price in each month over the year's mean.
    pub price_month_shape: [f64; 12],
    /// Charge for the month's highest quarter of an hour, $/kW and month.
    pub demand_charge_usd_per_kw_month: f64,
    /// Mean carbon intensity of consumption, g/kWh of CO2 equivalent.
    #[serde(rename = "carbon_g_per_kwh", with = "grams")]
    pub carbon_mean: CarbonIntensity,
    /// Intensity in each hour of the day over the day's mean.
    pub carbon_hour_shape: [f64; 24],
}

impl Sourced for Location {
    fn row(&self) -> String {
        self.id.to_string()
    }
    fn source(&self) -> &str {
        &self.source
    }
    fn as_of(&self) -> &str {
        &self.as_of
    }
}

/// Carbon intensity is written in g/kWh everywhere in the field, though our base unit is kg/J.
mod grams {
    use crate::quantity::CarbonIntensity;
    use serde::{Deserialize, Deserializer, Serializer};

    #[cfg_attr(
        not(target_arch = "wasm32"), // where a reference is smaller, and the lint is silent
        expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")
    )]
    pub(super) fn serialize<S: Serializer>(value: &CarbonIntensity, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_f64(value.as_grams_per_kilowatt_hour())
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<CarbonIntensity, D::Error> {
        f64::deserialize(d).map(CarbonIntensity::from_grams_per_kilowatt_hour)
    }
}
