//! Answers to the serving and the workload page: parts found in the catalog, the search run, measured points laid beside.

use app::governance::{WorkloadAsk, WorkloadShown};
use app::serving::{ServingAsk, ServingShown};
use model::catalog::Catalog;
use model::validation::Validation;
use sim::serving::Refusal;
use sim::serving::ask;
use sim::serving::band::{Kind, bands, known};
use sim::serving::coefficients::Engine;
use sim::serving::fitted::FITTED;
use sim::serving::predict::of_replica;
use sim::serving::search::{Around, Wanted, configure};
use sim::serving::served::{Front, Load};
use sim::serving::shape::Formats;
use sim::serving::step::Setup;
use sim::serving::workload::{self, Served};

/// Answers.
///
/// # Errors
/// With the part that is not in the catalog.
pub fn shown(catalog: &Catalog, validation: &Validation, asked: ServingAsk) -> Result<ServingShown, String> {
    let gpu = ask::gpu(catalog, &asked.gpu)?;
    let model = ask::language_model(catalog, &asked.model)?;
    let format = ask::format(&asked.precision)
        .ok_or_else(|| format!("{:?} is no number format; there are bf16, fp8, fp4 and int4", asked.precision))?;
    let engine = Engine::named(&asked.engine).ok_or_else(|| format!("{:?} is no engine", asked.engine))?;
    let node = ask::node(catalog, gpu);
    let formats = Formats::of(model, format);
    let wanted = Wanted {
        gpu,
        count: asked.count,
        domain: node.domain,
        model,
        formats,
        engine,
        input: f64::from(asked.input),
        output: f64::from(asked.output),
        ttft_s: asked.ttft_ms / 1e3,
        tpot_s: asked.tpot_ms / 1e3,
        goal: asked.goal,
        around: Around {
            node_w_per_gpu: node.overhead_w_per_gpu,
            pue: asked.pue,
            usd_per_gpu_hour: node.usd_per_gpu_hour,
            usd_per_kwh: asked.usd_per_kwh,
        },
    };
    let (answer, refused) = match configure(&FITTED, &wanted) {
        Ok(answer) => (Some(answer), None),
        Err(why) => (None, Some(why.to_string())),
    };
    let at = answer.as_ref().and_then(|answer| {
        let best = &answer.best;
        let setup = Setup::new(gpu, model, formats, best.layout, engine);
        let load = Load {
            concurrency: f64::from(best.batch),
            input: wanted.input,
            cached: 0.0,
            output: wanted.output,
            front: Front::Engine,
        };
        of_replica(&FITTED, gpu, model, &setup, &load, Some(best.power_cap_w)).ok()
    });
    let measured = validation
        .points
        .iter()
        .filter(|point| point.gpu == gpu.id.as_str() && point.model == model.id.as_str())
        .filter(|point| ask::format(&point.format) == Some(format))
        .cloned()
        .collect();
    Ok(ServingShown {
        gpu: gpu.name.clone(),
        model: model.name.clone(),
        answer,
        refused,
        at,
        measured,
        gpus: catalog.gpus.iter().map(|gpu| (gpu.id.to_string(), gpu.name.clone())).collect(),
        models: catalog.models.iter().map(|model| (model.id.to_string(), model.name.clone())).collect(),
        ask: asked,
    })
}

/// What a workload takes, and what careless choices add.
///
/// # Errors
/// With the part that is not in the catalog.
pub fn workload(catalog: &Catalog, asked: WorkloadAsk) -> Result<WorkloadShown, String> {
    let gpu = ask::gpu(catalog, &asked.gpu)?;
    let (large, small) = (ask::language_model(catalog, &asked.large)?, ask::language_model(catalog, &asked.small)?);
    let node = ask::node(catalog, gpu);
    let around = Around {
        node_w_per_gpu: node.overhead_w_per_gpu,
        pue: asked.pue,
        usd_per_gpu_hour: node.usd_per_gpu_hour,
        usd_per_kwh: asked.usd_per_kwh,
    };
    let served = Served { gpu, domain: node.domain, large, small, around };
    let (takes, refused) = match workload::takes(&served, &asked.workload) {
        Ok(takes) => (Some(takes), None),
        Err(Refusal::TooLarge { weights, memory }) => (
            None,
            Some(format!(
                "the model does not fit: {:.0} GB of weights and one request in {:.0} GB of GPUs",
                weights / 1e9,
                memory / 1e9
            )),
        ),
        Err(Refusal::TargetsMissed { ttft_s, tpot_s }) => (
            None,
            Some(format!(
                "the targets can't be met: alone, a request takes {:.0} ms to its first token and {:.1} ms between tokens",
                ttft_s * 1e3,
                tpot_s * 1e3
            )),
        ),
    };
    let careless = if takes.is_some() { workload::careless(&served, &asked.workload) } else { Vec::new() };
    let rate = bands(known(gpu.id.as_str(), large.id.as_str()), Kind::of(large)).rate;
    Ok(WorkloadShown {
        names: [gpu.name.clone(), large.name.clone(), small.name.clone()],
        takes,
        refused,
        careless,
        band: (1.0 / rate.high, 1.0 / rate.low),
        gpus: catalog.gpus.iter().map(|gpu| (gpu.id.to_string(), gpu.name.clone())).collect(),
        models: catalog.models.iter().map(|model| (model.id.to_string(), model.name.clone())).collect(),
        ask: asked,
    })
}
