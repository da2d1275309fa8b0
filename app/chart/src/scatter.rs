//! Points against two axes, each of which may go by decades; a line with its band through them; the diagonal on which both
//! are equal.

use crate::canvas::{Anchor, Canvas, draw};
use crate::ink::Ink;
use crate::line::Role;

/// Half of a point's width.
const DOT: f64 = 2.4;
/// Room for a letter of a name.
const LETTER: f64 = 7.6;

/// Room for a small and for a capital letter of a name in the legend.
const NAME_LETTERS: (f64, f64) = (6.6, 9.2);
/// Room for a line of the legend, where its names stand one below another.
const LINE: f64 = 18.0;

/// A sheet: its size, and where on it the points are.
#[derive(Clone, Copy)]
struct Sheet {
    width: f64,
    height: f64,
    left: f64,
    top: f64,
    is_narrow: bool,
}

impl Sheet {
    const WIDE: Self = Self { width: 640.0, height: 420.0, left: 92.0, top: 52.0, is_narrow: false };

    /// For a screen as wide as a hand: words as large as elsewhere, the names one below another.
    fn narrow(names: usize) -> Self {
        let top = 34.0 + LINE * names as f64;
        Self { width: 360.0, height: 340.0 + top, left: 84.0, top, is_narrow: true }
    }

    fn right(&self) -> f64 {
        self.width - 16.0
    }

    fn bottom(&self) -> f64 {
        self.height - 46.0
    }
}

/// How an axis divides its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Evenly, from zero.
    Linear,
    /// Evenly, between the values that there are: for what differs by little.
    Near,
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
        let good = values.filter(|value| value.is_finite() && (scale != Scale::Decades || *value > 0.0));
        let (least, most) =
            good.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if !least.is_finite() {
            return Self { scale, low: 1.0, high: 10.0 };
        }
        match scale {
            Scale::Linear => Self { scale, low: 0.0, high: if most > 0.0 { most * 1.05 } else { 1.0 } },
            Scale::Near => {
                let room = f64::max((most - least) * 0.08, most.abs() * 1e-3).max(1e-9);
                Self { scale, low: least - room, high: most + room }
            }
            Scale::Decades => Self { scale, low: least * 0.85, high: (most * 1.18).max(least * 2.0) },
        }
    }

    fn share(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear | Scale::Near => (value - self.low) / (self.high - self.low),
            Scale::Decades => (value.max(1e-12) / self.low).log10() / (self.high / self.low).log10(),
        };
        share.clamp(0.0, 1.0)
    }

    /// Round values between the ends, not many.
    fn marks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => crate::canvas::marks(self.high, 6).into_iter().filter(|mark| *mark <= self.high).collect(),
            Scale::Near => {
                // Of the round steps, the one that makes some four marks.
                let wide = (self.high - self.low) / 4.0;
                let decade = 10_f64.powi(wide.log10().floor() as i32);
                let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * decade).find(|step| *step >= wide);
                let step = step.unwrap_or(wide);
                let first = (self.low / step).ceil() as i64;
                let last = (self.high / step).floor() as i64;
                (first..=last).map(|at| at as f64 * step).collect()
            }
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
    on(Sheet::WIDE, chart, title)
}

/// The same for a narrow screen, where the wide one's words would be too small to read.
pub fn scatter_narrow(chart: &Scatter<'_>, title: &str) -> String {
    on(Sheet::narrow(chart.names().count()), chart, title)
}

fn on(sheet: Sheet, chart: &Scatter<'_>, title: &str) -> String {
    let points = || chart.clouds.iter().flat_map(|cloud| cloud.points.iter().copied()).chain(chart.chosen);
    let curves = || chart.curves.iter().flat_map(|curve| curve.points.iter().copied());
    let mut x = Span::of(chart.across.scale, points().map(|p| p.0).chain(curves().map(|p| p.0)));
    let mut y = Span::of(chart.up.scale, points().map(|p| p.1).chain(curves().flat_map(|p| [p.1, p.2, p.3])));
    if chart.diagonal {
        let (low, high) = (x.low.min(y.low), x.high.max(y.high));
        (x.low, y.low, x.high, y.high) = (low, low, high, high);
    }
    let (across, up) = (sheet.right() - sheet.left, sheet.bottom() - sheet.top);
    let at = |(px, py): (f64, f64)| (sheet.left + across * x.share(px), sheet.bottom() - up * y.share(py));
    draw(sheet.width, sheet.height, title, |canvas| {
        axes(canvas, sheet, chart, (&x, &y));
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
        legend(canvas, sheet, chart);
    })
}

impl<'a> Scatter<'a> {
    /// Names of what is drawn, with their colours.
    fn names(&self) -> impl DoubleEndedIterator<Item = (&'a str, Role)> {
        let clouds = self.clouds.iter().filter(|cloud| !cloud.points.is_empty()).map(|cloud| (cloud.name, cloud.role));
        self.curves.iter().map(|curve| (curve.name, curve.role)).chain(clouds)
    }
}

fn axes(canvas: &Canvas<'_>, sheet: Sheet, chart: &Scatter<'_>, (x, y): (&Span, &Span)) {
    let (left, right, top, bottom) = (sheet.left, sheet.right(), sheet.top, sheet.bottom());
    let mut ended = f64::NEG_INFINITY;
    for mark in x.marks() {
        let px = left + (right - left) * x.share(mark);
        canvas.line(&[(px, top), (px, bottom)], Ink::Line, 1.0);
        let words = (chart.across.words)(mark);
        let half = words.chars().count() as f64 * LETTER / 2.0;
        if px - half > ended + 4.0 && px + half <= right + 12.0 {
            canvas.words(&words, (px, bottom + 14.0), Anchor::Middle, Ink::TextSoft);
            ended = px + half;
        }
    }
    for mark in y.marks() {
        let py = bottom - (bottom - top) * y.share(mark);
        canvas.line(&[(left, py), (right, py)], Ink::Line, 1.0);
        canvas.words(&(chart.up.words)(mark), (left - 8.0, py), Anchor::End, Ink::TextSoft);
    }
    canvas.words(chart.across.name, (f64::midpoint(left, right), bottom + 34.0), Anchor::Middle, Ink::Text);
    canvas.words(chart.up.name, (8.0, 14.0), Anchor::Start, Ink::Text);
}

/// Names with their colours, under the name of the axis: from the right end of one line, or one below another.
fn legend(canvas: &Canvas<'_>, sheet: Sheet, chart: &Scatter<'_>) {
    let square = |px: f64, py: f64, role: Role| {
        let corners = [(px - 4.0, py - 4.0), (px + 4.0, py - 4.0), (px + 4.0, py + 4.0), (px - 4.0, py + 4.0)];
        canvas.polygon(&corners, role.ink(), 1.0);
    };
    if sheet.is_narrow {
        for (at, (name, role)) in chart.names().enumerate() {
            let py = 14.0 + LINE * (at as f64 + 1.0);
            square(12.0, py, role);
            canvas.words(name, (24.0, py), Anchor::Start, Ink::TextSoft);
        }
        return;
    }
    let mut right = sheet.right();
    for (name, role) in chart.names().rev() {
        let width: f64 = name.chars().map(|c| if c.is_uppercase() { NAME_LETTERS.1 } else { NAME_LETTERS.0 }).sum();
        canvas.words(name, (right, sheet.top - 20.0), Anchor::End, Ink::TextSoft);
        let px = right - width - 8.0;
        square(px, sheet.top - 20.0, role);
        right = px - 20.0;
    }
}
