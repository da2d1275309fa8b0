//! Live values over a time: the mean as a line in the band from least to greatest, gaps as gaps, what happened as marks and
//! regions, the plan and the time before laid over it.

use crate::canvas::{Anchor, Canvas, draw};
use crate::ink::Ink;
use model::fleet::Annotation;
use model::reading::Bucket;

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 224.0;
/// Room for a mark of the axis with its unit.
const LEFT: f64 = 108.0;
const RIGHT: f64 = WIDTH - 8.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = HEIGHT - 24.0;
/// Room for a letter of a name, more than most need.
const LETTER: f64 = 6.8;
/// Height of a label.
const LABEL: f64 = 13.0;
/// Width of a moment's mark.
const MARK: f64 = 4.0;

/// The shares of the picture's width between which time runs.
pub const PLOT: (f64, f64) = (LEFT / WIDTH, RIGHT / WIDTH);

/// What a line is about, and so which colour it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Electric power.
    Power,
    /// Temperatures.
    Heat,
    /// Tokens, and the work that makes them.
    Tokens,
    /// A limit, or what there is in all.
    Limit,
    /// A fourth line.
    Fourth,
    /// A fifth.
    Fifth,
}

impl Role {
    pub(crate) fn ink(self) -> Ink {
        match self {
            Self::Power => Ink::Power,
            Self::Heat => Ink::Heat,
            Self::Tokens => Ink::Tokens,
            Self::Limit => Ink::TextSoft,
            Self::Fourth => Ink::Money,
            Self::Fifth => Ink::Carbon,
        }
    }
}

/// One line.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// What it is called on the picture.
    pub name: &'a str,
    /// What it is about.
    pub role: Role,
    /// Its buckets, in time.
    pub buckets: &'a [Bucket],
    /// The same of the time before, moved here.
    pub previous: &'a [Bucket],
    /// The longest silence that is no gap, milliseconds.
    pub gap_ms: i64,
    /// Whether the last bucket is not over yet.
    pub last_is_partial: bool,
    /// The plan's figure.
    pub planned: Option<f64>,
}

/// Lines over one time, all in one unit.
#[derive(Debug, Clone, Copy)]
pub struct Lines<'a> {
    /// From when, milliseconds since 1970 UTC.
    pub from_ms: i64,
    /// Until when.
    pub to_ms: i64,
    /// Width of a bucket.
    pub step_ms: i64,
    /// The lines.
    pub lines: &'a [Line<'a>],
    /// What happened.
    pub annotations: &'a [Annotation],
    /// Where the axis of time is marked, and with what.
    pub marks: &'a [(i64, String)],
    /// Whether the axis of values begins at zero.
    pub from_zero: bool,
}

/// Where things stand.
struct Frame {
    from_ms: i64,
    to_ms: i64,
    low: f64,
    high: f64,
}

impl Frame {
    fn across(&self, at_ms: i64) -> f64 {
        let span = (self.to_ms - self.from_ms).max(1) as f64;
        let share = ((at_ms - self.from_ms) as f64 / span).clamp(0.0, 1.0);
        LEFT + (RIGHT - LEFT) * share
    }
    fn up(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low).max(f64::MIN_POSITIVE);
        BOTTOM - (BOTTOM - TOP) * share.clamp(0.0, 1.0)
    }
}

