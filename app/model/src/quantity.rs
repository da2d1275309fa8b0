//! Physical quantities: one newtype each, in its base unit, with a private field.
//!
//! You name the unit going in and coming out, as with `std::time::Duration`. Only physically meaningful products
//! exist: `Power * Span` is `Energy`, `Power * Power` does not compile. On the wire a quantity is a bare number in its
//! base unit; the field that holds it carries the unit in its name (`rated_power_w`).

use serde::{Deserialize, Serialize};
use std::iter::Sum;
use std::marker::PhantomData;
use std::ops::{Add, AddAssign, Div, Mul, Sub, SubAssign};

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident { $($from:ident, $as:ident = $scale:expr;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub struct $name(f64);

        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(0.0);
            $(
                #[doc = concat!("From ", stringify!($from), " (times ", stringify!($scale), " to the base unit).")]
                pub const fn $from(value: f64) -> Self { Self(value * $scale) }
                #[doc = concat!("As ", stringify!($as), ".")]
                pub const fn $as(self) -> f64 { self.0 / $scale }
            )+
            /// The smaller of two.
            pub const fn min(self, other: Self) -> Self { Self(self.0.min(other.0)) }
            /// The larger of two.
            pub const fn max(self, other: Self) -> Self { Self(self.0.max(other.0)) }
            /// Magnitude without sign.
            pub const fn abs(self) -> Self { Self(self.0.abs()) }
            /// Neither infinite nor not-a-number.
            pub const fn is_finite(self) -> bool { self.0.is_finite() }
        }
        impl Add for $name { type Output = Self; fn add(self, o: Self) -> Self { Self(self.0 + o.0) } }
        impl Sub for $name { type Output = Self; fn sub(self, o: Self) -> Self { Self(self.0 - o.0) } }
        impl AddAssign for $name { fn add_assign(&mut self, o: Self) { self.0 += o.0; } }
        impl SubAssign for $name { fn sub_assign(&mut self, o: Self) { self.0 -= o.0; } }
        impl Mul<f64> for $name { type Output = Self; fn mul(self, k: f64) -> Self { Self(self.0 * k) } }
        impl Div<f64> for $name { type Output = Self; fn div(self, k: f64) -> Self { Self(self.0 / k) } }
        impl Mul<u32> for $name { type Output = Self; fn mul(self, k: u32) -> Self { Self(self.0 * f64::from(k)) } }
        impl Div for $name { type Output = f64; fn div(self, o: Self) -> f64 { self.0 / o.0 } }
        impl Sum for $name { fn sum<I: Iterator<Item = Self>>(items: I) -> Self { Self(items.fold(0.0, |sum, x| sum + x.0)) } }
    };
}

/// `$a * $b = $out` in base units, with the two divisions that follow from it.
macro_rules! product {
    ($($a:ident * $b:ident = $out:ident;)+) => { $(
        impl Mul<$b> for $a { type Output = $out; fn mul(self, o: $b) -> $out { $out(self.0 * o.0) } }
        impl Mul<$a> for $b { type Output = $out; fn mul(self, o: $a) -> $out { $out(self.0 * o.0) } }
        impl Div<$a> for $out { type Output = $b; fn div(self, o: $a) -> $b { $b(self.0 / o.0) } }
        impl Div<$b> for $out { type Output = $a; fn div(self, o: $b) -> $a { $a(self.0 / o.0) } }
    )+ };
}

