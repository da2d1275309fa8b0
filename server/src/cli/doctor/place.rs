//! This machine and the data directory: room, rights, databases, clock, port, limits.

use super::Finding;
use crate::clock as now;
use crate::error::chain;
use std::fs::{self, File, TryLockError};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use store::db::Look;

/// Below this much room a house soon has none: about a week of readings of a thousand GPUs.
const ROOM_WARNING: u64 = 2 << 30;
/// Below this much, SQLite may not be able to bring its log back into the file.
const ROOM_ERROR: u64 = 64 << 20;
/// A house has 256 streams, a connection for each, sources and databases.
const OPEN_FILES: u64 = 1_024;
/// No clock of a machine that this program runs on is right about a time before this: 2026, in seconds.
const CLOCK_FROM_S: u64 = 1_767_225_600;
/// Nor about one after this: 2100.
const CLOCK_TO_S: u64 = 4_102_444_800;
/// How far a file's time may lie ahead, seconds.
const AHEAD_S: u64 = 120;

/// Whether a house runs from the data directory now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InUse {
    /// One does.
    Yes,
    /// None does.
    No,
}

/// The data directory: there, ours to write, with room, and whose it is now.
pub fn data_dir(path: &Path) -> (Vec<Finding>, InUse) {
    let check = "data directory";
    let shown = path.display();
    let wrong = |found: String, todo: &str| (vec![Finding::error(check, found, todo)], InUse::No);
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let todo = "`millwright serve` makes it; name another with --data if this is not the one";
            return (vec![Finding::warning(check, format!("{shown} does not exist yet"), todo)], InUse::No);
        }
        Err(error) => {
            return wrong(
                format!("{shown}: {error}"),
                "give this user the right to read it, or choose another with --data",
            );
        }
        Ok(about) if !about.is_dir() => return wrong(format!("{shown} is no directory"), "choose another with --data"),
        Ok(_) => {}
    }
    let mut findings = vec![match tempfile::tempfile_in(path) {
        Ok(_) => Finding::ok(check, format!("{shown} can be written")),
        Err(error) => Finding::error(
            check,
            format!("{shown} can't be written: {error}"),
            "give this user the right to, or free the disk",
        ),
    }];
    findings.extend(room(path));
    let (lock, in_use) = lock(path);
    findings.push(lock);
    (findings, in_use)
}

fn room(path: &Path) -> Option<Finding> {
    let check = "free space";
    let about = rustix::fs::statvfs(path).ok()?;
    let free = about.f_bavail.saturating_mul(about.f_frsize);
    let found = format!("{} MiB are free", free >> 20);
    Some(if free < ROOM_ERROR {
        Finding::error(check, found, "free the disk, or keep less: `[retention]` in the fleet file")
    } else if free < ROOM_WARNING {
        Finding::warning(check, found, "make room soon, or keep less: `[retention]` in the fleet file")
    } else {
        Finding::ok(check, found)
    })
}

/// Whether another process has the directory. The lock is let go of at once.
fn lock(path: &Path) -> (Finding, InUse) {
    let check = "lock";
    let Ok(file) = File::open(path.join("millwright.lock")) else {
        return (Finding::ok(check, "no Millwright has run here yet"), InUse::No);
    };
    match file.try_lock() {
        Ok(()) => (Finding::ok(check, "no Millwright runs here now"), InUse::No),
        Err(TryLockError::WouldBlock) => (Finding::ok(check, "a Millwright runs here now"), InUse::Yes),
        Err(TryLockError::Error(error)) => {
            let todo = "keep the data directory on a disk of this machine: locks of network disks do not hold";
            (Finding::error(check, error.to_string(), todo), InUse::No)
        }
    }
}

/// Both databases, as far as they are there.
pub async fn databases(data_dir: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, is_history) in [("millwright.db", false), ("telemetry.db", true), ("telemetry-demo.db", true)] {
        let path = data_dir.join(name);
        if path.exists() {
            let look = if is_history { store::db::look_history(&path).await } else { store::db::look(&path).await };
            findings.push(match look {
                Ok(look) => of_look(name, &look),
                Err(error) => {
                    let todo = "put it aside and bring a backup back; a history may be begun anew";
                    Finding::error(name, chain(&error), todo)
                }
            });
        }
    }
    findings
}

