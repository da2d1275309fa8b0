//! Where racks stand: on which row, power feed and cooling loops, so that the least power is stranded.
//!
//! An integer programme: n(class, row, feed, liquid loop, air loop) racks ≥ 0, whole; most Σ kW · n, with
//!
//! - least(class) ≤ Σ n ≤ most(class);
//! - positions of each row, kW of each feed and of each level above it, heat of each loop not exceeded.
//!
//! Of all placements with that much power, one that moves the fewest racks from where they are drawn: a second programme
//! with the power of the first held.
//!
//! It is solved in parts that say the same in fewer numbers. Feeds and loops limit sums over racks, not pairs, so that how
//! many racks of a class and a row are on each feed, and how many on each loop, is enough; pairs are made afterwards. Rows
//! with the same feeds and loops are one pool of positions where racks are equally wide (`pool`). What a linear
//! programme without whole numbers reaches, its limits first brought down to what whole racks can come to, bounds the best
//! from above. A placement by the largest rack first, shaken, is the answer where it comes as near to that as the gap asks
//! for; else whole numbers are branched over (`solve`), for so long as the effort allows. The answer says which it is.
//!
//! Read `pool` first, then `solve`, `stranded` (what is left over, by cause) and `drawn` (from a design and back).

mod drawn;
mod pool;
mod solve;
mod stranded;

pub use drawn::{Fill, Plan, Unplanned, Wiring, plan};
pub use stranded::{Stranded, stranded};

use pool::{Pools, Seat};
use serde::{Deserialize, Serialize};

/// Share of liquid heat up to which a rack may stand where no loop takes it: all its heat then leaves in air. As
/// `sim::resolve` has it.
pub const LIQUID_NEEDED: f64 = 0.05;

/// Racks alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// How many must be placed.
    pub least: u32,
    /// How many are wanted.
    pub most: u32,
    /// Power provisioned for one, kW.
    pub kw: f64,
    /// Of its heat what leaves in liquid, kW.
    pub liquid_kw: f64,
    /// What leaves in air, kW.
    pub air_kw: f64,
    /// Positions that one takes.
    pub positions: u32,
}

/// Rows alike, and what may feed and cool racks in them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// How many rows like it.
    pub count: u32,
    /// Positions in one.
    pub positions: u32,
    /// Feeds, the usual one first.
    pub feeds: Vec<u32>,
    /// Loops that may take liquid heat; none where it has none.
    pub liquids: Vec<u32>,
    /// Loops that may take air heat.
    pub airs: Vec<u32>,
}

/// A power group that racks can be put on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feed {
    /// Its name.
    pub name: String,
    /// What it can promise, kW.
    pub kw: f64,
    /// Limits above it that it has a part in.
    pub above: Vec<u32>,
}

/// Something that several share: a level of the power tree, or a loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// Its name.
    pub name: String,
    /// What it can carry of racks' power or heat, kW.
    pub kw: f64,
}

/// Racks alike on one row, feed and loops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Placed {
    /// Class.
    pub class: u32,
    /// Row.
    pub row: u32,
    /// Feed.
    pub feed: u32,
    /// Loop of their liquid heat.
    pub liquid: Option<u32>,
    /// Loop of their air heat.
    pub air: Option<u32>,
    /// How many.
    pub count: u32,
}

/// What is to be placed, and where it could be.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Problem {
    /// Classes of racks.
    pub classes: Vec<Class>,
    /// Rows.
    pub rows: Vec<Row>,
    /// Feeds.
    pub feeds: Vec<Feed>,
    /// Limits above feeds.
    pub above: Vec<Limit>,
    /// Cooling loops.
    pub loops: Vec<Limit>,
    /// Where racks stand as drawn.
    pub drawn: Vec<Placed>,
}

/// How near to the best, and for how long it is sought.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Effort {
    /// Share by which the best may be missed.
    pub gap: f64,
    /// Most seconds for each of the two programmes. Where they run out, what was found by then is the answer, and which
    /// that is depends on the machine.
    pub seconds: f64,
}

impl Default for Effort {
    /// A hundred-thousandth, which is 1 kW of 100 MW; ten seconds.
    fn default() -> Self {
        Self { gap: 1e-5, seconds: 10.0 }
    }
}

/// How sure an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// Nothing is better, but for the gap that was asked for.
    WithinGap,
    /// Time ran out first.
    OutOfTime,
}

/// Where racks are to stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// Racks by row, feed and loops, in order.
    pub placed: Vec<Placed>,
    /// Racks of each class that were wanted and found no place.
    pub unplaced: Vec<u32>,
    /// Power provisioned for all that are placed, kW.
    pub placed_kw: f64,
    /// Most that any placement could have, kW.
    pub bound_kw: f64,
    /// How sure it is that no more power can be placed.
    pub proof: Proof,
    /// Drawn racks that do not stay where they are drawn.
    pub moved: u32,
    /// How sure it is that no fewer could be moved.
    pub moves_proof: Proof,
    /// Power that feeds can promise and no rack has, as drawn.
    pub before: Stranded,
    /// The same as placed.
    pub after: Stranded,
}

