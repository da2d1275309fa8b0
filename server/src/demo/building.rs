//! The made-up building: it tells its meters and racks over a real broker, as a building management system would.

use super::model::{Made, Moment};
use crate::clock;
use std::sync::Arc;
use std::time::Duration;
use telemetry::bus::mqtt::{Auth, MqttBus, MqttConfig};
use telemetry::bus::{Bus, Link, Message, Retain};
use tokio_util::sync::CancellationToken;

/// How often values are told.
const EVERY: Duration = Duration::from_secs(5);
/// Every how many of these the heartbeat is told: 10 s.
const HEARTBEAT_ROUNDS: u64 = 2;
/// Every how many metadata are told again: 100 s.
const METADATA_ROUNDS: u64 = 20;
/// The object that is the utility meter.
pub const UTILITY: &str = "UTILITY";

/// What a point reads at a moment.
type Reads = Box<dyn Fn(&Moment, &Made) -> f64 + Send + Sync>;

/// A point of the building: its topic after the class, its metadata, and its value at a moment.
struct Point {
    topic: String,
    metadata: String,
    value: Reads,
}

/// Tells the building's points until told to stop.
pub async fn run(made: Arc<Made>, broker: url::Url, stop: CancellationToken) {
    let bus = MqttBus::open(MqttConfig { broker, client_id: "demo-bms".into(), auth: Auth::None, authority: None });
    let (points, mut link, mut reached) = (points(&made), bus.link(), 0);
    // What is told before the broker answers is lost, and metadata would be missed for long.
    let up = link.wait_for(|link| matches!(link, Link::Up { .. }));
    if stop.run_until_cancelled(up).await.is_none() {
        return;
    }
    for round in 0_u64.. {
        let times = if let Link::Up { times } = &*link.borrow_and_update() { *times } else { reached };
        let anew = times > reached;
        reached = times;
        let at_ms = clock::now_ms();
        let moment = made.at(at_ms);
        for point in &points {
            if anew || round % METADATA_ROUNDS == 0 {
                tell(&bus, format!("BMS/v1/PUB/Metadata/{}", point.topic), point.metadata.clone(), Retain::Kept).await;
            }
            let value = ((point.value)(&moment, &made) * 100.0).round() / 100.0;
            let heartbeat = point.topic.starts_with("System/");
            if !heartbeat || round % HEARTBEAT_ROUNDS == 0 {
                let payload = format!(r#"{{"value":{value},"timestamp":{at_ms},"quality":1}}"#);
                tell(&bus, format!("BMS/v1/PUB/Value/{}", point.topic), payload, Retain::Passing).await;
            }
        }
        if tokio::time::timeout(EVERY, stop.cancelled()).await.is_ok() {
            return;
        }
    }
}

/// What a bus that is down does not take is told again soon enough.
async fn tell(bus: &MqttBus, topic: String, payload: String, retain: Retain) {
    if let Err(error) = bus.publish(Message { topic, payload: payload.into_bytes(), retain }).await {
        tracing::debug!(%error, "The made-up building could not tell a point.");
    }
}

fn points(made: &Arc<Made>) -> Vec<Point> {
    let racks: Vec<String> = made.racks.iter().map(|(name, ..)| format!("\"{name}\"")).collect();
    let mut points = vec![
        Point {
            topic: "PowerMeter/ActivePower/demo/intake/power".into(),
            metadata: format!(
                r#"{{"objectType":"PowerMeter","pointType":"ActivePower","engUnit":"kW","objectName":"Utility intake","objectId":"{UTILITY}","servesId":["BUSWAYS"]}}"#
            ),
            value: Box::new(|moment, _| moment.facility_w / 1e3),
        },
        Point {
            topic: "PowerMeter/ActivePower/demo/busways/power".into(),
            metadata: format!(
                r#"{{"objectType":"PowerMeter","pointType":"ActivePower","engUnit":"kW","objectName":"Busways of the racks","objectId":"BUSWAYS","servesId":[{}]}}"#,
                racks.join(",")
            ),
            value: Box::new(|moment, _| moment.it_w / 1e3),
        },
        Point {
            topic: "Sensor/AirTemperature/demo/roof/air".into(),
            metadata: r#"{"objectType":"Sensor","pointType":"AirTemperature","engUnit":"C","objectName":"Outside air","objectId":"ROOF","servesId":[],"processArea":["outside"]}"#.into(),
            value: Box::new(|moment, _| moment.dry_bulb_c),
        },
        Point {
            topic: "System/HeartbeatTimestampBms/demo/bms/heartbeat".into(),
            metadata: r#"{"objectType":"System","pointType":"HeartbeatTimestampBms","objectName":"Demo BMS","objectId":"BMS"}"#.into(),
            value: Box::new(|moment, _| moment.at_ms as f64),
        },
    ];
    points.extend((0..made.racks.len() as u32).map(|rack| rack_point(made, rack)));
    points
}

/// A rack's power: its boards, and its share of everything else in the racks.
fn rack_point(made: &Made, rack: u32) -> Point {
    let (name, count) = (made.racks[rack as usize].0.clone(), made.racks.len() as f64);
    let topic = format!("Rack/RackPower/demo/{name}/power");
    let metadata = format!(
        r#"{{"objectType":"Rack","pointType":"RackPower","engUnit":"kW","rackLocationName":"{name}","rackLocationId":"{name}"}}"#
    );
    let value = move |moment: &Moment, made: &Made| {
        let boards = made.rack_w(rack, moment);
        (boards + (moment.it_w - moment.board_w) / count) / 1e3
    };
    Point { topic, metadata, value: Box::new(value) }
}
