//! What to build and how to run it: laws that hold for any year, and a design's own.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use model::optimum::Limits;
use optimize::Base;
use optimize::sizing::{Capacity, Gas, Grid, Sized, Sizing, Solar, Storage, Unsized, size};
use proptest::prelude::*;

const HOURS: usize = 48;

/// A year of two days: solar by day, gas dearer than the grid, a battery; each may be built.
fn year(load: &[f64], price: &[f64]) -> Sizing {
    let chosen = |usd: f64| Capacity::Chosen { usd_per_mw_year: usd, most: 20.0 };
    Sizing {
        load_mw: load.into(),
        grid: Grid {
            price_usd_per_mwh: price.into(),
            contract_mw: 12.0,
            demand_usd_per_kw_month: 0.3,
            carbon_g_per_kwh: vec![400.0; load.len()],
            months: vec![0, 24],
        },
        solar: Some(Solar {
            capacity: chosen(300.0),
            yield_mw_per_mw: (0..load.len())
                .map(|hour| if (8..18).contains(&(hour % 24)) { 0.7 } else { 0.0 })
                .collect(),
        }),
        gas: Some(Gas { capacity: chosen(500.0), fuel_usd_per_mwh: 60.0, carbon_kg_per_mwh: 450.0 }),
        battery: Some(Storage { energy: chosen(100.0), power: chosen(80.0), round_trip: 0.85 }),
        shift: 0.2,
        carbon_usd_per_t: 20.0,
    }
}

fn usd(year: &Sizing) -> f64 {
    size(year).unwrap().costs.total_usd()
}

/// Every hour balances and every limit is kept.
fn holds(year: &Sizing, found: &Sized) {
    let flows = &found.flows;
    let one_way = year.battery.map_or(1.0, |battery| battery.round_trip.sqrt());
    let near = 1e-4;
    let highest = year.load_mw.iter().copied().fold(0.0, f64::max);
    for hour in 0..year.load_mw.len() {
        let given = flows.grid_mw[hour] + flows.solar_mw[hour] + flows.gas_mw[hour] + flows.discharge_mw[hour];
        assert!((given - flows.load_mw[hour] - flows.charge_mw[hour]).abs() < 1e-9, "hour {hour}");
        assert!(flows.grid_mw[hour] >= -1e-9 && flows.grid_mw[hour] <= year.grid.contract_mw + near);
        let could = year.solar.as_ref().map_or(0.0, |own| own.yield_mw_per_mw[hour] * found.built.solar_mw);
        assert!(flows.solar_mw[hour] <= could + near && flows.gas_mw[hour] <= found.built.gas_mw + near);
        assert!(flows.charge_mw[hour] + flows.discharge_mw[hour] <= found.built.battery_mw + near);
        assert!(flows.stored_mwh[hour] <= found.built.battery_mwh + near);
        // As much stored before the first hour as after the last.
        let before = flows.stored_mwh[(hour + year.load_mw.len() - 1) % year.load_mw.len()];
        let kept = before + one_way * flows.charge_mw[hour] - flows.discharge_mw[hour] / one_way;
        assert!((kept - flows.stored_mwh[hour]).abs() < near || year.battery.is_none(), "hour {hour}");
        assert!(flows.load_mw[hour] >= (1.0 - year.shift) * year.load_mw[hour] - near);
        assert!(flows.load_mw[hour] <= highest + near);
    }
    let all = found.energies;
    let given = all.grid_mwh + all.solar_mwh + all.gas_mwh + all.discharged_mwh;
    let load: f64 = year.load_mw.iter().sum();
    assert!((given - load - all.charged_mwh).abs() < 1e-3 + 1e-6 * load, "{all:?} of {load}");
    for (moved, own) in flows.load_mw.chunks(24).zip(year.load_mw.chunks(24)) {
        assert!((moved.iter().sum::<f64>() - own.iter().sum::<f64>()).abs() < near);
    }
}

#[test]
fn solar_for_nothing_is_taken_before_anything_else() {
    let mut year = year(&[5.0; HOURS], &[40.0; HOURS]);
    year.shift = 0.0;
    year.solar.as_mut().unwrap().capacity = Capacity::Chosen { usd_per_mw_year: 0.0, most: 5.0 };
    let found = size(&year).unwrap();
    for hour in (0..HOURS).filter(|hour| (8..18).contains(&(hour % 24))) {
        assert!((found.flows.solar_mw[hour] - 3.5).abs() < 1e-4, "{hour}: {}", found.flows.solar_mw[hour]);
    }
    assert!((found.built.solar_mw - 5.0).abs() < 1e-4 && found.flows.curtailed_mw.iter().all(|mw| *mw < 1e-4));
}

