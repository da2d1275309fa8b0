//! A client of MQTT 3.1.1: one connection that is kept, with TLS and credentials from files.
//!
//! Never: shows a secret, keeps an unbounded queue, or lets a crowd of clients return at one moment.

use super::{Arrived, Bus, BusError, Link, Message, Need, Retain, Wanted};
use async_trait::async_trait;
use mqtt5::client::MqttClient;
use mqtt5::transport::tls::TlsConfig;
use mqtt5::{
    ConnectOptions, ConnectionEvent, DisconnectReason, MqttError, ProtocolVersion, PublishOptions, QoS,
    SubscribeOptions,
};
use serde::{Deserialize, Serialize};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, RwLock, mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

/// Messages that wait for us: 3 seconds of 5,000 each second, above the busiest site we know of.
const QUEUE: usize = 16_384;
/// Bytes of messages that wait for us.
const QUEUE_BYTES: usize = 32 * 1_024 * 1_024;
/// The largest packet that is read: a connection that sends a larger one is cut.
const LARGEST_PACKET: u32 = 1_024 * 1_024;
/// A broker that does not answer is noticed within 12 seconds: the client pings after three quarters of this, and looks
/// for the answer when the next ping is due.
const KEEP_ALIVE: Duration = Duration::from_secs(8);
/// The first wait before a broker is tried again.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait while it answered not long ago: what heals is noticed within 10 seconds.
const LONGEST_WAIT_RECENT: Duration = Duration::from_secs(4);
/// The longest wait otherwise.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long ago "not long ago" is.
const RECENT: Duration = Duration::from_mins(15);
/// How long an attempt may take.
const ATTEMPT: Duration = Duration::from_secs(4);
/// How long a connection must have stood for the next attempt to be a first one.
const STOOD: Duration = Duration::from_secs(10);
/// How long the broker may take to answer a subscription or to take a message.
const ANSWER: Duration = Duration::from_secs(10);
/// The largest file of a token or certificate.
const LARGEST_FILE: u64 = 256 * 1_024;

/// Where a broker is and who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttConfig {
    /// `mqtt://host:port` or `mqtts://host:port`.
    pub broker: Url,
    /// Our name at the broker. It must not change, and no one else may have it.
    pub client_id: String,
    /// How we prove who we are.
    pub auth: Auth,
    /// The authority that signed the broker's certificate; absent for those that the web trusts.
    pub authority: Option<PathBuf>,
}

/// How we prove who we are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// With a token that a file holds, read anew at each connection.
    Token {
        /// The name that goes with it.
        #[serde(default = "oauth")]
        username: String,
        /// The file.
        file: PathBuf,
    },
    /// With a certificate.
    Certificate {
        /// Its file, PEM.
        certificate: PathBuf,
        /// The file of its key, PEM.
        key: PathBuf,
    },
}

fn oauth() -> String {
    "oauthtoken".to_owned()
}

/// Why an address is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It does not read as a URL.
    #[error("broker {0:?} is not an address such as mqtt://host:1883")]
    NotUrl(String),
    /// Neither mqtt nor mqtts.
    #[error("broker is reached over mqtt:// or mqtts://, not {0}://")]
    Scheme(String),
    /// It holds a name or password.
    #[error("credentials do not belong in the broker's address: name a file under `auth`")]
    Credentials,
    /// It has a path, a query or a fragment.
    #[error("broker's address ends after its port")]
    Path,
    /// A certificate without TLS.
    #[error("a certificate needs mqtts://")]
    CertificateWithoutTls,
}

/// Reads a broker's address.
pub fn address(text: &str) -> Result<Url, AddressError> {
    let url =
        Url::parse(text).map_err(|_| AddressError::NotUrl(text.chars().filter(|c| *c != '@').take(80).collect()))?;
    if !["mqtt", "mqtts"].contains(&url.scheme()) {
        return Err(AddressError::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::Credentials);
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(AddressError::NotUrl(text.chars().take(80).collect()));
    }
    if !["", "/"].contains(&url.path()) || url.query().is_some() || url.fragment().is_some() {
        return Err(AddressError::Path);
    }
    Ok(url)
}

