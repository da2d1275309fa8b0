//! Designs: a name in paths, and every version of the text that a person wrote, word for word.

use crate::Error;
use crate::db::Db;
use model::id::DesignId;
use model::run::Origin;
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::fmt::Write;

/// A design as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDesign {
    /// Its name in paths.
    pub id: DesignId,
    /// Who made it.
    pub origin: Origin,
    /// Which version this is, from 1.
    pub version: u32,
    /// Its name on a page, in this version.
    pub name: String,
    /// Its text, word for word.
    pub toml: String,
    /// SHA-256 of that, in hexadecimal.
    pub text_sha256: String,
    /// When this version was saved, milliseconds since 1970 UTC.
    pub created_ms: i64,
}

/// A design to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewDesign<'a> {
    /// Its name in paths.
    pub id: &'a DesignId,
    /// Its name on a page.
    pub name: &'a str,
    /// Its text.
    pub toml: &'a str,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// Keeps a new design of a user's, as version 1.
pub async fn insert(db: &Db, new: NewDesign<'_>) -> Result<(), Error> {
    let doing = format!("save design {}", new.id);
    let mut write = db.write(&doing).await?;
    if newest_version(&mut write, new.id).await?.is_some() {
        return Err(Error::DesignExists { id: new.id.clone() });
    }
    insert_design(&mut write, new, Origin::Own, 0).await?;
    insert_text(&mut write, new, 1).await?;
    write.commit().await.map_err(Error::sql(doing))
}

/// Keeps another version of a design, and says which one it became. Text that did not change makes no version.
///
/// Refused where someone else saved one in between, that is where `based_on` is not the newest any more.
pub async fn insert_version(db: &Db, new: NewDesign<'_>, based_on: u32) -> Result<u32, Error> {
    let doing = format!("save design {}", new.id);
    let mut write = db.write(&doing).await?;
    let Some((newest, hash)) = newest_version(&mut write, new.id).await? else {
        return Err(Error::NoDesign { id: new.id.clone() });
    };
    if hash == text_sha256(new.toml) {
        return Ok(newest);
    }
    if newest != based_on {
        return Err(Error::DesignChanged { id: new.id.clone(), based_on, newest });
    }
    insert_text(&mut write, new, newest + 1).await?;
    write.commit().await.map_err(Error::sql(doing))?;
    Ok(newest + 1)
}

/// Keeps a design that came with the program, and says its version: the same as before where its text is the same.
///
/// `position` is its place in lists.
pub async fn upsert_reference(db: &Db, new: NewDesign<'_>, position: u32) -> Result<u32, Error> {
    let doing = format!("save reference design {}", new.id);
    let mut write = db.write(&doing).await?;
    let version = match newest_version(&mut write, new.id).await? {
        None => {
            insert_design(&mut write, new, Origin::Reference, position).await?;
            insert_text(&mut write, new, 1).await?;
            1
        }
        Some((newest, hash)) => {
            sqlx::query("UPDATE design SET origin = 'reference', position = ?2 WHERE id = ?1")
                .bind(new.id.as_str())
                .bind(position)
                .execute(&mut *write)
                .await
                .map_err(Error::sql(&doing))?;
            let unchanged = hash == text_sha256(new.toml);
            if !unchanged {
                insert_text(&mut write, new, newest + 1).await?;
            }
            if unchanged { newest } else { newest + 1 }
        }
    };
    write.commit().await.map_err(Error::sql(doing))?;
    Ok(version)
}

/// The newest version of every design: those that came with the program first, then the user's by name.
pub async fn list(db: &Db) -> Result<Vec<StoredDesign>, Error> {
    let rows = sqlx::query(
        "SELECT d.id, d.origin, v.version, v.name, v.text_toml, v.text_sha256, v.created_ms
         FROM design d
         JOIN design_version v ON v.design = d.id
         WHERE v.version = (SELECT max(version) FROM design_version WHERE design = d.id)
         ORDER BY d.origin = 'own', d.position, v.name, d.id",
    )
    .fetch_all(db.readers())
    .await
    .map_err(Error::sql("list designs"))?;
    rows.iter().map(stored).collect()
}

