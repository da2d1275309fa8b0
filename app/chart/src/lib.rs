//! Charts: series in, SVG text out.
//!
//! Never: names a colour, formats a number, measures text or touches a document. Colours are names of `style/tokens.css`
//! (`ink`); words for figures come in as a function (`app::format` has them); every label is placed by its anchor. So a
//! chart is the same bytes on the server, in the browser and in a test.
//!
//! Read `canvas` first, then a chart: `months`, `duration`, `flow`, `hours`, `beside`, `lanes`, `line`, `scatter`.

mod beside;
mod canvas;
mod duration;
mod flow;
mod hours;
mod ink;
mod lanes;
mod line;
mod months;
mod scatter;

pub use beside::{Bar, bars_beside_plan};
pub use duration::load_duration;
pub use flow::energy_flow;
pub use hours::year_of_hours;
pub use lanes::{Lane, event_lanes};
pub use line::{Line, Lines, PLOT, Role, lines_in_time};
pub use months::monthly_bars;
pub use scatter::{Axis, Cloud, Curve, Scale, Scatter, scatter, scatter_narrow};

/// What puts a figure into words, with its unit.
pub type Words = fn(f64) -> String;
