use super::*;
use crate::remote_write::{Limits, decode};
use model::reading::Labels;
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn key(gpu: usize) -> Arc<SeriesKey> {
    Arc::new(SeriesKey { name: "gpu_power_watts".into(), labels: Labels::of([("gpu", gpu.to_string())]) })
}

fn message(values: &[(usize, i64)]) -> Vec<u8> {
    let mut message = Vec::new();
    for &(gpu, at_ms) in values {
        put_series(&mut message, &key(gpu), &[Point { at_ms, value: Some(1.5) }]);
    }
    message
}

fn put(queue: &mut Queue, at_ms: i64, gpu: usize) {
    queue.append(at_ms, 1, &pack(&message(&[(gpu, at_ms)])).unwrap()).unwrap();
}

/// Times of the samples that a queue still gives, read in batches.
fn rest(queue: &mut Queue, batch: u32) -> Vec<i64> {
    let mut all = Vec::new();
    while let Some(read) = queue.read(batch) {
        assert!(read.samples <= u64::from(batch));
        let counted = crate::remote_write::read(&read.message, &Limits::default(), |_, points| {
            all.extend(points.iter().map(|point| point.at_ms));
            Ok(())
        });
        assert_eq!(u64::from(counted.unwrap().samples), read.samples);
        queue.advance(read.to);
    }
    all
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.extension().is_some_and(|end| end == "seg"));
    all.sort();
    all
}

#[test]
fn a_queue_gives_what_it_took_in_order_and_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut queue = Queue::open(folder.path(), 1 << 20).unwrap();
    (0..10).for_each(|at| put(&mut queue, at, 0));
    let read = queue.read(4).unwrap();
    assert_eq!((read.samples, queue.waiting().samples, queue.waiting().oldest_ms), (4, 10, Some(0)));
    queue.advance(read.to);
    assert_eq!((queue.waiting().samples, queue.waiting().oldest_ms), (6, Some(4)));
    queue.note_position().unwrap();
    drop(queue);
    let mut queue = Queue::open(folder.path(), 1 << 20).unwrap();
    put(&mut queue, 10, 0);
    assert_eq!(queue.waiting().samples, 7);
    assert_eq!(rest(&mut queue, 2), [4, 5, 6, 7, 8, 9, 10]);
    assert_eq!((queue.waiting(), queue.damaged(), queue.overflowed()), (queue::Waiting::default(), 0, 0));
    queue.keep_from(None);
    assert_eq!(segments(folder.path()).len(), 1, "what is sent is let go of");
}

#[test]
fn a_lost_position_sends_again_rather_than_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut queue = Queue::open(folder.path(), 1 << 20).unwrap();
    (0..5).for_each(|at| put(&mut queue, at, 0));
    assert_eq!(rest(&mut queue, 100).len(), 5);
    queue.note_position().unwrap();
    drop(queue);
    fs::write(folder.path().join("position"), "1 9999 3 00000000\n").unwrap();
    assert_eq!(rest(&mut Queue::open(folder.path(), 1 << 20).unwrap(), 100), [0, 1, 2, 3, 4]);
}

#[test]
fn a_torn_end_is_cut_off_and_the_rest_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut queue = Queue::open(folder.path(), 1 << 20).unwrap();
    (1..4).for_each(|at| put(&mut queue, at, 0)); // all of one length
    drop(queue);
    let path = segments(folder.path()).pop().unwrap();
    let whole = fs::read(&path).unwrap();
    let third = (whole.len() - 8) / 3;
    for cut in 0..whole.len() {
        let copy = tempfile::tempdir().unwrap();
        fs::write(copy.path().join(path.file_name().unwrap()), &whole[..cut]).unwrap();
        let mut queue = Queue::open(copy.path(), 1 << 20).unwrap();
        put(&mut queue, 99, 0);
        let mut expected: Vec<i64> = (1..4).take(cut.saturating_sub(8) / third).collect();
        expected.push(99);
        assert_eq!(rest(&mut queue, 100), expected, "cut at {cut}");
        assert_eq!(queue.damaged(), 0);
    }
}

#[test]
fn a_damaged_record_ends_its_segment_and_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut queue = Queue::open(folder.path(), 1 << 20).unwrap();
    (0..3).for_each(|at| put(&mut queue, at, 0));
    drop(queue);
    let mut queue = Queue::open(folder.path(), 1 << 20).unwrap();
    put(&mut queue, 3, 0);
    let path = segments(folder.path()).remove(0);
    let mut bytes = fs::read(&path).unwrap();
    let third = (bytes.len() - 8) / 3;
    bytes[8 + third + 25] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_eq!(rest(&mut queue, 1), [0, 3]);
    assert_eq!(queue.damaged(), 1);
}

