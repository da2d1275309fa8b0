//! A language model as the machine sees it: parameters by where they are read, bytes by number format, and its past.

use crate::serving::coefficients::Engine;
use model::design::Precision;
use model::part::{Attention, Gpu, LanguageModel};

/// Parameters of a model by where a step reads them, and the width of its past.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Layers with attention of any kind.
    pub layers: f64,
    /// Width of the residual stream.
    pub hidden: f64,
    /// Parameters of all layers' attention.
    pub attention: f64,
    /// Parameters of all dense feed-forwards.
    pub dense: f64,
    /// Layers with experts.
    pub expert_layers: f64,
    /// Routed experts in a layer; 0 for a dense model.
    pub experts: f64,
    /// Of which a token uses this many.
    pub experts_per_token: f64,
    /// Parameters of one routed expert, in all layers together.
    pub expert: f64,
    /// Parameters of the experts that every token uses, in all layers together.
    pub shared: f64,
    /// Parameters of the output projection.
    pub output: f64,
    /// Whether the past is one latent vector, which every GPU of a tensor-parallel group keeps whole.
    pub latent: bool,
    /// Key-value heads: the most ways in which tensor parallelism can split the past.
    pub kv_heads: f64,
    /// Values kept for one token in one layer.
    pub past_values: f64,
    /// Layers that see all of the past.
    pub full_layers: f64,
    /// Layers that see a window of it.
    pub windowed_layers: f64,
    /// That window, tokens.
    pub window: f64,
    /// Most tokens of its past that a token reads.
    pub sparse: f64,
    /// Query heads times the width that scores and sums take for one pair of tokens.
    pub pair_width: f64,
}

impl Shape {
    /// Of a row of the catalog. What it does not tell is derived: attention of grouped-query heads as
    /// h·(2·heads·d + 2·kv·d); routed experts from P = rest + R, A = rest + R·k/E; the rest is dense.
    pub fn of(model: &LanguageModel) -> Self {
        let (layers, hidden, heads) = (f64::from(model.layers), f64::from(model.hidden_size), f64::from(model.heads));
        let past = Past::of(model);
        let attention = if model.attention_parameters > 0.0 {
            model.attention_parameters
        } else if past.latent {
            // Compressed queries, keys and values: DeepSeek-V3's proportion of hidden · heads · 192.
            hidden * heads * 192.0
        } else {
            2.0 * hidden * heads * past.head_dim + hidden * past.values
        } * layers;
        let experts = f64::from(model.experts);
        let used = if model.experts == 0 { 0.0 } else { f64::from(model.experts_per_token) / experts };
        let expert_layers = match (model.experts, model.expert_layers) {
            (0, _) => 0.0,
            (_, 0) => layers,
            (_, told) => f64::from(told),
        };
        let expert = if model.experts == 0 {
            0.0
        } else if model.expert_parameters > 0.0 {
            model.expert_parameters * expert_layers
        } else {
            (model.parameters - model.active_parameters) / (1.0 - used).max(1e-9) / experts
        };
        let shared = model.shared_parameters * expert_layers;
        let output = f64::from(model.vocabulary) * hidden;
        let dense = if model.dense_layers > 0 && model.dense_parameters > 0.0 {
            f64::from(model.dense_layers) * model.dense_parameters
        } else {
            (model.active_parameters - attention - shared - output - expert * f64::from(model.experts_per_token))
                .max(0.0)
        };
        Self {
            layers,
            hidden,
            attention,
            dense,
            expert_layers,
            experts,
            experts_per_token: f64::from(model.experts_per_token),
            expert,
            shared,
            output,
            latent: past.latent,
            kv_heads: past.kv_heads,
            past_values: past.values,
            full_layers: past.full_layers,
            windowed_layers: past.windowed_layers,
            window: past.window,
            sparse: past.sparse,
            pair_width: heads * past.pair_dim,
        }
    }

    /// Parameters in all.
    pub fn parameters(&self) -> f64 {
        self.attention + self.dense + self.shared + self.expert * self.experts + 2.0 * self.output
    }

    /// Layers' worth of past that one token at `context` reads, windows and selections taken into account.
    pub fn layers_read(&self, context: f64) -> f64 {
        let context = context.max(1.0);
        self.full_layers * f64::min(1.0, self.sparse / context)
            + self.windowed_layers * f64::min(1.0, self.window / context)
    }

    /// Layers' worth of past that a request of `context` tokens keeps.
    pub fn layers_kept(&self, context: f64) -> f64 {
        self.full_layers + self.windowed_layers * f64::min(1.0, self.window / context.max(1.0))
    }
}

/// The attention of a model, in figures.
struct Past {
    latent: bool,
    kv_heads: f64,
    head_dim: f64,
    pair_dim: f64,
    values: f64,
    full_layers: f64,
    windowed_layers: f64,
    window: f64,
    sparse: f64,
}

