//! Changes of whole things: add, remove, move, copy, paste, fill. Each gives the changed design and what to select then, or
//! says why not.

use super::place::{OwnList, Place, rack, row, tray};
use model::design::{Design, Hall, HallLayout, Mounted, RackGroup, Row};
use model::id::PartId;
use model::quantity::Area;

/// A changed design, what was done in words, and what to select.
#[derive(Debug, Clone, PartialEq)]
pub struct Edited {
    /// The design after it.
    pub design: Design,
    /// What was done.
    pub words: String,
    /// What to select.
    pub select: Place,
}

pub(super) fn edited(design: Design, words: impl Into<String>, select: Place) -> Edited {
    Edited { design, words: words.into(), select }
}

/// A name like `name` that none of `taken` has.
fn free_name(name: &str, taken: &[&str]) -> String {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end();
    // One more name than there are taken is sure to hold a free one.
    (1..=taken.len() + 1)
        .map(|n| format!("{stem} {n}"))
        .find(|candidate| !taken.contains(&candidate.as_str()))
        .unwrap_or_else(|| name.to_owned())
}

/// Takes something out.
pub fn remove(design: &Design, place: Place) -> Result<Edited, String> {
    let mut after = design.clone();
    let name = place.name(design);
    match place {
        Place::Site | Place::Service | Place::Finance => {
            return Err(format!("The {} is part of every design and can't be removed.", place.kind()));
        }
        Place::Power(at) if at < after.power.len() => {
            let gone = after.power.remove(at);
            // What hung on it hangs on what fed it.
            for group in after.power.iter_mut().filter(|group| group.fed_by.as_ref() == Some(&gone.name)) {
                group.fed_by.clone_from(&gone.fed_by);
            }
            for hall in after.halls.iter_mut().filter(|hall| hall.fed_by == gone.name) {
                hall.fed_by = gone.fed_by.clone().unwrap_or_default();
            }
            for each in after.cooling.iter_mut().filter(|each| each.fed_by.as_ref() == Some(&gone.name)) {
                each.fed_by.clone_from(&gone.fed_by);
            }
            return Ok(edited(after, format!("Remove power group {name}"), Place::Site));
        }
        Place::Loop(at) if at < after.cooling.len() => {
            after.cooling.remove(at);
        }
        Place::Hall(at) if at < after.halls.len() => {
            after.halls.remove(at);
        }
        Place::Row(h, at) if row(design, h, at).is_some() => {
            after.halls[h].rows.remove(at);
            return Ok(edited(after, format!("Remove row {name}"), Place::Hall(h)));
        }
        Place::Rack(h, r, at) if rack(design, h, r, at).is_some() => {
            after.halls[h].rows[r].racks.remove(at);
            return Ok(edited(after, format!("Remove {name}"), Place::Row(h, r)));
        }
        Place::Tray(h, r, k, at) if tray(design, h, r, k, at).is_some() => {
            after.halls[h].rows[r].racks[k].trays.remove(at);
            return Ok(edited(after, format!("Remove {name}"), Place::Rack(h, r, k)));
        }
        Place::Own(list, at) if place.is_in(design) => match list {
            OwnList::Gpu => drop(after.parts.gpus.remove(at)),
            OwnList::Tray => drop(after.parts.trays.remove(at)),
            OwnList::Rack => drop(after.parts.racks.remove(at)),
            OwnList::Power => drop(after.parts.power.remove(at)),
            OwnList::Cooling => drop(after.parts.cooling.remove(at)),
        },
        Place::Power(_)
        | Place::Loop(_)
        | Place::Hall(_)
        | Place::Row(..)
        | Place::Rack(..)
        | Place::Tray(..)
        | Place::Own(..) => return Err("It is not there any more.".into()),
    }
    Ok(edited(after, format!("Remove {} {name}", place.kind()), Place::Site))
}

