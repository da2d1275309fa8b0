//! A recording that is played again, as a source.
//!
//! Never: reads ahead by more than a few lines, or spins over a file that holds nothing.

use super::{Error, Header, LINE_MAX, Line, Read, SERIES_MAX, VERSION, now_ms};
use async_trait::async_trait;
use flate2::read::MultiGzDecoder;
use model::event::FleetEvent;
use model::reading::SeriesKey;
use model::source::{SourceKind, SourceState};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::source::{Batch, Brought, Sink, Source};

/// Lines that are read ahead of their time.
const AHEAD: usize = 16;
/// The longest single wait, so that no sum of times overflows.
const WAIT_MAX: Duration = Duration::from_hours(366 * 24);

/// Whether it is played once or for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// Once.
    Once,
    /// Again and again; each time begins where the last one ended.
    Forever,
}

/// Which times the readings get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moments {
    /// The recorded ones.
    AsRecorded,
    /// As if it happened now, at the speed at which it is played.
    Now,
}

/// A recording as a source.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplaySource {
    /// The source's name.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// How much faster than it was recorded; infinite for as fast as it is read.
    pub speed: f64,
    /// How often.
    pub times: Times,
    /// With which times.
    pub moments: Moments,
}

/// What one line holds, when it was brought, and where it stands.
type Played = Result<(i64, Brought), Error>;

#[async_trait]
impl Source for ReplaySource {
    fn name(&self) -> &str {
        &self.name
    }
    fn kind(&self) -> SourceKind {
        SourceKind::Replay
    }
    fn target(&self) -> String {
        self.path.display().to_string()
    }
    async fn run(self: Box<Self>, out: Sink, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.play(&out) => {}
        }
    }
}

impl ReplaySource {
    async fn play(&self, out: &Sink) {
        let mut state = SourceState::Connecting;
        out.put(Brought::State(state.clone())).await;
        loop {
            match self.play_once(&mut state, out).await {
                Some(played) if played > 0 && self.times == Times::Forever => {}
                Some(_) => break,
                None => return,
            }
        }
        out.put(Brought::State(SourceState::Ended)).await;
    }
    /// Plays it to its end. How many lines were played; nothing where nobody listens or it can't be opened.
    async fn play_once(&self, state: &mut SourceState, out: &Sink) -> Option<u64> {
        let mut recording = match self.open().await {
            Ok(recording) => recording,
            Err(error) => {
                let mend = "give the path of a file that `millwright` recorded".into();
                let why = source_of(&error);
                out.put(Brought::State(SourceState::Failing { since_ms: now_ms(), why, mend })).await;
                return None;
            }
        };
        if std::mem::replace(state, SourceState::Connected) != SourceState::Connected {
            out.put(Brought::State(state.clone())).await;
        }
        let (start, start_ms) = (Instant::now(), now_ms());
        let mut first = None;
        let mut played = 0;
        while let Some(next) = recording.recv().await {
            let brought = match next {
                Ok((at_ms, brought)) => {
                    let first = *first.get_or_insert(at_ms);
                    let wait = self.shortened(at_ms, first).max(0).cast_unsigned();
                    tokio::time::sleep_until(start + Duration::from_millis(wait).min(WAIT_MAX)).await;
                    played += 1;
                    self.moved(brought, |at_ms| start_ms.saturating_add(self.shortened(at_ms, first)))
                }
                Err(error) => Brought::Fault(source_of(&error)),
            };
            if !out.put(brought).await {
                return None;
            }
        }
        Some(played)
    }
    /// Milliseconds since the first line, as they are played.
    fn shortened(&self, at_ms: i64, first_ms: i64) -> i64 {
        let speed = if self.speed > 0.0 { self.speed } else { 1.0 };
        (at_ms.saturating_sub(first_ms) as f64 / speed).round() as i64
    }
    /// The same at the times that it gets.
    fn moved(&self, brought: Brought, to: impl Fn(i64) -> i64) -> Brought {
        if self.moments == Moments::AsRecorded {
            return brought;
        }
        match brought {
            Brought::Readings(Batch { at_ms, readings, unknown }) => {
                let readings = readings.into_iter().map(|(key, own, value)| (key, own.map(&to), value)).collect();
                Brought::Readings(Batch { at_ms: to(at_ms), readings, unknown })
            }
            Brought::Event(event) => Brought::Event(FleetEvent { at_ms: to(event.at_ms), ..event }),
            Brought::State(state) => Brought::State(state),
            Brought::Fault(words) => Brought::Fault(words),
            Brought::Peer(peer) => Brought::Peer(peer),
        }
    }
    /// Opens the file, and reads on in a thread of its own.
    async fn open(&self) -> Result<mpsc::Receiver<Played>, Error> {
        let path = self.path.clone();
        let opened = tokio::task::spawn_blocking(move || Lines::open(&path)).await;
        let gone = || Error::Line { path: self.path.clone(), line: 0, why: "reading was given up".into() };
        let lines = opened.map_err(|_| gone())??;
        let (queue, recording) = mpsc::channel(AHEAD);
        tokio::task::spawn_blocking(move || {
            for next in lines {
                if queue.blocking_send(next).is_err() {
                    return;
                }
            }
        });
        Ok(recording)
    }
}

