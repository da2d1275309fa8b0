//! The kernel's log as a source: a file that is followed, the kernel's own device, or the journal.
//!
//! Where it stopped is kept in a small file, written after its events were handed on: a restart goes on there, and
//! neither loses nor repeats a line. Only where we are killed between the two do lines of that moment come again.

use super::tail::{Lines, Mark, Tail};
use super::{Clock, Parser, stamp};
use crate::source::{Brought, Sink, Source};
use async_trait::async_trait;
use model::event::FleetEvent;
use model::source::{SourceKind, SourceState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// Bytes that are read before what they told is handed on.
const BUDGET: usize = 1024 * 1024;
/// `O_NONBLOCK` of Linux: a read of the kernel's device must not wait, or we could never stop.
const NON_BLOCKING: i32 = 0o4000;
/// The kernel's error for records that were overwritten before we read them.
const OVERWRITTEN: i32 = 32;
/// The longest wait between two tries.
const WAIT_MAX: Duration = Duration::from_mins(1);

/// Where the log is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file, read from its beginning and then followed.
    File(PathBuf),
    /// The kernel's own device, `/dev/kmsg`.
    Kmsg(PathBuf),
    /// The journal, through this program: `journalctl`.
    Journal(PathBuf),
}

/// A source that reads the kernel's log.
#[derive(Debug)]
pub struct KernelLogSource {
    /// Its name, unique.
    pub name: String,
    /// Where the log is read.
    pub origin: Origin,
    /// The host; where it is absent, what each line says.
    pub host: Option<String>,
    /// What times of lines are reckoned by.
    pub clock: Clock,
    /// Where the place it has come to is kept; without one, it begins anew at every start.
    pub state: Option<PathBuf>,
    /// How often it looks for more.
    pub every: Duration,
}

/// When this host started, milliseconds since 1970 UTC, as the kernel says; `None` where it does not.
pub fn boot_ms() -> Option<i64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<i64>().ok())?.checked_mul(1_000)
}

/// The id of each of this host's GPUs by its PCI address, from the driver's folder, `/proc/driver/nvidia/gpus`.
pub fn gpus_of_driver(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pci = super::pci_address(entry.file_name().to_str()?)?;
            let about = fs::read_to_string(entry.path().join("information")).ok()?;
            let uuid = about.lines().find_map(|line| line.strip_prefix("GPU UUID:"))?.trim();
            super::is_uuid(uuid).then(|| (pci, uuid.to_owned()))
        })
        .collect()
}

#[async_trait]
impl Source for KernelLogSource {
    fn name(&self) -> &str {
        &self.name
    }
    fn kind(&self) -> SourceKind {
        SourceKind::KernelLog
    }
    fn target(&self) -> String {
        match &self.origin {
            Origin::File(path) | Origin::Kmsg(path) => path.display().to_string(),
            Origin::Journal(program) => format!("{} -k -f", program.display()),
        }
    }
    async fn run(self: Box<Self>, out: Sink, stop: CancellationToken) {
        let place = self.state.as_deref().map(read_place).unwrap_or_default();
        let mut gpus = gpus_of_driver(Path::new("/proc/driver/nvidia/gpus"));
        if matches!(self.origin, Origin::File(_)) {
            gpus.clear(); // the file may be of another host
        }
        gpus.extend(place.gpus.clone());
        let parser = Parser { gpus, ..Parser::of(&self.name, self.host.as_deref(), self.clock) };
        let Self { origin, state, every, .. } = *self;
        let mut reader = Reader { out, stop, parser, place, state, every, said: None };
        match origin {
            Origin::File(path) => reader.follow(&path).await,
            Origin::Kmsg(path) => reader.kmsg(&path).await,
            Origin::Journal(program) => reader.journal(&program).await,
        }
    }
}

/// The place it has come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    file: Option<Mark>,
    /// The boot and the number of the last record of the kernel's device.
    kmsg: Option<(String, u64)>,
    journal: Option<String>,
    #[serde(default)]
    gpus: BTreeMap<String, String>,
}

fn read_place(path: &Path) -> Place {
    match fs::read(path).map(|bytes| serde_json::from_slice(&bytes)) {
        Ok(Ok(place)) => place,
        Ok(Err(error)) => {
            tracing::warn!(path = %path.display(), %error, "The place in the log can't be read; it is read anew.");
            Place::default()
        }
        Err(_) => Place::default(),
    }
}