/// Puts a copy beside it.
pub fn duplicate(design: &Design, place: Place) -> Result<Edited, String> {
    let mut after = design.clone();
    let select = match place {
        Place::Hall(at) if at < after.halls.len() => {
            let mut copy = after.halls[at].clone();
            let names: Vec<&str> = design.halls.iter().map(|hall| hall.name.as_str()).collect();
            copy.name = free_name(&copy.name, &names);
            after.halls.insert(at + 1, copy);
            Place::Hall(at + 1)
        }
        Place::Row(h, at) if row(design, h, at).is_some() => {
            let mut copy = after.halls[h].rows[at].clone();
            let names: Vec<&str> = design.halls[h].rows.iter().map(|row| row.name.as_str()).collect();
            copy.name = free_name(&copy.name, &names);
            after.halls[h].rows.insert(at + 1, copy);
            Place::Row(h, at + 1)
        }
        Place::Rack(h, r, at) if rack(design, h, r, at).is_some() => {
            let copy = after.halls[h].rows[r].racks[at].clone();
            after.halls[h].rows[r].racks.insert(at + 1, copy);
            Place::Rack(h, r, at + 1)
        }
        Place::Tray(h, r, k, at) if tray(design, h, r, k, at).is_some() => {
            // A copy can't stand where the first does.
            let copy = Mounted { at_unit: None, ..after.halls[h].rows[r].racks[k].trays[at].clone() };
            after.halls[h].rows[r].racks[k].trays.insert(at + 1, copy);
            Place::Tray(h, r, k, at + 1)
        }
        Place::Site
        | Place::Service
        | Place::Finance
        | Place::Power(_)
        | Place::Loop(_)
        | Place::Hall(_)
        | Place::Row(..)
        | Place::Rack(..)
        | Place::Tray(..)
        | Place::Own(..) => {
            return Err(format!("A {} can't be copied; halls, rows, racks and trays can.", place.kind()));
        }
    };
    Ok(edited(after, format!("Copy {} {}", place.kind(), place.name(design)), select))
}

/// Where a thing may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Towards the start of its list.
    Back,
    /// Towards its end.
    On,
    /// Racks: to the row before.
    RowBefore,
    /// Racks: to the row after.
    RowAfter,
}

/// Moves a row or racks.
pub fn shift(design: &Design, place: Place, direction: Direction) -> Result<Edited, String> {
    let mut after = design.clone();
    let end = || "There is nothing beyond it.".to_owned();
    match (place, direction) {
        (Place::Row(h, at), Direction::Back | Direction::On | Direction::RowBefore | Direction::RowAfter) => {
            let rows = &mut after.halls.get_mut(h).ok_or_else(end)?.rows;
            let to = neighbour(at, rows.len(), direction).ok_or_else(end)?;
            rows.swap(at, to);
            Ok(edited(after, format!("Move row {}", place.name(design)), Place::Row(h, to)))
        }
        (Place::Rack(h, r, at), Direction::Back | Direction::On) => {
            let racks = &mut after.halls.get_mut(h).and_then(|hall| hall.rows.get_mut(r)).ok_or_else(end)?.racks;
            let to = neighbour(at, racks.len(), direction).ok_or_else(end)?;
            racks.swap(at, to);
            Ok(edited(after, format!("Move {}", place.name(design)), Place::Rack(h, r, to)))
        }
        (Place::Rack(h, r, at), Direction::RowBefore | Direction::RowAfter) => {
            let rows = design.halls.get(h).map_or(0, |hall| hall.rows.len());
            let to = neighbour(r, rows, direction).ok_or_else(end)?;
            move_racks(design, (h, r, at), (h, to))
        }
        (
            Place::Site
            | Place::Service
            | Place::Finance
            | Place::Power(_)
            | Place::Loop(_)
            | Place::Hall(_)
            | Place::Tray(..)
            | Place::Own(..),
            _,
        ) => Err(format!("A {} does not move so; rows and racks do, trays unit by unit.", place.kind())),
    }
}

