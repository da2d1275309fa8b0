//! The file that says where readings come from: which targets are read, on which bus the building talks, how long history
//! is kept. Every name in it that is not known is an error with its line, so that a slip of the pen is no silent nothing.

use crate::history::SeriesStore;
use crate::history::local::{LocalHistory, Retention};
use crate::history::remote::{Forwarding, RemoteSeries};
use model::alert::Rule;
use model::reading::{Labels, SeriesKey};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use telemetry::exchange::{ExchangeConfig, ExchangeSource, ExchangeView};
use telemetry::forward::{self, Forwarder};
use telemetry::kernel_log::Clock;
use telemetry::kernel_log::follow::{KernelLogSource, Origin, boot_ms};
use telemetry::names::{self, Mapped};
use telemetry::nvml::{NvmlConfig, NvmlSource};
use telemetry::query::history::RemoteHistory;
use telemetry::query::poll::{QuerySource, default_selectors};
use telemetry::query::{Auth, Client, Endpoint};
use telemetry::recording::replay::{Moments, ReplaySource, Times};
use telemetry::scrape::{Scrape, ScrapeSource};
use telemetry::source::Source;
use telemetry::webhook::guard::Guard;
use telemetry::webhook::{Secret, Webhook};
use tokio::sync::watch;
use url::Url;

/// How often the kernel's log is looked at where nothing is said.
const KERNEL_LOG_EVERY: Duration = Duration::from_secs(2);

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FleetConfig {
    /// Pages of metrics that are read.
    pub scrape: Vec<Scrape>,
    /// Other stores that are asked.
    pub query: Vec<Query>,
    /// The building's buses.
    pub exchange: Vec<ExchangeConfig>,
    /// This host's own GPUs.
    pub nvml: Option<NvmlConfig>,
    /// Logs of kernels.
    pub kernel_log: Vec<KernelLog>,
    /// Recordings that are played again.
    pub replay: Vec<Replay>,
    /// How long history is kept.
    pub retention: Retention,
    /// Where readings are sent on to.
    pub forward: Option<Forward>,
    /// A file with rules of one's own, beside this file where its path is relative; those of Millwright hold besides.
    pub alert_rules: Option<PathBuf>,
    /// Who is told of alerts.
    pub webhook: Vec<Receiver>,
    /// The address at which a person reaches Millwright, for links in what is told.
    pub external_url: String,
}

/// Someone who is told of alerts, in the format of Alertmanager's webhooks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: String,
    /// A file with the secret that what is told is signed with.
    pub secret_file: Option<PathBuf>,
    /// This host's own networks that it may be in, such as `127.0.0.0/8`: without, loopback and unique-local addresses are
    /// refused.
    #[serde(default)]
    pub allow: Vec<String>,
}

/// A Prometheus or VictoriaMetrics that is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// Its name.
    pub name: String,
    /// Its address, before `/api/v1`.
    pub url: String,
    /// Which series; absent for all whose names are known.
    #[serde(default)]
    pub selectors: Vec<String>,
    /// Seconds from one question to the next.
    #[serde(default = "fifteen")]
    pub every_s: f64,
    /// A file with a token.
    pub bearer_token_file: Option<PathBuf>,
}

fn fifteen() -> f64 {
    15.0
}

/// A kernel's log.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KernelLog {
    /// Its name.
    pub name: String,
    /// A file that is followed; absent for this host's journal, or its ring buffer where there is no journal.
    pub file: Option<PathBuf>,
    /// The host that it is of; absent for what each line says.
    pub host: Option<String>,
}

/// A recording that is played again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// Its name.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// How much faster than it was recorded.
    #[serde(default = "one")]
    pub speed: f64,
    /// Whether it begins again when it ends.
    #[serde(default)]
    pub again: Again,
}

fn one() -> f64 {
    1.0
}

/// Whether a recording begins again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Again {
    /// It ends.
    #[default]
    Once,
    /// It begins again.
    Forever,
}

/// Where readings are sent on to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// Where remote write is taken, such as `http://victoria:8428/api/v1/write`.
    pub url: String,
    /// Most MiB that wait on disk.
    #[serde(default = "one_gib")]
    pub queue_max_mib: u64,
    /// A file with a token.
    pub bearer_token_file: Option<PathBuf>,
    /// The address of the same store before `/api/v1/query`, such as `http://victoria:8428`: where it is given, readings
    /// are kept there alone, and read from there.
    pub read_url: Option<String>,
}

fn one_gib() -> u64 {
    1_024
}

/// Why the file can't be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the words of each are its doc")]
pub enum ConfigError {
    #[error("could not read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{}, line {line}: {why}", path.display())]
    Parse { path: PathBuf, line: usize, why: String },
    #[error("{}: {why}", path.display())]
    Source { path: PathBuf, why: String },
}

/// What keeps readings, and what sends them on.
pub type Keeping = (Arc<dyn SeriesStore>, Option<Arc<Forwarder>>);

