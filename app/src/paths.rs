//! Every path of the site is built here, so that a link can't lead nowhere.

use crate::workshop::place::Place;
use crate::workshop::scene::Measure;
use model::fleet::FleetPlace;
use model::id::{DesignId, ReplayId, RunId, SnapshotId, SweepId};
use model::metric::Metric;
use model::scene::Camera;
use std::fmt::Write;

/// The overview.
pub const HOME: &str = "/";
/// All designs.
pub const DESIGNS: &str = "/designs";
/// All runs.
pub const RUNS: &str = "/runs";

/// One design.
pub fn design(id: &DesignId) -> String {
    format!("{DESIGNS}/{id}")
}

/// How a design is best run.
pub fn optimize(id: &DesignId) -> String {
    format!("/optimize/{id}")
}

/// A design's power tree under a policy and steering.
pub fn power(id: &DesignId) -> String {
    format!("/power/{id}")
}

/// All sweeps, and a form to start one.
pub const SWEEPS: &str = "/sweeps";

/// The same with a design chosen.
pub fn sweeps_of(id: &DesignId) -> String {
    format!("{SWEEPS}?design={id}")
}

/// One sweep.
pub fn sweep(id: &SweepId) -> String {
    format!("{SWEEPS}/{id}")
}

/// Every row of a sweep as a file.
pub fn sweep_rows(id: &SweepId) -> String {
    format!("/api/v1/sweeps/{id}/rows.csv")
}

/// A design in its workshop with a view open, things selected and units failed.
pub fn workshop(id: &DesignId, at: &Workbench) -> String {
    let places: Vec<String> = at.selected.iter().map(ToString::to_string).collect();
    let mut query = vec![format!("view={}", at.view.name())];
    if !places.is_empty() {
        query.push(format!("at={}", places.join(",")));
    }
    if let Some((node, units)) = at.failed {
        query.push(format!("fail={node}:{units}"));
    }
    if at.colour != Measure::default() {
        query.push(format!("colour={}", at.colour.name()));
    }
    if let Some(camera) = &at.camera {
        query.push(format!("camera={camera}"));
    }
    if let Some(snapshot) = &at.snapshot {
        query.push(format!("snapshot={snapshot}"));
    }
    format!("{}?{}", design(id), query.join("&"))
}

/// A design in just the state that was shared.
pub fn snapshot(id: &DesignId, snapshot: &SnapshotId) -> String {
    format!("{}?snapshot={snapshot}", design(id))
}

/// What the address of a workshop says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Workbench {
    /// The view that is open.
    pub view: View,
    /// What is selected, the first of it in the inspector.
    pub selected: Vec<Place>,
    /// Node of the power tree and how many of its units are taken as failed.
    pub failed: Option<(usize, u32)>,
    /// What racks are coloured by in 3D.
    pub colour: Measure,
    /// Where the eye is in 3D; none before it was moved.
    pub camera: Option<Camera>,
    /// The shared state that is open.
    pub snapshot: Option<String>,
}

impl Workbench {
    /// Reads the three parts of a query; what can't be read is left out.
    pub fn read(view: &str, at: &str, fail: &str) -> Self {
        let failed = fail.split_once(':').and_then(|(node, units)| Some((node.parse().ok()?, units.parse().ok()?)));
        Self {
            view: View::ALL.into_iter().find(|each| each.name() == view).unwrap_or_default(),
            selected: at.split(',').filter_map(|place| place.parse().ok()).collect(),
            failed,
            ..Self::default()
        }
    }

    /// The same with what the picture in 3D shows; what can't be read is left out.
    pub fn with_picture(self, colour: &str, camera: &str) -> Self {
        let measure = Measure::ALL.into_iter().find(|each| each.name() == colour);
        Self { colour: measure.unwrap_or_default(), camera: camera.parse().ok(), ..self }
    }
}

/// Views of the workshop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// The hall from above.
    #[default]
    Floor,
    /// The hall in 3D.
    Hall3d,
    /// One rack from the front and the rear.
    Rack,
    /// The power tree.
    OneLine,
    /// The cooling loops.
    Cooling,
    /// The year: energy, cooling, months.
    Year,
    /// What drives the year, and what would improve it.
    Drivers,
    /// Versions, differences, sharing, files.
    Record,
}

