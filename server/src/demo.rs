//! A fleet that is made up: a reference design's GPUs, engines and building, as the simulator says they would be now.
//!
//! Its readings take the same way as real ones: GPUs and engines as a source of their own, the building over a real
//! broker as DSX messages. Nothing is drawn by chance that a seed does not decide: the same time gives the same fleet.
//!
//! Read `model` first (what is so at a time), then this file (who tells it).

pub mod building;
pub mod model;

use crate::clock;
use crate::designs::Designs;
use crate::error::Error;
use crate::fleet::config::Sources;
use crate::fleet::derived_series;
use crate::fleet::plan::{self, Binding};
use ::model::event::{FleetEvent, Happening};
use ::model::id::DesignId;
use ::model::metric::Metric;
use ::model::quantity::Span;
use ::model::reading::{Labels, SeriesKey, label};
use ::model::source::{SourceKind, SourceState};
use async_trait::async_trait;
use model::{Board, Made, Moment};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use store::db::Db;
use telemetry::bus::broker::broker;
use telemetry::bus::mqtt::Auth;
use telemetry::exchange::{ExchangeConfig, ExchangeSource};
use telemetry::source::{Batch, Brought, Sink, Source};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The design that the fleet is made of: 2,048 GPUs.
const DESIGN: &str = "b300-pod-4su";
/// The source that reads the made-up building.
const BMS: &str = "demo-bms";
/// What decides everything that is drawn by chance.
const SEED: u64 = 2_026;
/// How often each node is read.
const EVERY_S: i64 = 10;
/// How much of the past is told at the start, and how finely; less where the program was built to be looked into, as it
/// is many times slower then.
const PAST_MS: i64 = if cfg!(debug_assertions) { 900_000 } else { 7_200_000 };
/// Between readings of the past.
const PAST_STEP_MS: i64 = 60_000;
/// What the page says above such a fleet.
pub const MADE_UP: &str =
    "This fleet is made up by the simulator, faults and grid events included. Nothing here is measured.";

/// What is read of each GPU.
const GPU_METRICS: [Metric; 13] = [
    Metric::GpuPower,
    Metric::GpuPowerLimit,
    Metric::GpuEnergy,
    Metric::GpuTemperature,
    Metric::GpuMemoryTemperature,
    Metric::GpuUtilization,
    Metric::GpuTensorActive,
    Metric::GpuSmClock,
    Metric::GpuMemoryUsed,
    Metric::GpuMemoryTotal,
    Metric::GpuClockEvents,
    Metric::GpuEccCorrected,
    Metric::GpuRemapPending,
];

/// What is read of each engine.
const ENGINE_METRICS: [Metric; 10] = [
    Metric::EngineOutputTokens,
    Metric::EnginePromptTokens,
    Metric::EngineRequests,
    Metric::EngineRunning,
    Metric::EngineWaiting,
    Metric::EngineKvUsed,
    Metric::EngineTtftSum,
    Metric::EngineTtftCount,
    Metric::EngineTpotSum,
    Metric::EngineTpotCount,
];

/// Makes a fleet up: its building talks over a broker of its own, and it is bound to the design that it is made of.
pub async fn open(
    designs: &Designs,
    db: &Db,
    stop: &CancellationToken,
    tasks: &mut JoinSet<()>,
) -> Result<Sources, Error> {
    let failed = |reason: String| Error::Demo { reason };
    let id: DesignId = DESIGN.parse().map_err(|_| Error::ReferenceName { name: DESIGN.into() })?;
    let opened = designs.newest(&id).await.map_err(|error| failed(error.to_string()))?;
    let site = opened.known.site().map_err(|error| failed(error.to_string()))?;
    let scenario = sim::defaults::scenario(&site, Span::from_hours(1.0), SEED);
    let made = Made::of(&site, &scenario, SEED).ok_or_else(|| failed("the design has no GPUs".into()))?;
    let made = Arc::new(made);
    let racks = plan::positions(&site).into_iter().map(|position| position.name).zip(made.racks.iter());
    let racks = racks.map(|(position, (rack, ..))| (position, rack.clone())).collect();
    let binding = Binding { design: id, version: opened.stored.version.version, bound_ms: clock::now_ms(), racks };
    store::fleet::save(db, store::fleet::State::Binding, &binding, binding.bound_ms).await?;

    let broker = broker((Ipv4Addr::LOCALHOST, 0).into()).await.map_err(|error| failed(error.to_string()))?;
    let url = broker.url();
    let bms = ExchangeSource::new(ExchangeConfig {
        name: BMS.into(),
        broker: url.clone(),
        auth: Auth::None,
        authority: None,
        client_id: None,
        utility_meters: vec![building::UTILITY.into()],
        labels: BTreeMap::new(),
    });
    let bms = bms.map_err(|error| failed(error.to_string()))?;
    let url = url.parse().map_err(|_| failed(format!("{url} is no address")))?;
    tasks.spawn(building::run(Arc::clone(&made), url, stop.clone()));
    let stopped = stop.clone();
    tasks.spawn(async move {
        stopped.cancelled().await;
        broker.stop().await;
    });
    let buildings = vec![(BMS.to_owned(), bms.view())];
    Ok(Sources { sources: vec![Box::new(DemoSource::new(made)), Box::new(bms)], buildings })
}

