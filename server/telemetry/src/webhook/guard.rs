//! Which addresses we may send to: a person's webhook must not become a way into the house.
//!
//! Addresses of the link, of clouds' metadata, of many and of none are always refused. This host's own and unique-local
//! ones are refused unless a network that holds them is allowed. Names are looked up by us, every address of a name is
//! looked at, and the one that was looked at is the one that is used.

use crate::address;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use url::{Host, Url};

/// Names by which clouds reach their metadata.
const METADATA_NAMES: [&str; 4] = ["metadata.google.internal", "metadata.goog", "metadata", "instance-data"];

/// What may be reached beyond the usual.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guard {
    /// Networks of this host or of unique-local addresses that may be reached.
    pub allow: Vec<Network>,
}

/// Why an address may not be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no URL.
    #[error("not a URL: {0}")]
    NoUrl(String),
    /// It is neither http nor https.
    #[error("only http and https are spoken, not {0}")]
    Scheme(String),
    /// It carries a name and a password, which would be logged.
    #[error("a name or password in the address: use the secret instead")]
    Userinfo,
    /// A port of some other service.
    #[error("port {0}: only 80, 443 and those from 1024 on are reached")]
    Port(u16),
    /// The name is of a cloud's metadata.
    #[error("{0} is a cloud's metadata, which is never reached")]
    Metadata(String),
    /// The address is never reached.
    #[error("{0} is an address of the link, of a cloud's metadata, of many or of none, which is never reached")]
    Never(IpAddr),
    /// The address is of this host or unique-local, and no network that is allowed holds it.
    #[error("{0} is an address of this host or a unique-local one; allow its network to reach it")]
    NotAllowed(IpAddr),
    /// There is no client to send with.
    #[error("no client to send with: {0}")]
    NoClient(String),
}

impl Guard {
    /// Whether an address may be reached.
    pub fn address(&self, address: IpAddr) -> Result<(), Refused> {
        let inner = address::embedded(address);
        if address::is_forbidden(address) {
            return Err(Refused::Never(address));
        }
        let own = [Some(address), inner].into_iter().flatten().any(is_own);
        let allowed = || {
            self.allow.iter().any(|network| network.holds(address) || inner.is_some_and(|inner| network.holds(inner)))
        };
        if own && !allowed() { Err(Refused::NotAllowed(address)) } else { Ok(()) }
    }

    /// The URL of a text, where what it says may be reached. A name is looked at again when it is looked up.
    pub fn url(&self, text: &str) -> Result<Url, Refused> {
        let url = Url::parse(text).map_err(|error| Refused::NoUrl(error.to_string()))?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(Refused::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Userinfo);
        }
        if let Some(port) = url.port()
            && port != 80
            && port != 443
            && port < 1024
        {
            return Err(Refused::Port(port));
        }
        match url.host() {
            None => return Err(Refused::NoUrl("it names no host".into())),
            Some(Host::Ipv4(address)) => self.address(address.into())?,
            Some(Host::Ipv6(address)) => self.address(address.into())?,
            Some(Host::Domain(name)) => name_is_good(name)?,
        }
        Ok(url)
    }
}

fn name_is_good(name: &str) -> Result<(), Refused> {
    let plain = name.trim_end_matches('.').to_ascii_lowercase();
    if METADATA_NAMES.contains(&plain.as_str()) { Err(Refused::Metadata(name.to_owned())) } else { Ok(()) }
}

/// Of this host, or unique-local.
fn is_own(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.segments()[0] & 0xfe00 == 0xfc00,
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            name_is_good(name.as_str())?;
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One bad address makes the name bad: which of them is used is not ours to choose.
            for address in &found {
                guard.address(address.ip())?;
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// A network: `10.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether an address is in it.
    pub fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(mine), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                mine.to_bits() & mask == other.to_bits() & mask
            }
            (IpAddr::V6(mine), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                mine.to_bits() & mask == other.to_bits() & mask
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Network {
    type Err = NoNetwork;
    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| NoNetwork)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| NoNetwork)?;
        if bits > most { Err(NoNetwork) } else { Ok(Self { address, bits }) }
    }
}

/// The text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoNetwork;
impl fmt::Display for NoNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a network: write 10.0.0.0/8 or fd00::/8")
    }
}
impl std::error::Error for NoNetwork {}
