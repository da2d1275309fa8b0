//! Zones, daylight saving, leap days, gaps, intervals.

use crate::site::{azure, epw, greenwich, moments, open_meteo, prices, servegen, site};
use model::location::Location;
use model::scenario::{HOURS, InputReport, Series};
use std::fmt::Write;

fn read(text: &str, here: &Location) -> (Series, InputReport) {
    input::prices("p.csv", text.as_bytes(), here).unwrap_or_else(|err| panic!("{err}"))
}

fn has(report: &InputReport, words: &str) {
    assert!(report.remarks.iter().any(|remark| remark.contains(words)), "no {words:?} in {report:#?}");
}

fn at(series: &Series, place: usize, expect: f64) {
    let got = series.values[place];
    assert!((got - expect).abs() < 1e-9, "{place}: {got} for {expect}");
}

#[test]
fn utc_wraps_round_the_years_edges() {
    let (series, report) = read(&prices(), &site(0.0, 0.0, 0.0, -8.0));
    for (place, hour) in [(0, 8), (8751, 8759), (8752, 0), (8759, 7)] {
        at(&series, place, f64::from(hour) / 100.0);
    }
    assert_eq!((report.rows, report.filled, report.remarks.len()), (8760, 0, 0), "{report:?}");
    assert_eq!((&*report.first, &*report.last), ("2023-01-01T00:00+00:00", "2023-12-31T23:00+00:00"));
    let (series, report) = read(&prices(), &site(0.0, 0.0, 0.0, 5.5));
    at(&series, 5, 0.0);
    has(&report, "30 min into an interval");
}

#[test]
fn a_leap_day_has_no_place() {
    let mut text = prices();
    for hour in 0..24 {
        writeln!(text, "2024-02-29T{hour:02}:00+00:00,9999").unwrap();
    }
    let (series, report) = read(&text, &greenwich());
    assert!(series.values.iter().all(|price| *price < 100.0));
    has(&report, "29 February left out (24 rows)");
    assert_eq!(report.rows, 8784);
}

#[test]
fn the_first_of_several_years_is_used() {
    let mut text = prices();
    for (_, moment) in moments(2 * 365, 60).skip(8760) {
        writeln!(text, "{moment}+00:00,-1").unwrap();
    }
    let (series, report) = read(&text, &greenwich());
    assert!(series.values.iter().all(|price| *price >= 0.0));
    has(&report, "8760 rows beyond the first year left out");
}

/// Wall-clock prices with daylight saving from 26 March 01:00 to 29 October 01:00 standard time, price = hour / 100.
fn wall(minutes: u32) -> String {
    let per_hour = 60 / minutes;
    let (from, until) = ((59 + 25) * 24 + 1, (273 + 28) * 24 + 1);
    let ahead: Vec<String> = moments(366, minutes).map(|(_, moment)| moment).collect();
    moments(365, minutes).fold("time,price_usd_per_mwh\n".to_owned(), |mut text, (i, moment)| {
        let saving = (from * per_hour..until * per_hour).contains(&i);
        let shown = if saving { &ahead[(i + per_hour) as usize] } else { &moment };
        writeln!(text, "{shown},{}", f64::from(i) / 100.0).unwrap();
        text
    })
}

#[test]
fn daylight_saving_is_undone() {
    for minutes in [60, 30, 15, 5] {
        let (series, report) = read(&wall(minutes), &site(0.0, 0.0, 0.0, 1.0));
        has(&report, "changing on 03-26 and 10-29: undone");
        assert_eq!((report.filled, series.values.len() as u32), (0, HOURS * 60 / minutes));
        assert!((series.interval.as_minutes() - f64::from(minutes)).abs() < 1e-9);
        for (i, price) in series.values.iter().enumerate() {
            assert!((price - i as f64 / 100.0).abs() < 1e-9, "{minutes} min, {i}: {price}");
        }
    }
}

