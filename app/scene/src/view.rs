//! A hall and an eye on it: bookmarks, what a click meets, and what can go wrong with what was handed over.

use crate::camera::{self, Bounds, Matrix};
use crate::geometry::{self, Boxes};
use crate::pick;
use model::scene::{Camera, Scene, Strip};

/// How far before a hall's wall someone stands who looks along an aisle.
const BEFORE_M: f64 = 0.6;

/// Places to look from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bookmark {
    /// All of the hall, from one corner.
    Overview,
    /// The plan.
    Above,
    /// Along the middle one of the cold aisles.
    ColdAisle,
    /// Along the middle one of the hot aisles.
    HotAisle,
    /// What is selected, over its front.
    Selected,
}

impl Bookmark {
    /// In the order of their keys, 1 to 5.
    pub const ALL: [Self; 5] = [Self::Overview, Self::Above, Self::ColdAisle, Self::HotAisle, Self::Selected];

    /// As pages call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Above => "above",
            Self::ColdAisle => "cold-aisle",
            Self::HotAisle => "hot-aisle",
            Self::Selected => "selected",
        }
    }
}

/// A hall and an eye on it.
#[derive(Debug, Clone)]
pub struct View {
    scene: Scene,
    boxes: Boxes,
    /// Where the eye is.
    pub camera: Camera,
    /// Width of the picture over its height.
    pub aspect: f64,
}

impl View {
    /// Reads what a page hands over, and looks at all of it.
    pub fn read(json: &str, aspect: f64) -> Result<Self, String> {
        let scene = scene(json)?;
        let boxes = geometry::boxes(&scene);
        let camera = overview(&boxes.bounds, aspect);
        Ok(Self { scene, boxes, camera, aspect })
    }

    /// Takes a changed hall; the eye stays where it is.
    pub fn update(&mut self, json: &str) -> Result<(), String> {
        self.scene = scene(json)?;
        self.boxes = geometry::boxes(&self.scene);
        Ok(())
    }

    /// What is drawn.
    pub fn boxes(&self) -> &Boxes {
        &self.boxes
    }

    /// The colour behind everything.
    pub fn ground(&self) -> crate::shade::Rgba {
        crate::shade::colour(&self.scene.colours.ground)
    }

    /// What takes a place in the hall to one on the screen.
    pub fn projection(&self) -> Matrix {
        camera::projection(&self.camera, self.aspect, self.boxes.bounds.extent())
    }

    /// Where a bookmark, or a camera as JSON, looks from; none where the hall has no such place.
    pub fn place(&self, name: &str) -> Option<Camera> {
        match Bookmark::ALL.into_iter().find(|bookmark| bookmark.name() == name) {
            Some(bookmark) => self.bookmark(bookmark),
            None => serde_json::from_str::<Camera>(name).ok().and_then(|camera| camera.to_string().parse().ok()),
        }
    }

    /// Where a bookmark looks from; none where the hall has no such place.
    pub fn bookmark(&self, bookmark: Bookmark) -> Option<Camera> {
        let bounds = &self.boxes.bounds;
        match bookmark {
            Bookmark::Overview => Some(overview(bounds, self.aspect)),
            Bookmark::Above => {
                // The longer side lies along the longer side of the picture.
                let is_deep = (bounds.high[1] > bounds.high[0]) != (self.aspect < 1.0);
                Some(camera::fitted(bounds, if is_deep { 90.0 } else { 0.0 }, 90.0, self.aspect))
            }
            Bookmark::ColdAisle => self.aisle(|aisle| aisle.cold),
            Bookmark::HotAisle => self.aisle(|aisle| !aisle.cold),
            Bookmark::Selected => self.selected(),
        }
    }

    /// From before the rows' ends, at the height of a standing person's eyes.
    fn aisle(&self, alike: fn(&Strip) -> bool) -> Option<Camera> {
        let alike: Vec<&Strip> = self.scene.aisles.iter().filter(|aisle| alike(aisle)).collect();
        let aisle = alike.get(alike.len() / 2)?;
        let distance_m = (self.scene.length_m * 0.5).max(2.0) + BEFORE_M;
        let (eye_m, at_m) = (1.9, 1.1);
        Some(Camera {
            x_m: distance_m - BEFORE_M,
            y_m: self.scene.width_m - aisle.y_m - aisle.width_m / 2.0,
            z_m: at_m,
            turn_deg: 90.0,
            tilt_deg: ((eye_m - at_m) / distance_m).asin().to_degrees().max(1.0),
            distance_m,
        })
    }

