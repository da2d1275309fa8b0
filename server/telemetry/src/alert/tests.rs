use super::notify::{AGAIN_MS, AT_ONCE, SILENT_MS as TOLD_MS, WAIT_MS};
use super::*;
use model::alert::{Field, GroupBy, Matcher, Notification, Severity, Side};
use proptest::prelude::*;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;

fn gpu(node: &str, gpu: u32) -> Place {
    Place { hall: Some("h1".into()), rack: Some("r1".into()), node: Some(node.into()), gpu: Some(gpu.to_string()) }
}

fn node(node: &str) -> Place {
    Place { gpu: None, ..gpu(node, 0) }
}

fn rule(name: &str, watch: Watch, for_ms: i64) -> Rule {
    Rule {
        name: name.into(),
        severity: Severity::Critical,
        watch,
        for_ms,
        group: GroupBy::Rack,
        inhibits: name == "down",
        means: String::new(),
        otherwise: String::new(),
        todo: String::new(),
    }
}

fn hot(for_ms: i64) -> Rule {
    let when = Condition { side: Side::Above, fire: 90.0, clear: 85.0 };
    rule("hot", Watch::Metric { metric: Metric::GpuTemperature, of: None, when }, for_ms)
}

fn degrees(place: Place, value: f64) -> Signal {
    Signal { place, object: None, seen: Seen::Metric(Metric::GpuTemperature, value) }
}

fn node_down(place: Place) -> Signal {
    Signal { place, object: None, seen: Seen::Node { up: false } }
}

fn node_up(place: Place) -> Signal {
    Signal { seen: Seen::Node { up: true }, ..node_down(place) }
}

fn alerts(rules: Vec<Rule>) -> Alerts {
    Alerts::restore(rules, AlertMemory::default())
}

fn to(transitions: &[Transition]) -> Vec<AlertState> {
    transitions.iter().map(|transition| transition.step.to).collect()
}

fn key(rule: &str, place: Place) -> AlertKey {
    AlertKey { rule: rule.into(), place, object: None }
}

fn silence(id: &str, start_ms: i64, end_ms: i64, node: &str) -> Silence {
    let matchers = vec![Matcher { field: Field::Node, is: node.into() }];
    Silence { id: id.into(), matchers, start_ms, end_ms, owner: "ann".into(), note: "repair".into() }
}

#[test]
fn an_alert_waits_fires_and_is_resolved_over_its_own_threshold() {
    let mut all = alerts(vec![hot(MINUTE)]);
    let mut at = |seconds: i64, value: f64| to(&all.observe(seconds * SECOND, &[degrees(gpu("n", 0), value)]));
    assert_eq!(at(0, 90.0), []);
    assert_eq!(at(1, 91.0), [AlertState::Pending]);
    assert_eq!(at(60, 86.0), []);
    assert_eq!(at(61, 86.0), [AlertState::Firing]);
    assert_eq!(at(62, 84.0), [AlertState::Resolved]);
    assert_eq!(at(63, 89.0), []);
    assert_eq!(at(64, 91.0), [AlertState::Pending]);
    assert_eq!(at(65, 80.0), [AlertState::Resolved]);
    assert_eq!(at(66, f64::NAN), []);
}

#[test]
fn missing_data_are_not_health() {
    let mut all = alerts(vec![hot(MINUTE)]);
    all.observe(0, &[degrees(gpu("n", 0), 95.0)]);
    let pending = all.observe(6 * MINUTE, &[]);
    assert_eq!(
        (to(&pending), &pending[0].step.why),
        (vec![AlertState::Resolved], &Cause::NoData),
        "it never lasted as far as is known"
    );
    all.observe(7 * MINUTE, &[degrees(gpu("n", 0), 95.0)]);
    assert_eq!(to(&all.observe(9 * MINUTE, &[degrees(gpu("n", 0), 95.0)])), [AlertState::Firing]);
    assert_eq!(all.observe(9 * MINUTE + SILENT_MS, &[]), []);
    assert_eq!(all.observe(9 * MINUTE + SILENT_MS + 1, &[])[0].step.why, Cause::NoData);
}

