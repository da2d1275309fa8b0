//! The report's beginnings, and remarks that several readers make.

use crate::text::Text;
use crate::{STATION_DISTANCE_KM, STATION_HEIGHT_M};
use model::location::Location;
use model::scenario::InputReport;

/// A report on `text`, read as `format`.
pub(crate) fn begin(input: &str, format: &str, text: &Text<'_>) -> InputReport {
    InputReport {
        input: input.to_owned(),
        file: text.file.to_owned(),
        format: format.to_owned(),
        rows: 0,
        first: String::new(),
        last: String::new(),
        filled: 0,
        remarks: text.remarks.clone(),
    }
}

/// A number of things in words: `1 row`, `2 rows`.
pub(crate) fn counted(count: u32, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// The remark on a last line that was cut off.
pub(crate) const CUT: &str = "the last line is cut off: left out";

/// Where weather was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Station {
    /// Degrees north.
    pub(crate) latitude: f64,
    /// Degrees east.
    pub(crate) longitude: f64,
    /// Metres above the sea.
    pub(crate) elevation: Option<f64>,
}

/// Remarks on a station far from the site.
pub(crate) fn remark_station(station: Station, site: &Location, remarks: &mut Vec<String>) {
    let km = distance_km((station.latitude, station.longitude), (site.latitude, site.longitude));
    if km > STATION_DISTANCE_KM {
        remarks.push(format!("the weather was taken {km:.0} km from the site"));
    }
    if let Some(elevation) = station.elevation {
        let higher = elevation - site.elevation.as_metres();
        if higher.abs() > STATION_HEIGHT_M {
            let word = if higher > 0.0 { "above" } else { "below" };
            remarks.push(format!(
                "the weather was taken {:.0} m {word} the site: temperatures are as there",
                higher.abs()
            ));
        }
    }
}

/// Great-circle distance, km, of two places (degrees north, degrees east), by the haversine formula on a sphere of 6371 km.
fn distance_km(a: (f64, f64), b: (f64, f64)) -> f64 {
    const EARTH_RADIUS_KM: f64 = 6_371.0;
    let (north, east) = ((b.0 - a.0).to_radians(), (b.1 - a.1).to_radians());
    let h = (north / 2.0).sin().powi(2) + a.0.to_radians().cos() * b.0.to_radians().cos() * (east / 2.0).sin().powi(2);
    2.0 * EARTH_RADIUS_KM * h.clamp(0.0, 1.0).sqrt().asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Phoenix to Dulles: 3 137 km (ellipsoid 3 143 km, geographiclib).
    #[test]
    fn distances_are_great_circles() {
        let km = distance_km((33.428, -112.004), (38.98, -77.47));
        assert!((km - 3_140.0).abs() < 20.0, "{km}");
        assert!(distance_km((10.0, 20.0), (10.0, 20.0)).abs() < 1e-9);
    }
}
