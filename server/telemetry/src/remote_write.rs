//! Prometheus remote write 1.0: `prometheus.WriteRequest` in a snappy block, both ways.
//!
//! The decoder walks the bytes once and hands on each series as the raw bytes of its labels, so that a receiver that has
//! seen them before ([`Cache`]) neither checks nor copies them again.
//!
//! Never: holds more than the [`Limits`] say, panics whatever the bytes, or knows HTTP.

use model::reading::{Labels, SeriesKey};
use std::borrow::Cow;
use std::collections::HashMap;

/// The bits by which Prometheus says that a series has ended: a NaN that no calculation gives.
pub const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;
/// The label that holds the metric's name.
pub const NAME: &str = "__name__";

/// What a request may hold at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes as they came.
    pub compressed: usize,
    /// Bytes once unpacked; looked up in the header before anything is allocated.
    pub unpacked: usize,
    /// Series.
    pub series: u32,
    /// Samples, of all series together.
    pub samples: u32,
    /// Labels of a series, the name among them.
    pub labels: usize,
    /// Bytes of a label's name.
    pub label_name: usize,
    /// Bytes of a label's value.
    pub label_value: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            compressed: 8 << 20,
            unpacked: 32 << 20,
            series: 200_000,    // the fleet of a site in one request; senders cut at 10 000
            samples: 1_000_000, // 24 MB of samples while one series is read
            labels: 64,
            label_name: 1 << 10,
            label_value: 8 << 10,
        }
    }
}

/// Why a request can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Too long as it came.
    #[error("the body has {got} bytes, and at most {most} are taken")]
    Compressed {
        /// Bytes.
        got: usize,
        /// Bytes.
        most: usize,
    },
    /// Too long once unpacked.
    #[error("unpacked the body has {got} bytes, and at most {most} are taken")]
    Unpacked {
        /// Bytes.
        got: usize,
        /// Bytes.
        most: usize,
    },
    /// Not a snappy block.
    #[error("the body is not a snappy block: {0}")]
    Snappy(String),
    /// Not a message of protobuf.
    #[error("the message breaks off or is damaged at byte {at}: {why}")]
    Damaged {
        /// Where, in the part that was read.
        at: usize,
        /// What is wrong there.
        why: &'static str,
    },
    /// The later version.
    #[error("this is remote write 2.0; send version 1.0 (protobuf message prometheus.WriteRequest)")]
    Version2,
    /// Too many of something.
    #[error("more than {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are taken.
        most: usize,
    },
    /// A label that can't be.
    #[error("label {name:?}: {why}")]
    Label {
        /// Its name, cut.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A series without name.
    #[error("a series has no label __name__")]
    NoName,
}

/// A value at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When it held, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// The value; `None` where the series ended here (a staleness marker).
    pub value: Option<f64>,
}

/// What was in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Series that were handed on.
    pub series: u32,
    /// Samples that were handed on, ends of series among them.
    pub samples: u32,
    /// Ends of series among the samples.
    pub gaps: u32,
    /// Native histograms, which are not read.
    pub histograms: u32,
    /// Exemplars, which are not read.
    pub exemplars: u32,
    /// Descriptions of metrics, which are not read.
    pub metadata: u32,
}

/// Unpacks a body.
pub fn unpack(body: &[u8], limits: &Limits) -> Result<Vec<u8>, Error> {
    if body.len() > limits.compressed {
        return Err(Error::Compressed { got: body.len(), most: limits.compressed });
    }
    let snappy = |error: snap::Error| Error::Snappy(error.to_string());
    let got = snap::raw::decompress_len(body).map_err(snappy)?;
    if got > limits.unpacked {
        return Err(Error::Unpacked { got, most: limits.unpacked });
    }
    if got > body.len().saturating_mul(22) {
        // The densest element of the format makes 64 bytes of 3.
        return Err(Error::Snappy(format!("{} bytes can't hold the {got} that they promise", body.len())));
    }
    snap::raw::Decoder::new().decompress_vec(body).map_err(snappy)
}

