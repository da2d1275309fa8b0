//! Where answers go: standard output for people, files (or `-`) for programs. Files are written whole, all of one command or
//! none, and never over what the command reads; what is no file (a pipe, a device) is written to as it is, and a link is
//! followed.

use crate::cli::design::Failure;
use serde::Serialize;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Prints an answer. A reader that has gone away (`| head`) is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::BadInput(format!("could not write to standard output: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A value as JSON, to be written to `path`.
pub fn json(path: &Path, value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::BadInput(format!("{}: {error}", path.display())))?;
    text.push('\n');
    Ok(text.into_bytes())
}

/// Refuses outputs that would take the place of an input, or of each other, by whatever name they are reached.
pub fn keep_apart(outputs: &[&Path], inputs: &[&Path]) -> Result<(), Failure> {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let files: Vec<&Path> =
        outputs.iter().copied().filter(|path| *path != Path::new("-") && !is_device(path)).collect();
    for (at, output) in files.iter().enumerate() {
        if inputs.iter().any(|input| real(input) == real(output)) {
            let shown = output.display();
            return Err(Failure::BadInput(format!("{shown} is read by this command, so it can't be its output")));
        }
        if files.iter().take(at).any(|other| real(other) == real(output)) {
            return Err(Failure::BadInput(format!("two outputs name {}; give each its own", output.display())));
        }
    }
    if outputs.iter().filter(|path| **path == Path::new("-")).count() > 1 {
        return Err(Failure::BadInput("two outputs name standard output; give each its own".into()));
    }
    Ok(())
}

/// Writes each of `files`: all of them beside their places first, then devices and standard output, then the files into
/// their places, so that a failure leaves every file as it was.
pub fn write(files: &[(&Path, Vec<u8>)]) -> Result<(), Failure> {
    let mut beside = Vec::with_capacity(files.len());
    for (path, bytes) in files.iter().filter(|(path, _)| *path != Path::new("-") && !is_device(path)) {
        beside.push(written_beside(path, bytes).map_err(|error| could_not_write(path, &error))?);
    }
    for (path, bytes) in files {
        if *path == Path::new("-") {
            print(&String::from_utf8_lossy(bytes))?;
        } else if is_device(path) {
            let mut open =
                fs::OpenOptions::new().write(true).open(path).map_err(|error| could_not_write(path, &error))?;
            open.write_all(bytes).map_err(|error| could_not_write(path, &error))?;
        }
    }
    for (file, target) in beside {
        file.persist(&target).map_err(|failed| could_not_write(&target, &failed.error))?;
    }
    Ok(())
}

fn could_not_write(path: &Path, error: &io::Error) -> Failure {
    Failure::BadInput(format!("could not write {}: {error}", path.display()))
}

fn is_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file())
}

/// The bytes in a file of a name of its own in the folder of what it will replace, with that one's permissions. A link keeps
/// leading where it leads: its target is what is replaced.
fn written_beside(path: &Path, bytes: &[u8]) -> io::Result<(NamedTempFile, PathBuf)> {
    let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    let target = match fs::canonicalize(path) {
        Err(error) if is_link => return Err(io::Error::new(error.kind(), "it is a link that leads nowhere")),
        found => found.unwrap_or_else(|_| path.to_path_buf()),
    };
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut builder = tempfile::Builder::new();
    let before = fs::metadata(&target).map(|found| found.permissions()).ok();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Of a new file, what the process's mask leaves of it.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.prefix(".millwright-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    if let Some(before) = before {
        file.as_file().set_permissions(before)?;
    }
    Ok((file, target))
}