#[test]
fn a_share_needs_both_of_its_values() {
    let when = Condition { side: Side::Above, fire: 1.05, clear: 1.02 };
    let mut all = alerts(vec![rule(
        "over",
        Watch::Metric { metric: Metric::GpuPower, of: Some(Metric::GpuPowerLimit), when },
        0,
    )]);
    let of = |metric, value| Signal { place: gpu("n", 0), object: None, seen: Seen::Metric(metric, value) };
    assert_eq!(all.observe(0, &[of(Metric::GpuPower, 800.0)]), [], "the limit is not known");
    let both = [of(Metric::GpuPower, 740.0), of(Metric::GpuPowerLimit, 700.0)];
    let fired = all.observe(1, &both);
    assert_eq!((to(&fired), fired[0].value), (vec![AlertState::Firing], Some(740.0 / 700.0)));
    assert_eq!(to(&all.observe(2, &[of(Metric::GpuPower, 700.0)])), [AlertState::Resolved]);
    assert_eq!(all.observe(3 + VALUE_LASTS_MS, &[of(Metric::GpuPower, 800.0)]), [], "the limit is too old");
    let none = [of(Metric::GpuPowerLimit, 0.0), of(Metric::GpuPower, 800.0)];
    assert_eq!(all.observe(4 + VALUE_LASTS_MS, &none), [], "of nothing there is no share");
}

#[test]
fn events_hold_until_their_time_or_their_opposite() {
    let lost = |at_ms, over| Signal {
        place: gpu("n", 0),
        object: None,
        seen: Seen::Event { kind: EventKind::GpuLost, at_ms, over },
    };
    let mut all = alerts(vec![rule("lost", Watch::Event { event: EventKind::GpuLost, hold_ms: MINUTE }, 0)]);
    assert_eq!(all.observe(10 * MINUTE, &[lost(8 * MINUTE, false)]), [], "it was over before it was read");
    assert_eq!(to(&all.observe(10 * MINUTE, &[lost(10 * MINUTE, false)])), [AlertState::Firing]);
    assert_eq!(all.observe(10 * MINUTE + 30_000, &[lost(10 * MINUTE + 30_000, false)]), []);
    assert_eq!(all.observe(11 * MINUTE + 29_999, &[]), []);
    assert_eq!(to(&all.observe(11 * MINUTE + 30_000, &[])), [AlertState::Resolved]);
    all.observe(20 * MINUTE, &[lost(20 * MINUTE, false)]);
    assert_eq!(to(&all.observe(20 * MINUTE + 1, &[lost(20 * MINUTE + 1, true)])), [AlertState::Resolved]);
}

#[test]
fn a_burst_fires_from_its_action_on() {
    let mut all = alerts(vec![rule("xid", Watch::Burst { at_least: XidAction::ResetGpu, hold_ms: MINUTE }, 0)]);
    let of = |action, end_ms| Signal { place: node("n"), object: None, seen: Seen::Burst { action, end_ms } };
    assert_eq!(all.observe(0, &[of(XidAction::RestartApp, 0)]), []);
    assert_eq!(to(&all.observe(0, &[of(XidAction::RestartHost, 0)])), [AlertState::Firing]);
    assert_eq!(all.observe(SECOND, &[of(XidAction::RestartApp, SECOND)]), [], "a milder one resolves nothing");
    assert_eq!(to(&all.observe(MINUTE, &[])), [AlertState::Resolved]);
}

