//! The port: what the pages ask of the house. `server` answers with the real thing, page tests with a fake one.

use model::id::{DesignId, RunId};
use model::run::{DesignDetail, DesignSummary, RunDetail, RunRequest, RunSummary};
use model::site::Site;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why the house could not answer, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "error", rename_all = "kebab-case")]
pub enum ApiError {
    /// There is no such thing.
    NotFound {
        /// What is not there.
        what: String,
    },
    /// The request can't be done as asked.
    Invalid {
        /// Why, and what would do.
        reason: String,
    },
    /// Someone else changed it in between.
    Conflict {
        /// What.
        reason: String,
    },
    /// Too much at once; try again.
    Busy {
        /// What is full.
        reason: String,
    },
    /// Our fault; the log says more.
    Internal {
        /// What could not be done.
        reason: String,
    },
    /// The house did not answer.
    Unreachable {
        /// What the browser says.
        reason: String,
    },
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { what } => write!(f, "There is no {what}."),
            Self::Invalid { reason } | Self::Conflict { reason } | Self::Busy { reason } | Self::Internal { reason } => {
                f.write_str(reason)
            }
            Self::Unreachable { reason } => write!(f, "The server did not answer: {reason}."),
        }
    }
}
impl std::error::Error for ApiError {}

/// What the pages ask. Every answer is a value of the vocabulary.
#[cfg(feature = "ssr")]
#[async_trait::async_trait]
pub trait Backend: Send + Sync + 'static {
    /// Stored designs, reference designs first.
    async fn designs(&self) -> Result<Vec<DesignSummary>, ApiError>;
    /// One of them, evaluated.
    async fn design(&self, id: DesignId) -> Result<DesignDetail, ApiError>;
    /// Its newest version resolved, so that the browser can run the year itself.
    async fn site(&self, id: DesignId) -> Result<Site, ApiError>;
    /// Starts a year of a design as a job; refused where the design is infeasible or the queue is full.
    async fn run_start(&self, request: RunRequest) -> Result<RunId, ApiError>;
    /// Stops a run that is queued or under way.
    async fn run_cancel(&self, id: RunId) -> Result<(), ApiError>;
    /// One run.
    async fn run(&self, id: RunId) -> Result<RunDetail, ApiError>;
    /// All runs, newest first.
    async fn runs(&self) -> Result<Vec<RunSummary>, ApiError>;
}
