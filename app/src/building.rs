//! The building in words: whether it still tells, what serves what as a tree, what a point reads, which racks are whose.
//! Plain functions, so that components only pick and show.

use crate::format::{self, Units};
use model::facility::{
    Building, FacilityPoint, FacilityView, JoinedBy, Medium, PointHealth, RackDifference, Reconciliation, Serves,
    Telling,
};
use model::metric::Unit;
use model::note::Severity;
use std::collections::BTreeSet;

/// Lines of a tree at most: more are read by no one, and points are found by their text.
pub const LINES_MAX: usize = 1_000;

/// How a building's telling is: how grave, a word, and a sentence with what to do.
pub fn telling(building: &Building, at_ms: i64) -> (Option<Severity>, &'static str, String) {
    let since =
        |since_ms: i64| format!("since {} ({})", format::moment_to_second(since_ms), format::ago(at_ms - since_ms));
    match &building.telling {
        Telling::Fine => (None, "tells", "Values come, and its heart beats.".into()),
        Telling::Waiting => (
            Some(Severity::Note),
            "waiting",
            "Nothing has come yet. Look on the page of sources whether the broker answers.".into(),
        ),
        Telling::Offline { since_ms, whose } => (
            Some(Severity::Error),
            "heart stopped",
            format!(
                "The heartbeat of {whose} stopped {}: what it tells is old, whatever its values say. Ask whoever runs the building management system.",
                since(*since_ms)
            ),
        ),
        Telling::Silent { since_ms } => (
            Some(Severity::Error),
            "silent",
            format!(
                "No value came {}, though the broker answers. Ask whoever runs the building management system.",
                since(*since_ms)
            ),
        ),
    }
}

/// How the points are, in a sentence.
pub fn points_finding(building: &Building) -> String {
    let counts = &building.counts;
    let stale = match counts.stale {
        0 => "none of them is stale".to_owned(),
        1 => "1 of them is stale".to_owned(),
        many => format!("{} of them are stale", format::count(many)),
    };
    let refused = if counts.refused > 0 {
        format!("; {} messages were refused", format::many(counts.refused))
    } else {
        String::new()
    };
    let waiting = if counts.waiting > 0 {
        format!("; {} values wait for their metadata", format::count(counts.waiting))
    } else {
        String::new()
    };
    format!("{}; {stale}{refused}{waiting}.", format::things(counts.points, "point", "points"))
}

/// A line of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How deep it stands, from 0.
    pub depth: u32,
    /// The object's id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its kind; empty where no point says.
    pub kind: String,
    /// Its points, those of its parts among them.
    pub points: u32,
    /// Of them, those that are not well.
    pub unwell: u32,
    /// Whether what it serves stands above already: it is served from several sides.
    pub above: Shown,
}

/// Whether what an object serves stands beneath its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Here.
    Here,
    /// At another line above.
    Above,
}

/// Which flows a tree is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Electric power.
    Power,
    /// Water, coolant, air, and what no kind says.
    Fluid,
}

impl Flow {
    fn carries(self, serves: &Serves) -> bool {
        match serves.medium {
            Medium::Power => self == Self::Power,
            Medium::Liquid | Medium::Air | Medium::Other => self == Self::Fluid,
        }
    }
}

/// What serves what, as lines of a tree, and how many lines were left out. What is served from several sides stands beneath
/// the first of them in full, and beneath the others by name.
pub fn tree(building: &Building, flow: Flow) -> (Vec<Line>, u32) {
    let serves: Vec<&Serves> = building.serves.iter().filter(|serves| flow.carries(serves)).collect();
    let served: BTreeSet<&str> = serves.iter().map(|serves| serves.to.as_str()).collect();
    let serving: BTreeSet<&str> = serves.iter().map(|serves| serves.from.as_str()).collect();
    let mut open: Vec<(&str, u32)> =
        serving.iter().rev().filter(|id| !served.contains(*id)).map(|id| (*id, 0)).collect();
    let (mut seen, mut lines, mut left) = (BTreeSet::new(), Vec::new(), 0_u32);
    while let Some((id, depth)) = open.pop() {
        let first = seen.insert(id);
        let children = || serves.iter().filter(|serves| serves.from == id);
        if first {
            open.extend(children().rev().map(|serves| (serves.to.as_str(), depth + 1)));
        }
        if lines.len() >= LINES_MAX {
            left += 1;
            continue;
        }
        let above = if first || children().next().is_none() { Shown::Here } else { Shown::Above };
        lines.push(line(building, id, depth, above));
    }
    (lines, left)
}

fn line(building: &Building, id: &str, depth: u32, above: Shown) -> Line {
    let object = building.objects.iter().find(|object| object.id == id);
    Line {
        depth,
        id: id.to_owned(),
        name: object.map_or_else(|| id.to_owned(), |object| object.name.clone()),
        kind: object.and_then(|object| object.object_type.clone()).unwrap_or_default(),
        points: object.map_or(0, |object| object.points + object.parts.values().sum::<u32>()),
        unwell: object.map_or(0, |object| object.unwell),
        above,
    }
}

/// What a tree shows, in a sentence.
pub fn tree_finding(lines: &[Line], flow: Flow) -> String {
    let what = match flow {
        Flow::Power => "Power",
        Flow::Fluid => "Water and air",
    };
    let roots = lines.iter().filter(|line| line.depth == 0).count() as u32;
    let objects: BTreeSet<&str> = lines.iter().map(|line| line.id.as_str()).collect();
    let unwell: BTreeSet<&str> = lines.iter().filter(|line| line.unwell > 0).map(|line| line.id.as_str()).collect();
    let unwell = match unwell.len() as u32 {
        0 => String::new(),
        many => format!(", {} with points that are not well", format::count(many)),
    };
    let objects = format::things(objects.len() as u32, "object", "objects");
    format!("{what}: {objects} from {}{unwell}.", format::things(roots, "root", "roots"))
}

