//! The autoscaler of a pool: what it saw in an interval, what it expects of the next, and how many replicas that needs.

use super::fleet::{Planner, Predictor, Role};
use super::replica::Kit;
use crate::serving::cost::{Batch, StepCost};

/// What a pool's planner has seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    requests: u32,
    input: u64,
    output: u64,
    ttft: Mean,
    tpot: Mean,
    /// Of Holt's trend: requests a second, and their change in an interval; none before the first.
    trend: Option<(f64, f64)>,
    /// Of ARIMA: requests a second in the last intervals, oldest first.
    rates: Vec<f64>,
    /// Mean tokens of prompt and answer, of the last interval that had requests.
    lengths: (f64, f64),
}

#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: u32,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    /// The mean; none of nothing.
    fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}

impl Seen {
    /// A request came.
    pub(super) fn request(&mut self, input: u32, output: u32) {
        self.requests += 1;
        self.input += u64::from(input);
        self.output += u64::from(output);
    }

    /// A first token came.
    pub(super) fn first_token(&mut self, ttft_s: f64) {
        self.ttft.add(ttft_s);
    }

    /// A request was done.
    pub(super) fn done(&mut self, tpot_s: f64) {
        self.tpot.add(tpot_s);
    }

    /// An interval is over: how many replicas there should be, of `on` that are on. At least
    /// `least`, for which requests wait.
    pub(super) fn decide(&mut self, plan: &Planner, kit: &Kit<'_>, on: u32, least: u32) -> u32 {
        let rate = self.predict(plan);
        if self.requests > 0 {
            let count = f64::from(self.requests);
            self.lengths = (self.input as f64 / count, self.output as f64 / count);
        }
        let each = capacity_per_s(plan, kit, self.lengths);
        let floor = (rate / each).ceil().min(f64::from(kit.pool.replicas)) as u32;
        let (ttft, tpot) = (self.ttft.value(), self.tpot.value());
        let over = |value: Option<f64>, target: f64| value.is_some_and(|value| value > target);
        let late = over(ttft, plan.ttft_s) || over(tpot, plan.tpot_s);
        let near = over(ttft, plan.ttft_s * plan.sensitivity) || over(tpot, plan.tpot_s * plan.sensitivity);
        let wanted = if late {
            floor.max(on + 1)
        } else if near {
            floor.max(on)
        } else {
            floor
        };
        let rates = std::mem::take(&mut self.rates);
        let idle = Self { trend: self.trend, rates, lengths: self.lengths, ..Self::default() };
        *self = idle;
        let wanted = wanted.max(plan.replicas_min).max(least);
        let (least, most) = (on.saturating_sub(plan.change_max), on.saturating_add(plan.change_max));
        wanted.clamp(least, most).min(kit.pool.replicas)
    }

    /// Requests a second in the next interval.
    fn predict(&mut self, plan: &Planner) -> f64 {
        let now = f64::from(self.requests) / plan.interval_s;
        match plan.predictor {
            Predictor::Constant => now,
            Predictor::Trend { level: a, slope: b } => {
                let (level, slope) = self.trend.map_or((now, 0.0), |(level, slope)| {
                    let new = a * now + (1.0 - a) * (level + slope);
                    (new, b * (new - level) + (1.0 - b) * slope)
                });
                self.trend = Some((level, slope));
                (level + slope).max(0.0)
            }
            Predictor::Arima => {
                if self.rates.len() == Predictor::SEEN_MAX {
                    self.rates.remove(0);
                }
                self.rates.push(now);
                arima(&self.rates)
            }
        }
    }
}

