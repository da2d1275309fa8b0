//! What people are told of a live fleet: rules, alerts, silences, notifications and what became of them.

use crate::event::XidAction;
use crate::metric::Metric;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How grave an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Someone looks at it today.
    Warning,
    /// Someone acts now.
    Critical,
}

/// Where in the fleet something is, as closely as is known; nothing at all for the whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Place {
    /// The hall.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hall: Option<String>,
    /// The rack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rack: Option<String>,
    /// The host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The GPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<String>,
}

impl Place {
    /// Its parts from the hall down to the GPU, each with its name.
    pub fn parts(&self) -> [(&'static str, Option<&str>); 4] {
        let Self { hall, rack, node, gpu } = self;
        [("hall", hall.as_deref()), ("rack", rack.as_deref()), ("node", node.as_deref()), ("gpu", gpu.as_deref())]
    }
    /// Whether the other lies within this one, and is not the same.
    pub fn holds(&self, other: &Self) -> bool {
        let pairs = || self.parts().into_iter().zip(other.parts());
        let within = pairs().all(|((_, mine), (_, theirs))| mine.is_none() || mine == theirs);
        within
            && pairs().rposition(|((_, mine), _)| mine.is_some())
                < pairs().rposition(|(_, (_, theirs))| theirs.is_some())
    }
}

/// A rule: what is watched, and what it means that it is as it should not be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Rule {
    /// Its name, unique.
    pub name: String,
    /// How grave it is.
    pub severity: Severity,
    /// What it watches.
    pub watch: Watch,
    /// How long that must last before anyone is told, milliseconds.
    pub for_ms: i64,
    /// Which alerts are told together.
    pub group: GroupBy,
    /// Whether it keeps back the alerts of what lies within its place: a node that is down explains its GPUs. An alert
    /// of no place keeps none back.
    pub inhibits: bool,
    /// What it means.
    pub means: String,
    /// What happens if nobody acts.
    pub otherwise: String,
    /// What to do.
    pub todo: String,
}

/// What a rule watches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Watch {
    /// A metric's latest value, of each GPU, node or rack; or its share of another metric's.
    Metric {
        /// Which.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        metric: Metric,
        /// What it is divided by.
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
        of: Option<Metric>,
        /// When it is as it should not be.
        when: Condition,
    },
    /// Bits of a metric that is a set of them, of each GPU, node or rack: any of these.
    Bits {
        /// Which metric.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        metric: Metric,
        /// The bits.
        bits: u64,
        /// How long they must be gone before what was told is right again, milliseconds.
        hold_ms: i64,
    },
    /// A figure of the whole fleet.
    Kpi {
        /// Which.
        kpi: Kpi,
        /// When it is as it should not be.
        when: Condition,
    },
    /// A source that does not answer.
    SourceDown,
    /// A node of which nothing is heard: none of its sources answers.
    NodeDown,
    /// Something that happens; it holds for a time, or until the opposite happens.
    Event {
        /// What.
        event: EventKind,
        /// For how long, milliseconds.
        hold_ms: i64,
    },
    /// A burst of errors that calls for at least this; it holds for a time after the burst's last error, or until every
    /// GPU that the errors were on is back, or its host started again.
    Burst {
        /// The mildest action that counts.
        at_least: XidAction,
        /// For how long, milliseconds.
        hold_ms: i64,
    },
}

/// A value beyond a threshold, with another one for coming back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Condition {
    /// Which side is wrong.
    pub side: Side,
    /// Beyond this it is wrong.
    pub fire: f64,
    /// It is right again on the other side of this.
    pub clear: f64,
}

/// A side of a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Above it.
    Above,
    /// Below it.
    Below,
}

impl Condition {
    /// Whether a value that was right is now wrong.
    pub fn begins(&self, value: f64) -> bool {
        match self.side {
            Side::Above => value > self.fire,
            Side::Below => value < self.fire,
        }
    }
    /// Whether a value that was wrong still is.
    pub fn lasts(&self, value: f64) -> bool {
        match self.side {
            Side::Above => value >= self.clear,
            Side::Below => value <= self.clear,
        }
    }
}

