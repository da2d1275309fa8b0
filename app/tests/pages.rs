//! Every page rendered to HTML against a house that is made up: no server, no browser.

use any_spawner::Executor;
use app::App;
use app::api::{ApiError, Backend};
use futures::StreamExt;
use leptos::prelude::*;
use leptos_router::location::RequestUrl;
use model::alert::{
    About, Ack, Alert, AlertKey, AlertState, AlertsView, Cause, Condition, Delivery, Field, GroupBy, Matcher, Outcome,
    Place, Rule, Severity as Grave, Side, Silence, SilenceCreate, Step, Transition, Watch,
};
use model::catalog::{Catalog, CatalogEntry, PartsCheck, PartsFile};
use model::design::Design;
use model::event::{Burst, BurstCode, EventQuery, EventsView, FleetEvent, Happening, XidAction, XidMeaning};
use model::facility::{
    Building, ExchangeCounts, FacilityObject, FacilityPoint, FacilityQuery, FacilityRack, FacilityView, Heartbeat,
    ItRack, JoinedBy, Medium, PointHealth, PointRole, Pulse, RackDifference, RackMatch, RackNearMiss, Reconciliation,
    Serves, Telling,
};
use model::fleet::{
    BindingPosition, BindingReview, BindingSave, ChartData, ChartRequest, FleetPlace, FleetReport, FleetReportRow,
    FleetView, Matched, PlaceView, SavedView, WasteReport,
};
use model::id::{DesignId, InputId, ReplayId, RunId, SnapshotId, SweepId};
use model::input::{InputSave, StoredInput};
use model::metric::{Metric, Unit};
use model::note::{Kind, Note, Severity};
use model::optimum::{Applied, OptimumApply, OptimumAsk, OptimumView};
use model::quantity::Power;
use model::replay::{ReplayCreate, ReplayDesk, ReplayDetail};
use model::report::{Banded, Evaluation, Flow, Improvement, Money, Month, NodeReport, Report, ServingPoint, Stranded};
use model::run::{DesignDetail, DesignSummary, Origin, RunDetail, RunRequest, RunState, RunSummary};
use model::site::Site;
use model::source::{SourceKind, SourceState, SourceStatus};
use model::steered::{SteerAsk, SteeredView};
use model::sweep::{SweepCreate, SweepDetail, SweepSummary};
use model::version::{DesignCheck, DesignCreate, DesignSave, DesignSaved, DesignVersion, TextProblem};
use std::str::FromStr;
use std::sync::Arc;

#[path = "pages/fleet.rs"]
mod fleet;
#[path = "pages/replay.rs"]
mod replay;

/// A house that answers what it was given, and fails where it was given nothing.
#[derive(Clone, Default)]
struct FakeBackend {
    designs: Option<Vec<DesignSummary>>,
    design: Option<DesignDetail>,
    runs: Option<Vec<RunSummary>>,
    run: Option<RunDetail>,
    fleet: Option<FleetView>,
    place: Option<PlaceView>,
    chart: Option<ChartData>,
    waste: Option<WasteReport>,
    places_found: Vec<FleetPlace>,
    views: Option<Vec<SavedView>>,
    fleet_report: Option<FleetReport>,
    review: Option<BindingReview>,
    events: Option<EventsView>,
    sources: Option<Vec<SourceStatus>>,
    alerts: Option<AlertsView>,
    facility: Option<FacilityView>,
    replay_desk: Option<ReplayDesk>,
    replay: Option<ReplayDetail>,
}

fn broken<T>() -> Result<T, ApiError> {
    Err(ApiError::Internal { reason: "The store could not be read.".into() })
}

