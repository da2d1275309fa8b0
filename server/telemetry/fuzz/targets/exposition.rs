//! Pages of metrics, as Prometheus text and as OpenMetrics: line by line, and by the reader that remembers a target.
//!
//! A form feed parts an input into two pages, for what was remembered of the first must not change the second.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::reading::SeriesKey;
use std::collections::BTreeSet;
use telemetry::exposition::{self, Format, Limits, Lines};
use telemetry::names::{Site, known};
use telemetry::scrape::page::{Page, Reader, Refused, Unmapped};
use telemetry_fuzz::{NOW, data, start, within};

const SMALL: Limits = Limits { body: 1 << 10, samples: 8, line: 96 };

fuzz_target!(init: begin(), |data: &[u8]| {
    let (first, second) = match data.iter().position(|byte| *byte == b'\x0c') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[][..]),
    };
    for format in [Format::Prometheus, Format::OpenMetrics] {
        lines(first, format, Limits::default());
        lines(first, format, SMALL);
        pages(first, second, format, Limits::default());
    }
    pages(first, second, Format::Prometheus, SMALL);
    assert!(exposition::metas(first).all(|meta| !meta.name.contains('\n') && !meta.text.contains('\n')));
});

/// A line that is well formed allocates nothing, and what is read keeps to the limits.
fn lines(page: &[u8], format: Format, limits: Limits) {
    let (mut good, mut bad, mut last) = (0, 0, 0);
    let mut lines = Lines::new(page, format, limits);
    let used = allocation_counter::measure(|| {
        for line in &mut lines {
            match line {
                Ok(line) => {
                    assert!(line.number > last && line.series.len() <= limits.line);
                    (good, last) = (good + 1, line.number);
                }
                Err(_) => bad += 1,
            }
        }
    });
    assert!(good <= limits.samples && lines.samples() == good && (bad > 0 || used.count_total == 0));
    for line in Lines::new(page, format, limits).flatten() {
        let Ok(series) = exposition::series(line.series) else { continue };
        let mut written = String::new();
        exposition::write_series(&mut written, &series.name, series.labels.iter().map(|(a, b)| (&**a, &**b)));
        assert_eq!(exposition::series(written.as_bytes()), Ok(series), "{written}");
    }
}

/// From memory a page comes to the same as read for the first time.
fn pages(first: &[u8], second: &[u8], format: Format, limits: Limits) {
    let unmapped = if limits == SMALL { Unmapped::Left } else { Unmapped::Kept };
    let fresh = || {
        let site = Site { source: "s".into(), instance: "n:1".into(), ..Site::default() };
        Reader::new(site, "", unmapped, limits)
    };
    let mut reader = fresh();
    let new = within(first.len(), 4_096, || read(&mut reader, first, format));
    let again = read(&mut reader, first, format);
    assert_eq!(new.as_ref().map(told), again.as_ref().map(told));
    assert_eq!(new.map(|page| readings(&page)), again.map(|page| readings(&page)));
    let (known, new) = (read(&mut reader, second, format), read(&mut fresh(), second, format));
    assert_eq!(known.as_ref().map(told), new.as_ref().map(told));
    // A page may name the host and the GPUs of all that come after it, and what is remembered is then made anew.
    let tells = [&b"nvidia_smi_gpu_info"[..], b"node_uname_info"];
    if let (Ok(known), Ok(new)) = (known, new)
        && !tells
            .iter()
            .any(|name| [first, second].iter().any(|page| page.windows(name.len()).any(|part| part == *name)))
    {
        let keys = |page: &Page| page.batch.readings.iter().map(|(key, ..)| SeriesKey::clone(key)).collect();
        let (known, new): (BTreeSet<SeriesKey>, BTreeSet<SeriesKey>) = (keys(&known), keys(&new));
        assert_eq!(known, new);
    }
}

fn read(reader: &mut Reader, page: &[u8], format: Format) -> Result<Page, Refused> {
    let page = reader.read(page, format, NOW)?;
    for (key, at_ms, value) in &page.batch.readings {
        assert!(value.is_finite() && at_ms.is_none_or(|at| at <= NOW + 600_000) && !key.name.is_empty());
    }
    Ok(page)
}

fn told(page: &Page) -> (u32, u32, u32) {
    (page.samples, page.batch.unknown, page.faults.count())
}

fn readings(page: &Page) -> Vec<(SeriesKey, Option<i64>, u64)> {
    page.batch.readings.iter().map(|(key, at, value)| (SeriesKey::clone(key), *at, value.to_bits())).collect()
}

fn begin() {
    let captures = ["80gb-hbm3__590.48.01__load", "mig__590.48.01__load"].into_iter().filter_map(|name| {
        let page = data(&format!("telemetry/nvidia_gpu_exporter/linux-x86_64__nvidia-h100-{name}.metrics"))?;
        let lines: Vec<&[u8]> = page.split_inclusive(|byte| *byte == b'\n').collect();
        Some(lines.chunks(12).map(<[_]>::concat).collect::<Vec<_>>())
    });
    let names: Vec<String> = known().map(|known| known.name).collect();
    let words = ["# EOF\n", " # {", "+Inf", "NaN", "{\"", "\"}", "=\"", "\\\"", "\x0c", "\u{feff}", " 1760000000000\n"];
    start(captures.flatten(), words.into_iter().chain(names.iter().map(String::as_str)));
}
