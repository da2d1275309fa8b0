//! What may be sent to whoever helps: a folder, or a `.tar.gz`, of texts without names and secrets.

use super::redact::Redactor;
use super::{Finding, Level, Report, sources};
use crate::cli::design::Failure;
use crate::error::chain;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use telemetry::nvml::NvmlConfig;
use toml::Value;

/// What the folder in an archive is called.
const FOLDER: &str = "millwright-support";
/// The size of a part of a `tar` file.
const BLOCK: usize = 512;

/// Writes what was found, and what the house is made of, to `path`.
pub fn write(path: &Path, report: &Report, fleet: Option<&Path>, data_dir: &Path) -> Result<(), Failure> {
    let files = files(report, fleet, data_dir)?;
    let failed = |error: std::io::Error| Failure::BadInput(format!("could not write {}: {error}", path.display()));
    let ends_in = |end: &str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(end));
    if ends_in("tar") {
        return fs::write(path, tar(&files)).map_err(failed);
    }
    if ends_in("gz") || ends_in("tgz") {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        let packed = packed.write_all(&tar(&files)).and_then(|()| packed.finish()).map_err(failed)?;
        return fs::write(path, packed).map_err(failed);
    }
    fs::create_dir_all(path).map_err(failed)?;
    files.iter().try_for_each(|(name, text)| fs::write(path.join(name), text).map_err(failed))
}

/// Each file's name and text.
fn files(report: &Report, fleet: Option<&Path>, data_dir: &Path) -> Result<BTreeMap<&'static str, String>, Failure> {
    let mut redactor = Redactor::default();
    let (config, is_read) = match fleet {
        None => ("# No fleet file was named.\n".to_owned(), true),
        Some(file) => config(&mut redactor, file),
    };
    forget_this_machine(&mut redactor, fleet, data_dir);
    let mut report = report.clone();
    // Why a file can't be read may quote it, and nobody has told us which of its words are names.
    let quotes = |finding: &&mut Finding| {
        finding.level == Level::Error && (finding.check == sources::RULES || !is_read && finding.check == sources::FILE)
    };
    for finding in report.findings.iter_mut().filter(quotes) {
        "it can't be read".clone_into(&mut finding.found);
    }
    let pretty = |value: &serde_json::Value| {
        serde_json::to_string_pretty(value).map_err(|error| Failure::Failed(format!("could not write JSON: {error}")))
    };
    let whole =
        serde_json::to_value(&report).map_err(|error| Failure::Failed(format!("could not write JSON: {error}")))?;
    let about = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
        "kernel": redactor.text(fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim()),
        "cores": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "memory_kib": memory_kib(),
    });
    let states: Vec<serde_json::Value> = report
        .findings
        .iter()
        .filter(|finding| finding.check.starts_with("source "))
        .map(|finding| redactor.json(&json!(finding)))
        .collect();
    Ok(BTreeMap::from([
        ("README.txt", READ_ME.to_owned()),
        ("about.json", pretty(&about)?),
        ("doctor.json", pretty(&redactor.json(&whole))?),
        ("doctor.txt", redactor.text(&report.text())),
        ("sources.json", pretty(&states.into())?),
        ("fleet.toml", config),
        ("schema.sql", schemas(data_dir)),
        ("sizes.txt", sizes(data_dir)),
    ]))
}

const READ_ME: &str = "What `millwright doctor --bundle` found, for someone who helps. Names of hosts, places, people and files,\n\
    addresses and secrets are replaced by pseudonyms (host-1, rack-1, …), the same one each time within this bundle.\n\
    Nothing of designs, runs and readings is in it. Read it before you send it on.\n";

/// The fleet file redacted, and whether it could be read at all.
fn config(redactor: &mut Redactor, file: &Path) -> (String, bool) {
    let read = fs::read_to_string(file).ok().and_then(|text| text.parse::<toml::Table>().ok());
    let redacted = read.map(|table| redactor.config(&Value::Table(table)));
    match redacted.and_then(|config| toml::to_string(&config).ok()) {
        Some(text) => (text, true),
        None => ("# The file can't be read as TOML, so nothing of it is here.\n".to_owned(), false),
    }
}

