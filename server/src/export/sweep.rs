//! The rows of a sweep as a sheet.

use super::csv::harmless;
use csv::WriterBuilder;
use model::optimum::Point;
use model::sweep::{SweepRow, Vary};

/// A figure's column, with its unit, and where it is from.
type Column = (&'static str, fn(&Point) -> f64);

/// Figures of a point.
const COLUMNS: [Column; 14] = [
    ("racks", |p| f64::from(p.choice.racks)),
    ("gpus", |p| f64::from(p.gpus)),
    ("power_cap_w", |p| p.choice.cap_w),
    ("output_tokens_per_s", |p| p.output_tokens_per_s),
    ("output_tokens_per_s_low", |p| p.output_tokens_per_s * p.band[0]),
    ("output_tokens_per_s_high", |p| p.output_tokens_per_s * p.band[1]),
    ("facility_power_mw", |p| p.facility_mw),
    ("peak_power_mw", |p| p.peak_mw),
    ("tokens_per_joule", |p| p.tokens_per_joule),
    ("usd_per_million_output_tokens", |p| p.usd_per_million),
    ("revenue_usd_per_mw_year", |p| p.revenue_usd_per_mw_year),
    ("carbon_g_per_million_output_tokens", |p| p.carbon_g_per_million),
    ("capex_usd", |p| p.capex_usd),
    ("tpot_ms", |p| p.tpot_ms),
];

/// A row for each combination; what is varied is named `vary_<field>`, as its figure has a column too.
///
/// # Errors
/// Where the table can't be written.
pub fn sheet(vary: &[Vary], rows: &[SweepRow]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = WriterBuilder::new().from_writer(Vec::new());
    let fields = vary.iter().map(|vary| format!("vary_{}", vary.field));
    let columns = COLUMNS.iter().map(|(name, _)| (*name).to_owned());
    writer.write_record(fields.chain(columns).chain(["can_be_run".to_owned(), "why_not".to_owned()]))?;
    for row in rows {
        let figures = COLUMNS.iter().map(|(_, of)| row.point.as_ref().map_or(String::new(), |p| of(p).to_string()));
        let feasible = row.point.as_ref().is_some_and(Point::is_feasible);
        let ends = [if feasible { "yes" } else { "no" }.to_owned(), why_not(row)];
        writer.write_record(row.values.iter().cloned().chain(figures).chain(ends).map(|cell| harmless(&cell)))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// What a combination exceeds, or why there is no such facility; empty where it can be run all year.
pub fn why_not(row: &SweepRow) -> String {
    let exceeded = |point: &Point| {
        let each =
            point.short.iter().map(|short| format!("{} at {}: {}", short.limit.words(), short.place, short.words));
        each.collect::<Vec<_>>().join("; ")
    };
    row.why.clone().or_else(|| row.point.as_ref().map(exceeded)).unwrap_or_default()
}
