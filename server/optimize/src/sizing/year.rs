//! What to build for a design, over its own year.

use super::{Capacity, Gas, Grid, Sized, Sizing, Solar, Storage, Unsized, clear_sky_yield, size};
use crate::base::Base;
use crate::storage::ROUND_TRIP;
use model::money::Usd;
use model::optimum::Choice;
use model::quantity::{Ratio, Span};
use model::scenario::MONTH_STARTS;
use serde::{Deserialize, Serialize};

/// Panels on open ground of 10 MW, $/kW, and their upkeep, $/kW and year: REopt.jl's defaults (`data/pv/pv_defaults.json`,
/// ground, size class 5).
const PANELS_USD_PER_KW: f64 = 1_600.0;
const PANELS_UPKEEP_USD_PER_KW_YEAR: f64 = 18.0;
/// Batteries, $/kW and $/kWh: REopt.jl's defaults for commercial sizes, which are from NREL's ATB 2024
/// (`data/energy_storage/electric_storage/electric_storage_defaults.json`, size class 3; its $194,710 for each is left out).
const BATTERY_USD_PER_KW: f64 = 842.0;
const BATTERY_USD_PER_KWH: f64 = 213.0;

/// Where the yield of panels is from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sun {
    /// What each MW gives in each hour of the year, MW.
    Hourly(Vec<f64>),
    /// A clear sky's shape with this mean over the year.
    CapacityFactor(f64),
}

/// Panels that may be built.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Panels {
    /// Rated power, MW.
    pub capacity: Capacity,
    /// What they give.
    pub sun: Sun,
}

/// What may be built for a design.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Offer {
    /// Panels.
    pub solar: Option<Panels>,
    /// Gas.
    pub gas: Option<Gas>,
    /// A battery.
    pub battery: Option<Storage>,
    /// Share of each hour's load that can wait, within its day.
    pub shift: f64,
    /// Price of carbon, $/t.
    pub carbon_usd_per_t: f64,
}

/// What a MW costs a year, $: capital over a life at the cost of money, and upkeep.
pub fn annual_usd_per_mw(usd_per_kw: f64, upkeep_usd_per_kw_year: f64, wacc: Ratio, life_years: f64) -> f64 {
    sim::report::annuity(Usd::from_dollars(usd_per_kw * 1e3), wacc, life_years) + upkeep_usd_per_kw_year * 1e3
}

impl Base {
    /// Panels of this capacity factor and a battery, at usual prices over the life of plant at the design's cost of money, each
    /// up to ten times the contract; nothing of gas, for which prices differ too much to have a usual one.
    pub fn usual_offer(&self, capacity_factor: f64) -> Offer {
        let site = self.drawn();
        let finance = &site.finance;
        let most = 10.0 * site.contract_power.as_megawatts();
        let chosen = |usd_per_kw: f64, upkeep: f64| Capacity::Chosen {
            usd_per_mw_year: annual_usd_per_mw(usd_per_kw, upkeep, finance.wacc, finance.plant_life_years),
            most,
        };
        let upkeep = |usd: f64| usd * finance.upkeep_share.as_fraction();
        Offer {
            solar: Some(Panels {
                capacity: chosen(PANELS_USD_PER_KW, PANELS_UPKEEP_USD_PER_KW_YEAR),
                sun: Sun::CapacityFactor(capacity_factor),
            }),
            battery: Some(Storage {
                energy: chosen(BATTERY_USD_PER_KWH, upkeep(BATTERY_USD_PER_KWH)),
                power: chosen(BATTERY_USD_PER_KW, upkeep(BATTERY_USD_PER_KW)),
                round_trip: ROUND_TRIP,
            }),
            ..Offer::default()
        }
    }

    /// The default year of a choice at its place, in hours, with an offer.
    pub fn sizing(&self, choice: &Choice, offer: &Offer) -> Sizing {
        let (site, _) = self.site(choice);
        let scenario = sim::defaults::scenario(&site, Span::from_hours(1.0), 1);
        let year = sim::simulate(&site, &scenario).columns;
        let solar = offer.solar.as_ref().map(|panels| Solar {
            capacity: panels.capacity,
            yield_mw_per_mw: match &panels.sun {
                Sun::Hourly(values) => values.clone(),
                Sun::CapacityFactor(share) => clear_sky_yield(&site.location, *share),
            },
        });
        Sizing {
            load_mw: year.facility_power_w.iter().map(|watts| watts / 1e6).collect(),
            grid: Grid {
                price_usd_per_mwh: year.price_usd_per_mwh,
                contract_mw: site.contract_power.as_megawatts(),
                demand_usd_per_kw_month: site.location.grid.demand_charge_usd_per_kw_month,
                carbon_g_per_kwh: year.carbon_g_per_kwh,
                months: MONTH_STARTS[..12].iter().map(|day| day * 24).collect(),
            },
            solar,
            gas: offer.gas,
            battery: offer.battery,
            shift: offer.shift,
            carbon_usd_per_t: offer.carbon_usd_per_t,
        }
    }

    /// What to build for a choice's year, and how to run it, at the least cost.
    ///
    /// # Errors
    /// Where the offer does not fit the year, or the load can't be carried.
    pub fn sizing_year(&self, choice: &Choice, offer: &Offer) -> Result<Sized, Unsized> {
        size(&self.sizing(choice, offer))
    }
}