/// Figures of the whole fleet that a rule can watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kpi {
    /// Facility power over what the contract allows.
    FacilityOfContract,
    /// Facility power over the load that the grid asks for.
    FacilityOfTarget,
    /// Tokens per megawatt over what the plan has.
    TokensPerMwOfPlan,
    /// Tokens each second over what the plan has.
    TokensOfPlan,
    /// Facility power over IT power.
    Pue,
    /// Share of the GPUs that answer.
    GpusAnswering,
}

/// Kinds of events that a rule can watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A GPU is gone; ends when it is back.
    GpuLost,
    /// Coolant where none belongs.
    Leak,
    /// A host restarted.
    HostRestarted,
    /// An NVSwitch failed and took the fabric with it.
    SxidFatal,
    /// The grid or the operator asks for less load; ends when it no longer does.
    LoadTarget,
}

/// Which alerts are told together: those of one rule, and of one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum GroupBy {
    /// All of the rule.
    Rule,
    /// A hall.
    Hall,
    /// A rack.
    Rack,
    /// A node.
    Node,
}

/// Which alert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AlertKey {
    /// The rule's name.
    pub rule: String,
    /// Where.
    pub place: Place,
    /// What of the place: the source, the leak's object; absent where the place says it.
    pub object: Option<String>,
}

impl fmt::Display for AlertKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rule)?;
        let place = self.place.parts().into_iter().filter_map(|(_, part)| part);
        place.chain(self.object.as_deref()).try_for_each(|part| write!(f, " · {part}"))
    }
}

/// How an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AlertState {
    /// It is wrong, and has not been for long enough.
    Pending,
    /// It is wrong, and people are told.
    Firing,
    /// Someone has taken it on.
    Acked,
    /// Someone asked for silence.
    Silenced,
    /// Another alert explains it.
    Inhibited,
    /// It is right again.
    Resolved,
}

impl AlertState {
    /// Whether it is wrong and has been for long enough, told or not.
    pub fn is_active(self) -> bool {
        match self {
            Self::Firing | Self::Acked | Self::Silenced | Self::Inhibited => true,
            Self::Pending | Self::Resolved => false,
        }
    }
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Alert {
    /// Which.
    #[serde(flatten)]
    pub key: AlertKey,
    /// How grave.
    pub severity: Severity,
    /// How it is.
    pub state: AlertState,
    /// Since when it is so, milliseconds since 1970 UTC.
    pub since_ms: i64,
    /// Since when it is, or was, wrong, milliseconds since 1970 UTC.
    pub began_ms: i64,
    /// The last value, where it has one.
    pub value: Option<f64>,
    /// Who has taken it on.
    pub ack: Option<Ack>,
    /// Whether it is wrong now.
    pub wrong: bool,
    /// When it was last seen, milliseconds since 1970 UTC.
    pub seen_ms: i64,
    /// Until when it holds though it is not seen again, milliseconds since 1970 UTC.
    pub until_ms: Option<i64>,
    /// What people were last told.
    pub told: Option<Told>,
    /// How it came to be as it is, the latest last; of many steps, the latest.
    pub history: Vec<Step>,
}

/// Someone takes an alert on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Ack {
    /// Who.
    pub owner: String,
    /// What they say about it.
    pub note: String,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// What people were told of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Told {
    /// That it fires, or that it no longer does.
    pub firing: bool,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// A step of an alert's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Step {
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// What it became.
    pub to: AlertState,
    /// Why.
    pub why: Cause,
}

/// An alert's change from one state to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Transition {
    /// Which alert.
    pub key: AlertKey,
    /// How grave.
    pub severity: Severity,
    /// What it was; absent where it is new.
    pub from: Option<AlertState>,
    /// The value at that time, where it has one.
    pub value: Option<f64>,
    /// What it became, when and why.
    #[serde(flatten)]
    pub step: Step,
}

