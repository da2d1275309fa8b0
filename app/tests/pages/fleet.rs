//! The live fleet's pages, against a small fleet of two racks.

use super::{FakeBackend, check, id, page, source};
use model::event::{FleetEvent, Happening};
use model::fleet::{
    Annotation, Attention, ChartData, ChartSeries, Fact, FleetCounts, FleetKpis, FleetNode, FleetPlace, FleetView,
    Health, Kpi, LastValue, Loss, LossCause, Megawatt, Part, PlaceView, PlanBinding, PlannedValue, SavedView,
    WasteReport, Wasted,
};
use model::metric::{Metric, Unit};
use model::reading::Bucket;
use model::source::{SourceKind, SourceState};

const NOW: i64 = 1_795_442_710_000; // 23 Nov 2026, 14:05:10

fn node(host: &str, rack: &str, tenant: &str) -> FleetNode {
    FleetNode {
        host: host.into(),
        rack: rack.into(),
        hall: "Hall A".into(),
        tenant: tenant.into(),
        model: "NVIDIA GB200".into(),
        gpus: 4,
        names: Vec::new(),
    }
}

fn kpi(now: Option<f64>, today: Option<f64>, planned: Option<f64>) -> Kpi {
    Kpi { now, today, planned, planned_error: planned.map(|_| 0.05), missing: None }
}

fn kpis() -> FleetKpis {
    let loss = |cause, tokens_per_s, because: &str| Loss { cause, tokens_per_s, because: because.into() };
    FleetKpis {
        tokens_per_s: kpi(Some(9_000.0), Some(8_000.0), Some(12_000.0)),
        board_w: kpi(Some(4_800.0), Some(4_700.0), None),
        it_w: kpi(Some(6_000.0), None, Some(6_600.0)),
        facility_w: Kpi { missing: Some("No meter of the building is read.".into()), ..Kpi::default() },
        tokens_per_s_per_mw: kpi(Some(1.5e6), Some(1.4e6), Some(1.8e6)),
        megawatt: Megawatt::It,
        board_energy_today_j: Some(2.4e8),
        board_energy_basis: "Counted by the boards; 2 min of the day are missing.".into(),
        counts: FleetCounts {
            planned: 8,
            seen: 8,
            busy: 4,
            idle: 1,
            heat_held: 1,
            stale: 1,
            failed: 1,
            ..FleetCounts::default()
        },
        losses: vec![
            loss(LossCause::Failures, 1_500.0, "1 of 8 GPUs has failed."),
            loss(LossCause::Cooling, 300.0, "1 GPU is held down by heat."),
            loss(LossCause::Utilisation, 1_200.0, "1 GPU is idle."),
        ],
    }
}

fn attention() -> Attention {
    Attention {
        alert: "a-1".into(),
        critical: true,
        what: "GPU 3 has fallen off the bus (XID 79).".into(),
        place: FleetPlace::Gpu("gpu-001".into(), "3".into()),
        since_ms: NOW - 240_000,
        otherwise: "The job on the node stays cut off, and 1 GPU makes nothing.".into(),
        action: "Drain gpu-001, then restart it.".into(),
        owner: None,
    }
}

fn plan() -> PlanBinding {
    PlanBinding {
        design: id("facility-100mw"),
        version: 2,
        name: "100 MW facility".into(),
        matched_racks: 2,
        planned_racks: 2,
        unmatched_racks: 0,
        bound_ms: NOW,
    }
}

fn view() -> FleetView {
    FleetView {
        layout: 1,
        as_of_ms: NOW,
        event: "e-1".into(),
        made_up: None,
        metric: Metric::GpuPower,
        nodes: vec![node("gpu-001", "A01", "red"), node("gpu-002", "A02", "")],
        values: vec![Some(600.0), Some(620.0), Some(610.0), None, Some(90.0), Some(640.0), None, Some(630.0)],
        health: vec![
            Health::Busy,
            Health::Busy,
            Health::HeatHeld,
            Health::Failed,
            Health::Idle,
            Health::Busy,
            Health::Stale,
            Health::Busy,
        ],
        kpis: kpis(),
        attention: vec![attention()],
        plan: Some(plan()),
    }
}

