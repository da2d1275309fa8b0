//! Moist air against PsychroLib's figures and against the laws that any moist air obeys.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]

use model::quantity::{Length, Pressure, Ratio, Temperature};
use proptest::prelude::*;
use sim::psychrometrics::{
    density_kg_per_m3, dew_point_from_humidity_ratio, dew_point_from_vapour_pressure, enthalpy_j_per_kg,
    humidity_ratio_from_dew_point, humidity_ratio_from_relative_humidity, humidity_ratio_from_wet_bulb,
    relative_humidity, saturated_enthalpy_j_per_kg, saturated_humidity_ratio, saturation_pressure, standard_pressure,
    wet_bulb, wet_bulb_c,
};

/// One row of the table.
struct Row {
    dry: f64,
    humidity: f64,
    pressure: f64,
    wet: f64,
    dew: f64,
    ratio: f64,
    enthalpy: f64,
    density: f64,
}

fn oracle() -> Vec<Row> {
    include_str!("psychrometrics_oracle.csv")
        .lines()
        .skip(1)
        .map(|line| {
            let f: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
            let [dry, humidity, pressure, wet, dew, ratio, enthalpy, density] = f[..] else { panic!("{line}") };
            Row { dry, humidity, pressure, wet, dew, ratio, enthalpy, density }
        })
        .collect()
}

/// Humidity ratio at relative humidity `percent`.
fn ratio_at(dry: f64, percent: f64, pressure: f64) -> f64 {
    humidity_ratio_from_relative_humidity(
        Temperature::from_celsius(dry),
        Ratio::from_percent(percent),
        Pressure::from_pascals(pressure),
    )
    .as_fraction()
}

/// Humidity ratio at wet bulb `wet`.
fn ratio_at_wet_bulb(dry: f64, wet: f64, pressure: f64) -> f64 {
    let (dry, wet) = (Temperature::from_celsius(dry), Temperature::from_celsius(wet));
    humidity_ratio_from_wet_bulb(dry, wet, Pressure::from_pascals(pressure)).as_fraction()
}

/// PsychroLib 2.5.0, whose own searches end at 0.001 K.
#[test]
fn agrees_with_psychrolib() {
    let rows = oracle();
    assert!(rows.len() >= 2000, "{} rows", rows.len());
    for r in &rows {
        let at = format!("{} °C, {} %, {} Pa", r.dry, r.humidity, r.pressure);
        let (dry, pressure) = (Temperature::from_celsius(r.dry), Pressure::from_pascals(r.pressure));
        let ratio = ratio_at(r.dry, r.humidity, r.pressure);
        assert!((ratio / r.ratio - 1.0).abs() < 1e-6, "humidity ratio at {at}: {ratio} for {}", r.ratio);
        let w = Ratio::from_fraction(ratio);
        let dew = dew_point_from_humidity_ratio(w, pressure).as_celsius();
        assert!((dew - r.dew).abs() < 0.01, "dew point at {at}: {dew} for {}", r.dew);
        let enthalpy = enthalpy_j_per_kg(dry, w);
        assert!((enthalpy - r.enthalpy).abs() < 0.1, "enthalpy at {at}: {enthalpy} for {}", r.enthalpy);
        let density = density_kg_per_m3(dry, w, pressure);
        assert!((density - r.density).abs() < 1e-5, "density at {at}: {density} for {}", r.density);
        let wet = wet_bulb(dry, w, pressure).as_celsius();
        assert!((wet - r.wet).abs() < 0.01, "wet bulb at {at}: {wet} for {}", r.wet);
    }
}

/// ASHRAE Handbook Fundamentals 2017, ch. 1: table 1 (standard atmosphere) and table 3 (saturated water), four digits.
#[test]
fn agrees_with_ashrae_tables() {
    for (metres, pascals) in [(-500.0, 107_478.0), (0.0, 101_325.0), (1_000.0, 89_875.0), (3_000.0, 70_108.0)] {
        let got = standard_pressure(Length::from_metres(metres)).as_pascals();
        assert!((got / pascals - 1.0).abs() < 1e-4, "{metres} m: {got}");
    }
    for (celsius, pascals) in [(-20.0, 103.24), (0.0, 611.15), (20.0, 2_338.8), (50.0, 12_351.3)] {
        let got = saturation_pressure(Temperature::from_celsius(celsius)).as_pascals();
        assert!((got / pascals - 1.0).abs() < 1e-3, "{celsius} °C: {got}");
    }
}

