//! What was found, written: the coefficients as code, the error bands, and each point predicted beside measured.

use crate::bands::{Fold, Of, Tried, tried};
use crate::measured::{Measured, Read};
use sim::serving::band::Known;
use sim::serving::coefficients::Coefficients;
use sim::serving::served::Served;
use std::fmt::Write;
use std::path::Path;

/// Relative errors of predicted over measured.
#[derive(Default, Clone)]
struct Errors {
    tpot: Vec<f64>,
    ttft: Vec<f64>,
    rate: Vec<f64>,
}

impl Errors {
    /// Those of rows by a fit.
    fn of<'a>(&mut self, fitted: &Coefficients, rows: impl Iterator<Item = &'a Measured>) {
        for row in rows {
            if let Some(served) = row.predicted(fitted) {
                self.add(row, &served);
            }
        }
    }

    fn add(&mut self, row: &Measured, served: &Served) {
        self.tpot.push(served.tpot_s / row.tpot_s);
        // The measured rate is reckoned from both times, so that it tells as little as the first token does.
        if row.first_tells {
            self.ttft.push(served.ttft_s / row.ttft_s);
            self.rate.push(served.output_tokens_per_s_per_gpu / row.tokens_per_s_per_gpu());
        }
    }
}

/// Mean absolute error, bias and median absolute error of ratios, percent.
fn figures(ratios: &[f64]) -> [f64; 3] {
    let n = ratios.len().max(1) as f64;
    let mut off: Vec<f64> = ratios.iter().map(|ratio| (ratio - 1.0).abs()).collect();
    off.sort_by(f64::total_cmp);
    let mean = off.iter().sum::<f64>() / n * 100.0;
    let bias = ratios.iter().map(|ratio| ratio - 1.0).sum::<f64>() / n * 100.0;
    [mean, bias, off.get(off.len() / 2).copied().unwrap_or(0.0) * 100.0]
}

/// All rows that were left out in turn, together: by their name in the report, what was left out, and of which models.
const TOGETHER: [(&str, Known, Option<bool>); 4] = [
    ("each-model", Known::GpuAlone, None),
    ("each-dense-model", Known::GpuAlone, Some(false)),
    ("each-mixture", Known::GpuAlone, Some(true)),
    ("each-gpu", Known::ModelAlone, None),
];

/// Writes everything.
pub(crate) fn write(root: &Path, read: &Read, all: &Coefficients, folds: &[Fold]) {
    let rows = &read.rows;
    let mut table = String::from(
        "left_out,gpu,model,engine,format,points,tpot_mape_pct,tpot_bias_pct,tpot_median_pct,ttft_mape_pct,ttft_bias_pct,\
         ttft_median_pct,rate_mape_pct,rate_bias_pct,rate_median_pct\n",
    );
    let line = |table: &mut String, names: [&str; 5], errors: &Errors| {
        let [a, b, c] = figures(&errors.tpot);
        let [d, e, f] = figures(&errors.ttft);
        let [g, h, i] = figures(&errors.rate);
        let text = format!(
            "{},{},{a:.1},{b:.1},{c:.1},{d:.1},{e:.1},{f:.1},{g:.1},{h:.1},{i:.1}",
            names.join(","),
            errors.tpot.len()
        );
        eprintln!("{text}");
        let _ = writeln!(table, "{text}");
    };
    let of = |keep: &dyn Fn(&Measured) -> bool| {
        let mut errors = Errors::default();
        errors.of(all, rows.iter().filter(|row| keep(row)));
        errors
    };
    line(&mut table, ["", "", "", "", ""], &of(&|_| true));
    let mut groups: Vec<[&str; 4]> = rows.iter().map(|r| [r.gpu.as_str(), &r.model, &r.engine, &r.format]).collect();
    groups.sort_unstable();
    groups.dedup();
    for group in &groups {
        let [gpu, model, engine, format] = *group;
        let same = |r: &Measured| r.gpu == gpu && r.model == model && r.engine == engine && r.format == format;
        line(&mut table, ["", gpu, model, engine, format], &of(&same));
    }
    for fold in folds {
        let (kind, names) = match (fold.known, &fold.gpu, &fold.model) {
            (Known::ModelAlone, Some(gpu), _) => ("gpu", [gpu.as_str(), ""]),
            (Known::GpuAlone, _, Some(model)) => ("model", ["", model.as_str()]),
            _ => continue,
        };
        let mut errors = Errors::default();
        errors.of(&fold.fitted, fold.rows.iter().map(|at| &rows[*at]));
        line(&mut table, [kind, names[0], names[1], "", ""], &errors);
    }
    for (name, known, experts) in TOGETHER {
        let mut errors = Errors::default();
        for fold in folds.iter().filter(|fold| fold.known == known) {
            let rows = fold.rows.iter().map(|at| &rows[*at]);
            errors.of(&fold.fitted, rows.filter(|row| experts.is_none_or(|experts| experts == row.experts)));
        }
        line(&mut table, [name, "", "", "", ""], &errors);
    }
    let bands = bands(rows, folds);
    save(&root.join("server/catalog/validation/serving_errors.csv"), &table);
    save(&root.join("server/catalog/validation/serving_bands.csv"), &held(&bands));
    let lines: Vec<String> = read.left_out.iter().map(|(why, count)| format!("{count},{why}\n")).collect();
    let left_out = format!("rows,why\n{}", lines.concat());
    save(&root.join("server/catalog/validation/serving_left_out.csv"), &left_out);
    save(&root.join("server/catalog/validation/serving_points.csv"), &points(rows, all));
    save(&root.join("server/sim/src/serving/fitted.rs"), &code(rows, all, &bands));
}

