//! Reports for people at a terminal, from the same structs as the JSON and the pages.

use model::note::{Note, Severity};
use model::report::{Banded, Evaluation, NodeReport, Report, ServingPoint, Stranded};
use std::fmt::Write;

/// Three significant figures with thousands apart, for figures in a unit that is said beside them.
fn figure(value: f64) -> String {
    let value = value + 0.0; // an empty sum is −0, which nobody wants to read
    let digits = if value == 0.0 { 0 } else { (2 - value.abs().log10().floor() as i32).clamp(0, 6) };
    let text = format!("{value:.*}", digits as usize);
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut spaced = String::with_capacity(text.len() + 4);
    for (at, digit) in whole.chars().enumerate() {
        let left = whole.len() - at;
        if at > 0 && left.is_multiple_of(3) && !spaced.ends_with('-') {
            spaced.push(' ');
        }
        spaced.push(digit);
    }
    rest.map_or(spaced.clone(), |rest| format!("{spaced}.{rest}"))
}

fn band(banded: Banded) -> String {
    format!("{} ({} to {})", figure(banded.value), figure(banded.low), figure(banded.high))
}

/// Lines of a report, written to a string, which can't fail.
struct Lines(String);

impl Lines {
    fn heading(&mut self, words: &str) {
        let _ = writeln!(self.0, "\n{words}");
    }
    fn row(&mut self, name: &str, value: &str, unit: &str) {
        let _ = writeln!(self.0, "  {name:<38} {value:>16} {unit}");
    }
    fn words(&mut self, words: &str) {
        let _ = writeln!(self.0, "  {words}");
    }
}

/// A year, as text.
pub fn report(r: &Report) -> String {
    let mut lines = Lines(format!("{}: a year in {}, serving {}\n", r.design, r.location, r.model));
    let band = band(r.tokens_per_second_per_mw_facility_band);
    lines.row("Tokens per megawatt", &band, "output tokens/s per facility MW");
    lines.row("per IT megawatt", &figure(r.tokens_per_second_per_mw_it), "output tokens/s per MW into racks");
    lines.row("per GPU-board megawatt", &figure(r.tokens_per_second_per_mw_gpu), "output tokens/s per MW into boards");
    lines.row("Tokens made", &figure(r.tokens_output / 1e9), "billion output tokens");
    if r.tokens_output > 0.0 {
        lines.row("Cost", &self::band(r.cost_per_million_tokens_usd_band), "$ per million output tokens");
    } else {
        lines.row("Cost", "—", "$ per million output tokens: none were made");
    }
    lines.row("PUE, WUE", &format!("{:.3}, {:.3}", r.pue, r.wue_l_per_kwh), "facility/IT energy, L/kWh IT");
    lines.row(
        "Power, mean and peak",
        &format!("{}, {}", figure(r.mean_power_mw), figure(r.peak_power_mw)),
        &format!("MW of {} MW contract", figure(r.contract_power_mw)),
    );
    lines.row("Use of the fleet", &format!("{:.1}", r.utilisation * 100.0), "% of what it could make");
    where_it_went(&mut lines, r);
    stranded(&mut lines, &r.stranded_power_mw);
    lines.heading("Cooling of the largest loop, hours");
    for (mode, hours) in r.hours_by_cooling_mode.iter().filter(|(_, hours)| **hours > 0.0) {
        lines.row(mode, &figure(*hours), "h");
    }
    lines.row("chillers of any loop run", &figure(r.hours_chillers_run), "h");
    lines.row("fleet held back", &figure(r.hours_derated), "h");
    lines.row("supply above its set-point", &figure(r.hours_above_set_point), "h");
    money(&mut lines, r);
    serving(&mut lines, &r.serving);
    lines.heading("Inputs");
    for input in &r.input {
        let filled = if input.filled > 0 { format!(", {} filled in", input.filled) } else { String::new() };
        lines.words(&format!("{}: {} ({}, {} rows{filled})", input.input, input.file, input.format, input.rows));
        for remark in &input.remarks {
            lines.words(&format!("    {remark}"));
        }
    }
    notes(&mut lines, &r.notes);
    lines.0
}

