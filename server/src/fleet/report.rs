//! What the fleet made of its energy in a day or a month, from the history, beside the plan.
//!
//! Tokens and the boards' energy are counted; energy into racks and at the utility meter is integrated from power, never
//! across a silence of more than three minutes. What of a period was not read is said and not made up.

use super::{DAY_MS, Fleet, derived_series};
use crate::clock;
use crate::error::Error;
use jiff::civil::Date;
use model::fleet::{FleetReport, FleetReportRow, Megawatt, PlanBinding};
use model::reading::Sample;
use telemetry::energy::{Energy, Increase, Window, increase, of_power};

/// Width of the buckets that a report is made of.
const MINUTE_MS: i64 = 60_000;
/// The longest time of which every reading is taken: a day and the one before it.
const READINGS_MS_MAX: i64 = 2 * DAY_MS;
/// Joules of a kWh.
const KWH_J: f64 = 3.6e6;

/// The series that a report is made of.
struct Readings {
    tokens: Vec<Sample>,
    boards: Vec<Sample>,
    it: Vec<Sample>,
    facility: Vec<Sample>,
    usable: Vec<Sample>,
}

impl Readings {
    /// The widest boundary that was metered in a time.
    fn widest(&self, from_ms: i64, to_ms: i64) -> Megawatt {
        let any = |samples: &[Sample]| samples.iter().any(|sample| (from_ms..to_ms).contains(&sample.at_ms));
        match (any(&self.facility), any(&self.it)) {
            (true, _) => Megawatt::Facility,
            (false, true) => Megawatt::It,
            (false, false) => Megawatt::Board,
        }
    }
}

/// A day or a month in UTC.
struct Period {
    from_ms: i64,
    to_ms: i64,
    /// Where its rows begin, and where it ends.
    rows: Vec<i64>,
    before_ms: i64,
}

impl Fleet {
    /// The report of a day (`2026-11-27`) or a month (`2026-11`), or why there is none, in words.
    pub async fn report(&self, period: &str) -> Result<Result<FleetReport, String>, Error> {
        let Some(known) = Period::read(period) else {
            return Ok(Err(format!("{period:?} is no day such as 2026-11-27 and no month such as 2026-11.")));
        };
        if known.from_ms > clock::now_ms() {
            return Ok(Err(format!("{period} has not begun yet.")));
        }
        let readings = self.readings(known.before_ms, known.to_ms).await?;
        // One boundary for the whole report: rows of different megawatts could not be compared.
        let megawatt = readings.widest(known.from_ms, known.to_ms);
        let rows: Vec<FleetReportRow> =
            known.rows.windows(2).map(|pair| self.row(&readings, megawatt, pair[0], pair[1])).collect();
        let total = self.row(&readings, megawatt, known.from_ms, known.to_ms);
        let previous = self.row(&readings, megawatt, known.before_ms, known.from_ms);
        let (plan, planned_error) =
            super::lock(&self.plan).as_ref().map(|plan| (plan.binding.clone(), plan.figures.error)).unzip();
        Ok(Ok(FleetReport {
            period: period.to_owned(),
            from_ms: known.from_ms,
            to_ms: known.to_ms,
            rows,
            remarks: remarks(&known, &total, &readings, plan.as_ref()),
            total,
            previous: (previous.covered > 0.0).then_some(previous),
            plan,
            planned_error,
        }))
    }

    async fn readings(&self, from_ms: i64, to_ms: i64) -> Result<Readings, Error> {
        let of = async |name: &str, counter: bool| -> Result<Vec<Sample>, Error> {
            let key = derived_series(name, "fleet");
            // Of a day every reading; of a month, which may reach back beyond what is kept of those, minutes.
            if to_ms - from_ms <= READINGS_MS_MAX {
                return self.history.samples(&key, from_ms, to_ms).await;
            }
            let buckets = self.history.buckets(&key, (from_ms, to_ms), MINUTE_MS).await?;
            let now_ms = clock::now_ms();
            // A counter is what it was at the end of its minute, or now where that is not over; a power its mean in the
            // middle of it, and so is a counter of which the minute has one reading.
            let sample = |bucket: &model::reading::Bucket| {
                if counter && bucket.count > 1 {
                    Sample { at_ms: (bucket.start_ms + MINUTE_MS).min(now_ms), value: bucket.max }
                } else {
                    Sample { at_ms: (bucket.start_ms + MINUTE_MS / 2).min(now_ms), value: bucket.mean() }
                }
            };
            Ok(buckets.iter().map(sample).collect())
        };
        Ok(Readings {
            tokens: of("fleet_output_tokens_total", true).await?,
            boards: of("fleet_board_energy_joules_total", true).await?,
            it: of("fleet_it_power_watts", false).await?,
            facility: of("fleet_facility_power_watts", false).await?,
            usable: of("fleet_gpus_usable", false).await?,
        })
    }

