//! The port's real side: what the pages ask, answered from the store, the catalog, the simulator and the jobs.

use crate::brought::{self, Brought};
use crate::clock;
use crate::design_text::{self, to_keep};
use crate::designs::{Designs, Opened};
use crate::error::{of_alerts, of_house, of_input, of_parts, of_store, of_task};
use crate::fleet::Fleet;
use crate::fleet::plan::{self, Binding, POSITIONS_MAX, Plan};
use crate::jobs::Jobs;
use crate::merge::merge;
use crate::optima::Optima;
use crate::parts;
use crate::replays::Replays;
use crate::sweeps::Sweeps;
use app::api::{ApiError, Backend};
use app::governance::{WorkloadAsk, WorkloadShown};
use app::serving::{ServingAsk, ServingShown};
use async_trait::async_trait;
use model::alert::{AlertKey, AlertsView, SilenceCreate};
use model::catalog::{Catalog, CatalogEntry, PartsCheck, PartsFile, PartsRead};
use model::event::{EventQuery, EventsView};
use model::facility::{FacilityQuery, FacilityView};
use model::fleet::{
    Attention, BindingReview, BindingSave, ChartData, ChartRequest, FleetPlace, FleetReport, FleetView, PlaceView,
    SavedView, WasteReport,
};
use model::id::{DesignId, InputId, LocationId, ReplayId, RunId, SnapshotId, SweepId};
use model::input::{FILE_NAME_CHARS_MAX, InputKind, InputSave, StoredInput};
use model::location::Location;
use model::metric::{Metric, Subject};
use model::optimum::{Applied, OptimumApply, OptimumAsk, OptimumView};
use model::replay::{ReplayCreate, ReplayDesk, ReplayDetail};
use model::run::{DesignDetail, DesignSummary, RunDetail, RunRequest, RunState, RunSummary};
use model::site::Site;
use model::source::SourceStatus;
use model::steered::{SteerAsk, SteeredView};
use model::sweep::{SweepCreate, SweepDetail, SweepSummary};
use model::validation::Validation;
use model::version::{
    DesignCheck, DesignCreate, DesignSave, DesignSaved, DesignVersion, LABEL_CHARS_MAX, MESSAGE_CHARS_MAX, SaveConflict,
};
use std::sync::Arc;
use store::db::Db;
use store::design::{NewText, Shelf};
use store::input::NewInput;
use tokio::sync::watch;

/// Runs in the list: a few screens; older ones are reached by their link.
const RUNS_LISTED: u32 = 200;

/// Events that a page or a program is told at once, and that bursts are made of.
const EVENTS_LISTED: u32 = 5_000;
/// Events on the page of a place, and how old they may be.
const EVENTS_AT_PLACE: u32 = 100;
/// Events of the whole fleet that those of a rack or a hall are picked from.
const EVENTS_OF_ALL: u32 = 2_000;
/// How far back.
const EVENTS_AT_PLACE_MS: i64 = 7 * 86_400_000;
/// As the store keeps them.
const VIEW_NAME_CHARS_MAX: usize = 80;
const VIEW_QUERY_CHARS_MAX: usize = 2_000;

/// Files in the list: as many as the largest of them leave room for, several times over.
const INPUTS_LISTED: u32 = 1_000;

/// The house, as pages and the HTTP API see it.
#[derive(Debug)]
pub struct House {
    /// What is remembered.
    pub db: Db,
    /// Designs, worked out.
    pub designs: Arc<Designs>,
    /// Runs queued and under way.
    pub jobs: Arc<Jobs>,
    /// The live fleet.
    pub fleet: Arc<Fleet>,
    /// Replays under way.
    pub replays: Replays,
    /// Studies under way, and those of late.
    pub optima: Optima,
    /// Sweeps queued and under way.
    pub sweeps: Arc<Sweeps>,
}

/// A run's state as it can be followed.
#[derive(Debug)]
pub enum Following {
    /// It changes still.
    Live(watch::Receiver<RunState>),
    /// It has ended.
    Settled(RunState),
}