/// The made-up GPUs and engines as a source.
pub struct DemoSource {
    made: Arc<Made>,
    nodes: Vec<DemoNode>,
    /// Tokens and joules of the past, as they add up.
    past: [f64; 2],
}

/// What is counted and told of one node.
struct DemoNode {
    gpus: Vec<DemoGpu>,
    engine: [Arc<SeriesKey>; ENGINE_METRICS.len()],
    output_tokens: f64,
    prompt_tokens: f64,
    requests: f64,
    ttft_s: f64,
    tpot_s: f64,
    told_ms: i64,
}

struct DemoGpu {
    keys: [Arc<SeriesKey>; GPU_METRICS.len()],
    energy_j: f64,
    was_there: bool,
}

impl DemoSource {
    /// A source that tells of a made-up fleet.
    pub fn new(made: Arc<Made>) -> Self {
        let nodes = (0..made.nodes()).map(|node| DemoNode::new(&made, node)).collect();
        Self { made, nodes, past: [0.0; 2] }
    }

    /// What all nodes of one slot of the round are at a time. A lost GPU tells nothing.
    fn read(&mut self, at_ms: i64, slot: Option<i64>) -> (Batch, Vec<FleetEvent>) {
        let moment = self.made.at(at_ms);
        let (mut batch, mut events) = (Batch { at_ms, ..Batch::default() }, Vec::new());
        for (number, node) in (0_u32..).zip(&mut self.nodes) {
            if slot.is_none_or(|slot| i64::from(number) % EVERY_S == slot) {
                node.read(&self.made, number, &moment, &mut batch);
                events.extend(node.events(&self.made, number, &moment));
            }
        }
        (batch, events)
    }

    /// The figures of the whole in the past, which the house was not there to derive.
    fn derived(&mut self, moment: &Moment) -> Vec<(Arc<SeriesKey>, Option<i64>, f64)> {
        let passed_s = PAST_STEP_MS as f64 / 1_000.0;
        self.past[0] += moment.tokens_per_s * passed_s;
        self.past[1] += moment.board_w * passed_s;
        let all = [
            ("fleet_output_tokens_total", self.past[0]),
            ("fleet_board_energy_joules_total", self.past[1]),
            ("fleet_output_tokens_per_second", moment.tokens_per_s),
            ("fleet_board_power_watts", moment.board_w),
            ("fleet_it_power_watts", moment.it_w),
            ("fleet_facility_power_watts", moment.facility_w),
            ("fleet_tokens_per_second_per_mw", moment.tokens_per_s * 1e6 / moment.facility_w),
            ("fleet_gpus_usable", f64::from(moment.usable)),
        ];
        let reading = |(name, value): (&str, f64)| (Arc::new(derived_series(name, "fleet")), None, value.round());
        all.into_iter().map(reading).collect()
    }
}

#[async_trait]
impl Source for DemoSource {
    #[expect(clippy::unnecessary_literal_bound, reason = "other sources are named by their users")]
    fn name(&self) -> &str {
        "demo"
    }
    fn kind(&self) -> SourceKind {
        SourceKind::Demo
    }
    fn target(&self) -> String {
        format!("the simulator: {}", self.made.name)
    }

    async fn run(mut self: Box<Self>, out: Sink, stop: CancellationToken) {
        let now_ms = clock::now_ms();
        out.put(Brought::State(SourceState::Connected)).await;
        out.put(Brought::Peer(format!("Millwright {}", env!("CARGO_PKG_VERSION")))).await;
        let mut at_ms = (now_ms - PAST_MS) / PAST_STEP_MS * PAST_STEP_MS;
        while at_ms < now_ms - PAST_STEP_MS && !stop.is_cancelled() {
            let (mut batch, mut events) = self.read(at_ms, None);
            events.extend(self.made.grid_event(at_ms));
            let moment = self.made.at(at_ms);
            batch.readings.extend(self.derived(&moment));
            out.put(Brought::Readings(batch)).await;
            for event in events {
                out.put(Brought::Event(event)).await;
            }
            at_ms += PAST_STEP_MS;
        }
        let mut second = now_ms / 1_000;
        while tokio::time::timeout(until_ms((second + 1) * 1_000), stop.cancelled()).await.is_err() {
            second += 1;
            let (batch, mut events) = self.read(second * 1_000, Some(second.rem_euclid(EVERY_S)));
            events.extend(self.made.grid_event(second * 1_000));
            if !out.put(Brought::Readings(batch)).await {
                return;
            }
            for event in events {
                out.put(Brought::Event(event)).await;
            }
        }
    }
}

/// How long it is until a time.
fn until_ms(at_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(at_ms - clock::now_ms()).unwrap_or_default())
}