/// What a point reads, in the reader's units.
pub fn reads(point: &FacilityPoint, units: Units) -> String {
    match (&point.state, point.value) {
        // A heart tells its own time, in seconds or milliseconds since 1970: of our days they are far apart.
        (_, Some(value)) if point.point_type.starts_with("Heartbeat") && value >= 1e9 => {
            let ms = if value >= 1e11 { value } else { value * 1e3 };
            format::moment_to_second(ms as i64)
        }
        (Some(state), _) => state.clone(),
        (None, None) => format::MISSING.into(),
        (None, Some(value)) if point.unit == Unit::Other => {
            format!("{} {}", format::measured(units, point.unit, value), point.written).trim_end().to_owned()
        }
        (None, Some(value)) => format::measured(units, point.unit, value).to_string(),
    }
}

/// How a point is: how grave, a word, and why.
pub fn health(point: &FacilityPoint, at_ms: i64) -> (Option<Severity>, &'static str, String) {
    let age = point.at_ms.map_or_else(String::new, |then| format::ago(at_ms - then));
    match point.health {
        PointHealth::Fresh => (None, "fresh", age),
        PointHealth::Stale => (Some(Severity::Warning), "stale", format!("last {age}")),
        PointHealth::Bad => {
            (Some(Severity::Error), "bad", format!("the building says that it can't be trusted ({age})"))
        }
        PointHealth::Silent => (Some(Severity::Note), "silent", "no value came yet".into()),
    }
}

/// How the racks of both sides agree, in a sentence.
pub fn racks_finding(racks: &Reconciliation) -> String {
    let count = |many: usize| format::count(many as u32).to_string();
    let facility = racks.matched.len() + racks.only_facility.len();
    let it = racks.matched.len() + racks.only_it.len();
    if facility == 0 && it == 0 {
        return "Neither the building nor the IT side names a rack.".into();
    }
    if racks.only_facility.is_empty() && racks.only_it.is_empty() {
        return format!("Both sides mean the same {}.", format::things(facility as u32, "rack", "racks"));
    }
    format!(
        "{} of the building's {} and of the IT side's {} racks are the same; {} a person.",
        count(racks.matched.len()),
        count(facility),
        count(it),
        format::things(racks.near.len() as u32, "name is alike and needs", "names are alike and need")
    )
}

/// By what two racks were joined.
pub fn joined(by: JoinedBy) -> &'static str {
    match by {
        JoinedBy::Id => "the building's id is the label",
        JoinedBy::Name => "the building's name is the label",
        JoinedBy::Position => "the building's id or name is the position in the design",
    }
}

/// How two names differ.
pub fn difference(how: RackDifference) -> &'static str {
    match how {
        RackDifference::Writing => "in case, dashes or leading zeros",
        RackDifference::Prefix => "one says more in front",
        RackDifference::Spelling => "in one or two letters",
    }
}

/// Whether nothing of a building is known at all.
pub fn is_empty(view: &FacilityView) -> bool {
    view.buildings.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::facility::{ExchangeCounts, FacilityObject};

    fn serves(from: &str, to: &str, medium: Medium) -> Serves {
        Serves { from: from.into(), to: to.into(), medium }
    }

    fn building(serves: Vec<Serves>) -> Building {
        let object = |id: &str, unwell| FacilityObject {
            id: id.into(),
            name: format!("the {id}"),
            object_type: Some("UPS".into()),
            points: 2,
            unwell,
            parts: [("Pump".to_owned(), 3)].into(),
        };
        Building {
            source: "bus".into(),
            telling: Telling::Fine,
            heartbeats: Vec::new(),
            counts: ExchangeCounts { points: 12, stale: 1, refused: 2, ..ExchangeCounts::default() },
            objects: vec![object("a", 0), object("b", 1)],
            serves,
            roots: vec!["a".into()],
            remarks: Vec::new(),
        }
    }

    #[test]
    fn what_is_served_from_both_sides_stands_in_full_once() {
        let power = |from, to| serves(from, to, Medium::Power);
        let all = vec![
            power("a", "b"),
            power("a", "c"),
            power("b", "d"),
            power("c", "d"),
            power("d", "e"),
            serves("x", "d", Medium::Liquid),
        ];
        let (lines, left) = tree(&building(all), Flow::Power);
        let seen: Vec<(u32, &str, Shown)> =
            lines.iter().map(|line| (line.depth, line.id.as_str(), line.above)).collect();
        let here = Shown::Here;
        assert_eq!(
            seen,
            [(0, "a", here), (1, "b", here), (2, "d", here), (3, "e", here), (1, "c", here), (2, "d", Shown::Above)]
        );
        assert_eq!((left, lines[0].points), (0, 5));
        assert_eq!(tree_finding(&lines, Flow::Power), "Power: 5 objects from 1 root, 1 with points that are not well.");
        let (fluid, _) = tree(&building(vec![serves("x", "d", Medium::Air)]), Flow::Fluid);
        assert_eq!(fluid.len(), 2);
    }

    #[test]
    fn a_circle_has_an_end() {
        let power = |from, to| serves(from, to, Medium::Power);
        let (lines, _) = tree(&building(vec![power("r", "a"), power("a", "b"), power("b", "a")]), Flow::Power);
        assert_eq!(lines.len(), 4);
        let (nothing, _) = tree(&building(vec![power("a", "b"), power("b", "a")]), Flow::Power);
        assert!(nothing.is_empty(), "the building's remarks tell of it");
        assert_eq!(points_finding(&building(vec![])), "12 points; 1 of them is stale; 2 messages were refused.");
    }
}
