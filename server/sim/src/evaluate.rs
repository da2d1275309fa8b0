//! The instant answer: a site with everything busy, at its mean weather and on its hottest hour, and what is wrong
//! with it. Fast enough for every stroke of a key.

use crate::cooling::{Outside, Plant, WATER_J_PER_M3_K};
use crate::defaults;
use crate::engine::Machine;
use crate::fleet::{self, Lengths, Served};
use crate::psychrometrics as air;
use crate::serving::Refusal;
use crate::stranded::{self, Waterfall};
use model::design::Redundancy;
use model::note::{Kind, Note, Severity};
use model::part::{Availability, CoolingKind};
use model::quantity::{Bytes, Mass, Power, Ratio, Temperature};
use model::report::{Banded, Evaluation, LoopReport, NodeReport, Stranded};
use model::site::{CoolingUnits, Loop, PowerNode, Site};
use model::trace::StepValues;

/// Least share of the contract for which stranded power is worth a note.
const STRANDED_WORTH_SAYING: f64 = 0.10;

/// What the site does with everything busy, and its notes.
pub fn evaluate(site: &Site) -> Evaluation {
    evaluate_with(site, &mut Served::default())
}

/// The same, with what was worked out before of how GPUs serve: for many sites that differ in counts, limits or plant.
pub fn evaluate_with(site: &Site, served: &mut Served) -> Evaluation {
    let pressure = air::standard_pressure(site.location.elevation).as_pascals();
    let [mean, hottest] = outsides(site, pressure);
    let mut machine = Machine::with(site, pressure, Lengths::of(site), served);
    let capacity = machine.capacity();
    // What is asked for, before heat or contract hold it back: what the notes compare with the limits.
    let wanted = machine.unlimited(1.0, mean);
    let worst = machine.unlimited(1.0, hottest);
    let power_tree = power_tree(site, |at| {
        let output_mw = machine.output_w[at] / 1e6;
        Seen { peak_mw: output_mw, mean_mw: output_mw, loss_mwh: 0.0 }
    });
    let loops = loop_reports(site, &machine, hottest);
    let notes = check_with(site, &machine, &worst, &wanted, hottest, mean);
    let busy = machine.step(capacity, mean);
    let margin = fleet::margin(site, &machine.classes);
    let per_mw =
        if busy.facility_power_w > 0.0 { busy.output_tokens_per_s / (busy.facility_power_w / 1e6) } else { 0.0 };
    let short = short_heat(site, &machine, hottest);
    let fall = stranded::waterfall(site, Power::from_watts(worst.it_power_w), short);
    Evaluation {
        design: site.name.clone(),
        model: site.service.model.name.clone(),
        racks: site.rack_count(),
        gpus: site.gpu_count(),
        contract_power_mw: site.contract_power.as_megawatts(),
        facility_power_mw: busy.facility_power_w / 1e6,
        peak_power_mw: worst.facility_power_w / 1e6,
        it_power_mw: busy.it_power_w / 1e6,
        it_rated_power_mw: site.rated_it_power().as_megawatts(),
        gpu_power_mw: busy.gpu_power_w / 1e6,
        pue: if busy.it_power_w > 0.0 { busy.facility_power_w / busy.it_power_w } else { 0.0 },
        output_tokens_per_s: busy.output_tokens_per_s,
        tokens_per_second_per_mw_facility: Banded::leaning(per_mw, margin.below, margin.above),
        serving: fleet::serving_points(site, &machine.classes),
        capex_usd: site.capex.iter().map(|line| line.cost).sum::<model::money::Usd>().as_dollars(),
        stranded_power_mw: fall.stranded,
        rack_mass_t: site.racks.iter().map(|class| class.mass * class.count).sum::<Mass>().as_kilograms() / 1e3,
        power_tree,
        loops,
        hottest_c: hottest.dry_bulb_c,
        notes,
    }
}

/// What becomes of the power that is installed where halls are fed, with everything busy on the hottest hour.
pub fn stranded(site: &Site) -> Waterfall {
    let pressure = air::standard_pressure(site.location.elevation).as_pascals();
    let [_, hottest] = outsides(site, pressure);
    let mut machine = Machine::with(site, pressure, Lengths::of(site), &mut Served::default());
    let worst = machine.unlimited(1.0, hottest);
    stranded::waterfall(site, Power::from_watts(worst.it_power_w), short_heat(site, &machine, hottest))
}