#[async_trait::async_trait]
impl Backend for FakeBackend {
    fn made_up(&self) -> Option<String> {
        self.fleet.as_ref()?.made_up.clone()
    }
    async fn designs(&self) -> Result<Vec<DesignSummary>, ApiError> {
        self.designs.clone().map_or_else(broken, Ok)
    }
    async fn design(&self, id: DesignId) -> Result<DesignDetail, ApiError> {
        self.design.clone().ok_or(ApiError::NotFound { what: format!("design \"{id}\"") })
    }
    async fn designs_archived(&self) -> Result<Vec<DesignSummary>, ApiError> {
        broken()
    }
    async fn design_at(&self, _: DesignId, _: u32) -> Result<DesignDetail, ApiError> {
        broken()
    }
    async fn design_versions(&self, _: DesignId) -> Result<Vec<DesignVersion>, ApiError> {
        broken()
    }
    async fn design_create(&self, _: DesignCreate) -> Result<DesignSummary, ApiError> {
        broken()
    }
    async fn design_save(&self, _: DesignSave) -> Result<DesignSaved, ApiError> {
        broken()
    }
    async fn design_archive(&self, _: DesignId) -> Result<(), ApiError> {
        broken()
    }
    async fn design_restore(&self, _: DesignId) -> Result<(), ApiError> {
        broken()
    }
    async fn design_check(&self, _: String) -> Result<DesignCheck, ApiError> {
        broken()
    }
    async fn snapshot_save(&self, _: String) -> Result<SnapshotId, ApiError> {
        broken()
    }
    async fn snapshot(&self, _: SnapshotId) -> Result<String, ApiError> {
        broken()
    }
    async fn catalog(&self) -> Result<Catalog, ApiError> {
        broken()
    }
    async fn serving(&self, _: app::serving::ServingAsk) -> Result<app::serving::ServingShown, ApiError> {
        Err(ApiError::NotFound { what: "a search".into() })
    }
    async fn workload(&self, _: app::governance::WorkloadAsk) -> Result<app::governance::WorkloadShown, ApiError> {
        Err(ApiError::NotFound { what: "a workload".into() })
    }
    async fn validation(&self) -> Result<model::validation::Validation, ApiError> {
        Ok(model::validation::Validation::default())
    }
    async fn catalog_list(&self, _: String) -> Result<Vec<CatalogEntry>, ApiError> {
        broken()
    }
    async fn parts_read(&self, _: PartsFile) -> Result<PartsCheck, ApiError> {
        broken()
    }
    async fn input_save(&self, _: InputSave) -> Result<StoredInput, ApiError> {
        broken()
    }
    async fn input_list(&self) -> Result<Vec<StoredInput>, ApiError> {
        broken()
    }
    async fn input_delete(&self, _: InputId) -> Result<(), ApiError> {
        broken()
    }
    async fn site(&self, _: DesignId) -> Result<Site, ApiError> {
        broken()
    }
    async fn run_start(&self, _: RunRequest) -> Result<RunId, ApiError> {
        broken()
    }
    async fn run_cancel(&self, _: RunId) -> Result<(), ApiError> {
        broken()
    }
    async fn run(&self, id: RunId) -> Result<RunDetail, ApiError> {
        self.run.clone().ok_or(ApiError::NotFound { what: format!("run \"{id}\"") })
    }
    async fn runs(&self) -> Result<Vec<RunSummary>, ApiError> {
        self.runs.clone().map_or_else(broken, Ok)
    }
    async fn fleet(&self, metric: Metric) -> Result<FleetView, ApiError> {
        self.fleet.clone().map(|view| FleetView { metric, ..view }).map_or_else(broken, Ok)
    }
    async fn fleet_place(&self, place: FleetPlace) -> Result<PlaceView, ApiError> {
        self.place.clone().ok_or(ApiError::NotFound { what: format!("place \"{place}\" in the fleet") })
    }
    async fn fleet_chart(&self, _: ChartRequest) -> Result<ChartData, ApiError> {
        self.chart.clone().map_or_else(broken, Ok)
    }
    async fn fleet_waste(&self) -> Result<WasteReport, ApiError> {
        self.waste.clone().map_or_else(broken, Ok)
    }
    async fn fleet_search(&self, _: String) -> Result<Vec<FleetPlace>, ApiError> {
        Ok(self.places_found.clone())
    }
    async fn fleet_views(&self) -> Result<Vec<SavedView>, ApiError> {
        self.views.clone().map_or_else(broken, Ok)
    }
    async fn fleet_view_save(&self, _: String, _: String) -> Result<(), ApiError> {
        broken()
    }
    async fn fleet_view_delete(&self, _: String) -> Result<(), ApiError> {
        broken()
    }
    async fn fleet_report(&self, _: String) -> Result<FleetReport, ApiError> {
        self.fleet_report.clone().map_or_else(broken, Ok)
    }
    async fn fleet_binding_review(&self, _: DesignId) -> Result<BindingReview, ApiError> {
        self.review.clone().map_or_else(broken, Ok)
    }
    async fn fleet_binding_save(&self, _: BindingSave) -> Result<(), ApiError> {
        broken()
    }
    async fn fleet_binding_clear(&self) -> Result<(), ApiError> {
        broken()
    }
    async fn fleet_events(&self, _: EventQuery) -> Result<EventsView, ApiError> {
        self.events.clone().map_or_else(broken, Ok)
    }
    async fn fleet_sources(&self) -> Result<Vec<SourceStatus>, ApiError> {
        self.sources.clone().map_or_else(broken, Ok)
    }
    async fn alerts(&self) -> Result<AlertsView, ApiError> {
        self.alerts.clone().map_or_else(broken, Ok)
    }
    async fn alert_ack(&self, _: AlertKey, _: String, _: String) -> Result<(), ApiError> {
        broken()
    }
    async fn alert_unack(&self, _: AlertKey) -> Result<(), ApiError> {
        broken()
    }
    async fn alert_silence(&self, _: SilenceCreate) -> Result<(), ApiError> {
        broken()
    }
    async fn alert_silence_end(&self, _: String) -> Result<(), ApiError> {
        broken()
    }
    async fn facility(&self, _: FacilityQuery) -> Result<FacilityView, ApiError> {
        self.facility.clone().map_or_else(broken, Ok)
    }
    async fn replay_desk(&self, _: Option<ReplayId>) -> Result<ReplayDesk, ApiError> {
        self.replay_desk.clone().map_or_else(broken, Ok)
    }
    async fn replay_start(&self, _: ReplayCreate) -> Result<ReplayId, ApiError> {
        broken()
    }
    async fn replay(&self, id: ReplayId) -> Result<ReplayDetail, ApiError> {
        self.replay.clone().ok_or(ApiError::NotFound { what: format!("replay \"{id}\"") })
    }
    async fn replay_delete(&self, _: ReplayId) -> Result<(), ApiError> {
        broken()
    }

    async fn optimum(&self, _: DesignId, _: OptimumAsk) -> Result<OptimumView, ApiError> {
        Err(ApiError::NotFound { what: "answer in this test".into() })
    }

    async fn optimum_apply(&self, _: OptimumApply) -> Result<Applied, ApiError> {
        Err(ApiError::NotFound { what: "answer in this test".into() })
    }

    async fn steered(&self, _: DesignId, _: SteerAsk) -> Result<SteeredView, ApiError> {
        Err(ApiError::NotFound { what: "answer in this test".into() })
    }

    async fn sweep_start(&self, _: SweepCreate) -> Result<SweepId, ApiError> {
        Err(ApiError::NotFound { what: "answer in this test".into() })
    }

    async fn sweep(&self, _: SweepId) -> Result<SweepDetail, ApiError> {
        Err(ApiError::NotFound { what: "answer in this test".into() })
    }

    async fn sweeps(&self) -> Result<Vec<SweepSummary>, ApiError> {
        Err(ApiError::NotFound { what: "answer in this test".into() })
    }

    async fn sweep_cancel(&self, _: SweepId) -> Result<(), ApiError> {
        Err(ApiError::NotFound { what: "answer in this test".into() })
    }

    async fn sweep_delete(&self, _: SweepId) -> Result<(), ApiError> {
        Err(ApiError::NotFound { what: "answer in this test".into() })
    }
}

/// The page at `path` as a reader sees it: thin spaces as spaces, without the marks that waking needs.
fn page(path: &str, house: FakeBackend) -> String {
    // Only the first test of the process sets the executor; for the others it is there.
    let _already_set = Executor::init_futures_executor();
    let owner = Owner::new();
    let html = owner.with(|| {
        let house: Arc<dyn Backend> = Arc::new(house);
        provide_context(house);
        provide_context(RequestUrl::new(path));
        futures::executor::block_on(App().to_html_stream_in_order().collect::<String>())
    });
    html.replace('\u{202f}', " ").replace("<!>", "").replace("<!---->", "")
}

