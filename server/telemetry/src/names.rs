//! What exporters call things, and what the house calls them.
//!
//! Never: reads a page or keeps a value. Each family of exporters is a table of rows, one a name, each with its source;
//! a name that is in none of them is said to be unknown rather than guessed at.
//!
//! Read `Row` first, then one of the tables.

mod accelerator;
mod engine;
mod node;

use model::metric::{Metric, Subject};
use model::reading::{Labels, label};

/// A name of an exporter's, and what it means.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// The name without its family's prefix.
    name: &'static str,
    metric: Metric,
    scale: Scale,
    /// Of several names for the same, the one of the least rank is used; the others stand in where it is missing.
    rank: u8,
    /// The row holds only where a label says so.
    when: When,
    /// A label that tells this name from its sisters.
    adds: Option<(&'static str, &'static str)>,
    /// Where the meaning and the unit are written.
    source: &'static str,
}

/// Which series of a name a row is of.
#[derive(Debug, Clone, Copy)]
enum When {
    /// All.
    Always,
    /// Those whose label has that value. The label has then said all it has to say, and is left out.
    Is(&'static str, &'static str),
    /// Those whose label holds one of these, in small letters.
    Holds(&'static str, &'static [&'static str]),
}

const fn row(name: &'static str, metric: Metric, scale: Scale, source: &'static str) -> Row {
    Row { name, metric, scale, rank: 0, when: When::Always, adds: None, source }
}

impl Row {
    const fn rank(self, rank: u8) -> Self {
        Self { rank, ..self }
    }
    const fn when(self, when: When) -> Self {
        Self { when, ..self }
    }
    const fn adds(self, label: &'static str, value: &'static str) -> Self {
        Self { adds: Some((label, value)), ..self }
    }
}

/// A histogram: its sum, its count and its buckets, in seconds.
#[derive(Debug, Clone, Copy)]
struct Histogram {
    name: &'static str,
    parts: [Metric; 3],
    rank: u8,
    source: &'static str,
}

/// Exporters that share a prefix.
#[derive(Debug)]
struct Family {
    /// What to call the exporter before a person.
    title: &'static str,
    /// The prefixes of its names, any of which may stand before a row's; the usual one first.
    prefixes: &'static [&'static str],
    /// The serving engine, where it is one.
    engine: Option<&'static str>,
    rows: &'static [Row],
    histograms: &'static [Histogram],
}

/// Every family. One without a prefix comes before those whose prefix its names could begin with.
const FAMILIES: &[&Family] = &[
    &accelerator::DCGM,
    &accelerator::NVIDIA_SMI,
    &node::NODE,
    &node::IPMI,
    &engine::VLLM,
    &engine::SGLANG,
    &engine::TRTLLM,
    &engine::TRITON,
    &engine::DYNAMO,
    &engine::NIM,
    &accelerator::AMD,
];

/// Beginnings of names that every program brings of itself: they are known, and nothing uses them.
const OF_THE_PROGRAM: &[&str] = &[
    "go_",
    "process_",
    "python_",
    "promhttp_",
    "prometheus_",
    "scrape_",
    "http_",
    "jvm_",
    "dcgm_exporter_",
    "rest_client_",
    "net_conntrack_",
    "workqueue_",
    "certwatcher_",
    "controller_runtime_",
    "up",
    "target_info",
    "exporter_",
];

/// How a raw value becomes one of the metric's unit: times this, divided by that. Both, because a hundredth is no `f64`,
/// and 57 % is to read as 0.57.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Multiplied first.
    pub times: f64,
    /// Divided by then.
    pub per: f64,
}

impl Scale {
    /// The value as it is.
    pub const ONE: Self = Self::times(1.0);
    const PERCENT: Self = Self::per(1e2);
    const MEGA: Self = Self::times(1e6);
    const MEBI: Self = Self::times(1_048_576.0);
    const MILLI: Self = Self::per(1e3);
    const MICRO: Self = Self::per(1e6);
    const NANO: Self = Self::per(1e9);

    const fn times(times: f64) -> Self {
        Self { times, per: 1.0 }
    }
    const fn per(per: f64) -> Self {
        Self { times: 1.0, per }
    }
    /// The value in the unit of its metric.
    pub fn apply(self, raw: f64) -> f64 {
        raw * self.times / self.per
    }
}

