//! What was found, written: the coefficients as code, the error bands, and each point predicted beside measured.

use crate::measured::Measured;
use sim::serving::coefficients::Coefficients;
use sim::serving::served::Served;
use std::fmt::Write;
use std::path::Path;

/// A fit that left out one GPU or one model.
pub(crate) struct Fold {
    /// Whether it was a GPU.
    pub(crate) gpu: bool,
    /// Which.
    pub(crate) name: String,
    /// Its coefficients.
    pub(crate) fitted: Coefficients,
}

/// Relative errors of predicted over measured.
#[derive(Default, Clone)]
struct Errors {
    tpot: Vec<f64>,
    ttft: Vec<f64>,
    /// Of first tokens that tell nothing too: bands are to hold whatever is measured.
    ttft_of_all: Vec<f64>,
    rate: Vec<f64>,
}

impl Errors {
    fn add(&mut self, row: &Measured, served: &Served) {
        self.tpot.push(served.tpot_s / row.tpot_s);
        self.ttft_of_all.push(served.ttft_s / row.ttft_s);
        if row.first_tells {
            self.ttft.push(served.ttft_s / row.ttft_s);
        }
        self.rate.push(served.output_tokens_per_s_per_gpu / row.tokens_per_s_per_gpu());
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

/// Writes everything.
pub(crate) fn write(root: &Path, rows: &[Measured], all: &Coefficients, folds: &[Fold]) {
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
    let of = |fitted: &Coefficients, keep: &dyn Fn(&Measured) -> bool| {
        let mut errors = Errors::default();
        for row in rows.iter().filter(|row| keep(row)) {
            if let Some(served) = row.predicted(fitted) {
                errors.add(row, &served);
            }
        }
        errors
    };
    line(&mut table, ["", "", "", "", ""], &of(all, &|_| true));
    let mut groups: Vec<[&str; 4]> = rows.iter().map(|r| [r.gpu.as_str(), &r.model, &r.engine, &r.format]).collect();
    groups.sort_unstable();
    groups.dedup();
    for group in &groups {
        let [gpu, model, engine, format] = *group;
        let same = |r: &Measured| r.gpu == gpu && r.model == model && r.engine == engine && r.format == format;
        line(&mut table, ["", gpu, model, engine, format], &of(all, &same));
    }
    for fold in folds {
        let kind = if fold.gpu { "gpu" } else { "model" };
        let names = if fold.gpu { [kind, &fold.name, "", "", ""] } else { [kind, "", &fold.name, "", ""] };
        line(
            &mut table,
            names,
            &of(&fold.fitted, &|r| if fold.gpu { r.gpu == fold.name } else { r.model == fold.name }),
        );
    }
    coverage(rows, folds);
    save(&root.join("server/catalog/validation/serving_errors.csv"), &table);
    save(&root.join("server/catalog/validation/serving_points.csv"), &points(rows, all));
    save(&root.join("server/sim/src/serving/fitted.rs"), &code(rows, all, folds));
}

/// Predicted over measured, of one figure.
type Ratio = fn(&Measured, &Served) -> f64;

/// Says how many points of each model lie in bands of 90% that were made without it: of the other models, each left out of
/// its fit, of its kind (dense or experts).
fn coverage(rows: &[Measured], folds: &[Fold]) {
    let ratios = |fold: &Fold, of: Ratio| -> Vec<f64> {
        let own = rows.iter().filter(|row| row.model == fold.name);
        own.filter_map(|row| row.predicted(&fold.fitted).map(|served| of(row, &served))).collect()
    };
    let experts = |fold: &Fold| rows.iter().any(|row| row.model == fold.name && row.experts);
    let figures: [(&str, Ratio); 3] = [
        ("tpot", |row, served| served.tpot_s / row.tpot_s),
        ("ttft", |row, served| served.ttft_s / row.ttft_s),
        ("rate", |row, served| served.output_tokens_per_s_per_gpu / row.tokens_per_s_per_gpu()),
    ];
    for fold in folds.iter().filter(|fold| !fold.gpu) {
        let alike = |other: &&Fold| !other.gpu && other.name != fold.name && experts(other) == experts(fold);
        for (name, of) in figures {
            let others: Vec<f64> = folds.iter().filter(alike).flat_map(|other| ratios(other, of)).collect();
            let [low, high] = band(&others);
            let own = ratios(fold, of);
            let inside = own.iter().filter(|ratio| (low..=high).contains(&(1.0 / **ratio))).count();
            eprintln!("{} {name}: {inside} of {} within {low:.2} to {high:.2}", fold.name, own.len());
        }
    }
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

/// Share of points that a band is to hold.
const COVERAGE: f64 = 0.90;

/// Where 5% and 95% of measured over predicted lie.
fn band(ratios: &[f64]) -> [f64; 2] {
    let mut logs: Vec<f64> = ratios.iter().map(|ratio| 1.0 / ratio).collect();
    logs.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * (logs.len().max(1) - 1) as f64;
        let (low, part) = (place.floor() as usize, place.fract());
        let upper = logs.get(low + 1).or(logs.last()).copied().unwrap_or(1.0);
        logs.get(low).copied().unwrap_or(1.0) * (1.0 - part) + upper * part
    };
    let tail = (1.0 - COVERAGE) / 2.0;
    [at(tail), at(1.0 - tail)]
}

fn code(rows: &[Measured], all: &Coefficients, folds: &[Fold]) -> String {
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
        for known in ["Both", "GpuAlone", "Neither"] {
            let mut errors = Errors::default();
            let mut take = |fitted: &Coefficients, keep: &dyn Fn(&Measured) -> bool| {
                for row in rows.iter().filter(|row| row.experts == experts && keep(row)) {
                    if let Some(served) = row.predicted(fitted) {
                        errors.add(row, &served);
                    }
                }
            };
            match known {
                "Both" => take(all, &|_| true),
                "GpuAlone" => folds.iter().filter(|f| !f.gpu).for_each(|f| take(&f.fitted, &|r| r.model == f.name)),
                _ => folds.iter().filter(|f| f.gpu).for_each(|f| take(&f.fitted, &|r| r.gpu == f.name)),
            }
            let show = |ratios: &[f64]| {
                let [low, high] = band(ratios);
                format!("Band {{ low: {low:.4}, high: {high:.4} }}")
            };
            let _ = writeln!(
                text,
                "    (Known::{known}, Kind::{}, Bands {{ tpot: {}, ttft: {}, rate: {} }}),",
                if experts { "Experts" } else { "Dense" },
                show(&errors.tpot),
                show(&errors.ttft_of_all),
                show(&errors.rate)
            );
        }
    }
    text.push_str("];\n");
    text
}
