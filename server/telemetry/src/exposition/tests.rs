use super::*;
use proptest::prelude::*;

/// A line that was read, or the words why not.
type Told = Result<(String, f64, Option<i64>), String>;

fn all(body: &str, format: Format) -> Vec<Told> {
    Lines::new(body.as_bytes(), format, Limits::default())
        .map(|line| {
            line.map(|line| (String::from_utf8_lossy(line.series).into_owned(), line.value, line.at_ms))
                .map_err(|bad| bad.to_string())
        })
        .collect()
}

fn one(line: &str, format: Format) -> Told {
    let mut all = all(&format!("{line}\n# EOF\n"), format);
    assert_eq!(all.len(), 1, "{line}");
    all.remove(0)
}

fn read(text: &str) -> Result<(String, Vec<(String, String)>), String> {
    series(text.as_bytes()).map(|series| (series.name, series.labels)).map_err(|why| why.to_string())
}

#[expect(clippy::unnecessary_wraps, reason = "compared with what was told")]
fn ok(series: &str, value: f64, at_ms: Option<i64>) -> Told {
    Ok((series.to_owned(), value, at_ms))
}

#[test]
fn the_example_of_the_format_reads_as_its_page_says() {
    // https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-example, shortened
    let page = concat!(
        "# HELP http_requests_total The total number of HTTP requests.\n",
        "# TYPE http_requests_total counter\n",
        "http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n\n",
        "# Escaping in label values:\n",
        "msdos_file_access_time_seconds{path=\"C:\\\\DIR\\\\FILE.TXT\",error=\"Cannot find file:\\n\\\"FILE.TXT\\\"\"} 1.458255915e9\n",
        "metric_without_timestamp_and_labels 12.47\n",
        "something_weird{problem=\"division by zero\"} +Inf -3982045\n",
        "http_request_duration_seconds_bucket{le=\"+Inf\"} 144320\n",
    );
    let lines = all(page, Format::Prometheus);
    assert_eq!(lines[0], ok("http_requests_total{method=\"post\",code=\"200\"}", 1027.0, Some(1_395_066_363_000)));
    assert_eq!(lines[2], ok("metric_without_timestamp_and_labels", 12.47, None));
    assert_eq!(lines[3], ok("something_weird{problem=\"division by zero\"}", f64::INFINITY, Some(-3_982_045)));
    assert_eq!(lines.len(), 5);
    let (_, labels) = read(&lines[1].clone().unwrap().0).unwrap();
    assert_eq!(labels[0].1, r"C:\DIR\FILE.TXT");
    assert_eq!(labels[1].1, "Cannot find file:\n\"FILE.TXT\"");
    let metas: Vec<Meta<'_>> = metas(page.as_bytes()).collect();
    assert_eq!(metas[1], Meta { what: MetaKind::Type, name: "http_requests_total", text: "counter" });
    assert_eq!((metas.len(), metas[0].text), (2, "The total number of HTTP requests."));
}

#[test]
fn openmetrics_has_seconds_exemplars_and_an_end() {
    let page = concat!(
        "# TYPE foo histogram\n# UNIT foo_seconds seconds\n",
        "foo_bucket{le=\"0.1\"} 8 # {} 0.054\n",
        "foo_bucket{le=\"1\"} 11 # {trace_id=\"K}Oh # {\\\"x\"} 0.67 1520879607.789\n",
        "foo_bucket{path=\"a # {b\",le=\"+Inf\"} 17 1520879607.789 # {trace_id=\"o\"} 9.8\n",
        "foo_count 17 1520879607\nfoo_created 1.52e9\n# EOF\n",
    );
    let lines = all(page, Format::OpenMetrics);
    assert_eq!(lines[0], ok("foo_bucket{le=\"0.1\"}", 8.0, None));
    assert_eq!(lines[1], ok("foo_bucket{le=\"1\"}", 11.0, None));
    assert_eq!(lines[2], ok("foo_bucket{path=\"a # {b\",le=\"+Inf\"}", 17.0, Some(1_520_879_607_789)));
    assert_eq!(lines[3], ok("foo_count", 17.0, Some(1_520_879_607_000)));
    assert_eq!(lines.len(), 5);
    assert!(one("a 1 # {x=\"1\"", Format::OpenMetrics).unwrap_err().contains("exemplar is not closed"));
}

