//! Alerts of the live fleet: what the rules see of it, what is remembered of them, and who is told.

use super::live::{Live, Node};
use super::{Fleet, figures, lock};
use crate::clock;
use crate::error::chain;
use app::alarms;
use model::alert::{
    About, Alert, AlertMemory, AlertState, AlertsView, Delivery, Kpi, Notification, Place, Rule, Severity, Silence,
    SilenceCreate, Transition, Watch,
};
use model::event::{Burst, EventQuery, FleetEvent};
use model::fleet::{Attention, FleetPlace, Health};
use model::metric::{Metric, Subject};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use store::db::Db;
use telemetry::alert::{Alerts, Error, Seen, Signal, signal_of_event, signals_of_bursts};
use telemetry::burst::{Bursts, LOOK_BACK_MS, Left, cause};
use telemetry::webhook::{Webhook, payload};
use tokio_util::sync::CancellationToken;

/// Changes and deliveries that are shown.
const SHOWN: usize = 500;
/// Events of a kind that are recalled at the start.
const RECALLED: u32 = 10_000;
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
    /// What alerts are about, more closely than their rules say, as of the last look.
    about: Mutex<Vec<About>>,
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
            about: Mutex::default(),
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

    /// Recalls errors of the last day, and what answered after them: what they call for outlasts a restart.
    pub async fn recall(&self, history: &Db, now_ms: i64) -> Result<(), store::Error> {
        let mut events = Vec::new();
        for what in ["xid", "gpu-back", "host-restarted"] {
            let query = EventQuery {
                from_ms: now_ms - LOOK_BACK_MS,
                to_ms: now_ms,
                what: Some(what.into()),
                limit: RECALLED,
                ..EventQuery::default()
            };
            events.extend(store::event::list(history, &query).await?);
        }
        events.sort_by_key(|event| event.at_ms);
        let mut bursts = lock(&self.bursts);
        for event in &events {
            bursts.push(event);
        }
        drop(bursts);
        Ok(())
    }

    /// Looks at the fleet: what changed is remembered, and whoever is to be told is told. The caller knows where a host
    /// is, and which GPU of it a name is.
    pub async fn look(
        &self,
        now_ms: i64,
        mut signals: Vec<Signal>,
        place_of: impl Fn(&str) -> Place,
        index_of: impl Fn(&str, &str) -> Option<String>,
    ) {
        signals.append(&mut lock(&self.seen));
        let (bursts, left) = {
            let mut held = lock(&self.bursts);
            held.tick(now_ms);
            let left = held.left(|host, gpu| index_of(host, gpu).unwrap_or_else(|| gpu.to_owned()));
            (held.all(now_ms), left)
        };
        signals.extend(left.iter().flat_map(|left| signals_of_bursts(left, &place_of(&left.host))));
        let (transitions, notifications) = {
            let mut alerts = lock(&self.alerts);
            let transitions = alerts.observe(now_ms, &signals);
            (transitions, alerts.notifications(now_ms))
        };
        self.gather_about(&bursts, &left, index_of);
        self.gather_attention();
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
        self.gather_attention();
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
            about: lock(&self.about).clone(),
            silences: alerts.silences().to_vec(),
            rules: alerts.rules().to_vec(),
            history: lock(&self.history).iter().cloned().collect(),
            deliveries: lock(&self.deliveries).iter().cloned().collect(),
        }
    }

    /// What needs a person, in the order of alerts.
    pub fn attention(&self) -> Vec<Attention> {
        lock(&self.attention).clone()
    }

    fn gather_about(&self, bursts: &[Burst], left: &[Left], index_of: impl Fn(&str, &str) -> Option<String>) {
        let alerts = lock(&self.alerts);
        let one = |alert: &Alert| {
            let rule = alerts.rules().iter().find(|rule| rule.name == alert.key.rule)?;
            let Watch::Burst { at_least, .. } = rule.watch else { return None };
            let burst = cause(bursts, left, alert.key.place.node.as_ref()?, at_least)?;
            let gpus: BTreeSet<String> = burst.gpus.iter().filter_map(|gpu| index_of(&burst.host, gpu)).collect();
            Some(About {
                key: alert.key.clone(),
                what: alarms::burst(burst),
                since_ms: burst.start_ms,
                action: alarms::to_do(burst.action, &Vec::from_iter(gpus)),
            })
        };
        *lock(&self.about) = alerts.all().filter_map(one).collect();
    }

    fn gather_attention(&self) {
        let alerts = lock(&self.alerts);
        let known = lock(&self.about);
        let one = |alert: &Alert| {
            let rule = alerts.rules().iter().find(|rule| rule.name == alert.key.rule)?;
            let about = alarms::about_of(alert, &known);
            Some(Attention {
                alert: serde_json::to_string(&alert.key).unwrap_or_default(),
                critical: alert.severity == Severity::Critical,
                what: about.map_or_else(|| rule.means.clone(), |about| about.what.clone()),
                place: place_of(alert),
                since_ms: about.map_or(alert.began_ms, |about| about.since_ms),
                otherwise: rule.otherwise.clone(),
                action: about.map_or_else(|| rule.todo.clone(), |about| about.action.clone()),
                owner: alert.ack.as_ref().map(|ack| ack.owner.clone()),
            })
        };
        let is_open = |alert: &&Alert| matches!(alert.state, AlertState::Firing | AlertState::Acked);
        let mut gathered: Vec<Attention> = Vec::new();
        // One cause in a rack, such as water that is too warm, makes an alert for each of its GPUs: it is one thing to go and see.
        let mut in_rack: BTreeMap<(&str, &str, Option<&str>), Vec<Attention>> = BTreeMap::new();
        for alert in alerts.all().filter(is_open) {
            let Some(attention) = one(alert) else { continue };
            match alert.key.place.rack.as_deref().filter(|_| !attention.critical) {
                Some(rack) => {
                    let owner = alert.ack.as_ref().map(|ack| &*ack.owner);
                    in_rack.entry((&alert.key.rule, rack, owner)).or_default().push(attention);
                }
                None => gathered.push(attention),
            }
        }
        gathered.extend(in_rack.into_iter().flat_map(|((_, rack, _), alike)| folded(rack, alike)));
        // Alerts come in the order of their keys, which stands where their ranks are equal.
        gathered.sort_by_key(|one| {
            let severity = if one.critical { Severity::Critical } else { Severity::Warning };
            alarms::rank(severity, one.owner.as_deref(), one.since_ms)
        });
        *lock(&self.attention) = gathered;
    }

    /// Metrics that the rules watch.
    fn watched(&self) -> BTreeSet<Metric> {
        let of = |watch: &Watch| match watch {
            Watch::Metric { metric, of, .. } => [Some(*metric), *of],
            Watch::Bits { metric, .. } => [Some(*metric), None],
            Watch::Kpi { .. } | Watch::SourceDown | Watch::NodeDown | Watch::Event { .. } | Watch::Burst { .. } => {
                [None, None]
            }
        };
        lock(&self.alerts).rules().iter().flat_map(|rule| of(&rule.watch)).flatten().collect()
    }
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

    /// The index of a GPU of a host, whatever it is called: by id, address or index.
    pub fn index_of_gpu(&self, host: &str, gpu: &str) -> Option<String> {
        let live = self.now();
        live.gpu_named(host, gpu).map(|gpu| live.gpus[gpu as usize].index.clone())
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

/// Alerts of one rule in one rack: as they are where they are few, else one for all of them.
fn folded(rack: &str, mut alike: Vec<Attention>) -> Vec<Attention> {
    const FEW: usize = 2;
    if alike.len() <= FEW {
        return alike;
    }
    let count = alike.len();
    alike.sort_by_key(|one| one.since_ms);
    alike.truncate(1);
    for one in &mut alike {
        one.what = format!("{} ({count} times in this rack)", one.what);
        one.place = FleetPlace::Rack(rack.to_owned());
    }
    alike
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_in_a_rack_is_one_thing_to_go_and_see() {
        let of = |gpu: &str, since_ms| Attention {
            alert: gpu.into(),
            critical: false,
            what: "Too warm".into(),
            place: FleetPlace::Gpu("n1".into(), gpu.into()),
            since_ms,
            otherwise: String::new(),
            action: String::new(),
            owner: None,
        };
        let two = vec![of("0", 5), of("1", 3)];
        assert_eq!(folded("R1", two.clone()), two);
        let three = folded("R1", vec![of("0", 5), of("1", 3), of("2", 9)]);
        assert_eq!((three.len(), &*three[0].what, three[0].since_ms), (1, "Too warm (3 times in this rack)", 3));
        assert_eq!(three[0].place, FleetPlace::Rack("R1".into()));
    }
}
