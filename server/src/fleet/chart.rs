//! Metrics of a place over a time: buckets of the history, counters as rates, what happened meanwhile.

use super::{Fleet, derived_series, words_of};
use crate::clock;
use crate::error::Error;
use model::event::{EventQuery, FleetEvent, Happening};
use model::fleet::{Annotation, ChartData, ChartRequest, ChartSeries, FleetPlace};
use model::metric::{Kind, Metric, Unit};
use model::reading::{Bucket, SeriesKey, label};
use std::sync::Arc;

/// Widths that a bucket may have, seconds: whole parts of each other where the history keeps buckets.
const STEPS_S: [i64; 14] = [1, 2, 5, 10, 20, 30, 60, 180, 300, 900, 1_800, 3_600, 14_400, 86_400];
/// Points of a chart at most, whatever is asked for.
const POINTS_MAX: u32 = 2_000;
/// Metrics of a chart at most.
const METRICS_MAX: usize = 12;
/// Events drawn over a chart at most.
const ANNOTATIONS_MAX: u32 = 200;
/// A silence is a gap when it is longer than this many of the usual intervals.
const GAP_INTERVALS: f64 = 2.5;

/// Means that are made of two counters: the sum and the count of a histogram.
const MEANS: [(&str, &str, Metric, Metric); 2] = [
    ("engine_ttft_mean_seconds", "Mean time to the first token", Metric::EngineTtftSum, Metric::EngineTtftCount),
    ("engine_tpot_mean_seconds", "Mean time between tokens", Metric::EngineTpotSum, Metric::EngineTpotCount),
];

impl Fleet {
    /// What a chart draws, or why it can't be drawn, in words.
    pub async fn chart(&self, request: &ChartRequest) -> Result<Result<ChartData, String>, Error> {
        let span_ms = request.to_ms.saturating_sub(request.from_ms);
        if span_ms <= 0 || span_ms > 10 * 366 * super::DAY_MS {
            return Ok(Err("A chart covers a time of up to ten years, and ends after it begins.".into()));
        }
        if request.metrics.len() > METRICS_MAX {
            return Ok(Err(format!("A chart has up to {METRICS_MAX} metrics.")));
        }
        let step_ms = step_ms(span_ms, request.points);
        let mut series = Vec::new();
        for name in &request.metrics {
            series.extend(self.line(name, request, step_ms).await?);
        }
        let annotations = self.annotations(&request.place, (request.from_ms, request.to_ms)).await?;
        Ok(Ok(ChartData { from_ms: request.from_ms, to_ms: request.to_ms, step_ms, series, annotations }))
    }

    /// One metric; none where it was never read there.
    async fn line(&self, name: &str, request: &ChartRequest, step_ms: i64) -> Result<Option<ChartSeries>, Error> {
        let times = (request.from_ms, request.to_ms);
        let span_ms = times.1 - times.0;
        let Some(buckets) = self.line_buckets(name, &request.place, times, step_ms).await? else { return Ok(None) };
        let mut previous = Vec::new();
        if request.previous {
            let before = (times.0 - span_ms, times.1 - span_ms);
            previous = self.line_buckets(name, &request.place, before, step_ms).await?.unwrap_or_default();
            // Whole steps, so that buckets stand upon each other.
            let shift_ms = (span_ms + step_ms / 2) / step_ms * step_ms;
            for bucket in &mut previous {
                bucket.start_ms += shift_ms;
            }
        }
        let mean = MEANS.iter().find(|(mean, ..)| *mean == name);
        let (words, unit) = mean
            .map_or_else(|| words_of(name), |(_, words, ..)| Some((*words, Unit::Second)))
            .unwrap_or(("", Unit::Other));
        let rate = Metric::named(name).is_some_and(|metric| metric.kind() == Kind::Counter);
        let unit = if rate && unit == Unit::Joule { Unit::Watt } else { unit };
        let last_is_partial = buckets.last().is_some_and(|last| last.start_ms + step_ms > clock::now_ms());
        Ok(Some(ChartSeries {
            metric: name.to_owned(),
            words: words.to_owned(),
            unit,
            gap_ms: gap_ms(&buckets, step_ms),
            last_is_partial,
            planned: self.planned(name, &request.place),
            buckets,
            previous,
        }))
    }

    async fn line_buckets(
        &self,
        name: &str,
        place: &FleetPlace,
        times: (i64, i64),
        step_ms: i64,
    ) -> Result<Option<Vec<Bucket>>, Error> {
        if let Some((.., sum, count)) = MEANS.iter().find(|(mean, ..)| *mean == name) {
            let sums = self.metric_buckets(sum.name(), place, times, step_ms).await?;
            let counts = self.metric_buckets(count.name(), place, times, step_ms).await?;
            return Ok(sums.zip(counts).map(|(sums, counts)| quotients(&sums, &counts)));
        }
        self.metric_buckets(name, place, times, step_ms).await
    }

