//! Parallel coordinates: each point a line over upright axes; a range drawn on an axis keeps the points that lie in it. The same
//! ranges can be typed.

use crate::optimum::{Brush, Coordinate, is_within};
use crate::{browser, format};
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

/// The axes with their points, as they lie on the picture.
#[derive(Clone, Copy)]
struct Sheet {
    points: StoredValue<Vec<Point>>,
    axes: StoredValue<Vec<Coordinate>>,
    /// Both ends of each axis; none where no point has a value on it.
    ends: StoredValue<Vec<Brush>>,
}

impl Sheet {
    fn count(self) -> usize {
        self.axes.with_value(Vec::len)
    }

    fn ends(self, at: usize) -> Brush {
        self.ends.with_value(|ends| ends.get(at).copied().flatten())
    }

    /// Where an axis stands.
    fn across(self, at: usize) -> f64 {
        SIDE + (WIDE - 2.0 * SIDE) * at as f64 / (self.count().max(2) - 1) as f64
    }

    /// How high a value lies on an axis; at its foot where it is none.
    fn up(self, at: usize, value: f64) -> f64 {
        self.ends(at).filter(|_| value.is_finite()).map_or(BOTTOM, |(low, high)| {
            let share = if high > low { (value - low) / (high - low) } else { 0.5 };
            BOTTOM - (BOTTOM - TOP) * share
        })
    }

    /// The value at a height of an axis.
    fn value(self, at: usize, y: f64) -> Option<f64> {
        let (low, high) = self.ends(at)?;
        Some(low + (high - low) * ((BOTTOM - y) / (BOTTOM - TOP)).clamp(0.0, 1.0))
    }

    fn line(self, point: &Point) -> String {
        let corners = self.axes.with_value(|axes| {
            let corner = |(at, axis): (usize, &Coordinate)| {
                format!("{},{}", tenths(self.across(at)), tenths(self.up(at, axis.value(point))))
            };
            axes.iter().enumerate().map(corner).collect::<Vec<_>>()
        });
        corners.join(" ")
    }

    /// Lines of all points, those outside the ranges first and so below.
    fn lines(self, brushes: &[Brush]) -> impl IntoView + use<> {
        self.points.with_value(|points| {
            let kept = |point: &&Point| self.axes.with_value(|axes| is_within(point, axes, brushes));
            let outside = points.iter().filter(|point| !kept(point));
            let outside = outside.map(|point| view! { <polyline class="out" points=self.line(point)/> });
            let inside = points.iter().filter(kept).map(|point| view! { <polyline points=self.line(point)/> });
            (outside.collect_view(), inside.collect_view())
        })
    }

    /// Each axis with its ends in words.
    fn axes(self) -> impl IntoView {
        let one = |(at, axis): (usize, &Coordinate)| {
            let x = tenths(self.across(at));
            let (low, high) = match self.ends(at) {
                Some((low, high)) if high > low => (axis.figure(low), axis.figure(high)),
                Some((low, _)) => (axis.figure(low), String::new()),
                None => ("as drawn".to_owned(), String::new()),
            };
            view! {
                <g>
                    <line class="axis" x1=x x2=x y1=TOP y2=BOTTOM/>
                    <text x=x y="16" text-anchor="middle">{high}</text>
                    <text x=x y="290" text-anchor="middle">{low}</text>
                </g>
            }
        };
        self.axes.with_value(|axes| axes.iter().enumerate().map(one).collect_view())
    }

    fn ranges(self, brushes: &[Brush]) -> impl IntoView + use<> {
        let one = |(at, brush): (usize, &Brush)| {
            let (low, high) = (*brush)?;
            let (top, foot) = (self.up(at, high), self.up(at, low));
            let (x, high) = (tenths(self.across(at) - 9.0), tenths((foot - top).max(2.0)));
            Some(view! { <rect class="brush" x=x width="18" y=tenths(top) height=high/> })
        };
        brushes.iter().enumerate().filter_map(one).collect_view()
    }
}

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
    let ends = points.with_value(|points| axes.with_value(|axes| axes.iter().map(|axis| axis.ends(points)).collect()));
    let sheet = Sheet { points, axes, ends: StoredValue::new(ends) };
    let place = move |event: &leptos::ev::PointerEvent| {
        let element = frame.get_untracked().and_then(|frame| frame.first_element_child())?;
        let (x, y) = browser::share_within(event, &element);
        Some((x * WIDE, y * HIGH))
    };
    let pressed = move |event: leptos::ev::PointerEvent| {
        let Some((x, y)) = place(&event) else { return };
        let near = (0..sheet.count()).find(|at| (sheet.across(*at) - x).abs() <= REACH);
        begun.set(near.map(|at| (at, y)));
    };
    // A press without a drag takes the range away.
    let drawn = move |event: &leptos::ev::PointerEvent| {
        let (Some((at, from)), Some((_, y))) = (begun.get_untracked(), place(event)) else { return };
        let (Some(a), Some(b)) = (sheet.value(at, from), sheet.value(at, y)) else { return };
        brushes.update(|brushes| brushes[at] = ((y - from).abs() > 3.0).then_some((a.min(b), a.max(b))));
    };
    let released = move |event: leptos::ev::PointerEvent| {
        drawn(&event);
        begun.set(None);
    };
    let heads = axes.with_value(|axes| axes.iter().map(|axis| view! { <span>{axis.words()}</span> }).collect_view());
    view! {
        <div class="parallel" tabindex="0" role="region" aria-label="Choices over their axes">
            <div class="heads" aria-hidden="true">{heads}</div>
            <div node_ref=frame on:pointerdown=pressed on:pointermove=move |event| drawn(&event) on:pointerup=released on:pointerleave=move |_| begun.set(None)>
                <svg viewBox="0 0 1000 300" role="img" aria-label="Each choice as a line over its goals, racks, limit and water">
                    {move || brushes.with(|brushes| sheet.lines(brushes))}
                    {sheet.axes()}
                    {move || brushes.with(|brushes| sheet.ranges(brushes))}
                </svg>
            </div>
        </div>
        <Fields axes brushes ends=sheet.ends/>
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
                <label><span class="hidden">"from"</span><input type="number" step="any" placeholder=least prop:value=move || shown(End::Low).map(format::plain).unwrap_or_default() on:change=move |event| set(event, End::Low)/></label>
                <label><span class="hidden">"to"</span><input type="number" step="any" placeholder=most prop:value=move || shown(End::High).map(format::plain).unwrap_or_default() on:change=move |event| set(event, End::High)/></label>
            </fieldset>
        }
    };
    let fields = axes.get_value();
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
fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
