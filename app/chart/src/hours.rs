//! The year hour by hour: days across, hours of the day up, how much by shade. Hours alike side by side are one shape, so a
//! year of 8760 hours stays small.

use crate::Words;
use std::fmt::Write;

/// Shades; `style/tokens.css` names each, `--shade-0` to `--shade-8`.
const SHADES: usize = 9;
const WIDTH: f64 = 1000.0;
const LEFT: f64 = 44.0;
const DAY: f64 = (WIDTH - LEFT) / 365.0;
const HOUR: f64 = 7.0;
const TOP: f64 = 4.0;
const FOOT: f64 = TOP + 24.0 * HOUR;
const HEIGHT: f64 = FOOT + 40.0;
const MONTHS: [(&str, u32); 12] = [
    ("Jan", 0),
    ("Feb", 31),
    ("Mar", 59),
    ("Apr", 90),
    ("May", 120),
    ("Jun", 151),
    ("Jul", 181),
    ("Aug", 212),
    ("Sep", 243),
    ("Oct", 273),
    ("Nov", 304),
    ("Dec", 334),
];

/// Values of 8760 hours as shades from the lowest to the highest, with a scale under them.
pub fn year_of_hours(by_hour: &[f64], title: &str, words: Words) -> String {
    let (low, high) = by_hour.iter().fold((f64::MAX, f64::MIN), |(l, h), &v| (l.min(v), h.max(v)));
    let span = if high > low { high - low } else { 1.0 };
    let shade = |value: f64| (((value - low) / span * SHADES as f64) as usize).min(SHADES - 1);
    let mut paths = vec![String::new(); SHADES];
    for hour in 0..24 {
        let mut day = 0;
        while day < 365 {
            let Some(&value) = by_hour.get(day * 24 + hour) else { break };
            let same = shade(value);
            let run = (day..365).take_while(|d| by_hour.get(d * 24 + hour).is_some_and(|&v| shade(v) == same)).count();
            let (x, y) = (LEFT + DAY * day as f64, FOOT - HOUR * (hour + 1) as f64);
            let width = DAY * run as f64;
            // Writing to a string can't fail.
            let _ = write!(paths[same], "M{x:.1} {y:.0}h{width:.2}v{HOUR}h-{width:.2}z");
            day += run;
        }
    }
    let mut svg = format!(
        "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 {WIDTH} {HEIGHT}\"><title>{}</title>",
        crate::canvas::escape(title)
    );
    for (at, path) in paths.iter().enumerate() {
        let _ = write!(svg, "<path fill=\"var(--shade-{at})\" d=\"{path}\"/>");
    }
    for (name, day) in MONTHS {
        let x = LEFT + DAY * f64::from(day);
        let _ = write!(
            svg,
            "<text x=\"{x:.1}\" y=\"{:.0}\" font-size=\"12\" fill=\"var(--text-soft)\">{name}</text>",
            FOOT + 14.0
        );
    }
    for hour in [0_u32, 6, 12, 18] {
        let y = FOOT - HOUR * f64::from(hour) - 1.0;
        let _ = write!(
            svg,
            "<text x=\"{:.0}\" y=\"{y:.0}\" font-size=\"12\" text-anchor=\"end\" fill=\"var(--text-soft)\">{hour}:00</text>",
            LEFT - 6.0
        );
    }
    scale(&mut svg, low, high, words);
    svg.push_str("</svg>\n");
    svg
}

fn scale(svg: &mut String, low: f64, high: f64, words: Words) {
    let y = FOOT + 24.0;
    for at in 0..SHADES {
        let x = LEFT + 24.0 * at as f64;
        let _ = write!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"24\" height=\"10\" fill=\"var(--shade-{at})\"/>");
    }
    let end = LEFT + 24.0 * SHADES as f64 + 8.0;
    let text = crate::canvas::escape(&format!("{} to {}", words(low), words(high)));
    let _ = write!(svg, "<text x=\"{end}\" y=\"{}\" font-size=\"12\" fill=\"var(--text)\">{text}</text>", y + 9.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_small_and_has_every_shade() {
        let year: Vec<f64> = (0..8760).map(|h| f64::from(h % 24) + f64::from(h / 24) / 40.0).collect();
        let svg = year_of_hours(&year, "a < b", |v| format!("{v:.1} MW"));
        assert!(svg.len() < 60_000, "{} bytes", svg.len());
        assert!(svg.contains("<title>a &lt; b</title>") && svg.contains("0.0 MW to 32.1 MW"));
        assert!((0..SHADES).all(|at| !svg.contains(&format!("--shade-{at})\" d=\"\""))));
        assert!(year_of_hours(&[], "none", |v| format!("{v}")).contains("</svg>"));
    }
}
