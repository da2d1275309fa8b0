//! Runs: what was asked for, how far it is, and what it came to. A run that is done, cancelled or failed stays so.

use crate::Error;
use crate::db::Db;
use model::id::{DesignId, InputId, RunId};
use model::report::Report;
use model::run::{RunRequest, RunState, RunSummary};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

/// A run to be kept, queued.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Its name in paths.
    pub id: RunId,
    /// Which version of the design.
    pub version: u32,
    /// What was asked for.
    pub request: RunRequest,
    /// When it was asked for, milliseconds since 1970 UTC.
    pub created_ms: i64,
}

/// Keeps a run, queued.
pub async fn create(db: &Db, new: &NewRun) -> Result<(), Error> {
    let doing = format!("save run {}", new.id);
    let changes = changes_json(&new.request).map_err(|source| Error::Report { id: new.id.clone(), source })?;
    let mut write = db.write(&doing).await?;
    sqlx::query(
        "INSERT INTO run (id, design, version, created_ms, step_minutes, seed_bits, state, changes_json)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'queued', ?7)",
    )
    .bind(new.id.as_str())
    .bind(new.request.design.as_str())
    .bind(new.version)
    .bind(new.created_ms)
    .bind(new.request.step_minutes)
    .bind(new.request.seed.cast_signed())
    .bind(changes)
    .execute(&mut *write)
    .await
    .map_err(Error::sql(&doing))?;
    for (_, input) in new.request.inputs() {
        insert_input(&mut write, &new.id, input).await?;
    }
    write.commit().await.map_err(Error::sql(doing))
}

async fn insert_input(conn: &mut SqliteConnection, run: &RunId, input: &InputId) -> Result<(), Error> {
    let made =
        sqlx::query("INSERT INTO run_input (run, input) SELECT ?1, id FROM input WHERE id = ?2 ON CONFLICT DO NOTHING")
            .bind(run.as_str())
            .bind(input.as_str())
            .execute(&mut *conn)
            .await
            .map_err(Error::sql(format!("save run {run}")))?;
    let there: i64 = sqlx::query_scalar("SELECT count(*) FROM run_input WHERE run = ?1 AND input = ?2")
        .bind(run.as_str())
        .bind(input.as_str())
        .fetch_one(conn)
        .await
        .map_err(Error::sql(format!("save run {run}")))?;
    if made.rows_affected() == 0 && there == 0 {
        return Err(Error::NoInput { id: input.clone() });
    }
    Ok(())
}

/// What was asked for beside what has a column of its own.
fn changes_json(request: &RunRequest) -> Result<String, serde_json::Error> {
    let mut changes = serde_json::to_value(request)?;
    if let Some(members) = changes.as_object_mut() {
        for column in ["design", "version", "step_minutes", "seed"] {
            members.remove(column);
        }
    }
    serde_json::to_string(&changes)
}

/// Its turn has come.
pub async fn set_running(db: &Db, id: &RunId) -> Result<(), Error> {
    let changed = sqlx::query("UPDATE run SET state = 'running' WHERE id = ?1 AND state IN ('queued', 'running')")
        .bind(id.as_str())
        .execute(db.writer())
        .await;
    changed_one(db, id, changed).await
}

/// It is done, and this is what it came to. The report carries its own program version and hash of the input.
pub async fn set_done(db: &Db, id: &RunId, report: &Report, at_ms: i64) -> Result<(), Error> {
    let unkept = |source| Error::Report { id: id.clone(), source };
    let json = serde_json::to_string(report).map_err(unkept)?;
    // JSON has no infinity: such a figure would be written as null and never be read again.
    let _: Report = serde_json::from_str(&json).map_err(unkept)?;
    let changed = sqlx::query(
        "UPDATE run
         SET state = 'done', settled_ms = ?2, program_version = ?3, input_sha256 = ?4,
             tokens_per_second_per_mw_facility = ?5, report_json = ?6
         WHERE id = ?1 AND state IN ('queued', 'running')",
    )
    .bind(id.as_str())
    .bind(at_ms)
    .bind(&report.program_version)
    .bind(&report.input_hash)
    .bind(report.tokens_per_second_per_mw_facility)
    .bind(json)
    .execute(db.writer())
    .await;
    changed_one(db, id, changed).await
}

