//! What the batteries that a design has drawn could save in a year: its hourly load and prices, run through [`dispatch`].

use crate::base::Base;
use crate::dispatch::{Battery, Schedule, Tariff, Unscheduled, dispatch};
use model::catalog::Catalog;
use model::design::Design;
use model::optimum::Choice;
use model::part::PowerKind;
use model::quantity::Span;
use model::scenario::MONTH_STARTS;

/// Energy out over energy in: NREL's Annual Technology Baseline 2024, utility-scale batteries.
pub(crate) const ROUND_TRIP: f64 = 0.85;
/// Share stored at the start and end of the year, a judgement: over a year it moves little.
const START: f64 = 0.5;
/// Steps of the year in a day.
const HOURS_PER_DAY: usize = 24;

/// The batteries among a design's standby equipment as one; none where it has none.
pub(crate) fn drawn(design: &Design, catalog: &Catalog) -> Option<Battery> {
    let parts = design.standby.iter().filter_map(|several| {
        let part = design.parts.power(&several.part).or_else(|| catalog.power(&several.part))?;
        (part.kind == PowerKind::Battery).then_some((part, f64::from(several.count)))
    });
    let (energy, power) = parts.fold((0.0, 0.0), |(energy, power), (part, count)| {
        (energy + part.energy_watt_hours * count, power + part.rated_power.as_watts() * count)
    });
    let battery = Battery { energy_mwh: energy / 1e6, power_mw: power / 1e6, round_trip: ROUND_TRIP, start: START };
    (battery.energy_mwh > 0.0 && battery.power_mw > 0.0).then_some(battery)
}

impl Base {
    /// The least that a year's electricity of a choice can cost with the batteries that are drawn, and without; none where
    /// there are none. The year is the default one of the place, in hours; nothing is kept back for outages.
    pub fn storage_year(&self, choice: &Choice) -> Option<Result<Schedule, Unscheduled>> {
        let battery = self.battery?;
        let (site, _) = self.site(choice);
        let scenario = sim::defaults::scenario(&site, Span::from_hours(1.0), 1);
        let year = sim::simulate(&site, &scenario).columns;
        let load_mw: Vec<f64> = year.facility_power_w.iter().map(|watts| watts / 1e6).collect();
        let months: Vec<usize> = MONTH_STARTS[..12].iter().map(|day| *day as usize * HOURS_PER_DAY).collect();
        let tariff = Tariff {
            price_usd_per_mwh: &year.price_usd_per_mwh,
            demand_usd_per_kw_month: site.location.grid.demand_charge_usd_per_kw_month,
            contract_mw: site.contract_power.as_megawatts(),
            months: &months,
        };
        Some(dispatch(&load_mw, 1.0, &tariff, &battery))
    }

    /// The batteries that are drawn, as one.
    pub fn battery(&self) -> Option<Battery> {
        self.battery
    }
}