impl House {
    /// A run's state, now and from now on.
    pub async fn follow(&self, id: &RunId) -> Result<Following, ApiError> {
        if let Some(live) = self.jobs.watch(id) {
            return Ok(Following::Live(live));
        }
        Ok(Following::Settled(store::run::get(&self.db, id).await.map_err(of_store)?.state))
    }

    /// What the jobs know of a run is newer than what the store does, except for its end.
    fn brought_up_to_date(&self, mut summary: RunSummary) -> RunSummary {
        if let Some(live) = self.jobs.watch(&summary.id)
            && !summary.state.is_final()
        {
            summary.state = live.borrow().clone();
        }
        summary
    }

    /// The newest runs, no more than `limit` of them, and those alone that came before the run `before`.
    pub async fn run_page(&self, before: Option<&RunId>, limit: u32) -> Result<Vec<RunSummary>, ApiError> {
        let stored = store::run::list(&self.db, before, limit).await.map_err(of_store)?;
        Ok(stored.into_iter().map(|summary| self.brought_up_to_date(summary)).collect())
    }

    /// A run as a list shows it.
    pub async fn run_summary(&self, id: &RunId) -> Result<RunSummary, ApiError> {
        Ok(self.brought_up_to_date(store::run::get(&self.db, id).await.map_err(of_store)?))
    }

