//! Stored designs, resolved and evaluated. Working one out takes milliseconds, so each version is worked out once.

use crate::error::{of_store, of_task};
use app::api::ApiError;
use model::catalog::Catalog;
use model::id::DesignId;
use model::note::{Note, Severity};
use model::report::Evaluation;
use model::run::DesignSummary;
use model::site::Site;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::db::Db;
use store::design::StoredDesign;

/// Versions kept worked out: every reference design and the few dozen that people have open, at some 50 kB each.
const KNOWN_MAX: usize = 64;

/// One version of a design, worked out.
#[derive(Debug)]
pub struct Known {
    /// What a list shows of it.
    pub summary: DesignSummary,
    /// Its text.
    pub toml: String,
    /// The design resolved, or why it can't be, in words.
    pub site: Result<Arc<Site>, String>,
    /// What it does at full work; of one that can't be resolved, its notes alone.
    pub evaluation: Evaluation,
}

impl Known {
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

/// Every stored design, and those of them that are worked out.
#[derive(Debug)]
pub struct Designs {
    db: Db,
    catalog: Arc<Catalog>,
    known: Mutex<BTreeMap<(DesignId, u32), Arc<Known>>>,
}

impl Designs {
    /// The designs of a store, to be resolved with a catalog.
    pub fn new(db: Db, catalog: Arc<Catalog>) -> Self {
        Self { db, catalog, known: Mutex::default() }
    }

    /// The newest version of each.
    pub async fn list(&self) -> Result<Vec<Arc<Known>>, ApiError> {
        let mut all = Vec::new();
        for stored in store::design::list(&self.db).await.map_err(of_store)? {
            all.push(self.work_out(stored).await?);
        }
        Ok(all)
    }

    /// The newest version of one.
    pub async fn newest(&self, id: &DesignId) -> Result<Arc<Known>, ApiError> {
        self.work_out(store::design::newest(&self.db, id).await.map_err(of_store)?).await
    }

    /// One version of one.
    pub async fn version(&self, id: &DesignId, version: u32) -> Result<Arc<Known>, ApiError> {
        self.work_out(store::design::version(&self.db, id, version).await.map_err(of_store)?).await
    }

    async fn work_out(&self, stored: StoredDesign) -> Result<Arc<Known>, ApiError> {
        let key = (stored.id.clone(), stored.version);
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(known));
        }
        let catalog = Arc::clone(&self.catalog);
        let known = tokio::task::spawn_blocking(move || Arc::new(work_out(stored, &catalog)))
            .await
            .map_err(|error| of_task("evaluate the design", error))?;
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KNOWN_MAX {
            all.pop_first();
        }
        all.insert(key, Arc::clone(&known));
        Ok(known)
    }
}

fn work_out(stored: StoredDesign, catalog: &Catalog) -> Known {
    let mut summary = DesignSummary {
        id: stored.id,
        name: stored.name,
        description: String::new(),
        version: stored.version,
        origin: stored.origin,
        location: String::new(),
        racks: 0,
        gpus: 0,
        contract_power_mw: 0.0,
    };
    let mut evaluation = Evaluation { design: summary.name.clone(), ..Evaluation::default() };
    let site = catalog::parse_design(&format!("{}.toml", summary.id), &stored.toml)
        .map_err(|error| format!("The design can't be read. {error}"))
        .and_then(|design| {
            summary.description.clone_from(&design.description);
            summary.location = design.location.to_string();
            summary.contract_power_mw = design.contract_power.as_megawatts();
            sim::resolve(&design, catalog).map_err(|notes| {
                let reason = format!("The design does not add up. {}", words(&notes.iter().collect::<Vec<_>>()));
                evaluation.contract_power_mw = summary.contract_power_mw;
                evaluation.notes = notes;
                reason
            })
        });
    if let Ok(site) = &site {
        summary.location.clone_from(&site.location.name);
        summary.racks = site.rack_count();
        summary.gpus = site.gpu_count();
        evaluation = sim::evaluate(site);
    }
    Known { summary, toml: stored.toml, site: site.map(Arc::new), evaluation }
}

/// Notes as sentences.
fn words(notes: &[&Note]) -> String {
    notes.iter().map(|note| format!("{note}.")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::run::Origin;
    use store::design::NewDesign;

    async fn with(toml: &str) -> Designs {
        let db = store::db::open_in_memory().await.unwrap();
        let id = "mine".parse().unwrap();
        store::design::insert(&db, NewDesign { id: &id, name: "Mine", toml, at_ms: 1 }).await.unwrap();
        Designs::new(db, Arc::new(catalog::catalog().unwrap()))
    }

    #[tokio::test]
    async fn every_reference_design_can_be_run() {
        for reference in catalog::designs() {
            let designs = with(reference.text).await;
            let known = designs.newest(&"mine".parse().unwrap()).await.unwrap();
            known.feasible_site().unwrap_or_else(|refusal| panic!("{}: {refusal}", reference.id));
            assert!(known.summary.gpus > 0, "{}", reference.id);
        }
    }

    #[tokio::test]
    async fn a_design_that_is_nonsense_is_still_listed_and_says_why() {
        for toml in ["name = ", "name = \"Mine\"\nlocation = \"atlantis\"\ncontract_power_w = 1e6\n"] {
            let designs = with(toml).await;
            let known = &designs.list().await.unwrap()[0];
            assert_eq!((known.summary.name.as_str(), known.summary.origin), ("Mine", Origin::Own));
            assert!(matches!(known.feasible_site(), Err(ApiError::Invalid { .. })), "{toml}");
        }
    }

    #[tokio::test]
    async fn a_version_is_worked_out_once() {
        let designs = with(catalog::designs()[0].text).await;
        let id = "mine".parse().unwrap();
        let (first, second) = (designs.newest(&id).await.unwrap(), designs.version(&id, 1).await.unwrap());
        assert!(Arc::ptr_eq(&first, &second));
    }
}