fn neighbour(at: usize, of: usize, direction: Direction) -> Option<usize> {
    match direction {
        Direction::Back | Direction::RowBefore => at.checked_sub(1),
        Direction::On | Direction::RowAfter => Some(at + 1).filter(|&to| to < of),
    }
}

/// Moves racks to the end of another row; there they join racks of the same part.
pub fn move_racks(design: &Design, from: (usize, usize, usize), to: (usize, usize)) -> Result<Edited, String> {
    let mut after = design.clone();
    let group = rack(design, from.0, from.1, from.2).ok_or("It is not there any more.")?.clone();
    if row(design, to.0, to.1).is_none() {
        return Err("There is no such row.".into());
    }
    if (from.0, from.1) == to {
        return Ok(edited(after, "Move racks", Place::Rack(from.0, from.1, from.2)));
    }
    after.halls[from.0].rows[from.1].racks.remove(from.2);
    let racks = &mut after.halls[to.0].rows[to.1].racks;
    let alike = |other: &RackGroup| {
        other.part == group.part && other.trays == group.trays && other.power_cap == group.power_cap
    };
    let at = if let Some(at) = racks.iter().position(alike) {
        racks[at].count += group.count;
        at
    } else {
        racks.push(group);
        racks.len() - 1
    };
    Ok(edited(after, format!("Move {}", Place::Rack(from.0, from.1, from.2).name(design)), Place::Rack(to.0, to.1, at)))
}

/// What was copied, to be pasted elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub enum Clip {
    /// Trays.
    Trays(Vec<Mounted>),
    /// Racks.
    Racks(Vec<RackGroup>),
    /// Rows.
    Rows(Vec<Row>),
    /// Halls.
    Halls(Vec<Hall>),
}

/// Copies what is selected; the first decides what kind of things.
pub fn copy(design: &Design, places: &[Place]) -> Result<Clip, String> {
    let first = places.first().ok_or("Nothing is selected.")?;
    let clip = match first {
        Place::Rack(..) => Clip::Racks(
            places
                .iter()
                .filter_map(
                    |place| if let Place::Rack(h, r, k) = place { rack(design, *h, *r, *k).cloned() } else { None },
                )
                .collect(),
        ),
        Place::Row(..) => Clip::Rows(
            places
                .iter()
                .filter_map(|place| if let Place::Row(h, r) = place { row(design, *h, *r).cloned() } else { None })
                .collect(),
        ),
        Place::Hall(_) => Clip::Halls(
            places
                .iter()
                .filter_map(|place| if let Place::Hall(h) = place { design.halls.get(*h).cloned() } else { None })
                .collect(),
        ),
        Place::Tray(..) => Clip::Trays(
            places
                .iter()
                .filter_map(|place| {
                    if let Place::Tray(h, r, k, t) = place { tray(design, *h, *r, *k, *t).cloned() } else { None }
                })
                .collect(),
        ),
        Place::Site | Place::Service | Place::Finance | Place::Power(_) | Place::Loop(_) | Place::Own(..) => {
            return Err(format!("A {} can't be copied; halls, rows, racks and trays can.", first.kind()));
        }
    };
    Ok(clip)
}

