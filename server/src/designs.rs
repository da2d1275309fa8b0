//! Stored designs, resolved and evaluated. Working one out takes milliseconds, so each text is worked out once.

use crate::changes::Changes;
use crate::design_text;
use crate::error::{not_a_cursor, of_store, of_task};
use app::api::ApiError;
use model::catalog::Catalog;
use model::design::Design;
use model::id::DesignId;
use model::note::{Note, Severity};
use model::report::Evaluation;
use model::run::{DesignDetail, DesignSummary, RunRequest};
use model::site::Site;
use model::version::{DesignCheck, LocatedNote, TextProblem};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::db::Db;
use store::design::{Shelf, StoredDesign};

/// Texts kept worked out: every reference design and what a team has in its list, at some 50 kB each.
const KNOWN_MAX: usize = 256;
/// Longest text that is kept worked out: longer ones are rare, and many times as large once they are read.
const KNOWN_BYTES_MAX: usize = 64 << 10;

/// Notes kept of a design that does not add up, and of these told in one sentence: more than anyone reads.
const NOTES_MAX: usize = 200;
const NOTES_TOLD_MAX: usize = 10;

/// A text, worked out.
#[derive(Debug)]
pub struct Known {
    /// The design that it is, or why it is none.
    pub design: Result<Design, TextProblem>,
    /// The design resolved, or why it can't be, in words.
    pub site: Result<Arc<Site>, String>,
    /// What it does at full work; of one that can't be resolved, its notes alone.
    pub evaluation: Evaluation,
}

impl Known {
    /// The design as drawn, or a refusal that says why the text is none.
    pub fn drawn(&self) -> Result<&Design, ApiError> {
        let unread =
            |problem: &TextProblem| ApiError::Invalid { reason: format!("The design can't be read: {problem}.") };
        self.design.as_ref().map_err(unread)
    }
    /// The design resolved, or a refusal that says why not.
    pub fn site(&self) -> Result<Arc<Site>, ApiError> {
        self.site.clone().map_err(|reason| ApiError::Invalid { reason })
    }
    /// The same, where it can also be built as drawn.
    pub fn feasible_site(&self) -> Result<Arc<Site>, ApiError> {
        let wrong: Vec<&Note> = self.evaluation.notes.iter().filter(|note| note.severity == Severity::Error).collect();
        if !wrong.is_empty() && self.site.is_ok() {
            return Err(ApiError::Invalid { reason: format!("It can't be built as drawn. {}", words(&wrong)) });
        }
        self.site()
    }
}

/// One version of a stored design, worked out.
#[derive(Debug)]
pub struct Opened {
    /// As it is kept.
    pub stored: StoredDesign,
    /// What its text comes to.
    pub known: Arc<Known>,
}

impl Opened {
    /// What a list shows of it.
    pub fn summary(&self) -> DesignSummary {
        let Self { stored, known } = self;
        let design = known.design.as_ref().ok();
        let site = known.site.as_ref().ok();
        let place = || design.map(|design| design.location.to_string());
        DesignSummary {
            id: stored.id.clone(),
            name: stored.name.clone(),
            description: design.map(|design| design.description.clone()).unwrap_or_default(),
            version: stored.version.version,
            label: stored.version.label.clone(),
            saved_ms: stored.version.created_ms,
            branched_from: stored.branched_from.clone(),
            archived_ms: stored.archived_ms,
            origin: stored.origin,
            location: site.map(|site| site.location.name.clone()).or_else(place).unwrap_or_default(),
            racks: site.map_or(0, |site| site.rack_count()),
            gpus: site.map_or(0, |site| site.gpu_count()),
            contract_power_mw: design.map_or(0.0, |design| design.contract_power.as_megawatts()),
        }
    }

    /// What its page shows.
    pub fn detail(&self) -> DesignDetail {
        let evaluation = Evaluation { design: self.stored.name.clone(), ..self.known.evaluation.clone() };
        DesignDetail {
            summary: self.summary(),
            toml: self.stored.toml.clone(),
            text_sha256: self.stored.version.text_sha256.clone(),
            design: self.known.design.as_ref().ok().cloned(),
            problem: self.known.design.as_ref().err().cloned(),
            evaluation,
        }
    }
}

/// Every stored design, and those texts that are worked out.
#[derive(Debug)]
pub struct Designs {
    db: Db,
    catalog: Arc<Catalog>,
    known: Mutex<BTreeMap<String, Arc<Known>>>,
}

