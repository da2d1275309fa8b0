//! The live fleet: what sources bring is kept, shown as it is now, and set beside the plan.
//!
//! One queue takes everything that sources bring, so that history, live state and events agree. A tick each second
//! settles what is stale; every ten seconds the figures of the whole become series of their own.
//!
//! Read `live` first, then `figures`, `view` and `chart`.

pub mod alerts;
pub mod chart;
pub mod config;
pub mod facility;
pub mod figures;
pub mod live;
pub mod plan;
pub mod receive;
pub mod report;
pub mod sources;
pub mod view;

use crate::clock;
use crate::error::{Error, chain};
use crate::history::local::LocalHistory;
use crate::history::{Appended, SeriesStore};
use alerts::Watcher;
use figures::{DAY_MS, Mean, Now, Today};
use live::Live;
use model::event::{FleetEvent, Happening};
use model::fleet::{FleetKpis, Health};
use model::metric::Metric;
use model::reading::{Labels, Sample, SeriesKey, label};
use plan::Plan;
use sources::Sources;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::db::Db;
use telemetry::exchange::ExchangeView;
use telemetry::forward::Forwarder;
use telemetry::source::{Batch, Brought, Sink, Source};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What sources may bring before the house has taken it: a few seconds of many targets.
const QUEUE_SIZE: usize = 256;
/// How often the fleet is settled.
const TICK: Duration = Duration::from_secs(1);
/// How many ticks lie between two readings of the derived series.
const DERIVE_TICKS: u64 = 10;
/// How many ticks lie between two looks of the rules.
const LOOK_TICKS: u64 = 5;
/// Events that wait for the disk at most.
const EVENTS_WAITING_MAX: usize = 100_000;
/// The source that derived series name.
const OURS: &str = "millwright";

/// The series that the house derives: name, words, unit.
pub const DERIVED: [(&str, &str, model::metric::Unit); 11] = [
    ("fleet_output_tokens_total", "Output tokens", model::metric::Unit::Token),
    ("fleet_board_energy_joules_total", "Energy of the GPU boards", model::metric::Unit::Joule),
    ("fleet_output_tokens_per_second", "Output tokens each second", model::metric::Unit::Token),
    ("fleet_board_power_watts", "Power of the GPU boards", model::metric::Unit::Watt),
    ("fleet_it_power_watts", "Power into the racks", model::metric::Unit::Watt),
    ("fleet_facility_power_watts", "Power at the utility meter", model::metric::Unit::Watt),
    ("fleet_tokens_per_second_per_mw", "Output tokens each second for each megawatt", model::metric::Unit::Token),
    ("fleet_gpus_usable", "GPUs that can be used", model::metric::Unit::Count),
    ("board_power_watts", "Power of the GPU boards", model::metric::Unit::Watt),
    ("gpu_temperature_max_celsius", "Hottest GPU", model::metric::Unit::Celsius),
    ("gpu_utilization_mean_ratio", "Time in which a kernel ran, mean", model::metric::Unit::Ratio),
];

