//! Serving engines: vLLM, SGLang, TensorRT-LLM alone and under Triton, Dynamo, NIM.
//!
//! An engine and the front end before it both count the same tokens: the label `engine` tells them apart.

use super::{Family, Histogram, Row, Scale, When, row};
use model::metric::Metric as M;

const TTFT: [M; 3] = [M::EngineTtftSum, M::EngineTtftCount, M::EngineTtftBucket];
const TPOT: [M; 3] = [M::EngineTpotSum, M::EngineTpotCount, M::EngineTpotBucket];

const fn histogram(name: &'static str, parts: [M; 3], rank: u8, source: &'static str) -> Histogram {
    Histogram { name, parts, rank, source }
}

/// docs.vllm.ai, design/metrics; names before V1 are kept as fallbacks.
const VLLM_DOCS: &str = "vLLM docs/design/metrics.md";

pub(super) const VLLM: Family = Family {
    title: "vLLM",
    prefixes: &["vllm:", "vllm_"],
    engine: Some("vllm"),
    rows: VLLM_ROWS,
    histograms: &[
        histogram("time_to_first_token_seconds", TTFT, 0, VLLM_DOCS),
        histogram("inter_token_latency_seconds", TPOT, 0, VLLM_DOCS),
        histogram("time_per_output_token_seconds", TPOT, 1, VLLM_DOCS),
        histogram("request_time_per_output_token_seconds", TPOT, 2, VLLM_DOCS),
    ],
};

const VLLM_ROWS: &[Row] = &[
    row("prompt_tokens_total", M::EnginePromptTokens, Scale::ONE, VLLM_DOCS),
    row("generation_tokens_total", M::EngineOutputTokens, Scale::ONE, VLLM_DOCS),
    row("prompt_tokens_cached_total", M::EngineCachedTokens, Scale::ONE, VLLM_DOCS),
    row("prefix_cache_hits_total", M::EngineCachedTokens, Scale::ONE, VLLM_DOCS).rank(1),
    row("gpu_prefix_cache_hits_total", M::EngineCachedTokens, Scale::ONE, VLLM_DOCS).rank(2),
    row("request_success_total", M::EngineRequests, Scale::ONE, VLLM_DOCS),
    row("num_requests_running", M::EngineRunning, Scale::ONE, VLLM_DOCS),
    row("num_requests_waiting", M::EngineWaiting, Scale::ONE, VLLM_DOCS),
    row("kv_cache_usage_perc", M::EngineKvUsed, Scale::ONE, VLLM_DOCS),
    row("gpu_cache_usage_perc", M::EngineKvUsed, Scale::ONE, VLLM_DOCS).rank(1),
    row("num_preemptions_total", M::EnginePreemptions, Scale::ONE, VLLM_DOCS),
];

/// docs.sglang.ai, references/production_metrics.
const SGLANG_DOCS: &str = "SGLang docs/references/production_metrics.md";

pub(super) const SGLANG: Family = Family {
    title: "SGLang",
    prefixes: &["sglang:", "sglang_"],
    engine: Some("sglang"),
    rows: SGLANG_ROWS,
    histograms: &[
        histogram("time_to_first_token_seconds", TTFT, 0, SGLANG_DOCS),
        histogram("inter_token_latency_seconds", TPOT, 0, SGLANG_DOCS),
        histogram("time_per_output_token_seconds", TPOT, 1, SGLANG_DOCS),
    ],
};

const SGLANG_ROWS: &[Row] = &[
    row("prompt_tokens_total", M::EnginePromptTokens, Scale::ONE, SGLANG_DOCS),
    row("generation_tokens_total", M::EngineOutputTokens, Scale::ONE, SGLANG_DOCS),
    row("cached_tokens_total", M::EngineCachedTokens, Scale::ONE, SGLANG_DOCS),
    row("num_requests_total", M::EngineRequests, Scale::ONE, SGLANG_DOCS),
    row("num_running_reqs", M::EngineRunning, Scale::ONE, SGLANG_DOCS),
    row("num_queue_reqs", M::EngineWaiting, Scale::ONE, SGLANG_DOCS),
    row("token_usage", M::EngineKvUsed, Scale::ONE, SGLANG_DOCS),
    row("num_retracted_requests_total", M::EnginePreemptions, Scale::ONE, SGLANG_DOCS),
];

/// github.com/NVIDIA/TensorRT-LLM, `tensorrt_llm/metrics/collector.py` at 050f80d. Under Dynamo the prefix had a colon.
const COLLECTOR: &str = "TensorRT-LLM tensorrt_llm/metrics/collector.py";

pub(super) const TRTLLM: Family = Family {
    title: "TensorRT-LLM",
    prefixes: &["trtllm_", "trtllm:"],
    engine: Some("trtllm"),
    rows: TRTLLM_ROWS,
    histograms: &[
        histogram("time_to_first_token_seconds", TTFT, 0, COLLECTOR),
        histogram("time_per_output_token_seconds", TPOT, 0, COLLECTOR),
    ],
};

