//! Designs: a name in paths, and every version of the text that a person wrote, word for word.

use crate::Error;
use crate::db::Db;
use model::id::DesignId;
use model::run::Origin;
use model::version::{BranchPoint, DesignVersion};
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::collections::BTreeSet;
use std::fmt::Write;

/// A design as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDesign {
    /// Its name in paths.
    pub id: DesignId,
    /// Who made it.
    pub origin: Origin,
    /// What it began as.
    pub branched_from: Option<BranchPoint>,
    /// When it was put away, milliseconds since 1970 UTC.
    pub archived_ms: Option<i64>,
    /// Which version this is.
    pub version: DesignVersion,
    /// Its name on a page, in this version.
    pub name: String,
    /// Its text, word for word.
    pub toml: String,
}

/// A text to be kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewText<'a> {
    /// Its name on a page.
    pub name: &'a str,
    /// The text.
    pub toml: &'a str,
    /// What a person calls the version.
    pub label: &'a str,
    /// What a person says of the change.
    pub message: &'a str,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// Which designs a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// Those in use.
    InUse,
    /// Those that were put away.
    Archived,
}

/// Everything of a design in one version; `WHERE` and what follows is the caller's.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT d.id, d.origin, d.archived_ms, b.from_design, b.from_version, v.version, v.label, v.message,
                    v.created_ms, v.name, v.text_toml, v.text_sha256
             FROM design d
             JOIN design_version v ON v.design = d.id
             LEFT JOIN design_branch b ON b.design = d.id ",
            $rest
        )
    };
}

/// Keeps a new design of a user's, as version 1, and says what it is called in paths: `slug`, or the first of `slug-2`,
/// `slug-3`, … that is free.
pub async fn create(db: &Db, slug: &DesignId, new: NewText<'_>, from: Option<&BranchPoint>) -> Result<DesignId, Error> {
    let doing = format!("save design {slug}");
    let mut write = db.write(&doing).await?;
    let id = free_id(&mut write, slug).await?;
    insert_design(&mut write, &id, new.at_ms, Origin::Own, 0).await?;
    insert_text(&mut write, &id, new, 1).await?;
    if let Some(from) = from {
        insert_branch(&mut write, &id, from).await?;
    }
    write.commit().await.map_err(Error::sql(doing))?;
    Ok(id)
}

/// Keeps another version of a design, and says which one it became. Text that did not change makes no version, but its
/// newest version gets the label and the message, where there are any.
///
/// Refused where someone else saved one in between, that is where `based_on` is not the newest any more; where the design
/// came with the program; and where it was put away.
pub async fn insert_version(db: &Db, id: &DesignId, new: NewText<'_>, based_on: u32) -> Result<DesignVersion, Error> {
    let doing = format!("save design {id}");
    let mut write = db.write(&doing).await?;
    refuse_kept_as_is(&mut write, id).await?;
    let Some((newest, hash)) = newest_version(&mut write, id).await? else {
        return Err(Error::NoDesign { id: id.clone() });
    };
    let version = if hash == text_sha256(new.toml) {
        name_version(&mut write, id, newest, new).await?;
        newest
    } else if newest == based_on {
        insert_text(&mut write, id, new, newest + 1).await?;
        newest + 1
    } else if based_on == 0 || based_on > newest {
        return Err(Error::NoVersion { id: id.clone(), version: based_on });
    } else {
        return Err(Error::DesignChanged { id: id.clone(), based_on, newest });
    };
    write.commit().await.map_err(Error::sql(doing))?;
    Ok(self::version(db, id, version).await?.version)
}

/// Keeps a design that came with the program, and says its version: the same as before where its text is the same.
///
/// `position` is its place in lists.
pub async fn upsert_reference(db: &Db, id: &DesignId, new: NewText<'_>, position: u32) -> Result<u32, Error> {
    let doing = format!("save reference design {id}");
    let mut write = db.write(&doing).await?;
    let version = match newest_version(&mut write, id).await? {
        None => {
            insert_design(&mut write, id, new.at_ms, Origin::Reference, position).await?;
            insert_text(&mut write, id, new, 1).await?;
            1
        }
        Some((newest, hash)) => {
            sqlx::query("UPDATE design SET origin = 'reference', position = ?2 WHERE id = ?1")
                .bind(id.as_str())
                .bind(position)
                .execute(&mut *write)
                .await
                .map_err(Error::sql(&doing))?;
            let unchanged = hash == text_sha256(new.toml);
            if !unchanged {
                insert_text(&mut write, id, new, newest + 1).await?;
            }
            if unchanged { newest } else { newest + 1 }
        }
    };
    write.commit().await.map_err(Error::sql(doing))?;
    Ok(version)
}

