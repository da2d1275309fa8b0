//! What can go wrong in the store.

use model::id::{DesignId, InputId, ReplayId, RunId, SnapshotId, SweepId};
use std::path::PathBuf;

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file can't be opened as a database.
    #[error("could not open the database {}", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The file was written by a later program.
    #[error(
        "the database {} is from a newer Millwright (its schema is {found}, this program knows {known}); \
         start that version, or choose another data directory",
        path.display()
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema that this program knows.
        known: i64,
    },
    /// The file can't be brought up to date.
    #[error("could not bring the database {} up to date", path.display())]
    Migrate {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<sqlx::migrate::MigrateError>,
    },
    /// A stretch of history can't be read.
    #[error("could not read the history")]
    Damaged {
        /// Why.
        #[source]
        source: crate::chunk::Damaged,
    },
    /// A state of the fleet can't be written or read.
    #[error("could not keep the state of the fleet")]
    State {
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// Labels can't be written or read.
    #[error("could not keep the labels of a series")]
    Labels {
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// There is no such design.
    #[error("design {id} does not exist")]
    NoDesign {
        /// Which.
        id: DesignId,
    },
    /// The design has no such version.
    #[error("design {id} has no version {version}")]
    NoVersion {
        /// Which.
        id: DesignId,
        /// Which version of it.
        version: u32,
    },
    /// It is not a user's to change.
    #[error("design {id} came with Millwright and stays as it is: branch it, and change the branch")]
    Reference {
        /// Which.
        id: DesignId,
    },
    /// It was put away.
    #[error("design {id} is archived: restore it to change it")]
    Archived {
        /// Which.
        id: DesignId,
    },
    /// Someone saved another version in between.
    #[error("design {id} is at version {newest} by now, and this change was made to version {based_on}")]
    DesignChanged {
        /// Which.
        id: DesignId,
        /// The version that was changed.
        based_on: u32,
        /// The newest version.
        newest: u32,
    },
    /// No share link leads there.
    #[error("snapshot {id} does not exist")]
    NoSnapshot {
        /// Which.
        id: SnapshotId,
    },
    /// There is no such input file.
    #[error("input file {id} does not exist")]
    NoInput {
        /// Which.
        id: InputId,
    },
    /// A run could not be made again without it.
    #[error("input file {id} is used by run {run}: it stays for as long as the run does")]
    InputUsed {
        /// Which.
        id: InputId,
        /// A run that uses it.
        run: String,
    },
    /// Input files together are too large.
    #[error("input files take {limit} bytes together at most: delete some")]
    Full {
        /// The limit.
        limit: i64,
    },
    /// There is no such replay.
    #[error("replay {id} does not exist")]
    NoReplay {
        /// Which.
        id: ReplayId,
    },
    /// Replays together are too large.
    #[error("the traces and rows of replays take {limit} bytes together at most: delete some")]
    ReplaysFull {
        /// The limit.
        limit: i64,
    },
    /// There is no such sweep.
    #[error("sweep {id} does not exist")]
    NoSweep {
        /// Which.
        id: SweepId,
    },
    /// The sweep is done, cancelled or failed, or has these rows already.
    #[error("sweep {id} is at its end already")]
    SweepSettled {
        /// Which.
        id: SweepId,
    },
    /// Sweeps together are too large.
    #[error("the rows of sweeps take {limit} bytes together at most: delete some")]
    SweepsFull {
        /// The limit.
        limit: i64,
    },
    /// What was read in a file holds a figure that JSON can't.
    #[error("what was read in the file can't be kept")]
    Summary {
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// There is no such run.
    #[error("run {id} does not exist")]
    NoRun {
        /// Which.
        id: RunId,
    },
    /// The run is done, cancelled or failed, and stays so.
    #[error("run {id} is {state} already")]
    RunSettled {
        /// Which.
        id: RunId,
        /// How it ended.
        state: String,
    },
    /// The report holds a figure that JSON can't.
    #[error("the report of run {id} can't be kept: a figure in it is not a number")]
    Report {
        /// Which run.
        id: RunId,
        /// Where.
        #[source]
        source: serde_json::Error,
    },
    /// A row that this program did not write.
    #[error("{what} in the database makes no sense: {value:?}")]
    Corrupt {
        /// Which column.
        what: &'static str,
        /// What stands there.
        value: String,
    },
    /// The database said no.
    #[error("could not {doing}")]
    Sql {
        /// What was being done.
        doing: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
}

impl Error {
    /// For `map_err`: what was being done when the database said no.
    pub(crate) fn sql(doing: impl Into<String>) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Sql { doing: doing.into(), source }
    }
}
