//! Where each GPU stands on the heat-map: groups side by side on shelves, each under its name, its GPUs in rows and whole
//! nodes side by side. One cell is one unit wide and high; everything else is measured in cells.

use super::eye::Size;
use super::groups::Block;

/// Between two groups.
const GAP: f64 = 0.6;
/// Shapes of a group that are tried: how many times as wide as high. Of two that fit alike the last is taken.
const ASPECTS: [f64; 5] = [0.6, 4.0, 2.4, 1.0, 1.5];
/// Height that a name wants on the screen, pixels.
const NAME_PIXELS: f64 = 15.0;

/// A group on the map.
#[derive(Debug, Clone, PartialEq)]
pub struct Stood {
    /// What it is called.
    pub name: String,
    /// Its left edge.
    pub x: f64,
    /// Its upper edge, where its name stands.
    pub y: f64,
    /// Cells side by side.
    pub columns: u32,
    /// The place of its first GPU in [`Arrangement::order`].
    pub first: usize,
    /// How many GPUs it has.
    pub gpus: usize,
}

/// All groups on the map.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Arrangement {
    /// How large it is.
    pub size: Size,
    /// Height of a name above its GPUs.
    pub name_height: f64,
    /// The groups, shelf by shelf.
    pub groups: Vec<Stood>,
    /// Positions of the GPUs in the fleet, group by group.
    pub order: Vec<u32>,
}

/// Which way the cursor goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the one before.
    Left,
    /// To the next one.
    Right,
    /// To the row above.
    Up,
    /// To the row below.
    Down,
}

impl Stood {
    fn rows(&self) -> u32 {
        (self.gpus as u32).div_ceil(self.columns.max(1))
    }
    fn width(&self) -> f64 {
        f64::from(self.columns)
    }
    fn height(&self, name_height: f64) -> f64 {
        name_height + f64::from(self.rows())
    }
}

impl Arrangement {
    /// Lays groups out so that they are as large as a screen lets them be.
    pub fn of(blocks: &[Block], screen: Size) -> Self {
        let shaped = ASPECTS.map(|aspect| Self::shaped(blocks, aspect, screen));
        let largest = shaped.into_iter().max_by(|one, other| one.scale(screen).total_cmp(&other.scale(screen)));
        largest.unwrap_or_default()
    }
    /// The same with groups of one shape.
    fn shaped(blocks: &[Block], aspect: f64, screen: Size) -> Self {
        let order: Vec<u32> = blocks.iter().flat_map(Block::positions).collect();
        let name_height = name_height(blocks, aspect, order.len(), screen);
        let mut first = 0;
        let mut groups = Vec::with_capacity(blocks.len());
        for block in blocks {
            let (gpus, columns) = (block.gpus() as usize, columns(block, aspect));
            groups.push(Stood { name: block.name.clone(), x: 0.0, y: 0.0, columns, first, gpus });
            first += gpus;
        }
        let size = best(&mut groups, name_height, screen);
        Self { size, name_height, groups, order }
    }
    /// Pixels of a cell where all of it is seen.
    fn scale(&self, screen: Size) -> f64 {
        (screen.width / self.size.width.max(1.0)).min(screen.height / self.size.height.max(1.0))
    }
    /// The upper left corner of the GPU at a place of the order.
    pub fn corner(&self, at: usize) -> Option<(f64, f64)> {
        let group = self.group_of(at)?;
        let (column, row) = in_group(group, at);
        Some((group.x + f64::from(column), group.y + self.name_height + f64::from(row)))
    }
    /// The group that a place of the order is in.
    pub fn group_of(&self, at: usize) -> Option<&Stood> {
        let after = self.groups.partition_point(|group| group.first <= at);
        self.groups.get(after.checked_sub(1)?).filter(|group| at < group.first + group.gpus)
    }
    /// The place in the order of the GPU that stands at a point of the map.
    pub fn hit(&self, (x, y): (f64, f64)) -> Option<usize> {
        let within = |group: &&Stood| {
            let top = group.y + self.name_height;
            x >= group.x && x < group.x + group.width() && y >= top && y < top + f64::from(group.rows())
        };
        let group = self.groups.iter().find(within)?;
        let (column, row) = ((x - group.x) as usize, (y - group.y - self.name_height) as usize);
        let at = row * group.columns as usize + column;
        (at < group.gpus).then_some(group.first + at)
    }
    /// The place of a GPU in the order, by its position in the fleet.
    pub fn place_of(&self, position: u32) -> Option<usize> {
        self.order.iter().position(|each| *each == position)
    }
    /// Where the cursor goes from a place of the order; it stays where there is nothing that way.
    pub fn step(&self, at: usize, way: Way) -> usize {
        let last = self.order.len().saturating_sub(1);
        match way {
            Way::Left => at.saturating_sub(1),
            Way::Right => (at + 1).min(last),
            Way::Up => self.beyond(at, -1.0),
            Way::Down => self.beyond(at, 1.0),
        }
    }
    /// The nearest GPU that stands higher (−1) or lower (1): straight that way where there is one in the same group.
    fn beyond(&self, at: usize, way: f64) -> usize {
        let Some((x, y)) = self.corner(at) else { return at };
        if let Some(found) = self.hit((x + 0.5, y + 0.5 + way)) {
            return found;
        }
        let mut best = (f64::MAX, at);
        for group in &self.groups {
            // The nearest column of each row of the group that is that way; the row nearest to here is first or last.
            let top = group.y + self.name_height;
            let row = (y + way - top).clamp(0.0, f64::from(group.rows().saturating_sub(1))).round();
            let column = (x - group.x).clamp(0.0, group.width() - 1.0).round();
            let inside = (row as usize * group.columns as usize + column as usize).min(group.gpus.saturating_sub(1));
            let found = group.first + inside;
            let Some((found_x, found_y)) = self.corner(found) else { continue };
            let ahead = (found_y - y) * way;
            // Sideways counts more, so that the cursor keeps to its column.
            let far = ahead + 3.0 * (found_x - x).abs();
            if ahead > 0.4 && far < best.0 {
                best = (far, found);
            }
        }
        best.1
    }
}