/// Lines over a time, entitled; `words` puts a mark of the axis into words.
pub fn lines_in_time(chart: &Lines<'_>, title: &str, words: &dyn Fn(f64) -> String) -> String {
    let marks = value_marks(chart);
    let (low, high) = (marks.first().copied().unwrap_or(0.0), marks.last().copied().unwrap_or(1.0));
    let frame = Frame { from_ms: chart.from_ms, to_ms: chart.to_ms, low, high };
    draw(WIDTH, HEIGHT, title, |canvas| {
        for mark in &marks {
            let y = frame.up(*mark);
            canvas.line(&[(LEFT, y), (RIGHT, y)], Ink::Line, 1.0);
            canvas.words(&words(*mark), (LEFT - 8.0, y), Anchor::End, Ink::TextSoft);
        }
        for (at_ms, words) in chart.marks {
            let x = frame.across(*at_ms);
            canvas.line(&[(x, BOTTOM), (x, BOTTOM + 4.0)], Ink::TextSoft, 1.0);
            let half = words.chars().count() as f64 * LETTER / 2.0;
            canvas.words(words, (x.clamp(half, WIDTH - half), BOTTOM + 14.0), Anchor::Middle, Ink::TextSoft);
        }
        for annotation in chart.annotations {
            happened(canvas, &frame, annotation);
        }
        for line in chart.lines {
            one(canvas, &frame, chart.step_ms, line);
        }
        if chart.lines.iter().all(|line| line.buckets.is_empty()) {
            let middle = (f64::midpoint(LEFT, RIGHT), f64::midpoint(TOP, BOTTOM));
            canvas.words("nothing was read in this time", middle, Anchor::Middle, Ink::TextSoft);
        }
        legend(canvas, chart.lines);
        planned(canvas, &frame, chart.lines, words);
    })
}

/// Round values that hold every band and plan.
fn value_marks(chart: &Lines<'_>) -> Vec<f64> {
    let buckets = chart.lines.iter().flat_map(|line| line.buckets.iter().chain(line.previous));
    let ends = buckets.flat_map(|bucket| [bucket.min, bucket.max]);
    let all = ends.chain(chart.lines.iter().filter_map(|line| line.planned)).filter(|value| value.is_finite());
    let (low, high) = all.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return vec![0.0, 1.0];
    }
    let low = if chart.from_zero { low.min(0.0) } else { low };
    if chart.from_zero && high <= 0.0 && low >= 0.0 {
        return vec![0.0, 1.0];
    }
    // One value alone is in the middle of something.
    let room = (high - low).max(if chart.from_zero { 0.0 } else { high.abs() * 0.01 }).max(1e-9);
    round_between(low, low + room)
}

/// Round steps that reach from below `low` to above `high`, three to six of them.
fn round_between(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / 4.0;
    let decade = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].iter().map(|k| k * decade).find(|s| *s >= rough).unwrap_or(decade * 10.0);
    let (first, last) = ((low / step + 1e-9).floor() as i64, (high / step - 1e-9).ceil() as i64);
    (first..=last.max(first + 1)).map(|at| at as f64 * step).collect()
}

/// A moment as a mark, a stretch as a region; what needs attention by colour and by a filled mark.
fn happened(canvas: &Canvas<'_>, frame: &Frame, annotation: &Annotation) {
    let end = annotation.end_ms.unwrap_or(annotation.start_ms);
    if end < frame.from_ms || annotation.start_ms > frame.to_ms {
        return;
    }
    let ink = if annotation.severe { Ink::Error } else { Ink::Note };
    let (x0, x1) = (frame.across(annotation.start_ms), frame.across(end));
    if annotation.end_ms.is_some() {
        let x1 = x1.max(x0 + 1.0);
        canvas.polygon(&[(x0, TOP), (x1, TOP), (x1, BOTTOM), (x0, BOTTOM)], ink, 0.12);
        canvas.line(&[(x0, TOP), (x1, TOP)], ink, 2.0);
    }
    // What began before the picture does has no mark of its beginning.
    if annotation.start_ms < frame.from_ms {
        return;
    }
    canvas.line(&[(x0, TOP), (x0, BOTTOM)], ink, 1.0);
    let foot = [(x0 - MARK, TOP - 2.0 * MARK), (x0 + MARK, TOP - 2.0 * MARK), (x0, TOP)];
    if annotation.severe {
        canvas.polygon(&foot, ink, 1.0);
    } else {
        canvas.line(&[foot[0], foot[1], foot[2], foot[0]], ink, 1.0);
    }
}

