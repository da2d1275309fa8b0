//! Reads pages of metrics over HTTP: DCGM exporter, nvidia_gpu_exporter, node exporter, serving engines.
//!
//! Never: follows a redirect, speaks to an address where clouds hand out credentials, or lets a target decide how much
//! memory or time it takes. What is wrong with a target is its state, with what to do about it.
//!
//! Read `Scrape` (what a person sets up) first, then `ScrapeSource`, then `page`.

pub mod failure;
pub mod guard;
pub mod page;

use crate::exposition::{Format, Limits};
use crate::names::Site;
use crate::source::{Batch, Brought, Sink, Source};
use async_trait::async_trait;
use failure::Failure;
use flate2::write::MultiGzDecoder;
use guard::Forbidden;
use model::metric::Metric;
use model::reading::{Labels, SeriesKey, label};
use model::source::{SourceKind, SourceState};
use page::{Page, Reader, Unmapped};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, LOCATION, TRANSFER_ENCODING,
};
use serde::Deserialize;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;
use url::Url;

/// What is asked for, the best first.
const ACCEPTED: &str = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.9,*/*;q=0.1";
/// A page above this is read beside the runtime, so that nothing else waits for it.
const ASIDE: usize = 256 << 10;
/// New sources are first read within this time, spread over it.
const SPREAD_MS: i64 = 2_000;

/// A target, as a person sets it up.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scrape {
    /// Its name, unique.
    pub name: String,
    /// Where its page is.
    pub url: String,
    /// Seconds from one reading to the next.
    #[serde(default = "ten")]
    pub every_s: f64,
    /// Seconds within which the whole page must have come.
    #[serde(default = "ten")]
    pub timeout_s: f64,
    /// What is true of all that it tells, unless it says otherwise.
    #[serde(default)]
    pub labels: Place,
    /// A file with the token that the target asks for. It is read anew each time.
    pub bearer_token_file: Option<PathBuf>,
    /// A file with certificates, in PEM, that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Most samples on a page.
    #[serde(default = "samples_max")]
    pub samples_max: u32,
    /// Most MiB of a page, unpacked.
    #[serde(default = "body_max_mib")]
    pub body_max_mib: u32,
    /// Whether series whose names are not known are kept under their own.
    #[serde(default)]
    pub keep_all: bool,
}

fn ten() -> f64 {
    10.0
}
fn samples_max() -> u32 {
    Limits::default().samples
}
fn body_max_mib() -> u32 {
    (Limits::default().body >> 20) as u32
}

/// Where a target is, and whose.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Place {
    /// The host; where it is empty, the one in the address.
    pub host: String,
    /// The rack.
    pub rack: String,
    /// The hall.
    pub hall: String,
    /// Whose work it does.
    pub tenant: String,
}

/// Why a target can't be set up.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "the words of each are its doc")]
pub enum Error {
    #[error("a source needs a name")]
    NoName,
    #[error("the url of source {name} is none: {why}")]
    Url { name: String, why: String },
    #[error("the url of source {name} begins with {scheme}://; http:// and https:// are read")]
    Scheme { name: String, scheme: String },
    #[error("the url of source {name} holds a user or a password; name a file in bearer_token_file instead")]
    Secret { name: String },
    #[error("source {name} can't be read")]
    Forbidden {
        name: String,
        #[source]
        source: Forbidden,
    },
    #[error("{what} of source {name} is {is}; it must be from {from} to {to}")]
    Range { name: String, what: &'static str, is: f64, from: f64, to: f64 },
}

/// A target that is read again and again.
#[derive(Debug)]
pub struct ScrapeSource {
    set: Scrape,
    url: Url,
    /// Host and port, as a person reads them.
    instance: String,
}

impl ScrapeSource {
    /// A source of what is set up, if it makes sense.
    pub fn new(set: Scrape) -> Result<Self, Error> {
        let name = set.name.clone();
        if name.trim().is_empty() {
            return Err(Error::NoName);
        }
        let url = Url::parse(&set.url).map_err(|error| Error::Url { name: name.clone(), why: error.to_string() })?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(Error::Scheme { name, scheme: url.scheme().into() });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::Secret { name });
        }
        guard::allow_url(&url).map_err(|source| Error::Forbidden { name: name.clone(), source })?;
        for (what, is, from, to) in [
            ("every_s", set.every_s, 0.1, 86_400.0),
            ("timeout_s", set.timeout_s, 0.05, 600.0),
            ("samples_max", f64::from(set.samples_max), 1.0, 10_000_000.0),
            ("body_max_mib", f64::from(set.body_max_mib), 1.0, 1_024.0),
        ] {
            if !(from..=to).contains(&is) {
                return Err(Error::Range { name, what, is, from, to });
            }
        }
        let host = url.host_str().unwrap_or_default();
        let instance = url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Self { set, url, instance })
    }

    fn limits(&self) -> Limits {
        Limits { body: (self.set.body_max_mib as usize) << 20, samples: self.set.samples_max, ..Limits::default() }
    }

    fn site(&self) -> Site {
        let place = self.set.labels.clone();
        Site {
            source: self.set.name.clone(),
            instance: self.instance.clone(),
            host: place.host,
            rack: place.rack,
            hall: place.hall,
            tenant: place.tenant,
        }
    }

    fn reader(&self) -> Reader {
        let host = self.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let unmapped = if self.set.keep_all { Unmapped::Kept } else { Unmapped::Left };
        Reader::new(self.site(), host, unmapped, self.limits())
    }

    async fn client(&self) -> Result<reqwest::Client, Failure> {
        // A little less than the whole, so that what can't be reached is told from what is slow.
        let client = guard::client().connect_timeout(Duration::from_secs_f64(self.set.timeout_s * 0.8));
        let client = match &self.set.ca_file {
            Some(file) if self.url.scheme() == "https" => {
                let wrong = |why: String| Failure::Certificates(file.display().to_string(), why);
                let pem = tokio::fs::read(file).await.map_err(|error| wrong(error.to_string()))?;
                let trusted = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| wrong(error.to_string()))?;
                client.tls_certs_merge(trusted)
            }
            _ if self.url.scheme() == "https" => client,
            // Nothing is encrypted, so a machine without any certificates is no hindrance.
            _ => client.tls_certs_only([]),
        };
        client.build().map_err(|error| Failure::Client(error.to_string()))
    }

    /// Reads the page into `body`, and says how it is written.
    async fn fetch(&self, client: &reqwest::Client, body: &mut Vec<u8>) -> Result<Format, Failure> {
        let within = Duration::from_secs_f64(self.set.timeout_s);
        match tokio::time::timeout(within, self.fetch_untimed(client, body)).await {
            Ok(fetched) => fetched,
            Err(_) => Err(Failure::Late(self.set.timeout_s.to_string())),
        }
    }

    async fn fetch_untimed(&self, client: &reqwest::Client, body: &mut Vec<u8>) -> Result<Format, Failure> {
        let broken = |error: reqwest::Error| Failure::of(&error, &self.instance);
        let request = client.get(self.url.clone()).header(ACCEPT, ACCEPTED).header(ACCEPT_ENCODING, "gzip");
        let request = request.header("x-prometheus-scrape-timeout-seconds", self.set.timeout_s.to_string());
        let request = match &self.set.bearer_token_file {
            Some(file) => request.bearer_auth(token(file).await?),
            None => request,
        };
        let mut response = request.send().await.map_err(broken)?;
        let format = answered(response.status(), response.headers())?;
        let most = self.limits().body;
        let too_long = Failure::TooLong(self.set.body_max_mib);
        if response.content_length().is_some_and(|length| length > most as u64) {
            return Err(too_long);
        }
        let is_framed = [CONTENT_LENGTH, TRANSFER_ENCODING].iter().any(|name| response.headers().contains_key(name));
        let mut unpack = Unpack::new(response.headers(), std::mem::take(body), most)?;
        while let Some(part) = response.chunk().await.map_err(broken)? {
            unpack.add(&part).map_err(|_| unpack.failure(&too_long))?;
        }
        *body = unpack.end()?;
        // An old server ends a page by closing the connection, and so does one that breaks off.
        if !is_framed && body.last().is_some_and(|byte| *byte != b'\n') {
            return Err(Failure::CutOff);
        }
        Ok(format)
    }
}

/// The format of an answer that is one.
fn answered(status: reqwest::StatusCode, headers: &HeaderMap) -> Result<Format, Failure> {
    let text = |name| headers.get(name).map(|value| shown(value.as_bytes()));
    if status.is_redirection() {
        return Err(text(LOCATION).map_or(Failure::Status(status), Failure::Redirect));
    }
    if status != reqwest::StatusCode::OK {
        return Err(Failure::Status(status));
    }
    let kind = text(CONTENT_TYPE).unwrap_or_default();
    Format::of(&kind).ok_or(Failure::Kind(kind))
}

/// What a header says, short enough to show.
fn shown(value: &[u8]) -> String {
    String::from_utf8_lossy(value).chars().take(200).flat_map(char::escape_debug).collect()
}

async fn token(file: &Path) -> Result<String, Failure> {
    let wrong = |why: String| Failure::Token(file.display().to_string(), why);
    let text = tokio::fs::read_to_string(file).await.map_err(|error| wrong(error.to_string()))?;
    let text = text.trim();
    if text.is_empty() || text.len() > 16 << 10 || text.contains(|c: char| !c.is_ascii_graphic()) {
        return Err(wrong("it is not one line of letters and signs".into()));
    }
    Ok(text.to_owned())
}

/// A body that is taken in, unpacked where it is packed, and never longer than allowed.
#[derive(Debug)]
enum Unpack {
    Plain(Capped),
    Gzip(Box<MultiGzDecoder<Capped>>),
}

impl Unpack {
    fn new(headers: &HeaderMap, mut into: Vec<u8>, most: usize) -> Result<Self, Failure> {
        into.clear();
        let into = Capped { body: into, most };
        match headers.get(CONTENT_ENCODING).map_or(&b"identity"[..], |value| value.as_bytes()) {
            b"identity" | b"" => Ok(Self::Plain(into)),
            coding if coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip") => {
                Ok(Self::Gzip(Box::new(MultiGzDecoder::new(into))))
            }
            coding => Err(Failure::Encoding(shown(coding))),
        }
    }
    fn add(&mut self, part: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(into) => into.write_all(part),
            Self::Gzip(into) => into.write_all(part),
        }
    }
    /// Why nothing more can be added.
    fn failure(&self, too_long: &Failure) -> Failure {
        match self {
            Self::Gzip(into) if !into.get_ref().is_full() => Failure::Gzip,
            Self::Gzip(_) | Self::Plain(_) => too_long.clone(),
        }
    }
    fn end(self) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Plain(into) => Ok(into.body),
            Self::Gzip(into) => into.finish().map(|into| into.body).map_err(|_| Failure::Gzip),
        }
    }
}

/// Bytes, up to a bound; what goes beyond fills it up and is an error.
#[derive(Debug)]
struct Capped {
    body: Vec<u8>,
    most: usize,
}

impl Capped {
    fn is_full(&self) -> bool {
        self.body.len() >= self.most
    }
}

impl Write for Capped {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let room = self.most - self.body.len();
        let need = self.body.len() + part.len().min(room);
        if need > self.body.capacity() {
            // Not by the doubling of `Vec`, which would hold three times the bound while it moves.
            let whole = if need > self.most / 4 { self.most } else { 2 * need };
            self.body.reserve_exact(whole - self.body.len());
        }
        self.body.extend_from_slice(&part[..part.len().min(room)]);
        if part.len() > room { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(part.len()) }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where a source that runs has got to.
struct Run {
    source: ScrapeSource,
    /// Absent until one could be made.
    client: Option<reqwest::Client>,
    reader: Reader,
    body: Vec<u8>,
    up: Arc<SeriesKey>,
    /// Since when it fails, and why.
    failing: Option<(i64, Failure)>,
    /// Whether it answered at all yet.
    is_connected: bool,
    out: Sink,
}

impl Run {
    fn new(source: ScrapeSource, out: Sink) -> Self {
        let labels = [(label::SOURCE, source.set.name.as_str()), (label::INSTANCE, &source.instance)];
        let up = Arc::new(SeriesKey { name: Metric::SourceUp.name().into(), labels: Labels::of(labels) });
        let (client, body, failing, is_connected) = (None, Vec::new(), None, false);
        Self { reader: source.reader(), source, client, body, up, failing, is_connected, out }
    }

    /// Reads once, and hands on what came. `false` where the house has closed.
    async fn once(&mut self, at_ms: i64) -> bool {
        match self.page(at_ms).await {
            Ok(page) => self.answered(page).await,
            Err(failure) => self.failed(failure, at_ms).await,
        }
    }

    async fn page(&mut self, at_ms: i64) -> Result<Page, Failure> {
        let client = match &self.client {
            Some(client) => client.clone(),
            None => self.client.insert(self.source.client().await?).clone(),
        };
        self.body.shrink_to(2 * self.body.len() + ASIDE);
        let format = self.source.fetch(&client, &mut self.body).await?;
        if self.body.len() <= ASIDE {
            return self.reader.read(&self.body, format, at_ms).map_err(Failure::Page);
        }
        let body = std::mem::take(&mut self.body);
        let mut reader = std::mem::replace(&mut self.reader, self.source.reader());
        let read = tokio::task::spawn_blocking(move || (reader.read(&body, format, at_ms), reader, body));
        let (page, reader, body) = read.await.map_err(|error| Failure::Client(error.to_string()))?;
        (self.reader, self.body) = (reader, body);
        page.map_err(Failure::Page)
    }

    async fn answered(&mut self, mut page: Page) -> bool {
        let mut told = Vec::new();
        if self.failing.take().is_some() || !std::mem::replace(&mut self.is_connected, true) {
            told.push(Brought::State(SourceState::Connected));
        }
        if !page.exporters.is_empty() {
            told.push(Brought::Peer(self.reader.exporters().collect::<Vec<_>>().join(", ")));
        }
        told.extend(page.faults.in_words().map(Brought::Fault));
        page.batch.readings.push((Arc::clone(&self.up), None, 1.0));
        told.push(Brought::Readings(page.batch));
        self.put(told).await
    }

    async fn failed(&mut self, failure: Failure, at_ms: i64) -> bool {
        let mut told = Vec::new();
        let since_ms = self.failing.as_ref().map_or(at_ms, |(since_ms, _)| *since_ms);
        if self.failing.as_ref().is_none_or(|(_, before)| *before != failure) {
            let (why, mend) = (failure.to_string(), failure.mend());
            told.push(Brought::State(SourceState::Failing { since_ms, why, mend }));
        }
        self.failing = Some((since_ms, failure));
        let down = (Arc::clone(&self.up), None, 0.0);
        told.push(Brought::Readings(Batch { at_ms, readings: vec![down], unknown: 0 }));
        self.put(told).await
    }

    async fn put(&self, told: Vec<Brought>) -> bool {
        for brought in told {
            if !self.out.put(brought).await {
                return false;
            }
        }
        true
    }
}

#[async_trait]
impl Source for ScrapeSource {
    fn name(&self) -> &str {
        &self.set.name
    }
    fn kind(&self) -> SourceKind {
        SourceKind::Scrape
    }
    fn target(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.set_fragment(None);
        url.into()
    }
    async fn run(self: Box<Self>, out: Sink, stop: CancellationToken) {
        let beat = Beat::of(&self.set.name, self.set.every_s);
        let mut run = Run::new(*self, out);
        let round = async {
            if !run.out.put(Brought::State(SourceState::Connecting)).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(beat.first_ms() as u64)).await;
            let mut planned = now_ms();
            while run.once(beat.stamp(planned, now_ms())).await {
                let now = now_ms();
                planned = beat.next(now);
                tokio::time::sleep(Duration::from_millis((planned - now).max(1) as u64)).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = round => {}
        }
    }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// When a source is read: at whole multiples of its interval, each source a little aside of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Beat {
    every_ms: i64,
    aside_ms: i64,
}

impl Beat {
    /// The beat of the source of that name: the same after every start.
    fn of(name: &str, every_s: f64) -> Self {
        let every_ms = ((every_s * 1e3).round() as i64).max(1);
        // FNV-1a
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self { every_ms, aside_ms: (hash >> 1).cast_signed().rem_euclid(every_ms) }
    }
    /// How long the first reading waits.
    fn first_ms(self) -> i64 {
        self.aside_ms % SPREAD_MS
    }
    /// The next time after `now`.
    fn next(self, now: i64) -> i64 {
        now + self.every_ms - (now - self.aside_ms).rem_euclid(self.every_ms)
    }
    /// The time that readings are given: the planned one where it was met within a hundredth of the interval, so that
    /// times are evenly apart and pack well; the true one otherwise.
    fn stamp(self, planned: i64, now: i64) -> i64 {
        if (now - planned).abs() * 100 <= self.every_ms { planned } else { now }
    }
}

#[cfg(test)]
mod tests;