#[test]
fn saturated_air_is_at_its_dew_point_and_wet_bulb() {
    let pressure = Pressure::from_pascals(95_000.0);
    for celsius in [-35.0, -5.0, 0.0, 0.005, 0.01, 0.02, 5.0, 30.0, 54.0] {
        let t = Temperature::from_celsius(celsius);
        let w = saturated_humidity_ratio(t, pressure);
        assert!((wet_bulb(t, w, pressure).as_celsius() - celsius).abs() < 1e-6, "wet bulb at {celsius}");
        let dew = dew_point_from_humidity_ratio(w, pressure).as_celsius();
        assert!((dew - celsius).abs() < 1e-3, "dew point at {celsius}: {dew}");
        assert!((relative_humidity(t, w, pressure).as_percent() - 100.0).abs() < 1e-9);
        assert!((saturated_enthalpy_j_per_kg(t, pressure) - enthalpy_j_per_kg(t, w)).abs() < 1e-9);
    }
}

#[test]
fn impossible_air_gives_finite_answers() {
    for (dry, ratio, pressure) in [(60.0, 5.0, 30_000.0), (-90.0, 0.0, 20_000.0), (60.0, -1.0, 101_325.0)] {
        assert!(wet_bulb_c(dry, ratio, pressure).is_finite(), "{dry} {ratio} {pressure}");
    }
    assert!(dew_point_from_vapour_pressure(Pressure::ZERO).as_celsius() >= -100.1);
}

proptest! {
    #[test]
    fn law_wet_bulb_is_between_dew_point_and_dry_bulb(
        dry in -40.0..55.0_f64, percent in 0.5..100.0_f64, pressure in 6e4..1.05e5_f64,
    ) {
        let w = ratio_at(dry, percent, pressure);
        let wet = wet_bulb_c(dry, w, pressure);
        let dew = dew_point_from_humidity_ratio(Ratio::from_fraction(w), Pressure::from_pascals(pressure)).as_celsius();
        prop_assert!(dew <= wet + 0.01, "dew point {dew}, wet bulb {wet}");
        prop_assert!(wet <= dry, "wet bulb {wet}, dry bulb {dry}");
    }

    #[test]
    fn law_more_humidity_never_lowers_wet_bulb_or_dew_point(
        dry in -40.0..55.0_f64, percent in 0.5..99.0_f64, more in 0.0..1.0_f64, pressure in 6e4..1.05e5_f64,
    ) {
        let (a, b) = (ratio_at(dry, percent, pressure), ratio_at(dry, percent + more, pressure));
        let (before, after) = (wet_bulb_c(dry, a, pressure), wet_bulb_c(dry, b, pressure));
        // Where a wet and an iced bulb both fit the air, either may be read.
        let either = before.abs() < 1.0 && after.abs() < 1.0;
        prop_assert!(before <= after + 1e-6 || either, "{before} fell to {after}");
        let dew = |w| dew_point_from_humidity_ratio(Ratio::from_fraction(w), Pressure::from_pascals(pressure));
        prop_assert!(dew(a).as_celsius() <= dew(b).as_celsius() + 1e-6);
    }

    #[test]
    fn law_wet_bulb_and_humidity_ratio_are_inverse(
        dry in -40.0..55.0_f64, percent in 1.0..100.0_f64, pressure in 6e4..1.05e5_f64,
    ) {
        let w = ratio_at(dry, percent, pressure);
        let again = ratio_at_wet_bulb(dry, wet_bulb_c(dry, w, pressure), pressure);
        prop_assert!((again - w).abs() < 1e-9, "{w} came back as {again}");
    }

    #[test]
    fn law_dew_point_and_humidity_ratio_are_inverse(dew in -60.0..50.0_f64, pressure in 6e4..1.05e5_f64) {
        let (t, p) = (Temperature::from_celsius(dew), Pressure::from_pascals(pressure));
        let again = dew_point_from_humidity_ratio(humidity_ratio_from_dew_point(t, p), p).as_celsius();
        prop_assert!((again - dew).abs() < 1e-3, "{dew} came back as {again}");
    }
}
