//! What drives a year, and what would improve it: the same year again with one thing changed at a time.

use crate::{engine, report};
use model::design::{Demand, Precision};
use model::money::Usd;
use model::quantity::{Power, Ratio, Span, TemperatureRise};
use model::report::{Improvement, Report};
use model::scenario::Scenario;
use model::site::{AssetClass, Site};
use model::trace::Trace;

/// One input that matters, and what the year comes to with less and with more of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Driver {
    /// What is changed.
    pub name: &'static str,
    /// To what, below.
    pub low_words: String,
    /// To what, above.
    pub high_words: String,
    /// Output tokens per second and facility MW with less and with more.
    pub tokens_per_mw: (f64, f64),
    /// $ per million output tokens with less and with more.
    pub cost_per_million_usd: (f64, f64),
}

impl Driver {
    /// How far apart its two ends put the tokens per megawatt.
    pub fn swing(&self) -> f64 {
        (self.tokens_per_mw.1 - self.tokens_per_mw.0).abs()
    }
    /// How far apart they put the cost.
    pub fn cost_swing(&self) -> f64 {
        (self.cost_per_million_usd.1 - self.cost_per_million_usd.0).abs()
    }
}

/// Sums up a year of a changed site.
fn year(site: &Site, scenario: &Scenario) -> Report {
    let trace = engine::simulate(site, scenario);
    report::report(site, scenario, &trace, "", "")
}

/// A site and a scenario to change.
type Case = (Site, Scenario);

/// Each input changed down and up by what could well be true, largest swing of tokens per megawatt first.
///
/// A one-at-a-time (tornado) analysis: the ranges are judgements, named beside each, and joint effects are not in it.
pub fn drivers(site: &Site, scenario: &Scenario) -> Vec<Driver> {
    let driver = |name, words: (&str, &str), change: &dyn Fn(&mut Case, f64)| {
        let with = |sign: f64| {
            let mut case = (site.clone(), scenario.clone());
            change(&mut case, sign);
            year(&case.0, &case.1)
        };
        let (low, high) = (with(-1.0), with(1.0));
        Driver {
            name,
            low_words: words.0.to_owned(),
            high_words: words.1.to_owned(),
            tokens_per_mw: (low.tokens_per_second_per_mw_facility, high.tokens_per_second_per_mw_facility),
            cost_per_million_usd: (low.cost_per_million_tokens_usd, high.cost_per_million_tokens_usd),
        }
    };
    let times = |values: &mut [f64], factor: f64| values.iter_mut().for_each(|value| *value *= factor);
    let mut found = vec![
        driver("Length of prompts", ("20% shorter", "20% longer"), &|case, sign| {
            case.0.service.input_tokens *= 1.0 + 0.2 * sign;
            case.1.requests.input_tokens *= 1.0 + 0.2 * sign;
        }),
        driver("Length of answers", ("20% shorter", "20% longer"), &|case, sign| {
            case.0.service.output_tokens *= 1.0 + 0.2 * sign;
            case.1.requests.output_tokens *= 1.0 + 0.2 * sign;
        }),
        driver("Work that arrives", ("15% less", "15% more"), &|case, sign| {
            case.0.service.demand = scaled(case.0.service.demand, 1.0 + 0.15 * sign);
        }),
        driver("Time allowed between tokens", ("30% less", "30% more"), &|case, sign| {
            case.0.service.tpot = case.0.service.tpot * (1.0 + 0.3 * sign);
        }),
        driver("Outside temperature", ("2 K colder", "2 K warmer"), &|case, sign| {
            for series in [&mut case.1.weather.dry_bulb_c, &mut case.1.weather.wet_bulb_c] {
                series.values.iter_mut().for_each(|value| *value += 2.0 * sign);
            }
        }),
        driver("Supply temperature", ("5 K colder", "5 K warmer, where racks take it"), &|case, sign| {
            for each in &mut case.0.loops {
                let warmer = each.supply + TemperatureRise::from_kelvins(5.0 * sign);
                each.supply = if warmer > each.supply_max { each.supply_max.max(each.supply) } else { warmer };
            }
        }),
        driver("Power limit of each GPU", ("15% lower", "the board's own"), &|case, sign| {
            for class in &mut case.0.racks {
                let Some(gpu) = &class.gpu else { continue };
                let lower = (class.power_cap * 0.85).max(gpu.min_power_cap).min(class.power_cap);
                class.power_cap = if sign < 0.0 { lower } else { gpu.board_power };
            }
        }),
        driver("Energy price", ("25% lower", "25% higher"), &|case, sign| {
            times(&mut case.1.price_usd_per_mwh.values, 1.0 + 0.25 * sign);
        }),
        driver("Price of computers", ("20% lower", "20% higher"), &|case, sign| {
            for line in case.0.capex.iter_mut().filter(|line| line.class == AssetClass::It) {
                line.cost = Usd::from_dollars(line.cost.as_dollars() * (1.0 + 0.2 * sign));
            }
        }),
        driver("Cost of capital", ("2 points lower", "2 points higher"), &|case, sign| {
            let wacc = (case.0.finance.wacc.as_fraction() + 0.02 * sign).max(0.0);
            case.0.finance.wacc = Ratio::from_fraction(wacc);
        }),
    ];
    found.sort_by(|a, b| b.swing().total_cmp(&a.swing()));
    found
}

