//! What charts and tables say, worked out from a report: sentences with their figures, and rows. Plain functions, so that
//! components only pick and show.

use crate::format::{self, Units};
use model::design::Demand;
use model::report::{Evaluation, Money, Month, Report, ServingPoint, Stranded};
use model::run::{RunRequest, RunSummary};

/// A share of a whole, where there is a whole.
pub fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0 && part.is_finite()).then(|| part / whole)
}

/// The year month by month, in one sentence.
pub fn months(months: &[Month]) -> String {
    let highest = months.iter().max_by(|a, b| a.facility_energy_mwh.total_cmp(&b.facility_energy_mwh));
    let Some(highest) = highest else { return "No month was simulated".into() };
    let mean = months.iter().map(|m| m.facility_energy_mwh).sum::<f64>() / months.len() as f64;
    let above = share(highest.facility_energy_mwh - mean, mean).unwrap_or_default();
    let cooling = months.iter().max_by(|a, b| a.cooling_energy_mwh.total_cmp(&b.cooling_energy_mwh)).unwrap_or(highest);
    format!(
        "{} takes the most energy, {}, {} above the mean month; cooling takes most in {}, {}",
        format::month(highest.month),
        format::megawatt_hours(highest.facility_energy_mwh),
        format::percent(above),
        format::month(cooling.month),
        format::megawatt_hours(cooling.cooling_energy_mwh)
    )
}

/// How the year uses the contract, in one sentence.
pub fn duration(exceeded_mw: &[f64], contract_mw: f64) -> String {
    let Some(highest) = exceeded_mw.first().copied() else { return "No hour was simulated".into() };
    let near = exceeded_mw.iter().filter(|mw| **mw >= 0.9 * contract_mw).count();
    let peak = format::megawatts(highest);
    match share(near as f64, exceeded_mw.len() as f64) {
        Some(of_year) if near > 0 && contract_mw > 0.0 => format!(
            "The facility draws 90 % of its contract or more for {} of the year, and {peak} at its highest",
            format::percent(of_year)
        ),
        _ => format!(
            "The facility never draws 90 % of its contract: {peak} at its highest, of {}",
            format::megawatts(contract_mw)
        ),
    }
}

/// Where the energy went, in one sentence.
pub fn flow(report: &Report) -> String {
    let of_meter = |mwh| format::or_missing(share(mwh, report.facility_energy_mwh), format::percent);
    format!(
        "Of {} at the meter, {} reaches GPU boards; cooling takes {} and power distribution {}",
        format::megawatt_hours(report.facility_energy_mwh),
        of_meter(report.gpu_energy_mwh),
        of_meter(report.cooling_energy_mwh),
        of_meter(report.distribution_loss_mwh)
    )
}

/// One row of the way from the meter to the tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct EnergyRow {
    /// What takes it, or where it arrives.
    pub name: &'static str,
    /// Whether it is taken from the row above, or what is left there.
    pub step: EnergyStep,
    /// How much.
    pub mwh: f64,
    /// Share of what the meter saw.
    pub share: Option<f64>,
}

/// What a row of the energy table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnergyStep {
    /// Energy that arrives here.
    Arrives,
    /// Energy taken on the way.
    Taken,
}

impl EnergyStep {
    /// Class of its row in a table.
    pub fn class(self) -> &'static str {
        match self {
            Self::Arrives => "arrives",
            Self::Taken => "taken",
        }
    }

    /// What stands before its figure.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Arrives => "",
            Self::Taken => "−",
        }
    }
}

/// From the utility to the boards, line by line.
pub fn energy_rows(report: &Report) -> Vec<EnergyRow> {
    let other = (report.it_energy_mwh - report.gpu_energy_mwh - report.shelf_loss_mwh).max(0.0);
    let row = |name, step, mwh| EnergyRow { name, step, mwh, share: share(mwh, report.facility_energy_mwh) };
    vec![
        row("Utility meter", EnergyStep::Arrives, report.facility_energy_mwh),
        row("Transformers, UPS, busways", EnergyStep::Taken, report.distribution_loss_mwh),
        row("Fans", EnergyStep::Taken, report.fan_energy_mwh),
        row("Pumps", EnergyStep::Taken, report.pump_energy_mwh),
        row("Chillers", EnergyStep::Taken, report.chiller_energy_mwh),
        row("Lighting, offices", EnergyStep::Taken, report.house_energy_mwh),
        row("Racks (IT)", EnergyStep::Arrives, report.it_energy_mwh),
        row("Rectifiers in the racks", EnergyStep::Taken, report.shelf_loss_mwh),
        row("Processors, network, server fans", EnergyStep::Taken, other),
        row("GPU boards", EnergyStep::Arrives, report.gpu_energy_mwh),
    ]
}

