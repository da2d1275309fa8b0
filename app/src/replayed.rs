//! What a replay says: its charts over one time, with findings, readings and tables, and how sure it is. Components only
//! show it.

use crate::components::chart::Readings;
use crate::format::{self, Figure};
use chart::{Line, Lines, PLOT, Role, lines_in_time};
use model::design::Precision;
use model::fleet::Annotation;
use model::quantity::{Power, Span};
use model::reading::Bucket;
use model::replay::{
    Foretelling, MadeUpKind, Measured, ReplayAlso, ReplayChange, ReplayCreate, ReplayDetail, ReplayEvent,
    ReplayOutcome, ReplaySetup, ReplaySummary, ReplaySureness, ReplayTier, RequestSource, Routing,
};

/// Rows of a chart's table, so that it can be read.
const ROWS: usize = 24;
/// Points of a line; what was between is in the band around it.
const POINTS: usize = 160;
/// Marks of the axis of time.
const MARKS: u32 = 5;
/// Microseconds in a second: the axis of time in a picture, so that a replay of a moment has room.
const MICRO: f64 = 1e6;

/// A replay that is worth beginning with: it fits, and nearly fills its fleet.
pub fn first_asked() -> ReplayCreate {
    ReplayCreate {
        name: String::new(),
        setup: ReplaySetup {
            gpu: "h100-sxm".into(),
            model: "llama-3.1-70b".into(),
            precision: Precision::Fp8,
            engine: "vllm".into(),
            tensor: 4,
            data: 1,
            expert: 1,
            replicas: 4,
            also: Vec::new(),
            prefill_replicas: 0,
            routing: Routing::LeastLoaded,
            prefix_cache: true,
            host_cache: None,
            disk_cache: None,
            autoscale: false,
            predictor: Foretelling::Constant,
            power_cap_w: None,
            requests_max: None,
            step_tokens_max: None,
            ttft_ms: 2_000.0,
            tpot_ms: 50.0,
            seed: 1,
            events: Vec::new(),
        },
        requests: RequestSource::MadeUp { kind: MadeUpKind::Chat, requests_per_s: 20.0, count: 6_000, seed: 1 },
    }
}

/// A chart of a replay.
#[derive(Debug, Clone)]
pub struct ReplayChart {
    /// What it is about, for its heading in lists of charts.
    pub noun: &'static str,
    /// The finding, as a sentence without its full stop.
    pub title: String,
    /// The picture.
    pub svg: String,
    /// What it says under the pointer.
    pub readings: Readings,
    /// Names of the table's columns, after the time.
    pub head: Vec<&'static str>,
    /// Rows: the time, and a figure for each column.
    pub rows: Vec<(String, Vec<String>)>,
}

/// One line of a chart.
pub(crate) struct Drawn<'a> {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    pub(crate) values: &'a [f64],
}

/// What all charts of a replay share: so long, in parts of such a width, with what happened.
#[derive(Clone, Copy)]
pub(crate) struct Time<'a> {
    pub(crate) span_s: f64,
    pub(crate) bin_s: f64,
    pub(crate) happened: &'a [Annotation],
}

/// The fleet over time.
pub fn fleet_charts(outcome: &ReplayOutcome, setup: &ReplaySetup) -> Vec<ReplayChart> {
    let series = &outcome.series;
    let happened = happened(setup, outcome.span_s, |_| true);
    let time = Time { span_s: outcome.span_s, bin_s: series.bin_s, happened: &happened };
    let drawn = |name, role, values| Drawn { name, role, values };
    let mut charts = vec![
        chart(
            "Requests",
            requests_found(outcome, time),
            time,
            &[drawn("running", Role::Tokens, &series.running), drawn("waiting", Role::Heat, &series.waiting)],
            format::mean_count,
        ),
        chart(
            "KV memory",
            format!("KV memory is {} full at most", format::percent(most(&series.kv_use))),
            time,
            &[drawn("in use, of all replicas", Role::Fourth, &series.kv_use)],
            format::percent,
        ),
        chart(
            "Tokens",
            format!(
                "{} of output tokens on average, {} at most",
                format::token_rate(outcome.output_tokens_per_s),
                format::token_rate(most(&series.output_tokens_per_s))
            ),
            time,
            &[drawn("output tokens", Role::Tokens, &series.output_tokens_per_s)],
            format::token_rate,
        ),
        chart(
            "Prompts",
            format!("Prompts are read at up to {}", format::token_rate(most(&series.prompt_tokens_per_s))),
            time,
            &[drawn("prompt tokens", Role::Fifth, &series.prompt_tokens_per_s)],
            format::token_rate,
        ),
        chart(
            "Power",
            format!(
                "GPU boards draw {} on average, {} at most",
                watts(outcome.energy.mean_w),
                watts(most(&series.power_w))
            ),
            time,
            &[drawn("all GPU boards", Role::Power, &series.power_w)],
            watts,
        ),
    ];
    if setup.autoscale {
        let (low, high) = (least(&series.replicas_on), most(&series.replicas_on));
        charts.push(chart(
            "Replicas",
            format!("The autoscaler keeps {} to {} replicas on", format::mean_count(low), format::mean_count(high)),
            time,
            &[drawn("replicas on", Role::Fifth, &series.replicas_on)],
            format::mean_count,
        ));
    }
    charts
}

