use super::*;
use crate::source::{Brought, Sink, Source as _};
use model::source::SourceState;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A file of the shared data; `None`, said aloud, where it is missing.
pub(crate) fn data(name: &str) -> Option<String> {
    let folder = std::env::var("MILLWRIGHT_DATA")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let found = fs::read(folder.join(name)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).ok();
    if found.is_none() {
        assert!(std::env::var("CI").is_err(), "{name} is missing");
        eprintln!("skipped: {name} is missing");
    }
    found
}

const NOW: i64 = 1_760_000_000_000; // 9 October 2025

fn parser() -> Parser {
    Parser::of("log", None, Clock { boot_ms: Some(1_000_000), utc_offset_s: 0 })
}

fn read(text: &str) -> Vec<FleetEvent> {
    let mut parser = parser();
    text.lines().filter_map(|line| parser.line(line.as_bytes(), NOW)).collect()
}

fn one(line: &str) -> FleetEvent {
    let mut events = read(line);
    assert_eq!(events.len(), 1, "{line}: {events:?}");
    events.remove(0)
}

fn xid(event: &FleetEvent) -> u32 {
    let Happening::Xid { code, .. } = event.what else { panic!("{event:?}") };
    code
}

#[test]
fn agrees_with_the_capture_of_xid_119() {
    let Some(text) = data("telemetry/gpud/dmesg_xid119.log") else { return };
    let events = read(&text);
    assert_eq!(events.iter().map(xid).collect::<Vec<_>>(), [119; 5]);
    let first = stamp::civil(2025, 2, 23).unwrap() + ((16 * 60 + 24) * 60 + 18) * 1_000;
    assert_eq!(events.iter().map(|event| (event.at_ms - first) / 1_000).collect::<Vec<_>>(), [0, 6, 12, 174, 355]);
    for event in &events {
        assert_eq!(event.gpu.as_deref(), Some("GPU-509665ad-b600-ac93-3616-d754b23d636d"), "the line before names it");
    }
    assert!(events[0].message.starts_with("NVRM: Xid (PCI:0000:9b:00): 119, pid=2024380"));
}

#[test]
fn agrees_with_captures_that_hold_none_or_a_switchs_error() {
    let Some(text) = data("telemetry/gpud/kmsg1.log") else { return };
    assert_eq!(read(&text), []);
    let Some(text) = data("telemetry/gpud/fabricmanager.log") else { return };
    let events = read(&text);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].what, Happening::Sxid { code: 12_028, fatal: false });
    assert_eq!(events[0].at_ms, stamp::civil(2025, 2, 27).unwrap() + ((15 * 60 + 10) * 60 + 2) * 1_000);
}

#[test]
fn every_shape_of_an_xid_line_is_read() {
    let b9 = "0000:b9:00.0";
    for (line, code, gpu) in [
        (
            "6,1234,5678901,-;NVRM: Xid (PCI:0000:06:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
            79,
            "0000:06:00.0",
        ),
        ("3,42,2000001,-,caller=T17;NVRM: Xid (PCI:0000:b9:00): 94", 94, b9),
        ("[...] NVRM: Xid (0000:03:00): 14, Channel 00000001", 14, "0000:03:00.0"),
        ("NVRM: Xid (PCI:0000:b9:00.0): 119, pid=1, name=a, Timeout after 6s", 119, b9),
        ("<4>[  680.646286] NVRM: Xid (PCI:0000:b9:00): 63, pid=1850, Row Remapper: New row marked", 63, b9),
        (
            "[  12.5][ T1234] NVRM: Xid (PCI:0009:01:00): 149, NETIR_LINK_EVT Fatal XC0 i0 Link 01 (0x021425c6)",
            149,
            "0009:01:00.0",
        ),
        (
            "kernel: [16450076.435584] NVRM: Xid (PCI:0000:19:00): 62, 32260b5e 000154b0 00000000 2026da96",
            62,
            "0000:19:00.0",
        ),
        (
            "Oct  8 13:20:25 pc kernel: NVRM: Xid (PCI:0000:03:00 GPU-I:05): 13, Graphics SM Warp Exception",
            13,
            "0000:03:00.0",
        ),
        ("2025-02-23T16:24:18+0000 node7 kernel: NVRM: XID (PCI:00000001:AB:1C): 69, pid=1", 69, "0001:ab:1c.0"),
        ("T0+1s NVRM: Xid (PCI:0000:10:1c): 46", 46, "0000:10:1c.0"),
    ] {
        let Some(event) = parser().line(line.as_bytes(), NOW) else {
            assert!(line.starts_with("T0"), "{line}");
            continue;
        };
        assert_eq!((xid(&event), event.gpu.as_deref()), (code, Some(gpu)), "{line}");
        assert!(event.message.starts_with("NVRM: X"), "{line}");
    }
}

