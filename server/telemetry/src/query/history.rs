//! The past of series as another store keeps it: buckets as a local store would make them, and samples as they came.
//!
//! A bucket holds the samples of [start, start + step), to the millisecond, and starts at a multiple of the step. The
//! windows of PromQL are (t - d, t], and in Prometheus 2 [t - d, t]: asked at t = start + step - 1 ms, with d one
//! millisecond shorter in the latter, they hold the same samples.
//!
//! Never: returns a part of a bucket, or a value that was calculated from values around it.

use super::{Client, Error, Many, Selector};
use model::reading::{Bucket, Labels, Sample, SeriesKey};
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::Mutex;

use crate::remote_write::NAME;

/// Buckets of one question: Prometheus gives 11 000 at most, VictoriaMetrics 30 000.
const POINTS_MAX: i64 = 10_000;
/// Buckets of one call.
const BUCKETS_MAX: i64 = 1_000_000;
/// The longest step: a leap year.
const STEP_MAX_MS: i64 = 366 * 86_400_000;
/// The longest stretch of samples of one question: 21 600 of each series at 1 Hz.
const SAMPLES_SPAN_MS: i64 = 6 * 3_600_000;
/// Buckets that end later than this ago are not asked of `query_range`: VictoriaMetrics puts the value before into the
/// last points, for as long as its latency offset (30 s unless set).
const SETTLED_MS: i64 = 90_000;
/// Buckets at the end that are asked one by one; more of them are made here from samples, which are few then.
const SINGLES_MAX: i64 = 4;
/// How long it is believed what kind of windows the store has: it may be brought up to date.
const WINDOWS_KNOWN: Duration = Duration::from_mins(10);
/// The label by which the four figures of a bucket are told apart.
const FIGURE: &str = "millwright_figure";

/// A store that is asked for its past.
#[derive(Debug)]
pub struct RemoteHistory {
    client: Client,
    closed: Mutex<Option<(Instant, bool)>>,
}

