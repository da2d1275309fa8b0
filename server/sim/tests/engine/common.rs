//! What the engine's tests share: sites from reference designs, the years of the data folder, closeness.

use model::location::Location;
use model::quantity::Span;
use model::scenario::{Scenario, Weather};
use model::site::Site;
use std::path::PathBuf;

/// The reference design of that name, resolved.
pub(crate) fn site(id: &str) -> Site {
    let catalog = catalog::catalog().unwrap();
    let design = catalog::design(id).unwrap();
    sim::resolve(&catalog::parse_design(id, design.text).unwrap(), &catalog).unwrap()
}

/// Its default year in hours.
pub(crate) fn year(site: &Site) -> Scenario {
    sim::defaults::scenario(site, Span::from_hours(1.0), 1)
}

/// A file of the data folder; `None` where the folder is missing, which fails under `CI=true`.
pub(crate) fn data(path: &str) -> Option<(String, Vec<u8>)> {
    let root = std::env::var("MILLWRIGHT_DATA")
        .map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let file = root.join(path);
    if file.is_file() {
        return Some((path.to_owned(), std::fs::read(file).unwrap()));
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is missing, and CI needs it", file.display());
    eprintln!("skipped: {} is missing", file.display());
    None
}

/// A weather file of the data folder as the place reads it.
pub(crate) fn weather(path: &str, place: &Location) -> Option<Weather> {
    data(path).map(|(file, bytes)| input::weather(&file, &bytes, place).unwrap().0)
}

/// Relative difference.
pub(crate) fn off(a: f64, b: f64) -> f64 {
    (a - b).abs() / a.abs().max(b.abs()).max(1e-300)
}

/// Fails where `found` is not within a relative `tolerance` of `published`.
pub(crate) fn assert_close(what: &str, found: f64, published: f64, tolerance: f64) {
    assert!(off(found, published) <= tolerance, "{what}: found {found}, published {published}, tolerance {tolerance}");
}