#[test]
fn a_page_of_openmetrics_that_was_cut_off_says_so_and_keeps_its_samples() {
    let lines = all("a 1\nb 2\n", Format::OpenMetrics);
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2], Err("line 2: the page does not end with `# EOF`, as OpenMetrics must: it was cut off".into()));
    assert_eq!(
        all("a 1\n# EOF\nb 2\n", Format::OpenMetrics)[1],
        Err("line 3: it stands after the end of the page".into())
    );
    assert_eq!(all("a 1\nb 2", Format::Prometheus).len(), 2, "no EOF is asked of the older format");
}

#[test]
fn white_space_is_read_wherever_it_may_stand() {
    for line in ["a{b=\"c\"} 1", " a{b=\"c\"}1 ", "\ta {b=\"c\"}\t1\r", "a { b = \"c\" , }  1"] {
        let (text, value, at_ms) = one(line, Format::Prometheus).unwrap();
        assert_eq!((value, at_ms), (1.0, None), "{line}");
        assert_eq!(read(&text).unwrap(), ("a".into(), vec![("b".into(), "c".into())]), "{line}");
    }
    assert_eq!(one("a\t 1  7", Format::Prometheus), ok("a", 1.0, Some(7)));
    assert_eq!(all("\r\n\n  \na 1\r\n", Format::Prometheus), [ok("a", 1.0, None)]);
}

