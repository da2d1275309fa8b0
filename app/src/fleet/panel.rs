//! The charts of a place: which metrics stand together, what each chart says in a sentence, what it reads under the pointer,
//! and the same as a table.

use super::time::{Beside, Clock, When};
use super::words;
use crate::format::{self, Told, Units};
use chart::{Line, Lines, Role, lines_in_time};
use model::fleet::{ChartData, ChartRequest, ChartSeries, FleetPlace};
use model::quantity::Span;
use model::reading::Bucket;

/// Points that a chart has room for.
const POINTS: u32 = 280;
/// Rows of a table: more is no table to read.
const ROWS: i64 = 48;
/// Metrics that the house draws at once.
const AT_ONCE: usize = 12;
/// Times that an axis has room for.
const TIMES: u32 = 5;

/// What a chart says first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// How much it is, and when it was most.
    Level,
    /// How much of a limit, the second of its metrics, it takes.
    OfLimit,
    /// How often something came.
    HowOften,
}

/// A chart: metrics of one unit over one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Panel {
    /// What it is of, as a sentence begins.
    pub noun: &'static str,
    /// What it says first.
    pub says: Says,
    /// Whether its axis begins at zero.
    pub from_zero: bool,
    /// Names of its series, and what each is about.
    pub metrics: &'static [(&'static str, Role)],
}

