//! The live fleet's history: series, their readings in chunks, buckets of them at four widths, and what is in no chunk yet.
//!
//! A reading arrives in the tail, as it came; some minutes of a series are then sealed into a chunk, and added to the
//! buckets, in one transaction. So a reading is in the tail or in a chunk, and in the buckets exactly when in a chunk.

use crate::Error;
use crate::chunk;
use crate::db::Db;
use model::reading::{Bucket, Labels, Sample, SeriesKey};
use sqlx::{Row, Sqlite, Transaction};

/// Widths of the buckets that are kept, seconds.
pub const LEVELS_S: [u32; 4] = [10, 60, 900, 3600];
/// Buckets of a width that stand in one row: few enough to be added to cheaply, many enough to be short.
const BUCKETS_IN_ROW: i64 = 360;
/// The longest that one chunk of readings may be, so that a search need not look further back.
pub const CHUNK_MS_MAX: i64 = 7_200_000;

/// A series as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSeries {
    /// Its number.
    pub id: u32,
    /// What it is.
    pub key: SeriesKey,
    /// Time of its last reading that is in a chunk.
    pub sealed_ms: Option<i64>,
}

/// Readings of one series that become a chunk, in the order of their times and after all that were sealed before.
#[derive(Debug, Clone, PartialEq)]
pub struct Seal {
    /// Which series.
    pub series: u32,
    /// Its readings; not empty.
    pub samples: Vec<Sample>,
}

/// What is written at once.
#[derive(Debug, Clone, Default)]
pub struct Write {
    /// Series not seen before.
    pub series: Vec<(u32, SeriesKey)>,
    /// Readings as they came, under the number that follows the last.
    pub tail: Option<(i64, Vec<u8>)>,
    /// What becomes chunks.
    pub seals: Vec<Seal>,
    /// The tail before this number is in chunks.
    pub forget_tail_before: Option<i64>,
}

/// How many bytes of readings are in no chunk yet.
pub async fn tail_bytes(db: &Db) -> Result<u64, Error> {
    let bytes: i64 = sqlx::query_scalar("SELECT coalesce(sum(length(bytes)), 0) FROM tail")
        .fetch_one(db.readers())
        .await
        .map_err(Error::sql("measure the history"))?;
    Ok(bytes.unsigned_abs())
}

/// Writes all of it or nothing.
pub async fn write(db: &Db, write: &Write) -> Result<(), Error> {
    let doing = "write the history";
    let mut to = db.write(doing).await?;
    for (id, key) in &write.series {
        let labels = serde_json::to_string(&key.labels).map_err(|source| Error::Labels { source })?;
        sqlx::query("INSERT INTO series (id, name, labels_json) VALUES (?1, ?2, ?3)")
            .bind(id)
            .bind(&key.name)
            .bind(labels)
            .execute(&mut *to)
            .await
            .map_err(Error::sql(doing))?;
    }
    if let Some((seq, bytes)) = &write.tail {
        sqlx::query("INSERT INTO tail (seq, bytes) VALUES (?1, ?2)")
            .bind(seq)
            .bind(bytes)
            .execute(&mut *to)
            .await
            .map_err(Error::sql(doing))?;
    }
    for seal in &write.seals {
        insert(&mut to, seal).await?;
    }
    if let Some(before) = write.forget_tail_before {
        let forget = sqlx::query("DELETE FROM tail WHERE seq < ?1").bind(before);
        forget.execute(&mut *to).await.map_err(Error::sql(doing))?;
    }
    to.commit().await.map_err(Error::sql(doing))
}

