//! EnergyPlus weather files: eight lines of header, then one row for each hour or part of one.
//!
//! Format: EnergyPlus "Auxiliary Programs", chapter "EnergyPlus Weather File (EPW) Data Dictionary".

use crate::DISORDER_MAX;
use crate::error::{Error, Problem, shown};
use crate::report::{CUT, Station, counted, remark_station};
use crate::table::{Range, number};
use crate::text::Text;
use crate::time::HOUR;
use crate::weather::{DEW_POINT, DRY_BULB, HUMIDITY, Humidity, MeanPressure, PRESSURE, bulbs};
use crate::year::Year;
use model::location::Location;
use model::scenario::{InputReport, MONTH_STARTS, Weather};

/// Header lines that are looked through for `DATA PERIODS`; the format has eight.
const HEADER_LINES_MAX: usize = 100;
/// Values that stand for a missing one.
const MISSING: [f64; 7] = [99.9, 999.0, 999.9, 9_999.0, 9_999.9, 99_999.0, 999_999.0];
/// Days of each month in a leap year, for checking days.
const MONTH_DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Fields of a row that are used: index and name.
type Field = (usize, &'static str);
const YEAR: Field = (0, "Year");
const MONTH: Field = (1, "Month");
const DAY_OF_MONTH: Field = (2, "Day");
const HOUR_OF_DAY: Field = (3, "Hour");
const MINUTE_OF_HOUR: Field = (4, "Minute");
const DRY: Field = (6, "Dry Bulb Temperature");
const DEW: Field = (7, "Dew Point Temperature");
const RELATIVE: Field = (8, "Relative Humidity");
const STATION_PRESSURE: Field = (9, "Atmospheric Station Pressure");

/// Whether a line is the first of an EPW file.
pub(crate) fn is_location(line: &str) -> bool {
    line.split(',').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("LOCATION"))
}

/// One line, cut into fields.
struct Line<'a> {
    file: &'a str,
    number: u32,
    fields: Vec<&'a str>,
}

impl<'a> Line<'a> {
    fn new(file: &'a str, number: u32, line: &'a str) -> Self {
        Self { file, number, fields: line.split(',').map(str::trim).collect() }
    }
    fn text(&self, (index, name): Field) -> Result<&'a str, Error> {
        let short = || Error::line(self.file, self.number, Problem::ShortLine { column: name.to_owned() });
        self.fields.get(index).copied().ok_or_else(short)
    }
    fn refuse(&self, (index, name): Field, problem: Problem) -> Error {
        let text = self.fields.get(index).copied().unwrap_or_default();
        Error::field(self.file, self.number, name, text, problem)
    }
    /// A number; none for an empty field or one of the codes for a missing value.
    fn number(&self, field: Field, range: Range) -> Result<Option<f64>, Error> {
        let text = self.text(field)?;
        if text.parse::<f64>().is_ok_and(|value| MISSING.contains(&value)) {
            return Ok(None);
        }
        number(text, range).map_err(|problem| self.refuse(field, problem))
    }
    /// A number in the header, which has no missing ones.
    fn header(&self, index: usize, name: &'static str, low: f64, high: f64, unit: &'static str) -> Result<f64, Error> {
        let field = (index, name);
        let found =
            number(self.text(field)?, Range { low, high, unit }).map_err(|problem| self.refuse(field, problem))?;
        found.ok_or_else(|| self.refuse(field, Problem::NotANumber))
    }
    /// A whole number between two others.
    fn whole(&self, field: Field, low: u32, high: u32) -> Result<u32, Error> {
        let found = self.text(field)?.parse::<u32>().map_err(|_| self.refuse(field, Problem::NotANumber))?;
        let range = Problem::OutOfRange { low: f64::from(low), high: f64::from(high), unit: "" };
        if (low..=high).contains(&found) { Ok(found) } else { Err(self.refuse(field, range)) }
    }
}