/// Written beside and moved, so that it is whole at any time.
fn write_place(path: &Path, place: &Place) -> io::Result<()> {
    let beside = path.with_extension("new");
    fs::write(&beside, serde_json::to_vec(place)?)?;
    fs::rename(&beside, path)
}

struct Reader {
    out: Sink,
    stop: CancellationToken,
    parser: Parser,
    place: Place,
    state: Option<PathBuf>,
    every: Duration,
    /// What was last said of our state: it is said once.
    said: Option<SourceState>,
}

impl Reader {
    async fn follow(&mut self, path: &Path) {
        let mut tail = Tail::new(path, self.place.file.take());
        loop {
            let (mut parser, mut events) = (std::mem::take(&mut self.parser), Vec::new());
            let now = now_ms();
            let polled = tokio::task::spawn_blocking(move || {
                let more = tail.poll(BUDGET, &mut |line| events.extend(parser.line(line, now)));
                (tail, parser, events, more)
            });
            let Ok((back, parser, events, more)) = polled.await else { return };
            (tail, self.parser) = (back, parser);
            let place = Place { file: tail.mark.clone(), ..self.place.clone() };
            if !self.hand_on(events, place).await {
                return;
            }
            let wait = match more {
                Ok(true) => continue,
                Ok(false) => {
                    self.say(SourceState::Connected).await;
                    self.every
                }
                Err(error) => self.failing(path, &error).await,
            };
            if !self.rest(wait).await {
                return;
            }
        }
    }

    async fn kmsg(&mut self, path: &Path) {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned();
        let read = self.place.kmsg.take().filter(|(of, _)| *of == boot).map(|(_, sequence)| sequence);
        let (mut device, mut lines, mut last) = (None::<File>, Lines::default(), read);
        loop {
            let mut events = Vec::new();
            let polled = match &mut device {
                Some(file) => {
                    let (now, parser) = (now_ms(), &mut self.parser);
                    read_device(file, &mut lines, &mut |line| {
                        let sequence = stamp::sequence(line);
                        // Opened anew, the device begins anew.
                        if sequence.is_some() && sequence <= last {
                            return;
                        }
                        last = sequence.or(last);
                        events.extend(parser.line(line, now));
                    })
                }
                None => fs::OpenOptions::new().read(true).custom_flags(NON_BLOCKING).open(path).map(|file| {
                    (device, lines) = (Some(file), Lines::default());
                    0
                }),
            };
            let place = Place { kmsg: last.map(|last| (boot.clone(), last)), ..self.place.clone() };
            if !self.hand_on(events, place).await {
                return;
            }
            let wait = match polled {
                Ok(lost) => {
                    self.say(SourceState::Connected).await;
                    if lost > 0 {
                        let fault = "the kernel wrote over records before they were read: some lines are lost";
                        self.out.put(Brought::Fault(fault.into())).await;
                    }
                    self.every
                }
                Err(error) => {
                    device = None;
                    self.failing(path, &error).await
                }
            };
            if !self.rest(wait).await {
                return;
            }
        }
    }

    async fn journal(&mut self, program: &Path) {
        let mut wait = self.every;
        loop {
            let began = self.place.journal.clone();
            let why = match spawn_journal(program, began.as_deref()) {
                Ok(child) => match self.listen(child).await {
                    Heard::Stop => return,
                    Heard::End(why) => why,
                },
                Err(error) => format!("{} can't be started: {error}", program.display()),
            };
            if self.place.journal != began {
                wait = self.every;
            } else if began.is_some() && why.contains("cursor") {
                self.out
                    .put(Brought::Fault(format!("the journal no longer knows where we were, it is read anew: {why}")))
                    .await;
                self.place.journal = None;
            }
            let mend = "see that journalctl is there, and that we may read the journal (group systemd-journal)";
            self.say(SourceState::Failing { since_ms: now_ms(), why, mend: mend.into() }).await;
            wait = (wait * 2).clamp(self.every, WAIT_MAX);
            if !self.rest(wait).await {
                return;
            }
        }
    }

