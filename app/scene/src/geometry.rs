//! A hall becomes boxes. The plan's y runs down the page from the near wall; the picture's runs up, so that it is the plan
//! seen from above and no mirror image of it.

use crate::camera::{Bounds, Vec3};
use crate::shade::{Rgba, colour, mixed, shade, share};
use model::scene::{Line, Paint, Pillar, RackRun, Scene, Strip};

/// Most racks that are drawn: a hall of more is beyond any building, and a browser's patience.
pub const MOST_RACKS: usize = 40_000;
/// Between racks, on each side, so that each is one.
const GAP_M: f64 = 0.012;
/// Floor slab, aisles painted on it, and water marked on those.
const SLAB_M: f64 = 0.12;
const PAINT_M: f64 = 0.02;
const MARK_M: f64 = 0.05;
/// Half widths of a busway and of a water mark, and how high busways hang over the highest rack.
const BUSWAY_HALF_M: f64 = 0.07;
const PIPE_HALF_M: f64 = 0.08;
const BUSWAY_OVER_M: f64 = 0.35;
/// How far columns rise over the highest rack; they end there so that they hide little.
const COLUMN_OVER_M: f64 = 0.8;
/// A frame stands off what is selected by this, and its lines are this many pixels wide.
const FRAME_OFF_M: f64 = 0.05;
const FRAME_PX: f32 = 1.3;
/// Height of a hall without racks.
const EMPTY_M: f64 = 2.0;

/// A box to be drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Instance {
    /// Its corner nearest to the origin.
    pub low: [f32; 3],
    /// Along x, y and z.
    pub size: [f32; 3],
    /// Of its faces.
    pub colour: Rgba,
    /// Of its edges; how much of it shows is its opacity.
    pub edge: Rgba,
    /// Of its hatching; none where its opacity is none.
    pub hatch: Rgba,
    /// Width of its edges in pixels, below zero for a frame that has no faces; and its front: 1 towards +y, −1 towards −y, 0
    /// for what has none.
    pub style: [f32; 2],
}

/// A box that can be clicked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// Where it is.
    pub bounds: Bounds,
    /// Which of the scene's runs it is of.
    pub run: usize,
}

/// All boxes of a hall.
#[derive(Debug, Clone, PartialEq)]
pub struct Boxes {
    /// What is drawn.
    pub instances: Vec<Instance>,
    /// What can be clicked.
    pub targets: Vec<Target>,
    /// The hall with its racks.
    pub bounds: Bounds,
}

/// A hall as boxes.
pub fn boxes(scene: &Scene) -> Boxes {
    let highest = scene.racks.iter().map(|run| run.height_m).fold(0.0, f64::max);
    let highest = if highest > 0.0 { highest } else { EMPTY_M };
    let mut made = Boxes {
        instances: Vec::new(),
        targets: Vec::new(),
        bounds: Bounds { low: [0.0; 3], high: [scene.length_m, scene.width_m, highest] },
    };
    let line = colour(&scene.colours.line);
    let mut add = |low: Vec3, high: Vec3, of: &str| made.instances.push(plain(low, high, colour(of), line));
    let bare = |low: Vec3, high: Vec3, of: &str| plain(low, high, colour(of), [0.0; 4]);
    add([0.0, 0.0, -SLAB_M], [scene.length_m, scene.width_m, 0.0], &scene.colours.floor);
    for strip in &scene.aisles {
        let (low, high) = aisle(scene, strip);
        add(low, high, &scene.colours.aisles[usize::from(!strip.cold)]);
    }
    for pillar in &scene.columns {
        let (low, high) = column(scene, pillar, highest + COLUMN_OVER_M);
        add(low, high, &scene.colours.column);
    }
    // What is thinner than its edges has none.
    for pipe in &scene.pipes {
        let (low, high) = along(scene, pipe, PIPE_HALF_M, (0.0, MARK_M));
        made.instances.push(bare(low, high, &scene.colours.pipe));
    }
    for busway in &scene.busways {
        let bottom = highest + BUSWAY_OVER_M;
        let (low, high) = along(scene, busway, BUSWAY_HALF_M, (bottom, bottom + BUSWAY_HALF_M));
        made.instances.push(bare(low, high, &scene.colours.busway));
    }
    racks(scene, &mut made);
    frames(scene, &mut made);
    made
}

/// The plan's y as the picture has it.
fn turned_over(scene: &Scene, y_m: f64) -> f64 {
    scene.width_m - y_m
}

fn aisle(scene: &Scene, strip: &Strip) -> (Vec3, Vec3) {
    let (far, near) = (turned_over(scene, strip.y_m + strip.width_m), turned_over(scene, strip.y_m));
    ([0.0, far, 0.0], [scene.length_m, near, PAINT_M])
}

fn along(scene: &Scene, line: &Line, half: f64, (bottom, top): (f64, f64)) -> (Vec3, Vec3) {
    let y = turned_over(scene, line.y_m);
    ([line.from_m, y - half, bottom], [line.to_m, y + half, top])
}

fn column(scene: &Scene, pillar: &Pillar, top: f64) -> (Vec3, Vec3) {
    let y = turned_over(scene, pillar.y_m + pillar.side_m);
    ([pillar.x_m, y, 0.0], [pillar.x_m + pillar.side_m, y + pillar.side_m, top])
}

/// Where the rack at a place of a run stands.
pub fn rack(scene: &Scene, run: &RackRun, at: u32) -> Bounds {
    let left = run.x_m + run.width_m * f64::from(at);
    let far = turned_over(scene, run.y_m + run.depth_m);
    let low = [left + GAP_M, far, 0.0];
    Bounds { low, high: [left + run.width_m - GAP_M, far + run.depth_m, run.height_m] }
}

