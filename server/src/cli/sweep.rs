//! `millwright sweep`: a design evaluated at every combination of what is varied.

use crate::cli::design::{DesignArgs, Failure};
use crate::cli::optimize::{Bound, choice, limit, limits};
use crate::cli::output;
use crate::export::sweep::{sheet, why_not};
use clap::Args;
use model::optimum::{Goal, Point};
use model::sweep::{SweepAsk, SweepRow, Vary};
use optimize::sweep::{FIELDS, Sweep as Made, ranked, undominated};
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Rows that are printed.
const SHOWN: usize = 20;
/// Combinations of one command: a million takes about ten seconds of one core, and some 500 MB.
const ROWS_MAX: usize = 1_000_000;

/// Evaluate a design at every combination of what is varied: racks, limits, water, models, racks of other makes, places
#[derive(Debug, Args)]
pub struct Sweep {
    #[command(flatten)]
    design: DesignArgs,
    #[arg(long, required = true, value_name = "FIELD=VALUES", help = varied())]
    vary: Vec<Vary>,
    /// Choose racks, power limit and water wherever they are not varied, to be best by this goal; without it they are as drawn
    #[arg(long, value_name = "GOAL")]
    goal: Option<Goal>,
    /// What may not be exceeded, as often as wanted: power=MW, capex=$, ttft=MS or tpot=MS
    #[arg(long, value_name = "LIMIT=VALUE", value_parser = limit)]
    subject_to: Vec<(Bound, f64)>,
    /// Write every row as JSON; `-` is standard output
    #[arg(long, value_name = "OUT")]
    json: Option<PathBuf>,
    /// Write every row as CSV; `-` is standard output
    #[arg(long, value_name = "OUT")]
    csv: Option<PathBuf>,
}

fn varied() -> String {
    let fields = FIELDS.iter().map(|(name, what)| format!("{name} ({what})")).collect::<Vec<_>>().join("; ");
    format!("What is varied, as often as wanted: FIELD=A,B,C, FIELD=FROM..TO:STEP or FIELD=all. Fields: {fields}")
}

/// What is written as JSON.
#[derive(Serialize)]
struct Told<'a> {
    ask: &'a SweepAsk,
    rows: &'a [SweepRow],
}

impl Sweep {
    /// Evaluates every combination.
    pub fn run(&self) -> Result<(), Failure> {
        let outputs: Vec<&Path> = self.json.as_deref().into_iter().chain(self.csv.as_deref()).collect();
        output::keep_apart(&outputs, &self.design.paths().collect::<Vec<_>>())?;
        let (design, catalog) = self.design.drawn()?;
        let ask = SweepAsk { vary: self.vary.clone(), goal: self.goal, limits: limits(&self.subject_to) };
        let made = Made::new(&design, &catalog, &ask).map_err(Failure::BadInput)?;
        let count = made.count().filter(|count| *count <= ROWS_MAX);
        let count = count.ok_or_else(|| {
            Failure::BadInput(format!("more than {ROWS_MAX} combinations: vary less, or in larger steps"))
        })?;
        let rows = made.rows(0..count);
        let mut files = Vec::new();
        if let Some(path) = &self.json {
            files.push((path.as_path(), output::json(path, &Told { ask: made.ask(), rows: &rows })?));
        }
        if let Some(path) = &self.csv {
            files.push((path.as_path(), sheet(&made.ask().vary, &rows).map_err(|error| Failure::bad(&error))?));
        }
        output::write(&files)?;
        if !outputs.contains(&Path::new("-")) {
            output::print(&words(&design.name, made.ask(), &rows))?;
        }
        if rows.iter().all(|row| row.point.is_none()) {
            return Err(Failure::Absent("no combination is a facility".to_owned()));
        }
        Ok(())
    }
}

fn words(design: &str, ask: &SweepAsk, rows: &[SweepRow]) -> String {
    let mut text = String::new();
    let feasible = rows.iter().filter(|row| row.point.as_ref().is_some_and(Point::is_feasible)).count();
    let refused = rows.iter().filter(|row| row.point.is_none()).count();
    let goal = ask.goal.unwrap_or(Goal::Tokens);
    let _ = writeln!(
        text,
        "{design}: {} combinations: {feasible} can be run all year, {} exceed a limit, {refused} are no facility. The best by {}:\n",
        rows.len(),
        rows.len() - feasible - refused,
        goal.name()
    );
    let named = |row: &SweepRow| {
        let each = ask.vary.iter().zip(&row.values).map(|(vary, value)| format!("{} {value}", vary.field));
        each.collect::<Vec<_>>().join(", ")
    };
    for row in ranked(rows, goal).into_iter().take(SHOWN) {
        line(&mut text, &named(row), row);
    }
    if rows.len() > SHOWN {
        let _ = writeln!(text, "  and {} more: --csv OUT has every one", rows.len() - SHOWN);
    }
    let frontier = undominated(rows, &[Goal::Tokens, Goal::TokensPerJoule]);
    let _ = writeln!(text, "\nNone beats these in tokens a second and in tokens a joule at once:");
    for row in frontier.iter().step_by(frontier.len().div_ceil(SHOWN).max(1)) {
        line(&mut text, &named(row), row);
    }
    text
}

fn line(text: &mut String, named: &str, row: &SweepRow) {
    let Some(point) = &row.point else {
        let _ = writeln!(text, "  {named}: {}", why_not(row));
        return;
    };
    let short = if point.is_feasible() { String::new() } else { format!("   exceeds {}", why_not(row)) };
    let _ = writeln!(
        text,
        "  {named}\n      {:>12.0} tokens/s ({:.0} to {:.0}) {:>9.4} tokens/J {:>9.3} MW {:>8.3} $/M tokens   {}{short}",
        point.output_tokens_per_s,
        Goal::Tokens.band(point)[0],
        Goal::Tokens.band(point)[1],
        point.tokens_per_joule,
        point.facility_mw,
        point.usd_per_million,
        choice(&point.choice)
    );
}