quantity! {
    /// Rate of energy flow. Base unit: watt.
    Power { from_watts, as_watts = 1.0; from_kilowatts, as_kilowatts = 1e3; from_megawatts, as_megawatts = 1e6; }
}
quantity! {
    /// Energy. Base unit: joule.
    Energy { from_joules, as_joules = 1.0; from_kilowatt_hours, as_kilowatt_hours = 3.6e6; from_megawatt_hours, as_megawatt_hours = 3.6e9; }
}
quantity! {
    /// Length of time. Base unit: second.
    Span { from_seconds, as_seconds = 1.0; from_minutes, as_minutes = 60.0; from_hours, as_hours = 3600.0; from_years, as_years = 31_536_000.0; }
}
quantity! {
    /// Difference between two temperatures. Base unit: kelvin.
    TemperatureRise { from_kelvins, as_kelvins = 1.0; }
}
quantity! {
    /// Volume of a liquid or gas. Base unit: cubic metre.
    Volume { from_cubic_metres, as_cubic_metres = 1.0; from_litres, as_litres = 1e-3; }
}
quantity! {
    /// Volume flow. Base unit: cubic metre per second.
    Flow { from_cubic_metres_per_second, as_cubic_metres_per_second = 1.0; from_litres_per_minute, as_litres_per_minute = 1e-3 / 60.0; }
}
quantity! {
    /// Heat carried per kelvin by a stream. Base unit: watt per kelvin.
    HeatCapacityRate { from_watts_per_kelvin, as_watts_per_kelvin = 1.0; }
}
quantity! {
    /// Heat held per cubic metre and kelvin. Base unit: joule per cubic metre and kelvin.
    VolumetricHeatCapacity { from_joules_per_cubic_metre_kelvin, as_joules_per_cubic_metre_kelvin = 1.0; }
}
quantity! {
    /// Pressure. Base unit: pascal.
    Pressure { from_pascals, as_pascals = 1.0; from_kilopascals, as_kilopascals = 1e3; }
}
quantity! {
    /// Number of tokens. Base unit: token.
    Tokens { from_count, as_count = 1.0; from_millions, as_millions = 1e6; }
}
quantity! {
    /// Tokens in time. Base unit: token per second.
    TokenRate { from_per_second, as_per_second = 1.0; }
}
quantity! {
    /// Requests in time. Base unit: request per second.
    RequestRate { from_per_second, as_per_second = 1.0; }
}
quantity! {
    /// Mass of carbon dioxide equivalent. Base unit: kilogram.
    Carbon { from_kilograms, as_kilograms = 1.0; from_tonnes, as_tonnes = 1e3; }
}
quantity! {
    /// Carbon emitted per energy. Base unit: kilogram per joule.
    CarbonIntensity { from_kilograms_per_joule, as_kilograms_per_joule = 1.0; from_grams_per_kilowatt_hour, as_grams_per_kilowatt_hour = 1e-3 / 3.6e6; }
}
quantity! {
    /// Share of a whole, or quotient of two like quantities. Base unit: one.
    Ratio { from_fraction, as_fraction = 1.0; from_percent, as_percent = 0.01; }
}
quantity! {
    /// Length. Base unit: metre.
    Length { from_metres, as_metres = 1.0; }
}
quantity! {
    /// Area. Base unit: square metre.
    Area { from_square_metres, as_square_metres = 1.0; }
}
quantity! {
    /// Mass. Base unit: kilogram.
    Mass { from_kilograms, as_kilograms = 1.0; }
}
quantity! {
    /// Amount of memory. Base unit: byte.
    Bytes { from_bytes, as_bytes = 1.0; from_gigabytes, as_gigabytes = 1e9; }
}
quantity! {
    /// Data in time. Base unit: byte per second.
    Bandwidth { from_bytes_per_second, as_bytes_per_second = 1.0; from_gigabytes_per_second, as_gigabytes_per_second = 1e9; }
}
quantity! {
    /// Arithmetic in time. Base unit: floating-point operation per second.
    ComputeRate { from_flops, as_flops = 1.0; from_teraflops, as_teraflops = 1e12; }
}

product! {
    Power * Span = Energy;
    Flow * Span = Volume;
    TokenRate * Span = Tokens;
    Flow * VolumetricHeatCapacity = HeatCapacityRate;
    HeatCapacityRate * TemperatureRise = Power;
    Flow * Pressure = Power;
    CarbonIntensity * Energy = Carbon;
    Bandwidth * Span = Bytes;
}
impl Mul<Length> for Length {
    type Output = Area;
    fn mul(self, other: Length) -> Area {
        Area(self.0 * other.0)
    }
}

