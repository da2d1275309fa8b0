//! The only place that puts figures into words: three significant figures, a thin space before the unit, "—" for what
//! is missing.

use model::metric::Unit;
use model::quantity::{Energy, Power, Span, Temperature};
use model::report::Banded;
use std::fmt;

/// Between a number and its unit, and between groups of digits.
const THIN: char = '\u{202f}';
/// Stands for a figure that is not there.
pub const MISSING: &str = "—";

/// A figure in words: its number and its unit, apart, so that a page can set the unit lighter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The digits, with their sign.
    pub number: String,
    /// The unit; empty for a bare number.
    pub unit: String,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.unit.is_empty() { f.write_str(&self.number) } else { write!(f, "{}{THIN}{}", self.number, self.unit) }
    }
}

/// A figure that is not there.
pub fn missing() -> Figure {
    Figure { number: MISSING.into(), unit: String::new() }
}

/// The figure where there is one.
pub fn or_missing<T>(value: Option<T>, words: impl FnOnce(T) -> Figure) -> Figure {
    value.map_or_else(missing, words)
}

/// Electric power: `132 kW`, `118 MW`, `1.12 GW`.
pub fn power(power: Power) -> Figure {
    scaled(power.as_watts(), "MW", &[(1e9, "GW"), (1e6, "MW"), (1e3, "kW"), (1.0, "W")])
}

/// Power given in megawatts, as reports have it.
pub fn megawatts(mw: f64) -> Figure {
    power(Power::from_megawatts(mw))
}

/// Energy: `3.17 MWh`, `842 GWh`.
pub fn energy(energy: Energy) -> Figure {
    let kwh = energy.as_kilowatt_hours();
    scaled(kwh, "MWh", &[(1e9, "TWh"), (1e6, "GWh"), (1e3, "MWh"), (1.0, "kWh")])
}

/// Energy given in megawatt-hours, as reports have it.
pub fn megawatt_hours(mwh: f64) -> Figure {
    energy(Energy::from_megawatt_hours(mwh))
}

/// Output tokens in time: `1.94 M tok/s`.
pub fn token_rate(per_second: f64) -> Figure {
    counted(per_second, "tok/s")
}

/// Output tokens in time for each megawatt: `20.1 k tok/s/MW`.
pub fn tokens_per_megawatt(per_second: f64) -> Figure {
    counted(per_second, "tok/s/MW")
}

/// Output tokens for each joule: `0.0201 tok/J`.
pub fn tokens_per_joule(tokens: f64) -> Figure {
    scaled(tokens, "tok/J", &[(1.0, "tok/J")])
}

/// A number of tokens: `38.2 T tokens`.
pub fn tokens(count: f64) -> Figure {
    counted(count, "tokens")
}

fn counted(value: f64, unit: &str) -> Figure {
    let steps = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"), (1.0, "")];
    let Figure { number, unit: prefix } = scaled(value, "", &steps);
    let unit = if number == MISSING { String::new() } else { format!("{prefix} {unit}").trim().to_owned() };
    Figure { number, unit }
}

/// Dollars: `$412`, `$1.24 bn`.
pub fn money(dollars: f64) -> Figure {
    let Figure { number, unit } = scaled(dollars, "", &[(1e9, "bn"), (1e6, "M"), (1e3, "k"), (1.0, "")]);
    if number == MISSING {
        return missing();
    }
    let number = number.strip_prefix('−').map_or_else(|| format!("${number}"), |n| format!("−${n}"));
    Figure { number, unit }
}

/// A small price, of one task: `$0.00213`.
pub fn price(dollars: f64) -> Figure {
    if dollars.is_finite() { Figure { number: format!("${}", three(dollars)), unit: String::new() } } else { missing() }
}

/// An energy of one task: `412 J`, `1.24 kJ`.
pub fn joules(joules: f64) -> Figure {
    scaled(joules, "J", &[(1e9, "GJ"), (1e6, "MJ"), (1e3, "kJ"), (1.0, "J")])
}

/// A figure to its last digit, as limits are told: 100 000, 0.001.
pub fn exact(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { grouped(value) } else { plain(value) }
}

/// A number for a file that programs read: all of its digits.
pub fn plain(value: f64) -> String {
    value.to_string()
}

