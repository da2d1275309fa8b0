//! Sweeps: a design evaluated at every combination of what is varied. `optimize` makes them; the server keeps them as jobs.

use crate::id::{DesignId, SweepId};
use crate::optimum::{Goal, Limits, Point};
use crate::run::RunState;
use serde::{Deserialize, Serialize};

/// Most combinations of one sweep that is kept: a few dozen megabytes of rows.
pub const SWEEP_ROWS_MAX: usize = 100_000;
/// Longest name.
pub const SWEEP_NAME_CHARS_MAX: usize = 120;

/// What is varied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Vary {
    /// Its name, as [`crate::sweep`]'s commands have it: `cap`, `rack`, `model`.
    pub field: String,
    /// Each value once, as written.
    pub values: Vec<String>,
}

impl std::str::FromStr for Vary {
    type Err = String;

    /// `FIELD=A,B,C` or `FIELD=FROM..TO:STEP`. What the field takes is for the sweep to say.
    fn from_str(text: &str) -> Result<Self, String> {
        let (field, values) = text.split_once('=').ok_or("must be FIELD=A,B,C or FIELD=FROM..TO:STEP")?;
        let values: Vec<String> = match values.split_once("..") {
            Some((from, rest)) => stepped(from, rest)?,
            None => values.split(',').map(|value| value.trim().to_owned()).collect(),
        };
        if let Some(twice) = values.iter().enumerate().find(|(at, value)| values[..*at].contains(value)) {
            return Err(format!("{field} has {} twice", twice.1));
        }
        if values.iter().any(String::is_empty) {
            return Err(format!("{field} has an empty value"));
        }
        Ok(Self { field: field.trim().to_owned(), values })
    }
}

/// Numbers from one to another, both ends taken where the step meets them.
fn stepped(from: &str, rest: &str) -> Result<Vec<String>, String> {
    let told = || format!("{from}..{rest} must be FROM..TO:STEP, in numbers, the step above 0");
    let (to, step) = rest.split_once(':').ok_or_else(told)?;
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|value| value.is_finite());
    let (Some(from), Some(to), Some(step)) = (number(from), number(to), number(step)) else { return Err(told()) };
    let steps = ((to - from) / step + 1e-9).floor();
    if step <= 0.0 || steps < 0.0 {
        return Err(told());
    }
    if steps >= SWEEP_ROWS_MAX as f64 {
        return Err(format!("{from}..{to}:{step} has more than {SWEEP_ROWS_MAX} values"));
    }
    // Rounded to what a step of a billionth of the range could tell, so that 0.1 · 3 is written 0.3.
    let value = |at: f64| ((from + at * step) * 1e9).round() / 1e9;
    Ok((0..=steps as u32).map(|at| value(f64::from(at)).to_string()).collect())
}

/// What a sweep is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SweepAsk {
    /// What is varied: every combination is tried, the last field fastest.
    pub vary: Vec<Vary>,
    /// What is to be the best of racks, power limit and water wherever they are not varied; none leaves them as drawn.
    #[serde(default)]
    pub goal: Option<Goal>,
    /// What may not be exceeded.
    #[serde(default)]
    pub limits: Limits,
}

/// A sweep to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SweepCreate {
    /// What it is to be called.
    pub name: String,
    /// The design, in its newest version.
    pub design: DesignId,
    /// What is asked.
    #[serde(flatten)]
    pub ask: SweepAsk,
}

/// One combination and what it comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SweepRow {
    /// One value of each field that is varied.
    pub values: Vec<String>,
    /// What it comes to; none where there is no such facility.
    pub point: Option<Point>,
    /// Why not.
    pub why: Option<String>,
}

/// A sweep in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SweepSummary {
    /// Its name in paths.
    pub id: SweepId,
    /// What it is called.
    pub name: String,
    /// When it was asked for, ms since 1970 UTC.
    pub created_ms: i64,
    /// The design.
    pub design: DesignId,
    /// What that is called.
    pub design_name: String,
    /// Its version.
    pub version: u32,
    /// What is asked.
    pub ask: SweepAsk,
    /// Combinations.
    pub rows: u32,
    /// Those that are done.
    pub done: u32,
    /// How far it is.
    pub state: RunState,
}

/// A sweep with what it found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SweepDetail {
    /// What it is.
    pub summary: SweepSummary,
    /// Best rows by its goal, or by tokens a second; the best first.
    pub best: Vec<SweepRow>,
    /// Rows that can be run all year and that none beats in tokens a second and in tokens a joule at once.
    pub frontier: Vec<SweepRow>,
    /// For each field, each of its values with the best row that has it.
    pub by_value: Vec<Vec<SweepRow>>,
    /// Combinations that can be run all year.
    pub feasible: u32,
    /// Combinations for which there is no facility, with the reason of the first.
    pub refused: u32,
    /// That reason.
    pub refused_why: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_listed_or_stepped() {
        let values = |text: &str| text.parse::<Vary>().map(|vary| vary.values);
        assert_eq!(values("cap=400, 500").unwrap(), ["400", "500"]);
        assert_eq!(values("water=18..20:0.5").unwrap(), ["18", "18.5", "19", "19.5", "20"]);
        assert_eq!(values("cache=0..0.3:0.1").unwrap(), ["0", "0.1", "0.2", "0.3"]);
        for wrong in ["cap", "cap=", "cap=1,1", "cap=1..2", "cap=2..1:1", "cap=1..2:0", "cap=a..b:1", "cap=0..1e9:0.1"]
        {
            assert!(values(wrong).is_err(), "{wrong}");
        }
    }
}
