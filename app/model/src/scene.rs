//! A hall as a picture in 3D shows it: what the workshop's page hands to the bundle that draws, as JSON. Lengths are metres
//! on the plan of the floor: x along the rows, y across them from the near wall, heights from the floor.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Everything that the picture shows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Scene {
    /// Along the rows.
    pub length_m: f64,
    /// Across them.
    pub width_m: f64,
    /// Racks alike, side by side.
    pub racks: Vec<RackRun>,
    /// Spaces between rows.
    pub aisles: Vec<Strip>,
    /// Columns of the building.
    pub columns: Vec<Pillar>,
    /// Busways over the racks.
    pub busways: Vec<Line>,
    /// Water under the hot aisles, marked on the floor.
    pub pipes: Vec<Line>,
    /// The values at both ends of the scale of shades; none where racks are coloured by their kind.
    pub scale: Option<Scale>,
    /// Every colour.
    pub colours: Colours,
    /// Ids of what is selected.
    pub selected: Vec<String>,
}

/// Racks alike, side by side from the left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RackRun {
    /// What a click on one selects.
    pub id: String,
    /// Left side of the first.
    pub x_m: f64,
    /// Near side.
    pub y_m: f64,
    /// Width of one.
    pub width_m: f64,
    /// Depth of one.
    pub depth_m: f64,
    /// Height of one.
    pub height_m: f64,
    /// How many.
    pub count: u32,
    /// Whether their fronts are on the near side.
    pub faces_near: bool,
    /// What they are coloured by.
    pub paint: Paint,
}

/// What a rack is coloured by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Paint {
    /// A colour of [`Colours::kinds`].
    Kind(usize),
    /// A figure on the scale.
    Value(f64),
    /// There is no figure; it is hatched, never drawn as none or nothing.
    Missing,
}

/// Ends of the scale of shades.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// The first shade.
    pub low: f64,
    /// The last.
    pub high: f64,
}

/// An aisle from wall to wall.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Strip {
    /// Near side.
    pub y_m: f64,
    /// Across.
    pub width_m: f64,
    /// Between fronts, where cool air comes from.
    pub cold: bool,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pillar {
    /// Left side.
    pub x_m: f64,
    /// Near side.
    pub y_m: f64,
    /// Its side.
    pub side_m: f64,
}

/// Something that runs along a row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Left end.
    pub from_m: f64,
    /// Right end.
    pub to_m: f64,
    /// Its middle, across the rows.
    pub y_m: f64,
}

/// The theme, each as the browser works it out: `rgb(16, 32, 56)`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Colours {
    /// Behind everything, and between racks.
    pub ground: String,
    /// The floor of the hall.
    pub floor: String,
    /// Edges of what is not a rack.
    pub line: String,
    /// Outline of what is selected.
    pub chosen: String,
    /// Racks without a figure, and hatching.
    pub missing: [String; 2],
    /// Aisles, cold and hot.
    pub aisles: [String; 2],
    /// Columns.
    pub column: String,
    /// Busways.
    pub busway: String,
    /// Water.
    pub pipe: String,
    /// Kinds of rack.
    pub kinds: Vec<String>,
    /// From little to much.
    pub shades: Vec<String>,
}

/// Where the eye is: at a distance from a point that it looks at. In the picture y runs away from the eye of someone who
/// stands with the far wall behind, so that the plan from above is as the floor shows it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Camera {
    /// Where it looks at: along the rows.
    pub x_m: f64,
    /// Across them.
    pub y_m: f64,
    /// Above the floor.
    pub z_m: f64,
    /// About the vertical, clockwise from above.
    pub turn_deg: f64,
    /// Above the horizon; 90 is from straight above.
    pub tilt_deg: f64,
    /// From the point that it looks at.
    pub distance_m: f64,
}

impl fmt::Display for Camera {
    /// As in the address of a page, to a tenth: `12.5,20.0,1.0,30.0,25.0,60.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x, y, z, turn, tilt, distance] =
            [self.x_m, self.y_m, self.z_m, self.turn_deg, self.tilt_deg, self.distance_m];
        write!(f, "{x:.1},{y:.1},{z:.1},{turn:.1},{tilt:.1},{distance:.1}")
    }
}

/// Text that is no camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoCamera;

impl FromStr for Camera {
    type Err = NoCamera;
    fn from_str(text: &str) -> Result<Self, NoCamera> {
        let numbers: Vec<f64> = text.split(',').filter_map(|part| part.parse().ok()).collect();
        let &[x_m, y_m, z_m, turn_deg, tilt_deg, distance_m] = numbers.as_slice() else { return Err(NoCamera) };
        // No hall is larger than ten kilometres, and an eye has no angle beyond a few turns.
        let near = |value: f64, most: f64| value.abs() <= most;
        let sound = [x_m, y_m, z_m].into_iter().all(|value| near(value, 1e4))
            && near(turn_deg, 3_600.0)
            && (0.0..=90.0).contains(&tilt_deg)
            && (0.1..=1e5).contains(&distance_m);
        if sound { Ok(Self { x_m, y_m, z_m, turn_deg, tilt_deg, distance_m }) } else { Err(NoCamera) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_is_read_as_it_was_written() {
        let camera = Camera { x_m: 12.5, y_m: -3.0, z_m: 1.0, turn_deg: -30.5, tilt_deg: 90.0, distance_m: 60.0 };
        assert_eq!(camera.to_string(), "12.5,-3.0,1.0,-30.5,90.0,60.0");
        assert_eq!(camera.to_string().parse(), Ok(camera));
    }

    #[test]
    fn what_is_no_camera_is_refused() {
        for text in ["", "1,2,3", "1,2,3,4,5,x", "1,2,3,4,5,0", "1,2,3,4,95,6", "nan,2,3,4,5,6", "1,2,3,4,5,inf"] {
            assert_eq!(text.parse::<Camera>(), Err(NoCamera), "{text}");
        }
    }
}
