use super::*;
use crate::kernel_log::tests::data;
use crate::kernel_log::{Clock, Parser};
use proptest::prelude::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

fn xid_at(at_ms: i64, host: &str, gpu: &str, code: u32, words: &str) -> FleetEvent {
    FleetEvent {
        at_ms,
        source: "log".into(),
        host: Some(host.into()),
        gpu: Some(gpu.into()),
        what: Happening::Xid { code, detail: None },
        message: format!("NVRM: Xid (PCI:0000:01:00): {code}, {words}"),
    }
}

fn on_a(errors: &[(i64, u32)]) -> Vec<FleetEvent> {
    errors.iter().map(|(at, code)| xid_at(*at, "a", "g0", *code, "words")).collect()
}

fn counts(bursts: &[Burst]) -> Vec<(u32, u32)> {
    bursts.iter().map(|burst| (burst.count, burst.sticky_suppressed)).collect()
}

#[test]
fn a_burst_ends_with_more_than_three_minutes_of_silence() {
    let together = bursts(&on_a(&[(0, 31), (180_000, 31), (360_000, 43)]), 540_000);
    assert_eq!((counts(&together), together[0].end_ms, together[0].closed), (vec![(3, 0)], 360_000, false));
    assert!(bursts(&on_a(&[(0, 31)]), 180_001)[0].closed);
    assert_eq!(counts(&bursts(&on_a(&[(0, 31), (180_001, 31)]), 0)), [(1, 0), (1, 0)]);
    let nodes = [xid_at(0, "a", "g", 31, ""), xid_at(1, "b", "g", 31, "")];
    assert_eq!(bursts(&nodes, 0).len(), 2, "each node has its own");
}

#[test]
fn errors_that_stick_are_left_out_within_three_hours_of_the_same() {
    let left = bursts(&on_a(&[(0, 119), (MINUTE, 119), (2 * HOUR, 119), (5 * HOUR, 119)]), 9 * HOUR);
    assert_eq!(counts(&left), [(1, 3)], "each is within three hours of the one before, the last exactly");
    assert_eq!(left[0].end_ms, 0, "what is left out keeps nothing open");
    assert_eq!(counts(&bursts(&on_a(&[(0, 79), (3 * HOUR + 1, 79)]), 9 * HOUR)), [(1, 0), (1, 0)]);
    let others = [xid_at(0, "a", "g0", 74, ""), xid_at(HOUR, "a", "g1", 74, ""), xid_at(2 * HOUR, "a", "g0", 95, "")];
    assert_eq!(counts(&bursts(&others, 9 * HOUR)), [(1, 0), (1, 0), (1, 0)], "another GPU, another number");
    assert_eq!(counts(&bursts(&on_a(&[(0, 31), (HOUR, 31)]), 9 * HOUR)), [(1, 0), (1, 0)], "31 does not stick");
}

#[test]
fn agrees_with_the_capture_of_xid_119() {
    let Some(text) = data("telemetry/gpud/dmesg_xid119.log") else { return };
    let mut parser = Parser::of("log", Some("xe9680"), Clock::default());
    let events: Vec<FleetEvent> = text.lines().filter_map(|line| parser.line(line.as_bytes(), 0)).collect();
    let found = bursts(&events, i64::MAX);
    assert_eq!(counts(&found), [(1, 4)]);
    assert_eq!((found[0].action, found[0].decided_by, found[0].disrupts_jobs), (XidAction::ResetGpu, 119, true));
    assert_eq!((found[0].host.as_str(), found[0].gpus.len()), ("xe9680", 1));
}