fn in_group(group: &Stood, at: usize) -> (u32, u32) {
    let inside = (at - group.first) as u32;
    (inside % group.columns.max(1), inside / group.columns.max(1))
}

/// Cells side by side in a group: so many times as many as rows, whole nodes where it has several.
fn columns(block: &Block, aspect: f64) -> u32 {
    let gpus = block.gpus().max(1);
    let wide = (f64::from(gpus) * aspect).sqrt();
    let of_node = block.nodes.first().map_or(1, |node| node.end - node.start).max(1);
    if block.nodes.len() > 1 && of_node <= gpus {
        ((wide / f64::from(of_node)).round() as u32).max(1) * of_node
    } else if gpus <= 4 {
        gpus
    } else {
        (wide.ceil() as u32).min(gpus)
    }
}

/// Height of names: what they want on a screen that all cells are on, yet never most of a group.
fn name_height(blocks: &[Block], aspect: f64, gpus: usize, screen: Size) -> f64 {
    let cell = (screen.width * screen.height / (gpus.max(1) as f64 * 1.5)).sqrt().max(1.0);
    let rows = blocks.iter().map(|block| f64::from(block.gpus().div_ceil(columns(block, aspect)))).fold(0.0, f64::max);
    (NAME_PIXELS / cell).clamp(0.4, 4.0).min((rows * 0.5).max(1.0))
}

/// Shelves groups at the width with which they are largest on the screen, and gives the size of all.
fn best(groups: &mut [Stood], name_height: f64, screen: Size) -> Size {
    let widest = groups.iter().map(Stood::width).fold(1.0, f64::max);
    let all: f64 = groups.iter().map(|group| group.width() + GAP).sum();
    let (mut width, mut found) = (widest, (f64::MIN, widest));
    loop {
        let size = shelve(groups, name_height, width);
        let scale = (screen.width / size.width).min(screen.height / size.height);
        if scale > found.0 {
            found = (scale, width);
        }
        if width >= all {
            break;
        }
        width = (width * 1.07).max(width + 0.5);
    }
    shelve(groups, name_height, found.1)
}