#[test]
fn a_burst_is_over_when_its_gpus_are_back_or_its_host_started_again_and_a_new_error_fires_anew() {
    use crate::burst::Bursts;
    let event = |seconds: i64, gpu: Option<&str>, what: Happening| FleetEvent {
        at_ms: seconds * SECOND,
        source: "log".into(),
        host: Some("n".into()),
        gpu: gpu.map(Into::into),
        what,
        message: String::new(),
    };
    let xid = |seconds, gpu, code| event(seconds, Some(gpu), Happening::Xid { code, detail: None });
    // The driver's log knows a GPU by its address, whoever reads it by its id.
    let named = |_: &str, gpu: &str| gpu.replace("GPU-a", "0").replace("01:00", "0");
    let (mut bursts, mut all) = (
        Bursts::default(),
        alerts(vec![rule("xid", Watch::Burst { at_least: XidAction::ResetGpu, hold_ms: SILENT_MS }, 0)]),
    );
    let mut at = |seconds: i64, events: &[FleetEvent]| {
        for event in events {
            bursts.push(event);
        }
        bursts.tick(seconds * SECOND);
        let left = bursts.left(named);
        let signals: Vec<Signal> = left.iter().flat_map(|left| signals_of_bursts(left, &node("n"))).collect();
        to(&all.observe(seconds * SECOND, &signals))
    };
    let back = |seconds, gpu| event(seconds, Some(gpu), Happening::GpuBack);
    // GPU 2's error is the program's and calls for no reset: nobody waits for it.
    let errors = [xid(10, "01:00", 79), xid(11, "1", 79), xid(12, "2", 31)];
    assert_eq!(at(20, &errors), [AlertState::Firing]);
    assert_eq!(at(30, &[back(30, "GPU-a")]), [], "GPU 1 is not back");
    assert_eq!(at(40, &[back(5, "1")]), [], "that was before the error");
    assert_eq!(at(50, &[back(50, "1")]), [AlertState::Resolved]);
    assert_eq!(at(400, &[]), [], "that its burst closes changes nothing");
    assert_eq!(at(500, &[xid(500, "01:00", 79)]), [AlertState::Firing], "though the same error sticks");
    assert_eq!(at(600, &[event(600, None, Happening::HostRestarted)]), [AlertState::Resolved]);
    assert_eq!(at(700, &[xid(700, "1", 48), xid(590, "2", 79)]), [AlertState::Firing]);
}

#[test]
fn an_alert_is_about_the_burst_that_is_not_done_with() {
    use crate::burst::{Bursts, cause};
    let event = |at_ms: i64, gpu: &str, what: Happening| FleetEvent {
        at_ms,
        source: "log".into(),
        host: Some("n".into()),
        gpu: Some(gpu.into()),
        what,
        message: String::new(),
    };
    let mut bursts = Bursts::default();
    let xid = |code| Happening::Xid { code, detail: None };
    for (minute, gpu, what) in
        [(0, "0", xid(79)), (10, "1", xid(79)), (20, "2", xid(31)), (30, "1", Happening::GpuBack)]
    {
        bursts.push(&event(minute * MINUTE, gpu, what));
    }
    let (all, left) = (bursts.all(30 * MINUTE), bursts.left(|_, gpu| gpu.to_owned()));
    let start = |at_least| cause(&all, &left, "n", at_least).map(|burst| burst.start_ms);
    assert_eq!(start(XidAction::ResetGpu), Some(0), "GPU 1 is back, and a program's error is none");
    assert_eq!(start(XidAction::Ignore), Some(20 * MINUTE));
    assert_eq!((start(XidAction::ContactSupport), cause(&all, &left, "m", XidAction::Ignore)), (None, None));
}

#[test]
fn bits_fire_while_any_of_them_is_set_and_are_right_again_after_a_while_without() {
    let mut all = alerts(vec![rule(
        "heat",
        Watch::Bits { metric: Metric::GpuClockEvents, bits: 0x60, hold_ms: 5 * MINUTE },
        2 * MINUTE,
    )]);
    let seen = |bits: u32| Signal {
        place: gpu("n", 0),
        object: None,
        seen: Seen::Metric(Metric::GpuClockEvents, f64::from(bits)),
    };
    let mut at = |minutes: i64, bits: Option<u32>| {
        let signals: Vec<Signal> = bits.map(seen).into_iter().collect();
        to(&all.observe(minutes * MINUTE, &signals))
    };
    assert_eq!(at(0, Some(0x4)), [], "held down by power");
    assert_eq!(at(1, Some(0x24)), [AlertState::Pending]);
    assert_eq!(at(2, Some(0)), [AlertState::Resolved], "it did not last");
    assert_eq!(at(3, Some(0x40)), [AlertState::Pending]);
    assert_eq!(at(5, Some(0x20)), [AlertState::Firing]);
    assert_eq!(at(9, Some(0)), [], "it comes and goes");
    assert_eq!(at(60, None), [], "what is not read has not got right");
    assert_eq!(at(61, Some(0x20)), []);
    assert_eq!(at(65, Some(0)), []);
    assert_eq!(at(66, Some(0)), [AlertState::Resolved]);
}

