//! Where a value stands between little and much, and so which of the nine colours it has.

use model::metric::{Metric, Unit};

/// Colours of the scale; `style/tokens.css` names each, `--scale-0` to `--scale-8`.
pub const STEPS: usize = 9;

/// From which value to which the colours go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// What has the first colour.
    pub low: f64,
    /// What has the last one.
    pub high: f64,
}

impl Scale {
    /// The scale of a metric's values: shares from nothing to all, temperatures about what was read, the rest from zero; to
    /// round ends, so that it stays while values move. None where nothing was read.
    pub fn of(metric: Metric, values: &[Option<f64>]) -> Option<Self> {
        let read = values.iter().flatten().copied().filter(|value| value.is_finite());
        let (low, high) = read.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return None;
        }
        Some(match metric.unit() {
            Unit::Ratio => Self { low: 0.0, high: 1.0 },
            Unit::Celsius => {
                let low = (low / 10.0).floor() * 10.0;
                Self { low, high: ((high / 10.0).ceil() * 10.0).max(low + 10.0) }
            }
            Unit::Watt
            | Unit::Joule
            | Unit::Hertz
            | Unit::Byte
            | Unit::BytePerSecond
            | Unit::Second
            | Unit::Token
            | Unit::Count
            | Unit::Code
            | Unit::Volt
            | Unit::Ampere
            | Unit::VoltAmpere
            | Unit::CubicMetrePerSecond
            | Unit::Pascal
            | Unit::Other => Self { low: low.min(0.0), high: round_up(high) },
        })
    }
    /// Which colour a value has.
    pub fn step(&self, value: f64) -> usize {
        let share = (value - self.low) / (self.high - self.low).max(f64::MIN_POSITIVE);
        ((share.clamp(0.0, 1.0) * STEPS as f64) as usize).min(STEPS - 1)
    }
    /// Values for the legend: the ends and the middle.
    pub fn marks(&self) -> [f64; 3] {
        [self.low, f64::midpoint(self.low, self.high), self.high]
    }
}

/// The next number of one and a half figures: 690 becomes 700, 1010 becomes 1200.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 1.0;
    }
    let decade = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0];
    steps.iter().map(|step| step * decade).find(|step| *step >= value * (1.0 - 1e-12)).unwrap_or(decade * 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn law_more_is_never_an_earlier_colour(values in proptest::collection::vec(-1e4..1e9_f64, 1..40), metric in 0..Metric::ALL.len()) {
            let mut values = values;
            values.sort_by(f64::total_cmp);
            let read: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
            let scale = Scale::of(Metric::ALL[metric], &read).unwrap();
            prop_assert!(scale.high > scale.low);
            let steps: Vec<usize> = values.iter().map(|value| scale.step(*value)).collect();
            prop_assert!(steps.is_sorted() && steps.iter().all(|step| *step < STEPS));
        }

        #[test]
        fn law_the_ends_hold_what_was_read(values in proptest::collection::vec(0.0..2e3_f64, 1..40)) {
            let read: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
            for metric in [Metric::GpuPower, Metric::GpuTemperature] {
                let scale = Scale::of(metric, &read).unwrap();
                prop_assert!(values.iter().all(|value| (scale.low..=scale.high * (1.0 + 1e-9)).contains(value)), "{:?}", scale);
            }
        }
    }

    #[test]
    fn ends_are_round() {
        assert_eq!(
            Scale::of(Metric::GpuPower, &[Some(412.0), None, Some(688.0)]),
            Some(Scale { low: 0.0, high: 700.0 })
        );
        assert_eq!(Scale::of(Metric::GpuTemperature, &[Some(41.2), Some(77.0)]), Some(Scale { low: 40.0, high: 80.0 }));
        assert_eq!(Scale::of(Metric::GpuUtilization, &[Some(0.2)]), Some(Scale { low: 0.0, high: 1.0 }));
        assert_eq!(Scale::of(Metric::GpuPower, &[None, Some(f64::NAN)]), None);
        assert_eq!(Scale::of(Metric::GpuPower, &[Some(0.0)]), Some(Scale { low: 0.0, high: 1.0 }));
    }
}
