//! What mends a design: the change that answers a note, where one is known; and a first design drawn from a brief, by
//! scaling a proven one and mending what the scaling broke.

use crate::{evaluate, resolve};
use model::catalog::Catalog;
use model::design::{CoolingGroup, Design, Hall, Mounted, Redundancy, Row};
use model::id::{LocationId, ModelId, PartId};
use model::note::{Kind, Note, Severity};
use model::quantity::{Area, Power, Ratio, Temperature};

/// Most changes of a draft: each group of a real design is mended once or twice.
const ROUNDS_MAX: usize = 200;
/// Share of its contract that a draft may draw on the hottest hour.
const DRAFT_SHARE: f64 = 0.97;

/// The design with what `note` complains of mended; none where it is for a person to choose.
pub fn mend(design: &Design, note: &Note) -> Option<Design> {
    let mut mended = design.clone();
    let name = quoted(&note.place);
    match &note.kind {
        Kind::FeedOverload { units_needed, .. } => {
            mended.power.iter_mut().find(|group| Some(group.name.as_str()) == name)?.units = *units_needed;
        }
        Kind::TerminalShort { units_needed, .. } => {
            mended.cooling.iter_mut().find(|each| Some(each.name.as_str()) == name)?.terminal.units = *units_needed;
        }
        Kind::CoolingShort { heat, capacity, .. } => {
            let each = mended.cooling.iter_mut().find(|each| Some(each.name.as_str()) == name)?;
            let group = each.chiller.as_mut().or(each.rejection.as_mut())?;
            // What is short is short of the whole plant; of one group of it, one unit at least.
            let factor = (*heat / capacity.max(Power::from_watts(1.0))).min(2.0);
            group.units = group.units.saturating_add(1).max((f64::from(group.units) * factor).ceil() as u32);
        }
        Kind::ContractExceeded { asked, .. } => {
            mended.contract_power = Power::from_kilowatts((asked.as_kilowatts() * 1.01 / 10.0).ceil() * 10.0);
        }
        Kind::SupplyTooWarm { limit, .. } => {
            mended.cooling.iter_mut().find(|each| Some(each.name.as_str()) == name)?.supply_temperature = *limit;
        }
        Kind::SupplyNotHeld { supply, .. } => {
            let each = mended.cooling.iter_mut().find(|each| Some(each.name.as_str()) == name)?;
            each.supply_temperature = Temperature::from_celsius(supply.as_celsius().ceil());
        }
        Kind::FloorTooSmall { needs_m2, .. } => {
            let hall = mended.halls.iter_mut().find(|hall| Some(hall.name.as_str()) == name)?;
            hall.floor_area = Area::from_square_metres(needs_m2.ceil());
        }
        Kind::NoSpace { racks, .. } => {
            mended.halls.iter_mut().find(|hall| Some(hall.name.as_str()) == name)?.positions = *racks;
        }
        Kind::CapOutOfRange { cap, low, high } => {
            let cap = if *cap < *low { *low } else { *high };
            mended.service.power_cap = Some(cap);
            for group in mended.halls.iter_mut().flat_map(|h| &mut h.rows).flat_map(|row| &mut row.racks) {
                group.power_cap = None;
            }
        }
        Kind::NoRoomForTray { part, at_unit, .. } => {
            // It finds the lowest free unit, where one is.
            let row_name = note.place.split('"').nth(3);
            let hall = mended.halls.iter_mut().find(|hall| Some(hall.name.as_str()) == name)?;
            let row = hall.rows.iter_mut().find(|row| Some(row.name.as_str()) == row_name)?;
            let trays = row.racks.iter_mut().flat_map(|group| &mut group.trays);
            // Others of its kind that stand well stay where they are.
            let told = |tray: &&mut Mounted| tray.part.as_str() == part && tray.at_unit == *at_unit;
            trays.filter(told).for_each(|tray| tray.at_unit = None);
        }
        Kind::UnknownPart { name: wrong, nearest: Some(nearest), .. } => rename(&mut mended, wrong, nearest),
        Kind::UnknownPart { nearest: None, .. }
        | Kind::BadPart { .. }
        | Kind::UnknownName { .. }
        | Kind::DuplicateName { .. }
        | Kind::NotATree { .. }
        | Kind::WrongKind { .. }
        | Kind::OutOfRange { .. }
        | Kind::NoCompute
        | Kind::NoLiquidLoop { .. }
        | Kind::ColumnInTheWay { .. }
        | Kind::RackFull { .. }
        | Kind::RackOverload { .. }
        | Kind::ModelTooLarge { .. }
        | Kind::TargetsMissed { .. }
        | Kind::SinglePointOfFailure { .. }
        | Kind::Announced { .. }
        | Kind::Stranded { .. }
        | Kind::Unserved { .. }
        | Kind::SupplyFloats { .. }
        | Kind::Derated { .. } => return None,
    }
    (mended != *design).then_some(mended)
}