/// The live fleet.
pub struct Fleet {
    /// Where readings are kept.
    pub history: Arc<dyn SeriesStore>,
    /// The history on this machine: readings unless they are kept elsewhere, and what happened.
    pub local: Arc<LocalHistory>,
    /// What sends readings on, where that is wanted.
    pub forwarder: Option<Arc<Forwarder>>,
    /// The fleet now.
    live: Mutex<Live>,
    /// How each source is.
    pub sources: Mutex<Sources>,
    /// What watches over it.
    pub watcher: Watcher,
    /// Buildings as their buses tell them: the source's name, and what is known.
    pub buildings: Vec<(String, watch::Receiver<Arc<ExchangeView>>)>,
    /// What the fleet is compared with.
    pub plan: Mutex<Option<Plan>>,
    /// The last tick; pages are sent what changed when it moves.
    pub ticks: watch::Sender<u64>,
    /// Names this run of the program in the ids of live events.
    pub epoch: String,
    /// Set where readings are made up.
    pub made_up: Option<String>,
    today: Mutex<Today>,
    kpis: Mutex<FleetKpis>,
    events: Mutex<Vec<FleetEvent>>,
    derived: Mutex<HashMap<(&'static str, String), Arc<SeriesKey>>>,
    received: Mutex<receive::Received>,
}

impl std::fmt::Debug for Fleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fleet").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// Where readings are kept, and what watches over them.
pub struct Kept {
    /// What is written and read.
    pub history: Arc<dyn SeriesStore>,
    /// The history on this machine.
    pub local: Arc<LocalHistory>,
    /// What sends readings on.
    pub forwarder: Option<Arc<Forwarder>>,
    /// What watches over the fleet.
    pub watcher: Watcher,
    /// Buildings as their buses tell them.
    pub buildings: Vec<(String, watch::Receiver<Arc<ExchangeView>>)>,
}

/// A lock that a panic elsewhere does not keep.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fleet {
    /// A fleet with the history that is kept.
    pub async fn open(kept: Kept, made_up: Option<String>) -> Result<Self, Error> {
        let now_ms = clock::now_ms();
        let Kept { history, local, forwarder, watcher, buildings } = kept;
        let fleet = Self {
            history,
            local,
            forwarder,
            watcher,
            buildings,
            live: Mutex::new(Live::opened(now_ms)),
            sources: Mutex::new(Sources::default()),
            plan: Mutex::new(None),
            ticks: watch::Sender::new(0),
            epoch: format!("{now_ms:x}"),
            made_up,
            today: Mutex::new(Today::new(now_ms, 0.0)),
            kpis: Mutex::new(FleetKpis::default()),
            events: Mutex::new(Vec::new()),
            derived: Mutex::new(HashMap::new()),
            received: Mutex::new(receive::Received::default()),
        };
        fleet.restore_today(now_ms).await?;
        // A made-up fleet tells of its past anew.
        if fleet.made_up.is_none() {
            fleet.watcher.recall(fleet.db(), now_ms).await?;
        }
        Ok(fleet)
    }

    /// Starts sources, and the tasks that take what they bring; all end when `stop` is told.
    pub fn spawn(self: &Arc<Self>, sources: Vec<Box<dyn Source>>, stop: &CancellationToken, tasks: &mut JoinSet<()>) {
        let (queue, brought) = mpsc::channel(QUEUE_SIZE);
        for source in sources {
            let number = lock(&self.sources).add(source.name(), source.kind(), source.target());
            tasks.spawn(source.run(Sink::new(number, queue.clone()), stop.clone()));
        }
        tasks.spawn(Arc::clone(self).take_all(brought, stop.clone()));
        tasks.spawn(Arc::clone(self).tick_for_ever(stop.clone()));
        tasks.spawn(Arc::clone(&self.local).run(stop.clone()));
        if let Some(forwarder) = self.forwarder.clone() {
            let stop = stop.clone();
            tasks.spawn(async move { forwarder.run(stop).await });
        }
    }

    async fn take_all(self: Arc<Self>, mut brought: mpsc::Receiver<(u32, Brought)>, stop: CancellationToken) {
        loop {
            tokio::select! {
                next = brought.recv() => match next {
                    Some((source, brought)) => self.take(source, brought),
                    None => return stop.cancelled().await,
                },
                () = stop.cancelled() => return,
            }
        }
    }

    /// Takes what a source brought.
    pub fn take(&self, source: u32, brought: Brought) {
        let now_ms = clock::now_ms();
        match brought {
            Brought::Readings(batch) => {
                let done = self.take_readings(source, &batch);
                lock(&self.sources).brought(source, now_ms, batch.readings.len() as u32, batch.unknown, &done);
            }
            Brought::Event(event) => self.happened(event),
            Brought::State(state) => {
                let (up, turned, name) = lock(&self.sources).turned(source, state);
                if turned {
                    let message = if up { format!("{name} answers.") } else { format!("{name} does not answer.") };
                    let what = Happening::Source { up };
                    self.happened(FleetEvent { at_ms: now_ms, source: name, host: None, gpu: None, what, message });
                }
            }
            Brought::Fault(words) => lock(&self.sources).fault(source, words),
            Brought::Peer(words) => lock(&self.sources).peer(source, words),
        }
    }

