//! The port: what the pages ask of the house. `server` answers with the real thing, page tests with a fake one.

use crate::governance::{WorkloadAsk, WorkloadShown};
use crate::serving::{ServingAsk, ServingShown};
use leptos::prelude::{FromServerFnError, ServerFnErrorErr, server};
use leptos::server_fn::codec::{Json, JsonEncoding};
use model::alert::{AlertKey, AlertsView, SilenceCreate};
use model::catalog::{Catalog, CatalogEntry, PartsCheck, PartsFile};
use model::event::{EventQuery, EventsView};
use model::facility::{FacilityQuery, FacilityView};
use model::fleet::{
    BindingReview, BindingSave, ChartData, ChartRequest, FleetBrief, FleetPlace, FleetReport, FleetView, PlaceView,
    SavedView, WasteReport,
};
use model::id::{DesignId, InputId, ReplayId, RunId, SnapshotId, SweepId};
use model::input::{InputSave, StoredInput};
use model::metric::Metric;
use model::optimum::{Applied, OptimumApply, OptimumAsk, OptimumView};
use model::replay::{ReplayCreate, ReplayDesk, ReplayDetail};
use model::run::{DesignDetail, DesignSummary, RunDetail, RunRequest, RunSummary};
use model::site::Site;
use model::source::SourceStatus;
use model::steered::{SteerAsk, SteeredView};
use model::sweep::{SweepCreate, SweepDetail, SweepSummary};
use model::validation::Validation;
use model::version::{DesignCheck, DesignCreate, DesignSave, DesignSaved, DesignVersion};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why the house could not answer, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "error", rename_all = "kebab-case")]
pub enum ApiError {
    /// There is no such thing.
    NotFound {
        /// What is not there.
        what: String,
    },
    /// The request can't be done as asked.
    Invalid {
        /// Why, and what would do.
        reason: String,
    },
    /// Someone else changed it in between.
    Conflict {
        /// What.
        reason: String,
    },
    /// Too much at once; try again.
    Busy {
        /// What is full.
        reason: String,
    },
    /// Our fault; the log says more.
    Internal {
        /// What could not be done.
        reason: String,
    },
    /// The house did not answer.
    Unreachable {
        /// What the browser says.
        reason: String,
    },
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { what } => write!(f, "There is no {what}."),
            Self::Invalid { reason }
            | Self::Conflict { reason }
            | Self::Busy { reason }
            | Self::Internal { reason } => f.write_str(reason),
            Self::Unreachable { reason } => write!(f, "The server did not answer: {reason}."),
        }
    }
}
impl std::error::Error for ApiError {}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    /// What went wrong between the page and the house: most often the house did not answer.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        #[expect(clippy::wildcard_enum_match_arm, reason = "only a broken connection is not our own fault")]
        match error {
            ServerFnErrorErr::Request(reason) | ServerFnErrorErr::Response(reason) => Self::Unreachable { reason },
            other => Self::Internal { reason: other.to_string() },
        }
    }
}

