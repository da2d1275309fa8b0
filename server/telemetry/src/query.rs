//! A client of the HTTP API of Prometheus, as VictoriaMetrics and Mimir answer it too.
//!
//! Never: follows a redirect, reads more than the bound says, keeps a secret in memory longer than one request, or
//! writes one into a message.
//!
//! Read this first, then `history` (buckets and samples of the past) and `poll` (a source of readings).

pub mod history;
pub mod poll;

use model::reading::{Labels, Sample, SeriesKey};
use serde::de::{DeserializeOwned, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

use crate::remote_write::NAME;

/// Who we are to the other end. Secrets stand in files and are read at each request, so that they can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Nobody.
    None,
    /// A name and a password.
    Basic {
        /// The name.
        user: String,
        /// Where the password stands.
        password_file: PathBuf,
    },
    /// A token.
    Bearer {
        /// Where it stands.
        token_file: PathBuf,
    },
}

/// Where and how it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The address before `/api/v1`: `http://prometheus:9090`, `http://mimir/prometheus`.
    pub base: Url,
    /// Who we are.
    pub auth: Auth,
    /// Longest time of a request, answer and all.
    pub timeout: Duration,
    /// Most bytes of an answer.
    pub body_max: usize,
}

impl Endpoint {
    /// An endpoint with the usual bounds: 30 seconds, 32 MiB.
    pub fn of(base: Url) -> Self {
        Self { base, auth: Auth::None, timeout: Duration::from_secs(30), body_max: 32 << 20 }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address can't be used.
    #[error("the address {address} can't be used: {why}")]
    Address {
        /// Without secrets.
        address: String,
        /// What is wrong with it.
        why: String,
    },
    /// A secret's file can't be read.
    #[error("the secret in {} can't be read: {why}", file.display())]
    Secret {
        /// Which file.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// It can't be reached.
    #[error("it does not answer: {0}")]
    Unreachable(String),
    /// It answers that it will not.
    #[error("it refuses with {status}{}: {why}", if kind.is_empty() { String::new() } else { format!(" ({kind})") })]
    Refused {
        /// Status of HTTP.
        status: u16,
        /// Its own word for the kind of error; may be empty.
        kind: String,
        /// Its own words.
        why: String,
    },
    /// Its answer is longer than the bound.
    #[error("its answer has more than {most} bytes")]
    TooLong {
        /// The bound.
        most: usize,
    },
    /// Its answer can't be understood.
    #[error("its answer can't be understood: {0}")]
    Answer(String),
    /// What was asked for makes no sense.
    #[error("{0}")]
    Asked(String),
}

impl Error {
    /// What to do about it.
    pub fn mend(&self) -> &'static str {
        match self {
            Self::Address { .. } => "write the address as http://host:port, secrets apart",
            Self::Secret { .. } => "check the path and who may read it",
            Self::Unreachable(_) => "check that it runs, and that the address and the network lead to it",
            Self::Refused { status: 401 | 403, .. } => "check user, password or token",
            Self::Refused { status: 404, .. } => "check the address: the API lies at /api/v1 below it",
            Self::Refused { status: 300..=399, .. } => "give the address that it leads to",
            Self::Refused { status: 500..=599, .. } => "look into its own log",
            Self::Refused { .. } => "check the selectors",
            Self::TooLong { .. } => "ask for fewer series, a shorter time or longer steps",
            Self::Answer(_) => "check that a Prometheus, VictoriaMetrics or Mimir answers at this address",
            Self::Asked(_) => "ask otherwise",
        }
    }
}

/// Which values of a label are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// This one.
    Equal,
    /// Any but this one.
    NotEqual,
    /// Those that the whole expression matches.
    Regex,
    /// Those that it does not match.
    NotRegex,
}

/// Series of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// The metric's name.
    pub name: String,
    /// What its labels must be.
    pub matchers: Vec<(String, Match, String)>,
}

impl Selector {
    /// The series with at least these labels.
    pub fn of(key: &SeriesKey) -> Self {
        let matchers = key.labels.iter().map(|(name, value)| (name.into(), Match::Equal, value.into())).collect();
        Self { name: key.name.clone(), matchers }
    }
}