/// The text of a page alone.
fn text(html: &str) -> String {
    let mut words = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => words.push(c),
            _ => {}
        }
    }
    words
}

fn check(path: &str, house: FakeBackend, expected: &[&str]) -> String {
    let html = page(path, house);
    let words = text(&html);
    for expected in expected {
        assert!(words.contains(expected), "{path} does not say {expected:?}:\n{words}");
    }
    assert_eq!(html.matches("<h1").count(), 1, "{path} has one heading of the first rank:\n{html}");
    assert!(!html.contains("style=") && !html.contains("onclick"), "{path} has a style or a handler in its text");
    html
}

fn id<T: FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is an id"))
}

fn summary() -> DesignSummary {
    DesignSummary {
        id: id("facility-100mw"),
        name: "100 MW facility".into(),
        description: "Liquid-cooled racks in Iowa.".into(),
        version: 2,
        label: String::new(),
        saved_ms: 1_795_442_700_000,
        branched_from: None,
        archived_ms: None,
        origin: Origin::Reference,
        location: "Des Moines".into(),
        racks: 512,
        gpus: 36_864,
        contract_power_mw: 100.0,
    }
}

fn serving() -> ServingPoint {
    ServingPoint {
        gpu: "GB200".into(),
        gpus: 36_864,
        gpus_per_replica: 8,
        batch: 412.0,
        ttft_ms: 310.0,
        tpot_ms: 24.2,
        output_tokens_per_s_per_gpu: 2_130.0,
        prefill_share: 0.31,
        gpu_power_w: 980.0,
        power_cap_w: 1_200.0,
        bound_by: "memory bandwidth".into(),
    }
}

fn node() -> NodeReport {
    NodeReport {
        name: "entrance".into(),
        part: "transformer-2500kva".into(),
        depth: 0,
        units: 50,
        installed_mw: 125.0,
        firm_mw: 122.5,
        provisioned_mw: 104.0,
        peak_mw: 96.2,
        mean_mw: 71.0,
        loss_mwh: 6_100.0,
    }
}

/// A design with one of everything.
fn drawn() -> Design {
    toml_like(
        r#"{"name":"100 MW facility","location":"ashburn-va","contract_power_w":1e8,
            "power":[{"name":"entrance","part":"t","units":3},{"name":"ups","part":"u","units":2,"fed_by":"entrance"}],
            "cooling":[{"name":"warm","supply_temperature_c":40,"terminal":{"part":"c","units":2}}],
            "hall":[{"name":"hall A","positions":9,"fed_by":"ups","air":"warm","row":[{"name":"row 1","count":2,"rack":[{"part":"gb300-nvl72","count":8}]}]}]}"#,
    )
}

fn toml_like(json: &str) -> Design {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}"))
}

fn detail(notes: Vec<Note>) -> DesignDetail {
    let evaluation = Evaluation {
        design: "100 MW facility".into(),
        model: "DeepSeek-R1".into(),
        racks: 512,
        gpus: 36_864,
        contract_power_mw: 100.0,
        facility_power_mw: 92.1,
        peak_power_mw: 96.2,
        it_power_mw: 84.0,
        it_rated_power_mw: 98.0,
        gpu_power_mw: 60.0,
        pue: 1.0961,
        output_tokens_per_s: 1.94e6,
        tokens_per_second_per_mw_facility: Banded::around(20_100.0, 0.22),
        serving: vec![serving()],
        capex_usd: 3.1e9,
        stranded_power_mw: Stranded { redundancy: 6.0, part_load: 2.0, ..Stranded::default() },
        rack_mass_t: 862.0,
        power_tree: vec![node()],
        loops: Vec::new(),
        hottest_c: 38.0,
        notes,
    };
    DesignDetail {
        summary: summary(),
        toml: "name = \"100 MW facility\"".into(),
        text_sha256: "0".repeat(64),
        design: Some(drawn()),
        problem: None,
        evaluation,
    }
}

fn run_summary(state: RunState) -> RunSummary {
    let done = state == RunState::Done;
    RunSummary {
        id: id("r-1"),
        design: id("facility-100mw"),
        design_name: "100 MW facility".into(),
        version: 2,
        request: RunRequest::of(id("facility-100mw")),
        created_ms: 1_795_442_700_000,
        state,
        tokens_per_second_per_mw_facility: done.then_some(17_300.0),
    }
}

fn report() -> Report {
    let months = (1..=12).map(|month| Month {
        month,
        facility_energy_mwh: 50_000.0,
        it_energy_mwh: 46_000.0,
        gpu_energy_mwh: 33_000.0,
        cooling_energy_mwh: 1_500.0,
        ..Month::default()
    });
    Report {
        design: "100 MW facility".into(),
        program_version: "0.1.0".into(),
        seed: 1,
        input_hash: "ab12".into(),
        step_minutes: 60.0,
        contract_power_mw: 100.0,
        facility_energy_mwh: 600_000.0,
        it_energy_mwh: 552_000.0,
        gpu_energy_mwh: 396_000.0,
        cooling_energy_mwh: 18_000.0,
        fan_energy_mwh: 12_000.0,
        pump_energy_mwh: 6_000.0,
        distribution_loss_mwh: 28_000.0,
        house_energy_mwh: 2_000.0,
        shelf_loss_mwh: 12_000.0,
        pue: 1.087,
        wue_l_per_kwh: 0.04,
        tokens_output: 3.74e13,
        tokens_per_second_per_mw_facility: 17_300.0,
        tokens_per_second_per_mw_facility_band: Banded::around(17_300.0, 0.22),
        cost_per_million_tokens_usd: 0.214,
        cost_per_million_tokens_usd_band: Banded { value: 0.214, low: 0.175, high: 0.274 },
        money: Money { total_usd: 8.0e6, energy_usd: 2.0e6, capex_usd: 3.1e9, ..Money::default() },
        carbon_t: 214_000.0,
        water_m3: 22_080.0,
        hours_by_cooling_mode: [("dry".to_owned(), 8_448.0), ("trim".to_owned(), 312.0)].into(),
        stranded_power_mw: Stranded { redundancy: 6.0, ..Stranded::default() },
        serving: vec![serving()],
        power_tree: vec![node()],
        flows: vec![
            Flow { from: "Utility".into(), to: "IT equipment".into(), mwh: 552_000.0 },
            Flow { from: "Utility".into(), to: "Fans".into(), mwh: 12_000.0 },
            Flow { from: "IT equipment".into(), to: "GPU boards".into(), mwh: 396_000.0 },
        ],
        months: months.collect(),
        load_duration_mw: (0..=100).map(|i| 95.0 - 0.5 * f64::from(i)).collect(),
        balance_error: 3e-13,
        assumptions: vec!["No failures are simulated: every unit works all year.".into()],
        ..Report::default()
    }
}

