//! The fleet as it is now, as Prometheus reads it: what is stale is not there.

use super::page::{BYTES_MAX, Page};
use crate::fleet::Fleet;
use crate::fleet::live::{Building, Live, Node};
use crate::fleet::words_of;
use model::metric::{Kind, Metric, Subject};
use model::reading::{Sample, SeriesKey, label};
use std::sync::Arc;

/// How many families did not fit.
const LEFT_OUT: &str = "millwright_export_left_out_families";

/// Name and value of each label of one thing.
type Named = Vec<(&'static str, String)>;
/// Things of one subject: the labels of each, and its values in the order of the subject's metrics.
type Things = Vec<(Named, Vec<Option<f64>>)>;

/// What is told, taken out of the fleet at one moment, so that it does not wait while the page is written.
#[derive(Debug, Default)]
pub struct Now {
    derived: Vec<(Arc<SeriesKey>, Sample)>,
    subjects: Vec<(Subject, Things)>,
    bytes_max: usize,
}

fn metrics_of(subject: Subject) -> impl Iterator<Item = Metric> {
    Metric::ALL.iter().copied().filter(move |metric| metric.subject() == subject)
}

impl Now {
    /// The fleet at this moment.
    pub fn of(fleet: &Fleet) -> Self {
        let derived = fleet.derived_now();
        let live = fleet.now();
        let subjects = vec![
            (Subject::Facility, vec![of_building(&live, Subject::Facility, Named::new(), &live.facility)]),
            (Subject::Rack, live.racks.iter().map(|(rack, of)| of_rack(&live, rack, of)).collect()),
            (Subject::Engine, of_engines(&live)),
            (Subject::Node, live.nodes.iter().map(|node| of_node(&live, node)).collect()),
            (Subject::Gpu, of_gpus(&live)),
        ];
        Self { derived, subjects, bytes_max: BYTES_MAX }
    }

    /// The page; the fleet's own figures first, the GPUs' last, since those are most.
    pub fn page(&self) -> Page {
        let (mut page, mut left_out) = (Page::default(), 0_u32);
        let mut derived: Vec<&(Arc<SeriesKey>, Sample)> = self.derived.iter().collect();
        derived.sort_by(|left, right| left.0.cmp(&right.0));
        for family in derived.chunk_by(|left, right| left.0.name == right.0.name) {
            let Some((first, _)) = family.first() else { continue };
            let kind = if first.name.ends_with("_total") { Kind::Counter } else { Kind::Gauge };
            let begin = page.len();
            page.family(&first.name, kind, words_of(&first.name).map_or("Derived by Millwright", |(words, _)| words));
            for (key, sample) in family {
                page.value(&key.name, &key.labels.iter().collect::<Vec<_>>(), sample.value);
            }
            left_out += u32::from(self.is_too_long(&mut page, begin));
        }
        for (subject, things) in &self.subjects {
            for (at, metric) in metrics_of(*subject).enumerate() {
                left_out += u32::from(self.put(&mut page, metric, at, things));
            }
        }
        page.one_gauge(LEFT_OUT, "Metrics that did not fit on this page", f64::from(left_out));
        page
    }

    /// Puts a metric of all things there are. Whether it did not fit.
    fn put(&self, page: &mut Page, metric: Metric, at: usize, things: &[(Named, Vec<Option<f64>>)]) -> bool {
        let values = || things.iter().filter_map(|(labels, values)| Some((labels, (*values.get(at)?)?)));
        if values().next().is_none() {
            return false;
        }
        let begin = page.len();
        page.family(metric.name(), metric.kind(), metric.words());
        for (labels, value) in values() {
            let labels: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
            page.value(metric.name(), &labels, value);
            if page.len() > self.bytes_max {
                break;
            }
        }
        self.is_too_long(page, begin)
    }

    /// Takes a family back that makes the page too long: half of one would be a lie.
    fn is_too_long(&self, page: &mut Page, begin: usize) -> bool {
        let is_too_long = page.len() > self.bytes_max;
        if is_too_long {
            page.back_to(begin);
        }
        is_too_long
    }
}

fn of_building(live: &Live, subject: Subject, labels: Named, building: &Building) -> (Named, Vec<Option<f64>>) {
    (labels, metrics_of(subject).map(|metric| live.fresh(building, metric)).collect())
}

fn of_rack(live: &Live, rack: &str, building: &Building) -> (Named, Vec<Option<f64>>) {
    of_building(live, Subject::Rack, vec![(label::RACK, rack.to_owned())], building)
}

fn place_of(node: &Node) -> Named {
    let all = [
        (label::HALL, &node.hall),
        (label::RACK, &node.rack),
        (label::HOST, &node.host),
        (label::TENANT, &node.tenant),
    ];
    all.into_iter().map(|(name, value)| (name, value.clone())).collect()
}

fn of_node(live: &Live, node: &Node) -> (Named, Vec<Option<f64>>) {
    (place_of(node), metrics_of(Subject::Node).map(|metric| live.fresh_node(node, metric)).collect())
}

fn of_engines(live: &Live) -> Things {
    let fresh = |engine: &crate::fleet::live::Engine, metric| {
        let last = engine.values.get(&metric)?;
        live.is_engine_fresh(last).then_some(last.value)
    };
    live.engines
        .iter()
        .map(|engine| {
            let labels = [
                (label::INSTANCE, &engine.instance),
                (label::ENGINE, &engine.kind),
                (label::MODEL_NAME, &engine.model_name),
                (label::HOST, &engine.host),
            ];
            let labels = labels.into_iter().map(|(name, value)| (name, value.clone())).collect();
            (labels, metrics_of(Subject::Engine).map(|metric| fresh(engine, metric)).collect())
        })
        .collect()
}

fn of_gpus(live: &Live) -> Things {
    live.gpus
        .iter()
        .map(|gpu| {
            let node = &live.nodes[gpu.node as usize];
            let mut labels = place_of(node);
            labels.extend([
                (label::GPU, gpu.index.clone()),
                (label::UUID, gpu.uuid.clone()),
                (label::MODEL, node.model.clone()),
            ]);
            (labels, metrics_of(Subject::Gpu).map(|metric| gpu.value(metric)).collect())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_whole_and_told() {
        let gpu = |index: usize, power: Option<f64>| {
            let labels = vec![(label::HOST, "node\"1".to_owned()), (label::GPU, index.to_string())];
            let of = |metric| power.filter(|_| metric == Metric::GpuPower);
            let values = metrics_of(Subject::Gpu)
                .map(|metric| of(metric).or((metric == Metric::GpuTemperature).then_some(60.0)));
            (labels, values.collect())
        };
        let gpus: Vec<_> = (0..50).map(|index| gpu(index, (index != 7).then_some(512.5))).collect();
        let mut now = Now { subjects: vec![(Subject::Gpu, gpus)], bytes_max: BYTES_MAX, ..Now::default() };
        let page = now.page();
        let lines: Vec<&str> = page.text().lines().filter(|line| line.starts_with("gpu_power_watts{")).collect();
        assert_eq!(lines.len(), 49, "what was not read is not there");
        assert_eq!(lines[0], r#"gpu_power_watts{host="node\"1",gpu="0"} 512.5"#);
        assert!(page.text().ends_with(&format!("{LEFT_OUT} 0\n")));
        now.bytes_max = 3_000;
        let page = now.page();
        assert_eq!(page.text().matches("# TYPE gpu_").count(), 1, "{}", page.text());
        assert!(page.text().ends_with(&format!("{LEFT_OUT} 1\n")) && page.len() < 3_200);
    }
}
