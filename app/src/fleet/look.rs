//! What the address of the fleet's page says: the metric, how GPUs are grouped, which of them, from where they are looked
//! at, and the time of the charts. A saved view is such a query under a name.

use super::eye::Eye;
use super::groups::Group;
use super::time::When;
use super::words;
use crate::paths;
use model::fleet::Health;
use model::metric::{Kind, Metric, Subject, Unit};
use std::fmt;

/// A way to look at the fleet.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// What GPUs are coloured by.
    pub metric: Metric,
    /// What they stand together by.
    pub group: Group,
    /// Words that a node's names must have, or one whole name as in `rack:A1`; empty for every node.
    pub only: String,
    /// States of health that stand out; empty for all.
    pub health: Vec<Health>,
    /// From where the map is looked at.
    pub eye: Eye,
    /// The time of the charts.
    pub when: When,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            metric: Metric::GpuPower,
            group: Group::default(),
            only: String::new(),
            health: Vec::new(),
            eye: Eye::default(),
            when: When::default(),
        }
    }
}

impl Look {
    /// Reads an address; what can't be read is as it would be without.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| get(name).unwrap_or_default();
        let metric = Metric::named(&text("metric")).filter(|metric| metric.subject() == Subject::Gpu);
        let chosen = text("health");
        let health = words::HEALTHS
            .into_iter()
            .filter(|health| chosen.split(',').any(|name| name == words::health_name(*health)));
        Self {
            metric: metric.unwrap_or(Metric::GpuPower),
            group: Group::ALL.into_iter().find(|group| group.name() == text("group")).unwrap_or_default(),
            only: text("only").trim().to_owned(),
            health: health.collect(),
            eye: text("eye").parse().unwrap_or_default(),
            when: When::read(&get),
        }
    }
    /// Its address.
    pub fn path(&self) -> String {
        paths::fleet(&self.to_string())
    }
    /// The same with a state of health standing out, or no more.
    #[must_use]
    pub fn toggled(&self, health: Health) -> Self {
        let chosen = |each: &Health| self.health.contains(each) != (*each == health);
        Self { health: words::HEALTHS.into_iter().filter(chosen).collect(), ..self.clone() }
    }
    /// The same for one group alone, split into its parts.
    #[must_use]
    pub fn within(&self, only: &str) -> Self {
        Self { group: self.group.inner(), only: only.to_owned(), eye: Eye::default(), ..self.clone() }
    }
    /// Whether a GPU that is so stands out, or none is meant to.
    pub fn shows(&self, health: Health) -> bool {
        self.health.is_empty() || self.health.contains(&health)
    }
}

impl fmt::Display for Look {
    /// As a query; empty where all is as it would be without.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if self.metric != Metric::GpuPower {
            parts.push(format!("metric={}", self.metric));
        }
        if self.group != Group::default() {
            parts.push(format!("group={}", self.group.name()));
        }
        if !self.only.is_empty() {
            parts.push(format!("only={}", paths::escaped(&self.only)));
        }
        if !self.health.is_empty() {
            let names: Vec<&str> = self.health.iter().map(|health| words::health_name(*health)).collect();
            parts.push(format!("health={}", names.join(",")));
        }
        if self.eye != Eye::default() {
            parts.push(format!("eye={}", self.eye));
        }
        let when = self.when.to_string();
        if !when.is_empty() {
            parts.push(when);
        }
        f.write_str(&parts.join("&"))
    }
}

/// What GPUs may be coloured by: what goes up and down and has a mean.
pub fn metrics() -> impl Iterator<Item = Metric> {
    let is_shown = |metric: &Metric| {
        metric.subject() == Subject::Gpu && metric.kind() == Kind::Gauge && metric.unit() != Unit::Code
    };
    Metric::ALL.iter().copied().filter(is_shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unescaped(text: &str) -> String {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            if byte == b'%' {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            } else {
                bytes.push(byte);
            }
        }
        String::from_utf8(bytes).unwrap()
    }

    fn read(query: &str) -> Look {
        Look::read(|name| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| unescaped(value))
        })
    }

    proptest! {
        #[test]
        fn law_an_address_leads_back_to_the_look_that_it_was_made_of(
            metric in 0..metrics().count(), group in 0..Group::ALL.len(), only in "[^\\s]{0,3}[\\PC]{0,6}[^\\s]{0,3}",
            chosen in proptest::collection::vec(any::<bool>(), 7), zoom in 100_u32..4_000, x in 0_u32..=1_000, y in 0_u32..=1_000,
        ) {
            let health = words::HEALTHS.into_iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(health, _)| health);
            let look = Look {
                metric: metrics().nth(metric).unwrap(),
                group: Group::ALL[group],
                only: only.trim().to_owned(),
                health: health.collect(),
                eye: format!("{zoom},{x},{y}").parse().unwrap(),
                when: When::default(),
            };
            prop_assert_eq!(read(&look.to_string()), look);
        }
    }

    #[test]
    fn what_can_not_be_read_is_as_without() {
        assert_eq!(read("metric=up&group=moon&health=well&eye=far"), Look::default());
        assert_eq!(Look::default().to_string(), "");
    }

    #[test]
    fn health_is_chosen_and_let_go() {
        let look = Look::default().toggled(Health::Failed).toggled(Health::Stale);
        assert_eq!(look.path(), paths::fleet("health=failed,stale"));
        assert!(look.shows(Health::Failed) && !look.shows(Health::Busy));
        assert_eq!(look.toggled(Health::Failed).toggled(Health::Stale), Look::default());
        assert!(Look::default().shows(Health::Busy));
    }

    #[test]
    fn what_has_no_mean_colours_nothing() {
        assert!(!metrics().any(|metric| metric == Metric::GpuLastXid || metric == Metric::GpuEnergy));
        assert_eq!(metrics().next(), Some(Metric::GpuPower));
    }
}
