use super::*;
use crate::source::Sink;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A server that reads the head of each request and lets `answer` do the rest; the request's number is given along.
async fn serve<F, A>(answer: F) -> String
where
    F: Fn(TcpStream, String, u32) -> A + Send + Sync + 'static,
    A: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    let count = Arc::new(AtomicU32::new(0));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (answer, count) = (Arc::clone(&answer), Arc::clone(&count));
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if stream.read(&mut byte).await.unwrap_or(0) == 0 {
                        return;
                    }
                    head.push(byte[0]);
                }
                let number = count.fetch_add(1, Ordering::SeqCst);
                answer(stream, String::from_utf8_lossy(&head).to_lowercase(), number).await;
            });
        }
    });
    format!("http://{at}/metrics")
}

/// A server of one whole answer, whose connection is closed after it.
async fn always(head: &str, body: impl Into<Vec<u8>>) -> String {
    let body: Vec<u8> = body.into();
    let head = format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    let whole = Arc::new([head.into_bytes(), body].concat());
    serve(move |mut stream, _, _| {
        let whole = Arc::clone(&whole);
        async move {
            let _ = stream.write_all(&whole).await;
        }
    })
    .await
}

const OK: &str = "200 OK\r\ncontent-type: text/plain; version=0.0.4";

fn set(url: &str) -> Scrape {
    let text = format!("name = \"t\"\nurl = {url:?}\nevery_s = 0.2\ntimeout_s = 1.0\nlabels = {{ rack = \"r1\" }}");
    toml::from_str(&text).unwrap()
}

struct Told {
    queue: mpsc::Receiver<(u32, Brought)>,
    stop: CancellationToken,
}

