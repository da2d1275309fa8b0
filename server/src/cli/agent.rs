//! `millwright agent`: reads the GPUs and the kernel's log of the host that it runs on, and sends what it reads to a
//! Millwright elsewhere.
//!
//! What the house does not take for now waits on disk, readings and events alike, over restarts too.

use crate::cli::design::Failure;
use crate::cli::output;
use crate::cli::serve::{data_home, until_told_to_stop};
use crate::error::chain;
use crate::fleet::config::KernelLog;
use crate::fleet::live::same_address;
use crate::fleet::sources::Sources;
use clap::Args;
use model::event::{FleetEvent, Happening};
use model::metric::Metric;
use model::reading::label;
use model::source::SourceState;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use telemetry::forward::events::{EventForwarder, EventSettings};
use telemetry::forward::{Forwarder, Settings};
use telemetry::nvml::{GpuFacts, Inventory, Look, NvmlConfig, NvmlSource, look};
use telemetry::query::Auth;
use telemetry::source::{Brought, Sink, Source};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

/// What sources may bring before it is in the queue on disk.
const QUEUE_SIZE: usize = 64;
/// How often it is looked whether the house takes what is sent.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long the kernel's log waits for the driver to say which GPUs there are.
const DRIVER: Duration = Duration::from_secs(2);
/// How long sources have to end.
const GRACE: Duration = Duration::from_secs(3);

/// What a table shows of each GPU: heading, metric, and what its unit is divided by.
const COLUMNS: [(&str, Metric, f64); 7] = [
    ("power W", Metric::GpuPower, 1.0),
    ("limit W", Metric::GpuPowerLimit, 1.0),
    ("GPU °C", Metric::GpuTemperature, 1.0),
    ("kernels %", Metric::GpuUtilization, 0.01),
    ("clock MHz", Metric::GpuSmClock, 1e6),
    ("memory GiB", Metric::GpuMemoryUsed, 1_073_741_824.0),
    ("of GiB", Metric::GpuMemoryTotal, 1_073_741_824.0),
];

/// Read this host's GPUs and kernel log, and send them to a Millwright elsewhere
#[derive(Debug, Args)]
pub struct Agent {
    /// Address of the Millwright that takes the readings, such as `http://millwright.example:8080`
    #[arg(long, value_name = "URL", required_unless_present = "once")]
    to: Option<String>,
    /// A file with the token that stands between here and there asks for
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// How often the GPUs are read, milliseconds
    #[arg(long = "every", value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(10..=3_600_000))]
    every_ms: u64,
    /// The rack that this host stands in
    #[arg(long)]
    rack: Option<String>,
    /// The hall
    #[arg(long)]
    hall: Option<String>,
    /// This host's name; its own where it is left out
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Where the kernel's log is: a file, `journal` (or the kernel's ring buffer where there is none), `none`
    #[arg(long, value_name = "FILE|journal|none", default_value = "journal")]
    kernel_log: String,
    /// Where readings and events wait that were not taken yet
    #[arg(long, value_name = "DIR", default_value_os_t = data_home().join("agent"))]
    buffer: PathBuf,
    /// Most MiB of readings that wait; beyond them the oldest are dropped
    #[arg(long, value_name = "MIB", default_value_t = 1_024, value_parser = clap::value_parser!(u64).range(1..=1_048_576))]
    buffer_max: u64,
    /// The driver's library, where it is not in its usual place
    #[arg(long, value_name = "FILE")]
    library: Option<PathBuf>,
    /// Print what is seen here, and end; nothing is sent
    #[arg(long)]
    once: bool,
    /// Print it as JSON
    #[arg(long, requires = "once")]
    json: bool,
}