/// Reads an EPW file onto the year.
pub(crate) fn read(text: &Text<'_>, place: &Location, report: &mut InputReport) -> Result<Weather, Error> {
    let mut lines = text.lines().filter(|(_, line)| !line.trim_matches(['\u{1a}', ' ', '\t']).is_empty());
    let (first, location) = lines.next().unwrap_or((1, ""));
    let location = Line::new(text.file, first, location);
    let latitude = location.header(6, "Latitude", -90.0, 90.0, "°")?;
    let longitude = location.header(7, "Longitude", -180.0, 180.0, "°")?;
    let zone_h = location.header(8, "Time Zone", -12.0, 14.0, "h")?;
    let elevation = location.header(9, "Elevation", -1_000.0, 9_999.9, "m")?;
    remark_station(Station { latitude, longitude, elevation: Some(elevation) }, place, &mut report.remarks);
    let periods = lines
        .by_ref()
        .take(HEADER_LINES_MAX)
        .find(|(_, line)| line.split(',').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("DATA PERIODS")))
        .ok_or_else(|| Error::line(text.file, first, Problem::NotExpected { expected: "followed by DATA PERIODS" }))?;
    let per_hour = check_periods(&Line::new(text.file, periods.0, periods.1))?;

    let mut rows = Rows {
        year: Year::of_rows(HOUR, per_hour),
        pressure: MeanPressure::at(place),
        beyond_saturation: 0,
        latest: (0, 0, 0, 0),
        early: 0,
    };
    let mut lines = lines.peekable();
    while let Some((number, line)) = lines.next() {
        match rows.take(&Line::new(text.file, number, line)) {
            Ok(moment) => {
                report.rows += 1;
                crate::stamped::note_ends(&moment, report);
            }
            Err(_) if report.rows > 0 && !text.whole && lines.peek().is_none() => report.remarks.push(CUT.to_owned()),
            Err(error) => return Err(error),
        }
    }
    if report.rows == 0 {
        return Err(Error::file(text.file, Problem::NoRows));
    }
    if rows.early > 0 {
        let (rows, of) = (rows.early, report.rows);
        if f64::from(rows) > DISORDER_MAX * f64::from(of) {
            return Err(Error::file(text.file, Problem::Disorder { rows, of }));
        }
        report.remarks.push(format!("{} out of order in time: put in their places", counted(rows, "row")));
    }
    if rows.beyond_saturation > 0 {
        let wet = counted(rows.beyond_saturation, "row");
        report.remarks.push(format!("{wet} with a dew point above the dry bulb: taken as saturated"));
    }
    let ahead_h = place.utc_offset_h - zone_h;
    if ahead_h.abs() >= 1.0 {
        rows.year.shift_hours(ahead_h.round() as i64);
        report
            .remarks
            .push(format!("the file's clock is UTC{zone_h:+}: moved by {:+} h to the site's", ahead_h.round()));
    }
    let series = rows.year.finish(text.file, report)?;
    Ok(rows.pressure.weather(series, report))
}

/// What the rows come to.
struct Rows {
    year: Year<2>,
    pressure: MeanPressure,
    beyond_saturation: u32,
    /// Month, day, hour and minute of the latest row. A typical year's months are of several years, so years don't count.
    latest: (u32, u32, u32, u32),
    /// Rows before one that should stand behind them.
    early: u32,
}

impl Rows {
    /// Takes one row in, and gives its moment as written.
    fn take(&mut self, line: &Line<'_>) -> Result<String, Error> {
        let month = line.whole(MONTH, 1, 12)?;
        let day = line.whole(DAY_OF_MONTH, 1, MONTH_DAYS[month as usize - 1])?;
        let hour = line.whole(HOUR_OF_DAY, 1, 24)?;
        let minute = line.whole(MINUTE_OF_HOUR, 0, 60)?;
        let year = line.whole(YEAR, 0, 9_999)?;
        let moment = (month, day, hour, minute);
        let turn_of_the_year = month == 1 && self.latest.0 == 12;
        if moment >= self.latest || turn_of_the_year {
            self.latest = moment;
        } else {
            self.early += 1;
        }
        let dry = line.number(DRY, DRY_BULB)?;
        let dew = line.number(DEW, DEW_POINT)?;
        let relative = line.number(RELATIVE, HUMIDITY)?;
        let pressure = self.pressure.add(line.number(STATION_PRESSURE, PRESSURE)?);
        let humidity = dew.map(Humidity::DewPoint).or(relative.map(Humidity::Relative));
        if let (Some(dry), Some(humidity)) = (dry, humidity) {
            self.beyond_saturation += u32::from(dew.is_some_and(|dew| dew > dry + 0.05));
            let time = i64::from(hour - 1) * HOUR;
            self.year.add(month, day, time, i64::from(year), bulbs(dry, humidity, pressure));
        }
        Ok(format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}"))
    }
}

/// Rows of an hour. The periods must cover the year: `DATA PERIODS,count,rows per hour,(name,weekday,first day,last day)…`.
fn check_periods(line: &Line<'_>) -> Result<u32, Error> {
    let count = line.whole((1, "number of periods"), 1, 366)? as usize;
    let per_hour = line.whole((2, "rows per hour"), 1, 60)?;
    if 60 % per_hour != 0 {
        return Err(line.refuse((2, "rows per hour"), Problem::NotExpected { expected: "a divisor of 60" }));
    }
    let mut covered = [false; 365];
    for period in 0..count {
        let first = day_of_year(line, (5 + 4 * period, "first day"))?;
        let last = day_of_year(line, (6 + 4 * period, "last day"))?;
        let wraps = first > last;
        for (day, covered) in (0..).zip(covered.iter_mut()) {
            *covered |= if wraps { day >= first || day <= last } else { (first..=last).contains(&day) };
        }
    }
    let days = covered.iter().filter(|covered| **covered).count() as u32;
    if days == 365 {
        return Ok(per_hour);
    }
    Err(Error::file(line.file, Problem::TooShort { hours: 24 * days, needed: model::scenario::HOURS }))
}

/// Day of the year, from 0, of `month/day` or `month/day/year`.
fn day_of_year(line: &Line<'_>, field: Field) -> Result<u32, Error> {
    let text = line.text(field)?;
    let mut parts = text.split('/').map(|part| part.trim().parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(month @ 1..=12), Some(day)) if (1..=MONTH_DAYS[month as usize - 1]).contains(&day) => {
            let limit = MONTH_STARTS[month as usize] - 1; // 29 February counts as the 28th
            Ok((MONTH_STARTS[month as usize - 1] + day - 1).min(limit))
        }
        _ => Err(Error::field(
            line.file,
            line.number,
            field.1,
            &shown(text),
            Problem::NotExpected { expected: "a month/day" },
        )),
    }
}