/// Bands of one kind of feed-forward.
struct OfKind {
    experts: bool,
    tried: Tried,
}

/// Every band. Where neither was measured it is at least as wide as where one was.
fn bands(rows: &[Measured], folds: &[Fold]) -> Vec<OfKind> {
    let mut all: Vec<OfKind> = Vec::new();
    for experts in [false, true] {
        for of in Of::ALL {
            let [own, gpu, model, mut neither] = [Known::Both, Known::GpuAlone, Known::ModelAlone, Known::Neither]
                .map(|known| tried(rows, folds, known, of, &|row| row.experts == experts));
            for other in [&gpu, &model] {
                neither.band.low = neither.band.low.min(other.band.low);
                neither.band.high = neither.band.high.max(other.band.high);
            }
            all.extend([own, gpu, model, neither].map(|tried| OfKind { experts, tried }));
        }
    }
    all
}

fn held(bands: &[OfKind]) -> String {
    let mut text = String::from("known,kind,figure,left_out,points,inside\n");
    for OfKind { experts, tried } in bands {
        let kind = if *experts { "Experts" } else { "Dense" };
        for (name, points, inside) in &tried.held {
            let _ = writeln!(text, "{:?},{kind},{},{name},{points},{inside}", tried.known, tried.of.name());
        }
    }
    eprintln!("{text}");
    text
}

fn save(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    eprintln!("wrote {}", path.display());
}

fn points(rows: &[Measured], all: &Coefficients) -> String {
    let mut text = String::from(
        "gpu,model,engine,format,tensor,data,expert,concurrency,input_tokens,output_tokens,ttft_ms,tpot_ms,\
         predicted_ttft_ms,predicted_tpot_ms\n",
    );
    for row in rows {
        let (ttft, tpot) = row.predicted(all).map_or((f64::NAN, f64::NAN), |s| (s.ttft_s * 1e3, s.tpot_s * 1e3));
        let (d, l) = (&row.division, &row.load);
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{},{},{:.2},{:.3},{ttft:.2},{tpot:.3}",
            row.gpu,
            row.model,
            row.engine,
            row.format,
            d.tensor,
            d.data,
            d.expert,
            l.concurrency,
            l.input,
            l.output,
            row.ttft_s * 1e3,
            row.tpot_s * 1e3
        );
    }
    text
}

fn code(rows: &[Measured], all: &Coefficients, bands: &[OfKind]) -> String {
    let mut text = String::from(
        "//! Written by `make calibrate`; not by hand. Fitted to `benchmarks/serving_measured.csv`: aiconfigurator's public\n\
         //! silicon sample (Apache-2.0), points of H100 and B200 with all GPUs told. `examples/calibrate` says how.\n\n\
         use crate::serving::band::{Band, Bands, Kind, Known};\nuse crate::serving::coefficients::Coefficients;\n\n\
         /// The coefficients.\npub const FITTED: Coefficients = Coefficients {\n",
    );
    for (name, value) in Coefficients::NAMES.iter().zip(all.values()) {
        let _ = writeln!(text, "    {name}: {value:.5},");
    }
    let mut pairs: Vec<(&str, &str)> = rows.iter().map(|row| (row.gpu.as_str(), row.model.as_str())).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let _ = writeln!(
        text,
        "}};\n\n/// GPUs, and the models that were measured on them.\npub const MEASURED: &[(&str, &str)] = &{pairs:?};"
    );
    let _ = writeln!(
        text,
        "\n/// Measured over predicted, where 5% and 95% of points lie.\npub const BANDS: &[(Known, Kind, Bands)] = &["
    );
    for experts in [false, true] {
        for known in [Known::Both, Known::GpuAlone, Known::ModelAlone, Known::Neither] {
            let of = |of: Of| {
                let found = bands.iter().find(|b| b.experts == experts && b.tried.known == known && b.tried.of == of);
                let band = found.expect("each is made").tried.band;
                format!("{}: Band {{ low: {:.4}, high: {:.4} }}", of.name(), band.low, band.high)
            };
            let kind = if experts { "Experts" } else { "Dense" };
            let three = Of::ALL.map(of).join(", ");
            let _ = writeln!(text, "    (Known::{known:?}, Kind::{kind}, Bands {{ {three} }}),");
        }
    }
    text.push_str("];\n");
    text
}