/// Packs a message into a body.
pub fn pack(message: &[u8]) -> Result<Vec<u8>, Error> {
    snap::raw::Encoder::new().compress_vec(message).map_err(|error| Error::Snappy(error.to_string()))
}

/// Unpacks a body and hands on each series; what was handed on before an error stays handed on.
pub fn decode(
    body: &[u8],
    limits: &Limits,
    each: impl FnMut(&RawLabels<'_>, &[Point]) -> Result<(), Error>,
) -> Result<Counted, Error> {
    read(&unpack(body, limits)?, limits, each)
}

/// Hands on each series of an unpacked message.
pub fn read(
    message: &[u8],
    limits: &Limits,
    mut each: impl FnMut(&RawLabels<'_>, &[Point]) -> Result<(), Error>,
) -> Result<Counted, Error> {
    let mut counted = Counted::default();
    let mut points = Vec::new();
    let mut wire = Wire { bytes: message, at: 0 };
    while let Some((field, value)) = wire.field()? {
        match (field, value) {
            (1, Value::Bytes(series)) => {
                if counted.series == limits.series {
                    return Err(Error::TooMany { what: "series", most: limits.series as usize });
                }
                let raw = time_series(series, limits, &mut points, &mut counted)?;
                counted.series += 1;
                each(&RawLabels { raw, limits: *limits }, &points)?;
            }
            (3, Value::Bytes(_)) => counted.metadata += 1,
            (4 | 5, Value::Bytes(_)) => return Err(Error::Version2),
            (_, Value::Bytes(_) | Value::Number(_) | Value::Double(_) | Value::Skipped) => {}
        }
    }
    Ok(counted)
}

/// The series of a message as they stand in it, each with its field's head: any run of them, one after the other, is a message.
pub fn cut(message: &[u8]) -> Result<Vec<&[u8]>, Error> {
    let mut parts = Vec::new();
    let mut wire = Wire { bytes: message, at: 0 };
    loop {
        let start = wire.at;
        match wire.field()? {
            Some((1, Value::Bytes(_))) => parts.push(&message[start..wire.at]),
            Some(_) => {}
            None => return Ok(parts),
        }
    }
}

/// Appends a series to a message. Labels come in the order of their names, as receivers ask.
pub fn put_series(message: &mut Vec<u8>, key: &SeriesKey, points: &[Point]) {
    let labels = || {
        let before = key.labels.iter().take_while(|(name, _)| *name < NAME);
        let after = key.labels.iter().skip_while(|(name, _)| *name < NAME).filter(|(name, _)| *name != NAME);
        before.chain([(NAME, key.name.as_str())]).chain(after)
    };
    let text = |text: &str| 1 + varint_len(text.len() as u64) + text.len();
    let label = |(name, value): (&str, &str)| text(name) + text(value);
    let bits = |point: &Point| point.value.map_or(STALE_BITS, f64::to_bits);
    let sample = |point: &Point| 9 + if point.at_ms == 0 { 0 } else { 1 + varint_len(point.at_ms.cast_unsigned()) };
    let framed = |length: usize| 1 + varint_len(length as u64) + length;
    let length: usize = labels().map(|one| framed(label(one))).sum::<usize>()
        + points.iter().map(|point| framed(sample(point))).sum::<usize>();
    put_head(message, 0x0a, length);
    for one in labels() {
        put_head(message, 0x0a, label(one));
        for (tag, text) in [(0x0a, one.0), (0x12, one.1)] {
            put_head(message, tag, text.len());
            message.extend_from_slice(text.as_bytes());
        }
    }
    for point in points {
        put_head(message, 0x12, sample(point));
        message.push(0x09);
        message.extend_from_slice(&bits(point).to_le_bytes());
        if point.at_ms != 0 {
            message.push(0x10);
            put_varint(message, point.at_ms.cast_unsigned());
        }
    }
}

/// A message of series.
pub fn encode<'a>(series: impl IntoIterator<Item = (&'a SeriesKey, &'a [Point])>) -> Vec<u8> {
    let mut message = Vec::new();
    for (key, points) in series {
        put_series(&mut message, key, points);
    }
    message
}

/// The labels of a series, not yet looked at.
#[derive(Debug)]
pub struct RawLabels<'a> {
    raw: Cow<'a, [u8]>,
    limits: Limits,
}

