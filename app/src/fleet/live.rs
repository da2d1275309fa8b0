//! The fleet as the live stream brings it up to date, and what is said when the stream is silent.

use crate::format;
use model::fleet::{FleetView, Health};
use model::live::LiveValues;

/// After how long without a word the page says so, milliseconds.
const SILENT_MS: i64 = 10_000;

/// What is drawn of each GPU now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Now {
    /// The layout that positions hold for.
    pub layout: u64,
    /// When this was so, milliseconds since 1970 UTC.
    pub as_of_ms: i64,
    /// The metric of each GPU.
    pub values: Vec<Option<f64>>,
    /// How each is.
    pub health: Vec<Health>,
}

/// What became of what the stream said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It was taken.
    All,
    /// It is of another layout, so that its positions mean other GPUs: a new view is needed.
    OtherLayout,
}

impl Now {
    /// As a view has it.
    pub fn of(view: &FleetView) -> Self {
        let FleetView { layout, as_of_ms, values, health, .. } = view;
        Self { layout: *layout, as_of_ms: *as_of_ms, values: values.clone(), health: health.clone() }
    }
    /// Takes what changed.
    pub fn take(&mut self, live: &LiveValues) -> Taken {
        if live.layout != self.layout {
            return Taken::OtherLayout;
        }
        self.as_of_ms = live.as_of_ms;
        for (position, value) in &live.changed {
            if let Some(held) = self.values.get_mut(*position as usize) {
                *held = *value;
            }
        }
        for (position, health) in &live.health {
            if let Some(held) = self.health.get_mut(*position as usize) {
                *held = *health;
            }
        }
        Taken::All
    }
    /// The value and health of a GPU.
    pub fn gpu(&self, position: u32) -> (Option<f64>, Health) {
        let value = self.values.get(position as usize).copied().flatten();
        (value, self.health.get(position as usize).copied().unwrap_or(Health::Stale))
    }
}

/// What is said when the last word came so long ago; none while it is fresh.
pub fn silence(heard_ms: i64, now_ms: i64) -> Option<String> {
    let silent = now_ms - heard_ms;
    (silent >= SILENT_MS).then(|| format!("last update {}, trying again", format::ago(silent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Now {
        Now { layout: 7, as_of_ms: 1, values: vec![Some(1.0), None], health: vec![Health::Busy, Health::Stale] }
    }

    #[test]
    fn what_changed_is_taken_and_nothing_else() {
        let live = LiveValues {
            layout: 7,
            as_of_ms: 2,
            changed: vec![(1, Some(5.0)), (0, None), (9, Some(1.0))],
            health: vec![(1, Health::Busy), (9, Health::Failed)],
        };
        let mut held = now();
        assert_eq!(held.take(&live), Taken::All);
        assert_eq!(held.values, [None, Some(5.0)]);
        assert_eq!((held.gpu(1), held.as_of_ms), ((Some(5.0), Health::Busy), 2));
        assert_eq!(held.gpu(9), (None, Health::Stale));
    }

    #[test]
    fn another_layout_is_another_fleet() {
        let live = LiveValues { layout: 8, as_of_ms: 2, changed: vec![(0, None)], health: vec![] };
        let mut held = now();
        assert_eq!(held.take(&live), Taken::OtherLayout);
        assert_eq!(held, now());
    }

    #[test]
    fn silence_is_said_after_ten_seconds() {
        assert_eq!(silence(1_000, 10_999), None);
        let said = silence(1_000, 15_400).unwrap_or_default().replace('\u{202f}', " ");
        assert_eq!(said, "last update 14 s ago, trying again");
    }
}
