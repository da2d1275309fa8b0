//! Reads a page of metrics: Prometheus text 0.0.4 and OpenMetrics 1.0, straight from the bytes that came.
//!
//! Never: allocates for a line that is well formed, panics on any bytes, or guesses a value. A line that can't be read
//! is told with its number, and the others count.
//!
//! Two levels, for speed. [`Lines`] splits each line into the raw text of its series, its value and its time; the raw
//! text is what a cache is asked with. [`series`] reads that text, and is called only where the cache does not know it.

use model::reading::Sample;
use std::borrow::Cow;
use std::fmt;
use std::io::BufRead;

/// How the page is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text 0.0.4: times are milliseconds.
    Prometheus,
    /// OpenMetrics 1.0: times are seconds, and the page ends with `# EOF`.
    OpenMetrics,
}

impl Format {
    /// The format that a content type names; absent where it is one of neither.
    pub fn of(content_type: &str) -> Option<Self> {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/openmetrics-text") {
            return Some(Self::OpenMetrics);
        }
        // Many small exporters name no type, or a wrong one: what the page is shows when it is read.
        let binary = ["application/vnd.google.protobuf", "image/", "audio/", "video/", "application/grpc"];
        let is_binary =
            binary.iter().any(|prefix| kind.get(..prefix.len()).is_some_and(|k| k.eq_ignore_ascii_case(prefix)));
        (!is_binary).then_some(Self::Prometheus)
    }
}

/// How much of a page is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole page.
    pub body: usize,
    /// Samples of the page.
    pub samples: u32,
    /// Bytes of a line with a sample.
    pub line: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 16 << 20, samples: 200_000, line: 8 << 10 }
    }
}

/// A line with a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line<'a> {
    /// Where it is on the page, from 1.
    pub number: u32,
    /// Name and labels as they are written: not checked yet, and the same from page to page.
    pub series: &'a [u8],
    /// The value.
    pub value: f64,
    /// Its time, milliseconds since 1970 UTC, where the page gives one.
    pub at_ms: Option<i64>,
}

/// A line that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct Bad {
    /// Which line, from 1.
    pub line: u32,
    /// Why.
    pub why: Why,
}

/// Why a line, or a page, can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the words of each are its doc")]
pub enum Why {
    #[error("there is no value after the name")]
    NoValue,
    #[error("{0} is not a number")]
    NotANumber(Excerpt),
    #[error("{0} is not a time")]
    NotATime(Excerpt),
    #[error("{0} stands after the time")]
    TooMuch(Excerpt),
    #[error("an exemplar is not closed")]
    OpenExemplar,
    #[error("it has {0} bytes, more than the {1} allowed")]
    LineTooLong(usize, usize),
    #[error("the page has more than {0} samples; the rest was left out")]
    TooManySamples(u32),
    #[error("the page has more than {0} bytes; the rest was left out")]
    TooManyBytes(usize),
    #[error("it stands after the end of the page")]
    AfterEof,
    #[error("the page does not end with `# EOF`, as OpenMetrics must: it was cut off")]
    NoEof,
    #[error("it is not UTF-8")]
    NotUtf8,
    #[error("the series has no name")]
    NoName,
    #[error("the series has two names")]
    TwoNames,
    #[error("{0} is not the name of a metric")]
    BadName(Excerpt),
    #[error("{0} is not the name of a label")]
    BadLabel(Excerpt),
    #[error("label {0} comes twice")]
    LabelTwice(Excerpt),
    #[error("`=` is missing after label {0}")]
    NoEquals(Excerpt),
    #[error("a value is not in quotes")]
    NoQuote,
    #[error("a quote is not closed")]
    OpenQuote,
    #[error("`}}` is missing after the labels")]
    OpenLabels,
    #[error("`,` is missing between labels")]
    NoComma,
    #[error("{0} stands after the labels")]
    AfterLabels(Excerpt),
    #[error("the series stands on the page already; the first was used")]
    Twice,
    #[error("its time lies in the future")]
    Future,
}

/// A short piece of a page, made safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt(String);

impl Excerpt {
    /// Longest piece that is shown, characters.
    const SHOWN: usize = 40;
    fn of(bytes: &[u8]) -> Self {
        let start = &bytes[..bytes.len().min(4 * Self::SHOWN)];
        let text = String::from_utf8_lossy(start);
        let mut shown: String = text.chars().take(Self::SHOWN).flat_map(char::escape_debug).collect();
        if start.len() < bytes.len() || text.chars().nth(Self::SHOWN).is_some() {
            shown.push('…');
        }
        Self(shown)
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0)
    }
}