#[test]
fn naive_times_without_daylight_saving_are_standard_time() {
    let text = prices().replace("+00:00", "").replace("Datetime (UTC)", "time");
    let (series, report) = read(&text, &site(0.0, 0.0, 0.0, -8.0));
    at(&series, 0, 0.0);
    has(&report, "show no daylight saving: taken as the site's standard time");
    // in a column whose name says UTC they are in UTC
    let (series, _) = read(&prices().replace("+00:00", ""), &site(0.0, 0.0, 0.0, -8.0));
    at(&series, 0, 0.08);
}

#[test]
fn gaps_are_filled_and_told() {
    // three hours from 2 January 03:00, as a missing row, an empty field and a NaN; then 30 hours from 11 April 00:00
    let text: String = prices()
        .lines()
        .enumerate()
        .filter_map(|(number, line)| {
            let (time, _) = line.split_once(',').unwrap();
            match number.wrapping_sub(1) {
                27 => None,
                28 => Some(format!("{time},\n")),
                29 => Some(format!("{time},NaN\n")),
                hour if (2400..2430).contains(&hour) => None,
                _ => Some(format!("{line}\n")),
            }
        })
        .collect();
    let (series, report) = read(&text, &greenwich());
    has(&report, "33 values missing, in 2 gaps, the first at 2 January 03:00, the longest of 30 h");
    assert_eq!(report.filled, 33);
    for (place, price) in [(27, 0.27), (28, 0.28), (29, 0.29), (2400, 23.76), (2410, 24.10), (2425, 24.49)] {
        at(&series, place, price);
    }
}

#[test]
fn too_little_of_a_year_is_refused() {
    let most = |rows: usize| prices().lines().take(rows + 1).fold(String::new(), |text, line| text + line + "\n");
    let error = input::prices("p.csv", most(700).as_bytes(), &greenwich()).unwrap_err().to_string();
    assert_eq!(error, "p.csv covers 700 of the year's 8760 hours; at least 7884 are needed");
    assert!(input::prices("p.csv", most(7883).as_bytes(), &greenwich()).is_err());
    assert!(input::prices("p.csv", most(7884).as_bytes(), &greenwich()).is_ok());
}

#[test]
fn order_and_doubles_are_put_right_within_limits() {
    let text = prices();
    let (header, rows) = text.split_once('\n').unwrap();
    let mut lines: Vec<&str> = rows.lines().collect();
    lines.reverse();
    let (series, report) = read(&format!("{header}\n{}\n", lines.join("\n")), &greenwich());
    at(&series, 1, 0.01);
    has(&report, "from late to early");
    assert_eq!(&report.first, "2023-01-01T00:00+00:00");
    lines.reverse();
    lines.swap(10, 11);
    lines.insert(500, lines[499]);
    let (series, report) = read(&format!("{header}\n{}\n", lines.join("\n")), &greenwich());
    at(&series, 11, 0.11);
    has(&report, "1 row out of order in time: sorted");
    has(&report, "1 row for a moment that another row has, 0 of other value");
    let twice = format!("{header}\n{}\n{}\n", lines.join("\n"), lines.join("\n"));
    let error = input::prices("p.csv", twice.as_bytes(), &greenwich()).unwrap_err().to_string();
    assert!(error.contains("out of order") || error.contains("another row has"), "{error}");
}

#[test]
fn open_meteo_tells_its_zone_and_pressure() {
    let text = open_meteo().replace(",0,GMT,GMT", ",3600,Europe/Paris,CET");
    let (weather, report) = input::weather("w.csv", text.as_bytes(), &greenwich()).unwrap();
    at(&weather.dry_bulb_c, 0, 1.0);
    at(&weather.dry_bulb_c, 8759, 0.0);
    assert!((weather.pressure.as_pascals() - 101_000.0).abs() < 1e-6);
    assert!(report.remarks.is_empty(), "{report:?}");
    let fahrenheit = open_meteo().replace("(°C)", "(°F)");
    let (weather, _) = input::weather("w.csv", fahrenheit.as_bytes(), &greenwich()).unwrap();
    at(&weather.dry_bulb_c, 23, (23.0 - 32.0) / 1.8);
}

