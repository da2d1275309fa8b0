//! `millwright export`: what other programs need to work with us. Dashboards for Grafana, rules for Prometheus, units for
//! systemd.
//!
//! They use our canonical names, which `/metrics/fleet` tells and remote write sends on.

pub mod grafana;
pub mod rules;

use crate::cli::design::Failure;
use crate::cli::output;
use clap::{Args, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};

/// The house as a unit of systemd.
const HOUSE: &str = include_str!("../../packaging/millwright.service");
/// The agent likewise.
const AGENT: &str = include_str!("../../packaging/millwright-agent.service");

/// Write what Grafana, Prometheus or systemd need to work with Millwright
#[derive(Debug, Args)]
pub struct Export {
    #[command(subcommand)]
    what: What,
    /// Where to write; - for standard output
    #[arg(long, value_name = "FILE", default_value = "-", global = true)]
    out: PathBuf,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A dashboard for Grafana, over a Prometheus that reads /metrics/fleet or takes what we send on
    Grafana {
        /// Which
        #[arg(value_enum, default_value_t = Dashboard::Fleet)]
        dashboard: Dashboard,
    },
    /// The alert rules that are there from the start, as rules of Prometheus
    Rules,
    /// A hardened unit of systemd
    Systemd {
        /// Of what
        #[arg(value_enum, default_value_t = Unit::Serve)]
        unit: Unit,
    },
}

/// Dashboards that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Dashboard {
    /// GPUs, nodes and engines
    Fleet,
    /// Power, cooling and the grid
    Facility,
}

/// Units that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Unit {
    /// `millwright serve`
    Serve,
    /// `millwright agent`
    Agent,
}

impl Export {
    /// Writes it.
    pub fn run(&self) -> Result<(), Failure> {
        let bytes = match &self.what {
            What::Grafana { dashboard } => output::json(Path::new("-"), &grafana::dashboard(*dashboard))?,
            What::Rules => rules::yaml(&telemetry::alert::default_rules()).into_bytes(),
            What::Systemd { unit: Unit::Serve } => HOUSE.into(),
            What::Systemd { unit: Unit::Agent } => AGENT.into(),
        };
        output::write(&[(&self.out, bytes)])
    }
}

/// Names of metrics in an expression of PromQL: every word that is no keyword, function, label or unit.
#[cfg(test)]
fn metrics_in(expression: &str) -> std::collections::BTreeSet<String> {
    let mut outside = String::new();
    let (mut depth, mut quoted) = (0_u32, false);
    // Labels stand in braces, and values of them in quotes; neither is a metric.
    for letter in expression.chars() {
        match letter {
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth = depth.saturating_sub(1),
            _ if depth == 0 && !quoted => {
                outside.push(letter);
                continue;
            }
            _ => {}
        }
        outside.push(' ');
    }
    let words = outside.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    let word =
        |word: &&str| word.contains('_') && !word.ends_with("_over_time") && !PROMQL.contains(word) || *word == "up";
    words.filter(word).map(str::to_owned).collect()
}

#[cfg(test)]
const PROMQL: [&str; 5] = ["model_name", "group_left", "group_right", "label_values", "histogram_quantile"];

#[cfg(test)]
fn is_ours(metric: &str) -> bool {
    let derived = || crate::fleet::DERIVED.iter().any(|(name, ..)| *name == metric);
    model::metric::Metric::named(metric).is_some() || derived()
}

#[cfg(test)]
mod tests;
