//! Our alert rules as rules of Prometheus, for those who are told by an Alertmanager that they have.
//!
//! A rule whose figure is no series, or that watches what happens, has none: it is named in a comment, with the reason, and
//! Millwright itself tells of it.

use model::alert::{Condition, EventKind, Kpi, Rule, Side, Watch};
use model::event::XidAction;
use model::metric::{Metric, Subject};
use std::fmt::Write as _;
use telemetry::xid;

/// XIDs that there are: the catalog's go up to a few hundred.
const XIDS: std::ops::Range<u32> = 1..1_000;

/// The rules, as a file of Prometheus.
pub fn yaml(rules: &[Rule]) -> String {
    let mut text = String::from(
        "# Millwright's alert rules for Prometheus, over the series of /metrics/fleet or of remote write.\n\
         groups:\n  - name: millwright\n    rules:\n",
    );
    for rule in rules {
        // Writing to a text can't fail.
        let _ = match expression(rule) {
            Ok(expression) => write!(text, "{}", of_rule(rule, &expression)),
            Err(why) => writeln!(text, "      # {}: {why}", rule.name),
        };
    }
    text
}

fn of_rule(rule: &Rule, expression: &str) -> String {
    let mut text = format!("      - alert: {}\n        expr: {}\n", quoted(&rule.name), quoted(expression));
    let keep = match rule.watch {
        Watch::Bits { hold_ms, .. } => format!("        keep_firing_for: {}s\n", hold_ms / 1_000),
        Watch::Metric { .. }
        | Watch::Kpi { .. }
        | Watch::SourceDown
        | Watch::NodeDown
        | Watch::Event { .. }
        | Watch::Burst { .. } => String::new(),
    };
    let _ = write!(
        text,
        "        for: {}s\n{keep}        labels:\n          severity: {}\n        annotations:\n          summary: {}\n          \
         description: {}\n          runbook: {}\n",
        rule.for_ms / 1_000,
        rule.severity.name(),
        quoted(&rule.means),
        quoted(&rule.otherwise),
        quoted(&rule.todo)
    );
    text
}

/// A text in double quotes, which JSON and YAML write alike. Braces would be taken for a template.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text.replace("{{", "{ {")).to_string()
}

/// What a rule watches as PromQL, or why it can't be.
fn expression(rule: &Rule) -> Result<String, String> {
    match &rule.watch {
        Watch::Metric { metric, of, when } => {
            let value = of.map_or_else(|| metric.name().to_owned(), |of| format!("{metric} / {of}"));
            Ok(beyond(&rule.name, &value, *when, on(metric.subject())))
        }
        Watch::Bits { metric, bits, .. } => Ok(of_bits(metric.name(), *bits)),
        Watch::Kpi { kpi, when } => Ok(beyond(&rule.name, &of_kpi(*kpi)?, *when, "()")),
        Watch::SourceDown => Ok(format!("{} == 0", Metric::SourceUp)),
        Watch::NodeDown => {
            let power = Metric::GpuPower;
            Ok(format!("count by (host) (last_over_time({power}[1h])) unless count by (host) ({power})"))
        }
        Watch::Event { event, hold_ms } => of_event(*event, *hold_ms),
        Watch::Burst { at_least, hold_ms } => Ok(of_burst(*at_least, *hold_ms)),
    }
}

/// Any of some bits, each by division: PromQL knows no bits.
fn of_bits(metric: &str, bits: u64) -> String {
    let each = (0..u64::BITS).map(|nth| 1_u64 << nth).filter(|bit| bits & bit != 0);
    let each: Vec<String> = each.map(|bit| format!("(floor({metric} / {bit}) % 2 == 1)")).collect();
    each.join(" or ")
}

/// Beyond the threshold, or not back behind the other one while it is told: a value that moves around one threshold would
/// fire and clear again and again.
fn beyond(name: &str, value: &str, when: Condition, on: &str) -> String {
    let (beyond, still) = match when.side {
        Side::Above => (">", ">="),
        Side::Below => ("<", "<="),
    };
    let (fire, clear) = (when.fire, when.clear);
    if fire.to_bits() == clear.to_bits() {
        return format!("{value} {beyond} {fire}");
    }
    let told = format!("ALERTS{{alertname=\"{name}\", alertstate=\"firing\"}}");
    format!("({value} {beyond} {fire}) or (({value} {still} {clear}) and on {on} {told})")
}

/// What tells one alert of a rule from another.
fn on(subject: Subject) -> &'static str {
    match subject {
        Subject::Gpu => "(host, gpu)",
        Subject::Node => "(host)",
        Subject::Engine => "(instance, model_name)",
        Subject::Rack => "(rack)",
        Subject::Facility => "()",
        Subject::Source => "(source)",
    }
}

fn of_kpi(kpi: Kpi) -> Result<String, String> {
    let only_here = |what: &str| Err(format!("{what} is known to Millwright alone, which tells of it itself"));
    match kpi {
        Kpi::FacilityOfContract => only_here("what the contract allows"),
        Kpi::TokensPerMwOfPlan | Kpi::TokensOfPlan => only_here("the plan"),
        Kpi::FacilityOfTarget => Ok(format!("sum({}) / min({})", Metric::FacilityPower, Metric::GridTarget)),
        Kpi::Pue => Ok("sum(fleet_facility_power_watts) / sum(fleet_it_power_watts)".into()),
        Kpi::GpusAnswering => {
            let power = Metric::GpuPower;
            Ok(format!("count({power}) / count(last_over_time({power}[1h]))"))
        }
    }
}

fn of_event(event: EventKind, hold_ms: i64) -> Result<String, String> {
    let window = format!("{}s", hold_ms / 1_000);
    let no_series =
        |what: &str| Err(format!("{what} is something that happens and no series; Millwright tells of it itself"));
    match event {
        EventKind::HostRestarted => Ok(format!("changes({}[{window}]) > 0", Metric::NodeBootTime)),
        EventKind::GpuLost => {
            let power = Metric::GpuPower;
            Ok(format!("(last_over_time({power}[1h]) unless {power}) and on (host) count by (host) ({power})"))
        }
        EventKind::Leak => no_series("a leak that the building reports"),
        EventKind::SxidFatal => no_series("an error of a switch"),
        EventKind::LoadTarget => no_series("a request for less load"),
    }
}

/// The last XID changed, and calls for at least this.
fn of_burst(at_least: XidAction, hold_ms: i64) -> String {
    let last = Metric::GpuLastXid;
    let calls = XIDS.filter(|code| xid::row(*code).is_some() && xid::meaning(*code).immediate >= at_least);
    let codes: Vec<String> = calls.map(|code| format!("{last} == {code}")).collect();
    format!("({}) and changes({last}[{}s]) > 0", codes.join(" or "), hold_ms / 1_000)
}
