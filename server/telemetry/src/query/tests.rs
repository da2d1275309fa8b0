use super::history::RemoteHistory;
use super::poll::{Mapper, QuerySource, default_selectors};
use super::*;
use crate::source::{Brought, Sink, Source};
use model::source::SourceState;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A server that answers each request with the next of the answers, the last one for ever, and hands on what it was asked.
async fn server(answers: Vec<(&'static str, String)>) -> (Url, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Url::parse(&format!("http://{}/prefix/", listener.local_addr().unwrap())).unwrap();
    let (asked, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut answers = answers.into_iter().peekable();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut part = [0; 4096];
            loop {
                let got = stream.read(&mut part).await.unwrap();
                request.extend_from_slice(&part[..got]);
                let text = String::from_utf8_lossy(&request).into_owned();
                let length = text
                    .to_lowercase()
                    .split("content-length: ")
                    .nth(1)
                    .and_then(|rest| rest.lines().next()?.parse().ok());
                let done = text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length.unwrap_or(0));
                if got == 0 || done {
                    break;
                }
            }
            let _ = asked.send(String::from_utf8(request).unwrap());
            let (head, body) = answers.peek().cloned().unwrap();
            if answers.len() > 1 {
                answers.next();
            }
            let answer =
                format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (base, requests)
}

async fn client(answers: Vec<(&'static str, String)>) -> (Client, mpsc::UnboundedReceiver<String>) {
    let (base, requests) = server(answers).await;
    (Client::of(Endpoint { timeout: Duration::from_secs(5), body_max: 4096, ..Endpoint::of(base) }).unwrap(), requests)
}

fn matrix(values: &str) -> String {
    format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{"__name__":"p","gpu":"0"}},"values":[{values}]}}]}}}}"#
    )
}

#[tokio::test]
async fn answers_are_read_with_their_types() {
    let vector = r#"{"status":"success","isPartial":true,"warnings":["slow"],"data":{"resultType":"vector","result":[
        {"metric":{"__name__":"p","gpu":"0"},"value":[1700000000.289,"+Inf"]},{"metric":{"a":"b"},"histogram":[1,{}]}]}}"#;
    let scalar = r#"{"status":"success","data":{"resultType":"scalar","result":[1.5,"2"]}}"#;
    let (client, mut asked) = client(vec![("200 OK", vector.into()), ("200 OK", scalar.into())]).await;
    let answer = client.query("p", Some(1_700_000_000_289)).await.unwrap();
    assert_eq!(answer.warnings, ["slow", "a part of the store did not answer"]);
    let one = answer.vector().unwrap();
    assert_eq!(one[0].value, Some(Sample { at_ms: 1_700_000_000_289, value: f64::INFINITY }));
    assert_eq!(key_of(one[0].metric.clone()), SeriesKey { name: "p".into(), labels: Labels::of([("gpu", "0")]) });
    assert_eq!(one[1].value, None);
    let request = asked.recv().await.unwrap();
    assert!(request.starts_with("POST /prefix/api/v1/query HTTP"), "{request}");
    assert!(request.ends_with("query=p&nocache=1&time=1700000000.289"), "{request}");
    assert_eq!(client.query("2", None).await.unwrap().data, Data::Scalar(Sample { at_ms: 1_500, value: 2.0 }));
}

#[tokio::test]
async fn what_goes_wrong_is_said_in_words() {
    let said = r#"{"status":"error","errorType":"bad_data","error":"parse error: unexpected end"}"#;
    let cases = [
        (("400 Bad Request", said.to_owned()), "it refuses with 400 (bad_data): parse error: unexpected end"),
        (("200 OK", said.to_owned()), "it refuses with 200 (bad_data): parse error: unexpected end"),
        (("502 Bad Gateway", "<html>\n".into()), "it refuses with 502: <html>"),
        (("503 Busy", String::new()), "it refuses with 503: no words"),
        (
            ("302 Found\r\nLocation: http://else/", String::new()),
            "it refuses with 302: it leads on to http://else/, which is not followed",
        ),
        (("200 OK", "x".repeat(5_000)), "its answer has more than 4096 bytes"),
        (("200 OK", r#"{"status":"success"}"#.into()), "its answer can't be understood: it has no data"),
    ];
    for (answer, words) in cases {
        let (client, _asked) = client(vec![answer]).await;
        let error = client.query("p", None).await.unwrap_err();
        assert_eq!(error.to_string(), words);
        assert!(!error.mend().is_empty());
    }
    for body in
        ["[]", "{", r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]}}"#]
    {
        let (client, _asked) = client(vec![("200 OK", body.into())]).await;
        let error = client.query("p", None).await.unwrap_err().to_string();
        assert!(error.starts_with("its answer can't be understood: "), "{error}");
    }
    let silent = Client::of(Endpoint::of(Url::parse("http://127.0.0.1:1/").unwrap())).unwrap();
    let error = silent.query("p", None).await.unwrap_err().to_string();
    assert!(error.starts_with("it does not answer: ") && error.contains("refused"), "{error}");
}

