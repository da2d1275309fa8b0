//! A battery's year: against every schedule of small ones, and laws that hold for any.

use model::optimum::Limits;
use optimize::Base;
use optimize::dispatch::{Battery, Tariff, Unscheduled, cost, dispatch};
use proptest::prelude::*;

const BATTERY: Battery = Battery { energy_mwh: 2.0, power_mw: 1.0, round_trip: 1.0, start: 0.0 };

fn tariff(price: &[f64]) -> Tariff<'_> {
    Tariff { price_usd_per_mwh: price, demand_usd_per_kw_month: 0.0, contract_mw: 10.0, months: &[0] }
}

/// Whole numbers in, whole numbers out: without losses and demand charge the programme is a flow in a network, whose best has
/// whole flows, so that trying each of them finds it.
fn by_trying_all(load: &[f64], price: &[f64]) -> f64 {
    let mut best = f64::INFINITY;
    for code in 0..3_u32.pow(load.len() as u32) {
        let (mut stored, mut total, mut code) = (0.0, 0.0, code);
        let mut fits = true;
        for (load, price) in load.iter().zip(price) {
            let flow = f64::from(code % 3) - 1.0;
            code /= 3;
            stored += flow;
            total += price * (load + flow);
            fits &= (0.0..=2.0).contains(&stored) && load + flow >= 0.0;
        }
        if fits {
            best = f64::min(best, total);
        }
    }
    best
}

#[test]
fn small_batteries_cost_what_the_best_of_all_schedules_costs() {
    let mut seed = 7_u64;
    let mut next = |most: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((seed >> 33) % most) as f64
    };
    for at in 0..60 {
        let load: Vec<f64> = (0..8).map(|_| next(4)).collect();
        let price: Vec<f64> = (0..8).map(|_| next(100) - 10.0).collect();
        let found = dispatch(&load, 1.0, &tariff(&price), &BATTERY).unwrap();
        let known = by_trying_all(&load, &price);
        assert!((found.cost_usd - known).abs() <= 1e-6 * known.abs().max(1.0), "{at}: {} of {known}", found.cost_usd);
    }
}

/// A battery of a megawatt takes a megawatt off the month's peak for as long as it lasts.
#[test]
fn a_peak_is_shaved() {
    let load = [5.0, 5.0, 9.0, 5.0];
    let price = [50.0; 4];
    let tariff = Tariff { demand_usd_per_kw_month: 10.0, ..tariff(&price) };
    let found = dispatch(&load, 1.0, &tariff, &BATTERY).unwrap();
    let peak = found.grid_mw.iter().copied().fold(0.0, f64::max);
    assert!((peak - 8.0).abs() < 1e-6 && (found.without_usd - found.cost_usd - 10_000.0).abs() < 1e-2, "{peak}");
}

#[test]
fn what_can_not_be_is_said() {
    let over = dispatch(&[20.0; 4], 1.0, &tariff(&[1.0; 4]), &BATTERY);
    assert_eq!(over.unwrap_err(), Unscheduled::Infeasible);
    let short = dispatch(&[1.0; 3], 1.0, &tariff(&[1.0; 4]), &BATTERY);
    assert!(matches!(short.unwrap_err(), Unscheduled::BadInput(_)));
}

/// The batteries of a design, through its whole year: less than without, the contract kept.
#[test]
fn a_designs_own_batteries_save_over_its_year() {
    let text = catalog::design("facility-100mw").unwrap().text;
    let design = catalog::parse_design("facility-100mw", text).unwrap();
    let base = Base::new(&design, &catalog::catalog().unwrap(), Limits::default()).unwrap();
    let battery = base.battery().unwrap();
    assert_eq!((battery.energy_mwh, battery.power_mw), (40.0, 20.0));
    let year = base.storage_year(&base.drawn_choice()).unwrap().unwrap();
    assert_eq!(year.grid_mw.len(), 8_760);
    assert!(year.cost_usd < 0.999 * year.without_usd, "{} of {}", year.cost_usd, year.without_usd);
    assert!(year.grid_mw.iter().all(|mw| *mw <= 100.0 + 1e-6));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Energy is kept, nothing exceeds its bounds, and it never costs more than without.
    #[test]
    fn law_a_battery_never_costs_more_and_keeps_its_energy(
        load in prop::collection::vec(0.0..8.0_f64, 48),
        price in prop::collection::vec(-20.0..200.0_f64, 48),
        (energy_mwh, power_mw, round_trip, start) in (0.1..10.0_f64, 0.1..4.0_f64, 0.6..1.0_f64, 0.0..1.0_f64),
        demand in 0.0..20.0_f64,
    ) {
        let battery = Battery { energy_mwh, power_mw, round_trip, start };
        let tariff = Tariff { demand_usd_per_kw_month: demand, months: &[0, 24], ..tariff(&price) };
        let found = dispatch(&load, 0.5, &tariff, &battery).unwrap();
        prop_assert!(found.cost_usd <= found.without_usd + 1e-4 * found.without_usd.abs().max(1.0));
        prop_assert!((cost(&found.grid_mw, 0.5, &tariff) - found.cost_usd).abs() < 1e-9);
        let one_way = round_trip.sqrt();
        let mut stored = start * energy_mwh;
        for step in 0..48 {
            stored += 0.5 * (found.charge_mw[step] * one_way - found.discharge_mw[step] / one_way);
            prop_assert!((stored - found.stored_mwh[step]).abs() < 1e-5, "step {step}: {stored}");
            prop_assert!(found.stored_mwh[step] <= energy_mwh + 1e-6 && found.charge_mw[step] <= power_mw + 1e-6);
            prop_assert!(found.grid_mw[step] >= -1e-6 && found.grid_mw[step] <= 10.0 + 1e-6);
        }
        prop_assert!(stored >= start * energy_mwh - 1e-5);
    }
}
