//! How long an engine lets a prompt wait before it takes it: some are set to take many prompts at once, as a step with prompts
//! in it is slow, and a first token then waits for it.
//!
//! # Where the settings come from
//! InferenceX publishes its points without the settings of its engines, but the scripts that measure them are public
//! (SemiAnalysisAI/InferenceX, Apache-2.0, folder `benchmarks`). [`published`] has what they set:
//!
//! | script | setting |
//! |---|---|
//! | `dsr1_fp8_b200.sh`, `dsr1_fp4_b200.sh`, `dsr1_fp4_b300.sh` (SGLang) | `--scheduler-recv-interval` 10, from 16 requests at once 30; 10 always in 8 bits on 4 GPUs |
//! | `single_node/fixed_seq_len/qwen3.5_fp8_b200.sh` (SGLang) | the same interval 10 up to 4 requests at once, else 30 |
//! | `70b_fp8_b200_trt_slurm.sh`, `70b_fp8_h200_trt_slurm.sh` | answers and prompts of 1,024 on fewer than 8 GPUs: `batch_wait_timeout_iters` 20, `batch_wait_max_tokens_ratio` 0.9 of 16,384 tokens on B200, of the longest request on H200 |
//! | `dsr1_fp8_b200_trt.sh` | answers and prompts of 1,024 for 64 to 255 requests: 40 steps, 0.8 of 8,192 tokens |
//! | `dsr1_*_trt.sh`, data-parallel attention | `enable_balance`, `timeout_iters` 60: prompts begin when each rank has one |
//! | `gptoss_fp4_b200_trt.sh`, data-parallel attention | `enable_balance` with TensorRT-LLM's own 50 |

use crate::serving::coefficients::Engine;
use crate::serving::shape::Format;
use model::part::{Gpu, LanguageModel};
use model::served::{Division, Point};

/// Steps for which an engine lets prompts wait.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Held {
    /// A prompt is taken in the next step.
    #[default]
    Not,
    /// The engine looks for new prompts each so many steps.
    Polled(f64),
    /// From the first that comes, until there are enough prompts or enough steps have passed.
    Gathered {
        /// Steps that are enough.
        steps: f64,
        /// Prompts that are enough.
        prompts: f64,
    },
}

impl Held {
    /// Mean steps that a prompt waits, of which `rate` come in a step.
    ///
    /// Between two looks that is half of their interval. While prompts gather for T steps, the first waits all of T and the
    /// rate · T that follow half of it: (T + rate · T² / 2) / (1 + rate · T); T is the time until there are enough, at most that
    /// which is set.
    pub fn steps(self, rate: f64) -> f64 {
        match self {
            Self::Not => 0.0,
            Self::Polled(interval) => interval / 2.0,
            Self::Gathered { steps, prompts } => {
                let most = f64::min(steps, f64::max(prompts - 1.0, 0.0) / rate.max(1e-9));
                (most + rate * most * most / 2.0) / (1.0 + rate * most)
            }
        }
    }

    /// In words, for whoever reads a prediction; none where prompts are taken at once.
    pub fn told(self) -> Option<String> {
        match self {
            Self::Not => None,
            Self::Polled(interval) => Some(format!(
                "the engine looks for new prompts each {interval:.0} steps, as InferenceX's scripts set it"
            )),
            Self::Gathered { steps, .. } => {
                Some(format!("prompts wait for others, at most {steps:.0} steps, as InferenceX's scripts set it"))
            }
        }
    }
}