/// Why an alert changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Cause {
    /// What is watched changed, or lasted.
    Watched,
    /// Someone took it on.
    Ack {
        /// Who.
        owner: String,
        /// What they say about it.
        note: String,
    },
    /// Whoever had taken it on gave it back.
    Unack {
        /// Who.
        owner: String,
    },
    /// A silence covers it.
    Silence {
        /// Which.
        id: String,
    },
    /// Another alert explains it.
    Inhibited {
        /// Of which rule.
        by: String,
    },
    /// No silence and no other alert covers it any more.
    Uncovered,
    /// Nothing was heard of it for too long.
    NoData,
    /// Its rule is no more.
    RuleGone,
}

/// Alerts that nobody wants to hear of for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Silence {
    /// Its id, unique.
    pub id: String,
    /// What an alert must be for the silence to cover it: all of these.
    pub matchers: Vec<Matcher>,
    /// When it begins, milliseconds since 1970 UTC.
    pub start_ms: i64,
    /// When it ends, milliseconds since 1970 UTC.
    pub end_ms: i64,
    /// Who asked for it.
    pub owner: String,
    /// Why.
    pub note: String,
}

impl Silence {
    /// Whether it covers an alert at a time.
    pub fn covers(&self, key: &AlertKey, severity: Severity, at_ms: i64) -> bool {
        (self.start_ms..self.end_ms).contains(&at_ms)
            && !self.matchers.is_empty()
            && self.matchers.iter().all(|matcher| matcher.fits(key, severity))
    }
}

/// A demand on one part of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Matcher {
    /// Which part.
    pub field: Field,
    /// What it must be; `*` stands for any letters.
    pub is: String,
}

/// A part of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// The rule's name.
    Rule,
    /// `warning` or `critical`.
    Severity,
    /// The hall.
    Hall,
    /// The rack.
    Rack,
    /// The host.
    Node,
    /// The GPU.
    Gpu,
    /// The source, or the leak's object.
    Object,
}

impl Matcher {
    /// Whether an alert is so. What it does not have is nothing, and fits nothing.
    pub fn fits(&self, key: &AlertKey, severity: Severity) -> bool {
        let place = &key.place;
        let value = match self.field {
            Field::Rule => Some(key.rule.as_str()),
            Field::Severity => Some(severity.name()),
            Field::Hall => place.hall.as_deref(),
            Field::Rack => place.rack.as_deref(),
            Field::Node => place.node.as_deref(),
            Field::Gpu => place.gpu.as_deref(),
            Field::Object => key.object.as_deref(),
        };
        value.is_some_and(|value| glob(&self.is, value))
    }
}

impl Severity {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Whether a text fits a pattern in which `*` stands for any letters.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(end)
}

/// Alerts that people are told of together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Notification {
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// What they have in common, name and value of each.
    pub group: Vec<(String, String)>,
    /// The gravest of them.
    pub severity: Severity,
    /// Those that fire, and those that did when people were last told and no longer do.
    pub alerts: Vec<Alert>,
}

impl Notification {
    /// How many of its alerts fire.
    pub fn firing(&self) -> u32 {
        u32::try_from(self.alerts.iter().filter(|alert| alert.state != AlertState::Resolved).count())
            .unwrap_or(u32::MAX)
    }
}

/// All that must outlast a restart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AlertMemory {
    /// Every alert that is held.
    pub alerts: Vec<Alert>,
    /// Silences that have not ended.
    pub silences: Vec<Silence>,
    /// When each group was last told, milliseconds since 1970 UTC.
    pub groups: Vec<(String, i64)>,
}

/// Alerts as their page shows them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AlertsView {
    /// When this was so, milliseconds since 1970 UTC.
    pub as_of_ms: i64,
    /// Every alert that is held, those that are right again too, for as long as they are.
    pub alerts: Vec<Alert>,
    /// What some of them are about, more closely than their rules say.
    pub about: Vec<About>,
    /// Silences that have not ended.
    pub silences: Vec<Silence>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// What changed, the newest first; of very many, the newest.
    pub history: Vec<Transition>,
    /// Tries to hand notifications on, the newest first; of very many, the newest.
    pub deliveries: Vec<Delivery>,
}

