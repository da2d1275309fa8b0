//! The floor of a hall: where its rows and racks stand, to scale, and what is in the way.
//!
//! Rows run along x, one behind the other along y, and alternate: front to front over a cold aisle, back to back over a
//! hot one. Metres, from the corner of the hall.

use model::catalog::Catalog;
use model::design::{Hall, Row};
use model::part::{Rack, RackKind};

/// Side of a column, metres: 0.6 m is a usual concrete column of a storey or two.
const COLUMN_M: f64 = 0.6;

/// A hall seen from above.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FloorPlan {
    /// Along the rows, metres.
    pub length_m: f64,
    /// Across them, metres.
    pub width_m: f64,
    /// Rows from the near wall.
    pub rows: Vec<RowPlan>,
    /// Aisles from the near wall.
    pub aisles: Vec<Aisle>,
    /// Corners of columns nearest to the origin, x and y.
    pub columns: Vec<(f64, f64)>,
    /// Side of a column, metres.
    pub column_m: f64,
    /// Racks that stand where a column does.
    pub blocked_racks: u32,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct RowPlan {
    /// Which of the hall's `row` entries it is.
    pub row: usize,
    /// Which of those alike, from 0.
    pub copy: u32,
    /// Near side, metres.
    pub y_m: f64,
    /// Deepest rack, metres.
    pub depth_m: f64,
    /// Whether its fronts are on its near side.
    pub faces_near: bool,
    /// Racks alike, side by side.
    pub groups: Vec<GroupPlan>,
}

/// Racks alike in a row.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupPlan {
    /// Which of the row's `rack` entries it is.
    pub group: usize,
    /// What they are for; none where the catalog has no such rack.
    pub kind: Option<RackKind>,
    /// Left side of the first, metres.
    pub x_m: f64,
    /// Width of one, metres.
    pub rack_width_m: f64,
    /// Depth of one, metres.
    pub rack_depth_m: f64,
    /// How many.
    pub count: u32,
}

/// Space between rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aisle {
    /// Near side, metres.
    pub y_m: f64,
    /// Metres.
    pub width_m: f64,
    /// Between fronts, where cool air comes from.
    pub cold: bool,
}

/// Lays a hall out. A rack that the catalog has not is drawn 600 mm wide and 1.2 m deep, as most are.
pub fn plan(hall: &Hall, catalog: &Catalog) -> FloorPlan {
    let layout = hall.layout;
    let clearance = layout.clearance.as_metres();
    let mut plan = FloorPlan { column_m: COLUMN_M, ..FloorPlan::default() };
    let (mut y, mut index) = (clearance, 0_u32);
    for (row, drawn) in hall.rows.iter().enumerate() {
        // What no drawing could show is not drawn; `resolve` refuses such counts.
        for copy in 0..drawn.count.min(10_000) {
            let faces_near = index % 2 == 1;
            if index > 0 {
                let cold = faces_near;
                let width_m = if cold { layout.cold_aisle } else { layout.hot_aisle }.as_metres();
                plan.aisles.push(Aisle { y_m: y, width_m, cold });
                y += width_m;
            }
            let placed = RowPlan { faces_near, ..row_plan(drawn, catalog, (row, copy), (clearance, y)) };
            let end = placed.groups.last().map_or(clearance, |g| g.x_m + g.rack_width_m * f64::from(g.count));
            plan.length_m = plan.length_m.max(end + clearance);
            y += placed.depth_m;
            plan.rows.push(placed);
            index += 1;
        }
    }
    plan.length_m = plan.length_m.max(2.0 * clearance);
    plan.width_m = y + clearance;
    columns(&mut plan, layout.column_pitch.as_metres());
    plan
}

/// A row whose fronts are on its far side.
fn row_plan(row: &Row, catalog: &Catalog, at: (usize, u32), corner: (f64, f64)) -> RowPlan {
    let mut x_m = corner.0;
    let mut groups = Vec::with_capacity(row.racks.len());
    for (group, drawn) in row.racks.iter().enumerate() {
        let rack = catalog.rack(&drawn.part);
        let (rack_width_m, rack_depth_m) =
            rack.map_or((0.6, 1.2), |r: &Rack| (r.width.as_metres(), r.depth.as_metres()));
        let kind = rack.map(|rack| rack.kind);
        groups.push(GroupPlan { group, kind, x_m, rack_width_m, rack_depth_m, count: drawn.count });
        x_m += rack_width_m * f64::from(drawn.count);
    }
    let depth_m = groups.iter().map(|g| g.rack_depth_m).fold(0.0, f64::max);
    RowPlan { row: at.0, copy: at.1, y_m: corner.1, depth_m, faces_near: false, groups }
}

/// Puts columns on a grid from the far corners inwards, and counts the racks that they stand in.
fn columns(plan: &mut FloorPlan, pitch_m: f64) {
    // A pitch under two metres is no building's.
    if pitch_m < 2.0 {
        return;
    }
    let steps = |size: f64| (1..).map(move |n| f64::from(n) * pitch_m).take_while(move |&at| at + COLUMN_M < size);
    for x in steps(plan.length_m) {
        for y in steps(plan.width_m) {
            plan.columns.push((x, y));
        }
    }
    let blocked = |row: &RowPlan| -> u32 {
        let in_row = plan.columns.iter().filter(|(_, y)| *y < row.y_m + row.depth_m && y + COLUMN_M > row.y_m);
        let xs: Vec<f64> = in_row.map(|(x, _)| *x).collect();
        row.groups
            .iter()
            .map(|g| {
                let hit = |n: &u32| {
                    let left = g.x_m + g.rack_width_m * f64::from(*n);
                    xs.iter().any(|&x| x < left + g.rack_width_m && x + COLUMN_M > left)
                };
                (0..g.count.min(10_000)).filter(hit).count() as u32
            })
            .sum()
    };
    plan.blocked_racks = plan.rows.iter().map(blocked).sum();
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::quantity::Length;

    fn hall() -> (Hall, Catalog) {
        let text = "name = \"A\"\npositions = 40\nfed_by = \"busway\"\nair = \"chilled\"\n\
                    [[row]]\nname = \"1\"\ncount = 3\nrack = [{ part = \"wide\", count = 4 }, { part = \"unknown\", count = 1 }]\n";
        (toml::from_str(text).unwrap(), Catalog::default())
    }

    #[test]
    fn rows_stand_front_to_front_and_back_to_back() {
        let (hall, catalog) = hall();
        let plan = plan(&hall, &catalog);
        assert_eq!(plan.rows.len(), 3);
        assert_eq!(plan.aisles.iter().map(|aisle| aisle.cold).collect::<Vec<_>>(), [true, false]);
        assert!((plan.length_m - (2.0 * 1.8 + 5.0 * 0.6)).abs() < 1e-9, "{}", plan.length_m);
        assert!((plan.width_m - (2.0 * 1.8 + 3.0 * 1.2 + 2.0 * 1.2)).abs() < 1e-9, "{}", plan.width_m);
        assert!(plan.columns.is_empty() && plan.blocked_racks == 0);
    }

    #[test]
    fn a_column_in_a_row_blocks_the_racks_it_stands_in() {
        let (mut hall, catalog) = hall();
        hall.layout.column_pitch = Length::from_metres(2.5);
        let plan = plan(&hall, &catalog);
        // At x = 2.5 and 5.0 m, y = 2.5 m: the first row is from 1.8 to 3.0 m, its racks from 1.8 to 4.8 m.
        assert!(plan.columns.contains(&(2.5, 2.5)));
        assert!(plan.blocked_racks >= 2, "{}", plan.blocked_racks);
    }
}
