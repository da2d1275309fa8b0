//! What can go wrong in the house, and the one place where any room's error becomes an answer: an [`ApiError`] for the
//! pages, and a status for HTTP.

use app::api::ApiError;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::any::Any;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Seconds after which a client that was told "busy" may try again: about a year at hourly steps, several times over.
const RETRY_AFTER_S: &str = "5";

/// Why the house could not be opened, or had to close.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data directory can't be made or used.
    #[error("could not use the data directory {}", path.display())]
    DataDir {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process serves from it.
    #[error(
        "another Millwright is running from the data directory {}; stop it, or choose another with --data",
        path.display()
    )]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// The port is taken.
    #[error("another program listens on {address} already; stop it, or choose another port with --listen")]
    PortTaken {
        /// Which.
        address: SocketAddr,
    },
    /// The address can't be listened on.
    #[error("could not listen on {address}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The store said no.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// What came with the program is malformed; a test forbids it.
    #[error("the catalog that came with this program can't be read")]
    Catalog(#[from] catalog::Error),
    /// A shipped design's name is no id; a test forbids it.
    #[error("the reference design {name:?} has a name that is not an id")]
    ReferenceName {
        /// Its name.
        name: String,
    },
    /// The machine has no chance to give.
    #[error("could not make an id: {reason}")]
    NoChance {
        /// Why.
        reason: String,
    },
    /// Input, output or tasks of the process itself.
    #[error("could not {doing}")]
    Process {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// An error and its causes in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        words.push_str(": ");
        words.push_str(&source.to_string());
        cause = source.source();
    }
    words
}

/// What a page is told of an error of the store. What is our own fault goes to the log, and only there in full.
pub fn of_store(error: store::Error) -> ApiError {
    match error {
        store::Error::NoDesign { id } => ApiError::NotFound { what: format!("design \"{id}\"") },
        store::Error::NoVersion { id, version } => {
            ApiError::NotFound { what: format!("version {version} of design \"{id}\"") }
        }
        store::Error::NoSnapshot { id } => ApiError::NotFound { what: format!("snapshot \"{id}\"") },
        store::Error::NoRun { id } => ApiError::NotFound { what: format!("run \"{id}\"") },
        store::Error::Reference { .. } => ApiError::Invalid { reason: sentence(&error.to_string()) },
        store::Error::DesignChanged { .. } | store::Error::Archived { .. } | store::Error::RunSettled { .. } => {
            ApiError::Conflict { reason: sentence(&error.to_string()) }
        }
        store::Error::Open { .. }
        | store::Error::Newer { .. }
        | store::Error::Migrate { .. }
        | store::Error::Report { .. }
        | store::Error::Corrupt { .. }
        | store::Error::Sql { .. } => {
            tracing::error!(error = %chain(&error), "The store failed.");
            ApiError::Internal { reason: sentence(&error.to_string()) }
        }
    }
}

/// What a page is told of an error of the house.
pub fn of_house(error: Error) -> ApiError {
    match error {
        Error::Store(error) => of_store(error),
        Error::DataDir { .. }
        | Error::InUse { .. }
        | Error::PortTaken { .. }
        | Error::Listen { .. }
        | Error::Catalog(_)
        | Error::ReferenceName { .. }
        | Error::NoChance { .. }
        | Error::Process { .. } => {
            tracing::error!(error = %chain(&error), "The house failed.");
            ApiError::Internal { reason: sentence(&error.to_string()) }
        }
    }
}

/// What a page is told of a task that panicked: words of ours, since an assertion is a defect of this program.
pub fn of_task(doing: &'static str, error: tokio::task::JoinError) -> ApiError {
    let words = panic_words(error);
    tracing::error!(doing, error = words, "A task stopped.");
    ApiError::Internal { reason: format!("Could not {doing}: {words}.") }
}

/// What a task that panicked said.
pub fn panic_words(error: tokio::task::JoinError) -> String {
    error.try_into_panic().map_or_else(|_| "it was stopped".into(), |said| words_of(&*said))
}

/// What was said in a panic.
pub fn words_of(said: &(dyn Any + Send)) -> String {
    let text = said.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| said.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it gave no reason".into())
}

/// The status that goes with an answer.
pub fn status(error: &ApiError) -> StatusCode {
    match error {
        ApiError::NotFound { .. } => StatusCode::NOT_FOUND,
        ApiError::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        ApiError::Conflict { .. } => StatusCode::CONFLICT,
        ApiError::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
        ApiError::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        ApiError::Unreachable { .. } => StatusCode::BAD_GATEWAY,
    }
}

/// An [`ApiError`] as an HTTP answer: its JSON, its status, and when to try again.
#[derive(Debug)]
pub struct Refused(pub ApiError);

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (status(&self.0), Json(&self.0)).into_response();
        if matches!(self.0, ApiError::Busy { .. }) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
        }
        response
    }
}

/// Why a request was not let in before anyone looked at what it asks.
#[derive(Debug)]
pub enum Refusal {
    /// Its body has more bytes than its address takes.
    TooLarge {
        /// How many it takes.
        limit: usize,
    },
    /// Its body ended before its end.
    BrokenOff,
    /// Its body did not come in time.
    TooSlow,
    /// There is no room for it just now.
    Busy {
        /// What is full.
        reason: String,
    },
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, reason) = match self {
            Self::TooLarge { limit } => {
                (StatusCode::PAYLOAD_TOO_LARGE, format!("The request has more than {limit} bytes."))
            }
            Self::BrokenOff => (StatusCode::BAD_REQUEST, "The request ended before its end.".into()),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "The request took too long to come.".into()),
            Self::Busy { reason } => return Refused(ApiError::Busy { reason }).into_response(),
        };
        (status, Json(ApiError::Invalid { reason })).into_response()
    }
}

/// A fragment as a sentence: people read it, not logs.
fn sentence(fragment: &str) -> String {
    let mut letters = fragment.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>() + ".").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_run_is_not_found_in_words() {
        let error = of_store(store::Error::NoRun { id: "r1".parse().unwrap() });
        assert_eq!(error.to_string(), "There is no run \"r1\".");
        assert_eq!(status(&error), StatusCode::NOT_FOUND);
    }

    #[test]
    fn a_run_that_has_ended_is_a_conflict_in_words() {
        let error = of_store(store::Error::RunSettled { id: "r1".parse().unwrap(), state: "done".into() });
        assert_eq!(error.to_string(), "Run r1 is done already.");
        assert_eq!(status(&error), StatusCode::CONFLICT);
    }

    #[test]
    fn who_is_told_busy_is_told_when_to_try_again() {
        let response = Refused(ApiError::Busy { reason: "The queue is full.".into() }).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], RETRY_AFTER_S);
    }
}