/// What is read, and the buildings among it.
pub struct Sources {
    /// Every source.
    pub sources: Vec<Box<dyn Source>>,
    /// Buildings as their buses tell them, by the source's name.
    pub buildings: Vec<(String, watch::Receiver<Arc<ExchangeView>>)>,
}

impl FleetConfig {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
            ConfigError::Parse { path: path.to_owned(), line, why: error.message().replace('\n', " ") }
        })
    }

    /// The sources that it names, or what is wrong with one of them. `data_dir` has what they remember.
    pub fn sources(&self, path: &Path, data_dir: &Path) -> Result<Sources, ConfigError> {
        let wrong = |why: String| ConfigError::Source { path: path.to_owned(), why };
        let (mut sources, mut buildings): (Vec<Box<dyn Source>>, _) = (Vec::new(), Vec::new());
        for set in &self.scrape {
            sources.push(Box::new(ScrapeSource::new(set.clone()).map_err(|error| wrong(crate::error::chain(&error)))?));
        }
        for query in &self.query {
            sources.push(Box::new(query.source().map_err(wrong)?));
        }
        for exchange in &self.exchange {
            let source = ExchangeSource::new(exchange.clone())
                .map_err(|error| wrong(format!("exchange {}: {}", exchange.name, crate::error::chain(&error))))?;
            buildings.push((exchange.name.clone(), source.view()));
            sources.push(Box::new(source));
        }
        if let Some(nvml) = &self.nvml {
            sources.push(Box::new(NvmlSource::new("nvml", nvml.clone())));
        }
        for log in &self.kernel_log {
            sources.push(Box::new(log.source(data_dir)));
        }
        for replay in &self.replay {
            sources.push(Box::new(replay.source()));
        }
        let mut names = BTreeSet::new();
        match sources.iter().find(|source| !names.insert(source.name().to_owned())) {
            Some(twice) => {
                Err(wrong(format!("two sources are called {:?}; each needs a name of its own", twice.name())))
            }
            None => Ok(Sources { sources, buildings }),
        }
    }

    /// What keeps readings: this machine, this machine and another store, or another store alone.
    pub fn history(
        &self,
        path: &Path,
        data_dir: &Path,
        local: &Arc<LocalHistory>,
    ) -> Result<Keeping, crate::error::Error> {
        let history: Arc<dyn SeriesStore> = Arc::clone(local) as _;
        let Some(set) = &self.forward else { return Ok((history, None)) };
        let address = |text: &str| {
            let why = |error: url::ParseError| format!("forward: {text}: {error}");
            Url::parse(text).map_err(|error| ConfigError::Source { path: path.to_owned(), why: why(error) })
        };
        let auth = || auth(set.bearer_token_file.as_ref());
        let forwarder = Arc::new(Forwarder::open(forward::Settings {
            auth: auth(),
            bytes_max: set.queue_max_mib << 20,
            ..forward::Settings::of(address(&set.url)?, data_dir.join("forward"))
        })?);
        let history: Arc<dyn SeriesStore> = match &set.read_url {
            Some(base) => {
                let client = Client::of(Endpoint { auth: auth(), ..Endpoint::of(address(base)?) })?;
                Arc::new(RemoteSeries::new(Arc::clone(&forwarder), RemoteHistory::of(client)))
            }
            None => Arc::new(Forwarding::new(history, Arc::clone(&forwarder))),
        };
        Ok((history, Some(forwarder)))
    }

    /// The rules that hold.
    pub fn rules(&self, path: &Path) -> Result<Vec<Rule>, ConfigError> {
        let ours = telemetry::alert::default_rules();
        let Some(file) = &self.alert_rules else { return Ok(ours) };
        let file = path.parent().unwrap_or(Path::new("")).join(file);
        let text = std::fs::read_to_string(&file).map_err(|source| ConfigError::Read { path: file.clone(), source })?;
        let users = telemetry::alert::parse_rules(&file.to_string_lossy(), &text).map_err(|problems| {
            let why = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            ConfigError::Source { path: file, why }
        })?;
        Ok(telemetry::alert::rules::with(ours, users))
    }

    /// Who is told of alerts.
    pub fn webhooks(&self, path: &Path) -> Result<Vec<Webhook>, ConfigError> {
        self.webhook.iter().map(|receiver| receiver.webhook(path)).collect()
    }
}

impl Receiver {
    fn webhook(&self, path: &Path) -> Result<Webhook, ConfigError> {
        let wrong =
            |why: String| ConfigError::Source { path: path.to_owned(), why: format!("webhook {}: {why}", self.name) };
        let network =
            |text: &String| text.parse().map_err(|_| wrong(format!("{text:?} is no network such as 10.0.0.0/8")));
        let allow = self.allow.iter().map(network).collect::<Result<_, _>>()?;
        let secret = match &self.secret_file {
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|error| wrong(format!("its secret can't be read from {}: {error}", file.display())))?;
                Some(Secret::of(text.trim()))
            }
            None => None,
        };
        Webhook::of(&self.name, &self.url, secret, Guard { allow })
            .map_err(|error| wrong(format!("{error}; networks are allowed in `allow`, such as [\"127.0.0.0/8\"]")))
    }
}

