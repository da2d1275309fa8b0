//! A design as the ground of a search: its plant stands as drawn; racks, power limit, water and redundancy are chosen.

use crate::dispatch::Battery;
use crate::storage;
use model::catalog::Catalog;
use model::design::{Design, Redundancy};
use model::note::Note;
use model::optimum::{Choice, Limits};
use model::quantity::{Power, Span, Temperature};
use model::site::{AssetClass, Site};
use serde::{Deserialize, Serialize};

/// Between which values each may be chosen.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Choices {
    /// Racks with GPUs; each of them once, from few to many.
    pub racks: Vec<u32>,
    /// Power limits, W.
    pub caps_w: Vec<f64>,
    /// Water, °C.
    pub supplies_c: Vec<Option<f64>>,
    /// Redundancy.
    pub redundancies: Vec<Option<Redundancy>>,
}

impl Choices {
    /// How many ways there are.
    pub fn count(&self) -> usize {
        self.racks.len() * self.caps_w.len() * self.supplies_c.len() * self.redundancies.len()
    }
}

/// Why a design can't be searched.
#[derive(Debug, Clone, PartialEq)]
pub enum Unfit {
    /// It does not resolve.
    Notes(Vec<Note>),
    /// It has no racks with GPUs.
    NoGpus,
}

/// Steps of the power limit that are tried between the least that the board takes and its own.
const CAP_STEPS: u32 = 24;
/// Degrees about the set-point that are tried, and the step between.
const SUPPLY_STEP_C: f64 = 1.0;
/// Coldest water that is tried, °C: below, halls would have to be kept from dew.
const SUPPLY_LEAST_C: f64 = 18.0;

/// A class of racks with GPUs.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    /// Its place in the site's racks.
    pub(crate) at: usize,
    /// Hall, row and group of racks in the design.
    pub(crate) place: (usize, usize, usize),
    /// Its hall among the site's.
    hall: usize,
    /// Racks of it as drawn.
    drawn: u32,
    /// What one more costs, $.
    usd: f64,
}

/// A design resolved, with what one more rack of each class costs.
#[derive(Debug, Clone)]
pub struct Base {
    site: Site,
    classes: Vec<Class>,
    /// Positions that racks with GPUs may take in each hall.
    positions: Vec<u32>,
    capex_usd: f64,
    capex_it_usd: f64,
    /// Batteries among what stands by.
    pub(crate) battery: Option<Battery>,
    /// Tighter than the design's own.
    pub(crate) limits: Limits,
    /// Draw of boards at work over what the model says.
    draw: f64,
}

impl Base {
    /// The ground of a search.
    ///
    /// # Errors
    /// Where the design does not add up, or has no GPUs.
    pub fn new(design: &Design, catalog: &Catalog, limits: Limits) -> Result<Self, Unfit> {
        let mut site = sim::resolve(design, catalog).map_err(Unfit::Notes)?;
        let mut classes = Vec::new();
        let mut at = 0;
        for (h, hall) in design.halls.iter().enumerate() {
            for (r, row) in hall.rows.iter().enumerate() {
                for (g, _) in row.racks.iter().enumerate() {
                    if site.racks.get(at).is_some_and(|class| class.gpu.is_some() && class.gpus > 0) {
                        let usd = one_more(design, catalog, &site, (h, r, g)).map_err(Unfit::Notes)?;
                        classes.push(Class { at, place: (h, r, g), hall: h, drawn: site.racks[at].count, usd });
                    }
                    at += 1;
                }
            }
        }
        if classes.is_empty() {
            return Err(Unfit::NoGpus);
        }
        let own = |hall: usize| classes.iter().filter(|class| class.hall == hall).map(|class| class.drawn).sum::<u32>();
        let halls = site.halls.iter().enumerate();
        let positions =
            halls.map(|(at, hall)| hall.positions.saturating_sub(hall.racks.saturating_sub(own(at)))).collect();
        if let Some(mw) = limits.power_mw {
            site.contract_power = site.contract_power.min(Power::from_megawatts(mw));
        }
        if let Some(ms) = limits.ttft_ms {
            site.service.ttft = site.service.ttft.min(Span::from_seconds(ms / 1e3));
        }
        if let Some(ms) = limits.tpot_ms {
            site.service.tpot = site.service.tpot.min(Span::from_seconds(ms / 1e3));
        }
        let (capex_usd, capex_it_usd) = (capex(&site, |_| true), capex(&site, |class| class == AssetClass::It));
        Ok(Self {
            site,
            classes,
            positions,
            capex_usd,
            capex_it_usd,
            battery: storage::drawn(design, catalog),
            limits,
            draw: 1.0,
        })
    }

