//! Notifications over HTTP, in the form of Alertmanager's webhooks, signed.
//!
//! Never: follows a redirect, sends through a proxy, repeats what a receiver answered, or reaches an address of the
//! link, of a cloud's metadata, or, unless it is allowed, of this very host.
//!
//! A receiver checks `X-Millwright-Signature`, which is `sha256=` and the HMAC-SHA256, in hexadecimal digits, of the text
//! of `X-Millwright-Timestamp` (milliseconds since 1970 UTC) and the body right behind it.

pub mod guard;

pub use guard::{Guard, Network, Refused};

use crate::alert::group_name;
use hmac::{Hmac, Mac};
use model::alert::{Alert, AlertState, Delivery, Notification, Outcome, Rule};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, StatusCode, Url, redirect};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;

/// Alerts that one payload carries; more are counted.
const ALERTS_MAX: usize = 500;
/// Tries of one notification.
pub const ATTEMPTS: u32 = 8;
/// The longest wait between two tries.
const WAIT_MAX: Duration = Duration::from_mins(10);
/// How long a receiver may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// How long it may take to be reached.
const REACH: Duration = Duration::from_secs(5);
/// Alertmanager's way to say that an alert has not ended.
const NOT_ENDED: &str = "0001-01-01T00:00:00Z";

/// What is sent: version 4 of Alertmanager's webhook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payload {
    /// `4`.
    pub version: String,
    /// What the alerts have in common, as one text: the same for as long as the group is.
    pub group_key: String,
    /// Alerts that are left out because there are too many.
    pub truncated_alerts: u32,
    /// `firing` where any alert fires, `resolved` otherwise.
    pub status: String,
    /// The receiver's name.
    pub receiver: String,
    /// What the alerts are grouped by.
    pub group_labels: BTreeMap<String, String>,
    /// Labels that all of them have.
    pub common_labels: BTreeMap<String, String>,
    /// Annotations that all of them have.
    pub common_annotations: BTreeMap<String, String>,
    /// Where Millwright is.
    #[serde(rename = "externalURL")]
    pub external_url: String,
    /// The alerts.
    pub alerts: Vec<PayloadAlert>,
}

/// An alert as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PayloadAlert {
    /// `firing` or `resolved`.
    pub status: String,
    /// Its rule, how grave it is, and where.
    pub labels: BTreeMap<String, String>,
    /// What it means, what happens if nobody acts, what to do, and its value.
    pub annotations: BTreeMap<String, String>,
    /// When it began.
    pub starts_at: String,
    /// When it ended.
    pub ends_at: String,
    /// Where to read more.
    #[serde(rename = "generatorURL")]
    pub generator_url: String,
    /// The same for alerts with the same labels.
    pub fingerprint: String,
}

