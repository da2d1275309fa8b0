//! Where the eye is and what it sees. x runs along the rows, y away from the far wall's side of the plan, z up.

use model::scene::Camera;

/// Three numbers along x, y and z.
pub type Vec3 = [f64; 3];
/// Four columns of four.
pub type Matrix = [[f64; 4]; 4];

/// Half of the angle that the eye takes in from top to bottom: about that of a 60 mm lens, which bends little.
const HALF_VIEW_DEG: f64 = 17.0;
/// Share of the picture that what is fitted may fill.
const FILLED: f64 = 0.94;
/// Lowest that an eye goes, so that it stays above the floor.
const LEAST_TILT_DEG: f64 = 1.0;

/// What is seen: a box that stands on the floor of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Its corner nearest to the origin.
    pub low: Vec3,
    /// The corner opposite.
    pub high: Vec3,
}

impl Bounds {
    /// Its middle.
    pub fn middle(&self) -> Vec3 {
        std::array::from_fn(|i| f64::midpoint(self.low[i], self.high[i]))
    }
    /// From one corner to that opposite.
    pub fn extent(&self) -> f64 {
        length(sub(self.high, self.low))
    }
    /// All eight.
    fn corners(&self) -> [Vec3; 8] {
        std::array::from_fn(|n| std::array::from_fn(|i| if n >> i & 1 == 0 { self.low[i] } else { self.high[i] }))
    }
}

/// The eye's own directions, each of length one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Where it is.
    pub eye: Vec3,
    /// To the right.
    pub right: Vec3,
    /// Upwards.
    pub up: Vec3,
    /// Into the picture.
    pub forward: Vec3,
}

/// A half line from the eye.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ray {
    /// Where it begins.
    pub from: Vec3,
    /// Where it goes, of length one.
    pub along: Vec3,
}

/// The eye of a camera.
pub fn frame(camera: &Camera) -> Frame {
    let (sin_turn, cos_turn) = camera.turn_deg.to_radians().sin_cos();
    let (sin_tilt, cos_tilt) = camera.tilt_deg.to_radians().sin_cos();
    let forward = [sin_turn * cos_tilt, cos_turn * cos_tilt, -sin_tilt];
    let right = [cos_turn, -sin_turn, 0.0];
    // Right and forward are at right angles, so this is of length one, from straight above too.
    let up = [sin_turn * sin_tilt, cos_turn * sin_tilt, cos_tilt];
    let at = [camera.x_m, camera.y_m, camera.z_m];
    Frame { eye: add(at, scaled(forward, -camera.distance_m)), right, up, forward }
}

/// What takes a place in the hall to one on the screen, with depths from 0 to 1. `aspect` is width over height.
pub fn projection(camera: &Camera, aspect: f64, extent: f64) -> Matrix {
    let Frame { eye, right, up, forward } = frame(camera);
    let slope = HALF_VIEW_DEG.to_radians().tan();
    let far = camera.distance_m + 2.0 * extent + 1.0;
    let near = (far * 1e-3).clamp(0.05, 1.0);
    let (x, y, depth) = (1.0 / (slope * aspect), 1.0 / slope, far / (far - near));
    let rows = [scaled(right, x), scaled(up, y), scaled(forward, depth), forward];
    let last = [-dot(rows[0], eye), -dot(rows[1], eye), -dot(rows[2], eye) - depth * near, -dot(rows[3], eye)];
    std::array::from_fn(|column| std::array::from_fn(|row| if column < 3 { rows[row][column] } else { last[row] }))
}

/// The half line through a place of the screen: −1 to 1 from left to right and from bottom to top.
pub fn ray(camera: &Camera, aspect: f64, at: (f64, f64)) -> Ray {
    let Frame { eye, right, up, forward } = frame(camera);
    let slope = HALF_VIEW_DEG.to_radians().tan();
    let along = add(forward, add(scaled(right, at.0 * slope * aspect), scaled(up, at.1 * slope)));
    Ray { from: eye, along: scaled(along, 1.0 / length(along)) }
}

/// Turns the eye about what it looks at, degrees.
pub fn turned(camera: Camera, turn: f64, tilt: f64) -> Camera {
    Camera {
        turn_deg: (camera.turn_deg + turn).rem_euclid(360.0),
        tilt_deg: (camera.tilt_deg + tilt).clamp(LEAST_TILT_DEG, 90.0),
        ..camera
    }
}