impl Told {
    fn of(set: Scrape) -> Self {
        let (sink, queue) = mpsc::channel(1024);
        let stop = CancellationToken::new();
        let source = Box::new(ScrapeSource::new(set).unwrap());
        tokio::spawn(source.run(Sink::new(7, sink), stop.clone()));
        Self { queue, stop }
    }
    async fn next(&mut self) -> Brought {
        let next = tokio::time::timeout(Duration::from_secs(20), self.queue.recv()).await;
        let (source, brought) = next.expect("nothing came").expect("it ended");
        assert_eq!(source, 7);
        brought
    }
    /// Waits for the next state that is no beginning.
    async fn state(&mut self) -> SourceState {
        loop {
            match self.next().await {
                Brought::State(state) if state != SourceState::Connecting => return state,
                Brought::State(_) | Brought::Readings(_) | Brought::Event(_) | Brought::Fault(_) | Brought::Peer(_) => {
                }
            }
        }
    }
    async fn readings(&mut self) -> Batch {
        loop {
            if let Brought::Readings(batch) = self.next().await {
                return batch;
            }
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Why a target fails, and what to do about it.
async fn fails(set: Scrape) -> (String, String) {
    let mut told = Told::of(set);
    let state = told.state().await;
    let SourceState::Failing { why, mend, since_ms } = state else { panic!("{state:?}") };
    assert!((now_ms() - since_ms).abs() < 20_000);
    let down = told.readings().await;
    assert_eq!(down.readings.len(), 1);
    assert_eq!((down.readings[0].0.name.as_str(), down.readings[0].2), ("up", 0.0));
    (why, mend)
}

async fn check(url: &str, why: &str, mend: &str) {
    let (said, to_do) = fails(set(url)).await;
    assert!(said.contains(why), "{said} is not {why}");
    assert!(to_do.contains(mend), "{to_do} is not {mend}");
}

#[tokio::test]
async fn a_target_that_answers_is_connected_and_up() {
    let url =
        always(OK, "# TYPE DCGM_FI_DEV_GPU_TEMP gauge\nDCGM_FI_DEV_GPU_TEMP{gpu=\"0\"} 59\nodd 1\nbad{ 2\n").await;
    let mut told = Told::of(set(&url));
    assert!(matches!(told.next().await, Brought::State(SourceState::Connecting)));
    assert!(matches!(told.next().await, Brought::State(SourceState::Connected)));
    assert!(matches!(told.next().await, Brought::Peer(peer) if peer == "DCGM exporter"));
    assert!(matches!(told.next().await, Brought::Fault(words) if words == "line 4: `}` is missing after the labels"));
    let batch = told.readings().await;
    let words: Vec<String> = batch.readings.iter().map(|(key, _, value)| format!("{key} {value}")).collect();
    let instance = url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap();
    assert_eq!(
        words,
        [
            "gpu_temperature_celsius{gpu=\"0\",host=\"127.0.0.1\",rack=\"r1\",source=\"t\"} 59".to_owned(),
            format!("up{{instance=\"{instance}\",source=\"t\"}} 1"),
        ]
    );
    assert_eq!(batch.unknown, 1);
    let (first, second) = (told.readings().await.at_ms, told.readings().await.at_ms);
    assert!((150..=400).contains(&(second - first)), "{first} {second}");
}

#[tokio::test]
async fn it_says_once_that_it_fails_and_once_that_it_answers_again() {
    let url = serve(|mut stream, _, number| async move {
        let answer: &[u8] = match number {
            2 | 3 => b"HTTP/1.1 503 Busy\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
            _ => b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 13\r\n\r\nnode_load1 1\n",
        };
        let _ = stream.write_all(answer).await;
    })
    .await;
    let mut told = Told::of(set(&url));
    let (mut states, mut ups) = (Vec::new(), Vec::new());
    while ups.len() < 6 {
        match told.next().await {
            Brought::State(state) => states.push(state),
            Brought::Readings(batch) => ups.push(batch.readings.last().unwrap().2),
            Brought::Event(_) | Brought::Fault(_) | Brought::Peer(_) => {}
        }
    }
    assert_eq!(ups, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
    assert_eq!(states.len(), 4, "{states:?}");
    assert!(matches!(&states[2], SourceState::Failing { why, .. } if why == "it answers 503 Service Unavailable"));
    assert_eq!(states[3], SourceState::Connected);
}

#[tokio::test]
async fn it_asks_as_a_scraper_does_and_with_its_token() {
    let (heads, mut seen) = mpsc::channel(8);
    let url = serve(move |mut stream, head, _| {
        let heads = heads.clone();
        async move {
            let _ = heads.send(head).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, "s3cret\n").unwrap();
    let told = Told::of(Scrape { bearer_token_file: Some(file.clone()), ..set(&url) });
    let head = seen.recv().await.unwrap();
    drop(told);
    for line in [
        "get /metrics http/1.1",
        "accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4",
        "accept-encoding: gzip",
        "authorization: bearer s3cret",
        "user-agent: millwright/",
    ] {
        assert!(head.contains(line), "{head}");
    }
    std::fs::write(&file, "two\nlines").unwrap();
    let (why, mend) = fails(Scrape { bearer_token_file: Some(file), ..set(&url) }).await;
    assert!(why.contains("can't be used") && !why.contains("two") && mend.contains("one line"), "{why}");
}

#[tokio::test]
async fn what_a_target_may_answer_wrongly_has_words_of_its_own() {
    let redirect = "302 Found\r\nlocation: http://169.254.169.254/latest/meta-data";
    check(&always(redirect, "").await, "refused to follow to http://169.254.169.254/latest/meta-data", "right one")
        .await;
    check(&always("404 Not Found", "").await, "it answers 404 Not Found", "/metrics").await;
    check(&always("401 Unauthorized", "").await, "it answers 401", "bearer_token_file").await;
    check(
        &always("200 OK\r\ncontent-type: text/html", "<!doctype html>").await,
        "this is a web page, not metrics",
        "/metrics",
    )
    .await;
    check(
        &always("200 OK\r\ncontent-type: application/json", "[{\"a\":1}]").await,
        "this is JSON",
        "/prometheus/metrics",
    )
    .await;
    check(&always("200 OK\r\ncontent-type: image/png", "x").await, "it sends image/png", "path").await;
    let open = "200 OK\r\ncontent-type: application/openmetrics-text; version=1.0.0";
    check(&always(open, "a 1\n").await, "does not end with `# EOF`", "proxy").await;
    check(&always("200 OK\r\ncontent-encoding: br", "x").await, "it sends its page as br", "proxy").await;
    check(&always("200 OK\r\ncontent-encoding: gzip", "no gzip").await, "compressed page is broken", "log").await;
}

#[tokio::test]
async fn what_may_be_between_has_words_of_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    check(&nobody, "nothing listens at 127.0.0.1:", "check that the exporter runs").await;
    check("http://no-such-host.invalid:9400/metrics", "its name no-such-host.invalid:9400 is not known", "name server")
        .await;
    let ssh = serve(|mut stream, _, _| async move {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await;
    })
    .await;
    check(&ssh, "its answer is no HTTP", "port").await;
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/metrics", plain.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            let _ = stream.read(&mut [0; 1024]).await;
        }
    });
    check(&url, "no secure connection", "speaks TLS").await;
    assert!(Failure::Tls("invalid peer certificate: Expired".into()).mend().contains("renew"));
    let cut = serve(|mut stream, _, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nnode_load1 1\n").await;
    })
    .await;
    check(&cut, "the connection broke off", "proxy").await;
    let unframed = serve(|mut stream, _, _| async move {
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nnode_load1 1\nnode_load1 12").await;
    })
    .await;
    check(&unframed, "the connection broke off", "proxy").await;
}

#[tokio::test]
async fn a_slow_target_costs_no_more_than_its_time() {
    let url = serve(|mut stream, _, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await;
        while stream.write_all(b"#").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let start = Instant::now();
    check(&url, "it did not answer in full within 1 s", "timeout_s").await;
    assert!(start.elapsed() < Duration::from_secs(6));
    let silent = serve(|stream, _, _| async move {
        tokio::time::sleep(Duration::from_mins(1)).await;
        drop(stream);
    })
    .await;
    check(&silent, "it did not answer in full", "timeout_s").await;
}

/// What became of one reading, and the bytes that it took at most. The server is another thread's.
fn costs(serve: impl Future<Output = String> + Send + 'static) -> (u64, Failure) {
    let (url, at) = std::sync::mpsc::channel();
    let other = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    other.spawn(async move { url.send(serve.await).unwrap() });
    let mut set = set(&at.recv().unwrap());
    set.timeout_s = 20.0;
    let here = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (sink, _queue) = here.block_on(async { mpsc::channel(8) });
    let mut run = Run::new(ScrapeSource::new(set).unwrap(), Sink::new(0, sink));
    let mut failure = None;
    let used = allocation_counter::measure(|| failure = here.block_on(run.page(0)).err());
    other.shutdown_background();
    (used.bytes_max, failure.unwrap())
}

const MIB: u64 = 1 << 20;

#[test]
fn a_page_without_end_is_taken_in_up_to_its_bound() {
    let (bytes, failure) = costs(serve(|mut stream, _, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        let chunk = [b"10000\r\n".to_vec(), vec![b'a'; 0x1_0000], b"\r\n".to_vec()].concat();
        for _ in 0..1_600 {
            if stream.write_all(&chunk).await.is_err() {
                return;
            }
        }
    }));
    assert_eq!(failure.to_string(), "its page has more than 16 MiB");
    assert!(bytes < 32 * MIB, "{bytes}");
    let (bytes, failure) = costs(serve(|mut stream, _, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n").await;
        tokio::time::sleep(Duration::from_mins(1)).await;
    }));
    assert_eq!(failure, Failure::TooLong(16));
    assert!(bytes < MIB, "what says that it is too long is not begun: {bytes}");
}