/// Pastes into what is selected: racks into a row, rows into a hall, halls into the site.
pub fn paste(design: &Design, place: Place, clip: &Clip) -> Result<Edited, String> {
    let mut after = design.clone();
    match (clip, place) {
        (Clip::Trays(copied), Place::Rack(h, r, k) | Place::Tray(h, r, k, _)) if rack(design, h, r, k).is_some() => {
            let trays = &mut after.halls[h].rows[r].racks[k].trays;
            // Where they stood there may be no room here: each finds its own.
            trays.extend(copied.iter().map(|item| Mounted { at_unit: None, ..item.clone() }));
            let select = Place::Tray(h, r, k, trays.len() - 1);
            Ok(edited(after, "Paste trays", select))
        }
        (Clip::Racks(groups), Place::Row(h, r) | Place::Rack(h, r, _) | Place::Tray(h, r, ..))
            if row(design, h, r).is_some() =>
        {
            let racks = &mut after.halls[h].rows[r].racks;
            racks.extend(groups.iter().cloned());
            let select = Place::Rack(h, r, racks.len() - 1);
            Ok(edited(after, "Paste racks", select))
        }
        (Clip::Rows(rows), Place::Hall(h) | Place::Row(h, _) | Place::Rack(h, ..) | Place::Tray(h, ..))
            if h < after.halls.len() =>
        {
            for copied in rows {
                let names: Vec<String> = after.halls[h].rows.iter().map(|row| row.name.clone()).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let name = free_name(&copied.name, &names);
                after.halls[h].rows.push(Row { name, ..copied.clone() });
            }
            let select = Place::Row(h, after.halls[h].rows.len() - 1);
            Ok(edited(after, "Paste rows", select))
        }
        (Clip::Halls(halls), _) => {
            for copied in halls {
                let names: Vec<String> = after.halls.iter().map(|hall| hall.name.clone()).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let name = free_name(&copied.name, &names);
                after.halls.push(Hall { name, ..copied.clone() });
            }
            let select = Place::Hall(after.halls.len() - 1);
            Ok(edited(after, "Paste halls", select))
        }
        (Clip::Trays(_), _) => Err("Select the racks that the trays go into.".into()),
        (Clip::Racks(_), _) => Err("Select the row that the racks go into.".into()),
        (Clip::Rows(_), _) => Err("Select the hall that the rows go into.".into()),
    }
}

/// Puts so many racks of one part into every row of a hall, in place of those of the same part.
pub fn fill(design: &Design, hall: usize, part: &PartId, per_row: u32) -> Result<Edited, String> {
    let mut after = design.clone();
    let rows = &mut after.halls.get_mut(hall).ok_or("There is no such hall.")?.rows;
    if rows.is_empty() {
        return Err("The hall has no rows yet: add one first.".into());
    }
    for row in rows {
        match row.racks.iter_mut().find(|group| group.part == *part) {
            Some(group) => group.count = per_row,
            None => {
                row.racks.push(RackGroup { part: part.clone(), count: per_row, trays: Vec::new(), power_cap: None });
            }
        }
        row.racks.retain(|group| group.count > 0);
    }
    Ok(edited(after, format!("Fill every row with {per_row} of {part}"), Place::Hall(hall)))
}

/// Adds racks of a part to a row.
pub fn add_racks(design: &Design, hall: usize, at: usize, part: &PartId) -> Result<Edited, String> {
    let mut after = design.clone();
    let racks = &mut after.halls.get_mut(hall).and_then(|h| h.rows.get_mut(at)).ok_or("There is no such row.")?.racks;
    racks.push(RackGroup { part: part.clone(), count: 1, trays: Vec::new(), power_cap: None });
    let select = Place::Rack(hall, at, racks.len() - 1);
    Ok(edited(after, format!("Add {part}"), select))
}

/// Adds an empty row to a hall.
pub fn add_row(design: &Design, hall: usize) -> Result<Edited, String> {
    let mut after = design.clone();
    let rows = &mut after.halls.get_mut(hall).ok_or("There is no such hall.")?.rows;
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let name = free_name("row", &names);
    rows.push(Row { name, count: 1, racks: Vec::new() });
    let select = Place::Row(hall, rows.len() - 1);
    Ok(edited(after, "Add a row", select))
}