/// Stretches of buckets without a gap between them.
fn stretches(buckets: &[Bucket], gap_ms: i64, step_ms: i64) -> Vec<&[Bucket]> {
    let longest = gap_ms.max(step_ms);
    buckets.chunk_by(|one, next| next.start_ms - one.start_ms <= longest).collect()
}

fn one(canvas: &Canvas<'_>, frame: &Frame, step_ms: i64, line: &Line<'_>) {
    let ink = line.role.ink();
    // A bucket stands for its whole time, so it is drawn in its middle.
    let across = |bucket: &Bucket| frame.across((bucket.start_ms + step_ms / 2).min(frame.to_ms));
    let mean = |bucket: &Bucket| (across(bucket), frame.up(bucket.mean()));
    for stretch in stretches(line.previous, line.gap_ms, step_ms) {
        let points: Vec<_> = stretch.iter().map(mean).collect();
        canvas.faint_line(&points, ink, 1.0, 0.55);
    }
    for stretch in stretches(line.buckets, line.gap_ms, step_ms) {
        let mut band: Vec<_> = stretch.iter().map(|bucket| (across(bucket), frame.up(bucket.max))).collect();
        band.extend(stretch.iter().rev().map(|bucket| (across(bucket), frame.up(bucket.min))));
        if stretch.len() > 1 {
            canvas.polygon(&band, ink, 0.22);
        }
        let mut points: Vec<_> = stretch.iter().map(mean).collect();
        let is_last = line.buckets.last().map(|last| last.start_ms) == stretch.last().map(|last| last.start_ms);
        if is_last && line.last_is_partial && points.len() > 1 {
            let unfinished = points.split_off(points.len() - 2);
            dashed(canvas, &unfinished, ink, (4.0, 3.0));
            points.extend(unfinished.first());
        }
        match points.as_slice() {
            // What was read once between two gaps is still seen.
            [(x, y)] => canvas.rectangle((x - 1.5, y - 1.5), (x + 1.5, y + 1.5), ink),
            points => canvas.line(points, ink, 1.5),
        }
    }
}

/// A line of dashes: so long, so far apart.
fn dashed(canvas: &Canvas<'_>, points: &[(f64, f64)], ink: Ink, (on, off): (f64, f64)) {
    let mut walked = 0.0;
    for pair in points.windows(2) {
        let &[(x0, y0), (x1, y1)] = pair else { continue };
        let length = (x1 - x0).hypot(y1 - y0);
        let mut at = 0.0;
        while at < length {
            let phase = walked % (on + off);
            let until = if phase < on { at + on - phase } else { at + on + off - phase };
            let end = until.min(length).max(at + 1e-3);
            if phase < on {
                let point = |at: f64| (x0 + (x1 - x0) * at / length, y0 + (y1 - y0) * at / length);
                canvas.line(&[point(at), point(end)], ink, 1.5);
            }
            walked += end - at;
            at = end;
        }
    }
}

/// Names of the lines, in their colours.
fn legend(canvas: &Canvas<'_>, lines: &[Line<'_>]) {
    let mut x = LEFT;
    let mut y = 8.0;
    for line in lines {
        let wide = 26.0 + LETTER * line.name.chars().count() as f64;
        if x > LEFT && x + wide > RIGHT {
            (x, y) = (LEFT, y + 15.0);
        }
        canvas.rectangle((x, y - 1.5), (x + 14.0, y + 1.5), line.role.ink());
        canvas.words(line.name, (x + 19.0, y), Anchor::Start, Ink::Text);
        x += wide + 8.0;
    }
}