/// The next of rates by ARIMA(1, 1, 0): the last and its change, c + φ · Δ, with c and φ by least squares of each change on the
/// one before it; |φ| < 1, or changes would grow for ever. The last alone while there are too few changes to tell.
fn arima(rates: &[f64]) -> f64 {
    const LEAST_CHANGES: usize = 4;
    let last = rates.last().copied().unwrap_or(0.0);
    let changes: Vec<f64> = rates.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if changes.len() < LEAST_CHANGES {
        return last;
    }
    let pairs = changes.len() as f64 - 1.0;
    let (before, after) = (&changes[..changes.len() - 1], &changes[1..]);
    let mean = |of: &[f64]| of.iter().sum::<f64>() / pairs;
    let (x, y) = (mean(before), mean(after));
    let spread: f64 = before.iter().map(|change| (change - x) * (change - x)).sum();
    let together: f64 = before.iter().zip(after).map(|(b, a)| (b - x) * (a - y)).sum();
    let follows = if spread > 0.0 { (together / spread).clamp(-0.99, 0.99) } else { 0.0 };
    let change = y + follows * (changes[changes.len() - 1] - x);
    (last + change).max(0.0)
}

/// Requests a second that one replica answers with TPOT within the target: 1 / (seconds of the prompt + seconds of the
/// answer's share of steps with the largest batch that is fast enough).
fn capacity_per_s(plan: &Planner, kit: &Kit<'_>, (input, output): (f64, f64)) -> f64 {
    let batch = batch_within(plan.tpot_s, kit, input + output / 2.0);
    let answer = output * step_s(kit.cost, batch, input + output / 2.0) / f64::from(batch);
    let chunk = (input.ceil() as u32).clamp(1, kit.tokens_max);
    let base = kit.cost.base_s.get(chunk as usize).copied().unwrap_or_default();
    let prompt = base * input / f64::from(chunk) + kit.cost.pair_s * input * input / 2.0;
    let seconds = match kit.pool.role {
        Role::Both => prompt + answer,
        Role::Prefill => prompt,
        Role::Decode => answer,
    };
    if seconds > 0.0 { 1.0 / seconds } else { f64::INFINITY }
}

/// The largest batch of answers whose step takes no longer than that; at least one.
fn batch_within(tpot_s: f64, kit: &Kit<'_>, context: f64) -> u32 {
    let room = (kit.cost.room_tokens as f64 / context.max(1.0)) as u32;
    let (mut fits, mut over) = (1, kit.pool.engine.requests_max.min(kit.tokens_max).min(room.max(1)) + 1);
    while over - fits > 1 {
        let middle = u32::midpoint(fits, over);
        if step_s(kit.cost, middle, context) <= tpot_s {
            fits = middle;
        } else {
            over = middle;
        }
    }
    fits
}

/// Seconds of a step of answers with so much past each.
fn step_s(cost: &StepCost, requests: u32, context: f64) -> f64 {
    let past = (f64::from(requests) * context) as u64;
    let past_in_window = (f64::from(requests) * context.min(f64::from(cost.window_tokens))) as u64;
    cost.step(&Batch { tokens: requests, requests, prompts: 0, past, past_in_window, pairs: 0 }).time_s
}

#[cfg(test)]
mod tests {
    use super::arima;

    /// Changes that halve each time, and a steady rise: both are foretold exactly, noise or none of them without running away.
    #[test]
    fn a_series_that_is_one_is_foretold() {
        let halving: Vec<f64> = (0..12).map(|n| 20.0 - 16.0 * 0.5_f64.powi(n)).collect();
        assert!((arima(&halving) - (20.0 - 16.0 * 0.5_f64.powi(12))).abs() < 1e-9);
        let rising: Vec<f64> = (0..10).map(|n| 3.0 + 2.0 * f64::from(n)).collect();
        assert!((arima(&rising) - 23.0).abs() < 1e-9);
        let doubling: Vec<f64> = (0..10).map(|n| 2.0_f64.powi(n)).collect();
        assert!(arima(&doubling).is_finite() && arima(&doubling) < 4.0 * 512.0);
        assert!((arima(&[5.0, 9.0]) - 9.0).abs() < 1e-12, "too few to tell: as in the last");
        assert!(arima(&[]) == 0.0 && arima(&[9.0, 6.0, 4.0, 2.0, 1.0, 0.0]) >= 0.0);
    }
}