#[test]
fn whoever_takes_an_alert_on_keeps_it_through_a_restart_until_it_is_over() {
    let mut all = alerts(vec![hot(0)]);
    let (place, at) = (gpu("n", 0), key("hot", gpu("n", 0)));
    assert_eq!(all.ack(0, &at, "ann", ""), Err(Error::NoAlert("hot · h1 · r1 · n · 0".into())));
    all.observe(0, &[degrees(place.clone(), 95.0)]);
    assert_eq!(to(&all.ack(1, &at, "ann", "on my way").unwrap()), [AlertState::Acked]);
    let text = serde_json::to_string(&all.memory()).unwrap();
    let mut all = Alerts::restore(vec![hot(0)], serde_json::from_str(&text).unwrap());
    assert_eq!(all.observe(2, &[degrees(place.clone(), 96.0)]), [], "nothing new after the restart");
    let ack = all.all().next().unwrap().ack.clone().unwrap();
    assert_eq!((ack.owner.as_str(), ack.note.as_str(), ack.at_ms), ("ann", "on my way", 1));
    assert_eq!(all.unack(3, &at).unwrap()[0].step.why, Cause::Unack { owner: "ann".into() });
    all.ack(4, &at, "bob", "").unwrap();
    assert_eq!(to(&all.observe(5, &[degrees(place.clone(), 20.0)])), [AlertState::Resolved]);
    assert_eq!(all.ack(6, &at, "bob", ""), Err(Error::NotActive(at.to_string())));
    assert_eq!(to(&all.observe(7, &[degrees(place, 95.0)])), [AlertState::Firing], "a new one is nobody's yet");
    let history: Vec<AlertState> = all.all().next().unwrap().history.iter().map(|step| step.to).collect();
    assert_eq!(
        history,
        [
            AlertState::Firing,
            AlertState::Acked,
            AlertState::Firing,
            AlertState::Acked,
            AlertState::Resolved,
            AlertState::Firing
        ]
    );
}

#[test]
fn a_silence_covers_and_ends() {
    let mut all = alerts(vec![hot(0)]);
    all.observe(0, &[degrees(gpu("n", 0), 95.0), degrees(gpu("m", 0), 95.0)]);
    assert_eq!(to(&all.silence(1, silence("s", 0, MINUTE, "n")).unwrap()), [AlertState::Silenced]);
    assert_eq!(all.observe(MINUTE, &[])[0].step.why, Cause::Uncovered);
    assert!(all.silences().is_empty());
    all.silence(MINUTE, silence("t", 0, 9 * MINUTE, "*")).unwrap();
    assert_eq!(all.all().filter(|alert| alert.state == AlertState::Silenced).count(), 2);
    assert_eq!(to(&all.end_silence(2 * MINUTE, "t").unwrap()), [AlertState::Firing; 2]);
    assert_eq!(all.end_silence(2 * MINUTE, "t"), Err(Error::NoSilence("t".into())));
    let none = Silence { matchers: Vec::new(), ..silence("u", 0, 9 * MINUTE, "n") };
    for bad in [
        none,
        silence("u", 9, 9, "n"),
        silence("u", 0, MINUTE, "n"),
        silence("", 0, 9 * MINUTE, "n"),
        silence("u", 0, i64::MAX, "n"),
    ] {
        assert!(all.silence(2 * MINUTE, bad.clone()).is_err(), "{bad:?}");
    }
}

#[test]
fn a_node_that_is_down_explains_its_gpus() {
    let mut all = alerts(vec![hot(0), rule("down", Watch::NodeDown, MINUTE), rule("source", Watch::SourceDown, 0)]);
    let source = Signal { place: node("n"), object: Some("agent".into()), seen: Seen::Source { up: false } };
    all.observe(0, &[degrees(gpu("n", 0), 95.0), degrees(gpu("m", 0), 95.0), source, node_down(node("n"))]);
    assert_eq!(
        all.all().filter(|alert| alert.state == AlertState::Firing).count(),
        3,
        "it is not down for long enough"
    );
    let changed = all.observe(MINUTE, &[]);
    let inhibited: Vec<&str> =
        changed.iter().filter(|one| one.step.to == AlertState::Inhibited).map(|one| one.key.rule.as_str()).collect();
    assert_eq!(inhibited, ["hot", "source"]);
    assert!(changed.iter().any(|one| one.key.rule == "down" && one.step.to == AlertState::Firing));
    let up = all.observe(2 * MINUTE, &[node_up(node("n"))]);
    assert_eq!(up.iter().filter(|one| one.step.why == Cause::Uncovered).count(), 2);
}

