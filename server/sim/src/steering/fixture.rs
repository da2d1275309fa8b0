//! A topology that everyone can build and check figures against.

use super::policy::Bundle;
use super::tree::{Host, Level, Limit, Node, Tree};

/// Hosts of the topology.
pub const HOSTS: u32 = 144;
/// Racks that they stand in, 18 each.
const RACKS: u32 = 8;
const HOSTS_PER_RACK: u32 = HOSTS / RACKS;
/// GPUs of a host: a compute tray of GB300.
const GPUS_PER_HOST: u32 = 4;

/// Policies of the topology, watts of a host: GB300-High, -Med and -Low.
const LADDER: [(&str, f64); 3] = [("high", 5_600.0), ("medium", 3_200.0), ("low", 1_600.0)];

/// The sample topology of NVIDIA's DPS SDK (docs.nvidia.com/datacenter/dps): a utility connection of 750 kW, a switchboard of
/// 1.6 MW, four floor PDUs of 450 kW that feed racks (1, 5), (2, 6), (3, 7) and (4, 8), 18 hosts of GB300 in each.
///
/// It states neither losses nor power factors nor what a host draws beside its GPUs, so there are none here, and its racks
/// have no limit of their own: theirs is 18 hosts at the highest policy. Its policies are of whole hosts; a GPU's bounds are
/// a quarter of the lowest and of the highest.
pub fn sdk_topology() -> Tree {
    let limit = |kilowatts: f64| Limit::of_watts(kilowatts * 1e3);
    let node = |name: String, level, limit, fed_by| Node::lossless(name, level, limit, fed_by);
    let mut nodes = vec![
        node("Utility".to_owned(), Level::Utility, limit(750.0), None),
        node("Switchboard".to_owned(), Level::Switchboard, limit(1_600.0), Some(0)),
    ];
    for pdu in 1..=4 {
        nodes.push(node(format!("FloorPDU-{pdu}"), Level::FloorPdu, limit(450.0), Some(1)));
    }
    let (high_w, low_w) = (LADDER[0].1, LADDER[2].1);
    let rack_limit = Limit::of_watts(f64::from(HOSTS_PER_RACK) * high_w);
    for rack in 0..RACKS {
        // Racks 1 and 5 on the first, 2 and 6 on the second, and so on.
        nodes.push(node(format!("Rack-{}", rack + 1), Level::Rack, rack_limit, Some(2 + rack % 4)));
    }
    let mut hosts = Vec::new();
    for host in 0..HOSTS {
        let rack = 6 + host / HOSTS_PER_RACK;
        hosts.push(Host {
            node: nodes.len() as u32,
            group: "all".to_owned(),
            priority: 0,
            fixed_w: 0.0,
            gpus: GPUS_PER_HOST,
            cap_min_w: low_w / f64::from(GPUS_PER_HOST),
            cap_max_w: high_w / f64::from(GPUS_PER_HOST),
        });
        nodes.push(node(format!("gb300-{:03}", host + 1), Level::Host, Limit::of_watts(high_w), Some(rack)));
    }
    Tree::new(nodes, hosts).expect("the sample topology is a tree")
}

/// Its policies, the highest first.
pub fn sdk_ladder() -> Vec<Bundle> {
    LADDER.iter().map(|(name, watts)| Bundle::HostLimit { name: (*name).to_owned(), watts: *watts }).collect()
}
