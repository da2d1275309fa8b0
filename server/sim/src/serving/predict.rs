//! One prediction: tokens, waits and watts of a serving point, and how sure each is.

use crate::serving::ask::{self, Found};
use crate::serving::band::{Band, Kind, Known, bands, known};
use crate::serving::coefficients::Coefficients;
use crate::serving::draw::{self, Draw};
use crate::serving::served::{Load, Served, closed_loop};
use crate::serving::shape::Format;
use crate::serving::step::{self, Drafts, Setup};
use model::part::{Attention, Gpu, LanguageModel};
use model::served::{Division, Mode, Point};
use serde::{Deserialize, Serialize};

/// A figure and between which values 90% of measured points would lie.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
pub struct Figure {
    /// The prediction.
    pub value: f64,
    /// 5% of measured points lie below.
    pub low: f64,
    /// And 5% above.
    pub high: f64,
}

impl Figure {
    fn within(value: f64, band: Band) -> Self {
        Self { value, low: value * band.low, high: value * band.high }
    }
}

/// What decides how fast a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Binds {
    /// Reading weights.
    Weights,
    /// Reading the past.
    Past,
    /// Arithmetic on prompts.
    Prompts,
    /// Arithmetic in the step.
    Arithmetic,
    /// Exchange between GPUs.
    Links,
    /// Launches and the host.
    Host,
    /// No room for more requests.
    MemorySize,
}

impl Binds {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Weights => "reading weights and experts",
            Self::Past => "reading the past",
            Self::Prompts => "arithmetic on prompts",
            Self::Arithmetic => "arithmetic",
            Self::Links => "links between GPUs",
            Self::Host => "launches and host",
            Self::MemorySize => "memory size",
        }
    }
}

/// What a deployment does under a load.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Prediction {
    /// Mean time to the first token, ms, queueing included.
    pub ttft_ms: Figure,
    /// Mean time between tokens after the first, ms.
    pub tpot_ms: Figure,
    /// Output tokens a second of one GPU, all GPUs of the deployment counted.
    pub output_tokens_per_s_per_gpu: Figure,
    /// Mean board power of one GPU, W.
    pub gpu_power_w: Figure,
    /// GPUs of the deployment.
    pub gpus: u32,
    /// The replica, or its decode worker.
    pub served: Served,
    /// Its power by phase.
    pub draw: Draw,
    /// What decides its speed.
    pub binds: Binds,
    /// What was measured of its parts.
    pub known: Known,
    /// What had to be assumed, in words; empty where nothing was.
    pub assumed: Vec<String>,
}

/// Why there is no prediction.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// A part that the catalog has not.
    #[error("{0}")]
    NotFound(String),
    /// The weights leave no room for one request: bytes of weights on a GPU and of its memory.
    #[error(
        "does not fit: {:.0} GB of weights on each GPU leave too little room in its {:.0} GB for one request's past",
        weights / 1e9,
        memory / 1e9
    )]
    DoesNotFit {
        /// Of weights.
        weights: f64,
        /// Of memory.
        memory: f64,
    },
}

/// GPUs above which a deployment of experts named as one replica is read as spread over all of them.
const SPREAD_ABOVE: u32 = 16;
/// Requests for which one decode worker is taken to be enough, squared growth beyond: of measured deployments that do not
/// say how many they have, √(C / this) comes nearest (mean error 40%).
const REQUESTS_PER_WORKER: f64 = 4.0;
/// Measured over predicted where prompts are computed apart, most of which do not tell their workers.
const UNTOLD: (Band, Band, Band) =
    (Band { low: 0.45, high: 3.2 }, Band { low: 0.29, high: 9.0 }, Band { low: 0.3, high: 2.2 });

/// Predicts a point of a catalog, under a cap of `cap_w` watts on each board if there is one.
///
/// # Errors
/// With why there is no answer.
pub fn predict(
    fitted: &Coefficients,
    catalog: &model::catalog::Catalog,
    point: &Point,
    cap_w: Option<f64>,
) -> Result<Prediction, Refusal> {
    let found = ask::find(catalog, point).map_err(Refusal::NotFound)?;
    match &point.mode {
        Mode::Together { division } => {
            let (division, assumed) = spread(found.model, *division);
            let (division, copies) = copies(found.model, division);
            sensible(found.model, &division)?;
            let setup = found.setup(&division, fitted);
            let load = Load { concurrency: f64::max(found.load.concurrency / f64::from(copies), 1.0), ..found.load };
            let mut prediction = of_replica(fitted, found.gpu, found.model, &setup, &load, cap_w)?;
            prediction.gpus *= copies;
            let domain = ask::node(catalog, found.gpu).domain;
            prediction.assumed.extend(beyond(&division, domain));
            if copies > 1 {
                prediction.assumed.push(format!("{copies} copies of the whole model that share the requests"));
            }
            if let Some(assumed) = assumed {
                prediction.widen(UNTOLD);
                prediction.assumed.push(assumed);
            }
            Ok(prediction)
        }
        Mode::Apart { prefill, prefill_workers, decode, decode_workers } => {
            apart(fitted, &found, (prefill, *prefill_workers), (decode, *decode_workers), cap_w)
        }
    }
}