/// As InferenceX's scripts set the engine of one of its points; `drafted` is how many drafts a step has.
pub fn published(
    gpu: &Gpu,
    model: &LanguageModel,
    engine: Engine,
    point: &Point,
    division: &Division,
    drafted: u32,
) -> Held {
    let id = model.id.as_str();
    let blackwell = gpu.flops.fp4.is_some();
    let eight_bit = super::ask::format(&point.format) == Some(Format::Fp8);
    let short = point.input < 1024.5 && point.output < 1024.5;
    let polled = |seldom: bool| Held::Polled(if seldom { 30.0 } else { 10.0 });
    match engine {
        Engine::Sglang if blackwell && id == "deepseek-r1" => {
            polled(point.concurrency >= 16.0 && !(eight_bit && division.tensor == 4))
        }
        Engine::Sglang if blackwell && id.starts_with("qwen3.5") => polled(point.concurrency > 4.0),
        Engine::TrtLlm if division.data > 1 => {
            // Until each of so many ranks has a prompt: ranks · (ln ranks + 0.577) come in the mean.
            let ranks = f64::from(division.data);
            let steps = if id == "deepseek-r1" { 60.0 } else { 50.0 };
            Held::Gathered { steps, prompts: ranks * (libm::log(ranks) + 0.577) }
        }
        Engine::TrtLlm if model.experts == 0 && short && division.tensor < 8 => {
            let tokens = if blackwell { 16_384.0 } else { 2_248.0 };
            Held::Gathered { steps: 20.0, prompts: 0.9 * tokens / point.input }
        }
        Engine::TrtLlm
            if id == "deepseek-r1"
                && blackwell
                && eight_bit
                && short
                && drafted == 0
                && (64.0..256.0).contains(&point.concurrency) =>
        {
            Held::Gathered { steps: 40.0, prompts: 0.8 * 8192.0 / point.input }
        }
        Engine::TrtLlm | Engine::Vllm | Engine::Sglang => Held::Not,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::ask;
    use model::served::Mode;

    /// Settings of points as the scripts have them, and none of a point that nobody published or of which nothing is known.
    #[test]
    fn settings_are_those_of_the_scripts() {
        let catalog = catalog::catalog().unwrap();
        let of =
            |system: &str, model: &str, engine: &str, format: &str, (tensor, data): (u32, u32), concurrency: f64| {
                let division = Division { tensor, pipeline: 1, data, expert: data };
                let point = Point {
                    system: system.to_owned(),
                    model: model.to_owned(),
                    engine: engine.to_owned(),
                    version: String::new(),
                    measured: None,
                    format: format.to_owned(),
                    expert_format: format.to_owned(),
                    mode: Mode::Together { division },
                    concurrency,
                    input: 921.6,
                    output: 921.6,
                    drawn: true,
                    published: true,
                    ttft_ms: None,
                    tpot_ms: None,
                };
                let held = |point: &Point| ask::find(&catalog, point).unwrap().load.held;
                assert_eq!(held(&Point { published: false, ..point.clone() }), Held::Not);
                held(&point)
            };
        let (r1, llama) = ("deepseek-ai/DeepSeek-R1", "meta-llama/Llama-3.1-70B");
        assert_eq!(of("b200_sxm", r1, "sglang", "fp8_block", (8, 1), 8.0), Held::Polled(10.0));
        assert_eq!(of("b200_sxm", r1, "sglang", "fp8_block", (8, 1), 16.0), Held::Polled(30.0));
        assert_eq!(of("b200_sxm", r1, "sglang", "fp8_block", (4, 1), 16.0), Held::Polled(10.0));
        assert_eq!(of("b200_sxm", r1, "sglang", "nvfp4", (4, 1), 16.0), Held::Polled(30.0));
        assert_eq!(of("h200_sxm", r1, "sglang", "fp8_block", (8, 1), 16.0), Held::Not);
        let steps = |held: Held| if let Held::Gathered { steps, .. } = held { steps as u32 } else { 0 };
        assert_eq!(steps(of("b200_sxm", llama, "trtllm", "fp8", (4, 1), 16.0)), 20);
        assert_eq!(of("b200_sxm", llama, "trtllm", "fp8", (8, 1), 16.0), Held::Not);
        assert_eq!(of("b200_sxm", llama, "vllm", "fp8", (4, 1), 16.0), Held::Not);
        assert_eq!(steps(of("b200_sxm", r1, "trtllm", "nvfp4", (1, 8), 64.0)), 60);
        assert_eq!(steps(of("b200_sxm", r1, "trtllm", "fp8_block", (8, 1), 64.0)), 40);
        assert_eq!(of("b200_sxm", r1, "trtllm", "fp8_block", (8, 1), 32.0), Held::Not);
        assert_eq!(steps(of("b200_sxm", "openai/gpt-oss-120b", "trtllm", "w4a8_mxfp4_mxfp8", (1, 2), 64.0)), 50);
    }

    #[test]
    fn the_first_waits_longest_and_enough_prompts_end_it() {
        let held = Held::Gathered { steps: 20.0, prompts: 5.0 };
        assert!((held.steps(1e-6) - 20.0).abs() < 1e-3, "alone it waits all of it");
        // One in each step: four more have come after four steps.
        assert!((held.steps(1.0) - (4.0 + 8.0) / 5.0).abs() < 1e-12);
        assert!(held.steps(0.1) < 20.0 && held.steps(0.1) > held.steps(1.0));
        assert!((Held::Polled(30.0).steps(3.0) - 15.0).abs() < 1e-12);
        assert!(Held::Not.steps(1.0) == 0.0 && Held::Not.told().is_none());
    }
}
