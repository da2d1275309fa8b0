//! What can be done with a design's text before it is worked out: read it, name it, make a path of a name, find a note in it.

use app::api::ApiError;
use model::design::Design;
use model::id::DesignId;
use model::note::{Kind, Note};
use model::version::{NAME_CHARS_MAX, TEXT_BYTES_MAX, TextProblem};
use toml::de::DeTable;

/// Longest name in paths that is made of a name: leaves room for a number behind it.
const SLUG_CHARS_MAX: usize = 56;

/// Most characters that a message repeats of a text.
const SHOWN_CHARS: usize = 300;

/// The design that a text is, or why it is none and where.
pub fn read(toml: &str) -> Result<Design, TextProblem> {
    let whole = |reason: String| TextProblem { line: None, field: None, reason };
    if toml.len() > TEXT_BYTES_MAX {
        return Err(whole(format!("the text has {} bytes; {TEXT_BYTES_MAX} are allowed", toml.len())));
    }
    catalog::parse_design("design.toml", toml).map_err(|error| match error {
        catalog::Error::Malformed { line, what, field, .. } => {
            TextProblem { line: u32::try_from(line).ok(), field: field.map(shown), reason: shown(what) }
        }
        catalog::Error::NotFinite { line, field, .. } => {
            let (line, field) = (u32::try_from(line).ok(), Some(shown(field)));
            TextProblem { line, field, reason: "not a finite number".into() }
        }
        error @ catalog::Error::TooLong { .. } => whole(error.to_string()),
    })
}

/// Words cut to what a message repeats of a text.
fn shown(mut words: String) -> String {
    if let Some((end, _)) = words.char_indices().nth(SHOWN_CHARS) {
        words.truncate(end);
        words.push('…');
    }
    words
}

/// A design that is to be kept: it can be read, and it has a name.
pub fn to_keep(toml: &str) -> Result<Design, ApiError> {
    let design =
        read(toml).map_err(|problem| ApiError::Invalid { reason: format!("The design can't be read: {problem}.") })?;
    check_name(&design.name)?;
    Ok(design)
}

/// Refuses names that are none.
pub fn check_name(name: &str) -> Result<(), ApiError> {
    let chars = name.chars().count();
    if name.trim().is_empty() || chars > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        let reason = format!("A design needs a name of 1 to {NAME_CHARS_MAX} characters, in one line.");
        return Err(ApiError::Invalid { reason });
    }
    Ok(())
}

/// The text with another name in it, and nothing else changed. What is no TOML stays as it is: [`read`] says why.
pub fn named(toml: &str, name: &str) -> String {
    let Ok(table) = DeTable::parse(toml) else { return toml.to_owned() };
    let name = toml::Value::from(name);
    match table.get_ref().get("name") {
        None => format!("name = {name}\n{toml}"),
        Some(value) => {
            let span = value.span();
            format!("{}{name}{}", &toml[..span.start], &toml[span.end..])
        }
    }
}

/// A name in paths: what can't stand there becomes a dash.
pub fn slug(name: &str) -> DesignId {
    let mut slug = String::with_capacity(SLUG_CHARS_MAX);
    for letter in name.chars() {
        if slug.len() >= SLUG_CHARS_MAX {
            break;
        }
        match letter.to_ascii_lowercase() {
            letter if letter.is_ascii_lowercase() || letter.is_ascii_digit() => slug.push(letter),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    let made = slug.trim_end_matches('-').parse();
    made.unwrap_or_else(|_| "design".parse().unwrap_or_else(|_| unreachable!("a literal id")))
}

/// The line that a note is about, from 1: that of the name or figure it tells of, at or below its place's own name.
/// None where the text spells it in another way.
pub fn line_of(text: &str, note: &Note) -> Option<u32> {
    let place = note.place.rsplit('"').nth(1).map(|name| format!("\"{name}\""));
    let from = place
        .and_then(|name| text.lines().position(|line| line.trim_start().starts_with("name") && line.contains(&name)));
    let below = |wanted: &dyn Fn(&str) -> bool| {
        let from = from.unwrap_or(0);
        text.lines().skip(from).position(wanted).map(|at| from + at)
    };
    let at = if let Kind::UnknownPart { name, .. }
    | Kind::UnknownName { name, .. }
    | Kind::WrongKind { part: name, .. } = &note.kind
    {
        let quoted = format!("\"{name}\"");
        below(&|line| line.contains(&quoted))
    } else if let Kind::OutOfRange { field, .. } = &note.kind {
        let key = field.rsplit('.').next().unwrap_or(field);
        below(&|line| line.contains(key) && line.contains('='))
    } else {
        from
    };
    at.and_then(|at| u32::try_from(at + 1).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_path() {
        let check = |name: &str, expected: &str| assert_eq!(slug(name).as_str(), expected, "{name}");
        check("100 MW facility", "100-mw-facility");
        check("  Äußerst — fein!  ", "u-erst-fein");
        check("...", "design");
        check("世界", "design");
        assert_eq!(slug(&"x".repeat(500)).as_str().len(), SLUG_CHARS_MAX);
        assert_eq!(slug(&format!("{} y", "x".repeat(55))).as_str(), "x".repeat(55));
    }

    #[test]
    fn a_name_is_put_into_the_text_and_nothing_else_changes() {
        let text = "# first\nname  =  'Old'  # the name\ncontract_power_w = 1\n[service]\nname = 2\n";
        let renamed = named(text, "New \"hall\"");
        assert_eq!(renamed, text.replace("'Old'", "'New \"hall\"'"));
        assert_eq!(named("x = 1\n", "A"), "name = \"A\"\nx = 1\n");
        assert_eq!(named("= 1\n", "A"), "= 1\n");
        for reference in catalog::designs() {
            let design = read(&named(reference.text, "Mine — 2")).unwrap();
            assert_eq!(design, Design { name: "Mine — 2".into(), ..read(reference.text).unwrap() });
        }
    }

    #[test]
    fn a_text_that_is_no_design_says_where_and_why() {
        let text = catalog::designs()[0].text;
        let problem = read(&text.replacen("contract_power_w = ", "contract_power_w = \"much\" #", 1)).unwrap_err();
        assert_eq!((problem.line, problem.field.as_deref()), (Some(5), Some("contract_power_w")), "{problem}");
        assert!(problem.to_string().starts_with("line 5: "), "{problem}");
        let infinite = read(&text.replacen("house_power_w = 2_000", "house_power_w = inf", 1)).unwrap_err();
        assert_eq!((infinite.line, infinite.field.as_deref()), (Some(6), Some("house_power_w")));
        assert_eq!(read(&"#".repeat(TEXT_BYTES_MAX + 1)).unwrap_err().line, None);
        let long = read(&format!("a{}=1", ".a".repeat(10_000))).unwrap_err().to_string();
        assert!(long.chars().count() < 3 * SHOWN_CHARS, "a message repeats little of a text");
    }

    #[test]
    fn names_have_a_length() {
        assert!(check_name("A").is_ok() && check_name(&"é".repeat(NAME_CHARS_MAX)).is_ok());
        for bad in ["", "  ", "a\nb", &"x".repeat(NAME_CHARS_MAX + 1)] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }
}
