//! The pilot: what must hold of it whatever the figures are.

use sim::serving::draw;
use sim::steering::compare::Way;
use sim::steering::pilot::{Ask, Pilot, pilot};

fn found(ask: &Ask) -> Pilot {
    pilot(&catalog::catalog().unwrap(), ask).unwrap()
}

#[test]
fn both_fleets_stay_within_the_power_of_three_racks() {
    let ask = Ask { seconds: 40.0, ..Ask::default() };
    let found = found(&ask);
    // By hand: 18 trays of 4 · 1,200 + 1,300 W and nine switches of 1,000 W in each rack, through 264 kW of shelves.
    let inside = 18.0 * (4.0 * 1_200.0 + 1_300.0) + 9_000.0;
    let (rating, load) = (264e3, inside / 264e3);
    let rack = inside + rating * (0.0035 + 0.0095 * load + 0.016 * load * load);
    assert!((found.envelope_w / (3.0 * rack) - 1.0).abs() < 1e-12, "{} W", found.envelope_w);
    assert!((found.unmanaged.provisioned_w / found.envelope_w - 1.0).abs() < 1e-12);
    for fleet in [&found.unmanaged, &found.managed] {
        assert!(
            fleet.is_compliant && fleet.provisioned_w <= found.envelope_w && fleet.drawn_most_w <= found.envelope_w
        );
        assert!(fleet.drawn_mean_w <= fleet.drawn_most_w);
        for job in &fleet.jobs {
            // The closed form's batch is always full and its lengths are their mean; the replay's are neither.
            assert!((job.tokens_per_s / job.predicted_tokens_per_s - 1.0).abs() < 0.12, "{job:?}");
            assert!(job.gpu_w <= job.cap_w * (1.0 + 1e-9) && job.attainment > 0.9, "{job:?}");
        }
    }
    assert_eq!((found.unmanaged.gpus, found.managed.gpus), (216, 288));
    let [low, high] = [&found.unmanaged.jobs[0], &found.unmanaged.jobs[1]];
    assert!(low.sustained_w < high.sustained_w * 0.95, "{} W and {} W", low.sustained_w, high.sustained_w);
    assert_eq!(low.requests_per_s.to_bits(), found.managed.jobs[0].requests_per_s.to_bits());
    assert!(found.steering.breaches == 0 && found.steering.worst_w <= found.envelope_w);
    for (settled, job) in found.steering.settled_w.iter().zip(&found.managed.jobs) {
        assert!((settled - job.cap_w).abs() < 0.1, "{settled} W of {} W", job.cap_w);
    }
    assert!(found.full_power.is_some_and(|why| why.contains("too many; at most ")));
}

#[test]
fn the_verdict_follows_from_its_figures() {
    let found = found(&Ask { seconds: 40.0, ..Ask::default() });
    let band = &found.band;
    assert!((found.ratio - found.managed.tokens_per_s / found.unmanaged.tokens_per_s).abs() < 1e-12);
    assert!(band.worst <= band.low && band.low <= found.ratio && found.ratio <= band.high);
    assert!((found.ratio / band.closed_form - 1.0).abs() < 0.05, "{} and {}", found.ratio, band.closed_form);
    assert_eq!(found.is_passed, found.ratio > 1.0);
    assert_eq!(found.holds_over_band, found.is_passed && band.low > 1.0);
    if let Some(power) = band.turns_at_power {
        let cause = band.causes.iter().find(|cause| cause.of == "board power").unwrap();
        assert_eq!(power < 1.0 + draw::ERROR, cause.low < 1.0);
    }
    let ours = found.ways.last().unwrap();
    assert!(ours.way == Way::Steered && found.ways.iter().all(|way| way.worth_per_s <= ours.worth_per_s));
}

#[test]
fn racks_and_jobs_that_can_not_be_piloted_say_why() {
    let catalog = catalog::catalog().unwrap();
    let why = |ask: Ask| pilot(&catalog, &ask).unwrap_err().to_string();
    assert_eq!(why(Ask { rack: "gb100".to_owned(), ..Ask::default() }), "gb100: no such rack in the catalog");
    let model = |name: &str| (name.to_owned(), model::design::Precision::Bf16);
    let large = why(Ask { high: model("deepseek-r1"), ..Ask::default() });
    assert!(
        large.contains("DeepSeek R1 can't be served within the targets: ") && large.contains("of a tray"),
        "{large}"
    );
    assert!(why(Ask { low: model("nobody"), ..Ask::default() }).contains("nobody"));
    let many = why(Ask { unmanaged: 1, managed: 4, ..Ask::default() });
    assert_eq!(many, "the managed racks can't be kept within the envelope");
}