/// A person stopped it.
pub async fn set_cancelled(db: &Db, id: &RunId, at_ms: i64) -> Result<(), Error> {
    let changed = sqlx::query(
        "UPDATE run SET state = 'cancelled', settled_ms = ?2 WHERE id = ?1 AND state IN ('queued', 'running')",
    )
    .bind(id.as_str())
    .bind(at_ms)
    .execute(db.writer())
    .await;
    changed_one(db, id, changed).await
}

/// It could not be run.
pub async fn set_failed(db: &Db, id: &RunId, reason: &str, at_ms: i64) -> Result<(), Error> {
    let changed = sqlx::query(
        "UPDATE run SET state = 'failed', failure = ?2, settled_ms = ?3
         WHERE id = ?1 AND state IN ('queued', 'running')",
    )
    .bind(id.as_str())
    .bind(reason)
    .bind(at_ms)
    .execute(db.writer())
    .await;
    changed_one(db, id, changed).await
}

/// Queues again what was queued or under way when the program ended, and names it, oldest first.
pub async fn requeue_unsettled(db: &Db) -> Result<Vec<RunId>, Error> {
    let doing = "queue interrupted runs again";
    let mut write = db.write(doing).await?;
    sqlx::query("UPDATE run SET state = 'queued' WHERE state = 'running'")
        .execute(&mut *write)
        .await
        .map_err(Error::sql(doing))?;
    let ids: Vec<String> = sqlx::query_scalar("SELECT id FROM run WHERE state = 'queued' ORDER BY arrival")
        .fetch_all(&mut *write)
        .await
        .map_err(Error::sql(doing))?;
    write.commit().await.map_err(Error::sql(doing))?;
    ids.into_iter().map(run_id).collect()
}

/// The newest runs, no more than `limit` of them, and those alone that came before the run `before`.
pub async fn list(db: &Db, before: Option<&RunId>, limit: u32) -> Result<Vec<RunSummary>, Error> {
    if let Some(id) = before {
        get(db, id).await?;
    }
    let rows = sqlx::query(
        "SELECT r.id, r.design, v.name, r.version, r.created_ms, r.state, r.failure,
                r.tokens_per_second_per_mw_facility, r.step_minutes, r.seed_bits, r.changes_json
         FROM run r
         JOIN design_version v ON v.design = r.design AND v.version = r.version
         WHERE ?1 IS NULL OR r.arrival < (SELECT arrival FROM run WHERE id = ?1)
         ORDER BY r.arrival DESC
         LIMIT ?2",
    )
    .bind(before.map(RunId::as_str))
    .bind(limit)
    .fetch_all(db.readers())
    .await
    .map_err(Error::sql("list runs"))?;
    rows.iter().map(stored).collect()
}

/// One run.
pub async fn get(db: &Db, id: &RunId) -> Result<RunSummary, Error> {
    let row = sqlx::query(
        "SELECT r.id, r.design, v.name, r.version, r.created_ms, r.state, r.failure,
                r.tokens_per_second_per_mw_facility, r.step_minutes, r.seed_bits, r.changes_json
         FROM run r
         JOIN design_version v ON v.design = r.design AND v.version = r.version
         WHERE r.id = ?1",
    )
    .bind(id.as_str())
    .fetch_optional(db.readers())
    .await
    .map_err(Error::sql(format!("read run {id}")))?;
    stored(&row.ok_or_else(|| Error::NoRun { id: id.clone() })?)
}

/// What it came to, once it is done.
pub async fn report(db: &Db, id: &RunId) -> Result<Option<Report>, Error> {
    let row: Option<(Option<String>,)> = sqlx::query_as("SELECT report_json FROM run WHERE id = ?1")
        .bind(id.as_str())
        .fetch_optional(db.readers())
        .await
        .map_err(Error::sql(format!("read the report of run {id}")))?;
    let (json,) = row.ok_or_else(|| Error::NoRun { id: id.clone() })?;
    json.map(|json| serde_json::from_str(&json).map_err(|source| Error::Report { id: id.clone(), source })).transpose()
}

