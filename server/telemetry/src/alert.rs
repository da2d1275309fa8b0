//! Alerts: rules over what is seen of the fleet, and what people are told.
//!
//! Never: reads a clock, sends anything, or takes silence for health: an alert of which nothing is heard stays as it was
//! for a day. The same signals at the same times give the same transitions.
//!
//! Read `Alerts::observe` first, then `rules` (rules as TOML) and `notify` (what is told, together and how often).

mod notify;
pub mod rules;

pub use notify::group_name;
pub use rules::{Problem, default_rules, parse_rules};

use crate::burst::{Left, Open};
use model::alert::{
    Ack, Alert, AlertKey, AlertMemory, AlertState, Cause, Condition, EventKind, Kpi, Place, Rule, Silence, Step,
    Transition, Watch,
};
use model::event::{FleetEvent, Happening, XidAction};
use model::metric::Metric;
use std::collections::BTreeMap;

/// How long a value counts though no newer one came, milliseconds: a pending alert is let go of after it.
pub const VALUE_LASTS_MS: i64 = 5 * 60_000;
/// After how long an active alert of which nothing is heard is let go of, milliseconds.
pub const SILENT_MS: i64 = 24 * 3_600_000;
/// How long an alert that is right again is held, milliseconds.
const RESOLVED_HELD_MS: i64 = 3_600_000;
/// Steps of an alert's history that it carries.
const HISTORY: usize = 32;
/// Silences that are held at a time.
const SILENCES: usize = 1_000;
/// The longest that a silence may last, milliseconds.
const SILENCE_MAX_MS: i64 = 90 * 24 * 3_600_000;
/// The longest words of a person.
const WORDS: usize = 2_000;

/// Something that was seen, where.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Where.
    pub place: Place,
    /// What of the place: the source's name, the leak's object.
    pub object: Option<String>,
    /// What was seen.
    pub seen: Seen,
}

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Seen {
    /// A metric's latest value.
    Metric(Metric, f64),
    /// A figure of the whole fleet.
    Kpi(Kpi, f64),
    /// Whether a source answers.
    Source {
        /// It does.
        up: bool,
    },
    /// Whether any source of a node answers.
    Node {
        /// One does.
        up: bool,
    },
    /// Something happened, or the opposite of it.
    Event {
        /// What.
        kind: EventKind,
        /// When, milliseconds since 1970 UTC.
        at_ms: i64,
        /// Whether it ended.
        over: bool,
    },
    /// A burst of errors, as it is now.
    Burst {
        /// What it calls for.
        action: XidAction,
        /// Its last error, milliseconds since 1970 UTC.
        end_ms: i64,
    },
    /// Something of a node answered anew: what its errors call for is done, but for this.
    Answered {
        /// The greatest action that is left; none where all is done.
        left: Option<XidAction>,
    },
}

/// The signal in an event, where a rule could watch it. The caller knows where its host and GPU stand.
pub fn signal_of_event(event: &FleetEvent, place: Place) -> Option<Signal> {
    let (kind, over, object) = match &event.what {
        Happening::GpuLost => (EventKind::GpuLost, false, None),
        Happening::GpuBack => (EventKind::GpuLost, true, None),
        Happening::Leak { object } => (EventKind::Leak, false, Some(object.clone())),
        Happening::HostRestarted => (EventKind::HostRestarted, false, None),
        Happening::Sxid { fatal: true, .. } => (EventKind::SxidFatal, false, None),
        Happening::LoadTarget { target_w } => (EventKind::LoadTarget, target_w.is_none(), None),
        Happening::Sxid { fatal: false, .. }
        | Happening::Xid { .. }
        | Happening::HostState { .. }
        | Happening::Source { .. }
        | Happening::Remark { .. } => return None,
    };
    Some(Signal { place, object, seen: Seen::Event { kind, at_ms: event.at_ms, over } })
}

