//! Moist air: humidity, dew point, wet bulb, enthalpy and density.
//!
//! All formulas are those of \[1\] in SI units; equation numbers are given at each function. `libm` does the
//! transcendental functions, so that native and wasm agree.
//!
//! The public face takes quantities. The wet bulb has an `f64` twin, [`wet_bulb_c`], for loops over a year.
//!
//! \[1\] ASHRAE Handbook Fundamentals (SI), 2017, chapter 1 "Psychrometrics".

use model::quantity::{Length, Pressure, Ratio, Temperature};

/// Kelvins at 0 °C.
const ZERO_CELSIUS_K: f64 = 273.15;
/// Triple point of water, °C: below it the saturation pressure is the one over ice \[1, eq. 5 and 6\].
const TRIPLE_POINT_C: f64 = 0.01;
/// Molar mass of water over that of dry air \[1, eq. 20\].
const MASS_RATIO: f64 = 0.621_945;
/// Gas constant of dry air, J/(kg·K) \[1, eq. 1\].
const DRY_AIR_GAS_CONSTANT: f64 = 287.042;
/// Highest share of total pressure that vapour may have here. Beyond it water boils, which no weather does.
const VAPOUR_SHARE_MAX: f64 = 0.99;
/// Coldest temperature of the saturation formula over ice, °C \[1, eq. 5\].
const COLDEST_C: f64 = -100.0;
/// Hottest temperature of the saturation formula over water, °C \[1, eq. 6\].
const HOTTEST_C: f64 = 200.0;
/// Change of temperature at which a search ends, K.
const CONVERGED_K: f64 = 1e-9;
/// Most steps of a search; halving alone takes 300 K below 1e-9 K in 39.
const STEPS_MAX: u32 = 64;

/// Pressure of water vapour in equilibrium with ice (below 0.01 °C) or water at `temperature`.
///
/// ln p = c₁/T + c₂ + c₃T + c₄T² + c₅T³ + c₆T⁴ + c₇ ln T, p in Pa, T in K \[1, eq. 5 and 6\]. Good for -100..200 °C;
/// outside of it the value at the nearer end.
pub fn saturation_pressure(temperature: Temperature) -> Pressure {
    Pressure::from_pascals(saturation_pa(temperature.as_celsius()))
}

/// Mass of water per mass of dry air, from relative humidity `humidity` (1 = saturated).
///
/// W = 0.621945·p_w/(p − p_w) with p_w = φ·p_ws \[1, eq. 12 and 20\].
pub fn humidity_ratio_from_relative_humidity(dry_bulb: Temperature, humidity: Ratio, pressure: Pressure) -> Ratio {
    let vapour = humidity.as_fraction() * saturation_pa(dry_bulb.as_celsius());
    Ratio::from_fraction(humidity_ratio(vapour, pressure.as_pascals()))
}

/// Mass of water per mass of dry air, from the dew point.
///
/// W = 0.621945·p_ws(t_d)/(p − p_ws(t_d)) \[1, eq. 20 and 36\].
pub fn humidity_ratio_from_dew_point(dew_point: Temperature, pressure: Pressure) -> Ratio {
    saturated_humidity_ratio(dew_point, pressure)
}

/// Mass of water per mass of dry air, from the wet bulb \[1, eq. 33 above freezing and 35 below\].
pub fn humidity_ratio_from_wet_bulb(dry_bulb: Temperature, wet_bulb: Temperature, pressure: Pressure) -> Ratio {
    let (dry, wet, pa) = (dry_bulb.as_celsius(), wet_bulb.as_celsius(), pressure.as_pascals());
    let surface = if wet < 0.0 { Surface::Ice } else { Surface::Water };
    Ratio::from_fraction(wet_bulb_humidity_ratio(dry, wet, pa, surface).max(0.0))
}

/// Relative humidity (1 = saturated) of air with the humidity ratio `humidity`.
///
/// φ = p_w/p_ws with p_w = p·W/(0.621945 + W) \[1, eq. 12 and 36\].
pub fn relative_humidity(dry_bulb: Temperature, humidity: Ratio, pressure: Pressure) -> Ratio {
    Ratio::from_fraction(vapour_pressure(humidity, pressure) / saturation_pressure(dry_bulb))
}

/// Partial pressure of the vapour in air: p_w = p·W/(0.621945 + W) \[1, eq. 36\].
pub fn vapour_pressure(humidity: Ratio, pressure: Pressure) -> Pressure {
    let w = humidity.as_fraction().max(0.0);
    pressure * (w / (MASS_RATIO + w))
}

