//! Trays in a rack: put in, moved unit by unit, with why one can't be.

use super::edit::{Edited, edited};
use super::field::Choice;
use super::place::{Place, rack, tray};
use crate::format;
use model::catalog::Catalog;
use model::design::{Design, Face, Mounted, RackGroup};
use model::id::PartId;
use model::part::{Rack, Tray};
use model::quantity::Power;
use sim::elevation::{Elevation, Owner, elevation};

/// Racks that a place is or stands in, as its hall, row and rack.
pub fn rack_of(place: Place) -> Option<(usize, usize, usize)> {
    if let Place::Rack(h, r, k) | Place::Tray(h, r, k, _) = place { Some((h, r, k)) } else { None }
}

fn found<'a>(
    design: &'a Design,
    catalog: &'a Catalog,
    (h, r, k): (usize, usize, usize),
) -> Result<(&'a RackGroup, &'a Rack), String> {
    let group = rack(design, h, r, k).ok_or("It is not there any more.")?;
    let row = catalog.rack(&group.part).ok_or_else(|| format!("The catalog has no rack {}.", group.part))?;
    Ok((group, row))
}

/// How many of a rack's trays find no room.
fn homeless(filled: &Elevation, at: usize) -> u32 {
    filled.left_over.iter().filter(|(owner, ..)| *owner == Owner::Mounted(at)).map(|(_, _, count)| count).sum()
}

/// The lowest unit of an entry of a rack's trays, from 1, as they stand.
fn lowest(filled: &Elevation, at: usize) -> Option<f64> {
    let own = filled.slots.iter().filter(|slot| slot.owner == Owner::Mounted(at));
    own.map(|slot| slot.from + 1.0).reduce(f64::min)
}

/// The design with one entry of a rack's trays put at a unit, if everything in the rack has room then. What stood wherever
/// there was room is held where it stands, so that nothing else moves.
fn moved(design: &Design, catalog: &Catalog, (h, r, k, at): (usize, usize, usize, usize), unit: f64) -> Option<Design> {
    let (group, row) = found(design, catalog, (h, r, k)).ok()?;
    let now = elevation(group, row, catalog);
    let mut held = group.clone();
    for (index, item) in held.trays.iter_mut().enumerate() {
        item.at_unit = item.at_unit.or_else(|| lowest(&now, index));
    }
    // Trays alike that had to part can't be held by one unit: they find their own places again.
    let mut after = if elevation(&held, row, catalog).left_over == now.left_over { held } else { group.clone() };
    after.trays.get_mut(at)?.at_unit = Some(unit);
    let mut changed = design.clone();
    let then = elevation(&after, row, catalog);
    let homeless_in = |filled: &Elevation| (0..after.trays.len()).map(|index| homeless(filled, index)).sum::<u32>();
    if homeless(&then, at) > 0 || homeless_in(&then) > homeless_in(&now) {
        return None;
    }
    *changed.halls.get_mut(h)?.rows.get_mut(r)?.racks.get_mut(k)? = after;
    Some(changed)
}

/// Puts one more tray of a part into racks, at the lowest free unit.
pub fn add(design: &Design, catalog: &Catalog, racks: (usize, usize, usize), part: &PartId) -> Result<Edited, String> {
    let (h, r, k) = racks;
    found(design, catalog, racks)?;
    let mut after = design.clone();
    let trays = &mut after.halls[h].rows[r].racks[k].trays;
    trays.push(Mounted { part: part.clone(), count: 1, at_unit: None, face: Face::Front });
    let at = trays.len() - 1;
    let (group, row) = found(&after, catalog, racks)?;
    if homeless(&elevation(group, row, catalog), at) > 0 {
        return Err(format!(
            "There is no room for {part}: its height, width and depth are nowhere free in {}.",
            row.name
        ));
    }
    Ok(edited(after, format!("Put {part} into the rack"), Place::Tray(h, r, k, at)))
}