/// Data parallelism of a dense model is so many copies of it, each with its share of the requests: the division of one, and how
/// many there are. Of experts it is of attention alone, in one replica.
fn copies(model: &LanguageModel, division: Division) -> (Division, u32) {
    if model.experts > 0 { (division, 1) } else { (Division { data: 1, ..division }, division.data.max(1)) }
}

/// What is to be said of a replica that is wider than its scale-up domain.
fn beyond(division: &Division, domain: u32) -> Option<String> {
    let gpus = division.tensor * division.data;
    (gpus > domain).then(|| {
        format!("{gpus} GPUs linked as fast as the {domain} of one node are; between nodes links are slower, and so are steps")
    })
}

/// Whether a division can be made at all.
fn sensible(model: &LanguageModel, division: &Division) -> Result<(), Refusal> {
    let group = division.tensor * division.data;
    if !model.heads.is_multiple_of(division.tensor.max(1)) {
        let (heads, gpus) = (model.heads, division.tensor);
        return Err(Refusal::NotFound(format!("{heads} heads can't be split evenly over {gpus} GPUs")));
    }
    if division.expert > group || (division.expert > 1 && !group.is_multiple_of(division.expert)) {
        let expert = division.expert;
        return Err(Refusal::NotFound(format!("experts can't be spread over {expert} of {group} GPUs")));
    }
    Ok(())
}

/// A rack's deployment of experts: attention data-parallel and experts spread over all of its GPUs.
fn spread(model: &LanguageModel, division: Division) -> (Division, Option<String>) {
    let gpus = division.tensor * division.data;
    let whole = gpus > SPREAD_ABOVE || !gpus.is_power_of_two();
    if model.experts == 0 || !whole || division.data > 1 {
        return (division, None);
    }
    let division = Division { tensor: 1, data: gpus, expert: gpus, ..division };
    (division, Some(format!("{gpus} GPUs are read as one group with experts spread over all")))
}

/// A replica that serves prompts and answers together.
///
/// # Errors
/// Where it does not fit.
pub fn of_replica(
    fitted: &Coefficients,
    gpu: &Gpu,
    model: &LanguageModel,
    setup: &Setup,
    load: &Load,
    cap_w: Option<f64>,
) -> Result<Prediction, Refusal> {
    let served = closed_loop(fitted, setup, load).ok_or_else(|| {
        let (weights, memory) = step::weights_and_memory(setup);
        Refusal::DoesNotFit { weights, memory }
    })?;
    let board_w = gpu.board_power.as_watts();
    let draw = draw::draw(fitted, setup, load, &served, board_w, cap_w.unwrap_or(board_w));
    let known = known(gpu.id.as_str(), model.id.as_str());
    let bands = bands(known, Kind::of(model));
    let slower = 1.0 / draw.speed.max(1e-9);
    Ok(Prediction {
        ttft_ms: Figure::within(served.ttft_s * 1e3 * slower, bands.ttft),
        tpot_ms: Figure::within(served.tpot_s * 1e3 * slower, bands.tpot),
        output_tokens_per_s_per_gpu: Figure::within(served.output_tokens_per_s_per_gpu * draw.speed, bands.rate),
        gpu_power_w: power(&draw, board_w.min(cap_w.unwrap_or(board_w))),
        gpus: setup.layout.gpus(),
        binds: binds(load, &served),
        served,
        draw,
        known,
        assumed: assumed(gpu, model, setup, load),
    })
}

fn power(draw: &Draw, most_w: f64) -> Figure {
    let value = draw.gpu_power_w;
    Figure { value, low: value * (1.0 - draw::ERROR), high: f64::min(value * (1.0 + draw::ERROR), most_w).max(value) }
}

fn assumed(gpu: &Gpu, model: &LanguageModel, setup: &Setup, load: &Load) -> Vec<String> {
    let drafts = (setup.drafts > 0.0)
        .then(|| format!("{:.0} drafts a step, which yield {:.2} tokens", setup.drafts, setup.accepted));
    let wide = setup.formats.past == Format::Bf16 && setup.formats.dense != Format::Bf16;
    let past = wide.then(|| "the past (KV cache) kept in 16 bits, as the engine does unasked".to_owned());
    let long = ask::too_long(model, load.input + load.output);
    setup.formats.widened(gpu).into_iter().chain(past).chain(long).chain(drafts).chain(load.held.told()).collect()
}

pub(crate) fn binds(load: &Load, served: &Served) -> Binds {
    let step = &served.step;
    if served.running < load.concurrency {
        return Binds::MemorySize;
    }
    if served.prefill_share > 0.5 {
        return Binds::Prompts;
    }
    let parts = [
        (step.weights + step.experts, Binds::Weights),
        (step.past, Binds::Past),
        (step.arithmetic + step.activations, Binds::Arithmetic),
        (step.links, Binds::Links),
        (step.host, Binds::Host),
    ];
    parts.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).map_or(Binds::Weights, |(_, binds)| binds)
}

