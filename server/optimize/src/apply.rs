//! A choice put back into the design that it was found for, so that it can be kept as a version of it.

use crate::base::Base;
use model::design::{Design, Redundancy, Row};
use model::optimum::Choice;
use model::quantity::{Power, Temperature};

impl Base {
    /// The design with a choice made: racks in its rows, the power limit on each group of GPUs, water and redundancy.
    ///
    /// Rows alike are divided where some get a rack more than others; halls alike stay alike, so that of racks which do not
    /// divide by them a few are left out. `design` is the one that this ground was made of.
    pub fn design(&self, design: &Design, choice: &Choice) -> Design {
        let mut made = design.clone();
        let counts = self.spread(choice.racks);
        // From the last row on, as a row that is divided moves those behind it.
        for (class, count) in self.classes().iter().zip(counts).rev() {
            let (hall, row, group) = class.place;
            let halls = made.halls[hall].count.max(1);
            let board = self.drawn().racks[class.at].gpu.as_ref().map_or(Power::ZERO, |gpu| gpu.board_power);
            let cap = Power::from_watts(choice.cap_w).min(board);
            let rows = &mut made.halls[hall].rows;
            rows[row].racks[group].power_cap = (cap < board).then_some(cap);
            let in_row = self.classes().iter().filter(|other| other.place.0 == hall && other.place.1 == row).count();
            let rest = if in_row == 1 { Rest::InLongerRows } else { Rest::LeftOut };
            fill(rows, (row, group), count / halls, rest);
        }
        // Each group has its own limit now: one of the service would be that of a group which has the board's own.
        made.service.power_cap = None;
        for at in self.liquid() {
            if let Some(c) = choice.supply_c {
                made.cooling[at].supply_temperature = Temperature::from_celsius(c);
            }
        }
        if let Some(chosen) = choice.redundancy {
            for group in made.power.iter_mut().filter(|group| group.redundancy != Redundancy::N) {
                group.redundancy = chosen;
            }
        }
        made
    }
}

/// What becomes of racks that do not divide by the rows alike.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// As many rows get one more, and stand apart from the others.
    InLongerRows,
    /// They are left out, as other racks with GPUs share the rows.
    LeftOut,
}

/// So many racks of a group over the rows alike of one hall.
fn fill(rows: &mut Vec<Row>, (row, group): (usize, usize), racks: u32, rest: Rest) {
    let alike = rows[row].count.max(1);
    let (each, more) = (racks / alike, racks % alike);
    rows[row].racks[group].count = each;
    if more > 0 && rest == Rest::InLongerRows {
        let mut longer = rows[row].clone();
        longer.name = format!("{}, one more", longer.name);
        longer.count = more;
        longer.racks[group].count = each + 1;
        rows[row].count = alike - more;
        rows.insert(row + 1, longer);
    }
    // A group of no racks is no group.
    let empty = rows[row].racks[group].count == 0;
    if empty {
        rows[row].racks.remove(group);
    }
}