/// Refuses what stands upright beside the units.
fn has_units(catalog: &Catalog, item: &Mounted) -> Result<(), String> {
    let upright = catalog.tray(&item.part).is_some_and(|tray| tray.height_units <= 0.0);
    if upright {
        Err(format!("{} stands upright beside the units: it has none of its own.", item.part))
    } else {
        Ok(())
    }
}

/// Moves trays up (1) or down (-1) to the next unit where they have room.
pub fn lift(design: &Design, catalog: &Catalog, place: Place, by: i32) -> Result<Edited, String> {
    let Place::Tray(h, r, k, at) = place else { return Err("Select trays first.".into()) };
    let (group, row) = found(design, catalog, (h, r, k))?;
    let item = tray(design, h, r, k, at).ok_or("It is not there any more.")?;
    has_units(catalog, item)?;
    let from = lowest(&elevation(group, row, catalog), at).map_or(1.0, f64::floor);
    let top = row.height_units.floor().max(0.0) as i32;
    (1..=top)
        .map(|step| from + f64::from(by.signum() * step))
        .take_while(|unit| (1.0..=f64::from(top)).contains(unit))
        .find_map(|unit| {
            let after = moved(design, catalog, (h, r, k, at), unit)?;
            Some(edited(after, format!("Move {} to unit {unit}", item.part), place))
        })
        .ok_or_else(|| format!("There is no room {} it.", if by > 0 { "above" } else { "below" }))
}

/// Puts trays at a unit, counted from 1 at the foot.
pub fn put(design: &Design, catalog: &Catalog, place: Place, unit: f64) -> Result<Edited, String> {
    let Place::Tray(h, r, k, at) = place else { return Err("Select trays first.".into()) };
    let item = tray(design, h, r, k, at).ok_or("It is not there any more.")?;
    has_units(catalog, item)?;
    let after = moved(design, catalog, (h, r, k, at), unit)
        .ok_or_else(|| format!("There is no room for {} at unit {unit}.", item.part))?;
    Ok(edited(after, format!("Move {} to unit {unit}", item.part), place))
}