/// An error with its cause.
fn source_of(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// The lines of a recording.
pub struct Lines {
    path: PathBuf,
    input: Box<dyn BufRead + Send>,
    line: u64,
    series: HashMap<u32, Arc<SeriesKey>>,
    header: Header,
    ended: bool,
}

impl Lines {
    /// Opens a recording, packed or not, and reads its first line.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let unopened = |source| Error::File { path: path.into(), what: "opened", source };
        let mut file = BufReader::new(File::open(path).map_err(unopened)?);
        let packed = file.fill_buf().map_err(unopened)?.starts_with(&[0x1f, 0x8b]);
        let input: Box<dyn BufRead + Send> =
            if packed { Box::new(BufReader::new(MultiGzDecoder::new(file))) } else { Box::new(file) };
        let header = Header { version: 0, source: String::new(), kind: SourceKind::Replay, target: String::new() };
        let mut lines = Self { path: path.into(), input, line: 0, series: HashMap::new(), header, ended: false };
        let first = lines.read_line()?.unwrap_or_default();
        let header: Result<Header, _> = serde_json::from_slice(&first);
        lines.header = header.map_err(|error| lines.wrong(format!("this is no recording: {error}")))?;
        match lines.header.version {
            VERSION => Ok(lines),
            other => Err(lines.wrong(format!("the recording has version {other}; version {VERSION} can be read"))),
        }
    }
    /// What the first line says.
    pub fn header(&self) -> &Header {
        &self.header
    }
    /// The next line with its end; nothing at the end of the file, or where the last one was torn.
    fn read_line(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut text = Vec::new();
        let read = self.input.by_ref().take(LINE_MAX as u64 + 1).read_until(b'\n', &mut text);
        match read {
            Ok(_) if text.len() > LINE_MAX => {
                self.line += 1;
                self.ended = true;
                return Err(self.wrong(format!("the line has more than {LINE_MAX} bytes")));
            }
            // A packed file whose writer was killed breaks off.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => {
                self.line += 1;
                self.ended = true;
                return Err(self.wrong(error.to_string()));
            }
            Ok(_) => {}
        }
        if text.last() != Some(&b'\n') {
            return Ok(None);
        }
        self.line += 1;
        Ok(Some(text))
    }
    fn understood(&mut self, text: &[u8]) -> Result<Option<(i64, Brought)>, Error> {
        let line: Line = serde_json::from_slice(text).map_err(|error| self.wrong(error.to_string()))?;
        Ok(Some(match line {
            Line::Series { series, name, labels } => {
                if self.series.len() >= SERIES_MAX {
                    return Err(self.wrong(format!("more than {SERIES_MAX} series")));
                }
                self.series.insert(series, Arc::new(SeriesKey { name, labels }));
                return Ok(None);
            }
            Line::Readings { at, readings, unknown } => {
                let mut all = Vec::with_capacity(readings.len());
                for read in readings {
                    let (series, value, own) = match read {
                        Read::Own(series, value, at_ms) => (series, value, Some(at_ms)),
                        Read::Plain(series, value) => (series, value, None),
                    };
                    let key = self
                        .series
                        .get(&series)
                        .ok_or_else(|| self.wrong(format!("series {series} was never named")))?;
                    all.push((Arc::clone(key), own, value));
                }
                (at, Brought::Readings(Batch { at_ms: at, readings: all, unknown }))
            }
            Line::Event { at, event } => (at, Brought::Event(event)),
            Line::State { at, state } => (at, Brought::State(state)),
            Line::Fault { at, fault } => (at, Brought::Fault(fault)),
            Line::Peer { at, peer } => (at, Brought::Peer(peer)),
        }))
    }
    fn wrong(&self, why: String) -> Error {
        Error::Line { path: self.path.clone(), line: self.line, why }
    }
}

impl Iterator for Lines {
    type Item = Played;
    /// The next thing that was brought; a line that can't be read is an error, and the next one is read all the same.
    fn next(&mut self) -> Option<Played> {
        while !self.ended {
            let text = match self.read_line() {
                Ok(Some(text)) => text,
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            };
            if text.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match self.understood(&text) {
                Ok(Some(brought)) => return Some(Ok(brought)),
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
        }
        None
    }
}
