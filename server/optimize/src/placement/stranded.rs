//! What feeds can promise and no rack has, by cause.

use super::pool::{Pools, Seat, Spot, add, heat_kw};
use super::{Placed, Problem, Unplaced};
use serde::{Deserialize, Serialize};

/// Room that counts as none, kW: limits are sums of many figures.
pub(super) const TINY_KW: f64 = 1e-6;

/// Power that feeds can promise and no rack has, kW.
///
/// What stands in its way is found by lifting one limit after the other, each with those before it, and putting down as many
/// racks as then find room, the largest first: more racks than are wanted, then more positions, more liquid cooling, more
/// air cooling, more power above the feeds. What still is left on a feed is less than a rack.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Stranded {
    /// There is room for more racks than are wanted.
    pub no_racks_kw: f64,
    /// No position.
    pub positions_kw: f64,
    /// No liquid cooling.
    pub liquid_kw: f64,
    /// No air cooling.
    pub air_kw: f64,
    /// A level of the power tree above the feed, or the contract, has no more.
    pub above_kw: f64,
    /// Less than a rack is left on the feed.
    pub feed_kw: f64,
}

impl Stranded {
    /// All of it, kW.
    pub fn total_kw(&self) -> f64 {
        self.no_racks_kw + self.positions_kw + self.liquid_kw + self.air_kw + self.above_kw + self.feed_kw
    }

    /// Each with its cause in words.
    pub fn causes(&self) -> [(&'static str, f64); 6] {
        [
            ("no racks left to place", self.no_racks_kw),
            ("rack positions", self.positions_kw),
            ("liquid cooling", self.liquid_kw),
            ("air cooling", self.air_kw),
            ("power above the feeds", self.above_kw),
            ("less than a rack left on a feed", self.feed_kw),
        ]
    }
}

/// What a placement strands.
///
/// # Errors
/// Where the problem does not fit together, or the racks do not fit their rows.
pub fn stranded(problem: &Problem, placed: &[Placed]) -> Result<Stranded, Unplaced> {
    super::checked(problem)?;
    let pools = Pools::of(problem);
    let seats = pools.seats(problem, placed).ok_or(Unplaced::BadInput("racks exceed their rows"))?;
    Ok(by_cause(problem, &pools, &seats))
}

/// The same of racks in pools.
pub(super) fn by_cause(problem: &Problem, pools: &Pools, seats: &[Seat]) -> Stranded {
    let mut room = Room::after(problem, pools, seats);
    let mut gained = [0.0; 5];
    for (gain, lift) in gained.iter_mut().zip(Lift::ALL) {
        room.lift(lift);
        *gain = room
            .fill()
            .iter()
            .map(|seat| problem.classes[seat.class].kw * f64::from(seat.count))
            .fold(0.0, |sum, kw| sum + kw);
    }
    let [no_racks_kw, positions_kw, liquid_kw, air_kw, above_kw] = gained;
    let feed_kw = room.feeds.iter().map(|kw| kw.max(0.0)).sum();
    Stranded { no_racks_kw, positions_kw, liquid_kw, air_kw, above_kw, feed_kw }
}

/// A limit that is lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lift {
    Wanted,
    Positions,
    Liquid,
    Air,
    Above,
}

impl Lift {
    const ALL: [Self; 5] = [Self::Wanted, Self::Positions, Self::Liquid, Self::Air, Self::Above];
}

/// What is still free.
pub(super) struct Room<'a> {
    problem: &'a Problem,
    pools: &'a Pools,
    feeds: Vec<f64>,
    above: Vec<f64>,
    loops: Vec<f64>,
    wanted: Vec<u32>,
    /// Free slots of each pool, run by run.
    slots: Vec<Vec<u32>>,
    /// Whether some racks found no positions.
    short: bool,
    lifted: Vec<Lift>,
}

impl<'a> Room<'a> {
    /// What some racks leave; below zero where they exceed a limit.
    pub(super) fn after(problem: &'a Problem, pools: &'a Pools, seats: &[Seat]) -> Self {
        let mut room = Self {
            problem,
            pools,
            feeds: problem.feeds.iter().map(|feed| feed.kw).collect(),
            above: problem.above.iter().map(|limit| limit.kw).collect(),
            loops: problem.loops.iter().map(|limit| limit.kw).collect(),
            wanted: problem.classes.iter().map(|class| class.most).collect(),
            slots: pools.pools.iter().map(|pool| vec![pool.slots; pool.bins as usize]).collect(),
            short: false,
            lifted: Vec::new(),
        };
        // The widest first, as they are the hardest to find room for.
        let mut order: Vec<&Seat> = seats.iter().collect();
        order.sort_by_key(|seat| std::cmp::Reverse(pools.width(&problem.classes[seat.class])));
        for seat in order {
            room.take(seat);
        }
        room
    }