    /// Keeps a file that can be read.
    pub async fn keep_input(
        &self,
        kind: InputKind,
        name: &str,
        bytes: Vec<u8>,
        location: Option<&LocationId>,
    ) -> Result<StoredInput, ApiError> {
        let (name, place) = (name.trim().to_owned(), self.place(location)?);
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(ApiError::Invalid { reason: "A file needs a name, in one line.".into() });
        }
        check_length("name of the file", &name, FILE_NAME_CHARS_MAX)?;
        if bytes.len() > kind.bytes_max() {
            let reason = format!("{name} has {} bytes; {} are taken of a {kind} file.", bytes.len(), kind.bytes_max());
            return Err(ApiError::Invalid { reason });
        }
        let work = move || {
            let brought = Brought { name, bytes };
            brought::summary(kind, &brought, &place).map(|summary| (brought, summary))
        };
        let read = tokio::task::spawn_blocking(work).await.map_err(|error| of_task("read the file", error))?;
        let (Brought { name, bytes }, summary) = read.map_err(|error| of_input(&error))?;
        let new = NewInput { kind, name: &name, content: &bytes, summary: &summary, at_ms: clock::now_ms() };
        let kept = store::input::save(&self.db, new).await.map_err(of_store)?;
        tracing::info!(input = %kept.id, %kind, "Kept an input file.");
        Ok(kept)
    }

    /// What a file of parts holds; nothing is kept.
    pub async fn read_parts(&self, name: String, bytes: Vec<u8>) -> Result<PartsRead, ApiError> {
        let name = name.trim().to_owned();
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(ApiError::Invalid { reason: "A file needs a name, in one line.".into() });
        }
        check_length("name of the file", &name, FILE_NAME_CHARS_MAX)?;
        let designs = Arc::clone(&self.designs);
        let work = move || parts::read(&name, &bytes, designs.catalog());
        let read = tokio::task::spawn_blocking(work).await.map_err(|error| of_task("read the file", error))?;
        read.map_err(|error| of_parts(&error))
    }

    /// Files that are kept, the newest first.
    pub async fn input_page(&self, before: Option<&InputId>, limit: u32) -> Result<Vec<StoredInput>, ApiError> {
        store::input::list(&self.db, before, limit).await.map_err(of_store)
    }

    /// A place of the catalog; its first where none is named.
    fn place(&self, id: Option<&LocationId>) -> Result<Location, ApiError> {
        let catalog = self.designs.catalog();
        let found = match id {
            Some(id) => catalog.location(id),
            None => catalog.locations.first(),
        };
        let wanted = id.map(LocationId::as_str).unwrap_or_default();
        found.cloned().ok_or_else(|| ApiError::Invalid { reason: format!("The catalog has no location \"{wanted}\".") })
    }

    /// What needs a person, in the order of alerts.
    pub fn attention(&self) -> Vec<Attention> {
        self.fleet.watcher.attention()
    }

    /// Events of a place of late, for its page.
    async fn events_at(&self, place: &FleetPlace) -> Result<Vec<model::event::FleetEvent>, ApiError> {
        let host = match place {
            FleetPlace::Node(host) | FleetPlace::Gpu(host, _) => Some(host.clone()),
            FleetPlace::Fleet | FleetPlace::Hall(_) | FleetPlace::Rack(_) => None,
            FleetPlace::Engine(_) | FleetPlace::Source(_) | FleetPlace::Point(_) => return Ok(Vec::new()),
        };
        let to_ms = clock::now_ms() + 1;
        let from_ms = to_ms - EVENTS_AT_PLACE_MS;
        // Of a rack's hosts those are picked below.
        let limit = if host.is_some() { EVENTS_AT_PLACE } else { EVENTS_OF_ALL };
        let query = EventQuery { from_ms, to_ms, host: host.clone(), limit, ..EventQuery::default() };
        let mut events = store::event::list(self.fleet.db(), &query).await.map_err(of_store)?;
        match place {
            FleetPlace::Fleet
            | FleetPlace::Node(_)
            | FleetPlace::Engine(_)
            | FleetPlace::Source(_)
            | FleetPlace::Point(_) => {}
            FleetPlace::Hall(hall) => {
                events.retain(|event| self.fleet.place_of_event(event).hall.as_deref() == Some(hall));
            }
            FleetPlace::Rack(rack) => {
                events.retain(|event| self.fleet.place_of_event(event).rack.as_deref() == Some(rack));
            }
            FleetPlace::Gpu(host, index) => {
                let live = self.fleet.now();
                events.retain(|event| {
                    let named = live.gpu_of(event).map(|gpu| &live.gpus[gpu as usize]);
                    named.is_some_and(|gpu| gpu.index == *index && event.host.as_ref() == Some(host))
                });
            }
        }
        events.truncate(EVENTS_AT_PLACE as usize);
        Ok(events)
    }

    /// Works the binding out that is kept, so that figures have a plan beside them.
    pub async fn restore_plan(&self) -> Result<(), ApiError> {
        let kept: Option<Binding> =
            store::fleet::get(&self.db, store::fleet::State::Binding).await.map_err(of_store)?;
        let worked_out = match kept {
            Some(binding) => {
                let opened = self.designs.version(&binding.design, binding.version).await?;
                let site = opened.known.site()?;
                let live_racks = plan::live_racks(&self.fleet.now()).len();
                Some(Plan::of(&binding, &opened, &site, live_racks))
            }
            None => None,
        };
        *self.fleet.plan.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = worked_out;
        Ok(())
    }

    /// Keeps readings that a program sent on; they are on disk when this returns.
    pub async fn take_remote_write(&self, body: &[u8]) -> Result<(), ApiError> {
        self.fleet.take_remote_write(body).await
    }

    /// Both sides of a save that came too late.
    pub async fn conflict(&self, save: DesignSave) -> Result<SaveConflict, ApiError> {
        let newest = store::design::newest(&self.db, &save.id).await.map_err(of_store)?;
        let base = store::design::version(&self.db, &save.id, save.based_on_version).await.map_err(of_store)?;
        let work = move || {
            let merge = merge(&base.toml, &newest.toml, &save.toml);
            SaveConflict {
                based_on_version: save.based_on_version,
                newest: newest.version,
                base: base.toml,
                theirs: newest.toml,
                yours: save.toml,
                merge,
            }
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| of_task("compare the versions", error))
    }
}

#[async_trait]
impl Backend for House {
    fn made_up(&self) -> Option<String> {
        self.fleet.made_up.clone()
    }

    async fn designs(&self) -> Result<Vec<DesignSummary>, ApiError> {
        Ok(self.designs.list(Shelf::InUse).await?.iter().map(Opened::summary).collect())
    }