    /// The same ground with boards that draw so many times what the model says.
    pub(crate) fn drawing(self, draw: f64) -> Self {
        Self { draw, ..self }
    }

    /// Room for what is worked out of how GPUs serve.
    pub(crate) fn served(&self) -> sim::Served {
        sim::Served::drawing(self.draw)
    }

    /// Classes of racks with GPUs.
    pub(crate) fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// As drawn, with the tighter limits.
    pub fn drawn(&self) -> &Site {
        &self.site
    }

    /// The site that choices are made in, to be given more of something.
    pub(crate) fn ground(&mut self) -> &mut Site {
        &mut self.site
    }

    /// One position more in each hall that has racks with GPUs.
    pub(crate) fn more_positions(&mut self) {
        for hall in self.halls_with_gpus() {
            self.positions[hall] += 1;
            self.site.halls[hall].positions += 1;
        }
    }

    /// The choice that the design made.
    pub fn drawn_choice(&self) -> Choice {
        let first = &self.site.racks[self.classes[0].at];
        Choice { racks: self.racks_drawn(), cap_w: first.power_cap.as_watts(), supply_c: None, redundancy: None }
    }

    fn racks_drawn(&self) -> u32 {
        self.classes.iter().map(|class| class.drawn).sum()
    }

    /// Racks with GPUs for which there are positions.
    pub fn racks_most(&self) -> u32 {
        let halls: Vec<usize> = self.halls_with_gpus();
        halls.into_iter().map(|hall| self.positions[hall]).sum()
    }

    fn halls_with_gpus(&self) -> Vec<usize> {
        let mut halls: Vec<usize> = self.classes.iter().map(|class| class.hall).collect();
        halls.sort_unstable();
        halls.dedup();
        halls
    }

    /// Every choice worth trying: racks up to all positions, two dozen power limits, water to the warmest that racks accept,
    /// and redundancy as drawn.
    pub fn choices(&self) -> Choices {
        let gpus = self.classes.iter().filter_map(|class| self.site.racks[class.at].gpu.as_ref());
        let least = gpus.clone().map(|gpu| gpu.min_power_cap.as_watts()).fold(0.0, f64::max);
        let most = gpus.map(|gpu| gpu.board_power.as_watts()).fold(0.0, f64::max);
        let cap = |step: u32| (least + (most - least) * f64::from(step) / f64::from(CAP_STEPS)).round();
        let mut caps_w: Vec<f64> = (0..=CAP_STEPS).map(cap).chain([self.drawn_choice().cap_w]).collect();
        caps_w.sort_by(f64::total_cmp);
        caps_w.dedup();
        let warmest = self.liquid().map(|at| self.site.loops[at].supply_max.as_celsius()).fold(f64::INFINITY, f64::min);
        let mut supplies_c = vec![None];
        if warmest.is_finite() {
            let steps = ((warmest - SUPPLY_LEAST_C) / SUPPLY_STEP_C).max(0.0) as u32;
            supplies_c.extend((0..=steps).map(|step| Some(warmest - f64::from(step) * SUPPLY_STEP_C)));
        }
        Choices { racks: (1..=self.racks_most()).collect(), caps_w, supplies_c, redundancies: vec![None] }
    }

