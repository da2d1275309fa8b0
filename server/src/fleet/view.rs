//! The fleet as pages ask for it: the whole with one metric, a place with its parts, what is wasted, what is looked for.

use super::Fleet;
use super::live::{Gpu, Last, Live, Node};
use super::plan::{Plan, rack_of};
use model::event::FleetEvent;
use model::fleet::{
    Attention, Fact, FleetPlace, FleetView, Health, LastValue, Part, PlaceView, PlannedValue, WasteReport, Wasted,
};
use model::metric::{Metric, Subject, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// Idle or stranded places that are listed.
const WASTE_LISTED: usize = 200;
/// Places that a search finds at most.
const FOUND_MAX: usize = 50;
/// Power that may be left before it counts as stranded: less than one board, and meters are not more exact.
const STRANDED_W_MIN: f64 = 1_000.0;

/// What GPUs add up to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sums {
    gpus: u32,
    power: f64,
    powers: u32,
    hottest: Option<f64>,
    work: f64,
    works: u32,
    worst: Option<Health>,
    idle: u32,
}

impl Sums {
    fn add(&mut self, gpu: &Gpu) {
        self.gpus += 1;
        if let Some(power) = gpu.value(Metric::GpuPower) {
            (self.power, self.powers) = (self.power + power, self.powers + 1);
        }
        if let Some(hot) = gpu.value(Metric::GpuTemperature) {
            self.hottest = Some(self.hottest.map_or(hot, |before| before.max(hot)));
        }
        if let Some(work) = gpu.value(Metric::GpuUtilization) {
            (self.work, self.works) = (self.work + work, self.works + 1);
        }
        self.worst = self.worst.max(Some(gpu.health));
        self.idle += u32::from(gpu.health == Health::Idle);
    }
    /// How they are together: the worst that is wrong with one; idle only where all are.
    fn health(&self) -> Health {
        match self.worst {
            Some(Health::Idle) if self.idle < self.gpus => Health::Busy,
            Some(worst) => worst,
            None => Health::Stale,
        }
    }
    /// Power of the boards that tell it, W.
    pub fn board_w(&self) -> Option<f64> {
        (self.powers > 0).then_some(self.power)
    }
    /// The hottest, °C.
    pub fn hottest_c(&self) -> Option<f64> {
        self.hottest
    }
    /// Mean time in which a kernel ran.
    pub fn utilization(&self) -> Option<f64> {
        (self.works > 0).then(|| self.work / f64::from(self.works))
    }
    fn part(&self, place: FleetPlace) -> Part {
        Part {
            place,
            health: self.health(),
            gpus: self.gpus,
            board_w: self.board_w(),
            hottest_c: self.hottest_c(),
            utilization: self.utilization(),
        }
    }
}

/// Sums of every hall, rack and node that has a name, by place.
pub fn sums(live: &Live) -> BTreeMap<String, Sums> {
    let mut all: BTreeMap<String, Sums> = BTreeMap::new();
    for node in live.nodes.iter().filter(|node| !node.gpus.is_empty()) {
        let mut own = Sums::default();
        node.gpus.iter().for_each(|gpu| own.add(&live.gpus[*gpu as usize]));
        let places = [FleetPlace::Rack(node.rack.clone()), FleetPlace::Hall(node.hall.clone())];
        for (place, name) in places.into_iter().zip([&node.rack, &node.hall]).filter(|(_, name)| !name.is_empty()) {
            let _ = name;
            let sums = all.entry(place.to_string()).or_default();
            node.gpus.iter().for_each(|gpu| sums.add(&live.gpus[*gpu as usize]));
        }
        all.insert(FleetPlace::Node(node.host.clone()).to_string(), own);
    }
    all
}

