//! What serves what: the graph of power and coolant that the metadata's `servesId` draw.
//!
//! Never: draws an edge from `associateId` (a part stands beside its object, not in the path), or hides what does not
//! add up: circles and ids that no point describes are told in words.

use super::kind::ObjectType;
use super::point::{Metadata, Owner};
use model::facility::{FacilityObject, Serves};
use std::collections::{BTreeMap, BTreeSet};

/// The most paths to one node that are returned.
pub const MOST_PATHS: usize = 256;
/// The longest path that is followed.
const LONGEST_PATH: usize = 64;
/// The most remarks.
const MOST_REMARKS: usize = 200;

/// What serves what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Topology {
    /// Each object, in the order of ids; which of its points are not well is known to who looks at values.
    pub objects: Vec<FacilityObject>,
    /// Each edge, in the order of ids.
    pub serves: Vec<Serves>,
    /// Ids of what nothing serves and which serves something.
    pub roots: Vec<String>,
    /// What does not add up, in words.
    pub remarks: Vec<String>,
}

impl Topology {
    /// The graph that these metadata draw.
    pub fn of<'a>(points: impl Iterator<Item = &'a Metadata>) -> Self {
        let mut draft = Draft::default();
        for metadata in points {
            draft.add(metadata);
        }
        draft.finish()
    }

    /// An object.
    pub fn object(&self, id: &str) -> Option<&FacilityObject> {
        Some(&self.objects[self.place_of(id)?])
    }

    /// The place of an object among all.
    pub fn place_of(&self, id: &str) -> Option<usize> {
        self.objects.binary_search_by(|object| object.id.as_str().cmp(id)).ok()
    }

    /// What an object serves.
    pub fn children<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a Serves> {
        let from = self.serves.partition_point(|edge| edge.from.as_str() < id);
        let to = self.serves.partition_point(|edge| edge.from.as_str() <= id);
        self.serves[from..to].iter()
    }

    /// What serves an object.
    pub fn parents<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Serves> {
        self.serves.iter().filter(move |edge| edge.to == id)
    }

    /// Every way from a root to an object, at most [`MOST_PATHS`]; each from root to object, no object twice.
    pub fn paths_to(&self, id: &str) -> Vec<Vec<String>> {
        let mut parents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for edge in &self.serves {
            parents.entry(&edge.to).or_default().push(&edge.from);
        }
        let (mut done, mut open) = (Vec::new(), vec![vec![id]]);
        // Circles can make many ways that lead nowhere: the search has an end of its own.
        for _ in 0..MOST_PATHS * LONGEST_PATH {
            let Some(path) = open.pop() else { break };
            let last = path[path.len() - 1];
            let above = parents.get(last).map(Vec::as_slice).unwrap_or_default();
            if above.is_empty() && path.len() > 1 {
                done.push(path.iter().rev().map(|id| (*id).to_owned()).collect());
            }
            if done.len() >= MOST_PATHS {
                break;
            }
            let onward = above.iter().rev().filter(|id| path.len() < LONGEST_PATH && !path.contains(id));
            open.extend(onward.map(|id| path.iter().copied().chain([*id]).collect::<Vec<_>>()));
        }
        done
    }
}

/// A graph that is being drawn.
#[derive(Default)]
struct Draft {
    objects: BTreeMap<String, (ObjectType, String, u32)>,
    parts: BTreeMap<String, BTreeMap<String, u32>>,
    edges: BTreeSet<Serves>,
    remarks: Vec<String>,
}

impl Draft {
    fn add(&mut self, metadata: &Metadata) {
        let (id, name) = match &metadata.owner {
            Owner::Part { of } => {
                let parts = self.parts.entry(of.clone()).or_default();
                *parts.entry(metadata.object.name().to_owned()).or_default() += 1;
                return;
            }
            Owner::Rack { id, name } => (id, name),
            Owner::Named { id, name, serves } => {
                for to in serves {
                    let (from, to) = (id.clone(), to.clone());
                    self.edges.insert(Serves { from, to, medium: metadata.object.medium() });
                }
                (id, name)
            }
        };
        if metadata.object == ObjectType::System {
            // A system is at the other end of a wire, not in a path.
            return;
        }
        match self.objects.get_mut(id) {
            None => {
                self.objects.insert(id.clone(), (metadata.object, name.clone(), 1));
            }
            Some((object, _, points)) if *object == metadata.object => *points += 1,
            Some((object, ..)) => {
                self.remarks.push(format!("{id} is the id of a {object} and of a {}", metadata.object));
            }
        }
    }

