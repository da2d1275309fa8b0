//! A year where the user brings none: weather, prices, carbon and requests made from a place's published statistics.
//!
//! Synthetic, and said to be so in every report. The same place and seed give the same year.

use crate::psychrometrics as air;
use model::location::{Climate, Location};
use model::quantity::{Pressure, Ratio, Span, Temperature};
use model::scenario::{DAYS, HOURS, InputReport, MONTH_STARTS, Requests, Scenario, Series, Weather, month_of_day};
use model::site::Site;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Share of a day's departure from the month's mean that the next day keeps. Daily mean temperatures at mid-latitudes
/// have lag-one autocorrelations of 0.6 to 0.8 (Wilks, Statistical Methods in the Atmospheric Sciences, ch. 9).
const DAY_TO_DAY: f64 = 0.7;
/// Share of a day's departure that the dew point follows.
const DEW_POINT_FOLLOWS: f64 = 0.6;
/// Hour of the day's highest temperature.
const WARMEST_HOUR: f64 = 15.0;
/// Daily means this many standard deviations above the month's are the hottest that are planned for: about one day in
/// a summer of 90 (1 − Φ(2.3) = 1%), as ASHRAE's 0.4% design hour is.
const HOTTEST_SD: f64 = 2.3;

/// Requests in each hour of the day over the day's mean: the larger of three production services in ServeGen's 14 days
/// of rates (Alibaba, 2025; Apache-2.0, `m-large`), rounded.
const HOUR_SHAPE: [f64; 24] = [
    0.99, 1.00, 0.99, 0.94, 0.91, 0.88, 0.85, 0.82, 0.79, 0.87, 1.05, 1.11, 0.97, 0.98, 1.05, 1.05, 1.11, 1.08, 1.04,
    1.14, 1.13, 1.07, 1.10, 1.09,
];
/// The same for days, Monday first: the public rates show no weekly pattern that holds between services, so none.
const DAY_SHAPE: [f64; 7] = [1.0; 7];

/// Requests in each hour of a week over the week's mean, Monday 00:00 first.
pub fn week_shape() -> [f64; 168] {
    let mean = HOUR_SHAPE.iter().sum::<f64>() / 24.0 * DAY_SHAPE.iter().sum::<f64>() / 7.0;
    std::array::from_fn(|hour| HOUR_SHAPE[hour % 24] * DAY_SHAPE[hour / 24] / mean)
}

/// A whole default year for a site.
pub fn scenario(site: &Site, step: Span, seed: u64) -> Scenario {
    let location = &site.location;
    Scenario {
        step,
        weather: weather(location, seed),
        price_usd_per_mwh: price(location),
        carbon_g_per_kwh: carbon(location),
        requests: requests(),
        seed,
        inputs: ["weather", "prices", "carbon", "requests"].map(|input| report(input, location)).into(),
    }
}

/// Says of one input that it was made here, and from what.
pub fn report(input: &str, location: &Location) -> InputReport {
    let (format, remark) = match input {
        "weather" => {
            ("synthetic, from monthly statistics", format!("a typical year of {}: {}", location.name, location.source))
        }
        "prices" => (
            "synthetic, mean and shapes of the region",
            format!("{} at {} $/MWh on average", location.grid.region, location.grid.energy_price_usd_per_mwh),
        ),
        "carbon" => (
            "synthetic, mean and daily shape of the region",
            format!(
                "{} at {:.0} g/kWh on average",
                location.grid.region,
                location.grid.carbon_mean.as_grams_per_kilowatt_hour()
            ),
        ),
        _ => (
            "synthetic, daily shape of a production service",
            "hourly shape of ServeGen's m-large (Alibaba 2025); lengths are the design's".to_owned(),
        ),
    };
    InputReport {
        input: input.to_owned(),
        file: "default".to_owned(),
        format: format.to_owned(),
        rows: HOURS,
        first: String::new(),
        last: String::new(),
        filled: 0,
        remarks: vec![remark],
    }
}

/// A generator of its own for each use, so that a draw more in one does not shift another.
pub(crate) fn fork(seed: u64, name: &str) -> ChaCha8Rng {
    // FNV-1a, to spread names over streams.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(hash);
    rng
}

