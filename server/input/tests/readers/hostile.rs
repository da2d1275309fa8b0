//! Bytes that are not what they should be: each gets an error that says where, or is read with a remark.

use crate::site::{azure, carbon, epw, greenwich, mooncake, open_meteo, prices, servegen, table};
use input::Error;
use model::scenario::InputReport;

type Reader = fn(&[u8]) -> Result<InputReport, Error>;

fn weather(bytes: &[u8]) -> Result<InputReport, Error> {
    input::weather("w", bytes, &greenwich()).map(|read| read.1)
}
fn price(bytes: &[u8]) -> Result<InputReport, Error> {
    input::prices("p", bytes, &greenwich()).map(|read| read.1)
}
fn intensity(bytes: &[u8]) -> Result<InputReport, Error> {
    input::carbon("c", bytes, &greenwich()).map(|read| read.1)
}
fn request(bytes: &[u8]) -> Result<InputReport, Error> {
    input::requests("r", bytes, &greenwich(), None, &[1.0; 168]).map(|read| read.1)
}
fn list(bytes: &[u8]) -> Result<InputReport, Error> {
    input::request_list("l", bytes).map(|read| read.1)
}

/// A good file of each format.
fn all() -> [(&'static str, Reader, String); 10] {
    [
        ("epw", weather, epw(1, 0.0, 28)),
        ("open-meteo", weather, open_meteo()),
        ("price", price, prices()),
        ("carbon", intensity, carbon()),
        ("azure", request, azure(30, 60)),
        ("mooncake", request, mooncake()),
        ("servegen", request, servegen()),
        ("azure's requests", list, azure(30, 60)),
        ("mooncake's requests", list, mooncake()),
        ("table of requests", list, table()),
    ]
}

fn refused(read: Reader, bytes: &[u8], words: &str) {
    match read(bytes) {
        Ok(report) => panic!("read, where {words:?} was due: {report:?}"),
        Err(error) => assert!(error.to_string().contains(words), "{error}, where {words:?} was due"),
    }
}

fn remarked(read: Reader, bytes: &[u8], words: &str) {
    let report = read(bytes).unwrap_or_else(|error| panic!("{error}"));
    assert!(report.remarks.iter().any(|remark| remark.contains(words)), "no {words:?} in {report:?}");
}

#[test]
fn encodings_are_read_or_refused() {
    for (name, read, text) in all() {
        let rows = read(text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}")).rows;
        let mark = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        assert_eq!(read(&mark).unwrap().rows, rows, "{name}");
        assert_eq!(read(text.replace('\n', "\r\n").as_bytes()).unwrap().rows, rows, "{name}");
        assert_eq!(read(text.replace('\n', "\r").as_bytes()).unwrap().rows, rows, "{name}");
        assert_eq!(read(text.trim_end().as_bytes()).unwrap().rows, rows, "{name}");
        let wide = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
        remarked(read, &[b"\xff\xfe", &wide(u16::to_le_bytes)[..]].concat(), "UTF-16");
        remarked(read, &[b"\xfe\xff", &wide(u16::to_be_bytes)[..]].concat(), "UTF-16");
        refused(read, &wide(u16::to_le_bytes), "line 1: byte 0x00 is not text");
        refused(read, b"\xff\xfe\x00\xd8\x00\xd8", "not valid UTF-16");
        refused(read, b"", "is empty");
        refused(read, b"\n\n  \n", "is empty");
        refused(read, b"\x1f\x8b\x08\x00", "binary or compressed");
        refused(read, b"hello\nworld\n", "");
        refused(read, &b"x".repeat(70_000), "more than 65536 bytes");
        let mut cut = text.clone().into_bytes();
        cut.truncate(cut.len() - if name == "epw" { 25 } else { 9 });
        remarked(read, &cut, if name == "servegen" || name == "open-meteo" { "" } else { "cut off" });
    }
    let latin: Vec<u8> = open_meteo().chars().map(|c| c as u8).collect();
    remarked(weather, &latin, "Latin-1");
}

/// In each format one row is spoilt.
#[test]
fn bad_fields_are_named_with_their_line() {
    let row = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1).into_bytes()
    };
    let p = prices();
    let third = "2023-01-01T02:00+00:00,0.02";
    for (to, words) in [
        ("2023-01-01T02:00+00:00,abc", "p, line 4, column \"Price (USD/MWh)\": \"abc\" is not a number"),
        ("2023-01-01T02:00+00:00,inf", "\"inf\" is outside -10000..100000 $/MWh"),
        ("2023-01-01T02:00+00:00,1e300", "is outside"),
        ("2023-01-01T02:00+00:00", "line 4: the line ends before column \"Price (USD/MWh)\""),
        ("soon,1", "line 4, column \"Datetime (UTC)\": \"soon\" is not a time"),
        ("2023-01-01T02:00,1", "disagree"),
        ("2023-02-30T02:00+00:00,1", "is not a time"),
        ("9999999-01-01T02:00+00:00,1", "is not a time"),
        (",1", "\"\" is not a time"),
    ] {
        refused(price, &row(&p, third, to), words);
    }
    let long = "y".repeat(100);
    let error = price(&row(&p, third, &format!("2023-01-01T02:00+00:00,{long}"))).unwrap_err().to_string();
    assert!(error.contains(&format!("{:?}", "y".repeat(40) + "…")), "{error}");
    refused(intensity, &row(&carbon(), third, "2023-01-01T02:00+00:00,3001"), "outside 0..3000 g/kWh");
    refused(
        weather,
        &row(&open_meteo(), "T02:00,2,50", "T02:00,61,50"),
        "line 7, column \"temperature_2m (°C)\": \"61\"",
    );
    refused(weather, &row(&open_meteo(), "T02:00,2,50", "T02:00,2,111"), "outside 0..110 %");
    refused(weather, &row(&open_meteo(), "51.5,0.0,25.0,0", "51.5,0.0,25.0,x"), "utc_offset_seconds");
    refused(weather, &row(&open_meteo(), "51.5,0.0,25.0,0,GMT,GMT\n", "1,2,3,0,,\n1,2,3,0,,\n"), "one place");
    for (to, words) in [
        ("2023,13,1,3,60,?9?9,2,", "column \"Month\": \"13\" is outside 1..12"),
        ("2023,1,32,3,60,?9?9,2,", "column \"Day\""),
        ("2023,1,1,0,60,?9?9,2,", "column \"Hour\": \"0\" is outside 1..24"),
        ("2023,1,1,3,60,?9?9,-91,", "column \"Dry Bulb Temperature\": \"-91\" is outside -90..60 °C"),
        ("2023,1,1,3,60,?9?9\n", "ends before column \"Dry Bulb"),
    ] {
        refused(weather, &row(&epw(1, 0.0, 28), "2023,1,1,3,60,?9?9,2,", to), words);
    }
    refused(weather, &row(&epw(1, 0.0, 28), "DATA PERIODS", "DATA"), "DATA PERIODS");
    refused(weather, &row(&epw(1, 0.0, 28), ",1,Data,", ",7,Data,"), "divisor of 60");
    refused(weather, &row(&epw(1, 0.0, 28), "51.5", "north"), "line 1, column \"Latitude\": \"north\"");
    refused(request, &row(&azure(30, 60), ",100,", ",-1,"), "r, line 2, column \"ContextTokens\": \"-1\" is outside");
    refused(request, &row(&azure(30, 60), ",100,", ",,"), "is not a number");
    refused(
        request,
        &row(&mooncake(), "\"input_length\": 1000", "\"input_length\": 1e9"),
        "line 1, column \"input_length\"",
    );
    refused(request, &row(&mooncake(), "\"output_length\": 10,", ""), "missing field `output_length`");
    refused(request, &row(&mooncake(), "[0, 1]", "[0, -1]"), "line 1: not a request in JSON");
    refused(request, &row(&servegen(), "big,600,1", "big,600,-1"), "line 3, column \"rate_rps\": \"-1\"");
    refused(request, &row(&servegen(), "big,600,1", "big,soon,1"), "column \"t_s\": \"soon\" is not a number");
}

