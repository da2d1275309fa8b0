//! Two designs beside each other: which fields differ, and which figures.

use crate::format;
use crate::labels::{label_of, words};
use model::design::Design;
use model::report::Evaluation;
use serde_json::Value;

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where, as a person reads it: `hall building › row unit › rack gb300-nvl72 › count`.
    pub place: String,
    /// What stood there; empty for nothing.
    pub before: String,
    /// What stands there now; empty for nothing.
    pub after: String,
}

/// Every field that differs, in the design's order. Things in lists are told apart by name, else by part, else by place.
pub fn changes(before: &Design, after: &Design) -> Vec<Change> {
    let value = |design: &Design| serde_json::to_value(design).unwrap_or_default();
    let mut found = Vec::new();
    compare(&value(before), &value(after), "", &mut found);
    found
}

fn compare(before: &Value, after: &Value, place: &str, found: &mut Vec<Change>) {
    let below = |key: &str| if place.is_empty() { key.to_owned() } else { format!("{place} › {key}") };
    match (before, after) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            for key in keys {
                compare(a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null), &below(key), found);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            let names =
                |list: &[Value]| -> Vec<String> { list.iter().enumerate().map(|(at, v)| name(v, at, list)).collect() };
            let (a_names, b_names) = (names(a), names(b));
            for (item, key) in a.iter().zip(&a_names) {
                let other = b_names.iter().position(|other| other == key).map_or(&Value::Null, |at| &b[at]);
                compare(item, other, &below(key), found);
            }
            for (item, key) in b.iter().zip(&b_names).filter(|(_, key)| !a_names.contains(key)) {
                compare(&Value::Null, item, &below(key), found);
            }
        }
        (a, b) if a == b => {}
        // What comes or goes whole is told by its name, not by every figure of it.
        (Value::Null, Value::Object(_)) | (Value::Object(_), Value::Null)
            if title(before).or_else(|| title(after)).is_some() =>
        {
            let told = |value: &Value| title(value).unwrap_or_default();
            found.push(Change { place: place.to_owned(), before: told(before), after: told(after) });
        }
        (Value::Null, Value::Object(group)) => {
            group.iter().for_each(|(key, value)| compare(&Value::Null, value, &below(key), found));
        }
        (Value::Object(group), Value::Null) => {
            group.iter().for_each(|(key, value)| compare(value, &Value::Null, &below(key), found));
        }
        (Value::Null, Value::Array(list)) if list.iter().all(Value::is_object) && !list.is_empty() => {
            compare(&Value::Array(Vec::new()), &Value::Array(list.clone()), place, found);
        }
        (Value::Array(list), Value::Null) if list.iter().all(Value::is_object) && !list.is_empty() => {
            compare(&Value::Array(list.clone()), &Value::Array(Vec::new()), place, found);
        }
        (a, b) => {
            let (label, unit) = label_of(place);
            found.push(Change { place: label, before: words(a, unit), after: words(b, unit) });
        }
    }
}

/// What a thing is called, if it is a thing and no group of figures.
fn title(value: &Value) -> Option<String> {
    value.get("name").or_else(|| value.get("part")).and_then(Value::as_str).map(str::to_owned)
}

/// What a thing in a list goes by.
fn name(item: &Value, at: usize, list: &[Value]) -> String {
    match title(item) {
        Some(name) if list.iter().filter(|other| title(other).as_deref() == Some(&name)).count() == 1 => name,
        Some(name) => format!("{name} ({})", at + 1),
        None => format!("{}", at + 1),
    }
}

/// A figure of two designs.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// What it is.
    pub name: &'static str,
    /// Of the first.
    pub before: f64,
    /// Of the second.
    pub after: f64,
    /// How it is said.
    pub words: fn(f64) -> format::Figure,
}

impl Figure {
    /// Change as a share of the first; none where either is missing.
    pub fn share(&self) -> Option<f64> {
        (self.before > 0.0 && self.after > 0.0).then(|| self.after / self.before - 1.0)
    }
}

/// The figures that a planner compares, with everything busy.
pub fn figures(before: &Evaluation, after: &Evaluation) -> [Figure; 9] {
    let figure = |name, of: fn(&Evaluation) -> f64, words: fn(f64) -> format::Figure| Figure {
        name,
        before: of(before),
        after: of(after),
        words,
    };
    let whole: fn(f64) -> format::Figure = |value| format::count(value.round() as u32);
    [
        figure("Tokens per facility MW", |e| e.tokens_per_second_per_mw_facility.value, format::tokens_per_megawatt),
        figure("Output", |e| e.output_tokens_per_s, format::token_rate),
        figure("Draw, hottest hour", |e| e.peak_power_mw, format::megawatts),
        figure("PUE", |e| e.pue, format::quotient),
        figure("Racks", |e| f64::from(e.racks), whole),
        figure("GPUs", |e| f64::from(e.gpus), whole),
        figure("To build", |e| e.capex_usd, format::money),
        figure("Weight of racks", |e| e.rack_mass_t, |tonnes| format::mass_in(format::Units::Si, tonnes)),
        figure("Contract", |e| e.contract_power_mw, format::megawatts),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_told_by_name() {
        let text = |supply: u32, extra: &str| -> Design {
            serde_json::from_str(&format!(
                r#"{{"name":"D","location":"phoenix-az","contract_power_w":1e6,
                    "cooling":[{{"name":"warm","supply_temperature_c":{supply},"terminal":{{"part":"c","units":2}}}}{extra}]}}"#
            ))
            .unwrap()
        };
        let second = r#",{"name":"cold","supply_temperature_c":20,"terminal":{"part":"f","units":2}}"#;
        assert!(changes(&text(40, ""), &text(40, "")).is_empty());
        let found = changes(&text(40, ""), &text(45, second));
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0].place, "cooling › warm › supply temperature");
        assert_eq!((found[0].before.as_str(), found[0].after.as_str()), ("40 °C", "45 °C"));
        assert!(found[1].place == "cooling › cold" && found[1].before.is_empty() && found[1].after == "cold");
        let mut own = text(40, "");
        own.parts = serde_json::from_str(
            r#"{"power":[{"id":"ups","name":"UPS","maker":"m","kind":"ups","rated_power_w":5,
                "loss":{"a":0,"b":0,"c":0},"price_usd":1,"source":"data sheet","as_of":"2026"}]}"#,
        )
        .unwrap();
        let found = changes(&text(40, ""), &own);
        assert_eq!(found, [Change { place: "parts › power › UPS".into(), before: String::new(), after: "UPS".into() }]);
    }
}
