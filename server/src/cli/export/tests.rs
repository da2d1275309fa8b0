//! What is exported is held against our registry, and against the programs that read it where they are installed.

use super::*;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;

/// Runs a program; nothing where it is not installed, which is told, and fails under `CI=true`.
fn program(name: &str, arguments: &[&str]) -> Option<(bool, String)> {
    match Command::new(name).args(arguments).output() {
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
        }
        Err(error) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{name}: {error}");
            eprintln!("skipped: {name} is not installed");
            None
        }
    }
}

fn strings<'v>(value: &'v Value, key: &str, into: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            into.extend(members.get(key).and_then(Value::as_str));
            members.values().for_each(|member| strings(member, key, into));
        }
        Value::Array(items) => items.iter().for_each(|item| strings(item, key, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn metrics_are_found_in_an_expression() {
    let found =
        metrics_in("sum by (rack) (rate(a_total{b_c=\"d_e\"}[5m])) / on (x) max_over_time(f_g[1h]) and up == 0");
    assert_eq!(found, BTreeSet::from(["a_total".into(), "f_g".into(), "up".into()]));
}

#[test]
fn dashboards_ask_only_for_metrics_that_there_are() {
    for which in [Dashboard::Fleet, Dashboard::Facility] {
        let dashboard = grafana::dashboard(which);
        let text = serde_json::to_string(&dashboard).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), dashboard);
        let (mut expressions, mut sources, mut definitions) = (Vec::new(), Vec::new(), Vec::new());
        strings(&dashboard["panels"], "expr", &mut expressions);
        strings(&dashboard["panels"], "uid", &mut sources);
        strings(&dashboard["templating"], "definition", &mut definitions);
        assert!(expressions.len() >= 14 && definitions.len() == 2);
        assert!(sources.iter().all(|uid| *uid == "${DS_PROMETHEUS}"), "{sources:?}");
        for expression in &expressions {
            let metrics = metrics_in(expression);
            assert!(!metrics.is_empty() && metrics.iter().all(|metric| is_ours(metric)), "{expression}: {metrics:?}");
        }
        let places: BTreeSet<String> =
            dashboard["panels"].as_array().unwrap().iter().map(|panel| panel["gridPos"].to_string()).collect();
        assert_eq!(places.len(), dashboard["panels"].as_array().unwrap().len(), "no panel hides another");
    }
}

/// Expressions of dashboards, with Grafana's variables filled in, as rules that `promtool` reads.
#[test]
fn prometheus_understands_every_panel() {
    let mut text = String::from("groups:\n  - name: panels\n    rules:\n");
    for which in [Dashboard::Fleet, Dashboard::Facility] {
        let dashboard = grafana::dashboard(which);
        let mut expressions = Vec::new();
        strings(&dashboard["panels"], "expr", &mut expressions);
        for expression in expressions {
            let filled = Value::from(expression.replace("$rack", ".*").replace("$host", ".*"));
            let name = text.len();
            writeln!(text, "      - alert: a{name}\n        expr: {filled}").unwrap();
        }
    }
    check_rules(&text);
}

fn check_rules(text: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rules.yml");
    std::fs::write(&path, text).unwrap();
    if let Some((is_good, said)) = program("promtool", &["check", "rules", path.to_str().unwrap()]) {
        assert!(is_good, "{said}\n{text}");
    }
}

#[test]
fn rules_use_only_metrics_that_there_are_and_prometheus_takes_them() {
    let rules = telemetry::alert::default_rules();
    let text = rules::yaml(&rules);
    let expressions: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    assert!(expressions.len() >= 10, "{text}");
    for expression in expressions {
        let expression: String = serde_json::from_str(expression).unwrap();
        let metrics = metrics_in(&expression);
        assert!(!metrics.is_empty() && metrics.iter().all(|metric| is_ours(metric)), "{expression}: {metrics:?}");
    }
    for rule in &rules {
        assert!(text.contains(&format!("alert: \"{}\"", rule.name)) || text.contains(&format!("# {}: ", rule.name)));
    }
    check_rules(&text);
}

/// A GPU that gets hot, cools to between the thresholds, and then below both.
#[test]
fn a_rule_holds_until_the_other_threshold() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("rules.yml"), rules::yaml(&telemetry::alert::default_rules())).unwrap();
    let alert = "- exp_labels: { severity: warning, host: a, gpu: \"0\" }";
    let at = |time: &str, told: bool| {
        let expected = if told { format!("\n            {alert}") } else { " []".to_owned() };
        format!("      - eval_time: {time}\n        alertname: gpu-hot\n        exp_alerts:{expected}\n")
    };
    let test = format!(
        "rule_files: [rules.yml]\nevaluation_interval: 30s\ntests:\n  - interval: 30s\n    input_series:\n      \
         - series: gpu_temperature_celsius{{host=\"a\", gpu=\"0\"}}\n        values: 70x3 86x10 82x10 79x10\n    \
         alert_rule_test:\n{}{}{}{}",
        at("90s", false),
        at("5m", true),
        at("10m", true),
        at("15m", false)
    );
    // Annotations are the rule's own words; only whether it fires is looked at here.
    let rules = std::fs::read_to_string(dir.path().join("rules.yml")).unwrap();
    let bare: Vec<&str> =
        rules.lines().filter(|line| !line.starts_with("          ") || line.contains("severity")).collect();
    let bare: Vec<&str> = bare.into_iter().filter(|line| line.trim() != "annotations:").collect();
    std::fs::write(dir.path().join("rules.yml"), bare.join("\n") + "\n").unwrap();
    let path = dir.path().join("test.yml");
    std::fs::write(&path, test).unwrap();
    if let Some((is_good, said)) = program("promtool", &["test", "rules", path.to_str().unwrap()]) {
        assert!(is_good, "{said}");
    }
}

const HARDENED: [&str; 19] = [
    "DynamicUser=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "MemoryDenyWriteExecute=yes",
    "LockPersonality=yes",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectControlGroups=yes",
    "ProtectClock=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "UMask=0077",
];

#[test]
fn units_have_every_wall_that_we_rely_on() {
    for (unit, own) in [
        (HOUSE, &["StateDirectory=millwright", "PrivateDevices=yes"][..]),
        (AGENT, &["StateDirectory=millwright-agent", "DevicePolicy=closed", "DeviceAllow=char-nvidia rw"]),
    ] {
        let lines: BTreeSet<&str> = unit.lines().collect();
        for directive in HARDENED.iter().chain(own) {
            assert!(lines.contains(directive), "{directive}");
        }
    }
    assert!(!AGENT.lines().any(|line| line.starts_with("PrivateDevices")), "it would hide the GPUs");
}

#[test]
fn systemd_takes_the_units() {
    for (name, unit) in [("millwright.service", HOUSE), ("millwright-agent.service", AGENT)] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        // It looks whether the program is there: one that is.
        std::fs::write(&path, unit.replace("/usr/bin/millwright", "/bin/true")).unwrap();
        let verified = program("systemd-analyze", &["verify", "--man=no", path.to_str().unwrap()]);
        if let Some((is_good, said)) = verified {
            assert!(is_good && !said.contains(name), "{said}");
        }
    }
}
