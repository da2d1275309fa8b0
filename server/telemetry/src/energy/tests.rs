use super::*;
use proptest::prelude::*;
use std::path::PathBuf;

fn samples(all: &[(i64, f64)]) -> Vec<Sample> {
    all.iter().map(|&(at_ms, value)| Sample { at_ms, value }).collect()
}

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-9 * left.abs().max(right.abs()).max(1.0)
}

fn partial(missing_ms: i64, why: &str) -> Validity {
    Validity::Partial { missing_ms, why: why.into() }
}

#[test]
fn borders_lie_on_the_line_between_their_neighbours() {
    let power = samples(&[(0, 100.0), (1_000, 200.0), (2_000, 200.0)]);
    let energy = of_power(&power, &Window::of(500, 1_500, 1_000));
    assert_eq!((energy.joules, energy.covered_ms, energy.validity), (87.5 + 100.0, 1_000, Validity::Valid));
}

#[test]
fn nothing_is_made_up_across_a_gap() {
    let power = samples(&[(0, 100.0), (1_000, 100.0), (5_000, 100.0), (6_000, 100.0)]);
    let energy = of_power(&power, &Window::of(0, 6_000, 1_000));
    assert_eq!((energy.joules, energy.covered_ms), (200.0, 2_000));
    assert_eq!(energy.validity, partial(4_000, "1 gap of more than 3 s"));
    let late = of_power(&power, &Window::of(-10_000, 20_000, 1_000));
    let why = "the first power reading comes 10 s after the window's begin; 1 gap of more than 3 s; \
        the last power reading comes 14 s before the window's end";
    assert_eq!(late.validity, partial(28_000, why));
    assert!(close(of_power(&power, &Window::of(2_000, 4_000, 1_000)).joules, 0.0));
}

#[test]
fn where_there_is_nothing_it_says_so() {
    let none = |all: &[(i64, f64)], to_ms| of_power(&samples(all), &Window::of(0, to_ms, 1_000)).validity;
    let why = |why: &str| Validity::None { why: why.into() };
    assert_eq!(none(&[], 5_000), why("fewer than two power readings in the window"));
    assert_eq!(none(&[(1_000, 5.0)], 5_000), why("fewer than two power readings in the window"));
    assert_eq!(none(&[(0, 5.0), (9_000, 5.0)], 5_000), why("no two power readings within 3 s of each other"));
    assert_eq!(none(&[(0, 5.0), (1_000, 5.0)], 0), why("the window is empty"));
    assert_eq!(increase(&[], &Window::of(0, 1, 1)).per_second(), None);
}

#[test]
fn a_counter_that_begins_anew_counts_from_zero() {
    let counter = samples(&[(0, 1_000.0), (1_000, 1_100.0), (2_000, 30.0), (3_000, 80.0)]);
    let rise = increase(&counter, &Window::of(0, 3_000, 1_000));
    assert_eq!((rise.amount, rise.resets, rise.covered_ms, rise.validity), (180.0, 1, 3_000, Validity::Valid));
    assert_eq!(rate(&counter, &Window::of(0, 3_000, 1_000)), Some(60.0));
}

#[test]
fn a_counter_knows_what_went_on_in_a_gap_unless_it_began_anew_there() {
    let whole = samples(&[(0, 100.0), (1_000, 110.0), (60_000, 410.0), (61_000, 420.0)]);
    let energy = of_counter(&whole, &Window::of(0, 61_000, 1_000));
    assert_eq!((energy.joules, energy.validity), (320.0, Validity::Valid));
    let half = of_counter(&whole, &Window::of(0, 30_500, 1_000));
    assert_eq!((half.joules, half.validity), (160.0, partial(29_500, "1 gap of more than 3 s")));
    let anew = samples(&[(0, 100.0), (1_000, 110.0), (60_000, 50.0), (61_000, 60.0)]);
    let energy = of_counter(&anew, &Window::of(0, 61_000, 1_000));
    assert_eq!((energy.joules, energy.validity), (70.0, partial(59_000, "1 gap of more than 3 s")));
}

#[test]
fn a_clock_that_is_set_back_counts_nothing_twice() {
    let power = [(0, 100.0), (1_000, 100.0), (2_000, 100.0), (500, 100.0), (1_500, 100.0), (2_500, 100.0)];
    let energy = of_power(&samples(&power), &Window::of(0, 2_500, 1_000));
    assert_eq!((energy.joules, energy.covered_ms), (250.0, 2_500));
    let counter = [(0, 100.0), (1_000, 200.0), (1_000, 200.0), (500, 300.0), (1_500, 400.0)];
    assert!(close(increase(&samples(&counter), &Window::of(0, 1_500, 1_000)).amount, 300.0));
    let wild = [(0, f64::NAN), (1, f64::INFINITY), (i64::MIN, 1.0), (i64::MAX, 1.0), (0, -5.0)];
    assert!(of_power(&samples(&wild), &Window::of(i64::MIN, i64::MAX, 1)).joules >= 0.0);
    assert!(increase(&samples(&wild), &Window::of(i64::MIN, i64::MAX, i64::MAX)).amount >= 0.0);
}

/// Hourly power and moments of an H100 host, as measured over most of two years, oldest first.
fn hourly() -> Option<Vec<(i64, f64, f64, f64)>> {
    let root = std::env::var("MILLWRIGHT_DATA")
        .map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(root.join("telemetry/biohpc_cbsugpu08_h100_hourly.tsv")) else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "the measured hours are missing");
        eprintln!("skipped: the measured hours are missing");
        return None;
    };
    let mut rows: Vec<(i64, f64, f64, f64)> = text
        .lines()
        .skip(1)
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let cell = |at: usize| cells.get(at)?.parse().ok();
            Some((hour_ms(cells.get(1)?)?, cell(2)?, cell(3)?, cell(4)?))
        })
        .collect();
    rows.sort_by_key(|row| row.0);
    Some(rows)
}