/// Moves what it looks at over the floor, in shares of the picture's height to the right and away, within bounds.
pub fn moved(camera: Camera, right: f64, away: f64, bounds: &Bounds) -> Camera {
    let (sin, cos) = camera.turn_deg.to_radians().sin_cos();
    let reach = 2.0 * camera.distance_m * HALF_VIEW_DEG.to_radians().tan();
    let within = |value: f64, i: usize| value.clamp(bounds.low[i], bounds.high[i]);
    Camera {
        x_m: within(camera.x_m + reach * (right * cos + away * sin), 0),
        y_m: within(camera.y_m + reach * (away * cos - right * sin), 1),
        ..camera
    }
}

/// Brings the eye nearer by a factor below one, or away; never into what it looks at and never out of sight.
pub fn zoomed(camera: Camera, factor: f64, bounds: &Bounds) -> Camera {
    let most = 4.0 * bounds.extent().max(10.0);
    Camera { distance_m: (camera.distance_m * factor).clamp(0.8, most), ..camera }
}

/// A camera from these angles, as near as shows all of a box, with the box in the middle of the picture.
pub fn fitted(bounds: &Bounds, turn_deg: f64, tilt_deg: f64, aspect: f64) -> Camera {
    let [x_m, y_m, z_m] = bounds.middle();
    let mut camera = Camera { x_m, y_m, z_m, turn_deg, tilt_deg, distance_m: 1.0 };
    let slope = HALF_VIEW_DEG.to_radians().tan();
    // What is near looks larger, so the middle of the box is not that of its picture: a few rounds bring it there.
    for _ in 0..4 {
        let Frame { right, up, forward, .. } = frame(&camera);
        let at = [camera.x_m, camera.y_m, camera.z_m];
        let seen = bounds.corners().map(|corner| {
            let from = sub(corner, at);
            (dot(from, right), dot(from, up), dot(from, forward))
        });
        let needed = |&(across, above, deep): &(f64, f64, f64)| {
            let sideways = across.abs() / (slope * aspect * FILLED);
            sideways.max(above.abs() / (slope * FILLED)) - deep
        };
        camera.distance_m = seen.iter().map(needed).fold(0.8, f64::max);
        let spread = |pick: fn(&(f64, f64, f64)) -> f64| {
            let on_screen = seen.iter().map(|place| pick(place) / (camera.distance_m + place.2));
            let (low, high) =
                on_screen.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
            f64::midpoint(low, high) * camera.distance_m
        };
        let shift = add(scaled(right, spread(|place| place.0)), scaled(up, spread(|place| place.1)));
        [camera.x_m, camera.y_m, camera.z_m] = add(at, shift);
        camera.z_m = camera.z_m.max(bounds.low[2]).min(bounds.high[2].max(bounds.low[2]));
    }
    let Frame { right, up, forward, .. } = frame(&camera);
    let at = [camera.x_m, camera.y_m, camera.z_m];
    for corner in bounds.corners() {
        let from = sub(corner, at);
        let sideways = dot(from, right).abs() / (slope * aspect * FILLED);
        let above = dot(from, up).abs() / (slope * FILLED);
        camera.distance_m = camera.distance_m.max(sideways.max(above) - dot(from, forward));
    }
    camera
}

/// A camera part of the way from one to another, the shorter way round.
pub fn between(from: &Camera, to: &Camera, share: f64) -> Camera {
    let mix = |a: f64, b: f64| a + (b - a) * share;
    let round = (to.turn_deg - from.turn_deg + 180.0).rem_euclid(360.0) - 180.0;
    Camera {
        x_m: mix(from.x_m, to.x_m),
        y_m: mix(from.y_m, to.y_m),
        z_m: mix(from.z_m, to.z_m),
        turn_deg: from.turn_deg + round * share,
        tilt_deg: mix(from.tilt_deg, to.tilt_deg),
        distance_m: mix(from.distance_m, to.distance_m),
    }
}