/// Turns "no row was changed" into why: there is no such run, or it has ended.
async fn changed_one(
    db: &Db,
    id: &RunId,
    changed: Result<sqlx::sqlite::SqliteQueryResult, sqlx::Error>,
) -> Result<(), Error> {
    let changed = changed.map_err(Error::sql(format!("save run {id}")))?;
    if changed.rows_affected() == 1 {
        return Ok(());
    }
    let state: Option<String> = sqlx::query_scalar("SELECT state FROM run WHERE id = ?1")
        .bind(id.as_str())
        .fetch_optional(db.readers())
        .await
        .map_err(Error::sql(format!("read run {id}")))?;
    Err(match state {
        Some(state) => Error::RunSettled { id: id.clone(), state },
        None => Error::NoRun { id: id.clone() },
    })
}

fn run_id(text: String) -> Result<RunId, Error> {
    text.parse().map_err(|_| Error::Corrupt { what: "run.id", value: text })
}

fn stored(row: &SqliteRow) -> Result<RunSummary, Error> {
    let read = || Error::sql("read a run");
    let design: String = row.try_get("design").map_err(read())?;
    let design: DesignId = design.parse().map_err(|_| Error::Corrupt { what: "run.design", value: design })?;
    Ok(RunSummary {
        id: run_id(row.try_get("id").map_err(read())?)?,
        request: request(row, &design)?,
        design,
        design_name: row.try_get("name").map_err(read())?,
        version: row.try_get("version").map_err(read())?,
        created_ms: row.try_get("created_ms").map_err(read())?,
        state: state(row)?,
        tokens_per_second_per_mw_facility: row.try_get("tokens_per_second_per_mw_facility").map_err(read())?,
    })
}

/// What was asked for: what has columns of its own, and the rest.
fn request(row: &SqliteRow, design: &DesignId) -> Result<RunRequest, Error> {
    let read = || Error::sql("read a run");
    let seed_bits: i64 = row.try_get("seed_bits").map_err(read())?;
    let (version, step_minutes): (u32, u32) =
        (row.try_get("version").map_err(read())?, row.try_get("step_minutes").map_err(read())?);
    let changes: String = row.try_get("changes_json").map_err(read())?;
    let corrupt = || Error::Corrupt { what: "run.changes_json", value: changes.clone() };
    let mut members: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&changes).map_err(|_| corrupt())?;
    members.insert("design".into(), design.as_str().into());
    members.insert("version".into(), version.into());
    members.insert("step_minutes".into(), step_minutes.into());
    members.insert("seed".into(), seed_bits.cast_unsigned().into());
    serde_json::from_value(members.into()).map_err(|_| corrupt())
}