fn house_with_run(state: RunState, report: Option<Report>) -> FakeBackend {
    FakeBackend { run: Some(RunDetail { summary: run_summary(state), report }), ..FakeBackend::default() }
}

#[test]
fn the_overview_shows_the_newest_answer_and_what_can_be_run() {
    let runs = vec![run_summary(RunState::Queued), run_summary(RunState::Done)];
    let house = FakeBackend { designs: Some(vec![summary()]), runs: Some(runs), ..FakeBackend::default() };
    let html = check(
        "/",
        house,
        &["17.3 k tok/s/MW", "23 Nov 2026, 14:05 UTC", "100 MW facility", "36 864 GPUs", "Run the year"],
    );
    assert!(html.contains("href=\"/runs/r-1\"") && html.contains("href=\"/designs/facility-100mw\""));
}

#[test]
fn an_empty_overview_says_what_to_do() {
    let house = FakeBackend { designs: Some(vec![summary()]), runs: Some(vec![]), ..FakeBackend::default() };
    check("/", house, &["No year has been run yet. Choose a design below"]);
    let nothing = FakeBackend { designs: Some(vec![]), runs: Some(vec![]), ..FakeBackend::default() };
    check("/", nothing, &["There is no design yet."]);
}

#[test]
fn a_failing_page_says_what_why_and_how_to_retry() {
    let html = check(
        "/runs",
        FakeBackend::default(),
        &["Could not show the runs", "The store could not be read.", "Try again"],
    );
    assert!(html.contains("role=\"alert\""));
    check(
        "/designs/nowhere",
        FakeBackend::default(),
        &["Could not show this design", "There is no design \"nowhere\"."],
    );
    check("/runs/NOT-AN-ID", FakeBackend::default(), &["There is no run \"NOT-AN-ID\"."]);
    check("/no/such/page", FakeBackend::default(), &["There is no such page"]);
}

#[test]
fn designs_are_listed_with_their_size() {
    let small = DesignSummary { racks: 0, gpus: 0, name: "Sketch".into(), ..summary() };
    let house = FakeBackend { designs: Some(vec![summary(), small]), ..FakeBackend::default() };
    check("/designs", house, &["Des Moines", "100 MW", "512", "36 864", "Reference", "Sketch", "—"]);
}

#[test]
fn a_design_shows_its_figures_with_their_band() {
    let house = FakeBackend { design: Some(detail(vec![])), ..FakeBackend::default() };
    let said = [
        "96.2 MW",
        "20.1 k tok/s/MW",
        "± 22 %",
        "1.94 M tok/s",
        "1.096",
        "$3.10 bn",
        "Nothing was found wrong.",
        "862 t",
        "gb300-nvl72 × 16",
        "Fronts face the cold aisles",
        "Utility contract",
        "A reference design stays as it is; your copy is yours to change.",
    ];
    let html = check("/designs/facility-100mw", house.clone(), &said);
    for view in ["floor", "rack", "one-line", "cooling", "year", "drivers", "record"] {
        assert!(html.contains(&format!("href=\"/designs/facility-100mw?view={view}\"")), "{view}");
        check(&format!("/designs/facility-100mw?view={view}"), house.clone(), &["100 MW facility"]);
    }
    let chosen = check("/designs/facility-100mw?view=floor&at=power/1", house, &["Fed by", "Redundancy"]);
    assert!(chosen.contains("aria-current=\"true\""));
}

#[test]
fn a_text_that_is_no_design_is_shown_with_why() {
    let problem = TextProblem { line: Some(7), field: None, reason: "expected `=`".into() };
    let broken = DesignDetail { design: None, problem: Some(problem), ..detail(vec![]) };
    let house = FakeBackend { design: Some(broken), ..FakeBackend::default() };
    check("/designs/facility-100mw", house, &["This text is no design: line 7: expected `=`", "name = "]);
}

#[test]
fn an_infeasible_design_says_why_and_cannot_be_run() {
    let kind =
        Kind::FeedOverload { firm: Power::from_megawatts(80.0), asked: Power::from_megawatts(96.0), units_needed: 60 };
    let note = Note { severity: Severity::Error, place: "power \"ups\"".into(), kind };
    let house = FakeBackend { design: Some(detail(vec![note])), ..FakeBackend::default() };
    let said = ["error", "power \"ups\"", "16.0 MW short", "install 60 units", "the notes hold 1 error"];
    let html = check("/designs/facility-100mw", house, &said);
    assert!(html.contains(">Mend it</button>"), "a known mend is a button");
}

#[test]
fn a_run_under_way_shows_how_far_it_is() {
    let running = RunState::Running { progress: 0.42, seconds_left: 75.0 };
    let html = check(
        "/runs/r-1",
        house_with_run(running, None),
        &["42.0 % of the year done, about 1 min 15 s left", "Cancel the run"],
    );
    assert!(html.contains("<progress") && html.contains("value=\"0.42\""));
    check("/runs/r-1", house_with_run(RunState::Queued, None), &["Waiting for its turn"]);
}

#[test]
fn a_run_without_a_report_says_why_and_what_to_do() {
    let failed = RunState::Failed { reason: "the disk is full".into() };
    check("/runs/r-1", house_with_run(failed, None), &["The run failed: the disk is full", "Run the year"]);
    check("/runs/r-1", house_with_run(RunState::Cancelled, None), &["This run was cancelled"]);
    check("/runs/r-1", house_with_run(RunState::Done, None), &["Could not show the report", "Try again"]);
}

