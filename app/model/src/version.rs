//! Stored designs as they change: versions with their names, branches, saves and what stands in a save's way.

use crate::design::Design;
use crate::id::DesignId;
use crate::note::Note;
use crate::report::Evaluation;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest name of a design, characters.
pub const NAME_CHARS_MAX: usize = 120;
/// Longest name of a version, characters.
pub const LABEL_CHARS_MAX: usize = 120;
/// Longest message about a change, characters.
pub const MESSAGE_CHARS_MAX: usize = 2_000;
/// Longest text of a design, bytes: a 1 GW design is under 10 kB.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

/// One version of a stored design, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DesignVersion {
    /// Which one, from 1.
    pub version: u32,
    /// What a person called it; empty where they did not.
    pub label: String,
    /// What a person said of the change; empty where they did not.
    pub message: String,
    /// When it was saved, milliseconds since 1970 UTC.
    pub created_ms: i64,
    /// SHA-256 of its text, in hexadecimal.
    pub text_sha256: String,
}

/// The version of a design that another one began as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BranchPoint {
    /// Which design.
    pub design: DesignId,
    /// Which version of it.
    pub version: u32,
}

/// A design that a person wants kept. Its name in paths is made from its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DesignCreate {
    /// What it is to be called; put into the text in the place of the name that stands there.
    pub name: String,
    /// Its text.
    pub toml: String,
    /// What it began as, if it is a branch.
    #[serde(default)]
    pub branched_from: Option<BranchPoint>,
}

/// A change to a stored design.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DesignSave {
    /// Which design.
    pub id: DesignId,
    /// Its whole text, changed.
    pub toml: String,
    /// The version that was changed.
    pub based_on_version: u32,
    /// What the new version is to be called; may be empty.
    #[serde(default)]
    pub label: String,
    /// What the change is about; may be empty.
    #[serde(default)]
    pub message: String,
}

/// What became of a save.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum DesignSaved {
    /// It is kept, as this version; the newest one as it was, where the text did not change.
    Saved {
        /// Which one.
        version: DesignVersion,
    },
    /// Someone saved another version in between. Nothing was kept.
    Conflict {
        /// Both sides, and how far they go together.
        conflict: Box<SaveConflict>,
    },
}

/// Two changes to one version of a design.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SaveConflict {
    /// The version that both changed.
    pub based_on_version: u32,
    /// The version that is kept by now: base a save on it to have it both ways.
    pub newest: DesignVersion,
    /// The text that both changed.
    pub base: String,
    /// The text that is kept by now.
    pub theirs: String,
    /// The text that was to be saved.
    pub yours: String,
    /// Both changes in one text, where they go together.
    pub merge: Merge,
}

/// Two changes to one text, brought together line by line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Merge {
    /// They touch different places.
    Clean {
        /// The text with both.
        text: String,
    },
    /// They touch the same places in different ways.
    Conflicts {
        /// Each such place, from the top.
        places: Vec<MergeConflict>,
    },
}

/// Lines that were changed in two ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MergeConflict {
    /// The first of them in the base text, from 1.
    pub line: u32,
    /// The lines as they were.
    pub base: String,
    /// As they are kept by now.
    pub theirs: String,
    /// As they were to be saved.
    pub yours: String,
}

/// Why a text is no design, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TextProblem {
    /// The line, from 1; absent where the text as a whole is wrong.
    pub line: Option<u32>,
    /// The key or table, where it is known.
    pub field: Option<String>,
    /// What is wrong, in words.
    pub reason: String,
}

/// What a text says, before it is saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum DesignCheck {
    /// It is a design, though it may not add up.
    Read {
        /// The design.
        design: Box<Design>,
        /// What it does at full work; of one that can't be resolved, its notes alone.
        evaluation: Box<Evaluation>,
        /// The same notes with the line of the text that each is about.
        notes: Vec<LocatedNote>,
    },
    /// It is none.
    Unreadable {
        /// Why, and where.
        problem: TextProblem,
    },
}

/// A note, and where in the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LocatedNote {
    /// The line, from 1, where the text spells it in a way that can be found.
    pub line: Option<u32>,
    /// What was found.
    pub note: Note,
}

impl fmt::Display for TextProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.reason)?;
        self.field.as_ref().map_or(Ok(()), |field| write!(f, " (in {field})"))
    }
}