/// What a series is to the house.
#[derive(Debug, Clone, PartialEq)]
pub enum Mapped {
    /// A reading.
    Reading(Meaning),
    /// Known, and of no use.
    Ignored,
    /// Not known.
    Unknown,
}

/// What a series means.
#[derive(Debug, Clone, PartialEq)]
pub struct Meaning {
    /// What it measures.
    pub metric: Metric,
    /// Its labels as the house names them.
    pub labels: Labels,
    /// How its values become the metric's unit.
    pub scale: Scale,
    /// Of several series that come to the same metric and labels, the one of the least rank is used.
    pub rank: u8,
    /// The exporter, as a person calls it.
    pub exporter: &'static str,
}

/// What a series of an exporter means.
pub fn canonical(name: &str, labels: &[(String, String)]) -> Mapped {
    // Another house tells its readings under the names that they have here.
    if let Some(metric) = Metric::named(name).filter(|metric| metric.subject() != Subject::Source) {
        let named = match metric.subject() {
            Subject::Node => relabelled(metric, labels, None, When::Always),
            Subject::Gpu | Subject::Engine | Subject::Rack | Subject::Facility | Subject::Source => labels.to_vec(),
        };
        let exporter = if name.starts_with("node_") { node::NODE.title } else { "Millwright" };
        return reading(metric, Scale::ONE, 0, exporter, named);
    }
    let mut of_family = false;
    for family in FAMILIES {
        for rest in family.prefixes.iter().filter_map(|prefix| name.strip_prefix(prefix)) {
            if let Some(found) = family.find(rest, labels) {
                return found;
            }
            of_family |= rest.len() < name.len();
        }
    }
    let of_program = || OF_THE_PROGRAM.iter().any(|start| name.starts_with(start));
    if of_family || name.ends_with("_created") || of_program() { Mapped::Ignored } else { Mapped::Unknown }
}

/// A name that is known, as a page of help shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownName {
    /// The exporter, as a person calls it.
    pub exporter: &'static str,
    /// Its name for it; a histogram's without `_sum`, `_count` and `_bucket`.
    pub name: String,
    /// The metric that it becomes; of a histogram, its sum.
    pub metric: Metric,
    /// Where its meaning and its unit are written.
    pub source: &'static str,
}

/// Every name that is known, but those that are the same here and there.
pub fn known() -> impl Iterator<Item = KnownName> {
    FAMILIES.iter().flat_map(|family| {
        let known = |name: &str, metric, source| KnownName {
            exporter: family.title,
            name: format!("{}{name}", family.prefixes[0]),
            metric,
            source,
        };
        let rows = family.rows.iter().map(move |row| known(row.name, row.metric, row.source));
        rows.chain(family.histograms.iter().map(move |of| known(of.name, of.parts[0], of.source)))
    })
}

fn reading(metric: Metric, scale: Scale, rank: u8, exporter: &'static str, labels: Vec<(String, String)>) -> Mapped {
    Mapped::Reading(Meaning { metric, labels: Labels::of(labels), scale, rank, exporter })
}

impl Family {
    fn find(&self, rest: &str, labels: &[(String, String)]) -> Option<Mapped> {
        let holds = |row: &&Row| row.name == rest && row.when.holds(labels);
        if let Some(row) = self.rows.iter().find(holds) {
            let mut named = relabelled(row.metric, labels, self.engine, row.when);
            named.extend(row.adds.map(|(label, value)| (label.to_owned(), value.to_owned())));
            return Some(reading(row.metric, row.scale, row.rank, self.title, named));
        }
        self.histograms.iter().find_map(|histogram| {
            let part = ["_sum", "_count", "_bucket"]
                .iter()
                .position(|part| rest.strip_suffix(part) == Some(histogram.name))?;
            let metric = histogram.parts[part];
            let named = relabelled(metric, labels, self.engine, When::Always);
            Some(reading(metric, Scale::ONE, histogram.rank, self.title, named))
        })
    }
}

impl When {
    fn holds(self, labels: &[(String, String)]) -> bool {
        let value = |label: &str| labels.iter().find(|(name, _)| name == label).map(|(_, value)| value.as_str());
        match self {
            Self::Always => true,
            Self::Is(label, wanted) => value(label) == Some(wanted),
            Self::Holds(label, parts) => {
                let value = value(label).unwrap_or_default().to_ascii_lowercase();
                parts.iter().any(|part| value.contains(part))
            }
        }
    }
}