    /// Buckets of a metric; of a counter, of its rate each second.
    async fn metric_buckets(
        &self,
        name: &str,
        place: &FleetPlace,
        times: (i64, i64),
        step_ms: i64,
    ) -> Result<Option<Vec<Bucket>>, Error> {
        let rate = Metric::named(name).is_some_and(|metric| metric.kind() == Kind::Counter);
        // A rate needs the bucket before the first.
        let asked = if rate { (times.0 - step_ms, times.1) } else { times };
        let mut found = None;
        for key in self.series_of(name, place).await? {
            let buckets = self.history.buckets(&key, asked, step_ms).await?;
            let buckets = if rate { rates(&buckets, step_ms) } else { buckets };
            // Two sources may bring the same; the one with more to say is taken.
            if found.as_ref().is_none_or(|before: &Vec<Bucket>| before.len() < buckets.len()) {
                found = Some(buckets);
            }
        }
        Ok(found)
    }

    /// The series of a metric at a place.
    async fn series_of(&self, name: &str, place: &FleetPlace) -> Result<Vec<Arc<SeriesKey>>, Error> {
        if super::DERIVED.iter().any(|(derived, ..)| *derived == name) {
            return Ok(vec![Arc::new(derived_series(name, &place.to_string()))]);
        }
        let of = |key: &SeriesKey, name: &str, value: &str| key.labels.get(name) == Some(value);
        let mut keys = match place {
            FleetPlace::Fleet => self.history.find(name, &[]).await?,
            FleetPlace::Hall(hall) => self.history.find(name, &[(label::HALL, hall)]).await?,
            FleetPlace::Rack(rack) => self.history.find(name, &[(label::RACK, rack)]).await?,
            FleetPlace::Node(host) | FleetPlace::Gpu(host, _) => {
                self.history.find(name, &[(label::HOST, host)]).await?
            }
            FleetPlace::Engine(instance) => self.history.find(name, &[(label::INSTANCE, instance)]).await?,
            FleetPlace::Source(source) => self.history.find(name, &[(label::SOURCE, source)]).await?,
            FleetPlace::Point(tag) => self.history.find(name, &[(label::TAG, tag)]).await?,
        };
        keys.retain(|key| match place {
            FleetPlace::Gpu(_, index) => {
                key.labels.get(label::MIG).is_none() && (of(key, label::GPU, index) || of(key, label::UUID, index))
            }
            FleetPlace::Node(_) => key.labels.get(label::GPU).is_none() && key.labels.get(label::UUID).is_none(),
            FleetPlace::Fleet
            | FleetPlace::Hall(_)
            | FleetPlace::Rack(_)
            | FleetPlace::Engine(_)
            | FleetPlace::Source(_)
            | FleetPlace::Point(_) => true,
        });
        Ok(keys)
    }

    /// The plan's figure for a metric of a place.
    fn planned(&self, name: &str, place: &FleetPlace) -> Option<f64> {
        let plan = super::lock(&self.plan);
        let plan = plan.as_ref()?;
        match (name, place) {
            ("fleet_output_tokens_per_second", FleetPlace::Fleet) => Some(plan.figures.tokens_per_s),
            ("fleet_board_power_watts", FleetPlace::Fleet) => Some(plan.figures.board_w),
            ("fleet_it_power_watts", FleetPlace::Fleet) => Some(plan.figures.it_w),
            ("fleet_facility_power_watts", FleetPlace::Fleet) => Some(plan.figures.facility_w),
            ("fleet_gpus_usable", FleetPlace::Fleet) => Some(f64::from(plan.figures.gpus)),
            ("gpu_power_watts", FleetPlace::Gpu(..)) => plan.gpu_w,
            ("rack_power_watts", FleetPlace::Rack(rack)) => plan.provisioned_w.get(rack).copied(),
            _ => None,
        }
    }

    /// What happened at a place in a time, to be drawn over its charts: what began before counts if it goes on.
    async fn annotations(&self, place: &FleetPlace, (from_ms, to_ms): (i64, i64)) -> Result<Vec<Annotation>, Error> {
        let host = match place {
            FleetPlace::Node(host) | FleetPlace::Gpu(host, _) => Some(host.clone()),
            FleetPlace::Fleet
            | FleetPlace::Hall(_)
            | FleetPlace::Rack(_)
            | FleetPlace::Engine(_)
            | FleetPlace::Source(_)
            | FleetPlace::Point(_) => None,
        };
        let scope = if host.is_none() { Scope::Whole } else { Scope::Place };
        let (since_ms, limit) = (from_ms - super::DAY_MS, ANNOTATIONS_MAX);
        let query = EventQuery { from_ms: since_ms, to_ms, host, limit, ..EventQuery::default() };
        let mut events = store::event::list(self.db(), &query).await?;
        events.reverse();
        let mut annotations: Vec<Annotation> = Vec::new();
        for (at, event) in events.iter().enumerate() {
            if let Some(annotation) = annotation(event, &events[at + 1..], scope) {
                annotations.push(annotation);
            }
        }
        annotations.retain(|annotation| annotation.end_ms.unwrap_or(annotation.start_ms) >= from_ms);
        Ok(annotations)
    }
}

