//! What the fleet does now: the last value of every metric of every GPU, node, engine and rack, found by name once.
//!
//! Never: waits, or keeps what is gone; that is the history's. A tick each second settles what is stale, how each GPU
//! is, and numbers the changes, so that a page is sent only those that it has not seen.

use model::event::{FleetEvent, Happening};
use model::fleet::{FleetNode, Health};
use model::metric::{Metric, Subject};
use model::reading::{SeriesKey, label};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// Metrics of a GPU: they come first in the registry.
const GPU_METRICS: usize = Metric::GpuProcesses as usize + 1;
/// A GPU is stale after this many of its own intervals, and no sooner than the least below.
const STALE_INTERVALS: i64 = 3;
/// The least, milliseconds.
const STALE_MS_MIN: i64 = 15_000;
/// The most: whoever reads more rarely is taken to read this often.
const STALE_MS_MAX: i64 = 300_000;
/// The building's values are sent again every 100 s; two that are missing are two too many.
const FACILITY_STALE_MS: i64 = 210_000;
/// Series whose places are kept at hand: twice as many as the history keeps.
const PLACES_MAX: usize = 4_000_000;
/// Over how long a counter's rate is taken.
const RATE_MS: i64 = 60_000;
/// Below this share of time with a kernel running, a GPU has nothing to do.
const IDLE_BELOW: f64 = 0.05;
/// How long an error of the driver marks its GPU.
const ERROR_MARKS_MS: i64 = 3_600_000;
/// How long an exporter's word of an XID waits for the driver's own, which says more and comes another way.
const XID_WAITS_MS: i64 = 30_000;
/// How long after the driver's own word an exporter's is of the same error.
const XID_SAME_MS: i64 = 120_000;
/// Clock event reasons of NVML: power cap in software, power brake in hardware.
const HELD_BY_POWER: u64 = 0x4 | 0x80;
/// Thermal slowdown, in software and in hardware.
const HELD_BY_HEAT: u64 = 0x20 | 0x40;

/// A value as it was last read.
#[derive(Debug, Clone, Copy)]
pub struct Last {
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// What.
    pub value: f64,
    /// Which source brought it.
    pub source: u32,
    /// The tick after which it changed.
    changed: u64,
}

/// One GPU.
#[derive(Debug)]
pub struct Gpu {
    /// Its node.
    pub node: u32,
    /// Its index there, as the driver counts.
    pub index: String,
    /// Its own id.
    pub uuid: String,
    /// Its PCI address.
    pub pci: String,
    /// How it is.
    pub health: Health,
    /// Energy of its board since the house knows it, J; counted, or worked out from power.
    pub energy_j: f64,
    /// Since when it has had nothing to do.
    pub idle_since_ms: Option<i64>,
    values: Box<[Option<Last>; GPU_METRICS]>,
    every_ms: i64,
    stale: bool,
    lost: bool,
    error_ms: Option<i64>,
    /// The last XID that came as an event, and when it happened.
    told_xid: Option<(u32, i64)>,
    /// The tick after which staleness or health changed.
    turned: u64,
    health_turned: u64,
}

/// One host.
#[derive(Debug)]
pub struct Node {
    /// Its name.
    pub host: String,
    /// Its rack, as its readings or the binding say.
    pub rack: String,
    /// Its hall.
    pub hall: String,
    /// Whose work it does.
    pub tenant: String,
    /// The GPUs' model.
    pub model: String,
    /// Its GPUs, in the order of their indices.
    pub gpus: Vec<u32>,
    /// What was read of the host itself.
    pub values: BTreeMap<Metric, Last>,
}

/// One serving engine.
#[derive(Debug)]
pub struct Engine {
    /// Where it answers.
    pub instance: String,
    /// Which engine it is.
    pub kind: String,
    /// The language model that it serves.
    pub model_name: String,
    /// The host that it runs on; empty where nobody said.
    pub host: String,
    /// What was read of it last.
    pub values: BTreeMap<Metric, Last>,
    rates: BTreeMap<Metric, VecDeque<(i64, f64)>>,
}

/// A rack or a point, as the building sees it.
#[derive(Debug, Default)]
pub struct Building {
    /// What was read last.
    pub values: BTreeMap<Metric, Last>,
}

#[derive(Debug, Clone, Copy)]
enum Slot {
    Gpu(u32, u32),
    Node(u32, Metric),
    Engine(u32, Metric),
    Rack(u32, Metric),
    Facility(Metric),
    Point,
    /// Kept in the history alone.
    Aside,
}