/// Temperature at which vapour of this partial pressure begins to condense, or to freeze out.
///
/// The inverse of [`saturation_pressure`], to 1e-6 K; within -100..200 °C.
pub fn dew_point_from_vapour_pressure(vapour: Pressure) -> Temperature {
    Temperature::from_celsius(dew_point_c(vapour.as_pascals()))
}

/// Temperature at which air with the humidity ratio `humidity` begins to lose water.
pub fn dew_point_from_humidity_ratio(humidity: Ratio, pressure: Pressure) -> Temperature {
    dew_point_from_vapour_pressure(vapour_pressure(humidity, pressure))
}

/// Thermodynamic wet bulb; see [`wet_bulb_c`].
pub fn wet_bulb(dry_bulb: Temperature, humidity: Ratio, pressure: Pressure) -> Temperature {
    Temperature::from_celsius(wet_bulb_c(dry_bulb.as_celsius(), humidity.as_fraction(), pressure.as_pascals()))
}

/// Thermodynamic wet bulb, °C: the inverse of [`humidity_ratio_from_wet_bulb`], to 1e-6 K.
///
/// Air at or beyond saturation is at its wet bulb. In a narrow band about the freezing point both equations have a
/// root, as a wet and as an iced bulb read differently there (by 0.6 K in air of 10 °C). Neither is wrong; then the one
/// is taken on which halving the interval from dew point to dry bulb ends, as PsychroLib does, so that both agree.
pub fn wet_bulb_c(dry_bulb_c: f64, humidity_ratio: f64, pressure_pa: f64) -> f64 {
    let w = humidity_ratio.max(0.0);
    let at = |wet: f64, surface| wet_bulb_humidity_ratio(dry_bulb_c, wet, pressure_pa, surface);
    let solve = |surface, low, high| {
        if w >= at(high, surface) { high } else { root(low, high, |t| at(t, surface) - w) }
    };
    if dry_bulb_c < 0.0 || w < at(0.0, Surface::Water) {
        return solve(Surface::Ice, COLDEST_C, dry_bulb_c.min(0.0));
    }
    let wet = solve(Surface::Water, 0.0, dry_bulb_c);
    if w >= at(0.0, Surface::Ice) {
        return wet;
    }
    let iced = solve(Surface::Ice, COLDEST_C, 0.0);
    let vapour_pa = pressure_pa * w / (MASS_RATIO + w);
    ended_on_by_halving(dew_point_c(vapour_pa), dry_bulb_c, iced, wet)
}

/// Which of two roots, `iced` below 0 °C and `wet` above, halving from `low` to `high` ends on.
fn ended_on_by_halving(mut low: f64, mut high: f64, iced: f64, wet: f64) -> f64 {
    for _ in 0..STEPS_MAX {
        if high < 0.0 || low >= 0.0 {
            break;
        }
        let middle = f64::midpoint(low, high);
        if middle > if middle < 0.0 { iced } else { wet } {
            high = middle;
        } else {
            low = middle;
        }
    }
    if low >= 0.0 { wet } else { iced }
}

/// Enthalpy of moist air, J per kg of dry air, from 0 °C dry air and liquid water.
///
/// h = 1.006·t + W·(2501 + 1.86·t), kJ/kg \[1, eq. 30\].
pub fn enthalpy_j_per_kg(dry_bulb: Temperature, humidity: Ratio) -> f64 {
    let t = dry_bulb.as_celsius();
    1e3 * (1.006 * t + humidity.as_fraction() * (2501.0 + 1.86 * t))
}

/// Density of moist air, kg/m³, its water included.
///
/// ρ = (1 + W)/v with v = 287.042·T·(1 + 1.607858·W)/p \[1, eq. 26\].
pub fn density_kg_per_m3(dry_bulb: Temperature, humidity: Ratio, pressure: Pressure) -> f64 {
    let w = humidity.as_fraction();
    let volume = DRY_AIR_GAS_CONSTANT * dry_bulb.as_kelvins() * (1.0 + 1.607_858 * w) / pressure.as_pascals();
    (1.0 + w) / volume
}

/// Mass of water per mass of dry air, saturated at `temperature` \[1, eq. 21\].
pub fn saturated_humidity_ratio(temperature: Temperature, pressure: Pressure) -> Ratio {
    Ratio::from_fraction(humidity_ratio(saturation_pa(temperature.as_celsius()), pressure.as_pascals()))
}

/// Enthalpy of air saturated at `temperature`, J per kg of dry air; see [`enthalpy_j_per_kg`].
pub fn saturated_enthalpy_j_per_kg(temperature: Temperature, pressure: Pressure) -> f64 {
    enthalpy_j_per_kg(temperature, saturated_humidity_ratio(temperature, pressure))
}

