//! Whether the facility and the IT side mean the same racks: without that, a leak isolates the wrong rack or none.
//!
//! Never: joins two names that are only alike. A near miss is shown with what would mend it, and a person decides. Names
//! that differ in a number are two racks, however alike they look.

use model::facility::{FacilityRack, ItRack, JoinedBy, RackDifference, RackMatch, RackNearMiss, Reconciliation};
use std::collections::{BTreeMap, BTreeSet};

/// How far the letters of two names may differ to be shown as alike.
const MOST_EDITS: usize = 2;
/// The most pairs that are compared letter by letter.
const MOST_PAIRS: usize = 2_000_000;
/// The longest name that is compared letter by letter, characters.
const LONGEST: usize = 64;

/// Compares the racks of both sides.
pub fn reconcile(facility: &[FacilityRack], it: &[ItRack]) -> Reconciliation {
    let mut out = Reconciliation::default();
    let mut ours: BTreeSet<&FacilityRack> = facility.iter().collect();
    let mut theirs: BTreeSet<&ItRack> = it.iter().collect();
    twice(facility.iter().map(|rack| rack.id.as_str()), "facility", &mut out.remarks);
    twice(it.iter().map(|rack| rack.label.as_str()), "IT side", &mut out.remarks);
    for by in [JoinedBy::Id, JoinedBy::Name, JoinedBy::Position] {
        let key = |rack: &FacilityRack| if by == JoinedBy::Name { rack.name.clone() } else { rack.id.clone() };
        let label = |rack: &ItRack| match by {
            JoinedBy::Id | JoinedBy::Name => Some(rack.label.clone()),
            JoinedBy::Position => rack.position.clone(),
        };
        let mut by_label: BTreeMap<String, &ItRack> = BTreeMap::new();
        for rack in &theirs {
            label(rack).map(|label| by_label.entry(label).or_insert(rack));
        }
        for rack in ours.clone() {
            let also = (by == JoinedBy::Position).then(|| rack.name.clone());
            let found = by_label.remove(&key(rack)).or_else(|| by_label.remove(&also?));
            if let Some(it) = found {
                ours.remove(rack);
                theirs.remove(it);
                out.matched.push(RackMatch { facility: rack.clone(), it: it.clone(), by });
            }
        }
    }
    out.matched.sort_by(|left, right| left.facility.cmp(&right.facility));
    out.near = near(&ours, &theirs);
    out.only_facility = ours.into_iter().cloned().collect();
    out.only_it = theirs.into_iter().cloned().collect();
    out
}

fn twice<'a>(names: impl Iterator<Item = &'a str>, side: &str, remarks: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    let again: BTreeSet<&str> = names.filter(|name| !seen.insert(*name)).collect();
    remarks.extend(again.into_iter().map(|name| format!("{name:?} stands for more than one rack of the {side}")));
}

/// Pairs that are alike, the most alike first, and each rack in one at most.
fn near(ours: &BTreeSet<&FacilityRack>, theirs: &BTreeSet<&ItRack>) -> Vec<RackNearMiss> {
    let names =
        |rack: &ItRack| [Some(rack.label.clone()), rack.position.clone()].into_iter().flatten().collect::<Vec<_>>();
    // Racks can be alike only where the numbers of one end as the other's do: the last number parts them into groups.
    let mut groups: BTreeMap<Option<String>, Vec<(Parts, &ItRack)>> = BTreeMap::new();
    for rack in theirs {
        for parts in names(rack).iter().map(|name| Parts::of(name)) {
            groups.entry(parts.last_number()).or_default().push((parts, rack));
        }
    }
    let mut pairs = Vec::new();
    let mut left = MOST_PAIRS;
    for rack in ours {
        for parts in [&rack.id, &rack.name].map(|name| Parts::of(name)) {
            let group = groups.get(&parts.last_number()).map(Vec::as_slice).unwrap_or_default();
            let group = &group[..group.len().min(left)];
            left -= group.len();
            pairs.extend(group.iter().filter_map(|(other, it)| Some((parts.differ(other)?, *rack, *it))));
        }
    }
    pairs.sort();
    pairs.dedup();
    let (mut our_done, mut their_done) = (BTreeSet::new(), BTreeSet::new());
    let mut out = Vec::new();
    for ((how, edits), facility, it) in pairs {
        if our_done.contains(facility) || their_done.contains(it) {
            continue;
        }
        our_done.insert(facility);
        their_done.insert(it);
        let differ = match how {
            RackDifference::Writing => "differ in writing only".to_owned(),
            RackDifference::Prefix => "end alike, and one says more in front".to_owned(),
            RackDifference::Spelling => format!("differ in {edits} letter{}", if edits == 1 { "" } else { "s" }),
        };
        let suggestion =
            format!("{:?} and {:?} {differ}: if they are one rack, label it {:?}", facility.id, it.label, facility.id);
        out.push(RackNearMiss { facility: facility.clone(), it: it.clone(), how, suggestion });
    }
    out
}