/// The samples of a page, in its order.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    body: &'a [u8],
    at: usize,
    number: u32,
    samples: u32,
    format: Format,
    limits: Limits,
    too_long: bool,
    ended: bool,
    done: bool,
}

impl<'a> Lines<'a> {
    /// The lines of `body`. Of a page that is longer than allowed the first part is read, and the last item says so.
    pub fn new(body: &'a [u8], format: Format, limits: Limits) -> Self {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let (too_long, body) = match body.get(..limits.body) {
            Some(part) if part.len() < body.len() => (true, part),
            _ => (false, body),
        };
        Self { body, at: 0, number: 0, samples: 0, format, limits, too_long, ended: false, done: false }
    }

    /// Samples so far.
    pub fn samples(&self) -> u32 {
        self.samples
    }

    /// The next line, with a guess of its series: the one that stood there when the page was last read. Where the guess
    /// is right, as it nearly always is, the series costs one comparison: it is neither searched for nor hashed, and
    /// `true` says so. Where it is `false` the series may be the guessed one all the same.
    pub fn next_like(&mut self, guess: &[u8]) -> Option<(bool, Result<Line<'a>, Bad>)> {
        self.skip_comments();
        self.guessed(guess).map(|line| (true, Ok(line))).or_else(|| Some((false, self.next()?)))
    }

    fn skip_comments(&mut self) {
        while !self.done && self.body.get(self.at) == Some(&b'#') {
            let line = self.take_line();
            self.ended |= line.strip_suffix(b"\r").unwrap_or(line) == b"# EOF";
        }
    }

    /// Takes the next line where it is plainly a sample of the guessed series; moves nothing otherwise.
    fn guessed(&mut self, guess: &[u8]) -> Option<Line<'a>> {
        /// A value and a time in their longest usual spelling, and a little more.
        const TAIL: usize = 64;
        if guess.is_empty() || self.done || self.ended || self.samples >= self.limits.samples {
            return None;
        }
        let rest = &self.body[self.at..];
        let after = rest.strip_prefix(guess)?.strip_prefix(b" ")?;
        let (value, used) = short_number(after)?;
        let (at_ms, end) = match after.get(used)? {
            b'\n' => (None, used),
            b' ' if self.format == Format::Prometheus => {
                let tail = &after[used + 1..after.len().min(used + TAIL)];
                let end = tail.iter().position(|byte| *byte == b'\n')?;
                (Some(millis(&tail[..end])?), used + 1 + end)
            }
            _ => return None,
        };
        if guess.len() + 1 + end > self.limits.line {
            return None; // known when its value was shorter: too long all the same
        }
        self.at += guess.len() + 1 + end + 1;
        self.number += 1;
        self.samples += 1;
        Some(Line { number: self.number, series: &rest[..guess.len()], value, at_ms })
    }

    /// The text up to the next line end, which is passed.
    fn take_line(&mut self) -> &'a [u8] {
        let mut rest = &self.body[self.at..];
        // A slice can't fail to be read. This is the fastest search for a byte that the standard library has.
        let used = rest.skip_until(b'\n').unwrap_or(rest.len());
        let line = &self.body[self.at..self.at + used];
        self.at += used;
        self.number = self.number.saturating_add(1);
        line.strip_suffix(b"\n").unwrap_or(line)
    }

    fn bad(&self, why: Why) -> Bad {
        Bad { line: self.number, why }
    }

    /// What is to be said once the last line was read.
    fn last_word(&mut self) -> Option<Bad> {
        if std::mem::replace(&mut self.done, true) {
            return None;
        }
        if self.too_long {
            return Some(self.bad(Why::TooManyBytes(self.limits.body)));
        }
        (self.format == Format::OpenMetrics && !self.ended).then(|| self.bad(Why::NoEof))
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Result<Line<'a>, Bad>;
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.skip_comments();
            if self.done || self.at >= self.body.len() {
                return self.last_word().map(Err);
            }
            let line = self.take_line().trim_ascii();
            if line.is_empty() || line[0] == b'#' {
                continue;
            }
            if self.ended && self.format == Format::OpenMetrics {
                return Some(Err(self.bad(Why::AfterEof)));
            }
            if line.len() > self.limits.line {
                return Some(Err(self.bad(Why::LineTooLong(line.len(), self.limits.line))));
            }
            if self.samples >= self.limits.samples {
                self.done = true;
                return Some(Err(self.bad(Why::TooManySamples(self.limits.samples))));
            }
            let split = split(line, self.format).map_err(|why| self.bad(why));
            self.samples += u32::from(split.is_ok());
            return Some(split.map(|(series, Sample { at_ms, value }, timed)| Line {
                number: self.number,
                series,
                value,
                at_ms: timed.then_some(at_ms),
            }));
        }
    }
}

