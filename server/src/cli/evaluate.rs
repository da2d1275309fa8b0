//! `millwright evaluate`: the instant answer, and what is wrong with a design.

use crate::cli::design::{DesignArgs, Failure, errors};
use crate::cli::{output, text};
use clap::Args;
use std::path::{Path, PathBuf};

/// Say at once what a design draws, makes and costs, and what is wrong with it
#[derive(Debug, Args)]
pub struct Evaluate {
    #[command(flatten)]
    design: DesignArgs,
    /// Write the answer as JSON; `-` is standard output
    #[arg(long, value_name = "OUT")]
    json: Option<PathBuf>,
}

impl Evaluate {
    /// Prints the evaluation; infeasible designs are printed too, and then refused.
    pub fn run(&self) -> Result<(), Failure> {
        let outputs: Vec<&Path> = self.json.as_deref().into_iter().collect();
        output::keep_apart(&outputs, &self.design.paths().collect::<Vec<_>>())?;
        let evaluation = sim::evaluate(&self.design.site()?);
        if let Some(path) = &self.json {
            output::write(&[(path, output::json(path, &evaluation)?)])?;
        }
        if self.json.as_deref() != Some(Path::new("-")) {
            output::print(&text::evaluation(&evaluation))?;
        }
        let wrong = errors(&evaluation.notes);
        if wrong.is_empty() { Ok(()) } else { Err(Failure::Infeasible(wrong)) }
    }
}
