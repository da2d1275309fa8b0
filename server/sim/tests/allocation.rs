//! The step loop allocates nothing: a year of more steps asks for no more pieces of memory.

use model::quantity::Span;

#[test]
fn no_step_allocates() {
    let catalog = catalog::catalog().unwrap();
    for reference in catalog::designs() {
        let design = catalog::parse_design(reference.id, reference.text).unwrap();
        let site = sim::resolve(&design, &catalog).unwrap();
        let pieces = |minutes: f64| {
            let mut scenario = sim::defaults::scenario(&site, Span::from_hours(1.0), 1);
            scenario.step = Span::from_minutes(minutes);
            allocation_counter::measure(|| drop(sim::simulate(&site, &scenario))).count_total
        };
        // An hour needs no resampled copy made, so finer steps are compared with each other.
        assert_eq!(pieces(30.0), pieces(10.0), "{}", reference.id);
    }
}
