//! A linear programme of many columns with few entries each, for Clarabel's interior point.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettingsBuilder, DefaultSolver, IPSolver, SolverStatus, SupportedConeT};

/// Why a programme has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unsolved {
    /// Its limits can't all be kept.
    Infeasible,
    /// The solver did not come to an end; with its own word.
    Failed(String),
}

/// Rows Σ value · x against a bound, as triplets.
#[derive(Default)]
struct Rows {
    at: Vec<usize>,
    columns: Vec<usize>,
    values: Vec<f64>,
    bounds: Vec<f64>,
}

impl Rows {
    fn push(&mut self, terms: &[(usize, f64)], bound: f64) {
        for (column, value) in terms {
            self.at.push(self.bounds.len());
            self.columns.push(*column);
            self.values.push(*value);
        }
        self.bounds.push(bound);
    }

    /// The others after these.
    fn joined(mut self, other: Self) -> Self {
        let own = self.bounds.len();
        self.at.extend(other.at.into_iter().map(|row| row + own));
        self.columns.extend(other.columns);
        self.values.extend(other.values);
        self.bounds.extend(other.bounds);
        self
    }
}

/// Least Σ cost · x over x of any sign, under rows = and rows ≤.
pub(crate) struct Programme {
    costs: Vec<f64>,
    equal: Rows,
    most: Rows,
}

impl Programme {
    /// So many columns, without cost or limit.
    pub(crate) fn new(columns: usize) -> Self {
        Self { costs: vec![0.0; columns], equal: Rows::default(), most: Rows::default() }
    }

    /// Adds a cost to a column.
    pub(crate) fn cost(&mut self, column: usize, each: f64) {
        self.costs[column] += each;
    }

    /// Σ value · x = bound.
    pub(crate) fn equal(&mut self, terms: &[(usize, f64)], bound: f64) {
        self.equal.push(terms, bound);
    }

    /// Σ value · x ≤ bound.
    pub(crate) fn at_most(&mut self, terms: &[(usize, f64)], bound: f64) {
        self.most.push(terms, bound);
    }

    /// 0 ≤ x.
    pub(crate) fn positive(&mut self, column: usize) {
        self.at_most(&[(column, -1.0)], 0.0);
    }

    /// 0 ≤ x ≤ most.
    pub(crate) fn within(&mut self, column: usize, most: f64) {
        self.positive(column);
        self.at_most(&[(column, 1.0)], most);
    }

    /// Every x of the least cost, which is missed by `tolerance` at most, as a share; as are the limits.
    ///
    /// Where the solver can't come so near, its own wider tolerance for that case, 5e-5, holds.
    pub(crate) fn solve(self, tolerance: f64) -> Result<Vec<f64>, Unsolved> {
        let failed = |word: String| Unsolved::Failed(word);
        let settings = DefaultSettingsBuilder::default()
            .verbose(false)
            .tol_gap_abs(tolerance)
            .tol_gap_rel(tolerance)
            .tol_feas(tolerance)
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let columns = self.costs.len();
        let cones = [
            SupportedConeT::ZeroConeT(self.equal.bounds.len()),
            SupportedConeT::NonnegativeConeT(self.most.bounds.len()),
        ];
        let Rows { at: rows, columns: of, values, bounds } = self.equal.joined(self.most);
        let matrix = CscMatrix::new_from_triplets(bounds.len(), columns, rows, of, values);
        let none = CscMatrix::zeros((columns, columns));
        let mut solver = DefaultSolver::new(&none, &self.costs, &matrix, &bounds, &cones, settings)
            .map_err(|error| failed(error.to_string()))?;
        solver.solve();
        let status = solver.solution.status;
        if matches!(status, SolverStatus::PrimalInfeasible | SolverStatus::AlmostPrimalInfeasible) {
            return Err(Unsolved::Infeasible);
        }
        if !matches!(status, SolverStatus::Solved | SolverStatus::AlmostSolved) {
            return Err(failed(format!("{status:?}")));
        }
        Ok(solver.solution.x)
    }
}
