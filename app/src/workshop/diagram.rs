//! Where the boxes and lines of the one-line diagram go. Pixels of a drawing whose width follows from the tree.

use model::report::NodeReport;
use model::site::PowerNode;

/// Width of a box.
pub const BOX_WIDTH: f64 = 252.0;
/// Height of a box.
pub const BOX_HEIGHT: f64 = 84.0;
/// Between boxes side by side.
const GAP_X: f64 = 24.0;
/// Between levels.
const GAP_Y: f64 = 30.0;
/// Round the drawing.
const MARGIN: f64 = 12.0;

/// A box of the diagram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Boxed {
    /// Its left side.
    pub x: f64,
    /// Its top.
    pub y: f64,
    /// Middle of the foot of the box that feeds it; none for the service entrance.
    pub fed_from: Option<(f64, f64)>,
}

/// Where each node of a tree stands; `fed_by` gives each one's parent, parents before children. And width and height.
///
/// Leaves stand side by side in order; a parent stands over the middle of what it feeds.
pub fn one_line(fed_by: &[Option<usize>]) -> (Vec<Boxed>, f64, f64) {
    let mut x = vec![None::<f64>; fed_by.len()];
    let mut depth = vec![0_usize; fed_by.len()];
    for (at, parent) in fed_by.iter().enumerate() {
        depth[at] = parent.and_then(|parent| depth.get(parent)).map_or(0, |above| above + 1);
    }
    let mut next = MARGIN;
    // Depth first, so that what hangs on one node stands together.
    let roots: Vec<usize> = (0..fed_by.len()).filter(|&at| fed_by[at].is_none_or(|up| up >= at)).collect();
    let mut stack: Vec<(usize, bool)> = roots.into_iter().rev().map(|at| (at, false)).collect();
    while let Some((at, seen)) = stack.pop() {
        let children: Vec<usize> = (at + 1..fed_by.len()).filter(|&child| fed_by[child] == Some(at)).collect();
        if seen {
            let xs: Vec<f64> = children.iter().filter_map(|&child| x[child]).collect();
            let (low, high) = (xs.iter().copied().fold(f64::MAX, f64::min), xs.iter().copied().fold(0.0, f64::max));
            x[at] = Some(f64::midpoint(low, high));
        } else if children.is_empty() {
            x[at] = Some(next);
            next += BOX_WIDTH + GAP_X;
        } else {
            stack.push((at, true));
            stack.extend(children.into_iter().rev().map(|child| (child, false)));
        }
    }
    let place = |at: usize| (x[at].unwrap_or(MARGIN), MARGIN + depth[at] as f64 * (BOX_HEIGHT + GAP_Y));
    let boxes = (0..fed_by.len())
        .map(|at| {
            let (left, top) = place(at);
            let fed_from = fed_by[at].filter(|up| *up < at).map(|up| {
                let (x, y) = place(up);
                (x + BOX_WIDTH / 2.0, y + BOX_HEIGHT)
            });
            Boxed { x: left, y: top, fed_from }
        })
        .collect();
    let levels = depth.iter().max().map_or(0, |deepest| deepest + 1);
    let height = 2.0 * MARGIN + levels as f64 * BOX_HEIGHT + levels.saturating_sub(1) as f64 * GAP_Y;
    (boxes, (next - GAP_X + MARGIN).max(BOX_WIDTH + 2.0 * MARGIN), height)
}

/// Load over what a node can promise; none where it can promise nothing.
pub fn load(node: &NodeReport) -> Option<f64> {
    (node.firm_mw > 0.0).then(|| node.provisioned_mw.max(node.peak_mw) / node.firm_mw)
}

/// How a node's units stand to each other, in words: `A and B sides`, `6 + 1`.
pub fn sides(node: &PowerNode) -> String {
    use model::design::Redundancy;
    match node.redundancy {
        Redundancy::N => format!("{} × N", node.units),
        Redundancy::NPlus1 => format!("{} + 1", node.units.saturating_sub(1)),
        Redundancy::TwoN => format!("A {} · B {}", node.units / 2, node.units - node.units / 2),
        Redundancy::ThreeNOverTwo => format!("{} for the work of {}", node.units, node.units * 2 / 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_stand_over_what_they_feed() {
        let (boxes, width, height) = one_line(&[None, Some(0), Some(1), Some(1), Some(0)]);
        assert!((boxes[1].x - f64::midpoint(boxes[2].x, boxes[3].x)).abs() < 1e-9);
        assert!(boxes[4].x > boxes[3].x + BOX_WIDTH, "what hangs elsewhere stands beside it");
        assert_eq!(boxes[0].fed_from, None);
        assert_eq!(boxes[2].fed_from, Some((boxes[1].x + BOX_WIDTH / 2.0, boxes[1].y + BOX_HEIGHT)));
        for (a, b) in (0..5).flat_map(|a| (0..a).map(move |b| (a, b))) {
            let apart = (boxes[a].x - boxes[b].x).abs() >= BOX_WIDTH || (boxes[a].y - boxes[b].y).abs() >= BOX_HEIGHT;
            assert!(apart, "boxes {a} and {b} overlap");
        }
        assert!(boxes.iter().all(|b| b.x + BOX_WIDTH <= width && b.y + BOX_HEIGHT <= height));
        assert_eq!(one_line(&[]).0.len(), 0);
    }
}
