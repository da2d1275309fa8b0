//! How the house is put together, and how it comes down: store, reference designs, jobs, HTTP.

use crate::backend::House;
use crate::clock;
use crate::demo;
use crate::designs::Designs;
use crate::error::{Error, chain};
use crate::fleet::alerts::Watcher;
use crate::fleet::config::{FleetConfig, Sources};
use crate::fleet::{Fleet, Kept};
use crate::history::local::LocalHistory;
use crate::http;
use crate::jobs::{self, Jobs};
use crate::optima::Optima;
use crate::replays::Replays;
use crate::sweeps::Sweeps;
use model::id::DesignId;
use std::fs::{self, File, TryLockError};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::db::Db;
use store::design::NewText;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long an answer under way may take once the house is told to stop. Runs don't wait: they are queued again.
const GRACE: Duration = Duration::from_secs(5);

/// What is decided before the house opens.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// Runs that may wait for their turn.
    pub queue_size: usize,
    /// Where readings come from.
    pub fleet: FleetFrom,
    /// A file with the token that lets `/metrics` be read from another machine.
    pub metrics_token_file: Option<PathBuf>,
}

/// Where the live fleet's readings come from.
#[derive(Debug, Clone, Default)]
pub enum FleetFrom {
    /// From whoever writes to us.
    #[default]
    Nowhere,
    /// From what a file names, and whoever writes to us.
    File(PathBuf),
    /// From the simulator, under a name that says so.
    Demo,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 8080).into(),
            data_dir: PathBuf::from("millwright-data"),
            queue_size: jobs::QUEUE_SIZE,
            fleet: FleetFrom::default(),
            metrics_token_file: None,
        }
    }
}

/// An open house. Dropping it stops everything at once; [`Served::stop`] lets what is under way end first.
#[derive(Debug)]
pub struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    db: Db,
    /// Held for as long as the data directory is ours.
    _lock: File,
}

/// Opens the house: everything is up and the address is bound when this returns.
pub async fn spawn(config: Config) -> Result<Served, Error> {
    let metrics = http::metrics::Access::of(config.metrics_token_file.as_deref())?;
    let lock = take_data_dir(&config.data_dir)?;
    let listener = listen(config.listen).await?;
    let address = listener.local_addr().map_err(|source| Error::Listen { address: config.listen, source })?;
    let db = store::db::open(&config.data_dir.join("millwright.db")).await?;
    let catalog = Arc::new(catalog::catalog()?);
    store_reference_designs(&db).await?;

    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let designs = Arc::new(Designs::new(db.clone(), catalog));
    let jobs = Jobs::spawn(db.clone(), Arc::clone(&designs), config.queue_size, stop.clone(), &mut tasks).await?;
    let fleet = open_fleet(&config, &designs, &db, &stop, &mut tasks).await?;
    let sweeps = Sweeps::spawn(db.clone(), Arc::clone(&designs), stop.clone(), &mut tasks);
    let (replays, optima) = (Replays::default(), Optima::default());
    let house = Arc::new(House { db: db.clone(), designs, jobs, fleet, replays, optima, sweeps });
    if let Err(error) = house.restore_plan().await {
        tracing::warn!(%error, "The plan of the fleet could not be worked out; it is compared with nothing.");
    }
    let router = http::router(house, address, metrics, stop.clone());
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let (until, failing) = (stop.clone().cancelled_owned(), stop.clone());
    tasks.spawn(async move {
        if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(until).await {
            tracing::error!(error = %chain(&error), "Stopped listening.");
        }
        failing.cancel();
    });
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "Anyone who can reach this address can use Millwright: it has no sign-in.");
    }
    Ok(Served { address, stop, tasks, db, _lock: lock })
}

/// The live fleet with its history, and the sources that it is to have.
async fn open_fleet(
    config: &Config,
    designs: &Designs,
    db: &Db,
    stop: &CancellationToken,
    tasks: &mut JoinSet<()>,
) -> Result<Arc<Fleet>, Error> {
    let file = match &config.fleet {
        FleetFrom::File(path) => Some((path.clone(), FleetConfig::read(path)?)),
        FleetFrom::Nowhere | FleetFrom::Demo => None,
    };
    let retention = file.as_ref().map(|(_, file)| file.retention).unwrap_or_default();
    // A made-up fleet never mixes with the history of a real one.
    let demo = matches!(config.fleet, FleetFrom::Demo);
    let name = if demo { "telemetry-demo.db" } else { "telemetry.db" };
    let history_db = store::db::open_history(&config.data_dir.join(name)).await?;
    let local = Arc::new(LocalHistory::open(history_db, retention).await?);
    let (read, (history, forwarder), (rules, webhooks)) = if let Some((path, file)) = &file {
        let kept = file.history(path, &config.data_dir, &local)?;
        (file.sources(path, &config.data_dir)?, kept, (file.rules(path)?, file.webhooks(path)?))
    } else {
        let none = Sources { sources: Vec::new(), buildings: Vec::new() };
        let read = if demo { demo::open(designs, db, stop, tasks).await? } else { none };
        (read, (Arc::clone(&local) as _, None), (telemetry::alert::default_rules(), Vec::new()))
    };
    let external_url = file.map(|(_, file)| file.external_url).unwrap_or_default();
    let watcher = Watcher::open(db.clone(), rules, webhooks, external_url, stop.clone()).await?;
    let kept = Kept { history, local, forwarder, watcher, buildings: read.buildings };
    let fleet = Arc::new(Fleet::open(kept, demo.then(|| demo::MADE_UP.to_owned())).await?);
    fleet.spawn(read.sources, stop, tasks);
    Ok(fleet)
}

impl Served {
    /// Where it listens, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// Waits until the house stops listening, which it does by itself only when something is wrong.
    pub async fn failed(&self) {
        self.stop.cancelled().await;
    }
    /// Closes the house: nothing new is taken, answers under way end, runs under way are left to the next start.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.stop.cancel();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, all).await.is_err() {
            tracing::warn!(waited_s = GRACE.as_secs(), "Cut off answers that did not end.");
            self.tasks.shutdown().await;
        }
        self.db.close().await;
        Ok(())
    }
}

/// Makes the data directory and takes it for this process alone: two would run each other's queued years.
fn take_data_dir(path: &Path) -> Result<File, Error> {
    let failed = |source| Error::DataDir { path: path.to_owned(), source };
    fs::create_dir_all(path).map_err(failed)?;
    let lock = File::create(path.join("millwright.lock")).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|source| {
        if source.kind() == io::ErrorKind::AddrInUse {
            Error::PortTaken { address }
        } else {
            Error::Listen { address, source }
        }
    })
}

/// Keeps the designs that came with the program; a new version only where one's text has changed.
async fn store_reference_designs(db: &Db) -> Result<(), Error> {
    for (position, reference) in (0..).zip(catalog::designs()) {
        let id: DesignId = reference.id.parse().map_err(|_| Error::ReferenceName { name: reference.id.into() })?;
        let design = catalog::parse_design(&format!("{id}.toml"), reference.text)?;
        let (toml, at_ms) = (reference.text, clock::now_ms());
        let new = NewText { name: &design.name, toml, at_ms, ..NewText::default() };
        store::design::upsert_reference(db, &id, new, position).await?;
    }
    Ok(())
}
