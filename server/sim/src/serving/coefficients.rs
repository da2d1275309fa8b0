//! The fitted coefficients of the step-time model: each with the value that physics and published kernels suggest, and how
//! far a fit may take it from there.
//!
//! `make calibrate` fits them and writes `fitted.rs`. All are positive and are fitted as logarithms; a prior of width σ
//! keeps those that few measurements speak of where they began.

/// What serves: engines schedule prompts differently, and spend different time beside the kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// TensorRT-LLM.
    TrtLlm,
    /// vLLM; also stands for engines that nothing is known of.
    Vllm,
    /// SGLang: prompts first.
    Sglang,
}

impl Engine {
    /// Every engine that was measured.
    pub const ALL: [Self; 3] = [Self::TrtLlm, Self::Vllm, Self::Sglang];

    /// Its name in files and commands.
    pub fn name(self) -> &'static str {
        match self {
            Self::TrtLlm => "trtllm",
            Self::Vllm => "vllm",
            Self::Sglang => "sglang",
        }
    }

    /// The engine of a name.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "trtllm" | "tensorrt-llm" | "tensorrt_llm" | "trt" | "dynamo-trt" => Some(Self::TrtLlm),
            "vllm" | "dynamo-vllm" | "atom" => Some(Self::Vllm),
            "sglang" | "dynamo-sglang" | "mori-sglang" => Some(Self::Sglang),
            _ => None,
        }
    }
}

