//! What happened, kind by kind over a time: a lane for each kind, and in it a bar for each stretch, as high as it was often.

use crate::canvas::{Anchor, Canvas, draw};
use crate::ink::Ink;
use model::note::Severity;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 180.0;
const RIGHT: f64 = WIDTH - 44.0;
const TOP: f64 = 6.0;
/// Height of a lane, and of the highest bar in it.
const LANE: f64 = 26.0;
const HIGHEST: f64 = 20.0;
/// What happened once is still seen.
const LOWEST: f64 = 4.0;
const FOOT: f64 = 24.0;

/// What happened of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    /// What it is called.
    pub name: String,
    /// How much it matters.
    pub severity: Severity,
    /// How often, stretch by stretch.
    pub counts: Vec<u32>,
}

/// Lanes one above the other. All have the same scale, so that they can be compared; `marks` are shares of the width with
/// what stands beneath them.
pub fn event_lanes(lanes: &[Lane], marks: &[(f64, String)], title: &str) -> String {
    let bottom = TOP + LANE * lanes.len() as f64;
    let most = lanes.iter().flat_map(|lane| &lane.counts).copied().max().unwrap_or(1).max(1);
    draw(WIDTH, bottom + FOOT, title, |canvas| {
        for (share, words) in marks {
            let x = LEFT + (RIGHT - LEFT) * share;
            canvas.line(&[(x, TOP), (x, bottom)], Ink::Line, 1.0);
            canvas.words(words, (x, bottom + 13.0), Anchor::Middle, Ink::TextSoft);
        }
        for (at, lane) in lanes.iter().enumerate() {
            draw_lane(canvas, lane, TOP + LANE * (at + 1) as f64, most);
        }
    })
}

fn draw_lane(canvas: &Canvas<'_>, lane: &Lane, foot: f64, most: u32) {
    let ink = match lane.severity {
        Severity::Note => Ink::Note,
        Severity::Warning => Ink::Warning,
        Severity::Error => Ink::Error,
    };
    let room = (RIGHT - LEFT) / lane.counts.len().max(1) as f64;
    canvas.line(&[(LEFT, foot), (RIGHT, foot)], Ink::Line, 1.0);
    canvas.words(&lane.name, (LEFT - 8.0, foot - LANE / 2.0), Anchor::End, Ink::Text);
    for (at, count) in lane.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let height = (HIGHEST * f64::from(*count) / f64::from(most)).max(LOWEST);
        let from = LEFT + room * at as f64;
        canvas.rectangle((from + room * 0.1, foot - height), (from + room * 0.9, foot), ink);
    }
    let all: u32 = lane.counts.iter().sum();
    canvas.words(&all.to_string(), (RIGHT + 8.0, foot - LANE / 2.0), Anchor::Start, Ink::TextSoft);
}
