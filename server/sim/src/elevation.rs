//! The elevation of a rack: which units each tray takes, seen from the front and the rear, and what finds no room.
//!
//! Units are counted from the foot, in the rack's own unit. Power shelves come first, half of them below and half above
//! what the rack is delivered with; then trays that a design puts at a unit; then the rest, each at the lowest free one.
//! Where exactly a maker puts each delivered tray is not in the catalog.

use model::catalog::Catalog;
use model::design::{Face, Mounted, RackGroup};
use model::id::PartId;
use model::part::{Rack, Tray, TrayDepth, TrayWidth};

/// Height of a power shelf in units: one, as Open Rack v3 has it.
const SHELF_UNITS: f64 = 1.0;
/// Places in a unit's height: trays of half a unit exist.
const STEPS: f64 = 2.0;
/// Tallest rack that is laid out, in units: over twice the tallest sold.
pub const UNITS_MAX: f64 = 128.0;

/// Whose a slot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A power shelf of the rack.
    Shelf,
    /// Which of the trays that the rack is delivered with.
    Delivered(usize),
    /// Which of the trays that the design mounts in it.
    Mounted(usize),
}

/// Across the width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// All of it.
    Whole,
    /// The left half, seen from the front.
    Left,
    /// The right half.
    Right,
}

/// Along the depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// From front to rear.
    Through,
    /// The front half.
    Front,
    /// The rear half.
    Rear,
}

/// What one tray or shelf takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    /// Whose it is.
    pub owner: Owner,
    /// The part.
    pub part: PartId,
    /// Units below it.
    pub from: f64,
    /// Its height in units.
    pub height: f64,
    /// Its place across the width.
    pub span: Span,
    /// Its place along the depth.
    pub reach: Reach,
}

/// A rack as it is filled.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Elevation {
    /// What has its place, from the foot up within each kind.
    pub slots: Vec<Slot>,
    /// What stands upright beside the units, and how many of it: zero-U PDUs, manifolds.
    pub upright: Vec<(Owner, PartId, u32)>,
    /// What finds no room, and how many of it.
    pub left_over: Vec<(Owner, PartId, u32)>,
    /// Units in which nothing stands.
    pub free_units: f64,
}

/// Fills a rack. Parts that the catalog has not are left out; `resolve` tells of them.
pub fn elevation(group: &RackGroup, rack: &Rack, catalog: &Catalog) -> Elevation {
    let mut filling = Filling::new(rack.height_units);
    let shelves = rack.power_shelf.as_ref().map_or(0, |item| item.count.min(UNITS_MAX as u32));
    let shelf = |filling: &mut Filling, count: u32| {
        if let Some(item) = &rack.power_shelf {
            filling.stack(Owner::Shelf, &item.part, count, None, &Shape::SHELF);
        }
    };
    shelf(&mut filling, shelves / 2);
    for (at, item) in rack.trays.iter().enumerate() {
        if let Some(tray) = catalog.tray(&item.part) {
            filling.stack(Owner::Delivered(at), &item.part, item.count, None, &Shape::of(tray, Face::Front));
        }
    }
    shelf(&mut filling, shelves - shelves / 2);
    let (fixed, free): (Vec<_>, Vec<_>) = group.trays.iter().enumerate().partition(|(_, item)| item.at_unit.is_some());
    for (at, item) in fixed.into_iter().chain(free) {
        let Mounted { part, count, at_unit, face } = item;
        if let Some(tray) = catalog.tray(part) {
            filling.stack(Owner::Mounted(at), part, *count, *at_unit, &Shape::of(tray, *face));
        }
    }
    filling.done()
}

/// How much room a thing takes.
struct Shape {
    height: f64,
    width: TrayWidth,
    reach: Reach,
}

impl Shape {
    const SHELF: Self = Self { height: SHELF_UNITS, width: TrayWidth::Full, reach: Reach::Through };

    fn of(tray: &Tray, face: Face) -> Self {
        let reach = match (tray.depth, face) {
            (TrayDepth::Full, _) => Reach::Through,
            (TrayDepth::Half, Face::Front) => Reach::Front,
            (TrayDepth::Half, Face::Rear) => Reach::Rear,
        };
        Self { height: tray.height_units, width: tray.width, reach }
    }

