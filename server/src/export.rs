//! A run's report as tables for spreadsheets: one list of tables, written as CSV or as a workbook.
//!
//! Sums and ratios are formulas over the cells beside them, so that a reader can follow them and change what goes in.
//! What people wrote (names, remarks of files) is text and stays text, whatever it begins with.

pub mod csv;
pub mod review;
pub mod sweep;
pub mod xlsx;

use model::report::{Banded, Report};
use model::run::RunSummary;

/// A table: a sheet of the workbook, a section of the CSV.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows; the first cell of each says what it is about.
    pub rows: Vec<Vec<Cell>>,
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name in CSV, ending in its unit.
    pub name: &'static str,
    /// Its heading in a workbook.
    pub title: &'static str,
}

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// Words, which are never a formula.
    Text(String),
    /// A figure.
    Number(f64),
    /// A figure worked out from other cells, and what it comes to.
    Formula(String, f64),
}

/// Every table of a report.
pub fn tables(run: &RunSummary, report: &Report) -> Vec<Table> {
    let (months, energy, money) = (months(report), energy(report), money(report));
    let summary = summary(run, report, &energy, &money);
    vec![summary, months, energy, power_tree(report), money, assumptions(report), input(report)]
}

impl Table {
    fn new(name: &'static str, columns: &[(&'static str, &'static str)]) -> Self {
        let columns = columns.iter().map(|&(name, title)| Column { name, title }).collect();
        Self { name, columns, rows: Vec::new() }
    }
    /// Where a figure stands, as formulas call it: the second cell of the row of that name.
    fn at(&self, label: &str) -> String {
        let is = |row: &Vec<Cell>| matches!(row.first(), Some(Cell::Text(text)) if text == label);
        let row = self.rows.iter().position(is).unwrap_or_else(|| unreachable!("{label} is a row of {}", self.name));
        format!("{}!$B${}", self.name, row + 2)
    }
    fn push(&mut self, label: &str, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(std::iter::once(text(label)).chain(cells).collect());
    }
}

fn text(words: impl Into<String>) -> Cell {
    let words = words.into();
    if words.is_empty() { Cell::Empty } else { Cell::Text(words) }
}

fn summary(run: &RunSummary, report: &Report, energy: &Table, money: &Table) -> Table {
    use Cell::{Formula, Number};
    let columns = [("figure", "Figure"), ("value", "Value"), ("unit", "Unit"), ("low", "Low"), ("high", "High")];
    let mut table = Table::new("Summary", &columns);
    let mut push = |label: &str, cell: Cell, unit: &str| table.push(label, [cell, text(unit)]);
    push("Design", text(&report.design), "");
    push("Location", text(&report.location), "");
    push("Model", text(&report.model), "");
    push("Racks", Number(report.racks.into()), "");
    push("GPUs", Number(report.gpus.into()), "");
    push("Utility contract", Number(report.contract_power_mw), "MW");
    push("Output tokens", Number(report.tokens_output), "tokens");
    push("Prompt tokens", Number(report.tokens_input), "tokens");
    push("Output tokens possible", Number(report.tokens_possible), "tokens");
    push("Carbon", Number(report.carbon_t), "t");
    push("Water", Number(report.water_m3), "m³");
    push("Highest power", Number(report.peak_power_mw), "MW");
    push("Mean power", Number(report.mean_power_mw), "MW");
    push("Hours held back", Number(report.hours_derated), "h");
    let [facility, it, gpu] = ["Facility", "IT equipment", "GPU boards"].map(|label| energy.at(label));
    let [tokens, possible, carbon, water] =
        ["Output tokens", "Output tokens possible", "Carbon", "Water"].map(|label| table.at(label));
    let total = money.at("Total");
    let over = |a: &str, b: &str, by: &str, value: f64| Formula(format!("=IF({b}=0,0,{a}/{b}{by})"), value);
    let per_mw = "/3600"; // tokens per MWh become tokens per second and MW
    let mut push = |label: &str, cell: Cell, unit: &str, band: Option<Banded>| {
        let ends = band.map(|band| [Number(band.low), Number(band.high)]);
        table.push(label, [cell, text(unit)].into_iter().chain(ends.into_iter().flatten()));
    };
    let band = Some(report.tokens_per_second_per_mw_facility_band);
    let value = report.tokens_per_second_per_mw_facility;
    push("Tokens per facility MW", over(&tokens, &facility, per_mw, value), "tok/s/MW", band);
    push("Tokens per IT MW", over(&tokens, &it, per_mw, report.tokens_per_second_per_mw_it), "tok/s/MW", None);
    push("Tokens per GPU-board MW", over(&tokens, &gpu, per_mw, report.tokens_per_second_per_mw_gpu), "tok/s/MW", None);
    let (value, band) = (report.cost_per_million_tokens_usd, Some(report.cost_per_million_tokens_usd_band));
    push("Cost per million output tokens", over(&total, &tokens, "*1000000", value), "$/Mtok", band);
    let value = report.carbon_g_per_million_tokens;
    push("Carbon per million output tokens", over(&carbon, &tokens, "*1000000000000", value), "g/Mtok", None);
    push("PUE", over(&facility, &it, "", report.pue), "", None);
    push("WUE", over(&water, &it, "", report.wue_l_per_kwh), "L/kWh", None); // m³ over MWh are litres over kWh
    push("Utilisation", over(&tokens, &possible, "", report.utilisation), "", None);
    push("Run", text(run.id.as_str()), "", None);
    push("Version of the design", Number(run.version.into()), "", None);
    push("Step", Number(report.step_minutes), "min", None);
    push("Seed", text(report.seed.to_string()), "", None); // more digits than a spreadsheet's number keeps
    push("Hash of the input", text(&report.input_hash), "SHA-256", None);
    push("Millwright", text(&report.program_version), "", None);
    table
}