/// What the pages ask. Every answer is a value of the vocabulary.
#[cfg(feature = "ssr")]
#[async_trait::async_trait]
pub trait Backend: Send + Sync + 'static {
    /// Why the live fleet's readings are made up, in a sentence; none where they are read.
    fn made_up(&self) -> Option<String>;
    /// Stored designs in use, reference designs first.
    async fn designs(&self) -> Result<Vec<DesignSummary>, ApiError>;
    /// Those that were put away.
    async fn designs_archived(&self) -> Result<Vec<DesignSummary>, ApiError>;
    /// The newest version of a design, evaluated.
    async fn design(&self, id: DesignId) -> Result<DesignDetail, ApiError>;
    /// One version of a design, evaluated.
    async fn design_at(&self, id: DesignId, version: u32) -> Result<DesignDetail, ApiError>;
    /// Every version of a design, newest first.
    async fn design_versions(&self, id: DesignId) -> Result<Vec<DesignVersion>, ApiError>;
    /// Keeps a new design, or a branch of one, under a name in paths that is free.
    async fn design_create(&self, new: DesignCreate) -> Result<DesignSummary, ApiError>;
    /// Keeps another version of a design, or says what someone else saved in between. Reference designs are refused:
    /// they are branched. An unchanged text makes no version, but gives the newest one the label and message.
    async fn design_save(&self, save: DesignSave) -> Result<DesignSaved, ApiError>;
    /// Puts a design away: it is listed no more and can't be changed, but links and runs stay good.
    async fn design_archive(&self, id: DesignId) -> Result<(), ApiError>;
    /// Takes it out again.
    async fn design_restore(&self, id: DesignId) -> Result<(), ApiError>;
    /// Reads and evaluates a text that is kept nowhere, or says why it is no design, and in which line.
    async fn design_check(&self, toml: String) -> Result<DesignCheck, ApiError>;
    /// Keeps a text for a share link. The same text has the same link.
    async fn snapshot_save(&self, toml: String) -> Result<SnapshotId, ApiError>;
    /// The text that a share link leads to.
    async fn snapshot(&self, id: SnapshotId) -> Result<String, ApiError>;
    /// Everything that a design may name.
    async fn catalog(&self) -> Result<Catalog, ApiError>;
    /// One list of it, row by row, every figure in words.
    async fn catalog_list(&self, list: String) -> Result<Vec<CatalogEntry>, ApiError>;
    /// The best way to serve a model on some GPUs, and how sure that is.
    async fn serving(&self, ask: ServingAsk) -> Result<ServingShown, ApiError>;
    /// What a kind of work takes, and what careless choices add.
    async fn workload(&self, ask: WorkloadAsk) -> Result<WorkloadShown, ApiError>;
    /// The serving model beside measurements.
    async fn validation(&self) -> Result<Validation, ApiError>;
    /// What a file of parts holds, or what is wrong in which line of it; nothing is kept.
    async fn parts_read(&self, file: PartsFile) -> Result<PartsCheck, ApiError>;
    /// Keeps a file for runs to be made with, or says what is wrong in which line and column of it.
    async fn input_save(&self, save: InputSave) -> Result<StoredInput, ApiError>;
    /// Files that are kept, the newest first.
    async fn input_list(&self) -> Result<Vec<StoredInput>, ApiError>;
    /// Forgets a file; refused where a run was made with it.
    async fn input_delete(&self, id: InputId) -> Result<(), ApiError>;
    /// Its newest version resolved, so that the browser can run the year itself.
    async fn site(&self, id: DesignId) -> Result<Site, ApiError>;
    /// Starts a year of a design as a job; refused where the design is infeasible or the queue is full.
    async fn run_start(&self, request: RunRequest) -> Result<RunId, ApiError>;
    /// Stops a run that is queued or under way.
    async fn run_cancel(&self, id: RunId) -> Result<(), ApiError>;
    /// One run.
    async fn run(&self, id: RunId) -> Result<RunDetail, ApiError>;
    /// All runs, newest first.
    async fn runs(&self) -> Result<Vec<RunSummary>, ApiError>;
    /// The whole live fleet, one metric of every GPU.
    async fn fleet(&self, metric: Metric) -> Result<FleetView, ApiError>;
    /// One place of the fleet: a hall, a rack, a node, a GPU.
    async fn fleet_place(&self, place: FleetPlace) -> Result<PlaceView, ApiError>;
    /// Metrics of a place over a time.
    async fn fleet_chart(&self, request: ChartRequest) -> Result<ChartData, ApiError>;
    /// GPUs with nothing to do, and power that nobody draws.
    async fn fleet_waste(&self) -> Result<WasteReport, ApiError>;
    /// Places whose name, address or id has this text, the likeliest first.
    async fn fleet_search(&self, text: String) -> Result<Vec<FleetPlace>, ApiError>;
    /// Ways to look at the fleet that were named.
    async fn fleet_views(&self) -> Result<Vec<SavedView>, ApiError>;
    /// Names a way to look at the fleet; one of that name is replaced.
    async fn fleet_view_save(&self, name: String, query: String) -> Result<(), ApiError>;
    /// Forgets a named way to look at the fleet.
    async fn fleet_view_delete(&self, name: String) -> Result<(), ApiError>;
    /// What the fleet made of its energy in a day (`2026-11-27`) or a month (`2026-11`).
    async fn fleet_report(&self, period: String) -> Result<FleetReport, ApiError>;
    /// Which live rack each position of a design is, or most likely is.
    async fn fleet_binding_review(&self, design: DesignId) -> Result<BindingReview, ApiError>;
    /// Binds the fleet to a design.
    async fn fleet_binding_save(&self, save: BindingSave) -> Result<(), ApiError>;
    /// Lets the fleet be compared with nothing.
    async fn fleet_binding_clear(&self) -> Result<(), ApiError>;
    /// What happened in the fleet.
    async fn fleet_events(&self, query: EventQuery) -> Result<EventsView, ApiError>;
    /// Where readings come from, and how each source is.
    async fn fleet_sources(&self) -> Result<Vec<SourceStatus>, ApiError>;
    /// Alerts, silences and rules.
    async fn alerts(&self) -> Result<AlertsView, ApiError>;
    /// Someone takes an alert on, with a word about it; refused where it is not active.
    async fn alert_ack(&self, key: AlertKey, owner: String, note: String) -> Result<(), ApiError>;
    /// Whoever had taken an alert on gives it back.
    async fn alert_unack(&self, key: AlertKey) -> Result<(), ApiError>;
    /// Begins a silence, which has an end.
    async fn alert_silence(&self, silence: SilenceCreate) -> Result<(), ApiError>;
    /// Ends a silence early.
    async fn alert_silence_end(&self, id: String) -> Result<(), ApiError>;
    /// The building: what serves what, what its points read, and whether its racks are those of the IT side.
    async fn facility(&self, query: FacilityQuery) -> Result<FacilityView, ApiError>;
    /// What a replay may be asked with, earlier ones, and what one of them was asked.
    async fn replay_desk(&self, again: Option<ReplayId>) -> Result<ReplayDesk, ApiError>;
    /// Replays requests through a fleet and keeps what comes of it; refused where the model does not fit, where the
    /// trace can't be read, with its line, and where too many replays wait.
    async fn replay_start(&self, create: ReplayCreate) -> Result<ReplayId, ApiError>;
    /// One replay.
    async fn replay(&self, id: ReplayId) -> Result<ReplayDetail, ApiError>;
    /// Forgets a replay.
    async fn replay_delete(&self, id: ReplayId) -> Result<(), ApiError>;
    /// The operating point of a design, its frontier, its reasons, and whether it stands.
    async fn optimum(&self, design: DesignId, ask: OptimumAsk) -> Result<OptimumView, ApiError>;
    /// Keeps a choice as a new version of its design; of a reference design as a branch.
    async fn optimum_apply(&self, apply: OptimumApply) -> Result<Applied, ApiError>;
    /// The power tree of a design under a policy and steering.
    async fn steered(&self, design: DesignId, ask: SteerAsk) -> Result<SteeredView, ApiError>;
    /// Starts a sweep as a job.
    async fn sweep_start(&self, create: SweepCreate) -> Result<SweepId, ApiError>;
    /// A sweep and what it found so far.
    async fn sweep(&self, id: SweepId) -> Result<SweepDetail, ApiError>;
    /// All sweeps, newest first.
    async fn sweeps(&self) -> Result<Vec<SweepSummary>, ApiError>;
    /// Stops a sweep; what is done of it stays.
    async fn sweep_cancel(&self, id: SweepId) -> Result<(), ApiError>;
    /// Forgets a sweep with its rows.
    async fn sweep_delete(&self, id: SweepId) -> Result<(), ApiError>;
}