#[test]
fn an_alert_of_no_place_keeps_none_back() {
    let mut all = alerts(vec![hot(0), rule("down", Watch::NodeDown, 0)]);
    all.observe(0, &[degrees(gpu("n", 0), 95.0), node_down(Place::default())]);
    assert!(all.all().all(|alert| alert.state == AlertState::Firing));
}

#[test]
fn alerts_of_a_rule_that_is_gone_are_resolved() {
    let mut all = alerts(vec![hot(0)]);
    all.observe(0, &[degrees(gpu("n", 0), 95.0)]);
    assert_eq!(all.set_rules(1, Vec::new())[0].step.why, Cause::RuleGone);
    all.observe(2 * 3_600_000, &[]);
    assert_eq!(all.all().count(), 0);
}

#[test]
fn people_are_told_once_again_and_when_it_is_over() {
    let mut all = alerts(vec![hot(0)]);
    let place = gpu("n", 0);
    let firing = |told: &[Notification]| -> Vec<u32> { told.iter().map(Notification::firing).collect() };
    all.observe(0, &[degrees(place.clone(), 95.0)]);
    assert_eq!(firing(&all.notifications(WAIT_MS - 1)), [0_u32; 0]);
    let told = all.notifications(WAIT_MS);
    assert_eq!((firing(&told), group_name(&told[0])), (vec![1], r#"{alertname="hot",hall="h1",rack="r1"}"#.into()));
    assert_eq!(firing(&all.notifications(AGAIN_MS)), [0_u32; 0]);
    assert_eq!(firing(&all.notifications(2 * WAIT_MS + AGAIN_MS)), [1], "nobody has taken it on");
    all.ack(AGAIN_MS + MINUTE, &key("hot", place.clone()), "ann", "").unwrap();
    assert_eq!(firing(&all.notifications(3 * AGAIN_MS)), [0_u32; 0]);
    all.observe(3 * AGAIN_MS, &[degrees(place, 20.0)]);
    let over = all.notifications(3 * AGAIN_MS + WAIT_MS);
    assert_eq!((firing(&over), over[0].alerts.len()), (vec![0], 1));
    assert_eq!(all.notifications(9 * AGAIN_MS), []);
}

#[test]
fn one_that_is_over_does_not_make_its_group_look_so() {
    let mut all = alerts(vec![hot(0)]);
    all.observe(0, &[degrees(gpu("n", 0), 95.0), degrees(gpu("n", 1), 95.0), degrees(gpu("n", 2), 95.0)]);
    assert_eq!(all.notifications(WAIT_MS)[0].firing(), 3);
    all.ack(WAIT_MS, &key("hot", gpu("n", 1)), "ann", "").unwrap();
    all.observe(TOLD_MS, &[degrees(gpu("n", 0), 20.0)]);
    let told = all.notifications(TOLD_MS + WAIT_MS);
    assert_eq!((told[0].firing(), told[0].alerts.len()), (2, 3), "one is taken on, one still fires");
}

#[test]
fn what_is_silenced_is_not_told() {
    let mut all = alerts(vec![hot(0)]);
    all.silence(0, silence("s", 0, MINUTE, "n")).unwrap();
    all.observe(0, &[degrees(gpu("n", 0), 95.0)]);
    assert_eq!(all.notifications(30 * SECOND), []);
    all.observe(MINUTE, &[]);
    assert_eq!(all.notifications(MINUTE + WAIT_MS).len(), 1);
}

#[test]
fn ten_thousand_at_once_are_few_notifications() {
    let mut all = alerts(default_rules());
    let place = |nth: u32| Place {
        hall: Some(format!("h{}", nth / 2_500)),
        rack: Some(format!("r{}", nth / 72)),
        node: Some(format!("n{}", nth / 4)),
        gpu: Some(nth.to_string()),
    };
    let storm: Vec<Signal> = (0..10_000).map(|nth| degrees(place(nth), 99.0)).collect();
    let began = std::time::Instant::now();
    all.observe(0, &storm);
    let changed = all.observe(5 * MINUTE, &storm);
    let told = all.notifications(5 * MINUTE + WAIT_MS);
    eprintln!("20,000 alerts: {:?} for two observations and {} notifications", began.elapsed(), told.len());
    assert_eq!(changed.iter().filter(|one| one.step.to == AlertState::Firing).count(), 20_000, "two rules");
    assert!(!told.is_empty() && told.len() <= AT_ONCE, "{}", told.len());
    assert_eq!(told.iter().map(Notification::firing).sum::<u32>(), 20_000);
    assert_eq!(all.notifications(5 * MINUTE + 2 * WAIT_MS), []);
}

#[test]
fn the_rules_that_we_ship_each_say_what_to_do() {
    let rules = default_rules();
    for rule in &rules {
        for words in [&rule.means, &rule.otherwise, &rule.todo] {
            assert!(words.len() > 15 && !words.ends_with('.'), "{}: {words:?}", rule.name);
        }
    }
    let named = |name: &str| rules.iter().find(|rule| rule.name == name).unwrap();
    assert!(named("node-down").inhibits);
    assert_eq!(named("gpu-hot").for_ms, 2 * MINUTE);
    let heat = Watch::Bits { metric: Metric::GpuClockEvents, bits: 0x60, hold_ms: 5 * MINUTE };
    assert_eq!((&named("gpu-held-by-heat").watch, named("gpu-held-by-heat").for_ms), (&heat, 2 * MINUTE));
    assert_eq!(named("gpu-lost").watch, Watch::Event { event: EventKind::GpuLost, hold_ms: SILENT_MS });
    let below = Condition { side: Side::Below, fire: 0.85, clear: 0.9 };
    assert_eq!(named("tokens-below-plan").watch, Watch::Kpi { kpi: Kpi::TokensPerMwOfPlan, when: below });
}

#[test]
fn a_bad_rule_is_told_with_its_line_and_field() {
    let head = "[[rule]]\nname = \"a\"\nseverity = \"warning\"\n";
    for (text, expected) in [
        ("metric = \"gpu_temperature\"\nabove = 1", "r.toml:4: field metric: not the name of a metric"),
        (
            "metric = \"gpu_energy_joules_total\"\nabove = 1",
            "r.toml:4: rule \"a\": field metric: it only grows, so its latest value says nothing",
        ),
        (
            "metric = \"gpu_power_watts\"\nabove = 1\nclear = 2",
            "r.toml:6: rule \"a\": field clear: it must lie on the right side of above, which is 1",
        ),
        (
            "metric = \"gpu_power_watts\"\nbelow = 1\nclear = 0.5",
            "r.toml:6: rule \"a\": field clear: it must lie on the right side of below, which is 1",
        ),
        ("metric = \"gpu_power_watts\"\nabove = nan", "r.toml:5: rule \"a\": field above: it must be a number"),
        ("metric = \"gpu_power_watts\"", "r.toml:2: rule \"a\": field above or below: one of them is needed"),
        (
            "metric = \"gpu_power_watts\"\nabove = 1\nbelow = 2",
            "r.toml:6: rule \"a\": field below: a rule has above or below, not both",
        ),
        (
            "event = \"leak\"\nmetric = \"rack_leak\"\nabove = 1",
            "r.toml:2: rule \"a\": exactly one of metric, kpi, source, node, event and burst is watched",
        ),
        (
            "event = \"leak\"\nabove = 1",
            "r.toml:5: rule \"a\": field above: only a metric or a figure of the fleet has thresholds",
        ),
        (
            "source = \"down\"\nfor = \"2 minutes\"",
            "r.toml:5: rule \"a\": field for: \"2 minutes\" is no time: write 90s, 2m, 1h or 7d, 30 days at most",
        ),
        (
            "source = \"down\"\nhold = \"2m\"",
            "r.toml:5: rule \"a\": field hold: only an event, a burst or bits are held",
        ),
        (
            "metric = \"gpu_power_watts\"\nbits = 1",
            "r.toml:5: rule \"a\": field bits: only a metric that is a code has bits",
        ),
        (
            "metric = \"gpu_clock_event_reasons\"\nbits = 1\nabove = 1",
            "r.toml:5: rule \"a\": field bits: they stand alone: without of, above, below and clear",
        ),
        (
            "metric = \"gpu_clock_event_reasons\"\nbits = 0",
            "r.toml:5: rule \"a\": field bits: one of them at least must be watched",
        ),
        ("source = \"up\"", "r.toml:4: field source: unknown variant `up`, expected `down`"),
        ("source = \"down\"\nfro = \"1m\"", "r.toml:5: field fro: unknown field `fro`, expected one of"),
        ("source = \"down\"\nfor = \"é\"", "r.toml:5: rule \"a\": field for"),
        ("source = ", "r.toml:4: "),
    ] {
        let problems = parse_rules("r.toml", &format!("{head}{text}\n")).unwrap_err();
        assert!(problems[0].to_string().starts_with(expected), "{text}\n{}\n{expected}", problems[0]);
    }
    let twice = format!("{head}source = \"down\"\n{head}source = \"down\"\n");
    assert_eq!(
        parse_rules("r.toml", &twice).unwrap_err()[0].to_string(),
        "r.toml:6: rule \"a\": field name: it comes twice"
    );
    assert_eq!(parse_rules("r.toml", "").unwrap(), []);
}

#[test]
fn a_users_rule_takes_the_place_of_ours() {
    let own = parse_rules(
        "r.toml",
        "[[rule]]\nname = \"gpu-hot\"\nseverity = \"critical\"\nmetric = \"gpu_temperature_celsius\"\nabove = 70\n",
    )
    .unwrap();
    let all = rules::with(default_rules(), own);
    assert_eq!(
        all.iter().filter(|rule| rule.name == "gpu-hot").map(|rule| rule.severity).collect::<Vec<_>>(),
        [Severity::Critical]
    );
    assert_eq!(all.len(), default_rules().len());
}

#[derive(Debug, Clone)]
enum Deed {
    Value(f64),
    Wait(i64),
    Ack,
    Unack,
    Silence(i64),
    EndSilence,
    Node(bool),
    Restart,
}

fn any_deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (80..95_i32).prop_map(|value| Deed::Value(value.into())),
        4 => (0..90_i64).prop_map(|seconds| Deed::Wait(seconds * SECOND)),
        1 => Just(Deed::Wait(6 * MINUTE)),
        1 => Just(Deed::Ack),
        1 => Just(Deed::Unack),
        1 => (1..200_i64).prop_map(|seconds| Deed::Silence(seconds * SECOND)),
        1 => Just(Deed::EndSilence),
        1 => any::<bool>().prop_map(Deed::Node),
        1 => Just(Deed::Restart),
    ]
}

