//! A file that grows, is turned over or cut short, read line by line with a cursor that outlives us.

use super::LINE_MAX;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;
/// How much of a file's beginning tells it from another that got the same number.
const HEAD: usize = 96;

/// Cuts bytes into lines, of which it keeps no more than their beginning.
#[derive(Debug, Default)]
pub(super) struct Lines {
    held: Vec<u8>,
    /// Bytes since the last whole line, kept or not.
    open: u64,
}

impl Lines {
    /// Hands on each whole line of what came.
    pub(super) fn push(&mut self, bytes: &[u8], each: &mut impl FnMut(&[u8])) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = LINE_MAX.saturating_sub(self.held.len());
            self.held.extend_from_slice(&part[..part.len().min(room)]);
            self.open += part.len() as u64;
            if part.ends_with(b"\n") {
                self.end(each);
            }
        }
    }
    /// Takes what is left for a line: nothing more will come.
    pub(super) fn end(&mut self, each: &mut impl FnMut(&[u8])) {
        if self.open > 0 {
            each(self.held.strip_suffix(b"\n").unwrap_or(&self.held));
        }
        self.held.clear();
        self.open = 0;
    }
}

/// Up to where a file is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The file's number.
    pub(super) inode: u64,
    /// The first byte that is not read, always the beginning of a line.
    pub(super) offset: u64,
    /// How the file begins: numbers are given anew when a file is gone.
    pub(super) head: Vec<u8>,
}

/// Follows a file by name.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    open: Option<File>,
    lines: Lines,
    /// Up to where it is read.
    pub(super) mark: Option<Mark>,
}

impl Tail {
    pub(super) fn new(path: &Path, mark: Option<Mark>) -> Self {
        Self { path: path.to_owned(), open: None, lines: Lines::default(), mark }
    }

    /// Hands on what came since the last time, at most about `budget` bytes of it. `true` where there may be more.
    pub(super) fn poll(&mut self, budget: usize, each: &mut impl FnMut(&[u8])) -> io::Result<bool> {
        // Cut short, perhaps grown again since: looked at first, or what is new would be taken for more of the old.
        if let (Some(file), Some(mark)) = (&self.open, &self.mark)
            && (file.metadata()?.len() < mark.offset || !starts(file, &mark.head))
        {
            (self.open, self.mark) = (None, None);
        }
        if self.open.is_none() {
            self.reopen(each)?;
        }
        if self.read(budget, each)? {
            return Ok(true);
        }
        let now = match fs::metadata(&self.path) {
            // Moved away, and no new one yet: whoever writes still has the old one.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            about => about?,
        };
        if self.mark.as_ref().is_none_or(|mark| now.ino() == mark.inode || now.len() == 0) {
            return Ok(false);
        }
        // Turned over. What the old file still got, after we read it and before the new one was begun, comes first.
        while self.read(usize::MAX, each)? {}
        let open = self.lines.open;
        self.lines.end(each);
        let old = self.mark.take().map(|mark| Mark { offset: mark.offset + open, ..mark });
        self.catch_up(old.as_ref(), each);
        self.open = None;
        Ok(true)
    }

    /// Opens the file where the mark says. A file that is not the mark's is read from its beginning, after what is left
    /// of the mark's under its new name.
    fn reopen(&mut self, each: &mut impl FnMut(&[u8])) -> io::Result<()> {
        let mut file = File::open(&self.path)?;
        let about = file.metadata()?;
        let same = |mark: &Mark| mark.inode == about.ino() && mark.offset <= about.len() && starts(&file, &mark.head);
        let mark = match self.mark.take() {
            Some(mark) if same(&mark) => mark,
            old => {
                self.catch_up(old.as_ref(), each);
                Mark { inode: about.ino(), ..Mark::default() }
            }
        };
        file.seek(SeekFrom::Start(mark.offset))?;
        (self.open, self.lines, self.mark) = (Some(file), Lines::default(), Some(mark));
        Ok(())
    }

    /// Reads to the end of what is there now; `true` where the budget ran out first.
    fn read(&mut self, budget: usize, each: &mut impl FnMut(&[u8])) -> io::Result<bool> {
        let (Some(file), Some(mark)) = (&mut self.open, &mut self.mark) else { return Ok(false) };
        let (mut chunk, mut used) = (vec![0; CHUNK], 0_usize);
        while used < budget {
            let got = match file.read(&mut chunk) {
                Ok(0) => return Ok(false),
                Ok(got) => got,
                // The kernel's own device has nothing more for now.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let room = HEAD.saturating_sub(mark.head.len());
            if mark.offset + self.lines.open == mark.head.len() as u64 {
                mark.head.extend_from_slice(&chunk[..got.min(room)]);
            }
            let before = self.lines.open;
            self.lines.push(&chunk[..got], each);
            mark.offset += before + got as u64 - self.lines.open;
            used += got;
        }
        Ok(true)
    }

    /// Reads what is left of a file that was turned over, and every one that came and went since.
    fn catch_up(&self, old: Option<&Mark>, each: &mut impl FnMut(&[u8])) {
        let Some(old) = old else { return };
        let aside = self.turned_over();
        let Some(at) = aside.iter().position(|(_, inode, path)| {
            *inode == old.inode && File::open(path).is_ok_and(|file| starts(&file, &old.head))
        }) else {
            return;
        };
        for (nth, (_, _, path)) in aside[at..].iter().enumerate() {
            let from = if nth == 0 { old.offset } else { 0 };
            if let Err(error) = read_whole(path, from, each) {
                tracing::warn!(path = %path.display(), %error, "A log that was turned over can't be read to its end.");
            }
        }
    }

    /// Files beside ours that it was turned over to, the oldest first.
    fn turned_over(&self) -> Vec<(SystemTime, u64, PathBuf)> {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.file_name().and_then(|name| name.to_str()))
        else {
            return Vec::new();
        };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        // `kern.log.1`, `kern.log-20250223`; `kern.log.2.gz` is packed, and older than what we seek.
        let aside = |other: &str| {
            let rest = other.strip_prefix(name).and_then(|rest| rest.strip_prefix(['.', '-'])).unwrap_or_default();
            rest.starts_with(|c: char| c.is_ascii_digit())
                && rest.bytes().all(|byte| byte.is_ascii_digit() || b"-_T".contains(&byte))
        };
        let mut found: Vec<(SystemTime, u64, PathBuf)> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.file_name().to_str().is_some_and(aside))
            .filter_map(|entry| {
                let about = entry.metadata().ok().filter(fs::Metadata::is_file)?;
                Some((about.modified().ok()?, about.ino(), entry.path()))
            })
            .collect();
        found.sort();
        found
    }
}

fn starts(file: &File, head: &[u8]) -> bool {
    let mut start = vec![0; head.len()];
    file.read_exact_at(&mut start, 0).is_ok() && start == head
}

fn read_whole(path: &Path, from: u64, each: &mut impl FnMut(&[u8])) -> io::Result<()> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let (mut lines, mut chunk) = (Lines::default(), vec![0; CHUNK]);
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            got => lines.push(&chunk[..got], each),
        }
    }
    lines.end(each);
    Ok(())
}
