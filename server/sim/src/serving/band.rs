//! How sure a prediction is: between which factors of it 90% of measured points lie, by what was measured of its parts.
//!
//! From cross-validation: where GPU and model were measured, the fit's own points; where the model was not, points of each
//! model under a fit that left it out; where the GPU was not, points of each GPU under a fit without it.

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
    /// Not the GPU: predicted from its specification.
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
    if MEASURED.contains(&(gpu, model)) {
        Known::Both
    } else if MEASURED.iter().any(|(measured, _)| *measured == gpu) {
        Known::GpuAlone
    } else {
        Known::Neither
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