#[test]
fn a_report_opens_with_the_answer_and_shows_where_the_energy_went() {
    let said = [
        "17.3 k tok/s/MW",
        "± 22 %",
        "each megawatt at the utility meter",
        "1.087",
        "$0.214 /Mtok",
        "−18 % +28 %",
        "22 100 m³",
        "214 kt CO₂e",
        "Of 600 GWh at the meter, 66.0 % reaches GPU boards; cooling takes 3.00 %",
        "The largest loop needs chillers for 312 h of the year",
        "The facility draws 90 % of its contract or more for 10.9 % of the year",
        "one part in 10¹²",
        "No failures are simulated",
        "ab12",
    ];
    let html = check("/runs/r-1", house_with_run(RunState::Done, Some(report())), &said);
    assert_eq!(html.matches("class=\"chart\"").count(), 4, "flow, hours, months and duration");
    assert!(html.find("17.3").unwrap() < html.find("class=\"chart\"").unwrap(), "the answer comes first");
}

#[test]
fn runs_are_listed_with_their_state() {
    let running = run_summary(RunState::Running { progress: 0.5, seconds_left: 3.0 });
    let house = FakeBackend { runs: Some(vec![run_summary(RunState::Done), running]), ..FakeBackend::default() };
    check("/runs", house, &["Done", "50.0 % of the year done", "17.3 k tok/s/MW", "—"]);
    let empty = FakeBackend { runs: Some(vec![]), ..FakeBackend::default() };
    check("/runs", empty, &["No year has been run yet. Choose a design"]);
}

#[test]
fn an_executive_reads_one_column() {
    let improvement = Improvement {
        name: "Share more prompts".into(),
        caveat: "needs common beginnings".into(),
        tokens: 2e12,
        tokens_per_mw_share: 0.12,
        power_mw: -0.5,
        gain_usd: 3.1e6,
    };
    let found = Report { improvements: vec![improvement; 5], ..report() };
    let said = [
        "100 MW facility makes 17.3 k tok/s (± 22 %) of output from each megawatt at its meter",
        "Where each megawatt goes",
        "What limits it",
        "GB200: bound by memory bandwidth: reading weights",
        "+2.00 T tokens a year · +12.0 % tokens per megawatt · +500 kW of highest draw · +$3.10 M a year.",
        "Mind: needs common beginnings.",
        "Beside business as usual",
        "What this rests on",
    ];
    let html = check("/reports/r-1", house_with_run(RunState::Done, Some(found)), &said);
    assert_eq!(html.matches("Share more prompts").count(), 3, "three improvements, not a list");
    assert!(html.contains("href=\"/api/v1/runs/r-1/report.xlsx\""));
    check("/reports/r-1", house_with_run(RunState::Queued, None), &["The run is not done, so there is no report yet."]);
}

#[test]
fn words_are_explained_and_the_catalog_is_listed() {
    check("/glossary", FakeBackend::default(), &["stranded power", "make-up water for each kWh"]);
    check("/catalog?list=rack", FakeBackend::default(), &["Racks", "Places"]);
}

#[test]
fn years_are_compared_with_the_first() {
    let house =
        FakeBackend { runs: Some(vec![run_summary(RunState::Done)]), ..house_with_run(RunState::Done, Some(report())) };
    check(
        "/compare?runs=r-1,r-2",
        house.clone(),
        &["baseline", "Tokens per facility MW", "17.3 k tok/s/MW", "makes most of a megawatt"],
    );
    check("/compare", house, &["No years are chosen yet. Tick two or more below, or", "100 MW facility"]);
}

#[test]
fn a_first_design_is_asked_for_in_words() {
    let house = FakeBackend { designs: Some(vec![summary()]), ..FakeBackend::default() };
    check("/new", house, &["A first design", "Utility contract", "Drawing it", "Create and open"]);
}

/// A minute of 23 Nov 2026, 14:05 UTC.
const THEN: i64 = 1_795_442_700_000;

fn meaning(code: u32, mnemonic: &str, words: &str, immediate: XidAction) -> XidMeaning {
    XidMeaning {
        code,
        mnemonic: mnemonic.into(),
        words: words.into(),
        immediate,
        investigate: Some(XidAction::ContactSupport),
    }
}

fn burst() -> Burst {
    Burst {
        host: "gpu-001".into(),
        start_ms: THEN,
        end_ms: THEN + 130_000,
        closed: false,
        count: 12,
        codes: vec![
            BurstCode { meaning: meaning(48, "DBE", "double-bit ECC error", XidAction::DrainAndReset), count: 1 },
            BurstCode { meaning: meaning(63, "ROW_REMAP", "row remapping recorded", XidAction::Ignore), count: 11 },
        ],
        gpus: vec!["3".into(), "GPU-5f2b".into()],
        action: XidAction::DrainAndReset,
        decided_by: 48,
        disrupts_jobs: true,
        sticky_suppressed: 2,
    }
}

fn happened(seconds: i64, what: Happening) -> FleetEvent {
    let message = "NVRM: as the driver said".into();
    FleetEvent {
        at_ms: THEN + seconds * 1000,
        source: "kernel".into(),
        host: Some("gpu-001".into()),
        gpu: None,
        what,
        message,
    }
}

fn house_with_events(view: EventsView) -> FakeBackend {
    FakeBackend { events: Some(view), ..FakeBackend::default() }
}

#[test]
fn bursts_say_what_they_call_for_before_all_that_happened() {
    let events = vec![
        happened(7_200, Happening::GpuLost),
        happened(61, Happening::Xid { code: 48, detail: None }),
        happened(0, Happening::Leak { object: "CDU 3".into() }),
    ];
    let view = EventsView { bursts: vec![burst(), Burst { closed: true, ..burst() }], events, more: true };
    let said = [
        "2 bursts of GPU errors, 2 most likely cut jobs off, 1 still going on; the newest 3 events.",
        "open: still within three minutes of the last error",
        "23 Nov 2026, 14:05:00 UTC to 14:07:10 · 12 errors in 2 min 10 s",
        "To do: Empty the node of work first, then reset the GPU. XID 48 decides: it calls for most.",
        "Jobs on this node were most likely cut off.",
        "XID 63 × 11 row remapping recorded ROW_REMAP",
        "2 errors were left out: such errors stick",
        "23 November 2026, from 16:00",
        "XID 48: double-bit ECC error told by kernel",
        "CDU 3 found coolant where none belongs",
        "Older events",
        "Figures as a table",
    ];
    let own = "/events?range=own&from=2026-11-23T14:00&to=2026-11-23T18:00";
    let html = check(own, house_with_events(view.clone()), &said);
    assert!(html.contains("href=\"/fleet/at/node:gpu-001\"") && html.contains("href=\"/fleet/at/gpu:gpu-001%2F3\""));
    let older = "&amp;to=2026-11-23T18:00&amp;before=1795442700001\"";
    assert!(html.contains(older) && html.contains("href=\"/glossary#xid\""), "{html}");
    check("/events?range=7d", house_with_events(view.clone()), &["23 November 2026 3 events"]);
    let before =
        check(&format!("{own}&before=1795300000000"), house_with_events(view), &["The range ends before it begins"]);
    assert!(before.contains("role=\"alert\""));
}