impl Agent {
    /// Blocks until the process is told to stop; with `--once`, until it has looked.
    pub fn run(self) -> Result<(), Failure> {
        if self.once {
            return self.look_once();
        }
        let failed = |error: std::io::Error| Failure::Failed(format!("could not start the runtime: {error}"));
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)?.block_on(self.until_stopped())
    }

    fn nvml(&self) -> NvmlConfig {
        NvmlConfig {
            every_ms: self.every_ms,
            library: self.library.clone(),
            host: self.host.clone(),
            rack: self.rack.clone(),
            hall: self.hall.clone(),
            ..NvmlConfig::default()
        }
    }

    fn look_once(&self) -> Result<(), Failure> {
        let seen = look(&self.nvml()).map_err(|state| match state {
            SourceState::Absent { why } => Failure::Absent(why),
            SourceState::Failing { why, mend, .. } => Failure::Failed(format!("{why}; {mend}")),
            SourceState::Connecting | SourceState::Connected | SourceState::Stale { .. } | SourceState::Ended => {
                Failure::Failed("the driver gave no answer".into())
            }
        })?;
        if self.json {
            let text = output::json(Path::new("-"), &as_json(&seen))?;
            return output::print(&String::from_utf8_lossy(&text));
        }
        output::print(&as_table(&seen))
    }

    fn kernel_log(&self) -> Option<KernelLog> {
        let file = match self.kernel_log.as_str() {
            "none" => return None,
            "journal" => None,
            file => Some(PathBuf::from(file)),
        };
        Some(KernelLog { name: "kernel-log".into(), file, host: Some(self.nvml().host_name()) })
    }

    /// Where a thing is told, under the address of the house.
    fn address(&self, path: &str) -> Result<Url, Failure> {
        let to = self.to.as_deref().unwrap_or_default();
        let wrong = |why: String| Failure::BadInput(format!("--to {to}: {why}"));
        let mut url = Url::parse(to).map_err(|error| wrong(error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Failure::BadInput("--to: leave user and password out; name a file in --token-file".into()));
        }
        if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
            return Err(wrong("give the address of a Millwright, such as http://millwright.example:8080".into()));
        }
        url.set_path(&format!("{}/api/v1/{path}", url.path().trim_end_matches('/')));
        Ok(url)
    }

    async fn until_stopped(self) -> Result<(), Failure> {
        let auth = self.token_file.clone().map_or(Auth::None, |token_file| Auth::Bearer { token_file });
        let mut settings = Settings::of(self.address("write")?, self.buffer.join("readings"));
        (settings.auth, settings.bytes_max) = (auth.clone(), self.buffer_max << 20);
        let waiting = EventSettings::of(self.address("fleet/happened")?, self.buffer.join("events.jsonl"));
        let unusable = |error| Failure::Failed(chain(&error));
        // The first of them sees to it that the folder is ours alone.
        let readings = Arc::new(Forwarder::open(settings).map_err(unusable)?);
        let events = Arc::new(EventForwarder::open(EventSettings { auth, ..waiting }).map_err(unusable)?);
        let nvml = NvmlSource::new("nvml", self.nvml());
        let gpus = nvml.inventory();
        let log = self.kernel_log().map(|log| Box::new(log.source(&self.buffer)) as Box<dyn Source>);
        let host = self.nvml().host_name();
        output::print(&format!("Millwright's agent reads {host} and sends to {}\n", self.to.unwrap_or_default()))?;
        let told = until_told_to_stop().map_err(Failure::House)?;
        Sending { readings, events, host, gpus, states: Sources::default() }.until(Box::new(nvml), log, told).await;
        Ok(())
    }
}

/// What reads and what sends.
struct Sending {
    readings: Arc<Forwarder>,
    events: Arc<EventForwarder>,
    host: String,
    /// The GPUs, once the driver has told them.
    gpus: watch::Receiver<Option<Inventory>>,
    states: Sources,
}

impl Sending {
    async fn until(mut self, nvml: Box<dyn Source>, log: Option<Box<dyn Source>>, told: impl Future<Output = ()>) {
        let (stop, over) = (CancellationToken::new(), CancellationToken::new());
        let (mut reading, mut sending) = (JoinSet::new(), JoinSet::new());
        let (readings, ended) = (Arc::clone(&self.readings), over.clone());
        sending.spawn(async move { readings.run(ended).await });
        let (events, ended) = (Arc::clone(&self.events), over.clone());
        sending.spawn(async move { events.run(ended).await });
        let (queue, mut brought) = mpsc::channel(QUEUE_SIZE);
        let number = self.states.add(nvml.name(), nvml.kind(), nvml.target());
        reading.spawn(nvml.run(Sink::new(number, queue.clone()), stop.clone()));
        if let Some(log) = log {
            let sink = Sink::new(self.states.add(log.name(), log.kind(), log.target()), queue.clone());
            let (mut gpus, stop) = (self.gpus.clone(), stop.clone());
            reading.spawn(async move {
                // Its lines name GPUs by their addresses, which the driver's answer makes names of.
                let _ = tokio::time::timeout(DRIVER, gpus.wait_for(Option::is_some)).await;
                log.run(sink, stop).await;
            });
        }
        drop(queue);
        let (mut looks, mut trouble) = (tokio::time::interval(LOOK_EVERY), None);
        tokio::pin!(told);
        loop {
            tokio::select! {
                next = brought.recv() => match next {
                    Some((source, brought)) => self.take(source, brought),
                    None => break,
                },
                _ = looks.tick() => self.look(&mut trouble),
                () = &mut told => break,
            }
        }
        stop.cancel();
        // What was read before the end is sent too, now or after the next start.
        let rest = async {
            while let Some((source, brought)) = brought.recv().await {
                self.take(source, brought);
            }
        };
        if tokio::time::timeout(GRACE, rest).await.is_err() {
            reading.shutdown().await;
        }
        over.cancel();
        while sending.join_next().await.is_some() {}
    }

