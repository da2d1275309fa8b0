//! What is under a place of the screen.

use crate::camera::{Bounds, Ray};
use crate::geometry::Target;

/// How far along a ray a box begins; none where the ray passes it or it lies behind. From within a box it is 0.
pub fn hit(ray: &Ray, bounds: &Bounds) -> Option<f64> {
    let (mut enter, mut leave) = (0.0_f64, f64::INFINITY);
    for i in 0..3 {
        if ray.along[i].abs() < 1e-12 {
            // It runs along these two faces, between them or not at all.
            if ray.from[i] < bounds.low[i] || ray.from[i] > bounds.high[i] {
                return None;
            }
            continue;
        }
        let (a, b) = ((bounds.low[i] - ray.from[i]) / ray.along[i], (bounds.high[i] - ray.from[i]) / ray.along[i]);
        enter = enter.max(a.min(b));
        leave = leave.min(a.max(b));
    }
    (enter <= leave).then_some(enter)
}

/// The first of the targets that a ray meets.
pub fn first<'t>(ray: &Ray, targets: &'t [Target]) -> Option<&'t Target> {
    let met = targets.iter().filter_map(|target| Some((hit(ray, &target.bounds)?, target)));
    met.min_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, target)| target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::{fitted, ray};
    use crate::geometry::{boxes, tests::hall};
    use proptest::prelude::*;

    const BOX: Bounds = Bounds { low: [0.0; 3], high: [1.0, 2.0, 3.0] };

    #[test]
    fn a_ray_meets_a_box_before_it_and_none_behind_or_beside() {
        let ray = |from, along| Ray { from, along };
        assert_eq!(hit(&ray([-2.0, 1.0, 1.0], [1.0, 0.0, 0.0]), &BOX), Some(2.0));
        assert_eq!(hit(&ray([3.0, 1.0, 1.0], [1.0, 0.0, 0.0]), &BOX), None);
        assert_eq!(hit(&ray([-2.0, 2.5, 1.0], [1.0, 0.0, 0.0]), &BOX), None);
        assert_eq!(hit(&ray([0.5, 1.0, 1.0], [1.0, 0.0, 0.0]), &BOX), Some(0.0));
    }

    proptest! {
        #[test]
        fn law_a_ray_at_a_place_of_a_box_meets_it_no_later(
            x in 0.01..0.99_f64, y in 0.01..1.99_f64, z in 0.01..2.99_f64, turn in 0.0..360.0_f64, tilt in 1.0..90.0_f64
        ) {
            let eye = crate::camera::frame(&fitted(&BOX, turn, tilt, 1.5)).eye;
            let to: [f64; 3] = std::array::from_fn(|i| [x, y, z][i] - eye[i]);
            let far = to.iter().map(|value| value * value).sum::<f64>().sqrt();
            let found = hit(&Ray { from: eye, along: to.map(|value| value / far) }, &BOX);
            prop_assert!(found.is_some_and(|at| at <= far + 1e-9));
        }

        #[test]
        fn law_no_other_rack_stands_before_the_one_that_is_picked(
            turn in 0.0..360.0_f64, tilt in 5.0..90.0_f64, x in -1.0..1.0_f64, y in -1.0..1.0_f64
        ) {
            let made = boxes(&hall());
            let ray = ray(&fitted(&made.bounds, turn, tilt, 1.6), 1.6, (x, y));
            let found = first(&ray, &made.targets).and_then(|target| hit(&ray, &target.bounds));
            let nearest = made.targets.iter().filter_map(|target| hit(&ray, &target.bounds)).min_by(f64::total_cmp);
            prop_assert_eq!(found, nearest);
        }
    }
}
