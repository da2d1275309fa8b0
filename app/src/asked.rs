//! Parameters of an address, read one by one. One that can't be understood is not passed over in silence: what was given,
//! what is allowed and what is taken in its place is told beside the answer.

use crate::format;
use model::design::Precision;
use serde::{Deserialize, Serialize};
use sim::serving::ask;
use std::fmt;
use std::ops::RangeInclusive;

/// Longest part of a parameter that is said again, characters.
const GIVEN_MAX: usize = 60;

/// A parameter that can't be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Misread {
    /// Its key in the address.
    pub key: String,
    /// What it is called on the page.
    pub name: String,
    /// What was given.
    pub given: String,
    /// What is allowed, to follow "must be"; or why it is not this.
    pub allowed: String,
    /// What is taken in its place.
    pub used: String,
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, name, given, allowed, used } = self;
        if given.is_empty() {
            return write!(f, "{name} is empty. {used} is used.");
        }
        let short: String = given.chars().take(GIVEN_MAX).collect();
        let more = if short.len() < given.len() { "…" } else { "" };
        write!(f, "“{key}={short}{more}”: {name} must be {allowed}. {used} is used instead.")
    }
}

/// Reads parameters and notes what can't be understood.
pub struct Reading<G> {
    get: G,
    misread: Vec<Misread>,
}

impl<G: Fn(&str) -> Option<String>> Reading<G> {
    /// Reads by keys.
    pub fn new(get: G) -> Self {
        Self { get, misread: Vec::new() }
    }

    /// What could not be understood, in the order in which it was read.
    pub fn misread(self) -> Vec<Misread> {
        self.misread
    }

    /// A number within a range.
    pub fn number(&mut self, (key, name): (&str, &str), range: RangeInclusive<f64>, unasked: f64) -> f64 {
        let allowed = format!("a number from {}", ends(&range));
        let parse = |text: &str| text.parse::<f64>().ok().filter(|number| range.contains(number));
        self.parsed((key, name), &allowed, parse, unasked, |value| format::exact(*value))
    }

    /// A number within a range, or none where nothing is given.
    pub fn optional(&mut self, (key, name): (&str, &str), range: RangeInclusive<f64>) -> Option<f64> {
        let given = (self.get)(key).is_some_and(|text| !text.trim().is_empty());
        let allowed = format!("a number from {}, or nothing", ends(&range));
        let parse = |text: &str| text.parse::<f64>().ok().filter(|number| range.contains(number)).map(Some);
        if given { self.parsed((key, name), &allowed, parse, None, |_| "No limit".to_owned()) } else { None }
    }

    /// A whole number from 1 to `most`.
    pub fn count(&mut self, (key, name): (&str, &str), most: u32, unasked: u32) -> u32 {
        let allowed = format!("a whole number from {}", ends(&(1.0..=f64::from(most))));
        let parse = |text: &str| text.parse::<u32>().ok().filter(|number| (1..=most).contains(number));
        self.parsed((key, name), &allowed, parse, unasked, |value| format::exact(f64::from(*value)))
    }

    /// One of several, by its name.
    pub fn one_of<T: Copy + PartialEq>(
        &mut self,
        (key, name): (&str, &str),
        all: &[(&str, T)],
        parse: impl Fn(&str) -> Option<T>,
        unasked: T,
    ) -> T {
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        let allowed = format!("one of {}", names.join(", "));
        let called = |value: &T| all.iter().find(|(_, own)| own == value).map_or("", |(name, _)| name).to_owned();
        self.parsed((key, name), &allowed, parse, unasked, called)
    }

    /// Words that are understood elsewhere; those that are empty are as unasked.
    pub fn words(&self, key: &str, unasked: &str) -> String {
        (self.get)(key).filter(|text| !text.trim().is_empty()).unwrap_or_else(|| unasked.to_owned())
    }

    fn parsed<T>(
        &mut self,
        (key, name): (&str, &str),
        allowed: &str,
        parse: impl Fn(&str) -> Option<T>,
        unasked: T,
        called: impl Fn(&T) -> String,
    ) -> T {
        let Some(given) = (self.get)(key) else { return unasked };
        if let Some(read) = parse(given.trim()) {
            return read;
        }
        self.misread.push(Misread {
            key: key.to_owned(),
            name: name.to_owned(),
            given,
            allowed: allowed.to_owned(),
            used: called(&unasked),
        });
        unasked
    }
}

/// A number format by any name that engines have for it.
pub(crate) fn precision<G: Fn(&str) -> Option<String>>(read: &mut Reading<G>, unasked: Precision) -> Precision {
    let all = Precision::ALL.map(|precision| (precision.name(), precision));
    read.one_of(("precision", "Number format"), &all, |text| ask::precision(text).ok(), unasked)
}

fn ends(range: &RangeInclusive<f64>) -> String {
    format!("{} to {}", format::exact(*range.start()), format::exact(*range.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a parameter by its key.
    type Get = Box<dyn Fn(&str) -> Option<String>>;

    fn said(key: &str, given: &str, read: impl Fn(&mut Reading<Get>)) -> Vec<String> {
        let (key, given) = (key.to_owned(), given.to_owned());
        let get: Get = Box::new(move |asked| (asked == key).then(|| given.clone()));
        let mut reading = Reading::new(get);
        read(&mut reading);
        reading.misread().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_not_understood_is_said_with_what_is_used() {
        let count = |reading: &mut Reading<_>| {
            reading.count(("count", "GPUs in all"), 100_000, 64);
        };
        let words = "GPUs in all must be a whole number from 1 to 100\u{202f}000. 64 is used instead.";
        for wrong in ["many", "0", "1.5", "100001", "-3", "NaN"] {
            assert_eq!(said("count", wrong, count), [format!("“count={wrong}”: {words}")]);
        }
        assert_eq!(said("count", "", count), ["GPUs in all is empty. 64 is used."]);
        assert!(said("count", " 8 ", count).is_empty() && said("other", "many", count).is_empty());
        let pue = |reading: &mut Reading<_>| {
            reading.number(("pue", "PUE"), 1.0..=5.0, 1.2);
        };
        assert_eq!(said("pue", "0.9", pue), ["“pue=0.9”: PUE must be a number from 1 to 5. 1.2 is used instead."]);
        assert_eq!(said("pue", "inf", pue).len(), 1);
        let long = said("pue", &"9".repeat(500), pue).remove(0);
        assert!(long.len() < 200 && long.contains("9…”"), "{long}");
    }
}
