//! What is drawn of the heat-map in one frame: cells by colour, marks by health, names. Plain lists in pixels, so that who
//! draws only draws, and only what is seen.

use super::arrange::Arrangement;
use super::eye::{Size, Stand};
use super::live::Now;
use super::look::Look;
use super::scale::{STEPS, Scale};
use model::fleet::Health;

/// Below this a cell has no room for a mark, pixels.
const MARKED: f64 = 8.0;
/// What failed is marked however small its cell is, so large, pixels.
const FAILED: f64 = 7.0;
/// From this colour on, marks are drawn in the ground's.
const DEEP: usize = 4;
/// Room between two cells, as a share of one.
const BETWEEN: f64 = 0.12;
/// Below this names are not drawn, pixels.
const NAME_LEAST: f64 = 7.0;
/// The largest name, pixels.
const NAME_MOST: f64 = 13.0;

/// What marks stand on, and so which of two inks is seen on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Colours near the ground's.
    Pale,
    /// Colours far from it.
    Deep,
}

/// Marks of one state of health: the middles of the cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Marks {
    /// Which state.
    pub health: Health,
    /// What they stand on.
    pub on: On,
    /// How large they are, pixels.
    pub size: f64,
    /// Where.
    pub at: Vec<(f64, f64)>,
}

/// A name to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    /// The name.
    pub words: String,
    /// Its left end.
    pub x: f64,
    /// Its foot.
    pub y: f64,
    /// Room for it.
    pub width: f64,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    /// Width and height of a cell as it is drawn.
    pub side: f64,
    /// Corners of cells by their colour on the scale.
    pub cells: [Vec<(f64, f64)>; STEPS],
    /// Of those that were not read.
    pub unread: Vec<(f64, f64)>,
    /// Of those that do not stand out.
    pub dimmed: Vec<(f64, f64)>,
    /// Marks on them.
    pub marks: Vec<Marks>,
    /// How large names are.
    pub name_size: f64,
    /// Names of groups.
    pub names: Vec<Name>,
    /// The corner of the cell that the cursor is on.
    pub cursor: Option<(f64, f64)>,
}

/// What a frame is made of.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// Where GPUs stand.
    pub map: &'a Arrangement,
    /// How they are.
    pub now: &'a Now,
    /// Their colours; none where nothing was read.
    pub scale: Option<Scale>,
    /// What stands out.
    pub look: &'a Look,
    /// The place of the cursor in the order.
    pub cursor: Option<usize>,
}

/// The frame that a screen shows.
pub fn frame(scene: Scene<'_>, stand: Stand, screen: Size) -> Frame {
    let side = stand.scale * (1.0 - BETWEEN);
    let mut frame = Frame { side: side.max(0.5), ..Frame::default() };
    for group in &scene.map.groups {
        for at in group.first..group.first + group.gpus {
            let Some(corner) = scene.map.corner(at) else { continue };
            let (x, y) = stand.to_screen(corner);
            if x > -stand.scale && x < screen.width && y > -stand.scale && y < screen.height {
                cell(&mut frame, scene, at, (x, y));
            }
        }
    }
    names(&mut frame, scene.map, stand, screen);
    frame.cursor = scene.cursor.and_then(|at| scene.map.corner(at)).map(|corner| stand.to_screen(corner));
    frame
}

fn cell(frame: &mut Frame, scene: Scene<'_>, at: usize, corner: (f64, f64)) {
    let Some(position) = scene.map.order.get(at) else { return };
    let (value, health) = scene.now.gpu(*position);
    if !scene.look.shows(health) {
        frame.dimmed.push(corner);
        return;
    }
    let step = value.filter(|value| value.is_finite()).zip(scene.scale).map(|(value, scale)| scale.step(value));
    match step.and_then(|step| frame.cells.get_mut(step)) {
        Some(cells) => cells.push(corner),
        None => frame.unread.push(corner),
    }
    let Some(size) = mark_size(health, frame.side) else { return };
    let middle = (corner.0 + frame.side / 2.0, corner.1 + frame.side / 2.0);
    let on = if step.is_some_and(|step| step >= DEEP) { On::Deep } else { On::Pale };
    match frame.marks.iter_mut().find(|marks| marks.health == health && marks.on == on) {
        Some(marks) => marks.at.push(middle),
        None => frame.marks.push(Marks { health, on, size, at: vec![middle] }),
    }
}

