//! Colours: as a browser says them, and figures on a scale of shades.

use model::scene::Scale;

/// Red, green, blue and opacity, each 0 to 1, as the screen has them.
pub type Rgba = [f32; 4];

/// What stands where a colour can't be read: a grey that shows on light and dark.
const UNREAD: Rgba = [0.5, 0.5, 0.5, 1.0];

/// Reads what a browser says of a colour: `rgb(16, 32, 56)`, `rgba(0, 0, 0, 0.5)`, `color(srgb 0.1 0.2 0.3)`, `#0f151d`.
pub fn colour(text: &str) -> Rgba {
    let read = if let Some(hex) = text.strip_prefix('#') { from_hex(hex) } else { from_function(text) };
    read.unwrap_or(UNREAD)
}

fn from_hex(hex: &str) -> Option<Rgba> {
    let number = u32::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 6)?;
    let part = |shift: u32| ((number >> shift) & 255) as f32 / 255.0;
    Some([part(16), part(8), part(0), 1.0])
}

fn from_function(text: &str) -> Option<Rgba> {
    let (name, rest) = text.trim().split_once('(')?;
    let rest = rest.trim_end_matches(')').trim_start_matches("srgb");
    let whole = if name == "color" { 1.0 } else { 255.0 };
    let numbers: Vec<f32> =
        rest.split([',', ' ', '/']).filter(|part| !part.is_empty()).filter_map(|part| part.parse().ok()).collect();
    let (&[red, green, blue], opacity) = numbers.split_first_chunk::<3>()?;
    let share = |value: f32| (value / whole).clamp(0.0, 1.0);
    Some([share(red), share(green), share(blue), opacity.first().copied().unwrap_or(1.0).clamp(0.0, 1.0)])
}

/// Where a figure stands on a scale, 0 to 1. All figures alike stand in its middle.
pub fn share(scale: Scale, value: f64) -> f64 {
    let span = scale.high - scale.low;
    if span > 0.0 { ((value - scale.low) / span).clamp(0.0, 1.0) } else { 0.5 }
}

/// The colour at a share of a row of shades, evenly spaced, straight from one to the next.
pub fn shade(shades: &[Rgba], share: f64) -> Rgba {
    let (Some(first), Some(last)) = (shades.first(), shades.len().checked_sub(1)) else { return UNREAD };
    let at = share.clamp(0.0, 1.0) * last as f64;
    let low = (at.floor() as usize).min(last.saturating_sub(1));
    let (Some(from), Some(to)) = (shades.get(low), shades.get(low + 1)) else { return *first };
    mixed(*from, *to, (at - low as f64) as f32)
}

/// A colour between two.
pub fn mixed(from: Rgba, to: Rgba, share: f32) -> Rgba {
    std::array::from_fn(|i| from[i] + (to[i] - from[i]) * share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: Rgba, b: Rgba) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3)
    }

    #[test]
    fn colours_are_read_as_browsers_say_them() {
        for (text, expected) in [
            ("rgb(255, 0, 51)", [1.0, 0.0, 0.2, 1.0]),
            ("rgba(0, 0, 0, 0.5)", [0.0, 0.0, 0.0, 0.5]),
            ("rgb(0 0 0 / 0.5)", [0.0, 0.0, 0.0, 0.5]),
            ("color(srgb 0.1 0.2 0.3)", [0.1, 0.2, 0.3, 1.0]),
            ("#ff0033", [1.0, 0.0, 0.2, 1.0]),
            ("light-dark(#fff, #000)", UNREAD),
            ("#ff", UNREAD),
            ("", UNREAD),
        ] {
            assert!(close(colour(text), expected), "{text}: {:?}", colour(text));
        }
    }

    #[test]
    fn the_ends_of_a_scale_have_the_ends_of_the_shades() {
        let shades = [[0.0, 0.0, 0.0, 1.0], [0.5, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]];
        let scale = Scale { low: 10.0, high: 20.0 };
        assert!(close(shade(&shades, share(scale, 10.0)), shades[0]));
        assert!(close(shade(&shades, share(scale, 15.0)), shades[1]));
        assert!(close(shade(&shades, share(scale, 20.0)), shades[2]));
        assert!((share(Scale { low: 7.0, high: 7.0 }, 7.0) - 0.5).abs() < 1e-12);
        assert!(close(shade(&[], 0.3), UNREAD) && close(shade(&shades[..1], 0.3), shades[0]));
    }

    proptest! {
        #[test]
        fn law_more_is_never_a_shade_back(low in -1e6..1e6_f64, span in 0.0..1e6_f64, a in -2e6..2e6_f64, more in 0.0..1e6_f64) {
            let scale = Scale { low, high: low + span };
            prop_assert!(share(scale, a + more) >= share(scale, a));
            prop_assert!((0.0..=1.0).contains(&share(scale, a)));
        }
    }
}
