//! The one clock of the house, and ids made from it.

use crate::error::Error;
use model::id::RunId;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970 UTC; 0 where the machine's clock stands before that.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// This month, as catalog rows have it: `2026-11`.
pub fn this_month() -> String {
    jiff::Timestamp::from_millisecond(now_ms()).unwrap_or_default().strftime("%Y-%m").to_string()
}

/// A new id: later ones sort after earlier ones, and two of the same millisecond differ by chance.
pub fn new_run_id(at_ms: i64) -> Result<RunId, Error> {
    new_id(at_ms)
}

/// The same of any kind.
pub fn new_id<Id: FromStr>(at_ms: i64) -> Result<Id, Error> {
    let chance = getrandom::u32().map_err(|error| Error::NoChance { reason: error.to_string() })?;
    format!("{at_ms:012x}{chance:08x}").parse().map_err(|_| Error::NoChance { reason: "the clock is off".into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time() {
        let ids: Vec<RunId> = [1, 255, 1_795_000_000_000].map(|at| new_run_id(at).unwrap()).into();
        assert!(ids.is_sorted(), "{ids:?}");
        assert_ne!(new_run_id(7).unwrap(), new_run_id(7).unwrap());
    }
}
