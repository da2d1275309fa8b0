//! Exports of reports that were made up and of one that was simulated.

use super::*;
use model::note::{Kind, Note, Severity};
use model::report::{Money, Month, NodeReport};
use model::run::{RunRequest, RunState};
use model::scenario::InputReport;
use proptest::prelude::*;
use std::io::{Cursor, Read};

fn run() -> RunSummary {
    RunSummary {
        id: "r-1".parse().unwrap(),
        design: "hall".parse().unwrap(),
        design_name: "A hall".into(),
        version: 2,
        request: RunRequest::of("hall".parse().unwrap()),
        created_ms: 1_795_442_700_000,
        state: RunState::Done,
        tokens_per_second_per_mw_facility: None,
    }
}

/// A report in which everything that a person may write is `words`.
fn report(words: &str) -> Report {
    let months = (1..=12).map(|month| Month {
        month,
        facility_energy_mwh: 50.0 + f64::from(month),
        it_energy_mwh: 40.0,
        peak_power_mw: f64::from(month),
        ..Month::default()
    });
    Report {
        design: words.into(),
        location: words.into(),
        model: words.into(),
        months: months.collect(),
        power_tree: vec![NodeReport { name: words.into(), part: words.into(), ..NodeReport::default() }],
        assumptions: vec![words.into()],
        notes: vec![Note { severity: Severity::Note, place: words.into(), kind: Kind::NoCompute }],
        input: vec![InputReport {
            input: "prices".into(),
            file: words.into(),
            format: words.into(),
            rows: 1,
            first: words.into(),
            last: words.into(),
            filled: 0,
            remarks: vec![words.into()],
        }],
        ..Report::default()
    }
}

/// A year of a reference design.
fn simulated() -> Report {
    let catalog = catalog::catalog().unwrap();
    let design = catalog::parse_design("x.toml", catalog::design("one-rack-gb200").unwrap().text).unwrap();
    let site = sim::resolve(&design, &catalog).unwrap();
    let scenario = sim::defaults::scenario(&site, model::quantity::Span::from_hours(1.0), 1);
    sim::report::report(&site, &scenario, &sim::simulate(&site, &scenario), "0", "0")
}

/// Every file of a workbook.
fn files(bytes: Vec<u8>) -> Vec<(String, String)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let count = archive.len();
    let mut read = |at: usize| {
        let (mut file, mut text) = (archive.by_index(at).unwrap(), String::new());
        file.read_to_string(&mut text).unwrap();
        (file.name().unwrap().into_owned(), text)
    };
    (0..count).map(&mut read).collect()
}

fn formulas(bytes: Vec<u8>) -> Vec<String> {
    let sheets = files(bytes).into_iter().filter(|(name, _)| name.starts_with("xl/worksheets/"));
    let texts: Vec<String> = sheets.map(|(_, text)| text).collect();
    let all = texts.iter().flat_map(|text| text.split("<f>").skip(1));
    all.map(|rest| rest.split("</f>").next().unwrap().to_owned()).collect()
}

#[test]
fn a_workbook_has_its_sheets_and_is_the_same_twice() {
    let tables = tables(&run(), &report("A hall"));
    let names: Vec<&str> = tables.iter().map(|table| table.name).collect();
    let expected = ["Summary", "Months", "Energy", "Power tree", "Money", "Assumptions and sources", "Input"];
    assert_eq!(names, expected);
    let bytes = xlsx::write(&tables, 1_795_442_700_000).unwrap();
    assert_eq!(bytes, xlsx::write(&tables, 1_795_442_700_000).unwrap());
    let all = files(bytes);
    let book = &all.iter().find(|(name, _)| name == "xl/workbook.xml").unwrap().1;
    assert!(expected.iter().all(|name| book.contains(&format!("name=\"{name}\""))), "{book}");
    let sheets: Vec<&(String, String)> = all.iter().filter(|(name, _)| name.starts_with("xl/worksheets/")).collect();
    assert_eq!(sheets.len(), 7);
    assert!(sheets.iter().all(|(_, text)| text.contains("state=\"frozen\"")), "headings stay in sight");
}

/// What a formula comes to in the workbook is what the report says.
#[test]
fn formulas_come_to_what_the_report_says() {
    let report = simulated();
    let tables = tables(&run(), &report);
    let number = |table: &str, label: &str| -> f64 {
        let table = tables.iter().find(|one| one.name == table).unwrap();
        let is = |row: &&Vec<Cell>| matches!(&row[0], Cell::Text(text) if text == label);
        match table.rows.iter().find(is).unwrap()[1] {
            Cell::Number(number) | Cell::Formula(_, number) => number,
            Cell::Empty | Cell::Text(_) => panic!("{label} is no figure"),
        }
    };
    // Figures are written with ten digits.
    let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-8 * b.abs().max(1e-9), "{a} against {b}");
    let (facility, it) = (number("Energy", "Facility"), number("Energy", "IT equipment"));
    close(number("Summary", "PUE"), facility / it);
    let tokens = number("Summary", "Output tokens");
    close(number("Summary", "Tokens per facility MW"), tokens / facility / 3600.0);
    close(number("Summary", "WUE"), number("Summary", "Water") / it);
    let Money { capital_usd, energy_usd, demand_charge_usd, water_usd, upkeep_usd, staff_usd, .. } = report.money;
    let sum = capital_usd + energy_usd + demand_charge_usd + water_usd + upkeep_usd + staff_usd;
    assert!((number("Money", "Total") - sum).abs() < 0.05, "to a few cents");
    close(number("Summary", "Cost per million output tokens"), number("Money", "Total") / tokens * 1e6);
    close(number("Summary", "Carbon per million output tokens"), number("Summary", "Carbon") / tokens * 1e12);
    close(number("Months", "Year"), facility);
    close(number("Summary", "Utilisation"), report.utilisation);
    assert!(number("Energy", "Left over in the books").abs() < 1e-6 * facility, "the books balance");
}

#[test]
fn csv_has_one_figure_a_line() {
    let text = String::from_utf8(csv::write(&tables(&run(), &report("A hall"))).unwrap()).unwrap();
    assert!(text.starts_with("section,item,figure,value\n"));
    for line in
        ["Summary,Design,value,A hall", "Months,February,facility_energy_mwh,52", "Months,Year,peak_power_mw,12"]
    {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
}

fn hostile() -> impl Strategy<Value = String> {
    let start =
        proptest::sample::select(vec!["=", "+", "-", "@", "\t", "\r", "\n", "'", "\"", ",", "=HYPERLINK(", "a"]);
    (start, "\\PC{0,20}").prop_map(|(start, rest)| format!("{start}{rest}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))] // each makes two workbooks

    #[test]
    fn law_no_words_become_a_formula_in_csv(words in hostile()) {
        let bytes = csv::write(&tables(&run(), &report(&words))).unwrap();
        for record in ::csv::Reader::from_reader(bytes.as_slice()).records() {
            let record = record.unwrap();
            prop_assert_eq!(record.len(), 4);
            for field in &record {
                let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
                prop_assert!(!formula || field.parse::<f64>().is_ok(), "{:?}", field);
            }
        }
    }

    #[test]
    fn law_no_words_become_a_formula_in_a_workbook(words in hostile()) {
        let made = |words: &str| formulas(xlsx::write(&tables(&run(), &report(words)), 0).unwrap());
        prop_assert_eq!(made(&words), made("plain"));
    }
}
