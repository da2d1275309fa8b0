//! Written by `make calibrate`; not by hand. Fitted to `benchmarks/serving_measured.csv`: aiconfigurator's public
//! silicon sample (Apache-2.0), points of H100 and B200 with all GPUs told. `examples/calibrate` says how.

use crate::serving::band::{Band, Bands, Kind, Known};
use crate::serving::coefficients::Coefficients;

/// The coefficients.
pub const FITTED: Coefficients = Coefficients {
    weight_bandwidth: 0.84195,
    expert_bandwidth: 0.84580,
    past_bandwidth: 0.92866,
    fp4_dense: 0.71467,
    fp4_expert: 1.31655,
    arithmetic: 0.75209,
    expert_arithmetic: 0.24778,
    overlap: 1.51522,
    expert_overlap: 1.02774,
    token_traffic: 32.06770,
    expert_token_traffic: 8.76298,
    collective_us: 2.71615,
    collective_doubling_us: 1.48238,
    link_share: 0.22535,
    exchange_us: 6.80701,
    exchange_doubling_us: 1.76411,
    layer_us: 28.00352,
    quantised_layer_us: 8.23288,
    latent_layer_us: 42.77745,
    expert_layer_us: 14.64452,
    step_ms: 0.21396,
    request_us: 5.39288,
    prompt_ms: 3.08893,
    prompt_arithmetic: 0.62822,
    prompt_fp4: 0.84611,
    prompt_attention: 0.36028,
    prompt_experts: 0.17672,
    imbalance: 0.31730,
    accepted_three: 2.16973,
    accepted_one: 1.63632,
    first_own: 1.16739,
    first_layer_us: 181.43429,
    first_expert_layer_us: 132.45615,
    first_latent_layer_us: 1434.51745,
    first_drafts: 1.73739,
    front_engine_ms: 16.72887,
    front_framework_ms: 73.67343,
    wait_drawn: 0.07804,
    layer_trtllm: 0.88177,
    expert_layer_trtllm: 0.89660,
    request_trtllm: 0.82475,
    prompt_trtllm: 0.99651,
    age_trtllm: 0.02816,
    wait_trtllm: 0.09758,
    front_trtllm: 1.17547,
    prompt_experts_trtllm: 1.06175,
    layer_vllm: 1.22550,
    expert_layer_vllm: 1.02981,
    request_vllm: 1.19837,
    prompt_vllm: 1.02352,
    age_vllm: 0.02260,
    wait_vllm: 0.07556,
    front_vllm: 0.85031,
    prompt_experts_vllm: 1.09248,
    layer_sglang: 0.95833,
    expert_layer_sglang: 1.00458,
    request_sglang: 0.97714,
    prompt_sglang: 0.98448,
    age_sglang: 0.02820,
    wait_sglang: 0.57112,
    front_sglang: 0.95429,
    prompt_experts_sglang: 0.43530,
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
            tpot: Band { low: 0.8846, high: 1.1885 },
            ttft: Band { low: 0.6676, high: 2.0306 },
            rate: Band { low: 0.8313, high: 1.1289 },
        },
    ),
    (
        Known::GpuAlone,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.8139, high: 1.2172 },
            ttft: Band { low: 0.5820, high: 2.5900 },
            rate: Band { low: 0.8319, high: 1.1813 },
        },
    ),
    (
        Known::ModelAlone,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.8146, high: 1.1939 },
            ttft: Band { low: 0.5553, high: 2.5818 },
            rate: Band { low: 0.8403, high: 1.2206 },
        },
    ),
    (
        Known::Neither,
        Kind::Dense,
        Bands {
            tpot: Band { low: 0.8139, high: 1.2172 },
            ttft: Band { low: 0.5525, high: 2.5900 },
            rate: Band { low: 0.8319, high: 1.2206 },
        },
    ),
    (
        Known::Both,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.8185, high: 1.2149 },
            ttft: Band { low: 0.7489, high: 3.5263 },
            rate: Band { low: 0.7823, high: 1.2164 },
        },
    ),
    (
        Known::GpuAlone,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.7338, high: 1.3958 },
            ttft: Band { low: 0.1689, high: 8.0955 },
            rate: Band { low: 0.6731, high: 1.3899 },
        },
    ),
    (
        Known::ModelAlone,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.7411, high: 1.4698 },
            ttft: Band { low: 0.1724, high: 7.8687 },
            rate: Band { low: 0.6311, high: 1.3984 },
        },
    ),
    (
        Known::Neither,
        Kind::Experts,
        Bands {
            tpot: Band { low: 0.4538, high: 2.3058 },
            ttft: Band { low: 0.1689, high: 8.0955 },
            rate: Band { low: 0.4521, high: 2.0366 },
        },
    ),
];