/// The plan's figures as labelled lines in the colours of what they are planned for.
fn planned(canvas: &Canvas<'_>, frame: &Frame, lines: &[Line<'_>], words: &dyn Fn(f64) -> String) {
    let mut labels = Vec::new();
    for line in lines {
        let Some(value) = line.planned.filter(|value| value.is_finite()) else { continue };
        let y = frame.up(value);
        dashed(canvas, &[(LEFT, y), (RIGHT, y)], line.role.ink(), (7.0, 4.0));
        let below = if y - TOP < 16.0 { 9.0 } else { -8.0 };
        labels.push((y + below, format!("planned {}", words(value))));
    }
    labels.sort_by(|(left, _), (right, _)| left.total_cmp(right));
    for (y, label) in apart(labels, LABEL) {
        canvas.words(&label, (RIGHT, y), Anchor::End, Ink::Text);
    }
}

/// Labels from the top down, each moved below the one before where they would touch.
fn apart(labels: Vec<(f64, String)>, height: f64) -> Vec<(f64, String)> {
    let mut free = f64::MIN;
    let place = |(y, label): (f64, String)| {
        let y = y.max(free);
        free = y + height;
        (y, label)
    };
    labels.into_iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(starts: &[i64]) -> Vec<Bucket> {
        starts.iter().map(|at| Bucket { start_ms: *at, min: 590.0, max: 640.0, sum: 1224.0, count: 2 }).collect()
    }

    #[test]
    fn a_gap_is_a_gap_and_a_missing_bucket_within_it_is_none() {
        let all = buckets(&[0, 10, 20, 50, 60, 200]);
        let found: Vec<usize> = stretches(&all, 30, 10).iter().map(|stretch| stretch.len()).collect();
        assert_eq!(found, [5, 1]);
        // Buckets wider than the longest silence follow each other without a gap.
        let wide = buckets(&[0, 300, 600, 1200]);
        let found: Vec<usize> = stretches(&wide, 30, 300).iter().map(|stretch| stretch.len()).collect();
        assert_eq!(found, [3, 1]);
    }

    #[test]
    fn labels_do_not_touch() {
        let labels = [(40.0, "a"), (45.0, "b"), (90.0, "c")].map(|(y, label)| (y, label.to_owned()));
        let placed: Vec<f64> = apart(labels.to_vec(), 13.0).into_iter().map(|(y, _)| y).collect();
        assert_eq!(placed, [40.0, 53.0, 90.0]);
    }

    #[test]
    fn marks_are_round_and_hold_what_they_are_for() {
        assert_eq!(round_between(0.0, 690.0), [0.0, 200.0, 400.0, 600.0, 800.0]);
        assert_eq!(round_between(41.0, 77.0), [40.0, 50.0, 60.0, 70.0, 80.0]);
        assert_eq!(round_between(-3.0, 3.0).first(), Some(&-4.0));
        for (low, high) in [(0.0, 1e-9), (1e9, 1.01e9), (0.999, 1.0)] {
            let marks = round_between(low, high);
            assert!(marks.len() < 8 && marks[0] <= low && *marks.last().unwrap() >= high * (1.0 - 1e-9), "{marks:?}");
        }
    }

    #[test]
    fn what_is_out_of_sight_is_not_drawn_and_what_reaches_in_is() {
        let region = |start_ms, end_ms| Annotation { start_ms, end_ms, words: "grid event".into(), severe: false };
        let drawn = |annotations: &[Annotation]| {
            let chart = Lines {
                from_ms: 1_000,
                to_ms: 2_000,
                step_ms: 10,
                lines: &[],
                annotations,
                marks: &[],
                from_zero: true,
            };
            lines_in_time(&chart, "t", &|value| value.to_string())
        };
        let nothing = drawn(&[]);
        assert_eq!(drawn(&[region(0, Some(900)), region(2_100, None), region(900, None)]), nothing);
        assert_ne!(drawn(&[region(0, Some(1_200))]), nothing);
        assert_ne!(drawn(&[region(0, Some(9_000))]), nothing);
        assert!(nothing.contains("nothing was read"));
    }
}
