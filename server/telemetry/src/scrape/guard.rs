//! Which addresses a client of ours may speak to, and the client that keeps to it.
//!
//! Never: follows a redirect, asks a proxy, or connects to an address that was not looked at. A name is resolved once for
//! each connection, what it resolves to is checked, and exactly that is connected to.
//!
//! Targets stand in the operator's own settings, so this host and private networks are allowed. What is never a target is
//! where clouds hand out a machine's credentials.

use crate::address;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use url::{Host, Url};

/// An address that is never spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is an address that is never read: clouds hand out credentials there, or no machine can have it")]
pub struct Forbidden(pub IpAddr);

/// Whether an address may be spoken to.
pub fn allow(address: IpAddr) -> Result<(), Forbidden> {
    if address::is_forbidden(address) { Err(Forbidden(address)) } else { Ok(()) }
}

/// Whether the host of an address may be spoken to, where it is written in numbers; a name is looked at when it is resolved.
pub fn allow_url(url: &Url) -> Result<(), Forbidden> {
    match url.host() {
        Some(Host::Ipv4(v4)) => allow(v4.into()),
        Some(Host::Ipv6(v6)) => allow(v6.into()),
        Some(Host::Domain(_)) | None => Ok(()),
    }
}

/// Resolves names as the host does, and refuses one that leads to a forbidden address.
#[derive(Debug)]
struct Guarded;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            for address in &found {
                allow(address.ip())?;
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// A client's beginnings: no redirects, no proxy, only addresses that are allowed.
pub fn client() -> reqwest::ClientBuilder {
    // The first in the process to say which cryptography is used is heard; all of ours say the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .dns_resolver(Arc::new(Guarded))
        .user_agent(concat!("millwright/", env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_clouds_hand_out_credentials_is_never_read_however_it_is_written() {
        for url in [
            "http://169.254.169.254/latest/meta-data",
            "http://2852039166/",
            "http://0xa9fea9fe/",
            "http://0251.0376.0251.0376/",
            "http://[::ffff:169.254.169.254]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[::169.254.169.254]/",
            "http://[fe80::1]/",
            "http://[febf::1]/",
            "http://[fd00:ec2::254]/",
            "http://100.100.100.200/",
            "http://0.0.0.0/",
            "http://[::]/",
            "http://224.0.0.1/",
        ] {
            assert!(allow_url(&Url::parse(url).unwrap()).is_err(), "{url}");
        }
    }

    #[test]
    fn this_host_and_private_networks_are_read() {
        for url in [
            "http://127.0.0.1:9400/",
            "http://[::1]/",
            "http://10.1.2.3/",
            "http://192.168.1.1/",
            "http://[fd12::1]/",
            "http://[2001:db8::1]/",
            "http://node-7/",
        ] {
            assert_eq!(allow_url(&Url::parse(url).unwrap()), Ok(()), "{url}");
        }
    }
}