/// Pressure of the standard atmosphere at a height above the sea, -5 to 11 km; nearest end outside of it.
///
/// p = 101 325·(1 − 2.25577e-5·Z)^5.2559, Pa, Z in m \[1, eq. 3\].
pub fn standard_pressure(elevation: Length) -> Pressure {
    let metres = elevation.as_metres().clamp(-5_000.0, 11_000.0);
    Pressure::from_pascals(101_325.0 * libm::pow(1.0 - 2.255_77e-5 * metres, 5.2559))
}

/// What covers the bulb.
#[derive(Clone, Copy)]
enum Surface {
    Water,
    Ice,
}

/// Logarithm of the saturation pressure, Pa, at `kelvins` \[1, eq. 5 and 6\].
fn ln_saturation(kelvins: f64, surface: Surface) -> f64 {
    let t = kelvins;
    match surface {
        Surface::Ice => {
            let powers = 6.392_524_7
                + t * (-9.677_843_0e-3 + t * (6.221_570_1e-7 + t * (2.074_782_5e-9 + t * -9.484_024_0e-13)));
            -5.674_535_9e3 / t + powers + 4.163_501_9 * libm::log(t)
        }
        Surface::Water => {
            let powers = 1.391_499_3 + t * (-4.864_023_9e-2 + t * (4.176_476_8e-5 + t * -1.445_209_3e-8));
            -5.800_220_6e3 / t + powers + 6.545_967_3 * libm::log(t)
        }
    }
}

/// Saturation pressure, Pa, at `celsius`.
fn saturation_pa(celsius: f64) -> f64 {
    let t = celsius.clamp(COLDEST_C, HOTTEST_C);
    let surface = if t <= TRIPLE_POINT_C { Surface::Ice } else { Surface::Water };
    libm::exp(ln_saturation(t + ZERO_CELSIUS_K, surface))
}

/// Humidity ratio of air with the vapour pressure `vapour_pa`.
fn humidity_ratio(vapour_pa: f64, pressure_pa: f64) -> f64 {
    let vapour = vapour_pa.clamp(0.0, VAPOUR_SHARE_MAX * pressure_pa.max(0.0));
    MASS_RATIO * vapour / (pressure_pa - vapour)
}

/// Humidity ratio of air at `dry` °C whose wet bulb is `wet` °C \[1, eq. 33 and 35\]; negative where there is no such air.
fn wet_bulb_humidity_ratio(dry: f64, wet: f64, pressure_pa: f64, surface: Surface) -> f64 {
    let saturated = humidity_ratio(saturation_pa(wet), pressure_pa);
    match surface {
        Surface::Water => {
            ((2501.0 - 2.326 * wet) * saturated - 1.006 * (dry - wet)) / (2501.0 + 1.86 * dry - 4.186 * wet)
        }
        Surface::Ice => ((2830.0 - 0.24 * wet) * saturated - 1.006 * (dry - wet)) / (2830.0 + 1.86 * dry - 2.1 * wet),
    }
}

/// Dew point, °C, of vapour at `vapour_pa`.
fn dew_point_c(vapour_pa: f64) -> f64 {
    let (coldest, hottest) = (saturation_pa(COLDEST_C), saturation_pa(HOTTEST_C));
    let ln_vapour = libm::log(vapour_pa.clamp(coldest, hottest));
    let (surface, low, high) = if vapour_pa <= saturation_pa(TRIPLE_POINT_C) {
        (Surface::Ice, COLDEST_C, TRIPLE_POINT_C)
    } else {
        (Surface::Water, TRIPLE_POINT_C, HOTTEST_C)
    };
    root(low, high, |t| ln_saturation(t + ZERO_CELSIUS_K, surface) - ln_vapour)
}

/// Where a rising function is 0 between `low` and `high`; the nearer end where it is not.
///
/// The secant rule inside a shrinking bracket: a step that leaves the bracket, or shrinks too slowly, becomes a halving.
fn root(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    const NUDGE_K: f64 = 1e-3;
    let mut here = high;
    let mut value = f(here);
    let mut slope = (value - f(here - NUDGE_K)) / NUDGE_K;
    for _ in 0..STEPS_MAX {
        if value > 0.0 {
            high = here;
        } else {
            low = here;
        }
        let step = here - value / slope;
        let next = if step > low && step < high { step } else { 0.5 * (low + high) };
        let moved = next - here;
        if moved.abs() < CONVERGED_K {
            return next;
        }
        let after = f(next);
        slope = (after - value) / moved;
        (here, value) = (next, after);
    }
    here
}