/// A chunk, and its readings added to the buckets.
async fn insert(to: &mut Transaction<'static, Sqlite>, seal: &Seal) -> Result<(), Error> {
    let doing = "seal a stretch of history";
    let (Some(first), Some(last)) = (seal.samples.first(), seal.samples.last()) else { return Ok(()) };
    put(to, seal.series, 0, (first.at_ms, last.at_ms), &chunk::encode(&seal.samples)).await?;
    sqlx::query("UPDATE series SET sealed_ms = ?2 WHERE id = ?1")
        .bind(seal.series)
        .bind(last.at_ms)
        .execute(&mut **to)
        .await
        .map_err(Error::sql(doing))?;
    let mean_ms = (last.at_ms - first.at_ms) / i64::from(seal.samples.len() as u32 - 1).max(1);
    let mut finer: Vec<Bucket> = seal.samples.iter().map(|sample| Bucket::of(sample.at_ms, sample.value)).collect();
    for level_s in LEVELS_S {
        // Buckets of ten seconds say nothing more than readings that come every ten seconds.
        if level_s > 10 || (mean_ms > 0 && mean_ms <= 5_000) {
            finer = regroup(&finer, i64::from(level_s) * 1_000);
            add(to, seal.series, level_s, &finer).await?;
        }
    }
    Ok(())
}

/// Adds buckets to those that are kept of that width, row by row.
async fn add(
    to: &mut Transaction<'static, Sqlite>,
    series: u32,
    level_s: u32,
    buckets: &[Bucket],
) -> Result<(), Error> {
    let doing = "add to the buckets of the history";
    let row_ms = i64::from(level_s) * 1_000 * BUCKETS_IN_ROW;
    for buckets in buckets.chunk_by(|left, right| left.start_ms.div_euclid(row_ms) == right.start_ms.div_euclid(row_ms))
    {
        let row_start = buckets[0].start_ms.div_euclid(row_ms) * row_ms;
        let kept: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT bytes FROM chunk WHERE series = ?1 AND level_s = ?2 AND start_ms = ?3")
                .bind(series)
                .bind(level_s)
                .bind(row_start)
                .fetch_optional(&mut **to)
                .await
                .map_err(Error::sql(doing))?;
        let mut all = match kept {
            Some(bytes) => chunk::decode_buckets(&bytes).map_err(|source| Error::Damaged { source })?,
            None => Vec::new(),
        };
        all.extend_from_slice(buckets);
        let all = regroup(&all, i64::from(level_s) * 1_000);
        put(to, series, level_s, (row_start, row_start + row_ms - 1), &chunk::encode_buckets(&all)).await?;
    }
    Ok(())
}

async fn put(
    to: &mut Transaction<'static, Sqlite>,
    series: u32,
    level_s: u32,
    (start_ms, end_ms): (i64, i64),
    bytes: &[u8],
) -> Result<(), Error> {
    sqlx::query("INSERT OR REPLACE INTO chunk (series, level_s, start_ms, end_ms, bytes) VALUES (?1, ?2, ?3, ?4, ?5)")
        .bind(series)
        .bind(level_s)
        .bind(start_ms)
        .bind(end_ms)
        .bind(bytes)
        .execute(&mut **to)
        .await
        .map_err(Error::sql("write a stretch of history"))?;
    Ok(())
}

/// Buckets in the order of their times as wider ones, which begin at whole multiples of their width.
pub fn regroup(buckets: &[Bucket], width_ms: i64) -> Vec<Bucket> {
    let mut wider: Vec<Bucket> = Vec::new();
    for bucket in buckets {
        let start_ms = bucket.start_ms.div_euclid(width_ms) * width_ms;
        match wider.last_mut() {
            Some(last) if last.start_ms == start_ms => *last = last.and(*bucket),
            _ => wider.push(Bucket { start_ms, ..*bucket }),
        }
    }
    wider
}

/// Every series that was ever kept.
pub async fn series(db: &Db) -> Result<Vec<StoredSeries>, Error> {
    let rows = sqlx::query("SELECT id, name, labels_json, sealed_ms FROM series ORDER BY id")
        .fetch_all(db.readers())
        .await
        .map_err(Error::sql("read the series of the history"))?;
    let series = |row: sqlx::sqlite::SqliteRow| {
        let labels: Labels = serde_json::from_str(row.get("labels_json")).map_err(|source| Error::Labels { source })?;
        let key = SeriesKey { name: row.get("name"), labels };
        Ok(StoredSeries { id: row.get("id"), key, sealed_ms: row.get("sealed_ms") })
    };
    rows.into_iter().map(series).collect()
}

/// The tail, oldest first: each part with its number.
pub async fn tail(db: &Db) -> Result<Vec<(i64, Vec<u8>)>, Error> {
    sqlx::query_as("SELECT seq, bytes FROM tail ORDER BY seq")
        .fetch_all(db.readers())
        .await
        .map_err(Error::sql("read the tail of the history"))
}