/// Puts a design away, or takes it out again. What is there already stays as it is.
pub async fn set_shelf(db: &Db, id: &DesignId, shelf: Shelf, at_ms: i64) -> Result<(), Error> {
    let doing = format!("put design {id} away");
    let mut write = db.write(&doing).await?;
    if of_design(&mut write, id).await?.0 == Origin::Reference {
        return Err(Error::Reference { id: id.clone() });
    }
    let archived = match shelf {
        Shelf::InUse => None,
        Shelf::Archived => Some(at_ms),
    };
    sqlx::query("UPDATE design SET archived_ms = ?2 WHERE id = ?1 AND (archived_ms IS NULL) <> (?2 IS NULL)")
        .bind(id.as_str())
        .bind(archived)
        .execute(&mut *write)
        .await
        .map_err(Error::sql(&doing))?;
    write.commit().await.map_err(Error::sql(doing))
}

/// The newest version of every design of a shelf: those that came with the program first, then the user's by name.
pub async fn list(db: &Db, shelf: Shelf) -> Result<Vec<StoredDesign>, Error> {
    page(db, shelf, None, u32::MAX).await
}

/// The same, no more than `limit` of them, and those alone that stand behind the design `after`.
pub async fn page(db: &Db, shelf: Shelf, after: Option<&DesignId>, limit: u32) -> Result<Vec<StoredDesign>, Error> {
    if let Some(id) = after {
        newest(db, id).await?;
    }
    let rows = sqlx::query(select!(
        "WHERE v.version = (SELECT max(version) FROM design_version WHERE design = d.id)
           AND (d.archived_ms IS NOT NULL) = ?1
           AND (?2 IS NULL OR (d.origin = 'own', d.position, v.name, d.id) > (
               SELECT e.origin = 'own', e.position, w.name, e.id
               FROM design e
               JOIN design_version w ON w.design = e.id
               WHERE e.id = ?2
               ORDER BY w.version DESC
               LIMIT 1
           ))
         ORDER BY d.origin = 'own', d.position, v.name, d.id
         LIMIT ?3"
    ))
    .bind(shelf == Shelf::Archived)
    .bind(after.map(DesignId::as_str))
    .bind(limit)
    .fetch_all(db.readers())
    .await
    .map_err(Error::sql("list designs"))?;
    rows.iter().map(stored).collect()
}

/// The newest version of one.
pub async fn newest(db: &Db, id: &DesignId) -> Result<StoredDesign, Error> {
    let row = sqlx::query(select!("WHERE d.id = ?1 ORDER BY v.version DESC LIMIT 1"))
        .bind(id.as_str())
        .fetch_optional(db.readers())
        .await
        .map_err(Error::sql(format!("read design {id}")))?;
    stored(&row.ok_or_else(|| Error::NoDesign { id: id.clone() })?)
}

/// One version of one.
pub async fn version(db: &Db, id: &DesignId, version: u32) -> Result<StoredDesign, Error> {
    let row = sqlx::query(select!("WHERE d.id = ?1 AND v.version = ?2"))
        .bind(id.as_str())
        .bind(version)
        .fetch_optional(db.readers())
        .await
        .map_err(Error::sql(format!("read version {version} of design {id}")))?;
    match row {
        Some(row) => stored(&row),
        None => newest(db, id).await.and(Err(Error::NoVersion { id: id.clone(), version })),
    }
}

/// Every version of one, newest first.
pub async fn versions(db: &Db, id: &DesignId) -> Result<Vec<DesignVersion>, Error> {
    let rows = sqlx::query(
        "SELECT version, label, message, created_ms, text_sha256 FROM design_version
         WHERE design = ?1 ORDER BY version DESC",
    )
    .bind(id.as_str())
    .fetch_all(db.readers())
    .await
    .map_err(Error::sql(format!("list versions of design {id}")))?;
    if rows.is_empty() {
        return Err(Error::NoDesign { id: id.clone() });
    }
    rows.iter().map(design_version).collect()
}

/// SHA-256 of a text, in hexadecimal.
pub fn text_sha256(text: &str) -> String {
    sha256(text.as_bytes())
}

/// SHA-256 of bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string can't fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

async fn free_id(conn: &mut SqliteConnection, slug: &DesignId) -> Result<DesignId, Error> {
    let taken: Vec<String> =
        sqlx::query_scalar("SELECT id FROM design WHERE id = ?1 OR substr(id, 1, length(?1) + 1) = ?1 || '-'")
            .bind(slug.as_str())
            .fetch_all(conn)
            .await
            .map_err(Error::sql("look for a free name"))?;
    let taken: BTreeSet<String> = taken.into_iter().collect();
    let numbered = (2_u32..).map(|n| format!("{slug}-{n}"));
    let free = std::iter::once(slug.to_string()).chain(numbered).find(|id| !taken.contains(id)).unwrap_or_default();
    free.parse().map_err(|_| Error::Corrupt { what: "design.id", value: free })
}

/// Who made a design, and when it was put away.
async fn of_design(conn: &mut SqliteConnection, id: &DesignId) -> Result<(Origin, Option<i64>), Error> {
    let row: Option<(String, Option<i64>)> = sqlx::query_as("SELECT origin, archived_ms FROM design WHERE id = ?1")
        .bind(id.as_str())
        .fetch_optional(conn)
        .await
        .map_err(Error::sql(format!("read design {id}")))?;
    let (origin, archived_ms) = row.ok_or_else(|| Error::NoDesign { id: id.clone() })?;
    Ok((origin_of(origin)?, archived_ms))
}