/// A name as its runs of letters and of digits, without case, dashes and leading zeros.
#[derive(Debug, PartialEq, Eq)]
struct Parts(Vec<String>);

impl Parts {
    fn of(name: &str) -> Self {
        let mut parts: Vec<String> = Vec::new();
        let mut apart = true;
        for c in name.chars().take(LONGEST).flat_map(char::to_lowercase) {
            if !c.is_alphanumeric() {
                apart = true;
                continue;
            }
            match parts.last_mut().filter(|_| !apart) {
                Some(part) if part.ends_with(|last: char| last.is_ascii_digit()) == c.is_ascii_digit() => part.push(c),
                Some(_) | None => parts.push(c.to_string()),
            }
            apart = false;
        }
        for part in &mut parts {
            let short = part.trim_start_matches('0');
            *part = if short.is_empty() { "0".to_owned() } else { short.to_owned() };
        }
        Self(parts)
    }

    fn numbers(&self) -> impl DoubleEndedIterator<Item = &String> {
        self.0.iter().filter(|part| part.starts_with(|c: char| c.is_ascii_digit()))
    }

    fn last_number(&self) -> Option<String> {
        self.numbers().next_back().cloned()
    }

    /// How two names differ where they may be one, and in how many letters.
    fn differ(&self, other: &Self) -> Option<(RackDifference, usize)> {
        let joined = |parts: &[String]| parts.concat();
        let alike = self.numbers().eq(other.numbers());
        if self.0.is_empty() || other.0.is_empty() {
            return None;
        }
        if alike && joined(&self.0) == joined(&other.0) {
            return Some((RackDifference::Writing, 0));
        }
        let (short, long) = if self.0.len() < other.0.len() { (&self.0, &other.0) } else { (&other.0, &self.0) };
        // An end that is one number alone could be any rack's.
        if long.ends_with(short) && short.len() > 1 {
            return Some((RackDifference::Prefix, long.len() - short.len()));
        }
        let mut edits = 0;
        for (left, right) in self.0.iter().zip(&other.0).filter(|(left, right)| left != right) {
            // A letter or two are a row or a hall: others are another place.
            let word = |part: &String| part.len() > 2 && !part.starts_with(|c: char| c.is_ascii_digit());
            if !word(left) || !word(right) {
                return None;
            }
            edits += self::edits(left, right);
        }
        let edits = if self.0.len() == other.0.len() { edits } else { 0 };
        (1..=MOST_EDITS).contains(&edits).then_some((RackDifference::Spelling, edits))
    }
}

