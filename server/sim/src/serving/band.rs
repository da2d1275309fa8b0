//! How sure a prediction is: between which factors of it 90% of measured points lie, by what was measured of its parts.
//!
//! From cross-validation: where GPU and model were measured, each tenth of the points under a fit without it; where the model,
//! the GPU or both were not, the points of each under a fit that left it out, and wider: by as much as is needed that bands made
//! without a model or GPU hold 90% of its points in the mean of all. `make calibrate` makes them and writes what each held.

use crate::serving::fitted::{BANDS, MEASURED};
use model::part::LanguageModel;
use serde::{Deserialize, Serialize};

/// What was measured of a point's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Known {
    /// This model on this GPU.
    Both,
    /// The GPU, with other models.
    GpuAlone,
    /// The model, on other GPUs.
    ModelAlone,
    /// Neither: predicted from specifications.
    Neither,
}

/// What a model's feed-forwards are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Each token passes all of them.
    Dense,
    /// A mixture of experts.
    Experts,
}

impl Kind {
    /// Of a model.
    pub fn of(model: &LanguageModel) -> Self {
        if model.experts > 0 { Self::Experts } else { Self::Dense }
    }
}

/// Factors of a prediction.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
pub struct Band {
    /// 5% of measured points lie below this times the prediction.
    pub low: f64,
    /// And 5% above this.
    pub high: f64,
}

/// The factors of each figure.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
pub struct Bands {
    /// Of the time between tokens.
    pub tpot: Band,
    /// Of the time to the first token.
    pub ttft: Band,
    /// Of tokens a second.
    pub rate: Band,
}

/// What was measured of a GPU and a model, by their ids.
pub fn known(gpu: &str, model: &str) -> Known {
    let on = MEASURED.iter().any(|(measured, _)| *measured == gpu);
    match (MEASURED.contains(&(gpu, model)), on, MEASURED.iter().any(|(_, measured)| *measured == model)) {
        (true, ..) => Known::Both,
        (_, true, _) => Known::GpuAlone,
        (_, _, true) => Known::ModelAlone,
        _ => Known::Neither,
    }
}

/// The factors for what is known of a model of a kind.
pub fn bands(known: Known, kind: Kind) -> Bands {
    let unknown = Band { low: 0.5, high: 2.0 };
    BANDS
        .iter()
        .find(|(of, with, _)| *of == known && *with == kind)
        .map_or(Bands { tpot: unknown, ttft: unknown, rate: unknown }, |(_, _, bands)| *bands)
}
