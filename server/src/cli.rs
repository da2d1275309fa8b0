//! What a person types: one file a command.

pub mod agent;
pub mod catalog;
pub mod configure;
pub mod design;
pub mod doctor;
pub mod evaluate;
pub mod export;
pub mod optimize;
pub mod output;
pub mod pilot;
pub mod predict;
pub mod record;
pub mod replay;
pub mod serve;
pub mod simulate;
pub mod sweep;
pub mod text;

use clap::{Parser, Subcommand};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// The open workshop for AI factories: design, simulate and run what takes in megawatts and gives out tokens.
#[derive(Debug, Parser)]
#[command(name = "millwright", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Simulate(simulate::Simulate),
    Evaluate(evaluate::Evaluate),
    Designs(catalog::DesignsCommand),
    Catalog(catalog::CatalogCommand),
    Predict(predict::Predict),
    Pilot(pilot::Pilot),
    Configure(configure::Configure),
    Optimize(optimize::Optimize),
    Sweep(sweep::Sweep),
    Serve(serve::Serve),
    Agent(agent::Agent),
    Doctor(doctor::Doctor),
    Record(record::Record),
    Replay(replay::Replay),
    ReplayCheck(record::ReplayCheck),
    Export(export::Export),
}

/// Runs the command that was typed.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr();
    let outcome = match cli.command {
        Command::Simulate(command) => command.run(),
        Command::Evaluate(command) => command.run(),
        Command::Designs(command) => command.run(),
        Command::Catalog(command) => command.run(),
        Command::Predict(command) => command.run(),
        Command::Pilot(command) => command.run(),
        Command::Configure(command) => command.run(),
        Command::Optimize(command) => command.run(),
        Command::Sweep(command) => command.run(),
        Command::Serve(command) => command.run().map_err(design::Failure::from),
        Command::Agent(command) => command.run(),
        Command::Doctor(command) => command.run(),
        Command::Record(command) => command.run(),
        Command::Replay(command) => command.run(),
        Command::ReplayCheck(command) => command.run(),
        Command::Export(command) => command.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            for line in failure.lines() {
                // Nobody is left to hear of a standard error that can't be written to.
                let _ = writeln!(io::stderr(), "millwright: {line}");
            }
            failure.exit_code()
        }
    }
}

/// Standard output is for answers, standard error for the log. `MILLWRIGHT_LOG=debug` says more. The library that speaks
/// MQTT logs by itself what is a source's state here; it is heard only where it is asked for.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("MILLWRIGHT_LOG").unwrap_or_else(|_| EnvFilter::new("info,mqtt5=off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
}