/// A label of ours, and what exporters call it, the best first.
type Names = (&'static str, &'static [&'static str]);

/// The labels that a reading of a GPU or a host keeps. Others, like the pod that runs on it now, would make a new series
/// of the same GPU with every job.
const OF_HARDWARE: &[Names] = &[
    (label::HOST, &["Hostname", "hostname", "host", "node", "kubernetes_node", "nodename"]),
    (label::GPU, &["gpu", "gpu_id", "gpu_index"]),
    (label::UUID, &["UUID", "uuid", "gpu_uuid", "serial_number"]),
    (label::MODEL, &["modelName", "card_model", "model", "card_series"]),
    (label::PCI, &["pci_bus_id"]),
    (label::DRIVER, &["DCGM_FI_DRIVER_VERSION", "driver_version"]),
    (label::RACK, &["rack"]),
    (label::HALL, &["hall"]),
    (label::SOURCE, &["source"]),
    ("cpu", &["cpu"]),
    ("mode", &["mode"]),
];

/// The labels that a reading of an engine changes; it keeps all others.
const OF_ENGINE: &[Names] = &[
    (label::HOST, &["host", "hostname", "Hostname", "node"]),
    (label::MODEL_NAME, &["model_name", "model"]),
    // vLLM numbers its replicas in a label that names the engine here.
    ("engine_index", &["engine"]),
];

/// Labels that say who scraped, or which container ran, and nothing of an engine.
const OF_THE_SCRAPE: &[&str] = &["job", "container", "endpoint", "service", "prometheus", "namespace"];

fn relabelled(metric: Metric, labels: &[(String, String)], engine: Option<&str>, when: When) -> Vec<(String, String)> {
    let value =
        |name: &str| labels.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value);
    let renamed = |names: &'static [Names]| {
        names
            .iter()
            .filter_map(move |(to, from)| Some(((*to).to_owned(), from.iter().find_map(|name| value(name))?.clone())))
    };
    let tenant = tenant(labels).map(|tenant| (label::TENANT.to_owned(), tenant.to_owned()));
    if metric.subject() == Subject::Engine {
        let spent = if let When::Is(label, _) = when { label } else { "" };
        let kept = |name: &str| {
            !(name == spent || OF_THE_SCRAPE.contains(&name) || name.starts_with("exported_"))
                && OF_ENGINE.iter().all(|(_, from)| !from.contains(&name))
        };
        let mut named: Vec<_> = labels.iter().filter(|(name, _)| kept(name)).cloned().collect();
        named.extend(renamed(OF_ENGINE));
        named.extend(tenant);
        named.extend(engine.map(|engine| (label::ENGINE.to_owned(), engine.to_owned())));
        return named;
    }
    let mut named: Vec<_> = renamed(OF_HARDWARE).collect();
    if let Some((_, uuid)) = named.iter_mut().find(|(name, _)| name == label::UUID) {
        *uuid = whole_uuid(uuid);
    }
    let part = part_of_gpu(labels);
    if part.is_empty() || is_of_the_part(metric) {
        named.extend(part);
        named.extend(tenant);
    }
    named
}

/// nvidia_gpu_exporter tells a UUID without `GPU-` and in small letters; NVML and DCGM tell it whole. One GPU is to be
/// one, whoever tells of it.
fn whole_uuid(uuid: &str) -> String {
    let groups: Vec<usize> = uuid.split('-').map(str::len).collect();
    let bare = groups == [8, 4, 4, 4, 12] && uuid.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    if bare { format!("GPU-{}", uuid.to_ascii_lowercase()) } else { uuid.to_owned() }
}

