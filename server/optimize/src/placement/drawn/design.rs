//! A placement as a design: halls whose racks, feed or loops are no longer alike become halls of their own.

use super::super::{Placed, Problem};
use super::Drawn;
use model::design::{Design, Hall, RackGroup, Row};
use model::quantity::Area;

/// Racks of each class on one feed and loops.
type Counts = Vec<u32>;

/// A feed and loops of a hall, by name.
#[derive(Debug, Clone, PartialEq)]
struct Supply {
    fed_by: String,
    liquid: Option<String>,
    air: String,
}

/// The rows of one hall, by what they are on.
type Room = Vec<(Supply, Vec<Standing>)>;

/// A row that stands in a hall.
#[derive(Debug, Clone, PartialEq)]
struct Standing {
    name: String,
    racks: Vec<RackGroup>,
}

impl Drawn<'_> {
    /// The design with racks as they are placed.
    pub(super) fn redrawn(&self, problem: &Problem, placed: &[Placed]) -> Design {
        let mut design = self.design.clone();
        design.halls = Vec::new();
        for (at, hall) in self.design.halls.iter().enumerate() {
            let mut left = self.supplies(problem, placed, at, hall);
            let rooms: Vec<Room> = (0..hall.count).map(|_| Self::kept(hall, &self.kind_of[at], &mut left)).collect();
            let rooms = self.filled(hall, rooms, &mut left);
            design.halls.extend(merged(hall, rooms));
        }
        named(&mut design.halls);
        design
    }

    /// What a hall's racks are on, the drawn supply first, each with its racks.
    fn supplies(&self, problem: &Problem, placed: &[Placed], at: usize, hall: &Hall) -> Vec<(Supply, Counts)> {
        let drawn = Supply { fed_by: hall.fed_by.clone(), liquid: hall.liquid.clone(), air: hall.air.clone() };
        let mut supplies = vec![(drawn, vec![0; self.kinds.len()])];
        for own in placed.iter().filter(|own| own.row as usize == at) {
            let loop_name = |at: u32| problem.loops[at as usize].name.clone();
            let supply = Supply {
                fed_by: problem.feeds[own.feed as usize].name.clone(),
                liquid: own.liquid.map(loop_name),
                air: own.air.map_or_else(|| hall.air.clone(), loop_name),
            };
            let place = supplies.iter().position(|(other, _)| *other == supply).unwrap_or_else(|| {
                supplies.push((supply, vec![0; self.kinds.len()]));
                supplies.len() - 1
            });
            supplies[place].1[own.class as usize] += own.count;
        }
        supplies
    }

    /// One hall's rows as they are drawn, as far as racks are left: each whole on the first supply that has all of it, else
    /// what is left of it on the drawn one.
    fn kept(hall: &Hall, kinds: &[Vec<usize>], left: &mut [(Supply, Counts)]) -> Room {
        let mut room: Room = left.iter().map(|(supply, _)| (supply.clone(), Vec::new())).collect();
        for (row, kinds) in hall.rows.iter().zip(kinds) {
            for _ in 0..row.count {
                let whole = |counts: &Counts| {
                    let mut counts = counts.clone();
                    row.racks.iter().zip(kinds).all(|(group, kind)| match counts[*kind].checked_sub(group.count) {
                        Some(rest) => {
                            counts[*kind] = rest;
                            true
                        }
                        None => false,
                    })
                };
                let place = left.iter().position(|(_, counts)| whole(counts)).unwrap_or(0);
                let mut racks = Vec::new();
                for (group, kind) in row.racks.iter().zip(kinds) {
                    let count = group.count.min(left[place].1[*kind]);
                    left[place].1[*kind] -= count;
                    if count > 0 {
                        racks.push(RackGroup { count, ..group.clone() });
                    }
                }
                if !racks.is_empty() {
                    room[place].1.push(Standing { name: row.name.clone(), racks });
                }
            }
        }
        room
    }

    /// The same with what is left put into free positions, hall by hall, in rows no longer than those that are drawn.
    fn filled(&self, hall: &Hall, mut rooms: Vec<Room>, left: &mut [(Supply, Counts)]) -> Vec<Room> {
        let length = |racks: &[RackGroup]| racks.iter().map(|group| group.count).sum::<u32>();
        let longest = hall.rows.iter().map(|row| length(&row.racks)).max().unwrap_or(1).max(1);
        for room in &mut rooms {
            let taken: u32 = room.iter().flat_map(|(_, rows)| rows).map(|row| length(&row.racks)).sum();
            let mut free = hall.positions.saturating_sub(taken);
            for (place, (_, counts)) in left.iter_mut().enumerate() {
                for (kind, count) in counts.iter_mut().enumerate() {
                    let mut more = free.min(*count);
                    free -= more;
                    *count -= more;
                    while more > 0 {
                        let racks = RackGroup { count: more.min(longest), ..self.kinds[kind].0.clone() };
                        more -= racks.count;
                        room[place].1.push(Standing { name: "added".into(), racks: vec![racks] });
                    }
                }
            }
        }
        rooms
    }
}