/// Adds a hall fed and cooled as the last one is.
pub fn add_hall(design: &Design) -> Result<Edited, String> {
    let mut after = design.clone();
    let names: Vec<&str> = design.halls.iter().map(|hall| hall.name.as_str()).collect();
    let name = free_name("hall", &names);
    let like = design.halls.last();
    let last = |list: Option<&String>| list.cloned().unwrap_or_default();
    after.halls.push(Hall {
        name,
        count: 1,
        floor_area: Area::from_square_metres(like.map_or(500.0, |hall| hall.floor_area.as_square_metres())),
        positions: like.map_or(40, |hall| hall.positions),
        fed_by: like.map_or_else(|| last(design.power.last().map(|group| &group.name)), |hall| hall.fed_by.clone()),
        liquid: like.and_then(|hall| hall.liquid.clone()),
        air: like.map_or_else(|| last(design.cooling.last().map(|each| &each.name)), |hall| hall.air.clone()),
        layout: like.map_or_else(HallLayout::default, |hall| hall.layout),
        rows: Vec::new(),
    });
    let select = Place::Hall(after.halls.len() - 1);
    Ok(edited(after, "Add a hall", select))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn design() -> Design {
        serde_json::from_str(
            r#"{"name":"D","location":"phoenix-az","contract_power_w":1e6,
                "power":[{"name":"a","part":"t","units":1},{"name":"b","part":"t","units":1,"fed_by":"a"},{"name":"c","part":"t","units":1,"fed_by":"b"}],
                "hall":[{"name":"A","positions":9,"fed_by":"b","air":"y","row":[
                    {"name":"1","rack":[{"part":"x","count":4},{"part":"y"}]},{"name":"2","rack":[{"part":"x","count":2}]}]}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn racks_that_move_join_those_alike() {
        let after = move_racks(&design(), (0, 0, 0), (0, 1)).unwrap();
        assert_eq!(after.select, Place::Rack(0, 1, 0));
        assert_eq!(after.design.halls[0].rows[1].racks[0].count, 6);
        assert_eq!(after.design.halls[0].rows[0].racks.len(), 1);
    }

    #[test]
    fn what_hung_on_a_removed_group_hangs_on_what_fed_it() {
        let after = remove(&design(), Place::Power(1)).unwrap().design;
        assert_eq!(after.power[1].fed_by.as_deref(), Some("a"));
        assert_eq!(after.halls[0].fed_by, "a");
        assert!(remove(&design(), Place::Service).is_err());
    }

    #[test]
    fn rows_are_filled_and_emptied() {
        let part = "x".parse().unwrap();
        let after = fill(&design(), 0, &part, 16).unwrap().design;
        assert!(after.halls[0].rows.iter().all(|row| row.racks[0].count == 16));
        let none = fill(&design(), 0, &part, 0).unwrap().design;
        assert!(none.halls[0].rows[1].racks.is_empty());
    }

    #[test]
    fn copies_have_names_of_their_own() {
        let clip = copy(&design(), &[Place::Row(0, 0)]).unwrap();
        let after = paste(&design(), Place::Hall(0), &clip).unwrap();
        let names: Vec<&str> = after.design.halls[0].rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names.len(), 3);
        assert!(names[2] != "1" && names[2] != "2", "{names:?}");
        assert!(paste(&design(), Place::Site, &clip).is_err());
        assert_eq!(duplicate(&design(), Place::Rack(0, 0, 1)).unwrap().select, Place::Rack(0, 0, 2));
    }

    #[test]
    fn racks_shift_within_and_across_rows() {
        let right = shift(&design(), Place::Rack(0, 0, 0), Direction::On).unwrap();
        assert_eq!(right.design.halls[0].rows[0].racks[1].part.as_str(), "x");
        let down = shift(&design(), Place::Rack(0, 0, 1), Direction::RowAfter).unwrap();
        assert_eq!(down.select, Place::Rack(0, 1, 1));
        assert!(shift(&design(), Place::Rack(0, 0, 0), Direction::RowBefore).is_err());
        assert!(shift(&design(), Place::Power(0), Direction::On).is_err());
    }
}