impl fmt::Display for Selector {
    /// As PromQL has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{NAME}={}", quoted(&self.name))?;
        for (name, how, value) in &self.matchers {
            let sign = match how {
                Match::Equal => "=",
                Match::NotEqual => "!=",
                Match::Regex => "=~",
                Match::NotRegex => "!~",
            };
            let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            let name = if plain { name.clone() } else { quoted(name) };
            write!(f, ",{name}{sign}{}", quoted(value))?;
        }
        f.write_str("}")
    }
}

/// A string of PromQL.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// What a query gives, each series with its labels as they came.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub enum Data {
    /// A value of each series.
    Vector(Vec<One>),
    /// Values of each series.
    Matrix(Vec<Many>),
    /// A number.
    Scalar(#[serde(deserialize_with = "point")] Sample),
    /// A text: nothing that we ask for.
    String(IgnoredAny),
}

/// One value of a series.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct One {
    /// Its labels, the name among them.
    pub metric: BTreeMap<String, String>,
    /// The value; absent where it is a native histogram.
    #[serde(default, deserialize_with = "some_point")]
    pub value: Option<Sample>,
}

/// Values of a series.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Many {
    /// Its labels, the name among them.
    pub metric: BTreeMap<String, String>,
    /// The values in the order of their times; native histograms are left out.
    #[serde(default, deserialize_with = "points")]
    pub values: Vec<Sample>,
}

/// What a query gave, and what it said beside.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What it gave.
    pub data: Data,
    /// What the other end warns of, such as parts of it that did not answer.
    pub warnings: Vec<String>,
}

impl Answer {
    /// The series of a matrix.
    pub fn matrix(self) -> Result<Vec<Many>, Error> {
        match self.data {
            Data::Matrix(all) => Ok(all),
            Data::Vector(_) | Data::Scalar(_) | Data::String(_) => Err(Error::Answer("not a matrix".into())),
        }
    }
    /// The series of a vector.
    pub fn vector(self) -> Result<Vec<One>, Error> {
        match self.data {
            Data::Vector(all) => Ok(all),
            Data::Matrix(_) | Data::Scalar(_) | Data::String(_) => Err(Error::Answer("not a vector".into())),
        }
    }
}

/// The key of labels that have the name among them.
pub fn key_of(metric: BTreeMap<String, String>) -> SeriesKey {
    let name = metric.get(NAME).cloned().unwrap_or_default();
    SeriesKey { name, labels: Labels::of(metric.into_iter().filter(|(name, _)| name != NAME)) }
}

/// Asks.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    endpoint: Endpoint,
}

