//! Laws that hold for every site and year, on sites drawn from the reference designs.

use crate::common::{off, site, year};
use model::design::Demand;
use model::quantity::{Power, Ratio, Span};
use model::scenario::Series;
use model::site::Site;
use model::trace::Trace;
use proptest::prelude::*;
use sim::cooling::{Outside, Plant};
use sim::simulate;

const DESIGNS: [&str; 5] = ["one-rack-gb200", "h200-air-row", "superpod-gb200-su", "mi355x-10mw", "tower-50mw"];

fn total(trace: &Trace, column: &str) -> f64 {
    let (_, values) = trace.columns.named().into_iter().find(|(name, _)| *name == column).unwrap();
    values.iter().sum::<f64>() * trace.step.as_seconds()
}

/// Rejection and chillers of all loops, scaled.
fn with_cooling(mut site: Site, share: f64) -> Site {
    for each in &mut site.loops {
        for units in each.rejection.iter_mut().chain(each.chiller.iter_mut()) {
            units.part.heat_capacity = units.part.heat_capacity * share;
        }
    }
    site
}

/// Demand far above what can be made, so that limits bind.
fn flooded(mut site: Site) -> Site {
    site.service.demand = Demand::PeakShare(Ratio::from_fraction(5.0));
    site
}

fn with_cap(mut site: Site, share: f64) -> Site {
    for rack in &mut site.racks {
        if let Some(gpu) = &rack.gpu {
            rack.power_cap = gpu.board_power * share;
        }
    }
    site
}

fn times(mut site: Site, k: u32) -> Site {
    for rack in &mut site.racks {
        rack.count *= k;
    }
    for node in &mut site.power {
        node.units *= k;
    }
    for each in &mut site.loops {
        each.design_heat = each.design_heat * k;
        each.terminal.units *= k;
        for units in each.rejection.iter_mut().chain(each.chiller.iter_mut()) {
            units.units *= k;
        }
    }
    site.contract_power = site.contract_power * k;
    site.house_power = site.house_power * k;
    site
}