    /// Keeps readings and shows them. They are kept for good when the history has settled.
    pub fn take_readings(&self, source: u32, batch: &Batch) -> Appended {
        let at = |own: &Option<i64>| own.unwrap_or(batch.at_ms);
        let readings: Vec<(Arc<SeriesKey>, Sample)> = batch
            .readings
            .iter()
            .map(|(key, own, value)| (Arc::clone(key), Sample { at_ms: at(own), value: *value }))
            .collect();
        let done = self.history.append(&readings);
        let mut live = lock(&self.live);
        for (key, sample) in &readings {
            if sample.value.is_finite() {
                live.apply(key, sample.at_ms, sample.value, source);
            }
        }
        done
    }

    /// Keeps an event and marks what it happened to.
    pub fn happened(&self, event: FleetEvent) {
        lock(&self.live).happened(&event);
        self.watcher.happened(&event, self.place_of_event(&event));
        let mut waiting = lock(&self.events);
        if waiting.len() < EVENTS_WAITING_MAX {
            waiting.push(event);
        }
    }

    async fn tick_for_ever(self: Arc<Self>, stop: CancellationToken) {
        let mut every = tokio::time::interval(TICK);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = every.tick() => self.tick(clock::now_ms()).await,
                () = stop.cancelled() => return,
            }
        }
    }

    /// Settles a second: staleness, figures, and every tenth time the series that are derived.
    pub async fn tick(&self, now_ms: i64) {
        let errors = lock(&self.live).xids_of_gauges(now_ms);
        for (source, event) in errors {
            let source = lock(&self.sources).name(source).to_owned();
            self.happened(FleetEvent { source, ..event });
        }
        self.write_events().await;
        lock(&self.sources).settle(now_ms);
        let tick = {
            let mut live = lock(&self.live);
            live.tick(now_ms);
            let now = Now::of(&live);
            let mut today = lock(&self.today);
            if today.day != now_ms.div_euclid(DAY_MS) {
                *today = Today::new(now_ms, live.gpus.iter().map(|gpu| gpu.energy_j).sum());
            }
            today.add(&now);
            let plan = lock(&self.plan);
            *lock(&self.kpis) = figures::kpis(&live, &now, &today, plan.as_ref().map(|plan| &plan.figures));
            if live.tick.is_multiple_of(DERIVE_TICKS) {
                self.history.append(&self.derive(&live, &now));
            }
            live.tick
        };
        if tick.is_multiple_of(LOOK_TICKS) {
            let signals = self.signals(&self.watcher);
            let index_of = |host: &str, gpu: &str| self.index_of_gpu(host, gpu);
            self.watcher.look(now_ms, signals, |host| self.place_of_host(host), index_of).await;
        }
        self.ticks.send_replace(tick);
    }

    async fn write_events(&self) {
        let events = std::mem::take(&mut *lock(&self.events));
        if events.is_empty() {
            return;
        }
        if let Err(error) = store::event::insert(self.local.db(), &events).await {
            tracing::warn!(error = %chain(&error), "Events wait for the disk.");
            lock(&self.events).splice(0..0, events);
        }
    }

    /// The figures of the whole, and of each hall, rack and node, as readings of their own.
    fn derive(&self, live: &Live, now: &Now) -> Vec<(Arc<SeriesKey>, Sample)> {
        let mut readings = Vec::new();
        let mut put = |name: &'static str, place: &str, value: Option<f64>| {
            if let Some(value) = value {
                let key = self.derived_key(name, place);
                readings.push((key, Sample { at_ms: live.now_ms, value: (value * 1e3).round() / 1e3 }));
            }
        };
        let usable = live.gpus.iter().filter(|gpu| !matches!(gpu.health, Health::Failed | Health::Stale)).count();
        let per_mw = now.tokens_per_s.zip(now.widest().1.filter(|watts| *watts > 0.0));
        put("fleet_output_tokens_per_second", "fleet", now.tokens_per_s);
        put("fleet_output_tokens_total", "fleet", (!live.engines.is_empty()).then_some(live.tokens));
        let energy_j = live.gpus.iter().map(|gpu| gpu.energy_j).sum();
        put("fleet_board_energy_joules_total", "fleet", (!live.gpus.is_empty()).then_some(energy_j));
        put("fleet_board_power_watts", "fleet", now.board_w);
        put("fleet_it_power_watts", "fleet", now.it_w);
        put("fleet_facility_power_watts", "fleet", now.facility_w);
        put("fleet_tokens_per_second_per_mw", "fleet", per_mw.map(|(tokens, watts)| tokens * 1e6 / watts));
        put("fleet_gpus_usable", "fleet", (!live.gpus.is_empty()).then_some(usable as f64));
        for (place, sums) in view::sums(live) {
            put("board_power_watts", &place, sums.board_w());
            put("gpu_temperature_max_celsius", &place, sums.hottest_c());
            put("gpu_utilization_mean_ratio", &place, sums.utilization());
        }
        readings
    }

    /// A derived series of a place, made once.
    fn derived_key(&self, name: &'static str, place: &str) -> Arc<SeriesKey> {
        let mut derived = lock(&self.derived);
        if let Some(key) = derived.get(&(name, place.to_owned())) {
            return Arc::clone(key);
        }
        let key = Arc::new(derived_series(name, place));
        derived.insert((name, place.to_owned()), Arc::clone(&key));
        key
    }

    /// What of today was kept before the house opened.
    async fn restore_today(&self, now_ms: i64) -> Result<(), Error> {
        let midnight_ms = now_ms.div_euclid(DAY_MS) * DAY_MS;
        let names = [
            "fleet_output_tokens_per_second",
            "fleet_board_power_watts",
            "fleet_it_power_watts",
            "fleet_facility_power_watts",
        ];
        let mut means = [Mean::default(); 4];
        for (mean, name) in means.iter_mut().zip(names) {
            let key = derived_series(name, "fleet");
            for bucket in self.history.buckets(&key, (midnight_ms, now_ms), 3_600_000).await? {
                // Ten ticks for each reading that was derived of them.
                mean.sum += bucket.sum * DERIVE_TICKS as f64;
                mean.count += f64::from(bucket.count) * DERIVE_TICKS as f64;
            }
        }
        lock(&self.today).restore(means);
        Ok(())
    }

    /// The fleet as it is now, for as long as nothing waits.
    pub fn now(&self) -> MutexGuard<'_, Live> {
        lock(&self.live)
    }
    /// The series that the house derives, as they are now.
    pub fn derived_now(&self) -> Vec<(Arc<SeriesKey>, Sample)> {
        let live = self.now();
        self.derive(&live, &Now::of(&live))
    }
    /// How each source is.
    pub fn sources_now(&self) -> MutexGuard<'_, Sources> {
        lock(&self.sources)
    }
    /// The figures of the last tick.
    pub fn kpis(&self) -> FleetKpis {
        lock(&self.kpis).clone()
    }
    /// Where the history's file is open.
    pub fn db(&self) -> &Db {
        self.local.db()
    }
}

/// The series that the house derives of a place.
pub fn derived_series(name: &str, place: &str) -> SeriesKey {
    SeriesKey { name: name.to_owned(), labels: Labels::of([(label::SOURCE, OURS), ("place", place)]) }
}

/// What a metric or a derived series is called before a person, and its unit.
pub fn words_of(name: &str) -> Option<(&'static str, model::metric::Unit)> {
    let derived = DERIVED.iter().find(|(derived, ..)| *derived == name).map(|(_, words, unit)| (*words, *unit));
    derived.or_else(|| Metric::named(name).map(|metric| (metric.words(), metric.unit())))
}
