//! Keys of requests that a client may have to send twice: each is carried out once, and its answer is kept for a day.

use crate::Error;
use crate::db::Db;

/// How long an answer is kept, milliseconds.
pub const KEPT_MS: i64 = 24 * 3_600_000;

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Nothing until now: it is taken, and whoever took it must end with [`answered`] or [`dropped`].
    Taken,
    /// The same request was answered, with this.
    Answered {
        /// The answer, as it was kept.
        json: String,
    },
    /// The same request was taken then, and its answer is not known.
    Unanswered {
        /// When, milliseconds since 1970 UTC.
        since_ms: i64,
    },
    /// Another request had it.
    OfAnother,
}

/// Takes a key for a request, whose hash is `asked_sha256`, or says what is known of it.
pub async fn take(db: &Db, key: &str, asked_sha256: &str, now_ms: i64) -> Result<Key, Error> {
    let doing = "take an idempotency key";
    let mut write = db.write(doing).await?;
    sqlx::query("DELETE FROM idempotency_key WHERE created_ms < ?1")
        .bind(now_ms - KEPT_MS)
        .execute(&mut *write)
        .await
        .map_err(Error::sql(doing))?;
    let known: Option<(i64, String, Option<String>)> =
        sqlx::query_as("SELECT created_ms, asked_sha256, answer_json FROM idempotency_key WHERE key = ?1")
            .bind(key)
            .fetch_optional(&mut *write)
            .await
            .map_err(Error::sql(doing))?;
    let found = match known {
        Some((_, asked, _)) if asked != asked_sha256 => Key::OfAnother,
        Some((_, _, Some(json))) => Key::Answered { json },
        Some((since_ms, _, None)) => Key::Unanswered { since_ms },
        None => {
            sqlx::query("INSERT INTO idempotency_key (key, created_ms, asked_sha256) VALUES (?1, ?2, ?3)")
                .bind(key)
                .bind(now_ms)
                .bind(asked_sha256)
                .execute(&mut *write)
                .await
                .map_err(Error::sql(doing))?;
            Key::Taken
        }
    };
    write.commit().await.map_err(Error::sql(doing))?;
    Ok(found)
}

/// Keeps the answer to the request of a key.
pub async fn answered(db: &Db, key: &str, json: &str) -> Result<(), Error> {
    sqlx::query("UPDATE idempotency_key SET answer_json = ?2 WHERE key = ?1")
        .bind(key)
        .bind(json)
        .execute(db.writer())
        .await
        .map_err(Error::sql("keep the answer to an idempotency key"))?;
    Ok(())
}

/// Lets go of a key whose request was refused, so that it can be asked again.
pub async fn dropped(db: &Db, key: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM idempotency_key WHERE key = ?1 AND answer_json IS NULL")
        .bind(key)
        .execute(db.writer())
        .await
        .map_err(Error::sql("let go of an idempotency key"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::open_in_memory;
    use crate::design::text_sha256;

    #[tokio::test]
    async fn a_request_is_carried_out_once_and_its_answer_kept_for_a_day() {
        let db = open_in_memory().await.unwrap();
        let (asked, other) = (text_sha256("asked"), text_sha256("other"));
        assert_eq!(take(&db, "k", &asked, 1_000).await.unwrap(), Key::Taken);
        assert_eq!(take(&db, "k", &asked, 2_000).await.unwrap(), Key::Unanswered { since_ms: 1_000 });
        answered(&db, "k", "{\"status\":201}").await.unwrap();
        let json = "{\"status\":201}".to_owned();
        assert_eq!(take(&db, "k", &asked, 1_000 + KEPT_MS).await.unwrap(), Key::Answered { json });
        assert_eq!(take(&db, "k", &other, 1_000 + KEPT_MS).await.unwrap(), Key::OfAnother);
        assert_eq!(take(&db, "k", &other, 1_001 + KEPT_MS).await.unwrap(), Key::Taken, "a day is over");
    }

    #[tokio::test]
    async fn a_refused_request_can_be_asked_again() {
        let db = open_in_memory().await.unwrap();
        let asked = text_sha256("asked");
        take(&db, "k", &asked, 1).await.unwrap();
        dropped(&db, "k").await.unwrap();
        assert_eq!(take(&db, "k", &asked, 2).await.unwrap(), Key::Taken);
    }
}