/// Splits a trimmed line into series, sample, and whether the sample has a time.
///
/// Read from its end: what stands behind the last `}` can only be value and time, whatever the labels hold. Only
/// OpenMetrics has something with braces behind the value; such a line is read from its start.
fn split(line: &[u8], format: Format) -> Result<(&[u8], Sample, bool), Why> {
    let line = match format {
        Format::OpenMetrics if line.contains(&b'#') => without_exemplar(line)?,
        Format::OpenMetrics | Format::Prometheus => line,
    };
    let end = match line.iter().rposition(|byte| *byte == b'}') {
        Some(close) => close + 1,
        None => line.iter().position(u8::is_ascii_whitespace).ok_or(Why::NoValue)?,
    };
    let (series, tail) = line.split_at(end);
    let (value, rest) = word(tail);
    if value.is_empty() {
        return Err(Why::NoValue);
    }
    let value = number(value).ok_or_else(|| Why::NotANumber(Excerpt::of(value)))?;
    let (time, rest) = word(rest);
    if !rest.trim_ascii_start().is_empty() {
        return Err(Why::TooMuch(Excerpt::of(rest.trim_ascii())));
    }
    let at_ms = match (time, format) {
        (b"", _) => Some(0),
        (_, Format::Prometheus) => millis(time),
        (_, Format::OpenMetrics) => seconds(time),
    };
    let at_ms = at_ms.ok_or_else(|| Why::NotATime(Excerpt::of(time)))?;
    Ok((series, Sample { at_ms, value }, !time.is_empty()))
}

/// The next word, and what follows it.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_start();
    text.split_at(text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len()))
}

/// The line up to `# {`, which is looked for outside quotes.
fn without_exemplar(line: &[u8]) -> Result<&[u8], Why> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in line.iter().enumerate() {
        match (byte, quoted) {
            _ if escaped => escaped = false,
            (b'\\', true) => escaped = true,
            (b'"', _) => quoted = !quoted,
            (b'#', false) if line[at + 1..].trim_ascii_start().first() == Some(&b'{') => {
                let open = line[at..].iter().all(|byte| *byte != b'}');
                return if open { Err(Why::OpenExemplar) } else { Ok(line[..at].trim_ascii_end()) };
            }
            _ => {}
        }
    }
    Ok(line)
}

/// Powers of ten that a `f64` holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The number at the start of `text` and how many bytes it has, where it is of the common kind: sign, up to 15 digits
/// with a point among them, a small exponent. The result is exact: both the digits and the power of ten are exact in
/// `f64`, so one division or product rounds once. Everything else is left to [`number`].
///
/// Source: W. D. Clinger, How to Read Floating Point Numbers Accurately, PLDI 1990.
fn short_number(text: &[u8]) -> Option<(f64, usize)> {
    let negative = text.first() == Some(&b'-');
    let mut at = usize::from(negative);
    let start = at;
    let (mut digits, mut is_fraction, mut power) = (0_u64, false, 0);
    loop {
        match text.get(at) {
            Some(byte @ b'0'..=b'9') => {
                digits = digits.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
                power -= i32::from(is_fraction);
            }
            Some(b'.') if !is_fraction => is_fraction = true,
            _ => break,
        }
        at += 1;
        if at - start > 16 {
            return None; // more than is exact
        }
    }
    let count = at - start - usize::from(is_fraction);
    if count == 0 || count > 15 {
        return None;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let below = text.get(at + 1) == Some(&b'-');
        at += 1 + usize::from(below || text.get(at + 1) == Some(&b'+'));
        let from = at;
        let mut exponent = 0;
        while let Some(byte @ b'0'..=b'9') = text.get(at).filter(|_| at - from < 3) {
            exponent = exponent * 10 + i32::from(byte - b'0');
            at += 1;
        }
        if at == from {
            return None;
        }
        power += if below { -exponent } else { exponent };
    }
    let tens = *TENS.get(power.unsigned_abs() as usize)?;
    let value = if power < 0 { digits as f64 / tens } else { digits as f64 * tens };
    Some((if negative { -value } else { value }, at))
}