#[test]
fn wrong_headers_and_missing_rows_are_told() {
    refused(price, prices().replace("Price", "Cost").as_bytes(), "no column for the price (price_usd_mwh, ");
    refused(price, prices().replace("Datetime", "When").as_bytes(), "line 1: no column for the time");
    refused(price, b"Datetime (UTC),Price (USD/MWh)\n", "has no rows");
    refused(intensity, prices().as_bytes(), "the columns are \"Datetime (UTC)\", \"Price (USD/MWh)\"");
    refused(weather, prices().as_bytes(), "is not an EPW file or an Open-Meteo CSV file");
    refused(
        weather,
        open_meteo().replace("relative_humidity_2m", "x").as_bytes(),
        "no column for the relative humidity",
    );
    refused(request, prices().as_bytes(), "is not an Azure LLM trace");
    refused(request, b"TIMESTAMP,ContextTokens,GeneratedTokens\n", "has no rows");
    refused(request, b"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,1,1\n", "no rate");
    refused(
        request,
        b"TIMESTAMP,ContextTokens,GeneratedTokens\n1990-11-16 18:17:03,1,1\n2023-11-16 18:17:03,1,1\n",
        "10 years",
    );
    let unknown = input::requests("r", servegen().as_bytes(), &greenwich(), Some("huge"), &[1.0; 168]).unwrap_err();
    assert_eq!(unknown.to_string(), "r has no series \"huge\"; it has \"big\", \"small\"");
    let head = epw(1, 0.0, 28).lines().take(8).collect::<Vec<_>>().join("\n");
    refused(weather, head.as_bytes(), "has no rows");
    let daily = prices().lines().enumerate().filter(|(i, _)| i % 24 < 2).fold(String::new(), |t, (_, l)| t + l + "\n");
    refused(price, daily.as_bytes(), "rows 82800 s apart");
}

