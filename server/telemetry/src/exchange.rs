//! The facility's bus as a source: DSX Exchange over MQTT, its points into readings, its alarms into events.
//!
//! Never: writes to the building, or looks away from what is wrong: each message is held against the published schema,
//! and what does not fit is told. A building that is silent is a state, never a row of old values.
//!
//! Read `topic` and `point` first (one message), then `facility` (all of them), then `topology` and `reconcile` (what a
//! page shows of it); `replay` plays a recorded building.

pub mod facility;
pub mod kind;
pub mod point;
pub mod reconcile;
pub mod replay;
pub mod signal;
pub mod topic;
pub mod topology;
pub mod unit;

use crate::bus::mqtt::{self, AddressError, Auth, MqttBus, MqttConfig};
use crate::bus::{Arrived, Bus, Link, Need, Wanted};
use crate::source::{Batch, Brought, Sink, Source};
use async_trait::async_trait;
use facility::view::{Described, LastRead};
use facility::{Applied, Facility, Settings};
use model::event::FleetEvent;
use model::facility::{ExchangeCounts, FacilityRack, Heartbeat, Telling};
use model::reading::Labels;
use model::source::{SourceKind, SourceState};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use topology::Topology;

/// Readings are handed on at least this often.
const FLUSH: Duration = Duration::from_millis(500);
/// Readings are handed on when there are this many.
const MOST_READINGS: usize = 2_000;
/// Remarks that are handed on each half second; of more, only the number is told.
const MOST_REMARKS: usize = 20;
/// How often what a page shows is drawn anew.
const VIEW: Duration = Duration::from_secs(5);
/// The longest name of a client that every broker of MQTT 3.1.1 takes has 23 characters; those we know take 64.
const LONGEST_ID: usize = 64;

/// What a person sets up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeConfig {
    /// The source's name.
    pub name: String,
    /// `mqtt://host:port` or `mqtts://host:port`.
    pub broker: String,
    /// How we prove who we are.
    #[serde(default)]
    pub auth: Auth,
    /// The authority that signed the broker's certificate, PEM; absent for those that the web trusts.
    #[serde(default)]
    pub authority: Option<PathBuf>,
    /// Our name at the broker; absent for `millwright-` and the source's name. No other client may have it.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Object ids of the meters that together are what the site takes from its utility.
    #[serde(default)]
    pub utility_meters: Vec<String>,
    /// Labels of every series.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// Why a source can't be set up so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No name.
    #[error("the source needs a name")]
    Name,
    /// The broker's address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Our own name.
    #[error("client id has {0} characters, and not 1 to {LONGEST_ID}")]
    ClientId(usize),
}

/// What a page shows of a building. What the metadata say is shared with the view before, for as long as it is so.
#[derive(Debug, Clone, PartialEq)]
pub struct ExchangeView {
    /// When it was drawn, milliseconds since 1970 UTC; absent before the first time.
    pub drawn_ms: Option<i64>,
    /// Which state of the metadata it shows.
    pub revision: u64,
    /// How the building's telling is.
    pub telling: Telling,
    /// Its heartbeats.
    pub heartbeats: Vec<Heartbeat>,
    /// How much came of what.
    pub counts: ExchangeCounts,
    /// What serves what.
    pub topology: Arc<Topology>,
    /// Each rack, as the facility names it.
    pub racks: Arc<[FacilityRack]>,
    /// Each point, in the order of paths.
    pub points: Arc<[Described]>,
    /// What each of them read last, in the same order.
    pub reads: Vec<LastRead>,
}

impl Default for ExchangeView {
    fn default() -> Self {
        Self {
            drawn_ms: None,
            revision: 0,
            telling: Telling::Waiting,
            heartbeats: Vec::new(),
            counts: ExchangeCounts::default(),
            topology: Arc::default(),
            racks: Arc::default(),
            points: Arc::default(),
            reads: Vec::new(),
        }
    }
}

/// The facility's bus.
pub struct ExchangeSource {
    name: String,
    mqtt: MqttConfig,
    settings: Settings,
    view: watch::Sender<Arc<ExchangeView>>,
}

