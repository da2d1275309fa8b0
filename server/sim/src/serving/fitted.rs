//! Written by `make calibrate`; not by hand. Fitted to `benchmarks/serving_measured.csv`: aiconfigurator's public
//! silicon sample (Apache-2.0), points of H100 and B200 with all GPUs told. `examples/calibrate` says how.

use crate::serving::band::{Band, Bands, Kind, Known};
use crate::serving::coefficients::Coefficients;

/// The coefficients.
pub const FITTED: Coefficients = Coefficients {
    weight_bandwidth: 0.81211,
    expert_bandwidth: 0.84550,
    past_bandwidth: 0.82077,
    fp4_dense: 0.74011,
    fp4_expert: 1.22576,
    arithmetic: 0.67211,
    expert_arithmetic: 0.27460,
    overlap: 1.66508,
    token_traffic: 51.29288,
    expert_token_traffic: 8.49950,
    collective_us: 3.05086,
    collective_doubling_us: 1.73247,
    link_share: 0.23466,
    exchange_us: 8.18099,
    exchange_doubling_us: 1.92099,
    layer_us: 25.67107,
    quantised_layer_us: 9.10919,
    latent_layer_us: 34.52174,
    expert_layer_us: 16.40196,
    step_ms: 0.21277,
    request_us: 4.79268,
    prompt_ms: 3.25695,
    prompt_arithmetic: 0.66005,
    prompt_fp4: 0.84800,
    prompt_attention: 0.32659,
    prompt_experts: 0.17798,
    imbalance: 0.33419,
    accepted_three: 2.16624,
    accepted_one: 1.57814,
    first_own: 1.16963,
    first_layer_us: 232.06896,
    first_expert_layer_us: 397.76681,
    first_latent_layer_us: 389.25809,
    first_drafts: 2.24663,
    front_engine_ms: 18.03504,
    front_framework_ms: 71.91569,
    wait_data: 0.32916,
    wait_experts: 0.64886,
    layer_trtllm: 0.88719,
    expert_layer_trtllm: 0.90786,
    request_trtllm: 0.84757,
    prompt_trtllm: 1.00882,
    age_trtllm: 0.02250,
    wait_trtllm: 0.09858,
    front_trtllm: 1.21350,
    prompt_experts_trtllm: 0.89140,
    layer_vllm: 1.18443,
    expert_layer_vllm: 1.01607,
    request_vllm: 1.10634,
    prompt_vllm: 1.00132,
    age_vllm: 0.02439,
    wait_vllm: 0.08674,
    front_vllm: 0.72748,
    prompt_experts_vllm: 0.98491,
    layer_sglang: 1.02541,
    expert_layer_sglang: 1.02168,
    request_sglang: 0.99100,
    prompt_sglang: 1.00146,
    age_sglang: 0.02455,
    wait_sglang: 0.56495,
    front_sglang: 1.12483,
    prompt_experts_sglang: 0.57920,
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
            tpot: Band { low: 0.8763, high: 1.1855 },
            ttft: Band { low: 0.6568, high: 2.4905 },
            rate: Band { low: 0.8146, high: 1.1176 },
        },
    ),
    (
        Known::GpuAlone,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.7844, high: 1.2275 },
            ttft: Band { low: 0.6180, high: 2.8180 },
            rate: Band { low: 0.8312, high: 1.1838 },
        },
    ),
    (
        Known::ModelAlone,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.7729, high: 1.2279 },
            ttft: Band { low: 0.6138, high: 2.5744 },
            rate: Band { low: 0.8349, high: 1.2321 },
        },
    ),
    (
        Known::Neither,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.7729, high: 1.2279 },
            ttft: Band { low: 0.4706, high: 2.9696 },
            rate: Band { low: 0.8222, high: 1.2321 },
        },
    ),
    (
        Known::Both,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.8201, high: 1.2794 },
            ttft: Band { low: 0.5547, high: 3.4950 },
            rate: Band { low: 0.7570, high: 1.2189 },
        },
    ),
    (
        Known::GpuAlone,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.6859, high: 1.5166 },
            ttft: Band { low: 0.2475, high: 4.5471 },
            rate: Band { low: 0.6533, high: 1.4625 },
        },
    ),
    (
        Known::ModelAlone,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.6623, high: 1.6274 },
            ttft: Band { low: 0.1595, high: 8.0401 },
            rate: Band { low: 0.5841, high: 1.5367 },
        },
    ),
    (
        Known::Neither,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.5411, high: 1.9401 },
            ttft: Band { low: 0.1595, high: 8.0401 },
            rate: Band { low: 0.5233, high: 1.7686 },
        },
    ),
];