fn series(metric: &str, words: &str, value: f64) -> ChartSeries {
    let start = NOW - 3_600_000;
    // Ten minutes of it were not read.
    let buckets = (0..360).filter(|at| !(100..160).contains(at));
    ChartSeries {
        metric: metric.into(),
        words: words.into(),
        unit: Unit::Watt,
        buckets: buckets.map(|at| Bucket::of(start + at * 10_000, value)).collect(),
        previous: Vec::new(),
        gap_ms: 30_000,
        last_is_partial: true,
        planned: None,
    }
}

fn chart() -> ChartData {
    ChartData {
        from_ms: NOW - 3_600_000,
        to_ms: NOW,
        step_ms: 10_000,
        series: vec![
            series("gpu_power_watts", "Board power", 612.0),
            series("gpu_power_limit_watts", "Power limit", 700.0),
            series("fleet_board_power_watts", "Power of the GPU boards", 4_800.0),
        ],
        annotations: vec![Annotation {
            start_ms: NOW - 240_000,
            end_ms: None,
            words: "XID 79 on GPU 3".into(),
            severe: true,
        }],
    }
}

fn waste() -> WasteReport {
    let wasted = |place: FleetPlace, watts, why: &str| Wasted {
        place,
        tenant: "red".into(),
        wasted_w: watts,
        since_ms: NOW - 7_200_000,
        why: why.into(),
    };
    WasteReport {
        idle: vec![wasted(FleetPlace::Gpu("gpu-002".into(), "0".into()), 90.0, "No kernel ran for 2 h.")],
        stranded: vec![wasted(FleetPlace::Rack("A02".into()), 40_000.0, "Its feed has 40 kW that it never drew.")],
    }
}

fn house(fleet: FleetView) -> FakeBackend {
    let saved = SavedView { name: "Hot GPUs".into(), query: "metric=gpu_temperature_celsius".into(), saved_ms: NOW };
    FakeBackend {
        fleet: Some(fleet),
        chart: Some(chart()),
        waste: Some(waste()),
        views: Some(vec![saved]),
        ..FakeBackend::default()
    }
}

fn place(place: FleetPlace) -> PlaceView {
    let read = |metric, value, stale, age: i64| LastValue {
        metric,
        value,
        at_ms: NOW - age * 1000,
        stale,
        source: "dcgm".into(),
    };
    let part = |index: &str, health, hottest_c| Part {
        place: FleetPlace::Gpu("gpu-001".into(), index.into()),
        health,
        gpus: 1,
        board_w: Some(612.0),
        hottest_c,
        utilization: None,
    };
    PlaceView {
        place,
        as_of_ms: NOW,
        health: Health::Degraded,
        within: vec![FleetPlace::Hall("Hall A".into()), FleetPlace::Rack("A01".into())],
        facts: vec![Fact { name: "Model".into(), value: "NVIDIA GB200".into() }],
        values: vec![read(Metric::GpuPower, 612.0, false, 4), read(Metric::GpuTemperature, 61.0, true, 400)],
        parts: vec![part("0", Health::Busy, Some(60.0)), part("3", Health::Failed, None)],
        events: vec![FleetEvent {
            at_ms: NOW - 240_000,
            source: "kernel".into(),
            host: Some("gpu-001".into()),
            gpu: Some("3".into()),
            what: Happening::Xid { code: 79, detail: None },
            message: "GPU has fallen off the bus.".into(),
        }],
        attention: vec![attention()],
        planned: vec![PlannedValue { name: "Board power".into(), unit: Unit::Watt, now: Some(612.0), planned: 640.0 }],
    }
}