async fn refuse_kept_as_is(conn: &mut SqliteConnection, id: &DesignId) -> Result<(), Error> {
    match of_design(conn, id).await? {
        (Origin::Reference, _) => Err(Error::Reference { id: id.clone() }),
        (Origin::Own, Some(_)) => Err(Error::Archived { id: id.clone() }),
        (Origin::Own, None) => Ok(()),
    }
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
    id: &DesignId,
    at_ms: i64,
    origin: Origin,
    position: u32,
) -> Result<(), Error> {
    sqlx::query("INSERT INTO design (id, origin, position, created_ms) VALUES (?1, ?2, ?3, ?4)")
        .bind(id.as_str())
        .bind(origin_text(origin))
        .bind(position)
        .bind(at_ms)
        .execute(conn)
        .await
        .map_err(Error::sql(format!("save design {id}")))?;
    Ok(())
}

async fn insert_text(conn: &mut SqliteConnection, id: &DesignId, new: NewText<'_>, version: u32) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO design_version (design, version, created_ms, name, text_sha256, text_toml, label, message)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .bind(id.as_str())
    .bind(version)
    .bind(new.at_ms)
    .bind(new.name)
    .bind(text_sha256(new.toml))
    .bind(new.toml)
    .bind(new.label)
    .bind(new.message)
    .execute(conn)
    .await
    .map_err(Error::sql(format!("save design {id}")))?;
    Ok(())
}

async fn insert_branch(conn: &mut SqliteConnection, id: &DesignId, from: &BranchPoint) -> Result<(), Error> {
    let there: Option<i64> = sqlx::query_scalar("SELECT 1 FROM design_version WHERE design = ?1 AND version = ?2")
        .bind(from.design.as_str())
        .bind(from.version)
        .fetch_optional(&mut *conn)
        .await
        .map_err(Error::sql(format!("read design {}", from.design)))?;
    if there.is_none() {
        return Err(Error::NoVersion { id: from.design.clone(), version: from.version });
    }
    sqlx::query("INSERT INTO design_branch (design, from_design, from_version) VALUES (?1, ?2, ?3)")
        .bind(id.as_str())
        .bind(from.design.as_str())
        .bind(from.version)
        .execute(conn)
        .await
        .map_err(Error::sql(format!("save design {id}")))?;
    Ok(())
}

/// Calls a version what it is called now; what is empty changes nothing.
async fn name_version(conn: &mut SqliteConnection, id: &DesignId, version: u32, new: NewText<'_>) -> Result<(), Error> {
    sqlx::query(
        "UPDATE design_version
         SET label = CASE ?3 WHEN '' THEN label ELSE ?3 END, message = CASE ?4 WHEN '' THEN message ELSE ?4 END
         WHERE design = ?1 AND version = ?2",
    )
    .bind(id.as_str())
    .bind(version)
    .bind(new.label)
    .bind(new.message)
    .execute(conn)
    .await
    .map_err(Error::sql(format!("save design {id}")))?;
    Ok(())
}

fn origin_text(origin: Origin) -> &'static str {
    match origin {
        Origin::Reference => "reference",
        Origin::Own => "own",
    }
}

fn origin_of(text: String) -> Result<Origin, Error> {
    match text.as_str() {
        "reference" => Ok(Origin::Reference),
        "own" => Ok(Origin::Own),
        _ => Err(Error::Corrupt { what: "design.origin", value: text }),
    }
}

fn design_id(text: String) -> Result<DesignId, Error> {
    text.parse().map_err(|_| Error::Corrupt { what: "design.id", value: text })
}

fn stored(row: &SqliteRow) -> Result<StoredDesign, Error> {
    let read = || Error::sql("read a design");
    let from_design: Option<String> = row.try_get("from_design").map_err(read())?;
    let branched_from = match from_design {
        None => None,
        Some(design) => {
            let version = row.try_get("from_version").map_err(read())?;
            Some(BranchPoint { design: design_id(design)?, version })
        }
    };
    Ok(StoredDesign {
        id: design_id(row.try_get("id").map_err(read())?)?,
        origin: origin_of(row.try_get("origin").map_err(read())?)?,
        branched_from,
        archived_ms: row.try_get("archived_ms").map_err(read())?,
        version: design_version(row)?,
        name: row.try_get("name").map_err(read())?,
        toml: row.try_get("text_toml").map_err(read())?,
    })
}

fn design_version(row: &SqliteRow) -> Result<DesignVersion, Error> {
    let read = || Error::sql("read a design's version");
    Ok(DesignVersion {
        version: row.try_get("version").map_err(read())?,
        label: row.try_get("label").map_err(read())?,
        message: row.try_get("message").map_err(read())?,
        created_ms: row.try_get("created_ms").map_err(read())?,
        text_sha256: row.try_get("text_sha256").map_err(read())?,
    })
}

#[cfg(test)]
mod tests;
