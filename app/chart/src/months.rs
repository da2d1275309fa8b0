//! The year month by month: where the energy of each month went, as stacked bars from zero.

use crate::Words;
use crate::canvas::{Anchor, Canvas, draw, marks};
use crate::ink::Ink;
use model::report::Month;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = WIDTH - 8.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = HEIGHT - 26.0;
/// Room for a letter of a name, more than most need.
const LETTER: f64 = 7.0;
const NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Bars of each month's energy at the meter: GPU boards at the foot, then the rest of the racks, cooling, and what is
/// lost or used by the house on top.
pub fn monthly_bars(months: &[Month], title: &str, energy: Words) -> String {
    let highest = months.iter().map(|m| m.facility_energy_mwh).fold(0.0, f64::max);
    let marks = marks(highest, 4);
    let top = marks.last().copied().unwrap_or(1.0);
    draw(WIDTH, HEIGHT, title, |canvas| {
        scale(canvas, &marks, top, energy);
        legend(canvas);
        let room = (RIGHT - LEFT) / 12.0;
        for month in months {
            let slot = f64::from(month.month.clamp(1, 12) - 1);
            bar(canvas, month, LEFT + room * (slot + 0.14), LEFT + room * (slot + 0.86), top);
            let name = NAMES.get(slot as usize).copied().unwrap_or_default();
            canvas.words(name, (LEFT + room * (slot + 0.5), BOTTOM + 14.0), Anchor::Middle, Ink::TextSoft);
        }
    })
}

/// The parts of a month, from the foot of its bar.
fn parts(month: &Month) -> [(f64, Ink); 4] {
    let rest_of_it = (month.it_energy_mwh - month.gpu_energy_mwh).max(0.0);
    let other = (month.facility_energy_mwh - month.it_energy_mwh - month.cooling_energy_mwh).max(0.0);
    [
        (month.gpu_energy_mwh, Ink::Tokens),
        (rest_of_it, Ink::Power),
        (month.cooling_energy_mwh, Ink::Heat),
        (other, Ink::Loss),
    ]
}

fn bar(canvas: &Canvas<'_>, month: &Month, x0: f64, x1: f64, top: f64) {
    let mut foot = 0.0;
    for (energy, ink) in parts(month) {
        canvas.rectangle((x0, height(foot + energy, top)), (x1, height(foot, top)), ink);
        foot += energy;
    }
}

fn height(value: f64, top: f64) -> f64 {
    BOTTOM - (BOTTOM - TOP) * value / top
}

fn scale(canvas: &Canvas<'_>, marks: &[f64], top: f64, energy: Words) {
    for &mark in marks {
        let y = height(mark, top);
        canvas.line(&[(LEFT, y), (RIGHT, y)], Ink::Line, 1.0);
        canvas.words(&energy(mark), (LEFT - 8.0, y), Anchor::End, Ink::TextSoft);
    }
}

fn legend(canvas: &Canvas<'_>) {
    let names = [
        ("GPU boards", Ink::Tokens),
        ("rest of the racks", Ink::Power),
        ("cooling", Ink::Heat),
        ("losses and house", Ink::Loss),
    ];
    let mut x = LEFT;
    for (name, ink) in names {
        canvas.rectangle((x, 7.0), (x + 10.0, 17.0), ink);
        canvas.words(name, (x + 16.0, 12.0), Anchor::Start, Ink::Text);
        x += 32.0 + LETTER * name.len() as f64;
    }
}