/// Stranded power by cause: what it is called, why it is, and how much, in megawatts.
pub fn stranded_rows(stranded: &Stranded) -> [(&'static str, &'static str, f64); 5] {
    [
        ("Redundancy", "held back so that units may fail", stranded.redundancy),
        ("Rating mismatch", "a level below is smaller, or less than a rack is left", stranded.rating_mismatch),
        ("Cooling", "heat of racks that can't be rejected", stranded.cooling),
        ("Space", "no position for another rack", stranded.space),
        ("Part load", "provisioned to racks that never draw it", stranded.part_load),
    ]
}

/// All stranded power, in megawatts.
pub fn stranded_total(stranded: &Stranded) -> f64 {
    stranded_rows(stranded).iter().map(|(_, _, mw)| mw).sum()
}

/// Stranded power, in one sentence. It is counted where racks are fed, so it can be more than the contract: the spare
/// side of a double feed is installed too.
pub fn stranded(stranded: &Stranded) -> String {
    let total = stranded_total(stranded);
    let largest = stranded_rows(stranded).into_iter().max_by(|a, b| a.2.total_cmp(&b.2));
    match largest {
        Some((name, _, mw)) if total > 0.0 => format!(
            "{} of what is installed to feed racks can't make tokens; the largest cause is {}, {}",
            format::megawatts(total),
            name.to_lowercase(),
            format::megawatts(mw)
        ),
        _ => "No power is stranded".into(),
    }
}

/// Yearly costs, with each one's part of the price of a million output tokens.
pub fn money_rows(money: &Money, tokens: f64) -> Vec<(&'static str, f64, Option<f64>)> {
    [
        ("Capital and its return", money.capital_usd),
        ("Energy", money.energy_usd),
        ("Demand charges", money.demand_charge_usd),
        ("Water", money.water_usd),
        ("Upkeep and spares", money.upkeep_usd),
        ("Staff, insurance, tax", money.staff_usd),
        ("All costs", money.total_usd),
    ]
    .into_iter()
    .map(|(name, usd)| (name, usd, share(usd * 1e6, tokens)))
    .collect()
}

/// Hours in each way of cooling, in words, longest first; those with none are left out.
pub fn cooling_rows(report: &Report) -> Vec<(&'static str, f64)> {
    let mut rows: Vec<_> = report.hours_by_cooling_mode.iter().map(|(mode, hours)| (cooling(mode), *hours)).collect();
    rows.retain(|(_, hours)| *hours > 0.0);
    rows.sort_by(|a, b| b.1.total_cmp(&a.1));
    rows
}

fn cooling(mode: &str) -> &'static str {
    match mode {
        "dry" => "Outside air alone",
        "adiabatic" => "Outside air, wetted",
        "tower" => "Evaporation in a tower",
        "trim" => "Outside, with chillers for the rest",
        "chiller" => "Chillers for all of it",
        _ => "Another way",
    }
}

/// How the year was cooled, in one sentence. Ways of cooling are those of the largest loop; chillers of the others are
/// known by their energy alone.
pub fn cooling_finding(report: &Report) -> String {
    let chilled: f64 = ["trim", "chiller"].iter().filter_map(|mode| report.hours_by_cooling_mode.get(*mode)).sum();
    match cooling_rows(report).first() {
        None => "No hour was simulated".into(),
        Some((name, hours)) if chilled <= 0.0 => {
            let others = if report.chiller_energy_mwh > 0.0 {
                format!("; those of other loops take {}", format::megawatt_hours(report.chiller_energy_mwh))
            } else {
                String::new()
            };
            let name = name.to_lowercase();
            let warm = report.hours_above_set_point;
            if warm > 0.0 {
                let (all, warm) = (format::hours(*hours), format::hours(warm));
                return format!(
                    "The largest loop used no chiller: {name} for {all}, too warm for {warm} of them{others}"
                );
            }
            format!("The largest loop never needs a chiller: {name} for {}{others}", format::hours(*hours))
        }
        Some(_) => format!("The largest loop needs chillers for {} of the year", format::hours(chilled)),
    }
}

/// Hours of a simulated year.
pub const HOURS_OF_THE_YEAR: f64 = 8760.0;
/// PUE of a facility as it is usually built: the middle of published industry averages, 1.45 to 1.55.
pub const USUAL_PUE: f64 = 1.5;

/// The year in one sentence, with its figure.
pub fn headline(report: &Report) -> String {
    format!(
        "{} makes {} ({}) of output from each megawatt at its meter, serving {} at {} of full work",
        report.design,
        format::token_rate(report.tokens_per_second_per_mw_facility),
        format::band(&report.tokens_per_second_per_mw_facility_band),
        report.model,
        format::percent(report.utilisation)
    )
}

