//! Money: whole cents, so that sums of bills add up, and prices per quantity, which are physics and so `f64`.

use crate::quantity::{Energy, Tokens, Volume};
use serde::{Deserialize, Serialize};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Sub};

/// An amount in United States dollars, held in whole cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Usd {
    cents: i64,
}

impl Usd {
    /// No money.
    pub const ZERO: Self = Self { cents: 0 };
    /// To the nearest cent; what is not finite or beyond 9e16 dollars is clamped by the cast.
    pub fn from_dollars(dollars: f64) -> Self {
        Self { cents: (dollars * 100.0).round() as i64 }
    }
    /// From whole cents.
    pub const fn from_cents(cents: i64) -> Self {
        Self { cents }
    }
    /// In dollars.
    pub fn as_dollars(self) -> f64 {
        self.cents as f64 / 100.0
    }
    /// In whole cents.
    pub const fn as_cents(self) -> i64 {
        self.cents
    }
    /// Dollars for each million tokens; `None` where there are none.
    pub fn per_million(self, tokens: Tokens) -> Option<f64> {
        (tokens.as_millions() > 0.0).then(|| self.as_dollars() / tokens.as_millions())
    }
}
impl Add for Usd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { cents: self.cents.saturating_add(other.cents) }
    }
}
impl Sub for Usd {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { cents: self.cents.saturating_sub(other.cents) }
    }
}
impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::ZERO, Add::add)
    }
}
impl Mul<u32> for Usd {
    type Output = Self;
    fn mul(self, count: u32) -> Self {
        Self { cents: self.cents.saturating_mul(i64::from(count)) }
    }
}

macro_rules! price {
    ($(#[$doc:meta])* $name:ident per $per:ident { $($from:ident, $as:ident = $scale:expr;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub struct $name(f64);
        impl $name {
            $(
                #[doc = concat!("From ", stringify!($from), ".")]
                pub const fn $from(value: f64) -> Self { Self(value * $scale) }
                #[doc = concat!("As ", stringify!($as), ".")]
                pub const fn $as(self) -> f64 { self.0 / $scale }
            )+
            #[doc = "Dollars for this much. A float: it is summed over a year of steps before it becomes a bill."]
            pub fn dollars(self, amount: $per) -> f64 { self.0 * amount.base() }
        }
    };
}

price! {
    /// Price of energy. Base unit: dollar per joule. May be negative, as wholesale prices are at times.
    EnergyPrice per Energy { from_usd_per_megawatt_hour, as_usd_per_megawatt_hour = 1.0 / 3.6e9; }
}
price! {
    /// Price of water. Base unit: dollar per cubic metre.
    WaterPrice per Volume { from_usd_per_cubic_metre, as_usd_per_cubic_metre = 1.0; }
}
price! {
    /// Price of tokens. Base unit: dollar per token.
    TokenPrice per Tokens { from_usd_per_million, as_usd_per_million = 1e-6; }
}

/// The number in the base unit, for prices alone.
trait Base {
    fn base(self) -> f64;
}
impl Base for Energy {
    fn base(self) -> f64 {
        self.as_joules()
    }
}
impl Base for Volume {
    fn base(self) -> f64 {
        self.as_cubic_metres()
    }
}
impl Base for Tokens {
    fn base(self) -> f64 {
        self.as_count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_times_an_amount_is_money() {
        let price = EnergyPrice::from_usd_per_megawatt_hour(42.0);
        let bill = Usd::from_dollars(price.dollars(Energy::from_megawatt_hours(2.0)));
        assert_eq!(bill.as_cents(), 8_400);
        assert_eq!(bill.per_million(Tokens::from_millions(4.0)), Some(21.0));
        assert_eq!(bill.per_million(Tokens::ZERO), None);
    }
}
