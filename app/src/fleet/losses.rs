//! The named difference between plan and now, as the steps of a waterfall.

use super::words;
use model::fleet::{FleetKpis, LossCause};

/// A step from the planned tokens down to those that are made.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Why.
    pub cause: LossCause,
    /// The same in words.
    pub words: &'static str,
    /// Output tokens each second; below zero where more is made than planned.
    pub tokens_per_s: f64,
    /// What it was worked out from.
    pub because: String,
    /// Where its bar begins, as a share of the widest, from the left.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
}

/// The steps, and where the bars of the plan and of what is made end; none without a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Waterfall {
    /// Planned output tokens each second.
    pub planned: f64,
    /// Made now; absent where nothing counts them.
    pub now: Option<f64>,
    /// The share of the widest bar that the plan takes.
    pub planned_share: f64,
    /// The share that is made.
    pub now_share: f64,
    /// What lies between, as the house has them.
    pub steps: Vec<Step>,
}

/// The waterfall of a fleet.
pub fn waterfall(kpis: &FleetKpis) -> Option<Waterfall> {
    let planned = kpis.tokens_per_s.planned.filter(|planned| planned.is_finite() && *planned > 0.0)?;
    let mut left = planned;
    let mut ends = Vec::new();
    for loss in &kpis.losses {
        let before = left;
        left -= if loss.tokens_per_s.is_finite() { loss.tokens_per_s } else { 0.0 };
        ends.push((before, left));
    }
    let now = kpis.tokens_per_s.now;
    let widest = ends.iter().map(|(_, after)| *after).fold(planned.max(now.unwrap_or_default()), f64::max);
    let share = |tokens: f64| (tokens / widest).clamp(0.0, 1.0);
    let steps = kpis.losses.iter().zip(&ends).map(|(loss, (before, after))| Step {
        cause: loss.cause,
        words: words::cause(loss.cause),
        tokens_per_s: loss.tokens_per_s,
        because: loss.because.clone(),
        from: share(before.min(*after)),
        to: share(before.max(*after)),
    });
    Some(Waterfall {
        planned,
        now,
        planned_share: share(planned),
        now_share: now.map_or(0.0, share),
        steps: steps.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::fleet::{Kpi, Loss};
    use proptest::prelude::*;

    fn kpis(planned: f64, losses: &[f64]) -> FleetKpis {
        let causes = [
            LossCause::Failures,
            LossCause::Power,
            LossCause::Cooling,
            LossCause::Utilisation,
            LossCause::ServingEfficiency,
        ];
        let losses: Vec<Loss> = losses
            .iter()
            .zip(causes)
            .map(|(tokens, cause)| Loss { cause, tokens_per_s: *tokens, because: "counted".into() })
            .collect();
        let now = planned - losses.iter().map(|loss| loss.tokens_per_s).sum::<f64>();
        let tokens_per_s = Kpi { now: Some(now), planned: Some(planned), ..Kpi::default() };
        FleetKpis { tokens_per_s, losses, ..FleetKpis::default() }
    }

    proptest! {
        #[test]
        fn law_each_step_begins_where_the_one_before_ended(shares in proptest::collection::vec(-0.1..0.19_f64, 5)) {
            let losses: Vec<f64> = shares.iter().map(|share| share * 1000.0).collect();
            let found = waterfall(&kpis(1000.0, &losses)).unwrap();
            let mut at = found.planned_share;
            for step in &found.steps {
                let (begins, ends) = if step.tokens_per_s >= 0.0 { (step.to, step.from) } else { (step.from, step.to) };
                prop_assert!((begins - at).abs() < 1e-9 && (0.0..=1.0).contains(&step.from) && step.to <= 1.0);
                at = ends;
            }
            prop_assert!((at - found.now_share).abs() < 1e-9);
        }
    }

    #[test]
    fn without_a_plan_there_is_no_difference() {
        assert_eq!(waterfall(&FleetKpis::default()), None);
    }
}