#[test]
fn the_greatest_action_stands_unless_xid_154_names_it() {
    let of = |errors: &[(i64, u32)]| {
        let all = bursts(&on_a(errors), 0);
        (all[0].action, all[0].decided_by)
    };
    assert_eq!(of(&[(0, 13), (1, 79), (2, 94)]), (XidAction::RestartHost, 79));
    assert_eq!(of(&[(0, 46), (1, 62)]), (XidAction::ResetGpu, 46), "the lowest of equals");
    assert_eq!(of(&[(0, 999)]), (XidAction::ContactSupport, 999));
    let asks = |at: i64, gpu: &str, to: &str| {
        xid_at(at, "a", gpu, 154, &format!("GPU recovery action changed from 0x0 (None) to {to}"))
    };
    let with = |asked: Vec<FleetEvent>| {
        let all = bursts(&[on_a(&[(0, 79), (1, 999)]), asked].concat(), 0);
        (all[0].action, all[0].decided_by)
    };
    assert_eq!(with(vec![asks(2, "g0", "0x1 (GPU Reset Required)")]), (XidAction::ResetGpu, 154));
    let later = vec![
        asks(2, "g0", "0x2 (Node Reboot Required)"),
        asks(3, "g0", "0x1 (GPU Reset Required)"),
        asks(1, "g1", "0x0 (None)"),
    ];
    assert_eq!(with(later), (XidAction::ResetGpu, 154), "the last of each GPU, the greatest of the node");
    assert_eq!(with(vec![asks(2, "g0", "")]), (XidAction::ContactSupport, 999), "without words it decides nothing");
    let mut told = asks(2, "g0", "");
    (told.what, told.message) = (Happening::Xid { code: 154, detail: Some("Drain and Reset".into()) }, String::new());
    assert_eq!(with(vec![told]), (XidAction::DrainAndReset, 154), "the source may name it where it hands on no words");
}

#[test]
fn memory_errors_with_a_remap_drain_first() {
    let of = |errors: &[(i64, u32)]| bursts(&on_a(errors), 0)[0].action;
    assert_eq!(of(&[(0, 48)]), XidAction::ResetGpu);
    assert_eq!(of(&[(0, 48), (1, 63)]), XidAction::DrainAndReset);
    assert_eq!(of(&[(0, 64), (1, 48), (2, 171)]), XidAction::DrainAndReset);
    assert_eq!(of(&[(0, 45)]), XidAction::Workflow);
    assert_eq!(of(&[(0, 45), (1, 63)]), XidAction::Ignore, "a cleanup that another error explains");
    let elsewhere = [xid_at(0, "a", "g0", 48, ""), xid_at(1, "a", "g1", 63, "")];
    assert_eq!(bursts(&elsewhere, 0)[0].action, XidAction::ResetGpu, "the remap is on another GPU");
}

#[test]
fn what_ends_programs_disrupts_jobs() {
    let of = |code: u32| bursts(&on_a(&[(0, code)]), 0)[0].disrupts_jobs;
    for code in [13, 31, 43, 45, 48, 79, 94, 95, 119, 154, 999] {
        assert!(of(code), "{code}");
    }
    for code in [14, 54, 63, 92, 121, 157] {
        assert!(!of(code), "{code}");
    }
}

#[test]
fn codes_come_with_the_most_severe_first() {
    let all = bursts(&on_a(&[(0, 63), (1, 31), (2, 79), (3, 31)]), 0);
    let codes: Vec<(u32, u32)> = all[0].codes.iter().map(|code| (code.meaning.code, code.count)).collect();
    assert_eq!(codes, [(79, 1), (31, 2), (63, 1)]);
}

fn rules(events: &[FleetEvent], now_ms: i64) -> Vec<(HealthRule, Option<String>, XidAction)> {
    remarks(events, now_ms).into_iter().map(|remark| (remark.rule, remark.gpu, remark.action)).collect()
}

#[test]
fn errors_that_come_back_on_one_gpu_are_remarked() {
    let five: Vec<(i64, u32)> = (0..5).map(|nth| (nth * HOUR, 94)).collect();
    assert_eq!(
        rules(&on_a(&five), 5 * HOUR),
        [(HealthRule::RepeatedOnSameGpu, Some("g0".into()), XidAction::ContactSupport)]
    );
    assert_eq!(rules(&on_a(&five[..4]), 5 * HOUR), []);
    assert_eq!(rules(&on_a(&five), 24 * HOUR + 1), [], "the first is more than a day ago");
    assert_eq!(remarks(&on_a(&five), 5 * HOUR)[0].bursts, 5);
}

#[test]
fn page_faults_tell_hardware_from_programs() {
    let fault = |at: i64, gpu: &str| xid_at(at, "a", gpu, 31, "MMU Fault");
    assert_eq!(
        rules(&[fault(0, "g0")], 1),
        [(HealthRule::SoloApplicationError, Some("g0".into()), XidAction::CheckSoftware)]
    );
    assert_eq!(
        rules(&[fault(0, "g0"), fault(HOUR, "g0")], HOUR),
        [(HealthRule::Xid31OnSameGpu, Some("g0".into()), XidAction::RunDiagnostics)]
    );
    assert_eq!(
        rules(&[fault(0, "g0"), fault(HOUR, "g1")], HOUR),
        [(HealthRule::Xid31OnSeveralGpus, None, XidAction::CheckSoftware)]
    );
}

