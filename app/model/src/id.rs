//! Ids are kinds: a `RunId` can't stand where a `DesignId` is asked for. This file is their registry.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! id {
    (#[$how:meta] $(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[$how]
        pub struct $name(String);
        impl $name {
            /// The id as it stands in a path or a file.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl FromStr for $name {
            type Err = BadId;
            /// Ids are lower-case letters, digits, `.`, `-` and `_`, at most 64, so that they are safe in paths and files.
            fn from_str(text: &str) -> Result<Self, BadId> {
                let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
                if !text.is_empty() && text.len() <= 64 && text.chars().all(good) && !text.starts_with('.') {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(BadId { kind: stringify!($name) })
                }
            }
        }
    };
}

/// Ids of what is kept: nothing else can be read as one.
macro_rules! kept {
    ($($(#[$doc:meta])* $name:ident;)+) => { $(
        id! { #[cfg_attr(feature = "schema", schema(pattern = "^[a-z0-9_-][a-z0-9._-]{0,63}$"))] $(#[$doc])* $name }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )+ };
}

/// Names that people write in files: what is no id can be read, and is then told as a name that leads nowhere.
macro_rules! written {
    ($($(#[$doc:meta])* $name:ident;)+) => { $(
        id! { #[derive(Deserialize)] $(#[$doc])* $name }
    )+ };
}

kept! {
    /// A design, as a person names it in the store.
    DesignId;
    /// A run of a design through a year.
    RunId;
    /// A text that a share link leads to: the first 20 hexadecimal digits of its SHA-256.
    SnapshotId;
    /// A file that a user brought: weather, prices, carbon or requests.
    InputId;
    /// A replay of requests through a fleet.
    ReplayId;
    /// A sweep over choices of a design.
    SweepId;
}

written! {
    /// A part in the catalog.
    PartId;
    /// A language model in the catalog.
    ModelId;
    /// A place on earth in the catalog: climate, grid, tariff.
    LocationId;
}

/// The text is not an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadId {
    kind: &'static str,
}
impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a {}: ids are 1 to 64 lower-case letters, digits, dots, dashes and underscores", self.kind)
    }
}
impl std::error::Error for BadId {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_safe_in_a_path() {
        assert!("superpod-su.1".parse::<DesignId>().is_ok());
        for bad in ["", "../etc", "a b", "A", &"x".repeat(65)] {
            assert!(bad.parse::<DesignId>().is_err(), "{bad:?}");
            assert!(serde_json::from_value::<DesignId>(bad.into()).is_err(), "{bad:?}");
        }
    }
}
