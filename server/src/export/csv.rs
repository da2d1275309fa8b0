//! A report as CSV: one figure a line, so that any program can pick what it needs.

use super::{Cell, Table};
use csv::{QuoteStyle, WriterBuilder};

/// Beginnings that make a formula of a cell in a spreadsheet.
const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Lines `section,item,figure,value`: what a figure is about, its name, and the figure or words.
pub fn write(tables: &[Table]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = WriterBuilder::new().quote_style(QuoteStyle::Necessary).from_writer(Vec::new());
    writer.write_record(["section", "item", "figure", "value"])?;
    for table in tables {
        for row in &table.rows {
            let item = row.first().map(value).unwrap_or_default();
            for (column, cell) in table.columns.iter().zip(row).skip(1).filter(|(_, cell)| **cell != Cell::Empty) {
                writer.write_record([table.name, &item, column.name, &value(cell)])?;
            }
        }
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

pub(super) fn value(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(words) => harmless(words),
        Cell::Number(number) | Cell::Formula(_, number) => number.to_string(),
    }
}

/// Words that no spreadsheet takes for a formula.
pub fn harmless(words: &str) -> String {
    if words.starts_with(FORMULA_STARTS) { format!("'{words}") } else { words.to_owned() }
}