const TRTLLM_ROWS: &[Row] = &[
    row("prompt_tokens_total", M::EnginePromptTokens, Scale::ONE, COLLECTOR),
    row("generation_tokens_total", M::EngineOutputTokens, Scale::ONE, COLLECTOR),
    row("prompt_cached_tokens_total", M::EngineCachedTokens, Scale::ONE, COLLECTOR),
    row("prompt_cache_hit_tokens_total", M::EngineCachedTokens, Scale::ONE, COLLECTOR).rank(1),
    row("request_success_total", M::EngineRequests, Scale::ONE, COLLECTOR),
    row("num_requests_completed_total", M::EngineRequests, Scale::ONE, COLLECTOR).rank(1),
    row("num_requests_running", M::EngineRunning, Scale::ONE, COLLECTOR),
    row("num_requests_waiting", M::EngineWaiting, Scale::ONE, COLLECTOR),
    row("kv_cache_utilization", M::EngineKvUsed, Scale::ONE, COLLECTOR),
];

/// github.com/triton-inference-server/tensorrtllm_backend, README, "Triton Metrics".
const BACKEND: &str = "tensorrtllm_backend README, Triton metrics";

/// TensorRT-LLM under Triton. What Triton tells of GPUs is left to the GPUs' own exporter: told twice, it would count
/// twice, and Triton counts energy from its own start.
pub(super) const TRITON: Family =
    Family { title: "Triton", prefixes: &["nv_"], engine: Some("trtllm"), rows: TRITON_ROWS, histograms: &[] };

const TRITON_ROWS: &[Row] = &[
    row("trt_llm_request_metrics", M::EngineRunning, Scale::ONE, BACKEND).when(When::Is("request_type", "active")),
    row("trt_llm_request_metrics", M::EngineWaiting, Scale::ONE, BACKEND).when(When::Is("request_type", "waiting")),
    row("trt_llm_kv_cache_block_metrics", M::EngineKvUsed, Scale::ONE, BACKEND)
        .when(When::Is("kv_cache_block_type", "fraction")),
    row("llm_input_token_len_sum", M::EnginePromptTokens, Scale::ONE, BACKEND),
    row("llm_output_token_len_sum", M::EngineOutputTokens, Scale::ONE, BACKEND),
    row("llm_output_token_len_count", M::EngineRequests, Scale::ONE, BACKEND),
];

/// github.com/ai-dynamo/dynamo, `lib/runtime/src/metrics/prometheus_names.rs` at 04070c7.
const DYNAMO_NAMES: &str = "Dynamo lib/runtime/src/metrics/prometheus_names.rs";
/// The figure is a share of one, whatever its name says.
const DYNAMO_KV: &str = "Dynamo docs/observability/metrics.md: 0.0 to 1.0";

/// Dynamo. Its workers count requests too; the front end's are the ones that a user sent.
pub(super) const DYNAMO: Family = Family {
    title: "Dynamo",
    prefixes: &["dynamo_"],
    engine: Some("dynamo"),
    rows: DYNAMO_ROWS,
    histograms: &[
        histogram("frontend_time_to_first_token_seconds", TTFT, 0, DYNAMO_NAMES),
        histogram("frontend_inter_token_latency_seconds", TPOT, 0, DYNAMO_NAMES),
    ],
};

const DYNAMO_ROWS: &[Row] = &[
    row("frontend_requests_total", M::EngineRequests, Scale::ONE, DYNAMO_NAMES),
    row("frontend_inflight_requests", M::EngineRunning, Scale::ONE, DYNAMO_NAMES),
    row("frontend_queued_requests", M::EngineWaiting, Scale::ONE, DYNAMO_NAMES),
    row("frontend_output_tokens_total", M::EngineOutputTokens, Scale::ONE, DYNAMO_NAMES),
    row("frontend_output_sequence_tokens_sum", M::EngineOutputTokens, Scale::ONE, DYNAMO_NAMES).rank(1),
    row("frontend_input_sequence_tokens_sum", M::EnginePromptTokens, Scale::ONE, DYNAMO_NAMES),
    row("frontend_cached_tokens_sum", M::EngineCachedTokens, Scale::ONE, DYNAMO_NAMES),
    row("component_gpu_cache_usage_percent", M::EngineKvUsed, Scale::ONE, DYNAMO_KV),
    row("component_kvstats_gpu_cache_usage_percent", M::EngineKvUsed, Scale::ONE, DYNAMO_KV).rank(1),
];

/// docs.nvidia.com/nim/large-language-models/latest/observability.html.
const NIM_DOCS: &str = "NIM for LLMs, observability";

/// NIM, whose names have no prefix.
pub(super) const NIM: Family = Family {
    title: "NIM",
    prefixes: &[""],
    engine: Some("nim"),
    rows: NIM_ROWS,
    histograms: &[
        histogram("time_to_first_token_seconds", TTFT, 0, NIM_DOCS),
        histogram("inter_token_latency_seconds", TPOT, 0, NIM_DOCS),
        histogram("time_per_output_token_seconds", TPOT, 1, NIM_DOCS),
    ],
};

const NIM_ROWS: &[Row] = &[
    row("prompt_tokens_total", M::EnginePromptTokens, Scale::ONE, NIM_DOCS),
    row("generation_tokens_total", M::EngineOutputTokens, Scale::ONE, NIM_DOCS),
    row("request_success_total", M::EngineRequests, Scale::ONE, NIM_DOCS),
    row("request_finish_total", M::EngineRequests, Scale::ONE, NIM_DOCS).rank(1),
    row("num_requests_running", M::EngineRunning, Scale::ONE, NIM_DOCS),
    row("num_requests_waiting", M::EngineWaiting, Scale::ONE, NIM_DOCS),
    row("gpu_cache_usage_perc", M::EngineKvUsed, Scale::ONE, NIM_DOCS),
];