    /// Over the aisle before the fronts of the first racks that are selected.
    fn selected(&self) -> Option<Camera> {
        let run = self.scene.racks.iter().find(|run| self.scene.selected.contains(&run.id) && run.count > 0)?;
        let (first, last) =
            (geometry::rack(&self.scene, run, 0), geometry::rack(&self.scene, run, run.count.saturating_sub(1)));
        let bounds = Bounds { low: first.low.map(|value| value - 0.6), high: last.high.map(|value| value + 0.6) };
        let bounds = Bounds { low: [bounds.low[0], bounds.low[1], 0.0], ..bounds };
        Some(camera::fitted(&bounds, if run.faces_near { 205.0 } else { 25.0 }, 42.0, self.aspect))
    }

    /// The id of the rack at a place of the picture, in shares of its width and height from the top left.
    pub fn pick(&self, x: f64, y: f64) -> Option<&str> {
        let ray = camera::ray(&self.camera, self.aspect, (2.0 * x - 1.0, 1.0 - 2.0 * y));
        let target = pick::first(&ray, &self.boxes.targets)?;
        self.scene.racks.get(target.run).map(|run| run.id.as_str())
    }
}

fn overview(bounds: &Bounds, aspect: f64) -> Camera {
    // Over a corner, with the longer side across a wide picture and into a tall one.
    let is_deep = bounds.high[1] > 1.2 * bounds.high[0];
    let runs_in = is_deep == (aspect < 1.0);
    camera::fitted(bounds, if runs_in { 22.0 } else { 74.0 }, 42.0, aspect)
}

fn scene(json: &str) -> Result<Scene, String> {
    let scene: Scene = serde_json::from_str(json).map_err(|error| format!("the hall can't be read: {error}"))?;
    let sizes = [scene.length_m, scene.width_m];
    if sizes.iter().all(|size| size.is_finite() && *size > 0.0) {
        Ok(scene)
    } else {
        Err("the hall has no floor".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::tests::hall;

    fn view() -> View {
        View::read(&serde_json::to_string(&hall()).unwrap(), 1.6).unwrap()
    }

    #[test]
    fn what_is_handed_over_is_read_or_refused_in_words() {
        assert_eq!(view().boxes().targets.len(), 6);
        assert!(View::read("{", 1.0).unwrap_err().starts_with("the hall can't be read"));
        let none = serde_json::to_string(&Scene::default()).unwrap();
        assert_eq!(View::read(&none, 1.0).unwrap_err(), "the hall has no floor");
    }

    #[test]
    fn a_click_on_a_rack_from_above_is_its_id_and_beside_all_nothing() {
        let mut view = view();
        view.camera = view.bookmark(Bookmark::Above).unwrap();
        let at = |view: &View, place: [f64; 3]| {
            let m = view.projection();
            let row = |row: usize| (0..3).map(|i| m[i][row] * place[i]).sum::<f64>() + m[3][row];
            (f64::midpoint(1.0, row(0) / row(3)), f64::midpoint(1.0, -row(1) / row(3)))
        };
        for (index, id) in [(0, "near"), (1, "far")] {
            let bounds = geometry::rack(&view.scene, &view.scene.racks[index], 1);
            let (x, y) = at(&view, [bounds.middle()[0], bounds.middle()[1], bounds.high[2]]);
            assert_eq!(view.pick(x, y), Some(id));
        }
        assert_eq!(view.pick(0.001, 0.001), None);
    }

    #[test]
    fn bookmarks_lead_to_places_that_are_there() {
        let mut view = view();
        assert!(
            view.place("overview").is_some() && view.place("above").is_some() && view.place("cold-aisle").is_some()
        );
        assert_eq!(view.place("hot-aisle"), None);
        assert!(view.place("selected").is_some());
        view.scene.selected.clear();
        assert_eq!(view.place("selected"), None);
        let camera = view.camera;
        let json = serde_json::to_string(&camera).unwrap();
        assert!(view.place(&json).is_some_and(|place| (place.x_m - camera.x_m).abs() < 0.051));
        assert_eq!(view.place("nowhere"), None);
    }

    #[test]
    fn a_change_leaves_the_eye_where_it_is() {
        let mut view = view();
        let before = view.camera;
        let mut changed = hall();
        changed.racks[0].count = 1;
        view.update(&serde_json::to_string(&changed).unwrap()).unwrap();
        assert_eq!((view.camera, view.boxes().targets.len()), (before, 4));
        assert!(view.update("[]").is_err());
        assert_eq!(view.boxes().targets.len(), 4);
    }
}