/// The first replica over time; none where it did nothing.
pub fn replica_charts(outcome: &ReplayOutcome, setup: &ReplaySetup) -> Vec<ReplayChart> {
    let line = &outcome.timeline;
    if line.answering.is_empty() {
        return Vec::new();
    }
    let span_s = outcome.span_s.max(line.watched_s);
    let happened = happened(setup, span_s, |replica| replica.is_none_or(|replica| replica == 0));
    let time = Time { span_s, bin_s: line.bin_s, happened: &happened };
    vec![
        chart(
            "Batch",
            format!("The first replica answers up to {} requests in a step", whole(most(&line.answering))),
            time,
            &[Drawn { name: "requests being answered", role: Role::Tokens, values: &line.answering }],
            format::mean_count,
        ),
        chart(
            "Prompts",
            format!("The first replica reads prompts at up to {}", format::token_rate(most(&line.prompt_tokens_per_s))),
            time,
            &[Drawn { name: "prompt tokens", role: Role::Fifth, values: &line.prompt_tokens_per_s }],
            format::token_rate,
        ),
        chart(
            "Answers",
            format!("The first replica writes up to {}", format::token_rate(most(&line.output_tokens_per_s))),
            time,
            &[Drawn { name: "output tokens", role: Role::Tokens, values: &line.output_tokens_per_s }],
            format::token_rate,
        ),
        chart(
            "KV blocks",
            format!("The first replica fills {} KV blocks at most", format::many(most(&line.kv_blocks) as u64)),
            time,
            &[Drawn { name: "KV blocks in use", role: Role::Fourth, values: &line.kv_blocks }],
            |blocks| format::many(blocks as u64),
        ),
    ]
}

/// What happens to some replicas, as marks on an axis of microseconds: a failure until its return, a limit as a moment.
fn happened(setup: &ReplaySetup, span_s: f64, of: impl Fn(Option<u32>) -> bool) -> Vec<Annotation> {
    let micros = |seconds: f64| (seconds * MICRO) as i64;
    let returns = |event: &ReplayEvent| {
        let ends = |other: &&ReplayEvent| {
            other.change == ReplayChange::Returns
                && other.at_s >= event.at_s
                && (other.replica.is_none() || other.replica == event.replica)
        };
        setup.events.iter().filter(ends).map(|other| other.at_s).fold(span_s, f64::min)
    };
    let mark = |event: &ReplayEvent| {
        let (end_s, severe) = match event.change {
            ReplayChange::Fails => (Some(returns(event)), true),
            ReplayChange::Limit { .. } => (None, false),
            ReplayChange::Returns => return None,
        };
        let words = event_words(event);
        Some(Annotation { start_ms: micros(event.at_s), end_ms: end_s.map(micros), words, severe })
    };
    let seen = |event: &&ReplayEvent| event.at_s <= span_s && of(event.replica);
    setup.events.iter().filter(seen).filter_map(mark).collect()
}

/// What happens to a replica and when, in a few words.
pub fn event_words(event: &ReplayEvent) -> String {
    let whom = event.replica.map_or("every replica".to_owned(), |replica| format!("replica {replica}"));
    let what = match event.change {
        ReplayChange::Fails => "fails".to_owned(),
        ReplayChange::Returns => "returns".to_owned(),
        ReplayChange::Limit { watts: limit } => format!("is limited to {} a GPU", watts(limit)),
    };
    format!("after {} {whom} {what}", format::duration(Span::from_seconds(event.at_s)))
}

