//! The energy flow: from the utility's meter to the tokens, every band as wide as its energy.
//!
//! Places stand in columns by the longest way to them. Each place gets room for its words, however thin its band is.

use crate::Words;
use crate::canvas::{Anchor, Canvas, draw};
use crate::ink::Ink;
use model::report::Flow;

const WIDTH: f64 = 1100.0;
const HEIGHT: f64 = 380.0;
/// Width of a place.
const BAR: f64 = 10.0;
/// Room right of the last column, for its words.
const MARGIN: f64 = 160.0;
/// Height that two lines of words need.
const WORDS: f64 = 38.0;
/// Points along one edge of a band.
const SMOOTH: u32 = 24;

/// Where energy comes from or goes to, laid out.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    name: String,
    energy: f64,
    column: u32,
    ends_here: bool,
    top: f64,
}

/// Bands of energy from place to place, each place with its energy and its share of what came in.
pub fn energy_flow(flows: &[Flow], title: &str, energy: Words, share: Words) -> String {
    let flows: Vec<&Flow> = flows.iter().filter(|f| f.mwh.is_finite() && f.mwh > 0.0 && f.from != f.to).collect();
    let mut places = places(&flows);
    let scale = scale(&places);
    stack(&mut places, scale);
    let columns = places.iter().map(|p| p.column).max().unwrap_or_default().max(1);
    let came_in: f64 = places.iter().filter(|p| p.column == 0).map(|p| p.energy).sum();
    let across = |column: u32| (WIDTH - MARGIN - BAR) * f64::from(column) / f64::from(columns);
    draw(WIDTH, HEIGHT, title, |canvas| {
        bands(canvas, &flows, &places, scale, across);
        for place in &places {
            let x = across(place.column);
            let height = (place.energy * scale).max(1.0);
            canvas.rectangle((x, place.top), (x + BAR, place.top + height), ink(&place.name));
            let y = place.top + (height / 2.0).max(WORDS / 2.0 - 4.0);
            let figures = format!("{} · {}", energy(place.energy), share(place.energy / came_in));
            canvas.words(&place.name, (x + BAR + 6.0, y - 8.0), Anchor::Start, Ink::Text);
            canvas.words(&figures, (x + BAR + 6.0, y + 8.0), Anchor::Start, Ink::Text);
        }
    })
}

/// Every place once, by column; in a column, what flows on stands above what ends there.
fn places(flows: &[&Flow]) -> Vec<Place> {
    let mut names: Vec<&str> = Vec::new();
    for name in flows.iter().flat_map(|f| [f.from.as_str(), f.to.as_str()]) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut places: Vec<Place> = names
        .iter()
        .map(|name| {
            let into: f64 = flows.iter().filter(|f| f.to == *name).map(|f| f.mwh).sum();
            let out: f64 = flows.iter().filter(|f| f.from == *name).map(|f| f.mwh).sum();
            Place { name: (*name).to_owned(), energy: into.max(out), column: 0, ends_here: out <= 0.0, top: 0.0 }
        })
        .collect();
    // The longest way to a place has fewer steps than there are places; a ring of flows stops there too.
    for _ in 1..places.len() {
        for flow in flows {
            let after = column_of(&places, &flow.from) + 1;
            if let Some(place) = places.iter_mut().find(|p| p.name == flow.to && p.column < after) {
                place.column = after.min(names.len() as u32 - 1);
            }
        }
    }
    places.sort_by(|a, b| {
        (a.column, a.ends_here).cmp(&(b.column, b.ends_here)).then_with(|| b.energy.total_cmp(&a.energy))
    });
    places
}

fn column_of(places: &[Place], name: &str) -> u32 {
    places.iter().find(|p| p.name == name).map_or(0, |p| p.column)
}

/// The most units of height for a megawatt-hour with which every column fits.
fn scale(places: &[Place]) -> f64 {
    let fits = |scale: f64| {
        let columns = places.iter().map(|p| p.column).max().unwrap_or_default();
        (0..=columns)
            .all(|c| places.iter().filter(|p| p.column == c).map(|p| room(p.energy * scale)).sum::<f64>() <= HEIGHT)
    };
    let largest = places.iter().map(|p| p.energy).fold(0.0, f64::max);
    let (mut low, mut high) = (0.0, if largest > 0.0 { HEIGHT / largest } else { 1.0 });
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if fits(middle) { low = middle } else { high = middle }
    }
    low
}

