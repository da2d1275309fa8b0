//! What can go wrong in the house, and the one place where any room's error becomes an answer: an [`ApiError`] for the
//! pages, and a status for HTTP.

use app::api::ApiError;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::version::{DesignVersion, LocatedNote, Merge, SaveConflict, TextProblem};
use serde::Serialize;
use std::any::Any;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Seconds after which a client that was told "busy" may try again: about a year at hourly steps, several times over.
const RETRY_AFTER_S: &str = "5";

/// The format of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";

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
    /// The file that says where readings come from can't be used.
    #[error(transparent)]
    Fleet(#[from] crate::fleet::config::ConfigError),
    /// The store that keeps the history elsewhere does not answer.
    #[error("the store that keeps the history did not answer")]
    History(#[from] telemetry::query::Error),
    /// Readings can't be sent on.
    #[error("readings can't be sent on")]
    Forward(#[from] telemetry::forward::Problem),
    /// The token that lets metrics be read can't be had.
    #[error("the token in {} can't be used: {reason}", path.display())]
    MetricsToken {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The made-up fleet can't be made.
    #[error("could not make up a fleet: {reason}")]
    Demo {
        /// Why.
        reason: String,
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
        store::Error::NoInput { id } => ApiError::NotFound { what: format!("input file \"{id}\"") },
        store::Error::NoRun { id } => ApiError::NotFound { what: format!("run \"{id}\"") },
        store::Error::NoReplay { id } => ApiError::NotFound { what: format!("replay \"{id}\"") },
        store::Error::NoSweep { id } => ApiError::NotFound { what: format!("sweep \"{id}\"") },
        store::Error::Reference { .. }
        | store::Error::Full { .. }
        | store::Error::ReplaysFull { .. }
        | store::Error::SweepsFull { .. } => ApiError::Invalid { reason: sentence(&error.to_string()) },
        store::Error::DesignChanged { .. }
        | store::Error::Archived { .. }
        | store::Error::InputUsed { .. }
        | store::Error::SweepSettled { .. }
        | store::Error::RunSettled { .. } => ApiError::Conflict { reason: sentence(&error.to_string()) },
        store::Error::Open { .. }
        | store::Error::Newer { .. }
        | store::Error::Migrate { .. }
        | store::Error::Report { .. }
        | store::Error::Summary { .. }
        | store::Error::Corrupt { .. }
        | store::Error::Damaged { .. }
        | store::Error::Labels { .. }
        | store::Error::State { .. }
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
        | Error::Fleet(_)
        | Error::Demo { .. }
        | Error::MetricsToken { .. }
        | Error::History(_)
        | Error::Forward(_)
        | Error::NoChance { .. }
        | Error::Process { .. } => {
            tracing::error!(error = %chain(&error), "The house failed.");
            ApiError::Internal { reason: sentence(&error.to_string()) }
        }
    }
}

/// What a page is told where something that a person asked of alerts can't be done.
pub fn of_alerts(error: telemetry::alert::Error) -> ApiError {
    match error {
        telemetry::alert::Error::NoAlert(key) => ApiError::NotFound { what: format!("alert {key}") },
        telemetry::alert::Error::NoSilence(id) => ApiError::NotFound { what: format!("silence {id}") },
        telemetry::alert::Error::NotActive(_) => ApiError::Conflict { reason: sentence(&error.to_string()) },
        telemetry::alert::Error::BadSilence(_) => ApiError::Invalid { reason: sentence(&error.to_string()) },
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

/// A file that can't be read, with its line and column.
pub fn of_input(error: &input::Error) -> ApiError {
    ApiError::Invalid { reason: format!("{}.", chain(error)) } // it begins with the file's name, which is not ours to change
}

/// A file that gives no parts: its words are for the person who brought it.
pub fn of_parts(error: &crate::parts::Error) -> ApiError {
    ApiError::Invalid { reason: format!("{}.", chain(error)) }
}

/// A report that could not be written in another format: a defect of ours.
pub fn of_export(error: &dyn std::error::Error) -> ApiError {
    tracing::error!(error = %chain(error), "A report could not be written.");
    ApiError::Internal { reason: "The report could not be written in this format.".into() }
}

/// A cursor that no page of a list gave.
pub fn not_a_cursor() -> ApiError {
    ApiError::Invalid { reason: "The cursor is none: take it from `next` of the page before.".into() }
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

/// Why a request was refused for its form, before anyone looked at what it asks.
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
    /// Its body is not in the format that it says.
    Malformed {
        /// Why.
        reason: String,
    },
    /// Its body is in a format that its address does not take.
    WrongType {
        /// Formats that it takes.
        takes: &'static str,
    },
    /// It wants an answer in a format that there is not.
    NotAcceptable {
        /// Formats that there are.
        gives: &'static str,
    },
    /// It changes something and does not say which version of it.
    NoVersion,
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
            Self::Malformed { reason } => (StatusCode::BAD_REQUEST, reason),
            Self::WrongType { takes } => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("Send {takes}, and say so in Content-Type."))
            }
            Self::NotAcceptable { gives } => (StatusCode::NOT_ACCEPTABLE, format!("The answer can be {gives}.")),
            Self::NoVersion => (
                StatusCode::PRECONDITION_REQUIRED,
                "Say which version is changed: send its ETag in If-Match, or * for whichever is the newest.".into(),
            ),
        };
        (status, Json(ApiError::Invalid { reason })).into_response()
    }
}

/// An error of the HTTP API, as RFC 9457 has it. The kind is the status; what is beyond that stands in members of its own.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Where the kind of problem is described.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem, in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// This problem, in words.
    pub detail: String,
    /// The address that was asked for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub instance: String,
    /// The line of the text that is wrong, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The key or table that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong with a design that can be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<LocatedNote>,
    /// The version that is kept by now, where a change came too late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<DesignVersion>,
    /// The text that was to be saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub yours: Option<String>,
    /// The text that is kept by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theirs: Option<String>,
    /// The text that both changed, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Both changes brought together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge: Option<Merge>,
}

