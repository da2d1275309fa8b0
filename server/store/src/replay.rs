//! Replays of requests through a fleet: what was asked and what came of it. A replay never changes; its trace is kept
//! for as long as a replay was made with it.

use crate::Error;
use crate::db::Db;
use crate::design::sha256;
use model::id::ReplayId;
use model::replay::{ReplayDetail, ReplayRequests, ReplaySetup, ReplaySummary};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

/// Most bytes of all traces and rows together: a few dozen of the largest.
pub const ALL_BYTES_MAX: i64 = 1 << 30;

/// A replay to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewReplay<'a> {
    /// What was asked and what came of it.
    pub detail: &'a ReplayDetail,
    /// The trace that it was made with.
    pub trace: Option<&'a [u8]>,
    /// A row of each request, as CSV, compressed.
    pub rows_csv_gz: Option<&'a [u8]>,
}

/// Keeps a replay, and its trace where it is not kept already.
pub async fn create(db: &Db, new: NewReplay<'_>) -> Result<(), Error> {
    let (detail, summary) = (new.detail, &new.detail.summary);
    let doing = format!("save replay {}", summary.id);
    let length = |bytes: Option<&[u8]>| i64::try_from(bytes.map_or(0, <[u8]>::len)).unwrap_or(i64::MAX);
    let mut write = db.write(&doing).await?;
    let all: i64 = sqlx::query_scalar(
        "SELECT (SELECT coalesce(sum(content_bytes), 0) FROM replay_trace)
              + (SELECT coalesce(sum(rows_bytes), 0) FROM replay)",
    )
    .fetch_one(&mut *write)
    .await
    .map_err(Error::sql(&doing))?;
    if all.saturating_add(length(new.trace)).saturating_add(length(new.rows_csv_gz)) > ALL_BYTES_MAX {
        return Err(Error::ReplaysFull { limit: ALL_BYTES_MAX });
    }
    let trace = match new.trace {
        Some(content) => Some(keep_trace(&mut write, content, &doing).await?),
        None => None,
    };
    sqlx::query(
        "INSERT INTO replay (id, created_ms, name, program_version, model_name, gpu_name, gpus, requests, attainment,
            output_tokens_per_s, joules_per_output_token, trace, setup_json, requests_json, outcome_json, rows_bytes,
            rows_csv_gz)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )
    .bind(summary.id.as_str())
    .bind(summary.created_ms)
    .bind(&summary.name)
    .bind(&detail.program_version)
    .bind(&summary.model_name)
    .bind(&summary.gpu_name)
    .bind(summary.gpus)
    .bind(summary.requests)
    .bind(summary.attainment)
    .bind(summary.output_tokens_per_s)
    .bind(summary.joules_per_output_token)
    .bind(trace)
    .bind(json(&detail.setup)?)
    .bind(json(&detail.requests)?)
    .bind(json(&detail.outcome)?)
    .bind(length(new.rows_csv_gz))
    .bind(new.rows_csv_gz)
    .execute(&mut *write)
    .await
    .map_err(Error::sql(&doing))?;
    write.commit().await.map_err(Error::sql(doing))
}

