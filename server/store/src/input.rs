//! Input files: weather, prices, carbon and requests that users bring. The same content is kept once for each kind.

use crate::Error;
use crate::db::Db;
use crate::design::sha256;
use model::id::InputId;
use model::input::{InputKind, InputSummary, StoredInput};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// Most bytes of all files together: a few dozen of the largest.
pub const ALL_BYTES_MAX: i64 = 1 << 30;
/// Digits of a file's id: 80 bits of the hash of its kind and content.
const ID_DIGITS: usize = 20;

/// A file to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewInput<'a> {
    /// What it is about.
    pub kind: InputKind,
    /// Its name.
    pub name: &'a str,
    /// What stands in it.
    pub content: &'a [u8],
    /// What was read in it.
    pub summary: &'a InputSummary,
    /// When it was brought, milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// A file's name and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What it is about.
    pub kind: InputKind,
    /// Its name.
    pub name: String,
    /// What stands in it.
    pub bytes: Vec<u8>,
}

/// Keeps a file. One that is kept already stays as it is, with the name and the summary of its first time.
pub async fn save(db: &Db, new: NewInput<'_>) -> Result<StoredInput, Error> {
    let content_sha256 = sha256(new.content);
    let id = input_id(new.kind, &content_sha256)?;
    let doing = format!("save the input file {:?}", new.name);
    let summary = serde_json::to_string(new.summary).map_err(|source| Error::Summary { source })?;
    let mut write = db.write(&doing).await?;
    let (known, all): (i64, i64) =
        sqlx::query_as("SELECT count(*) FILTER (WHERE id = ?1), coalesce(sum(content_bytes), 0) FROM input")
            .bind(id.as_str())
            .fetch_one(&mut *write)
            .await
            .map_err(Error::sql(&doing))?;
    let length = i64::try_from(new.content.len()).unwrap_or(i64::MAX);
    if known == 0 {
        if all.saturating_add(length) > ALL_BYTES_MAX {
            return Err(Error::Full { limit: ALL_BYTES_MAX });
        }
        sqlx::query(
            "INSERT INTO input (id, kind, name, created_ms, content_sha256, content_bytes, summary_json, content)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .bind(id.as_str())
        .bind(new.kind.name())
        .bind(new.name)
        .bind(new.at_ms)
        .bind(&content_sha256)
        .bind(length)
        .bind(summary)
        .bind(new.content)
        .execute(&mut *write)
        .await
        .map_err(Error::sql(&doing))?;
    }
    write.commit().await.map_err(Error::sql(doing))?;
    get(db, &id).await
}

/// Files that are kept, the newest first: no more than `limit` of them, and those alone that came before `before`.
pub async fn list(db: &Db, before: Option<&InputId>, limit: u32) -> Result<Vec<StoredInput>, Error> {
    if let Some(id) = before {
        get(db, id).await?;
    }
    let rows = sqlx::query(
        "SELECT id, kind, name, created_ms, content_sha256, content_bytes, summary_json
         FROM input
         WHERE ?1 IS NULL OR arrival < (SELECT arrival FROM input WHERE id = ?1)
         ORDER BY arrival DESC
         LIMIT ?2",
    )
    .bind(before.map(InputId::as_str))
    .bind(limit)
    .fetch_all(db.readers())
    .await
    .map_err(Error::sql("list input files"))?;
    rows.iter().map(stored).collect()
}

/// One of them.
pub async fn get(db: &Db, id: &InputId) -> Result<StoredInput, Error> {
    let row = sqlx::query(
        "SELECT id, kind, name, created_ms, content_sha256, content_bytes, summary_json FROM input WHERE id = ?1",
    )
    .bind(id.as_str())
    .fetch_optional(db.readers())
    .await
    .map_err(Error::sql(format!("read input file {id}")))?;
    stored(&row.ok_or_else(|| Error::NoInput { id: id.clone() })?)
}

/// What stands in one.
pub async fn content(db: &Db, id: &InputId) -> Result<Content, Error> {
    let row: Option<(String, String, Vec<u8>)> = sqlx::query_as("SELECT kind, name, content FROM input WHERE id = ?1")
        .bind(id.as_str())
        .fetch_optional(db.readers())
        .await
        .map_err(Error::sql(format!("read input file {id}")))?;
    let (kind, name, bytes) = row.ok_or_else(|| Error::NoInput { id: id.clone() })?;
    Ok(Content { kind: kind_of(kind)?, name, bytes })
}

/// Forgets a file; refused where a run was made with it, which could not be made again without it.
pub async fn delete(db: &Db, id: &InputId) -> Result<(), Error> {
    let doing = format!("delete input file {id}");
    let mut write = db.write(&doing).await?;
    let run: Option<String> = sqlx::query_scalar("SELECT run FROM run_input WHERE input = ?1 LIMIT 1")
        .bind(id.as_str())
        .fetch_optional(&mut *write)
        .await
        .map_err(Error::sql(&doing))?;
    if let Some(run) = run {
        return Err(Error::InputUsed { id: id.clone(), run });
    }
    let gone = sqlx::query("DELETE FROM input WHERE id = ?1")
        .bind(id.as_str())
        .execute(&mut *write)
        .await
        .map_err(Error::sql(&doing))?;
    if gone.rows_affected() == 0 {
        return Err(Error::NoInput { id: id.clone() });
    }
    write.commit().await.map_err(Error::sql(doing))
}

fn input_id(kind: InputKind, content_sha256: &str) -> Result<InputId, Error> {
    let mut digits = sha256(format!("{kind} {content_sha256}").as_bytes());
    digits.truncate(ID_DIGITS);
    digits.parse().map_err(|_| Error::Corrupt { what: "input.id", value: digits })
}

fn kind_of(text: String) -> Result<InputKind, Error> {
    let known = InputKind::ALL.into_iter().find(|kind| kind.name() == text);
    known.ok_or(Error::Corrupt { what: "input.kind", value: text })
}

fn stored(row: &SqliteRow) -> Result<StoredInput, Error> {
    let read = || Error::sql("read an input file");
    let id: String = row.try_get("id").map_err(read())?;
    let summary: String = row.try_get("summary_json").map_err(read())?;
    Ok(StoredInput {
        id: id.parse().map_err(|_| Error::Corrupt { what: "input.id", value: id })?,
        kind: kind_of(row.try_get("kind").map_err(read())?)?,
        name: row.try_get("name").map_err(read())?,
        content_bytes: row.try_get("content_bytes").map_err(read())?,
        content_sha256: row.try_get("content_sha256").map_err(read())?,
        created_ms: row.try_get("created_ms").map_err(read())?,
        summary: serde_json::from_str(&summary)
            .map_err(|_| Error::Corrupt { what: "input.summary_json", value: summary })?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::open_in_memory;
    use model::scenario::InputReport;
    use std::collections::BTreeMap;

    fn summary() -> InputSummary {
        let report = InputReport {
            input: "prices".into(),
            file: "lmp.csv".into(),
            format: "price CSV".into(),
            rows: 8_760,
            first: String::new(),
            last: String::new(),
            filled: 0,
            remarks: vec![],
        };
        InputSummary { read_for: "Des Moines".into(), report, series: vec![], figures: BTreeMap::new() }
    }

    fn new<'a>(kind: InputKind, content: &'a [u8], summary: &'a InputSummary) -> NewInput<'a> {
        NewInput { kind, name: "lmp.csv", content, summary, at_ms: 1 }
    }

    #[tokio::test]
    async fn content_is_kept_once_for_each_kind_byte_for_byte() {
        let db = open_in_memory().await.unwrap();
        let summary = summary();
        let bytes = [0xff, 0x00, b'\n'];
        let price = save(&db, new(InputKind::Price, &bytes, &summary)).await.unwrap();
        let again = save(&db, NewInput { name: "other", ..new(InputKind::Price, &bytes, &summary) }).await.unwrap();
        assert_eq!(again, price);
        let carbon = save(&db, new(InputKind::Carbon, &bytes, &summary)).await.unwrap();
        assert_ne!(carbon.id, price.id);
        let kept = content(&db, &price.id).await.unwrap();
        assert_eq!((kept.kind, kept.name.as_str(), kept.bytes.as_slice()), (InputKind::Price, "lmp.csv", &bytes[..]));
        let all: Vec<InputId> = list(&db, None, 9).await.unwrap().into_iter().map(|input| input.id).collect();
        assert_eq!(all, [carbon.id.clone(), price.id.clone()]);
        assert_eq!(list(&db, Some(&carbon.id), 9).await.unwrap(), [price]);
    }

    #[tokio::test]
    async fn what_is_not_there_is_not_found() {
        let db = open_in_memory().await.unwrap();
        let id: InputId = "0".repeat(20).parse().unwrap();
        assert!(matches!(get(&db, &id).await, Err(Error::NoInput { .. })));
        assert!(matches!(content(&db, &id).await, Err(Error::NoInput { .. })));
        assert!(matches!(delete(&db, &id).await, Err(Error::NoInput { .. })));
        let kept = save(&db, new(InputKind::Price, b"x", &summary())).await.unwrap();
        delete(&db, &kept.id).await.unwrap();
        assert!(matches!(delete(&db, &kept.id).await, Err(Error::NoInput { .. })));
    }
}