fn months(report: &Report) -> Table {
    let columns = [
        ("month", "Month"),
        ("facility_energy_mwh", "Facility, MWh"),
        ("it_energy_mwh", "IT, MWh"),
        ("gpu_energy_mwh", "GPU boards, MWh"),
        ("cooling_energy_mwh", "Cooling, MWh"),
        ("distribution_loss_mwh", "Distribution losses, MWh"),
        ("peak_power_mw", "Highest power, MW"),
        ("tokens_output", "Output tokens"),
        ("electricity_usd", "Electricity, $"),
        ("carbon_t", "Carbon, t"),
        ("water_m3", "Water, m³"),
        ("pue", "PUE"),
    ];
    let mut table = Table::new("Months", &columns);
    let quotient = |a: f64, b: f64| if b > 0.0 { a / b } else { 0.0 };
    let pue = |row: usize, value: f64| Cell::Formula(format!("=IF(C{row}=0,0,B{row}/C{row})"), value);
    let mut sums = [0.0_f64; 10];
    for (row, month) in (2..).zip(&report.months) {
        let values = [
            month.facility_energy_mwh,
            month.it_energy_mwh,
            month.gpu_energy_mwh,
            month.cooling_energy_mwh,
            month.distribution_loss_mwh,
            month.peak_power_mw,
            month.tokens_output,
            month.electricity_usd,
            month.carbon_t,
            month.water_m3,
        ];
        for (at, (sum, value)) in sums.iter_mut().zip(values).enumerate() {
            *sum = if at == PEAK { sum.max(value) } else { *sum + value };
        }
        let value = quotient(month.facility_energy_mwh, month.it_energy_mwh);
        table.push(app::format::month(month.month), values.map(Cell::Number).into_iter().chain([pue(row, value)]));
    }
    let last = report.months.len() + 1;
    let total = |(at, value): (usize, f64)| {
        let (column, how) = (char::from(b'B' + at as u8), if at == PEAK { "MAX" } else { "SUM" });
        Cell::Formula(format!("={how}({column}2:{column}{last})"), value)
    };
    let cells: Vec<Cell> = sums.into_iter().enumerate().map(total).collect();
    table.push("Year", cells.into_iter().chain([pue(last + 1, quotient(sums[0], sums[1]))]));
    table
}

/// Column of a month's highest power: years have the highest of it, not the sum.
const PEAK: usize = 5;

fn energy(report: &Report) -> Table {
    use Cell::{Formula, Number};
    let columns = [("item", "Item"), ("energy_mwh", "Energy, MWh"), ("share", "Share of the facility")];
    let mut table = Table::new("Energy", &columns);
    let facility = report.facility_energy_mwh;
    let share = |row: usize, mwh: f64| {
        Formula(format!("=IF($B$2=0,0,B{row}/$B$2)"), if facility > 0.0 { mwh / facility } else { 0.0 })
    };
    let parts = [
        ("Facility", facility),
        ("IT equipment", report.it_energy_mwh),
        ("GPU boards", report.gpu_energy_mwh),
        ("Rectifiers in the racks", report.shelf_loss_mwh),
        ("Fans", report.fan_energy_mwh),
        ("Pumps", report.pump_energy_mwh),
        ("Chillers", report.chiller_energy_mwh),
    ];
    for (row, (label, mwh)) in (2..).zip(parts) {
        table.push(label, [Number(mwh), share(row, mwh)]);
    }
    let cooling = report.fan_energy_mwh + report.pump_energy_mwh + report.chiller_energy_mwh;
    table.push("Cooling", [Formula("=B6+B7+B8".into(), cooling), share(9, cooling)]);
    table.push("Distribution losses", [Number(report.distribution_loss_mwh), share(10, report.distribution_loss_mwh)]);
    table.push("Lighting and offices", [Number(report.house_energy_mwh), share(11, report.house_energy_mwh)]);
    let rest = facility - report.it_energy_mwh - cooling - report.distribution_loss_mwh - report.house_energy_mwh;
    table.push("Left over in the books", [Formula("=B2-B3-B9-B10-B11".into(), rest), share(12, rest)]);
    table
}