#[test]
fn events_that_are_not_there_say_where_to_look() {
    let nothing = || house_with_events(EventsView::default());
    check("/events", nothing(), &["Nothing happened in this time", "whether a kernel log is read at all"]);
    check("/events?host=gpu-9&what=leak", nothing(), &["Nothing of this kind, on a host of this name, in this time."]);
    check("/events?range=soon", nothing(), &["“soon” is no range"]);
    check("/events?range=own&from=never", nothing(), &["“never” is no time"]);
    check("/events?range=24h&from=never", nothing(), &["“never” is no time"]);
    let known = EventsView { events: vec![happened(0, Happening::HostRestarted)], ..EventsView::default() };
    let own = "/events?range=own&from=2026-11-23T00:00&to=2026-11-24T00:00";
    check(
        own,
        house_with_events(known),
        &["No GPU reported an error in this time.", "The host restarted", "These are all since"],
    );
    check(
        "/events",
        FakeBackend::default(),
        &["Could not show the events", "The store could not be read.", "Try again"],
    );
}

pub(crate) fn source(name: &str, kind: SourceKind, state: SourceState) -> SourceStatus {
    SourceStatus {
        name: name.into(),
        kind,
        target: "http://gpu-001:9400/metrics".into(),
        state,
        last_ms: Some(THEN),
        readings_per_s: 1_240.0,
        series: 620,
        readings: 1_200_000,
        unknown: 12,
        last_error: Some("line 7 is no sample".into()),
        errors: 3,
        peer: Some("dcgm-exporter 4.2".into()),
    }
}

#[test]
fn sources_say_how_they_are_and_what_to_do() {
    let failing = SourceState::Failing {
        since_ms: THEN,
        why: "the name gpu-002 is not known.".into(),
        mend: "correct the host's name in `url`.".into(),
    };
    let sources = vec![
        source("dcgm", SourceKind::Scrape, SourceState::Connected),
        source("log", SourceKind::KernelLog, SourceState::Stale { since_ms: THEN }),
        source("dcgm-2", SourceKind::Scrape, failing),
        source("own", SourceKind::Nvml, SourceState::Absent { why: "This host has no NVIDIA driver.".into() }),
    ];
    let house = FakeBackend { sources: Some(sources), ..FakeBackend::default() };
    let said = [
        "1 of 4 sources answers: 1 can't be read, 1 silent, 1 not there, which is no fault.",
        "It can't be read since 23 Nov 2026, 14:05:00 UTC",
        "the name gpu-002 is not known. To do: correct the host's name in `url`.",
        "A quiet log is usual.",
        "Nothing is wrong with that.",
        "1.24 k/s",
        "12 (their names mean nothing here",
        "line 7 is no sample (3 since the start)",
        "dcgm-exporter 4.2",
        "Pause",
        "[[scrape]]",
        "/api/v1/write",
    ];
    let html = check("/sources", house, &said);
    assert!(html.find("dcgm-2").unwrap() < html.find("1.24").unwrap(), "what fails comes first");
    let empty = FakeBackend { sources: Some(vec![]), ..FakeBackend::default() };
    check("/sources", empty, &["No source is set up yet", "[exchange]"]);
    check("/sources", FakeBackend::default(), &["Could not show the sources", "Try again", "[[kernel_log]]"]);
}

fn made(start_ms: i64, per_mw: Option<f64>) -> FleetReportRow {
    FleetReportRow {
        start_ms,
        output_tokens: per_mw.map(|_| 4.1e11),
        facility_kwh: per_mw.map(|_| 31_200.0),
        tokens_per_s_per_mw: per_mw,
        planned_tokens_per_s_per_mw: Some(20_000.0),
        joules_per_token: per_mw.map(|per_mw| 1e6 / per_mw),
        covered: 0.972,
        available: per_mw.map(|_| 0.991),
        ..FleetReportRow::default()
    }
}

fn fleet_report(total: Option<f64>) -> FleetReport {
    FleetReport {
        period: "2026-11-23".into(),
        from_ms: THEN,
        to_ms: THEN,
        rows: vec![made(THEN, Some(17_000.0)), made(THEN + 3_600_000, None), made(THEN + 7_200_000, Some(19_000.0))],
        total: made(THEN, total),
        previous: Some(made(THEN, Some(17_500.0))),
        remarks: vec!["Tokens are output tokens, as the serving engines count them.".into()],
        plan: None,
        planned_error: None,
    }
}

#[test]
fn a_day_of_the_fleet_is_read_in_one_column() {
    let house = FakeBackend { fleet_report: Some(fleet_report(Some(18_000.0))), ..FakeBackend::default() };
    let said = [
        "On 23 November 2026 the fleet made 18.0 k tok/s of output from each megawatt at the utility meter: 10.0 % less than planned, and 2.86 % more than the day before",
        "410 B tokens of output · 31.2 MWh at the utility meter · 99.1 % of the GPUs were usable on average",
        "+2.86 % on the day before",
        "The best hour made 19.0 k tok/s/MW (16:00), the worst 17.0 k tok/s/MW (14:00)",
        "97.2 % of the time was read",
        "bind the fleet to one",
        "All of November 2026",
        "—",
    ];
    let html = check("/fleet/report/2026-11-23", house.clone(), &said);
    assert!(
        html.contains("href=\"/api/v1/fleet/report/2026-11-23.csv\"")
            && html.contains("href=\"/fleet/report/2026-11-22\"")
    );
    check("/fleet/report/yesterday", house, &["18.0 k tok/s"]);
    let unread = FakeBackend { fleet_report: Some(fleet_report(None)), ..FakeBackend::default() };
    let said = ["What the fleet made of a megawatt on 23 November 2026 was not read", "no serving engine was read"];
    check("/fleet/report/2026-11-23", unread, &said);
    check("/fleet/report/2026-13", FakeBackend::default(), &["“2026-13” is neither a day such as 2026-11-27"]);
    check("/fleet/report/2026-11", FakeBackend::default(), &["Could not show this report of the fleet", "Try again"]);
}

