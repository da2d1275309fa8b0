//! Parallel coordinates: each point a line over upright axes; a range drawn on an axis keeps the points that lie in it. The same
//! ranges can be typed.

use crate::browser;
use crate::optimum::{Brush, Coordinate, is_within};
use leptos::html::Div;
use leptos::prelude::*;
use model::optimum::Point;

/// Width and height of the picture in its own units, and what is left for heads and feet.
const WIDE: f64 = 1000.0;
const HIGH: f64 = 300.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 274.0;
const SIDE: f64 = 70.0;
/// How near to an axis a pointer must be to draw on it.
const REACH: f64 = 40.0;

/// The axes with their points. `brushes` has a range for each axis, which the pointer and the fields below change.
#[component]
pub fn Parallel(
    /// The points.
    points: StoredValue<Vec<Point>>,
    /// The axes.
    axes: StoredValue<Vec<Coordinate>>,
    /// A range for each axis.
    brushes: RwSignal<Vec<Brush>>,
) -> impl IntoView {
    let frame = NodeRef::<Div>::new();
    let begun = RwSignal::new(None::<(usize, f64)>);
    let ends = points
        .with_value(|points| axes.with_value(|axes| axes.iter().map(|axis| axis.ends(points)).collect::<Vec<_>>()));
    let ends = StoredValue::new(ends);
    let across = move |at: usize| {
        let gaps = axes.with_value(|axes| axes.len().max(2) - 1) as f64;
        SIDE + (WIDE - 2.0 * SIDE) * at as f64 / gaps
    };
    let value_at = move |at: usize, y: f64| {
        let (low, high) = ends.with_value(|ends| ends.get(at).copied().flatten())?;
        let share = ((BOTTOM - y) / (BOTTOM - TOP)).clamp(0.0, 1.0);
        Some(low + (high - low) * share)
    };
    let place = move |event: &leptos::ev::PointerEvent| {
        let element = frame.get_untracked().and_then(|frame| frame.first_element_child())?;
        let (x, y) = browser::share_within(event, &element);
        Some((x * WIDE, y * HIGH))
    };
    let pressed = move |event: leptos::ev::PointerEvent| {
        let Some((x, y)) = place(&event) else { return };
        let count = axes.with_value(Vec::len);
        let near = (0..count).find(|at| (across(*at) - x).abs() <= REACH);
        begun.set(near.map(|at| (at, y)));
    };
    let moved = move |event: leptos::ev::PointerEvent| {
        let (Some((at, from)), Some((_, y))) = (begun.get_untracked(), place(&event)) else { return };
        let (Some(a), Some(b)) = (value_at(at, from), value_at(at, y)) else { return };
        brushes.update(|brushes| {
            // A press without a drag takes the range away.
            brushes[at] = ((y - from).abs() > 3.0).then_some((a.min(b), a.max(b)));
        });
    };
    let released = move |event: leptos::ev::PointerEvent| {
        if let (Some((at, from)), Some((_, y))) = (begun.get_untracked(), place(&event))
            && (y - from).abs() <= 3.0
        {
            brushes.update(|brushes| brushes[at] = None);
        }
        begun.set(None);
    };
    let up = move |at: usize, value: f64| {
        let ends = ends.with_value(|ends| ends.get(at).copied().flatten());
        ends.filter(|_| value.is_finite()).map_or(BOTTOM, |(low, high)| {
            let share = if high > low { (value - low) / (high - low) } else { 0.5 };
            BOTTOM - (BOTTOM - TOP) * share
        })
    };
    let line = move |point: &Point| {
        let corners = axes.with_value(|axes| {
            axes.iter()
                .enumerate()
                .map(|(at, axis)| format!("{},{}", rounded(across(at)), rounded(up(at, axis.value(point)))))
                .collect::<Vec<_>>()
        });
        corners.join(" ")
    };
    let lines = move || {
        let brushes = brushes.get();
        points.with_value(|points| {
            let kept = |point: &&Point| axes.with_value(|axes| is_within(point, axes, &brushes));
            let outside =
                points.iter().filter(|point| !kept(point)).map(|p| view! { <polyline class="out" points=line(p)/> });
            let inside = points.iter().filter(kept).map(|p| view! { <polyline points=line(p)/> });
            (outside.collect_view(), inside.collect_view())
        })
    };
    let drawn_axes = axes.with_value(|axes| {
        axes.iter()
            .copied()
            .enumerate()
            .map(|(at, axis)| {
                let x = rounded(across(at));
                let ends = ends.with_value(|ends| ends[at]);
                let (low, high) = ends.map_or_else(
                    || ("as drawn".to_owned(), String::new()),
                    |(low, high)| (axis.figure(low), if high > low { axis.figure(high) } else { String::new() }),
                );
                view! {
                    <g>
                        <line class="axis" x1=x x2=x y1=TOP y2=BOTTOM/>
                        <text x=x y="16" text-anchor="middle">{high}</text>
                        <text x=x y="290" text-anchor="middle">{low}</text>
                    </g>
                }
            })
            .collect_view()
    });
    let ranges = move || {
        brushes.get().into_iter().enumerate().filter_map(|(at, brush)| {
            let (low, high) = brush?;
            let (top, foot) = (up(at, high), up(at, low));
            Some(view! { <rect class="brush" x=rounded(across(at) - 9.0) width="18" y=rounded(top) height=rounded((foot - top).max(2.0))/> })
        }).collect_view()
    };
    let heads = axes.with_value(|axes| axes.iter().map(|axis| view! { <span>{axis.words()}</span> }).collect_view());
    view! {
        <div class="parallel">
            <div class="heads" aria-hidden="true">{heads}</div>
            <div node_ref=frame on:pointerdown=pressed on:pointermove=moved on:pointerup=released on:pointerleave=move |_| begun.set(None)>
                <svg viewBox="0 0 1000 300" role="img" aria-label="Each choice as a line over its goals, racks, limit and water">
                    {lines}
                    {drawn_axes}
                    {ranges}
                </svg>
            </div>
        </div>
        <Fields axes brushes ends/>
    }
}