impl Fleet {
    /// The whole fleet with one metric.
    pub fn view(&self, metric: Metric, attention: Vec<Attention>) -> FleetView {
        let plan = super::lock(&self.plan).as_ref().map(|plan| plan.binding.clone());
        let kpis = self.kpis();
        let live = self.now();
        FleetView {
            layout: live.layout,
            as_of_ms: live.now_ms,
            event: format!("{}-{}", self.epoch, live.tick),
            made_up: self.made_up.clone(),
            metric,
            nodes: live.nodes_in_order(),
            values: live.in_order().map(|gpu| gpu.value(metric).map(rounded)).collect(),
            health: live.in_order().map(|gpu| gpu.health).collect(),
            kpis,
            attention,
            plan,
        }
    }

    /// One place of the fleet; none where nothing was ever read of it.
    pub fn place(&self, place: &FleetPlace, events: Vec<FleetEvent>, attention: Vec<Attention>) -> Option<PlaceView> {
        let plan = super::lock(&self.plan).clone();
        let sources = super::lock(&self.sources).statuses();
        let name = |source: u32| sources.get(source as usize).map_or_else(String::new, |status| status.name.clone());
        let live = self.now();
        let mut view = live.place(place, plan.as_ref(), &name)?;
        (view.events, view.attention) = (events, attention);
        view.attention.retain(|one| live.holds(place, &one.place));
        // What an alert is about is not well, whatever its readings say.
        if !view.attention.is_empty() {
            view.health = view.health.max(Health::Degraded);
        }
        Some(view)
    }

    /// Places whose name, address or id has a text, the likeliest first.
    pub fn search(&self, text: &str) -> Vec<FleetPlace> {
        let text = text.trim().to_lowercase();
        if text.is_empty() {
            return Vec::new();
        }
        let live = self.now();
        let mut found: Vec<(usize, FleetPlace)> = Vec::new();
        let mut look = |names: &[&str], place: FleetPlace| {
            let at = names.iter().filter_map(|name| {
                let name = name.to_lowercase();
                name.find(&text).map(|at| if name == text { 0 } else { 1 + at })
            });
            if let Some(at) = at.min() {
                found.push((at, place));
            }
        };
        let (mut halls, mut racks) = (BTreeSet::new(), BTreeSet::new());
        for node in &live.nodes {
            halls.insert(node.hall.clone());
            racks.insert(node.rack.clone());
            look(&[&node.host], FleetPlace::Node(node.host.clone()));
        }
        for name in halls.into_iter().filter(|name| !name.is_empty()) {
            look(&[&name], FleetPlace::Hall(name.clone()));
        }
        for name in racks.into_iter().filter(|name| !name.is_empty()) {
            look(&[&name], FleetPlace::Rack(name.clone()));
        }
        for engine in &live.engines {
            look(&[&engine.instance, &engine.model_name], FleetPlace::Engine(engine.instance.clone()));
        }
        for gpu in &live.gpus {
            let host = &live.nodes[gpu.node as usize].host;
            let full = format!("{host}/{}", gpu.index);
            look(&[&full, &gpu.uuid, &gpu.pci], FleetPlace::Gpu(host.clone(), gpu.index.clone()));
        }
        found.sort();
        found.into_iter().map(|(_, place)| place).take(FOUND_MAX).collect()
    }

    /// GPUs with nothing to do, and racks whose provisioned power nobody draws.
    pub fn waste(&self) -> WasteReport {
        let plan = super::lock(&self.plan).clone();
        let live = self.now();
        let mut idle: Vec<Wasted> = live.gpus.iter().filter_map(|gpu| idle(&live, gpu)).collect();
        idle.sort_by_key(|wasted| wasted.since_ms);
        let mut stranded: Vec<Wasted> = plan.iter().flat_map(|plan| stranded(&live, plan)).collect();
        stranded.sort_by(|left, right| right.wasted_w.total_cmp(&left.wasted_w));
        idle.truncate(WASTE_LISTED);
        stranded.truncate(WASTE_LISTED);
        WasteReport { idle, stranded }
    }
}

