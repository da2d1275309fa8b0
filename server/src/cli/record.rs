//! `millwright record` keeps what a fleet's sources bring in a file, which plays again through `[[replay]]`;
//! `millwright replay-check` says what such a file holds.

use crate::cli::design::Failure;
use crate::cli::output;
use crate::cli::serve::until_told_to_stop;
use crate::clock;
use crate::error::chain;
use crate::fleet::config::FleetConfig;
use clap::Args;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use telemetry::recording::replay::Lines;
use telemetry::recording::{Error, Header, Packing, Recorder, VERSION};
use telemetry::source::{Brought, Sink, Source};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What sources may bring before it is written: as the house has it.
const QUEUE_SIZE: usize = 256;
/// How long sources have to end.
const GRACE: Duration = Duration::from_secs(5);

/// Record what the sources of a fleet file bring
#[derive(Debug, Args)]
pub struct Record {
    /// The file that says where readings come from, as for `serve`
    #[arg(long, value_name = "FILE")]
    fleet: PathBuf,
    /// Where to write: a file that does not exist yet; packed where its name ends in .gz
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// After how long to stop; without it, when told to
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<f64>,
    /// Most MiB of the file
    #[arg(long, value_name = "MIB", default_value_t = 1_024, value_parser = clap::value_parser!(u64).range(1..=1_048_576))]
    max: u64,
}

/// What was recorded so far.
#[derive(Debug, Default)]
struct Counts {
    readings: u64,
    events: u64,
}

impl Record {
    /// Blocks until the time is over, the file is full, or the process is told to stop.
    pub fn run(self) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::Failed(format!("could not start the runtime: {error}"));
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)?.block_on(self.until_stopped())
    }

    async fn until_stopped(self) -> Result<(), Failure> {
        let time = match self.seconds.map(Duration::try_from_secs_f64) {
            None => Duration::MAX,
            Some(Ok(time)) if !time.is_zero() => time,
            Some(_) => return Err(Failure::BadInput("--for: give a number of seconds above 0".into())),
        };
        let config = FleetConfig::read(&self.fleet).map_err(|error| Failure::bad(&error))?;
        // Places in logs belong to the house that serves from the same file: a folder of our own leaves them alone.
        let aside =
            tempfile::tempdir().map_err(|error| Failure::Failed(format!("could not make a folder: {error}")))?;
        let sources = config.sources(&self.fleet, aside.path()).map_err(|error| Failure::bad(&error))?.sources;
        let Some(header) = header(&sources) else {
            return Err(Failure::BadInput(format!("{}: it names no source", self.fleet.display())));
        };
        let packed = self.out.extension().is_some_and(|end| end == "gz");
        let packing = if packed { Packing::Gzip } else { Packing::Plain };
        let recorder = Recorder::create(&self.out, &header, packing, self.max << 20);
        let recorder = recorder.map_err(|error| Failure::bad(&error))?;
        let told = until_told_to_stop().map_err(Failure::House)?;
        let over = async {
            tokio::select! {
                () = told => {}
                () = tokio::time::sleep(time) => {}
            }
        };
        let (count, began) = (sources.len(), tokio::time::Instant::now());
        let counts = record(recorder, sources, over).await?;
        output::print(&format!(
            "Recorded {} readings and {} events of {count} sources in {:.0} s to {}.\n",
            counts.readings,
            counts.events,
            began.elapsed().as_secs_f64(),
            self.out.display()
        ))
    }
}

/// What a recording of these is called; nothing where there is none.
fn header(sources: &[Box<dyn Source>]) -> Option<Header> {
    let first = sources.first()?;
    let names: Vec<&str> = sources.iter().map(|source| source.name()).collect();
    let targets: Vec<String> = sources.iter().map(|source| source.target()).collect();
    Some(Header { version: VERSION, source: names.join(", "), kind: first.kind(), target: targets.join(", ") })
}