/// A value as both formats spell it: decimal, `NaN`, `+Inf`, `-Inf`.
fn number(text: &[u8]) -> Option<f64> {
    match short_number(text) {
        Some((value, used)) if used == text.len() => Some(value),
        _ => std::str::from_utf8(text).ok()?.parse().ok(),
    }
}

/// The last millisecond of the year 9999, beyond which a time is a mistake.
const LAST_MS: i64 = 253_402_300_799_999;

/// A time in milliseconds.
fn millis(text: &[u8]) -> Option<i64> {
    let ms: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (-LAST_MS..=LAST_MS).contains(&ms).then_some(ms)
}

/// A time in seconds.
fn seconds(text: &[u8]) -> Option<i64> {
    let ms = (number(text)? * 1e3).round();
    (ms.abs() <= LAST_MS as f64).then_some(ms as i64) // false for NaN
}

/// A series as it was written: name and labels in their order, each name once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Series {
    /// The metric's name.
    pub name: String,
    /// Labels and their values; a value may be empty.
    pub labels: Vec<(String, String)>,
}

/// Reads the text of a series: `name{label="value", …}`, or `{"any name", "any label"="value", …}`.
pub fn series(text: &[u8]) -> Result<Series, Why> {
    let text = std::str::from_utf8(text).map_err(|_| Why::NotUtf8)?.trim_ascii();
    let open = text.find('{').unwrap_or(text.len());
    let mut read = Series { name: text[..open].trim_ascii_end().to_owned(), labels: Vec::new() };
    if !read.name.is_empty() && !is_name(&read.name, b":") {
        return Err(Why::BadName(Excerpt::of(read.name.as_bytes())));
    }
    if let Some(labels) = text[open..].strip_prefix('{') {
        let after = read_labels(labels, &mut read)?.trim_ascii();
        if !after.is_empty() {
            return Err(Why::AfterLabels(Excerpt::of(after.as_bytes())));
        }
    }
    if read.name.is_empty() { Err(Why::NoName) } else { Ok(read) }
}

/// Reads labels up to their `}`, and gives what follows it.
fn read_labels<'a>(mut text: &'a str, into: &mut Series) -> Result<&'a str, Why> {
    loop {
        text = text.trim_ascii_start();
        if let Some(after) = text.strip_prefix('}') {
            return Ok(after);
        }
        if text.is_empty() {
            return Err(Why::OpenLabels);
        }
        let quoted = text.starts_with('"');
        let (name, after) = if let Some(inside) = text.strip_prefix('"') {
            quote(inside)?
        } else {
            let end = text.find(|c: char| c.is_ascii_whitespace() || "=,}\"".contains(c)).unwrap_or(text.len());
            (Cow::Borrowed(&text[..end]), &text[end..])
        };
        text = after.trim_ascii_start();
        if let Some(after) = text.strip_prefix('=') {
            if name.is_empty() || !(quoted || is_name(&name, b"")) {
                return Err(Why::BadLabel(Excerpt::of(name.as_bytes())));
            }
            if into.labels.iter().any(|(known, _)| *known == name) {
                return Err(Why::LabelTwice(Excerpt::of(name.as_bytes())));
            }
            let (value, after) = quote(after.trim_ascii_start().strip_prefix('"').ok_or(Why::NoQuote)?)?;
            into.labels.push((name.into_owned(), value.into_owned()));
            text = after.trim_ascii_start();
        } else if !quoted {
            return Err(Why::NoEquals(Excerpt::of(name.as_bytes())));
        } else if !into.name.is_empty() {
            return Err(Why::TwoNames);
        } else {
            into.name = name.into_owned();
        }
        match text.strip_prefix(',') {
            Some(after) => text = after,
            None if text.is_empty() || text.starts_with('}') => {}
            None => return Err(Why::NoComma),
        }
    }
}

/// What stands up to the closing quote, and what follows it. A backslash before anything but `\`, `"` and `n` stands
/// for itself, as Prometheus has it.
fn quote(text: &str) -> Result<(Cow<'_, str>, &str), Why> {
    let mut read = Cow::Borrowed("");
    let mut from = 0;
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' if from == 0 => return Ok((Cow::Borrowed(&text[..at]), &text[at + 1..])),
            '"' => {
                read.to_mut().push_str(&text[from..at]);
                return Ok((read, &text[at + 1..]));
            }
            '\\' => {
                let Some((next, escaped)) = chars.next() else { return Err(Why::OpenQuote) };
                let stands_for = match escaped {
                    'n' => '\n',
                    '\\' | '"' => escaped,
                    _ => continue,
                };
                let read = read.to_mut();
                read.push_str(&text[from..at]);
                read.push(stands_for);
                from = next + 1;
            }
            _ => {}
        }
    }
    Err(Why::OpenQuote)
}

