//! Alerts of the live fleet: what the rules see of it, what is remembered of them, and who is told.

use super::live::{Live, Node};
use super::{Fleet, figures, lock};
use crate::clock;
use crate::error::chain;
use model::alert::{
    Alert, AlertMemory, AlertState, AlertsView, Delivery, Kpi, Notification, Place, Rule, Severity, Silence,
    SilenceCreate, Transition, Watch,
};
use model::event::{Burst, FleetEvent};
use model::fleet::{Attention, FleetPlace, Health};
use model::metric::{Metric, Subject};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use store::db::Db;
use telemetry::alert::{Alerts, Error, Seen, Signal, signal_of_burst, signal_of_event};
use telemetry::burst::Bursts;
use telemetry::webhook::{Webhook, payload};
use tokio_util::sync::CancellationToken;

/// Changes and deliveries that are shown.
const SHOWN: usize = 500;
/// Deliveries under way at a time: a receiver that is slow must not gather them without end.
const DELIVERIES_MAX: usize = 64;

/// What watches over the fleet.
pub struct Watcher {
    alerts: Mutex<Alerts>,
    bursts: Mutex<Bursts>,
    /// Signals of events since the last look.
    seen: Mutex<Vec<Signal>>,
    history: Mutex<VecDeque<Transition>>,
    deliveries: Arc<Mutex<VecDeque<Delivery>>>,
    under_way: Arc<tokio::sync::Semaphore>,
    webhooks: Vec<Webhook>,
    /// What needs a person, as of the last look or deed.
    attention: Mutex<Vec<Attention>>,
    /// Where a person reaches the house, for links in notifications.
    external_url: String,
    db: Db,
    stop: CancellationToken,
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watcher").field("webhooks", &self.webhooks.len()).finish_non_exhaustive()
    }
}

impl Watcher {
    /// A watcher by these rules, with what was remembered before.
    pub async fn open(
        db: Db,
        rules: Vec<Rule>,
        webhooks: Vec<Webhook>,
        external_url: String,
        stop: CancellationToken,
    ) -> Result<Self, store::Error> {
        let memory: AlertMemory = store::fleet::get(&db, store::fleet::State::Alerts).await?.unwrap_or_default();
        Ok(Self {
            alerts: Mutex::new(Alerts::restore(rules, memory)),
            bursts: Mutex::default(),
            seen: Mutex::default(),
            history: Mutex::default(),
            deliveries: Arc::default(),
            under_way: Arc::new(tokio::sync::Semaphore::new(DELIVERIES_MAX)),
            webhooks,
            attention: Mutex::default(),
            external_url,
            db,
            stop,
        })
    }

    /// Takes an event in.
    pub fn happened(&self, event: &FleetEvent, place: Place) {
        lock(&self.bursts).push(event);
        lock(&self.seen).extend(signal_of_event(event, place));
    }

    /// Looks at the fleet: what changed is remembered, and whoever is to be told is told.
    pub async fn look(&self, now_ms: i64, mut signals: Vec<Signal>, place_of: impl Fn(&str) -> Place) {
        signals.append(&mut lock(&self.seen));
        let bursts = lock(&self.bursts).tick(now_ms).bursts;
        signals.extend(bursts.iter().map(|burst| signal_of_burst(burst, place_of(&burst.host))));
        let (transitions, notifications) = {
            let mut alerts = lock(&self.alerts);
            let transitions = alerts.observe(now_ms, &signals);
            (transitions, alerts.notifications(now_ms))
        };
        self.gather_attention(now_ms);
        let changed = !transitions.is_empty() || !notifications.is_empty();
        self.remember(transitions);
        if changed {
            self.save(now_ms).await;
        }
        for notification in &notifications {
            self.tell(notification);
        }
    }

    fn remember(&self, transitions: Vec<Transition>) {
        let mut history = lock(&self.history);
        for transition in transitions {
            if history.len() == SHOWN {
                history.pop_back();
            }
            history.push_front(transition);
        }
    }

    async fn save(&self, now_ms: i64) {
        let memory = lock(&self.alerts).memory();
        if let Err(error) = store::fleet::save(&self.db, store::fleet::State::Alerts, &memory, now_ms).await {
            tracing::warn!(error = %chain(&error), "The state of alerts could not be kept; it is tried again.");
        }
    }

    fn tell(&self, notification: &Notification) {
        let rules = lock(&self.alerts).rules().to_vec();
        for webhook in &self.webhooks {
            let Ok(place) = Arc::clone(&self.under_way).try_acquire_owned() else {
                tracing::warn!("A notification was let go: receivers are too slow.");
                continue;
            };
            let payload = payload(notification, &rules, webhook.receiver(), &self.external_url);
            let (webhook, stop, log) = (webhook.clone(), self.stop.clone(), Arc::clone(&self.deliveries));
            tokio::spawn(async move {
                let keep = |delivery| {
                    let mut log = lock(&log);
                    log.truncate(SHOWN - 1);
                    log.push_front(delivery);
                };
                webhook.deliver(&payload, &stop, keep).await;
                drop(place);
            });
        }
    }

