//! Published files, against figures computed from them by other programs.

use crate::site::{published, site};
use input::RequestList;
use model::location::Location;
use model::scenario::{HOURS, InputReport, Series};
use sim::replay::request::{Arrival, Request};

fn check_mean(name: &str, series: &Series, mean: f64, tolerance: f64) {
    assert_eq!(series.values.len(), HOURS as usize, "{name}");
    let got = series.mean();
    assert!((got - mean).abs() < tolerance, "{name}: mean {got} for {mean}");
}

fn has(report: &InputReport, words: &str) {
    assert!(report.remarks.iter().any(|remark| remark.contains(words)), "no {words:?} in {report:#?}");
}

/// Reads a file of prices and compares its mean and three of its hours.
fn check_prices(name: &str, utc_offset_h: f64, rows: u32, mean: f64, at: [(usize, f64); 3]) {
    let Some(bytes) = published(name) else { return };
    let (series, report) = input::prices(name, &bytes, &site(0.0, 0.0, 0.0, utc_offset_h)).unwrap();
    check_mean(name, &series, mean, 1e-9);
    assert_eq!((report.rows, report.filled), (rows, 0));
    for (hour, price) in at {
        assert!((series.values[hour] - price).abs() < 1e-12, "{name}, hour {hour}: {}", series.values[hour]);
    }
    if rows == 8784 {
        has(&report, "29 February left out (24 rows)");
    }
}

#[test]
fn agrees_with_published_prices() {
    let caiso = [(0, 47.07036), (8759, 42.616_605), (4000, -13.812_169_999_999_975)];
    check_prices("grid/price_US-CAL-CISO_2024.csv", -8.0, 8784, 40.695_374_921_803_59, caiso);
    let pjm = [(0, 31.90485), (8759, 31.90485), (4000, 27.354_321_999_999_836)];
    check_prices("grid/price_US-MIDA-PJM_2024.csv", -5.0, 8784, 36.129_322_308_561_65, pjm);
    check_prices(
        "grid/price_US-TEX-ERCO_2023.csv",
        -6.0,
        8760,
        55.934_791_095_890_42,
        [(0, 10.42), (8759, 10.42), (4000, 190.75)],
    );
}

/// Means of the year with its gaps filled by the same rule in another program.
#[test]
fn agrees_with_published_carbon_intensity() {
    for (area, utc_offset_h, mean, filled) in [
        ("AZPS", -7.0, 575.041_872_174_253_6, 0),
        ("CISO", -8.0, 256.160_377_508_778_94, 3),
        ("ERCO", -6.0, 347.201_881_052_695_74, 0),
        ("PJM", -5.0, 362.582_990_129_807_9, 23),
    ] {
        let name = format!("grid/eia_mix_ci_{area}_2022.csv");
        let Some(bytes) = published(&name) else { return };
        let (series, report) = input::carbon(&name, &bytes, &site(0.0, 0.0, 0.0, utc_offset_h)).unwrap();
        check_mean(&name, &series, mean, 1e-9);
        assert_eq!((report.rows, report.filled), (8760, filled));
        if area == "PJM" {
            has(&report, "23 values missing, in 2 gaps, the first at 13 March 02:00, the longest of 22 h");
        }
    }
}

/// The files' own `avg_CI` was made with the same factors, so the two must agree in every hour.
#[test]
fn agrees_with_published_carbon_intensity_when_made_from_generation() {
    for area in ["AZPS", "CISO", "ERCO", "PJM"] {
        let name = format!("grid/eia_mix_ci_{area}_2022.csv");
        let Some(bytes) = published(&name) else { return };
        let here = site(0.0, 0.0, 0.0, 0.0);
        let (given, _) = input::carbon(&name, &bytes, &here).unwrap();
        let without = String::from_utf8(bytes).unwrap().replace("avg_CI", "hidden");
        let (made, report) = input::carbon(&name, without.as_bytes(), &here).unwrap();
        has(&report, "made from generation by fuel");
        for (hour, (given, made)) in given.values.iter().zip(&made.values).enumerate() {
            assert!((given - made).abs() < 1e-6, "{area}, hour {hour}: {made} for {given}");
        }
    }
}