    async fn listen(&mut self, mut child: Child) -> Heard {
        let (Some(mut told), Some(errors)) = (child.stdout.take(), child.stderr.take()) else {
            return Heard::End("the journal can't be listened to".into());
        };
        let (mut lines, mut chunk) = (Lines::default(), vec![0; 64 * 1024]);
        let mut quiet = true;
        loop {
            let got = tokio::select! {
                () = self.stop.cancelled() => return Heard::Stop,
                got = told.read(&mut chunk) => got,
                // A kernel that has nothing to say is well; a journal that can't be read ends sooner than this.
                () = tokio::time::sleep(Duration::from_secs(2)), if quiet => {
                    quiet = false;
                    self.say(SourceState::Connected).await;
                    continue;
                }
            };
            let Ok(got @ 1..) = got else { break };
            let (mut events, mut cursor, now) = (Vec::new(), None, now_ms());
            lines.push(&chunk[..got], &mut |line| {
                events.extend(self.parser.line(line, now));
                cursor = cursor_in(line).or(cursor.take());
            });
            let place = Place { journal: cursor.or_else(|| self.place.journal.clone()), ..self.place.clone() };
            if !self.hand_on(events, place).await {
                return Heard::Stop;
            }
            self.say(SourceState::Connected).await;
        }
        let mut why = Vec::new();
        let _ended = tokio::time::timeout(Duration::from_secs(5), errors.take(2_048).read_to_end(&mut why)).await;
        let status = tokio::time::timeout(Duration::from_secs(5), child.wait()).await;
        let why = String::from_utf8_lossy(&why).trim().to_owned();
        let ended = status.ok().and_then(Result::ok).map_or_else(|| "it was ended".into(), |status| status.to_string());
        Heard::End(if why.is_empty() { format!("journalctl ended: {ended}") } else { why })
    }

    /// Hands on, then notes the place. `false` where the house has closed.
    async fn hand_on(&mut self, events: Vec<FleetEvent>, place: Place) -> bool {
        for event in events {
            if !self.out.put(Brought::Event(event)).await {
                return false;
            }
        }
        let place = Place { gpus: self.parser.gpus.clone(), ..place };
        if place != self.place {
            self.place = place;
            if let Some(path) = &self.state
                && let Err(error) = write_place(path, &self.place)
            {
                let fault = format!(
                    "the place in the log can't be kept in {}: {error}; a restart repeats lines",
                    path.display()
                );
                self.out.put(Brought::Fault(fault)).await;
                self.state = None;
            }
        }
        true
    }

    async fn failing(&mut self, path: &Path, error: &io::Error) -> Duration {
        let mend = if error.kind() == io::ErrorKind::NotFound {
            "see that the path is right and the log is written there"
        } else if error.kind() == io::ErrorKind::PermissionDenied {
            "let us read it: group adm for files, CAP_SYSLOG for /dev/kmsg"
        } else {
            "see whether the disk is well"
        };
        let why = format!("{} can't be read: {error}", path.display());
        self.say(SourceState::Failing { since_ms: now_ms(), why, mend: mend.into() }).await;
        (self.every * 4).min(WAIT_MAX)
    }

    async fn say(&mut self, state: SourceState) {
        let same = match (&self.said, &state) {
            (Some(SourceState::Failing { why: before, .. }), SourceState::Failing { why, .. }) => before == why,
            (before, state) => before.as_ref() == Some(state),
        };
        if !same {
            self.said = Some(state.clone());
            self.out.put(Brought::State(state)).await;
        }
    }

    /// Waits; `false` where it is time to stop.
    async fn rest(&self, wait: Duration) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep(wait) => true,
        }
    }
}

/// How listening to the journal ended.
enum Heard {
    Stop,
    End(String),
}

/// This boot's lines first; from a cursor on, those of every boot since, which `-k` would leave out.
fn spawn_journal(program: &Path, cursor: Option<&str>) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.args(["--follow", "--output=json", "--lines=all", "--no-pager", "--quiet"]);
    match cursor {
        Some(cursor) => command.arg(format!("--after-cursor={cursor}")).arg("_TRANSPORT=kernel"),
        None => command.arg("--dmesg"),
    };
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()
}

fn cursor_in(line: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Cursor {
        #[serde(rename = "__CURSOR")]
        cursor: String,
    }
    serde_json::from_slice::<Cursor>(line).ok().map(|found| found.cursor)
}

/// Reads what the device has; how often it says that records were lost.
fn read_device(file: &mut File, lines: &mut Lines, each: &mut impl FnMut(&[u8])) -> io::Result<u32> {
    let (mut record, mut lost) = (vec![0; 16 * 1024], 0);
    loop {
        match file.read(&mut record) {
            Ok(0) => return Ok(lost),
            Ok(got) => lines.push(&record[..got], each),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(lost),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.raw_os_error() == Some(OVERWRITTEN) => lost += 1,
            Err(error) => return Err(error),
        }
    }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
