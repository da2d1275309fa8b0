//! Snapshots: texts that share links lead to. Their id is the beginning of their hash, so they never change.

use crate::Error;
use crate::db::Db;
use crate::design::text_sha256;
use model::id::SnapshotId;

/// Digits of a snapshot's id: 80 bits, in which two of a million texts meet once in 10^12 stores.
const ID_DIGITS: usize = 20;

/// Keeps a text, and says what leads to it: the same for the same text.
pub async fn save(db: &Db, toml: &str, at_ms: i64) -> Result<SnapshotId, Error> {
    let hash = text_sha256(toml);
    let id = snapshot_id(&hash)?;
    let doing = format!("save snapshot {id}");
    sqlx::query(
        "INSERT INTO snapshot (id, created_ms, text_sha256, text_toml) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (text_sha256) DO NOTHING",
    )
    .bind(id.as_str())
    .bind(at_ms)
    .bind(hash)
    .bind(toml)
    .execute(db.writer())
    .await
    .map_err(Error::sql(doing))?;
    Ok(id)
}

/// The text that a link leads to.
pub async fn get(db: &Db, id: &SnapshotId) -> Result<String, Error> {
    let text: Option<String> = sqlx::query_scalar("SELECT text_toml FROM snapshot WHERE id = ?1")
        .bind(id.as_str())
        .fetch_optional(db.readers())
        .await
        .map_err(Error::sql(format!("read snapshot {id}")))?;
    text.ok_or_else(|| Error::NoSnapshot { id: id.clone() })
}

fn snapshot_id(hash: &str) -> Result<SnapshotId, Error> {
    let digits = hash.get(..ID_DIGITS).unwrap_or_default();
    digits.parse().map_err(|_| Error::Corrupt { what: "snapshot.id", value: digits.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::open_in_memory;

    #[tokio::test]
    async fn a_text_has_one_link_that_always_leads_to_it() {
        let db = open_in_memory().await.unwrap();
        let id = save(&db, "a = 1\n", 1).await.unwrap();
        assert_eq!(id.as_str(), &text_sha256("a = 1\n")[..20]);
        assert_eq!(save(&db, "a = 1\n", 2).await.unwrap(), id);
        assert_ne!(save(&db, "a = 1", 3).await.unwrap(), id);
        assert_eq!(get(&db, &id).await.unwrap(), "a = 1\n");
        let nowhere = "0".repeat(20).parse().unwrap();
        assert!(matches!(get(&db, &nowhere).await, Err(Error::NoSnapshot { .. })));
    }
}