#[test]
fn a_line_that_is_no_error_is_none() {
    for line in [
        "",
        "NVRM:",
        "NVRM: Xid",
        "NVRM: Xid : 32, pid=2280636",
        "NVRM: Xid (PCI:0000:66:00): abc, pid=1",
        "NVRM: Xid (PCI:0000:66:00): 79abc",
        "NVRM: Xid (PCI:0000:66:00",
        "NVRM: Xid (PCI:zz): 79",
        "NVRM: Xid (PCI:0000:66:00): 99999999999999999999",
        "NVRM: GPU at PCI:0000:66:00: GPU-12345678-1234-5678-9abc-def012345678",
        "NVRM: GPU Board Serial Number: 1650124014249",
        "NVRM: Rate limiting GSP RPC error prints for GPU at PCI:0000:9b:00 (printing 1 of every 30).  The GPU likely needs to be reset.",
        "nvidia-nvswitch3: open (major=510)",
        "nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): garbled, Fatal",
        "{",
        "{}",
        "{\"MESSAGE\":null}",
    ] {
        assert_eq!(read(line), [], "{line}");
    }
}

#[test]
fn only_the_kernel_is_believed() {
    for line in [
        "Feb 23 16:24:18 node7 job[4711]: NVRM: Xid (PCI:0000:06:00): 79, GPU has fallen off the bus.",
        "Feb 23 16:24:18 node7 job[4711]: kernel said \"NVRM: Xid (PCI:0000:06:00): 79\"",
        "Feb 23 16:24:18 node7 logger: NVRM: Xid (PCI:0000:06:00): 79",
        "Feb 23 16:24:18 node7 logger: kernel: NVRM: Xid (PCI:0000:06:00): 79",
        "Feb 23 16:24:18 node7 job[4711]: kernel: NVRM: Xid (PCI:0000:06:00): 79",
        "Feb 23 16:24:18 node7 job[4711]: [680111.646286] NVRM: Xid (PCI:0000:06:00): 79",
        "2025-02-23T16:24:18+0000 node7 job[4711]: 6,1,5,-; Linux version 5.15.0",
        "<14>1 2025-02-23T16:24:18Z node7 job 4711 - - NVRM: Xid (PCI:0000:06:00): 79",
        r#"{"MESSAGE":"NVRM: Xid (PCI:0000:06:00): 79","_TRANSPORT":"stdout","__REALTIME_TIMESTAMP":"1"}"#,
    ] {
        assert_eq!(read(line), [], "{line}");
    }
    assert_eq!(xid(&one("<6>1 2025-02-23T16:24:18Z node7 kernel - - - NVRM: Xid (PCI:0000:06:00): 79")), 79);
    let switch =
        one("Feb 27 15:10:02 node7 nv-fabricmanager[2012]: [tid 7] detected NVSwitch fatal error 12028 on fid 0");
    assert_eq!(switch.what, Happening::Sxid { code: 12_028, fatal: true });
}

#[test]
fn times_are_reckoned_from_boot_year_and_zone() {
    let at = |line: &str| one(line).at_ms;
    assert_eq!(at("6,1,5678901,-;NVRM: Xid (PCI:0000:06:00): 79"), 1_005_678);
    assert_eq!(at("[  12.5] NVRM: Xid (PCI:0000:06:00): 79"), 1_012_500);
    assert_eq!(at("NVRM: Xid (PCI:0000:06:00): 79"), NOW);
    assert_eq!(
        at("Oct  8 00:00:00 n kernel: [  12.5] NVRM: Xid (PCI:0000:06:00): 79"),
        stamp::civil(2025, 10, 8).unwrap()
    );
    assert_eq!(at("Dec 31 00:00:00 n kernel: NVRM: Xid (PCI:0000:06:00): 79"), stamp::civil(2024, 12, 31).unwrap());
    assert_eq!(at("Feb 29 00:00:00 n kernel: NVRM: Xid (PCI:0000:06:00): 79"), stamp::civil(2024, 2, 29).unwrap());
    let mut east = Parser { clock: Clock { boot_ms: None, utc_offset_s: 3_600 }, ..parser() };
    let local = east.line(b"[Thu Oct  9 01:00:00 2025] NVRM: Xid (PCI:0000:06:00): 79", NOW).unwrap();
    assert_eq!(local.at_ms, stamp::civil(2025, 10, 9).unwrap());
    assert_eq!(east.line(b"[  1.5] NVRM: Xid (PCI:0000:06:00): 79", NOW).unwrap().at_ms, NOW, "the start is not known");
}

