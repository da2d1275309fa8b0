//! A canvas of plotters whose text scales with its page: no fixed width, no font, no colour.

use crate::ink::Ink;
use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, IntoDrawingArea, PathElement, Polygon, Rectangle, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, TextStyle};

/// Plotters draws on whole dots; this many of them to a unit keep curves smooth.
const DOTS: f64 = 4.0;
/// Plotters divides every font size by this.
const PLOTTERS_EM: f64 = 1.24;
/// Size of words, in units.
pub(crate) const TEXT: f64 = 13.0;

/// Where words stand, seen from their point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// They start at it.
    Start,
    /// They are centred on it.
    Middle,
    /// They end at it.
    End,
}

/// A sheet to draw on, in units of about a pixel.
pub(crate) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// Draws with `paint` on a sheet of that size and returns the finished SVG, entitled `title`.
pub(crate) fn draw(width: f64, height: f64, title: &str, paint: impl FnOnce(&Canvas<'_>)) -> String {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (dots(width) as u32, dots(height) as u32)).into_drawing_area();
        let canvas = Canvas { area };
        paint(&canvas);
        // Writing to a string can't fail; a shape that plotters refuses is left out.
        canvas.area.present().ok();
    }
    finish(&text, title)
}

impl Canvas<'_> {
    /// A filled rectangle from corner to corner.
    pub(crate) fn rectangle(&self, (x0, y0): (f64, f64), (x1, y1): (f64, f64), ink: Ink) {
        self.area.draw(&Rectangle::new([point(x0, y0), point(x1, y1)], ink.stand_in().filled())).ok();
    }
    /// A filled shape.
    pub(crate) fn polygon(&self, points: &[(f64, f64)], ink: Ink, opacity: f64) {
        let points: Vec<_> = points.iter().map(|&(x, y)| point(x, y)).collect();
        self.area.draw(&Polygon::new(points, ink.stand_in().mix(opacity))).ok();
    }
    /// A line through points.
    pub(crate) fn line(&self, points: &[(f64, f64)], ink: Ink, width: f64) {
        let points: Vec<_> = points.iter().map(|&(x, y)| point(x, y)).collect();
        self.area.draw(&PathElement::new(points, ink.stand_in().stroke_width(dots(width) as u32))).ok();
    }
    /// A line through points that lets what is behind it be seen.
    pub(crate) fn faint_line(&self, points: &[(f64, f64)], ink: Ink, width: f64, opacity: f64) {
        let points: Vec<_> = points.iter().map(|&(x, y)| point(x, y)).collect();
        let style = ink.stand_in().mix(opacity).stroke_width(dots(width) as u32);
        self.area.draw(&PathElement::new(points, style)).ok();
    }
    /// Words, centred on the height of their point.
    pub(crate) fn words(&self, words: &str, (x, y): (f64, f64), anchor: Anchor, ink: Ink) {
        let side = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let colour = ink.stand_in();
        let style = TextStyle::from(("inherit", TEXT * DOTS * PLOTTERS_EM).into_font())
            .color(&colour)
            .pos(Pos::new(side, VPos::Center));
        self.area.draw_text(words, &style, point(x, y)).ok();
    }
}

fn dots(units: f64) -> f64 {
    (units * DOTS).round()
}

fn point(x: f64, y: f64) -> (i32, i32) {
    (dots(x) as i32, dots(y) as i32)
}

/// What plotters wrote, as a picture that takes its page's width, colours and font, and says what it shows.
fn finish(svg: &str, title: &str) -> String {
    let inked = Ink::restore(svg).replace(" font-family=\"inherit\"", "").replace(" opacity=\"1\"", "");
    let view = inked.split("viewBox=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    let body = inked.split_once('>').map_or("", |(_, body)| body);
    format!("<svg class=\"chart\" role=\"img\" viewBox=\"{view}\"><title>{}</title>{body}", escape(title))
}

pub(crate) fn escape(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Round steps from 0 to at least `top`, about `count` of them: what an axis is marked with.
pub(crate) fn marks(top: f64, count: u32) -> Vec<f64> {
    if !top.is_finite() || top <= 0.0 {
        return vec![0.0, 1.0];
    }
    let rough = top / f64::from(count.max(1));
    let decade = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].iter().map(|k| k * decade).find(|s| *s >= rough).unwrap_or(decade * 10.0);
    let steps = (top / step).ceil() as u32;
    (0..=steps).map(|i| f64::from(i) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_reach_the_top() {
        assert_eq!(marks(87.0, 4), [0.0, 25.0, 50.0, 75.0, 100.0]);
        assert_eq!(marks(1.0, 4), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(marks(0.0, 4), [0.0, 1.0]);
        assert_eq!(marks(f64::NAN, 4), [0.0, 1.0]);
    }

    #[test]
    fn a_title_can_hold_any_words() {
        let svg = draw(10.0, 10.0, "a < b & c", |_| {});
        assert!(
            svg.starts_with("<svg class=\"chart\" role=\"img\" viewBox=\"0 0 40 40\"><title>a &lt; b &amp; c</title>")
        );
        assert!(svg.trim_end().ends_with("</svg>"));
    }
}