    async fn designs_archived(&self) -> Result<Vec<DesignSummary>, ApiError> {
        Ok(self.designs.list(Shelf::Archived).await?.iter().map(Opened::summary).collect())
    }

    async fn design(&self, id: DesignId) -> Result<DesignDetail, ApiError> {
        Ok(self.designs.newest(&id).await?.detail())
    }

    async fn design_at(&self, id: DesignId, version: u32) -> Result<DesignDetail, ApiError> {
        Ok(self.designs.version(&id, version).await?.detail())
    }

    async fn design_versions(&self, id: DesignId) -> Result<Vec<DesignVersion>, ApiError> {
        store::design::versions(&self.db, &id).await.map_err(of_store)
    }

    async fn design_create(&self, new: DesignCreate) -> Result<DesignSummary, ApiError> {
        let name = new.name.trim();
        design_text::check_name(name)?;
        let toml = design_text::named(&new.toml, name);
        to_keep(&toml)?;
        let text = NewText { name, toml: &toml, at_ms: clock::now_ms(), ..NewText::default() };
        let from = new.branched_from.as_ref();
        let id = store::design::create(&self.db, &design_text::slug(name), text, from).await.map_err(of_store)?;
        tracing::info!(design = %id, "Kept a new design.");
        Ok(self.designs.newest(&id).await?.summary())
    }

    async fn design_save(&self, save: DesignSave) -> Result<DesignSaved, ApiError> {
        let (label, message) = (save.label.trim(), save.message.trim());
        check_length("name of a version", label, LABEL_CHARS_MAX)?;
        check_length("message", message, MESSAGE_CHARS_MAX)?;
        let design = to_keep(&save.toml)?;
        let text = NewText { name: &design.name, toml: &save.toml, label, message, at_ms: clock::now_ms() };
        match store::design::insert_version(&self.db, &save.id, text, save.based_on_version).await {
            Ok(version) => {
                tracing::info!(design = %save.id, version = version.version, "Kept a version of a design.");
                Ok(DesignSaved::Saved { version })
            }
            Err(store::Error::DesignChanged { .. }) => {
                Ok(DesignSaved::Conflict { conflict: Box::new(self.conflict(save).await?) })
            }
            Err(error) => Err(of_store(error)),
        }
    }

    async fn design_archive(&self, id: DesignId) -> Result<(), ApiError> {
        store::design::set_shelf(&self.db, &id, Shelf::Archived, clock::now_ms()).await.map_err(of_store)?;
        tracing::info!(design = %id, "Archived a design.");
        Ok(())
    }

    async fn design_restore(&self, id: DesignId) -> Result<(), ApiError> {
        store::design::set_shelf(&self.db, &id, Shelf::InUse, clock::now_ms()).await.map_err(of_store)?;
        tracing::info!(design = %id, "Restored a design.");
        Ok(())
    }

    async fn design_check(&self, toml: String) -> Result<DesignCheck, ApiError> {
        self.designs.check(&toml).await
    }

    async fn snapshot_save(&self, toml: String) -> Result<SnapshotId, ApiError> {
        to_keep(&toml)?;
        store::snapshot::save(&self.db, &toml, clock::now_ms()).await.map_err(of_store)
    }

    async fn snapshot(&self, id: SnapshotId) -> Result<String, ApiError> {
        store::snapshot::get(&self.db, &id).await.map_err(of_store)
    }

    async fn input_save(&self, save: InputSave) -> Result<StoredInput, ApiError> {
        self.keep_input(save.kind, &save.name, save.text.into_bytes(), save.location.as_ref()).await
    }

    async fn input_list(&self) -> Result<Vec<StoredInput>, ApiError> {
        self.input_page(None, INPUTS_LISTED).await
    }

    async fn input_delete(&self, id: InputId) -> Result<(), ApiError> {
        store::input::delete(&self.db, &id).await.map_err(of_store)?;
        tracing::info!(input = %id, "Deleted an input file.");
        Ok(())
    }

    async fn catalog(&self) -> Result<Catalog, ApiError> {
        Ok(self.designs.catalog().clone())
    }

