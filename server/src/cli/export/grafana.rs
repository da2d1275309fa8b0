//! Dashboards for Grafana: tables of panels, made into the JSON that it imports. The data source is asked for at the import.

use super::Dashboard;
use serde_json::{Value, json};

/// A panel: what it is called, the unit as Grafana names it, and what is drawn, with the words of the legend.
#[derive(Debug)]
struct Panel {
    title: &'static str,
    unit: &'static str,
    look: Look,
    lines: &'static [(&'static str, &'static str)],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// A number, the last one.
    Figure,
    /// Lines over time. Gaps stay gaps: what was not read was not read.
    Lines,
}

const fn figure(title: &'static str, unit: &'static str, lines: &'static [(&'static str, &'static str)]) -> Panel {
    Panel { title, unit, look: Look::Figure, lines }
}

const fn lines(title: &'static str, unit: &'static str, lines: &'static [(&'static str, &'static str)]) -> Panel {
    Panel { title, unit, look: Look::Lines, lines }
}

/// GPUs, nodes and engines.
const FLEET: &[Panel] = &[
    figure("Output tokens each second", "short", &[("fleet_output_tokens_per_second", "now")]),
    figure("Tokens each second for each megawatt", "short", &[("fleet_tokens_per_second_per_mw", "now")]),
    figure("GPUs that can be used", "short", &[("fleet_gpus_usable", "now")]),
    figure("Power of the GPU boards", "watt", &[("fleet_board_power_watts", "now")]),
    lines(
        "Tokens each second, by engine",
        "short",
        &[(
            "sum by (instance, model_name) (rate(engine_output_tokens_total{host=~\"$host\"}[5m]))",
            "{{instance}} {{model_name}}",
        )],
    ),
    lines(
        "Joules for each output token",
        "joule",
        &[("rate(fleet_board_energy_joules_total[5m]) / rate(fleet_output_tokens_total[5m])", "boards")],
    ),
    lines(
        "Board power, by rack",
        "watt",
        &[("sum by (rack) (gpu_power_watts{rack=~\"$rack\", host=~\"$host\"})", "{{rack}}")],
    ),
    lines(
        "Board power over its limit",
        "percentunit",
        &[(
            "max by (host) (gpu_power_watts{rack=~\"$rack\", host=~\"$host\"} / gpu_power_limit_watts{rack=~\"$rack\", host=~\"$host\"})",
            "{{host}}",
        )],
    ),
    lines(
        "Time in which a kernel ran",
        "percentunit",
        &[("avg by (host) (gpu_utilization_ratio{rack=~\"$rack\", host=~\"$host\"})", "{{host}}")],
    ),
    lines(
        "Time in which the tensor cores were active",
        "percentunit",
        &[("avg by (host) (gpu_tensor_active_ratio{rack=~\"$rack\", host=~\"$host\"})", "{{host}}")],
    ),
    lines(
        "Hottest GPU and memory",
        "celsius",
        &[
            ("max by (host) (gpu_temperature_celsius{rack=~\"$rack\", host=~\"$host\"})", "{{host}}"),
            ("max by (host) (gpu_memory_temperature_celsius{rack=~\"$rack\", host=~\"$host\"})", "{{host}} memory"),
        ],
    ),
    lines(
        "Clock of the processors",
        "hertz",
        &[("avg by (host) (gpu_sm_clock_hertz{rack=~\"$rack\", host=~\"$host\"})", "{{host}}")],
    ),
    lines(
        "Time held down by power and by heat",
        "percentunit",
        &[
            ("avg by (rack) (rate(gpu_power_violation_seconds_total{rack=~\"$rack\"}[5m]))", "{{rack}} power"),
            ("avg by (rack) (rate(gpu_thermal_violation_seconds_total{rack=~\"$rack\"}[5m]))", "{{rack}} heat"),
        ],
    ),
    lines(
        "Memory used",
        "percentunit",
        &[(
            "sum by (host) (gpu_memory_used_bytes{rack=~\"$rack\", host=~\"$host\"}) / sum by (host) (gpu_memory_total_bytes{rack=~\"$rack\", host=~\"$host\"})",
            "{{host}}",
        )],
    ),
    lines(
        "Memory errors, corrected and not",
        "short",
        &[
            ("sum by (host) (increase(gpu_ecc_corrected_total{host=~\"$host\"}[1h]))", "{{host}} corrected"),
            ("sum by (host) (increase(gpu_ecc_uncorrected_total{host=~\"$host\"}[1h]))", "{{host}} not corrected"),
        ],
    ),
    lines("Last XID", "none", &[("max by (host, gpu) (gpu_last_xid{host=~\"$host\"}) > 0", "{{host}} GPU {{gpu}}")]),
    lines(
        "Requests under way and waiting",
        "short",
        &[
            ("sum by (instance) (engine_requests_running{host=~\"$host\"})", "{{instance}} under way"),
            ("sum by (instance) (engine_requests_waiting{host=~\"$host\"})", "{{instance}} waiting"),
        ],
    ),
    lines(
        "Mean time to the first token",
        "s",
        &[(
            "sum by (instance) (rate(engine_ttft_seconds_sum{host=~\"$host\"}[5m])) / sum by (instance) (rate(engine_ttft_seconds_count{host=~\"$host\"}[5m]))",
            "{{instance}}",
        )],
    ),
    lines(
        "Mean time between tokens",
        "s",
        &[(
            "sum by (instance) (rate(engine_tpot_seconds_sum{host=~\"$host\"}[5m])) / sum by (instance) (rate(engine_tpot_seconds_count{host=~\"$host\"}[5m]))",
            "{{instance}}",
        )],
    ),
    lines(
        "KV cache in use",
        "percentunit",
        &[("max by (instance) (engine_kv_cache_used_ratio{host=~\"$host\"})", "{{instance}}")],
    ),
];