/// The signals in what is left to do of a node's bursts, at the place of the node.
pub fn signals_of_bursts(left: &Left, place: &Place) -> Vec<Signal> {
    let open = left.open.iter().map(|Open { action, last_ms, .. }| Seen::Burst { action: *action, end_ms: *last_ms });
    let most = left.open.iter().map(|open| open.action).max();
    let answered = left.answered.then_some(Seen::Answered { left: most });
    open.chain(answered).map(|seen| Signal { place: place.clone(), object: None, seen }).collect()
}

/// Why something that a person asked for can't be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No alert of that key.
    #[error("there is no such alert: {0}")]
    NoAlert(String),
    /// It is not active.
    #[error("the alert is not active, so there is nothing to take on: {0}")]
    NotActive(String),
    /// No silence of that id.
    #[error("there is no such silence: {0}")]
    NoSilence(String),
    /// A silence that says too little or too much.
    #[error("a silence {0}")]
    BadSilence(&'static str),
}

/// All alerts: a machine whose only inputs are signals, people and the time.
#[derive(Debug, Clone, Default)]
pub struct Alerts {
    rules: Vec<Rule>,
    /// Every alert, by its key.
    held: BTreeMap<AlertKey, Alert>,
    silences: Vec<Silence>,
    /// When each group was last told.
    groups: BTreeMap<String, i64>,
    /// Metrics that others are divided by, and when they were seen.
    divisors: BTreeMap<(Metric, Place), (f64, i64)>,
    /// Time never runs backwards.
    now_ms: i64,
}

impl Alerts {
    /// Alerts by these rules, with what was remembered of them.
    pub fn restore(rules: Vec<Rule>, memory: AlertMemory) -> Self {
        let AlertMemory { alerts, silences, groups } = memory;
        let held = alerts.into_iter().map(|alert| (alert.key.clone(), alert)).collect();
        Self { rules, held, silences, groups: groups.into_iter().collect(), ..Self::default() }
    }

    /// What must outlast a restart.
    pub fn memory(&self) -> AlertMemory {
        AlertMemory {
            alerts: self.held.values().cloned().collect(),
            silences: self.silences.clone(),
            groups: self.groups.iter().map(|(group, at)| (group.clone(), *at)).collect(),
        }
    }

    /// The rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Every alert that is held.
    pub fn all(&self) -> impl Iterator<Item = &Alert> {
        self.held.values()
    }

    /// Every silence that has not ended.
    pub fn silences(&self) -> &[Silence] {
        &self.silences
    }

    /// Takes in what was seen, and the time; what changed by it, in the order of alerts.
    pub fn observe(&mut self, now_ms: i64, signals: &[Signal]) -> Vec<Transition> {
        self.now_ms = self.now_ms.max(now_ms);
        let rules = std::mem::take(&mut self.rules);
        for signal in signals {
            self.divisor(signal, &rules);
        }
        for signal in signals {
            for rule in &rules {
                self.take_in(rule, signal);
            }
        }
        self.rules = rules;
        self.advance()
    }

    /// Other rules from now on. Alerts of rules that are gone are resolved.
    pub fn set_rules(&mut self, now_ms: i64, rules: Vec<Rule>) -> Vec<Transition> {
        self.rules = rules;
        self.observe(now_ms, &[])
    }

    /// Someone takes an active alert on: nobody is told of it again until it is over.
    pub fn ack(&mut self, now_ms: i64, key: &AlertKey, owner: &str, note: &str) -> Result<Vec<Transition>, Error> {
        self.active(now_ms, key)?.ack = Some(Ack { owner: cut(owner), note: cut(note), at_ms: now_ms });
        Ok(self.advance())
    }

    /// Whoever took it on gives it back.
    pub fn unack(&mut self, now_ms: i64, key: &AlertKey) -> Result<Vec<Transition>, Error> {
        self.active(now_ms, key)?.ack = None;
        Ok(self.advance())
    }