    async fn catalog_list(&self, list: String) -> Result<Vec<CatalogEntry>, ApiError> {
        let none = || ApiError::NotFound { what: format!("list \"{list}\" in the catalog") };
        app::labels::entries(self.designs.catalog(), &list).ok_or_else(none)
    }

    async fn serving(&self, ask: ServingAsk) -> Result<ServingShown, ApiError> {
        let catalog = self.designs.catalog().clone();
        let answered = tokio::task::spawn_blocking(move || {
            crate::serving::shown(&catalog, &catalog::validation::validation(), ask)
        });
        let answered = answered.await.map_err(|_| ApiError::Internal { reason: "the search stopped".into() })?;
        answered.map_err(|reason| ApiError::Invalid { reason })
    }

    async fn workload(&self, ask: WorkloadAsk) -> Result<WorkloadShown, ApiError> {
        let catalog = self.designs.catalog().clone();
        let answered = tokio::task::spawn_blocking(move || crate::serving::workload(&catalog, ask));
        let answered = answered.await.map_err(|_| ApiError::Internal { reason: "the answer stopped".into() })?;
        answered.map_err(|reason| ApiError::Invalid { reason })
    }

    async fn validation(&self) -> Result<Validation, ApiError> {
        let catalog = self.designs.catalog();
        let gpus = catalog.gpus.iter().map(|gpu| (gpu.id.to_string(), gpu.name.clone()));
        let models = catalog.models.iter().map(|model| (model.id.to_string(), model.name.clone()));
        Ok(Validation { names: gpus.chain(models).collect(), ..catalog::validation::validation() })
    }

    async fn parts_read(&self, file: PartsFile) -> Result<PartsCheck, ApiError> {
        // A file that can't be read is an answer, not a failure of the question.
        match self.read_parts(file.name, file.text.into_bytes()).await {
            Ok(read) => Ok(PartsCheck::Read { read }),
            Err(ApiError::Invalid { reason }) => Ok(PartsCheck::Unreadable { reason }),
            Err(other) => Err(other),
        }
    }

    async fn site(&self, id: DesignId) -> Result<Site, ApiError> {
        Ok(Site::clone(&*self.designs.newest(&id).await?.known.site()?))
    }

    async fn run_start(&self, request: RunRequest) -> Result<RunId, ApiError> {
        self.jobs.submit(&request).await
    }

    async fn run_cancel(&self, id: RunId) -> Result<(), ApiError> {
        self.jobs.cancel(&id).await
    }

    async fn run(&self, id: RunId) -> Result<RunDetail, ApiError> {
        let stored = store::run::get(&self.db, &id).await.map_err(of_store)?;
        let report = store::run::report(&self.db, &id).await.map_err(of_store)?;
        Ok(RunDetail { summary: self.brought_up_to_date(stored), report })
    }

    async fn runs(&self) -> Result<Vec<RunSummary>, ApiError> {
        self.run_page(None, RUNS_LISTED).await
    }

    async fn fleet(&self, metric: Metric) -> Result<FleetView, ApiError> {
        if metric.subject() != Subject::Gpu {
            return Err(ApiError::Invalid { reason: format!("{metric} is no metric of a GPU.") });
        }
        Ok(self.fleet.view(metric, self.attention()))
    }

    async fn fleet_place(&self, place: FleetPlace) -> Result<PlaceView, ApiError> {
        let (events, attention) = (self.events_at(&place).await?, self.attention());
        let none = || ApiError::NotFound { what: format!("{place} in the fleet, nor was anything ever read of it") };
        self.fleet.place(&place, events, attention).ok_or_else(none)
    }

    async fn fleet_chart(&self, request: ChartRequest) -> Result<ChartData, ApiError> {
        self.fleet.chart(&request).await.map_err(of_house)?.map_err(|reason| ApiError::Invalid { reason })
    }

    async fn fleet_waste(&self) -> Result<WasteReport, ApiError> {
        Ok(self.fleet.waste())
    }