    /// Does what a person asked for, and remembers it.
    pub async fn asked(&self, what: impl FnOnce(&mut Alerts) -> Result<Vec<Transition>, Error>) -> Result<(), Error> {
        let transitions = what(&mut lock(&self.alerts))?;
        self.remember(transitions);
        self.gather_attention(clock::now_ms());
        self.save(clock::now_ms()).await;
        Ok(())
    }

    /// Begins a silence.
    pub async fn silence(&self, id: String, asked: SilenceCreate) -> Result<(), Error> {
        let now_ms = clock::now_ms();
        let SilenceCreate { matchers, lasts_ms, owner, note } = asked;
        let end_ms = now_ms.saturating_add(lasts_ms);
        let silence = Silence { id, matchers, start_ms: now_ms, end_ms, owner, note };
        self.asked(|alerts| alerts.silence(now_ms, silence)).await
    }

    /// All of it as the page shows it.
    pub fn view(&self, now_ms: i64) -> AlertsView {
        let alerts = lock(&self.alerts);
        AlertsView {
            as_of_ms: now_ms,
            alerts: alerts.all().cloned().collect(),
            silences: alerts.silences().to_vec(),
            rules: alerts.rules().to_vec(),
            history: lock(&self.history).iter().cloned().collect(),
            deliveries: lock(&self.deliveries).iter().cloned().collect(),
        }
    }

    /// What needs a person: what fires and nobody took on first, the oldest first.
    pub fn attention(&self) -> Vec<Attention> {
        lock(&self.attention).clone()
    }

    fn gather_attention(&self, now_ms: i64) {
        let bursts = lock(&self.bursts).all(now_ms);
        let alerts = lock(&self.alerts);
        let mut open: Vec<&Alert> =
            alerts.all().filter(|alert| matches!(alert.state, AlertState::Firing | AlertState::Acked)).collect();
        open.sort_by_key(|alert| {
            (alert.ack.is_some(), alert.severity != Severity::Critical, alert.began_ms, alert.key.clone())
        });
        let one = |alert: &Alert| {
            let rule = alerts.rules().iter().find(|rule| rule.name == alert.key.rule)?;
            let burst = cause(rule, alert, &bursts);
            Some(Attention {
                alert: serde_json::to_string(&alert.key).unwrap_or_default(),
                critical: alert.severity == Severity::Critical,
                what: burst.map_or_else(|| rule.means.clone(), in_words),
                place: place_of(alert),
                since_ms: burst.map_or(alert.began_ms, |burst| burst.start_ms),
                otherwise: rule.otherwise.clone(),
                action: rule.todo.clone(),
                owner: alert.ack.as_ref().map(|ack| ack.owner.clone()),
            })
        };
        let gathered = open.into_iter().filter_map(one).collect();
        *lock(&self.attention) = gathered;
    }

    /// Metrics that the rules watch.
    fn watched(&self) -> BTreeSet<Metric> {
        let of = |watch: &Watch| match watch {
            Watch::Metric { metric, of, .. } => [Some(*metric), *of],
            Watch::Kpi { .. } | Watch::SourceDown | Watch::NodeDown | Watch::Event { .. } | Watch::Burst { .. } => {
                [None, None]
            }
        };
        lock(&self.alerts).rules().iter().flat_map(|rule| of(&rule.watch)).flatten().collect()
    }
}

/// The burst that an alert is about: the last one of its node.
fn cause<'a>(rule: &Rule, alert: &Alert, bursts: &'a [Burst]) -> Option<&'a Burst> {
    let Watch::Burst { .. } = rule.watch else { return None };
    let of_node = bursts.iter().filter(|burst| alert.key.place.node.as_ref() == Some(&burst.host));
    of_node.max_by_key(|burst| burst.end_ms)
}

/// A burst by the error that decides what it calls for.
fn in_words(burst: &Burst) -> String {
    let decided = burst.codes.iter().find(|code| code.meaning.code == burst.decided_by).or(burst.codes.first());
    let others = burst.codes.len().saturating_sub(1);
    let more = if others > 0 { format!(", and {others} more") } else { String::new() };
    decided.map_or_else(String::new, |code| format!("XID {}: {}{more}", code.meaning.code, code.meaning.words))
}