fn power_tree(report: &Report) -> Table {
    let columns = [
        ("node", "Node"),
        ("part", "Part"),
        ("depth", "Level"),
        ("units", "Units"),
        ("installed_mw", "Installed, MW"),
        ("firm_mw", "Firm, MW"),
        ("provisioned_mw", "Provisioned, MW"),
        ("peak_mw", "Highest, MW"),
        ("mean_mw", "Mean, MW"),
        ("loss_mwh", "Loss, MWh"),
        ("peak_over_firm", "Highest over firm"),
    ];
    let mut table = Table::new("Power tree", &columns);
    for (row, node) in (2..).zip(&report.power_tree) {
        let share = if node.firm_mw > 0.0 { node.peak_mw / node.firm_mw } else { 0.0 };
        let numbers = [
            node.depth.into(),
            node.units.into(),
            node.installed_mw,
            node.firm_mw,
            node.provisioned_mw,
            node.peak_mw,
            node.mean_mw,
            node.loss_mwh,
        ];
        let last = Cell::Formula(format!("=IF(F{row}=0,0,H{row}/F{row})"), share);
        let cells = std::iter::once(text(&node.part)).chain(numbers.map(Cell::Number)).chain([last]);
        table.push(&node.name, cells.collect::<Vec<_>>());
    }
    table
}

fn money(report: &Report) -> Table {
    use Cell::{Formula, Number};
    let money = &report.money;
    let mut table = Table::new("Money", &[("item", "Item"), ("usd", "$"), ("about", "About")]);
    let lines = [
        ("To build it", money.capex_usd, "once"),
        ("Of which computers", money.capex_it_usd, "once"),
        ("Capital and its return", money.capital_usd, "a year"),
        ("Energy", money.energy_usd, "a year"),
        ("Demand charges", money.demand_charge_usd, "a year"),
        ("Water", money.water_usd, "a year"),
        ("Upkeep and spares", money.upkeep_usd, "a year"),
        ("Staff, insurance, tax", money.staff_usd, "a year"),
    ];
    for (label, usd, about) in lines {
        table.push(label, [Number(usd), text(about)]);
    }
    table.push("Total", [Formula("=SUM(B4:B9)".into(), money.total_usd), text("a year")]);
    table.push("Revenue", [Number(money.revenue_usd), text("a year, at the model's price")]);
    let margin = money.revenue_usd - money.total_usd;
    table.push("Revenue less cost", [Formula("=B11-B10".into(), margin), text("a year")]);
    table.push("Utility contract, MW", [Number(report.contract_power_mw), Cell::Empty]);
    let per_mw = Formula("=IF(B13=0,0,B11/B13)".into(), money.revenue_per_mw_usd);
    table.push("Revenue per MW of contract", [per_mw, text("a year")]);
    table
}

fn assumptions(report: &Report) -> Table {
    let columns = [("kind", "Kind"), ("place", "Place"), ("words", "Words")];
    let mut table = Table::new("Assumptions and sources", &columns);
    for assumption in &report.assumptions {
        table.push("Assumption", [Cell::Empty, text(assumption)]);
    }
    for input in &report.input {
        for remark in &input.remarks {
            table.push("Source", [text(&input.input), text(remark)]);
        }
    }
    for note in &report.notes {
        table.push("Note", [text(&note.place), text(note.to_string())]);
    }
    table
}

fn input(report: &Report) -> Table {
    let columns = [
        ("input", "Input"),
        ("file", "File"),
        ("format", "Format"),
        ("rows", "Rows"),
        ("first", "First"),
        ("last", "Last"),
        ("filled", "Filled in"),
        ("remarks", "Remarks"),
    ];
    let mut table = Table::new("Input", &columns);
    for input in &report.input {
        let words = [&input.file, &input.format].map(text_of);
        let moments = [&input.first, &input.last].map(text_of);
        let cells = words.into_iter().chain([Cell::Number(input.rows.into())]).chain(moments);
        let rest = [Cell::Number(input.filled.into()), text(input.remarks.join("; "))];
        table.push(&input.input, cells.chain(rest).collect::<Vec<_>>());
    }
    table
}

fn text_of(words: &String) -> Cell {
    text(words)
}

#[cfg(test)]
mod tests;