const fn level(noun: &'static str, metrics: &'static [(&'static str, Role)]) -> Panel {
    Panel { noun, says: Says::Level, from_zero: true, metrics }
}

const GPU: [Panel; 6] = [
    Panel {
        noun: "Board power",
        says: Says::OfLimit,
        from_zero: true,
        metrics: &[("gpu_power_watts", Role::Power), ("gpu_power_limit_watts", Role::Limit)],
    },
    Panel {
        noun: "Temperature",
        says: Says::Level,
        from_zero: false,
        metrics: &[("gpu_temperature_celsius", Role::Heat), ("gpu_memory_temperature_celsius", Role::Fourth)],
    },
    level(
        "Time in which a kernel ran (utilisation)",
        &[
            ("gpu_utilization_ratio", Role::Power),
            ("gpu_tensor_active_ratio", Role::Tokens),
            ("gpu_dram_active_ratio", Role::Fifth),
        ],
    ),
    level("Clock of the processors", &[("gpu_sm_clock_hertz", Role::Power), ("gpu_memory_clock_hertz", Role::Fifth)]),
    Panel {
        noun: "Memory used",
        says: Says::OfLimit,
        from_zero: true,
        metrics: &[("gpu_memory_used_bytes", Role::Tokens), ("gpu_memory_total_bytes", Role::Limit)],
    },
    Panel {
        noun: "errors",
        says: Says::HowOften,
        from_zero: true,
        metrics: &[
            ("gpu_ecc_corrected_total", Role::Power),
            ("gpu_ecc_uncorrected_total", Role::Heat),
            ("gpu_nvlink_errors_total", Role::Fifth),
            ("gpu_pcie_replays_total", Role::Fourth),
        ],
    },
];

const HOTTEST: Panel = Panel {
    noun: "The hottest GPU",
    says: Says::Level,
    from_zero: false,
    metrics: &[("gpu_temperature_max_celsius", Role::Heat)],
};
const WORK: Panel =
    level("Time in which kernels ran (mean utilisation)", &[("gpu_utilization_mean_ratio", Role::Tokens)]);
const BOARDS: Panel = level("Power of the GPU boards", &[("board_power_watts", Role::Power)]);

const NODE: [Panel; 3] = [
    level("Power of the GPU boards", &[("board_power_watts", Role::Power), ("node_power_watts", Role::Fifth)]),
    HOTTEST,
    WORK,
];
const RACK: [Panel; 5] = [
    level("Power of the GPU boards", &[("board_power_watts", Role::Power), ("rack_power_watts", Role::Fifth)]),
    HOTTEST,
    Panel {
        noun: "Coolant in",
        says: Says::Level,
        from_zero: false,
        metrics: &[("rack_liquid_supply_celsius", Role::Power), ("rack_liquid_return_celsius", Role::Heat)],
    },
    level("Coolant flow", &[("rack_liquid_flow_cubic_metres_per_second", Role::Power)]),
    WORK,
];
const HALL: [Panel; 3] = [BOARDS, HOTTEST, WORK];
const FLEET: [Panel; 4] = [
    level("Output tokens", &[("fleet_output_tokens_per_second", Role::Tokens)]),
    level(
        "Power",
        &[
            ("fleet_board_power_watts", Role::Power),
            ("fleet_it_power_watts", Role::Fifth),
            ("fleet_facility_power_watts", Role::Heat),
        ],
    ),
    level("Output tokens for each megawatt", &[("fleet_tokens_per_second_per_mw", Role::Tokens)]),
    level("GPUs that can be used", &[("fleet_gpus_usable", Role::Power)]),
];
const ENGINE: [Panel; 5] = [
    level("Output tokens", &[("engine_output_tokens_total", Role::Tokens)]),
    level("Requests under way", &[("engine_requests_running", Role::Power), ("engine_requests_waiting", Role::Heat)]),
    level("KV cache in use", &[("engine_kv_cache_used_ratio", Role::Power)]),
    level("Time to the first token (TTFT), mean", &[("engine_ttft_mean_seconds", Role::Heat)]),
    level("Time between tokens (TPOT), mean", &[("engine_tpot_mean_seconds", Role::Heat)]),
];

/// The charts of a place.
pub fn panels(place: &FleetPlace) -> &'static [Panel] {
    match place {
        FleetPlace::Fleet => &FLEET,
        FleetPlace::Hall(_) => &HALL,
        FleetPlace::Rack(_) => &RACK,
        FleetPlace::Node(_) => &NODE,
        FleetPlace::Gpu(..) => &GPU,
        FleetPlace::Engine(_) => &ENGINE,
        FleetPlace::Source(_) | FleetPlace::Point(_) => &[],
    }
}

/// What is asked for to draw them all: as many metrics at once as the house allows.
pub fn requests(place: &FleetPlace, when: When, now_ms: i64) -> Vec<ChartRequest> {
    let (from_ms, to_ms) = when.range.at(now_ms);
    let metrics: Vec<String> =
        panels(place).iter().flat_map(|panel| panel.metrics).map(|(name, _)| (*name).to_owned()).collect();
    let one = |metrics: &[String]| ChartRequest {
        place: place.clone(),
        metrics: metrics.to_vec(),
        from_ms,
        to_ms,
        points: POINTS,
        previous: when.beside == Beside::Before,
    };
    metrics.chunks(AT_ONCE).map(one).collect()
}

/// Several answers over one time as one.
pub fn together(answers: Vec<ChartData>) -> Option<ChartData> {
    let mut answers = answers.into_iter();
    let mut first = answers.next()?;
    first.series.extend(answers.flat_map(|answer| answer.series));
    Some(first)
}

/// A chart with what it draws.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// Which.
    pub panel: Panel,
    /// Its series that are there, with what each is about.
    pub series: Vec<(ChartSeries, Role)>,
    /// From when, milliseconds since 1970 UTC.
    pub from_ms: i64,
    /// Until when.
    pub to_ms: i64,
    /// Width of a bucket.
    pub step_ms: i64,
}

/// Every chart of the data, in order; one whose metrics nobody brings is left out where others are there.
pub fn drawn(place: &FleetPlace, data: &ChartData) -> Vec<Drawn> {
    let one = |panel: &Panel| {
        let found = |(name, role): &(&str, Role)| {
            data.series.iter().find(|series| series.metric == *name).map(|series| (series.clone(), *role))
        };
        Drawn {
            panel: *panel,
            series: panel.metrics.iter().filter_map(found).collect(),
            from_ms: data.from_ms,
            to_ms: data.to_ms,
            step_ms: data.step_ms.max(1),
        }
    };
    panels(place).iter().map(one).filter(|drawn| !drawn.series.is_empty()).collect()
}