/// Told why a whole page can't be shown, so that its answer bears the status of that, where there is a server.
#[derive(Clone)]
pub struct PageRefusal(pub std::sync::Arc<dyn Fn(&ApiError) + Send + Sync>);

/// The house that this page asks, as `server` or a test provided it.
#[cfg(feature = "ssr")]
fn backend() -> Result<std::sync::Arc<dyn Backend>, ApiError> {
    leptos::prelude::use_context()
        .ok_or_else(|| ApiError::Internal { reason: "The page was given no house to ask.".into() })
}

/// Stored designs, reference designs first.
#[server(name = AskDesigns, prefix = "/api/ask", endpoint = "designs", input = Json)]
pub async fn designs() -> Result<Vec<DesignSummary>, ApiError> {
    backend()?.designs().await
}

/// One design, evaluated.
#[server(name = AskDesign, prefix = "/api/ask", endpoint = "design", input = Json)]
pub async fn design(
    /// Which one.
    id: DesignId,
) -> Result<DesignDetail, ApiError> {
    backend()?.design(id).await
}

/// Designs that were put away.
#[server(name = AskDesignsArchived, prefix = "/api/ask", endpoint = "designs-archived", input = Json)]
pub async fn designs_archived() -> Result<Vec<DesignSummary>, ApiError> {
    backend()?.designs_archived().await
}

