//! `millwright optimize`: how many racks, under which power limit, on water how warm, make the most of a design's plant.

use crate::cli::design::{DesignArgs, Failure};
use crate::cli::output;
use clap::Args;
use model::design::Redundancy;
use model::optimum::{
    Choice, Conflict, Goal, Limits, Onsite, OnsiteGas, OnsiteYear, Optimum, OptimumAsk, Point, Reasons, Replaced,
    Robust, StorageYear,
};
use optimize::{Base, Unfit, study};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Rows of the frontier that are printed.
const FRONTIER_SHOWN: usize = 12;

/// Find the operating point of a design: racks, power limit and water that make the most of the plant that is drawn. What is
/// changed in the design (`--power-cap` and the like) is what is drawn; `--subject-to` is what may not be exceeded
#[derive(Debug, Args)]
pub struct Optimize {
    #[command(flatten)]
    design: DesignArgs,
    /// What is sought: tokens, tokens-per-joule, cost-per-million, revenue-per-megawatt or carbon-per-million
    #[arg(long, value_name = "GOAL", default_value = "tokens")]
    goal: Goal,
    /// What may not be exceeded, as often as wanted: power=MW, capex=$, ttft=MS or tpot=MS
    #[arg(long, value_name = "LIMIT=VALUE", value_parser = limit)]
    subject_to: Vec<(Bound, f64)>,
    /// Goals of the frontier, two or three of them
    #[arg(long, value_name = "GOALS", value_delimiter = ',', default_values = ["tokens", "tokens-per-joule"])]
    frontier: Vec<Goal>,
    /// What groups drawn with units to spare may keep besides what is drawn: n, n+1, 2n or 3n/2
    #[arg(long, value_name = "REDUNDANCY", value_delimiter = ',', value_parser = redundancy)]
    redundancy: Vec<Redundancy>,
    /// Say what is best built beside the grid: panels of this mean output over rated power, and a battery
    #[arg(long, value_name = "SHARE")]
    solar: Option<f64>,
    /// And gas engines: $ a kW to build, $ of fuel and kg of CO2 a MWh of electricity
    #[arg(long, value_name = "USD_PER_KW:USD_PER_MWH:KG_PER_MWH", value_parser = gas)]
    gas: Option<OnsiteGas>,
    /// Share of the load that can wait within its day
    #[arg(long, value_name = "SHARE")]
    shift: Option<f64>,
    /// Write the answer as JSON; `-` is standard output
    #[arg(long, value_name = "OUT")]
    json: Option<PathBuf>,
}

fn redundancy(text: &str) -> Result<Redundancy, String> {
    let found = Redundancy::ALL.into_iter().find(|(name, _)| *name == text);
    found.map(|(_, redundancy)| redundancy).ok_or_else(|| "must be n, n+1, 2n or 3n/2".to_owned())
}

fn gas(text: &str) -> Result<OnsiteGas, String> {
    let told = "must be $ a kW to build, $ of fuel a MWh and kg of CO2 a MWh, as 1200:45:400, none below 0";
    let numbers: Vec<f64> = text.split(':').filter_map(|part| part.parse().ok()).collect();
    match numbers[..] {
        [usd_per_kw, fuel_usd_per_mwh, carbon_kg_per_mwh]
            if numbers.iter().all(|number| number.is_finite() && *number >= 0.0) && text.matches(':').count() == 2 =>
        {
            Ok(OnsiteGas { usd_per_kw, fuel_usd_per_mwh, carbon_kg_per_mwh })
        }
        _ => Err(told.to_owned()),
    }
}

/// A limit that may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Power,
    Capex,
    Ttft,
    Tpot,
}

/// A limit as the command line has it: `power=96`.
pub(super) fn limit(text: &str) -> Result<(Bound, f64), String> {
    let told = "must be power=MW, capex=$, ttft=MS or tpot=MS, above 0";
    let (name, value) = text.split_once('=').ok_or(told)?;
    let bound = match name {
        "power" => Bound::Power,
        "capex" => Bound::Capex,
        "ttft" => Bound::Ttft,
        "tpot" => Bound::Tpot,
        _ => return Err(told.to_owned()),
    };
    let value = value.parse::<f64>().ok().filter(|value| value.is_finite() && *value > 0.0).ok_or(told)?;
    Ok((bound, value))
}