/// Power, cooling and the grid.
const FACILITY: &[Panel] = &[
    figure("Facility power", "watt", &[("fleet_facility_power_watts", "now")]),
    figure("Power into the racks", "watt", &[("fleet_it_power_watts", "now")]),
    figure("PUE", "none", &[("fleet_facility_power_watts / fleet_it_power_watts", "now")]),
    figure("Load that the grid asks for", "watt", &[("grid_load_target_watts", "now")]),
    lines(
        "Power at each boundary",
        "watt",
        &[
            ("fleet_facility_power_watts", "facility"),
            ("fleet_it_power_watts", "racks"),
            ("fleet_board_power_watts", "GPU boards"),
            ("grid_load_target_watts", "asked for"),
        ],
    ),
    lines("PUE", "none", &[("fleet_facility_power_watts / fleet_it_power_watts", "PUE")]),
    lines("Tokens each second for each megawatt", "short", &[("fleet_tokens_per_second_per_mw", "made")]),
    lines("Power of each rack", "watt", &[("rack_power_watts{rack=~\"$rack\"}", "{{rack}}")]),
    lines(
        "Power of each rack beside that of its GPU boards",
        "percentunit",
        &[(
            "sum by (rack) (gpu_power_watts{rack=~\"$rack\"}) / sum by (rack) (rack_power_watts{rack=~\"$rack\"})",
            "{{rack}}",
        )],
    ),
    lines(
        "Coolant in and out",
        "celsius",
        &[
            ("rack_liquid_supply_celsius{rack=~\"$rack\"}", "{{rack}} in"),
            ("rack_liquid_return_celsius{rack=~\"$rack\"}", "{{rack}} out"),
        ],
    ),
    lines(
        "Coolant flow",
        "none",
        &[("60000 * rack_liquid_flow_cubic_metres_per_second{rack=~\"$rack\"}", "{{rack}} L/min")],
    ),
    lines(
        "Pressure across the rack's coolant",
        "pressurepa",
        &[("rack_liquid_differential_pressure_pascals{rack=~\"$rack\"}", "{{rack}}")],
    ),
    lines(
        "Hottest GPU in each rack",
        "celsius",
        &[("max by (rack) (gpu_temperature_celsius{rack=~\"$rack\"})", "{{rack}}")],
    ),
    lines("Leaks", "none", &[("max by (rack) (rack_leak{rack=~\"$rack\"})", "{{rack}}")]),
];