    /// Someone wants not to hear of some alerts for a time. One with the same id takes the other's place.
    pub fn silence(&mut self, now_ms: i64, silence: Silence) -> Result<Vec<Transition>, Error> {
        self.now_ms = self.now_ms.max(now_ms);
        let lasts = silence.end_ms.saturating_sub(silence.start_ms);
        let bad = |why| Err(Error::BadSilence(why));
        match () {
            () if silence.matchers.is_empty() => return bad("must say what it covers"),
            () if lasts <= 0 => return bad("must end after it begins"),
            () if silence.end_ms <= self.now_ms => return bad("must end in the future"),
            () if lasts > SILENCE_MAX_MS => return bad("may last 90 days at most"),
            () if silence.id.is_empty() || silence.owner.is_empty() => return bad("must have an id and an owner"),
            () if self.silences.len() >= SILENCES => return bad("is one too many: there are 1,000"),
            () => {}
        }
        self.silences.retain(|other| other.id != silence.id);
        self.silences.push(silence);
        Ok(self.advance())
    }

    /// A silence ends now.
    pub fn end_silence(&mut self, now_ms: i64, id: &str) -> Result<Vec<Transition>, Error> {
        self.now_ms = self.now_ms.max(now_ms);
        let before = self.silences.len();
        self.silences.retain(|silence| silence.id != id);
        if self.silences.len() == before { Err(Error::NoSilence(id.to_owned())) } else { Ok(self.advance()) }
    }

    fn active(&mut self, now_ms: i64, key: &AlertKey) -> Result<&mut Alert, Error> {
        self.now_ms = self.now_ms.max(now_ms);
        let alert = self.held.get_mut(key).ok_or_else(|| Error::NoAlert(key.to_string()))?;
        if alert.state.is_active() { Ok(alert) } else { Err(Error::NotActive(key.to_string())) }
    }

    fn divisor(&mut self, signal: &Signal, rules: &[Rule]) {
        let Seen::Metric(metric, value) = signal.seen else { return };
        let wanted = |rule: &Rule| matches!(&rule.watch, Watch::Metric { of: Some(of), .. } if *of == metric);
        if value.is_finite() && rules.iter().any(wanted) {
            self.divisors.insert((metric, signal.place.clone()), (value, self.now_ms));
        }
    }

    /// What a signal says to a rule: whether it is wrong, the value, and until when it holds by itself.
    fn judge(&self, rule: &Rule, signal: &Signal, before: Option<&Alert>) -> Option<(bool, Option<f64>, Option<i64>)> {
        let wrong = before.is_some_and(|alert| alert.wrong);
        let by_value = |when: &Condition, value: f64| {
            let now = if wrong { when.lasts(value) } else { when.begins(value) };
            value.is_finite().then_some((now, Some(value), None))
        };
        let held = |from: i64, hold_ms: i64| {
            let until = from.saturating_add(hold_ms).max(before.and_then(|alert| alert.until_ms).unwrap_or(i64::MIN));
            (self.now_ms < until, None, Some(until))
        };
        match (&rule.watch, signal.seen) {
            (Watch::Metric { metric, of: None, when }, Seen::Metric(seen, value)) if *metric == seen => {
                by_value(when, value)
            }
            (Watch::Metric { metric, of: Some(of), when }, Seen::Metric(seen, value)) if *metric == seen => {
                let (divisor, at) = self.divisors.get(&(*of, signal.place.clone()))?;
                let fresh = self.now_ms.saturating_sub(*at) <= VALUE_LASTS_MS && *divisor > 0.0;
                fresh.then(|| by_value(when, value / divisor)).flatten()
            }
            (Watch::Bits { metric, bits, hold_ms }, Seen::Metric(seen, value)) if *metric == seen => {
                let is_set = value as u64 & bits != 0;
                // What was told is right again only after a while without: such bits come and go.
                let told = before.filter(|alert| alert.wrong && alert.state.is_active());
                let until = told.and_then(|alert| alert.until_ms).filter(|until| self.now_ms < *until);
                let until = if is_set { Some(self.now_ms.saturating_add(*hold_ms)) } else { until };
                value.is_finite().then_some((is_set || until.is_some(), None, until))
            }
            (Watch::Kpi { kpi, when }, Seen::Kpi(seen, value)) if *kpi == seen => by_value(when, value),
            (Watch::SourceDown, Seen::Source { up }) | (Watch::NodeDown, Seen::Node { up }) => Some((!up, None, None)),
            (Watch::Event { event, hold_ms }, Seen::Event { kind, at_ms, over }) if *event == kind => {
                Some(if over { (false, None, None) } else { held(at_ms, *hold_ms) })
            }
            (Watch::Burst { at_least, hold_ms }, Seen::Burst { action, end_ms }) if action >= *at_least => {
                Some(held(end_ms, *hold_ms))
            }
            (Watch::Burst { at_least, .. }, Seen::Answered { left }) if left.is_none_or(|left| left < *at_least) => {
                Some((false, None, None))
            }
            (
                Watch::Metric { .. }
                | Watch::Bits { .. }
                | Watch::Kpi { .. }
                | Watch::SourceDown
                | Watch::NodeDown
                | Watch::Event { .. }
                | Watch::Burst { .. },
                _,
            ) => None,
        }
    }