/// A draw from the standard normal distribution (Box and Muller).
pub(crate) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let uniform = |rng: &mut ChaCha8Rng| ((rng.next_u64() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0;
    let (a, b) = (uniform(rng), uniform(rng));
    libm::sqrt(-2.0 * libm::log(a)) * libm::cos(std::f64::consts::TAU * b)
}

/// A monthly figure on a day, in a straight line between the middles of months.
fn on_day(monthly: &[f64; 12], day: u32) -> f64 {
    let month = month_of_day(day);
    let middle = |m: usize| f64::midpoint(f64::from(MONTH_STARTS[m]), f64::from(MONTH_STARTS[m + 1]));
    let past = f64::from(day) + 0.5 - middle(month);
    let neighbour = if past >= 0.0 { (month + 1) % 12 } else { (month + 11) % 12 };
    // Days between the two middles, the short way round the year.
    let apart = (middle(neighbour) - middle(month)).abs();
    let apart = apart.min(f64::from(DAYS) - apart);
    monthly[month] + (monthly[neighbour] - monthly[month]) * past.abs() / apart
}

/// A typical year of weather.
///
/// Dry bulb = month's mean + day's departure + range/2·cos(2π(h − 15)/24); departures are an autoregressive process of
/// first order with the month's standard deviation. Dew point = month's mean + 0.6·departure, never above dry bulb.
pub fn weather(location: &Location, seed: u64) -> Weather {
    let climate = &location.climate;
    let pressure = air::standard_pressure(location.elevation);
    let mut rng = fork(seed, "climate");
    let mut departure = normal(&mut rng);
    let (mut dry, mut wet) = (Vec::with_capacity(HOURS as usize), Vec::with_capacity(HOURS as usize));
    for day in 0..DAYS {
        let next = DAY_TO_DAY * departure + libm::sqrt(1.0 - DAY_TO_DAY * DAY_TO_DAY) * normal(&mut rng);
        let spread = on_day(&climate.day_to_day_sd_k, day);
        for hour in 0..24 {
            // The departure moves from one day's to the next's without a step at midnight.
            let moved = departure + (next - departure) * f64::from(hour) / 24.0;
            let swing = on_day(&climate.daily_range_k, day) / 2.0;
            let angle = std::f64::consts::TAU * (f64::from(hour) + 0.5 - WARMEST_HOUR) / 24.0;
            let dry_bulb = on_day(&climate.dry_bulb_mean_c, day) + spread * moved + swing * libm::cos(angle);
            let dew_point = on_day(&climate.dew_point_mean_c, day) + DEW_POINT_FOLLOWS * spread * moved;
            dry.push(dry_bulb);
            wet.push(wet_bulb(dry_bulb, dew_point, pressure));
        }
        departure = next;
    }
    Weather { dry_bulb_c: Series::hourly(dry), wet_bulb_c: Series::hourly(wet), pressure }
}

fn wet_bulb(dry_bulb_c: f64, dew_point_c: f64, pressure: Pressure) -> f64 {
    let dew_point = Temperature::from_celsius(dew_point_c.min(dry_bulb_c));
    let humidity: Ratio = air::humidity_ratio_from_dew_point(dew_point, pressure);
    air::wet_bulb_c(dry_bulb_c, humidity.as_fraction(), pressure.as_pascals()).min(dry_bulb_c)
}

/// Dry and wet bulb of the year's mean and of its hottest planned hour, °C, without making a year.
pub fn mean_and_hottest(location: &Location) -> [(f64, f64); 2] {
    let climate: &Climate = &location.climate;
    let pressure = air::standard_pressure(location.elevation);
    let mean = |monthly: &[f64; 12]| monthly.iter().sum::<f64>() / 12.0;
    let (dry, dew) = (mean(&climate.dry_bulb_mean_c), mean(&climate.dew_point_mean_c));
    let hottest = (0..12)
        .map(|m| {
            let departure = HOTTEST_SD * climate.day_to_day_sd_k[m];
            let dry = climate.dry_bulb_mean_c[m] + departure + climate.daily_range_k[m] / 2.0;
            (dry, climate.dew_point_mean_c[m] + DEW_POINT_FOLLOWS * departure)
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap_or((dry, dew));
    [(dry, wet_bulb(dry, dew, pressure)), (hottest.0, wet_bulb(hottest.0, hottest.1, pressure))]
}

/// Energy price, $/MWh: mean · month's shape · hour's shape.
pub fn price(location: &Location) -> Series {
    let grid = &location.grid;
    Series::hourly(
        (0..HOURS)
            .map(|hour| {
                let shape =
                    grid.price_hour_shape[(hour % 24) as usize] * grid.price_month_shape[month_of_day(hour / 24)];
                grid.energy_price_usd_per_mwh * shape
            })
            .collect(),
    )
}

/// Carbon intensity, g/kWh: mean · hour's shape.
pub fn carbon(location: &Location) -> Series {
    let grid = &location.grid;
    let mean = grid.carbon_mean.as_grams_per_kilowatt_hour();
    Series::hourly((0..HOURS).map(|hour| mean * grid.carbon_hour_shape[(hour % 24) as usize]).collect())
}

/// One request a second on average, in the default week's shape; lengths are left to the design. 1 January is a Monday,
/// as the readers have it.
pub fn requests() -> Requests {
    let week = week_shape();
    Requests {
        rate_per_s: Series::hourly((0..HOURS as usize).map(|hour| week[hour % 168]).collect()),
        input_tokens: 0.0,
        output_tokens: 0.0,
        prefix_reuse: None,
    }
}
