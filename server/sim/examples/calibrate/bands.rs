//! Error bands by cross-validation, and how many points each would have held of what it was made without.

use crate::measured::Measured;
use sim::serving::band::{Band, Known};
use sim::serving::coefficients::Coefficients;
use sim::serving::served::Served;

/// Share of points that a band is to hold.
const COVERAGE: f64 = 0.90;

/// Times as wide as a band may be made so that it holds what it was made without.
const WIDEST: f64 = 6.0;

/// A fit that left out some rows, and those.
pub(crate) struct Fold {
    /// What was left out: a GPU, a model, one on the other, or a tenth of all points.
    pub(crate) known: Known,
    /// Its GPU; none where it was not the GPU that was left out.
    pub(crate) gpu: Option<String>,
    /// Its model, alike.
    pub(crate) model: Option<String>,
    /// Places of the rows that were left out and are to be predicted.
    pub(crate) rows: Vec<usize>,
    /// Coefficients fitted without.
    pub(crate) fitted: Coefficients,
}

/// What a band is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Tpot,
    Ttft,
    Rate,
}

impl Of {
    pub(crate) const ALL: [Self; 3] = [Self::Tpot, Self::Ttft, Self::Rate];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tpot => "tpot",
            Self::Ttft => "ttft",
            Self::Rate => "rate",
        }
    }

    /// Predicted over measured.
    pub(crate) fn ratio(self, row: &Measured, served: &Served) -> f64 {
        match self {
            Self::Tpot => served.tpot_s / row.tpot_s,
            Self::Ttft => served.ttft_s / row.ttft_s,
            Self::Rate => served.output_tokens_per_s_per_gpu / row.tokens_per_s_per_gpu(),
        }
    }
}

/// Measured over predicted of one fold's points, as logarithms.
struct Group<'a> {
    fold: &'a Fold,
    logs: Vec<f64>,
}

impl Group<'_> {
    /// Whether another fold is of another model, or of another GPU where models were not left out.
    fn apart(&self, other: &Group<'_>) -> bool {
        if self.fold.model.is_some() { self.fold.model != other.fold.model } else { self.fold.gpu != other.fold.gpu }
    }

    fn median(&self) -> f64 {
        let mut logs = self.logs.clone();
        logs.sort_by(f64::total_cmp);
        logs.get(logs.len() / 2).copied().unwrap_or(0.0)
    }

    fn inside(&self, [low, high]: [f64; 2]) -> usize {
        self.logs.iter().filter(|log| (low..=high).contains(*log)).count()
    }
}

/// A band, and what bands made alike held of what they were made without: left out, points, of which inside.
pub(crate) struct Tried {
    pub(crate) known: Known,
    pub(crate) of: Of,
    pub(crate) band: Band,
    pub(crate) held: Vec<(String, usize, usize)>,
}

/// The band of a figure where so much is known.
pub(crate) fn tried(
    rows: &[Measured],
    folds: &[Fold],
    known: Known,
    of: Of,
    keep: &dyn Fn(&Measured) -> bool,
) -> Tried {
    let own = folds.iter().filter(|fold| fold.known == known).map(|fold| group(rows, fold, of, keep));
    let groups: Vec<Group> = own.filter(|group| !group.logs.is_empty()).collect();
    // Tenths of the points are alike, so that a band of some holds the others as it is.
    let (widest, tests) = if known == Known::Both { (1.0, &groups[..0]) } else { (WIDEST, &groups[..]) };
    let without = |one: &Group, wider: f64| {
        let others: Vec<&Group> = groups.iter().filter(|other| one.apart(other)).collect();
        band(&others, wider)
    };
    let mean = |wider: f64| {
        let shares = groups.iter().map(|one| one.inside(without(one, wider)) as f64 / one.logs.len().max(1) as f64);
        shares.sum::<f64>() / groups.len() as f64
    };
    let mut wider: f64 = 1.0;
    while wider < widest && mean(wider) < COVERAGE {
        wider += 0.02;
    }
    let [low, high] = band(&groups.iter().collect::<Vec<_>>(), wider);
    let name = |fold: &Fold| [&fold.model, &fold.gpu].into_iter().flatten().cloned().collect::<Vec<_>>().join(" on ");
    let held = tests.iter().map(|one| (name(one.fold), one.logs.len(), one.inside(without(one, wider)))).collect();
    Tried { known, of, band: Band { low: libm::exp(low.min(0.0)), high: libm::exp(high.max(0.0)) }, held }
}

fn group<'a>(rows: &[Measured], fold: &'a Fold, of: Of, keep: &dyn Fn(&Measured) -> bool) -> Group<'a> {
    let left_out = fold.rows.iter().map(|at| &rows[*at]).filter(|row| keep(row));
    let logs = left_out.filter_map(|row| row.predicted(&fold.fitted).map(|served| -libm::log(of.ratio(row, &served))));
    Group { fold, logs: logs.collect() }
}

/// Where 5% and 95% of points lie, each group counting the same; `wider` times as far from their middle.
///
/// What a model or GPU that was not measured leans to is not known, so each group counts with its lean either way; the
/// shape about it, skew and all, stays.
fn band(groups: &[&Group], wider: f64) -> [f64; 2] {
    let mut all: Vec<(f64, f64)> = Vec::new();
    for group in groups {
        let weight = 1.0 / group.logs.len() as f64;
        all.extend(group.logs.iter().map(|log| (*log, weight)));
        if group.fold.known != Known::Both {
            let lean = group.median();
            all.extend(group.logs.iter().map(|log| (*log - 2.0 * lean, weight)));
        }
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let whole: f64 = all.iter().map(|(_, weight)| weight).sum();
    let at = |share: f64| {
        let mut below = 0.0;
        let found = all.iter().find(|(_, weight)| {
            below += weight;
            below >= share * whole
        });
        found.or(all.last()).map_or(0.0, |(log, _)| *log)
    };
    let tail = (1.0 - COVERAGE) / 2.0;
    let (low, high) = (at(tail), at(1.0 - tail));
    let (middle, half) = (f64::midpoint(low, high), (high - low) / 2.0 * wider);
    [middle - half, middle + half]
}