/// What a chart is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// More than one node.
    Whole,
    /// A node or a GPU.
    Place,
}

/// What an event draws, given those after it. Over the whole fleet only what concerns all of it.
fn annotation(event: &FleetEvent, later: &[FleetEvent], scope: Scope) -> Option<Annotation> {
    let end_of = |ends: &dyn Fn(&Happening) -> bool| {
        later.iter().find(|other| other.gpu == event.gpu && ends(&other.what)).map(|other| other.at_ms)
    };
    let now_ms = clock::now_ms();
    let (end_ms, severe) = match &event.what {
        Happening::LoadTarget { target_w: Some(_) } => {
            (Some(end_of(&|what| matches!(what, Happening::LoadTarget { .. })).unwrap_or(now_ms)), false)
        }
        Happening::Remark { until_ms } => (*until_ms, false),
        Happening::Leak { .. } => (None, true),
        Happening::LoadTarget { target_w: None } => return None,
        _ if scope == Scope::Whole => return None,
        Happening::GpuLost => (Some(end_of(&|what| *what == Happening::GpuBack).unwrap_or(now_ms)), true),
        Happening::Xid { .. } | Happening::Sxid { .. } => (None, true),
        Happening::HostRestarted | Happening::HostState { .. } => (None, false),
        Happening::GpuBack | Happening::Source { .. } => return None,
    };
    Some(Annotation { start_ms: event.at_ms, end_ms, words: event.message.clone(), severe })
}

/// The narrowest width that draws a time with so many points.
fn step_ms(span_ms: i64, points: u32) -> i64 {
    let least = span_ms / i64::from(points.clamp(10, POINTS_MAX));
    STEPS_S.iter().map(|step_s| step_s * 1_000).find(|step_ms| *step_ms >= least).unwrap_or(86_400_000)
}

/// The usual distance of readings, some times over.
fn gap_ms(buckets: &[Bucket], step_ms: i64) -> i64 {
    let mut distances: Vec<i64> = buckets.windows(2).map(|pair| pair[1].start_ms - pair[0].start_ms).collect();
    distances.sort_unstable();
    let usual = distances.get(distances.len() / 2).copied().unwrap_or(step_ms).max(step_ms);
    (usual as f64 * GAP_INTERVALS) as i64
}

/// Buckets of a counter's rate each second: from one bucket to the next that has readings, unless more than a few are
/// missing between them. A counter that starts anew counts from 0.
fn rates(buckets: &[Bucket], step_ms: i64) -> Vec<Bucket> {
    let gap_ms = gap_ms(buckets, step_ms);
    let rate = |pair: &[Bucket]| {
        let apart_ms = pair[1].start_ms - pair[0].start_ms;
        let rise = if pair[1].max >= pair[0].max { pair[1].max - pair[0].max } else { pair[1].max };
        let value = rise * 1_000.0 / apart_ms as f64;
        (apart_ms <= gap_ms).then_some(Bucket {
            count: pair[1].count,
            sum: value * f64::from(pair[1].count),
            min: value,
            max: value,
            start_ms: pair[1].start_ms,
        })
    };
    buckets.windows(2).filter_map(rate).collect()
}

/// One rate over another where both are known.
fn quotients(over: &[Bucket], under: &[Bucket]) -> Vec<Bucket> {
    let of = |bucket: &Bucket| {
        let at = under.binary_search_by_key(&bucket.start_ms, |bucket| bucket.start_ms).ok()?;
        let value = bucket.mean() / under[at].mean();
        value.is_finite().then(|| Bucket::of(bucket.start_ms, value))
    };
    over.iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(values: &[(i64, f64)]) -> Vec<Bucket> {
        values.iter().map(|(at_s, value)| Bucket::of(at_s * 1_000, *value)).collect()
    }

    #[test]
    fn a_counter_is_drawn_as_its_rate_and_starts_anew_from_nothing() {
        let rates = rates(&counter(&[(0, 100.0), (10, 300.0), (20, 40.0), (30, 240.0)]), 10_000);
        assert_eq!(rates.iter().map(Bucket::mean).collect::<Vec<_>>(), [20.0, 4.0, 20.0]);
    }

    #[test]
    fn what_rose_in_a_silence_is_not_drawn() {
        let steady: Vec<(i64, f64)> =
            (0..10).map(|at| (at * 10, at as f64)).chain([(200, 1e6), (210, 1e6 + 10.0)]).collect();
        let rates = rates(&counter(&steady), 10_000);
        assert_eq!((rates.len(), rates.last().unwrap().mean()), (10, 1.0));
    }

    #[test]
    fn a_day_in_300_points_has_steps_of_five_minutes() {
        assert_eq!(step_ms(86_400_000, 300), 300_000);
        assert_eq!(step_ms(900_000, 300), 5_000);
        assert_eq!(step_ms(365 * 86_400_000, 400), 86_400_000);
    }
}
