//! The port: what the pages ask of the house. `server` answers with the real thing, page tests with a fake one.

use leptos::prelude::{FromServerFnError, ServerFnErrorErr, server};
use leptos::server_fn::codec::{Json, JsonEncoding};
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
            Self::Invalid { reason }
            | Self::Conflict { reason }
            | Self::Busy { reason }
            | Self::Internal { reason } => f.write_str(reason),
            Self::Unreachable { reason } => write!(f, "The server did not answer: {reason}."),
        }
    }
}
impl std::error::Error for ApiError {}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    /// What went wrong between the page and the house: most often the house did not answer.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        #[expect(clippy::wildcard_enum_match_arm, reason = "only a broken connection is not our own fault")]
        match error {
            ServerFnErrorErr::Request(reason) | ServerFnErrorErr::Response(reason) => Self::Unreachable { reason },
            other => Self::Internal { reason: other.to_string() },
        }
    }
}

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

/// Told why a whole page can't be shown, so that its answer bears the status of that, where there is a server.
#[derive(Clone)]
pub struct PageRefusal(pub std::sync::Arc<dyn Fn(&ApiError) + Send + Sync>);

/// The house that this page asks, as `server` or a test provided it.
#[cfg(feature = "ssr")]
fn backend() -> Result<std::sync::Arc<dyn Backend>, ApiError> {
    leptos::prelude::use_context()
        .ok_or_else(|| ApiError::Internal { reason: "The page was given no house to ask.".into() })
}

/// Stored designs, reference designs first.
#[server(name = AskDesigns, prefix = "/api/ask", endpoint = "designs", input = Json)]
pub async fn designs() -> Result<Vec<DesignSummary>, ApiError> {
    backend()?.designs().await
}

/// One design, evaluated.
#[server(name = AskDesign, prefix = "/api/ask", endpoint = "design", input = Json)]
pub async fn design(
    /// Which one.
    id: DesignId,
) -> Result<DesignDetail, ApiError> {
    backend()?.design(id).await
}

/// A design's newest version, resolved, for the browser's own year.
#[server(name = AskSite, prefix = "/api/ask", endpoint = "site", input = Json)]
pub async fn site(
    /// Which one.
    id: DesignId,
) -> Result<Site, ApiError> {
    backend()?.site(id).await
}

/// Starts a year of a design.
#[server(name = AskRunStart, prefix = "/api/ask", endpoint = "run-start", input = Json)]
pub async fn run_start(
    /// What to run.
    request: RunRequest,
) -> Result<RunId, ApiError> {
    backend()?.run_start(request).await
}

/// Stops a run.
#[server(name = AskRunCancel, prefix = "/api/ask", endpoint = "run-cancel", input = Json)]
pub async fn run_cancel(
    /// Which one.
    id: RunId,
) -> Result<(), ApiError> {
    backend()?.run_cancel(id).await
}

/// One run.
#[server(name = AskRun, prefix = "/api/ask", endpoint = "run", input = Json)]
pub async fn run(
    /// Which one.
    id: RunId,
) -> Result<RunDetail, ApiError> {
    backend()?.run(id).await
}

/// All runs, newest first.
#[server(name = AskRuns, prefix = "/api/ask", endpoint = "runs", input = Json)]
pub async fn runs() -> Result<Vec<RunSummary>, ApiError> {
    backend()?.runs().await
}