/// The fleet now.
#[derive(Debug, Default)]
pub struct Live {
    /// Every GPU, in the order in which they were met.
    pub gpus: Vec<Gpu>,
    /// Every node, likewise.
    pub nodes: Vec<Node>,
    /// Every engine, likewise.
    pub engines: Vec<Engine>,
    /// Racks as the building names them.
    pub racks: Vec<(String, Building)>,
    /// The building as a whole.
    pub facility: Building,
    /// Output tokens that engines made since the house knows them; whoever starts anew counts on.
    pub tokens: f64,
    /// Nodes in the order of hall, rack and name.
    pub order: Vec<u32>,
    /// Changes with [`Live::order`].
    pub layout: u64,
    /// The last tick.
    pub tick: u64,
    /// When that was.
    pub now_ms: i64,
    /// The load that the grid or the operator asks for, W.
    pub target_w: Option<f64>,
    /// Points of the building by their tag path: their series, and what was read last.
    pub points: BTreeMap<String, (Arc<SeriesKey>, Last)>,
    /// Before this nothing is added up: what a source tells of the past was not here to be counted.
    pub opened_ms: i64,
    /// Errors that exporters tell by their gauge of the last one: when, which GPU, which number, which source.
    gauged: Vec<(i64, u32, u32, u32)>,
    places: HashMap<usize, (Arc<SeriesKey>, Slot)>,
    by_host: HashMap<String, u32>,
    by_uuid: HashMap<String, u32>,
    by_index: HashMap<(u32, String), u32>,
    by_engine: HashMap<String, u32>,
    by_rack: HashMap<String, u32>,
    moved: bool,
}

impl Live {
    /// A fleet of which nothing is known yet.
    pub fn opened(opened_ms: i64) -> Self {
        Self { opened_ms, ..Self::default() }
    }

    /// Takes a reading in.
    pub fn apply(&mut self, key: &Arc<SeriesKey>, at_ms: i64, value: f64, source: u32) {
        let place = Arc::as_ptr(key) as usize;
        let slot = if let Some((_, slot)) = self.places.get(&place) {
            *slot
        } else {
            let slot = self.find(key);
            if self.places.len() > PLACES_MAX {
                self.places.clear();
            }
            self.places.insert(place, (Arc::clone(key), slot));
            slot
        };
        let last = Last { at_ms, value, source, changed: self.tick + 1 };
        match slot {
            Slot::Point => {
                let tag = key.labels.get(label::TAG).unwrap_or_default();
                match self.points.get_mut(tag) {
                    Some((_, known)) => *known = last,
                    None => drop(self.points.insert(tag.to_owned(), (Arc::clone(key), last))),
                }
            }
            Slot::Gpu(gpu, metric) => {
                if metric == Metric::GpuLastXid as u32 {
                    self.gauge_xid(gpu, &last);
                }
                self.gpus[gpu as usize].take(metric as usize, last, self.opened_ms);
            }
            Slot::Node(node, metric) => put(&mut self.nodes[node as usize].values, metric, last),
            Slot::Engine(engine, metric) => {
                let behind = self.engines.iter().any(|engine| !engine.routes());
                let engine = &mut self.engines[engine as usize];
                let counts = !(behind && engine.routes());
                if metric == Metric::EngineOutputTokens && at_ms > self.opened_ms && counts {
                    self.tokens += engine.values.get(&metric).map_or(0.0, |before| rise(before.value, value));
                }
                engine.take(metric, last);
            }
            Slot::Rack(rack, metric) => put(&mut self.racks[rack as usize].1.values, metric, last),
            Slot::Facility(metric) => put(&mut self.facility.values, metric, last),
            Slot::Aside => {}
        }
    }

    /// Where readings of a series belong.
    fn find(&mut self, key: &SeriesKey) -> Slot {
        let Some(metric) = Metric::named(&key.name) else { return Slot::Aside };
        let of = |name: &str| key.labels.get(name).unwrap_or_default();
        match metric.subject() {
            // A part of a GPU would count its board twice.
            Subject::Gpu if key.labels.get(label::MIG).is_some() => Slot::Aside,
            Subject::Gpu => Slot::Gpu(self.gpu(key), metric as u32),
            Subject::Node if of(label::HOST).is_empty() => Slot::Aside,
            Subject::Node => Slot::Node(self.node(key), metric),
            Subject::Engine if key.labels.get(label::LE).is_some() => Slot::Aside,
            Subject::Engine => Slot::Engine(self.engine(key), metric),
            Subject::Rack if of(label::RACK).is_empty() => Slot::Aside,
            Subject::Rack => {
                let next = self.racks.len() as u32;
                let rack = *self.by_rack.entry(of(label::RACK).to_owned()).or_insert(next);
                if rack == next {
                    self.racks.push((of(label::RACK).to_owned(), Building::default()));
                }
                Slot::Rack(rack, metric)
            }
            Subject::Facility if metric == Metric::FacilityValue => Slot::Point,
            Subject::Facility => Slot::Facility(metric),
            Subject::Source => Slot::Aside,
        }
    }

