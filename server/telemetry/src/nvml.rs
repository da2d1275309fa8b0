//! This host's own GPUs, read through NVML: the driver's library, loaded while the house runs.
//!
//! Never: needs the library to be there (that it is not is a state, and nothing wrong), sets anything on a GPU, gives a
//! value that the driver did not, or lets a driver that hangs hold up the house: all calls are made on threads of their
//! own, and a watch is kept on them.
//!
//! Read `driver` for how it is opened, `probe` for what is read, `reader` for one GPU's life, `xid` for its events, and
//! `inventory` for what there is.

mod driver;
mod inventory;
mod probe;
mod reader;
#[cfg(target_os = "linux")]
mod xid;

pub use inventory::{Feature, GpuFacts, Inventory, MigFacts};

use crate::source::{Batch, Brought, Sink, Source};
use async_trait::async_trait;
use driver::Beat;
use model::event::{FleetEvent, Happening};
use model::source::{SourceKind, SourceState};
use nvml_wrapper::Nvml;
use reader::{Gpus, Known};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// What waits between the threads and the house: a minute of samples, at one a second.
const QUEUE: usize = 64;
/// How many samples pass until something slow is read again, and, as time, until a driver that failed is tried again.
const SLOW: u32 = 10;

/// What a person sets up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NvmlConfig {
    /// How often the GPUs are read, milliseconds; 10 at the least and an hour at the most.
    pub every_ms: u64,
    /// How long a call may take before the driver counts as hung, milliseconds.
    pub patience_ms: u64,
    /// The driver's library, where it is not in its usual place.
    pub library: Option<PathBuf>,
    /// The host's name; its own where it is left out.
    pub host: Option<String>,
    /// The rack that it stands in.
    pub rack: Option<String>,
    /// The hall.
    pub hall: Option<String>,
}

impl Default for NvmlConfig {
    fn default() -> Self {
        Self { every_ms: 1000, patience_ms: 10_000, library: None, host: None, rack: None, hall: None }
    }
}

impl NvmlConfig {
    /// The host's name: the one set up, or its own.
    pub fn host_name(&self) -> String {
        let read = |path| std::fs::read_to_string(path).ok();
        let own = || read("/proc/sys/kernel/hostname").or_else(|| read("/etc/hostname"));
        let env = || std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok();
        let given = |name: &String| !name.trim().is_empty();
        let name = self.host.clone().filter(given).or_else(|| own().filter(given)).or_else(|| env().filter(given));
        name.map_or_else(|| "localhost".into(), |name| name.trim().to_owned())
    }
    fn every(&self) -> Duration {
        Duration::from_millis(self.every_ms.clamp(10, 3_600_000))
    }
    fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms.clamp(100, 3_600_000))
    }
}

/// The GPUs of this host as a source.
#[derive(Debug)]
pub struct NvmlSource {
    name: String,
    config: NvmlConfig,
    found: watch::Sender<Option<Inventory>>,
}

impl NvmlSource {
    /// A source of that name.
    pub fn new(name: impl Into<String>, config: NvmlConfig) -> Self {
        Self { name: name.into(), config, found: watch::Sender::new(None) }
    }
    /// What GPUs there are, as soon as that is known, and each time the driver is opened anew.
    pub fn inventory(&self) -> watch::Receiver<Option<Inventory>> {
        self.found.subscribe()
    }
}

/// What one look at this host found.
#[derive(Debug, Clone)]
pub struct Look {
    /// The GPUs.
    pub inventory: Inventory,
    /// Their readings.
    pub batch: Batch,
    /// What could not be read, and why.
    pub faults: Vec<String>,
}

/// Looks at this host's GPUs once, which takes about a quarter of a second. It blocks: not for a thread that serves others.
pub fn look(config: &NvmlConfig) -> Result<Look, SourceState> {
    let nvml = driver::open(config)?;
    let (beat, mut known) = (Beat::default(), Known::default());
    let (mut gpus, opened) = Gpus::open(&nvml, config, &mut known)?;
    let inventory = Inventory::of(&nvml, &config.host_name());
    let first = gpus.sample(&beat, &mut known);
    // Shares of time and traffic are what two samples differ by.
    thread::sleep(Duration::from_millis(200));
    let second = gpus.sample(&beat, &mut known);
    let mut batch = first.batch;
    batch.at_ms = second.batch.at_ms;
    batch.readings.retain(|(key, ..)| !second.batch.readings.iter().any(|(newer, ..)| newer == key));
    batch.readings.extend(second.batch.readings);
    Ok(Look { inventory, batch, faults: [opened.faults, first.faults, second.faults].concat() })
}