/// Every kind of problem: its status, its name in addresses and its title.
pub const PROBLEMS: [(StatusCode, &str, &str); 16] = [
    (StatusCode::BAD_REQUEST, "malformed", "The request is malformed"),
    (StatusCode::FORBIDDEN, "forbidden", "Only Millwright's own pages can ask for this"),
    (StatusCode::NOT_FOUND, "not-found", "There is no such thing"),
    (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "The address does not take this method"),
    (StatusCode::NOT_ACCEPTABLE, "not-acceptable", "There is no answer in this format"),
    (StatusCode::REQUEST_TIMEOUT, "too-slow", "The request took too long"),
    (StatusCode::CONFLICT, "conflict", "It can't be done in the state that it is in"),
    (StatusCode::PRECONDITION_FAILED, "changed", "Someone else changed it in between"),
    (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The request is too large"),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-type", "The request is in a format that is not taken here"),
    (StatusCode::MISDIRECTED_REQUEST, "misdirected", "The request was sent to another name"),
    (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "It can't be done as asked"),
    (StatusCode::PRECONDITION_REQUIRED, "version-required", "The request does not say which version it changes"),
    (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Millwright failed"),
    (StatusCode::BAD_GATEWAY, "unreachable", "Millwright did not answer"),
    (StatusCode::SERVICE_UNAVAILABLE, "busy", "Too much at once"),
];

/// Where kinds of problem are described.
const PROBLEM_PAGE: &str = "/api/v1/docs#problem-";

impl Problem {
    /// A problem with nothing but its kind and its words.
    pub fn of(status: StatusCode, detail: String) -> Self {
        let known = PROBLEMS.iter().find(|(known, _, _)| *known == status);
        let kind = known.map_or_else(|| "about:blank".into(), |(_, name, _)| format!("{PROBLEM_PAGE}{name}"));
        let title = known.map(|(_, _, title)| *title).or(status.canonical_reason()).unwrap_or_default().into();
        Self {
            kind,
            title,
            status: status.as_u16(),
            detail,
            instance: String::new(),
            line: None,
            field: None,
            notes: Vec::new(),
            newest: None,
            yours: None,
            theirs: None,
            base: None,
            merge: None,
        }
    }
    /// A text that is no design.
    pub fn of_text(problem: &TextProblem) -> Self {
        let whole = Self::of(StatusCode::UNPROCESSABLE_ENTITY, format!("The design can't be read: {problem}."));
        Self { line: problem.line, field: problem.field.clone(), ..whole }
    }
    /// A design that does not add up.
    pub fn of_notes(detail: String, notes: Vec<LocatedNote>) -> Self {
        Self { notes, ..Self::of(StatusCode::UNPROCESSABLE_ENTITY, detail) }
    }
    /// A change that came too late.
    pub fn of_conflict(conflict: SaveConflict) -> Self {
        let detail = format!(
            "Version {} is kept by now, and this change was made to version {}.",
            conflict.newest.version, conflict.based_on_version
        );
        Self {
            newest: Some(conflict.newest),
            yours: Some(conflict.yours),
            theirs: Some(conflict.theirs),
            base: Some(conflict.base),
            merge: Some(conflict.merge),
            ..Self::of(StatusCode::PRECONDITION_FAILED, detail)
        }
    }
    /// A change to a version that never was, or that can't be told from its tag.
    pub fn of_unknown_version(newest: DesignVersion, yours: String, theirs: String) -> Self {
        let detail = format!("If-Match names no version of this design; the newest is version {}.", newest.version);
        let failed = Self::of(StatusCode::PRECONDITION_FAILED, detail);
        Self { newest: Some(newest), yours: Some(yours), theirs: Some(theirs), ..failed }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        (status, [(header::CONTENT_TYPE, PROBLEM_JSON)], body).into_response()
    }
}

/// Why those who watch over the house are not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// They come from another machine, and there is no token that would let them in.
    NotNear,
    /// They come from another machine, and don't bring the token.
    NoToken,
    /// The house can't do its work.
    NotReady {
        /// Why.
        reason: String,
    },
}

impl IntoResponse for Gate {
    fn into_response(self) -> Response {
        match self {
            Self::NotNear => {
                let words = "Metrics are told to this machine alone; `--metrics-token-file` lets others read them.";
                Problem::of(StatusCode::FORBIDDEN, words.into()).into_response()
            }
            Self::NoToken => {
                let words = "Metrics are told to whoever brings the token, as `Authorization: Bearer …`.";
                let mut response = Problem::of(StatusCode::UNAUTHORIZED, words.into()).into_response();
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                response
            }
            Self::NotReady { reason } => {
                let (kind, title) = ("about:blank".to_owned(), "Millwright is not ready".to_owned());
                let problem = Problem::of(StatusCode::SERVICE_UNAVAILABLE, reason);
                Problem { kind, title, instance: "/readyz".into(), ..problem }.into_response()
            }
        }
    }
}

/// A fragment as a sentence: people read it, not logs.
pub fn sentence(fragment: &str) -> String {
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