impl Prediction {
    fn widen(&mut self, (tpot, ttft, rate): (Band, Band, Band)) {
        self.tpot_ms = Figure::within(self.tpot_ms.value, tpot);
        self.ttft_ms = Figure::within(self.ttft_ms.value, ttft);
        self.output_tokens_per_s_per_gpu = Figure::within(self.output_tokens_per_s_per_gpu.value, rate);
    }
}

/// A worker's division, or where its GPUs could not hold the model, the next larger that can: tables sometimes give a
/// worker's share of a size. With what is assumed then.
fn wide_enough(fitted: &Coefficients, found: &Found<'_>, division: &Division) -> (Division, Option<String>) {
    let fits = |division: &Division| {
        let (weights, memory) = step::weights_and_memory(&found.setup(division, fitted));
        weights < 0.95 * memory
    };
    let mut wide = *division;
    while !fits(&wide) && wide.tensor * wide.data < 256 {
        wide = if wide.data > 1 {
            Division { data: wide.data * 2, expert: wide.expert * 2, ..wide }
        } else {
            Division { tensor: wide.tensor * 2, ..wide }
        };
    }
    let said = (wide != *division)
        .then(|| format!("a worker of {} GPUs, as the model fits on no fewer", wide.tensor * wide.data));
    (wide, said)
}

/// Prompts on some workers, answers on others.
///
/// A decode worker serves its share of the requests without prompts between steps. A first token waits for its prompt, for
/// those before it at the prefill workers, and for its past to be sent.
fn apart(
    fitted: &Coefficients,
    found: &Found<'_>,
    (prefill, prefill_workers): (&Division, Option<u32>),
    (decode, decode_workers): (&Division, Option<u32>),
    cap_w: Option<f64>,
) -> Result<Prediction, Refusal> {
    let latent = matches!(found.model.attention, Attention::Latent { .. });
    let mut found = found.clone();
    let mut notes = Vec::new();
    let concurrency = found.load.concurrency;
    let workers = decode_workers.map_or_else(
        || {
            if latent && found.engine == crate::serving::coefficients::Engine::TrtLlm {
                found.drafts = Drafts::Own;
            }
            let guess = libm::sqrt(concurrency / REQUESTS_PER_WORKER).max(1.0);
            notes.push(format!("decode workers are not told; {guess:.1} are assumed"));
            guess
        },
        f64::from,
    );
    let (decode, wider) = wide_enough(fitted, &found, decode);
    notes.extend(wider);
    let setup = found.setup(&decode, fitted);
    let load = Load { concurrency: f64::max(concurrency / workers, 1.0), ..found.load };
    let mut prediction = of_replica(fitted, found.gpu, found.model, &setup, &load, cap_w)?;
    let slower = 1.0 / prediction.draw.speed.max(1e-9);
    let first = found.setup(prefill, fitted);
    let prompt_s = step::prefill(fitted, &first, found.load.input, 0.0);
    let tpot_s = prediction.served.step.total() * slower;
    let own_s = fitted.first_own * prompt_s + step::first_launches(fitted, &first);
    let decode_gpus = f64::from(setup.layout.gpus()) * workers;
    let rate_s = f64::from(found.load.concurrency as u32).max(1.0) / (found.load.output * tpot_s);
    let (ttft_s, prefill_gpus) = if let Some(told) = prefill_workers {
        let most = f64::from(told) / prompt_s;
        // In closed loop what the prefill workers can't take waits before them.
        let waits = f64::max(concurrency / most.min(rate_s) - concurrency / rate_s, 0.0);
        let busy = f64::min(rate_s / most, 0.95);
        (own_s + busy / (1.0 - busy) * prompt_s / 2.0 + waits, f64::from(told * first.layout.gpus()))
    } else {
        notes.push("prefill workers are not told; as many are assumed as keep up".to_owned());
        let busy = libm::ceil(rate_s * prompt_s).max(1.0);
        (own_s * 2.07 * libm::pow(concurrency.max(1.0), 0.42), busy * f64::from(first.layout.gpus()))
    };
    let gpus = decode_gpus + prefill_gpus;
    let residence = ttft_s + tpot_s * (found.load.output - 1.0);
    let rate = concurrency * found.load.output / residence / gpus;
    let known = bands(prediction.known, Kind::of(found.model));
    prediction.tpot_ms = Figure::within(tpot_s * 1e3, known.tpot);
    prediction.ttft_ms = Figure::within(ttft_s * 1e3, known.ttft);
    prediction.output_tokens_per_s_per_gpu = Figure::within(rate, known.rate);
    prediction.gpus = gpus.round() as u32;
    // Nothing that computes prompts apart was fitted, told workers or not.
    prediction.widen(UNTOLD);
    prediction.assumed.extend(notes);
    prediction.assumed.push("no deployment with prompts apart was fitted, so the band is wider".to_owned());
    Ok(prediction)
}
