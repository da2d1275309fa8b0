//! The queue on disk: segments that are only appended to, and a file that says how far they have been sent.
//!
//! A segment is named by its number and begins with `MWQUEUE1`. Each record is: length of the payload (u32), CRC-32 of
//! what follows (u32), time of taking (i64, ms), samples (u32), payload (a snappy block of a WriteRequest); all little-endian.
//! The file `position` holds segment, byte and samples as text, with a CRC, and is replaced as a whole.
//!
//! What survives: a record is written by one call before `append` returns, so a killed process loses nothing; what the
//! caller syncs (see [`Queue::unsynced`]) survives a power cut. A record that was torn at the end is cut off on opening; a
//! damaged one elsewhere ends its segment's reading and is counted.
//!
//! Never: grows beyond its bound; the oldest segment goes first, and its unsent samples are counted.

use super::Problem;
use flate2::Crc;
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"MWQUEUE1";
const HEAD: usize = 20;
/// A segment is closed beyond this: an eighth of the bound, and at most 16 MiB.
const SEGMENT_MAX: u64 = 16 << 20;
/// Longest payload: a batch of 10 000 samples takes 1 MiB.
const PAYLOAD_MAX: usize = 32 << 20;
/// Bytes of unpacked message in one reading.
const MESSAGE_MAX: usize = 8 << 20;

/// A place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// Number of the segment.
    segment: u64,
    /// Byte in it.
    byte: u64,
    /// Samples of the segment before it.
    samples: u64,
}

/// What was read at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Where it begins.
    pub from: Position,
    /// Where the next one begins.
    pub to: Position,
    /// All of it as one message.
    pub message: Vec<u8>,
    /// How many samples.
    pub samples: u64,
}

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Bytes on disk that were not sent.
    pub bytes: u64,
    /// Samples in them.
    pub samples: u64,
    /// When the oldest was taken, milliseconds since 1970 UTC.
    pub oldest_ms: Option<i64>,
}

/// A queue of records.
#[derive(Debug)]
pub struct Queue {
    folder: PathBuf,
    bytes_max: u64,
    /// All there are, the last one being written.
    segments: VecDeque<Segment>,
    file: File,
    next: Position,
    /// Segments from here on are kept, for a rewind.
    kept: Position,
    furthest: Position,
    noted: Option<Position>,
    dirty: bool,
    overflowed: u64,
    damaged: u64,
    /// When the record at `next` was taken, once it is known.
    oldest: Option<(Position, i64)>,
    _lock: File,
}

#[derive(Debug)]
struct Segment {
    number: u64,
    bytes: u64,
    samples: u64,
}

struct Record {
    at_ms: i64,
    samples: u32,
    payload: Vec<u8>,
}