fn add(a: Vec3, b: Vec3) -> Vec3 {
    std::array::from_fn(|i| a[i] + b[i])
}
fn sub(a: Vec3, b: Vec3) -> Vec3 {
    std::array::from_fn(|i| a[i] - b[i])
}
fn scaled(a: Vec3, by: f64) -> Vec3 {
    a.map(|value| value * by)
}
fn dot(a: Vec3, b: Vec3) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
fn length(a: Vec3) -> f64 {
    dot(a, a).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Where a place is on the screen, and its depth.
    fn on_screen(matrix: &Matrix, at: Vec3) -> Vec3 {
        let row = |row: usize| (0..3).map(|i| matrix[i][row] * at[i]).sum::<f64>() + matrix[3][row];
        std::array::from_fn(|i| row(i) / row(3))
    }

    fn any_bounds() -> impl Strategy<Value = Bounds> {
        (1.0..200.0_f64, 1.0..200.0_f64, 1.0..6.0_f64).prop_map(|(x, y, z)| Bounds { low: [0.0; 3], high: [x, y, z] })
    }

    #[test]
    fn from_straight_above_the_picture_lies_as_the_plan() {
        let camera = Camera { x_m: 5.0, y_m: 5.0, z_m: 0.0, turn_deg: 0.0, tilt_deg: 90.0, distance_m: 20.0 };
        let matrix = projection(&camera, 1.0, 20.0);
        let [right, _, _] = on_screen(&matrix, [6.0, 5.0, 0.0]);
        let [_, up, _] = on_screen(&matrix, [5.0, 6.0, 0.0]);
        assert!(right > 0.0 && up > 0.0);
        let [x, y, depth] = on_screen(&matrix, [5.0, 5.0, 0.0]);
        assert!(x.abs() < 1e-9 && y.abs() < 1e-9 && (0.0..1.0).contains(&depth));
    }

    #[test]
    fn an_eye_that_looks_along_y_has_x_to_its_right() {
        let camera = Camera { x_m: 0.0, y_m: 0.0, z_m: 0.0, turn_deg: 0.0, tilt_deg: 1.0, distance_m: 10.0 };
        let seen = frame(&camera);
        assert!(seen.eye[1] < 0.0 && seen.eye[2] > 0.0 && (seen.right[0] - 1.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn law_what_is_fitted_is_all_in_the_picture(
            bounds in any_bounds(), turn in 0.0..360.0_f64, tilt in 1.0..90.0_f64, aspect in 0.4..3.0_f64
        ) {
            let camera = fitted(&bounds, turn, tilt, aspect);
            let matrix = projection(&camera, aspect, bounds.extent());
            for corner in bounds.corners() {
                let [x, y, depth] = on_screen(&matrix, corner);
                prop_assert!(x.abs() <= 0.941 && y.abs() <= 0.941 && (0.0..=1.0).contains(&depth), "{x} {y} {depth}");
            }
        }

        #[test]
        fn law_a_ray_goes_through_the_place_it_is_for(
            bounds in any_bounds(), turn in 0.0..360.0_f64, tilt in 1.0..90.0_f64, aspect in 0.4..3.0_f64,
            x in -1.0..1.0_f64, y in -1.0..1.0_f64, along in 1.0..100.0_f64
        ) {
            let camera = fitted(&bounds, turn, tilt, aspect);
            let ray = ray(&camera, aspect, (x, y));
            let place = add(ray.from, scaled(ray.along, along));
            let found = on_screen(&projection(&camera, aspect, bounds.extent()), place);
            prop_assert!((found[0] - x).abs() < 1e-6 && (found[1] - y).abs() < 1e-6);
        }

        #[test]
        fn law_no_move_takes_the_eye_below_the_floor_or_what_it_looks_at_out_of_the_hall(
            bounds in any_bounds(), moves in prop::collection::vec((-2.0..2.0_f64, -2.0..2.0_f64, -90.0..90.0_f64, 0.2..5.0_f64), 1..20)
        ) {
            let mut camera = fitted(&bounds, 30.0, 30.0, 1.5);
            for (right, away, angle, factor) in moves {
                camera = zoomed(turned(moved(camera, right, away, &bounds), angle, angle), factor, &bounds);
                prop_assert!(frame(&camera).eye[2] > 0.0);
                prop_assert!((bounds.low[0]..=bounds.high[0]).contains(&camera.x_m));
                prop_assert!((bounds.low[1]..=bounds.high[1]).contains(&camera.y_m));
            }
        }

        #[test]
        fn law_the_way_between_two_cameras_begins_and_ends_at_them(a in 0.0..360.0_f64, b in 0.0..360.0_f64) {
            let bounds = Bounds { low: [0.0; 3], high: [10.0, 10.0, 3.0] };
            let (from, to) = (fitted(&bounds, a, 20.0, 1.0), fitted(&bounds, b, 60.0, 1.0));
            prop_assert_eq!(between(&from, &to, 0.0), from);
            let end = between(&from, &to, 1.0);
            prop_assert!(((end.turn_deg - to.turn_deg) / 360.0).fract().abs() < 1e-9 || ((end.turn_deg - to.turn_deg).abs() % 360.0 - 360.0).abs() < 1e-6);
            prop_assert!((end.turn_deg - from.turn_deg).abs() <= 180.0 + 1e-9);
        }
    }
}
