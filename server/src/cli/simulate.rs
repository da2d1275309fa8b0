//! `millwright simulate`: a year of a design on the user's own weather, prices, carbon and requests, or on made ones.

use crate::brought::{self, Brought, Files};
use crate::cli::design::{DesignArgs, Failure, errors};
use crate::cli::{output, text};
use crate::jobs::input_hash;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use input::{SERIES_BYTES_MAX, TRACE_BYTES_MAX, WEATHER_BYTES_MAX, read_file};
use model::scenario::Scenario;
use model::site::Site;
use model::trace::Trace;
use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Compute a year of a design: tokens per megawatt, and where every megawatt went
#[derive(Debug, Args)]
pub struct Simulate {
    #[command(flatten)]
    design: DesignArgs,
    /// Weather: EPW or Open-Meteo CSV
    #[arg(long, value_name = "FILE")]
    weather: Option<PathBuf>,
    /// Energy prices: CSV, $/MWh
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Carbon intensity or generation mix: CSV
    #[arg(long, value_name = "FILE")]
    carbon: Option<PathBuf>,
    /// Requests: Azure trace CSV, Mooncake JSONL or ServeGen rate CSV
    #[arg(long, value_name = "FILE")]
    requests: Option<PathBuf>,
    /// Which series of a rate file to take; all together where absent
    #[arg(long, value_name = "NAME")]
    requests_series: Option<String>,
    /// Length of a step, minutes: divides 60
    #[arg(long, value_name = "MINUTES", default_value_t = 60, value_parser = step)]
    step: u32,
    /// Seed of everything drawn by chance
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Write the report as JSON; `-` is standard output
    #[arg(long, value_name = "OUT")]
    json: Option<PathBuf>,
    /// Write every step as CSV; `-` is standard output
    #[arg(long, value_name = "OUT")]
    csv: Option<PathBuf>,
}

fn step(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(minutes) if (1..=60).contains(&minutes) && 60 % minutes == 0 => Ok(minutes),
        Ok(_) | Err(_) => Err("a step must divide an hour: 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30 or 60 minutes".into()),
    }
}

impl Simulate {
    /// Runs the year and tells what it came to.
    pub fn run(&self) -> Result<(), Failure> {
        let outputs: Vec<&Path> = [&self.csv, &self.json].into_iter().flatten().map(PathBuf::as_path).collect();
        output::keep_apart(&outputs, &self.inputs())?;
        let site = self.design.site()?;
        let wrong = errors(&sim::check(&site));
        if !wrong.is_empty() {
            return Err(Failure::Infeasible(wrong));
        }
        let scenario = self.scenario(&site)?;
        let trace = run_with_progress(&site, &scenario);
        let hash = input_hash(&site, &scenario);
        let report = sim::drivers::report_with_improvements(&site, &scenario, &trace, env!("CARGO_PKG_VERSION"), &hash);
        let mut files: Vec<(&Path, Vec<u8>)> = Vec::with_capacity(2);
        if let Some(path) = &self.csv {
            files.push((path, columns_csv(&trace).into_bytes()));
        }
        if let Some(path) = &self.json {
            files.push((path, output::json(path, &report)?));
        }
        output::write(&files)?;
        let silent = [&self.csv, &self.json].into_iter().flatten().any(|path| path == Path::new("-"));
        if silent { Ok(()) } else { output::print(&text::report(&report)) }
    }

    /// Every file that is read.
    fn inputs(&self) -> Vec<&Path> {
        let own = [&self.weather, &self.prices, &self.carbon, &self.requests];
        own.into_iter().flatten().map(PathBuf::as_path).chain(self.design.paths()).collect()
    }

    /// What the user brought, and made years for the rest.
    fn scenario(&self, site: &Site) -> Result<Scenario, Failure> {
        let files = Files {
            weather: brought(self.weather.as_deref(), WEATHER_BYTES_MAX)?,
            prices: brought(self.prices.as_deref(), SERIES_BYTES_MAX)?,
            carbon: brought(self.carbon.as_deref(), SERIES_BYTES_MAX)?,
            requests: brought(self.requests.as_deref(), TRACE_BYTES_MAX)?,
            requests_series: self.requests_series.clone(),
        };
        brought::scenario(site, self.step, self.seed, &files).map_err(|error| Failure::bad(&error))
    }
}

/// A file's bytes, where one is given.
fn brought(path: Option<&Path>, limit: u64) -> Result<Option<Brought>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let bytes = read_file(path, limit).map_err(|error| Failure::bad(&error))?;
    Ok(Some(Brought { name: path.display().to_string(), bytes }))
}

/// The year, with a bar on a terminal that shows only where the year takes long enough to wait for.
fn run_with_progress(site: &Site, scenario: &Scenario) -> Trace {
    let bar = ProgressBar::new(100);
    let style = ProgressStyle::with_template("{msg} {bar:40} {percent:>3}%  {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message("simulating the year");
    let mut tell = |progress: f64| {
        bar.set_position((progress * 100.0) as u64);
        ControlFlow::Continue(())
    };
    let trace = sim::simulate_with(site, scenario, &mut tell);
    bar.finish_and_clear();
    trace.unwrap_or_else(|| unreachable!("nothing breaks off"))
}

/// Every column of every step, with the step's hour of the year first.
fn columns_csv(trace: &Trace) -> String {
    let named = trace.columns.named();
    let steps = trace.columns.facility_power_w.len();
    let mut text = String::with_capacity(steps * named.len() * 12);
    text.push_str("hour_of_year_h");
    for (name, _) in &named {
        text.push(',');
        text.push_str(name);
    }
    text.push('\n');
    for at in 0..steps {
        // Writing to a string can't fail.
        let _ = write!(text, "{}", trace.step.as_hours() * at as f64);
        for (_, values) in &named {
            let _ = write!(text, ",{}", values[at]);
        }
        text.push('\n');
    }
    text
}
