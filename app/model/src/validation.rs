//! The serving model beside measurements: errors by group, and every point.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Errors of one group of points, percent: mean absolute, bias (predicted over measured), median absolute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorRow {
    /// `gpu` or `model` where the fit left out that GPU or model; `each-gpu`, `each-model`, `each-dense-model` and `each-mixture` of
    /// all that were left out in turn, together; empty where the points were fitted.
    pub left_out: String,
    /// GPU of the group; empty for all.
    pub gpu: String,
    /// Model; empty for all.
    pub model: String,
    /// Engine; empty for all.
    pub engine: String,
    /// Number format as engines name it; empty for all.
    pub format: String,
    /// Points.
    pub points: u32,
    /// Of the time between tokens.
    pub tpot: [f64; 3],
    /// Of the time to the first token.
    pub ttft: [f64; 3],
    /// Of output tokens a second and GPU.
    pub rate: [f64; 3],
}

/// What bands of 90% held of points that they were made without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BandRow {
    /// What was measured: `GpuAlone`, `ModelAlone` or `Neither`.
    pub known: String,
    /// `Dense` or `Experts`.
    pub kind: String,
    /// `tpot`, `ttft` or `rate`.
    pub figure: String,
    /// The model, the GPU, or one on the other.
    pub left_out: String,
    /// Its points.
    pub points: u32,
    /// Of which so many lay inside.
    pub inside: u32,
}

/// One measured point beside what is predicted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValidationPoint {
    /// GPU, by its catalog name.
    pub gpu: String,
    /// Model, by its catalog name.
    pub model: String,
    /// What served it.
    pub engine: String,
    /// Number format as engines name it.
    pub format: String,
    /// GPUs that split each matrix.
    pub tensor: u32,
    /// Groups of data-parallel attention.
    pub data: u32,
    /// GPUs over which experts are spread.
    pub expert: u32,
    /// Requests at once.
    pub concurrency: f64,
    /// Mean prompt, tokens.
    pub input: f64,
    /// Mean answer, tokens.
    pub output: f64,
    /// Measured time to the first token, ms.
    pub ttft_ms: f64,
    /// Measured time between tokens, ms.
    pub tpot_ms: f64,
    /// Predicted time to the first token, ms.
    pub predicted_ttft_ms: f64,
    /// Predicted time between tokens, ms.
    pub predicted_tpot_ms: f64,
}

impl ValidationPoint {
    /// Measured output tokens a second and GPU.
    pub fn tokens_per_s_per_gpu(&self) -> f64 {
        self.rate(self.ttft_ms, self.tpot_ms)
    }

    /// Predicted ones.
    pub fn predicted_tokens_per_s_per_gpu(&self) -> f64 {
        self.rate(self.predicted_ttft_ms, self.predicted_tpot_ms)
    }

    /// Of requests that follow one another: as many at once as there are, over the time that each takes.
    fn rate(&self, ttft_ms: f64, tpot_ms: f64) -> f64 {
        let residence_s = (ttft_ms + tpot_ms * (self.output - 1.0)) / 1e3;
        self.concurrency * self.output / residence_s / f64::from(self.tensor * self.data).max(1.0)
    }
}

/// The report of `make calibrate`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Validation {
    /// Errors: all points, each group, and each GPU and model left out.
    pub errors: Vec<ErrorRow>,
    /// What bands held of what they were made without.
    pub bands: Vec<BandRow>,
    /// The points.
    pub points: Vec<ValidationPoint>,
    /// Rows of the sample that are none of them: how many, and why.
    pub left_out: Vec<(u32, String)>,
    /// Names for people of GPUs and models, by their catalog names.
    pub names: BTreeMap<String, String>,
}

impl Validation {
    /// A GPU's or a model's name for people; its catalog name where it has none.
    pub fn name_of<'a>(&'a self, id: &'a str) -> &'a str {
        self.names.get(id).map_or(id, String::as_str)
    }
}