    fn take_in(&mut self, rule: &Rule, signal: &Signal) {
        let key = AlertKey { rule: rule.name.clone(), place: signal.place.clone(), object: signal.object.clone() };
        let Some((wrong, value, until_ms)) = self.judge(rule, signal, self.held.get(&key)) else { return };
        let now = self.now_ms;
        let alert = match self.held.get_mut(&key) {
            Some(alert) => alert,
            None if wrong => self.held.entry(key.clone()).or_insert_with(|| begun(rule, key, now)),
            None => return,
        };
        if wrong && !alert.wrong {
            (alert.began_ms, alert.severity) = (now, rule.severity);
        }
        (alert.wrong, alert.seen_ms, alert.until_ms) = (wrong, now, until_ms);
        alert.value = value.or(alert.value);
    }

    /// Brings every alert to the state that the time, people and other alerts give it.
    fn advance(&mut self) -> Vec<Transition> {
        let now = self.now_ms;
        self.silences.retain(|silence| silence.end_ms > now);
        self.divisors.retain(|_, (_, at)| now.saturating_sub(*at) <= VALUE_LASTS_MS);
        let rules: BTreeMap<&str, &Rule> = self.rules.iter().map(|rule| (rule.name.as_str(), rule)).collect();
        let mut ended: BTreeMap<AlertKey, Cause> = BTreeMap::new();
        for alert in self.held.values_mut().filter(|alert| alert.wrong) {
            let rule = rules.get(alert.key.rule.as_str()).copied();
            if let Some(cause) = ends(alert, rule, now) {
                alert.wrong = false;
                ended.insert(alert.key.clone(), cause);
            }
        }
        let lasted = |alert: &Alert| {
            let rule = rules.get(alert.key.rule.as_str());
            alert.wrong && rule.is_some_and(|rule| now.saturating_sub(alert.began_ms) >= rule.for_ms)
        };
        let covers = Covers::of(
            self.held
                .values()
                .filter(|alert| lasted(alert) && rules.get(alert.key.rule.as_str()).is_some_and(|rule| rule.inhibits)),
        );
        let mut changed = Vec::new();
        for alert in self.held.values_mut() {
            let silence = || self.silences.iter().find(|silence| silence.covers(&alert.key, alert.severity, now));
            let (to, why) = if !alert.wrong {
                (AlertState::Resolved, ended.remove(&alert.key).unwrap_or(Cause::Watched))
            } else if !lasted(alert) {
                (AlertState::Pending, Cause::Watched)
            } else if let Some(silence) = silence() {
                (AlertState::Silenced, Cause::Silence { id: silence.id.clone() })
            } else if let Some(by) = covers.over(&alert.key) {
                (AlertState::Inhibited, Cause::Inhibited { by: by.to_owned() })
            } else if let Some(Ack { owner, note, .. }) = &alert.ack {
                (AlertState::Acked, Cause::Ack { owner: owner.clone(), note: note.clone() })
            } else {
                (AlertState::Firing, why_firing(alert))
            };
            changed.extend(step(alert, to, why, now));
        }
        self.held.retain(|_, alert| {
            let told = alert.told.is_some_and(|told| told.firing);
            alert.wrong || told || now.saturating_sub(alert.since_ms) < RESOLVED_HELD_MS
        });
        changed
    }
}

