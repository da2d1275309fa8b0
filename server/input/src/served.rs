//! Tables of serving points: a deployment and a load in each row, measured or asked for.
//!
//! Columns as in aiconfigurator's public silicon sample: `system`, `model_path`, `backend`, `isl`, `osl`, `batch_size`, sizes
//! of parallelism, or those of prefill and decode workers; `silicon_ttft_ms` and `silicon_tpot_ms` where it was measured.
//! A row that can't be understood says why and does not refuse the file.

use crate::error::Error;
use crate::table::key;
use crate::text;
use model::served::{Division, Mode, Point};

/// Most bytes of such a table: a hundred thousand rows.
pub const POINTS_BYTES_MAX: u64 = 64 << 20;

/// One row as written, and what it says or why it can't be understood.
#[derive(Debug, Clone, PartialEq)]
pub struct PointRow {
    /// Its line in the file.
    pub line: u64,
    /// Its fields.
    pub fields: Vec<String>,
    /// What it says.
    pub point: Result<Point, String>,
}

/// A table of points.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    /// Names of the columns, as written.
    pub header: Vec<String>,
    /// Those that no row is read by, as written: a misspelt name would otherwise pass for an absent one.
    pub unused: Vec<String>,
    /// The rows.
    pub rows: Vec<PointRow>,
}

/// Columns that are read, and those of the sample that say nothing more.
const COLUMNS: &str = "id silicon_data_source backend backend_version model_path system precision mode isl osl gemm_quant_mode \
                       moe_quant_mode batch_size tp_size pp_size attention_dp_size moe_tp_size moe_ep_size silicon_ttft_ms \
                       silicon_tpot_ms";

/// Whether a column is one of them, of prefill or decode workers or of the whole.
fn is_read(key: &str) -> bool {
    let own = key.strip_prefix("prefill_").or_else(|| key.strip_prefix("decode_")).unwrap_or(key);
    own == "num_workers" || COLUMNS.split_whitespace().any(|column| column == own)
}

/// Reads a table of serving points.
///
/// # Errors
/// Where the file is too long, is no text, or lacks one of the columns `system`, `model_path`, `isl` and `osl`.
pub fn points(file: &str, bytes: &[u8]) -> Result<Points, Error> {
    let text = text::decode(file, bytes, POINTS_BYTES_MAX)?;
    let expected = "a table of serving points with the columns system, model_path, isl and osl";
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.body.as_bytes());
    let header: Vec<String> = match reader.headers() {
        Ok(header) => header.iter().map(str::to_owned).collect(),
        Err(_) => return Err(text.not_recognised(expected)),
    };
    let keys: Vec<String> = header.iter().map(|name| key(name)).collect();
    if ["system", "model_path", "isl", "osl"].iter().any(|needed| !keys.iter().any(|key| key == needed)) {
        return Err(text.not_recognised(expected));
    }
    let mut rows = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let (line, fields, point) = match record {
            Ok(record) => {
                let fields: Vec<String> = record.iter().map(str::to_owned).collect();
                let point = Fields { keys: &keys, fields: &fields }.point();
                (record.position().map_or(index as u64 + 2, csv::Position::line), fields, point)
            }
            Err(error) => (index as u64 + 2, Vec::new(), Err(format!("not a row: {error}"))),
        };
        rows.push(PointRow { line, fields, point });
    }
    let unused = header.iter().zip(&keys).filter(|(_, key)| !is_read(key)).map(|(name, _)| name.clone()).collect();
    Ok(Points { header, unused, rows })
}

/// The fields of a row by the names of their columns.
struct Fields<'a> {
    keys: &'a [String],
    fields: &'a [String],
}