    fn node(&mut self, key: &SeriesKey) -> u32 {
        let of = |name: &str| key.labels.get(name).unwrap_or_default();
        let host = if of(label::HOST).is_empty() { of(label::INSTANCE) } else { of(label::HOST) };
        let next = self.nodes.len() as u32;
        let id = *self.by_host.entry(host.to_owned()).or_insert(next);
        if id == next {
            self.nodes.push(Node {
                host: host.to_owned(),
                rack: String::new(),
                hall: String::new(),
                tenant: String::new(),
                model: String::new(),
                gpus: Vec::new(),
                values: BTreeMap::new(),
            });
            self.moved = true;
        }
        let node = &mut self.nodes[id as usize];
        let fields = [
            (&mut node.rack, label::RACK),
            (&mut node.hall, label::HALL),
            (&mut node.tenant, label::TENANT),
            (&mut node.model, label::MODEL),
        ];
        for (field, name) in fields {
            let said = key.labels.get(name).unwrap_or_default();
            if !said.is_empty() && field != said {
                said.clone_into(field);
                self.moved = true;
            }
        }
        id
    }

    fn gpu(&mut self, key: &SeriesKey) -> u32 {
        let node = self.node(key);
        let of = |name: &str| key.labels.get(name).unwrap_or_default();
        let (uuid, index) = (of(label::UUID), of(label::GPU));
        // Anonymised captures have a UUID of zeros on every GPU: it tells nothing apart.
        let digits = uuid.trim_start_matches("GPU-");
        let telling = digits.chars().any(|digit| !matches!(digit, '0' | '-'));
        let known = telling.then(|| self.by_uuid.get(uuid)).flatten();
        let name = if index.is_empty() { uuid } else { index };
        if let Some(gpu) = known.or_else(|| self.by_index.get(&(node, name.to_owned()))) {
            return *gpu;
        }
        let id = self.gpus.len() as u32;
        self.gpus.push(Gpu::new(node, name, uuid, of(label::PCI), self.tick + 1));
        if telling {
            self.by_uuid.insert(uuid.to_owned(), id);
        }
        self.by_index.insert((node, name.to_owned()), id);
        self.nodes[node as usize].gpus.push(id);
        self.moved = true;
        id
    }

    fn engine(&mut self, key: &SeriesKey) -> u32 {
        let of = |name: &str| key.labels.get(name).unwrap_or_default().to_owned();
        let next = self.engines.len() as u32;
        let instance = if of(label::INSTANCE).is_empty() { of(label::HOST) } else { of(label::INSTANCE) };
        let id = *self.by_engine.entry(format!("{instance} {}", of(label::MODEL_NAME))).or_insert(next);
        if id == next {
            self.engines.push(Engine {
                instance,
                kind: of(label::ENGINE),
                model_name: of(label::MODEL_NAME),
                host: of(label::HOST),
                values: BTreeMap::new(),
                rates: BTreeMap::new(),
            });
        }
        id
    }

    /// Takes in what happened to a GPU.
    pub fn happened(&mut self, event: &FleetEvent) {
        if let Happening::LoadTarget { target_w } = event.what {
            self.target_w = target_w;
        }
        let Some(number) = self.gpu_of(event) else { return };
        let gpu = &mut self.gpus[number as usize];
        if let Happening::Xid { code, .. } = event.what {
            gpu.told_xid = Some((code, event.at_ms));
            self.gauged.retain(|(_, gauged, gauged_code, _)| (*gauged, *gauged_code) != (number, code));
        }
        match &event.what {
            Happening::GpuLost => gpu.lost = true,
            Happening::GpuBack => (gpu.lost, gpu.error_ms) = (false, None),
            Happening::Xid { code, .. } if *code == 79 => (gpu.lost, gpu.error_ms) = (true, Some(event.at_ms)),
            Happening::Xid { code, .. }
                if telemetry::xid::meaning(*code).immediate > model::event::XidAction::RestartApp =>
            {
                gpu.error_ms = Some(event.at_ms);
            }
            Happening::Xid { .. }
            | Happening::Sxid { .. }
            | Happening::HostRestarted
            | Happening::HostState { .. }
            | Happening::Leak { .. }
            | Happening::LoadTarget { .. }
            | Happening::Source { .. }
            | Happening::Remark { .. } => {}
        }
    }

