//! The fit: least squares of logarithms with priors, robust against single rows, by Levenberg and Marquardt's method.

use crate::measured::Measured;
use sim::serving::coefficients::Coefficients;

/// Error of a time between tokens that is taken as ordinary, as a logarithm.
const TPOT_SIGMA: f64 = 0.06;
/// The same of a time to the first token.
const TTFT_SIGMA: f64 = 0.2;

/// Rows that count as one observation, beside what is known before: rows of one system, model and engine err together. Of 1, 3,
/// 6, 11 and 20 the one with which models that are left out are predicted best in the mean.
const ROWS_ALIKE: f64 = 4.0;

/// Coefficients that fit the rows, begun at `start`.
pub(crate) fn fit(rows: &[Measured], start: &Coefficients) -> Coefficients {
    let mut at: Vec<f64> = start.values().iter().map(|value| libm::log(*value)).collect();
    let mut residuals = residuals(rows, &at);
    let mut damping = 1e-2;
    for _ in 0..80 {
        let jacobian = jacobian(rows, &at, &residuals);
        let before = squares(&residuals);
        let mut better = None;
        for _ in 0..8 {
            let step = solve(&jacobian, &residuals, damping);
            let tried: Vec<f64> = at.iter().zip(&step).map(|(value, step)| value - step.clamp(-0.7, 0.7)).collect();
            let found = self::residuals(rows, &tried);
            if squares(&found) < before {
                better = Some((tried, found));
                damping = f64::max(damping / 4.0, 1e-9);
                break;
            }
            damping *= 4.0;
        }
        let Some((tried, found)) = better else { break };
        let gained = before - squares(&found);
        (at, residuals) = (tried, found);
        if gained < 1e-7 * before {
            break;
        }
    }
    Coefficients::from_values(&at.iter().map(|value| libm::exp(*value)).collect::<Vec<_>>())
}

fn squares(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum()
}

/// √ρ of Huber's smooth loss: like r near 0, like √|r| far out.
fn tamed(r: f64) -> f64 {
    r.signum() * (2.0 * ((1.0 + r * r).sqrt() - 1.0)).sqrt()
}

fn residuals(rows: &[Measured], at: &[f64]) -> Vec<f64> {
    let fitted = Coefficients::from_values(&at.iter().map(|value| libm::exp(*value)).collect::<Vec<_>>());
    let mut found = Vec::with_capacity(rows.len() * 2 + at.len());
    for row in rows {
        let (tpot, ttft) = match row.predicted(&fitted) {
            Some(served) => (libm::log(served.tpot_s / row.tpot_s), libm::log(served.ttft_s / row.ttft_s)),
            None => (0.0, 0.0),
        };
        found.push(tamed(row.weight * tpot / TPOT_SIGMA));
        found.push(if row.first_tells { tamed(row.weight * ttft / TTFT_SIGMA) } else { 0.0 });
    }
    for (value, (prior, sigma)) in at.iter().zip(Coefficients::PRIORS) {
        found.push(ROWS_ALIKE.sqrt() * (value - libm::log(*prior)) / sigma);
    }
    found
}

/// Derivatives of the residuals, one column for each coefficient.
fn jacobian(rows: &[Measured], at: &[f64], base: &[f64]) -> Vec<Vec<f64>> {
    const STEP: f64 = 1e-5;
    (0..at.len())
        .map(|index| {
            let mut moved = at.to_vec();
            moved[index] += STEP;
            residuals(rows, &moved).iter().zip(base).map(|(moved, base)| (moved - base) / STEP).collect()
        })
        .collect()
}

/// (JᵀJ + λ·diag) x = Jᵀr by Cholesky's decomposition.
fn solve(jacobian: &[Vec<f64>], residuals: &[f64], damping: f64) -> Vec<f64> {
    let n = jacobian.len();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut lower = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..=i {
            let mut value = dot(&jacobian[i], &jacobian[j]);
            if i == j {
                value += damping * value.max(1e-12);
            }
            let below: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
            lower[i][j] =
                if i == j { f64::sqrt(f64::max(value - below, 1e-12)) } else { (value - below) / lower[j][j] };
        }
    }
    let mut x: Vec<f64> = jacobian.iter().map(|column| dot(column, residuals)).collect();
    for i in 0..n {
        let below: f64 = (0..i).map(|k| lower[i][k] * x[k]).sum();
        x[i] = (x[i] - below) / lower[i][i];
    }
    for i in (0..n).rev() {
        let above: f64 = (i + 1..n).map(|k| lower[k][i] * x[k]).sum();
        x[i] = (x[i] - above) / lower[i][i];
    }
    x
}
