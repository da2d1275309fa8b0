//! The live fleet from outside: what is written is kept and shown, streams are in order and resume, alerts are kept.

use crate::common::{House, config};
use model::alert::{AlertState, AlertsView};
use model::event::EventsView;
use model::fleet::{BindingReview, ChartData, FleetReport, FleetView, Health, PlaceView, SavedView};
use model::live::{LiveSummary, LiveValues};
use model::reading::{Labels, SeriesKey};
use model::source::SourceStatus;
use reqwest::{Response, StatusCode};
use serde_json::json;
use std::time::Duration;
use telemetry::remote_write::{Point, encode, pack};

fn now_ms() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64
}

fn key(name: &str, labels: &[(&str, &str)]) -> SeriesKey {
    SeriesKey { name: name.into(), labels: Labels::of(labels.iter().copied()) }
}

/// Writes series as Prometheus sends them.
async fn write(house: &House, series: &[(SeriesKey, Vec<(i64, f64)>)]) -> Response {
    let points: Vec<(&SeriesKey, Vec<Point>)> = series
        .iter()
        .map(|(key, values)| {
            (key, values.iter().map(|(at_ms, value)| Point { at_ms: *at_ms, value: Some(*value) }).collect())
        })
        .collect();
    let message = encode(points.iter().map(|(key, points)| (*key, points.as_slice())));
    house.client.post(house.url("/api/v1/write")).body(pack(&message).unwrap()).send().await.unwrap()
}

fn power(gpu: &str) -> SeriesKey {
    key("DCGM_FI_DEV_POWER_USAGE", &[("Hostname", "node-1"), ("gpu", gpu), ("UUID", &format!("GPU-{gpu}a"))])
}

async fn fleet(house: &House) -> FleetView {
    house.get("/api/v1/fleet").await.error_for_status().unwrap().json().await.unwrap()
}