/// Dollars for a million output tokens: `$0.214 /Mtok`.
pub fn price_per_million(dollars: f64) -> Figure {
    if dollars.is_finite() {
        Figure { number: format!("${}", three(dollars)), unit: "/Mtok".into() }
    } else {
        missing()
    }
}

/// A share of a whole: `5.21 %`.
pub fn percent(share: f64) -> Figure {
    if share.is_finite() { figure(three_or_less(share * 100.0), "%") } else { missing() }
}

/// A temperature: `24.3 °C`.
pub fn temperature(temperature: Temperature) -> Figure {
    let celsius = temperature.as_celsius();
    if celsius.is_finite() { figure(signed(celsius, 1), "°C") } else { missing() }
}

/// Units that a reader chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Units {
    /// °C, m, t, m³/h.
    #[default]
    Si,
    /// °F, ft, short tons, gpm.
    Us,
}

/// A temperature in degrees Celsius: `40.0 °C`, `104 °F`.
pub fn celsius_in(units: Units, celsius: f64) -> Figure {
    if !celsius.is_finite() {
        return missing();
    }
    match units {
        Units::Si => figure(signed(celsius, 1), "°C"),
        Units::Us => figure(signed(celsius * 1.8 + 32.0, 1), "°F"),
    }
}

/// Water moved, m³/h: `1 240 m³/h`, `5 460 gpm` (US gallons of 3.785 41 L a minute).
pub fn flow_in(units: Units, cubic_metres_per_hour: f64) -> Figure {
    match units {
        Units::Si => large(cubic_metres_per_hour, "m³/h"),
        Units::Us => large(cubic_metres_per_hour * 4.402_87, "gpm"),
    }
}

/// Mass in tonnes: `12.4 t`, `13.7 short tons` (907.185 kg).
pub fn mass_in(units: Units, tonnes: f64) -> Figure {
    match units {
        Units::Si => large(tonnes, "t"),
        Units::Us => large(tonnes * 1.102_31, "short tons"),
    }
}

/// A length in metres: `24.6 m`, `80.7 ft`.
pub fn length_in(units: Units, metres: f64) -> Figure {
    match units {
        Units::Si => large(metres, "m"),
        Units::Us => large(metres / 0.3048, "ft"),
    }
}

/// An area in square metres: `640 m²`, `6 890 ft²`.
pub fn area_in(units: Units, square_metres: f64) -> Figure {
    match units {
        Units::Si => large(square_metres, "m²"),
        Units::Us => large(square_metres / (0.3048 * 0.3048), "ft²"),
    }
}

/// Three figures, grouped where there are thousands.
fn large(value: f64, unit: &str) -> Figure {
    if !value.is_finite() {
        missing()
    } else if value.abs() < 1e3 {
        figure(three_or_less(value), unit)
    } else {
        figure(grouped(to_three(value)), unit)
    }
}