/// A notification as it is sent.
pub fn payload(notification: &Notification, rules: &[Rule], receiver: &str, external_url: &str) -> Payload {
    let alerts: Vec<PayloadAlert> =
        notification.alerts.iter().take(ALERTS_MAX).map(|alert| sent(alert, rules, external_url)).collect();
    let common = |of: fn(&PayloadAlert) -> &BTreeMap<String, String>| {
        let Some(first) = alerts.first() else { return BTreeMap::new() };
        let shared =
            of(first).iter().filter(|(name, value)| alerts.iter().all(|alert| of(alert).get(*name) == Some(*value)));
        shared.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    Payload {
        version: "4".into(),
        group_key: format!("{{}}:{}", group_name(notification)),
        truncated_alerts: u32::try_from(notification.alerts.len() - alerts.len()).unwrap_or(u32::MAX),
        status: status(notification.firing()),
        receiver: receiver.to_owned(),
        group_labels: notification.group.iter().cloned().collect(),
        common_labels: common(|alert| &alert.labels),
        common_annotations: common(|alert| &alert.annotations),
        external_url: external_url.to_owned(),
        alerts,
    }
}

fn status(firing: u32) -> String {
    if firing > 0 { "firing".into() } else { "resolved".into() }
}

fn sent(alert: &Alert, rules: &[Rule], external_url: &str) -> PayloadAlert {
    let key = &alert.key;
    let mut labels: BTreeMap<String, String> =
        key.place.parts().into_iter().filter_map(|(part, value)| Some((part.to_owned(), value?.to_owned()))).collect();
    labels.insert("alertname".into(), key.rule.clone());
    labels.insert("severity".into(), alert.severity.name().into());
    labels.extend(key.object.clone().map(|object| ("object".to_owned(), object)));
    let mut annotations = BTreeMap::new();
    if let Some(rule) = rules.iter().find(|rule| rule.name == key.rule) {
        for (name, words) in [("summary", &rule.means), ("description", &rule.otherwise), ("action", &rule.todo)] {
            if !words.is_empty() {
                annotations.insert(name.to_owned(), words.clone());
            }
        }
    }
    annotations.extend(alert.value.map(|value| ("value".to_owned(), value.to_string())));
    let over = alert.state == AlertState::Resolved;
    let mut digest = Sha256::new();
    for (name, value) in &labels {
        digest.update(format!("{name:?}={value:?},"));
    }
    PayloadAlert {
        status: status(u32::from(!over)),
        annotations,
        starts_at: rfc3339(alert.began_ms),
        ends_at: if over { rfc3339(alert.since_ms) } else { NOT_ENDED.into() },
        generator_url: format!("{}/alerts", external_url.trim_end_matches('/')),
        fingerprint: digits(&digest.finalize()[..8]),
        labels,
    }
}

/// Milliseconds since 1970 UTC as `2026-11-27T09:52:00.123Z`.
fn rfc3339(at_ms: i64) -> String {
    // Years of four digits; whatever lies beyond is at their end.
    let at_ms = at_ms.clamp(0, 253_402_300_799_999);
    let (days, ms) = (at_ms / 86_400_000, at_ms % 86_400_000);
    // Years begin in March, and eras of 400 years have the same length.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", ms % 1_000)
}

/// A secret that is shared with a receiver; it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret of this text.
    pub fn of(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// `sha256=` and the HMAC-SHA256 of the timestamp and the body right behind it.
pub fn signature(secret: &Secret, timestamp_ms: i64, body: &[u8]) -> String {
    format!("sha256={}", digits(&keyed(secret.0.as_bytes(), &[timestamp_ms.to_string().as_bytes(), body])))
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is good");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _written = write!(text, "{byte:02x}");
        text
    })
}

/// How long to wait after a try that failed, from 1; `None` after the last. `jitter` is 0 to 1, so that receivers that
/// come back are not met by everyone at once: from half of the wait to all of it.
pub fn wait_after(attempt: u32, jitter: f64) -> Option<Duration> {
    if attempt >= ATTEMPTS {
        return None;
    }
    let whole = Duration::from_secs(3_u64.saturating_pow(attempt.saturating_sub(1))).min(WAIT_MAX);
    Some(whole.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0)))
}

/// A receiver of notifications.
#[derive(Debug, Clone)]
pub struct Webhook {
    receiver: String,
    url: Url,
    secret: Option<Secret>,
    guard: Guard,
    client: Client,
}

impl Webhook {
    /// A receiver at an address that may be reached.
    pub fn of(receiver: &str, url: &str, secret: Option<Secret>, guard: Guard) -> Result<Self, Refused> {
        let url = guard.url(url)?;
        // The process has one provider of cryptography; whoever comes first sets it.
        let _set = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(REACH)
            .timeout(ANSWER)
            .user_agent("millwright")
            .dns_resolver(guard.clone())
            .build()
            .map_err(|error| Refused::NoClient(words(&error)))?;
        Ok(Self { receiver: receiver.to_owned(), url, secret, guard, client })
    }

    /// The receiver's name.
    pub fn receiver(&self) -> &str {
        &self.receiver
    }