impl ExchangeSource {
    /// A source as it was set up.
    pub fn new(config: ExchangeConfig) -> Result<Self, ConfigError> {
        if config.name.trim().is_empty() {
            return Err(ConfigError::Name);
        }
        let broker = mqtt::address(&config.broker)?;
        let named = || {
            let short = config.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
            format!("millwright-{}", short.take(LONGEST_ID / 2).collect::<String>())
        };
        let client_id = config.client_id.clone().unwrap_or_else(named);
        if !(1..=LONGEST_ID).contains(&client_id.len()) {
            return Err(ConfigError::ClientId(client_id.len()));
        }
        if matches!(config.auth, Auth::Certificate { .. }) && broker.scheme() == "mqtt" {
            return Err(AddressError::CertificateWithoutTls.into());
        }
        let settings = Settings {
            source: config.name.clone(),
            utility_meters: config.utility_meters.into_iter().collect::<BTreeSet<_>>(),
            labels: Labels::of(config.labels),
        };
        let mqtt = MqttConfig { broker, client_id, auth: config.auth, authority: config.authority };
        Ok(Self { name: config.name, mqtt, settings, view: watch::Sender::default() })
    }

    /// What a page shows, drawn anew every five seconds.
    pub fn view(&self) -> watch::Receiver<Arc<ExchangeView>> {
        self.view.subscribe()
    }
}

/// What we ask of the broker: metadata first, for a value means nothing without them. The field's shape can only be asked
/// for as a whole; a broker that does not allow that is asked for the published shape.
pub fn wanted() -> Vec<Wanted> {
    let one = |filters: &[&str], need| Wanted { filters: filters.iter().map(|f| (*f).to_owned()).collect(), need };
    vec![
        one(&["BMS/v1/PUB/Metadata/#"], Need::Must),
        one(&["BMS/v1/#", "BMS/v1/+/Value/#", "BMS/v1/PUB/Value/#"], Need::Must),
        one(&["NICO/v1/machine/+/state"], Need::May),
        one(&["grid/v1/isv/+/loadtarget/set"], Need::May),
    ]
}

#[async_trait]
impl Source for ExchangeSource {
    fn name(&self) -> &str {
        &self.name
    }
    fn kind(&self) -> SourceKind {
        SourceKind::Exchange
    }
    fn target(&self) -> String {
        self.mqtt.broker.to_string()
    }
    async fn run(self: Box<Self>, out: Sink, stop: CancellationToken) {
        let bus = MqttBus::open(self.mqtt.clone());
        bus.subscribe(wanted()).await;
        let mut reader = Reader::new(Facility::new(self.settings), self.view);
        if let (Auth::Token { .. }, "mqtt") = (&self.mqtt.auth, self.mqtt.broker.scheme()) {
            reader.remarks.push("the token goes to the broker in the clear: use mqtts://".to_owned());
        }
        let mut link = bus.link();
        let mut flush = tokio::time::interval(FLUSH);
        flush.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let full = tokio::select! {
                () = stop.cancelled() => {
                    reader.flush(&out).await;
                    return;
                }
                arrived = bus.next() => reader.take(arrived, now_ms()),
                // The bus outlives this loop, so its link can't be closed.
                Ok(()) = link.changed() => {
                    reader.link(&link.borrow_and_update().clone(), now_ms());
                    true
                }
                _ = flush.tick() => {
                    reader.tick(now_ms());
                    true
                }
            };
            if full && !reader.flush(&out).await {
                return;
            }
        }
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// What has come and was not handed on yet.
struct Reader {
    facility: Facility,
    view: watch::Sender<Arc<ExchangeView>>,
    link: Link,
    down_since: i64,
    up_since: i64,
    /// What the broker does not let us read, and in which connection it said so.
    refused: BTreeMap<String, (u64, String)>,
    batch: Batch,
    events: Vec<FleetEvent>,
    remarks: Vec<String>,
    unsaid: u64,
    state: Option<SourceState>,
    said: Option<SourceState>,
}

impl Reader {
    fn new(facility: Facility, view: watch::Sender<Arc<ExchangeView>>) -> Self {
        Self {
            facility,
            view,
            link: Link::Connecting,
            down_since: 0,
            up_since: 0,
            refused: BTreeMap::new(),
            batch: Batch::default(),
            events: Vec::new(),
            remarks: Vec::new(),
            unsaid: 0,
            state: Some(SourceState::Connecting),
            said: None,
        }
    }

