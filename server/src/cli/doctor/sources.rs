//! What the fleet file names, each source tried once; and what this host has of its own: driver, kernel's log.

use super::Finding;
use crate::fleet::config::FleetConfig;
use model::source::SourceState;
use std::fs::OpenOptions;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use telemetry::nvml::{NvmlConfig, look};
use telemetry::source::{Brought, Sink, Source};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

/// How long a source may take to answer.
const PATIENCE: Duration = Duration::from_secs(12);
/// How long the driver may take.
const DRIVER: Duration = Duration::from_secs(10);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// What is said of the file itself.
pub const FILE: &str = "fleet file";
/// What is said of the rules that it names.
pub const RULES: &str = "alert rules";

/// The GPUs of this host. That there are none is nothing wrong.
pub async fn nvml() -> Finding {
    let check = "GPUs of this host";
    let looked = tokio::task::spawn_blocking(|| look(&NvmlConfig::default()));
    match tokio::time::timeout(DRIVER, looked).await {
        Ok(Ok(Ok(seen))) => Finding::ok(check, seen.inventory.words()),
        Ok(Ok(Err(SourceState::Absent { why }))) => Finding::ok(check, format!("{why}; none is needed")),
        Ok(Ok(Err(SourceState::Failing { why, mend, .. }))) => Finding::error(check, why, mend),
        Ok(Ok(Err(state))) => Finding::warning(check, format!("{state:?}"), "look at `nvidia-smi`"),
        Ok(Err(_)) | Err(_) => {
            let found = format!("the driver did not answer within {} s", DRIVER.as_secs());
            Finding::error(check, found, "look at the kernel's log for an XID; restart the host if it stays so")
        }
    }
}

/// Whether the kernel's log can be read here.
pub fn kernel_log() -> Finding {
    let check = "kernel log";
    let todo = "add this user to the group `systemd-journal` (or `adm`); only needed where this host's own log is read";
    if Path::new("/run/systemd/journal").exists() {
        let mut command = Command::new("journalctl");
        command.args(["-k", "-n", "1", "--no-pager", "-q", "-o", "cat"]).stdin(Stdio::null());
        return match command.output() {
            Ok(told) if told.status.success() && !told.stdout.is_empty() => {
                Finding::ok(check, "the journal can be read")
            }
            Ok(told) => {
                let said = String::from_utf8_lossy(&told.stderr);
                let said = said.lines().next().unwrap_or("it shows nothing to this user").to_owned();
                Finding::warning(check, format!("the journal can't be read: {said}"), todo)
            }
            Err(error) => Finding::warning(check, format!("`journalctl` can't be run: {error}"), todo),
        };
    }
    match OpenOptions::new().read(true).open("/dev/kmsg") {
        Ok(_) => Finding::ok(check, "/dev/kmsg can be read"),
        Err(error) => Finding::warning(check, format!("/dev/kmsg can't be read: {error}"), todo),
    }
}

/// The file, and each source that it names.
pub async fn of_file(path: &Path) -> Vec<Finding> {
    let todo = "mend the file; the page /sources has examples";
    let mut config = match FleetConfig::read(path) {
        Ok(config) => config,
        Err(error) => return vec![Finding::error(FILE, crate::error::chain(&error), todo)],
    };
    // Two clients of one name throw each other off a broker: a house that runs keeps its own.
    for exchange in &mut config.exchange {
        exchange.client_id = Some(format!("mw-doctor-{}", std::process::id()));
    }
    // What sources remember belongs to the house.
    let aside = match tempfile::tempdir() {
        Ok(aside) => aside,
        Err(error) => return vec![Finding::error(FILE, format!("no folder could be made: {error}"), "free the disk")],
    };
    let sources = match config.sources(path, aside.path()) {
        Ok(found) => found.sources,
        Err(error) => return vec![Finding::error(FILE, crate::error::chain(&error), todo)],
    };
    let mut findings = vec![match sources.len() {
        0 => Finding::warning(
            FILE,
            "it can be read, and names no source",
            "readings come only from whoever writes to us",
        ),
        count => Finding::ok(FILE, format!("it can be read, and names {count} sources")),
    }];
    if config.alert_rules.is_some() {
        findings.push(match config.rules(path) {
            Ok(rules) => Finding::ok(RULES, format!("{} rules hold", rules.len())),
            Err(error) => Finding::error(RULES, crate::error::chain(&error), "mend the file at that line"),
        });
    }
    if let Err(error) = config.webhooks(path) {
        findings.push(Finding::error("webhooks", crate::error::chain(&error), todo));
    }
    findings.extend(all(sources).await);
    if let Some(forward) = &config.forward {
        findings.extend(Url::parse(&forward.url).ok().map(|url| reached("sending on", &url)));
    }
    findings
}

