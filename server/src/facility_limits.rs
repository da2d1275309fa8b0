//! What a facility's year lets the boards of a replay draw: power limits, where cooling or contract held its fleet back.

use model::part::Gpu;
use model::replay::{REPLAY_EVENTS_MAX, ReplayChange, ReplayEvent};

/// Limits nearer than this are one, watts: a driver sets whole watts, and hours differ by less all the time.
const ALIKE_W: f64 = 5.0;

/// Limits of boards over a stretch of a facility's year, as `simulate --csv` writes it: from its hour `from_h` on for
/// `span_s` seconds. `limit = idle + allowed share · (cap − idle)`, not under what the driver accepts; an event at each
/// change of it, and none in hours that allow everything.
///
/// # Errors
/// With the file, and the line and column that are not a year's, or where the year ends too soon.
pub fn limits(
    (file, bytes): (&str, &[u8]),
    from_h: f64,
    span_s: f64,
    gpu: &Gpu,
    cap_w: f64,
) -> Result<Vec<ReplayEvent>, String> {
    let mut reader = csv::Reader::from_reader(bytes);
    let headers = reader.headers().map_err(|error| format!("{file}: {error}"))?.clone();
    let column = |name: &str| {
        headers
            .iter()
            .position(|header| header == name)
            .ok_or_else(|| format!("{file}: line 1 has no column {name}; `millwright simulate --csv` writes it"))
    };
    let (hour, allowed) = (column("hour_of_year_h")?, column("allowed_share")?);
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| format!("{file}: {error}"))?;
        let number = |at: usize| {
            let line = row.position().map_or(0, csv::Position::line);
            let value = row.get(at).unwrap_or_default();
            let parsed = value.parse::<f64>().ok().filter(|value| value.is_finite());
            parsed.ok_or_else(|| format!("{file}: line {line}, {}: {value:?} is no number", &headers[at]))
        };
        steps.push((number(hour)?, number(allowed)?.clamp(0.0, 1.0)));
    }
    let last = steps.last().map_or(0.0, |(hour, _)| *hour);
    if !(0.0..=last).contains(&from_h) {
        return Err(format!("{file} has hours 0 to {last}: there is no hour {from_h}"));
    }
    let idle_w = gpu.idle_power.as_watts();
    let mut events: Vec<ReplayEvent> = Vec::new();
    let mut now_w = cap_w;
    let begin = steps.iter().rposition(|(hour, _)| *hour <= from_h).unwrap_or(0);
    for &(hour, allowed) in &steps[begin..] {
        let at_s = f64::max((hour - from_h) * 3600.0, 0.0);
        if at_s > span_s {
            break;
        }
        let watts = f64::max(idle_w + allowed * (cap_w - idle_w), gpu.min_power_cap.as_watts()).round();
        if (watts - now_w).abs() >= ALIKE_W {
            events.push(ReplayEvent { at_s, replica: None, change: ReplayChange::Limit { watts } });
            now_w = watts;
        }
    }
    if events.len() > REPLAY_EVENTS_MAX {
        return Err(format!(
            "{file}: {} changes of the limit in {:.1} hours from hour {from_h}: there can be {REPLAY_EVENTS_MAX}",
            events.len(),
            span_s / 3600.0
        ));
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: &str = "hour_of_year_h,allowed_share\n0,1\n1,0.5\n2,0.5\n3,0.001\n4,1\n";

    fn of(text: &str, from_h: f64, span_s: f64) -> Result<Vec<ReplayEvent>, String> {
        let catalog = catalog::catalog().unwrap();
        let gpu = catalog.gpu(&"h100-sxm".parse().unwrap()).unwrap();
        limits(("year.csv", text.as_bytes()), from_h, span_s, gpu, gpu.board_power.as_watts())
    }

    #[test]
    fn hours_that_hold_the_fleet_back_limit_its_boards() {
        let catalog = catalog::catalog().unwrap();
        let gpu = catalog.gpu(&"h100-sxm".parse().unwrap()).unwrap();
        let (board, idle) = (gpu.board_power.as_watts(), gpu.idle_power.as_watts());
        let found = of(YEAR, 0.5, 1e6).unwrap();
        let at: Vec<f64> = found.iter().map(|event| event.at_s).collect();
        assert_eq!(at, [1800.0, 9000.0, 12_600.0], "two hours alike are one limit");
        let watts = found.iter().map(|event| match event.change {
            ReplayChange::Limit { watts } => watts,
            ReplayChange::Fails | ReplayChange::Returns => panic!("a limit"),
        });
        let half = (idle + 0.5 * (board - idle)).round();
        assert_eq!(watts.collect::<Vec<_>>(), [half, gpu.min_power_cap.as_watts(), board]);
        assert!(of(YEAR, 0.0, 3599.0).unwrap().is_empty(), "an hour that allows everything changes nothing");
    }

    #[test]
    fn what_is_no_year_is_refused_with_its_place() {
        for (text, told) in [
            ("hour_of_year_h\n0\n", "year.csv: line 1 has no column allowed_share"),
            ("hour_of_year_h,allowed_share\n0,1\n1,warm\n", "year.csv: line 3, allowed_share: \"warm\" is no number"),
        ] {
            let error = of(text, 0.0, 1e6).unwrap_err();
            assert!(error.starts_with(told), "{error}");
        }
        assert_eq!(of(YEAR, 9.0, 1.0).unwrap_err(), "year.csv has hours 0 to 4: there is no hour 9");
    }
}