impl Fields<'_> {
    fn text(&self, name: &str) -> &str {
        let index = self.keys.iter().position(|key| key == name);
        index.and_then(|index| self.fields.get(index)).map_or("", |field| field.trim())
    }

    fn number(&self, name: &str) -> Result<Option<f64>, String> {
        let written = self.text(name);
        if written.is_empty() || written.eq_ignore_ascii_case("nan") {
            return Ok(None);
        }
        match written.parse::<f64>() {
            Ok(value) if value.is_finite() && (0.0..=1e9).contains(&value) => Ok(Some(value)),
            _ => Err(format!("{name} is {written:?}, not a number from 0 to 1e9")),
        }
    }

    /// A size of parallelism: 1 where it is absent or 0.
    fn size(&self, name: &str) -> Result<u32, String> {
        let value = self.number(name)?.unwrap_or(1.0);
        if value > 4096.0 { Err(format!("{name} is {value}, more than 4096 GPUs")) } else { Ok(value.max(1.0) as u32) }
    }

    fn positive(&self, name: &str) -> Result<f64, String> {
        match self.number(name)? {
            Some(value) if value >= 1.0 => Ok(value),
            Some(value) => Err(format!("{name} is {value}, less than 1")),
            None => Err(format!("{name} is missing")),
        }
    }

    fn point(&self) -> Result<Point, String> {
        let (system, model) = (self.text("system"), self.text("model_path"));
        if system.is_empty() || model.is_empty() {
            return Err("system or model_path is missing".to_owned());
        }
        let source = self.text("silicon_data_source");
        let drawn = source.starts_with("source_file=") || self.text("id").starts_with("20");
        let means = if drawn { 0.9 } else { 1.0 };
        let (mode, concurrency) = self.mode(source)?;
        let precision = self.text("precision");
        let or = |name: &str| Some(self.text(name)).filter(|text| !text.is_empty()).unwrap_or(precision).to_owned();
        Ok(Point {
            system: system.to_owned(),
            model: model.to_owned(),
            engine: self.text("backend").to_owned(),
            version: self.text("backend_version").to_owned(),
            measured: after(source, "measured=").and_then(year_and_month),
            format: or("gemm_quant_mode"),
            expert_format: or("moe_quant_mode"),
            mode,
            concurrency,
            input: self.positive("isl")? * means,
            output: self.positive("osl")? * means,
            drawn,
            published: drawn,
            ttft_ms: self.number("silicon_ttft_ms")?,
            tpot_ms: self.number("silicon_tpot_ms")?,
        })
    }

    /// How it is served, and by how many requests at once.
    fn mode(&self, source: &str) -> Result<(Mode, f64), String> {
        let told =
            after(source, "silicon_concurrency=").and_then(|text| text.parse::<f64>().ok()).filter(|c| *c >= 1.0);
        match self.text("mode") {
            "" | "agg" | "aggregated" => {
                let (division, ranks) = self.division("")?;
                let batch =
                    self.number("batch_size")?.filter(|batch| *batch >= 1.0).map(|batch| batch * f64::from(ranks));
                let concurrency = told.or(batch).ok_or("batch_size is missing")?;
                Ok((Mode::Together { division }, concurrency))
            }
            "disagg" | "disaggregated" => {
                let workers = |name: &str| Ok::<_, String>(self.number(name)?.filter(|n| *n >= 1.0).map(|n| n as u32));
                let (prefill, _) = self.division("prefill_")?;
                let (decode, ranks) = self.division("decode_")?;
                let (prefill_workers, decode_workers) =
                    (workers("prefill_num_workers")?, workers("decode_num_workers")?);
                let batch = self.number("decode_batch_size")?.filter(|batch| *batch >= 1.0);
                let all = batch.map(|batch| batch * f64::from(ranks) * f64::from(decode_workers.unwrap_or(1)));
                let concurrency = told.or(all).ok_or("decode_batch_size is missing")?;
                Ok((Mode::Apart { prefill, prefill_workers, decode, decode_workers }, concurrency))
            }
            other => Err(format!("mode is {other:?}, neither agg nor disagg")),
        }
    }

    /// Sizes of parallelism, and the groups that `batch_size` counts for.
    ///
    /// Rows taken over from InferenceX of April 2026 have tp · ep as their size, with both factors in the experts' columns;
    /// their ids name the true ones: `_tp8_ep8_` is 8 GPUs with experts spread over 8.
    fn division(&self, prefix: &str) -> Result<(Division, u32), String> {
        let size = |name: &str| self.size(&format!("{prefix}{name}"));
        let (tensor, pipeline, data) = (size("tp_size")?, size("pp_size")?, size("attention_dp_size")?);
        let (expert_tensor, expert) = (size("moe_tp_size")?, size("moe_ep_size")?);
        let group = tensor * data;
        let doubled =
            expert > 1 && expert_tensor > 1 && u64::from(expert_tensor) * u64::from(expert) == u64::from(group);
        let named = sizes_in_id(self.text("id"));
        let true_group = match named {
            Some((t, e)) if e > 1 && group == t * e => Some(t),
            _ if doubled && expert_tensor == expert => Some(expert),
            _ => None,
        };
        let gpus = true_group.unwrap_or(group);
        let division = if data > 1 {
            Division { tensor: gpus / data.min(gpus), pipeline, data: data.min(gpus), expert: expert.min(gpus) }
        } else {
            Division { tensor: gpus, pipeline, data: 1, expert: expert.min(gpus) }
        };
        Ok((division, data))
    }
}

/// What follows a key in `a=1; b=2`.
fn after<'a>(source: &'a str, key: &str) -> Option<&'a str> {
    let rest = &source[source.find(key)? + key.len()..];
    Some(rest.split(';').next().unwrap_or(rest).trim())
}

fn year_and_month(date: &str) -> Option<(u32, u32)> {
    let mut parts = date.split('-');
    let (year, month) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (1..=12).contains(&month).then_some((year, month))
}

/// Tensor and expert parallelism in ids like `…_c64_tp8_ep8_937` and `…_tp8_0_ep8_0_981`.
fn sizes_in_id(id: &str) -> Option<(u32, u32)> {
    let size = |key: &str| -> Option<u32> {
        let rest = &id[id.rfind(key)? + key.len()..];
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..digits].parse().ok()
    };
    Some((size("_tp")?, size("_ep")?))
}
