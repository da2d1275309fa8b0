//! From words to figures: a serving point names a system, a model and formats as benchmarks do; what is meant is found in
//! the catalog, or it is said what isn't there.

use crate::nearest::{nearest, plain};
use crate::serving::coefficients::{Coefficients, Engine};
use crate::serving::held::{self, Held};
use crate::serving::search::Around;
use crate::serving::served::{Front, Lengths, Load};
use crate::serving::shape::{Format, Formats};
use crate::serving::step::{Drafts, Layout, NEWEST, Setup};
use model::catalog::Catalog;
use model::design::Precision;
use model::part::{Gpu, LanguageModel};
use model::served::{Division, Mode, Point};

/// A point whose parts were found.
#[derive(Debug, Clone)]
pub struct Found<'a> {
    /// The GPU.
    pub gpu: &'a Gpu,
    /// The model.
    pub model: &'a LanguageModel,
    /// Its formats.
    pub formats: Formats,
    /// What serves it.
    pub engine: Engine,
    /// Months that the engine's version is older than the newest measured.
    pub age_months: f64,
    /// Its drafts.
    pub drafts: Drafts,
    /// The load on the whole deployment.
    pub load: Load,
}

impl Found<'_> {
    /// One replica, or one worker of it.
    pub fn setup(&self, division: &Division, fitted: &Coefficients) -> Setup {
        let layout = Layout {
            tensor: division.tensor,
            pipeline: division.pipeline,
            data: division.data,
            expert: division.expert,
        };
        let setup = Setup::new(self.gpu, self.model, self.formats, layout, self.engine);
        Setup { age_months: self.age_months, ..setup }.with_drafts(self.drafts, fitted)
    }
}

/// Which names are meant, or all that there are: the end of a sentence that says that one is not there.
pub fn offered<'n>(wanted: &str, names: impl Iterator<Item = &'n str> + Clone) -> String {
    // Of a path on a hub, its last part.
    let near = nearest(wanted.rsplit('/').next().unwrap_or(wanted), names.clone());
    if near.is_empty() {
        let all: Vec<&str> = names.collect();
        format!("which has {}", all.join(", "))
    } else {
        format!("nearest to it are {}", near.join(", "))
    }
}

/// The GPU that a benchmark's system is named after: `h100_sxm`, `gb200`, `rtx_pro_6000_server`, a catalog id or name.
///
/// # Errors
/// With the GPUs that are nearest to it by name, or all where none is.
pub fn gpu<'a>(catalog: &'a Catalog, system: &str) -> Result<&'a Gpu, String> {
    let wanted = plain(system);
    let exact = catalog.gpus.iter().find(|gpu| plain(gpu.id.as_str()) == wanted || plain(&gpu.name) == wanted);
    // The longest name that one begins with the other: `a100sxm` and `a100sxm80`, `b200sxm` and `b200`.
    let near = || {
        let alike = |gpu: &&Gpu| {
            let id = plain(gpu.id.as_str());
            !wanted.is_empty()
                && (id.starts_with(&wanted)
                    || wanted.starts_with(&id)
                    || wanted.starts_with(id.trim_end_matches("sxm")))
        };
        // Of several, the module that servers carry, then the longest name.
        catalog.gpus.iter().filter(alike).max_by_key(|gpu| (gpu.id.as_str().contains("sxm"), gpu.id.as_str().len()))
    };
    exact.or_else(near).ok_or_else(|| {
        let offered = offered(system, catalog.gpus.iter().map(|gpu| gpu.id.as_str()));
        format!("no GPU {system:?} in the catalog, {offered}")
    })
}

