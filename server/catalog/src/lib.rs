//! The catalog: parts, models, climates, tariffs and reference designs, as TOML with a source on every row.
//!
//! Never: opens a file, a socket or a clock. Our own rows are compiled in; a user's text is handed in by the caller.
//! Rows are facts with their origin, or estimates that say so; what a facility does with them is the simulator's.
//!
//! Read `rows/*.toml` first, then `parse`, `fabric`, and `designs/*.toml`. `validation` is the serving model's report.

pub mod fabric;
pub mod parse;
pub mod validation;

pub use model::check::{Problem, check};
pub use parse::{Error, parse_catalog, parse_design};

use model::catalog::Catalog;

macro_rules! files {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../", $folder, "/", $name, ".toml")))),+]
    };
}

const ROWS: &[(&str, &str)] = files!("rows": "gpus", "trays", "racks", "power", "cooling", "models", "locations");

/// Every row that we ship. It fails only if a shipped file is malformed, which a test forbids.
pub fn catalog() -> Result<Catalog, Error> {
    ROWS.iter().try_fold(Catalog::default(), |so_far, (name, text)| {
        Ok(parse_catalog(&format!("{name}.toml"), text)?.with(so_far))
    })
}

/// A design that we ship.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReferenceDesign {
    /// Its name: its file's stem.
    pub id: &'static str,
    /// Its TOML.
    pub text: &'static str,
}

macro_rules! designs {
    ($($id:literal),+ $(,)?) => {
        &[$(ReferenceDesign { id: $id, text: include_str!(concat!("../designs/", $id, ".toml")) }),+]
    };
}

/// The designs that we ship, small ones first.
pub fn designs() -> &'static [ReferenceDesign] {
    designs!(
        "one-rack-gb200",
        "h200-air-row",
        "superpod-gb200-su",
        "b300-pod-4su",
        "hgx-b200-5mw",
        "mi355x-10mw",
        "tower-50mw",
        "facility-100mw",
        "facility-1gw",
    )
}

/// The shipped design of that name.
pub fn design(id: &str) -> Option<&'static ReferenceDesign> {
    designs().iter().find(|design| design.id == id)
}

#[cfg(test)]
mod tests;