#[test]
fn doubled_and_shuffled_weather_is_told() {
    let text = epw(1, 0.0, 28);
    let (head, rows): (Vec<&str>, Vec<&str>) = {
        let lines: Vec<&str> = text.lines().collect();
        (lines[..8].to_vec(), lines[8..].to_vec())
    };
    let file = |rows: &[&str]| [&head[..], rows].concat().join("\n").into_bytes();
    remarked(weather, &file(&[&rows[..40], &rows[39..]].concat()), "1 row for a moment that another row has");
    refused(weather, &file(&[&rows[..], &rows[..]].concat()), "does it hold several places or products?");
    let mut swapped = rows.clone();
    swapped.swap(100, 140);
    remarked(weather, &file(&swapped), "out of order in time: put in their places");
    let mut backwards = rows;
    backwards.reverse();
    refused(weather, &file(&backwards), "rows out of order in time");
}

#[test]
fn sizes_are_limited() {
    let big = vec![b'1'; input::WEATHER_BYTES_MAX as usize + 1];
    refused(weather, &big, "has more than 8388608 bytes");
    let models = (0..1_001).fold(String::new(), |text, i| text + &format!("m{i},0,1\n"));
    refused(request, format!("model,t_s,rate_rps\n{models}").as_bytes(), "more than 1000 series");
    let deep = format!("{{\"timestamp\": 0, \"x\": {}", "[".repeat(60_000));
    refused(request, deep.as_bytes(), "line 1: not a request in JSON");
}

#[test]
fn only_regular_files_within_the_limit_are_read() {
    let error = |path: &str, limit| input::read_file(path.as_ref(), limit).unwrap_err().to_string();
    assert_eq!(error("/", 10), "/ is not a regular file");
    assert_eq!(error("/no/such/file", 10), "/no/such/file could not be read");
    if cfg!(unix) {
        assert_eq!(error("/dev/zero", 10), "/dev/zero is not a regular file");
    }
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    assert!(error(own, 10).ends_with("has more than 10 bytes, the most that is read of its kind"));
    assert!(input::read_file(own.as_ref(), 1 << 20).unwrap().starts_with(b"[package]"));
}