impl DemoNode {
    fn new(made: &Made, node: u32) -> Self {
        let place = [(label::HOST, made.host(node)), (label::RACK, made.rack(node)), (label::HALL, made.hall(node))];
        let key = |metric: Metric, more: &[(&'static str, String)]| {
            let labels = Labels::of(place.iter().chain(more).map(|(name, value)| (*name, value.clone())));
            Arc::new(SeriesKey { name: metric.name().to_owned(), labels })
        };
        let gpu = |index: u32| {
            let own = [
                (label::GPU, index.to_string()),
                (label::UUID, made.uuid(node, index)),
                (label::MODEL, made.gpu_name.clone()),
                (label::TENANT, made.tenant(node)),
            ];
            // An age that differs from board to board, as in any fleet.
            let energy_j = 1e9 + f64::from(node * 8 + index) * 1e5;
            DemoGpu { keys: GPU_METRICS.map(|metric| key(metric, &own)), energy_j, was_there: true }
        };
        let own = [
            (label::INSTANCE, format!("{}:8000", made.host(node))),
            (label::ENGINE, "vllm".to_owned()),
            (label::MODEL_NAME, made.model_name.clone()),
        ];
        Self {
            gpus: (0..made.gpus_per_node).map(gpu).collect(),
            engine: ENGINE_METRICS.map(|metric| key(metric, &own)),
            output_tokens: 0.0,
            prompt_tokens: 0.0,
            requests: 0.0,
            ttft_s: 0.0,
            tpot_s: 0.0,
            told_ms: 0,
        }
    }

    fn read(&mut self, made: &Made, number: u32, moment: &Moment, batch: &mut Batch) {
        let passed_s = if self.told_ms == 0 { 0.0 } else { (moment.at_ms - self.told_ms) as f64 / 1_000.0 };
        self.told_ms = moment.at_ms;
        for (index, gpu) in (0_u32..).zip(&mut self.gpus) {
            let board = made.board(number, index, moment);
            gpu.energy_j += board.power_w * passed_s;
            if board.is_there {
                let values = gpu.values(&board, made);
                batch.readings.extend(gpu.keys.iter().zip(values).map(|(key, value)| (Arc::clone(key), None, value)));
            }
        }
        let serving = made.serving(number, moment);
        self.output_tokens += serving.output_tokens_per_s * passed_s;
        self.prompt_tokens += serving.prompt_tokens_per_s * passed_s;
        let requests = serving.requests_per_s * passed_s;
        self.requests += requests;
        self.ttft_s += requests * serving.ttft_s;
        self.tpot_s += serving.output_tokens_per_s * passed_s * serving.tpot_s;
        let values = [
            self.output_tokens.round(),
            self.prompt_tokens.round(),
            self.requests.round(),
            serving.running.round(),
            serving.waiting.round(),
            (serving.kv_used * 1e3).round() / 1e3,
            (self.ttft_s * 1e3).round() / 1e3,
            self.requests.round(),
            (self.tpot_s * 1e3).round() / 1e3,
            self.output_tokens.round(),
        ];
        batch.readings.extend(self.engine.iter().zip(values).map(|(key, value)| (Arc::clone(key), None, value)));
    }

    /// What happened to its GPUs since they were last asked.
    fn events(&mut self, made: &Made, number: u32, moment: &Moment) -> Vec<FleetEvent> {
        let mut events = Vec::new();
        for (index, gpu) in (0_u32..).zip(&mut self.gpus) {
            let mut tell = |what: Happening, message: String| {
                events.push(FleetEvent {
                    at_ms: moment.at_ms,
                    source: "demo".into(),
                    host: Some(made.host(number)),
                    gpu: Some(made.uuid(number, index)),
                    what,
                    message,
                });
            };
            let is_there = made.board(number, index, moment).is_there;
            if gpu.was_there && !is_there {
                let words = format!("NVRM: Xid ({}): 79, GPU has fallen off the bus.", pci(index));
                tell(Happening::Xid { code: 79, detail: None }, words);
            } else if !gpu.was_there && is_there {
                tell(Happening::GpuBack, "The GPU answers again after a restart of its host.".into());
            }
            gpu.was_there = is_there;
            for (code, words) in made.errors(number, index, moment.at_ms, EVERY_S * 1_000) {
                tell(Happening::Xid { code, detail: None }, format!("NVRM: Xid ({}): {code}, {words}", pci(index)));
            }
        }
        events
    }
}

/// Where a GPU is plugged in, as its driver writes it.
fn pci(index: u32) -> String {
    format!("PCI:0000:{:02x}:00", 0x06 + 0x11 * index)
}

impl DemoGpu {
    fn values(&self, board: &Board, made: &Made) -> [f64; GPU_METRICS.len()] {
        let milli = |value: f64| (value * 1e3).round() / 1e3;
        [
            milli(board.power_w),
            board.limit_w.round(),
            milli(self.energy_j),
            board.temperature_c.round(),
            (board.temperature_c + 6.0).round(),
            (board.work * 100.0).round() / 100.0,
            (board.work * 62.0).round() / 100.0,
            (board.clock_hz / 15e6).round() * 15e6,
            (board.memory_share * made.memory_bytes / 1_048_576.0).round() * 1_048_576.0,
            made.memory_bytes,
            board.reasons,
            board.corrected,
            board.pending,
        ]
    }
}
