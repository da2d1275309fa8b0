//! The load-duration curve: for how much of the year the facility draws more than so much.

use crate::Words;
use crate::canvas::{Anchor, draw, marks};
use crate::ink::Ink;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = WIDTH - 16.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = HEIGHT - 34.0;

/// The curve of power exceeded for 0, 1, … 100% of the year, in megawatts, under the line of the contract.
pub fn load_duration(exceeded_mw: &[f64], contract_mw: f64, title: &str, power: Words) -> String {
    let highest = exceeded_mw.iter().copied().fold(contract_mw.max(0.0), f64::max);
    let marks = marks(highest * 1.04, 6);
    let top = marks.last().copied().unwrap_or(1.0);
    let last = exceeded_mw.len().saturating_sub(1).max(1) as f64;
    let across = |share: f64| LEFT + (RIGHT - LEFT) * share;
    let up = |mw: f64| BOTTOM - (BOTTOM - TOP) * mw / top;
    let curve: Vec<_> = exceeded_mw.iter().enumerate().map(|(i, &mw)| (across(i as f64 / last), up(mw))).collect();
    draw(WIDTH, HEIGHT, title, |canvas| {
        for &mark in &marks {
            canvas.line(&[(LEFT, up(mark)), (RIGHT, up(mark))], Ink::Line, 1.0);
            canvas.words(&power(mark), (LEFT - 8.0, up(mark)), Anchor::End, Ink::TextSoft);
        }
        for (share, words) in [(0.0, "0"), (0.25, "25%"), (0.5, "50%"), (0.75, "75%"), (1.0, "100%")] {
            let anchor = if share > 0.9 { Anchor::End } else { Anchor::Middle };
            canvas.words(words, (across(share), BOTTOM + 14.0), anchor, Ink::TextSoft);
        }
        canvas.words("of the year at or above", (across(0.5), BOTTOM + 28.0), Anchor::Middle, Ink::TextSoft);
        if curve.len() > 1 {
            let mut under = curve.clone();
            under.extend([(RIGHT, BOTTOM), (LEFT, BOTTOM)]);
            canvas.polygon(&under, Ink::Power, 0.18);
            canvas.line(&curve, Ink::Power, 2.0);
        }
        if contract_mw > 0.0 {
            canvas.line(&[(LEFT, up(contract_mw)), (RIGHT, up(contract_mw))], Ink::Text, 1.0);
            let words = format!("contract {}", power(contract_mw));
            canvas.words(&words, (RIGHT, up(contract_mw) + 11.0), Anchor::End, Ink::Text);
        }
    })
}
