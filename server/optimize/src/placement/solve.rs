//! The two programmes: most power, then fewest moves with that power.

use super::pool::{Pools, Seat, Spot, add, heat_kw};
use super::stranded::{Room, TINY_KW};
use super::{Effort, Problem, Proof, Unplaced, count, power};
use good_lp::solvers::SolutionStatus;
use good_lp::{
    Expression, ProblemVariables, ResolutionError, Solution, SolverModel, Variable, VariableDefinition,
    WithInitialSolution, WithMipGap, WithTimeLimit, variable,
};

#[cfg(feature = "highs")]
use good_lp::highs as solver;
#[cfg(not(feature = "highs"))]
use good_lp::microlp as solver;

/// Power by which the second programme may fall short of the first, kW: what a solver takes for equal.
const EQUAL_KW: f64 = 1e-4;

/// Places that are tried over all times that a placement is shaken: a tenth of a second or so.
const SHAKEN_PLACES: usize = 200_000;

/// Whole numbers that look like chance (splitmix64: Steele, Lea and Flood, 2014), the same every time.
struct Chance(u64);

impl Chance {
    /// From 0 to `most`, each as often.
    fn up_to(&mut self, most: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % (u64::from(most) + 1)) as u32
    }
}

/// What was found.
pub(super) struct Found {
    pub(super) seats: Vec<Seat>,
    pub(super) bound_kw: f64,
    pub(super) proof: Proof,
    pub(super) moves_proof: Proof,
}

/// Most power, then fewest moves.
pub(super) fn solve(problem: &Problem, pools: &Pools, drawn: &[Seat], effort: &Effort) -> Result<Found, Unplaced> {
    let programme = Programme { problem, pools, drawn, cells: cells(problem, pools), effort };
    if programme.cells.is_empty() {
        // Nothing can stand anywhere, which not every solver takes for a programme.
        let none = Found { seats: Vec::new(), bound_kw: 0.0, proof: Proof::WithinGap, moves_proof: Proof::WithinGap };
        let must = problem.classes.iter().any(|class| class.least > 0);
        return if must { Err(Unplaced::Infeasible) } else { Ok(none) };
    }
    let all_kw: f64 = problem.feeds.iter().map(|feed| feed.kw).sum();
    let relaxed = programme.run(Aim::Power, Numbers::Any, &[])?;
    let bound_kw = if relaxed.proof == Proof::WithinGap { relaxed.kw } else { all_kw };
    let enough_kw = bound_kw * (1.0 - effort.gap);
    let start = programme.start().map(|start| programme.shaken(start, enough_kw));
    let (seats, proof) = match &start {
        Some(start) if power(problem, start) >= enough_kw => (start.clone(), Proof::WithinGap),
        start => match (programme.run(Aim::Power, Numbers::Whole, start.as_deref().unwrap_or_default()), start) {
            (Ok(ran), Some(start)) if ran.kw < power(problem, start) => (start.clone(), ran.proof),
            (Ok(ran), _) => (ran.seats, ran.proof),
            // What is known to fit is better than nothing.
            (Err(Unplaced::OutOfTime | Unplaced::Failed(_)), Some(start)) => (start.clone(), Proof::OutOfTime),
            (Err(error), _) => return Err(error),
        },
    };
    let kw = power(problem, &seats);
    let bound_kw = match proof {
        Proof::WithinGap => bound_kw.min(kw * (1.0 + effort.gap)),
        Proof::OutOfTime => bound_kw,
    };
    let (seats, moves_proof) = programme.fewer_moves(seats, kw);
    Ok(Found { seats, bound_kw, proof, moves_proof })
}

/// What is sought.
#[derive(Debug, Clone, Copy)]
enum Aim {
    Power,
    /// Racks that stay, with at least this power, kW.
    Stay(f64),
}

/// Whether racks may be divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbers {
    Any,
    Whole,
}

impl Numbers {
    fn of(self, variable: VariableDefinition) -> VariableDefinition {
        match self {
            Self::Any => variable,
            Self::Whole => variable.integer(),
        }
    }
}

/// Racks of a class in a pool.
struct Cell {
    class: usize,
    pool: usize,
    /// Most that could stand there.
    most: f64,
    /// Liquid and air heat of one, kW.
    heat_kw: [f64; 2],
    feeds: Vec<u32>,
    liquids: Vec<u32>,
    airs: Vec<u32>,
}