impl RawLabels<'_> {
    /// As they came: the same bytes are the same series, though a series may come in other bytes too.
    pub fn bytes(&self) -> &[u8] {
        &self.raw
    }
    /// Looks at them: name apart, sorted, each once.
    pub fn key(&self) -> Result<SeriesKey, Error> {
        let mut labels: Vec<(&str, &str)> = Vec::with_capacity(16);
        let mut wire = Wire { bytes: &self.raw, at: 0 };
        while let Some((_, value)) = wire.field()? {
            let Value::Bytes(bytes) = value else { continue };
            if labels.len() == self.limits.labels {
                return Err(Error::TooMany { what: "labels of a series", most: self.limits.labels });
            }
            labels.push(self.label(bytes)?);
        }
        labels.sort_unstable();
        if let Some(twice) = labels.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(wrong_label(twice[0].0, "comes twice"));
        }
        let name = labels.iter().find(|(name, value)| *name == NAME && !value.is_empty()).ok_or(Error::NoName)?.1;
        let name = name.to_owned();
        Ok(SeriesKey { name, labels: Labels::of(labels.into_iter().filter(|(name, _)| *name != NAME)) })
    }
    fn label<'b>(&self, bytes: &'b [u8]) -> Result<(&'b str, &'b str), Error> {
        let (mut name, mut text) = ("", "");
        let mut wire = Wire { bytes, at: 0 };
        while let Some((field, value)) = wire.field()? {
            let (Value::Bytes(bytes), 1 | 2) = (value, field) else { continue };
            let most = if field == 1 { self.limits.label_name } else { self.limits.label_value };
            if bytes.len() > most {
                let why = if field == 1 { "the name is too long" } else { "the value is too long" };
                return Err(wrong_label(if field == 1 { "" } else { name }, why));
            }
            let read = str::from_utf8(bytes).map_err(|_| wrong_label(name, "not UTF-8"))?;
            *(if field == 1 { &mut name } else { &mut text }) = read;
        }
        if name.is_empty() { Err(wrong_label("", "has no name")) } else { Ok((name, text)) }
    }
}

/// What a receiver made of the labels that it has seen, by their bytes. It is emptied when it is full: a fleet whose
/// series change that much reads all of them again once.
#[derive(Debug)]
pub struct Cache<T> {
    known: HashMap<Box<[u8]>, T>,
    most: usize,
}

