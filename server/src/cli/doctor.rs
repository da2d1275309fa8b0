//! `millwright doctor`: looks at everything that a house needs, and says of each thing whether it is well and what to do.
//!
//! Never: changes anything, waits long for what does not answer, or takes a running house's place at its sources.
//!
//! Read `place` (this machine and the data directory) and `sources` (what the fleet file names), then `redact` and `bundle`
//! (what may be handed to someone else).

pub mod bundle;
pub mod place;
pub mod redact;
pub mod sources;

use crate::cli::design::Failure;
use crate::cli::output;
use crate::cli::serve::data_home;
use clap::Args;
use serde::Serialize;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Look at everything that a Millwright needs, and say what to do about what is wrong
#[derive(Debug, Args)]
pub struct Doctor {
    /// The data directory
    #[arg(long = "data", value_name = "DIR", default_value_os_t = data_home())]
    data_dir: PathBuf,
    /// The file that says where readings come from; each source of it is tried once
    #[arg(long, value_name = "FILE")]
    fleet: Option<PathBuf>,
    /// The address and port to serve from
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
    /// Also write what was found for someone else to read, names and secrets left out: a folder, or a file .tar.gz or .tar
    #[arg(long, value_name = "FILE|DIR")]
    bundle: Option<PathBuf>,
}

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Not as it should be, and the house opens all the same.
    Warning,
    /// So that the house can't open, or can't do a part of its work.
    Error,
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: String,
    /// How it is.
    pub level: Level,
    /// What was found.
    pub found: String,
    /// What to do about it; empty where nothing is to be done.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub todo: String,
}

impl Finding {
    /// All is well with it.
    pub fn ok(check: &str, found: impl Into<String>) -> Self {
        Self { check: check.into(), level: Level::Ok, found: found.into(), todo: String::new() }
    }
    /// It is not as it should be.
    pub fn warning(check: &str, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { check: check.into(), level: Level::Warning, found: found.into(), todo: todo.into() }
    }
    /// It is in the way.
    pub fn error(check: &str, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { check: check.into(), level: Level::Error, found: found.into(), todo: todo.into() }
    }
}

/// All that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The program's version.
    pub version: String,
    /// How the worst of it is.
    pub worst: Level,
    /// Each thing.
    pub findings: Vec<Finding>,
}

impl Report {
    /// A report of findings.
    pub fn of(findings: Vec<Finding>) -> Self {
        let worst = findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok);
        Self { version: env!("CARGO_PKG_VERSION").into(), worst, findings }
    }

    /// A line of each thing, and what to do about it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for Finding { check, level, found, todo } in &self.findings {
            let level = match level {
                Level::Ok => "ok",
                Level::Warning => "warning",
                Level::Error => "error",
            };
            let todo = if todo.is_empty() { String::new() } else { format!(" → {todo}") };
            let _ = writeln!(text, "{level:<8} {check}: {found}{todo}"); // writing to a text can't fail
        }
        text
    }
}

impl Doctor {
    /// Looks. Exit code 0 where all is well, 1 where there are warnings, 2 where there are errors.
    pub fn run(self) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::Failed(format!("could not start the runtime: {error}"));
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)?;
        let report = Report::of(runtime.block_on(self.findings()));
        // A driver or a disk that hangs must not keep the command from ending.
        runtime.shutdown_background();
        if let Some(path) = &self.bundle {
            bundle::write(path, &report, self.fleet.as_deref(), &self.data_dir)?;
        }
        if self.json {
            output::print(&String::from_utf8_lossy(&output::json(Path::new("-"), &report)?))?;
        } else {
            output::print(&report.text())?;
        }
        match report.worst {
            Level::Ok => Ok(()),
            Level::Warning => Err(Failure::Told(1)),
            Level::Error => Err(Failure::Told(2)),
        }
    }

    async fn findings(&self) -> Vec<Finding> {
        let (mut findings, use_now) = place::data_dir(&self.data_dir);
        findings.extend(place::databases(&self.data_dir).await);
        findings.push(place::clock(&self.data_dir));
        findings.push(place::port(self.listen, use_now));
        findings.push(place::open_files(&std::fs::read_to_string("/proc/self/limits").unwrap_or_default()));
        findings.push(sources::nvml().await);
        findings.push(sources::kernel_log());
        if let Some(file) = &self.fleet {
            findings.extend(sources::of_file(file).await);
        }
        findings
    }
}
