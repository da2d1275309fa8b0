//! The two programmes: most power, then fewest moves with that power.

use super::pool::{Pool, Pools, Seat, Spot, add, heat_kw};
use super::stranded::Room;
use super::{Effort, Problem, Proof, Unplaced, count, power};
use good_lp::solvers::SolutionStatus;
use good_lp::{
    Expression, ProblemVariables, ResolutionError, Solution, SolverModel, Variable, WithInitialSolution, WithMipGap,
    WithTimeLimit, variable,
};

#[cfg(feature = "highs")]
use good_lp::highs as solver;
#[cfg(not(feature = "highs"))]
use good_lp::microlp as solver;

/// Power by which the second programme may fall short of the first, kW: what a solver takes for equal.
const EQUAL_KW: f64 = 1e-4;

/// What was found.
pub(super) struct Found {
    pub(super) seats: Vec<Seat>,
    pub(super) bound_kw: f64,
    pub(super) proof: Proof,
    pub(super) moves_proof: Proof,
}

/// Most power, then fewest moves.
pub(super) fn solve(
    problem: &Problem,
    pools: &Pools,
    drawn: &[Seat],
    effort: &Effort,
) -> Result<Found, Unplaced> {
    let programme = Programme { problem, pools, drawn, cells: cells(problem, pools), effort };
    let bound_kw = programme.run(Aim::Power, Numbers::Any, &[])?.kw;
    let start = programme.start();
    let enough = |seats: &[Seat]| power(problem, seats) >= bound_kw * (1.0 - effort.gap);
    let (seats, proof) = match &start {
        Some(start) if enough(start) => (start.clone(), Proof::WithinGap),
        start => match (programme.run(Aim::Power, Numbers::Whole, start.as_deref().unwrap_or_default()), start) {
            (Ok(ran), Some(start)) if ran.kw < power(problem, start) => (start.clone(), Proof::OutOfTime),
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
            let has_loops = cell.liquids.is_empty() == row.liquids.is_empty() && cell.airs.is_empty() == row.airs.is_empty();
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
    /// In each run of slots, where racks are not equally wide.
    bins: Vec<Variable>,
}

impl Columns {
    fn all(&self) -> Expression {
        self.feeds.iter().sum()
    }
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
        let columns: Vec<Columns> = self.cells.iter().map(|cell| columns(cell, self.pools, numbers, &mut variables)).collect();
        let stays = match aim {
            Aim::Power => Vec::new(),
            Aim::Stay(_) => self.stays(&mut variables),
        };
        let kw: Expression = self
            .cells
            .iter()
            .zip(&columns)
            .map(|(cell, own)| own.all() * self.problem.classes[cell.class].kw)
            .sum();
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
        for constraint in self.limits(&columns).into_iter().chain(self.packed(&columns)) {
            model.add_constraint(constraint);
        }
        if let Aim::Stay(least_kw) = aim {
            model.add_constraint(kw.clone().geq(least_kw - EQUAL_KW / 2.0));
            for constraint in self.stay_limits(&columns, &stays) {
                model.add_constraint(constraint);
            }
        }
        let solution = model.solve().map_err(unplaced)?;
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
        let empty = |many: usize| vec![Expression::default(); many];
        let (mut classes, mut pools) = (empty(problem.classes.len()), empty(self.pools.pools.len()));
        let (mut feeds, mut above) = (empty(problem.feeds.len()), empty(problem.above.len()));
        let mut loops = empty(problem.loops.len());
        let mut constraints = Vec::new();
        for (cell, own) in self.cells.iter().zip(columns) {
            let class = &problem.classes[cell.class];
            classes[cell.class] += own.all();
            pools[cell.pool] += own.all() * f64::from(self.pools.width(class));
            for (&at, racks) in cell.feeds.iter().zip(&own.feeds) {
                feeds[at as usize].add_mul(class.kw, racks);
                problem.feeds[at as usize].above.iter().for_each(|up| above[*up as usize].add_mul(class.kw, racks));
            }
            for (list, racks, kw) in
                [(&cell.liquids, &own.liquids, cell.heat_kw[0]), (&cell.airs, &own.airs, cell.heat_kw[1])]
            {
                match list.as_slice() {
                    [] => {}
                    [one] => loops[*one as usize] += own.all() * kw,
                    many => {
                        many.iter().zip(racks).for_each(|(at, racks)| loops[*at as usize].add_mul(kw, racks));
                        constraints.push((racks.iter().sum::<Expression>() - own.all()).eq(0));
                    }
                }
            }
        }
        let at_most = |sums: Vec<Expression>, most: &mut dyn Iterator<Item = f64>| {
            sums.into_iter().zip(most).map(|(sum, most)| sum.leq(most)).collect::<Vec<_>>()
        };
        for (sum, class) in classes.into_iter().zip(&problem.classes) {
            if class.least > 0 {
                constraints.push(sum.clone().geq(f64::from(class.least)));
            }
            constraints.push(sum.leq(f64::from(class.most)));
        }
        let slots = |pool: &Pool| f64::from(pool.bins) * f64::from(pool.slots);
        constraints.extend(at_most(pools, &mut self.pools.pools.iter().map(slots)));
        constraints.extend(at_most(feeds, &mut problem.feeds.iter().map(|feed| feed.kw)));
        constraints.extend(at_most(above, &mut problem.above.iter().map(|limit| limit.kw)));
        constraints.extend(at_most(loops, &mut problem.loops.iter().map(|limit| limit.kw)));
        constraints
    }

    /// Racks that are not equally wide stand in one row each, whole. Rows alike are in no order but the one given here: the
    /// fullest first, so that a solver does not try them in every other.
    fn packed(&self, columns: &[Columns]) -> Vec<good_lp::Constraint> {
        let mut constraints = Vec::new();
        if !self.pools.is_packed() {
            return constraints;
        }
        for (at, pool) in self.pools.pools.iter().enumerate() {
            let mut bins = vec![Expression::default(); pool.bins as usize];
            for (cell, own) in self.cells.iter().zip(columns).filter(|(cell, _)| cell.pool == at) {
                let width = f64::from(self.pools.width(&self.problem.classes[cell.class]));
                bins.iter_mut().zip(&own.bins).for_each(|(bin, racks)| bin.add_mul(width, racks));
                constraints.push((own.bins.iter().sum::<Expression>() - own.all()).eq(0));
            }
            for pair in bins.windows(2) {
                constraints.push((pair[1].clone() - pair[0].clone()).leq(0));
            }
            constraints.extend(bins.into_iter().map(|bin| bin.leq(f64::from(pool.slots))));
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

fn columns(cell: &Cell, pools: &Pools, numbers: Numbers, variables: &mut ProblemVariables) -> Columns {
    let one = || {
        let any = variable().min(0).max(cell.most);
        match numbers {
            Numbers::Any => any,
            Numbers::Whole => any.integer(),
        }
    };
    let mut each = |list: &[u32]| -> Vec<Variable> { list.iter().map(|_| variables.add(one())).collect() };
    let several = |list: &[u32]| if list.len() > 1 { list.to_vec() } else { Vec::new() };
    let feeds = each(&cell.feeds);
    let liquids = each(&several(&cell.liquids));
    let airs = each(&several(&cell.airs));
    let bins = if pools.is_packed() { pools.pools[cell.pool].bins } else { 0 };
    let bins = (0..bins).map(|_| variables.add(one())).collect();
    Columns { feeds, liquids, airs, bins }
}

fn unplaced(error: ResolutionError) -> Unplaced {
    match error {
        ResolutionError::Infeasible => Unplaced::Infeasible,
        ResolutionError::Other(word) if word.starts_with("Time limit") => Unplaced::OutOfTime,
        ResolutionError::Unbounded | ResolutionError::Other(_) | ResolutionError::Str(_) => {
            Unplaced::Failed(error.to_string())
        }
    }
}
