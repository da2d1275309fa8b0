use super::*;
use proptest::prelude::*;
use prost::Message;
use std::time::Instant;

/// The message as its definition has it, for what is read by another decoder and written by another encoder.
mod definition {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct WriteRequest {
        #[prost(message, repeated, tag = "1")]
        pub(super) timeseries: Vec<TimeSeries>,
        #[prost(message, repeated, tag = "3")]
        pub(super) metadata: Vec<Metadata>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct TimeSeries {
        #[prost(message, repeated, tag = "1")]
        pub(super) labels: Vec<Label>,
        #[prost(message, repeated, tag = "2")]
        pub(super) samples: Vec<Sample>,
        #[prost(bytes = "vec", repeated, tag = "4")]
        pub(super) histograms: Vec<Vec<u8>>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Label {
        #[prost(string, tag = "1")]
        pub(super) name: String,
        #[prost(string, tag = "2")]
        pub(super) value: String,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Sample {
        #[prost(double, tag = "1")]
        pub(super) value: f64,
        #[prost(int64, tag = "2")]
        pub(super) timestamp: i64,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Metadata {
        #[prost(int32, tag = "1")]
        pub(super) kind: i32,
        #[prost(string, tag = "2")]
        pub(super) family: String,
    }
}
use definition::{Label, Metadata, Sample, TimeSeries, WriteRequest};

fn label(name: &str, value: &str) -> Label {
    Label { name: name.into(), value: value.into() }
}

fn key(name: &str, labels: &[(&str, &str)]) -> SeriesKey {
    SeriesKey { name: name.into(), labels: Labels::of(labels.iter().copied()) }
}

type All = (Vec<(SeriesKey, Vec<Point>)>, Counted);

fn all(body: &[u8]) -> Result<All, Error> {
    let mut series = Vec::new();
    let counted = decode(body, &Limits::default(), |labels, points| {
        series.push((labels.key()?, points.to_vec()));
        Ok(())
    })?;
    Ok((series, counted))
}

fn refused(message: &[u8]) -> String {
    all(&pack(message).unwrap()).unwrap_err().to_string()
}

#[test]
fn reads_what_another_encoder_wrote() {
    let request = WriteRequest {
        timeseries: vec![TimeSeries {
            labels: vec![label("gpu", "0"), label(NAME, "power"), label("Host", "a")],
            samples: vec![
                Sample { value: 1.5, timestamp: 1_764_000_000_000 },
                Sample { value: f64::from_bits(STALE_BITS), timestamp: -1 },
                Sample { value: 0.0, timestamp: 0 },
            ],
            histograms: vec![vec![1, 2, 3]],
        }],
        metadata: vec![Metadata { kind: 2, family: "power".into() }],
    };
    let (series, counted) = all(&pack(&request.encode_to_vec()).unwrap()).unwrap();
    let points = [(1_764_000_000_000, Some(1.5)), (-1, None), (0, Some(0.0))];
    let points = points.map(|(at_ms, value)| Point { at_ms, value }).to_vec();
    assert_eq!(series, [(key("power", &[("gpu", "0"), ("Host", "a")]), points)]);
    assert_eq!(counted, Counted { series: 1, samples: 3, gaps: 1, histograms: 1, exemplars: 0, metadata: 1 });
}

#[test]
fn another_decoder_reads_what_we_write_with_labels_in_order() {
    let points = [Point { at_ms: 7, value: Some(-2.5) }, Point { at_ms: 8, value: None }];
    let message = encode([(&key("power", &[("zone", "z"), ("Host", "a")]), points.as_slice())]);
    let request = WriteRequest::decode(message.as_slice()).unwrap();
    assert_eq!(request.timeseries[0].labels, [label("Host", "a"), label(NAME, "power"), label("zone", "z")]);
    let read: Vec<(u64, i64)> =
        request.timeseries[0].samples.iter().map(|sample| (sample.value.to_bits(), sample.timestamp)).collect();
    assert_eq!(read, [((-2.5_f64).to_bits(), 7), (STALE_BITS, 8)]);
}

#[test]
fn labels_between_samples_are_put_together() {
    let part = |message: &TimeSeries| message.encode_to_vec();
    let labels = |labels: Vec<Label>| TimeSeries { labels, ..TimeSeries::default() };
    let sample = TimeSeries { samples: vec![Sample { value: 1.0, timestamp: 1 }], ..TimeSeries::default() };
    let inner = [
        part(&labels(vec![label(NAME, "up"), label("a", "1")])),
        part(&sample),
        part(&labels(vec![label("b", "2")])),
        part(&sample),
        part(&labels(vec![label("c", "3")])),
    ]
    .concat();
    let mut message = Vec::new();
    put_head(&mut message, 0x0a, inner.len());
    message.extend(inner);
    let (series, counted) = all(&pack(&message).unwrap()).unwrap();
    assert_eq!(series[0].0, key("up", &[("a", "1"), ("b", "2"), ("c", "3")]));
    assert_eq!(counted.samples, 2);
}

#[test]
fn what_is_wrong_is_said_in_words() {
    let of =
        |labels| WriteRequest { timeseries: vec![TimeSeries { labels, ..TimeSeries::default() }], metadata: vec![] };
    let cases = [
        (of(vec![label("a", "1")]).encode_to_vec(), "a series has no label __name__"),
        (of(vec![label(NAME, "x"), label("a", "1"), label("a", "2")]).encode_to_vec(), "label \"a\": comes twice"),
        (of(vec![label(NAME, "x"), label("", "1")]).encode_to_vec(), "label \"\": has no name"),
        (
            of(vec![label(NAME, "x"), label("a", &"v".repeat(9_000))]).encode_to_vec(),
            "label \"a\": the value is too long",
        ),
        ([0x0a, 6, 0x0a, 4, 0x0a, 2, 0xff, 0xfe].to_vec(), "label \"\": not UTF-8"),
        (
            of((0..65).map(|at| label(&format!("l{at}"), "v")).collect()).encode_to_vec(),
            "more than 64 labels of a series",
        ),
        (
            [0x22, 0, 0x2a, 0].to_vec(),
            "this is remote write 2.0; send version 1.0 (protobuf message prometheus.WriteRequest)",
        ),
        ([0x0a, 0x7f].to_vec(), "the message breaks off or is damaged at byte 2: longer than what holds it"),
        ([0x0b].to_vec(), "the message breaks off or is damaged at byte 1: unknown kind of field"),
    ];
    for (message, words) in cases {
        assert_eq!(refused(&message), words);
    }
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let limits = Limits::default();
    let packed = pack(&vec![0; 33 << 20]).unwrap();
    assert_eq!(unpack(&packed, &limits), Err(Error::Unpacked { got: 33 << 20, most: 32 << 20 }));
    let promise = [0x80, 0x80, 0x80, 0x08, 0, 0];
    assert!(matches!(unpack(&promise, &limits), Err(Error::Snappy(why)) if why.contains("promise")));
    assert!(matches!(unpack(&vec![0; (8 << 20) + 1], &limits), Err(Error::Compressed { .. })));
    let many = [[0x0a, 4, 0x12, 0, 0x12, 0]; 20].concat();
    let few = Limits { samples: 9, ..limits };
    assert_eq!(read(&many, &few, |_, _| Ok(())), Err(Error::TooMany { what: "samples", most: 9 }));
    let few = Limits { series: 9, ..limits };
    assert_eq!(read(&many, &few, |_, _| Ok(())), Err(Error::TooMany { what: "series", most: 9 }));
}

#[test]
fn a_million_samples_a_second_are_read_with_a_cache() {
    let keys: Vec<SeriesKey> = (0..2_000)
        .map(|at| {
            let gpu = at.to_string();
            key("DCGM_FI_DEV_POWER_USAGE", &[("gpu", &gpu), ("Hostname", "node-1"), ("modelName", "NVIDIA H100 80GB")])
        })
        .collect();
    // One sample a series, as a scrape brings them: the dearest case.
    let points = [Point { at_ms: 1_764_000_000_000, value: Some(512.25) }];
    let body = pack(&encode(keys.iter().map(|key| (key, points.as_slice())))).unwrap();
    let mut cache = Cache::of(10_000);
    let (start, mut samples) = (Instant::now(), 0);
    for _ in 0..100 {
        samples +=
            decode(&body, &Limits::default(), |labels, _| cache.get(labels, |key| Ok(key.name.len())).map(|_| ()))
                .unwrap()
                .samples;
    }
    let rate = f64::from(samples) / start.elapsed().as_secs_f64();
    eprintln!("{rate:.0} samples/s in {} bytes", body.len());
    assert_eq!((samples, cache.len()), (200_000, 2_000));
    if !cfg!(debug_assertions) {
        assert!(rate > 1e6, "{rate}");
    }
}

#[test]
fn a_full_cache_is_emptied_and_still_right() {
    let mut cache = Cache::of(3);
    let keys: Vec<SeriesKey> = (0..8).map(|at| key(&format!("m{at}"), &[])).collect();
    let message = encode(keys.iter().map(|key| (key, [].as_slice())));
    for _ in 0..2 {
        let mut names = Vec::new();
        read(&message, &Limits::default(), |labels, _| {
            names.push(cache.get(labels, |key| Ok(key.name))?.clone());
            Ok(())
        })
        .unwrap();
        assert_eq!(names, ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7"]);
        assert!(cache.len() <= 3 && !cache.is_empty());
    }
}

prop_compose! {
    fn any_point()(at_ms in any::<i64>(), bits in any::<u64>(), stale in any::<bool>()) -> Point {
        let value = f64::from_bits(bits);
        Point { at_ms, value: (!stale && bits != STALE_BITS && !value.is_nan()).then_some(value) }
    }
}

prop_compose! {
    fn any_series()(
        name in "[a-zA-Z_:][a-zA-Z0-9_:]{0,20}",
        labels in prop::collection::vec(("[a-zA-Z][a-z0-9_]{0,8}", "\\PC{1,20}"), 0..8),
        points in prop::collection::vec(any_point(), 0..6),
    ) -> (SeriesKey, Vec<Point>) {
        (SeriesKey { name, labels: Labels::of(labels) }, points)
    }
}

proptest! {
    #[test]
    fn law_what_is_written_is_read(series in prop::collection::vec(any_series(), 0..12)) {
        let message = encode(series.iter().map(|(key, points)| (key, points.as_slice())));
        let (read, counted) = all(&pack(&message).unwrap()).unwrap();
        prop_assert_eq!(counted.series as usize, series.len());
        prop_assert_eq!(cut(&message).unwrap().concat(), message);
        prop_assert_eq!(read, series);
    }

    #[test]
    fn law_any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = all(&bytes);
        let _ = cut(&bytes);
        let _ = read(&bytes, &Limits::default(), |labels, _| labels.key().map(|_| ()));
    }

    #[test]
    fn law_a_damaged_message_is_read_or_refused(
        series in prop::collection::vec(any_series(), 1..4), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut message = encode(series.iter().map(|(key, points)| (key, points.as_slice())));
        let at = at.index(message.len());
        message[at] = byte;
        let _ = read(&message, &Limits::default(), |labels, _| labels.key().map(|_| ()));
        let _ = read(&message[..at], &Limits::default(), |labels, _| labels.key().map(|_| ()));
    }
}
