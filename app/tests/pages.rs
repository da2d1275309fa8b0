//! Every page rendered to HTML against a house that is made up: no server, no browser.

use any_spawner::Executor;
use app::App;
use app::api::{ApiError, Backend};
use futures::StreamExt;
use leptos::prelude::*;
use leptos_router::location::RequestUrl;
use model::catalog::{Catalog, CatalogEntry, PartsCheck, PartsFile};
use model::design::Design;
use model::id::{DesignId, InputId, RunId, SnapshotId};
use model::input::{InputSave, StoredInput};
use model::note::{Kind, Note, Severity};
use model::quantity::Power;
use model::report::{Banded, Evaluation, Flow, Improvement, Money, Month, NodeReport, Report, ServingPoint, Stranded};
use model::run::{DesignDetail, DesignSummary, Origin, RunDetail, RunRequest, RunState, RunSummary};
use model::site::Site;
use model::version::{DesignCheck, DesignCreate, DesignSave, DesignSaved, DesignVersion, TextProblem};
use std::str::FromStr;
use std::sync::Arc;

/// A house that answers what it was given, and fails where it was given nothing.
#[derive(Clone, Default)]
struct FakeBackend {
    designs: Option<Vec<DesignSummary>>,
    design: Option<DesignDetail>,
    runs: Option<Vec<RunSummary>>,
    run: Option<RunDetail>,
}

fn broken<T>() -> Result<T, ApiError> {
    Err(ApiError::Internal { reason: "The store could not be read.".into() })
}

#[async_trait::async_trait]
impl Backend for FakeBackend {
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
