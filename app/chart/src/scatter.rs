//! Points against two axes, each of which may go by decades; a line with its band through them; the diagonal on which both
//! are equal.

use crate::canvas::{Anchor, Canvas, draw};
use crate::ink::Ink;
use crate::line::Role;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 92.0;
const RIGHT: f64 = WIDTH - 16.0;
const TOP: f64 = 52.0;
const BOTTOM: f64 = HEIGHT - 46.0;
/// Half of a point's width.
const DOT: f64 = 2.4;
/// Room for a letter of a name.
const LETTER: f64 = 7.6;

/// How an axis divides its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Evenly, from zero.
    Linear,
    /// By decades.
    Decades,
}

/// An axis.
#[derive(Clone, Copy)]
pub struct Axis<'a> {
    /// What it shows, with its unit.
    pub name: &'a str,
    /// How it divides its values.
    pub scale: Scale,
    /// A value in words.
    pub words: &'a dyn Fn(f64) -> String,
}

/// Points of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Cloud<'a> {
    /// What they are called.
    pub name: &'a str,
    /// Which colour they have.
    pub role: Role,
    /// The points.
    pub points: &'a [(f64, f64)],
}

/// A line with its band.
#[derive(Debug, Clone, Copy)]
pub struct Curve<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Which colour it has.
    pub role: Role,
    /// Its points, and between which values it may lie there.
    pub points: &'a [(f64, f64, f64, f64)],
}

/// The picture.
#[derive(Clone, Copy)]
pub struct Scatter<'a> {
    /// Across.
    pub across: Axis<'a>,
    /// Up.
    pub up: Axis<'a>,
    /// Points.
    pub clouds: &'a [Cloud<'a>],
    /// Lines, over them.
    pub curves: &'a [Curve<'a>],
    /// A point to be seen among all.
    pub chosen: Option<(f64, f64)>,
    /// Whether the line on which both axes are equal is drawn.
    pub diagonal: bool,
}

/// One axis with its ends.
struct Span {
    scale: Scale,
    low: f64,
    high: f64,
}

impl Span {
    fn of(scale: Scale, values: impl Iterator<Item = f64> + Clone) -> Self {
        let good = values.filter(|value| value.is_finite() && (scale == Scale::Linear || *value > 0.0));
        let (least, most) =
            good.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if !least.is_finite() {
            return Self { scale, low: 1.0, high: 10.0 };
        }
        match scale {
            Scale::Linear => Self { scale, low: 0.0, high: if most > 0.0 { most * 1.05 } else { 1.0 } },
            Scale::Decades => Self { scale, low: least * 0.85, high: (most * 1.18).max(least * 2.0) },
        }
    }

    fn share(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Decades => (value.max(1e-12) / self.low).log10() / (self.high / self.low).log10(),
        };
        share.clamp(0.0, 1.0)
    }

    /// Round values between the ends, not many.
    fn marks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => crate::canvas::marks(self.high, 6).into_iter().filter(|mark| *mark <= self.high).collect(),
            Scale::Decades => {
                let decades = (self.high / self.low).log10();
                let steps: &[f64] = if decades > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
                let first = self.low.log10().floor() as i32;
                let last = self.high.log10().ceil() as i32;
                let all = (first..=last).flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)));
                all.filter(|mark| (self.low..=self.high).contains(mark)).collect()
            }
        }
    }
}