/// The model that a path on a hub, an id or a name stands for.
///
/// # Errors
/// Where the catalog has none, with the nearest by name: a row of the user's own brings it.
pub fn language_model<'a>(catalog: &'a Catalog, path: &str) -> Result<&'a LanguageModel, String> {
    let base = |path: &str| plain(path.rsplit('/').next().unwrap_or(path));
    // Suffixes of checkpoints that change formats or training, not the architecture.
    let bare = |path: &str| {
        let mut name = base(path);
        for suffix in
            ["instruct", "fp8", "fp4", "nvfp4", "mxfp4", "fp8dynamic", "awq", "int4", "bf16", "0528", "chat", "it"]
        {
            if let Some(rest) = name.strip_suffix(suffix) {
                name = rest.to_owned();
            }
        }
        name
    };
    let (wanted, stem) = (base(path), bare(path));
    let names = |model: &LanguageModel| -> Vec<String> {
        let hub = model.hub.iter().map(String::as_str);
        hub.chain([model.id.as_str(), model.name.as_str()]).map(str::to_owned).collect()
    };
    let find =
        |same: &dyn Fn(&str) -> bool| catalog.models.iter().find(|model| names(model).iter().any(|name| same(name)));
    find(&|name| name.eq_ignore_ascii_case(path))
        .or_else(|| find(&|name| base(name) == wanted))
        .or_else(|| find(&|name| bare(name) == stem))
        .ok_or_else(|| {
            let offered = offered(path, catalog.models.iter().map(|model| model.id.as_str()));
            format!("no model {path:?} in the catalog, {offered}; a row of your own brings it (in commands by --parts)")
        })
}

/// What is to be said where a request is longer than a model's configuration allows; none where it is not, or not known.
pub fn too_long(model: &LanguageModel, tokens: f64) -> Option<String> {
    let most = f64::from(model.context_tokens);
    (most > 0.0 && tokens > most).then(|| {
        format!(
            "a context of {tokens:.0} tokens, though {} is configured for {most:.0} (some releases and engines take more)",
            model.name
        )
    })
}

/// A number format as engines name it (`fp8_block`, `w4a8_mxfp4_mxfp8`, `nvfp4`): what the weights have decides; none for a
/// name that tells none.
pub fn format(name: &str) -> Option<Format> {
    let name = plain(name);
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if name.is_empty() || name == "nan" {
        Some(Format::Bf16)
    } else if name.starts_with("w4") && has(&["fp4"]) || has(&["nvfp4", "mxfp4"]) || name == "fp4" {
        Some(Format::Fp4)
    } else if has(&["w4a8", "w4afp8", "fp8", "int8", "w8a8"]) || name == "sq" {
        Some(Format::Fp8)
    } else if has(&["int4", "awq", "gptq", "w4a16", "w4"]) {
        Some(Format::Int4)
    } else if has(&["fp4"]) {
        Some(Format::Fp4)
    } else if has(&["bf16", "bfloat16", "fp16", "float16", "half"]) {
        Some(Format::Bf16)
    } else {
        None
    }
}

/// A number format by any name that [`format()`] knows: what commands, forms and addresses take.
///
/// # Errors
/// With the formats that there are.
pub fn precision(name: &str) -> Result<Precision, String> {
    let known = if name.trim().is_empty() { None } else { format(name) };
    known.map(Precision::from).ok_or_else(|| {
        format!("{name:?} is no number format; there are {}", Precision::ALL.map(Precision::name).join(", "))
    })
}

/// Months between two of a year and month, not less than none.
fn months_before((year, month): (u32, u32), newest: (u32, u32)) -> f64 {
    let count = |(year, month): (u32, u32)| f64::from(year) * 12.0 + f64::from(month);
    (count(newest) - count((year, month))).clamp(0.0, 8.0)
}

/// When a version of an engine came out: TensorRT-LLM, vLLM and SGLang releases on GitHub.
fn released(version: &str) -> Option<(u32, u32)> {
    match version.trim_start_matches('v') {
        "1.0.0rc3" => Some((2025, 7)),
        "0.5.1.post1" => Some((2025, 8)),
        "0.11.2" => Some((2025, 11)),
        "0.12.0" => Some((2025, 12)),
        "1.2.0rc6.post1" => Some((2026, 1)),
        "0.15.1" | "0.5.8.post1" => Some((2026, 2)),
        "0.18.0" | "1.3.0rc1" | "0.5.9" => Some((2026, 3)),
        _ => None,
    }
}

/// Age that a version which nothing tells of is taken to have, months.
const AGE_UNKNOWN_MONTHS: f64 = 5.0;

