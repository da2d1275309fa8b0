//! Alerts in words: what a rule watches, what an alert means where, how it came to be as it is. Plain functions, so that
//! components only pick and show.

use crate::format::{self, Units};
use crate::happened;
use model::alert::{
    Alert, AlertKey, AlertState, Cause, Condition, EventKind, Field, GroupBy, Kpi, Matcher, Outcome, Place, Rule,
    Severity, Side, Silence, Transition, Watch,
};
use model::fleet::FleetPlace;
use model::metric::Metric;

/// The lists of the page, as its address calls them, and in words.
pub const LISTS: [(&str, &str); 8] = [
    ("firing", "Need a person"),
    ("pending", "Just seen"),
    ("taken", "Taken on"),
    ("kept-back", "Kept back"),
    ("resolved", "Right again"),
    ("silences", "Silences"),
    ("history", "History"),
    ("rules", "Rules"),
];

/// Whether an alert is in a list.
pub fn is_in(list: &str, state: AlertState) -> bool {
    match state {
        AlertState::Firing => list == "firing",
        AlertState::Pending => list == "pending",
        AlertState::Acked => list == "taken",
        AlertState::Silenced | AlertState::Inhibited => list == "kept-back",
        AlertState::Resolved => list == "resolved",
    }
}

/// Alerts of a list, critical first, then the oldest.
pub fn listed(alerts: &[Alert], list: &str) -> Vec<Alert> {
    let mut found: Vec<Alert> = alerts.iter().filter(|alert| is_in(list, alert.state)).cloned().collect();
    found.sort_by_key(|alert| (std::cmp::Reverse(alert.severity), alert.began_ms, alert.key.clone()));
    found
}

/// How it stands, in a sentence.
pub fn finding(alerts: &[Alert]) -> String {
    let count = |of: fn(&Alert) -> bool| alerts.iter().filter(|alert| of(alert)).count() as u32;
    let firing = count(|alert| alert.state == AlertState::Firing);
    let critical = count(|alert| alert.state == AlertState::Firing && alert.severity == Severity::Critical);
    let taken = count(|alert| alert.state == AlertState::Acked);
    let kept = count(|alert| matches!(alert.state, AlertState::Silenced | AlertState::Inhibited));
    let need = match firing {
        0 => "No alert needs a person".to_owned(),
        1 => format!("1 alert needs a person{}", if critical == 1 { ", and it is critical" } else { "" }),
        many => format!("{} alerts need a person, {} of them critical", format::count(many), format::count(critical)),
    };
    format!("{need}; {} taken on, {} kept back.", format::count(taken), format::count(kept))
}

/// Where an alert is, as the fleet's pages know it.
pub fn place(place: &Place) -> FleetPlace {
    match (&place.hall, &place.rack, &place.node, &place.gpu) {
        (_, _, Some(node), Some(gpu)) => FleetPlace::Gpu(node.clone(), gpu.clone()),
        (_, _, Some(node), None) => FleetPlace::Node(node.clone()),
        (_, Some(rack), None, _) => FleetPlace::Rack(rack.clone()),
        (Some(hall), None, None, _) => FleetPlace::Hall(hall.clone()),
        (None, None, None, _) => FleetPlace::Fleet,
    }
}

/// An alert's name in an address.
pub fn anchor(key: &AlertKey) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    format!("alert-{}", key.to_string().replace(" · ", "/").chars().map(plain).collect::<String>())
}

/// How grave it is, in a word.
pub fn grave(severity: Severity) -> &'static str {
    severity.name()
}

/// How an alert is, in words.
pub fn state(state: AlertState) -> &'static str {
    match state {
        AlertState::Pending => "seen, and not yet for long enough",
        AlertState::Firing => "firing",
        AlertState::Acked => "taken on",
        AlertState::Silenced => "silenced",
        AlertState::Inhibited => "explained by another alert",
        AlertState::Resolved => "right again",
    }
}