#[test]
fn exceptions_on_the_same_processors_may_be_hardware() {
    let at = |at: i64, place: &str| {
        xid_at(at, "a", "g0", 13, &format!("Graphics SM Warp Exception on (GPC {place}, SM 0): Illegal"))
    };
    let of = |events: &[FleetEvent]| rules(events, 2 * HOUR).into_iter().map(|(rule, ..)| rule).collect::<Vec<_>>();
    assert_eq!(of(&[at(0, "7, TPC 3"), at(HOUR, "7, TPC 3")]), [HealthRule::Xid13OnSameProcessors]);
    assert_eq!(of(&[at(0, "7, TPC 3"), at(HOUR, "7, TPC 4")]), [HealthRule::Xid13Elsewhere]);
    assert_eq!(of(&[at(0, "7, TPC 3"), at(1, "7, TPC 3")]), [], "one crash says it more than once");
    assert_eq!(of(&[at(0, "7, TPC 3")]), [HealthRule::SoloApplicationError]);
}

#[test]
fn links_memory_and_cleanups_are_remarked() {
    let link =
        xid_at(0, "a", "g0", 74, "NVLink: fatal error detected on link 6(0x10000, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0)");
    let found = remarks(&[link], 1);
    assert!(found[0].rule == HealthRule::NvlinkRegisters && found[0].words.contains("seat"), "{found:?}");
    let of = |errors: &[(i64, u32)]| rules(&on_a(errors), 1).into_iter().map(|(rule, ..)| rule).collect::<Vec<_>>();
    assert_eq!(of(&[(0, 48), (1, 63)]), [HealthRule::DoubleBitWithRemap]);
    assert_eq!(of(&[(0, 45)]), [HealthRule::SoloCleanup]);
    assert_eq!(of(&[(0, 45), (1, 48)]), []);
}

#[test]
fn a_storm_takes_the_room_of_its_length() {
    let mut live = Bursts::default();
    let mut storm: Vec<FleetEvent> = (0..50_000_i64)
        .map(|at| {
            xid_at(
                at * 20,
                "a",
                ["g0", "g1"][usize::from(at % 2 == 0)],
                [31, 119, 94][usize::try_from(at % 3).unwrap()],
                "",
            )
        })
        .collect();
    storm.push(xid_at(5_000_000, "a", "g0", 119, ""));
    for event in &storm {
        live.push(event);
    }
    assert!(live.nodes["a"].errors.len() <= 2 * FOLD_FROM, "{}", live.nodes["a"].errors.len());
    assert_eq!(live.all(0), bursts(&storm, 0));
    assert_eq!(u64::from(live.all(0)[0].count) + u64::from(live.all(0)[0].sticky_suppressed), 50_001);
}

#[test]
fn old_bursts_are_let_go_of() {
    let mut live = Bursts::default();
    for day in 0..30 {
        live.push(&xid_at(day * 24 * HOUR, "a", "g0", 79, ""));
        assert_eq!(
            live.tick(day * 24 * HOUR + 1).bursts.len(),
            if day == 0 { 1 } else { 2 },
            "the one before is closed"
        );
        assert!(live.nodes["a"].errors.len() <= 2);
    }
    assert_eq!(live.tick(40 * 24 * HOUR).bursts.iter().map(|burst| burst.closed).collect::<Vec<_>>(), [true]);
    assert!(live.nodes.is_empty());
}

#[test]
fn a_late_event_may_join_two_bursts() {
    let mut live = Bursts::default();
    for event in on_a(&[(0, 31), (5 * MINUTE, 31)]) {
        live.push(&event);
    }
    assert_eq!(live.tick(5 * MINUTE).bursts.len(), 2);
    live.push(&on_a(&[(3 * MINUTE, 13)])[0]);
    let changed = live.tick(5 * MINUTE);
    assert_eq!((counts(&changed.bursts), changed.joined), (vec![(3, 0)], vec![("a".to_owned(), 5 * MINUTE)]));
    assert_eq!(live.tick(5 * MINUTE), Changed::default(), "nothing is told twice");
}