/// Finds what a point speaks of.
///
/// DeepSeek-R1 on TensorRT-LLM 1.2.0rc6.post3, and on 1.1.0rc2.post2 measured in 2026, ran with drafts of the model's own
/// heads: those rows take half the time of the same rows of 1.2.0rc6.post2, and nothing else in them says so.
///
/// # Errors
/// With what is not in the catalog or not understood.
pub fn find<'a>(catalog: &'a Catalog, point: &Point) -> Result<Found<'a>, String> {
    let gpu = gpu(catalog, &point.system)?;
    let model = language_model(catalog, &point.model)?;
    // A row of a table that tells no format is of 16 bits.
    let known = |name: &str| format(name).map_or_else(|| precision(name).map(Format::from), Ok);
    let (dense, experts) = (known(&point.format)?, known(&point.expert_format)?);
    let mut formats = Formats::of(model, dense);
    if model.experts > 0 && model.expert_precision.is_none() {
        formats.experts = experts;
    }
    let engine =
        if point.engine.is_empty() { Engine::Vllm } else { Engine::named(&point.engine).unwrap_or(Engine::Vllm) };
    let formats = formats.on(engine, gpu);
    let latent = matches!(model.attention, model::part::Attention::Latent { .. });
    let drafted = latent
        && engine == Engine::TrtLlm
        && (point.version == "1.2.0rc6.post3"
            || (point.version == "1.1.0rc2.post2" && point.measured.is_some_and(|when| when >= (2026, 1))));
    let age_months = point
        .measured
        .or_else(|| released(&point.version))
        .map_or(AGE_UNKNOWN_MONTHS, |when| months_before(when, NEWEST));
    let held = match &point.mode {
        Mode::Together { division } if point.published => {
            held::published(gpu, model, engine, point, division, u32::from(drafted))
        }
        Mode::Together { .. } | Mode::Apart { .. } => Held::Not,
    };
    Ok(Found {
        gpu,
        model,
        formats,
        engine,
        age_months,
        drafts: if drafted { Drafts::Own } else { Drafts::None },
        load: Load {
            concurrency: point.concurrency,
            input: point.input,
            cached: 0.0,
            output: point.output,
            front: if point.drawn { Front::Engine } else { Front::Framework },
            lengths: if point.drawn { Lengths::Drawn } else { Lengths::Alike },
            held,
        },
    })
}

/// The replica of a point that serves prompts and answers together.
pub fn together(point: &Point) -> Option<&Division> {
    match &point.mode {
        Mode::Together { division } => Some(division),
        Mode::Apart { .. } => None,
    }
}

/// What stands around a GPU in the catalog's trays and racks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// GPUs of the largest scale-up domain that it comes in.
    pub domain: u32,
    /// Watts of the rest of its tray at work, for each GPU.
    pub overhead_w_per_gpu: f64,
    /// Its share of the tray's price over four years of hours.
    pub usd_per_gpu_hour: f64,
}

impl Node {
    /// It, with the facility's part: what a search reckons with.
    pub fn around(&self, pue: f64, usd_per_kwh: f64) -> Around {
        Around { node_w_per_gpu: self.overhead_w_per_gpu, pue, usd_per_gpu_hour: self.usd_per_gpu_hour, usd_per_kwh }
    }
}

/// Hours over which a tray's price is spread: four years.
const LIFE_HOURS: f64 = 4.0 * 8760.0;