/// Dry and wet bulb, mean and highest, with wet bulbs by PsychroLib 2.5.0.
fn check_weather(name: &str, here: &Location, expect: [f64; 4], pressure_pa: f64) -> Option<InputReport> {
    let bytes = published(name)?;
    let (weather, report) = input::weather(name, &bytes, here).unwrap();
    let [dry_mean, dry_max, wet_mean, wet_max] = expect;
    check_mean(name, &weather.dry_bulb_c, dry_mean, 1e-9);
    check_mean(name, &weather.wet_bulb_c, wet_mean, 0.01);
    let max = |series: &Series| series.values.iter().copied().fold(f64::MIN, f64::max);
    assert!((max(&weather.dry_bulb_c) - dry_max).abs() < 1e-9, "{name}: {}", max(&weather.dry_bulb_c));
    assert!((max(&weather.wet_bulb_c) - wet_max).abs() < 0.01, "{name}: {}", max(&weather.wet_bulb_c));
    assert!((weather.pressure.as_pascals() - pressure_pa).abs() < 0.01, "{name}: {:?}", weather.pressure);
    assert!(weather.wet_bulb_c.values.iter().zip(&weather.dry_bulb_c.values).all(|(wet, dry)| wet <= dry));
    assert_eq!(report.filled, 0);
    Some(report)
}

#[test]
fn agrees_with_published_weather_years() {
    let golden = [9.760_776_255_707_764, 36.0, 4.470_091_286_727_904, 19.529_174_804_687_408];
    let phoenix = [24.667_442_922_374_384, 45.6, 13.145_470_903_809_063, 32.953_735_351_557_98];
    let dulles = [12.671_312_785_388_176, 37.2, 9.475_785_323_035_872, 26.936_395_263_664_522];
    let here = site(33.4, -112.0, 337.0, -7.0);
    let report = check_weather("weather/USA_AZ_Phoenix-Sky.Harbor.TMYx.epw", &here, phoenix, 97_293.962_671);
    assert!(report.is_none_or(|report| report.remarks.is_empty() && report.rows == 8760));
    let report = check_weather("weather/USA_CO_Golden-NREL.724666_TMY3.epw", &here, golden, 82_137.089_041);
    if let Some(report) = report {
        has(&report, "km from the site");
        has(&report, "1492 m above the site");
    }
    let name = "weather/USA_VA_Sterling-Washington.Dulles.Intl.AP.724030_TMY3.epw";
    if let Some(report) = check_weather(name, &here, dulles, 100_587.203_196) {
        has(&report, "moved by -2 h");
    }
}

#[test]
fn agrees_with_published_open_meteo_years() {
    let dallas = [20.409_041_095_890_554, 42.0, 15.427_930_924_723_05, 29.653_116_633_958_387];
    let san_jose = [15.772_089_041_095_924, 36.9, 11.867_581_124_663_957, 20.632_506_634_303_986];
    let max = |name: &str| -> Option<f64> {
        let text = String::from_utf8(published(name)?).unwrap();
        text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse::<f64>().unwrap()).reduce(f64::max)
    };
    for (name, elevation, offset, mut expect, pascals) in [
        ("weather/openmeteo_US-TEX-ERCO_2023.csv", 142.0, -6.0, dallas, 99_630.713_613),
        ("weather/openmeteo_US-CAL-CISO_2024.csv", 7.0, -8.0, san_jose, 101_240.935_887),
    ] {
        let Some(highest) = max(name) else { return };
        expect[1] = highest;
        if let Some(report) = check_weather(name, &site(0.0, 0.0, elevation, offset), expect, pascals) {
            has(&report, "show no daylight saving");
            has(&report, "no pressure in the file");
        }
    }
}

/// 19 366 and 8 819 requests; mean tokens by awk over the files.
#[test]
fn agrees_with_published_azure_traces() {
    for (name, rows, input_tokens, output_tokens, rate) in [
        ("traces/azure_llm_2023_conv.csv", 19_366, 1_154.697_407_828_152_6, 211.125_942_373_231_42, 5.530_1),
        ("traces/azure_llm_2023_code.csv", 8_819, 2_047.848_282_118_154, 27.882_526_363_533_28, 2.566_2),
    ] {
        let Some(bytes) = published(name) else { return };
        let (requests, report) = input::requests(name, &bytes, &site(0.0, 0.0, 0.0, 0.0), None, &[1.0; 168]).unwrap();
        assert_eq!(report.rows, rows);
        assert!((requests.input_tokens - input_tokens).abs() < 1e-9 && requests.prefix_reuse.is_none());
        assert!((requests.output_tokens - output_tokens).abs() < 1e-9);
        check_mean(name, &requests.rate_per_s, rate, 1e-3);
        has(&report, "spread over the year");
        let (list, _) = input::request_list(name, &bytes).unwrap();
        check_list(&list, rows as usize, f64::from(rows - 1) / rate, (input_tokens, output_tokens));
    }
}

