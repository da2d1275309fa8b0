//! `millwright serve`: opens the house and keeps it open until it is told to stop.

use crate::error::Error;
use crate::serve::{self, Config, FleetFrom};
use clap::Args;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

/// Serve the workshop to a browser
#[derive(Debug, Args)]
pub struct Serve {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where designs and runs are kept; made where it does not exist
    #[arg(long = "data", value_name = "DIR", default_value_os_t = data_home())]
    data_dir: PathBuf,
    /// A file that says where the live fleet's readings come from (TOML; the page /sources has examples)
    #[arg(long, value_name = "FILE", conflicts_with = "demo")]
    fleet: Option<PathBuf>,
    /// A file with a token: whoever brings it may read /metrics from elsewhere; without one, only this machine may
    #[arg(long, value_name = "FILE")]
    metrics_token_file: Option<PathBuf>,
    /// Show a made-up fleet of 2,000 GPUs, with faults and grid events, plainly labelled; nothing is read
    #[arg(long)]
    demo: bool,
}

impl Serve {
    /// Blocks until the process is told to stop.
    pub fn run(self) -> Result<(), Error> {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|source| Error::Process { doing: "start the runtime", source })?
            .block_on(self.until_stopped())
    }

    async fn until_stopped(self) -> Result<(), Error> {
        let told = until_told_to_stop()?;
        let data_dir = std::path::absolute(&self.data_dir)
            .map_err(|source| Error::DataDir { path: self.data_dir.clone(), source })?;
        let fleet = match self.fleet {
            Some(file) => FleetFrom::File(file),
            None if self.demo => FleetFrom::Demo,
            None => FleetFrom::Nowhere,
        };
        let config = Config {
            listen: self.listen,
            data_dir: data_dir.clone(),
            fleet,
            metrics_token_file: self.metrics_token_file,
            ..Config::default()
        };
        let house = serve::spawn(config).await?;
        writeln!(io::stdout(), "Millwright is at http://{} — data in {}", house.address(), data_dir.display())
            .map_err(|source| Error::Process { doing: "say where the house is", source })?;
        tokio::select! {
            () = told => {}
            () = house.failed() => {}
        }
        house.stop().await
    }
}

/// Ends when the process is told to stop.
pub fn until_told_to_stop() -> Result<impl Future<Output = ()>, Error> {
    let listening = |source| Error::Process { doing: "listen for signals", source };
    let mut interrupt = signal(SignalKind::interrupt()).map_err(listening)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(listening)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Where a user's data belongs on this system.
pub fn data_home() -> PathBuf {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
        .map_or_else(|| PathBuf::from("millwright-data"), |data| data.join("millwright"))
}