    /// Takes what came; whether it is time to hand it on.
    fn take(&mut self, arrived: Arrived, now_ms: i64) -> bool {
        match arrived {
            Arrived::Message(message) => {
                let applied = self.facility.apply(&message, now_ms);
                self.add(applied, now_ms);
            }
            Arrived::Lost { messages } => {
                self.remark(format!("{messages} messages were let go: more came than could be read"));
            }
            Arrived::Refused { filter, why, times } => {
                self.refused.insert(filter, (times, why));
                self.state = Some(self.state_now(now_ms));
            }
        }
        self.batch.readings.len() >= MOST_READINGS || !self.events.is_empty()
    }

    fn link(&mut self, link: &Link, now_ms: i64) {
        match (&self.link, link) {
            (_, Link::Up { .. }) => {
                self.facility.connected(now_ms);
                self.up_since = now_ms;
            }
            (Link::Down { .. }, Link::Down { .. } | Link::Connecting) => {}
            (Link::Up { .. } | Link::Connecting, Link::Down { .. } | Link::Connecting) => self.down_since = now_ms,
        }
        self.link = link.clone();
        self.state = Some(self.state_now(now_ms));
    }

    fn tick(&mut self, now_ms: i64) {
        let applied = self.facility.tick(now_ms);
        self.add(applied, now_ms);
        self.state = Some(self.state_now(now_ms));
        let before = Arc::clone(&self.view.borrow());
        if before.drawn_ms.is_none_or(|drawn| now_ms.abs_diff(drawn) >= VIEW.as_millis() as u64) {
            self.view.send_replace(Arc::new(self.facility.view(now_ms, &before)));
        }
    }

    fn add(&mut self, applied: Applied, now_ms: i64) {
        self.batch.at_ms = now_ms;
        self.batch.readings.extend(applied.readings);
        self.batch.unknown = self.batch.unknown.saturating_add(applied.unknown);
        self.events.extend(applied.events);
        for remark in applied.remarks {
            self.remark(remark);
        }
    }

    fn remark(&mut self, remark: String) {
        if self.remarks.len() < MOST_REMARKS {
            self.remarks.push(remark);
        } else {
            self.unsaid += 1;
        }
    }

    fn state_now(&self, now_ms: i64) -> SourceState {
        let times = match &self.link {
            Link::Connecting => return SourceState::Connecting,
            Link::Down { why, mend } => {
                return SourceState::Failing { since_ms: self.down_since, why: why.clone(), mend: mend.clone() };
            }
            Link::Up { times } => *times,
        };
        if let Some((filter, (_, why))) = self.refused.iter().find(|(_, (said, _))| *said == times) {
            return SourceState::Failing {
                since_ms: self.up_since,
                why: format!("the broker does not let us read {filter}: {why}"),
                mend: "let this account subscribe to the topics of the building".to_owned(),
            };
        }
        match self.facility.telling(now_ms) {
            Telling::Waiting | Telling::Fine => SourceState::Connected,
            Telling::Silent { since_ms } => SourceState::Stale { since_ms },
            Telling::Offline { since_ms, whose } => SourceState::Failing {
                since_ms,
                why: format!("the BMS is offline: its heartbeat stopped ({whose})"),
                mend: "ask whoever runs the building whether the BMS's connector to the exchange is up".to_owned(),
            },
        }
    }

    /// Hands on what there is; `false` where the house has closed.
    async fn flush(&mut self, out: &Sink) -> bool {
        if let Some(state) = self.state.take().filter(|state| self.said.as_ref() != Some(state)) {
            self.said = Some(state.clone());
            if !out.put(Brought::State(state)).await {
                return false;
            }
        }
        if self.unsaid > 0 {
            self.remarks.push(format!("and {} remarks more", std::mem::take(&mut self.unsaid)));
        }
        if (!self.batch.readings.is_empty() || self.batch.unknown > 0)
            && !out.put(Brought::Readings(std::mem::take(&mut self.batch))).await
        {
            return false;
        }
        for event in self.events.drain(..) {
            if !out.put(Brought::Event(event)).await {
                return false;
            }
        }
        for remark in self.remarks.drain(..) {
            if !out.put(Brought::Fault(remark)).await {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests;