#[test]
fn racks_are_set_beside_the_positions_of_a_design() {
    let position = |name: &str, rack: Option<&str>, seen_gpus, matched| BindingPosition {
        position: name.into(),
        planned_gpus: 72,
        rack: rack.map(Into::into),
        seen_gpus,
        matched,
    };
    let review = BindingReview {
        design: id("facility-100mw"),
        version: 2,
        positions: vec![
            position("hall A / row 1 / 1", Some("A01"), 72, Matched::ByName),
            position("hall A / row 1 / 2", Some("A02"), 71, Matched::ByOrder),
            position("hall A / row 1 / 3", None, 0, Matched::Not),
        ],
        left: vec!["B07".into()],
    };
    let house = FakeBackend { designs: Some(vec![summary()]), review: Some(review), ..FakeBackend::default() };
    let said = [
        "2 of 3 positions have a live rack; 1 live rack is left; 2 need a look.",
        "same name",
        "by order alone",
        "The design has 72 GPUs there, 71 were seen",
        "No live rack is matched. Choose one",
        "Choose a rack for hall A / row 1 / 3",
        "Bind the fleet to this design",
        "B07",
    ];
    let html = check("/fleet/plan?design=facility-100mw", house.clone(), &said);
    assert!(html.contains("href=\"/fleet/plan?design=facility-100mw\""));
    check("/fleet/plan", house, &["Choose a design, and its positions stand here", "512 racks"]);
    let empty = FakeBackend { designs: Some(vec![]), ..FakeBackend::default() };
    check("/fleet/plan", empty, &["There is no design yet.", "Could not show what the fleet is compared with"]);
    check(
        "/fleet/plan?design=nowhere",
        FakeBackend::default(),
        &["Could not show the review of this design", "Try again"],
    );
}

fn alert(state: AlertState, severity: Grave, node: &str) -> Alert {
    let place = Place { rack: Some("A01".into()), node: Some(node.into()), gpu: Some("3".into()), ..Place::default() };
    let taken = (state == AlertState::Acked).then(|| Ack {
        owner: "Ada".into(),
        note: "pump is being changed".into(),
        at_ms: THEN,
    });
    Alert {
        key: AlertKey { rule: "gpu-hot".into(), place, object: None },
        severity,
        state,
        since_ms: THEN,
        began_ms: THEN - 60_000,
        value: Some(87.5),
        ack: taken,
        wrong: true,
        seen_ms: THEN,
        until_ms: None,
        told: None,
        history: vec![Step { at_ms: THEN, to: state, why: Cause::Inhibited { by: "node-down".into() } }],
    }
}

fn alerts() -> AlertsView {
    let rule = Rule {
        name: "gpu-hot".into(),
        severity: Grave::Warning,
        watch: Watch::Metric {
            metric: Metric::GpuTemperature,
            of: None,
            when: Condition { side: Side::Above, fire: 85.0, clear: 80.0 },
        },
        for_ms: 120_000,
        group: GroupBy::Rack,
        inhibits: false,
        means: "A GPU is close to the temperature at which it slows itself down".into(),
        otherwise: "It runs slower".into(),
        todo: "Look at the coolant".into(),
    };
    let silence = Silence {
        id: "s-1".into(),
        matchers: vec![Matcher { field: Field::Node, is: "gpu-00*".into() }],
        start_ms: THEN,
        end_ms: THEN + 7_200_000,
        owner: "Ada".into(),
        note: "rack A01 is serviced".into(),
    };
    let all = vec![
        alert(AlertState::Firing, Grave::Warning, "gpu-001"),
        alert(AlertState::Firing, Grave::Critical, "gpu-002"),
        alert(AlertState::Acked, Grave::Warning, "gpu-003"),
        alert(AlertState::Inhibited, Grave::Warning, "gpu-004"),
    ];
    let change = Transition {
        key: all[0].key.clone(),
        severity: Grave::Warning,
        from: Some(AlertState::Pending),
        value: None,
        step: Step { at_ms: THEN, to: AlertState::Firing, why: Cause::Watched },
    };
    let delivery = Delivery {
        receiver: "pager".into(),
        group: "gpu-hot · A01".into(),
        at_ms: THEN,
        attempt: 1,
        took_ms: 12,
        alerts: 2,
        outcome: Outcome::Taken { status: 200 },
    };
    // The second came of a burst that began before it.
    let about = About {
        key: all[1].key.clone(),
        what: "XID 79: The GPU is gone from its bus".into(),
        since_ms: THEN - 180_000,
        action: "Empty the host of work, then start it again (GPU 3)".into(),
    };
    AlertsView {
        as_of_ms: THEN + 120_000,
        alerts: all,
        about: vec![about],
        silences: vec![silence],
        rules: vec![rule],
        history: vec![change],
        deliveries: vec![delivery],
    }
}

