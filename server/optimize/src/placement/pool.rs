//! Rows that are the same to a rack are one pool of slots.

use super::{Class, LIQUID_NEEDED, Placed, Problem, Row};

/// A place that racks can be put: the feed, and what takes liquid and air heat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) feed: u32,
    pub(super) liquid: Option<u32>,
    pub(super) air: Option<u32>,
}

/// Racks of a class in a pool, on one spot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) class: usize,
    pub(super) pool: usize,
    pub(super) spot: Spot,
    pub(super) count: u32,
}

/// Rows with the same feeds and loops.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    /// Rows of the problem; where racks are not equally wide, one.
    rows: Vec<usize>,
    /// Runs of slots that no rack may straddle: one where racks are equally wide, else each row by itself.
    pub(super) bins: u32,
    /// Slots of each.
    pub(super) slots: u32,
}

/// Every pool, and how many slots a rack takes.
#[derive(Debug, Clone)]
pub(super) struct Pools {
    pub(super) pools: Vec<Pool>,
    /// Positions of every rack where all are equally wide: then each takes one slot.
    width: Option<u32>,
}

impl Pools {
    /// Where all racks are equally wide, a row has whole slots of that width, and rows with the same feeds and loops are one
    /// pool. Else which racks stand beside each other matters, and rows are kept apart.
    pub(super) fn of(problem: &Problem) -> Self {
        let first = problem.classes.first().map(|class| class.positions);
        let width = first.filter(|width| problem.classes.iter().all(|class| class.positions == *width));
        let mut pools: Vec<Pool> = Vec::new();
        for (at, row) in problem.rows.iter().enumerate() {
            let Some(width) = width else {
                pools.push(Pool { rows: vec![at], bins: row.count, slots: row.positions });
                continue;
            };
            let slots = (row.positions / width).saturating_mul(row.count);
            let alike = |pool: &&mut Pool| same_options(&problem.rows[pool.rows[0]], row);
            if let Some(pool) = pools.iter_mut().find(alike) {
                pool.rows.push(at);
                pool.slots = pool.slots.saturating_add(slots);
            } else {
                pools.push(Pool { rows: vec![at], bins: 1, slots });
            }
        }
        Self { pools, width }
    }

    /// Slots that one rack takes.
    pub(super) fn width(&self, class: &Class) -> u32 {
        if self.width.is_some() { 1 } else { class.positions }
    }

    /// Feeds and loops of a pool.
    pub(super) fn options<'a>(&self, problem: &'a Problem, pool: usize) -> &'a Row {
        &problem.rows[self.pools[pool].rows[0]]
    }

    /// Whether racks of unlike width have to be packed into rows.
    pub(super) fn is_packed(&self) -> bool {
        self.width.is_none()
    }

    /// Racks of rows as racks of pools; none where there are more than positions.
    pub(super) fn seats(&self, problem: &Problem, placed: &[Placed]) -> Option<Vec<Seat>> {
        let mut seats: Vec<Seat> = Vec::new();
        let mut taken = vec![0_u64; self.pools.len()];
        for own in placed {
            let class = own.class as usize;
            let pool = self.pools.iter().position(|pool| pool.rows.contains(&(own.row as usize)))?;
            taken[pool] += u64::from(own.count) * u64::from(self.width(&problem.classes[class]));
            add(&mut seats, Seat { class, pool, spot: Spot::of(own), count: own.count });
        }
        let fits = |(pool, taken): (&Pool, u64)| taken <= u64::from(pool.bins) * u64::from(pool.slots);
        self.pools.iter().zip(taken).all(fits).then_some(seats)
    }

    /// Racks of pools as racks of rows, in order: first those that stay where they are drawn, the others where there is room.
    pub(super) fn rows(&self, problem: &Problem, seats: &[Seat]) -> Vec<Placed> {
        let mut left: Vec<Seat> = seats.to_vec();
        let mut placed: Vec<Placed> = Vec::new();
        if self.width.is_some() {
            let mut free: Vec<u32> = problem.rows.iter().map(|row| self.slots_of(row)).collect();
            for own in &problem.drawn {
                let at =
                    |seat: &&mut Seat| seat.stands_as(own) && self.pools[seat.pool].rows.contains(&(own.row as usize));
                if let Some(seat) = left.iter_mut().find(at) {
                    let stays = own.count.min(seat.count).min(free[own.row as usize]);
                    seat.count -= stays;
                    free[own.row as usize] -= stays;
                    put(&mut placed, seat, own.row, stays);
                }
            }
            for seat in &mut left {
                for &row in &self.pools[seat.pool].rows {
                    let more = seat.count.min(free[row]);
                    seat.count -= more;
                    free[row] -= more;
                    put(&mut placed, seat, row as u32, more);
                }
            }
        } else {
            for seat in &left {
                put(&mut placed, seat, self.pools[seat.pool].rows[0] as u32, seat.count);
            }
        }
        placed.sort_unstable();
        placed
    }

    fn slots_of(&self, row: &Row) -> u32 {
        (row.positions / self.width.unwrap_or(1)).saturating_mul(row.count)
    }
}

impl Spot {
    fn of(own: &Placed) -> Self {
        Self { feed: own.feed, liquid: own.liquid, air: own.air }
    }
}

impl Seat {
    fn stands_as(&self, own: &Placed) -> bool {
        self.class == own.class as usize && self.spot == Spot::of(own)
    }
}

/// Adds racks to those that stand alike.
pub(super) fn add(seats: &mut Vec<Seat>, more: Seat) {
    let alike = |seat: &&mut Seat| Seat { count: 0, ..**seat } == Seat { count: 0, ..more };
    match seats.iter_mut().find(alike) {
        Some(seat) => seat.count += more.count,
        None if more.count > 0 => seats.push(more),
        None => {}
    }
}

fn put(placed: &mut Vec<Placed>, seat: &Seat, row: u32, count: u32) {
    let Spot { feed, liquid, air } = seat.spot;
    let more = Placed { class: seat.class as u32, row, feed, liquid, air, count };
    let alike = |own: &&mut Placed| Placed { count: 0, ..**own } == Placed { count: 0, ..more };
    match placed.iter_mut().find(alike) {
        Some(own) => own.count += count,
        None if count > 0 => placed.push(more),
        None => {}
    }
}

fn same_options(a: &Row, b: &Row) -> bool {
    a.feeds == b.feeds && a.liquids == b.liquids && a.airs == b.airs
}

/// Heat of one rack that liquid and air take in a row, kW; none where the row can't take it.
pub(super) fn heat_kw(class: &Class, row: &Row) -> Option<[f64; 2]> {
    let heat = if !row.liquids.is_empty() {
        [class.liquid_kw, class.air_kw]
    } else if class.liquid_kw <= LIQUID_NEEDED * (class.liquid_kw + class.air_kw) {
        [0.0, class.liquid_kw + class.air_kw]
    } else {
        return None;
    };
    (heat[1] <= 0.0 || !row.airs.is_empty()).then_some(heat)
}