fn any_event(span: i64) -> impl Strategy<Value = FleetEvent> {
    let code = prop::sample::select(vec![13_u32, 31, 43, 45, 48, 63, 74, 79, 94, 95, 109, 119, 154, 999]);
    let words = prop::sample::select(vec![
        "words",
        "changed from 0x0 (None) to 0x1 (GPU Reset Required)",
        "to 0x2 (Node Reboot Required)",
        "on (GPC 1, TPC 2, SM 0)",
    ]);
    (0..span, prop::bool::weighted(0.7), 0..2_usize, 0..2_usize, code, words).prop_map(
        |(at, near, host, gpu, code, words)| {
            // Near multiples of the gap, where it matters.
            let at = if near { at / GAP_MS * GAP_MS + at % 2 } else { at };
            xid_at(at, ["a", "b"][host], ["g0", "g1"][gpu], code, words)
        },
    )
}

/// What whoever listens to `tick` holds in the end.
fn heard(live: &mut Bursts, held: &mut BTreeMap<(String, i64), Burst>, now: i64) {
    let changed = live.tick(now);
    for key in changed.joined {
        held.remove(&key);
    }
    held.extend(changed.bursts.into_iter().map(|burst| ((burst.host.clone(), burst.start_ms), burst)));
}

proptest! {
    #[test]
    fn law_bursts_as_they_come_are_bursts_at_once(events in prop::collection::vec(any_event(12 * HOUR), 0..60), ticks in prop::collection::vec(0..12 * HOUR, 60)) {
        let (mut live, mut held, now) = (Bursts::default(), BTreeMap::new(), 14 * HOUR);
        for (event, at) in events.iter().zip(ticks) {
            live.push(event);
            if at % 3 == 0 {
                heard(&mut live, &mut held, at);
            }
        }
        heard(&mut live, &mut held, now);
        let mut all: Vec<Burst> = held.into_values().collect();
        sort(&mut all);
        prop_assert_eq!(&live.all(now), &bursts(&events, now));
        prop_assert_eq!(all, bursts(&events, now));
        prop_assert_eq!(live.remarks(now), remarks(&events, now));
    }

    #[test]
    fn law_bursts_over_many_days_are_bursts_at_once(mut events in prop::collection::vec(any_event(120 * HOUR), 0..200)) {
        events.sort_by_key(|event| event.at_ms);
        let (mut live, mut held) = (Bursts::default(), BTreeMap::new());
        for event in &events {
            live.push(event);
            heard(&mut live, &mut held, event.at_ms);
        }
        heard(&mut live, &mut held, 240 * HOUR);
        let mut all: Vec<Burst> = held.into_values().collect();
        sort(&mut all);
        prop_assert_eq!(all, bursts(&events, 240 * HOUR));
        prop_assert!(live.nodes.is_empty());
    }

    #[test]
    fn law_order_does_not_matter_and_every_error_counts_once(events in prop::collection::vec(any_event(4 * HOUR), 0..60), seed in 0..1_000_usize) {
        let mut other = events.clone();
        let len = other.len().max(1);
        other.rotate_left(seed % len);
        other.reverse();
        let found = bursts(&events, 0);
        prop_assert_eq!(&found, &bursts(&other, 0));
        let counted: u32 = found.iter().map(|burst| burst.count + burst.sticky_suppressed).sum();
        prop_assert_eq!(counted as usize, events.len());
        for burst in &found {
            prop_assert_eq!(burst.codes.iter().map(|code| code.count).sum::<u32>(), burst.count);
        }
        for pair in found.windows(2).filter(|pair| pair[0].host == pair[1].host) {
            prop_assert!(pair[1].start_ms - pair[0].end_ms > GAP_MS);
        }
    }

    #[test]
    fn law_folding_changes_no_answer(mut events in prop::collection::vec(any_event(2 * HOUR), 0..120)) {
        events.sort_by_key(|event| event.at_ms);
        let mut nodes = by_node(&events);
        nodes.values_mut().for_each(Log::fold);
        let live = Bursts { nodes, ..Bursts::default() };
        prop_assert_eq!(live.all(0), bursts(&events, 0));
    }

    #[test]
    fn law_no_time_makes_bursts_panic(times in prop::collection::vec(any::<i64>(), 0..12), now in any::<i64>()) {
        let events: Vec<FleetEvent> = times.iter().map(|at| xid_at(*at, "a", "g0", 119, "")).collect();
        bursts(&events, now);
        remarks(&events, now);
        let mut live = Bursts::default();
        for event in &events {
            live.push(event);
        }
        live.tick(now);
    }
}