/// Halls alike as one with a count; of each, what is on one supply is a hall of its own.
fn merged(hall: &Hall, rooms: Vec<Room>) -> Vec<Hall> {
    let mut halls: Vec<Hall> = Vec::new();
    let mut before: Option<(Room, usize)> = None;
    for room in rooms {
        if let Some((same, from)) = before.as_ref().filter(|(same, _)| *same == room) {
            halls[*from..].iter_mut().for_each(|own| own.count += 1);
            before = Some((same.clone(), *from));
            continue;
        }
        let from = halls.len();
        halls.extend(parts(hall, &room));
        before = Some((room, from));
    }
    halls
}

/// One hall as its parts: each has the positions of its racks, and the first those that are free.
fn parts(hall: &Hall, room: &[(Supply, Vec<Standing>)]) -> Vec<Hall> {
    let racks = |rows: &[Standing]| rows.iter().flat_map(|row| &row.racks).map(|group| group.count).sum::<u32>();
    let mut used: Vec<&(Supply, Vec<Standing>)> = room.iter().filter(|(_, rows)| !rows.is_empty()).collect();
    if used.is_empty() {
        used.extend(room.first());
    }
    let taken: u32 = used.iter().map(|(_, rows)| racks(rows)).sum();
    let mut free = hall.positions.saturating_sub(taken);
    let part = |(supply, rows): &&(Supply, Vec<Standing>)| {
        let positions = racks(rows) + std::mem::take(&mut free);
        let share = f64::from(positions) / f64::from(hall.positions.max(1));
        let floor = hall.floor_area.as_square_metres();
        Hall {
            count: 1,
            floor_area: Area::from_square_metres(if positions == hall.positions { floor } else { floor * share }),
            positions,
            fed_by: supply.fed_by.clone(),
            liquid: supply.liquid.clone(),
            air: supply.air.clone(),
            rows: rows_of(rows),
            ..hall.clone()
        }
    };
    used.iter().map(part).collect()
}

/// Rows alike beside each other as one with a count; of one name, the second and later have a number.
fn rows_of(standing: &[Standing]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for own in standing {
        if let Some(row) = rows.last_mut().filter(|row| row.name == own.name && row.racks == own.racks) {
            row.count += 1;
        } else {
            rows.push(Row { name: own.name.clone(), count: 1, racks: own.racks.clone() });
        }
    }
    let mut names: Vec<String> = Vec::new();
    for row in &mut rows {
        row.name = free_name(&row.name, &names);
        names.push(row.name.clone());
    }
    rows
}

/// Gives each hall a name that no other has.
fn named(halls: &mut [Hall]) {
    let mut names: Vec<String> = Vec::new();
    for hall in halls {
        hall.name = free_name(&hall.name, &names);
        names.push(hall.name.clone());
    }
}

fn free_name(name: &str, taken: &[String]) -> String {
    let numbered = (2_u32..).map(|number| format!("{name} {number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or_default()
}