#[test]
fn the_fleet_says_now_plan_and_the_named_difference() {
    let said = [
        "9.00 k tok/s",
        "today 8.00 k tok/s · planned 12.0 k tok/s ± 5 %",
        "Power into the racks (IT)",
        "boards 4.80 kW · into racks 6.00 kW · utility —",
        "Tokens for each megawatt into the racks (IT)",
        "66.7 kWh",
        "2 min of the day are missing",
        "Compared with 100 MW facility, version 2, 2 of 2 racks matched",
        "3.00 k tok/s less than planned, most of it by: GPUs missing or failed",
        "1 of 8 GPUs has failed.",
        "1 thing needs a person",
        "GPU 3 has fallen off the bus (XID 79).",
        "GPU 3 of gpu-001",
        "since 23 Nov 2026, 14:01 UTC (4 min ago)",
        "If nobody acts: The job on the node stays cut off",
        "What to do: Drain gpu-001",
        "Nobody has taken it on.",
        "As of 23 Nov 2026, 14:05:10 UTC",
        "Power stays at 4.80 kW",
        "Hot GPUs",
        "Idle GPUs: 90.0 W in 1 place",
        "Stranded power: 40.0 kW in 1 place",
    ];
    let html = check("/fleet", house(view()), &said);
    assert!(html.contains("href=\"/fleet?health=failed\"") && html.contains("href=\"/alerts\""));
    assert!(html.contains("href=\"/fleet/plan\"") && html.contains("href=\"/fleet?metric=gpu_temperature_celsius\""));
    assert!(html.contains("<canvas") && html.contains("8 GPUs by rack, coloured by Board power"));
    assert!(!html.contains("DEMO"));
}

#[test]
fn groups_are_a_table_the_worst_first_and_are_split() {
    let html = check("/fleet", house(view()), &["The same as a table, by rack", "A01", "610 W", "90.0 W", "640 W"]);
    let (first, second) = (html.find("rack:A01\">A01").unwrap(), html.find("rack:A02\">A02").unwrap());
    assert!(first < second, "what failed comes first");
    assert!(html.contains("href=\"/fleet?group=node&amp;only=rack:A01\""), "{html}");
    let html = check("/fleet?group=tenant", house(view()), &["by tenant", "no tenant told"]);
    assert!(html.contains("only=tenant:red"));
    let html = check("/fleet?group=node&only=rack:A02", house(view()), &["by node", "gpu-002"]);
    assert!(!html.contains(">gpu-001</a></th>"));
    assert!(html.contains("aria-label=\"GPU 2, stale\"") && html.contains("href=\"/fleet/at/gpu:gpu-002%2F3\""));
}

#[test]
fn what_was_chosen_stands_in_the_address_and_what_is_not_there_is_said() {
    let html = check("/fleet?health=failed&metric=gpu_temperature_celsius", house(view()), &["Show all alike"]);
    assert!(html.contains("href=\"/fleet?metric=gpu_temperature_celsius&amp;health=failed,stale\""), "{html}");
    check("/fleet?only=moon", house(view()), &["No node is called “moon”", "Show all nodes"]);
}

#[test]
fn a_made_up_fleet_says_so_and_one_without_a_plan_too() {
    let demo = FleetView { made_up: Some("No such fleet exists.".into()), plan: None, ..view() };
    let said = ["DEMO: No such fleet exists.", "No plan yet", "Bind a design"];
    check("/fleet", house(demo.clone()), &said);
    let live = [
        "/fleet",
        "/fleet/at/rack:A01",
        "/fleet/report/2026-11-23",
        "/fleet/plan",
        "/events",
        "/alerts",
        "/facility",
        "/sources",
    ];
    for path in live {
        let html = page(path, house(demo.clone()));
        assert_eq!(html.matches("class=\"made-up\"").count(), 1, "{path}");
        assert!(!page(path, house(view())).contains("made-up"), "{path}");
    }
    assert!(!page("/runs", house(demo)).contains("made-up"));
    let calm = FleetView { attention: vec![], ..view() };
    check("/fleet", house(calm), &["Nothing needs a person"]);
}

#[test]
fn a_figure_that_is_missing_says_why() {
    let kpis = FleetKpis {
        tokens_per_s: Kpi { missing: Some("No serving engine is read.".into()), ..Kpi::default() },
        losses: vec![],
        ..kpis()
    };
    check("/fleet", house(FleetView { kpis, ..view() }), &["—", "No serving engine is read."]);
}

#[test]
fn a_fleet_without_sources_says_what_to_do() {
    let empty = FleetView { nodes: vec![], values: vec![], health: vec![], attention: vec![], plan: None, ..view() };
    let said =
        ["No GPU has been read yet", "millwright serve --demo", "[[scrape]]", "--fleet fleet.toml", "millwright agent"];
    let html = check("/fleet", house(empty.clone()), &said);
    assert!(html.contains("href=\"/sources\"") && !html.contains("<canvas"));
    let failing = SourceState::Failing { since_ms: NOW, why: "the name is not known.".into(), mend: "mend it.".into() };
    let dcgm = |name, state| source(name, SourceKind::Scrape, state);
    let sources = vec![dcgm("a", failing.clone()), dcgm("b", SourceState::Connecting), dcgm("c", failing)];
    let house = FakeBackend { sources: Some(sources), ..house(empty) };
    let html = check("/fleet", house, &["No GPU has been read yet", "3 sources are set up and 2 of them fail."]);
    assert!(html.contains("href=\"/sources\"") && !html.contains("serve --demo"));
}