    async fn fleet_search(&self, text: String) -> Result<Vec<FleetPlace>, ApiError> {
        Ok(self.fleet.search(&text))
    }

    async fn fleet_views(&self) -> Result<Vec<SavedView>, ApiError> {
        store::fleet::views(&self.db).await.map_err(of_store)
    }

    async fn fleet_view_save(&self, name: String, query: String) -> Result<(), ApiError> {
        let name = name.trim().to_owned();
        if name.is_empty() {
            return Err(ApiError::Invalid { reason: "A view needs a name.".into() });
        }
        check_length("name of the view", &name, VIEW_NAME_CHARS_MAX)?;
        check_length("address of the view", &query, VIEW_QUERY_CHARS_MAX)?;
        let view = SavedView { name, query, saved_ms: clock::now_ms() };
        store::fleet::save_view(&self.db, &view).await.map_err(of_store)
    }

    async fn fleet_view_delete(&self, name: String) -> Result<(), ApiError> {
        let gone = store::fleet::delete_view(&self.db, &name).await.map_err(of_store)?;
        if gone { Ok(()) } else { Err(ApiError::NotFound { what: format!("view {name:?}") }) }
    }

    async fn fleet_report(&self, period: String) -> Result<FleetReport, ApiError> {
        self.fleet.report(&period).await.map_err(of_house)?.map_err(|reason| ApiError::Invalid { reason })
    }

    async fn fleet_binding_review(&self, design: DesignId) -> Result<BindingReview, ApiError> {
        let opened = self.designs.newest(&design).await?;
        let site = opened.known.site()?;
        let kept: Option<Binding> =
            store::fleet::get(&self.db, store::fleet::State::Binding).await.map_err(of_store)?;
        let racks = plan::live_racks(&self.fleet.now());
        Ok(plan::review(design, opened.stored.version.version, &site, &racks, kept.as_ref()))
    }

    async fn fleet_binding_save(&self, save: BindingSave) -> Result<(), ApiError> {
        let opened = self.designs.newest(&save.design).await?;
        let known: std::collections::BTreeSet<String> =
            plan::positions(&*opened.known.site()?).into_iter().map(|position| position.name).collect();
        let (mut positions, mut racks) = (known.clone(), std::collections::BTreeSet::new());
        for (position, rack) in save.racks.iter().take(POSITIONS_MAX + 1) {
            if !positions.remove(position) {
                let reason = if known.contains(position) { "is named twice" } else { "is not in the design" };
                return Err(ApiError::Invalid { reason: format!("Position {position:?} {reason}.") });
            }
            if !racks.insert(rack) {
                return Err(ApiError::Invalid { reason: format!("Rack {rack:?} can't stand at two positions.") });
            }
        }
        let version = opened.stored.version.version;
        let binding = Binding { design: save.design, version, bound_ms: clock::now_ms(), racks: save.racks };
        let state = store::fleet::State::Binding;
        store::fleet::save(&self.db, state, &binding, binding.bound_ms).await.map_err(of_store)?;
        tracing::info!(design = %binding.design, racks = binding.racks.len(), "Bound the fleet to a design.");
        self.restore_plan().await
    }

    async fn fleet_binding_clear(&self) -> Result<(), ApiError> {
        store::fleet::clear(&self.db, store::fleet::State::Binding).await.map_err(of_store)?;
        tracing::info!("The fleet is bound to no design any more.");
        self.restore_plan().await
    }

    async fn fleet_events(&self, query: EventQuery) -> Result<EventsView, ApiError> {
        let limit = query.limit.min(EVENTS_LISTED);
        let query = EventQuery { limit, ..query };
        let mut events = store::event::list(self.fleet.db(), &query).await.map_err(of_store)?;
        let more = events.len() > limit as usize;
        events.truncate(limit as usize);
        let errors = EventQuery { what: Some("xid".into()), limit: EVENTS_LISTED, ..query };
        let errors = store::event::list(self.fleet.db(), &errors).await.map_err(of_store)?;
        let mut bursts = telemetry::burst::bursts(&errors, clock::now_ms());
        bursts.sort_by_key(|burst| std::cmp::Reverse(burst.start_ms));
        Ok(EventsView { bursts, events, more })
    }