impl Client {
    /// A client of that endpoint; nothing is sent yet.
    pub fn of(endpoint: Endpoint) -> Result<Self, Error> {
        Ok(Self { http: http(&endpoint.base, endpoint.timeout)?, endpoint })
    }
    /// Where it asks, secrets left out.
    pub fn target(&self) -> String {
        bare(&self.endpoint.base)
    }
    /// Values at a time; at the other end's present where none is given.
    pub async fn query(&self, query: &str, at_ms: Option<i64>) -> Result<Answer, Error> {
        let at = at_ms.map(seconds);
        let time = at.iter().map(|at| ("time", at.as_str()));
        self.ask("query", [("query", query), ("nocache", "1")].into_iter().chain(time)).await
    }
    /// Values from a time to another, both of them included, at each step.
    pub async fn query_range(&self, query: &str, from_ms: i64, to_ms: i64, step_ms: i64) -> Result<Answer, Error> {
        let (start, end, step) = (seconds(from_ms), seconds(to_ms), seconds(step_ms));
        // VictoriaMetrics moves the times to multiples of the step unless it is told not to cache.
        let form = [("query", query), ("start", &start), ("end", &end), ("step", &step), ("nocache", "1")];
        self.ask("query_range", form).await
    }
    /// Which series there are.
    pub async fn series(&self, selectors: &[&str], from_ms: i64, to_ms: i64) -> Result<Vec<SeriesKey>, Error> {
        let (start, end) = (seconds(from_ms), seconds(to_ms));
        let times = [("start", start.as_str()), ("end", &end)];
        let form = selectors.iter().map(|selector| ("match[]", *selector)).chain(times);
        let all: Envelope<Vec<BTreeMap<String, String>>> = self.post("series", form).await?;
        Ok(all.data.unwrap_or_default().into_iter().map(key_of).collect())
    }
    /// Which names of labels there are.
    pub async fn labels(&self, selectors: &[&str]) -> Result<Vec<String>, Error> {
        let all: Envelope<Vec<String>> =
            self.post("labels", selectors.iter().map(|selector| ("match[]", *selector))).await?;
        Ok(all.data.unwrap_or_default())
    }
    /// What answers, as it names itself; absent where it does not.
    pub async fn version(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Build {
            #[serde(default)]
            version: String,
        }
        let url = self.url("status/buildinfo");
        let envelope: Envelope<Build> = self.send(self.http.get(url)).await.ok()?;
        envelope.data.map(|build| build.version).filter(|version| !version.is_empty())
    }
    /// Whether a window `[d]` at t takes in its begin, t - d: it does in Prometheus 2, and no more since Prometheus 3; in
    /// VictoriaMetrics it never did.
    pub async fn windows_are_closed(&self) -> Result<bool, Error> {
        // Steps of 5 s stand at multiples of it in all of them: in 10 s there are three with the begin, two without.
        let steps = self.query("count_over_time(vector(1)[10s:5s])", Some(1_700_000_000_000)).await?.vector()?;
        match steps.first().and_then(|one| one.value).map(|sample| sample.value) {
            Some(3.0) => Ok(true),
            Some(2.0) => Ok(false),
            other => Err(Error::Answer(format!("a window of 10 s holds {other:?} steps of 5 s"))),
        }
    }

    async fn ask<'a>(&self, path: &str, form: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Answer, Error> {
        let envelope: Envelope<Data> = self.post(path, form).await?;
        let mut warnings = envelope.warnings.unwrap_or_default();
        if envelope.partial {
            warnings.push("a part of the store did not answer".into());
        }
        let data = envelope.data.ok_or(Error::Answer("it has no data".into()))?;
        Ok(Answer { data, warnings })
    }
    async fn post<'a, T: DeserializeOwned>(
        &self,
        path: &str,
        form: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Envelope<T>, Error> {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.http.post(self.url(path)).header("Content-Type", "application/x-www-form-urlencoded");
        self.send(request.body(form)).await
    }
    async fn send<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<Envelope<T>, Error> {
        let request = authorized(request, &self.endpoint.auth).await?;
        let response = request.send().await.map_err(|error| Error::Unreachable(words(error)))?;
        let status = response.status();
        let location = response.headers().get("Location").and_then(|to| to.to_str().ok()).map(str::to_owned);
        let body = body(response, self.endpoint.body_max).await?;
        if !status.is_success() {
            return Err(refused(status.as_u16(), location, &body));
        }
        let envelope: Envelope<T> =
            serde_json::from_slice(&body).map_err(|error| Error::Answer(format!("{error}: {}", start_of(&body))))?;
        if envelope.status == "success" { Ok(envelope) } else { Err(refused(status.as_u16(), None, &body)) }
    }
    fn url(&self, path: &str) -> Url {
        let mut url = self.endpoint.base.clone();
        url.set_path(&format!("{}/api/v1/{path}", url.path().trim_end_matches('/')));
        url
    }
}

#[derive(Deserialize)]
struct Envelope<T> {
    #[serde(default)]
    status: String,
    #[serde(default, rename = "errorType")]
    error_type: String,
    #[serde(default)]
    error: String,
    warnings: Option<Vec<String>>,
    #[serde(default, rename = "isPartial")]
    partial: bool,
    data: Option<T>,
}