/// Trays of the catalog, with why the racks can't take one more; `instead` is the entry of their trays that it would replace.
pub fn choices(
    design: &Design,
    catalog: &Catalog,
    racks: (usize, usize, usize),
    instead: Option<usize>,
) -> Vec<Choice> {
    let Ok((group, row)) = found(design, catalog, racks) else { return Vec::new() };
    let mut group = group.clone();
    let (mut count, mut at_unit, mut face) = (1, None, Face::Front);
    if let Some(at) = instead.filter(|at| *at < group.trays.len()) {
        let gone = group.trays.remove(at);
        (count, at_unit, face) = (gone.count, gone.at_unit, gone.face);
    }
    let drawn: f64 = group
        .all_trays(row)
        .filter_map(|(part, count)| catalog.tray(part).map(|tray| tray.rated_power.as_watts() * f64::from(count)))
        .sum();
    let spare = Power::from_watts((row.rated_power.as_watts() - drawn).max(0.0));
    let wet = design.halls.get(racks.0).is_some_and(|hall| hall.liquid.is_some());
    let finds_room = |tray: &Tray| {
        let mut with = group.clone();
        with.trays.push(Mounted { part: tray.id.clone(), count, at_unit, face });
        homeless(&elevation(&with, row, catalog), with.trays.len() - 1) == 0
    };
    let why_not = |tray: &Tray| {
        let asked = tray.rated_power * count;
        if tray.height_units > row.height_units {
            Some(format!("{} units high, the rack has {}", tray.height_units, row.height_units))
        } else if asked.as_watts() > spare.as_watts() + 1e-6 {
            Some(format!("draws {}, the rack has {} to spare", format::power(asked), format::power(spare)))
        } else if tray.liquid_fraction.as_fraction() > 0.05 && !wet {
            Some("gives heat to liquid, and the hall has no liquid loop".to_owned())
        } else if !finds_room(tray) {
            Some(format!("{} units high, nowhere free", tray.height_units))
        } else {
            None
        }
    };
    let choice =
        |tray: &Tray| Choice { value: tray.id.to_string(), label: tray.name.clone(), impossible: why_not(tray) };
    catalog.trays.iter().map(choice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        let tray = |id: &str, height: f64, watts: f64| {
            serde_json::json!({"id": id, "name": id, "maker": "m", "rated_power_w": watts, "overhead_idle_w": 0,
                "overhead_busy_w": 1, "liquid_fraction": 0, "height_units": height, "mass_kg": 1, "price_usd": 1,
                "source": "s", "as_of": "2026"})
        };
        let rack = serde_json::json!({"id": "r", "name": "Cabinet", "maker": "m", "kind": "cabinet", "rated_power_w": 100,
            "supply_temperature_max_c": 30, "height_units": 8, "height_m": 1, "width_m": 0.6, "depth_m": 1.2, "mass_kg": 1,
            "price_usd": 1, "source": "s", "as_of": "2026"});
        let all = serde_json::json!({"tray": [tray("two", 2.0, 10.0), tray("tall", 9.0, 1.0), tray("hot", 1.0, 500.0)], "rack": [rack]});
        serde_json::from_value(all).unwrap()
    }

    fn design() -> Design {
        serde_json::from_str(
            r#"{"name":"D","location":"x","contract_power_w":1e6,"hall":[{"name":"A","positions":9,"fed_by":"b","air":"y",
                "row":[{"name":"1","rack":[{"part":"r"}]}]}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn trays_are_put_in_and_moved_past_each_other() {
        let (catalog, two) = (catalog(), "two".parse().unwrap());
        let one = add(&design(), &catalog, (0, 0, 0), &two).unwrap();
        let both = add(&one.design, &catalog, (0, 0, 0), &two).unwrap();
        assert_eq!(both.select, Place::Tray(0, 0, 0, 1));
        // The first is in the way of the second going down, which stands right above it.
        assert!(lift(&both.design, &catalog, both.select, -1).unwrap_err().contains("no room below"));
        let up = lift(&both.design, &catalog, Place::Tray(0, 0, 0, 0), 1).unwrap().design;
        // It passes the second, which stays where it stands.
        assert_eq!(tray(&up, 0, 0, 0, 0).unwrap().at_unit, Some(5.0));
        assert_eq!(tray(&up, 0, 0, 0, 1).unwrap().at_unit, Some(3.0));
        let high = put(&up, &catalog, Place::Tray(0, 0, 0, 0), 7.0).unwrap().design;
        assert!(lift(&high, &catalog, Place::Tray(0, 0, 0, 0), 1).unwrap_err().contains("no room above"));
        assert!(put(&high, &catalog, Place::Tray(0, 0, 0, 0), 8.0).is_err());
    }

    #[test]
    fn what_cannot_be_put_in_says_why() {
        let all = choices(&design(), &catalog(), (0, 0, 0), None);
        let why = |at: usize| all[at].impossible.clone();
        assert_eq!(why(0), None);
        assert!(why(1).unwrap().contains("the rack has 8"));
        assert!(why(2).unwrap().contains("to spare"));
        // In a full rack a tray may still take the place of another.
        let two = "two".parse().unwrap();
        let mut full = design();
        for _ in 0..4 {
            full = add(&full, &catalog(), (0, 0, 0), &two).unwrap().design;
        }
        assert!(choices(&full, &catalog(), (0, 0, 0), None)[0].impossible.as_ref().unwrap().contains("nowhere free"));
        assert_eq!(choices(&full, &catalog(), (0, 0, 0), Some(2))[0].impossible, None);
        assert!(add(&design(), &catalog(), (0, 0, 0), &"tall".parse().unwrap()).is_err());
    }
}