/// What an alert should be, said as shortly as can be: a flag and a time for each thing that bears on it.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "one flag for each thing that bears on it is the point")]
struct Reference {
    now: i64,
    hot_since: Option<i64>,
    heard: i64,
    lasted: bool,
    acked: bool,
    silent_until: i64,
    down: bool,
    ever: bool,
}

impl Reference {
    fn deed(&mut self, deed: &Deed) {
        match deed {
            Deed::Value(value) => {
                self.heard = self.now;
                match self.hot_since {
                    None if *value > 90.0 => self.hot_since = Some(self.now),
                    Some(_) if *value < 85.0 => self.hot_since = None,
                    None | Some(_) => {}
                }
            }
            Deed::Wait(ms) => self.now += ms,
            Deed::Ack => self.acked |= self.lasted,
            Deed::Unack => self.acked = false,
            Deed::Silence(ms) => self.silent_until = self.now + ms,
            Deed::EndSilence => self.silent_until = self.now,
            Deed::Node(up) => self.down = !up,
            Deed::Restart => {}
        }
        if !self.lasted && self.now - self.heard > VALUE_LASTS_MS {
            self.hot_since = None;
        }
        self.lasted = self.hot_since.is_some_and(|since| self.now - since >= MINUTE);
        self.acked &= self.lasted;
        self.ever |= self.hot_since.is_some();
    }
    fn state(&self) -> AlertState {
        match self {
            Self { hot_since: None, .. } => AlertState::Resolved,
            Self { lasted: false, .. } => AlertState::Pending,
            _ if self.now < self.silent_until => AlertState::Silenced,
            Self { down: true, .. } => AlertState::Inhibited,
            Self { acked: true, .. } => AlertState::Acked,
            _ => AlertState::Firing,
        }
    }
}

