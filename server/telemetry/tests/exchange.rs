//! The exchange as a whole: the published schema and example, and real brokers, with what happens to them.
//!
//! Brokers are found by `MILLWRIGHT_MOSQUITTO` and `MILLWRIGHT_NATS`, or on the path; where one is missing, its test says
//! so and passes, except under `CI=true`.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use model::event::Happening;
use model::facility::{Medium, PointHealth, Telling};
use model::reading::label;
use model::source::SourceState;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use telemetry::bus::broker::{self, EmbeddedBroker};
use telemetry::bus::mqtt::{self, Auth, MqttBus, MqttConfig};
use telemetry::bus::{Message, Retain};
use telemetry::exchange::facility::{Facility, Settings};
use telemetry::exchange::kind::{Need, ObjectType, PointType, Scale};
use telemetry::exchange::replay::{self, Play, Played, Repeat, Scenario};
use telemetry::exchange::topic::{Publisher, Topic};
use telemetry::exchange::{ExchangeConfig, ExchangeSource, ExchangeView};
use telemetry::source::{Brought, Sink, Source};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

// ---------------------------------------------------------------------------------------------------------------------
// The published schema and example
// ---------------------------------------------------------------------------------------------------------------------

/// A file of the data folder; nothing, and a word, where there is none.
fn data(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("MILLWRIGHT_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let file = folder.join(name);
    if file.exists() { Some(file) } else { skipped(&format!("{} is not there", file.display())) }
}

fn skipped<T>(why: &str) -> Option<T> {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "under CI nothing is skipped: {why}");
    eprintln!("skipped: {why}");
    None
}

fn exemplar() -> Option<Scenario> {
    let file = std::fs::File::open(data("exchange/dsx_exemplar.csv")?).unwrap();
    Some(Scenario::read(file).unwrap_or_else(|faults| panic!("{faults:#?}")))
}

#[test]
fn agrees_with_the_published_example_in_every_row() {
    let Some(scenario) = exemplar() else { return };
    assert_eq!(scenario.rows.len(), 4_711);
    let kept = scenario.rows.iter().filter(|row| row.retain == Retain::Kept).count();
    assert_eq!((kept, scenario.rows.len() - kept), (166, 4_545));
    assert_eq!(scenario.length(), Duration::from_nanos(99_367_544_100));
}

/// The whole example in one building, without a broker.
fn pod(scenario: &Scenario) -> (Facility, Vec<String>, usize) {
    let mut facility = Facility::new(Settings { source: "pod".into(), ..Settings::default() });
    let (mut remarks, mut readings) = (Vec::new(), 0);
    facility.connected(0);
    for row in &scenario.rows {
        let now = 1_743_620_423_000 + row.offset.as_millis() as i64;
        let payload = row.payload.replace(replay::TIMESTAMP, &now.to_string()).into_bytes();
        let applied = facility.apply(&Message { topic: row.topic.clone(), payload, retain: row.retain }, now);
        remarks.extend(applied.remarks);
        readings += applied.readings.len();
        assert!(applied.events.is_empty() && applied.unknown == 0);
    }
    (facility, remarks, readings)
}

#[test]
fn the_example_becomes_readings_of_its_racks() {
    let Some(scenario) = exemplar() else { return };
    let (facility, remarks, readings) = pod(&scenario);
    assert!(remarks.is_empty(), "{remarks:?}");
    let counts = facility.counts();
    assert_eq!((counts.points, counts.values, counts.waiting, counts.refused), (166, 4_545, 0, 0));
    assert_eq!(readings as u64, counts.values - counts.repeated - counts.late);
    // Five racks tell everything; of a sixth only its power is known.
    let racks: Vec<String> = facility.racks().into_iter().map(|rack| rack.id).collect();
    assert_eq!(racks, ["Pod1C-E01", "Pod1C-E02", "Pod1C-E03", "Pod1C-E04", "Pod1C-E05", "Pod1C-E06"]);
    let topology = facility.topology();
    let whole: Vec<&str> = topology
        .objects
        .iter()
        .filter(|object| object.object_type.as_deref() == Some("Rack") && object.points == 14)
        .map(|object| object.id.as_str())
        .collect();
    assert_eq!(whole.len(), 5);
}