#[test]
fn a_bomb_is_unpacked_up_to_its_bound() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..1_600 {
        bomb.write_all(&vec![b'#'; 0x1_0000]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 110_000, "1 to 1000, nearly: {}", bomb.len());
    let (bytes, failure) = costs(always("200 OK\r\ncontent-encoding: gzip", bomb));
    assert_eq!(failure.to_string(), "its page has more than 16 MiB");
    assert!(bytes < 32 * MIB, "{bytes}");
}

#[test]
fn a_million_series_are_refused_and_nothing_of_them_is_kept() {
    let body = (0..1_000_000).fold(String::new(), |mut body, at| {
        body.extend(["a{b=\"", &at.to_string(), "\"} 1\n"]);
        body
    });
    let (bytes, failure) = costs(always(OK, body));
    assert_eq!(failure.to_string(), "the page has more than 200000 samples; the rest was left out");
    assert!(failure.mend().contains("samples_max"));
    assert!(bytes < 32 * MIB, "{bytes}");
}

#[tokio::test]
async fn a_packed_page_reads_as_the_page_does() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&b"node_load1 2\n# a comment\n".repeat(20_000)).unwrap();
    let url = always("200 OK\r\ncontent-encoding: gzip", packed.finish().unwrap()).await;
    let batch = Told::of(set(&url)).readings().await;
    assert_eq!(batch.readings.len(), 2, "the same series again and again, read aside");
    assert_eq!(batch.readings[0].2.to_bits(), 2.0_f64.to_bits());
}

