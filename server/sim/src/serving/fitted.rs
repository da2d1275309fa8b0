//! Written by `make calibrate`; not by hand. Fitted to `benchmarks/serving_measured.csv`: aiconfigurator's public
//! silicon sample (Apache-2.0), points of H100 and B200 with all GPUs told. `examples/calibrate` says how.

use crate::serving::band::{Band, Bands, Kind, Known};
use crate::serving::coefficients::Coefficients;

/// The coefficients.
pub const FITTED: Coefficients = Coefficients {
    weight_bandwidth: 0.90314,
    expert_bandwidth: 0.93420,
    past_bandwidth: 1.08579,
    fp4_dense: 0.69837,
    fp4_expert: 1.30371,
    arithmetic: 0.79877,
    expert_arithmetic: 0.06789,
    overlap: 1.36740,
    token_traffic: 70.29934,
    expert_token_traffic: 9.07446,
    collective_us: 2.58487,
    collective_doubling_us: 2.47066,
    link_share: 0.24504,
    exchange_us: 5.11453,
    exchange_doubling_us: 1.66283,
    layer_us: 21.89591,
    quantised_layer_us: 6.86713,
    latent_layer_us: 49.72881,
    expert_layer_us: 18.39889,
    step_ms: 0.15980,
    request_us: 5.05713,
    prompt_ms: 3.02099,
    prompt_arithmetic: 0.69020,
    prompt_fp4: 0.86801,
    prompt_attention: 0.26613,
    prompt_experts: 0.13527,
    imbalance: 0.40695,
    accepted_three: 2.23173,
    accepted_one: 1.66782,
    first_own: 1.06817,
    first_layer_us: 512.67741,
    first_expert_layer_us: 299.38285,
    first_drafts: 3.86569,
    front_engine_ms: 12.34846,
    front_framework_ms: 76.61748,
    wait_data: 0.31122,
    wait_experts: 0.67114,
    layer_trtllm: 0.89613,
    expert_layer_trtllm: 0.81438,
    request_trtllm: 0.64478,
    prompt_trtllm: 1.02291,
    age_trtllm: 0.02695,
    wait_trtllm: 0.09418,
    front_trtllm: 1.18310,
    prompt_experts_trtllm: 1.01528,
    layer_vllm: 1.27091,
    expert_layer_vllm: 1.14709,
    request_vllm: 1.63600,
    prompt_vllm: 1.00711,
    age_vllm: 0.02931,
    wait_vllm: 0.08373,
    front_vllm: 0.43503,
    prompt_experts_vllm: 1.20438,
    layer_sglang: 0.91991,
    expert_layer_sglang: 1.02530,
    request_sglang: 0.89653,
    prompt_sglang: 0.97166,
    age_sglang: 0.01925,
    wait_sglang: 0.53522,
    front_sglang: 1.54562,
    prompt_experts_sglang: 0.31608,
};

/// GPUs and models that were measured.
/// gpus.
pub const MEASURED_GPUS: &[&str] = &["b200-sxm", "h100-sxm"];
/// models.
pub const MEASURED_MODELS: &[&str] = &["deepseek-r1", "gpt-oss-120b", "llama-3.1-70b", "llama-3.1-8b", "qwen3-32b"];

/// Measured over predicted, where 5% and 95% of points lie.
pub const BANDS: &[(Known, Kind, Bands)] = &[
    (
        Known::Both,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.8835, high: 1.1662 },
            ttft: Band { low: 0.6718, high: 2.3382 },
            rate: Band { low: 0.8262, high: 1.1041 },
        },
    ),
    (
        Known::GpuAlone,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.6838, high: 1.1825 },
            ttft: Band { low: 0.6409, high: 2.6896 },
            rate: Band { low: 0.8154, high: 1.2419 },
        },
    ),
    (
        Known::Neither,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.6394, high: 1.1138 },
            ttft: Band { low: 0.6633, high: 3.0872 },
            rate: Band { low: 0.8741, high: 1.3049 },
        },
    ),
    (
        Known::Both,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.8432, high: 1.2014 },
            ttft: Band { low: 0.4229, high: 2.9545 },
            rate: Band { low: 0.8138, high: 1.2113 },
        },
    ),
    (
        Known::GpuAlone,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.7305, high: 1.5601 },
            ttft: Band { low: 0.2938, high: 4.6240 },
            rate: Band { low: 0.6259, high: 1.3645 },
        },
    ),
    (
        Known::Neither,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.7348, high: 1.4234 },
            ttft: Band { low: 0.5654, high: 4.8046 },
            rate: Band { low: 0.6849, high: 1.3505 },
        },
    ),
];