impl Queue {
    /// Opens the queue in a folder, which is made where it is missing; cuts off what was torn.
    pub fn open(folder: &Path, bytes_max: u64) -> Result<Self, Problem> {
        fs::create_dir_all(folder).map_err(problem(folder, "made"))?;
        let path = folder.join("lock");
        let lock = File::create(&path).map_err(problem(&path, "made"))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => Problem::InUse { folder: folder.into() },
            TryLockError::Error(source) => problem(&path, "locked")(source),
        })?;
        let mut numbers: Vec<u64> = fs::read_dir(folder)
            .map_err(problem(folder, "listed"))?
            .filter_map(|entry| number_of(&entry.ok()?.file_name().into_string().ok()?))
            .collect();
        numbers.sort_unstable();
        let mut damaged = 0;
        let mut segments = VecDeque::new();
        for (place, &number) in numbers.iter().enumerate() {
            let last = place + 1 == numbers.len();
            let end = if last { End::Torn } else { End::Whole };
            let (segment, whole) = survey(&path_of(folder, number), number, end)?;
            damaged += u64::from(!whole && !last);
            segments.push_back(segment);
        }
        let fresh = segments.back().map_or(1, |last: &Segment| last.number + 1);
        let start = Position { segment: segments.front().map_or(fresh, |first| first.number), byte: 8, samples: 0 };
        let next = position_in(folder).unwrap_or(start).max(start);
        // A new segment at each start: what was read before is never appended to.
        let file = create(folder, fresh)?;
        segments.push_back(Segment { number: fresh, bytes: 8, samples: 0 });
        let mut queue = Self {
            folder: folder.into(),
            bytes_max: bytes_max.max(1 << 16),
            segments,
            file,
            next,
            kept: next,
            furthest: next,
            noted: None,
            dirty: false,
            overflowed: 0,
            damaged,
            oldest: None,
            _lock: lock,
        };
        queue.clear();
        Ok(queue)
    }
    /// Writes a record; drops the oldest where that is too much.
    pub fn append(&mut self, at_ms: i64, samples: u32, payload: &[u8]) -> Result<(), Problem> {
        let number = self.writing().number;
        let path = path_of(&self.folder, number);
        if payload.len() > PAYLOAD_MAX.min(self.segment_max() as usize) {
            let source = std::io::Error::other(format!("{} bytes at once are too many", payload.len()));
            return Err(Problem::File { path, what: "written", source });
        }
        let mut record = Vec::with_capacity(HEAD + payload.len());
        record.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        record.extend_from_slice(&[0; 4]);
        record.extend_from_slice(&at_ms.to_le_bytes());
        record.extend_from_slice(&samples.to_le_bytes());
        record.extend_from_slice(payload);
        let sum = crc(&record[8..]);
        record[4..8].copy_from_slice(&sum.to_le_bytes());
        if let Err(source) = self.file.write_all(&record) {
            // A part of it may stand there: the next record must follow the last whole one.
            let good = self.writing().bytes;
            let _ = self.file.set_len(good).and_then(|()| self.file.seek(SeekFrom::Start(good)));
            return Err(Problem::File { path, what: "written", source });
        }
        self.dirty = true;
        let full = self.segment_max();
        let writing = self.writing();
        writing.bytes += record.len() as u64;
        writing.samples += u64::from(samples);
        if writing.bytes >= full {
            self.roll()?;
        }
        self.drop_oldest();
        Ok(())
    }
    /// The next records, so many samples at most unless one record has more; nothing is taken away.
    pub fn read(&mut self, samples_max: u32) -> Option<Read> {
        let mut read = Read { from: self.next, to: self.next, message: Vec::new(), samples: 0 };
        loop {
            self.settle(&mut read.to);
            if read.samples == 0 {
                // What was passed over since is not to be read again.
                (read.from, self.next) = (read.to, read.to);
            }
            let end = self.end_of(read.to.segment)?;
            // What is only sent again is not mixed with what is sent first.
            let new = read.samples > 0 && read.from < self.furthest && read.to >= self.furthest;
            if new || read.to.byte >= end {
                break;
            }
            let record = match record_at(&path_of(&self.folder, read.to.segment), read.to.byte, end) {
                Ok(record) => record,
                Err(_) if read.samples > 0 => break,
                Err(_) => {
                    self.pass_over_rest(&mut read.to);
                    continue;
                }
            };
            let Ok(message) = snap::raw::Decoder::new().decompress_vec(&record.payload) else {
                self.pass_over_rest(&mut read.to);
                continue;
            };
            let full = read.samples + u64::from(record.samples) > u64::from(samples_max)
                || read.message.len() + message.len() > MESSAGE_MAX;
            if read.samples > 0 && full {
                break;
            }
            if read.samples == 0 {
                self.oldest = Some((read.to, record.at_ms));
            }
            read.message.extend_from_slice(&message);
            read.samples += u64::from(record.samples);
            read.to.byte += (HEAD + record.payload.len()) as u64;
            read.to.samples += u64::from(record.samples);
        }
        (read.samples > 0).then_some(read)
    }
    /// What was read has been sent.
    pub fn advance(&mut self, to: Position) {
        self.next = self.next.max(to);
        self.furthest = self.furthest.max(self.next);
        self.clear();
    }
    /// Sends again from there.
    pub fn rewind(&mut self, from: Position) {
        self.next = self.next.min(from);
    }
    /// Keeps what was sent from there on, for a rewind, and lets go of what is before; of all that was sent, without.
    pub fn keep_from(&mut self, from: Option<Position>) {
        self.kept = from.unwrap_or(self.next);
        self.clear();
    }
    /// How far it was ever sent since it was opened.
    pub fn furthest(&self) -> Position {
        self.furthest
    }
    /// What waits.
    pub fn waiting(&self) -> Waiting {
        let ahead = self.segments.iter().filter(|segment| segment.number >= self.next.segment);
        let (mut bytes, mut samples) = (0, 0);
        for segment in ahead {
            let at = if segment.number == self.next.segment {
                self.next
            } else {
                Position { byte: 8, ..Position::default() }
            };
            bytes += segment.bytes.saturating_sub(at.byte);
            samples += segment.samples.saturating_sub(at.samples);
        }
        let known = self.oldest.filter(|(at, _)| *at == self.next).map(|(_, at_ms)| at_ms);
        let oldest_ms = (samples > 0).then(|| known.or_else(|| self.peek())).flatten();
        Waiting { bytes, samples, oldest_ms }
    }
    /// Samples that were dropped unsent because the bound was reached.
    pub fn overflowed(&self) -> u64 {
        self.overflowed
    }
    /// Times that the rest of a segment could not be read.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }
    /// The file that was written to since the last call, to be synced.
    pub fn unsynced(&mut self) -> Option<File> {
        std::mem::take(&mut self.dirty).then(|| self.file.try_clone().ok()).flatten()
    }
    /// Writes down how far it has been sent.
    pub fn note_position(&mut self) -> Result<(), Problem> {
        if self.noted == Some(self.next) {
            return Ok(());
        }
        let Position { segment, byte, samples } = self.next;
        let text = format!("{segment} {byte} {samples}");
        let (path, aside) = (self.folder.join("position"), self.folder.join("position.new"));
        fs::write(&aside, format!("{text} {:08x}\n", crc(text.as_bytes()))).map_err(problem(&aside, "written"))?;
        fs::rename(&aside, &path).map_err(problem(&path, "replaced"))?;
        self.noted = Some(self.next);
        Ok(())
    }

    fn writing(&mut self) -> &mut Segment {
        if self.segments.is_empty() {
            self.segments.push_back(Segment { number: self.next.segment, bytes: 8, samples: 0 });
        }
        let last = self.segments.len() - 1;
        &mut self.segments[last]
    }
    fn segment_max(&self) -> u64 {
        (self.bytes_max / 8).min(SEGMENT_MAX)
    }
    fn roll(&mut self) -> Result<(), Problem> {
        let number = self.writing().number + 1;
        let file = create(&self.folder, number)?;
        // The old one is whole on disk before the new one has anything.
        let _ = self.file.sync_data();
        self.file = file;
        self.segments.push_back(Segment { number, bytes: 8, samples: 0 });
        Ok(())
    }
    fn drop_oldest(&mut self) {
        while self.segments.len() > 1 && self.segments.iter().map(|segment| segment.bytes).sum::<u64>() > self.bytes_max
        {
            let Some(oldest) = self.segments.pop_front() else { return };
            // Unsent, and not merely sent again.
            let sent = match oldest.number.cmp(&self.furthest.segment) {
                std::cmp::Ordering::Less => oldest.samples,
                std::cmp::Ordering::Equal => self.furthest.samples,
                std::cmp::Ordering::Greater => 0,
            };
            self.overflowed += oldest.samples.saturating_sub(sent);
            let _ = fs::remove_file(path_of(&self.folder, oldest.number));
            let next = Position { segment: oldest.number + 1, byte: 8, samples: 0 };
            self.next = self.next.max(next);
            self.furthest = self.furthest.max(next);
        }
    }
    /// Lets go of segments that are sent and no more kept.
    fn clear(&mut self) {
        let needed = self.next.min(self.kept).segment;
        while self.segments.len() > 1 && self.segments[0].number < needed {
            let _ = fs::remove_file(path_of(&self.folder, self.segments[0].number));
            self.segments.pop_front();
        }
    }
    /// Moves a position from the end of a segment to the begin of the next one.
    fn settle(&self, at: &mut Position) {
        while let Some(segment) = self.segments.iter().find(|segment| segment.number >= at.segment) {
            let last = self.segments.back().is_none_or(|last| last.number == segment.number);
            if segment.number > at.segment {
                *at = Position { segment: segment.number, byte: 8, samples: 0 };
            } else if at.byte >= segment.bytes && !last {
                *at = Position { segment: at.segment + 1, byte: 8, samples: 0 };
            } else {
                return;
            }
        }
    }
    fn end_of(&self, number: u64) -> Option<u64> {
        self.segments.iter().find(|segment| segment.number == number).map(|segment| segment.bytes)
    }
    fn pass_over_rest(&mut self, at: &mut Position) {
        self.damaged += 1;
        if let Some(segment) = self.segments.iter().find(|segment| segment.number == at.segment) {
            *at = Position { segment: at.segment, byte: segment.bytes, samples: segment.samples };
        }
        self.next = *at;
    }
    /// When the record at `next` was taken.
    fn peek(&self) -> Option<i64> {
        let mut at = self.next;
        self.settle(&mut at);
        let mut head = [0; HEAD];
        let mut file = File::open(path_of(&self.folder, at.segment)).ok()?;
        file.seek(SeekFrom::Start(at.byte)).ok()?;
        file.read_exact(&mut head).ok()?;
        Some(i64::from_le_bytes(*head[8..16].first_chunk()?))
    }
}

