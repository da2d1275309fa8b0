//! Two changes to one text, brought together line by line, as `diff3` does it.
//!
//! A change is a run of base lines replaced by other lines. Changes to different lines go together, even to neighbouring
//! ones; changes that overlap, or that insert where the other side changed, are a conflict unless they are the same.

use model::version::{Merge, MergeConflict};
use std::ops::Range;

/// Most lines that the search for the fewest changes may add and drop: its memory grows with the square, here to 8 MB.
/// Texts that differ by more are taken as changed as a whole, between their first and last difference.
const EDITS_MAX: usize = 1_000;

/// Brings `theirs` and `yours`, both made from `base`, together.
pub fn merge(base: &str, theirs: &str, yours: &str) -> Merge {
    let [base, theirs, yours] = [base, theirs, yours].map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    let mut sides = [Side::new(&base, &theirs), Side::new(&base, &yours)];
    let (mut text, mut places, mut at) = (String::new(), Vec::new(), 0);
    while let Some(region) = next_region(&mut sides) {
        text.extend(base[at..region.start].iter().copied());
        let was = base[region.clone()].concat();
        let [their, your] = sides.each_mut().map(|side| side.take(&base, &region));
        if their == your || your == was {
            text.push_str(&their);
        } else if their == was {
            text.push_str(&your);
        } else {
            places.push(MergeConflict { line: region.start as u32 + 1, base: was, theirs: their, yours: your });
        }
        at = region.end;
    }
    text.extend(base[at..].iter().copied());
    if places.is_empty() { Merge::Clean { text } } else { Merge::Conflicts { places } }
}

/// Lines of the base, and what stands in their place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    old: Range<usize>,
    new: Range<usize>,
}

/// One changed text, and how far it is read.
struct Side<'a> {
    lines: &'a [&'a str],
    changes: Vec<Change>,
    /// Changes that are in the text already.
    done: usize,
    /// Changes that belong to the region under way.
    upto: usize,
}

impl<'a> Side<'a> {
    fn new(base: &[&str], lines: &'a [&'a str]) -> Self {
        Self { lines, changes: changes(base, lines), done: 0, upto: 0 }
    }
    fn next(&self) -> Option<&Range<usize>> {
        self.changes.get(self.upto).map(|change| &change.old)
    }
    /// The lines of a region as this side has them.
    fn take(&mut self, base: &[&str], region: &Range<usize>) -> String {
        let (mut text, mut at) = (String::new(), region.start);
        for change in &self.changes[self.done..self.upto] {
            text.extend(base[at..change.old.start].iter().copied());
            text.extend(self.lines[change.new.clone()].iter().copied());
            at = change.old.end;
        }
        text.extend(base[at..region.end].iter().copied());
        self.done = self.upto;
        text
    }
}

/// The next lines of the base that changes of either side reach, with every change that meets them.
fn next_region(sides: &mut [Side<'_>; 2]) -> Option<Range<usize>> {
    let first = sides.iter().filter_map(Side::next).min_by_key(|old| (old.start, old.end))?;
    let mut region = first.clone();
    loop {
        let before = sides.each_ref().map(|side| side.upto);
        for side in &mut *sides {
            while let Some(old) = side.next().filter(|old| meet(old, &region)) {
                region = region.start.min(old.start)..region.end.max(old.end);
                side.upto += 1;
            }
        }
        if sides.each_ref().map(|side| side.upto) == before {
            return Some(region);
        }
    }
}

/// Whether two changes touch the same lines; an insertion touches what is on either side of it.
fn meet(a: &Range<usize>, b: &Range<usize>) -> bool {
    if a.is_empty() || b.is_empty() { a.start <= b.end && b.start <= a.end } else { a.start < b.end && b.start < a.end }
}

/// What was changed, from the top, in as few lines as can be.
fn changes(old: &[&str], new: &[&str]) -> Vec<Change> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old_middle, new_middle) = (&old_rest[..old_rest.len() - tail], &new_rest[..new_rest.len() - tail]);
    if old_middle.is_empty() && new_middle.is_empty() {
        return Vec::new();
    }
    let whole = || vec![Change { old: 0..old_middle.len(), new: 0..new_middle.len() }];
    let mut found = fewest_changes(old_middle, new_middle).unwrap_or_else(whole);
    for change in &mut found {
        change.old = change.old.start + head..change.old.end + head;
        change.new = change.new.start + head..change.new.end + head;
    }
    found
}

/// Myers' greedy search (An O(ND) Difference Algorithm, 1986); none where more than [`EDITS_MAX`] lines differ.
///
/// `reach[k]` is how far into `old` the best path of so many edits on diagonal `k` comes; diagonals are counted from
/// `EDITS_MAX + 1` so that none is negative.
fn fewest_changes(old: &[&str], new: &[&str]) -> Option<Vec<Change>> {
    let middle = EDITS_MAX + 1;
    let mut reach = vec![0_u32; 2 * middle + 1];
    let mut trail: Vec<Vec<u32>> = Vec::new();
    for edits in 0..=EDITS_MAX {
        trail.push(reach[middle - edits..=middle + edits].to_vec());
        for k in (middle - edits..=middle + edits).step_by(2) {
            let down = k == middle - edits || (k != middle + edits && reach[k - 1] < reach[k + 1]);
            let mut x = if down { reach[k + 1] } else { reach[k - 1] + 1 } as usize;
            while x < old.len() && x + middle - k < new.len() && old[x] == new[x + middle - k] {
                x += 1;
            }
            reach[k] = x as u32;
            if x >= old.len() && x + middle >= new.len() + k {
                return Some(walk_back(&trail, old.len(), new.len()));
            }
        }
    }
    None
}

