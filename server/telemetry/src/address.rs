//! Addresses that nothing of ours ever speaks to, however they are written: where clouds hand out a machine's credentials, and
//! where no other machine can be. What is allowed besides is each client's own matter.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses of metadata that are not of the link: Alibaba's, Oracle's, Azure's wire server.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192), Ipv4Addr::new(168, 63, 129, 16)];
/// Amazon's, in version 6; Google's.
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// Whether it is never to be reached, as it stands or through what it carries.
pub fn is_forbidden(address: IpAddr) -> bool {
    [Some(address), embedded(address)].into_iter().flatten().any(is_never)
}

/// Never to be reached as it stands.
fn is_never(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, ..] = v4.octets();
            first == 0 || v4.is_link_local() || v4.is_broadcast() || v4.is_multicast() || METADATA_V4.contains(&v4)
        }
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            let teredo = segments[..2] == [0x2001, 0]; // hides a version 4 address
            v6.is_unspecified()
                || v6.is_multicast()
                || segments[0] & 0xff80 == 0xfe80 // of the link, and of the site as it once was
                || teredo
                || METADATA_V6.contains(&v6)
        }
    }
}

/// The version 4 address that one of version 6 leads to: mapped, compatible, through 6to4 or NAT64.
pub fn embedded(address: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(v6) = address else { return None };
    let segments = v6.segments();
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, .., high, low]
        | [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}