    /// Whether no limit is exceeded.
    pub(super) fn holds(&self) -> bool {
        !self.short && self.feeds.iter().chain(&self.above).chain(&self.loops).all(|kw| *kw >= -TINY_KW)
    }

    fn lift(&mut self, lift: Lift) {
        self.lifted.push(lift);
    }

    fn is_lifted(&self, lift: Lift) -> bool {
        self.lifted.contains(&lift)
    }

    fn take(&mut self, seat: &Seat) {
        let class = &self.problem.classes[seat.class];
        let count = f64::from(seat.count);
        let heat = heat_kw(class, self.pools.options(self.problem, seat.pool)).unwrap_or([0.0; 2]);
        self.feeds[seat.spot.feed as usize] -= class.kw * count;
        for &at in &self.problem.feeds[seat.spot.feed as usize].above {
            self.above[at as usize] -= class.kw * count;
        }
        for (at, kw) in [seat.spot.liquid, seat.spot.air].into_iter().zip(heat) {
            if let Some(at) = at {
                self.loops[at as usize] -= kw * count;
            }
        }
        self.wanted[seat.class] = self.wanted[seat.class].saturating_sub(seat.count);
        let (width, mut left) = (self.pools.width(class), seat.count);
        for free in &mut self.slots[seat.pool] {
            let here = left.min(*free / width);
            *free -= here * width;
            left -= here;
        }
        self.short |= left > 0 && !self.is_lifted(Lift::Positions);
    }

    /// Racks of a class that still find room on a spot of a pool.
    fn fits(&self, class: usize, pool: usize, spot: Spot, heat: [f64; 2]) -> u32 {
        let own = &self.problem.classes[class];
        let whole = |kw: f64, each: f64| if each > 0.0 { ((kw + TINY_KW) / each).max(0.0) as u32 } else { u32::MAX };
        let mut most = whole(self.feeds[spot.feed as usize], own.kw);
        if !self.is_lifted(Lift::Wanted) {
            most = most.min(self.wanted[class]);
        }
        if !self.is_lifted(Lift::Positions) {
            most = most.min(self.slots[pool].iter().map(|free| free / self.pools.width(own)).sum());
        }
        if !self.is_lifted(Lift::Above) {
            let above = &self.problem.feeds[spot.feed as usize].above;
            most = above.iter().map(|at| whole(self.above[*at as usize], own.kw)).fold(most, u32::min);
        }
        for (at, lift) in [(spot.liquid, Lift::Liquid), (spot.air, Lift::Air)] {
            if let Some(at) = at.filter(|_| !self.is_lifted(lift)) {
                // One loop may take both.
                let on = |other: Option<u32>, kw: f64| if other == Some(at) { kw } else { 0.0 };
                most = most.min(whole(self.loops[at as usize], on(spot.liquid, heat[0]) + on(spot.air, heat[1])));
            }
        }
        most
    }

    /// Puts down as many racks as find room, the largest first, and says which.
    pub(super) fn fill(&mut self) -> Vec<Seat> {
        let mut order = self.places();
        let kw = |place: &Place| self.problem.classes[place.class].kw;
        order.sort_by(|a, b| kw(b).total_cmp(&kw(a)));
        self.fill_in(&order, |most| most)
    }

    /// The same in an order, of each as many as `some` says of those that find room.
    pub(super) fn fill_in(&mut self, order: &[Place], mut some: impl FnMut(u32) -> u32) -> Vec<Seat> {
        let mut found = Vec::new();
        for &Place { class, pool, spot, heat } in order {
            let seat = Seat { class, pool, spot, count: some(self.fits(class, pool, spot, heat)) };
            self.take(&seat);
            add(&mut found, seat);
        }
        found
    }

    /// Where racks of each class could be, class by class.
    pub(super) fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        for (class, own) in self.problem.classes.iter().enumerate() {
            for pool in 0..self.pools.pools.len() {
                let row = self.pools.options(self.problem, pool);
                if let Some(heat) = heat_kw(own, row) {
                    places.extend(spots(row).into_iter().map(|spot| Place { class, pool, spot, heat }));
                }
            }
        }
        places
    }
}

/// Where racks of a class could be, and the heat of one there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    class: usize,
    pool: usize,
    spot: Spot,
    heat: [f64; 2],
}

/// Every feed with every loop of a row.
fn spots(row: &super::Row) -> Vec<Spot> {
    let or_none = |list: &[u32]| -> Vec<Option<u32>> {
        if list.is_empty() { vec![None] } else { list.iter().copied().map(Some).collect() }
    };
    let (liquids, airs) = (or_none(&row.liquids), or_none(&row.airs));
    let pairs = |feed: &u32| {
        let feed = *feed;
        let airs = &airs;
        liquids.iter().flat_map(move |liquid| airs.iter().map(move |air| Spot { feed, liquid: *liquid, air: *air }))
    };
    row.feeds.iter().flat_map(pairs).collect()
}
