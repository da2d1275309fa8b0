//! Who may read metrics, and what the kernel says of a process.

use super::*;
use std::io::Write as _;

fn headers(given: &[(&HeaderName, &str)]) -> HeaderMap {
    given.iter().map(|(name, value)| ((*name).clone(), value.parse().unwrap())).collect()
}

fn with_token(text: &str) -> Result<Access, Error> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    Access::of(Some(file.path()))
}

#[test]
fn metrics_are_told_to_this_machine_and_to_whoever_brings_the_token() {
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    let (open, guarded) = (Access::of(None).unwrap(), with_token(&format!("{TOKEN}\n")).unwrap());
    let status = |access: &Access, peer: &str, given: &[(&HeaderName, &str)]| {
        access.refusal(peer.parse().ok(), &headers(given)).map_or(200, |refusal| refusal.status().as_u16())
    };
    let bearer = format!("Bearer {TOKEN}");
    let (right, wrong) = ([(&header::AUTHORIZATION, bearer.as_str())], [(&header::AUTHORIZATION, "Bearer 0123")]);
    for near in ["127.0.0.1:4000", "[::1]:4000", "[::ffff:127.0.0.1]:4000"] {
        assert_eq!((status(&open, near, &[]), status(&guarded, near, &[])), (200, 200), "{near}");
    }
    let far = "192.0.2.7:4000";
    assert_eq!((status(&open, far, &[]), status(&open, far, &right)), (403, 403));
    assert_eq!(
        (status(&guarded, far, &[]), status(&guarded, far, &wrong), status(&guarded, far, &right)),
        (401, 401, 200)
    );
    assert_eq!(status(&open, "nobody", &[]), 403, "whoever is not known is far away");
    for of_proxy in &OF_PROXIES {
        let through = [(of_proxy, "192.0.2.7")];
        assert_eq!((status(&open, "127.0.0.1:1", &through), status(&guarded, "127.0.0.1:1", &through)), (403, 401));
    }
    let refusal = guarded.refusal(None, &HeaderMap::new()).unwrap();
    assert_eq!(refusal.headers()[header::WWW_AUTHENTICATE], "Bearer");
}

#[test]
fn a_token_that_is_none_keeps_the_house_closed() {
    for text in ["", "short", "0123456789 0123456789 0123456789"] {
        assert!(matches!(with_token(text), Err(Error::MetricsToken { .. })), "{text}");
    }
    assert!(matches!(Access::of(Some(Path::new("/nowhere"))), Err(Error::MetricsToken { .. })));
}

#[test]
fn the_kernels_own_words_are_read() {
    let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 9000 1 1";
    assert_eq!(cpu_s(stat), Some(3.0));
    assert_eq!(cpu_s(""), None);
    assert_eq!(field("Name:\tx\nVmRSS:\t  2048 kB\n", "VmRSS:"), Some(2_048.0));
    assert_eq!(
        field("Max open files            1024                 4096                 files", "Max open files"),
        Some(1_024.0)
    );
}

#[test]
fn values_are_written_as_prometheus_reads_them() {
    let mut page = Page::default();
    page.gauge("a", "Words \\ and\nlines");
    page.value("a", &[("b", "\\ \" \n"), ("c", "")], f64::INFINITY);
    page.value("a", &[], f64::NAN);
    assert_eq!(page.text(), "# HELP a Words \\\\ and\\nlines.\n# TYPE a gauge\na{b=\"\\\\ \\\" \\n\"} +Inf\na NaN\n");
}