    fn take(&mut self, source: u32, brought: Brought) {
        match brought {
            Brought::Readings(batch) => {
                let at = |own: Option<i64>| own.unwrap_or(batch.at_ms);
                let readings: Vec<_> =
                    batch.readings.iter().map(|(key, own, value)| (Arc::clone(key), at(*own), *value)).collect();
                self.readings.append(&readings);
            }
            Brought::Event(event) => self.events.append(self.named(event)),
            Brought::State(state) => self.turned(source, state),
            Brought::Fault(words) => tracing::warn!(source = self.states.name(source), "{words}"),
            Brought::Peer(words) => tracing::info!(source = self.states.name(source), "{words}"),
        }
    }

    /// The event with its GPU's own id in the place of its address on this host's bus, which says nothing elsewhere.
    fn named(&self, event: FleetEvent) -> FleetEvent {
        let gpus = self.gpus.borrow();
        let same = |gpu: &&GpuFacts| {
            gpu.pci_bus_id.as_ref().zip(event.gpu.as_ref()).is_some_and(|(ours, told)| same_address(ours, told))
        };
        let found = gpus.as_ref().and_then(|known| known.gpus.iter().find(same)?.uuid.clone());
        FleetEvent { gpu: found.or_else(|| event.gpu.clone()), ..event }
    }

    /// The house can't see from afar why a host sends nothing: it is told.
    fn turned(&mut self, source: u32, state: SourceState) {
        let why = match &state {
            SourceState::Absent { why } => {
                tracing::warn!(source = self.states.name(source), "{why}");
                String::new()
            }
            SourceState::Failing { why, mend, .. } => {
                tracing::warn!(source = self.states.name(source), mend, "{why}");
                format!(": {why}")
            }
            SourceState::Connecting | SourceState::Connected | SourceState::Stale { .. } | SourceState::Ended => {
                String::new()
            }
        };
        let (up, turned, name) = self.states.turned(source, state);
        if turned {
            let message = if up { format!("{name} answers.") } else { format!("{name} does not answer{why}.") };
            let (host, what) = (Some(self.host.clone()), Happening::Source { up });
            let at_ms = crate::clock::now_ms();
            self.events.append(FleetEvent { at_ms, source: "agent".into(), host, gpu: None, what, message });
        }
    }

    /// That the house does not take what is sent is told when it begins and when it ends.
    fn look(&self, trouble: &mut Option<String>) {
        let (readings, events) = (self.readings.status(), self.events.status());
        let now = [(readings.up, readings.last_error), (events.up, events.last_error)];
        let now = now.into_iter().find_map(|(up, error)| error.filter(|_| !up));
        match (&now, &trouble) {
            (Some(error), None) => {
                let (waiting_samples, waiting_events) = (readings.queued_samples, events.waiting);
                tracing::warn!(error, waiting_samples, waiting_events, "What is read waits on disk.");
            }
            (None, Some(_)) => tracing::info!("What is read is taken again."),
            (None, None) | (Some(_), Some(_)) => {}
        }
        *trouble = now;
    }
}

fn as_json(seen: &Look) -> Value {
    let readings: Vec<Value> = seen
        .batch
        .readings
        .iter()
        .map(|(key, at_ms, value)| {
            let labels: BTreeMap<&str, &str> = key.labels.iter().collect();
            json!({ "name": key.name, "labels": labels, "at_ms": at_ms.unwrap_or(seen.batch.at_ms), "value": value })
        })
        .collect();
    json!({ "inventory": seen.inventory, "readings": readings, "faults": seen.faults })
}

fn as_table(seen: &Look) -> String {
    let mut text = format!("{}: {}\n", seen.inventory.host, seen.inventory.words());
    let mut row = |cells: &[String]| {
        let line: Vec<String> = cells.iter().map(|cell| format!("{cell:>10}")).collect();
        let _ = writeln!(text, "{}", line.join("  ").trim_end()); // writing to a text can't fail
    };
    let headings = std::iter::once("GPU").chain(COLUMNS.iter().map(|(heading, ..)| *heading));
    row(&headings.map(str::to_owned).collect::<Vec<_>>());
    for gpu in &seen.inventory.gpus {
        let index = gpu.index.to_string();
        let of = |metric: Metric| {
            let whole = |labels: &model::reading::Labels| {
                labels.get(label::GPU) == Some(&index) && labels.get(label::MIG).is_none()
            };
            let found = seen.batch.readings.iter().find(|(key, ..)| key.name == metric.name() && whole(&key.labels));
            found.map(|(_, _, value)| *value)
        };
        // What was not read is missing, never zero.
        let cell = |(_, metric, per): &(&str, Metric, f64)| {
            of(*metric).map_or_else(|| "-".to_owned(), |value| format!("{:.0}", value / per))
        };
        row(&std::iter::once(index.clone()).chain(COLUMNS.iter().map(cell)).collect::<Vec<_>>());
    }
    let _ = writeln!(text, "{} readings in all; --json has every one.", seen.batch.readings.len());
    seen.faults.iter().for_each(|fault| {
        let _ = writeln!(text, "could not be read: {fault}");
    });
    text
}