/// The length of a file: `1.64 MB`.
pub fn bytes(bytes: f64) -> Figure {
    scaled(bytes, "B", &[(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")])
}

/// What a figure changed by: `+1.20 MW`, `−3 racks`; empty where it did not.
pub fn change(before: f64, after: f64, words: impl Fn(f64) -> Figure) -> String {
    let change = after - before;
    if !change.is_finite() || change.abs() <= 1e-9 * before.abs().max(after.abs()) {
        return String::new();
    }
    // What is shown as nothing is no change worth showing.
    let said = words(change.abs());
    if said.number.chars().all(|c| !c.is_ascii_digit() || c == '0') {
        return String::new();
    }
    let sign = if change > 0.0 { '+' } else { '−' };
    format!("{sign}{said}")
}

/// A share that a figure changed by: `+5.2 %`; empty where it did not.
pub fn relative_change(share: f64) -> String {
    if !share.is_finite() || share.abs() < 5e-5 {
        return String::new();
    }
    let sign = if share > 0.0 { '+' } else { '−' };
    format!("{sign}{}", percent(share.abs()))
}

/// A length of time, in the unit a person would say it in: `42 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min`.
pub fn duration(span: Span) -> String {
    let seconds = span.as_seconds();
    if !seconds.is_finite() || seconds < 0.0 {
        return MISSING.into();
    }
    let whole = seconds.round() as u64;
    match whole {
        0..1 => milliseconds(seconds * 1e3).to_string(),
        1..10 => figure(three_or_less(seconds), "s").to_string(),
        10..60 => figure(whole.to_string(), "s").to_string(),
        60..3600 => format!("{} {}", figure((whole / 60).to_string(), "min"), figure((whole % 60).to_string(), "s")),
        3600.. => {
            format!("{} {}", figure((whole / 3600).to_string(), "h"), figure((whole / 60 % 60).to_string(), "min"))
        }
    }
}

/// Thousandths of a second: `42 ms`.
pub fn milliseconds(ms: f64) -> Figure {
    if ms.is_finite() { figure(three_or_less(ms), "ms") } else { missing() }
}

/// Hours of the year: `312 h`.
pub fn hours(hours: f64) -> Figure {
    if hours.is_finite() { figure(grouped(hours.round()), "h") } else { missing() }
}

/// Water of a year: `410 000 m³`, `108 M gal` (US gallons of 3.785 41 L).
pub fn water_in(units: Units, cubic_metres: f64) -> Figure {
    if !cubic_metres.is_finite() {
        return missing();
    }
    match units {
        Units::Si if cubic_metres < 1e3 => figure(three_or_less(cubic_metres), "m³"),
        Units::Si => figure(grouped(to_three(cubic_metres)), "m³"),
        Units::Us => {
            let gallons = cubic_metres * 264.172;
            scaled(gallons, "gal", &[(1e6, "M gal"), (1e3, "k gal"), (1.0, "gal")])
        }
    }
}

/// Water over energy: `1.24 L/kWh`, `0.328 gal/kWh`.
pub fn water_per_energy_in(units: Units, litres_per_kwh: f64) -> Figure {
    match units {
        Units::Si => scaled(litres_per_kwh, "L/kWh", &[(1.0, "L/kWh")]),
        Units::Us => scaled(litres_per_kwh * 0.264_172, "gal/kWh", &[(1.0, "gal/kWh")]),
    }
}

/// Emissions: `82.1 kt CO₂e`.
pub fn carbon(tonnes: f64) -> Figure {
    scaled(tonnes, "t CO₂e", &[(1e6, "Mt CO₂e"), (1e3, "kt CO₂e"), (1.0, "t CO₂e")])
}

/// Emissions for a million output tokens: `214 g CO₂e/Mtok`.
pub fn carbon_per_million(grams: f64) -> Figure {
    scaled(grams, "g CO₂e/Mtok", &[(1e3, "kg CO₂e/Mtok"), (1.0, "g CO₂e/Mtok")])
}

/// A quotient near one, such as PUE: `1.09`.
pub fn quotient(value: f64) -> Figure {
    if value.is_finite() && value > 0.0 { figure(format!("{value:.3}"), "") } else { missing() }
}

/// A number of things: `55 296`.
pub fn count(count: u32) -> Figure {
    figure(grouped(f64::from(count)), "")
}

/// A number of things with their name: `1 rack`, `896 racks`.
pub fn things(number: u32, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A mean number of things: `64.2`.
pub fn mean_count(count: f64) -> Figure {
    if count.is_finite() { figure(three_or_less(count), "") } else { missing() }
}

/// How far a band reaches from its value: `± 22 %`, or `−18 % +27 %` where it leans.
pub fn band(banded: &Banded) -> String {
    let Banded { value, low, high } = *banded;
    if !(value.is_finite() && low.is_finite() && high.is_finite()) || value <= 0.0 {
        return String::new();
    }
    let (down, up) = ((value - low) / value * 100.0, (high - value) / value * 100.0);
    if (down - up).abs() < 0.5 {
        format!("±{THIN}{up:.0}{THIN}%")
    } else {
        format!("−{down:.0}{THIN}% +{up:.0}{THIN}%")
    }
}

/// How far two sides of a balance are apart, as a share: `one part in 10¹²`.
pub fn relative_error(error: f64) -> String {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    if !error.is_finite() {
        return MISSING.into();
    }
    let decade = (-error.abs().max(1e-18).log10()).floor().max(0.0) as usize;
    let raised: String = decade.to_string().bytes().filter_map(|b| RAISED.get(usize::from(b - b'0'))).collect();
    format!("one part in 10{raised}")
}

/// A moment, to the minute: `23 Nov 2026, 14:05 UTC`.
pub fn moment(milliseconds_since_1970: i64) -> String {
    let minutes = milliseconds_since_1970.div_euclid(60_000);
    let (days, minute) = (minutes.div_euclid(1440), minutes.rem_euclid(1440));
    let (year, month, day) = civil(days);
    let name = MONTHS.get(month as usize - 1).map_or("", |name| &name[..3]);
    format!("{day} {name} {year}, {:02}:{:02} UTC", minute / 60, minute % 60)
}

/// A moment, to the second: `23 Nov 2026, 14:05:12 UTC`.
pub fn moment_to_second(milliseconds_since_1970: i64) -> String {
    format!("{} UTC", clock_time(milliseconds_since_1970, Told::All))
}

/// The hour of a moment: `14:00`.
pub fn hour(milliseconds_since_1970: i64) -> String {
    format!("{:02}:00", milliseconds_since_1970.div_euclid(3_600_000).rem_euclid(24))
}

/// The day of a moment: `23 November 2026`.
pub fn day(milliseconds_since_1970: i64) -> String {
    let (year, number, day) = civil(milliseconds_since_1970.div_euclid(86_400_000));
    format!("{day} {} {year}", month(number as u32))
}

/// How long ago something was: `just now`, `12 s ago`, `3 min ago`, `5 h ago`, `2 days ago`.
pub fn ago(milliseconds: i64) -> String {
    let seconds = milliseconds.div_euclid(1000);
    let said = |number: i64, unit: &str| format!("{} ago", figure(number.to_string(), unit));
    match seconds {
        ..1 => "just now".into(),
        1..120 => said(seconds, "s"),
        120..7_200 => said(seconds / 60, "min"),
        7_200..172_800 => said(seconds / 3600, "h"),
        172_800.. => said(seconds / 86_400, "days"),
    }
}

/// A length of time that a person set: `30 s`, `2 min`, `4 h`, `7 days`.
pub fn lasting(milliseconds: i64) -> String {
    const UNITS: [(i64, &str); 3] = [(86_400_000, "days"), (3_600_000, "h"), (60_000, "min")];
    let whole = |(size, _): &&(i64, &str)| milliseconds > *size && milliseconds % size == 0 || milliseconds == *size;
    match UNITS.iter().find(whole) {
        Some((86_400_000, _)) if milliseconds == 86_400_000 => figure("24".into(), "h").to_string(),
        Some((size, unit)) => figure((milliseconds / size).to_string(), unit).to_string(),
        None if milliseconds % 1000 == 0 => figure((milliseconds / 1000).to_string(), "s").to_string(),
        None => figure(three_or_less(milliseconds as f64 / 1e3), "s").to_string(),
    }
}

/// Things in time: `0.400 /s`, `1.24 k/s`.
pub fn per_second(rate: f64) -> Figure {
    scaled(rate, "/s", &[(1e6, "M/s"), (1e3, "k/s"), (1.0, "/s")])
}

/// A number of things that may be very many: `1.24 B`.
pub fn many(count: u64) -> Figure {
    if count < 100_000 { figure(grouped(count as f64), "") } else { counted(count as f64, "") }
}

/// Energy given in kilowatt-hours, as meters have it.
pub fn kilowatt_hours(kwh: f64) -> Figure {
    energy(Energy::from_kilowatt_hours(kwh))
}

/// Energy of one output token: `3.21 J/token`.
pub fn joules_per_token(joules: f64) -> Figure {
    scaled(joules, "J/token", &[(1e3, "kJ/token"), (1.0, "J/token")])
}

/// How much of a time is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// `14:05:10`.
    Seconds,
    /// `14:05`.
    Minutes,
    /// `23 Nov 14:05`.
    DayAndMinutes,
    /// `23 Nov`.
    Day,
    /// `23 Nov 2026, 14:05:10`.
    All,
}

/// A time by some clock, as milliseconds since 1970 on that clock; which clock it is stands beside it.
pub fn clock_time(milliseconds: i64, told: Told) -> String {
    let seconds = milliseconds.div_euclid(1000);
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let name = MONTHS.get(month as usize - 1).map_or("", |name| &name[..3]);
    let of_day = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    match told {
        Told::Seconds => format!("{hour:02}:{minute:02}:{second:02}"),
        Told::Minutes => format!("{hour:02}:{minute:02}"),
        Told::DayAndMinutes => format!("{day} {name} {hour:02}:{minute:02}"),
        Told::Day => format!("{day} {name}"),
        Told::All => format!("{day} {name} {year}, {hour:02}:{minute:02}:{second:02}"),
    }
}

/// A moment as addresses and fields of forms have it: `2026-11-23T14:05:10`.
pub fn timestamp(milliseconds: i64) -> String {
    let seconds = milliseconds.div_euclid(1000);
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// A live value in the unit of its metric, in the reader's units.
pub fn measured(units: Units, unit: Unit, value: f64) -> Figure {
    match unit {
        Unit::Watt => power(Power::from_watts(value)),
        Unit::Joule => energy(Energy::from_kilowatt_hours(value / 3.6e6)),
        Unit::Celsius => celsius_in(units, value),
        Unit::Hertz => scaled(value, "MHz", &[(1e9, "GHz"), (1e6, "MHz"), (1e3, "kHz"), (1.0, "Hz")]),
        Unit::Ratio => percent(value),
        Unit::Byte => scaled(value, "GB", &[(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")]),
        Unit::BytePerSecond => {
            scaled(value, "GB/s", &[(1e12, "TB/s"), (1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s"), (1.0, "B/s")])
        }
        Unit::Second => scaled(value, "s", &[(86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms")]),
        Unit::Token => tokens(value),
        Unit::Count if value.is_finite() && value.fract().abs() < 1e-9 => figure(grouped(value), ""),
        // Things that are counted are not rounded to three digits: of 2,048 none may seem to be two more.
        Unit::Count if value.is_finite() && value.abs() >= 1e3 => figure(grouped(value.round()), ""),
        Unit::Count | Unit::Other => large(value, ""),
        Unit::Code if value.is_finite() => figure(signed(value, 0), ""),
        Unit::Code => missing(),
        Unit::Volt => scaled(value, "V", &[(1e3, "kV"), (1.0, "V")]),
        Unit::Ampere => scaled(value, "A", &[(1e3, "kA"), (1.0, "A")]),
        Unit::VoltAmpere => scaled(value, "kVA", &[(1e6, "MVA"), (1e3, "kVA"), (1.0, "VA")]),
        Unit::CubicMetrePerSecond => flow_in(units, value * 3600.0),
        Unit::Pascal => scaled(value, "kPa", &[(1e3, "kPa"), (1.0, "Pa")]),
    }
}

/// The months' names, from January.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A day of a year of 365 days, from 0: `29 June`.
pub fn day_of_year(at: usize) -> String {
    const DAYS: [usize; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut left = at % 365;
    for (name, days) in MONTHS.iter().zip(DAYS) {
        if left < days {
            return format!("{} {name}", left + 1);
        }
        left -= days;
    }
    MISSING.to_owned()
}

/// A month's name, from 1.
pub fn month(number: u32) -> &'static str {
    MONTHS.get((number as usize).wrapping_sub(1)).copied().unwrap_or(MISSING)
}

/// Year, month and day of a day since 1970-01-01 in the Gregorian calendar (days_from_civil turned round, H. Hinnant,
/// "chrono-compatible low-level date algorithms").
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let (era, of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// A figure as marked on an axis: no more digits than it needs.
pub mod axis {
    /// Power in megawatts.
    pub fn megawatts(mw: f64) -> String {
        super::trimmed(&super::megawatts(mw))
    }
    /// Energy in megawatt-hours.
    pub fn megawatt_hours(mwh: f64) -> String {
        super::trimmed(&super::megawatt_hours(mwh))
    }
    /// Any figure.
    pub fn short(figure: &super::Figure) -> String {
        super::trimmed(figure)
    }
}

fn trimmed(figure: &Figure) -> String {
    if figure.number == "0" {
        return figure.number.clone();
    }
    let number = if figure.number.contains('.') {
        figure.number.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        figure.number.clone()
    };
    Figure { number, unit: figure.unit.clone() }.to_string()
}

fn figure(number: String, unit: &str) -> Figure {
    Figure { number, unit: unit.to_owned() }
}

/// The value in the largest unit that it fills, `zero_unit` for nothing. Units run from large to small.
fn scaled(value: f64, zero_unit: &str, units: &[(f64, &str)]) -> Figure {
    if !value.is_finite() {
        return missing();
    }
    let rounded = to_three(value);
    if rounded.abs() < f64::MIN_POSITIVE {
        return figure("0".into(), zero_unit);
    }
    let fits = units.iter().find(|(size, _)| rounded.abs() >= *size).or(units.last());
    fits.map_or_else(missing, |(size, unit)| figure(three(rounded / size), unit))
}

/// The nearest number of three significant figures.
fn to_three(value: f64) -> f64 {
    if value.abs() < f64::MIN_POSITIVE || !value.is_finite() {
        return value;
    }
    let step = 10_f64.powi(2 - value.abs().log10().floor() as i32);
    (value * step).round() / step
}

/// Three significant figures, written out.
fn three(value: f64) -> String {
    let rounded = to_three(value);
    if rounded.abs() < f64::MIN_POSITIVE {
        return "0".into();
    }
    signed(rounded, (2 - rounded.abs().log10().floor() as i32).clamp(0, 9) as usize)
}

/// Three significant figures, but at most two decimals, for figures whose size is known.
fn three_or_less(value: f64) -> String {
    let rounded = to_three(value);
    let decimals = match rounded.abs() {
        size if size < 0.005 => 0,
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    signed(rounded, decimals)
}

fn signed(value: f64, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    if value < 0.0 && digits.bytes().any(|b| matches!(b, b'1'..=b'9')) { format!("−{digits}") } else { digits }
}

/// A whole number with its thousands apart.
fn grouped(value: f64) -> String {
    let digits = signed(value, 0);
    let (sign, digits) = digits.strip_prefix('−').map_or(("", digits.as_str()), |rest| ("−", rest));
    if digits.len() < 5 {
        return format!("{sign}{digits}");
    }
    let mut words = String::from(sign);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            words.push(THIN);
        }
        words.push(digit);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_three_digits_and_its_unit() {
        let words = [
            (megawatts(0.132), "132 kW"),
            (megawatts(118.42), "118 MW"),
            (power(Power::from_kilowatts(1_120.0)), "1.12 MW"),
            (megawatts(1_120.0), "1.12 GW"),
            (megawatts(0.000_000_9), "0.900 W"),
            (megawatts(0.9999), "1.00 MW"),
            (megawatts(0.0), "0 MW"),
            (megawatt_hours(841_900.0), "842 GWh"),
            (megawatt_hours(0.0), "0 MWh"),
            (token_rate(1_940_000.0), "1.94 M tok/s"),
            (token_rate(0.0), "0 tok/s"),
            (tokens_per_megawatt(20_100.0), "20.1 k tok/s/MW"),
            (tokens(3.82e13), "38.2 T tokens"),
            (money(1.24e9), "$1.24 bn"),
            (money(-3_000.0), "−$3.00 k"),
            (price_per_million(0.2139), "$0.214 /Mtok"),
            (percent(0.0521), "5.21 %"),
            (percent(1.0), "100 %"),
            (temperature(Temperature::from_celsius(-2.04)), "−2.0 °C"),
            (quotient(1.0891), "1.089"),
            (count(55_296), "55 296"),
            (count(768), "768"),
            (water_in(Units::Si, 12_345.0), "12 300 m³"),
            (water_in(Units::Si, 31.24), "31.2 m³"),
            (carbon(82_140.0), "82.1 kt CO₂e"),
            (hours(8_760.0), "8760 h"),
            (milliseconds(42.0), "42.0 ms"),
        ];
        for (figure, expected) in words {
            assert_eq!(figure.to_string().replace(THIN, " "), expected);
        }
    }

    #[test]
    fn what_is_missing_is_said_to_be_missing() {
        for figure in
            [megawatts(f64::NAN), money(f64::INFINITY), quotient(0.0), token_rate(f64::NAN), percent(f64::NAN)]
        {
            assert_eq!(figure.to_string(), MISSING);
        }
        assert_eq!(or_missing(None, megawatts), missing());
    }

    #[test]
    fn a_band_says_how_far_it_reaches() {
        let plain = |banded: Banded| band(&banded).replace(THIN, " ");
        assert_eq!(plain(Banded::around(20_100.0, 0.22)), "± 22 %");
        assert_eq!(plain(Banded { value: 1.0, low: 0.82, high: 1.27 }), "−18 % +27 %");
        assert_eq!(plain(Banded::default()), "");
    }

    #[test]
    fn an_error_is_said_by_its_size() {
        assert_eq!(relative_error(3e-13), "one part in 10¹²");
        assert_eq!(relative_error(0.0), "one part in 10¹⁸");
        assert_eq!(relative_error(0.02), "one part in 10¹");
    }

    #[test]
    fn time_is_said_as_a_person_would() {
        let plain = |seconds: f64| duration(Span::from_seconds(seconds)).replace(THIN, " ");
        assert_eq!(plain(0.042), "42.0 ms");
        assert_eq!(plain(3.2), "3.20 s");
        assert_eq!(plain(42.4), "42 s");
        assert_eq!(plain(250.0), "4 min 10 s");
        assert_eq!(plain(7_500.0), "2 h 5 min");
        assert_eq!(plain(f64::NAN), MISSING);
    }

    #[test]
    fn a_moment_is_a_date() {
        assert_eq!(moment(0), "1 Jan 1970, 00:00 UTC");
        assert_eq!(moment(1_795_442_700_000), "23 Nov 2026, 14:05 UTC");
        assert_eq!(moment(951_782_400_000), "29 Feb 2000, 00:00 UTC");
    }

    #[test]
    fn a_moment_is_said_as_closely_as_it_is_needed() {
        let at = 1_795_442_712_345;
        assert_eq!(moment_to_second(at), "23 Nov 2026, 14:05:12 UTC");
        assert_eq!(hour(at), "14:00");
        assert_eq!(day(at), "23 November 2026");
        let plain = |ms: i64| ago(ms).replace(THIN, " ");
        let said = [plain(-5_000), plain(12_400), plain(200_000), plain(8_000_000), plain(200_000_000)];
        assert_eq!(said, ["just now", "12 s ago", "3 min ago", "2 h ago", "2 days ago"]);
        let lasts = [30_000, 120_000, 5_400_000, 14_400_000, 86_400_000, 604_800_000].map(lasting);
        assert_eq!(lasts.map(|words| words.replace(THIN, " ")), ["30 s", "2 min", "90 min", "4 h", "24 h", "7 days"]);
        assert_eq!(many(55_296).to_string().replace(THIN, " "), "55 296");
        assert_eq!(many(1_240_000_000).to_string().replace(THIN, " "), "1.24 B");
    }

    #[test]
    fn live_values_are_said_in_their_units() {
        let said = |unit, value| measured(Units::Si, unit, value).to_string().replace(THIN, " ");
        assert_eq!(said(Unit::Watt, 612.4), "612 W");
        assert_eq!(said(Unit::Hertz, 1.98e9), "1.98 GHz");
        assert_eq!(said(Unit::Byte, 1.4e11), "140 GB");
        assert_eq!(said(Unit::Ratio, 0.971), "97.1 %");
        assert_eq!(said(Unit::Second, 0.042), "42.0 ms");
        assert_eq!(said(Unit::Count, 12.0), "12");
        assert_eq!(said(Unit::Count, 2_047.6), said(Unit::Count, 2_048.0));
        assert_eq!(said(Unit::Code, 79.0), "79");
        assert_eq!(said(Unit::Pascal, 52_000.0), "52.0 kPa");
        assert_eq!(said(Unit::Watt, f64::NAN), MISSING);
        assert_eq!(measured(Units::Us, Unit::Celsius, 40.0).to_string().replace(THIN, " "), "104.0 °F");
    }

    #[test]
    fn a_time_is_told_by_its_clock() {
        let at = 1_795_442_710_000;
        assert_eq!(clock_time(at, Told::Seconds), "14:05:10");
        assert_eq!(clock_time(at, Told::DayAndMinutes), "23 Nov 14:05");
        assert_eq!(clock_time(at, Told::All), "23 Nov 2026, 14:05:10");
        assert_eq!(timestamp(at), "2026-11-23T14:05:10");
        assert_eq!(timestamp(-1000), "1969-12-31T23:59:59");
    }

    #[test]
    fn an_axis_has_no_needless_digits() {
        assert_eq!(axis::megawatts(25.0).replace(THIN, " "), "25 MW");
        assert_eq!(axis::megawatts(0.0), "0");
        assert_eq!(axis::megawatts(2.5).replace(THIN, " "), "2.5 MW");
        assert_eq!(axis::megawatt_hours(100_000.0).replace(THIN, " "), "100 GWh");
    }
}