/// Which variables a dashboard has: name, and the metric whose labels they are.
const VARIABLES: [(&str, &str); 2] = [("rack", "gpu_power_watts"), ("host", "gpu_power_watts")];

/// A dashboard as Grafana imports it.
pub fn dashboard(which: Dashboard) -> Value {
    let (title, uid, panels) = match which {
        Dashboard::Fleet => ("Millwright: fleet", "millwright-fleet", FLEET),
        Dashboard::Facility => ("Millwright: facility", "millwright-facility", FACILITY),
    };
    json!({
        "__inputs": [{
            "name": "DS_PROMETHEUS", "label": "Prometheus", "type": "datasource", "pluginId": "prometheus",
            "pluginName": "Prometheus", "description": "It reads /metrics/fleet with honor_labels, or takes what Millwright sends on."
        }],
        "__requires": [
            { "type": "grafana", "id": "grafana", "name": "Grafana", "version": "10.0.0" },
            { "type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0" },
        ],
        "title": title,
        "uid": uid,
        "tags": ["millwright"],
        "schemaVersion": 38,
        "version": 1,
        "editable": true,
        "timezone": "browser",
        "refresh": "30s",
        "time": { "from": "now-6h", "to": "now" },
        "templating": { "list": VARIABLES.map(|(name, metric)| variable(name, metric)) },
        "panels": placed(panels),
    })
}

fn source() -> Value {
    json!({ "type": "prometheus", "uid": "${DS_PROMETHEUS}" })
}

fn variable(name: &str, metric: &str) -> Value {
    let query = format!("label_values({metric}, {name})");
    json!({
        "name": name, "label": name, "type": "query", "datasource": source(), "definition": query,
        "query": { "query": query, "refId": name }, "refresh": 2, "sort": 7, "multi": true, "includeAll": true,
        "allValue": ".*", "current": { "text": "All", "value": "$__all" },
    })
}

/// Figures in rows of four above, lines in rows of two below.
fn placed(panels: &[Panel]) -> Vec<Value> {
    let figures = panels.iter().filter(|panel| panel.look == Look::Figure).count();
    let height = 4 * figures.div_ceil(4);
    let (mut figure_at, mut lines_at) = (0, 0);
    (1..)
        .zip(panels)
        .map(|(id, panel)| {
            let place = match panel.look {
                Look::Figure => {
                    let at = figure_at;
                    figure_at += 1;
                    json!({ "x": 6 * (at % 4), "y": 4 * (at / 4), "w": 6, "h": 4 })
                }
                Look::Lines => {
                    let at = lines_at;
                    lines_at += 1;
                    json!({ "x": 12 * (at % 2), "y": height + 8 * (at / 2), "w": 12, "h": 8 })
                }
            };
            of_panel(id, panel, &place)
        })
        .collect()
}

fn of_panel(id: u32, panel: &Panel, place: &Value) -> Value {
    let targets: Vec<Value> = ('A'..)
        .zip(panel.lines)
        .map(|(name, (expression, legend))| {
            json!({ "refId": name.to_string(), "datasource": source(), "expr": expression, "legendFormat": legend })
        })
        .collect();
    let (kind, options) = match panel.look {
        Look::Figure => ("stat", json!({ "reduceOptions": { "calcs": ["lastNotNull"] }, "graphMode": "area" })),
        Look::Lines => ("timeseries", json!({ "legend": { "displayMode": "list" }, "tooltip": { "mode": "multi" } })),
    };
    json!({
        "id": id, "title": panel.title, "type": kind, "datasource": source(), "gridPos": place, "targets": targets,
        "options": options,
        "fieldConfig": { "defaults": { "unit": panel.unit, "custom": { "spanNulls": false, "fillOpacity": 0 } }, "overrides": [] },
    })
}