    fn steps(&self) -> usize {
        (self.height * STEPS).ceil().clamp(0.0, UNITS_MAX * STEPS) as usize
    }

    /// Quarters of a place that it takes on one side: front left, front right, rear left, rear right.
    fn quarters(&self, span: Span) -> u8 {
        let across = match span {
            Span::Whole => 0b1111,
            Span::Left => 0b0101,
            Span::Right => 0b1010,
        };
        let along = match self.reach {
            Reach::Through => 0b1111,
            Reach::Front => 0b0011,
            Reach::Rear => 0b1100,
        };
        across & along
    }
}

/// A rack while it is filled: for each half unit, which quarters are taken.
struct Filling {
    taken: Vec<u8>,
    out: Elevation,
}

impl Filling {
    fn new(units: f64) -> Self {
        let steps = (units * STEPS).floor().clamp(0.0, UNITS_MAX * STEPS) as usize;
        Self { taken: vec![0; steps], out: Elevation::default() }
    }

    /// Puts things alike one above the other, half-width ones two by two; from a unit, or wherever there is room.
    fn stack(&mut self, owner: Owner, part: &PartId, count: u32, at_unit: Option<f64>, shape: &Shape) {
        if shape.height <= 0.0 {
            self.out.upright.push((owner, part.clone(), count));
            return;
        }
        // Where the one before stands, or the unit asked for, the next is looked for; what is put at a unit stays together.
        let mut start = at_unit.map(|unit| ((unit - 1.0) * STEPS).round().max(0.0) as usize);
        for put in 0..count {
            let found = match start {
                Some(from) => self.room_at(from, shape).map(|span| (from, span)),
                None => (0..self.taken.len()).find_map(|from| self.room_at(from, shape).map(|span| (from, span))),
            };
            let Some((from, span)) = found else {
                self.out.left_over.push((owner, part.clone(), count - put));
                return;
            };
            let quarters = shape.quarters(span);
            self.taken[from..from + shape.steps()].iter_mut().for_each(|step| *step |= quarters);
            let slot = Slot {
                owner,
                part: part.clone(),
                from: from as f64 / STEPS,
                height: shape.height,
                span,
                reach: shape.reach,
            };
            self.out.slots.push(slot);
            if span != Span::Left {
                start = start.map(|from| from + shape.steps());
            }
        }
    }

    /// Whether there is room at a step, and in which part of the width.
    fn room_at(&self, from: usize, shape: &Shape) -> Option<Span> {
        let steps = self.taken.get(from..from.checked_add(shape.steps())?)?;
        let spans: &[Span] = match shape.width {
            TrayWidth::Full => &[Span::Whole],
            TrayWidth::Half => &[Span::Left, Span::Right],
        };
        spans.iter().copied().find(|span| steps.iter().all(|taken| taken & shape.quarters(*span) == 0))
    }

