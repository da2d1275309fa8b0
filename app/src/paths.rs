//! Every path of the site is built here, so that a link can't lead nowhere.

use model::id::{DesignId, RunId};

/// The overview.
pub const HOME: &str = "/";
/// All designs.
pub const DESIGNS: &str = "/designs";
/// All runs.
pub const RUNS: &str = "/runs";

/// One design.
pub fn design(id: &DesignId) -> String {
    format!("{DESIGNS}/{id}")
}

/// One run: its progress, then its report.
pub fn run(id: &RunId) -> String {
    format!("{RUNS}/{id}")
}

/// The live events of a run. Each message is a `model::run::RunState` as JSON.
pub fn run_events(id: &RunId) -> String {
    format!("/api/v1/runs/{id}/events")
}

/// The same paths as the router matches them.
pub mod route {
    use leptos_router::{ParamSegment, StaticSegment};

    /// The overview.
    pub const HOME: StaticSegment<&str> = StaticSegment("");
    /// All designs.
    pub const DESIGNS: StaticSegment<&str> = StaticSegment("designs");
    /// One design.
    pub const DESIGN: (StaticSegment<&str>, ParamSegment) = (DESIGNS, ParamSegment("id"));
    /// All runs.
    pub const RUNS: StaticSegment<&str> = StaticSegment("runs");
    /// One run.
    pub const RUN: (StaticSegment<&str>, ParamSegment) = (RUNS, ParamSegment("id"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_that_the_router_knows() {
        let id: RunId = "r-1".parse().unwrap();
        assert_eq!(run(&id), "/runs/r-1");
        assert_eq!(run_events(&id), "/api/v1/runs/r-1/events");
        assert_eq!(design(&"facility-100mw".parse().unwrap()), "/designs/facility-100mw");
    }
}