fn any_design() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&DESIGNS[..])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn law_same_inputs_same_bytes(id in any_design(), seed in 0u64..9) {
        let site = site(id);
        let scenario = sim::defaults::scenario(&site, Span::from_hours(1.0), seed);
        let bytes = |trace: Trace| serde_json::to_vec(&trace).unwrap();
        prop_assert_eq!(bytes(simulate(&site, &scenario)), bytes(simulate(&site, &scenario)));
    }

    #[test]
    fn law_books_balance(id in any_design(), cooling in 0.2f64..1.5, seed in 0u64..9) {
        let site = flooded(with_cooling(site(id), cooling));
        let trace = simulate(&site, &sim::defaults::scenario(&site, Span::from_hours(1.0), seed));
        prop_assert!(trace.balance_error <= 1e-9, "{}", trace.balance_error);
        let used: f64 = ["it_power_w", "fan_power_w", "pump_power_w", "chiller_power_w", "house_power_w", "distribution_loss_w"]
            .iter().map(|column| total(&trace, column)).sum();
        prop_assert!(off(used, total(&trace, "facility_power_w")) < 1e-9);
    }

    #[test]
    fn law_more_cooling_never_heats(id in any_design(), little in 0.2f64..1.0, more in 1.0f64..2.0) {
        let small = flooded(with_cooling(site(id), little));
        let large = flooded(with_cooling(site(id), little * more));
        let scenario = year(&small);
        let (small, large) = (simulate(&small, &scenario), simulate(&large, &scenario));
        for at in 0..small.columns.supply_temperature_c.len() {
            let allowed = (small.columns.allowed_share[at], large.columns.allowed_share[at]);
            prop_assert!(allowed.1 >= allowed.0 - 1e-8, "step {at}: {allowed:?}");
            // Where the small plant held the fleet back, the larger one carries more heat, and may run as warm.
            if allowed.0 > 1.0 - 1e-9 {
                let supply = (small.columns.supply_temperature_c[at], large.columns.supply_temperature_c[at]);
                prop_assert!(supply.1 <= supply.0 + 1e-6, "step {at}: {supply:?}");
            }
        }
    }

    #[test]
    fn law_hotter_outside_never_lowers_power(
        id in any_design(), load in 0.1f64..1.0, dry in -15.0f64..45.0, depression in 0.0f64..15.0, hotter in 0.0f64..8.0,
    ) {
        for each in &site(id).loops {
            let plant = Plant::new(each, |units| f64::from(units.units), 101_325.0);
            let power = |rise: f64| {
                let outside = Outside { dry_bulb_c: dry + rise, wet_bulb_c: dry - depression + rise, pressure_pa: 101_325.0 };
                plant.step(each.design_heat.as_watts() * load, outside).power_w()
            };
            let (before, after) = (power(0.0), power(hotter));
            prop_assert!(after >= before * (1.0 - 1e-6), "{}: {before} then {after}", each.name);
        }
    }

    #[test]
    fn law_a_higher_cap_never_lowers_tokens(
        id in any_design(), low in 0.35f64..1.0, high in 0.35f64..1.0, contract in 0.5f64..1.1, demand in 0.3f64..3.0,
    ) {
        let (low, high) = if low < high { (low, high) } else { (high, low) };
        let mut base = site(id);
        let evaluated = sim::evaluate(&base);
        base.contract_power = Power::from_megawatts(evaluated.peak_power_mw * contract);
        // The same tokens asked of both, whatever each could make.
        let lengths = sim::Lengths::of(&base);
        base.service.demand = Demand::Scale(evaluated.output_tokens_per_s * demand / lengths.output);
        let scenario = year(&base);
        let tokens = |share: f64| total(&simulate(&with_cap(base.clone(), share), &scenario), "output_tokens_per_s");
        let (slow, fast) = (tokens(low), tokens(high));
        prop_assert!(fast >= slow * (1.0 - 1e-3), "{slow} tokens at {low}, {fast} at {high}");
    }

    #[test]
    fn law_splitting_a_step_changes_no_total(id in any_design(), minutes in proptest::sample::select(vec![5u32, 10, 15, 20, 30])) {
        let site = site(id);
        let hourly = year(&site);
        let mut finer = hourly.clone();
        finer.step = Span::from_minutes(f64::from(minutes));
        let (coarse, fine) = (simulate(&site, &hourly), simulate(&site, &finer));
        for column in ["facility_power_w", "it_power_w", "gpu_power_w", "output_tokens_per_s", "water_l_per_s", "chiller_power_w"] {
            prop_assert!(off(total(&coarse, column), total(&fine, column)) < 1e-9, "{column}");
        }
    }

    #[test]
    fn law_scaling_a_design_scales_its_totals(id in any_design(), k in 2u32..50) {
        let one = site(id);
        let many = times(one.clone(), k);
        let scenario = year(&one);
        let (one, many) = (simulate(&one, &scenario), simulate(&many, &scenario));
        for column in ["facility_power_w", "it_power_w", "output_tokens_per_s", "water_l_per_s", "fan_power_w"] {
            let (a, b) = (total(&one, column) * f64::from(k), total(&many, column));
            prop_assert!(off(a, b) < 1e-9 || a.abs() + b.abs() < 1e-6, "{column}: {a} and {b}");
        }
    }
}

#[test]
fn a_hot_year_holds_the_fleet_back_and_says_so() {
    let site = flooded(site("superpod-gb200-su"));
    let mut scenario = year(&site);
    scenario.weather.dry_bulb_c = Series::constant(58.0);
    scenario.weather.wet_bulb_c = Series::constant(30.0);
    let site = with_cooling(site, 0.4);
    let trace = simulate(&site, &scenario);
    let report = sim::report::report(&site, &scenario, &trace, "test", "");
    assert!(report.hours_derated > 8_000.0, "{}", report.hours_derated);
    assert!(report.tokens_unserved > 0.0);
    assert!(report.notes.iter().any(|note| note.to_string().contains("held the fleet back")), "{:?}", report.notes);
}
