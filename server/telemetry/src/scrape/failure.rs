//! Why a target can't be read, and what to do about it, in words.

use super::guard::Forbidden;
use super::page::Refused;
use crate::exposition::Why;
use reqwest::StatusCode;
use std::error::Error;
use std::io::{self, ErrorKind};

/// Why a target can't be read. Its words are the same from scrape to scrape, so that what is new is seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the words of each are its doc")]
pub enum Failure {
    #[error("its name {0} is not known")]
    Name(String),
    #[error("{0} leads to a forbidden address: {1}")]
    Forbidden(String, Forbidden),
    #[error("nothing listens at {0}")]
    NotListening(String),
    #[error("no way leads to {0}")]
    NoWay(String),
    #[error("{0} could not be reached: {1}")]
    Connect(String, String),
    #[error("no secure connection: {0}")]
    Tls(String),
    #[error("it did not answer in full within {0} s")]
    Late(String),
    #[error("it answers {0}")]
    Status(StatusCode),
    #[error("refused to follow to {0}")]
    Redirect(String),
    #[error("it sends {0}, which is not a text of metrics")]
    Kind(String),
    #[error("it sends its page as {0}, which was not asked for")]
    Encoding(String),
    #[error("its page has more than {0} MiB")]
    TooLong(u32),
    #[error("its compressed page is broken")]
    Gzip,
    #[error("the connection broke off before the page was whole")]
    CutOff,
    #[error("its answer is no HTTP: {0}")]
    NoHttp(String),
    #[error("{0}")]
    Page(Refused),
    #[error("the token in {0} can't be used: {1}")]
    Token(String, String),
    #[error("the certificates in {0} can't be used: {1}")]
    Certificates(String, String),
    #[error("no client could be made: {0}")]
    Client(String),
}

impl Failure {
    /// What to do about it.
    pub fn mend(&self) -> String {
        let words = match self {
            Self::Name(_) => "check the host in `url`, or the name server of this machine",
            Self::Forbidden(..) => "name the exporter itself in `url`; such an address is never read",
            Self::NotListening(_) => "check that the exporter runs, and its port in `url`",
            Self::NoWay(_) | Self::Connect(..) => "check the network and the firewall between here and there",
            Self::Tls(why) if why.to_lowercase().contains("expired") => "renew the target's certificate",
            Self::Tls(why) if why.contains("UnknownIssuer") => {
                "name the file with the certificate of who issued the target's in `ca_file`"
            }
            Self::Tls(why) if why.contains("not valid for name") => "use the name in `url` that the certificate is for",
            Self::Tls(why) if why.contains("certificate") => {
                "give the target a certificate of its own, and name its issuer's in `ca_file`"
            }
            Self::Tls(_) => "check that the target speaks TLS at this port; if it does not, write http:// in `url`",
            Self::Late(_) => "see what keeps the exporter busy, or allow it more in `timeout_s`",
            Self::Status(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                "name the file with the target's token in `bearer_token_file`"
            }
            Self::Status(StatusCode::NOT_FOUND) => {
                "check the path in `url`: mostly /metrics, NIM has /v1/metrics, trtllm-serve /prometheus/metrics"
            }
            Self::Status(_) => "look into the log of the exporter",
            Self::Redirect(_) => "write that address into `url` if it is the right one; redirects are not followed",
            Self::Kind(_) => "check the path in `url`; the text formats of Prometheus and OpenMetrics are read",
            Self::Encoding(_) => "look for a proxy in between that changes what the exporter sends",
            Self::TooLong(_) => "let the exporter tell less, or allow more in `body_max_mib`",
            Self::Page(Refused::Bounds(bad)) if matches!(bad.why, Why::TooManySamples(_)) => {
                "let the exporter tell less, or allow more in `samples_max`"
            }
            Self::Gzip | Self::CutOff | Self::Page(Refused::Bounds(_)) => {
                "look into the log of the exporter, and for a proxy in between"
            }
            Self::NoHttp(_) => "check the port in `url`: something other than an exporter answers there",
            Self::Page(Refused::NotMetrics("JSON")) => {
                "check the path in `url`; trtllm-serve has its metrics at /prometheus/metrics"
            }
            Self::Page(Refused::NotMetrics(_)) => "check the path in `url`; mostly it is /metrics",
            Self::Token(..) => "check that the file is there, may be read, and holds one line",
            Self::Certificates(..) => "check that the file is there, may be read, and holds PEM",
            Self::Client(_) => "look into the log of this server",
        };
        words.to_owned()
    }

    /// What an error of the transport means, when `host` was read.
    pub(super) fn of(error: &reqwest::Error, host: &str) -> Self {
        let mut causes = std::iter::successors(error.source(), |error| (*error).source());
        let mut last = error.to_string();
        let mut io = None;
        for cause in &mut causes {
            if let Some(forbidden) = cause.downcast_ref::<Forbidden>() {
                return Self::Forbidden(host.into(), *forbidden);
            }
            if let Some(found) = cause.downcast_ref::<io::Error>() {
                if let Some(tls) = tls_within(found) {
                    return Self::Tls(tls.to_string());
                }
                io = Some(found.kind());
            }
            if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
                return Self::Tls(tls.to_string());
            }
            last = cause.to_string();
        }
        if error.is_dns() {
            return Self::Name(host.into());
        }
        match io {
            Some(ErrorKind::ConnectionRefused) => Self::NotListening(host.into()),
            Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) => Self::NoWay(host.into()),
            _ if error.is_connect() => Self::Connect(host.into(), last),
            Some(_) => Self::CutOff,
            None if error.is_body() || error.is_decode() => Self::CutOff,
            None if last.contains("closed before message completed") || last.contains("connection closed") => {
                Self::CutOff
            }
            None => Self::NoHttp(last),
        }
    }
}

/// What TLS says: an error of the connection wraps it, at times twice, and does not name it as its source.
fn tls_within(error: &io::Error) -> Option<&rustls::Error> {
    let inner = error.get_ref()?;
    inner.downcast_ref().or_else(|| tls_within(inner.downcast_ref()?))
}