#[test]
fn lines_of_the_journal_are_read_with_host_and_the_kernels_time() {
    let event = one(
        r#"{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1740327858123456","__MONOTONIC_TIMESTAMP":"9000000","_SOURCE_MONOTONIC_TIMESTAMP":"4000000","_TRANSPORT":"kernel","_HOSTNAME":"node7","MESSAGE":"NVRM: Xid (PCI:0000:06:00): 79, GPU has fallen off the bus."}"#,
    );
    assert_eq!((event.at_ms, event.host.as_deref(), xid(&event)), (1_740_327_853_123, Some("node7"), 79));
    let bytes: Vec<String> = b"NVRM: Xid (PCI:0000:06:00): 48 \xff".iter().map(ToString::to_string).collect();
    assert_eq!(xid(&one(&format!(r#"{{"MESSAGE":[{}]}}"#, bytes.join(",")))), 48);
    assert_eq!(
        one("2025-02-23T16:24:18+0000 node7.a kernel: NVRM: Xid (PCI:0000:06:00): 79").host.as_deref(),
        Some("node7.a")
    );
    let mut named = Parser { host: Some("mine".into()), ..parser() };
    assert_eq!(
        named.line(b"Feb 23 16:24:18 x kernel: NVRM: Xid (PCI:0000:06:00): 79", NOW).unwrap().host.as_deref(),
        Some("mine")
    );
}

#[test]
fn switches_losses_and_restarts_are_told() {
    let of = |line: &str| one(line).what;
    let fatal =
        "kernel: [1.5] nvidia-nvswitch0: SXid (PCI:0000:c3:00.0): 24007, Fatal, Link 30 sourcetrack timeout error";
    assert_eq!(of(fatal), Happening::Sxid { code: 24_007, fatal: true });
    let more = "nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 28006, Non-fatal, Link 46 MC TS crumbstore MCTO (First)\n\
        nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 28006, Severity 0 Engine instance 46 Sub-engine instance 00\n\
        nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 28006, Data {0x00140004, 0x00100000}";
    assert_eq!(of(more), Happening::Sxid { code: 28_006, fatal: false });
    assert_eq!(of("[0.0] Linux version 5.15.0-112-generic (buildd@x)"), Happening::HostRestarted);
    for line in [
        "NVRM: GPU 0000:17:00.0: GPU has fallen off the bus.",
        "NVRM: GPU at PCI:0000:17:00.0 has fallen off the bus.",
        "NVRM: The NVIDIA GPU 0000:17:00.0\nNVRM: (PCI ID: 10de:26b5) installed in this system has\nNVRM: fallen off the bus and is not responding to commands.",
    ] {
        let event = one(line);
        assert_eq!((event.what, event.gpu.as_deref()), (Happening::GpuLost, Some("0000:17:00.0")), "{line}");
    }
    let asked =
        one("NVRM: Xid (PCI:0008:01:00): 154, GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)");
    assert_eq!(asked.what, Happening::Xid { code: 154, detail: Some("GPU Reset Required".into()) });
    let unit = one("NVRM: Xid (PCI:0000:00:1e): 145, pid=1, name=x, RLW_REMAP Nonfatal XC 1 i 2 Link 01 [0x0000000a]");
    assert_eq!(unit.what, Happening::Xid { code: 145, detail: Some("RLW_REMAP".into()) });
}

#[test]
fn addresses_have_one_spelling() {
    for text in ["PCI:0000:9b:00", "0000:9B:00.0", "00000000:9B:00.0", "9b:00.0", "PCI:0000:9b:00:"] {
        assert_eq!(pci_address(text).as_deref(), Some("0000:9b:00.0"), "{text}");
    }
    for text in ["", "PCI:", "9b", "10de:26b5", "0000:9b:00.0:1:2", "0000:9g:00", "1:2:3:4", "000000000:9b:00"] {
        assert_eq!(pci_address(text), None, "{text}");
    }
}

#[test]
fn an_endless_line_is_cut() {
    let mut lines = tail::Lines::default();
    let mut seen = Vec::new();
    for _ in 0..100 {
        lines.push(&[b'x'; 10_000], &mut |line| seen.push(line.len()));
    }
    lines.push(b"\nNVRM: Xid (PCI:0000:06:00): 79\n", &mut |line| seen.push(line.len()));
    assert_eq!(seen, [LINE_MAX, 30]);
    let long = format!("NVRM: Xid (PCI:0000:06:00): 79, {}", "é".repeat(9_000));
    assert!(one(&long).message.len() <= 1_024);
}

proptest::proptest! {
    #[test]
    fn law_no_bytes_make_a_line_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), now in proptest::num::i64::ANY) {
        let mut parser = parser();
        parser.line(&bytes, now);
        for start in [&b"NVRM: Xid ("[..], b"{\"MESSAGE\":\"", b"6,1,", b"[", b"nvidia-nvswitch0: SXid (PCI:0000:c3:00.0): "] {
            parser.line(&[start, &bytes].concat(), now);
        }
    }
    #[test]
    fn law_no_spelling_of_a_time_makes_a_line_panic(head in "[-+0-9:.,TZ\\[\\]<> a-zA-Z]{0,60}", now in proptest::num::i64::ANY) {
        for line in [format!("{head}] NVRM: Xid (PCI:0000:06:00): 79"), format!("{head} kernel: NVRM: Xid (PCI:0000:06:00): 79")] {
            parser().line(line.as_bytes(), now);
        }
    }
}

/// A source under way, and what it brought.
struct Running {
    brought: mpsc::Receiver<(u32, Brought)>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

fn start(origin: Origin, state: &Path) -> Running {
    let source = Box::new(KernelLogSource {
        name: "log".into(),
        origin,
        host: Some("node7".into()),
        clock: Clock::default(),
        state: Some(state.to_owned()),
        every: Duration::from_millis(5),
    });
    let (queue, brought) = mpsc::channel(1_000);
    let stop = CancellationToken::new();
    let task = tokio::spawn(source.run(Sink::new(0, queue), stop.clone()));
    Running { brought, stop, task }
}

impl Running {
    /// The next codes, as many as are asked for.
    async fn codes(&mut self, count: usize) -> Vec<u32> {
        let mut codes = Vec::new();
        while codes.len() < count {
            let next = tokio::time::timeout(Duration::from_secs(10), self.brought.recv()).await;
            match next.unwrap_or_else(|_| panic!("only {codes:?}")).unwrap().1 {
                Brought::Event(event) => codes.push(xid(&event)),
                Brought::State(_) | Brought::Fault(_) | Brought::Readings(_) | Brought::Peer(_) => {}
            }
        }
        codes
    }
    /// Stops it; the codes that it brought beside.
    async fn end(mut self) -> Vec<u32> {
        tokio::time::sleep(Duration::from_millis(40)).await;
        self.stop.cancel();
        self.task.await.unwrap();
        let mut codes = Vec::new();
        while let Ok((_, brought)) = self.brought.try_recv() {
            if let Brought::Event(event) = brought {
                codes.push(xid(&event));
            }
        }
        codes
    }
}

fn write(path: &Path, codes: impl IntoIterator<Item = u32>) {
    let mut file = fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    for code in codes {
        writeln!(file, "[  {code}.0] NVRM: Xid (PCI:0000:06:00): {code}, words").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_followed_through_restarts_rotation_and_truncation() {
    let folder = tempfile::tempdir().unwrap();
    let (log, state) = (folder.path().join("kern.log"), folder.path().join("place"));
    write(&log, [1, 2]);
    let mut source = start(Origin::File(log.clone()), &state);
    assert_eq!(source.codes(2).await, [1, 2]);
    // A line comes in two pieces.
    let mut file = fs::OpenOptions::new().append(true).open(&log).unwrap();
    file.write_all(b"[  3.0] NVRM: Xid (PCI:0000:06:00): 3").unwrap();
    tokio::time::sleep(Duration::from_millis(30)).await;
    file.write_all(b"1, words\n").unwrap();
    assert_eq!(source.codes(1).await, [31]);
    // Turned over: whoever writes still has the old one for a while.
    fs::rename(&log, folder.path().join("kern.log.1")).unwrap();
    file.write_all(b"NVRM: Xid (PCI:0000:06:00): 4\n").unwrap();
    write(&log, [5]);
    assert_eq!(source.codes(2).await, [4, 5]);
    // Stopped, turned over twice meanwhile, and started again.
    write(&log, [6]);
    assert_eq!(source.codes(1).await, [6]);
    assert_eq!(source.end().await, [0_u32; 0]);
    write(&log, [7]);
    fs::rename(folder.path().join("kern.log.1"), folder.path().join("kern.log.3")).unwrap();
    fs::rename(&log, folder.path().join("kern.log.2")).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    write(&log, [8]);
    fs::rename(&log, folder.path().join("kern.log.1")).unwrap();
    write(&log, [9]);
    let mut source = start(Origin::File(log.clone()), &state);
    assert_eq!(source.codes(3).await, [7, 8, 9]);
    // Cut short, and grown past where it was.
    tokio::time::sleep(Duration::from_millis(30)).await;
    fs::write(&log, "").unwrap();
    write(&log, 10..20);
    assert_eq!(source.codes(10).await, (10..20).collect::<Vec<_>>());
    assert_eq!(source.end().await, [0_u32; 0]);
    let source = start(Origin::File(log), &state);
    assert_eq!(source.end().await, [0_u32; 0], "nothing is repeated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_there_is_failing_until_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("kern.log");
    let mut source = start(Origin::File(log.clone()), &folder.path().join("place"));
    let said = source.brought.recv().await.unwrap().1;
    let Brought::State(SourceState::Failing { why, mend, .. }) = said else { panic!("{said:?}") };
    assert!(why.contains("kern.log") && mend.contains("path"), "{why}; {mend}");
    write(&log, [79]);
    assert_eq!(source.codes(1).await, [79]);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_the_device_are_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let (device, state) = (folder.path().join("kmsg"), folder.path().join("place"));
    let record = |sequence: u32, code: u32| {
        format!("3,{sequence},{sequence}000000,-;NVRM: Xid (PCI:0000:06:00): {code}\n SUBSYSTEM=pci\n")
    };
    fs::write(&device, record(1, 31) + &record(2, 79)).unwrap();
    let mut source = start(Origin::Kmsg(device.clone()), &state);
    assert_eq!(source.codes(2).await, [31, 79]);
    assert_eq!(source.end().await, [0_u32; 0]);
    fs::write(&device, record(1, 31) + &record(2, 79) + &record(3, 48)).unwrap();
    let source = start(Origin::Kmsg(device), &state);
    assert_eq!(source.end().await, [48]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_is_followed_and_taken_up_after_its_cursor() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (program, state) = (folder.path().join("journalctl"), folder.path().join("place"));
    let line = |code: u32| {
        format!(
            r#"echo '{{"__CURSOR":"c{code}","_TRANSPORT":"kernel","MESSAGE":"NVRM: Xid (PCI:0000:06:00): {code}"}}'"#
        )
    };
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *--after-cursor=c79*) {} ;; *--dmesg*) {}; {}; exit 3 ;; *) echo odd >&2; exit 1;; esac\nexec sleep 100\n",
        line(48),
        line(31),
        line(79),
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut source = start(Origin::Journal(program.clone()), &state);
    assert_eq!(source.codes(3).await, [31, 79, 48], "it ended once, and was taken up");
    assert_eq!(source.end().await, [0_u32; 0]);
    assert!(fs::read_to_string(&state).unwrap().contains("c48"));
    let mut absent = start(Origin::Journal(folder.path().join("no-such")), &state);
    let said = absent.brought.recv().await.unwrap().1;
    let Brought::State(SourceState::Failing { why, .. }) = said else { panic!("{said:?}") };
    assert!(why.contains("can't be started"), "{why}");
}

#[test]
fn the_drivers_folder_names_the_gpus() {
    let folder = tempfile::tempdir().unwrap();
    let gpu = folder.path().join("0000:9b:00.0");
    fs::create_dir(&gpu).unwrap();
    let about = "Model: \t\t NVIDIA H100\nGPU UUID: \t GPU-509665ad-b600-ac93-3616-d754b23d636d\nBus Location: \t 0000:9b:00.0\n";
    fs::write(gpu.join("information"), about).unwrap();
    let found = follow::gpus_of_driver(folder.path());
    assert_eq!(found.get("0000:9b:00.0").map(String::as_str), Some("GPU-509665ad-b600-ac93-3616-d754b23d636d"));
    assert!(follow::gpus_of_driver(Path::new("/no/such")).is_empty());
}