macro_rules! coefficients {
    ($($(#[doc = $doc:literal])+ $name:ident: $prior:literal within $sigma:literal,)+) => {
        /// The coefficients.
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub struct Coefficients { $($(#[doc = $doc])+ pub $name: f64,)+ }

        impl Coefficients {
            /// Their names, in order.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];
            /// Their values before any measurement, and how far one σ is, as a logarithm.
            pub const PRIORS: &'static [(f64, f64)] = &[$(($prior, $sigma)),+];

            /// From values in the order of [`NAMES`](Self::NAMES).
            ///
            /// # Panics
            /// Where there are fewer values than names.
            pub fn from_values(values: &[f64]) -> Self {
                let mut next = values.iter().copied();
                Self { $($name: next.next().expect("a value for each name"),)+ }
            }

            /// Their values, in the order of [`NAMES`](Self::NAMES).
            pub fn values(&self) -> Vec<f64> {
                vec![$(self.$name),+]
            }
        }
    };
}

coefficients! {
    /// Share of peak memory bandwidth that weights of attention and feed-forwards are read at.
    weight_bandwidth: 0.88 within 0.06,
    /// The same of experts' weights.
    expert_bandwidth: 0.72 within 0.10,
    /// The same of the past.
    past_bandwidth: 0.94 within 0.06,
    /// Share of the weights' bandwidth that dense 4-bit weights reach.
    fp4_dense: 0.85 within 0.15,
    /// The same of experts in 4 bits.
    fp4_expert: 0.90 within 0.15,
    /// Share of peak arithmetic in a step's matrix products.
    arithmetic: 0.75 within 0.20,
    /// The same of experts', whose tiles few tokens fill.
    expert_arithmetic: 0.28 within 0.50,
    /// How sharply the longer of reading and computing hides the shorter: t = (m^p + c^p)^(1/p).
    overlap: 1.6 within 0.30,
    /// The same of experts, whose kernels come close to doing one after the other.
    expert_overlap: 1.05 within 0.15,
    /// Passes of a token's activations through memory in a layer, 16-bit values of the hidden width.
    token_traffic: 30.0 within 0.25,
    /// The same for each expert that a token visits.
    expert_token_traffic: 8.0 within 0.40,
    /// Latency of an all-reduce, µs; two in a layer.
    collective_us: 3.0 within 0.70,
    /// What each doubling of its GPUs adds, µs.
    collective_doubling_us: 1.0 within 0.70,
    /// Share of link bandwidth that exchanges reach.
    link_share: 0.50 within 0.40,
    /// Latency of an exchange of tokens between experts' GPUs, µs; two in a layer.
    exchange_us: 10.0 within 0.70,
    /// What each doubling of its GPUs adds, µs.
    exchange_doubling_us: 2.0 within 0.70,
    /// Launches and gaps of a layer, µs.
    layer_us: 25.0 within 0.40,
    /// What quantising activations adds to it, µs.
    quantised_layer_us: 8.0 within 0.50,
    /// What latent attention's smaller products add, µs.
    latent_layer_us: 30.0 within 0.50,
    /// What routing adds in a layer with experts, µs.
    expert_layer_us: 25.0 within 0.40,
    /// Time of a step beside its layers, ms.
    step_ms: 0.30 within 0.70,
    /// Host time for each running request in a step, µs.
    request_us: 6.0 within 0.70,
    /// Host time for each prompt, ms.
    prompt_ms: 3.0 within 0.40,
    /// Share of peak arithmetic on prompts.
    prompt_arithmetic: 0.60 within 0.20,
    /// Share of it that 4-bit formats reach on prompts.
    prompt_fp4: 0.80 within 0.20,
    /// Share of 16-bit arithmetic that attention reaches on prompts.
    prompt_attention: 0.42 within 0.25,
    /// Share of peak arithmetic of experts on prompts.
    prompt_experts: 0.35 within 0.40,
    /// Extra time of the busiest GPU where experts are spread: × (1 + this / √(tokens for each expert)).
    imbalance: 0.30 within 0.70,
    /// Tokens that a step yields with three drafts of the model's own heads.
    accepted_three: 2.3 within 0.20,
    /// The same with one draft.
    accepted_one: 1.6 within 0.10,
    /// A prompt's own time to the first token, over its share of throughput.
    first_own: 1.2 within 0.30,
    /// Launches of a layer without recorded graphs, as prompts run, µs.
    first_layer_us: 150.0 within 0.50,
    /// What experts add to it, µs: routing, sorting, two grouped products and their formats are about as many kernels again.
    first_expert_layer_us: 150.0 within 0.50,
    /// What latent attention adds to it, µs.
    first_latent_layer_us: 400.0 within 0.70,
    /// How many times that takes with speculative decoding.
    first_drafts: 1.5 within 0.30,
    /// Front end until the engine sees a request and its first token is seen, ms: engine's own.
    front_engine_ms: 20.0 within 0.50,
    /// The same of a serving framework before the engine.
    front_framework_ms: 60.0 within 0.70,
    /// Share of others' prompts that a first token waits for where lengths differ: half of them in one round of ten, and a
    /// little, as steps go on beside them.
    wait_drawn: 0.055 within 0.30,
    /// TensorRT-LLM: time of a layer over the common.
    layer_trtllm: 1.0 within 0.15,
    /// TensorRT-LLM: routing.
    expert_layer_trtllm: 1.0 within 0.15,
    /// TensorRT-LLM: host time for a request.
    request_trtllm: 1.0 within 0.40,
    /// TensorRT-LLM: host time for a prompt.
    prompt_trtllm: 1.0 within 0.15,
    /// TensorRT-LLM: how much longer a step, reading of weights and past apart, takes with each month of the version's age.
    age_trtllm: 0.02 within 0.50,
    /// TensorRT-LLM: share of others' prompts that a first token waits for where all lengths are alike.
    wait_trtllm: 0.10 within 0.30,
    /// TensorRT-LLM: front end.
    front_trtllm: 1.0 within 0.40,
    /// TensorRT-LLM: experts on prompts.
    prompt_experts_trtllm: 1.0 within 0.40,
    /// vLLM: time of a layer over the common.
    layer_vllm: 1.0 within 0.15,
    /// vLLM: routing.
    expert_layer_vllm: 1.0 within 0.15,
    /// vLLM: host time for a request.
    request_vllm: 1.0 within 0.40,
    /// vLLM: host time for a prompt.
    prompt_vllm: 1.0 within 0.15,
    /// vLLM: longer with each month of age.
    age_vllm: 0.02 within 0.50,
    /// vLLM: share of others' prompts waited for.
    wait_vllm: 0.10 within 0.30,
    /// vLLM: front end.
    front_vllm: 1.0 within 0.40,
    /// vLLM: experts on prompts.
    prompt_experts_vllm: 1.0 within 0.40,
    /// SGLang: time of a layer over the common.
    layer_sglang: 1.0 within 0.15,
    /// SGLang: routing.
    expert_layer_sglang: 1.0 within 0.15,
    /// SGLang: host time for a request.
    request_sglang: 1.0 within 0.40,
    /// SGLang: host time for a prompt.
    prompt_sglang: 1.0 within 0.15,
    /// SGLang: longer with each month of age.
    age_sglang: 0.02 within 0.50,
    /// SGLang: share of others' prompts waited for; it computes prompts before it answers.
    wait_sglang: 0.50 within 0.30,
    /// SGLang: front end.
    front_sglang: 1.0 within 0.40,
    /// SGLang: experts on prompts.
    prompt_experts_sglang: 1.0 within 0.40,
}

/// Those of one engine, over the common ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OfEngine {
    /// Time of a layer.
    pub layer: f64,
    /// Routing of a layer with experts.
    pub expert_layer: f64,
    /// Host time for a request.
    pub request: f64,
    /// Host time for a prompt.
    pub prompt: f64,
    /// Growth of a step, reading of weights and past apart, with each month of the version's age.
    pub age: f64,
    /// Share of others' prompts that a first token waits for where all lengths are alike.
    pub wait: f64,
    /// Front end.
    pub front: f64,
    /// Experts on prompts.
    pub prompt_experts: f64,
}

impl Coefficients {
    /// Before any measurement.
    pub fn prior() -> Self {
        Self::from_values(&Self::PRIORS.iter().map(|(value, _)| *value).collect::<Vec<_>>())
    }

    /// Those of one engine.
    pub fn of(&self, engine: Engine) -> OfEngine {
        match engine {
            Engine::TrtLlm => OfEngine {
                layer: self.layer_trtllm,
                expert_layer: self.expert_layer_trtllm,
                request: self.request_trtllm,
                prompt: self.prompt_trtllm,
                age: self.age_trtllm,
                wait: self.wait_trtllm,
                front: self.front_trtllm,
                prompt_experts: self.prompt_experts_trtllm,
            },
            Engine::Vllm => OfEngine {
                layer: self.layer_vllm,
                expert_layer: self.expert_layer_vllm,
                request: self.request_vllm,
                prompt: self.prompt_vllm,
                age: self.age_vllm,
                wait: self.wait_vllm,
                front: self.front_vllm,
                prompt_experts: self.prompt_experts_vllm,
            },
            Engine::Sglang => OfEngine {
                layer: self.layer_sglang,
                expert_layer: self.expert_layer_sglang,
                request: self.request_sglang,
                prompt: self.prompt_sglang,
                age: self.age_sglang,
                wait: self.wait_sglang,
                front: self.front_sglang,
                prompt_experts: self.prompt_experts_sglang,
            },
        }
    }
}
