//! Bytes become text: size, encoding, line lengths.

use crate::LINE_BYTES_MAX;
use crate::error::{Error, Problem};
use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A file's bytes, if it is a regular file of at most `limit` bytes. The size is looked at before anything is read.
pub fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let name = path.display().to_string();
    let failed = |source| Error::Read { file: name.clone(), source };
    let regular = |metadata: &std::fs::Metadata| {
        if !metadata.is_file() {
            Err(Error::file(&name, Problem::NotAFile))
        } else if metadata.len() > limit {
            Err(Error::file(&name, Problem::TooLarge { limit }))
        } else {
            Ok(())
        }
    };
    regular(&std::fs::metadata(path).map_err(failed)?)?; // before opening: opening a pipe would wait for a writer
    let file = File::open(path).map_err(failed)?;
    regular(&file.metadata().map_err(failed)?)?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?; // it may grow while we read
    if bytes.len() as u64 > limit {
        return Err(Error::file(&name, Problem::TooLarge { limit }));
    }
    Ok(bytes)
}

/// A file's text, with lines of bearable length and no control characters.
pub(crate) struct Text<'a> {
    pub(crate) file: &'a str,
    pub(crate) body: Cow<'a, str>,
    /// The last line has its end: it was not cut off.
    pub(crate) whole: bool,
    pub(crate) remarks: Vec<String>,
}

impl Text<'_> {
    /// Lines with their numbers, from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (u32, &str)> {
        (1..).zip(self.body.lines())
    }
    /// The error of a file that has none of the `expected` formats.
    pub(crate) fn not_recognised(&self, expected: &'static str) -> Error {
        let found = self.body.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        Error::file(self.file, Problem::NotRecognised { expected, found: crate::error::shown(found) })
    }
}

/// Decodes UTF-8 or UTF-16 with its mark; other bytes as Latin-1, as older EPW files have it.
pub(crate) fn decode<'a>(file: &'a str, bytes: &'a [u8], limit: u64) -> Result<Text<'a>, Error> {
    if bytes.len() as u64 > limit {
        return Err(Error::file(file, Problem::TooLarge { limit }));
    }
    let mut remarks = Vec::new();
    let mut text = if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        remarks.push("decoded from UTF-16".to_owned());
        Cow::Owned(utf16(file, rest, u16::from_le_bytes)?)
    } else if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        remarks.push("decoded from UTF-16".to_owned());
        Cow::Owned(utf16(file, rest, u16::from_be_bytes)?)
    } else {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        refuse_binary(file, bytes)?;
        if let Ok(text) = std::str::from_utf8(bytes) {
            Cow::Borrowed(text)
        } else {
            remarks.push("not valid UTF-8: decoded as Latin-1".to_owned());
            Cow::Owned(bytes.iter().copied().map(char::from).collect())
        }
    };
    // One end of line, so that every reader counts lines as an editor does.
    if text.contains('\r') {
        text = Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"));
    }
    if text.trim().is_empty() {
        return Err(Error::file(file, Problem::Empty));
    }
    let whole = text.ends_with('\n');
    let text = Text { file, body: text, whole, remarks };
    let long = text.lines().find(|(_, line)| line.len() > LINE_BYTES_MAX).map(|(number, _)| number);
    match long {
        Some(line) => Err(Error::line(file, line, Problem::LongLine { limit: LINE_BYTES_MAX })),
        None => Ok(text),
    }
}

fn utf16(file: &str, bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Error> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let text: String =
        char::decode_utf16(units).collect::<Result<_, _>>().map_err(|_| Error::line(file, 1, Problem::NotUtf16))?;
    refuse_binary(file, text.as_bytes())?;
    Ok(text)
}

/// Control characters, which no file of ours has, are the mark of a binary one.
fn refuse_binary(file: &str, bytes: &[u8]) -> Result<(), Error> {
    let control = |byte: &u8| *byte == 0x7f || *byte < 0x20 && !matches!(*byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1a);
    let Some(at) = bytes.iter().position(control) else { return Ok(()) };
    let line = bytes[..at].split(|byte| *byte == b'\n').count() as u32;
    Err(Error::line(file, line, Problem::NotText { byte: bytes[at] }))
}