/// Draws it, entitled.
pub fn scatter(chart: &Scatter<'_>, title: &str) -> String {
    let points = || chart.clouds.iter().flat_map(|cloud| cloud.points.iter().copied());
    let curves = || chart.curves.iter().flat_map(|curve| curve.points.iter().copied());
    let mut x = Span::of(chart.across.scale, points().map(|p| p.0).chain(curves().map(|p| p.0)));
    let mut y = Span::of(chart.up.scale, points().map(|p| p.1).chain(curves().flat_map(|p| [p.1, p.2, p.3])));
    if chart.diagonal {
        let (low, high) = (x.low.min(y.low), x.high.max(y.high));
        (x.low, y.low, x.high, y.high) = (low, low, high, high);
    }
    let at = |(px, py): (f64, f64)| (LEFT + (RIGHT - LEFT) * x.share(px), BOTTOM - (BOTTOM - TOP) * y.share(py));
    draw(WIDTH, HEIGHT, title, |canvas| {
        axes(canvas, chart, &x, &y);
        if chart.diagonal {
            canvas.line(&[at((x.low, x.low)), at((x.high, x.high))], Ink::TextSoft, 1.0);
        }
        for curve in chart.curves {
            let mut around: Vec<_> = curve.points.iter().map(|p| at((p.0, p.2))).collect();
            around.extend(curve.points.iter().rev().map(|p| at((p.0, p.3))));
            if around.len() > 3 {
                canvas.polygon(&around, curve.role.ink(), 0.16);
            }
        }
        for cloud in chart.clouds {
            for point in cloud.points {
                let (px, py) = at(*point);
                let square = [(px - DOT, py - DOT), (px + DOT, py - DOT), (px + DOT, py + DOT), (px - DOT, py + DOT)];
                canvas.polygon(&square, cloud.role.ink(), 0.7);
            }
        }
        for curve in chart.curves {
            let line: Vec<_> = curve.points.iter().map(|p| at((p.0, p.1))).collect();
            if line.len() > 1 {
                canvas.line(&line, curve.role.ink(), 2.0);
            }
        }
        if let Some(chosen) = chart.chosen {
            let (px, py) = at(chosen);
            let ring: Vec<(f64, f64)> = (0..=24)
                .map(|step| {
                    let angle = f64::from(step) / 24.0 * std::f64::consts::TAU;
                    (px + 7.0 * angle.cos(), py + 7.0 * angle.sin())
                })
                .collect();
            canvas.line(&ring, Ink::Text, 2.0);
        }
        legend(canvas, chart);
    })
}

fn axes(canvas: &Canvas<'_>, chart: &Scatter<'_>, x: &Span, y: &Span) {
    let mut ended = f64::NEG_INFINITY;
    for mark in x.marks() {
        let px = LEFT + (RIGHT - LEFT) * x.share(mark);
        canvas.line(&[(px, TOP), (px, BOTTOM)], Ink::Line, 1.0);
        let words = (chart.across.words)(mark);
        let half = words.chars().count() as f64 * LETTER / 2.0;
        if px - half > ended + 4.0 && px + half <= RIGHT + 12.0 {
            canvas.words(&words, (px, BOTTOM + 14.0), Anchor::Middle, Ink::TextSoft);
            ended = px + half;
        }
    }
    for mark in y.marks() {
        let py = BOTTOM - (BOTTOM - TOP) * y.share(mark);
        canvas.line(&[(LEFT, py), (RIGHT, py)], Ink::Line, 1.0);
        canvas.words(&(chart.up.words)(mark), (LEFT - 8.0, py), Anchor::End, Ink::TextSoft);
    }
    canvas.words(chart.across.name, (f64::midpoint(LEFT, RIGHT), BOTTOM + 34.0), Anchor::Middle, Ink::Text);
    canvas.words(chart.up.name, (8.0, TOP - 38.0), Anchor::Start, Ink::Text);
}

/// Names with their colours, from the right end of the line above the picture, under the name of the axis.
fn legend(canvas: &Canvas<'_>, chart: &Scatter<'_>) {
    let clouds = chart.clouds.iter().filter(|cloud| !cloud.points.is_empty()).map(|cloud| (cloud.name, cloud.role));
    let names: Vec<(&str, Role)> = chart.curves.iter().map(|curve| (curve.name, curve.role)).chain(clouds).collect();
    let mut right = RIGHT;
    for (name, role) in names.into_iter().rev() {
        let width = name.chars().count() as f64 * LETTER;
        canvas.words(name, (right, TOP - 20.0), Anchor::End, Ink::TextSoft);
        let px = right - width - 8.0;
        let square = [(px - 4.0, TOP - 24.0), (px + 4.0, TOP - 24.0), (px + 4.0, TOP - 16.0), (px - 4.0, TOP - 16.0)];
        canvas.polygon(&square, role.ink(), 1.0);
        right = px - 20.0;
    }
}