    /// DCGM's exporter tells of an error by another value of its gauge alone, so that is an event, unless the driver itself
    /// tells it too. The first value of all may be of any age and is none.
    fn gauge_xid(&mut self, gpu: u32, last: &Last) {
        let known = &self.gpus[gpu as usize];
        let changed = known
            .last(Metric::GpuLastXid)
            .is_some_and(|before| before.at_ms < last.at_ms && before.value.to_bits() != last.value.to_bits());
        let code = last.value as u32;
        let told = known.told_xid.is_some_and(|(told, at_ms)| told == code && last.at_ms - at_ms < XID_SAME_MS);
        if changed && code > 0 && !told && self.gauged.len() < self.gpus.len() {
            self.gauged.push((last.at_ms, gpu, code, last.source));
        }
    }

    /// Errors that only exporters told of, as events: each with the source that told it.
    pub fn xids_of_gauges(&mut self, now_ms: i64) -> Vec<(u32, FleetEvent)> {
        let (due, waiting) = self.gauged.iter().partition(|(at_ms, ..)| now_ms - at_ms >= XID_WAITS_MS);
        self.gauged = waiting;
        let due: Vec<(i64, u32, u32, u32)> = due;
        let event = |(at_ms, gpu, code, source): (i64, u32, u32, u32)| {
            let gpu = &self.gpus[gpu as usize];
            let event = FleetEvent {
                at_ms,
                source: String::new(),
                host: Some(self.nodes[gpu.node as usize].host.clone()),
                gpu: Some(if gpu.uuid.is_empty() { gpu.index.clone() } else { gpu.uuid.clone() }),
                what: Happening::Xid { code, detail: None },
                message: format!("The exporter's last XID of GPU {} became {code}.", gpu.index),
            };
            (source, event)
        };
        due.into_iter().map(event).collect()
    }

    /// The GPU that an event names, by UUID, PCI address or index.
    pub fn gpu_of(&self, event: &FleetEvent) -> Option<u32> {
        self.gpu_named(event.host.as_ref()?, event.gpu.as_ref()?)
    }

    /// A GPU of a host by its id, index or address.
    pub fn gpu_named(&self, host: &str, name: &str) -> Option<u32> {
        if let Some(gpu) = self.by_uuid.get(name) {
            return Some(*gpu);
        }
        let node = *self.by_host.get(host)?;
        let named = |gpu: &&u32| {
            let gpu = &self.gpus[**gpu as usize];
            gpu.index == name || (!gpu.pci.is_empty() && same_address(&gpu.pci, name))
        };
        self.nodes[node as usize].gpus.iter().find(named).copied()
    }

    /// Settles the second that has passed. Returns whether the layout changed.
    pub fn tick(&mut self, now_ms: i64) -> bool {
        (self.tick, self.now_ms) = (self.tick + 1, now_ms);
        for gpu in &mut self.gpus {
            gpu.settle(now_ms, self.tick);
        }
        let moved = std::mem::take(&mut self.moved);
        if moved {
            self.arrange();
        }
        moved
    }

    fn arrange(&mut self) {
        self.layout += 1;
        let Self { nodes, gpus, order, .. } = self;
        for node in nodes.iter_mut() {
            node.gpus.sort_by_cached_key(|gpu| natural(&gpus[*gpu as usize].index));
        }
        *order = (0..nodes.len() as u32).collect();
        order.sort_by_cached_key(|node| {
            let node = &nodes[*node as usize];
            (natural(&node.hall), natural(&node.rack), natural(&node.host))
        });
    }

    /// Nodes with GPUs as pages show them, in order.
    pub fn nodes_in_order(&self) -> Vec<FleetNode> {
        let names = |node: &Node| -> Vec<String> {
            let name = |gpu: &u32| self.gpus[*gpu as usize].index.clone();
            let counted = (0_u32..).zip(&node.gpus).all(|(at, gpu)| name(gpu) == at.to_string());
            if counted { Vec::new() } else { node.gpus.iter().map(name).collect() }
        };
        let node = |node: &Node| FleetNode {
            names: names(node),
            host: node.host.clone(),
            rack: node.rack.clone(),
            hall: node.hall.clone(),
            tenant: node.tenant.clone(),
            model: node.model.clone(),
            gpus: node.gpus.len() as u32,
        };
        self.order.iter().map(|at| node(&self.nodes[*at as usize])).collect()
    }

    /// GPUs in the order of pages.
    pub fn in_order(&self) -> impl Iterator<Item = &Gpu> {
        self.order.iter().flat_map(|node| &self.nodes[*node as usize].gpus).map(|gpu| &self.gpus[*gpu as usize])
    }

