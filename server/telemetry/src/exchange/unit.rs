//! Engineering units as buildings write them, into SI.
//!
//! Never: guesses. A unit that is not in the table stays as it was written.

use model::metric::Unit;

/// How a unit is turned into ours: `si = value · factor + offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conversion {
    /// What it becomes.
    pub unit: Unit,
    /// The unit it becomes, as it is written on labels.
    pub symbol: &'static str,
    factor: f64,
    offset: f64,
}

impl Conversion {
    /// The value in SI.
    pub fn si(&self, value: f64) -> f64 {
        value * self.factor + self.offset
    }
}

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3_600.0;
const LITRE: f64 = 1e-3; // m³
const US_GALLON: f64 = 3.785_411_784e-3; // m³, exact: 231 cubic inches (NIST SP 811, appendix B)
const CUBIC_FOOT: f64 = 0.028_316_846_592; // m³, exact (NIST SP 811, appendix B)
const PSI: f64 = 6_894.757_293_168_361; // Pa (NIST SP 811, appendix B)
const INCH_OF_WATER: f64 = 249.088_91; // Pa, conventional (NIST SP 811, appendix B)

/// How the unit of that name is turned into SI; nothing where the table has no such name.
///
/// Case counts only between milli and mega: `mW` is not `MW`.
pub fn conversion(name: &str) -> Option<Conversion> {
    let name: String = name.chars().filter(|c| !c.is_whitespace() && *c != '°').collect();
    let milli = name.starts_with('m');
    let name = name.to_lowercase().replace('³', "3").replace('₂', "2");
    let (unit, symbol, factor, offset) = match name.as_str() {
        "w" | "watt" | "watts" => (Unit::Watt, "W", 1.0, 0.0),
        "kw" | "kilowatt" | "kilowatts" => (Unit::Watt, "W", 1e3, 0.0),
        "mw" => (Unit::Watt, "W", if milli { 1e-3 } else { 1e6 }, 0.0),
        "megawatt" | "megawatts" => (Unit::Watt, "W", 1e6, 0.0),
        "wh" => (Unit::Joule, "J", HOUR, 0.0),
        "kwh" => (Unit::Joule, "J", 1e3 * HOUR, 0.0),
        "mwh" if !milli => (Unit::Joule, "J", 1e6 * HOUR, 0.0),
        "va" => (Unit::VoltAmpere, "VA", 1.0, 0.0),
        "kva" => (Unit::VoltAmpere, "VA", 1e3, 0.0),
        "mva" if !milli => (Unit::VoltAmpere, "VA", 1e6, 0.0),
        "v" | "volt" | "volts" => (Unit::Volt, "V", 1.0, 0.0),
        "kv" => (Unit::Volt, "V", 1e3, 0.0),
        "a" | "amp" | "amps" | "ampere" => (Unit::Ampere, "A", 1.0, 0.0),
        "ma" if milli => (Unit::Ampere, "A", 1e-3, 0.0),
        "ka" => (Unit::Ampere, "A", 1e3, 0.0),
        "hz" => (Unit::Hertz, "Hz", 1.0, 0.0),
        "c" | "degc" | "deg_c" | "celsius" => (Unit::Celsius, "C", 1.0, 0.0),
        "f" | "degf" | "deg_f" | "fahrenheit" => (Unit::Celsius, "C", 1.0 / 1.8, -32.0 / 1.8),
        "k" | "kelvin" => (Unit::Celsius, "C", 1.0, -273.15),
        "m3/s" => (Unit::CubicMetrePerSecond, "m3/s", 1.0, 0.0),
        "m3/h" | "m3/hr" | "cmh" => (Unit::CubicMetrePerSecond, "m3/s", 1.0 / HOUR, 0.0),
        "l/s" | "lps" => (Unit::CubicMetrePerSecond, "m3/s", LITRE, 0.0),
        "l/min" | "lpm" => (Unit::CubicMetrePerSecond, "m3/s", LITRE / MINUTE, 0.0),
        "l/h" | "lph" => (Unit::CubicMetrePerSecond, "m3/s", LITRE / HOUR, 0.0),
        "gpm" | "usgpm" | "gal/min" => (Unit::CubicMetrePerSecond, "m3/s", US_GALLON / MINUTE, 0.0),
        "cfm" | "ft3/min" => (Unit::CubicMetrePerSecond, "m3/s", CUBIC_FOOT / MINUTE, 0.0),
        "pa" => (Unit::Pascal, "Pa", 1.0, 0.0),
        "hpa" | "mbar" => (Unit::Pascal, "Pa", 1e2, 0.0),
        "kpa" => (Unit::Pascal, "Pa", 1e3, 0.0),
        "mpa" if !milli => (Unit::Pascal, "Pa", 1e6, 0.0),
        "bar" => (Unit::Pascal, "Pa", 1e5, 0.0),
        "psi" | "psid" => (Unit::Pascal, "Pa", PSI, 0.0),
        "inh2o" | "inwc" | "inwg" | "in.w.c." | "inw.c." => (Unit::Pascal, "Pa", INCH_OF_WATER, 0.0),
        "%" | "percent" | "%rh" | "rh%" => (Unit::Ratio, "ratio", 1e-2, 0.0),
        _ => return None,
    };
    Some(Conversion { unit, symbol, factor, offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_buildings_become_si() {
        for (name, value, si, unit) in [
            ("kW", 42.5, 42_500.0, Unit::Watt),
            ("MW", 1.5, 1.5e6, Unit::Watt),
            ("mW", 1.5, 1.5e-3, Unit::Watt),
            ("°F", 212.0, 100.0, Unit::Celsius),
            ("degF", 32.0, 0.0, Unit::Celsius),
            ("K", 300.0, 26.85, Unit::Celsius),
            ("LPM", 60.0, 1e-3, Unit::CubicMetrePerSecond),
            ("L/min", 60.0, 1e-3, Unit::CubicMetrePerSecond),
            ("gpm", 1.0, 6.309_019_64e-5, Unit::CubicMetrePerSecond),
            ("m³/h", 3.6, 1e-3, Unit::CubicMetrePerSecond),
            ("psi", 14.695_948_775, 101_325.0, Unit::Pascal),
            ("kPa", 101.325, 101_325.0, Unit::Pascal),
            ("bar", 2.0, 2e5, Unit::Pascal),
            ("%RH", 28.0, 0.28, Unit::Ratio),
            ("kVA", 2.0, 2e3, Unit::VoltAmpere),
        ] {
            let conversion = conversion(name).unwrap();
            assert!((conversion.si(value) - si).abs() <= 1e-9 * si.abs().max(1e-3), "{name}: {}", conversion.si(value));
            assert_eq!(conversion.unit, unit, "{name}");
        }
    }

    #[test]
    fn a_unit_that_is_not_known_is_not_guessed() {
        for name in ["", "dB", "mMW", "furlong", "mPa"] {
            assert_eq!(conversion(name), None, "{name}");
        }
    }
}