/// The mean weather, and that of the hottest hour.
fn outsides(site: &Site, pressure_pa: f64) -> [Outside; 2] {
    defaults::mean_and_hottest(&site.location).map(|(dry_bulb_c, wet_bulb_c)| Outside {
        dry_bulb_c,
        wet_bulb_c,
        pressure_pa,
    })
}

/// Each cooling loop as the machine's last step left it.
fn loop_reports(site: &Site, machine: &Machine, outside: Outside) -> Vec<LoopReport> {
    let report = |(at, each): (usize, &Loop)| {
        let heat_w = machine.heat_w()[at];
        let step = machine.plants[at].step(heat_w, outside);
        let firm = Plant::new(each, CoolingUnits::firm_units, machine.pressure_pa);
        let flow_m3_per_s = machine.plants[at].flow_m3_per_s(heat_w);
        let rise_k = if flow_m3_per_s > 0.0 { step.heat_w / (flow_m3_per_s * WATER_J_PER_M3_K) } else { 0.0 };
        LoopReport {
            name: each.name.clone(),
            heat_mw: heat_w / 1e6,
            terminal_firm_mw: each.terminal.firm().as_megawatts(),
            outside_firm_mw: firm.most_heat_w(outside) / 1e6,
            supply_c: step.supply_c,
            return_c: step.supply_c + rise_k,
            flow_m3_per_h: flow_m3_per_s * 3600.0,
            fan_kw: step.fan_w / 1e3,
            pump_kw: step.pump_w / 1e3,
            chiller_kw: step.chiller_w / 1e3,
            water_m3_per_h: step.water_l_per_s * 3.6,
            mode: step.mode.name().to_owned(),
        }
    };
    site.loops.iter().enumerate().map(report).collect()
}

/// What is wrong with a site, worst first. `Severity::Error` means that it can't be run as drawn.
pub fn check(site: &Site) -> Vec<Note> {
    evaluate(site).notes
}

/// What a node of the power tree saw: highest and mean output, MW, and energy lost, MWh.
pub(crate) struct Seen {
    pub(crate) peak_mw: f64,
    pub(crate) mean_mw: f64,
    pub(crate) loss_mwh: f64,
}

/// Every node of the power tree with what it saw.
pub(crate) fn power_tree(site: &Site, seen: impl Fn(usize) -> Seen) -> Vec<NodeReport> {
    let report = |(at, node): (usize, &PowerNode)| {
        let Seen { peak_mw, mean_mw, loss_mwh } = seen(at);
        NodeReport {
            name: node.name.clone(),
            part: node.part.clone(),
            depth: depth(site, at),
            units: node.units,
            installed_mw: node.installed().as_megawatts(),
            firm_mw: node.firm().as_megawatts(),
            provisioned_mw: provisioned(site, at).as_megawatts(),
            peak_mw,
            mean_mw,
            loss_mwh,
        }
    };
    site.power.iter().enumerate().map(report).collect()
}

/// Levels between a node and the service entrance.
fn depth(site: &Site, at: usize) -> u32 {
    let mut levels = 0;
    let mut parent = site.power[at].fed_by;
    while let Some(up) = parent {
        levels += 1;
        parent = site.power[up as usize].fed_by;
    }
    levels
}

/// Provisioned power of all racks behind a node.
fn provisioned(site: &Site, at: usize) -> Power {
    let behind = |mut node: u32| loop {
        if node as usize == at {
            break true;
        }
        match site.power[node as usize].fed_by {
            Some(up) => node = up,
            None => break false,
        }
    };
    site.racks.iter().filter(|class| behind(class.fed_by)).map(|class| class.provisioned() * class.count).sum()
}

/// Provisioned heat that the firm plant can't reject on the hottest hour, all loops.
fn short_heat(site: &Site, machine: &Machine, hottest: Outside) -> Power {
    let mut short = Power::ZERO;
    for each in &site.loops {
        let plant = Plant::new(each, CoolingUnits::firm_units, machine.pressure_pa);
        let step = plant.step(each.design_heat.as_watts(), hottest);
        if step.supply_c > plant.set_point_c() + 1e-9 || step.rejected_w < step.heat_w {
            short += (each.design_heat - Power::from_watts(plant.most_heat_w(hottest))).max(Power::ZERO);
        }
    }
    short
}

