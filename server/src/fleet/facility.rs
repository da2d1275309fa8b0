//! The building beside the fleet: what its buses tell, the points that were asked for, and whether both sides mean the
//! same racks.
//!
//! Never: waits for a bus. It shows what each source has drawn last, and says when that was.

use super::{Fleet, lock, plan};
use crate::clock;
use model::facility::{FacilityQuery, FacilityRack, FacilityView, ItRack, PointHealth};
use std::sync::Arc;
use telemetry::exchange::ExchangeView;
use telemetry::exchange::facility::view::{Described, LastRead};
use telemetry::exchange::point::{Metadata, Owner};
use telemetry::exchange::reconcile::reconcile;

/// The most points that are shown at once.
pub const POINTS_MAX: u32 = 5_000;

impl Fleet {
    /// What the buildings tell, and how their racks compare with those that are seen.
    pub fn facility(&self, query: &FacilityQuery) -> FacilityView {
        let buildings: Vec<(&str, Arc<ExchangeView>)> =
            self.buildings.iter().map(|(source, view)| (source.as_str(), Arc::clone(&view.borrow()))).collect();
        let racks = plan::live_racks(&self.now());
        let plan = lock(&self.plan);
        let position = |label: &str| plan.as_ref().and_then(|plan| plan.racks.get(label).cloned());
        let it: Vec<ItRack> =
            racks.into_iter().map(|(label, _)| ItRack { position: position(&label), label }).collect();
        drop(plan);
        facility(clock::now_ms(), &buildings, &it, query)
    }
}

/// The page of these buildings. It is as old as the oldest of what they drew.
fn facility(
    now_ms: i64,
    buildings: &[(&str, Arc<ExchangeView>)],
    it: &[ItRack],
    query: &FacilityQuery,
) -> FacilityView {
    let asked = Asked::of(query);
    let mut found: Vec<Found<'_>> = buildings
        .iter()
        .flat_map(|(source, view)| view.each().map(|(point, read)| Found { source, point, read }))
        .filter(|found| asked.takes(found.point))
        .collect();
    let most = query.limit.min(POINTS_MAX) as usize;
    let more = found.len().saturating_sub(most) as u32;
    if more > 0 {
        // Only those that are shown need to be in order.
        found.select_nth_unstable_by(most, |left, right| left.rank().cmp(&right.rank()));
        found.truncate(most);
    }
    found.sort_unstable_by(|left, right| left.rank().cmp(&right.rank()));
    let racks: Vec<FacilityRack> = buildings.iter().flat_map(|(_, view)| view.racks.iter().cloned()).collect();
    FacilityView {
        as_of_ms: buildings.iter().filter_map(|(_, view)| view.drawn_ms).min().unwrap_or(now_ms),
        buildings: buildings.iter().map(|(source, view)| view.building(source)).collect(),
        points: found.iter().map(|found| found.point.shown(found.source, found.read)).collect(),
        more,
        racks: reconcile(&racks, it),
    }
}

/// A point that was asked for.
struct Found<'a> {
    source: &'a str,
    point: &'a Described,
    read: &'a LastRead,
}

impl<'a> Found<'a> {
    /// The worst first, then by path.
    fn rank(&self) -> (PointHealth, &'a str, &'a str) {
        (self.read.health, &self.point.tag, self.source)
    }
}

/// Which points are asked for.
struct Asked<'a> {
    object: Option<&'a str>,
    /// In lower case.
    text: Option<String>,
}

impl<'a> Asked<'a> {
    fn of(query: &'a FacilityQuery) -> Self {
        let some = |text: &'a Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        Self { object: some(&query.object), text: some(&query.text).map(str::to_lowercase) }
    }

    fn takes(&self, point: &Described) -> bool {
        let metadata = &point.metadata;
        self.object.is_none_or(|id| metadata.owner.id() == id)
            && self.text.as_deref().is_none_or(|text| says(&point.tag, metadata, text))
    }
}

