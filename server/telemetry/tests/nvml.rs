//! The NVML source against a driver that is made up, through the very path by which it loads a real one.
//!
//! Each test has a copy of the library of its own, with its profile beside it: the copies share nothing.
#![cfg(target_os = "linux")]

use model::event::{FleetEvent, Happening};
use model::metric::Metric;
use model::reading::SeriesKey;
use model::source::SourceState;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use telemetry::nvml::{Feature, Inventory, NvmlConfig, NvmlSource, look};
use telemetry::source::{Batch, Brought, Sink, Source};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A tick with each reading of GPU 0, a second long: the same on a slow machine as on a fast one.
const STEPS: &str = "[clock]\nby = \"reading\"\ntick_ms = 1000\n";
const H100: &str = "8xh100.toml";
const PATIENCE: Duration = Duration::from_secs(30);

/// The library, where cargo put it: beside the tests, or one folder up.
fn library() -> PathBuf {
    let here = std::env::current_exe().expect("this test has a path");
    let folders: Vec<&Path> = here.ancestors().skip(1).take(2).collect();
    let ours = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with("libfake_nvml") && path.extension().is_some_and(|end| end == "so")
    };
    let age = |path: &PathBuf| path.metadata().and_then(|about| about.modified()).ok();
    let found = folders.iter().filter_map(|folder| folder.read_dir().ok()).flatten().flatten();
    found.map(|entry| entry.path()).filter(ours).max_by_key(age).unwrap_or_else(|| {
        panic!(
            "libfake_nvml.so is in none of {folders:?}: `cargo build -p fake-nvml` makes it, as does the dev-dependency"
        )
    })
}

fn profile(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fake-nvml/profiles").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The profile under full load from the start.
fn busy(name: &str) -> String {
    let text = profile(name);
    let (before, _) = text.split_once("points = ").expect("a profile has a load");
    format!("{before}points = [[0.0, 1.0], [100000.0, 1.0]]\nless_each = 0.02\n")
}

/// A driver that plays a profile.
struct Driver {
    _folder: tempfile::TempDir,
    config: NvmlConfig,
}

impl Driver {
    fn of(profile: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("libnvidia-ml.so.1.fake");
        std::fs::copy(library(), &path).expect("the library can be copied");
        std::fs::write(path.with_extension("toml"), profile).expect("the profile can be written");
        let (host, rack, hall) = (Some("node-1".into()), Some("r07".into()), Some("hall-a".into()));
        let config = NvmlConfig { every_ms: 10, library: Some(path), host, rack, hall, ..NvmlConfig::default() };
        Self { _folder: folder, config }
    }

    /// Runs the source until it has brought enough.
    async fn play(&self, enough: impl Fn(&Heard) -> bool) -> Heard {
        let source = NvmlSource::new("gpus", self.config.clone());
        let inventory = source.inventory();
        let (queue, mut from) = mpsc::channel(64);
        let stop = CancellationToken::new();
        let run = tokio::spawn(Box::new(source).run(Sink::new(7, queue), stop.clone()));
        let mut heard = Heard::default();
        let until = Instant::now() + PATIENCE;
        while !enough(&heard) {
            let left = until.saturating_duration_since(Instant::now());
            let brought = tokio::time::timeout(left, from.recv()).await;
            let (source, brought) = brought.unwrap_or_else(|_| panic!("not enough in time: {heard:#?}")).expect("open");
            assert_eq!(source, 7);
            heard.add(brought);
        }
        heard.inventory.clone_from(&inventory.borrow());
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(5), run).await.expect("it ends when told").expect("it does not panic");
        heard
    }

    async fn samples(&self, count: usize) -> Heard {
        self.play(|heard| heard.batches.len() >= count).await
    }
}

/// What a source brought.
#[derive(Default)]
struct Heard {
    batches: Vec<Batch>,
    events: Vec<(FleetEvent, usize)>,
    states: Vec<SourceState>,
    faults: Vec<String>,
    peers: Vec<String>,
    inventory: Option<Inventory>,
}