    /// The node of a name.
    pub fn node_named(&self, host: &str) -> Option<&Node> {
        self.by_host.get(host).map(|node| &self.nodes[*node as usize])
    }
    /// The building's view of a rack.
    pub fn rack_named(&self, rack: &str) -> Option<&Building> {
        self.by_rack.get(rack).map(|rack| &self.racks[*rack as usize].1)
    }
    /// A value of the building that is not stale.
    pub fn fresh(&self, building: &Building, metric: Metric) -> Option<f64> {
        let last = building.values.get(&metric)?;
        (self.now_ms - last.at_ms <= FACILITY_STALE_MS).then_some(last.value)
    }
    /// A value of a node that is not stale.
    pub fn fresh_node(&self, node: &Node, metric: Metric) -> Option<f64> {
        let last = node.values.get(&metric)?;
        (self.now_ms - last.at_ms <= STALE_MS_MAX).then_some(last.value)
    }
    /// Whether a value of an engine is not stale.
    pub fn is_engine_fresh(&self, last: &Last) -> bool {
        self.now_ms - last.at_ms <= STALE_MS_MAX
    }
    /// Whether a value of the building is stale.
    pub fn is_stale(&self, last: &Last) -> bool {
        self.now_ms - last.at_ms > FACILITY_STALE_MS
    }
}

impl Gpu {
    fn new(node: u32, index: &str, uuid: &str, pci: &str, tick: u64) -> Self {
        Self {
            node,
            index: index.to_owned(),
            uuid: uuid.to_owned(),
            pci: pci.to_owned(),
            health: Health::Stale,
            energy_j: 0.0,
            idle_since_ms: None,
            values: Box::new([None; GPU_METRICS]),
            every_ms: STALE_MS_MIN / STALE_INTERVALS,
            stale: true,
            lost: false,
            error_ms: None,
            told_xid: None,
            turned: tick,
            health_turned: tick,
        }
    }

    fn take(&mut self, metric: usize, last: Last, opened_ms: i64) {
        let before = self.values[metric];
        if let Some(before) = before
            && before.at_ms >= last.at_ms
        {
            return; // an older value does not change what is now
        }
        if let Some(before) = before {
            let gap_ms = last.at_ms - before.at_ms;
            self.every_ms = gap_ms.min(STALE_MS_MAX / STALE_INTERVALS);
            if before.at_ms >= opened_ms {
                self.add_energy(metric, before, last, gap_ms);
            }
        }
        let same = before.is_some_and(|before| before.value.to_bits() == last.value.to_bits());
        let changed = before.filter(|_| same).map_or(last.changed, |before| before.changed);
        self.values[metric] = Some(Last { changed, ..last });
    }

    /// By the board's own counter where it has one, which survives its starting anew; else by the mean of two powers,
    /// unless the silence between them was too long to know.
    fn add_energy(&mut self, metric: usize, before: Last, last: Last, gap_ms: i64) {
        if metric == Metric::GpuEnergy as usize {
            self.energy_j += rise(before.value, last.value);
        } else if metric == Metric::GpuPower as usize
            && self.values[Metric::GpuEnergy as usize].is_none()
            && gap_ms <= STALE_MS_MAX / STALE_INTERVALS
        {
            self.energy_j += f64::midpoint(before.value, last.value) * gap_ms as f64 / 1_000.0;
        }
    }

    fn settle(&mut self, now_ms: i64, tick: u64) {
        let newest = self.values.iter().flatten().map(|last| last.at_ms).max();
        let stale = newest.is_none_or(|at_ms| now_ms - at_ms > self.stale_after_ms());
        if stale != self.stale {
            (self.stale, self.turned) = (stale, tick);
        }
        let health = self.judge(now_ms);
        if health != self.health {
            (self.health, self.health_turned) = (health, tick);
        }
        let idle = health == Health::Idle;
        self.idle_since_ms = idle.then(|| self.idle_since_ms.unwrap_or(now_ms));
    }

    fn stale_after_ms(&self) -> i64 {
        (self.every_ms * STALE_INTERVALS).clamp(STALE_MS_MIN, STALE_MS_MAX)
    }