fn idle(live: &Live, gpu: &Gpu) -> Option<Wasted> {
    let since_ms = gpu.idle_since_ms?;
    let node = &live.nodes[gpu.node as usize];
    Some(Wasted {
        place: FleetPlace::Gpu(node.host.clone(), gpu.index.clone()),
        tenant: node.tenant.clone(),
        wasted_w: gpu.value(Metric::GpuPower).unwrap_or_default(),
        since_ms,
        why: "Kernels run less than 5% of the time.".into(),
    })
}

/// Racks of the plan that draw less than is provisioned to them. By the rack's own meter, else by its boards.
fn stranded(live: &Live, plan: &Plan) -> Vec<Wasted> {
    let sums = sums(live);
    let one = |(rack, provisioned_w): (&String, &f64)| {
        let metered = live.rack_named(rack).and_then(|building| live.fresh(building, Metric::RackPower));
        let boards = sums.get(&FleetPlace::Rack(rack.clone()).to_string()).and_then(Sums::board_w);
        let (drawn_w, by) = metered.map(|w| (w, "its meter")).or(boards.map(|w| (w, "its GPU boards alone")))?;
        let wasted_w = provisioned_w - drawn_w;
        let why = format!("{:.0} kW are provisioned, {:.0} kW are drawn by {by}.", provisioned_w / 1e3, drawn_w / 1e3);
        let place = FleetPlace::Rack(rack.clone());
        (wasted_w > STRANDED_W_MIN).then(|| Wasted {
            place,
            tenant: String::new(),
            wasted_w,
            since_ms: live.now_ms,
            why,
        })
    };
    plan.provisioned_w.iter().filter_map(one).collect()
}

/// Four digits and a few: what a tile's colour needs.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let power = 10_f64.powi(4 - value.abs().log10().floor() as i32);
    (value * power).round() / power
}

impl Live {
    fn place(&self, place: &FleetPlace, plan: Option<&Plan>, source: &dyn Fn(u32) -> String) -> Option<PlaceView> {
        let mut view = PlaceView {
            place: place.clone(),
            as_of_ms: self.now_ms,
            health: Health::Stale,
            within: Vec::new(),
            facts: Vec::new(),
            values: Vec::new(),
            parts: Vec::new(),
            events: Vec::new(),
            attention: Vec::new(),
            planned: Vec::new(),
        };
        match place {
            FleetPlace::Gpu(host, index) => self.gpu_place(&mut view, host, index, plan, source)?,
            FleetPlace::Node(host) => self.node_place(&mut view, host, plan, source)?,
            FleetPlace::Rack(rack) => self.rack_place(&mut view, rack, plan, source)?,
            FleetPlace::Hall(hall) => self.hall_place(&mut view, hall)?,
            FleetPlace::Engine(instance) => self.engine_place(&mut view, instance, source)?,
            FleetPlace::Fleet | FleetPlace::Source(_) | FleetPlace::Point(_) => return None,
        }
        Some(view)
    }

    fn gpu_place(
        &self,
        view: &mut PlaceView,
        host: &str,
        index: &str,
        plan: Option<&Plan>,
        source: &dyn Fn(u32) -> String,
    ) -> Option<()> {
        let node = self.node_named(host)?;
        let gpus = node.gpus.iter().map(|gpu| &self.gpus[*gpu as usize]);
        let gpu = gpus.into_iter().find(|gpu| gpu.index == index || gpu.uuid == index)?;
        view.health = gpu.health;
        view.within = Self::within(node);
        view.within.push(FleetPlace::Node(node.host.clone()));
        view.facts = facts([
            ("Model", &node.model),
            ("Index", &gpu.index),
            ("UUID", &gpu.uuid),
            ("PCI address", &gpu.pci),
            ("Tenant", &node.tenant),
        ]);
        let metrics = Metric::ALL.iter().filter(|metric| metric.subject() == Subject::Gpu);
        view.values = metrics
            .filter_map(|metric| Some((*metric, gpu.last(*metric)?)))
            .map(|(metric, last)| LastValue { stale: gpu.is_stale(), ..last_value(metric, &last, source) })
            .collect();
        if let Some(planned) = plan.and_then(|plan| plan.gpu_w) {
            let now = gpu.value(Metric::GpuPower);
            view.planned =
                vec![PlannedValue { name: "Board power, fully busy".into(), unit: Unit::Watt, now, planned }];
        }
        Some(())
    }

