//! Written by `make calibrate`; not by hand. Fitted to `benchmarks/serving_measured.csv`: aiconfigurator's public
//! silicon sample (Apache-2.0), points of H100 and B200 with all GPUs told. `examples/calibrate` says how.

use crate::serving::band::{Band, Bands, Kind, Known};
use crate::serving::coefficients::Coefficients;

/// The coefficients.
pub const FITTED: Coefficients = Coefficients {
    weight_bandwidth: 0.84210,
    expert_bandwidth: 0.83690,
    past_bandwidth: 0.92666,
    fp4_dense: 0.71493,
    fp4_expert: 1.32270,
    arithmetic: 0.75489,
    expert_arithmetic: 0.25611,
    overlap: 1.54179,
    expert_overlap: 1.03382,
    token_traffic: 32.38494,
    expert_token_traffic: 9.04379,
    collective_us: 2.72586,
    collective_doubling_us: 1.50010,
    link_share: 0.23262,
    exchange_us: 7.26493,
    exchange_doubling_us: 1.81750,
    layer_us: 27.97977,
    quantised_layer_us: 8.51956,
    latent_layer_us: 44.91787,
    expert_layer_us: 14.30608,
    step_ms: 0.20773,
    request_us: 5.32752,
    prompt_ms: 3.51939,
    prompt_arithmetic: 0.62851,
    prompt_fp4: 0.80313,
    prompt_attention: 0.37239,
    prompt_experts: 0.18437,
    imbalance: 0.32676,
    accepted_three: 2.19178,
    accepted_one: 1.61370,
    first_own: 1.13871,
    first_layer_us: 202.48991,
    first_expert_layer_us: 264.04054,
    first_latent_layer_us: 1616.64275,
    first_drafts: 1.62713,
    front_engine_ms: 16.67836,
    front_framework_ms: 71.93819,
    wait_data: 0.30573,
    wait_experts: 0.61658,
    layer_trtllm: 0.87759,
    expert_layer_trtllm: 0.89336,
    request_trtllm: 0.82224,
    prompt_trtllm: 1.01475,
    age_trtllm: 0.02842,
    wait_trtllm: 0.09484,
    front_trtllm: 1.24641,
    prompt_experts_trtllm: 0.92565,
    layer_vllm: 1.22090,
    expert_layer_vllm: 1.02365,
    request_vllm: 1.17422,
    prompt_vllm: 1.02145,
    age_vllm: 0.02308,
    wait_vllm: 0.08700,
    front_vllm: 0.76006,
    prompt_experts_vllm: 0.92545,
    layer_sglang: 0.97234,
    expert_layer_sglang: 1.01095,
    request_sglang: 0.99631,
    prompt_sglang: 0.98668,
    age_sglang: 0.02777,
    wait_sglang: 0.54484,
    front_sglang: 0.99711,
    prompt_experts_sglang: 0.61493,
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
            tpot: Band { low: 0.8799, high: 1.1918 },
            ttft: Band { low: 0.6649, high: 2.4764 },
            rate: Band { low: 0.8203, high: 1.1142 },
        },
    ),
    (
        Known::GpuAlone,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.7646, high: 1.2163 },
            ttft: Band { low: 0.6253, high: 2.8108 },
            rate: Band { low: 0.8326, high: 1.1830 },
        },
    ),
    (
        Known::ModelAlone,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.7582, high: 1.2192 },
            ttft: Band { low: 0.5853, high: 2.5007 },
            rate: Band { low: 0.8360, high: 1.2360 },
        },
    ),
    (
        Known::Neither,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.7582, high: 1.2192 },
            ttft: Band { low: 0.5144, high: 2.8108 },
            rate: Band { low: 0.8326, high: 1.2360 },
        },
    ),
    (
        Known::Both,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.8142, high: 1.2543 },
            ttft: Band { low: 0.5794, high: 3.1711 },
            rate: Band { low: 0.7518, high: 1.2221 },
        },
    ),
    (
        Known::GpuAlone,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.7188, high: 1.4571 },
            ttft: Band { low: 0.2218, high: 5.3924 },
            rate: Band { low: 0.6685, high: 1.4040 },
        },
    ),
    (
        Known::ModelAlone,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.7253, high: 1.5389 },
            ttft: Band { low: 0.2068, high: 5.9953 },
            rate: Band { low: 0.6163, high: 1.4208 },
        },
    ),
    (
        Known::Neither,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.4714, high: 2.2297 },
            ttft: Band { low: 0.2068, high: 5.9953 },
            rate: Band { low: 0.4639, high: 1.9708 },
        },
    ),
];