#[async_trait]
impl Source for NvmlSource {
    fn name(&self) -> &str {
        &self.name
    }
    fn kind(&self) -> SourceKind {
        SourceKind::Nvml
    }
    fn target(&self) -> String {
        driver::names(&self.config).first().map(|name| name.display().to_string()).unwrap_or_default()
    }
    async fn run(self: Box<Self>, out: Sink, stop: CancellationToken) {
        let (post, mut queue) = Post::new(*self);
        let (beat, patience) = (post.beat.clone(), post.config.patience());
        let Some(reader) = Reader::start(post) else {
            let state = driver::failing("no thread could be started", "raise the host's limit of threads");
            out.put(Brought::State(state)).await;
            return;
        };
        let mut tick = tokio::time::interval((patience / 4).min(Duration::from_secs(1)));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut state, mut hung) = (SourceState::Connecting, false);
        loop {
            let brought = tokio::select! {
                () = stop.cancelled() => break,
                brought = queue.recv() => brought,
                _ = tick.tick() => match beat.stuck(patience).filter(|_| !hung) {
                    None => continue,
                    Some(since_ms) => {
                        hung = true;
                        if !hand(&out, &stop, Brought::State(driver::hung(since_ms))).await {
                            break;
                        }
                        continue;
                    }
                },
            };
            let Some(brought) = brought else {
                let state =
                    driver::failing("the thread that reads broke off", "restart Millwright, and tell its authors");
                hand(&out, &stop, Brought::State(state)).await;
                break;
            };
            if let Brought::State(new) = &brought {
                state.clone_from(new);
            }
            let answers = hung && beat.stuck(patience).is_none();
            hung &= !answers;
            let again = answers && !matches!(brought, Brought::State(_));
            if again && !hand(&out, &stop, Brought::State(state.clone())).await || !hand(&out, &stop, brought).await {
                break;
            }
        }
        reader.end().await;
    }
}

/// Hands on; `false` where the house closes.
async fn hand(out: &Sink, stop: &CancellationToken, brought: Brought) -> bool {
    tokio::select! {
        put = out.put(brought) => put,
        () = stop.cancelled() => false,
    }
}