impl std::fmt::Debug for Heard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { batches, events, states, faults, peers, .. } = self;
        write!(f, "{} batches, {events:#?}, {states:#?}, {faults:#?}, {peers:?}", batches.len())
    }
}

impl Heard {
    fn add(&mut self, brought: Brought) {
        match brought {
            Brought::Readings(batch) => self.batches.push(batch),
            Brought::Event(event) => self.events.push((event, self.batches.len())),
            Brought::State(state) => self.states.push(state),
            Brought::Fault(fault) => self.faults.push(fault),
            Brought::Peer(peer) => self.peers.push(peer),
        }
    }
    /// Each value of a GPU's metric, with the number of its sample.
    fn values(&self, metric: Metric, gpu: usize) -> Vec<(usize, f64)> {
        let gpu = gpu.to_string();
        let of = |key: &SeriesKey| {
            key.name == metric.name() && key.labels.get("gpu") == Some(&gpu) && key.labels.get("mig").is_none()
        };
        let read = |(number, batch): (usize, &Batch)| {
            batch.readings.iter().find(|(key, ..)| of(key)).map(|(.., value)| (number, *value))
        };
        self.batches.iter().enumerate().filter_map(read).collect()
    }
    fn last(&self, metric: Metric, gpu: usize) -> Option<f64> {
        self.values(metric, gpu).last().map(|(_, value)| *value)
    }
    fn metrics(&self, gpu: usize) -> BTreeSet<Metric> {
        Metric::ALL.iter().copied().filter(|metric| !self.values(*metric, gpu).is_empty()).collect()
    }
    fn what(&self) -> Vec<(&str, &Happening)> {
        self.events.iter().map(|(event, _)| (event.gpu.as_deref().unwrap_or_default(), &event.what)).collect()
    }
}

fn close(is: Option<f64>, ought: f64) {
    let is = is.unwrap_or(f64::NAN);
    assert!((is - ought).abs() <= 1e-3 * ought.abs() + 1e-9, "{is} ought to be {ought}");
}

fn uuid(gpu: usize) -> String {
    format!("GPU-4d696c6c-7772-6967-6874-0000000010{gpu:02x}")
}

/// What a GPU without fans, and with MIG off, tells.
const ALL: &[Metric] = &[
    Metric::GpuPower,
    Metric::GpuPowerLimit,
    Metric::GpuPowerLimitDefault,
    Metric::GpuPowerLimitMin,
    Metric::GpuPowerLimitMax,
    Metric::GpuEnergy,
    Metric::GpuTemperature,
    Metric::GpuMemoryTemperature,
    Metric::GpuUtilization,
    Metric::GpuMemoryUtilization,
    Metric::GpuGraphicsActive,
    Metric::GpuTensorActive,
    Metric::GpuDramActive,
    Metric::GpuEncoderUtilization,
    Metric::GpuDecoderUtilization,
    Metric::GpuSmClock,
    Metric::GpuMemoryClock,
    Metric::GpuMemoryUsed,
    Metric::GpuMemoryFree,
    Metric::GpuMemoryReserved,
    Metric::GpuMemoryTotal,
    Metric::GpuPcieReplays,
    Metric::GpuPcieSent,
    Metric::GpuPcieReceived,
    Metric::GpuNvlinkBandwidth,
    Metric::GpuNvlinkActive,
    Metric::GpuNvlinkErrors,
    Metric::GpuEccCorrected,
    Metric::GpuEccUncorrected,
    Metric::GpuRemappedCorrectable,
    Metric::GpuRemappedUncorrectable,
    Metric::GpuRemapPending,
    Metric::GpuRemapFailure,
    Metric::GpuClockEvents,
    Metric::GpuPowerViolation,
    Metric::GpuThermalViolation,
    Metric::GpuPerformanceState,
    Metric::GpuMigMode,
    Metric::GpuProcesses,
];