#[test]
fn beyond_its_bound_the_oldest_goes_and_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut queue = Queue::open(folder.path(), 1 << 16).unwrap();
    (0..5_000).for_each(|at| put(&mut queue, at, 0));
    let bytes: u64 = segments(folder.path()).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(bytes <= 1 << 16, "{bytes}");
    assert_eq!(queue.waiting().samples + queue.overflowed(), 5_000);
    let left = rest(&mut queue, 1_000);
    assert_eq!(left.len() as u64 + queue.overflowed(), 5_000);
    assert_eq!(left.last(), Some(&4_999));
    assert!(left.windows(2).all(|pair| pair[1] == pair[0] + 1));
    assert!(queue.append(0, 1, &vec![0; 1 << 14]).is_err(), "more than a segment");
}

#[test]
fn two_do_not_share_a_queue() {
    let folder = tempfile::tempdir().unwrap();
    let _one = Queue::open(folder.path(), 1 << 16).unwrap();
    assert!(Queue::open(folder.path(), 1 << 16).unwrap_err().to_string().contains("in use by another process"));
}

#[test]
fn dates_and_seconds_are_understood_in_retry_after() {
    assert_eq!(retry_after(" 7 "), Some(Duration::from_secs(7)));
    assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
    let wait = retry_after("Mon, 01 Jan 2125 00:00:00 GMT").unwrap().as_millis() as i64 + now_ms();
    assert!((wait - 4_891_363_200_000).abs() < 1_000, "{wait}");
    assert_eq!([retry_after("soon"), retry_after("-1"), retry_after("Wed, 21 Okt 2015 07:28:00 GMT")], [None; 3]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn law_whatever_is_done_to_a_queue_nothing_is_lost_uncounted(steps in prop::collection::vec(0_u8..6, 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        let mut queue = Queue::open(folder.path(), 1 << 16).unwrap();
        let (mut put_in, mut out, mut overflowed) = (0, Vec::new(), 0);
        let mut last = None;
        for step in steps {
            match step {
                0..=2 => (0..100).for_each(|_| { put(&mut queue, put_in, 0); put_in += 1; }),
                3 => if let Some(read) = queue.read(70) {
                    crate::remote_write::read(&read.message, &Limits::default(), |_, points| {
                        out.extend(points.iter().map(|point| point.at_ms));
                        Ok(())
                    }).unwrap();
                    last = Some(read.from);
                    queue.keep_from(last);
                    queue.advance(read.to);
                },
                4 => last.into_iter().for_each(|from| queue.rewind(from)),
                _ => {
                    queue.note_position().unwrap();
                    overflowed += queue.overflowed();
                    drop(queue);
                    queue = Queue::open(folder.path(), 1 << 16).unwrap();
                    last = None;
                }
            }
        }
        overflowed += queue.overflowed();
        out.extend(rest(&mut queue, 1_000));
        out.sort_unstable();
        out.dedup();
        prop_assert_eq!(queue.damaged(), 0);
        prop_assert!(out.len() as u64 + overflowed >= put_in as u64, "{} {overflowed} {put_in}", out.len());
    }
}

/// A receiver: answers as told, one answer a request and the last for ever, and keeps what it took. `refuse` names times that it refuses.
struct Receiver {
    url: Url,
    taken: Arc<Mutex<Vec<(String, i64)>>>,
    heads: Arc<Mutex<Vec<String>>>,
}

async fn receiver(answers: Vec<&'static str>, refuse: &'static [i64]) -> Receiver {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/api/v1/write", listener.local_addr().unwrap())).unwrap();
    let (taken, heads) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let (all, told) = (Arc::clone(&taken), Arc::clone(&heads));
    tokio::spawn(async move {
        let mut answers = answers.into_iter().peekable();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (head, body) = request(&mut stream).await;
            told.lock().unwrap().push(head);
            let mut answer = *answers.peek().unwrap();
            if answers.len() > 1 {
                answers.next();
            }
            let mut read = Vec::new();
            decode(&body, &Limits::default(), |labels, points| {
                let key = labels.key()?.to_string();
                read.extend(points.iter().map(|point| (key.clone(), point.at_ms)));
                Ok(())
            })
            .unwrap();
            if answer.starts_with('2') && read.iter().any(|(_, at_ms)| refuse.contains(at_ms)) {
                answer = "400 Bad Request";
            }
            if answer.starts_with('2') {
                all.lock().unwrap().extend(read);
            }
            let _ = stream
                .write_all(
                    format!("HTTP/1.1 {answer}\r\nConnection: close\r\nContent-Length: 4\r\n\r\nwhy?").as_bytes(),
                )
                .await;
        }
    });
    Receiver { url, taken, heads }
}

async fn request(stream: &mut tokio::net::TcpStream) -> (String, Vec<u8>) {
    let mut all = Vec::new();
    let mut part = vec![0; 65_536];
    loop {
        let got = stream.read(&mut part).await.unwrap();
        all.extend_from_slice(&part[..got]);
        let Some(end) = all.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&all[..end]).into_owned();
        let length: usize = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
        if all.len() >= end + 4 + length {
            return (head, all.split_off(end + 4));
        }
    }
}

