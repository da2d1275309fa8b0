//! The halls of a site: rows multiplied, racks summed from their trays, and whether each has its place, feed and loops.

use super::Resolver;
use crate::elevation::{Owner, UNITS_MAX, elevation};
use crate::floor;
use model::design;
use model::id::PartId;
use model::note::Kind;
use model::part::{CoolingKind, LossCurve, PowerKind, Rack, RackKind, Tray};
use model::quantity::{Area, Power, Ratio, Temperature};
use model::site::{AssetClass, HallSpace, Loop, PowerNode, RackClass, Shelf};

impl Resolver<'_> {
    /// Every class of racks, and the room that its hall has.
    pub(super) fn halls(&mut self, power: &[PowerNode], loops: &[Loop]) -> (Vec<RackClass>, Vec<HallSpace>) {
        let design = self.design;
        let (mut classes, mut spaces) = (Vec::new(), Vec::new());
        for hall in &design.halls {
            let place = format!("hall \"{}\"", hall.name);
            self.range(&place, "count", f64::from(hall.count), 1.0, 1e5);
            self.range(&place, "positions", f64::from(hall.positions), 0.0, 1e6);
            let fed_by = self.power_index(&place, power, &hall.fed_by);
            let air = self.loop_index(&place, loops, &hall.air);
            let liquid = hall.liquid.as_ref().map(|name| self.loop_index(&place, loops, name));
            self.terminals(&place, loops.get(air as usize), liquid.and_then(|at| loops.get(at as usize)));
            let (mut racks, mut rack_power) = (0_u32, Power::ZERO);
            for row in &hall.rows {
                let place = format!("{place} › row \"{}\"", row.name);
                self.range(&place, "count", f64::from(row.count), 1.0, 1e5);
                for group in &row.racks {
                    self.range(&place, "count", f64::from(group.count), 1.0, 1e5);
                    let per_hall = row.count.saturating_mul(group.count);
                    racks = racks.saturating_add(per_hall);
                    let count = per_hall.saturating_mul(hall.count);
                    if let Some(class) = self.rack_class(&place, group, count, (fed_by, liquid, air)) {
                        rack_power = rack_power.max(class.rated_power);
                        classes.push(class);
                    }
                }
            }
            if racks > hall.positions {
                self.error(&place, Kind::NoSpace { positions: hall.positions, racks });
            }
            let plan = floor::plan(hall, self.catalog);
            spaces.push(HallSpace {
                name: hall.name.clone(),
                positions: hall.positions.saturating_mul(hall.count),
                racks: racks.saturating_mul(hall.count),
                rack_power,
                fed_by,
                floor: hall.floor_area,
                floor_needed: Area::from_square_metres(plan.length_m * plan.width_m),
                blocked_racks: plan.blocked_racks,
            });
        }
        if spaces.iter().map(|space| u64::from(space.racks)).sum::<u64>() > 10_000_000 {
            self.error("design", Kind::OutOfRange { field: "racks".into(), value: 1e7, low: 0.0, high: 1e7 });
        }
        (classes, spaces)
    }

    /// Air takes heat to fan walls, liquid to CDUs; a loop of the other kind moves none of it.
    fn terminals(&mut self, place: &str, air: Option<&Loop>, liquid: Option<&Loop>) {
        let is_cdu = |each: &&Loop| matches!(each.terminal.part.kind, CoolingKind::Cdu { .. });
        if let Some(each) = air.filter(is_cdu) {
            let needed = format!("a fan wall, as `air` of a hall needs; loop \"{}\" has CDUs", each.name);
            self.wrong_kind(place, &each.terminal, &needed);
        }
        if let Some(each) = liquid.filter(|each| !is_cdu(each)) {
            let needed = format!("a CDU, as `liquid` of a hall needs; loop \"{}\" has fan walls", each.name);
            self.wrong_kind(place, &each.terminal, &needed);
        }
    }

    fn rack_class(
        &mut self,
        place: &str,
        group: &design::RackGroup,
        count: u32,
        (fed_by, liquid, air): (u32, Option<u32>, u32),
    ) -> Option<RackClass> {
        let catalog = self.catalog;
        let Some(rack) = catalog.rack(&group.part) else {
            self.unknown(place, "rack", group.part.as_str(), catalog.racks.iter().map(|r| r.id.as_str()));
            return None;
        };
        self.buy(&group.part, count, rack.price_dollars, AssetClass::It);
        let (mut rated, mut idle, mut busy) = (Power::ZERO, Power::ZERO, Power::ZERO);
        let mut mass = rack.mass;
        let (mut liquid_power, mut gpus, mut gpu, mut domain) = (0.0, 0_u32, None, rack.domain_gpus);
        for (part, each) in group.all_trays(rack) {
            self.range(place, "trays.count", f64::from(each), 1.0, 1e4);
            let Some(tray) = catalog.tray(part) else {
                self.unknown(place, "tray", part.as_str(), catalog.trays.iter().map(|t| t.id.as_str()));
                continue;
            };
            self.buy(part, each.saturating_mul(count), tray.price_dollars, AssetClass::It);
            rated += tray.rated_power * each;
            idle += tray.overhead_idle * each;
            busy += tray.overhead_busy * each;
            liquid_power += tray.rated_power.as_watts() * f64::from(each) * tray.liquid_fraction.as_fraction();
            mass += tray.mass * each;
            if let Some(id) = tray.gpu.as_ref().filter(|_| tray.gpu_count > 0) {
                match catalog.gpu(id) {
                    Some(row) => gpu = Some(row.clone()),
                    None => self.unknown(place, "gpu", id.as_str(), catalog.gpus.iter().map(|g| g.id.as_str())),
                }
                gpus = gpus.saturating_add(tray.gpu_count.saturating_mul(each));
                domain = if domain == 0 { tray.domain_gpus.max(tray.gpu_count) } else { domain };
            }
        }
        let shelf = rack.power_shelf.as_ref().and_then(|item| self.shelf(place, item, count));
        for item in &group.trays {
            self.range(place, "trays.at_unit", item.at_unit.unwrap_or(1.0), 1.0, UNITS_MAX);
        }
        self.room(place, group, rack);
        if rated > rack.rated_power * 1.000_001 {
            self.error(place, Kind::RackOverload { rack: rack.name.clone(), rated: rack.rated_power, asked: rated });
        }
        let liquid_fraction = if rated > Power::ZERO { liquid_power / rated.as_watts() } else { 0.0 };
        if liquid_fraction > 0.05 && liquid.is_none() {
            self.error(place, Kind::NoLiquidLoop { rack: rack.name.clone() });
        }
        let delivered_whole = matches!(rack.kind, RackKind::Compute | RackKind::Network | RackKind::Storage);
        let board = gpu.as_ref().map_or(Power::ZERO, |g| g.board_power);
        let cap = group.power_cap.or(self.design.service.power_cap);
        if let (Some(cap), Some(gpu)) = (cap, &gpu)
            && !(cap >= gpu.min_power_cap && cap <= gpu.board_power)
        {
            self.error(place, Kind::CapOutOfRange { cap, low: gpu.min_power_cap, high: gpu.board_power });
        }
        Some(RackClass {
            place: place.to_owned(),
            part: rack.name.clone(),
            count,
            gpus,
            domain_gpus: domain.max(u32::from(gpus > 0)),
            power_cap: cap.unwrap_or(board),
            gpu,
            mass,
            rated_power: if delivered_whole && group.trays.is_empty() { rack.rated_power } else { rated },
            overhead_idle: idle,
            overhead_busy: busy,
            shelf,
            liquid_fraction: Ratio::from_fraction(if liquid.is_some() { liquid_fraction } else { 0.0 }),
            fed_by,
            liquid,
            air,
        })
        .inspect(|class| self.too_warm(place, class, rack.supply_temperature_max))
    }

    /// Whether every tray finds its place in the rack.
    fn room(&mut self, place: &str, group: &design::RackGroup, rack: &Rack) {
        let catalog = self.catalog;
        let height =
            |(part, count): (&PartId, u32)| catalog.tray(part).map_or(0.0, Tray::units_taken) * f64::from(count);
        let asked: f64 = group.all_trays(rack).map(height).sum();
        if asked > rack.height_units + 1e-9 {
            self.error(place, Kind::RackFull { rack: rack.name.clone(), has: rack.height_units, asked });
            return;
        }
        for (owner, part, count) in elevation(group, rack, catalog).left_over {
            // A maker's own rack holds what it is delivered with.
            if let Owner::Mounted(at) = owner {
                let tray = catalog.tray(&part).map_or_else(|| part.to_string(), |tray| tray.name.clone());
                let (part, rack) = (part.to_string(), rack.name.clone());
                self.error(place, Kind::NoRoomForTray { tray, part, at_unit: group.trays[at].at_unit, rack, count });
            }
        }
    }

    fn too_warm(&mut self, place: &str, class: &RackClass, limit: Temperature) {
        let Some(at) = class.liquid.filter(|_| class.liquid_fraction > Ratio::ZERO) else { return };
        self.limits.push((at, limit));
        let design = self.design;
        if let Some(drawn) = design.cooling.get(at as usize).filter(|drawn| drawn.supply_temperature > limit) {
            let kind = Kind::SupplyTooWarm { supply: drawn.supply_temperature, limit, rack: class.part.clone() };
            self.error(place, kind);
        }
    }

    fn shelf(&mut self, place: &str, item: &model::part::Several, racks: u32) -> Option<Shelf> {
        let Some(part) = self.catalog.power(&item.part) else {
            self.unknown_power(place, &item.part);
            return None;
        };
        if part.kind != PowerKind::PowerShelf {
            self.error(place, Kind::WrongKind { part: item.part.to_string(), needed: "a power shelf".into() });
        }
        self.buy(&item.part, item.count.saturating_mul(racks), part.price_dollars, AssetClass::It);
        let loss: LossCurve = part.loss;
        Some(Shelf { rated_power: part.rated_power * item.count, loss })
    }
}