#[test]
fn epw_has_leap_years_parts_of_hours_and_zones() {
    for (per_hour, february) in [(1, 28), (1, 29), (4, 28)] {
        let (weather, report) = input::weather("w.epw", epw(per_hour, 0.0, february).as_bytes(), &greenwich()).unwrap();
        at(&weather.dry_bulb_c, 13, 13.0);
        at(&weather.dry_bulb_c, 8759, 23.0);
        assert_eq!((report.filled, report.rows), (0, per_hour * 24 * (february + 337)));
        assert_eq!(report.remarks.iter().any(|r| r.contains("29 February")), february == 29);
    }
    let (weather, report) = input::weather("w.epw", epw(1, 3.0, 28).as_bytes(), &greenwich()).unwrap();
    has(&report, "UTC+3: moved by -3 h");
    at(&weather.dry_bulb_c, 0, 3.0);
    at(&weather.dry_bulb_c, 8759, 2.0);
}

#[test]
fn epw_gaps_are_its_codes_for_missing() {
    let text = epw(1, 0.0, 28)
        .replace("2023,5,6,7,60,?9?9,6,-5.0,40,101000", "2023,5,6,7,60,?9?9,99.9,-5.0,40,999999")
        .replace("2023,5,6,8,60,?9?9,7,-5.0,40,101000", "2023,5,6,8,60,?9?9,7,99.9,40,101000")
        .replace("2023,5,6,9,60,?9?9,8,-5.0,40,101000", "2023,5,6,9,60,?9?9,8,99.9,999,101000");
    let (weather, report) = input::weather("w.epw", text.as_bytes(), &greenwich()).unwrap();
    has(&report, "2 values missing, in 2 gaps, the first at 6 May 06:00");
    at(&weather.dry_bulb_c, (120 + 5) * 24 + 6, 6.0);
    assert!((weather.pressure.as_pascals() - 101_000.0).abs() < 1e-6);
}

#[test]
fn epw_must_cover_the_year() {
    let text = epw(1, 0.0, 28).replace("1/ 1,12/31", "6/ 1, 8/31");
    let error = input::weather("w.epw", text.as_bytes(), &greenwich()).unwrap_err().to_string();
    assert_eq!(error, "w.epw covers 2208 of the year's 8760 hours; at least 8760 are needed");
}

#[test]
fn traces_are_repeated_on_their_weekdays() {
    let mut shape = [0.5; 168];
    shape[3] = 1.5;
    // three days from Thursday 16 November: hours count, weekdays cannot
    let (requests, report) = input::requests("a.csv", azure(72, 30).as_bytes(), &greenwich(), None, &shape).unwrap();
    has(&report, "3 whole days of the trace, repeated 121.7 times");
    assert!((requests.rate_per_s.mean() - 1.0 / 30.0).abs() < 1e-4, "{}", requests.rate_per_s.mean());
    assert!((requests.input_tokens - 100.0).abs() + (requests.output_tokens - 20.0).abs() < 1e-9);
    let (requests, report) = input::requests("a.csv", azure(19, 30).as_bytes(), &greenwich(), None, &shape).unwrap();
    has(&report, "spread over the year by the weekly shape");
    at(&requests.rate_per_s, 171, 1.5 / 30.0);
    at(&requests.rate_per_s, 172, 0.5 / 30.0);
    let (requests, report) = input::requests("s.csv", servegen().as_bytes(), &greenwich(), None, &shape).unwrap();
    has(&report, "big: 2 whole weeks of the trace, repeated 26.1 times");
    has(&report, "small: 1 whole day of");
    at(&requests.rate_per_s, 0, 0.5);
    at(&requests.rate_per_s, 1007, 1007.5);
    at(&requests.rate_per_s, 1008, 0.5);
}