impl Drawn {
    /// The picture as SVG text.
    pub fn svg(&self, data: &ChartData, units: Units, clock: Clock, title: &str) -> String {
        let lines: Vec<Line<'_>> = self
            .series
            .iter()
            .map(|(series, role)| Line {
                name: &series.words,
                role: *role,
                buckets: &series.buckets,
                previous: &series.previous,
                gap_ms: series.gap_ms,
                last_is_partial: series.last_is_partial,
                planned: series.planned,
            })
            .collect();
        let marks = super::time::marks(self.from_ms, self.to_ms, TIMES, clock);
        let chart = Lines {
            from_ms: self.from_ms,
            to_ms: self.to_ms,
            step_ms: self.step_ms,
            lines: &lines,
            annotations: &data.annotations,
            marks: &marks,
            from_zero: self.panel.from_zero,
        };
        lines_in_time(&chart, title, &|value| format::axis::short(&self.figure(units, 0, value)))
    }
    fn figure(&self, units: Units, at: usize, value: f64) -> format::Figure {
        self.series
            .get(at)
            .map_or_else(format::missing, |(series, _)| words::charted(units, &series.metric, series.unit, value))
    }
    /// What the chart says, in a sentence.
    pub fn finding(&self, units: Units, clock: Clock) -> String {
        let noun = self.panel.noun;
        let Some((first, _)) = self.series.first() else { return format!("{noun}: nobody brings it") };
        if self.series.iter().all(|(series, _)| series.buckets.is_empty()) {
            return format!("{noun}: nothing was read in this time");
        }
        if self.panel.says == Says::HowOften {
            return self.how_often(clock);
        }
        let (Some(mean), Some(most)) = (mean(&first.buckets), most(&first.buckets)) else {
            return format!("{noun}: nothing was read in this time, only what it is beside");
        };
        let figure = |value| self.figure(units, 0, value);
        let (mean_words, most_words) = (figure(mean).to_string(), figure(most.max).to_string());
        let at = self.time(clock, most.start_ms);
        let level = if mean_words == most_words {
            format!("{noun} stays at {mean_words}")
        } else {
            format!("{noun}: {mean_words} in the mean, {most_words} at most, at {at}")
        };
        // What it might be at just that time: a limit may be lowered and raised again.
        let limit = self.series.get(1).and_then(|(limit, _)| {
            let then = limit.buckets.partition_point(|bucket| bucket.start_ms <= most.start_ms).checked_sub(1)?;
            Some(limit.buckets[then].mean())
        });
        let level = match (self.panel.says, limit.filter(|limit| *limit > 0.0)) {
            (Says::OfLimit, Some(limit)) => {
                format!("{level}, {} of what it might be then", format::percent(most.max / limit))
            }
            (Says::OfLimit, None) | (Says::Level | Says::HowOften, _) => level,
        };
        let mut said = vec![level];
        if let Some(before) = self::mean(&first.previous) {
            let change = format::relative_change((mean - before) / before.abs().max(f64::MIN_POSITIVE));
            said.push(if change.is_empty() { "as before".to_owned() } else { format!("{change} on the time before") });
        }
        let silent = silent_ms(first, self.step_ms);
        if silent > 0 {
            let silent = format::duration(Span::from_seconds((silent / 1000) as f64));
            said.push(format!("not read for {silent} of it"));
        }
        said.join("; ")
    }
    fn how_often(&self, clock: Clock) -> String {
        let step_s = self.step_ms as f64 / 1000.0;
        let came = |series: &ChartSeries| series.buckets.iter().map(Bucket::mean).sum::<f64>() * step_s;
        let parts: Vec<String> = self
            .series
            .iter()
            .filter(|(series, _)| came(series) >= 0.5)
            .map(|(series, _)| {
                format!("{} {}", format::many(came(series).round() as u64), words::mid_sentence(&series.words))
            })
            .collect();
        let most = self.series.iter().filter_map(|(series, _)| most(&series.buckets));
        match most.max_by(|left, right| left.max.total_cmp(&right.max)) {
            Some(most) if !parts.is_empty() => {
                format!("{}; the most at {}", parts.join(", "), self.time(clock, most.start_ms))
            }
            _ => format!("No {} in this time", self.panel.noun),
        }
    }
    /// A time as closely as the chart needs it.
    pub fn time(&self, clock: Clock, at_ms: i64) -> String {
        let told = if self.to_ms - self.from_ms > 86_400_000 { Told::DayAndMinutes } else { Told::Seconds };
        format::clock_time((clock.shift)(at_ms), told)
    }
    /// The moment at a share of the time that is shown.
    pub fn moment(&self, share: f64) -> i64 {
        self.from_ms + ((self.to_ms - self.from_ms) as f64 * share.clamp(0.0, 1.0)) as i64
    }
    /// What every series was at a moment, in words.
    pub fn reading(&self, units: Units, clock: Clock, at_ms: i64) -> String {
        let one = |(at, (series, _)): (usize, &(ChartSeries, Role))| {
            let value = bucket_at(&series.buckets, at_ms, self.step_ms)
                .map_or_else(|| format::MISSING.to_owned(), |bucket| self.bucket_words(units, at, bucket));
            let before = bucket_at(&series.previous, at_ms, self.step_ms)
                .map_or_else(String::new, |before| format!(" (before {})", self.figure(units, at, before.mean())));
            format!("{} {value}{before}", series.words)
        };
        let all = std::iter::once(self.time(clock, at_ms)).chain(self.series.iter().enumerate().map(one));
        all.collect::<Vec<String>>().join(" · ")
    }
    /// The mean of a bucket of a series, with its ends where they differ from it.
    pub fn bucket_words(&self, units: Units, at: usize, bucket: &Bucket) -> String {
        let figure = |value| self.figure(units, at, value).to_string();
        let (mean, low, high) = (figure(bucket.mean()), figure(bucket.min), figure(bucket.max));
        if low == mean && high == mean { mean } else { format!("{mean} ({low} to {high})") }
    }
    /// The same as a table: the beginning of each row, and what each series was in it. Rows with nothing are left out.
    pub fn table(&self) -> Vec<(i64, Vec<Option<Bucket>>)> {
        let steps = ((self.to_ms - self.from_ms) / self.step_ms / ROWS + 1).max(1);
        let width = steps * self.step_ms;
        let mut rows: Vec<(i64, Vec<Option<Bucket>>)> = Vec::new();
        for (at, (series, _)) in self.series.iter().enumerate() {
            for bucket in &series.buckets {
                let start = bucket.start_ms.div_euclid(width) * width;
                let place = rows.partition_point(|(other, _)| *other < start);
                if rows.get(place).is_none_or(|(other, _)| *other != start) {
                    rows.insert(place, (start, vec![None; self.series.len()]));
                }
                if let Some(cell) = rows.get_mut(place).and_then(|(_, cells)| cells.get_mut(at)) {
                    *cell = Some(cell.map_or(*bucket, |held| held.and(*bucket)));
                }
            }
        }
        rows
    }
}