/// Where the blocks of prompts were found, in a few words; none where there is no cache but the GPUs'.
pub fn found_words(setup: &ReplaySetup, outcome: &ReplayOutcome) -> Option<String> {
    let found = outcome.found.filter(|_| setup.host_cache.is_some() || setup.disk_cache.is_some())?;
    let share = |part: u64| format::percent(part as f64 / found.blocks.max(1) as f64);
    let (gpus, host, disk) = (share(found.in_gpus), share(found.in_host), share(found.on_disk));
    Some(format!("of blocks {gpus} in the GPUs, {host} in host memory, {disk} on disk"))
}

fn requests_found(outcome: &ReplayOutcome, time: Time<'_>) -> String {
    let series = &outcome.series;
    let (running, waiting) = (most(&series.running), most(&series.waiting));
    let running = whole(running);
    if waiting < 0.5 {
        return format!("Up to {running} requests run at once, and hardly one waits");
    }
    let at = series.waiting.iter().position(|value| *value >= waiting).unwrap_or_default();
    let when = format::duration(Span::from_seconds((at as f64 + 0.5) * time.bin_s));
    format!("Up to {running} requests run at once; up to {} wait, after {when}", whole(waiting))
}

/// A number of things that are whole, and on average are not.
fn whole(count: f64) -> Figure {
    format::count(count.round() as u32)
}

fn watts(watts: f64) -> Figure {
    format::power(Power::from_watts(watts))
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min).min(most(values))
}

pub(crate) fn chart(
    noun: &'static str,
    title: String,
    time: Time<'_>,
    drawn: &[Drawn<'_>],
    words: fn(f64) -> Figure,
) -> ReplayChart {
    let span_us = (time.span_s * MICRO).max(1.0) as i64;
    let together = drawn.first().map_or(0, |line| line.values.len()).div_ceil(POINTS).max(1);
    let step_us = time.bin_s * MICRO * together as f64;
    let bucket = |(at, part): (usize, &[f64])| {
        let start = (at as f64 * step_us) as i64;
        part.iter().map(|value| Bucket::of(start, *value)).reduce(Bucket::and)
    };
    let buckets: Vec<Vec<Bucket>> =
        drawn.iter().map(|line| line.values.chunks(together).enumerate().filter_map(bucket).collect()).collect();
    let lines: Vec<Line<'_>> = drawn
        .iter()
        .zip(&buckets)
        .map(|(line, buckets)| Line {
            name: line.name,
            role: line.role,
            buckets,
            previous: &[],
            gap_ms: i64::MAX,
            last_is_partial: false,
            planned: None,
        })
        .collect();
    let marks = marks(time.span_s);
    let picture = Lines {
        from_ms: 0,
        to_ms: span_us,
        step_ms: step_us as i64,
        lines: &lines,
        annotations: time.happened,
        marks: &marks,
        from_zero: true,
    };
    let svg = lines_in_time(&picture, &title, &|value| format::axis::short(&words(value)));
    let (readings, rows) = (readings(time, drawn, words), rows(time, drawn, words));
    ReplayChart { noun, title, svg, readings, head: drawn.iter().map(|line| line.name).collect(), rows }
}

/// Round moments of a span, with their words.
fn marks(span_s: f64) -> Vec<(i64, String)> {
    const STEPS_MS: [i64; 23] = [
        10,
        20,
        50,
        100,
        200,
        500,
        1_000,
        2_000,
        5_000,
        10_000,
        30_000,
        60_000,
        120_000,
        300_000,
        600_000,
        1_800_000,
        3_600_000,
        7_200_000,
        14_400_000,
        43_200_000,
        86_400_000,
        172_800_000,
        864_000_000,
    ];
    let span_ms = (span_s * 1e3).max(1.0) as i64;
    let step = STEPS_MS.into_iter().find(|step| span_ms / step <= i64::from(MARKS)).unwrap_or(span_ms);
    let all = (0..=span_ms / step).map(|at| at * step);
    all.map(|ms| (ms * 1_000, if ms == 0 { "0".to_owned() } else { format::lasting(ms) })).collect()
}

fn readings(time: Time<'_>, drawn: &[Drawn<'_>], words: fn(f64) -> Figure) -> Readings {
    let count = drawn.first().map_or(0, |line| line.values.len());
    let said = |at: usize| {
        let when = format::duration(Span::from_seconds((at as f64 + 0.5) * time.bin_s));
        let lines = drawn.iter().filter_map(|line| Some(format!("{} {}", line.name, words(*line.values.get(at)?))));
        format!("after {when}: {}", lines.collect::<Vec<_>>().join(", "))
    };
    let share = |s: f64| PLOT.0 + (PLOT.1 - PLOT.0) * (s / time.span_s.max(1e-9)).min(1.0);
    Readings {
        from: share(time.bin_s / 2.0),
        to: share((count as f64 - 0.5) * time.bin_s),
        words: (0..count).map(said).collect(),
    }
}

