//! Open-Meteo's CSV: a block of metadata, an empty line, then hourly rows; or the rows alone.
//!
//! Format: open-meteo.com/en/docs, "CSV format". Its local times keep one offset from UTC all year, that of the
//! metadata.

use crate::error::{Error, Problem};
use crate::report::{Station, remark_station};
use crate::stamped::{Steps, read as read_stamped};
use crate::table::{Column, Range, Row, Table, Wanted, key};
use crate::text::Text;
use crate::time::SECOND;
use crate::weather::{DEW_POINT, DRY_BULB, HUMIDITY, Humidity, MeanPressure, PRESSURE, bulbs};
use model::location::Location;
use model::scenario::{InputReport, Weather};

const DRY: Wanted = Wanted {
    what: "dry bulb",
    names: &[
        "temperature_2m",
        "temperature_2m_c",
        "temperature_2m_f",
        "temp_c",
        "temperature_c",
        "temperature",
        "dry_bulb_c",
        "temp_f",
        "temperature_f",
    ],
};
const RELATIVE: Wanted = Wanted {
    what: "relative humidity",
    names: &[
        "relative_humidity_2m",
        "relativehumidity_2m",
        "rh_pct",
        "rh",
        "relative_humidity",
        "relative_humidity_pct",
        "humidity",
    ],
};
const DEW: Wanted = Wanted {
    what: "dew point",
    names: &[
        "dew_point_2m",
        "dew_point_2m_c",
        "dew_point_2m_f",
        "dewpoint_2m",
        "dewpoint_2m_c",
        "dewpoint_2m_f",
        "dew_point_c",
        "dewpoint_c",
        "dew_point",
    ],
};
const SURFACE_PRESSURE: Wanted = Wanted {
    what: "pressure",
    names: &["surface_pressure", "surface_pressure_hpa", "pressure_hpa", "pressure_pa", "surface_pressure_pa"],
};

/// What the block above the rows tells.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Metadata {
    /// Lines that it takes.
    lines: u32,
    station: Option<Station>,
    /// Milliseconds of the rows' clock ahead of UTC.
    zone: Option<i64>,
}

/// Reads an Open-Meteo file onto the year.
pub(crate) fn read(text: &Text<'_>, place: &Location, report: &mut InputReport) -> Result<Weather, Error> {
    let metadata = metadata(text)?;
    if let Some(station) = metadata.station {
        remark_station(station, place, &mut report.remarks);
    }
    let table = Table::open(text, metadata.lines)?;
    let dry = table.find(&DRY);
    let Some(dry) = dry else {
        let expected = "an EPW file or an Open-Meteo CSV file with a column time and one temperature_2m or temp_c";
        return Err(text.not_recognised(expected));
    };
    let dew = table.find(&DEW);
    let relative = if dew.is_some() { table.find(&RELATIVE) } else { Some(table.require(&RELATIVE)?) };
    let surface = table.find(&SURFACE_PRESSURE);
    let mut pressure = MeanPressure::at(place);
    let series = read_stamped(table, text.file, metadata.zone, place, Steps::Hours, report, |row| {
        let here = match &surface {
            Some(column) => pascals(row, column)?,
            None => None,
        };
        let here = pressure.add(here);
        let by_dew = match &dew {
            Some(column) => celsius(row, column, DEW_POINT)?.map(Humidity::DewPoint),
            None => None,
        };
        let by_relative = match &relative {
            Some(column) => row.number(column, HUMIDITY)?.map(Humidity::Relative),
            None => None,
        };
        let dry = celsius(row, &dry, DRY_BULB)?;
        Ok(dry.zip(by_dew.or(by_relative)).map(|(dry, humidity)| bulbs(dry, humidity, here)))
    })?;
    Ok(pressure.weather(series, report))
}

/// A temperature, from °F where the column's name says so.
fn celsius(row: &Row<'_>, column: &Column, range: Range) -> Result<Option<f64>, Error> {
    if !column.key.ends_with("_f") {
        return row.number(column, range);
    }
    let range = Range { low: range.low * 1.8 + 32.0, high: range.high * 1.8 + 32.0, unit: "°F" };
    Ok(row.number(column, range)?.map(|fahrenheit| (fahrenheit - 32.0) / 1.8))
}

/// A pressure, from hPa unless the column's name says Pa.
fn pascals(row: &Row<'_>, column: &Column) -> Result<Option<f64>, Error> {
    const PASCALS_PER_HECTOPASCAL: f64 = 100.0;
    if column.key.ends_with("_pa") {
        return row.number(column, PRESSURE);
    }
    let (low, high) = (PRESSURE.low / PASCALS_PER_HECTOPASCAL, PRESSURE.high / PASCALS_PER_HECTOPASCAL);
    Ok(row.number(column, Range { low, high, unit: "hPa" })?.map(|hpa| hpa * PASCALS_PER_HECTOPASCAL))
}

/// The block above the rows, if there is one: a header with `latitude`, one row, an empty line.
fn metadata(text: &Text<'_>) -> Result<Metadata, Error> {
    let mut lines = text.lines().skip_while(|(_, line)| line.trim().is_empty());
    let Some((_, header)) = lines.next() else { return Ok(Metadata::default()) };
    let names: Vec<String> = header.split(',').map(key).collect();
    if !names.iter().any(|name| name == "latitude") || names.iter().any(|name| name == "time") {
        return Ok(Metadata::default());
    }
    let mut rows = lines.take_while(|(_, line)| !line.trim().is_empty());
    let Some((number, values)) = rows.next() else { return Ok(Metadata::default()) };
    if let Some((line, _)) = rows.next() {
        return Err(Error::line(
            text.file,
            line,
            Problem::NotExpected { expected: "empty: one place is read, not several" },
        ));
    }
    let values: Vec<&str> = values.split(',').map(str::trim).collect();
    let value = |name: &'static str, low: f64, high: f64, unit: &'static str| -> Result<Option<f64>, Error> {
        let Some(index) = names.iter().position(|n| n == name) else { return Ok(None) };
        let found = values.get(index).copied().unwrap_or_default();
        crate::table::number(found, Range { low, high, unit })
            .map_err(|problem| Error::field(text.file, number, name, found, problem))
    };
    let latitude = value("latitude", -90.0, 90.0, "°")?;
    let longitude = value("longitude", -180.0, 180.0, "°")?;
    let elevation = value("elevation", -1_000.0, 9_999.0, "m")?;
    let zone = value("utc_offset_seconds", -43_200.0, 50_400.0, "s")?.map(|seconds| seconds as i64 * SECOND);
    let station = latitude.zip(longitude).map(|(latitude, longitude)| Station { latitude, longitude, elevation });
    Ok(Metadata { lines: number, station, zone })
}
