//! The racks of a pilot as a power tree: a domain, racks with their shelves' losses, trays as hosts.

use super::{NoPilot, Operating, ready};
use crate::steering::compare::{Job, best_caps};
use crate::steering::tree::{Host, Level, Limit, Node, Tree};
use model::catalog::Catalog;
use model::part::{Gpu, LossCurve};

/// One rack's parts.
pub(super) struct Racks<'a> {
    pub(super) name: String,
    pub(super) gpu: &'a Gpu,
    /// Compute trays of a rack, GPUs of each, and what a tray draws beside them at its most, watts.
    pub(super) trays: u32,
    pub(super) gpus_per_tray: u32,
    fixed_w: f64,
    /// What all other trays of a rack draw at their most, watts.
    beside_w: f64,
    rated_w: f64,
    shelf_w: f64,
    loss: LossCurve,
}

/// The names that hosts of the two jobs are grouped under, in the order of jobs.
pub(super) const GROUPS: [&str; 2] = ["low", "high"];

/// Finds a rack's parts.
pub(super) fn find<'a>(catalog: &'a Catalog, name: &str) -> Result<Racks<'a>, NoPilot> {
    let missing = |what: &str| NoPilot::Part(format!("{name}: {what}"));
    let rack = catalog.racks.iter().find(|rack| rack.id.as_str() == name);
    let rack = rack.ok_or_else(|| missing("no such rack in the catalog"))?;
    let (mut beside_w, mut found) = (0.0, None);
    for several in &rack.trays {
        let tray = catalog.tray(&several.part).ok_or_else(|| missing("a tray of it is not in the catalog"))?;
        match tray.gpu.as_ref().and_then(|gpu| catalog.gpu(gpu)) {
            Some(gpu) => found = Some((gpu, tray, several.count)),
            None => beside_w += tray.overhead_busy.as_watts() * f64::from(several.count),
        }
    }
    let (gpu, tray, trays) = found.ok_or_else(|| missing("it has no GPUs"))?;
    if !trays.is_multiple_of(2) {
        return Err(missing("its trays can't be halved between two jobs"));
    }
    let shelf = rack.power_shelf.as_ref().and_then(|several| Some((catalog.power(&several.part)?, several.count)));
    Ok(Racks {
        name: rack.name.clone(),
        gpu,
        trays,
        gpus_per_tray: tray.gpu_count,
        fixed_w: tray.overhead_busy.as_watts(),
        beside_w,
        rated_w: rack.rated_power.as_watts(),
        shelf_w: shelf.map_or(0.0, |(shelf, count)| shelf.rated_power.as_watts() * f64::from(count)),
        loss: shelf.map_or_else(LossCurve::default, |(shelf, _)| shelf.loss),
    })
}

/// The same tree with another limit of its root.
pub(super) fn limited(tree: &Tree, watts: f64) -> Tree {
    let mut nodes = tree.nodes().to_vec();
    nodes[0].limit = Limit::of_watts(watts);
    Tree::new(nodes, tree.hosts().to_vec()).unwrap_or_else(|_| tree.clone())
}

impl Racks<'_> {
    /// GPUs of one job in so many racks.
    pub(super) fn job_gpus(&self, racks: u32) -> u32 {
        racks * self.trays / 2 * self.gpus_per_tray
    }

    /// A tray at its most with its GPUs at a cap, watts.
    pub(super) fn tray_w(&self, cap_w: f64) -> f64 {
        self.fixed_w + f64::from(self.gpus_per_tray) * cap_w
    }

    /// So many racks, each with half of its trays for each job, switches as a host without GPUs.
    pub(super) fn tree(&self, racks: u32, limit_w: f64) -> Tree {
        // The rating of a rack stands for no limit where there is none yet.
        let limit = Limit::of_watts(limit_w.min(f64::from(racks) * self.rated_w));
        let mut nodes = vec![Node::lossless("power domain".to_owned(), Level::FloorPdu, limit, None)];
        let mut hosts = Vec::new();
        for rack in 0..racks {
            let at = nodes.len() as u32;
            let name = format!("rack {}", rack + 1);
            let node = Node::lossless(name, Level::Rack, Limit::of_watts(self.rated_w), Some(0));
            nodes.push(Node { rated_w: self.shelf_w, loss: self.loss, ..node });
            let mut host = |name: String, group: &str, fixed_w: f64, gpus: u32| {
                hosts.push(Host {
                    node: nodes.len() as u32,
                    group: group.to_owned(),
                    priority: 0,
                    fixed_w,
                    gpus,
                    cap_min_w: self.gpu.min_power_cap.as_watts(),
                    cap_max_w: self.gpu.board_power.as_watts(),
                });
                nodes.push(Node::lossless(name, Level::Host, Limit::of_watts(self.rated_w), Some(at)));
            };
            for tray in 0..self.trays {
                let group = GROUPS[(tray % 2) as usize];
                host(format!("rack {} tray {}", rack + 1, tray + 1), group, self.fixed_w, self.gpus_per_tray);
            }
            host(format!("rack {} switches", rack + 1), "switches", self.beside_w, 0);
        }
        // Made of one node after another, so nothing can be out of order; catalog rows have no negative figures.
        Tree::new(nodes, hosts).expect("racks are a tree")
    }

    /// Both jobs with the hosts that they have in a tree.
    pub(super) fn ready(&self, tree: &Tree, jobs: &[Operating; 2]) -> Vec<Job> {
        let bounds = (self.gpu.min_power_cap.as_watts(), self.gpu.board_power.as_watts());
        let hosts = |name: &str| tree.hosts().iter().filter(|host| host.group == name).count() as u32;
        jobs.iter().map(|job| ready(job, hosts(&job.name), (self.gpus_per_tray, self.fixed_w), bounds)).collect()
    }

    /// Watts that an envelope leaves trays with GPUs: without shelves' losses at even load and what stands beside them.
    pub(super) fn left_to_trays(&self, tree: &Tree, envelope_w: f64) -> f64 {
        let racks = tree.nodes().iter().filter(|node| node.level == Level::Rack);
        let count = racks.clone().count().max(1) as f64;
        let each_w = envelope_w / count;
        racks.map(|rack| rack.output_at(each_w) - self.beside_w).sum()
    }

    /// Caps of both jobs that make the most of an envelope with all hosts on.
    pub(super) fn caps(&self, tree: &Tree, jobs: &[Operating; 2], envelope_w: f64) -> [f64; 2] {
        let ready = self.ready(tree, jobs);
        let hosts: Vec<u32> = ready.iter().map(|job| job.hosts).collect();
        let caps = best_caps(&ready, &hosts, self.left_to_trays(tree, envelope_w));
        // What adding watts by the thousand loses to rounding.
        [0, 1].map(|at| caps[at] * (1.0 - 1e-9))
    }
}
