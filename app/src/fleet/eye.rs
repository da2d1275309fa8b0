//! From where the heat-map is looked at: how near, and at which point. And where that puts things on the screen.

use std::fmt;
use std::str::FromStr;

/// The nearest that one comes.
const ZOOM_MAX: f64 = 40.0;

/// From where the map is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eye {
    /// How near: at 1 all of it is seen.
    pub zoom: f64,
    /// The share of the map's width that is in the middle of the screen.
    pub x: f64,
    /// The share of its height.
    pub y: f64,
}

impl Default for Eye {
    fn default() -> Self {
        Self { zoom: 1.0, x: 0.5, y: 0.5 }
    }
}

impl fmt::Display for Eye {
    /// Hundredths of the zoom, thousandths of the point: what is finer than that is no other view.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |value: f64, parts: f64| (value * parts).round() as i64;
        write!(f, "{},{},{}", whole(self.zoom, 100.0), whole(self.x, 1000.0), whole(self.y, 1000.0))
    }
}

/// The text says no place to look from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoEye;

impl FromStr for Eye {
    type Err = NoEye;
    fn from_str(text: &str) -> Result<Self, NoEye> {
        let mut parts = text.split(',').map(|part| part.parse::<i32>().map(f64::from));
        let mut next = || parts.next().and_then(Result::ok).ok_or(NoEye);
        Ok(Self { zoom: next()? / 100.0, x: next()? / 1000.0, y: next()? / 1000.0 }.held())
    }
}

/// Sizes in one unit: of a map in its cells, or of the screen in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Size {
    /// Across.
    pub width: f64,
    /// Down.
    pub height: f64,
}

/// How a map stands on the screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stand {
    /// Pixels of a cell.
    pub scale: f64,
    /// Where the map's left edge is, in pixels.
    pub left: f64,
    /// Where its upper edge is.
    pub top: f64,
}

impl Stand {
    /// From the map to the screen.
    pub fn to_screen(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.left + x * self.scale, self.top + y * self.scale)
    }
    /// From the screen to the map.
    pub fn to_map(&self, (x, y): (f64, f64)) -> (f64, f64) {
        ((x - self.left) / self.scale, (y - self.top) / self.scale)
    }
}

