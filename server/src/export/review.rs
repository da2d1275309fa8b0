//! The review of a workload as a sheet to hand on.

use super::Cell;
use super::csv::{harmless, value};
use app::governance::WorkloadShown;
use csv::WriterBuilder;

/// The review as a sheet: a row a figure.
///
/// # Errors
/// Where the table can't be written.
pub fn sheet(shown: &WorkloadShown) -> Result<Vec<u8>, csv::Error> {
    let mut writer = WriterBuilder::new().from_writer(Vec::new());
    writer.write_record(["what", "value", "unit"])?;
    let mut rows: Vec<(String, Cell, &str)> = Vec::new();
    let mut row = |what: &str, cell: Cell, unit: &'static str| rows.push((what.to_owned(), cell, unit));
    let w = &shown.ask.workload;
    let plain = Cell::Number;
    row("GPU", text(&shown.names[0]), "");
    row("model", text(&shown.names[1]), "");
    row("smaller model", text(&shown.names[2]), "");
    row("turns of a task", plain(f64::from(w.turns)), "");
    row("instructions", plain(w.instructions), "tokens");
    row("new in a turn", plain(w.added), "tokens");
    row("answer of a turn", plain(w.answer), "tokens");
    row("turns before that are kept", plain(w.kept), "share");
    row("found in the prefix cache", plain(w.cached), "share");
    row("turns for the smaller model", plain(w.routed), "share");
    row("turns made again", plain(w.retried), "share");
    row("tasks", plain(w.tasks_per_s), "1/s");
    if let Some(takes) = &shown.takes {
        row("prompt tokens of a task", plain(takes.tokens.prompts), "tokens");
        row("of which cached", plain(takes.tokens.cached), "tokens");
        row("answer tokens of a task", plain(takes.tokens.answers), "tokens");
        row("GPU time of a task", plain(takes.gpu_s), "s");
        row("energy of a task, facility", plain(takes.facility_j), "J");
        row("energy of a task, GPU boards", plain(takes.board_j), "J");
        row("cost of a task", plain(takes.usd), "USD");
        row("GPUs", plain(takes.gpus), "");
        row("facility power", plain(takes.facility_mw), "MW");
        for one in &shown.careless {
            let more = one.takes.map(|other| other.facility_mw - takes.facility_mw);
            row(&format!("more with: {}", one.what), more.map_or_else(|| text("can't be served"), plain), "MW");
        }
        match shown.ask.shares() {
            Ok(shares) => {
                for (name, share) in shares {
                    row(&format!("budget of {name}"), plain(share * takes.facility_mw), "MW");
                }
            }
            Err(why) => row("budgets", text(&why), ""),
        }
    }
    for (what, cell, unit) in &rows {
        writer.write_record([&harmless(what), &value(cell), *unit])?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn text(words: &str) -> Cell {
    Cell::Text(words.to_owned())
}

#[cfg(test)]
mod tests {
    use app::governance::WorkloadAsk;

    #[test]
    fn a_review_has_a_row_a_figure_and_no_formula() {
        let catalog = catalog::catalog().unwrap();
        let tenants = "=evil() 40, code 60";
        let ask = WorkloadAsk::of(|key| (key == "tenants").then(|| tenants.to_owned()));
        let shown = crate::serving::workload(&catalog, ask).unwrap();
        let mut reader = csv::Reader::from_reader(shown.sheet.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let row = |what: &str| rows.iter().find(|row| &row[0] == what).unwrap_or_else(|| panic!("{what}: {rows:?}"));
        assert_eq!((&row("turns of a task")[1], &row("tasks")[2]), ("6", "1/s"));
        assert!(row("budget of =evil()")[1].parse::<f64>().unwrap() > 0.0);
        assert!(row("facility power")[1].parse::<f64>().unwrap() > 0.0);
        assert!(rows.iter().all(|row| !row[0].starts_with('=')));
    }
}
