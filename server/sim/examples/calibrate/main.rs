//! Fits the serving model's coefficients to measured points and writes them, their error bands and the validation report.
//!
//! `make calibrate` runs it: it reads `benchmarks/serving_measured.csv` under `MILLWRIGHT_DATA`, fits, fits again without each
//! GPU, each model, both and each tenth of the points in turn, and writes `server/sim/src/serving/fitted.rs` and the files of
//! `server/catalog/validation/`. Same input, same bytes.

mod bands;
mod fit;
mod measured;
mod report;

use bands::Fold;
use fit::fit;
use measured::Measured;
use sim::serving::band::Known;
use sim::serving::coefficients::Coefficients;
use std::path::Path;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = std::env::var("MILLWRIGHT_DATA").map_or_else(|_| root.join("../shared/data"), Into::into);
    let path = data.join("benchmarks/serving_measured.csv");
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let catalog = catalog::catalog().expect("the shipped catalog parses");
    let read = measured::read(&path.display().to_string(), &bytes, &catalog);
    let rows: &[Measured] = &read.rows;
    eprintln!("{} points to fit; left out: {:?}", rows.len(), read.left_out);
    let all = fit(rows, &Coefficients::prior());
    for (name, (value, (prior, _))) in Coefficients::NAMES.iter().zip(all.values().iter().zip(Coefficients::PRIORS)) {
        eprintln!("{name:28} {value:9.4}  (before: {prior})");
    }
    let mut folds: Vec<Fold> = Vec::new();
    for (known, gpu, model) in left_out(rows) {
        let fits = |wanted: &Option<String>, name: &String| wanted.as_ref().is_none_or(|wanted| wanted == name);
        let tested = |row: &Measured| fits(&gpu, &row.gpu) && fits(&model, &row.model);
        let seen = |row: &Measured| gpu.as_ref() != Some(&row.gpu) && model.as_ref() != Some(&row.model);
        let kept: Vec<Measured> = rows.iter().filter(|row| seen(row)).cloned().collect();
        let rows = (0..rows.len()).filter(|at| tested(&rows[*at])).collect();
        folds.push(Fold { known, rows, fitted: fit(&kept, &all), gpu, model });
    }
    for part in 0..PARTS {
        let (out, kept): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(|at| at % PARTS == part);
        let kept: Vec<Measured> = kept.into_iter().map(|at| rows[at].clone()).collect();
        folds.push(Fold { known: Known::Both, rows: out, fitted: fit(&kept, &all), gpu: None, model: None });
    }
    report::write(&root, &read, &all, &folds);
}

/// Parts of the points, each of which is left out once to see how well points of measured pairs are predicted.
const PARTS: usize = 10;

/// GPUs, models and both at once, to be left out in turn.
fn left_out(rows: &[Measured]) -> Vec<(Known, Option<String>, Option<String>)> {
    let mut all: Vec<(Known, Option<String>, Option<String>)> = Vec::new();
    for row in rows {
        let (gpu, model) = (Some(row.gpu.clone()), Some(row.model.clone()));
        all.push((Known::GpuAlone, None, model.clone()));
        all.push((Known::ModelAlone, gpu.clone(), None));
        all.push((Known::Neither, gpu, model));
    }
    all.sort_by_key(|(known, gpu, model)| (*known as u8, gpu.clone(), model.clone()));
    all.dedup();
    all
}