/// A bus over MQTT. Dropping it ends the connection.
pub struct MqttBus {
    shared: Arc<Shared>,
    arrived: Mutex<mpsc::Receiver<Arrived>>,
    link: watch::Receiver<Link>,
    _stop: DropGuard,
}

/// What the connection's task and the bus both hold.
struct Shared {
    config: MqttConfig,
    client: RwLock<Option<MqttClient>>,
    wanted: RwLock<Vec<Wanted>>,
    inbox: Inbox,
    link: watch::Sender<Link>,
}

#[derive(Clone)]
struct Inbox {
    queue: mpsc::Sender<Arrived>,
    bytes: Arc<AtomicUsize>,
    lost: Arc<AtomicU64>,
}

impl MqttBus {
    /// Begins to connect, and keeps at it.
    pub fn open(config: MqttConfig) -> Self {
        let (queue, arrived) = mpsc::channel(QUEUE);
        let (link, seen) = watch::channel(Link::Connecting);
        let inbox = Inbox { queue, bytes: Arc::default(), lost: Arc::default() };
        let shared = Arc::new(Shared { config, client: RwLock::default(), wanted: RwLock::default(), inbox, link });
        let stop = CancellationToken::new();
        tokio::spawn(keep(Arc::clone(&shared), stop.clone()));
        Self { shared, arrived: Mutex::new(arrived), link: seen, _stop: stop.drop_guard() }
    }

    fn times(&self) -> u64 {
        if let Link::Up { times } = *self.link.borrow() { times } else { 0 }
    }
}

#[async_trait]
impl Bus for MqttBus {
    async fn subscribe(&self, wanted: Vec<Wanted>) {
        // Under the lock that connecting takes too: asked for once, here or there.
        let mut all = self.shared.wanted.write().await;
        if let Some(client) = &*self.shared.client.read().await {
            let first = all.len();
            all.extend(wanted);
            self.shared.ask(client, &all, first, self.times()).await;
        } else {
            all.extend(wanted);
        }
    }

    async fn publish(&self, message: Message) -> Result<(), BusError> {
        let down = || {
            BusError::Down(match &*self.link.borrow() {
                Link::Down { why, .. } => why.clone(),
                Link::Connecting | Link::Up { .. } => "not connected yet".to_owned(),
            })
        };
        let client = self.shared.client.read().await.clone().ok_or_else(down)?;
        // What is kept must arrive; what passes is followed by the next of its kind.
        let options = match message.retain {
            Retain::Kept => PublishOptions { qos: QoS::AtLeastOnce, retain: true, ..PublishOptions::default() },
            Retain::Passing => PublishOptions::default(),
        };
        match timeout(ANSWER, client.publish_with_options(message.topic, message.payload, options)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(MqttError::InvalidTopicName(why))) => Err(BusError::Unsendable(why)),
            Ok(Err(error @ MqttError::PacketTooLarge { .. })) => Err(BusError::Unsendable(error.to_string())),
            Ok(Err(error)) => Err(BusError::Down(error.to_string())),
            Err(_) => Err(BusError::Down("the broker did not take a message in time".to_owned())),
        }
    }

    async fn next(&self) -> Arrived {
        let inbox = &self.shared.inbox;
        let lost = inbox.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            return Arrived::Lost { messages: lost };
        }
        let mut queue = self.arrived.lock().await;
        match queue.recv().await {
            Some(Arrived::Message(message)) => {
                inbox.bytes.fetch_sub(weight(&message.topic, &message.payload), Ordering::Relaxed);
                Arrived::Message(message)
            }
            Some(other) => other,
            // The bus itself holds a sender: there is always one.
            None => std::future::pending().await,
        }
    }

    fn link(&self) -> watch::Receiver<Link> {
        self.link.clone()
    }
}

