//! What the fleet made of its energy, in sentences: worked out from its report, so that the page only picks and shows.

use crate::findings::share;
use crate::format;
use crate::period::Period;
use chart::Bar;
use model::fleet::{FleetReport, FleetReportRow, Megawatt};
use model::report::Banded;

/// The widest boundary that was metered: the megawatt of the report's figures.
pub fn boundary(row: &FleetReportRow) -> Megawatt {
    match (row.facility_kwh, row.it_kwh) {
        (Some(_), _) => Megawatt::Facility,
        (None, Some(_)) => Megawatt::It,
        (None, None) => Megawatt::Board,
    }
}

/// Where that is.
pub fn at(megawatt: Megawatt) -> &'static str {
    match megawatt {
        Megawatt::Facility => "at the utility meter",
        Megawatt::It => "into the racks (IT)",
        Megawatt::Board => "of the GPU boards alone",
    }
}

/// The energy there, kWh.
pub fn kwh(megawatt: Megawatt, row: &FleetReportRow) -> Option<f64> {
    match megawatt {
        Megawatt::Facility => row.facility_kwh,
        Megawatt::It => row.it_kwh,
        Megawatt::Board => row.board_kwh,
    }
}

/// The share that a figure is above or below another.
pub fn change(now: Option<f64>, before: Option<f64>) -> Option<f64> {
    let (now, before) = (now?, before?);
    share(now - before, before)
}

/// `9.10 % less than planned`.
fn compared(share: f64, with: &str) -> String {
    match format::relative_change(share) {
        same if same.is_empty() => format!("as much as {with}"),
        _ if share < 0.0 => format!("{} less than {with}", format::percent(-share)),
        _ => format!("{} more than {with}", format::percent(share)),
    }
}

/// Share of the time below which it is said beside the answer how much was read.
const READ_WELL: f64 = 0.99;

/// The answer, in a sentence.
pub fn headline(report: &FleetReport, period: Period, now_ms: i64) -> String {
    let total = &report.total;
    let when = match period {
        Period::Day(_) => format!("On {}", period.words()),
        Period::Month(..) => format!("In {}", period.words()),
    };
    let Some(made) = total.tokens_per_s_per_mw else {
        let lower = when.replacen('O', "o", 1).replacen("In", "in", 1);
        return format!("What the fleet made of a megawatt {lower} was not read");
    };
    let before = report.previous.as_ref().and_then(|row| row.tokens_per_s_per_mw);
    let planned = change(Some(made), total.planned_tokens_per_s_per_mw).map(|share| {
        let band = report.planned_error.map(|error| format::band(&Banded::around(1.0, error)));
        let band =
            band.filter(|band| !band.is_empty()).map_or_else(String::new, |band| format!(" (the plan is {band})"));
        compared(share, "planned") + &band
    });
    let so_far = if now_ms < report.to_ms { " so far" } else { "" };
    let before = change(Some(made), before).map(|share| compared(share, period.before()));
    let beside: Vec<String> = planned.into_iter().chain(before).collect();
    let beside = if beside.is_empty() { String::new() } else { format!(": {}", beside.join(", and ")) };
    format!(
        "{when}{so_far} the fleet made {} of output from each megawatt {}{beside}",
        format::token_rate(made),
        at(boundary(total))
    )
}

/// What it made, of how much.
pub fn lead(report: &FleetReport) -> String {
    let (total, megawatt) = (&report.total, boundary(&report.total));
    let tokens = total.output_tokens.map_or_else(
        || "No output tokens were counted".to_owned(),
        |tokens| format!("{} of output", format::tokens(tokens)),
    );
    let energy = kwh(megawatt, total).map_or_else(
        || "no energy was metered".to_owned(),
        |kwh| format!("{} {}", format::kilowatt_hours(kwh), at(megawatt)),
    );
    let usable = total
        .available
        .map_or_else(String::new, |share| format!(" · {} of the GPUs were usable on average", format::percent(share)));
    let read = if total.covered < READ_WELL {
        format!(" · {} of the time was read", format::percent(total.covered))
    } else {
        String::new()
    };
    format!("{tokens} · {energy}{usable}{read}")
}