/// `2025-10-20 14:00:00.000`, taken as UTC.
fn hour_ms(text: &str) -> Option<i64> {
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day, hour) = (part(0..4)?, part(5..7)?, part(8..10)?, part(11..13)?);
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some((days * 24 + hour) * 3_600_000)
}

#[test]
fn agrees_with_the_hours_of_a_measured_host() {
    let Some(rows) = hourly() else { return };
    let power: Vec<Sample> = rows.iter().map(|&(at_ms, value, ..)| Sample { at_ms, value }).collect();
    let (from_ms, to_ms) = (power[0].at_ms, power[power.len() - 1].at_ms);
    let energy = of_power(&power, &Window::of(from_ms, to_ms, 3_600_000));
    assert!(energy.covered_ms > (to_ms - from_ms) / 2, "{energy:?}");
    let mean = energy.joules / (energy.covered_ms as f64 / 1e3);
    let expected = power.iter().map(|sample| sample.value).sum::<f64>() / power.len() as f64;
    eprintln!("{:.1} kWh, mean {mean:.1} W of {expected:.1} W, {:?}", energy.joules / 3.6e6, energy.validity);
    assert!((mean / expected - 1.0).abs() < 0.01, "{mean} W, and {expected} W on average");
    // Within what the host drew at least and at most.
    let bounds = |pick: fn(&(i64, f64, f64, f64)) -> f64| {
        let edge: Vec<Sample> = rows.iter().map(|row| Sample { at_ms: row.0, value: pick(row) }).collect();
        of_power(&edge, &Window::of(from_ms, to_ms, 3_600_000)).joules
    };
    assert!(bounds(|row| row.2) <= energy.joules && energy.joules <= bounds(|row| row.3));
}

prop_compose! {
    fn any_samples()(steps in prop::collection::vec((1_i64..6_000, 0.0..1e4_f64), 0..60)) -> Vec<Sample> {
        let mut at_ms = 0;
        steps.into_iter().map(|(step, value)| { at_ms += step; Sample { at_ms, value } }).collect()
    }
}

proptest! {
    #[test]
    fn law_a_split_window_has_the_same_sum(all in any_samples(), mut cuts in [-5_000_i64..300_000, -5_000..300_000, -5_000..300_000]) {
        cuts.sort_unstable();
        let of = |from, to| Window::of(from, to, 1_000);
        for method in [of_power, of_counter] {
            let (left, right) = (method(&all, &of(cuts[0], cuts[1])), method(&all, &of(cuts[1], cuts[2])));
            let whole = method(&all, &of(cuts[0], cuts[2]));
            prop_assert!(close(left.joules + right.joules, whole.joules), "{left:?} {right:?} {whole:?}");
            prop_assert!(whole.joules >= 0.0);
            prop_assert!((0..=cuts[2] - cuts[0]).contains(&whole.covered_ms));
        }
    }

    #[test]
    fn law_a_gap_never_adds_energy(all in any_samples(), from in 0_i64..200_000, length in 3_001_i64..50_000) {
        let fewer: Vec<Sample> =
            all.iter().copied().filter(|sample| !(from..from + length).contains(&sample.at_ms)).collect();
        let window = Window::of(-1, 400_000, 1_000);
        let holed = fewer.windows(2).all(|pair| !(pair[0].at_ms < from && pair[1].at_ms >= from) || pair[1].at_ms - pair[0].at_ms > 3_000);
        prop_assert!(holed);
        for method in [of_power, of_counter] {
            let (less, more) = (method(&fewer, &window).joules, method(&all, &window).joules);
            prop_assert!(less <= more + 1e-9 * more.max(1.0), "{less} {more}");
        }
    }

    #[test]
    fn law_counter_and_power_agree_on_a_ramp(low in 50.0..400.0_f64, rise in 0.0..2.0_f64, from in 0_i64..100_000, length in 60_000_i64..400_000) {
        // Power rises in a line for ten minutes; the counter is its integral, cut to whole millijoules as devices have it.
        let power: Vec<Sample> = (0..=600).map(|s| Sample { at_ms: s * 1_000, value: low + rise * s as f64 }).collect();
        let counter: Vec<Sample> = (0..=600)
            .map(|s| Sample { at_ms: s * 1_000, value: ((low * s as f64 + rise * (s * s) as f64 / 2.0) * 1e3).floor() / 1e3 })
            .collect();
        let window = Window::of(from, from + length, 1_000);
        let (a, b) = (of_power(&power, &window).joules, of_counter(&counter, &window).joules);
        prop_assert!((a / b - 1.0).abs() < 0.005, "{a} {b}");
    }

    #[test]
    fn law_any_samples_give_no_panic_and_nothing_negative(
        all in prop::collection::vec((any::<i64>(), any::<f64>()), 0..20), from in any::<i64>(), to in any::<i64>(), interval in any::<i64>(),
    ) {
        let all = samples(&all);
        prop_assert!(increase(&all, &Window::of(from, to, interval)).amount >= 0.0);
        let positive: Vec<Sample> = all.iter().map(|one| Sample { value: one.value.abs().min(1e9), ..*one }).collect();
        prop_assert!(of_power(&positive, &Window::of(from, to, interval)).joules >= 0.0);
    }
}