/// What the batteries that are drawn could save of the best choice's electricity.
fn batteries(year: &StorageYear) -> String {
    let saved = year.without_usd_per_year - year.with_usd_per_year;
    format!(
        "Batteries drawn, {:.0} MWh and {:.0} MW: at most ${:.0} thousand a year less for electricity ({:.1}% of ${:.1} million),\n\
         with prices known ahead and nothing kept back for outages.\n",
        year.energy_mwh,
        year.power_mw,
        saved / 1e3,
        100.0 * saved / year.without_usd_per_year.max(1e-9),
        year.without_usd_per_year / 1e6
    )
}

impl Optimize {
    /// Searches. Where nothing can be run, what stands in the way is told, and the exit code is that of a design that can't be.
    pub fn run(&self) -> Result<(), Failure> {
        let outputs: Vec<&Path> = self.json.as_deref().into_iter().collect();
        output::keep_apart(&outputs, &self.design.paths().collect::<Vec<_>>())?;
        let distinct = self.frontier.iter().enumerate().all(|(at, goal)| !self.frontier[..at].contains(goal));
        if !(2..=3).contains(&self.frontier.len()) || !distinct {
            return Err(Failure::BadInput("--frontier takes two or three goals, each named once".to_owned()));
        }
        let (design, catalog) = self.design.drawn()?;
        let ask = OptimumAsk {
            goal: self.goal,
            limits: limits(&self.subject_to),
            frontier: self.frontier.clone(),
            redundancies: self.redundancy.clone(),
            onsite: self.onsite()?,
        };
        let base = Base::new(&design, &catalog, ask.limits).map_err(|unfit| match unfit {
            Unfit::Notes(notes) => self.design.refused(notes),
            Unfit::NoGpus => {
                Failure::BadInput("the design has no racks with GPUs: there is nothing to search".to_owned())
            }
        })?;
        let found = study(&base, (&design, &catalog), &ask);
        if let Some(path) = &self.json {
            output::write(&[(path, output::json(path, &found)?)])?;
        }
        if self.json.as_deref() != Some(Path::new("-")) {
            output::print(&words(&base, &found))?;
        }
        if found.answer.best.is_some() {
            Ok(())
        } else {
            Err(Failure::Absent("nothing can be run within these limits".to_owned()))
        }
    }
}

impl Optimize {
    /// What may be built beside the grid; none where nothing is said of it.
    fn onsite(&self) -> Result<Option<Onsite>, Failure> {
        let within = |name: &str, value: Option<f64>, most: f64| match value {
            Some(value) if !(0.0..=most).contains(&value) => {
                Err(Failure::BadInput(format!("--{name} must be a share from 0 to {most}")))
            }
            _ => Ok(()),
        };
        within("solar", self.solar, 0.5)?;
        within("shift", self.shift, 1.0)?;
        let asked = self.solar.is_some() || self.gas.is_some() || self.shift.is_some();
        let onsite = Onsite { solar_capacity_factor: self.solar, gas: self.gas, shift: self.shift.unwrap_or(0.0) };
        Ok(asked.then_some(onsite))
    }
}

/// The tightest of each limit that was asked for.
pub(super) fn limits(asked: &[(Bound, f64)]) -> Limits {
    let of = |bound: Bound| {
        let values = asked.iter().filter(|(own, _)| *own == bound).map(|(_, value)| *value);
        values.reduce(f64::min)
    };
    Limits {
        power_mw: of(Bound::Power),
        capex_usd: of(Bound::Capex),
        ttft_ms: of(Bound::Ttft),
        tpot_ms: of(Bound::Tpot),
    }
}

fn words(base: &Base, found: &Optimum) -> String {
    let mut text = String::new();
    let answer = &found.answer;
    let Some(best) = &answer.best else {
        let _ = writeln!(text, "{}: no choice of {} can be run all year.", base.drawn().name, answer.tried);
        ways_out(&mut text, &found.conflicts);
        return text;
    };
    let _ = writeln!(
        text,
        "{}: best by {} ({}), of {} choices\n",
        base.drawn().name,
        answer.goal.name(),
        answer.goal.unit(),
        answer.tried
    );
    beside(&mut text, &answer.drawn, best);
    if !answer.drawn.is_feasible() {
        let _ = writeln!(text, "\nAs drawn it asks too much of:");
        for short in &answer.drawn.short {
            let _ = writeln!(text, "  {} at {}: {}", short.limit.words(), short.place, short.words);
        }
    }
    if let Some(reasons) = &found.reasons {
        why(&mut text, answer.goal, reasons);
    }
    stands(&mut text, found);
    same_megawatts(&mut text, found);
    let _ = writeln!(text, "\nFrontier, {} choices that none beats in all of its goals:", answer.frontier.len());
    for point in optimize::thinned(answer.frontier.clone(), FRONTIER_SHOWN) {
        let _ = writeln!(
            text,
            "  {:>12.0} tokens/s {:>9.4} tokens/J {:>8.3} $/M tokens   {}",
            point.output_tokens_per_s,
            point.tokens_per_joule,
            point.usd_per_million,
            choice(&point.choice)
        );
    }
    let _ = writeln!(
        text,
        "\nEverything busy, at the mean weather; money and carbon as if it were so all year. A choice can be run where no limit is\n\
         exceeded on the hottest hour either. The plant stands as drawn: racks, power limit and water are chosen."
    );
    if let Some(replaced) = &found.replaced {
        placed(&mut text, replaced);
    }
    if let Some(year) = &found.onsite {
        built(&mut text, year);
    }
    text + &found.storage.as_ref().map(batteries).unwrap_or_default()
}

