//! Where answers go: standard output for people, files (or `-`) for programs. A file is written whole or not at all;
//! what is no file (a pipe, a device) is written to as it is, and a link is followed.

use crate::cli::design::Failure;
use serde::Serialize;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Prints an answer. A reader that has gone away (`| head`) is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::BadInput(format!("could not write to standard output: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes JSON to a file, or to standard output for `-`.
pub fn json(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::BadInput(format!("{}: {error}", path.display())))?;
    text.push('\n');
    file(path, text.as_bytes())
}

/// Writes bytes to a file, or to standard output for `-`: first beside it, then in its place.
pub fn file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if path == Path::new("-") {
        return print(&String::from_utf8_lossy(bytes));
    }
    let failed = |error: io::Error| Failure::BadInput(format!("could not write {}: {error}", path.display()));
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return fs::OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut open| open.write_all(bytes))
            .map_err(failed);
    }
    // A link keeps leading where it leads: its target is what is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let mut beside = target.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, &target)).map_err(|error| {
        // Nothing half-written is left; that there was nothing to remove does not matter.
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}
