//! The database file: opened, brought up to date, one connection that writes and a few that read.

use crate::Error;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};
use std::path::Path;
use std::time::Duration;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");
static HISTORY_MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/telemetry");

/// Pages are read by people, a few at a time, and each read takes well under a millisecond.
const READERS: u32 = 4;
/// How long a statement waits for another program's lock, such as a backup's.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// An open database. Cloning it is cheap and shares the connections.
#[derive(Debug, Clone)]
pub struct Db {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Db {
    /// The connections that read.
    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.readers
    }
    /// The one connection that writes; its single place is the queue of writers.
    pub(crate) fn writer(&self) -> &SqlitePool {
        &self.writer
    }
    /// A transaction that has the write lock from its first statement, so that it never has to start over.
    pub(crate) async fn write(&self, doing: &str) -> Result<Transaction<'static, Sqlite>, Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(Error::sql(doing))
    }
    /// What SQLite finds wrong with the file, page by page and row by row; nothing where all is well.
    pub async fn damage(&self) -> Result<Vec<String>, Error> {
        let doing = "check the database";
        let mut found: Vec<String> = sqlx::query_scalar("SELECT integrity_check FROM pragma_integrity_check")
            .fetch_all(&self.readers)
            .await
            .map_err(Error::sql(doing))?;
        found.retain(|line| line != "ok");
        let orphans: Vec<(String, String)> = sqlx::query_as("SELECT \"table\", parent FROM pragma_foreign_key_check")
            .fetch_all(&self.readers)
            .await
            .map_err(Error::sql(doing))?;
        found.extend(orphans.into_iter().map(|(table, parent)| format!("a row of {table} without its {parent}")));
        Ok(found)
    }
    /// Whether it can be read now.
    pub async fn answers(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1").execute(&self.readers).await.map(drop).map_err(Error::sql("read the database"))
    }
    /// How many bytes it has, what its log holds left out.
    pub async fn bytes(&self) -> Result<u64, Error> {
        let bytes: i64 = sqlx::query_scalar("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            .fetch_one(&self.readers)
            .await
            .map_err(Error::sql("measure the database"))?;
        Ok(bytes.unsigned_abs())
    }
    /// Writes back what the log holds and lets the file go.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Opens the database file at `path`, makes it where there is none, and brings its schema up to date. What was written
/// survives the loss of power.
pub async fn open(path: &Path) -> Result<Db, Error> {
    open_as(path, &MIGRATIONS, SqliteSynchronous::Full).await
}

/// Opens the file of the live history likewise. What was written survives the death of the program; the loss of power
/// may cost the last moments, since a disk that is made sure of every second would do nothing else.
pub async fn open_history(path: &Path) -> Result<Db, Error> {
    open_as(path, &HISTORY_MIGRATIONS, SqliteSynchronous::Normal).await
}

async fn open_as(path: &Path, migrations: &Migrator, synchronous: SqliteSynchronous) -> Result<Db, Error> {
    let failed = |source| Error::Open { path: path.to_owned(), source };
    let options = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .optimize_on_close(true, None);
    let write = options.clone().create_if_missing(true).journal_mode(SqliteJournalMode::Wal).synchronous(synchronous);
    let writer = lasting(1).connect_with(write).await.map_err(failed)?;
    migrate(&writer, path, migrations).await?;
    let readers = lasting(READERS).connect_with(options.read_only(true)).await.map_err(failed)?;
    Ok(Db { writer, readers })
}

/// What a look at a database file found; nothing of it is changed, and it need not be up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The version of its schema; absent for a file that has none.
    pub version: Option<i64>,
    /// The version that this program makes of it.
    pub known: i64,
    /// How many bytes it has.
    pub bytes: u64,
    /// What is wrong with it.
    pub damage: Vec<String>,
    /// Its tables and indices, as SQL.
    pub schema: Vec<String>,
}

/// Looks at the file of designs and runs.
pub async fn look(path: &Path) -> Result<Look, Error> {
    look_as(path, &MIGRATIONS).await
}