    fn judge(&self, now_ms: i64) -> Health {
        let is_set = |metric| self.value(metric).is_some_and(|value| value >= 1.0);
        let reasons = self.value(Metric::GpuClockEvents).unwrap_or_default() as u64;
        let busy =
            [Metric::GpuGraphicsActive, Metric::GpuUtilization].into_iter().find_map(|metric| self.value(metric));
        if self.lost || is_set(Metric::GpuRemapFailure) {
            Health::Failed
        } else if self.stale {
            Health::Stale
        } else if is_set(Metric::GpuRemapPending) || self.error_ms.is_some_and(|at_ms| now_ms - at_ms < ERROR_MARKS_MS)
        {
            Health::Degraded
        } else if busy.is_some_and(|busy| busy < IDLE_BELOW) {
            Health::Idle
        } else if reasons & HELD_BY_HEAT != 0 {
            Health::HeatHeld
        } else if reasons & HELD_BY_POWER != 0 {
            Health::PowerHeld
        } else {
            Health::Busy
        }
    }

    /// A metric's value, where it is there and not stale.
    pub fn value(&self, metric: Metric) -> Option<f64> {
        if self.stale {
            return None;
        }
        self.last(metric).map(|last| last.value)
    }
    /// A metric as it was last read, however long ago.
    pub fn last(&self, metric: Metric) -> Option<Last> {
        self.values.get(metric as usize).copied().flatten()
    }
    /// Whether nothing was read of it for too long.
    pub fn is_stale(&self) -> bool {
        self.stale
    }
    /// Whether its board counts energy itself.
    pub fn counts_energy(&self) -> bool {
        self.last(Metric::GpuEnergy).is_some()
    }
    /// Whether a metric, or whether it is stale, changed after a tick.
    pub fn changed_since(&self, metric: Metric, tick: u64) -> bool {
        self.turned > tick || self.last(metric).is_some_and(|last| last.changed > tick)
    }
    /// Whether its health changed after a tick.
    pub fn health_changed_since(&self, tick: u64) -> bool {
        self.health_turned > tick
    }
}

impl Engine {
    /// Whether it hands requests on to engines behind it, whose tokens it counts again.
    pub fn routes(&self) -> bool {
        self.kind == "dynamo"
    }

    fn take(&mut self, metric: Metric, last: Last) {
        if metric.kind() == model::metric::Kind::Counter {
            let known = self.rates.entry(metric).or_default();
            if known.back().is_none_or(|(at_ms, _)| *at_ms < last.at_ms) {
                known.push_back((last.at_ms, last.value));
            }
            // One that is older than the time that rates are taken over stays, to reach back that far.
            while known.len() > 2 && known[1].0 <= last.at_ms - RATE_MS {
                known.pop_front();
            }
        }
        put(&mut self.values, metric, last);
    }

    /// How fast a counter rose over the last minute, each second; none where it was read once, or is stale.
    pub fn rate(&self, metric: Metric, now_ms: i64) -> Option<f64> {
        let known = self.rates.get(&metric)?;
        let ((first_ms, _), (last_ms, _)) = (*known.front()?, *known.back()?);
        if last_ms <= first_ms || now_ms - last_ms > RATE_MS {
            return None;
        }
        let total: f64 = known.iter().zip(known.iter().skip(1)).map(|(before, after)| rise(before.1, after.1)).sum();
        Some(total * 1_000.0 / (last_ms - first_ms) as f64)
    }
}

/// How far a counter rose; one that starts anew counts from 0.
fn rise(before: f64, after: f64) -> f64 {
    if after >= before { after - before } else { after }
}

fn put(values: &mut BTreeMap<Metric, Last>, metric: Metric, last: Last) {
    if values.get(&metric).is_none_or(|before| before.at_ms <= last.at_ms) {
        values.insert(metric, last);
    }
}

/// Whether two PCI addresses are one: domains are written with four or eight digits, the function may be left out.
pub fn same_address(left: &str, right: &str) -> bool {
    let tail = |address: &str| {
        let address = address.to_ascii_lowercase();
        let address = address.split_once('.').map_or(address.clone(), |(before, _)| before.to_owned());
        let mut parts: Vec<String> = address.split(':').map(str::to_owned).collect();
        if parts.len() == 3 {
            let domain = parts[0].trim_start_matches('0').len();
            let zeros = parts[0].len() - domain;
            parts[0].drain(..zeros);
        } else {
            parts.insert(0, String::new());
        }
        parts
    };
    tail(left) == tail(right)
}

