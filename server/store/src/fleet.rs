//! What people settle about the live fleet: its binding to a design, the state of its alerts, named ways to look at it.

use crate::Error;
use crate::db::Db;
use model::fleet::SavedView;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Ways to look at the fleet that can be kept.
pub const VIEWS_MAX: i64 = 200;

/// What is kept whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Which design the fleet is bound to, and how.
    Binding,
    /// Alerts, silences and who took them on.
    Alerts,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Binding => "binding",
            Self::Alerts => "alerts",
        }
    }
}

/// Keeps a state in place of the one before.
pub async fn save<T: Serialize>(db: &Db, state: State, value: &T, at_ms: i64) -> Result<(), Error> {
    let doing = format!("keep the fleet's {}", state.name());
    let json = serde_json::to_string(value).map_err(|source| Error::State { source })?;
    let mut to = db.write(&doing).await?;
    sqlx::query("INSERT OR REPLACE INTO fleet_state (name, saved_ms, state_json) VALUES (?1, ?2, ?3)")
        .bind(state.name())
        .bind(at_ms)
        .bind(json)
        .execute(&mut *to)
        .await
        .map_err(Error::sql(&doing))?;
    to.commit().await.map_err(Error::sql(doing))
}

/// The state that is kept; none before the first.
pub async fn get<T: DeserializeOwned>(db: &Db, state: State) -> Result<Option<T>, Error> {
    let json: Option<String> = sqlx::query_scalar("SELECT state_json FROM fleet_state WHERE name = ?1")
        .bind(state.name())
        .fetch_optional(db.readers())
        .await
        .map_err(Error::sql(format!("read the fleet's {}", state.name())))?;
    json.map(|json| serde_json::from_str(&json).map_err(|source| Error::State { source })).transpose()
}

/// Forgets a state.
pub async fn clear(db: &Db, state: State) -> Result<(), Error> {
    let doing = format!("forget the fleet's {}", state.name());
    let mut to = db.write(&doing).await?;
    let gone = sqlx::query("DELETE FROM fleet_state WHERE name = ?1").bind(state.name());
    gone.execute(&mut *to).await.map_err(Error::sql(&doing))?;
    to.commit().await.map_err(Error::sql(doing))
}

/// Named ways to look at the fleet, by name.
pub async fn views(db: &Db) -> Result<Vec<SavedView>, Error> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as("SELECT name, query, saved_ms FROM fleet_view ORDER BY name")
        .fetch_all(db.readers())
        .await
        .map_err(Error::sql("read the saved views"))?;
    Ok(rows.into_iter().map(|(name, query, saved_ms)| SavedView { name, query, saved_ms }).collect())
}

/// Names a way to look at the fleet; one of that name is replaced.
pub async fn save_view(db: &Db, view: &SavedView) -> Result<(), Error> {
    let doing = "save a view of the fleet";
    let mut to = db.write(doing).await?;
    let others: i64 = sqlx::query_scalar("SELECT count(*) FROM fleet_view WHERE name <> ?1")
        .bind(&view.name)
        .fetch_one(&mut *to)
        .await
        .map_err(Error::sql(doing))?;
    if others >= VIEWS_MAX {
        return Err(Error::Full { limit: VIEWS_MAX });
    }
    sqlx::query("INSERT OR REPLACE INTO fleet_view (name, saved_ms, query) VALUES (?1, ?2, ?3)")
        .bind(&view.name)
        .bind(view.saved_ms)
        .bind(&view.query)
        .execute(&mut *to)
        .await
        .map_err(Error::sql(doing))?;
    to.commit().await.map_err(Error::sql(doing))
}

/// Forgets a named way to look at the fleet; whether there was one.
pub async fn delete_view(db: &Db, name: &str) -> Result<bool, Error> {
    let doing = "forget a view of the fleet";
    let mut to = db.write(doing).await?;
    let gone = sqlx::query("DELETE FROM fleet_view WHERE name = ?1").bind(name).execute(&mut *to).await;
    let gone = gone.map_err(Error::sql(doing))?.rows_affected();
    to.commit().await.map_err(Error::sql(doing))?;
    Ok(gone > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_state_is_replaced_and_forgotten() {
        let db = crate::db::open_in_memory().await.unwrap();
        assert_eq!(get::<Vec<u32>>(&db, State::Alerts).await.unwrap(), None);
        save(&db, State::Alerts, &vec![1], 1).await.unwrap();
        save(&db, State::Alerts, &vec![2, 3], 2).await.unwrap();
        assert_eq!(get(&db, State::Alerts).await.unwrap(), Some(vec![2, 3]));
        assert_eq!(get::<Vec<u32>>(&db, State::Binding).await.unwrap(), None);
        clear(&db, State::Alerts).await.unwrap();
        assert_eq!(get::<Vec<u32>>(&db, State::Alerts).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_view_has_one_name() {
        let db = crate::db::open_in_memory().await.unwrap();
        let view = |name: &str, query: &str| SavedView { name: name.into(), query: query.into(), saved_ms: 1 };
        for (name, query) in [("hot", "metric=a"), ("cold", "metric=b"), ("hot", "metric=c")] {
            save_view(&db, &view(name, query)).await.unwrap();
        }
        assert_eq!(views(&db).await.unwrap(), [view("cold", "metric=b"), view("hot", "metric=c")]);
        assert!(delete_view(&db, "hot").await.unwrap() && !delete_view(&db, "hot").await.unwrap());
    }
}