/// Looks at the file of the live history.
pub async fn look_history(path: &Path) -> Result<Look, Error> {
    look_as(path, &HISTORY_MIGRATIONS).await
}

async fn look_as(path: &Path, migrations: &Migrator) -> Result<Look, Error> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY_TIMEOUT);
    let readers =
        lasting(1).connect_with(options).await.map_err(|source| Error::Open { path: path.to_owned(), source })?;
    let db = Db { writer: readers.clone(), readers };
    let looked = async {
        let doing = "read the schema";
        let schema: Vec<String> =
            sqlx::query_scalar("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
                .fetch_all(&db.readers)
                .await
                .map_err(Error::sql(doing))?;
        let version = if schema.iter().any(|sql| sql.contains("_sqlx_migrations")) {
            let newest = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations");
            newest.fetch_one(&db.readers).await.map_err(Error::sql(doing))?
        } else {
            None
        };
        let known = migrations.iter().map(|migration| migration.version).max().unwrap_or_default();
        Ok(Look { version, known, bytes: db.bytes().await?, damage: db.damage().await?, schema })
    };
    let look = looked.await;
    db.close().await;
    look
}

/// A database of its own that is gone when it is closed. For tests and for looking around.
pub async fn open_in_memory() -> Result<Db, Error> {
    open_in_memory_as(&MIGRATIONS).await
}

/// A history of its own that is gone when it is closed.
pub async fn open_history_in_memory() -> Result<Db, Error> {
    open_in_memory_as(&HISTORY_MIGRATIONS).await
}

async fn open_in_memory_as(migrations: &Migrator) -> Result<Db, Error> {
    let path = Path::new(":memory:");
    let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
    let writer =
        lasting(1).connect_with(options).await.map_err(|source| Error::Open { path: path.to_owned(), source })?;
    migrate(&writer, path, migrations).await?;
    Ok(Db { readers: writer.clone(), writer })
}