    fn row(&self, readings: &Readings, megawatt: Megawatt, from_ms: i64, to_ms: i64) -> FleetReportRow {
        // What lies ahead is not missing.
        let window = Window::of(from_ms, to_ms.min(clock::now_ms()), MINUTE_MS);
        let counted = |samples: &[Sample]| -> Option<Increase> {
            let rise = increase(within(samples, &window), &window);
            (rise.covered_ms > 0).then_some(rise)
        };
        let metered = |samples: &[Sample]| {
            let energy = of_power(within(samples, &window), &window);
            (energy.covered_ms > 0).then_some(energy)
        };
        let (tokens, boards) = (counted(&readings.tokens), counted(&readings.boards));
        let (it, facility) = (metered(&readings.it), metered(&readings.facility));
        let of = |energy: &Energy| (energy.joules, energy.covered_ms);
        let widest = match megawatt {
            Megawatt::Facility => facility.as_ref().map(of),
            Megawatt::It => it.as_ref().map(of),
            Megawatt::Board => boards.as_ref().map(|rise| (rise.amount, rise.covered_ms)),
        };
        let rates = tokens.as_ref().and_then(Increase::per_second).zip(widest.filter(|(joules, _)| *joules > 0.0));
        // Each over the time that it was read for, so that a silence of one does not lower or raise the other.
        let per_mw = rates.map(|(tokens_per_s, (joules, ms))| tokens_per_s * 1e6 / (joules / (ms as f64 / 1e3)));
        let plan = super::lock(&self.plan);
        let planned = plan.as_ref().map(|plan| {
            let watts = match megawatt {
                Megawatt::Facility => plan.figures.facility_w,
                Megawatt::It => plan.figures.it_w,
                Megawatt::Board => plan.figures.board_w,
            };
            plan.figures.tokens_per_s * 1e6 / watts
        });
        if window.length_ms() <= 0 {
            return FleetReportRow { start_ms: from_ms, ..FleetReportRow::default() }; // it lies ahead
        }
        let inside = |sample: &&Sample| (from_ms..to_ms).contains(&sample.at_ms);
        let usable: Vec<Sample> = readings.usable.iter().filter(inside).copied().collect();
        let usable_mean = usable.iter().map(|sample| sample.value).sum::<f64>() / usable.len().max(1) as f64;
        let all = plan.as_ref().map_or_else(
            || readings.usable.iter().map(|sample| sample.value).fold(0.0, f64::max),
            |plan| f64::from(plan.figures.gpus),
        );
        FleetReportRow {
            start_ms: from_ms,
            output_tokens: tokens.map(|rise| rise.amount),
            board_kwh: boards.map(|rise| rise.amount / KWH_J),
            it_kwh: it.map(|energy| energy.joules / KWH_J),
            facility_kwh: facility.map(|energy| energy.joules / KWH_J),
            tokens_per_s_per_mw: per_mw,
            planned_tokens_per_s_per_mw: planned.filter(|planned| planned.is_finite()),
            joules_per_token: per_mw.map(|per_mw| 1e6 / per_mw),
            covered: of_power(&usable, &window).covered_ms as f64 / window.length_ms().max(1) as f64,
            available: (!usable.is_empty() && all > 0.0).then(|| usable_mean / all),
        }
    }
}

/// Samples of a window, with one more on each side for its borders.
fn within<'a>(samples: &'a [Sample], window: &Window) -> &'a [Sample] {
    let first = samples.partition_point(|sample| sample.at_ms < window.from_ms).saturating_sub(1);
    let last = (samples.partition_point(|sample| sample.at_ms < window.to_ms) + 1).min(samples.len());
    &samples[first.min(last)..last]
}

/// What a report rests on, in sentences.
fn remarks(known: &Period, total: &FleetReportRow, readings: &Readings, plan: Option<&PlanBinding>) -> Vec<String> {
    let mut remarks = Vec::new();
    let boundary = match (total.facility_kwh, total.it_kwh, total.board_kwh) {
        (Some(_), ..) => "The megawatt is that at the utility meter.",
        (None, Some(_), _) => "No utility meter was read: the megawatt is that into the racks.",
        (None, None, Some(_)) => "No meter of racks or utility was read: the megawatt is that of the GPU boards alone.",
        (None, None, None) => "No power was read.",
    };
    remarks.push(boundary.to_owned());
    if readings.tokens.is_empty() {
        remarks.push("No serving engine was read, so there are no tokens to count.".into());
    } else {
        remarks.push("Tokens are output tokens, as the serving engines count them.".into());
    }
    if known.to_ms - known.from_ms > DAY_MS {
        remarks.push(
            "A month is made of minutes, a day of every reading: beside each silence the two may differ by a minute."
                .into(),
        );
    }
    if plan.is_none() {
        remarks.push("The fleet is bound to no design, so there is nothing to compare with.".into());
    }
    remarks
}

impl Period {
    fn read(text: &str) -> Option<Self> {
        let day = |date: Date| Some(date.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond());
        if let Ok(date) = text.parse::<Date>()
            && text.len() == 10
        {
            let (from_ms, to_ms) = (day(date)?, day(date.tomorrow().ok()?)?);
            let rows = (0..=24).map(|hour| from_ms + hour * 3_600_000).collect();
            return Some(Self { from_ms, to_ms, rows, before_ms: from_ms - DAY_MS });
        }
        let first = format!("{text}-01").parse::<Date>().ok().filter(|_| text.len() == 7)?;
        let (from_ms, to_ms) = (day(first)?, day(first.checked_add(jiff::Span::new().months(1)).ok()?)?);
        let before_ms = day(first.checked_sub(jiff::Span::new().months(1)).ok()?)?;
        let rows = (0..=(to_ms - from_ms) / DAY_MS).map(|day| from_ms + day * DAY_MS).collect();
        Some(Self { from_ms, to_ms, rows, before_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_day_of_hours_or_a_month_of_days() {
        let day = Period::read("2024-02-29").unwrap();
        assert_eq!((day.to_ms - day.from_ms, day.rows.len()), (DAY_MS, 25));
        let month = Period::read("2024-02").unwrap();
        assert_eq!((month.rows.len(), month.from_ms - month.before_ms), (30, 31 * DAY_MS));
        for bad in ["", "2024", "2024-13", "2024-02-30", "today", "2024-2"] {
            assert!(Period::read(bad).is_none(), "{bad}");
        }
    }
}
