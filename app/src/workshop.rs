//! The workshop's thinking, without a browser: where things stand in a design, how it is changed and changed back, and
//! what it comes to.
//!
//! Read `place` (what is selected), `field` (what can be set there), `edit` (changes of whole things), `mount` (trays in
//! racks), `own` (a design's own parts), `history` (undo), then `answer` (the engine's word), `diagram` (where boxes and lines
//! go), `scene` (a hall in 3D) and `difference` (two designs beside each other).

pub mod answer;
pub mod diagram;
pub mod difference;
pub mod edit;
pub mod field;
pub mod history;
pub mod merge;
pub mod mount;
pub mod own;
pub mod place;
pub mod scene;
