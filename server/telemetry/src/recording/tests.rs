use super::replay::{Lines, Moments, ReplaySource, Times};
use super::*;
use crate::source::{Sink, Source};
use model::event::Happening;
use proptest::prelude::*;

fn header() -> Header {
    Header { version: VERSION, source: "dcgm".into(), kind: SourceKind::Scrape, target: "http://a:9400/metrics".into() }
}

fn key(gpu: u32) -> Arc<SeriesKey> {
    Arc::new(SeriesKey { name: "gpu_power_watts".into(), labels: Labels::of([("gpu", gpu.to_string())]) })
}

fn batch(at_ms: i64) -> Brought {
    let readings = vec![(key(0), None, 512.25), (key(1), Some(at_ms - 5), 0.1), (key(0), None, f64::NAN)];
    Brought::Readings(Batch { at_ms, readings, unknown: 3 })
}

fn things() -> Vec<(i64, Brought)> {
    let event = FleetEvent {
        at_ms: 1_040,
        source: "kmsg".into(),
        host: Some("a".into()),
        gpu: None,
        what: Happening::Xid { code: 79, detail: None },
        message: "NVRM: Xid\n79".into(),
    };
    vec![
        (1_000, Brought::State(SourceState::Connecting)),
        (1_010, Brought::Peer("dcgm 4.8".into())),
        (1_020, batch(1_020)),
        (1_030, Brought::Fault("line 3".into())),
        (1_040, Brought::Event(event)),
        (1_050, batch(1_050)),
        (1_060, Brought::Readings(Batch { at_ms: 1_060, readings: vec![], unknown: 9 })),
    ]
}

fn recorded(folder: &Path, packing: Packing) -> PathBuf {
    let path = folder.join("a.rec");
    let mut recorder = Recorder::create(&path, &header(), packing, 1 << 20).unwrap();
    for (at_ms, brought) in things() {
        recorder.record(at_ms, &brought).unwrap();
    }
    recorder.finish().unwrap();
    path
}

/// As text, without what JSON can't say.
fn shown(brought: &Brought) -> String {
    match brought {
        Brought::Readings(batch) => {
            let readings = batch.readings.iter().filter(|reading| reading.2.is_finite()).cloned().collect();
            format!("{:?}", Batch { readings, ..batch.clone() })
        }
        Brought::Event(_) | Brought::State(_) | Brought::Fault(_) | Brought::Peer(_) => format!("{brought:?}"),
    }
}

#[test]
fn what_was_recorded_is_read_again() {
    for packing in [Packing::Plain, Packing::Gzip] {
        let folder = tempfile::tempdir().unwrap();
        let path = recorded(folder.path(), packing);
        let lines = Lines::open(&path).unwrap();
        assert_eq!(lines.header(), &header());
        let read: Vec<(i64, String)> =
            lines.map(|next| next.map(|(at, brought)| (at, shown(&brought))).unwrap()).collect();
        assert_eq!(read, things().iter().map(|(at, brought)| (*at, shown(brought))).collect::<Vec<_>>());
    }
}

#[test]
fn the_format_is_as_documented() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(recorded(folder.path(), Packing::Plain)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        r#"{"millwright_recording":1,"source":"dcgm","kind":"scrape","target":"http://a:9400/metrics"}"#
    );
    assert_eq!(lines[1], r#"{"at":1000,"state":{"state":"connecting"}}"#);
    assert_eq!(lines[3], r#"{"series":0,"name":"gpu_power_watts","labels":[["gpu","0"]]}"#);
    assert_eq!(lines[5], r#"{"at":1020,"readings":[[0,512.25],[1,0.1,1015]],"unknown":3}"#);
    assert_eq!(lines.len(), 10);
}

#[test]
fn a_torn_tail_is_no_error_wherever_it_is_torn() {
    for packing in [Packing::Plain, Packing::Gzip] {
        let folder = tempfile::tempdir().unwrap();
        let path = recorded(folder.path(), packing);
        let whole = std::fs::read(&path).unwrap();
        let mut most = 0;
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let Ok(lines) = Lines::open(&path) else { continue };
            let count = lines.map(Result::unwrap).count();
            assert!(count >= most, "cut at {cut}");
            most = count;
        }
        assert!(most >= things().len() - 1);
    }
}

#[test]
fn a_killed_recorder_leaves_what_it_flushed() {
    for packing in [Packing::Plain, Packing::Gzip] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rec");
        let mut recorder = Recorder::create(&path, &header(), packing, 1 << 20).unwrap();
        recorder.record(1, &batch(1)).unwrap();
        recorder.flush().unwrap();
        recorder.record(2, &batch(2)).unwrap();
        let copy = folder.path().join("b.rec");
        std::fs::copy(&path, &copy).unwrap();
        assert_eq!(Lines::open(&copy).unwrap().map(Result::unwrap).count(), 1);
    }
}

#[test]
fn a_full_recording_and_one_that_is_there_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rec");
    let mut recorder = Recorder::create(&path, &header(), Packing::Plain, 1_000).unwrap();
    let full = (0..100).find_map(|at| recorder.record(at, &batch(at)).err()).unwrap();
    assert_eq!(full.to_string(), "the recording is full: 1000 bytes");
    drop(recorder);
    assert!(std::fs::metadata(&path).unwrap().len() < 1_200);
    let again = Recorder::create(&path, &header(), Packing::Plain, 1_000).err().unwrap();
    assert!(again.to_string().ends_with("a.rec can't be made"), "{again}");
}