/// The mean of all readings; none where there are none.
fn mean(buckets: &[Bucket]) -> Option<f64> {
    let count: f64 = buckets.iter().map(|bucket| f64::from(bucket.count)).sum();
    let sum: f64 = buckets.iter().map(|bucket| bucket.sum).sum();
    (count > 0.0).then(|| sum / count)
}

fn most(buckets: &[Bucket]) -> Option<&Bucket> {
    buckets.iter().max_by(|left, right| left.max.total_cmp(&right.max))
}

/// The bucket that a moment is in.
fn bucket_at(buckets: &[Bucket], at_ms: i64, step_ms: i64) -> Option<&Bucket> {
    let after = buckets.partition_point(|bucket| bucket.start_ms <= at_ms);
    buckets.get(after.checked_sub(1)?).filter(|bucket| at_ms < bucket.start_ms + step_ms)
}

/// How long nothing was read between the first and the last reading.
fn silent_ms(series: &ChartSeries, step_ms: i64) -> i64 {
    let longest = series.gap_ms.max(step_ms);
    let pauses = series.buckets.windows(2).map(|pair| pair[1].start_ms - pair[0].start_ms);
    pauses.filter(|pause| *pause > longest).map(|pause| pause - step_ms).sum()
}

#[cfg(test)]
mod tests {
    use super::super::time::UTC;
    use super::*;
    use model::metric::Unit;
    use proptest::prelude::*;

    fn series(metric: &str, words: &str, unit: Unit, buckets: Vec<Bucket>) -> ChartSeries {
        ChartSeries {
            metric: metric.into(),
            words: words.into(),
            unit,
            buckets,
            previous: Vec::new(),
            gap_ms: 30_000,
            last_is_partial: false,
            planned: None,
        }
    }

    fn data(series: Vec<ChartSeries>) -> ChartData {
        ChartData { from_ms: 0, to_ms: 3_600_000, step_ms: 10_000, series, annotations: Vec::new() }
    }

    fn gpu() -> FleetPlace {
        FleetPlace::Gpu("n1".into(), "0".into())
    }

    fn said(series: Vec<ChartSeries>) -> String {
        let all = drawn(&gpu(), &data(series));
        all.first().unwrap().finding(Units::Si, UTC).replace('\u{202f}', " ")
    }

