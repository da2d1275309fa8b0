//! A design as a problem of placement, and a placement as a design.
//!
//! A hall of the design is one kind of row: it has one feed and one loop of each kind, and its racks stand anywhere in it.
//! Of several halls alike, some may be fed or cooled otherwise afterwards, and a hall may be divided; each part is then a
//! hall of the new design.

mod design;
mod limits;

use super::{Class, Effort, Feed, Limit, Placed, Placement, Problem, Row, Unplaced, place};
use crate::point::exceeded;
use limits::Limits;
use model::catalog::Catalog;
use model::design::{Design, Hall, RackGroup};
use model::note::Note;
use model::optimum::Short;
use model::report::Evaluation;
use model::site::{PowerNode, RackClass, Site};
use serde::{Deserialize, Serialize};

/// What may feed and cool a hall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wiring {
    /// What is drawn.
    #[default]
    AsDrawn,
    /// Any group of the same part and redundancy that feeds halls or nothing; any loop of the same terminal and set-point.
    SameKind,
}

/// Which racks are to be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fill {
    /// Those that are drawn.
    Drawn,
    /// Those, and as many more of the kinds with GPUs as find room. Their network is not grown with them.
    #[default]
    More,
}

/// A placement of a design.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What was asked: names of classes, rows, feeds and loops.
    pub problem: Problem,
    /// The answer.
    pub placement: Placement,
    /// The design with racks so placed.
    pub design: Design,
    /// Limits that it exceeds even so; empty where it can be run all year without holding anything back.
    pub short: Vec<Short>,
}

/// Why a design has no plan.
#[derive(Debug, Clone, PartialEq)]
pub enum Unplanned {
    /// It does not resolve.
    Notes(Vec<Note>),
    /// Its racks can't be placed.
    Unplaced(Unplaced),
}

/// Times that limits are learnt anew from what a placement came to.
const ROUNDS: u32 = 6;

/// The placement of a design's racks that strands least, within what its plant carries on the hottest hour.
///
/// What levels above the feeds carry of other things than racks, losses and cooling, is taken from an evaluation of the
/// design, in proportion to its racks; after each placement it is taken anew from the design so placed, until none of them
/// is exceeded and no more can be placed.
///
/// # Errors
/// Where the design does not resolve, or its racks can't be placed.
pub fn plan(
    design: &Design,
    catalog: &Catalog,
    wiring: Wiring,
    fill: Fill,
    effort: &Effort,
) -> Result<Plan, Unplanned> {
    let site = sim::resolve(design, catalog).map_err(Unplanned::Notes)?;
    let drawn = Drawn::of(design, &site);
    let mut limits = Limits::of(&site);
    let mut best: Option<Plan> = None;
    for _ in 0..ROUNDS {
        let problem = drawn.problem(wiring, fill, &limits);
        let placement = match (place(&problem, effort), &best) {
            (Ok(placement), _) => placement,
            (Err(_), Some(_)) => break,
            (Err(error), None) => return Err(Unplanned::Unplaced(error)),
        };
        let found = drawn.redrawn(&problem, &placement.placed);
        let site = sim::resolve(&found, catalog).map_err(Unplanned::Notes)?;
        let seen = sim::evaluate(&site);
        let plan = Plan { short: short(&seen), problem, placement, design: found };
        let learnt = limits.learn(&site, &seen);
        let kw = plan.placement.placed_kw;
        let better = |old: &Plan| match (old.short.is_empty(), plan.short.is_empty()) {
            (true, true) => kw > old.placement.placed_kw + 1e-6,
            (false, false) => plan.short.len() < old.short.len() || kw < old.placement.placed_kw - 1e-6,
            (old, new) => new && !old,
        };
        let is_better = best.as_ref().is_none_or(better);
        if is_better {
            best = Some(plan);
        }
        if !learnt || !is_better && best.as_ref().is_some_and(|plan| plan.short.is_empty()) {
            break;
        }
    }
    best.ok_or(Unplanned::Unplaced(Unplaced::Infeasible))
}