async fn keep_trace(conn: &mut SqliteConnection, content: &[u8], doing: &str) -> Result<String, Error> {
    let content_sha256 = sha256(content);
    sqlx::query(
        "INSERT INTO replay_trace (content_sha256, content_bytes, content) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )
    .bind(&content_sha256)
    .bind(i64::try_from(content.len()).unwrap_or(i64::MAX))
    .bind(content)
    .execute(conn)
    .await
    .map_err(Error::sql(doing))?;
    Ok(content_sha256)
}

/// The newest replays, no more than `limit` of them, and those alone that came before the replay `before`.
pub async fn list(db: &Db, before: Option<&ReplayId>, limit: u32) -> Result<Vec<ReplaySummary>, Error> {
    if let Some(id) = before {
        get(db, id).await?;
    }
    let rows = sqlx::query(
        "SELECT id, name, created_ms, model_name, gpu_name, gpus, requests, attainment, output_tokens_per_s,
                joules_per_output_token, setup_json, requests_json
         FROM replay
         WHERE ?1 IS NULL OR arrival < (SELECT arrival FROM replay WHERE id = ?1)
         ORDER BY arrival DESC
         LIMIT ?2",
    )
    .bind(before.map(ReplayId::as_str))
    .bind(limit)
    .fetch_all(db.readers())
    .await
    .map_err(Error::sql("list replays"))?;
    rows.iter().map(summary).collect()
}

/// One replay.
pub async fn get(db: &Db, id: &ReplayId) -> Result<ReplayDetail, Error> {
    let row = sqlx::query(
        "SELECT id, name, created_ms, model_name, gpu_name, gpus, requests, attainment, output_tokens_per_s,
                joules_per_output_token, program_version, setup_json, requests_json, outcome_json,
                rows_csv_gz IS NOT NULL AS has_rows
         FROM replay
         WHERE id = ?1",
    )
    .bind(id.as_str())
    .fetch_optional(db.readers())
    .await
    .map_err(Error::sql(format!("read replay {id}")))?;
    let row = row.ok_or_else(|| Error::NoReplay { id: id.clone() })?;
    let read = || Error::sql("read a replay");
    Ok(ReplayDetail {
        summary: summary(&row)?,
        program_version: row.try_get("program_version").map_err(read())?,
        setup: of_json("replay.setup_json", row.try_get("setup_json").map_err(read())?)?,
        requests: of_json("replay.requests_json", row.try_get("requests_json").map_err(read())?)?,
        outcome: of_json("replay.outcome_json", row.try_get("outcome_json").map_err(read())?)?,
        has_rows: row.try_get("has_rows").map_err(read())?,
    })
}

/// A row of each of its requests, as CSV, compressed; none where there were too many to keep.
pub async fn rows_csv_gz(db: &Db, id: &ReplayId) -> Result<Option<Vec<u8>>, Error> {
    let row: Option<(Option<Vec<u8>>,)> = sqlx::query_as("SELECT rows_csv_gz FROM replay WHERE id = ?1")
        .bind(id.as_str())
        .fetch_optional(db.readers())
        .await
        .map_err(Error::sql(format!("read the requests of replay {id}")))?;
    row.map(|(rows,)| rows).ok_or_else(|| Error::NoReplay { id: id.clone() })
}

/// A trace that a replay was made with, by its SHA-256 in hexadecimal.
pub async fn trace(db: &Db, content_sha256: &str) -> Result<Option<Vec<u8>>, Error> {
    sqlx::query_scalar("SELECT content FROM replay_trace WHERE content_sha256 = ?1")
        .bind(content_sha256)
        .fetch_optional(db.readers())
        .await
        .map_err(Error::sql("read a trace"))
}

/// Forgets a replay, and its trace where no other was made with it.
pub async fn delete(db: &Db, id: &ReplayId) -> Result<(), Error> {
    let doing = format!("delete replay {id}");
    let mut write = db.write(&doing).await?;
    let gone = sqlx::query("DELETE FROM replay WHERE id = ?1")
        .bind(id.as_str())
        .execute(&mut *write)
        .await
        .map_err(Error::sql(&doing))?;
    if gone.rows_affected() == 0 {
        return Err(Error::NoReplay { id: id.clone() });
    }
    sqlx::query(
        "DELETE FROM replay_trace WHERE content_sha256 NOT IN (SELECT trace FROM replay WHERE trace IS NOT NULL)",
    )
    .execute(&mut *write)
    .await
    .map_err(Error::sql(&doing))?;
    write.commit().await.map_err(Error::sql(doing))
}

fn json<T: Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|source| Error::Summary { source })
}

fn of_json<T: DeserializeOwned>(what: &'static str, text: String) -> Result<T, Error> {
    serde_json::from_str(&text).map_err(|_| Error::Corrupt { what, value: text })
}