/// A client that follows no redirect; refuses addresses that are none, or carry secrets.
pub(crate) fn http(base: &Url, timeout: Duration) -> Result<reqwest::Client, Error> {
    let wrong = |why: &str| Error::Address { address: bare(base), why: why.into() };
    if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
        return Err(wrong("it does not begin with http:// or https://"));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err(wrong("user and password belong into the settings beside it"));
    }
    let http = crate::scrape::guard::client().timeout(timeout).connect_timeout(timeout.min(Duration::from_secs(10)));
    http.build().map_err(|error| wrong(&words(error)))
}

/// The address without secrets.
pub(crate) fn bare(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.to_string()
}

/// The request with who we are.
pub(crate) async fn authorized(
    request: reqwest::RequestBuilder,
    auth: &Auth,
) -> Result<reqwest::RequestBuilder, Error> {
    Ok(match auth {
        Auth::None => request,
        Auth::Basic { user, password_file } => request.basic_auth(user, Some(secret(password_file).await?)),
        Auth::Bearer { token_file } => request.bearer_auth(secret(token_file).await?),
    })
}

async fn secret(file: &Path) -> Result<String, Error> {
    let wrong = |why: String| Error::Secret { file: file.into(), why };
    let text = tokio::fs::read_to_string(file).await.map_err(|error| wrong(error.to_string()))?;
    let text = text.trim();
    if text.is_empty() || text.len() > 16 << 10 || text.contains(char::is_control) {
        return Err(wrong("it is not one line of at most 16 KiB".into()));
    }
    Ok(text.to_owned())
}

/// The whole body of an answer, within a bound.
pub(crate) async fn body(mut response: reqwest::Response, most: usize) -> Result<Vec<u8>, Error> {
    let mut all = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| Error::Unreachable(words(error)))? {
        if all.len() + part.len() > most {
            return Err(Error::TooLong { most });
        }
        all.extend_from_slice(&part);
    }
    Ok(all)
}

/// An error of the transport with its causes; the address is left out, for it may hold secrets.
pub(crate) fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        let more = next.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = next.source();
    }
    words
}

fn refused(status: u16, location: Option<String>, body: &[u8]) -> Error {
    if let Some(to) = location.filter(|_| (300..400).contains(&status)) {
        return Error::Refused {
            status,
            kind: String::new(),
            why: format!("it leads on to {to}, which is not followed"),
        };
    }
    match serde_json::from_slice::<Envelope<IgnoredAny>>(body) {
        Ok(said) if !said.error.is_empty() => {
            let why = said.error.chars().take(400).collect();
            // VictoriaMetrics repeats the status as the kind.
            let kind = if said.error_type == status.to_string() { String::new() } else { said.error_type };
            Error::Refused { status, kind, why }
        }
        Ok(_) | Err(_) => Error::Refused { status, kind: String::new(), why: start_of(body) },
    }
}

/// The begin of a body, for a message.
pub(crate) fn start_of(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(800)]);
    let text: String = text.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.trim().is_empty() { "no words".into() } else { text.trim().into() }
}

/// As both of them read it: seconds, exact to the millisecond between 2004 and 2038 and beyond.
fn seconds(ms: i64) -> String {
    format!("{}{}.{:03}", if ms < 0 { "-" } else { "" }, ms.unsigned_abs() / 1_000, ms.unsigned_abs() % 1_000)
}

/// `[1700000000.123, "5"]`
struct Point(Sample);

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (at, Number(value)) = <(f64, Number)>::deserialize(from)?;
        Ok(Self(Sample { at_ms: (at * 1e3).round() as i64, value }))
    }
}

/// A number in a string, as `NaN` and the infinities need it.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number in a string")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(|_| E::custom(format_args!("{text:?} is not a number")))
            }
        }
        from.deserialize_str(Text)
    }
}

fn point<'de, D: Deserializer<'de>>(from: D) -> Result<Sample, D::Error> {
    Point::deserialize(from).map(|Point(sample)| sample)
}

fn some_point<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Sample>, D::Error> {
    point(from).map(Some)
}

fn points<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Sample>, D::Error> {
    Ok(Vec::<Point>::deserialize(from)?.into_iter().map(|Point(sample)| sample).collect())
}

#[cfg(test)]
mod tests;
