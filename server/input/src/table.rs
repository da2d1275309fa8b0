//! Delimited text: a header, columns found by name, rows of fields.

use crate::error::{Error, Problem, listed};
use crate::text::Text;

/// Values that a field may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) unit: &'static str,
}

/// What a column holds and the names it may have, as `key` writes them, the most wanted first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) what: &'static str,
    pub(crate) names: &'static [&'static str],
}

/// A column that the table has.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) index: usize,
    /// Its name as written.
    pub(crate) name: String,
    /// Its name as `key` writes it.
    pub(crate) key: String,
}

/// A table whose header has been read.
pub(crate) struct Table<'a> {
    file: &'a str,
    reader: csv::Reader<&'a [u8]>,
    columns: Vec<Column>,
    /// Lines before the header.
    above: u32,
    /// The last line has its end.
    whole: bool,
    /// Number of the last line.
    last: u32,
}

/// One line of it.
pub(crate) struct Row<'r> {
    pub(crate) file: &'r str,
    pub(crate) line: u32,
    fields: &'r csv::StringRecord,
}

/// A name in lower case, with one `_` for whatever is neither letter nor digit: `Price (USD/MWh)` is `price_usd_mwh`.
pub(crate) fn key(name: &str) -> String {
    let mut key = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            key.push(c.to_ascii_lowercase());
        } else if !key.is_empty() && !key.ends_with('_') {
            key.push('_');
        }
    }
    key.truncate(key.trim_end_matches('_').len());
    key
}

impl<'a> Table<'a> {
    /// The table whose header is the first line with text after the `above` first lines.
    ///
    /// Fields are parted by comma, semicolon or tab, whichever the header has most of.
    pub(crate) fn open(text: &'a Text<'a>, above: u32) -> Result<Self, Error> {
        let start: usize = text.body.split_inclusive('\n').take(above as usize).map(str::len).sum();
        let body = &text.body[start..];
        let header = body.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let count = |delimiter: u8| header.bytes().filter(|byte| *byte == delimiter).count();
        let delimiter = [b'\t', b';', b','].into_iter().max_by_key(|d| count(*d)).unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(body.as_bytes());
        let headers = reader.headers().map_err(|_| Error::line(text.file, above + 1, Problem::NoRows))?;
        let columns = headers
            .iter()
            .enumerate()
            .map(|(index, name)| Column { index, name: name.to_owned(), key: key(name) })
            .collect();
        let last = text.body.lines().count() as u32;
        Ok(Self { file: text.file, reader, columns, above, whole: text.whole, last })
    }

    /// The first of the wanted names that is there.
    pub(crate) fn find(&self, wanted: &Wanted) -> Option<Column> {
        wanted.names.iter().find_map(|name| self.named(name))
    }

    /// The column whose name is `key`.
    pub(crate) fn named(&self, key: &str) -> Option<Column> {
        self.columns.iter().find(|column| column.key == key).cloned()
    }

    /// Names of the columns that are none of those, as they are written; those without a name are none.
    pub(crate) fn others(&self, read: &[&Column]) -> Vec<String> {
        let is_read = |column: &&Column| read.iter().any(|read| read.key == column.key);
        let others = self.columns.iter().filter(|column| !is_read(column) && !column.key.is_empty());
        others.map(|column| column.name.clone()).collect()
    }

    /// As `find`, or the error that names what is there.
    pub(crate) fn require(&self, wanted: &Wanted) -> Result<Column, Error> {
        self.find(wanted).ok_or_else(|| {
            let found = listed(self.columns.iter().map(|column| column.name.as_str()));
            let names = wanted.names.join(", ");
            Error::line(self.file, self.above + 1, Problem::MissingColumn { what: wanted.what, names, found })
        })
    }

    /// Hands every row to `take`. A last line without an end that `take` refuses was cut off and is left out: true then.
    pub(crate) fn each(mut self, mut take: impl FnMut(&Row<'_>) -> Result<(), Error>) -> Result<bool, Error> {
        let mut fields = csv::StringRecord::new();
        let mut any = false;
        loop {
            let line = |position: Option<&csv::Position>| position.map_or(0, |p| p.line() as u32) + self.above;
            let more = self.reader.read_record(&mut fields).map_err(|err| {
                Error::line(self.file, line(err.position()), Problem::NotExpected { expected: "readable" })
            })?;
            if !more {
                break;
            }
            if fields.iter().all(|field| field.is_empty() || field == "\u{1a}") {
                continue; // a line of separators, or the end mark of an old system
            }
            let row = Row { file: self.file, line: line(fields.position()), fields: &fields };
            let beyond = fields.iter().skip(self.columns.len()).any(|field| !field.is_empty());
            let taken = if beyond {
                let (cells, columns) = (fields.len() as u32, self.columns.len() as u32);
                Err(Error::line(self.file, row.line, Problem::LongRow { cells, columns }))
            } else {
                take(&row)
            };
            match taken {
                Ok(()) => any = true,
                Err(error) => {
                    // Only the last line itself can be cut off: a record that ends there but began above holds more.
                    let cut = row.line == self.last && !self.whole;
                    return if any && cut { Ok(true) } else { Err(error) };
                }
            }
        }
        if any { Ok(false) } else { Err(Error::file(self.file, Problem::NoRows)) }
    }
}

impl Row<'_> {
    /// What stands in a column.
    pub(crate) fn text(&self, column: &Column) -> Result<&str, Error> {
        self.fields.get(column.index).ok_or_else(|| {
            Error::line(self.file, self.line, Problem::ShortLine { column: crate::error::shown(&column.name) })
        })
    }

    /// The error of a field.
    pub(crate) fn refuse(&self, column: &Column, problem: Problem) -> Error {
        let text = self.fields.get(column.index).unwrap_or_default();
        Error::field(self.file, self.line, &column.name, text, problem)
    }

    /// The number in a column; none where the file says that it has none.
    pub(crate) fn number(&self, column: &Column, range: Range) -> Result<Option<f64>, Error> {
        number(self.text(column)?, range).map_err(|problem| self.refuse(column, problem))
    }

    /// The number in a column, which must be there.
    pub(crate) fn required(&self, column: &Column, range: Range) -> Result<f64, Error> {
        self.number(column, range)?.ok_or_else(|| self.refuse(column, Problem::NotANumber))
    }
}

/// A number within `range`; none for an empty field and the usual words for a missing value.
pub(crate) fn number(text: &str, range: Range) -> Result<Option<f64>, Problem> {
    const MISSING: [&str; 8] = ["nan", "null", "none", "na", "n/a", "-", "--", "missing"];
    if text.is_empty() || MISSING.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Ok(None);
    }
    let Range { low, high, unit } = range;
    match text.parse::<f64>() {
        Ok(value) if (low..=high).contains(&value) => Ok(Some(value)),
        Ok(value) if value.is_nan() => Ok(None),
        Ok(_) => Err(Problem::OutOfRange { low, high, unit }),
        Err(_) => Err(Problem::NotANumber),
    }
}