/// Where racks would strand the least power.
fn placed(text: &mut String, replaced: &Replaced) {
    let sure = if replaced.is_proven { "no placement has more" } else { "whether any has more is not proven" };
    let _ = writeln!(
        text,
        "\nRacks placed to strand the least power: {} of them for {} drawn, {} moved, {:.3} MW provisioned ({sure}).",
        replaced.racks, replaced.racks_drawn, replaced.moved, replaced.placed_mw
    );
    for (cause, before, after) in replaced.causes.iter().filter(|(_, before, after)| before + after > 1e-6) {
        let _ = writeln!(text, "  stranded for {cause:<34}{before:>9.3} MW as drawn {after:>9.3} MW as placed");
    }
}

/// What is best built beside the grid.
fn built(text: &mut String, year: &OnsiteYear) {
    let _ = writeln!(
        text,
        "\nBest built beside the grid, the year known ahead: {:.1} MW of panels, {:.1} MW of gas, a battery of {:.1} MWh and {:.1} MW.",
        year.solar_mw, year.gas_mw, year.battery_mwh, year.battery_mw
    );
    let without = year.without_usd.map_or("can't be carried".to_owned(), |usd| format!("${:.2} million", usd / 1e6));
    let _ = writeln!(
        text,
        "  ${:.2} million a year with all of it paid off, {without} from the grid alone; {:.0} t CO2e, {:.0} t alone.",
        year.cost_usd / 1e6,
        year.carbon_t,
        year.without_carbon_t
    );
}

/// What would have to give.
fn ways_out(text: &mut String, ways: &[Conflict]) {
    for way in ways.iter().take(3) {
        let _ = writeln!(text, "\nIt would take ({}):", choice(&way.point.choice));
        for short in &way.short {
            let (by, what) = (100.0 * short.by, short.limit.words());
            let _ = writeln!(text, "  {by:.1}% more {what} at {}: {}", short.place, short.words);
        }
    }
}

/// Whether the best stands when something goes wrong.
fn stands(text: &mut String, found: &Optimum) {
    let Some(robust) = &found.robust else { return };
    let Robust { hottest_c, hottest_mw, contract_mw, held_back_h, busiest_asked, busiest_served, failures } = robust;
    let _ = writeln!(text, "\nWhether it stands:");
    let _ = writeln!(
        text,
        "  hottest hour, {hottest_c:.1} °C: {hottest_mw:.3} MW of {contract_mw:.3} MW; {held_back_h:.0} hours of the year held back"
    );
    let _ = writeln!(
        text,
        "  busiest hundredth of hours: {:.0}% of what it makes is asked for, {:.1}% of that is served",
        100.0 * busiest_asked,
        100.0 * busiest_served
    );
    if failures.is_empty() {
        let _ = writeln!(text, "  any one unit of power or cooling may fail");
    }
    for failed in failures {
        let _ = writeln!(
            text,
            "  one unit of {} out: {:.0}% of tokens, {} racks at {:.0} W a GPU",
            failed.place,
            100.0 * failed.tokens_share,
            failed.racks,
            failed.cap_w
        );
    }
    for error in &found.power_error {
        let ours = if error.ours.is_feasible() { "can be run" } else { "needs a lower limit" };
        let other = error.best.as_ref().map_or("nothing could be".to_owned(), |best| choice(&best.choice));
        let _ = writeln!(
            text,
            "  boards drawing {:.0}% of what the model says: it {ours}; best would be {other}; so many racks make {:.1}% less",
            100.0 * error.draw,
            100.0 * error.regret
        );
    }
}