/// The tray of a GPU with most of them, and the rack of it with the largest domain. A GPU without a tray stands alone, with
/// overhead and price in proportion to its board power as in the other trays.
pub fn node(catalog: &Catalog, gpu: &Gpu) -> Node {
    let with_gpus = |tray: &&model::part::Tray| tray.gpu.is_some() && tray.gpu_count > 0;
    let own = catalog
        .trays
        .iter()
        .filter(with_gpus)
        .filter(|tray| tray.gpu.as_ref() == Some(&gpu.id))
        .max_by_key(|t| t.gpu_count);
    let Some(tray) = own else {
        let (mut watts, mut overhead, mut price) = (0.0, 0.0, 0.0);
        for tray in catalog.trays.iter().filter(with_gpus) {
            let board = tray.gpu.as_ref().and_then(|id| catalog.gpu(id)).map_or(0.0, |gpu| gpu.board_power.as_watts());
            watts += board * f64::from(tray.gpu_count);
            overhead += tray.overhead_busy.as_watts();
            price += tray.price_dollars;
        }
        let share = gpu.board_power.as_watts() / f64::max(watts, 1.0);
        return Node { domain: 1, overhead_w_per_gpu: overhead * share, usd_per_gpu_hour: price * share / LIFE_HOURS };
    };
    let holds = |rack: &&model::part::Rack| {
        rack.trays.iter().any(|several| catalog.tray(&several.part).is_some_and(|t| t.gpu.as_ref() == Some(&gpu.id)))
    };
    let rack_domain = catalog.racks.iter().filter(holds).map(|rack| rack.domain_gpus).max().unwrap_or(0);
    let gpus = f64::from(tray.gpu_count);
    Node {
        domain: rack_domain.max(tray.domain_gpus).max(1),
        overhead_w_per_gpu: tray.overhead_busy.as_watts() / gpus,
        usd_per_gpu_hour: tray.price_dollars / gpus / LIFE_HOURS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_longer_than_the_model_takes_is_told() {
        let catalog = catalog::catalog().unwrap();
        let model = language_model(&catalog, "Qwen/Qwen3-32B").unwrap();
        assert!(too_long(model, 4_096.0).is_none());
        let told = too_long(model, 50_000.0).unwrap();
        assert!(told.starts_with("a context of 50000 tokens, though Qwen3 32B is configured for 40960"), "{told}");
    }

    #[test]
    fn formats_are_known_by_what_the_weights_have() {
        for (name, is) in [
            ("", Format::Bf16),
            ("bfloat16", Format::Bf16),
            ("fp8_block", Format::Fp8),
            ("fp8_ootb", Format::Fp8),
            ("int8_wo", Format::Fp8),
            ("nvfp4", Format::Fp4),
            ("w4a16_mxfp4", Format::Fp4),
            ("w4a8_mxfp4_mxfp8", Format::Fp4),
            ("w4afp8", Format::Fp8),
            ("int4_wo", Format::Int4),
        ] {
            assert_eq!(format(name), Some(is), "{name}");
        }
        assert_eq!(format("posit7"), None);
        assert_eq!(precision("posit7").unwrap_err(), r#""posit7" is no number format; there are bf16, fp8, fp4, int4"#);
        assert!(precision("").is_err() && precision("nvfp4") == Ok(Precision::Fp4));
        for known in Precision::ALL {
            assert_eq!(precision(known.name()), Ok(known));
            assert_eq!(Precision::from(Format::from(known)), known);
        }
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is_nearest() {
        let catalog = catalog::catalog().unwrap();
        let none = gpu(&catalog, "h900-sxm").unwrap_err();
        assert!(
            none.starts_with("no GPU \"h900-sxm\" in the catalog, nearest to it are ") && none.contains("h100-sxm"),
            "{none}"
        );
        let none = language_model(&catalog, "someone/Llama-3.9-70B").unwrap_err();
        assert!(none.contains("nearest to it are") && none.contains("llama-3.1-70b"), "{none}");
        let stranger = gpu(&catalog, "??").unwrap_err();
        assert!(stranger.contains("which has") && stranger.contains("h100-sxm"), "{stranger}");
    }

    #[test]
    fn a_format_that_a_gpu_can_not_compute_in_is_told() {
        let catalog = catalog::catalog().unwrap();
        let model = language_model(&catalog, "llama-3.1-8b").unwrap();
        let told = |name: &str, format| Formats::of(model, format).widened(gpu(&catalog, name).unwrap());
        let a100 = told("a100", Format::Fp8).unwrap();
        assert!(a100.contains("A100") && a100.contains("no FP8 arithmetic") && a100.contains("16 bits"), "{a100}");
        assert!(told("h100-sxm", Format::Fp4).unwrap().contains("no FP4 arithmetic"));
        assert_eq!(told("h100-sxm", Format::Fp8), None);
        assert_eq!((told("a100", Format::Int4), told("a100", Format::Bf16)), (None, None));
    }
}