#[test]
fn what_is_wrong_is_named_by_file_and_line_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rec");
    let head = serde_json::to_string(&header()).unwrap();
    let text = format!("{head}\nrubbish\n\n{{\"at\":1,\"readings\":[[7,1.0]]}}\n{{\"at\":2,\"peer\":\"x\"}}\n");
    std::fs::write(&path, text).unwrap();
    let read: Vec<String> = Lines::open(&path)
        .unwrap()
        .map(|next| next.map_or_else(|error| error.to_string(), |(_, brought)| shown(&brought)))
        .collect();
    let name = path.display();
    assert!(read[0].starts_with(&format!("{name}:2: ")), "{read:?}");
    assert_eq!(read[1..], [format!("{name}:4: series 7 was never named"), "Peer(\"x\")".into()]);
    let opened = |text: &str| {
        std::fs::write(&path, text).unwrap();
        Lines::open(&path).err().unwrap().to_string()
    };
    assert!(opened("# HELP x\n").contains(":1: this is no recording: "));
    assert!(opened("").contains(":0: this is no recording: "));
    let later = opened(&format!("{}\n", head.replace(":1,", ":2,")));
    assert!(later.ends_with(":1: the recording has version 2; version 1 can be read"), "{later}");
}

/// Plays until the source ends or so many things have come.
async fn played(source: ReplaySource, most: usize) -> (Vec<Brought>, Duration) {
    let (queue, mut out) = mpsc::channel(4);
    let (stop, start) = (CancellationToken::new(), Instant::now());
    let task = tokio::spawn(Box::new(source).run(Sink::new(0, queue), stop.clone()));
    let mut all = Vec::new();
    while let Some((_, brought)) = out.recv().await {
        all.push(brought);
        if all.len() == most {
            stop.cancel();
        }
    }
    task.await.unwrap();
    (all, start.elapsed())
}

fn replay(path: PathBuf, speed: f64) -> ReplaySource {
    ReplaySource { name: "again".into(), path, speed, times: Times::Once, moments: Moments::AsRecorded }
}

#[tokio::test]
async fn a_recording_plays_at_its_speed() {
    let folder = tempfile::tempdir().unwrap();
    let path = recorded(folder.path(), Packing::Gzip);
    let (all, took) = played(replay(path.clone(), 0.2), usize::MAX).await;
    assert!(took >= Duration::from_millis(300), "60 ms at a fifth of the speed, {took:?}");
    let shown_all: Vec<String> = all.iter().map(shown).collect();
    let things: Vec<String> = things().iter().map(|(_, brought)| shown(brought)).collect();
    assert_eq!(shown_all[2..all.len() - 1], things);
    assert_eq!(shown_all[all.len() - 1], "State(Ended)");
    let (fast, _) = played(replay(path, f64::INFINITY), usize::MAX).await;
    assert_eq!(fast.len(), all.len());
}

#[tokio::test]
async fn as_if_it_were_now_all_times_move_together_round_after_round() {
    let folder = tempfile::tempdir().unwrap();
    let path = recorded(folder.path(), Packing::Plain);
    let begun = now_ms();
    let source = ReplaySource { moments: Moments::Now, times: Times::Forever, ..replay(path, 2.0) };
    let (all, _) = played(source, 30).await;
    let batches: Vec<&Batch> = all
        .iter()
        .filter_map(|brought| match brought {
            Brought::Readings(batch) if !batch.readings.is_empty() => Some(batch),
            Brought::Readings(_) | Brought::Event(_) | Brought::State(_) | Brought::Fault(_) | Brought::Peer(_) => None,
        })
        .collect();
    assert!(batches.len() >= 4, "more than one round");
    assert!(batches.iter().all(|batch| (begun..=now_ms() + 100).contains(&batch.at_ms)));
    assert!(batches.windows(2).all(|pair| pair[0].at_ms < pair[1].at_ms));
    assert_eq!(batches[1].at_ms - batches[0].at_ms, 15, "30 ms at twice the speed");
    assert!((2..=3).contains(&(batches[0].at_ms - batches[0].readings[1].1.unwrap())), "5 ms at twice the speed");
    assert!(all.iter().any(|brought| matches!(brought, Brought::Event(event) if event.at_ms >= begun)));
}

#[tokio::test]
async fn a_file_that_can_not_be_played_is_said_and_one_without_content_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.rec");
    let (all, _) = played(replay(path.clone(), 1.0), usize::MAX).await;
    let Some(Brought::State(SourceState::Failing { why, .. })) = all.last() else { panic!("{all:?}") };
    assert!(why.contains("none.rec can't be opened: No such file"), "{why}");
    std::fs::write(&path, format!("{}\n", serde_json::to_string(&header()).unwrap())).unwrap();
    let (all, _) = played(ReplaySource { times: Times::Forever, ..replay(path, 1.0) }, usize::MAX).await;
    assert!(matches!(all.last(), Some(Brought::State(SourceState::Ended))), "{all:?}");
}

#[tokio::test]
async fn a_recorder_runs_until_its_queue_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rec");
    let (queue, out) = mpsc::channel(4);
    let recorder = Recorder::create(&path, &header(), Packing::Gzip, 1 << 20).unwrap();
    let task = tokio::spawn(recorder.run(out, CancellationToken::new()));
    for at in 0..20 {
        queue.send(batch(at)).await.unwrap();
    }
    drop(queue);
    task.await.unwrap().unwrap();
    assert_eq!(Lines::open(&path).unwrap().map(Result::unwrap).count(), 20);
}

proptest! {
    #[test]
    fn law_any_file_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), headed in any::<bool>(), zip in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rec");
        let mut text = if headed { format!("{}\n", serde_json::to_string(&header()).unwrap()).into_bytes() } else { Vec::new() };
        text.extend(&bytes);
        if zip {
            text.splice(0..0, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
        }
        std::fs::write(&path, text).unwrap();
        let read = Lines::open(&path).map_or(0, Iterator::count);
        prop_assert!(read <= 300);
    }
}
