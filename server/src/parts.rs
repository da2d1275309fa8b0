//! Files of a user's own parts: our TOML, or NetBox's device and rack types in YAML; held to the catalog's own rules.

use crate::clock;
use catalog::parse_catalog;
use input::{PARTS_BYTES_MAX, netbox};
use model::catalog::{Catalog, PartsRead};

/// Why a file gives no parts.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Over the limit.
    #[error("{file} has {bytes} bytes; {PARTS_BYTES_MAX} are taken of a file of parts")]
    TooLarge {
        /// The file.
        file: String,
        /// Its bytes.
        bytes: usize,
    },
    /// Bytes that are no text.
    #[error("{file}, line {line}: not UTF-8 text")]
    NotText {
        /// The file.
        file: String,
        /// The line.
        line: usize,
    },
    /// TOML that is no catalog.
    #[error(transparent)]
    Toml(#[from] catalog::Error),
    /// YAML that holds no parts.
    #[error(transparent)]
    Yaml(#[from] input::Error),
    /// Rows that do not add up.
    #[error("{}", .0.join("\n"))]
    Wrong(Vec<String>),
}

/// The parts of a file, by its name's ending: `.yaml` and `.yml` are NetBox's, all else is TOML. References may lead to the
/// catalog's rows.
pub fn read(file: &str, bytes: &[u8], catalog: &Catalog) -> Result<PartsRead, Error> {
    if bytes.len() as u64 > PARTS_BYTES_MAX {
        return Err(Error::TooLarge { file: file.to_owned(), bytes: bytes.len() });
    }
    let ending = file.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let read = if matches!(ending.as_str(), "yaml" | "yml") {
        netbox(file, bytes, &clock::this_month())?
    } else {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
            Error::NotText { file: file.to_owned(), line }
        })?;
        PartsRead { parts: parse_catalog(file, text)?, remarks: Vec::new() }
    };
    // Rows of their own are held to the same rules as ours.
    let theirs: Vec<String> = read.parts.rows().map(|(_, row)| row.row()).collect();
    let wrong: Vec<String> = catalog::check(&catalog.clone().with(read.parts.clone()))
        .iter()
        .filter(|problem| theirs.contains(&problem.row))
        .map(|problem| format!("{file}: {problem}"))
        .collect();
    if wrong.is_empty() { Ok(read) } else { Err(Error::Wrong(wrong)) }
}