#[tokio::test]
async fn eight_h100_come_through_in_si_units_under_their_own_labels() {
    let heard = Driver::of(&(busy(H100) + STEPS)).samples(200).await;
    assert_eq!(heard.states, [SourceState::Connected]);
    assert!(heard.faults.is_empty() && heard.events.is_empty(), "{heard:?}");
    assert_eq!(heard.peers, ["8 × NVIDIA H100 80GB HBM3, driver 550.163.01, CUDA 12.4"]);
    for gpu in 0..8 {
        assert_eq!(heard.metrics(gpu), ALL.iter().copied().collect(), "GPU {gpu}");
        let load = 1.0 - 0.02 * gpu as f64;
        for (metric, ought) in [
            (Metric::GpuPower, 95.0 + 595.0 * load),
            (Metric::GpuPowerLimit, 700.0),
            (Metric::GpuPowerLimitMin, 200.0),
            (Metric::GpuPowerLimitMax, 700.0),
            (Metric::GpuTemperature, (34.0 + 38.0 * load).round()),
            (Metric::GpuMemoryTemperature, (42.0 + 38.0 * load).round()),
            (Metric::GpuSmClock, 1.98e9),
            (Metric::GpuMemoryClock, 1.593e9),
            (Metric::GpuUtilization, load),
            (Metric::GpuTensorActive, 0.45 * load),
            (Metric::GpuMemoryTotal, 85_899_345_920.0),
            (Metric::GpuMemoryUsed, 68_719_476_736.0),
            (Metric::GpuMemoryFree, 16_106_127_360.0),
            (Metric::GpuMemoryReserved, 1_073_741_824.0),
            (Metric::GpuPcieSent, 2e9 * load),
            (Metric::GpuPcieReceived, 5e9 * load),
            (Metric::GpuNvlinkBandwidth, 2.0 * 0.2 * 18.0 * 25e9 * load),
            (Metric::GpuNvlinkActive, 18.0),
            (Metric::GpuClockEvents, 0.0),
            (Metric::GpuPerformanceState, 0.0),
            (Metric::GpuMigMode, 0.0),
            (Metric::GpuProcesses, 1.0),
        ] {
            let is = heard.last(metric, gpu);
            assert!(is.is_some(), "{metric} of GPU {gpu}");
            close(is, ought);
        }
    }
}

#[tokio::test]
async fn a_series_has_one_key_for_good_and_few_labels() {
    let heard = Driver::of(&(busy(H100) + STEPS)).samples(12).await;
    let mut keys: BTreeMap<Arc<SeriesKey>, Arc<SeriesKey>> = BTreeMap::new();
    for (key, ..) in heard.batches.iter().flat_map(|batch| &batch.readings) {
        let first = keys.entry(key.clone()).or_insert_with(|| key.clone());
        assert!(Arc::ptr_eq(first, key), "{key} was made twice");
    }
    assert_eq!(keys.len(), 8 * ALL.len());
    for key in keys.keys() {
        let labels: Vec<(&str, &str)> = key.labels.iter().collect();
        let gpu = key.labels.get("gpu").unwrap();
        let id = uuid(gpu.parse().unwrap());
        let ought = [("gpu", gpu), ("hall", "hall-a"), ("host", "node-1"), ("model", "NVIDIA H100 80GB HBM3")];
        assert_eq!(labels, [&ought[..], &[("rack", "r07"), ("uuid", &id)]].concat());
    }
    let slow = heard.values(Metric::GpuNvlinkActive, 3);
    assert!(slow.len() <= 3, "what is slow is read with one sample of ten: {slow:?}");
}