#[test]
fn the_overview_knows_the_live_fleet_where_there_is_one() {
    let said = ["6 of 8 GPUs can be used", "1 thing needs a person", "See the live fleet"];
    let html = check("/", house(view()), &said);
    assert!(html.contains("href=\"/alerts\"") && !html.contains("made-up"));
    let demo = FleetView { made_up: Some("No such fleet exists.".into()), ..view() };
    check("/", house(demo), &["DEMO: No such fleet exists."]);
    let counts = FleetCounts::default();
    let none = FleetView { kpis: FleetKpis { counts, ..kpis() }, ..view() };
    assert!(!page("/", house(none)).contains("The live fleet"));
    assert!(!page("/", FakeBackend::default()).contains("The live fleet"), "what can't be had is left out");
}

#[test]
fn alerts_sources_and_the_building_are_marked_as_of_the_fleet() {
    for path in ["/fleet", "/fleet/at/rack:A01", "/alerts", "/sources", "/facility"] {
        assert!(page(path, house(view())).contains("<a href=\"/fleet\" aria-current=\"page\">"), "{path}");
    }
    assert!(!page("/events", house(view())).contains("<a href=\"/fleet\" aria-current"));
}

#[test]
fn a_fleet_that_can_not_be_had_says_why() {
    check(
        "/fleet",
        FakeBackend::default(),
        &["Could not show the live fleet", "The store could not be read.", "Try again"],
    );
    let part = FakeBackend { views: None, waste: None, chart: None, ..house(view()) };
    let said =
        ["9.00 k tok/s", "Saved views could not be had", "Could not show what is wasted", "Could not show the charts"];
    check("/fleet", part, &said);
}

#[test]
fn a_gpu_says_how_it_is_and_how_it_came_to_that() {
    let gpu = FleetPlace::Gpu("gpu-001".into(), "3".into());
    let house = FakeBackend { place: Some(place(gpu)), chart: Some(chart()), ..FakeBackend::default() };
    let said = [
        "GPU 3 of gpu-001",
        "Hall A",
        "degraded",
        "Needs a person",
        "Board power stays at 612 W, 87.4 % of what it might be then; not read for 10 min 0 s of it",
        "XID 79 on GPU 3",
        "Last values",
        "stale, 6 min ago",
        "4 s ago",
        "NVIDIA GB200",
        "−28.0 W",
        "GPU has fallen off the bus.",
        "2 parts, 1 of them unwell",
    ];
    let html = check("/fleet/at/gpu:gpu-001%2F3", house, &said);
    assert!(html.contains("href=\"/fleet/at/rack:A01\"") && html.contains("class=\"chart\""));
    assert!(html.contains("aria-pressed=\"true\">1 h<"), "{html}");
}

#[test]
fn the_time_stands_in_the_address() {
    let gpu = FleetPlace::Gpu("gpu-001".into(), "3".into());
    let house = FakeBackend { place: Some(place(gpu)), chart: Some(chart()), ..FakeBackend::default() };
    let at = "/fleet/at/gpu:gpu-001%2F3";
    check(
        &format!("{at}?range=7d&beside=before"),
        house.clone(),
        &["the last 7 days, follows the clock", "Thin lines"],
    );
    let between = format!("{at}?from=2026-11-23T13:00:00Z&to=2026-11-23T14:00:00Z");
    check(&between, house, &["23 Nov 2026, 13:00:00 to 23 Nov 2026, 14:00:00 UTC"]);
}

#[test]
fn a_place_that_is_none_says_so() {
    check("/fleet/at/moon:1", FakeBackend::default(), &["Could not show this place of the fleet", "There is no place"]);
    check("/fleet/at/rack:Z9", FakeBackend::default(), &["There is no place \"rack:Z9\" in the fleet."]);
}