fn rows(time: Time<'_>, drawn: &[Drawn<'_>], words: fn(f64) -> Figure) -> Vec<(String, Vec<String>)> {
    let count = drawn.first().map_or(0, |line| line.values.len());
    let together = count.div_ceil(ROWS).max(1);
    let row = |at: usize| {
        let when = format::duration(Span::from_seconds(at as f64 * time.bin_s));
        let figures = drawn.iter().map(|line| {
            let part = &line.values[at.min(line.values.len())..(at + together).min(line.values.len())];
            words(part.iter().sum::<f64>() / part.len().max(1) as f64).to_string()
        });
        (if at == 0 { "from the start".to_owned() } else { format!("from {when}") }, figures.collect())
    };
    (0..count).step_by(together).map(row).collect()
}

/// How sure the step times are, and what that does to the rest.
fn sureness(of: &ReplaySureness) -> (String, String) {
    let between = |low: f64, high: f64| {
        format!("{} below to {} above", format::percent((1.0 - low).max(0.0)), format::percent((high - 1.0).max(0.0)))
    };
    let known = match of.measured {
        Measured::Both => "This GPU and this model were measured, and the step times are fitted to it.",
        Measured::GpuAlone => {
            "This GPU was measured, but with other models: the step times are carried over by the model’s shape."
        }
        Measured::ModelAlone => {
            "This model was measured, but on other GPUs: the step times are predicted from this GPU’s specification."
        }
        Measured::Nothing => {
            "Neither this GPU nor this model was measured: the step times are predicted from their specifications."
        }
    };
    let reach = format!(
        "Nine in ten measured points like it lie {} the predicted time between tokens, and {} the predicted tokens per \
         second. Where the fleet is nearly full, queues make more of any error: replay it with fewer replicas to see how \
         close the edge is.",
        between(of.tpot_low, of.tpot_high),
        between(of.rate_low, of.rate_high)
    );
    (known.to_owned(), reach)
}

/// How sure the step times of each model are, in words, with the models of which that holds: none where one alone is served.
pub fn sure_of_each(outcome: &ReplayOutcome) -> Vec<(Vec<String>, String)> {
    let words = |of: &ReplaySureness, assumed: &Option<String>| {
        let (known, reach) = sureness(of);
        let assumed = assumed.as_ref().map(|assumed| format!(" Assumed: {assumed}.")).unwrap_or_default();
        format!("{known} {reach}{assumed}")
    };
    if outcome.models.is_empty() {
        return vec![(Vec::new(), words(&outcome.sureness, &outcome.assumed))];
    }
    let mut told: Vec<(Vec<String>, String)> = Vec::new();
    for served in &outcome.models {
        let own = words(&served.sureness, &served.assumed);
        match told.iter_mut().find(|(_, words)| *words == own) {
            Some((models, _)) => models.push(served.name.clone()),
            None => told.push((vec![served.name.clone()], own)),
        }
    }
    told
}

/// A way to pick a replica, short enough for a list to choose from.
pub fn router_words(routing: Routing) -> &'static str {
    match routing {
        Routing::Random => "by chance",
        Routing::RoundRobin => "in turn",
        Routing::LeastLoaded => "to the least loaded",
        Routing::PowerOfTwo => "to the better of two",
        Routing::Kv => "where the cache fits",
    }
}

