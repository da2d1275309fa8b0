//! Sweeps of a design: what was asked, how far each is, and its rows, which are added part by part. One that is done, cancelled
//! or failed stays so.

use crate::Error;
use crate::db::Db;
use model::id::{DesignId, SweepId};
use model::run::RunState;
use model::sweep::{SweepAsk, SweepSummary};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// Most bytes of all rows together.
pub const ALL_BYTES_MAX: i64 = 1 << 30;

/// A sweep to be kept, queued.
#[derive(Debug, Clone)]
pub struct NewSweep {
    /// Its name in paths.
    pub id: SweepId,
    /// What it is called.
    pub name: String,
    /// The design.
    pub design: DesignId,
    /// Which version of it.
    pub version: u32,
    /// What is asked, every value named.
    pub ask: SweepAsk,
    /// Combinations.
    pub rows: u32,
    /// When it was asked for, milliseconds since 1970 UTC.
    pub created_ms: i64,
}

/// Keeps a sweep, queued.
pub async fn create(db: &Db, new: &NewSweep) -> Result<(), Error> {
    let doing = format!("save sweep {}", new.id);
    let ask = serde_json::to_string(&new.ask).map_err(|source| Error::Summary { source })?;
    let mut write = db.write(&doing).await?;
    let all: i64 = sqlx::query_scalar("SELECT coalesce(sum(length(rows_json_gz)), 0) FROM sweep_rows")
        .fetch_one(&mut *write)
        .await
        .map_err(Error::sql(&doing))?;
    if all > ALL_BYTES_MAX {
        return Err(Error::SweepsFull { limit: ALL_BYTES_MAX });
    }
    sqlx::query(
        "INSERT INTO sweep (id, name, created_ms, design, version, ask_json, row_count, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'queued')",
    )
    .bind(new.id.as_str())
    .bind(&new.name)
    .bind(new.created_ms)
    .bind(new.design.as_str())
    .bind(new.version)
    .bind(ask)
    .bind(new.rows)
    .execute(&mut *write)
    .await
    .map_err(Error::sql(&doing))?;
    write.commit().await.map_err(Error::sql(doing))
}

/// The newest sweeps, no more than `limit` of them, and those alone that came before the sweep `before`.
pub async fn list(db: &Db, before: Option<&SweepId>, limit: u32) -> Result<Vec<SweepSummary>, Error> {
    if let Some(id) = before {
        get(db, id).await?;
    }
    let rows = sqlx::query(
        "SELECT sweep.*, v.name AS design_name
         FROM sweep JOIN design_version v ON v.design = sweep.design AND v.version = sweep.version
         WHERE ?1 IS NULL OR arrival < (SELECT arrival FROM sweep WHERE id = ?1)
         ORDER BY arrival DESC LIMIT ?2",
    )
    .bind(before.map(SweepId::as_str))
    .bind(limit)
    .fetch_all(db.readers())
    .await
    .map_err(Error::sql("list sweeps"))?;
    rows.iter().map(summary).collect()
}

/// One sweep.
pub async fn get(db: &Db, id: &SweepId) -> Result<SweepSummary, Error> {
    let row = sqlx::query(
        "SELECT sweep.*, v.name AS design_name
         FROM sweep JOIN design_version v ON v.design = sweep.design AND v.version = sweep.version
         WHERE id = ?1",
    )
    .bind(id.as_str())
    .fetch_optional(db.readers())
    .await
    .map_err(Error::sql(format!("read sweep {id}")))?;
    summary(&row.ok_or_else(|| Error::NoSweep { id: id.clone() })?)
}

/// The sweep that was asked for first of those that are not settled.
pub async fn next(db: &Db) -> Result<Option<SweepSummary>, Error> {
    let row = sqlx::query(
        "SELECT sweep.*, v.name AS design_name
         FROM sweep JOIN design_version v ON v.design = sweep.design AND v.version = sweep.version
         WHERE state IN ('queued', 'running') ORDER BY arrival LIMIT 1",
    )
    .fetch_optional(db.readers())
    .await
    .map_err(Error::sql("read the next sweep"))?;
    row.as_ref().map(summary).transpose()
}

/// Sweeps that are not settled.
pub async fn unsettled(db: &Db) -> Result<u32, Error> {
    sqlx::query_scalar("SELECT count(*) FROM sweep WHERE state IN ('queued', 'running')")
        .fetch_one(db.readers())
        .await
        .map_err(Error::sql("count sweeps"))
}

