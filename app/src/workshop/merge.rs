//! Two people's changes to one design, brought together field by field: what only one of them changed is theirs to say, and
//! only what both changed in different ways is asked about.

use crate::labels::{label_of, words};
use model::design::Design;
use serde_json::{Map, Value};

/// Whose word stands where both changed the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefer {
    /// One's own.
    Mine,
    /// The other's.
    Theirs,
}

/// A field that both changed in different ways, as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disputed {
    /// Where: `power › ups › units`.
    pub place: String,
    /// As it was.
    pub base: String,
    /// As the other has it.
    pub theirs: String,
    /// As one has it oneself.
    pub mine: String,
}

/// The design with both changes, and what is disputed in it.
pub fn together(
    base: &Design,
    theirs: &Design,
    mine: &Design,
    prefer: Prefer,
) -> Result<(Design, Vec<Disputed>), String> {
    let json = |design: &Design| serde_json::to_value(design).unwrap_or_default();
    let mut merging = Merging { prefer, disputed: Vec::new() };
    let merged = merging.values(Some(&json(base)), Some(&json(theirs)), Some(&json(mine)), "").unwrap_or_default();
    let design = serde_json::from_value(merged).map_err(|error| error.to_string())?;
    Ok((design, merging.disputed))
}

struct Merging {
    prefer: Prefer,
    disputed: Vec<Disputed>,
}

impl Merging {
    /// What a place comes to; none where it is gone.
    fn values(
        &mut self,
        base: Option<&Value>,
        theirs: Option<&Value>,
        mine: Option<&Value>,
        place: &str,
    ) -> Option<Value> {
        if theirs == mine || mine == base {
            return theirs.cloned();
        }
        if theirs == base {
            return mine.cloned();
        }
        match (base, theirs, mine) {
            (_, Some(Value::Object(a)), Some(Value::Object(b))) => {
                let none = Map::new();
                let base = base.and_then(Value::as_object).unwrap_or(&none);
                let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
                let members = keys.filter_map(|key| {
                    let value = self.values(base.get(key), a.get(key), b.get(key), &below(place, key));
                    value.map(|value| (key.clone(), value))
                });
                Some(Value::Object(members.collect()))
            }
            (_, Some(Value::Array(a)), Some(Value::Array(b)))
                if [Some(a), Some(b), base.and_then(Value::as_array)]
                    .into_iter()
                    .flatten()
                    .all(|list| told_apart(list)) =>
            {
                let none = Vec::new();
                let base = base.and_then(Value::as_array).unwrap_or(&none);
                Some(Value::Array(self.lists(base, a, b, place)))
            }
            _ => {
                let (label, unit) = label_of(place);
                let said = |value: Option<&Value>| {
                    value.map_or_else(String::new, |value| match titles(value) {
                        Some(titles) => titles,
                        None => words(value, unit),
                    })
                };
                self.disputed.push(Disputed { place: label, base: said(base), theirs: said(theirs), mine: said(mine) });
                match self.prefer {
                    Prefer::Mine => mine.cloned(),
                    Prefer::Theirs => theirs.cloned(),
                }
            }
        }
    }

    /// Lists of named things: in their order, one's own additions behind.
    fn lists(&mut self, base: &[Value], theirs: &[Value], mine: &[Value], place: &str) -> Vec<Value> {
        let names = |list: &[Value]| -> Vec<String> { list.iter().filter_map(key).map(str::to_owned).collect() };
        let (base_names, their_names, my_names) = (names(base), names(theirs), names(mine));
        let find = |names: &[String], list: &'_ [Value], key: &str| -> Option<Value> {
            names.iter().position(|other| other == key).map(|at| list[at].clone())
        };
        let keys = their_names.iter().chain(my_names.iter().filter(|key| !their_names.contains(key)));
        keys.filter_map(|key| {
            let (was, their, my) =
                (find(&base_names, base, key), find(&their_names, theirs, key), find(&my_names, mine, key));
            self.values(was.as_ref(), their.as_ref(), my.as_ref(), &below(place, key))
        })
        .collect()
    }
}

fn below(place: &str, key: &str) -> String {
    if place.is_empty() { key.to_owned() } else { format!("{place} › {key}") }
}