/// Replicas of an earlier replay, short enough for a row: `4 × 4 × H100 SXM`.
pub fn fleet_words(replay: &ReplaySummary) -> String {
    if replay.models > 1 {
        let replicas = format::things(replay.replicas, "replica", "replicas");
        return format!("{replicas} of {} models, {} × {}", replay.models, format::count(replay.gpus), replay.gpu_name);
    }
    let each = replay.gpus / replay.replicas.max(1);
    let gpus = format!("{} × {}", format::count(each), replay.gpu_name);
    format!("{} of {gpus}", format::things(replay.replicas, "replica", "replicas"))
}

/// Engines by their names in commands and for people.
pub const ENGINES: [(&str, &str); 3] = [("vllm", "vLLM"), ("sglang", "SGLang"), ("trtllm", "TensorRT-LLM")];

/// What a replay was asked, line by line.
pub fn asked(detail: &ReplayDetail) -> Vec<(&'static str, String)> {
    let ReplayDetail { summary, setup, requests, .. } = detail;
    let engine =
        ENGINES.iter().find(|(name, _)| *name == setup.engine).map_or(setup.engine.as_str(), |(_, words)| words);
    let gpus = setup.tensor * setup.data;
    let replicas = format::things(setup.replicas, "replica", "replicas");
    let split = if setup.prefill_replicas == 0 {
        format!("{replicas} of {gpus} × {}", summary.gpu_name)
    } else {
        format!(
            "{replicas} of {gpus} × {}: {} compute prompts, {} answer",
            summary.gpu_name,
            format::count(setup.prefill_replicas),
            format::count(setup.replicas.saturating_sub(setup.prefill_replicas))
        )
    };
    let cap = setup.power_cap_w.map_or_else(|| "the board’s own".to_owned(), |cap| format!("{} a GPU", watts(cap)));
    let tier = |tier: Option<ReplayTier>| {
        tier.map_or("none".to_owned(), |tier| {
            let speed = format::bytes(tier.bytes_per_s);
            format!("{} of each replica, {speed}/s back to its GPUs", format::bytes(tier.size_bytes))
        })
    };
    let most = |limit: Option<u32>| {
        limit.map_or("as the engine sets it by the GPU’s memory".to_owned(), |most| format::count(most).to_string())
    };
    let events = setup.events.iter().map(event_words).collect::<Vec<_>>();
    let also = also_words(detail);
    let on_off = |on: bool| if on { "on" } else { "off" }.to_owned();
    let scaled =
        if setup.autoscale { format!("on, foretelling {}", setup.predictor.words()) } else { "off".to_owned() };
    vec![
        ("Requests", source_words(&requests.source, requests.count)),
        ("Model", format!("{}, {}", summary.model_name, setup.precision.words())),
        ("Fleet", split),
        ("Also serves", if also.is_empty() { "nothing else".to_owned() } else { also.join("; ") }),
        ("Engine", engine.to_owned()),
        ("Requests are sent", setup.routing.words().to_owned()),
        ("Prefix cache", on_off(setup.prefix_cache)),
        ("Cache in host memory", tier(setup.host_cache)),
        ("Cache on disk", tier(setup.disk_cache)),
        ("Autoscaler", scaled),
        ("Power limit", cap),
        ("Most requests at once in a replica", most(setup.requests_max)),
        ("Most tokens of a step", most(setup.step_tokens_max)),
        ("Meanwhile", if events.is_empty() { "nothing happens".to_owned() } else { events.join("; ") }),
        ("Targets", format!("first token within {}, then {} a token", target(setup.ttft_ms), target(setup.tpot_ms))),
        ("Seed", format!("{} of the router, program version {}", setup.seed, detail.program_version)),
    ]
}

/// Further models with their replicas and the numbers that these have.
fn also_words(detail: &ReplayDetail) -> Vec<String> {
    let ReplayDetail { summary, setup, outcome, .. } = detail;
    let mut next = setup.replicas;
    let mut words = Vec::new();
    for (at, also) in setup.also.iter().enumerate() {
        let last = next.saturating_add(also.replicas).saturating_sub(1);
        let numbers = if next == last { format!("number {next}") } else { format!("numbers {next} to {last}") };
        let name = outcome.models.get(at + 1).map_or(also.model.as_str(), |served| served.name.as_str());
        let replicas = format::things(also.replicas, "replica", "replicas");
        words.push(format!("{name} on {replicas} of {} × {}, {numbers}", also.tensor, summary.gpu_name));
        next = last.saturating_add(1);
    }
    words
}