/// How many letters must be added, taken away or changed to make one of the other.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let change = corner + usize::from(l != *r);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facility(names: &[(&str, &str)]) -> Vec<FacilityRack> {
        names.iter().map(|(id, name)| FacilityRack { id: (*id).into(), name: (*name).into() }).collect()
    }

    fn it(names: &[(&str, Option<&str>)]) -> Vec<ItRack> {
        names.iter().map(|(label, at)| ItRack { label: (*label).into(), position: at.map(Into::into) }).collect()
    }

    #[test]
    fn racks_are_joined_by_id_then_name_then_position() {
        let ours = facility(&[("id-1", "A01"), ("id-2", "A02"), ("id-3", "A03")]);
        let theirs = it(&[("id-1", None), ("A02", None), ("gpu-rack-7", Some("A03"))]);
        let out = reconcile(&ours, &theirs);
        let by: Vec<JoinedBy> = out.matched.iter().map(|found| found.by).collect();
        assert_eq!(by, [JoinedBy::Id, JoinedBy::Name, JoinedBy::Position]);
        assert!(out.near.is_empty() && out.only_facility.is_empty() && out.only_it.is_empty());
    }

    #[test]
    fn near_misses_are_shown_and_not_joined() {
        let how = |ours: &str, theirs: &str| {
            let out = reconcile(&facility(&[(ours, ours)]), &it(&[(theirs, None)]));
            assert!(out.matched.is_empty() && out.only_facility.len() == 1 && out.only_it.len() == 1);
            out.near.first().map(|near| near.how)
        };
        for (ours, theirs, difference) in [
            ("Pod1C-E02", "pod1c_e2", Some(RackDifference::Writing)),
            ("RACK-007", "rack 7", Some(RackDifference::Writing)),
            ("Pod1C-E02", "E02", Some(RackDifference::Prefix)),
            ("Hall-A-07", "Hal-A-07", Some(RackDifference::Spelling)),
            // These are two racks.
            ("Pod1C-E02", "Pod1C-E03", None),
            ("Pod1C-E02", "Pod1C-F02", None),
            ("rack-12", "rack-21", None),
            ("A1", "B1", None),
            ("row-2-rack-07", "7", None),
        ] {
            assert_eq!(how(ours, theirs), difference, "{ours} and {theirs}");
        }
    }

    #[test]
    fn the_most_alike_is_suggested_and_each_rack_once() {
        let out = reconcile(&facility(&[("Pod1-E01", "Pod1-E01")]), &it(&[("E01", None), ("pod1-e1", None)]));
        assert_eq!(out.near.len(), 1);
        assert_eq!(
            out.near[0].suggestion,
            r#""Pod1-E01" and "pod1-e1" differ in writing only: if they are one rack, label it "Pod1-E01""#
        );
    }

    #[test]
    fn a_name_of_two_racks_is_told() {
        let out = reconcile(&facility(&[("a", "x"), ("a", "y")]), &it(&[("b", None), ("b", Some("p"))]));
        assert_eq!(
            out.remarks,
            [
                r#""a" stands for more than one rack of the facility"#,
                r#""b" stands for more than one rack of the IT side"#
            ]
        );
    }

    proptest! {
        #[test]
        fn law_every_rack_is_matched_or_left(
            ours in prop::collection::btree_set("[aA]-?0?[1-3]", 0..6),
            theirs in prop::collection::btree_set("[aA]-?0?[1-3]", 0..6),
        ) {
            let facility: Vec<_> = ours.iter().map(|id| FacilityRack { id: id.clone(), name: id.clone() }).collect();
            let it: Vec<_> = theirs.iter().map(|id| ItRack { label: id.clone(), position: None }).collect();
            let out = reconcile(&facility, &it);
            prop_assert_eq!(out.matched.len(), ours.intersection(&theirs).count());
            prop_assert_eq!(out.matched.len() + out.only_facility.len(), facility.len());
            prop_assert_eq!(out.matched.len() + out.only_it.len(), it.len());
            for near in &out.near {
                prop_assert!(out.only_facility.contains(&near.facility) && out.only_it.contains(&near.it));
            }
        }

        #[test]
        fn law_edits_are_a_distance(a in "[ab]{0,6}", b in "[ab]{0,6}", c in "[ab]{0,6}") {
            prop_assert_eq!(edits(&a, &b), edits(&b, &a));
            prop_assert_eq!(edits(&a, &b) == 0, a == b);
            prop_assert!(edits(&a, &c) <= edits(&a, &b) + edits(&b, &c));
        }
    }
}