impl View {
    /// In the order of the tabs.
    pub const ALL: [Self; 8] =
        [Self::Floor, Self::Hall3d, Self::Rack, Self::OneLine, Self::Cooling, Self::Year, Self::Drivers, Self::Record];

    /// As the address has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Hall3d => "3d",
            Self::Rack => "rack",
            Self::OneLine => "one-line",
            Self::Cooling => "cooling",
            Self::Year => "year",
            Self::Drivers => "drivers",
            Self::Record => "record",
        }
    }

    /// On its tab.
    pub fn words(self) -> &'static str {
        match self {
            Self::Floor => "Floor",
            Self::Hall3d => "3D",
            Self::Rack => "Rack",
            Self::OneLine => "One-line",
            Self::Cooling => "Cooling",
            Self::Year => "Year",
            Self::Drivers => "What drives it",
            Self::Record => "Versions and files",
        }
    }
}

/// What wakes the bundle that draws in 3D; loaded by its view alone.
pub const SCENE: &str = "/pkg/scene-load.js";
/// A new design, guided.
pub const NEW: &str = "/new";
/// What designs may name, with its sources.
pub const CATALOG: &str = "/catalog";
/// The best way to serve a model.
pub const SERVING: &str = "/serving";
/// What kinds of work take, and what careless choices add.
pub const WORKLOADS: &str = "/workloads";
/// One kind of work, as it begins.
pub fn workload(kind: &str) -> String {
    format!("{WORKLOADS}?kind={}", escaped(kind))
}
/// The serving model beside measurements.
pub const MODELS: &str = "/models";

/// The points of a GPU, a model, or both; of all where both are empty.
pub fn models(gpu: &str, model: &str) -> String {
    let part = |key: &str, value: &str| (!value.is_empty()).then(|| format!("{key}={}", escaped(value)));
    let parts: Vec<String> = part("gpu", gpu).into_iter().chain(part("model", model)).collect();
    if parts.is_empty() { MODELS.to_owned() } else { format!("{MODELS}?{}", parts.join("&")) }
}

/// One list of it.
pub fn catalog_list(list: &str) -> String {
    format!("{CATALOG}?list={list}")
}
/// The field's words.
pub const GLOSSARY: &str = "/glossary";
/// The API's own page.
pub const API_DOCS: &str = "/api/v1/docs";
/// Runs beside each other.
pub const COMPARE: &str = "/compare";

/// Runs beside each other, the first as baseline.
pub fn compare(runs: &[RunId]) -> String {
    let ids: Vec<&str> = runs.iter().map(RunId::as_str).collect();
    format!("{COMPARE}?runs={}", ids.join(","))
}

/// A run's report, to be read and printed.
pub fn report(id: &RunId) -> String {
    format!("/reports/{id}")
}

/// A run's report as a file, `csv` or `xlsx`.
pub fn report_file(id: &RunId, ending: &str) -> String {
    format!("/api/v1/runs/{id}/report.{ending}")
}

/// One run: its progress, then its report.
pub fn run(id: &RunId) -> String {
    format!("{RUNS}/{id}")
}

/// The live events of a run. Each message is a `model::run::RunState` as JSON.
pub fn run_events(id: &RunId) -> String {
    format!("/api/v1/runs/{id}/events")
}

/// The live fleet.
pub const FLEET: &str = "/fleet";
/// What happened in the fleet.
pub const EVENTS: &str = "/events";
/// What needs a person, and the rules that say so.
pub const ALERTS: &str = "/alerts";
/// Where readings come from.
pub const SOURCES: &str = "/sources";
/// The building's own signals, and how its racks and the IT side's agree.
pub const FACILITY: &str = "/facility";
/// Which live rack is which position of a design.
pub const BINDING: &str = "/fleet/plan";

/// Whether a page is one of the live fleet's, as the main navigation has them; events have an entry of their own there.
pub fn is_of_fleet(page: &str) -> bool {
    let first = page.split('/').nth(1).unwrap_or_default();
    [FLEET, ALERTS, SOURCES, FACILITY].iter().any(|entry| entry.split('/').nth(1) == Some(first))
}