/// The MIG instance, or the partition of an AMD GPU that is split.
fn part_of_gpu(labels: &[(String, String)]) -> Vec<(String, String)> {
    let value =
        |name: &str| labels.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value);
    let split = value("gpu_compute_partition_type").is_some_and(|kind| !kind.eq_ignore_ascii_case("spx"));
    let part = value("GPU_I_ID").or(value(label::MIG)).or(value("gpu_partition_id").filter(|_| split));
    let profile =
        value("GPU_I_PROFILE").or(value("mig_profile")).or(value("gpu_compute_partition_type").filter(|_| split));
    let named = |name: &str, value: &String| (name.to_owned(), value.clone());
    part.into_iter()
        .flat_map(|part| {
            [Some(named(label::MIG, part)), profile.map(|profile| named("mig_profile", profile))].into_iter().flatten()
        })
        .collect()
}

/// Whether a figure is the instance's own. DCGM repeats what it reads of the whole board (power, heat, clocks, errors)
/// for each MIG instance: kept apart, these would add up to several boards, and to the wrong tenant.
///
/// Source: github.com/NVIDIA/dcgm-exporter issue 257.
fn is_of_the_part(metric: Metric) -> bool {
    [
        Metric::GpuMemoryUsed,
        Metric::GpuMemoryFree,
        Metric::GpuMemoryReserved,
        Metric::GpuMemoryTotal,
        Metric::GpuUtilization,
        Metric::GpuMemoryUtilization,
        Metric::GpuGraphicsActive,
        Metric::GpuTensorActive,
        Metric::GpuDramActive,
        Metric::GpuProcesses,
    ]
    .contains(&metric)
}

/// Whose work it is: the namespace of the pod. Where Prometheus scraped, `namespace` may be the exporter's own, and the
/// work's is `exported_namespace`.
fn tenant(labels: &[(String, String)]) -> Option<&str> {
    let value = |name: &str| {
        labels.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    };
    let own = || ["container", "pod"].iter().any(|name| value(name).is_some_and(|value| value.contains("exporter")));
    value(label::TENANT).or_else(|| value("exported_namespace")).or_else(|| value("namespace").filter(|_| !own()))
}

/// What a series tells of others on its page, itself no reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Info {
    /// The GPU of that id has these labels too.
    Gpu {
        /// Its id.
        uuid: String,
        /// Its index, model, driver and address.
        labels: Vec<(String, String)>,
    },
    /// All on the page is of that host.
    Host(String),
}

/// What a series tells of others.
pub fn info(name: &str, labels: &[(String, String)]) -> Option<Info> {
    let value = |name: &str| {
        labels.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.clone())
    };
    match name {
        "nvidia_smi_gpu_info" => {
            let names = [
                (label::GPU, "index"),
                (label::MODEL, "name"),
                (label::DRIVER, "driver_version"),
                (label::PCI, "pci_bus_id"),
            ];
            let labels = names.iter().filter_map(|(to, from)| Some(((*to).to_owned(), value(from)?))).collect();
            Some(Info::Gpu { uuid: whole_uuid(&value("uuid")?), labels })
        }
        "node_uname_info" => value("nodename").map(Info::Host),
        _ => None,
    }
}

/// What is true of all that a target tells, unless the target says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Site {
    /// Which source brings it.
    pub source: String,
    /// Where the target answers, for what tells itself apart by that alone.
    pub instance: String,
    /// The host.
    pub host: String,
    /// The rack; empty where it is not known, as below.
    pub rack: String,
    /// The hall.
    pub hall: String,
    /// Whose work it does.
    pub tenant: String,
}

impl Site {
    /// The labels of a reading, with what the site knows where the exporter says nothing. A metric that is not known is
    /// taken for one of an engine's kind.
    pub fn complete(&self, metric: Option<Metric>, labels: Labels) -> Labels {
        let instance = match metric.map(Metric::subject) {
            Some(Subject::Gpu | Subject::Node | Subject::Rack | Subject::Facility) => "",
            Some(Subject::Engine | Subject::Source) | None => &self.instance,
        };
        let known = [
            (label::SOURCE, self.source.as_str()),
            (label::INSTANCE, instance),
            (label::HOST, &self.host),
            (label::RACK, &self.rack),
            (label::HALL, &self.hall),
            (label::TENANT, &self.tenant),
        ];
        let missing = known.into_iter().filter(|(name, value)| !value.is_empty() && labels.get(name).is_none());
        let missing: Vec<(&str, &str)> = missing.collect();
        if missing.is_empty() {
            return labels;
        }
        Labels::of(labels.iter().chain(missing))
    }
}

#[cfg(test)]
pub(crate) mod tests;