    /// Loops that take the liquid heat of racks with GPUs.
    pub(crate) fn liquid(&self) -> impl Iterator<Item = usize> + '_ {
        self.classes.iter().filter_map(|class| self.site.racks[class.at].liquid).map(|at| at as usize)
    }

    /// The site with a choice made; and its capital, $: all of it, and of it computers.
    pub fn site(&self, choice: &Choice) -> (Site, [f64; 2]) {
        let mut site = self.site.clone();
        let capital = self.make(choice, &mut site);
        (site, capital)
    }

    /// The same into a site that stands already, so that a search makes no new one for each choice.
    pub(crate) fn make(&self, choice: &Choice, site: &mut Site) -> [f64; 2] {
        let mut more_usd = 0.0;
        let counts = self.spread(choice.racks);
        for (hall, own) in site.halls.iter_mut().zip(&self.site.halls) {
            hall.racks = own.racks;
        }
        for (class, count) in self.classes.iter().zip(counts) {
            let rack = &mut site.racks[class.at];
            rack.count = count;
            let board = rack.gpu.as_ref().map_or(Power::ZERO, |gpu| gpu.board_power);
            rack.power_cap = Power::from_watts(choice.cap_w).min(board);
            more_usd += class.usd * (f64::from(count) - f64::from(class.drawn));
            let hall = &mut site.halls[class.hall];
            hall.racks = (hall.racks + count).saturating_sub(class.drawn);
        }
        sim::size_loops(&mut site.loops, &site.racks);
        for at in self.liquid() {
            site.loops[at].supply = choice.supply_c.map_or(self.site.loops[at].supply, Temperature::from_celsius);
        }
        for (node, own) in site.power.iter_mut().zip(&self.site.power) {
            node.redundancy = match choice.redundancy {
                Some(chosen) if own.redundancy != Redundancy::N => chosen,
                Some(_) | None => own.redundancy,
            };
        }
        [self.capex_usd + more_usd, self.capex_it_usd + more_usd]
    }

    /// So many racks over the classes, in the proportion in which they are drawn, as far as halls have positions; what is
    /// left over of whole racks goes to the classes that lack most.
    pub(crate) fn spread(&self, racks: u32) -> Vec<u32> {
        let drawn = f64::from(self.racks_drawn()).max(1.0);
        let wanted = |class: &Class| f64::from(racks) * f64::from(class.drawn) / drawn;
        let mut counts: Vec<u32> = self.classes.iter().map(|class| wanted(class) as u32).collect();
        let mut free = self.positions.clone();
        for (class, count) in self.classes.iter().zip(&mut counts) {
            *count = (*count).min(free[class.hall]);
            free[class.hall] -= *count;
        }
        let mut left = racks.saturating_sub(counts.iter().sum());
        while left > 0 {
            let lacks = |at: &usize| wanted(&self.classes[*at]) - f64::from(counts[*at]);
            let open = (0..counts.len()).filter(|at| free[self.classes[*at].hall] > 0);
            let Some(most) = open.max_by(|a, b| lacks(a).total_cmp(&lacks(b)).then(b.cmp(a))) else { break };
            counts[most] += 1;
            free[self.classes[most].hall] -= 1;
            left -= 1;
        }
        counts
    }
}

fn capex(site: &Site, of: impl Fn(AssetClass) -> bool) -> f64 {
    site.capex.iter().filter(|line| of(line.class)).map(|line| line.cost.as_dollars()).sum()
}

/// What one more rack of a group costs: the design with one more in each of its rows, less the design.
fn one_more(
    design: &Design,
    catalog: &Catalog,
    site: &Site,
    (hall, row, group): (usize, usize, usize),
) -> Result<f64, Vec<Note>> {
    let mut more = design.clone();
    let rows = more.halls[hall].rows[row].count;
    more.halls[hall].positions = more.halls[hall].positions.saturating_add(rows);
    let racks = &mut more.halls[hall].rows[row].racks[group];
    racks.count = racks.count.saturating_add(1);
    let added = f64::from(rows) * f64::from(more.halls[hall].count);
    let dearer = sim::resolve(&more, catalog)?;
    Ok((capex(&dearer, |_| true) - capex(site, |_| true)) / added.max(1.0))
}