/// Whether a name may stand without quotes: letters, digits but not first, `_`, and `also`.
fn is_name(name: &str, also: &[u8]) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || also.contains(&byte);
    name.bytes().enumerate().all(|(at, byte)| fits(byte) || (at > 0 && byte.is_ascii_digit())) && !name.is_empty()
}

/// Writes a series so that [`series`] reads the same.
pub fn write_series<'a>(to: &mut String, name: &str, labels: impl IntoIterator<Item = (&'a str, &'a str)>) {
    let mut parts = Vec::new();
    if is_name(name, b":") {
        to.push_str(name);
    } else {
        parts.push(in_quotes(name));
    }
    for (label, value) in labels {
        let label = if is_name(label, b"") { label.to_owned() } else { in_quotes(label) };
        parts.push(format!("{label}={}", in_quotes(value)));
    }
    if !parts.is_empty() {
        to.push('{');
        to.push_str(&parts.join(","));
        to.push('}');
    }
}

fn in_quotes(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n"))
}

/// What a page says of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta<'a> {
    /// Which of its properties.
    pub what: MetaKind,
    /// The metric's name.
    pub name: &'a str,
    /// The property; the escapes of a help text stand as they are written.
    pub text: &'a str,
}

/// Properties of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetaKind {
    /// `counter`, `gauge`, `histogram` and the like.
    Type,
    /// In words.
    Help,
    /// Its unit.
    Unit,
}

/// What a page says of its metrics. What is no UTF-8 is passed over.
pub fn metas(body: &[u8]) -> impl Iterator<Item = Meta<'_>> {
    body.split(|byte| *byte == b'\n').filter_map(|line| {
        let line = std::str::from_utf8(line).ok()?.trim_ascii().strip_prefix('#')?.trim_ascii_start();
        let (what, rest) = line.split_once(|c: char| c.is_ascii_whitespace())?;
        let what = match what {
            "TYPE" => MetaKind::Type,
            "HELP" => MetaKind::Help,
            "UNIT" => MetaKind::Unit,
            _ => return None,
        };
        let rest = rest.trim_ascii_start();
        let (name, text) = rest.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((rest, ""));
        Some(Meta { what, name, text: text.trim_ascii() })
    })
}

/// What a page plainly is, where it is not one of metrics.
pub fn mistaken_for_metrics(body: &[u8]) -> Option<&'static str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    match body.first()? {
        b'<' => Some("a web page"),
        b'[' => Some("JSON"),
        // An OpenMetrics line may begin with a brace too, and then a quote that ends in `,` or `}`.
        b'{' => {
            let inside = body[1..].trim_ascii_start();
            let name = inside.strip_prefix(b"\"").and_then(|text| text.iter().position(|byte| *byte == b'"'));
            let after = name.and_then(|end| inside[end + 2..].trim_ascii_start().first());
            (inside.first() == Some(&b'}') || after == Some(&b':')).then_some("JSON")
        }
        0x1f if body.get(1) == Some(&0x8b) => Some("compressed twice"),
        _ => None,
    }
}

/// Faults of a page: the first hundred as they are, the others as their number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults {
    /// The first of them.
    pub told: Vec<Bad>,
    /// How many more.
    pub more: u32,
}

impl Faults {
    /// How many are told.
    pub const TOLD: usize = 100;
    /// Notes one.
    pub fn push(&mut self, bad: Bad) {
        if self.told.len() < Self::TOLD {
            self.told.push(bad);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }
    /// How many there are.
    pub fn count(&self) -> u32 {
        self.more.saturating_add(self.told.len() as u32)
    }
    /// All in one sentence: the first three, and how many more. Absent where there is none.
    pub fn in_words(&self) -> Option<String> {
        let first: Vec<String> = self.told.iter().take(3).map(ToString::to_string).collect();
        let more = self.count() as usize - first.len();
        let tail = if more > 0 { format!("; and {more} more") } else { String::new() };
        (!first.is_empty()).then(|| format!("{}{tail}", first.join("; ")))
    }
}

#[cfg(test)]
mod tests;