/// Whether a page is one of serving's, as the main navigation has them.
pub fn is_of_serving(page: &str) -> bool {
    let first = page.split('/').nth(1).unwrap_or_default();
    [SERVING, MODELS, WORKLOADS, REPLAYS].iter().any(|entry| entry.split('/').nth(1) == Some(first))
}

/// The live fleet, with a metric chosen, as the query of a saved view has it.
pub fn fleet(query: &str) -> String {
    if query.is_empty() { FLEET.to_owned() } else { format!("{FLEET}?{query}") }
}

/// A place of the fleet. Names of hosts and racks are whatever their owners like, so they are escaped.
pub fn fleet_place(place: &FleetPlace) -> String {
    match place {
        FleetPlace::Fleet => FLEET.to_owned(),
        FleetPlace::Source(_) => SOURCES.to_owned(),
        FleetPlace::Point(_) => FACILITY.to_owned(),
        FleetPlace::Hall(_)
        | FleetPlace::Rack(_)
        | FleetPlace::Node(_)
        | FleetPlace::Gpu(..)
        | FleetPlace::Engine(_) => {
            format!("{FLEET}/at/{}", escaped(&place.to_string()))
        }
    }
}

/// A place of the fleet with a time chosen, as its query has it.
pub fn fleet_place_at(place: &FleetPlace, query: &str) -> String {
    let path = fleet_place(place);
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

/// What the fleet made of its energy in a day or a month.
pub fn fleet_report(period: &str) -> String {
    format!("{FLEET}/report/{}", escaped(period))
}

/// The same as a file, to be worked on.
pub fn fleet_report_csv(period: &str) -> String {
    format!("/api/v1/fleet/report/{}.csv", escaped(period))
}

/// The fleet beside a design, to be bound to it.
pub fn binding(design: &DesignId) -> String {
    format!("{BINDING}?design={design}")
}

/// Alerts of one list: `firing`, `taken`, `kept-back`, `resolved`; or `silences`, `history`, `rules`.
pub fn alerts(show: &str) -> String {
    format!("{ALERTS}?show={}", escaped(show))
}

/// The points of one object of the building.
pub fn facility_object(id: &str) -> String {
    format!("{FACILITY}?object={}", escaped(id))
}

/// Where other collectors write readings to, in the way of Prometheus.
pub const REMOTE_WRITE: &str = "/api/v1/write";

/// A word of the glossary.
pub fn glossary(word: &str) -> String {
    format!("{GLOSSARY}#{}", glossary_anchor(word))
}

/// What a word of the glossary is called in its address: of `XID, SXID`, `xid`.
pub fn glossary_anchor(words: &str) -> String {
    let first = words.split([',', '(']).next().unwrap_or_default();
    first.trim().to_lowercase().replace(' ', "-")
}

/// What the page of events is asked for, as its address says it; what is empty is not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// `1h`, `24h`, `7d`: that long until now. `own`: between the two times that follow.
    pub range: String,
    /// From when, where the range is one's own: `2026-11-27T14:05`, UTC.
    pub from: String,
    /// Until when.
    pub to: String,
    /// A part of a host's name.
    pub host: String,
    /// A kind, as it is called on the wire.
    pub what: String,
    /// Only what was before this, milliseconds since 1970 UTC: an older page of the same.
    pub before: String,
}

/// The events that a filter asks for.
pub fn events(filter: &EventFilter) -> String {
    let EventFilter { range, from, to, host, what, before } = filter;
    let all = [("range", range), ("from", from), ("to", to), ("host", host), ("what", what), ("before", before)];
    let asked = all.iter().filter(|(_, value)| !value.is_empty());
    let query: Vec<String> = asked.map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    if query.is_empty() { EVENTS.to_owned() } else { format!("{EVENTS}?{}", query.join("&")) }
}

/// The live stream of the fleet, with one metric of every GPU; `after` is the last event that the page has.
pub fn fleet_live(metric: Metric, after: &str) -> String {
    format!("/api/v1/fleet/live?metric={metric}&after={}", escaped(after))
}

