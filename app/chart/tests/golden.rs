//! The pictures as text. A change that is meant is accepted with `INSTA_UPDATE=always cargo test -p chart`.

use chart::{energy_flow, load_duration, monthly_bars};
use model::report::{Flow, Month};

fn mwh(value: f64) -> String {
    format!("{value:.0} MWh")
}
fn mw(value: f64) -> String {
    format!("{value:.0} MW")
}
fn share(value: f64) -> String {
    format!("{:.1}%", value * 100.0)
}

fn months() -> Vec<Month> {
    (1..=12)
        .map(|month| {
            let warm = 1.0 - (f64::from(month) - 7.0).abs() / 6.0;
            Month {
                month,
                facility_energy_mwh: 600.0 + 60.0 * warm,
                it_energy_mwh: 540.0,
                gpu_energy_mwh: 400.0,
                cooling_energy_mwh: 20.0 + 55.0 * warm,
                ..Month::default()
            }
        })
        .collect()
}

fn flows() -> Vec<Flow> {
    [
        ("utility", "racks", 7000.0),
        ("utility", "distribution losses", 260.0),
        ("utility", "fans", 120.0),
        ("utility", "chillers", 90.0),
        ("racks", "GPU boards", 5200.0),
        ("racks", "rectifier losses", 180.0),
        ("racks", "processors, network, fans", 1620.0),
    ]
    .into_iter()
    .map(|(from, to, mwh)| Flow { from: from.into(), to: to.into(), mwh })
    .collect()
}

fn pictures() -> [(&'static str, String); 3] {
    let exceeded: Vec<f64> = (0..=100).map(|i| 98.0 - 0.4 * f64::from(i)).collect();
    [
        ("monthly_bars", monthly_bars(&months(), "July draws most", mwh)),
        ("load_duration", load_duration(&exceeded, 100.0, "Above 90 MW for a fifth of the year", mw)),
        ("energy_flow", energy_flow(&flows(), "70% reaches the boards", mwh, share)),
    ]
}

#[test]
fn golden_pictures() {
    for (name, svg) in pictures() {
        insta::assert_snapshot!(name, svg);
    }
}

#[test]
fn a_picture_names_no_colour_and_no_font() {
    for (name, svg) in pictures() {
        assert!(!svg.contains('#') && !svg.contains("rgb(") && !svg.contains("font-family"), "{name}: {svg}");
        assert!(svg.contains("var(--power)") && svg.contains("<title>"), "{name}");
        assert!(!svg.contains(" width=\"100%\"") && !svg.contains("style="), "{name}");
    }
}

#[test]
fn nothing_to_draw_is_still_a_picture() {
    for svg in [monthly_bars(&[], "", mwh), load_duration(&[], 0.0, "", mw), energy_flow(&[], "", mwh, share)] {
        assert!(svg.contains("</svg>") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