fn scaled(demand: Demand, factor: f64) -> Demand {
    match demand {
        Demand::PeakShare(share) => Demand::PeakShare(Ratio::from_fraction(share.as_fraction() * factor)),
        Demand::Scale(scale) => Demand::Scale(scale * factor),
    }
}

/// A year's report with what would improve it. Improvements are worked out in hours, whatever the run's step.
pub fn report_with_improvements(site: &Site, scenario: &Scenario, trace: &Trace, version: &str, hash: &str) -> Report {
    let mut report = report::report(site, scenario, trace, version, hash);
    let hourly = Scenario { step: Span::from_hours(1.0), ..scenario.clone() };
    report.improvements = improvements(site, &hourly, &year(site, &hourly));
    report
}

/// Something to do: its name, what it costs or risks, and the change.
type Idea = (String, &'static str, Box<dyn Fn(&mut Site)>);

/// What could be done, each alone, most dollars first; those that gain neither tokens, power nor money are left out.
///
/// `base` is the report of the same site and scenario. Where load is a share of what the fleet can make, a faster fleet is
/// given more of it.
pub fn improvements(site: &Site, scenario: &Scenario, base: &Report) -> Vec<Improvement> {
    let gain = |report: &Report| report.money.revenue_usd - report.money.total_usd;
    let worth = |(name, caveat, change): Idea| {
        let mut changed = site.clone();
        change(&mut changed);
        let found = year(&changed, scenario);
        Improvement {
            name,
            caveat: caveat.to_owned(),
            tokens: found.tokens_output - base.tokens_output,
            tokens_per_mw_share: found.tokens_per_second_per_mw_facility
                / base.tokens_per_second_per_mw_facility.max(1e-9)
                - 1.0,
            power_mw: base.peak_power_mw - found.peak_power_mw,
            gain_usd: gain(&found) - gain(base),
        }
    };
    let ideas = operation().into_iter().chain(change_of_plant(site, base));
    let mut found: Vec<Improvement> = ideas.map(worth).collect();
    found.retain(|each| each.gain_usd > 0.0 || each.power_mw > 0.0 && each.tokens_per_mw_share > 0.0);
    found.sort_by(|a, b| b.gain_usd.total_cmp(&a.gain_usd));
    found
}

/// Ideas that any fleet can try.
fn operation() -> [Idea; 4] {
    [
        (
            "Share more prompts: 20 points more in the prefix cache".into(),
            "needs requests with common beginnings, and memory for them",
            Box::new(|site| {
                let hit = (site.service.prefix_cache_hit.as_fraction() + 0.2).min(0.95);
                site.service.prefix_cache_hit = Ratio::from_fraction(hit);
            }),
        ),
        (
            "Allow twice the time between tokens".into(),
            "answers appear at half the pace",
            Box::new(|site| site.service.tpot = site.service.tpot * 2.0),
        ),
        (
            "Bring more work: a tenth more of what the fleet can serve".into(),
            "needs customers; queues lengthen near full work",
            Box::new(|site| site.service.demand = scaled(site.service.demand, 1.1)),
        ),
        (
            "Cap GPUs at 80% of their limit".into(),
            "each GPU is slower; the power saved can feed more of them",
            Box::new(|site| {
                for class in &mut site.racks {
                    let Some(gpu) = &class.gpu else { continue };
                    class.power_cap = (class.power_cap * 0.8).max(gpu.min_power_cap).min(class.power_cap);
                }
            }),
        ),
    ]
}

/// Ideas that this plant has room for.
fn change_of_plant(site: &Site, base: &Report) -> Vec<Idea> {
    let mut ideas: Vec<Idea> = Vec::new();
    if site.loops.iter().any(|each| each.supply_max > each.supply) {
        ideas.push((
            "Run water as warm as the racks accept".into(),
            "leaves less margin when a cooler fails on a hot day",
            Box::new(|site| {
                for each in &mut site.loops {
                    each.supply = each.supply.max(each.supply_max);
                }
            }),
        ));
    }
    if let Some(format) = narrower(site) {
        let name = format!("Serve in {}", if format == Precision::Fp4 { "4-bit" } else { "8-bit" });
        let change = Box::new(move |site: &mut Site| site.service.precision = format);
        ideas.push((name, "check the answers' quality first", change));
    }
    if let Some(share) = room_for_more(site, base) {
        let name = format!("Fill the contract: {:.0}% more racks on power that is never drawn", share * 100.0);
        let change = Box::new(move |site: &mut Site| grow(site, 1.0 + share));
        ideas.push((name, "needs floor, feeds and coolers for them", change));
    }
    ideas
}

/// The next narrower number format that every GPU of the site computes in.
fn narrower(site: &Site) -> Option<Precision> {
    let gpus = || site.racks.iter().filter_map(|class| class.gpu.as_ref());
    match site.service.precision {
        Precision::Bf16 if gpus().all(|gpu| gpu.flops.fp8.is_some()) => Some(Precision::Fp8),
        Precision::Fp8 if gpus().all(|gpu| gpu.flops.fp4.is_some()) => Some(Precision::Fp4),
        Precision::Bf16 | Precision::Fp8 | Precision::Fp4 | Precision::Int4 => None,
    }
}

/// Share of racks that the contract could feed besides, leaving a twentieth of it free; none under 2%.
fn room_for_more(site: &Site, base: &Report) -> Option<f64> {
    let share = site.contract_power.as_megawatts() * 0.95 / base.peak_power_mw.max(1e-9) - 1.0;
    (share > 0.02).then_some(share.min(1.0))
}

/// A site with everything but its contract larger by a factor, in whole units.
fn grow(site: &mut Site, factor: f64) {
    let more = |count: &mut u32| *count = (f64::from(*count) * factor).round() as u32;
    for class in &mut site.racks {
        more(&mut class.count);
    }
    for node in &mut site.power {
        node.rated_power = node.rated_power * factor;
    }
    for each in &mut site.loops {
        each.design_heat = each.design_heat * factor;
        let groups = [Some(&mut each.terminal), each.rejection.as_mut(), each.chiller.as_mut()];
        for group in groups.into_iter().flatten() {
            group.part.heat_capacity = group.part.heat_capacity * factor;
            if let Some(fan) = fan_power(&mut group.part.kind) {
                *fan = *fan * factor;
            }
        }
    }
    for line in &mut site.capex {
        line.cost = Usd::from_dollars(line.cost.as_dollars() * factor);
    }
}

fn fan_power(kind: &mut model::part::CoolingKind) -> Option<&mut Power> {
    use model::part::CoolingKind as Kind;
    match kind {
        Kind::FanWall { fan_power, .. }
        | Kind::DryCooler { fan_power, .. }
        | Kind::AdiabaticCooler { fan_power, .. }
        | Kind::CoolingTower { fan_power, .. } => Some(fan_power),
        Kind::Cdu { .. } | Kind::Chiller { .. } => None,
    }
}