#[tokio::test]
async fn secrets_come_from_files_and_go_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "hunter2\n").unwrap();
    let (base, mut asked) = server(vec![("200 OK", matrix(""))]).await;
    let of = |auth| Client::of(Endpoint { auth, ..Endpoint::of(base.clone()) }).unwrap();
    of(Auth::Bearer { token_file: file.clone() }).query("p", None).await.unwrap();
    assert!(asked.recv().await.unwrap().contains("authorization: Bearer hunter2\r\n"));
    of(Auth::Basic { user: "ada".into(), password_file: file.clone() }).query("p", None).await.unwrap();
    assert!(asked.recv().await.unwrap().contains("authorization: Basic YWRhOmh1bnRlcjI=\r\n"));
    std::fs::remove_file(&file).unwrap();
    let error = of(Auth::Bearer { token_file: file }).query("p", None).await.unwrap_err().to_string();
    assert!(error.contains("can't be read") && !error.contains("hunter2"), "{error}");
    let error = Client::of(Endpoint::of(Url::parse("http://ada:hunter2@h/").unwrap())).unwrap_err().to_string();
    assert_eq!(error, "the address http://h/ can't be used: user and password belong into the settings beside it");
}

#[test]
fn a_selector_is_written_as_promql() {
    let matchers = vec![
        ("a".into(), Match::Equal, "x\"\\\n".into()),
        ("b.c".into(), Match::NotRegex, "y|z".into()),
        ("d".into(), Match::NotEqual, "é".into()),
    ];
    let selector = Selector { name: "p".into(), matchers };
    assert_eq!(selector.to_string(), r#"{__name__="p",a="x\"\\\n","b.c"!~"y|z",d!="é"}"#);
}

#[test]
fn times_are_exact_to_the_millisecond() {
    assert_eq!([1_700_000_000_009, -1_500, 0].map(seconds), ["1700000000.009", "-1.500", "0.000"]);
}

#[tokio::test]
async fn a_history_that_makes_no_sense_is_refused() {
    let (client, _asked) = client(vec![("200 OK", matrix(""))]).await;
    let history = RemoteHistory::of(client);
    let key = SeriesKey { name: "p".into(), labels: Labels::default() };
    assert_eq!(history.range(&key, 5, 5, 1_000).await.unwrap(), []);
    assert_eq!(history.range(&key, 0, 5, 0).await.unwrap_err().to_string(), "a step of 0 ms is too short");
    assert!(
        history.range(&key, 0, i64::MAX, 2).await.unwrap_err().to_string().ends_with("not times from 1970 to 2255")
    );
    assert!(history.range(&key, 0, 9, i64::MAX).await.unwrap_err().to_string().ends_with("too long"));
    assert!(history.range(&key, 0, 8_000_000_000_000, 2).await.unwrap_err().to_string().contains("more than 1000000"));
}

#[tokio::test]
async fn only_samples_that_are_new_become_readings() {
    let map: Mapper = Arc::new(|name, labels| {
        (name == "p").then(|| (SeriesKey { name: "power".into(), labels: Labels::of(labels.iter().cloned()) }, 1e3))
    });
    let other = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"q"},"values":[[1,"1"]]}]}}"#;
    let answers = vec![
        ("200 OK", matrix(r#"[1,"5"],[2,"6"]"#)),
        ("200 OK", r#"{"status":"success","data":{"version":"2.42.0"}}"#.into()),
        ("200 OK", matrix(r#"[1,"5"],[2,"6"]"#)),
        ("200 OK", matrix(r#"[2,"6"],[3,"NaN"],[4,"8"]"#)),
        ("200 OK", other.into()),
        ("500 Broken", String::new()),
    ];
    let (client, mut asked) = client(answers).await;
    let source = QuerySource {
        name: "store".into(),
        client,
        selectors: vec!["p".into()],
        interval: Duration::from_millis(100),
        map,
    };
    let (queue, mut out) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let task = tokio::spawn(Box::new(source).run(Sink::new(0, queue), stop.clone()));
    let mut readings = Vec::new();
    let (mut unknown, mut peer, mut fault) = (0, None, None);
    let why = loop {
        match out.recv().await.unwrap().1 {
            Brought::Readings(batch) => {
                unknown += batch.unknown;
                readings.extend(batch.readings.into_iter().map(|(key, at, value)| (key.to_string(), at, value)));
            }
            Brought::Peer(version) => peer = Some(version),
            Brought::Fault(words) => fault = Some(words),
            Brought::State(SourceState::Failing { why, .. }) => break why,
            Brought::State(_) | Brought::Event(_) => {}
        }
    };
    stop.cancel();
    task.await.unwrap();
    let key = "power{gpu=\"0\"}".to_owned();
    let expected = [(1_000, 5e3), (2_000, 6e3), (4_000, 8e3)].map(|(at, value)| (key.clone(), Some(at), value));
    assert_eq!(readings, expected);
    assert_eq!((unknown, peer.as_deref(), fault), (1, Some("2.42.0"), None));
    assert_eq!(why, "it refuses with 500: no words");
    assert!(asked.recv().await.unwrap().contains("query=p%5B60100ms%5D"), "a minute for what comes late");
    assert!(default_selectors().iter().all(|selector| selector.starts_with("{__name__=~\"")));
}