    async fn alerts(&self) -> Result<AlertsView, ApiError> {
        Ok(self.fleet.watcher.view(clock::now_ms()))
    }

    async fn alert_ack(&self, key: AlertKey, owner: String, note: String) -> Result<(), ApiError> {
        let (owner, now_ms) = (owner.trim().to_owned(), clock::now_ms());
        if owner.is_empty() {
            return Err(ApiError::Invalid { reason: "Say who takes it on.".into() });
        }
        self.fleet.watcher.asked(|alerts| alerts.ack(now_ms, &key, &owner, note.trim())).await.map_err(of_alerts)
    }

    async fn alert_unack(&self, key: AlertKey) -> Result<(), ApiError> {
        self.fleet.watcher.asked(|alerts| alerts.unack(clock::now_ms(), &key)).await.map_err(of_alerts)
    }

    async fn alert_silence(&self, silence: SilenceCreate) -> Result<(), ApiError> {
        let id = clock::new_run_id(clock::now_ms()).map_err(of_house)?;
        self.fleet.watcher.silence(id.to_string(), silence).await.map_err(of_alerts)
    }

    async fn alert_silence_end(&self, id: String) -> Result<(), ApiError> {
        self.fleet.watcher.asked(|alerts| alerts.end_silence(clock::now_ms(), &id)).await.map_err(of_alerts)
    }

    async fn facility(&self, query: FacilityQuery) -> Result<FacilityView, ApiError> {
        Ok(self.fleet.facility(&query))
    }

    async fn fleet_sources(&self) -> Result<Vec<SourceStatus>, ApiError> {
        Ok(self.fleet.sources.lock().unwrap_or_else(std::sync::PoisonError::into_inner).statuses())
    }

    async fn replay_desk(&self, again: Option<ReplayId>) -> Result<ReplayDesk, ApiError> {
        self.desk_of_replays(again).await
    }

    async fn replay_start(&self, create: ReplayCreate) -> Result<ReplayId, ApiError> {
        Ok(self.make_replay(create).await?.summary.id)
    }

    async fn replay(&self, id: ReplayId) -> Result<ReplayDetail, ApiError> {
        store::replay::get(&self.db, &id).await.map_err(of_store)
    }

    async fn replay_delete(&self, id: ReplayId) -> Result<(), ApiError> {
        store::replay::delete(&self.db, &id).await.map_err(of_store)?;
        tracing::info!(replay = %id, "Deleted a replay.");
        Ok(())
    }

    async fn optimum(&self, design: DesignId, ask: OptimumAsk) -> Result<OptimumView, ApiError> {
        self.study_of(&design, ask).await
    }

    async fn optimum_apply(&self, apply: OptimumApply) -> Result<Applied, ApiError> {
        self.apply_choice(apply).await
    }

    async fn steered(&self, design: DesignId, ask: SteerAsk) -> Result<SteeredView, ApiError> {
        self.steering_of(&design, ask).await
    }

    async fn sweep_start(&self, create: SweepCreate) -> Result<SweepId, ApiError> {
        self.sweeps.submit(&create).await
    }

    async fn sweep(&self, id: SweepId) -> Result<SweepDetail, ApiError> {
        self.sweeps.detail(&id).await
    }

    async fn sweeps(&self) -> Result<Vec<SweepSummary>, ApiError> {
        self.sweeps.list(None, RUNS_LISTED).await
    }

    async fn sweep_cancel(&self, id: SweepId) -> Result<(), ApiError> {
        self.sweeps.cancel(&id).await
    }

    async fn sweep_delete(&self, id: SweepId) -> Result<(), ApiError> {
        self.sweeps.delete(&id).await
    }
}

pub(crate) fn check_length(what: &str, text: &str, chars_max: usize) -> Result<(), ApiError> {
    if text.chars().count() <= chars_max {
        return Ok(());
    }
    Err(ApiError::Invalid { reason: format!("The {what} has more than {chars_max} characters.") })
}
