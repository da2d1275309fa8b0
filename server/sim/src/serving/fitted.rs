//! Written by `make calibrate`; not by hand. Fitted to `benchmarks/serving_measured.csv`: aiconfigurator's public
//! silicon sample (Apache-2.0), points of H100 and B200 with all GPUs told. `examples/calibrate` says how.

use crate::serving::band::{Band, Bands, Kind, Known};
use crate::serving::coefficients::Coefficients;

/// The coefficients.
pub const FITTED: Coefficients = Coefficients {
    weight_bandwidth: 0.83244,
    expert_bandwidth: 0.83436,
    past_bandwidth: 0.92355,
    fp4_dense: 0.72364,
    fp4_expert: 1.31160,
    arithmetic: 0.75470,
    expert_arithmetic: 0.24618,
    overlap: 1.51020,
    expert_overlap: 1.02399,
    token_traffic: 32.89558,
    expert_token_traffic: 8.94573,
    collective_us: 2.81201,
    collective_doubling_us: 1.53514,
    link_share: 0.22642,
    exchange_us: 7.24038,
    exchange_doubling_us: 1.81216,
    layer_us: 27.37784,
    quantised_layer_us: 8.87611,
    latent_layer_us: 44.59599,
    expert_layer_us: 14.21831,
    step_ms: 0.20673,
    request_us: 5.20863,
    prompt_ms: 3.41347,
    prompt_arithmetic: 0.63262,
    prompt_fp4: 0.80992,
    prompt_attention: 0.37225,
    prompt_experts: 0.18202,
    imbalance: 0.32114,
    accepted_three: 2.20002,
    accepted_one: 1.61801,
    first_own: 1.12710,
    first_layer_us: 204.55383,
    first_expert_layer_us: 263.37969,
    first_latent_layer_us: 1618.82002,
    first_drafts: 1.62483,
    front_engine_ms: 16.71353,
    front_framework_ms: 71.68674,
    wait_data: 0.30816,
    wait_experts: 0.60896,
    layer_trtllm: 0.87501,
    expert_layer_trtllm: 0.89403,
    request_trtllm: 0.81412,
    prompt_trtllm: 1.01396,
    age_trtllm: 0.02721,
    wait_trtllm: 0.09542,
    front_trtllm: 1.24984,
    prompt_experts_trtllm: 0.93357,
    layer_vllm: 1.22750,
    expert_layer_vllm: 1.02212,
    request_vllm: 1.18751,
    prompt_vllm: 1.01806,
    age_vllm: 0.02455,
    wait_vllm: 0.08707,
    front_vllm: 0.75935,
    prompt_experts_vllm: 0.89757,
    layer_sglang: 0.96973,
    expert_layer_sglang: 1.01083,
    request_sglang: 0.98767,
    prompt_sglang: 0.98649,
    age_sglang: 0.02725,
    wait_sglang: 0.54845,
    front_sglang: 0.99551,
    prompt_experts_sglang: 0.62063,
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
            tpot: Band { low: 0.8772, high: 1.1873 },
            ttft: Band { low: 0.6608, high: 2.4982 },
            rate: Band { low: 0.8168, high: 1.1167 },
        },
    ),
    (
        Known::GpuAlone,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.7698, high: 1.2077 },
            ttft: Band { low: 0.6210, high: 2.8187 },
            rate: Band { low: 0.8283, high: 1.1818 },
        },
    ),
    (
        Known::ModelAlone,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.7303, high: 1.2404 },
            ttft: Band { low: 0.5837, high: 2.5110 },
            rate: Band { low: 0.8414, high: 1.2459 },
        },
    ),
    (
        Known::Neither,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.7303, high: 1.2404 },
            ttft: Band { low: 0.5052, high: 2.8187 },
            rate: Band { low: 0.8137, high: 1.2459 },
        },
    ),
    (
        Known::Both,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.8130, high: 1.2558 },
            ttft: Band { low: 0.5820, high: 3.1701 },
            rate: Band { low: 0.7510, high: 1.2238 },
        },
    ),
    (
        Known::GpuAlone,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.7212, high: 1.4596 },
            ttft: Band { low: 0.2213, high: 5.4104 },
            rate: Band { low: 0.6694, high: 1.3999 },
        },
    ),
    (
        Known::ModelAlone,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.6992, high: 1.5925 },
            ttft: Band { low: 0.1931, high: 6.4520 },
            rate: Band { low: 0.6021, high: 1.4411 },
        },
    ),
    (
        Known::Neither,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.4652, high: 2.2540 },
            ttft: Band { low: 0.1931, high: 6.4520 },
            rate: Band { low: 0.4526, high: 2.0526 },
        },
    ),
];
