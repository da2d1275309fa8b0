//! A file that grows, is turned over or cut short, read line by line with a cursor that outlives us.

use super::LINE_MAX;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
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
        if self.open.is_none() && !self.reopen(each)? {
            return Ok(false);
        }
        if self.read(budget, each)? {
            return Ok(true);
        }
        let Some(mark) = &self.mark else { return Ok(false) };
        let now = fs::metadata(&self.path)?;
        if now.ino() == mark.inode && now.len() >= mark.offset && begins(&self.path, &mark.head) {
            return Ok(false);
        }
        // Turned over or cut short. What the old file still got, after we read it and before it was moved, comes first.
        if now.ino() != mark.inode {
            while self.read(usize::MAX, each)? {}
            self.lines.end(each);
            let old = self.mark.take();
            self.open = None;
            self.catch_up(old.as_ref(), each);
        }
        self.start_over();
        Ok(true)
    }

    fn start_over(&mut self) {
        (self.open, self.lines, self.mark) = (None, Lines::default(), None);
    }

    /// Opens the file where the mark says. A file that is not the mark's is read from its beginning, after what is left
    /// of the mark's under its new name. `false` where there is no file.
    fn reopen(&mut self, each: &mut impl FnMut(&[u8])) -> io::Result<bool> {
        let mut file = File::open(&self.path)?;
        let about = file.metadata()?;
        let same = |mark: &Mark| {
            mark.inode == about.ino() && mark.offset <= about.len() && begins(&self.path, &mark.head)
        };
        let mark = match self.mark.take() {
            Some(mark) if same(&mark) => mark,
            old => {
                self.catch_up(old.as_ref(), each);
                Mark { inode: about.ino(), ..Mark::default() }
            }
        };
        file.seek(SeekFrom::Start(mark.offset))?;
        (self.open, self.lines, self.mark) = (Some(file), Lines::default(), Some(mark));
        Ok(true)
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
        let Some(at) = aside.iter().position(|(_, inode, path)| *inode == old.inode && begins(path, &old.head)) else {
            return;
        };
        for (nth, (_, _, path)) in aside[at..].iter().enumerate() {
            let from = if nth == 0 { old.offset } else { 0 };
            if let Err(error) = read_whole(path, from, each) {
                tracing::warn!(path = %path.display(), %error, "A log that was turned over can't be read to its end.");
            }
        }
    }

    /// Files beside ours whose names begin as ours does, the oldest first, packed ones left out.
    fn turned_over(&self) -> Vec<(SystemTime, u64, PathBuf)> {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.file_name().and_then(|name| name.to_str())) else {
            return Vec::new();
        };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let packed = |name: &str| [".gz", ".xz", ".zst", ".bz2", ".lz4"].iter().any(|end| name.ends_with(end));
        let mut found: Vec<(SystemTime, u64, PathBuf)> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| {
                entry.file_name().to_str().is_some_and(|other| other != name && other.starts_with(name) && !packed(other))
            })
            .filter_map(|entry| {
                let about = entry.metadata().ok().filter(fs::Metadata::is_file)?;
                Some((about.modified().ok()?, about.ino(), entry.path()))
            })
            .collect();
        found.sort();
        found
    }
}

fn begins(path: &Path, head: &[u8]) -> bool {
    let mut start = vec![0; head.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == head
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