#[test]
fn alerts_say_what_where_since_when_and_what_to_do() {
    let house = FakeBackend { alerts: Some(alerts()), ..FakeBackend::default() };
    let said = [
        "2 alerts need a person, 1 of them critical; 1 taken on, 1 kept back.",
        "Need a person (2)",
        "A GPU is close to the temperature at which it slows itself down: GPU 3 of gpu-001",
        "since 23 Nov 2026, 14:04 UTC (3 min ago) · firing since 23 Nov 2026, 14:05:00 UTC",
        "XID 79: The GPU is gone from its bus: GPU 3 of gpu-002",
        "since 23 Nov 2026, 14:02 UTC (5 min ago) · firing since 23 Nov 2026, 14:05:00 UTC",
        "A GPU is close to the temperature at which it slows itself down.",
        "To do: Empty the host of work, then start it again (GPU 3).",
        "last read: 87.5 °C",
        "If nobody acts: It runs slower.",
        "To do: Look at the coolant.",
        "Take it on",
        "Silence it",
    ];
    let html = check("/alerts", house.clone(), &said);
    assert!(html.find("gpu-002").unwrap() < html.find("gpu-001").unwrap(), "critical first");
    assert!(
        html.contains("href=\"/fleet/at/gpu:gpu-001%2F3\"") && html.contains("id=\"alert-gpu-hot-A01-gpu-001-3\""),
        "{html}"
    );
    check(
        "/alerts?show=taken",
        house.clone(),
        &["Ada took it on at 23 Nov 2026, 14:05 UTC: “pump is being changed”", "Give it back"],
    );
    check(
        "/alerts?show=kept-back",
        house.clone(),
        &["explained by another alert", "Kept back: “node-down” explains it."],
    );
    check("/alerts?show=resolved", house.clone(), &["No alert got right again in the last hour."]);
    check(
        "/alerts?show=silences",
        house.clone(),
        &["node is gpu-00*", "1 h 58 min left", "“rack A01 is serviced”", "End it now"],
    );
    check(
        "/alerts?show=history",
        house.clone(),
        &["seen, and not yet for long enough → firing", "pager", "taken (HTTP 200)"],
    );
    check("/alerts?show=rules", house, &["“GPU temperature” above 85.0 °C for 2 min; right again below 80.0 °C."]);
    let calm = FakeBackend { alerts: Some(AlertsView::default()), ..FakeBackend::default() };
    check("/alerts", calm.clone(), &["No alert needs a person; 0 taken on, 0 kept back.", "No alert fires"]);
    check("/alerts?show=silences", calm.clone(), &["No silence is kept."]);
    check("/alerts?show=rules", calm, &["There is no rule, so nothing is watched."]);
    check(
        "/alerts",
        FakeBackend::default(),
        &["Could not show the alerts", "The store could not be read.", "Try again"],
    );
}

fn point(tag: &str, value: Option<f64>, health: PointHealth) -> FacilityPoint {
    FacilityPoint {
        tag: tag.into(),
        source: "building".into(),
        object: "CDU-1".into(),
        object_type: "CDU".into(),
        point_type: "LiquidTemperature".into(),
        role: PointRole::Measured,
        unit: Unit::Celsius,
        written: "degC".into(),
        value,
        state: None,
        at_ms: value.map(|_| THEN),
        health,
    }
}

fn facility(telling: Telling) -> FacilityView {
    let object = |id: &str, kind: &str| FacilityObject {
        id: id.into(),
        name: id.into(),
        object_type: Some(kind.into()),
        points: 4,
        unwell: 1,
        parts: std::collections::BTreeMap::new(),
    };
    let serves = |from: &str, to: &str, medium| Serves { from: from.into(), to: to.into(), medium };
    let rack = |id: &str| FacilityRack { id: id.into(), name: format!("Rack {id}") };
    let it = |label: &str| ItRack { label: label.into(), position: None };
    let near = RackNearMiss {
        facility: rack("A-02"),
        it: it("a2"),
        how: RackDifference::Writing,
        suggestion: "\"A-02\" and \"a2\" differ in writing only: if they are one rack, label it \"A-02\"".into(),
    };
    FacilityView {
        as_of_ms: THEN + 60_000,
        buildings: vec![Building {
            source: "building".into(),
            telling,
            heartbeats: vec![Heartbeat { whose: "BMS/pod1".into(), last_ms: THEN + 56_000, pulse: Pulse::Beats }],
            counts: ExchangeCounts { points: 412, stale: 4, ..ExchangeCounts::default() },
            objects: vec![object("CDU-1", "CDU"), object("UPS-1", "UPS"), object("A01", "Rack")],
            serves: vec![serves("UPS-1", "A01", Medium::Power), serves("CDU-1", "A01", Medium::Liquid)],
            roots: vec!["CDU-1".into(), "UPS-1".into()],
            remarks: vec!["\"PDU-9\" is served and no point describes it".into()],
        }],
        points: vec![
            point("pod1/CDU/1/T", Some(31.2), PointHealth::Stale),
            point("pod1/CDU/2/T", None, PointHealth::Bad),
        ],
        more: 3,
        racks: Reconciliation {
            matched: vec![RackMatch { facility: rack("A01"), it: it("A01"), by: JoinedBy::Id }],
            near: vec![near],
            only_facility: vec![rack("A-02")],
            only_it: vec![it("a2")],
            remarks: vec![],
        },
    }
}

#[test]
fn the_building_says_what_serves_what_and_how_old_it_is() {
    let house = FakeBackend { facility: Some(facility(Telling::Fine)), ..FakeBackend::default() };
    let said = [
        "Values come, and its heart beats.",
        "412 points; 4 of them are stale.",
        "last beat 4 s ago",
        "Power: 2 objects from 1 root, 2 with points that are not well.",
        "31.2 °C",
        "stalelast 60 s ago",
        "the building says that it can't be trusted",
        "3 points more fit",
        "1 of the building's 2 and of the IT side's 2 racks are the same; 1 name is alike and needs a person.",
        "label it \"A-02\"",
        "Known to the IT side alone",
        "is served and no point describes it",
    ];
    let html = check("/facility", house.clone(), &said);
    assert!(html.contains("href=\"/facility?object=CDU-1\""));
    check(
        "/facility?object=CDU-1&text=temp",
        house,
        &["Those of CDU-1 alone.", "Show all points", "With “temp” in their names."],
    );
    let offline = Telling::Offline { since_ms: THEN, whose: "BMS/pod1".into() };
    let house = FakeBackend { facility: Some(facility(offline)), ..FakeBackend::default() };
    check(
        "/facility",
        house,
        &["heart stopped", "The heartbeat of BMS/pod1 stopped since 23 Nov 2026, 14:05:00 UTC (60 s ago)"],
    );
    let none = FakeBackend { facility: Some(FacilityView::default()), ..FakeBackend::default() };
    check("/facility", none, &["No bus of a building is read", "See how one is set up"]);
    check("/facility", FakeBackend::default(), &["Could not show the building", "Try again"]);
}
