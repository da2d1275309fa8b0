//! A design's own parts: taken in from files, or made of a catalog part so that its price and figures can be changed.

use super::edit::{Edited, edited};
use super::place::{OwnList, Place, cooling, power, rack, tray};
use model::catalog::Catalog;
use model::design::Design;
use model::id::PartId;
use model::part::{CoolingPart, PowerPart, Rack, Tray};

/// Adds parts to a design's own; those of the same name are replaced.
pub fn take(design: &Design, file: &str, parts: Catalog) -> Result<Edited, String> {
    let count = parts.rows().count();
    if count == 0 {
        return Err(format!("{file} has no parts."));
    }
    let mut after = design.clone();
    // What came stands first in its list.
    let first = OwnList::ALL.into_iter().find(|list| !list.rows(&parts).is_empty());
    let before = after.parts.rows().count();
    after.parts = std::mem::take(&mut after.parts).with(parts);
    // Those of the same name went, with whatever was set in them: undo brings them back.
    let replaced = before + count - after.parts.rows().count();
    let select = first.map_or(Place::Site, |list| Place::Own(list, 0));
    Ok(edited(after, words(count, replaced, file), select))
}

fn words(count: usize, replaced: usize, file: &str) -> String {
    let parts = if count == 1 { "1 part".to_owned() } else { format!("{count} parts") };
    match replaced {
        0 => format!("Take {parts} from {file}"),
        _ => {
            format!("Take {parts} from {file}, {replaced} in place of those of the same name and what was set in them")
        }
    }
}

/// Gives what a place names a part of its own, like the one it has, and selects it.
pub fn make(design: &Design, catalog: &Catalog, place: Place) -> Result<Edited, String> {
    let mut after = design.clone();
    let gone = || "It is not there any more.".to_owned();
    let unknown = |part: &PartId| format!("The catalog has no {part}.");
    let words = |part: &PartId| format!("Make {part} my own");
    let (part, select) = match place {
        Place::Rack(h, r, k) => {
            let part = rack(design, h, r, k).ok_or_else(gone)?.part.clone();
            let row = catalog.rack(&part).ok_or_else(|| unknown(&part))?;
            let (id, source) = renamed(&part, &row.source, |id| catalog.rack(id).is_some())?;
            after.halls[h].rows[r].racks[k].part = id.clone();
            after.parts.racks.insert(0, Rack { id, source, ..row.clone() });
            (part, Place::Own(OwnList::Rack, 0))
        }
        Place::Tray(h, r, k, t) => {
            let part = tray(design, h, r, k, t).ok_or_else(gone)?.part.clone();
            let row = catalog.tray(&part).ok_or_else(|| unknown(&part))?;
            let (id, source) = renamed(&part, &row.source, |id| catalog.tray(id).is_some())?;
            after.halls[h].rows[r].racks[k].trays[t].part = id.clone();
            after.parts.trays.insert(0, Tray { id, source, ..row.clone() });
            (part, Place::Own(OwnList::Tray, 0))
        }
        Place::Power(at) => {
            let part = power(design, at).ok_or_else(gone)?.part.clone();
            let row = catalog.power(&part).ok_or_else(|| unknown(&part))?;
            let (id, source) = renamed(&part, &row.source, |id| catalog.power(id).is_some())?;
            after.power[at].part = id.clone();
            after.parts.power.insert(0, PowerPart { id, source, ..row.clone() });
            (part, Place::Own(OwnList::Power, 0))
        }
        Place::Loop(at) => {
            let part = cooling(design, at).ok_or_else(gone)?.terminal.part.clone();
            let row = catalog.cooling(&part).ok_or_else(|| unknown(&part))?;
            let (id, source) = renamed(&part, &row.source, |id| catalog.cooling(id).is_some())?;
            after.cooling[at].terminal.part = id.clone();
            after.parts.cooling.insert(0, CoolingPart { id, source, ..row.clone() });
            (part, Place::Own(OwnList::Cooling, 0))
        }
        Place::Site | Place::Service | Place::Finance | Place::Hall(_) | Place::Row(..) | Place::Own(..) => {
            return Err(format!("A {} names no part.", place.kind()));
        }
    };
    Ok(edited(after, words(&part), select))
}

/// A free name like the part's, and a source that says what it began as.
fn renamed(part: &PartId, source: &str, taken: impl Fn(&PartId) -> bool) -> Result<(PartId, String), String> {
    let stem = part.as_str().split("-own").next().unwrap_or_default();
    let source = format!("own figures; began as {part}: {source}");
    (1..10_000)
        .map(|n| if n == 1 { format!("{stem}-own") } else { format!("{stem}-own-{n}") })
        .filter_map(|name| name.parse::<PartId>().ok())
        .find(|id| !taken(id))
        .map(|id| (id, source))
        .ok_or_else(|| format!("There is no free name like {part}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn design() -> Design {
        serde_json::from_str(
            r#"{"name":"D","location":"x","contract_power_w":1e6,"power":[{"name":"a","part":"ups","units":1}],
                "parts":{"power":[{"id":"ups","name":"UPS","maker":"m","kind":"ups","rated_power_w":5,
                    "loss":{"a":0,"b":0,"c":0},"price_usd":1,"source":"data sheet","as_of":"2026"}]}}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_part_made_ones_own_is_named_where_it_stands() {
        let design = design();
        let first = make(&design, &design.parts, Place::Power(0)).unwrap();
        assert_eq!(first.design.power[0].part.as_str(), "ups-own");
        assert_eq!(first.select, Place::Own(OwnList::Power, 0));
        assert_eq!(first.design.parts.power[0].source, "own figures; began as ups: data sheet");
        let second = make(&first.design, &first.design.parts, Place::Power(0)).unwrap();
        assert_eq!(second.design.power[0].part.as_str(), "ups-own-2");
        assert!(make(&design, &design.parts, Place::Site).is_err());
    }

    #[test]
    fn parts_of_a_file_replace_those_of_their_name() {
        let mut parts = design().parts;
        parts.power[0].name = "Better".into();
        let after = take(&design(), "ups.yaml", parts).unwrap().design;
        assert_eq!(after.parts.power.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["Better"]);
        assert!(take(&design(), "empty.yaml", Catalog::default()).unwrap_err().contains("no parts"));
    }
}