/// One contract filled with racks as they come, and under a power limit.
fn same_megawatts(text: &mut String, found: &Optimum) {
    let Some(envelope) = &found.envelope else { return };
    let _ = writeln!(
        text,
        "\nThe same {:.1} MW filled three ways, the whole design scaled so that power alone is short:",
        envelope.power_mw
    );
    for (name, filled) in [
        ("boards at their own limit, counted by label", &envelope.label),
        ("the same, counted by what they draw", &envelope.drawn),
        ("under a power limit, counted by worst case", &envelope.capped),
    ] {
        let _ = writeln!(
            text,
            "  {name:<46}{:>9} GPUs at {:>5.0} W {:>7.3} kW each {:>14.0} tokens/s",
            filled.gpus, filled.cap_w, filled.kw_per_gpu, filled.output_tokens_per_s
        );
    }
    let [low, high] = envelope.tokens_band;
    let _ = writeln!(
        text,
        "  {:.3} times the GPUs and {:.3} times the tokens of the first; {low:.3} to {high:.3} over the errors of power and limits",
        envelope.gpus_ratio, envelope.tokens_ratio
    );
}

/// A choice in words.
pub(super) fn choice(choice: &Choice) -> String {
    let water = choice.supply_c.map_or("water as drawn".to_owned(), |c| format!("water at {c:.1} °C"));
    let racks = if choice.racks == 1 { "1 rack".to_owned() } else { format!("{} racks", choice.racks) };
    let kept = choice.redundancy.map(|redundancy| format!(", {}", redundancy.name())).unwrap_or_default();
    format!("{racks} at {:.0} W a GPU, {water}{kept}", choice.cap_w)
}

/// As many decimals as a figure of its size needs.
fn figure(value: f64) -> String {
    match value.abs() {
        nothing if nothing < 1e-9 => "0".to_owned(),
        large if large >= 1000.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

fn beside(text: &mut String, drawn: &Point, best: &Point) {
    let _ = writeln!(text, "{:<34}{:>16}{:>16}", "", "as drawn", "best");
    let mut line = |name: &str, of: &dyn Fn(&Point) -> f64, digits: usize| {
        let (a, b) = (of(drawn), of(best));
        let change = if a == 0.0 { String::new() } else { format!("{:+.1}%", 100.0 * (b / a - 1.0)) };
        let _ = writeln!(text, "{name:<34}{a:>16.digits$}{b:>16.digits$}{change:>10}");
    };
    line("Racks with GPUs", &|p| f64::from(p.choice.racks), 0);
    line("Power limit of a GPU, W", &|p| p.choice.cap_w, 0);
    line("Output tokens a second", &|p| p.output_tokens_per_s, 0);
    line("Facility power, MW", &|p| p.facility_mw, 3);
    line("  on the hottest hour, MW", &|p| p.peak_mw, 3);
    line("Tokens a joule", &|p| p.tokens_per_joule, 4);
    line("Tokens/s of a facility MW", &|p| p.tokens_per_joule * 1e6, 0);
    line("$ for a million tokens", &|p| p.usd_per_million, 3);
    line("Revenue a year, contract MW, $M", &|p| p.revenue_usd_per_mw_year / 1e6, 2);
    line("Carbon for a million tokens, g", &|p| p.carbon_g_per_million, 1);
    line("To build it, million $", &|p| p.capex_usd / 1e6, 1);
    line("Time to first token, ms", &|p| p.ttft_ms, 0);
    line("Time between tokens, ms", &|p| p.tpot_ms, 1);
}

fn why(text: &mut String, goal: Goal, reasons: &Reasons) {
    let unit = goal.unit();
    let _ = writeln!(text, "\nWhat stops one more rack, or one more watt a GPU:");
    if reasons.binds.is_empty() {
        let _ = writeln!(text, "  nothing; more would be possible, and worse by this goal");
    }
    for short in &reasons.binds {
        let _ = writeln!(text, "  {} at {}: {}", short.limit.words(), short.place, short.words);
    }
    let _ = writeln!(text, "\nWhat more would be worth, each with the search made anew:");
    for worth in &reasons.worth {
        let sign = if worth.gain >= 1e-9 { "+" } else { "" };
        let _ = writeln!(text, "  {:<58}{:>16} {unit}", worth.what, format!("{sign}{}", figure(worth.gain)));
    }
    let [low, high] = reasons.band;
    let _ = writeln!(
        text,
        "\nOver the model's error band: {} to {} {unit}; the best choice is the same.",
        figure(low),
        figure(high)
    );
}