/// The path that the search found, from its end, as changes from the top.
fn walk_back(trail: &[Vec<u32>], old_len: usize, new_len: usize) -> Vec<Change> {
    let (mut x, mut y) = (old_len, new_len);
    let mut changes: Vec<Change> = Vec::new();
    for (edits, reach) in trail.iter().enumerate().skip(1).rev() {
        // `reach` is as it was before this round: diagonal k of -edits..=edits stands at k + edits.
        let k = x + edits - y;
        let down = k == 0 || (k != 2 * edits && reach[k - 1] < reach[k + 1]);
        let (from_x, from_y) = if down {
            let from = reach[k + 1] as usize;
            (from, from + edits - (k + 1))
        } else {
            let from = reach[k - 1] as usize;
            (from, from + edits - (k - 1))
        };
        let (to_x, to_y) = if down { (from_x, from_y + 1) } else { (from_x + 1, from_y) };
        match changes.last_mut() {
            Some(later) if later.old.start == to_x && later.new.start == to_y => {
                later.old.start = from_x;
                later.new.start = from_y;
            }
            Some(_) | None => changes.push(Change { old: from_x..to_x, new: from_y..to_y }),
        }
        (x, y) = (from_x, from_y);
    }
    changes.reverse();
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn clean(base: &str, theirs: &str, yours: &str) -> String {
        match merge(base, theirs, yours) {
            Merge::Clean { text } => text,
            Merge::Conflicts { places } => panic!("{places:?}"),
        }
    }

    fn lines(numbers: impl IntoIterator<Item = u32>) -> String {
        numbers.into_iter().flat_map(|n| [n.to_string(), "\n".into()]).collect()
    }

    #[test]
    fn changes_to_different_lines_go_together() {
        let base = "name = \"A\"\nunits = 1\n\n[service]\ntpot_s = 0.03\n";
        let theirs = base.replace("units = 1", "units = 2");
        let yours = base.replace("0.03", "0.05") + "ttft_s = 2.0\n";
        assert_eq!(clean(base, &theirs, &yours), "name = \"A\"\nunits = 2\n\n[service]\ntpot_s = 0.05\nttft_s = 2.0\n");
        assert_eq!(clean("a\nb\n", "A\nb\n", "a\nB\n"), "A\nB\n", "neighbouring lines are different lines");
    }

    #[test]
    fn changes_to_the_same_line_are_told_with_all_three() {
        let Merge::Conflicts { places } = merge("a\nunits = 1\nz\n", "a\nunits = 2\nz\n", "a\nunits = 3\nz\n") else {
            panic!("no conflict")
        };
        let [base, theirs, yours] = ["units = 1\n", "units = 2\n", "units = 3\n"].map(str::to_owned);
        assert_eq!(places, [MergeConflict { line: 2, base, theirs, yours }]);
        assert!(matches!(merge("", "a\n", "b\n"), Merge::Conflicts { .. }), "two first lines");
        assert!(matches!(merge("a\nb\n", "b\n", "A\nb\n"), Merge::Conflicts { .. }), "dropped and changed");
    }

    #[test]
    fn a_text_that_is_quite_another_is_one_change() {
        let numbers = |from: u32| lines(from..from + 5_000);
        let (base, other) = (numbers(0), numbers(10_000));
        assert_eq!(clean(&base, &other, &base), other);
        assert_eq!(clean(&base, &base, &other), other);
        assert!(matches!(merge(&base, &other, &numbers(20_000)), Merge::Conflicts { places } if places.len() == 1));
    }

    fn text() -> impl Strategy<Value = String> {
        proptest::collection::vec(0_u32..4, 0..12).prop_map(lines)
    }

    proptest! {
        #[test]
        fn law_who_changed_nothing_stands_in_nobodys_way(base in text(), other in text()) {
            prop_assert_eq!(clean(&base, &other, &base), other.clone());
            prop_assert_eq!(clean(&base, &base, &other), other.clone());
            prop_assert_eq!(clean(&base, &other, &other), other);
        }

        #[test]
        fn law_sides_can_be_exchanged(base in text(), theirs in text(), yours in text()) {
            match (merge(&base, &theirs, &yours), merge(&base, &yours, &theirs)) {
                (Merge::Clean { text: a }, Merge::Clean { text: b }) => prop_assert_eq!(a, b),
                (Merge::Conflicts { places: a }, Merge::Conflicts { places: b }) => prop_assert_eq!(a.len(), b.len()),
                (a, b) => prop_assert!(false, "{:?} and {:?}", a, b),
            }
        }

        #[test]
        fn law_changes_are_the_difference(old in text(), new in text()) {
            let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
            let (mut made, mut at) = (Vec::new(), 0);
            for change in changes(&old, &new) {
                made.extend_from_slice(&old[at..change.old.start]);
                made.extend_from_slice(&new[change.new]);
                at = change.old.end;
            }
            made.extend_from_slice(&old[at..]);
            prop_assert_eq!(made, new);
        }
    }
}