#[test]
fn names_outside_the_old_alphabet_stand_in_quotes() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(read(r#"{"my.metric", a="b"}"#).unwrap(), ("my.metric".into(), vec![pair("a", "b")]));
    assert_eq!(read(r#"{a="b","my.metric"}"#).unwrap().0, "my.metric");
    assert_eq!(read(r#"m{"my.läbel"="b",}"#).unwrap(), ("m".into(), vec![pair("my.läbel", "b")]));
    assert_eq!(read("m{}").unwrap(), ("m".into(), vec![]));
    assert_eq!(read(r#"m{a=""}"#).unwrap().1, [pair("a", "")]);
    assert_eq!(read(r#"m{a="\d\\n"}"#).unwrap().1, [pair("a", r"\d\n")]);
}

#[test]
fn what_is_wrong_with_a_series_is_said() {
    for (text, why) in [
        ("{a=\"b\"}", "the series has no name"),
        ("m{\"n\"}", "the series has two names"),
        ("1m", "`1m` is not the name of a metric"),
        ("m{1=\"b\"}", "`1` is not the name of a label"),
        ("m{a:b=\"b\"}", "`a:b` is not the name of a label"),
        ("m{=\"b\"}", "`` is not the name of a label"),
        ("m{a=\"b\",a=\"c\"}", "label `a` comes twice"),
        ("m{a}", "`=` is missing after label `a`"),
        ("m{a=b}", "a value is not in quotes"),
        ("m{a=\"b}", "a quote is not closed"),
        ("m{a=\"b\\", "a quote is not closed"),
        ("m{a=\"b\"", "`}` is missing after the labels"),
        ("m{a=\"b\" c=\"d\"}", "`,` is missing between labels"),
        ("m{a=\"b\"} x", "`x` stands after the labels"),
        ("m{,}", "`=` is missing after label ``"),
        ("", "the series has no name"),
    ] {
        assert_eq!(read(text), Err(why.to_owned()), "{text}");
    }
    assert_eq!(series(b"m{a=\"\xff\"}"), Err(Why::NotUtf8));
}

#[test]
fn a_bad_line_is_told_with_its_number_and_the_others_count() {
    let lines = all("a 1\nb\nc x\nd 1 2 3\ne 1 soon\n{} \nf 2\n", Format::Prometheus);
    let words: Vec<String> = lines.iter().filter_map(|line| line.clone().err()).collect();
    assert_eq!(
        words,
        [
            "line 2: there is no value after the name",
            "line 3: `x` is not a number",
            "line 4: `3` stands after the time",
            "line 5: `soon` is not a time",
            "line 6: there is no value after the name",
        ]
    );
    assert_eq!(lines.last(), Some(&ok("f", 2.0, None)));
    let mut faults = Faults::default();
    for bad in Lines::new("x\n".repeat(1000).as_bytes(), Format::Prometheus, Limits::default()) {
        faults.push(bad.unwrap_err());
    }
    assert_eq!((faults.told.len(), faults.more, faults.count()), (100, 900, 1000));
    assert!(faults.in_words().unwrap().ends_with("line 3: there is no value after the name; and 997 more"));
}

#[test]
fn every_limit_names_its_line() {
    let limits = Limits { body: 40, samples: 3, line: 10 };
    let read = |body: &str| -> Vec<Result<f64, String>> {
        Lines::new(body.as_bytes(), Format::Prometheus, limits)
            .map(|line| line.map(|line| line.value).map_err(|bad| bad.to_string()))
            .collect()
    };
    assert_eq!(read("a 1\nlong_name_of 1\nb 2\n")[1], Err("line 2: it has 14 bytes, more than the 10 allowed".into()));
    let many = read("a 1\nb 1\nc 1\nd 1\ne 1\n");
    assert_eq!(many.len(), 4);
    assert_eq!(many[3], Err("line 4: the page has more than 3 samples; the rest was left out".into()));
    let long = read(&"# a comment of some length\n".repeat(2));
    assert_eq!(long, [Err("line 2: the page has more than 40 bytes; the rest was left out".into())]);
}

#[test]
fn values_are_read_exactly() {
    for text in [
        "0",
        "-0",
        "1",
        "12.47",
        "1.458255915e9",
        "3.45e+08",
        "2.619e+09",
        "0.1",
        "631.95",
        "1e22",
        "1e23",
        "1e-22",
        "5e-324",
        "1.7976931348623157e308",
        "9007199254740993",
        "123456789012345678901234567890",
        "1.",
        ".5",
        "-12.5E-3",
        "1e0",
        "+7",
        "000.25",
        "0.30000000000000004",
        "8.5520809984e+10",
        "999999999999999.9",
        "100000000000000000000000e-5",
    ] {
        let want: f64 = text.parse().unwrap();
        assert_eq!(number(text.as_bytes()).map(f64::to_bits), Some(want.to_bits()), "{text}");
        assert_eq!(one(&format!("a {text}"), Format::Prometheus), ok("a", want, None));
    }
    assert!(number(b"NaN").unwrap().is_nan());
    assert_eq!(number(b"+Inf"), Some(f64::INFINITY));
    assert_eq!(number(b"-Inf"), Some(f64::NEG_INFINITY));
    for text in ["0x10", "1_000", "1,5", "--1", "1e", "", ".", "e5", "1e5x", "one"] {
        assert_eq!(number(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_time_is_of_this_age() {
    assert_eq!(millis(b"99999999999999999"), None);
    assert_eq!(millis(b"9999999999999999999999"), None);
    assert_eq!(seconds(b"NaN"), None);
    assert_eq!(seconds(b"1e300"), None);
    assert_eq!(seconds(b"1520879607.789"), Some(1_520_879_607_789));
}

#[test]
fn a_page_that_is_no_page_of_metrics_is_recognised() {
    for (body, what) in [
        ("<!DOCTYPE html><html>", Some("a web page")),
        ("\n <html>", Some("a web page")),
        ("{\"error\": 1}", Some("JSON")),
        ("{}", Some("JSON")),
        ("[{}]", Some("JSON")),
        ("{\"my.metric\", a=\"b\"} 1\n", None),
        ("{\"my.metric\"} 1\n", None),
        ("a 1\n", None),
        ("", None),
    ] {
        assert_eq!(mistaken_for_metrics(body.as_bytes()), what, "{body}");
    }
    assert_eq!(Format::of("application/openmetrics-text; version=1.0.0"), Some(Format::OpenMetrics));
    assert_eq!(Format::of("text/plain; version=0.0.4"), Some(Format::Prometheus));
    assert_eq!(Format::of("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily"), None);
}

/// Reads each line with the guess that the line before it was right of.
fn guessing<'a>(body: &'a [u8], format: Format, guesses: &[&[u8]]) -> Vec<Result<Line<'a>, Bad>> {
    let mut lines = Lines::new(body, format, Limits::default());
    let mut guesses = guesses.iter();
    std::iter::from_fn(|| lines.next_like(guesses.next().unwrap_or(&&b""[..])).map(|(_, line)| line)).collect()
}

#[test]
fn a_guess_changes_nothing_but_the_time_it_takes() {
    let body = b"# TYPE a gauge\na{b=\"c\"} 1.5\na{b=\"c\"} 2 77\nd 3\nd {e=\"f\"} 4\nd 5x\nd 6 # {} 1\n\nlast 12345678901234567890";
    let guesses: [&[u8]; 7] = [b"a{b=\"c\"}", b"a{b=\"c\"}", b"d", b"d", b"d", b"d", b"last"];
    for format in [Format::Prometheus, Format::OpenMetrics] {
        let plain: Vec<_> = Lines::new(body, format, Limits::default()).collect();
        assert_eq!(guessing(body, format, &guesses), plain);
    }
}

proptest! {
    #[test]
    fn law_no_bytes_make_the_parser_panic(body: Vec<u8>, open: bool) {
        let format = if open { Format::OpenMetrics } else { Format::Prometheus };
        for line in Lines::new(&body, format, Limits::default()).flatten() {
            let _ = series(line.series);
        }
        let _ = (metas(&body).count(), mistaken_for_metrics(&body));
    }

    #[test]
    fn law_no_text_of_the_format_s_own_signs_makes_the_parser_panic(body in "[a{}\"\\\\=, #\\n0-9.eE+\\-x_:\u{e4}]{0,120}", open: bool) {
        let format = if open { Format::OpenMetrics } else { Format::Prometheus };
        let plain: Vec<_> = Lines::new(body.as_bytes(), format, Limits::default()).collect();
        let guesses: Vec<&[u8]> = plain.iter().map(|line| line.as_ref().map_or(&b"a"[..], |line| line.series)).collect();
        // NaN is unlike itself, so the words are compared.
        prop_assert_eq!(format!("{:?}", guessing(body.as_bytes(), format, &guesses)), format!("{plain:?}"));
        for line in plain.into_iter().flatten() {
            let _ = series(line.series);
        }
    }

    #[test]
    fn law_what_is_written_reads_the_same(
        name in "\\PC{1,12}|[a-z_:][a-z0-9_:]{0,12}",
        labels in proptest::collection::btree_map("[^\u{0}]{1,8}|[a-z_][a-z0-9_]{0,6}", "(?s).{0,12}", 0..6),
        value in proptest::num::f64::ANY,
        at_ms in proptest::option::of(-LAST_MS..LAST_MS),
    ) {
        let mut text = String::new();
        write_series(&mut text, &name, labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let read = series(text.as_bytes()).unwrap();
        prop_assert_eq!(&read.name, &name);
        prop_assert!(read.labels.iter().map(|(n, v)| (n, v)).eq(labels.iter()));
        let line = format!("{text} {value}{}\n", at_ms.map(|ms| format!(" {ms}")).unwrap_or_default());
        let lines: Vec<Line<'_>> = Lines::new(line.as_bytes(), Format::Prometheus, Limits::default()).map(Result::unwrap).collect();
        prop_assert_eq!(lines.len(), 1);
        prop_assert_eq!(lines[0].series, text.as_bytes());
        prop_assert!(lines[0].value.to_bits() == value.to_bits() || (value.is_nan() && lines[0].value.is_nan()));
        prop_assert_eq!(lines[0].at_ms, at_ms);
    }

    #[test]
    fn law_a_short_number_is_the_number(text in "-?[0-9]{0,17}(\\.[0-9]{0,17})?([eE][+-]?[0-9]{0,4})?") {
        let want = text.parse::<f64>().ok().map(f64::to_bits);
        prop_assert_eq!(number(text.as_bytes()).map(f64::to_bits), want);
    }
}