/// What is sealed of a series, and up to when: whatever came later is in the tail alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Sealed<T> {
    /// What was asked for.
    pub found: Vec<T>,
    /// Time of the last reading that is in a chunk.
    pub sealed_ms: Option<i64>,
}

/// Sealed readings of a series at `from_ms` or later and before `to_ms`.
pub async fn samples(db: &Db, series: u32, from_ms: i64, to_ms: i64) -> Result<Sealed<Sample>, Error> {
    let times = (from_ms, from_ms.saturating_sub(CHUNK_MS_MAX), to_ms);
    let Sealed { found, sealed_ms } = rows(db, series, 0, times).await?;
    let mut all = Vec::new();
    for bytes in found {
        all.extend(chunk::decode(&bytes).map_err(|source| Error::Damaged { source })?);
    }
    all.retain(|sample| (from_ms..to_ms).contains(&sample.at_ms));
    Ok(Sealed { found: all, sealed_ms })
}

/// Sealed buckets of one of the kept widths, of a series, that begin at `from_ms` or later and before `to_ms`.
pub async fn buckets(
    db: &Db,
    series: u32,
    level_s: u32,
    (from_ms, to_ms): (i64, i64),
) -> Result<Sealed<Bucket>, Error> {
    let row_ms = i64::from(level_s) * 1_000 * BUCKETS_IN_ROW;
    let times = (from_ms, from_ms.saturating_sub(row_ms), to_ms);
    let Sealed { found, sealed_ms } = rows(db, series, level_s, times).await?;
    let mut all = Vec::new();
    for bytes in found {
        all.extend(chunk::decode_buckets(&bytes).map_err(|source| Error::Damaged { source })?);
    }
    all.retain(|bucket| (from_ms..to_ms).contains(&bucket.start_ms));
    Ok(Sealed { found: all, sealed_ms })
}

/// The rows that may hold something between two times, none of which begins before `earliest`; read in one moment with
/// how far the series is sealed.
async fn rows(
    db: &Db,
    series: u32,
    level_s: u32,
    (from_ms, earliest, to_ms): (i64, i64, i64),
) -> Result<Sealed<Vec<u8>>, Error> {
    let doing = "read the history";
    let mut reading = db.readers().begin().await.map_err(Error::sql(doing))?;
    let sealed_ms: Option<Option<i64>> = sqlx::query_scalar("SELECT sealed_ms FROM series WHERE id = ?1")
        .bind(series)
        .fetch_optional(&mut *reading)
        .await
        .map_err(Error::sql(doing))?;
    let found = sqlx::query_scalar(
        "SELECT bytes FROM chunk
         WHERE series = ?1 AND level_s = ?2 AND start_ms >= ?3 AND start_ms < ?4 AND end_ms >= ?5 ORDER BY start_ms",
    )
    .bind(series)
    .bind(level_s)
    .bind(earliest)
    .bind(to_ms)
    .bind(from_ms)
    .fetch_all(&mut *reading)
    .await
    .map_err(Error::sql(doing))?;
    Ok(Sealed { found, sealed_ms: sealed_ms.flatten() })
}

/// Forgets what is older than `before_ms` of one width (0: the readings) of the series numbered `first` to `last`.
pub async fn forget(db: &Db, level_s: u32, (first, last): (u32, u32), before_ms: i64) -> Result<u64, Error> {
    let mut to = db.write("forget old history").await?;
    let gone = sqlx::query("DELETE FROM chunk WHERE series BETWEEN ?1 AND ?2 AND level_s = ?3 AND end_ms < ?4")
        .bind(first)
        .bind(last)
        .bind(level_s)
        .bind(before_ms)
        .execute(&mut *to)
        .await
        .map_err(Error::sql("forget old history"))?;
    to.commit().await.map_err(Error::sql("forget old history"))?;
    Ok(gone.rows_affected())
}

