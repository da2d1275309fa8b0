//! What can be wrong with a file. The words are made here alone.

use std::io;

/// Longest piece of a file that a message repeats, characters.
const SHOWN_CHARS: usize = 40;

/// Why a file was refused. Every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system would not let us read it.
    #[error("{file} could not be read")]
    Read {
        /// The file.
        file: String,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The file as a whole.
    #[error("{file} {problem}")]
    File {
        /// The file.
        file: String,
        /// What is wrong.
        problem: Box<Problem>,
    },
    /// One line of it.
    #[error("{file}, line {line}: {problem}")]
    Line {
        /// The file.
        file: String,
        /// Its line, from 1.
        line: u32,
        /// What is wrong.
        problem: Box<Problem>,
    },
    /// One field of a line.
    #[error("{file}, line {line}, column {column:?}: {text:?} {problem}")]
    Field {
        /// The file.
        file: String,
        /// Its line, from 1.
        line: u32,
        /// The column's name.
        column: String,
        /// What stands there, cut to 40 characters.
        text: String,
        /// What is wrong.
        problem: Box<Problem>,
    },
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Problem {
    /// A directory, a device, a pipe.
    #[error("is not a regular file")]
    NotAFile,
    /// Over the limit for its kind.
    #[error("has more than {limit} bytes, the most that is read of its kind")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// Nothing in it.
    #[error("is empty")]
    Empty,
    /// A header, and nothing under it.
    #[error("has no rows of data")]
    NoRows,
    /// None of the formats that this input may have.
    #[error("is not {expected}: it begins with {found:?}")]
    NotRecognised {
        /// The formats.
        expected: &'static str,
        /// The first line, cut.
        found: String,
    },
    /// Bytes that no text has.
    #[error("byte {byte:#04x} is not text; is this a binary or compressed file?")]
    NotText {
        /// The first such byte.
        byte: u8,
    },
    /// No YAML, or not of a type file's shape.
    #[error("it can't be read as a NetBox type: {what}")]
    NotYaml {
        /// What the parser says.
        what: String,
    },
    /// YAML, but nothing that can be made a part.
    #[error("the type that begins here {what}")]
    NotAPart {
        /// What is wrong with it.
        what: String,
    },
    /// UTF-16 that does not decode.
    #[error("the text is not valid UTF-16")]
    NotUtf16,
    /// A line over the limit.
    #[error("the line has more than {limit} bytes")]
    LongLine {
        /// The limit.
        limit: usize,
    },
    /// No column with any of the names.
    #[error("no column for the {what} ({names}); the columns are {found}")]
    MissingColumn {
        /// What the column would hold.
        what: &'static str,
        /// Names that are understood.
        names: String,
        /// Names that are there, cut.
        found: String,
    },
    /// A line with fewer fields than the header.
    #[error("the line ends before column {column:?}")]
    ShortLine {
        /// The column that is not there.
        column: String,
    },
    /// A line with more fields than the header.
    #[error("the line has {cells} fields and the header {columns}; is a comma used for decimals?")]
    LongRow {
        /// Fields of the line.
        cells: u32,
        /// Columns of the header.
        columns: u32,
    },
    /// Something else in place of a number.
    #[error("is not a number")]
    NotANumber,
    /// A number that cannot be.
    #[error("is outside {low}..{high} {unit}")]
    OutOfRange {
        /// Least.
        low: f64,
        /// Most.
        high: f64,
        /// Their unit.
        unit: &'static str,
    },
    /// Something else in place of a moment.
    #[error("is not a time such as 2024-01-31T13:00, 2024-01-31 13:00:00+00:00 or 2024-01-31T13:00:00Z")]
    NotATime,
    /// Times with an offset from UTC and times without one in the same column.
    #[error("and the first time of the file disagree: one has an offset from UTC, the other has none")]
    MixedTimes,
    /// Something else than is due here.
    #[error("is not {expected}")]
    NotExpected {
        /// What is due.
        expected: &'static str,
    },
    /// A JSON line of another shape.
    #[error("not a request in JSON: {reason}")]
    NotJson {
        /// The parser's words, cut.
        reason: String,
    },
    /// Too little of the year.
    #[error("covers {hours} of the year's 8760 hours; at least {needed} are needed")]
    TooShort {
        /// Hours covered.
        hours: u32,
        /// Hours needed.
        needed: u32,
    },
    /// Too many gaps between the first and the last value.
    #[error("has {have} of the {of} values between its first and its last; nine in ten are needed")]
    Sparse {
        /// Values there.
        have: u32,
        /// Values due.
        of: u32,
    },
    /// An interval that does not divide the hour.
    #[error("has rows {seconds} s apart; an hour or a whole fraction of one, in minutes, is needed")]
    Interval {
        /// The usual distance of rows.
        seconds: i64,
    },
    /// Out of order beyond repair.
    #[error("has {rows} of {of} rows out of order in time")]
    Disorder {
        /// Rows earlier than one before them.
        rows: u32,
        /// All rows.
        of: u32,
    },
    /// Many rows for one moment.
    #[error("has {rows} of {of} rows for a moment that another row has; does it hold several places or products?")]
    Duplicates {
        /// Rows too many.
        rows: u32,
        /// All rows.
        of: u32,
    },
    /// A request of a model that is not served.
    #[error("{why}")]
    NotServed {
        /// Why not, and what is.
        why: String,
    },
    /// More of something than is read.
    #[error("has more than {limit} {what}")]
    TooMany {
        /// The limit.
        limit: usize,
        /// Of what.
        what: &'static str,
    },
    /// All requests at the same moment.
    #[error("has no two requests at different times, so it has no rate")]
    NoRate,
    /// A trace that lasts implausibly long.
    #[error("lasts more than {limit} years from its first moment to its last")]
    TooLong {
        /// The limit.
        limit: u32,
    },
    /// A series that the file has not.
    #[error("has no series {wanted:?}; it has {found}")]
    NoSeries {
        /// The one asked for.
        wanted: String,
        /// Those in the file, cut.
        found: String,
    },
}

impl Error {
    pub(crate) fn file(file: &str, problem: Problem) -> Self {
        Self::File { file: file.to_owned(), problem: Box::new(problem) }
    }
    pub(crate) fn line(file: &str, line: u32, problem: Problem) -> Self {
        Self::Line { file: file.to_owned(), line, problem: Box::new(problem) }
    }
    pub(crate) fn field(file: &str, line: u32, column: &str, text: &str, problem: Problem) -> Self {
        Self::Field {
            file: file.to_owned(),
            line,
            column: shown(column),
            text: shown(text),
            problem: Box::new(problem),
        }
    }
}

/// `text` cut to what a message repeats.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The same for words of ours with a piece of a file in them.
pub(crate) fn shown_long(text: &str) -> String {
    match text.char_indices().nth(4 * SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Names for a message, in quotes, the first dozen of them.
pub(crate) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const LISTED: usize = 12;
    let mut names = names.peekable();
    let mut list: Vec<String> = names.by_ref().take(LISTED).map(|name| format!("{:?}", shown(name))).collect();
    if names.peek().is_some() {
        list.push("…".to_owned());
    }
    list.join(", ")
}
