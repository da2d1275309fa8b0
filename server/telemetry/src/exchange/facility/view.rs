//! The building as a page shows it: what serves what, and each point with what it read last.
//!
//! Never: writes the words of a hundred thousand points anew because a few values came. What the metadata say is drawn
//! when they change and shared from then on; what was read is a few numbers a point.

use super::{Age, Facility, Point};
use crate::exchange::ExchangeView;
use crate::exchange::kind::PointType;
use crate::exchange::point::{Measure, Metadata, Owner};
use crate::exchange::topology::Topology;
use model::facility::{Building, FacilityPoint, FacilityRack, Heartbeat, PointHealth};
use model::metric::Unit;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the metadata say of a point.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// Its path, as the building has it.
    pub tag: String,
    /// The rest.
    pub metadata: Arc<Metadata>,
    /// What its values are in, once they are in ours.
    pub unit: Unit,
    /// The place of the object whose own point it is.
    object: Option<u32>,
}

/// What a point read last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LastRead {
    /// What, in the point's unit; absent where nothing came, or what came can't be trusted.
    pub value: Option<f64>,
    /// When, by the building's own clock; where that said no time, when it came. Absent where nothing came.
    pub at_ms: Option<i64>,
    /// How the point is.
    pub health: PointHealth,
}

impl Facility {
    /// What serves what.
    pub fn topology(&self) -> Topology {
        Topology::of(self.points.values().map(|point| &*point.metadata))
    }

    /// Every rack, once.
    pub fn racks(&self) -> Vec<FacilityRack> {
        let racks = self.points.values().filter_map(|point| match &point.metadata.owner {
            Owner::Rack { id, name } => Some((id.clone(), name.clone())),
            Owner::Named { .. } | Owner::Part { .. } => None,
        });
        let racks: BTreeMap<String, String> = racks.collect();
        racks.into_iter().map(|(id, name)| FacilityRack { id, name }).collect()
    }

    /// Every heart that was heard, in the order of paths.
    pub fn heartbeats(&self, now_ms: i64) -> Vec<Heartbeat> {
        let one = |(tag, last): (&String, &i64)| Heartbeat {
            whose: self.whose(tag),
            last_ms: *last,
            pulse: self.pulse(*last, now_ms),
        };
        self.heartbeats.iter().map(one).collect()
    }

    /// The building now. What the metadata say is taken from the view before where they are the same.
    pub fn view(&self, now_ms: i64, before: &ExchangeView) -> ExchangeView {
        let same = self.revision == before.revision;
        let (mut topology, points, racks) = if same {
            (Arc::clone(&before.topology), Arc::clone(&before.points), Arc::clone(&before.racks))
        } else {
            let topology = self.topology();
            let points = self.described(&topology);
            (Arc::new(topology), points.into(), self.racks().into())
        };
        let reads: Vec<LastRead> = self.points.values().map(Point::read).collect();
        let unwell = unwell(topology.objects.len(), &points, &reads);
        if topology.objects.iter().map(|object| object.unwell).ne(unwell.iter().copied()) {
            for (object, unwell) in Arc::make_mut(&mut topology).objects.iter_mut().zip(unwell) {
                object.unwell = unwell;
            }
        }
        ExchangeView {
            drawn_ms: Some(now_ms),
            revision: self.revision,
            telling: self.telling(now_ms),
            heartbeats: self.heartbeats(now_ms),
            counts: self.counts(),
            topology,
            racks,
            points,
            reads,
        }
    }

    fn described(&self, topology: &Topology) -> Vec<Described> {
        let one = |(tag, point): (&String, &Point)| {
            let metadata = &point.metadata;
            let own = match &metadata.owner {
                Owner::Rack { id, .. } | Owner::Named { id, .. } => topology.place_of(id),
                Owner::Part { .. } => None,
            };
            // An id may be that of objects of two kinds: the graph has the first.
            let is = |at: &usize| topology.objects[*at].object_type.as_deref() == Some(metadata.object.name());
            let object = own.filter(is).map(|at| at as u32);
            Described { tag: tag.clone(), metadata: Arc::clone(metadata), unit: point.unit(), object }
        };
        self.points.iter().map(one).collect()
    }
}

/// Of each object's own points, those whose values came and have stopped, or can't be trusted.
fn unwell(objects: usize, points: &[Described], reads: &[LastRead]) -> Vec<u32> {
    let mut unwell = vec![0; objects];
    for (point, read) in points.iter().zip(reads) {
        let counts = match read.health {
            PointHealth::Bad | PointHealth::Stale => 1,
            PointHealth::Silent | PointHealth::Fresh => 0,
        };
        if let Some(object) = point.object {
            unwell[object as usize] += counts;
        }
    }
    unwell
}

impl Point {
    fn read(&self) -> LastRead {
        let good = self.last.and_then(|last| last.good());
        let health = match (self.last, good, self.age) {
            (None, ..) => PointHealth::Silent,
            (Some(_), None, _) => PointHealth::Bad,
            (Some(_), Some(_), Age::Stale) => PointHealth::Stale,
            (Some(_), Some(_), Age::Fresh) => PointHealth::Fresh,
        };
        let value = good.map(|good| self.conversion.map_or(good, |to| to.si(good)));
        LastRead { value, at_ms: self.last.and_then(|last| last.at_ms.or(self.seen_ms)), health }
    }

    fn unit(&self) -> Unit {
        match (&self.metadata.measure, self.conversion) {
            (_, Some(to)) => to.unit,
            (Measure::States(_), None) => Unit::Code,
            (Measure::Plain, None) if self.metadata.point == PointType::PowerFactor => Unit::Ratio,
            (Measure::Unit(_) | Measure::Plain, None) => Unit::Other,
        }
    }
}

impl Described {
    /// The point as a page shows it.
    pub fn shown(&self, source: &str, read: &LastRead) -> FacilityPoint {
        let metadata = &self.metadata;
        let written = match &metadata.measure {
            Measure::Unit(written) => written.clone(),
            Measure::States(_) | Measure::Plain => String::new(),
        };
        FacilityPoint {
            tag: self.tag.clone(),
            source: source.to_owned(),
            object: metadata.owner.id().to_owned(),
            object_type: metadata.object.name().to_owned(),
            point_type: metadata.point.name().to_owned(),
            role: metadata.role,
            unit: self.unit,
            written,
            value: read.value,
            state: read.value.and_then(|value| metadata.state(value)).map(str::to_owned),
            at_ms: read.at_ms,
            health: read.health,
        }
    }
}

impl ExchangeView {
    /// The building as a page shows it.
    pub fn building(&self, source: &str) -> Building {
        Building {
            source: source.to_owned(),
            telling: self.telling.clone(),
            heartbeats: self.heartbeats.clone(),
            counts: self.counts,
            objects: self.topology.objects.clone(),
            serves: self.topology.serves.clone(),
            roots: self.topology.roots.clone(),
            remarks: self.topology.remarks.clone(),
        }
    }

    /// Each point with what it read last, in the order of paths.
    pub fn each(&self) -> impl ExactSizeIterator<Item = (&Described, &LastRead)> {
        self.points.iter().zip(&self.reads)
    }
}
