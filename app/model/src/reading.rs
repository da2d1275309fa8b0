//! Live readings: a series is a name with labels, a reading a value of it at a time.
//!
//! Readings are shaped like the columns of a trace, so that a live fleet and its plan are one chart. A value that was
//! not read is absent: it is never zero, and never the one before.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Labels in the order of their names, each name once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Labels(Vec<(String, String)>);

/// The labels that Millwright itself gives meaning.
pub mod label {
    /// Which source brought it.
    pub const SOURCE: &str = "source";
    /// The host's name.
    pub const HOST: &str = "host";
    /// Index of the GPU on its host.
    pub const GPU: &str = "gpu";
    /// The GPU's own id.
    pub const UUID: &str = "uuid";
    /// The GPU's model, as its driver says it.
    pub const MODEL: &str = "model";
    /// MIG instance of the GPU.
    pub const MIG: &str = "mig";
    /// PCI address.
    pub const PCI: &str = "pci_bus_id";
    /// The driver's version.
    pub const DRIVER: &str = "driver_version";
    /// The rack, as the facility and the IT side both name it.
    pub const RACK: &str = "rack";
    /// The hall.
    pub const HALL: &str = "hall";
    /// Whose work it does.
    pub const TENANT: &str = "tenant";
    /// The language model that an engine serves.
    pub const MODEL_NAME: &str = "model_name";
    /// Which serving engine it is: `vllm`, `sglang`, `trtllm`, `dynamo`, `nim`.
    pub const ENGINE: &str = "engine";
    /// Where an engine answers, or a target is read.
    pub const INSTANCE: &str = "instance";
    /// Upper bound of a histogram's bucket.
    pub const LE: &str = "le";
    /// The building's own path of a point.
    pub const TAG: &str = "tag_path";
    /// The kind of object that a point belongs to.
    pub const OBJECT_TYPE: &str = "object_type";
    /// The kind of point.
    pub const POINT_TYPE: &str = "point_type";
    /// The object that a point belongs to.
    pub const OBJECT: &str = "object";
}

impl Labels {
    /// Labels in any order; of a name that comes twice, the last stands. Empty values are left out: they mean nothing.
    pub fn of(labels: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Self {
        let mut all: Vec<(String, String)> =
            labels.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        all.reverse();
        all.sort_by(|left, right| left.0.cmp(&right.0));
        all.dedup_by(|later, first| later.0 == first.0);
        all.retain(|(_, value)| !value.is_empty());
        Self(all)
    }
    /// The value of a label.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.binary_search_by(|(at, _)| at.as_str().cmp(name)).ok()?;
        Some(&self.0[found].1)
    }
    /// The same with one label more, or another value of it.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut all = self.0.clone();
        all.push((name.to_owned(), value.to_owned()));
        Self::of(all)
    }
    /// Name and value of each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self::of(Vec::<(String, String)>::deserialize(from)?))
    }
}

/// Which stream of values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SeriesKey {
    /// The metric's name.
    pub name: String,
    /// What it is of.
    pub labels: Labels,
}

impl fmt::Display for SeriesKey {
    /// As Prometheus writes it: `name{label="value"}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.labels.is_empty() {
            return Ok(());
        }
        let labels: Vec<String> = self.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        write!(f, "{{{}}}", labels.join(","))
    }
}

/// A value at a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When it held, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// In the unit of its metric.
    pub value: f64,
}

/// A value of a series at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Which series.
    pub series: SeriesKey,
    /// What it was, and when.
    pub sample: Sample,
}

/// What a chart draws of a stretch of time: the least, greatest and mean value, and how many readings it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Bucket {
    /// Where it begins, milliseconds since 1970 UTC.
    pub start_ms: i64,
    /// The least value.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// All of them added up.
    pub sum: f64,
    /// How many there were; never 0.
    pub count: u32,
}

impl Bucket {
    /// A bucket of one reading.
    pub fn of(start_ms: i64, value: f64) -> Self {
        Self { start_ms, min: value, max: value, sum: value, count: 1 }
    }
    /// Both in one; it begins where this one does.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            start_ms: self.start_ms,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            sum: self.sum + other.sum,
            count: self.count.saturating_add(other.count),
        }
    }
    /// The mean value.
    pub fn mean(&self) -> f64 {
        self.sum / f64::from(self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_one_order_and_each_name_once() {
        let labels = Labels::of([("b", "2"), ("a", "1"), ("b", "3"), ("c", "")]);
        assert_eq!(labels.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "3")]);
        assert_eq!((labels.get("b"), labels.get("c")), (Some("3"), None));
        assert_eq!(labels.with("a", "9").get("a"), Some("9"));
    }

    #[test]
    fn a_series_reads_as_prometheus_writes_it() {
        let key = SeriesKey { name: "up".into(), labels: Labels::of([("host", "a\"b")]) };
        assert_eq!(key.to_string(), r#"up{host="a\"b"}"#);
    }
}
