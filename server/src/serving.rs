//! Answers to the serving and the workload page: parts found in the catalog, the search run, measured points laid beside.

use crate::export::review;
use app::asked::Misread;
use app::governance::{UNASKED_GPU, UNASKED_LARGE, UNASKED_SMALL, WorkloadAsk, WorkloadShown};
use app::serving::{ServingAsk, ServingShown};
use model::catalog::Catalog;
use model::part::{Gpu, LanguageModel};
use model::validation::Validation;
use sim::serving::Refusal;
use sim::serving::ask;
use sim::serving::band::{Kind, bands, known};
use sim::serving::coefficients::Engine;
use sim::serving::fitted::FITTED;
use sim::serving::predict::of_replica;
use sim::serving::search::{Wanted, configure};
use sim::serving::served::Load;
use sim::serving::shape::{Format, Formats};
use sim::serving::step::Setup;
use sim::serving::workload::{self, Served};

/// Answers.
///
/// # Errors
/// Where the catalog has not even what is taken in the place of a part that it has not.
pub fn shown(catalog: &Catalog, validation: &Validation, mut asked: ServingAsk) -> Result<ServingShown, String> {
    let unasked = ServingAsk::default();
    let gpu = gpu(catalog, &mut asked.gpu, &unasked.gpu, &mut asked.misread)?;
    let model = language_model(catalog, ("model", "Model"), &mut asked.model, &unasked.model, &mut asked.misread)?;
    let format = Format::from(asked.precision);
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
        around: node.around(asked.pue, asked.usd_per_kwh),
    };
    let (answer, refused) = match configure(&FITTED, &wanted) {
        Ok(answer) => (Some(answer), None),
        Err(why) => (None, Some(why.to_string())),
    };
    let at = answer.as_ref().and_then(|answer| {
        let best = &answer.best;
        let setup = Setup::new(gpu, model, formats, best.layout, engine);
        let load = Load::of(f64::from(best.batch), wanted.input, wanted.output);
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

/// The GPU that an address names, by its catalog name from then on; or the one of a question that names none, which is told.
fn gpu<'a>(
    catalog: &'a Catalog,
    asked: &mut String,
    unasked: &str,
    misread: &mut Vec<Misread>,
) -> Result<&'a Gpu, String> {
    let found = ask::gpu(catalog, asked).or_else(|_| {
        let names = catalog.gpus.iter().map(|gpu| gpu.id.as_str());
        misread.push(absent(("gpu", "GPU"), asked, names, unasked));
        ask::gpu(catalog, unasked)
    })?;
    *asked = found.id.to_string();
    Ok(found)
}

/// The same of a model.
fn language_model<'a>(
    catalog: &'a Catalog,
    named: (&str, &str),
    asked: &mut String,
    unasked: &str,
    misread: &mut Vec<Misread>,
) -> Result<&'a LanguageModel, String> {
    let found = ask::language_model(catalog, asked).or_else(|_| {
        let names = catalog.models.iter().map(|model| model.id.as_str());
        misread.push(absent(named, asked, names, unasked));
        ask::language_model(catalog, unasked)
    })?;
    *asked = found.id.to_string();
    Ok(found)
}

fn absent<'n>(
    (key, name): (&str, &str),
    given: &str,
    names: impl Iterator<Item = &'n str> + Clone,
    used: &str,
) -> Misread {
    let offered = ask::offered(given, names);
    Misread {
        key: key.to_owned(),
        name: name.to_owned(),
        given: given.to_owned(),
        allowed: format!("one of the catalog, {offered}"),
        used: used.to_owned(),
    }
}

/// What a workload takes, and what careless choices add.
///
/// # Errors
/// Where the catalog has not even what is taken in the place of a part that it has not.
pub fn workload(catalog: &Catalog, mut asked: WorkloadAsk) -> Result<WorkloadShown, String> {
    let misread = &mut asked.misread;
    let gpu = gpu(catalog, &mut asked.gpu, UNASKED_GPU, misread)?;
    let large = language_model(catalog, ("large", "Model"), &mut asked.large, UNASKED_LARGE, misread)?;
    let small = language_model(catalog, ("small", "Smaller model"), &mut asked.small, UNASKED_SMALL, misread)?;
    let node = ask::node(catalog, gpu);
    let around = node.around(asked.pue, asked.usd_per_kwh);
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
    let shown = WorkloadShown {
        sheet: String::new(),
        names: [gpu.name.clone(), large.name.clone(), small.name.clone()],
        takes,
        refused,
        careless,
        assumed: Formats::of(large, Format::from(asked.workload.precision)).widened(gpu),
        band: (1.0 / rate.high, 1.0 / rate.low),
        gpus: catalog.gpus.iter().map(|gpu| (gpu.id.to_string(), gpu.name.clone())).collect(),
        models: catalog.models.iter().map(|model| (model.id.to_string(), model.name.clone())).collect(),
        ask: asked,
    };
    let bytes = review::sheet(&shown).map_err(|error| format!("could not write the review: {error}"))?;
    Ok(WorkloadShown { sheet: String::from_utf8_lossy(&bytes).into_owned(), ..shown })
}