/// Every class in every pool that could take one of it.
fn cells(problem: &Problem, pools: &Pools) -> Vec<Cell> {
    let mut cells = Vec::new();
    for pool in 0..pools.pools.len() {
        let row = pools.options(problem, pool);
        for (class, own) in problem.classes.iter().enumerate() {
            let Some(heat_kw) = heat_kw(own, row) else { continue };
            let slots = pools.pools[pool].slots / pools.width(own) * pools.pools[pool].bins;
            let most = f64::from(own.most.min(slots));
            let carries = |kw: f64, each: f64| each <= kw + 1e-9;
            let keep = |list: &[u32], each: f64| -> Vec<u32> {
                list.iter().copied().filter(|at| carries(problem.loops[*at as usize].kw, each)).collect()
            };
            let feeds = row.feeds.iter().copied().filter(|at| carries(problem.feeds[*at as usize].kw, own.kw));
            let cell = Cell {
                class,
                pool,
                most,
                heat_kw,
                feeds: feeds.collect(),
                liquids: keep(&row.liquids, heat_kw[0]),
                airs: keep(&row.airs, heat_kw[1]),
            };
            let has_loops =
                cell.liquids.is_empty() == row.liquids.is_empty() && cell.airs.is_empty() == row.airs.is_empty();
            if most > 0.0 && has_loops && !cell.feeds.is_empty() {
                cells.push(cell);
            }
        }
    }
    cells
}

/// Numbers of a cell in the programme: racks on each feed, and on each loop where there is more than one.
struct Columns {
    feeds: Vec<Variable>,
    liquids: Vec<Variable>,
    airs: Vec<Variable>,
}

impl Columns {
    fn all(&self) -> Expression {
        self.feeds.iter().sum()
    }
}

/// Racks under a limit, each kind with what one takes of it.
#[derive(Clone, Default)]
struct Sum {
    terms: Vec<(f64, Expression)>,
}

impl Sum {
    fn add(&mut self, each: f64, racks: Expression) {
        if each > 0.0 {
            self.terms.push((each, racks));
        }
    }

    /// Σ each · racks ≤ times · most, where most is what whole racks can come to. And of those that take at least so much
    /// each, no more than so many. Neither says anything new of whole racks, but both tell the programme without whole
    /// numbers what it does not know.
    fn at_most(self, most: f64, times: f64, constraints: &mut Vec<good_lp::Constraint>) {
        let mut sizes: Vec<f64> = self.terms.iter().map(|(each, _)| *each).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        for &size in &sizes {
            let racks: Expression =
                self.terms.iter().filter(|(each, _)| *each >= size).map(|(_, racks)| racks.clone()).sum();
            constraints.push(racks.leq(times * ((most + TINY_KW) / size).floor()));
        }
        let most = reached(&sizes, most);
        let all: Expression = self.terms.into_iter().map(|(each, racks)| racks * each).sum();
        constraints.push(all.leq(times * most));
    }
}

/// Sums that are tried before a limit is left as it is: it is then so many racks wide that they come near it anyway.
const SUMS_TRIED: u32 = 50_000;

/// The most that whole numbers of these sizes, ascending, come to within `most`.
fn reached(sizes: &[f64], most: f64) -> f64 {
    fn best(sizes: &[f64], most: f64, tries: &mut u32) -> f64 {
        let Some((size, smaller)) = sizes.split_last() else { return 0.0 };
        let whole = ((most + TINY_KW) / size).floor();
        if smaller.is_empty() {
            *tries = tries.saturating_sub(1);
            return whole * size;
        }
        let mut found = 0.0;
        let mut count = whole;
        while count >= 0.0 && *tries > 0 && found < most - TINY_KW {
            found = f64::max(found, count * size + best(smaller, most - count * size, tries));
            count -= 1.0;
        }
        found
    }
    let mut tries = SUMS_TRIED;
    let found = best(sizes, most, &mut tries);
    if tries > 0 { found.max(0.0) + TINY_KW } else { most }
}

/// Every way to fill `slots` with racks of these widths so that no more of them fit, as how many of each.
fn ways(widths: &[u32], slots: u32) -> Vec<Vec<u32>> {
    let Some((width, others)) = widths.split_first() else { return vec![Vec::new()] };
    if others.is_empty() {
        return vec![vec![slots / width]];
    }
    let with = |count: u32| {
        let rest = ways(others, slots - count * width).into_iter();
        rest.map(move |mut way| {
            way.insert(0, count);
            way
        })
    };
    (0..=slots / width).flat_map(with).collect()
}

