//! Sites and files that the tests share.

use model::location::Location;
use std::fmt::Write;
use std::path::PathBuf;

/// A site on a clock `utc_offset_h` ahead of UTC.
pub(crate) fn site(latitude: f64, longitude: f64, elevation_m: f64, utc_offset_h: f64) -> Location {
    let json = serde_json::json!({
        "id": "here", "name": "Here", "country": "US", "latitude": latitude, "longitude": longitude,
        "elevation_m": elevation_m, "utc_offset_h": utc_offset_h,
        "climate": {
            "dry_bulb_mean_c": vec![10.0; 12], "daily_range_k": vec![10.0; 12], "dew_point_mean_c": vec![5.0; 12],
            "day_to_day_sd_k": vec![2.0; 12],
        },
        "grid": {
            "region": "here", "energy_price_usd_per_mwh": 50.0, "price_hour_shape": vec![1.0; 24], "price_month_shape": vec![1.0; 12],
            "demand_charge_usd_per_kw_month": 10.0, "carbon_g_per_kwh": 400.0, "carbon_hour_shape": vec![1.0; 24],
        },
        "water_price_usd_per_m3": 2.0, "source": "made up", "as_of": "2026-01",
    });
    serde_json::from_value(json).unwrap()
}

/// A site in UTC at the sea.
pub(crate) fn greenwich() -> Location {
    site(51.5, 0.0, 0.0, 0.0)
}

/// A published file; none where there are none, which is an error under CI.
pub(crate) fn published(name: &str) -> Option<Vec<u8>> {
    let root = std::env::var_os("MILLWRIGHT_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    if !root.is_dir() {
        let ci = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(!ci, "no data at {}: set MILLWRIGHT_DATA", root.display());
        eprintln!("skipped: no data at {}; set MILLWRIGHT_DATA", root.display());
        return None;
    }
    Some(input::read_file(&root.join(name), 64 << 20).unwrap())
}

/// Moments `minutes` apart through `days` days from the start of 2023, as `YYYY-MM-DDTHH:MM`, with their index.
pub(crate) fn moments(days: u32, minutes: u32) -> impl Iterator<Item = (u32, String)> {
    let steps = 24 * 60 / minutes;
    (0..days * steps).map(move |i| {
        let day = i / steps;
        let (year, day) = (2023 + day / 365, day % 365);
        let month = model::scenario::month_of_day(day);
        let minute = i % steps * minutes;
        let of_month = day - model::scenario::MONTH_STARTS[month] + 1;
        (i, format!("{year}-{:02}-{of_month:02}T{:02}:{:02}", month + 1, minute / 60, minute % 60))
    })
}

/// A year of hourly prices in UTC, the price of hour `i` being `i / 100`.
pub(crate) fn prices() -> String {
    let mut text = "Datetime (UTC),Price (USD/MWh)\n".to_owned();
    for (i, moment) in moments(365, 60) {
        writeln!(text, "{moment}+00:00,{}", f64::from(i) / 100.0).unwrap();
    }
    text
}

/// A year of hourly carbon intensities.
pub(crate) fn carbon() -> String {
    prices().replace("Datetime (UTC),Price (USD/MWh)", "timestamp,avg_CI")
}

/// A year of hourly weather with a metadata block.
pub(crate) fn open_meteo() -> String {
    let mut text = "latitude,longitude,elevation,utc_offset_seconds,timezone,timezone_abbreviation\n\
                    51.5,0.0,25.0,0,GMT,GMT\n\n\
                    time,temperature_2m (°C),relative_humidity_2m (%),surface_pressure (hPa)\n"
        .to_owned();
    for (i, moment) in moments(365, 60) {
        writeln!(text, "{moment},{},50,1010.0", i % 24).unwrap();
    }
    text
}

/// A year of EPW rows, `per_hour` of them in an hour, on a clock `zone_h` ahead of UTC, with `february` days in February.
/// The dry bulb is the hour from 0.
pub(crate) fn epw(per_hour: u32, zone_h: f64, february: u32) -> String {
    let mut text = format!("LOCATION,Here,X,GBR,TMY,1,51.5,0.0,{zone_h},25.0\n");
    for name in ["DESIGN CONDITIONS", "TYPICAL/EXTREME PERIODS", "GROUND TEMPERATURES", "HOLIDAYS/DAYLIGHT SAVINGS"] {
        writeln!(text, "{name},0").unwrap();
    }
    writeln!(text, "COMMENTS 1,\nCOMMENTS 2,\nDATA PERIODS,1,{per_hour},Data,Sunday, 1/ 1,12/31").unwrap();
    for (month, days) in (1..).zip([31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
        for (day, hour) in (1..=days).flat_map(|day| (1..=24).map(move |hour| (day, hour))) {
            for part in 1..=per_hour {
                let minute = 60 * part / per_hour;
                let dry = f64::from(hour - 1);
                writeln!(text, "2023,{month},{day},{hour},{minute},?9?9,{dry},-5.0,40,101000,0,0,280").unwrap();
            }
        }
    }
    text
}

/// An Azure trace of a request each `seconds` through `hours` hours of 2023-11-16.. from 00:00.
pub(crate) fn azure(hours: u32, seconds: u32) -> String {
    let mut text = "TIMESTAMP,ContextTokens,GeneratedTokens\n".to_owned();
    for s in (0..hours * 3600).step_by(seconds as usize) {
        let (day, s) = (16 + s / 86_400, s % 86_400);
        writeln!(text, "2023-11-{day} {:02}:{:02}:{:02}.1234567,100,20", s / 3600, s / 60 % 60, s % 60).unwrap();
    }
    text
}

/// A Mooncake trace of a few requests that share their first block.
pub(crate) fn mooncake() -> String {
    (0..20).fold(String::new(), |mut text, i| {
        let line = format!(r#""timestamp": {}, "input_length": 1000, "output_length": 10"#, i * 3000);
        writeln!(text, r#"{{{line}, "hash_ids": [0, {}]}}"#, i + 1).unwrap();
        text
    })
}

/// Rates of two models, one for two weeks and one for a day, in windows of 10 minutes.
pub(crate) fn servegen() -> String {
    let mut text = "model,t_s,rate_rps,active_clients\n".to_owned();
    for i in 0..2016 {
        writeln!(text, "big,{},{},4", i * 600, i % 1008).unwrap();
    }
    for i in 0..144 {
        writeln!(text, "small,{},{},4", i * 600, 0.5).unwrap();
    }
    text
}

/// A table of single requests, some of them turns of sessions.
pub(crate) fn table() -> String {
    let head = "at_s,input_tokens,output_tokens,tenant,session,priority,pause_s\n".to_owned();
    (0..40).fold(head, |mut text, i| {
        let pause = if i % 3 == 0 { "1.5" } else { "" };
        writeln!(text, "{},{},{},team {},{},{},{pause}", i * 2, 700 + i, 90, i % 4, i % 7, i % 2).unwrap();
        text
    })
}