fn begun(rule: &Rule, key: AlertKey, now: i64) -> Alert {
    Alert {
        key,
        severity: rule.severity,
        state: AlertState::Resolved,
        since_ms: now,
        began_ms: now,
        value: None,
        ack: None,
        wrong: false,
        seen_ms: now,
        until_ms: None,
        told: None,
        history: Vec::new(),
    }
}

/// Why an alert that was wrong no longer is, though nothing said so.
fn ends(alert: &Alert, rule: Option<&Rule>, now: i64) -> Option<Cause> {
    let Some(rule) = rule else { return Some(Cause::RuleGone) };
    // Bits that nobody reads any more have not gone out.
    let is_read = matches!(rule.watch, Watch::Bits { .. });
    if !is_read && alert.until_ms.is_some_and(|until| now >= until) {
        return Some(Cause::Watched);
    }
    let silent = now.saturating_sub(alert.seen_ms);
    let unheard = match rule.watch {
        Watch::Metric { .. } | Watch::Bits { .. } | Watch::Kpi { .. } => {
            silent > if alert.state.is_active() { SILENT_MS } else { VALUE_LASTS_MS }
        }
        Watch::SourceDown | Watch::NodeDown | Watch::Event { .. } | Watch::Burst { .. } => false,
    };
    unheard.then_some(Cause::NoData)
}

fn why_firing(alert: &Alert) -> Cause {
    match alert.state {
        AlertState::Silenced | AlertState::Inhibited => Cause::Uncovered,
        AlertState::Acked => match alert.history.last().map(|step| &step.why) {
            Some(Cause::Ack { owner, .. }) => Cause::Unack { owner: owner.clone() },
            _ => Cause::Watched,
        },
        AlertState::Pending | AlertState::Firing | AlertState::Resolved => Cause::Watched,
    }
}

fn step(alert: &mut Alert, to: AlertState, why: Cause, now: i64) -> Option<Transition> {
    let from = (!alert.history.is_empty()).then_some(alert.state);
    if from == Some(to) || from.is_none() && to == AlertState::Resolved {
        return None;
    }
    if to == AlertState::Resolved {
        alert.ack = None;
    }
    (alert.state, alert.since_ms) = (to, now);
    let step = Step { at_ms: now, to, why };
    if alert.history.len() >= HISTORY {
        alert.history.remove(0);
    }
    alert.history.push(step.clone());
    Some(Transition { key: alert.key.clone(), severity: alert.severity, from, value: alert.value, step })
}

/// Active alerts that keep others back, by the closest part of their place.
struct Covers {
    by_part: BTreeMap<(&'static str, String), Vec<AlertKey>>,
}

impl Covers {
    fn of<'a>(alerts: impl Iterator<Item = &'a Alert>) -> Self {
        let mut by_part = BTreeMap::<_, Vec<AlertKey>>::new();
        for alert in alerts.filter(|alert| alert.key.object.is_none()) {
            if let Some((name, Some(part))) = alert.key.place.parts().into_iter().rev().find(|(_, part)| part.is_some())
            {
                by_part.entry((name, part.to_owned())).or_default().push(alert.key.clone());
            }
        }
        Self { by_part }
    }
    /// The rule of an alert that keeps this one back.
    fn over(&self, key: &AlertKey) -> Option<&str> {
        if self.by_part.is_empty() {
            return None;
        }
        let parts = key.place.parts().into_iter().filter_map(|(name, part)| Some((name, part?.to_owned())));
        let mut near = parts.filter_map(|part| self.by_part.get(&part)).flatten();
        let covers = |by: &&AlertKey| by.place.holds(&key.place) || by.place == key.place && key.object.is_some();
        near.find(covers).map(|by| by.rule.as_str())
    }
}

/// The first letters of a person's words.
fn cut(words: &str) -> String {
    words.chars().take(WORDS).collect()
}

#[cfg(test)]
mod tests;