impl<T> Cache<T> {
    /// A cache of at most so many series.
    pub fn of(most: usize) -> Self {
        Self { known: HashMap::new(), most }
    }
    /// What was made of them before, or what is made of them now.
    pub fn get(
        &mut self,
        labels: &RawLabels<'_>,
        make: impl FnOnce(SeriesKey) -> Result<T, Error>,
    ) -> Result<&mut T, Error> {
        // Looked up twice: the borrow checker does not yet see that the early return ends the first.
        if !self.known.contains_key(labels.bytes()) {
            let made = make(labels.key()?)?;
            if self.known.len() >= self.most {
                self.known.clear();
            }
            return Ok(self.known.entry(labels.bytes().into()).or_insert(made));
        }
        self.known.get_mut(labels.bytes()).ok_or(Error::NoName)
    }
    /// How many series it knows.
    pub fn len(&self) -> usize {
        self.known.len()
    }
    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

/// Reads one series: its labels' bytes are returned, its samples stand in `points`.
fn time_series<'a>(
    bytes: &'a [u8],
    limits: &Limits,
    points: &mut Vec<Point>,
    counted: &mut Counted,
) -> Result<Cow<'a, [u8]>, Error> {
    points.clear();
    let mut raw: Cow<'a, [u8]> = Cow::Borrowed(&[]);
    let mut wire = Wire { bytes, at: 0 };
    let mut end = 0;
    loop {
        let start = wire.at;
        let Some((field, value)) = wire.field()? else { return Ok(raw) };
        match (field, value) {
            (1, Value::Bytes(_)) => {
                // Every sender writes labels first and together; the format allows otherwise.
                if raw.is_empty() || (start == end && matches!(raw, Cow::Borrowed(_))) {
                    let first = if raw.is_empty() { start } else { end - raw.len() };
                    raw = Cow::Borrowed(&bytes[first..wire.at]);
                } else {
                    raw.to_mut().extend_from_slice(&bytes[start..wire.at]);
                }
                end = wire.at;
            }
            (2, Value::Bytes(sample)) => {
                if counted.samples == limits.samples {
                    return Err(Error::TooMany { what: "samples", most: limits.samples as usize });
                }
                let point = sample_of(sample)?;
                counted.samples += 1;
                counted.gaps += u32::from(point.value.is_none());
                points.push(point);
            }
            (3, Value::Bytes(_)) => counted.exemplars += 1,
            (4, Value::Bytes(_)) => counted.histograms += 1,
            (_, Value::Bytes(_) | Value::Number(_) | Value::Double(_) | Value::Skipped) => {}
        }
    }
}

fn sample_of(bytes: &[u8]) -> Result<Point, Error> {
    let (mut at_ms, mut bits) = (0, 0);
    let mut wire = Wire { bytes, at: 0 };
    while let Some((field, value)) = wire.field()? {
        match (field, value) {
            (1, Value::Double(double)) => bits = double,
            (2, Value::Number(number)) => at_ms = number.cast_signed(),
            (_, Value::Bytes(_) | Value::Number(_) | Value::Double(_) | Value::Skipped) => {}
        }
    }
    Ok(Point { at_ms, value: (bits != STALE_BITS).then(|| f64::from_bits(bits)) })
}

fn wrong_label(name: &str, why: &'static str) -> Error {
    Error::Label { name: name.chars().take(64).collect(), why }
}

/// The encoding of protobuf, read field by field.
struct Wire<'a> {
    bytes: &'a [u8],
    at: usize,
}

enum Value<'a> {
    Number(u64),
    Double(u64),
    Bytes(&'a [u8]),
    Skipped,
}

impl<'a> Wire<'a> {
    #[inline]
    fn field(&mut self) -> Result<Option<(u64, Value<'a>)>, Error> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let key = self.varint()?;
        let field = key >> 3;
        if field == 0 {
            return Err(self.damaged("field 0"));
        }
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => {
                let (&eight, _) = self.rest().split_first_chunk::<8>().ok_or(self.damaged("a number breaks off"))?;
                self.at += 8;
                Value::Double(u64::from_le_bytes(eight))
            }
            2 => {
                let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                let bytes = self.rest().get(..length).ok_or(self.damaged("longer than what holds it"))?;
                self.at += length;
                Value::Bytes(bytes)
            }
            5 => {
                self.rest().get(..4).ok_or(self.damaged("a number breaks off"))?;
                self.at += 4;
                Value::Skipped
            }
            _ => return Err(self.damaged("unknown kind of field")),
        };
        Ok(Some((field, value)))
    }
    #[inline]
    fn varint(&mut self) -> Result<u64, Error> {
        let mut value = 0_u64;
        for (place, &byte) in self.rest().iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                self.at += place + 1;
                return Ok(value);
            }
        }
        Err(self.damaged("a number breaks off"))
    }
    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }
    fn damaged(&self, why: &'static str) -> Error {
        Error::Damaged { at: self.at, why }
    }
}

fn put_head(to: &mut Vec<u8>, tag: u8, length: usize) {
    to.push(tag);
    put_varint(to, length as u64);
}

fn put_varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

fn varint_len(value: u64) -> usize {
    (70 - (value | 1).leading_zeros() as usize) / 7
}

#[cfg(test)]
mod tests;