/// Further models as the form takes them: separated by commas.
pub fn also_typed(also: &[ReplayAlso]) -> String {
    also.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Further models as they were typed.
///
/// # Errors
/// With the one that can't be read.
pub fn also_read(typed: &str) -> Result<Vec<ReplayAlso>, String> {
    let each = typed.split(',').map(str::trim).filter(|one| !one.is_empty());
    each.map(|one| one.parse().map_err(|why| format!("“{one}” {why}"))).collect()
}

/// A target as it was set: no digit more.
pub fn target(ms: f64) -> String {
    format::axis::short(&format::milliseconds(ms))
}

/// Where requests come from, in words.
pub fn source_words(source: &RequestSource, count: u32) -> String {
    let requests = format::things(count, "request", "requests");
    match source {
        RequestSource::MadeUp { kind, requests_per_s, seed, .. } => {
            let kind = match kind {
                MadeUpKind::Chat => "chat",
                MadeUpKind::Code => "code completion",
                MadeUpKind::AgentLoop => "agent loops",
            };
            format!("{requests}, made up: {kind} at {} by seed {seed}", format::per_second(*requests_per_s))
        }
        RequestSource::Text { name, .. } | RequestSource::Kept { name, .. } => format!("{requests} of {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_is_marked_at_round_moments() {
        let words = |span_s: f64| marks(span_s).into_iter().map(|(_, words)| words).collect::<Vec<_>>().join(" | ");
        assert_eq!(words(25.0), "0 | 5\u{202f}s | 10\u{202f}s | 15\u{202f}s | 20\u{202f}s | 25\u{202f}s");
        assert_eq!(words(3_600.0), "0 | 30\u{202f}min | 1\u{202f}h");
        assert_eq!(words(0.1), "0 | 0.02\u{202f}s | 0.04\u{202f}s | 0.06\u{202f}s | 0.08\u{202f}s | 0.10\u{202f}s");
    }

    #[test]
    fn a_chart_has_a_row_for_a_part_of_the_time_and_a_reading_for_each_bin() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let drawn = [Drawn { name: "running", role: Role::Tokens, values: &values }];
        let made = chart(
            "Requests",
            "t".into(),
            Time { span_s: 100.0, bin_s: 1.0, happened: &[] },
            &drawn,
            format::mean_count,
        );
        assert_eq!((made.rows.len(), made.readings.words.len()), (20, 100));
        assert_eq!(made.rows[1], ("from 5\u{202f}s".replace("5\u{202f}s", "5.00\u{202f}s"), vec!["7.00".to_owned()]));
        assert_eq!(made.readings.words[2], "after 2.50\u{202f}s: running 2.00");
        assert!(made.svg.contains("<svg"));
    }

    #[test]
    fn further_models_are_typed_with_commas_between() {
        let read = also_read(" llama-3.1-8b:1:2,qwen3-32b:2:1 , ").unwrap();
        assert_eq!(also_typed(&read), "llama-3.1-8b:1:2, qwen3-32b:2:1");
        assert_eq!(also_read(" "), Ok(Vec::new()));
        let said = also_read("llama-3.1-8b:1:2, qwen3-32b").unwrap_err();
        assert!(said.starts_with("“qwen3-32b” must be a model"), "{said}");
    }

    #[test]
    fn a_failure_is_marked_until_its_return_and_a_limit_as_a_moment() {
        let events = ["60:1:fails", "90:1:returns", "100:all:limit=400", "120:0:fails", "900:0:returns"];
        let events = events.map(|line| line.parse().unwrap()).to_vec();
        let setup = ReplaySetup { events, ..first_asked().setup };
        let marks = |of: fn(Option<u32>) -> bool| {
            let all = happened(&setup, 300.0, of).into_iter();
            all.map(|mark| (mark.start_ms / 1_000_000, mark.end_ms.map(|end| end / 1_000_000))).collect::<Vec<_>>()
        };
        assert_eq!(marks(|_| true), [(60, Some(90)), (100, None), (120, Some(300))]);
        assert_eq!(marks(|replica| replica.is_none_or(|at| at == 0)), [(100, None), (120, Some(300))]);
        assert_eq!(
            event_words(&setup.events[2]),
            "after 1\u{202f}min 40\u{202f}s every replica is limited to 400\u{202f}W a GPU"
        );
    }
}