/// What a run came to.
struct Ran {
    seats: Vec<Seat>,
    kw: f64,
    proof: Proof,
}

struct Programme<'a> {
    problem: &'a Problem,
    pools: &'a Pools,
    drawn: &'a [Seat],
    cells: Vec<Cell>,
    effort: &'a Effort,
}

impl Programme<'_> {
    /// The drawn racks with more put beside them, or all put down anew, whichever is more; none where neither is allowed.
    fn start(&self) -> Option<Vec<Seat>> {
        let filled = |from: &[Seat]| {
            let mut room = Room::after(self.problem, self.pools, from);
            let mut seats = from.to_vec();
            room.fill().into_iter().for_each(|seat| add(&mut seats, seat));
            let wanted = |(at, class): (usize, &super::Class)| (class.least..=class.most).contains(&count(&seats, at));
            let holds = room.holds() && self.problem.classes.iter().enumerate().all(wanted);
            holds.then_some(seats)
        };
        let more = |a: Vec<Seat>, b: Vec<Seat>| {
            if power(self.problem, &b) > power(self.problem, &a) { b } else { a }
        };
        [filled(self.drawn), filled(&[])].into_iter().flatten().reduce(more)
    }

    /// More power, until there is enough, where taking racks away by chance and filling what is free by chance finds any:
    /// what a solver starts from, and the answer where it does not come to an end. Chance is the same every time.
    fn shaken(&self, seats: Vec<Seat>, enough_kw: f64) -> Vec<Seat> {
        let (mut best, mut chance) = (seats, Chance(1));
        let mut places = Room::after(self.problem, self.pools, &[]).places();
        let times = SHAKEN_PLACES / places.len().max(1);
        for _ in 0..times {
            if power(self.problem, &best) >= enough_kw {
                break;
            }
            let keep = |seat: &Seat, chance: &mut Chance| Seat { count: chance.up_to(seat.count), ..*seat };
            let mut seats: Vec<Seat> = best.iter().map(|seat| keep(seat, &mut chance)).collect();
            let mut room = Room::after(self.problem, self.pools, &seats);
            for at in (1..places.len()).rev() {
                places.swap(at, chance.up_to(at as u32) as usize);
            }
            let some = room.fill_in(&places, |most| chance.up_to(most));
            for seat in some.into_iter().chain(room.fill()) {
                add(&mut seats, seat);
            }
            let wanted = |(at, class): (usize, &super::Class)| count(&seats, at) >= class.least;
            let holds = room.holds() && self.problem.classes.iter().enumerate().all(wanted);
            if holds && power(self.problem, &seats) > power(self.problem, &best) {
                best = seats;
            }
        }
        best
    }

    /// The same power with fewer moves, where there are any.
    fn fewer_moves(&self, seats: Vec<Seat>, kw: f64) -> (Vec<Seat>, Proof) {
        let stays = self.stay(&seats);
        if stays == self.drawn.iter().map(|seat| seat.count).sum::<u32>() {
            return (seats, Proof::WithinGap);
        }
        match self.run(Aim::Stay(kw), Numbers::Whole, &seats) {
            // Rounded, it must still be what it was asked for.
            Ok(ran) if ran.kw >= kw - EQUAL_KW && self.stay(&ran.seats) >= stays => (ran.seats, ran.proof),
            Ok(_) | Err(_) => (seats, Proof::OutOfTime),
        }
    }

    fn stay(&self, seats: &[Seat]) -> u32 {
        let same = |own: &Seat, other: &Seat| Seat { count: 0, ..*own } == Seat { count: 0, ..*other };
        let there = |own: &Seat| seats.iter().find(|other| same(own, other)).map_or(0, |other| other.count);
        self.drawn.iter().map(|own| own.count.min(there(own))).sum()
    }

    fn run(&self, aim: Aim, numbers: Numbers, start: &[Seat]) -> Result<Ran, Unplaced> {
        let mut variables = ProblemVariables::new();
        let columns: Vec<Columns> = self.cells.iter().map(|cell| columns(cell, numbers, &mut variables)).collect();
        let stays = match aim {
            Aim::Power => Vec::new(),
            Aim::Stay(_) => self.stays(&mut variables),
        };
        let packed = self.packed(&columns, numbers, &mut variables);
        let kw: Expression =
            self.cells.iter().zip(&columns).map(|(cell, own)| own.all() * self.problem.classes[cell.class].kw).sum();
        let goal = match aim {
            Aim::Power => kw.clone(),
            Aim::Stay(_) => stays.iter().map(|(_, variable)| *variable).sum(),
        };
        // Moves are whole, so that nothing but the fewest will do.
        let gap = match aim {
            Aim::Power => self.effort.gap,
            Aim::Stay(_) => 0.0,
        };
        let mut model = variables
            .maximise(goal)
            .using(solver)
            .with_time_limit(self.effort.seconds)
            .with_mip_gap(gap as f32)
            .map_err(|error| Unplaced::Failed(error.to_string()))?;
        // How racks of unlike width are packed is not said by where they start.
        if !start.is_empty() && !self.pools.is_packed() {
            model = model.with_initial_solution(self.values(&columns, &stays, start));
        }
        for constraint in self.limits(&columns).into_iter().chain(packed) {
            model.add_constraint(constraint);
        }
        if let Aim::Stay(least_kw) = aim {
            model.add_constraint(kw.clone().geq(least_kw - EQUAL_KW / 2.0));
            for constraint in self.stay_limits(&columns, &stays) {
                model.add_constraint(constraint);
            }
        }
        let solution = model.solve().map_err(|error| unplaced(&error))?;
        let proof = match solution.status() {
            SolutionStatus::Optimal | SolutionStatus::GapLimit => Proof::WithinGap,
            SolutionStatus::TimeLimit => Proof::OutOfTime,
        };
        if numbers == Numbers::Any {
            return Ok(Ran { seats: Vec::new(), kw: solution.eval(&kw), proof });
        }
        let seats = self.seats(&columns, &stays, &|variable| solution.value(variable).round().max(0.0) as u32);
        Ok(Ran { kw: power(self.problem, &seats), seats, proof })
    }

    /// Drawn racks that could stay, each with the number of those that do.
    fn stays(&self, variables: &mut ProblemVariables) -> Vec<(usize, Variable)> {
        let most = |seat: &Seat| variable().integer().min(0).max(f64::from(seat.count));
        self.drawn.iter().enumerate().map(|(at, seat)| (at, variables.add(most(seat)))).collect()
    }

    /// What may not be exceeded.
    fn limits(&self, columns: &[Columns]) -> Vec<good_lp::Constraint> {
        let problem = self.problem;
        let empty = |many: usize| vec![Sum::default(); many];
        let mut classes = vec![Expression::default(); problem.classes.len()];
        let mut pools = empty(self.pools.pools.len());
        let (mut feeds, mut above) = (empty(problem.feeds.len()), empty(problem.above.len()));
        let mut loops = empty(problem.loops.len());
        let mut constraints = Vec::new();
        for (cell, own) in self.cells.iter().zip(columns) {
            let class = &problem.classes[cell.class];
            classes[cell.class] += own.all();
            pools[cell.pool].add(f64::from(self.pools.width(class)), own.all());
            for (&at, racks) in cell.feeds.iter().zip(&own.feeds) {
                feeds[at as usize].add(class.kw, (*racks).into());
                problem.feeds[at as usize]
                    .above
                    .iter()
                    .for_each(|up| above[*up as usize].add(class.kw, (*racks).into()));
            }
            for (list, racks, kw) in
                [(&cell.liquids, &own.liquids, cell.heat_kw[0]), (&cell.airs, &own.airs, cell.heat_kw[1])]
            {
                match list.as_slice() {
                    [] => {}
                    [one] => loops[*one as usize].add(kw, own.all()),
                    many => {
                        many.iter().zip(racks).for_each(|(at, racks)| loops[*at as usize].add(kw, (*racks).into()));
                        constraints.push((racks.iter().sum::<Expression>() - own.all()).eq(0));
                    }
                }
            }
        }
        for (sum, class) in classes.into_iter().zip(&problem.classes) {
            if class.least > 0 {
                constraints.push(sum.clone().geq(f64::from(class.least)));
            }
            constraints.push(sum.leq(f64::from(class.most)));
        }
        let slots = self.pools.pools.iter().map(|pool| (f64::from(pool.slots), f64::from(pool.bins)));
        let alone = |kw: f64| (kw, 1.0);
        let rest = problem.feeds.iter().map(|feed| alone(feed.kw));
        let rest = rest.chain(problem.above.iter().chain(&problem.loops).map(|limit| alone(limit.kw)));
        let sums = pools.into_iter().chain(feeds).chain(above).chain(loops);
        sums.zip(slots.chain(rest)).for_each(|(sum, (most, times))| sum.at_most(most, times, &mut constraints));
        constraints
    }

    /// Racks that are not equally wide stand in one row each, whole: every row of a pool is filled in one of the ways that its
    /// positions can be, and no more racks of a width stand there than those ways have.
    fn packed(
        &self,
        columns: &[Columns],
        numbers: Numbers,
        variables: &mut ProblemVariables,
    ) -> Vec<good_lp::Constraint> {
        let mut constraints = Vec::new();
        let pools = self.pools.pools.iter().enumerate().filter(|_| self.pools.is_packed());
        for (at, pool) in pools {
            let here = || self.cells.iter().zip(columns).filter(|(cell, _)| cell.pool == at);
            let width = |cell: &Cell| self.pools.width(&self.problem.classes[cell.class]);
            let mut widths: Vec<u32> = here().map(|(cell, _)| width(cell)).collect();
            widths.sort_unstable();
            widths.dedup();
            let ways = ways(&widths, pool.slots);
            let rows: Vec<Variable> =
                ways.iter().map(|_| variables.add(numbers.of(variable().min(0).max(f64::from(pool.bins))))).collect();
            for (w, own) in widths.iter().enumerate() {
                let racks: Expression = here().filter(|(cell, _)| width(cell) == *own).map(|(_, own)| own.all()).sum();
                let room: Expression = rows.iter().zip(&ways).map(|(rows, way)| *rows * f64::from(way[w])).sum();
                constraints.push((racks - room).leq(0));
            }
            constraints.push(rows.into_iter().sum::<Expression>().leq(f64::from(pool.bins)));
        }
        constraints
    }

    /// No more racks stay on a feed or loop than are on it.
    fn stay_limits(&self, columns: &[Columns], stays: &[(usize, Variable)]) -> Vec<good_lp::Constraint> {
        let mut constraints = Vec::new();
        for (cell, own) in self.cells.iter().zip(columns) {
            let on = |is: &dyn Fn(&Spot) -> bool| -> Expression {
                let here = |(at, _): &&(usize, Variable)| {
                    let seat = &self.drawn[*at];
                    seat.class == cell.class && seat.pool == cell.pool && is(&seat.spot)
                };
                stays.iter().filter(here).map(|(_, variable)| *variable).sum()
            };
            for (&at, racks) in cell.feeds.iter().zip(&own.feeds) {
                constraints.push((on(&|spot| spot.feed == at) - *racks).leq(0));
            }
            for (&at, racks) in cell.liquids.iter().zip(&own.liquids) {
                constraints.push((on(&|spot| spot.liquid == Some(at)) - *racks).leq(0));
            }
            for (&at, racks) in cell.airs.iter().zip(&own.airs) {
                constraints.push((on(&|spot| spot.air == Some(at)) - *racks).leq(0));
            }
        }
        // Where no cell takes them, they can't stay.
        for (at, variable) in stays {
            let Seat { class, pool, spot, .. } = self.drawn[*at];
            let takes = |cell: &Cell| {
                let on = |list: &[u32], at: Option<u32>| at.is_none_or(|at| list.contains(&at));
                let loops = on(&cell.liquids, spot.liquid) && on(&cell.airs, spot.air);
                cell.class == class && cell.pool == pool && cell.feeds.contains(&spot.feed) && loops
            };
            if !self.cells.iter().any(takes) {
                constraints.push(Expression::from(*variable).leq(0));
            }
        }
        constraints
    }

    /// Every number of the programme as some racks have it.
    fn values(&self, columns: &[Columns], stays: &[(usize, Variable)], seats: &[Seat]) -> Vec<(Variable, f64)> {
        let mut values = Vec::new();
        for (cell, own) in self.cells.iter().zip(columns) {
            let racks = |is: &dyn Fn(&Spot) -> bool| {
                let here = |seat: &&Seat| seat.class == cell.class && seat.pool == cell.pool && is(&seat.spot);
                seats.iter().filter(here).map(|seat| f64::from(seat.count)).sum::<f64>()
            };
            let feeds = cell.feeds.iter().zip(&own.feeds);
            values.extend(feeds.map(|(at, column)| (*column, racks(&|spot| spot.feed == *at))));
            let liquids = cell.liquids.iter().zip(&own.liquids);
            values.extend(liquids.map(|(at, column)| (*column, racks(&|spot| spot.liquid == Some(*at)))));
            let airs = cell.airs.iter().zip(&own.airs);
            values.extend(airs.map(|(at, column)| (*column, racks(&|spot| spot.air == Some(*at)))));
        }
        for (at, variable) in stays {
            let own = self.drawn[*at];
            let there: u32 = seats
                .iter()
                .filter(|seat| Seat { count: 0, ..**seat } == Seat { count: 0, ..own })
                .map(|seat| seat.count)
                .sum();
            values.push((*variable, f64::from(own.count.min(there))));
        }
        values
    }

    /// Racks by spot from how many are on each feed and each loop: those that stay first, the others as they come.
    fn seats(&self, columns: &[Columns], stays: &[(usize, Variable)], value: &dyn Fn(Variable) -> u32) -> Vec<Seat> {
        let mut seats = Vec::new();
        for (cell, own) in self.cells.iter().zip(columns) {
            let mut feeds = counted(&cell.feeds, &own.feeds, value);
            let all: u32 = feeds.iter().map(|(_, racks)| racks).sum();
            let loops = |list: &[u32], columns: &[Variable]| match list {
                [] => vec![(None, all)],
                [one] => vec![(Some(*one), all)],
                many => counted(many, columns, value).into_iter().map(|(at, racks)| (Some(at), racks)).collect(),
            };
            let (mut liquids, mut airs) = (loops(&cell.liquids, &own.liquids), loops(&cell.airs, &own.airs));
            let mut seat = |spot: Spot, most: u32| {
                let at = |list: &[(Option<u32>, u32)], name| list.iter().position(|(own, _)| *own == name);
                let places = (
                    feeds.iter().position(|(own, _)| *own == spot.feed),
                    at(&liquids, spot.liquid),
                    at(&airs, spot.air),
                );
                if let (Some(f), Some(l), Some(a)) = places {
                    let racks = most.min(feeds[f].1).min(liquids[l].1).min(airs[a].1);
                    feeds[f].1 -= racks;
                    liquids[l].1 -= racks;
                    airs[a].1 -= racks;
                    add(&mut seats, Seat { class: cell.class, pool: cell.pool, spot, count: racks });
                }
            };
            for (at, own) in self.drawn.iter().enumerate() {
                if own.class == cell.class && own.pool == cell.pool {
                    let kept = stays.iter().find(|(other, _)| *other == at).map_or(own.count, |(_, kept)| value(*kept));
                    seat(own.spot, kept);
                }
            }
            for &feed in &cell.feeds {
                for liquid in if cell.liquids.is_empty() { vec![None] } else { some(&cell.liquids) } {
                    for air in if cell.airs.is_empty() { vec![None] } else { some(&cell.airs) } {
                        seat(Spot { feed, liquid, air }, u32::MAX);
                    }
                }
            }
        }
        seats
    }
}