#[tokio::test]
async fn four_gb300_come_through() {
    let heard = Driver::of(&(busy("4xgb300.toml") + STEPS)).samples(200).await;
    let found = heard.inventory.as_ref().unwrap();
    assert_eq!((found.gpus.len(), found.cuda_version.as_deref()), (4, Some("12.8")));
    assert_eq!(found.gpus[3].architecture.as_deref(), Some("Blackwell"));
    close(heard.last(Metric::GpuPower, 0), 1370.0);
    close(heard.last(Metric::GpuPowerLimitMax, 2), 1600.0);
    close(heard.last(Metric::GpuMemoryTotal, 3), 309_237_645_312.0);
    close(heard.last(Metric::GpuNvlinkBandwidth, 0), 2.0 * 0.2 * 18.0 * 50e9);
    assert!(heard.metrics(4).is_empty());
}

#[tokio::test]
async fn the_energy_counter_is_the_power_added_up() {
    // A reading each second of a load that rises, stays, and falls.
    let load =
        busy(H100).replace("[[0.0, 1.0], [100000.0, 1.0]]", "[[0.0, 0.0], [20.0, 1.0], [40.0, 1.0], [60.0, 0.1]]");
    let heard = Driver::of(&(load + STEPS)).samples(60).await;
    for gpu in 0..8 {
        let (power, energy) = (heard.values(Metric::GpuPower, gpu), heard.values(Metric::GpuEnergy, gpu));
        assert_eq!((power.len(), energy.len()), (heard.batches.len(), heard.batches.len()));
        let added: f64 = power.windows(2).map(|pair| f64::midpoint(pair[0].1, pair[1].1)).sum();
        let counted = energy[energy.len() - 1].1 - energy[0].1;
        assert!((counted / added - 1.0).abs() < 0.005, "GPU {gpu}: {counted} J counted, {added} J added up");
        assert!(added > 59.0 * 95.0 * 2.0, "there was a load");
    }
}

#[tokio::test]
async fn a_host_without_a_driver_is_absent_and_nothing_is_wrong() {
    let config = NvmlConfig { library: Some("/nowhere/libnvidia-ml.so.1".into()), ..NvmlConfig::default() };
    let driver = Driver { _folder: tempfile::tempdir().unwrap(), config: NvmlConfig { every_ms: 10, ..config } };
    let heard = driver.play(|heard| !heard.states.is_empty()).await;
    assert!(matches!(&heard.states[..], [SourceState::Absent { why }] if why.contains("/nowhere")), "{heard:?}");
    assert!(heard.batches.is_empty() && heard.faults.is_empty());
    let none = Driver::of(&profile(H100).replace(&between(&profile(H100), "pci_bus_ids = [", "]"), ""));
    let heard = none.play(|heard| !heard.states.is_empty()).await;
    assert!(matches!(&heard.states[..], [SourceState::Absent { why }] if why.contains("no GPU")), "{heard:?}");
}

fn between(text: &str, start: &str, end: &str) -> String {
    let rest = text.split_once(start).expect("it starts").1;
    rest.split_once(end).expect("it ends").0.to_owned()
}

#[tokio::test]
async fn a_driver_that_fails_says_why_and_what_to_do_and_is_tried_again() {
    let fault = "[[fault]]\nkind = \"init\"\ncode = 9\ntimes = 3\n";
    let heard = Driver::of(&(busy(H100) + STEPS + fault)).samples(1).await;
    let [SourceState::Failing { why, mend, .. }, SourceState::Connected] = &heard.states[..] else {
        panic!("once failing and then connected: {heard:?}")
    };
    assert!(why.contains("not loaded") && mend.contains("modprobe nvidia"), "{why}: {mend}");
}