impl Designs {
    /// The designs of a store, to be resolved with a catalog.
    pub fn new(db: Db, catalog: Arc<Catalog>) -> Self {
        Self { db, catalog, known: Mutex::default() }
    }

    /// What designs may name.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The newest version of each on a shelf.
    pub async fn list(&self, shelf: Shelf) -> Result<Vec<Opened>, ApiError> {
        self.page(shelf, None, u32::MAX).await
    }

    /// The same, no more than `limit` of them, and those alone that stand behind the design `after`.
    pub async fn page(&self, shelf: Shelf, after: Option<&DesignId>, limit: u32) -> Result<Vec<Opened>, ApiError> {
        let found = store::design::page(&self.db, shelf, after, limit).await.map_err(|error| {
            if matches!(error, store::Error::NoDesign { .. }) { not_a_cursor() } else { of_store(error) }
        })?;
        let mut all = Vec::new();
        for stored in found {
            all.push(self.open(stored).await?);
        }
        Ok(all)
    }

    /// The newest version of one.
    pub async fn newest(&self, id: &DesignId) -> Result<Opened, ApiError> {
        self.open(store::design::newest(&self.db, id).await.map_err(of_store)?).await
    }

    /// One version of one.
    pub async fn version(&self, id: &DesignId, version: u32) -> Result<Opened, ApiError> {
        self.open(store::design::version(&self.db, id, version).await.map_err(of_store)?).await
    }

    async fn open(&self, stored: StoredDesign) -> Result<Opened, ApiError> {
        let known = self.of_text(&stored.toml, stored.version.text_sha256.clone()).await?;
        Ok(Opened { stored, known })
    }

    /// What a text comes to; it need not be kept anywhere.
    pub async fn work_out(&self, toml: &str) -> Result<Arc<Known>, ApiError> {
        self.of_text(toml, store::design::text_sha256(toml)).await
    }

    async fn of_text(&self, toml: &str, hash: String) -> Result<Arc<Known>, ApiError> {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&hash) {
            return Ok(Arc::clone(known));
        }
        let (catalog, text) = (Arc::clone(&self.catalog), toml.to_owned());
        let known = tokio::task::spawn_blocking(move || Arc::new(work_out(&text, &catalog)))
            .await
            .map_err(|error| of_task("evaluate the design", error))?;
        if toml.len() <= KNOWN_BYTES_MAX {
            let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() >= KNOWN_MAX {
                all.pop_first(); // hashes are in no order, so this one is as good as any
            }
            all.insert(hash, Arc::clone(&known));
        }
        Ok(known)
    }

    /// The site of a run: the design's own, or with what the run changes in it; one that can be built as drawn.
    pub async fn site_for(&self, opened: &Opened, request: &RunRequest) -> Result<Arc<Site>, ApiError> {
        let changes = Changes::from(request);
        if changes.are_none() {
            return opened.known.feasible_site();
        }
        let unreadable = |problem: &TextProblem| ApiError::Invalid { reason: unreadable(problem) };
        let mut design = opened.known.design.clone().map_err(|problem| unreadable(&problem))?;
        let catalog = Arc::clone(&self.catalog);
        tokio::task::spawn_blocking(move || changed_site(&mut design, &changes, &catalog))
            .await
            .map_err(|error| of_task("change the design", error))?
    }

    /// What a text says, with the line of each note.
    pub async fn check(&self, toml: &str) -> Result<DesignCheck, ApiError> {
        let known = self.work_out(toml).await?;
        Ok(match &known.design {
            Err(problem) => DesignCheck::Unreadable { problem: problem.clone() },
            Ok(design) => {
                let located = |note: &Note| LocatedNote { line: design_text::line_of(toml, note), note: note.clone() };
                DesignCheck::Read {
                    notes: known.evaluation.notes.iter().map(located).collect(),
                    design: Box::new(design.clone()),
                    evaluation: Box::new(known.evaluation.clone()),
                }
            }
        })
    }
}

fn work_out(toml: &str, catalog: &Catalog) -> Known {
    let design = design_text::read(toml);
    let mut evaluation = Evaluation::default();
    let site = match &design {
        Err(problem) => Err(unreadable(problem)),
        Ok(design) => sim::resolve(design, catalog).map_err(|mut notes| {
            let reason = format!("The design does not add up. {}", words(&notes.iter().collect::<Vec<_>>()));
            evaluation.design.clone_from(&design.name);
            evaluation.contract_power_mw = design.contract_power.as_megawatts();
            notes.truncate(NOTES_MAX);
            evaluation.notes = notes;
            reason
        }),
    };
    if let Ok(site) = &site {
        evaluation = sim::evaluate(site);
    }
    Known { design, site: site.map(Arc::new), evaluation }
}