impl Past {
    fn of(model: &LanguageModel) -> Self {
        let sparse_or_all = |tokens: u32| if tokens == 0 { f64::INFINITY } else { f64::from(tokens) };
        match model.attention {
            Attention::GroupedQuery {
                kv_heads,
                head_dim,
                windowed_layers,
                window_tokens,
                sparse_tokens,
                linear_layers,
            } => {
                let (heads, dim) = (f64::from(kv_heads), f64::from(head_dim));
                let windowed = windowed_layers.min(model.layers.saturating_sub(linear_layers));
                Self {
                    latent: false,
                    kv_heads: heads.max(1.0),
                    head_dim: dim,
                    pair_dim: dim,
                    values: 2.0 * heads * dim,
                    full_layers: f64::from(model.layers.saturating_sub(linear_layers + windowed)),
                    windowed_layers: f64::from(windowed),
                    window: f64::from(window_tokens),
                    sparse: sparse_or_all(sparse_tokens),
                }
            }
            Attention::Latent { latent_dim, sparse_tokens, linear_layers } => Self {
                latent: true,
                kv_heads: 1.0,
                head_dim: 0.0,
                // Keys of 192 and values of 128, unfolded for prompts.
                pair_dim: 160.0,
                values: f64::from(latent_dim),
                full_layers: f64::from(model.layers.saturating_sub(linear_layers)),
                windowed_layers: 0.0,
                window: 0.0,
                sparse: sparse_or_all(sparse_tokens),
            },
        }
    }
}

/// A number format of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// 16-bit floating point.
    Bf16,
    /// 8-bit floating point.
    Fp8,
    /// 4-bit floating point with a scale for each block of 16 or 32.
    Fp4,
    /// 4-bit whole numbers, computed in 16 bits.
    Int4,
}

impl Format {
    /// Bytes of one parameter, with its share of a block's scale.
    pub fn bytes(self) -> f64 {
        match self {
            Self::Bf16 => 2.0,
            Self::Fp8 => 1.0,
            Self::Fp4 => 0.5625,
            Self::Int4 => 0.53,
        }
    }

    /// Peak arithmetic of a GPU in it, operations a second; a chip without it computes in the next wider one that it has.
    pub fn rate(self, gpu: &Gpu) -> f64 {
        let wide = gpu.flops.bf16.as_flops();
        match self {
            Self::Bf16 | Self::Int4 => wide,
            Self::Fp8 => gpu.flops.fp8.map_or(wide, model::quantity::ComputeRate::as_flops),
            Self::Fp4 => gpu.flops.fp4.map_or(wide, model::quantity::ComputeRate::as_flops),
        }
    }
}

/// The formats of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Formats {
    /// Of attention.
    pub attention: Format,
    /// Of dense feed-forwards.
    pub dense: Format,
    /// Of experts.
    pub experts: Format,
    /// Of the past: 16 bits or 8.
    pub past: Format,
}

impl Formats {
    /// As published checkpoints have them: 4-bit ones of models with latent attention keep it in 16 bits, as do those whose
    /// experts alone are published in 4 bits; the past has 8 bits where weights have fewer than 16.
    pub fn of(model: &LanguageModel, asked: Format) -> Self {
        let past = if asked == Format::Bf16 { Format::Bf16 } else { Format::Fp8 };
        let latent = matches!(model.attention, Attention::Latent { .. });
        let four_bit = matches!(asked, Format::Fp4 | Format::Int4);
        let attention = if model.expert_precision.is_some() || (latent && four_bit) { Format::Bf16 } else { asked };
        let experts = match model.expert_precision {
            Some(Precision::Fp4) => Format::Fp4,
            Some(Precision::Fp8) => Format::Fp8,
            Some(Precision::Int4) => Format::Int4,
            Some(Precision::Bf16) | None => asked,
        };
        Self { attention, dense: asked, experts, past }
    }

    /// Those of them that a GPU has no arithmetic in, in a sentence: their weights are read as narrow as asked, and their
    /// arithmetic is that of 16 bits. INT4 is so on every GPU, and is not told.
    pub fn widened(&self, gpu: &Gpu) -> Option<String> {
        let lacks = |format: Format| match format {
            Format::Fp8 => gpu.flops.fp8.is_none(),
            Format::Fp4 => gpu.flops.fp4.is_none(),
            Format::Bf16 | Format::Int4 => false,
        };
        let narrow = [(Format::Fp8, "FP8"), (Format::Fp4, "FP4")]
            .into_iter()
            .filter(|(format, _)| lacks(*format) && [self.attention, self.dense, self.experts].contains(format));
        let names: Vec<&str> = narrow.map(|(_, name)| name).collect();
        (!names.is_empty()).then(|| {
            let names = names.join(" nor ");
            format!("{} has no {names} arithmetic: such weights are read as they are and computed in 16 bits", gpu.name)
        })
    }
}

impl Formats {
    /// As an engine keeps the past on a GPU where nobody tells it: vLLM in 16 bits whatever the weights have, but where the chip
    /// has 4-bit arithmetic, where operators ask it for 8. Public H100 points of FP8 weights agree with 16 bits (2.8% mean error
    /// between tokens, 5.3% with 8), those of B200 with 8: their requests would have no room in 16.
    ///
    /// Designs and searches are of deployments that somebody tunes: they keep the past as [`of`](Self::of) has it.
    pub fn on(self, engine: Engine, gpu: &Gpu) -> Self {
        let wide = engine == Engine::Vllm && gpu.flops.fp4.is_none();
        Self { past: if wide { Format::Bf16 } else { self.past }, ..self }
    }
}

impl From<Precision> for Format {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::Bf16 => Self::Bf16,
            Precision::Fp8 => Self::Fp8,
            Precision::Fp4 => Self::Fp4,
            Precision::Int4 => Self::Int4,
        }
    }
}

impl From<Format> for Precision {
    fn from(format: Format) -> Self {
        match format {
            Format::Bf16 => Self::Bf16,
            Format::Fp8 => Self::Fp8,
            Format::Fp4 => Self::Fp4,
            Format::Int4 => Self::Int4,
        }
    }
}