    #[test]
    fn a_chart_says_how_much_when_and_of_what() {
        let power = |at: i64, value: f64| Bucket::of(at * 10_000, value);
        let limit = series("gpu_power_limit_watts", "Power limit", Unit::Watt, vec![power(0, 700.0)]);
        let found = vec![power(0, 600.0), power(1, 686.0), power(2, 604.0)];
        let board = series("gpu_power_watts", "Board power", Unit::Watt, found);
        assert_eq!(
            said(vec![board.clone(), limit]),
            "Board power: 630 W in the mean, 686 W at most, at 00:00:10, 98.0 % of what it might be then"
        );
        let before = ChartSeries { previous: vec![power(0, 700.0)], ..board };
        assert!(said(vec![before]).ends_with("; −10.0 % on the time before"));
    }

    #[test]
    fn gaps_are_told_and_nothing_is_told_as_nothing() {
        let found = vec![Bucket::of(0, 600.0), Bucket::of(10_000, 600.0), Bucket::of(100_000, 600.0)];
        let board = series("gpu_power_watts", "Board power", Unit::Watt, found);
        assert_eq!(said(vec![board]), "Board power stays at 600 W; not read for 1 min 20 s of it");
        let none = series("gpu_power_watts", "Board power", Unit::Watt, vec![]);
        assert_eq!(said(vec![none]), "Board power: nothing was read in this time");
    }

    #[test]
    fn errors_are_counted() {
        let name = "gpu_ecc_corrected_total";
        let none = series(name, "Memory errors corrected", Unit::Count, vec![Bucket::of(0, 0.0)]);
        assert_eq!(said(vec![none]), "No errors in this time");
        let some = vec![Bucket::of(0, 0.0), Bucket::of(10_000, 0.4)];
        let some = series(name, "Memory errors corrected", Unit::Count, some);
        assert_eq!(said(vec![some]), "4 memory errors corrected; the most at 00:00:10");
    }

    #[test]
    fn the_pointer_reads_every_series_and_misses_are_misses() {
        let board = series(
            "gpu_power_watts",
            "Board power",
            Unit::Watt,
            vec![Bucket { start_ms: 0, min: 590.0, max: 640.0, sum: 1224.0, count: 2 }],
        );
        let all = drawn(&gpu(), &data(vec![board]));
        let read = |at| all[0].reading(Units::Si, UTC, at).replace('\u{202f}', " ");
        assert_eq!(read(5_000), "00:00:05 · Board power 612 W (590 W to 640 W)");
        assert_eq!(read(15_000), "00:00:15 · Board power —");
    }

    #[test]
    fn metrics_are_asked_for_once_and_known() {
        let places = [gpu(), FleetPlace::Rack("A".into()), FleetPlace::Engine("e".into()), FleetPlace::Fleet];
        for place in places {
            let all = requests(&place, When::default(), 3_600_000);
            assert!(all.iter().all(|request| (1..=AT_ONCE).contains(&request.metrics.len())));
            let mut asked: Vec<String> = all.into_iter().flat_map(|request| request.metrics).collect();
            let all = asked.len();
            asked.sort_unstable();
            asked.dedup();
            assert_eq!(asked.len(), all);
            assert!(panels(&place).iter().all(|panel| panel.metrics.len() <= 5));
        }
    }

    proptest! {
        #[test]
        fn law_a_table_holds_every_reading(starts in proptest::collection::btree_set(0_i64..360, 0..200)) {
            let found: Vec<Bucket> = starts.iter().map(|at| Bucket::of(at * 10_000, *at as f64)).collect();
            let all = drawn(&gpu(), &data(vec![series("gpu_power_watts", "Board power", Unit::Watt, found)]));
            let table = all[0].table();
            let count: u32 = table.iter().filter_map(|(_, cells)| cells[0]).map(|bucket| bucket.count).sum();
            let sum: f64 = table.iter().filter_map(|(_, cells)| cells[0]).map(|bucket| bucket.sum).sum();
            prop_assert_eq!(count as usize, starts.len());
            prop_assert!((sum - starts.iter().sum::<i64>() as f64).abs() < 1e-6);
            prop_assert!(table.len() <= ROWS as usize + 1 && table.is_sorted_by_key(|(start, _)| *start));
        }
    }
}
