//! A design becomes a site: names are looked up, counts multiplied, racks summed from their trays. All that is wrong is
//! said at once.

mod halls;

use crate::nearest::distance;
use model::catalog::Catalog;
use model::design::{self, Design};
use model::id::PartId;
use model::money::Usd;
use model::note::{Kind, Note, Severity};
use model::part::CoolingKind;
use model::quantity::{Power, Temperature};
use model::site::{AssetClass, CapexLine, CoolingUnits, Loop, PowerNode, RackClass, Site, SiteService};

/// Warmest air that racks without liquid accept at their inlets, °C: ASHRAE TC 9.9 (2021), allowable for class A1.
const AIR_INLET_MAX_C: f64 = 32.0;

/// Most groups of a power tree: real ones have a dozen levels, and losses over hundreds of them have no meaning.
const POWER_GROUPS_MAX: usize = 256;

/// Looks everything up. `Err` holds every reason why the design is no site; each names its place.
pub fn resolve(design: &Design, catalog: &Catalog) -> Result<Site, Vec<Note>> {
    let own;
    let catalog = if design.parts.rows().next().is_none() {
        catalog
    } else {
        own = catalog.clone().with(design.parts.clone());
        // Figures that can't be are told before anything is worked out with them.
        let wrong = bad_parts(design, &own);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        &own
    };
    let mut resolver = Resolver { design, catalog, notes: Vec::new(), capex: Vec::new(), limits: Vec::new() };
    let site = resolver.site();
    match site {
        Some(site) if resolver.notes.is_empty() => Ok(site),
        Some(_) | None => Err(resolver.notes),
    }
}

/// What is wrong with a design's own parts; what they name may be the catalog's.
fn bad_parts(design: &Design, catalog: &Catalog) -> Vec<Note> {
    let own: Vec<(&str, String)> = design.parts.rows().map(|(list, row)| (list, row.row())).collect();
    let problems = model::check::check(catalog).into_iter();
    problems
        .filter(|problem| own.iter().any(|(list, row)| *list == problem.list && *row == problem.row))
        .map(|problem| Note {
            severity: Severity::Error,
            place: format!("parts {} \"{}\"", problem.list, problem.row),
            kind: Kind::BadPart { list: problem.list.into(), part: problem.row, what: problem.what },
        })
        .collect()
}

struct Resolver<'a> {
    design: &'a Design,
    catalog: &'a Catalog,
    notes: Vec<Note>,
    capex: Vec<CapexLine>,
    /// Warmest supply that racks on a loop accept.
    limits: Vec<(u32, Temperature)>,
}

