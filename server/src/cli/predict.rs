//! `millwright predict`: tokens, waits and watts of a model on GPUs, of one point or of a table of them.

use crate::cli::configure::engine;
use crate::cli::design::{Failure, catalog};
use crate::cli::output;
use clap::Args;
use input::{POINTS_BYTES_MAX, Points, points, read_file};
use model::catalog::Catalog;
use model::design::Precision;
use model::served::{Division, Mode, Point};
use sim::serving::ask;
use sim::serving::band::Known;
use sim::serving::coefficients::Engine;
use sim::serving::fitted::FITTED;
use sim::serving::predict::{Figure, Prediction, predict};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Say how fast a model is served on GPUs, at how many watts, and how sure that is: one point, or each row of a table
#[derive(Debug, Args)]
pub struct Predict {
    /// GPU, by its catalog name (see `millwright catalog`)
    #[arg(long, value_name = "GPU", required_unless_present = "csv")]
    gpu: Option<String>,
    /// Language model, by its catalog name or its name on Hugging Face
    #[arg(long, value_name = "MODEL", required_unless_present = "csv")]
    model: Option<String>,
    /// Number format: bf16, fp8, fp4 or int4
    #[arg(long, value_name = "FORMAT", default_value = "fp8", value_parser = ask::precision)]
    precision: Precision,
    /// Serving engine: vllm, sglang or trtllm
    #[arg(long, value_name = "ENGINE", default_value = "vllm", value_parser = engine)]
    engine: Engine,
    /// GPUs of tensor parallelism
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    tp: u32,
    /// Stages of pipeline parallelism
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pp: u32,
    /// GPUs over which whole experts are spread
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    ep: u32,
    /// Groups of data-parallel attention
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    dp: u32,
    /// Requests at once on the whole replica
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    batch: u32,
    /// Tokens of a prompt
    #[arg(long, value_name = "TOKENS", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    input: u32,
    /// Tokens of an answer
    #[arg(long, value_name = "TOKENS", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    output: u32,
    /// Power limit of each GPU, watts
    #[arg(long, value_name = "W", allow_negative_numbers = true)]
    cap: Option<f64>,
    /// Your own parts, which win over the catalog's of the same name
    #[arg(long, value_name = "FILE")]
    parts: Option<PathBuf>,
    /// Write the answer as JSON; `-` is standard output
    #[arg(long, value_name = "OUT", num_args = 0..=1, default_missing_value = "-", conflicts_with = "csv")]
    json: Option<PathBuf>,
    /// Predict each row of this table, with the columns of aiconfigurator's silicon sample: system, `model_path`, isl, osl and
    /// `batch_size`; and, if told, mode, backend, `backend_version`, precision, `gemm_quant_mode`, `moe_quant_mode`, `tp_size`,
    /// `pp_size`, `attention_dp_size`, `moe_ep_size`, and those of workers apart with `prefill_` and `decode_` before them
    #[arg(long, value_name = "IN", conflicts_with_all = ["gpu", "model"], requires = "out")]
    csv: Option<PathBuf>,
    /// Where the table with its predictions goes; `-` is standard output
    #[arg(long, value_name = "OUT", requires = "csv")]
    out: Option<PathBuf>,
}

impl Predict {
    /// Answers.
    pub fn run(&self) -> Result<(), Failure> {
        if self.cap.is_some_and(|cap| !(cap.is_finite() && cap > 0.0)) {
            return Err(Failure::BadInput("--cap must be more than 0 W".into()));
        }
        let catalog = catalog(self.parts.as_deref())?;
        match (&self.csv, &self.out) {
            (Some(table), Some(out)) => self.table(&catalog, table, out),
            _ => self.one(&catalog),
        }
    }

    fn one(&self, catalog: &Catalog) -> Result<(), Failure> {
        let point = self.point();
        let cap = self.cap_of(catalog, &point)?;
        let found = predict(&FITTED, catalog, &point, cap).map_err(|refusal| Failure::BadInput(refusal.to_string()))?;
        if let Some(path) = &self.json {
            output::write(&[(path, output::json(path, &found)?)])?;
        }
        if self.json.as_deref() != Some(Path::new("-")) {
            output::print(&words(catalog, &point, &found, cap))?;
        }
        Ok(())
    }

    /// A cap that the board accepts, or why it does not.
    fn cap_of(&self, catalog: &Catalog, point: &Point) -> Result<Option<f64>, Failure> {
        let Some(cap) = self.cap else { return Ok(None) };
        let gpu = ask::gpu(catalog, &point.system).map_err(Failure::BadInput)?;
        let (least, most) = (gpu.min_power_cap.as_watts(), gpu.board_power.as_watts());
        if cap < least {
            return Err(Failure::BadInput(format!("--cap: {} accepts no limit under {least} W", gpu.name)));
        }
        Ok(Some(cap.min(most)))
    }

    fn point(&self) -> Point {
        let precision = self.precision.name().to_owned();
        Point {
            system: self.gpu.clone().unwrap_or_default(),
            model: self.model.clone().unwrap_or_default(),
            engine: self.engine.name().to_owned(),
            version: String::new(),
            measured: Some(sim::serving::step::NEWEST),
            format: precision.clone(),
            expert_format: precision,
            mode: Mode::Together {
                division: Division { tensor: self.tp, pipeline: self.pp, data: self.dp, expert: self.ep },
            },
            concurrency: f64::from(self.batch),
            input: f64::from(self.input),
            output: f64::from(self.output),
            drawn: true,
            published: false,
            ttft_ms: None,
            tpot_ms: None,
        }
    }