/// How a segment may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It was closed.
    Whole,
    /// It was being written.
    Torn,
}

/// Counts what is in a segment; the last one is read whole, and cut after its last whole record.
fn survey(path: &Path, number: u64, end: End) -> Result<(Segment, bool), Problem> {
    let last = end == End::Torn;
    let mut file = OpenOptions::new().read(true).write(last).open(path).map_err(problem(path, "opened"))?;
    let length = file.metadata().map_err(problem(path, "read"))?.len();
    let mut segment = Segment { number, bytes: 8, samples: 0 };
    let mut magic = [0; 8];
    let good = file.read_exact(&mut magic).is_ok() && magic == *MAGIC;
    while good && segment.bytes < length {
        let found = if last {
            record_at(path, segment.bytes, length).ok().map(|record| (record.payload.len(), record.samples))
        } else {
            head_at(&mut file, segment.bytes, length)
        };
        let Some((payload, samples)) = found else { break };
        segment.bytes += (HEAD + payload) as u64;
        segment.samples += u64::from(samples);
    }
    let whole = good && segment.bytes == length;
    if last && !whole {
        file.set_len(segment.bytes.min(length)).map_err(problem(path, "cut"))?;
    }
    Ok((segment, whole))
}

fn head_at(file: &mut File, byte: u64, end: u64) -> Option<(usize, u32)> {
    let mut head = [0; HEAD];
    file.seek(SeekFrom::Start(byte)).ok()?;
    file.read_exact(&mut head).ok()?;
    let length = u32::from_le_bytes(*head.first_chunk()?);
    let samples = u32::from_le_bytes(*head[16..].first_chunk()?);
    (byte + HEAD as u64 + u64::from(length) <= end).then_some((length as usize, samples))
}