    fn finish(mut self) -> Topology {
        self.remarks.sort();
        self.remarks.dedup();
        let mut served: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for edge in &self.edges {
            served.entry(&edge.to).or_default().push(&edge.from);
        }
        let serving: BTreeSet<&str> = self.edges.iter().map(|edge| edge.from.as_str()).collect();
        let names: BTreeMap<&str, &str> =
            self.objects.iter().map(|(id, (_, name, _))| (name.as_str(), id.as_str())).collect();
        let mut remarks = self.remarks;
        for (id, by) in served.iter().filter(|(id, _)| !self.objects.contains_key(**id)) {
            let by = by.join(", ");
            remarks.push(match names.get(id) {
                Some(real) => format!("{id} is served by {by}, and is the name of {real}, not its id"),
                None => format!("{id} is served by {by}, and no point describes it"),
            });
        }
        let known = |id: &str| self.objects.contains_key(id) || served.contains_key(id);
        for (id, parts) in self.parts.iter().filter(|(id, _)| !known(id)) {
            let parts: Vec<&str> = parts.keys().map(String::as_str).collect();
            remarks.push(format!("{id} has a part ({}), and no point describes it", parts.join(", ")));
        }
        let edges: Vec<Serves> = self.edges.iter().cloned().collect();
        remarks.extend(
            circles(&edges).into_iter().map(|circle| format!("{} serve each other in a circle", circle.join(" → "))),
        );
        if remarks.len() > MOST_REMARKS {
            let more = remarks.len() - MOST_REMARKS;
            remarks.truncate(MOST_REMARKS);
            remarks.push(format!("and {more} more"));
        }
        let roots = serving.iter().filter(|id| !served.contains_key(*id)).map(|id| (*id).to_owned()).collect();
        let ids: BTreeSet<&str> = self
            .objects
            .keys()
            .map(String::as_str)
            .chain(served.into_keys())
            .chain(serving)
            .chain(self.parts.keys().map(String::as_str))
            .collect();
        let object = |id: &str| {
            let known = self.objects.get(id);
            FacilityObject {
                id: id.to_owned(),
                name: known.map_or(id, |(_, name, _)| name).to_owned(),
                object_type: known.map(|(object, ..)| object.name().to_owned()),
                points: known.map_or(0, |(.., points)| *points),
                unwell: 0,
                parts: self.parts.get(id).cloned().unwrap_or_default(),
            }
        };
        Topology { objects: ids.into_iter().map(object).collect(), serves: edges, roots, remarks }
    }
}

