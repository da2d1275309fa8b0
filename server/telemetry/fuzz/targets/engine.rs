//! What serving engines tell: from the text of a page, by the tables of names, to the readings of the house.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::metric::{Metric, Subject};
use model::reading::{Labels, label};
use telemetry::exposition::{self, Format, Limits, Lines};
use telemetry::names::{Mapped, Meaning, Scale, Site, canonical, known};
use telemetry::scrape::page::{Reader, Unmapped};
use telemetry_fuzz::{NOW, start, within};

fuzz_target!(init: begin(), |data: &[u8]| {
    for line in Lines::new(data, Format::Prometheus, Limits::default()).flatten() {
        let Ok(series) = exposition::series(line.series) else { continue };
        if let Mapped::Reading(meaning) = canonical(&series.name, &series.labels) {
            mapped(&series.name, &meaning);
        }
    }
    let site = Site { source: "s".into(), instance: "n:8000".into(), host: "n".into(), ..Site::default() };
    let mut reader = Reader::new(site, "", Unmapped::Left, Limits::default());
    for at_ms in [NOW, NOW + 1_000] {
        let read = within(data.len(), 4_096, || reader.read(data, Format::Prometheus, at_ms));
        let Ok(page) = read else { continue };
        assert!(page.batch.readings.len() + page.batch.unknown as usize <= page.samples as usize);
        for (key, _, value) in &page.batch.readings {
            let metric: Metric = key.name.parse().expect("what is left is known");
            let placed = metric.subject() != Subject::Engine || key.labels.get(label::INSTANCE).is_some();
            assert!(value.is_finite() && placed && key.labels.get(label::SOURCE).is_some(), "{key}");
        }
    }
});

/// A reading has the labels of the house, and told on to another house it means the same.
fn mapped(name: &str, meaning: &Meaning) {
    let Meaning { metric, labels, scale, exporter, .. } = meaning;
    assert!(metric.subject() != Subject::Source && scale.apply(1.0).is_finite() && scale.apply(1.0) > 0.0, "{name}");
    assert!(labels.iter().all(|(_, value)| !value.is_empty()));
    if metric.subject() == Subject::Engine && *exporter != "Millwright" {
        let engines = ["vllm", "sglang", "trtllm", "dynamo", "nim"];
        assert!(labels.get(label::ENGINE).is_some_and(|engine| engines.contains(&engine)), "{name}");
        let scrape = ["job", "container", "endpoint", "service", "prometheus", "namespace"];
        assert!(labels.iter().all(|(name, _)| !scrape.contains(&name) && !name.starts_with("exported_")), "{name}");
    }
    let again: Vec<(String, String)> = labels.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let Mapped::Reading(told) = canonical(metric.name(), &again) else { panic!("{metric} is not known") };
    assert_eq!((told.metric, &told.labels, told.scale), (*metric, &Labels::of(again), Scale::ONE), "{name}");
}

fn begin() {
    let names: Vec<String> = known().map(|known| known.name).collect();
    let labels = ["model_name", "model", "engine", "namespace", "exported_namespace", "tenant", "pod", "request_type"];
    let words = ["=\"", "\",", "\"} ", "_sum", "_count", "_bucket", "le=\"+Inf\"", "NaN", "1e300"];
    let own = Metric::ALL.iter().map(|metric| metric.name());
    let words = words.into_iter().chain(labels).chain(own).chain(names.iter().map(String::as_str));
    start([], words);
}