/// Requests one by one: how many, over how long, and their mean tokens.
fn check_list(list: &RequestList, rows: usize, last_s: f64, (input_tokens, output_tokens): (f64, f64)) {
    let list = &list.requests.list;
    assert_eq!(list.len(), rows);
    let mean = |tokens: fn(&Request) -> u32| list.iter().map(|r| f64::from(tokens(r))).sum::<f64>() / rows as f64;
    assert!((mean(|request| request.input) - input_tokens).abs() < 1e-6);
    assert!((mean(|request| request.output) - output_tokens).abs() < 1e-6);
    let Arrival::At { at_s } = list[rows - 1].arrival else { panic!("the last comes at a moment") };
    assert!((at_s - last_s).abs() < 1e-3 * last_s, "{at_s} s for {last_s} s");
}

/// Qin et al., "Mooncake", FAST 2025: the conversation trace has 12 031 requests of 12 035 prompt and 343 answer tokens
/// on average, and an unbounded cache finds 36.6 % of its *blocks*. Of its prompt tokens that is 37.4 %, as the blocks
/// which are never found are more often the last and partly filled ones.
#[test]
fn agrees_with_published_mooncake_trace() {
    let name = "traces/mooncake_conversation_trace.jsonl";
    let Some(bytes) = published(name) else { return };
    let (requests, report) = input::requests(name, &bytes, &site(0.0, 0.0, 0.0, 0.0), None, &[1.0; 168]).unwrap();
    assert_eq!(report.rows, 12_031);
    assert!((requests.input_tokens - 12_035.061_3).abs() < 1e-3 && (requests.output_tokens - 342.618_9).abs() < 1e-3);
    has(&report, "would find 36.6 % of blocks, which are 37.4 % of prompt tokens");
    assert!((requests.prefix_reuse.unwrap().as_fraction() - 0.373_623_749).abs() < 1e-8);
    check_mean(name, &requests.rate_per_s, 12_030.0 / 3_536.999, 1e-9);
    let (list, _) = input::request_list(name, &bytes).unwrap();
    check_list(&list, 12_031, 3_536.999, (requests.input_tokens, requests.output_tokens));
    assert_eq!((list.requests.blocks.len(), list.requests.block_tokens), (288_500, input::BLOCK_TOKENS));
}

#[test]
fn agrees_with_published_servegen_rates() {
    let name = "traces/servegen_rate_10min.csv";
    let Some(bytes) = published(name) else { return };
    let here = site(0.0, 0.0, 0.0, 0.0);
    for (series, rows, first) in [
        (Some("m-large"), 2016, 212.78),
        (Some("DeepSeek-R1"), 144, 14.8633),
        (None, 6192, 212.78 + 986.565 + 809.7617 + 14.8633),
    ] {
        let (requests, report) = input::requests(name, &bytes, &here, series, &[1.0; 168]).unwrap();
        assert_eq!((report.rows, requests.rate_per_s.values.len()), (rows, 6 * HOURS as usize));
        assert!((requests.rate_per_s.interval.as_minutes() - 10.0).abs() < 1e-9);
        assert!((requests.rate_per_s.values[0] - first).abs() < 1e-9, "{}", requests.rate_per_s.values[0]);
        assert!(requests.input_tokens.abs() + requests.output_tokens.abs() < 1e-12);
        has(&report, "no token lengths");
    }
    // the mean of 52.14 repeated weeks is nearly that of the two weeks
    let (requests, _) = input::requests(name, &bytes, &here, Some("m-mid"), &[1.0; 168]).unwrap();
    assert!((requests.rate_per_s.mean() / 1_790.057_8 - 1.0).abs() < 0.005, "{}", requests.rate_per_s.mean());
}
