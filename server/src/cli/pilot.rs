//! `millwright pilot`: managed racks against fewer unmanaged ones in the same power.

use crate::cli::design::{Failure, catalog};
use crate::cli::output;
use crate::cli::predict::known_words;
use clap::Args;
use model::design::Precision;
use sim::replay::Slo;
use sim::serving::ask;
use sim::steering::pilot::{Ask, Fleet, JobDone, Pilot as Found, pilot};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Hold managed racks against fewer unmanaged ones in the same power, with the same requests: tokens, waits, watts, and
/// whether the managed ones make more
#[derive(Debug, Args)]
pub struct Pilot {
    /// Rack, by its catalog name
    #[arg(long, value_name = "RACK", default_value = "gb200-nvl72")]
    rack: String,
    /// Racks whose GPUs all have their own limit: their power is the envelope
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=64))]
    unmanaged: u32,
    /// Racks whose GPUs are steered within it
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    managed: u32,
    /// Model of the job that draws less, by its catalog name
    #[arg(long, value_name = "MODEL", default_value = "deepseek-r1")]
    low: String,
    /// Its number format: bf16, fp8, fp4 or int4
    #[arg(long, value_name = "FORMAT", default_value = "fp4", value_parser = ask::precision)]
    low_precision: Precision,
    /// Model of the job that draws more
    #[arg(long, value_name = "MODEL", default_value = "llama-3.1-70b")]
    high: String,
    /// Its number format
    #[arg(long, value_name = "FORMAT", default_value = "fp8", value_parser = ask::precision)]
    high_precision: Precision,
    /// Seconds for which requests come
    #[arg(long, value_name = "S", default_value_t = 120, value_parser = clap::value_parser!(u32).range(30..=3600))]
    seconds: u32,
    /// Target for the time to the first token, ms
    #[arg(long, value_name = "MS", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=3_600_000))]
    ttft: u32,
    /// Target for the time between tokens, ms
    #[arg(long, value_name = "MS", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=3_600_000))]
    tpot: u32,
    /// Of the requests and of what goes wrong
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Your own parts, which win over the catalog's of the same name
    #[arg(long, value_name = "FILE")]
    parts: Option<PathBuf>,
    /// Write the answer as JSON; `-` is standard output
    #[arg(long, value_name = "OUT", num_args = 0..=1, default_missing_value = "-")]
    json: Option<PathBuf>,
}

impl Pilot {
    /// Answers.
    pub fn run(&self) -> Result<(), Failure> {
        if let (Some(json), Some(parts)) = (&self.json, &self.parts) {
            output::keep_apart(&[json], &[parts])?;
        }
        let ask = Ask {
            rack: self.rack.clone(),
            unmanaged: self.unmanaged,
            managed: self.managed,
            low: (self.low.clone(), self.low_precision),
            high: (self.high.clone(), self.high_precision),
            seconds: f64::from(self.seconds),
            slo: Slo { ttft_s: f64::from(self.ttft) / 1e3, tpot_s: f64::from(self.tpot) / 1e3 },
            seed: self.seed,
        };
        let found = pilot(&catalog(self.parts.as_deref())?, &ask).map_err(|why| Failure::bad(&why))?;
        if let Some(path) = &self.json {
            output::write(&[(path, output::json(path, &found)?)])?;
        }
        if self.json.as_deref() != Some(Path::new("-")) {
            output::print(&words(&found, &ask))?;
        }
        Ok(())
    }
}

/// Rows of a name and a figure for each fleet.
struct Table(String);

impl Table {
    fn heading(&mut self, words: &str) {
        let _ = writeln!(self.0, "\n{words}");
    }
    fn row(&mut self, name: &str, [first, second]: [String; 2]) {
        let _ = writeln!(self.0, "  {name:<38} {first:>18} {second:>18}");
    }
    fn words(&mut self, name: &str, words: &str) {
        let _ = writeln!(self.0, "  {name:<24} {words}");
    }
}

fn words(found: &Found, ask: &Ask) -> String {
    let kilowatts = found.envelope_w / 1e3;
    let (rack, fewer, more) = (&found.rack, ask.unmanaged, ask.managed);
    let mut table =
        Table(format!("{rack}: {fewer} racks unmanaged against {more} managed, each fleet in {kilowatts:.1} kW\n"));
    let fleets = [&found.unmanaged, &found.managed];
    let each = |of: &dyn Fn(&Fleet) -> String| fleets.map(of);
    table.heading("Both jobs");
    table.row("", ["unmanaged".to_owned(), "managed".to_owned()]);
    table.row("GPUs", each(&|fleet| fleet.gpus.to_string()));
    table.row("Provisioned, worst case, kW", each(&|fleet| format!("{:.1}", fleet.provisioned_w / 1e3)));
    table.row("Drawn, mean of a full fleet, kW", each(&|fleet| format!("{:.1}", fleet.drawn_mean_w / 1e3)));
    table.row("Drawn, most, kW", each(&|fleet| format!("{:.1}", fleet.drawn_most_w / 1e3)));
    table.row("Within the envelope", each(&|fleet| if fleet.is_compliant { "yes" } else { "no" }.to_owned()));
    table.row("Output tokens/s", each(&|fleet| format!("{:.0}", fleet.tokens_per_s)));
    table.row(
        "Output tokens/s for each kW drawn",
        each(&|fleet| format!("{:.0}", fleet.tokens_per_s / (fleet.drawn_mean_w / 1e3))),
    );
    for (at, name) in ["The job that draws less", "The job that draws more"].into_iter().enumerate() {
        job(&mut table, name, fleets.map(|fleet| &fleet.jobs[at]));
    }
    verdict(&mut table, found);
    table.0.push_str(
        "\nTokens/s are of a stream beyond what either fleet answers; waits are of one that asks 70% of what the unmanaged racks\n\
         can answer. Both streams are the same for both fleets. A replica runs as many requests at once as the targets allow\n\
         under its cap. Watts are into racks: GPU boards by the replay, all else at its most, with the losses of the shelves.\n",
    );
    table.0
}