/// A change that answers a note.
#[derive(Debug, Clone, PartialEq)]
pub struct Mend {
    /// What it does, in words for a button.
    pub words: String,
    /// The design with it.
    pub design: Design,
}

/// Every change that is known to answer a note. A contract is a person's to raise: where it is exceeded, what keeps it
/// stands beside that.
pub fn mends(design: &Design, note: &Note, catalog: &Catalog) -> Vec<Mend> {
    let Some(mended) = mend(design, note) else { return Vec::new() };
    if !matches!(note.kind, Kind::ContractExceeded { .. }) {
        return vec![Mend { words: "Mend it".into(), design: mended }];
    }
    let raise = format!("raise the contract to {:.2} MW", mended.contract_power.as_megawatts());
    let raised = Mend { words: format!("Mend it: {raise}"), design: mended };
    let capped = cap_within(design, catalog).map(|(cap, design)| {
        let words = format!("Mend it: cap each GPU at {:.0} W", cap.as_watts());
        Mend { words, design }
    });
    std::iter::once(raised).chain(capped).collect()
}

/// The highest cap, in steps of a twentieth of the largest board's power, with which the design keeps its contract.
fn cap_within(design: &Design, catalog: &Catalog) -> Option<(Power, Design)> {
    let site = resolve(design, catalog).ok()?;
    let boards = site.racks.iter().filter_map(|class| class.gpu.as_ref().map(|gpu| gpu.board_power));
    let board = boards.reduce(Power::max)?;
    (1..20).find_map(|step| {
        let cap = Power::from_watts((board.as_watts() * (1.0 - f64::from(step) / 20.0)).round());
        let mut capped = design.clone();
        capped.service.power_cap = Some(cap);
        for group in capped.halls.iter_mut().flat_map(|hall| &mut hall.rows).flat_map(|row| &mut row.racks) {
            group.power_cap = None;
        }
        let notes = evaluate(&resolve(&capped, catalog).ok()?).notes;
        let broken = |note: &Note| matches!(note.kind, Kind::ContractExceeded { .. } | Kind::CapOutOfRange { .. });
        (!notes.iter().any(broken)).then_some((cap, capped))
    })
}

/// The first name in quotes: `hall "A" › row "1"` → `A`. Too warm racks are told at their hall, so their loop is not in it.
fn quoted(place: &str) -> Option<&str> {
    place.split('"').nth(1)
}