/// One version of a design, evaluated.
#[server(name = AskDesignAt, prefix = "/api/ask", endpoint = "design-at", input = Json)]
pub async fn design_at(
    /// Which one.
    id: DesignId,
    /// Which version of it.
    version: u32,
) -> Result<DesignDetail, ApiError> {
    backend()?.design_at(id, version).await
}

/// Every version of a design, newest first.
#[server(name = AskDesignVersions, prefix = "/api/ask", endpoint = "design-versions", input = Json)]
pub async fn design_versions(
    /// Which one.
    id: DesignId,
) -> Result<Vec<DesignVersion>, ApiError> {
    backend()?.design_versions(id).await
}

/// Keeps a new design.
#[server(name = AskDesignCreate, prefix = "/api/ask", endpoint = "design-create", input = Json)]
pub async fn design_create(
    /// Its name and text, and what it began as.
    new: DesignCreate,
) -> Result<DesignSummary, ApiError> {
    backend()?.design_create(new).await
}

/// Keeps another version of a design.
#[server(name = AskDesignSave, prefix = "/api/ask", endpoint = "design-save", input = Json)]
pub async fn design_save(
    /// Its text, and the version that was changed.
    save: DesignSave,
) -> Result<DesignSaved, ApiError> {
    backend()?.design_save(save).await
}

/// Puts a design away.
#[server(name = AskDesignArchive, prefix = "/api/ask", endpoint = "design-archive", input = Json)]
pub async fn design_archive(
    /// Which one.
    id: DesignId,
) -> Result<(), ApiError> {
    backend()?.design_archive(id).await
}

/// Takes a design out again.
#[server(name = AskDesignRestore, prefix = "/api/ask", endpoint = "design-restore", input = Json)]
pub async fn design_restore(
    /// Which one.
    id: DesignId,
) -> Result<(), ApiError> {
    backend()?.design_restore(id).await
}

/// Reads and evaluates a text that is kept nowhere.
#[server(name = AskDesignCheck, prefix = "/api/ask", endpoint = "design-check", input = Json)]
pub async fn design_check(
    /// The text.
    toml: String,
) -> Result<DesignCheck, ApiError> {
    backend()?.design_check(toml).await
}

/// Keeps a text for a share link.
#[server(name = AskSnapshotSave, prefix = "/api/ask", endpoint = "snapshot-save", input = Json)]
pub async fn snapshot_save(
    /// The text.
    toml: String,
) -> Result<SnapshotId, ApiError> {
    backend()?.snapshot_save(toml).await
}

/// The text that a share link leads to.
#[server(name = AskSnapshot, prefix = "/api/ask", endpoint = "snapshot", input = Json)]
pub async fn snapshot(
    /// Which one.
    id: SnapshotId,
) -> Result<String, ApiError> {
    backend()?.snapshot(id).await
}

/// Everything that a design may name.
#[server(name = AskCatalog, prefix = "/api/ask", endpoint = "catalog", input = Json)]
pub async fn catalog() -> Result<Catalog, ApiError> {
    backend()?.catalog().await
}

/// One list of the catalog.
#[server(name = AskCatalogList, prefix = "/api/ask", endpoint = "catalog-list", input = Json)]
pub async fn catalog_list(
    /// Which: `gpu`, `rack`, …
    list: String,
) -> Result<Vec<CatalogEntry>, ApiError> {
    backend()?.catalog_list(list).await
}

/// The best way to serve a model on some GPUs.
#[server(name = AskServing, prefix = "/api/ask", endpoint = "serving", input = Json)]
pub async fn serving(
    /// What is to be served, and what is promised.
    ask: ServingAsk,
) -> Result<ServingShown, ApiError> {
    backend()?.serving(ask).await
}

/// What a kind of work takes, and what careless choices add.
#[server(name = AskWorkload, prefix = "/api/ask", endpoint = "workload", input = Json)]
pub async fn workload(
    /// The work, and what serves it.
    ask: WorkloadAsk,
) -> Result<WorkloadShown, ApiError> {
    backend()?.workload(ask).await
}

/// The serving model beside measurements.
#[server(name = AskValidation, prefix = "/api/ask", endpoint = "validation", input = Json)]
pub async fn validation() -> Result<Validation, ApiError> {
    backend()?.validation().await
}