/// How large the mark of a state is on a cell; none where it has none, or the cell no room.
fn mark_size(health: Health, side: f64) -> Option<f64> {
    match health {
        Health::Failed => Some((side * 0.8).max(FAILED)),
        Health::Stale if side >= MARKED => Some(side),
        Health::PowerHeld | Health::HeatHeld | Health::Degraded if side >= MARKED => Some((side * 0.6).min(18.0)),
        Health::Busy | Health::Idle | Health::Stale | Health::PowerHeld | Health::HeatHeld | Health::Degraded => None,
    }
}

fn names(frame: &mut Frame, map: &Arrangement, stand: Stand, screen: Size) {
    frame.name_size = (map.name_height * stand.scale * 0.85).min(NAME_MOST);
    if frame.name_size < NAME_LEAST {
        return;
    }
    for group in &map.groups {
        let (x, y) = stand.to_screen((group.x, group.y + map.name_height));
        let width = f64::from(group.columns) * stand.scale;
        // Names of groups that are seen in part stand where they are seen.
        let shown = x.max(2.0);
        if x + width > 0.0 && x < screen.width && y > 0.0 && y < screen.height + NAME_MOST {
            frame.names.push(Name { words: group.name.clone(), x: shown, y: y - 3.0, width: x + width - shown });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::eye::Eye;
    use super::super::groups::Block;
    use super::*;

    const SCREEN: Size = Size { width: 400.0, height: 300.0 };

    fn drawn(health: &[Health], values: &[Option<f64>], look: &Look) -> Frame {
        let nodes = std::iter::once(0..health.len() as u32).collect();
        let map = Arrangement::of(&[Block { name: "A1".into(), only: String::new(), place: None, nodes }], SCREEN);
        let now = Now { layout: 1, as_of_ms: 0, values: values.to_vec(), health: health.to_vec() };
        let scale = Some(Scale { low: 0.0, high: 700.0 });
        let stand = look.eye.stand(map.size, SCREEN);
        frame(Scene { map: &map, now: &now, scale, look, cursor: Some(0) }, stand, SCREEN)
    }

    fn cells(frame: &Frame) -> usize {
        frame.cells.iter().map(Vec::len).sum::<usize>() + frame.unread.len() + frame.dimmed.len()
    }

    #[test]
    fn each_gpu_is_drawn_once_and_health_by_shape() {
        let health = [Health::Busy, Health::Failed, Health::Stale, Health::HeatHeld];
        let frame = drawn(&health, &[Some(0.0), Some(700.0), None, Some(350.0)], &Look::default());
        assert_eq!(cells(&frame), 4);
        assert_eq!(
            (frame.cells[0].len(), frame.cells[8].len(), frame.cells[4].len(), frame.unread.len()),
            (1, 1, 1, 1)
        );
        let marked: Vec<Health> = frame.marks.iter().map(|marks| marks.health).collect();
        assert_eq!(marked, [Health::Failed, Health::Stale, Health::HeatHeld]);
        assert_eq!(frame.names.len(), 1);
        assert!(frame.cursor.is_some());
    }

    #[test]
    fn what_does_not_stand_out_is_dimmed_and_keeps_its_place() {
        let look = Look { health: vec![Health::Failed], ..Look::default() };
        let frame = drawn(&[Health::Busy, Health::Failed], &[Some(1.0), None], &look);
        assert_eq!((frame.dimmed.len(), frame.unread.len(), frame.marks.len()), (1, 1, 1));
    }

    #[test]
    fn what_failed_is_marked_however_small_it_is() {
        let mut health = vec![Health::PowerHeld; 20_000];
        health[7] = Health::Failed;
        let frame = drawn(&health, &vec![Some(1.0); 20_000], &Look::default());
        assert!(frame.side < MARKED);
        assert_eq!(
            frame.marks.iter().map(|marks| (marks.health, marks.at.len())).collect::<Vec<_>>(),
            [(Health::Failed, 1)]
        );
    }

    #[test]
    fn what_is_not_seen_is_not_drawn() {
        let look = Look { eye: Eye { zoom: 20.0, x: 0.1, y: 0.1 }, ..Look::default() };
        let frame = drawn(&vec![Health::Busy; 20_000], &vec![Some(1.0); 20_000], &look);
        assert!(cells(&frame) > 0 && cells(&frame) < 400, "{}", cells(&frame));
    }
}