/// Whether a point has that text in its path, its kind or its object's name.
fn says(tag: &str, metadata: &Metadata, text: &str) -> bool {
    let name = match &metadata.owner {
        Owner::Rack { name, .. } | Owner::Named { name, .. } => name.as_str(),
        Owner::Part { .. } => "",
    };
    let all = [tag, metadata.point.name(), metadata.object.name(), metadata.owner.id(), name];
    all.into_iter().any(|whole| has(whole, text))
}

/// Whether a text has another in it, which is in lower case. There may be a hundred thousand to look through: the usual
/// ones are not copied for it.
fn has(whole: &str, text: &str) -> bool {
    if !whole.is_ascii() {
        return whole.to_lowercase().contains(text);
    }
    whole.as_bytes().windows(text.len().max(1)).any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::facility::{JoinedBy, RackDifference, Telling};
    use model::metric::Unit;
    use telemetry::bus::{Message, Retain};
    use telemetry::exchange::facility::{Facility, STALE_MS, Settings};

    const T0: i64 = 1_743_620_423_000;

    /// A building that was told these points (object, kind, path, the rest of the metadata) and values (quality after it).
    struct Told(Facility);

    impl Told {
        fn new() -> Self {
            let mut facility = Facility::new(Settings { source: "bms".into(), ..Settings::default() });
            facility.connected(T0);
            Self(facility)
        }

        fn send(&mut self, topic: String, payload: &str, now_ms: i64) {
            let applied = self.0.apply(&Message { topic, payload: payload.into(), retain: Retain::Passing }, now_ms);
            assert_eq!(applied.remarks, Vec::<String>::new());
        }

        fn point(mut self, kind: &str, rest: &str) -> Self {
            let mut levels = kind.split('/');
            let (object, point) = (levels.next().unwrap(), levels.next().unwrap());
            let payload = format!(r#"{{"objectType":"{object}","pointType":"{point}",{rest}}}"#);
            self.send(format!("BMS/v1/PUB/Metadata/{kind}"), &payload, T0);
            self
        }

        fn value(mut self, kind: &str, value: f64, quality: u32, at_ms: i64) -> Self {
            let payload = format!(r#"{{"value":{value},"timestamp":{at_ms},"quality":{quality}}}"#);
            self.send(format!("BMS/v1/PUB/Value/{kind}"), &payload, at_ms);
            self
        }

        fn seen(mut self, now_ms: i64) -> Arc<ExchangeView> {
            self.0.tick(now_ms);
            Arc::new(self.0.view(now_ms, &ExchangeView::default()))
        }
    }

    fn rack(id: &str) -> String {
        format!(r#""engUnit":"kW","rackLocationId":"{id}","rackLocationName":"{id}""#)
    }

    /// Two racks, a pump's flow, and a valve that is a part of the pump's object.
    fn hall() -> Arc<ExchangeView> {
        let later = T0 + STALE_MS + 10_000;
        Told::new()
            .point("Rack/RackPower/hall/a1/power", &rack("A1"))
            .point("Rack/RackPower/hall/a2/power", &rack("A2"))
            .point(
                "CDU/LiquidFlow/hall/cdu/flow",
                r#""engUnit":"LPM","objectId":"CDU-5","objectName":"Fünf","servesId":["A1"]"#,
            )
            .point("Valve/ValvePosition/hall/cdu/valve", r#""engUnit":"%","associateId":"CDU-5""#)
            .value("CDU/LiquidFlow/hall/cdu/flow", 60.0, 1, T0)
            .value("Rack/RackPower/hall/a1/power", 12.5, 1, later)
            .value("Valve/ValvePosition/hall/cdu/valve", 50.0, 0, later)
            .seen(later)
    }

    fn asked(object: Option<&str>, text: Option<&str>, limit: u32) -> FacilityView {
        let query = FacilityQuery { object: object.map(Into::into), text: text.map(Into::into), limit };
        facility(T0, &[("bms", hall())], &[], &query)
    }

    fn tags(view: &FacilityView) -> Vec<&str> {
        view.points.iter().map(|point| point.tag.as_str()).collect()
    }

    #[test]
    fn what_is_not_well_comes_first_and_the_rest_by_its_path() {
        let view = asked(None, None, 10);
        let how: Vec<(PointHealth, &str)> =
            view.points.iter().map(|point| (point.health, point.tag.as_str())).collect();
        assert_eq!(
            how,
            [
                (PointHealth::Bad, "hall/cdu/valve"),
                (PointHealth::Stale, "hall/cdu/flow"),
                (PointHealth::Silent, "hall/a2/power"),
                (PointHealth::Fresh, "hall/a1/power"),
            ]
        );
        let power = &view.points[3];
        assert_eq!((power.value, power.unit, power.written.as_str()), (Some(12_500.0), Unit::Watt, "kW"));
        assert_eq!((view.points[0].value, view.points[1].value), (None, Some(1e-3)));
        assert_eq!((view.as_of_ms, view.more), (T0 + STALE_MS + 10_000, 0));
    }

    #[test]
    fn points_are_found_by_object_and_by_text() {
        assert_eq!(tags(&asked(Some("CDU-5"), None, 10)), ["hall/cdu/valve", "hall/cdu/flow"]);
        assert_eq!(tags(&asked(Some("CDU-5"), Some("VALVE"), 10)), ["hall/cdu/valve"]);
        assert_eq!(tags(&asked(Some("CDU"), None, 10)), Vec::<&str>::new());
        for (text, found) in [
            ("A1/", &["hall/a1/power"][..]),
            ("rackpower", &["hall/a2/power", "hall/a1/power"]),
            ("cdu-5", &["hall/cdu/valve", "hall/cdu/flow"]),
            ("FÜNF", &["hall/cdu/flow"]),
            (" flow ", &["hall/cdu/flow"]),
            ("ü", &["hall/cdu/flow"]),
            ("nothing", &[]),
        ] {
            assert_eq!(tags(&asked(None, Some(text), 10)), found, "{text}");
        }
        assert_eq!(asked(Some(" "), Some(""), 10).points.len(), 4);
    }

    #[test]
    fn more_than_the_limit_are_counted() {
        let view = asked(None, None, 2);
        assert_eq!((tags(&view), view.more), (vec!["hall/cdu/valve", "hall/cdu/flow"], 2));
        assert_eq!((asked(None, None, 0).more, asked(None, Some("a2"), 0).more), (4, 1));
        let mut many = Told::new();
        for n in 0..=POINTS_MAX {
            many = many.point(&format!("Rack/RackPower/{n:05}"), &rack(&format!("R{n}")));
        }
        let query = FacilityQuery { limit: u32::MAX, ..FacilityQuery::default() };
        let view = facility(T0, &[("bms", many.seen(T0))], &[], &query);
        assert_eq!((view.points.len(), view.more), (POINTS_MAX as usize, 1));
    }

    #[test]
    fn each_bus_has_its_building() {
        let query = FacilityQuery { limit: 10, ..FacilityQuery::default() };
        let view = facility(T0, &[("south", hall()), ("north", Arc::default())], &[], &query);
        let [south, north] = &view.buildings[..] else { panic!("{:?}", view.buildings) };
        assert_eq!((south.source.as_str(), south.counts.points, south.serves.len()), ("south", 4, 1));
        assert_eq!((&north.telling, north.objects.len()), (&Telling::Waiting, 0));
        let unwell: Vec<(&str, u32)> = south.objects.iter().map(|object| (object.id.as_str(), object.unwell)).collect();
        assert_eq!(unwell, [("A1", 0), ("A2", 0), ("CDU-5", 1)]);
        assert!(view.points.iter().all(|point| point.source == "south"));
        let none = facility(T0, &[], &[], &query);
        assert_eq!(none, FacilityView { as_of_ms: T0, ..FacilityView::default() });
    }

    #[test]
    fn racks_are_held_against_those_that_are_seen() {
        let it = [
            ItRack { label: "gpu-7".into(), position: Some("A1".into()) },
            ItRack { label: "a-02".into(), position: None },
        ];
        let racks = facility(T0, &[("bms", hall())], &it, &FacilityQuery::default()).racks;
        assert_eq!((racks.matched.len(), racks.matched[0].by), (1, JoinedBy::Position));
        assert_eq!((racks.near.len(), racks.near[0].how), (1, RackDifference::Writing));
        assert_eq!((racks.only_facility.len(), racks.only_it.len()), (1, 1));
    }
}