/// The newest version of one.
pub async fn newest(db: &Db, id: &DesignId) -> Result<StoredDesign, Error> {
    let row = sqlx::query(
        "SELECT d.id, d.origin, v.version, v.name, v.text_toml, v.text_sha256, v.created_ms
         FROM design d
         JOIN design_version v ON v.design = d.id
         WHERE d.id = ?1
         ORDER BY v.version DESC
         LIMIT 1",
    )
    .bind(id.as_str())
    .fetch_optional(db.readers())
    .await
    .map_err(Error::sql(format!("read design {id}")))?;
    stored(&row.ok_or_else(|| Error::NoDesign { id: id.clone() })?)
}

/// One version of one.
pub async fn version(db: &Db, id: &DesignId, version: u32) -> Result<StoredDesign, Error> {
    let row = sqlx::query(
        "SELECT d.id, d.origin, v.version, v.name, v.text_toml, v.text_sha256, v.created_ms
         FROM design d
         JOIN design_version v ON v.design = d.id
         WHERE d.id = ?1 AND v.version = ?2",
    )
    .bind(id.as_str())
    .bind(version)
    .fetch_optional(db.readers())
    .await
    .map_err(Error::sql(format!("read version {version} of design {id}")))?;
    stored(&row.ok_or_else(|| Error::NoDesign { id: id.clone() })?)
}

/// SHA-256 of a text, in hexadecimal.
pub fn text_sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string can't fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

async fn newest_version(conn: &mut SqliteConnection, id: &DesignId) -> Result<Option<(u32, String)>, Error> {
    sqlx::query_as("SELECT version, text_sha256 FROM design_version WHERE design = ?1 ORDER BY version DESC LIMIT 1")
        .bind(id.as_str())
        .fetch_optional(conn)
        .await
        .map_err(Error::sql(format!("read design {id}")))
}

async fn insert_design(
    conn: &mut SqliteConnection,
    new: NewDesign<'_>,
    origin: Origin,
    position: u32,
) -> Result<(), Error> {
    sqlx::query("INSERT INTO design (id, origin, position, created_ms) VALUES (?1, ?2, ?3, ?4)")
        .bind(new.id.as_str())
        .bind(origin_text(origin))
        .bind(position)
        .bind(new.at_ms)
        .execute(conn)
        .await
        .map_err(Error::sql(format!("save design {}", new.id)))?;
    Ok(())
}

async fn insert_text(conn: &mut SqliteConnection, new: NewDesign<'_>, version: u32) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO design_version (design, version, created_ms, name, text_sha256, text_toml)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .bind(new.id.as_str())
    .bind(version)
    .bind(new.at_ms)
    .bind(new.name)
    .bind(text_sha256(new.toml))
    .bind(new.toml)
    .execute(conn)
    .await
    .map_err(Error::sql(format!("save design {}", new.id)))?;
    Ok(())
}

fn origin_text(origin: Origin) -> &'static str {
    match origin {
        Origin::Reference => "reference",
        Origin::Own => "own",
    }
}