#[test]
fn the_examples_busways_feed_taps_and_taps_feed_racks() {
    let Some(scenario) = exemplar() else { return };
    let topology = pod(&scenario).0.topology();
    assert_eq!(topology.roots, ["C-E-BUS-E1", "C-E-BUS-E2", "C-F00-CDU-05"]);
    assert_eq!(topology.children("C-E-BUS-E1").count(), 6);
    assert_eq!(
        topology.paths_to("Pod1C-E05"),
        [
            vec!["C-E-BUS-E1", "C-E05-TAP-E1", "Pod1C-E05"],
            vec!["C-E-BUS-E2", "C-E05-TAP-E2", "Pod1C-E05"],
            vec!["C-F00-CDU-05", "Pod1C-E05"],
        ]
    );
    let of = |medium| topology.serves.iter().filter(|edge| edge.medium == medium).count();
    assert_eq!((of(Medium::Power), of(Medium::Liquid)), (14, 10));
    // Shunts and valves stand beside what they belong to, and draw no edge.
    assert_eq!(topology.object("C-E05-TAP-E2").unwrap().parts, BTreeMap::from([("Shunt".to_owned(), 1)]));
    assert_eq!(topology.object("Pod1C-E05").unwrap().parts, BTreeMap::from([("Valve".to_owned(), 2)]));
    assert!(topology.parents("Pod1C-E05").all(|edge| !edge.from.contains("Shunt")));
    // Ten taps and five racks of the next row are served, and the example does not describe them.
    assert_eq!(topology.remarks.len(), 15);
    assert!(
        topology.remarks.iter().all(|remark| remark.ends_with("and no point describes it")),
        "{:?}",
        topology.remarks
    );
}

/// What the schema says of a kind of point, with `$ref` and `allOf` followed.
#[derive(Default)]
struct Said {
    required: BTreeSet<String>,
    fields: BTreeMap<String, Vec<String>>,
    alternatives: String,
}

