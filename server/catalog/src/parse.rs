//! From text to values, once, at the border. Every refusal names the file, the line and the field.

use model::catalog::Catalog;
use model::design::Design;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Longest text that is read; a 1 GW design is under 10 kB, a trace of a year is not a design.
pub const TEXT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Why a text is no catalog or design.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Longer than [`TEXT_BYTES_MAX`].
    #[error("{file}: {bytes} bytes are more than the {} allowed", TEXT_BYTES_MAX)]
    TooLong {
        /// The file's name as given.
        file: String,
        /// Its length.
        bytes: usize,
    },
    /// Not TOML, or not of our shape.
    #[error("{file}, line {line}: {what}{}", in_field(field.as_deref()))]
    Malformed {
        /// The file's name as given.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
        /// The key or table in which, where known.
        field: Option<String>,
    },
    /// A number that is not-a-number, or infinite.
    #[error("{file}, line {line}: {field} is not a finite number")]
    NotFinite {
        /// The file's name as given.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The path of keys to it.
        field: String,
    },
}

fn in_field(field: Option<&str>) -> String {
    field.map(|name| format!(" (in {name})")).unwrap_or_default()
}

/// Rows from TOML: ours, or a user's own. `file` is only a name for messages.
pub fn parse_catalog(file: &str, text: &str) -> Result<Catalog, Error> {
    parse(file, text)
}

/// A design from TOML. `file` is only a name for messages.
pub fn parse_design(file: &str, text: &str) -> Result<Design, Error> {
    parse(file, text)
}

fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Error> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(Error::TooLong { file: file.to_owned(), bytes: text.len() });
    }
    let table = DeTable::parse(text).map_err(|error| malformed(file, text, &error))?;
    let mut path = Vec::new();
    finite_table(table.get_ref(), &mut path).map_err(|at| Error::NotFinite {
        file: file.to_owned(),
        line: line_of(text, at),
        field: path.join("."),
    })?;
    toml::from_str(text).map_err(|error| malformed(file, text, &error))
}

fn malformed(file: &str, text: &str, error: &toml::de::Error) -> Error {
    let at = error.span().map_or(text.len(), |span| span.start);
    let what = plain(&error.message().lines().collect::<Vec<_>>().join("; "));
    let field = field_at(text, at).filter(|name| !what.contains(&format!("`{name}`")));
    Error::Malformed { file: file.to_owned(), line: line_of(text, at), what, field }
}

/// The parser's words for a person who knows no types of a program.
fn plain(said: &str) -> String {
    let needed = |kind: &str| match kind {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0".to_owned(),
        "i64" | "i32" => "a whole number".to_owned(),
        "f64" | "f32" => "a number".to_owned(),
        "a string" => "text in quotes".to_owned(),
        "a sequence" => "a list".to_owned(),
        kind if kind.starts_with("struct ") || kind.contains("map") => "a table".to_owned(),
        kind => kind.to_owned(),
    };
    let found = |kind: &str| {
        let kind = kind.strip_prefix("string ").map_or(kind, |text| text);
        let kind =
            ["integer ", "floating point ", "boolean "].iter().find_map(|name| kind.strip_prefix(name)).unwrap_or(kind);
        kind.replace("sequence", "a list").replace("map", "a table").replace('`', "")
    };
    if let Some((what, kind)) = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|begin| said.strip_prefix(begin))
        .and_then(|rest| rest.split_once(", expected "))
    {
        return format!("{} stands where {} is needed", found(what), needed(kind));
    }
    if let Some(field) = said.strip_prefix("missing field ") {
        return format!("{field} is missing");
    }
    said.to_owned()
}

/// The line, from 1, on which a byte stands.
fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count()
}

/// The key, or else the table header, of the line on which a byte stands, or of the line that began its value.
fn field_at(text: &str, at: usize) -> Option<String> {
    text.lines().take(line_of(text, at)).filter_map(name_of_line).last()
}

fn name_of_line(line: &str) -> Option<String> {
    let line = line.trim();
    if line.starts_with('[') && line.split('#').next().is_some_and(|head| head.trim_end().ends_with(']')) {
        let name = line.split('#').next().unwrap_or_default().trim();
        let named = name.chars().any(|c| c.is_ascii_alphabetic()) && !name.contains('=');
        return named.then(|| name.to_owned());
    }
    let (key, _) = line.split_once('=')?;
    let key = key.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!key.is_empty() && key.chars().all(plain)).then(|| key.to_owned())
}

/// Walks a table; on a number that is not finite, gives its byte and leaves its path of keys in `path`.
fn finite_table(table: &DeTable<'_>, path: &mut Vec<String>) -> Result<(), usize> {
    table.iter().try_for_each(|(key, value)| finite_under(key.get_ref(), value, path))
}

fn finite_under(key: &str, value: &Spanned<DeValue<'_>>, path: &mut Vec<String>) -> Result<(), usize> {
    path.push(key.to_owned());
    finite_value(value, path)?;
    path.pop();
    Ok(())
}

fn finite_value(value: &Spanned<DeValue<'_>>, path: &mut Vec<String>) -> Result<(), usize> {
    match value.get_ref() {
        DeValue::Float(float) => {
            let good = float.as_str().replace('_', "").parse::<f64>().is_ok_and(f64::is_finite);
            if good { Ok(()) } else { Err(value.span().start) }
        }
        DeValue::Array(list) => {
            list.iter().enumerate().try_for_each(|(i, item)| finite_under(&format!("{}", i + 1), item, path))
        }
        DeValue::Table(table) => finite_table(table, path),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_in_plain_words() {
        let said = |text: &str| parse_design("x.toml", text).unwrap_err().to_string();
        let good = "name = \"D\"\nlocation = \"x\"\ncontract_power_w = 1e6\n";
        let odd = |line: &str| said(&format!("{good}[[hall]]\nname = \"A\"\nfed_by = \"b\"\nair = \"y\"\n{line}\n"));
        assert_eq!(
            odd("positions = \"three\""),
            "x.toml, line 8: \"three\" stands where a whole number from 0 is needed (in positions)"
        );
        assert_eq!(
            odd("positions = -9"),
            "x.toml, line 8: -9 stands where a whole number from 0 is needed (in positions)"
        );
        assert!(said("").contains("`name` is missing"), "{}", said(""));
        assert!(said(&good.replace("1e6", "\"much\"")).contains("\"much\" stands where a number is needed"));
    }
}