/// Height of a place with its words and the gap below it.
fn room(height: f64) -> f64 {
    height.max(WORDS) + 6.0
}

fn stack(places: &mut [Place], scale: f64) {
    let mut tops: Vec<f64> = vec![2.0; places.len() + 1];
    for place in places {
        if let Some(top) = tops.get_mut(place.column as usize) {
            place.top = *top;
            *top += room(place.energy * scale);
        }
    }
}

fn bands(canvas: &Canvas<'_>, flows: &[&Flow], places: &[Place], scale: f64, across: impl Fn(u32) -> f64) {
    let mut left: Vec<f64> = places.iter().map(|p| p.top).collect();
    let mut entered: Vec<f64> = left.clone();
    // In the order of the places they reach, so that bands leave a place without crossing.
    for (to, target) in places.iter().enumerate() {
        for (from, source) in places.iter().enumerate() {
            let energy: f64 =
                flows.iter().filter(|f| f.from == source.name && f.to == target.name).map(|f| f.mwh).sum();
            if energy <= 0.0 {
                continue;
            }
            let height = (energy * scale).max(1.0);
            let start = (across(source.column) + BAR, left.get(from).copied().unwrap_or_default());
            let end = (across(target.column), entered.get(to).copied().unwrap_or_default());
            canvas.polygon(&band(start, end, height), ink(&target.name), 0.35);
            if let Some(y) = left.get_mut(from) {
                *y += energy * scale;
            }
            if let Some(y) = entered.get_mut(to) {
                *y += energy * scale;
            }
        }
    }
}

/// The outline of a band that leaves and arrives level.
fn band((x0, y0): (f64, f64), (x1, y1): (f64, f64), height: f64) -> Vec<(f64, f64)> {
    let edge = |drop: f64| {
        (0..=SMOOTH).map(move |i| {
            let t = f64::from(i) / f64::from(SMOOTH);
            (x0 + (x1 - x0) * t, y0 + drop + (y1 - y0) * (t * t * (3.0 - 2.0 * t)))
        })
    };
    let mut lower: Vec<_> = edge(height).collect();
    lower.reverse();
    edge(0.0).chain(lower).collect()
}

/// What a place is about, by its name.
fn ink(name: &str) -> Ink {
    let name = name.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| name.contains(w));
    if has(&["processor", "equipment", "utility", "rack power"]) {
        Ink::Power
    } else if has(&["fan", "pump", "chill", "cool"]) {
        Ink::Heat
    } else if has(&["loss", "house", "distribution", "rectifier", "idle"]) {
        Ink::Loss
    } else if has(&["gpu", "token", "board", "prefill", "decode"]) {
        Ink::Tokens
    } else {
        Ink::Power
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(from: &str, to: &str, mwh: f64) -> Flow {
        Flow { from: from.into(), to: to.into(), mwh }
    }

    #[test]
    fn places_stand_after_all_that_feed_them() {
        let flows = [flow("a", "b", 3.0), flow("b", "c", 2.0), flow("a", "c", 1.0), flow("b", "lost", 1.0)];
        let places = places(&flows.iter().collect::<Vec<_>>());
        let columns: Vec<_> = places.iter().map(|p| (p.name.as_str(), p.column)).collect();
        assert_eq!(columns, [("a", 0), ("b", 1), ("c", 2), ("lost", 2)]);
    }

    #[test]
    fn a_ring_of_flows_still_ends() {
        assert!(
            energy_flow(&[flow("a", "b", 1.0), flow("b", "a", 1.0)], "ring", |_| String::new(), |_| String::new())
                .contains("</svg>")
        );
    }

    #[test]
    fn every_column_fits_the_sheet() {
        let flows: Vec<_> = (0..6).map(|i| flow("utility", &format!("place {i}"), 10_f64.powi(i))).collect();
        let mut places = places(&flows.iter().collect::<Vec<_>>());
        let scale = scale(&places);
        stack(&mut places, scale);
        assert!(scale > 0.0 && places.iter().all(|p| p.top + p.energy * scale <= HEIGHT), "{places:?}");
    }
}
