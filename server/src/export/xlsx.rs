//! A report as a workbook: real numbers, formulas that can be followed, headings that stay in sight.

use super::{Cell, Table};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Formula, Workbook, Worksheet, XlsxError};

/// Most characters of a cell.
const CELL_CHARS_MAX: usize = 32_767;
/// Narrowest and widest column, characters: longer words are wrapped.
const WIDTHS: [f64; 2] = [16.0, 60.0];

/// The workbook's bytes: the same for the same tables and time.
pub fn write(tables: &[Table], made_ms: i64) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let made = ExcelDateTime::from_timestamp(made_ms.div_euclid(1_000))?;
    workbook.set_properties(&DocProperties::new().set_author("Millwright").set_creation_datetime(&made));
    for table in tables {
        sheet(workbook.add_worksheet(), table)?;
    }
    workbook.save_to_buffer()
}

fn sheet(sheet: &mut Worksheet, table: &Table) -> Result<(), XlsxError> {
    let head = Format::new().set_bold().set_text_wrap();
    sheet.set_name(table.name)?.set_freeze_panes(1, 1)?;
    // Printed, a sheet is as wide as its paper and has its heading on every page.
    sheet.set_landscape().set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    for (at, column) in (0_u16..).zip(&table.columns) {
        sheet.write_string_with_format(0, at, column.title, &head)?;
        sheet.set_column_width(at, width(table, at))?;
    }
    for (row, cells) in (1_u32..).zip(&table.rows) {
        for (at, cell) in (0_u16..).zip(cells) {
            write_cell(sheet, row, at, cell)?;
        }
    }
    Ok(())
}

/// As wide as its longest words, within bounds.
fn width(table: &Table, at: u16) -> f64 {
    let words = table.rows.iter().filter_map(|row| match row.get(usize::from(at)) {
        Some(Cell::Text(words)) => Some(words.chars().count() as f64 + 2.0),
        Some(Cell::Empty | Cell::Number(_) | Cell::Formula(..)) | None => None,
    });
    words.fold(WIDTHS[0], f64::max).min(WIDTHS[1])
}

fn write_cell(sheet: &mut Worksheet, row: u32, at: u16, cell: &Cell) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => {}
        // A string cell is never worked out, whatever it begins with.
        Cell::Text(words) => {
            let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
            sheet.write_string_with_format(
                row,
                at,
                words.chars().take(CELL_CHARS_MAX).collect::<String>(),
                &wrapped,
            )?;
        }
        Cell::Number(number) => {
            sheet.write_number_with_format(row, at, *number, &Format::new().set_num_format(number_format(*number)))?;
        }
        Cell::Formula(formula, value) => {
            let formula = Formula::new(formula).set_result(value.to_string());
            let format = Format::new().set_num_format(number_format(*value));
            sheet.write_formula_with_format(row, at, formula, &format)?;
        }
    }
    Ok(())
}

/// Digits that matter: none behind the point of large figures, three of small ones.
fn number_format(number: f64) -> &'static str {
    if number.abs() >= 1_000.0 || number.fract() == 0.0 { "#,##0" } else { "0.000" }
}