/// What this machine is called, who works on it, and where its files are.
fn forget_this_machine(redactor: &mut Redactor, fleet: Option<&Path>, data_dir: &Path) {
    for path in [fleet, Some(data_dir)].into_iter().flatten() {
        redactor.forget("path", &path.display().to_string());
        if let Ok(path) = std::path::absolute(path) {
            redactor.forget("path", &path.display().to_string());
        }
    }
    for name in ["HOME", "PWD", "TMPDIR"] {
        let value = std::env::var(name).unwrap_or_default();
        if value.len() > 1 {
            redactor.forget("path", &value);
        }
    }
    for name in ["USER", "LOGNAME", "SUDO_USER"] {
        redactor.forget("user", &std::env::var(name).unwrap_or_default());
    }
    redactor.forget("host", &NvmlConfig::default().host_name());
}

fn memory_kib() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok())
}

/// The schemas of both databases: ours alone, without a row.
fn schemas(data_dir: &Path) -> String {
    let mut text = String::new();
    for (name, is_history) in [("millwright.db", false), ("telemetry.db", true)] {
        let path = data_dir.join(name);
        if !path.exists() {
            continue;
        }
        // A thread of its own: this is called outside of the runtime and inside of tests that have one.
        let looked = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            let look =
                async { if is_history { store::db::look_history(&path).await } else { store::db::look(&path).await } };
            Some(runtime.block_on(look))
        });
        let said = match looked.join() {
            Ok(Some(Ok(look))) => look.schema.join(";\n"),
            Ok(Some(Err(error))) => format!("-- {}", chain(&error)),
            Ok(None) | Err(_) => "-- it could not be read".to_owned(),
        };
        let _ = writeln!(text, "-- {name}\n{said}\n"); // writing to a text can't fail
    }
    text.replace(&data_dir.display().to_string(), "data")
}

/// The size of each of our own files; others have names of their own.
fn sizes(data_dir: &Path) -> String {
    let ours = [
        "millwright.db",
        "millwright.db-wal",
        "telemetry.db",
        "telemetry.db-wal",
        "telemetry-demo.db",
        "telemetry-demo.db-wal",
    ];
    let mut text = String::new();
    for name in ours {
        if let Ok(about) = fs::metadata(data_dir.join(name)) {
            let _ = writeln!(text, "{:>14}  {name}", about.len());
        }
    }
    let waiting = fs::read_dir(data_dir.join("forward")).into_iter().flatten().flatten();
    let bytes: u64 = waiting.filter_map(|entry| entry.metadata().ok()).map(|about| about.len()).sum();
    let _ = writeln!(text, "{bytes:>14}  forward/");
    text
}

/// The files as a `tar` archive, POSIX.1-1988: a header of 512 bytes, the text, zeros up to the next 512.
fn tar(files: &BTreeMap<&'static str, String>) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, text) in files {
        archive.extend_from_slice(&header(&format!("{FOLDER}/{name}"), text.len()));
        archive.extend_from_slice(text.as_bytes());
        archive.resize(archive.len().next_multiple_of(BLOCK), 0);
    }
    archive.resize(archive.len() + 2 * BLOCK, 0);
    archive
}

fn header(name: &str, bytes: usize) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    let modified_s = crate::clock::now_ms() / 1_000;
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{bytes:011o}\0"));
    put(136, &format!("{modified_s:011o}\0"));
    put(148, "        "); // the sum counts itself as spaces
    put(156, "0");
    put(257, "ustar\0");
    put(263, "00");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_read_by_tar() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("support.tar.gz");
        let report = Report::of(vec![Finding::ok("clock", "it is well")]);
        write(&path, &report, None, dir.path()).unwrap();
        let Ok(listed) = std::process::Command::new("tar").arg("-tzf").arg(&path).output() else {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "tar is not installed");
            eprintln!("skipped: tar is not installed");
            return;
        };
        assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
        let names = String::from_utf8(listed.stdout).unwrap();
        assert_eq!(names.lines().count(), 8, "{names}");
        assert!(names.contains("millwright-support/doctor.txt"));
    }

    #[test]
    fn a_file_that_can_not_be_read_is_not_quoted() {
        let dir = tempfile::tempdir().unwrap();
        let fleet = dir.path().join("fleet.toml");
        fs::write(&fleet, "[[scrape]\npassword = hunter2\n").unwrap();
        let report = Report::of(vec![Finding::error(sources::FILE, "line 2: hunter2 is no value", "mend it")]);
        let all = files(&report, Some(&fleet), dir.path()).unwrap();
        assert!(all.values().all(|text| !text.contains("hunter2")), "{all:#?}");
    }
}