/// A circle of each group of nodes that are in one, without walking deeper than the heap.
fn circles(edges: &[Serves]) -> Vec<Vec<String>> {
    let mut below: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for edge in edges {
        below.entry(&edge.from).or_default().push(&edge.to);
    }
    let (mut done, mut found) = (BTreeSet::new(), Vec::new());
    for start in below.keys().copied() {
        // The way down to here, and how many of each one's children were looked at.
        let mut way: Vec<(&str, usize)> = Vec::new();
        let mut on_way = BTreeSet::new();
        if done.insert(start) {
            way.push((start, 0));
            on_way.insert(start);
        }
        while let Some((at, looked)) = way.last_mut() {
            let Some(next) = below.get(*at).and_then(|below| below.get(*looked)).copied() else {
                on_way.remove(*at);
                way.pop();
                continue;
            };
            *looked += 1;
            if on_way.contains(next) {
                let from = way.iter().position(|(id, _)| *id == next).unwrap_or_default();
                found.push(way[from..].iter().map(|(id, _)| (*id).to_owned()).chain([next.to_owned()]).collect());
            } else if done.insert(next) {
                way.push((next, 0));
                on_way.insert(next);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::kind::PointType;
    use crate::exchange::point::Measure;
    use model::facility::{Medium, PointRole};
    use proptest::prelude::*;

    fn point(object: ObjectType, owner: Owner) -> Metadata {
        let (point, measure, role) = (PointType::GenericPoint, Measure::Plain, PointRole::Measured);
        Metadata { object, point, measure, owner, areas: vec![], role, phase: None, scope: None, integration: None }
    }

    fn meter(id: &str, serves: &[&str]) -> Metadata {
        let serves = serves.iter().map(|id| (*id).to_owned()).collect();
        point(ObjectType::PowerMeter, Owner::Named { id: id.into(), name: id.into(), serves })
    }

    fn rack(id: &str) -> Metadata {
        point(ObjectType::Rack, Owner::Rack { id: id.into(), name: format!("rack {id}") })
    }

    #[test]
    fn a_part_stands_beside_its_object_and_draws_no_edge() {
        let part = point(ObjectType::Breaker, Owner::Part { of: "bus".into() });
        let points = [meter("bus", &["r1"]), rack("r1"), part];
        let topology = Topology::of(points.iter());
        assert_eq!(topology.serves, [Serves { from: "bus".into(), to: "r1".into(), medium: Medium::Power }]);
        assert_eq!(topology.object("bus").unwrap().parts, BTreeMap::from([("Breaker".into(), 1)]));
        assert_eq!((topology.roots.as_slice(), topology.remarks.len()), (&["bus".to_owned()][..], 0));
    }

    #[test]
    fn every_way_to_a_rack_is_found() {
        let points = [meter("a", &["x", "y"]), meter("b", &["y"]), meter("x", &["r"]), meter("y", &["r"]), rack("r")];
        let topology = Topology::of(points.iter());
        assert_eq!(topology.paths_to("r"), [vec!["a", "x", "r"], vec!["a", "y", "r"], vec!["b", "y", "r"]]);
        assert_eq!(topology.children("a").count(), 2);
        assert_eq!(topology.parents("r").count(), 2);
    }

    #[test]
    fn what_does_not_add_up_is_told() {
        let points = [
            meter("a", &["b", "ghost", "rack r"]),
            meter("b", &["a"]),
            rack("r"),
            rack("b"),
            point(ObjectType::Valve, Owner::Part { of: "nowhere".into() }),
        ];
        assert_eq!(
            Topology::of(points.iter()).remarks,
            [
                "b is the id of a PowerMeter and of a Rack",
                "ghost is served by a, and no point describes it",
                "rack r is served by a, and is the name of r, not its id",
                "nowhere has a part (Valve), and no point describes it",
                "a → b → a serve each other in a circle",
            ]
        );
    }

    proptest! {
        #[test]
        fn law_any_graph_has_an_end(pairs in prop::collection::vec((0_u8..12, 0_u8..12), 0..60)) {
            let points: Vec<Metadata> =
                pairs.iter().map(|(from, to)| meter(&from.to_string(), &[&to.to_string()])).collect();
            let topology = Topology::of(points.iter());
            for object in &topology.objects {
                for path in topology.paths_to(&object.id) {
                    let once: BTreeSet<&String> = path.iter().collect();
                    prop_assert_eq!(once.len(), path.len());
                    prop_assert!(topology.roots.contains(&path[0]));
                }
            }
            let circle = topology.remarks.iter().any(|remark| remark.contains("circle"));
            prop_assert_eq!(circle, has_circle(&topology.serves));
        }
    }

    /// Takes away what serves nothing until nothing more goes: what is left is in a circle, or leads into one.
    fn has_circle(edges: &[Serves]) -> bool {
        let mut left: Vec<&Serves> = edges.iter().collect();
        loop {
            let serving: BTreeSet<&str> = left.iter().map(|edge| edge.from.as_str()).collect();
            let before = left.len();
            left.retain(|edge| serving.contains(edge.to.as_str()));
            if left.len() == before {
                return !left.is_empty();
            }
        }
    }
}
