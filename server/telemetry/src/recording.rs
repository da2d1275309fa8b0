//! Recordings: what a source brought, kept in a file, and played again at any speed.
//!
//! A recording is lines of JSON, packed by gzip or not. The first line says what it is; then each line is one thing:
//!
//! ```text
//! {"millwright_recording":1,"source":"dcgm-a","kind":"scrape","target":"http://a:9400/metrics"}
//! {"series":0,"name":"gpu_power_watts","labels":[["gpu","0"],["host","a"]]}
//! {"at":1764000000000,"readings":[[0,512.5],[0,513.0,1763999999500]],"unknown":2}
//! {"at":1764000000100,"event":{…}}   {"at":…,"state":{…}}   {"at":…,"fault":"…"}   {"at":…,"peer":"…"}
//! ```
//!
//! `at` is when it was brought; the third part of a reading is its own time, where it has one. A series is named once,
//! before its first reading. A value that JSON cannot say (NaN, infinite) is left out. A last line that was torn is no error.
//!
//! Never: grows beyond its bound, holds more of a file than a line, or stops at a line that can't be read.
//!
//! Read `replay` next.

pub mod replay;

use flate2::Compression;
use flate2::write::GzEncoder;
use model::event::FleetEvent;
use model::reading::{Labels, SeriesKey};
use model::source::{SourceKind, SourceState};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::source::{Batch, Brought};

/// The version of the format.
pub const VERSION: u32 = 1;
/// Longest line: a recorder cuts batches long before.
pub const LINE_MAX: usize = 16 << 20;
/// Most series of a recording.
pub const SERIES_MAX: usize = 1_000_000;
/// Readings of one line.
const READINGS_MAX: usize = 20_000;
/// How often what was recorded is handed to the disk.
const FLUSH: Duration = Duration::from_secs(1);

/// Why a recording can't be made or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file.
    #[error("{} can't be {what}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What was to be done with it.
        what: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A line.
    #[error("{}:{line}: {why}", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The bound is reached.
    #[error("the recording is full: {most} bytes")]
    Full {
        /// The bound.
        most: u64,
    },
}

/// What is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The format's version; it marks the file too.
    #[serde(rename = "millwright_recording")]
    pub version: u32,
    /// Name of the source.
    pub source: String,
    /// Its kind.
    pub kind: SourceKind,
    /// Where it was read.
    pub target: String,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// As text.
    Plain,
    /// Packed by gzip.
    Gzip,
}

/// One line after the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Series {
        series: u32,
        name: String,
        labels: Labels,
    },
    Readings {
        at: i64,
        readings: Vec<Read>,
        #[serde(default, skip_serializing_if = "is_zero")]
        unknown: u32,
    },
    Event {
        at: i64,
        event: FleetEvent,
    },
    State {
        at: i64,
        state: SourceState,
    },
    Fault {
        at: i64,
        fault: String,
    },
    Peer {
        at: i64,
        peer: String,
    },
}

/// `[series, value]` or `[series, value, time]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Read {
    Own(u32, f64, i64),
    Plain(u32, f64),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it so")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

enum Out {
    Plain(BufWriter<Counted>),
    Gzip(Box<GzEncoder<BufWriter<Counted>>>),
}

/// A file that counts what is written to it.
struct Counted {
    file: File,
    bytes: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Out {
    fn line(&mut self, text: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.write_all(text).and_then(|()| out.write_all(b"\n")),
            Self::Gzip(out) => out.write_all(text).and_then(|()| out.write_all(b"\n")),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Gzip(out) => out.flush(),
        }
    }
    fn bytes(&self) -> u64 {
        let out = match self {
            Self::Plain(out) => out,
            Self::Gzip(out) => out.get_ref(),
        };
        out.get_ref().bytes + out.buffer().len() as u64
    }
}

/// Writes a recording.
pub struct Recorder {
    path: PathBuf,
    out: Out,
    bytes_max: u64,
    series: HashMap<Arc<SeriesKey>, u32>,
    flushed: Instant,
}