fn check_with(
    site: &Site,
    machine: &Machine,
    worst: &StepValues,
    wanted: &StepValues,
    hottest: Outside,
    mean: Outside,
) -> Vec<Note> {
    let mut notes = Vec::new();
    serving(site, machine, &mut notes);
    feeds(site, machine, &mut notes);
    contract(site, worst, wanted, &mut notes);
    cooling(site, machine, hottest, mean, &mut notes);
    floors(site, &mut notes);
    announced(site, &mut notes);
    let fall = stranded::waterfall(site, Power::from_watts(worst.it_power_w), Power::ZERO);
    let when = "draw on the hottest hour with everything busy";
    notes.extend(stranded_notes(site, &fall.stranded, when));
    notes.sort_by_key(|note| std::cmp::Reverse(note.severity));
    notes
}

/// Is much power stranded? `when` says of which draw: "draw on the hottest hour".
pub(crate) fn stranded_notes(site: &Site, stranded: &Stranded, when: &str) -> Vec<Note> {
    let mismatch = "levels of the power tree are not of one size, or less than a rack is left over".to_owned();
    let causes = [
        (stranded.rating_mismatch, mismatch),
        (stranded.space, "there is no position for another rack".to_owned()),
        (stranded.part_load, format!("racks are provisioned for more than they {when}")),
    ];
    let contract = site.contract_power;
    let note = |(mw, cause): (f64, String)| {
        let power = Power::from_megawatts(mw);
        let kind = Kind::Stranded { power, share: Ratio::from_fraction(power / contract), cause };
        Note { severity: Severity::Note, place: "power".into(), kind }
    };
    causes.into_iter().filter(|(mw, _)| *mw > STRANDED_WORTH_SAYING * contract.as_megawatts()).map(note).collect()
}

/// Does the model fit, and can the targets be met?
fn serving(site: &Site, machine: &Machine, notes: &mut Vec<Note>) {
    let service = &site.service;
    for &(at, why) in &machine.refusals {
        let rack = &site.racks[at];
        let kind = match why {
            Refusal::TooLarge { weights, memory } => Kind::ModelTooLarge {
                model: service.model.name.clone(),
                weights: Bytes::from_bytes(weights),
                memory: Bytes::from_bytes(memory),
                gpu: rack.gpu.as_ref().map(|gpu| gpu.name.clone()).unwrap_or_default(),
            },
            Refusal::TargetsMissed { ttft_s, tpot_s } => Kind::TargetsMissed {
                tpot_ms: tpot_s * 1e3,
                tpot_target_ms: service.tpot.as_seconds() * 1e3,
                ttft_ms: ttft_s * 1e3,
                ttft_target_ms: service.ttft.as_seconds() * 1e3,
            },
        };
        notes.push(Note { severity: Severity::Error, place: rack.place.clone(), kind });
    }
}

/// Is any power group asked for more than it can promise, or alone?
fn feeds(site: &Site, machine: &Machine, notes: &mut Vec<Note>) {
    for (at, node) in site.power.iter().enumerate() {
        let place = format!("power \"{}\"", node.name);
        let asked = provisioned(site, at).max(Power::from_watts(machine.output_w[at]));
        let firm = node.firm();
        if asked > firm * 1.000_001 {
            let kind = Kind::FeedOverload {
                firm,
                asked,
                units_needed: units_needed(node.redundancy, asked / node.rated_power),
            };
            notes.push(Note { severity: Severity::Error, place, kind });
        } else if node.units == 1 && site.power.len() > 1 {
            let kind = Kind::SinglePointOfFailure { part: node.part.clone() };
            notes.push(Note { severity: Severity::Note, place, kind });
        }
    }
}

/// Units to install so that `needed` units' worth stays with the redundancy kept.
fn units_needed(redundancy: Redundancy, needed: f64) -> u32 {
    let n = (needed - 1e-6).ceil().max(1.0);
    let units = match redundancy {
        Redundancy::N => n,
        Redundancy::NPlus1 => n + 1.0,
        Redundancy::TwoN => 2.0 * n,
        Redundancy::ThreeNOverTwo => (1.5 * n).ceil(),
    };
    units as u32
}