/// Names in the order of the numbers in them: `rack 9` before `rack 10`.
pub fn natural(name: &str) -> Vec<(u64, String)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (word, after) = after.split_at(letters);
        parts.push((number.parse().unwrap_or(0), word.to_owned()));
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::reading::Labels;

    fn key(metric: Metric, labels: &[(&str, &str)]) -> Arc<SeriesKey> {
        Arc::new(SeriesKey { name: metric.name().into(), labels: Labels::of(labels.iter().copied()) })
    }

    const GPU: [(&str, &str); 5] =
        [("host", "node-1"), ("gpu", "3"), ("uuid", "GPU-1a"), ("rack", "R2"), ("pci_bus_id", "00000000:9B:00.0")];

    fn read(live: &mut Live, metric: Metric, at_s: i64, value: f64) {
        live.apply(&key(metric, &GPU), at_s * 1_000, value, 0);
    }

    fn xid(code: u32, gpu: &str, at_s: i64) -> FleetEvent {
        let what = Happening::Xid { code, detail: None };
        let (source, host, gpu) = ("kernel".into(), Some("node-1".into()), Some(gpu.into()));
        FleetEvent { at_ms: at_s * 1_000, source, host, gpu, what, message: String::new() }
    }

    #[test]
    fn a_gpu_is_one_whichever_source_tells_of_it() {
        let mut live = Live::opened(0);
        read(&mut live, Metric::GpuPower, 10, 500.0);
        let other = [("host", "other-name"), ("uuid", "GPU-1a"), ("source", "second")];
        live.apply(&key(Metric::GpuTemperature, &other), 10_000, 60.0, 1);
        assert_eq!(live.gpus.len(), 1);
        live.tick(11_000);
        assert_eq!(
            (live.gpus[0].value(Metric::GpuPower), live.gpus[0].value(Metric::GpuTemperature)),
            (Some(500.0), Some(60.0))
        );
    }

    #[test]
    fn boards_with_ids_of_zeros_are_told_apart_by_index_and_parts_of_a_board_are_no_boards() {
        let mut live = Live::opened(0);
        for gpu in ["0", "1"] {
            let labels = [("host", "a"), ("gpu", gpu), ("uuid", "GPU-00000000-0000-0000-0000-000000000000")];
            live.apply(&key(Metric::GpuPower, &labels), 1_000, 1.0, 0);
        }
        live.apply(&key(Metric::GpuMemoryUsed, &[("host", "a"), ("gpu", "0"), ("mig", "1")]), 1_000, 1.0, 0);
        assert_eq!(live.gpus.len(), 2);
    }

    #[test]
    fn what_is_not_read_any_more_is_stale_and_has_no_value() {
        let mut live = Live::opened(0);
        read(&mut live, Metric::GpuPower, 10, 500.0);
        read(&mut live, Metric::GpuPower, 20, 500.0);
        live.tick(49_000);
        assert_eq!((live.gpus[0].health, live.gpus[0].value(Metric::GpuPower)), (Health::Busy, Some(500.0)));
        live.tick(51_000);
        assert_eq!((live.gpus[0].health, live.gpus[0].value(Metric::GpuPower)), (Health::Stale, None));
        assert!(live.gpus[0].changed_since(Metric::GpuPower, 1) && live.gpus[0].health_changed_since(1));
        assert!(!live.gpus[0].changed_since(Metric::GpuPower, 2));
    }

    #[test]
    fn health_says_what_holds_a_gpu_down() {
        let health = |readings: &[(Metric, f64)]| {
            let mut live = Live::opened(0);
            for (metric, value) in readings {
                read(&mut live, *metric, 10, *value);
            }
            live.tick(11_000);
            live.gpus[0].health
        };
        let busy = (Metric::GpuUtilization, 0.97);
        assert_eq!(health(&[busy]), Health::Busy);
        assert_eq!(health(&[(Metric::GpuUtilization, 0.01), (Metric::GpuClockEvents, 4.0)]), Health::Idle);
        assert_eq!(health(&[busy, (Metric::GpuClockEvents, 4.0)]), Health::PowerHeld);
        assert_eq!(health(&[busy, (Metric::GpuClockEvents, 36.0)]), Health::HeatHeld);
        assert_eq!(health(&[busy, (Metric::GpuRemapPending, 1.0)]), Health::Degraded);
        assert_eq!(health(&[busy, (Metric::GpuRemapFailure, 1.0)]), Health::Failed);
    }

    #[test]
    fn errors_find_their_gpu_by_id_address_or_index() {
        for name in ["GPU-1a", "0000:9b:00.0", "9b:00", "3"] {
            let mut live = Live::opened(0);
            read(&mut live, Metric::GpuPower, 10, 500.0);
            live.happened(&xid(79, name, 10));
            live.tick(11_000);
            assert_eq!(live.gpus[0].health, Health::Failed, "{name}");
            live.happened(&FleetEvent { what: Happening::GpuBack, ..xid(0, name, 12) });
            live.tick(13_000);
            assert_eq!(live.gpus[0].health, Health::Busy, "{name}");
        }
        let mut live = Live::opened(0);
        read(&mut live, Metric::GpuPower, 10, 500.0);
        live.happened(&xid(43, "3", 10));
        live.tick(11_000);
        assert_eq!(live.gpus[0].health, Health::Busy, "an error of the program is none of the GPU's");
        live.happened(&xid(48, "3", 10));
        live.tick(12_000);
        assert_eq!(live.gpus[0].health, Health::Degraded);
    }

    #[test]
    fn an_exporters_gauge_of_the_last_error_is_an_event_unless_the_driver_tells_it_too() {
        let mut live = Live::opened(0);
        let codes = |live: &mut Live, at_s: i64| -> Vec<Happening> {
            live.xids_of_gauges(at_s * 1_000).into_iter().map(|(_, event)| event.what).collect()
        };
        for (at_s, code) in [(10, 31.0), (20, 31.0), (30, 79.0), (40, 79.0)] {
            read(&mut live, Metric::GpuLastXid, at_s, code);
        }
        assert_eq!(codes(&mut live, 50), [], "it waits for the driver's word");
        assert_eq!(codes(&mut live, 60), [Happening::Xid { code: 79, detail: None }], "and is told once");
        assert_eq!(codes(&mut live, 600), []);
        read(&mut live, Metric::GpuLastXid, 700, 48.0);
        live.happened(&xid(48, "3", 702));
        assert_eq!(codes(&mut live, 800), [], "the driver told it a little later");
        live.happened(&xid(63, "3", 900));
        read(&mut live, Metric::GpuLastXid, 910, 63.0);
        assert_eq!(codes(&mut live, 1_000), [], "the driver told it a little before");
    }

    #[test]
    fn energy_is_counted_where_there_is_a_counter_and_worked_out_where_there_is_none() {
        let mut live = Live::opened(0);
        for (at_s, watts) in [(10, 400.0), (20, 600.0), (400, 600.0), (410, 600.0)] {
            read(&mut live, Metric::GpuPower, at_s, watts);
        }
        assert!((live.gpus[0].energy_j - 11_000.0).abs() < 1e-6, "nothing over a silence of 380 s");
        for (at_s, joules) in [(420, 1_000.0), (430, 7_000.0), (440, 500.0)] {
            read(&mut live, Metric::GpuEnergy, at_s, joules);
            read(&mut live, Metric::GpuPower, at_s, 600.0);
        }
        assert!((live.gpus[0].energy_j - (11_000.0 + 6_000.0 + 500.0)).abs() < 1e-6, "{}", live.gpus[0].energy_j);
    }

    #[test]
    fn tokens_are_counted_over_restarts_and_rates_are_those_of_the_last_minute() {
        let mut live = Live::opened(0);
        let engine = [("instance", "a:8000"), ("model_name", "m")];
        for (at_s, tokens) in [(10, 1_000.0), (40, 4_000.0), (70, 7_000.0), (100, 300.0)] {
            live.apply(&key(Metric::EngineOutputTokens, &engine), at_s * 1_000, tokens, 0);
        }
        assert!((live.tokens - 6_300.0).abs() < 1e-9);
        assert_eq!(live.engines[0].rate(Metric::EngineOutputTokens, 100_000), Some(3_300.0 / 60.0));
        assert_eq!(live.engines[0].rate(Metric::EngineOutputTokens, 170_000), None, "silent for too long");
    }

    #[test]
    fn nodes_stand_in_the_order_of_the_numbers_in_their_names() {
        let mut live = Live::opened(0);
        for host in ["node-10", "node-9", "node-1"] {
            live.apply(&key(Metric::GpuPower, &[("host", host), ("gpu", "0")]), 1_000, 1.0, 0);
        }
        assert!(live.tick(2_000) && !live.tick(3_000), "the layout changes once");
        let hosts: Vec<String> = live.nodes_in_order().into_iter().map(|node| node.host).collect();
        assert_eq!(hosts, ["node-1", "node-9", "node-10"]);
    }

    #[test]
    fn a_board_that_is_missing_leaves_a_gap_in_the_names() {
        let mut live = Live::opened(0);
        for (host, gpu) in [("a", "0"), ("a", "1"), ("a", "3"), ("b", "1"), ("b", "0")] {
            live.apply(&key(Metric::GpuPower, &[("host", host), ("gpu", gpu)]), 1_000, 1.0, 0);
        }
        live.tick(2_000);
        let nodes = live.nodes_in_order();
        assert_eq!(nodes[0].gpu(2), model::fleet::FleetPlace::Gpu("a".into(), "3".into()));
        assert_eq!(nodes[1].names, Vec::<String>::new(), "counted from 0, so that nothing need be said");
    }
}