/// What holds the facility back, in sentences, what matters most first.
pub fn limits(report: &Report) -> Vec<String> {
    let mut said = Vec::new();
    if report.utilisation < 0.95 && report.tokens_unserved <= 0.01 * report.tokens_output {
        said.push(format!(
            "Work: the fleet was at {} of what it could make. More requests, or fewer racks, would make more of each megawatt.",
            format::percent(report.utilisation)
        ));
    }
    if report.tokens_unserved > 0.01 * report.tokens_output {
        let asked = report.tokens_output + report.tokens_unserved;
        let share = share(report.tokens_unserved, asked).unwrap_or_default();
        said.push(format!("The fleet: {} of what was asked for was not served.", format::percent(share)));
    }
    for point in &report.serving {
        said.push(format!("{}: bound by {}.", point.gpu, bound_by(point)));
    }
    if report.hours_derated > 0.0 {
        said.push(format!(
            "Heat or the utility contract held the fleet back for {}.",
            format::hours(report.hours_derated)
        ));
    }
    said.push(format!("{}.", stranded(&report.stranded_power_mw)));
    said.push(format!("{}.", cooling_finding(report)));
    said
}

/// What the facility is, for one who never saw the design: place, contract, GPUs, and what it costs.
pub fn facts(report: &Report, units: Units) -> String {
    format!(
        "{} · {} contract · {} in {} · {} to build, {} a year in all · {} of water a year",
        report.location,
        format::megawatts(report.contract_power_mw),
        format::things(report.gpus, "GPU", "GPUs"),
        format::things(report.racks, "rack", "racks"),
        format::money(report.money.capex_usd),
        format::money(report.money.total_usd),
        format::water_in(units, report.water_m3)
    )
}

/// What a run was made with, in words: `hourly steps · own weather and prices · 700 W a GPU`.
pub fn conditions(request: &RunRequest) -> String {
    let step = if request.step_minutes == 60 {
        "hourly steps".to_owned()
    } else {
        format!("{}-minute steps", request.step_minutes)
    };
    let own: Vec<String> = request.inputs().map(|(kind, _)| kind.to_string()).collect();
    let mut said = vec![step];
    if request.seed != 1 {
        said.push(format!("seed {}", request.seed));
    }
    if !own.is_empty() {
        said.push(format!("own {}", own.join(", ")));
    }
    said.extend(request.model.as_ref().map(|model| format!("serving {model}")));
    said.extend(request.power_cap.map(|cap| format!("{} a GPU", format::power(cap))));
    said.extend(request.supply_temperature.map(|supply| format!("water at {:.0} °C", supply.as_celsius())));
    said.extend(request.demand.map(|demand| match demand {
        Demand::PeakShare(share) => format!("busiest hour asks for {:.0}%", share.as_percent()),
        Demand::Scale(times) => format!("{times} times the trace"),
    }));
    said.join(" · ")
}

/// What an improvement is worth, in a sentence.
pub fn worth(each: &model::report::Improvement) -> String {
    let parts = [
        (format::change(0.0, each.tokens, format::tokens), "a year"),
        (format::relative_change(each.tokens_per_mw_share), "tokens per megawatt"),
        (format::change(0.0, -each.power_mw, format::megawatts), "of highest draw"),
        (format::change(0.0, each.gain_usd, format::money), "a year"),
    ];
    let said: Vec<String> = parts
        .into_iter()
        .filter(|(figure, _)| !figure.is_empty())
        .map(|(figure, of)| format!("{figure} {of}"))
        .collect();
    if said.is_empty() { "No change worth naming.".into() } else { format!("{}.", said.join(" · ")) }
}

/// The same racks at the same work in a facility as it is usually built.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usual {
    /// Output tokens per second and facility megawatt.
    pub tokens_per_mw: f64,
    /// At the meter.
    pub energy_mwh: f64,
    /// Energy and demand charge.
    pub electricity_usd: f64,
    /// Emitted.
    pub carbon_t: f64,
}

impl Usual {
    /// Everything that follows the meter, at [`USUAL_PUE`] in the place of the report's own.
    pub fn of(report: &Report) -> Self {
        let factor = if report.pue > 0.0 { USUAL_PUE / report.pue } else { 0.0 };
        Self {
            tokens_per_mw: report.tokens_per_second_per_mw_it / USUAL_PUE,
            energy_mwh: report.facility_energy_mwh * factor,
            electricity_usd: (report.money.energy_usd + report.money.demand_charge_usd) * factor,
            carbon_t: report.carbon_t * factor,
        }
    }
}