fn changed_site(design: &mut Design, changes: &Changes, catalog: &Catalog) -> Result<Arc<Site>, ApiError> {
    changes
        .apply(design, catalog)
        .map_err(|error| ApiError::Invalid { reason: format!("`{}`: {error}.", error.field()) })?;
    let site = sim::resolve(design, catalog).map_err(|notes| ApiError::Invalid {
        reason: format!("The changed design does not add up. {}", words(&notes.iter().collect::<Vec<_>>())),
    })?;
    let notes = sim::check(&site);
    let wrong: Vec<&Note> = notes.iter().filter(|note| note.severity == Severity::Error).collect();
    if wrong.is_empty() {
        return Ok(Arc::new(site));
    }
    Err(ApiError::Invalid { reason: format!("It can't be built as changed. {}", words(&wrong)) })
}

fn unreadable(problem: &TextProblem) -> String {
    format!("The design can't be read: {problem}.")
}

/// Notes as sentences, the first few of them.
fn words(notes: &[&Note]) -> String {
    let mut told: Vec<String> = notes.iter().take(NOTES_TOLD_MAX).map(|note| format!("{note}.")).collect();
    if notes.len() > NOTES_TOLD_MAX {
        told.push(format!("And {} more.", notes.len() - NOTES_TOLD_MAX));
    }
    told.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::run::Origin;
    use store::design::NewText;

    async fn with(toml: &str) -> Designs {
        let db = store::db::open_in_memory().await.unwrap();
        let new = NewText { name: "Mine", toml, at_ms: 1, ..NewText::default() };
        store::design::create(&db, &"mine".parse().unwrap(), new, None).await.unwrap();
        Designs::new(db, Arc::new(catalog::catalog().unwrap()))
    }

    #[tokio::test]
    async fn every_reference_design_can_be_run() {
        for reference in catalog::designs() {
            let designs = with(reference.text).await;
            let opened = designs.newest(&"mine".parse().unwrap()).await.unwrap();
            opened.known.feasible_site().unwrap_or_else(|refusal| panic!("{}: {refusal}", reference.id));
            assert!(opened.summary().gpus > 0, "{}", reference.id);
        }
    }

    #[tokio::test]
    async fn a_design_that_is_nonsense_is_still_listed_and_says_why() {
        for toml in ["name = ", "name = \"Mine\"\nlocation = \"atlantis\"\ncontract_power_w = 1e6\n"] {
            let designs = with(toml).await;
            let opened = &designs.list(Shelf::InUse).await.unwrap()[0];
            let summary = opened.summary();
            assert_eq!((summary.name.as_str(), summary.origin), ("Mine", Origin::Own));
            assert!(matches!(opened.known.feasible_site(), Err(ApiError::Invalid { .. })), "{toml}");
            let detail = opened.detail();
            assert_ne!(detail.design.is_some(), detail.problem.is_some(), "{toml}");
        }
    }

    #[tokio::test]
    async fn a_text_is_worked_out_once() {
        let text = catalog::designs()[0].text;
        let designs = with(text).await;
        let id = "mine".parse().unwrap();
        let (first, second) = (designs.newest(&id).await.unwrap(), designs.version(&id, 1).await.unwrap());
        assert!(Arc::ptr_eq(&first.known, &second.known));
        assert!(Arc::ptr_eq(&first.known, &designs.work_out(text).await.unwrap()));
    }

    #[tokio::test]
    async fn a_check_names_lines() {
        let text = catalog::designs()[0].text;
        let designs = with(text).await;
        let odd = text.replacen("part = \"ups-250kw\"", "part = \"ups-250kv\"", 1);
        let line = odd.lines().position(|line| line.contains("ups-250kv")).unwrap() as u32 + 1;
        let DesignCheck::Read { notes, .. } = designs.check(&odd).await.unwrap() else { panic!("unreadable") };
        assert_eq!((notes.len(), notes[0].line), (1, Some(line)), "{notes:?}");
        let DesignCheck::Unreadable { problem } = designs.check("name = 3\n").await.unwrap() else { panic!("read") };
        assert_eq!(problem.line, Some(1), "{problem}");
    }
}