/// One hour dear and one cheap: a MWh of battery moves √0.81 of a MWh in and out.
#[test]
fn a_battery_is_built_where_it_earns_its_keep() {
    let mut own = year(&[5.0, 5.0], &[10.0, 110.0]);
    (own.solar, own.gas, own.shift, own.carbon_usd_per_t) = (None, None, 0.0, 0.0);
    own.grid.months = vec![0];
    own.grid.demand_usd_per_kw_month = 0.0;
    let built = |usd: f64, own: &mut Sizing| {
        let chosen = Capacity::Chosen { usd_per_mw_year: usd, most: 1.0 };
        own.battery = Some(Storage { energy: chosen, power: Capacity::Given(5.0), round_trip: 0.81 });
        size(own).unwrap().built.battery_mwh
    };
    // 110 · 0.9 out less 10 / 0.9 in: 87.9 $ for each MWh of store.
    assert!((built(87.0, &mut own) - 1.0).abs() < 1e-5 && built(89.0, &mut own).abs() < 1e-5);
}

#[test]
fn what_can_not_be_is_said() {
    let mut own = year(&[50.0; HOURS], &[40.0; HOURS]);
    assert_eq!(size(&own).unwrap_err(), Unsized::Infeasible);
    own.shift = 2.0;
    assert!(matches!(size(&own).unwrap_err(), Unsized::BadInput(_)));
    own = year(&[5.0; HOURS], &[40.0; 3]);
    assert!(matches!(size(&own).unwrap_err(), Unsized::BadInput(_)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn law_every_hour_balances_and_no_limit_is_exceeded(
        load in prop::collection::vec(1.0..10.0_f64, HOURS),
        price in prop::collection::vec(-10.0..150.0_f64, HOURS),
    ) {
        let own = year(&load, &price);
        let found = size(&own).unwrap();
        holds(&own, &found);
        let without = found.without_usd.unwrap();
        prop_assert!(found.costs.total_usd() <= without + 1e-5 * without.abs() + 1e-2);
    }

    /// More of anything that costs nothing itself never costs more.
    #[test]
    fn law_more_room_never_costs_more(
        load in prop::collection::vec(1.0..10.0_f64, HOURS),
        price in prop::collection::vec(0.0..150.0_f64, HOURS),
        (contract, more) in (10.0..12.0_f64, 0.0..5.0_f64),
    ) {
        let mut own = year(&load, &price);
        own.grid.contract_mw = contract;
        let usual = usd(&own);
        let no_dearer = |changed: &Sizing| usd(changed) <= usual + 1e-6 * usual.abs() + 1e-3;
        let mut changed = own.clone();
        changed.grid.contract_mw += more;
        prop_assert!(no_dearer(&changed));
        changed = own.clone();
        changed.shift += 0.1;
        prop_assert!(no_dearer(&changed));
        changed = own.clone();
        changed.battery.as_mut().unwrap().round_trip = 0.95;
        prop_assert!(no_dearer(&changed));
        // And nothing of one kind is never cheaper.
        changed = own.clone();
        changed.solar = None;
        prop_assert!(usd(&changed) >= usual - 1e-6 * usual.abs() - 1e-3);
    }
}

/// The year of a design: within its contract, no dearer than the grid alone, and a dearer tonne never makes more of them.
#[test]
fn a_designs_own_year_is_sized() {
    let design = catalog::parse_design("tower-50mw", catalog::design("tower-50mw").unwrap().text).unwrap();
    let base = Base::new(&design, &catalog::catalog().unwrap(), Limits::default()).unwrap();
    let offer = base.usual_offer(0.25);
    let own = base.sizing(&base.drawn_choice(), &offer);
    assert_eq!(own.load_mw.len(), 8_760);
    let found = size(&own).unwrap();
    holds(&own, &found);
    assert!(found.costs.total_usd() <= found.without_usd.unwrap() * (1.0 + 1e-6));
    let priced = size(&Sizing { carbon_usd_per_t: 150.0, ..own }).unwrap();
    assert!(priced.carbon_t <= found.carbon_t * (1.0 + 1e-6), "{} of {}", priced.carbon_t, found.carbon_t);
    assert!(priced.built.solar_mw >= found.built.solar_mw - 1e-3);
}