fn some(list: &[u32]) -> Vec<Option<u32>> {
    list.iter().copied().map(Some).collect()
}

fn counted(list: &[u32], columns: &[Variable], value: &dyn Fn(Variable) -> u32) -> Vec<(u32, u32)> {
    list.iter().copied().zip(columns.iter().map(|column| value(*column))).collect()
}

fn columns(cell: &Cell, numbers: Numbers, variables: &mut ProblemVariables) -> Columns {
    let one = || numbers.of(variable().min(0).max(cell.most));
    let mut each = |list: &[u32]| -> Vec<Variable> { list.iter().map(|_| variables.add(one())).collect() };
    let several = |list: &[u32]| if list.len() > 1 { list.to_vec() } else { Vec::new() };
    let feeds = each(&cell.feeds);
    let liquids = each(&several(&cell.liquids));
    let airs = each(&several(&cell.airs));
    Columns { feeds, liquids, airs }
}

fn unplaced(error: &ResolutionError) -> Unplaced {
    match error {
        ResolutionError::Infeasible => Unplaced::Infeasible,
        ResolutionError::Other(word) if word.starts_with("Time limit") => Unplaced::OutOfTime,
        ResolutionError::Unbounded | ResolutionError::Other(_) | ResolutionError::Str(_) => {
            Unplaced::Failed(error.to_string())
        }
    }
}
