//! What commands share: the design that was named, resolved; and how a command can fail.

use crate::changes::Changes;
use crate::design_text::line_of;
use crate::error::{Error, chain};
use crate::parts;
use catalog::parse_design;
use clap::Args;
use input::{PARTS_BYTES_MAX, read_file};
use model::catalog::{Catalog, PartsRead};
use model::design::Design;
use model::note::{Note, Severity};
use model::quantity::{Power, Temperature};
use model::site::Site;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Most bytes of a design or parts file, as the parser has it.
const TOML_BYTES_MAX: u64 = 8 << 20;

/// Why a command ended without what was asked.
#[derive(Debug)]
pub enum Failure {
    /// Something typed or read is wrong: exit code 2.
    BadInput(String),
    /// The design can't be built or run as drawn: exit code 3.
    Infeasible(Vec<Note>),
    /// The house could not be opened or kept: exit code 1.
    House(Error),
    /// It could not be done, through no fault of what was typed: exit code 1.
    Failed(String),
    /// What was to be read is not there, and nothing is wrong with that: exit code 3.
    Absent(String),
    /// All is said already: that exit code.
    Told(u8),
}

impl Failure {
    /// Bad input, with its causes.
    pub fn bad(error: &dyn std::error::Error) -> Self {
        Self::BadInput(chain(error))
    }
    /// The exit code that scripts see.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::BadInput(_) => ExitCode::from(2),
            Self::Infeasible(_) | Self::Absent(_) => ExitCode::from(3),
            Self::House(_) | Self::Failed(_) => ExitCode::FAILURE,
            Self::Told(code) => ExitCode::from(*code),
        }
    }
    /// What to tell the person, a line each.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::BadInput(words) | Self::Failed(words) | Self::Absent(words) => vec![words.clone()],
            Self::Told(_) => Vec::new(),
            Self::House(error) => vec![chain(error)],
            Self::Infeasible(notes) => std::iter::once("the design can't be built or run as drawn:".to_owned())
                .chain(notes.iter().map(|note| format!("  {note}")))
                .collect(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if let Error::Fleet(error) = error { Self::bad(&error) } else { Self::House(error) }
    }
}

/// The design and what is changed in it.
#[derive(Debug, Args)]
pub struct DesignArgs {
    /// A design file (TOML), or the name of a reference design (see `millwright designs`)
    #[arg(value_name = "DESIGN")]
    design: String,
    /// Your own parts (TOML as the catalog's, or NetBox types in YAML), which win over the catalog's of the same name
    #[arg(long, value_name = "FILE")]
    parts: Option<PathBuf>,
    /// Language model to serve, by its catalog name
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Power limit of each GPU, watts
    #[arg(long, value_name = "W")]
    power_cap: Option<f64>,
    /// Facility water supply set-point of liquid loops, °C; of all loops where none is liquid
    #[arg(long, value_name = "C")]
    supply_temperature: Option<f64>,
}

impl DesignArgs {
    /// Reads and resolves it. A design that is readable but no site, or one with errors, is infeasible.
    pub fn site(&self) -> Result<Site, Failure> {
        let catalog = catalog(self.parts.as_deref())?;
        let text = self.text()?;
        let design = self.design(&text, &catalog)?;
        sim::resolve(&design, &catalog).map_err(|notes| refused(&self.design, &text, notes))
    }

    /// The design as it is read, before it is resolved, and the catalog that its parts are in.
    pub fn drawn(&self) -> Result<(Design, Catalog), Failure> {
        let catalog = catalog(self.parts.as_deref())?;
        let design = self.design(&self.text()?, &catalog)?;
        Ok((design, catalog))
    }

    /// What notes of a design that does not resolve mean for who typed it.
    pub fn refused(&self, notes: Vec<Note>) -> Failure {
        refused(&self.design, &self.text().unwrap_or_default(), notes)
    }

    /// The files that it is read from.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let design = Path::new(&self.design);
        design.is_file().then_some(design).into_iter().chain(self.parts.as_deref())
    }

    fn design(&self, text: &str, catalog: &Catalog) -> Result<Design, Failure> {
        let mut design = parse_design(&self.design, text).map_err(|error| Failure::bad(&error))?;
        let changes = Changes {
            model: self.model.clone(),
            power_cap: self.power_cap.map(Power::from_watts),
            supply_temperature: self.supply_temperature.map(Temperature::from_celsius),
            demand: None, // the design says it
        };
        changes.apply(&mut design, catalog).map_err(|error| Failure::BadInput(format!("{}: {error}", error.flag())))?;
        Ok(design)
    }

    fn text(&self) -> Result<String, Failure> {
        let path = Path::new(&self.design);
        if let Some(reference) = catalog::design(&self.design).filter(|_| !path.is_file()) {
            return Ok(reference.text.to_owned());
        }
        if !path.exists() {
            let names: Vec<&str> = catalog::designs().iter().map(|design| design.id).collect();
            return Err(Failure::BadInput(format!(
                "\"{}\" is neither a file nor a reference design; reference designs are {}",
                self.design,
                names.join(", ")
            )));
        }
        text(path)
    }
}

fn text(path: &Path) -> Result<String, Failure> {
    let bytes = read_file(path, TOML_BYTES_MAX).map_err(|error| Failure::bad(&error))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].split(|&byte| byte == b'\n').count();
        Failure::BadInput(format!("{}, line {line}: not UTF-8 text", path.display()))
    })
}

/// The catalog, with a user's own parts.
pub fn catalog(own: Option<&Path>) -> Result<Catalog, Failure> {
    let catalog = catalog::catalog().map_err(|error| Failure::House(Error::Catalog(error)))?;
    let Some(path) = own else { return Ok(catalog) };
    let own = parts_of(path, &catalog)?.parts;
    Ok(catalog.with(own))
}

/// What a file of parts holds.
pub fn parts_of(path: &Path, catalog: &Catalog) -> Result<PartsRead, Failure> {
    let bytes = read_file(path, PARTS_BYTES_MAX).map_err(|error| Failure::bad(&error))?;
    parts::read(&path.display().to_string(), &bytes, catalog).map_err(|error| Failure::bad(&error))
}

/// Names that lead nowhere and figures out of range are bad input; what can't be built is infeasible.
fn refused(file: &str, text: &str, notes: Vec<Note>) -> Failure {
    use model::note::Kind;
    let unreadable = |note: &Note| {
        matches!(
            note.kind,
            Kind::UnknownPart { .. }
                | Kind::BadPart { .. }
                | Kind::UnknownName { .. }
                | Kind::DuplicateName { .. }
                | Kind::NotATree { .. }
                | Kind::WrongKind { .. }
                | Kind::OutOfRange { .. }
        )
    };
    if notes.iter().any(unreadable) {
        let told = |note: &Note| match line_of(text, note) {
            Some(line) => format!("{file}, line {line}: {note}"),
            None => format!("{file}: {note}"),
        };
        let lines: Vec<String> = notes.iter().filter(|note| unreadable(note)).map(told).collect();
        Failure::BadInput(lines.join("\n"))
    } else {
        Failure::Infeasible(notes)
    }
}

/// The errors among notes, which make a design infeasible.
pub fn errors(notes: &[Note]) -> Vec<Note> {
    notes.iter().filter(|note| note.severity == Severity::Error).cloned().collect()
}
