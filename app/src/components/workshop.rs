//! The workshop around one design: what is drawn, what is selected, what the engine says of it. Its parts share a [`Bench`].

pub mod bar;
pub mod cooling;
pub mod elevation;
pub mod floor;
pub mod inspector;
pub mod one_line;
pub mod parts;
pub mod record;
pub mod scene;
pub mod tree;
pub mod year;

use crate::browser;
use crate::format::Units;
use crate::paths::{self, View, Workbench};
use crate::workshop::answer::{Answer, answer};
use crate::workshop::edit::{Clip, Edited};
use crate::workshop::history::History;
use crate::workshop::place::Place;
use crate::workshop::scene::Measure;
use crate::year::{Year, simulate};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use model::catalog::Catalog;
use model::design::Design;
use model::id::DesignId;
use model::report::Evaluation;
use model::run::{DesignDetail, Origin};
use model::scene::Camera;
use std::sync::Arc;
use std::time::Duration;

/// Time after the last change before the year is worked out: changes of a drag come faster.
const YEAR_WAITS: Duration = Duration::from_millis(40);
/// Time that a change of a figure stands beside it.
const CHANGE_STANDS: Duration = Duration::from_secs(2);
/// Step and seed of the year in the workshop: those of a run's first choice, so that both give one answer.
const STEP_MINUTES: u32 = 60;
const SEED: u64 = 1;

/// The version that the changes began from.
#[derive(Debug, Clone, PartialEq)]
pub struct Base {
    /// Its number.
    pub version: u32,
    /// Whether it came with the program.
    pub origin: Origin,
    /// The design as it stands there.
    pub design: Design,
}

/// What the parts of the workshop share. A handful of signals, so it is copied freely.
#[derive(Clone, Copy)]
pub struct Bench {
    /// Which design.
    pub id: StoredValue<DesignId>,
    /// It, as drawn now.
    pub design: RwSignal<Design>,
    /// Every change since it was opened.
    pub history: RwSignal<History>,
    /// What it began from.
    pub base: RwSignal<Base>,
    /// The house's catalog, once it is here.
    pub catalog: RwSignal<Option<Arc<Catalog>>>,
    /// Everything that the design may name: the catalog, its own parts before it.
    pub parts: Memo<Option<Arc<Catalog>>>,
    /// What is selected and still there; the site where nothing is.
    pub chosen: Memo<Vec<Place>>,
    /// What the engine says at once.
    pub answer: RwSignal<Answer>,
    /// What it said before the last change, while the difference is shown.
    pub before: RwSignal<Option<Evaluation>>,
    /// The year, or why there is none yet.
    pub year: RwSignal<Result<Arc<Year>, String>>,
    /// What is to be said aloud: refusals and what was done.
    pub told: RwSignal<String>,
    /// What was copied.
    pub clip: RwSignal<Option<Clip>>,
    /// What the address says.
    pub at: Memo<Workbench>,
    go: RwSignal<Option<Workbench>>,
    changes: StoredValue<u32>,
}

/// Whether a key presses what is focused, as it would a button; it then does nothing else.
fn presses(event: &leptos::ev::KeyboardEvent) -> bool {
    let pressed = matches!(event.key().as_str(), "Enter" | " ");
    if pressed {
        event.prevent_default();
    }
    pressed
}

/// Saves drawings of the page as pictures, each as it looks now.
#[component]
pub fn SaveDrawing(
    /// Which `svg` elements, as a selector; they are put beside each other.
    #[prop(into)]
    of: String,
    /// What the file is called.
    #[prop(into)]
    file: String,
) -> impl IntoView {
    let save = move |_| {
        if let Some(svg) = browser::drawing(&of) {
            browser::download(&file, &svg, "image/svg+xml");
        }
    };
    view! { <button on:click=save>"Download SVG"</button> }
}

/// The reader's units.
pub fn units() -> RwSignal<Units> {
    use_context().unwrap_or_else(|| RwSignal::new(Units::Si))
}

