//! What was made hour by hour or day by day, beside what was planned: bars from zero under a stepped line.

use crate::Words;
use crate::canvas::{Anchor, Canvas, draw, marks};
use crate::ink::Ink;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 120.0;
const RIGHT: f64 = WIDTH - 8.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = HEIGHT - 28.0;
/// Bars whose names all fit beneath them.
const NAMES_FIT: usize = 31;

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What it is called beneath.
    pub name: String,
    /// How high it is; absent where nothing was read, and then a dash stands there.
    pub value: Option<f64>,
    /// What was planned.
    pub planned: Option<f64>,
}

/// Bars from zero, called `made`, with what was planned of each as a line over them. `across` says what the names are of.
pub fn bars_beside_plan(bars: &[Bar], title: &str, made: &str, across: &str, words: Words) -> String {
    let values = bars.iter().flat_map(|bar| [bar.value, bar.planned]).flatten();
    let marks = marks(values.fold(0.0, f64::max) * 1.04, 4);
    let top = marks.last().copied().unwrap_or(1.0);
    let up = |value: f64| BOTTOM - (BOTTOM - TOP) * value.max(0.0) / top;
    let room = (RIGHT - LEFT) / bars.len().max(1) as f64;
    let each = bars.len().div_ceil(NAMES_FIT).max(1);
    draw(WIDTH, HEIGHT, title, |canvas| {
        for &mark in &marks {
            canvas.line(&[(LEFT, up(mark)), (RIGHT, up(mark))], Ink::Line, 1.0);
            canvas.words(&words(mark), (LEFT - 8.0, up(mark)), Anchor::End, Ink::TextSoft);
        }
        canvas.words(across, (LEFT - 8.0, BOTTOM + 14.0), Anchor::End, Ink::TextSoft);
        for (at, bar) in bars.iter().enumerate() {
            let from = LEFT + room * at as f64;
            let middle = from + room / 2.0;
            match bar.value {
                Some(value) => {
                    canvas.rectangle((from + room * 0.14, up(value)), (from + room * 0.86, BOTTOM), Ink::Tokens);
                }
                None => canvas.words("—", (middle, BOTTOM - 8.0), Anchor::Middle, Ink::TextSoft),
            }
            if at % each == 0 {
                canvas.words(&bar.name, (middle, BOTTOM + 14.0), Anchor::Middle, Ink::TextSoft);
            }
        }
        canvas.rectangle((LEFT, 7.0), (LEFT + 10.0, 17.0), Ink::Tokens);
        canvas.words(made, (LEFT + 16.0, 12.0), Anchor::Start, Ink::Text);
        plan(canvas, bars, room, up);
    })
}

/// The line of what was planned, broken where nothing was.
fn plan(canvas: &Canvas<'_>, bars: &[Bar], room: f64, up: impl Fn(f64) -> f64) {
    let mut line = Vec::new();
    for (at, bar) in bars.iter().enumerate() {
        let from = LEFT + room * at as f64;
        match bar.planned {
            Some(value) => line.extend([(from, up(value)), (from + room, up(value))]),
            None => canvas.line(&std::mem::take(&mut line), Ink::Text, 2.0),
        }
    }
    canvas.line(&line, Ink::Text, 2.0);
    if let Some(planned) = bars.iter().rev().find_map(|bar| bar.planned) {
        canvas.words("planned", (RIGHT, up(planned) - 10.0), Anchor::End, Ink::Text);
    }
}
