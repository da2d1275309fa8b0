//! Written by `make calibrate`; not by hand. Fitted to `benchmarks/serving_measured.csv`: aiconfigurator's public
//! silicon sample (Apache-2.0), points of H100 and B200 with all GPUs told. `examples/calibrate` says how.

use crate::serving::band::{Band, Bands, Kind, Known};
use crate::serving::coefficients::Coefficients;

/// The coefficients.
pub const FITTED: Coefficients = Coefficients {
    weight_bandwidth: 0.90357,
    expert_bandwidth: 0.93332,
    past_bandwidth: 1.07467,
    fp4_dense: 0.69258,
    fp4_expert: 1.28787,
    arithmetic: 0.79652,
    expert_arithmetic: 0.07435,
    overlap: 1.39962,
    token_traffic: 77.36762,
    expert_token_traffic: 9.15016,
    collective_us: 2.58728,
    collective_doubling_us: 2.49039,
    link_share: 0.25338,
    exchange_us: 5.13827,
    exchange_doubling_us: 1.67237,
    layer_us: 21.86714,
    quantised_layer_us: 6.85561,
    latent_layer_us: 49.65366,
    expert_layer_us: 18.24535,
    step_ms: 0.15936,
    request_us: 5.20910,
    prompt_ms: 3.30377,
    prompt_arithmetic: 0.70817,
    prompt_fp4: 1.06188,
    prompt_attention: 0.23516,
    prompt_experts: 0.13241,
    imbalance: 0.40964,
    accepted_three: 2.23984,
    accepted_one: 1.65357,
    first_own: 1.02732,
    first_layer_us: 541.78344,
    first_expert_layer_us: 300.64278,
    first_drafts: 3.76366,
    front_engine_ms: 12.08201,
    front_framework_ms: 75.22578,
    wait_data: 0.30428,
    wait_experts: 0.59743,
    layer_trtllm: 0.89271,
    expert_layer_trtllm: 0.81212,
    request_trtllm: 0.63736,
    prompt_trtllm: 1.03028,
    age_trtllm: 0.02688,
    wait_trtllm: 0.09774,
    front_trtllm: 1.18151,
    prompt_experts_trtllm: 0.89177,
    layer_vllm: 1.26858,
    expert_layer_vllm: 1.14489,
    request_vllm: 1.64426,
    prompt_vllm: 1.02394,
    age_vllm: 0.02918,
    wait_vllm: 0.08731,
    front_vllm: 0.43912,
    prompt_experts_vllm: 1.15730,
    layer_sglang: 0.92458,
    expert_layer_sglang: 1.02892,
    request_sglang: 0.91117,
    prompt_sglang: 0.96086,
    age_sglang: 0.01904,
    wait_sglang: 0.53054,
    front_sglang: 1.50302,
    prompt_experts_sglang: 0.36658,
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
            tpot: Band { low: 0.8842, high: 1.1649 },
            ttft: Band { low: 0.6708, high: 2.3294 },
            rate: Band { low: 0.8276, high: 1.1046 },
        },
    ),
    (
        Known::GpuAlone,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.6719, high: 1.1911 },
            ttft: Band { low: 0.6522, high: 2.7081 },
            rate: Band { low: 0.8168, high: 1.2458 },
        },
    ),
    (
        Known::Neither,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.6258, high: 1.1124 },
            ttft: Band { low: 0.6508, high: 3.0787 },
            rate: Band { low: 0.8777, high: 1.3084 },
        },
    ),
    (
        Known::Both,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.8466, high: 1.2024 },
            ttft: Band { low: 0.4959, high: 3.3570 },
            rate: Band { low: 0.8100, high: 1.2109 },
        },
    ),
    (
        Known::GpuAlone,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.7295, high: 1.5600 },
            ttft: Band { low: 0.3011, high: 4.6273 },
            rate: Band { low: 0.6260, high: 1.3660 },
        },
    ),
    (
        Known::Neither,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.7346, high: 1.4301 },
            ttft: Band { low: 0.5582, high: 4.7838 },
            rate: Band { low: 0.6850, high: 1.3507 },
        },
    ),
];