proptest! {
    #[test]
    fn law_alerts_are_what_a_short_reference_says(deeds in prop::collection::vec(any_deed(), 0..60)) {
        let rules = vec![hot(MINUTE), rule("down", Watch::NodeDown, 0)];
        let (mut all, mut reference) = (alerts(rules.clone()), Reference::default());
        let (place, at) = (gpu("n", 0), key("hot", gpu("n", 0)));
        let mut last = None;
        for deed in deeds {
            reference.deed(&deed);
            let now = reference.now;
            let changed = match &deed {
                Deed::Value(value) => all.observe(now, &[degrees(place.clone(), *value)]),
                Deed::Wait(_) => all.observe(now, &[]),
                Deed::Ack => all.ack(now, &at, "ann", "").unwrap_or_default(),
                Deed::Unack => all.unack(now, &at).unwrap_or_default(),
                Deed::Silence(ms) => all.silence(now, silence("s", now, now + ms, "n")).unwrap(),
                Deed::EndSilence => all.end_silence(now, "s").unwrap_or_default(),
                Deed::Node(up) => all.observe(now, &[if *up { node_up(node("n")) } else { node_down(node("n")) }]),
                Deed::Restart => {
                    let text = serde_json::to_string(&all.memory()).unwrap();
                    all = Alerts::restore(rules.clone(), serde_json::from_str(&text).unwrap());
                    Vec::new()
                }
            };
            // Transitions tell the whole story: each begins where the one before ended, and the last is how it is.
            for one in changed.iter().filter(|one| one.key == at) {
                prop_assert_eq!(one.from, last);
                prop_assert_ne!(one.from, Some(one.step.to));
                last = Some(one.step.to);
            }
            let held = all.held.get(&at).map(|alert| alert.state);
            prop_assert_eq!(last.unwrap_or(AlertState::Resolved), reference.state(), "after {:?}", deed);
            prop_assert_eq!(held.unwrap_or(AlertState::Resolved), reference.state());
            prop_assert!(reference.ever || held.is_none());
        }
    }

    #[test]
    fn law_a_group_is_told_once_in_five_minutes_however_it_flaps(flaps in prop::collection::vec((0..40_u32, any::<bool>(), 0..30_i64), 0..300)) {
        let mut all = alerts(vec![hot(0)]);
        let (mut now, mut told) = (0, BTreeMap::<String, i64>::new());
        for (nth, is_hot, seconds) in flaps {
            now += seconds * SECOND;
            let place = Place { rack: Some(format!("r{nth}")), ..gpu("n", nth) };
            all.observe(now, &[degrees(place, if is_hot { 99.0 } else { 20.0 })]);
            let sent = all.notifications(now);
            prop_assert!(sent.len() <= AT_ONCE);
            for group in sent.iter().map(group_name) {
                if let Some(before) = told.insert(group, now) {
                    prop_assert!(now - before >= TOLD_MS);
                }
            }
        }
        // In the end, what people were last told is how it is.
        now += 2 * TOLD_MS;
        for _ in 0..40 {
            now += WAIT_MS;
            all.observe(now, &[]);
            all.notifications(now);
        }
        for alert in all.all() {
            let firing = alert.state == AlertState::Firing;
            prop_assert_eq!(alert.told.is_some_and(|told| told.firing), firing, "{:?}", alert);
        }
    }

    #[test]
    fn law_no_rules_make_the_parser_panic(text in "\\PC{0,200}", fields in "[a-z= \"0-9.\n\\[\\]]{0,200}") {
        let _ = parse_rules("r.toml", &text);
        let _ = parse_rules("r.toml", &format!("[[rule]]\nname = \"a\"\nseverity = \"warning\"\n{fields}"));
    }
}
