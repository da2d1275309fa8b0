//! The one search of the engine: where a condition that turns once turns.

/// Halves `low..high` so many times, keeping `holds` true at the first end and false at the second; both are given back.
/// Where it holds nowhere the first end is still `low`, where it holds everywhere the second is still `high`.
pub(crate) fn turning_point(low: f64, high: f64, rounds: u32, mut holds: impl FnMut(f64) -> bool) -> (f64, f64) {
    let (mut low, mut high) = (low, high);
    for _ in 0..rounds {
        let middle = f64::midpoint(low, high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low, high)
}