fn record_at(path: &Path, byte: u64, end: u64) -> std::io::Result<Record> {
    let damaged = || std::io::Error::other("damaged");
    let mut file = File::open(path)?;
    let (length, samples) = head_at(&mut file, byte, end).ok_or_else(damaged)?;
    if length > PAYLOAD_MAX {
        return Err(damaged());
    }
    file.seek(SeekFrom::Start(byte + 4))?;
    let mut rest = vec![0; HEAD - 4 + length];
    file.read_exact(&mut rest)?;
    let (sum, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
    if crc(rest) != u32::from_le_bytes(*sum) {
        return Err(damaged());
    }
    let at_ms = i64::from_le_bytes(*rest.first_chunk().ok_or_else(damaged)?);
    Ok(Record { at_ms, samples, payload: rest[HEAD - 8..].to_vec() })
}

fn create(folder: &Path, number: u64) -> Result<File, Problem> {
    let path = path_of(folder, number);
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(problem(&path, "made"))?;
    file.write_all(MAGIC).map_err(problem(&path, "written"))?;
    // So that the name itself survives a power cut.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(file)
}

fn position_in(folder: &Path) -> Option<Position> {
    let text = fs::read_to_string(folder.join("position")).ok()?;
    let (text, sum) = text.trim_end().rsplit_once(' ')?;
    if format!("{:08x}", crc(text.as_bytes())) != sum {
        return None;
    }
    let mut parts = text.split(' ').map(|part| part.parse().ok());
    Some(Position { segment: parts.next()??, byte: parts.next()??, samples: parts.next()?? })
}

fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:016x}.seg"))
}

fn number_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg").filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok()
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn problem<'a>(path: &'a Path, what: &'static str) -> impl FnOnce(std::io::Error) -> Problem + 'a {
    move |source| Problem::File { path: path.into(), what, source }
}