fn follow(all: &Json, json: &Json, said: &mut Said) {
    if let Some(to) = json.get("$ref").and_then(Json::as_str) {
        return follow(all, &all["components"]["schemas"][to.rsplit('/').next().unwrap()], said);
    }
    let texts = |json: &Json| {
        json.as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    said.required.extend(texts(&json["required"]));
    for (name, field) in json["properties"].as_object().into_iter().flatten() {
        let allowed = said.fields.entry(name.clone()).or_default();
        if allowed.is_empty() {
            *allowed = texts(&field["enum"]);
        }
    }
    for part in json["allOf"].as_array().into_iter().flatten() {
        follow(all, part, said);
    }
    for one in ["oneOf", "anyOf"] {
        if json.get(one).is_some() {
            said.alternatives += &json[one].to_string();
        }
    }
}

#[test]
fn agrees_with_the_published_schema_in_every_kind_of_point() {
    let Some(file) = data("exchange/bms.asyncapi.yaml") else { return };
    let options = serde_saphyr::options! { budget: None };
    let all: Json = serde_saphyr::from_str_with_options(&std::fs::read_to_string(file).unwrap(), options).unwrap();
    let mut seen = BTreeSet::new();
    for channel in all["channels"].as_object().unwrap().values() {
        let address = channel["address"].as_str().unwrap();
        let levels: Vec<&str> = address.split('/').collect();
        let object: ObjectType = levels[4].parse().unwrap();
        // Which points there are, and who writes them.
        let points = channel["parameters"]["pointType"]["enum"].as_array().unwrap().iter();
        let points: BTreeSet<PointType> = points.map(|name| name.as_str().unwrap().parse().unwrap()).collect();
        let ours = object.points().iter().copied();
        let ours: BTreeSet<PointType> = match (levels[2], levels[3]) {
            (_, "Metadata") => ours.collect(),
            ("PUB", _) => ours.filter(|point| point.writers(object).bms()).collect(),
            (..) => ours.filter(|point| point.writers(object).integration()).collect(),
        };
        assert_eq!(ours, points, "{address}");
        if levels[3] != "Metadata" {
            continue;
        }
        for message in channel["messages"].as_object().unwrap().values() {
            let name = message["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            let mut said = Said::default();
            follow(&all, &all["components"]["messages"][name]["payload"], &mut said);
            let point: PointType = said.fields["pointType"][0].parse().unwrap();
            seen.insert((object, point));
            agrees(object, point, &said);
        }
    }
    let all: BTreeSet<_> = ObjectType::ALL.iter().flat_map(|o| o.points().iter().map(|p| (*o, *p))).collect();
    assert_eq!(seen, all);
}

fn agrees(object: ObjectType, point: PointType, said: &Said) {
    let need = |field: &str| match (said.required.contains(field), said.fields.contains_key(field)) {
        (true, _) => Need::Must,
        (false, true) => Need::May,
        (false, false) => Need::Not,
    };
    let at = format!("{point} of a {object}");
    assert_eq!(point.process_area(object), need("processArea"), "{at}");
    assert_eq!(point.integration(object), need("integration"), "{at}");
    assert_eq!(point.phase(), need("phase"), "{at}");
    assert_eq!(point.setpoint(), need("isSetpoint"), "{at}");
    assert_eq!(point.scope(), need("scope"), "{at}");
    let unit = said.fields.get("engUnit");
    let scale = match (need("engUnit"), need("stateText")) {
        (Need::Must, Need::Not) if unit.unwrap().is_empty() => Scale::AnyUnit,
        (Need::Must, Need::Not) => {
            assert_eq!(point.scale(), Scale::Unit(unit.unwrap()[0].clone().leak()), "{at}");
            point.scale()
        }
        (Need::Not, Need::Must) => Scale::States,
        (Need::Not, Need::Not) if said.alternatives.contains("EquipmentPointEngUnit") => Scale::Either,
        (Need::Not, Need::Not) if said.alternatives.contains("Measurement") => Scale::Optional,
        (Need::Not, Need::Not) => Scale::Nothing,
        other => panic!("{at}: {other:?}"),
    };
    assert_eq!(point.scale(), scale, "{at}");
    let named = said.required.contains("objectId");
    let parts = said.alternatives.contains("EquipmentAssociateMode");
    assert_eq!(parts, !named && object != ObjectType::Rack, "{at}");
    assert_eq!(said.required.contains("servesId"), object == ObjectType::PowerMeter, "{at}");
}

#[test]
fn the_example_holds_to_the_rule_of_value_topics() {
    let Some(scenario) = exemplar() else { return };
    let topics: BTreeSet<&str> = scenario.rows.iter().map(|row| row.topic.as_str()).collect();
    let mut integrations = 0;
    for row in scenario.rows.iter().filter(|row| row.retain == Retain::Kept) {
        let Ok(Topic::Point(topic)) = row.topic.parse() else { panic!("{}", row.topic) };
        let payload: Json = serde_json::from_str(&row.payload).unwrap();
        let value = topic.value_topic(payload["integration"].as_str());
        integrations += usize::from(value.publisher != Publisher::Bms);
        let silent = value.publisher != Publisher::Bms || topic.point == PointType::RackLiquidDifferentialPressureSp;
        assert_eq!(topics.contains(value.to_string().as_str()), !silent, "{value}");
    }
    assert_eq!(integrations, 16);
}

// ---------------------------------------------------------------------------------------------------------------------
// Brokers
// ---------------------------------------------------------------------------------------------------------------------

/// A broker that can be killed and started again at the same address.
enum Broker {
    Embedded(Option<EmbeddedBroker>, SocketAddr),
    Process { child: Child, address: SocketAddr, command: Box<dyn Fn() -> Command + Send>, _folder: tempfile::TempDir },
}

impl Broker {
    async fn embedded() -> Self {
        let broker = broker::broker(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = broker.address();
        Self::Embedded(Some(broker), address)
    }

    async fn mosquitto(more: &str) -> Option<Self> {
        let program = program("MILLWRIGHT_MOSQUITTO", "mosquitto")?;
        let (folder, address) = (tempfile::tempdir().unwrap(), free());
        let config = folder.path().join("mosquitto.conf");
        let allow = if more.contains("allow_anonymous") { "" } else { "allow_anonymous true\n" };
        std::fs::write(&config, format!("listener {} 127.0.0.1\npersistence false\n{allow}{more}", address.port()))
            .unwrap();
        let command = move || {
            let mut command = Command::new(&program);
            command.arg("-c").arg(&config);
            command
        };
        Some(Self::process(command, address, folder).await)
    }

    async fn nats() -> Option<Self> {
        let program = program("MILLWRIGHT_NATS", "nats-server")?;
        let (folder, address) = (tempfile::tempdir().unwrap(), free());
        let root = folder.path().to_owned();
        // Each start has a store of its own: what was retained is forgotten, as with a broker that lost its disk.
        let command = move || {
            let store = tempfile::tempdir_in(&root).unwrap().keep();
            let config = store.join("nats.conf");
            let text = format!(
                "server_name: exchange\nlisten: \"127.0.0.1:-1\"\njetstream {{ store_dir: \"{}\" }}\nmqtt {{ listen: \"{address}\" }}\n",
                store.display()
            );
            std::fs::write(&config, text).unwrap();
            let mut command = Command::new(&program);
            command.arg("-c").arg(&config);
            command
        };
        Some(Self::process(command, address, folder).await)
    }

    async fn process(
        command: impl Fn() -> Command + Send + 'static,
        address: SocketAddr,
        folder: tempfile::TempDir,
    ) -> Self {
        let child = spawn(&command, address).await;
        Self::Process { child, address, command: Box::new(command), _folder: folder }
    }

    fn address(&self) -> SocketAddr {
        match self {
            Self::Embedded(_, address) | Self::Process { address, .. } => *address,
        }
    }

    fn url(&self) -> String {
        format!("mqtt://{}", self.address())
    }

    async fn kill(&mut self) {
        match self {
            Self::Embedded(broker, _) => broker.take().unwrap().stop().await,
            Self::Process { child, .. } => {
                child.kill().unwrap();
                child.wait().unwrap();
            }
        }
    }

    async fn start(&mut self) {
        match self {
            Self::Embedded(broker, address) => *broker = Some(broker::broker(*address).await.unwrap()),
            Self::Process { child, address, command, .. } => *child = spawn(command, *address).await,
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Self::Process { child, .. } = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn program(variable: &str, name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let named = std::env::var_os(variable).map(PathBuf::from);
    let found = named.or_else(|| folders.map(|folder| folder.join(name)).find(|file| file.is_file()));
    found.or_else(|| skipped(&format!("{name} is not on the path, and {variable} does not name it")))
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn spawn(command: &(impl Fn() -> Command + ?Sized), address: SocketAddr) -> Child {
    let mut child = command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    for _ in 0..200 {
        assert!(child.try_wait().unwrap().is_none(), "the broker ended");
        if tokio::net::TcpStream::connect(address).await.is_ok() {
            return child;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the broker does not listen at {address}");
}

/// The source as the house runs it, and what it brought.
struct House {
    brought: mpsc::Receiver<(u32, Brought)>,
    view: watch::Receiver<Arc<ExchangeView>>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    readings: u64,
    racks: BTreeMap<(String, String), f64>,
    faults: Vec<String>,
    states: Vec<SourceState>,
    leaks: usize,
}

impl House {
    fn open(config: ExchangeConfig) -> Self {
        let source = ExchangeSource::new(config).unwrap();
        let (view, stop) = (source.view(), CancellationToken::new());
        let (queue, brought) = mpsc::channel(1_024);
        let task = tokio::spawn(Box::new(source).run(Sink::new(0, queue), stop.clone()));
        let (readings, leaks) = (0, 0);
        let (racks, faults, states) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { brought, view, stop, task, readings, racks, faults, states, leaks }
    }

    /// Takes what comes until that is so.
    async fn until(&mut self, what: &str, longest: Duration, so: impl Fn(&Self) -> bool) {
        let end = Instant::now() + longest;
        while !so(self) {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(brought) = tokio::time::timeout(left.min(Duration::from_millis(100)), self.brought.recv()).await
            else {
                assert!(
                    !left.is_zero(),
                    "{what} did not come in {longest:?}; {} readings, {:?}, {:?}",
                    self.readings,
                    self.states,
                    self.faults
                );
                continue;
            };
            self.take(brought.expect("the source ended").1);
        }
    }

    fn take(&mut self, brought: Brought) {
        match brought {
            Brought::Readings(batch) => {
                self.readings += batch.readings.len() as u64;
                for (key, _, value) in batch.readings {
                    if let Some(rack) = key.labels.get(label::RACK) {
                        self.racks.insert((key.name.clone(), rack.to_owned()), value);
                    }
                }
            }
            Brought::State(state) => self.states.push(state),
            Brought::Fault(fault) => self.faults.push(fault),
            Brought::Event(event) => self.leaks += usize::from(matches!(event.what, Happening::Leak { .. })),
            Brought::Peer(_) => {}
        }
    }

    fn points(&self) -> u32 {
        self.view.borrow().counts.points
    }

    fn connected(&self) -> bool {
        self.states.last() == Some(&SourceState::Connected)
    }

    async fn close(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(5), self.task).await.expect("the source did not stop").unwrap();
    }
}

fn config(url: &str) -> ExchangeConfig {
    ExchangeConfig {
        name: "bms".into(),
        broker: url.into(),
        auth: Auth::None,
        authority: None,
        client_id: None,
        utility_meters: vec!["C-E-BUS-E1".into(), "C-E-BUS-E2".into()],
        labels: BTreeMap::new(),
    }
}

fn building(url: &str) -> MqttBus {
    MqttBus::open(MqttConfig {
        broker: mqtt::address(url).unwrap(),
        client_id: "building".into(),
        auth: Auth::None,
        authority: None,
    })
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// Plays in the background.
fn played(scenario: Scenario, url: &str, how: Play, stop: &CancellationToken) -> JoinHandle<Played> {
    let (bus, stop) = (building(url), stop.clone());
    tokio::spawn(async move { replay::play(&scenario, &bus, how, &now_ms, &stop).await })
}

const SOON: Duration = Duration::from_secs(20);

/// A source hears a whole recording, and one that comes late hears what was kept.
async fn hears_the_whole_example(broker: Broker) {
    let Some(scenario) = exemplar() else { return };
    let mut house = House::open(config(&broker.url()));
    house.until("the connection", SOON, House::connected).await;
    let start = Instant::now();
    let how = Play { speed: 50.0, repeat: Repeat::Once };
    let played = played(scenario, &broker.url(), how, &CancellationToken::new());
    let values = |house: &House| house.view.borrow().counts.values == 4_545;
    house.until("the last value", SOON, values).await;
    let took = start.elapsed();
    assert_eq!(played.await.unwrap(), Played { sent: 4_711, refused: 0, renewed: 0, rounds: 1 });
    let view = Arc::clone(&house.view.borrow());
    let counts = view.counts;
    assert_eq!((counts.points, counts.waiting, counts.refused, counts.field), (166, 0, 0, 0));
    assert_eq!((view.racks.len(), view.topology.roots.len()), (6, 3));
    assert_eq!((view.points.len(), view.reads.len(), &view.telling), (166, 166, &Telling::Fine));
    // Of 21 points the example has no value: requests that an integration would write, and set-points.
    let how = |health| view.each().filter(|(_, read)| read.health == health).count();
    assert_eq!((how(PointHealth::Fresh), how(PointHealth::Silent)), (145, 21));
    // What is not a reading is what said the same as before, at the same time.
    let expected = counts.values - counts.repeated - counts.late;
    house.until("the last reading", SOON, |house| house.readings >= expected).await;
    let power = house.racks[&("rack_power_watts".to_owned(), "Pod1C-E05".to_owned())];
    assert!((1e3..1e6).contains(&power), "{power}");
    assert!(house.racks.contains_key(&("rack_liquid_flow_cubic_metres_per_second".into(), "Pod1C-E02".into())));
    assert!(house.connected() && house.leaks == 0, "{:?}", house.states);
    assert!(house.faults.is_empty(), "{:?}", house.faults);
    eprintln!(
        "{} readings in {took:?}, of which the recording takes {:?}",
        house.readings,
        Duration::from_secs_f64(99.37 / 50.0)
    );
    house.close().await;
    let mut late = House::open(config(&broker.url()));
    late.until("what was kept", SOON, |late| late.points() == 166).await;
    late.close().await;
}

/// The broker dies in the middle of a recording and comes back empty.
async fn gets_over_a_broker_that_dies(mut broker: Broker) {
    let Some(scenario) = exemplar() else { return };
    let mut house = House::open(config(&broker.url()));
    house.until("the connection", SOON, House::connected).await;
    let stop = CancellationToken::new();
    let played = played(scenario, &broker.url(), Play { speed: 5.0, repeat: Repeat::Forever }, &stop);
    house.until("readings", SOON, |house| house.readings > 500).await;
    broker.kill().await;
    house.until("the failure", SOON, |house| matches!(house.states.last(), Some(SourceState::Failing { .. }))).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    broker.start().await;
    let (back, before) = (Instant::now(), house.readings);
    house.until("the connection again", Duration::from_secs(10), House::connected).await;
    let (connected, more) = (back.elapsed(), before + 300);
    house.until("readings again", Duration::from_secs(10), |house| house.readings > more).await;
    eprintln!("connected {connected:?} after the broker was back, 300 readings more after {:?}", back.elapsed());
    assert!(back.elapsed() < Duration::from_secs(10));
    // A broker that lost everything has the metadata again: whoever comes now hears of every point.
    let mut late = House::open(ExchangeConfig { name: "late".into(), ..config(&broker.url()) });
    late.until("what is kept again", SOON, |late| late.points() == 166).await;
    late.close().await;
    stop.cancel();
    let played = played.await.unwrap();
    assert!(played.renewed >= 1 && played.refused == 0, "{played:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_broker_brings_the_whole_example() {
    hears_the_whole_example(Broker::embedded().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_brings_the_whole_example() {
    let Some(broker) = Broker::mosquitto("").await else { return };
    hears_the_whole_example(broker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_brings_the_whole_example() {
    let Some(broker) = Broker::nats().await else { return };
    hears_the_whole_example(broker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_broker_may_die_and_come_back() {
    gets_over_a_broker_that_dies(Broker::embedded().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_may_die_and_come_back() {
    let Some(broker) = Broker::mosquitto("").await else { return };
    gets_over_a_broker_that_dies(broker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_may_die_and_come_back() {
    let Some(broker) = Broker::nats().await else { return };
    gets_over_a_broker_that_dies(broker).await;
}

// ---------------------------------------------------------------------------------------------------------------------
// Networks and credentials
// ---------------------------------------------------------------------------------------------------------------------

/// A way to a broker that can be cut as a network is: connections stand, and nothing passes.
struct Way {
    address: SocketAddr,
    open: watch::Sender<bool>,
}

impl Way {
    async fn to(broker: SocketAddr) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (open, gate) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let gate = gate.clone();
                tokio::spawn(async move {
                    let mut opened = gate.clone();
                    let _ = opened.wait_for(|open| *open).await;
                    let Ok(far) = tokio::net::TcpStream::connect(broker).await else { return };
                    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                    tokio::join!(pass(near_in, far_out, gate.clone()), pass(far_in, near_out, gate));
                });
            }
        });
        Self { address, open }
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut gate: watch::Receiver<bool>,
) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut bytes = vec![0; 16 * 1_024];
    while let Ok(n @ 1..) = from.read(&mut bytes).await {
        if gate.wait_for(|open| *open).await.is_err() || to.write_all(&bytes[..n]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_cut_is_noticed_and_got_over() {
    let Some(scenario) = exemplar() else { return };
    let broker = Broker::embedded().await;
    let way = Way::to(broker.address()).await;
    let mut house = House::open(config(&format!("mqtt://{}", way.address)));
    house.until("the connection", SOON, House::connected).await;
    let stop = CancellationToken::new();
    let played = played(scenario, &broker.url(), Play { speed: 2.0, repeat: Repeat::Forever }, &stop);
    house.until("readings", SOON, |house| house.readings > 100).await;
    let cut = Instant::now();
    way.open.send_replace(false);
    house.until("the failure", SOON, |house| matches!(house.states.last(), Some(SourceState::Failing { .. }))).await;
    let noticed = cut.elapsed();
    assert!(noticed < Duration::from_secs(14), "{noticed:?}");
    // Long enough for attempts to be under way, and waits at their longest.
    tokio::time::sleep(Duration::from_secs(15).saturating_sub(noticed) + Duration::from_secs(5)).await;
    let (healed, before) = (Instant::now(), house.readings);
    way.open.send_replace(true);
    house
        .until("readings again", Duration::from_secs(10), |house| house.connected() && house.readings > before + 50)
        .await;
    eprintln!("noticed after {noticed:?}, readings again {:?} after it healed", healed.elapsed());
    stop.cancel();
    played.await.unwrap();
    house.close().await;
}

/// Runs a tool that makes certificates.
fn openssl(folder: &Path, arguments: &str) -> Option<()> {
    let run = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).stderr(Stdio::null()).status();
    match run {
        Ok(status) => {
            assert!(status.success(), "openssl {arguments}");
            Some(())
        }
        Err(error) => skipped(&format!("openssl can't be run: {error}")),
    }
}

/// An authority, and a certificate of the broker and one of ours under it.
fn certificates(folder: &Path) -> Option<()> {
    std::fs::write(folder.join("broker.ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        .unwrap();
    std::fs::write(folder.join("ours.ext"), "basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n").unwrap();
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(folder, &format!("req -x509 {new} -keyout ca.key -out ca.pem -days 2 -subj /CN=authority"))?;
    for name in ["broker", "ours"] {
        openssl(folder, &format!("req {new} -keyout {name}.key -out {name}.csr -subj /CN={name}"))?;
        openssl(
            folder,
            &format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile {name}.ext -out {name}.pem"
            ),
        )?;
    }
    // The broker gives up its rights before it reads.
    let status = Command::new("chmod").args(["-R", "a+rX"]).arg(folder).status().unwrap();
    assert!(status.success());
    Some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_opens_a_broker_that_asks_for_one() {
    let folder = tempfile::tempdir().unwrap();
    if certificates(folder.path()).is_none() {
        return;
    }
    let at = |name: &str| folder.path().join(name);
    let more = format!(
        "cafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\n",
        at("ca.pem").display(),
        at("broker.pem").display(),
        at("broker.key").display()
    );
    let Some(broker) = Broker::mosquitto(&more).await else { return };
    let url = format!("mqtts://localhost:{}", broker.address().port());
    let ours = ExchangeConfig {
        auth: Auth::Certificate { certificate: at("ours.pem"), key: at("ours.key") },
        authority: Some(at("ca.pem")),
        ..config(&url)
    };
    let mut house = House::open(ours.clone());
    house.until("the connection", SOON, House::connected).await;
    house.close().await;
    let refused = async |config: ExchangeConfig, what: &str| {
        let mut house = House::open(config);
        house
            .until(
                what,
                SOON,
                |house| matches!(house.states.last(), Some(SourceState::Failing { why, .. }) if why.contains(what)),
            )
            .await;
        house.close().await;
    };
    refused(ExchangeConfig { auth: Auth::None, ..ours.clone() }, "can't be reached").await;
    refused(ExchangeConfig { authority: None, ..ours.clone() }, "can't be reached").await;
    // A file that is not what it should be is named.
    std::fs::write(at("bad.pem"), "no certificate").unwrap();
    refused(ExchangeConfig { authority: Some(at("bad.pem")), ..ours.clone() }, "bad.pem can't be used").await;
    refused(ExchangeConfig { authority: Some(at("gone.pem")), ..ours }, "gone.pem can't be used").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_read_anew_at_each_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let (passwords, token) = (folder.path().join("passwords"), folder.path().join("token"));
    let made =
        Command::new("mosquitto_passwd").arg("-c").arg("-b").arg(&passwords).args(["oauthtoken", "right"]).status();
    if made.is_err() {
        let _: Option<()> = skipped("mosquitto_passwd can't be run");
        return;
    }
    let status = Command::new("chmod").args(["-R", "a+rX"]).arg(folder.path()).status().unwrap();
    assert!(status.success());
    let more = format!("allow_anonymous false\npassword_file {}\n", passwords.display());
    let Some(broker) = Broker::mosquitto(&more).await else { return };
    std::fs::write(&token, "wrong\n").unwrap();
    let auth = Auth::Token { username: "oauthtoken".into(), file: token.clone() };
    let mut house = House::open(ExchangeConfig { auth, ..config(&broker.url()) });
    house.until("the refusal", SOON, |house| matches!(house.states.last(), Some(SourceState::Failing { .. }))).await;
    let Some(SourceState::Failing { why, mend, .. }) = house.states.last() else { panic!("{:?}", house.states) };
    assert!(mend.contains("auth"), "{why}; {mend}");
    assert!(!format!("{:?}", house.states).contains("wrong"));
    std::fs::write(&token, "right\n").unwrap();
    house.until("the connection", SOON, House::connected).await;
    assert!(house.faults.iter().any(|fault| fault.contains("in the clear")), "{:?}", house.faults);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_allows_less_is_asked_for_less() {
    let Some(scenario) = exemplar() else { return };
    let Some(program) = program("MILLWRIGHT_NATS", "nats-server") else { return };
    let (folder, address) = (tempfile::tempdir().unwrap(), free());
    let (config_file, token) = (folder.path().join("nats.conf"), folder.path().join("token"));
    std::fs::write(&token, "secret").unwrap();
    let text = format!(
        r#"server_name: exchange
listen: "127.0.0.1:-1"
jetstream {{ store_dir: "{}" }}
mqtt {{ listen: "{address}" }}
authorization {{ users: [
  {{ user: building, password: secret }}
  {{ user: reader, password: secret, permissions: {{ publish: ["$MQTT.>"], subscribe: ["BMS.v1.PUB.>", "$MQTT.>"] }} }}
  {{ user: nobody, password: secret, permissions: {{ publish: ["$MQTT.>"], subscribe: ["$MQTT.>"] }} }}
] }}
"#,
        folder.path().join("store").display()
    );
    std::fs::write(&config_file, text).unwrap();
    let command = move || {
        let mut command = Command::new(&program);
        command.arg("-c").arg(&config_file);
        command
    };
    let broker = Broker::process(command, address, folder).await;
    let who = |username: &str| Auth::Token { username: username.into(), file: token.clone() };
    let mut house = House::open(ExchangeConfig { auth: who("reader"), ..config(&broker.url()) });
    house.until("the connection", SOON, House::connected).await;
    let bus = MqttBus::open(MqttConfig {
        broker: mqtt::address(&broker.url()).unwrap(),
        client_id: "building".into(),
        auth: who("building"),
        authority: None,
    });
    let stop = CancellationToken::new();
    replay::play(&scenario, &bus, Play { speed: 100.0, repeat: Repeat::Once }, &now_ms, &stop).await;
    house.until("every value", SOON, |house| house.view.borrow().counts.values == 4_545).await;
    assert!(house.connected() && house.points() == 166);
    house.close().await;
    let mut nobody = House::open(ExchangeConfig { auth: who("nobody"), ..config(&broker.url()) });
    let refused = |house: &House| matches!(house.states.last(), Some(SourceState::Failing { why, .. }) if why.contains("does not let us read BMS/v1/"));
    nobody.until("the refusal", SOON, refused).await;
    nobody.close().await;
}