fn auth(token_file: Option<&PathBuf>) -> Auth {
    token_file.map_or(Auth::None, |token_file| Auth::Bearer { token_file: token_file.clone() })
}

impl Query {
    fn source(&self) -> Result<QuerySource, String> {
        let wrong = |error: String| format!("query {}: {error}", self.name);
        let base = Url::parse(&self.url).map_err(|error| wrong(error.to_string()))?;
        if !(1.0..=86_400.0).contains(&self.every_s) {
            return Err(wrong(format!("every_s is {}; it must be from 1 to 86400", self.every_s)));
        }
        let endpoint = Endpoint { auth: auth(self.bearer_token_file.as_ref()), ..Endpoint::of(base) };
        let name = self.name.clone();
        let map = move |series: &str, labels: &[(String, String)]| known(&name, series, labels);
        Ok(QuerySource {
            name: self.name.clone(),
            client: Client::of(endpoint).map_err(|error| wrong(error.to_string()))?,
            selectors: if self.selectors.is_empty() { default_selectors() } else { self.selectors.clone() },
            interval: Duration::from_secs_f64(self.every_s),
            map: Arc::new(map),
        })
    }
}

/// The series that the house knows another as, and what its values are multiplied by.
fn known(source: &str, name: &str, labels: &[(String, String)]) -> Option<(SeriesKey, f64)> {
    let Mapped::Reading(meaning) = names::canonical(name, labels) else { return None };
    let site = names::Site { source: source.to_owned(), ..names::Site::default() };
    let labels: Labels = site.complete(Some(meaning.metric), meaning.labels);
    Some((SeriesKey { name: meaning.metric.name().to_owned(), labels }, meaning.scale.times / meaning.scale.per))
}

impl KernelLog {
    /// It as a source; `data_dir` has the place that it has come to.
    pub fn source(&self, data_dir: &Path) -> KernelLogSource {
        let origin = match &self.file {
            Some(file) => Origin::File(file.clone()),
            None if Path::new("/run/systemd/journal").exists() => Origin::Journal("journalctl".into()),
            None => Origin::Kmsg("/dev/kmsg".into()),
        };
        let safe: String = self.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        KernelLogSource {
            name: self.name.clone(),
            origin,
            host: self.host.clone(),
            clock: Clock { boot_ms: boot_ms(), ..Clock::default() },
            state: Some(data_dir.join(format!("kernel-log-{safe}.cursor"))),
            every: KERNEL_LOG_EVERY,
        }
    }
}

impl Replay {
    fn source(&self) -> ReplaySource {
        ReplaySource {
            name: self.name.clone(),
            path: self.file.clone(),
            speed: self.speed,
            times: if self.again == Again::Forever { Times::Forever } else { Times::Once },
            moments: Moments::Now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<FleetConfig, ConfigError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let config = FleetConfig::read(file.path())?;
        config.sources(file.path(), Path::new("/nowhere"))?;
        Ok(config)
    }

    #[test]
    fn what_is_unknown_or_wrong_is_told_with_its_line() {
        let words = |text: &str| read(text).unwrap_err().to_string();
        assert!(words("[[scrape]]\nname = \"a\"\nurl = \"http://a:9400/metrics\"\nevry_s = 5").contains("line 4"));
        assert!(words("[[scrape]]\nname = \"a\"\nurl = \"ftp://a\"").contains("ftp"));
        assert!(words("[[scrape]]\nname = \"a\"\nurl = \"http://169.254.169.254/x\"").contains("169.254.169.254"));
        let twice = "[[scrape]]\nname = \"a\"\nurl = \"http://b:1\"\n[[scrape]]\nname = \"a\"\nurl = \"http://c:1\"";
        assert!(words(twice).contains("\"a\""));
        assert!(words("[retention]\nreadings_day = 3").contains("line 2"));
    }

    #[test]
    fn one_of_each_is_read() {
        let config = read(
            "[[scrape]]\nname = \"dcgm\"\nurl = \"http://gpu-1:9400/metrics\"\nlabels = { rack = \"A01\" }\n\
             [[query]]\nname = \"prometheus\"\nurl = \"http://prometheus:9090\"\n\
             [[exchange]]\nname = \"bms\"\nbroker = \"mqtt://bus:1883\"\nutility_meters = [\"MAIN\"]\n\
             [nvml]\n[[kernel_log]]\nname = \"log\"\nfile = \"/var/log/kern.log\"\n\
             [[replay]]\nname = \"tape\"\nfile = \"tape.jsonl\"\nagain = \"forever\"\n\
             [retention]\nreadings_days = 3\n[forward]\nurl = \"http://victoria:8428/api/v1/write\"",
        )
        .unwrap();
        assert_eq!(config.retention.readings_days, 3);
        assert_eq!(config.sources(Path::new("x"), Path::new("/nowhere")).unwrap().sources.len(), 6);
    }
}