/// The fleet once `so` is true of it.
async fn fleet_where(house: &House, so: impl Fn(&FleetView) -> bool) -> FleetView {
    for _ in 0..600 {
        let view = fleet(house).await;
        if so(&view) {
            return view;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the fleet never came to be so: {:?}", fleet(house).await.kpis)
}

#[tokio::test]
async fn a_fleet_without_readings_is_empty_and_says_why_figures_are_missing() {
    let house = House::open().await;
    let view = fleet(&house).await;
    assert_eq!((view.nodes.len(), view.values.len(), view.made_up), (0, 0, None));
    assert!(view.kpis.tokens_per_s.missing.is_some() && view.kpis.board_w.now.is_none());
    let report = house.get("/api/v1/fleet/report/2026-13").await;
    assert_eq!(report.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.get("/api/v1/fleet/at/node:nobody").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(house.get("/api/v1/fleet?metric=up").await.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn what_prometheus_sends_is_kept_under_our_names_and_shown() {
    let house = House::open().await;
    let now = now_ms();
    let readings: Vec<(i64, f64)> = (0..30).rev().map(|ago| (now - ago * 10_000, 500.0 + ago as f64)).collect();
    assert_eq!(
        write(&house, &[(power("0"), readings.clone()), (power("1"), readings)]).await.status(),
        StatusCode::NO_CONTENT
    );
    let view = fleet_where(&house, |view| view.values.len() == 2 && view.values[0].is_some()).await;
    assert_eq!((view.values, view.nodes[0].host.as_str()), (vec![Some(500.0); 2], "node-1"));
    let place: PlaceView = house.get("/api/v1/fleet/at/gpu:node-1%2F0").await.json().await.unwrap();
    assert_eq!((place.health, place.values[0].value), (Health::Busy, 500.0));
    let request = json!({ "place": "gpu:node-1/0", "metrics": ["gpu_power_watts"], "from_ms": now - 300_000, "to_ms": now + 1, "points": 300 });
    let chart = house.client.post(house.url("/api/v1/fleet/chart")).json(&request).send().await.unwrap();
    let chart: ChartData = chart.error_for_status().unwrap().json().await.unwrap();
    assert_eq!(chart.series[0].buckets.iter().map(|bucket| bucket.count).sum::<u32>(), 30);
    let sources: Vec<SourceStatus> = house.get("/api/v1/fleet/sources").await.json().await.unwrap();
    assert_eq!((sources[0].name.as_str(), sources[0].readings), ("remote-write", 60));
}

#[tokio::test]
async fn what_is_no_remote_write_is_refused_in_words() {
    let house = House::open().await;
    for body in [&b""[..], b"hello", &[0xff; 100]] {
        let refused = house.client.post(house.url("/api/v1/write")).body(body.to_vec()).send().await.unwrap();
        let (status, words) = (refused.status(), refused.text().await.unwrap());
        assert!(
            status == StatusCode::UNPROCESSABLE_ENTITY || (body.is_empty() && status.is_success()),
            "{status} {words}"
        );
    }
}

#[tokio::test]
async fn readings_outlive_the_house() {
    let dir = tempfile::tempdir().unwrap();
    let now = now_ms();
    let house = House::open_in(dir, 8).await;
    write(&house, &[(power("0"), vec![(now - 20_000, 1.0), (now - 10_000, 2.0)])]).await.error_for_status().unwrap();
    let House { served, dir, .. } = house;
    served.stop().await.unwrap();
    let house = House::open_in(dir, 8).await;
    let request = json!({ "place": "gpu:node-1/0", "metrics": ["gpu_power_watts"], "from_ms": now - 60_000, "to_ms": now, "points": 60 });
    let chart = house.client.post(house.url("/api/v1/fleet/chart")).json(&request).send().await.unwrap();
    let chart: ChartData = chart.json().await.unwrap();
    assert_eq!(chart.series[0].buckets.iter().map(|bucket| bucket.max).collect::<Vec<_>>(), [1.0, 2.0]);
}

/// Name, id and data of each event of a stream, for a time.
async fn listen(house: &House, query: &str, last_id: Option<&str>, time: Duration) -> Vec<(String, String, String)> {
    let mut asked = house.client.get(house.url(&format!("/api/v1/fleet/live?metric=gpu_power_watts{query}")));
    if let Some(id) = last_id {
        asked = asked.header("Last-Event-ID", id);
    }
    let mut response = asked.send().await.unwrap().error_for_status().unwrap();
    let mut text = String::new();
    let reading = async {
        while let Some(part) = response.chunk().await.unwrap() {
            text.push_str(std::str::from_utf8(&part).unwrap());
        }
    };
    let _ = tokio::time::timeout(time, reading).await;
    let event = |block: &str| {
        let field =
            |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
        (field("event:"), field("id:"), field("data:"))
    };
    text.split("\n\n").filter(|block| block.contains("event:")).map(event).collect()
}

#[tokio::test]
async fn a_stream_is_in_order_each_event_once_and_goes_on_where_it_was_cut() {
    let house = House::open().await;
    write(&house, &[(power("0"), vec![(now_ms(), 100.0)])]).await.error_for_status().unwrap();
    let view = fleet_where(&house, |view| view.values.first() == Some(&Some(100.0))).await;
    let after = format!("&after={}", view.event);
    let hear = listen(&house, &after, None, Duration::from_secs(5));
    let tell = async {
        for value in 1..4 {
            tokio::time::sleep(Duration::from_millis(1_100)).await;
            write(&house, &[(power("0"), vec![(now_ms(), 100.0 + f64::from(value))])])
                .await
                .error_for_status()
                .unwrap();
        }
    };
    let (events, ()) = tokio::join!(hear, tell);
    let numbers: Vec<u64> = events.iter().map(|(_, id, _)| id.rsplit_once('-').unwrap().1.parse().unwrap()).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    let values: Vec<LiveValues> = events
        .iter()
        .filter(|(name, ..)| name == "values")
        .map(|(.., data)| serde_json::from_str(data).unwrap())
        .collect();
    let told: Vec<f64> = values.iter().flat_map(|values| &values.changed).filter_map(|(_, value)| *value).collect();
    assert_eq!(told, [101.0, 102.0, 103.0], "each change once, in order");
    let summaries = events.iter().filter(|(name, ..)| name == "summary");
    let kpis: Vec<LiveSummary> = summaries.map(|(.., data)| serde_json::from_str(data).unwrap()).collect();
    assert!(!kpis.is_empty());

    // The page goes away after the first event, and comes back.
    let first = events.iter().find(|(name, ..)| name == "values").unwrap().1.clone();
    let again = listen(&house, "", Some(&first), Duration::from_millis(2_500)).await;
    let missed: LiveValues =
        serde_json::from_str(&again.iter().find(|(name, ..)| name == "values").unwrap().2).unwrap();
    assert_eq!(missed.changed, [(0, Some(103.0))], "what is so now, once");
    let elsewhere = listen(&house, "&after=otherrun-3", None, Duration::from_secs(1)).await;
    assert_eq!(elsewhere[0].0, "reset");
    let House { served, dir, .. } = house;
    served.stop().await.unwrap();
    let house = House::open_in(dir, 8).await;
    let after = format!("&after={first}");
    assert_eq!(listen(&house, &after, None, Duration::from_secs(1)).await[0].0, "reset", "another run of the program");
}

#[tokio::test]
async fn a_new_gpu_makes_pages_begin_anew() {
    let house = House::open().await;
    write(&house, &[(power("0"), vec![(now_ms(), 100.0)])]).await.error_for_status().unwrap();
    let view = fleet_where(&house, |view| view.values.len() == 1).await;
    let after = format!("&after={}", view.event);
    let hear = listen(&house, &after, None, Duration::from_secs(4));
    let tell = async { write(&house, &[(power("1"), vec![(now_ms(), 100.0)])]).await };
    let (events, _) = tokio::join!(hear, tell);
    assert_eq!(events.last().unwrap().0, "reset", "{events:?}");
}

#[tokio::test]
async fn an_alert_is_taken_on_and_that_outlives_the_house() {
    let house = House::open().await;
    let failed = key("DCGM_FI_DEV_ROW_REMAP_FAILURE", &[("Hostname", "node-1"), ("gpu", "0"), ("UUID", "GPU-0a")]);
    let until = std::time::Instant::now() + Duration::from_mins(1);
    let alert = loop {
        write(&house, &[(power("0"), vec![(now_ms(), 100.0)]), (failed.clone(), vec![(now_ms(), 1.0)])]).await;
        let view: AlertsView = house.answer("alerts", json!({})).await;
        if let Some(alert) = view.alerts.into_iter().find(|alert| alert.state == AlertState::Firing) {
            break alert;
        }
        assert!(std::time::Instant::now() < until, "nothing fires");
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    assert_eq!(alert.key.place.gpu.as_deref(), Some("0"));
    let view = fleet(&house).await;
    assert!(view.attention.iter().any(|one| one.owner.is_none() && one.place.to_string() == "gpu:node-1/0"));
    let nobody = house.ask("alert-ack", json!({ "key": alert.key, "owner": " ", "note": "" })).await;
    assert_eq!(nobody.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let () = house.answer("alert-ack", json!({ "key": alert.key, "owner": "Ada", "note": "on it" })).await;
    let House { served, dir, .. } = house;
    served.stop().await.unwrap();
    let house = House::open_in(dir, 8).await;
    let view: AlertsView = house.answer("alerts", json!({})).await;
    let kept = view.alerts.into_iter().find(|kept| kept.key == alert.key).unwrap();
    assert_eq!((kept.state, kept.ack.unwrap().owner), (AlertState::Acked, "Ada".to_owned()));
    let endless =
        json!({ "matchers": [{ "field": "node", "is": "node-1" }], "lasts_ms": 0, "owner": "Ada", "note": "" });
    let endless = house.ask("alert-silence", json!({ "silence": endless })).await;
    assert_eq!(endless.status(), StatusCode::UNPROCESSABLE_ENTITY, "a silence has an end");
}

#[tokio::test]
async fn a_fleet_is_bound_to_a_design_after_a_review() {
    let house = House::open().await;
    write(
        &house,
        &[(
            key("DCGM_FI_DEV_POWER_USAGE", &[("Hostname", "n1"), ("gpu", "0"), ("UUID", "GPU-1a"), ("rack", "A01")]),
            vec![(now_ms(), 900.0)],
        )],
    )
    .await;
    fleet_where(&house, |view| view.values.len() == 1).await;
    let review: BindingReview = house.answer("fleet-binding-review", json!({ "design": "one-rack-gb200" })).await;
    assert_eq!(
        (review.positions.len(), review.left.as_slice()),
        (1, &["A01".to_owned()][..]),
        "72 GPUs are planned, one is seen"
    );
    let position = review.positions[0].position.clone();
    let twice = json!({ "design": "one-rack-gb200", "racks": [[position, "A01"], [position, "A02"]] });
    assert_eq!(
        house.ask("fleet-binding-save", json!({ "save": twice })).await.status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let save = json!({ "design": "one-rack-gb200", "racks": [[position, "A01"]] });
    let () = house.answer("fleet-binding-save", json!({ "save": save })).await;
    let view = fleet_where(&house, |view| view.kpis.counts.planned == 72).await;
    assert_eq!(view.plan.unwrap().matched_racks, 1);
    assert!(view.kpis.board_w.planned.unwrap() > 50_000.0);
    let () = house.answer("fleet-binding-clear", json!({})).await;
    assert_eq!(fleet(&house).await.plan, None);
}

#[tokio::test]
async fn views_are_named_and_forgotten() {
    let house = House::open().await;
    let () =
        house.answer("fleet-view-save", json!({ "name": " Hot ", "query": "metric=gpu_temperature_celsius" })).await;
    let views: Vec<SavedView> = house.answer("fleet-views", json!({})).await;
    assert_eq!((views[0].name.as_str(), views[0].query.as_str()), ("Hot", "metric=gpu_temperature_celsius"));
    let long = "x".repeat(81);
    for name in [" ", long.as_str()] {
        let refused = house.ask("fleet-view-save", json!({ "name": name, "query": "" })).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
    let () = house.answer("fleet-view-delete", json!({ "name": "Hot" })).await;
    assert_eq!(house.ask("fleet-view-delete", json!({ "name": "Hot" })).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_made_up_fleet_takes_the_same_way_as_a_real_one_and_says_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), 8);
    config.fleet = server::serve::FleetFrom::Demo;
    let house = House::open_with(config, dir).await;
    let view = fleet_where(&house, |view| {
        // One that is lost as the fleet begins was never read, and is in no view.
        view.values.len() > 2_000 && view.kpis.facility_w.now.is_some() && view.kpis.tokens_per_s.now.is_some()
    })
    .await;
    assert!(view.made_up.unwrap().contains("made up"));
    assert_eq!(view.plan.unwrap().matched_racks, 64);
    let kpis = view.kpis;
    let missing = kpis.tokens_per_s.planned.unwrap() - kpis.tokens_per_s.now.unwrap();
    let losses: f64 = kpis.losses.iter().map(|loss| loss.tokens_per_s).sum();
    assert!((losses - missing).abs() < 1e-3 * missing.abs(), "{losses} {missing}");
    let (board, it, facility) = (kpis.board_w.now.unwrap(), kpis.it_w.now.unwrap(), kpis.facility_w.now.unwrap());
    assert!(board < it && it < facility, "{board} {it} {facility}");
    let now = now_ms();
    let request = json!({ "place": "fleet", "metrics": ["fleet_output_tokens_per_second"], "from_ms": now - 3_600_000, "to_ms": now, "points": 60 });
    let chart = house.client.post(house.url("/api/v1/fleet/chart")).json(&request).send().await.unwrap();
    let chart: ChartData = chart.json().await.unwrap();
    assert!(chart.series[0].buckets.len() >= 12, "its past is there too");
    let events = json!({ "from_ms": now - 7_200_000, "to_ms": now + 60_000, "limit": 1_000 });
    let events = house.client.post(house.url("/api/v1/fleet/events")).json(&events).send().await.unwrap();
    let events: EventsView = events.json().await.unwrap();
    assert!(events.events.iter().all(|event| event.source == "demo" || event.source == "demo-bms"), "{events:?}");
    let today: FleetReport = {
        let day = jiff::Timestamp::from_millisecond(now).unwrap().to_string();
        house.get(&format!("/api/v1/fleet/report/{}", &day[..10])).await.json().await.unwrap()
    };
    assert_eq!(today.rows.len(), 24);
    let csv = house.get(&format!("/api/v1/fleet/report/{}.csv", today.period)).await;
    let name = format!("attachment; filename=\"fleet-{}-made-up.csv\"", today.period);
    assert_eq!(csv.headers()["content-disposition"], name);
    let csv = csv.text().await.unwrap();
    assert!(csv.lines().next().unwrap().ends_with(",made_up") && csv.lines().skip(1).all(|row| row.ends_with(",true")));
}

#[tokio::test]
async fn a_report_counts_what_was_read_and_says_what_was_not() {
    let house = House::open().await;
    let day_ms = 86_400_000;
    let midnight = now_ms().div_euclid(day_ms) * day_ms - day_ms;
    let of = |name: &str, value: &dyn Fn(i64) -> f64| {
        // Every minute of yesterday, but for two hours; the counter starts anew at noon.
        let times = (0..1_440).filter(|minute| !(300..420).contains(minute));
        let values = times.map(|minute| (midnight + minute * 60_000 + 5_000, value(minute))).collect();
        (key(name, &[("place", "fleet"), ("source", "millwright")]), values)
    };
    let tokens = |minute: i64| (if minute < 720 { minute } else { minute - 720 }) as f64 * 60_000.0;
    let series = [
        of("fleet_output_tokens_total", &tokens),
        of("fleet_board_energy_joules_total", &|minute| minute as f64 * 60.0 * 1e6),
        of("fleet_it_power_watts", &|_| 1.6e6),
        of("fleet_facility_power_watts", &|_| 2e6),
        of("fleet_gpus_usable", &|minute| if minute < 720 { 100.0 } else { 90.0 }),
    ];
    write(&house, &series).await.error_for_status().unwrap();
    let date = jiff::Timestamp::from_millisecond(midnight).unwrap().to_string()[..10].to_owned();
    for period in [date.as_str(), &date[..7]] {
        let report: FleetReport = house.get(&format!("/api/v1/fleet/report/{period}")).await.json().await.unwrap();
        let (total, hours) = (&report.total, report.rows.len());
        let about = |found: Option<f64>, wanted: f64| {
            assert!((found.unwrap() / wanted - 1.0).abs() < 0.01, "{period}: {found:?} {wanted}");
        };
        about(total.tokens_per_s_per_mw, 500.0);
        about(total.joules_per_token, 2_000.0);
        about(total.facility_kwh, 2_000.0 * 22.0);
        about(total.board_kwh, 1_000.0 * 24.0); // a counter counts over a silence
        if hours == 24 {
            assert!((total.covered - 22.0 / 24.0).abs() < 0.005, "{}", total.covered);
            assert_eq!(report.rows[6].facility_kwh, None, "nothing was read then, and it is no zero");
            about(report.rows[3].tokens_per_s_per_mw, 500.0);
        }
        assert!(report.remarks.iter().any(|remark| remark.contains("utility meter")), "{:?}", report.remarks);
    }
    let csv = house.get(&format!("/api/v1/fleet/report/{date}.csv")).await;
    assert_eq!(csv.headers()["content-disposition"], format!("attachment; filename=\"fleet-{date}.csv\""));
    let csv = csv.text().await.unwrap();
    assert_eq!(csv.lines().count(), 25);
    assert!(!csv.contains("made_up"));
}
