//! What a choice comes to, and which limits it asks too much of.

use crate::base::Base;
use model::money::Usd;
use model::note::Kind;
use model::optimum::{Choice, Limit, Point, Short};
use model::site::Site;

/// Hours in a year.
const YEAR_H: f64 = 8760.0;

/// A site that choices are made in, with what is known of how its GPUs serve: neither is made anew for each.
pub(crate) struct Bench<'a> {
    base: &'a Base,
    site: Site,
    served: sim::Served,
}

impl Bench<'_> {
    /// What a choice comes to.
    pub(crate) fn point(&mut self, choice: &Choice) -> Point {
        let capital = self.base.make(choice, &mut self.site);
        self.base.of_site(choice, &self.site, capital, &mut self.served)
    }
}

impl Base {
    /// What a choice comes to.
    pub fn point(&self, choice: &Choice) -> Point {
        self.bench().point(choice)
    }

    /// Room to work out many choices in, one after the other.
    pub(crate) fn bench(&self) -> Bench<'_> {
        Bench { base: self, site: self.drawn().clone(), served: self.served() }
    }

    /// What a site comes to that stands for a choice.
    pub(crate) fn of_site(
        &self,
        choice: &Choice,
        site: &Site,
        [capex_usd, capex_it_usd]: [f64; 2],
        served: &mut sim::Served,
    ) -> Point {
        let found = sim::evaluate_with(site, served);
        let tokens = found.output_tokens_per_s;
        let (finance, grid) = (&site.finance, &site.location.grid);
        let yearly = sim::report::annuity(Usd::from_dollars(capex_it_usd), finance.wacc, finance.it_life_years)
            + sim::report::annuity(Usd::from_dollars(capex_usd - capex_it_usd), finance.wacc, finance.plant_life_years)
            + found.facility_power_mw * YEAR_H * grid.energy_price_usd_per_mwh
            + 12.0 * grid.demand_charge_usd_per_kw_month * found.peak_power_mw * 1e3
            + finance.upkeep_share.as_fraction() * plant(site, capex_usd)
            + finance.staff_usd_per_w_year * site.contract_power.as_watts();
        let millions = tokens * YEAR_H * 3600.0 / 1e6;
        let each = |yearly: f64| if millions > 0.0 { yearly / millions } else { f64::INFINITY };
        let model = &site.service.model;
        let price = finance.output_price_usd_per_million.unwrap_or(model.output_price_usd_per_million)
            + finance.input_price_usd_per_million.unwrap_or(model.input_price_usd_per_million)
                * (site.service.input_tokens / site.service.output_tokens.max(1e-9));
        let per_mw = &found.tokens_per_second_per_mw_facility;
        let share = |end: f64| if per_mw.value > 0.0 { end / per_mw.value } else { 1.0 };
        let slowest =
            |of: &dyn Fn(&model::report::ServingPoint) -> f64| found.serving.iter().map(of).fold(0.0, f64::max);
        let grams = found.facility_power_mw * YEAR_H * 1e3 * grid.carbon_mean.as_grams_per_kilowatt_hour();
        let mut short: Vec<Short> = found.notes.iter().flat_map(|note| exceeded(&note.place, &note.kind)).collect();
        short.extend(self.beyond_notes(site, choice, capex_usd));
        Point {
            choice: *choice,
            gpus: found.gpus,
            output_tokens_per_s: tokens,
            band: [share(per_mw.low), share(per_mw.high)],
            facility_mw: found.facility_power_mw,
            peak_mw: found.peak_power_mw,
            tokens_per_joule: if found.facility_power_mw > 0.0 {
                tokens / (found.facility_power_mw * 1e6)
            } else {
                0.0
            },
            usd_per_million: each(yearly),
            revenue_usd_per_mw_year: millions * price / site.contract_power.as_megawatts().max(1e-9),
            carbon_g_per_million: each(grams),
            capex_usd,
            ttft_ms: slowest(&|point| point.ttft_ms),
            tpot_ms: slowest(&|point| point.tpot_ms),
            short,
        }
    }

    /// Limits that an evaluation has no note for: positions, water, money.
    fn beyond_notes(&self, site: &Site, choice: &Choice, capex_usd: f64) -> Vec<Short> {
        let mut short = Vec::new();
        let most = self.racks_most();
        if choice.racks > most {
            short.push(over(Limit::Space, "halls", f64::from(choice.racks), f64::from(most), "racks"));
        }
        for each in &site.loops {
            let (supply, accepted) = (each.supply.as_celsius(), each.supply_max.as_celsius());
            if supply > accepted + 1e-9 {
                short.push(over(Limit::Supply, &each.name, supply, accepted, "°C"));
            }
        }
        if let Some(budget) = self.limits.capex_usd.filter(|budget| capex_usd > budget * (1.0 + 1e-9)) {
            short.push(over(Limit::Capex, "budget", capex_usd / 1e6, budget / 1e6, "million $"));
        }
        short
    }
}

/// Price of computers and plant, $: what upkeep is a share of.
fn plant(site: &Site, capex_usd: f64) -> f64 {
    let building = |line: &&model::site::CapexLine| line.class == model::site::AssetClass::Building;
    capex_usd - site.capex.iter().filter(building).map(|line| line.cost.as_dollars()).sum::<f64>()
}

fn over(limit: Limit, place: &str, asked: f64, has: f64, unit: &str) -> Short {
    let by = if has > 0.0 { asked / has - 1.0 } else { f64::INFINITY };
    let digits = if asked.fract() == 0.0 && has.fract() == 0.0 { 0 } else { 3 };
    Short { limit, place: place.to_owned(), by, words: format!("{asked:.digits$} {unit} asked of {has:.digits$}") }
}

/// The limit that a note is of: errors, and what can't be held on the hottest hour, when the fleet would be held back.
#[expect(clippy::wildcard_enum_match_arm, reason = "a note is a limit's only where it says by how much it is exceeded")]
pub(crate) fn exceeded(place: &str, kind: &Kind) -> Vec<Short> {
    let power = |limit, asked: &model::quantity::Power, has: &model::quantity::Power| {
        vec![over(limit, place, asked.as_megawatts(), has.as_megawatts(), "MW")]
    };
    match kind {
        Kind::FeedOverload { firm, asked, .. } => power(Limit::Feed, asked, firm),
        Kind::ContractExceeded { contract, asked } => power(Limit::Contract, asked, contract),
        Kind::CoolingShort { heat, capacity, .. } => power(Limit::Cooling, heat, capacity),
        Kind::TerminalShort { heat, capacity, .. } => power(Limit::Terminal, heat, capacity),
        Kind::TargetsMissed { tpot_ms, tpot_target_ms, ttft_ms, ttft_target_ms } => {
            let each =
                [(ttft_ms, ttft_target_ms, "ms to the first token"), (tpot_ms, tpot_target_ms, "ms between tokens")];
            let missed = each.into_iter().filter(|(asked, has, _)| *asked > &(*has * (1.0 + 1e-9)));
            missed.map(|(asked, has, unit)| over(Limit::Targets, place, *asked, *has, unit)).collect()
        }
        Kind::ModelTooLarge { weights, memory, .. } => {
            vec![over(Limit::Memory, place, weights.as_bytes() / 1e9, memory.as_bytes() / 1e9, "GB")]
        }
        _ => Vec::new(),
    }
}