    fn node_place(
        &self,
        view: &mut PlaceView,
        host: &str,
        plan: Option<&Plan>,
        source: &dyn Fn(u32) -> String,
    ) -> Option<()> {
        let node = self.node_named(host)?;
        view.within = Self::within(node);
        view.facts = facts([("GPUs", &format!("{} × {}", node.gpus.len(), node.model)), ("Tenant", &node.tenant)]);
        view.values = node
            .values
            .iter()
            .map(|(metric, last)| LastValue {
                stale: self.fresh_node(node, *metric).is_none(),
                ..last_value(*metric, last, source)
            })
            .collect();
        view.parts = node
            .gpus
            .iter()
            .map(|gpu| {
                let gpu = &self.gpus[*gpu as usize];
                let mut sums = Sums::default();
                sums.add(gpu);
                sums.part(FleetPlace::Gpu(node.host.clone(), gpu.index.clone()))
            })
            .collect();
        view.health = together(&view.parts);
        if let Some(planned) = plan.and_then(|plan| plan.gpu_w) {
            let planned = planned * node.gpus.len() as f64;
            view.planned = vec![boards(&view.parts, planned)];
        }
        Some(())
    }

    fn rack_place(
        &self,
        view: &mut PlaceView,
        rack: &str,
        plan: Option<&Plan>,
        source: &dyn Fn(u32) -> String,
    ) -> Option<()> {
        let nodes: Vec<&Node> = self.nodes.iter().filter(|node| node.rack == rack && !node.gpus.is_empty()).collect();
        let building = self.rack_named(rack);
        if nodes.is_empty() && building.is_none() {
            return None;
        }
        view.within = nodes.first().map_or_else(
            || vec![FleetPlace::Fleet],
            |node| Self::within(node).into_iter().filter(|place| !matches!(place, FleetPlace::Rack(_))).collect(),
        );
        if let Some(building) = building {
            let value = |(metric, last): (&Metric, &Last)| LastValue {
                stale: self.is_stale(last),
                ..last_value(*metric, last, source)
            };
            view.values = building.values.iter().map(value).collect();
        }
        view.parts = nodes.iter().map(|node| self.node_part(node)).collect();
        view.health = together(&view.parts);
        if let Some(plan) = plan
            && let Some(position) = plan.racks.get(rack)
        {
            view.facts = facts([("Position in the plan", position)]);
            let gpus: u32 = view.parts.iter().map(|part| part.gpus).sum();
            view.planned = plan.gpu_w.map(|each| boards(&view.parts, each * f64::from(gpus))).into_iter().collect();
            if let Some(planned) = plan.provisioned_w.get(rack) {
                let now = building.and_then(|building| self.fresh(building, Metric::RackPower));
                let name = "Power of the rack, beside what is provisioned".into();
                view.planned.push(PlannedValue { name, unit: Unit::Watt, now, planned: *planned });
            }
        }
        Some(())
    }

    fn hall_place(&self, view: &mut PlaceView, hall: &str) -> Option<()> {
        let mut racks: BTreeMap<&str, Sums> = BTreeMap::new();
        for node in self.nodes.iter().filter(|node| node.hall == hall && !node.gpus.is_empty()) {
            let sums = racks.entry(rack_of(&node.rack, &node.host)).or_default();
            node.gpus.iter().for_each(|gpu| sums.add(&self.gpus[*gpu as usize]));
        }
        if racks.is_empty() {
            return None;
        }
        view.within = vec![FleetPlace::Fleet];
        view.parts = racks.iter().map(|(rack, sums)| sums.part(FleetPlace::Rack((*rack).to_owned()))).collect();
        view.health = together(&view.parts);
        Some(())
    }

