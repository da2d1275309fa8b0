//! What panels give, hour by hour, where nobody has measured it.

use model::location::Location;
use model::scenario::HOURS;

/// Global irradiance on level ground under a clear sky, W/m²: 1098 · cos z · exp(−0.059 / cos z), z the sun's zenith angle.
///
/// Haurwitz (1945, 1946), as Reno, Hansen and Stein (SAND2012-2389) give it and found best of the models that need the
/// zenith alone.
fn clear_sky_w_per_m2(cos_zenith: f64) -> f64 {
    if cos_zenith > 0.0 { 1098.0 * cos_zenith * libm::exp(-0.059 / cos_zenith) } else { 0.0 }
}

/// Cosine of the sun's zenith angle: sin φ sin δ + cos φ cos δ cos ω, with declination δ = 23.45° · sin(2π (284 + day) / 365)
/// (Cooper, 1969) and the hour angle ω from mean solar time: clocks and orbit differ by up to a quarter of an hour.
fn cos_zenith(location: &Location, day: u32, hour: f64) -> f64 {
    let latitude = location.latitude.to_radians();
    let turn = std::f64::consts::TAU * (284.0 + f64::from(day) + 1.0) / 365.0;
    let declination = 23.45_f64.to_radians() * libm::sin(turn);
    let solar_hour = hour + location.longitude / 15.0 - location.utc_offset_h;
    let angle = (15.0 * (solar_hour - 12.0)).to_radians();
    libm::sin(latitude) * libm::sin(declination) + libm::cos(latitude) * libm::cos(declination) * libm::cos(angle)
}

/// What each MW of panels gives in each hour of the year, MW, in standard time: the shape of a clear sky's irradiance on level
/// ground, so high that its mean is `capacity_factor`, but never above 1.
///
/// Every day is as clear as every other of its season: a battery that is to carry cloudy days comes out too small. Measured
/// or modelled yields are better where there are any.
pub fn clear_sky_yield(location: &Location, capacity_factor: f64) -> Vec<f64> {
    let middle = |hour: u32| clear_sky_w_per_m2(cos_zenith(location, hour / 24, f64::from(hour % 24) + 0.5));
    let irradiance: Vec<f64> = (0..HOURS).map(middle).collect();
    let mean = irradiance.iter().sum::<f64>() / f64::from(HOURS);
    irradiance.iter().map(|own| if mean > 0.0 { (own / mean * capacity_factor).min(1.0) } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sun_stands_where_it_should() {
        let catalog = catalog::catalog().unwrap();
        let place = catalog.locations.iter().find(|own| own.id.as_str() == "ashburn-va").unwrap();
        let yields = clear_sky_yield(place, 0.2);
        let mean = yields.iter().sum::<f64>() / yields.len() as f64;
        assert!((mean - 0.2).abs() < 1e-3, "{mean}");
        // Midsummer (21 June) has its highest sun within an hour of 12:10, standard time; night is dark.
        let day = &yields[171 * 24..172 * 24];
        let noon = (0..24).max_by(|a, b| day[*a].total_cmp(&day[*b])).unwrap();
        assert!((11..=13).contains(&noon), "{noon}");
        assert!(day[0].abs() < 1e-12 && day.iter().sum::<f64>() > 2.0 * yields[354 * 24..355 * 24].iter().sum::<f64>());
        // At 39.0° north the midsummer sun stands 15.6° from the zenith at solar noon.
        let highest = cos_zenith(place, 171, 12.0 - place.longitude / 15.0 + place.utc_offset_h);
        assert!((highest - libm::cos(15.6_f64.to_radians())).abs() < 2e-3, "{highest}");
    }

    #[test]
    fn agrees_with_the_published_clear_sky() {
        // 1098 · exp(−0.059) with the sun overhead.
        assert!((clear_sky_w_per_m2(1.0) - 1035.1).abs() < 0.1);
        assert!(clear_sky_w_per_m2(-0.1).abs() < 1e-12);
    }
}