/// What an alert is about, more closely than its rule says: the burst of errors that it came of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct About {
    /// Which alert.
    pub key: AlertKey,
    /// What, in a sentence.
    pub what: String,
    /// Since when, milliseconds since 1970 UTC.
    pub since_ms: i64,
    /// What to do.
    pub action: String,
}

/// Someone asks for silence, from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SilenceCreate {
    /// What an alert must be for the silence to cover it: all of these.
    pub matchers: Vec<Matcher>,
    /// After how long it ends, milliseconds: a silence without an end is a fault that nobody hears of.
    pub lasts_ms: i64,
    /// Who asks for it.
    pub owner: String,
    /// Why.
    pub note: String,
}

/// One try to hand a notification on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Delivery {
    /// Which receiver.
    pub receiver: String,
    /// Which group.
    pub group: String,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Which try, from 1.
    pub attempt: u32,
    /// How long it took, milliseconds.
    pub took_ms: u32,
    /// How many alerts it carried.
    pub alerts: u32,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// The receiver took it.
    Taken {
        /// Its answer, of HTTP.
        status: u16,
    },
    /// It will be tried again.
    Retry {
        /// Why, in words.
        because: String,
        /// After how long, milliseconds.
        after_ms: u32,
    },
    /// It will not.
    GivenUp {
        /// Why, in words.
        because: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(parts: [&str; 4]) -> Place {
        let [hall, rack, node, gpu] = parts.map(|part| (!part.is_empty()).then(|| part.to_owned()));
        Place { hall, rack, node, gpu }
    }

    #[test]
    fn a_place_holds_what_lies_within() {
        let node = place(["h", "r", "n", ""]);
        assert!(
            node.holds(&place(["h", "r", "n", "0"])) && place(["", "", "n", ""]).holds(&place(["h", "r", "n", "0"]))
        );
        assert!(place([""; 4]).holds(&node) && place(["h", "", "", ""]).holds(&node));
        assert!(
            !node.holds(&node) && !node.holds(&place(["h", "r", "m", "0"])) && !node.holds(&place(["h", "r", "", ""]))
        );
        assert!(!place(["", "", "n", ""]).holds(&node), "the same, more closely told");
    }

    #[test]
    fn a_pattern_fits_any_letters_for_its_star() {
        for (pattern, text) in
            [("a", "a"), ("*", ""), ("node-*", "node-17"), ("*-gpu-*", "n-gpu-3"), ("a*b*c", "aXbYbc"), ("a**", "a")]
        {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("a*", "b"), ("a*b", "a"), ("ab*ba", "aba"), ("", "x"), ("*b*", "acd")] {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_value_comes_back_over_another_threshold() {
        let hot = Condition { side: Side::Above, fire: 90.0, clear: 85.0 };
        let states = [90.0, 90.1, 87.0, 85.0, 84.9, 87.0].map({
            let mut before = false;
            move |value| {
                before = if before { hot.lasts(value) } else { hot.begins(value) };
                before
            }
        });
        assert_eq!(states, [false, true, true, true, false, false]);
        let low = Condition { side: Side::Below, fire: 0.85, clear: 0.9 };
        assert!(low.begins(0.84) && low.lasts(0.9) && !low.lasts(0.91) && !low.begins(0.85));
    }

    #[test]
    fn a_silence_covers_only_what_fits_it_while_it_lasts() {
        let key = AlertKey { rule: "gpu-hot".into(), place: place(["h", "r", "n7", "0"]), object: None };
        let with = |field, is: &str| Matcher { field, is: is.into() };
        let of = |matchers| Silence {
            id: "s".into(),
            matchers,
            start_ms: 10,
            end_ms: 20,
            owner: "a".into(),
            note: String::new(),
        };
        let both = of(vec![with(Field::Rule, "gpu-*"), with(Field::Node, "n7")]);
        let at = |at| both.covers(&key, Severity::Warning, at);
        assert_eq!([at(9), at(10), at(19), at(20)], [false, true, true, false]);
        assert!(!of(vec![]).covers(&key, Severity::Warning, 15), "a silence of nothing covers nothing");
        assert!(
            !of(vec![with(Field::Object, "*")]).covers(&key, Severity::Warning, 15),
            "what is not there fits nothing"
        );
    }
}