/// Keeps the next rows of a sweep, as compressed JSON; with its last rows it is done. Refused where it is settled, or where
/// these are not its next rows.
pub async fn add_rows(
    db: &Db,
    id: &SweepId,
    first: u32,
    (rows, json_gz): (u32, &[u8]),
    at_ms: i64,
) -> Result<(), Error> {
    let doing = format!("save rows of sweep {id}");
    let mut write = db.write(&doing).await?;
    let changed = sqlx::query(
        "UPDATE sweep
         SET done_count = done_count + ?3,
             state = CASE WHEN done_count + ?3 = row_count THEN 'done' ELSE 'running' END,
             settled_ms = CASE WHEN done_count + ?3 = row_count THEN ?4 ELSE NULL END
         WHERE id = ?1 AND done_count = ?2 AND state IN ('queued', 'running')",
    )
    .bind(id.as_str())
    .bind(first)
    .bind(rows)
    .bind(at_ms)
    .execute(&mut *write)
    .await
    .map_err(Error::sql(&doing))?;
    if changed.rows_affected() == 0 {
        return Err(Error::SweepSettled { id: id.clone() });
    }
    sqlx::query("INSERT INTO sweep_rows (sweep, first, row_count, rows_json_gz) VALUES (?1, ?2, ?3, ?4)")
        .bind(id.as_str())
        .bind(first)
        .bind(rows)
        .bind(json_gz)
        .execute(&mut *write)
        .await
        .map_err(Error::sql(&doing))?;
    write.commit().await.map_err(Error::sql(doing))
}

/// Its rows so far, part by part, each as compressed JSON.
pub async fn rows(db: &Db, id: &SweepId) -> Result<Vec<Vec<u8>>, Error> {
    sqlx::query_scalar("SELECT rows_json_gz FROM sweep_rows WHERE sweep = ?1 ORDER BY first")
        .bind(id.as_str())
        .fetch_all(db.readers())
        .await
        .map_err(Error::sql(format!("read the rows of sweep {id}")))
}

/// A person stopped it: what is done stays.
pub async fn set_cancelled(db: &Db, id: &SweepId, at_ms: i64) -> Result<(), Error> {
    settle(db, id, ("cancelled", None), at_ms).await
}

/// It could not go on.
pub async fn set_failed(db: &Db, id: &SweepId, reason: &str, at_ms: i64) -> Result<(), Error> {
    settle(db, id, ("failed", Some(reason)), at_ms).await
}

async fn settle(db: &Db, id: &SweepId, (state, failure): (&str, Option<&str>), at_ms: i64) -> Result<(), Error> {
    let changed = sqlx::query(
        "UPDATE sweep SET state = ?2, failure = ?3, settled_ms = ?4 WHERE id = ?1 AND state IN ('queued', 'running')",
    )
    .bind(id.as_str())
    .bind(state)
    .bind(failure)
    .bind(at_ms)
    .execute(db.writer())
    .await
    .map_err(Error::sql(format!("save sweep {id}")))?;
    if changed.rows_affected() == 0 {
        get(db, id).await?;
        return Err(Error::SweepSettled { id: id.clone() });
    }
    Ok(())
}

/// Forgets a sweep with its rows.
pub async fn delete(db: &Db, id: &SweepId) -> Result<(), Error> {
    let gone = sqlx::query("DELETE FROM sweep WHERE id = ?1")
        .bind(id.as_str())
        .execute(db.writer())
        .await
        .map_err(Error::sql(format!("delete sweep {id}")))?;
    if gone.rows_affected() == 0 { Err(Error::NoSweep { id: id.clone() }) } else { Ok(()) }
}