/// What the history takes: bytes of chunks by level (0 first), and of the tail.
pub async fn sizes(db: &Db) -> Result<(Vec<(u32, i64)>, i64), Error> {
    let doing = "measure the history";
    let chunks = sqlx::query_as("SELECT level_s, sum(length(bytes)) FROM chunk GROUP BY level_s ORDER BY level_s")
        .fetch_all(db.readers())
        .await
        .map_err(Error::sql(doing))?;
    let tail = sqlx::query_scalar("SELECT coalesce(sum(length(bytes)), 0) FROM tail")
        .fetch_one(db.readers())
        .await
        .map_err(Error::sql(doing))?;
    Ok((chunks, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(gpu: u32) -> SeriesKey {
        SeriesKey { name: "gpu_power_watts".into(), labels: Labels::of([("gpu", gpu.to_string())]) }
    }

    fn watts(from_s: i64, count: i64, every_s: i64) -> Vec<Sample> {
        (0..count).map(|at| Sample { at_ms: (from_s + at * every_s) * 1_000, value: 400.0 + (at % 7) as f64 }).collect()
    }

    #[tokio::test]
    async fn readings_come_back_and_buckets_are_of_all_of_them() {
        let db = crate::db::open_history_in_memory().await.unwrap();
        let (first, second) = (watts(1_000, 90, 2), watts(1_180, 90, 2));
        let series = vec![(7, key(0))];
        let seal = |samples: &[Sample]| vec![Seal { series: 7, samples: samples.to_vec() }];
        write(&db, &Write { series, seals: seal(&first), ..Write::default() }).await.unwrap();
        write(&db, &Write { seals: seal(&second), ..Write::default() }).await.unwrap();
        let all: Vec<Sample> = first.iter().chain(&second).copied().collect();
        assert_eq!(
            samples(&db, 7, 0, i64::MAX).await.unwrap(),
            Sealed { found: all.clone(), sealed_ms: Some(1_358_000) }
        );
        assert_eq!(samples(&db, 7, 1_010_000, 1_014_000).await.unwrap().found, all[5..7]);
        let each: Vec<Bucket> = all.iter().map(|sample| Bucket::of(sample.at_ms, sample.value)).collect();
        for level_s in LEVELS_S {
            let kept = buckets(&db, 7, level_s, (0, i64::MAX)).await.unwrap().found;
            assert_eq!(kept, regroup(&each, i64::from(level_s) * 1_000), "{level_s}");
            assert_eq!(kept.iter().map(|bucket| bucket.count).sum::<u32>(), 180);
        }
        let known = super::series(&db).await.unwrap();
        assert_eq!(known, [StoredSeries { id: 7, key: key(0), sealed_ms: Some(1_358_000) }]);
    }

    #[tokio::test]
    async fn the_tail_is_kept_until_it_is_in_chunks() {
        let db = crate::db::open_history_in_memory().await.unwrap();
        for seq in 1..4 {
            write(&db, &Write { tail: Some((seq, vec![seq as u8])), ..Write::default() }).await.unwrap();
        }
        write(&db, &Write { forget_tail_before: Some(3), ..Write::default() }).await.unwrap();
        assert_eq!(tail(&db).await.unwrap(), [(3, vec![3])]);
    }

    #[tokio::test]
    async fn a_write_that_fails_leaves_nothing() {
        let db = crate::db::open_history_in_memory().await.unwrap();
        let twice = vec![(1, key(0)), (1, key(1))];
        write(&db, &Write { series: twice, tail: Some((1, vec![1])), ..Write::default() }).await.unwrap_err();
        assert_eq!((series(&db).await.unwrap().len(), tail(&db).await.unwrap().len()), (0, 0));
    }

    #[tokio::test]
    async fn the_old_is_forgotten_and_the_rest_stays() {
        let db = crate::db::open_history_in_memory().await.unwrap();
        let seals = (0..3).map(|hour| Seal { series: 1, samples: watts(hour * 3_600, 90, 10) }).collect();
        write(&db, &Write { series: vec![(1, key(0))], seals, ..Write::default() }).await.unwrap();
        assert_eq!(forget(&db, 0, (0, 10), 3_600_000).await.unwrap(), 1);
        assert_eq!(samples(&db, 1, 0, i64::MAX).await.unwrap().found.len(), 180);
        assert_eq!(buckets(&db, 1, 3_600, (0, i64::MAX)).await.unwrap().found.len(), 3);
    }
}