/// The last value of an alert, in its unit.
pub fn value(rule: Option<&Rule>, value: f64, units: Units) -> String {
    match rule.map(|rule| &rule.watch) {
        Some(Watch::Metric { metric, of: None, .. }) => format::measured(units, metric.unit(), value).to_string(),
        Some(Watch::Kpi { kpi: Kpi::Pue, .. }) => format::quotient(value).to_string(),
        Some(Watch::Metric { of: Some(_), .. } | Watch::Kpi { .. }) => format::percent(value).to_string(),
        Some(Watch::SourceDown | Watch::NodeDown | Watch::Event { .. } | Watch::Burst { .. }) | None => {
            format::mean_count(value).to_string()
        }
    }
}

/// What a rule watches, and when it tells, in sentences.
pub fn watches(rule: &Rule, units: Units) -> String {
    let lasting = if rule.for_ms > 0 { format!(" for {}", format::lasting(rule.for_ms)) } else { String::new() };
    let tells = match &rule.watch {
        Watch::Metric { metric, of, when } => {
            let share = of.map_or_else(String::new, |of: Metric| format!(" as a share of “{}”", of.words()));
            format!("“{}”{share} {}", metric.words(), beyond(rule, when, &lasting, units))
        }
        Watch::Kpi { kpi: figure, when } => format!("{} {}", kpi(*figure), beyond(rule, when, &lasting, units)),
        Watch::SourceDown => format!("A source that does not answer{lasting}."),
        Watch::NodeDown => format!("A node of which no source answers{lasting}."),
        Watch::Event { event: kind, hold_ms } => {
            format!("{}{lasting}; it holds for {}.", event(*kind), format::lasting(*hold_ms))
        }
        Watch::Burst { at_least, hold_ms } => format!(
            "A burst of GPU errors that calls for this or more: “{}”{lasting}; it holds for {} after the last error.",
            happened::action(*at_least),
            format::lasting(*hold_ms)
        ),
    };
    let explains =
        if rule.inhibits { " It keeps back alerts of what lies within its place, as it explains them." } else { "" };
    format!("{tells} Told together: {}.{explains}", group(rule.group))
}

fn beyond(rule: &Rule, when: &Condition, lasting: &str, units: Units) -> String {
    let said = |number| value(Some(rule), number, units);
    let (side, back) = match when.side {
        Side::Above => ("above", "below"),
        Side::Below => ("below", "above"),
    };
    format!("{side} {}{lasting}; right again {back} {}.", said(when.fire), said(when.clear))
}

fn kpi(kpi: Kpi) -> &'static str {
    match kpi {
        Kpi::FacilityOfContract => "Facility power as a share of the utility contract",
        Kpi::FacilityOfTarget => "Facility power as a share of the load that the grid asks for",
        Kpi::TokensPerMwOfPlan => "Tokens per megawatt as a share of the plan",
        Kpi::TokensOfPlan => "Tokens per second as a share of the plan",
        Kpi::Pue => "Facility power over IT power (PUE)",
        Kpi::GpusAnswering => "Share of the GPUs that answer",
    }
}

fn event(event: EventKind) -> &'static str {
    match event {
        EventKind::GpuLost => "A GPU that is gone, until it is back",
        EventKind::Leak => "Coolant where none belongs",
        EventKind::HostRestarted => "A host that restarted",
        EventKind::SxidFatal => "An NVSwitch that failed and took the fabric with it",
        EventKind::LoadTarget => "The grid or the operator asks for less load, until it no longer does",
    }
}

fn group(group: GroupBy) -> &'static str {
    match group {
        GroupBy::Rule => "all of the rule",
        GroupBy::Hall => "those of a hall",
        GroupBy::Rack => "those of a rack",
        GroupBy::Node => "those of a node",
    }
}

/// What an alert was and became, and why.
pub fn step(transition: &Transition) -> String {
    let to = state(transition.step.to);
    let became = transition.from.map_or_else(|| to.to_owned(), |from| format!("{} → {to}", state(from)));
    let why = cause(&transition.step.why);
    if why.is_empty() { became } else { format!("{became}: {why}") }
}

fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Watched => String::new(),
        Cause::Ack { owner, note } if note.is_empty() => format!("{owner} took it on"),
        Cause::Ack { owner, note } => format!("{owner} took it on, “{note}”"),
        Cause::Unack { owner } => format!("{owner} gave it back"),
        Cause::Silence { .. } => "a silence covers it".into(),
        Cause::Inhibited { by } => format!("“{by}” explains it"),
        Cause::Uncovered => "no silence and no other alert covers it any more".into(),
        Cause::NoData => "nothing was heard of it for too long".into(),
        Cause::RuleGone => "its rule is no more".into(),
    }
}

/// Why an alert is kept back, from the latest step that says it.
pub fn kept_back(alert: &Alert) -> Option<String> {
    let why = alert.history.iter().rev().map(|step| &step.why);
    why.filter(|why| matches!(why, Cause::Silence { .. } | Cause::Inhibited { .. })).map(cause).next()
}

/// What a silence covers, in words: `rule is gpu-*, node is gpu-001`.
pub fn covers(silence: &Silence) -> String {
    let all: Vec<String> =
        silence.matchers.iter().map(|Matcher { field: of, is }| format!("{} is {is}", field(*of))).collect();
    all.join(", and ")
}

/// A part of an alert, in a word.
pub fn field(field: Field) -> &'static str {
    match field {
        Field::Rule => "rule",
        Field::Severity => "severity",
        Field::Hall => "hall",
        Field::Rack => "rack",
        Field::Node => "node",
        Field::Gpu => "GPU",
        Field::Object => "object",
    }
}

/// What a silence of just this alert would be made of: each part of it that it has, the rule and the closest place taken.
pub fn proposed(alert: &Alert) -> Vec<(Matcher, Proposed)> {
    let key = &alert.key;
    let parts = [
        (Field::Rule, Some(key.rule.as_str())),
        (Field::Hall, key.place.hall.as_deref()),
        (Field::Rack, key.place.rack.as_deref()),
        (Field::Node, key.place.node.as_deref()),
        (Field::Gpu, key.place.gpu.as_deref()),
        (Field::Object, key.object.as_deref()),
    ];
    let taken = |field| match field {
        Field::Rule | Field::Object | Field::Gpu | Field::Node => true,
        Field::Rack => key.place.node.is_none(),
        Field::Hall => key.place.rack.is_none() && key.place.node.is_none(),
        Field::Severity => false,
    };
    let proposed = |field| if taken(field) { Proposed::Taken } else { Proposed::Left };
    let one = |(field, is): (Field, Option<&str>)| Some((Matcher { field, is: is?.to_owned() }, proposed(field)));
    parts.into_iter().filter_map(one).collect()
}

/// Whether a part of an alert is demanded of those that a silence covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proposed {
    /// It is.
    Taken,
    /// It may be anything.
    Left,
}

/// What came of handing a notification on.
pub fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Taken { status } => format!("taken (HTTP {status})"),
        Outcome::Retry { because, after_ms } => {
            format!("{because}; tried again after {}", format::lasting(i64::from(*after_ms)))
        }
        Outcome::GivenUp { because } => format!("given up: {because}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(watch: Watch) -> Rule {
        Rule {
            name: "gpu-hot".into(),
            severity: Severity::Warning,
            watch,
            for_ms: 120_000,
            group: GroupBy::Rack,
            inhibits: false,
            means: "A GPU is hot".into(),
            otherwise: "It slows down".into(),
            todo: "Look at the coolant".into(),
        }
    }

    #[test]
    fn a_rule_is_told_in_a_sentence() {
        let when = Condition { side: Side::Above, fire: 85.0, clear: 80.0 };
        let hot = rule(Watch::Metric { metric: Metric::GpuTemperature, of: None, when });
        let said = watches(&hot, Units::Si).replace('\u{202f}', " ");
        assert_eq!(
            said,
            "“GPU temperature” above 85.0 °C for 2 min; right again below 80.0 °C. Told together: those of a rack."
        );
        let low = Condition { side: Side::Below, fire: 0.85, clear: 0.9 };
        let less = rule(Watch::Kpi { kpi: Kpi::TokensPerMwOfPlan, when: low });
        let said = watches(&less, Units::Si).replace('\u{202f}', " ");
        assert!(
            said.starts_with(
                "Tokens per megawatt as a share of the plan below 85.0 % for 2 min; right again above 90.0 %."
            ),
            "{said}"
        );
    }
}