/// Why there is no placement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unplaced {
    /// The racks that must be placed can't all be.
    Infeasible,
    /// The problem does not fit together.
    BadInput(&'static str),
    /// Time ran out before any was found.
    OutOfTime,
    /// The solver did not come to an end; with its own word.
    Failed(String),
}

impl std::fmt::Display for Unplaced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Infeasible => f.write_str("the racks that must be placed do not fit"),
            Self::BadInput(what) => f.write_str(what),
            Self::OutOfTime => f.write_str("time ran out before a placement was found"),
            Self::Failed(word) => write!(f, "the solver ended with {word}"),
        }
    }
}

/// The placement with the most power, and of those one with few moves.
///
/// # Errors
/// Where the problem does not fit together, what must be placed can't be, or the solver fails.
pub fn place(problem: &Problem, effort: &Effort) -> Result<Placement, Unplaced> {
    checked(problem)?;
    if !(effort.gap >= 0.0 && effort.gap < 1.0 && effort.seconds > 0.0 && effort.seconds.is_finite()) {
        return Err(Unplaced::BadInput("the gap must be from 0 to 1, and the time above 0"));
    }
    let pools = Pools::of(problem);
    let drawn = pools.seats(problem, &problem.drawn).ok_or(Unplaced::BadInput("racks as drawn exceed their rows"))?;
    let found = solve::solve(problem, &pools, &drawn, effort)?;
    let placed = pools.rows(problem, &found.seats);
    let unplaced = problem.classes.iter().enumerate().map(|(at, class)| class.most - count(&found.seats, at));
    let placed_kw = power(problem, &found.seats);
    Ok(Placement {
        unplaced: unplaced.collect(),
        placed_kw,
        bound_kw: found.bound_kw.max(placed_kw),
        proof: found.proof,
        moved: moved(&problem.drawn, &placed),
        moves_proof: found.moves_proof,
        before: stranded::by_cause(problem, &pools, &drawn),
        after: stranded::by_cause(problem, &pools, &found.seats),
        placed,
    })
}

/// Racks of `drawn` that do not stay.
fn moved(drawn: &[Placed], placed: &[Placed]) -> u32 {
    let same = |a: &Placed, b: &Placed| Placed { count: 0, ..*a } == Placed { count: 0, ..*b };
    let stays = |own: &Placed| {
        let there: u32 = placed.iter().filter(|other| same(own, other)).map(|other| other.count).sum();
        own.count.min(there)
    };
    drawn.iter().map(|own| own.count - stays(own)).sum()
}

fn count(seats: &[Seat], class: usize) -> u32 {
    seats.iter().filter(|seat| seat.class == class).map(|seat| seat.count).sum()
}

fn power(problem: &Problem, seats: &[Seat]) -> f64 {
    seats.iter().map(|seat| problem.classes[seat.class].kw * f64::from(seat.count)).sum()
}

fn checked(problem: &Problem) -> Result<(), Unplaced> {
    let finite = |kw: f64| kw.is_finite() && kw >= 0.0;
    let limits = problem.above.iter().chain(&problem.loops).map(|limit| limit.kw);
    let mut figures = limits.chain(problem.feeds.iter().map(|feed| feed.kw));
    let within = |list: &[u32], of: usize| list.iter().all(|at| (*at as usize) < of);
    let row_fits = |row: &Row| {
        let (feeds, loops) = (problem.feeds.len(), problem.loops.len());
        within(&row.feeds, feeds) && within(&row.liquids, loops) && within(&row.airs, loops)
    };
    let class_fits = |class: &Class| {
        finite(class.kw) && finite(class.liquid_kw) && finite(class.air_kw) && class.kw > 0.0 && class.positions > 0
    };
    let drawn_fits = |own: &Placed| {
        let row = problem.rows.get(own.row as usize);
        let on = |row: &Row| {
            let one_of = |list: &[u32], at: Option<u32>| at.map_or(list.is_empty(), |at| list.contains(&at));
            row.feeds.contains(&own.feed) && one_of(&row.liquids, own.liquid) && one_of(&row.airs, own.air)
        };
        (own.class as usize) < problem.classes.len() && row.is_some_and(on)
    };
    let wrong = if !problem.classes.iter().all(class_fits) || !figures.all(finite) {
        Some("power, heat and limits must be 0 or more, each rack's power and positions above 0")
    } else if !problem.classes.iter().all(|class| class.least <= class.most && i32::try_from(class.most).is_ok()) {
        Some("no fewer racks may be wanted than must be placed")
    } else if !problem.rows.iter().all(row_fits)
        || !problem.feeds.iter().all(|feed| within(&feed.above, problem.above.len()))
    {
        Some("rows and feeds must name feeds, limits and loops that there are")
    } else if !problem.drawn.iter().all(drawn_fits) {
        Some("racks must be drawn on feeds and loops that their rows have")
    } else {
        None
    };
    wrong.map_or(Ok(()), |what| Err(Unplaced::BadInput(what)))
}