/// Requests through a fleet: start one, and the earlier ones.
pub const REPLAYS: &str = "/replay";

/// One replay.
pub fn replay(id: &ReplayId) -> String {
    format!("{REPLAYS}/{id}")
}

/// What a replay was asked, to be changed and run again.
pub fn replay_again(id: &ReplayId) -> String {
    format!("{REPLAYS}?again={id}")
}

/// A replay as a file, to be worked on.
pub fn replay_file(id: &ReplayId) -> String {
    format!("/api/v1/replays/{id}")
}

/// A row of each of its requests.
pub fn replay_rows(id: &ReplayId) -> String {
    format!("/api/v1/replays/{id}/requests.csv")
}

/// A text as it stands in one segment of a path, or in one value of a query.
pub(crate) fn escaped(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~:".contains(&byte) {
            path.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}

/// The module of the bundle that shows a page (see `lazy`), so that it can be fetched beside the bundle and not after it. `None`
/// for pages of the bundle itself.
pub fn module(page: &str) -> Option<&'static str> {
    let mut parts = page.split('/').skip(1);
    match (parts.next()?, parts.next().unwrap_or_default()) {
        ("fleet" | "events" | "alerts" | "facility" | "sources", _) => Some("/pkg/split_fleet.wasm"),
        ("serving" | "models" | "workloads" | "replay", _) => Some("/pkg/split_serving.wasm"),
        ("optimize" | "power" | "sweeps", _) => Some("/pkg/split_optimize.wasm"),
        ("new" | "compare" | "reports", _) => Some("/pkg/split_workshop.wasm"),
        ("designs" | "runs", one) if !one.is_empty() => Some("/pkg/split_workshop.wasm"),
        _ => None,
    }
}

/// The same paths as the router matches them.
pub mod route {
    use leptos_router::{ParamSegment, StaticSegment};