async fn sent(receiver: &Receiver, folder: &Path, until: impl Fn(&Status) -> bool) -> Status {
    let settings = Settings {
        linger: Duration::from_millis(10),
        timeout: Duration::from_secs(2),
        ..Settings::of(receiver.url.clone(), folder.into())
    };
    let forwarder = Arc::new(Forwarder::open(settings).unwrap());
    forwarder.append(&(0..20).map(|at| (key(at as usize % 3), at, 1.5)).collect::<Vec<_>>());
    let stop = CancellationToken::new();
    let (runner, told) = (Arc::clone(&forwarder), stop.clone());
    let task = tokio::spawn(async move { runner.run(told).await });
    for _ in 0..400 {
        if until(&forwarder.status()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    stop.cancel();
    task.await.unwrap();
    forwarder.status()
}

#[tokio::test]
async fn readings_go_out_as_the_standard_has_it() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), receiver(vec!["204 No Content"], &[]).await);
    let status = sent(&receiver, folder.path(), |status| status.sent == 20).await;
    assert_eq!((status.sent, status.requests, status.queued_samples, status.up), (20, 1, 0, true));
    let head = receiver.heads.lock().unwrap()[0].to_lowercase();
    for line in
        ["content-type: application/x-protobuf", "content-encoding: snappy", "x-prometheus-remote-write-version: 0.1.0"]
    {
        assert!(head.contains(line), "{head}");
    }
    let times: Vec<i64> = receiver.taken.lock().unwrap().iter().map(|(_, at)| *at).collect();
    assert_eq!(times, (0..20).collect::<Vec<_>>());
    drop(status);
    // Nothing is sent twice after an orderly end.
    let mut queue = Queue::open(folder.path(), 1 << 20).unwrap();
    assert_eq!(queue.read(100), None);
}

#[tokio::test]
async fn a_receiver_that_is_busy_is_asked_again_and_as_late_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let answers = vec!["500 Broken", "429 Slow Down\r\nRetry-After: 2", "204 No Content"];
    let receiver = receiver(answers, &[]).await;
    let start = std::time::Instant::now();
    let status = sent(&receiver, folder.path(), |status| status.sent == 20).await;
    assert_eq!((status.sent, status.retries, status.refused), (20, 2, 0));
    assert!(start.elapsed() > Duration::from_millis(2_250), "{:?}", start.elapsed());
    assert_eq!(status.last_error.as_deref(), Some("it refuses with 429: why?"));
}

#[tokio::test]
async fn what_is_refused_is_dropped_once_and_the_rest_goes_on() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), receiver(vec!["204 No Content"], &[7, 8]).await);
    let status = sent(&receiver, folder.path(), |status| status.sent + status.refused == 20).await;
    assert_eq!((status.sent, status.refused, status.retries), (18, 2, 0));
    assert_eq!(status.last_error.as_deref(), Some("1 samples were dropped: it refuses with 400: why?"));
    let times: Vec<i64> = receiver.taken.lock().unwrap().iter().map(|(_, at)| *at).collect();
    assert_eq!(times, (0..20).filter(|at| ![7, 8].contains(at)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_refusal_of_who_we_are_is_not_repeated() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), receiver(vec!["403 Forbidden"], &[]).await);
    let status = sent(&receiver, folder.path(), |status| status.refused == 20).await;
    assert_eq!((status.sent, status.refused, status.retries), (0, 20, 0));
    assert_eq!(receiver.heads.lock().unwrap().len(), 1);
}