/// Connections to a local file don't go stale.
fn lasting(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

async fn migrate(writer: &SqlitePool, path: &Path, migrations: &Migrator) -> Result<(), Error> {
    let known = migrations.iter().map(|migration| migration.version).max().unwrap_or_default();
    migrations.run(writer).await.map_err(|source| {
        if let MigrateError::VersionMissing(found) = source
            && found > known
        {
            return Error::Newer { path: path.to_owned(), found, known };
        }
        Error::Migrate { path: path.to_owned(), source: Box::new(source) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pragma(db: &Db, sql: &'static str) -> String {
        sqlx::query_scalar::<_, String>(sql).fetch_one(db.writer()).await.unwrap()
    }

    #[tokio::test]
    async fn the_file_is_a_log_that_survives_a_loss_of_power() {
        let dir = tempfile::tempdir().unwrap();
        let db = open(&dir.path().join("millwright.db")).await.unwrap();
        assert_eq!(pragma(&db, "SELECT journal_mode FROM pragma_journal_mode").await, "wal");
        assert_eq!(pragma(&db, "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous").await, "2");
        assert_eq!(pragma(&db, "SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys").await, "1");
    }

    #[tokio::test]
    async fn a_sound_file_has_no_damage() {
        let db = open_in_memory().await.unwrap();
        assert_eq!(db.damage().await.unwrap(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn readers_cannot_write() {
        let dir = tempfile::tempdir().unwrap();
        let db = open(&dir.path().join("millwright.db")).await.unwrap();
        let refused = sqlx::query("DELETE FROM run").execute(db.readers()).await.unwrap_err();
        assert!(refused.to_string().contains("readonly"), "{refused}");
    }

    #[tokio::test]
    async fn every_table_is_strict() {
        for db in [open_in_memory().await.unwrap(), open_history_in_memory().await.unwrap()] {
            let loose: Vec<String> = sqlx::query_scalar(
                "SELECT name FROM pragma_table_list
                 WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations'",
            )
            .fetch_all(db.readers())
            .await
            .unwrap();
            assert_eq!(loose, Vec::<String>::new());
        }
    }

    #[tokio::test]
    async fn migrating_again_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("millwright.db");
        let schema = async |db: &Db| -> Vec<String> {
            sqlx::query_scalar(
                "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name",
            )
            .fetch_all(db.readers())
            .await
            .unwrap()
        };
        let first = open(&path).await.unwrap();
        let before = schema(&first).await;
        first.close().await;
        let second = open(&path).await.unwrap();
        assert_eq!(schema(&second).await, before);
        migrate(second.writer(), &path, &MIGRATIONS).await.unwrap();
        assert_eq!(schema(&second).await, before);
    }

    #[tokio::test]
    async fn an_older_database_keeps_what_it_has() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("millwright.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true).foreign_keys(true);
        let old = lasting(1).connect_with(options).await.unwrap();
        let first = MIGRATIONS.iter().filter(|migration| migration.version == 1).cloned().collect();
        Migrator::with_migrations(first).run(&old).await.unwrap();
        for sql in [
            "INSERT INTO design (id, origin, position, created_ms) VALUES ('hall', 'own', 0, 1)",
            "INSERT INTO design_version (design, version, created_ms, name, text_sha256, text_toml)
             VALUES ('hall', 1, 1, 'A hall', '0000000000000000000000000000000000000000000000000000000000000000', 'a = 1')",
            "INSERT INTO run (id, design, version, created_ms, step_minutes, seed_bits, state)
             VALUES ('r1', 'hall', 1, 2, 30, -1, 'queued')",
        ] {
            sqlx::query(sql).execute(&old).await.unwrap();
        }
        old.close().await;
        let db = open(&path).await.unwrap();
        let design = crate::design::newest(&db, &"hall".parse().unwrap()).await.unwrap();
        assert_eq!((design.toml.as_str(), design.version.label.as_str(), design.archived_ms), ("a = 1", "", None));
        let request = crate::run::get(&db, &"r1".parse().unwrap()).await.unwrap().request;
        assert_eq!((request.version, request.step_minutes, request.seed), (Some(1), 30, u64::MAX));
        assert_eq!(request.inputs().count(), 0);
        assert_eq!(db.damage().await.unwrap(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_newer_database_is_refused_in_words() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("millwright.db");
        let db = open(&path).await.unwrap();
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'from the future', TRUE, X'00', 0)",
        )
        .execute(db.writer())
        .await
        .unwrap();
        db.close().await;
        let words = open(&path).await.unwrap_err().to_string();
        assert!(words.contains("newer Millwright") && words.contains("9999"), "{words}");
    }

    #[tokio::test]
    async fn a_look_changes_nothing_and_says_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("telemetry.db");
        assert!(look_history(&path).await.is_err() && !path.exists(), "a look makes no file");
        let open = open_history(&path).await.unwrap();
        let beside = look_history(&path).await.unwrap();
        assert_eq!((beside.version, beside.damage.len()), (Some(beside.known), 0), "beside a house that is open");
        assert!(beside.bytes > 0 && beside.schema.iter().any(|sql| sql.contains("CREATE TABLE series")));
        open.close().await;
        let before = std::fs::read(&path).unwrap();
        let after = look_history(&path).await.unwrap();
        assert_eq!((after.version, after.damage.len()), (Some(after.known), 0));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        // Beside nothing that a database may have left there: what is in a log of its own can stand in for the file.
        let other = dir.path().join("other.db");
        std::fs::write(&other, "not a database, but long enough to look at: ".repeat(100)).unwrap();
        assert!(look_history(&other).await.is_err());
    }

    #[tokio::test]
    async fn something_else_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("millwright.db");
        std::fs::write(&path, "not a database, but long enough to look at: ".repeat(100)).unwrap();
        assert!(matches!(open(&path).await, Err(Error::Open { .. } | Error::Migrate { .. })));
    }
}
