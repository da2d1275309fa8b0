//! Alerts in words: what a rule watches, what an alert means where, how it came to be as it is. Plain functions, so that
//! components only pick and show.

use crate::format::{self, Units};
use crate::happened;
use model::alert::{
    About, Alert, AlertKey, AlertState, Cause, Condition, EventKind, Field, GroupBy, Kpi, Matcher, Outcome, Place,
    Rule, Severity, Side, Silence, Transition, Watch,
};
use model::event::{Burst, XidAction};
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

/// The order of alerts wherever they are listed: critical first, then what nobody has taken on, then what began last.
pub fn rank(severity: Severity, owner: Option<&str>, since_ms: i64) -> impl Ord + use<> {
    (severity != Severity::Critical, owner.is_some(), std::cmp::Reverse(since_ms))
}

/// Alerts of a list, in their order.
pub fn listed(alerts: &[Alert], about: &[About], list: &str) -> Vec<Alert> {
    let mut found: Vec<Alert> = alerts.iter().filter(|alert| is_in(list, alert.state)).cloned().collect();
    found.sort_by_cached_key(|alert| {
        let since_ms = about_of(alert, about).map_or(alert.began_ms, |about| about.since_ms);
        (rank(alert.severity, alert.ack.as_ref().map(|ack| &*ack.owner), since_ms), alert.key.clone())
    });
    found
}

/// What an alert is about, more closely than its rule says.
pub fn about_of<'a>(alert: &Alert, about: &'a [About]) -> Option<&'a About> {
    about.iter().find(|about| about.key == alert.key)
}

/// A burst by the error that decides what it calls for.
pub fn burst(burst: &Burst) -> String {
    let decided = burst.codes.iter().find(|code| code.meaning.code == burst.decided_by).or(burst.codes.first());
    let others = burst.codes.len().saturating_sub(1);
    let more = if others > 0 { format!(", and {others} more") } else { String::new() };
    decided.map_or_else(String::new, |code| format!("XID {}: {}{more}", code.meaning.code, code.meaning.words))
}

/// What a burst calls for, as the page of events says it, and on which GPUs of its host, where they are known.
pub fn to_do(action: XidAction, gpus: &[String]) -> String {
    let what = happened::action(action);
    match gpus {
        [] => what.to_owned(),
        [gpu] => format!("{what} (GPU {gpu})"),
        [gpus @ .., last] => format!("{what} (GPUs {} and {last})", gpus.join(", ")),
    }
}

/// What is still to be written into a form: words for the first of its fields that is empty, of those that count.
pub fn lacking<const N: usize>(fields: [(&str, bool, &'static str); N]) -> Option<&'static str> {
    fields.into_iter().find(|(text, counts, _)| *counts && text.trim().is_empty()).map(|(.., words)| words)
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
        Some(Watch::Bits { .. } | Watch::SourceDown | Watch::NodeDown | Watch::Event { .. } | Watch::Burst { .. })
        | None => format::mean_count(value).to_string(),
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
        Watch::Bits { metric, bits, hold_ms } => format!(
            "“{}” with any of the bits {bits:#x}{lasting}; right again when they are gone for {}.",
            metric.words(),
            format::lasting(*hold_ms)
        ),
        Watch::Kpi { kpi: figure, when } => format!("{} {}", kpi(*figure), beyond(rule, when, &lasting, units)),
        Watch::SourceDown => format!("A source that does not answer{lasting}."),
        Watch::NodeDown => format!("A node of which no source answers{lasting}."),
        Watch::Event { event: kind, hold_ms } => {
            format!("{}{lasting}; it holds for {}.", event(*kind), format::lasting(*hold_ms))
        }
        Watch::Burst { at_least, hold_ms } => format!(
            "A burst of GPU errors that calls for this or more: “{}”{lasting}; it holds for {} after the last error, or until the GPUs are back.",
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

    fn alert(node: &str, severity: Severity, began_ms: i64, owner: Option<&str>) -> Alert {
        let ack = owner.map(|owner| model::alert::Ack { owner: owner.into(), note: String::new(), at_ms: began_ms });
        let place = Place { node: Some(node.into()), ..Place::default() };
        Alert {
            key: AlertKey { rule: "gpu-hot".into(), place, object: None },
            severity,
            state: AlertState::Firing,
            since_ms: began_ms,
            began_ms,
            value: None,
            ack,
            wrong: true,
            seen_ms: began_ms,
            until_ms: None,
            told: None,
            history: Vec::new(),
        }
    }

    #[test]
    fn the_gravest_come_first_then_those_of_nobody_then_the_newest() {
        let (warning, critical) = (Severity::Warning, Severity::Critical);
        let all = [
            alert("a", warning, 9, None),
            alert("b", critical, 1, None),
            alert("c", critical, 8, Some("Ada")),
            alert("d", critical, 2, None),
            alert("e", critical, 7, None),
        ];
        // The burst that it came of began long before the house saw it.
        let about = About { key: all[4].key.clone(), what: String::new(), since_ms: 0, action: String::new() };
        let nodes: Vec<Option<String>> =
            listed(&all, &[about], "firing").into_iter().map(|alert| alert.key.place.node).collect();
        assert_eq!(nodes.into_iter().flatten().collect::<String>(), "dbeca");
    }

    #[test]
    fn what_to_do_about_a_burst_is_what_the_events_say_of_it() {
        let gpus =
            |gpus: &[&str]| to_do(XidAction::ResetGpu, &gpus.iter().map(|gpu| (*gpu).into()).collect::<Vec<_>>());
        assert_eq!(to_do(XidAction::RestartHost, &[]), "Empty the host of work, then start it again");
        assert_eq!(gpus(&["3"]), "Reset the GPU (GPU 3)");
        assert_eq!(gpus(&["0", "1", "3"]), "Reset the GPU (GPUs 0, 1 and 3)");
    }

    #[test]
    fn a_form_asks_only_for_fields_that_were_left_empty() {
        let ask = |name: (&str, bool), why: (&str, bool)| lacking([(name.0, name.1, "name"), (why.0, why.1, "why")]);
        assert_eq!(ask(("", false), ("", false)), None, "nothing was typed yet");
        assert_eq!(ask(("", false), (" ", true)), Some("why"));
        assert_eq!(ask(("", true), ("", true)), Some("name"));
        assert_eq!(ask(("Ada", true), ("pump", true)), None);
    }

    #[test]
    fn a_rule_is_told_in_a_sentence() {
        let heat = rule(Watch::Bits { metric: Metric::GpuClockEvents, bits: 0x60, hold_ms: 300_000 });
        let said = watches(&heat, Units::Si).replace('\u{202f}', " ");
        assert!(
            said.starts_with(
                "“Why clocks are held down” with any of the bits 0x60 for 2 min; right again when they are gone for 5 min."
            ),
            "{said}"
        );
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
