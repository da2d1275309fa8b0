//! Fits the serving model's coefficients to measured points and writes them, their error bands and the validation report.
//!
//! `make calibrate` runs it: it reads `benchmarks/serving_measured.csv` under `MILLWRIGHT_DATA`, fits, fits again without each
//! GPU and without each model in turn, and writes `server/sim/src/serving/fitted.rs` and the files of
//! `server/catalog/validation/`. Same input, same bytes.

mod fit;
mod measured;
mod report;

use fit::fit;
use measured::Measured;
use sim::serving::coefficients::Coefficients;
use std::path::Path;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = std::env::var("MILLWRIGHT_DATA").map_or_else(|_| root.join("../shared/data"), Into::into);
    let path = data.join("benchmarks/serving_measured.csv");
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let catalog = catalog::catalog().expect("the shipped catalog parses");
    let read = measured::read(&path.display().to_string(), &bytes, &catalog);
    let rows: Vec<Measured> = read.rows;
    eprintln!("{} points to fit; left out: {:?}", rows.len(), read.left_out);
    let all = fit(&rows, &Coefficients::prior());
    for (name, (value, (prior, _))) in Coefficients::NAMES.iter().zip(all.values().iter().zip(Coefficients::PRIORS)) {
        eprintln!("{name:28} {value:9.4}  (before: {prior})");
    }
    let without = |left_out: &dyn Fn(&Measured) -> bool| {
        let kept: Vec<Measured> = rows.iter().filter(|row| !left_out(row)).cloned().collect();
        fit(&kept, &all)
    };
    let mut names: Vec<(bool, String)> = Vec::new();
    for row in &rows {
        for name in [(true, row.gpu.clone()), (false, row.model.clone())] {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names.sort();
    let folds: Vec<report::Fold> = names
        .into_iter()
        .map(|(gpu, name)| {
            let fitted = without(&|row| if gpu { row.gpu == name } else { row.model == name });
            report::Fold { gpu, name, fitted }
        })
        .collect();
    report::write(&root, &rows, &all, &folds);
}