/// Does the facility stay within its contract? Above it on the hottest hour only, the fleet is held back then.
fn contract(site: &Site, worst: &StepValues, wanted: &StepValues, notes: &mut Vec<Note>) {
    let contract = site.contract_power;
    let asked = Power::from_watts(worst.facility_power_w);
    if asked > contract * 1.000_001 {
        let always = wanted.facility_power_w > contract.as_watts() * 1.000_001;
        let severity = if always { Severity::Error } else { Severity::Warning };
        notes.push(Note { severity, place: "utility".into(), kind: Kind::ContractExceeded { contract, asked } });
    }
}

/// Can each loop move and reject its heat? Short on the hottest hour only, the fleet is held back then.
fn cooling(site: &Site, machine: &Machine, hottest: Outside, mean: Outside, notes: &mut Vec<Note>) {
    for (at, each) in site.loops.iter().enumerate() {
        let place = format!("cooling \"{}\"", each.name);
        // Heat with everything busy, as the machine's last step brought it.
        let heat = Power::from_watts(machine.heat_w()[at]);
        let capacity = each.terminal.firm();
        if heat > capacity * 1.000_001 {
            let units = units_needed(each.terminal.redundancy, heat / each.terminal.part.heat_capacity);
            let kind = Kind::TerminalShort { heat, capacity, units_needed: units };
            notes.push(Note { severity: Severity::Error, place: place.clone(), kind });
        }
        let plant = Plant::new(each, CoolingUnits::firm_units, machine.pressure_pa);
        let able = |outside| Power::from_watts(plant.most_heat_w(outside));
        let short = |outside| heat > able(outside) * 1.000_001 && heat <= capacity * 1.000_001;
        let outside = if short(mean) {
            Some((mean, Severity::Error))
        } else {
            short(hottest).then_some((hottest, Severity::Warning))
        };
        if let Some((outside, severity)) = outside {
            let temperature = Temperature::from_celsius(outside.dry_bulb_c);
            let kind = Kind::CoolingShort { heat, capacity: able(outside), outside: temperature };
            notes.push(Note { severity, place: place.clone(), kind });
        }
        let floats = |outside: Outside| {
            let step = machine.plants[at].step(machine.heat_w()[at], outside);
            (step.supply_c > machine.plants[at].set_point_c() + 0.5).then_some((step.supply_c, outside.dry_bulb_c))
        };
        let always = floats(mean).map(|found| (found, Severity::Warning));
        if let Some(((supply_c, dry_bulb_c), severity)) =
            always.or_else(|| floats(hottest).map(|found| (found, Severity::Note)))
        {
            let kind = Kind::SupplyNotHeld {
                set_point: each.supply,
                supply: Temperature::from_celsius(supply_c),
                outside: Temperature::from_celsius(dry_bulb_c),
            };
            notes.push(Note { severity, place: place.clone(), kind });
        }
        if each.terminal.units == 1 && matches!(each.terminal.part.kind, CoolingKind::Cdu { .. }) {
            let kind = Kind::SinglePointOfFailure { part: each.terminal.part.name.clone() };
            notes.push(Note { severity: Severity::Note, place, kind });
        }
    }
}

/// Do the rows fit on the floor, and stand clear of columns?
fn floors(site: &Site, notes: &mut Vec<Note>) {
    for hall in &site.halls {
        let mut warn = |kind| {
            notes.push(Note { severity: Severity::Warning, place: format!("hall \"{}\"", hall.name), kind });
        };
        let (has_m2, needs_m2) = (hall.floor.as_square_metres(), hall.floor_needed.as_square_metres());
        if has_m2 > 0.0 && needs_m2 > has_m2 * 1.000_001 {
            warn(Kind::FloorTooSmall { has_m2, needs_m2 });
        }
        if hall.blocked_racks > 0 {
            warn(Kind::ColumnInTheWay { racks: hall.blocked_racks });
        }
    }
}

/// Parts that can't be bought yet.
fn announced(site: &Site, notes: &mut Vec<Note>) {
    let mut said: Vec<&str> = Vec::new();
    for class in &site.racks {
        let gpu = class.gpu.as_ref().filter(|gpu| gpu.availability == Availability::Announced);
        if let Some(gpu) = gpu.filter(|gpu| !said.contains(&gpu.name.as_str())) {
            said.push(&gpu.name);
            let kind = Kind::Announced { part: gpu.name.clone() };
            notes.push(Note { severity: Severity::Note, place: class.place.clone(), kind });
        }
    }
}