    /// Hands a notification on, trying again where that may help. Each try is told to `log`. `true` where it was taken.
    pub async fn deliver(&self, payload: &Payload, stop: &CancellationToken, mut log: impl FnMut(Delivery)) -> bool {
        let body = match serde_json::to_vec(payload) {
            Ok(body) => body,
            Err(error) => {
                tracing::error!(receiver = %self.receiver, %error, "A notification can't be written.");
                return false;
            }
        };
        let random = RandomState::new();
        for attempt in 1..=ATTEMPTS {
            let (at_ms, began) = (now_ms(), Instant::now());
            let tried = tokio::select! {
                () = stop.cancelled() => return false,
                tried = self.attempt(&body, at_ms) => tried,
            };
            let jitter = random.hash_one((attempt, at_ms)) as f64 / u64::MAX as f64;
            let (outcome, wait) = came_of(tried, attempt, jitter);
            let taken = matches!(outcome, Outcome::Taken { .. });
            log(Delivery {
                receiver: self.receiver.clone(),
                group: payload.group_key.clone(),
                at_ms,
                attempt,
                took_ms: u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX),
                alerts: u32::try_from(payload.alerts.len()).unwrap_or(u32::MAX),
                outcome,
            });
            let Some(wait) = wait else { return taken };
            tokio::select! {
                () = stop.cancelled() => return false,
                () = tokio::time::sleep(wait) => {}
            }
        }
        false
    }

    async fn attempt(&self, body: &[u8], at_ms: i64) -> Result<u16, Failure> {
        // Names are looked up anew each time, and an address written as such does not pass the resolver.
        self.guard.url(self.url.as_str()).map_err(|refused| Failure::for_good(refused.to_string()))?;
        let mut request = self.client.post(self.url.clone()).header("Content-Type", "application/json");
        if let Some(secret) = &self.secret {
            request = request
                .header("X-Millwright-Timestamp", at_ms.to_string())
                .header("X-Millwright-Signature", signature(secret, at_ms, body));
        }
        let answer = request.body(body.to_vec()).send().await.map_err(|error| Failure::of(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(status.as_u16());
        }
        let later =
            [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status) || status.is_server_error();
        let asked = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let redirected = if status.is_redirection() { "; redirects are not followed" } else { "" };
        Err(Failure {
            because: format!("it answered {status}{redirected}"),
            later,
            after: asked.map(Duration::from_secs),
        })
    }
}

/// Why a try failed.
struct Failure {
    because: String,
    /// Whether it may be otherwise later.
    later: bool,
    /// How long the receiver asks to wait.
    after: Option<Duration>,
}

impl Failure {
    fn for_good(because: String) -> Self {
        Self { because, later: false, after: None }
    }
    fn of(error: &reqwest::Error) -> Self {
        let because =
            if error.is_timeout() { format!("it took longer than {} s", ANSWER.as_secs()) } else { words(error) };
        Self { because, later: !error.is_builder(), after: None }
    }
}

/// What comes of a try, and how long to wait for the next.
fn came_of(tried: Result<u16, Failure>, attempt: u32, jitter: f64) -> (Outcome, Option<Duration>) {
    let Failure { because, later, after } = match tried {
        Ok(status) => return (Outcome::Taken { status }, None),
        Err(failure) => failure,
    };
    match wait_after(attempt, jitter).filter(|_| later) {
        Some(wait) => {
            let wait = wait.max(after.unwrap_or_default()).min(WAIT_MAX);
            (Outcome::Retry { because, after_ms: u32::try_from(wait.as_millis()).unwrap_or(u32::MAX) }, Some(wait))
        }
        None => (Outcome::GivenUp { because }, None),
    }
}

/// An error and its causes in words, without the address: it may carry a secret.
fn words(error: &reqwest::Error) -> String {
    let mut cause = std::error::Error::source(error);
    let mut last = if error.is_connect() { "it can't be reached".to_owned() } else { "it can't be sent".to_owned() };
    while let Some(deeper) = cause {
        if deeper.source().is_none() {
            let _written = write!(last, ": {deeper}");
        }
        cause = deeper.source();
    }
    last
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