fn of_look(name: &str, look: &Look) -> Finding {
    let size = format!("{:.1} MiB", look.bytes as f64 / 1_048_576.0);
    if let Some(first) = look.damage.first() {
        let found = format!("{size}, {} things are damaged, the first: {first}", look.damage.len());
        return Finding::error(name, found, "stop Millwright, keep a copy of the file, and bring a backup back");
    }
    match look.version {
        Some(version) if version > look.known => {
            let found = format!("it is of a newer Millwright: schema {version}, and this one knows {}", look.known);
            Finding::error(name, found, "run that newer Millwright")
        }
        Some(version) if version < look.known => {
            let found = format!("{size}, sound, schema {version}");
            Finding::warning(
                name,
                found,
                format!("`millwright serve` brings it to schema {}: keep a copy first", look.known),
            )
        }
        Some(version) => Finding::ok(name, format!("{size}, sound, schema {version}")),
        None => {
            Finding::error(name, "it has no schema: it is no database of Millwright's", "choose another with --data")
        }
    }
}

/// The machine's clock, by itself and beside the times of what was written here.
pub fn clock(data_dir: &Path) -> Finding {
    let check = "clock";
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now_s = seconds(SystemTime::now());
    let todo = "set it, and have it kept by NTP: readings from the future are left out";
    if !(CLOCK_FROM_S..CLOCK_TO_S).contains(&now_s) {
        return Finding::error(check, format!("it says {now_s} s since 1970"), todo);
    }
    let entries = fs::read_dir(data_dir).into_iter().flatten().flatten();
    let times = entries.filter_map(|entry| entry.metadata().ok()?.modified().ok());
    let newest_s = times.map(seconds).max().unwrap_or_default();
    if newest_s > now_s + AHEAD_S {
        let found = format!("it stands {} s before the last writing in the data directory", newest_s - now_s);
        return Finding::error(check, found, todo);
    }
    let words = jiff::Timestamp::from_millisecond(now::now_ms()).map(|at| at.to_string()).unwrap_or_default();
    Finding::ok(check, words)
}

/// Whether the port is free, or taken by whoever should have it.
pub fn port(address: SocketAddr, in_use: InUse) -> Finding {
    let check = "port";
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok(check, format!("{address} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && in_use == InUse::Yes => {
            Finding::ok(check, format!("{address} is taken, as it is while a Millwright runs"))
        }
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let todo = "stop the program that has it, or choose another port with --listen";
            Finding::error(check, format!("{address} is taken by another program"), todo)
        }
        Err(error) => Finding::error(check, format!("{address}: {error}"), "choose another with --listen"),
    }
}

/// How many files and sockets may be open.
pub fn open_files(limits: &str) -> Finding {
    let check = "open files";
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    match soft.map(|soft| (soft, soft.parse::<u64>())) {
        None => Finding::ok(check, "this system names no limit"),
        Some((_, Ok(most))) if most < OPEN_FILES => {
            let todo = format!("raise it to {OPEN_FILES} or more: `LimitNOFILE=` in the unit, or `ulimit -n`");
            Finding::warning(check, format!("{most} may be open"), todo)
        }
        Some((most, _)) => Finding::ok(check, format!("{most} may be open")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::Level;

    #[test]
    fn a_directory_that_is_missing_is_a_warning_and_a_file_in_its_place_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let level = |path: &Path| data_dir(path).0[0].level;
        assert_eq!(level(&dir.path().join("not-there")), Level::Warning);
        assert_eq!(level(dir.path()), Level::Ok);
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(level(&file), Level::Error);
    }

    #[test]
    fn a_port_that_is_taken_is_an_error_unless_a_house_runs() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(port(address, InUse::No).level, Level::Error);
        assert_eq!(port(address, InUse::Yes).level, Level::Ok);
    }

    #[test]
    fn limits_are_read_as_the_kernel_writes_them() {
        let limits =
            |soft: &str| format!("Limit  Soft Limit  Hard Limit  Units\nMax open files   {soft}   4096   files\n");
        assert_eq!(open_files(&limits("256")).level, Level::Warning);
        assert_eq!(open_files(&limits("1024")).level, Level::Ok);
        assert_eq!(open_files(&limits("unlimited")).level, Level::Ok);
    }

    #[test]
    fn a_clock_behind_what_was_written_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(clock(dir.path()).level, Level::Ok);
        let file = File::create(dir.path().join("telemetry.db")).unwrap();
        file.set_modified(SystemTime::now() + std::time::Duration::from_hours(1)).unwrap();
        assert_eq!(clock(dir.path()).level, Level::Error);
    }

    #[tokio::test]
    async fn databases_are_sound_damaged_or_of_another_program() {
        let dir = tempfile::tempdir().unwrap();
        store::db::open(&dir.path().join("millwright.db")).await.unwrap().close().await;
        fs::write(dir.path().join("telemetry.db"), "no database at all ".repeat(1_000)).unwrap();
        let found = databases(dir.path()).await;
        let levels: Vec<(&str, Level)> = found.iter().map(|one| (one.check.as_str(), one.level)).collect();
        assert_eq!(levels, [("millwright.db", Level::Ok), ("telemetry.db", Level::Error)]);
    }
}