/// Puts one part's name in place of another's, wherever it stands.
fn rename(design: &mut Design, wrong: &str, right: &str) {
    let (Ok(part), Ok(model), Ok(location)) = (right.parse(), right.parse(), right.parse()) else { return };
    let swap = |id: &mut PartId| {
        if id.as_str() == wrong {
            *id = PartId::clone(&part);
        }
    };
    design.power.iter_mut().for_each(|group| swap(&mut group.part));
    design.standby.iter_mut().for_each(|several| swap(&mut several.part));
    for each in &mut design.cooling {
        swap(&mut each.terminal.part);
        each.rejection.iter_mut().chain(&mut each.chiller).for_each(|group| swap(&mut group.part));
    }
    for group in design.halls.iter_mut().flat_map(|h| &mut h.rows).flat_map(|row| &mut row.racks) {
        swap(&mut group.part);
        group.trays.iter_mut().for_each(|several| swap(&mut several.part));
    }
    if design.service.model.as_str() == wrong {
        design.service.model = model;
    }
    if design.location.as_str() == wrong {
        design.location = location;
    }
}

/// What a first design is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Brief {
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub location: LocationId,
    /// Utility contract.
    pub contract: Power,
    /// What it serves.
    pub model: ModelId,
}

/// A first design: `template` moved, scaled to the brief's contract and mended until it holds, with as many rows as the
/// contract feeds. What still can't be mended stays in its notes.
pub fn draft(template: &Design, brief: &Brief, catalog: &Catalog) -> Design {
    let factor = brief.contract / template.contract_power.max(Power::from_watts(1.0));
    let limit = brief.contract * DRAFT_SHARE;
    let mut rows = factor;
    let mut best: Option<(Power, Design)> = None;
    // Up and down from the plain factor: the place is hotter, or the template left more of its contract free.
    for _ in 0..8 {
        let drawn = scaled(template, brief, rows, catalog);
        let asked = peak(&drawn, catalog);
        let fits = asked <= limit;
        if best.as_ref().is_none_or(|(power, _)| if *power <= limit { fits && asked > *power } else { asked < *power })
        {
            best = Some((asked, drawn));
        }
        if fits && asked >= limit * 0.95 {
            break;
        }
        rows *= (limit * 0.99 / asked.max(Power::from_watts(1.0))).clamp(0.5, 2.0);
    }
    best.map_or_else(|| template.clone(), |(_, design)| design)
}

/// Draw on the hottest hour with everything busy; nothing where the design is no site.
fn peak(design: &Design, catalog: &Catalog) -> Power {
    resolve(design, catalog).map_or(Power::ZERO, |site| Power::from_megawatts(evaluate(&site).peak_power_mw))
}

fn scaled(template: &Design, brief: &Brief, factor: f64, catalog: &Catalog) -> Design {
    let mut design = template.clone();
    design.name.clone_from(&brief.name);
    design.description = format!("Drawn from \"{}\" for {:.1} MW.", template.name, brief.contract.as_megawatts());
    design.location = brief.location.clone();
    design.contract_power = brief.contract;
    design.service.model = brief.model.clone();
    design.house_power = Power::from_kilowatts((template.house_power * factor).as_kilowatts().round());
    let times = |count: u32, least: u32| ((f64::from(count) * factor).ceil() as u32).max(least);
    for group in &mut design.power {
        group.units = times(group.units, least(group.redundancy));
        if group.redundancy == Redundancy::TwoN {
            group.units = group.units.next_multiple_of(2); // sides alike
        }
    }
    for each in &mut design.cooling {
        let groups = [Some(&mut each.terminal), each.rejection.as_mut(), each.chiller.as_mut()];
        for group in groups.into_iter().flatten() {
            let CoolingGroup { units, redundancy, .. } = group;
            *units = times(*units, least(*redundancy));
        }
    }
    for several in &mut design.standby {
        several.count = times(several.count, 1);
    }
    halls(&mut design, factor);
    for _ in 0..ROUNDS_MAX {
        let notes = match resolve(&design, catalog) {
            Ok(site) => evaluate(&site).notes,
            Err(notes) => notes,
        };
        let wrong = |note: &&Note| {
            let for_a_person = matches!(note.kind, Kind::ContractExceeded { .. } | Kind::SupplyNotHeld { .. });
            note.severity != Severity::Note && !for_a_person
        };
        let Some(mended) = notes.iter().filter(wrong).find_map(|note| mend(&design, note)) else { break };
        design = mended;
    }
    design
}

