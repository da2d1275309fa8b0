//! Serving points: a model on some GPUs under a load, measured or asked for.

/// One deployment: GPUs by how they divide the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Division {
    /// GPUs that split each matrix of attention.
    pub tensor: u32,
    /// Stages.
    pub pipeline: u32,
    /// Groups that each attend to their own requests.
    pub data: u32,
    /// GPUs over which whole experts are spread.
    pub expert: u32,
}

/// How requests are served.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// Prompts and answers on the same GPUs.
    Together {
        /// The replica.
        division: Division,
    },
    /// Prompts on some workers, answers on others; a number of workers that the row does not tell is none.
    Apart {
        /// One prefill worker.
        prefill: Division,
        /// How many.
        prefill_workers: Option<u32>,
        /// One decode worker.
        decode: Division,
        /// How many.
        decode_workers: Option<u32>,
    },
}

/// One row, understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// GPU system as written: `h100_sxm`.
    pub system: String,
    /// Model as written: `meta-llama/Llama-3.1-70B`.
    pub model: String,
    /// Engine as written; empty where it is not told.
    pub engine: String,
    /// Its version; empty where it is not told.
    pub version: String,
    /// When it was measured: year and month.
    pub measured: Option<(u32, u32)>,
    /// Format of matrix products outside experts, as written: `fp8`, `nvfp4`; empty for 16 bits.
    pub format: String,
    /// Format of experts.
    pub expert_format: String,
    /// How requests are served.
    pub mode: Mode,
    /// Requests at once, on the whole deployment.
    pub concurrency: f64,
    /// Mean prompt, tokens.
    pub input: f64,
    /// Mean answer, tokens.
    pub output: f64,
    /// Whether lengths are drawn from 80 to 100% of the nominal, as InferenceX does; `input` and `output` are then its means.
    pub drawn: bool,
    /// Whether InferenceX measured it, on engines that are set as its scripts have it.
    pub published: bool,
    /// Measured mean time to the first token, ms.
    pub ttft_ms: Option<f64>,
    /// Measured mean time between tokens, ms.
    pub tpot_ms: Option<f64>,
}
