//! Carbon intensity of the grid.

use crate::error::{Error, Problem};
use crate::report::begin;
use crate::stamped::{Steps, read};
use crate::table::{Column, Range, Row, Table, Wanted};
use crate::{SERIES_BYTES_MAX, text};
use model::location::Location;
use model::scenario::{InputReport, Series};

/// No fuel burns worse than oil shale and lignite, below 1 500.
const INTENSITY: Range = Range { low: 0.0, high: 3_000.0, unit: "g/kWh" };
/// Generation of one fuel in a balancing area; storage and station use make it negative at times.
const GENERATION: Range = Range { low: -1e6, high: 1e7, unit: "MWh" };

const INTENSITY_NAMES: Wanted = Wanted {
    what: "carbon intensity",
    names: &[
        "avg_ci",
        "carbon_g_per_kwh",
        "carbon_intensity",
        "carbon_intensity_g_per_kwh",
        "carbon_intensity_gco2_kwh",
        "carbon_intensity_gco2eq_kwh",
        "carbon_intensity_gco2_per_kwh",
        "carbon_intensity_gco2eq_kwh_lca",
        "carbon_intensity_gco_eq_kwh_lca",
        "carbon_intensity_gco2eq_kwh_life_cycle",
        "carbon_intensity_gco_eq_kwh_life_cycle",
        "carbon_intensity_gco2eq_kwh_direct",
        "carbon_intensity_gco_eq_kwh_direct",
        "gco2_per_kwh",
        "g_per_kwh",
        "carbon_kg_per_mwh",
        "kg_per_mwh",
        "ci",
    ],
};

/// Emission over the life cycle of each fuel of the EIA's hourly grid monitor, g of CO2 equivalent per kWh.
///
/// Medians of IPCC AR5 WG3 (2014), annex III, table A.III.2: wind onshore 11, solar rooftop 41, hydropower 24, gas
/// combined cycle 490, pulverised coal 820, nuclear 12, biomass (for "other") 230. Oil, which the table has not: 650, as
/// in Carbon Explorer (Acun et al., ASPLOS 2023), whose factors all of these are, and from which the
/// `avg_CI` of published files was made.
const FACTORS: [(&str, f64); 8] = [
    ("wnd", 11.0),
    ("sun", 41.0),
    ("wat", 24.0),
    ("oil", 650.0),
    ("ng", 490.0),
    ("col", 820.0),
    ("nuc", 12.0),
    ("oth", 230.0),
];

/// Emission factor of an EIA fuel code (`WND`, `SUN`, `WAT`, `OIL`, `NG`, `COL`, `NUC`, `OTH`), g/kWh.
pub fn factor(fuel: &str) -> Option<f64> {
    FACTORS.iter().find(|(name, _)| name.eq_ignore_ascii_case(fuel)).map(|(_, grams)| *grams)
}

/// Carbon intensity through the year, g/kWh, from a CSV file. At most [`SERIES_BYTES_MAX`].
///
/// Columns, whatever their case and punctuation: a time, as for prices, and `avg_CI` (`carbon_g_per_kwh`,
/// `carbon_intensity`, with `gCO2eq/kWh` and `(LCA)` or not, `g_per_kwh`, `kg_per_mwh`, `ci`). Without any of them the
/// generation by fuel is weighted by [`factor`]; fuels that take in more than they give count as none.
pub fn carbon(file: &str, bytes: &[u8], place: &Location) -> Result<(Series, InputReport), Error> {
    let text = text::decode(file, bytes, SERIES_BYTES_MAX)?;
    let table = Table::open(&text, 0)?;
    if let Some(intensity) = table.find(&INTENSITY_NAMES) {
        let mut report = begin("carbon", "carbon CSV", &text);
        let value = |row: &Row<'_>| Ok(row.number(&intensity, INTENSITY)?.map(|value| [value]));
        let [series] = read(table, file, None, place, Steps::Own, &mut report, value)?;
        return Ok((series, report));
    }
    let fuels: Vec<(Column, f64)> =
        FACTORS.iter().filter_map(|(name, grams)| Some((table.named(name)?, *grams))).collect();
    if fuels.len() < 2 {
        return Err(table.require(&INTENSITY_NAMES).err().unwrap_or_else(|| Error::file(file, Problem::NoRows)));
    }
    let mut report = begin("carbon", "EIA generation by fuel", &text);
    let [series] = read(table, file, None, place, Steps::Own, &mut report, |row| mix(row, &fuels))?;
    report.remarks.push("no intensity in the file: made from generation by fuel with life-cycle factors".to_owned());
    Ok((series, report))
}

/// The mean factor of a row's generation; none where it has none.
fn mix(row: &Row<'_>, fuels: &[(Column, f64)]) -> Result<Option<[f64; 1]>, Error> {
    let (mut grams, mut all) = (0.0, 0.0);
    for (column, factor) in fuels {
        let generation = row.number(column, GENERATION)?.unwrap_or(0.0).max(0.0);
        grams += factor * generation;
        all += generation;
    }
    Ok((all > 0.0).then(|| [grams / all]))
}