fn racks(scene: &Scene, made: &mut Boxes) {
    let shades: Vec<Rgba> = scene.colours.shades.iter().map(|text| colour(text)).collect();
    let ground = colour(&scene.colours.ground);
    let [missing, hatching] = scene.colours.missing.each_ref().map(|text| colour(text));
    for (index, run) in scene.racks.iter().enumerate() {
        let (of, hatch) = match (run.paint, scene.scale) {
            (Paint::Kind(kind), _) => (scene.colours.kinds.get(kind).map_or(missing, |text| colour(text)), None),
            (Paint::Value(value), Some(scale)) if value.is_finite() => (shade(&shades, share(scale, value)), None),
            (Paint::Value(_) | Paint::Missing, _) => (missing, Some(hatching)),
        };
        let edge = mixed(of, ground, 0.6);
        let style = [1.0, if run.faces_near { 1.0 } else { -1.0 }];
        for at in 0..run.count {
            if made.targets.len() >= MOST_RACKS {
                return;
            }
            let bounds = rack(scene, run, at);
            let hatch = hatch.unwrap_or([0.0; 4]);
            made.instances.push(Instance { edge, hatch, style, ..plain(bounds.low, bounds.high, of, edge) });
            made.targets.push(Target { bounds, run: index });
        }
    }
}

/// Frames around what is selected, last, so that what is behind them shows through.
fn frames(scene: &Scene, made: &mut Boxes) {
    let chosen = colour(&scene.colours.chosen);
    for run in scene.racks.iter().filter(|run| run.count > 0 && scene.selected.contains(&run.id)) {
        let (first, last) = (rack(scene, run, 0), rack(scene, run, run.count - 1));
        let low = [first.low[0] - FRAME_OFF_M, first.low[1] - FRAME_OFF_M, 0.0];
        let high = last.high.map(|value| value + FRAME_OFF_M);
        made.instances.push(Instance { style: [-FRAME_PX, 0.0], ..plain(low, high, chosen, chosen) });
    }
}

/// A box with hairlines for edges and nothing else to it.
fn plain(low: Vec3, high: Vec3, colour: Rgba, edge: Rgba) -> Instance {
    Instance {
        low: low.map(|value| value as f32),
        size: std::array::from_fn(|i| (high[i] - low[i]) as f32),
        colour,
        edge,
        hatch: [0.0; 4],
        style: [1.0, 0.0],
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use model::scene::Scale;

    /// Two rows front to front, three racks in each.
    pub(crate) fn hall() -> Scene {
        let run = |id: &str, y_m: f64, faces_near: bool| RackRun {
            id: id.into(),
            x_m: 1.0,
            y_m,
            width_m: 0.6,
            depth_m: 1.2,
            height_m: 2.2,
            count: 3,
            faces_near,
            paint: Paint::Value(if faces_near { 10.0 } else { 20.0 }),
        };
        Scene {
            length_m: 4.0,
            width_m: 6.0,
            racks: vec![run("near", 1.0, false), run("far", 3.4, true)],
            aisles: vec![Strip { y_m: 2.2, width_m: 1.2, cold: true }],
            scale: Some(Scale { low: 10.0, high: 20.0 }),
            colours: model::scene::Colours {
                shades: vec!["#000000".into(), "#ffffff".into()],
                ..model::scene::Colours::default()
            },
            selected: vec!["far".into()],
            ..Scene::default()
        }
    }

    #[test]
    fn a_hall_has_a_box_for_each_rack_within_its_walls() {
        let made = boxes(&hall());
        assert_eq!(made.targets.len(), 6);
        assert_eq!(made.instances.len(), 2 + 6 + 1);
        for target in &made.targets {
            assert!((0..3).all(|i| target.bounds.low[i] >= made.bounds.low[i]));
            assert!((0..3).all(|i| target.bounds.high[i] <= made.bounds.high[i] + 1e-9));
        }
    }

    #[test]
    fn the_near_row_is_at_the_top_as_on_the_plan_and_fronts_meet() {
        let scene = hall();
        let (near, far) = (rack(&scene, &scene.racks[0], 0), rack(&scene, &scene.racks[1], 0));
        assert!(near.low[1] > far.high[1]);
        let made = boxes(&scene);
        // The near row's fronts are on its far side, which is towards −y here.
        assert!(made.instances[2].style[1] < 0.0 && made.instances[5].style[1] > 0.0);
    }

    #[test]
    fn figures_are_shades_what_is_missing_is_hatched_and_what_is_chosen_framed() {
        let mut scene = hall();
        let made = boxes(&scene);
        assert!((made.instances[2].colour[0] - 1.0).abs() < 1e-6 && made.instances[5].colour[0].abs() < 1e-6);
        let frame = made.instances[8];
        assert!(frame.style[0] < 0.0 && frame.size[0] > 1.8 && frame.size[0] < 2.0);
        assert!(made.instances[2].hatch[3] == 0.0);
        scene.racks[0].paint = Paint::Missing;
        scene.racks[1].paint = Paint::Value(f64::NAN);
        let made = boxes(&scene);
        assert!(made.instances[2..8].iter().all(|each| each.hatch[3] > 0.0));
    }

    #[test]
    fn a_hall_beyond_any_building_is_cut_short() {
        let mut scene = hall();
        scene.racks[0].count = u32::MAX;
        assert_eq!(boxes(&scene).targets.len(), MOST_RACKS);
    }
}