/// What a thing of a list goes by: its id, else its name, else its part.
fn key(item: &Value) -> Option<&str> {
    ["id", "name", "part"].into_iter().find_map(|key| item.get(key)).and_then(Value::as_str)
}

/// Whether a list's things can be told apart, whatever is added or removed: each goes by something of its own. Lists with
/// twins are disputed whole, as no one could say which of them was changed.
fn told_apart(list: &[Value]) -> bool {
    list.iter()
        .enumerate()
        .all(|(at, item)| key(item).is_some_and(|own| !list.iter().take(at).any(|other| key(other) == Some(own))))
}

/// A list of things by what they are called, with how many of each.
fn titles(value: &Value) -> Option<String> {
    let title = |item: &Value| {
        let count = item.get("count").and_then(Value::as_u64).filter(|count| *count > 1);
        key(item).map(|own| count.map_or_else(|| own.to_owned(), |count| format!("{count} × {own}")))
    };
    value.as_array()?.iter().map(title).collect::<Option<Vec<_>>>().map(|titles| titles.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn design(contract: f64, house: f64, units: u32, more: &str) -> Design {
        serde_json::from_str(&format!(
            r#"{{"name":"D","location":"x","contract_power_w":{contract},"house_power_w":{house},
                "power":[{{"name":"ups","part":"u","units":{units}}},{{"name":"pdu","part":"p","units":1}}{more}]}}"#
        ))
        .unwrap()
    }

    #[test]
    fn what_one_alone_changed_is_kept_whoever_is_preferred() {
        let base = design(5e6, 6e4, 1, "");
        let theirs = design(5.2e6, 4.4e4, 1, "");
        let mine = design(6.5e6, 6e4, 3, r#",{"name":"new","part":"p","units":2}"#);
        let (merged, disputed) = together(&base, &theirs, &mine, Prefer::Mine).unwrap();
        assert_eq!(merged, design(6.5e6, 4.4e4, 3, r#",{"name":"new","part":"p","units":2}"#));
        assert_eq!(disputed.len(), 1);
        assert_eq!(disputed[0].place, "contract power");
        assert_eq!((disputed[0].theirs.as_str(), disputed[0].mine.as_str()), ("5200 kW", "6500 kW"));
        let (merged, _) = together(&base, &theirs, &mine, Prefer::Theirs).unwrap();
        assert_eq!(merged, design(5.2e6, 4.4e4, 3, r#",{"name":"new","part":"p","units":2}"#));
    }

    #[test]
    fn lists_with_twins_are_disputed_whole_and_nothing_is_doubled() {
        let rack = |count: u32| format!(r#"{{"part":"x","count":{count}}}"#);
        let design = |racks: &str| -> Design {
            serde_json::from_str(&format!(
                r#"{{"name":"D","location":"x","contract_power_w":1e6,"hall":[{{"name":"A","positions":9,"fed_by":"b","air":"y",
                    "row":[{{"name":"1","rack":[{racks}]}}]}}]}}"#
            ))
            .unwrap()
        };
        let base = design(&rack(8));
        let theirs = design(&rack(10));
        let mine = design(&format!("{},{}", rack(8), rack(8)));
        let (merged, disputed) = together(&base, &theirs, &mine, Prefer::Theirs).unwrap();
        assert_eq!(merged, theirs);
        assert_eq!((disputed.len(), disputed[0].mine.as_str()), (1, "8 × x, 8 × x"));
        assert_eq!(together(&base, &theirs, &mine, Prefer::Mine).unwrap().0, mine);
    }

    #[test]
    fn what_one_removed_and_nobody_touched_is_gone_and_what_the_other_changed_is_disputed() {
        let base = design(5e6, 6e4, 1, "");
        let mut theirs = base.clone();
        theirs.power.remove(0);
        let (merged, disputed) = together(&base, &theirs, &base, Prefer::Mine).unwrap();
        assert_eq!((merged, disputed.len()), (theirs.clone(), 0));
        let mine = design(5e6, 6e4, 2, "");
        let (merged, disputed) = together(&base, &theirs, &mine, Prefer::Mine).unwrap();
        assert_eq!((merged.power.len(), disputed.len()), (2, 1));
        assert_eq!(together(&base, &theirs, &mine, Prefer::Theirs).unwrap().0, theirs);
    }
}