impl RemoteHistory {
    /// The past behind that client.
    pub fn of(client: Client) -> Self {
        Self { client, closed: Mutex::new(None) }
    }
    /// The buckets of one series that touch [from, to), whole, in the order of their times; those without sample are left out.
    pub async fn range(&self, key: &SeriesKey, from_ms: i64, to_ms: i64, step_ms: i64) -> Result<Vec<Bucket>, Error> {
        let all = self.ranges(&Selector::of(key), from_ms, to_ms, step_ms).await?;
        Ok(all.into_iter().find(|(found, _)| found == key).map(|(_, buckets)| buckets).unwrap_or_default())
    }
    /// The same for each series of a selector, in the order of their labels.
    pub async fn ranges(
        &self,
        selector: &Selector,
        from_ms: i64,
        to_ms: i64,
        step_ms: i64,
    ) -> Result<Vec<(SeriesKey, Vec<Bucket>)>, Error> {
        if !(2..=STEP_MAX_MS).contains(&step_ms) {
            let which = if step_ms < 2 { "short" } else { "long" };
            return Err(Error::Asked(format!("a step of {step_ms} ms is too {which}")));
        }
        sane(from_ms, to_ms)?;
        if from_ms >= to_ms {
            return Ok(Vec::new());
        }
        let (first, last) = (from_ms.div_euclid(step_ms), (to_ms - 1).div_euclid(step_ms));
        if last - first >= BUCKETS_MAX {
            return Err(Error::Asked(format!("{} buckets are more than {BUCKETS_MAX}", last - first + 1)));
        }
        // Buckets from `tail` on may not have settled.
        let tail = (now_ms() - SETTLED_MS).div_euclid(step_ms).clamp(first, last + 1);
        let mut found = Found::default();
        let query = self.figures(selector, step_ms).await?;
        let end = |bucket: i64| (bucket + 1) * step_ms - 1;
        let mut at = first;
        while at < tail {
            let until = tail.min(at + POINTS_MAX);
            found.add(self.client.query_range(&query, end(at), end(until - 1), step_ms).await?.matrix()?, step_ms);
            at = until;
        }
        if last + 1 - tail > SINGLES_MAX {
            found.fold(self.samples(selector, tail * step_ms, (last + 1) * step_ms).await?, step_ms);
        } else {
            for bucket in tail..=last {
                let one = self.client.query(&query, Some(end(bucket))).await?.vector()?;
                let many =
                    one.into_iter().map(|one| Many { metric: one.metric, values: one.value.into_iter().collect() });
                found.add(many.collect(), step_ms);
            }
        }
        Ok(found.into_series(&selector.name))
    }
    /// The samples of each series of a selector in [from, to), in the order of their times.
    pub async fn samples(
        &self,
        selector: &Selector,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Vec<(SeriesKey, Vec<Sample>)>, Error> {
        sane(from_ms, to_ms)?;
        let mut all: BTreeMap<SeriesKey, Vec<Sample>> = BTreeMap::new();
        let mut at = from_ms;
        while at < to_ms {
            let until = to_ms.min(at + SAMPLES_SPAN_MS);
            let query = format!("{selector}[{}ms]", until - at);
            for Many { metric, values } in self.client.query(&query, Some(until - 1)).await?.matrix()? {
                // A closed window holds one millisecond too many.
                let values = values.into_iter().filter(|sample| sample.at_ms >= at && !sample.value.is_nan());
                all.entry(super::key_of(metric)).or_default().extend(values);
            }
            at = until;
        }
        all.retain(|_, samples| !samples.is_empty());
        Ok(all.into_iter().collect())
    }
    /// The last sample of each series of a selector that is not later than `at_ms`, nor `within_ms` or more before it.
    pub async fn latest(
        &self,
        selector: &Selector,
        at_ms: i64,
        within_ms: i64,
    ) -> Result<Vec<(SeriesKey, Sample)>, Error> {
        let end = at_ms.saturating_add(1);
        let all = self.samples(selector, end.saturating_sub(within_ms), end).await?;
        Ok(all.into_iter().filter_map(|(key, samples)| samples.last().map(|last| (key, *last))).collect())
    }
    /// Which series of a selector have samples in [from, to).
    pub async fn series(&self, selector: &Selector, from_ms: i64, to_ms: i64) -> Result<Vec<SeriesKey>, Error> {
        let mut all = self.client.series(&[&selector.to_string()], from_ms, to_ms - 1).await?;
        all.sort_unstable();
        Ok(all)
    }

    /// The four figures of a bucket in one query, told apart by a label.
    async fn figures(&self, selector: &Selector, step_ms: i64) -> Result<String, Error> {
        let window = if self.closed().await? { step_ms - 1 } else { step_ms };
        let figure =
            |of: &str| format!("label_replace({of}_over_time({selector}[{window}ms]),\"{FIGURE}\",\"{of}\",\"\",\"\")");
        Ok(["min", "max", "sum", "count"].map(figure).join(" or "))
    }
    async fn closed(&self) -> Result<bool, Error> {
        let mut known = self.closed.lock().await;
        if let Some((since, closed)) = *known
            && since.elapsed() < WINDOWS_KNOWN
        {
            return Ok(closed);
        }
        let closed = self.client.windows_are_closed().await?;
        *known = Some((Instant::now(), closed));
        Ok(closed)
    }
}

/// Buckets as they are found, by the labels of their series and their starts.
#[derive(Default)]
struct Found {
    figures: BTreeMap<Labels, BTreeMap<i64, [Option<f64>; 4]>>,
}

impl Found {
    fn add(&mut self, all: Vec<Many>, step_ms: i64) {
        for Many { mut metric, values } in all {
            let figure = metric.remove(FIGURE);
            let Some(place) =
                ["min", "max", "sum", "count"].iter().position(|figure_of| figure.as_deref() == Some(figure_of))
            else {
                continue;
            };
            let series = self.figures.entry(labels(metric)).or_default();
            for Sample { at_ms, value } in values {
                series.entry(at_ms + 1 - step_ms).or_default()[place] = Some(value);
            }
        }
    }
    /// Makes the buckets of samples.
    fn fold(&mut self, all: Vec<(SeriesKey, Vec<Sample>)>, step_ms: i64) {
        for (key, samples) in all {
            let series = self.figures.entry(key.labels).or_default();
            for Sample { at_ms, value } in samples {
                let figures = series.entry(at_ms.div_euclid(step_ms) * step_ms).or_default();
                let [min, max, sum, count] = figures.map(|figure| figure.unwrap_or(f64::NAN));
                // The least of a number and NaN is the number.
                *figures = [
                    min.min(value),
                    max.max(value),
                    if sum.is_nan() { value } else { sum + value },
                    count.max(0.0) + 1.0,
                ]
                .map(Some);
            }
        }
    }
    fn into_series(self, name: &str) -> Vec<(SeriesKey, Vec<Bucket>)> {
        let bucket = |(start_ms, figures): (i64, [Option<f64>; 4])| {
            let [Some(min), Some(max), Some(sum), Some(count)] = figures else { return None };
            (count >= 1.0).then_some(Bucket { start_ms, min, max, sum, count: count as u32 })
        };
        let series = self.figures.into_iter().map(|(labels, buckets)| {
            (SeriesKey { name: name.to_owned(), labels }, buckets.into_iter().filter_map(bucket).collect::<Vec<_>>())
        });
        series.filter(|(_, buckets)| !buckets.is_empty()).collect()
    }
}

/// Labels without the name, which VictoriaMetrics keeps and Prometheus drops.
fn labels(metric: BTreeMap<String, String>) -> Labels {
    Labels::of(metric.into_iter().filter(|(name, _)| name != NAME))
}

/// Times that both stores can say: from 1970 to 2255.
fn sane(from_ms: i64, to_ms: i64) -> Result<(), Error> {
    let all = 0..9_000_000_000_000;
    if from_ms >= to_ms || (all.contains(&from_ms) && all.contains(&to_ms)) {
        return Ok(());
    }
    Err(Error::Asked(format!("{from_ms} to {to_ms} ms are not times from 1970 to 2255")))
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
