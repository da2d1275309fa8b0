//! What the tests of the optimizer share: the catalog, and reference designs as drawn.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use model::catalog::Catalog;
use model::design::Design;

pub(crate) fn catalog() -> Catalog {
    catalog::catalog().unwrap()
}

pub(crate) fn drawn(name: &str) -> Design {
    catalog::parse_design(name, catalog::design(name).unwrap().text).unwrap()
}
