//! Hosts: node exporter, IPMI exporter.

use super::{Family, Row, Scale, When, row};
use model::metric::Metric as M;

/// github.com/prometheus/node_exporter, `collector/fixtures/e2e-output.txt`.
const PAGE: &str = "node_exporter collector/fixtures/e2e-output.txt";

/// The Prometheus project's exporter of a host. What has the same name here and there is in the registry itself.
pub(super) const NODE: Family =
    Family { title: "node exporter", prefixes: &["node_"], engine: None, histograms: &[], rows: NODE_ROWS };

/// The power meter of the whole host has the hardware id ACPI000D (ACPI 6.5, section 10.4); a GPU's own has another chip.
const METER: When = When::Holds("chip", &["acpi000d", "power_meter"]);

const NODE_ROWS: &[Row] = &[
    row("memory_MemAvailable_bytes", M::NodeMemoryAvailable, Scale::ONE, PAGE),
    row("memory_MemTotal_bytes", M::NodeMemoryTotal, Scale::ONE, PAGE),
    row("hwmon_power_average_watt", M::NodePower, Scale::ONE, PAGE).when(METER).rank(1),
    row("hwmon_power_input_watt", M::NodePower, Scale::ONE, PAGE).when(METER).rank(2),
];

/// The Prometheus project's exporter of management controllers.
pub(super) const IPMI: Family = Family {
    title: "IPMI exporter",
    prefixes: &["ipmi_"],
    engine: None,
    histograms: &[],
    rows: &[row("dcmi_power_consumption_watts", M::NodePower, Scale::ONE, "ipmi_exporter docs/metrics.md")],
};