#[tokio::test]
async fn what_a_gpu_does_not_have_is_absent_never_zero_and_not_asked_for_again() {
    // Whoever asks again after the fifth sample is held up for an hour.
    let held = "[[fault]]\nkind = \"hang\"\ncall = \"nvmlDeviceGetEncoderUtilization\"\nat = 5.0\nms = 3600000\n";
    let without = "unsupported = [\"nvmlDeviceGetFanSpeed_v2\", \"nvmlDeviceGetEncoderUtilization\", \"field:82\", \
                   \"field:143\", \"nvmlGpmSampleGet\", \"nvmlDeviceGetNvLinkState\", \"field:52\"]";
    let text = busy(H100).replace("unsupported = [\"nvmlDeviceGetFanSpeed_v2\"]", without);
    let heard = Driver::of(&(text + STEPS + held)).samples(30).await;
    let lacking = [
        Metric::GpuEncoderUtilization,
        Metric::GpuMemoryTemperature,
        Metric::GpuRemappedUncorrectable,
        Metric::GpuGraphicsActive,
        Metric::GpuTensorActive,
        Metric::GpuDramActive,
        Metric::GpuNvlinkBandwidth,
        Metric::GpuNvlinkActive,
    ];
    let ought: BTreeSet<Metric> = ALL.iter().copied().filter(|metric| !lacking.contains(metric)).collect();
    assert_eq!(heard.metrics(5), ought);
    assert!(heard.faults.is_empty(), "{heard:?}");
    // PCIe traffic then comes from the slower call.
    close(heard.last(Metric::GpuPcieReceived, 0), 5e9);
}

#[tokio::test]
async fn an_xid_arrives_within_a_second_even_of_a_gpu_that_is_gone_by_then() {
    let story = "[clock]\nby = \"time\"\ntick_ms = 100\n\
                 [[fault]]\nkind = \"xid\"\ngpu = 3\nat = 8.0\ncode = 79\n\
                 [[fault]]\nkind = \"lost\"\ngpu = 3\nfrom = 8.0\nto = 1e9\n\
                 [[fault]]\nkind = \"xid\"\ngpu = 5\nat = 12.0\ncode = 94\n\
                 [[fault]]\nkind = \"double-bit\"\ngpu = 6\nat = 14.0\n\
                 [[fault]]\nkind = \"xid\"\ngpu = 6\nat = 15.0\ncode = 48\n\
                 [[fault]]\nkind = \"xid\"\ngpu = 6\nat = 16.0\ncode = 63\n";
    let driver = Driver::of(&(busy(H100) + story));
    let heard = driver.play(|heard| heard.events.len() >= 5 && heard.last(Metric::GpuLastXid, 6) == Some(63.0)).await;
    let began = heard.batches[0].at_ms;
    let told = |gpu: usize, is: &Happening| {
        let found = heard.events.iter().find(|(event, _)| event.gpu == Some(uuid(gpu)) && event.what == *is);
        found.unwrap_or_else(|| panic!("no {is:?} of GPU {gpu}: {heard:?}")).0.clone()
    };
    let xid = |code| Happening::Xid { code, detail: None };
    let double_bit = Happening::Xid { code: 48, detail: Some("double-bit ECC error".into()) };
    for (gpu, is, at_ms) in [(3, xid(79), 800), (5, xid(94), 1200), (6, double_bit, 1400), (6, xid(63), 1600)] {
        let event = told(gpu, &is);
        let late = event.at_ms - began - at_ms;
        assert!((-300..1000).contains(&late), "{event:?} came {late} ms late");
        assert_eq!((event.source.as_str(), event.host.as_deref()), ("gpus", Some("node-1")));
    }
    assert!(told(3, &Happening::GpuLost).message.contains("fell off the bus"));
    assert_eq!(heard.events.len(), 5, "a double-bit error that is told twice is one: {heard:?}");
    assert_eq!(heard.last(Metric::GpuLastXid, 0), None, "a GPU without an XID has no last one");
    let newest = heard.values(Metric::GpuLastXid, 3).last().map_or(0, |(number, _)| *number);
    assert!(newest + 1 < heard.batches.len(), "nothing is told of a GPU that is gone");
}

