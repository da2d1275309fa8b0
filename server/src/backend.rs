//! The port's real side: what the pages ask, answered from the store, the catalog, the simulator and the jobs.

use crate::designs::Designs;
use crate::error::of_store;
use crate::jobs::Jobs;
use app::api::{ApiError, Backend};
use async_trait::async_trait;
use model::id::{DesignId, RunId};
use model::run::{DesignDetail, DesignSummary, RunDetail, RunRequest, RunState, RunSummary};
use model::site::Site;
use std::sync::Arc;
use store::db::Db;
use tokio::sync::watch;

/// Runs in the list: a few screens; older ones are reached by their link.
const RUNS_LISTED: u32 = 200;

/// The house, as pages and the HTTP API see it.
#[derive(Debug)]
pub struct House {
    /// What is remembered.
    pub db: Db,
    /// Designs, worked out.
    pub designs: Arc<Designs>,
    /// Runs queued and under way.
    pub jobs: Arc<Jobs>,
}

/// A run's state as it can be followed.
#[derive(Debug)]
pub enum Following {
    /// It changes still.
    Live(watch::Receiver<RunState>),
    /// It has ended.
    Settled(RunState),
}

impl House {
    /// A run's state, now and from now on.
    pub async fn follow(&self, id: &RunId) -> Result<Following, ApiError> {
        if let Some(live) = self.jobs.watch(id) {
            return Ok(Following::Live(live));
        }
        Ok(Following::Settled(store::run::get(&self.db, id).await.map_err(of_store)?.summary.state))
    }

    /// What the jobs know of a run is newer than what the store does, except for its end.
    fn brought_up_to_date(&self, mut summary: RunSummary) -> RunSummary {
        if let Some(live) = self.jobs.watch(&summary.id)
            && !summary.state.is_final()
        {
            summary.state = live.borrow().clone();
        }
        summary
    }
}

#[async_trait]
impl Backend for House {
    async fn designs(&self) -> Result<Vec<DesignSummary>, ApiError> {
        Ok(self.designs.list().await?.iter().map(|known| known.summary.clone()).collect())
    }

    async fn design(&self, id: DesignId) -> Result<DesignDetail, ApiError> {
        let known = self.designs.newest(&id).await?;
        Ok(DesignDetail {
            summary: known.summary.clone(),
            toml: known.toml.clone(),
            evaluation: known.evaluation.clone(),
        })
    }

    async fn site(&self, id: DesignId) -> Result<Site, ApiError> {
        Ok(Site::clone(&*self.designs.newest(&id).await?.site()?))
    }

    async fn run_start(&self, request: RunRequest) -> Result<RunId, ApiError> {
        self.jobs.submit(&request).await
    }

    async fn run_cancel(&self, id: RunId) -> Result<(), ApiError> {
        self.jobs.cancel(&id).await
    }

    async fn run(&self, id: RunId) -> Result<RunDetail, ApiError> {
        let stored = store::run::get(&self.db, &id).await.map_err(of_store)?;
        let report = store::run::report(&self.db, &id).await.map_err(of_store)?;
        Ok(RunDetail { summary: self.brought_up_to_date(stored.summary), report })
    }

    async fn runs(&self) -> Result<Vec<RunSummary>, ApiError> {
        let stored = store::run::list(&self.db, RUNS_LISTED).await.map_err(of_store)?;
        Ok(stored.into_iter().map(|summary| self.brought_up_to_date(summary)).collect())
    }
}