impl Bench {
    /// A bench for a stored design, or a shared state of it, as its page was rendered.
    pub fn new(detail: &DesignDetail, stored: &Design, design: &Design) -> Self {
        let query = use_query_map();
        let at = Memo::new(move |_| {
            let query = query.read();
            let get = |name: &str| query.get(name).unwrap_or_default();
            let at = Workbench::read(&get("view"), &get("at"), &get("fail"));
            Workbench { snapshot: query.get("snapshot"), ..at.with_picture(&get("colour"), &get("camera")) }
        });
        let navigate = use_navigate();
        let id = StoredValue::new(detail.summary.id.clone());
        let go = RwSignal::new(None::<Workbench>);
        Effect::new(move |_| {
            if let Some(to) = go.get() {
                let path = id.with_value(|id| paths::workshop(id, &to));
                navigate(&path, NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
            }
        });
        let catalog = RwSignal::new(None::<Arc<Catalog>>);
        let design = RwSignal::new(design.clone());
        // Catalogs are large: they are joined anew only where the design's own parts change.
        let own = Memo::new(move |_| design.with(|design| design.parts.clone()));
        let parts = Memo::new(move |_| {
            let catalog = catalog.get()?;
            own.with(|own| {
                Some(if own.rows().next().is_none() {
                    catalog
                } else {
                    Arc::new(Catalog::clone(&catalog).with(own.clone()))
                })
            })
        });
        let chosen = Memo::new(move |_| {
            let mut places = at.get().selected;
            design.with(|design| places.retain(|place| place.is_in(design)));
            if places.is_empty() { vec![Place::Site] } else { places }
        });
        Self {
            id,
            design,
            history: RwSignal::new(design.with_untracked(History::new)),
            base: RwSignal::new(Base {
                version: detail.summary.version,
                origin: detail.summary.origin,
                design: stored.clone(),
            }),
            catalog,
            parts,
            chosen,
            answer: RwSignal::new(Answer { site: None, evaluation: detail.evaluation.clone() }),
            before: RwSignal::new(None),
            year: RwSignal::new(Err("waiting for the engine to load in this browser…".into())),
            told: RwSignal::new(String::new()),
            clip: RwSignal::new(None),
            at,
            go,
            changes: StoredValue::new(0),
        }
    }

    /// Opens a view.
    pub fn open(&self, view: View) {
        self.go.set(Some(Workbench { view, ..self.at.get_untracked() }));
    }

    /// Selects a place, alone or besides what is selected.
    pub fn select(&self, place: Place, besides: Besides) {
        let mut at = self.at.get_untracked();
        match besides {
            Besides::Nothing => at.selected = vec![place],
            Besides::Selected => match at.selected.iter().position(|other| *other == place) {
                Some(index) => {
                    at.selected.remove(index);
                }
                None => at.selected.push(place),
            },
        }
        self.go.set(Some(at));
    }

    /// Takes units of a node as failed, or none.
    pub fn fail(&self, failed: Option<(usize, u32)>) {
        self.go.set(Some(Workbench { failed, ..self.at.get_untracked() }));
    }

    /// Colours racks in 3D by something else.
    pub fn colour(&self, colour: Measure) {
        self.go.set(Some(Workbench { colour, ..self.at.get_untracked() }));
    }

    /// The eye in 3D came to rest somewhere, or nowhere yet.
    pub fn look(&self, camera: Option<Camera>) {
        self.go.set(Some(Workbench { camera, ..self.at.get_untracked() }));
    }

    /// What is selected and still there; the site where nothing is.
    pub fn selected(&self) -> Vec<Place> {
        self.chosen.get()
    }

    /// The first of them.
    pub fn first(&self) -> Place {
        self.chosen.with(|chosen| chosen.first().copied().unwrap_or(Place::Site))
    }

    /// Takes the catalog in, and what this browser kept of unsaved changes, and answers.
    pub fn begin(&self, catalog: Catalog) {
        self.catalog.set(Some(Arc::new(catalog)));
        let kept = browser::kept(&self.key()).and_then(|text| serde_json::from_str::<Kept>(&text).ok());
        if let Some(kept) = kept.filter(|kept| kept.history.is_sound())
            && let Some(design) = kept.history.design()
        {
            let newest = self.base.with_untracked(|base| base.version);
            let differs = self.base.with_untracked(|base| base.design != design);
            if kept.version != newest {
                // Changes of an older version stay changes of it: saved, they are brought together with what came since.
                self.base.update(|base| base.version = kept.version);
                self.told.set(format!(
                    "Your unsaved changes to version {} are here again. Version {newest} was saved meanwhile: save yours, and the two are brought together.",
                    kept.version
                ));
            } else if differs {
                self.told.set("Your unsaved changes are here again.".into());
            }
            self.history.set(kept.history);
            self.design.set(design);
        }
        self.work_out();
    }

    fn key(&self) -> String {
        // What is changed of a shared state is no change of what is stored.
        let shared = self.at.with_untracked(|at| at.snapshot.clone()).unwrap_or_default();
        self.id.with_value(|id| format!("changes of {id} {shared}"))
    }

    /// Changes the design. `join` makes changes of one drag or one field a single step of undo.
    pub fn apply(&self, words: &str, join: Option<&str>, design: Design) {
        // What was asked of the house may be answered after the page was left: there is nothing to change then.
        if self.design.try_with_untracked(|now| *now == design).unwrap_or(true) {
            return;
        }
        self.history.update(|history| history.push(words, join, &design));
        self.show(design, words.to_owned());
    }

    /// The same for an edit that may be refused.
    pub fn edit(&self, edited: Result<Edited, String>) {
        match edited {
            Ok(Edited { design, words, select }) => {
                self.apply(&words, None, design);
                self.select(select, Besides::Nothing);
            }
            Err(why) => self.told.set(why),
        }
    }

    /// Takes the last change back.
    pub fn undo(&self) {
        let words = self.history.with_untracked(|history| history.undo_words().map(str::to_owned));
        let design = self.history.try_update(History::undo).flatten();
        if let (Some(design), Some(words)) = (design, words) {
            self.show(design, format!("Undone: {words}"));
        }
    }

    /// Does it again.
    pub fn redo(&self) {
        let words = self.history.with_untracked(|history| history.redo_words().map(str::to_owned));
        let design = self.history.try_update(History::redo).flatten();
        if let (Some(design), Some(words)) = (design, words) {
            self.show(design, format!("Done again: {words}"));
        }
    }

    fn show(&self, design: Design, told: String) {
        self.before.set(Some(self.answer.with_untracked(|answer| answer.evaluation.clone())));
        self.design.set(design);
        self.told.set(told);
        self.keep();
        self.work_out();
    }

    /// Keeps what is not saved in the browser, so that a reload loses nothing.
    fn keep(&self) {
        let version = self.base.with_untracked(|base| base.version);
        let kept = self.history.with_untracked(|history| {
            if history.count().1 == 0 {
                return String::new();
            }
            serde_json::to_string(&Kept { version, history: history.clone() }).unwrap_or_default()
        });
        if !browser::keep(&self.key(), &kept) && !kept.is_empty() {
            self.told.set("This browser has no room for unsaved changes: save them before you leave.".into());
        }
    }

    /// Two people's changes were brought together on a newer version: what is undone from here leads to that version, never
    /// behind it.
    pub fn merged(&self, version: u32, theirs: Design, chosen: Design, words: &str) {
        let mut history = History::new(&theirs);
        history.push(words, None, &chosen);
        self.history.set(history);
        self.base.update(|base| {
            base.version = version;
            base.design = theirs;
        });
        self.show(chosen, words.to_owned());
    }

    /// The design as it stands was saved as a version: nothing is unsaved any more.
    pub fn saved(&self, version: u32) {
        let design = self.design.get_untracked();
        self.base.update(|base| {
            base.version = version;
            base.design = design.clone();
        });
        self.history.set(History::new(&design));
        browser::keep(&self.key(), "");
    }

    /// A number for a drag, so that two drags are two steps.
    pub fn next_drag(&self) -> u32 {
        self.changes.with_value(|changes| changes.wrapping_add(1))
    }

    /// Whether something is not saved.
    pub fn unsaved(&self) -> bool {
        self.base.with(|base| self.design.with(|design| base.design != *design))
    }

    /// The instant answer now, the year a moment later.
    fn work_out(&self) {
        let Some(catalog) = self.catalog.get_untracked() else { return };
        self.answer.set(self.design.with_untracked(|design| answer(design, &catalog)));
        let now = self.changes.with_value(|changes| changes.wrapping_add(1));
        self.changes.set_value(now);
        let bench = *self;
        set_timeout(
            move || {
                if bench.changes.try_get_value() == Some(now) {
                    bench.work_out_year();
                }
            },
            YEAR_WAITS,
        );
        set_timeout(
            move || {
                if bench.changes.try_get_value() == Some(now) {
                    bench.before.set(None);
                }
            },
            CHANGE_STANDS,
        );
    }

    fn work_out_year(&self) {
        let answer = self.answer.get_untracked();
        let broken = answer.evaluation.notes.iter().any(|note| note.severity == model::note::Severity::Error);
        self.year.set(match answer.site {
            Some(site) if !broken => simulate(&site, STEP_MINUTES, SEED).map(Arc::new),
            Some(_) | None => Err("there is no year of a design that can't be built as drawn: see its notes".into()),
        });
    }
}

/// Whether a selection takes the place of what was selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Besides {
    /// It does.
    Nothing,
    /// It is added, or taken out where it was selected.
    Selected,
}

/// What the browser keeps of unsaved changes.
#[derive(serde::Serialize, serde::Deserialize)]
struct Kept {
    version: u32,
    history: History,
}