    fn done(mut self) -> Elevation {
        self.out.free_units = self.taken.iter().map(|taken| f64::from(u8::from(*taken == 0))).sum::<f64>() / STEPS;
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A catalog of one tray of each shape, and an empty cabinet of some units.
    fn fixture(units: u32) -> (Catalog, Rack) {
        let tray = |id: &str, height: f64, more: &str| {
            format!(
                "[[tray]]\nid = \"{id}\"\nname = \"{id}\"\nmaker = \"m\"\nrated_power_w = 1\noverhead_idle_w = 0\noverhead_busy_w = 1\n\
                 liquid_fraction = 0\nheight_units = {height:?}\nmass_kg = 1\nprice_usd = 1\nsource = \"s\"\nas_of = \"2026\"\n{more}"
            )
        };
        let text = [
            tray("full", 2.0, ""),
            tray("half", 1.0, "width = \"half\"\n"),
            tray("shallow", 1.0, "depth = \"half\"\n"),
            tray("odd", 0.5, ""),
            tray("pdu", 0.0, ""),
        ]
        .concat();
        let rack = format!(
            "id = \"r\"\nname = \"r\"\nmaker = \"m\"\nkind = \"cabinet\"\nrated_power_w = 1\nsupply_temperature_max_c = 30\n\
             height_units = {units}\nheight_m = 2\nwidth_m = 0.6\ndepth_m = 1.2\nmass_kg = 1\nprice_usd = 1\nsource = \"s\"\nas_of = \"2026\"\n"
        );
        (toml::from_str(&text).unwrap(), toml::from_str(&rack).unwrap())
    }

    fn mounted(part: &str, count: u32, at_unit: Option<f64>, face: Face) -> Mounted {
        Mounted { part: part.parse().unwrap(), count, at_unit, face }
    }

    fn fill(units: u32, trays: Vec<Mounted>) -> Elevation {
        let (catalog, rack) = fixture(units);
        elevation(&RackGroup { part: rack.id.clone(), count: 1, trays, power_cap: None }, &rack, &catalog)
    }

    fn places(found: &Elevation) -> Vec<(f64, Span, Reach)> {
        found.slots.iter().map(|slot| (slot.from, slot.span, slot.reach)).collect()
    }

    #[test]
    fn half_width_trays_stand_two_by_two() {
        let found = fill(4, vec![mounted("half", 3, Some(2.0), Face::Front)]);
        let through = Reach::Through;
        assert_eq!(
            places(&found),
            [(1.0, Span::Left, through), (1.0, Span::Right, through), (2.0, Span::Left, through)]
        );
        assert!((found.free_units - 2.0).abs() < 1e-12);
    }

    #[test]
    fn half_depth_trays_stand_back_to_back() {
        let trays = vec![mounted("shallow", 1, Some(1.0), Face::Front), mounted("shallow", 1, Some(1.0), Face::Rear)];
        let found = fill(1, trays);
        assert_eq!(places(&found), [(0.0, Span::Whole, Reach::Front), (0.0, Span::Whole, Reach::Rear)]);
        assert_eq!(found.left_over, []);
    }

    #[test]
    fn what_is_put_at_a_unit_has_it_before_what_is_put_anywhere() {
        let found = fill(6, vec![mounted("full", 2, None, Face::Front), mounted("full", 1, Some(1.0), Face::Front)]);
        assert_eq!(
            found.slots.iter().map(|slot| (slot.owner, slot.from as u32)).collect::<Vec<_>>(),
            [(Owner::Mounted(1), 0), (Owner::Mounted(0), 2), (Owner::Mounted(0), 4)]
        );
    }

    #[test]
    fn what_finds_no_room_is_told_and_uprights_take_none() {
        let found = fill(
            4,
            vec![
                mounted("full", 1, Some(4.0), Face::Front),
                mounted("full", 3, None, Face::Front),
                mounted("pdu", 2, None, Face::Front),
            ],
        );
        let left: Vec<_> = found.left_over.iter().map(|(owner, _, count)| (*owner, *count)).collect();
        assert_eq!(left, [(Owner::Mounted(0), 1), (Owner::Mounted(1), 1)]);
        assert_eq!(found.upright.iter().map(|(_, _, count)| *count).collect::<Vec<_>>(), [2]);
    }

    proptest! {
        /// No two things stand in one place, and nothing is lost: each is placed, upright or left over.
        #[test]
        fn law_nothing_overlaps_and_nothing_is_lost(
            units in 0_u32..60,
            asked in prop::collection::vec((0_usize..5, 0_u32..9, prop::option::of(0.0_f64..70.0), any::<bool>()), 0..8),
        ) {
            let names = ["full", "half", "shallow", "odd", "pdu"];
            let trays: Vec<Mounted> = asked
                .iter()
                .map(|(which, count, at, rear)| {
                    mounted(names[*which], *count, *at, if *rear { Face::Rear } else { Face::Front })
                })
                .collect();
            let found = fill(units, trays);
            let meet = |a: &Slot, b: &Slot| {
                let across = a.span == b.span || a.span == Span::Whole || b.span == Span::Whole;
                let along = a.reach == b.reach || a.reach == Reach::Through || b.reach == Reach::Through;
                across && along && a.from < b.from + b.height && b.from < a.from + a.height
            };
            for (at, slot) in found.slots.iter().enumerate() {
                prop_assert!(slot.from + slot.height <= f64::from(units) + 1e-9);
                prop_assert!(!found.slots[..at].iter().any(|other| meet(slot, other)));
            }
            let many = |list: &[(Owner, PartId, u32)]| list.iter().map(|(_, _, count)| count).sum::<u32>();
            let all = found.slots.len() as u32 + many(&found.upright) + many(&found.left_over);
            prop_assert_eq!(all, asked.iter().map(|(_, count, ..)| count).sum::<u32>());
        }
    }
}