/// Limits that an evaluation says are exceeded, of those that a placement can do something about.
fn short(seen: &Evaluation) -> Vec<Short> {
    use model::optimum::Limit as Kind;
    let of_place = |short: &Short| {
        matches!(short.limit, Kind::Contract | Kind::Feed | Kind::Terminal | Kind::Cooling | Kind::Space)
    };
    seen.notes.iter().flat_map(|note| exceeded(&note.place, &note.kind)).filter(of_place).collect()
}

/// A design with its racks as classes.
struct Drawn<'a> {
    design: &'a Design,
    site: &'a Site,
    /// Groups of racks that differ in more than their number, each with its class of the site.
    kinds: Vec<(&'a RackGroup, &'a RackClass)>,
    /// The kind of each group of each row of each hall.
    kind_of: Vec<Vec<Vec<usize>>>,
}

impl<'a> Drawn<'a> {
    fn of(design: &'a Design, site: &'a Site) -> Self {
        let mut kinds: Vec<(&RackGroup, &RackClass)> = Vec::new();
        let mut classes = site.racks.iter();
        let mut kind = |group: &'a RackGroup| {
            // The site's classes stand in the order of the design's groups.
            let class = classes.next();
            let alike =
                |(own, _): &(&RackGroup, &RackClass)| RackGroup { count: group.count, ..(*own).clone() } == *group;
            kinds.iter().position(alike).or_else(|| {
                kinds.push((group, class?));
                Some(kinds.len() - 1)
            })
        };
        let mut rows_of = |hall: &'a Hall| {
            hall.rows.iter().map(|row| row.racks.iter().filter_map(&mut kind).collect()).collect::<Vec<Vec<usize>>>()
        };
        let kind_of = design.halls.iter().map(&mut rows_of).collect();
        Self { design, site, kinds, kind_of }
    }

    /// Racks of a kind in all halls.
    fn count(&self, kind: usize) -> u32 {
        let rows = self.design.halls.iter().zip(&self.kind_of).flat_map(|(hall, kinds)| {
            hall.rows.iter().zip(kinds).map(move |(row, kinds)| (hall.count * row.count, &row.racks, kinds))
        });
        rows.flat_map(|(times, racks, kinds)| {
            racks.iter().zip(kinds).map(move |(group, own)| (times * group.count, *own))
        })
        .filter(|(_, own)| *own == kind)
        .map(|(count, _)| count)
        .sum()
    }

    fn problem(&self, wiring: Wiring, fill: Fill, limits: &Limits) -> Problem {
        let positions: u32 = self.site.halls.iter().map(|hall| hall.positions).fold(0, u32::saturating_add);
        let (feeds, feed_at) = self.feeds(wiring, limits);
        Problem {
            classes: (0..self.kinds.len()).map(|kind| self.class(kind, fill, positions)).collect(),
            rows: (0..self.design.halls.len()).map(|hall| self.row(hall, wiring, &feed_at)).collect(),
            feeds,
            above: limits.above(self.site),
            loops: self.site.loops.iter().zip(&limits.loops_kw).map(|(each, kw)| limit(&each.name, *kw)).collect(),
            drawn: self.placed(&feed_at),
        }
    }

    fn class(&self, kind: usize, fill: Fill, positions: u32) -> Class {
        let (group, class) = self.kinds[kind];
        let (kw, count) = (class.provisioned().as_kilowatts(), self.count(kind));
        // As it is where there is liquid: of the kind's halls one may have none.
        let same = |other: &&RackClass| other.part == class.part && other.rated_power == class.rated_power;
        let liquid = self.site.racks.iter().filter(same).map(|other| other.liquid_fraction.as_fraction());
        let liquid_kw = kw * liquid.fold(0.0, f64::max);
        let has_gpus = class.gpu.is_some() && class.gpus > 0;
        Class {
            name: group.part.to_string(),
            least: if has_gpus { 0 } else { count },
            most: if has_gpus && fill == Fill::More { positions.max(count) } else { count },
            kw,
            liquid_kw,
            air_kw: kw - liquid_kw,
            positions: 1,
        }
    }

    /// Groups that racks may be put on, and for each of the site's its place among them.
    fn feeds(&self, wiring: Wiring, limits: &Limits) -> (Vec<Feed>, Vec<Option<u32>>) {
        let site = self.site;
        let feeds_halls = |at: u32| site.halls.iter().any(|hall| hall.fed_by == at);
        let feeds_nothing = |at: u32| {
            !site.power.iter().any(|node| node.fed_by == Some(at)) && !site.loops.iter().any(|each| each.fed_by == at)
        };
        let same_as_one =
            |node: &PowerNode| site.halls.iter().any(|hall| same_kind(&site.power[hall.fed_by as usize], node));
        let mut feeds = Vec::new();
        let places = (0_u32..).zip(&site.power).map(|(at, node)| {
            let free = wiring == Wiring::SameKind && feeds_nothing(at) && same_as_one(node);
            (feeds_halls(at) || free).then(|| {
                let above = limits.chain(site, at);
                feeds.push(Feed { name: node.name.clone(), kw: node.firm().as_kilowatts(), above });
                feeds.len() as u32 - 1
            })
        });
        let places = places.collect();
        (feeds, places)
    }

    fn row(&self, hall: usize, wiring: Wiring, feed_at: &[Option<u32>]) -> Row {
        let (drawn, space) = (&self.design.halls[hall], &self.site.halls[hall]);
        let power = &self.site.power;
        let usual = power.get(space.fed_by as usize);
        let others = feed_at.iter().enumerate().filter(|(at, _)| {
            wiring == Wiring::SameKind
                && *at != space.fed_by as usize
                && usual.is_some_and(|usual| same_kind(usual, &power[*at]))
        });
        let own = feed_at.get(space.fed_by as usize).copied().flatten();
        Row {
            name: drawn.name.clone(),
            count: drawn.count,
            positions: drawn.positions,
            feeds: own.into_iter().chain(others.filter_map(|(_, feed)| *feed)).collect(),
            liquids: drawn.liquid.as_ref().map_or_else(Vec::new, |name| self.loops_like(name, wiring)),
            airs: self.loops_like(&drawn.air, wiring),
        }
    }

    /// A loop, and those that may stand in for it.
    fn loops_like(&self, name: &str, wiring: Wiring) -> Vec<u32> {
        let loops = &self.site.loops;
        let Some(own) = loops.iter().position(|each| each.name == name) else { return Vec::new() };
        let like = |other: &usize| {
            let (a, b) = (&loops[own], &loops[*other]);
            a.terminal.part.id == b.terminal.part.id && a.supply == b.supply
        };
        let others = (0..loops.len()).filter(|other| wiring == Wiring::SameKind && *other != own && like(other));
        std::iter::once(own).chain(others).map(|at| at as u32).collect()
    }

    /// Racks as drawn.
    fn placed(&self, feed_at: &[Option<u32>]) -> Vec<Placed> {
        let mut placed: Vec<Placed> = Vec::new();
        for (at, (hall, kinds)) in self.design.halls.iter().zip(&self.kind_of).enumerate() {
            let Some(feed) = feed_at.get(self.site.halls[at].fed_by as usize).copied().flatten() else { continue };
            let loop_at =
                |name: &String| self.site.loops.iter().position(|each| each.name == *name).map(|at| at as u32);
            let (liquid, air) = (hall.liquid.as_ref().and_then(loop_at), loop_at(&hall.air));
            for (row, kinds) in hall.rows.iter().zip(kinds) {
                for (group, kind) in row.racks.iter().zip(kinds) {
                    let count = hall.count * row.count * group.count;
                    let more = Placed { class: *kind as u32, row: at as u32, feed, liquid, air, count };
                    match placed.iter_mut().find(|own| Placed { count, ..**own } == more) {
                        Some(own) => own.count += count,
                        None => placed.push(more),
                    }
                }
            }
        }
        placed
    }
}

fn same_kind(a: &PowerNode, b: &PowerNode) -> bool {
    a.part == b.part && a.redundancy == b.redundancy
}

fn limit(name: &str, kw: f64) -> Limit {
    Limit { name: name.to_owned(), kw }
}