/// The year hour by hour, in one sentence.
pub fn hours(by_hour_mw: &[f64]) -> String {
    let Some((at, highest)) = by_hour_mw.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)) else {
        return "No hour was simulated".into();
    };
    let lowest = by_hour_mw.iter().copied().fold(f64::MAX, f64::min);
    format!(
        "The facility draws most, {}, at {:02}:00 on {}, and least {}",
        format::megawatts(highest),
        at % 24,
        format::day_of_year(at / 24),
        format::megawatts(lowest)
    )
}

/// What bounds a machine's speed, in words that say what to change.
pub fn bound_by(point: &ServingPoint) -> String {
    let why = match point.bound_by.as_str() {
        "memory bandwidth" => "reading weights and context from memory",
        "arithmetic" => "arithmetic on prompts and large batches",
        "links" => "traffic between GPUs",
        "memory size" => "room for more requests at once",
        "time targets" => "a larger batch would be too slow for each reader",
        _ => return point.bound_by.clone(),
    };
    format!("{}: {why}", point.bound_by)
}

/// The newest runs that have an answer.
pub fn answered(runs: Vec<RunSummary>, at_most: usize) -> Vec<(RunSummary, f64)> {
    runs.into_iter()
        .filter_map(|run| run.tokens_per_second_per_mw_facility.map(|figure| (run, figure)))
        .take(at_most)
        .collect()
}

/// Share of the contract that the hottest busy hour draws.
pub fn contract_used(evaluation: &Evaluation) -> f64 {
    share(evaluation.peak_power_mw, evaluation.contract_power_mw).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn plain(words: &str) -> String {
        words.replace('\u{202f}', " ")
    }

    #[test]
    fn months_name_the_highest() {
        let year: Vec<_> = (1..=12)
            .map(|month| Month {
                month,
                facility_energy_mwh: if month == 8 { 1_110.0 } else { 990.0 },
                cooling_energy_mwh: if month == 7 { 90.0 } else { 50.0 },
                ..Month::default()
            })
            .collect();
        let said =
            "August takes the most energy, 1.11 GWh, 11.0 % above the mean month; cooling takes most in July, 90.0 MWh";
        assert_eq!(plain(&months(&year)), said);
        assert_eq!(months(&[]), "No month was simulated");
    }

    #[test]
    fn the_contract_is_used_or_not() {
        let exceeded: Vec<f64> = (0..=100).map(|i| 100.0 - f64::from(i)).collect();
        assert!(plain(&duration(&exceeded, 100.0)).contains("for 10.9 % of the year, and 100 MW"));
        assert!(plain(&duration(&[50.0, 40.0], 100.0)).contains("never draws 90 % of its contract: 50.0 MW"));
    }

    #[test]
    fn energy_rows_add_up() {
        let report = Report {
            facility_energy_mwh: 100.0,
            distribution_loss_mwh: 4.0,
            fan_energy_mwh: 2.0,
            pump_energy_mwh: 1.0,
            chiller_energy_mwh: 2.0,
            house_energy_mwh: 1.0,
            it_energy_mwh: 90.0,
            shelf_loss_mwh: 3.0,
            gpu_energy_mwh: 70.0,
            ..Report::default()
        };
        let taken: f64 = energy_rows(&report).iter().filter(|r| r.step == EnergyStep::Taken).map(|r| r.mwh).sum();
        assert!((taken + 70.0 - 100.0).abs() < 1e-9);
    }

    #[test]
    fn chillers_are_counted_by_their_hours() {
        let mut report = Report::default();
        assert_eq!(cooling_finding(&report), "No hour was simulated");
        report.hours_by_cooling_mode = BTreeMap::from([("dry".to_owned(), 8448.0), ("trim".to_owned(), 312.0)]);
        assert_eq!(plain(&cooling_finding(&report)), "The largest loop needs chillers for 312 h of the year");
        assert_eq!(cooling_rows(&report)[0].0, "Outside air alone");
        report.hours_by_cooling_mode = BTreeMap::from([("dry".to_owned(), 8760.0)]);
        report.chiller_energy_mwh = 1_880.0;
        let said =
            "The largest loop never needs a chiller: outside air alone for 8760 h; those of other loops take 1.88 GWh";
        assert_eq!(plain(&cooling_finding(&report)), said);
    }

    #[test]
    fn nothing_stranded_is_said_so() {
        assert_eq!(stranded(&Stranded::default()), "No power is stranded");
        let some = Stranded { redundancy: 8.0, part_load: 4.0, ..Stranded::default() };
        let said =
            "12.0 MW of what is installed to feed racks can't make tokens; the largest cause is redundancy, 8.00 MW";
        assert_eq!(plain(&stranded(&some)), said);
    }
}