/// What a file of parts holds.
#[server(name = AskPartsRead, prefix = "/api/ask", endpoint = "parts-read", input = Json)]
pub async fn parts_read(
    /// Its name and what stands in it.
    file: PartsFile,
) -> Result<PartsCheck, ApiError> {
    backend()?.parts_read(file).await
}

/// Keeps a file for runs to be made with.
#[server(name = AskInputSave, prefix = "/api/ask", endpoint = "input-save", input = Json)]
pub async fn input_save(
    /// What it is about, its name and what stands in it.
    save: InputSave,
) -> Result<StoredInput, ApiError> {
    backend()?.input_save(save).await
}

/// Files that are kept, the newest first.
#[server(name = AskInputList, prefix = "/api/ask", endpoint = "input-list", input = Json)]
pub async fn input_list() -> Result<Vec<StoredInput>, ApiError> {
    backend()?.input_list().await
}

/// Forgets a file.
#[server(name = AskInputDelete, prefix = "/api/ask", endpoint = "input-delete", input = Json)]
pub async fn input_delete(
    /// Which one.
    id: InputId,
) -> Result<(), ApiError> {
    backend()?.input_delete(id).await
}

/// A design's newest version, resolved, for the browser's own year.
#[server(name = AskSite, prefix = "/api/ask", endpoint = "site", input = Json)]
pub async fn site(
    /// Which one.
    id: DesignId,
) -> Result<Site, ApiError> {
    backend()?.site(id).await
}

/// Starts a year of a design.
#[server(name = AskRunStart, prefix = "/api/ask", endpoint = "run-start", input = Json)]
pub async fn run_start(
    /// What to run.
    request: RunRequest,
) -> Result<RunId, ApiError> {
    backend()?.run_start(request).await
}

/// Stops a run.
#[server(name = AskRunCancel, prefix = "/api/ask", endpoint = "run-cancel", input = Json)]
pub async fn run_cancel(
    /// Which one.
    id: RunId,
) -> Result<(), ApiError> {
    backend()?.run_cancel(id).await
}

/// One run.
#[server(name = AskRun, prefix = "/api/ask", endpoint = "run", input = Json)]
pub async fn run(
    /// Which one.
    id: RunId,
) -> Result<RunDetail, ApiError> {
    backend()?.run(id).await
}

/// All runs, newest first.
#[server(name = AskRuns, prefix = "/api/ask", endpoint = "runs", input = Json)]
pub async fn runs() -> Result<Vec<RunSummary>, ApiError> {
    backend()?.runs().await
}

/// The whole live fleet, one metric of every GPU.
#[server(name = AskFleet, prefix = "/api/ask", endpoint = "fleet", input = Json)]
pub async fn fleet(
    /// Which metric.
    metric: Metric,
) -> Result<FleetView, ApiError> {
    backend()?.fleet(metric).await
}

/// The live fleet in three numbers.
#[server(name = AskFleetBrief, prefix = "/api/ask", endpoint = "fleet-brief", input = Json)]
pub async fn fleet_brief() -> Result<FleetBrief, ApiError> {
    Ok(FleetBrief::of(&backend()?.fleet(Metric::GpuPower).await?))
}

/// One place of the fleet: a hall, a rack, a node, a GPU.
#[server(name = AskFleetPlace, prefix = "/api/ask", endpoint = "fleet-place", input = Json)]
pub async fn fleet_place(
    /// Which.
    place: FleetPlace,
) -> Result<PlaceView, ApiError> {
    backend()?.fleet_place(place).await
}

/// Metrics of a place over a time.
#[server(name = AskFleetChart, prefix = "/api/ask", endpoint = "fleet-chart", input = Json)]
pub async fn fleet_chart(
    /// Of what, and when.
    request: ChartRequest,
) -> Result<ChartData, ApiError> {
    backend()?.fleet_chart(request).await
}

/// GPUs with nothing to do, and power that nobody draws.
#[server(name = AskFleetWaste, prefix = "/api/ask", endpoint = "fleet-waste", input = Json)]
pub async fn fleet_waste() -> Result<WasteReport, ApiError> {
    backend()?.fleet_waste().await
}

/// Places whose name, address or id has this text, the likeliest first.
#[server(name = AskFleetSearch, prefix = "/api/ask", endpoint = "fleet-search", input = Json)]
pub async fn fleet_search(
    /// The text.
    text: String,
) -> Result<Vec<FleetPlace>, ApiError> {
    backend()?.fleet_search(text).await
}