#[tokio::test]
async fn a_lost_gpu_is_told_once_leaves_the_others_going_and_is_told_when_it_is_back() {
    let story = "[[fault]]\nkind = \"lost\"\ngpu = 2\nfrom = 5.0\nto = 25.0\n\
                 [[fault]]\nkind = \"xid\"\ngpu = 2\nat = 70.0\ncode = 31\n";
    let driver = Driver::of(&(busy(H100) + STEPS + story));
    let heard = driver.play(|heard| heard.batches.len() >= 60 && heard.events.len() >= 3).await;
    let id = uuid(2);
    let xid = Happening::Xid { code: 31, detail: None };
    assert_eq!(heard.what(), [(&*id, &Happening::GpuLost), (&*id, &Happening::GpuBack), (&*id, &xid)]);
    let (lost, back) = (heard.events[0].1, heard.events[1].1);
    for gpu in (0..8).filter(|gpu| *gpu != 2) {
        assert_eq!(heard.values(Metric::GpuPower, gpu).len(), heard.batches.len(), "GPU {gpu}");
    }
    let read: BTreeSet<usize> = heard.values(Metric::GpuPower, 2).into_iter().map(|(number, _)| number).collect();
    assert!(
        read.contains(&(lost - 1)) && (lost..back).all(|number| !read.contains(&number)),
        "{lost} to {back}: {read:?}"
    );
    assert!((lost, back) > (3, 24) && back < 45 && read.contains(&(back + 1)), "{lost} to {back}: {read:?}");
    assert_eq!(heard.states, [SourceState::Connected], "one GPU is not the source");
    assert!(heard.faults.is_empty(), "{heard:?}");
}

#[tokio::test]
async fn a_driver_that_hangs_is_said_to_and_goes_on_when_it_answers() {
    let story = "[[fault]]\nkind = \"hang\"\ncall = \"nvmlDeviceGetTotalEnergyConsumption\"\nat = 5.0\nms = 1500\n";
    let mut driver = Driver::of(&(busy(H100) + STEPS + story));
    driver.config.patience_ms = 300;
    let heard = driver.play(|heard| heard.states.len() >= 3 && heard.batches.len() >= 10).await;
    let [SourceState::Connected, SourceState::Failing { why, since_ms, .. }, SourceState::Connected] =
        &heard.states[..]
    else {
        panic!("connected, failing, connected: {heard:?}")
    };
    assert!(why.starts_with("the driver does not answer since ") && why.ends_with(" UTC"), "{why}");
    let gap = heard.batches.windows(2).find(|pair| pair[1].at_ms - pair[0].at_ms >= 1400);
    let [held, _] = gap.unwrap_or_else(|| panic!("no sample was held up: {heard:?}")) else { unreachable!() };
    assert!((-5..500).contains(&(since_ms - held.at_ms)), "{since_ms} and {}", held.at_ms);
}

#[tokio::test]
async fn a_source_ends_when_told_to_even_while_the_driver_hangs() {
    let story = "[[fault]]\nkind = \"hang\"\ncall = \"nvmlDeviceGetUtilizationRates\"\nat = 2.0\nms = 3600000\n";
    let mut driver = Driver::of(&(busy(H100) + STEPS + story));
    driver.config.patience_ms = 200;
    let heard = driver.play(|heard| heard.states.len() >= 2).await;
    assert!(matches!(&heard.states[1], SourceState::Failing { .. }), "{heard:?}");
}