/// How much of the time the figures are of.
pub fn covered(row: &FleetReportRow) -> String {
    if row.covered >= 0.9995 {
        return "All of the time was read.".into();
    }
    format!(
        "{} of the time was read; in the rest nothing is known, and it is in no figure.",
        format::percent(row.covered)
    )
}

/// The best and the worst of the rows, in a sentence without its full stop.
pub fn rows_finding(report: &FleetReport, period: Period) -> String {
    let part = period.part();
    let read: Vec<(f64, i64)> =
        report.rows.iter().filter_map(|row| Some((row.tokens_per_s_per_mw?, row.start_ms))).collect();
    let best = read.iter().max_by(|a, b| a.0.total_cmp(&b.0));
    let worst = read.iter().min_by(|a, b| a.0.total_cmp(&b.0));
    let (Some(best), Some(worst)) = (best, worst) else { return format!("No {part} was read") };
    let said = |(made, start_ms): &(f64, i64)| {
        format!("{} ({})", format::tokens_per_megawatt(*made), period.part_words(*start_ms))
    };
    if read.len() == 1 {
        return format!("One {part} was read: {}", said(best));
    }
    format!("The best {part} made {}, the worst {}", said(best), said(worst))
}

/// A bar for each row.
pub fn bars(report: &FleetReport, period: Period) -> Vec<Bar> {
    let bar = |row: &FleetReportRow| Bar {
        name: period.part_short(row.start_ms),
        value: row.tokens_per_s_per_mw,
        planned: row.planned_tokens_per_s_per_mw,
    };
    report.rows.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(words: &str) -> String {
        words.replace('\u{202f}', " ")
    }

    fn report(total: FleetReportRow) -> FleetReport {
        FleetReport {
            period: "2026-11-23".into(),
            from_ms: 0,
            to_ms: 0,
            rows: vec![total.clone()],
            total,
            previous: Some(FleetReportRow { tokens_per_s_per_mw: Some(20_000.0), ..FleetReportRow::default() }),
            remarks: Vec::new(),
            plan: None,
            planned_error: None,
        }
    }

    #[test]
    fn the_headline_says_which_megawatt_and_what_it_is_beside() {
        let day = Period::read("2026-11-23", 0).unwrap();
        let row = FleetReportRow {
            tokens_per_s_per_mw: Some(18_000.0),
            planned_tokens_per_s_per_mw: Some(20_000.0),
            it_kwh: Some(1_000.0),
            ..FleetReportRow::default()
        };
        let said = "On 23 November 2026 the fleet made 18.0 k tok/s of output from each megawatt into the racks (IT): \
                    10.0 % less than planned, and 10.0 % less than the day before";
        assert_eq!(plain(&headline(&report(row.clone()), day, 0)), said);
        let open = FleetReport { to_ms: 10, planned_error: Some(0.47), ..report(row.clone()) };
        let said = plain(&headline(&open, day, 5));
        assert!(said.starts_with("On 23 November 2026 so far the fleet made 18.0 k tok/s"), "{said}");
        assert!(said.contains(": 10.0 % less than planned (the plan is ± 47 %), and"), "{said}");
        assert_eq!(plain(&rows_finding(&report(row), day)), "One hour was read: 18.0 k tok/s/MW (00:00)");
        let nothing = report(FleetReportRow::default());
        assert_eq!(headline(&nothing, day, 0), "What the fleet made of a megawatt on 23 November 2026 was not read");
        assert_eq!(
            plain(&lead(&nothing)),
            "No output tokens were counted · no energy was metered · 0 % of the time was read"
        );
        assert_eq!(rows_finding(&nothing, day), "No hour was read");
    }
}