/// A temperature on the scale, not a difference. Base unit: degree Celsius.
///
/// Two temperatures can be subtracted (a rise) but not added; a rise can be added to a temperature.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Temperature(f64);

impl Temperature {
    /// From degrees Celsius.
    pub const fn from_celsius(value: f64) -> Self {
        Self(value)
    }
    /// As degrees Celsius.
    pub const fn as_celsius(self) -> f64 {
        self.0
    }
    /// As kelvins above absolute zero.
    pub const fn as_kelvins(self) -> f64 {
        self.0 + 273.15
    }
    /// As degrees Fahrenheit.
    pub const fn as_fahrenheit(self) -> f64 {
        self.0 * 1.8 + 32.0
    }
    /// The colder of two.
    pub const fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }
    /// The warmer of two.
    pub const fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }
}
impl Sub for Temperature {
    type Output = TemperatureRise;
    fn sub(self, other: Self) -> TemperatureRise {
        TemperatureRise(self.0 - other.0)
    }
}
impl Add<TemperatureRise> for Temperature {
    type Output = Self;
    fn add(self, rise: TemperatureRise) -> Self {
        Self(self.0 + rise.0)
    }
}
impl Sub<TemperatureRise> for Temperature {
    type Output = Self;
    fn sub(self, rise: TemperatureRise) -> Self {
        Self(self.0 - rise.0)
    }
}

/// The power drawn by the GPU boards alone, as NVML would report it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GpuBoard;
/// The power that enters the racks: boards, processors, network, fans, shelf losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct It;
/// The power that the utility meter sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facility;

/// Output tokens per second for each megawatt, typed by *which* megawatt: one of [`GpuBoard`], [`It`], [`Facility`].
///
/// The same machine differs by more than 1.5 times between these definitions alone, so they never mix.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct TokensPerMegawatt<Denominator> {
    per_second: f64,
    of: PhantomData<Denominator>,
}

impl<D> TokensPerMegawatt<D> {
    /// Tokens over the energy that made them; `None` where no energy was used. Unit: tokens per second per megawatt,
    /// which is tokens per megajoule.
    pub fn of(tokens: Tokens, energy: Energy) -> Option<Self> {
        (energy.0 > 0.0).then(|| Self { per_second: tokens.0 / (energy.0 / 1e6), of: PhantomData })
    }
    /// Output tokens per second per megawatt.
    pub fn as_tokens_per_second(self) -> f64 {
        self.per_second
    }
    /// Output tokens per joule: the same figure in the unit of chip makers.
    pub fn as_tokens_per_joule(self) -> f64 {
        self.per_second / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn power_over_a_day_is_energy() {
        let day = Power::from_kilowatts(132.0) * Span::from_hours(24.0);
        assert!((day.as_megawatt_hours() - 3.168).abs() < 1e-12);
    }

    #[test]
    fn water_carries_heat() {
        let water = VolumetricHeatCapacity::from_joules_per_cubic_metre_kelvin(4.15e6);
        let heat = Flow::from_cubic_metres_per_second(0.024) * water * TemperatureRise::from_kelvins(10.0);
        assert!((heat.as_kilowatts() - 996.0).abs() < 1e-9);
    }

    #[test]
    fn a_megawatt_names_its_border() {
        let it: Option<TokensPerMegawatt<It>> =
            TokensPerMegawatt::of(Tokens::from_count(3.6e9), Power::from_megawatts(1.0) * Span::from_hours(1.0));
        assert!((it.unwrap().as_tokens_per_second() - 1e6).abs() < 1e-6);
        assert_eq!(TokensPerMegawatt::<Facility>::of(Tokens::from_count(1.0), Energy::ZERO), None);
    }

    proptest! {
        #[test]
        fn law_units_round_trip(x in -1e12f64..1e12) {
            let back = Energy::from_megawatt_hours(Energy::from_joules(x).as_megawatt_hours()).as_joules();
            prop_assert!((back - x).abs() <= 1e-12 * x.abs());
        }
    }
}