#[tokio::test]
async fn what_goes_wrong_with_a_gpu_shows_in_its_counters() {
    let story = "[[fault]]\nkind = \"ecc\"\ngpu = 1\nfrom = 4.0\ncorrected = 3\nuncorrected = 1\n\
                 [[fault]]\nkind = \"throttle\"\ngpu = 2\nfrom = 0.0\nto = 1e9\nby = \"power-cap\"\n\
                 [[fault]]\nkind = \"throttle\"\ngpu = 3\nfrom = 10.0\nto = 1e9\nby = \"thermal\"\n\
                 [[fault]]\nkind = \"throttle\"\ngpu = 4\nfrom = 0.0\nto = 1e9\nby = \"power-brake\"\n\
                 [[fault]]\nkind = \"nvlink\"\ngpu = 5\nfrom = 0.0\nto = 1e9\ndown = 2\nerrors = 7\n";
    let heard = Driver::of(&(busy(H100) + STEPS + story)).samples(40).await;
    let ticks = heard.batches.len() as f64;
    close(heard.last(Metric::GpuEccCorrected, 1), 3.0 * (ticks - 4.0));
    close(heard.last(Metric::GpuEccUncorrected, 1), ticks - 4.0);
    close(heard.last(Metric::GpuRemapPending, 1), 1.0);
    close(heard.last(Metric::GpuEccCorrected, 0), 0.0);
    close(heard.last(Metric::GpuPowerLimit, 2), 350.0);
    close(heard.last(Metric::GpuPower, 2), 350.0);
    close(heard.last(Metric::GpuClockEvents, 2), f64::from(0x4));
    close(heard.last(Metric::GpuPowerViolation, 2), ticks);
    close(heard.last(Metric::GpuClockEvents, 3), f64::from(0x20 | 0x40));
    close(heard.last(Metric::GpuThermalViolation, 3), ticks - 10.0);
    close(heard.last(Metric::GpuClockEvents, 4), f64::from(0x8 | 0x80));
    assert!(heard.last(Metric::GpuSmClock, 4).unwrap() < 1.7e9);
    close(heard.last(Metric::GpuNvlinkActive, 5), 16.0);
    let (number, errors) = heard.values(Metric::GpuNvlinkErrors, 5).pop().unwrap();
    close(Some(errors), 7.0 * (number + 1) as f64);
}

#[tokio::test]
async fn an_error_is_said_once_for_as_long_as_it_is_the_same() {
    let story = "[[fault]]\nkind = \"error\"\ngpu = 1\ncall = \"nvmlDeviceGetTemperature\"\ncode = 4\nfrom = 3.0\nto = 12.0\n\
                 [[fault]]\nkind = \"error\"\ngpu = 1\ncall = \"nvmlDeviceGetClockInfo\"\ncode = 999\nfrom = 3.0\nto = 12.0\n\
                 [[fault]]\nkind = \"error\"\ngpu = 1\ncall = \"nvmlDeviceGetTemperature\"\ncode = 77\nfrom = 12.0\nto = 20.0\n";
    let heard = Driver::of(&(busy(H100) + STEPS + story)).samples(30).await;
    let [first, second] = &heard.faults[..] else { panic!("two: {heard:?}") };
    assert!(first.starts_with("GPU 1: gpu temperature: ") && first.contains("permission"), "{first}");
    assert!(first.contains("clock of the processors: ") && first.contains("clock of the memory: "), "{first}");
    assert!(second.contains("error 77"), "{second}");
    let read = heard.values(Metric::GpuTemperature, 1).len();
    assert_eq!(read, heard.batches.len() - 17, "a value that was not read is absent");
    assert_eq!(heard.values(Metric::GpuPower, 1).len(), heard.batches.len());
    assert_eq!(heard.states, [SourceState::Connected]);
}

#[tokio::test]
async fn a_driver_that_is_unloaded_fails_and_is_opened_again() {
    let story = "[[fault]]\nkind = \"error\"\ncall = \"nvmlDeviceGetPowerUsage\"\ncode = 1\nfrom = 5.0\nto = 8.0\n";
    let heard = Driver::of(&(busy(H100) + STEPS + story)).samples(12).await;
    let [SourceState::Connected, .., SourceState::Connected] = &heard.states[..] else { panic!("{heard:?}") };
    assert!(heard.states.iter().any(|state| matches!(state, SourceState::Failing { .. })), "{heard:?}");
    assert!(heard.peers.len() >= 2 && heard.events.is_empty(), "{heard:?}");
}