/// The same ranges as fields, for keys and for exact figures.
#[component]
fn Fields(
    axes: StoredValue<Vec<Coordinate>>,
    brushes: RwSignal<Vec<Brush>>,
    ends: StoredValue<Vec<Brush>>,
) -> impl IntoView {
    let field = move |at: usize, axis: Coordinate| {
        let (least, most) = ends.with_value(|ends| ends[at]).unwrap_or_default();
        let set = move |event: leptos::ev::Event, is_low: End| {
            let Ok(value) = event_target_value(&event).trim().parse::<f64>() else { return };
            brushes.update(|brushes| {
                let (low, high) = brushes[at].unwrap_or((least, most));
                brushes[at] = Some(match is_low {
                    End::Low => (value, high.max(value)),
                    End::High => (low.min(value), value),
                });
            });
        };
        let shown = move |end: End| {
            brushes.with(|brushes| brushes[at]).map(|(low, high)| match end {
                End::Low => low,
                End::High => high,
            })
        };
        view! {
            <fieldset>
                <legend>{axis.words()}</legend>
                <label><span class="hidden">"from"</span><input type="number" step="any" placeholder=least prop:value=move || shown(End::Low).map(|v| rounded_words(v)) on:change=move |event| set(event, End::Low)/></label>
                <label><span class="hidden">"to"</span><input type="number" step="any" placeholder=most prop:value=move || shown(End::High).map(|v| rounded_words(v)) on:change=move |event| set(event, End::High)/></label>
            </fieldset>
        }
    };
    let fields = axes.with_value(|axes| axes.clone());
    let fields = fields.into_iter().enumerate().filter(|(at, _)| ends.with_value(|ends| ends[*at].is_some()));
    view! {
        <details class="ranges">
            <summary>"Ranges as numbers"</summary>
            <div class="fields">{fields.map(|(at, axis)| field(at, axis)).collect_view()}</div>
        </details>
    }
}

/// One end of a range.
#[derive(Clone, Copy)]
enum End {
    Low,
    High,
}

/// To a tenth of the picture's own unit.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// As many digits as a field needs to hold what was drawn.
fn rounded_words(value: f64) -> String {
    crate::format::plain(value)
}
