//! The measured points, found in the catalog and weighed.

use model::catalog::Catalog;
use model::served::Division;
use sim::serving::ask;
use sim::serving::coefficients::Coefficients;
use sim::serving::served::{Load, Served, closed_loop};
use std::collections::BTreeMap;

/// One measured point.
#[derive(Clone)]
pub(crate) struct Measured {
    /// Its GPU, as the catalog names it.
    pub(crate) gpu: String,
    /// Its model.
    pub(crate) model: String,
    /// What served it.
    pub(crate) engine: String,
    /// Format of its dense weights, as written.
    pub(crate) format: String,
    /// Whether the model has experts.
    pub(crate) experts: bool,
    /// Its division.
    pub(crate) division: Division,
    /// Its load.
    pub(crate) load: Load,
    /// Measured time to the first token, s.
    pub(crate) ttft_s: f64,
    /// Measured time between tokens, s.
    pub(crate) tpot_s: f64,
    /// Whether its first tokens tell of serving: those of SGLang's first 4-bit runs of DeepSeek-R1 took 5 to 9 s whatever the
    /// load, as kernels were compiled on first use.
    pub(crate) first_tells: bool,
    /// How much it counts: points of one system, model, engine and format are alike, and count as 15 at most.
    pub(crate) weight: f64,
    setup: sim::serving::step::Setup,
    found: Drafted,
}

#[derive(Clone, Copy)]
struct Drafted(sim::serving::step::Drafts);

impl Measured {
    /// What the model says.
    pub(crate) fn predicted(&self, fitted: &Coefficients) -> Option<Served> {
        closed_loop(fitted, &self.setup.with_drafts(self.found.0, fitted), &self.load)
    }

    /// Measured output tokens a second and GPU: requests at once over the time that each takes.
    pub(crate) fn tokens_per_s_per_gpu(&self) -> f64 {
        let residence = self.ttft_s + self.tpot_s * (self.load.output - 1.0);
        self.load.concurrency * self.load.output / residence / f64::from(self.setup.layout.gpus())
    }
}

/// What was read.
pub(crate) struct Read {
    /// Points to fit.
    pub(crate) rows: Vec<Measured>,
    /// Points that are not, by why.
    pub(crate) left_out: BTreeMap<&'static str, usize>,
}

/// Reads the table, leaving out what does not say how it was measured.
pub(crate) fn read(file: &str, bytes: &[u8], catalog: &Catalog) -> Read {
    let points = input::points(file, bytes).expect("a table of points");
    let mut left_out: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut seen = Vec::new();
    let mut rows: Vec<Measured> = Vec::new();
    for row in points.rows {
        let mut leave = |why| *left_out.entry(why).or_default() += 1;
        let Ok(point) = row.point else {
            leave("not understood");
            continue;
        };
        let Some(&division) = ask::together(&point) else {
            leave("prefill and decode apart, workers not told");
            continue;
        };
        let (Some(ttft_ms), Some(tpot_ms)) = (point.ttft_ms, point.tpot_ms) else {
            leave("not measured");
            continue;
        };
        let found = ask::find(catalog, &point).expect("the sample's parts are in the catalog");
        let gpus = division.tensor * division.data * division.pipeline;
        if gpus > 8 {
            leave("a rack's deployment of several workers");
            continue;
        }
        if !point.drawn && ((point.input - 4000.0).abs() < 1.0 || found.gpu.id.as_str() == "gb200") {
            leave("batch is not the number of requests at once");
            continue;
        }
        if found.model.id.as_str() == "gpt-oss-120b"
            && found.gpu.id.as_str() == "h100-sxm"
            && point.concurrency >= 512.0
        {
            leave("nominal concurrency was not reached");
            continue;
        }
        let same =
            (found.gpu.id.clone(), found.model.id.clone(), point.engine.clone(), ttft_ms.to_bits(), tpot_ms.to_bits());
        if seen.contains(&same) {
            leave("the same measurement twice");
            continue;
        }
        seen.push(same);
        let setup = found.setup(&division, &Coefficients::prior());
        rows.push(Measured {
            gpu: found.gpu.id.to_string(),
            model: found.model.id.to_string(),
            engine: point.engine.clone(),
            format: if point.format.is_empty() { "bf16".to_owned() } else { point.format.clone() },
            experts: found.model.experts > 0,
            division,
            load: found.load,
            ttft_s: ttft_ms / 1e3,
            tpot_s: tpot_ms / 1e3,
            first_tells: !(point.engine == "sglang" && point.format == "nvfp4" && point.measured == Some((2025, 11))),
            weight: 1.0,
            setup,
            found: Drafted(found.drafts),
        });
    }
    weigh(&mut rows);
    Read { rows, left_out }
}

fn weigh(rows: &mut [Measured]) {
    let key = |row: &Measured| (row.gpu.clone(), row.model.clone(), row.engine.clone(), row.format.clone());
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for row in rows.iter() {
        *counts.entry(key(row)).or_default() += 1;
    }
    for row in rows {
        row.weight = f64::sqrt(f64::min(1.0, 15.0 / counts[&key(row)] as f64));
    }
}
