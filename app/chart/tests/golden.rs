//! The pictures as text. A change that is meant is accepted with `INSTA_UPDATE=always cargo test -p chart`.

use chart::{
    Axis, Bar, Cloud, Curve, Lane, Line, Lines, Role, Scale, Scatter, bars_beside_plan, energy_flow, event_lanes,
    lines_in_time, load_duration, monthly_bars, scatter,
};
use model::fleet::Annotation;
use model::note::Severity;
use model::reading::Bucket;
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

fn lanes() -> Vec<Lane> {
    [("GPU errors", Severity::Error, [0, 3, 12, 0]), ("Restarts", Severity::Warning, [1, 0, 0, 0])]
        .into_iter()
        .map(|(name, severity, counts)| Lane { name: name.into(), severity, counts: counts.into() })
        .collect()
}

fn bars() -> Vec<Bar> {
    let bar = |name: &str, value| Bar { name: name.into(), value, planned: Some(20.0) };
    vec![bar("0", Some(17.0)), bar("1", None), Bar { planned: None, ..bar("2", Some(19.5)) }, bar("3", Some(21.0))]
}

/// Ten minutes with a gap, a region that began before, an error, a plan, and the time before laid over.
fn live_lines() -> String {
    let bucket = |at: i64| {
        let mean = 600.0 + 40.0 * (at as f64 / 60.0).sin();
        Bucket { start_ms: at * 1000, min: mean - 15.0, max: mean + 20.0, sum: mean * 4.0, count: 4 }
    };
    let board: Vec<Bucket> = (0..60).map(|at| at * 10).filter(|at| !(200..290).contains(at)).map(bucket).collect();
    let before: Vec<Bucket> = board.iter().map(|b| Bucket { min: b.min - 50.0, sum: b.sum - 200.0, ..*b }).collect();
    let limit: Vec<Bucket> = (0..60).map(|at| Bucket::of(at * 10_000, 700.0)).collect();
    let line = |name, role, buckets, previous, planned| Line {
        name,
        role,
        buckets,
        previous,
        gap_ms: 30_000,
        last_is_partial: true,
        planned,
    };
    let lines = [
        line("Board power", Role::Power, board.as_slice(), before.as_slice(), Some(650.0)),
        line("Power limit", Role::Limit, limit.as_slice(), &[], None),
    ];
    let annotations = [
        Annotation { start_ms: -60_000, end_ms: Some(90_000), words: "grid event".into(), severe: false },
        Annotation { start_ms: 420_000, end_ms: None, words: "XID 79".into(), severe: true },
    ];
    let marks = [(0, "14:00".to_owned()), (300_000, "14:05".to_owned())];
    let chart = Lines {
        from_ms: 0,
        to_ms: 600_000,
        step_ms: 10_000,
        lines: &lines,
        annotations: &annotations,
        marks: &marks,
        from_zero: true,
    };
    lines_in_time(&chart, "Board power was 600 W, and was not read for 90 s", &|watts| format!("{watts:.0} W"))
}

fn pictures() -> [(&'static str, String); 6] {
    let exceeded: Vec<f64> = (0..=100).map(|i| 98.0 - 0.4 * f64::from(i)).collect();
    [
        ("monthly_bars", monthly_bars(&months(), "July draws most", mwh)),
        ("load_duration", load_duration(&exceeded, 100.0, "Above 90 MW for a fifth of the year", mw)),
        ("energy_flow", energy_flow(&flows(), "70% reaches the boards", mwh, share)),
        ("event_lanes", event_lanes(&lanes(), &[(0.0, "14:00".into()), (0.5, "15:00".into())], "Most at three")),
        ("bars_beside_plan", bars_beside_plan(&bars(), "Less than planned", "made", "hour", mw)),
        ("lines_in_time", live_lines()),
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
        assert!(svg.contains("var(--") && svg.contains("<title>"), "{name}");
        assert!(!svg.contains(" width=\"100%\"") && !svg.contains("style="), "{name}");
    }
}

#[test]
fn nothing_to_draw_is_still_a_picture() {
    for svg in [
        monthly_bars(&[], "", mwh),
        load_duration(&[], 0.0, "", mw),
        energy_flow(&[], "", mwh, share),
        event_lanes(&[], &[], ""),
        bars_beside_plan(&[], "", "", "", mw),
    ] {
        assert!(svg.contains("</svg>") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}

fn points_chart(scale: Scale, title: &str) -> String {
    let words = |value: f64| format!("{value:.0} ms");
    let axis = |name| Axis { name, scale, words: &words };
    let chart = Scatter {
        across: axis("Measured"),
        up: axis("Predicted"),
        clouds: &[Cloud { name: "points", role: Role::Power, points: &[(2.0, 2.2), (20.0, 18.0), (200.0, 260.0)] }],
        curves: &[Curve {
            name: "line",
            role: Role::Tokens,
            points: &[(2.0, 3.0, 2.0, 4.0), (100.0, 90.0, 70.0, 120.0)],
        }],
        chosen: Some((20.0, 18.0)),
        diagonal: scale == Scale::Decades,
    };
    scatter(&chart, title)
}

#[test]
fn golden_points_by_decades() {
    insta::assert_snapshot!(points_chart(Scale::Decades, "predicted beside measured"));
}

#[test]
fn a_picture_of_points_is_drawn_of_anything() {
    assert!(points_chart(Scale::Linear, "evenly").contains("<title>evenly</title>"));
    let words = |value: f64| format!("{value}");
    let axis = Axis { name: "a", scale: Scale::Decades, words: &words };
    let nothing = Scatter { across: axis, up: axis, clouds: &[], curves: &[], chosen: None, diagonal: true };
    assert!(scatter(&nothing, "nothing").contains("</svg>"));
    let odd = [(0.0, -1.0), (f64::NAN, 3.0), (f64::INFINITY, 2.0)];
    let cloud = Cloud { name: "odd", role: Role::Heat, points: &odd };
    assert!(scatter(&Scatter { clouds: &[cloud], ..nothing }, "odd").contains("</svg>"));
}