    fn engine_place(&self, view: &mut PlaceView, instance: &str, source: &dyn Fn(u32) -> String) -> Option<()> {
        let engine = self.engines.iter().find(|engine| engine.instance == instance)?;
        view.within = vec![FleetPlace::Fleet];
        if !engine.host.is_empty() {
            view.within.push(FleetPlace::Node(engine.host.clone()));
        }
        view.facts = facts([("Engine", &engine.kind), ("Language model", &engine.model_name)]);
        let stale = engine.rate(Metric::EngineOutputTokens, self.now_ms).is_none();
        view.health = if stale { Health::Stale } else { Health::Busy };
        let value = |(metric, last): (&Metric, &Last)| LastValue { stale, ..last_value(*metric, last, source) };
        view.values = engine.values.iter().map(value).collect();
        Some(())
    }

    fn node_part(&self, node: &Node) -> Part {
        let mut sums = Sums::default();
        node.gpus.iter().for_each(|gpu| sums.add(&self.gpus[*gpu as usize]));
        sums.part(FleetPlace::Node(node.host.clone()))
    }

    /// Whether a place is another, or holds it.
    fn holds(&self, outer: &FleetPlace, inner: &FleetPlace) -> bool {
        if outer == inner {
            return true;
        }
        let node = match inner {
            FleetPlace::Gpu(host, _) | FleetPlace::Node(host) => self.node_named(host),
            FleetPlace::Rack(rack) => self.nodes.iter().find(|node| node.rack == *rack),
            FleetPlace::Fleet
            | FleetPlace::Hall(_)
            | FleetPlace::Engine(_)
            | FleetPlace::Source(_)
            | FleetPlace::Point(_) => None,
        };
        node.is_some_and(|node| match outer {
            FleetPlace::Node(host) => matches!(inner, FleetPlace::Gpu(..)) && *host == node.host,
            FleetPlace::Rack(rack) => !matches!(inner, FleetPlace::Rack(_)) && *rack == node.rack,
            FleetPlace::Hall(hall) => *hall == node.hall,
            FleetPlace::Fleet
            | FleetPlace::Gpu(..)
            | FleetPlace::Engine(_)
            | FleetPlace::Source(_)
            | FleetPlace::Point(_) => false,
        })
    }

    /// What a node stands in, the widest first.
    fn within(node: &Node) -> Vec<FleetPlace> {
        let mut places = vec![FleetPlace::Fleet];
        if !node.hall.is_empty() {
            places.push(FleetPlace::Hall(node.hall.clone()));
        }
        if !node.rack.is_empty() {
            places.push(FleetPlace::Rack(node.rack.clone()));
        }
        places
    }
}

fn boards(parts: &[Part], planned: f64) -> PlannedValue {
    let known: Vec<f64> = parts.iter().filter_map(|part| part.board_w).collect();
    let now = (!known.is_empty()).then(|| known.iter().sum());
    PlannedValue { name: "Power of the GPU boards, fully busy".into(), unit: Unit::Watt, now, planned }
}

/// How a place is by its parts: the worst that is wrong with one; idle only where all are.
fn together(parts: &[Part]) -> Health {
    let worst = parts.iter().map(|part| part.health).max().unwrap_or(Health::Stale);
    let all_idle = parts.iter().all(|part| part.health == Health::Idle);
    if worst == Health::Idle && !all_idle { Health::Busy } else { worst }
}

fn facts<const N: usize>(all: [(&str, &String); N]) -> Vec<Fact> {
    let known = all.into_iter().filter(|(_, value)| !value.is_empty());
    known.map(|(name, value)| Fact { name: name.to_owned(), value: value.clone() }).collect()
}

/// A value as it was last read, not yet said to be stale.
fn last_value(metric: Metric, last: &Last, source: &dyn Fn(u32) -> String) -> LastValue {
    LastValue { metric, value: last.value, at_ms: last.at_ms, stale: false, source: source(last.source) }
}
