//! Written by `make calibrate`; not by hand. Fitted to `benchmarks/serving_measured.csv`: aiconfigurator's public
//! silicon sample (Apache-2.0), points of H100 and B200 with all GPUs told. `examples/calibrate` says how.

use crate::serving::band::{Band, Bands, Kind, Known};
use crate::serving::coefficients::Coefficients;

/// The coefficients.
pub const FITTED: Coefficients = Coefficients {
    weight_bandwidth: 0.83135,
    expert_bandwidth: 0.82886,
    past_bandwidth: 0.92320,
    fp4_dense: 0.72225,
    fp4_expert: 1.30961,
    arithmetic: 0.75451,
    expert_arithmetic: 0.24848,
    overlap: 1.50465,
    expert_overlap: 1.02575,
    token_traffic: 32.82898,
    expert_token_traffic: 8.95934,
    collective_us: 2.82090,
    collective_doubling_us: 1.58626,
    link_share: 0.22515,
    exchange_us: 7.28513,
    exchange_doubling_us: 1.82519,
    layer_us: 27.01125,
    quantised_layer_us: 8.96274,
    latent_layer_us: 38.29581,
    expert_layer_us: 14.71319,
    step_ms: 0.20151,
    request_us: 5.06588,
    prompt_ms: 3.28373,
    prompt_arithmetic: 0.63232,
    prompt_fp4: 0.83176,
    prompt_attention: 0.37638,
    prompt_experts: 0.16975,
    imbalance: 0.33842,
    accepted_three: 2.18913,
    accepted_one: 1.61506,
    first_own: 1.14010,
    first_layer_us: 240.12122,
    first_expert_layer_us: 318.55812,
    first_latent_layer_us: 763.13626,
    first_drafts: 2.13837,
    front_engine_ms: 16.83072,
    front_framework_ms: 71.48030,
    wait_data: 0.31563,
    wait_experts: 0.63077,
    layer_trtllm: 0.88384,
    expert_layer_trtllm: 0.89180,
    request_trtllm: 0.81323,
    prompt_trtllm: 1.01135,
    age_trtllm: 0.02708,
    wait_trtllm: 0.09567,
    front_trtllm: 1.23492,
    prompt_experts_trtllm: 0.91951,
    layer_vllm: 1.22669,
    expert_layer_vllm: 1.01953,
    request_vllm: 1.18466,
    prompt_vllm: 1.00968,
    age_vllm: 0.02496,
    wait_vllm: 0.08551,
    front_vllm: 0.70602,
    prompt_experts_vllm: 0.97714,
    layer_sglang: 1.00639,
    expert_layer_sglang: 1.02083,
    request_sglang: 0.98219,
    prompt_sglang: 0.99182,
    age_sglang: 0.02738,
    wait_sglang: 0.55026,
    front_sglang: 1.08748,
    prompt_experts_sglang: 0.53979,
};

/// GPUs, and the models that were measured on them.
pub const MEASURED: &[(&str, &str)] = &[
    ("b200-sxm", "deepseek-r1"),
    ("b200-sxm", "gpt-oss-120b"),
    ("b200-sxm", "llama-3.1-70b"),
    ("h100-sxm", "gpt-oss-120b"),
    ("h100-sxm", "llama-3.1-70b"),
    ("h100-sxm", "llama-3.1-8b"),
    ("h100-sxm", "qwen3-32b"),
];

/// Measured over predicted, where 5% and 95% of points lie.
pub const BANDS: &[(Known, Kind, Bands)] = &[
    (
        Known::Both,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.8773, high: 1.1871 },
            ttft: Band { low: 0.6578, high: 2.4769 },
            rate: Band { low: 0.8157, high: 1.1153 },
        },
    ),
    (
        Known::GpuAlone,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.7740, high: 1.2067 },
            ttft: Band { low: 0.6237, high: 2.8118 },
            rate: Band { low: 0.8266, high: 1.1883 },
        },
    ),
    (
        Known::ModelAlone,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.7300, high: 1.2410 },
            ttft: Band { low: 0.5879, high: 2.5202 },
            rate: Band { low: 0.8371, high: 1.2484 },
        },
    ),
    (
        Known::Neither,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.7300, high: 1.2410 },
            ttft: Band { low: 0.4881, high: 2.8600 },
            rate: Band { low: 0.8180, high: 1.2484 },
        },
    ),
    (
        Known::Both,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.8157, high: 1.2478 },
            ttft: Band { low: 0.5583, high: 3.4635 },
            rate: Band { low: 0.7678, high: 1.2223 },
        },
    ),
    (
        Known::GpuAlone,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.6812, high: 1.5250 },
            ttft: Band { low: 0.2597, high: 4.2155 },
            rate: Band { low: 0.6507, high: 1.4523 },
        },
    ),
    (
        Known::ModelAlone,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.6858, high: 1.6056 },
            ttft: Band { low: 0.1619, high: 8.2039 },
            rate: Band { low: 0.6009, high: 1.4952 },
        },
    ),
    (
        Known::Neither,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.4693, high: 2.2341 },
            ttft: Band { low: 0.1619, high: 8.2039 },
            rate: Band { low: 0.4458, high: 2.0745 },
        },
    ),
];