impl Inbox {
    /// Takes a message if there is room. Never waits: it runs where the client reads.
    fn take(&self, message: mqtt5::Message) {
        let weight = weight(&message.topic, &message.payload);
        let fits = self.bytes.fetch_add(weight, Ordering::Relaxed) + weight <= QUEUE_BYTES;
        let retain = if message.retain { Retain::Kept } else { Retain::Passing };
        let message = Message { topic: message.topic, payload: message.payload, retain };
        if !fits || self.queue.try_send(Arrived::Message(message)).is_err() {
            self.bytes.fetch_sub(weight, Ordering::Relaxed);
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn weight(topic: &str, payload: &[u8]) -> usize {
    topic.len() + payload.len() + 64
}

/// Keeps the connection until told to stop.
async fn keep(shared: Arc<Shared>, stop: CancellationToken) {
    let mut backoff = Backoff::default();
    let mut times = 0;
    loop {
        let attempt = tokio::select! {
            () = stop.cancelled() => return,
            attempt = connect(&shared.config) => attempt,
        };
        let trouble = match attempt {
            Ok((client, gone)) => {
                times += 1;
                let trouble = hold(&shared, client, gone, times, &mut backoff, &stop).await;
                let Some(trouble) = trouble else { return };
                trouble
            }
            Err(trouble) => trouble,
        };
        tracing::debug!(broker = %shared.config.broker, why = %trouble.why, "The bus is down.");
        shared.link.send_replace(Link::Down { why: trouble.why, mend: trouble.mend });
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(backoff.wait(Instant::now(), chance())) => {}
        }
    }
}

/// Uses a connection until it ends. Nothing where we were told to stop.
async fn hold(
    shared: &Shared,
    client: MqttClient,
    mut gone: watch::Receiver<Option<String>>,
    times: u64,
    backoff: &mut Backoff,
    stop: &CancellationToken,
) -> Option<Trouble> {
    let since = Instant::now();
    {
        let all = shared.wanted.write().await;
        *shared.client.write().await = Some(client.clone());
        shared.ask(&client, &all, 0, times).await;
    }
    shared.link.send_replace(Link::Up { times });
    backoff.up(since);
    let why = tokio::select! {
        () = stop.cancelled() => None,
        gone = gone.wait_for(Option::is_some) => Some(gone.map_or(None, |why| why.clone()).unwrap_or_default()),
    };
    *shared.client.write().await = None;
    // The connection is gone or unwanted: saying farewell to it must not take longer than it is worth.
    let _ = timeout(Duration::from_secs(1), client.disconnect()).await;
    let why = why?;
    backoff.down(Instant::now(), since);
    let mend = if since.elapsed() < STOOD {
        "see whether another client uses the same name, or the broker's log"
    } else {
        "nothing yet: it is tried again"
    };
    Some(Trouble { why, mend: mend.to_owned() })
}

impl Shared {
    /// Asks for everything from `first` on. A message that two filters match is taken once, for the first of them.
    async fn ask(&self, client: &MqttClient, all: &[Wanted], first: usize, times: u64) {
        let mut earlier: Vec<String> = all[..first].iter().flat_map(|wanted| wanted.filters.clone()).collect();
        for wanted in &all[first..] {
            let mut said = None;
            for filter in &wanted.filters {
                let (inbox, before) = (self.inbox.clone(), earlier.clone());
                let take = move |message: mqtt5::Message| {
                    if !before.iter().any(|filter| mqtt5::topic_matching::matches(&message.topic, filter)) {
                        inbox.take(message);
                    }
                };
                let ask = client.subscribe_with_options(filter.clone(), SubscribeOptions::default(), take);
                said = match timeout(ANSWER, ask).await {
                    Ok(Ok(_)) => None,
                    Ok(Err(error)) => Some(error.to_string()),
                    Err(_) => Some("the broker did not answer".to_owned()),
                };
                if said.is_none() {
                    earlier.push(filter.clone());
                    break;
                }
            }
            if let (Some(why), Need::Must) = (said, wanted.need) {
                let filter = wanted.filters.join(" or ");
                // A full queue means that messages come, so this one thing can go.
                let _ = self.inbox.queue.try_send(Arrived::Refused { filter, why, times });
            }
        }
    }
}

/// Why the bus is down, and what to do.
struct Trouble {
    why: String,
    mend: String,
}

/// Connects once. What is returned with the client becomes the reason when the connection ends.
async fn connect(config: &MqttConfig) -> Result<(MqttClient, watch::Receiver<Option<String>>), Trouble> {
    let mut options = ConnectOptions::new(config.client_id.clone())
        .with_protocol_version(ProtocolVersion::V311)
        .with_clean_start(true)
        .with_keep_alive(KEEP_ALIVE)
        .with_keepalive_timeout_percent(50)
        .with_automatic_reconnect(false);
    options.protocol_options.properties.maximum_packet_size = Some(LARGEST_PACKET);
    if let Auth::Token { username, file } = &config.auth {
        let token = String::from_utf8(read(file).await?).map_err(|_| Trouble::of(file, "is not text"))?;
        options = options.with_credentials(username, token.trim());
    }
    let client = MqttClient::with_options(options);
    if config.broker.scheme() == "mqtts" {
        secure(&client, config).await?;
    }
    let (said, gone) = watch::channel(None);
    let told = client
        .on_connection_event(move |event| {
            if let ConnectionEvent::Disconnected { reason } = event {
                said.send_replace(Some(ended(&reason)));
            }
        })
        .await;
    if let Err(error) = told {
        return Err(Trouble::unreachable(config, &error.to_string()));
    }
    client.set_queue_on_disconnect(false).await;
    let host = config.broker.host_str().unwrap_or_default();
    let port = config.broker.port().unwrap_or(if config.broker.scheme() == "mqtts" { 8_883 } else { 1_883 });
    match timeout(ATTEMPT, client.connect(&format!("{}://{host}:{port}", config.broker.scheme()))).await {
        Ok(Ok(())) => Ok((client, gone)),
        Ok(Err(MqttError::ConnectionRefused(code))) => Err(Trouble {
            why: format!("the broker refuses us: {code:?}"),
            mend: "look at the credentials under `auth`, and at what the broker lets this account do".to_owned(),
        }),
        Ok(Err(MqttError::AuthenticationFailed | MqttError::NotAuthorized)) => Err(Trouble {
            why: "the broker does not accept our credentials".to_owned(),
            mend: "renew the token or the certificate under `auth`".to_owned(),
        }),
        Ok(Err(error)) => Err(Trouble::unreachable(config, &error.to_string())),
        Err(_) => Err(Trouble::unreachable(config, "no answer")),
    }
}

fn ended(reason: &DisconnectReason) -> String {
    match reason {
        DisconnectReason::ClientInitiated => "we ended the connection".to_owned(),
        DisconnectReason::ServerDisconnect(code) => format!("the broker ended the connection: {code:?}"),
        DisconnectReason::NetworkError(why) => format!("the connection broke: {why}"),
        DisconnectReason::ProtocolError(why) => format!("the broker sent what is not MQTT: {why}"),
        DisconnectReason::KeepAliveTimeout => "the broker stopped answering".to_owned(),
        DisconnectReason::AuthFailure => "the broker does not accept our credentials any more".to_owned(),
        other => format!("the connection ended: {other:?}"),
    }
}

/// Hands the client its certificates, each looked at first: the client itself would only log a bad one.
async fn secure(client: &MqttClient, config: &MqttConfig) -> Result<(), Trouble> {
    let mut check = TlsConfig::new(([127, 0, 0, 1], 0).into(), "localhost");
    let mut authority = None;
    if let Some(file) = &config.authority {
        let pem = read(file).await?;
        check.load_ca_cert_pem_bytes(&pem).map_err(|error| Trouble::of(file, &error.to_string()))?;
        authority = Some(pem);
    }
    let mut ours = (None, None);
    if let Auth::Certificate { certificate, key } = &config.auth {
        let pems = (read(certificate).await?, read(key).await?);
        check.load_client_cert_pem_bytes(&pems.0).map_err(|error| Trouble::of(certificate, &error.to_string()))?;
        check.load_client_key_pem_bytes(&pems.1).map_err(|error| Trouble::of(key, &error.to_string()))?;
        check.client_config().map_err(|error| Trouble::of(certificate, &error.to_string()))?;
        ours = (Some(pems.0), Some(pems.1));
    }
    client.set_tls_config(ours.0, ours.1, authority).await;
    Ok(())
}

async fn read(file: &Path) -> Result<Vec<u8>, Trouble> {
    let size = tokio::fs::metadata(file).await.map_err(|error| Trouble::of(file, &error.to_string()))?.len();
    if size > LARGEST_FILE {
        return Err(Trouble::of(file, "is too large for what it should hold"));
    }
    tokio::fs::read(file).await.map_err(|error| Trouble::of(file, &error.to_string()))
}

impl Trouble {
    fn of(file: &Path, why: &str) -> Self {
        let file = file.display();
        Self { why: format!("{file} can't be used: {why}"), mend: format!("put a good file at {file}") }
    }
    fn unreachable(config: &MqttConfig, why: &str) -> Self {
        Self {
            why: format!("{} can't be reached: {why}", config.broker),
            mend: "see whether the broker runs, and whether its address, port and certificate are right".to_owned(),
        }
    }
}

/// How long to wait before the next attempt.
#[derive(Debug, Default)]
struct Backoff {
    failures: u32,
    answered: Option<Instant>,
}

impl Backoff {
    fn up(&mut self, at: Instant) {
        self.answered = Some(at);
    }
    /// A connection that stood for a while makes the next attempt a first one.
    fn down(&mut self, at: Instant, since: Instant) {
        self.answered = Some(at);
        if at.duration_since(since) >= STOOD {
            self.failures = 0;
        }
    }
    /// Doubles each time up to its ceiling; of that, at least half and the rest by `chance` (0 to 1), so that a crowd
    /// does not return at one moment.
    fn wait(&mut self, now: Instant, chance: f64) -> Duration {
        let recent = self.answered.is_some_and(|at| now.duration_since(at) < RECENT);
        let longest = if recent { LONGEST_WAIT_RECENT } else { LONGEST_WAIT };
        let full = FIRST_WAIT.saturating_mul(1 << self.failures.min(8)).min(longest);
        self.failures = self.failures.saturating_add(1);
        full.mul_f64(0.5 + chance / 2.0).max(FIRST_WAIT.min(full))
    }
}

/// 0 to 1, another each time.
fn chance() -> f64 {
    (RandomState::new().build_hasher().finish() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_broker_and_no_secret() {
        assert!(address("mqtt://broker.site:1883").is_ok() && address("mqtts://broker").is_ok());
        for (text, why) in [
            ("broker", AddressError::NotUrl("broker".into())),
            ("http://broker", AddressError::Scheme("http".into())),
            ("mqtt://me:secret@broker", AddressError::Credentials),
            ("mqtt://broker/site", AddressError::Path),
        ] {
            assert_eq!(address(text), Err(why), "{text}");
        }
    }

    #[test]
    fn waits_double_to_their_ceiling_and_are_spread() {
        let now = Instant::now();
        let mut never = Backoff::default();
        let waits: Vec<f64> = (0..9).map(|_| never.wait(now, 1.0).as_secs_f64()).collect();
        assert_eq!(waits, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]);
        let mut recent = Backoff::default();
        recent.up(now);
        let waits: Vec<f64> = (0..6).map(|_| recent.wait(now, 0.0).as_secs_f64()).collect();
        assert_eq!(waits, [0.5, 0.5, 1.0, 2.0, 2.0, 2.0]);
        assert_eq!(recent.wait(now + RECENT, 1.0), LONGEST_WAIT);
    }

    #[test]
    fn a_connection_that_is_cut_at_once_is_not_tried_at_once() {
        let now = Instant::now();
        let mut backoff = Backoff::default();
        for _ in 0..5 {
            backoff.wait(now, 1.0);
        }
        backoff.down(now, now - Duration::from_secs(1));
        assert_eq!(backoff.wait(now, 1.0), LONGEST_WAIT_RECENT);
        backoff.down(now, now - STOOD);
        assert_eq!(backoff.wait(now, 1.0), FIRST_WAIT);
    }

    #[test]
    fn what_does_not_fit_is_counted_and_its_room_given_back() {
        let (queue, _keep) = mpsc::channel(1);
        let inbox = Inbox { queue, bytes: Arc::default(), lost: Arc::default() };
        let message = || mqtt5::Message {
            topic: "t".into(),
            payload: vec![0; 10],
            qos: QoS::AtMostOnce,
            retain: false,
            properties: mqtt5::types::MessageProperties::default(),
            stream_id: None,
        };
        inbox.take(message());
        let one = inbox.bytes.load(Ordering::Relaxed);
        inbox.take(message());
        assert_eq!((inbox.lost.load(Ordering::Relaxed), inbox.bytes.load(Ordering::Relaxed)), (1, one));
    }
}