/// Ways to look at the fleet that were named.
#[server(name = AskFleetViews, prefix = "/api/ask", endpoint = "fleet-views", input = Json)]
pub async fn fleet_views() -> Result<Vec<SavedView>, ApiError> {
    backend()?.fleet_views().await
}

/// Names a way to look at the fleet; one of that name is replaced.
#[server(name = AskFleetViewSave, prefix = "/api/ask", endpoint = "fleet-view-save", input = Json)]
pub async fn fleet_view_save(
    /// Its name.
    name: String,
    /// The address' query.
    query: String,
) -> Result<(), ApiError> {
    backend()?.fleet_view_save(name, query).await
}

/// Forgets a named way to look at the fleet.
#[server(name = AskFleetViewDelete, prefix = "/api/ask", endpoint = "fleet-view-delete", input = Json)]
pub async fn fleet_view_delete(
    /// Its name.
    name: String,
) -> Result<(), ApiError> {
    backend()?.fleet_view_delete(name).await
}

/// What the fleet made of its energy in a day (`2026-11-27`) or a month (`2026-11`).
#[server(name = AskFleetReport, prefix = "/api/ask", endpoint = "fleet-report", input = Json)]
pub async fn fleet_report(
    /// The day or the month.
    period: String,
) -> Result<FleetReport, ApiError> {
    backend()?.fleet_report(period).await
}

/// Which live rack each position of a design is, or most likely is.
#[server(name = AskFleetBindingReview, prefix = "/api/ask", endpoint = "fleet-binding-review", input = Json)]
pub async fn fleet_binding_review(
    /// The design.
    design: DesignId,
) -> Result<BindingReview, ApiError> {
    backend()?.fleet_binding_review(design).await
}

/// Binds the fleet to a design.
#[server(name = AskFleetBindingSave, prefix = "/api/ask", endpoint = "fleet-binding-save", input = Json)]
pub async fn fleet_binding_save(
    /// The design, and which rack is which position.
    save: BindingSave,
) -> Result<(), ApiError> {
    backend()?.fleet_binding_save(save).await
}

/// Lets the fleet be compared with nothing.
#[server(name = AskFleetBindingClear, prefix = "/api/ask", endpoint = "fleet-binding-clear", input = Json)]
pub async fn fleet_binding_clear() -> Result<(), ApiError> {
    backend()?.fleet_binding_clear().await
}

/// What happened in the fleet.
#[server(name = AskFleetEvents, prefix = "/api/ask", endpoint = "fleet-events", input = Json)]
pub async fn fleet_events(
    /// When, where and of which kind.
    query: EventQuery,
) -> Result<EventsView, ApiError> {
    backend()?.fleet_events(query).await
}

/// Where readings come from, and how each source is.
#[server(name = AskFleetSources, prefix = "/api/ask", endpoint = "fleet-sources", input = Json)]
pub async fn fleet_sources() -> Result<Vec<SourceStatus>, ApiError> {
    backend()?.fleet_sources().await
}

/// Alerts, silences and rules.
#[server(name = AskAlerts, prefix = "/api/ask", endpoint = "alerts", input = Json)]
pub async fn alerts() -> Result<AlertsView, ApiError> {
    backend()?.alerts().await
}

/// Someone takes an alert on.
#[server(name = AskAlertAck, prefix = "/api/ask", endpoint = "alert-ack", input = Json)]
pub async fn alert_ack(
    /// Which.
    key: AlertKey,
    /// Who.
    owner: String,
    /// What they say about it.
    note: String,
) -> Result<(), ApiError> {
    backend()?.alert_ack(key, owner, note).await
}

/// Whoever had taken an alert on gives it back.
#[server(name = AskAlertUnack, prefix = "/api/ask", endpoint = "alert-unack", input = Json)]
pub async fn alert_unack(
    /// Which.
    key: AlertKey,
) -> Result<(), ApiError> {
    backend()?.alert_unack(key).await
}

/// Begins a silence, which has an end.
#[server(name = AskAlertSilence, prefix = "/api/ask", endpoint = "alert-silence", input = Json)]
pub async fn alert_silence(
    /// Of what, for how long, who asks and why.
    silence: SilenceCreate,
) -> Result<(), ApiError> {
    backend()?.alert_silence(silence).await
}