/// Where an alert is, as addresses have it.
fn place_of(alert: &Alert) -> FleetPlace {
    let Place { hall, rack, node, gpu } = alert.key.place.clone();
    match (gpu, node, rack, hall, alert.key.object.clone()) {
        (Some(gpu), Some(node), ..) => FleetPlace::Gpu(node, gpu),
        (_, Some(node), ..) => FleetPlace::Node(node),
        (_, None, Some(rack), ..) => FleetPlace::Rack(rack),
        (_, None, None, Some(hall), _) => FleetPlace::Hall(hall),
        (_, None, None, None, Some(object)) => FleetPlace::Source(object),
        (_, None, None, None, None) => FleetPlace::Fleet,
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

impl Node {
    /// Where it is.
    pub fn place(&self) -> Place {
        Place { hall: some(&self.hall), rack: some(&self.rack), node: some(&self.host), gpu: None }
    }
}

impl Fleet {
    /// What the rules are to see of the fleet now.
    pub fn signals(&self, watcher: &Watcher) -> Vec<Signal> {
        let watched = watcher.watched();
        let mut signals = Vec::new();
        {
            let live = self.now();
            signals_of_units(&live, &watched, &mut signals);
            signals_of_racks(&live, &watched, &mut signals);
            self.signals_of_kpis(&live, &mut signals);
        }
        for status in lock(&self.sources).statuses() {
            let up = match status.state {
                model::source::SourceState::Connected => true,
                model::source::SourceState::Stale { .. } | model::source::SourceState::Failing { .. } => false,
                model::source::SourceState::Connecting
                | model::source::SourceState::Absent { .. }
                | model::source::SourceState::Ended => continue,
            };
            signals.push(Signal { place: Place::default(), object: Some(status.name), seen: Seen::Source { up } });
        }
        signals
    }

    fn signals_of_kpis(&self, live: &Live, signals: &mut Vec<Signal>) {
        let now = figures::Now::of(live);
        let plan = lock(&self.plan).clone();
        let mut put = |kpi: Kpi, value: Option<f64>| {
            let seen = value.filter(|value| value.is_finite()).map(|value| Seen::Kpi(kpi, value));
            signals.extend(seen.map(|seen| Signal { place: Place::default(), object: None, seen }));
        };
        put(Kpi::Pue, now.facility_w.zip(now.it_w).map(|(facility, it)| facility / it));
        put(Kpi::FacilityOfTarget, now.facility_w.zip(live.target_w).map(|(facility, target)| facility / target));
        if !live.gpus.is_empty() {
            let answer = live.gpus.iter().filter(|gpu| !matches!(gpu.health, Health::Failed | Health::Stale)).count();
            put(Kpi::GpusAnswering, Some(answer as f64 / live.gpus.len() as f64));
        }
        if let Some(plan) = plan {
            put(Kpi::FacilityOfContract, now.facility_w.map(|facility| facility / plan.contract_w));
            put(Kpi::TokensOfPlan, now.tokens_per_s.map(|tokens| tokens / plan.figures.tokens_per_s));
            let kpis = self.kpis().tokens_per_s_per_mw;
            put(Kpi::TokensPerMwOfPlan, kpis.now.zip(kpis.planned).map(|(now, planned)| now / planned));
        }
    }

    /// Where a host is; by its name alone where nothing else is known.
    pub fn place_of_host(&self, host: &str) -> Place {
        self.now().node_named(host).map_or_else(|| Place { node: some(host), ..Place::default() }, Node::place)
    }

    /// Where an event happened.
    pub fn place_of_event(&self, event: &FleetEvent) -> Place {
        let mut place = event.host.as_ref().map(|host| self.place_of_host(host)).unwrap_or_default();
        let live = self.now();
        place.gpu = live
            .gpu_of(event)
            .map(|gpu| live.gpus[gpu as usize].index.clone())
            .or_else(|| event.gpu.clone().filter(|_| event.host.is_some()));
        place
    }
}

fn signals_of_units(live: &Live, watched: &BTreeSet<Metric>, signals: &mut Vec<Signal>) {
    for node in live.nodes.iter().filter(|node| !node.gpus.is_empty()) {
        let place = node.place();
        let gpus = node.gpus.iter().map(|gpu| &live.gpus[*gpu as usize]);
        let up = gpus.clone().any(|gpu| !gpu.is_stale());
        signals.push(Signal { place: place.clone(), object: None, seen: Seen::Node { up } });
        for metric in watched.iter().filter(|metric| metric.subject() == Subject::Node) {
            let seen = live.fresh_node(node, *metric).map(|value| Seen::Metric(*metric, value));
            signals.extend(seen.map(|seen| Signal { place: place.clone(), object: None, seen }));
        }
        for gpu in gpus {
            let place = Place { gpu: Some(gpu.index.clone()), ..place.clone() };
            for metric in watched.iter().filter(|metric| metric.subject() == Subject::Gpu) {
                let seen = gpu.value(*metric).map(|value| Seen::Metric(*metric, value));
                signals.extend(seen.map(|seen| Signal { place: place.clone(), object: None, seen }));
            }
        }
    }
}

fn signals_of_racks(live: &Live, watched: &BTreeSet<Metric>, signals: &mut Vec<Signal>) {
    for (name, rack) in &live.racks {
        let hall = live.nodes.iter().find(|node| node.rack == *name).and_then(|node| some(&node.hall));
        let place = Place { hall, rack: some(name), ..Place::default() };
        for metric in watched.iter().filter(|metric| metric.subject() == Subject::Rack) {
            let seen = live.fresh(rack, *metric).map(|value| Seen::Metric(*metric, value));
            signals.extend(seen.map(|seen| Signal { place: place.clone(), object: None, seen }));
        }
    }
}