/// Fewest units of a group that its redundancy has a meaning for.
fn least(redundancy: Redundancy) -> u32 {
    match redundancy {
        Redundancy::N => 1,
        Redundancy::NPlus1 | Redundancy::TwoN => 2,
        Redundancy::ThreeNOverTwo => 3,
    }
}

/// Racks under which a hall is small: many of them would be a village, so they grow before they multiply.
const SMALL_HALL_RACKS: u32 = 40;
/// Racks of a row, and rows of a hall, that small halls grow to: two rows of 8 NVL72 make a scalable unit, and halls of some
/// 10 to 20 MW are usual.
const ROW_RACKS: f64 = 16.0;
const HALL_ROWS: f64 = 10.0;

/// Grows a small hall to rows and halls of usual size.
fn grow_small(hall: &mut Hall, factor: f64) {
    let racks_of = |row: &Row| row.racks.iter().map(|group| group.count).sum::<u32>();
    let racks_of_one: u32 = hall.rows.iter().map(|row| row.count * racks_of(row)).sum();
    let wanted = f64::from(hall.count) * f64::from(racks_of_one) * factor;
    let [row] = hall.rows.as_mut_slice() else { return };
    let of_row = f64::from(racks_of(row));
    if racks_of_one >= SMALL_HALL_RACKS || wanted <= f64::from(racks_of_one) * 1.5 || of_row < 1.0 {
        return;
    }
    let longer = (ROW_RACKS / of_row).floor().clamp(1.0, (wanted / of_row).max(1.0));
    row.racks.iter_mut().for_each(|group| group.count = (f64::from(group.count) * longer).round() as u32);
    // What is left of the factor makes rows, then halls.
    let rows = wanted / f64::from(racks_of(row));
    hall.count = (rows / HALL_ROWS).ceil().max(1.0) as u32;
    row.count = (rows / f64::from(hall.count)).round().max(1.0) as u32;
}

/// Scales the racks: whole halls where there are many, rows where there are a few, else racks in the row.
fn halls(design: &mut Design, factor: f64) {
    for hall in &mut design.halls {
        let before = hall.clone();
        grow_small(hall, factor);
        let row_racks = |row: &Row| f64::from(row.count) * row.racks.iter().map(|g| f64::from(g.count)).sum::<f64>();
        let racks = |hall: &Hall| f64::from(hall.count) * hall.rows.iter().map(row_racks).sum::<f64>();
        let factor = factor * racks(&before) / racks(hall).max(1.0);
        let rows_of_one: u32 = hall.rows.iter().map(|row| row.count).sum();
        let wanted = f64::from(hall.count) * f64::from(rows_of_one) * factor;
        hall.count = ((wanted / f64::from(rows_of_one.max(1)) + 0.25).floor() as u32).max(1);
        let per_hall = wanted / f64::from(hall.count);
        let rows_factor = per_hall / f64::from(rows_of_one.max(1));
        for row in &mut hall.rows {
            let exact = f64::from(row.count) * rows_factor;
            row.count = (exact.floor() as u32).max(1);
            // What whole rows can't give is taken from the racks of each.
            let rest = (exact / f64::from(row.count)).min(1.0 + 1e-9);
            for group in &mut row.racks {
                group.count = ((f64::from(group.count) * rest).round() as u32).max(1);
            }
        }
        let racks: u32 = hall.rows.iter().map(|row| row.count * row.racks.iter().map(|g| g.count).sum::<u32>()).sum();
        let room = Ratio::from_fraction(f64::from(hall.positions) / f64::from(racks.max(1)));
        if room < Ratio::from_fraction(1.0) || room > Ratio::from_fraction(1.5) {
            hall.positions = (f64::from(racks) * 1.1).ceil() as u32;
        }
    }
}