fn where_it_went(lines: &mut Lines, r: &Report) {
    lines.heading("Where every megawatt-hour went");
    let mut row = |name: &str, mwh: f64| {
        let share = if r.facility_energy_mwh > 0.0 { mwh / r.facility_energy_mwh * 100.0 } else { 0.0 };
        lines.row(name, &figure(mwh), &format!("MWh  {share:>5.1}%"));
    };
    row("From the utility", r.facility_energy_mwh);
    row("  transformers, UPS, busways", r.distribution_loss_mwh);
    row("  fans", r.fan_energy_mwh);
    row("  pumps", r.pump_energy_mwh);
    row("  chillers", r.chiller_energy_mwh);
    row("  house", r.house_energy_mwh);
    row("  into racks (IT)", r.it_energy_mwh);
    row("    rack rectifiers", r.shelf_loss_mwh);
    row("    processors, network, server fans", r.it_energy_mwh - r.shelf_loss_mwh - r.gpu_energy_mwh);
    row("    GPU boards", r.gpu_energy_mwh);
}

fn stranded(lines: &mut Lines, s: &Stranded) {
    lines.heading("Power installed to feed racks and not usable, by cause");
    for (cause, mw) in [
        ("redundancy", s.redundancy),
        ("rating mismatch", s.rating_mismatch),
        ("cooling", s.cooling),
        ("space", s.space),
        ("part load", s.part_load),
    ] {
        lines.row(cause, &figure(mw), "MW");
    }
}

fn money(lines: &mut Lines, r: &Report) {
    lines.heading("Money, a year");
    let m = &r.money;
    for (name, dollars) in [
        ("capital and its return", m.capital_usd),
        ("energy", m.energy_usd),
        ("demand charges", m.demand_charge_usd),
        ("water", m.water_usd),
        ("upkeep", m.upkeep_usd),
        ("staff, insurance, tax", m.staff_usd),
        ("all costs", m.total_usd),
        ("revenue, prompts and answers all sold", m.revenue_usd),
        ("revenue per contract megawatt", m.revenue_per_mw_usd),
        ("to build it, once", m.capex_usd),
    ] {
        lines.row(name, &figure(dollars / 1e6), "million $");
    }
    lines.row("Carbon", &figure(r.carbon_t), "t CO2e");
    lines.row("Water", &figure(r.water_m3), "m³");
}

fn serving(lines: &mut Lines, points: &[ServingPoint]) {
    lines.heading("Serving at full work");
    for p in points {
        lines.words(&format!(
            "{} {}: {} output tokens/s each, {} GPUs a replica, batch {}, {:.0} ms between tokens, {:.0} ms to the first without waiting, {:.0} W of {:.0} W, bound by {}",
            figure(f64::from(p.gpus)), p.gpu, figure(p.output_tokens_per_s_per_gpu), p.gpus_per_replica, p.batch, p.tpot_ms, p.ttft_ms, p.gpu_power_w, p.power_cap_w, p.bound_by
        ));
    }
}

fn notes(lines: &mut Lines, notes: &[Note]) {
    if notes.is_empty() {
        return;
    }
    lines.heading("Notes");
    for note in notes {
        let word = match note.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        lines.words(&format!("{word}: {note}"));
    }
}

/// An instant answer, as text.
pub fn evaluation(e: &Evaluation) -> String {
    let mut lines = Lines(format!("{}: everything busy, serving {}\n", e.design, e.model));
    let band = band(e.tokens_per_second_per_mw_facility);
    lines.row("Tokens per megawatt", &band, "output tokens/s per facility MW");
    lines.row("Tokens", &figure(e.output_tokens_per_s), "output tokens/s");
    lines.row("Racks, GPUs", &format!("{}, {}", e.racks, e.gpus), "");
    lines.row("Facility, mean weather", &figure(e.facility_power_mw), "MW");
    lines.row(
        "Facility, hottest hour",
        &figure(e.peak_power_mw),
        &format!("MW of {} MW contract", figure(e.contract_power_mw)),
    );
    lines.row(
        "Into racks, of provisioned",
        &format!("{}, {}", figure(e.it_power_mw), figure(e.it_rated_power_mw)),
        "MW",
    );
    lines.row("Into GPU boards", &figure(e.gpu_power_mw), "MW");
    lines.row("PUE", &format!("{:.3}", e.pue), "facility/IT power");
    lines.row("To build it", &figure(e.capex_usd / 1e6), "million $");
    stranded(&mut lines, &e.stranded_power_mw);
    tree(&mut lines, &e.power_tree);
    serving(&mut lines, &e.serving);
    notes(&mut lines, &e.notes);
    lines.0
}

fn tree(lines: &mut Lines, nodes: &[NodeReport]) {
    lines.heading("Power tree, MW                              firm   provisioned   drawn on the hottest hour");
    for node in nodes {
        let name = format!("{}{} ({} × {})", "  ".repeat(node.depth as usize), node.name, node.units, node.part);
        lines.words(&format!(
            "{name:<58} {:>9} {:>9} {:>9}",
            figure(node.firm_mw),
            figure(node.provisioned_mw),
            figure(node.peak_mw)
        ));
    }
}