fn summary(row: &SqliteRow) -> Result<ReplaySummary, Error> {
    let read = || Error::sql("read a replay");
    let id: String = row.try_get("id").map_err(read())?;
    let setup: ReplaySetup = of_json("replay.setup_json", row.try_get("setup_json").map_err(read())?)?;
    let requests: ReplayRequests = of_json("replay.requests_json", row.try_get("requests_json").map_err(read())?)?;
    Ok(ReplaySummary {
        id: id.parse().map_err(|_| Error::Corrupt { what: "replay.id", value: id })?,
        name: row.try_get("name").map_err(read())?,
        created_ms: row.try_get("created_ms").map_err(read())?,
        model_name: row.try_get("model_name").map_err(read())?,
        models: setup.models(),
        gpu_name: row.try_get("gpu_name").map_err(read())?,
        gpus: row.try_get("gpus").map_err(read())?,
        precision: setup.precision,
        replicas: setup.all_replicas(),
        routing: setup.routing,
        source: requests.source,
        requests: row.try_get("requests").map_err(read())?,
        attainment: row.try_get("attainment").map_err(read())?,
        output_tokens_per_s: row.try_get("output_tokens_per_s").map_err(read())?,
        joules_per_output_token: row.try_get("joules_per_output_token").map_err(read())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::open_in_memory;
    use model::design::Precision;
    use model::replay::{MadeUpKind, ReplayOutcome, ReplayTier, RequestSource, Routing};

    fn source() -> RequestSource {
        RequestSource::MadeUp { kind: MadeUpKind::Chat, requests_per_s: 8.0, count: 100, seed: 1 }
    }

    fn detail(id: &str) -> ReplayDetail {
        let summary = ReplaySummary {
            id: id.parse().unwrap(),
            name: "Chat".into(),
            created_ms: 7,
            model_name: "Llama 3.1 70B, Llama 3.1 8B".into(),
            models: 2,
            gpu_name: "H100".into(),
            gpus: 18,
            precision: Precision::Fp8,
            replicas: 6,
            routing: Routing::Kv,
            source: source(),
            requests: 100,
            attainment: 0.75,
            output_tokens_per_s: 1234.5,
            joules_per_output_token: None,
        };
        let setup = ReplaySetup {
            gpu: "h100-sxm".into(),
            model: "llama-3.1-70b".into(),
            precision: Precision::Fp8,
            engine: "vllm".into(),
            tensor: 4,
            data: 1,
            expert: 1,
            replicas: 4,
            also: vec!["llama-3.1-8b:1:2".parse().unwrap()],
            prefill_replicas: 0,
            routing: Routing::Kv,
            prefix_cache: true,
            host_cache: Some(ReplayTier { size_bytes: 2e11, bytes_per_s: 5e10 }),
            disk_cache: None,
            autoscale: false,
            predictor: model::replay::Foretelling::Constant,
            power_cap_w: Some(500.5),
            requests_max: None,
            step_tokens_max: None,
            ttft_ms: 2000.0,
            tpot_ms: 50.0,
            seed: u64::MAX,
            events: vec!["60:0:fails".parse().unwrap(), "90.5:all:limit=400".parse().unwrap()],
        };
        let requests = ReplayRequests { source: source(), format: "made up".into(), count: 100, remarks: vec![] };
        let outcome = ReplayOutcome { span_s: 12.25, ..ReplayOutcome::default() };
        ReplayDetail { summary, program_version: "0.1.0".into(), setup, requests, outcome, has_rows: false }
    }

    #[tokio::test]
    async fn a_replay_is_kept_as_it_is_and_listed_newest_first() {
        let db = open_in_memory().await.unwrap();
        let (first, second) = (ReplayDetail { has_rows: true, ..detail("a") }, detail("b"));
        create(&db, NewReplay { detail: &first, trace: None, rows_csv_gz: Some(b"rows") }).await.unwrap();
        create(&db, NewReplay { detail: &second, trace: None, rows_csv_gz: None }).await.unwrap();
        assert_eq!(get(&db, &first.summary.id).await.unwrap(), first);
        assert_eq!(get(&db, &second.summary.id).await.unwrap(), second);
        assert_eq!(list(&db, None, 9).await.unwrap(), [second.summary.clone(), first.summary.clone()]);
        assert_eq!(list(&db, Some(&second.summary.id), 9).await.unwrap(), std::slice::from_ref(&first.summary));
        assert_eq!(rows_csv_gz(&db, &first.summary.id).await.unwrap().as_deref(), Some(&b"rows"[..]));
        assert_eq!(rows_csv_gz(&db, &second.summary.id).await.unwrap(), None);
        let again = create(&db, NewReplay { detail: &first, trace: None, rows_csv_gz: None }).await;
        assert!(matches!(again, Err(Error::Sql { .. })), "a replay never changes");
    }

    #[tokio::test]
    async fn a_trace_goes_with_its_last_replay() {
        let db = open_in_memory().await.unwrap();
        let (first, second) = (detail("a"), detail("b"));
        for detail in [&first, &second] {
            create(&db, NewReplay { detail, trace: Some(b"at_s"), rows_csv_gz: None }).await.unwrap();
        }
        let name = sha256(b"at_s");
        delete(&db, &first.summary.id).await.unwrap();
        assert_eq!(trace(&db, &name).await.unwrap().as_deref(), Some(&b"at_s"[..]));
        delete(&db, &second.summary.id).await.unwrap();
        assert_eq!(trace(&db, &name).await.unwrap(), None);
        assert!(matches!(delete(&db, &second.summary.id).await, Err(Error::NoReplay { .. })));
        assert!(matches!(get(&db, &first.summary.id).await, Err(Error::NoReplay { .. })));
        assert!(matches!(list(&db, Some(&first.summary.id), 9).await, Err(Error::NoReplay { .. })));
    }
}