fn summary(row: &SqliteRow) -> Result<SweepSummary, Error> {
    let read = || Error::sql("read a sweep");
    let (id, design): (String, String) = (row.try_get("id").map_err(read())?, row.try_get("design").map_err(read())?);
    let ask: String = row.try_get("ask_json").map_err(read())?;
    let (rows, done): (u32, u32) =
        (row.try_get("row_count").map_err(read())?, row.try_get("done_count").map_err(read())?);
    let state: String = row.try_get("state").map_err(read())?;
    let failure: Option<String> = row.try_get("failure").map_err(read())?;
    let state = match state.as_str() {
        "queued" => RunState::Queued,
        "running" => RunState::Running { progress: f64::from(done) / f64::from(rows.max(1)), seconds_left: 0.0 },
        "done" => RunState::Done,
        "cancelled" => RunState::Cancelled,
        "failed" => RunState::Failed { reason: failure.unwrap_or_default() },
        _ => return Err(Error::Corrupt { what: "sweep.state", value: state }),
    };
    Ok(SweepSummary {
        id: id.parse().map_err(|_| Error::Corrupt { what: "sweep.id", value: id })?,
        name: row.try_get("name").map_err(read())?,
        created_ms: row.try_get("created_ms").map_err(read())?,
        design: design.parse().map_err(|_| Error::Corrupt { what: "sweep.design", value: design })?,
        design_name: row.try_get("design_name").map_err(read())?,
        version: row.try_get("version").map_err(read())?,
        ask: serde_json::from_str(&ask).map_err(|_| Error::Corrupt { what: "sweep.ask_json", value: ask })?,
        rows,
        done,
        state,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::open_in_memory;
    use crate::design::{NewText, upsert_reference};
    use model::optimum::Limits;

    async fn with_design() -> Db {
        let db = open_in_memory().await.unwrap();
        let text = NewText { name: "Pod", toml: "", at_ms: 1, ..NewText::default() };
        upsert_reference(&db, &"pod".parse().unwrap(), text, 0).await.unwrap();
        db
    }

    fn new(id: &str) -> NewSweep {
        NewSweep {
            id: id.parse().unwrap(),
            name: "Caps".into(),
            design: "pod".parse().unwrap(),
            version: 1,
            ask: SweepAsk { vary: vec!["cap=400,500,600".parse().unwrap()], goal: None, limits: Limits::default() },
            rows: 3,
            created_ms: 7,
        }
    }

    #[tokio::test]
    async fn rows_are_added_in_order_and_the_last_make_it_done() {
        let db = with_design().await;
        let sweep = new("a");
        create(&db, &sweep).await.unwrap();
        assert_eq!(get(&db, &sweep.id).await.unwrap().state, RunState::Queued);
        add_rows(&db, &sweep.id, 0, (2, b"first"), 8).await.unwrap();
        let twice = add_rows(&db, &sweep.id, 0, (2, b"first"), 8).await;
        assert!(matches!(twice, Err(Error::SweepSettled { .. })), "the same rows are not kept twice");
        let under_way = next(&db).await.unwrap().unwrap();
        assert_eq!((under_way.done, under_way.rows, under_way.ask.clone()), (2, 3, sweep.ask.clone()));
        assert!(matches!(under_way.state, RunState::Running { .. }));
        add_rows(&db, &sweep.id, 2, (1, b"last"), 9).await.unwrap();
        assert_eq!(get(&db, &sweep.id).await.unwrap().state, RunState::Done);
        assert_eq!(rows(&db, &sweep.id).await.unwrap(), [b"first".to_vec(), b"last".to_vec()]);
        assert!(next(&db).await.unwrap().is_none() && unsettled(&db).await.unwrap() == 0);
        assert!(matches!(set_cancelled(&db, &sweep.id, 9).await, Err(Error::SweepSettled { .. })));
    }

    #[tokio::test]
    async fn a_sweep_that_is_cancelled_takes_no_more_rows_and_goes_with_them() {
        let db = with_design().await;
        let (first, second) = (new("a"), new("b"));
        create(&db, &first).await.unwrap();
        create(&db, &second).await.unwrap();
        add_rows(&db, &first.id, 0, (1, b"row"), 8).await.unwrap();
        set_cancelled(&db, &first.id, 9).await.unwrap();
        assert!(matches!(add_rows(&db, &first.id, 1, (1, b"row"), 9).await, Err(Error::SweepSettled { .. })));
        assert_eq!(next(&db).await.unwrap().unwrap().id, second.id);
        set_failed(&db, &second.id, "no", 9).await.unwrap();
        let ids = |list: Vec<SweepSummary>| list.into_iter().map(|sweep| sweep.id.to_string()).collect::<Vec<_>>();
        assert_eq!(ids(list(&db, None, 9).await.unwrap()), ["b", "a"]);
        assert_eq!(ids(list(&db, Some(&second.id), 9).await.unwrap()), ["a"]);
        delete(&db, &first.id).await.unwrap();
        assert!(rows(&db, &first.id).await.unwrap().is_empty());
        assert!(matches!(get(&db, &first.id).await, Err(Error::NoSweep { .. })));
        assert!(matches!(delete(&db, &first.id).await, Err(Error::NoSweep { .. })));
    }
}
