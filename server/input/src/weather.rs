//! Weather: which format a file has, and what both formats share.

use crate::error::Error;
use crate::report::begin;
use crate::table::Range;
use crate::{WEATHER_BYTES_MAX, epw, open_meteo, text};
use model::location::Location;
use model::quantity::{Pressure, Ratio, Temperature};
use model::scenario::{InputReport, Series, Weather};
use sim::psychrometrics;

/// Dry bulbs: the coldest and hottest ever measured are -89.2 and 56.7 °C.
pub(crate) const DRY_BULB: Range = Range { low: -90.0, high: 60.0, unit: "°C" };
/// Dew points.
pub(crate) const DEW_POINT: Range = Range { low: -100.0, high: 60.0, unit: "°C" };
/// Relative humidities; sensors drift above 100 %, which is then taken as 100.
pub(crate) const HUMIDITY: Range = Range { low: 0.0, high: 110.0, unit: "%" };
/// Station pressures, from above the highest towns to below the Dead Sea's shore.
pub(crate) const PRESSURE: Range = Range { low: 30_000.0, high: 120_000.0, unit: "Pa" };

/// The year's weather from an EPW file or an Open-Meteo CSV file. At most [`WEATHER_BYTES_MAX`].
///
/// EPW: dry bulb, dew point (relative humidity where it is missing) and station pressure are used; 99.9, 999 and 999999
/// are gaps; any year of a row will do; a clock an hour or more from the site's is shifted.
///
/// Open-Meteo: a download as it is, whose metadata tell its zone, or a plain table. Columns, whatever their case:
/// `time` (also `time_local`, `timestamp`, `datetime`, each with `_utc`); `temperature_2m` (`temp_c`, `temperature`,
/// `dry_bulb_c`), in °F if the name ends in `(°F)`; `relative_humidity_2m` (`relativehumidity_2m`, `rh_pct`, `rh`) or
/// `dew_point_2m` (`dewpoint_2m`, `dew_point_c`), which is used where both are there; `surface_pressure` in hPa or
/// `pressure_pa`, else that of the standard atmosphere at the site's height.
pub fn weather(file: &str, bytes: &[u8], place: &Location) -> Result<(Weather, InputReport), Error> {
    let text = text::decode(file, bytes, WEATHER_BYTES_MAX)?;
    if text.lines().find(|(_, line)| !line.trim().is_empty()).is_some_and(|(_, line)| epw::is_location(line)) {
        let mut report = begin("weather", "EPW", &text);
        let weather = epw::read(&text, place, &mut report)?;
        Ok((weather, report))
    } else {
        let mut report = begin("weather", "Open-Meteo CSV", &text);
        let weather = open_meteo::read(&text, place, &mut report)?;
        Ok((weather, report))
    }
}

/// How a file gives the air's water.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Humidity {
    /// Dew point, °C.
    DewPoint(f64),
    /// Relative humidity, per cent.
    Relative(f64),
}

/// Dry and wet bulb of the air, °C. Air beyond saturation is taken as saturated.
pub(crate) fn bulbs(dry: f64, humidity: Humidity, pressure: Pressure) -> [f64; 2] {
    let ratio = match humidity {
        Humidity::DewPoint(dew) => {
            psychrometrics::humidity_ratio_from_dew_point(Temperature::from_celsius(dew), pressure)
        }
        Humidity::Relative(percent) => psychrometrics::humidity_ratio_from_relative_humidity(
            Temperature::from_celsius(dry),
            Ratio::from_percent(percent),
            pressure,
        ),
    };
    [dry, psychrometrics::wet_bulb_c(dry, ratio.as_fraction(), pressure.as_pascals())]
}

/// Mean of pressures, or the standard one where there were none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MeanPressure {
    /// What holds where the file has none.
    pub(crate) standard: Pressure,
    sum_pa: f64,
    count: u32,
}

impl MeanPressure {
    /// None yet.
    pub(crate) fn at(place: &Location) -> Self {
        Self { standard: psychrometrics::standard_pressure(place.elevation), sum_pa: 0.0, count: 0 }
    }
    /// Takes one in; the pressure to use for the row.
    pub(crate) fn add(&mut self, pascals: Option<f64>) -> Pressure {
        let Some(pascals) = pascals else { return self.standard };
        self.sum_pa += pascals;
        self.count += 1;
        Pressure::from_pascals(pascals)
    }
    /// The weather, with a remark where the pressure is not the file's.
    pub(crate) fn weather(self, [dry, wet]: [Series; 2], report: &mut InputReport) -> Weather {
        let pressure = if self.count == 0 {
            let pascals = self.standard.as_pascals();
            report
                .remarks
                .push(format!("no pressure in the file: {pascals:.0} Pa, the standard one at the site's height"));
            self.standard
        } else {
            Pressure::from_pascals(self.sum_pa / f64::from(self.count))
        };
        let mut wet_bulb_c = wet;
        for (wet, dry) in wet_bulb_c.values.iter_mut().zip(&dry.values) {
            *wet = wet.min(*dry); // rounding in means
        }
        Weather { dry_bulb_c: dry, wet_bulb_c, pressure }
    }
}