impl Recorder {
    /// Begins a recording of at most so many bytes; a file that is there already is left alone, and refused.
    pub fn create(path: &Path, header: &Header, packing: Packing, bytes_max: u64) -> Result<Self, Error> {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let file = file.map_err(|source| Error::File { path: path.into(), what: "made", source })?;
        let out = BufWriter::with_capacity(64 << 10, Counted { file, bytes: 0 });
        let out = match packing {
            Packing::Plain => Out::Plain(out),
            Packing::Gzip => Out::Gzip(Box::new(GzEncoder::new(out, Compression::fast()))),
        };
        let mut recorder = Self { path: path.into(), out, bytes_max, series: HashMap::new(), flushed: Instant::now() };
        recorder.json(header)?;
        recorder.flush()?;
        Ok(recorder)
    }
    /// Writes what was brought at that time.
    pub fn record(&mut self, at_ms: i64, brought: &Brought) -> Result<(), Error> {
        if self.out.bytes() >= self.bytes_max {
            return Err(Error::Full { most: self.bytes_max });
        }
        match brought {
            Brought::Readings(batch) => self.batch(batch)?,
            Brought::Event(event) => self.json(&Line::Event { at: at_ms, event: event.clone() })?,
            Brought::State(state) => self.json(&Line::State { at: at_ms, state: state.clone() })?,
            Brought::Fault(fault) => self.json(&Line::Fault { at: at_ms, fault: fault.clone() })?,
            Brought::Peer(peer) => self.json(&Line::Peer { at: at_ms, peer: peer.clone() })?,
        }
        if self.flushed.elapsed() >= FLUSH { self.flush() } else { Ok(()) }
    }
    /// Hands to the system what was recorded so far; a packed file can be read up to here.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.flushed = Instant::now();
        self.out.flush().map_err(|source| self.unwritten(source))
    }
    /// Ends the recording.
    pub fn finish(self) -> Result<(), Error> {
        let path = self.path;
        let ended = match self.out {
            Out::Plain(mut out) => out.flush(),
            Out::Gzip(out) => out.finish().and_then(|mut out| out.flush()),
        };
        ended.map_err(|source| Error::File { path, what: "written", source })
    }
    /// Records whatever comes until nobody sends any more, or until told to stop; flushes each second.
    pub async fn run(mut self, mut queue: mpsc::Receiver<Brought>, stop: CancellationToken) -> Result<(), Error> {
        let mut ticks = tokio::time::interval(FLUSH);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = ticks.tick() => self.flush()?,
                next = queue.recv() => match next {
                    Some(brought) => self.record(now_ms(), &brought)?,
                    None => break,
                },
            }
        }
        self.finish()
    }

    fn batch(&mut self, batch: &Batch) -> Result<(), Error> {
        let mut unknown = batch.unknown;
        let mut written = false;
        for part in batch.readings.chunks(READINGS_MAX) {
            let mut readings = Vec::with_capacity(part.len());
            for (key, own, value) in part.iter().filter(|(_, _, value)| value.is_finite()) {
                let series = self.series(key)?;
                readings.push(own.map_or(Read::Plain(series, *value), |at_ms| Read::Own(series, *value, at_ms)));
            }
            if !readings.is_empty() {
                self.json(&Line::Readings { at: batch.at_ms, readings, unknown: std::mem::take(&mut unknown) })?;
                written = true;
            }
        }
        if !written && unknown > 0 {
            self.json(&Line::Readings { at: batch.at_ms, readings: Vec::new(), unknown })?;
        }
        Ok(())
    }
    fn series(&mut self, key: &Arc<SeriesKey>) -> Result<u32, Error> {
        if let Some(known) = self.series.get(key) {
            return Ok(*known);
        }
        if self.series.len() >= SERIES_MAX {
            return Err(Error::Full { most: self.bytes_max });
        }
        let series = self.series.len() as u32;
        self.json(&Line::Series { series, name: key.name.clone(), labels: key.labels.clone() })?;
        self.series.insert(Arc::clone(key), series);
        Ok(series)
    }
    fn json(&mut self, line: &impl Serialize) -> Result<(), Error> {
        let text = serde_json::to_vec(line).map_err(|error| self.unwritten(error.into()))?;
        self.out.line(&text).map_err(|source| self.unwritten(source))
    }
    fn unwritten(&self, source: io::Error) -> Error {
        Error::File { path: self.path.clone(), what: "written", source }
    }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

#[cfg(test)]
mod tests;
