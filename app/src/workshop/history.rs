//! Undo and redo without end. A step is what it takes out of the design's text and what it puts there, so that a thousand
//! of them are small enough to survive in the browser's store.

use model::design::Design;
use serde::{Deserialize, Serialize};

/// One change, as text of the design in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Step {
    /// What was done, in words.
    words: String,
    /// Changes of one drag or one field bear the same, and become one step.
    join: Option<String>,
    /// Byte at which the texts begin to differ.
    at: usize,
    removed: String,
    inserted: String,
}

/// A design with every change since it was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    text: String,
    steps: Vec<Step>,
    /// Steps that are done; those beyond can be done again.
    done: usize,
}

fn text_of(design: &Design) -> String {
    // A design is plain data, so that writing it can't fail.
    serde_json::to_string(design).unwrap_or_default()
}

impl History {
    /// A design just opened.
    pub fn new(design: &Design) -> Self {
        Self { text: text_of(design), steps: Vec::new(), done: 0 }
    }

    /// The design as it stands. None only where kept text was damaged.
    pub fn design(&self) -> Option<Design> {
        serde_json::from_str(&self.text).ok()
    }

    /// Whether the text fits its steps: that of a damaged store does not.
    pub fn is_sound(&self) -> bool {
        self.done <= self.steps.len()
            && self.design().is_some()
            && self
                .done
                .checked_sub(1)
                .and_then(|last| self.steps.get(last))
                .is_none_or(|step| self.text.get(step.at..).is_some_and(|rest| rest.starts_with(&step.inserted)))
    }

    /// A change to `design`, in words. What was undone before it can't be done again. Does nothing where nothing changed;
    /// joins the last step where both bear the same `join`.
    pub fn push(&mut self, words: &str, join: Option<&str>, design: &Design) {
        let text = text_of(design);
        if text == self.text {
            return;
        }
        self.steps.truncate(self.done);
        let joins = join.is_some() && self.steps.last().is_some_and(|last| last.join.as_deref() == join);
        if joins && let Some(last) = self.steps.pop() {
            self.text = swapped(&self.text, last.at, &last.inserted, &last.removed);
        }
        if text != self.text {
            let (at, removed, inserted) = difference(&self.text, &text);
            self.steps.push(Step { words: words.to_owned(), join: join.map(str::to_owned), at, removed, inserted });
        }
        self.text = text;
        self.done = self.steps.len();
    }

    /// Takes the last step back.
    pub fn undo(&mut self) -> Option<Design> {
        let step = self.steps.get(self.done.checked_sub(1)?)?;
        self.text = swapped(&self.text, step.at, &step.inserted, &step.removed);
        self.done -= 1;
        self.design()
    }

    /// Does the last step taken back again.
    pub fn redo(&mut self) -> Option<Design> {
        let step = self.steps.get(self.done)?;
        self.text = swapped(&self.text, step.at, &step.removed, &step.inserted);
        self.done += 1;
        self.design()
    }

    /// What undo would take back, in words.
    pub fn undo_words(&self) -> Option<&str> {
        Some(self.steps.get(self.done.checked_sub(1)?)?.words.as_str())
    }

    /// What redo would do, in words.
    pub fn redo_words(&self) -> Option<&str> {
        Some(self.steps.get(self.done)?.words.as_str())
    }

    /// Steps done and steps in all.
    pub fn count(&self) -> (usize, usize) {
        (self.done, self.steps.len())
    }
}

/// Where two texts begin to differ, and what each has there until they agree again.
fn difference(before: &str, after: &str) -> (usize, String, String) {
    let same = before.char_indices().zip(after.chars()).take_while(|((_, a), b)| a == b);
    let at = same.last().map_or(0, |((at, c), _)| at + c.len_utf8());
    let (left, right) = (&before[at..], &after[at..]);
    let tail: usize =
        left.chars().rev().zip(right.chars().rev()).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum();
    (at, left[..left.len() - tail].to_owned(), right[..right.len() - tail].to_owned())
}

/// A text with `old` at a byte replaced by `new`; the text itself where `old` is not there.
fn swapped(text: &str, at: usize, old: &str, new: &str) -> String {
    match (text.get(..at), text.get(at..).and_then(|rest| rest.strip_prefix(old))) {
        (Some(head), Some(tail)) => [head, new, tail].concat(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn design(name: &str, positions: u32) -> Design {
        let text = format!(
            r#"{{"name":{},"location":"phoenix-az","contract_power_w":1e6,"hall":[{{"name":"A","positions":{positions},"fed_by":"x","air":"y"}}]}}"#,
            serde_json::to_string(name).unwrap()
        );
        serde_json::from_str(&text).unwrap()
    }

    proptest! {
        #[test]
        fn law_undoing_everything_is_where_one_began(changes in prop::collection::vec((".{0,12}", 0u32..50), 0..40)) {
            let start = design("start", 1);
            let mut history = History::new(&start);
            for (name, positions) in &changes {
                history.push("change", None, &design(name, *positions));
            }
            let last = history.design();
            prop_assert!(history.is_sound());
            let (steps, _) = history.count();
            for _ in 0..steps {
                prop_assert!(history.undo().is_some());
                prop_assert!(history.is_sound());
            }
            prop_assert_eq!(history.design(), Some(start));
            prop_assert!(history.undo().is_none());
            for _ in 0..steps {
                prop_assert!(history.redo().is_some());
            }
            prop_assert_eq!(history.design(), last);
            let kept: History = serde_json::from_str(&serde_json::to_string(&history).unwrap()).unwrap();
            prop_assert_eq!(kept, history);
        }
    }

    #[test]
    fn a_drag_is_one_step() {
        let mut history = History::new(&design("a", 1));
        for positions in 2..40 {
            history.push("drag", Some("drag 1"), &design("a", positions));
        }
        assert_eq!(history.count(), (1, 1));
        assert_eq!(history.undo(), Some(design("a", 1)));
        history.push("else", None, &design("b", 1));
        assert!(history.redo().is_none(), "a real change ends what could be done again");
    }

    #[test]
    fn a_drag_back_to_its_start_is_no_step() {
        let mut history = History::new(&design("a", 1));
        history.push("drag", Some("d"), &design("a", 5));
        history.push("drag", Some("d"), &design("a", 1));
        assert_eq!((history.count(), history.design()), ((0, 0), Some(design("a", 1))));
    }
}