/// Puts groups side by side until a shelf is full, then on the next.
fn shelve(groups: &mut [Stood], name_height: f64, width: f64) -> Size {
    let (mut x, mut y, mut tall) = (0.0, 0.0, 0.0_f64);
    let mut size = Size { width: 1.0, height: 1.0 };
    for group in groups {
        if x > 0.0 && x + group.width() > width {
            y += tall + GAP;
            (x, tall) = (0.0, 0.0);
        }
        (group.x, group.y) = (x, y);
        tall = tall.max(group.height(name_height));
        size = Size { width: size.width.max(x + group.width()), height: size.height.max(y + tall) };
        x += group.width() + GAP;
    }
    size
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SCREEN: Size = Size { width: 900.0, height: 480.0 };

    fn blocks(groups: &[(u32, u32)]) -> Vec<Block> {
        let mut next = 0;
        let mut made = Vec::new();
        for (at, (nodes, gpus)) in groups.iter().enumerate() {
            let mut block = Block { name: format!("g{at}"), only: String::new(), place: None, nodes: Vec::new() };
            for _ in 0..*nodes {
                block.nodes.push(next..next + gpus);
                next += gpus;
            }
            made.push(block);
        }
        made
    }

    fn any_blocks() -> impl Strategy<Value = Vec<Block>> {
        proptest::collection::vec((1_u32..20, 1_u32..9), 1..40).prop_map(|groups| blocks(&groups))
    }

    proptest! {
        #[test]
        fn law_no_two_gpus_stand_on_each_other(blocks in any_blocks()) {
            let map = Arrangement::of(&blocks, SCREEN);
            let mut corners: Vec<(f64, f64)> = (0..map.order.len()).filter_map(|at| map.corner(at)).collect();
            prop_assert_eq!(corners.len(), map.order.len());
            corners.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.total_cmp(&b.0)));
            for (at, here) in corners.iter().enumerate() {
                prop_assert!(here.0 >= 0.0 && here.0 + 1.0 <= map.size.width + 1e-9 && here.1 + 1.0 <= map.size.height + 1e-9);
                for other in corners.iter().skip(at + 1).take_while(|other| other.1 < here.1 + 1.0 - 1e-9) {
                    prop_assert!((other.0 - here.0).abs() >= 1.0 - 1e-9, "{here:?} {other:?}");
                }
            }
        }

        #[test]
        fn law_groups_with_their_names_never_overlap(blocks in any_blocks()) {
            let map = Arrangement::of(&blocks, SCREEN);
            for (at, one) in map.groups.iter().enumerate() {
                for other in map.groups.iter().skip(at + 1) {
                    let beside = one.x + one.width() <= other.x || other.x + other.width() <= one.x;
                    let above = one.y + one.height(map.name_height) <= other.y || other.y + other.height(map.name_height) <= one.y;
                    prop_assert!(beside || above, "{one:?} {other:?}");
                }
            }
        }

        #[test]
        fn law_a_hit_is_the_inverse_of_the_layout(blocks in any_blocks(), dx in 0.01..0.99_f64, dy in 0.01..0.99_f64) {
            let map = Arrangement::of(&blocks, SCREEN);
            for at in 0..map.order.len() {
                let (x, y) = map.corner(at).unwrap();
                prop_assert_eq!(map.hit((x + dx, y + dy)), Some(at));
                prop_assert_eq!(map.place_of(map.order[at]), Some(at));
            }
            prop_assert_eq!(map.hit((-0.5, 0.5)), None);
            prop_assert_eq!(map.hit((map.size.width + 0.5, 0.5)), None);
        }

        #[test]
        fn law_the_cursor_goes_the_way_it_is_told(blocks in any_blocks(), from in 0.0..1.0_f64) {
            let map = Arrangement::of(&blocks, SCREEN);
            let at = ((map.order.len() - 1) as f64 * from) as usize;
            let height = |at: usize| map.corner(at).unwrap().1;
            let (up, down) = (map.step(at, Way::Up), map.step(at, Way::Down));
            prop_assert!(up == at || height(up) < height(at));
            prop_assert!(down == at || height(down) > height(at));
            // Who is not in the lowest row of all can go down.
            let lowest = (0..map.order.len()).map(height).fold(0.0, f64::max);
            prop_assert!(down != at || height(at) > lowest - 1.0 - map.name_height, "{at}");
        }
    }

    #[test]
    fn nodes_stand_whole_beside_each_other() {
        let map = Arrangement::of(&blocks(&[(18, 4)]), SCREEN);
        assert_eq!(map.groups[0].columns % 4, 0);
        assert_eq!(map.groups[0].rows() * map.groups[0].columns, 72);
    }

    #[test]
    fn a_large_fleet_fits_the_screen() {
        let map = Arrangement::of(&blocks(&vec![(18, 4); 140]), SCREEN);
        let scale = (SCREEN.width / map.size.width).min(SCREEN.height / map.size.height);
        assert_eq!(map.order.len(), 10_080);
        assert!(scale > 4.0, "a cell has {scale} pixels");
    }

    #[test]
    fn nothing_is_laid_out_too() {
        let map = Arrangement::of(&[], SCREEN);
        assert_eq!((map.order.len(), map.hit((0.5, 0.5)), map.step(0, Way::Down)), (0, None, 0));
    }
}