impl Eye {
    /// No nearer, no farther and no more beside than there is something to see.
    #[must_use]
    fn held(self) -> Self {
        let within = |value: f64, low: f64, high: f64| if value.is_finite() { value.clamp(low, high) } else { low };
        Self { zoom: within(self.zoom, 1.0, ZOOM_MAX), x: within(self.x, 0.0, 1.0), y: within(self.y, 0.0, 1.0) }
    }
    /// How a map stands on a screen. What is seen whole in one direction is in the middle of it.
    pub fn stand(self, map: Size, screen: Size) -> Stand {
        let (width, height) = (map.width.max(1e-9), map.height.max(1e-9));
        let scale = (screen.width / width).min(screen.height / height).max(1e-9) * self.zoom;
        let edge = |size: f64, screen: f64, share: f64| {
            let size = size * scale;
            if size <= screen { (screen - size) / 2.0 } else { (screen / 2.0 - share * size).clamp(screen - size, 0.0) }
        };
        Stand { scale, left: edge(width, screen.width, self.x), top: edge(height, screen.height, self.y) }
    }
    /// That many times nearer, with the point under the pointer where it was.
    #[must_use]
    pub fn nearer(self, times: f64, pointer: (f64, f64), map: Size, screen: Size) -> Self {
        let at = self.stand(map, screen).to_map(pointer);
        let eye = Self { zoom: self.zoom * times, ..self }.held();
        let scale = eye.stand(map, screen).scale;
        let share =
            |at: f64, size: f64, pointer: f64, screen: f64| (at + (screen / 2.0 - pointer) / scale) / size.max(1e-9);
        Self {
            x: share(at.0, map.width, pointer.0, screen.width),
            y: share(at.1, map.height, pointer.1, screen.height),
            ..eye
        }
        .held()
    }
    /// The same moved by so many pixels of the screen.
    #[must_use]
    pub fn moved(self, by: (f64, f64), map: Size, screen: Size) -> Self {
        // From where it really is: at an edge the point that was asked for is farther out.
        let stand = self.stand(map, screen);
        let middle = stand.to_map((screen.width / 2.0 - by.0, screen.height / 2.0 - by.1));
        Self { x: middle.0 / map.width.max(1e-9), y: middle.1 / map.height.max(1e-9), ..self }.held()
    }
    /// The same with a place of the map on the screen, moved no more than that takes.
    #[must_use]
    pub fn with(self, place: (f64, f64), map: Size, screen: Size) -> Self {
        let (x, y) = self.stand(map, screen).to_screen(place);
        let margin = 24.0_f64.min(screen.width / 4.0).min(screen.height / 4.0);
        let short = |at: f64, screen: f64| (margin - at).max(0.0) + (screen - margin - at).min(0.0);
        let by = (short(x, screen.width), short(y, screen.height));
        if by.0.abs() < 0.5 && by.1.abs() < 0.5 { self } else { self.moved(by, map, screen) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SCREEN: Size = Size { width: 900.0, height: 480.0 };

    fn any_eye() -> impl Strategy<Value = Eye> {
        (1.0..40.0_f64, 0.0..1.0_f64, 0.0..1.0_f64).prop_map(|(zoom, x, y)| Eye { zoom, x, y })
    }
    fn any_map() -> impl Strategy<Value = Size> {
        (1.0..300.0_f64, 1.0..300.0_f64).prop_map(|(width, height)| Size { width, height })
    }

    proptest! {
        #[test]
        fn law_the_screen_leads_back_to_the_map(eye in any_eye(), map in any_map(), x in 0.0..900.0_f64, y in 0.0..480.0_f64) {
            let stand = eye.stand(map, SCREEN);
            let (back_x, back_y) = stand.to_screen(stand.to_map((x, y)));
            prop_assert!((back_x - x).abs() < 1e-6 && (back_y - y).abs() < 1e-6);
        }

        #[test]
        fn law_the_map_fills_the_screen_or_is_in_its_middle(eye in any_eye(), map in any_map()) {
            let stand = eye.stand(map, SCREEN);
            for (edge, size, screen) in [(stand.left, map.width, 900.0), (stand.top, map.height, 480.0)] {
                let size = size * stand.scale;
                if size <= screen {
                    prop_assert!((edge - (screen - size) / 2.0).abs() < 1e-6);
                } else {
                    prop_assert!(edge <= 1e-6 && edge + size >= screen - 1e-6);
                }
            }
        }

        #[test]
        fn law_what_is_under_the_pointer_stays_there(map in any_map(), x in 300.0..600.0_f64, y in 160.0..320.0_f64) {
            // Far enough in that no edge is near.
            let eye = Eye { zoom: 8.0, ..Eye::default() };
            let before = eye.stand(map, SCREEN).to_map((x, y));
            let after = eye.nearer(1.5, (x, y), map, SCREEN).stand(map, SCREEN).to_map((x, y));
            let near = |a: f64, b: f64, size: f64| (a - b).abs() < 1e-6 || size * 8.0 < 900.0;
            let scale = eye.stand(map, SCREEN).scale;
            prop_assert!(near(before.0, after.0, map.width * scale / 8.0) && near(before.1, after.1, map.height * scale / 8.0));
        }

        #[test]
        fn law_what_is_looked_for_is_seen(eye in any_eye(), map in any_map(), x in 0.0..1.0_f64, y in 0.0..1.0_f64) {
            let place = (x * map.width, y * map.height);
            let seen = eye.with(place, map, SCREEN).stand(map, SCREEN).to_screen(place);
            prop_assert!((-1e-3..=900.001).contains(&seen.0) && (-1e-3..=480.001).contains(&seen.1), "{:?}", seen);
        }

        #[test]
        fn law_a_text_leads_back(zoom in 100_i32..4000, x in 0_i32..=1000, y in 0_i32..=1000) {
            let text = format!("{zoom},{x},{y}");
            prop_assert_eq!(text.parse::<Eye>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_out_of_reach_is_held_back() {
        assert_eq!("1,5000,-3".parse(), Ok(Eye { zoom: 1.0, x: 1.0, y: 0.0 }));
        assert_eq!("near".parse::<Eye>(), Err(NoEye));
    }
}