#[tokio::test]
async fn mig_instances_have_memory_of_their_own() {
    let story = "[[mig]]\ngpu = 1\nindex = 0\nprofile = \"3g.40gb\"\nmemory_bytes = 42949672960\nused_bytes = 1073741824\n\
                 [[mig]]\ngpu = 1\nindex = 4\nprofile = \"1g.10gb\"\nmemory_bytes = 10737418240\nused_bytes = 0\n";
    let heard = Driver::of(&(busy(H100) + STEPS + story)).samples(3).await;
    let of = |metric: Metric| -> Vec<(String, f64)> {
        let all = heard.batches.iter().flat_map(|batch| &batch.readings);
        let named = all.filter(|(key, ..)| key.name == metric.name());
        named.filter_map(|(key, _, value)| Some((key.labels.get("mig")?.to_owned(), *value))).collect()
    };
    assert_eq!(of(Metric::GpuMemoryTotal), [("0".into(), 42_949_672_960.0), ("4".into(), 10_737_418_240.0)]);
    assert_eq!(of(Metric::GpuMemoryUsed), [("0".into(), 1_073_741_824.0), ("4".into(), 0.0)]);
    close(heard.last(Metric::GpuMigMode, 1), 1.0);
    close(heard.last(Metric::GpuMigMode, 0), 0.0);
    let found = heard.inventory.unwrap();
    assert_eq!(found.gpus[1].mig, Feature::On);
    let names: Vec<&str> = found.gpus[1].mig_devices.iter().filter_map(|mig| mig.name.as_deref()).collect();
    assert_eq!(names, ["NVIDIA H100 80GB HBM3 MIG 3g.40gb", "NVIDIA H100 80GB HBM3 MIG 1g.10gb"]);
}

#[test]
fn one_look_tells_what_there_is() {
    let driver = Driver::of(&(busy(H100) + STEPS));
    let found = look(&driver.config).unwrap();
    assert!(found.faults.is_empty(), "{found:?}");
    assert_eq!(found.batch.readings.len(), 8 * ALL.len());
    let inventory = &found.inventory;
    assert_eq!((inventory.host.as_str(), inventory.nvml_version.as_deref()), ("node-1", Some("12.550.163.01")));
    let gpu = &inventory.gpus[7];
    assert_eq!((gpu.index, gpu.uuid.clone(), gpu.serial.as_deref()), (7, Some(uuid(7)), Some("1650000000107")));
    assert_eq!((gpu.pci_bus_id.as_deref(), gpu.pci_device_id), (Some("00000000:CB:00.0"), Some(0x2330_10DE)));
    assert_eq!((gpu.architecture.as_deref(), gpu.compute_capability.as_deref()), (Some("Hopper"), Some("9.0")));
    assert_eq!((gpu.persistence, gpu.ecc, gpu.mig), (Feature::On, Feature::On, Feature::Off));
    assert_eq!((gpu.power_limit_min_w, gpu.power_limit_max_w), (Some(200.0), Some(700.0)));
    let json = serde_json::to_string(inventory).unwrap();
    assert_eq!(serde_json::from_str::<Inventory>(&json).unwrap(), *inventory);
}

#[test]
fn the_profile_that_the_environment_names_is_played() {
    const NAME: &str = "MILLWRIGHT_FAKE_NVML";
    let config = NvmlConfig { library: Some(library()), ..NvmlConfig::default() };
    if std::env::var_os(NAME).is_some() {
        assert_eq!(look(&config).unwrap().inventory.gpus.len(), 4);
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fake-nvml/profiles/4xgb300.toml");
    let this = std::env::current_exe().unwrap();
    let test = "the_profile_that_the_environment_names_is_played";
    let ran = Command::new(this).args(["--exact", test]).env(NAME, path).output().unwrap();
    assert!(ran.status.success() && String::from_utf8_lossy(&ran.stdout).contains("1 passed"), "{ran:?}");
    assert_eq!(look(&config).unwrap().inventory.gpus.len(), 8, "and eight H100 where it names none");
}