#[tokio::test]
async fn bytes_that_are_no_text_are_told_by_their_lines() {
    let url = always(OK, b"node_load1{a=\"\xff\xfe\"} 1\nnode_load1 2\n\xff\xff 3\n".to_vec()).await;
    let mut told = Told::of(set(&url));
    let words = loop {
        if let Brought::Fault(words) = told.next().await {
            break words;
        }
    };
    assert_eq!(words, "line 1: it is not UTF-8; line 3: it is not UTF-8");
    assert_eq!(told.readings().await.readings.len(), 2);
}

#[tokio::test]
async fn a_name_that_leads_where_it_may_not_is_refused() {
    // Every resolver knows the host by its name; here the guard is asked as the client asks it.
    let error = guard::client().build().unwrap().get("http://169.254.169.254.nip.invalid/").send().await.unwrap_err();
    assert!(matches!(Failure::of(&error, "x"), Failure::Name(_)), "{error:?}");
    let source = |url: &str| ScrapeSource::new(set(url)).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(source("http://169.254.169.254/metrics"), Err("source t can't be read".into()));
    assert_eq!(source("http://[::ffff:169.254.169.254]/"), Err("source t can't be read".into()));
}

#[test]
fn settings_that_make_no_sense_are_refused_in_words() {
    let said = |text: &str| {
        let set: Scrape = toml::from_str(text).map_err(|error| error.to_string())?;
        ScrapeSource::new(set).map(|source| (source.target(), source.instance)).map_err(|error| error.to_string())
    };
    let plain = said("name = \"a\"\nurl = \"http://node-7:9400/metrics?token=x#y\"").unwrap();
    assert_eq!(plain, ("http://node-7:9400/metrics".into(), "node-7:9400".into()));
    for (text, why) in [
        ("name = \" \"\nurl = \"http://a/\"", "a source needs a name"),
        ("name = \"a\"\nurl = \"node:9400\"", "http:// and https:// are read"),
        ("name = \"a\"\nurl = \"/metrics\"", "the url of source a is none"),
        ("name = \"a\"\nurl = \"file:///etc/passwd\"", "begins with file://"),
        ("name = \"a\"\nurl = \"http://u:p@h/\"", "bearer_token_file"),
        ("name = \"a\"\nurl = \"http://h/\"\nevery_s = 0", "every_s of source a is 0; it must be from 0.1 to 86400"),
        ("name = \"a\"\nurl = \"http://h/\"\nevery_s = nan", "every_s of source a is NaN"),
        ("name = \"a\"\nurl = \"http://h/\"\ntimeout_s = -1.0", "timeout_s of source a"),
        ("name = \"a\"\nurl = \"http://h/\"\nsamples_max = 0", "samples_max of source a"),
        ("name = \"a\"\nurl = \"http://h/\"\nevrey_s = 10", "unknown field `evrey_s`"),
        ("name = \"a\"\nurl = \"http://h/\"\nlabels = { rak = \"r\" }", "unknown field `rak`"),
    ] {
        let said = said(text).unwrap_err();
        assert!(said.contains(why), "{said} is not {why}");
    }
}

#[test]
fn sources_are_read_evenly_and_aside_of_each_other() {
    let beat = Beat::of("a", 10.0);
    assert_eq!(beat, Beat::of("a", 10.0));
    let next = beat.next(1_700_000_000_123);
    assert_eq!((next - beat.aside_ms) % 10_000, 0);
    assert!(next > 1_700_000_000_123 && next <= 1_700_000_010_123);
    assert_eq!(beat.next(next), next + 10_000);
    assert_eq!((beat.stamp(next, next + 100), beat.stamp(next, next + 101)), (next, next + 101));
    let mut parts = [0; 10];
    for at in 0..1_000 {
        parts[(Beat::of(&format!("node-{at}"), 10.0).aside_ms / 1_000) as usize] += 1;
    }
    assert!(parts.iter().all(|count| (60..=140).contains(count)), "{parts:?}");
}