    fn table(&self, catalog: &Catalog, path: &Path, out: &Path) -> Result<(), Failure> {
        output::keep_apart(&[out], &[path])?;
        let bytes = read_file(path, POINTS_BYTES_MAX).map_err(|error| Failure::bad(&error))?;
        let table = points(&path.display().to_string(), &bytes).map_err(|error| Failure::bad(&error))?;
        let (bytes, refused) = answered(catalog, &table, self.cap)?;
        output::write(&[(out, bytes)])?;
        if out != Path::new("-") {
            let rows = table.rows.len();
            output::print(&format!("{} of {rows} rows predicted, {refused} with a reason why not\n", rows - refused))?;
        }
        if !table.unused.is_empty() {
            let names = table.unused.join(", ");
            tracing::warn!("{}: these columns are not read: {names}", path.display());
        }
        Ok(())
    }
}

/// The columns that a table gains, each of the first four with `_low` and `_high`.
const FIGURES: [&str; 4] =
    ["predicted_ttft_ms", "predicted_tpot_ms", "predicted_output_tokens_per_s_per_gpu", "predicted_gpu_power_w"];

/// The table with its predictions, and how many rows have a reason in their place.
fn answered(catalog: &Catalog, table: &Points, cap: Option<f64>) -> Result<(Vec<u8>, usize), Failure> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let columns = FIGURES.iter().flat_map(|name| [(*name).to_owned(), format!("{name}_low"), format!("{name}_high")]);
    let told = ["predicted_by", "assumed", "reason"].map(str::to_owned);
    let header: Vec<String> = table.header.iter().cloned().chain(columns).chain(told).collect();
    let failed = |error: csv::Error| Failure::Failed(format!("could not write the table: {error}"));
    writer.write_record(&header).map_err(failed)?;
    let mut refused = 0;
    for row in &table.rows {
        let answer = row
            .point
            .clone()
            .and_then(|point| predict(&FITTED, catalog, &point, cap).map_err(|refusal| refusal.to_string()));
        let mut fields = row.fields.clone();
        fields.resize(table.header.len(), String::new());
        match answer {
            Ok(found) => {
                for figure in [found.ttft_ms, found.tpot_ms, found.output_tokens_per_s_per_gpu, found.gpu_power_w] {
                    fields.extend([figure.value, figure.low, figure.high].map(|value| format!("{value:.4}")));
                }
                fields.push(known_words(found.known).to_owned());
                fields.extend([found.assumed.join("; "), String::new()]);
            }
            Err(reason) => {
                refused += 1;
                fields.extend(std::iter::repeat_n(String::new(), FIGURES.len() * 3 + 2));
                fields.push(reason);
            }
        }
        writer.write_record(&fields).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| Failure::Failed(format!("could not write the table: {error}")))?;
    Ok((bytes, refused))
}

/// What a prediction rests on.
pub(crate) fn known_words(known: Known) -> &'static str {
    match known {
        Known::Both => "measured GPU and model",
        Known::GpuAlone => "measured GPU, other models",
        Known::ModelAlone => "specification of the GPU, measured model",
        Known::Neither => "specifications of GPU and model",
    }
}

fn words(catalog: &Catalog, point: &Point, found: &Prediction, cap: Option<f64>) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<34}{value}");
    };
    let figure = |f: Figure, unit: &str| {
        let places = if f.value < 10.0 { 2 } else { usize::from(f.value < 100.0) };
        format!("{:.places$} {unit}  ({:.places$} to {:.places$})", f.value, f.low, f.high)
    };
    let gpus = found.gpus;
    let gpu = ask::gpu(catalog, &point.system).map_or(point.system.as_str(), |gpu| gpu.name.as_str());
    let model = ask::language_model(catalog, &point.model);
    let model = model.map_or(point.model.as_str(), |model| model.name.as_str());
    line("Serves", format!("{model} on {gpus} × {gpu}, {}", point.format));
    line("Load", format!("{} requests at once, {} tokens in, {} out", point.concurrency, point.input, point.output));
    if let Some(cap) = cap {
        line("Power limit", format!("{cap:.0} W each, {:.0}% of full speed", found.draw.speed * 100.0));
    }
    line("Time to first token", figure(found.ttft_ms, "ms"));
    line("Time between tokens", figure(found.tpot_ms, "ms"));
    line("Output tokens/s and GPU", figure(found.output_tokens_per_s_per_gpu, "tokens/s"));
    line("Board power of a GPU", figure(found.gpu_power_w, "W"));
    let draw = &found.draw;
    let (all, prompts) = (draw.joules_per_output_token, draw.prefill_joules_per_output_token);
    line("Energy of a token, boards alone", format!("{all:.3} J, of which {prompts:.3} J for its prompt"));
    line("Bound by", found.binds.name().to_owned());
    if found.served.running < point.concurrency {
        line("Room for", format!("{:.0} of the requests; the others wait", found.served.running));
    }
    line("Rests on", known_words(found.known).to_owned());
    for assumed in &found.assumed {
        line("Assumed", assumed.clone());
    }
    text.push_str(
        "\nIn brackets: where 90% of measured points would lie. Requests follow one another (closed loop), so the first\n\
         token's time holds queueing; requests that come spread in time (replay) wait less. Time between tokens is (last − first) / (output tokens − 1). Watts are of GPU\n\
         boards alone: neither node nor facility.\n",
    );
    text
}
