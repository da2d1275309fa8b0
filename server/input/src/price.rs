//! Prices of energy.

use crate::error::Error;
use crate::report::begin;
use crate::stamped::{Steps, read};
use crate::table::{Range, Table, Wanted};
use crate::{SERIES_BYTES_MAX, text};
use model::location::Location;
use model::scenario::{InputReport, Series};

/// Beyond every market's cap and floor, in $/MWh: Australia's cap is about 12 000.
const PRICE: Range = Range { low: -10_000.0, high: 100_000.0, unit: "$/MWh" };

const PRICE_NAMES: Wanted = Wanted {
    what: "price",
    names: &[
        "price_usd_mwh",
        "price_usd_per_mwh",
        "usd_per_mwh",
        "usd_mwh",
        "price_mwh",
        "price_per_mwh",
        "lmp",
        "lmp_usd_mwh",
        "lmp_usd_per_mwh",
        "total_lmp",
        "settlement_point_price",
        "spp",
        "price",
    ],
};

/// Prices through the year, $/MWh, from a CSV file. At most [`SERIES_BYTES_MAX`].
///
/// Columns, whatever their case and punctuation: a time (`Datetime (UTC)` before any other, else `timestamp`, `time`,
/// `datetime`, `date`, `interval_start`, `time_local`, `Datetime (Local)`) and `Price (USD/MWh)`
/// (`price_usd_per_mwh`, `usd_per_mwh`, `Price ($/MWh)`, `LMP`, `settlement_point_price`, `SPP`, `price`).
/// Empty fields and `NaN` are gaps.
pub fn prices(file: &str, bytes: &[u8], place: &Location) -> Result<(Series, InputReport), Error> {
    let text = text::decode(file, bytes, SERIES_BYTES_MAX)?;
    let mut report = begin("prices", "price CSV", &text);
    let table = Table::open(&text, 0)?;
    let price = table.require(&PRICE_NAMES)?;
    let value = |row: &crate::table::Row<'_>| Ok(row.number(&price, PRICE)?.map(|value| [value]));
    let [series] = read(table, file, None, place, Steps::Own, &mut report, value)?;
    if price.key == "price" || price.key == "spp" || price.key.ends_with("lmp") {
        report.remarks.push(format!("column {:?} names no unit: taken as $/MWh", price.name));
    }
    Ok((series, report))
}