async fn record(
    mut recorder: Recorder,
    sources: Vec<Box<dyn Source>>,
    over: impl Future<Output = ()>,
) -> Result<Counts, Failure> {
    let stop = CancellationToken::new();
    let mut reading = JoinSet::new();
    let names: Vec<String> = sources.iter().map(|source| source.name().to_owned()).collect();
    let (queue, mut brought) = mpsc::channel(QUEUE_SIZE);
    for (number, source) in (0..).zip(sources) {
        reading.spawn(source.run(Sink::new(number, queue.clone()), stop.clone()));
    }
    drop(queue);
    let mut counts = Counts::default();
    tokio::pin!(over);
    loop {
        let next = tokio::select! {
            next = brought.recv() => next,
            () = &mut over => None,
        };
        let Some((number, brought)) = next else { break };
        let Some(brought) = of_several(&names, number, brought) else { continue };
        match recorder.record(clock::now_ms(), &brought) {
            Ok(()) => counts.add(&brought),
            Err(error @ Error::Full { .. }) => {
                tracing::warn!("{error}; it ends here. --max makes room for more.");
                break;
            }
            Err(error) => return Err(Failure::Failed(chain(&error))),
        }
    }
    recorder.finish().map_err(|error| Failure::Failed(chain(&error)))?;
    stop.cancel();
    drop(brought);
    let end = async { while reading.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, end).await.is_err() {
        reading.shutdown().await;
    }
    Ok(counts)
}

/// In a recording of several, the state of one is not that of the whole, and a fault says whose it is.
fn of_several(names: &[String], number: u32, brought: Brought) -> Option<Brought> {
    let name = names.get(number as usize).filter(|_| names.len() > 1);
    match (name, brought) {
        (Some(name), Brought::State(state)) => {
            tracing::info!(source = %name, ?state, "A source is now so.");
            None
        }
        (Some(name), Brought::Fault(words)) => Some(Brought::Fault(format!("{name}: {words}"))),
        (_, brought) => Some(brought),
    }
}

impl Counts {
    fn add(&mut self, brought: &Brought) {
        match brought {
            Brought::Readings(batch) => self.readings += batch.readings.len() as u64,
            Brought::Event(_) => self.events += 1,
            Brought::State(_) | Brought::Fault(_) | Brought::Peer(_) => {}
        }
    }
}

/// Say what a recording holds, and whether all of it can be played
#[derive(Debug, Args)]
pub struct ReplayCheck {
    /// The recording
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl ReplayCheck {
    /// Reads the whole file. Exit code 1 where lines of it can't be read, 2 where it is no recording.
    pub fn run(&self) -> Result<(), Failure> {
        let lines = Lines::open(&self.file).map_err(|error| Failure::bad(&error))?;
        let header = lines.header().clone();
        let (mut counts, mut series, mut times, mut wrong) = (Counts::default(), BTreeSet::new(), None, Vec::new());
        for line in lines {
            match line {
                Ok((at_ms, brought)) => {
                    counts.add(&brought);
                    times = Some(times.map_or((at_ms, at_ms), |(first, _)| (first, at_ms)));
                    if let Brought::Readings(batch) = brought {
                        series.extend(batch.readings.iter().map(|(key, ..)| Arc::clone(key)));
                    }
                }
                Err(error) => wrong.push(chain(&error)),
            }
        }
        let (first, last) = times.unwrap_or_default();
        let mut text = format!(
            "{} ({}): {} readings of {} series and {} events in {:.0} s.\n",
            self.file.display(),
            header.source,
            counts.readings,
            series.len(),
            counts.events,
            (last - first) as f64 / 1_000.0
        );
        wrong.iter().take(20).for_each(|line| {
            let _ = writeln!(text, "can't be played: {line}"); // writing to a text can't fail
        });
        output::print(&text)?;
        if wrong.is_empty() { Ok(()) } else { Err(Failure::Failed(format!("{} lines can't be played", wrong.len()))) }
    }
}