/// Ends a silence early.
#[server(name = AskAlertSilenceEnd, prefix = "/api/ask", endpoint = "alert-silence-end", input = Json)]
pub async fn alert_silence_end(
    /// Which.
    id: String,
) -> Result<(), ApiError> {
    backend()?.alert_silence_end(id).await
}

/// The building: what serves what, what its points read, and whether its racks are those of the IT side.
#[server(name = AskFacility, prefix = "/api/ask", endpoint = "facility", input = Json)]
pub async fn facility(
    /// Which points.
    query: FacilityQuery,
) -> Result<FacilityView, ApiError> {
    backend()?.facility(query).await
}

/// What a replay may be asked with.
#[server(name = AskReplayDesk, prefix = "/api/ask", endpoint = "replay-desk", input = Json)]
pub async fn replay_desk(
    /// The replay that is to be run again, changed.
    again: Option<ReplayId>,
) -> Result<ReplayDesk, ApiError> {
    backend()?.replay_desk(again).await
}

/// Replays requests through a fleet.
#[server(name = AskReplayStart, prefix = "/api/ask", endpoint = "replay-start", input = Json)]
pub async fn replay_start(
    /// What is asked.
    create: ReplayCreate,
) -> Result<ReplayId, ApiError> {
    backend()?.replay_start(create).await
}

/// One replay.
#[server(name = AskReplay, prefix = "/api/ask", endpoint = "replay", input = Json)]
pub async fn replay(
    /// Which one.
    id: ReplayId,
) -> Result<ReplayDetail, ApiError> {
    backend()?.replay(id).await
}

/// Forgets a replay.
#[server(name = AskReplayDelete, prefix = "/api/ask", endpoint = "replay-delete", input = Json)]
pub async fn replay_delete(
    /// Which one.
    id: ReplayId,
) -> Result<(), ApiError> {
    backend()?.replay_delete(id).await
}

/// The operating point of a design.
#[server(name = AskOptimum, prefix = "/api/ask", endpoint = "optimum", input = Json)]
pub async fn optimum(
    /// Which one.
    design: DesignId,
    /// What is sought, within what.
    ask: OptimumAsk,
) -> Result<OptimumView, ApiError> {
    backend()?.optimum(design, ask).await
}

/// Keeps a choice as a version of its design.
#[server(name = AskOptimumApply, prefix = "/api/ask", endpoint = "optimum-apply", input = Json)]
pub async fn optimum_apply(
    /// The choice, and what it is of.
    apply: OptimumApply,
) -> Result<Applied, ApiError> {
    backend()?.optimum_apply(apply).await
}

/// The power tree of a design under steering.
#[server(name = AskSteered, prefix = "/api/ask", endpoint = "steered", input = Json)]
pub async fn steered(
    /// Which one.
    design: DesignId,
    /// Under which policy and limit.
    ask: SteerAsk,
) -> Result<SteeredView, ApiError> {
    backend()?.steered(design, ask).await
}

/// Starts a sweep.
#[server(name = AskSweepStart, prefix = "/api/ask", endpoint = "sweep-start", input = Json)]
pub async fn sweep_start(
    /// What is varied.
    create: SweepCreate,
) -> Result<SweepId, ApiError> {
    backend()?.sweep_start(create).await
}

/// A sweep and what it found so far.
#[server(name = AskSweep, prefix = "/api/ask", endpoint = "sweep", input = Json)]
pub async fn sweep(
    /// Which one.
    id: SweepId,
) -> Result<SweepDetail, ApiError> {
    backend()?.sweep(id).await
}

/// All sweeps, newest first.
#[server(name = AskSweeps, prefix = "/api/ask", endpoint = "sweeps", input = Json)]
pub async fn sweeps() -> Result<Vec<SweepSummary>, ApiError> {
    backend()?.sweeps().await
}

/// Stops a sweep.
#[server(name = AskSweepCancel, prefix = "/api/ask", endpoint = "sweep-cancel", input = Json)]
pub async fn sweep_cancel(
    /// Which one.
    id: SweepId,
) -> Result<(), ApiError> {
    backend()?.sweep_cancel(id).await
}

/// Forgets a sweep.
#[server(name = AskSweepDelete, prefix = "/api/ask", endpoint = "sweep-delete", input = Json)]
pub async fn sweep_delete(
    /// Which one.
    id: SweepId,
) -> Result<(), ApiError> {
    backend()?.sweep_delete(id).await
}