fn stored(row: &SqliteRow) -> Result<StoredDesign, Error> {
    let id: String = row.try_get("id").map_err(Error::sql("read a design"))?;
    let origin: String = row.try_get("origin").map_err(Error::sql("read a design"))?;
    Ok(StoredDesign {
        id: id.parse().map_err(|_| Error::Corrupt { what: "design.id", value: id })?,
        origin: match origin.as_str() {
            "reference" => Origin::Reference,
            "own" => Origin::Own,
            _ => return Err(Error::Corrupt { what: "design.origin", value: origin }),
        },
        version: row.try_get("version").map_err(Error::sql("read a design"))?,
        name: row.try_get("name").map_err(Error::sql("read a design"))?,
        toml: row.try_get("text_toml").map_err(Error::sql("read a design"))?,
        text_sha256: row.try_get("text_sha256").map_err(Error::sql("read a design"))?,
        created_ms: row.try_get("created_ms").map_err(Error::sql("read a design"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::open_in_memory;

    fn new<'a>(id: &'a DesignId, toml: &'a str) -> NewDesign<'a> {
        NewDesign { id, name: "A hall", toml, at_ms: 1_000 }
    }

    #[tokio::test]
    async fn the_text_is_kept_word_for_word() {
        let db = open_in_memory().await.unwrap();
        let id: DesignId = "hall".parse().unwrap();
        let text = "# a comment\r\nname = \"A hall — 45 °C\"\n\n";
        insert(&db, new(&id, text)).await.unwrap();
        let kept = newest(&db, &id).await.unwrap();
        assert_eq!((kept.toml.as_str(), kept.version, kept.origin), (text, 1, Origin::Own));
        assert_eq!(kept.text_sha256, text_sha256(text));
        assert_eq!(text_sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[tokio::test]
    async fn a_reference_design_gets_a_version_only_when_its_text_changes() {
        let db = open_in_memory().await.unwrap();
        let id: DesignId = "superpod".parse().unwrap();
        assert_eq!(upsert_reference(&db, new(&id, "a = 1"), 0).await.unwrap(), 1);
        assert_eq!(upsert_reference(&db, new(&id, "a = 1"), 0).await.unwrap(), 1);
        assert_eq!(upsert_reference(&db, new(&id, "a = 2"), 0).await.unwrap(), 2);
        assert_eq!(version(&db, &id, 1).await.unwrap().toml, "a = 1");
        assert_eq!(newest(&db, &id).await.unwrap().toml, "a = 2");
        assert_eq!(list(&db).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_change_to_an_old_version_is_refused() {
        let db = open_in_memory().await.unwrap();
        let id: DesignId = "hall".parse().unwrap();
        insert(&db, new(&id, "a = 1")).await.unwrap();
        assert!(matches!(insert(&db, new(&id, "a = 9")).await, Err(Error::DesignExists { .. })));
        assert_eq!(insert_version(&db, new(&id, "a = 2"), 1).await.unwrap(), 2);
        let late = insert_version(&db, new(&id, "a = 3"), 1).await;
        assert!(matches!(late, Err(Error::DesignChanged { based_on: 1, newest: 2, .. })));
        assert_eq!(insert_version(&db, new(&id, "a = 2"), 1).await.unwrap(), 2, "the same text is no conflict");
    }

    #[tokio::test]
    async fn reference_designs_come_first_in_their_own_order() {
        let db = open_in_memory().await.unwrap();
        let ids: Vec<DesignId> = ["z-own", "b-ref", "a-ref"].iter().map(|id| id.parse().unwrap()).collect();
        insert(&db, new(&ids[0], "")).await.unwrap();
        upsert_reference(&db, new(&ids[2], ""), 1).await.unwrap();
        upsert_reference(&db, new(&ids[1], ""), 0).await.unwrap();
        let order: Vec<String> = list(&db).await.unwrap().into_iter().map(|d| d.id.to_string()).collect();
        assert_eq!(order, ["b-ref", "a-ref", "z-own"]);
    }

    #[tokio::test]
    async fn a_design_that_is_not_there_is_not_found() {
        let db = open_in_memory().await.unwrap();
        let id: DesignId = "nowhere".parse().unwrap();
        assert!(matches!(newest(&db, &id).await, Err(Error::NoDesign { .. })));
        assert!(matches!(version(&db, &id, 1).await, Err(Error::NoDesign { .. })));
        assert!(matches!(insert_version(&db, new(&id, ""), 1).await, Err(Error::NoDesign { .. })));
    }
}