    /// The overview.
    pub const HOME: StaticSegment<&str> = StaticSegment("");
    /// All designs.
    pub const DESIGNS: StaticSegment<&str> = StaticSegment("designs");
    /// One design.
    pub const DESIGN: (StaticSegment<&str>, ParamSegment) = (DESIGNS, ParamSegment("id"));
    /// How it is best run.
    pub const OPTIMIZE: (StaticSegment<&str>, ParamSegment) = (StaticSegment("optimize"), ParamSegment("id"));
    /// Its power tree under steering.
    pub const POWER: (StaticSegment<&str>, ParamSegment) = (StaticSegment("power"), ParamSegment("id"));
    /// Sweeps.
    pub const SWEEPS: StaticSegment<&str> = StaticSegment("sweeps");
    /// One sweep.
    pub const SWEEP: (StaticSegment<&str>, ParamSegment) = (SWEEPS, ParamSegment("id"));
    /// A new design, guided.
    pub const NEW: StaticSegment<&str> = StaticSegment("new");
    /// The field's words.
    pub const GLOSSARY: StaticSegment<&str> = StaticSegment("glossary");
    /// What designs may name.
    pub const CATALOG: StaticSegment<&str> = StaticSegment("catalog");
    /// The best way to serve a model.
    pub const SERVING: StaticSegment<&str> = StaticSegment("serving");
    /// What kinds of work take.
    pub const WORKLOADS: StaticSegment<&str> = StaticSegment("workloads");
    /// The serving model beside measurements.
    pub const MODELS: StaticSegment<&str> = StaticSegment("models");
    /// Runs beside each other.
    pub const COMPARE: StaticSegment<&str> = StaticSegment("compare");
    /// A run's report.
    pub const REPORT: (StaticSegment<&str>, ParamSegment) = (StaticSegment("reports"), ParamSegment("id"));
    /// The live fleet.
    pub const FLEET: StaticSegment<&str> = StaticSegment("fleet");
    /// A place of it.
    pub const FLEET_PLACE: (StaticSegment<&str>, StaticSegment<&str>, ParamSegment) =
        (FLEET, StaticSegment("at"), ParamSegment("place"));
    /// What it made of its energy.
    pub const FLEET_REPORT: (StaticSegment<&str>, StaticSegment<&str>, ParamSegment) =
        (FLEET, StaticSegment("report"), ParamSegment("period"));
    /// Which live rack is which position of a design.
    pub const BINDING: (StaticSegment<&str>, StaticSegment<&str>) = (FLEET, StaticSegment("plan"));
    /// What happened.
    pub const EVENTS: StaticSegment<&str> = StaticSegment("events");
    /// What needs a person.
    pub const ALERTS: StaticSegment<&str> = StaticSegment("alerts");
    /// Where readings come from.
    pub const SOURCES: StaticSegment<&str> = StaticSegment("sources");
    /// The building's own signals.
    pub const FACILITY: StaticSegment<&str> = StaticSegment("facility");
    /// All runs.
    pub const RUNS: StaticSegment<&str> = StaticSegment("runs");
    /// One run.
    pub const RUN: (StaticSegment<&str>, ParamSegment) = (RUNS, ParamSegment("id"));
    /// Replays.
    pub const REPLAYS: StaticSegment<&str> = StaticSegment("replay");
    /// One replay.
    pub const REPLAY: (StaticSegment<&str>, ParamSegment) = (REPLAYS, ParamSegment("id"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_that_the_router_knows() {
        let id: RunId = "r-1".parse().unwrap();
        assert_eq!(run(&id), "/runs/r-1");
        assert_eq!(run_events(&id), "/api/v1/runs/r-1/events");
        assert_eq!(design(&"facility-100mw".parse().unwrap()), "/designs/facility-100mw");
        let at = Workbench {
            view: View::OneLine,
            selected: vec![Place::Power(1), Place::Rack(0, 1, 2)],
            failed: Some((1, 3)),
            ..Workbench::default()
        };
        let path = workshop(&"x".parse().unwrap(), &at);
        assert_eq!(path, "/designs/x?view=one-line&at=power/1,hall/0/row/1/rack/2&fail=1:3");
        assert_eq!(Workbench::read("one-line", "power/1,hall/0/row/1/rack/2", "1:3"), at);
        assert_eq!(Workbench::read("?", "nowhere", "x:y"), Workbench::default());
        let camera = Camera { x_m: 6.0, y_m: 20.5, z_m: 1.0, turn_deg: 30.0, tilt_deg: 25.0, distance_m: 60.0 };
        let at = Workbench { view: View::Hall3d, colour: Measure::Mass, camera: Some(camera), ..Workbench::default() };
        let path = workshop(&"x".parse().unwrap(), &at);
        assert_eq!(path, "/designs/x?view=3d&colour=mass&camera=6.0,20.5,1.0,30.0,25.0,60.0");
        assert_eq!(Workbench::read("3d", "", "").with_picture("mass", "6.0,20.5,1.0,30.0,25.0,60.0"), at);
        assert_eq!(Workbench::default().with_picture("taste", "1,2"), Workbench::default());
    }

    #[test]
    fn alerts_sources_and_the_building_are_of_the_fleet() {
        for page in [FLEET, "/fleet/", "/fleet/at/rack:A1", "/fleet/report/today", BINDING, ALERTS, SOURCES, FACILITY] {
            assert!(is_of_fleet(page), "{page}");
        }
        for page in [HOME, "", EVENTS, DESIGNS, "/fleets", "/designs/fleet"] {
            assert!(!is_of_fleet(page), "{page}");
        }
    }

    #[test]
    fn a_page_is_shown_by_its_module() {
        let fleet = Some("/pkg/split_fleet.wasm");
        assert_eq!([FLEET, EVENTS, ALERTS, SOURCES, FACILITY, BINDING, "/fleet/at/hall:1"].map(module), [fleet; 7]);
        let workshop = Some("/pkg/split_workshop.wasm");
        assert_eq!(["/designs/01ABC", "/runs/01ABC", "/new", "/compare", "/reports/01ABC"].map(module), [workshop; 5]);
        assert_eq!([HOME, DESIGNS, RUNS, "/runs/", GLOSSARY, CATALOG, ""].map(module), [None; 7]);
    }
}
