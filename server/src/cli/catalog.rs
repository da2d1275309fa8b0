//! `millwright catalog` and `millwright designs`: what there is, and where each figure comes from.

use crate::cli::design::{Failure, catalog, parts_of};
use crate::cli::output;
use clap::{Args, Subcommand};
use model::catalog::Catalog;
use model::part::Sourced;
use std::fmt::Write;
use std::path::PathBuf;

/// List the catalog's parts, models and places; check it; show a row
#[derive(Debug, Args)]
pub struct CatalogCommand {
    /// Your own parts (TOML, or NetBox types in YAML), to list, check or show with the catalog's
    #[arg(long, value_name = "FILE", global = true)]
    parts: Option<PathBuf>,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Refuse rows without source or date, and rows that do not add up
    Check,
    /// Show every figure of a row
    Show {
        /// Its name
        name: String,
    },
    /// Turn NetBox device and rack types (YAML) into parts as TOML, for `--parts` or a design's `[parts]`
    Import {
        /// The files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

impl CatalogCommand {
    /// Lists, checks or shows.
    pub fn run(&self) -> Result<(), Failure> {
        let catalog = catalog(self.parts.as_deref())?;
        match &self.what {
            None => output::print(&list(&catalog)),
            Some(What::Check) => check(&catalog),
            Some(What::Show { name }) => show(&catalog, name),
            Some(What::Import { files }) => import(&catalog, files),
        }
    }
}

fn list(catalog: &Catalog) -> String {
    let mut text = String::new();
    let mut before = "";
    for (list, row) in catalog.rows() {
        if list != before {
            let _ = writeln!(text, "{}[{list}]", if before.is_empty() { "" } else { "\n" });
            before = list;
        }
        let _ = writeln!(text, "  {:<28} {}  {}", row.row(), row.as_of(), row.source());
    }
    text
}

fn check(catalog: &Catalog) -> Result<(), Failure> {
    let problems = catalog::check(catalog);
    if problems.is_empty() {
        return output::print(&format!("{} rows, each with source and date, and all add up\n", catalog.rows().count()));
    }
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Err(Failure::BadInput(lines.join("\n")))
}

/// Every file's parts as one TOML, with what was estimated as comments above them.
fn import(catalog: &Catalog, files: &[PathBuf]) -> Result<(), Failure> {
    let (mut all, mut text) = (Catalog::default(), String::new());
    for file in files {
        let read = parts_of(file, catalog)?;
        for remark in read.remarks {
            let _ = writeln!(text, "# {}: {remark}", file.display());
        }
        all = all.with(read.parts);
    }
    if all.rows().next().is_none() {
        return Err(Failure::BadInput(format!("no part could be made:\n{}", text.trim_end())));
    }
    text.push_str(&toml::to_string_pretty(&all).map_err(|error| Failure::bad(&error))?);
    output::print(&text)
}

/// A row as a parts file that could be read again.
fn show(catalog: &Catalog, name: &str) -> Result<(), Failure> {
    fn named<T: Sourced + Clone>(rows: &[T], name: &str) -> Vec<T> {
        rows.iter().filter(|row| row.row() == name).cloned().collect()
    }
    let found = Catalog {
        gpus: named(&catalog.gpus, name),
        trays: named(&catalog.trays, name),
        racks: named(&catalog.racks, name),
        power: named(&catalog.power, name),
        cooling: named(&catalog.cooling, name),
        models: named(&catalog.models, name),
        locations: named(&catalog.locations, name),
    };
    if found.rows().next().is_none() {
        return Err(Failure::BadInput(format!("the catalog has no row \"{name}\"; `millwright catalog` lists them")));
    }
    output::print(&toml::to_string_pretty(&found).map_err(|error| Failure::bad(&error))?)
}

/// List the reference designs; show one as TOML, to start from
#[derive(Debug, Args)]
pub struct DesignsCommand {
    #[command(subcommand)]
    what: Option<DesignsWhat>,
}

#[derive(Debug, Subcommand)]
enum DesignsWhat {
    /// Show a reference design as TOML
    Show {
        /// Its name
        name: String,
    },
}

impl DesignsCommand {
    /// Lists or shows.
    pub fn run(&self) -> Result<(), Failure> {
        match &self.what {
            None => {
                let mut text = String::new();
                for reference in catalog::designs() {
                    let design = catalog::parse_design(reference.id, reference.text).map_err(|e| Failure::bad(&e))?;
                    let mw = design.contract_power.as_megawatts();
                    let _ = writeln!(text, "{:<20} {mw:>8.2} MW  {}", reference.id, design.description);
                }
                output::print(&text)
            }
            Some(DesignsWhat::Show { name }) => match catalog::design(name) {
                Some(reference) => output::print(reference.text),
                None => Err(Failure::BadInput(format!(
                    "there is no reference design \"{name}\"; `millwright designs` lists them"
                ))),
            },
        }
    }
}