impl Resolver<'_> {
    fn error(&mut self, place: &str, kind: Kind) {
        self.notes.push(Note { severity: Severity::Error, place: place.to_owned(), kind });
    }

    fn unknown<'n>(&mut self, place: &str, list: &str, name: &str, names: impl Iterator<Item = &'n str>) {
        let nearest = names.min_by_key(|other| distance(name, other)).filter(|other| distance(name, other) <= 4);
        let kind = Kind::UnknownPart { list: list.into(), name: name.into(), nearest: nearest.map(str::to_owned) };
        self.error(place, kind);
    }

    fn range(&mut self, place: &str, field: &str, value: f64, low: f64, high: f64) {
        if !(value >= low && value <= high) {
            self.error(place, Kind::OutOfRange { field: field.into(), value, low, high });
        }
    }

    fn buy(&mut self, part: &PartId, count: u32, each_dollars: f64, class: AssetClass) {
        let cost = Usd::from_dollars(each_dollars * f64::from(count));
        match self.capex.iter_mut().find(|line| line.part == part.as_str() && line.class == class) {
            Some(line) => {
                line.count = line.count.saturating_add(count);
                line.cost += cost;
            }
            None => self.capex.push(CapexLine { part: part.to_string(), count, cost, class }),
        }
    }

    fn site(&mut self) -> Option<Site> {
        self.ranges();
        let design = self.design;
        let location = self.catalog.location(&design.location).cloned();
        if location.is_none() {
            let catalog = self.catalog;
            self.unknown(
                "location",
                "location",
                design.location.as_str(),
                catalog.locations.iter().map(|l| l.id.as_str()),
            );
        }
        let service = self.service();
        let power = self.power();
        let mut loops = self.loops(&power);
        let (racks, halls) = self.halls(&power, &loops);
        if self.notes.is_empty() && !racks.iter().any(|class| class.gpus > 0 && class.count > 0) {
            self.error("design", Kind::NoCompute);
        }
        for item in &design.standby {
            match self.catalog.power(&item.part) {
                Some(part) => {
                    let dollars = part.price_dollars;
                    self.buy(&item.part, item.count, dollars, AssetClass::Plant);
                }
                None => self.unknown_power("standby", &item.part),
            }
        }
        self.building();
        size_loops(&mut loops, &racks);
        accept(&mut loops, &self.limits);
        Some(Site {
            name: design.name.clone(),
            location: location?,
            contract_power: design.contract_power,
            house_power: design.house_power,
            service: service?,
            finance: design.finance.clone(),
            power,
            loops,
            racks,
            halls,
            capex: std::mem::take(&mut self.capex),
        })
    }

    fn building(&mut self) {
        let cost = Usd::from_dollars(self.design.finance.building_usd_per_w * self.design.contract_power.as_watts());
        self.capex.push(CapexLine {
            part: "building, land and engineering".into(),
            count: 1,
            cost,
            class: AssetClass::Building,
        });
    }

    fn ranges(&mut self) {
        let (design, finance, service) = (self.design, &self.design.finance, &self.design.service);
        self.range("design", "contract_power_w", design.contract_power.as_watts(), 1e3, 1e11);
        self.range("design", "house_power_w", design.house_power.as_watts(), 0.0, 1e9);
        self.range("service", "input_tokens", service.input_tokens, 1.0, 1e7);
        self.range("service", "output_tokens", service.output_tokens, 1.0, 1e7);
        self.range("service", "prefix_cache_hit", service.prefix_cache_hit.as_fraction(), 0.0, 0.999);
        self.range("service", "ttft_s", service.ttft.as_seconds(), 1e-3, 3600.0);
        self.range("service", "tpot_s", service.tpot.as_seconds(), 1e-4, 60.0);
        match service.demand {
            design::Demand::PeakShare(share) => {
                self.range("service", "demand.peak-share", share.as_fraction(), 0.0, 10.0);
            }
            design::Demand::Scale(scale) => {
                self.range("service", "demand.scale", scale, 0.0, 1e9);
            }
        }
        self.range("finance", "wacc", finance.wacc.as_fraction(), 0.0, 1.0);
        self.range("finance", "it_life_years", finance.it_life_years, 0.5, 50.0);
        self.range("finance", "plant_life_years", finance.plant_life_years, 0.5, 100.0);
        self.range("finance", "building_usd_per_w", finance.building_usd_per_w, 0.0, 1e3);
        self.range("finance", "upkeep_share", finance.upkeep_share.as_fraction(), 0.0, 1.0);
        self.range("finance", "staff_usd_per_w_year", finance.staff_usd_per_w_year, 0.0, 1e3);
    }

    fn service(&mut self) -> Option<SiteService> {
        let service = &self.design.service;
        let Some(model) = self.catalog.model(&service.model) else {
            let catalog = self.catalog;
            self.unknown("service", "model", service.model.as_str(), catalog.models.iter().map(|m| m.id.as_str()));
            return None;
        };
        Some(SiteService {
            model: model.clone(),
            precision: service.precision,
            input_tokens: service.input_tokens,
            output_tokens: service.output_tokens,
            prefix_cache_hit: service.prefix_cache_hit,
            ttft: service.ttft,
            tpot: service.tpot,
            demand: service.demand,
        })
    }

    fn unknown_power(&mut self, place: &str, part: &PartId) {
        let catalog = self.catalog;
        self.unknown(place, "power part", part.as_str(), catalog.power.iter().map(|p| p.id.as_str()));
    }

    /// The power groups with parents before children.
    fn power(&mut self) -> Vec<PowerNode> {
        let groups = &self.design.power;
        let mut order: Vec<usize> = Vec::with_capacity(groups.len());
        for (at, group) in groups.iter().enumerate() {
            if groups.iter().take(at).any(|other| other.name == group.name) {
                self.error(&format!("power \"{}\"", group.name), Kind::DuplicateName { name: group.name.clone() });
            }
        }
        let roots = groups.iter().filter(|group| group.fed_by.is_none()).count();
        if roots != 1 {
            let reason = format!("{roots} groups are fed by nothing, and just one must be (the service entrance)");
            self.error("power", Kind::NotATree { reason });
        }
        if groups.len() > POWER_GROUPS_MAX {
            let reason = format!("{} groups are more than {POWER_GROUPS_MAX}", groups.len());
            self.error("power", Kind::NotATree { reason });
            return Vec::new();
        }
        // A group is placed once its parent is; what is never placed hangs in a ring or on nothing.
        loop {
            let before = order.len();
            for (at, group) in groups.iter().enumerate() {
                let parent_placed =
                    group.fed_by.as_ref().is_none_or(|name| order.iter().any(|&placed| groups[placed].name == *name));
                if !order.contains(&at) && parent_placed {
                    order.push(at);
                }
            }
            if order.len() == before {
                break;
            }
        }
        for (at, group) in groups.iter().enumerate() {
            if let (false, Some(parent)) = (order.contains(&at), &group.fed_by) {
                let place = format!("power \"{}\"", group.name);
                let above = |name: &String| groups.iter().find(|other| other.name == *name);
                // Up from here: back to itself is a ring; what only hangs on a fault above is told there.
                let mut up = above(parent);
                let mut steps = 0;
                while let Some(found) = up.filter(|found| found.name != group.name && steps < groups.len()) {
                    steps += 1;
                    up = found.fed_by.as_ref().and_then(above);
                }
                if above(parent).is_none() {
                    self.error(&place, Kind::UnknownName { list: "power group".into(), name: parent.clone() });
                } else if up.is_some_and(|found| found.name == group.name) {
                    let reason = format!("going up from \"{}\" by way of \"{parent}\" leads back to it", group.name);
                    self.error(&place, Kind::NotATree { reason });
                }
            }
        }
        order.iter().filter_map(|&at| self.power_node(&order, at)).collect()
    }

    fn power_node(&mut self, order: &[usize], at: usize) -> Option<PowerNode> {
        let groups = &self.design.power;
        let group = &groups[at];
        let place = format!("power \"{}\"", group.name);
        self.range(&place, "units", f64::from(group.units), 1.0, 1e6);
        let Some(part) = self.catalog.power(&group.part) else {
            self.unknown_power(&place, &group.part);
            return None;
        };
        self.buy(&group.part, group.units, part.price_dollars, AssetClass::Plant);
        let index_of = |name: &String| order.iter().position(|&o| groups[o].name == *name).map(|i| i as u32);
        Some(PowerNode {
            name: group.name.clone(),
            part: part.name.clone(),
            kind: part.kind,
            rated_power: part.rated_power,
            units: group.units,
            redundancy: group.redundancy,
            loss: part.loss,
            fed_by: group.fed_by.as_ref().and_then(index_of),
        })
    }

    fn power_index(&mut self, place: &str, power: &[PowerNode], name: &str) -> u32 {
        power.iter().position(|node| node.name == name).map_or_else(
            || {
                // A group that is drawn but could not be placed has said why already.
                if !self.design.power.iter().any(|drawn| drawn.name == name) {
                    self.error(place, Kind::UnknownName { list: "power group".into(), name: name.into() });
                }
                0
            },
            |at| at as u32,
        )
    }

    fn cooling_units(&mut self, place: &str, group: &design::CoolingGroup) -> Option<CoolingUnits> {
        self.range(place, "units", f64::from(group.units), 1.0, 1e6);
        let Some(part) = self.catalog.cooling(&group.part) else {
            let catalog = self.catalog;
            self.unknown(place, "cooling part", group.part.as_str(), catalog.cooling.iter().map(|p| p.id.as_str()));
            return None;
        };
        self.buy(&group.part, group.units, part.price_dollars, AssetClass::Plant);
        Some(CoolingUnits { part: part.clone(), units: group.units, redundancy: group.redundancy })
    }

    fn wrong_kind(&mut self, place: &str, units: &CoolingUnits, needed: &str) {
        self.error(place, Kind::WrongKind { part: units.part.id.to_string(), needed: needed.into() });
    }

    fn loops(&mut self, power: &[PowerNode]) -> Vec<Loop> {
        let design = self.design;
        let mut loops = Vec::with_capacity(design.cooling.len());
        for (at, drawn) in design.cooling.iter().enumerate() {
            let place = format!("cooling \"{}\"", drawn.name);
            if design.cooling.iter().take(at).any(|other| other.name == drawn.name) {
                self.error(&place, Kind::DuplicateName { name: drawn.name.clone() });
            }
            self.range(&place, "supply_temperature_c", drawn.supply_temperature.as_celsius(), 5.0, 60.0);
            self.range(&place, "rise_k", drawn.rise.as_kelvins(), 1.0, 40.0);
            self.range(&place, "pump_head_pa", drawn.pump_head.as_pascals(), 0.0, 2e6);
            let terminal = self.cooling_units(&place, &drawn.terminal);
            let rejection = drawn.rejection.as_ref().and_then(|group| self.cooling_units(&place, group));
            let chiller = drawn.chiller.as_ref().and_then(|group| self.cooling_units(&place, group));
            let fed_by = drawn.fed_by.as_ref().map_or(0, |name| self.power_index(&place, power, name));
            let Some(terminal) = terminal else { continue };
            self.kinds(&place, &terminal, rejection.as_ref(), chiller.as_ref());
            let limit = warmest_air_loop(&terminal);
            if drawn.supply_temperature > limit {
                let (supply, rack) = (drawn.supply_temperature, "an air-cooled rack behind these coils".to_owned());
                self.error(&place, Kind::SupplyTooWarm { supply, limit, rack });
            }
            loops.push(Loop {
                name: drawn.name.clone(),
                supply: drawn.supply_temperature,
                rise: drawn.rise,
                pump_head: drawn.pump_head,
                supply_max: limit,
                design_heat: Power::ZERO,
                terminal,
                rejection,
                chiller,
                fed_by,
            });
        }
        loops
    }

    fn kinds(
        &mut self,
        place: &str,
        terminal: &CoolingUnits,
        rejection: Option<&CoolingUnits>,
        chiller: Option<&CoolingUnits>,
    ) {
        if !matches!(terminal.part.kind, CoolingKind::Cdu { .. } | CoolingKind::FanWall { .. }) {
            self.wrong_kind(place, terminal, "a CDU or a fan wall");
        }
        let rejects = |units: &&CoolingUnits| {
            matches!(
                units.part.kind,
                CoolingKind::DryCooler { .. } | CoolingKind::AdiabaticCooler { .. } | CoolingKind::CoolingTower { .. }
            )
        };
        if let Some(units) = rejection.filter(|units| !rejects(units)) {
            self.wrong_kind(place, units, "a dry cooler, an adiabatic cooler or a tower");
        }
        if let Some(units) = chiller.filter(|units| !matches!(units.part.kind, CoolingKind::Chiller { .. })) {
            self.wrong_kind(place, units, "a chiller");
        }
    }

    fn loop_index(&mut self, place: &str, loops: &[Loop], name: &str) -> u32 {
        loops.iter().position(|each| each.name == name).map_or_else(
            || {
                // A loop that failed to resolve has said why already.
                if !self.design.cooling.iter().any(|drawn| drawn.name == name) {
                    self.error(place, Kind::UnknownName { list: "cooling loop".into(), name: name.into() });
                }
                0
            },
            |at| at as u32,
        )
    }
}

