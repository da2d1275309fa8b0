//! Figures: a number with its unit set lighter, its band, its meter.

use crate::format::{self, Figure};
use leptos::prelude::*;
use model::report::Banded;

/// A figure with its unit.
#[component]
pub fn Number(
    /// What to show.
    figure: Figure,
) -> impl IntoView {
    let unit = (!figure.unit.is_empty()).then(|| view! { <span class="unit">"\u{202f}"{figure.unit}</span> });
    view! { <span class="figure">{figure.number}{unit}</span> }
}

/// A prediction with the range that it is expected to fall in.
#[component]
pub fn Band(
    /// The range.
    banded: Banded,
    /// Its value in words.
    figure: Figure,
    /// The ends of the range in words.
    ends: fn(f64) -> Figure,
) -> impl IntoView {
    let reach = format::band(&banded);
    let range = format!("expected between {} and {}", ends(banded.low), ends(banded.high));
    view! { <Number figure/> " " <span class="band" title=range>{reach}</span> }
}

/// One of a row of figures: what it is, how much, and what it is per or of.
#[component]
pub fn Kpi(
    /// What it is.
    #[prop(into)]
    label: String,
    /// What it is per, of, or measured at.
    #[prop(into)]
    detail: String,
    /// The figure.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="kpi">
            <dt>{label}</dt>
            <dd>{children()}</dd>
            <dd class="detail">{detail}</dd>
        </div>
    }
}

/// A bar that shows a share of a whole; the figure stands beside it in words.
#[component]
pub fn Meter(
    /// The share, 0 to 1; what is above 1 fills the bar.
    share: f64,
) -> impl IntoView {
    // In thousandths of the bar, so that no number need be formatted.
    let width = (share.clamp(0.0, 1.0) * 1000.0).round();
    let class = if share > 1.0 { "meter over" } else { "meter" };
    view! {
        <svg class=class viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true">
            <rect class="rail" width="1000" height="6"/>
            <rect class="fill" width=width height="6"/>
        </svg>
    }
}