fn job(table: &mut Table, name: &str, jobs: [&JobDone; 2]) {
    let [first, _] = jobs;
    let each = |of: &dyn Fn(&JobDone) -> String| jobs.map(of);
    table.heading(&format!("{name}: {} in {}", first.model, first.precision.name()));
    table.row("GPUs, of a replica", each(&|job| format!("{}, {}", job.gpus, job.gpus_per_replica)));
    table.row("Cap of a GPU, W", each(&|job| format!("{:.0}", job.cap_w)));
    table.row("Board power of a full GPU, W", each(&|job| format!("{:.0}", job.gpu_w)));
    table.row("Requests at once in a replica", each(&|job| job.batch.to_string()));
    table.row("Output tokens/s", each(&|job| format!("{:.0}", job.tokens_per_s)));
    table.row("  by the closed form", each(&|job| format!("{:.0}", job.predicted_tokens_per_s)));
    let requests = first.requests_per_s;
    table.row(
        &format!("First token at {requests:.0}/s, p50, p99, ms"),
        each(&|job| format!("{:.0}, {:.0}", job.ttft_s.p50 * 1e3, job.ttft_s.p99 * 1e3)),
    );
    table.row(
        "Between tokens, p50, p99, ms",
        each(&|job| format!("{:.1}, {:.1}", job.tpot_s.p50 * 1e3, job.tpot_s.p99 * 1e3)),
    );
    table.row("Within the targets, %", each(&|job| format!("{:.1}", job.attainment * 100.0)));
    table.row("Energy of a token, boards alone, J", each(&|job| format!("{:.3}", job.joules_per_token)));
    for (fleet, job) in ["unmanaged", "managed"].into_iter().zip(jobs) {
        table.words(&format!("{fleet}, bound by"), &job.binds);
    }
    let band = first.bands;
    table.words(
        "Rests on",
        &format!(
            "{}: 90% of measured points within {:.2} to {:.2} of tokens/s, {:.2} to {:.2} of times between tokens",
            known_words(first.known),
            band.rate.low,
            band.rate.high,
            band.tpot.low,
            band.tpot.high
        ),
    );
}

fn verdict(table: &mut Table, found: &Found) {
    table.heading("Verdict");
    let (band, steering) = (&found.band, &found.steering);
    let passes = if found.is_passed { "passes" } else { "does not pass" };
    let ratio =
        format!("{passes}: {:.3} times the tokens, {:.3} to {:.3} within errors", found.ratio, band.low, band.high);
    table.words("The pilot", &ratio);
    let holds = if found.holds_over_band { "yes" } else { "no" };
    table.words("Over the whole band", &format!("{holds}; {:.3} with every error at its worse end", band.worst));
    for cause in &band.causes {
        table.words("", &format!("{} alone: {:.3} to {:.3}", cause.of, cause.low, cause.high));
    }
    if let Some(power) = band.turns_at_power {
        let more = (power - 1.0) * 100.0;
        table.words("", &format!("turns where boards would draw {more:.0}% more than is modelled"));
    }
    table.words(
        "Steering",
        &format!(
            "{} intervals, {:.0}% of messages lost, hosts failing: worst case {:.1} kW, above the envelope in {}",
            steering.intervals,
            steering.lost * 100.0,
            steering.worst_w / 1e3,
            steering.breaches
        ),
    );
    if let Some(why) = &found.full_power {
        table.words("All at full power", &format!("refused: {why}"));
    }
    table.heading("The same envelope on the managed racks, spent in other ways (closed form, batches as unmanaged)");
    for way in &found.ways {
        let caps: Vec<String> = way.caps_w.iter().map(|cap| format!("{cap:.0}")).collect();
        let hosts: Vec<String> = way.hosts.iter().map(u32::to_string).collect();
        let at = format!("{} trays at {} W", hosts.join(" + "), caps.join(" and "));
        table.words(way.way.name(), &format!("{:>9.0} tokens/s, {at}", way.tokens_per_s));
    }
}