/// Warmest supply of a loop before its racks are known: what air-cooled inlets accept less the coil's approach; loops of
/// CDUs are limited by their racks alone.
fn warmest_air_loop(terminal: &CoolingUnits) -> Temperature {
    match terminal.part.kind {
        CoolingKind::FanWall { approach, .. } => Temperature::from_celsius(AIR_INLET_MAX_C) - approach,
        CoolingKind::Cdu { .. }
        | CoolingKind::DryCooler { .. }
        | CoolingKind::AdiabaticCooler { .. }
        | CoolingKind::CoolingTower { .. }
        | CoolingKind::Chiller { .. } => Temperature::from_celsius(60.0),
    }
}

/// Gives each loop its design heat anew: what its racks may draw, provisioned, in the share that goes its way. Pumps are sized
/// for it.
pub fn size_loops(loops: &mut [Loop], racks: &[RackClass]) {
    for each in loops.iter_mut() {
        each.design_heat = Power::ZERO;
    }
    for class in racks {
        let heat = class.provisioned() * class.count;
        let liquid = heat * class.liquid_fraction.as_fraction();
        if let Some(each) = class.liquid.and_then(|at| loops.get_mut(at as usize)) {
            each.design_heat += liquid;
        }
        if let Some(each) = loops.get_mut(class.air as usize) {
            each.design_heat += heat - liquid;
        }
    }
}

/// The warmest supply that all racks of each loop accept.
fn accept(loops: &mut [Loop], limits: &[(u32, Temperature)]) {
    for &(at, limit) in limits {
        if let Some(each) = loops.get_mut(at as usize) {
            each.supply_max = each.supply_max.min(limit);
        }
    }
}