fn state(row: &SqliteRow) -> Result<RunState, Error> {
    let state: String = row.try_get("state").map_err(Error::sql("read a run"))?;
    let failure: Option<String> = row.try_get("failure").map_err(Error::sql("read a run"))?;
    Ok(match state.as_str() {
        "queued" => RunState::Queued,
        "running" => RunState::Running { progress: 0.0, seconds_left: 0.0 },
        "done" => RunState::Done,
        "cancelled" => RunState::Cancelled,
        "failed" => RunState::Failed { reason: failure.unwrap_or_default() },
        _ => return Err(Error::Corrupt { what: "run.state", value: state }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{open, open_in_memory};
    use crate::design::{self, NewText};
    use crate::input::{self, NewInput};
    use model::design::Demand;
    use model::input::InputKind;
    use model::quantity::{Power, Ratio};
    use std::path::Path;

    async fn with_design(db: Db) -> Db {
        let id: DesignId = "hall".parse().unwrap();
        let new = NewText { name: "A hall", at_ms: 1, ..NewText::default() };
        design::upsert_reference(&db, &id, new, 0).await.unwrap();
        db
    }

    fn new(id: &str, created_ms: i64) -> NewRun {
        let request = RunRequest { seed: u64::MAX, ..RunRequest::of("hall".parse().unwrap()) };
        NewRun { id: id.parse().unwrap(), version: 1, request, created_ms }
    }

    fn report() -> Report {
        Report {
            design: "A hall".into(),
            program_version: "0.1.0".into(),
            input_hash: "0".repeat(64),
            tokens_per_second_per_mw_facility: 1.5e6,
            ..Report::default()
        }
    }

    #[tokio::test]
    async fn a_run_goes_from_queued_to_done() {
        let db = with_design(open_in_memory().await.unwrap()).await;
        let run = new("r1", 10);
        create(&db, &run).await.unwrap();
        let kept = get(&db, &run.id).await.unwrap();
        assert_eq!(kept.state, RunState::Queued);
        assert_eq!(kept.request, RunRequest { version: Some(1), ..run.request.clone() });
        assert_eq!(kept.design_name, "A hall");
        set_running(&db, &run.id).await.unwrap();
        assert_eq!(super::report(&db, &run.id).await.unwrap(), None);
        set_done(&db, &run.id, &report(), 20).await.unwrap();
        assert_eq!(super::report(&db, &run.id).await.unwrap(), Some(report()));
        let kept = get(&db, &run.id).await.unwrap();
        assert_eq!(kept.state, RunState::Done);
        assert_eq!(kept.tokens_per_second_per_mw_facility, Some(1.5e6));
    }

    #[tokio::test]
    async fn what_was_changed_is_kept_and_holds_its_files() {
        let db = with_design(open_in_memory().await.unwrap()).await;
        let summary = serde_json::json!({
            "read_for": "", "series": [], "figures": {},
            "report": { "input": "prices", "file": "", "format": "", "rows": 1, "filled": 0, "remarks": [] },
        });
        let summary = serde_json::from_value(summary).unwrap();
        let new_input =
            NewInput { kind: InputKind::Price, name: "lmp.csv", content: b"x", summary: &summary, at_ms: 1 };
        let price = input::save(&db, new_input).await.unwrap().id;
        let mut run = new("r1", 10);
        run.request.price = Some(price.clone());
        run.request.power_cap = Some(Power::from_watts(700.5));
        run.request.demand = Some(Demand::PeakShare(Ratio::from_fraction(0.5)));
        create(&db, &run).await.unwrap();
        let kept = get(&db, &run.id).await.unwrap().request;
        assert_eq!(kept, RunRequest { version: Some(1), ..run.request.clone() });
        assert!(matches!(input::delete(&db, &price).await, Err(Error::InputUsed { .. })));
        let mut other = new("r2", 11);
        other.request.weather = Some("0".repeat(20).parse().unwrap());
        assert!(matches!(create(&db, &other).await, Err(Error::NoInput { .. })));
        assert!(matches!(get(&db, &other.id).await, Err(Error::NoRun { .. })), "a refused run leaves nothing behind");
    }

    #[tokio::test]
    async fn what_has_ended_stays_so() {
        let db = with_design(open_in_memory().await.unwrap()).await;
        let run = new("r1", 10);
        create(&db, &run).await.unwrap();
        set_cancelled(&db, &run.id, 20).await.unwrap();
        for late in [
            set_done(&db, &run.id, &report(), 30).await,
            set_failed(&db, &run.id, "late", 30).await,
            set_running(&db, &run.id).await,
            set_cancelled(&db, &run.id, 30).await,
        ] {
            assert!(matches!(late, Err(Error::RunSettled { .. })), "{late:?}");
        }
        assert_eq!(get(&db, &run.id).await.unwrap().state, RunState::Cancelled);
    }

    #[tokio::test]
    async fn a_figure_that_is_not_a_number_is_refused() {
        let db = with_design(open_in_memory().await.unwrap()).await;
        let run = new("r1", 10);
        create(&db, &run).await.unwrap();
        let odd = Report { pue: f64::NAN, ..report() };
        assert!(matches!(set_done(&db, &run.id, &odd, 20).await, Err(Error::Report { .. })));
    }

    #[tokio::test]
    async fn runs_are_listed_newest_first_up_to_a_limit() {
        let db = with_design(open_in_memory().await.unwrap()).await;
        for (id, at) in [("a", 3), ("b", 3), ("c", 1)]
        /* the clock may be put back */
        {
            create(&db, &new(id, at)).await.unwrap();
        }
        let ids = |runs: Vec<RunSummary>| runs.into_iter().map(|run| run.id.to_string()).collect::<Vec<_>>();
        assert_eq!(ids(list(&db, None, 10).await.unwrap()), ["c", "b", "a"]);
        assert_eq!(ids(list(&db, None, 2).await.unwrap()), ["c", "b"]);
        assert_eq!(ids(list(&db, Some(&"c".parse().unwrap()), 1).await.unwrap()), ["b"]);
        assert_eq!(ids(list(&db, Some(&"a".parse().unwrap()), 9).await.unwrap()), [""; 0]);
    }

    #[tokio::test]
    async fn an_unknown_run_is_not_found() {
        let db = with_design(open_in_memory().await.unwrap()).await;
        let id: RunId = "nowhere".parse().unwrap();
        assert!(matches!(get(&db, &id).await, Err(Error::NoRun { .. })));
        assert!(matches!(super::report(&db, &id).await, Err(Error::NoRun { .. })));
        assert!(matches!(set_running(&db, &id).await, Err(Error::NoRun { .. })));
    }

    #[tokio::test]
    async fn a_run_of_no_design_is_refused() {
        let db = open_in_memory().await.unwrap();
        assert!(matches!(create(&db, &new("r1", 10)).await, Err(Error::Sql { .. })));
    }

    /// A program that is killed never closes its connections: what it had written is there for the next one, and what
    /// was queued or under way is queued again, in order.
    #[tokio::test]
    async fn a_crash_loses_nothing_and_queues_again() {
        async fn fill(path: &Path) -> Db {
            let db = with_design(open(path).await.unwrap()).await;
            for (id, at) in [("running", 2), ("queued", 2), ("done", 3), ("failed", 4)] {
                create(&db, &new(id, at)).await.unwrap();
            }
            set_running(&db, &"running".parse().unwrap()).await.unwrap();
            set_done(&db, &"done".parse().unwrap(), &report(), 9).await.unwrap();
            set_failed(&db, &"failed".parse().unwrap(), "no water", 9).await.unwrap();
            db
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("millwright.db");
        let killed = fill(&path).await;
        let copy = dir.path().join("after-the-crash.db");
        for end in ["", "-wal"] {
            let from = format!("{}{end}", path.display());
            std::fs::copy(from, format!("{}{end}", copy.display())).unwrap();
        }
        let db = open(&copy).await.unwrap();
        let ids: Vec<String> = requeue_unsettled(&db).await.unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(ids, ["running", "queued"]);
        assert_eq!(get(&db, &"running".parse().unwrap()).await.unwrap().state, RunState::Queued);
        assert_eq!(super::report(&db, &"done".parse().unwrap()).await.unwrap(), Some(report()));
        let failed = get(&db, &"failed".parse().unwrap()).await.unwrap().state;
        assert_eq!(failed, RunState::Failed { reason: "no water".into() });
        drop(killed);
    }

    #[tokio::test]
    async fn two_programs_can_have_it_open() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("millwright.db");
        let one = with_design(open(&path).await.unwrap()).await;
        let two = open(&path).await.unwrap();
        let writing = (0..20).map(|n| new(&format!("r{n}"), n)).collect::<Vec<_>>();
        for (n, run) in writing.iter().enumerate() {
            create(if n % 2 == 0 { &one } else { &two }, run).await.unwrap();
        }
        assert_eq!(list(&one, None, 100).await.unwrap().len(), 20);
        assert_eq!(list(&one, None, 100).await.unwrap(), list(&two, None, 100).await.unwrap());
    }
}
