//! What happened in the live fleet, in the history's own file.

use crate::Error;
use crate::db::Db;
use model::event::{EventQuery, FleetEvent};

/// Keeps events. One that is told twice, word for word, is kept once.
pub async fn insert(db: &Db, events: &[FleetEvent]) -> Result<(), Error> {
    let doing = "keep what happened";
    let mut to = db.write(doing).await?;
    for event in events {
        let json = serde_json::to_string(event).map_err(|source| Error::Labels { source })?;
        sqlx::query(
            "INSERT INTO event (at_ms, what, host, event_json) SELECT ?1, json_extract(?3, '$.what'), ?2, ?3
             WHERE NOT EXISTS (SELECT 1 FROM event WHERE at_ms = ?1 AND event_json = ?3)",
        )
        .bind(event.at_ms)
        .bind(&event.host)
        .bind(json)
        .execute(&mut *to)
        .await
        .map_err(Error::sql(doing))?;
    }
    to.commit().await.map_err(Error::sql(doing))
}

/// Events, the newest first; one more than was asked for where there are more.
pub async fn list(db: &Db, query: &EventQuery) -> Result<Vec<FleetEvent>, Error> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT event_json FROM event
         WHERE at_ms >= ?1 AND at_ms < ?2 AND (?3 IS NULL OR host = ?3) AND (?4 IS NULL OR what = ?4)
         AND (?6 IS NULL OR instr(lower(host), lower(?6)) > 0)
         ORDER BY at_ms DESC, id DESC LIMIT ?5",
    )
    .bind(query.from_ms)
    .bind(query.to_ms)
    .bind(&query.host)
    .bind(&query.what)
    .bind(i64::from(query.limit) + 1)
    .bind(&query.host_part)
    .fetch_all(db.readers())
    .await
    .map_err(Error::sql("read what happened"))?;
    rows.iter().map(|json| serde_json::from_str(json).map_err(|source| Error::Labels { source })).collect()
}

/// Forgets what happened before a time.
pub async fn forget(db: &Db, before_ms: i64) -> Result<u64, Error> {
    let doing = "forget what happened long ago";
    let mut to = db.write(doing).await?;
    let gone = sqlx::query("DELETE FROM event WHERE at_ms < ?1").bind(before_ms).execute(&mut *to).await;
    let gone = gone.map_err(Error::sql(doing))?.rows_affected();
    to.commit().await.map_err(Error::sql(doing))?;
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::event::Happening;

    fn xid(at_ms: i64, host: &str, code: u32) -> FleetEvent {
        FleetEvent {
            at_ms,
            source: "kernel".into(),
            host: Some(host.into()),
            gpu: Some("0000:06:00".into()),
            what: Happening::Xid { code, detail: None },
            message: format!("Xid {code}"),
        }
    }

    #[tokio::test]
    async fn events_are_kept_once_and_found_by_time_host_and_kind() {
        let db = crate::db::open_history_in_memory().await.unwrap();
        let all = [xid(1_000, "a", 79), xid(2_000, "b", 48), xid(3_000, "a", 63)];
        insert(&db, &all).await.unwrap();
        insert(&db, &all[..2]).await.unwrap();
        let found = async |from_ms, to_ms, host: Option<&str>, what: Option<&str>, limit| {
            let (host, what) = (host.map(Into::into), what.map(Into::into));
            let query = EventQuery { from_ms, to_ms, host, what, limit, ..EventQuery::default() };
            list(&db, &query).await.unwrap().iter().map(|event| event.at_ms).collect::<Vec<_>>()
        };
        assert_eq!(found(0, 9_000, None, None, 10).await, [3_000, 2_000, 1_000]);
        assert_eq!(found(0, 3_000, Some("a"), Some("xid"), 10).await, [1_000]);
        assert_eq!(found(0, 9_000, None, Some("leak"), 10).await, [0_i64; 0]);
        assert_eq!(found(0, 9_000, None, None, 1).await.len(), 2, "one more says that there are more");
        assert_eq!(forget(&db, 2_500).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_part_of_a_hosts_name_finds_it_and_is_no_pattern() {
        let db = crate::db::open_history_in_memory().await.unwrap();
        let nowhere = FleetEvent { host: None, ..xid(4_000, "", 79) };
        let all = [xid(1_000, "GPU-r01-1.example", 79), xid(2_000, "gpu-r01-10", 48), xid(3_000, "cpu_1", 63), nowhere];
        insert(&db, &all).await.unwrap();
        let found = async |part: &str| {
            let host_part = Some(part.to_owned());
            let query = EventQuery { to_ms: 9_000, host_part, limit: 10, ..EventQuery::default() };
            list(&db, &query).await.unwrap().iter().map(|event| event.at_ms).collect::<Vec<_>>()
        };
        assert_eq!(found("gpu-R01-1").await, [2_000, 1_000]);
        assert_eq!(found("r01-10").await, [2_000]);
        assert_eq!(found("_").await, [3_000]);
        assert_eq!(found("%").await, [0_i64; 0]);
        let whole = EventQuery { to_ms: 9_000, host: Some("gpu-r01-1".into()), limit: 10, ..EventQuery::default() };
        assert!(list(&db, &whole).await.unwrap().is_empty(), "a host is meant by its whole name");
    }
}
