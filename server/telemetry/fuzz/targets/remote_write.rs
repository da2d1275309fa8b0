//! Remote write: a body as it comes, and the message that it would be if it were unpacked already.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::reading::{Labels, SeriesKey};
use telemetry::remote_write::{self, Cache, Counted, Error, Limits, Point, encode, pack, read, unpack};
use telemetry_fuzz::{NOW, start, within};

const SMALL: Limits =
    Limits { compressed: 1 << 10, unpacked: 1 << 10, series: 3, samples: 4, labels: 3, label_name: 8, label_value: 16 };

fuzz_target!(init: begin(), |data: &[u8]| {
    let limits = Limits::default();
    // Snappy unpacks at most 22 times what it was given, and the smallest sample, of two bytes, becomes 24.
    let unpacked = within(data.len(), 1_024, || {
        let mut seen = (0, 0);
        let counted = remote_write::decode(data, &limits, |_, points| {
            seen = (seen.0 + 1, seen.1 + points.len() as u32);
            Ok(())
        });
        assert!(counted.is_err() || counted.is_ok_and(|of| (of.series, of.samples) == seen));
        unpack(data, &limits)
    });
    if let Ok(message) = unpacked {
        whole(&message);
    }
    whole(data);
    assert_eq!(pack(data).and_then(|body| unpack(&body, &limits)).as_deref(), Ok(data));
});

type Read = Vec<(SeriesKey, Vec<Point>)>;
/// The same to the bit, for no NaN is equal to itself.
type Bits<'a> = Vec<(&'a SeriesKey, Vec<(i64, Option<u64>)>)>;

/// What is read can be written, and read again as the same; limits are kept.
fn whole(message: &[u8]) {
    let mut cache = Cache::of(2);
    if let Ok(counted) = series(message, &SMALL, &mut cache, &mut Read::new()) {
        assert!(counted.series <= SMALL.series && counted.samples <= SMALL.samples);
    }
    let mut all = Read::new();
    let Ok(counted) = series(message, &Limits::default(), &mut cache, &mut all) else { return };
    assert!(cache.len() <= 2 && counted.gaps <= counted.samples);
    let written = encode(all.iter().map(|(key, points)| (key, &points[..])));
    let mut again = Read::new();
    series(&written, &Limits::default(), &mut cache, &mut again).expect("what we write can be read");
    assert_eq!(bits(&again), bits(&all));
    let parts = remote_write::cut(message).expect("what can be read can be cut");
    let cut = read(&parts.concat(), &Limits::default(), |_, _| Ok(())).expect("any run of parts is a message");
    assert_eq!((cut.series, cut.samples), (parts.len() as u32, counted.samples));
}

/// Reads a message; series whose labels are wrong are passed over.
fn series(message: &[u8], limits: &Limits, cache: &mut Cache<SeriesKey>, all: &mut Read) -> Result<Counted, Error> {
    read(message, limits, |labels, points| {
        let Ok(key) = labels.key() else { return Ok(()) };
        let names: Vec<&str> = key.labels.iter().map(|(name, _)| name).collect();
        assert!(names.is_sorted() && names.len() < limits.labels && !names.contains(&remote_write::NAME));
        let fits = |(name, value): (&str, &str)| name.len() <= limits.label_name && value.len() <= limits.label_value;
        assert!(!key.name.is_empty() && key.name.len() <= limits.label_value && key.labels.iter().all(fits));
        assert_eq!(cache.get(labels, Ok).as_deref(), Ok(&key));
        all.push((key, points.to_vec()));
        Ok(())
    })
}

fn bits(read: &Read) -> Bits<'_> {
    let of = |points: &[Point]| points.iter().map(|point| (point.at_ms, point.value.map(f64::to_bits))).collect();
    read.iter().map(|(key, points)| (key, of(points))).collect()
}

fn begin() {
    let key = |name: &str, labels: &[(&str, &str)]| SeriesKey {
        name: name.into(),
        labels: Labels::of(labels.iter().copied()),
    };
    let power = key("DCGM_FI_DEV_POWER_USAGE", &[("Hostname", "n"), ("gpu", "0"), ("_a", "b")]);
    let running = key("vllm:num_requests_running", &[("model_name", "m"), ("instance", "n:8000")]);
    let points = [(NOW, Some(631.95)), (NOW + 1, None), (0, Some(-0.0)), (-1, Some(f64::INFINITY))]
        .map(|(at_ms, value)| Point { at_ms, value });
    let small = encode([(&running, &points[..1])]);
    let large = encode([(&power, &points[..]), (&running, &points[1..2])]);
    let packed = [&small[..], &large].map(|message| pack(message).expect("it can be packed"));
    let words = ["__name__", "\x0a", "\x12", "\x09", "\x10", "\x22", "\x2a"];
    start([small, large].into_iter().chain(packed), words);
}