/// The thread that reads, told to end when this is dropped.
struct Reader {
    quit: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    fn start(post: Post) -> Option<Self> {
        let quit = post.quit.clone();
        let thread = thread::Builder::new().name("nvml".into()).spawn(move || watch(&post)).ok()?;
        Some(Self { quit, thread: Some(thread) })
    }
    /// Waits a second for it; a thread that a driver holds is left behind.
    async fn end(mut self) {
        self.tell();
        let Some(thread) = self.thread.take() else { return };
        for _ in 0..100 {
            if thread.is_finished() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tracing::warn!("A thread is left behind in the GPU driver.");
    }
    fn tell(&self) {
        self.quit.store(true, Ordering::Relaxed);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.tell();
    }
}

/// What the threads hand on, and what they share with the house.
#[derive(Debug)]
struct Post {
    source: String,
    host: String,
    config: NvmlConfig,
    found: watch::Sender<Option<Inventory>>,
    queue: mpsc::Sender<Brought>,
    quit: Arc<AtomicBool>,
    beat: Arc<Beat>,
}

impl Post {
    fn new(source: NvmlSource) -> (Self, mpsc::Receiver<Brought>) {
        let (queue, from) = mpsc::channel(QUEUE);
        let NvmlSource { name, config, found } = source;
        let host = config.host_name();
        (Self { source: name, host, config, found, queue, quit: Arc::default(), beat: Arc::default() }, from)
    }
    /// Hands on; `false` where nobody listens any more.
    fn put(&self, brought: Brought) -> bool {
        self.queue.blocking_send(brought).is_ok()
    }
    fn event(&self, gpu: String, what: Happening, message: String) -> bool {
        put_event(&self.queue, &self.source, &self.host, (gpu, what, message))
    }
    fn over(&self) -> bool {
        self.quit.load(Ordering::Relaxed) || self.queue.is_closed()
    }
    /// Waits until then, or until told to end.
    fn wait_until(&self, then: Instant) {
        while !self.over() {
            let left = then.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            thread::park_timeout(left);
        }
    }
}

fn put_event(queue: &mpsc::Sender<Brought>, source: &str, host: &str, event: (String, Happening, String)) -> bool {
    let (gpu, what, message) = event;
    let (source, host) = (source.to_owned(), Some(host.to_owned()));
    let event = FleetEvent { at_ms: now_ms(), source, host, gpu: Some(gpu), what, message };
    queue.blocking_send(Brought::Event(event)).is_ok()
}

/// Opens the driver and reads it, again and again, until told to end.
fn watch(post: &Post) {
    let mut known = Known::default();
    let mut told = None;
    while !post.over() {
        let began = Instant::now();
        let ended = match post.beat.during(|| driver::open(&post.config)) {
            Ok(nvml) => session(&Arc::new(nvml), post, &mut known, &mut told),
            Err(state) => Some(state),
        };
        if let Some(state) = ended {
            tell(post, state, &mut told);
            post.wait_until(Instant::now() + post.config.every() * SLOW);
        } else {
            post.wait_until(began + post.config.every());
        }
    }
}

/// Says how the source is, where that is news.
fn tell(post: &Post, state: SourceState, told: &mut Option<SourceState>) {
    let same = match (&state, &*told) {
        (SourceState::Failing { why, .. }, Some(SourceState::Failing { why: before, .. })) => why == before,
        (state, told) => Some(state) == told.as_ref(),
    };
    if !same {
        post.put(Brought::State(state.clone()));
        *told = Some(state);
    }
}

/// Reads the GPUs until told to end, or until the driver must be opened anew. How the source is then, where it is not well.
fn session(nvml: &Arc<Nvml>, post: &Post, known: &mut Known, told: &mut Option<SourceState>) -> Option<SourceState> {
    let (mut gpus, opened) = match post.beat.during(|| Gpus::open(nvml, &post.config, known)) {
        Ok(opened) => opened,
        Err(state) => return Some(state),
    };
    let inventory = post.beat.during(|| Inventory::of(nvml, &post.host));
    post.put(Brought::Peer(inventory.words()));
    post.found.send_replace(Some(inventory));
    tell(post, SourceState::Connected, told);
    hand_on(post, opened);
    #[cfg(target_os = "linux")]
    let _events = xid::Waiting::start(nvml, post, gpus.last_xids());
    let mut next = Instant::now();
    while !post.over() {
        let sample = gpus.sample(&post.beat, known);
        let over = sample.over.clone();
        if !hand_on(post, sample) {
            return None;
        }
        if let Some(over) = over {
            return over.state;
        }
        next = (next + post.config.every()).max(Instant::now());
        post.wait_until(next);
    }
    None
}

fn hand_on(post: &Post, sample: reader::Sample) -> bool {
    let mut heard = true;
    for (gpu, what, message) in sample.events {
        heard &= post.event(gpu, what, message);
    }
    for fault in sample.faults {
        heard &= post.put(Brought::Fault(fault));
    }
    if !sample.batch.readings.is_empty() {
        heard &= post.put(Brought::Readings(sample.batch));
    }
    heard
}

/// Milliseconds since 1970 UTC.
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_up_is_kept_within_bounds_and_misspelt_keys_are_refused() {
        let hasty: NvmlConfig = toml::from_str("every_ms = 0\npatience_ms = 0").unwrap();
        assert_eq!((hasty.every(), hasty.patience()), (Duration::from_millis(10), Duration::from_millis(100)));
        assert_eq!(toml::from_str::<NvmlConfig>("").unwrap(), NvmlConfig::default());
        assert!(toml::from_str::<NvmlConfig>("interval = 1").unwrap_err().to_string().contains("interval"));
    }

    #[test]
    fn a_host_is_called_what_it_is_set_up_as_or_has_a_name_of_its_own() {
        let named = NvmlConfig { host: Some("node-7".into()), ..NvmlConfig::default() };
        assert_eq!(named.host_name(), "node-7");
        let blank = NvmlConfig { host: Some("  ".into()), ..NvmlConfig::default() };
        assert!(!blank.host_name().trim().is_empty() && !blank.host_name().ends_with('\n'));
    }
}
