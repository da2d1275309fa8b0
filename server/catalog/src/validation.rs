//! The serving model's validation report, as `make calibrate` wrote it.

use model::validation::{BandRow, ErrorRow, Validation, ValidationPoint};
use std::collections::BTreeMap;

const ERRORS: &str = include_str!("../validation/serving_errors.csv");
const BANDS: &str = include_str!("../validation/serving_bands.csv");
const LEFT_OUT: &str = include_str!("../validation/serving_left_out.csv");
const POINTS: &str = include_str!("../validation/serving_points.csv");

/// The shipped report. Rows that are none are left out, which a test forbids.
pub fn validation() -> Validation {
    Validation {
        errors: ERRORS.lines().skip(1).filter_map(error_row).collect(),
        bands: BANDS.lines().skip(1).filter_map(band_row).collect(),
        points: POINTS.lines().skip(1).filter_map(point).collect(),
        left_out: LEFT_OUT.lines().skip(1).filter_map(left_out).collect(),
        names: BTreeMap::new(),
    }
}

fn error_row(line: &str) -> Option<ErrorRow> {
    let fields: Vec<&str> = line.split(',').collect();
    let words = |at: usize| fields.get(at).map(|field| (*field).to_owned());
    let three = |at: usize| -> Option<[f64; 3]> {
        let number = |at: usize| fields.get(at)?.parse().ok();
        Some([number(at)?, number(at + 1)?, number(at + 2)?])
    };
    Some(ErrorRow {
        left_out: words(0)?,
        gpu: words(1)?,
        model: words(2)?,
        engine: words(3)?,
        format: words(4)?,
        points: fields.get(5)?.parse().ok()?,
        tpot: three(6)?,
        ttft: three(9)?,
        rate: three(12)?,
    })
}

/// A count, and after the first comma why.
fn left_out(line: &str) -> Option<(u32, String)> {
    let (rows, why) = line.split_once(',')?;
    Some((rows.parse().ok()?, why.to_owned()))
}

fn band_row(line: &str) -> Option<BandRow> {
    let fields: Vec<&str> = line.split(',').collect();
    let words = |at: usize| fields.get(at).map(|field| (*field).to_owned());
    let count = |at: usize| fields.get(at)?.parse().ok();
    Some(BandRow {
        known: words(0)?,
        kind: words(1)?,
        figure: words(2)?,
        left_out: words(3)?,
        points: count(4)?,
        inside: count(5)?,
    })
}

fn point(line: &str) -> Option<ValidationPoint> {
    let fields: Vec<&str> = line.split(',').collect();
    let words = |at: usize| fields.get(at).map(|field| (*field).to_owned());
    let count = |at: usize| fields.get(at)?.parse::<u32>().ok();
    let number = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some(ValidationPoint {
        gpu: words(0)?,
        model: words(1)?,
        engine: words(2)?,
        format: words(3)?,
        tensor: count(4)?,
        data: count(5)?,
        expert: count(6)?,
        concurrency: number(7)?,
        input: number(8)?,
        output: number(9)?,
        ttft_ms: number(10)?,
        tpot_ms: number(11)?,
        predicted_ttft_ms: number(12)?,
        predicted_tpot_ms: number(13)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bar of 90% bands: 85 to 95% of what a band was made without lies inside, in the mean of what was left out.
    #[test]
    fn bands_hold_nine_in_ten_of_points_that_they_were_made_without() {
        let bands = validation().bands;
        for (known, kind) in
            [("GpuAlone", "Dense"), ("GpuAlone", "Experts"), ("ModelAlone", "Dense"), ("ModelAlone", "Experts")]
        {
            for figure in ["tpot", "ttft", "rate"] {
                let of = |row: &&BandRow| {
                    (row.known.as_str(), row.kind.as_str(), row.figure.as_str()) == (known, kind, figure)
                };
                let shares: Vec<f64> =
                    bands.iter().filter(of).map(|row| f64::from(row.inside) / f64::from(row.points)).collect();
                let mean = shares.iter().sum::<f64>() / shares.len() as f64;
                assert!((0.85..=0.95).contains(&mean), "{known} {kind} {figure}: {mean}");
            }
        }
    }

    #[test]
    fn every_line_of_the_report_is_read() {
        let report = validation();
        assert_eq!(report.errors.len(), ERRORS.lines().count() - 1);
        assert_eq!(report.bands.len(), BANDS.lines().count() - 1);
        assert_eq!(report.points.len(), POINTS.lines().count() - 1);
        assert!(report.points.len() > 1_000 && report.points.iter().all(|p| p.predicted_tokens_per_s_per_gpu() > 0.0));
        let catalog = crate::catalog().unwrap();
        for point in &report.points {
            assert!(
                catalog.gpu(&point.gpu.parse().unwrap()).is_some()
                    && catalog.model(&point.model.parse().unwrap()).is_some()
            );
        }
    }
}
