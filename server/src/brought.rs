//! What users bring for a year: files become a scenario, the same for the command line and for runs; what they bring
//! nothing for is made.

use input::Error;
use model::input::{InputKind, InputSummary, PREVIEW_POINTS, SeriesSummary};
use model::location::Location;
use model::quantity::Span;
use model::scenario::{InputReport, Scenario, Series};
use model::site::Site;
use sim::defaults;
use std::collections::BTreeMap;

/// A file as it was brought.
#[derive(Debug, Clone)]
pub struct Brought {
    /// Its name, for messages and for the report.
    pub name: String,
    /// What stands in it.
    pub bytes: Vec<u8>,
}

/// The files of a year.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// Weather: EPW or Open-Meteo CSV.
    pub weather: Option<Brought>,
    /// Energy prices.
    pub prices: Option<Brought>,
    /// Carbon intensity or generation mix.
    pub carbon: Option<Brought>,
    /// Requests.
    pub requests: Option<Brought>,
    /// Which series of a rate file to take; all together where absent.
    pub requests_series: Option<String>,
}

/// The year that a site meets: what was brought, and made for the rest.
pub fn scenario(site: &Site, step_minutes: u32, seed: u64, files: &Files) -> Result<Scenario, Error> {
    let mut scenario = defaults::scenario(site, Span::from_minutes(f64::from(step_minutes)), seed);
    let place = &site.location;
    let mut inputs = Vec::with_capacity(4);
    let mut take = |name: &str, report: Option<InputReport>| {
        inputs.push(report.unwrap_or_else(|| defaults::report(name, place)));
    };
    take("weather", read(files.weather.as_ref(), place, input::weather, &mut scenario.weather)?);
    take("prices", read(files.prices.as_ref(), place, input::prices, &mut scenario.price_usd_per_mwh)?);
    take("carbon", read(files.carbon.as_ref(), place, input::carbon, &mut scenario.carbon_g_per_kwh)?);
    let week = defaults::week_shape();
    let requests = |file: &str, bytes: &[u8], place: &Location| {
        input::requests(file, bytes, place, files.requests_series.as_deref(), &week)
    };
    take("requests", read(files.requests.as_ref(), place, requests, &mut scenario.requests)?);
    scenario.inputs = inputs;
    Ok(scenario)
}

/// Reads a file, where one is given, in the place of the made year.
fn read<T>(
    brought: Option<&Brought>,
    place: &Location,
    reader: impl Fn(&str, &[u8], &Location) -> Result<(T, InputReport), Error>,
    into: &mut T,
) -> Result<Option<InputReport>, Error> {
    let Some(brought) = brought else { return Ok(None) };
    let (value, report) = reader(&brought.name, &brought.bytes, place)?;
    *into = value;
    Ok(Some(report))
}

/// What stands in a file, as a site at `place` would read it.
pub fn summary(kind: InputKind, file: &Brought, place: &Location) -> Result<InputSummary, Error> {
    let mut figures = BTreeMap::new();
    let (series, report) = match kind {
        InputKind::Weather => {
            let (weather, report) = input::weather(&file.name, &file.bytes, place)?;
            figures.insert("pressure_pa".into(), weather.pressure.as_pascals());
            (vec![brief("dry_bulb_c", &weather.dry_bulb_c), brief("wet_bulb_c", &weather.wet_bulb_c)], report)
        }
        InputKind::Price => {
            let (series, report) = input::prices(&file.name, &file.bytes, place)?;
            (vec![brief("price_usd_per_mwh", &series)], report)
        }
        InputKind::Carbon => {
            let (series, report) = input::carbon(&file.name, &file.bytes, place)?;
            (vec![brief("carbon_g_per_kwh", &series)], report)
        }
        InputKind::Requests => {
            let (requests, report) = input::requests(&file.name, &file.bytes, place, None, &defaults::week_shape())?;
            figures.insert("input_tokens".into(), requests.input_tokens);
            figures.insert("output_tokens".into(), requests.output_tokens);
            if let Some(share) = requests.prefix_reuse {
                figures.insert("prefix_reuse".into(), share.as_fraction());
            }
            (vec![brief("requests_per_s", &requests.rate_per_s)], report)
        }
    };
    Ok(InputSummary { read_for: place.name.clone(), report, series, figures })
}

fn brief(name: &str, series: &Series) -> SeriesSummary {
    let values = series.values.iter().copied();
    SeriesSummary {
        name: name.to_owned(),
        min: values.clone().fold(f64::INFINITY, f64::min),
        mean: series.mean(),
        max: values.fold(f64::NEG_INFINITY, f64::max),
        preview: series.resampled(PREVIEW_POINTS),
    }
}