/// Every source at once, in the order of the file.
async fn all(sources: Vec<Box<dyn Source>>) -> Vec<Finding> {
    let mut tries = JoinSet::new();
    for (number, source) in sources.into_iter().enumerate() {
        tries.spawn(async move { (number, once(source).await) });
    }
    let mut found = tries.join_all().await;
    found.sort_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, finding)| finding).collect()
}

/// Runs a source until it says how it is.
async fn once(source: Box<dyn Source>) -> Finding {
    let check = format!("source {}", source.name());
    let target = source.target();
    let (queue, mut brought) = mpsc::channel(16);
    let stop = CancellationToken::new();
    let run = tokio::spawn(source.run(Sink::new(0, queue), stop.clone()));
    let answer = async {
        while let Some((_, next)) = brought.recv().await {
            match next {
                Brought::Readings(batch) => return Some(Ok(format!("{} readings came", batch.readings.len()))),
                Brought::Event(_) => return Some(Ok("it tells what happens".to_owned())),
                Brought::State(SourceState::Connected) => return Some(Ok("it answers".to_owned())),
                Brought::State(SourceState::Ended) => return Some(Ok("it was played to its end".to_owned())),
                Brought::State(SourceState::Failing { why, mend, .. }) => return Some(Err((why, mend))),
                Brought::State(SourceState::Absent { why }) => {
                    return Some(Err((why, "leave it out of the file, if it is not to be there".to_owned())));
                }
                Brought::State(SourceState::Connecting | SourceState::Stale { .. })
                | Brought::Fault(_)
                | Brought::Peer(_) => {}
            }
        }
        None
    };
    let answer = tokio::time::timeout(PATIENCE, answer).await;
    stop.cancel();
    drop(brought);
    // It has a moment to say goodbye; one that hangs is left behind.
    let _ = tokio::time::timeout(Duration::from_secs(2), run).await;
    match answer {
        Ok(Some(Ok(words))) => Finding::ok(&check, format!("{target}: {words}")),
        Ok(Some(Err((why, todo)))) => Finding::error(&check, format!("{target}: {why}"), todo),
        Ok(None) => Finding::warning(&check, format!("{target}: it ended without a word"), "look at the log"),
        Err(_) => {
            let found = format!("{target}: nothing was heard of it within {} s", PATIENCE.as_secs());
            Finding::warning(&check, found, "it may be slow, or have nothing to say: look at the page /sources later")
        }
    }
}

/// Whether a connection can be made. Nothing is sent: that is the house's to do.
fn reached(check: &str, url: &Url) -> Finding {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(80);
    let addresses = (host.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
    let tried = addresses.map_err(|error| error.to_string()).and_then(|all| {
        let first = all.first().ok_or_else(|| "the name has no address".to_owned())?;
        TcpStream::connect_timeout(first, CONNECT).map_err(|error| error.to_string())
    });
    match tried {
        Ok(_) => Finding::ok(check, format!("{host}:{port} can be reached")),
        Err(error) => {
            let todo = "see whether the store runs and the name and port are right; readings wait on disk until then";
            Finding::warning(check, format!("{host}:{port} can't be reached: {error}"), todo)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::Level;

    #[tokio::test]
    async fn each_source_says_why_it_can_not_be_read_and_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fleet.toml");
        let text = "[[scrape]]\nname = \"gone\"\nurl = \"http://127.0.0.1:9/metrics\"\n\
                    [[replay]]\nname = \"tape\"\nfile = \"/nowhere/tape.jsonl\"\n\
                    [forward]\nurl = \"http://127.0.0.1:9/api/v1/write\"\n";
        std::fs::write(&path, text).unwrap();
        let found = of_file(&path).await;
        let levels: Vec<(&str, Level)> = found.iter().map(|one| (one.check.as_str(), one.level)).collect();
        let expected = [
            (FILE, Level::Ok),
            ("source gone", Level::Error),
            ("source tape", Level::Error),
            ("sending on", Level::Warning),
        ];
        assert_eq!(levels, expected, "{found:#?}");
        assert!(found.iter().skip(1).all(|one| !one.todo.is_empty()), "{found:#?}");
        std::fs::write(&path, "[[scrape]]\nname = 3\n").unwrap();
        assert_eq!(of_file(&path).await[0].level, Level::Error);
    }
}
